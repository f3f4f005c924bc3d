/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/rkc.h"

#include <math.h>

/* Damping, at which s stages reach (s^2 - 1)/1.54. */
static const double DAMPING = 2.0 / 13.0;

size_t nnd_rkc_stages(double reach) {
    double stages = ceil(sqrt(1.0 + 1.54 * reach));
    return stages > 2.0 ? (size_t)stages : 2;
}

/* Chebyshev polynomial and two derivatives at w0, from the last two: newest last. */
static void raise(nnd_rkc *m) {
    double w = 2.0 * m->w0;
    double t = w * m->t[1] - m->t[0];
    double d = 2.0 * m->t[1] + w * m->d[1] - m->d[0];
    double e = 4.0 * m->d[1] + w * m->e[1] - m->e[0];
    m->t[0] = m->t[1];
    m->d[0] = m->d[1];
    m->e[0] = m->e[1];
    m->t[1] = t;
    m->d[1] = d;
    m->e[1] = e;
}

static void restart(nnd_rkc *m) {
    m->t[0] = m->d[1] = 1.0;
    m->t[1] = m->w0;
    m->d[0] = m->e[0] = m->e[1] = 0.0;
}

nnd_rkc nnd_rkc_begin(size_t stages) {
    double s = (double)stages;
    nnd_rkc m = {.stages = stages, .stage = 1, .w0 = 1.0 + DAMPING / (s * s)};
    restart(&m);
    raise(&m);
    m.b[0] = m.b[1] = m.e[1] / (m.d[1] * m.d[1]); /* b_0 = b_1 = b_2 */
    for (size_t j = 3; j <= stages; j++)
        raise(&m);
    m.w1 = m.d[1] / m.e[1];
    restart(&m);
    m.a = 1.0 - m.b[1] * m.w0;
    return m;
}

nnd_rkc_stage nnd_rkc_next(nnd_rkc *m) {
    if (m->stage++ == 1)
        return (nnd_rkc_stage){.mu_t = m->b[1] * m->w1};
    raise(m);
    double b = m->e[1] / (m->d[1] * m->d[1]);
    nnd_rkc_stage c = {
        .mu = 2.0 * b * m->w0 / m->b[1], .nu = -b / m->b[0], .mu_t = 2.0 * b * m->w1 / m->b[1]};
    c.gamma_t = -m->a * c.mu_t;
    m->a = 1.0 - b * m->t[1];
    m->b[0] = m->b[1];
    m->b[1] = b;
    return c;
}
