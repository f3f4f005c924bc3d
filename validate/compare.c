/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
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

static void row_clear(nnd_comparison_row *row) {
    free(row->name);
    free(row->reason);
}

void nnd_comparison_free(nnd_comparison *comparison) {
    if (comparison == NULL)
        return;
    for (size_t i = 0; comparison->row != NULL && i < comparison->count; i++)
        row_clear(&comparison->row[i]);
    free(comparison->row);
    free(comparison->seeds);
    nnd_frame_free(comparison->frame);
    free(comparison);
}

size_t nnd_comparison_count(const nnd_comparison *comparison, nnd_verdict verdict) {
    size_t n = 0;
    for (size_t i = 0; i < comparison->count; i++)
        n += comparison->row[i].verdict == verdict;
    return n;
}

static nnd_status set_attributes(nnd_frame *frame, const nnd_comparison_row *row) {
    const struct {
        const char *key;
        double value;
    } number[] = {{"max_abs_z", row->max_abs_z},
                  {"p", row->p},
                  {"band", row->band},
                  {"off", (double)row->off},
                  {"points", (double)row->points},
                  {"left_out", (double)row->left_out},
                  {"unclaimed", (double)row->unclaimed},
                  {"thinned", (double)row->thinned}};
    char array[TEXT_SIZE];
    nnd_companion_name(row->name, NND_DIFF, sizeof array, array);
    nnd_status status = nnd_frame_set_text(frame, array, "verdict", nnd_verdict_text(row->verdict));
    for (size_t i = 0; status == NND_OK && i < sizeof number / sizeof *number; i++)
        status = nnd_frame_set_number(frame, array, number[i].key, number[i].value);
    if (status == NND_OK && isfinite(row->more_seeds))
        status = nnd_frame_set_number(frame, array, "more_seeds", row->more_seeds);
    if (status == NND_OK && row->reason != NULL)
        status = nnd_frame_set_text(frame, array, NND_REASON, row->reason);
    return status;
}

static const char *forbidden_side(nnd_check_kind check) {
    return check == NND_CHECK_AT_LEAST ? "below" : check == NND_CHECK_AT_MOST ? "above" : NULL;
}

/* How many of the points left out theory does not claim, and why. */
static nnd_status note_unclaimed(const nnd_choice *c, const nnd_pair *pair, size_t unclaimed,
                                 nnd_comparison_row *row) {
    row->unclaimed = unclaimed;
    const nnd_attribute *reason =
        unclaimed > 0 ? nnd_frame_find_attribute(c->theory, pair->min_size->name, NND_REASON)
                      : NULL;
    if (reason == NULL || reason->text == NULL)
        return NND_OK;
    row->reason = strdup(reason->text);
    return row->reason != NULL ? NND_OK : nnd_fail_memory(c->ctx, pair->name);
}

static nnd_status pair_all(const nnd_choice *c, const nnd_compare_options *options,
                           const nnd_frame *influence, nnd_comparison *comparison,
                           nnd_candidate *candidate) {
    nnd_pairing pairing = {.ctx = c->ctx,
                           .side = {c->theory, c->mc},
                           .influence = influence,
                           .seeds = comparison->seeds,
                           .until = options->until,
                           .out = comparison->frame};
    nnd_status status = NND_OK;
    for (size_t v = 0; status == NND_OK && v < c->count; v++) {
        nnd_comparison_row *row = &comparison->row[v];
        candidate[v].pair = &c->pair[v];
        row->forbidden = forbidden_side(c->pair[v].check);
        row->name = strdup(c->pair[v].name);
        if (row->name == NULL)
            status = nnd_fail_memory(c->ctx, c->pair[v].name);
        if (status == NND_OK)
            status = nnd_pairing_add(&pairing, &c->pair[v], &candidate[v].points);
        if (status == NND_OK)
            status = note_unclaimed(c, &c->pair[v], candidate[v].points.unclaimed, row);
        if (status == NND_OK)
            nnd_examine(c->pair[v].check, options->rtol, &candidate[v].points, row);
    }
    nnd_pairing_clear(&pairing);
    return status;
}

/* The null law of every variable, or none if the influences of one of them are not known. */
static nnd_status find_null_laws(const nnd_choice *c, const nnd_simulated *simulated,
                                 nnd_comparison *comparison, nnd_candidate *candidate) {
    nnd_status status = NND_OK;
    for (size_t v = 0; v < c->count; v++)
        comparison->pointwise |= candidate[v].points.columns == 0;
    for (size_t v = 0; status == NND_OK && v < c->count; v++) {
        status = nnd_find_freedom(c, simulated, comparison, &candidate[v]);
        if (status != NND_OK || comparison->pointwise)
            continue;
        candidate[v].maximum = calloc(NND_DRAWS, sizeof(double));
        status = candidate[v].maximum == NULL
                     ? nnd_fail_memory(c->ctx, "a comparison")
                     : nnd_null_maxima(c->ctx, simulated->base_seed, v, candidate[v].freedom,
                                       &candidate[v].points, candidate[v].maximum);
    }
    return status;
}

static nnd_status annotate(const nnd_compare_options *options, nnd_comparison *comparison) {
    nnd_frame *frame = comparison->frame;
    nnd_status status =
        nnd_frame_set_text(frame, NULL, "rule",
                           comparison->pointwise ? "points by Student's t, Bonferroni"
                                                 : "largest z, multiplier bootstrap, step-down");
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "alpha", options->alpha);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "critical_z", comparison->critical);
    for (size_t v = 0; status == NND_OK && v < comparison->count; v++)
        status = set_attributes(frame, &comparison->row[v]);
    return status;
}

/* Pairs the points of the variables chosen; the candidates are to be freed on failure, too. */
static nnd_status begin(const nnd_choice *c, const nnd_compare_options *options,
                        const nnd_simulated *simulated, nnd_comparison *comparison,
                        nnd_candidate **candidate) {
    *candidate = calloc(c->count, sizeof **candidate);
    comparison->row = calloc(c->count, sizeof *comparison->row);
    comparison->count = c->count;
    nnd_status status = NND_OK;
    if (comparison->row == NULL || *candidate == NULL)
        status = nnd_fail_memory(c->ctx, "a comparison");
    if (status == NND_OK)
        status = nnd_frame_new(c->ctx, &comparison->frame);
    if (status == NND_OK)
        status = nnd_find_seeds(c->ctx, simulated, comparison);
    if (status == NND_OK)
        status = pair_all(c, options, simulated->influence, comparison, *candidate);
    return status;
}

static void free_candidates(const nnd_choice *c, nnd_candidate *candidate) {
    for (size_t v = 0; candidate != NULL && v < c->count; v++) {
        nnd_points_clear(&candidate[v].points);
        free(candidate[v].maximum);
    }
    free(candidate);
}

static nnd_status compare_all(const nnd_choice *c, const nnd_compare_options *options,
                              const nnd_simulated *simulated, nnd_comparison *comparison) {
    nnd_candidate *candidate = NULL;
    nnd_status status = begin(c, options, simulated, comparison, &candidate);
    if (status == NND_OK)
        status = find_null_laws(c, simulated, comparison, candidate);
    if (status == NND_OK)
        status = nnd_judge(c->ctx, options, candidate, comparison);
    if (status == NND_OK)
        status = annotate(options, comparison);
    free_candidates(c, candidate);
    return status;
}

nnd_status nnd_compare(nnd_context *ctx, const nnd_model *model, const nnd_compare_options *options,
                       const nnd_frame *theory, const nnd_simulated *simulated,
                       nnd_comparison **comparison) {
    nnd_choice c = {.ctx = ctx, .model = model, .theory = theory, .mc = simulated->mc};
    nnd_comparison *made = NULL;
    nnd_status status = nnd_params_check(ctx, &nnd_compare_table, options, "compare");
    if (status == NND_OK)
        status = nnd_choose_variables(&c, &options->vars);
    if (status == NND_OK) {
        made = calloc(1, sizeof *made);
        status = made == NULL ? nnd_fail_memory(ctx, "a comparison")
                              : compare_all(&c, options, simulated, made);
    }
    free(c.pair);
    if (status != NND_OK) {
        nnd_comparison_free(made);
        return status;
    }
    *comparison = made;
    return NND_OK;
}

/* ---- detection ---- */

/* Largest deviation of the wrong theory in error bars. The x_theory of both comparisons stand at
 * the same points. */
static double strength(const nnd_frame *frame, const nnd_candidate *v, double rtol) {
    const nnd_array *right = nnd_companion(frame, v->pair->name, NND_THEORY);
    const nnd_array *z = nnd_companion(frame, v->pair->name, NND_Z);
    const nnd_points *p = &v->points;
    double strongest = 0.0;
    if (right == NULL || z == NULL || right->count != p->count)
        return 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double tau = nnd_point_tolerance(rtol, p, i) * p->scale[i];
        if (p->judged[i] && isfinite(z->data[i]) && p->se[i] > 0.0)
            strongest = fmax(strongest, (fabs(p->theory[i] - right->data[i]) - tau) / p->se[i]);
    }
    return strongest;
}

/* The variable that deviates most, of those compared before; 0 if none does. */
static double find_strongest(const nnd_choice *c, const nnd_candidate *candidate, double rtol,
                             const nnd_comparison *comparison, const char **name) {
    double strongest = 0.0;
    for (size_t v = 0; v < c->count; v++) {
        double z = strength(comparison->frame, &candidate[v], rtol);
        if (z <= strongest)
            continue;
        strongest = z;
        for (size_t i = 0; i < comparison->count; i++)
            if (strcmp(comparison->row[i].name, c->pair[v].name) == 0)
                *name = comparison->row[i].name;
    }
    return strongest;
}

nnd_status nnd_detect(nnd_context *ctx, const nnd_model *model, const nnd_compare_options *options,
                      const nnd_frame *wrong, const nnd_simulated *simulated,
                      const nnd_comparison *comparison, nnd_detection *detection) {
    nnd_choice c = {.ctx = ctx, .model = model, .theory = wrong, .mc = simulated->mc};
    nnd_comparison *other = calloc(1, sizeof *other);
    nnd_candidate *candidate = NULL;
    double strongest = 0.0;
    *detection = (nnd_detection){INFINITY, NULL};
    nnd_status status = other == NULL ? nnd_fail_memory(ctx, "a comparison")
                                      : nnd_choose_variables(&c, &options->vars);
    if (status == NND_OK)
        status = begin(&c, options, simulated, other, &candidate);
    if (status == NND_OK)
        strongest = find_strongest(&c, candidate, options->rtol, comparison, &detection->name);
    if (strongest > 0.0) {
        double ratio = (comparison->critical + 1.645) / strongest;
        detection->more_seeds = fmax(1.5 * ratio * ratio, nnd_least_more_seeds(simulated, other));
    }
    free_candidates(&c, candidate);
    free(c.pair);
    nnd_comparison_free(other);
    return status;
}
