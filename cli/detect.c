/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --detect KEY=FACTOR: how many seeds would notice that a parameter is wrong by this factor. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { TEXT_SIZE = 256 };

/* What is to be changed: a parameter, and by which factor. */
typedef struct {
    char key[TEXT_SIZE];
    double factor;
} change;

static nnd_status read_change(nnd_context *ctx, const char *text, change *c) {
    static const char prefix[] = "params.";
    size_t skip = strncmp(text, prefix, sizeof prefix - 1) == 0 ? sizeof prefix - 1 : 0;
    const char *equals = strrchr(text, '=');
    nnd_value *number = equals != NULL ? nnd_value_scalar(equals + 1, false, "") : NULL;
    bool ok = number != NULL && nnd_value_number(number, &c->factor) && isfinite(c->factor) &&
              c->factor > 0.0 && c->factor != 1.0;
    nnd_value_free(number);
    size_t length = ok ? (size_t)(equals - text) : 0;
    if (!ok || length <= skip || length - skip >= TEXT_SIZE)
        return nnd_fail(ctx, NND_E_INPUT,
                        "--detect %s: is not KEY=FACTOR with a parameter and a number > 0, not 1",
                        text);
    memcpy(c->key, text + skip, length - skip);
    c->key[length - skip] = '\0';
    return NND_OK;
}

/* The value, or every value of a list, times the factor; NULL if one of them is no finite number.
 */
static nnd_value *scaled(const nnd_value *value, double factor) {
    double x;
    char text[64];
    if (value->kind == NND_VALUE_SCALAR) {
        if (!nnd_value_number(value, &x) || !isfinite(x))
            return NULL;
        nnd_number_text(factor * x, sizeof text, text);
        return nnd_value_scalar(text, false, "--detect");
    }
    nnd_value *list = value->kind == NND_VALUE_LIST ? nnd_value_list("--detect") : NULL;
    for (size_t i = 0; list != NULL && i < value->count; i++)
        if (!nnd_value_append(list, scaled(value->item[i], factor))) {
            nnd_value_free(list);
            return NULL;
        }
    return list;
}

static nnd_value *child(const nnd_value *map, const char *key) {
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->key[i], key) == 0)
            return map->item[i];
    return NULL;
}

/* The group in which a dotted key such as "features.power_law" stands; `*key` becomes its last
 * part. NULL if there is none. */
static nnd_value *group_of(nnd_value *map, const char **key) {
    char part[TEXT_SIZE];
    for (const char *dot; map != NULL && (dot = strchr(*key, '.')) != NULL; *key = dot + 1) {
        snprintf(part, sizeof part, "%.*s", (int)(dot - *key), *key);
        map = child(map, part);
        map = map != NULL && map->kind == NND_VALUE_MAP ? map : NULL;
    }
    return map;
}

/* Changes the parameter where it stands, among the parameters or the sweep. */
static nnd_status apply(nnd_context *ctx, nnd_value *tree, const change *c) {
    static const char *const sections[] = {"params", "sweep"};
    for (size_t i = 0; i < 2; i++) {
        const char *key = c->key;
        nnd_value *group = group_of(child(tree, sections[i]), &key);
        const nnd_value *value = nnd_value_get(group, key);
        if (value == NULL)
            continue;
        nnd_value *changed = scaled(value, c->factor);
        if (changed != NULL && nnd_value_put(group, key, changed))
            return NND_OK;
        return nnd_fail(ctx, NND_E_INPUT, "--detect %s: the parameter is not a finite number",
                        c->key);
    }
    return nnd_fail(ctx, NND_E_INPUT, "--detect %s: the case has no such parameter", c->key);
}

/* A wrong theory belongs to the points of the right one: a sweep keeps its coordinates. */
static void keep_coordinates(const nnd_frame *wrong, const nnd_frame *theory, const char *key) {
    const nnd_dim *to = nnd_frame_find_dim(wrong, key), *from = nnd_frame_find_dim(theory, key);
    if (to != NULL && from != NULL && to->length == from->length && from->value != NULL)
        memcpy(to->value, from->value, to->length * sizeof *to->value);
}

static nnd_status solve(nnd_context *ctx, const cli_options *options, const nnd_value *tree,
                        nnd_frame **wrong) {
    nnd_case *c = NULL;
    nnd_status status = cli_resolve(ctx, options, tree, &c);
    if (status == NND_OK)
        status = nnd_theory_run(ctx, c, NULL, wrong);
    cli_progress_end();
    nnd_case_free(c);
    return status < NND_OK ? status : NND_OK;
}

static nnd_status detect(nnd_context *ctx, const cli_options *options, const char *text,
                         const cli_compared *compared) {
    change c;
    char name[2 * TEXT_SIZE];
    nnd_frame *wrong = NULL;
    nnd_detection detection;
    nnd_value *tree = nnd_value_copy(compared->tree);
    nnd_status status = tree == NULL ? nnd_fail_memory(ctx, "the case") : NND_OK;
    if (status == NND_OK)
        status = read_change(ctx, text, &c);
    if (status == NND_OK)
        status = apply(ctx, tree, &c);
    if (status == NND_OK)
        status = solve(ctx, options, tree, &wrong);
    if (status == NND_OK) {
        keep_coordinates(wrong, compared->theory, c.key);
        nnd_format(name, sizeof name, "%s times %g", c.key, c.factor);
        status = nnd_detect(ctx, compared->model, compared->options, wrong, &compared->simulated,
                            compared->comparison, &detection);
    }
    if (status == NND_OK)
        nnd_report_detection(compared->comparison, &detection, name, stdout);
    nnd_frame_free(wrong);
    nnd_value_free(tree);
    return status;
}

nnd_status cli_detect(nnd_context *ctx, const cli_options *options, const cli_compared *compared) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < options->detect.count; i++)
        status = detect(ctx, options, options->detect.value[i], compared);
    return status;
}

nnd_status cli_check_detect(nnd_context *ctx, const cli_options *options, const nnd_value *tree) {
    nnd_status status = NND_OK;
    if (options->detect.count > 0 && nnd_context_ranks(ctx) > 1)
        return nnd_fail(ctx, NND_E_INPUT,
                        "--detect: runs in one process; use `nndmft validate` afterwards");
    for (size_t i = 0; status == NND_OK && i < options->detect.count; i++) {
        change c;
        nnd_value *copy = nnd_value_copy(tree);
        status = copy == NULL ? nnd_fail_memory(ctx, "the case") : NND_OK;
        if (status == NND_OK)
            status = read_change(ctx, options->detect.value[i], &c);
        if (status == NND_OK)
            status = apply(ctx, copy, &c);
        nnd_value_free(copy);
    }
    return status;
}
