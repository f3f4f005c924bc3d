/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "flat_cases.h"
#include "validate/lanes.h"
#include "validate/network.h"

enum { SAMPLES = 7, INPUTS = 4, STEPS = 50 };

/* A block in lanes, and each of its networks by matrix products over samples. */
static void check_training(const size_t *width, size_t depth) {
    nnd_context *ctx = nnd_context_new(NULL);
    double x[SAMPLES * INPUTS], y[SAMPLES], residual[SAMPLES];
    nnd_layer_plan plan[8];
    nnd_lanes lanes;
    nnd_rng_normals((nnd_rng_key){1, 0, 0}, 0, 0, SAMPLES * INPUTS, x);
    nnd_rng_normals((nnd_rng_key){1, 0, 0}, 1, 0, SAMPLES, y);
    for (size_t l = 0; l < depth; l++)
        plan[l] = (nnd_layer_plan){.width = width[l + 1], .scale = 1.0, .rate = 1.0};
    nnd_network_plan shape = {
        .networks = 1, .samples = SAMPLES, .inputs = INPUTS, .layers = depth, .layer = plan};
    ck_assert_int_eq(nnd_lanes_make(ctx, depth, width, SAMPLES, x, y, 1.0 / SAMPLES, 0.0, &lanes),
                     NND_OK);
    double *w = calloc(lanes.count, sizeof *w);
    for (size_t b = 0; b < NND_LANES; b++) {
        nnd_rng_normals((nnd_rng_key){9, b, 0}, 0, 0, lanes.count, w);
        for (size_t i = 0; i < lanes.count; i++)
            w[i] *= 0.5;
        nnd_lanes_write(&lanes, b, w);
    }
    double *start = calloc(NND_LANES * lanes.count, sizeof *start);
    memcpy(start, lanes.weights, NND_LANES * lanes.count * sizeof *start);
    nnd_lanes_evaluate(&lanes);
    for (int t = 0; t < STEPS; t++)
        nnd_lanes_descend(&lanes, 0.02);
    for (size_t b = 0; b < NND_LANES; b++) {
        nnd_network net;
        double loss = 0.0, gradient2 = 0.0;
        ck_assert_int_eq(nnd_network_make(ctx, &shape, &net), NND_OK);
        nnd_network_set_inputs(&net, 0, x);
        for (size_t i = 0; i < lanes.count; i++)
            net.weights[i] = start[i * NND_LANES + b];
        for (int t = 0; t <= STEPS; t++) {
            nnd_network_forward(&net);
            nnd_network_backward(&net, NULL);
            loss = nnd_loss(NND_SQUARE, SAMPLES, NULL, y, net.output, residual);
            for (size_t mu = 0; mu < SAMPLES; mu++)
                residual[mu] *= 0.02 / SAMPLES;
            if (t < STEPS)
                nnd_network_descend(&net, residual, NULL);
        }
        nnd_lanes_read(&lanes, b, w);
        for (size_t i = 0; i < lanes.count; i++)
            ck_assert_msg(fabs(w[i] - net.weights[i]) < 1e-12, "network %zu, weight %zu: %g", b, i,
                          w[i] - net.weights[i]);
        test_close("loss", lanes.loss[b], loss, 1e-11);
        memset(w, 0, lanes.count * sizeof *w);
        nnd_network_descend(&net, residual, w);
        for (size_t i = 0; i < lanes.count; i++)
            gradient2 += w[i] * w[i] / (0.02 * 0.02);
        test_close("|gradient|^2", lanes.gradient2[b], gradient2, 1e-9);
        nnd_network_clear(&net);
    }
    free(w);
    free(start);
    nnd_lanes_clear(&lanes);
    nnd_context_free(ctx);
}

/* A step in one pass over the weights is the gradient added to them and what follows from it. */
START_TEST(step_is_gradient_and_evaluation) {
    const size_t width[] = {INPUTS, 6, 3, 1};
    const double rate = 0.05, ulp = 4e-16;
    nnd_context *ctx = nnd_context_new(NULL);
    double x[SAMPLES * INPUTS], y[SAMPLES], loss[NND_LANES], slope2[NND_LANES];
    nnd_lanes lanes;
    nnd_rng_normals((nnd_rng_key){2, 0, 0}, 0, 0, SAMPLES * INPUTS, x);
    nnd_rng_normals((nnd_rng_key){2, 0, 0}, 1, 0, SAMPLES, y);
    ck_assert_int_eq(nnd_lanes_make(ctx, 3, width, SAMPLES, x, y, 1.0 / SAMPLES, 0.5, &lanes),
                     NND_OK);
    size_t count = lanes.count * NND_LANES;
    double *want = calloc(count, sizeof *want);
    nnd_rng_normals((nnd_rng_key){2, 0, 0}, 2, 0, count, lanes.weights);
    nnd_lanes_evaluate(&lanes);
    for (int t = 0; t < 3; t++) {
        memcpy(want, lanes.weights, count * sizeof *want);
        nnd_lanes_add_gradient(&lanes, -rate, want);
        nnd_lanes_descend(&lanes, rate);
        for (size_t i = 0; i < count; i++)
            ck_assert(fabs(lanes.weights[i] - want[i]) <= ulp * fmax(1.0, fabs(want[i])));
        memcpy(loss, lanes.loss, sizeof loss);
        memcpy(slope2, lanes.slope2, sizeof slope2);
        nnd_lanes_evaluate(&lanes);
        for (size_t b = 0; b < NND_LANES; b++) {
            ck_assert(fabs(lanes.loss[b] - loss[b]) <= 1e-14 * loss[b]);
            ck_assert(fabs(lanes.slope2[b] - slope2[b]) <= 1e-13 * slope2[b]);
        }
    }
    free(want);
    nnd_lanes_clear(&lanes);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(lanes_train_as_matrices_over_samples_do) {
    const size_t one[] = {INPUTS, 1}, three[] = {INPUTS, 5, 3, 1}, five[] = {INPUTS, 4, 4, 4, 4, 1};
    check_training(one, 1);
    check_training(three, 3);
    check_training(five, 5);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("lanes");
    TCase *tests = tcase_create("lanes");
    tcase_add_test(tests, step_is_gradient_and_evaluation);
    tcase_add_test(tests, lanes_train_as_matrices_over_samples_do);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
