/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kept weights: they are those of the network that is recorded, and nothing else knows of them. */
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/matrices.h"
#include "scratch.h"
#include "support.h"

/* Numbers of a forward pass in another order: a few hundred products of size one. */
static const double ROUNDING = 1e-12;
/* Singular values found by Lanczos, relative to the largest. */
static const double LANCZOS = 1e-9;

/* ---- ensembles ---- */

static nnd_ensemble simulate_into(nnd_store *store, const char *body, const char *storage) {
    char yaml[1024];
    nnd_ensemble e;
    snprintf(yaml, sizeof yaml, "{%s, storage: %s}}", body, storage);
    nnd_case *c = test_case(ctx, yaml);
    nnd_status status = nnd_ensemble_run(ctx, c, store, &e);
    ck_assert_msg(status >= NND_OK, "%s: %s", yaml, nnd_context_message(ctx));
    nnd_case_free(c);
    return e;
}

static nnd_ensemble simulate(const char *body, const char *storage) {
    nnd_store *store = nnd_memory_store_new();
    nnd_ensemble e = simulate_into(store, body, storage);
    nnd_memory_store_free(store);
    return e;
}

/* The same networks twice: their weights, and what is recorded of every seed. */
typedef struct {
    nnd_ensemble kept, recorded;
} pair;

static pair simulate_pair(const char *body) {
    return (pair){simulate(body, "weights"), simulate(body, "trajectories")};
}

static void pair_clear(pair *p) {
    nnd_ensemble_clear(&p->kept);
    nnd_ensemble_clear(&p->recorded);
}

/* ---- networks ---- */

static size_t layers(const nnd_frame *weights) {
    return nnd_frame_array_count(weights);
}

/* Matrix l at recorded time t; `weights` has the dimensions (t, rows, cols), or (1, t, ...). */
static const double *matrix(const nnd_frame *weights, size_t l, size_t t, size_t *rows,
                            size_t *cols) {
    const nnd_array *w = nnd_frame_array(weights, l);
    *rows = w->shape[w->ndims - 2];
    *cols = w->shape[w->ndims - 1];
    return w->data + t * *rows * *cols;
}

static double same(double x) {
    return x;
}

/* Output of the kept network on an input: W_{L-1} phi(... phi(W_0 x)). */
static double output(const nnd_frame *weights, size_t t, const double *x, double (*phi)(double)) {
    double field[2][64] = {{0.0}};
    size_t rows, cols;
    matrix(weights, 0, t, &rows, &cols);
    memcpy(field[0], x, cols * sizeof *x);
    for (size_t l = 0; l < layers(weights); l++) {
        const double *w = matrix(weights, l, t, &rows, &cols);
        for (size_t i = 0; i < rows; i++) {
            double h = 0.0;
            for (size_t j = 0; j < cols; j++)
                h += w[i * cols + j] * field[l % 2][j];
            field[(l + 1) % 2][i] = l + 1 < layers(weights) ? phi(h) : h;
        }
    }
    return field[layers(weights) % 2][0];
}

/* Of seed 0; the seeds stand behind the size. */
static const double *recorded(const pair *p, const char *name) {
    const nnd_array *array = nnd_frame_find(p->recorded.seeds, name);
    ck_assert_msg(array != NULL, "no %s", name);
    return array->data;
}

static size_t times(const pair *p) {
    return nnd_frame_find_dim(p->kept.weights, "t")->length;
}

static void ck_near(const char *what, size_t t, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance * fmax(1.0, fabs(want)),
                  "%s at time %zu: want %.17g got %.17g", what, t, want, got);
}

/* ---- tests ---- */

#define TWO_SAMPLES "data: {inputs: [[1, 0.5, -1], [0.2, -1, 0.7]], targets: [1, -0.5]}"
static const double INPUTS[2][3] = {{1, 0.5, -1}, {0.2, -1, 0.7}};

START_TEST(outputs_of_nonlinear_networks_are_those_of_the_kept_weights) {
    static const struct {
        const char *body;
        const char *name;
    } cases[] = {
        {"model: wide-mlp, params: {depth: 2, activation: tanh, lr: 0.5, steps: 3, " TWO_SAMPLES
         "}, simulate: {size: 20, seeds: 3, center: false",
         "output"},
        {"model: two-layer-fluctuations, params: {activation: tanh, center: false, lr: 0.5, "
         "steps: 3, " TWO_SAMPLES "}, simulate: {size: 20, seeds: 3",
         "output"},
        {"model: deep-fluctuations, params: {depth: 2, activation: tanh, center: false, lr: 0.5, "
         "batch: {size: 1}, steps: 3, " TWO_SAMPLES "}, simulate: {size: 20, seeds: 3",
         "output"},
        {"model: lazy-fluctuations, params: {depth: 2, activation: tanh, lr: 0.5, steps: "
         "3, " TWO_SAMPLES "}, simulate: {size: 20, seeds: 3",
         NULL},
    };
    const double target[2] = {1, -0.5};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pair p = simulate_pair(cases[i].body);
        const nnd_frame *w = p.kept.weights;
        for (size_t t = 0; t < times(&p); t++)
            for (size_t mu = 0; mu < 2; mu++) {
                double f = output(w, t, INPUTS[mu], tanh), want;
                if (cases[i].name != NULL) {
                    want = recorded(&p, cases[i].name)[t * 2 + mu];
                } else { /* lazy networks subtract their start: delta = y - (f - f(0)) */
                    want = recorded(&p, "delta")[t * 2 + mu];
                    f = target[mu] - (f - output(w, 0, INPUTS[mu], tanh));
                }
                ck_near(cases[i].body, t, f, want, ROUNDING);
            }
        pair_clear(&p);
    }
}
END_TEST

START_TEST(predictors_of_linear_networks_are_products_of_the_kept_weights) {
    pair p = simulate_pair(
        "model: directional, params: {integrator: gd, depth: 3, width: 4, dim: 6, steps: 4, "
        "lr: 0.5}, simulate: {seeds: 2");
    for (size_t t = 0; t < times(&p); t++) {
        double square = 0.0;
        for (size_t j = 0; j < nnd_frame_find_dim(p.kept.weights, "unit0")->length; j++) {
            double axis[64] = {0.0};
            axis[j] = 1.0;
            square += pow(output(p.kept.weights, t, axis, same), 2.0);
        }
        ck_near("omega", t, sqrt(square), recorded(&p, "omega")[t], ROUNDING);
    }
    pair_clear(&p);
    p = simulate_pair("model: deep-linear-fluctuations, params: {depth: 2, widths: [1, 0.5], "
                      "center: false, lr: 0.5, steps: 3, " TWO_SAMPLES
                      "}, simulate: {size: 20, seeds: 2");
    for (size_t t = 0; t < times(&p); t++)
        for (size_t mu = 0; mu < 2; mu++)
            ck_near("output", t, output(p.kept.weights, t, INPUTS[mu], same),
                    recorded(&p, "output")[t * 2 + mu], ROUNDING);
    pair_clear(&p);
    p = simulate_pair("model: online-fluctuations, params: {lr: 0.3, dim: 2, steps: 4}, "
                      "simulate: {size: 16, seeds: 2");
    for (size_t t = 0; t < times(&p); t++)
        ck_near("delta", t, 1.0 - output(p.kept.weights, t, (double[2]){1.0, 0.0}, same),
                recorded(&p, "delta")[t], ROUNDING);
    pair_clear(&p);
}
END_TEST

START_TEST(norms_of_flat_minima_are_those_of_the_kept_weights) {
    pair p = simulate_pair("model: flat-minima, params: {depth: 3, width: 5, init: gaussian, "
                           "lr: 1.0e-3, steps: 3, data: {generate: regression, samples: 9, dim: "
                           "4, seed: 1}}, simulate: {seeds: 2");
    for (size_t t = 0; t < times(&p); t++)
        for (size_t l = 0; l < layers(p.kept.weights); l++) {
            size_t rows, cols;
            const double *w = matrix(p.kept.weights, l, t, &rows, &cols);
            double square = 0.0;
            for (size_t k = 0; k < rows * cols; k++)
                square += w[k] * w[k];
            ck_near("layer_norm", t, sqrt(square),
                    recorded(&p, "layer_norm")[t * layers(p.kept.weights) + l], ROUNDING);
        }
    pair_clear(&p);
}
END_TEST

/* Of many outputs the last time alone is recorded; the start is kept all the same. */
START_TEST(eigenvalues_of_many_outputs_are_those_of_the_kept_weights) {
    pair p = simulate_pair("model: many-outputs, params: {variant: fixed-readout, c: 1, d: 0.5, "
                           "time: 2, integrator: flow}, simulate: {size: 16, seeds: 2");
    size_t rows, cols;
    ck_assert_uint_eq(times(&p), 2);
    const double *w = matrix(p.kept.weights, 0, 1, &rows, &cols);
    double square = 0.0;
    for (size_t k = 0; k < rows * cols; k++)
        square += w[k] * w[k];
    ck_near("eigenvalue_mean", 1, square / (double)cols, recorded(&p, "eigenvalue_mean")[0],
            ROUNDING);
    pair_clear(&p);
}
END_TEST

/* The arrays are as large as the largest size; what is beyond a matrix is NaN. */
START_TEST(singular_values_of_deep_linear_networks_are_those_of_the_kept_weights) {
    enum { SIZES = 2, OUTLIERS = 2, LARGEST = 16 };
    static const size_t size[SIZES] = {10, LARGEST};
    pair p = simulate_pair("model: deep-linear, params: {depth: 2, lr: 0.2, steps: 3, ntk: false, "
                           "momentum: 0.5, outliers: 2}, simulate: {size: [10, 16], seeds: 2");
    const double *outlier = recorded(&p, "outlier"); /* size, seed, t, matrix, k */
    for (size_t n = 0; n < SIZES; n++)
        for (size_t t = 0; t < times(&p); t++)
            for (size_t l = 0; l < 2; l++) {
                double copy[LARGEST * LARGEST], s[LARGEST], none[LARGEST];
                const nnd_array *w = nnd_frame_array(p.kept.weights, l);
                const double *from = w->data + (n * times(&p) + t) * LARGEST * LARGEST;
                for (size_t i = 0; i < LARGEST; i++)
                    for (size_t j = 0; j < LARGEST; j++) {
                        bool inside = i < size[n] && j < size[n];
                        ck_assert_int_eq(isnan(from[i * LARGEST + j]), !inside);
                        if (inside)
                            copy[i * size[n] + j] = from[i * LARGEST + j];
                    }
                int order = (int)size[n];
                ck_assert_int_eq(LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'N', order, order, copy, order, s,
                                                none, order, none, order),
                                 0);
                for (size_t k = 0; k < OUTLIERS; k++)
                    ck_near("outlier", t, s[k],
                            outlier[(((n * 2) * times(&p) + t) * 2 + l) * OUTLIERS + k], LANCZOS);
            }
    pair_clear(&p);
}
END_TEST

#define SWEPT                                                                                      \
    "model: deep-linear, params: {depth: 1, steps: 2, spectrum: false, ntk: false}, sweep: "       \
    "{gamma0: [0.5, 2]}, simulate: {size: [8, 12], seeds: 4"

START_TEST(estimates_do_not_know_of_kept_weights) {
    nnd_ensemble with = simulate(SWEPT, "weights"), without = simulate(SWEPT, "summary");
    ck_assert(test_frames_identical(with.mc, without.mc));
    ck_assert(test_frames_identical(with.influence, without.influence));
    ck_assert_ptr_null(without.weights);
    nnd_ensemble_clear(&with);
    nnd_ensemble_clear(&without);
}
END_TEST

static size_t begun;

static nnd_status count_put(void *self, nnd_context *c, const char *key, const nnd_frame *frame) {
    nnd_store *store = self;
    begun++;
    ck_assert_ptr_nonnull(strstr(key, "weights"));
    return store->put(store->self, c, key, frame);
}

static nnd_status count_has(void *self, nnd_context *c, const char *key, bool *found) {
    nnd_store *store = self;
    return store->has(store->self, c, key, found);
}

static nnd_status count_get(void *self, nnd_context *c, const char *key, nnd_frame **frame) {
    nnd_store *store = self;
    return store->get(store->self, c, key, frame);
}

START_TEST(an_ensemble_is_extended_by_its_weights_alone) {
    nnd_store *store = nnd_memory_store_new();
    nnd_store counting = {store, count_has, count_put, count_get};
    nnd_ensemble first = simulate_into(store, SWEPT, "summary");
    begun = 0;
    nnd_ensemble second = simulate_into(&counting, SWEPT, "weights");
    nnd_ensemble afresh = simulate(SWEPT, "weights");
    ck_assert_uint_eq(begun, 4); /* two points at two sizes */
    ck_assert(test_frames_identical(first.mc, second.mc));
    ck_assert(test_frames_identical(second.weights, afresh.weights));
    nnd_ensemble_clear(&first);
    nnd_ensemble_clear(&second);
    nnd_ensemble_clear(&afresh);
    nnd_memory_store_free(store);
}
END_TEST

/* Two points, two sizes, three times: of W0 and W1, where the latter is a vector. */
START_TEST(a_result_with_weights_is_read_as_matrices) {
    nnd_ensemble e = simulate(SWEPT, "weights");
    const nnd_result result = {.mc = e.mc,
                               .weights = e.weights,
                               .case_text = strdup("model: deep-linear"),
                               .model = strdup("deep-linear")};
    nnd_matrices *file = NULL;
    assert_ok(nnd_result_write(ctx, scratch_path("w.h5"), &result));
    assert_ok(nnd_matrices_open(ctx, scratch_path("w.h5"), &file));
    ck_assert_uint_eq(nnd_matrices_count(file), 2 * 2 * 2 * 3);
    const nnd_matrix_info *info = nnd_matrices_info(file, 1);
    ck_assert_str_eq(info->name, "W0[gamma0=0.5, size=8]");
    ck_assert_uint_eq(info->rows, 8);
    ck_assert_uint_eq(info->cols, 8);
    ck_assert(info->step == 1.0);
    double value[64];
    assert_ok(nnd_matrices_read(ctx, file, 1, value));
    const double *from = nnd_frame_find(e.weights, "W0")->data + 12 * 12; /* t = 1 */
    for (size_t i = 0; i < 8; i++)
        ck_assert_mem_eq(value + i * 8, from + i * 12, 8 * sizeof *value);
    ck_assert_ptr_nonnull(nnd_matrices_info(file, 12)->left_out);
    nnd_matrices_close(file);
    free(result.case_text);
    free(result.model);
    nnd_ensemble_clear(&e);
}
END_TEST

START_TEST(models_without_matrices_refuse) {
    nnd_case *c = test_case(ctx, "{model: scaling-laws, params: {width: 4, samples: 4}, simulate: "
                                 "{seeds: 1, storage: weights}}");
    ck_assert_int_eq(nnd_ensemble_check(ctx, c), NND_E_INPUT);
    assert_message("simulate.storage: scaling-laws keeps no weights");
    nnd_case_free(c);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("keeper");
    TCase *tests = tcase_create("keeper");
    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_add_test(tests, outputs_of_nonlinear_networks_are_those_of_the_kept_weights);
    tcase_add_test(tests, predictors_of_linear_networks_are_products_of_the_kept_weights);
    tcase_add_test(tests, norms_of_flat_minima_are_those_of_the_kept_weights);
    tcase_add_test(tests, eigenvalues_of_many_outputs_are_those_of_the_kept_weights);
    tcase_add_test(tests, singular_values_of_deep_linear_networks_are_those_of_the_kept_weights);
    tcase_add_test(tests, estimates_do_not_know_of_kept_weights);
    tcase_add_test(tests, an_ensemble_is_extended_by_its_weights_alone);
    tcase_add_test(tests, a_result_with_weights_is_read_as_matrices);
    tcase_add_test(tests, models_without_matrices_refuse);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
