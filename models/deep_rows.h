/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Rows of the tables that models of fluctuations of deep networks share (deep-fluctuations.md). */
#ifndef NNDMFT_MODELS_DEEP_ROWS_H
#define NNDMFT_MODELS_DEEP_ROWS_H

#include "core/rows.h"

/* clang-format off */
/** What the network is and how it is trained; fields are called like the parameters. */
#define NND_DEEP_NETWORK_ROWS(structure)                                                           \
    {"depth", NND_FIELD(INTEGER, structure, depth), "2", NND_BETWEEN(1, 100),                      \
     "L, number of hidden layers; L + 1 matrices with the readout"},                               \
    {"sigma_w", NND_FIELD(REAL, structure, sigma_w), "1", NND_POSITIVE,                            \
     "initialisation scale of every layer, readout included", .symbol = "σ_w",                     \
     .long_name = "initialisation scale"},                                                         \
    {"gamma0", NND_FIELD(REAL, structure, gamma0), "1", NND_FROM(1e-8),                            \
     "output scale; large: rich, small: lazy (rounding counts 1/gamma0 times)", .beyond = "below it networks are lazy, as they are at 1e-8",\
     .symbol = "γ₀",                                                                               \
     .long_name = "output scale"},                                                                 \
    {"lr", NND_FIELD(REAL, structure, lr), "0.1", NND_POSITIVE,                                    \
     "learning rate eta0; the raw rate is eta0 gamma0^2 N", .symbol = "η₀",                        \
     .long_name = "learning rate"},                                                                \
    {"steps", NND_FIELD(INTEGER, structure, steps), "40", NND_BETWEEN(0, 1e6),                     \
     "T, number of steps"},                                                                        \
    NND_SCHEDULE_ROW(structure),                                                                   \
    NND_DATA_ROW(structure),                                                                       \
    {"center", NND_FIELD(BOOL, structure, center), "true", NND_ANY,                                \
     "subtract the output at initialisation, in theory and network"},                              \
    {"widths", NND_FIELD(REALS, structure, widths), "null", NND_BETWEEN(0.001, 1000),              \
     "N_l/N of the hidden layers, one for each; absent: all 1"}

/** What is asked of theory. */
#define NND_DEEP_QUESTION_ROWS(structure)                                                          \
    {"bias", NND_FIELD(BOOL, structure, bias), "true", NND_ANY,                                    \
     "shifts of means at order 1/N; without them `validity` estimates theirs"},                    \
    {"kernels", NND_FIELD(BOOL, structure, kernels), "true", NND_ANY,                              \
     "the NTK, kernels of all layers, and their fluctuations"},                                    \
    {"layers", NND_FIELD(BOOL, structure, layers), "true", NND_ANY,                                \
     "kernels of all layers, beside the NTK; without them its fluctuations cost a few times less"},\
    {"two_time", NND_FIELD(BOOL, structure, two_time), "false", NND_ANY,                           \
     "also covariances of residuals between all pairs of recorded times"},                         \
    NND_WITHIN_ROWS(structure),                                                                    \
    NND_RECORD_STEPS_ROWS(structure)

/** Variables but kernels of the layers. `spread`: the guide of outputs. */
#define NND_DEEP_VARIABLES(spread)                                                                 \
    {"delta", "t,mu", "residual", "deep-fluctuations.md#s0: y - f", "training", .symbol = "Δ"},    \
    {"output", "t,mu", "output", "deep-fluctuations.md#s0: f", "band",                             \
     .drawing = {.guides = (spread)}, .symbol = "f"},                                              \
    {"test_output", "t,test", "output at test samples", "deep-fluctuations.md#s0: f", "test",      \
     .symbol = "f"},                                                                               \
    {"ntk", "t,mu,nu", "neural tangent kernel", "deep-fluctuations.md#s0: K", "kernel",            \
     .symbol = "K"},                                                                               \
    {"ntk_test", "t,test,mu", "tangent kernel between test and training samples",                  \
     "deep-fluctuations.md#s0: K", "kernel-test", .symbol = "K"},                                  \
    {"loss", "t", "training loss", "deep-fluctuations.md#s0: mean of Delta^2/2", "training"},      \
    {"test_loss", "t", "loss on test samples", "deep-fluctuations.md#s0: mean of Delta^2/2",       \
     "training"},                                                                                  \
    {"delta_nvar", "t,mu", "N times the variance of the residual", "deep-fluctuations.md#eq2",     \
     "variance", .estimator = {NND_NVAR, "delta"}, .lead = true, .symbol = "N Var Δ"},             \
    {"output_nvar", "t,mu", "N times the variance of the output",                                  \
     "deep-fluctuations.md#eq2: that of the residual", "variance",                                 \
     .estimator = {NND_NVAR, "output"}, .symbol = "N Var f"},                                      \
    {"test_output_nvar", "t,test", "N times the variance of the output at test samples",           \
     "deep-fluctuations.md#eq2", "test", .estimator = {NND_NVAR, "test_output"},                   \
     .symbol = "N Var f"},                                                                         \
    {"ntk_nvar", "t,mu,nu", "N times the variance of the NTK", "deep-fluctuations.md#eq2",         \
     "kernel", .estimator = {NND_NVAR, "ntk"}, .symbol = "N Var K"},                               \
    {"ntk_signal", "t,mu,nu", "signal-to-noise ratio of the NTK over √N",                          \
     "deep-fluctuations.md#s4: K/sqrt(N Var K)", "signal", .check = NND_UNCHECKED},                \
    {"ntk_test_nvar", "t,test,mu",                                                                 \
     "N times the variance of the kernel of test and training samples",                            \
     "deep-fluctuations.md#eq2", "kernel-test", .estimator = {NND_NVAR, "ntk_test"},               \
     .symbol = "N Var K"},                                                                         \
    {"delta_ncov", "t,mu,nu", "N times the covariance of residuals", "deep-fluctuations.md#eq2",   \
     "covariance", .estimator = {NND_NCOV, "delta", "delta"}},                                     \
    {"delta_ntk_ncov", "t,mu", "N times the covariance of residual and diagonal NTK",              \
     "deep-fluctuations.md#eq2", "covariance",                                                     \
     .estimator = {NND_NCOV, "delta", "ntk_diagonal"}},                                            \
    {"delta_bias", "t,mu", "N times the bias of the residual", "deep-fluctuations.md#eq3",         \
     "bias", .estimator = {NND_SLOPE, "delta"}, .symbol = "N b_Δ"},                                \
    {"test_output_bias", "t,test", "N times the bias of the output at test samples",               \
     "deep-fluctuations.md#eq3", "test", .estimator = {NND_SLOPE, "test_output"}},                 \
    {"ntk_bias", "t,mu,nu", "N times the bias of the NTK", "deep-fluctuations.md#eq3", "kernel",   \
     .estimator = {NND_SLOPE, "ntk"}},                                                             \
    {"loss_nvar", "t", "N times the variance of the training loss",                                \
     "deep-fluctuations.md#s4: Delta^T N Cov(Delta, Delta) Delta/P^2", "variance",                 \
     .estimator = {NND_NVAR, "loss"}, .symbol = "N Var L"},                                        \
    {"loss_ncorr", "t", "coefficient of 1/N of the expected training loss",                        \
     "deep-fluctuations.md#s4: mean of (N Var Delta + 2 Delta b)/2", "bias",                       \
     .estimator = {NND_SLOPE, "loss"}},                                                            \
    {"ensemble_loss", "t", "training loss of the mean output of many networks",                    \
     "deep-fluctuations.md#s4: mean of (E Delta)^2/2", "ensemble",                                 \
     .estimator = {NND_ENSEMBLE, "delta"}},                                                        \
    {"ensemble_loss_ncorr", "t",                                                                   \
     "coefficient of 1/N of the training loss of the mean output",                                 \
     "deep-fluctuations.md#s4: mean of Delta b", "ensemble",                                       \
     .estimator = {NND_SLOPE, "ensemble_loss"}},                                                   \
    {"test_loss_ncorr", "t", "coefficient of 1/N of the expected loss on test samples",            \
     "deep-fluctuations.md#s4", "bias", .estimator = {NND_SLOPE, "test_loss"}},                    \
    {"mode_nvar", "t,k", "N times the variance of the residual along a mode of the kernel",        \
     "deep-fluctuations.md#s4: u_k^T N Cov(Delta, Delta) u_k", "modes", .nullable = true,          \
     .check = NND_UNCHECKED,                                                                       \
     .drawing = {.rank = "k"}},                                                                    \
    {"stability", "t", "learning rate times top eigenvalue of the NTK",                            \
     "deep-fluctuations.md#s4: eta0(t) lambda_max(K)/P, limit 2", "stability", .check = NND_UNCHECKED,\
     .drawing = {.level_count = 1, .level = {2.0}}},                                               \
    {"stability_at_width", "at_width,t",                                                           \
     "learning rate times top eigenvalue of the mean NTK of networks of a width",                  \
     "deep-fluctuations.md#s4: eta0 lambda_max(K + ntk_bias/N)/P, limit 2", "stability",           \
     .check = NND_UNCHECKED, .drawing = {.level_count = 1, .level = {2.0}}},                       \
    {"validity", "t,mu", "N times the relative size of the next order",                            \
     "deep-fluctuations.md#s4: N Var Delta/(2 Delta^2) + 2 |b|/|Delta|", "validity",               \
     .check = NND_UNCHECKED, .unbounded = true},                                                   \
    {"width_mean", "t", "width from which the mean loss is near its limit",                        \
     "deep-fluctuations.md#s4: |loss_ncorr|/(loss_within loss)", "widths", .check = NND_UNCHECKED, \
     .unbounded = true, .drawing = {.x = "t", .log = NND_LOG_Y}},                                  \
    {"width_sd", "t", "width from which the loss hardly fluctuates",                               \
     "deep-fluctuations.md#s4: loss_nvar/(loss_sd_within loss)^2", "widths",                       \
     .check = NND_UNCHECKED, .unbounded = true, .drawing = {.x = "t", .log = NND_LOG_Y}},          \
    {"loss_at_width", "at_width,t", "expected training loss of networks of a width",               \
     "deep-fluctuations.md#s4: loss + loss_ncorr/N", "widths-loss",                                \
     .estimator = {NND_AT_SIZES, "loss", "at_width"}, .check = NND_UNCHECKED},                     \
    {"ensemble_loss_at_width", "at_width,t",                                                       \
     "training loss of the mean output of many networks of a width",                               \
     "deep-fluctuations.md#s4: ensemble_loss + ensemble_loss_ncorr/N", "widths-loss",              \
     .check = NND_UNCHECKED},                                                                      \
    {"test_loss_at_width", "at_width,t", "expected loss on test samples of networks of a width",   \
     "deep-fluctuations.md#s4: test_loss + test_loss_ncorr/N", "widths-loss",                      \
     .check = NND_UNCHECKED},                                                                      \
    {"delta_two_time_ncov", "t,s,mu,nu", "N times the covariance of residuals at two times",       \
     "deep-fluctuations.md#eq2", "two-time", .estimator = {NND_NCOV, "delta", "delta"}}
/* clang-format on */

#endif
