/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Variables of the model `scaling-laws`. Ridge has no `t`. */
#include "models/scaling_laws_impl.h"

#include "core/rows.h"

#define OVER_TIME                                                                                  \
    { .x = "t", .log = NND_LOG_XY }
#define OVER_COMPUTE                                                                               \
    { .x = "compute", .log = NND_LOG_XY }

static const nnd_guide FLOORS[] = {
    {"test_mse_inf", "converged", NND_GUIDE_LINE, .aside = true},
    {"plateau", "plateau of noise", NND_GUIDE_LINE, .dash = 1, .aside = true},
    {NULL}};

static const nnd_guide ENVELOPE[] = {{"optimal_risk", "best width", NND_GUIDE_LINE, .dash = 1},
                                     {NULL}};

const nnd_variable nnd_scaling_laws_variables[NND_SCALING_VARIABLES] = {
    {"test_mse", "[t]", "test loss, noise included", "scaling-laws.md#eq8: L", "loss",
     .unbounded = true, .lead = true, .drawing = {.x = "t", .log = NND_LOG_XY, .guides = FLOORS},
     .symbol = "L"},
    {"train_mse", "[t]", "training loss", "scaling-laws.md#eq9: T = |y - f|^2/P", "loss",
     .drawing = OVER_TIME, .symbol = "T"},
    {"test_risk", "[t]", "test loss without noise", "scaling-laws.md#eq8: L - noise2", "risk",
     .unbounded = true, .drawing = OVER_TIME, .symbol = "L−σ²"},
    {"same_projection", "[t]", "product of errors of two students with the same projection",
     "scaling-laws.md#eq5: without 1/P", "pairs", .unbounded = true, .drawing = OVER_TIME},
    {"same_data", "[t]", "product of errors of two students with the same data",
     "scaling-laws.md#eq5: without 1/N", "pairs", .nullable = true, .unbounded = true,
     .drawing = OVER_TIME},
    {"independent", "[t]", "product of errors of two independent students",
     "scaling-laws.md#eq5: without 1/N and 1/P", "pairs", .drawing = OVER_TIME},
    {"bias", "[t]", "squared bias", "scaling-laws.md#s3: of the mean over projections and data",
     "split", .drawing = OVER_TIME},
    {"var_data", "[t]", "variance from the data", "scaling-laws.md#s3: same_data - bias", "split",
     .nullable = true, .unbounded = true, .drawing = OVER_TIME},
    {"var_projection", "[t]", "variance from the projection",
     "scaling-laws.md#s3: same_projection - bias", "split", .unbounded = true,
     .drawing = OVER_TIME},
    {"var_joint", "[t]", "variance from data and projection jointly",
     "scaling-laws.md#s3: test_risk less the other three", "split", .nullable = true,
     .unbounded = true, .drawing = OVER_TIME},
    {"ensemble_risk", "[t]", "test loss of the mean of an ensemble, without noise",
     "scaling-laws.md#s3", "ensemble", .nullable = true, .unbounded = true, .drawing = OVER_TIME},
    {"exponent", "t", "local exponent of test_risk", "scaling-laws.md#s8: d log/d log t", "risk",
     .check = NND_UNCHECKED, .nullable = true, .drawing = {.x = "t", .log = NND_LOG_X}},
    {"compute_used", "t", "compute of all students", "scaling-laws.md#s8: C = N t of each", NULL,
     .check = NND_UNCHECKED, .symbol = "C"},
    {"kappa0", "", "renormalised ridge at late times",
     "scaling-laws.md#eq2: df(kappa0) = min(N, P)", "constants", .check = NND_UNCHECKED,
     .symbol = "κ₀"},
    {"test_mse_inf", "", "test loss when training has converged", "scaling-laws.md#eq16",
     "constants", .check = NND_UNCHECKED, .unbounded = true},
    {"top_eigenvalue", "", "largest eigenvalue of the training kernel", "scaling-laws.md#s6: x_max",
     "constants", .check = NND_UNCHECKED, .symbol = "λ_max"},
    {"stability", "", "lr times the largest eigenvalue; SGD: gain of the gradient noise",
     "scaling-laws.md#eq14: Sigma", "constants", .check = NND_UNCHECKED},
    {"stability_edge", "", "stability at which training diverges",
     "scaling-laws.md#s4: 2 (1 + momentum); SGD: 1", "constants", .check = NND_UNCHECKED},
    {"plateau", "", "test loss to which SGD goes", "scaling-laws.md#eq14: G(kappa0)/(1 - Sigma)",
     "constants", .check = NND_UNCHECKED, .unbounded = true},
    {"contour_error", "", "largest difference between contours of n and n + 4 points",
     "scaling-laws.md#s6", "constants", .check = NND_UNCHECKED},
    {"risk_at_compute", "compute", "loss without noise at given compute",
     "scaling-laws.md#s8: L(N, C/N) of this width", "envelope", .check = NND_UNCHECKED,
     .nullable = true, .drawing = {.x = "compute", .log = NND_LOG_XY, .guides = ENVELOPE}},
    {"optimal_width", "compute", "width of least loss at given compute",
     "scaling-laws.md#s8: N*(C)", "frontier", .check = NND_UNCHECKED, .nullable = true,
     .drawing = OVER_COMPUTE},
    {"optimal_risk", "compute", "least loss without noise at given compute",
     "scaling-laws.md#s8: L*(C)", "frontier", .check = NND_UNCHECKED, .nullable = true,
     .drawing = OVER_COMPUTE},
    {"optimal_time", "compute", "training time of least loss at given compute",
     "scaling-laws.md#s8: C/N*(C)", "frontier", .check = NND_UNCHECKED, .nullable = true,
     .drawing = OVER_COMPUTE},
    {"optimal_width_exponent", "compute", "local exponent of optimal_width",
     "scaling-laws.md#eq18: x", "frontier-exponents", .check = NND_UNCHECKED, .nullable = true,
     .drawing = {.x = "compute", .log = NND_LOG_X}},
    {"optimal_risk_exponent", "compute", "local exponent of optimal_risk",
     "scaling-laws.md#eq18: -y", "frontier-exponents", .check = NND_UNCHECKED, .nullable = true,
     .drawing = {.x = "compute", .log = NND_LOG_X}},
};
