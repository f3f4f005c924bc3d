/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model `spectrum`: its closed forms against the solver of any population, its simulation
 * against a plain twin, a given matrix. */
#include <complex.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/rng.h"
#include "core/streams.h"
#include "nndmft/solvers/covariance.h"
#include "nndmft/solvers/marchenko_pastur.h"
#include "nndmft/spectrum.h"
#include "solvers/cmplx.h"
#include "support.h"
#include "with_context.h"

/* ---- theory ---- */

static const double *values(const nnd_frame *frame, const char *name) {
    const nnd_array *array = nnd_frame_find(frame, name);
    ck_assert_msg(array != NULL, "no %s", name);
    return array->data;
}

static double value(const nnd_frame *frame, const char *name) {
    return values(frame, name)[0];
}

/* One atom of the population is what the closed forms are for; both to rounding. */
static void check_law(const char *yaml, double ratio, double sigma2) {
    const double s[] = {sigma2}, h[] = {1.0};
    const size_t end[] = {1};
    const nnd_covariance law = {1, s, h, 1, end, ratio};
    nnd_frame *frame = test_theory(ctx, yaml);
    nnd_edges edges = {0};
    const nnd_array *found = nnd_frame_find(frame, "edges");
    const nnd_dim *z = nnd_frame_find_dim(frame, "z");
    double *density = calloc(z->length, sizeof *density), *cdf = calloc(z->length, sizeof *cdf);
    ck_assert_int_eq(nnd_covariance_edges(ctx, &law, &edges), NND_OK);
    ck_assert_uint_eq(edges.count, found->count);
    for (size_t i = 0; i < edges.count; i++) {
        test_close("edge", found->data[i], edges.edge[i].z, 1e-10);
        test_close("kappa", values(frame, "edge_kappa")[i], edges.edge[i].kappa, 1e-8);
    }
    ck_assert_int_eq(nnd_covariance_density(ctx, &law, &edges, z->length, z->value, density, cdf),
                     NND_OK);
    for (size_t i = 0; i < z->length; i++) {
        double at = z->value[i];
        ck_assert_double_eq_tol(values(frame, "density")[i], density[i], 1e-8 * (1.0 + density[i]));
        ck_assert_double_eq_tol(values(frame, "density_sv")[i], 2.0 * sqrt(at) * density[i], 1e-7);
        ck_assert_double_eq_tol(values(frame, "cdf")[i], cdf[i], 1e-9);
    }
    for (size_t i = 0; i < 3; i++) {
        static const double POINT[][2] = {{-1.0, 0.0}, {1.0, 1.0}, {2.0, 1.0}};
        nnd_complex m, at = CMPLX(POINT[i][0], POINT[i][1]);
        ck_assert_int_eq(nnd_covariance_stieltjes(ctx, &law, at, &m), NND_OK);
        test_close("Re m", values(frame, "stieltjes_re")[i], creal(m), 1e-10);
        ck_assert_double_eq_tol(values(frame, "stieltjes_im")[i], cimag(m), 1e-10);
    }
    nnd_edges_clear(&edges);
    nnd_frame_free(frame);
    free(density);
    free(cdf);
}

START_TEST(closed_forms_are_those_of_one_atom) {
    check_law("model: spectrum\nparams: {ratio: 0.4, sigma2: 1.7}\n", 0.4, 1.7);
    check_law("model: spectrum\nparams: {ratio: 1}\n", 1.0, 1.0);
    check_law("model: spectrum\nparams: {ratio: 2.5, sigma2: 0.3}\n", 2.5, 0.3);
}
END_TEST

/* Printed digits: ratio 1/2, spikes .7 (none), 1.2, 2. */
START_TEST(spikes_of_the_reference_case) {
    nnd_frame *frame = test_theory(
        ctx, "model: spectrum\nparams: {kind: spiked, ratio: 0.5, spikes: [2, 1.2, .7], "
             "width: 1000000, points: [[2, 1], [0.5, 0.1], [-1, 0]]}\n");
    ck_assert_double_eq_tol(values(frame, "outlier")[0], 5.625, 1e-12);
    ck_assert_double_eq_tol(values(frame, "outlier")[1], 3.287222222, 5e-10);
    ck_assert(isnan(values(frame, "outlier")[2]) && isnan(values(frame, "outlier_overlap")[2]));
    ck_assert_double_eq_tol(values(frame, "outlier_overlap")[0], 0.8611111111, 5e-11);
    ck_assert_double_eq_tol(values(frame, "outlier_overlap")[1], 0.5632875143, 5e-11);
    /* Of a million rows: three spikes among 500000 eigenvalues, each at most 10 in m. */
    static const double m[][2] = {
        {-0.3443493687, 0.5145058973}, {0.1595128578, 1.7878061090}, {0.5615528128, 0.0}};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_double_eq_tol(values(frame, "stieltjes_re")[i], m[i][0], 6e-5);
        ck_assert_double_eq_tol(values(frame, "stieltjes_im")[i], m[i][1], 6e-5);
    }
    nnd_frame_free(frame);
}
END_TEST

/* A bulk that is next to nothing: 1/(s - z) at s = 0, whatever the rounding of the other root. */
START_TEST(stieltjes_transform_of_small_entries_is_that_of_none) {
    nnd_frame *frame = test_theory(ctx, "model: spectrum\nparams: {ratio: 2, sigma2: 1.0e-50, "
                                        "points: [[-1, 0], [1, 1]]}\n");
    ck_assert_double_eq_tol(values(frame, "stieltjes_re")[0], 1.0, 4 * DBL_EPSILON);
    ck_assert_double_eq_tol(values(frame, "stieltjes_re")[1], -0.5, 4 * DBL_EPSILON);
    ck_assert_double_eq_tol(values(frame, "stieltjes_im")[1], 0.5, 4 * DBL_EPSILON);
    nnd_frame_free(frame);
}
END_TEST

/* The standard error is what the mean over Gaussian matrices differs by: 5 standard errors of 2000,
 * and D^(-2) for the next order. */
START_TEST(error_of_the_stieltjes_transform_is_that_of_finite_matrices) {
    enum { ROWS = 40, COLS = 20, COUNT = 2000 };
    double x[ROWS * COLS], s[COLS], none[COLS], sum = 0.0, square = 0.0;
    nnd_frame *frame =
        test_theory(ctx, "model: spectrum\nparams: {ratio: 0.5, width: 40, points: [[-0.3, 0]]}\n");
    for (uint64_t k = 0; k < COUNT; k++) {
        double m = 0.0;
        nnd_rng_normals((nnd_rng_key){k, 77, COLS}, 0, 0, ROWS * COLS, x);
        ck_assert_int_eq(
            LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', ROWS, COLS, x, ROWS, s, none, ROWS, none, COLS),
            0);
        for (size_t i = 0; i < COLS; i++)
            m += 1.0 / (s[i] * s[i] / ROWS + 0.3) / COLS;
        sum += m / COUNT;
        square += m * m / COUNT;
    }
    double se = sqrt((square - sum * sum) / COUNT);
    ck_assert_double_eq_tol(sum - value(frame, "stieltjes_re"), value(frame, "stieltjes_re" NND_SE),
                            5.0 * se + 1.0 / (COLS * COLS));
    ck_assert_double_gt(value(frame, "stieltjes_re" NND_SE), 5.0 * se + 1.0 / (COLS * COLS));
    nnd_frame_free(frame);
}
END_TEST

/* (12) by the determinant itself, differentiated by central differences of step 1e-4. */
START_TEST(spikes_move_the_stieltjes_transform) {
    static const char law[] = "model: spectrum\nparams: {kind: %s, ratio: 0.6, width: 100, %s"
                              "points: [[1, 0.5], [1.0001, 0.5], [0.9999, 0.5]]}\n";
    char yaml[256];
    snprintf(yaml, sizeof yaml, law, "mp", "");
    nnd_frame *plain = test_theory(ctx, yaml);
    snprintf(yaml, sizeof yaml, law, "spiked", "spikes: [1.5], ");
    nnd_frame *spiked = test_theory(ctx, yaml);
    double f[3][2], want[2];
    for (size_t i = 0; i < 3; i++) {
        /* 1 - theta^2 z m m_N, m_N = d m - (1 - d)/z. */
        double re = values(plain, "stieltjes_re")[i], im = values(plain, "stieltjes_im")[i];
        double x = i == 0 ? 1.0 : i == 1 ? 1.0001 : 0.9999, y = 0.5;
        double square_re = re * re - im * im, square_im = 2.0 * re * im;
        f[i][0] = 1.0 - 2.25 * (0.6 * (x * square_re - y * square_im) - 0.4 * re);
        f[i][1] = -2.25 * (0.6 * (x * square_im + y * square_re) - 0.4 * im);
    }
    double slope[2] = {(f[1][0] - f[2][0]) / 2e-4, (f[1][1] - f[2][1]) / 2e-4};
    double norm = f[0][0] * f[0][0] + f[0][1] * f[0][1];
    want[0] = -(slope[0] * f[0][0] + slope[1] * f[0][1]) / norm / 60.0;
    want[1] = -(slope[1] * f[0][0] - slope[0] * f[0][1]) / norm / 60.0;
    ck_assert_double_eq_tol(value(spiked, "stieltjes_re") - value(plain, "stieltjes_re"), want[0],
                            1e-7);
    ck_assert_double_eq_tol(value(spiked, "stieltjes_im") - value(plain, "stieltjes_im"), want[1],
                            1e-7);
    ck_assert_double_gt(fabs(want[0]), 1e-3);
    nnd_frame_free(plain);
    nnd_frame_free(spiked);
}
END_TEST

START_TEST(blurred_outliers_are_not_claimed) {
    nnd_frame *frame = test_theory(
        ctx, "model: spectrum\nparams: {kind: spiked, ratio: 1, spikes: [3, 1.05], width: 100}\n");
    ck_assert_double_eq(values(frame, "outlier_min_size")[0], 0.0);
    ck_assert(isinf(values(frame, "outlier_min_size")[1]));
    ck_assert(nnd_frame_find(frame, "top_mean") == NULL);
    nnd_frame_free(frame);
}
END_TEST

/* ---- simulation ---- */

/* A plain twin of seed 1: eigenvalues and vectors of X^T X by another routine of LAPACK. */
START_TEST(simulation_is_what_a_plain_program_finds) {
    enum { N = 24, D = 36 };
    nnd_case *c = test_case(ctx, "model: spectrum\nparams: {kind: spiked, ratio: 1.5, spikes: [4], "
                                 "sigma2: 0.5, width: 24, z: [0.2, 1, 3], points: [[1, 0.5]]}\n"
                                 "simulate: {seeds: 2, base_seed: 5}\n");
    nnd_frame *frame = NULL;
    const nnd_simulator *simulator = nnd_simulator_find(c->model);
    ck_assert_int_eq(simulator->simulate(ctx, c->params[0], 0, 5, 0, 2, &frame), NND_OK);
    double x[N * D], gram[D * D] = {0.0}, z[D];
    nnd_rng_normals((nnd_rng_key){5, 1, 0}, NND_STREAM_SPECTRUM_ENTRIES, 0, N * D, x);
    for (size_t i = 0; i < N * D; i++)
        x[i] = x[i] * sqrt(0.5 / N) + (i == 0 ? 4.0 : 0.0);
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j < D; j++)
            for (size_t n = 0; n < N; n++)
                gram[i * D + j] += x[n * D + i] * x[n * D + j];
    ck_assert_int_eq(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', D, gram, D, z), 0);
    test_close("outlier", values(frame, "outlier")[1], z[D - 1], 1e-12);
    test_close("top", values(frame, "top_mean")[1], z[D - 1], 1e-12);
    test_close("overlap", values(frame, "outlier_overlap")[1], gram[D - 1] * gram[D - 1], 1e-11);
    double re = 0.0, im = 0.0, below = 0.0;
    for (size_t i = 0; i < D; i++) {
        double distance = (z[i] - 1.0) * (z[i] - 1.0) + 0.25;
        re += (z[i] - 1.0) / distance / D;
        im += 0.5 / distance / D;
        below += z[i] <= 1.0 ? 1.0 / D : 0.0;
    }
    test_close("Re m", values(frame, "stieltjes_re")[1], re, 1e-12);
    test_close("Im m", values(frame, "stieltjes_im")[1], im, 1e-12);
    test_close("cdf", values(frame, "cdf")[3 + 1], below, 1e-12);
    nnd_frame_free(frame);
    nnd_case_free(c);
}
END_TEST

/* ---- a given matrix ---- */

START_TEST(rows_of_a_case_are_analysed) {
    nnd_frame *frame = test_theory(
        ctx, "model: spectrum\nparams: {kind: matrix, dataset: [[3, 0, 0], [0, -5, 0]]}\n");
    test_close("first", values(frame, "singular")[0], 5.0, 1e-14);
    test_close("second", values(frame, "singular")[1], 3.0, 1e-14);
    test_close("stable rank", value(frame, "stable_rank"), 34.0 / 25.0, 1e-13);
    ck_assert(isnan(value(frame, "bulk_sigma")) && isnan(value(frame, "init_ks")));
    ck_assert(nnd_frame_find(frame, "density_sv") == NULL);
    nnd_frame_free(frame);
}
END_TEST

static void refuse(const char *params, const char *words) {
    char yaml[512];
    nnd_value *tree;
    nnd_case *c = NULL;
    snprintf(yaml, sizeof yaml, "model: spectrum\nparams: %s\n", params);
    ck_assert_int_eq(nnd_yaml_read_text(ctx, "test", yaml, &tree), NND_OK);
    ck_assert_int_eq(nnd_case_resolve(ctx, tree, &(nnd_case_source){.stem = "test"}, &c),
                     NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), words) != NULL, "%s", nnd_context_message(ctx));
    nnd_value_free(tree);
}

START_TEST(what_does_not_go_together_is_refused) {
    refuse("{spikes: [1]}", "params.spikes: belong to kind: spiked");
    refuse("{kind: spiked}", "params.spikes: missing");
    refuse("{kind: spiked, spikes: [1, 2]}", "each less than the one before");
    refuse("{kind: spiked, spikes: [2, 1], width: 1}", "2 of matrices of rank 1");
    refuse("{z: [2, 1]}", "params.z");
    refuse("{points: [[1, 0]]}", "im > 0, or im = 0 with re < 0");
    refuse("{method: kpm}", "params.method: kpm belongs to kind: matrix");
    refuse("{kind: matrix}", "params.dataset: missing");
    refuse("{kind: matrix, dataset: [[1]], ratio: 2}", "params.ratio");
    refuse("{file: x.h5}", "params.file: belongs to kind: matrix");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("spectrum_model");
    TCase *tests = tcase_create("spectrum_model");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, closed_forms_are_those_of_one_atom);
    tcase_add_test(tests, spikes_of_the_reference_case);
    tcase_add_test(tests, spikes_move_the_stieltjes_transform);
    tcase_add_test(tests, stieltjes_transform_of_small_entries_is_that_of_none);
    tcase_add_test(tests, error_of_the_stieltjes_transform_is_that_of_finite_matrices);
    tcase_add_test(tests, blurred_outliers_are_not_claimed);
    tcase_add_test(tests, simulation_is_what_a_plain_program_finds);
    tcase_add_test(tests, rows_of_a_case_are_analysed);
    tcase_add_test(tests, what_does_not_go_together_is_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
