/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/alignment_data.h"

#include <math.h>

#include "core/companion.h"
#include "theory/alignment_claims.h"
#include "theory/alignment_rare.h"
#include "theory/claims.h"

#define NOT_NORMAL "inputs are not normal (`kurtosis`), and what that changes is not small"
#define NOT_KNOWN                                                                                  \
    "inputs are not normal (`kurtosis`); what that changes is known of ridge without input_noise"
#define UNSEEN "samples may lack a direction of the inputs that few rows have"
#define FEW    "too few samples, or too near the threshold, for means over samples to be the limit's"

nnd_status nnd_alignment_ridge(nnd_context *ctx, int tails, const nnd_alignment_problem *x,
                               double lambda, nnd_pair_overlaps *o) {
    if (tails == NND_TAILS_GAUSSIAN) {
        nnd_pair_ridge(&x->modes, &x->pair, lambda, o);
        return NND_OK;
    }
    nnd_input_squares inputs = {x->rows.rows, x->rows.square, x->rows.excess};
    return nnd_pair_ridge_uneven(ctx, &x->modes, &x->pair, &inputs, lambda, o);
}

/* ---- claims ---- */

/* Takes back the claims of a variable at all times. */
static nnd_status unclaim(nnd_frame *frame, const char *name, const char *reason) {
    const nnd_array *claim = nnd_companion(frame, name, NND_MIN_SIZE);
    if (claim == NULL)
        return NND_OK;
    for (size_t i = 0; i < claim->count; i++)
        claim->data[i] = INFINITY;
    return nnd_claim_reason(frame, name, reason);
}

static nnd_status unclaim_all(nnd_frame *frame, const char *reason) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < nnd_alignment_model.variable_count; i++)
        status = unclaim(frame, nnd_alignment_model.variables[i].name, reason);
    return status;
}

/* What the inputs' squares change is, to first order, what normal inputs leave out; its square is
 * what the squares leave out themselves: alignment.md#s10-2. */
static nnd_status unclaim_change(nnd_frame *frame, int tails, const char *name, double normal,
                                 double uneven) {
    double change = fabs(uneven / normal - 1.0);
    if (nnd_alignment_is_negligible(tails == NND_TAILS_MEASURED ? change * change : change, 1.0))
        return NND_OK;
    return unclaim(frame, name, NOT_NORMAL);
}

static nnd_status compare_inputs(const nnd_alignment *p, const nnd_pair_overlaps *a,
                                 const nnd_pair_overlaps *b, nnd_frame *frame) {
    int k = p->metric == NND_METRIC_SIGMA ? 1 : 0;
    const struct {
        const char *name;
        double normal, uneven;
    } all[] = {
        {"cosine", a->cosine[k], b->cosine[k]},
        {"cka", a->cosine[1] * a->cosine[1], b->cosine[1] * b->cosine[1]},
        {"cka_probe", a->cosine[1] * a->cosine[1], b->cosine[1] * b->cosine[1]},
        {"signal", a->cross[k], b->cross[k]},
        {"noise", a->self[k] - a->cross[k], b->self[k] - b->cross[k]},
        {"teacher_overlap", a->teacher[k], b->teacher[k]},
        {"teacher_cosine", a->teacher[k] / sqrt(a->self[k]), b->teacher[k] / sqrt(b->self[k])},
        {"gen_error", a->gen_error, b->gen_error},
        {"train_error", a->train_error, b->train_error},
    };
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < sizeof all / sizeof *all; i++)
        status = unclaim_change(frame, p->tails, all[i].name, all[i].normal, all[i].uneven);
    return status;
}

/* Means of noise over samples are larger than in the limit by 1/(P (1 - gamma)), the exact
 * 1/(P - D - 1) of normal inputs in leading order: alignment.md#s10-2. */
static bool has_enough_samples(const nnd_alignment_problem *x, double kappa) {
    double gamma = 0.0;
    for (size_t i = 0; i < x->modes.count; i++) {
        double part = x->modes.eigenvalue[i] / (x->modes.eigenvalue[i] + kappa);
        gamma += part * part;
    }
    double left = x->pair.samples - gamma;
    return left > 0.0 && nnd_alignment_is_negligible(1.0 / left, 1.0);
}

/* Directions that few rows have: alignment.md#s10-2. */
static nnd_status unclaim_unseen(nnd_context *ctx, const nnd_alignment_problem *x, double kappa,
                                 nnd_frame *frame) {
    double samples = x->pair.samples, noise;
    if (!nnd_alignment_is_negligible(nnd_alignment_unseen(&x->rows, samples, kappa), 1.0))
        return unclaim_all(frame, UNSEEN);
    nnd_status status = nnd_alignment_rare_noise(ctx, &x->rows, samples, kappa, &noise);
    return status == NND_OK && !nnd_alignment_is_negligible(noise, 1.0) ? unclaim_all(frame, UNSEEN)
                                                                        : status;
}

static nnd_status ridge_claims(nnd_context *ctx, const nnd_alignment *p,
                               const nnd_alignment_problem *x, nnd_frame *frame) {
    nnd_pair_overlaps normal, uneven;
    nnd_status status = nnd_alignment_ridge(ctx, NND_TAILS_GAUSSIAN, x, p->ridge, &normal);
    if (status == NND_OK)
        status = nnd_alignment_ridge(ctx, NND_TAILS_MEASURED, x, p->ridge, &uneven);
    if (status == NND_NOT_CONVERGED)
        return unclaim_all(frame, FEW);
    if (status == NND_OK)
        status = compare_inputs(p, &normal, &uneven, frame);
    if (status != NND_OK)
        return status;
    return has_enough_samples(x, normal.kappa) ? unclaim_unseen(ctx, x, normal.kappa, frame)
                                               : unclaim_all(frame, FEW);
}

nnd_status nnd_alignment_data_claims(nnd_context *ctx, const nnd_alignment *p,
                                     const nnd_alignment_problem *x, nnd_frame *frame) {
    const nnd_array *found = nnd_frame_find(frame, "kappa");
    double kappa = found != NULL && isfinite(found->data[0]) ? found->data[0] : 0.0;
    nnd_status status = nnd_frame_add_number(frame, &nnd_alignment_model, "residual", x->residual);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, &nnd_alignment_model, "kurtosis",
                                      nnd_alignment_kurtosis(&x->rows, kappa));
    if (status != NND_OK)
        return status;
    bool known = p->training == NND_ALIGN_RIDGE && p->input_noise == 0.0;
    return known ? ridge_claims(ctx, p, x, frame) : unclaim_all(frame, NOT_KNOWN);
}
