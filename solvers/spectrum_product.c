/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Products with the matrix under analysis, and its singular vectors. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/streams.h"
#include "nndmft/solvers/lanczos.h"
#include "solvers/spectrum_impl.h"

/* The error of singular vectors; steps of Lanczos that they may take. */
static const double VECTOR_TOLERANCE = 1e-9;
enum { LANCZOS_STEPS = 500 };

static bool is_wide(const nnd_analysis *a) {
    return a->cols > a->rows;
}

nnd_status nnd_analysis_largest(const nnd_analysis *a, size_t count, double tolerance,
                                double *singular, double *vector) {
    size_t n = a->out->count;
    nnd_lanczos *lanczos = NULL;
    nnd_gram gram = a->gram;
    double *start = calloc(n, sizeof *start);
    nnd_status status = NND_OK;
    if (start == NULL)
        status = nnd_fail_memory(a->ctx, "singular vectors");
    if (status == NND_OK)
        status = nnd_lanczos_new(a->ctx, n, LANCZOS_STEPS, &lanczos);
    if (status == NND_OK) {
        nnd_rng_normals((nnd_rng_key){a->options->seed, 0, n}, NND_STREAM_SPECTRUM_START, 0, n,
                        start);
        status = nnd_lanczos_largest(lanczos, nnd_gram_apply_one, &gram, start, count, tolerance,
                                     singular, vector, NULL);
    }
    for (size_t k = 0; status >= NND_OK && k < count; k++)
        singular[k] = sqrt(fmax(0.0, singular[k]));
    nnd_lanczos_free(lanczos);
    free(start);
    return status;
}

/* The vectors on the other side, and the squared cosines. */
static double cosine2(size_t n, const double *unit, const double *direction) {
    double norm = cblas_dnrm2((int)n, direction, 1);
    double overlap = cblas_ddot((int)n, unit, 1, direction, 1) / norm;
    return overlap * overlap;
}

static void finish_vectors(nnd_analysis *a, size_t count) {
    nnd_spectrum *out = a->out;
    const nnd_spectrum_options *o = a->options;
    double *shorter = is_wide(a) ? out->left_vector : out->right_vector;
    double *longer = is_wide(a) ? out->right_vector : out->left_vector;
    out->vectors = count;
    for (size_t k = 0; k < count; k++) {
        double *image = longer + k * a->tall;
        nnd_gram_multiply(&a->gram, is_wide(a), 1, shorter + k * out->count, image);
        cblas_dscal((int)a->tall, 1.0 / cblas_dnrm2((int)a->tall, image, 1), image, 1);
        if (out->left_overlap != NULL)
            out->left_overlap[k] = cosine2(a->rows, out->left_vector + k * a->rows, o->left);
        if (out->right_overlap != NULL)
            out->right_overlap[k] = cosine2(a->cols, out->right_vector + k * a->cols, o->right);
    }
}

/* Room for count numbers, and for the overlaps if they are wanted. */
static nnd_status make_room(nnd_analysis *a, size_t count) {
    nnd_spectrum *out = a->out;
    bool left = a->options->left != NULL, right = a->options->right != NULL;
    out->left_vector = calloc(count * a->rows, sizeof(double));
    out->right_vector = calloc(count * a->cols, sizeof(double));
    out->left_overlap = left ? calloc(count, sizeof(double)) : NULL;
    out->right_overlap = right ? calloc(count, sizeof(double)) : NULL;
    bool made = out->left_vector != NULL && out->right_vector != NULL &&
                (!left || out->left_overlap != NULL) && (!right || out->right_overlap != NULL);
    return made ? NND_OK : nnd_fail_memory(a->ctx, "singular vectors");
}

/* Outliers stand apart, and Lanczos tells them. */
nnd_status nnd_analysis_vectors(nnd_analysis *a) {
    nnd_spectrum *out = a->out;
    size_t count = out->outliers < a->options->vectors ? out->outliers : a->options->vectors;
    if (count == 0)
        return NND_OK;
    double *value = calloc(count, sizeof *value);
    nnd_status status =
        value != NULL ? make_room(a, count) : nnd_fail_memory(a->ctx, "singular vectors");
    if (status == NND_OK)
        status = nnd_analysis_largest(a, count, VECTOR_TOLERANCE, value,
                                      is_wide(a) ? out->left_vector : out->right_vector);
    free(value);
    if (status == NND_OK)
        finish_vectors(a, count);
    return status;
}
