/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A network of N independent neurons (w, h), h ~ N(0, K^x), w ~ N(0, 1), has the output
 * f = sum w phi(h)/(gamma0 N) and the kernel K = (1/N) sum k with k = phi phi + w^2 phi' phi' K^x.
 * Along directions u, v over samples and with F = gamma0 sqrt(N) f
 *     <F_u F_v> = u'Phi v,   <K> = Phi + <phi' phi'> K^x,   <F_u (K_uu - <K_uu>)> = 0 (w -> -w),
 *     N <(K_uu - <K_uu>)^2> = <k_uu^2> - <k_uu>^2
 * at any N. The first direction is that of the targets, which the output first moves by K u; the
 * second one is what K u has across.
 */
#include "validate/two_layer_control.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "validate/plane_mean.h"
#include "validate/sample_direction.h"

/* Samples that take part at most: each pair of them costs a quadrature. */
enum { MOST_SAMPLES = 16 };
/* Phi and <K> of the samples; false if the quadrature fails. */
static bool find_kernels(const nnd_two_layer *p, const nnd_dataset *set, size_t n, double *phi,
                         double *kernel) {
    size_t all = set->samples + set->tests;
    if (!nnd_pair_means(&p->activation, 1.0, set->gram, all, n, phi, kernel))
        return false;
    for (size_t i = 0; i < n * n; i++)
        kernel[i] = phi[i] + kernel[i] * set->gram[i / n * all + i % n];
    return true;
}

static void choose_directions(nnd_two_layer_control *c, const double *phi, const double *kernel) {
    size_t n = c->samples;
    double *u = c->direction, *v = u + n;
    nnd_direction_mend(n, phi, u);
    c->phi[0] = nnd_form(n, phi, n, u, u);
    c->kernel[0] = nnd_form(n, kernel, n, u, u);
    c->directions = 1;
    if (n < 2)
        return;
    nnd_direction_second(n, kernel, u, v);
    c->phi[1] = nnd_form(n, phi, n, u, v);
    c->phi[2] = nnd_form(n, phi, n, v, v);
    c->kernel[1] = nnd_form(n, kernel, n, u, v);
    c->directions = nnd_directions_differ(n, phi, u, v) ? 2 : 1;
}

/* About u'Phi u where there is no mean, for a unit. */
static double typical_output(const nnd_two_layer_control *c, const nnd_dataset *set) {
    double sum = 0.0;
    for (size_t mu = 0; mu < c->samples; mu++) {
        double h = sqrt(set->gram[mu * (set->samples + set->tests) + mu]), phi;
        nnd_activation_apply(&c->params->activation, 1, &h, &phi, NULL, NULL, NULL);
        sum += c->direction[mu] * c->direction[mu] * phi * phi;
    }
    return sum;
}

/* A neuron's share of u'K u at two samples. */
typedef struct {
    const nnd_activation *activation;
    nnd_pair pair;
    nnd_pair_axes axes;
    double u[2];
} share;

/* <k_uu^2> over w: with k = S^2 + w^2 A, S = sum u phi and A = sum u u phi' phi' K^x. */
static void share_squared(const void *self, double u, size_t n, const double *v, double *f) {
    const share *s = self;
    double x = s->axes.x_u * u, phi_x, slope_x, y[NND_PLANE_NODES], slope[NND_PLANE_NODES];
    for (size_t i = 0; i < n; i++)
        y[i] = s->axes.y_u * u + s->axes.y_v * v[i];
    nnd_activation_apply(s->activation, 1, &x, &phi_x, &slope_x, NULL, NULL);
    nnd_activation_apply(s->activation, n, y, f, slope, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        double of_x = s->u[0] * slope_x, of_y = s->u[1] * slope[i];
        double sum = s->u[0] * phi_x + s->u[1] * f[i], square = sum * sum;
        double a =
            of_x * of_x * s->pair.xx + 2.0 * of_x * of_y * s->pair.xy + of_y * of_y * s->pair.yy;
        f[i] = square * square + 2.0 * square * a + 3.0 * a * a;
    }
}

static double find_spread(const nnd_two_layer_control *c, const nnd_dataset *set) {
    if (c->samples > 2)
        return NAN;
    size_t second = c->samples - 1, all = set->samples + set->tests;
    share s = {.activation = &c->params->activation,
               .pair = {set->gram[0], set->gram[second], set->gram[second * all + second]},
               .u = {c->direction[0], second > 0 ? c->direction[1] : 0.0}};
    s.axes = nnd_pair_split(&s.pair);
    double mean;
    return nnd_plane_mean(share_squared, &s, &mean) ? mean - c->kernel[0] * c->kernel[0] : NAN;
}

nnd_status nnd_two_layer_control_make(nnd_context *ctx, const nnd_two_layer *p,
                                      const nnd_dataset *set, nnd_two_layer_control *c) {
    size_t n = set->samples < MOST_SAMPLES ? set->samples : MOST_SAMPLES;
    *c = (nnd_two_layer_control){.params = p, .samples = n, .directions = 1, .spread = NAN};
    c->direction = calloc(2 * n, sizeof(double));
    double *phi = calloc(2 * n * n, sizeof(double));
    if (c->direction == NULL || phi == NULL) {
        free(phi);
        return nnd_fail_memory(ctx, "the control variates");
    }
    nnd_direction_first(n, set->targets, c->direction);
    c->known = find_kernels(p, set, n, phi, phi + n * n);
    if (c->known)
        choose_directions(c, phi, phi + n * n);
    else
        c->phi[0] = typical_output(c, set);
    if (!(c->phi[0] > 0.0))
        c->directions = 0;
    if (c->known && c->directions > 0)
        c->spread = find_spread(c, set);
    free(phi);
    return NND_OK;
}

void nnd_two_layer_control_clear(nnd_two_layer_control *c) {
    free(c->direction);
    *c = (nnd_two_layer_control){0};
}

size_t nnd_two_layer_controls(const nnd_two_layer_control *c) {
    if (!c->known)
        return c->directions;
    return 4 * c->directions + (!isnan(c->spread) ? 1 : 0);
}

void nnd_two_layer_control_take(const nnd_two_layer_control *c, size_t width, const double *f,
                                const double *kernel, size_t stride, double *control) {
    size_t n = c->samples;
    const double *u = c->direction, *v = u + n;
    double root = sqrt((double)width), output = c->params->gamma0 * root, k_uu = 0.0, k_uv = 0.0;
    if (c->directions == 0)
        return;
    double f_u = output * cblas_ddot((int)n, f, 1, u, 1) / sqrt(c->phi[0]);
    *control++ = f_u;
    if (!c->known)
        return;
    for (size_t mu = 0; mu < n; mu++) {
        k_uu += u[mu] * cblas_ddot((int)n, kernel + mu * stride, 1, u, 1);
        k_uv += u[mu] * cblas_ddot((int)n, kernel + mu * stride, 1, v, 1);
    }
    double unit = isnan(c->spread) ? c->kernel[0] : sqrt(c->spread);
    k_uu = root * (k_uu - c->kernel[0]) / unit;
    *control++ = k_uu;
    *control++ = (f_u * f_u - 1.0) / M_SQRT2;
    *control++ = f_u * k_uu;
    if (!isnan(c->spread))
        *control++ = (k_uu * k_uu - 1.0) / M_SQRT2;
    if (c->directions < 2)
        return;
    double f_v = output * cblas_ddot((int)n, f, 1, v, 1) / sqrt(c->phi[2]);
    *control++ = f_v;
    *control++ = root * (k_uv - c->kernel[1]) / unit;
    *control++ = f_u * f_v - c->phi[1] / sqrt(c->phi[0] * c->phi[2]);
    *control++ = (f_v * f_v - 1.0) / M_SQRT2;
}
