/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/wide_mlp_curves.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "theory/claims.h"

/* ---- the problem ---- */

nnd_status nnd_wide_problem_make(nnd_context *ctx, const nnd_wide_mlp *params,
                                 nnd_wide_problem *problem) {
    *problem = (nnd_wide_problem){.ctx = ctx, .params = params, .depth = (size_t)params->depth};
    nnd_reals steps = {0};
    nnd_status status = nnd_wide_mlp_dataset(ctx, params, &problem->set);
    if (status == NND_OK)
        status = nnd_wide_mlp_marks(ctx, params, &steps);
    if (status == NND_OK)
        status = nnd_timegrid_of(ctx, &steps, &problem->grid);
    free(steps.value);
    problem->samples = problem->set.samples;
    problem->tests = problem->set.tests;
    problem->points = problem->samples + problem->tests;
    return status;
}

void nnd_wide_problem_clear(nnd_wide_problem *problem) {
    nnd_dataset_clear(&problem->set);
    nnd_timegrid_clear(&problem->grid);
}

/* ---- a record ---- */

/* Dimensions of a variable, but for its time. */
enum {
    LAYER = 1 << 0,
    MATRIX = 1 << 1,
    RANK = 1 << 2,
    MU = 1 << 3,
    NU = 1 << 4,
    TEST = 1 << 5,
    S = 1 << 6,
    DIMENSIONS = 7
};

/* What a run must have for a variable. */
enum {
    KERNELS = 1 << 0,
    SPECTRUM = 1 << 1,
    TWO_TIME = 1 << 2,
    TARGETS = 1 << 3, /* of test samples */
    RICH = 1 << 4,    /* fields that move */
    DEEP = 1 << 5,    /* matrices between layers */
    NEEDS = 6
};

static const struct {
    unsigned dims, needs;
} EXTENT[WIDE_VARIABLES] = {
    [WIDE_LOSS] = {0, 0},
    [WIDE_TEST_LOSS] = {0, TARGETS},
    [WIDE_DELTA] = {MU, 0},
    [WIDE_OUTPUT] = {MU, 0},
    [WIDE_TEST_OUTPUT] = {TEST, 0},
    [WIDE_NTK] = {MU | NU, KERNELS},
    [WIDE_NTK_TEST] = {TEST | NU, KERNELS},
    [WIDE_STABILITY] = {0, 0},
    [WIDE_STABILITY_CLAIM] = {0, 0},
    [WIDE_H_GRAM] = {LAYER | MU | NU, KERNELS},
    [WIDE_PHI_GRAM] = {LAYER | MU | NU, KERNELS},
    [WIDE_G_GRAM] = {LAYER | MU | NU, KERNELS},
    [WIDE_READOUT_NORM2] = {0, 0},
    [WIDE_INPUT_EIG] = {RANK, SPECTRUM},
    [WIDE_INPUT_EIG_CLAIM] = {RANK, SPECTRUM},
    [WIDE_OUTLIER] = {MATRIX | RANK, SPECTRUM},
    [WIDE_OUTLIER_CLAIM] = {MATRIX | RANK, SPECTRUM},
    [WIDE_OUTLIER_LEFT] = {MATRIX | RANK, SPECTRUM},
    [WIDE_OUTLIER_RIGHT] = {MATRIX | RANK, SPECTRUM},
    [WIDE_OUTLIER_MARGIN] = {MATRIX, SPECTRUM | RICH},
    [WIDE_ESCAPE_TIME] = {MATRIX | RANK, SPECTRUM},
    [WIDE_BULK_EDGE] = {MATRIX, SPECTRUM},
    [WIDE_RANK_PHI] = {MATRIX, RICH},
    [WIDE_RANK_G] = {MATRIX, RICH},
    [WIDE_TRUNCATION] = {0, RICH | DEEP},
    [WIDE_FIELD_ERROR] = {0, RICH | DEEP},
    [WIDE_PHI_TWO_TIME] = {LAYER | S | MU | NU, TWO_TIME},
    [WIDE_G_TWO_TIME] = {LAYER | S | MU | NU, TWO_TIME},
};

/* Numbers per recorded time (or in all, of what has no time). */
static size_t numbers(const nnd_wide_problem *q, nnd_wide_variable v) {
    const nnd_wide_mlp *p = q->params;
    const size_t length[DIMENSIONS] = {
        q->depth,   q->depth - 1, (size_t)p->outliers, q->samples,
        q->samples, q->tests,     q->grid.count,
    };
    const bool there[NEEDS] = {
        p->kernels,
        p->spectrum,
        p->two_time,
        q->set.test_targets != NULL && q->tests > 0,
        p->parameterization != NND_NTK,
        q->depth > 1,
    };
    size_t n = 1;
    for (int i = 0; i < NEEDS; i++)
        if ((EXTENT[v].needs >> i & 1) != 0 && !there[i])
            return 0;
    for (int i = 0; i < DIMENSIONS; i++)
        if ((EXTENT[v].dims >> i & 1) != 0)
            n *= length[i];
    return n;
}

static bool is_timed(nnd_wide_variable v) {
    return v != WIDE_ESCAPE_TIME;
}

nnd_status nnd_wide_curves_make(const nnd_wide_problem *problem, nnd_wide_curves *record) {
    size_t total = 0, at = 0;
    *record = (nnd_wide_curves){.problem = problem, .diverged = SIZE_MAX, .edge = SIZE_MAX};
    for (int v = 0; v < WIDE_VARIABLES; v++) {
        nnd_wide_variable variable = (nnd_wide_variable)v;
        record->count[v] =
            numbers(problem, variable) * (is_timed(variable) ? problem->grid.count : 1);
        total += record->count[v];
    }
    record->data = malloc(total * sizeof *record->data);
    if (record->data == NULL)
        return nnd_fail_memory(problem->ctx, "the curves");
    for (size_t i = 0; i < total; i++)
        record->data[i] = NAN;
    for (int v = 0; v < WIDE_VARIABLES; at += record->count[v++])
        record->x[v] = record->count[v] > 0 ? record->data + at : NULL;
    return NND_OK;
}

void nnd_wide_curves_clear(nnd_wide_curves *record) {
    free(record->data);
    *record = (nnd_wide_curves){0};
}

double *nnd_wide_curves_at(const nnd_wide_curves *record, nnd_wide_variable variable, size_t time) {
    if (record->x[variable] == NULL)
        return NULL;
    return record->x[variable] + time * (record->count[variable] / record->problem->grid.count);
}

/* ---- outputs ---- */

static double mean_loss(size_t n, const double *target, const double *output) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += 0.5 * (target[i] - output[i]) * (target[i] - output[i]);
    return sum / (double)n;
}

double nnd_wide_loss(const nnd_wide_problem *problem, const double *output) {
    return mean_loss(problem->samples, problem->set.targets, output);
}

/* Outputs begin at 0. */
double nnd_wide_loss_limit(const nnd_wide_problem *problem) {
    double first = nnd_half_mean_square(problem->samples, problem->set.targets);
    return nnd_divergence_limit(problem->params->divergence_bound, first, first);
}

void nnd_wide_curves_outputs(nnd_wide_curves *record, size_t time, const double *output) {
    const nnd_wide_problem *q = record->problem;
    *nnd_wide_curves_at(record, WIDE_LOSS, time) = nnd_wide_loss(q, output);
    for (size_t i = 0; i < q->samples; i++) {
        nnd_wide_curves_at(record, WIDE_OUTPUT, time)[i] = output[i];
        nnd_wide_curves_at(record, WIDE_DELTA, time)[i] = q->set.targets[i] - output[i];
    }
    for (size_t i = 0; i < q->tests; i++)
        nnd_wide_curves_at(record, WIDE_TEST_OUTPUT, time)[i] = output[q->samples + i];
    if (record->x[WIDE_TEST_LOSS] != NULL)
        *nnd_wide_curves_at(record, WIDE_TEST_LOSS, time) =
            mean_loss(q->tests, q->set.test_targets, output + q->samples);
    double *edge = nnd_wide_curves_at(record, WIDE_BULK_EDGE, time);
    for (size_t l = 0; edge != NULL && l + 1 < q->depth; l++)
        edge[l] = 2.0 * q->params->sigma_w;
}

/* ---- kernels ---- */

/* Copies the block rows x cols that begins at (first, 0) of a points x points matrix. */
static void copy_block(const nnd_wide_problem *q, const double *from, size_t first, size_t rows,
                       size_t cols, double *to) {
    for (size_t i = 0; to != NULL && i < rows; i++)
        memcpy(to + i * cols, from + (first + i) * q->points, cols * sizeof *to);
}

/* K = sigma_w^2 sum_l G^{l+1} Phi^l with Phi^0 = K^x and G^{L+1} = 1. */
void nnd_wide_ntk(const nnd_wide_problem *q, const double *phi, const double *g, double *ntk) {
    double sigma2 = q->params->sigma_w * q->params->sigma_w;
    size_t square = q->points * q->points;
    for (size_t i = 0; i < square; i++) {
        double sum = g[i] * q->set.gram[i];
        for (size_t l = 1; l < q->depth; l++)
            sum += g[l * square + i] * phi[(l - 1) * square + i];
        ntk[i] = sigma2 * (sum + phi[(q->depth - 1) * square + i]);
    }
}

/* Eigenvalues of a symmetric n x n matrix, ascending; `a` is destroyed. */
static nnd_status eigenvalues(nnd_context *ctx, size_t n, double *a, double *value) {
    return LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'L', (lapack_int)n, a, (lapack_int)n, value) == 0
               ? NND_OK
               : nnd_fail(ctx, NND_E_UNSOLVED, "a kernel has no eigenvalues");
}

/* Variance, relative to the product of two eigenvalues of K and times N, of K between their
 * eigenvectors. At the start of a linear network K is a sum over l = 0..L of products Phi^l of l
 * Wishart matrices: number m of them enters L + 1 - m times, and adds (L + 1 - m)^2/(L + 1)^2.
 * Twice that where G, backwards, fluctuates likewise. */
static double kernel_variance(const nnd_wide_mlp *p) {
    double depth = (double)p->depth, sides = p->activation.name == NND_LINEAR ? 1.0 : 2.0;
    return sides * depth * (2.0 * depth + 1.0) / (6.0 * (depth + 1.0));
}

static nnd_status record_stability(nnd_wide_curves *record, size_t time, const double *ntk) {
    const nnd_wide_problem *q = record->problem;
    size_t n = q->samples;
    double *block = malloc(n * (n + 1) * sizeof *block);
    if (block == NULL)
        return nnd_fail_memory(q->ctx, "the stability");
    double *value = block + n * n;
    copy_block(q, ntk, 0, n, n, block);
    nnd_status status = eigenvalues(q->ctx, n, block, value);
    *nnd_wide_curves_at(record, WIDE_STABILITY, time) = q->params->lr * value[n - 1] / (double)n;
    *nnd_wide_curves_at(record, WIDE_STABILITY_CLAIM, time) =
        nnd_claim_apart(n, value, n - 1, kernel_variance(q->params), 0.0);
    free(block);
    return status;
}

nnd_status nnd_wide_note_edge(nnd_wide_curves *record, size_t step, const double *ntk,
                              const double *weight) {
    const double limit = 2.0;
    const nnd_wide_problem *q = record->problem;
    size_t n = q->samples;
    if (record->edge != SIZE_MAX)
        return NND_OK;
    double *block = malloc(n * (n + 1) * sizeof *block);
    if (block == NULL)
        return nnd_fail_memory(q->ctx, "the stability");
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            block[i * n + j] = sqrt(weight[i] * weight[j]) * ntk[i * q->points + j];
    nnd_status status = eigenvalues(q->ctx, n, block, block + n * n);
    if (status == NND_OK && q->params->lr * block[n * n + n - 1] > limit)
        record->edge = step;
    free(block);
    return status;
}

/* out = B^T H B, where the columns of B = U Lambda^(-1/2) span the range of K^x; returns its rank.
 */
static size_t on_data_span(size_t n, const double *vectors, const double *value, const double *h,
                           size_t ldh, double *b, double *out) {
    /* Eigenvalues below this part of the largest are rounding of a singular K^x. */
    const double rounding = 1e-12;
    size_t rank = 0;
    for (size_t k = n; k-- > 0 && value[k] > rounding * (double)n * value[n - 1]; rank++)
        for (size_t i = 0; i < n; i++)
            b[rank * n + i] = vectors[i * n + k] / sqrt(value[k]);
    for (size_t k = 0; k < rank; k++)
        for (size_t l = 0; l <= k; l++) {
            double sum = 0.0;
            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < n; j++)
                    sum += b[k * n + i] * h[i * ldh + j] * b[l * n + j];
            out[k * rank + l] = sum;
        }
    return rank;
}

/* Eigenvalues of sigma_w^-2 (K^x)^(-1/2) H^1 (K^x)^(-1/2) on the range of K^x, descending
 * (wide-mlp.md#s5). */
static nnd_status record_input_eig(nnd_wide_curves *record, size_t time, const double *h1) {
    const nnd_wide_problem *q = record->problem;
    size_t n = q->samples, k = (size_t)q->params->outliers;
    double *eig = nnd_wide_curves_at(record, WIDE_INPUT_EIG, time);
    double *work = calloc(3 * n * n + 2 * n, sizeof *work);
    if (work == NULL)
        return nnd_fail_memory(q->ctx, "the input matrix");
    double *vectors = work, *b = work + n * n, *out = b + n * n, *value = out + n * n;
    copy_block(q, q->set.gram, 0, n, n, vectors);
    nnd_status status =
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)n, vectors, (lapack_int)n, value) == 0
            ? NND_OK
            : nnd_fail(q->ctx, NND_E_UNSOLVED, "the Gram matrix has no eigenvalues");
    size_t rank = status == NND_OK ? on_data_span(n, vectors, value, h1, q->points, b, out) : 0;
    if (rank > 0)
        status = eigenvalues(q->ctx, rank, out, value);
    double sigma2 = q->params->sigma_w * q->params->sigma_w;
    double *claim = nnd_wide_curves_at(record, WIDE_INPUT_EIG_CLAIM, time);
    for (size_t i = 0; i < rank && i < k; i++) {
        eig[i] = value[rank - 1 - i] / sigma2;
        /* A mean over N neurons of products of two near-Gaussian numbers: Wishart noise. */
        claim[i] = nnd_claim_apart(rank, value, rank - 1 - i, 1.0, 0.0);
    }
    free(work);
    return status;
}

nnd_status nnd_wide_curves_kernels(nnd_wide_curves *record, size_t time, const double *h,
                                   const double *phi, const double *g, double readout,
                                   double *ntk) {
    const nnd_wide_problem *q = record->problem;
    size_t n = q->samples, square = q->points * q->points;
    const double *const gram[] = {h, phi, g};
    static const nnd_wide_variable variable[] = {WIDE_H_GRAM, WIDE_PHI_GRAM, WIDE_G_GRAM};
    nnd_wide_ntk(q, phi, g, ntk);
    for (int i = 0; i < 3; i++)
        for (size_t l = 0; record->x[variable[i]] != NULL && l < q->depth; l++)
            copy_block(q, gram[i] + l * square, 0, n, n,
                       nnd_wide_curves_at(record, variable[i], time) + l * n * n);
    copy_block(q, ntk, 0, n, n, nnd_wide_curves_at(record, WIDE_NTK, time));
    copy_block(q, ntk, n, q->tests, n, nnd_wide_curves_at(record, WIDE_NTK_TEST, time));
    *nnd_wide_curves_at(record, WIDE_READOUT_NORM2, time) = readout;
    nnd_status status = record_stability(record, time, ntk);
    if (status == NND_OK && record->x[WIDE_INPUT_EIG] != NULL)
        status = record_input_eig(record, time, h);
    return status;
}
