/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/models.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/largest.h"
#include "core/timegrid.h"
#include "theory/claims.h"
#include "theory/directional_batch.h"
#include "theory/directional_bounds.h"
#include "theory/directional_polar.h"
#include "theory/shortfall.h"

/* Part of the force on the norm that sampling noise may make up before theory keeps silent. */
static const double NOISE_SHARE = 0.02;

/* Descent is repeated with random errors in every step, as stochastic arithmetic has it (Vignes
 * 1993): so large that rounding is nothing beside them, and so small that what becomes of them is
 * proportional to them. Ten or twenty roundings of a number in a step of either side make a
 * relative error of one or two DBL_EPSILON; it is taken eight times. What becomes of it is a normal
 * number times an amplification, and five of those are all below 1/4 in a run of three thousand. */
enum { TWINS = 5 };
static const double SHAKE = 0x1p-40, STEP_ROUNDING = 8.0 * DBL_EPSILON;

static const char SUNK[] = "smaller than what sampling noise or rounding leaves of an angle";
static const char UNSETTLED[] = "the start has not been forgotten, or fluctuations are wider than "
                                "what theory keeps of them";
static const char AMPLIFIED[] = "rounding errors have grown beyond what a comparison takes for "
                                "rounding";

/* The path of the predictor, and what rounding may make of it; none of gradient flow. */
typedef struct {
    nnd_directional_path path, twin[TWINS];
    size_t twins;
} solution;

/* Everything at one recorded time. */
typedef struct {
    const nnd_directional_path *path;
    const nnd_directional_point *point;
    double time; /* of the flow, or the sum of the rates of all steps before */
    nnd_logistic_averages at;
} view;

static view view_at(const nnd_directional_path *path, size_t i) {
    return (view){path, &path->point[i], path->point[i].time,
                  nnd_logistic_at(path->averages, path->point[i].omega)};
}

typedef double (*curve)(const view *v);

static double or_absent(double x) {
    return isfinite(x) ? x : NAN;
}

static double omega(const view *v) {
    return v->point->omega;
}

static double theta(const view *v) {
    return 2.0 * atan(exp(v->point->zeta));
}

/* cos theta = -tanh zeta */
static double cos_theta(const view *v) {
    return or_absent(-tanh(v->point->zeta));
}

static double log_tan_half(const view *v) {
    return or_absent(v->point->zeta);
}

static double neg_log_sin(const view *v) {
    return or_absent(nnd_directional_neg_log_sin(v->point->zeta));
}

static double error_rate(const view *v) {
    return theta(v) / M_PI;
}

/* directional.md#eq3: e + c0 omega (1 - cos theta); without a predictor it is log 2. */
static double loss(const view *v) {
    double gap = v->point->omega > 0.0 ? nnd_directional_gap(v->point->zeta) : 0.0;
    if (isnan(gap)) /* a direction that is not resolved is close to the teacher's */
        gap = 0.0;
    return v->at.e + v->path->constants.c0 * v->point->omega * gap;
}

static double perp_sign(const view *v) {
    return v->point->sign;
}

static double omega_exponent(const view *v) {
    return or_absent(v->point->omega_exponent);
}

static double angle_exponent(const view *v) {
    return or_absent(v->point->angle_exponent);
}

static double multiplier(const view *v) {
    return v->point->multiplier;
}

/* directional.md#eq8 */
static double omega_law(const view *v) {
    double l = (double)v->path->params->depth;
    return pow((l + 2.0) * v->path->constants.a * v->time, l / (l + 2.0));
}

static double neg_log_sin_law(const view *v) {
    double l = (double)v->path->params->depth;
    return v->path->constants.c0 * (l + 2.0) / (2.0 * l) *
           pow((l + 2.0) * v->path->constants.a, (l - 2.0) / (l + 2.0)) *
           pow(v->time, 2.0 * l / (l + 2.0));
}

static double omega_ratio(const view *v) {
    return v->time > 0.0 ? omega(v) / omega_law(v) : NAN;
}

static double angle_ratio(const view *v) {
    return v->time > 0.0 ? neg_log_sin(v) / neg_log_sin_law(v) : NAN;
}

static double omega_lower(const view *v) {
    return nnd_directional_omega_lower(v->path, v->time);
}

static double omega_upper(const view *v) {
    return nnd_directional_omega_upper(v->path, v->time);
}

static double log_tan_upper(const view *v) {
    return or_absent(nnd_directional_zeta_upper(v->path, v->time));
}

static double cos_lower(const view *v) {
    return -tanh(nnd_directional_zeta_upper(v->path, v->time));
}

static double theta_floor(const view *v) {
    return nnd_directional_floor(v->path, v->point);
}

static double perp_floor(const view *v) {
    return v->point->spread;
}

/* The smallest size at which theory describes a simulated angle: any (0), or none (inf). */
static double angle_min_size(const view *v) {
    return v->point->blind ? INFINITY : 0.0;
}

/* Angles too small to be resolved are still small, unless they are those of sampling noise. */
static double theta_min_size(const view *v) {
    bool noisy = nnd_directional_is_noisy(v->path->params) && v->point->blind;
    return noisy || v->point->lost ? INFINITY : 0.0;
}

static bool wide(const view *v) {
    return v->path->params->batch > 0 &&
           !nnd_directional_batch_small(v->path, v->point->spread, v->point->omega);
}

static double spread_min_size(const view *v) {
    return wide(v) || !v->point->settled ? INFINITY : 0.0;
}

/* Fluctuating by the floor the direction costs the norm c0 floor^2/2 of its force, which the theory
 * of batches takes into account. */
static double norm_min_size(const view *v) {
    if (v->path->params->batch > 0)
        return wide(v) ? INFINITY : 0.0;
    double angle = theta_floor(v), lost = 0.5 * v->path->constants.c0 * angle * angle;
    return v->point->lost || lost > NOISE_SHARE * v->at.delta ? INFINITY : 0.0;
}

/* Its mean over fluctuations is that of the mean square across. */
static double cos_min_size(const view *v) {
    return v->path->params->batch > 0 ? norm_min_size(v) : theta_min_size(v);
}

static bool always(const nnd_directional *p) {
    (void)p;
    return true;
}

static bool stepwise(const nnd_directional *p) {
    return p->integrator == NND_DESCENT;
}

static bool batches(const nnd_directional *p) {
    return p->batch > 0;
}

static const struct {
    const char *name;
    curve value, min_size;
    bool (*wanted)(const nnd_directional *p);
} CURVES[] = {
    {"omega", omega, norm_min_size, always},
    {"omega_law", omega_law, NULL, always},
    {"theta", theta, theta_min_size, always},
    {"theta_floor", theta_floor, NULL, nnd_directional_is_noisy},
    {"perp_floor", perp_floor, spread_min_size, batches},
    {"cos_theta", cos_theta, cos_min_size, always},
    {"cos_lower", cos_lower, NULL, nnd_directional_bounded},
    {"omega_lower", omega_lower, NULL, nnd_directional_bounded},
    {"omega_upper", omega_upper, NULL, nnd_directional_bounded},
    {"log_tan_half", log_tan_half, angle_min_size, always},
    {"log_tan_upper", log_tan_upper, NULL, nnd_directional_bounded},
    {"neg_log_sin", neg_log_sin, angle_min_size, always},
    {"neg_log_sin_law", neg_log_sin_law, NULL, always},
    {"perp_sign", perp_sign, NULL, always},
    {"error_rate", error_rate, theta_min_size, always},
    {"loss", loss, norm_min_size, always},
    {"omega_exponent", omega_exponent, norm_min_size, always},
    {"angle_exponent", angle_exponent, angle_min_size, always},
    {"omega_ratio", omega_ratio, NULL, always},
    {"angle_ratio", angle_ratio, NULL, always},
    {"multiplier", multiplier, NULL, stepwise},
};

static nnd_status add_curve(nnd_frame *frame, const nnd_directional_path *path, const char *name,
                            curve value) {
    double *x;
    nnd_status status = nnd_frame_add_variable(frame, &nnd_directional_model, name, &x);
    for (size_t i = 0; status == NND_OK && i < path->sound; i++) {
        view v = view_at(path, i);
        x[i] = value(&v);
    }
    return status;
}

/* How far rounding has carried a curve at a point: by what twins differ, scaled down. */
static double rounding(const solution *s, curve value, size_t i, double here) {
    double most = 0.0;
    for (size_t k = 0; k < s->twins; k++) {
        if (i >= s->twin[k].sound)
            return INFINITY;
        view there = view_at(&s->twin[k], i);
        most = nnd_largest(most, fabs(value(&there) - here));
    }
    return isnan(most) ? INFINITY : most * (STEP_ROUNDING / SHAKE);
}

/* Largest |x|, to which a comparison relates differences. */
static double scale_of(const nnd_array *x) {
    double most = 0.0;
    for (size_t i = 0; i < x->count; i++)
        most = isnan(x->data[i]) ? most : fmax(most, fabs(x->data[i]));
    return most;
}

/* The smallest sizes at which a curve is claimed, and what limits them. */
typedef struct {
    double *least;
    const char *reason; /* of those that its own rule makes */
    bool limited, amplified;
} claims;

static void find_claims(const solution *s, const nnd_array *x, curve value, curve min_size,
                        claims *c) {
    double limit = NND_ROUNDING * scale_of(x);
    for (size_t i = 0; i < s->path.sound; i++) {
        view v = view_at(&s->path, i);
        c->least[i] = min_size(&v);
        c->limited |= c->least[i] > 0.0;
        if (c->least[i] > 0.0 || isnan(x->data[i]) || rounding(s, value, i, x->data[i]) <= limit)
            continue;
        c->least[i] = INFINITY;
        c->amplified = true;
    }
}

static nnd_status write_claims(nnd_frame *frame, const char *name, size_t count, const claims *c) {
    char full[64];
    double *least;
    nnd_companion_name(name, NND_MIN_SIZE, sizeof full, full);
    nnd_status status = nnd_frame_add_variable(frame, &nnd_directional_model, full, &least);
    if (status == NND_OK)
        memcpy(least, c->least, count * sizeof *least);
    if (status == NND_OK && c->limited)
        status = nnd_claim_reason(frame, name, c->reason);
    if (status == NND_OK && c->amplified)
        status = nnd_claim_reason(frame, name, AMPLIFIED);
    return status;
}

/* Adds the sizes only where one of them says something. */
static nnd_status add_min_size(nnd_context *ctx, nnd_frame *frame, const solution *s,
                               const char *name, curve value, curve min_size) {
    bool spread =
        min_size == spread_min_size || min_size == norm_min_size || min_size == cos_min_size;
    claims c = {.least = calloc(s->path.count, sizeof(double)),
                .reason = spread && batches(s->path.params) ? UNSETTLED : SUNK};
    if (c.least == NULL)
        return nnd_fail_memory(ctx, "the claims of theory");
    find_claims(s, nnd_frame_find(frame, name), value, min_size, &c);
    nnd_status status =
        c.limited || c.amplified ? write_claims(frame, name, s->path.sound, &c) : NND_OK;
    free(c.least);
    return status;
}

/* directional.md#eq9: the multiplier is -1 there; below three layers no norm makes it so, and with
 * a schedule each step has its own. */
static double omega_critical(const nnd_directional_path *path) {
    double l = (double)path->params->depth;
    if (nnd_rates_given(&path->params->schedule))
        return NAN;
    return l > 2.0 ? pow(2.0 / (path->params->lr * path->constants.c0), l / (l - 2.0)) : NAN;
}

/* Where the angle falls below the sampling noise; says so. */
static double floor_time(nnd_context *ctx, const nnd_directional_path *path) {
    for (size_t i = 0; i < path->sound; i++) {
        view v = view_at(path, i);
        if (!(theta(&v) < theta_floor(&v)))
            continue;
        nnd_log(ctx, NND_LOG_NOTE,
                "theory: from t = %g on, theta (%.2g) is below the sampling noise of %.10g samples "
                "(%.2g), where a simulation stays",
                path->t[i], theta(&v), path->params->samples, theta_floor(&v));
        return path->t[i];
    }
    return NAN;
}

static nnd_status add_scalars(nnd_context *ctx, nnd_frame *frame,
                              const nnd_directional_path *path) {
    const nnd_directional *p = path->params;
    nnd_status status =
        nnd_frame_add_number(frame, &nnd_directional_model, "c0", path->constants.c0);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, &nnd_directional_model, "A", path->constants.a);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, &nnd_directional_model, "B", path->constants.b);
    if (status == NND_OK && p->integrator == NND_DESCENT)
        status = nnd_frame_add_number(frame, &nnd_directional_model, "omega_critical",
                                      omega_critical(path));
    if (status == NND_OK && nnd_directional_bounded(p))
        status =
            nnd_frame_add_number(frame, &nnd_directional_model, "turning_time", path->turn.time);
    if (status == NND_OK && nnd_directional_samples_finite(p))
        status = nnd_frame_add_number(frame, &nnd_directional_model, "floor_time",
                                      floor_time(ctx, path));
    if (status == NND_OK)
        status = nnd_frame_add_scalar(frame, NND_DIVERGED_AT, path->diverged_at);
    return status;
}

static nnd_status add_effort(nnd_frame *frame, const nnd_directional_effort *effort) {
    nnd_status status = nnd_frame_set_number(frame, NULL, "ode_tolerance", effort->rtol);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "ode_steps", (double)effort->steps);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "ode_rejected", (double)effort->rejected);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "ode_evaluations", (double)effort->evaluations);
    return status;
}

static nnd_status add_shortfall(nnd_frame *frame, const nnd_directional_path *path) {
    return nnd_shortfall_set(frame,
                             "the flow was followed to t = %g of %g, in %zu steps; lower "
                             "params.time, or start farther from params.theta0 = pi",
                             path->effort.reached, path->t[path->count - 1], path->effort.steps);
}

static nnd_status fill_frame(nnd_context *ctx, nnd_frame *frame, const solution *s) {
    const nnd_directional_path *path = &s->path;
    const nnd_directional *p = path->params;
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    nnd_status status = nnd_frame_add_dim(frame, "t", flow ? NND_COORD_REAL : NND_COORD_INTEGER,
                                          path->count, path->t);
    for (size_t i = 0; status == NND_OK && i < sizeof CURVES / sizeof *CURVES; i++) {
        if (!CURVES[i].wanted(p))
            continue;
        status = add_curve(frame, path, CURVES[i].name, CURVES[i].value);
        if (status == NND_OK && CURVES[i].min_size != NULL)
            status =
                add_min_size(ctx, frame, s, CURVES[i].name, CURVES[i].value, CURVES[i].min_size);
    }
    if (status == NND_OK)
        status = add_scalars(ctx, frame, path);
    return status == NND_OK && flow ? add_effort(frame, &path->effort) : status;
}

/* The status of the path itself. */
static nnd_status solve(nnd_context *ctx, const nnd_directional *p, solution *s) {
    *s = (solution){0};
    nnd_status ran = nnd_directional_path_make(ctx, p, &s->path), status = NND_OK;
    if (ran == NND_OK)
        ran = nnd_directional_path_follow(ctx, &s->path);
    while (ran >= NND_OK && status >= NND_OK && p->integrator == NND_DESCENT && s->twins < TWINS) {
        nnd_directional_path *twin = &s->twin[s->twins++];
        status = nnd_directional_path_make(ctx, p, twin);
        twin->shake = SHAKE;
        twin->shaker = s->twins;
        if (status == NND_OK)
            status = nnd_directional_path_follow(ctx, twin);
    }
    return status >= NND_OK ? ran : status;
}

static void solution_clear(solution *s) {
    nnd_directional_path_clear(&s->path);
    for (size_t k = 0; k < TWINS; k++)
        nnd_directional_path_clear(&s->twin[k]);
}

nnd_status nnd_directional_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    solution s;
    nnd_frame *out = NULL;
    nnd_status ran = solve(ctx, params, &s), status = ran;
    if (status >= NND_OK)
        status = nnd_frame_new(ctx, &out);
    if (status == NND_OK)
        status = fill_frame(ctx, out, &s);
    if (status == NND_OK && ran == NND_NOT_CONVERGED)
        status = add_shortfall(out, &s.path);
    nnd_hand_over(status == NND_OK, out, frame);
    solution_clear(&s);
    return status == NND_OK ? ran : status;
}

nnd_status nnd_directional_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    (void)ctx;
    const nnd_directional *p = params;
    /* One set of averages is about a hundred nodes with two exponentials each. */
    const double averages = 1e4, flow_evaluations = 2e4;
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    double times = nnd_record_most(flow, flow ? p->time : p->steps, &p->record, p->record_every);
    double units = (double)p->init.a.count, unknowns = units > 0.0 ? units * (units + 2.0) : 2.0;
    double evaluations = flow ? flow_evaluations * (units > 0.0 ? unknowns : 1.0) : p->steps;
    double paths = flow ? 1.0 : 1.0 + TWINS, curves = flow ? 20.0 : 20.0 + 8.0 * TWINS;
    cost->flops = paths * evaluations * (averages + 6.0 * unknowns) + curves * times * averages;
    cost->bytes = paths * times * (sizeof(nnd_directional_point) + sizeof(double));
    cost->results = times * 25.0 * sizeof(double);
    if (flow)
        cost->bytes += (times * unknowns + 2.0 * unknowns * unknowns) * sizeof(double);
    return NND_OK;
}
