/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trajectories of aligned layers: the map flat-minima.md#eq8 of gradient descent, or balanced flow,
 * flat-minima.md#eq5. Both are states (b, s) of the same rank-one network, whose whole Hessian
 * gives the sharpness along the way. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/divergence.h"
#include "nndmft/solvers/aligned_layers.h"
#include "nndmft/solvers/ode.h"
#include "theory/flat_minima_hessian.h"
#include "theory/flat_minima_path.h"
#include "theory/shortfall.h"

typedef struct {
    nnd_context *ctx;
    const nnd_flat_minima *params;
    nnd_reals times;
    nnd_aligned state;
    const nnd_dataset *set;
    nnd_flat_hessian hessian;
    double *sharpness, *least, *leading, *leading_se, *loss, *test_loss, *gap, *distance2, *trace;
    double *norm, *ratio, *alignment;
    double first_loss;
    size_t recorded;
    nnd_status converged; /* of Lanczos */
    nnd_frame *frame;
} path;

bool nnd_flat_minima_has_path(const nnd_flat_minima *p) {
    return nnd_flat_minima_is_linear(p) && p->init == NND_FLAT_ALIGNED && nnd_flat_minima_trains(p);
}

/* b = length * direction of w0, s = init_scale; or balanced with |w| = |w0|. */
static void set_start(const nnd_flat_minima *p, nnd_aligned *a) {
    int d = (int)a->loss->dim;
    for (int i = 0; i < d; i++)
        a->b[i] = p->w0.count > 0 ? p->w0.value[i] : 1.0;
    double scale = nnd_flat_minima_start(p);
    cblas_dscal(d, scale / cblas_dnrm2(d, a->b, 1), a->b, 1);
    if (p->depth > 1)
        a->s = scale;
}

static nnd_status add_dims(path *r, nnd_frame *frame) {
    bool flow = r->params->integrator == NND_GRADIENT_FLOW;
    nnd_status status = nnd_frame_add_dim(frame, "t", flow ? NND_COORD_REAL : NND_COORD_INTEGER,
                                          r->times.count, r->times.value);
    if (status == NND_OK)
        status = nnd_frame_add_range(frame, "layer", (size_t)r->params->depth, 1.0);
    if (status == NND_OK && r->params->eigenvalues > 0)
        status = nnd_frame_add_range(frame, "k", (size_t)r->params->eigenvalues, 1.0);
    return status;
}

static nnd_status add_arrays(path *r, nnd_frame *frame) {
    bool listed = r->params->eigenvalues > 0, tested = r->set->tests > 0;
    const struct {
        const char *name;
        double **data;
        bool wanted;
    } arrays[] = {
        {"sharpness", &r->sharpness, true},
        {"sharpness_least", &r->least, true},
        {"sharpness_k", &r->leading, listed},
        {"sharpness_k" NND_SE, &r->leading_se, listed},
        {"loss", &r->loss, true},
        {"test_loss", &r->test_loss, tested},
        {"gap", &r->gap, tested},
        {"distance2", &r->distance2, true},
        {"trace", &r->trace, true},
        {"layer_norm", &r->norm, true},
        {"layer_rank_ratio", &r->ratio, true},
        {"layer_alignment", &r->alignment, true},
    };
    nnd_status status = add_dims(r, frame);
    for (size_t i = 0; status == NND_OK && i < sizeof arrays / sizeof *arrays; i++)
        if (arrays[i].wanted)
            status = nnd_frame_add_variable(frame, &nnd_flat_minima_model, arrays[i].name,
                                            arrays[i].data);
    return status;
}

static void record_tests(path *r, size_t i) {
    const nnd_dataset *set = r->set;
    const double *x = set->inputs + set->samples * set->dim;
    double sum = 0.0;
    for (size_t mu = 0; mu < set->tests; mu++) {
        double f = cblas_ddot((int)set->dim, x + mu * set->dim, 1, r->state.w, 1);
        sum += (set->test_targets[mu] - f) * (set->test_targets[mu] - f);
    }
    r->test_loss[i] = sum / (double)set->tests;
    r->gap[i] = r->test_loss[i] - r->loss[i];
}

/* Writes the evaluated state down as the next record. */
static nnd_status record(path *r) {
    const nnd_aligned *a = &r->state;
    size_t i = r->recorded++, depth = a->depth, listed = (size_t)r->params->eigenvalues;
    nnd_status status = nnd_flat_hessian_find(&r->hessian, a->b, a->s);
    if (status < NND_OK)
        return status;
    if (status > NND_OK)
        r->converged = status;
    r->sharpness[i] = r->hessian.leading[0];
    r->least[i] = r->hessian.least;
    for (size_t k = 0; k < listed; k++) {
        r->leading[i * listed + k] = r->hessian.leading[k];
        r->leading_se[i * listed + k] = r->hessian.error;
    }
    r->loss[i] = nnd_quadratic_loss(a->loss, a->w);
    if (r->set->tests > 0)
        record_tests(r, i);
    r->distance2[i] = nnd_quadratic_distance2(a->loss, a->w);
    r->trace[i] = nnd_aligned_trace(a);
    for (size_t k = 0; k < depth; k++) {
        r->norm[i * depth + k] = k == 0 ? cblas_dnrm2((int)a->loss->dim, a->b, 1) : fabs(a->s);
        r->ratio[i * depth + k] = 0.0;
        r->alignment[i * depth + k] = 1.0;
    }
    return NND_OK;
}

/* ---- gradient descent ---- */

/* The mean square of the targets is the loss at w = 0. */
static double limit_of(path *r) {
    const nnd_quadratic *q = r->state.loss;
    double target = q->floor;
    for (size_t k = 0; k < q->rank; k++) {
        double along = cblas_ddot((int)q->dim, q->mode + k * q->dim, 1, q->minimizer, 1);
        target += q->eigenvalue[k] * along * along;
    }
    return nnd_divergence_limit(r->params->divergence_bound, nnd_quadratic_loss(q, r->state.w),
                                target);
}

static nnd_status descend(path *r, double *diverged_at) {
    size_t steps = (size_t)r->params->steps;
    nnd_status status = NND_OK;
    double limit = limit_of(r);
    for (size_t t = 0; status == NND_OK; t++) {
        if (nnd_has_diverged(limit, nnd_quadratic_loss(r->state.loss, r->state.w))) {
            *diverged_at = (double)t;
            break;
        }
        if (r->times.value[r->recorded] == (double)t)
            status = record(r);
        if (t == steps)
            break;
        if (status == NND_OK && t % 65536 == 0)
            status = nnd_progress_step(r->ctx, (double)t, (double)steps);
        nnd_aligned_step(&r->state, r->params->lr);
        nnd_aligned_evaluate(&r->state);
    }
    return status;
}

/* ---- flow ---- */

typedef struct {
    const nnd_quadratic *loss;
    size_t depth;
    double *scratch;
} flow;

static bool flow_rate(double t, const double *x, double *rate, void *user) {
    const flow *f = user;
    (void)t;
    nnd_balanced_flow(f->loss, f->depth, x, rate, f->scratch);
    for (size_t i = 0; i <= f->loss->dim; i++)
        if (!isfinite(rate[i]))
            return false;
    return true;
}

/* (log |w|, w/|w|) of balanced layers, or (0, w) at depth 1, and back. */
static void pack(const nnd_aligned *a, double *x) {
    double norm = a->depth > 1 ? cblas_dnrm2((int)a->loss->dim, a->w, 1) : 1.0;
    x[0] = log(norm);
    for (size_t i = 0; i < a->loss->dim; i++)
        x[1 + i] = a->w[i] / norm;
}

static void unpack(const double *x, nnd_aligned *a) {
    int d = (int)a->loss->dim;
    double depth = (double)a->depth, norm = cblas_dnrm2(d, x + 1, 1);
    double scale = a->depth > 1 ? pow(exp(x[0]) * norm, 1.0 / depth) : norm;
    for (int i = 0; i < d; i++)
        a->b[i] = norm > 0.0 ? scale * x[1 + i] / norm : 0.0;
    if (a->depth > 1)
        a->s = scale;
    nnd_aligned_evaluate(a);
}

static nnd_status flow_along(path *r, nnd_status *ran) {
    const nnd_quadratic *q = r->state.loss;
    size_t dim = q->dim + 1, n = r->times.count;
    const double stiff = 1e4; /* characteristic times beyond which explicit steps are too many */
    double *y = calloc(n * dim + dim + 2 * q->dim, sizeof *y);
    if (y == NULL)
        return nnd_fail_memory(r->ctx, "the flow");
    double *x = y + n * dim;
    flow f = {q, r->state.depth, x + dim};
    double largest = fmax(1.0, cblas_dnrm2((int)q->dim, q->minimizer, 1));
    nnd_ode_options options = {
        .dim = dim,
        .rhs = flow_rate,
        .user = &f,
        .stiff = r->params->time * q->eigenvalue[0] * (double)f.depth * largest * largest > stiff,
        .rtol = 1e-11,
        .atol = 1e-12,
    };
    nnd_ode *ode = NULL;
    pack(&r->state, x);
    nnd_status status = nnd_ode_new(r->ctx, &options, &ode);
    if (status == NND_OK)
        status = nnd_ode_run(ode, 0.0, x, n, r->times.value, y);
    double reached = ode != NULL ? nnd_ode_statistics(ode).reached : 0.0;
    if (status > NND_OK) {
        *ran = status;
        status =
            nnd_shortfall_set(r->frame, "the flow was followed to t = %g of %g; lower params.time",
                              reached, r->params->time);
    }
    for (size_t i = 0; status >= NND_OK && i < n && !isnan(y[i * dim]); i++) {
        unpack(y + i * dim, &r->state);
        status = record(r);
    }
    nnd_ode_free(ode);
    free(y);
    return status < NND_OK ? status : NND_OK;
}

/* ---- both ---- */

/* What the run ended in: a minimum if the gradient has all but vanished. */
static nnd_status add_end(path *r, double diverged_at, nnd_frame *frame) {
    const nnd_aligned *a = &r->state;
    int d = (int)a->loss->dim;
    bool whole = isnan(diverged_at) && r->recorded == r->times.count;
    double sharpness = NAN, *zero = calloc(2 * (size_t)d, sizeof *zero);
    if (zero == NULL)
        return nnd_fail_memory(r->ctx, "the end of a run");
    nnd_quadratic_gradient(a->loss, zero, zero + d);
    bool converged = whole && cblas_dnrm2(d, a->gradient, 1) <=
                                  r->params->tolerance * cblas_dnrm2(d, zero + d, 1);
    free(zero);
    nnd_status status = NND_OK;
    if (converged)
        status = nnd_chain_sharpness(r->ctx, &r->hessian.chain, &sharpness);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, &nnd_flat_minima_model, "final_sharpness", sharpness);
    if (status == NND_OK && r->params->integrator == NND_DESCENT)
        status = nnd_frame_add_number(frame, &nnd_flat_minima_model, "final_stability",
                                      r->params->lr * sharpness);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, &nnd_flat_minima_model, "final_distance2",
                                      whole ? r->distance2[r->times.count - 1] : NAN);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, &nnd_flat_minima_model, "last_sharpness",
                                      whole ? r->sharpness[r->times.count - 1] : NAN);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, &nnd_flat_minima_model, "converged", converged);
    if (status == NND_OK)
        status =
            nnd_frame_add_number(frame, &nnd_flat_minima_model, "diverged", !isnan(diverged_at));
    return status == NND_OK ? nnd_frame_add_scalar(frame, NND_DIVERGED_AT, diverged_at) : status;
}

nnd_status nnd_flat_minima_add_path(nnd_context *ctx, const nnd_flat_minima *p,
                                    const nnd_quadratic *loss, const nnd_dataset *set,
                                    nnd_frame *frame, nnd_status *ran) {
    path r = {.ctx = ctx, .params = p, .set = set, .frame = frame};
    double diverged_at = NAN;
    nnd_status status = nnd_flat_minima_times(ctx, p, &r.times);
    if (status == NND_OK)
        status = nnd_aligned_make(ctx, loss, (size_t)p->depth, &r.state);
    if (status == NND_OK)
        status = nnd_flat_hessian_make(ctx, p, loss, &r.hessian);
    if (status == NND_OK)
        status = add_arrays(&r, frame);
    if (status == NND_OK) {
        set_start(p, &r.state);
        nnd_aligned_evaluate(&r.state);
        status =
            p->integrator == NND_GRADIENT_FLOW ? flow_along(&r, ran) : descend(&r, &diverged_at);
    }
    if (status == NND_OK)
        status = add_end(&r, diverged_at, frame);
    if (status == NND_OK && *ran == NND_OK && r.converged > NND_OK)
        status = nnd_shortfall_set(frame, "Lanczos' method did not reach 1e-12 of the largest "
                                          "eigenvalue: too many are close to it; lower "
                                          "params.depth or the dimension of the data");
    if (status == NND_OK && *ran == NND_OK)
        *ran = !isnan(diverged_at) ? NND_DIVERGED : r.converged;
    free(r.times.value);
    nnd_aligned_clear(&r.state);
    nnd_flat_hessian_clear(&r.hessian);
    return status;
}
