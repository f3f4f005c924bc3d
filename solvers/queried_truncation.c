/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What dropped residues take from the updates of a queried matrix (wide-mlp.md#eq13). */
#include <math.h>

#include "solvers/queried_impl.h"

void nnd_queried_note_lost(nnd_queried *m, size_t n, const double *weight) {
    for (int d = 0; d < 2; d++) {
        nnd_queries *s = &m->side[d];
        const nnd_split *other = m->side[1 - d].split;
        for (size_t i = 0; i < n; i++)
            s->lost.x[s->split[i].rank] += fabs(weight[i]) * other[i].length * s->split[i].dropped;
    }
}

/* sum_k lost_k times the length of vector i outside the first k directions. */
static double felt(const nnd_queries *s, size_t i) {
    const double *coef = s->coef.row + i * s->coef_ld;
    double outside = s->split[i].dropped * s->split[i].dropped, sum = 0.0;
    for (size_t k = s->direction.vector.count + 1; k-- > 0;) {
        sum += s->lost.x[k] * sqrt(outside);
        if (k > 0)
            outside += coef[k - 1] * coef[k - 1];
    }
    return sum;
}

void nnd_queried_truncation(const nnd_queried *m, size_t n, double *error) {
    const nnd_queries *f = &m->side[NND_FORWARD], *b = &m->side[NND_BACKWARD];
    for (size_t i = 0; i < n; i++)
        error[i] += b->split[i].length * felt(f, i) + f->split[i].length * felt(b, i);
}
