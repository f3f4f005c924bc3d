/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/ode.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/ode_step.h"

static const double DEFAULT_RTOL = 1e-10;
enum { DEFAULT_MAX_STEPS = 1000000, MAX_BISECTIONS = 200 };

/* The next step aims a little below the tolerance, and never changes its length too much. */
static const double SAFETY = 0.9, LEAST_FACTOR = 0.2, MOST_FACTOR = 6.0, AFTER_FAILURE = 0.25;

struct nnd_ode {
    nnd_context *ctx;
    nnd_ode_options o;
    nnd_ode_stats stats;
    nnd_ode_stepper *stepper;
    double *atol;
    nnd_ode_event *events;
    double t, t_new;               /* ends of the step under way */
    double *y, *f, *y_new, *f_new; /* and the solution there */
    double *error;
    double *between;           /* the solution inside the step */
    double *value, *value_new; /* of the events at both ends */
};

static bool valid_options(const nnd_ode_options *o) {
    bool events = o->event_count == 0 || o->events != NULL;
    return o->dim > 0 && o->rhs != NULL && events && o->rtol >= 0.0 && o->rtol < 1.0 &&
           o->atol >= 0.0 && o->first_step >= 0.0 && o->max_step >= 0.0;
}

static void settle_defaults(nnd_ode_options *o) {
    if (o->rtol == 0.0)
        o->rtol = DEFAULT_RTOL;
    if (o->max_step == 0.0)
        o->max_step = INFINITY;
    if (o->max_steps == 0)
        o->max_steps = DEFAULT_MAX_STEPS;
}

static bool allocate(nnd_ode *ode) {
    size_t n = ode->o.dim, events = ode->o.event_count + 1;
    double **vectors[] = {&ode->atol,  &ode->y,     &ode->f,      &ode->y_new,
                          &ode->f_new, &ode->error, &ode->between};
    bool done = true;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        *vectors[i] = calloc(n, sizeof(double));
        done = done && *vectors[i] != NULL;
    }
    ode->events = calloc(events, sizeof *ode->events);
    ode->value = calloc(events, sizeof(double));
    ode->value_new = calloc(events, sizeof(double));
    return done && ode->events != NULL && ode->value != NULL && ode->value_new != NULL;
}

nnd_status nnd_ode_new(nnd_context *ctx, const nnd_ode_options *options, nnd_ode **ode) {
    if (!valid_options(options))
        return nnd_fail(ctx, NND_E_INPUT,
                        "an ODE solver needs dim >= 1, a right-hand side, 0 <= rtol < 1, and atol, "
                        "first_step and max_step >= 0");
    nnd_ode *s = calloc(1, sizeof *s);
    if (s == NULL)
        return nnd_fail_memory(ctx, "an ODE solver");
    s->ctx = ctx;
    s->o = *options;
    settle_defaults(&s->o);
    nnd_status status = allocate(s) ? NND_OK : nnd_fail_memory(ctx, "an ODE solver");
    if (status == NND_OK)
        status = nnd_ode_stepper_new(ctx, &s->o, &s->stats, &s->stepper);
    if (status != NND_OK) {
        nnd_ode_free(s);
        return status;
    }
    for (size_t i = 0; i < s->o.dim; i++)
        s->atol[i] = options->atol_each != NULL ? options->atol_each[i] : options->atol;
    for (size_t k = 0; k < s->o.event_count; k++)
        s->events[k] = options->events[k];
    *ode = s;
    return NND_OK;
}

void nnd_ode_free(nnd_ode *ode) {
    if (ode == NULL)
        return;
    nnd_ode_stepper_free(ode->stepper);
    free(ode->atol);
    free(ode->y);
    free(ode->f);
    free(ode->y_new);
    free(ode->f_new);
    free(ode->error);
    free(ode->between);
    free(ode->events);
    free(ode->value);
    free(ode->value_new);
    free(ode);
}

/* Largest of |x_i| over its tolerance around the solution at the start (and the end, if given). */
static double norm(const nnd_ode *ode, const double *x, const double *end) {
    double largest = 0.0;
    for (size_t i = 0; i < ode->o.dim; i++) {
        double size = fmax(fabs(ode->y[i]), end != NULL ? fabs(end[i]) : 0.0);
        double scaled = fabs(x[i]) / (ode->atol[i] + ode->o.rtol * size);
        if (x[i] == 0.0)
            continue;
        if (!(scaled <= DBL_MAX))
            return INFINITY;
        largest = fmax(largest, scaled);
    }
    return largest;
}

/* A first step from the sizes of y, y' and y'' (Hairer, Norsett, Wanner, II.4). */
static double first_step(nnd_ode *ode, double end) {
    size_t n = ode->o.dim;
    double span = fabs(end - ode->t), sign = end > ode->t ? 1.0 : -1.0;
    double limit = fmin(span, ode->o.max_step);
    if (ode->o.first_step > 0.0)
        return sign * fmin(limit, ode->o.first_step);
    double slope = norm(ode, ode->f, NULL), size = norm(ode, ode->y, NULL);
    double h = size > 0.0 && slope > 0.0 && isfinite(slope) ? 0.01 * size / slope : 1e-6 * span;
    h = fmin(h, limit);
    for (size_t i = 0; i < n; i++)
        ode->y_new[i] = ode->y[i] + sign * h * ode->f[i];
    if (!nnd_ode_stepper_rhs(ode->stepper, ode->t + sign * h, ode->y_new, ode->f_new))
        return sign * 1e-3 * h;
    for (size_t i = 0; i < n; i++)
        ode->error[i] = (ode->f_new[i] - ode->f[i]) / h;
    double curvature = fmax(norm(ode, ode->error, NULL), slope);
    double longer = curvature > 0.0
                        ? pow(0.01 / curvature, 1.0 / (nnd_ode_stepper_order(ode->stepper) + 1.0))
                        : limit;
    return sign * fmin(limit, fmin(100.0 * h, fmax(longer, 1e-6 * h)));
}

/* Tries a step of length h from (t, y); returns its error in units of the tolerance. */
static double try_step(nnd_ode *ode, double h, double t_new) {
    ode->t_new = t_new;
    if (!nnd_ode_stepper_step(ode->stepper, h, ode->y_new, ode->error))
        return INFINITY;
    double error = norm(ode, ode->error, ode->y_new);
    if (error <= 1.0 && !nnd_ode_stepper_rhs(ode->stepper, t_new, ode->y_new, ode->f_new))
        return INFINITY;
    return error;
}

/* One accepted step towards `end`, of at most *h, which is then the length of the next one. */
static nnd_status advance(nnd_ode *ode, double end, double *h) {
    const double exponent = -1.0 / nnd_ode_stepper_order(ode->stepper);
    bool rejected = false;
    if (!nnd_ode_stepper_begin(ode->stepper, ode->t, ode->y, ode->f))
        return NND_NOT_CONVERGED;
    while (ode->stats.steps + ode->stats.rejected < ode->o.max_steps) {
        bool last = fabs(*h) * (1.0 + 1e-10) >= fabs(end - ode->t);
        double length = last ? end - ode->t : *h;
        double t_new = last ? end : ode->t + length;
        if (!last && fabs(length) <= 4.0 * DBL_EPSILON * fabs(ode->t))
            return NND_NOT_CONVERGED;
        if (length == 0.0)
            return NND_NOT_CONVERGED;
        if (nnd_context_interrupted(ode->ctx))
            return nnd_fail(ode->ctx, NND_E_INTERRUPTED, "interrupted at t = %g", ode->t);
        double error = try_step(ode, length, t_new);
        double factor =
            isfinite(error) ? SAFETY * pow(fmax(error, 1e-30), exponent) : AFTER_FAILURE;
        factor = fmax(LEAST_FACTOR, fmin(rejected ? 1.0 : MOST_FACTOR, factor));
        double next = copysign(fmin(fabs(length) * factor, ode->o.max_step), length);
        if (error <= 1.0) {
            ode->stats.steps++;
            ode->stats.shortest = fmin(ode->stats.shortest, fabs(length));
            ode->stats.longest = fmax(ode->stats.longest, fabs(length));
            *h = next;
            return NND_OK;
        }
        ode->stats.rejected++;
        rejected = true;
        *h = next;
    }
    return NND_NOT_CONVERGED;
}

/* The solution at a time of the step just taken: one shorter step from its beginning. */
static bool inside(nnd_ode *ode, double t, double *y) {
    if (t == ode->t_new || t == ode->t) {
        memcpy(y, t == ode->t ? ode->y : ode->y_new, ode->o.dim * sizeof(double));
        return true;
    }
    return nnd_ode_stepper_step(ode->stepper, t - ode->t, y, ode->error);
}

static bool changes_sign(const nnd_ode_event *event, double before, double after) {
    bool up = before < 0.0 && after >= 0.0, down = before > 0.0 && after <= 0.0;
    return (up && event->direction >= 0) || (down && event->direction <= 0);
}

/* Where event k changes sign in this step: false position with the Illinois rule, and bisection
 * every third time. The answer lies on the far side. */
static double locate(nnd_ode *ode, size_t k) {
    double a = ode->t, fa = ode->value[k], b = ode->t_new, fb = ode->value_new[k];
    double weight_a = fa, weight_b = fb;
    for (int i = 0; i < MAX_BISECTIONS && fb != 0.0; i++) {
        if (fabs(b - a) <= 2.0 * DBL_EPSILON * fmax(fabs(a), fabs(b)))
            break;
        double x = i % 3 == 2 ? 0.5 * (a + b) : b - weight_b * (b - a) / (weight_b - weight_a);
        if (!(fmin(a, b) < x && x < fmax(a, b)))
            x = 0.5 * (a + b);
        if (x == a || x == b || !inside(ode, x, ode->between))
            break;
        double fx = ode->events[k].value(x, ode->between, ode->o.user);
        bool near = fa < 0.0 ? fx < 0.0 : fx > 0.0;
        if (near) {
            a = x;
            fa = weight_a = fx;
            weight_b *= 0.5;
        } else {
            b = x;
            fb = weight_b = fx;
            weight_a *= 0.5;
        }
    }
    return b;
}

/* The time up to which the step just taken counts: its end, or the first event in it. */
static double meet_events(nnd_ode *ode) {
    double until = ode->t_new, sign = ode->t_new > ode->t ? 1.0 : -1.0;
    for (size_t k = 0; k < ode->o.event_count; k++) {
        const nnd_ode_event *event = &ode->events[k];
        ode->value_new[k] = event->value(ode->t_new, ode->y_new, ode->o.user);
        if (!changes_sign(event, ode->value[k], ode->value_new[k]))
            continue;
        ode->stats.stopped = true;
        until = sign * fmin(sign * until, sign * locate(ode, k));
    }
    return until;
}

static void swap(double **a, double **b) {
    double *old = *a;
    *a = *b;
    *b = old;
}

/* Goes to the end of the step just taken. */
static void proceed(nnd_ode *ode) {
    ode->t = ode->t_new;
    swap(&ode->y, &ode->y_new);
    swap(&ode->f, &ode->f_new);
    swap(&ode->value, &ode->value_new);
}

static nnd_status start(nnd_ode *ode, double t0, const double *y0) {
    ode->stats = (nnd_ode_stats){.reached = t0, .shortest = INFINITY};
    ode->t = t0;
    memcpy(ode->y, y0, ode->o.dim * sizeof(double));
    for (size_t k = 0; k < ode->o.event_count; k++)
        ode->value[k] = ode->events[k].value(t0, y0, ode->o.user);
    if (!nnd_ode_stepper_rhs(ode->stepper, t0, ode->y, ode->f))
        return nnd_fail(ode->ctx, NND_E_UNSOLVED,
                        "the right-hand side of an ODE is not finite at its start, t = %g", t0);
    return NND_OK;
}

static nnd_status check_times(nnd_context *ctx, double t0, size_t count, const double *t) {
    double before = t0, sign = count > 0 && t[count - 1] < t0 ? -1.0 : 1.0;
    for (size_t i = 0; i < count; i++) {
        if (!(isfinite(t[i]) && sign * t[i] >= sign * before))
            return nnd_fail(ctx, NND_E_INPUT, "times of an ODE must be finite and in order: %g, %g",
                            before, t[i]);
        before = t[i];
    }
    return NND_OK;
}

nnd_status nnd_ode_run(nnd_ode *ode, double t0, const double *y0, size_t count, const double *t,
                       double *y) {
    size_t n = ode->o.dim, next = 0;
    for (size_t i = 0; i < count * n; i++)
        y[i] = NAN;
    nnd_status status = check_times(ode->ctx, t0, count, t);
    if (status == NND_OK)
        status = start(ode, t0, y0);
    if (status != NND_OK || count == 0)
        return status;
    double end = t[count - 1], sign = end < t0 ? -1.0 : 1.0;
    for (; next < count && t[next] == t0; next++)
        memcpy(y + next * n, y0, n * sizeof(double));
    double h = next < count ? first_step(ode, end) : 0.0;
    while (next < count && !ode->stats.stopped) {
        status = advance(ode, end, &h);
        if (status != NND_OK)
            return status;
        double until = meet_events(ode);
        for (; next < count && sign * t[next] <= sign * until; next++)
            if (!inside(ode, t[next], y + next * n))
                return NND_NOT_CONVERGED;
        ode->stats.reached = until;
        proceed(ode);
    }
    return NND_OK;
}

nnd_ode_stats nnd_ode_statistics(const nnd_ode *ode) {
    return ode->stats;
}
