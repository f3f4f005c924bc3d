/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/scheme.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_STAGES = 4 };

/* Butcher tableau of an explicit method. */
typedef struct {
    size_t stages;
    double a[MAX_STAGES][MAX_STAGES];
    double b[MAX_STAGES];
} tableau;

static const tableau TABLEAU[] = {
    [NND_RK_EULER] = {1, {{0.0}}, {1.0}},
    [NND_RK_HEUN] = {2, {{0.0}, {1.0}}, {0.5, 0.5}},
    [NND_RK_RK4] = {4,
                    {{0.0}, {0.5}, {0.0, 0.5}, {0.0, 0.0, 1.0}},
                    {1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0}},
};

struct nnd_scheme {
    nnd_scheme_options options;
    size_t query;
    double kappa;
    double *omega;    /* of the current query */
    double *velocity; /* heavy ball: the velocity as a row over queries */
};

size_t nnd_scheme_stages(const nnd_scheme_options *options) {
    return options->flow ? TABLEAU[options->method].stages : 1;
}

size_t nnd_scheme_queries(const nnd_scheme_options *options) {
    return options->steps * nnd_scheme_stages(options) + 1;
}

nnd_status nnd_scheme_new(nnd_context *ctx, const nnd_scheme_options *options,
                          nnd_scheme **scheme) {
    size_t n = nnd_scheme_queries(options);
    nnd_scheme *s = calloc(1, sizeof *s);
    if (s != NULL) {
        s->options = *options;
        s->kappa = 1.0;
        s->omega = calloc(n, sizeof *s->omega);
        s->velocity = calloc(n, sizeof *s->velocity);
    }
    if (s == NULL || s->omega == NULL || s->velocity == NULL) {
        nnd_scheme_free(s);
        return nnd_fail_memory(ctx, "an integration scheme");
    }
    *scheme = s;
    return NND_OK;
}

void nnd_scheme_free(nnd_scheme *scheme) {
    if (scheme == NULL)
        return;
    free(scheme->omega);
    free(scheme->velocity);
    free(scheme);
}

double nnd_scheme_kappa(const nnd_scheme *scheme) {
    return scheme->kappa;
}

const double *nnd_scheme_omega(const nnd_scheme *scheme) {
    return scheme->omega;
}

static double rate(const nnd_scheme_options *o, size_t step) {
    if (o->schedule_count == 0)
        return 1.0;
    return o->schedule[step < o->schedule_count ? step : o->schedule_count - 1];
}

/* Heavy ball with decoupled decay: V <- m V + s_t e_t, omega <- (1 - lambda) omega + V. */
static void advance_gd(nnd_scheme *s) {
    size_t t = s->query;
    double keep = 1.0 - s->options.decay;
    for (size_t p = 0; p < t; p++)
        s->velocity[p] *= s->options.momentum;
    s->velocity[t] = rate(&s->options, t);
    for (size_t p = 0; p <= t; p++)
        s->omega[p] = keep * s->omega[p] + s->velocity[p];
    s->kappa *= keep;
}

/* The earlier stages of the running step are the last entries of the row; all before is the base.
 */
static void advance_flow(nnd_scheme *s) {
    const tableau *method = &TABLEAU[s->options.method];
    size_t next = s->query + 1, stage = next % method->stages;
    size_t first = stage == 0 ? next - method->stages : next - stage;
    const double *weight = stage == 0 ? method->b : method->a[stage];
    for (size_t p = first; p < next; p++)
        s->omega[p] = s->options.dt * weight[p - first];
}

void nnd_scheme_advance(nnd_scheme *scheme) {
    if (scheme->options.flow)
        advance_flow(scheme);
    else
        advance_gd(scheme);
    scheme->query++;
}
