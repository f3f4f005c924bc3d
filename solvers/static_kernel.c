/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/static_kernel.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/divergence.h"
#include "nndmft/solvers/layer_kernels.h"

void nnd_divided_powers(double a, double b, size_t steps, double *v) {
    double power = 1.0;
    v[0] = 0.0;
    for (size_t t = 0; t < steps; t++) {
        v[t + 1] = a * v[t] + power;
        power *= b;
    }
}

/* The eigenbasis of the mean kernel: row k of `vector`, decay[k] = 1 - lr lambda_k/train. */
typedef struct {
    nnd_context *ctx;
    const nnd_static_kernel *k;
    size_t steps, pairs;
    double *vector, *decay, *target;
    double *divided;   /* train x train x (steps + 1) */
    double *response;  /* one time: points x pairs, what moves with each pair of the kernel */
    double *integral;  /* train x pairs: sum over s < t of the response of Delta(s) */
    double *delta;     /* train: mean at t */
    double *sum_delta; /* train: sum over s < t */
    double *product;   /* points x pairs */
} solver;

static nnd_status solver_make(solver *s) {
    size_t p = s->k->train, n = s->k->points;
    s->vector = calloc(p * p, sizeof(double));
    s->decay = calloc(p, sizeof(double));
    s->target = calloc(p, sizeof(double));
    s->divided = calloc(p * p * (s->steps + 1), sizeof(double));
    s->response = calloc(n * s->pairs, sizeof(double));
    s->integral = calloc(p * s->pairs, sizeof(double));
    s->delta = calloc(p, sizeof(double));
    s->sum_delta = calloc(p, sizeof(double));
    s->product = calloc(n * s->pairs, sizeof(double));
    bool done = s->vector != NULL && s->decay != NULL && s->target != NULL && s->divided != NULL &&
                s->response != NULL && s->integral != NULL && s->delta != NULL &&
                s->sum_delta != NULL && s->product != NULL;
    return done ? NND_OK : nnd_fail_memory(s->ctx, "training under a static kernel");
}

static void solver_clear(solver *s) {
    free(s->vector);
    free(s->decay);
    free(s->target);
    free(s->divided);
    free(s->response);
    free(s->integral);
    free(s->delta);
    free(s->sum_delta);
    free(s->product);
}

static nnd_status diagonalise(solver *s) {
    size_t p = s->k->train;
    for (size_t mu = 0; mu < p; mu++)
        for (size_t nu = 0; nu < p; nu++)
            s->vector[mu * p + nu] = s->k->ntk[nnd_pair_index(mu, nu)];
    /* Column-major: eigenvectors come out as rows. */
    if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', (lapack_int)p, s->vector, (lapack_int)p,
                       s->decay) != 0)
        return nnd_fail(s->ctx, NND_E_UNSOLVED, "the kernel has no eigenvalues");
    for (size_t k = 0; k < p; k++) {
        s->decay[k] = 1.0 - s->k->lr / (double)p * s->decay[k];
        s->target[k] = cblas_ddot((int)p, s->vector + k * p, 1, s->k->targets, 1);
    }
    for (size_t k = 0; k < p; k++)
        for (size_t l = 0; l < p; l++)
            nnd_divided_powers(s->decay[k], s->decay[l], s->steps,
                               s->divided + (k * p + l) * (s->steps + 1));
    return NND_OK;
}

/* Response of Delta_mu(t) to the kernel: dDelta = -(lr/P) sum_kl u_k (u_k dK u_l) y_l v_kl(t). */
static void respond(const solver *s, size_t t) {
    size_t p = s->k->train, times = s->steps + 1;
    double rate = s->k->lr / (double)p;
    memset(s->response, 0, p * s->pairs * sizeof(double));
    memset(s->delta, 0, p * sizeof(double));
    for (size_t k = 0; k < p; k++) {
        const double *u = s->vector + k * p;
        double *to = s->product; /* pairs: response of the k-th component */
        memset(to, 0, s->pairs * sizeof(double));
        for (size_t l = 0; l < p; l++) {
            const double *w = s->vector + l * p;
            double strength = -rate * s->target[l] * s->divided[(k * p + l) * times + t];
            for (size_t a = 0; a < p; a++)
                for (size_t b = 0; b < p; b++)
                    to[nnd_pair_index(a, b)] += strength * u[a] * w[b];
        }
        for (size_t mu = 0; mu < p; mu++) {
            cblas_daxpy((int)s->pairs, u[mu], to, 1, s->response + mu * s->pairs, 1);
            s->delta[mu] += u[mu] * pow(s->decay[k], (double)t) * s->target[k];
        }
    }
}

/* f*(t) = (lr/P) sum_(s<t) K* Delta(s), and its response. */
static void respond_at_tests(const solver *s, double *mean) {
    size_t p = s->k->train;
    double rate = s->k->lr / (double)p;
    for (size_t i = p; i < s->k->points; i++) {
        double *to = s->response + i * s->pairs;
        memset(to, 0, s->pairs * sizeof(double));
        mean[i] = 0.0;
        for (size_t mu = 0; mu < p; mu++) {
            double kernel = s->k->ntk[nnd_pair_index(i, mu)];
            mean[i] += rate * kernel * s->sum_delta[mu];
            to[nnd_pair_index(i, mu)] += rate * s->sum_delta[mu];
            cblas_daxpy((int)s->pairs, rate * kernel, s->integral + mu * s->pairs, 1, to, 1);
        }
    }
}

static bool record(const solver *s, double *mean, double *nvar, double *ncov) {
    size_t n = s->k->points, m = s->pairs, train = s->k->train;
    double limit = nnd_divergence_limit(NND_DIVERGENCE_BOUND, 0.0,
                                        nnd_half_mean_square(s->k->train, s->k->targets));
    bool sound = !nnd_has_diverged(limit, nnd_half_mean_square(s->k->train, s->delta));
    memcpy(mean, s->delta, s->k->train * sizeof(double));
    respond_at_tests(s, mean);
    cblas_dsymm(CblasRowMajor, CblasRight, CblasLower, (int)n, (int)m, 1.0, s->k->ncov, (int)m,
                s->response, (int)m, 0.0, s->product, (int)m);
    for (size_t i = 0; i < n; i++) {
        nvar[i] = cblas_ddot((int)m, s->product + i * m, 1, s->response + i * m, 1);
        sound = sound && isfinite(mean[i]) && isfinite(nvar[i]);
    }
    if (sound && ncov != NULL)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)train, (int)train, (int)m, 1.0,
                    s->product, (int)m, s->response, (int)m, 0.0, ncov, (int)train);
    return sound;
}

nnd_status nnd_static_kernel_run(nnd_context *ctx, const nnd_static_kernel *k, double *mean,
                                 double *nvar, double *ncov, size_t *sound) {
    size_t n = k->points, p = k->train;
    solver s = {
        .ctx = ctx, .k = k, .steps = k->grid->step[k->grid->count - 1], .pairs = n * (n + 1) / 2};
    *sound = 0;
    nnd_status status = solver_make(&s);
    if (status == NND_OK)
        status = diagonalise(&s);
    for (size_t i = 0; status == NND_OK && i < k->grid->count * n; i++)
        mean[i] = nvar[i] = NAN;
    for (size_t i = 0; status == NND_OK && ncov != NULL && i < k->grid->count * p * p; i++)
        ncov[i] = NAN;
    for (size_t t = 0; status == NND_OK && t <= s.steps; t++) {
        bool wanted = k->grid->step[*sound] == t;
        if (nnd_context_interrupted(ctx)) {
            status = nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at step %zu", t);
            break;
        }
        if (wanted || n > p)
            respond(&s, t);
        if (wanted && !record(&s, mean + *sound * n, nvar + *sound * n,
                              ncov != NULL ? ncov + *sound * p * p : NULL))
            status = NND_DIVERGED;
        *sound += wanted && status == NND_OK;
        cblas_daxpy((int)p, 1.0, s.delta, 1, s.sum_delta, 1);
        cblas_daxpy((int)(p * s.pairs), 1.0, s.response, 1, s.integral, 1);
    }
    for (size_t i = *sound * n; status == NND_DIVERGED && i < k->grid->count * n; i++)
        mean[i] = nvar[i] = NAN;
    solver_clear(&s);
    return status;
}
