/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * With F = A/sqrt N, descent of the population begins along g = Lambda w, and goes on to h =
 * Lambda g. Over projections, and over samples psi with targets y,
 *     <|F g|^2> = |g|^2,   <F g . F h> = g . h,   <|F h|^2> = |h|^2,
 *     <y^2> = L(0),   <y psi . g> = |g|^2,   <(psi . g)^2> = g . h.
 */
#include "validate/scaling_control.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

enum { OF_PROJECTIONS = 3, OF_SAMPLES = 3 };

size_t nnd_scaling_controls(const nnd_scaling_laws *p) {
    size_t of_projections = isinf(p->width) ? 0 : OF_PROJECTIONS;
    size_t of_samples = isinf(p->samples) ? 0 : OF_SAMPLES;
    return p->control ? of_projections + of_samples : 0;
}

/* What a target of 0 has in place of a ratio to the mean does not vary. */
static double relative(double value, double mean) {
    return mean > 0.0 ? value / mean - 1.0 : 0.0;
}

/* Adds the part of each projection, of which there are two. */
static void add_projection(const nnd_scaling_task *t, const double *f, double *control) {
    double gg = 0.0, gh = 0.0, hh = 0.0, fgfg = 0.0, fgfh = 0.0, fhfh = 0.0;
    for (size_t k = 0; k < t->modes; k++) {
        double g = t->lambda[k] * t->w[k], h = t->lambda[k] * g;
        gg += g * g;
        gh += g * h;
        hh += h * h;
    }
    for (size_t i = 0; i < t->width; i++) {
        double fg = 0.0, fh = 0.0;
        for (size_t k = 0; k < t->modes; k++) {
            double term = f[i * t->modes + k] * t->lambda[k] * t->w[k];
            fg += term;
            fh += term * t->lambda[k];
        }
        fgfg += fg * fg;
        fgfh += fg * fh;
        fhfh += fh * fh;
    }
    control[0] += 0.5 * relative(fgfg, gg);
    control[1] += 0.5 * relative(fgfh, gh);
    control[2] += 0.5 * relative(fhfh, hh);
}

/* The same of each set of samples. */
static void add_samples(const nnd_scaling_task *t, const double *psi, const double *y,
                        double *control) {
    double gg = 0.0, gh = 0.0, yy = 0.0, yg = 0.0, xx = 0.0, p = (double)t->samples;
    for (size_t k = 0; k < t->modes; k++) {
        double g = t->lambda[k] * t->w[k];
        gg += g * g;
        gh += g * g * t->lambda[k];
    }
    for (size_t mu = 0; mu < t->samples; mu++) {
        double x = 0.0;
        for (size_t k = 0; k < t->modes; k++)
            x += psi[mu * t->modes + k] * t->lambda[k] * t->w[k];
        yy += y[mu] * y[mu] / p;
        yg += y[mu] * x / p;
        xx += x * x / p;
    }
    control[0] += 0.5 * relative(yy, t->start2);
    control[1] += 0.5 * relative(yg, gg);
    control[2] += 0.5 * relative(xx, gh);
}

void nnd_scaling_control(const nnd_scaling_task *t, double *control) {
    size_t first = t->width > 0 ? OF_PROJECTIONS : 0;
    for (size_t c = 0; c < first + (t->samples > 0 ? OF_SAMPLES : 0); c++)
        control[c] = 0.0;
    for (size_t i = 0; t->width > 0 && i < 2; i++)
        add_projection(t, t->a[i], control);
    for (size_t j = 0; t->samples > 0 && j < 2; j++)
        add_samples(t, t->psi[j], t->y[j], control + first);
}
