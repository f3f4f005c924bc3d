/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/spectrum.h"

#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/power_tail.h"
#include "solvers/spectrum_impl.h"

nnd_spectrum_options nnd_spectrum_defaults(void) {
    return (nnd_spectrum_options){
        .method = NND_SPECTRUM_EXACT,
        .moments = 400,
        .probes = 16,
        .level = 0.005,
        .vectors = 8,
        .draws = 99,
        .seed = 1,
        .init_sd = NAN,
    };
}

/* ---- input ---- */

static nnd_status check_options(nnd_context *ctx, const nnd_spectrum_options *o) {
    if (o->moments < 4 || o->moments > 1000000 || o->probes < 2 || o->probes > 100000)
        return nnd_fail(ctx, NND_E_INPUT,
                        "%zu moments and %zu probes; allowed: 4 to 1000000, and 2 to 100000",
                        o->moments, o->probes);
    if (!(o->level > 0.0 && o->level < 1.0))
        return nnd_fail(ctx, NND_E_INPUT, "level %g; allowed: a number between 0 and 1", o->level);
    if (!isnan(o->init_sd) && !(o->init_sd > 0.0 && isfinite(o->init_sd)))
        return nnd_fail(ctx, NND_E_INPUT, "standard deviation %g; allowed: a number > 0",
                        o->init_sd);
    return NND_OK;
}

static nnd_status check_null(const nnd_analysis *a) {
    const nnd_spectrum_null *null = a->options->null;
    return null == NULL || (null->tall == a->tall && null->count == a->out->count)
               ? NND_OK
               : nnd_fail(a->ctx, NND_E_INPUT,
                          "a matrix of %zu x %zu with the null laws of %zu x %zu", a->rows, a->cols,
                          null->tall, null->count);
}

/* Squares of such numbers, and sums of them, neither overflow nor vanish. */
static const double LEAST = 1e-120, MOST = 1e120;

static nnd_status check_size(nnd_context *ctx, double largest) {
    if (largest == 0.0)
        return nnd_fail(ctx, NND_E_INPUT, "all entries of the matrix are 0");
    return largest >= LEAST && largest <= MOST
               ? NND_OK
               : nnd_fail(ctx, NND_E_INPUT,
                          "the largest entry of the matrix has the size %g; allowed: %g to %g",
                          largest, LEAST, MOST);
}

static nnd_status check_matrix(const nnd_analysis *a) {
    double largest = 0.0;
    if (a->rows == 0 || a->cols == 0)
        return nnd_fail(a->ctx, NND_E_INPUT, "the matrix is empty (%zu x %zu)", a->rows, a->cols);
    if (a->rows > INT_MAX || a->cols > INT_MAX)
        return nnd_fail(a->ctx, NND_E_LIMIT, "the matrix is too large (%zu x %zu)", a->rows,
                        a->cols);
    for (size_t i = 0; i < a->rows * a->cols; i++) {
        largest = fmax(largest, fabs(a->matrix[i]));
        if (!isfinite(a->matrix[i]))
            return nnd_fail(a->ctx, NND_E_INPUT,
                            "entry (%zu, %zu) of the matrix is %g; allowed: finite numbers",
                            i / a->cols, i % a->cols, a->matrix[i]);
    }
    return check_size(a->ctx, largest);
}

/* The mean of (x - from)^power over the entries, row by row. */
static double moment(const nnd_analysis *a, double from, int power) {
    double sum = 0.0;
    for (size_t i = 0; i < a->rows; i++) {
        double row = 0.0;
        for (size_t j = 0; j < a->cols; j++) {
            double x = a->matrix[i * a->cols + j] - from;
            row += power == 2 ? x * x : x;
        }
        sum += row / (double)a->cols;
    }
    return sum / (double)a->rows;
}

/* Mean and standard deviation of the entries, root of the sum of their squares. What entries have
 * in common is taken off first, as is what rounding leaves of it. */
static void describe_entries(nnd_analysis *a) {
    double count = (double)a->rows * (double)a->cols, first = a->matrix[0];
    double mean = first + moment(a, first, 1), rest = moment(a, mean, 1);
    a->out->mean = mean + rest;
    a->out->entry_sd = sqrt(fmax(0.0, moment(a, mean, 2) - rest * rest));
    a->out->frobenius = sqrt(count) * hypot(a->out->mean, a->out->entry_sd);
}

/* ---- singular values ---- */

/* Row-major is the transpose by columns, of the same singular values. */
static nnd_status decompose(nnd_analysis *a) {
    size_t count = a->rows * a->cols;
    double *copy = malloc(count * sizeof *copy), unused[1];
    a->out->singular = calloc(a->out->count, sizeof(double));
    a->out->known = a->out->count;
    if (copy == NULL || a->out->singular == NULL) {
        free(copy);
        return nnd_fail_memory(a->ctx, "singular values");
    }
    memcpy(copy, a->matrix, count * sizeof *copy);
    lapack_int rows = (lapack_int)a->cols, cols = (lapack_int)a->rows;
    lapack_int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', rows, cols, copy, rows,
                                     a->out->singular, unused, rows, unused, cols);
    free(copy);
    return info == 0 ? NND_OK
                     : nnd_fail(a->ctx, NND_E_UNSOLVED, "the singular values were not found");
}

/* Of the squares that are not 0 to rounding. */
static nnd_status fit_tail(nnd_analysis *a) {
    nnd_spectrum *out = a->out;
    double *square = calloc(out->count, sizeof *square);
    size_t count = 0;
    nnd_power_tail t;
    if (square == NULL)
        return nnd_fail_memory(a->ctx, "a power law");
    for (; count < out->known && out->singular[count] > 1e-12 * out->singular[0]; count++)
        square[count] = out->singular[count] * out->singular[count];
    nnd_status status =
        nnd_power_tail_fit(a->ctx, count, square, a->options->draws, a->options->seed, &t);
    if (status == NND_OK)
        out->tail = (nnd_spectrum_tail){{t.exponent, t.se}, sqrt(t.from), t.count, t.ks, t.p};
    free(square);
    return status;
}

/* ---- all of it ---- */

/* What does not apply stays so. */
static void begin(nnd_analysis *a) {
    const nnd_spectrum_estimate none = {NAN, NAN};
    *a->out = (nnd_spectrum){
        .rows = a->rows,
        .cols = a->cols,
        .count = a->rows < a->cols ? a->rows : a->cols,
        .method = a->options->method,
        .bulk = {none, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN},
        .tail = {none, NAN, 0, NAN, NAN},
        .soft_rank = NAN,
        .init_ks = NAN,
        .init_ks_p = NAN,
    };
}

static nnd_status analyse(nnd_analysis *a) {
    nnd_spectrum *out = a->out;
    bool exact = a->options->method == NND_SPECTRUM_EXACT;
    describe_entries(a);
    nnd_status status = exact ? decompose(a) : nnd_analysis_estimate(a);
    if (status == NND_OK)
        status = nnd_analysis_fit(a);
    if (status == NND_OK)
        status = nnd_analysis_distances(a);
    if (status == NND_OK)
        status = nnd_analysis_vectors(a);
    if (status == NND_OK && exact)
        status = fit_tail(a);
    if (status == NND_OK) {
        double most = out->singular[0];
        out->stable_rank = (out->frobenius / most) * (out->frobenius / most);
        out->soft_rank = (out->bulk.upper / most) * (out->bulk.upper / most);
    }
    return status;
}

nnd_status nnd_spectrum_analyse(nnd_context *ctx, size_t rows, size_t cols, const double *matrix,
                                const nnd_spectrum_options *options, nnd_spectrum *out) {
    size_t tall = rows > cols ? rows : cols;
    nnd_analysis a = {ctx, rows, cols, tall, matrix, {rows, cols, matrix}, options, out};
    begin(&a);
    nnd_status status = check_options(ctx, options);
    if (status == NND_OK)
        status = check_null(&a);
    if (status == NND_OK)
        status = check_matrix(&a);
    if (status == NND_OK)
        status = nnd_check_memory(ctx, nnd_spectrum_bytes(rows, cols, options), "a spectrum");
    if (status == NND_OK)
        status = analyse(&a);
    if (status == NND_NOT_CONVERGED)
        status = nnd_fail(ctx, NND_E_UNSOLVED, "the largest singular values were not found");
    if (status != NND_OK)
        nnd_spectrum_clear(out);
    return status;
}

/* The copy that LAPACK destroys and its room for a square block, or basis and blocks of probes;
 * vectors. */
double nnd_spectrum_bytes(size_t rows, size_t cols, const nnd_spectrum_options *options) {
    double r = (double)rows, c = (double)cols, least = fmin(r, c);
    double vectors = (double)options->vectors * (r + c);
    double exact = r * c + 2.0 * least * least + 20.0 * least;
    double work =
        options->method == NND_SPECTRUM_EXACT ? exact : nnd_analysis_bytes(rows, cols, options);
    return (work + vectors) * sizeof(double);
}

void nnd_spectrum_clear(nnd_spectrum *s) {
    free(s->singular);
    free(s->p_value);
    free(s->left_vector);
    free(s->right_vector);
    free(s->left_overlap);
    free(s->right_overlap);
    free(s->law_at);
    *s = (nnd_spectrum){0};
}
