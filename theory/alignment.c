/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Theory of two networks that learn one task: converged (ridge and what is equivalent to it) or
 * stopped early. */
#include "theory/models.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/divergence.h"
#include "core/hand_over.h"
#include "nndmft/alignment.h"
#include "nndmft/solvers/early_stopping.h"
#include "nndmft/solvers/representation.h"
#include "theory/alignment_claims.h"
#include "theory/alignment_data.h"
#include "theory/alignment_task.h"
#include "theory/claims.h"
#include "theory/shortfall.h"

/* The curve of `minimum`: alpha from LOWEST to HIGHEST in SCAN steps. */
enum { SCAN = 81 };
static const double LOWEST = 0.02, HIGHEST = 50.0;

/* ---- what is common to all trainings ---- */

/* What one recorded time tells. */
typedef struct {
    double self[NND_METRICS], cross[NND_METRICS], teacher[NND_METRICS];
    double cosine[NND_METRICS];
    double cka, gen_error, train_error;
    nnd_dimension_shift shift;
    double shrink; /* all predictors are these times so much */
} moment;

typedef struct {
    nnd_context *ctx;
    const nnd_alignment *p;
    nnd_alignment_problem problem;
    nnd_frame *frame;
    size_t times; /* 0: scalars */
} task;

static nnd_status put(const task *x, const char *name, size_t at, double value) {
    nnd_status status = NND_OK;
    if (nnd_frame_find(x->frame, name) == NULL)
        status = nnd_frame_add_variable(x->frame, &nnd_alignment_model, name, NULL);
    if (status == NND_OK)
        nnd_frame_find(x->frame, name)->data[at] = value;
    return status;
}

/* Hidden layers that know nothing but one predictor. */
static bool has_rank_one(const nnd_alignment *p) {
    return p->training != NND_ALIGN_WHITE && p->training != NND_ALIGN_GAUSSIAN && p->outputs == 1;
}

/* The smallest size that theory claims for a variable. */
static nnd_status put_min_size(const task *x, const char *name, size_t at, double size) {
    char text[64];
    nnd_companion_name(name, NND_MIN_SIZE, sizeof text, text);
    nnd_status status = put(x, text, at, size);
    return status == NND_OK ? nnd_frame_set_text(x->frame, text, NND_CORRECTION, "1/size") : status;
}

/* A variable and the smallest size it is claimed for. */
typedef struct {
    const char *name;
    double value, least;
    bool absent;
} entry;

static nnd_status put_entries(const task *x, size_t at, size_t count, const entry *e) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        if (e[i].absent)
            continue;
        status = put(x, e[i].name, at, e[i].value);
        if (status == NND_OK)
            status = put_min_size(x, e[i].name, at, e[i].least);
    }
    return status;
}

static double gen_error(const task *x, const moment *m) {
    return x->problem.power - 2.0 * m->shrink * m->teacher[1] + m->shrink * m->shrink * m->self[1];
}

static double probed_cka(const nnd_alignment *p, const moment *m) {
    return nnd_cka_probe(m->cosine[1], (size_t)p->probe.points, p->probe.centred);
}

/* Of layers that know one predictor, at infinitely many probes but for the grain of ranks of n:
 * similarity.md#s3. Both directions are alike. */
static nnd_status put_similarity(const task *x, size_t at, double rho) {
    double n = (double)x->p->probe.points;
    double imbalance = (2.0 + (n - 2.0) * nnd_gaussian_imbalance(rho)) / n;
    nnd_status status = NND_OK;
    if (!x->p->probe.similarity || !has_rank_one(x->p))
        return NND_OK;
    if (nnd_frame_find_dim(x->frame, "direction") == NULL)
        status = nnd_alignment_add_directions(x->frame);
    for (size_t direction = 0; status == NND_OK && direction < 2; direction++)
        status = put(x, "information_imbalance", 2 * at + direction, imbalance);
    return status == NND_OK ? put(x, "rsa_pearson", at, nnd_gaussian_rsa(rho)) : status;
}

static nnd_status put_moment(const task *x, size_t at, const moment *m) {
    const nnd_alignment *p = x->p;
    const nnd_alignment_problem *problem = &x->problem;
    const nnd_dimension_shift *d = &m->shift;
    int k = p->metric == NND_METRIC_SIGMA ? 1 : 0;
    double length = p->metric == NND_METRIC_SIGMA ? problem->power : problem->norm2;
    double noise = m->self[k] - m->cross[k], rho = m->cosine[k];
    double to_teacher = m->self[k] > 0.0 ? m->teacher[k] / sqrt(m->self[k]) / sqrt(length) : NAN;
    double once = m->shrink, twice = once * once;
    double turned = (d->cross - rho * d->self) / m->self[k];
    double cka = nnd_alignment_cka_claim(p, problem, d, m->cka, m->cosine[1]);
    const entry entries[] = {
        {"cosine", rho, nnd_alignment_claim(turned, rho), false},
        {"cka", m->cka, cka, false},
        {"cka_probe", probed_cka(p, m), cka,
         !has_rank_one(p) || p->probe.points == 0 || p->probe.on == NND_PROBE_TRAIN},
        {"signal", twice * m->cross[k], nnd_alignment_claim(d->cross, m->cross[k]), false},
        {"noise", twice * noise, nnd_alignment_claim(d->self - d->cross, noise), false},
        {"teacher_overlap", once * m->teacher[k], nnd_alignment_claim(d->teacher, m->teacher[k]),
         false},
        {"teacher_cosine", to_teacher, nnd_alignment_teacher_claim(p, problem, d, to_teacher),
         false},
        {"gen_error", m->gen_error,
         nnd_alignment_claim(twice * d->self - 2.0 * once * d->teacher, m->gen_error), false},
        {"train_error", m->train_error, nnd_alignment_train_claim(problem, d, m->train_error),
         false},
    };
    nnd_status status = put_entries(x, at, sizeof entries / sizeof *entries, entries);
    return status == NND_OK ? put_similarity(x, at, m->cosine[1]) : status;
}

/* ---- ridge, weight decay, Gaussian features ---- */

/* Takes back the claims of what the rest of a start from Gaussian features changes at any size. Of
 * CKA more terms are of this order, which nearly cancel. */
static nnd_status put_rest(const task *x, const moment *m) {
    int k = x->p->metric == NND_METRIC_SIGMA ? 1 : 0;
    double q = m->self[k], rho = m->cosine[k];
    nnd_alignment_rest rest = nnd_alignment_rest_of_start(x->p, &x->problem, m->self[0], k == 1);
    nnd_alignment_rest seen = nnd_alignment_rest_of_start(x->p, &x->problem, m->self[0], true);
    const struct {
        const char *name;
        double change, value;
    } entries[] = {
        {"cosine", (rest.cross - rho * rest.self) / q, rho},
        {"signal", rest.cross, m->cross[k]},
        {"noise", rest.self - rest.cross, q - m->cross[k]},
        {"teacher_cosine", 0.5 * rest.self / q, 1.0},
        {"gen_error", seen.self, m->gen_error},
    };
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < sizeof entries / sizeof *entries; i++) {
        if (nnd_alignment_is_negligible(entries[i].change, entries[i].value))
            continue;
        status = put_min_size(x, entries[i].name, 0, INFINITY);
        if (status == NND_OK)
            status = nnd_claim_reason(x->frame, entries[i].name, NND_REST_OF_START);
    }
    return status;
}

static nnd_status ridge_outputs_cka(const task *x, double lambda, const nnd_pair_overlaps *o,
                                    double *cka) {
    nnd_pair_task quiet = x->problem.pair;
    nnd_pair_overlaps signal;
    quiet.label_noise = 0.0;
    nnd_pair_ridge(&x->problem.modes, &quiet, lambda, &signal);
    const double cross[] = {signal.cross[1], o->cross[1] - signal.cross[1]};
    const double self[] = {signal.self[1], o->self[1] - signal.self[1]};
    const double identity[] = {signal.self[0], o->self[0] - signal.self[0]};
    return nnd_alignment_outputs_cka(x->ctx, x->p, &x->problem, cross, self, identity, cka);
}

static nnd_status ridge_cka(const task *x, double lambda, const nnd_pair_overlaps *o, double *cka) {
    const nnd_alignment *p = x->p;
    if (p->outputs > 1)
        return ridge_outputs_cka(x, lambda, o, cka);
    *cka = o->cosine[1] * o->cosine[1];
    if (p->training == NND_ALIGN_GAUSSIAN) {
        const nnd_gaussian_features features = {p->init_scale, p->width,
                                                (double)nnd_alignment_dim(p),
                                                p->features == NND_INPUTS_SHARED};
        *cka = nnd_cka_gaussian(&features, o->self[0], o->cosine[1]);
    }
    return NND_OK;
}

static nnd_status effective_ridge(nnd_context *ctx, const nnd_alignment *p,
                                  const nnd_alignment_problem *problem, double *lambda) {
    *lambda = p->training == NND_ALIGN_RIDGE ? p->ridge : 0.0;
    return p->training == NND_ALIGN_WEIGHT_DECAY
               ? nnd_weight_decay_ridge(ctx, &problem->modes, &problem->pair, p->weight_decay,
                                        lambda)
               : NND_OK;
}

/* Beyond this ridge a larger one only divides: beta = X^T y/(P lambda) to 1e-20. */
static double large_ridge(const nnd_alignment_problem *x) {
    double sum = 0.0;
    for (size_t i = 0; i < x->modes.count; i++)
        sum += x->modes.multiplicity[i] * (x->modes.eigenvalue[i] + x->pair.input_noise);
    return 1e20 * (sum + sum / x->pair.samples);
}

/* All weights have decayed. */
static void nothing_learned(const nnd_alignment_problem *x, nnd_pair_overlaps *o) {
    *o = (nnd_pair_overlaps){.kappa = INFINITY,
                             .cosine = {NAN, NAN, NAN},
                             .gen_error = x->power,
                             .train_error = x->power + x->pair.label_noise};
}

typedef struct {
    nnd_context *ctx;
    const nnd_alignment *p;
    nnd_alignment_problem *problem;
    nnd_status status;
} curve;

static double cosine_at(double alpha, void *data) {
    curve *c = data;
    double lambda;
    nnd_pair_overlaps o;
    c->problem->pair.samples = alpha * c->problem->per_alpha;
    nnd_status status =
        nnd_context_interrupted(c->ctx)
            ? nnd_fail(c->ctx, NND_E_INTERRUPTED, "interrupted at alpha = %g", alpha)
            : effective_ridge(c->ctx, c->p, c->problem, &lambda);
    if (status != NND_OK)
        c->status = status;
    if (status != NND_OK || isinf(lambda))
        return NAN;
    status = nnd_alignment_ridge(c->ctx, c->p->tails, c->problem, lambda, &o);
    if (status < NND_OK)
        c->status = status;
    return status == NND_OK ? o.cosine[c->p->metric == NND_METRIC_SIGMA ? 1 : 0] : NAN;
}

static nnd_status put_minimum(task *x) {
    const nnd_alignment *p = x->p;
    const nnd_pair_task kept = x->problem.pair;
    double alpha, value;
    bool inside = true;
    nnd_status status = NND_OK;
    bool closed = !nnd_alignment_has_data(p) && p->covariance.kind == NND_COVARIANCE_ISOTROPIC &&
                  p->input_noise == 0.0 && p->inputs == NND_INPUTS_SHARED &&
                  p->noise_correlation == 0.0 && p->training == NND_ALIGN_RIDGE && p->outputs == 1;
    if (closed) {
        nnd_isotropic_minimum(p->ridge, &alpha, &value);
        double snr = isnan(p->snr) ? x->problem.power / x->problem.pair.label_noise : p->snr;
        value = isinf(snr) ? 1.0 : snr * value / (1.0 + snr * value);
    } else {
        curve c = {x->ctx, p, &x->problem, NND_OK};
        status =
            nnd_minimize(x->ctx, cosine_at, &c, LOWEST, HIGHEST, SCAN, &alpha, &value, &inside);
        x->problem.pair = kept;
        if (c.status != NND_OK)
            status = c.status;
    }
    if (status == NND_OK)
        status =
            nnd_frame_add_number(x->frame, &nnd_alignment_model, "alpha_min", inside ? alpha : NAN);
    return status == NND_OK ? nnd_frame_add_number(x->frame, &nnd_alignment_model, "cosine_min",
                                                   inside ? value : NAN)
                            : status;
}

static nnd_status solve_ridge(task *x) {
    nnd_pair_overlaps o;
    double lambda;
    nnd_status status = effective_ridge(x->ctx, x->p, &x->problem, &lambda), solved = NND_OK;
    if (status != NND_OK)
        return status;
    moment m = {.cka = NAN, .shift = nnd_no_shift, .shrink = 1.0};
    if (isinf(lambda))
        nothing_learned(&x->problem, &o);
    else {
        double used = fmin(lambda, large_ridge(&x->problem));
        m.shrink = lambda > 0.0 ? used / lambda : 1.0;
        status = solved = nnd_alignment_ridge(x->ctx, x->p->tails, &x->problem, used, &o);
        if (status >= NND_OK)
            status = ridge_cka(x, used, &o, &m.cka);
        if (status == NND_OK)
            status = nnd_alignment_ridge_shift(x->ctx, &x->problem, used, &m.shift);
    }
    for (int k = 0; k < NND_METRICS; k++) {
        m.self[k] = o.self[k];
        m.cross[k] = o.cross[k];
        m.teacher[k] = o.teacher[k];
        m.cosine[k] = o.cosine[k];
    }
    m.gen_error = m.shrink < 1.0 ? gen_error(x, &m) : o.gen_error;
    m.train_error = o.train_error;
    if (status == NND_OK)
        status = put_moment(x, 0, &m);
    if (status == NND_OK && x->p->training == NND_ALIGN_GAUSSIAN)
        status = put_rest(x, &m);
    if (status == NND_OK)
        status = nnd_frame_add_number(x->frame, &nnd_alignment_model, "kappa", o.kappa / m.shrink);
    if (status == NND_OK && x->p->training == NND_ALIGN_WEIGHT_DECAY)
        status = nnd_frame_add_number(x->frame, &nnd_alignment_model, "ridge_effective", lambda);
    if (status == NND_OK && solved == NND_NOT_CONVERGED)
        status = nnd_shortfall_set(x->frame, "too near the threshold for params.tails: measured; "
                                             "take a larger params.ridge or other params.samples");
    if (status == NND_OK && x->p->minimum)
        status = put_minimum(x);
    return status == NND_OK ? solved : status;
}

/* ---- early stopping ---- */

static nnd_learning learning(const nnd_alignment *p) {
    switch (p->training) {
    case NND_ALIGN_GD:
        return (nnd_learning){.kind = NND_LEARN_DESCENT, .lr = p->lr};
    case NND_ALIGN_RICH: {
        double factor =
            p->init == NND_START_RANDOM ? nnd_random_start_factor((size_t)p->depth) : 1.0;
        return (nnd_learning){
            .kind = NND_LEARN_RICH, .depth = (size_t)p->depth, .scale = factor * p->init_scale};
    }
    case NND_ALIGN_WHITE:
        return (nnd_learning){.kind = NND_LEARN_WHITE, .scale = p->init_scale};
    default:
        return (nnd_learning){.kind = NND_LEARN_FLOW};
    }
}

static nnd_status timed_cka(const task *x, const nnd_spectral_overlaps *o, moment *m) {
    m->cka = m->cosine[1] * m->cosine[1];
    if (x->p->training == NND_ALIGN_WHITE)
        m->cka = nnd_cka_white(x->p->init_scale, x->problem.trace2, m->self, m->cross[1]);
    if (x->p->outputs == 1 || isnan(m->cosine[1]))
        return NND_OK;
    const double cross[] = {o->cross_signal[1], o->cross_noise[1]};
    const double self[] = {o->self_signal[1], o->self_noise[1]};
    const double identity[] = {o->self_signal[0], o->self_noise[0]};
    return nnd_alignment_outputs_cka(x->ctx, x->p, &x->problem, cross, self, identity, &m->cka);
}

static nnd_status put_time(const task *x, size_t at, const nnd_spectral_overlaps *o) {
    moment m = {.train_error = o->train_error, .shift = o->shift, .shrink = 1.0};
    for (int k = 0; k < NND_METRICS; k++) {
        m.self[k] = o->self_signal[k] + o->self_noise[k];
        m.cross[k] = o->cross_signal[k] + o->cross_noise[k];
        m.teacher[k] = o->teacher[k];
        m.cosine[k] = m.self[k] > 0.0 ? m.cross[k] / m.self[k] : NAN;
    }
    m.gen_error = gen_error(x, &m);
    nnd_status status = timed_cka(x, o, &m);
    return status == NND_OK ? put_moment(x, at, &m) : status;
}

static nnd_status put_shortfall(const task *x, double last,
                                const nnd_early_stopping_report *report) {
    if (report->reached < last)
        return nnd_shortfall_set(x->frame,
                                 "the flow was followed to t = %g of %g; lower params.time, or "
                                 "take params.alpha farther from 1, where it takes long to end",
                                 report->reached, last);
    return nnd_shortfall_set(x->frame,
                             "%zu nodes are off by %.2g (usable: 1e-6); lower the last of the "
                             "recorded times, or take params.alpha farther from 1",
                             report->nodes, report->change);
}

static nnd_status put_report(const task *x, const nnd_early_stopping_report *report) {
    nnd_status status = nnd_frame_set_number(x->frame, NULL, "nodes", (double)report->nodes);
    return status == NND_OK
               ? nnd_frame_set_number(x->frame, NULL, "change_under_doubling", report->change)
               : status;
}

/* What a time after divergence tells. */
static nnd_spectral_overlaps unknown(void) {
    nnd_spectral_overlaps o = {.train_error = NAN, .shift = nnd_no_shift};
    for (int k = 0; k < NND_METRICS; k++)
        o.self_signal[k] = o.self_noise[k] = o.cross_signal[k] = o.cross_noise[k] = o.teacher[k] =
            NAN;
    return o;
}

/* The recorded times before gradient descent diverges, and the step at which it does. */
static nnd_status find_sound_times(task *x, const nnd_reals *t, size_t *sound) {
    const nnd_alignment *p = x->p;
    size_t step = SIZE_MAX;
    *sound = t->count;
    if (p->training != NND_ALIGN_GD)
        return NND_OK;
    double labels2 = x->problem.power + x->problem.pair.label_noise;
    nnd_status status = nnd_descent_divergence(
        x->ctx, &x->problem.modes, &x->problem.pair, p->lr,
        nnd_divergence_limit(NND_DIVERGENCE_BOUND, labels2, labels2), (size_t)p->steps, &step);
    while (*sound > 0 && t->value[*sound - 1] >= (double)step)
        --*sound;
    return status == NND_OK ? nnd_frame_add_scalar(x->frame, NND_DIVERGED_AT,
                                                   step < SIZE_MAX ? (double)step : NAN)
                            : status;
}

static nnd_status solve_times(task *x) {
    const nnd_alignment *p = x->p;
    nnd_reals t = {0};
    nnd_spectral_overlaps *o = NULL;
    nnd_early_stopping_report report = {0};
    size_t sound = 0;
    nnd_status status = nnd_alignment_times(x->ctx, p, &t), solved = NND_OK;
    if (status == NND_OK) {
        x->times = t.count;
        o = calloc(x->times, sizeof *o);
        status = o != NULL ? nnd_frame_add_dim(x->frame, "t",
                                               p->training == NND_ALIGN_GD ? NND_COORD_INTEGER
                                                                           : NND_COORD_REAL,
                                               x->times, t.value)
                           : nnd_fail_memory(x->ctx, "the recorded times");
    }
    if (status == NND_OK)
        status = find_sound_times(x, &t, &sound);
    if (status == NND_OK && sound > 0) {
        const nnd_learning how = learning(p);
        status = solved = nnd_early_stopping(x->ctx, &x->problem.modes, &x->problem.pair, &how,
                                             false, sound, t.value, o, &report);
    }
    for (size_t i = report.nodes > 0 ? sound : 0; o != NULL && i < x->times; i++)
        o[i] = unknown();
    for (size_t i = 0; status >= NND_OK && i < x->times; i++)
        status = put_time(x, i, &o[i]);
    if (status >= NND_OK && sound > 0)
        status = put_report(x, &report);
    if (status == NND_OK && solved == NND_NOT_CONVERGED)
        status = put_shortfall(x, t.value[sound - 1], &report);
    if (solved == NND_OK && sound < x->times)
        solved = NND_DIVERGED;
    free(t.value);
    free(o);
    return status == NND_OK ? solved : status;
}

/* ---- the model ---- */

/* What it claims of no finite network: the simulation then is of another one. */
static nnd_status disclaim(const task *x) {
    nnd_status status = NND_OK;
    for (size_t v = 0; status == NND_OK && v < nnd_alignment_model.variable_count; v++) {
        const char *name = nnd_alignment_model.variables[v].name;
        const nnd_array *array = nnd_frame_find(x->frame, name);
        size_t count = array != NULL ? array->count : 0;
        for (size_t i = 0; status == NND_OK && i < count; i++)
            status = put_min_size(x, name, i, INFINITY);
    }
    return status;
}

nnd_status nnd_alignment_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    task x = {.ctx = ctx, .p = params};
    if (x.p->task == NND_TASK_CLASSIFICATION && x.p->outputs > 1)
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.outputs: %lld classes have no theory; `nndmft simulate` trains "
                        "networks on them",
                        (long long)x.p->outputs);
    nnd_status status = nnd_alignment_problem_make(ctx, x.p, &x.problem), solved = NND_OK;
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &x.frame);
    if (status == NND_OK)
        status = solved = nnd_alignment_is_timed(x.p) ? solve_times(&x) : solve_ridge(&x);
    if (status >= NND_OK && nnd_alignment_has_data(x.p))
        status = nnd_alignment_data_claims(ctx, x.p, &x.problem, x.frame);
    if (status >= NND_OK && !nnd_alignment_is_linear(x.p))
        status = disclaim(&x);
    nnd_hand_over(status >= NND_OK, x.frame, frame);
    nnd_alignment_problem_clear(&x.problem);
    return status == NND_OK ? solved : status;
}

/* Explicit steps of a flow over `nodes` nodes, 13 evaluations each: a third of the time of the
 * fastest mode, until the slowest one has come to its end or for as long as is asked; growth from a
 * small start takes some more. */
static double flow_flops(const nnd_alignment *p, double nodes) {
    const double per_node = 13.0 * 150.0, most = 4e4, relaxations = 30.0;
    double root = sqrt(p->alpha), fastest = pow(1.0 + 1.0 / root, 2.0);
    double slowest = fmax(pow(1.0 - 1.0 / root, 2.0), 1e-12);
    double steps = 200.0 + fastest * fmin(p->time, relaxations / slowest) / 3.0;
    return per_node * nodes * fmin(steps, most);
}

/* Measuring data, the regression on inputs as they are, a matrix of rows and one of modes, and some
 * hundred passes over the rows in search for rare directions. */
static void add_data_cost(const nnd_alignment *p, nnd_cost *cost) {
    double bytes, flops, modes = (double)nnd_alignment_dim(p);
    double rows = (double)nnd_alignment_rows_measured(p->data.inputs.rows, nnd_alignment_dim(p));
    nnd_feature_spectrum_cost(&p->data, &bytes, &flops);
    cost->bytes += bytes + sizeof(double) * modes * (3.0 * rows + 2.0 * modes);
    cost->flops += flops + 2.0 * rows * modes * (modes + 200.0) +
                   (p->minimum ? SCAN + 40.0 : 2.0) * (rows + modes) * modes * modes;
}

nnd_status nnd_alignment_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    const nnd_alignment *p = params;
    bool data = nnd_alignment_has_data(p);
    bool isotropic = !data && p->covariance.kind == NND_COVARIANCE_ISOTROPIC;
    double modes = isotropic ? 1.0 : (double)nnd_alignment_dim(p);
    const double typical = 128.0, complexes = 16.0;
    *cost = (nnd_cost){.bytes = 24.0 * (modes + 1.0), .flops = 400.0 * modes};
    if (p->minimum)
        cost->flops *= SCAN + 40.0;
    if (data)
        add_data_cost(p, cost);
    if (!nnd_alignment_is_timed(p))
        return NND_OK;
    nnd_reals times = {0};
    nnd_status status = nnd_alignment_times(ctx, p, &times);
    free(times.value);
    double n = (double)times.count;
    bool flow = p->training == NND_ALIGN_RICH || p->training == NND_ALIGN_WHITE;
    cost->bytes += complexes * typical * ((flow ? 2.0 : 1.0) * n + 12.0 * 16.0 + 40.0);
    cost->results = n * 1.5 * (double)nnd_alignment_model.variable_count * sizeof(double);
    cost->flops += 600.0 * modes * typical + 100.0 * typical * n;
    if (modes > 1.0 || p->input_noise > 0.0 || p->inputs == NND_INPUTS_INDEPENDENT)
        cost->flops += typical * typical * (200.0 + 100.0 * n);
    if (flow)
        cost->flops += flow_flops(p, typical);
    return status;
}
