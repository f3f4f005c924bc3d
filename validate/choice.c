/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which variables are compared, and with what. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/text.h"
#include "nndmft/number.h"
#include "validate/compare_impl.h"

enum { TEXT_SIZE = 512 };

static bool is_bookkeeping(const char *name) {
    return nnd_companion_of(name, NND_SE) > 0 || nnd_companion_of(name, NND_MIN_SIZE) > 0 ||
           nnd_is_account(name);
}

/* Fails naming what is missing from a frame and what there is. */
static nnd_status fail_missing(nnd_context *ctx, const char *name, const char *missing,
                               const char *side, const nnd_frame *frame) {
    char there[TEXT_SIZE];
    nnd_text list = nnd_text_in(sizeof there, there);
    for (size_t i = 0; i < nnd_frame_array_count(frame); i++) {
        const char *other = nnd_frame_array(frame, i)->name;
        if (!is_bookkeeping(other))
            nnd_text_item(&list, ", ", "%s", other);
    }
    return nnd_fail(ctx, NND_E_INPUT, "%s cannot be compared: %s has no %s; it has %s", name, side,
                    missing, list.items > 0 ? there : "nothing");
}

/* Completes the theory side of a pair; leaves `theory` NULL and `*found` false if it is absent. */
static void find_theory(const nnd_choice *c, const nnd_check *check, const char *reference,
                        nnd_pair *pair, bool *found) {
    pair->theory = nnd_frame_find(c->theory, reference);
    pair->theory_se = nnd_companion(c->theory, reference, NND_SE);
    pair->min_size = nnd_companion(c->theory, pair->name, NND_MIN_SIZE);
    *found = pair->theory != NULL;
    if (*found || !pair->broadcast)
        return;
    *found = nnd_number_read(check->bound, &pair->bound);
}

/* See nnd_pair; of a variable listed over sizes that of the one it lists. */
static double quadratic(const nnd_model *model, const nnd_variable *v) {
    switch (v->estimator.kind) {
    case NND_NVAR:
    case NND_NCOV:
        return 1.0;
    case NND_SD:
        return 0.25;
    case NND_AT_SIZES:
        return quadratic(model, nnd_model_variable(model, v->estimator.a));
    case NND_MEAN:
    case NND_RATIO:
    case NND_ENSEMBLE:
    case NND_SLOPE:
        break;
    }
    return 0.0;
}

/* Finds both sides of a variable. What is missing is an error if the variable was asked for by
 * name; otherwise the variable is passed over. */
static nnd_status find_pair(const nnd_choice *c, const char *name, bool named, nnd_pair *pair,
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
                       .mc_se = nnd_companion(c->mc, name, NND_SE),
                       .quadratic = variable != NULL ? quadratic(c->model, variable) : 0.0,
                       .unsized = c->model != NULL && c->model->size_optional ? 1.0 : DBL_MAX,
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
    snprintf(error, sizeof error, "standard error %s" NND_SE, name);
    return fail_missing(c->ctx, name, pair->mc == NULL ? name : error, "the simulation", c->mc);
}

static nnd_status choose(nnd_choice *c, const char *name, bool named) {
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->pair[i].name, name) == 0)
            return NND_OK;
    bool found;
    nnd_status status = find_pair(c, name, named, &c->pair[c->count], &found);
    c->count += status == NND_OK && found;
    return status;
}

static nnd_status check_sizes(const nnd_choice *c) {
    const nnd_dim *size = nnd_frame_find_dim(c->mc, "size");
    for (size_t i = 0; size != NULL && size->value != NULL && i < size->length; i++)
        if (!(size->value[i] > 0.0 && isfinite(size->value[i])))
            return nnd_fail(c->ctx, NND_E_INPUT, "the simulation has a size %g; sizes are > 0",
                            size->value[i]);
    return NND_OK;
}

/* Those asked for; or all, in the order of theory, then those of the simulation for which theory
 * has only a bound. */
nnd_status nnd_choose_variables(nnd_choice *c, const nnd_texts *vars) {
    size_t in_theory = nnd_frame_array_count(c->theory), in_mc = nnd_frame_array_count(c->mc);
    c->pair = calloc(vars->count + in_theory + in_mc + 1, sizeof *c->pair);
    if (c->pair == NULL)
        return nnd_fail_memory(c->ctx, "a comparison");
    nnd_status status = check_sizes(c);
    for (size_t i = 0; status == NND_OK && i < vars->count; i++)
        status = choose(c, vars->value[i], true);
    for (size_t i = 0; status == NND_OK && vars->count == 0 && i < in_theory; i++)
        status = choose(c, nnd_frame_array(c->theory, i)->name, false);
    for (size_t i = 0; status == NND_OK && vars->count == 0 && i < in_mc; i++)
        status = choose(c, nnd_frame_array(c->mc, i)->name, false);
    if (status == NND_OK && c->count == 0)
        status = nnd_fail(c->ctx, NND_E_INPUT,
                          "theory and simulation have no variable in common to compare (of a "
                          "variable x the simulation has x and its standard error x" NND_SE ")");
    return status;
}
