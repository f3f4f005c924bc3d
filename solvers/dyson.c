/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/number.h"
#include "nndmft/solvers/dyson_program.h"
#include "solvers/dyson_impl.h"

nnd_dyson *nnd_dyson_new(void) {
    nnd_dyson *p = calloc(1, sizeof *p);
    if (p != NULL)
        p->u = p->v = NO_BLOCK;
    return p;
}

void nnd_dyson_free(nnd_dyson *p) {
    if (p == NULL)
        return;
    for (size_t a = 0; a < p->matrices; a++)
        free(p->matrix[a].entry);
    free(p->space);
    free(p->block);
    free(p->matrix);
    free(p->coupling);
    free(p->s);
    free(p->weight);
    free(p);
}

/* Notes a mistake, of which the first is kept. */
__attribute__((format(printf, 2, 3))) static void note(nnd_dyson *p, const char *format, ...) {
    if (p->wrong[0] != '\0')
        return;
    va_list args;
    va_start(args, format);
    nnd_vformat(p->wrong, sizeof p->wrong, format, args);
    va_end(args);
}

/* A list with room for one more thing; NULL, the list left alone, when out of memory. */
static void *longer(nnd_dyson *p, void *list, size_t count, size_t size) {
    void *grown = realloc(list, (count + 1) * size);
    if (grown == NULL)
        p->no_memory = true;
    return grown;
}

static bool has_space(nnd_dyson *p, size_t space) {
    if (space >= p->spaces)
        note(p, "a pencil: there is no space %zu", space);
    return space < p->spaces;
}

static bool has_block(nnd_dyson *p, size_t block) {
    if (block >= p->blocks)
        note(p, "a pencil: there is no block %zu", block);
    return block < p->blocks;
}

size_t nnd_dyson_space(nnd_dyson *p, double n) {
    if (!(n > 0.0 && n < INFINITY))
        note(p, "a pencil: the dimension of a space is %.10g; it must be above 0", n);
    dyson_space *grown = longer(p, p->space, p->spaces, sizeof *grown);
    if (grown == NULL)
        return NO_BLOCK;
    p->space = grown;
    grown[p->spaces] = (dyson_space){n, 0};
    return p->spaces++;
}

size_t nnd_dyson_block(nnd_dyson *p, size_t space, double l) {
    if (l != 0.0 && l != 1.0)
        note(p, "a pencil: L of a block is %.10g; it must be 0 or 1", l);
    if (!has_space(p, space))
        return NO_BLOCK;
    dyson_block *grown = longer(p, p->block, p->blocks, sizeof *grown);
    if (grown == NULL)
        return NO_BLOCK;
    p->block = grown;
    grown[p->blocks] = (dyson_block){space, p->space[space].blocks++, l, NO_BLOCK};
    return p->blocks++;
}

static size_t add_matrix(nnd_dyson *p, size_t rows, size_t cols, bool fixed, double v) {
    if (!has_space(p, rows) || !has_space(p, cols))
        return NO_BLOCK;
    dyson_matrix *grown = longer(p, p->matrix, p->matrices, sizeof *grown);
    if (grown == NULL)
        return NO_BLOCK;
    p->matrix = grown;
    grown[p->matrices] = (dyson_matrix){.rows = rows, .cols = cols, .fixed = fixed, .v = v};
    return p->matrices++;
}

size_t nnd_dyson_random(nnd_dyson *p, size_t rows, size_t cols, double v) {
    if (!(v >= 0.0 && v < INFINITY))
        note(p, "a pencil: a variance is %.10g; it must be at least 0", v);
    return add_matrix(p, rows, cols, false, v);
}

/* Copies the law of the singular values. */
static void set_law(nnd_dyson *p, size_t count, const double *s, const double *weight,
                    double most) {
    const double rounding = 1e-12;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!(s[i] >= 0.0 && s[i] < INFINITY && weight[i] >= 0.0))
            note(p,
                 "a pencil: singular value %zu is %.10g with weight %.10g; both must be "
                 "at least 0",
                 i, s[i], weight[i]);
        sum += weight[i];
    }
    if (!(sum <= most * (1.0 + rounding)))
        note(p, "a pencil: weights of singular values sum to %.10g; there are %.10g of them", sum,
             most);
    p->s = calloc(count + 1, sizeof *p->s);
    p->weight = calloc(count + 1, sizeof *p->weight);
    if (p->s == NULL || p->weight == NULL) {
        p->no_memory = true;
        return;
    }
    p->atoms = count;
    for (size_t i = 0; i < count; i++) {
        p->s[i] = s[i];
        p->weight[i] = weight[i];
    }
}

size_t nnd_dyson_fixed(nnd_dyson *p, size_t rows, size_t cols, size_t count, const double *s,
                       const double *weight) {
    if (p->s != NULL || p->weight != NULL)
        note(p, "a pencil: there is a deterministic matrix already");
    else if (rows == cols)
        note(p, "a pencil: the deterministic matrix is between two different spaces");
    else if (has_space(p, rows) && has_space(p, cols))
        set_law(p, count, s, weight, fmin(p->space[rows].n, p->space[cols].n));
    return add_matrix(p, rows, cols, true, 0.0);
}

void nnd_dyson_enter(nnd_dyson *p, size_t matrix, size_t i, size_t j, double alpha) {
    if (matrix >= p->matrices)
        note(p, "a pencil: there is no matrix %zu", matrix);
    if (matrix >= p->matrices || !has_block(p, i) || !has_block(p, j))
        return;
    dyson_matrix *a = &p->matrix[matrix];
    if (p->block[i].space != a->rows || p->block[j].space != a->cols || !isfinite(alpha))
        note(p, "a pencil: matrix %zu does not fit at blocks (%zu, %zu), times %.10g", matrix, i, j,
             alpha);
    dyson_entry *grown = longer(p, a->entry, a->entries, sizeof *grown);
    if (grown == NULL)
        return;
    a->entry = grown;
    grown[a->entries++] = (dyson_entry){i, j, alpha};
}

void nnd_dyson_couple(nnd_dyson *p, size_t i, size_t j, double kappa) {
    if (!has_block(p, i) || !has_block(p, j))
        return;
    if (p->block[i].space != p->block[j].space || !isfinite(kappa))
        note(p, "a pencil: K couples blocks %zu and %zu of different spaces, or %.10g", i, j,
             kappa);
    dyson_coupling *grown = longer(p, p->coupling, p->couplings, sizeof *grown);
    if (grown == NULL)
        return;
    p->coupling = grown;
    grown[p->couplings++] = (dyson_coupling){i, j, kappa};
}

void nnd_dyson_hermitised(nnd_dyson *p, size_t u, size_t v) {
    if (!has_block(p, u) || !has_block(p, v))
        return;
    if (p->block[u].l != 1.0 || p->block[v].l != 1.0 || u == v)
        note(p, "a pencil: blocks %zu and %zu are not two with L = 1", u, v);
    p->u = u;
    p->v = v;
}

void nnd_dyson_size(const nnd_dyson *p, size_t *blocks, size_t *unknowns) {
    *blocks = p->blocks;
    *unknowns = 0;
    for (size_t s = 0; s < p->spaces; s++)
        *unknowns += p->space[s].blocks * p->space[s].blocks;
}

nnd_status nnd_dyson_check(nnd_context *ctx, const nnd_dyson *p) {
    if (p->no_memory)
        return nnd_fail_memory(ctx, "a pencil");
    if (p->wrong[0] != '\0')
        return nnd_fail(ctx, NND_E_INPUT, "%s", p->wrong);
    if (p->u == NO_BLOCK || p->v == NO_BLOCK)
        return nnd_fail(ctx, NND_E_INPUT, "a pencil: it is not said which blocks are u and v");
    return NND_OK;
}

/* ---- programs ---- */

size_t nnd_dyson_input(nnd_dyson *p, size_t space) {
    size_t v = nnd_dyson_block(p, space, 1.0);
    p->v = v;
    return v;
}

/* A vector and the multiplier in whose row its terms stand. */
static size_t with_multiplier(nnd_dyson *p, size_t space, double diagonal) {
    size_t h = nnd_dyson_block(p, space, 0.0), l = nnd_dyson_block(p, space, 0.0);
    if (h == NO_BLOCK || l == NO_BLOCK)
        return NO_BLOCK;
    p->block[h].row = l;
    if (diagonal != 0.0)
        nnd_dyson_couple(p, l, h, diagonal);
    return h;
}

size_t nnd_dyson_vector(nnd_dyson *p, size_t space) {
    return with_multiplier(p, space, -1.0);
}

size_t nnd_dyson_unknown(nnd_dyson *p, size_t space) {
    return with_multiplier(p, space, 0.0);
}

size_t nnd_dyson_output(nnd_dyson *p, size_t space) {
    size_t u = nnd_dyson_block(p, space, 1.0);
    if (u != NO_BLOCK)
        p->block[u].row = u;
    if (p->u != NO_BLOCK || p->v == NO_BLOCK)
        note(p, "a program: it has one output, after its input");
    else
        nnd_dyson_hermitised(p, u, p->v);
    return u;
}

/* The row of a vector; NO_BLOCK, with the mistake noted, if it has none. */
static size_t row_of(nnd_dyson *p, size_t vector) {
    if (!has_block(p, vector))
        return NO_BLOCK;
    if (p->block[vector].row == NO_BLOCK)
        note(p, "a program: terms are added to %zu, which is no vector", vector);
    return p->block[vector].row;
}

void nnd_dyson_add(nnd_dyson *p, size_t vector, double factor, size_t matrix, size_t source) {
    size_t row = row_of(p, vector);
    if (row == NO_BLOCK)
        return;
    if (matrix == NND_DYSON_IDENTITY)
        nnd_dyson_couple(p, row, source, factor);
    else
        nnd_dyson_enter(p, matrix, row, source, factor);
}

void nnd_dyson_add_transposed(nnd_dyson *p, size_t vector, double factor, size_t matrix,
                              size_t source) {
    size_t row = row_of(p, vector);
    if (row != NO_BLOCK)
        nnd_dyson_enter(p, matrix, source, row, factor);
}
