/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/block_products.h"

#include <stdbool.h>
#include <string.h>

#include "core/vector.h"

/* Sites are worked through in tiles. Of a tile the few vectors are copied side by side into the
 * first cache: rows of sites lie a power of two apart, where they would push each other out. The
 * many vectors are taken four by four, so that what is loaded is used four times. */
enum { TILE = 512, FOUR = 4 };
/* So many of the few at once: more would not stay in the cache. */
enum { FEW = 32 };

/* The few vectors, over one tile. */
typedef struct {
    double row[FEW][TILE] __attribute__((aligned(64)));
} few;

static void copy_in(size_t n, const double *v, size_t sites, size_t length, few *tile) {
    for (size_t i = 0; i < n; i++)
        memcpy(tile->row[i], v + i * sites, length * sizeof *v);
}

static void copy_out(size_t n, const few *tile, size_t sites, size_t length, double *v) {
    for (size_t i = 0; i < n; i++)
        memcpy(v + i * sites, tile->row[i], length * sizeof *v);
}

/* Loads what stays in a register: gcc would rather load it anew wherever it is used. */
static inline __attribute__((always_inline)) void load(const double *x, nnd_vector *v) {
    *v = *(const nnd_vector *)x;
#if defined(__AVX512F__)
    __asm__("" : "+v"(*v));
#endif
}

/* Some of the many, over one tile, and those that come next. */
typedef struct {
    size_t sites, length;
    const double *b, *next;
} many;

/* out += weight times the rows x cols products; rows and cols are constants where this is called.
 * `first`: nobody has asked yet for what comes next. */
static inline __attribute__((always_inline)) void inner_tile(size_t rows, size_t cols, bool first,
                                                             const double *a, const many *m,
                                                             double weight, double *out,
                                                             size_t ld) {
    nnd_vector sum[FOUR][FOUR] = {{{0}}};
    size_t s = 0, sites = m->sites;
    const double *b = m->b, *next = m->next;
    for (; s + NND_VECTOR <= m->length; s += NND_VECTOR) {
        nnd_vector x[FOUR];
        for (size_t i = 0; i < rows; i++)
            load(a + i * TILE + s, &x[i]);
        for (size_t j = 0; j < cols; j++) {
            nnd_vector y;
            load(b + j * sites + s, &y);
            if (first)
                __builtin_prefetch(next + j * sites + s);
            for (size_t i = 0; i < rows; i++)
                sum[i][j] += x[i] * y;
        }
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
            double total = 0.0;
            for (int k = 0; k < NND_VECTOR; k++)
                total += sum[i][j][k];
            for (size_t rest = s; rest < m->length; rest++)
                total += a[i * TILE + rest] * b[j * sites + rest];
            out[i * ld + j] += weight * total;
        }
}

/* rows of out += factor times coefficients times the cols vectors. */
static inline __attribute__((always_inline)) void combine_tile(size_t rows, size_t cols, bool first,
                                                               const double *coef, size_t ld,
                                                               const many *m, double factor,
                                                               double *out) {
    double c[FOUR][FOUR];
    size_t s = 0, sites = m->sites;
    const double *b = m->b, *next = m->next;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            c[i][j] = factor * coef[i * ld + j];
    for (; s + NND_VECTOR <= m->length; s += NND_VECTOR) {
        nnd_vector y[FOUR];
        for (size_t j = 0; j < cols; j++) {
            load(b + j * sites + s, &y[j]);
            if (first)
                __builtin_prefetch(next + j * sites + s);
        }
        for (size_t i = 0; i < rows; i++) {
            nnd_vector x = *(const nnd_vector *)(out + i * TILE + s);
            for (size_t j = 0; j < cols; j++)
                x += c[i][j] * y[j];
            *(nnd_vector *)(out + i * TILE + s) = x;
        }
    }
    for (; s < m->length; s++)
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < cols; j++)
                out[i * TILE + s] += c[i][j] * b[j * sites + s];
}

/* All of the n few with some of the many. */
static inline __attribute__((always_inline)) void inner_columns(size_t cols, size_t n, const few *a,
                                                                const many *m, double weight,
                                                                double *out, size_t ld) {
    size_t i = 0;
    const double *row = a->row[0];
    for (; i + FOUR <= n; i += FOUR, row += FOUR * TILE, out += FOUR * ld)
        if (i == 0)
            inner_tile(FOUR, cols, true, row, m, weight, out, ld);
        else
            inner_tile(FOUR, cols, false, row, m, weight, out, ld);
    if (n - i == 3)
        inner_tile(3, cols, true, row, m, weight, out, ld);
    else if (n - i == 2)
        inner_tile(2, cols, true, row, m, weight, out, ld);
    else if (n - i == 1)
        inner_tile(1, cols, true, row, m, weight, out, ld);
}

static inline __attribute__((always_inline)) void combine_columns(size_t cols, size_t n,
                                                                  const double *coef, size_t ld,
                                                                  const many *m, double factor,
                                                                  few *out) {
    size_t i = 0;
    double *row = out->row[0];
    for (; i + FOUR <= n; i += FOUR, row += FOUR * TILE, coef += FOUR * ld)
        if (i == 0)
            combine_tile(FOUR, cols, true, coef, ld, m, factor, row);
        else
            combine_tile(FOUR, cols, false, coef, ld, m, factor, row);
    if (n - i == 3)
        combine_tile(3, cols, true, coef, ld, m, factor, row);
    else if (n - i == 2)
        combine_tile(2, cols, true, coef, ld, m, factor, row);
    else if (n - i == 1)
        combine_tile(1, cols, true, coef, ld, m, factor, row);
}

/* Those of the m many from number j on, over the tile at site `first`; the last four ask for
 * themselves. */
static many some(size_t cols, size_t j, size_t m, const double *b, size_t sites, size_t first,
                 size_t length) {
    size_t next = j + 2 * cols <= m ? j + cols : j;
    return (many){sites, length, b + j * sites + first, b + next * sites + first};
}

static void inner_all(size_t n, const few *a, size_t m, const double *b, size_t sites, size_t first,
                      size_t length, double weight, double *out, size_t ld) {
    size_t j = 0;
    for (; j + FOUR <= m; j += FOUR) {
        many four = some(FOUR, j, m, b, sites, first, length);
        inner_columns(FOUR, n, a, &four, weight, out + j, ld);
    }
    for (; j < m; j++) {
        many one = some(1, j, m, b, sites, first, length);
        inner_columns(1, n, a, &one, weight, out + j, ld);
    }
}

static void combine_all(size_t n, const double *coef, size_t ld, size_t m, const double *b,
                        size_t sites, size_t first, size_t length, double factor, few *out) {
    size_t j = 0;
    for (; j + FOUR <= m; j += FOUR) {
        many four = some(FOUR, j, m, b, sites, first, length);
        combine_columns(FOUR, n, coef + j, ld, &four, factor, out);
    }
    for (; j < m; j++) {
        many one = some(1, j, m, b, sites, first, length);
        combine_columns(1, n, coef + j, ld, &one, factor, out);
    }
}

static void set_zero(size_t n, size_t m, double *x, size_t ld) {
    for (size_t i = 0; i < n; i++)
        memset(x + i * ld, 0, m * sizeof *x);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Of a Gram matrix only what is not beyond the diagonal block is summed; the rest is copied. */
static void gram(size_t n, const double *a, size_t sites, double weight, double *out, size_t ld) {
    for (size_t i = 0; i < n; i += FEW) {
        size_t rows = least(FEW, n - i);
        nnd_block_add_inner(rows, a + i * sites, i + rows, a, sites, weight, out + i * ld, ld);
        for (size_t j = 0; j < i; j++)
            for (size_t k = i; k < i + rows; k++)
                out[j * ld + k] = out[k * ld + j];
    }
}

void nnd_block_inner(size_t n, const double *a, size_t m, const double *b, size_t sites,
                     double weight, double *out, size_t ld) {
    set_zero(n, m, out, ld);
    if (a == b && n == m)
        gram(n, a, sites, weight, out, ld);
    else
        nnd_block_add_inner(n, a, m, b, sites, weight, out, ld);
}

void nnd_block_add_inner(size_t n, const double *a, size_t m, const double *b, size_t sites,
                         double weight, double *out, size_t ld) {
    few tile;
    for (size_t i = 0; i < n; i += FEW)
        for (size_t first = 0; first < sites; first += TILE) {
            size_t rows = least(FEW, n - i), length = least(TILE, sites - first);
            copy_in(rows, a + i * sites + first, sites, length, &tile);
            inner_all(rows, &tile, m, b, sites, first, length, weight, out + i * ld, ld);
        }
}

void nnd_block_combine(size_t n, const double *coef, size_t ld, size_t m, const double *b,
                       size_t sites, double factor, double *out) {
    few tile;
    for (size_t i = 0; i < n; i += FEW)
        for (size_t first = 0; first < sites; first += TILE) {
            size_t rows = least(FEW, n - i), length = least(TILE, sites - first);
            double *v = out + i * sites + first;
            copy_in(rows, v, sites, length, &tile);
            combine_all(rows, coef + i * ld, ld, m, b, sites, first, length, factor, &tile);
            copy_out(rows, &tile, sites, length, v);
        }
}

void nnd_block_project(size_t n, const double *coef, size_t m, const double *b, size_t sites,
                       double weight, double *v, double *left) {
    few tile;
    set_zero(n, m, left, m);
    for (size_t i = 0; i < n; i += FEW)
        for (size_t first = 0; first < sites; first += TILE) {
            size_t rows = least(FEW, n - i), length = least(TILE, sites - first);
            double *own = v + i * sites + first;
            copy_in(rows, own, sites, length, &tile);
            combine_all(rows, coef + i * m, m, m, b, sites, first, length, -1.0, &tile);
            inner_all(rows, &tile, m, b, sites, first, length, weight, left + i * m, m);
            copy_out(rows, &tile, sites, length, own);
        }
}
