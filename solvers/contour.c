/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/contour.h"

#include <complex.h>
#include <math.h>

/* phi in x = mu (1 + sin(iu - phi)): that for which the error falls fastest,
 * (pi^2 - 2 pi phi)/reach(phi) largest, for windows of NND_WINDOW. */
static const double ANGLE = 1.0407545;

/* The largest u. */
static double reach(void) {
    double numerator = (M_PI - 2.0 * ANGLE) * NND_WINDOW + 4.0 * ANGLE - M_PI;
    return acosh(numerator / ((4.0 * ANGLE - M_PI) * sin(ANGLE)));
}

/* mu times `from`. */
static double scale(size_t count) {
    return (4.0 * M_PI * ANGLE - M_PI * M_PI) * (double)count / (reach() * NND_WINDOW);
}

void nnd_hyperbola(size_t count, double from, double complex *x, double complex *weight) {
    double step = reach() / (double)count, mu = scale(count) / from;
    for (size_t j = 0; j < count; j++) {
        double complex angle = I * ((double)j + 0.5) * step - ANGLE;
        x[j] = mu * (1.0 + csin(angle));
        weight[j] = step / (2.0 * M_PI) * mu * ccos(angle);
    }
}

static double complex last_node(size_t count) {
    double u = reach() * (1.0 - 0.5 / (double)count);
    return scale(count) * (1.0 + csin(I * u - ANGLE));
}

double nnd_hyperbola_height(size_t count) {
    return cimag(last_node(count));
}

double nnd_hyperbola_depth(size_t count) {
    return -creal(last_node(count));
}

void nnd_circle(size_t count, double alias, double complex *x, double complex *weight) {
    double radius = -log(alias) / (double)count;
    for (size_t j = 0; j < count / 2; j++) {
        x[j] = radius + I * 2.0 * M_PI * ((double)j + 0.5) / (double)count;
        weight[j] = 1.0 / (double)count;
    }
}
