/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Students trained by SGD, step by step: theta += (eta/B) F psi^T (y - psi F^T theta) on a batch of
 * B samples, F = A/sqrt N or 1. Batches of one-pass are fresh, and shared by students with the same
 * data; those of mini-batch are B different ones of the P samples, each student in an order of its
 * own.
 */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"
#include "validate/scaling_students.h"

typedef struct {
    const nnd_scaling_task *task;
    nnd_rng_key key;
    double rate;                             /* eta/B */
    size_t params;                           /* N or M */
    double *theta[NND_SCALING_STUDENTS];     /* params */
    double *predictor[NND_SCALING_STUDENTS]; /* M: F^T theta */
    /* one-pass */
    double *psi[2], *y[2]; /* batches: B x M, B */
    double *residual, *gradient;
    /* mini-batch */
    double *x[NND_SCALING_STUDENTS];     /* P x params: what the parameters see */
    size_t *order[NND_SCALING_STUDENTS]; /* P: the samples, the batch first */
    uint64_t *word;
} descent;

static bool is_one_pass(const nnd_scaling_task *task) {
    return task->params->training == NND_SCALING_ONE_PASS;
}

static bool make_batches(descent *d) {
    const nnd_scaling_task *t = d->task;
    bool done = true;
    for (size_t j = 0; j < 2; j++) {
        d->psi[j] = malloc(t->batch * t->modes * sizeof(double));
        d->y[j] = malloc(t->batch * sizeof(double));
        done = done && d->psi[j] != NULL && d->y[j] != NULL;
    }
    return done;
}

static bool make_samples(descent *d, size_t s) {
    const nnd_scaling_task *t = d->task;
    d->x[s] = malloc(t->samples * d->params * sizeof(double));
    d->order[s] = malloc(t->samples * sizeof(size_t));
    return d->x[s] != NULL && d->order[s] != NULL;
}

static nnd_status make(nnd_context *ctx, const nnd_scaling_task *t, size_t students, descent *d) {
    *d = (descent){.task = t, .params = t->width > 0 ? t->width : t->modes};
    d->rate = t->params->lr / (double)t->batch;
    d->residual = malloc(t->batch * sizeof(double));
    d->gradient = malloc(t->modes * sizeof(double));
    d->word = malloc(t->batch * sizeof(uint64_t));
    bool done = d->residual != NULL && d->gradient != NULL && d->word != NULL;
    for (size_t s = 0; done && s < students; s++) {
        d->theta[s] = calloc(d->params, sizeof(double));
        d->predictor[s] = calloc(t->modes, sizeof(double));
        done = d->theta[s] != NULL && d->predictor[s] != NULL &&
               (is_one_pass(t) || make_samples(d, s));
    }
    if (done && is_one_pass(t))
        done = make_batches(d);
    return done ? NND_OK : nnd_fail_memory(ctx, "the students");
}

static void clear(descent *d) {
    for (size_t s = 0; s < NND_SCALING_STUDENTS; s++) {
        free(d->theta[s]);
        free(d->predictor[s]);
        free(d->x[s]);
        free(d->order[s]);
    }
    for (size_t j = 0; j < 2; j++) {
        free(d->psi[j]);
        free(d->y[j]);
    }
    free(d->residual);
    free(d->gradient);
    free(d->word);
}

/* ---- one pass ---- */

/* In terms of the predictor p = F^T theta alone, p += F^T F psi^T (y - psi p) eta/B. */
static void step_fresh(const descent *d, size_t s, const double *psi, const double *y) {
    const nnd_scaling_task *t = d->task;
    const double *f = t->a[s / t->sets];
    int b = (int)t->batch, m = (int)t->modes, n = (int)d->params;
    double *p = d->predictor[s], *hidden = d->theta[s];
    memcpy(d->residual, y, t->batch * sizeof(double));
    cblas_dgemv(CblasRowMajor, CblasNoTrans, b, m, -1.0, psi, m, p, 1, 1.0, d->residual, 1);
    if (f == NULL) {
        cblas_dgemv(CblasRowMajor, CblasTrans, b, m, d->rate, psi, m, d->residual, 1, 1.0, p, 1);
        return;
    }
    cblas_dgemv(CblasRowMajor, CblasTrans, b, m, d->rate, psi, m, d->residual, 1, 0.0, d->gradient,
                1);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, n, m, 1.0, f, m, d->gradient, 1, 0.0, hidden, 1);
    cblas_dgemv(CblasRowMajor, CblasTrans, n, m, 1.0, f, m, hidden, 1, 1.0, p, 1);
}

static void step_one_pass(const descent *d, size_t students, uint64_t step) {
    const nnd_scaling_task *t = d->task;
    for (size_t j = 0; j < t->sets; j++)
        nnd_scaling_draw_samples(t, d->key, step * t->sets + j, t->batch, d->psi[j], d->y[j]);
    for (size_t s = 0; s < students; s++)
        step_fresh(d, s, d->psi[s % t->sets], d->y[s % t->sets]);
}

/* ---- batches of the samples ---- */

static void begin_samples(const descent *d, size_t s) {
    const nnd_scaling_task *t = d->task;
    const double *f = t->a[s / t->sets], *psi = t->psi[s % t->sets];
    int p = (int)t->samples, m = (int)t->modes, n = (int)d->params;
    if (f != NULL)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, p, n, m, 1.0, psi, m, f, m, 0.0,
                    d->x[s], n);
    else
        memcpy(d->x[s], psi, t->samples * t->modes * sizeof(double));
    for (size_t i = 0; i < t->samples; i++)
        d->order[s][i] = i;
}

/* The first B of the order become B of the samples, every set of them as likely. */
static void shuffle(const descent *d, size_t s, uint64_t step) {
    size_t *order = d->order[s], samples = d->task->samples;
    nnd_rng_words(d->key, NND_STREAM_SCALING_ORDER + (uint32_t)s, step, d->task->batch, d->word);
    for (size_t i = 0; i < d->task->batch; i++) {
        size_t other = i + d->word[i] % (samples - i), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

static void step_samples(const descent *d, size_t s, uint64_t step) {
    const double *y = d->task->y[s % d->task->sets];
    int n = (int)d->params;
    shuffle(d, s, step);
    for (size_t i = 0; i < d->task->batch; i++) {
        size_t row = d->order[s][i];
        d->residual[i] = y[row] - cblas_ddot(n, d->x[s] + row * d->params, 1, d->theta[s], 1);
    }
    for (size_t i = 0; i < d->task->batch; i++)
        cblas_daxpy(n, d->rate * d->residual[i], d->x[s] + d->order[s][i] * d->params, 1,
                    d->theta[s], 1);
}

static void predict(const descent *d, size_t s) {
    const double *f = d->task->a[s / d->task->sets];
    int m = (int)d->task->modes, n = (int)d->params;
    if (f != NULL)
        cblas_dgemv(CblasRowMajor, CblasTrans, n, m, 1.0, f, m, d->theta[s], 1, 0.0,
                    d->predictor[s], 1);
    else
        memcpy(d->predictor[s], d->theta[s], d->params * sizeof(double));
}

static double train_mse(const descent *d, size_t s) {
    const double *y = d->task->y[s % d->task->sets];
    size_t samples = d->task->samples;
    double sum = 0.0;
    for (size_t i = 0; i < samples; i++) {
        double r = y[i] - cblas_ddot((int)d->params, d->x[s] + i * d->params, 1, d->theta[s], 1);
        sum += r * r / (double)samples;
    }
    return sum;
}

/* ---- all steps ---- */

static void record(const descent *d, nnd_scaling_errors *e, size_t i) {
    const nnd_scaling_task *t = d->task;
    for (size_t s = 0; s < e->students; s++) {
        double *v = e->v[s] + i * t->modes;
        if (!is_one_pass(t))
            predict(d, s);
        for (size_t k = 0; k < t->modes; k++)
            v[k] = t->deviation[k] * (t->w[k] - d->predictor[s][k]);
        e->train[s][i] = is_one_pass(t) ? NAN : train_mse(d, s);
    }
}

static nnd_status descend(nnd_context *ctx, descent *d, nnd_scaling_errors *e) {
    for (uint64_t step = 0;; step++) {
        if (e->time[e->recorded] == (double)step) {
            record(d, e, e->recorded);
            if (nnd_scaling_check_divergence(d->task, e, e->recorded) || ++e->recorded == e->times)
                return NND_OK;
        }
        nnd_status status = nnd_progress_step(ctx, (double)step, e->time[e->times - 1]);
        if (status != NND_OK)
            return status;
        if (is_one_pass(d->task))
            step_one_pass(d, e->students, step);
        else
            for (size_t s = 0; s < e->students; s++)
                step_samples(d, s, step);
    }
}

nnd_status nnd_scaling_train_batches(nnd_context *ctx, const nnd_scaling_task *task,
                                     nnd_rng_key key, nnd_scaling_errors *e) {
    descent d;
    nnd_status status = make(ctx, task, e->students, &d);
    d.key = key;
    e->recorded = 0;
    e->top = e->diverged_at = NAN;
    for (size_t s = 0; status == NND_OK && !is_one_pass(task) && s < e->students; s++)
        begin_samples(&d, s);
    if (status == NND_OK)
        status = descend(ctx, &d, e);
    clear(&d);
    return status;
}
