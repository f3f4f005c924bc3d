/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "validate/compare_impl.h"

enum { TEXT_SIZE = 512 };

const char *nnd_verdict_text(nnd_verdict verdict) {
    switch (verdict) {
    case NND_AGREES:
        return "agrees";
    case NND_INCONCLUSIVE:
        return "inconclusive";
    case NND_DISAGREES:
        return "disagrees";
    }
    return "unknown";
}

void nnd_comparison_free(nnd_comparison *comparison) {
    if (comparison == NULL)
        return;
    for (size_t i = 0; i < comparison->count; i++)
        free(comparison->row[i].name);
    free(comparison->row);
    nnd_frame_free(comparison->frame);
    free(comparison);
}

size_t nnd_comparison_count(const nnd_comparison *comparison, nnd_verdict verdict) {
    size_t n = 0;
    for (size_t i = 0; i < comparison->count; i++)
        n += comparison->row[i].verdict == verdict;
    return n;
}

/* The variables that will be compared. */
typedef struct {
    nnd_context *ctx;
    const nnd_model *model;
    const nnd_frame *theory, *mc;
    size_t count;
    nnd_pair *pair;
} choice;

static bool ends_with(const char *name, const char *ending) {
    size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

static bool is_bookkeeping(const char *name) {
    return ends_with(name, "_se") || ends_with(name, "_min_size") || strcmp(name, "status") == 0 ||
           strcmp(name, "diverged_fraction") == 0 || strcmp(name, "diverged_at") == 0;
}

static const nnd_array *find_companion(const nnd_frame *frame, const char *name,
                                       const char *suffix) {
    char text[TEXT_SIZE];
    snprintf(text, sizeof text, "%s%s", name, suffix);
    return nnd_frame_find(frame, text);
}

/* Fails naming what is missing from a frame and what there is. */
static nnd_status fail_missing(nnd_context *ctx, const char *name, const char *missing,
                               const char *side, const nnd_frame *frame) {
    char there[TEXT_SIZE] = "";
    size_t used = 0;
    for (size_t i = 0; i < nnd_frame_array_count(frame) && used < sizeof there; i++) {
        const char *other = nnd_frame_array(frame, i)->name;
        if (!is_bookkeeping(other))
            used += (size_t)snprintf(there + used, sizeof there - used, "%s%s",
                                     used == 0 ? "" : ", ", other);
    }
    return nnd_fail(ctx, NND_E_INPUT, "%s cannot be compared: %s has no %s; it has %s", name, side,
                    missing, used > 0 ? there : "nothing");
}

/* Completes the theory side of a pair; leaves `theory` NULL and `*found` false if it is absent. */
static void find_theory(const choice *c, const nnd_check *check, const char *reference,
                        nnd_pair *pair, bool *found) {
    pair->theory = nnd_frame_find(c->theory, reference);
    pair->theory_se = find_companion(c->theory, reference, "_se");
    pair->min_size = find_companion(c->theory, pair->name, "_min_size");
    *found = pair->theory != NULL;
    if (*found || !pair->broadcast)
        return;
    char *end;
    pair->bound = strtod(check->bound, &end);
    *found = end != check->bound && *end == '\0';
}

/* Finds both sides of a variable. What is missing is an error if the variable was asked for by
 * name; otherwise the variable is passed over. */
static nnd_status find_pair(const choice *c, const char *name, bool named, nnd_pair *pair,
                            bool *found) {
    static const nnd_check equal = {NND_CHECK_EQUAL, NULL};
    const nnd_variable *variable = c->model != NULL ? nnd_model_variable(c->model, name) : NULL;
    const nnd_check *check = variable != NULL ? &variable->check : &equal;
    *found = false;
    if (is_bookkeeping(name))
        return named
                   ? nnd_fail(c->ctx, NND_E_INPUT, "%s is bookkeeping, it is never compared", name)
                   : NND_OK;
    if (check->kind == NND_CHECK_NONE) {
        if (!named)
            return NND_OK;
        check = &equal;
    }
    *pair = (nnd_pair){.name = name,
                       .check = check->kind,
                       .mc = nnd_frame_find(c->mc, name),
                       .mc_se = find_companion(c->mc, name, "_se"),
                       .broadcast = check->kind != NND_CHECK_EQUAL && check->bound != NULL};
    const char *reference = pair->broadcast ? check->bound : name;
    bool in_theory;
    find_theory(c, check, reference, pair, &in_theory);
    *found = pair->mc != NULL && pair->mc_se != NULL && in_theory;
    if (*found || !named)
        return NND_OK;
    if (!in_theory)
        return fail_missing(c->ctx, name, reference, "theory", c->theory);
    char error[TEXT_SIZE];
    snprintf(error, sizeof error, "standard error %s_se", name);
    return fail_missing(c->ctx, name, pair->mc == NULL ? name : error, "the simulation", c->mc);
}

static nnd_status choose(choice *c, const char *name, bool named) {
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->pair[i].name, name) == 0)
            return NND_OK;
    bool found;
    nnd_status status = find_pair(c, name, named, &c->pair[c->count], &found);
    c->count += status == NND_OK && found;
    return status;
}

/* Those asked for; or all, in the order of theory, then those of the simulation for which theory
 * has only a bound. */
static nnd_status choose_all(choice *c, const nnd_texts *vars) {
    size_t in_theory = nnd_frame_array_count(c->theory), in_mc = nnd_frame_array_count(c->mc);
    c->pair = calloc(vars->count + in_theory + in_mc + 1, sizeof *c->pair);
    if (c->pair == NULL)
        return nnd_fail_memory(c->ctx, "a comparison");
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < vars->count; i++)
        status = choose(c, vars->value[i], true);
    for (size_t i = 0; status == NND_OK && vars->count == 0 && i < in_theory; i++)
        status = choose(c, nnd_frame_array(c->theory, i)->name, false);
    for (size_t i = 0; status == NND_OK && vars->count == 0 && i < in_mc; i++)
        status = choose(c, nnd_frame_array(c->mc, i)->name, false);
    if (status == NND_OK && c->count == 0)
        status = nnd_fail(c->ctx, NND_E_INPUT,
                          "theory and simulation have no variable in common to compare");
    return status;
}

static nnd_status set_attributes(nnd_frame *frame, const nnd_comparison_row *row) {
    const struct {
        const char *key;
        double value;
    } number[] = {{"max_abs_z", row->max_abs_z},
                  {"off", (double)row->off},
                  {"left_out", (double)row->left_out},
                  {"points", (double)row->points}};
    char array[TEXT_SIZE];
    snprintf(array, sizeof array, "%s_diff", row->name);
    nnd_status status = nnd_frame_set_text(frame, array, "verdict", nnd_verdict_text(row->verdict));
    for (size_t i = 0; status == NND_OK && i < sizeof number / sizeof *number; i++)
        status = nnd_frame_set_number(frame, array, number[i].key, number[i].value);
    return status;
}

static nnd_status compare_pair(nnd_pairing *pairing, const nnd_pair *pair, double rtol,
                               nnd_comparison *comparison) {
    nnd_points points;
    nnd_status status = nnd_pairing_add(pairing, pair, &points);
    if (status != NND_OK)
        return status;
    nnd_comparison_row row = {.name = strdup(pair->name)};
    if (row.name == NULL)
        return nnd_fail_memory(pairing->ctx, pair->name);
    status = nnd_judge(pairing->ctx, pair->check, rtol, &points, &row);
    if (status == NND_OK)
        status = set_attributes(pairing->out, &row);
    comparison->row[comparison->count++] = row;
    return status;
}

static nnd_status compare_all(const choice *c, const nnd_compare_options *options,
                              nnd_comparison *comparison) {
    comparison->row = calloc(c->count, sizeof *comparison->row);
    if (comparison->row == NULL)
        return nnd_fail_memory(c->ctx, "a comparison");
    nnd_pairing pairing = {.ctx = c->ctx, .side = {c->theory, c->mc}, .until = options->until};
    nnd_status status = nnd_frame_new(c->ctx, &comparison->frame);
    pairing.out = comparison->frame;
    for (size_t i = 0; status == NND_OK && i < c->count; i++)
        status = compare_pair(&pairing, &c->pair[i], options->rtol, comparison);
    nnd_pairing_clear(&pairing);
    return status;
}

nnd_status nnd_compare(nnd_context *ctx, const nnd_model *model, const nnd_compare_options *options,
                       const nnd_frame *theory, const nnd_frame *mc, nnd_comparison **comparison) {
    choice c = {.ctx = ctx, .model = model, .theory = theory, .mc = mc};
    nnd_comparison *made = NULL;
    nnd_status status = choose_all(&c, &options->vars);
    if (status == NND_OK) {
        made = calloc(1, sizeof *made);
        status =
            made == NULL ? nnd_fail_memory(ctx, "a comparison") : compare_all(&c, options, made);
    }
    free(c.pair);
    if (status != NND_OK) {
        nnd_comparison_free(made);
        return status;
    }
    *comparison = made;
    return NND_OK;
}
