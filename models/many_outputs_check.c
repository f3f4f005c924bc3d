/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the ranges of the parameters of `many-outputs` cannot say. */
#include <math.h>

#include "core/timegrid.h"
#include "models/many_outputs_impl.h"
#include "models/resolvent_points.h"

static bool is_structured(const nnd_many_outputs *p) {
    return nnd_many_outputs_modes(p) > 0;
}

static bool has_counts(const nnd_many_outputs *p) {
    return p->inputs != NND_ABSENT;
}

/* ---- counts, scales ---- */

static bool settle_ratios(nnd_many_outputs *p, nnd_objection *o) {
    if (p->width != NND_ABSENT)
        return nnd_object(o, "width", "%lld alone; allowed with inputs and outputs",
                          (long long)p->width);
    if (p->parameterization > NND_OUTPUTS_CANONICAL)
        return nnd_object(o, "parameterization",
                          "mup and ntk scale with counts; allowed with width, inputs and outputs");
    if (isnan(p->c))
        p->c = 0.5;
    if (isnan(p->d))
        p->d = 1.0;
    p->parameterization = NND_OUTPUTS_CANONICAL;
    return true;
}

static bool settle_counts(nnd_many_outputs *p, nnd_objection *o) {
    if ((p->inputs != NND_ABSENT) != (p->outputs != NND_ABSENT))
        return nnd_object(o, has_counts(p) ? "outputs" : "inputs",
                          "missing; allowed: inputs and outputs together");
    if (!has_counts(p))
        return settle_ratios(p, o);
    if (!isnan(p->c) || !isnan(p->d))
        return nnd_object(o, isnan(p->c) ? "d" : "c", "%g beside counts of inputs and outputs",
                          isnan(p->c) ? p->d : p->c);
    if (p->parameterization == NND_OUTPUTS_AUTO)
        p->parameterization = NND_OUTPUTS_MUP;
    bool needed = p->variant != NND_WIDE || p->parameterization == NND_OUTPUTS_NTK;
    return !needed || p->width != NND_ABSENT ||
           nnd_object(o, "width", "missing beside inputs and outputs");
}

static bool settle_scale(nnd_many_outputs *p, nnd_objection *o) {
    bool canonical = p->parameterization == NND_OUTPUTS_CANONICAL;
    if (canonical && !isnan(p->gamma0))
        return nnd_object(o, "gamma0", "%g belongs to parameterization: mup or ntk", p->gamma0);
    if (!canonical && !isnan(p->gamma))
        return nnd_object(o, "gamma", "%g belongs to parameterization: canonical", p->gamma);
    if (canonical && isnan(p->gamma))
        p->gamma = 1.0;
    if (!canonical && isnan(p->gamma0))
        p->gamma0 = 1.0;
    return true;
}

/* ---- training ---- */

static bool settle_integrator(nnd_many_outputs *p, nnd_objection *o) {
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    if (flow && !isnan(p->lr))
        return nnd_object(o, "lr", "%g belongs to integrator: gd (flow has time)", p->lr);
    if (flow && p->steps != NND_ABSENT)
        return nnd_object(o, "steps", "%lld belongs to integrator: gd (flow has time)",
                          (long long)p->steps);
    if (!flow && !isnan(p->time))
        return nnd_object(o, "time", "%g belongs to integrator: flow", p->time);
    if (flow && isnan(p->time))
        p->time = 1.0;
    if (!flow && isnan(p->lr))
        p->lr = 0.1;
    if (!flow && p->steps == NND_ABSENT)
        p->steps = p->variant == NND_BOTH_TRAINED ? 2 : 10;
    return nnd_record_check(&p->record, flow, flow ? p->time : (double)p->steps, o);
}

/* A^T A then has eigenvalues as close to 0 as one likes, whose inverses are learned. */
static bool check_interpolation(const nnd_many_outputs *p, nnd_objection *o) {
    bool ends = p->variant == NND_FIXED_READOUT && isinf(p->time);
    return !ends || nnd_many_outputs_scales(p).c != 1.0 ||
           nnd_object(o, has_counts(p) ? "outputs" : "c",
                      "as many outputs as neurons: at time: inf the spectrum has no upper end");
}

/* ---- what belongs to some variants ---- */

static bool check_readout(const nnd_many_outputs *p, nnd_objection *o) {
    if (p->variant == NND_FIXED_READOUT && p->lr_ratio != 1.0)
        return nnd_object(o, "lr_ratio", "%g: the readout is fixed", p->lr_ratio);
    if (p->readout2 != 1.0 && p->variant != NND_WIDE && p->variant != NND_BOTH_TRAINED)
        return nnd_object(o, "readout2", "%g belongs to variant: wide or steps", p->readout2);
    if (p->variant == NND_ALIGNED && p->sigma2 != 1.0)
        return nnd_object(o, "sigma2", "%g: aligned begins at `start`", p->sigma2);
    return true;
}

static bool settle_start(nnd_many_outputs *p, nnd_objection *o) {
    nnd_outputs_start *s = &p->start;
    if (p->variant != NND_ALIGNED)
        return (isnan(s->a) && isnan(s->w)) ||
               nnd_object(o, "start", "belongs to variant: aligned");
    if (isnan(s->a))
        s->a = 0.1;
    if (isnan(s->w))
        s->w = 0.1;
    return true;
}

static bool check_samples(const nnd_many_outputs *p, nnd_objection *o) {
    bool finite = isfinite(p->p), population = p->variant == NND_WIDE || p->variant == NND_ALIGNED;
    if (finite && population)
        return nnd_object(o, "p", "%g belongs to variant: fixed-readout or steps", p->p);
    return p->label_noise == 0.0 || finite ||
           nnd_object(o, "label_noise", "%g with p: inf: the population gradient has none",
                      p->label_noise);
}

/* ---- target ---- */

static bool check_weights(const nnd_many_outputs *p, nnd_objection *o) {
    const nnd_outputs_target *t = &p->target;
    nnd_outputs_scales s = nnd_many_outputs_scales(p);
    double sum = 0.0, most = fmin(s.c, s.d);
    for (size_t k = 0; k < t->weights.count; k++)
        sum += t->weights.value[k];
    if (t->weights.value != NULL && t->weights.count != t->values.count)
        return nnd_object(o, "target.weights", "a list of %zu; allowed: %zu, as values",
                          t->weights.count, t->values.count);
    if (t->weights.value != NULL && isnan(s.c))
        return nnd_object(o, "width", "missing beside target.weights, which count over neurons");
    return !(sum > most * (1.0 + 1e-12)) ||
           nnd_object(o, "target.weights", "%g in all; allowed: at most min(c, d), %g", sum, most);
}

static bool settle_target(nnd_many_outputs *p, nnd_objection *o) {
    nnd_outputs_target *t = &p->target;
    bool law = !isnan(t->power_law);
    if (law && t->values.value != NULL)
        return nnd_object(o, "target", "both power_law and values; allowed: one of them");
    if (!law && (!isnan(t->scale) || t->modes > 0))
        return nnd_object(o, isnan(t->scale) ? "target.modes" : "target.scale",
                          "belongs to a power law");
    if (law && isnan(t->scale))
        t->scale = 1.0;
    if (law && t->modes == 0)
        t->modes = !has_counts(p) ? 100 : p->inputs < p->outputs ? p->inputs : p->outputs;
    if (isnan(p->tau2))
        p->tau2 = is_structured(p) ? 0.0 : 1.0;
    if (p->variant == NND_ALIGNED && p->spikes.count > 0)
        return nnd_object(o, "spikes", "aligned takes all of them in target.values");
    return check_weights(p, o);
}

/* ---- grids ---- */

static bool settle_grid(nnd_many_outputs *p, nnd_objection *o) {
    nnd_outputs_grid *g = &p->z;
    bool bins = !isnan(g->to);
    if (!bins && (!isnan(g->from) || g->count > 0))
        return nnd_object(o, "z.to", "missing; allowed: a number above z.from");
    if (bins && g->values.value != NULL)
        return nnd_object(o, "z", "both values and bins; allowed: one of them");
    for (size_t i = 0; i + 1 < g->values.count; i++)
        if (!(g->values.value[i] < g->values.value[i + 1]))
            return nnd_object(o, "z.values", "%g after %g; allowed: ascending numbers",
                              g->values.value[i + 1], g->values.value[i]);
    if (!bins)
        return true;
    if (isnan(g->from))
        g->from = 0.0;
    if (g->count == 0)
        g->count = 100;
    return g->from < g->to || nnd_object(o, "z.to", "%g is not above z.from, %g", g->to, g->from);
}

bool nnd_many_outputs_check(void *params, nnd_objection *o) {
    nnd_many_outputs *p = params;
    return settle_counts(p, o) && settle_scale(p, o) && settle_integrator(p, o) &&
           check_interpolation(p, o) && check_readout(p, o) && settle_start(p, o) &&
           check_samples(p, o) && settle_target(p, o) && settle_grid(p, o) &&
           nnd_points_check(&p->points, o);
}
