/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/simulators.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/divergence.h"
#include "core/hand_over.h"
#include "core/text.h"
#include "nndmft/deep_linear.h"
#include "validate/deep_linear_control.h"
#include "validate/deep_linear_flow.h"
#include "validate/deep_linear_spectra.h"
#include "validate/keeper.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"

/* Networks per block: small networks share a block so that shards stay few. */
static size_t block(const void *params, size_t size) {
    (void)params;
    size_t n = 4096 / (size > 0 ? size : 1);
    return n < 1 ? 1 : n > 64 ? 64 : n;
}

/* A count that is not a whole number is rounded, which makes it another network. */
static void warn_if_rounded(const char *key, double ratio, size_t size, size_t count,
                            nnd_objection *o) {
    if (fabs(ratio * (double)size - (double)count) > 1e-9 * (double)count)
        (void)nnd_object(o, key, "%g times size %zu is no whole number: the network has %.6g",
                         ratio, size, (double)count / (double)size);
}

/* The mean eigenvalue of the NTK at the start, sum_l prod_{k != l} sigma_k^2: as fast as a flow is
 * at least, since it conserves the differences of A_l^T A_l and A_{l-1} A_{l-1}^T. */
static double mean_rate(const nnd_deep_linear *p) {
    double sum = 0.0;
    for (size_t l = 0; l <= (size_t)p->depth; l++) {
        double product = 1.0;
        for (size_t k = 0; k <= (size_t)p->depth; k++)
            product *= k == l ? 1.0 : pow(nnd_deep_linear_sigma(p, k), 2.0);
        sum += product;
    }
    return sum;
}

static bool check_time(const nnd_deep_linear *p, nnd_objection *o) {
    double most = NND_DP_MOST_STEPS / nnd_dp_least_steps(mean_rate(p), 1.0);
    return p->integrator == NND_DESCENT || p->time <= most ||
           nnd_object(o, "time", "%g is too long for a simulated flow; allowed: up to %.3g",
                      p->time, most);
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_deep_linear *p = params;
    const double largest = 1e9;
    bool online = p->training == NND_TRAIN_ONLINE;
    if (p->nu * (double)size > largest)
        return nnd_object(o, "nu", "%g times size %zu is more than %g neurons", p->nu, size,
                          largest);
    if (!online && p->alpha * (double)size > largest)
        return nnd_object(o, "alpha", "%g times size %zu is more than %g samples", p->alpha, size,
                          largest);
    if (nnd_deep_linear_width(p, size) == 0)
        return nnd_object(o, "nu", "%g times size %zu leaves no neuron", p->nu, size);
    if (!online && nnd_deep_linear_samples(p, size) == 0)
        return nnd_object(o, "alpha", "%g times size %zu leaves no sample", p->alpha, size);
    if (p->density &&
        (size > NND_LARGEST_FULL_SVD || nnd_deep_linear_width(p, size) > NND_LARGEST_FULL_SVD))
        return nnd_object(o, "density", "counts all singular values, up to size and width %d",
                          NND_LARGEST_FULL_SVD);
    if (!check_time(p, o))
        return false;
    warn_if_rounded("nu", p->nu, size, nnd_deep_linear_width(p, size), o);
    if (!online)
        warn_if_rounded("alpha", p->alpha, size, nnd_deep_linear_samples(p, size), o);
    return true;
}

/* Fields of all recorded times, kept when two-time overlaps are asked for. */
typedef struct {
    bool wanted;
    size_t times, recorded;
    double **g, **h;          /* per layer: times x length */
    double *error, *residual; /* times x D, times x P */
} history;

typedef struct {
    const nnd_deep_linear *params;
    nnd_deep_linear_network net;
    nnd_reals marks; /* steps or, of an adaptive flow, times to record */
    history past;
    nnd_deep_linear_spectra spectra;
    double *image; /* scratch of the control variates, N */
    nnd_context *ctx;
    nnd_frame *frame;
    size_t seed;        /* row of the frame */
    nnd_keeper *keeper; /* NULL: nothing is kept */
} run;

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_deep_linear *p = params;
    nnd_simulation_cost c = {
        .bytes = nnd_deep_linear_network_bytes(p, size),
        .flops = nnd_deep_linear_network_flops(p, size),
    };
    double times = nnd_deep_linear_most_marks(p);
    double layers = (double)p->depth + 1.0, d = (double)size;
    double n = (double)nnd_deep_linear_width(p, size);
    c.weight_bytes = nnd_keeper_bytes(n * (d + (layers - 2.0) * n + 1.0), times);
    c.record_bytes = (4.0 + 2.0 * layers) * times * sizeof(double);
    double searches = (p->spectrum ? layers : 0.0) + (p->ntk ? 2.0 : 0.0), steps = 60.0;
    if (searches > 0.0) {
        double longest =
            d * fmax(1.0, fmax(p->nu, p->training == NND_TRAIN_FIXED ? p->alpha : 0.0));
        c.record_bytes += (layers + 2.0) * (double)p->outliers * times * sizeof(double);
        c.bytes += (2.0 * fmin(longest, 400.0) + layers * 3.0) * longest * sizeof(double);
        c.flops += searches / 2.0 * times * steps * nnd_deep_linear_pass_flops(p, size);
    }
    if (p->two_time) {
        c.record_bytes += (2.0 * layers + 2.0) * times * times * sizeof(double);
        c.bytes += times * (2.0 * layers * d * fmax(1.0, p->nu) + 3.0 * d) * sizeof(double);
    }
    return c;
}

static size_t field_length(const run *r, size_t l) {
    return l == 0 ? r->net.inputs : r->net.width;
}

static nnd_status history_make(nnd_context *ctx, run *r) {
    history *past = &r->past;
    past->times = r->marks.count;
    past->wanted = r->params->two_time;
    if (!past->wanted)
        return NND_OK;
    size_t layers = r->net.depth + 1;
    past->g = calloc(layers, sizeof(double *));
    past->h = calloc(layers, sizeof(double *));
    past->error = calloc(past->times * r->net.inputs, sizeof(double));
    past->residual = calloc(past->times * (r->net.samples + 1), sizeof(double));
    bool done = past->g != NULL && past->h != NULL && past->error != NULL && past->residual != NULL;
    for (size_t l = 0; done && l < layers; l++) {
        past->g[l] = calloc(past->times * field_length(r, l), sizeof(double));
        past->h[l] = calloc(past->times * field_length(r, l), sizeof(double));
        done = past->g[l] != NULL && past->h[l] != NULL;
    }
    return done ? NND_OK : nnd_fail_memory(ctx, "the recorded fields");
}

static void history_clear(history *past, size_t layers) {
    for (size_t l = 0; l < layers; l++) {
        if (past->g != NULL)
            free(past->g[l]);
        if (past->h != NULL)
            free(past->h[l]);
    }
    free(past->g);
    free(past->h);
    free(past->error);
    free(past->residual);
}

static nnd_status add_times(const run *r, const char *name) {
    const nnd_deep_linear *p = r->params;
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    double *t = calloc(r->marks.count, sizeof *t);
    if (t == NULL)
        return nnd_fail_memory(nnd_frame_context(r->frame), "the recorded times");
    for (size_t i = 0; i < r->marks.count; i++)
        t[i] = nnd_deep_linear_time(p, r->marks.value[i]);
    nnd_status status = nnd_frame_add_dim(r->frame, name, flow ? NND_COORD_REAL : NND_COORD_INTEGER,
                                          r->marks.count, t);
    free(t);
    return status;
}

typedef bool (*wanted)(const nnd_deep_linear *p);

static bool always(const nnd_deep_linear *p) {
    (void)p;
    return true;
}

static bool two_time(const nnd_deep_linear *p) {
    return p->two_time;
}

static bool two_time_fixed(const nnd_deep_linear *p) {
    return p->two_time && p->training == NND_TRAIN_FIXED;
}

static bool spectrum(const nnd_deep_linear *p) {
    return p->spectrum;
}

static bool ntk(const nnd_deep_linear *p) {
    return p->ntk;
}

static bool stability(const nnd_deep_linear *p) {
    return p->ntk && p->integrator == NND_DESCENT;
}

static bool flow(const nnd_deep_linear *p) {
    return p->integrator == NND_GRADIENT_FLOW;
}

static bool ntk_fixed(const nnd_deep_linear *p) {
    return p->ntk && p->training == NND_TRAIN_FIXED;
}

static bool density(const nnd_deep_linear *p) {
    return p->density;
}

static nnd_status add_dims(run *r, size_t first_seed, size_t count) {
    const nnd_deep_linear *p = r->params;
    nnd_status status = nnd_frame_add_range(r->frame, "seed", count, (double)first_seed);
    if (status == NND_OK)
        status = add_times(r, "t");
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "layer", r->net.depth + 1, 0.0);
    if (status == NND_OK && p->two_time)
        status = add_times(r, "s");
    if (status == NND_OK && (p->spectrum || p->ntk || p->density))
        status = nnd_frame_add_range(r->frame, "matrix", r->net.depth, 0.0);
    if (status == NND_OK && (p->spectrum || p->ntk))
        status = nnd_frame_add_range(r->frame, "k", (size_t)p->outliers, 1.0);
    if (status == NND_OK && p->density)
        status = nnd_deep_linear_add_bins(p, r->frame);
    return status;
}

/* Dimensions and arrays of a block, all NaN. */
static nnd_status frame_make(nnd_context *ctx, run *r, size_t first_seed, size_t count) {
    static const struct {
        const char *name;
        wanted wanted;
    } arrays[] = {
        {"step_error", flow},
        {"test_risk", always},
        {"train_mse", always},
        {"overlap", always},
        {"beta_norm2", always},
        {"g_norm2", always},
        {"h_norm2", always},
        {"g_two_time", two_time},
        {"h_two_time", two_time},
        {"delta_two_time", two_time},
        {"train_two_time", two_time_fixed},
        {"outlier", spectrum},
        {"outlier_overlap_target", spectrum},
        {"outlier_overlap_readout", spectrum},
        {"ntk_top", ntk},
        {"stability", stability},
        {"ntk_residual_overlap", ntk_fixed},
        {"sv_hist", density},
    };
    nnd_status status = nnd_frame_new(ctx, &r->frame);
    if (status == NND_OK)
        status = add_dims(r, first_seed, count);
    if (status == NND_OK)
        status = nnd_frame_add(r->frame, NND_DIVERGED_AT, "seed", NULL);
    for (size_t i = 0; status == NND_OK && i < sizeof arrays / sizeof *arrays; i++)
        if (arrays[i].wanted(r->params))
            status = nnd_frame_add_variable(r->frame, &nnd_deep_linear_model, arrays[i].name, NULL);
    if (status == NND_OK)
        status = nnd_seed_frame_add_controls(r->frame, nnd_deep_linear_controls(r->params));
    return status;
}

/* Values of this network in an array whose first dimension is the seed. */
static double *values(const run *r, const char *name) {
    const nnd_array *array = nnd_frame_find(r->frame, name);
    return array->data + r->seed * (array->count / array->shape[0]);
}

static double norm2(size_t n, const double *x) {
    return cblas_ddot((int)n, x, 1, x, 1);
}

static void keep_fields(run *r, size_t i) {
    history *past = &r->past;
    const nnd_deep_linear_network *net = &r->net;
    past->recorded = i + 1;
    for (size_t l = 0; l <= net->depth; l++) {
        size_t n = field_length(r, l);
        memcpy(past->g[l] + i * n, net->backward[l], n * sizeof(double));
        memcpy(past->h[l] + i * n, net->forward[l], n * sizeof(double));
    }
    memcpy(past->error + i * net->inputs, net->error, net->inputs * sizeof(double));
    if (r->params->training == NND_TRAIN_FIXED)
        memcpy(past->residual + i * net->samples, net->residual, net->samples * sizeof(double));
}

static nnd_status record_weights(run *r, size_t i) {
    nnd_deep_linear_network *net = &r->net;
    size_t depth = net->depth, count = (size_t)r->params->outliers;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < depth; l++)
        status = nnd_deep_linear_singular_values(
            &r->spectra, net, l, values(r, "outlier") + (i * depth + l) * count,
            l == 0 ? net->target : NULL, values(r, "outlier_overlap_target") + i * count,
            l + 1 == depth ? net->backward[depth] : NULL,
            values(r, "outlier_overlap_readout") + i * count);
    return status;
}

static nnd_status record_ntk(run *r, size_t i) {
    const nnd_deep_linear *p = r->params;
    double *top = values(r, "ntk_top") + i * (size_t)p->outliers;
    bool fixed = p->training == NND_TRAIN_FIXED;
    nnd_status status = nnd_deep_linear_ntk_values(
        &r->spectra, &r->net, top, fixed ? values(r, "ntk_residual_overlap") + i : NULL);
    if (status == NND_OK && p->integrator == NND_DESCENT)
        values(r, "stability")[i] =
            p->lr * nnd_deep_linear_rate(p, (size_t)r->marks.value[i]) * top[0];
    return status;
}

static nnd_status record_density(run *r, size_t i) {
    const nnd_dim *z = nnd_frame_find_dim(r->frame, "z");
    size_t depth = r->net.depth;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < depth; l++)
        status =
            nnd_deep_linear_histogram(r->ctx, &r->spectra, &r->net, l, z->length, 2.0 * z->value[0],
                                      values(r, "sv_hist") + (i * depth + l) * z->length);
    return status;
}

static nnd_status record_spectra(run *r, size_t i) {
    nnd_status status = NND_OK;
    if (r->params->spectrum)
        status = record_weights(r, i);
    if (status == NND_OK && r->params->ntk)
        status = record_ntk(r, i);
    if (status == NND_OK && r->params->density)
        status = record_density(r, i);
    return status;
}

static void record(run *r, size_t i) {
    const nnd_deep_linear_network *net = &r->net;
    size_t d = net->inputs, layers = net->depth + 1;
    values(r, "test_risk")[i] = norm2(d, net->error);
    values(r, "train_mse")[i] = net->mse;
    values(r, "overlap")[i] = cblas_ddot((int)d, net->beta, 1, net->target, 1);
    values(r, "beta_norm2")[i] = norm2(d, net->beta);
    for (size_t l = 0; l < layers; l++) {
        values(r, "g_norm2")[i * layers + l] = norm2(field_length(r, l), net->backward[l]);
        values(r, "h_norm2")[i * layers + l] = norm2(field_length(r, l), net->forward[l]);
    }
    if (r->past.wanted)
        keep_fields(r, i);
}

static void keep_weights(const run *r, size_t i) {
    for (size_t l = 0; r->keeper != NULL && l < r->keeper->layers; l++)
        nnd_weights_write(&r->net.layer[l], &r->net.window, nnd_keeper_at(r->keeper, l, i));
}

/* Inner products between all recorded times. */
static void overlaps(const run *r, size_t length, const double *x, double scale, double *out) {
    int n = (int)r->past.recorded, times = (int)r->past.times;
    if (n > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, (int)length, scale, x,
                    (int)length, x, (int)length, 0.0, out, times);
}

static void record_two_time(const run *r) {
    const nnd_deep_linear_network *net = &r->net;
    size_t square = r->past.times * r->past.times;
    for (size_t l = 0; l <= net->depth; l++) {
        overlaps(r, field_length(r, l), r->past.g[l], 1.0, values(r, "g_two_time") + l * square);
        overlaps(r, field_length(r, l), r->past.h[l], 1.0, values(r, "h_two_time") + l * square);
    }
    overlaps(r, net->inputs, r->past.error, 1.0, values(r, "delta_two_time"));
    if (r->params->training == NND_TRAIN_FIXED)
        overlaps(r, net->samples, r->past.residual, 1.0 / (double)net->samples,
                 values(r, "train_two_time"));
}

/* Goes on from the mark *t: descent by one step, flow at once to the next one that is recorded. */
static nnd_status advance(run *r, nnd_deep_linear_flow *flow, double *t, size_t recorded) {
    const nnd_deep_linear *p = r->params;
    double next = r->marks.value[recorded];
    if (p->integrator == NND_GRADIENT_FLOW) {
        *t = next;
        nnd_status status = nnd_progress_step(r->ctx, (double)recorded, (double)r->marks.count);
        return status != NND_OK
                   ? status
                   : nnd_deep_linear_flow_to(r->ctx, &r->net, flow, nnd_deep_linear_time(p, next));
    }
    nnd_deep_linear_network_step(&r->net, (size_t)*t);
    *t += 1.0;
    nnd_deep_linear_network_evaluate(&r->net, (size_t)*t);
    return nnd_progress_step(r->ctx, *t, (double)p->steps);
}

static nnd_status train(run *r, nnd_rng_key key) {
    nnd_deep_linear_network *net = &r->net;
    nnd_deep_linear_flow flow = {0};
    size_t recorded = 0;
    double t = 0.0;
    nnd_status status = NND_OK;
    nnd_deep_linear_network_draw(net, key);
    nnd_deep_linear_spectra_restart(&r->spectra, net, key);
    nnd_deep_linear_network_evaluate(net, 0);
    double limit = nnd_divergence_limit(r->params->divergence_bound, net->mse, 0.0);
    r->past.recorded = 0;
    if (r->params->control)
        nnd_deep_linear_control(net, r->image, values(r, "control"));
    while (status == NND_OK && recorded < r->marks.count) {
        if (nnd_has_diverged(limit, net->mse)) {
            *values(r, NND_DIVERGED_AT) = t;
            break;
        }
        if (r->marks.value[recorded] == t) {
            record(r, recorded);
            keep_weights(r, recorded);
            status = record_spectra(r, recorded++);
        }
        if (status == NND_OK && recorded < r->marks.count)
            status = advance(r, &flow, &t, recorded);
        if (status == NND_NOT_CONVERGED) { /* no step is short enough: weights are not finite */
            *values(r, NND_DIVERGED_AT) = t;
            status = NND_OK;
            break;
        }
    }
    if (r->params->integrator == NND_GRADIENT_FLOW)
        *values(r, "step_error") = flow.error;
    if (r->past.wanted)
        record_two_time(r);
    return status;
}

static nnd_status make_keeper(const run *r) {
    size_t layers = r->net.depth + 1, *unit = calloc(layers + 1, sizeof *unit);
    if (unit == NULL)
        return nnd_fail_memory(r->ctx, "the kept weights");
    for (size_t l = 0; l < layers; l++)
        unit[l] = r->net.layer[l].cols;
    unit[layers] = 1;
    nnd_status status = nnd_keeper_make(r->keeper, r->frame, layers, unit);
    free(unit);
    return status;
}

static nnd_status train_block(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                              size_t first_seed, size_t count, nnd_keeper *keeper,
                              nnd_frame **frame) {
    const nnd_deep_linear *p = params;
    run r = {.params = p, .ctx = ctx, .keeper = keeper};
    nnd_status status = nnd_deep_linear_network_make(ctx, p, size, &r.net);
    if (status == NND_OK)
        status = nnd_deep_linear_marks(ctx, p, &r.marks);
    r.image = calloc(r.net.width + 1, sizeof(double));
    if (status == NND_OK && r.image == NULL)
        status = nnd_fail_memory(ctx, "a network");
    if (status == NND_OK)
        status = history_make(ctx, &r);
    if (status == NND_OK)
        status = nnd_deep_linear_spectra_make(ctx, &r.net, &r.spectra);
    if (status == NND_OK)
        status = frame_make(ctx, &r, first_seed, count);
    if (status == NND_OK && keeper != NULL)
        status = make_keeper(&r);
    for (r.seed = 0; status == NND_OK && r.seed < count; r.seed++) {
        nnd_progress_within(ctx, (double)r.seed / (double)count,
                            (double)(r.seed + 1) / (double)count);
        status = train(&r, (nnd_rng_key){base_seed, first_seed + r.seed, size});
    }
    nnd_hand_over(status == NND_OK, r.frame, frame);
    history_clear(&r.past, r.net.depth + 1);
    nnd_deep_linear_spectra_clear(&r.spectra);
    free(r.marks.value);
    free(r.image);
    nnd_deep_linear_network_clear(&r.net);
    return status;
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    return train_block(ctx, params, size, base_seed, first_seed, count, NULL, frame);
}

static nnd_status keep(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                       nnd_frame **weights) {
    return nnd_keep(ctx, train_block, params, size, base_seed, 1, weights);
}

/* What to do besides plain SGD with the rates of the recipe. */
static void optimizer_text(const nnd_deep_linear *p, size_t size, char *text) {
    nnd_text line = nnd_text_in(size, text);
    if (p->integrator == NND_GRADIENT_FLOW) {
        nnd_text_add(&line, "gradient flow: no SGD; one Euler step");
        if (nnd_deep_linear_adapts(p))
            nnd_text_add(&line, " of length dt is SGD with raw_lr times dt");
        else
            nnd_text_add(&line, " is SGD with raw_lr times %g", p->time / (double)p->steps);
        return;
    }
    nnd_text_add(&line, "SGD");
    if (p->momentum > 0.0)
        nnd_text_add(&line, " with momentum %g", p->momentum);
    if (p->weight_decay > 0.0)
        nnd_text_add(&line, ", all weights times %g before each step (decoupled decay)",
                     1.0 - p->weight_decay);
    if (nnd_rates_given(&p->schedule))
        nnd_text_add(&line, ", rates times the schedule");
    if (p->center)
        nnd_text_add(&line, ", output minus that of the initial network");
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_deep_linear *p = params;
    double *std = NULL, *lr = NULL;
    char optimizer[256];
    optimizer_text(p, sizeof optimizer, optimizer);
    nnd_status status = nnd_recipe_new(ctx, 0, (size_t)p->depth + 1, nnd_deep_linear_gamma(p),
                                       optimizer, out, &std, &lr);
    /* With A_l = scale W_l as the trained parameters a step of W by eta is one of A by eta scale^2.
     */
    for (size_t l = 0; status == NND_OK && l <= (size_t)p->depth; l++) {
        std[l] = nnd_deep_linear_scale(p, size, l);
        lr[l] = nnd_deep_linear_raw_rate(p, size) * std[l] * std[l];
    }
    return status;
}

const nnd_simulator nnd_deep_linear_simulator = {
    .model = &nnd_deep_linear_model,
    .block = block,
    .simulate = simulate,
    .keep = keep,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
