/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data sets made from what a case says: given, drawn, or known by their Gram matrix alone. */
#include "nndmft/dataset.h"
#include "core/streams.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"

/* Eigenvalues of a Gram matrix that are rounding, relative to the largest. */
static const double RANK_TOLERANCE = 1e-12;

void nnd_dataset_clear(nnd_dataset *set) {
    free(set->inputs);
    free(set->gram);
    free(set->targets);
    free(set->test_targets);
    *set = (nnd_dataset){0};
}

static nnd_status copy_numbers(nnd_context *ctx, const nnd_dense *from, double **to) {
    size_t n = from->rows * from->cols;
    *to = n > 0 ? malloc(n * sizeof(double)) : NULL;
    if (n > 0 && *to == NULL)
        return nnd_fail_memory(ctx, "the data set");
    if (n > 0)
        memcpy(*to, from->value, n * sizeof(double));
    return NND_OK;
}

/* K^x of the inputs. */
static nnd_status fill_gram(nnd_context *ctx, nnd_dataset *set) {
    size_t n = set->samples + set->tests;
    set->gram = calloc(n * n, sizeof(double));
    if (set->gram == NULL)
        return nnd_fail_memory(ctx, "the Gram matrix");
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)n, (int)set->dim,
                1.0 / (double)set->dim, set->inputs, (int)set->dim, 0.0, set->gram, (int)n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            set->gram[j * n + i] = set->gram[i * n + j];
    return NND_OK;
}

/* ---- inputs given ---- */

static nnd_status take_inputs(nnd_context *ctx, const nnd_data *d, nnd_dataset *set) {
    size_t p = set->samples, n = p + set->tests;
    set->dim = d->inputs.cols;
    set->inputs = malloc(n * set->dim * sizeof(double));
    if (set->inputs == NULL)
        return nnd_fail_memory(ctx, "the inputs");
    memcpy(set->inputs, d->inputs.value, p * set->dim * sizeof(double));
    if (set->tests > 0)
        memcpy(set->inputs + p * set->dim, d->test_inputs.value,
               set->tests * set->dim * sizeof(double));
    return NND_OK;
}

/* ---- inputs drawn ---- */

static double *input_row(const nnd_dataset *set, size_t i) {
    return set->inputs + i * set->dim;
}

/* Training inputs become orthogonal with |x|^2 = D: modified Gram-Schmidt, twice. */
static void whiten(nnd_dataset *set) {
    int d = (int)set->dim;
    for (size_t i = 0; i < set->samples; i++) {
        double *x = input_row(set, i);
        for (size_t j = 0; j < 2 * i; j++) {
            const double *y = input_row(set, j % i);
            cblas_daxpy(d, -cblas_ddot(d, x, 1, y, 1) / (double)d, y, 1, x, 1);
        }
        cblas_dscal(d, sqrt((double)d) / cblas_dnrm2(d, x, 1), x, 1);
    }
}

size_t nnd_class_of(size_t outputs, const double *value) {
    size_t best = 0;
    if (outputs == 1)
        return value[0] > 0.0;
    for (size_t c = 1; c < outputs; c++)
        if (value[c] > value[best])
            best = c;
    return best;
}

/* The targets that a class stands for. */
static void encode(size_t outputs, bool centred, size_t class, double *target) {
    for (size_t c = 0; c < outputs; c++)
        target[c] = (c == class ? 1.0 : 0.0) - (centred ? 1.0 / (double)outputs : 0.0);
    if (outputs == 1)
        target[0] = class == 0 ? -1.0 : 1.0;
}

static double target(const nnd_target *t, double u) {
    switch (t->kind) {
    case NND_TARGET_SIGN:
        return t->scale * (u < 0.0 ? -1.0 : 1.0);
    case NND_TARGET_QUADRATIC:
        return t->scale * (u * u - 1.0) / sqrt(2.0);
    default:
        return t->scale * u;
    }
}

/* The targets of sample i, from its projections u on the direction of each output. */
static void set_targets(const nnd_data *d, nnd_rng_key key, bool centred, size_t i, double *u,
                        nnd_dataset *set) {
    size_t outputs = set->outputs;
    bool train = i < set->samples;
    double *y =
        train ? set->targets + i * outputs : set->test_targets + (i - set->samples) * outputs;
    if (d->target.kind == NND_TARGET_CLASSES) {
        encode(outputs, centred, nnd_class_of(outputs, u), y);
        return;
    }
    if (d->target.kind == NND_TARGET_RANDOM)
        nnd_rng_normals(key, NND_STREAM_DATA_TARGETS, i, outputs, u);
    for (size_t c = 0; c < outputs; c++)
        y[c] = target(&d->target, u[c]) + (train ? d->noise * y[c] : 0.0);
}

/* Targets of all samples, from teachers (outputs x dim) that are drawn after their direction; noise
 * on training ones. `work` has room for as many numbers as there are samples or outputs. */
static void draw_targets(const nnd_data *d, nnd_rng_key key, bool centred, nnd_dataset *set,
                         double *teacher, double *work) {
    int dim = (int)set->dim;
    bool regression = d->generate == NND_GENERATE_REGRESSION;
    double norm = regression ? 1.0 : sqrt((double)dim), divisor = regression ? 1.0 : norm;
    for (size_t c = 0; c < set->outputs; c++) {
        double *w = teacher + c * set->dim;
        nnd_rng_normals(key, NND_STREAM_DATA_TEACHER, c, set->dim, w);
        cblas_dscal(dim, norm / cblas_dnrm2(dim, w, 1), w, 1);
        nnd_rng_normals(key, NND_STREAM_DATA_NOISE, c, set->samples, work);
        for (size_t i = 0; i < set->samples; i++)
            set->targets[i * set->outputs + c] = work[i];
    }
    for (size_t i = 0; i < set->samples + set->tests; i++) {
        for (size_t c = 0; c < set->outputs; c++)
            work[c] = cblas_ddot(dim, input_row(set, i), 1, teacher + c * set->dim, 1) / divisor;
        set_targets(d, key, centred, i, work, set);
    }
}

/* Scales all targets so that w*, the minimiser of least norm on the training samples, has norm 1.
 */
static nnd_status normalise(nnd_context *ctx, nnd_dataset *set) {
    size_t n = set->samples, dim = set->dim, least = n < dim ? n : dim;
    double *x = malloc(n * dim * sizeof *x), *w = calloc(n > dim ? n : dim, sizeof *w);
    double *singular = malloc(least * sizeof *singular), norm = 0.0;
    lapack_int rank;
    nnd_status status = NND_OK;
    if (x == NULL || w == NULL || singular == NULL)
        status = nnd_fail_memory(ctx, "the data set");
    if (status == NND_OK) {
        memcpy(x, set->inputs, n * dim * sizeof *x);
        memcpy(w, set->targets, n * sizeof *w);
        if (LAPACKE_dgelsd(LAPACK_ROW_MAJOR, (lapack_int)n, (lapack_int)dim, 1, x, (lapack_int)dim,
                           w, 1, singular, -1.0, &rank) == 0)
            norm = cblas_dnrm2((int)dim, w, 1);
        if (!(norm > 0.0))
            status = nnd_fail(ctx, NND_E_INPUT, "the targets have no linear part to normalise");
    }
    if (status == NND_OK)
        cblas_dscal((int)n, 1.0 / norm, set->targets, 1);
    if (status == NND_OK && set->tests > 0)
        cblas_dscal((int)set->tests, 1.0 / norm, set->test_targets, 1);
    free(x);
    free(w);
    free(singular);
    return status;
}

static void draw_inputs(const nnd_data *d, nnd_rng_key key, nnd_dataset *set) {
    int dim = (int)set->dim;
    for (size_t i = 0; i < set->samples + set->tests; i++) {
        double *x = input_row(set, i);
        nnd_rng_normals(key, NND_STREAM_DATA_INPUTS, i, set->dim, x);
        if (d->generate == NND_GENERATE_SPHERE)
            cblas_dscal(dim, sqrt((double)dim) / cblas_dnrm2(dim, x, 1), x, 1);
    }
    if (d->generate == NND_GENERATE_WHITENED)
        whiten(set);
}

static nnd_status draw(nnd_context *ctx, const nnd_data *d, bool centred, nnd_dataset *set) {
    size_t n = set->samples + set->tests, c = set->outputs;
    nnd_rng_key key = {(uint64_t)d->seed, 0, 0};
    set->dim = (size_t)d->dim;
    set->inputs = malloc(n * set->dim * sizeof(double));
    set->targets = malloc(set->samples * c * sizeof(double));
    set->test_targets = set->tests > 0 ? malloc(set->tests * c * sizeof(double)) : NULL;
    double *teacher = malloc(c * set->dim * sizeof(double)), *work = malloc((n + c) * sizeof *work);
    nnd_status status = NND_OK;
    if (set->inputs == NULL || set->targets == NULL || teacher == NULL || work == NULL ||
        (set->tests > 0 && set->test_targets == NULL))
        status = nnd_fail_memory(ctx, "the data set");
    if (status == NND_OK) {
        draw_inputs(d, key, set);
        draw_targets(d, key, centred, set, teacher, work);
    }
    if (status == NND_OK && d->generate == NND_GENERATE_REGRESSION)
        status = normalise(ctx, set);
    free(teacher);
    free(work);
    return status;
}

/* ---- Gram matrix given ---- */

/*
 * Test-test products that are not given: k_i^T K^+ k_j, those of test samples that are independent
 * given the training samples.
 */
static nnd_status complete_tests(nnd_context *ctx, const nnd_data *d, nnd_dataset *set) {
    size_t p = set->samples, tests = set->tests, n = p + tests;
    double *a = malloc(p * p * sizeof *a), *x = malloc(p * tests * sizeof *x),
           *singular = malloc(p * sizeof *singular);
    lapack_int rank;
    nnd_status status = NND_OK;
    if (a == NULL || x == NULL || singular == NULL)
        status = nnd_fail_memory(ctx, "the Gram matrix");
    if (status == NND_OK) {
        memcpy(a, d->gram.value, p * p * sizeof *a);
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < tests; j++)
                x[i * tests + j] = d->test_gram.value[j * p + i];
        if (LAPACKE_dgelsd(LAPACK_ROW_MAJOR, (lapack_int)p, (lapack_int)p, (lapack_int)tests, a,
                           (lapack_int)p, x, (lapack_int)tests, singular, RANK_TOLERANCE,
                           &rank) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "params.data.gram: has no singular values");
    }
    for (size_t i = 0; status == NND_OK && i < tests; i++)
        for (size_t j = 0; j <= i; j++) {
            double product = cblas_ddot((int)p, d->test_gram.value + i * p, 1, x + j, (int)tests);
            if (i == j)
                product = d->test_self.value[i];
            set->gram[(p + i) * n + p + j] = set->gram[(p + j) * n + p + i] = product;
        }
    free(a);
    free(x);
    free(singular);
    return status;
}

static nnd_status take_gram(nnd_context *ctx, const nnd_data *d, nnd_dataset *set) {
    size_t p = set->samples, tests = set->tests, n = p + tests;
    set->gram = calloc(n * n, sizeof(double));
    if (set->gram == NULL)
        return nnd_fail_memory(ctx, "the Gram matrix");
    for (size_t i = 0; i < p; i++)
        memcpy(set->gram + i * n, d->gram.value + i * p, p * sizeof(double));
    for (size_t i = 0; i < tests; i++)
        for (size_t j = 0; j < p; j++)
            set->gram[(p + i) * n + j] = set->gram[j * n + p + i] = d->test_gram.value[i * p + j];
    for (size_t i = 0; d->test_block.rows > 0 && i < tests; i++)
        memcpy(set->gram + (p + i) * n + p, d->test_block.value + i * tests,
               tests * sizeof(double));
    return tests > 0 && d->test_block.rows == 0 ? complete_tests(ctx, d, set) : NND_OK;
}

/* ---- the two ways out ---- */

/* Targets that are given, or that classes stand for; none if there are neither. */
static nnd_status take_targets(nnd_context *ctx, const nnd_dense *targets, const nnd_dense *labels,
                               size_t outputs, bool centred, double **to) {
    if (labels->rows == 0)
        return copy_numbers(ctx, targets, to);
    *to = malloc(labels->rows * outputs * sizeof(double));
    if (*to == NULL)
        return nnd_fail_memory(ctx, "the data set");
    for (size_t i = 0; i < labels->rows; i++)
        encode(outputs, centred, (size_t)labels->value[i], *to + i * outputs);
    return NND_OK;
}

nnd_status nnd_dataset_make_inputs(nnd_context *ctx, const nnd_data *d, size_t outputs,
                                   bool centred, nnd_dataset *set) {
    *set = (nnd_dataset){
        .samples = nnd_data_samples(d), .tests = nnd_data_tests(d), .outputs = outputs};
    double n = (double)(set->samples + set->tests), dim = (double)nnd_data_dim(d);
    double square = d->gram.rows > 0 ? n : 0.0;
    nnd_status status =
        nnd_check_memory(ctx, 8.0 * n * (square + dim + (double)outputs), "the data set");
    if (status == NND_OK && d->generate != NND_GENERATE_NONE)
        status = draw(ctx, d, centred, set);
    else if (status == NND_OK) {
        status = take_targets(ctx, &d->targets, &d->labels, outputs, centred, &set->targets);
        if (status == NND_OK)
            status = take_targets(ctx, &d->test_targets, &d->test_labels, outputs, centred,
                                  &set->test_targets);
        if (status == NND_OK)
            status = d->gram.rows > 0 ? take_gram(ctx, d, set) : take_inputs(ctx, d, set);
    }
    if (status != NND_OK)
        nnd_dataset_clear(set);
    return status;
}

nnd_status nnd_dataset_make_outputs(nnd_context *ctx, const nnd_data *d, size_t outputs,
                                    bool centred, nnd_dataset *set) {
    *set = (nnd_dataset){0};
    double n = (double)(nnd_data_samples(d) + nnd_data_tests(d)), dim = (double)nnd_data_dim(d);
    nnd_status status =
        nnd_check_memory(ctx, 8.0 * n * (n + dim + (double)outputs), "the data set");
    if (status == NND_OK)
        status = nnd_dataset_make_inputs(ctx, d, outputs, centred, set);
    if (status == NND_OK && set->gram == NULL)
        status = fill_gram(ctx, set);
    if (status != NND_OK)
        nnd_dataset_clear(set);
    return status;
}

nnd_status nnd_dataset_make(nnd_context *ctx, const nnd_data *d, nnd_dataset *set) {
    return nnd_dataset_make_outputs(ctx, d, 1, false, set);
}

/* X = sqrt(D) U Lambda^(1/2) with the largest eigenvalues first. */
static nnd_status factor(nnd_context *ctx, nnd_dataset *set, double *vector, double *value) {
    size_t n = set->samples + set->tests, rank = 0;
    memcpy(vector, set->gram, n * n * sizeof(double));
    if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)n, vector, (lapack_int)n, value) !=
        0)
        return nnd_fail(ctx, NND_E_INPUT, "params.data.gram: has no eigenvalues");
    for (size_t k = 0; k < n; k++)
        rank += value[k] > RANK_TOLERANCE * value[n - 1];
    if (rank > set->dim)
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.data: inputs of dimension %zu; allowed: at least %zu, the rank of "
                        "their Gram matrix",
                        set->dim, rank);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < rank; k++)
            input_row(set, i)[k] =
                sqrt((double)set->dim * value[n - 1 - k]) * vector[i * n + n - 1 - k];
    return NND_OK;
}

nnd_status nnd_dataset_reproduce(nnd_context *ctx, nnd_dataset *set, size_t dim) {
    size_t n = set->samples + set->tests;
    if (set->inputs != NULL && (dim == 0 || dim == set->dim))
        return NND_OK;
    if (set->inputs != NULL)
        return nnd_fail(ctx, NND_E_INPUT, "params.data: its inputs have dimension %zu, not %zu",
                        set->dim, dim);
    set->dim = dim > 0 ? dim : n;
    set->inputs = calloc(n * set->dim, sizeof(double));
    double *vector = malloc(n * n * sizeof *vector), *value = malloc(n * sizeof *value);
    nnd_status status = NND_OK;
    if (set->inputs == NULL || vector == NULL || value == NULL)
        status = nnd_fail_memory(ctx, "the inputs");
    if (status == NND_OK)
        status = factor(ctx, set, vector, value);
    if (status != NND_OK) {
        free(set->inputs);
        set->inputs = NULL;
        set->dim = 0;
    }
    free(vector);
    free(value);
    return status;
}
