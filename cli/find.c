/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "core/suggest.h"

enum { TEXT_SIZE = 128, MESSAGE_SIZE = 512 };

/* What is sought, as numbers and as the words of the command line, which it owns. */
typedef struct {
    bool over_time; /* find.variable against find.bound by find.relation, instead of over a
                       parameter */
    nnd_find_options find;
    nnd_coordinate at[NND_MAX_DIMS];
    char *param, *variable, *subject, *coordinates;
} request;

nnd_status cli_parse_interval(nnd_context *ctx, const char *text, char **name, double *low,
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

/* Splits "VARIABLE" or, with a level, "VARIABLE=LEVEL". The name is owned by the caller. */
static nnd_status parse_level(nnd_context *ctx, const char *option, const char *text,
                              bool with_level, double *level, char **variable) {
    const char *equals = with_level ? strchr(text, '=') : NULL;
    size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
    if (equals != NULL && (!nnd_number_read(equals + 1, level) || !isfinite(*level)))
        return nnd_fail(ctx, NND_E_INPUT, "--%s %s: the level is not a number", option, text);
    *variable = strndup(text, length);
    return *variable != NULL ? NND_OK : nnd_fail_memory(ctx, "a name");
}

/* Splits "VARIABLE < NUMBER" or "VARIABLE > NUMBER". The name is owned by the caller. */
static nnd_status parse_condition(nnd_context *ctx, const char *option, const char *text,
                                  nnd_relation *relation, double *bound, char **variable) {
    const char *sign = strpbrk(text, "<>"), *name = text + strspn(text, " ");
    const char *number = sign != NULL ? sign + 1 + strspn(sign + 1, " ") : NULL;
    size_t length = strcspn(name, " <>");
    if (sign == NULL || length == 0 || name + length + strspn(name + length, " ") != sign ||
        !nnd_number_read(number, bound) || !isfinite(*bound))
        return nnd_fail(ctx, NND_E_INPUT,
                        "--%s %s: not of the form \"NAME < NUMBER\" or \"NAME > NUMBER\"", option,
                        text);
    *relation = *sign == '<' ? NND_BELOW : NND_ABOVE;
    *variable = strndup(name, length);
    return *variable != NULL ? NND_OK : nnd_fail_memory(ctx, "a name");
}

/* What is sought; exactly one of the options says it. */
static nnd_status parse_goal(nnd_context *ctx, const cli_options *o, request *r) {
    nnd_find_options *find = &r->find;
    if ((o->zero != NULL) + (o->min != NULL) + (o->max != NULL) + (o->first != NULL) +
            (o->cross != NULL) + o->diverges !=
        1)
        return nnd_fail(ctx, NND_E_INPUT,
                        "give one of --zero, --min, --max, --diverges, --first, --cross");
    if (o->subject != NULL && o->min == NULL && o->max == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "--subject: goes with --min and --max alone");
    r->over_time = o->first != NULL || o->cross != NULL;
    if (o->first != NULL)
        return parse_condition(ctx, "first", o->first, &find->relation, &find->bound, &r->variable);
    if (o->cross != NULL) {
        find->relation = NND_ACROSS;
        if (strchr(o->cross, '=') == NULL)
            return nnd_fail(ctx, NND_E_INPUT, "--cross %s: not of the form VAR=LEVEL", o->cross);
        return parse_level(ctx, "cross", o->cross, true, &find->bound, &r->variable);
    }
    find->goal = o->zero != NULL  ? NND_FIND_ZERO
                 : o->min != NULL ? NND_FIND_MIN
                 : o->max != NULL ? NND_FIND_MAX
                                  : NND_FIND_DIVERGENCE;
    if (o->diverges)
        return NND_OK;
    nnd_status status = NND_OK;
    if (o->subject != NULL)
        status =
            parse_condition(ctx, "subject", o->subject, &find->relation, &find->bound, &r->subject);
    const char *text = o->zero != NULL ? o->zero : o->min != NULL ? o->min : o->max;
    return status == NND_OK
               ? parse_level(ctx, "zero", text, o->zero != NULL, &find->level, &r->variable)
               : status;
}

/* Reads coordinates as "t=40,layer=1" from `text`, whose names become texts of their own. */
static nnd_status parse_at(nnd_context *ctx, char *text, request *r) {
    char *rest = NULL;
    for (char *one = strtok_r(text, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        one += strspn(one, " ");
        char *equals = strchr(one, '=');
        nnd_coordinate *at = &r->at[r->find.coordinates];
        if (r->find.coordinates == NND_MAX_DIMS)
            return nnd_fail(ctx, NND_E_INPUT, "--at: more than %d coordinates", NND_MAX_DIMS);
        if (equals == NULL || !nnd_number_read(equals + 1, &at->value))
            return nnd_fail(ctx, NND_E_INPUT, "--at %s: not of the form NAME=NUMBER", one);
        *equals = '\0';
        at->dim = one;
        r->find.coordinates++;
    }
    r->find.at = r->at;
    return NND_OK;
}

static nnd_status parse(nnd_context *ctx, const cli_options *options, request *r) {
    r->find.points = options->points;
    nnd_status status = parse_goal(ctx, options, r);
    if (status == NND_OK && r->over_time && options->param != NULL)
        status = nnd_fail(ctx, NND_E_INPUT, "--param: --first and --cross seek over time");
    if (status == NND_OK && !r->over_time)
        status = cli_parse_interval(ctx, options->param, &r->param, &r->find.low, &r->find.high);
    if (status != NND_OK || options->at == NULL)
        return status;
    r->coordinates = strdup(options->at);
    return r->coordinates != NULL ? parse_at(ctx, r->coordinates, r)
                                  : nnd_fail_memory(ctx, "the coordinates");
}

static void request_clear(request *r) {
    free(r->param);
    free(r->variable);
    free(r->subject);
    free(r->coordinates);
}

static nnd_status unknown_variable(nnd_context *ctx, const nnd_model *model, const char *name) {
    nnd_suggestion near = {.word = name};
    for (size_t i = 0; i < model->variable_count; i++)
        nnd_suggest(&near, "", model->variables[i].name);
    return nnd_fail(ctx, NND_E_INPUT,
                    "%.200s is not a variable of the model; %s`nndmft describe %s` lists them",
                    name, near.text, model->name);
}

static nnd_status unknown_param(nnd_context *ctx, const nnd_model *model, const char *name) {
    nnd_suggestion near = {.word = name};
    for (size_t i = 0; i < model->params->count; i++)
        if (nnd_find_takes(&model->params->param[i]))
            nnd_suggest(&near, "", model->params->param[i].name);
    return nnd_fail(
        ctx, NND_E_INPUT,
        "--param %.200s: not a parameter that is a number; %s`nndmft describe %s` lists "
        "them",
        name, near.text, model->name);
}

static nnd_status look_up_param(nnd_context *ctx, const nnd_model *model, const nnd_value *sweep,
                                request *r) {
    const nnd_value *swept = nnd_value_get(sweep, r->param);
    if (swept != NULL && !nnd_value_is_null(swept))
        return nnd_fail(ctx, NND_E_INPUT, "--param %s: the case sweeps over it", r->param);
    r->find.param = nnd_param_find(model->params, r->param);
    return r->find.param != NULL && nnd_find_takes(r->find.param)
               ? NND_OK
               : unknown_param(ctx, model, r->param);
}

/* A name that is NULL is none. */
static nnd_status look_up_variable(nnd_context *ctx, const nnd_model *model, const char *name,
                                   const nnd_variable **variable) {
    *variable = name != NULL ? nnd_model_variable(model, name) : NULL;
    return name == NULL || *variable != NULL ? NND_OK : unknown_variable(ctx, model, name);
}

/* Finds the rows of the tables that the request names. A model that is none is for whoever reads
 * the case to refuse. */
static nnd_status look_up(nnd_context *ctx, const nnd_value *tree, request *r) {
    const nnd_value *name = nnd_value_get(tree, "model"), *sweep = nnd_value_get(tree, "sweep");
    bool named = name != NULL && name->kind == NND_VALUE_SCALAR;
    const nnd_model *model = named ? nnd_model_find(name->text) : NULL;
    if (model == NULL)
        return NND_OK;
    nnd_status status = r->over_time ? NND_OK : look_up_param(ctx, model, sweep, r);
    if (status == NND_OK)
        status = look_up_variable(ctx, model, r->variable, &r->find.variable);
    if (status == NND_OK && r->over_time && !nnd_variable_has_dim(r->find.variable, "t"))
        status =
            nnd_fail(ctx, NND_E_INPUT,
                     "%s does not depend on t, over which --first and --cross seek", r->variable);
    return status == NND_OK ? look_up_variable(ctx, model, r->subject, &r->find.subject) : status;
}

/* Sets the parameter of a case to the lower end of the interval. */
static nnd_status set_low(nnd_context *ctx, const request *r, nnd_value *tree) {
    char text[TEXT_SIZE], where[TEXT_SIZE];
    const nnd_value *given = nnd_value_get(tree, "params");
    nnd_value *params =
        given != NULL && given->kind == NND_VALUE_MAP ? nnd_value_copy(given) : nnd_value_map("");
    nnd_number_text(r->find.low, sizeof text, text);
    snprintf(where, sizeof where, "--param %.60s", r->param);
    if (params != NULL && nnd_value_put(params, r->param, nnd_value_scalar(text, false, where)))
        return nnd_value_put(tree, "params", params) ? NND_OK : nnd_fail_memory(ctx, "the case");
    nnd_value_free(params);
    return nnd_fail_memory(ctx, "the case");
}

/* Reads the case with the parameter set, which it need not give. */
static nnd_status read_case(nnd_context *ctx, const cli_options *options, request *r,
                            nnd_case **c) {
    nnd_value *tree = NULL;
    nnd_status status = cli_read_tree(ctx, options, &tree);
    if (status == NND_OK)
        status = look_up(ctx, tree, r);
    if (status == NND_OK && !r->over_time)
        status = set_low(ctx, r, tree);
    if (status == NND_OK)
        status = cli_resolve(ctx, options, tree, c);
    nnd_value_free(tree);
    return status;
}

/* What is varied: a parameter or time. */
static const char *varied(const request *r) {
    return r->over_time ? "t" : r->param;
}

static bool seeks_divergence(const request *r) {
    return !r->over_time && r->find.goal == NND_FIND_DIVERGENCE;
}

static void print_header(const nnd_case *c, const request *r) {
    for (size_t k = 0; k < c->sweep.keys; k++)
        printf("%s,", c->sweep.dim[k]->name);
    const char *name = r->find.variable != NULL ? r->find.variable->name : "diverged_at";
    printf("%s,%s_uncertainty,%s,%s_se", varied(r), varied(r), name, name);
    if (seeks_divergence(r))
        printf(",%s_gap", varied(r));
    if (r->find.subject != NULL)
        printf(",%s", r->find.subject->name);
    printf(",evaluations\n");
}

/* A number, or nothing where there is none. */
static void print_number(const char *format, double x) {
    if (!isnan(x))
        nnd_print(stdout, format, x);
    fputc(',', stdout);
}

static void print_row(const nnd_case *c, const request *r, size_t point, const nnd_found *found) {
    for (size_t k = 0, stride = c->sweep.points; k < c->sweep.keys; k++) {
        char text[64];
        stride /= c->sweep.dim[k]->length;
        nnd_coord_text(c->sweep.dim[k], point / stride % c->sweep.dim[k]->length, sizeof text,
                       text);
        printf("%s,", text);
    }
    bool nothing = isnan(found->param);
    print_number("%.10g", found->param);
    print_number("%.2g", nothing ? NAN : found->uncertainty);
    print_number("%.10g", nothing ? NAN : found->value);
    print_number("%.2g", nothing ? NAN : found->value_se);
    if (seeks_divergence(r))
        print_number("%.2g", nothing ? NAN : found->gap);
    if (r->find.subject != NULL)
        print_number("%.10g", nothing ? NAN : found->subject);
    printf("%zu\n", found->evaluations);
}

/* Puts the option that is refused before the message of a search. */
static void name_option(nnd_context *ctx, nnd_find_fault fault) {
    static const char *const options[] = {
        [NND_FIND_FAULT_INTERVAL] = "--param ", [NND_FIND_FAULT_AT] = "--at: "};
    char message[MESSAGE_SIZE];
    if (fault == NND_FIND_FAULT_OTHER)
        return;
    snprintf(message, sizeof message, "%s", nnd_context_message(ctx));
    nnd_fail(ctx, NND_E_INPUT, "%s%s", options[fault], message);
}

static nnd_status find_one(nnd_context *ctx, const nnd_case *c, size_t point, const request *r,
                           nnd_found *found) {
    const nnd_find_options *o = &r->find;
    const nnd_first_options first = {.variable = o->variable,
                                     .relation = o->relation,
                                     .level = o->bound,
                                     .coordinates = o->coordinates,
                                     .at = o->at};
    return r->over_time ? nnd_find_first(ctx, c->model, c->params[point], &first, found)
                        : nnd_find(ctx, c->model, c->params[point], o, found);
}

static nnd_status find_all(nnd_context *ctx, const nnd_case *c, const request *r) {
    nnd_status worst = NND_OK;
    size_t points = c->sweep.points, failed = 0;
    for (size_t i = 0; i < points; i++) {
        nnd_found found;
        char name[256];
        nnd_case_point_text(c, i, sizeof name, name);
        nnd_status status = find_one(ctx, c, i, r, &found);
        cli_progress_end();
        if (status < NND_OK) {
            name_option(ctx, found.fault);
            return status;
        }
        if (i == 0)
            print_header(c, r);
        print_row(c, r, i, &found);
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
    request r = {.param = NULL};
    nnd_case *c = NULL;
    nnd_status status = parse(ctx, options, &r);
    if (status == NND_OK)
        status = read_case(ctx, options, &r, &c);
    if (status == NND_OK)
        status = find_all(ctx, c, &r);
    nnd_case_free(c);
    request_clear(&r);
    return cli_exit_code(status);
}
