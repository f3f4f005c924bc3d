/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training curves of `wide-mlp` against the reference cases wide-mlp.md#s11 and the exact
 * checks wide-mlp.md#s9. Sampled values are asserted within 5 standard errors plus 3e-4. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "theory/wide_mlp_march.h"
#include "wide_mlp.h"

#define PAIR "data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}"
#define ONE  "data: {gram: 1, targets: 1}"

static void check_sampled(const nnd_frame *frame, const entry *e, size_t n) {
    for (size_t i = 0; i < n; i++)
        check_entry(frame, &e[i], 3e-4);
}

/* ---- reference cases ---- */

typedef struct {
    int t;
    double delta, ntk, h1, z2;
} one_layer_row;

static const one_layer_row A1[] = {{1, 0.914414787, 0.848134842, 1.004644029, 1.003942945},
                                   {2, 0.837223960, 0.833335728, 1.016861752, 1.022912229},
                                   {5, 0.648819611, 0.792103686, 1.078339281, 1.134725019},
                                   {10, 0.433409468, 0.762181075, 1.199433055, 1.384616840},
                                   {20, 0.196888263, 0.760049415, 1.380918110, 1.808900802},
                                   {40, 0.039966150, 0.771203719, 1.520323244, 2.170008030}};
static const one_layer_row A2[] = {{1, 0.918036125, 0.749428418, 1.074304464, 1.063087118},
                                   {2, 0.850743490, 0.711409112, 1.232599678, 1.361509250},
                                   {5, 0.677442566, 0.781143378, 1.869209422, 3.085590371},
                                   {10, 0.436663447, 0.896707125, 2.879452358, 7.103441083},
                                   {20, 0.163517301, 0.959436390, 3.987200604, 13.649236580},
                                   {40, 0.021237133, 0.975307771, 4.530510483, 17.916969981}};

static void check_one_layer(const char *params, const one_layer_row *row, size_t rows,
                            double tolerance) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, params);
    char at[64];
    for (size_t i = 0; i < rows; i++) {
        snprintf(at, sizeof at, "t=%d,mu=0,nu=0,layer=1", row[i].t);
        test_close("delta", test_value(f, "delta", at), row[i].delta, tolerance / row[i].delta);
        test_close("ntk", test_value(f, "ntk", at), row[i].ntk, tolerance);
        test_close("h_gram", test_value(f, "h_gram", at), row[i].h1, tolerance);
        test_close("readout_norm2", test_value(f, "readout_norm2", at), row[i].z2, tolerance);
        double output = test_value(f, "output", at), loss = test_value(f, "loss", at);
        test_close("loss", loss, 0.5 * row[i].delta * row[i].delta, 1e-7);
        test_close("output", output, 1.0 - row[i].delta, 1e-8);
        test_close("stability", test_value(f, "stability", at), 0.1 * row[i].ntk, tolerance);
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}

START_TEST(case_a_one_layer_by_quadrature) {
    /* wide-mlp.md#s11-a1 has nine decimals. */
    const double printed = 6e-10;
    check_one_layer("gamma0: 1, record: [1, 2, 5, 10, 20], " ONE, A1, 6, printed);
    check_one_layer("gamma0: 4, record: [1, 2, 5, 10, 20], " ONE, A2, 6, printed);
}
END_TEST

typedef struct {
    int t;
    double delta, h1, h2, ntk, outlier;
} linear_row;

static const linear_row B1[] = {
    {0, 1, 1.0, 1.0, 3.0, NAN},
    {1, 0.94, 1.0256, 1.128, 3.30785536, NAN},
    {2, 0.872169686, 1.195499540, 1.717586599, 4.86439235, NAN},
    {5, 0.418761226, 2.656030579, 8.974597541, 25.00369352, 2.069325376},
    {10, 9.33038047e-09, 3.807274330, 17.698247442, 49.89183271, 2.283437544},
    {20, 0, 3.807274354, 17.698247651, 49.89183331, 2.283437548}};
static const linear_row B2[] = {
    {0, 1, 1.0, 1.0, 3.0, NAN},
    {1, 0.85, 1.04, 1.2, 3.4816, NAN},
    {2, 0.68367183, 1.27868, 2.044424033, 5.72387061, NAN},
    {5, 0.0331958585, 2.356633607, 7.161066349, 19.87585466, 2.027698793},
    {10, -2.50236276e-10, 2.408077536, 7.463480452, 20.72579832, 2.034409695},
    {20, 0, 2.408077535, 7.463480450, 20.72579832, 2.034409695}};

static void check_linear(const char *params, const linear_row *row) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, params);
    const double printed = 6e-10;
    char at[64];
    for (int i = 0; i < 6; i++) {
        snprintf(at, sizeof at, "t=%d,mu=0,nu=0,matrix=1,k=1,layer=1", row[i].t);
        double delta = test_value(f, "delta", at);
        ck_assert_msg(fabs(delta - row[i].delta) < 6e-10, "delta at %d: %.12g", row[i].t, delta);
        test_close("h_gram", test_value(f, "h_gram", at), row[i].h1, printed);
        test_close("ntk", test_value(f, "ntk", at), row[i].ntk, 2e-9);
        /* By symmetry. */
        test_close("readout_norm2", test_value(f, "readout_norm2", at), row[i].h1, printed);
        test_close("input_eig", test_value(f, "input_eig", at), row[i].h1, printed);
        double outlier = test_value(f, "outlier", at);
        ck_assert(isnan(outlier) == isnan(row[i].outlier));
        if (!isnan(outlier))
            test_close("outlier", outlier, row[i].outlier, printed);
        snprintf(at, sizeof at, "t=%d,mu=0,nu=0,layer=2", row[i].t);
        test_close("h_gram", test_value(f, "h_gram", at), row[i].h2, printed);
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}

START_TEST(case_b_linear_in_abstract_coordinates) {
    check_linear("depth: 2, activation: linear, gamma0: 8, lr: 0.02, steps: 20, " ONE, B1);
    check_linear("depth: 2, activation: linear, gamma0: 4, lr: 0.05, steps: 20, " ONE, B2);
}
END_TEST

START_TEST(case_c_two_layers_two_samples) {
    static const entry table[] = {
        {"ntk", "t=0,mu=0,nu=0", 0.78307, 5e-5},
        {"h_gram", "t=0,layer=2,mu=0,nu=0", 0.39432, 5e-6},
        {"delta", "t=5,mu=0", 0.86184, 2e-5},
        {"ntk", "t=5,mu=1,nu=1", 1.12112, 2e-4},
        {"h_gram", "t=5,layer=2,mu=0,nu=0", 0.63190, 8e-5},
        {"delta", "t=9,mu=0", 0.74937, 4e-5},
        {"delta", "t=9,mu=1", -0.35947, 3e-5},
        {"ntk", "t=9,mu=0,nu=1", -0.04179, 1e-4},
        {"outlier", "t=9,matrix=1,k=1", 2.00077, 2e-5},
        {"input_eig", "t=9,k=1", 1.7123, 5e-5},
        {"input_eig", "t=9,k=2", 0.8613, 5e-5},
        {"delta", "t=20,mu=0", 0.44377, 9e-5},
        {"delta", "t=20,mu=1", -0.07360, 8e-5},
        {"ntk", "t=20,mu=0,nu=0", 0.89803, 3e-4},
        {"ntk", "t=20,mu=0,nu=1", -0.43705, 2e-4},
        {"ntk", "t=20,mu=1,nu=1", 2.06788, 1e-3},
        {"h_gram", "t=20,layer=1,mu=0,nu=0", 1.43510, 2e-4},
        {"h_gram", "t=20,layer=2,mu=0,nu=0", 2.20946, 6e-4},
        {"h_gram", "t=20,layer=2,mu=1,nu=1", 1.09056, 3e-4},
        {"outlier", "t=20,matrix=1,k=1", 2.32681, 2e-4},
        {"delta", "t=40,mu=0", 0.17496, 9e-5},
        {"delta", "t=40,mu=1", 0.01427, 3e-5},
        {"ntk", "t=40,mu=0,nu=1", -0.38180, 2e-4},
        {"ntk", "t=40,mu=1,nu=1", 7.21911, 1e-2},
        {"h_gram", "t=40,layer=2,mu=0,nu=0", 3.49165, 9e-4},
        {"outlier", "t=40,matrix=1,k=1", 2.55797, 2e-4},
        {"input_eig", "t=40,k=1", 3.1103, 5e-5},
        {"input_eig", "t=40,k=2", 0.7910, 5e-5},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f =
        solve(ctx, "depth: 2, gamma0: 4, samples: 4096, record: [0, 5, 8, 9, 20], " PAIR);
    check_sampled(f, table, sizeof table / sizeof *table);
    /* The first outlier appears at t = 9. */
    ck_assert(isnan(test_value(f, "outlier", "t=8,matrix=1,k=1")));
    ck_assert(test_value(f, "outlier_strength", "t=8,matrix=1,k=1") < 1.0);
    ck_assert(test_value(f, "outlier_strength", "t=9,matrix=1,k=1") > 1.0);
    double escape = test_value(f, "escape_time", "matrix=1,k=1");
    ck_assert(escape > 8.0 && escape < 9.0);
    ck_assert(isnan(test_value(f, "outlier", "t=40,matrix=1,k=2")));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(case_d_test_point) {
    static const entry table[] = {
        {"delta", "t=1,mu=0", 0.93724, 1e-5},
        {"delta", "t=1,mu=1", -0.49291, 8e-6},
        {"test_output", "t=1,test=0", 0.03678, 1e-5},
        {"ntk_test", "t=1,test=0,mu=0", 0.32646, 1e-4},
        {"delta", "t=10,mu=0", 0.51773, 1e-4},
        {"delta", "t=10,mu=1", -0.22884, 1e-4},
        {"test_output", "t=10,test=0", 0.37034, 1e-4},
        {"ntk_test", "t=10,test=0,mu=0", 0.56128, 3e-4},
        {"delta", "t=30,mu=0", 0.09022, 8e-5},
        {"delta", "t=30,mu=1", 0.00771, 1e-5},
        {"test_output", "t=30,test=0", 0.75175, 1e-4},
        {"ntk_test", "t=30,test=0,mu=0", 0.74365, 4e-4},
        {"outlier", "t=30,matrix=1,k=1", 2.16551, 2e-4},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f =
        solve(ctx, "depth: 2, gamma0: 2, lr: 0.2, steps: 30, samples: 4096, record: [1, 10], "
                   "data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5], "
                   "test_gram: [[0.5, -0.1]], test_self: [1], test_targets: [0.5]}");
    check_sampled(f, table, sizeof table / sizeof *table);
    double output = test_value(f, "test_output", "t=30,test=0");
    test_close("test_loss", test_value(f, "test_loss", "t=30"), 0.5 * pow(0.5 - output, 2), 1e-3);
    ck_assert(isnan(test_value(f, "outlier", "t=1,matrix=1,k=1")));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(case_e_catapult) {
    static const double table[][3] = {{0, 1, 2},
                                      {1, -1.4, 2.1152},
                                      {2, 1.8825856, 1.708877619},
                                      {5, -0.401562975, 1.107380530},
                                      {10, 0.000326195703, 1.026396712},
                                      {20, 1.45669699e-10, 1.026447546}};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "activation: linear, gamma0: 0.2, lr: 1.2, steps: 20, " ONE);
    for (int i = 0; i < 6; i++) {
        char at[64];
        snprintf(at, sizeof at, "t=%g,mu=0,nu=0", table[i][0]);
        ck_assert(fabs(test_value(f, "delta", at) - table[i][1]) < 6e-10);
        test_close("ntk", test_value(f, "ntk", at), table[i][2], 6e-10);
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* ---- exact checks ---- */

/* wide-mlp.md#s4c: three moments close for a linear network with one layer and one sample. */
START_TEST(linear_single_layer_follows_the_map_of_three_moments) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "activation: linear, sigma_w: 1.3, gamma0: 1.7, lr: 0.1, steps: 15, "
                              "data: {gram: 0.8, targets: -1.1}");
    double kx = 0.8, y = -1.1, s2 = 1.69, gamma = 1.7, c = 0.1 * gamma * s2;
    double h = s2 * kx, z = s2, v = 0.0;
    for (int t = 0; t <= 15; t++) {
        char at[64];
        snprintf(at, sizeof at, "t=%d,mu=0,nu=0,layer=1", t);
        double d = y - v / gamma;
        ck_assert(fabs(test_value(f, "delta", at) - d) < 1e-12);
        test_close("h", test_value(f, "h_gram", at), h, 1e-12);
        test_close("z", test_value(f, "readout_norm2", at), z, 1e-12);
        test_close("ntk", test_value(f, "ntk", at), s2 * (kx * z + h), 1e-12);
        double next_h = h + 2 * c * kx * d * v + c * c * kx * kx * d * d * z;
        double next_z = z + 2 * c * d * v + c * c * d * d * h;
        v = v * (1 + c * c * kx * d * d) + c * d * (h + kx * z);
        h = next_h;
        z = next_z;
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Largest relative difference of two frames' arrays of one name. */
static double difference(const nnd_frame *a, const nnd_frame *b, const char *name) {
    const nnd_array *x = nnd_frame_find(a, name), *y = nnd_frame_find(b, name);
    double most = 0.0, scale = 0.0;
    ck_assert(x != NULL && y != NULL && x->count == y->count);
    for (size_t i = 0; i < x->count; i++) {
        ck_assert(isnan(x->data[i]) == isnan(y->data[i]));
        most = fmax(most, fabs(x->data[i] - y->data[i]));
        scale = fmax(scale, fabs(y->data[i]));
    }
    return scale > 0.0 ? most / scale : most;
}

/* wide-mlp.md#s9-1: with moments matched a linear network has no sampling error. */
START_TEST(sampled_march_of_a_linear_network_is_exact) {
    static const char *const names[] = {"delta", "ntk", "h_gram", "g_gram", "outlier", "input_eig"};
    const char *shared = "depth: 3, activation: linear, gamma0: 6, lr: 0.03, steps: 12, "
                         "sigma_w: 1.1, " PAIR;
    char params[512];
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *exact = solve(ctx, shared);
    snprintf(params, sizeof params,
             "solver: march, samples: 256, replicates: 2, rank_tol: 1e-8, %s", shared);
    nnd_frame *march = solve(ctx, params);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(difference(march, exact, names[i]) < 1e-7, "%s: %g", names[i],
                      difference(march, exact, names[i]));
    ck_assert(test_value(exact, "outlier", "t=12,matrix=2,k=1") > 2.2);
    nnd_frame_free(exact);
    nnd_frame_free(march);
    nnd_context_free(ctx);
}
END_TEST

/* wide-mlp.md#s4e: (sigma_w, gamma0, eta0) is (1, gamma0 sigma_w^-(L+1), eta0 sigma_w^2(L+1)) with
 * singular values times sigma_w; inputs times sqrt(kappa) is gamma0/sqrt(kappa), eta0 kappa. */
START_TEST(linear_networks_rescale) {
    nnd_context *ctx = nnd_context_new(NULL);
    double s = 1.2, s3 = s * s * s;
    char params[512];
    nnd_frame *a = solve(ctx, "depth: 2, activation: linear, sigma_w: 1.2, gamma0: 8, lr: 0.01, "
                              "steps: 15, " PAIR);
    snprintf(params, sizeof params,
             "depth: 2, activation: linear, gamma0: %.17g, lr: %.17g, steps: 15, " PAIR, 8 / s3,
             0.01 * s3 * s3);
    nnd_frame *b = solve(ctx, params);
    snprintf(params, sizeof params,
             "depth: 2, activation: linear, gamma0: %.17g, lr: %.17g, steps: 15, data: {gram: "
             "[[2, 0.8], [0.8, 1.6]], targets: [1, -0.5]}",
             8 / s3 * M_SQRT2, 0.01 * s3 * s3 / 2.0);
    nnd_frame *c = solve(ctx, params);
    ck_assert_msg(difference(a, b, "delta") < 1e-9, "%g", difference(a, b, "delta"));
    ck_assert_msg(difference(c, b, "delta") < 1e-9, "%g", difference(c, b, "delta"));
    test_close("outlier", test_value(a, "outlier", "t=15,matrix=1,k=1"),
               s * test_value(b, "outlier", "t=15,matrix=1,k=1"), 1e-9);
    nnd_frame_free(a);
    nnd_frame_free(b);
    nnd_frame_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* wide-mlp.md#s9-5 */
START_TEST(kernels_at_initialisation_have_closed_forms) {
    static const struct {
        const char *params;
        double k11, k12, k22;
    } cases[] = {
        {"depth: 2, activation: erf, sigma_w: 1.2", 2.216312, 0.692340, 2.072264},
        {"depth: 3, activation: relu, sigma_w: 1.4142135623730951", 8, 2.931855, 6.4},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    for (int i = 0; i < 2; i++) {
        snprintf(params, sizeof params, "%s, parameterization: ntk, steps: 0, " PAIR,
                 cases[i].params);
        nnd_frame *lazy = solve(ctx, params);
        test_close("K_11", test_value(lazy, "ntk", "t=0,mu=0,nu=0"), cases[i].k11, 3e-7);
        test_close("K_12", test_value(lazy, "ntk", "t=0,mu=0,nu=1"), cases[i].k12, 8e-7);
        test_close("K_22", test_value(lazy, "ntk", "t=0,mu=1,nu=1"), cases[i].k22, 3e-7);
        snprintf(params, sizeof params, "%s, samples: 4096, steps: 0, " PAIR, cases[i].params);
        nnd_frame *march = solve(ctx, params);
        const entry table[] = {
            {"ntk", "t=0,mu=0,nu=0", cases[i].k11, 0.0},
            {"ntk", "t=0,mu=0,nu=1", cases[i].k12, 0.0},
            {"ntk", "t=0,mu=1,nu=1", cases[i].k22, 0.0},
        };
        check_sampled(march, table, 3);
        nnd_frame_free(lazy);
        nnd_frame_free(march);
    }
    nnd_context_free(ctx);
}
END_TEST

/* wide-mlp.md#s9-6: deviations from the lazy limit are O(gamma0^2). Any activation. */
START_TEST(small_gamma_reproduces_the_lazy_limit) {
    static const char *const activation[] = {"tanh", "gelu", "softplus",
                                             "{name: gelu, gain: 1.5, scale: 0.8, smoothing: 0.3}"};
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    const char *shared = "lr: 0.3, steps: 5, data: {gram: 0.7, targets: 1}";
    snprintf(params, sizeof params, "activation: %s, parameterization: ntk, %s", activation[_i],
             shared);
    nnd_frame *lazy = solve(ctx, params);
    double off[2];
    for (int i = 0; i < 2; i++) {
        snprintf(params, sizeof params, "activation: %s, solver: quadrature, gamma0: %g, %s",
                 activation[_i], i == 0 ? 0.02 : 0.01, shared);
        nnd_frame *rich = solve(ctx, params);
        off[i] = difference(rich, lazy, "delta");
        nnd_frame_free(rich);
    }
    ck_assert_msg(off[1] < 1e-3, "%g", off[1]);
    ck_assert_msg(fabs(off[0] / off[1] - 4.0) < 0.02, "%g and %g", off[0], off[1]);
    nnd_frame_free(lazy);
    nnd_context_free(ctx);
}
END_TEST

/* Outputs are differences of averages over gamma0: at 1e-7 rounding is 1e-9 of them. */
START_TEST(the_error_of_a_quadrature_includes_rounding) {
    nnd_context *ctx = nnd_context_new(NULL);
    const char *shared = "lr: 0.1, steps: 5, data: {gram: 1, targets: 1}";
    char params[256];
    snprintf(params, sizeof params, "activation: tanh, parameterization: ntk, %s", shared);
    nnd_frame *lazy = solve(ctx, params);
    snprintf(params, sizeof params, "activation: tanh, gamma0: 1e-7, %s", shared);
    nnd_frame *rich = solve(ctx, params);
    double error = nnd_frame_find_attribute(rich, NULL, "quadrature_error")->number;
    ck_assert(error > 1e-10 && error < 1e-7);
    ck_assert(difference(rich, lazy, "output") < error);
    nnd_frame_free(lazy);
    nnd_frame_free(rich);
    nnd_context_free(ctx);
}
END_TEST

/* wide-mlp.md#s9-7 */
START_TEST(flipping_the_targets_flips_the_residuals_alone) {
    nnd_context *ctx = nnd_context_new(NULL);
    const char *shared = "depth: 2, activation: linear, gamma0: 8, lr: 0.02, steps: 12";
    char params[512];
    snprintf(params, sizeof params, "%s, " PAIR, shared);
    nnd_frame *a = solve(ctx, params);
    snprintf(params, sizeof params, "%s, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [-1, 0.5]}",
             shared);
    nnd_frame *b = solve(ctx, params);
    ck_assert(difference(a, b, "ntk") < 1e-10 && difference(a, b, "outlier") < 1e-10);
    const nnd_array *x = nnd_frame_find(a, "delta"), *y = nnd_frame_find(b, "delta");
    for (size_t i = 0; i < x->count; i++)
        ck_assert(fabs(x->data[i] + y->data[i]) < 1e-11);
    nnd_frame_free(a);
    nnd_frame_free(b);
    nnd_context_free(ctx);
}
END_TEST

/* wide-mlp.md#s9-8; relu by angles, gelu on the whole plane, tanh on half of it. */
START_TEST(march_of_one_layer_agrees_with_quadrature) {
    static const char *const activation[] = {"relu", "gelu", "tanh",
                                             "{name: relu, smoothing: 0.2}"};
    static const char *const names[] = {"delta",    "ntk",    "h_gram",
                                        "phi_gram", "g_gram", "readout_norm2"};
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    const char *shared = "gamma0: 2, sigma_w: 1.2, lr: 0.1, steps: 15, record_every: 5, "
                         "data: {gram: 0.9, targets: 1}";
    snprintf(params, sizeof params, "activation: %s, %s", activation[_i], shared);
    nnd_frame *quadrature = solve(ctx, params);
    ck_assert_str_eq(nnd_frame_find_attribute(quadrature, NULL, "solver")->text, "quadrature");
    ck_assert(nnd_frame_find_attribute(quadrature, NULL, "quadrature_error")->number < 1e-5);
    snprintf(params, sizeof params, "activation: %s, solver: march, samples: 4096, %s",
             activation[_i], shared);
    nnd_frame *march = solve(ctx, params);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (int t = 0; t <= 15; t += 5) {
            char at[64];
            snprintf(at, sizeof at, "t=%d,mu=0,nu=0,layer=1", t);
            const entry e = {names[k], at, test_value(quadrature, names[k], at), 0.0};
            check_sampled(march, &e, 1);
        }
    nnd_frame_free(quadrature);
    nnd_frame_free(march);
    nnd_context_free(ctx);
}
END_TEST

/* Relative error 2e-6 on kernels with a million angles, falling with their number; the residual
 * much better (wide-mlp.md#s4b). Homogeneity makes the linear activation a case with a known
 * answer. */
START_TEST(angles_are_exact_for_what_is_homogeneous_and_smooth) {
    nnd_context *ctx = nnd_context_new(NULL);
    const char *shared = "activation: linear, gamma0: 2, lr: 0.1, steps: 10, " ONE;
    char params[256];
    snprintf(params, sizeof params, "solver: quadrature, %s", shared);
    nnd_frame *angles = solve(ctx, params), *exact = solve(ctx, shared);
    ck_assert(difference(angles, exact, "delta") < 1e-12);
    ck_assert(difference(angles, exact, "ntk") < 1e-12);
    nnd_frame_free(angles);
    nnd_frame_free(exact);
    nnd_context_free(ctx);
}
END_TEST

/* Means over two replicates that escape within the same step: the first step with an outlier is the
 * next whole number. */
START_TEST(every_outlier_of_a_matrix_has_its_escape_time) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = test_theory(
        ctx,
        "{model: wide-mlp, params: {depth: 2, gamma0: 6, samples: 256, replicates: 2, lr: 0.5, "
        "steps: 12, kernels: false, data: {gram: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "
        "targets: [2, -1.5, 1]}}}");
    double before = 0.0;
    for (int k = 1; k <= 3; k++) {
        char at[64];
        int first = 0;
        snprintf(at, sizeof at, "matrix=1,k=%d", k);
        double escape = test_value(f, "escape_time", at);
        for (bool there = false; !there && first <= 12; first += !there) {
            snprintf(at, sizeof at, "t=%d,matrix=1,k=%d", first, k);
            there = !isnan(test_value(f, "outlier", at));
        }
        ck_assert_msg(k < 3 ? ceil(escape) == first : isnan(escape) && first == 13,
                      "outlier %d escapes at %g and is there at %d", k, escape, first);
        ck_assert(k == 3 || escape > before);
        before = escape;
    }
    /* The bulk keeps its edge, 2 sigma_w. */
    test_close("edge", test_value(f, "bulk_edge", "t=12,matrix=1"), 2.0, 0.0);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("wide-mlp theory");
    TCase *tests = tcase_create("wide-mlp theory");
    tcase_add_test(tests, case_a_one_layer_by_quadrature);
    tcase_add_test(tests, case_b_linear_in_abstract_coordinates);
    tcase_add_test(tests, case_c_two_layers_two_samples);
    tcase_add_test(tests, every_outlier_of_a_matrix_has_its_escape_time);
    tcase_add_test(tests, case_d_test_point);
    tcase_add_test(tests, case_e_catapult);
    tcase_add_test(tests, linear_single_layer_follows_the_map_of_three_moments);
    tcase_add_test(tests, sampled_march_of_a_linear_network_is_exact);
    tcase_add_test(tests, linear_networks_rescale);
    tcase_add_test(tests, kernels_at_initialisation_have_closed_forms);
    tcase_add_loop_test(tests, small_gamma_reproduces_the_lazy_limit, 0, 4);
    tcase_add_test(tests, the_error_of_a_quadrature_includes_rounding);
    tcase_add_test(tests, flipping_the_targets_flips_the_residuals_alone);
    tcase_add_loop_test(tests, march_of_one_layer_agrees_with_quadrature, 0, 4);
    tcase_add_test(tests, angles_are_exact_for_what_is_homogeneous_and_smooth);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
