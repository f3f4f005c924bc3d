/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/layer_kernels.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/nodes.h"
#include "solvers/gram_factor.h"
#include "solvers/pair_moments.h"

/* Nodes whose fields are held at once. */
enum { CHUNK = 1024, PANELS = 9 };

/* One layer l: its fields h^l ~ N(0, q), z^l ~ N(0, z). */
typedef struct {
    double *q;                          /* points x points */
    nnd_pair_moment *features, *slopes; /* pairs */
    double *z;                          /* pairs: Z^l */
    double *noise; /* (2 pairs)^2: covariance of (phi phi, g g) of one neuron */
} rung;

typedef struct {
    nnd_context *ctx;
    const nnd_layers *net;
    nnd_layer_kernels *out;
    size_t pairs;
    rung *layer; /* l = 0: layer 1 */
} ladder;

/* ---- the kernels, forward and backward ---- */

typedef struct {
    const nnd_layers *net;
    rung *layer;
} pair_task;

static nnd_status find_pair(nnd_context *ctx, size_t pair, void *data) {
    const pair_task *task = data;
    rung *r = task->layer;
    size_t n = task->net->points, mu = 0, nu = pair;
    while (nu > mu)
        nu -= ++mu;
    return nnd_pair_moments(ctx, task->net->activation, r->q[mu * n + mu], r->q[mu * n + nu],
                            r->q[nu * n + nu], &r->features[pair], &r->slopes[pair]);
}

static nnd_status find_moments(const ladder *s, rung *r) {
    pair_task task = {s->net, r};
    int workers = s->pairs > 3 ? nnd_context_threads(s->ctx) : 1;
    return nnd_parallel(s->ctx, workers, s->pairs, find_pair, &task);
}

static nnd_status go_forward(const ladder *s) {
    size_t n = s->net->points;
    double sigma2 = s->net->sigma_w * s->net->sigma_w;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < s->net->depth; l++) {
        rung *now = &s->layer[l];
        for (size_t mu = 0; mu < n; mu++)
            for (size_t nu = 0; nu < n; nu++)
                now->q[mu * n + nu] =
                    sigma2 * (l == 0 ? s->net->gram[mu * n + nu]
                                     : s->layer[l - 1].features[nnd_pair_index(mu, nu)].value);
        for (size_t mu = 0; mu < n; mu++)
            if (!(now->q[mu * n + mu] > 0.0))
                return nnd_fail(s->ctx, NND_E_INPUT,
                                "sample %zu has no length in layer %zu: its kernel is %g", mu, l,
                                now->q[mu * n + mu]);
        status = find_moments(s, now);
        for (size_t pair = 0; pair < s->pairs; pair++)
            s->out->phi[l * s->pairs + pair] = now->features[pair].value;
    }
    return status;
}

static void go_backward(const ladder *s) {
    double sigma2 = s->net->sigma_w * s->net->sigma_w;
    for (size_t l = s->net->depth; l-- > 0;)
        for (size_t pair = 0; pair < s->pairs; pair++) {
            double above = l + 1 < s->net->depth ? s->out->g[(l + 1) * s->pairs + pair] : 1.0;
            s->layer[l].z[pair] = sigma2 * above;
            s->out->g[l * s->pairs + pair] = s->layer[l].slopes[pair].value * sigma2 * above;
        }
}

/* ---- noise of a layer: averages of four fields ---- */

static nnd_status choose_nodes(const ladder *s, const rung *r, const double *factor, size_t rank,
                               size_t samples, uint64_t seed, uint64_t replicate,
                               nnd_nodes *nodes) {
    size_t n = s->net->points;
    double largest = 0.0;
    for (size_t mu = 0; mu < n; mu++)
        largest = fmax(largest, r->q[mu * n + mu]);
    double finest = nnd_finest_scale(s->net->activation, largest);
    if (rank == 1)
        return nnd_nodes_line(s->ctx, PANELS, finest, nodes);
    if (rank > 2) {
        s->out->sampled = true;
        return nnd_nodes_sobol(s->ctx, rank, samples, seed, replicate, nodes);
    }
    double *normal = calloc(2 * n, sizeof *normal);
    if (normal == NULL)
        return nnd_fail_memory(s->ctx, "averages of four fields");
    for (size_t mu = 0; mu < n; mu++)
        for (size_t k = 0; k < 2; k++)
            normal[2 * mu + k] = factor[mu * n + k];
    nnd_status status = nnd_nodes_plane(s->ctx, PANELS, n, normal, finest, nodes);
    free(normal);
    return status;
}

/* Fields, and products of pairs weighted by the root of the weight, of some nodes. */
typedef struct {
    double *h, *phi, *slope; /* points x CHUNK */
    double *product;         /* 2 pairs x CHUNK */
    double *data;
} chunk;

static nnd_status chunk_make(const ladder *s, chunk *c) {
    size_t fields = s->net->points * CHUNK;
    *c = (chunk){.data = malloc((3 * fields + 2 * s->pairs * CHUNK) * sizeof(double))};
    if (c->data == NULL)
        return nnd_fail_memory(s->ctx, "averages of four fields");
    c->h = c->data;
    c->phi = c->h + fields;
    c->slope = c->phi + fields;
    c->product = c->slope + fields;
    return NND_OK;
}

static void fill_chunk(const ladder *s, const double *factor, const nnd_nodes *nodes, size_t first,
                       const chunk *c) {
    size_t n = s->net->points, count = nodes->count - first < CHUNK ? nodes->count - first : CHUNK;
    memset(c->h, 0, n * CHUNK * sizeof(double));
    for (size_t mu = 0; mu < n; mu++)
        for (size_t k = 0; k < nodes->dims; k++)
            cblas_daxpy((int)count, factor[mu * n + k], nodes->x + k * nodes->count + first, 1,
                        c->h + mu * CHUNK, 1);
    nnd_activation_apply(s->net->activation, n * CHUNK, c->h, c->phi, c->slope, NULL, NULL);
    for (size_t mu = 0; mu < n; mu++)
        for (size_t nu = 0; nu <= mu; nu++) {
            double *x = c->product + nnd_pair_index(mu, nu) * CHUNK;
            double *y = x + s->pairs * CHUNK;
            for (size_t i = 0; i < CHUNK; i++) {
                double root = i < count ? sqrt(nodes->weight[first + i]) : 0.0;
                x[i] = root * c->phi[mu * CHUNK + i] * c->phi[nu * CHUNK + i];
                y[i] = root * c->slope[mu * CHUNK + i] * c->slope[nu * CHUNK + i];
            }
        }
}

/* Second moments (2 pairs)^2 of (phi phi, phi' phi'), then covariances of (phi phi, g g): z is
 * Gaussian and independent of h. */
static void close_noise(const ladder *s, rung *r) {
    size_t m = s->pairs, n = s->net->points, two = 2 * m;
    const double *z = r->z;
    for (size_t a = 0, mu = 0; mu < n; mu++)
        for (size_t nu = 0; nu <= mu; nu++, a++)
            for (size_t b = 0, rho = 0; rho < n; rho++)
                for (size_t tau = 0; tau <= rho; tau++, b++) {
                    double *ff = r->noise + a * two + b;
                    double *fg = r->noise + a * two + m + b;
                    double *gg = r->noise + (m + a) * two + m + b;
                    double wick = z[a] * z[b] +
                                  z[nnd_pair_index(mu, rho)] * z[nnd_pair_index(nu, tau)] +
                                  z[nnd_pair_index(mu, tau)] * z[nnd_pair_index(nu, rho)];
                    double pa = r->features[a].value, pb = r->features[b].value;
                    double sa = r->slopes[a].value, sb = r->slopes[b].value;
                    *ff -= pa * pb;
                    *fg = z[b] * (*fg - pa * sb);
                    *gg = *gg * wick - sa * z[a] * sb * z[b];
                    r->noise[(m + b) * two + a] = *fg;
                }
}

static nnd_status find_noise(const ladder *s, rung *r, size_t samples, uint64_t seed,
                             uint64_t replicate) {
    size_t n = s->net->points, two = 2 * s->pairs, rank = 0;
    nnd_nodes nodes = {0};
    chunk c = {0};
    double *factor = calloc(n * n, sizeof *factor);
    nnd_status status = factor != NULL ? nnd_gram_factor(s->ctx, n, r->q, factor, &rank)
                                       : nnd_fail_memory(s->ctx, "averages of four fields");
    if (status == NND_OK)
        status = choose_nodes(s, r, factor, rank, samples, seed, replicate, &nodes);
    if (status == NND_OK)
        status = chunk_make(s, &c);
    for (size_t first = 0; status == NND_OK && first < nodes.count; first += CHUNK) {
        if (nnd_context_interrupted(s->ctx)) {
            status = nnd_fail(s->ctx, NND_E_INTERRUPTED, "interrupted at node %zu", first);
            break;
        }
        fill_chunk(s, factor, &nodes, first, &c);
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, (int)two, CHUNK, 1.0, c.product, CHUNK,
                    1.0, r->noise, (int)two);
    }
    for (size_t i = 0; status == NND_OK && i < two; i++)
        for (size_t j = 0; j < i; j++)
            r->noise[i * two + j] = r->noise[j * two + i];
    if (status == NND_OK)
        close_noise(s, r);
    free(c.data);
    free(factor);
    nnd_nodes_clear(&nodes);
    return status;
}

/* ---- from the noise of all layers to covariances ---- */

/* out (pairs x pairs) += J in, where row (mu, nu) of J has what the moment of that pair says. */
static void add_response(const ladder *s, const nnd_pair_moment *moment, const double *scale,
                         const double *in, double *out) {
    size_t n = s->net->points, m = s->pairs;
    double sigma2 = s->net->sigma_w * s->net->sigma_w;
    for (size_t mu = 0; mu < n; mu++)
        for (size_t nu = 0; nu <= mu; nu++) {
            size_t a = nnd_pair_index(mu, nu);
            double strength = sigma2 * (scale != NULL ? scale[a] : 1.0);
            cblas_daxpy((int)m, strength * moment[a].d11, in + nnd_pair_index(mu, mu) * m, 1,
                        out + a * m, 1);
            if (moment[a].d22 != 0.0)
                cblas_daxpy((int)m, strength * moment[a].d22, in + nnd_pair_index(nu, nu) * m, 1,
                            out + a * m, 1);
            if (moment[a].d12 != 0.0)
                cblas_daxpy((int)m, strength * moment[a].d12, in + a * m, 1, out + a * m, 1);
        }
}

/* Response of all kernels to the noise of layer k, both parts: transfer is (2 depth pairs) x
 * (2 pairs), made of blocks pairs x pairs; `block` are depth + 1 blocks of scratch. */
static void find_transfer(const ladder *s, size_t k, double *block, double *transfer) {
    size_t m = s->pairs, depth = s->net->depth, square = m * m, two = 2 * m;
    double sigma2 = s->net->sigma_w * s->net->sigma_w;
    double *to_g = block + depth * square; /* of the layer above, then of this one */
    memset(block, 0, (depth + 1) * square * sizeof(double));
    memset(transfer, 0, 2 * depth * m * two * sizeof(double));
    for (size_t a = 0; a < m; a++)
        block[k * square + a * m + a] = 1.0;
    for (size_t l = k + 1; l < depth; l++)
        add_response(s, s->layer[l].features, NULL, block + (l - 1) * square, block + l * square);
    for (size_t l = k; l < depth; l++)
        for (size_t a = 0; a < m; a++)
            memcpy(transfer + (l * m + a) * two, block + l * square + a * m, m * sizeof(double));
    for (size_t l = depth; l-- > 0;) {
        for (size_t a = 0; a < m; a++)
            cblas_dscal((int)m, sigma2 * s->layer[l].slopes[a].value, to_g + a * m, 1);
        if (l > k)
            add_response(s, s->layer[l].slopes, s->layer[l].z, block + (l - 1) * square, to_g);
        for (size_t a = 0; a < m; a++)
            memcpy(transfer + ((depth + l) * m + a) * two, to_g + a * m, m * sizeof(double));
    }
    /* Noise of G^k passes down through the slopes alone. */
    for (size_t a = 0; a < m; a++) {
        double through = 1.0;
        for (size_t l = k + 1; l-- > 0;) {
            if (l < k)
                through *= sigma2 * s->layer[l].slopes[a].value;
            transfer[((depth + l) * m + a) * two + m + a] = through;
        }
    }
}

/* What vanishes but for rounding, such as the response of the slopes of relu, is 0. */
static void drop_rounding(size_t n, double *ncov) {
    const double rounding = 1e-13;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (i != j &&
                fabs(ncov[i * n + j]) < rounding * sqrt(ncov[i * n + i] * ncov[j * n + j]))
                ncov[i * n + j] = 0.0;
}

static nnd_status add_up(const ladder *s) {
    size_t m = s->pairs, depth = s->net->depth, all = 2 * depth * m, two = 2 * m;
    double *work = malloc(((depth + 1) * m * m + 2 * all * two) * sizeof *work);
    if (work == NULL)
        return nnd_fail_memory(s->ctx, "covariances of kernels");
    double *transfer = work + (depth + 1) * m * m, *product = transfer + all * two;
    memset(s->out->ncov, 0, all * all * sizeof(double));
    for (size_t k = 0; k < depth; k++) {
        find_transfer(s, k, work, transfer);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)all, (int)two, (int)two, 1.0,
                    transfer, (int)two, s->layer[k].noise, (int)two, 0.0, product, (int)two);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)all, (int)all, (int)two, 1.0,
                    product, (int)two, transfer, (int)two, 1.0, s->out->ncov, (int)all);
    }
    free(work);
    drop_rounding(all, s->out->ncov);
    return NND_OK;
}

/* K = sigma_w^2 sum_l G^(l+1) Phi^l with Phi^0 the inputs and G^(depth+1) = 1. Its derivatives with
 * respect to all kernels of the same pair: 2 depth x pairs. */
static void ntk_weights(const ladder *s, double *weight) {
    size_t n = s->net->points, m = s->pairs, depth = s->net->depth;
    double sigma2 = s->net->sigma_w * s->net->sigma_w;
    for (size_t mu = 0; mu < n; mu++)
        for (size_t nu = 0; nu <= mu; nu++) {
            size_t a = nnd_pair_index(mu, nu);
            for (size_t l = 0; l < depth; l++) {
                double above = l + 1 < depth ? s->out->g[(l + 1) * m + a] : 1.0;
                double below = l > 0 ? s->out->phi[(l - 1) * m + a] : s->net->gram[mu * n + nu];
                weight[l * m + a] = sigma2 * above;
                weight[(depth + l) * m + a] = sigma2 * below;
            }
        }
}

static nnd_status find_ntk(const ladder *s) {
    size_t m = s->pairs, depth = s->net->depth, all = 2 * depth * m;
    double *weight = calloc(all, sizeof *weight);
    if (weight == NULL)
        return nnd_fail_memory(s->ctx, "covariances of kernels");
    ntk_weights(s, weight);
    for (size_t a = 0; a < m; a++) {
        double ntk = weight[(2 * depth - 1) * m + a] * s->out->g[(depth - 1) * m + a];
        for (size_t l = 0; l + 1 < depth; l++)
            ntk += weight[(depth + l) * m + a] * s->out->g[l * m + a];
        s->out->ntk[a] = ntk + weight[(depth - 1) * m + a] * s->out->phi[(depth - 1) * m + a];
    }
    for (size_t a = 0; a < m; a++)
        for (size_t b = 0; b < m; b++) {
            double sum = 0.0;
            for (size_t i = 0; i < 2 * depth; i++)
                for (size_t j = 0; j < 2 * depth; j++)
                    sum += weight[i * m + a] * weight[j * m + b] *
                           s->out->ncov[(i * m + a) * all + j * m + b];
            s->out->ntk_ncov[a * m + b] = sum;
        }
    free(weight);
    return NND_OK;
}

/* ---- set-up ---- */

static nnd_status kernels_make(nnd_context *ctx, const nnd_layers *net, nnd_layer_kernels *out) {
    size_t m = net->points * (net->points + 1) / 2, all = 2 * net->depth * m;
    *out = (nnd_layer_kernels){.depth = net->depth,
                               .points = net->points,
                               .pairs = m,
                               .count = all + m + all * all + m * m};
    out->data = calloc(out->count, sizeof(double));
    if (out->data == NULL)
        return nnd_fail_memory(ctx, "covariances of kernels");
    out->phi = out->data;
    out->g = out->phi + net->depth * m;
    out->ntk = out->g + net->depth * m;
    out->ncov = out->ntk + m;
    out->ntk_ncov = out->ncov + all * all;
    return NND_OK;
}

void nnd_layer_kernels_clear(nnd_layer_kernels *kernels) {
    free(kernels->data);
    *kernels = (nnd_layer_kernels){0};
}

static nnd_status ladder_make(ladder *s) {
    size_t n = s->net->points, m = s->pairs;
    s->layer = calloc(s->net->depth, sizeof *s->layer);
    bool done = s->layer != NULL;
    for (size_t l = 0; done && l < s->net->depth; l++) {
        s->layer[l] = (rung){
            .q = calloc(n * n, sizeof(double)),
            .features = calloc(m, sizeof(nnd_pair_moment)),
            .slopes = calloc(m, sizeof(nnd_pair_moment)),
            .z = calloc(m, sizeof(double)),
            .noise = calloc(4 * m * m, sizeof(double)),
        };
        done = s->layer[l].q != NULL && s->layer[l].features != NULL &&
               s->layer[l].slopes != NULL && s->layer[l].z != NULL && s->layer[l].noise != NULL;
    }
    return done ? NND_OK : nnd_fail_memory(s->ctx, "the kernels of layers");
}

static void ladder_clear(ladder *s) {
    for (size_t l = 0; s->layer != NULL && l < s->net->depth; l++) {
        free(s->layer[l].q);
        free(s->layer[l].features);
        free(s->layer[l].slopes);
        free(s->layer[l].z);
        free(s->layer[l].noise);
    }
    free(s->layer);
}

void nnd_layer_kernels_cost(const nnd_layers *net, size_t samples, double *bytes, double *flops) {
    double n = (double)net->points, m = 0.5 * n * (n + 1.0), depth = (double)net->depth;
    double all = 2.0 * depth * m, nodes = n > 2.0 ? (double)samples : 4e4;
    *bytes = sizeof(double) *
             (2.0 * (all + all * all + m * m) + depth * (4.0 * m * m + 9.0 * m) +
              (depth + 1.0) * m * m + 4.0 * all * m + nodes * n + (3.0 * n + 2.0 * m) * CHUNK);
    *flops = depth * (m * 4e4 * 100.0 + nodes * (4.0 * m * m + 50.0 * n) + 2.0 * all * 4.0 * m * m +
                      4.0 * all * all * m);
}

nnd_status nnd_layer_kernels_run(nnd_context *ctx, const nnd_layers *net, size_t samples,
                                 uint64_t seed, uint64_t replicate, nnd_layer_kernels *out) {
    ladder s = {.ctx = ctx, .net = net, .out = out, .pairs = net->points * (net->points + 1) / 2};
    double bytes, flops;
    *out = (nnd_layer_kernels){0};
    nnd_layer_kernels_cost(net, samples, &bytes, &flops);
    nnd_status status = nnd_check_memory(ctx, bytes, "covariances of kernels");
    if (status == NND_OK)
        status = kernels_make(ctx, net, out);
    if (status == NND_OK)
        status = ladder_make(&s);
    if (status == NND_OK)
        status = go_forward(&s);
    if (status == NND_OK)
        go_backward(&s);
    /* Layers draw from sets of their own: what they average is independent. */
    for (size_t l = 0; status == NND_OK && l < net->depth; l++)
        status = find_noise(&s, &s.layer[l], samples, seed, replicate * net->depth + l);
    if (status == NND_OK)
        status = add_up(&s);
    if (status == NND_OK)
        status = find_ntk(&s);
    ladder_clear(&s);
    if (status != NND_OK)
        nnd_layer_kernels_clear(out);
    return status;
}
