/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "nndmft/find.h"

/* Splits "NAME=LOW:HIGH". The name is owned by the caller. */
static nnd_status parse_param(nnd_context *ctx, const char *text, char **name, double *low,
                              double *high) {
    const char *equals = text != NULL ? strchr(text, '=') : NULL;
    if (equals == NULL || equals == text)
        return nnd_fail(ctx, NND_E_INPUT, "--param %s: not of the form NAME=LOW:HIGH",
                        text != NULL ? text : "is missing");
    char *end, *last;
    *low = nnd_number_parse(equals + 1, &end);
    *high = *end == ':' ? nnd_number_parse(end + 1, &last) : NAN;
    if (end == equals + 1 || *end != ':' || last == end + 1 || *last != '\0')
        return nnd_fail(ctx, NND_E_INPUT, "--param %s: not of the form NAME=LOW:HIGH", text);
    *name = strndup(text, (size_t)(equals - text));
    return *name != NULL ? NND_OK : nnd_fail_memory(ctx, "a name");
}

/* Splits "VARIABLE" or "VARIABLE=LEVEL". */
static nnd_status parse_goal(nnd_context *ctx, const cli_options *o, nnd_find_options *find,
                             char **variable) {
    const char *text = o->zero != NULL ? o->zero : o->min != NULL ? o->min : o->max;
    if (text == NULL || (o->zero != NULL) + (o->min != NULL) + (o->max != NULL) != 1)
        return nnd_fail(ctx, NND_E_INPUT, "give one of --zero, --min, --max");
    find->goal = o->zero != NULL ? NND_FIND_ZERO : o->min != NULL ? NND_FIND_MIN : NND_FIND_MAX;
    const char *equals = find->goal == NND_FIND_ZERO ? strchr(text, '=') : NULL;
    size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
    if (equals != NULL) {
        char *end;
        find->level = nnd_number_parse(equals + 1, &end);
        if (end == equals + 1 || *end != '\0' || !isfinite(find->level))
            return nnd_fail(ctx, NND_E_INPUT, "--zero %s: the level is not a number", text);
    }
    *variable = strndup(text, length);
    find->variable = *variable;
    return *variable != NULL ? NND_OK : nnd_fail_memory(ctx, "a name");
}

/* A case without its sweep. */
static nnd_value *without_sweep(const nnd_value *tree) {
    nnd_value *map = nnd_value_map(tree->where);
    for (size_t i = 0; map != NULL && i < tree->count; i++)
        if (strcmp(tree->key[i], "sweep") != 0 &&
            !nnd_value_add(map, tree->key[i], nnd_value_copy(tree->item[i]))) {
            nnd_value_free(map);
            return NULL;
        }
    return map;
}

/* The case at one sweep point; `tree` is without the sweep. */
static nnd_value *point_tree(const nnd_value *tree, const nnd_case *c, size_t point) {
    nnd_value *copy = nnd_value_copy(tree);
    if (copy == NULL)
        return NULL;
    const nnd_value *given = nnd_value_get(copy, "params");
    nnd_value *params =
        given != NULL && given->kind == NND_VALUE_MAP ? nnd_value_copy(given) : nnd_value_map("");
    for (size_t k = 0, stride = c->sweep.points; params != NULL && k < c->sweep.keys; k++) {
        const nnd_dim *dim = c->sweep.dim[k];
        char text[64];
        stride /= dim->length;
        nnd_coord_text(dim, point / stride % dim->length, sizeof text, text);
        if (!nnd_value_put(params, dim->name, nnd_value_scalar(text, false, ""))) {
            nnd_value_free(params);
            params = NULL;
        }
    }
    if (!nnd_value_put(copy, "params", params)) {
        nnd_value_free(copy);
        return NULL;
    }
    return copy;
}

static void print_header(const nnd_case *c, const nnd_find_options *o) {
    for (size_t k = 0; k < c->sweep.keys; k++)
        printf("%s,", c->sweep.dim[k]->name);
    printf("%s,%s_uncertainty,%s,evaluations\n", o->param, o->param, o->variable);
}

static void print_row(const nnd_case *c, size_t point, const nnd_found *found) {
    for (size_t k = 0, stride = c->sweep.points; k < c->sweep.keys; k++) {
        char text[64];
        stride /= c->sweep.dim[k]->length;
        nnd_coord_text(c->sweep.dim[k], point / stride % c->sweep.dim[k]->length, sizeof text,
                       text);
        printf("%s,", text);
    }
    if (isnan(found->param))
        printf(",,,%zu\n", found->evaluations);
    else
        nnd_print(stdout, "%.10g,%.2g,%.10g,%zu\n", found->param, found->uncertainty, found->value,
                  found->evaluations);
}

static nnd_status find_all(nnd_context *ctx, const nnd_value *tree, const nnd_case *c,
                           const nnd_case_source *source, const nnd_find_options *o) {
    nnd_status worst = NND_OK;
    size_t points = c->sweep.points, failed = 0;
    for (size_t i = 0; i < points; i++) {
        nnd_found found;
        char name[256];
        nnd_case_point_text(c, i, sizeof name, name);
        nnd_value *point = point_tree(tree, c, i);
        nnd_status status = point != NULL ? nnd_find(ctx, point, source, o, &found)
                                          : nnd_fail_memory(ctx, "the case");
        nnd_value_free(point);
        cli_progress_end();
        if (status < NND_OK)
            return status;
        if (i == 0)
            print_header(c, o);
        print_row(c, i, &found);
        if (fflush(stdout) != 0)
            return NND_OK; /* said, or not, where all output is checked */
        if (found.at_edge)
            nnd_log(ctx, NND_LOG_WARNING, "%s%sthe extremum is at the end %g of the interval", name,
                    name[0] != '\0' ? ": " : "", found.param);
        if (status > NND_OK && points > 1)
            nnd_log(ctx, NND_LOG_WARNING, "%s: %s", name, nnd_context_message(ctx));
        failed += status > NND_OK;
        worst = status > worst ? status : worst;
    }
    if (failed > 0 && points > 1)
        nnd_fail(ctx, NND_E_INPUT, "no answer at %zu of %zu points of the sweep", failed, points);
    return worst;
}

int cli_find(nnd_context *ctx, const cli_options *options) {
    nnd_find_options o = {.at = options->at, .points = options->points};
    nnd_value *tree = NULL;
    nnd_case *c = NULL;
    cli_source source;
    char *param = NULL, *variable = NULL;
    nnd_status status = cli_case_source(ctx, options, &source);
    if (status == NND_OK)
        status = parse_param(ctx, options->param, &param, &o.low, &o.high);
    if (status == NND_OK)
        status = parse_goal(ctx, options, &o, &variable);
    o.param = param;
    if (status == NND_OK)
        status = cli_read_tree(ctx, options, &tree);
    if (status == NND_OK)
        status = nnd_case_resolve(ctx, tree, &source.source, &c);
    for (size_t k = 0; status == NND_OK && k < c->sweep.keys; k++)
        if (strcmp(c->sweep.dim[k]->name, param) == 0)
            status = nnd_fail(ctx, NND_E_INPUT, "--param %s: the case sweeps over it", param);
    nnd_value *base = status == NND_OK ? without_sweep(tree) : NULL;
    if (status == NND_OK)
        status = base != NULL ? find_all(ctx, base, c, &source.source, &o)
                              : nnd_fail_memory(ctx, "the case");
    nnd_value_free(base);
    nnd_case_free(c);
    nnd_value_free(tree);
    cli_source_clear(&source);
    free(param);
    free(variable);
    return cli_exit_code(status);
}
