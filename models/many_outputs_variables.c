/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Variables of the model `many-outputs`. */
#include "core/rows.h"
#include "models/many_outputs_impl.h"

#define OVER_TIME                                                                                  \
    { .x = "t" }

static const nnd_guide SPECTRUM[] = {
    {"edge_sv", "edge of the bulk", NND_GUIDE_PLACE, .dash = 1, .along = "s"},
    {"outlier_sv", "outlier", NND_GUIDE_ARROW},
    {NULL}};
static const nnd_guide GAP[] = {{"gap_upper", "upper end of a gap", .dash = 1},
                                {"gap_lower", "lower end of a gap", .dash = 2},
                                {NULL}};
static const nnd_guide TOP[] = {
    {"top_sd", "standard deviation", NND_GUIDE_SD}, {"upper_edge", "edge of the bulk"}, {NULL}};
static const nnd_guide OUTLIER[] = {
    {"upper_edge", "edge of the bulk", NND_GUIDE_BULK, .band = "bulk"}, {NULL}};

const nnd_view nnd_many_outputs_views[] = {
    {"ridge",
     {"density_sv"},
     .drawing = {.x = "s", .x_name = "singular value", .ridge = "t", .most = 9}},
    {"outputs",
     {"density_sv"},
     .drawing = {.x = "s", .x_name = "singular value", .ridge = "c", .most = 9}},
    {"width", {"top_mean"}, .drawing = {.x = "width", .log = NND_LOG_X, .guides = TOP}},
    {NULL}};

const nnd_variable nnd_many_outputs_variables[NND_OUTPUTS_VARIABLES] = {
    {"density_sv", "[t],s", "density of singular values", "many-outputs.md#s1: 2 s rho(s^2)",
     "spectrum", .check = NND_UNCHECKED, .lead = true,
     .drawing = {.x = "s",
                 .x_name = "singular value",
                 .last = true,
                 .most = 3,
                 .histogram = true,
                 .guides = SPECTRUM},
     .symbol = "ρ(s)"},
    {"density", "[t],z", "density of eigenvalues of W^T W", "many-outputs.md#s1: rho_D", "density",
     .check = NND_UNCHECKED, .drawing = {.x = "z", .x_name = "eigenvalue", .last = true},
     .symbol = "ρ(z)"},
    {"cdf", "[t],z", "eigenvalues of W^T W up to z", "many-outputs.md#s1: fraction of D", "cdf",
     .drawing = {.x = "z", .x_name = "eigenvalue", .last = true}},
    {"stieltjes_re", "[t],point", "Stieltjes transform, real part", "many-outputs.md#s1: Re m(z)",
     "stieltjes", .symbol = "Re m"},
    {"stieltjes_im", "[t],point", "Stieltjes transform, imaginary part",
     "many-outputs.md#s1: Im m(z)", "stieltjes", .symbol = "Im m"},
    {"eigenvalue_mean", "[t]", "mean eigenvalue of W^T W", "many-outputs.md#s1: |W|^2/D", "mean"},
    {"edges", "[t],edge", "edges of the bulk", "many-outputs.md#s2-3: ascending, without 0", NULL,
     .check = NND_UNCHECKED, .nullable = true},
    {"upper_edge", "[t]", "upper edge of the bulk", "many-outputs.md#s2-3: z_+", "edges",
     .check = NND_UNCHECKED, .nullable = true, .symbol = "z₊",
     .drawing = {.guides = GAP, .gaps = true}},
    {"gap_lower", "[t]", "lower end of the highest gap", "many-outputs.md#s2-3", "edges",
     .check = NND_UNCHECKED, .nullable = true},
    {"gap_upper", "[t]", "upper end of the highest gap", "many-outputs.md#s2-3", "edges",
     .check = NND_UNCHECKED, .nullable = true},
    {"edge_sv", "[t],edge", "edges of the bulk of singular values", "many-outputs.md#s2-3: of W",
     "spectrum", .check = NND_UNCHECKED, .nullable = true, .drawing = {.rank = "edge"}},
    {"edge_kappa", "[t],edge", "strength of the density at an edge", "many-outputs.md#eq2: kappa",
     NULL, .check = NND_UNCHECKED, .nullable = true, .symbol = "κ"},
    {"gap", "[t],gap,side", "ends of gaps in the bulk", "many-outputs.md#s2-3", NULL,
     .check = NND_UNCHECKED, .nullable = true},
    {"gap_mass", "[t],gap", "fraction of eigenvalues above a gap", "many-outputs.md#s2-3", NULL,
     .check = NND_UNCHECKED, .nullable = true},
    {"outlier", "[t],spike", "outlying eigenvalue of W^T W", "many-outputs.md#s2-5: z_o",
     "outliers", .nullable = true, .drawing = {.rank = "spike", .guides = OUTLIER}},
    {"outlier_sv", "[t],spike", "singular value", "many-outputs.md#s2-5: of W", "spectrum",
     .check = NND_UNCHECKED, .nullable = true, .drawing = {.rank = "spike"}},
    {"outlier_overlap", "[t],spike", "squared overlap of an outlier with its spike",
     "many-outputs.md#s2-5", "overlaps", .nullable = true},
    {"top", "[t]", "largest eigenvalue of W^T W", "many-outputs.md#s2-3: of a network", "top",
     .check = NND_UNCHECKED},
    {"top_spread", "[t]", "standard deviation of the largest eigenvalue",
     "many-outputs.md#s2-3: over networks", NULL, .estimator = {NND_SD, "top"},
     .check = NND_UNCHECKED},
    {"top_mean", "[t],[width]", "mean of the largest eigenvalue at a width", "many-outputs.md#eq2",
     "top", .estimator = {NND_AT_SIZES, "top", "width"}, .nullable = true,
     .drawing = {.guides = TOP}},
    {"top_sd", "[t],[width]", "standard deviation of the largest eigenvalue at a width",
     "many-outputs.md#eq2", "top-sd", .estimator = {NND_AT_SIZES, "top_spread", "width"},
     .nullable = true},
    {"risk", "[t]", "squared error of an output, without noise", "many-outputs.md#s2-4", "training",
     .drawing = OVER_TIME},
    {"loss", "[t]", "loss, summed over outputs", "many-outputs.md#s1: E|y - f|^2/2", "loss",
     .check = NND_UNCHECKED, .drawing = OVER_TIME},
    {"mode_omega", "[t],mode", "mode of W^T W", "many-outputs.md#eq3: omega", "modes",
     .symbol = "ω"},
    {"mode_alpha", "[t],mode", "mode of A A^T", "many-outputs.md#eq3: alpha", "modes",
     .symbol = "α"},
    {"mode_product", "[t],mode", "mode of A W", "many-outputs.md#eq3: m", "modes", .symbol = "m"},
    {"gamma_canonical", "", "output scale in canonical variables", "many-outputs.md#s1-1: gamma",
     NULL, .check = NND_UNCHECKED, .symbol = "γ"},
    {"rate_canonical", "", "canonical time of one unit of the learning rate, or of time",
     "many-outputs.md#s1-1: eta/lr", NULL, .check = NND_UNCHECKED},
};
