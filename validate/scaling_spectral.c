/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Full-batch students in the eigenbasis of their training kernel. With F = A/sqrt N (or 1) and
 * X = Psi F^T, training leaves f_t(x) of the residual along each eigenvector:
 *     theta(t) = U phi_t(x) U^T b,   phi = (1 - f)/x,   H = X^T X/P = U x U^T,   b = X^T y/P,
 * or, with fewer samples than parameters, from K = X X^T/P. Of the population H = F Lambda F^T.
 */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/largest.h"
#include "validate/scaling_filter.h"
#include "validate/scaling_students.h"

/* Eigenvalues that are rounding, relative to the largest: such directions have no gradient. */
static const double RANK_TOLERANCE = 1e-13;

/* One student: its kernel's rank x rank eigenproblem, and where each eigenvector leads. */
typedef struct {
    const nnd_scaling_task *task;
    const double *f, *psi, *y; /* F (NULL: 1), Psi and y (NULL: the population) */
    size_t params, rank;       /* N or M; eigenpairs */
    bool of_samples;           /* K, not H */
    double *x;                 /* params inputs of the samples, or of the modes times sqrt lambda */
    double *vector, *value;    /* rows are eigenvectors */
    double *beta;              /* gradient along them */
    double *g;                 /* rank x M: the predictor that a unit along each is */
    double *phi;               /* times x rank */
} student;

static nnd_status make(nnd_context *ctx, const nnd_scaling_task *task, size_t times, student *s) {
    size_t rows = task->samples > 0 ? task->samples : task->modes;
    *s = (student){.task = task, .params = task->width > 0 ? task->width : task->modes};
    s->of_samples = task->samples > 0 && task->samples < s->params;
    s->rank = s->of_samples ? task->samples : s->params;
    s->x = malloc(rows * s->params * sizeof(double));
    s->vector = malloc(s->rank * s->rank * sizeof(double));
    s->value = malloc(s->rank * sizeof(double));
    s->beta = malloc(s->rank * sizeof(double));
    s->g = malloc(s->rank * task->modes * sizeof(double));
    s->phi = malloc(times * s->rank * sizeof(double));
    return s->x != NULL && s->vector != NULL && s->value != NULL && s->beta != NULL &&
                   s->g != NULL && s->phi != NULL
               ? NND_OK
               : nnd_fail_memory(ctx, "a student");
}

static void clear(student *s) {
    free(s->x);
    free(s->vector);
    free(s->value);
    free(s->beta);
    free(s->g);
    free(s->phi);
}

/* C = factor A B^(T), row-major. */
static void multiply(size_t rows, size_t cols, size_t inner, double factor, const double *a,
                     const double *b, bool transposed, double *c) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, (int)rows,
                (int)cols, (int)inner, factor, a, (int)inner, b,
                transposed ? (int)inner : (int)cols, 0.0, c, (int)cols);
}

/* What the parameters see: Psi F^T; of the population sqrt Lambda F^T. */
static void fill_inputs(const student *s) {
    size_t m = s->task->modes, n = s->params;
    if (s->psi != NULL && s->f != NULL)
        multiply(s->task->samples, n, m, 1.0, s->psi, s->f, true, s->x);
    else if (s->psi != NULL)
        memcpy(s->x, s->psi, s->task->samples * m * sizeof(double));
    else
        for (size_t k = 0; k < m; k++)
            for (size_t i = 0; i < n; i++)
                s->x[k * n + i] = s->task->deviation[k] * s->f[i * m + k];
}

static nnd_status solve(nnd_context *ctx, const student *s) {
    size_t samples = s->task->samples, rows = samples > 0 ? samples : s->task->modes;
    double factor = samples > 0 ? 1.0 / (double)samples : 1.0;
    int rank = (int)s->rank, n = (int)s->params;
    cblas_dsyrk(CblasRowMajor, CblasLower, s->of_samples ? CblasNoTrans : CblasTrans, rank,
                s->of_samples ? n : (int)rows, factor, s->x, n, 0.0, s->vector, rank);
    if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', rank, s->vector, rank, s->value) != 0)
        return nnd_fail(ctx, NND_E_UNSOLVED, "a training kernel has no spectrum");
    return NND_OK;
}

/* beta and g of K: U^T y, and U^T X F/P. */
static void lead_samples(const student *s, double *work) {
    size_t p = s->rank, n = s->params, m = s->task->modes;
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)p, (int)p, 1.0, s->vector, (int)p, s->y, 1, 0.0,
                s->beta, 1);
    multiply(p, n, p, 1.0 / (double)p, s->vector, s->x, false, s->f != NULL ? work : s->g);
    if (s->f != NULL)
        multiply(p, m, n, 1.0, work, s->f, false, s->g);
}

/* beta and g of H: U^T b, and U^T F. */
static void lead_parameters(const student *s, double *b) {
    size_t samples = s->task->samples, n = s->params, m = s->task->modes;
    size_t rows = samples > 0 ? samples : m;
    memset(b, 0, n * sizeof *b);
    for (size_t i = 0; i < rows; i++) {
        double y = samples > 0 ? s->y[i] / (double)samples : s->task->deviation[i] * s->task->w[i];
        cblas_daxpy((int)n, y, s->x + i * n, 1, b, 1);
    }
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)n, (int)n, 1.0, s->vector, (int)n, b, 1, 0.0,
                s->beta, 1);
    if (s->f != NULL)
        multiply(n, m, n, 1.0, s->vector, s->f, false, s->g);
    else
        memcpy(s->g, s->vector, n * m * sizeof(double));
}

/* Along each eigenvector, what the outputs on the samples have of the targets: |y|^2/P is this and
 * a rest that no parameter changes. */
static double training_power(const student *s, size_t k) {
    double beta2 = s->beta[k] * s->beta[k];
    return s->of_samples ? beta2 / (double)s->rank : beta2 / s->value[k];
}

static void fill_train(const student *s, const nnd_scaling_errors *e, double *train) {
    size_t p = s->task->samples;
    double least = RANK_TOLERANCE * s->value[s->rank - 1];
    double rest = cblas_ddot((int)p, s->y, 1, s->y, 1) / (double)p;
    for (size_t k = 0; k < s->rank; k++)
        rest -= s->value[k] > least ? training_power(s, k) : 0.0;
    for (size_t i = 0; i < e->times; i++)
        train[i] = fmax(rest, 0.0);
    for (size_t k = 0; k < s->rank; k++) {
        if (!(s->value[k] > least))
            continue;
        double power = training_power(s, k);
        for (size_t i = 0; i < e->times; i++) {
            double left = nnd_scaling_left(s->task->params, s->value[k], e->time[i]);
            train[i] += power * left * left;
        }
    }
}

static void fill_errors(const student *s, const nnd_scaling_errors *e, double *v) {
    const nnd_scaling_task *task = s->task;
    double least = RANK_TOLERANCE * s->value[s->rank - 1];
    for (size_t i = 0; i < e->times; i++)
        for (size_t k = 0; k < s->rank; k++)
            s->phi[i * s->rank + k] =
                s->value[k] > least
                    ? s->beta[k] * nnd_scaling_learned(task->params, s->value[k], e->time[i])
                    : 0.0;
    multiply(e->times, task->modes, s->rank, -1.0, s->phi, s->g, false, v);
    for (size_t i = 0; i < e->times; i++)
        for (size_t k = 0; k < task->modes; k++)
            v[i * task->modes + k] = task->deviation[k] * (task->w[k] + v[i * task->modes + k]);
}

/* The one student of all features and the whole population. */
static void train_exact(const nnd_scaling_task *task, nnd_scaling_errors *e) {
    e->top = 0.0;
    for (size_t k = 0; k < task->modes; k++)
        e->top = nnd_largest(e->top, task->lambda[k]);
    for (size_t i = 0; i < e->times; i++)
        for (size_t k = 0; k < task->modes; k++)
            e->v[0][i * task->modes + k] =
                task->deviation[k] * task->w[k] *
                nnd_scaling_left(task->params, task->lambda[k], e->time[i]);
}

static nnd_status train_one(nnd_context *ctx, student *s, size_t number, nnd_scaling_errors *e) {
    const nnd_scaling_task *task = s->task;
    size_t i = number / task->sets, j = number % task->sets;
    s->f = task->a[i];
    s->psi = task->psi[j];
    s->y = task->y[j];
    double *work = malloc(s->rank * s->params * sizeof *work);
    if (work == NULL)
        return nnd_fail_memory(ctx, "a student");
    fill_inputs(s);
    nnd_status status = solve(ctx, s);
    if (status == NND_OK) {
        if (s->of_samples)
            lead_samples(s, work);
        else
            lead_parameters(s, work);
        fill_errors(s, e, e->v[number]);
        if (s->psi != NULL)
            fill_train(s, e, e->train[number]);
        e->top += s->value[s->rank - 1] / (double)e->students;
    }
    free(work);
    return status;
}

static nnd_status train_drawn(nnd_context *ctx, const nnd_scaling_task *task,
                              nnd_scaling_errors *e) {
    student s;
    nnd_status status = make(ctx, task, e->times, &s);
    e->top = 0.0;
    for (size_t number = 0; status == NND_OK && number < e->students; number++)
        status = nnd_context_interrupted(ctx)
                     ? nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted between students")
                     : train_one(ctx, &s, number, e);
    clear(&s);
    return status;
}

nnd_status nnd_scaling_train_spectral(nnd_context *ctx, const nnd_scaling_task *task,
                                      nnd_scaling_errors *e) {
    bool exact = task->width == 0 && task->samples == 0;
    nnd_status status = NND_OK;
    e->diverged_at = NAN;
    if (exact)
        train_exact(task, e);
    else
        status = train_drawn(ctx, task, e);
    for (size_t s = 0; status == NND_OK && task->samples == 0 && s < e->students; s++)
        for (size_t i = 0; i < e->times; i++)
            e->train[s][i] = nnd_scaling_test_mse(task, e, s, i);
    e->recorded = 0;
    while (status == NND_OK && e->recorded < e->times &&
           !nnd_scaling_check_divergence(task, e, e->recorded))
        e->recorded++;
    return status;
}
