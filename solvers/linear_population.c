/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "nndmft/solvers/linear_population.h"

/* Taylor coefficients along one initial value: x + d eps + s eps^2. */
typedef struct {
    double x, d, s;
} jet;

static jet times(jet p, jet q) {
    return (jet){p.x * q.x, p.x * q.d + p.d * q.x, p.x * q.s + p.d * q.d + p.s * q.x};
}

static jet combine(double a, jet p, double b, jet q) {
    return (jet){a * p.x + b * q.x, a * p.d + b * q.d, a * p.s + b * q.s};
}

/* a+ = a (1 + c Delta)^2 with c of either sign. */
static jet grow(jet a, double c, jet delta) {
    jet factor = {1.0 + c * delta.x, c * delta.d, c * delta.s};
    return times(times(factor, factor), a);
}

/* Adds what the fluctuation of one initial value contributes: its N variance is 2, so that a
 * quantity has the N variance 2 d^2 and the N bias (1/2) 2 (2 s). */
static void add_direction(jet delta, jet ntk, double gram, nnd_linear_point *p) {
    p->delta = delta.x;
    p->ntk = gram * ntk.x;
    p->delta_nvar += 2.0 * delta.d * delta.d;
    p->ntk_nvar += 2.0 * gram * gram * ntk.d * ntk.d;
    p->delta_ntk_ncov += 2.0 * gram * delta.d * ntk.d;
    p->delta_bias += 2.0 * delta.s;
    p->ntk_bias += 2.0 * gram * ntk.s;
}

void nnd_linear_single(double gram, double target, double gamma0, double lr, bool center,
                       size_t steps, nnd_linear_point *out) {
    const jet one = {1.0, 0.0, 0.0}, moving = {1.0, 1.0, 0.0};
    double gamma = gamma0 / sqrt(gram), c = lr * gram * gamma;
    for (size_t t = 0; t <= steps; t++)
        out[t] = (nnd_linear_point){0};
    for (int direction = 0; direction < 2; direction++) {
        jet a = direction == 0 ? moving : one, b = direction == 0 ? one : moving;
        jet start = combine(0.5 / gamma, a, -0.5 / gamma, b);
        for (size_t t = 0; t <= steps; t++) {
            jet f = combine(0.5 / gamma, a, -0.5 / gamma, b);
            jet delta = combine(-1.0, f, center ? 1.0 : 0.0, start);
            delta.x += target;
            add_direction(delta, combine(1.0, a, 1.0, b), gram, &out[t]);
            a = grow(a, c, delta);
            b = grow(b, -c, delta);
        }
    }
}
