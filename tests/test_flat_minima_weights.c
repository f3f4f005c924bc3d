/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weights of a user's own: numbers of the page, closed forms, networks, refusals. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flat_cases.h"

#define S3_DATA "data: {covariance: [[2, .5, 0], [.5, 1, .2], [0, .2, .5]], minimizer: [.6, 0, .8]}"

enum { MOST = 8, ROOM = 128 };

/* The file that a case names: matrices of these shapes, in this order. */
static size_t matrices, rows_of[MOST], cols_of[MOST];
static const char *name_of[MOST];
static double number[ROOM];
static bool last_is_vector;

static nnd_status read_matrices(nnd_context *ctx, const char *path, nnd_frame **arrays) {
    (void)path;
    nnd_status status = nnd_frame_new(ctx, arrays);
    const double *from = number;
    for (size_t k = 0; status == NND_OK && k < matrices; k++) {
        char up[16], across[16], dims[40];
        double *x;
        bool vector = last_is_vector && k + 1 == matrices;
        snprintf(up, sizeof up, "up%zu", k);
        snprintf(across, sizeof across, "across%zu", k);
        snprintf(dims, sizeof dims, "%s%s%s", vector ? "" : up, vector ? "" : ",", across);
        ck_assert_int_eq(nnd_frame_add_range(*arrays, up, rows_of[k], 0.0), NND_OK);
        ck_assert_int_eq(nnd_frame_add_range(*arrays, across, cols_of[k], 0.0), NND_OK);
        status = nnd_frame_add(*arrays, name_of[k], dims, &x);
        memcpy(x, from, rows_of[k] * cols_of[k] * sizeof *x);
        from += rows_of[k] * cols_of[k];
    }
    return status;
}

/* W1, ..., WL of width `width` on `d` inputs. */
static void set_shapes(size_t depth, size_t d, size_t width) {
    static const char *const names[] = {"W1", "W2", "W3", "W4", "W5"};
    matrices = depth;
    last_is_vector = false;
    for (size_t k = 0; k < depth; k++) {
        rows_of[k] = k + 1 < depth ? width : 1;
        cols_of[k] = k == 0 ? d : width;
        name_of[k] = names[k];
    }
}

static nnd_status resolve(nnd_context *ctx, const char *params, nnd_case **c) {
    char yaml[700];
    nnd_value *tree = NULL;
    nnd_case_source source = {.stem = "test", .read = read_matrices};
    snprintf(yaml, sizeof yaml,
             "{model: flat-minima, params: {%s, weights: mine.npz}, simulate: {seeds: 8}}", params);
    ck_assert_int_eq(nnd_yaml_read_text(ctx, "test", yaml, &tree), NND_OK);
    nnd_status status = nnd_case_resolve(ctx, tree, &source, c);
    nnd_value_free(tree);
    return status;
}

static nnd_frame *solve(nnd_context *ctx, const char *params, nnd_case **c) {
    nnd_frame *frame = NULL;
    if (resolve(ctx, params, c) != NND_OK || nnd_theory_run(ctx, *c, NULL, &frame) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    return frame;
}

/* flat-minima.md#s8: from weights sc cos(1 + k + 2 i + 3 j); a network measures the same. */
START_TEST(weights_of_the_page_have_its_numbers) {
    static const struct {
        size_t depth;
        double scale, top, least;
        const char *params;
    } cases[] = {
        {2, .7, 6.0117413, -3.4150542, S3_DATA ", depth: 2, steps: 10, lr: .01, record: [0]"},
        {3, .6, 13.702495, -5.6396468, S3_DATA ", depth: 3, steps: 10, lr: .01, record: [0]"},
    };
    for (size_t n = 0; n < 2; n++) {
        nnd_context *ctx = nnd_context_new(NULL);
        nnd_case *c = NULL;
        nnd_ensemble e;
        nnd_store *store = nnd_memory_store_new();
        set_shapes(cases[n].depth, 3, 3);
        last_is_vector = n == 1;
        for (size_t k = 0, at = 0; k < matrices; k++)
            for (size_t i = 0; i < rows_of[k]; i++)
                for (size_t j = 0; j < cols_of[k]; j++)
                    number[at++] = cases[n].scale * cos(1.0 + (double)(k + 2 * i + 3 * j));
        nnd_frame *f = solve(ctx, cases[n].params, &c);
        /* Printed to eight digits. */
        test_close("top", test_value(f, "weights_sharpness", ""), cases[n].top, 4e-8);
        test_close("bottom", test_value(f, "weights_least", ""), cases[n].least, 4e-8);
        if (n == 0) {
            const double w[] = {-.26800128 - .6, .27711753, -.28068728 - .8};
            test_close("|w - w*|^2", test_value(f, "weights_distance2", ""),
                       w[0] * w[0] + w[1] * w[1] + w[2] * w[2], 2e-8);
        }
        ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &e), NND_OK);
        static const char *const both[] = {"weights_sharpness", "weights_loss",
                                           "weights_distance2"};
        for (size_t v = 0; v < 3; v++)
            test_close(both[v], test_value(e.mc, both[v], ""), test_value(f, both[v], ""), 1e-10);
        test_close("start of training", test_value(e.mc, "sharpness_least", "t=0"), cases[n].least,
                   2e-8);
        ck_assert(test_value(e.mc, "loss", "t=10") < test_value(e.mc, "loss", "t=0"));
        nnd_ensemble_clear(&e);
        nnd_memory_store_free(store);
        nnd_frame_free(f);
        nnd_case_free(c);
        nnd_context_free(ctx);
    }
}
END_TEST

/* W_1 = a u_1 v', W_k = s u_k u_{k-1}', W_L = s u_{L-1}' with random unit u_k of 4. */
static void set_aligned(size_t depth, double a, double s) {
    double below[4] = {.6, 0, .8}, above[4], *to = number;
    size_t cols = 3;
    for (size_t k = 0; k < depth; k++) {
        size_t rows = k + 1 < depth ? 4 : 1;
        nnd_rng_normals((nnd_rng_key){3, k, 0}, 0, 0, 4, above);
        double length = k + 1 < depth ? cblas_dnrm2(4, above, 1) : above[0];
        for (size_t i = 0; i < rows; i++)
            above[i] /= length;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < cols; j++)
                *to++ = (k == 0 ? a : s) * above[i] * below[j];
        memcpy(below, above, sizeof below);
        cols = 4;
    }
}

/* The flattest minimum, turned at random, is flattest and at no distance; with layers longer by
 * known factors the distance is that of the lengths. */
START_TEST(flattest_minima_are_found_wherever_they_are_turned) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = NULL;
    const double star = .64432429, s = pow(star, .25), a = 1.0 / sqrt(star);
    set_shapes(3, 3, 4);
    set_aligned(3, a, s);
    nnd_frame *f = solve(ctx, S3_DATA ", depth: 3, width: 4, steps: 0", &c);
    test_close("S_min", test_value(f, "weights_sharpness", ""), test_value(f, "sharpness_min", ""),
               1e-7);
    /* c* is printed to 8 digits; a distance is the root of a difference of rounded squares. */
    ck_assert_double_le(test_value(f, "flattest_distance", ""), 3e-7);
    ck_assert_double_le(test_value(f, "weights_loss", ""), 1e-20);
    nnd_frame_free(f);
    nnd_case_free(c);
    set_aligned(3, a + .3, s + .4);
    f = solve(ctx, S3_DATA ", depth: 3, width: 4, steps: 0", &c);
    test_close("distance", test_value(f, "flattest_distance", ""), sqrt(.09 + 2.0 * .16), 1e-7);
    nnd_frame_free(f);
    nnd_case_free(c);
    /* Linear regression: of w itself. */
    set_shapes(1, 3, 3);
    number[0] = .6;
    number[1] = 2.0;
    number[2] = .8;
    f = solve(ctx, S3_DATA ", depth: 1, steps: 0", &c);
    test_close("distance at depth 1", test_value(f, "flattest_distance", ""), 2.0, 1e-12);
    nnd_frame_free(f);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* The distance of (10) is that of a point: no random choice of unit vectors is nearer. */
START_TEST(no_turn_is_nearer_than_the_one_that_is_found) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = NULL;
    set_shapes(3, 3, 4);
    nnd_rng_normals((nnd_rng_key){8, 0, 0}, 0, 0, 32, number);
    nnd_frame *f = solve(ctx, S3_DATA ", depth: 3, width: 4, steps: 0", &c);
    double found = test_value(f, "flattest_distance", ""), nearest = INFINITY, mine[32];
    double star = test_value(f, "c_star", ""), s = pow(star, .25), a = 1.0 / sqrt(star);
    memcpy(mine, number, sizeof mine);
    for (uint64_t draw = 0; draw < 20000; draw++) {
        double u[8], distance2 = 0.0;
        const double v[] = {.6, 0, .8}, *w = mine;
        nnd_rng_normals((nnd_rng_key){9, draw, 0}, 0, 0, 8, u);
        cblas_dscal(4, 1.0 / cblas_dnrm2(4, u, 1), u, 1);
        cblas_dscal(4, 1.0 / cblas_dnrm2(4, u + 4, 1), u + 4, 1);
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 3; j++)
                distance2 += pow(*w++ - a * u[i] * v[j], 2);
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++)
                distance2 += pow(*w++ - s * u[4 + i] * u[j], 2);
        for (int j = 0; j < 4; j++)
            distance2 += pow(*w++ - s * u[4 + j], 2);
        nearest = fmin(nearest, sqrt(distance2));
    }
    ck_assert_msg(found <= nearest && nearest < 1.1 * found, "found %g, drawn %g", found, nearest);
    nnd_frame_free(f);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* Names in natural order, whatever that of the file. */
START_TEST(matrices_are_taken_in_the_order_of_their_names) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = NULL;
    set_shapes(2, 3, 2);
    rows_of[0] = 1, cols_of[0] = 2, name_of[0] = "layer10";
    rows_of[1] = 2, cols_of[1] = 3, name_of[1] = "layer9";
    for (int i = 0; i < 8; i++)
        number[i] = i < 2 ? 1.0 : i - 2.0;
    nnd_frame *f = solve(ctx, S3_DATA ", depth: 2, width: 2, steps: 0", &c);
    /* w = (1, 1) (0 1 2; 3 4 5) = (3, 5, 7) */
    test_close("|w - w*|^2", test_value(f, "weights_distance2", ""), 2.4 * 2.4 + 25.0 + 6.2 * 6.2,
               1e-13);
    nnd_frame_free(f);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

static void refused(const char *params, const char *words) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = NULL;
    ck_assert_int_eq(resolve(ctx, params, &c), NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), words) != NULL &&
                      strstr(nnd_context_message(ctx), "params.") != NULL,
                  "\"%s\" lacks \"%s\"", nnd_context_message(ctx), words);
    nnd_case_free(c);
    nnd_context_free(ctx);
}

START_TEST(what_are_no_matrices_of_the_network_is_refused) {
    set_shapes(3, 3, 3);
    memset(number, 0, sizeof number);
    refused(S3_DATA ", depth: 2", "3 arrays; allowed: 2");
    refused(S3_DATA ", depth: 3, width: 4", "4 x 3 numbers of W_1");
    refused(S3_DATA ", depth: 3, init: aligned", "init");
    refused(S3_DATA ", depth: 3, init_scale: .3", "init_scale");
    rows_of[2] = 2;
    refused(S3_DATA ", depth: 3", "array 3 (W3)");
    rows_of[2] = 1;
    number[10] = NAN;
    refused(S3_DATA ", depth: 3", "row 0, column 1 is nan");
    number[10] = 0.0;
    rows_of[2] = 3;
    refused(S3_DATA ", depth: 3, architecture: residual", "readout");
}
END_TEST

/* Products of layers beyond any number: theory and networks name the key. */
START_TEST(matrices_beyond_any_number_are_refused) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = NULL;
    nnd_frame *frame = NULL;
    nnd_store *store = nnd_memory_store_new();
    nnd_ensemble e;
    set_shapes(2, 3, 2);
    for (int i = 0; i < 8; i++)
        number[i] = 1e200;
    ck_assert_int_eq(resolve(ctx, S3_DATA ", depth: 2, width: 2, steps: 1, lr: .01", &c), NND_OK);
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "params.weights"));
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &e), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "params.weights"));
    nnd_memory_store_free(store);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("flat_minima_weights");
    TCase *tests = tcase_create("flat_minima_weights");
    tcase_add_test(tests, weights_of_the_page_have_its_numbers);
    tcase_add_test(tests, flattest_minima_are_found_wherever_they_are_turned);
    tcase_add_test(tests, no_turn_is_nearer_than_the_one_that_is_found);
    tcase_add_test(tests, matrices_are_taken_in_the_order_of_their_names);
    tcase_add_test(tests, what_are_no_matrices_of_the_network_is_refused);
    tcase_add_test(tests, matrices_beyond_any_number_are_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
