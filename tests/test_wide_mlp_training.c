/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several outputs, losses, descent and flow, branches and biases in the theory of `wide-mlp`:
 * reference cases (wide-mlp.md#s13-8), symmetries, limits that are known (wide-mlp.md#s13-9). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "theory/wide_mlp_march.h"
#include "wide_mlp.h"

#define GRAM   "gram: [[1, 0.4, -0.2], [0.4, 0.8, 0.1], [-0.2, 0.1, 1.2]]"
#define LABELS "outputs: 3, loss: cross-entropy, data: {" GRAM ", labels: [0, 1, 2]}"
#define THREE  "outputs: 3, data: {" GRAM ", targets: [[1, 0, -0.5], [-0.5, 1, 0], [0, 0.5, 1]]}"
#define SIGNS  "loss: logistic, data: {" GRAM ", targets: [1, -1, 1]}"
#define FEW    ", samples: 2048, replicates: 4"

/* ---- reference cases ---- */

/* Of wide-mlp.md#s13-8. */
typedef struct {
    const char *params;
    entry of[24];
} reference;

static const reference EXACT[] = {
    {"depth: 2, activation: linear, sigma_w: 1.1, gamma0: 3, lr: 0.08, steps: 8, momentum: 0.7, "
     "weight_decay: 0.05, schedule: [0.2, 0.5, 1, 0.7], " LABELS,
     {{"output", "t=4,mu=0,c=0", .20792436, 0},
      {"output", "t=4,mu=2,c=1", -.09287567, 0},
      {"loss", "t=4", .90555439, 0},
      {"h_gram", "t=4,layer=2,mu=0,nu=0", 1.22560131, 0},
      {"ntk", "t=4,mu=0,nu=0,c=0,c2=0", 3.9790975, 0},
      {"ntk", "t=4,mu=0,nu=0,c=0,c2=1", -.0366963, 0},
      {"stability", "t=4", 0.7 * .07149194, 0},
      {"outlier_strength", "t=4,matrix=1,k=2", .3121346, 0},
      {"output", "t=8,mu=0,c=2", -1.04172510, 0},
      {"output", "t=8,mu=2,c=0", -.97605721, 0},
      {"ntk", "t=8,mu=0,nu=0,c=1,c2=1", 12.2485530, 0},
      {"outlier", "t=8,matrix=1,k=1", 1.92124394, 0},
      {"outlier", "t=8,matrix=1,k=2", 1.49025991, 0},
      {"bulk_edge", "t=8,matrix=1", 1.459525, 0},
      {"stability_edge", "", 1.95 * 1.7, 0}}},
    {"depth: 2, activation: linear, sigma_w: 1.1, gamma0: 3, integrator: flow, method: rk4, time: "
     "3.2, steps: 8, weight_decay: 0.1, record: [4, 8], " LABELS,
     {{"output", "t=1.6,mu=0,c=0", 2.56962187, 0},
      {"output", "t=1.6,mu=2,c=2", 2.90708937, 0},
      {"loss", "t=1.6", .06687649, 0},
      {"h_gram", "t=1.6,layer=2,mu=0,nu=0", 20.95985216, 0},
      {"ntk", "t=1.6,mu=0,nu=0,c=0,c2=0", 69.0462090, 0},
      {"output", "t=3.2,mu=0,c=1", -.57506821, 0},
      {"ntk", "t=3.2,mu=0,nu=0,c=1,c2=1", 77.5280899, 0},
      {"outlier_strength", "t=3.2,matrix=1,k=1", 5.8132632, 0},
      {"outlier", "t=3.2,matrix=1,k=2", 2.50181489, 0},
      {"bulk_edge", "t=3.2,matrix=1", 1.597528, 0}}},
    {"depth: 4, activation: linear, residual: mup-depth, gamma0: 2, lr: 0.05, steps: 10, " THREE,
     {{"ntk", "t=0,mu=0,nu=0,c=0,c2=0", 5.078125, 0},
      {"h_gram", "t=0,layer=4,mu=0,nu=0", 1.953125, 0},
      {"output", "t=5,mu=0,c=0", .30901805, 0},
      {"output", "t=5,mu=2,c=1", .27756915, 0},
      {"stability", "t=5", .18587866, 0},
      {"outlier_strength", "t=5,matrix=3,k=1", .1519122, 0},
      {"loss", "t=10", .09071732, 0},
      {"h_gram", "t=10,layer=4,mu=0,nu=0", 3.77931505, 0},
      {"ntk", "t=10,mu=0,nu=0,c=0,c2=1", -.8757517, 0},
      {"outlier_strength", "t=10,matrix=1,k=2", .1502949, 0}}},
};

START_TEST(exact_reference_cases) {
    const double digits = 1e-7; /* printed */
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, EXACT[_i].params);
    for (const entry *e = EXACT[_i].of; e->name != NULL; e++) {
        ck_assert_double_eq(test_se(f, e->name, e->at), 0.0);
        check_entry(f, e, digits * fmax(1.0, fabs(e->value)));
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

static const reference SAMPLED[] = {
    {"depth: 2, gamma0: 3, lr: 0.3, steps: 16, record: [8, 16], " LABELS FEW,
     {{"output", "t=8,mu=0,c=0", .37914, 2e-4},
      {"output", "t=16,mu=0,c=0", .78820, 6e-4},
      {"output", "t=16,mu=2,c=1", -.31824, 7e-4},
      {"loss", "t=16", .48560, 2e-4},
      {"h_gram", "t=16,layer=2,mu=0,nu=0", 2.97018, 2e-3},
      {"ntk", "t=16,mu=0,nu=0,c=0,c2=0", .9175, 9e-3},
      {"ntk", "t=16,mu=0,nu=0,c=1,c2=1", 1.9223, 9e-3},
      {"stability", "t=16", .07714, 4e-4},
      {"outlier_strength", "t=16,matrix=1,k=1", 2.5593, 2e-3},
      {"outlier", "t=16,matrix=1,k=2", 2.40054, 5e-4}}},
    {"depth: 2, gamma0: 3, lr: 0.12, steps: 20, record: [10, 20], momentum: 0.8, weight_decay: "
     "0.02, schedule: [0.25, 0.5, 0.75, 1], " LABELS FEW,
     {{"output", "t=10,mu=0,c=0", .35314, 2e-4},
      {"output", "t=20,mu=0,c=0", 1.05874, 8e-4},
      {"output", "t=20,mu=2,c=0", -.78293, 1e-3},
      {"loss", "t=20", .35645, 2e-4},
      {"h_gram", "t=20,layer=2,mu=0,nu=0", 3.83867, 4e-3},
      {"ntk", "t=10,mu=0,nu=0,c=0,c2=1", -.1198, 3e-3},
      {"stability", "t=20", .03070, 2e-4},
      {"outlier_strength", "t=20,matrix=1,k=2", 5.8113, 6e-3},
      {"outlier", "t=20,matrix=1,k=1", 2.68918, 9e-4}}},
    {"depth: 3, activation: relu, sigma_w: 1.4142135623730951, gamma0: 2, lr: 0.1, steps: 10, "
     "record: [5, 10], " LABELS FEW,
     {{"output", "t=5,mu=0,c=0", .73833, 1e-3},
      {"output", "t=10,mu=2,c=2", 2.69889, 2e-3},
      {"loss", "t=5", .50686, 3e-4},
      {"h_gram", "t=10,layer=3,mu=0,nu=0", 32.09271, 2e-2},
      {"ntk", "t=10,mu=0,nu=0,c=0,c2=0", 133.4745, 4e-1},
      {"stability", "t=5", .53337, 5e-4},
      {"outlier_strength", "t=10,matrix=1,k=1", .8693, 8e-4},
      {"outlier_strength", "t=10,matrix=2,k=2", .8914, 8e-4}}},
    {"depth: 4, residual: mup-depth, sigma_b: 0.5, gamma0: 2, lr: 0.1, steps: 12, record: [0, 12]"
     ", " THREE FEW,
     {{"h_gram", "t=0,layer=4,mu=0,nu=0", 1.78058, 1e-4},
      {"ntk", "t=0,mu=0,nu=0,c=0,c2=0", 1.5793, 5e-3},
      {"output", "t=12,mu=0,c=0", .30185, 7e-4},
      {"output", "t=12,mu=2,c=1", .32460, 6e-4},
      {"h_gram", "t=12,layer=4,mu=0,nu=0", 2.20247, 3e-3},
      {"ntk", "t=12,mu=0,nu=0,c=1,c2=1", 1.7372, 6e-3},
      {"outlier_strength", "t=12,matrix=3,k=2", .1124, 2e-4}}},
    {"depth: 1, activation: relu, sigma_w: 1.4142135623730951, gamma0: 2, lr: 0.5, steps: 20, "
     "record: [5, 20], " SIGNS ", samples: 8192, replicates: 4",
     {{"output", "t=5,mu=0", 1.41632, 4e-4},
      {"output", "t=5,mu=1", -.78201, 4e-4},
      {"loss", "t=5", .23960, 3e-5},
      {"output", "t=20,mu=2", 4.65241, 1e-4},
      {"ntk", "t=20,mu=0,nu=0", 50.7411, 3e-2},
      {"stability", "t=5", .48098, 4e-4}}},
    {"depth: 2, gamma0: 3, integrator: flow, method: rk4, time: 4.8, steps: 6, record: [3, 6], "
     "weight_decay: 0.05, " LABELS FEW,
     {{"output", "t=2.4,mu=0,c=0", .35373, 3e-4},
      {"output", "t=4.8,mu=0,c=0", .68806, 6e-4},
      {"loss", "t=4.8", .54689, 2e-4},
      {"h_gram", "t=4.8,layer=2,mu=0,nu=0", 2.30394, 2e-3},
      {"ntk", "t=4.8,mu=0,nu=0,c=1,c2=1", 1.8617, 5e-3},
      {"outlier", "t=4.8,matrix=1,k=1", 2.22227, 7e-4}}},
    {"depth: 2, gamma0: 1.0e-4, lr: 0.3, steps: 10, record: [10], " LABELS FEW,
     {{"output", "t=10,mu=0,c=0", .41085, 2e-4},
      {"output", "t=10,mu=2,c=2", .50149, 2e-4},
      {"loss", "t=10", .73526, 9e-5},
      {"ntk", "t=10,mu=0,nu=0,c=0,c2=0", .7831, 3e-4},
      {"ntk", "t=10,mu=0,nu=0,c=0,c2=1", .0001, 3e-4},
      {"stability", "t=10", .03890, 1e-5}}},
};

START_TEST(sampled_reference_cases) {
    const double relative = 5e-4; /* bias of this many sites, of the reference's 1/4 of it */
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, SAMPLED[_i].params);
    for (const entry *e = SAMPLED[_i].of; e->name != NULL; e++)
        check_entry(f, e, relative * fabs(e->value));
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* ---- symmetries ---- */

/* Largest difference of an array of two frames, the second times a factor. */
static double apart(const nnd_frame *a, const nnd_frame *b, const char *name, double factor) {
    const nnd_array *x = nnd_frame_find(a, name), *y = nnd_frame_find(b, name);
    double most = 0.0;
    ck_assert_msg(x != NULL && y != NULL && x->count == y->count, "%s", name);
    for (size_t i = 0; i < x->count; i++)
        most = fmax(most, fabs(x->data[i] - factor * y->data[i]));
    return most;
}

/* y -> y O with O orthogonal: f -> f O. In abstract coordinates to rounding, here targets y_mu u_c
 * with |u| = 1 against one output. */
START_TEST(targets_along_one_direction_are_one_output) {
    const double u[3] = {0.6, 0.48, 0.64};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *three = solve(ctx, "depth: 3, activation: linear, gamma0: 3, lr: 0.05, steps: 12, "
                                  "momentum: 0.5, outputs: 3, data: {gram: [[1, 0.4], [0.4, 0.8]], "
                                  "targets: [[0.6, 0.48, 0.64], [-0.3, -0.24, -0.32]]}");
    nnd_frame *one = solve(ctx, "depth: 3, activation: linear, gamma0: 3, lr: 0.05, steps: 12, "
                                "momentum: 0.5, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, "
                                "-0.5]}");
    const nnd_array *f3 = nnd_frame_find(three, "output"), *f1 = nnd_frame_find(one, "output");
    ck_assert_uint_eq(f3->count, 3 * f1->count);
    for (size_t i = 0; i < f3->count; i++)
        ck_assert(fabs(f3->data[i] - u[i % 3] * f1->data[i / 3]) < 1e-12);
    ck_assert(fabs(f1->data[f1->count - 2]) > 0.3);
    ck_assert(apart(three, one, "loss", 1.0) < 1e-12);
    ck_assert(apart(three, one, "h_gram", 1.0) < 1e-11);
    ck_assert(apart(three, one, "stability", 1.0) < 1e-11);
    nnd_frame_free(three);
    nnd_frame_free(one);
    nnd_context_free(ctx);
}
END_TEST

/* Two classes at (gamma0, lr) are the logistic loss at (gamma0/sqrt 2, 2 lr) of f_1 - f_0. */
START_TEST(two_classes_are_the_logistic_loss) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *two =
        solve(ctx, "depth: 2, activation: linear, gamma0: 3, lr: 0.2, steps: 15, weight_decay: "
                   "0.01, outputs: 2, loss: cross-entropy, data: {" GRAM ", labels: [1, 0, 1]}");
    nnd_frame *one =
        solve(ctx, "depth: 2, activation: linear, gamma0: 2.1213203435596424, lr: 0.4, "
                   "steps: 15, weight_decay: 0.01, " SIGNS);
    const nnd_array *f2 = nnd_frame_find(two, "output"), *f1 = nnd_frame_find(one, "output");
    for (size_t i = 0; i < f1->count; i++) {
        ck_assert(fabs(f2->data[2 * i + 1] - f2->data[2 * i] - f1->data[i]) < 1e-12);
        ck_assert(fabs(f2->data[2 * i + 1] + f2->data[2 * i]) < 1e-12);
    }
    ck_assert(fabs(f1->data[f1->count - 1]) > 0.5);
    ck_assert(apart(two, one, "loss", 1.0) < 1e-12);
    ck_assert(apart(two, one, "accuracy", 1.0) == 0.0);
    ck_assert(apart(two, one, "stability", 1.0) < 1e-11);
    nnd_frame_free(two);
    nnd_frame_free(one);
    nnd_context_free(ctx);
}
END_TEST

/* Outputs of classes sum to 0 at all times; kernels of different outputs begin unrelated. */
START_TEST(classes_keep_their_sum) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f =
        solve(ctx, "depth: 3, activation: linear, gamma0: 2, lr: 0.2, steps: 8, " LABELS);
    const nnd_array *output = nnd_frame_find(f, "output");
    for (size_t i = 0; i < output->count; i += 3)
        ck_assert(fabs(output->data[i] + output->data[i + 1] + output->data[i + 2]) < 1e-13);
    ck_assert(fabs(test_value(f, "output", "t=8,mu=1,c=1")) > 0.1);
    nnd_frame_free(f);
    f = solve(ctx, "depth: 3, activation: linear, steps: 0, " THREE);
    ck_assert(fabs(test_value(f, "ntk", "t=0,mu=0,nu=1,c=0,c2=1")) < 1e-14);
    test_close("K", test_value(f, "ntk", "t=0,mu=0,nu=1,c=2,c2=2"), 4.0 * 0.4, 1e-13);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* ---- descent and flow ---- */

/* One sample, one layer, linear: h and z close in three moments (wide-mlp.md#s4c), here with
 * momentum, decay and a schedule, the velocities being two further fields. */
START_TEST(momentum_decay_and_schedule_are_a_map_of_four_fields) {
    enum { FIELDS = 4, STEPS = 30 }; /* h, z, v_h, v_z: moments of their Gram matrix */
    const double lr = 0.15, gamma = 2.0, m = 0.6, decay = 0.03, schedule[] = {0.5, 1.0, 0.8};
    double gram[FIELDS][FIELDS] = {{1, 0, 0, 0}, {0, 1, 0, 0}};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f = solve(ctx, "activation: linear, lr: 0.15, gamma0: 2, momentum: 0.6, "
                              "weight_decay: 0.03, schedule: [0.5, 1, 0.8], steps: 30, data: "
                              "{gram: 1, targets: 1}");
    for (int t = 0; t <= STEPS; t++) {
        char at[64];
        double output = gram[0][1] / gamma;
        double w = lr * gamma * schedule[t < 2 ? t : 2] * (1.0 - output);
        snprintf(at, sizeof at, "t=%d,mu=0", t);
        ck_assert_msg(fabs(test_value(f, "output", at) - output) < 1e-9,
                      "%s: want %.12g, got %.12g", at, output, test_value(f, "output", at));
        snprintf(at, sizeof at, "t=%d,layer=1,mu=0,nu=0", t);
        test_close("H", test_value(f, "h_gram", at), gram[0][0], 1e-9);
        /* v_h' = m v_h + w z, v_z' = m v_z + w h, then h' = (1 - decay) h + v_h', z likewise. */
        double map[FIELDS][FIELDS] = {
            {1.0 - decay, w, m, 0}, {w, 1.0 - decay, 0, m}, {0, w, m, 0}, {w, 0, 0, m}};
        double next[FIELDS][FIELDS] = {{0}};
        for (int i = 0; i < FIELDS; i++)
            for (int j = 0; j < FIELDS; j++)
                for (int k = 0; k < FIELDS; k++)
                    for (int l = 0; l < FIELDS; l++)
                        next[i][j] += map[i][k] * gram[k][l] * map[j][l];
        memcpy(gram, next, sizeof gram);
    }
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

static double flow_output(nnd_context *ctx, const char *how) {
    char params[512];
    snprintf(params, sizeof params,
             "depth: 2, activation: linear, gamma0: 3, integrator: flow, time: 1.6, record: [0], "
             "weight_decay: 0.1, spectrum: false, %s, " LABELS,
             how);
    nnd_frame *f = solve(ctx, params);
    const nnd_array *output = nnd_frame_find(f, "output");
    double last = output->data[output->count - 9];
    nnd_frame_free(f);
    return last;
}

/* Halving the steps divides the error by 2^order; the adaptive method ends where they go. */
START_TEST(flow_converges_with_the_order_of_its_method) {
    static const char *const coarse[] = {"method: euler, steps: 256", "method: heun, steps: 32",
                                         "method: rk4, steps: 16"};
    static const char *const fine[] = {"method: euler, steps: 512", "method: heun, steps: 64",
                                       "method: rk4, steps: 32"};
    static const double order[] = {1.0, 2.0, 4.0};
    nnd_context *ctx = nnd_context_new(NULL);
    double limit = flow_output(ctx, "method: adaptive, tolerance: 1.0e-11");
    for (int i = 0; i < 3; i++) {
        double a = flow_output(ctx, coarse[i]) - limit, b = flow_output(ctx, fine[i]) - limit;
        double seen = log2(a / b);
        ck_assert_msg(fabs(seen - order[i]) < 0.3, "%s: order %g, errors %g, %g", coarse[i], seen,
                      a, b);
    }
    double loose = flow_output(ctx, "tolerance: 1.0e-4") - limit;
    double tight = flow_output(ctx, "tolerance: 1.0e-7") - limit;
    ck_assert_msg(fabs(loose) < 1e-3 && fabs(tight) < 1e-6 && fabs(tight) < 0.1 * fabs(loose),
                  "errors %g, %g", loose, tight);
    nnd_context_free(ctx);
}
END_TEST

/* ---- limits ---- */

/* At small output scales the march is the lazy limit, whatever is trained and how; corrections are
 * O(gamma0^2). */
START_TEST(small_scales_are_the_lazy_limit) {
    static const char *const cases[] = {
        "depth: 2, lr: 0.3, steps: 12, momentum: 0.6, schedule: [0.3, 1], " LABELS,
        "depth: 3, activation: erf, lr: 0.3, steps: 12, sigma_b: 0.4, batch: {size: 2, seed: "
        "1}, " THREE,
        "depth: 2, activation: relu, sigma_w: 1.4, lr: 0.1, steps: 12, momentum: 0.5, "
        "weight_decay: "
        "0.05, " LABELS,
        "depth: 3, residual: plain, sigma_b: 0.3, integrator: flow, method: rk4, time: 2, steps: "
        "6, " LABELS,
        "depth: 2, activation: relu, integrator: flow, time: 4, record: [1, 4], weight_decay: 0.1, "
        "tolerance: 1.0e-4, " SIGNS,
        "depth: 3, residual: mup-depth, activation: linear, solver: march, lr: 0.1, steps: "
        "10, " LABELS,
    };
    static const char *const scales[] = {"1.0e-3", "1.0e-6"};
    nnd_context *ctx = nnd_context_new(NULL);
    char params[1024];
    snprintf(params, sizeof params, "parameterization: ntk, %s", cases[_i / 2]);
    nnd_frame *lazy = solve(ctx, params);
    snprintf(params, sizeof params, "gamma0: %s, samples: 1024, replicates: 6, spectrum: false, %s",
             scales[_i % 2], cases[_i / 2]);
    nnd_frame *march = solve(ctx, params);
    static const char *const names[] = {"output", "loss", "phi_gram", "readout_norm2"};
    for (int k = 0; k < 4; k++) {
        char se_name[64];
        snprintf(se_name, sizeof se_name, "%s_se", names[k]);
        const nnd_array *want = nnd_frame_find(lazy, names[k]),
                        *got = nnd_frame_find(march, names[k]);
        const nnd_array *se = nnd_frame_find(march, se_name);
        ck_assert_uint_eq(want->count, got->count);
        double scale = 0.0;
        for (size_t i = 0; i < want->count; i++)
            scale = fmax(scale, fabs(want->data[i]));
        /* 5 standard errors of 6 replicates, bias O(1/S), gamma0^2, and 1/gamma0 times rounding. */
        for (size_t i = 0; i < want->count; i++)
            ck_assert_msg(fabs(got->data[i] - want->data[i]) < 5.0 * se->data[i] + 1e-3 * scale,
                          "%s %zu: lazy %g, march %g(%g)", names[k], i, want->data[i], got->data[i],
                          se->data[i]);
        ck_assert(scale > 0.05);
    }
    nnd_frame_free(lazy);
    nnd_frame_free(march);
    nnd_context_free(ctx);
}
END_TEST

/* ---- what is recorded ---- */

/* Scratch queries change nothing: training is the same to the last bit with kernels recorded at
 * every step, at one, or not at all. */
START_TEST(recording_leaves_no_trace) {
    static const char *const more[] = {"record_every: 1", "record: [6]",
                                       "record: [6], kernels: false, spectrum: false"};
    nnd_context *ctx = nnd_context_new(NULL);
    double last[3][9];
    for (int k = 0; k < 3; k++) {
        char params[1024];
        snprintf(params, sizeof params,
                 "depth: 3, gamma0: 3, lr: 0.2, steps: 6, samples: 256, "
                 "replicates: 2, weight_decay: 0.02, %s, " LABELS,
                 more[k]);
        nnd_frame *f = solve(ctx, params);
        const nnd_array *output = nnd_frame_find(f, "output");
        memcpy(last[k], output->data + output->count - 9, sizeof *last);
        nnd_frame_free(f);
    }
    ck_assert(fabs(last[0][0]) > 0.1);
    ck_assert_mem_eq(last[0], last[1], sizeof *last);
    ck_assert_mem_eq(last[0], last[2], sizeof *last);
    nnd_context_free(ctx);
}
END_TEST

#define FEW_TESTS ", test_gram: [[0.5, -0.1, 0.3], [0.9, 0.3, -0.1]], test_self: [1, 1], "
#define MANY_TESTS                                                                                 \
    ", test_gram: [[0.5, -0.1, 0.3], [0.9, 0.3, -0.1], [0, 0.2, 0.1], [0.1, 0, 0.2]], "            \
    "test_self: [1, 1, 0.7, 0.5], "

/* More test samples than training samples are asked for where they are recorded; what fewer say
 * that march is the same. */
START_TEST(many_test_samples_say_what_few_say) {
    static const char *const cases[][2] = {
        {"depth: 3, gamma0: 2, lr: 0.2, steps: 8, weight_decay: 0.03, sigma_b: 0.3, residual: "
         "mup-depth, outputs: 3, loss: cross-entropy",
         "labels: [0, 1, 2]"},
        {"depth: 2, activation: relu, gamma0: 0.1, lr: 0.2, steps: 8", "targets: [1, -0.5, 0.3]"},
        {"depth: 1, gamma0: 1, lr: 0.2, steps: 8, outputs: 3", "labels: [0, 1, 2]"},
    };
    const char *how = ", spectrum: false, record: [8], samples: 1024, replicates: 8, ";
    nnd_context *ctx = nnd_context_new(NULL);
    char params[1024];
    snprintf(params, sizeof params, "%s%sdata: {" GRAM FEW_TESTS "%s}", cases[_i][0], how,
             cases[_i][1]);
    nnd_frame *few = solve(ctx, params);
    snprintf(params, sizeof params, "%s%sdata: {" GRAM MANY_TESTS "%s}", cases[_i][0], how,
             cases[_i][1]);
    nnd_frame *many = solve(ctx, params);
    const nnd_array *a = nnd_frame_find(few, "test_output"),
                    *b = nnd_frame_find(many, "test_output");
    const nnd_array *a_se = nnd_frame_find(few, "test_output_se"),
                    *b_se = nnd_frame_find(many, "test_output_se");
    ck_assert_uint_eq(2 * a->count, b->count);
    ck_assert(nnd_frame_find(few, "ntk_test") != NULL && nnd_frame_find(many, "ntk_test") == NULL);
    double most = 0.0;
    /* The recorded times are the last one alone. */
    for (size_t i = 0; i < a->count; i++) {
        double se = hypot(a_se->data[i], b_se->data[i]);
        most = fmax(most, fabs(a->data[i]));
        ck_assert_msg(fabs(a->data[i] - b->data[i]) < 5.0 * se + 1e-3 * fabs(a->data[i]),
                      "number %zu: %g(%g) and %g(%g)", i, a->data[i], a_se->data[i], b->data[i],
                      b_se->data[i]);
        ck_assert_msg(b_se->data[i] < 0.05 * fabs(a->data[0]), "s.e. %g of %g", b_se->data[i],
                      a->data[0]);
    }
    ck_assert(most > 0.05);
    nnd_frame_free(few);
    nnd_frame_free(many);
    nnd_context_free(ctx);
}
END_TEST

/* Strengths are those of the matrix, not of the directions that are kept: of abstract coordinates
 * (to rounding of 1e-10, what is dropped) with one output and with three that say the same, whose
 * bases differ. As many are above 1 as there are outliers. */
START_TEST(strengths_count_outliers_in_any_directions) {
    const char *how =
        "depth: 2, activation: linear, gamma0: 8, lr: 0.02, steps: 12, weight_decay: 0.01";
    nnd_context *ctx = nnd_context_new(NULL);
    char params[512];
    snprintf(params, sizeof params, "%s, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}",
             how);
    nnd_frame *one = solve(ctx, params);
    snprintf(params, sizeof params,
             "%s, outputs: 2, data: {gram: [[1, 0.4], [0.4, 0.8]], targets: "
             "[[0.6, 0.8], [-0.3, -0.4]]}",
             how);
    nnd_frame *two = solve(ctx, params);
    const nnd_array *strength = nnd_frame_find(one, "outlier_strength"),
                    *outlier = nnd_frame_find(one, "outlier");
    size_t above = 0;
    for (size_t i = 0; i < strength->count; i++) {
        ck_assert((strength->data[i] > 1.0) == !isnan(outlier->data[i]));
        above += strength->data[i] > 1.0;
    }
    ck_assert(above > 3 && above < strength->count / 2);
    ck_assert(apart(one, two, "outlier_strength", 1.0) < 1e-7);
    double escape = test_value(one, "escape_time", "matrix=1,k=1");
    ck_assert(escape > 1.0 && fabs(test_value(two, "escape_time", "matrix=1,k=1") - escape) < 1e-6);
    nnd_frame_free(one);
    nnd_frame_free(two);
    nnd_context_free(ctx);
}
END_TEST

/* A fifth of the samples of a layer is too many directions. */
START_TEST(many_directions_on_few_samples_are_warned_of) {
    nnd_context *ctx = nnd_context_new(NULL);
    const char *how = "depth: 2, gamma0: 3, lr: 0.3, steps: 8, spectrum: false, replicates: 2, ";
    char params[1024];
    snprintf(params, sizeof params, "%ssamples: 64, " LABELS, how);
    nnd_frame *few = solve(ctx, params);
    snprintf(params, sizeof params, "%ssamples: 1024, " LABELS, how);
    nnd_frame *many = solve(ctx, params);
    ck_assert_ptr_nonnull(nnd_frame_find_attribute(few, NULL, "warning_directions"));
    ck_assert_ptr_null(nnd_frame_find_attribute(many, NULL, "warning_directions"));
    nnd_frame_free(few);
    nnd_frame_free(many);
    nnd_context_free(ctx);
}
END_TEST

/* ---- refusals ---- */

START_TEST(what_is_not_known_is_refused_by_name) {
    static const char *const cases[][2] = {
        {"parameterization: ntk, weight_decay: 0.1, " THREE, "weight_decay: 0.1"},
        {"parameterization: ntk, weight_decay: 0.1, activation: relu, sigma_b: 1, " THREE,
         "sigma_b"},
        {"parameterization: ntk, weight_decay: 0.1, depth: 2, activation: relu, residual: "
         "plain, " THREE,
         "residual"},
        {"solver: quadrature, momentum: 0.5, data: {gram: 1, targets: 1}", "quadrature"},
        {"activation: relu, integrator: flow, data: {gram: 1, targets: 1}", "kink"},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "{model: wide-mlp, params: {%s}}", cases[_i][0]);
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *frame = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), cases[_i][1]));
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("wide-mlp training");
    TCase *tests = tcase_create("training");
    tcase_add_loop_test(tests, exact_reference_cases, 0, 3);
    tcase_add_loop_test(tests, sampled_reference_cases, 0, 7);
    tcase_add_test(tests, targets_along_one_direction_are_one_output);
    tcase_add_test(tests, two_classes_are_the_logistic_loss);
    tcase_add_test(tests, classes_keep_their_sum);
    tcase_add_test(tests, momentum_decay_and_schedule_are_a_map_of_four_fields);
    tcase_add_test(tests, flow_converges_with_the_order_of_its_method);
    tcase_add_loop_test(tests, small_scales_are_the_lazy_limit, 0, 12);
    tcase_add_test(tests, recording_leaves_no_trace);
    tcase_add_loop_test(tests, many_test_samples_say_what_few_say, 0, 3);
    tcase_add_test(tests, strengths_count_outliers_in_any_directions);
    tcase_add_test(tests, many_directions_on_few_samples_are_warned_of);
    tcase_add_loop_test(tests, what_is_not_known_is_refused_by_name, 0, 5);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
