/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nonlinear networks abreast, against networks of matrices and differences of the loss. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "support.h"
#include "validate/bent_lanes.h"
#include "validate/network.h"

enum { MOST_SAMPLES = 13, INPUTS = 5, STEPS = 30 };

static const nnd_activation TANH = {NND_TANH, 1.2, 0.9, 0.0}, GELU = {NND_GELU, 1.0, 1.0, 0.0};

typedef struct {
    nnd_context *ctx;
    double x[MOST_SAMPLES * INPUTS], y[MOST_SAMPLES];
    nnd_bent_lanes lanes;
    double *w; /* of one network */
} block;

static void block_make(size_t depth, const size_t *width, const nnd_activation *activation,
                       size_t samples, block *b) {
    b->ctx = nnd_context_new(NULL);
    nnd_rng_normals((nnd_rng_key){1, 0, 0}, 0, 0, MOST_SAMPLES * INPUTS, b->x);
    nnd_rng_normals((nnd_rng_key){1, 0, 0}, 1, 0, MOST_SAMPLES, b->y);
    ck_assert_int_eq(NND_OK, nnd_bent_lanes_make(b->ctx, depth, width, activation, samples, b->x,
                                                 b->y, 1.0 / (double)samples, &b->lanes));
    b->w = calloc(b->lanes.count, sizeof *b->w);
    for (size_t lane = 0; lane < NND_LANES; lane++) {
        nnd_rng_normals((nnd_rng_key){9, lane, 0}, 0, 0, b->lanes.count, b->w);
        for (size_t i = 0; i < b->lanes.count; i++)
            b->w[i] *= 0.5;
        nnd_bent_lanes_write(&b->lanes, lane, b->w);
    }
    nnd_bent_lanes_evaluate(&b->lanes);
}

static void block_clear(block *b) {
    nnd_bent_lanes_clear(&b->lanes);
    free(b->w);
    nnd_context_free(b->ctx);
}

/* Every network of a trained block is one of matrices, trained alone. */
static void check_training(size_t depth, const size_t *width, const nnd_activation *activation,
                           size_t samples) {
    const double rate = 0.02;
    nnd_layer_plan plan[8];
    block b;
    nnd_network net;
    double residual[MOST_SAMPLES], loss = 0.0;
    block_make(depth, width, activation, samples, &b);
    for (size_t l = 0; l < depth; l++)
        plan[l] = (nnd_layer_plan){.width = width[l + 1],
                                   .scale = 1.0,
                                   .rate = 1.0,
                                   .activation = l + 1 < depth ? activation : NULL};
    nnd_network_plan shape = {
        .networks = 1, .samples = samples, .inputs = INPUTS, .layers = depth, .layer = plan};
    double *start = calloc(NND_LANES * b.lanes.count, sizeof *start);
    for (size_t lane = 0; lane < NND_LANES; lane++)
        nnd_bent_lanes_read(&b.lanes, lane, start + lane * b.lanes.count);
    for (int t = 0; t < STEPS; t++) {
        nnd_bent_lanes_add_gradient(&b.lanes, -rate, b.lanes.weights);
        nnd_bent_lanes_evaluate(&b.lanes);
    }
    for (size_t lane = 0; lane < NND_LANES; lane++) {
        ck_assert_int_eq(NND_OK, nnd_network_make(b.ctx, &shape, &net));
        nnd_network_set_inputs(&net, 0, b.x);
        memcpy(net.weights, start + lane * b.lanes.count, b.lanes.count * sizeof *start);
        for (int t = 0; t <= STEPS; t++) {
            nnd_network_forward(&net);
            nnd_network_backward(&net, NULL);
            loss = nnd_loss(NND_SQUARE, samples, NULL, b.y, net.output, residual);
            for (size_t mu = 0; mu < samples; mu++)
                residual[mu] *= rate / (double)samples;
            if (t < STEPS)
                nnd_network_descend(&net, residual, NULL);
        }
        nnd_bent_lanes_read(&b.lanes, lane, b.w);
        /* Rounding of thirty steps of a stable map. */
        for (size_t i = 0; i < b.lanes.count; i++)
            ck_assert_double_eq_tol(b.w[i], net.weights[i], 1e-13);
        test_close("loss", b.lanes.loss[lane], loss, 1e-12);
        nnd_network_clear(&net);
    }
    free(start);
    block_clear(&b);
}

/* Sides below, at and beyond those of tiles, and odd ones. */
START_TEST(networks_abreast_train_as_they_do_alone) {
    const size_t small[] = {INPUTS, 1, 1}, even[] = {INPUTS, 4, 8, 1},
                 odd[] = {INPUTS, 7, 3, 9, 2, 1}, single[] = {INPUTS, 1};
    check_training(2, small, &TANH, 1);
    check_training(3, even, &GELU, 8);
    check_training(3, even, &TANH, MOST_SAMPLES);
    check_training(5, odd, &GELU, MOST_SAMPLES);
    check_training(1, single, &GELU, 6);
}
END_TEST

/* Central differences err by step^2/6 times a third derivative of order 10, and rounding/step. */
START_TEST(gradient_is_the_limit_of_differences) {
    const size_t width[] = {INPUTS, 6, 3, 1};
    const double step = 1e-5;
    block b;
    block_make(3, width, &GELU, 11, &b);
    size_t count = b.lanes.count;
    double *gradient = calloc(count * NND_LANES, sizeof *gradient), up[NND_LANES];
    nnd_bent_lanes_add_gradient(&b.lanes, 1.0, gradient);
    for (size_t i = 0; i < count; i += 5) {
        double *w = b.lanes.weights + i * NND_LANES;
        for (size_t lane = 0; lane < NND_LANES; lane++)
            w[lane] += step;
        nnd_bent_lanes_evaluate(&b.lanes);
        memcpy(up, b.lanes.loss, sizeof up);
        for (size_t lane = 0; lane < NND_LANES; lane++)
            w[lane] -= 2.0 * step;
        nnd_bent_lanes_evaluate(&b.lanes);
        for (size_t lane = 0; lane < NND_LANES; lane++) {
            ck_assert_double_eq_tol(gradient[i * NND_LANES + lane],
                                    (up[lane] - b.lanes.loss[lane]) / (2.0 * step), 2e-9);
            w[lane] += step;
        }
    }
    free(gradient);
    block_clear(&b);
}
END_TEST

/* What becomes of one network does not concern its neighbours, to the last bit. */
START_TEST(a_diverged_network_leaves_the_others_alone) {
    const size_t width[] = {INPUTS, 3, 1};
    block with, without;
    block_make(2, width, &TANH, 6, &with);
    block_make(2, width, &TANH, 6, &without);
    with.lanes.weights[3] = NAN;
    for (int t = 0; t < 3; t++) {
        nnd_bent_lanes_evaluate(&with.lanes);
        nnd_bent_lanes_add_gradient(&with.lanes, -0.1, with.lanes.weights);
        nnd_bent_lanes_evaluate(&without.lanes);
        nnd_bent_lanes_add_gradient(&without.lanes, -0.1, without.lanes.weights);
    }
    for (size_t i = 0; i < with.lanes.count * NND_LANES; i++)
        if (i % NND_LANES != 3)
            ck_assert_double_eq(with.lanes.weights[i], without.lanes.weights[i]);
    ck_assert(!isfinite(with.lanes.loss[3]));
    block_clear(&with);
    block_clear(&without);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("bent_lanes");
    TCase *tests = tcase_create("bent_lanes");
    tcase_add_test(tests, networks_abreast_train_as_they_do_alone);
    tcase_add_test(tests, gradient_is_the_limit_of_differences);
    tcase_add_test(tests, a_diverged_network_leaves_the_others_alone);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
