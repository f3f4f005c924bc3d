/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/kpm.h"

#include <cblas.h>
#include <fftw3.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/statistics.h"
#include "core/streams.h"

/* Probes that share a product: its speed is that of a product of matrices. */
enum { BLOCK = 16 };

/* ---- moments ---- */

/* T_(k+1) = 2 y T_k - T_(k-1) of a block of probes, y = (A - centre)/half. */
typedef struct {
    const nnd_kpm_task *task;
    nnd_kpm *kpm;
    size_t first, count;
    double *last, *now; /* count x n: T_(k-1), T_k; then T_k, T_(k+1) */
    double *product;
} recursion;

static double half_width(const nnd_kpm_task *t) {
    return 0.5 * (t->upper - t->lower);
}

/* scale y now - subtract last, in the place of `last`; then they change places. */
static void advance(recursion *r, double scale, double subtract) {
    double a = half_width(r->task), b = 0.5 * (r->task->upper + r->task->lower);
    r->task->apply(r->task->data, r->count, r->now, r->product);
    for (size_t i = 0; i < r->count * r->task->n; i++)
        r->last[i] = scale / a * (r->product[i] - b * r->now[i]) - subtract * r->last[i];
    double *swap = r->last;
    r->last = r->now;
    r->now = swap;
}

/* mu_(2k) = 2 <t_k, t_k> - mu_0, mu_(2k+1) = 2 <t_(k+1), t_k> - mu_1, for each probe. */
static void record(const recursion *r, size_t order, const double *a, const double *b) {
    int n = (int)r->task->n;
    if (order >= r->kpm->moments)
        return;
    for (size_t i = 0; i < r->count; i++) {
        double *moment = r->kpm->moment + (r->first + i) * r->kpm->moments;
        double dot = cblas_ddot(n, a + i * r->task->n, 1, b + i * r->task->n, 1) / n;
        moment[order] = order < 2 ? dot : 2.0 * dot - moment[order % 2];
    }
}

/* Signs, one for each bit. */
static void draw_probe(const nnd_kpm_task *t, size_t probe, double *x) {
    uint64_t word = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (i % 64 == 0)
            nnd_rng_words((nnd_rng_key){t->seed, probe, t->n}, NND_STREAM_SPECTRUM_PROBES, i / 64,
                          1, &word);
        x[i] = (word >> (i % 64) & 1) != 0 ? 1.0 : -1.0;
    }
}

static nnd_status run_block(nnd_context *ctx, size_t block, void *data) {
    recursion r = *(const recursion *)data;
    size_t n = r.task->n;
    r.first = block * BLOCK;
    r.count = r.kpm->probes - r.first < BLOCK ? r.kpm->probes - r.first : BLOCK;
    double *room = calloc(3 * r.count * n, sizeof *room);
    if (room == NULL)
        return nnd_fail_memory(ctx, "probes of a spectrum");
    r.now = room;
    r.last = room + r.count * n;
    r.product = room + 2 * r.count * n;
    for (size_t i = 0; i < r.count; i++)
        draw_probe(r.task, r.first + i, r.now + i * n);
    record(&r, 0, r.now, r.now);
    nnd_status status = NND_OK;
    for (size_t k = 0; 2 * k + 1 < r.kpm->moments && status == NND_OK; k++) {
        advance(&r, k == 0 ? 1.0 : 2.0, k == 0 ? 0.0 : 1.0);
        record(&r, 2 * k + 1, r.now, r.last);
        record(&r, 2 * k + 2, r.now, r.now);
        if (nnd_context_interrupted(ctx))
            status = nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at moment %zu", 2 * k);
    }
    free(room);
    return status;
}

/* |mu_k| <= 1 for eigenvalues within the ends. */
static nnd_status check_moments(nnd_context *ctx, const nnd_kpm *kpm) {
    for (size_t i = 0; i < kpm->probes * kpm->moments; i++)
        if (!(fabs(kpm->moment[i]) <= 1.0 + 1e-9))
            return nnd_fail(ctx, NND_E_UNSOLVED,
                            "an eigenvalue is beyond %g and %g, between which they were said to be",
                            kpm->lower, kpm->upper);
    return NND_OK;
}

/* Jackson's kernel: [(K'-k) cos(pi k/K') + sin(pi k/K') cot(pi/K')]/K', K' = moments + 1. */
static double jackson(size_t moments, size_t k) {
    double all = (double)moments + 1.0, x = M_PI * (double)k / all;
    return ((all - (double)k) * cos(x) + sin(x) / tan(M_PI / all)) / all;
}

nnd_status nnd_kpm_run(nnd_context *ctx, const nnd_kpm_task *task, nnd_kpm *kpm) {
    *kpm = (nnd_kpm){task->lower, task->upper, task->moments, task->probes, NULL, NULL};
    if (task->n == 0 || task->moments < 2 || task->probes == 0 || !(task->lower < task->upper) ||
        !isfinite(task->upper - task->lower))
        return nnd_fail(ctx, NND_E_INPUT,
                        "%zu moments, %zu probes, ends %g and %g; allowed: at least 2 and 1, the "
                        "lower end below the upper one",
                        task->moments, task->probes, task->lower, task->upper);
    kpm->moment = calloc((task->probes + 1) * task->moments, sizeof *kpm->moment);
    if (kpm->moment == NULL)
        return nnd_fail_memory(ctx, "moments of a spectrum");
    kpm->damping = kpm->moment + task->probes * task->moments;
    for (size_t k = 0; k < task->moments; k++)
        kpm->damping[k] = jackson(task->moments, k);
    recursion shared = {.task = task, .kpm = kpm};
    nnd_status status = nnd_parallel(ctx, nnd_context_threads(ctx),
                                     (task->probes + BLOCK - 1) / BLOCK, run_block, &shared);
    if (status == NND_OK)
        status = check_moments(ctx, kpm);
    if (status != NND_OK)
        nnd_kpm_clear(kpm);
    return status;
}

void nnd_kpm_clear(nnd_kpm *kpm) {
    free(kpm->moment);
    *kpm = (nnd_kpm){0};
}

/* ---- curves ---- */

/* At y = cos(theta), of one probe: c_0 + 2 sum c_k cos(k theta), c_0 theta + 2 sum c_k sin(k
 * theta)/k with damped moments c. */
static void sum_up(const nnd_kpm *kpm, size_t probe, double theta, double *cosines, double *sines) {
    const double *moment = kpm->moment + probe * kpm->moments;
    double x = cos(theta), y = sin(theta), cosine = 1.0, sine = 0.0;
    *cosines = moment[0];
    *sines = moment[0] * theta;
    for (size_t k = 1; k < kpm->moments; k++) {
        double turned = cosine * x - sine * y, c = 2.0 * kpm->damping[k] * moment[k];
        sine = sine * x + cosine * y;
        cosine = turned;
        *cosines += c * cosine;
        *sines += c * sine / (double)k;
    }
}

void nnd_kpm_at(const nnd_kpm *kpm, double z, double *density, double *share) {
    double a = 0.5 * (kpm->upper - kpm->lower), sum[4] = {0.0}, count = (double)kpm->probes;
    double theta = acos(fmax(-1.0, fmin(1.0, (z - 0.5 * (kpm->upper + kpm->lower)) / a)));
    double inside = z > kpm->lower && z < kpm->upper ? 1.0 / (M_PI * a * sin(theta)) : 0.0;
    for (size_t p = 0; p < kpm->probes; p++) {
        double cosines, sines;
        sum_up(kpm, p, theta, &cosines, &sines);
        double x = inside * cosines, y = 1.0 - sines / M_PI;
        sum[0] += x / count;
        sum[1] += x * x / count;
        sum[2] += y / count;
        sum[3] += y * y / count;
    }
    density[0] = sum[0];
    density[1] = sqrt(fmax(0.0, sum[1] - sum[0] * sum[0]) / (count - 1.0));
    share[0] = sum[2];
    share[1] = sqrt(fmax(0.0, sum[3] - sum[2] * sum[2]) / (count - 1.0));
}

/* Transforms at theta_j = pi (j + 1/2)/count, of one probe after the other. */
typedef struct {
    size_t count;
    double *cosine, *sine;
    fftw_plan cosine_plan, sine_plan;
} transforms;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void transforms_clear(transforms *t) {
    if (t->cosine_plan != NULL)
        fftw_destroy_plan(t->cosine_plan);
    if (t->sine_plan != NULL)
        fftw_destroy_plan(t->sine_plan);
    fftw_free(t->cosine);
    fftw_free(t->sine);
}

static nnd_status transforms_make(nnd_context *ctx, size_t count, transforms *t) {
    pthread_once(&once, fftw_make_planner_thread_safe);
    *t = (transforms){
        .count = count, .cosine = fftw_alloc_real(count), .sine = fftw_alloc_real(count)};
    if (t->cosine != NULL && t->sine != NULL) {
        t->cosine_plan =
            fftw_plan_r2r_1d((int)count, t->cosine, t->cosine, FFTW_REDFT01, FFTW_ESTIMATE);
        t->sine_plan = fftw_plan_r2r_1d((int)count, t->sine, t->sine, FFTW_RODFT01, FFTW_ESTIMATE);
    }
    if (t->cosine_plan != NULL && t->sine_plan != NULL)
        return NND_OK;
    return nnd_fail_memory(ctx, "a cosine transform");
}

/* The same two sums, with the first `used` moments. FFTW: x_0 + 2 sum_(k>=1) x_k cos(k theta_j),
 * and 2 sum_(k>=1) x_(k-1) sin(k theta_j). */
static void transform(const transforms *t, const nnd_kpm *kpm, size_t used, size_t probe) {
    const double *moment = kpm->moment + probe * kpm->moments;
    for (size_t k = 0; k < t->count; k++) {
        double c = k < used ? jackson(used, k) * moment[k] : 0.0;
        t->cosine[k] = c;
        if (k > 0)
            t->sine[k - 1] = c / (double)k;
    }
    t->sine[t->count - 1] = 0.0;
    fftw_execute(t->cosine_plan);
    fftw_execute(t->sine_plan);
}

/* Means and standard errors of rows of each probe. */
static void reduce(size_t probes, size_t count, const double *each, double *mean, double *se) {
    for (size_t i = 0; i < count; i++) {
        nnd_estimate e = nnd_mean(probes, each + i, count);
        mean[i] = e.value;
        se[i] = e.se;
    }
}

static void fill(const nnd_kpm *kpm, size_t used, const transforms *t, nnd_kpm_curve *curve,
                 double *density, double *share) {
    size_t n = curve->count;
    double a = 0.5 * (kpm->upper - kpm->lower), b = 0.5 * (kpm->upper + kpm->lower);
    for (size_t p = 0; p < kpm->probes; p++) {
        transform(t, kpm, used, p);
        double zeroth = kpm->moment[p * kpm->moments];
        for (size_t j = 0; j < n; j++) {
            /* Ascending in z: theta from pi down. */
            size_t at = n - 1 - j;
            double theta = M_PI * ((double)at + 0.5) / (double)n;
            curve->z[j] = b + a * cos(theta);
            density[p * n + j] = t->cosine[at] / (M_PI * a * sin(theta));
            share[p * n + j] = 1.0 - (zeroth * theta + t->sine[at]) / M_PI;
        }
    }
    reduce(kpm->probes, n, density, curve->density, curve->density_se);
    reduce(kpm->probes, n, share, curve->share, curve->share_se);
}

static nnd_status curve_room(nnd_context *ctx, size_t count, nnd_kpm_curve *curve) {
    *curve = (nnd_kpm_curve){.count = count, .z = calloc(5 * count, sizeof(double))};
    if (curve->z == NULL)
        return nnd_fail_memory(ctx, "a density");
    curve->density = curve->z + count;
    curve->density_se = curve->z + 2 * count;
    curve->share = curve->z + 3 * count;
    curve->share_se = curve->z + 4 * count;
    return NND_OK;
}

nnd_status nnd_kpm_curve_make(nnd_context *ctx, const nnd_kpm *kpm, size_t used, size_t count,
                              nnd_kpm_curve *curve) {
    transforms t = {0};
    double *density = calloc(kpm->probes * count, sizeof *density);
    double *share = calloc(kpm->probes * count, sizeof *share);
    nnd_status status = curve_room(ctx, count, curve);
    if (status == NND_OK && (density == NULL || share == NULL))
        status = nnd_fail_memory(ctx, "a density");
    if (status == NND_OK && (used < 2 || used > kpm->moments || count < used))
        status =
            nnd_fail(ctx, NND_E_INPUT,
                     "%zu of %zu moments at %zu points; allowed: 2 to all of them, and as many "
                     "points",
                     used, kpm->moments, count);
    if (status == NND_OK)
        status = transforms_make(ctx, count, &t);
    if (status == NND_OK)
        fill(kpm, used, &t, curve, density, share);
    else
        nnd_kpm_curve_clear(curve);
    transforms_clear(&t);
    free(density);
    free(share);
    return status;
}

void nnd_kpm_curve_clear(nnd_kpm_curve *curve) {
    free(curve->z);
    *curve = (nnd_kpm_curve){0};
}
