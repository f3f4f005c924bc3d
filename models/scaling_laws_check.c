/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tables of the model `scaling-laws` cannot say, and what follows from its parameters. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/feature_spectrum.h"
#include "core/timegrid.h"
#include "models/scaling_laws_impl.h"

/* ---- what follows ---- */

bool nnd_scaling_laws_has_data(const nnd_scaling_laws *p) {
    return nnd_data_given(&p->data);
}

bool nnd_scaling_laws_is_timed(const nnd_scaling_laws *p) {
    return p->training != NND_SCALING_RIDGE;
}

bool nnd_scaling_laws_has_batches(const nnd_scaling_laws *p) {
    return p->training == NND_SCALING_ONE_PASS || p->training == NND_SCALING_MINI_BATCH;
}

nnd_status nnd_scaling_laws_times(nnd_context *ctx, const nnd_scaling_laws *p, nnd_reals *times) {
    if (p->training == NND_SCALING_FLOW)
        return nnd_record_times(ctx, p->time, &p->record, times);
    return nnd_record_log_steps(ctx, (size_t)p->steps, &p->record, times);
}

static bool listed(const nnd_scaling_laws *p) {
    return p->features.eigenvalues.count > 0;
}

double nnd_scaling_laws_dim(const nnd_scaling_laws *p) {
    const nnd_reals *n = &p->features.multiplicity;
    double dim = 0.0;
    if (nnd_scaling_laws_has_data(p))
        return (double)p->data.inputs.cols;
    if (!listed(p))
        return (double)p->features.count;
    for (size_t k = 0; k < p->features.eigenvalues.count; k++)
        dim += n->count > 0 ? n->value[k] : 1.0;
    return dim;
}

static nnd_status modes_make(nnd_context *ctx, size_t count, nnd_scaling_modes *modes) {
    *modes = (nnd_scaling_modes){.count = count};
    modes->eigenvalue = malloc(count * sizeof(double));
    modes->power = malloc(count * sizeof(double));
    modes->multiplicity = malloc(count * sizeof(double));
    if (modes->eigenvalue != NULL && modes->power != NULL && modes->multiplicity != NULL)
        return NND_OK;
    nnd_scaling_modes_clear(modes);
    return nnd_fail_memory(ctx, "the modes");
}

void nnd_scaling_modes_clear(nnd_scaling_modes *modes) {
    free(modes->eigenvalue);
    free(modes->power);
    free(modes->multiplicity);
    *modes = (nnd_scaling_modes){0};
}

static nnd_status measured_modes(nnd_context *ctx, const nnd_scaling_laws *p,
                                 nnd_scaling_modes *modes) {
    nnd_feature_spectrum s;
    nnd_status status = nnd_feature_spectrum_make(ctx, &p->data, &s);
    if (status != NND_OK)
        return status;
    status = modes_make(ctx, s.rank, modes);
    for (size_t k = 0; status == NND_OK && k < s.rank; k++) {
        modes->eigenvalue[k] = s.eigenvalue[k];
        modes->power[k] = s.eigenvalue[k] * s.weight[k] * s.weight[k];
        modes->multiplicity[k] = 1.0;
    }
    modes->noise2 = p->noise2 + s.residual2;
    nnd_feature_spectrum_clear(&s);
    return status;
}

nnd_status nnd_scaling_laws_modes(nnd_context *ctx, const nnd_scaling_laws *p,
                                  nnd_scaling_modes *modes) {
    const nnd_reals *lambda = &p->features.eigenvalues, *n = &p->features.multiplicity;
    if (nnd_scaling_laws_has_data(p))
        return measured_modes(ctx, p, modes);
    if (!listed(p) && p->features.count > NND_LARGEST_MODE_LIST)
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.features.count: %lld are too many to list; allowed: at most %d",
                        (long long)p->features.count, NND_LARGEST_MODE_LIST);
    size_t count = listed(p) ? lambda->count : (size_t)p->features.count;
    nnd_status status = modes_make(ctx, count, modes);
    for (size_t k = 0; status == NND_OK && k < count; k++) {
        double rank = (double)k + 1.0;
        modes->eigenvalue[k] = listed(p) ? lambda->value[k] : pow(rank, -p->features.power_law);
        modes->power[k] = p->target.weights2.count > 0
                              ? modes->eigenvalue[k] * p->target.weights2.value[k]
                              : pow(rank, -p->target.power_law);
        modes->multiplicity[k] = n->count > 0 ? n->value[k] : 1.0;
    }
    modes->noise2 = p->noise2;
    return status;
}

/* ---- checks ---- */

/* Powers of the rank beyond this have no place among doubles. */
static const double MOST_DECADES = 300.0;

static bool check_eigenvalues(nnd_scaling_features *f, nnd_objection *o) {
    const nnd_reals *n = &f->multiplicity;
    if (!isnan(f->power_law) && f->eigenvalues.count > 0)
        return nnd_object(o, "features", "both power_law and eigenvalues; allowed: one of them");
    if (f->count > 0 && f->eigenvalues.count > 0)
        return nnd_object(o, "features.count", "%lld belongs to a power law", (long long)f->count);
    if (n->value != NULL && n->count != f->eigenvalues.count)
        return nnd_object(o, "features.multiplicity", "a list of %zu; allowed: %zu, as eigenvalues",
                          n->count, f->eigenvalues.count);
    return true;
}

static bool settle_features(nnd_scaling_laws *p, nnd_objection *o) {
    nnd_scaling_features *f = &p->features;
    if (!check_eigenvalues(f, o))
        return false;
    if (nnd_scaling_laws_has_data(p)) {
        bool stray = !isnan(f->power_law) || f->count > 0 || f->eigenvalues.count > 0;
        return !stray || nnd_object(o, "features", "those of data are measured");
    }
    if (f->eigenvalues.count == 0 && isnan(f->power_law))
        f->power_law = 1.5;
    if (f->eigenvalues.count == 0 && f->count == 0)
        f->count = 1000;
    if (!listed(p) && f->power_law * log10((double)f->count) > MOST_DECADES)
        return nnd_object(o, "features.power_law",
                          "%g makes the last of %lld eigenvalues too small for a double",
                          f->power_law, (long long)f->count);
    return true;
}

/* Whether k^-a, and w_k^2 = k^(b - a), of the last mode are doubles. */
static bool check_powers(const nnd_scaling_laws *p, nnd_objection *o) {
    double modes = listed(p) ? (double)p->features.eigenvalues.count : (double)p->features.count;
    double a = p->target.power_law, b = listed(p) ? 0.0 : p->features.power_law;
    return fmax(fabs(a), fabs(b - a)) * log10(modes) <= MOST_DECADES ||
           nnd_object(o, "target.power_law", "%g makes the last of %.10g modes no double", a,
                      modes);
}

static bool settle_target(nnd_scaling_laws *p, nnd_objection *o) {
    nnd_scaling_target *t = &p->target;
    bool law = !isnan(t->power_law), list = t->weights2.value != NULL;
    size_t modes = listed(p) ? p->features.eigenvalues.count : (size_t)p->features.count;
    if (law && list)
        return nnd_object(o, "target", "both power_law and weights2; allowed: one of them");
    if (nnd_scaling_laws_has_data(p))
        return (!law && !list) || nnd_object(o, "target", "that of data is measured");
    if (list && t->weights2.count != modes)
        return nnd_object(o, "target.weights2", "a list of %zu; allowed: %zu, as eigenvalues",
                          t->weights2.count, modes);
    if (!list && p->features.multiplicity.count > 0)
        return nnd_object(o, "target",
                          "a power law falls with the rank, which equal eigenvalues leave open; "
                          "allowed with multiplicity: weights2");
    double sum = 0.0;
    for (size_t k = 0; k < t->weights2.count; k++)
        sum += t->weights2.value[k];
    if (list && sum == 0.0 && p->noise2 == 0.0)
        return nnd_object(o, "target.weights2", "all are 0, and noise2: there is nothing to learn");
    if (!list && !law)
        t->power_law = 2.0;
    return list || check_powers(p, o);
}

static bool check_data(const nnd_scaling_laws *p, nnd_objection *o) {
    if (!nnd_scaling_laws_has_data(p))
        return true;
    if (!nnd_data_check(&p->data, o))
        return false;
    if (p->data.inputs.rows == 0)
        return nnd_object(o, "data", "holds no features; allowed: inputs with targets");
    if (p->data.test_inputs.rows > 0)
        return nnd_object(o, "data.test_inputs",
                          "students are tested on all rows, which are the population here");
    if (p->data.inputs.rows < 2)
        return nnd_object(o, "data.inputs", "one row has no covariance; allowed: 2 or more");
    if (!isinf(p->samples) && p->samples > (double)p->data.inputs.rows)
        return nnd_object(o, "samples", "%g of %zu rows; allowed: at most so many", p->samples,
                          p->data.inputs.rows);
    return true;
}

static bool check_counts(const nnd_scaling_laws *p, nnd_objection *o) {
    if (p->training == NND_SCALING_ONE_PASS && !isinf(p->samples))
        return nnd_object(o, "samples", "%g: one-pass draws fresh batches; allowed: inf",
                          p->samples);
    if (p->training == NND_SCALING_MINI_BATCH && isinf(p->samples))
        return nnd_object(o, "samples",
                          "inf: mini-batch draws from that many (fresh ones: "
                          "one-pass); allowed: integers >= 2");
    return true;
}

static bool belongs(nnd_objection *o, const char *key, double value, bool wrong,
                    const char *where) {
    return !wrong || nnd_object(o, key, "%g belongs to training: %s", value, where);
}

static bool settle_training(nnd_scaling_laws *p, nnd_objection *o) {
    bool flow = p->training == NND_SCALING_FLOW, ridge = p->training == NND_SCALING_RIDGE;
    bool steps = !flow && !ridge, batches = nnd_scaling_laws_has_batches(p);
    if (!belongs(o, "lr", p->lr, !isnan(p->lr) && !steps, "gd, one-pass or mini-batch") ||
        !belongs(o, "steps", (double)p->steps, p->steps > 0 && !steps,
                 "gd, one-pass or mini-batch") ||
        !belongs(o, "time", p->time, !isnan(p->time) && !flow, "flow (gd and SGD have steps)") ||
        !belongs(o, "momentum", p->momentum, p->momentum > 0.0 && p->training != NND_SCALING_GD,
                 "gd") ||
        !belongs(o, "batch", (double)p->batch, p->batch > 0 && !batches,
                 "one-pass or mini-batch") ||
        !belongs(o, "ridge", p->ridge, p->ridge > 0.0 && !ridge, "ridge"))
        return false;
    if (p->ridge > 0.0 && p->ridge < NND_SCALING_LEAST_TIME)
        return nnd_object(o, "ridge", "%g; allowed: 0, or numbers >= %g", p->ridge,
                          NND_SCALING_LEAST_TIME);
    if (steps && isnan(p->lr))
        p->lr = 0.1;
    if (steps && p->steps == 0)
        p->steps = 1000;
    if (flow && isnan(p->time))
        p->time = 1e4;
    if (batches && p->batch == 0)
        p->batch = 10;
    if (p->training == NND_SCALING_MINI_BATCH && (double)p->batch > p->samples)
        return nnd_object(o, "batch", "%lld of %g samples; allowed: at most so many",
                          (long long)p->batch, p->samples);
    return true;
}

static bool check_record(const nnd_scaling_laws *p, nnd_objection *o) {
    bool flow = p->training == NND_SCALING_FLOW;
    if (!nnd_scaling_laws_is_timed(p) && p->record.count > 0)
        return nnd_object(o, "record", "ridge has no times");
    for (size_t i = 0; i < p->record.count; i++)
        if (p->record.value[i] > 0.0 && p->record.value[i] < NND_SCALING_LEAST_TIME)
            return nnd_object(o, "record", "%g; allowed: 0, or numbers >= %g", p->record.value[i],
                              NND_SCALING_LEAST_TIME);
    return !nnd_scaling_laws_is_timed(p) ||
           nnd_record_check(&p->record, flow, flow ? p->time : (double)p->steps, o);
}

size_t nnd_scaling_frontier_widths(const nnd_scaling_frontier *f, double *width) {
    size_t count = 0;
    double last = 0.0;
    for (int64_t j = 0; j < f->widths; j++) {
        double share = (double)j / (double)(f->widths - 1);
        double next = round(f->from * pow(f->to / f->from, share));
        if (next <= last)
            continue;
        if (width != NULL)
            width[count] = next;
        last = next;
        count++;
    }
    return count;
}

/* Losses at C/N have to be within the method at all widths. */
static bool check_budgets(const nnd_scaling_laws *p, nnd_objection *o) {
    const nnd_scaling_frontier *f = &p->frontier;
    double least = NND_SCALING_LEAST_TIME;
    for (size_t i = 0; i < f->compute.count; i++) {
        double c = f->compute.value[i], from = f->from, to = f->to;
        if (isfinite(p->width)) {
            from = fmin(from, p->width);
            to = fmax(to, p->width);
        }
        if (c / to < least || c / from > 1.0 / least)
            return nnd_object(
                o, "frontier.compute",
                "%g gives widths from %g to %g times from %g to %g; allowed: %g to %g", c, from, to,
                c / to, c / from, least, 1.0 / least);
    }
    return true;
}

static bool settle_frontier(nnd_scaling_laws *p, nnd_objection *o) {
    nnd_scaling_frontier *f = &p->frontier;
    const size_t enough = 5;
    if (isnan(f->from) && isnan(f->to)) {
        const char *key = f->compute.count > 0 ? "frontier.compute" : "frontier.widths";
        return (f->compute.count == 0 && f->widths == 0) ||
               nnd_object(o, key, "needs widths; allowed with `from` and `to`");
    }
    if (isnan(f->from) || isnan(f->to))
        return nnd_object(o, isnan(f->from) ? "frontier.from" : "frontier.to",
                          "missing; allowed: a number >= 1");
    if (!(f->from < f->to))
        return nnd_object(o, "frontier.to", "%g is not above frontier.from, %g", f->to, f->from);
    if (round(f->to) - round(f->from) < 4.0)
        return nnd_object(o, "frontier.to",
                          "%g: a minimum takes 5 widths, which are whole numbers; allowed: at "
                          "least frontier.from + 4",
                          f->to);
    if (p->training == NND_SCALING_RIDGE)
        return nnd_object(o, "frontier", "ridge has no times, hence no compute");
    if (f->widths == 0)
        f->widths = 60;
    size_t different = nnd_scaling_frontier_widths(f, NULL);
    if (different < enough)
        return nnd_object(o, "frontier.widths",
                          "%lld make %zu different whole numbers; allowed: %zu or more",
                          (long long)f->widths, different, enough);
    return check_budgets(p, o);
}

/* The spectrum of few rows is not that of what they are drawn from. */
static void warn_of_few_rows(const nnd_scaling_laws *p, nnd_objection *o) {
    const double enough = 10.0;
    double rows = (double)p->data.inputs.rows, features = nnd_scaling_laws_dim(p);
    if (nnd_scaling_laws_has_data(p) && rows < enough * features)
        (void)nnd_object(
            o, "data.inputs",
            "%g rows measure the covariance of %g features: of the distribution behind "
            "them, small eigenvalues and the noise are larger",
            rows, features);
}

bool nnd_scaling_laws_check(void *params, nnd_objection *o) {
    nnd_scaling_laws *p = params;
    bool fine = check_data(p, o) && settle_features(p, o) && settle_target(p, o) &&
                check_counts(p, o) && settle_training(p, o) && check_record(p, o) &&
                settle_frontier(p, o);
    if (fine)
        warn_of_few_rows(p, o);
    return fine;
}
