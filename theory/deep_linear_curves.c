/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_curves.h"

#include <math.h>
#include <stdlib.h>

#include "core/largest.h"

nnd_status nnd_curves_make(nnd_context *ctx, size_t depth, size_t room, nnd_curves *c) {
    *c = (nnd_curves){.depth = depth, .columns = NND_SCALAR_CURVES + 2 * (depth + 1), .room = room};
    /* One row more, for what is only noted. */
    c->x = calloc((room + 1) * c->columns, sizeof *c->x);
    c->largest = calloc(c->columns, sizeof *c->largest);
    return c->x != NULL && c->largest != NULL ? NND_OK : nnd_fail_memory(ctx, "the curves");
}

void nnd_curves_clear(nnd_curves *c) {
    free(c->x);
    free(c->largest);
    *c = (nnd_curves){0};
}

void nnd_curves_note(nnd_curves *c, const nnd_small *n) {
    double *row = c->x + c->rows * c->columns, *g = row + NND_SCALAR_CURVES;
    row[NND_TEST_RISK] = nnd_small_test_risk(n);
    row[NND_TRAIN_MSE] = nnd_small_train_mse(n);
    row[NND_OVERLAP] = nnd_small_overlap(n);
    row[NND_BETA_NORM2] = nnd_small_beta_norm2(n);
    for (size_t l = 0; l <= c->depth; l++) {
        g[l] = nnd_small_g_norm2(n, l);
        g[c->depth + 1 + l] = nnd_small_h_norm2(n, l);
    }
    for (size_t i = 0; i < c->columns; i++)
        c->largest[i] = nnd_largest(c->largest[i], fabs(row[i]));
}

void nnd_curves_add(nnd_curves *c, const nnd_small *n) {
    nnd_curves_note(c, n);
    c->rows++;
}

double nnd_curves_at(const nnd_curves *c, size_t row, size_t column) {
    return c->x[row * c->columns + column];
}

static double column_difference(const nnd_curves *fine, size_t every, const nnd_curves *coarse,
                                size_t column) {
    double most = 0.0;
    for (size_t k = 0; k < coarse->rows; k++)
        most = nnd_largest(
            most, fabs(nnd_curves_at(fine, every * k, column) - nnd_curves_at(coarse, k, column)));
    return most == 0.0 ? 0.0 : most / fine->largest[column];
}

double nnd_curves_difference(const nnd_curves *fine, size_t every, const nnd_curves *coarse) {
    double worst = 0.0;
    if (coarse->rows > 0 && fine->rows <= every * (coarse->rows - 1))
        return INFINITY;
    for (size_t c = 0; c < fine->columns; c++)
        worst = nnd_largest(worst, column_difference(fine, every, coarse, c));
    return isnan(worst) ? INFINITY : worst;
}

static bool agree(const nnd_curves *a, const nnd_curves *b, size_t row, double most) {
    for (size_t c = 0; c < a->columns; c++)
        if (!(fabs(nnd_curves_at(a, row, c) - nnd_curves_at(b, row, c)) <= most * a->largest[c]))
            return false;
    return true;
}

size_t nnd_curves_agreeing(const nnd_curves *a, const nnd_curves *b, double most) {
    size_t rows = a->rows < b->rows ? a->rows : b->rows, row = 0;
    while (row < rows && agree(a, b, row, most))
        row++;
    return row;
}
