/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/spectrum_null.h"

#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/streams.h"
#include "solvers/spectrum_bulk.h"

enum {
    TRIES = 8,  /* of rejection, drawn at once: one in 10^10 variables needs more */
    LANES = 64, /* numbers that are counted side by side */
    ROUNDS = 4  /* each narrows a bracket by 1/(LANES - 1): the whole spectrum to 1e-7 of the
                   distance  of eigenvalues times their number */
};

/* Half of the first bracket of a median, in its own errors. A Gaussian one is outside once in 10^15
 * samples, and is then looked for everywhere. */
static const double BRACKET = 8.0;

typedef struct {
    uint64_t seed;
    nnd_bulk_median median;
    double level[NND_BULK_LEVELS];
    nnd_spectrum_null *null;
} sampling;

/* ---- the bidiagonal matrix ---- */

/* A variable of the law chi^2 with k degrees of freedom, 2 Gamma(k/2) (Marsaglia and Tsang 2000).
 */
static double chi2(nnd_rng_key key, uint64_t index, size_t k) {
    double x[TRIES], d = 0.5 * (double)k - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    uint64_t word[TRIES];
    if (k == 1) {
        nnd_rng_normals(key, NND_STREAM_SPECTRUM_NULL_NORMALS, index, 1, x);
        return x[0] * x[0];
    }
    for (;; index += (uint64_t)1 << 40) {
        nnd_rng_normals(key, NND_STREAM_SPECTRUM_NULL_NORMALS, index, TRIES, x);
        nnd_rng_words(key, NND_STREAM_SPECTRUM_NULL_TESTS, index, TRIES, word);
        for (size_t i = 0; i < TRIES; i++) {
            double v = 1.0 + c * x[i], u = ((double)(word[i] >> 11) + 0.5) * 0x1p-53;
            v = v * v * v;
            if (v > 0.0 && log(u) < 0.5 * x[i] * x[i] + d - d * v + d * log(v))
                return 2.0 * d * v;
        }
    }
}

/* Squares of the diagonal, chi_tall, chi_(tall-1), ..., and beside it, chi_(count-1), ..., chi_1.
 */
static void draw_squares(const sampling *s, size_t draw, double *diagonal, double *beside) {
    nnd_rng_key key = {s->seed, draw, s->null->tall};
    for (size_t i = 0; i < s->null->count; i++) {
        diagonal[i] = chi2(key, 2 * i, s->null->tall - i);
        beside[i] = i + 1 < s->null->count ? chi2(key, 2 * i + 1, s->null->count - 1 - i) : 0.0;
    }
}

/*
 * How many singular values are below each of x[LANES]: negative pivots of B^T B - x^2 without
 * forming it (Fernando 1998), t_1 = -x^2, d_i = a_i^2 + t_i, t_(i+1) = t_i b_i^2/d_i - x^2.
 */
static void count_lanes(size_t n, const double *diagonal, const double *beside, const double *x,
                        size_t *below) {
    double t[LANES], found[LANES] = {0.0};
    for (size_t j = 0; j < LANES; j++)
        t[j] = -x[j] * x[j];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < LANES; j++) {
            double d = diagonal[i] + t[j];
            d = d == 0.0 ? 1e-290 : d;
            found[j] += d < 0.0 ? 1.0 : 0.0;
            t[j] = t[j] * (beside[i] / d) - x[j] * x[j];
        }
    for (size_t j = 0; j < LANES; j++)
        below[j] = (size_t)found[j];
}

/* The singular value with `rank` of them below it, between low and high; NaN if it is not there. */
static double value_between(const sampling *s, const double *diagonal, const double *beside,
                            size_t rank, double low, double high) {
    double x[LANES];
    size_t below[LANES];
    for (int round = 0; round < ROUNDS; round++) {
        double step = (high - low) / (LANES - 1);
        for (size_t j = 0; j < LANES; j++)
            x[j] = low + step * (double)j;
        count_lanes(s->null->count, diagonal, beside, x, below);
        size_t j = 0;
        while (j < LANES && below[j] <= rank)
            j++;
        if (j == 0 || j == LANES)
            return NAN;
        low = x[j - 1];
        high = x[j];
    }
    return 0.5 * (low + high);
}

static double value_at(const sampling *s, const double *diagonal, const double *beside,
                       size_t rank) {
    double most = 2.0 * (sqrt((double)s->null->tall) + sqrt((double)s->null->count));
    double middle = s->median.median, half = BRACKET * s->median.error * middle;
    double found =
        value_between(s, diagonal, beside, rank, fmax(0.0, middle - half), middle + half);
    return isnan(found) ? value_between(s, diagonal, beside, rank, 0.0, most) : found;
}

/* The mean of the two in the middle, which are one if their number is odd. */
static double median_of(const sampling *s, const double *diagonal, const double *beside) {
    size_t count = s->null->count;
    double upper = value_at(s, diagonal, beside, count / 2);
    return count % 2 == 1 ? upper : 0.5 * (upper + value_at(s, diagonal, beside, count / 2 - 1));
}

static double excess(const sampling *s, const double *diagonal, const double *beside, double sd) {
    size_t below[NND_BULK_LEVELS + 1];
    for (size_t first = 0; first < NND_BULK_LEVELS; first += LANES) {
        double x[LANES];
        for (size_t j = 0; j < LANES; j++)
            x[j] = first + j < NND_BULK_LEVELS ? sd * s->level[first + j] : 0.0;
        count_lanes(s->null->count, diagonal, beside, x, below + first);
    }
    return nnd_bulk_excess(s->null->count, below);
}

/* ---- the sample ---- */

static nnd_status sample(nnd_context *ctx, size_t draw, void *data) {
    const sampling *s = data;
    double *diagonal = calloc(2 * s->null->count, sizeof *diagonal);
    if (diagonal == NULL)
        return nnd_fail_memory(ctx, "a random matrix");
    double *beside = diagonal + s->null->count;
    draw_squares(s, draw, diagonal, beside);
    double sd = median_of(s, diagonal, beside) / s->median.median;
    s->null->fitted[draw] = excess(s, diagonal, beside, sd);
    s->null->known[draw] = excess(s, diagonal, beside, 1.0);
    free(diagonal);
    return NND_OK;
}

nnd_status nnd_spectrum_null_make(nnd_context *ctx, size_t rows, size_t cols, size_t draws,
                                  uint64_t seed, nnd_spectrum_null *null) {
    size_t tall = rows > cols ? rows : cols, count = rows < cols ? rows : cols;
    *null = (nnd_spectrum_null){.tall = tall, .count = count};
    if (draws == 0 || count < NND_BULK_LEAST)
        return NND_OK;
    null->fitted = calloc(2 * draws, sizeof(double));
    if (null->fitted == NULL)
        return nnd_fail_memory(ctx, "distances of random matrices");
    null->known = null->fitted + draws;
    null->draws = draws;
    sampling s = {.seed = seed, .median = nnd_bulk_median_of(tall, count), .null = null};
    nnd_bulk_levels(tall, count, s.level);
    nnd_status status = nnd_parallel(ctx, nnd_context_threads(ctx), draws, sample, &s);
    if (status != NND_OK)
        nnd_spectrum_null_clear(null);
    return status;
}

void nnd_spectrum_null_clear(nnd_spectrum_null *null) {
    free(null->fitted);
    *null = (nnd_spectrum_null){0};
}

double nnd_null_share(size_t draws, const double *value, double x) {
    size_t reached = 0;
    for (size_t i = 0; i < draws; i++)
        reached += value[i] >= x;
    return draws > 0 ? (1.0 + (double)reached) / (1.0 + (double)draws) : NAN;
}
