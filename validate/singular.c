/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/singular.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

enum { STEPS = 400 };

/* Of residuals, relative to the largest eigenvalue. */
static const double TOLERANCE = 1e-6;

nnd_status nnd_singular_make(nnd_context *ctx, size_t rows, size_t cols, size_t count,
                             nnd_singular *s) {
    *s = (nnd_singular){.rows = rows, .cols = cols, .count = count};
    s->value = calloc(count, sizeof(double));
    s->right = calloc(count * cols, sizeof(double));
    s->left = calloc(rows, sizeof(double));
    if (s->value == NULL || s->right == NULL || s->left == NULL)
        return nnd_fail_memory(ctx, "the search for singular values");
    return nnd_lanczos_new(ctx, cols, cols < STEPS ? cols : STEPS, &s->lanczos);
}

void nnd_singular_clear(nnd_singular *s) {
    nnd_lanczos_free(s->lanczos);
    free(s->value);
    free(s->right);
    free(s->left);
    *s = (nnd_singular){0};
}

/* left = w x. */
static void image(const nnd_singular *s, const double *x) {
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)s->rows, (int)s->cols, 1.0, s->w, (int)s->cols, x,
                1, 0.0, s->left, 1);
}

/* y = w^T w x. */
static void gram(void *data, const double *x, double *y) {
    const nnd_singular *s = data;
    image(s, x);
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)s->rows, (int)s->cols, 1.0, s->w, (int)s->cols,
                s->left, 1, 0.0, y, 1);
}

static double squared_cosine(size_t n, const double *x, const double *y) {
    double dot = cblas_ddot((int)n, x, 1, y, 1);
    double norms = cblas_ddot((int)n, x, 1, x, 1) * cblas_ddot((int)n, y, 1, y, 1);
    return norms > 0.0 ? dot * dot / norms : 0.0;
}

/* The next search starts from the sum of the answers with a little of everything else. */
static void remember(const nnd_singular *s, size_t found, double *start) {
    cblas_dscal((int)s->cols, 1e-3, start, 1);
    for (size_t k = 0; k < found; k++)
        cblas_daxpy((int)s->cols, 1.0, s->right + k * s->cols, 1, start, 1);
}

nnd_status nnd_singular_largest(nnd_singular *s, const double *w, double scale, double *start,
                                double *value, nnd_singular_overlap right,
                                nnd_singular_overlap left) {
    size_t smaller = s->rows < s->cols ? s->rows : s->cols;
    size_t found = s->count < smaller ? s->count : smaller;
    s->w = w;
    nnd_status status = nnd_lanczos_largest(s->lanczos, gram, s, start, s->count, TOLERANCE,
                                            s->value, s->right, NULL);
    if (status < NND_OK)
        return status;
    for (size_t k = 0; k < s->count; k++) {
        const double *v = s->right + k * s->cols;
        value[k] = k < found ? scale * sqrt(fmax(0.0, s->value[k])) : NAN;
        if (right.vector != NULL)
            right.overlap[k] = k < found ? squared_cosine(s->cols, v, right.vector) : NAN;
        if (left.vector == NULL)
            continue;
        image(s, v);
        left.overlap[k] = k < found ? squared_cosine(s->rows, s->left, left.vector) : NAN;
    }
    remember(s, found, start);
    return NND_OK;
}
