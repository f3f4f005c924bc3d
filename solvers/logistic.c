/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/logistic.h"

#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_NODES = 96, TERMS = 4 };

/* 1/(1 + exp(x)) is nothing beyond CUT, a density beyond FAR standard deviations; a sphere of
 * FAR^2 dimensions reaches that far. Beyond SERIES the asymptotic series is exact. */
static const double CUT = 45.0, FAR = 12.0, SERIES = 1e4;

/* One law of unit variance: N(0, 1), or a component of the sphere. */
typedef struct {
    double dim; /* of the sphere; 0: Gaussian */
    double c0, p0;
    double derivative[TERMS];      /* p^(2k)(0) */
    double scaled_from;            /* omega from which nodes scale with 1/omega */
    double *s, *q, *perpendicular; /* below: nodes, weights, E[x_i^2 | s] */
} unit_law;

struct nnd_logistic {
    unit_law law;
    size_t components;
    double *weight, *scale;
    /* Nodes and weights on [0, CUT] with the logistic parts of delta, e, noise and its rise. */
    double *x, *delta, *e, *noise, *rise;
    size_t nodes;
};

/* Gamma(x + 1/2)/Gamma(x). */
static double gamma_ratio(double x) {
    if (x < 80.0)
        return tgamma(x + 0.5) / tgamma(x);
    double u = 1.0 / x;
    double series = 869.0 / 4194304.0;
    series = series * u - 399.0 / 262144.0;
    series = series * u - 21.0 / 32768.0;
    series = series * u + 5.0 / 1024.0;
    series = series * u + 1.0 / 128.0;
    series = series * u - 1.0 / 8.0;
    return sqrt(x) * (1.0 + series * u);
}

static double density(const unit_law *law, double s) {
    if (law->dim == 0.0)
        return law->p0 * exp(-0.5 * s * s);
    return law->p0 * exp(0.5 * (law->dim - 3.0) * log1p(-s * s / law->dim));
}

/* E[x_i^2 | s] for a component perpendicular to s. */
static double perpendicular(const unit_law *law, double s) {
    return law->dim == 0.0 ? 1.0 : (law->dim - s * s) / (law->dim - 1.0);
}

/* E[x_i^2 x_j^2 | s] for two of them. */
static double perpendicular2(const unit_law *law, double s) {
    double rest = law->dim - s * s;
    return law->dim == 0.0 ? 1.0 : rest / (law->dim - 1.0) * rest / (law->dim + 1.0);
}

/* The second derivative of tail^2 with tail = 1/(1 + exp(u)). */
static double bend(double tail) {
    return 2.0 * tail * tail * (1.0 - tail) * (2.0 - 3.0 * tail);
}

static void gaussian_constants(unit_law *law) {
    law->p0 = law->c0 = 1.0 / sqrt(2.0 * M_PI);
    law->derivative[0] = law->p0;
    for (int k = 1; k < TERMS; k++)
        law->derivative[k] = -(2.0 * k - 1.0) * law->derivative[k - 1];
}

static void sphere_constants(unit_law *law) {
    double m = 0.5 * (law->dim - 3.0);
    law->p0 = gamma_ratio(0.5 * (law->dim - 1.0)) / sqrt(M_PI * law->dim);
    law->c0 = 0.5 * sqrt(law->dim / M_PI) / gamma_ratio(0.5 * law->dim);
    law->derivative[0] = law->p0;
    /* (2k)! times the coefficient of s^2k in (1 - s^2/D)^m. */
    for (int k = 1; k < TERMS; k++)
        law->derivative[k] =
            -law->derivative[k - 1] * (m - k + 1.0) / k / law->dim * (2.0 * k) * (2.0 * k - 1.0);
}

/* Nodes of small omega: over s, or over the angle where the density ends at s = sqrt(D). */
static void fixed_nodes(unit_law *law, size_t nodes, const gsl_integration_glfixed_table *table) {
    bool angle = law->dim > 0.0 && law->dim <= FAR * FAR;
    double radius = sqrt(law->dim);
    law->scaled_from = CUT / (angle ? 0.5 * radius : FAR);
    for (size_t i = 0; i < nodes; i++) {
        double x, w;
        gsl_integration_glfixed_point(0.0, angle ? 0.5 * M_PI : FAR, i, &x, &w, table);
        law->s[i] = angle ? radius * sin(x) : x;
        law->q[i] =
            angle ? w * law->p0 * radius * pow(cos(x), law->dim - 2.0) : w * density(law, x);
        law->perpendicular[i] = perpendicular(law, law->s[i]);
    }
}

static void scaled_nodes(nnd_logistic *l, const gsl_integration_glfixed_table *table) {
    for (size_t i = 0; i < l->nodes; i++) {
        double w;
        gsl_integration_glfixed_point(0.0, CUT, i, &l->x[i], &w, table);
        double t = exp(-l->x[i]), tail = t / (1.0 + t);
        l->delta[i] = w * l->x[i] * tail;
        l->e[i] = w * log1p(t);
        l->noise[i] = w * tail * tail;
        l->rise[i] = w * bend(tail);
    }
}

static bool allocate_nodes(nnd_logistic *l) {
    double **arrays[] = {&l->law.s, &l->law.q, &l->law.perpendicular, &l->x, &l->delta, &l->e,
                         &l->noise, &l->rise};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        *arrays[i] = calloc(l->nodes, sizeof(double));
        if (*arrays[i] == NULL)
            return false;
    }
    return true;
}

static bool copy_mixture(const nnd_logistic_law *law, nnd_logistic *l) {
    size_t n = law->components > 0 ? law->components : 1;
    double total = 0.0;
    l->components = n;
    l->weight = calloc(n, sizeof(double));
    l->scale = calloc(n, sizeof(double));
    if (l->weight == NULL || l->scale == NULL)
        return false;
    l->weight[0] = l->scale[0] = 1.0;
    if (law->components > 0) {
        memcpy(l->weight, law->weight, n * sizeof(double));
        memcpy(l->scale, law->scale, n * sizeof(double));
    }
    for (size_t j = 0; j < n; j++)
        total += l->weight[j];
    for (size_t j = 0; j < n; j++)
        l->weight[j] /= total;
    return true;
}

static nnd_status check_law(nnd_context *ctx, const nnd_logistic_law *law) {
    if (law->sphere == 1)
        return nnd_fail(ctx, NND_E_INPUT, "a sphere law needs dim >= 2");
    for (size_t j = 0; j < law->components; j++)
        if (!(law->weight[j] > 0.0 && law->weight[j] < INFINITY && law->scale[j] > 0.0 &&
              law->scale[j] < INFINITY))
            return nnd_fail(ctx, NND_E_INPUT, "weights and scales of a mixture must be > 0");
    return NND_OK;
}

nnd_status nnd_logistic_new(nnd_context *ctx, const nnd_logistic_law *law,
                            nnd_logistic **logistic) {
    nnd_status status = check_law(ctx, law);
    if (status != NND_OK)
        return status;
    size_t nodes = law->nodes > 0 ? law->nodes : DEFAULT_NODES;
    nnd_logistic *l = calloc(1, sizeof *l);
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(nodes);
    if (l != NULL)
        l->nodes = nodes;
    if (l == NULL || table == NULL || !allocate_nodes(l) || !copy_mixture(law, l)) {
        nnd_logistic_free(l);
        if (table != NULL)
            gsl_integration_glfixed_table_free(table);
        return nnd_fail_memory(ctx, "the averages of a law");
    }
    l->law.dim = (double)law->sphere;
    if (law->sphere > 0)
        sphere_constants(&l->law);
    else
        gaussian_constants(&l->law);
    fixed_nodes(&l->law, l->nodes, table);
    scaled_nodes(l, table);
    gsl_integration_glfixed_table_free(table);
    *logistic = l;
    return NND_OK;
}

void nnd_logistic_free(nnd_logistic *l) {
    if (l == NULL)
        return;
    double *arrays[] = {
        l->law.s,  l->law.q, l->law.perpendicular, l->x, l->delta, l->e, l->noise, l->rise,
        l->weight, l->scale};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    free(l);
}

/* h is the sum here, delta too: neither is small against the other. */
static nnd_logistic_averages fixed_at(const nnd_logistic *l, double omega) {
    const unit_law *law = &l->law;
    nnd_logistic_averages a = {0};
    for (size_t i = 0; i < l->nodes; i++) {
        double u = omega * law->s[i], t = exp(-u), tail = t / (1.0 + t);
        a.h -= law->q[i] * law->s[i] * expm1(-u) / (1.0 + t);
        a.delta += 2.0 * law->q[i] * law->s[i] * tail;
        a.e += 2.0 * law->q[i] * log1p(t);
        a.noise += 2.0 * law->q[i] * law->perpendicular[i] * tail * tail;
        a.noise_rise += 2.0 * law->q[i] * perpendicular2(law, law->s[i]) * bend(tail);
    }
    return a;
}

static nnd_logistic_averages scaled_at(const nnd_logistic *l, double omega) {
    nnd_logistic_averages a = {0};
    for (size_t i = 0; i < l->nodes; i++) {
        double s = l->x[i] / omega, p = 2.0 * density(&l->law, s);
        a.delta += l->delta[i] * p;
        a.e += l->e[i] * p;
        a.noise += l->noise[i] * p * perpendicular(&l->law, s);
        a.noise_rise += l->rise[i] * p * perpendicular2(&l->law, s);
    }
    a.delta /= omega * omega;
    a.e /= omega;
    a.noise /= omega;
    a.noise_rise /= omega;
    a.h = l->law.c0 - a.delta;
    return a;
}

/* directional.md#eq4; Dirichlet's eta at 2, 4, 6, 8. */
static nnd_logistic_averages series_at(const unit_law *law, double omega) {
    const double pi2 = M_PI * M_PI;
    const double eta[TERMS] = {pi2 / 12.0, 7.0 * pi2 * pi2 / 720.0,
                               31.0 * pi2 * pi2 * pi2 / 30240.0,
                               127.0 * pi2 * pi2 * pi2 * pi2 / 1209600.0};
    nnd_logistic_averages a = {0};
    for (int k = TERMS - 1; k >= 0; k--) {
        double term = 2.0 * eta[k] * law->derivative[k];
        a.delta = a.delta / omega / omega + (2.0 * k + 1.0) * term;
        a.e = a.e / omega / omega + term;
    }
    a.delta = a.delta / omega / omega;
    a.e /= omega;
    a.h = law->c0 - a.delta;
    a.noise = 2.0 * law->p0 * perpendicular(law, 0.0) * (M_LN2 - 0.5) / omega;
    a.noise_rise = 2.0 * law->p0 * perpendicular2(law, 0.0) * 0.25 / omega; /* -d tail^2/du at 0 */
    return a;
}

static nnd_logistic_averages unit_at(const nnd_logistic *l, double omega) {
    if (omega > SERIES)
        return series_at(&l->law, omega);
    return omega < l->law.scaled_from ? fixed_at(l, omega) : scaled_at(l, omega);
}

nnd_logistic_averages nnd_logistic_at(const nnd_logistic *l, double omega) {
    nnd_logistic_averages sum = {0};
    for (size_t j = 0; j < l->components; j++) {
        double w = l->weight[j], scale = l->scale[j];
        nnd_logistic_averages a = unit_at(l, scale * omega);
        sum.h += w * scale * a.h;
        sum.delta += w * scale * a.delta;
        sum.e += w * a.e;
        sum.noise += w * scale * scale * a.noise;
        sum.noise_rise += w * scale * scale * scale * scale * a.noise_rise;
    }
    sum.slope = omega > 0.0 ? sum.h / omega : 0.25 * nnd_logistic_constants_of(l).moment2;
    return sum;
}

nnd_logistic_constants nnd_logistic_constants_of(const nnd_logistic *l) {
    nnd_logistic_constants c = {0};
    for (size_t j = 0; j < l->components; j++) {
        double w = l->weight[j], a = l->scale[j];
        c.c0 += w * a * l->law.c0;
        c.p0 += w * l->law.p0 / a;
        c.p2 += w * l->law.derivative[1] / (a * a * a);
        c.moment2 += w * a * a;
    }
    c.a = M_PI * M_PI / 6.0 * c.p0;
    c.b = 7.0 * M_PI * M_PI * M_PI * M_PI / 120.0 * c.p2;
    return c;
}
