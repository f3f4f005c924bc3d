/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The norm of the product of all matrices against what linear networks do with unit vectors: their
 * outputs are the columns of that product, which the forward pass makes, and no product of weights
 * does. */
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "support.h"
#include "validate/induced_norm.h"

enum { INPUTS = 7, WIDTH = 5, LAYERS = 4, MOST_OUTPUTS = 9, NETWORKS = 2 };

static const nnd_activation RELU = {NND_RELU, 1.0, 1.0, 0.0};

static void make(size_t outputs, const nnd_activation *activation, nnd_network *net) {
    const nnd_layer_plan layer[LAYERS] = {
        {WIDTH, 0.4, 1.0, activation, false, false, 0.0},
        {WIDTH, 0.5, 1.0, activation, false, true, 0.0},
        {WIDTH, 0.6, 1.0, activation, true, false, 0.0},
        {outputs, 0.3, 1.0, NULL, false, false, 0.0},
    };
    const nnd_network_plan plan = {.networks = NETWORKS,
                                   .samples = INPUTS,
                                   .inputs = INPUTS,
                                   .layers = LAYERS,
                                   .layer = layer};
    double unit[INPUTS * INPUTS] = {0.0};
    for (size_t i = 0; i < INPUTS; i++)
        unit[i * INPUTS + i] = 1.0;
    ck_assert_int_eq(nnd_network_make(NULL, &plan, net), NND_OK);
    nnd_network_set_inputs(net, 0, unit);
    for (uint32_t l = 0; l < LAYERS; l++)
        nnd_network_draw(net, l, 1.0, (nnd_rng_key){1, 2, 3}, l);
}

static double norm_of(const nnd_network *net, size_t b) {
    double scratch[2 * MOST_OUTPUTS * (INPUTS + 1)];
    ck_assert_uint_le(nnd_induced_norm_scratch(net->outputs, INPUTS),
                      sizeof scratch / sizeof *scratch);
    return nnd_induced_norm(net, b, scratch);
}

/* Largest singular value of an outputs x INPUTS matrix, by its Gram matrix. */
static double largest(size_t outputs, const double *a) {
    double gram[INPUTS * INPUTS] = {0.0}, value[INPUTS];
    for (size_t c = 0; c < outputs; c++)
        for (size_t i = 0; i < INPUTS; i++)
            for (size_t j = 0; j < INPUTS; j++)
                gram[i * INPUTS + j] += a[c * INPUTS + i] * a[c * INPUTS + j];
    ck_assert_int_eq(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', INPUTS, gram, INPUTS, value), 0);
    return sqrt(value[INPUTS - 1]);
}

START_TEST(it_is_that_of_the_map_from_inputs_to_outputs) {
    /* One output, fewer than inputs, and more. */
    static const size_t outputs[] = {1, 3, MOST_OUTPUTS};
    const double rounding = 100.0 * DBL_EPSILON;
    nnd_network net;
    make(outputs[_i], NULL, &net);
    nnd_network_forward(&net);
    for (size_t b = 0; b < NETWORKS; b++)
        test_close("norm", norm_of(&net, b),
                   largest(outputs[_i], net.output + b * outputs[_i] * INPUTS), rounding);
    nnd_network_clear(&net);
}
END_TEST

START_TEST(activations_do_not_matter) {
    nnd_network linear, relu;
    make(3, NULL, &linear);
    make(3, &RELU, &relu);
    ck_assert_double_eq(norm_of(&relu, 1), norm_of(&linear, 1));
    nnd_network_clear(&linear);
    nnd_network_clear(&relu);
}
END_TEST

/* All weights are k: (k times the scale), WIDTH paths a layer, of which two add their input. */
START_TEST(of_equal_weights_it_is_a_number) {
    nnd_network net;
    make(1, &RELU, &net);
    for (size_t i = 0; i < net.weight_count; i++)
        net.weights[i] = 2.0;
    double want = sqrt(INPUTS) * WIDTH * 0.6 * 0.8 * (1.0 + WIDTH * 1.0) * (1.0 + WIDTH * 1.2);
    test_close("norm", norm_of(&net, 0), want, 100.0 * DBL_EPSILON);
    nnd_network_clear(&net);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("induced_norm");
    TCase *tests = tcase_create("induced_norm");
    tcase_add_loop_test(tests, it_is_that_of_the_map_from_inputs_to_outputs, 0, 3);
    tcase_add_test(tests, activations_do_not_matter);
    tcase_add_test(tests, of_equal_weights_it_is_a_number);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
