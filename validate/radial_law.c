/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/radial_law.h"

#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdlib.h>

/* Panels reach 2^-48 of the largest s, beyond any omega that a simulation meets. */
enum { PANELS = 49, NODES = 20 };

/* Gaussians end, for double precision, at this many standard deviations. */
static const double FAR = 13.0;

/* Unnormalised density of |s| at s. */
static double mixture_density(const nnd_law *law, double s) {
    if (law->kind != NND_LAW_MIXTURE)
        return exp(-0.5 * s * s);
    double sum = 0.0;
    for (size_t j = 0; j < law->mixture.weights.count; j++) {
        double a = law->mixture.scales.value[j];
        sum += law->mixture.weights.value[j] / a * exp(-0.5 * s * s / (a * a));
    }
    return sum;
}

static double largest(const nnd_law *law) {
    if (law->kind != NND_LAW_MIXTURE)
        return FAR;
    double scale = 0.0;
    for (size_t j = 0; j < law->mixture.scales.count; j++)
        scale = fmax(scale, law->mixture.scales.value[j]);
    return FAR * scale;
}

/* Node x of weight w: x is s itself, on a sphere the angle to the equator of s = radius sin x. */
static void add_node(const nnd_directional *p, double x, double w, nnd_radial_law *law) {
    bool sphere = p->law.kind == NND_LAW_SPHERE;
    double dim = (double)p->dim;
    law->s[law->nodes] = sphere ? p->law.radius * sin(x) : x;
    law->weight[law->nodes++] = w * (sphere ? pow(cos(x), dim - 2.0) : mixture_density(&p->law, x));
}

nnd_status nnd_radial_law_make(nnd_context *ctx, const nnd_directional *p, nnd_radial_law *law) {
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(NODES);
    *law = (nnd_radial_law){0, calloc(PANELS * NODES, sizeof(double)),
                            calloc(PANELS * NODES, sizeof(double))};
    if (table == NULL || law->s == NULL || law->weight == NULL) {
        if (table != NULL)
            gsl_integration_glfixed_table_free(table);
        return nnd_fail_memory(ctx, "the law of the inputs");
    }
    double end = p->law.kind == NND_LAW_SPHERE ? 0.5 * M_PI : largest(&p->law), total = 0.0;
    for (int k = PANELS - 1; k >= 0; k--) {
        double high = ldexp(end, -k), low = k == PANELS - 1 ? 0.0 : 0.5 * high;
        for (size_t i = 0; i < NODES; i++) {
            double x, w;
            gsl_integration_glfixed_point(low, high, i, &x, &w, table);
            add_node(p, x, w, law);
            total += law->weight[law->nodes - 1];
        }
    }
    for (size_t i = 0; i < law->nodes; i++)
        law->weight[i] /= total;
    gsl_integration_glfixed_table_free(table);
    return NND_OK;
}

void nnd_radial_law_clear(nnd_radial_law *law) {
    free(law->s);
    free(law->weight);
    *law = (nnd_radial_law){0};
}

double nnd_radial_half_mean(const nnd_radial_law *law) {
    double sum = 0.0;
    for (size_t i = 0; i < law->nodes; i++)
        sum += law->weight[i] * law->s[i];
    return 0.5 * sum;
}

double nnd_radial_slope(const nnd_radial_law *law, double omega) {
    double sum = 0.0;
    for (size_t i = 0; i < law->nodes; i++) {
        double s = law->s[i];
        sum += law->weight[i] * s * (omega > 0.0 ? tanh(0.5 * omega * s) / omega : 0.5 * s);
    }
    return 0.5 * sum;
}

double nnd_radial_rest(const nnd_radial_law *law, double omega) {
    double sum = 0.0;
    for (size_t i = 0; i < law->nodes; i++)
        sum += law->weight[i] * law->s[i] / (1.0 + exp(omega * law->s[i]));
    return sum;
}

double nnd_radial_loss(const nnd_radial_law *law, double omega, double along) {
    double sum = 0.0;
    for (size_t i = 0; i < law->nodes; i++)
        sum += law->weight[i] * (0.5 * omega * law->s[i] + log1p(exp(-omega * law->s[i])));
    return sum - along * nnd_radial_half_mean(law);
}
