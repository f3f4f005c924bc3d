/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/block_products.h"

#include <cblas.h>

/* Sites are worked through in tiles that stay in the first cache; in each, vectors are taken four
 * by four, so that what is loaded is used four times. */
enum { TILE = 512, FOUR = 4, LANES = 8 };
/* From this width on dgemm is as fast. */
enum { WIDE = 16 };

typedef double vec __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double))));

/* Adds weight times the rows x cols products over one tile; rows and cols are constants where this
 * is called. */
static inline __attribute__((always_inline)) void
inner_tile(size_t rows, size_t cols, const double *a, const double *b, size_t sites, size_t length,
           double weight, double *out, size_t ld) {
    vec sum[FOUR][FOUR] = {{{0}}};
    size_t s = 0;
    for (; s + LANES <= length; s += LANES) {
        vec x[FOUR];
        for (size_t i = 0; i < rows; i++)
            x[i] = *(const vec *)(a + i * sites + s);
        for (size_t j = 0; j < cols; j++) {
            vec y = *(const vec *)(b + j * sites + s);
            for (size_t i = 0; i < rows; i++)
                sum[i][j] += x[i] * y;
        }
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
            double total = 0.0;
            for (int lane = 0; lane < LANES; lane++)
                total += sum[i][j][lane];
            for (size_t rest = s; rest < length; rest++)
                total += a[i * sites + rest] * b[j * sites + rest];
            out[i * ld + j] += weight * total;
        }
}

/* Four vectors of b, or one. */
static inline __attribute__((always_inline)) void
inner_columns(size_t cols, size_t n, const double *a, const double *b, size_t sites, size_t length,
              double weight, double *out, size_t ld) {
    size_t i = 0;
    for (; i + FOUR <= n; i += FOUR)
        inner_tile(FOUR, cols, a + i * sites, b, sites, length, weight, out + i * ld, ld);
    const double *rest = a + i * sites;
    if (n - i == 3)
        inner_tile(3, cols, rest, b, sites, length, weight, out + i * ld, ld);
    else if (n - i == 2)
        inner_tile(2, cols, rest, b, sites, length, weight, out + i * ld, ld);
    else if (n - i == 1)
        inner_tile(1, cols, rest, b, sites, length, weight, out + i * ld, ld);
}

void nnd_block_inner(size_t n, const double *a, size_t m, const double *b, size_t sites,
                     double weight, double *out, size_t ld) {
    if (n >= WIDE && m >= WIDE) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)m, (int)sites, weight, a,
                    (int)sites, b, (int)sites, 0.0, out, (int)ld);
        return;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            out[i * ld + j] = 0.0;
    for (size_t first = 0; first < sites; first += TILE) {
        size_t length = sites - first < TILE ? sites - first : TILE, j = 0;
        for (; j + FOUR <= m; j += FOUR)
            inner_columns(FOUR, n, a + first, b + j * sites + first, sites, length, weight, out + j,
                          ld);
        for (; j < m; j++)
            inner_columns(1, n, a + first, b + j * sites + first, sites, length, weight, out + j,
                          ld);
    }
}

/* out (rows) += coefficients times cols vectors, over one tile. */
static inline __attribute__((always_inline)) void
combine_tile(size_t rows, size_t cols, const double *coef, size_t ld, const double *b, size_t sites,
             size_t length, double factor, double *out) {
    double c[FOUR][FOUR];
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            c[i][j] = factor * coef[i * ld + j];
    size_t s = 0;
    for (; s + LANES <= length; s += LANES) {
        vec y[FOUR];
        for (size_t j = 0; j < cols; j++)
            y[j] = *(const vec *)(b + j * sites + s);
        for (size_t i = 0; i < rows; i++) {
            vec x = *(const vec *)(out + i * sites + s);
            for (size_t j = 0; j < cols; j++)
                x += c[i][j] * y[j];
            *(vec *)(out + i * sites + s) = x;
        }
    }
    for (; s < length; s++)
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < cols; j++)
                out[i * sites + s] += c[i][j] * b[j * sites + s];
}

static inline __attribute__((always_inline)) void
combine_columns(size_t cols, size_t n, const double *coef, size_t ld, const double *b, size_t sites,
                size_t length, double factor, double *out) {
    size_t i = 0;
    for (; i + FOUR <= n; i += FOUR)
        combine_tile(FOUR, cols, coef + i * ld, ld, b, sites, length, factor, out + i * sites);
    coef += i * ld;
    out += i * sites;
    if (n - i == 3)
        combine_tile(3, cols, coef, ld, b, sites, length, factor, out);
    else if (n - i == 2)
        combine_tile(2, cols, coef, ld, b, sites, length, factor, out);
    else if (n - i == 1)
        combine_tile(1, cols, coef, ld, b, sites, length, factor, out);
}

void nnd_block_combine(size_t n, const double *coef, size_t ld, size_t m, const double *b,
                       size_t sites, double factor, double *out) {
    if (n >= WIDE && m >= WIDE) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)sites, (int)m, factor,
                    coef, (int)ld, b, (int)sites, 1.0, out, (int)sites);
        return;
    }
    for (size_t first = 0; first < sites; first += TILE) {
        size_t length = sites - first < TILE ? sites - first : TILE, j = 0;
        for (; j + FOUR <= m; j += FOUR)
            combine_columns(FOUR, n, coef + j, ld, b + j * sites + first, sites, length, factor,
                            out + first);
        for (; j < m; j++)
            combine_columns(1, n, coef + j, ld, b + j * sites + first, sites, length, factor,
                            out + first);
    }
}

void nnd_block_project(size_t n, const double *coef, size_t m, const double *b, size_t sites,
                       double weight, double *v, double *left) {
    for (size_t i = 0; i < n * m; i++)
        left[i] = 0.0;
    for (size_t first = 0; first < sites; first += TILE) {
        size_t length = sites - first < TILE ? sites - first : TILE, j = 0;
        const double *tile = b + first;
        for (; j + FOUR <= m; j += FOUR)
            combine_columns(FOUR, n, coef + j, m, tile + j * sites, sites, length, -1.0, v + first);
        for (; j < m; j++)
            combine_columns(1, n, coef + j, m, tile + j * sites, sites, length, -1.0, v + first);
        for (j = 0; j + FOUR <= m; j += FOUR)
            inner_columns(FOUR, n, v + first, tile + j * sites, sites, length, weight, left + j, m);
        for (; j < m; j++)
            inner_columns(1, n, v + first, tile + j * sites, sites, length, weight, left + j, m);
    }
}
