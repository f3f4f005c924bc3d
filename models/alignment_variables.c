/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Variables of the model `alignment`. Training that converges has no `t`. */
#include "models/alignment_impl.h"

#include "core/rows.h"

const nnd_variable nnd_alignment_variables[NND_ALIGNMENT_VARIABLES] = {
    {"cosine", "[t]", "cosine of the predictors",
     "alignment.md#eq3: rho = Q_ab/Q_aa, a ratio of means", "alignment",
     .estimator = {NND_RATIO, "signal", "self_overlap"}, .nullable = true,
     .drawing = {.lowest = "alpha"}, .symbol = "ρ"},
    {"cka", "[t]", "CKA of the hidden layers",
     "alignment.md#s1: tr(Sigma A_a Sigma A_b)/tr(Sigma A)^2, a ratio of means", "alignment",
     .estimator = {NND_RATIO, "cka_cross", "cka_self"}, .nullable = true,
     .drawing = {.lowest = "alpha"}},
    {"cosine_pair", "[t]", "cosine of the predictors, mean over pairs",
     "alignment.md#s7: E of a ratio", "pairs", .check = NND_UNCHECKED, .nullable = true},
    {"cka_pair", "[t]", "CKA of the hidden layers, mean over pairs",
     "alignment.md#s7: E of a ratio", "pairs", .check = NND_UNCHECKED, .nullable = true},
    {"cka_probe", "[t]", "CKA on a finite set of probes", "alignment.md#s1: E CKA_n", "probes",
     .nullable = true},
    {"cka_debiased", "[t]", "debiased CKA on a finite set of probes",
     "alignment.md#s1: unbiased estimates of the three traces", "probes", .check = NND_UNCHECKED,
     .nullable = true},
    {"signal", "[t]", "overlap of the two predictors", "alignment.md#eq3: S = Q_ab", "overlaps",
     .unbounded = true, .symbol = "S"}, /* at the threshold, where the noises are correlated */
    {"noise", "[t]", "squared norm of a predictor beyond the overlap",
     "alignment.md#eq3: N = Q_aa - Q_ab", "overlaps", .nullable = true, .unbounded = true,
     .symbol = "N"},
    {"teacher_overlap", "[t]", "overlap with the teacher", "alignment.md#eq3: m", "overlaps",
     .symbol = "m"},
    {"teacher_cosine", "[t]", "cosine with the teacher",
     "alignment.md#s2: m/sqrt(Q_aa beta* M beta*)", "alignment", .nullable = true},
    {"gen_error", "[t]", "generalisation error",
     "alignment.md#eq3: E_g, on clean inputs and labels", "errors", .nullable = true,
     .unbounded = true, .symbol = "E_g"},
    {"train_error", "[t]", "training error", "alignment.md#s2: |y - X beta|^2/P", "errors"},
    {"kappa", "", "effective ridge", "alignment.md#eq1", "ridge", .check = NND_UNCHECKED,
     .unbounded = true, .symbol = "κ"}, /* all weights have decayed */
    {"ridge_effective", "", "ridge equivalent to the weight decay",
     "alignment.md#s2: lambda |beta(lambda)| = mu", "ridge", .check = NND_UNCHECKED,
     .nullable = true},
    {"alpha_min", "", "samples per dimension of least alignment", "alignment.md#eq5", "minimum",
     .check = NND_UNCHECKED, .nullable = true},
    {"cosine_min", "", "least cosine of the predictors over alpha", "alignment.md#eq5", "minimum",
     .check = NND_UNCHECKED, .nullable = true},
    {"flip_fraction", "", "fraction of flipped labels",
     "alignment.md#s1: p = (1 - sqrt(SNR/(1 + SNR)))/2", "task", .check = NND_UNCHECKED},
    {"converged_fraction", "", "fraction of networks that reached the tolerance", "alignment.md#s3",
     "task", .check = NND_UNCHECKED},
};
