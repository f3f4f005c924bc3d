/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/wide_mlp_record.h"
#include "core/companion.h"
#include "core/streams.h"
#include "validate/induced_norm.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the frame ---- */

typedef bool (*wanted)(const nnd_wide_block *block);

static bool always(const nnd_wide_block *block) {
    (void)block;
    return true;
}

static bool tests(const nnd_wide_block *block) {
    return block->tests > 0;
}

static bool test_targets(const nnd_wide_block *block) {
    return block->set.test_targets != NULL;
}

static bool kernels(const nnd_wide_block *block) {
    return block->params->kernels;
}

static bool kernels_of_tests(const nnd_wide_block *block) {
    return kernels(block) && tests(block);
}

static bool spectrum(const nnd_wide_block *block) {
    return block->params->spectrum;
}

static bool outliers(const nnd_wide_block *block) {
    return spectrum(block) && block->depth > 1;
}

static bool squares(const nnd_wide_block *block) {
    return block->params->loss == NND_WIDE_MSE;
}

static bool ntk(const nnd_wide_block *block) {
    return nnd_wide_takes_ntk(block->params);
}

static bool stability(const nnd_wide_block *block) {
    return ntk(block) && block->params->integrator == NND_DESCENT;
}

/* Whether backward fields of single outputs are looked at. */
static bool single_outputs(const nnd_wide_block *block) {
    return block->outputs > 1 && (ntk(block) || outliers(block));
}

static bool classes(const nnd_wide_block *block) {
    return nnd_wide_mlp_classifies(block->params);
}

static bool classes_of_tests(const nnd_wide_block *block) {
    return classes(block) && test_targets(block);
}

/* Whether targets differ from their mean over samples. */
static bool targets_vary(const nnd_wide_block *block) {
    size_t c = block->outputs;
    for (size_t i = c; i < block->training * c; i++)
        if (block->set.targets[i] != block->set.targets[i % c])
            return true;
    return false;
}

static bool alignment(const nnd_wide_block *block) {
    return kernels(block) && targets_vary(block);
}

static bool two_time(const nnd_wide_block *block) {
    return block->params->two_time;
}

static const struct {
    const char *name;
    wanted wanted;
} ARRAYS[] = {
    {"loss", always},
    {"delta", always},
    {"output", always},
    {"test_output", tests},
    {"test_loss", test_targets},
    {"accuracy", classes},
    {"test_accuracy", classes_of_tests},
    {"ntk", kernels},
    {"ntk_test", kernels_of_tests},
    {"kernel_alignment", alignment},
    {"stability", stability},
    {"h_gram", kernels},
    {"phi_gram", kernels},
    {"g_gram", kernels},
    {"readout_norm2", always},
    {"induced_norm", always},
    {"input_eig", spectrum},
    {"outlier", outliers},
    {"outlier_left", outliers},
    {"outlier_right", outliers},
    {"phi_two_time", two_time},
    {"g_two_time", two_time},
};

static nnd_status add_times(nnd_wide_record *r, const char *name) {
    const nnd_wide_mlp *p = r->block->params;
    bool whole = p->integrator == NND_DESCENT;
    double *t = calloc(r->marks.count, sizeof *t);
    if (t == NULL)
        return nnd_fail_memory(r->ctx, "the recorded times");
    for (size_t i = 0; i < r->marks.count; i++)
        t[i] = nnd_wide_mlp_time(p, r->marks.value[i]);
    nnd_status status = nnd_frame_add_dim(
        r->frame, name, whole ? NND_COORD_INTEGER : NND_COORD_REAL, r->marks.count, t);
    free(t);
    return status;
}

static nnd_status add_dims(nnd_wide_record *r, size_t first_seed) {
    const nnd_wide_block *block = r->block;
    const nnd_wide_mlp *p = block->params;
    nnd_status status =
        nnd_frame_add_range(r->frame, "seed", block->net.networks, (double)first_seed);
    if (status == NND_OK)
        status = add_times(r, "t");
    if (status == NND_OK && p->two_time)
        status = add_times(r, "s");
    if (status == NND_OK && (p->kernels || p->two_time))
        status = nnd_frame_add_range(r->frame, "layer", block->depth, 1.0);
    if (status == NND_OK && outliers(block))
        status = nnd_frame_add_range(r->frame, "matrix", block->depth - 1, 1.0);
    if (status == NND_OK && p->spectrum)
        status = nnd_frame_add_range(r->frame, "k", (size_t)p->outliers, 1.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "mu", block->training, 0.0);
    if (status == NND_OK && (p->kernels || p->two_time))
        status = nnd_frame_add_range(r->frame, "nu", block->training, 0.0);
    if (status == NND_OK && block->tests > 0)
        status = nnd_frame_add_range(r->frame, "test", block->tests, 0.0);
    if (status == NND_OK && squares(block) && block->outputs > 1)
        status = nnd_frame_add_range(r->frame, "residual", block->training * block->outputs, 0.0);
    if (status == NND_OK && block->outputs > 1)
        status = nnd_frame_add_range(r->frame, "c", block->outputs, 0.0);
    if (status == NND_OK && block->outputs > 1 && p->kernels)
        status = nnd_frame_add_range(r->frame, "c2", block->outputs, 0.0);
    return status;
}

static nnd_status make_frame(nnd_wide_record *r, size_t first_seed) {
    nnd_status status = nnd_frame_new(r->ctx, &r->frame);
    if (status == NND_OK)
        status = add_dims(r, first_seed);
    if (status == NND_OK)
        status = nnd_frame_add(r->frame, NND_DIVERGED_AT, "seed", NULL);
    for (size_t i = 0; status == NND_OK && i < sizeof ARRAYS / sizeof *ARRAYS; i++)
        if (ARRAYS[i].wanted(r->block))
            status = nnd_frame_add_variable(r->frame, &nnd_wide_mlp_model, ARRAYS[i].name, NULL);
    if (status == NND_OK && squares(r->block))
        status = nnd_frame_add(r->frame, NND_WIDE_RESIDUALS,
                               r->block->outputs > 1 ? "seed,t,residual" : "seed,t,mu", NULL);
    return status;
}

/* Values of network b in an array whose first dimension is the seed. */
static double *values(const nnd_wide_record *r, const char *name, size_t b) {
    const nnd_array *array = nnd_frame_find(r->frame, name);
    return array->data + b * (array->count / array->shape[0]);
}

/* ---- making ---- */

/* Orthonormal basis of the training inputs. Inputs made from a Gram matrix repeat its rank to the
 * square root of rounding. */
static nnd_status make_basis(nnd_wide_record *r) {
    const double tolerance = 1e-6;
    const nnd_wide_block *block = r->block;
    lapack_int p = (lapack_int)block->training, d = (lapack_int)block->net.inputs;
    size_t least = (size_t)(p < d ? p : d), n = (size_t)p * (size_t)d;
    double *copy = calloc(n, sizeof(double)), *s = calloc(2 * least, sizeof(double));
    r->basis = calloc(least * (size_t)d, sizeof(double));
    nnd_status status = NND_OK;
    if (copy == NULL || s == NULL || r->basis == NULL) {
        status = nnd_fail_memory(r->ctx, "the span of the inputs");
    } else {
        memcpy(copy, block->set.inputs, n * sizeof(double));
        /* Row-major X is column-major X^T; its left vectors are wanted, one after the other. */
        if (LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'S', 'N', d, p, copy, d, s, r->basis, d, NULL, 1,
                           s + least) != 0)
            status = nnd_fail(r->ctx, NND_E_INPUT, "the inputs have no singular values");
        for (size_t i = 0; status == NND_OK && i < least; i++)
            r->span += s[i] > tolerance * s[0];
    }
    free(copy);
    free(s);
    return status;
}

static bool allocate(double **x, size_t n) {
    *x = calloc(n > 0 ? n : 1, sizeof(double));
    return *x != NULL;
}

static bool make_scratch(nnd_wide_record *r) {
    const nnd_wide_block *block = r->block;
    size_t samples = block->net.samples, columns = block->training * block->outputs;
    size_t kernel = !ntk(block) ? 0 : samples > columns ? samples : columns;
    size_t side = r->span > kernel ? r->span : kernel;
    size_t cols = block->width > block->net.inputs ? block->width : block->net.inputs;
    if (!allocate(&r->square, side * side) || !allocate(&r->values, side) ||
        !allocate(&r->on_span, block->width * r->span) ||
        !allocate(&r->product, nnd_induced_norm_scratch(block->outputs, cols)))
        return false;
    if (ntk(block) && block->outputs > 1 &&
        !allocate(&r->kernel, samples * block->outputs * columns +
                                  (block->training + 2) * block->outputs * block->outputs))
        return false;
    size_t n = block->net.networks * (block->depth - 1) * block->width;
    if (outliers(block) &&
        (!allocate(&r->start, n) || !allocate(&r->first_phi, n) || !allocate(&r->first_g, n)))
        return false;
    if (!block->params->two_time)
        return true;
    size_t row = r->marks.count * block->training;
    n = block->depth * block->net.networks * block->width * row;
    return allocate(&r->past_phi, n) && allocate(&r->past_g, n) &&
           allocate(&r->two_time, row * row);
}

nnd_status nnd_wide_record_make(nnd_context *ctx, const nnd_wide_block *block, size_t first_seed,
                                nnd_wide_record *r) {
    const nnd_wide_mlp *p = block->params;
    *r = (nnd_wide_record){.block = block, .ctx = ctx};
    nnd_status status = nnd_wide_mlp_marks(ctx, p, &r->marks);
    if (status == NND_OK && single_outputs(block))
        status = nnd_wide_backward_make(ctx, block, &r->back);
    if (status == NND_OK && p->spectrum)
        status = make_basis(r);
    if (status == NND_OK && outliers(block))
        status =
            nnd_singular_make(ctx, block->width, block->width, (size_t)p->outliers, &r->singular);
    if (status == NND_OK && !make_scratch(r))
        status = nnd_fail_memory(ctx, "the records");
    return status == NND_OK ? make_frame(r, first_seed) : status;
}

void nnd_wide_record_clear(nnd_wide_record *r) {
    free(r->marks.value);
    nnd_wide_backward_clear(&r->back);
    free(r->kernel);
    nnd_singular_clear(&r->singular);
    free(r->start);
    free(r->first_phi);
    free(r->first_g);
    free(r->basis);
    free(r->on_span);
    free(r->product);
    free(r->square);
    free(r->values);
    free(r->past_phi);
    free(r->past_g);
    free(r->two_time);
    *r = (nnd_wide_record){0};
}

/* ---- one network at one time ---- */

void nnd_wide_record_look(nnd_wide_record *r, nnd_network *net) {
    if (single_outputs(r->block))
        nnd_wide_backward_take(&r->back, net);
}

/* g of sample 0 over hidden layer l; of several outputs the sum of Delta_c g_c, which is what
 * training sends back (wide-mlp.md#s13-5). */
static void copy_first_g(const nnd_wide_record *r, size_t l, size_t b, double *to) {
    const nnd_wide_block *block = r->block;
    const nnd_network *net = &block->net;
    int n = (int)block->width, samples = (int)net->samples, outputs = (int)block->outputs;
    if (outputs == 1) {
        cblas_dcopy(n, nnd_network_field(net, l, b, net->layer[l].g), samples, to, 1);
        return;
    }
    const double *delta = block->delta + b * block->training * block->outputs;
    memset(to, 0, block->width * sizeof *to);
    for (int c = 0; c < outputs; c++)
        cblas_daxpy(n, delta[c], nnd_wide_backward_field(&r->back, l, b) + c * samples,
                    outputs * samples, to, 1);
}

void nnd_wide_record_begin(nnd_wide_record *r, nnd_rng_key key) {
    const nnd_wide_block *block = r->block;
    const nnd_network *net = &block->net;
    size_t n = block->width, matrices = block->depth - 1;
    int p = (int)net->samples;
    for (size_t b = 0; outliers(block) && b < net->networks; b++)
        for (size_t l = 1; l <= matrices; l++) {
            size_t at = (b * matrices + l - 1) * n;
            nnd_rng_key own = {key.base_seed, key.seed + b, key.size};
            nnd_rng_normals(own, NND_STREAM_WIDE_MLP_SEARCH, l, n, r->start + at);
            cblas_dcopy((int)n, nnd_network_input(net, l, b), p, r->first_phi + at, 1);
            copy_first_g(r, l, b, r->first_g + at);
        }
}

/* Rows and columns of the training samples of a matrix over all samples. */
static void training_block(const nnd_wide_record *r, const double *all, double scale, double *out) {
    size_t p = r->block->training, samples = r->block->net.samples;
    for (size_t mu = 0; mu < p; mu++)
        for (size_t nu = 0; nu < p; nu++)
            out[mu * p + nu] = scale * all[mu * samples + nu];
}

/* n samples x C of outputs that are C x samples. */
static void by_sample(const nnd_wide_outputs *of, double *out) {
    for (size_t mu = 0; mu < of->n; mu++)
        for (size_t c = 0; c < of->outputs; c++)
            out[mu * of->outputs + c] = of->output[c * of->ld + mu];
}

static void record_tests(nnd_wide_record *r, size_t b, size_t i) {
    const nnd_wide_block *block = r->block;
    nnd_wide_outputs of = nnd_wide_block_tests(block, b);
    if (tests(block))
        by_sample(&of, values(r, "test_output", b) + i * of.n * of.outputs);
    if (test_targets(block))
        values(r, "test_loss", b)[i] = nnd_wide_mean_loss(&of, NULL);
    if (classes_of_tests(block))
        values(r, "test_accuracy", b)[i] = nnd_wide_accuracy(&of);
}

static void record_outputs(nnd_wide_record *r, size_t b, size_t i) {
    const nnd_wide_block *block = r->block;
    size_t c = block->outputs, n = block->training * c, width = block->width;
    nnd_wide_outputs of = nnd_wide_block_outputs(block, b);
    const double *readout = nnd_network_weights(&block->net, block->depth, b);
    double sigma2 = block->params->sigma_w * block->params->sigma_w;
    values(r, "loss", b)[i] = block->loss[b];
    memcpy(values(r, "delta", b) + i * n, block->delta + b * n, n * sizeof(double));
    by_sample(&of, values(r, "output", b) + i * n);
    if (classes(block))
        values(r, "accuracy", b)[i] = nnd_wide_accuracy(&of);
    for (size_t k = 0; squares(block) && k < n; k++)
        values(r, NND_WIDE_RESIDUALS, b)[i * n + k] = sqrt((double)c) * block->delta[b * n + k];
    for (size_t k = 0; k < c; k++) {
        const double *w = readout + k * width;
        values(r, "readout_norm2", b)[i * c + k] =
            sigma2 * cblas_ddot((int)width, w, 1, w, 1) / (double)width;
    }
}

/* ---- tangent kernels ---- */

/* Largest eigenvalue of the n x n matrix in `square`, whose rows are ld apart; destroys it. */
static nnd_status record_stability(nnd_wide_record *r, size_t b, size_t i, size_t n, size_t ld) {
    const nnd_wide_block *block = r->block;
    const nnd_wide_mlp *p = block->params;
    if (!stability(block))
        return NND_OK;
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', (lapack_int)n, r->square, (lapack_int)ld,
                      r->values) != 0)
        return nnd_fail(r->ctx, NND_E_INPUT, "the tangent kernel has no eigenvalues");
    values(r, "stability", b)[i] = p->lr * nnd_wide_mlp_rate(p, (size_t)r->marks.value[i]) *
                                   r->values[n - 1] / (double)block->training;
    return NND_OK;
}

/* The tangent kernel of one output, and the top eigenvalue of its training block. */
static nnd_status record_ntk(nnd_wide_record *r, size_t b, size_t i) {
    const nnd_wide_block *block = r->block;
    size_t p = block->training, m = block->tests, samples = block->net.samples;
    nnd_wide_outputs of = nnd_wide_block_outputs(block, b);
    nnd_network_ntk(&block->net, b, r->square);
    cblas_dscal((int)(samples * samples), 1.0 / nnd_wide_rate(block->params), r->square, 1);
    if (kernels(block)) {
        training_block(r, r->square, 1.0, values(r, "ntk", b) + i * p * p);
        for (size_t test = 0; test < m; test++)
            memcpy(values(r, "ntk_test", b) + (i * m + test) * p, r->square + (p + test) * samples,
                   p * sizeof(double));
    }
    for (size_t mu = 0; of.kind == NND_WIDE_LOGISTIC && mu < p; mu++) {
        double root;
        nnd_wide_curvature_root(&of, mu, &root);
        cblas_dscal((int)p, root, r->square + mu * samples, 1);
        cblas_dscal((int)p, root, r->square + mu, (int)samples);
    }
    return record_stability(r, b, i, p, samples);
}

/* `rows` samples from `first` on, x P x C x C, of a kernel of all outputs, (C samples) x (C P). */
static void by_output(const nnd_wide_record *r, const double *kernel, size_t first, size_t rows,
                      double factor, double *out) {
    size_t p = r->block->training, c = r->block->outputs, samples = r->block->net.samples;
    for (size_t mu = 0; mu < rows; mu++)
        for (size_t nu = 0; nu < p; nu++)
            for (size_t k = 0; k < c * c; k++)
                out[(mu * p + nu) * c * c + k] =
                    factor * kernel[(k / c * samples + first + mu) * c * p + k % c * p + nu];
}

/* square = B^T K B over (mu, c), K a kernel of all outputs (wide-mlp.md#s13-3); `root` has room for
 * P + 2 matrices C x C. */
static void weigh_by_curvature(nnd_wide_record *r, size_t b, const double *kernel, double *root) {
    const nnd_wide_block *block = r->block;
    size_t p = block->training, outputs = block->outputs, n = p * outputs, each = outputs * outputs;
    int c = (int)outputs;
    nnd_wide_outputs of = nnd_wide_block_outputs(block, b);
    double *part = root + p * each, *half = part + each;
    for (size_t mu = 0; mu < p; mu++)
        nnd_wide_curvature_root(&of, mu, root + mu * each);
    for (size_t mu = 0; mu < p; mu++)
        for (size_t nu = 0; nu < p; nu++) {
            for (size_t k = 0; k < each; k++)
                part[k] = kernel[(k / outputs * of.ld + mu) * n + k % outputs * p + nu];
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, c, c, c, 1.0, part, c,
                        root + nu * each, c, 0.0, half, c);
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, c, c, c, 1.0, root + mu * each, c,
                        half, c, 0.0, r->square + mu * outputs * n + nu * outputs, (int)n);
        }
}

/* The same of several outputs. */
static nnd_status record_ntk_of_outputs(nnd_wide_record *r, size_t b, size_t i) {
    const nnd_wide_block *block = r->block;
    size_t p = block->training, m = block->tests, c = block->outputs, each = p * c * c;
    double *root = r->kernel + block->net.samples * c * p * c;
    nnd_wide_backward_ntk(&r->back, b, r->kernel);
    if (kernels(block))
        by_output(r, r->kernel, 0, p, 1.0, values(r, "ntk", b) + i * p * each);
    if (kernels_of_tests(block))
        by_output(r, r->kernel, p, m, 1.0, values(r, "ntk_test", b) + i * m * each);
    weigh_by_curvature(r, b, r->kernel, root);
    return record_stability(r, b, i, p * c, p * c);
}

/* ---- Gram matrices ---- */

/* tr(Phi y y^T)/(|Phi| |y y^T|), y less its mean over samples: with Y = y y^T the sums of
 * Phi Y, Phi^2 and Y^2 over pairs of samples. */
static double alignment_of(const nnd_wide_block *block, const double *phi) {
    size_t p = block->training, c = block->outputs;
    const double *y = block->set.targets;
    double across = 0.0, of_phi = 0.0, of_y = 0.0;
    double mean[NND_WIDE_MOST_OUTPUTS] = {0.0};
    for (size_t i = 0; i < p * c; i++)
        mean[i % c] += y[i] / (double)p;
    for (size_t mu = 0; mu < p; mu++)
        for (size_t nu = 0; nu < p; nu++) {
            double product = 0.0, k = phi[mu * p + nu];
            for (size_t j = 0; j < c; j++)
                product += (y[mu * c + j] - mean[j]) * (y[nu * c + j] - mean[j]);
            across += k * product;
            of_phi += k * k;
            of_y += product * product;
        }
    return across / sqrt(of_phi * of_y);
}

/* g of wide-mlp.md#s1 is gamma N times the gradient of f. */
static void record_grams(nnd_wide_record *r, size_t b, size_t i) {
    const nnd_wide_block *block = r->block;
    const nnd_network *net = &block->net;
    size_t p = block->training, square = p * p, depth = block->depth, c = block->outputs;
    double unit = nnd_wide_gamma(block->params, block->width) * (double)block->width;
    for (size_t l = 0; l < depth; l++) {
        size_t at = (i * depth + l) * square;
        nnd_network_gram(net, l, b, net->layer[l].h, r->square);
        training_block(r, r->square, 1.0, values(r, "h_gram", b) + at);
        nnd_network_gram(net, l, b, net->layer[l].phi, r->square);
        training_block(r, r->square, 1.0, values(r, "phi_gram", b) + at);
        if (alignment(block))
            values(r, "kernel_alignment", b)[i * depth + l] =
                alignment_of(block, values(r, "phi_gram", b) + at);
        if (c > 1) {
            nnd_wide_backward_gram(&r->back, l, b, r->kernel);
            by_output(r, r->kernel, 0, p, unit * unit, values(r, "g_gram", b) + at * c * c);
            continue;
        }
        nnd_network_gram(net, l, b, net->layer[l].g, r->square);
        training_block(r, r->square, unit * unit, values(r, "g_gram", b) + at);
    }
}

/* ---- weights ---- */

/* Eigenvalues of W0^T W0/N on the span of the training inputs, from the largest on. */
static nnd_status record_input_weights(nnd_wide_record *r, size_t b, size_t i) {
    const nnd_wide_block *block = r->block;
    int n = (int)block->width, d = (int)block->net.inputs, span = (int)r->span;
    size_t count = (size_t)block->params->outliers;
    double *out = values(r, "input_eig", b) + i * count;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, span, d, 1.0,
                nnd_network_weights(&block->net, 0, b), d, r->basis, d, 0.0, r->on_span, span);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, span, span, n, 1.0 / (double)n, r->on_span,
                span, r->on_span, span, 0.0, r->square, span);
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', span, r->square, span, r->values) != 0)
        return nnd_fail(r->ctx, NND_E_INPUT, "the Gram matrix of W0 has no eigenvalues");
    for (size_t k = 0; k < count && k < r->span; k++)
        out[k] = r->values[r->span - 1 - k];
    return NND_OK;
}

static nnd_status record_outliers(nnd_wide_record *r, size_t b, size_t i) {
    const nnd_wide_block *block = r->block;
    size_t matrices = block->depth - 1, n = block->width, count = (size_t)block->params->outliers;
    nnd_status status = NND_OK;
    for (size_t l = 1; status == NND_OK && l <= matrices; l++) {
        size_t at = (i * matrices + l - 1) * count, field = (b * matrices + l - 1) * n;
        status = nnd_singular_largest(
            &r->singular, nnd_network_weights(&block->net, l, b), block->net.layer[l].scale,
            r->start + field, values(r, "outlier", b) + at,
            (nnd_singular_overlap){r->first_phi + field, values(r, "outlier_right", b) + at},
            (nnd_singular_overlap){r->first_g + field, values(r, "outlier_left", b) + at});
    }
    return status;
}

/* Field l of network b at the i-th time becomes columns of its history. */
static void keep(const nnd_wide_record *r, size_t l, size_t b, size_t i, const double *field,
                 double *past) {
    const nnd_wide_block *block = r->block;
    size_t p = block->training, row = r->marks.count * p, n = block->width;
    const double *from = nnd_network_field(&block->net, l, b, field);
    double *to = past + (l * block->net.networks + b) * n * row + i * p;
    for (size_t j = 0; j < n; j++)
        memcpy(to + j * row, from + j * block->net.samples, p * sizeof(double));
}

nnd_status nnd_wide_record_take(nnd_wide_record *r, size_t b, size_t i) {
    const nnd_wide_mlp *p = r->block->params;
    record_outputs(r, b, i);
    record_tests(r, b, i);
    values(r, "induced_norm", b)[i] = nnd_induced_norm(&r->block->net, b, r->product);
    nnd_status status = NND_OK;
    if (ntk(r->block))
        status = r->block->outputs > 1 ? record_ntk_of_outputs(r, b, i) : record_ntk(r, b, i);
    if (p->kernels)
        record_grams(r, b, i);
    if (status == NND_OK && p->spectrum)
        status = record_input_weights(r, b, i);
    if (status == NND_OK && outliers(r->block))
        status = record_outliers(r, b, i);
    for (size_t l = 0; p->two_time && l < r->block->depth; l++) {
        keep(r, l, b, i, r->block->net.layer[l].phi, r->past_phi);
        keep(r, l, b, i, r->block->net.layer[l].g, r->past_g);
    }
    return status;
}

/* ---- all times ---- */

/* Means over neurons between all of the first `times` recorded times and all samples. */
static void overlaps(nnd_wide_record *r, const double *past, double unit, size_t times,
                     double *out) {
    size_t p = r->block->training, all = r->marks.count;
    int row = (int)(all * p), used = (int)(times * p), n = (int)r->block->width;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, used, used, n, unit / (double)n, past, row,
                past, row, 0.0, r->two_time, row);
    for (size_t t = 0; t < times; t++)
        for (size_t s = 0; s < times; s++)
            for (size_t mu = 0; mu < p; mu++)
                memcpy(out + ((t * all + s) * p + mu) * p,
                       r->two_time + (t * p + mu) * (size_t)row + s * p, p * sizeof(double));
}

void nnd_wide_record_end(nnd_wide_record *r, size_t b, size_t times) {
    const nnd_wide_block *block = r->block;
    size_t row = r->marks.count * block->training, n = block->width;
    double unit = nnd_wide_gamma(block->params, n) * (double)n;
    if (!block->params->two_time || times == 0)
        return;
    for (size_t l = 0; l < block->depth; l++) {
        size_t at = (l * block->net.networks + b) * n * row;
        overlaps(r, r->past_phi + at, 1.0, times, values(r, "phi_two_time", b) + l * row * row);
        overlaps(r, r->past_g + at, unit * unit, times, values(r, "g_two_time", b) + l * row * row);
    }
}

void nnd_wide_record_diverged(nnd_wide_record *r, size_t b, size_t step) {
    *values(r, NND_DIVERGED_AT, b) = (double)step;
}

/* ---- cost ---- */

double nnd_wide_record_bytes(const nnd_wide_mlp *p) {
    double times = nnd_wide_mlp_most_marks(p), c = (double)p->outputs;
    double samples = (double)nnd_data_samples(&p->data), tests = (double)nnd_data_tests(&p->data);
    double layers = (double)p->depth;
    double numbers = times * (7.0 + c + 3.0 * samples * c + tests * c);
    if (p->kernels)
        numbers +=
            times *
            (samples * (2.0 * layers * samples + c * c * ((layers + 1.0) * samples + tests)) +
             layers);
    if (p->spectrum)
        numbers += times * (double)p->outliers * (1.0 + 3.0 * (layers - 1.0));
    if (p->two_time)
        numbers += 2.0 * layers * times * times * samples * samples;
    return numbers * sizeof(double);
}

double nnd_wide_record_scratch_bytes(const nnd_wide_mlp *p, size_t width, size_t networks) {
    double n = (double)width, all = (double)networks, layers = (double)p->depth;
    double train = (double)nnd_data_samples(&p->data), c = (double)p->outputs;
    double samples = train + (double)nnd_data_tests(&p->data);
    double row = nnd_wide_mlp_most_marks(p) * train;
    double d = (double)nnd_data_dim(&p->data);
    bool kernel = nnd_wide_takes_ntk(p), search = p->spectrum && p->depth > 1;
    double numbers = (double)nnd_induced_norm_scratch((size_t)p->outputs, (size_t)fmax(n, d));
    if (kernel)
        numbers += 2.0 * samples * samples;
    if (p->spectrum)
        numbers += fmin(train, d) * (n + 2.0 * d + 2.0 * fmin(train, d)) + train * d;
    if (p->outputs > 1 && (kernel || search))
        numbers += nnd_wide_backward_numbers(p, width, networks);
    if (p->outputs > 1 && kernel)
        numbers += c * c * (train * (samples + train + 1.0) + 2.0);
    if (search)
        numbers += n * (3.0 * all * (layers - 1.0) + fmin(n, 400.0) + (double)p->outliers);
    if (p->two_time)
        numbers += 2.0 * layers * all * n * row + row * row;
    return numbers * sizeof(double);
}

double nnd_wide_record_flops(const nnd_wide_mlp *p, size_t width) {
    /* Measured: a search for singular values takes the time of 100 products with the matrix. */
    const double search = 100.0 * 2.0;
    double n = (double)width, layers = (double)p->depth, c = (double)p->outputs;
    double samples = (double)nnd_data_samples(&p->data) + (double)nnd_data_tests(&p->data);
    double flops = 2.0 * c * n * (layers * n + (double)nnd_data_dim(&p->data));
    if (nnd_wide_takes_ntk(p))
        flops += (4.0 + (p->kernels ? 1.0 : 0.0)) * layers * n * samples * samples * c * c;
    if (p->outputs > 1 && (nnd_wide_takes_ntk(p) || p->spectrum))
        flops += c * 2.0 * (layers - 1.0) * n * n * (0.3 + samples / 14.0);
    if (p->spectrum)
        flops += search * (layers - 1.0) * n * n;
    return flops;
}
