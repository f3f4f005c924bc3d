/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/many_outputs_network.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/streams.h"

/* Samples that are drawn at once. */
enum { CHUNK = 256 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* ---- counts ---- */

static size_t rounded(double ratio, size_t size) {
    return (size_t)floor(ratio * (double)size + 0.5);
}

nnd_outputs_shape nnd_outputs_shape_at(const nnd_many_outputs *p, size_t size) {
    nnd_outputs_scales s = nnd_many_outputs_scales(p);
    size_t n = size > 0 ? size : p->width != NND_ABSENT ? (size_t)p->width : 0;
    nnd_outputs_shape shape = {n, rounded(s.c, n), rounded(s.d, n), 0};
    if (p->inputs != NND_ABSENT && (p->variant == NND_WIDE || size == 0)) {
        shape.outputs = (size_t)p->outputs;
        shape.inputs = (size_t)p->inputs;
    }
    if (isfinite(p->p))
        shape.samples = rounded(p->p, n);
    return shape;
}

size_t nnd_outputs_copies(const nnd_many_outputs *p, const nnd_outputs_shape *shape, size_t k) {
    size_t room = smaller(shape->outputs, shape->inputs), modes = nnd_many_outputs_modes(p);
    size_t all = room > p->spikes.count ? room - p->spikes.count : 0; /* spikes take the rest */
    double n = (double)shape->width, before = 0.0;
    if (p->target.weights.count == 0) /* all alike */
        return (k + 1) * all / modes - k * all / modes;
    for (size_t i = 0; i < k; i++)
        before += p->target.weights.value[i];
    double weight = p->target.weights.value[k];
    return smaller((size_t)floor((before + weight) * n + 0.5), all) -
           smaller((size_t)floor(before * n + 0.5), all);
}

/* ---- room ---- */

double nnd_outputs_network_bytes(const nnd_many_outputs *p, size_t size) {
    nnd_outputs_shape s = nnd_outputs_shape_at(p, size);
    double n = (double)s.width, c = (double)s.outputs, d = (double)s.inputs, m = fmin(c, d);
    double both = p->variant == NND_FIXED_READOUT ? 1.0 : 2.0;
    double numbers = n * (both * c + d) + 3.0 * c * d;
    if (s.samples > 0)
        numbers += d * d + c * d + CHUNK * (c + d);
    if (p->variant == NND_ALIGNED)
        numbers += n * m + c * d + m * (c + d);
    return numbers * sizeof(double);
}

nnd_status nnd_outputs_network_make(nnd_context *ctx, const nnd_many_outputs *p, size_t size,
                                    nnd_outputs_network *net) {
    nnd_outputs_scales s = nnd_many_outputs_scales(p);
    nnd_outputs_shape shape = nnd_outputs_shape_at(p, size);
    size_t n = shape.width, c = shape.outputs, d = shape.inputs;
    double rate = p->integrator == NND_GRADIENT_FLOW ? 1.0 : nnd_many_outputs_rate(p);
    *net = (nnd_outputs_network){.params = p,
                                 .shape = shape,
                                 .gamma = s.gamma,
                                 .rate_w = rate,
                                 .rate_a = rate * p->lr_ratio};
    if (p->variant == NND_FIXED_READOUT)
        net->rate_a = 0.0;
    net->a = calloc(c * n, sizeof(double));
    net->w = calloc(n * d, sizeof(double));
    net->target = calloc(c * d, sizeof(double));
    net->error = calloc(c * d, sizeof(double));
    net->gradient = calloc(c * d, sizeof(double));
    if (net->rate_a > 0.0)
        net->old_a = calloc(c * n, sizeof(double));
    bool made = net->a != NULL && (net->rate_a == 0.0 || net->old_a != NULL) && net->w != NULL &&
                net->target != NULL && net->error != NULL && net->gradient != NULL;
    if (made && shape.samples > 0) {
        net->second = calloc(d * d, sizeof(double));
        net->noise = calloc(c * d, sizeof(double));
        net->chunk = calloc(CHUNK * d, sizeof(double));
        net->labels = calloc(CHUNK * c, sizeof(double));
        made =
            net->second != NULL && net->noise != NULL && net->chunk != NULL && net->labels != NULL;
    }
    return made ? NND_OK : nnd_fail_memory(ctx, "a network");
}

void nnd_outputs_network_clear(nnd_outputs_network *net) {
    free(net->a);
    free(net->old_a);
    free(net->w);
    free(net->target);
    free(net->error);
    free(net->gradient);
    free(net->second);
    free(net->noise);
    free(net->chunk);
    free(net->labels);
    *net = (nnd_outputs_network){0};
}

/* ---- draws ---- */

/* Row by row, so that the rows of a matrix do not depend on how many there are. */
static void draw_matrix(nnd_rng_key key, uint32_t stream, size_t rows, size_t cols, double sd,
                        double *x) {
    for (size_t i = 0; i < rows; i++)
        nnd_rng_normals(key, stream, i, cols, x + i * cols);
    cblas_dscal((int)(rows * cols), sd, x, 1);
}

/* W_* = sqrt(tau^2/D) Z + S. Everything else is isotropic: the singular vectors of S are axes. */
static void draw_target(nnd_outputs_network *net, nnd_rng_key key) {
    const nnd_many_outputs *p = net->params;
    size_t c = net->shape.outputs, d = net->shape.inputs, at = 0;
    draw_matrix(key, NND_STREAM_MANY_OUTPUTS_TARGET, c, d, sqrt(p->tau2 / (double)d), net->target);
    for (size_t k = 0; k < nnd_many_outputs_modes(p); k++)
        for (size_t i = nnd_outputs_copies(p, &net->shape, k); i > 0; i--, at++)
            net->target[at * d + at] += nnd_many_outputs_mode(p, k);
    for (size_t k = 0; k < p->spikes.count; k++, at++)
        net->target[at * d + at] += p->spikes.value[k];
}

/* X X^T/P, noise X^T/P and |noise|^2/P, some samples at a time. */
static void draw_samples(nnd_outputs_network *net, nnd_rng_key key) {
    size_t c = net->shape.outputs, d = net->shape.inputs, samples = net->shape.samples;
    double part = 1.0 / (double)samples, sd = sqrt(net->params->label_noise);
    memset(net->second, 0, d * d * sizeof(double));
    memset(net->noise, 0, c * d * sizeof(double));
    net->noise2 = 0.0;
    for (size_t first = 0; first < samples; first += CHUNK) {
        size_t count = smaller(CHUNK, samples - first);
        for (size_t i = 0; i < count; i++) {
            nnd_rng_normals(key, NND_STREAM_MANY_OUTPUTS_INPUTS, first + i, d, net->chunk + i * d);
            nnd_rng_normals(key, NND_STREAM_MANY_OUTPUTS_NOISE, first + i, c, net->labels + i * c);
        }
        cblas_dscal((int)(count * c), sd, net->labels, 1);
        net->noise2 += part * cblas_ddot((int)(count * c), net->labels, 1, net->labels, 1);
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)d, (int)count, part, net->chunk,
                    (int)d, 1.0, net->second, (int)d);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)c, (int)d, (int)count, part,
                    net->labels, (int)c, net->chunk, (int)d, 1.0, net->noise, (int)d);
    }
}

/* Orthonormal columns of q (rows x cols, rows >= cols), from the QR factors of a normal matrix;
 * scratch: cols numbers. */
static lapack_int draw_basis(nnd_rng_key key, size_t rows, size_t cols, double *q,
                             double *scratch) {
    lapack_int m = (lapack_int)rows, n = (lapack_int)cols;
    draw_matrix(key, NND_STREAM_MANY_OUTPUTS_BASIS, rows, cols, 1.0, q);
    lapack_int info = LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, m, n, q, n, scratch);
    return info == 0 ? LAPACKE_dorgqr(LAPACK_ROW_MAJOR, m, n, n, q, n, scratch) : info;
}

/* A = U a R^T, W = R w V^T with the singular vectors U, V of W_*, and R^T R = 1. */
static nnd_status start_aligned(nnd_context *ctx, nnd_outputs_network *net, nnd_rng_key key) {
    size_t n = net->shape.width, c = net->shape.outputs, d = net->shape.inputs, m = smaller(c, d);
    double *copy = malloc(c * d * sizeof(double)), *u = malloc(c * m * sizeof(double));
    double *v = malloc(m * d * sizeof(double)), *r = malloc(n * m * sizeof(double));
    double *s = malloc(2 * m * sizeof(double));
    nnd_status status = NND_OK;
    if (copy == NULL || u == NULL || v == NULL || r == NULL || s == NULL) {
        status = nnd_fail_memory(ctx, "an aligned network");
    } else {
        memcpy(copy, net->target, c * d * sizeof(double));
        lapack_int info = LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (lapack_int)c, (lapack_int)d, copy,
                                         (lapack_int)d, s, u, (lapack_int)m, v, (lapack_int)d);
        if (info == 0)
            info = draw_basis(key, n, m, r, s + m);
        if (info != 0)
            status = nnd_fail(ctx, NND_E_UNSOLVED, "no singular values of a target");
    }
    if (status == NND_OK) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)c, (int)n, (int)m,
                    net->params->start.a, u, (int)m, r, (int)m, 0.0, net->a, (int)n);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)d, (int)m,
                    net->params->start.w, r, (int)m, v, (int)d, 0.0, net->w, (int)d);
    }
    free(copy);
    free(u);
    free(v);
    free(r);
    free(s);
    return status;
}

nnd_status nnd_outputs_network_draw(nnd_context *ctx, nnd_outputs_network *net, nnd_rng_key key) {
    const nnd_many_outputs *p = net->params;
    size_t n = net->shape.width, c = net->shape.outputs, d = net->shape.inputs;
    nnd_status status = NND_OK;
    draw_target(net, key);
    if (net->shape.samples > 0)
        draw_samples(net, key);
    if (p->variant == NND_ALIGNED) {
        status = start_aligned(ctx, net, key);
    } else {
        draw_matrix(key, NND_STREAM_MANY_OUTPUTS_WEIGHTS, n, d, sqrt(p->sigma2 / (double)n),
                    net->w);
        draw_matrix(key, NND_STREAM_MANY_OUTPUTS_READOUT, c, n, sqrt(p->readout2 / (double)n),
                    net->a);
    }
    if (status == NND_OK)
        nnd_outputs_network_evaluate(net);
    return status;
}

/* ---- descent ---- */

/* many-outputs.md#s1: E = gamma W_* - A W, and E X X^T/P + gamma noise X^T/P in its place where
 * samples are finite. */
void nnd_outputs_network_evaluate(nnd_outputs_network *net) {
    size_t n = net->shape.width, c = net->shape.outputs, d = net->shape.inputs;
    for (size_t i = 0; i < c * d; i++)
        net->error[i] = net->gamma * net->target[i];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)c, (int)d, (int)n, -1.0, net->a,
                (int)n, net->w, (int)d, 1.0, net->error, (int)d);
    if (net->second == NULL) {
        memcpy(net->gradient, net->error, c * d * sizeof(double));
        return;
    }
    memcpy(net->gradient, net->noise, c * d * sizeof(double));
    cblas_dsymm(CblasRowMajor, CblasRight, CblasUpper, (int)c, (int)d, 1.0, net->second, (int)d,
                net->error, (int)d, net->gamma, net->gradient, (int)d);
}

void nnd_outputs_network_step(nnd_outputs_network *net) {
    int n = (int)net->shape.width, c = (int)net->shape.outputs, d = (int)net->shape.inputs;
    if (net->old_a != NULL) { /* both layers see each other as they were */
        cblas_dcopy(c * n, net->a, 1, net->old_a, 1);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, c, n, d, net->rate_a, net->gradient, d,
                    net->w, d, 1.0, net->a, n);
    }
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, d, c, net->rate_w,
                net->old_a != NULL ? net->old_a : net->a, n, net->gradient, d, 1.0, net->w, d);
    nnd_outputs_network_evaluate(net);
}

static double dot(const nnd_outputs_network *net, const double *x, const double *y) {
    return cblas_ddot((int)(net->shape.outputs * net->shape.inputs), x, 1, y, 1);
}

double nnd_outputs_network_risk(const nnd_outputs_network *net) {
    return dot(net, net->error, net->error) /
           (net->gamma * net->gamma * (double)net->shape.outputs);
}

/* |y - f|^2 = |E X/gamma + noise|^2: of samples, the gradient G = E X X^T/P + gamma noise X^T/P
 * gives E . G = |E X|^2/P + gamma E . noise X^T/P. */
double nnd_outputs_network_loss(const nnd_outputs_network *net) {
    double gamma = net->gamma, square = dot(net, net->error, net->gradient) / (gamma * gamma);
    if (net->second == NULL)
        return 0.5 * square;
    return 0.5 * (square + dot(net, net->error, net->noise) / gamma + net->noise2);
}
