/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Both layers for a few steps, and fixed readouts with targets of any law: W is a product of
 * independent random matrices, whose spectrum is that of a pencil (many-outputs.md#s4).
 */
#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/dyson.h"
#include "solvers/cmplx.h"
#include "theory/many_outputs_law.h"
#include "theory/many_outputs_program.h"

/* The pencil of three steps of both layers has 60 blocks, that of four hundreds; a step of a fixed
 * readout has four. */
enum { MOST_STEPS = 3, MOST_READOUT_STEPS = 20 };

/* Places in an interval at which gaps are looked for. */
enum { POINTS = 24 };

typedef struct {
    nnd_outputs_program program;
    double *s, *weight; /* of the target */
    nnd_dyson *pencil;
    nnd_dyson_support support; /* none before it is needed */
} pencil;

static nnd_status find_support(nnd_context *ctx, pencil *x) {
    if (x->support.count > 0)
        return NND_OK;
    return nnd_dyson_support_find(ctx, x->pencil, POINTS, &x->support);
}

/* ---- methods ---- */

static nnd_status stieltjes(nnd_context *ctx, void *self, double complex z, double complex *m,
                            double *error) {
    return nnd_dyson_stieltjes(ctx, ((pencil *)self)->pencil, 1, &z, m, error);
}

static nnd_status density(nnd_context *ctx, void *self, size_t count, const double *z,
                          nnd_estimate *rho, nnd_estimate *cdf) {
    pencil *x = self;
    double *value = calloc(2 * count + 1, sizeof *value), *error = value + count;
    nnd_status status = value != NULL ? find_support(ctx, x) : nnd_fail_memory(ctx, "a density");
    if (status == NND_OK)
        status = nnd_dyson_density(ctx, x->pencil, count, z, value, error);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        rho[i] = (nnd_estimate){value[i], error[i]};
        cdf[i] = (nnd_estimate){nnd_dyson_cdf(&x->support, z[i]), nnd_dyson_cdf_error(&x->support)};
    }
    free(value);
    return status;
}

static nnd_edge edge_of(const nnd_dyson_edge *e, double mass, bool upper) {
    return (nnd_edge){.z = e->z,
                      .kappa = e->kappa,
                      .z_error = e->error,
                      .kappa_error = e->kappa_error,
                      .mass = mass,
                      .upper = upper};
}

static nnd_status edges(nnd_context *ctx, void *self, nnd_edges *out) {
    pencil *x = self;
    *out = (nnd_edges){0};
    nnd_status status = find_support(ctx, x);
    if (status != NND_OK)
        return status;
    out->edge = calloc(2 * x->support.count, sizeof *out->edge);
    if (out->edge == NULL)
        return nnd_fail_memory(ctx, "edges");
    double above = 1.0 - x->support.atom;
    for (size_t i = 0; i < x->support.count; i++) {
        const nnd_dyson_interval *interval = &x->support.interval[i];
        if (interval->low.z > 0.0)
            out->edge[out->count++] = edge_of(&interval->low, above, false);
        above = i + 1 < x->support.count ? above - interval->mass : 0.0;
        out->edge[out->count++] = edge_of(&interval->high, above, true);
    }
    return NND_OK;
}

/* The highest, where a spike sends several. */
static nnd_status outlier(nnd_context *ctx, void *self, double s, nnd_detached *spike) {
    nnd_dyson_outlier top = {NAN, NAN, NAN, NAN};
    size_t count = 0;
    nnd_status status = NND_OK;
    if (s > 0.0)
        status = nnd_dyson_outliers(ctx, ((pencil *)self)->pencil, s, 1, &top, &count);
    *spike = (nnd_detached){top.z, top.overlap, top.z_error, top.overlap_error};
    return status;
}

static nnd_status mean(nnd_context *ctx, void *self, nnd_estimate *value) {
    return nnd_dyson_moment(ctx, ((pencil *)self)->pencil, 1, &value->value, &value->error);
}

/* |E|^2 of an output, over gamma^2. */
static nnd_status risk(nnd_context *ctx, void *self, nnd_estimate *value) {
    const nnd_outputs_program *q = &((pencil *)self)->program;
    *value = (nnd_estimate){0.0, 0.0};
    if (q->converges && q->c < 1.0)
        return NND_OK;
    nnd_dyson *residual = nnd_outputs_program_residual(q);
    nnd_status status = residual != NULL
                            ? nnd_dyson_moment(ctx, residual, 1, &value->value, &value->error)
                            : nnd_fail_memory(ctx, "a pencil");
    double scale = q->d / (q->c * q->gamma * q->gamma);
    value->value *= scale;
    value->error *= scale;
    nnd_dyson_free(residual);
    return status;
}

static void free_pencil(void *self) {
    pencil *x = self;
    nnd_dyson_support_clear(&x->support);
    nnd_dyson_free(x->pencil);
    free(x->s);
    free(x->weight);
    free(x);
}

static const nnd_law_methods METHODS = {stieltjes, density, edges,      outlier,
                                        mean,      risk,    free_pencil};

/* ---- what a case asks for ---- */

static nnd_status check(nnd_context *ctx, const nnd_many_outputs *p, double time) {
    bool both = p->variant == NND_BOTH_TRAINED, flow = p->integrator == NND_GRADIENT_FLOW;
    if (isfinite(p->p))
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.p: %.10g; the theory of variant: steps, and of targets that are "
                        "not isotropic, has p: inf",
                        p->p);
    if (both && flow && time > 0.0)
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.integrator: flow of both layers, with C and D of order N, has no "
                        "theory; allowed: gd with at most %d steps, variant: wide",
                        MOST_STEPS);
    if (flow && time > 0.0 && isfinite(time))
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.time: %.10g; a flow with a target that is not isotropic has a "
                        "theory at time: inf alone",
                        time);
    int most = both ? MOST_STEPS : MOST_READOUT_STEPS;
    if (!flow && time > (double)most)
        return nnd_fail(ctx, NND_E_INPUT, "params.steps: %.10g; theory of %s goes up to %d steps",
                        time,
                        both ? "both layers, with C and D of order N,"
                             : "a fixed readout with a target that is not isotropic",
                        most);
    return NND_OK;
}

static nnd_status set_target(nnd_context *ctx, const nnd_many_outputs *p, pencil *x) {
    size_t modes = nnd_many_outputs_modes(p);
    x->s = calloc(modes + 1, sizeof *x->s);
    x->weight = calloc(modes + 1, sizeof *x->weight);
    if (x->s == NULL || x->weight == NULL)
        return nnd_fail_memory(ctx, "a target");
    for (size_t k = 0; k < modes; k++) {
        x->s[k] = nnd_many_outputs_mode(p, k);
        x->weight[k] = nnd_many_outputs_mode_weight(p, k);
    }
    x->program.atoms = modes;
    x->program.s = x->s;
    x->program.weight = x->weight;
    x->program.structured = modes > 0 || p->spikes.count > 0;
    return NND_OK;
}

static nnd_outputs_program program_of(const nnd_many_outputs *p, double time) {
    nnd_outputs_scales y = nnd_many_outputs_scales(p);
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    double rate = flow ? 0.0 : nnd_many_outputs_rate(p);
    return (nnd_outputs_program){
        .c = y.c,
        .d = y.d,
        .sigma2 = p->sigma2,
        .readout2 = p->readout2,
        .tau2 = p->tau2,
        .gamma = y.gamma,
        .rate = rate,
        .readout_rate = p->variant == NND_BOTH_TRAINED ? p->lr_ratio * rate : 0.0,
        .steps = flow ? 0 : (size_t)time,
        .converges = flow && isinf(time),
    };
}

nnd_status nnd_outputs_law_pencil(nnd_context *ctx, const nnd_many_outputs *p, double time,
                                  nnd_outputs_law *law) {
    nnd_status status = check(ctx, p, time);
    if (status != NND_OK)
        return status;
    pencil *x = calloc(1, sizeof *x);
    if (x == NULL)
        return nnd_fail_memory(ctx, "a pencil");
    x->program = program_of(p, time);
    status = set_target(ctx, p, x);
    if (status == NND_OK) {
        x->pencil = nnd_outputs_program_weights(&x->program);
        status =
            x->pencil != NULL ? nnd_dyson_check(ctx, x->pencil) : nnd_fail_memory(ctx, "a pencil");
    }
    if (status == NND_OK)
        *law = (nnd_outputs_law){&METHODS, x};
    else
        free_pencil(x);
    return status;
}

/* Six iterations of Newton's method of 30 products, each of 20 operations for every three blocks of
 * a space and of the time of 700 for every unknown, by its vectors; the basis has 400 of them. */
void nnd_outputs_pencil_cost(const nnd_many_outputs *p, double *bytes, double *flops) {
    const double products = 180.0, each = 20.0, besides = 700.0, vectors = 420.0;
    bool both = p->variant == NND_BOTH_TRAINED;
    double most = both ? MOST_STEPS : MOST_READOUT_STEPS;
    nnd_outputs_program program =
        program_of(p, p->integrator == NND_GRADIENT_FLOW ? p->time : fmin((double)p->steps, most));
    nnd_dyson *w = nnd_outputs_program_weights(&program);
    size_t blocks = 0, unknowns = 0;
    if (w != NULL)
        nnd_dyson_size(w, &blocks, &unknowns);
    nnd_dyson_free(w);
    double n = (double)unknowns;
    *bytes = 1e5 + vectors * n * sizeof(double complex);
    *flops = products * n * (each * sqrt(n) + besides);
}
