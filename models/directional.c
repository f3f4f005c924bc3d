/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/directional.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/timegrid.h"

#define FIELD(name) offsetof(nnd_directional, name)
#define LAW(name)   offsetof(nnd_law, name)
#define START(name) offsetof(nnd_start, name)

static const char *const LAWS[] = {"gaussian", "sphere", "mixture", NULL};
static const char *const STARTS[] = {"aligned", "given", NULL};
static const char *const INTEGRATORS[] = {"gd", "flow", NULL};

static const nnd_param MIXTURE_PARAMS[] = {
    {.name = "weights",
     .type = NND_REALS,
     .offset = LAW(mixture.weights) - LAW(mixture),
     .fallback = "null",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "probability of each scale, normalised to sum 1"},
    {.name = "scales",
     .type = NND_REALS,
     .offset = LAW(mixture.scales) - LAW(mixture),
     .fallback = "null",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "standard deviations of the Gaussians"},
};
static const nnd_param_table MIXTURE_TABLE = {MIXTURE_PARAMS,
                                              sizeof MIXTURE_PARAMS / sizeof *MIXTURE_PARAMS,
                                              sizeof((nnd_law *)NULL)->mixture};

static const nnd_param LAW_PARAMS[] = {
    {.name = "kind",
     .type = NND_CHOICE,
     .offset = LAW(kind),
     .fallback = "gaussian",
     .choices = LAWS,
     .doc = "gaussian: N(0, 1); sphere: |x|^2 = dim; mixture of Gaussians"},
    {.name = "mixture",
     .type = NND_GROUP,
     .offset = LAW(mixture),
     .fallback = "null",
     .group = &MIXTURE_TABLE,
     .doc = "weights and scales of a mixture"},
};
static const nnd_param_table LAW_TABLE = {LAW_PARAMS, sizeof LAW_PARAMS / sizeof *LAW_PARAMS,
                                          sizeof(nnd_law)};

static const nnd_param START_PARAMS[] = {
    {.name = "kind",
     .type = NND_CHOICE,
     .offset = START(kind),
     .fallback = "aligned",
     .choices = STARTS,
     .doc = "aligned: balanced layers of rank one; given: two layers by M, p and a"},
    {.name = "M",
     .type = NND_DENSE,
     .offset = START(m),
     .fallback = "null",
     .unit = "1",
     .doc = "W_1 W_1^T, as many rows as hidden units"},
    {.name = "p",
     .type = NND_REALS,
     .offset = START(p),
     .fallback = "null",
     .unit = "1",
     .doc = "W_1 v, projection of the first layer on the teacher"},
    {.name = "a",
     .type = NND_REALS,
     .offset = START(a),
     .fallback = "null",
     .unit = "1",
     .doc = "readout weights W_2"},
};
static const nnd_param_table START_TABLE = {
    START_PARAMS, sizeof START_PARAMS / sizeof *START_PARAMS, sizeof(nnd_start)};

static const nnd_param PARAMS[] = {
    {.name = "depth",
     .type = NND_INTEGER,
     .offset = FIELD(depth),
     .fallback = "2",
     .range = {.min = 1, .max = 1000},
     .unit = "1",
     .doc = "L, number of weight matrices; 1: linear predictor"},
    {.name = "law",
     .type = NND_GROUP,
     .offset = FIELD(law),
     .fallback = "gaussian",
     .group = &LAW_TABLE,
     .shorthand = "kind",
     .doc = "law of the inputs: gaussian, sphere, or {mixture: {weights: [...], scales: [...]}}"},
    {.name = "dim",
     .type = NND_INTEGER,
     .offset = FIELD(dim),
     .fallback = "10",
     .range = {.min = 1, .max = 1e9},
     .unit = "1",
     .doc = "D, dimension of the inputs"},
    {.name = "omega0",
     .type = NND_REAL,
     .offset = FIELD(omega0),
     .fallback = "null",
     .range = NND_NON_NEGATIVE,
     .unit = "1",
     .doc = "initial norm of the predictor (default 1)"},
    {.name = "theta0",
     .type = NND_REAL,
     .offset = FIELD(theta0),
     .fallback = "null",
     .range = {.min = 0, .max = M_PI},
     .unit = "1",
     .doc = "initial angle between predictor and teacher (default 2)"},
    {.name = "integrator",
     .type = NND_CHOICE,
     .offset = FIELD(integrator),
     .fallback = "flow",
     .choices = INTEGRATORS,
     .doc = "gradient descent, or gradient flow up to `time`"},
    {.name = "lr",
     .type = NND_REAL,
     .offset = FIELD(lr),
     .fallback = "null",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "gd: learning rate eta (default 0.5)"},
    {.name = "steps",
     .type = NND_REAL,
     .offset = FIELD(steps),
     .fallback = "null",
     .range = {.min = 0, .max = 1e8},
     .unit = "1",
     .doc = "gd: number of steps (default 100)"},
    {.name = "time",
     .type = NND_REAL,
     .offset = FIELD(time),
     .fallback = "null",
     .range = NND_POSITIVE,
     .unit = "1",
     .doc = "flow: final time (default 10000)"},
    {.name = "init",
     .type = NND_GROUP,
     .offset = FIELD(init),
     .fallback = "aligned",
     .group = &START_TABLE,
     .shorthand = "kind",
     .doc = "aligned: balanced layers of rank one; or two layers {M: [[...]], p: [...], a: [...]}"},
    {.name = "samples",
     .type = NND_REAL,
     .offset = FIELD(samples),
     .fallback = "inf",
     .range = {.min = 1, .max = INFINITY},
     .unit = "1",
     .doc = "simulation: number of training samples; inf: the population gradient"},
    {.name = "width",
     .type = NND_INTEGER,
     .offset = FIELD(width),
     .fallback = "0",
     .range = {.min = 0, .max = 1e5},
     .unit = "1",
     .doc = "simulation: units of each hidden layer; 0: those of init, or 8"},
    {.name = "record",
     .type = NND_REALS,
     .offset = FIELD(record),
     .fallback = "null",
     .range = NND_NON_NEGATIVE,
     .unit = "1",
     .doc = "steps (gd) or times (flow; default: 200 log-spaced) to record, besides the last"},
    {.name = "record_every",
     .type = NND_INTEGER,
     .offset = FIELD(record_every),
     .fallback = "1",
     .range = {.min = 1, .max = 1e8},
     .unit = "1",
     .doc = "gd: record every n-th step, when there is no `record`"},
};

static const nnd_param_table PARAM_TABLE = {
    PARAMS,
    sizeof PARAMS / sizeof *PARAMS,
    sizeof(nnd_directional),
};

#define UNCHECKED                                                                                  \
    { NND_CHECK_NONE, NULL }

static const nnd_variable VARIABLES[] = {
    {.name = "omega",
     .dims = "t",
     .unit = "1",
     .long_name = "norm of the predictor",
     .equation = "directional.md#s1: |w|",
     .view = "direction"},
    {.name = "omega_law",
     .dims = "t",
     .unit = "1",
     .long_name = "asymptotic law of the norm",
     .equation = "directional.md#eq8",
     .check = UNCHECKED,
     .view = "direction"},
    {.name = "theta",
     .dims = "t",
     .unit = "1",
     .long_name = "angle to the teacher",
     .equation = "directional.md#s1: angle between w and v",
     .nullable = true,
     .view = "floor"},
    {.name = "theta_floor",
     .dims = "t",
     .unit = "1",
     .long_name = "angle of the sampling noise",
     .equation = "directional.md#s4: c0 theta = sqrt((D - 1) noise/n)",
     .check = UNCHECKED,
     .view = "floor"},
    {.name = "floor_time",
     .dims = "",
     .unit = "1",
     .long_name = "time at which the angle falls below the sampling noise",
     .equation = "directional.md#s4: theta = theta_floor",
     .check = UNCHECKED,
     .nullable = true,
     .view = "floor"},
    {.name = "log_tan_half",
     .dims = "t",
     .unit = "1",
     .long_name = "log tan(theta/2)",
     .equation = "directional.md#s1: zeta",
     .nullable = true,
     .view = "angle"},
    {.name = "neg_log_sin",
     .dims = "t",
     .unit = "1",
     .long_name = "-log sin theta",
     .equation = "directional.md#s1: log cosh zeta",
     .nullable = true,
     .view = "direction"},
    {.name = "neg_log_sin_law",
     .dims = "t",
     .unit = "1",
     .long_name = "asymptotic law of -log sin theta",
     .equation = "directional.md#eq8",
     .check = UNCHECKED,
     .view = "direction"},
    {.name = "perp_sign",
     .dims = "t",
     .unit = "1",
     .long_name = "sign of the part of the predictor perpendicular to the teacher",
     .equation = "directional.md#s7: relative to its start; 0 without such a part",
     .check = UNCHECKED,
     .view = "angle"},
    {.name = "error_rate",
     .dims = "t",
     .unit = "1",
     .long_name = "classification error",
     .equation = "directional.md#s1: theta/pi",
     .nullable = true,
     .view = "training"},
    {.name = "train_error",
     .dims = "t",
     .unit = "1",
     .long_name = "classification error on the training samples",
     .equation = "directional.md#s3-f: share of y w.x < 0; simulation only",
     .check = UNCHECKED,
     .view = "training"},
    {.name = "loss",
     .dims = "t",
     .unit = "1",
     .long_name = "logistic loss",
     .equation = "directional.md#eq1",
     .view = "training"},
    {.name = "omega_exponent",
     .dims = "t",
     .unit = "1",
     .long_name = "local exponent of the norm",
     .equation = "directional.md#s5: d log omega/d log t",
     .nullable = true,
     .view = "exponents"},
    {.name = "angle_exponent",
     .dims = "t",
     .unit = "1",
     .long_name = "local exponent of -log sin theta",
     .equation = "directional.md#s5: d log(-log sin theta)/d log t",
     .nullable = true,
     .view = "exponents"},
    {.name = "omega_ratio",
     .dims = "t",
     .unit = "1",
     .long_name = "norm over its asymptotic law",
     .equation = "directional.md#eq8",
     .check = UNCHECKED,
     .nullable = true,
     .view = "ratios"},
    {.name = "angle_ratio",
     .dims = "t",
     .unit = "1",
     .long_name = "-log sin theta over its asymptotic law",
     .equation = "directional.md#eq8",
     .check = UNCHECKED,
     .nullable = true,
     .view = "ratios"},
    {.name = "multiplier",
     .dims = "t",
     .unit = "1",
     .long_name = "factor of the perpendicular part in one step",
     .equation = "directional.md#s4: 1 - eta h omega^(1 - 2/L)",
     .check = UNCHECKED,
     .view = "stability"},
    {.name = "omega_critical",
     .dims = "",
     .unit = "1",
     .long_name = "norm beyond which the perpendicular part grows",
     .equation = "directional.md#eq9",
     .check = UNCHECKED,
     .nullable = true,
     .view = "direction"},
    {.name = "c0",
     .dims = "",
     .unit = "1",
     .long_name = "half the mean of |s|",
     .equation = "directional.md#eq2",
     .view = "constants"},
    {.name = "A",
     .dims = "",
     .unit = "1",
     .long_name = "leading coefficient of delta",
     .equation = "directional.md#eq4",
     .check = UNCHECKED,
     .view = "constants"},
    {.name = "B",
     .dims = "",
     .unit = "1",
     .long_name = "second coefficient of delta",
     .equation = "directional.md#eq4",
     .check = UNCHECKED,
     .view = "constants"},
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
    if (!flow && !isnan(p->time))
        return nnd_object(o, "time", "%g belongs to integrator: flow", p->time);
    if (!flow && p->steps != floor(p->steps) && !isnan(p->steps))
        return nnd_object(o, "steps", "%g is no whole number", p->steps);
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

static bool check(void *params, nnd_objection *o) {
    nnd_directional *p = params;
    nnd_start *s = &p->init;
    if (s->m.rows + s->p.count + s->a.count > 0 || s->m.name != NULL)
        s->kind = NND_START_GIVEN;
    if (isfinite(p->samples) && p->samples != floor(p->samples))
        return nnd_object(o, "samples", "%g is no whole number", p->samples);
    if (!check_law(p, o) || !settle_integrator(p, o))
        return false;
    return s->kind == NND_START_GIVEN ? check_given(p, o) : check_aligned(p, o);
}

const nnd_model nnd_directional_model = {
    .name = "directional",
    .summary = "direction of deep linear networks under the logistic loss",
    .page = "directional",
    .params = &PARAM_TABLE,
    .variable_count = sizeof VARIABLES / sizeof *VARIABLES,
    .variables = VARIABLES,
    .check = check,
};
