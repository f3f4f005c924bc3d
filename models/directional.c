/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/directional.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rows.h"
#include "core/timegrid.h"

#define FIELD(type, name)   NND_FIELD(type, nnd_directional, name)
#define MIXTURE(type, name) NND_FIELD(type, nnd_mixture, name)
#define LAW(type, name)     NND_FIELD(type, nnd_law, name)
#define START(type, name)   NND_FIELD(type, nnd_start, name)

static const char *const LAWS[] = {"gaussian", "sphere", "mixture", NULL};
static const char *const STARTS[] = {"aligned", "given", NULL};
static const char *const INTEGRATORS[] = {"gd", "flow", NULL};

static const nnd_param MIXTURE_PARAMS[] = {
    {"weights", MIXTURE(REALS, weights), "null", NND_POSITIVE,
     "probability of each scale, normalised to sum 1"},
    {"scales", MIXTURE(REALS, scales), "null", NND_POSITIVE,
     "standard deviations of the Gaussians"},
};
static const nnd_param_table MIXTURE_TABLE = NND_TABLE(MIXTURE_PARAMS, nnd_mixture);

static const nnd_param LAW_PARAMS[] = {
    {"kind", LAW(CHOICE, kind), "gaussian", NND_ANY,
     "gaussian: N(0, 1); sphere: |x| = radius; mixture of Gaussians", .choices = LAWS},
    {"mixture", LAW(GROUP, mixture), "null", NND_ANY, "weights and scales of a mixture",
     .group = &MIXTURE_TABLE},
    {"radius", LAW(REAL, radius), "null", NND_POSITIVE, "of a sphere (default sqrt(dim))"},
};
static const nnd_param_table LAW_TABLE = NND_TABLE(LAW_PARAMS, nnd_law);

static const nnd_param START_PARAMS[] = {
    {"kind", START(CHOICE, kind), "aligned", NND_ANY,
     "aligned: balanced layers of rank one; given: two layers by M, p and a", .choices = STARTS},
    {"M", START(DENSE, m), "null", NND_ANY, "W_1 W_1^T, as many rows as hidden units"},
    {"p", START(REALS, p), "null", NND_ANY, "W_1 v, projection of the first layer on the teacher"},
    {"a", START(REALS, a), "null", NND_ANY, "readout weights W_2"},
};
static const nnd_param_table START_TABLE = NND_TABLE(START_PARAMS, nnd_start);

static const nnd_param PARAMS[] = {
    {"depth", FIELD(INTEGER, depth), "2", NND_BETWEEN(1, 1000),
     "L, number of weight matrices, readout included; 1: linear predictor"},
    {"law", FIELD(GROUP, law), "gaussian", NND_ANY,
     "law of the inputs: gaussian, sphere, {kind: sphere, radius: r}, or {mixture: {weights: "
     "[...], scales: [...]}}",
     .group = &LAW_TABLE, .shorthand = "kind"},
    {"dim", FIELD(INTEGER, dim), "10", NND_BETWEEN(1, 1e9), "D, dimension of the inputs"},
    {"omega0", FIELD(REAL, omega0), "null", NND_NON_NEGATIVE,
     "initial norm of the predictor (default 1)", .symbol = "ω₀", .long_name = "first norm"},
    {"theta0", FIELD(REAL, theta0), "null", NND_BETWEEN(0, M_PI),
     "initial angle between predictor and teacher (default 2)", .symbol = "θ₀",
     .long_name = "first angle"},
    {"integrator", FIELD(CHOICE, integrator), "flow", NND_ANY,
     "gradient descent, or gradient flow up to `time`", .choices = INTEGRATORS},
    {"lr", FIELD(REAL, lr), "null", NND_POSITIVE, "gd: learning rate eta (default 0.5)",
     .symbol = "η₀", .long_name = "learning rate"},
    {"steps", FIELD(REAL, steps), "null", NND_BETWEEN(0, 1e8), "gd: number of steps (default 100)",
     .whole = true},
    NND_SCHEDULE_ROW(nnd_directional),
    {"time", FIELD(REAL, time), "null", NND_POSITIVE, "flow: final time (default 10000)"},
    {"init", FIELD(GROUP, init), "aligned", NND_ANY,
     "aligned: balanced layers of rank one; or two layers {M: [[...]], p: [...], a: [...]}",
     .group = &START_TABLE, .shorthand = "kind"},
    {"samples", FIELD(REAL, samples), "inf", NND_BETWEEN(1, INFINITY),
     "simulation: number of training samples; inf: the population gradient", .whole = true},
    {"batch", FIELD(INTEGER, batch), "0", NND_BETWEEN(0, 1e7),
     "gd: samples that are drawn afresh for every step (SGD); 0: the population gradient"},
    {"width", FIELD(INTEGER, width), "0", NND_BETWEEN(0, 1e5),
     "simulation: units of each hidden layer; 0: those of init, or 8"},
    NND_RECORD_ROWS(nnd_directional, "1"),
};

/* The laws stretch no axis: where they do not hold yet they may be far off. */
static const nnd_guide OMEGA[] = {{"omega_law", "asymptotic law", .aside = true},
                                  {"omega_critical", "critical norm", .aside = true},
                                  {NULL}};
static const nnd_guide ANGLE[] = {{"neg_log_sin_law", "asymptotic law", .aside = true}, {NULL}};
/* Far below the sampling noise an angle is of no interest beside a simulation. */
static const nnd_guide THETA[] = {
    {"theta_floor", "sampling noise", .least = 1e-3},
    {"floor_time", "theory reaches it", NND_GUIDE_PLACE, .dash = 1, .along = "t"},
    {NULL}};

static const nnd_guide OMEGA_BOUND[] = {{"omega", "norm of the predictor", .dash = 1},
                                        {"omega_lower", "lower bound", .aside = true},
                                        {NULL}};
static const nnd_guide ZETA_BOUND[] = {{"log_tan_upper", "upper bound", .aside = true}, {NULL}};
static const nnd_guide COS_BOUND[] = {
    {"cos_lower", "lower bound"},
    {"turning_time", "the norm turns", NND_GUIDE_PLACE, .dash = 2, .along = "t"},
    {NULL}};

static const nnd_variable VARIABLES[] = {
    {"omega", "t", "norm of the predictor", "directional.md#s1: |w|", "direction",
     .drawing = {.x = "t", .log = NND_LOG_XY, .guides = OMEGA}, .symbol = "ω"},
    {"omega_law", "t", "asymptotic law of the norm", "directional.md#eq8", "direction",
     .check = NND_UNCHECKED},
    {"theta", "t", "angle to the teacher", "directional.md#s1: angle between w and v", "floor",
     .nullable = true, .drawing = {.x = "t", .log = NND_LOG_XY, .guides = THETA}, .symbol = "θ"},
    {"theta_floor", "t", "angle of the sampling noise",
     "directional.md#s4: c0 theta = sqrt((D - 1) noise/n)", "floor", .check = NND_UNCHECKED},
    {"perp_floor", "t", "variance of the predictor in a direction across the teacher",
     "directional.md#eq17: Var w_i", "batches", .drawing = {.x = "t", .log = NND_LOG_XY}},
    {"floor_time", "", "time at which the angle falls below the sampling noise",
     "directional.md#s4: theta = theta_floor", "floor", .check = NND_UNCHECKED, .nullable = true},
    {"cos_theta", "t", "cosine of the angle to the teacher", "directional.md#s1: cos theta",
     "bounds", .nullable = true, .drawing = {.x = "t", .log = NND_LOG_X, .guides = COS_BOUND},
     .symbol = "cos θ"},
    {"cos_lower", "t", "least cosine of the angle", "directional.md#eq13: -tanh(log_tan_upper)",
     "bounds", .check = NND_UNCHECKED, .drawing = {.x = "t", .log = NND_LOG_X}},
    {"omega_lower", "t", "least norm of the predictor", "directional.md#eq11", "bounds",
     .check = NND_UNCHECKED, .drawing = {.x = "t", .log = NND_LOG_X}},
    {"omega_upper", "t", "largest norm of the predictor", "directional.md#eq10", "bounds",
     .check = NND_UNCHECKED, .unbounded = true,
     .drawing = {.x = "t", .log = NND_LOG_XY, .guides = OMEGA_BOUND}},
    {"log_tan_upper", "t", "largest log tan(theta/2)",
     "directional.md#eq12: (13) from turning_time on", "angle", .check = NND_UNCHECKED,
     .nullable = true},
    {"turning_time", "", "time from which on the norm grows", "directional.md#s10: omega' = 0",
     "bounds", .check = NND_UNCHECKED, .nullable = true},
    {"log_tan_half", "t", "log tan(theta/2)", "directional.md#s1: zeta", "angle", .nullable = true,
     .drawing = {.x = "t", .log = NND_LOG_X, .guides = ZETA_BOUND}, .symbol = "ζ"},
    {"neg_log_sin", "t", "-log sin theta", "directional.md#s1: log cosh zeta", "direction",
     .nullable = true, .drawing = {.x = "t", .log = NND_LOG_XY, .guides = ANGLE}},
    {"neg_log_sin_law", "t", "asymptotic law of -log sin theta", "directional.md#eq8", "direction",
     .check = NND_UNCHECKED},
    {"perp_sign", "t", "sign of the part of the predictor perpendicular to the teacher",
     "directional.md#s7: relative to its start; 0 without such a part", "angle",
     .check = NND_UNCHECKED},
    {"error_rate", "t", "classification error", "directional.md#s1: theta/pi", "training",
     .nullable = true},
    {"train_error", "t", "classification error on the training samples",
     "directional.md#s3-f: share of y w.x < 0; simulation only", "training",
     .check = NND_UNCHECKED},
    {"loss", "t", "logistic loss", "directional.md#eq1", "training"},
    {"omega_exponent", "t", "local exponent of the norm", "directional.md#s5: d log omega/d log t",
     "exponents", .nullable = true},
    {"angle_exponent", "t", "local exponent of -log sin theta",
     "directional.md#s5: d log(-log sin theta)/d log t", "exponents", .nullable = true},
    {"omega_ratio", "t", "norm over its asymptotic law", "directional.md#eq8", "ratios",
     .check = NND_UNCHECKED, .nullable = true},
    {"angle_ratio", "t", "-log sin theta over its asymptotic law", "directional.md#eq8", "ratios",
     .check = NND_UNCHECKED, .nullable = true},
    {"multiplier", "t", "factor of the perpendicular part in one step",
     "directional.md#s4: 1 - eta h omega^(1 - 2/L)", "stability", .check = NND_UNCHECKED,
     .drawing = {.x = "t", .log = NND_LOG_X, .level_count = 3, .level = {-1.0, 0.0, 1.0}}},
    {"omega_critical", "", "norm beyond which the perpendicular part grows", "directional.md#eq9",
     "direction", .check = NND_UNCHECKED, .nullable = true},
    {"c0", "", "half the mean of |s|", "directional.md#eq2", "constants"},
    {"A", "", "leading coefficient of delta", "directional.md#eq4", "constants",
     .check = NND_UNCHECKED},
    {"B", "", "second coefficient of delta", "directional.md#eq4", "constants",
     .check = NND_UNCHECKED},
};

static bool check_law(nnd_directional *p, nnd_objection *o) {
    nnd_law *law = &p->law;
    size_t weights = law->mixture.weights.count, scales = law->mixture.scales.count;
    if (weights + scales > 0 && law->kind == NND_LAW_SPHERE)
        return nnd_object(o, "law.mixture", "does not go with kind: sphere");
    if (weights + scales > 0)
        law->kind = NND_LAW_MIXTURE;
    if (law->kind == NND_LAW_MIXTURE && (weights == 0 || weights != scales))
        return nnd_object(o, "law.mixture",
                          "%zu weights and %zu scales; allowed: as many of each, at least one",
                          weights, scales);
    if (law->kind != NND_LAW_SPHERE && !isnan(law->radius))
        return nnd_object(o, "law.radius", "%g belongs to kind: sphere", law->radius);
    if (law->kind == NND_LAW_SPHERE && isnan(law->radius))
        law->radius = sqrt((double)p->dim);
    if (law->kind == NND_LAW_SPHERE && p->dim < 2)
        return nnd_object(o, "dim", "%lld is out of range: law sphere needs an integer >= 2",
                          (long long)p->dim);
    return true;
}

/* Values that belong to one integrator only, and what follows from absent ones. */
static bool settle_integrator(nnd_directional *p, nnd_objection *o) {
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    if (flow && !isnan(p->lr))
        return nnd_object(o, "lr", "%g belongs to integrator: gd (flow has time)", p->lr);
    if (flow && !isnan(p->steps))
        return nnd_object(o, "steps", "%g belongs to integrator: gd (flow has time)", p->steps);
    if (flow && nnd_rates_given(&p->schedule))
        return nnd_object(o, "schedule", "belongs to integrator: gd (flow has time)");
    if (!nnd_rates_check(&p->schedule, o))
        return false;
    if (!flow && !isnan(p->time))
        return nnd_object(o, "time", "%g belongs to integrator: flow", p->time);
    if (flow && isnan(p->time))
        p->time = 1e4;
    if (!flow && isnan(p->lr))
        p->lr = 0.5;
    if (!flow && isnan(p->steps))
        p->steps = 100.0;
    return nnd_record_check(&p->record, flow, flow ? p->time : p->steps, o);
}

/* W_1 W_1^T less its part along v, p p^T, has no negative eigenvalue. */
static bool has_room_for_p(const nnd_start *s, nnd_objection *o) {
    size_t k = s->a.count;
    double *rest = calloc(k * k, sizeof *rest), *value = calloc(k, sizeof *value), largest = 0.0;
    bool done = rest != NULL && value != NULL;
    for (size_t i = 0; done && i < k; i++) {
        largest = fmax(largest, s->m.value[i * k + i]);
        for (size_t j = 0; j < k; j++)
            rest[i * k + j] = s->m.value[i * k + j] - s->p.value[i] * s->p.value[j];
    }
    int n = (int)k;
    if (!done)
        (void)nnd_object(o, "init.M", "out of memory");
    else if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', n, rest, n, value) != 0 ||
             !(value[0] >= -1e-12 * largest)) {
        done = false;
        (void)nnd_object(o, "init.M", "less p p^T has the eigenvalue %g; allowed: none below 0",
                         value[0]);
    }
    free(rest);
    free(value);
    return done;
}

static bool check_given(nnd_directional *p, nnd_objection *o) {
    nnd_start *s = &p->init;
    size_t k = s->a.count;
    if (p->depth != 2)
        return nnd_object(o, "init", "a mapping gives two layers, but depth is %lld",
                          (long long)p->depth);
    if (!isnan(p->omega0) || !isnan(p->theta0))
        return nnd_object(o, isnan(p->omega0) ? "theta0" : "omega0", "belongs to init: aligned");
    if (s->m.name != NULL)
        return nnd_object(o, "init.M", "'%s' is a text; allowed: rows of numbers", s->m.name);
    if (k == 0 || s->p.count != k || s->m.rows != k || s->m.cols != k)
        return nnd_object(o, "init",
                          "M is %zu x %zu beside %zu in p and %zu in a; allowed: K x K, "
                          "K and K",
                          s->m.rows, s->m.cols, s->p.count, k);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < i; j++)
            if (s->m.value[i * k + j] != s->m.value[j * k + i])
                return nnd_object(o, "init.M", "is not symmetric");
    if (p->width != 0 && p->width != (int64_t)k)
        return nnd_object(o, "width", "%lld beside an init of %zu units", (long long)p->width, k);
    p->width = (int64_t)k;
    return has_room_for_p(s, o);
}

static bool check_aligned(nnd_directional *p, nnd_objection *o) {
    if (isnan(p->omega0))
        p->omega0 = 1.0;
    if (isnan(p->theta0))
        p->theta0 = 2.0;
    if (p->width == 0)
        p->width = 8;
    if (p->omega0 == 0.0 && p->depth > 1)
        return nnd_object(o, "omega0",
                          "0 is a saddle at depth %lld, where nothing moves; allowed: "
                          "a number > 0, or depth 1",
                          (long long)p->depth);
    if (p->dim == 1 && p->theta0 > 0.0 && p->theta0 < M_PI)
        return nnd_object(o, "theta0", "%g: in one dimension there are only the angles 0 and pi",
                          p->theta0);
    return true;
}

static bool check_batch(const nnd_directional *p, nnd_objection *o) {
    if (p->batch == 0)
        return true;
    if (p->integrator == NND_GRADIENT_FLOW)
        return nnd_object(o, "batch", "%lld belongs to integrator: gd", (long long)p->batch);
    if (nnd_directional_samples_finite(p))
        return nnd_object(o, "batch",
                          "%lld fresh samples in every step beside %g samples; allowed: "
                          "one of them",
                          (long long)p->batch, p->samples);
    if (p->init.kind == NND_START_GIVEN)
        return nnd_object(o, "batch", "%lld does not go with two given layers",
                          (long long)p->batch);
    return p->dim > 1 || nnd_object(o, "batch",
                                    "%lld in one dimension, where nothing is across the "
                                    "teacher; allowed: dim >= 2",
                                    (long long)p->batch);
}

static bool check(void *params, nnd_objection *o) {
    nnd_directional *p = params;
    nnd_start *s = &p->init;
    if (s->m.rows + s->p.count + s->a.count > 0 || s->m.name != NULL)
        s->kind = NND_START_GIVEN;
    if (!check_law(p, o) || !settle_integrator(p, o) || !check_batch(p, o))
        return false;
    return s->kind == NND_START_GIVEN ? check_given(p, o) : check_aligned(p, o);
}

const nnd_model nnd_directional_model = {
    .name = "directional",
    .summary = "direction of deep linear networks under the logistic loss",
    .page = "directional",
    .params = NND_TABLE_OF(PARAMS, nnd_directional),
    NND_VARIABLES(VARIABLES),
    .check = check,
};
