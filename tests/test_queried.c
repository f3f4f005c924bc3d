/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Queried random matrices by themselves: exact conditioning, the adjoint identity, moments and
 * outliers that are known in closed form. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "full/march.h"
#include "nndmft/solvers/population.h"
#include "nndmft/solvers/queried.h"
#include "nndmft/solvers/sobol.h"
#include "solvers/basis.h"
#include "solvers/block_products.h"
#include "solvers/queried_impl.h"
#include "support.h"

enum { SITES = 256 };

/* A matrix between two populations of one kind. */
typedef struct {
    nnd_context *ctx;
    nnd_sobol *net;
    nnd_population *in, *out;
    nnd_queried *m;
} fixture;

static fixture make(nnd_fresh fresh, size_t sites, double sigma, double tol, uint64_t seed) {
    /* What is given need not be asked of the system, thousands of times. */
    const nnd_context_options given = {.threads = 1, .memory_limit = 1000000000};
    fixture f = {.ctx = nnd_context_new(&given)};
    openblas_set_num_threads(1);
    if (fresh == NND_FRESH_MATCHED)
        ck_assert_int_eq(nnd_sobol_new(f.ctx, sites, &f.net), NND_OK);
    nnd_population_options o = {fresh, sites, f.net, {5, seed, sites}, 1};
    ck_assert_int_eq(nnd_population_new(f.ctx, &o, &f.in), NND_OK);
    o.stream = 2;
    ck_assert_int_eq(nnd_population_new(f.ctx, &o, &f.out), NND_OK);
    ck_assert_int_eq(nnd_queried_new(f.ctx, f.in, f.out, sigma, tol, tol, 2, &f.m), NND_OK);
    return f;
}

static void clear(fixture *f) {
    nnd_queried_free(f->m);
    nnd_population_free(f->in);
    nnd_population_free(f->out);
    nnd_sobol_free(f->net);
    nnd_context_free(f->ctx);
}

static void draw(nnd_population *p, size_t n, double *v) {
    ck_assert_int_eq(nnd_population_draw(p, n, 0, NULL, v, NULL), NND_OK);
}

static void apply(fixture *f, nnd_direction direction, size_t n, const double *v, double *image) {
    if (nnd_queried_apply(f->m, direction, n, v, NULL, image) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(f->ctx));
}

static double inner(const nnd_population *p, const double *a, const double *b) {
    double value;
    nnd_population_inner(p, 1, a, 1, b, &value, 1);
    return value;
}

/* Alternates a nonlinear function with the matrix, with updates in between. */
static void wander(fixture *f, size_t block, size_t turns) {
    size_t sites = nnd_population_sites(f->in);
    double *v = malloc(block * sites * sizeof *v), *image = malloc(block * sites * sizeof *v);
    double weight[8];
    draw(f->in, block, v);
    for (size_t turn = 0; turn < turns; turn++) {
        apply(f, NND_FORWARD, block, v, image);
        for (size_t i = 0; i < block * sites; i++)
            image[i] = tanh(image[i] + 0.1 * (double)turn);
        apply(f, NND_BACKWARD, block, image, v);
        for (size_t i = 0; i < block * sites; i++)
            v[i] = sin(v[i]) + 0.3;
        for (size_t i = 0; i < block; i++)
            weight[i] = 0.1 * cos((double)(turn + i));
        ck_assert_int_eq(nnd_queried_update(f->m, 0, 1.0, block, weight), NND_OK);
    }
    free(v);
    free(image);
}

static double off_identity(size_t n, const double *x) {
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            largest = fmax(largest, fabs(x[i * n + j] - (i == j)));
    return largest;
}

START_TEST(directions_are_orthonormal_and_images_adjoint) {
    static const nnd_fresh kinds[] = {NND_FRESH_PLAIN, NND_FRESH_MATCHED};
    const double rounding = 1e-12;
    fixture f = make(kinds[_i], SITES, 1.3, 1e-3, 1);
    wander(&f, 3, 6);
    size_t q = nnd_queried_rank(f.m, NND_FORWARD), p = nnd_queried_rank(f.m, NND_BACKWARD);
    ck_assert(q > 6 && q <= 18 && p > 6 && p <= 18);
    double gram[18 * 18], px[18 * 18], yq[18 * 18];
    const nnd_queries *forward = &f.m->side[NND_FORWARD], *backward = &f.m->side[NND_BACKWARD];
    const double *qs = forward->direction.vector.row, *ps = backward->direction.vector.row;
    nnd_population_inner(f.in, q, qs, q, qs, gram, q);
    ck_assert(off_identity(q, gram) < rounding);
    nnd_population_inner(f.out, p, ps, p, ps, gram, p);
    ck_assert(off_identity(p, gram) < rounding);
    nnd_population_inner(f.out, p, ps, q, forward->image.row, px, q);
    nnd_population_inner(f.in, p, backward->image.row, q, qs, yq, q);
    for (size_t i = 0; i < p * q; i++)
        ck_assert_msg(fabs(px[i] - yq[i]) < 10 * rounding, "<p X> %g, <Y q> %g", px[i], yq[i]);
    clear(&f);
}
END_TEST

START_TEST(what_was_asked_once_is_answered_the_same_again) {
    fixture f = make(NND_FRESH_MATCHED, SITES, 1.0, 1e-8, 2);
    double v[3 * SITES], image[3 * SITES], back[SITES], again[SITES], mixed[SITES];
    draw(f.in, 2, v);
    apply(&f, NND_FORWARD, 2, v, image);
    apply(&f, NND_BACKWARD, 1, image, back);
    size_t rank = nnd_queried_rank(f.m, NND_FORWARD);
    for (size_t i = 0; i < SITES; i++)
        v[2 * SITES + i] = 2.0 * v[i] - 3.0 * v[SITES + i];
    apply(&f, NND_FORWARD, 1, v + 2 * SITES, mixed);
    apply(&f, NND_FORWARD, 1, v, again);
    ck_assert_uint_eq(nnd_queried_rank(f.m, NND_FORWARD), rank);
    for (size_t i = 0; i < SITES; i++) {
        ck_assert(fabs(again[i] - image[i]) < 1e-12);
        ck_assert(fabs(mixed[i] - 2.0 * image[i] + 3.0 * image[SITES + i]) < 1e-12);
    }
    clear(&f);
}
END_TEST

START_TEST(an_update_acts_as_the_outer_products_that_it_is_made_of) {
    fixture f = make(NND_FRESH_PLAIN, SITES, 1.0, 1e-8, 3);
    double v[2 * SITES], before[2 * SITES], u[2 * SITES], after[SITES], weight[2] = {0.7, -0.4};
    draw(f.in, 2, v);
    draw(f.out, 2, u);
    double back[2 * SITES];
    apply(&f, NND_FORWARD, 2, v, before);
    apply(&f, NND_BACKWARD, 2, u, back);
    ck_assert_int_eq(nnd_queried_update(f.m, 0, 1.0, 2, weight), NND_OK);
    apply(&f, NND_FORWARD, 1, v + SITES, after);
    for (size_t i = 0; i < SITES; i++) {
        double want = before[SITES + i];
        for (size_t k = 0; k < 2; k++)
            want += weight[k] * u[k * SITES + i] * inner(f.in, v + k * SITES, v + SITES);
        ck_assert(fabs(after[i] - want) < 1e-11);
    }
    apply(&f, NND_BACKWARD, 1, u, after);
    for (size_t i = 0; i < SITES; i++) {
        double want = back[i];
        for (size_t k = 0; k < 2; k++)
            want += weight[k] * v[k * SITES + i] * inner(f.out, u + k * SITES, u);
        ck_assert(fabs(after[i] - want) < 1e-11);
    }
    clear(&f);
}
END_TEST

/* With plain numbers and no tolerance the answers are those of an N x N Gaussian matrix of any N in
 * distribution: x^T (M^T M)^2 x has mean 2 + 1/N, which a fresh image that is not projected off the
 * known span misses. */
START_TEST(plain_answers_are_those_of_a_matrix_of_that_size) {
    enum { N = 6, RUNS = 40000 };
    double sum = 0.0, sum2 = 0.0;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        fixture f = make(NND_FRESH_PLAIN, N, 1.0, 0.0, seed);
        double x[N] = {0}, mx[N], mmx[N];
        x[0] = sqrt(N);
        apply(&f, NND_FORWARD, 1, x, mx);
        apply(&f, NND_BACKWARD, 1, mx, mmx);
        double value = inner(f.in, mmx, mmx);
        sum += value;
        sum2 += value * value;
        clear(&f);
    }
    double mean = sum / RUNS, se = sqrt((sum2 / RUNS - mean * mean) / RUNS);
    ck_assert_msg(fabs(mean - 2.0 - 1.0 / N) < 5.0 * se, "%g +- %g", mean, se);
    ck_assert(1.0 / N > 8.0 * se);
}
END_TEST

/* Power iteration in abstract coordinates: Catalan numbers exactly. */
START_TEST(abstract_coordinates_give_marchenko_pastur_moments) {
    enum { TURNS = 7 };
    static const double catalan[] = {1,    1,    2,     5,     14,     42,     132,    429,
                                     1430, 4862, 16796, 58786, 208012, 742900, 2674440};
    fixture f = make(NND_FRESH_UNIT, 32, 1.0, 1e-10, 0);
    double v[(TURNS + 1) * 32], image[32];
    draw(f.in, 1, v);
    for (size_t q = 0; q < TURNS; q++) {
        apply(&f, NND_FORWARD, 1, v + q * 32, image);
        apply(&f, NND_BACKWARD, 1, image, v + (q + 1) * 32);
    }
    for (size_t q = 0; q <= TURNS; q++)
        for (size_t p = 0; p <= q; p++)
            test_close("moment", inner(f.in, v + q * 32, v + p * 32), catalan[q + p], 1e-11);
    clear(&f);
}
END_TEST

static void find(fixture *f, nnd_queried_outliers *out) {
    ck_assert_int_eq(nnd_queried_find_outliers(f->ctx, f->m, out), NND_OK);
}

/* Room for what is found; overlaps are those with a single vector. */
static nnd_queried_outliers room_for(size_t count, double *strength, double *value, double *left,
                                     double *right) {
    static const double one = 1.0;
    return (nnd_queried_outliers){.count = count,
                                  .strength = strength,
                                  .value = value,
                                  .left = left,
                                  .right = right,
                                  .left_rank = 1,
                                  .right_rank = 1,
                                  .left_direction = &one,
                                  .right_direction = &one};
}

START_TEST(without_updates_there_is_no_outlier) {
    double strength[2], value[2], left[2], right[2];
    nnd_queried_outliers out = room_for(2, strength, value, left, right);
    fixture f = make(NND_FRESH_UNIT, 64, 1.4, 1e-10, 0);
    double v[64], image[64];
    find(&f, &out);
    ck_assert(strength[0] == 0.0 && isnan(value[0]));
    draw(f.in, 1, v);
    for (size_t q = 0; q < 10; q++) {
        apply(&f, NND_FORWARD, 1, v, image);
        apply(&f, NND_BACKWARD, 1, image, v);
        cblas_dscal(64, 1.0 / sqrt(inner(f.in, v, v)), v, 1);
        find(&f, &out);
        ck_assert_msg(strength[0] == 0.0 && isnan(value[0]), "strength %g", strength[0]);
    }
    clear(&f);
}
END_TEST

/* Spikes independent of the matrix: outliers at theta + sigma^2/theta for theta > sigma. Further
 * queries do not move them. */
START_TEST(independent_spikes_give_the_known_outliers) {
    const double sigma = 1.5, weight[2] = {4.0, 2.0};
    double strength[3], value[3], left[3], right[3];
    nnd_queried_outliers out = room_for(3, strength, value, left, right);
    fixture f = make(NND_FRESH_UNIT, 64, sigma, 1e-10, 0);
    double v[2 * 64], u[2 * 64], scratch[2 * 64];
    draw(f.in, 2, v);
    draw(f.out, 2, u);
    apply(&f, NND_FORWARD, 2, v, scratch);
    apply(&f, NND_BACKWARD, 2, u, scratch);
    ck_assert_int_eq(nnd_queried_update(f.m, 0, 1.0, 2, weight), NND_OK);
    for (int more = 0; more < 4; more++) {
        find(&f, &out);
        for (size_t j = 0; j < 2; j++)
            test_close("outlier", value[j], weight[j] + sigma * sigma / weight[j], 1e-11);
        ck_assert(isnan(value[2]));
        for (size_t j = 0; j < 2; j++)
            test_close("strength", strength[j], weight[j] / sigma, 1e-11);
        ck_assert(fabs(strength[2]) < 1e-12);
        /* Benaych-Georges and Nadakuditi: 1 - (sigma/theta)^4, ... for square matrices 1 -
         * (sigma/theta)^2 on either side. */
        double expected = 1.0 - pow(sigma / weight[0], 2);
        test_close("left overlap", left[0], expected, 1e-9);
        test_close("right overlap", right[0], expected, 1e-9);
        apply(&f, NND_BACKWARD, 1, scratch, u);
        apply(&f, NND_FORWARD, 1, u, scratch);
    }
    clear(&f);
}
END_TEST

/* Outliers counted at the edge are the strengths above 1, also of a moment that has gone by. */
START_TEST(outliers_are_counted_as_often_as_strengths_are_above_one) {
    const double sigma = 1.5, weight[3] = {4.0, 1.6, 1.4};
    double strength[4], v[3 * 64], u[3 * 64], scratch[3 * 64];
    nnd_queried_pencil *pencil[2];
    fixture f = make(NND_FRESH_UNIT, 64, sigma, 1e-10, 0);
    size_t count;
    draw(f.in, 3, v);
    draw(f.out, 3, u);
    apply(&f, NND_FORWARD, 3, v, scratch);
    apply(&f, NND_BACKWARD, 3, u, scratch);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(nnd_queried_pencil_new(f.ctx, f.m, &pencil[i]), NND_OK);
        ck_assert_int_eq(nnd_queried_update(f.m, 0, 1.0, 3, weight), NND_OK);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(nnd_queried_pencil_outliers(f.ctx, pencil[i], &count), NND_OK);
        ck_assert_uint_eq(count, i == 0 ? 0 : 2);
        ck_assert_int_eq(nnd_queried_pencil_strengths(f.ctx, pencil[i], 4, strength), NND_OK);
        for (size_t k = 0; k < 3; k++)
            ck_assert(fabs(strength[k] - i * weight[k] / sigma) < 1e-11);
        nnd_queried_pencil_free(pencil[i]);
    }
    clear(&f);
}
END_TEST

/* M (1 + c q q^T), an update made of M's own image: the spiked covariance model of ratio 1, spike l
 * = (1 + c)^2, with outlier l + l/(l - 1) for l > 2 (Baik and Silverstein 2006) and squared overlap
 * (1 - 1/(l - 1)^2)/(1 + 1/(l - 1)). The formula that takes the update for independent is off. */
START_TEST(an_update_along_the_image_itself_is_the_spiked_covariance_model) {
    static const double strength[] = {0.3, 0.45, 1.0, 3.0};
    double c = strength[_i], l = (1.0 + c) * (1.0 + c), lambda, value, left, right;
    nnd_queried_outliers out = room_for(1, &lambda, &value, &left, &right);
    fixture f = make(NND_FRESH_UNIT, 16, 1.0, 1e-10, 0);
    double v[16], image[16], back[16];
    draw(f.in, 1, v);
    apply(&f, NND_FORWARD, 1, v, image);
    apply(&f, NND_BACKWARD, 1, image, back);
    ck_assert_int_eq(nnd_queried_update(f.m, 0, 1.0, 1, &c), NND_OK);
    find(&f, &out);
    ck_assert((lambda > 1.0) == (l > 2.0));
    if (l > 2.0) {
        test_close("outlier", value, sqrt(l + l / (l - 1.0)), 1e-10);
        test_close("overlap", right, (1.0 - pow(l - 1.0, -2)) / (1.0 + 1.0 / (l - 1.0)), 1e-7);
    } else
        ck_assert(isnan(value));
    clear(&f);
}
END_TEST

/* With many directions on few sites what is sampled of M(0) passes the edge, and the strengths are
 * not known. The outlier of a strong spike is, and noise is not taken for another. */
START_TEST(noise_beyond_the_edge_hides_no_strong_outlier) {
    const double theta = 4.0;
    double strength[2], value[2], left[2], right[2];
    nnd_queried_outliers out = room_for(2, strength, value, left, right);
    fixture f = make(NND_FRESH_PLAIN, SITES, 1.0, 1e-10, 3);
    double v[SITES], u[SITES], image[SITES];
    draw(f.in, 1, v);
    draw(f.out, 1, u);
    apply(&f, NND_FORWARD, 1, v, image);
    apply(&f, NND_BACKWARD, 1, u, image);
    ck_assert_int_eq(nnd_queried_update(f.m, 0, 1.0, 1, &theta), NND_OK);
    for (int turn = 0; turn < 40; turn++) {
        apply(&f, NND_FORWARD, 1, v, u);
        for (size_t i = 0; i < SITES; i++)
            u[i] = cos(u[i] + turn);
        apply(&f, NND_BACKWARD, 1, u, v);
        for (size_t i = 0; i < SITES; i++)
            v[i] = sin(v[i] + turn);
    }
    find(&f, &out);
    ck_assert_msg(isnan(strength[0]) && isnan(strength[1]), "strength %g", strength[0]);
    ck_assert_msg(out.edge > 2.0 && out.edge < 3.0, "edge %g", out.edge);
    /* Sampling shifts an outlier by O(1/sqrt(sites)). */
    double wanted = theta + 1.0 / theta;
    ck_assert_msg(fabs(value[0] - wanted) < 5.0 / sqrt(SITES), "%g, not %g", value[0], wanted);
    ck_assert_msg(isnan(value[1]), "a second outlier at %g", value[1]);
    clear(&f);
}
END_TEST

START_TEST(directions_beyond_the_sites_are_refused) {
    static const nnd_fresh kinds[] = {NND_FRESH_UNIT, NND_FRESH_MATCHED};
    enum { FEW = 4 };
    fixture f = make(kinds[_i], FEW, 1.0, 1e-8, 1);
    double v[FEW], image[FEW];
    nnd_status status = NND_OK;
    for (int i = 0; status == NND_OK && i < FEW + 1; i++) {
        status = nnd_population_draw(f.in, 1, 0, NULL, v, NULL);
        if (status == NND_OK)
            status = nnd_queried_apply(f.m, NND_FORWARD, 1, v, NULL, image);
        if (status == NND_OK)
            status = nnd_queried_apply(f.m, NND_BACKWARD, 1, image, NULL, v);
    }
    ck_assert_int_eq(status, NND_E_LIMIT);
    ck_assert(nnd_population_exhausted(f.in) || nnd_population_exhausted(f.out));
    ck_assert_ptr_nonnull(strstr(nnd_context_message(f.ctx), "samples are too few"));
    clear(&f);
}
END_TEST

/* A Gram matrix, of which one side of the diagonal is copied, and the same product of two sets. */
START_TEST(a_gram_matrix_is_the_product_of_equal_vectors) {
    enum { ROWS = 71, LONG = 600 };
    double *a = malloc(2 * ROWS * LONG * sizeof *a), *b = a + ROWS * LONG;
    double gram[ROWS * (ROWS + 1)], product[ROWS * (ROWS + 1)];
    for (size_t i = 0; i < ROWS * LONG; i++)
        a[i] = b[i] = sin((double)i);
    nnd_block_inner(ROWS, a, ROWS, a, LONG, 0.3, gram, ROWS + 1);
    nnd_block_inner(ROWS, a, ROWS, b, LONG, 0.3, product, ROWS + 1);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < ROWS; j++) {
            ck_assert(gram[i * (ROWS + 1) + j] == gram[j * (ROWS + 1) + i]);
            ck_assert(fabs(gram[i * (ROWS + 1) + j] - product[i * (ROWS + 1) + j]) < 1e-11);
        }
    free(a);
}
END_TEST

/* The thin products against plain loops: every remainder of rows, columns and sites, and more rows
 * than are worked on at once. */
START_TEST(block_products_equal_plain_loops) {
    enum { ROWS = 37, COLS = 19, LONG = 1033 };
    static const size_t rows[] = {0, 1, 2, 3, 4, 5, 7, ROWS}, cols[] = {0, 1, 3, 4, 6, COLS};
    static const size_t sites[] = {1, 7, 8, 513, LONG};
    double *a = malloc(ROWS * LONG * sizeof *a), *b = malloc(COLS * LONG * sizeof *b);
    double *out = malloc(ROWS * LONG * sizeof *out), coef[ROWS * (COLS + 2)];
    double twice[ROWS * (COLS + 2)];
    openblas_set_num_threads(1);
    for (size_t i = 0; i < ROWS * LONG; i++)
        a[i] = sin((double)i);
    for (size_t i = 0; i < COLS * LONG; i++)
        b[i] = cos(1.7 * (double)i);
    for (size_t x = 0; x < 8 * 6 * 5; x++) {
        size_t n = rows[x % 8], m = cols[x / 8 % 6], length = sites[x / 48], ld = COLS + 2;
        nnd_block_inner(n, a, m, b, length, 0.3, coef, ld);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < m; j++) {
                double want = 0.0;
                for (size_t s = 0; s < length; s++)
                    want += 0.3 * a[i * length + s] * b[j * length + s];
                ck_assert(fabs(coef[i * ld + j] - want) < 1e-11);
            }
        nnd_block_add_inner(n, a, m, b, length, 0.3, coef, ld);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < m; j++)
                coef[i * ld + j] *= 0.5;
        nnd_block_inner(n, a, m, b, length, 0.3, twice, ld);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < m; j++)
                ck_assert(fabs(coef[i * ld + j] - twice[i * ld + j]) < 1e-11);
        for (size_t i = 0; i < n * length; i++)
            out[i] = 0.5;
        nnd_block_combine(n, coef, ld, m, b, length, -0.7, out);
        for (size_t i = 0; i < n; i++)
            for (size_t s = 0; s < length; s++) {
                double want = 0.5;
                for (size_t j = 0; j < m; j++)
                    want -= 0.7 * coef[i * ld + j] * b[j * length + s];
                ck_assert(fabs(out[i * length + s] - want) < 1e-9);
            }
        double dense[ROWS * COLS], left[ROWS * COLS], want[ROWS * COLS];
        for (size_t i = 0; i < n * m; i++)
            dense[i] = coef[i / m * ld + i % m];
        for (size_t i = 0; i < n * length; i++)
            out[i] = a[i];
        nnd_block_combine(n, dense, m, m, b, length, -1.0, out);
        nnd_block_inner(n, out, m, b, length, 0.3, want, m);
        for (size_t i = 0; i < n * length; i++)
            out[i] = a[i];
        nnd_block_project(n, dense, m, b, length, 0.3, out, left);
        for (size_t i = 0; i < n * m; i++)
            ck_assert(fabs(left[i] - want[i]) < 1e-7 * (1.0 + fabs(want[i])));
    }
    free(a);
    free(b);
    free(out);
}
END_TEST

/* What is too short to become a direction is still seen by all that was asked from the other side:
 * <p M v> = <M^T p v>. Its part along the answer itself is such a residue. */
START_TEST(a_dropped_residue_keeps_its_response) {
    static const nnd_direction sides[] = {NND_FORWARD, NND_BACKWARD};
    nnd_direction side = sides[_i], other = sides[1 - _i];
    fixture f = make(NND_FRESH_MATCHED, SITES, 1.3, 0.1, 7);
    nnd_population *from = _i == 0 ? f.in : f.out, *to = _i == 0 ? f.out : f.in;
    double v[2 * SITES], u[SITES], image[2 * SITES], back[SITES];
    draw(from, 1, v);
    draw(to, 1, u);
    apply(&f, side, 1, v, image);
    apply(&f, other, 1, u, back);
    for (size_t i = 0; i < SITES; i++) {
        v[SITES + i] = 2.0 * v[i] - 0.05 * back[i];
        v[i] += 0.03 * back[i];
    }
    apply(&f, side, 2, v, image);
    ck_assert_uint_eq(nnd_queried_rank(f.m, side), 1);
    for (size_t k = 0; k < 2; k++) {
        double want = inner(from, back, v + k * SITES), got = inner(to, u, image + k * SITES);
        ck_assert_msg(fabs(got - want) < 1e-12, "<u M v> %.15g, <M^T u v> %.15g", got, want);
    }
    clear(&f);
}
END_TEST

/* A query that is forgotten tells the mean and the length of what one that is kept then draws (with
 * matched moments that is exact), and changes no bit of it. */
START_TEST(scratch_queries_tell_what_is_known_and_leave_no_trace) {
    static const nnd_direction sides[] = {NND_FORWARD, NND_BACKWARD};
    const double kappa = 0.7, sigma = 1.3;
    fixture f = make(NND_FRESH_MATCHED, SITES, sigma, 1e-8, 11);
    fixture twin = make(NND_FRESH_MATCHED, SITES, sigma, 1e-8, 11);
    double v[2 * SITES], mean[2 * SITES], rest[4], image[2 * SITES], alone[2 * SITES];
    wander(&f, 2, 3);
    wander(&twin, 2, 3);
    nnd_queried_choose(f.m, kappa, 0);
    nnd_queried_choose(twin.m, kappa, 0);
    for (size_t i = 0; i < 2 * SITES; i++)
        v[i] = cos((double)i) + (i < SITES ? 0.4 : 0.0);
    size_t rank = nnd_queried_rank(f.m, sides[_i]);
    ck_assert_int_eq(nnd_queried_peek(f.m, sides[_i], 2, v, mean, rest), NND_OK);
    ck_assert_uint_eq(nnd_queried_rank(f.m, sides[_i]), rank);
    apply(&f, sides[_i], 2, v, image);
    apply(&twin, sides[_i], 2, v, alone);
    ck_assert_mem_eq(image, alone, sizeof image);
    nnd_population *to = _i == 0 ? f.out : f.in;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++) {
            double fresh[2][SITES];
            for (size_t k = 0; k < SITES; k++) {
                fresh[0][k] = image[i * SITES + k] - mean[i * SITES + k];
                fresh[1][k] = image[j * SITES + k] - mean[j * SITES + k];
            }
            test_close("fresh", inner(to, fresh[0], fresh[1]),
                       kappa * kappa * sigma * sigma * rest[2 * i + j], 1e-10);
            ck_assert(fabs(inner(to, fresh[0], mean + j * SITES)) < 1e-11);
        }
    ck_assert(rest[0] > 0.1);
    clear(&f);
    clear(&twin);
}
END_TEST

/* Updates are elements of one vector space, of which one acts. */
START_TEST(updates_are_combined_and_chosen) {
    fixture f = make(NND_FRESH_PLAIN, SITES, 1.0, 1e-8, 12);
    double v[SITES], u[SITES], initial[SITES], image[SITES], weight = 2.0;
    draw(f.in, 1, v);
    draw(f.out, 1, u);
    apply(&f, NND_FORWARD, 1, v, initial);
    apply(&f, NND_BACKWARD, 1, u, image);
    double length = inner(f.in, v, v);
    ck_assert_int_eq(nnd_queried_update(f.m, 1, 1.0, 1, &weight), NND_OK);
    nnd_queried_combine(f.m, 0, 0.0, 0.25, 1);
    ck_assert_int_eq(nnd_queried_update(f.m, 0, -3.0, 1, &weight), NND_OK);
    test_close("size", nnd_queried_size(f.m, 1), 2.0 * sqrt(length * inner(f.out, u, u)), 1e-12);
    const double factor[] = {0.5, 2.0, 0.0};
    const size_t part[] = {0, 1, NND_QUERIED_INITIAL};
    for (size_t k = 0; k < 3; k++) {
        nnd_queried_choose(f.m, 0.9, part[k]);
        apply(&f, NND_FORWARD, 1, v, image);
        for (size_t i = 0; i < SITES; i++)
            ck_assert(fabs(image[i] - 0.9 * initial[i] - factor[k] * length * u[i]) < 1e-11);
    }
    clear(&f);
}
END_TEST

/* w b (e + rho d)^T has lost rho d; later a = x e + y d is asked for, and b again. The estimate is
 * what was lost, w |b|^2 rho y, exactly: d is the one direction that came after. */
START_TEST(lost_updates_are_estimated) {
    const double rho = 0.05, w = 0.7, x = 1.5, y = 2.5;
    fixture f = make(NND_FRESH_PLAIN, SITES, 1.0, 0.1, 8);
    double e[SITES] = {0}, v[SITES] = {0}, b[SITES], image[SITES], error = 0.0;
    const double unit = sqrt((double)SITES); /* of a coordinate axis, since <v v> is a mean */
    draw(f.out, 1, b);
    e[0] = v[0] = unit;
    apply(&f, NND_FORWARD, 1, e, image);
    apply(&f, NND_BACKWARD, 1, b, image);
    ck_assert_int_eq(nnd_queried_update(f.m, 0, 1.0, 1, &w), NND_OK);
    nnd_queried_note_lost(f.m, 1, &w);
    nnd_queried_truncation(f.m, 1, &error);
    ck_assert_msg(error < 1e-12, "nothing is lost yet, but %g", error);
    v[1] = rho * unit;
    apply(&f, NND_FORWARD, 1, v, image);
    ck_assert_int_eq(nnd_queried_update(f.m, 0, 1.0, 1, &w), NND_OK);
    nnd_queried_note_lost(f.m, 1, &w);
    v[0] = x * unit;
    v[1] = y * unit;
    apply(&f, NND_FORWARD, 1, v, image);
    apply(&f, NND_BACKWARD, 1, b, image);
    error = 0.25;
    nnd_queried_truncation(f.m, 1, &error);
    test_close("estimate", error - 0.25, w * inner(f.out, b, b) * rho * y, 1e-9);
    clear(&f);
}
END_TEST

START_TEST(blocks_of_dependent_vectors_add_only_what_is_new) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_basis basis = {.sites = 8, .weight = 1.0 / 8.0};
    double v[4 * 8] = {0}, coef[4 * 6];
    nnd_split split[4];
    for (size_t i = 0; i < 8; i++) {
        v[i] = 1.0 + (double)i;
        v[8 + i] = 2.0 * v[i] + (i == 3 ? 1e-5 : 0.0);
        v[16 + i] = i % 2 == 0;
        v[24 + i] = v[16 + i] - v[i];
    }
    ck_assert_int_eq(nnd_basis_extend(ctx, &basis, 4, v, 1e-3, NULL, coef, 6, split), NND_OK);
    ck_assert_uint_eq(basis.vector.count, 2);
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < 8; i++) {
            double sum = 0.0;
            for (size_t j = 0; j < 2; j++)
                sum += coef[k * 6 + j] * basis.vector.row[j * 8 + i];
            ck_assert(fabs(sum - v[k * 8 + i]) < 2e-5);
        }
    /* Of 1e-5 e_3, |e_3|^2 = 1/8, what is not along (1, .., 8), of which 16/204 is along e_3. */
    const double rest = 1e-5 * sqrt((1.0 - 16.0 / 204.0) / 8.0);
    const size_t rank[] = {1, 1, 2, 2};
    for (size_t k = 0; k < 4; k++)
        ck_assert_uint_eq(split[k].rank, rank[k]);
    test_close("length", split[0].length, sqrt(204.0 / 8.0), 1e-14);
    test_close("dropped", split[1].dropped, rest, 1e-9);
    ck_assert(split[0].dropped == 0.0 && split[2].dropped == 0.0 && split[3].dropped < 1e-14);
    nnd_basis_clear(&basis);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("queried");
    TCase *tests = tcase_create("queried");
    tcase_add_loop_test(tests, directions_are_orthonormal_and_images_adjoint, 0, 2);
    tcase_add_test(tests, what_was_asked_once_is_answered_the_same_again);
    tcase_add_test(tests, an_update_acts_as_the_outer_products_that_it_is_made_of);
    tcase_add_test(tests, plain_answers_are_those_of_a_matrix_of_that_size);
    tcase_add_test(tests, abstract_coordinates_give_marchenko_pastur_moments);
    tcase_add_test(tests, without_updates_there_is_no_outlier);
    tcase_add_test(tests, independent_spikes_give_the_known_outliers);
    tcase_add_loop_test(tests, an_update_along_the_image_itself_is_the_spiked_covariance_model, 0,
                        4);
    tcase_add_test(tests, noise_beyond_the_edge_hides_no_strong_outlier);
    tcase_add_loop_test(tests, directions_beyond_the_sites_are_refused, 0, 2);
    tcase_add_test(tests, outliers_are_counted_as_often_as_strengths_are_above_one);
    tcase_add_test(tests, block_products_equal_plain_loops);
    tcase_add_test(tests, a_gram_matrix_is_the_product_of_equal_vectors);
    tcase_add_loop_test(tests, a_dropped_residue_keeps_its_response, 0, 2);
    tcase_add_loop_test(tests, scratch_queries_tell_what_is_known_and_leave_no_trace, 0, 2);
    tcase_add_test(tests, updates_are_combined_and_chosen);
    tcase_add_test(tests, lost_updates_are_estimated);
    tcase_add_test(tests, blocks_of_dependent_vectors_add_only_what_is_new);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
