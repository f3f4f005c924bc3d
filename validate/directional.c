/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/simulators.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/divergence.h"
#include "core/hand_over.h"
#include "core/largest.h"
#include "core/text.h"
#include "core/timegrid.h"
#include "nndmft/directional.h"
#include "validate/directional_network.h"
#include "validate/flow.h"
#include "validate/keeper.h"
#include "validate/recipe.h"

/* An explicit method takes steps as long as the fastest relaxation, however long the time. */
static const double LONGEST_FLOW = 1e5, FLOW_TOLERANCE = 1e-12;
enum { FLOW_MAX_STEPS = 20000000 };

static bool flows(const nnd_directional *p) {
    return p->integrator == NND_GRADIENT_FLOW;
}

/* Networks per block: those under the population gradient are quick. */
static size_t block(const void *params, size_t size) {
    (void)size;
    return nnd_directional_is_noisy(params) ? 1 : 8;
}

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_directional *p = params;
    (void)size;
    if (flows(p) && p->time > LONGEST_FLOW)
        return nnd_object(o, "time", "%g is too long for a simulated flow; allowed: up to %g",
                          p->time, LONGEST_FLOW);
    if (p->init.kind == NND_START_GIVEN && p->dim < p->width + 1)
        return nnd_object(o, "dim", "%lld is too few for an init of %lld units; allowed: >= %lld",
                          (long long)p->dim, (long long)p->width, (long long)p->width + 1);
    if (p->samples > 1e12 && nnd_directional_samples_finite(p))
        return nnd_object(o, "samples", "%g is out of range: a simulation draws up to 1e12",
                          p->samples);
    return true;
}

static double recorded_times(const nnd_directional *p) {
    return nnd_record_most(flows(p), flows(p) ? p->time : p->steps, &p->record, p->record_every);
}

static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_directional *p = params;
    (void)size;
    double dim = (double)p->dim, units = (double)p->width, depth = (double)p->depth;
    bool sampled = nnd_directional_is_noisy(p);
    double inputs = sampled ? dim : fmin(dim, units + 1.0);
    double weights = depth > 1.0 ? units * inputs + (depth - 2.0) * units * units + units : inputs;
    /* A sample costs two products and an exponential, a fresh one also its normals; the population
     * a thousand hyperbolic tangents. */
    double gradient = p->batch > 0 ? (double)p->batch * (44.0 * dim + 80.0)
                      : sampled    ? p->samples * (4.0 * dim + 40.0)
                                   : 1.4e5;
    /* A flow takes seven gradients a step, and steps of about one relaxation time. */
    double gradients = flows(p) ? 7.0 * (3.0 * p->time + 300.0) : p->steps + 1.0;
    return (nnd_simulation_cost){
        .bytes = nnd_directional_network_bytes(p) + (flows(p) ? nnd_flow_bytes(weights) : 0.0),
        .record_bytes = 12.0 * recorded_times(p) * sizeof(double),
        .weight_bytes = nnd_keeper_bytes(weights, recorded_times(p)),
        .flops = gradients * (gradient + 6.0 * weights),
    };
}

/* What one block needs while it trains. */
typedef struct {
    nnd_context *ctx;
    const nnd_directional *params;
    nnd_directional_network net;
    nnd_flow flow;
    size_t count;
    double *t; /* recorded steps or times */
    double *start, *velocity;
    double last_omega, last_angle; /* |w| and -log sin theta one step ago */
    nnd_frame *frame;
    size_t seed;        /* row of the frame */
    nnd_keeper *keeper; /* NULL: nothing is kept */
} run;

static nnd_status make_times(run *r) {
    const nnd_directional *p = r->params;
    nnd_reals times;
    nnd_status status = nnd_record_axis(r->ctx, flows(p), flows(p) ? p->time : p->steps, &p->record,
                                        (size_t)p->record_every, &times);
    r->t = times.value;
    r->count = times.count;
    return status;
}

static nnd_status frame_make(run *r, size_t first_seed, size_t count) {
    static const char *const curves[] = {
        "omega",     "theta",      "cos_theta", "log_tan_half",   "neg_log_sin",
        "perp_sign", "error_rate", "loss",      "omega_exponent", "angle_exponent"};
    bool flow = flows(r->params);
    nnd_status status = nnd_frame_new(r->ctx, &r->frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "seed", count, (double)first_seed);
    if (status == NND_OK)
        status = nnd_frame_add_dim(r->frame, "t", flow ? NND_COORD_REAL : NND_COORD_INTEGER,
                                   r->count, r->t);
    if (status == NND_OK)
        status = nnd_frame_add(r->frame, NND_DIVERGED_AT, "seed", NULL);
    if (status == NND_OK)
        status = nnd_frame_add_variable(r->frame, &nnd_directional_model, "c0", NULL);
    for (size_t i = 0; status == NND_OK && i < sizeof curves / sizeof *curves; i++)
        status = nnd_frame_add_variable(r->frame, &nnd_directional_model, curves[i], NULL);
    if (status == NND_OK && nnd_directional_samples_finite(r->params))
        status = nnd_frame_add_variable(r->frame, &nnd_directional_model, "train_error", NULL);
    if (status == NND_OK && r->params->batch > 0)
        status = nnd_frame_add_variable(r->frame, &nnd_directional_model, "perp_floor", NULL);
    return status;
}

static double *values(const run *r, const char *name) {
    const nnd_array *array = nnd_frame_find(r->frame, name);
    return array->data + r->seed * (array->count / array->shape[0]);
}

/* Norm of a vector whose squares may underflow. */
static double safe_norm(size_t n, const double *x) {
    double largest = 0.0, sum = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = nnd_largest(largest, fabs(x[i]));
    if (largest == 0.0 || !isfinite(largest))
        return largest;
    for (size_t i = 0; i < n; i++)
        sum += x[i] / largest * (x[i] / largest);
    return largest * sqrt(sum);
}

/* The predictor's norm and its part across the first axis, the teacher. */
static void measure(const run *r, double *omega, double *across) {
    const double *w = r->net.w;
    *across = safe_norm(r->net.dim - 1, w + 1);
    *omega = hypot(w[0], *across);
}

static double angle_of(const run *r, double omega, double across) {
    return omega > 0.0 ? atan2(across, r->net.w[0]) : NAN;
}

static double log_tan_half(const run *r, double omega, double across) {
    double along = r->net.w[0];
    double zeta = along > 0.0 ? log(across / (omega + along)) : log((omega - along) / across);
    return isfinite(zeta) ? zeta : NAN;
}

static double sign_of(const run *r, double across) {
    double overlap = 0.0;
    for (size_t i = 1; i < r->net.dim; i++)
        overlap += across > 0.0 ? r->start[i] * (r->net.w[i] / across) : 0.0;
    return (overlap > 0.0) - (overlap < 0.0);
}

/* Exponents of a flow, from the velocity of w. */
static void flow_exponents(run *r, size_t i, double omega, double across) {
    size_t rest = r->net.dim - 1;
    const double *w = r->net.w;
    nnd_directional_network_velocity(&r->net, r->velocity);
    double side = 0.0, sideways = log(omega / across);
    for (size_t j = 1; j <= rest; j++)
        side += across > 0.0 ? w[j] / across * (r->velocity[j] / across) : 0.0;
    double norm = (w[0] * r->velocity[0] + side * across * across) / (omega * omega);
    if (omega > 0.0)
        values(r, "omega_exponent")[i] = r->t[i] * norm;
    if (omega > 0.0 && isfinite(sideways))
        values(r, "angle_exponent")[i] = r->t[i] * (norm - side) / sideways;
}

/* Exponents of descent, between a step and the one before it. */
static void step_exponents(run *r, size_t i, double omega, double angle) {
    double t = r->t[i], ratio = t >= 2.0 ? log(t / (t - 1.0)) : NAN;
    double norm = log(omega / r->last_omega) / ratio, turn = log(angle / r->last_angle) / ratio;
    values(r, "omega_exponent")[i] = isfinite(norm) ? norm : NAN;
    values(r, "angle_exponent")[i] = isfinite(turn) ? turn : NAN;
}

static void record(run *r, size_t i) {
    double omega, across;
    measure(r, &omega, &across);
    double theta = angle_of(r, omega, across), angle = log(omega / across);
    values(r, "omega")[i] = omega;
    values(r, "theta")[i] = theta;
    values(r, "cos_theta")[i] = omega > 0.0 ? r->net.w[0] / omega : NAN;
    values(r, "log_tan_half")[i] = log_tan_half(r, omega, across);
    values(r, "neg_log_sin")[i] = isfinite(angle) ? angle : NAN;
    values(r, "perp_sign")[i] = sign_of(r, across);
    values(r, "error_rate")[i] = theta / M_PI;
    values(r, "loss")[i] = r->net.data.loss;
    if (nnd_directional_samples_finite(r->params))
        values(r, "train_error")[i] = r->net.data.train_error;
    if (r->params->batch > 0)
        values(r, "perp_floor")[i] = across * across / (double)(r->net.dim - 1);
    if (r->keeper != NULL)
        nnd_keeper_take(r->keeper, &r->net.net, 0, i);
    if (flows(r->params))
        flow_exponents(r, i, omega, across);
    else
        step_exponents(r, i, omega, angle);
}

static void begin(run *r, nnd_rng_key key) {
    nnd_directional_network_draw(&r->net, key);
    nnd_directional_network_evaluate(&r->net, 0, true);
    for (size_t i = 0; i < r->net.dim; i++)
        r->start[i] = r->net.w[i];
    double across = safe_norm(r->net.dim - 1, r->start + 1);
    for (size_t i = 1; i < r->net.dim; i++)
        r->start[i] = across > 0.0 ? r->start[i] / across : 0.0;
    *values(r, "c0") = r->net.data.half_mean;
}

static nnd_status descend(run *r) {
    size_t recorded = 0;
    r->last_omega = r->last_angle = NAN;
    for (double t = 0.0; recorded < r->count; t += 1.0) {
        double omega, across;
        bool wanted = r->t[recorded] == t;
        nnd_directional_network_evaluate(&r->net, (size_t)t, wanted);
        measure(r, &omega, &across);
        if (nnd_has_diverged(INFINITY, omega)) {
            *values(r, NND_DIVERGED_AT) = t;
            return NND_OK;
        }
        if (wanted)
            record(r, recorded++);
        r->last_omega = omega;
        r->last_angle = log(omega / across);
        nnd_status status = nnd_progress_step(r->ctx, t, r->t[r->count - 1]);
        if (status != NND_OK)
            return status;
        nnd_directional_network_step(&r->net, (size_t)t);
    }
    return NND_OK;
}

static void flow_rate(void *user, const double *y, double *dydt) {
    run *r = user;
    cblas_dcopy((int)r->flow.n, y, 1, r->net.net.weights, 1);
    nnd_directional_network_evaluate(&r->net, 0, false);
    nnd_directional_network_rate(&r->net, dydt);
}

/* The flow keeps the weights apart from the network, which visits every stage. */
static nnd_status follow(run *r) {
    nnd_status status = NND_OK;
    nnd_flow_start(&r->flow, r->net.net.weights);
    for (size_t i = 0; status == NND_OK && i < r->count; i++) {
        status = nnd_flow_advance(r->ctx, &r->flow, r->t[i]);
        if (status == NND_NOT_CONVERGED)
            *values(r, NND_DIVERGED_AT) = r->flow.walk.t;
        if (status != NND_OK)
            break;
        cblas_dcopy((int)r->flow.n, r->flow.x, 1, r->net.net.weights, 1);
        nnd_directional_network_evaluate(&r->net, 0, true);
        record(r, i);
    }
    return status > NND_OK ? NND_OK : status;
}

static nnd_status run_make(run *r, size_t first_seed, size_t count) {
    nnd_status status = nnd_directional_network_make(r->ctx, r->params, &r->net);
    if (status == NND_OK)
        status = make_times(r);
    if (status == NND_OK)
        status = frame_make(r, first_seed, count);
    if (status != NND_OK)
        return status;
    r->start = calloc(2 * r->net.dim, sizeof(double));
    if (r->start == NULL)
        return nnd_fail_memory(r->ctx, "a network");
    r->velocity = r->start + r->net.dim;
    if (!flows(r->params))
        return NND_OK;
    /* Denormals cannot be followed to a relative tolerance, however short the steps. */
    status = nnd_flow_make(r->ctx, r->net.net.weight_count, flow_rate, r, FLOW_TOLERANCE, DBL_MIN,
                           &r->flow);
    r->flow.max_steps = FLOW_MAX_STEPS;
    return status;
}

static nnd_status train_block(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                              size_t first_seed, size_t count, nnd_keeper *keeper,
                              nnd_frame **frame) {
    run r = {.ctx = ctx, .params = params, .keeper = keeper};
    nnd_status status = run_make(&r, first_seed, count);
    if (status == NND_OK && keeper != NULL)
        status = nnd_keeper_make_of_network(keeper, r.frame, &r.net.net);
    for (r.seed = 0; status == NND_OK && r.seed < count; r.seed++) {
        begin(&r, (nnd_rng_key){base_seed, first_seed + r.seed, size});
        status = flows(r.params) ? follow(&r) : descend(&r);
    }
    nnd_hand_over(status == NND_OK, r.frame, frame);
    free(r.t);
    free(r.start);
    nnd_flow_clear(&r.flow);
    nnd_directional_network_clear(&r.net);
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

/* Root mean square of the entries of each matrix at the start. */
static void init_sizes(const nnd_directional *p, double *std) {
    size_t depth = (size_t)p->depth;
    double units = (double)p->width, dim = (double)p->dim;
    if (p->init.kind == NND_START_GIVEN) {
        double trace = 0.0, square = 0.0;
        for (size_t i = 0; i < (size_t)p->width; i++) {
            trace += p->init.m.value[i * (size_t)p->width + i];
            square += p->init.a.value[i] * p->init.a.value[i];
        }
        std[0] = sqrt(trace / (units * dim));
        std[1] = sqrt(square / units);
        return;
    }
    for (size_t l = 0; l < depth; l++) {
        double rows = l + 1 < depth ? units : 1.0, cols = l == 0 ? dim : units;
        std[l] = pow(p->omega0, 1.0 / (double)depth) / sqrt(rows * cols);
    }
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_directional *p = params;
    double *std = NULL, *lr = NULL;
    char optimizer[256];
    (void)size;
    nnd_text line = nnd_text_in(sizeof optimizer, optimizer);
    if (flows(p))
        nnd_text_add(&line, "gradient flow (SGD in the limit of small rates)");
    else if (p->batch > 0)
        nnd_text_add(&line, "SGD, %lld fresh samples in every step", (long long)p->batch);
    else
        nnd_text_add(&line, "SGD, full batch");
    if (nnd_rates_given(&p->schedule))
        nnd_text_add(&line, ", rates times the schedule,");
    nnd_text_add(&line, " on the mean logistic loss, no biases; weights are no random ones but %s",
                 p->init.kind == NND_START_GIVEN ? "those of init"
                                                 : "rank-one layers aligned with each other");
    nnd_status status = nnd_recipe_new(ctx, 1, (size_t)p->depth, 1.0, optimizer, out, &std, &lr);
    for (size_t l = 0; status == NND_OK && l < (size_t)p->depth; l++)
        lr[l] = flows(p) ? 1.0 : p->lr;
    if (status == NND_OK)
        init_sizes(p, std);
    return status;
}

const nnd_simulator nnd_directional_simulator = {
    .model = &nnd_directional_model,
    .block = block,
    .simulate = simulate,
    .keep = keep,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
