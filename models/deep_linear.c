/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/deep_linear.h"

#include <math.h>

#include "core/rows.h"
#include "core/timegrid.h"
#include "models/guides.h"
#include "models/integration.h"

#define FIELD(type, name) NND_FIELD(type, nnd_deep_linear, name)

static const char *const PARAMETERIZATIONS[] = {"mup", "ntk", NULL};
static const char *const TRAININGS[] = {"fixed", "online", "fresh", NULL};
static const char *const METHODS[] = {"auto",     "euler",       "heun", "rk4",
                                      "adaptive", "interpolate", NULL};

static const nnd_param PARAMS[] = {
    {"depth", FIELD(INTEGER, depth), "1", NND_BETWEEN(1, 1000),
     "L, number of hidden layers; L + 1 matrices with the readout"},
    {"alpha", FIELD(REAL, alpha), "2", NND_POSITIVE_OR_INF,
     "P/D, samples over input dimension; inf: online", .symbol = "α",
     .long_name = "samples per dimension"},
    {"nu", FIELD(REAL, nu), "1", NND_POSITIVE, "N/D, width over input dimension", .symbol = "ν",
     .long_name = "width per dimension"},
    {"gamma0", FIELD(REAL, gamma0), "1", NND_POSITIVE, "output scale; large: rich, small: lazy",
     .symbol = "γ₀", .long_name = "output scale"},
    {"sigma", FIELD(REALS, sigma), "1", NND_POSITIVE,
     "initialisation scale, for all or one per matrix and the readout (L + 1)", .symbol = "σ",
     .long_name = "initialisation scale"},
    {"noise", FIELD(REAL, noise), "0", NND_NON_NEGATIVE, "standard deviation of the label noise",
     .long_name = "label noise"},
    NND_RATE_ROW(nnd_deep_linear, "eta0 gamma^2 D"),
    NND_STEPS_ROW(nnd_deep_linear, 1e7),
    {"parameterization", FIELD(CHOICE, parameterization), "mup", NND_ANY,
     "gamma = gamma0 sqrt(nu) (mup) or gamma0 (ntk)", .choices = PARAMETERIZATIONS},
    {"training", FIELD(CHOICE, training), "fixed", NND_ANY,
     "full batch of fixed data, population gradient, or a new batch at every step (long runs of "
     "which are cheap without spectrum, ntk, density and two_time)",
     .choices = TRAININGS},
    {"center", FIELD(BOOL, center), "false", NND_ANY, "subtract the predictor at initialisation"},
    NND_DESCENT_ROWS(nnd_deep_linear, "decoupled weight decay of gd per step"),
    {"method", FIELD(CHOICE, method), "auto", NND_ANY,
     "theory's flow: steps that keep to `tolerance`, or a Runge-Kutta method with `steps` steps; "
     "auto: rk4 if `steps` is given, else adaptive; networks choose steps of their own; of gd "
     "interpolate: many small steps from runs with few larger ones",
     .choices = METHODS},
    NND_TIME_ROW(nnd_deep_linear),
    NND_MARKS_ROWS(nnd_deep_linear),
    {"two_time", FIELD(BOOL, two_time), "false", NND_ANY,
     "also the order parameters between all pairs of recorded times"},
    {"spectrum", FIELD(BOOL, spectrum), "true", NND_ANY,
     "outlying singular values of the weight matrices"},
    {"outliers", FIELD(INTEGER, outliers), "2", NND_BETWEEN(1, 100),
     "how many outliers per matrix, and of the NTK"},
    {"ntk", FIELD(BOOL, ntk), "true", NND_ANY,
     "leading modes of the training NTK; without them no claim is taken back beyond the edge of "
     "stability"},
    {"density", FIELD(BOOL, density), "false", NND_ANY,
     "density of singular values; a simulation counts them (size up to 500)"},
    {"divergence_bound", FIELD(REAL, divergence_bound), "1e6", NND_POSITIVE,
     "train_mse, relative to its first value, above which a run counts as diverged"},
    {"tolerance",
     FIELD(REAL, tolerance),
     "1e-8",
     {.min = 1e-14, .max = 1e-2},
     "what theory leaves out of fields, relative to the longest so far; also the error of a step "
     "of an adaptive flow"},
    {"check", FIELD(BOOL, check), "true", NND_ANY,
     "repeat theory at 100 times the tolerance: the largest change of a curve is march_error"},
};

static const nnd_param SIMULATE[] = {NND_CONTROL_ROW(nnd_deep_linear)};
static const nnd_guide NTK_BULK[] = {{"ntk_edge", "edge of the bulk"}, {NULL}};
static const nnd_guide SPECTRUM[] = {
    {"sv_density", "theory, bulk"}, {"outlier", "theory, outlier", NND_GUIDE_ARROW}, {NULL}};

/* Densities of singular values. */
#define DENSITIES                                                                                  \
    { .x = "z", .facet = "matrix", .last = true, .most = 3, .histogram = true, .guides = SPECTRUM }

static const nnd_variable VARIABLES[] = {
    {"test_risk", "t", "excess test risk", "deep-linear.md#s2-4: |beta* - beta|^2", "training",
     .symbol = "|β*−β|²"},
    {"train_mse", "t", "training mean squared error", "deep-linear.md#s2-4: |Delta|^2/P",
     "training", .symbol = "|Δ|²/P"},
    {"overlap", "t", "overlap with the target", "deep-linear.md#s2-4: beta . beta*", "training",
     .symbol = "⟨β,β*⟩"},
    {"beta_norm2", "t", "squared norm of the predictor", "deep-linear.md#s2-4: |beta|^2",
     "training", .symbol = "|β|²"},
    {"g_norm2", "t,layer", "squared norm of the backward field", "deep-linear.md#s2-2: G_l(t,t)",
     "norms", .symbol = "G_ℓ(t,t)"},
    {"h_norm2", "t,layer", "squared norm of the forward field", "deep-linear.md#s2-2: H_l(t,t)",
     "norms", .symbol = "H_ℓ(t,t)"},
    {"g_two_time", "layer,t,s", "two-time overlap of the backward field",
     "deep-linear.md#s2-2: G_l(t,s)", "two-time", .symbol = "G_ℓ(t,s)"},
    {"h_two_time", "layer,t,s", "two-time overlap of the forward field",
     "deep-linear.md#s2-2: H_l(t,s)", "two-time", .symbol = "H_ℓ(t,s)"},
    {"delta_two_time", "t,s", "two-time overlap of the error in the predictor",
     "deep-linear.md#s2-2: C_delta(t,s)", "two-time", .symbol = "C_δ(t,s)"},
    {"train_two_time", "t,s", "two-time overlap of the training residual",
     "deep-linear.md#s2-2: C_r(t,s)", "two-time", .symbol = "C_r(t,s)"},
    {"outlier", "t,matrix,k", "singular value", "deep-linear.md#s3-3", "outliers", .nullable = true,
     .lead = true, .drawing = {.facet = "matrix", .rank = "k", .guides = NND_BULK_EDGE}},
    {"bulk_edge", "t,matrix", "edge of the bulk", "deep-linear.md#s3: kappa sigma (1 + sqrt(phi))",
     "outliers", .check = NND_UNCHECKED},
    {"escape_time", "matrix,k", "escape time", "deep-linear.md#s3-3: Lambda_k(z_+) = 1", "escape",
     .check = NND_UNCHECKED, .nullable = true, .drawing = {.rank = "k", .markers = true}},
    {"outlier_overlap_target", "t,k", "squared overlap with the target",
     "deep-linear.md#s3-4: right vector of A_0", "overlaps", .nullable = true},
    {"outlier_overlap_readout", "t,k", "squared overlap with the readout",
     "deep-linear.md#s3-4: left vector of A_{L-1}", "overlaps", .nullable = true},
    {"ntk_top", "t,k", "top eigenvalue of the NTK", "deep-linear.md#s4-3", "stability",
     .nullable = true, .drawing = {.rank = "k", .guides = NTK_BULK}},
    {"ntk_edge", "t", "bulk edge of the NTK", "deep-linear.md#s4-1: min lambda(x)", "stability",
     .check = NND_UNCHECKED},
    {"stability", "t", "learning rate times top eigenvalue", "deep-linear.md#s4: eta0 lambda_max",
     "stability", .drawing = {.level_count = 1, .level = {2.0}, .guides = NND_STABILITY_EDGE},
     .symbol = "η₀λ_max"},
    {"stability_edge", "", "edge of stability",
     "deep-linear.md#s4: (2 - weight_decay) (1 + momentum)", "stability", .check = NND_UNCHECKED},
    {"ntk_residual_overlap", "t", "squared overlap of the top NTK mode with the residual",
     "deep-linear.md#s4-4", "overlaps", .nullable = true},
    {"step_error", "", "error of the simulated flow, summed over its steps",
     "deep-linear.md#s1-1: |dA_l|/sigma_l", NULL, .check = NND_UNCHECKED},
    {"sv_density", "matrix,z", "density of singular values", "deep-linear.md#s3: bulk law",
     "spectrum", .check = NND_UNCHECKED, .drawing = DENSITIES},
    {"sv_hist", "t,matrix,z", "histogram of singular values", "deep-linear.md#s3", "spectrum",
     .check = NND_UNCHECKED, .drawing = DENSITIES},
};

bool nnd_deep_linear_adapts(const nnd_deep_linear *p) {
    return nnd_integration_adapts(p->integrator, p->method);
}

static double last_mark(const nnd_deep_linear *p) {
    return nnd_deep_linear_adapts(p) ? p->time : (double)p->steps;
}

/* Steps of the first run of method: interpolate, about; so many times as many at least are worth
 * it.
 */
static const int64_t FIRST_NODE = 200, MANY_NODES = 16;

static nnd_integration integration(nnd_deep_linear *p) {
    return (nnd_integration){
        .integrator = p->integrator,
        .method = &p->method,
        .methods = METHODS,
        .method_of_descent = NND_INTERPOLATE,
        .lr = &p->lr,
        .time = &p->time,
        .steps = &p->steps,
        .record = &p->record,
        .record_every = p->record_every,
        .momentum = p->momentum,
        .weight_decay = p->weight_decay,
        .schedule = &p->schedule,
    };
}

/* Runs with fewer steps are of plain descent, and have the recorded times among their own. */
static bool check_interpolation(const nnd_deep_linear *p, nnd_objection *o) {
    if (p->integrator != NND_DESCENT)
        return nnd_object(o, "method", "interpolate belongs to integrator: gd");
    if (p->momentum > 0.0)
        return nnd_object(o, "momentum", "%g does not go with method: interpolate", p->momentum);
    if (p->weight_decay > 0.0)
        return nnd_object(o, "weight_decay", "%g does not go with method: interpolate",
                          p->weight_decay);
    if (nnd_rates_given(&p->schedule))
        return nnd_object(o, "schedule", "does not go with method: interpolate");
    if (p->training == NND_TRAIN_FRESH)
        return nnd_object(o, "training", "fresh batches do not go with method: interpolate");
    if (p->steps < MANY_NODES * FIRST_NODE)
        return nnd_object(o, "steps", "%lld are few: method: interpolate needs an integer >= %lld",
                          (long long)p->steps, (long long)(MANY_NODES * FIRST_NODE));
    int64_t unit = nnd_deep_linear_record_unit(p);
    return unit >= MANY_NODES ||
           nnd_object(o, p->record.count > 0 ? "record" : "record_every",
                      "%lld is the common divisor of recorded steps and `steps`; method: "
                      "interpolate needs one >= %lld",
                      (long long)unit, (long long)MANY_NODES);
}

static bool check(void *params, nnd_objection *o) {
    nnd_deep_linear *p = params;
    size_t matrices = (size_t)p->depth + 1;
    if (p->sigma.count != 1 && p->sigma.count != matrices)
        return nnd_object(o, "sigma", "a list of %zu; allowed: one value, or %zu (depth + 1)",
                          p->sigma.count, matrices);
    if (isinf(p->alpha))
        p->training = NND_TRAIN_ONLINE;
    if (p->training == NND_TRAIN_ONLINE)
        p->alpha = INFINITY;
    nnd_integration x = integration(p);
    if (!nnd_integration_settle(&x, o))
        return false;
    if (p->integrator == NND_GRADIENT_FLOW && p->training == NND_TRAIN_FRESH)
        return nnd_object(o, "training", "fresh batches belong to integrator: gd");
    if (!nnd_integration_check_record(&x, o))
        return false;
    return p->method != NND_INTERPOLATE || check_interpolation(p, o);
}

static const nnd_view VIEWS[] = {{"transfer",
                                  {"train_mse", "test_risk"},
                                  .lead = true,
                                  .drawing = {.x = "lr",
                                              .log = NND_LOG_XY,
                                              .facet = "parameterization",
                                              .last = true,
                                              .gaps = true,
                                              .lowest = "lr",
                                              .headroom = 30.0}},
                                 {NULL}};

const nnd_model nnd_deep_linear_model = {
    .name = "deep-linear",
    .summary = "deep linear networks in the proportional limit",
    .page = "deep-linear",
    .loss = "train_mse",
    .params = NND_TABLE_OF(PARAMS, nnd_deep_linear),
    .simulate = NND_TABLE_OF(SIMULATE, nnd_deep_linear),
    NND_VARIABLES(VARIABLES),
    .views = VIEWS,
    .sized = true,
    .check = check,
};

double nnd_deep_linear_sigma(const nnd_deep_linear *p, size_t l) {
    return p->sigma.value[p->sigma.count == 1 ? 0 : l];
}

double nnd_deep_linear_rate(const nnd_deep_linear *p, size_t step) {
    return nnd_rates_at(&p->schedule, step);
}

nnd_status nnd_deep_linear_marks(nnd_context *ctx, const nnd_deep_linear *p, nnd_reals *marks) {
    return nnd_record_axis(ctx, nnd_deep_linear_adapts(p), last_mark(p), &p->record,
                           (size_t)p->record_every, marks);
}

double nnd_deep_linear_most_marks(const nnd_deep_linear *p) {
    return nnd_record_most(nnd_deep_linear_adapts(p), last_mark(p), &p->record, p->record_every);
}

double nnd_deep_linear_time(const nnd_deep_linear *p, double mark) {
    return nnd_integration_time(p->integrator, p->method, p->time, p->steps, mark);
}

static int64_t common_divisor(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

int64_t nnd_deep_linear_record_unit(const nnd_deep_linear *p) {
    int64_t unit = p->steps;
    if (p->record.count == 0)
        return common_divisor(unit, p->record_every);
    for (size_t i = 0; i < p->record.count; i++)
        unit = common_divisor(
            unit, p->record.value[i] == (double)NND_WORD ? 1 : (int64_t)p->record.value[i]);
    return unit;
}

int64_t nnd_deep_linear_first_node(const nnd_deep_linear *p) {
    int64_t units = p->steps / nnd_deep_linear_record_unit(p);
    return units < FIRST_NODE ? FIRST_NODE / units * units : units;
}

nnd_status nnd_deep_linear_add_bins(const nnd_deep_linear *p, nnd_frame *frame) {
    enum { BINS = 96 };
    double largest = 0.0, z[BINS];
    for (size_t l = 0; l < (size_t)p->depth; l++)
        largest = fmax(largest, nnd_deep_linear_sigma(p, l));
    double width = 4.0 * largest * sqrt(fmax(1.0, p->nu)) / BINS;
    for (size_t i = 0; i < BINS; i++)
        z[i] = ((double)i + 0.5) * width;
    return nnd_frame_add_dim(frame, "z", NND_COORD_REAL, BINS, z);
}
