/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/uneven_ridge.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

enum { MOST_ITERATIONS = 3000 };
static const double PRECISION = 1e-12;

/*
 * With d = base + delta the resolvent is reg/(Omega s + reg). There is a ridge, or there are fewer
 * samples than directions: reg = 1, base = lambda, all divided by lambda. Else reg = 0, base = 1.
 */
typedef struct {
    nnd_context *ctx;
    const nnd_eigenmodes *modes;
    const nnd_pair_task *task;
    const nnd_input_squares *inputs;
    double reg, base;
    double *omega;  /* modes */
    double *field;  /* modes: what is summed over an input's squares */
    double *weight; /* rows: 1/d */
    double *kernel; /* modes^2 */
    double *right;  /* modes x 2 */
    double *scaled; /* rows x modes */
    double *noisy;  /* modes: E w^2 q_k excess */
} problem;

static nnd_status problem_make(problem *x) {
    size_t n = x->modes->count, rows = x->inputs->rows;
    nnd_status status =
        nnd_check_memory(x->ctx, sizeof(double) * (double)n * (double)(n + rows), "uneven inputs");
    if (status != NND_OK)
        return status;
    x->omega = malloc(n * sizeof(double));
    x->field = malloc(n * sizeof(double));
    x->weight = malloc(rows * sizeof(double));
    x->kernel = malloc(n * n * sizeof(double));
    x->right = malloc(2 * n * sizeof(double));
    x->scaled = malloc(rows * n * sizeof(double));
    x->noisy = calloc(n, sizeof(double));
    return x->omega != NULL && x->field != NULL && x->weight != NULL && x->kernel != NULL &&
                   x->right != NULL && x->scaled != NULL && x->noisy != NULL
               ? NND_OK
               : nnd_fail_memory(x->ctx, "uneven inputs");
}

static void problem_clear(problem *x) {
    free(x->omega);
    free(x->field);
    free(x->weight);
    free(x->kernel);
    free(x->right);
    free(x->scaled);
    free(x->noisy);
}

/* ---- weights of inputs ---- */

/* Omega_k s_k + reg. */
static double resistance(const problem *x, size_t k) {
    return x->omega[k] * x->modes->eigenvalue[k] + x->reg;
}

/* Weights 1/(base + delta), delta = (1/P) sum_k q_k s_k/(Omega_k s_k + reg): alignment.md#eq16. */
static void weigh(problem *x) {
    int n = (int)x->modes->count, rows = (int)x->inputs->rows;
    for (size_t k = 0; k < x->modes->count; k++)
        x->field[k] = x->modes->eigenvalue[k] / resistance(x, k);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, n, 1.0 / x->task->samples, x->inputs->square, n,
                x->field, 1, 0.0, x->weight, 1);
    for (int i = 0; i < rows; i++)
        x->weight[i] = 1.0 / (x->base + x->weight[i]);
}

/* Omega_k = E q_k weight: an iteration that is monotone and converges from anywhere (Yates 1995),
 * each time closer by the part of the noise that is not damped. The largest relative change. */
static double iterate(problem *x) {
    int n = (int)x->modes->count, rows = (int)x->inputs->rows;
    double change = 0.0;
    weigh(x);
    cblas_dgemv(CblasRowMajor, CblasTrans, rows, n, 1.0 / rows, x->inputs->square, n, x->weight, 1,
                0.0, x->field, 1);
    for (size_t k = 0; k < x->modes->count; k++) {
        change = fmax(change, fabs(x->field[k] / x->omega[k] - 1.0));
        x->omega[k] = x->field[k];
    }
    return change;
}

/* Starts from what even inputs have: 1/kappa, or 1 - D/P. */
static nnd_status settle(problem *x, double kappa) {
    double rest = 1.0 - (double)x->modes->count / x->task->samples, change = INFINITY;
    for (size_t k = 0; k < x->modes->count; k++)
        x->omega[k] = x->reg > 0.0 ? 1.0 / kappa : rest;
    for (int i = 0; i < MOST_ITERATIONS && change > PRECISION; i++) {
        if (nnd_context_interrupted(x->ctx))
            return nnd_fail(x->ctx, NND_E_INTERRUPTED, "interrupted");
        change = iterate(x);
    }
    weigh(x);
    return change <= PRECISION ? NND_OK : NND_NOT_CONVERGED;
}

/* ---- errors along the eigenvectors ---- */

/* E_k = bias_k + c_k (E[w^2 q_k sigma_i^2] + sum_j E[w^2 q_k q_j] E_j), c_k = (1/P) (s_k/(Omega_k
 * s_k + reg))^2, for two label noises at once: alignment.md#eq17. */
static nnd_status solve_errors(problem *x, const double noise[2]) {
    size_t n = x->modes->count, rows = x->inputs->rows;
    const double *s = x->modes->eigenvalue;
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < n; k++)
            x->scaled[i * n + k] = x->weight[i] * x->inputs->square[i * n + k];
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)rows, (int)n, 1.0 / (double)rows, x->scaled, (int)n,
                x->weight, 1, 0.0, x->field, 1);
    for (size_t i = 0; x->inputs->excess != NULL && i < rows; i++)
        cblas_daxpy((int)n, x->weight[i] * x->inputs->excess[i] / (double)rows, x->scaled + i * n,
                    1, x->noisy, 1);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)n, (int)rows, 1.0 / (double)rows,
                x->scaled, (int)n, 0.0, x->kernel, (int)n);
    for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < k; j++)
            x->kernel[j * n + k] = x->kernel[k * n + j];
    for (size_t k = 0; k < n; k++) {
        double c = pow(s[k] / resistance(x, k), 2.0) / x->task->samples;
        double bias = s[k] * x->modes->teacher2[k] * pow(x->reg / resistance(x, k), 2.0);
        for (size_t j = 0; j < n; j++)
            x->kernel[k * n + j] = (k == j) - c * x->kernel[k * n + j];
        for (size_t b = 0; b < 2; b++)
            x->right[2 * k + b] = bias + c * (noise[b] * x->field[k] + x->noisy[k]);
    }
    lapack_int *pivot = malloc(n * sizeof *pivot);
    lapack_int info = pivot != NULL ? LAPACKE_dgesv(LAPACK_ROW_MAJOR, (lapack_int)n, 2, x->kernel,
                                                    (lapack_int)n, pivot, x->right, 2)
                                    : -1;
    free(pivot);
    return info == 0 ? NND_OK
                     : nnd_fail(x->ctx, NND_E_UNSOLVED, "errors of uneven inputs are not found");
}

/* ---- overlaps ---- */

/* Q_ab, m and E_g from the errors E_k = s_k <(beta^a - beta*)_k (beta^b - beta*)_k>: what exceeds
 * the bias is the variance of predictors. */
static void put_overlaps(const problem *x, nnd_pair_overlaps *out) {
    for (size_t k = 0; k < x->modes->count; k++) {
        double s = x->modes->eigenvalue[k], b2 = x->modes->teacher2[k];
        double away = x->reg / resistance(x, k), gain = 1.0 - away, metric = 1.0 / s;
        double signal = s * b2 * gain * gain, bias = s * b2 * away * away;
        double self = signal + x->right[2 * k] - bias, cross = signal + x->right[2 * k + 1] - bias;
        out->gen_error += x->right[2 * k];
        for (int m = 0; m < NND_METRICS; m++, metric *= s) {
            out->self[m] += metric * self;
            out->cross[m] += metric * (x->task->independent ? signal : cross);
            out->teacher[m] += metric * s * b2 * gain;
        }
    }
    for (int m = 0; m < NND_METRICS; m++)
        out->cosine[m] = out->cross[m] / out->self[m];
    out->error = out->gen_error + x->task->label_noise;
}

/* kappa = lambda/E[lambda weight] and |y - X beta|^2/P = E (base weight)^2 (sigma_i^2 + sum q E).
 */
static void put_means(problem *x, nnd_pair_overlaps *out) {
    size_t n = x->modes->count, rows = x->inputs->rows;
    double mean = 0.0;
    for (size_t i = 0; i < rows; i++) {
        double damping = x->base * x->weight[i], error = x->task->label_noise;
        error += x->inputs->excess != NULL ? x->inputs->excess[i] : 0.0;
        error += cblas_ddot((int)n, x->inputs->square + i * n, 1, x->right, 2);
        mean += x->weight[i] / (double)rows;
        out->train_error += damping * damping * error / (double)rows;
    }
    out->kappa = x->reg / mean;
}

nnd_status nnd_pair_ridge_uneven(nnd_context *ctx, const nnd_eigenmodes *modes,
                                 const nnd_pair_task *task, const nnd_input_squares *inputs,
                                 double lambda, nnd_pair_overlaps *out) {
    nnd_pair_ridge(modes, task, lambda, out);
    if (isinf(out->error))
        return NND_OK;
    problem x = {.ctx = ctx, .modes = modes, .task = task, .inputs = inputs, .base = 1.0};
    if (out->kappa > 0.0) {
        x.reg = 1.0;
        x.base = lambda;
    }
    nnd_status status = problem_make(&x), settled = NND_OK;
    if (status == NND_OK)
        status = settled = settle(&x, out->kappa);
    const double noise[] = {task->label_noise, task->noise_correlation * task->label_noise};
    if (status >= NND_OK)
        status = solve_errors(&x, noise);
    if (status == NND_OK) {
        *out = (nnd_pair_overlaps){0};
        put_overlaps(&x, out);
        put_means(&x, out);
    }
    problem_clear(&x);
    return status == NND_OK ? settled : status;
}
