/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "flat_cases.h"
#include "nndmft/solvers/chain.h"
#include "nndmft/solvers/quadratic.h"
#include "validate/hessian.h"

enum { SAMPLES = 9, INPUTS = 4 };

static const nnd_activation GELU = {.name = NND_GELU, .gain = 1.3, .scale = 1.1};
static const nnd_activation TANH = {.name = NND_TANH, .gain = 1.0, .scale = 1.0};

typedef struct {
    nnd_context *ctx;
    nnd_network net;
    nnd_hessian hessian;
    double y[SAMPLES];
} problem;

/* A network of random weights on random data. The layers whose rate is 0 keep theirs. */
static void make(problem *p, size_t layers, const nnd_layer_plan *layer) {
    double x[SAMPLES * INPUTS];
    nnd_network_plan plan = {
        .networks = 1, .samples = SAMPLES, .inputs = INPUTS, .layers = layers, .layer = layer};
    p->ctx = nnd_context_new(NULL);
    ck_assert_int_eq(nnd_network_make(p->ctx, &plan, &p->net), NND_OK);
    nnd_rng_normals((nnd_rng_key){1, 0, 0}, 0, 0, SAMPLES * INPUTS, x);
    nnd_rng_normals((nnd_rng_key){1, 0, 0}, 1, 0, SAMPLES, p->y);
    nnd_network_set_inputs(&p->net, 0, x);
    for (size_t l = 0; l < layers; l++)
        nnd_network_draw(&p->net, l, 0.6, (nnd_rng_key){2, 0, 0}, (uint32_t)l);
    ck_assert_int_eq(nnd_hessian_make(p->ctx, &p->net, p->y, 1.0 / SAMPLES, &p->hessian), NND_OK);
}

static void clear(problem *p) {
    nnd_hessian_clear(&p->hessian);
    nnd_network_clear(&p->net);
    nnd_context_free(p->ctx);
}

/* Adds step * direction to the trained weights. */
static void shift(problem *p, double step, const double *direction) {
    for (size_t l = 0; l < p->net.layers; l++) {
        nnd_layer *layer = &p->net.layer[l];
        size_t n = layer->rows * layer->cols;
        if (layer->rate == 0.0)
            continue;
        cblas_daxpy((int)n, step, direction, 1, layer->w, 1);
        direction += n;
    }
}

/* The loss along a line and the gradient along it, by central differences: errors fall as step^2.
 */
static void check_derivatives(problem *p) {
    size_t n = p->hessian.count;
    double *v = calloc(n, sizeof *v), *g = calloc(n, sizeof *g), *hv = calloc(n, sizeof *hv);
    double *up = calloc(n, sizeof *up), *down = calloc(n, sizeof *down), slope[2], error[2];
    nnd_rng_normals((nnd_rng_key){3, 0, 0}, 0, 0, n, v);
    nnd_hessian_set(&p->hessian);
    nnd_hessian_gradient(&p->hessian, g);
    nnd_hessian_times(&p->hessian, v, hv);
    double size = fabs(hv[cblas_idamax((int)n, hv, 1)]), along = cblas_ddot((int)n, g, 1, v, 1);
    for (int k = 0; k < 2; k++) {
        double step = k == 0 ? 2e-3 : 1e-3;
        shift(p, step, v);
        double high = nnd_hessian_set(&p->hessian);
        nnd_hessian_gradient(&p->hessian, up);
        shift(p, -2.0 * step, v);
        double low = nnd_hessian_set(&p->hessian);
        nnd_hessian_gradient(&p->hessian, down);
        shift(p, step, v);
        slope[k] = fabs((high - low) / (2.0 * step) - along);
        error[k] = 0.0;
        for (size_t i = 0; i < n; i++)
            error[k] = fmax(error[k], fabs((up[i] - down[i]) / (2.0 * step) - hv[i]));
    }
    ck_assert_msg(slope[1] < 1e-3 * fabs(along), "slope %g, error %g", along, slope[1]);
    test_close("order of the slope", slope[0] / slope[1], 4.0, 0.02);
    ck_assert_msg(error[1] < 1e-3 * size, "H v %g, error %g", size, error[1]);
    test_close("order of H v", error[0] / error[1], 4.0, 0.02);
    free(v);
    free(g);
    free(hv);
    free(up);
    free(down);
}

START_TEST(product_equals_differences_of_the_gradient) {
    problem p;
    const nnd_layer_plan deep[] = {
        {.width = 5, .scale = 1.0, .rate = 1.0, .activation = &GELU},
        {.width = 5, .scale = 0.7, .rate = 1.0, .activation = &TANH, .residual = true},
        {.width = 3, .scale = 1.0, .rate = 1.0},
        {.width = 1, .scale = 1.2, .rate = 1.0, .activation = &TANH}};
    make(&p, 4, deep);
    check_derivatives(&p);
    clear(&p);
    const nnd_layer_plan fixed[] = {{.width = 4, .scale = 1.0, .rate = 0.0, .activation = &TANH},
                                    {.width = 6, .scale = 1.0, .rate = 1.0},
                                    {.width = 6, .scale = 1.0, .rate = 1.0, .activation = &GELU},
                                    {.width = 1, .scale = 1.0, .rate = 0.0}};
    make(&p, 4, fixed);
    ck_assert_uint_eq(p.hessian.count, 24 + 36);
    check_derivatives(&p);
    clear(&p);
}
END_TEST

/* Of a linear network: the Hessian of the product of matrices on the same data. */
START_TEST(linear_network_has_the_hessian_of_its_product) {
    problem p;
    const nnd_layer_plan linear[] = {{.width = 5, .scale = 1.0, .rate = 1.0},
                                     {.width = 3, .scale = 1.0, .rate = 1.0},
                                     {.width = 1, .scale = 1.0, .rate = 1.0}};
    const size_t width[] = {INPUTS, 5, 3, 1};
    nnd_quadratic q;
    nnd_chain chain;
    double x[SAMPLES * INPUTS];
    make(&p, 3, linear);
    nnd_rng_normals((nnd_rng_key){1, 0, 0}, 0, 0, SAMPLES * INPUTS, x);
    ck_assert_int_eq(nnd_quadratic_fit(p.ctx, SAMPLES, INPUTS, x, p.y, &q), NND_OK);
    ck_assert_int_eq(nnd_chain_make(p.ctx, &q, 3, width, NULL, &chain), NND_OK);
    memcpy(chain.weights, p.net.weights, chain.count * sizeof(double));
    nnd_chain_evaluate(&chain);
    test_close("loss", nnd_hessian_set(&p.hessian), nnd_quadratic_loss(&q, chain.alpha[0]), 1e-12);
    double *v = calloc(chain.count, sizeof *v), *a = calloc(chain.count, sizeof *a);
    double *b = calloc(chain.count, sizeof *b);
    nnd_rng_normals((nnd_rng_key){5, 0, 0}, 0, 0, chain.count, v);
    nnd_hessian_times(&p.hessian, v, a);
    nnd_chain_hessian(&chain, v, b);
    double size = fabs(b[cblas_idamax((int)chain.count, b, 1)]);
    for (size_t i = 0; i < chain.count; i++)
        ck_assert(fabs(a[i] - b[i]) < 1e-12 * size);
    free(v);
    free(a);
    free(b);
    nnd_chain_clear(&chain);
    nnd_quadratic_clear(&q);
    clear(&p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("hessian");
    TCase *tests = tcase_create("hessian");
    tcase_add_test(tests, product_equals_differences_of_the_gradient);
    tcase_add_test(tests, linear_network_has_the_hessian_of_its_product);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
