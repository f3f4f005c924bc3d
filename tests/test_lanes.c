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
    for (int t = 0; t < STEPS; t++) {
        nnd_lanes_add_gradient(&lanes, -0.02, NULL);
        nnd_lanes_evaluate(&lanes);
    }
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
    tcase_add_test(tests, lanes_train_as_matrices_over_samples_do);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
