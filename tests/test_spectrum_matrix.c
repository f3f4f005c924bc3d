/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said of the singular values of one matrix. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "nndmft/solvers/marchenko_pastur.h"
#include "nndmft/solvers/spectrum.h"
#include "solvers/power_tail.h"
#include "solvers/spectrum_bulk.h"
#include "solvers/spectrum_null.h"
#include "support.h"
#include "with_context.h"

/* ---- matrices ---- */

static double *gaussian(size_t rows, size_t cols, uint64_t seed, double sd) {
    double *x = calloc(rows * cols, sizeof *x);
    nnd_rng_normals((nnd_rng_key){seed, 11, rows}, 0, 0, rows * cols, x);
    cblas_dscal((int)(rows * cols), sd, x, 1);
    return x;
}

/* theta u v^T on it, with unit u and v of a stream of their own, u + rows = v. */
static double *add_spike(size_t rows, size_t cols, double theta, uint64_t seed, double *x) {
    double *u = calloc(rows + cols, sizeof *u), *v = u + rows;
    nnd_rng_normals((nnd_rng_key){seed, 12, rows}, 0, 0, rows + cols, u);
    cblas_dscal((int)rows, 1.0 / cblas_dnrm2((int)rows, u, 1), u, 1);
    cblas_dscal((int)cols, 1.0 / cblas_dnrm2((int)cols, v, 1), v, 1);
    cblas_dger(CblasRowMajor, (int)rows, (int)cols, theta, u, 1, v, 1, x, (int)cols);
    return u;
}

static nnd_spectrum analyse(size_t rows, size_t cols, const double *x,
                            const nnd_spectrum_options *options) {
    nnd_spectrum s;
    nnd_status status = nnd_spectrum_analyse(ctx, rows, cols, x, options, &s);
    ck_assert_msg(status == NND_OK, "%s", nnd_context_message(ctx));
    return s;
}

/* ---- bulk and outliers ---- */

/* A 300 x 200 matrix of variance 1/300 with a spike of 3: at infinite size a singular value
 * sqrt((1 + 9)(2/3 + 9))/3 = 3.277 with overlaps 1 - (2/3)/81 over 1 + (2/3)/9, and 1 + 1/9, and a
 * bulk from 1 - sqrt(2/3) to 1 + sqrt(2/3). Fluctuations of all are of order 1/sqrt(300), of the
 * bulk of order 1/300: five of them. */
START_TEST(spike_of_three_stands_out) {
    double *x = gaussian(300, 200, 1, 1.0 / sqrt(300.0)), *u = add_spike(300, 200, 3.0, 1, x);
    nnd_spectrum_options o = nnd_spectrum_defaults();
    o.left = u;
    o.right = u + 300;
    nnd_spectrum s = analyse(300, 200, x, &o);
    double within = 5.0 / sqrt(300.0), share = 1.0 - 2.0 / 243.0;
    ck_assert_uint_eq(s.outliers, 1);
    ck_assert_uint_eq(s.vectors, 1);
    ck_assert(s.p_value[0] < 1e-12 && s.p_value[1] > o.level);
    test_close("outlier", s.singular[0], 3.277, within / 3.0);
    ck_assert_double_eq_tol(s.left_overlap[0], share / (1.0 + 1.0 / 9.0), within / 3.0);
    ck_assert_double_eq_tol(s.right_overlap[0], share / (1.0 + 2.0 / 27.0), within / 3.0);
    ck_assert_double_eq_tol(s.bulk.lower, 0.1835, 5.0 / 300.0);
    ck_assert_double_eq_tol(s.bulk.upper, 1.8165, 5.0 / 300.0);
    ck_assert_double_eq_tol(s.bulk.edge, s.bulk.upper_mean, 5.0 * s.bulk.upper_sd);
    ck_assert(s.singular[199] > s.bulk.lower_mean - 5.0 * s.bulk.lower_sd);
    ck_assert(s.bulk.ks < 0.05 && s.bulk.ks_p > 0.01);
    ck_assert_double_eq_tol(s.soft_rank, s.bulk.upper * s.bulk.upper / 3.277 / 3.277, 0.04);
    nnd_spectrum_clear(&s);
    free(x);
    free(u);
}
END_TEST

/* Without random entries everything is known: singular values 5, 4, ..., in directions of the axes,
 * of a matrix of either shape. */
START_TEST(values_vectors_and_ranks_of_a_diagonal_matrix) {
    enum { LONG = 30, SHORT = 12 };
    for (int wide = 0; wide < 2; wide++) {
        size_t rows = wide ? SHORT : LONG, cols = wide ? LONG : SHORT;
        double x[LONG * SHORT] = {0.0}, square = 0.0, sum = 0.0;
        for (size_t i = 0; i < SHORT; i++) {
            double value = i == 0 ? 40.0 : 1.0 + 0.01 * (double)i;
            x[i * cols + i] = i % 2 == 0 ? value : -value;
            square += value * value;
            sum += x[i * cols + i];
        }
        nnd_spectrum_options o = nnd_spectrum_defaults();
        nnd_spectrum s = analyse(rows, cols, x, &o);
        double mean = sum / (LONG * SHORT);
        test_close("first", s.singular[0], 40.0, 1e-14);
        test_close("last", s.singular[SHORT - 1], 1.01, 1e-14);
        test_close("norm", s.frobenius, sqrt(square), 1e-13);
        test_close("mean", s.mean, mean, 1e-13);
        test_close("deviation", s.entry_sd, sqrt(square / (LONG * SHORT) - mean * mean), 1e-13);
        test_close("stable rank", s.stable_rank, square / 1600.0, 1e-13);
        ck_assert_uint_ge(s.vectors, 1);
        ck_assert_double_eq_tol(fabs(s.left_vector[0]), 1.0, 1e-12);
        ck_assert_double_eq_tol(fabs(s.right_vector[0]), 1.0, 1e-12);
        nnd_spectrum_clear(&s);
    }
}
END_TEST

/* The law of the sample of section 3 of the page: mean and standard deviation of the fit over 300
 * Gaussian matrices, 5 standard errors, with the singular values of both by LAPACK. */
static void check_fit(size_t rows, size_t cols) {
    enum { COUNT = 150 };
    double sum = 0.0, square = 0.0, se = 0.0;
    nnd_spectrum_options o = nnd_spectrum_defaults();
    o.draws = 0;
    for (uint64_t k = 0; k < COUNT; k++) {
        double *x = gaussian(rows, cols, 100 + k, 2.0);
        nnd_spectrum s = analyse(rows, cols, x, &o);
        double d = s.bulk.entry_sd.value / 2.0 - 1.0;
        sum += d / COUNT;
        square += d * d / COUNT;
        se += s.bulk.entry_sd.se / 2.0 / COUNT;
        nnd_spectrum_clear(&s);
        free(x);
    }
    double sd = sqrt(square - sum * sum);
    ck_assert_msg(fabs(sum) < 5.0 * se / sqrt(COUNT), "%zu x %zu: mean off by %g +- %g", rows, cols,
                  sum, se / sqrt(COUNT));
    ck_assert_msg(fabs(sd / se - 1.0) < 5.0 / sqrt(2.0 * COUNT) + 0.5 / (double)cols,
                  "%zu x %zu: error %g, said to be %g", rows, cols, sd, se);
}

START_TEST(error_of_the_fit_is_what_is_said) {
    check_fit(40, 40);
    check_fit(90, 30);
    check_fit(20, 200);
}
END_TEST

/* Sampled bidiagonal matrices have the singular values of Gaussian ones: the distances of both
 * samples, of 400 and 100, are held against each other by the test of Kolmogorov and Smirnov at
 * 1e-6, with distances in the sample by counting and in the matrices by LAPACK. */
START_TEST(null_law_is_that_of_gaussian_matrices) {
    enum { ROWS = 50, COLS = 30, COUNT = 100, DRAWS = 400 };
    nnd_spectrum_null null;
    double level[NND_BULK_LEVELS], apart = 0.0;
    ck_assert_int_eq(nnd_spectrum_null_make(ctx, ROWS, COLS, DRAWS, 3, &null), NND_OK);
    nnd_bulk_levels(ROWS, COLS, level);
    nnd_spectrum_options o = nnd_spectrum_defaults();
    o.draws = 0;
    double found[2][COUNT];
    for (uint64_t k = 0; k < COUNT; k++) {
        double *x = gaussian(ROWS, COLS, 500 + k, 1.0);
        nnd_spectrum s = analyse(ROWS, COLS, x, &o);
        for (int known = 0; known < 2; known++) {
            double sd =
                known ? 1.0 : nnd_middle(COLS, s.singular) / nnd_bulk_median_of(ROWS, COLS).median;
            size_t below[NND_BULK_LEVELS] = {0};
            for (size_t j = 0; j < NND_BULK_LEVELS; j++)
                for (size_t i = 0; i < COLS; i++)
                    below[j] += s.singular[i] < sd * level[j];
            found[known][k] = nnd_bulk_excess(COLS, below);
        }
        nnd_spectrum_clear(&s);
        free(x);
    }
    for (int known = 0; known < 2; known++) {
        const double *sample = known ? null.known : null.fitted;
        for (size_t k = 0; k < COUNT; k++) {
            double a = 0.0, b = 0.0, at = found[known][k];
            for (size_t i = 0; i < DRAWS; i++)
                a += sample[i] <= at ? 1.0 / DRAWS : 0.0;
            for (size_t i = 0; i < COUNT; i++)
                b += found[known][i] <= at ? 1.0 / COUNT : 0.0;
            apart = fmax(apart, fabs(a - b));
        }
        /* sqrt(-log(1e-6/2)/2) sqrt(1/n + 1/m). */
        ck_assert_double_lt(apart, 2.69 * sqrt(1.0 / COUNT + 1.0 / DRAWS));
    }
    nnd_spectrum_null_clear(&null);
}
END_TEST

/* Null laws that matrices share are those that each would have sampled; of another shape they are
 * refused. */
START_TEST(shared_null_law_changes_nothing) {
    enum { ROWS = 40, COLS = 60 };
    nnd_spectrum_options o = nnd_spectrum_defaults();
    nnd_spectrum_null null;
    double *x = gaussian(ROWS, COLS, 7, 1.0);
    o.init_sd = 1.0;
    nnd_spectrum alone = analyse(ROWS, COLS, x, &o), shared, refused;
    ck_assert_int_eq(nnd_spectrum_null_make(ctx, COLS, ROWS, o.draws, o.seed, &null), NND_OK);
    o.null = &null;
    shared = analyse(ROWS, COLS, x, &o);
    ck_assert_double_eq(shared.bulk.ks_p, alone.bulk.ks_p);
    ck_assert_double_eq(shared.init_ks_p, alone.init_ks_p);
    ck_assert_int_eq(nnd_spectrum_analyse(ctx, ROWS, COLS - 1, x, &o, &refused), NND_E_INPUT);
    nnd_spectrum_null_clear(&null);
    nnd_spectrum_clear(&alone);
    nnd_spectrum_clear(&shared);
    free(x);
}
END_TEST

/* What entries have in common leaves no rounding in their spread: a constant, and integers beside
 * 2^50. */
START_TEST(spread_of_entries_is_not_rounding_of_their_mean) {
    enum { ROWS = 30, COLS = 20, COUNT = ROWS * COLS };
    nnd_spectrum_options o = nnd_spectrum_defaults();
    double x[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        x[i] = 0.1;
    nnd_spectrum s = analyse(ROWS, COLS, x, &o);
    ck_assert_double_eq(s.entry_sd, 0.0);
    ck_assert_double_eq(s.mean, 0.1);
    nnd_spectrum_clear(&s);
    for (size_t i = 0; i < COUNT; i++)
        x[i] = 0x1p50 + (double)(i % 5);
    s = analyse(ROWS, COLS, x, &o);
    ck_assert_double_eq_tol(s.entry_sd, sqrt(2.0), 16 * DBL_EPSILON);
    nnd_spectrum_clear(&s);
}
END_TEST

/* Squares of such entries would overflow or vanish. */
START_TEST(entries_beyond_squares_are_refused) {
    nnd_spectrum_options o = nnd_spectrum_defaults();
    nnd_spectrum s;
    double x[4] = {1.0, 2.0, 3.0, 1e200}, y[4] = {1e-200, 0.0, 0.0, 0.0};
    ck_assert_int_eq(nnd_spectrum_analyse(ctx, 2, 2, x, &o, &s), NND_E_INPUT);
    ck_assert_int_eq(nnd_spectrum_analyse(ctx, 2, 2, y, &o, &s), NND_E_INPUT);
}
END_TEST

/* ---- distances ---- */

/* Singular values at the quantiles (i - 1/2)/count of a law are 1/(2 count) from it; those of
 * entries twice as large are as far from it as the two laws are from each other, up to that. */
START_TEST(distance_of_quantiles_is_half_a_step) {
    enum { TALL = 500, COUNT = 200 };
    double s[COUNT], want = 0.0;
    for (size_t i = 0; i < COUNT; i++)
        s[COUNT - 1 - i] = sqrt(TALL * nnd_mp_quantile(0.4, 1.0, ((double)i + 0.5) / COUNT));
    test_close("same", nnd_bulk_distance(TALL, COUNT, s, 1.0), 0.5 / COUNT, 1e-9);
    /* In numbers, at the levels: what rounding to whole ones leaves. */
    double level[NND_BULK_LEVELS];
    size_t below[NND_BULK_LEVELS] = {0};
    nnd_bulk_levels(TALL, COUNT, level);
    for (size_t j = 0; j < NND_BULK_LEVELS; j++)
        for (size_t i = 0; i < COUNT; i++)
            below[j] += s[i] < level[j];
    ck_assert_double_le(nnd_bulk_excess(COUNT, below), 0.5 + 1e-6);
    ck_assert_double_gt(nnd_bulk_excess(COUNT, below), 0.4);
    for (double z = 0.0; z < 12.0; z += 0.001)
        want = fmax(want, fabs(nnd_mp_cdf(0.4, 1.0, z) - nnd_mp_cdf(0.4, 4.0, z)));
    ck_assert_double_eq_tol(nnd_bulk_distance(TALL, COUNT, s, 2.0), want, 0.6 / COUNT);
}
END_TEST

/* The start is known, and so is the end: entries half as large again. */
START_TEST(initialisation_is_told_from_training) {
    double *x = gaussian(120, 80, 3, 0.1);
    nnd_spectrum_options o = nnd_spectrum_defaults();
    o.init_sd = 0.1;
    nnd_spectrum before = analyse(120, 80, x, &o);
    cblas_dscal(120 * 80, 1.5, x, 1);
    nnd_spectrum after = analyse(120, 80, x, &o);
    ck_assert(before.init_ks < 0.05 && before.init_ks_p > 0.01);
    ck_assert(after.init_ks > 0.2 && after.init_ks_p == 0.01);
    test_close("bulk", after.bulk.entry_sd.value, 1.5 * before.bulk.entry_sd.value, 1e-12);
    ck_assert_double_eq_tol(after.bulk.ks_p, before.bulk.ks_p, 0.011);
    nnd_spectrum_change change;
    ck_assert_int_eq(nnd_spectrum_compare(ctx, &before, &after, &change), NND_OK);
    test_close("bulk shift", change.bulk_shift.value, 0.5 * before.bulk.entry_sd.value, 1e-11);
    test_close("edge shift", change.edge_shift.value, 0.5 * before.bulk.edge, 1e-11);
    test_close("its error", change.edge_shift.se,
               hypot(before.bulk.upper_sd, 1.5 * before.bulk.upper_sd), 1e-11);
    nnd_spectrum_change_clear(&change);
    nnd_spectrum_clear(&before);
    nnd_spectrum_clear(&after);
    free(x);
}
END_TEST

/* The same spike twice: vectors agree as far as either does with the spike. */
START_TEST(outliers_are_followed_between_checkpoints) {
    double *x = gaussian(100, 150, 5, 0.1), *y = gaussian(100, 150, 6, 0.1);
    double *u = add_spike(100, 150, 12.0, 1, x);
    free(u);
    u = add_spike(100, 150, 12.0, 1, y);
    nnd_spectrum_options o = nnd_spectrum_defaults();
    o.draws = 0;
    nnd_spectrum a = analyse(100, 150, x, &o), b = analyse(100, 150, y, &o);
    nnd_spectrum_change change;
    ck_assert_int_eq(nnd_spectrum_compare(ctx, &a, &b, &change), NND_OK);
    ck_assert_uint_eq(change.before, 1);
    ck_assert_uint_eq(change.after, 1);
    /* Squared sine of either to the spike: sd^2 cols/theta^2 = 0.0069 on the left, 0.0104 on the
     * right, up to twice that together, and fluctuations. */
    ck_assert(change.left_overlap[0] > 0.97 && change.left_overlap[0] < 0.999);
    ck_assert(change.right_overlap[0] > 0.96 && change.right_overlap[0] < 0.999);
    nnd_spectrum_change_clear(&change);
    a.rows = 99;
    ck_assert_int_eq(nnd_spectrum_compare(ctx, &a, &b, &change), NND_E_INPUT);
    a.rows = 100;
    nnd_spectrum_clear(&a);
    nnd_spectrum_clear(&b);
    free(x);
    free(y);
    free(u);
}
END_TEST

/* ---- heavy tails ---- */

/* Quantiles of x^-a above 2: the exponent to what a sample of quantiles lacks, its error, and a fit
 * that is better than any sample's. */
START_TEST(power_laws_are_recognised) {
    enum { COUNT = 500 };
    double x[COUNT];
    nnd_power_tail t;
    for (size_t i = 0; i < COUNT; i++)
        x[i] = 2.0 * pow(((double)i + 0.5) / COUNT, -1.0 / 1.5);
    ck_assert_int_eq(nnd_power_tail_fit(ctx, COUNT, x, 49, 1, &t), NND_OK);
    /* Of the threshold itself, half a step off, log 2 per number is missing in sum of n. */
    ck_assert_double_eq_tol(t.exponent, 2.5, 3.0 / (double)t.count);
    test_close("error", t.se, (t.exponent - 1.0) / sqrt((double)t.count), 1e-12);
    ck_assert_uint_gt(t.count, COUNT / 2);
    ck_assert_double_gt(t.p, 0.9);
    /* Uniform numbers have no such tail. */
    for (size_t i = 0; i < COUNT; i++)
        x[i] = 1.0 - ((double)i + 0.5) / COUNT;
    ck_assert_int_eq(nnd_power_tail_fit(ctx, COUNT, x, 49, 1, &t), NND_OK);
    ck_assert(t.count < COUNT / 2);
    ck_assert_int_eq(nnd_power_tail_fit(ctx, NND_TAIL_LEAST - 1, x, 49, 1, &t), NND_OK);
    ck_assert(isnan(t.exponent) && isnan(t.p) && t.count == 0);
}
END_TEST

/* All numbers equal: no exponent, and no division by 0 on the way. */
START_TEST(ties_have_no_power_law) {
    double x[40];
    nnd_power_tail t;
    for (size_t i = 0; i < 40; i++)
        x[i] = 3.0;
    ck_assert_int_eq(nnd_power_tail_fit(ctx, 40, x, 9, 1, &t), NND_OK);
    ck_assert(isnan(t.exponent) && t.count == 0);
}
END_TEST

/* ---- large matrices ---- */

/* What KPM and SLQ say against the exact analysis: within 5 of their errors. */
START_TEST(estimates_agree_with_the_decomposition) {
    double *x = gaussian(250, 400, 4, 0.05), *u = add_spike(250, 400, 3.0, 4, x);
    nnd_spectrum_options o = nnd_spectrum_defaults();
    o.init_sd = 0.05;
    nnd_spectrum exact = analyse(250, 400, x, &o);
    for (int method = NND_SPECTRUM_KPM; method <= NND_SPECTRUM_SLQ; method++) {
        o.method = (nnd_spectrum_method)method;
        nnd_spectrum s = analyse(250, 400, x, &o);
        ck_assert_uint_eq(s.outliers, exact.outliers);
        test_close("largest", s.singular[0], exact.singular[0], 1e-9);
        test_close("edge", s.bulk.edge, exact.bulk.edge, 1e-6);
        ck_assert_double_eq_tol(s.bulk.entry_sd.value, exact.bulk.entry_sd.value,
                                5.0 * s.bulk.entry_sd.se);
        ck_assert(s.bulk.entry_sd.se > exact.bulk.entry_sd.se);
        ck_assert(s.bulk.entry_sd.se < 0.05 * exact.bulk.entry_sd.value);
        ck_assert_double_lt(s.init_ks, 0.05);
        ck_assert(isnan(s.bulk.ks_p) && isnan(s.init_ks_p) && isnan(s.tail.exponent.value));
        double density[20], want[20];
        nnd_spectrum_histogram(&s, 20, 0.0, 2.0, density);
        nnd_spectrum_histogram(&exact, 20, 0.0, 2.0, want);
        for (size_t i = 0; i < 20; i++)
            ck_assert_double_eq_tol(density[i], want[i], 0.2);
        nnd_spectrum_clear(&s);
    }
    nnd_spectrum_clear(&exact);
    free(x);
    free(u);
}
END_TEST

START_TEST(histograms_and_bulk_densities_have_their_mass) {
    double *x = gaussian(60, 90, 4, 0.1), *u = add_spike(60, 90, 9.0, 4, x), density[40];
    nnd_spectrum_options o = nnd_spectrum_defaults();
    nnd_spectrum s = analyse(60, 90, x, &o);
    double mass = 0.0, bulk = 0.0, top = 1.01 * s.singular[0];
    nnd_spectrum_histogram(&s, 40, 0.0, top, density);
    for (size_t i = 0; i < 40; i++)
        mass += top / 40.0 * density[i];
    for (double at = 0.0005; at < top; at += 0.001)
        bulk += 0.001 * nnd_spectrum_bulk_density(&s, at);
    ck_assert_double_eq_tol(mass, 1.0, 1e-12);
    ck_assert_double_eq_tol(bulk, 59.0 / 60.0, 1e-4);
    nnd_spectrum_clear(&s);
    free(x);
    free(u);
}
END_TEST

/* ---- input ---- */

static void refuse(size_t rows, size_t cols, const double *x, const nnd_spectrum_options *o,
                   const char *words) {
    nnd_spectrum s;
    ck_assert_int_eq(nnd_spectrum_analyse(ctx, rows, cols, x, o, &s), NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), words) != NULL, "%s", nnd_context_message(ctx));
    ck_assert(s.singular == NULL);
}

START_TEST(nonsense_is_refused) {
    double x[6] = {1.0, 2.0, NAN, 4.0, 5.0, 6.0}, zero[4] = {0.0};
    nnd_spectrum_options o = nnd_spectrum_defaults();
    refuse(2, 3, x, &o, "entry (0, 2) of the matrix is nan");
    refuse(0, 3, x, &o, "empty");
    refuse(2, 2, zero, &o, "are 0");
    x[2] = 3.0;
    o.level = 0.0;
    refuse(2, 3, x, &o, "level 0");
    o = nnd_spectrum_defaults();
    o.init_sd = -1.0;
    refuse(2, 3, x, &o, "standard deviation -1");
    o = nnd_spectrum_defaults();
    o.probes = 1;
    refuse(2, 3, x, &o, "1 probes");
}
END_TEST

/* Few singular values have no bulk, those of low rank neither; the rest is said all the same. */
START_TEST(what_cannot_be_said_is_no_number) {
    double x[6] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}, low[20 * 20];
    nnd_spectrum_options o = nnd_spectrum_defaults();
    nnd_spectrum s = analyse(2, 3, x, &o);
    /* The Gram matrix ((14, 32), (32, 77)). */
    test_close("first", s.singular[0], sqrt(0.5 * (91.0 + sqrt(63.0 * 63.0 + 4.0 * 1024.0))),
               1e-14);
    ck_assert(isnan(s.bulk.entry_sd.value) && isnan(s.bulk.upper) && isnan(s.soft_rank));
    ck_assert(isnan(s.bulk.ks) && s.tested == 0 && s.outliers == 0);
    nnd_spectrum_clear(&s);
    for (size_t i = 0; i < 400; i++)
        low[i] = (double)(i / 20 + 1) * (double)(i % 20 + 1);
    s = analyse(20, 20, low, &o);
    ck_assert(isnan(s.bulk.entry_sd.value) && isnan(s.tail.exponent.value));
    test_close("stable rank", s.stable_rank, 1.0, 1e-13);
    nnd_spectrum_clear(&s);
}
END_TEST

static nnd_spectrum with_threads(int threads, const double *x) {
    nnd_context *own = nnd_context_new(&(nnd_context_options){.threads = threads});
    nnd_spectrum_options o = nnd_spectrum_defaults();
    nnd_spectrum s;
    o.init_sd = 0.1;
    ck_assert_int_eq(nnd_spectrum_analyse(own, 80, 60, x, &o, &s), NND_OK);
    nnd_context_free(own);
    return s;
}

START_TEST(threads_change_no_bit) {
    double *x = gaussian(80, 60, 9, 0.1);
    nnd_spectrum a = with_threads(1, x), b = with_threads(3, x);
    ck_assert(a.bulk.ks_p == b.bulk.ks_p && a.init_ks_p == b.init_ks_p && a.tail.p == b.tail.p);
    ck_assert(memcmp(a.singular, b.singular, 60 * sizeof(double)) == 0);
    nnd_spectrum_clear(&a);
    nnd_spectrum_clear(&b);
    free(x);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("spectrum_matrix");
    TCase *tests = tcase_create("spectrum_matrix");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60.0);
    tcase_add_test(tests, spike_of_three_stands_out);
    tcase_add_test(tests, values_vectors_and_ranks_of_a_diagonal_matrix);
    tcase_add_test(tests, error_of_the_fit_is_what_is_said);
    tcase_add_test(tests, null_law_is_that_of_gaussian_matrices);
    tcase_add_test(tests, shared_null_law_changes_nothing);
    tcase_add_test(tests, spread_of_entries_is_not_rounding_of_their_mean);
    tcase_add_test(tests, entries_beyond_squares_are_refused);
    tcase_add_test(tests, distance_of_quantiles_is_half_a_step);
    tcase_add_test(tests, initialisation_is_told_from_training);
    tcase_add_test(tests, outliers_are_followed_between_checkpoints);
    tcase_add_test(tests, power_laws_are_recognised);
    tcase_add_test(tests, ties_have_no_power_law);
    tcase_add_test(tests, estimates_agree_with_the_decomposition);
    tcase_add_test(tests, histograms_and_bulk_densities_have_their_mass);
    tcase_add_test(tests, nonsense_is_refused);
    tcase_add_test(tests, what_cannot_be_said_is_no_number);
    tcase_add_test(tests, threads_change_no_bit);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
