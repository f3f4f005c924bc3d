/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/wide_mlp_curves.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "theory/claims.h"
#include "theory/wide_mlp_loss.h"

/* ---- the problem ---- */

/* gamma0 times the root mean square of the residuals at outputs 0 (wide-mlp.md#eq12). */
static nnd_status find_learned(nnd_wide_problem *q) {
    size_t n = q->samples * q->outputs;
    double *zero = calloc(2 * n, sizeof *zero);
    if (zero == NULL)
        return nnd_fail_memory(q->ctx, "the data set");
    nnd_wide_loss_residual((nnd_wide_loss_kind)q->params->loss, q->samples, q->outputs,
                           q->set.targets, zero, zero + n);
    q->learned = q->params->gamma0 * sqrt(2.0 * nnd_half_mean_square(n, zero + n));
    free(zero);
    return NND_OK;
}

/* Sampled marches leave out test samples that would make most of the directions. */
static bool leaves_tests(const nnd_wide_problem *q) {
    const nnd_wide_mlp *p = q->params;
    bool sampled = p->activation.name != NND_LINEAR || p->solver == NND_WIDE_MARCH;
    return p->parameterization == NND_MUP && sampled && q->set.tests > q->set.samples;
}

static nnd_status choose_points(nnd_wide_problem *q) {
    size_t all = q->set.samples + q->set.tests;
    q->samples = q->set.samples;
    q->tests = q->set.tests;
    q->points = leaves_tests(q) ? q->samples : all;
    q->gram = malloc(q->points * q->points * sizeof *q->gram);
    if (q->gram == NULL)
        return nnd_fail_memory(q->ctx, "the data set");
    for (size_t i = 0; i < q->points; i++)
        memcpy(q->gram + i * q->points, q->set.gram + i * all, q->points * sizeof *q->gram);
    return NND_OK;
}

nnd_status nnd_wide_problem_make(nnd_context *ctx, const nnd_wide_mlp *params,
                                 nnd_wide_problem *problem) {
    *problem = (nnd_wide_problem){
        .ctx = ctx,
        .params = params,
        .depth = (size_t)params->depth,
        .outputs = (size_t)params->outputs,
        .rate = params->integrator == NND_GRADIENT_FLOW ? 1.0 : params->lr,
        .beta = nnd_wide_mlp_branch(params),
        .skip = params->residual == NND_RESIDUAL_NONE ? 0.0 : 1.0,
    };
    nnd_status status = nnd_wide_mlp_dataset(ctx, params, &problem->set);
    if (status == NND_OK)
        status = nnd_wide_mlp_marks(ctx, params, &problem->marks);
    if (status == NND_OK)
        status = choose_points(problem);
    return status == NND_OK ? find_learned(problem) : status;
}

void nnd_wide_problem_clear(nnd_wide_problem *problem) {
    nnd_dataset_clear(&problem->set);
    free(problem->gram);
    problem->gram = NULL;
    free(problem->marks.value);
    problem->marks = (nnd_reals){0};
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
    C = 1 << 7,
    C2 = 1 << 8,
    DIMENSIONS = 9
};

/* What a run must have for a variable. */
enum {
    KERNELS = 1 << 0,
    SPECTRUM = 1 << 1,
    TWO_TIME = 1 << 2,
    TARGETS = 1 << 3, /* of test samples */
    RICH = 1 << 4,    /* fields that move */
    DEEP = 1 << 5,    /* matrices between layers */
    CLASSES = 1 << 6, /* for targets */
    STEPS = 1 << 7,   /* instead of flow */
    MARCHED = 1 << 8, /* test samples among the points */
    NEEDS = 9
};

static const struct {
    unsigned dims, needs;
} EXTENT[WIDE_VARIABLES] = {
    [WIDE_LOSS] = {0, 0},
    [WIDE_TEST_LOSS] = {0, TARGETS},
    [WIDE_ACCURACY] = {0, CLASSES},
    [WIDE_TEST_ACCURACY] = {0, CLASSES | TARGETS},
    [WIDE_DELTA] = {MU | C, 0},
    [WIDE_OUTPUT] = {MU | C, 0},
    [WIDE_TEST_OUTPUT] = {TEST | C, 0},
    [WIDE_NTK] = {MU | NU | C | C2, KERNELS},
    [WIDE_NTK_TEST] = {TEST | NU | C | C2, KERNELS | MARCHED},
    [WIDE_ALIGNMENT] = {LAYER, KERNELS},
    [WIDE_STABILITY] = {0, STEPS},
    [WIDE_STABILITY_CLAIM] = {0, STEPS},
    [WIDE_H_GRAM] = {LAYER | MU | NU, KERNELS},
    [WIDE_PHI_GRAM] = {LAYER | MU | NU, KERNELS},
    [WIDE_G_GRAM] = {LAYER | MU | NU | C | C2, KERNELS},
    [WIDE_READOUT_NORM2] = {C, 0},
    [WIDE_INPUT_EIG] = {RANK, SPECTRUM},
    [WIDE_INPUT_EIG_CLAIM] = {RANK, SPECTRUM},
    [WIDE_OUTLIER] = {MATRIX | RANK, SPECTRUM},
    [WIDE_OUTLIER_CLAIM] = {MATRIX | RANK, SPECTRUM},
    [WIDE_OUTLIER_LEFT_CLAIM] = {MATRIX | RANK, SPECTRUM},
    [WIDE_OUTLIER_RIGHT_CLAIM] = {MATRIX | RANK, SPECTRUM},
    [WIDE_OUTLIER_LEFT] = {MATRIX | RANK, SPECTRUM},
    [WIDE_OUTLIER_RIGHT] = {MATRIX | RANK, SPECTRUM},
    [WIDE_OUTLIER_STRENGTH] = {MATRIX | RANK, SPECTRUM | RICH},
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
        q->depth, q->depth - 1,   (size_t)p->outliers, q->samples, q->samples,
        q->tests, q->marks.count, q->outputs,          q->outputs,
    };
    const bool there[NEEDS] = {
        p->kernels,
        p->spectrum,
        p->two_time,
        q->set.test_targets != NULL && q->tests > 0,
        p->parameterization != NND_NTK,
        q->depth > 1,
        nnd_wide_mlp_classifies(p),
        p->integrator == NND_DESCENT,
        q->points == q->samples + q->tests,
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
    *record = (nnd_wide_curves){.problem = problem, .diverged = NAN, .edge = SIZE_MAX};
    for (int v = 0; v < WIDE_VARIABLES; v++) {
        nnd_wide_variable variable = (nnd_wide_variable)v;
        record->count[v] =
            numbers(problem, variable) * (is_timed(variable) ? problem->marks.count : 1);
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
    return record->x[variable] + time * (record->count[variable] / record->problem->marks.count);
}

/* ---- outputs ---- */

static double mean_loss(const nnd_wide_problem *q, size_t n, const double *target,
                        const double *output) {
    return nnd_wide_loss_mean((nnd_wide_loss_kind)q->params->loss, n, q->outputs, target, output);
}

double nnd_wide_loss(const nnd_wide_problem *problem, const double *output) {
    return mean_loss(problem, problem->samples, problem->set.targets, output);
}

/* Outputs begin at 0, where classes have the loss log 2 or log C. */
double nnd_wide_loss_limit(const nnd_wide_problem *q) {
    double first =
        q->params->loss == NND_WIDE_MSE
            ? (double)q->outputs * nnd_half_mean_square(q->samples * q->outputs, q->set.targets)
            : log(fmax(2.0, (double)q->outputs));
    return nnd_divergence_limit(q->params->divergence_bound, first, first);
}

/* Outputs of `n` points from number `first` on. */
static void record_loss(nnd_wide_curves *record, size_t time, nnd_wide_variable loss,
                        nnd_wide_variable accuracy, size_t n, const double *target,
                        const double *output) {
    const nnd_wide_problem *q = record->problem;
    if (record->x[loss] != NULL)
        *nnd_wide_curves_at(record, loss, time) = mean_loss(q, n, target, output);
    if (record->x[accuracy] != NULL)
        *nnd_wide_curves_at(record, accuracy, time) =
            nnd_wide_loss_accuracy(n, q->outputs, target, output);
}

void nnd_wide_curves_outputs(nnd_wide_curves *record, size_t time, double kappa,
                             const double *output) {
    const nnd_wide_problem *q = record->problem;
    size_t train = q->samples * q->outputs, tests = q->tests * q->outputs;
    record_loss(record, time, WIDE_LOSS, WIDE_ACCURACY, q->samples, q->set.targets, output);
    record_loss(record, time, WIDE_TEST_LOSS, WIDE_TEST_ACCURACY, q->tests, q->set.test_targets,
                output + train);
    memcpy(nnd_wide_curves_at(record, WIDE_OUTPUT, time), output, train * sizeof *output);
    nnd_wide_loss_residual((nnd_wide_loss_kind)q->params->loss, q->samples, q->outputs,
                           q->set.targets, output, nnd_wide_curves_at(record, WIDE_DELTA, time));
    if (tests > 0)
        memcpy(nnd_wide_curves_at(record, WIDE_TEST_OUTPUT, time), output + train,
               tests * sizeof *output);
    double *edge = nnd_wide_curves_at(record, WIDE_BULK_EDGE, time);
    for (size_t l = 0; edge != NULL && l + 1 < q->depth; l++)
        edge[l] = 2.0 * kappa * q->beta * q->params->sigma_w;
}

/* ---- kernels ---- */

/* Copies the block rows x cols that begins at (first, 0) of a matrix between points. */
static void copy_block(const nnd_wide_problem *q, const double *from, size_t first, size_t rows,
                       size_t cols, double *to) {
    for (size_t i = 0; to != NULL && i < rows; i++)
        memcpy(to + i * cols, from + (first + i) * q->points, cols * sizeof *to);
}

/* The same of a matrix between points and outputs: rows (mu, c), columns (nu, c2) become mu, nu, c,
 * c2. */
static void copy_outputs(const nnd_wide_problem *q, const double *from, size_t first, size_t rows,
                         size_t cols, double *to) {
    size_t outputs = q->outputs, ld = q->points * outputs;
    for (size_t i = 0; to != NULL && i < rows * cols; i++)
        for (size_t c = 0; c < outputs; c++)
            memcpy(to + (i * outputs + c) * outputs,
                   from + ((first + i / cols) * outputs + c) * ld + i % cols * outputs,
                   outputs * sizeof *to);
}

/* K = delta_cc' (sigma_w^2 Phi^L + sigma_b^2) + sum_l beta_l^2 G^{l+1} (sigma_w^2 Phi^l +
 * sigma_b^2), Phi^0 = K^x, beta_0 = 1. */
void nnd_wide_ntk(const nnd_wide_problem *q, const double *phi, const double *g, double *ntk) {
    double weights2 = q->params->sigma_w * q->params->sigma_w;
    double biases2 = q->params->sigma_b * q->params->sigma_b, beta2 = q->beta * q->beta;
    size_t outputs = q->outputs, n = q->points * outputs, points2 = q->points * q->points;
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++) {
            size_t at = a * n + b, pair = a / outputs * q->points + b / outputs;
            double sum = g[at] * (weights2 * q->gram[pair] + biases2);
            for (size_t l = 1; l < q->depth; l++)
                sum += beta2 * g[l * n * n + at] *
                       (weights2 * phi[(l - 1) * points2 + pair] + biases2);
            if (a % outputs == b % outputs)
                sum += weights2 * phi[(q->depth - 1) * points2 + pair] + biases2;
            ntk[at] = sum;
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

nnd_status nnd_wide_curvatures(const nnd_wide_problem *q, const double *weight,
                               const double *output, const double *ntk, double *value) {
    size_t c = q->outputs, n = q->samples * c, ld = q->points * c;
    double *block = malloc((n * n + n * c + c * c) * sizeof *block);
    if (block == NULL)
        return nnd_fail_memory(q->ctx, "the stability");
    double *root = block + n * n, *one = root + n * c;
    for (size_t i = 0; i < q->samples; i++) {
        nnd_wide_loss_root((nnd_wide_loss_kind)q->params->loss, c, output + i * c,
                           root + i * c * c);
        cblas_dscal((int)(c * c), sqrt(weight[i]), root + i * c * c, 1);
    }
    for (size_t i = 0; i < q->samples; i++)
        for (size_t j = 0; j < q->samples; j++) {
            const double *k = ntk + i * c * ld + j * c;
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)c, (int)c, (int)c, 1.0,
                        root + i * c * c, (int)c, k, (int)ld, 0.0, one, (int)c);
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)c, (int)c, (int)c, 1.0, one,
                        (int)c, root + j * c * c, (int)c, 0.0, block + i * c * n + j * c, (int)n);
        }
    nnd_status status = eigenvalues(q->ctx, n, block, value);
    free(block);
    return status;
}

static nnd_status record_stability(nnd_wide_curves *record, size_t time, double multiplier,
                                   const nnd_wide_averages *a) {
    const nnd_wide_problem *q = record->problem;
    size_t n = q->samples * q->outputs;
    double *value = malloc((n + q->samples) * sizeof *value);
    if (value == NULL)
        return nnd_fail_memory(q->ctx, "the stability");
    for (size_t i = 0; i < q->samples; i++)
        value[n + i] = 1.0 / (double)q->samples;
    nnd_status status = nnd_wide_curvatures(q, value + n, a->output, a->ntk, value);
    *nnd_wide_curves_at(record, WIDE_STABILITY, time) = q->params->lr * multiplier * value[n - 1];
    *nnd_wide_curves_at(record, WIDE_STABILITY_CLAIM, time) =
        nnd_claim_apart(n, value, n - 1, kernel_variance(q->params), 0.0);
    free(value);
    return status;
}

void nnd_wide_note_edge(nnd_wide_curves *record, size_t step, double multiplier, double curvature) {
    const nnd_wide_mlp *p = record->problem->params;
    if (record->edge == SIZE_MAX && p->lr * multiplier * curvature > nnd_wide_mlp_stability_edge(p))
        record->edge = step;
}

/* <y_i y_j> over outputs of targets less their mean over samples. */
static double target_product(const nnd_wide_problem *q, const double *mean, size_t i, size_t j) {
    const double *y = q->set.targets;
    double sum = 0.0;
    for (size_t c = 0; c < q->outputs; c++)
        sum += (y[i * q->outputs + c] - mean[c]) * (y[j * q->outputs + c] - mean[c]);
    return sum;
}

/* tr(Phi y y^T)/(|Phi| |y y^T|) of each layer; NaN if nothing is left of the centred y. */
static nnd_status record_alignment(nnd_wide_curves *record, size_t time, const double *phi) {
    const nnd_wide_problem *q = record->problem;
    size_t n = q->samples;
    double *to = nnd_wide_curves_at(record, WIDE_ALIGNMENT, time);
    double *mean = calloc(q->outputs, sizeof *mean);
    if (mean == NULL)
        return nnd_fail_memory(q->ctx, "the alignment");
    for (size_t i = 0; i < n * q->outputs; i++)
        mean[i % q->outputs] += q->set.targets[i] / (double)n;
    for (size_t l = 0; l < q->depth; l++) {
        double both = 0.0, phi2 = 0.0, target2 = 0.0;
        for (size_t i = 0; i < n * n; i++) {
            double product = target_product(q, mean, i / n, i % n);
            double kernel = phi[(l * q->points + i / n) * q->points + i % n];
            both += kernel * product;
            phi2 += kernel * kernel;
            target2 += product * product;
        }
        to[l] = target2 > 0.0 && phi2 > 0.0 ? both / sqrt(phi2 * target2) : NAN;
    }
    free(mean);
    return NND_OK;
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
    copy_block(q, q->gram, 0, n, n, vectors);
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

nnd_status nnd_wide_curves_kernels(nnd_wide_curves *record, size_t time, double multiplier,
                                   const nnd_wide_averages *a) {
    const nnd_wide_problem *q = record->problem;
    size_t n = q->samples, points2 = q->points * q->points, c2 = q->outputs * q->outputs;
    for (size_t l = 0; q->params->kernels && l < q->depth; l++) {
        copy_block(q, a->h + l * points2, 0, n, n,
                   nnd_wide_curves_at(record, WIDE_H_GRAM, time) + l * n * n);
        copy_block(q, a->phi + l * points2, 0, n, n,
                   nnd_wide_curves_at(record, WIDE_PHI_GRAM, time) + l * n * n);
        copy_outputs(q, a->g + l * points2 * c2, 0, n, n,
                     nnd_wide_curves_at(record, WIDE_G_GRAM, time) + l * n * n * c2);
    }
    copy_outputs(q, a->ntk, 0, n, n, nnd_wide_curves_at(record, WIDE_NTK, time));
    copy_outputs(q, a->ntk, n, q->tests, n, nnd_wide_curves_at(record, WIDE_NTK_TEST, time));
    memcpy(nnd_wide_curves_at(record, WIDE_READOUT_NORM2, time), a->readout,
           q->outputs * sizeof *a->readout);
    nnd_status status = NND_OK;
    if (record->x[WIDE_ALIGNMENT] != NULL)
        status = record_alignment(record, time, a->phi);
    if (status == NND_OK && record->x[WIDE_STABILITY] != NULL)
        status = record_stability(record, time, multiplier, a);
    if (status == NND_OK && record->x[WIDE_INPUT_EIG] != NULL)
        status = record_input_eig(record, time, a->unbiased);
    return status;
}
