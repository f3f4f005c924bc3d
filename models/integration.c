/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/integration.h"

#include <math.h>

#include "core/timegrid.h"
#include "nndmft/deep_linear.h"

bool nnd_integration_adapts(int integrator, int method) {
    return integrator == NND_GRADIENT_FLOW && method == NND_ADAPTIVE;
}

static bool adapts(const nnd_integration *x) {
    return nnd_integration_adapts(x->integrator, *x->method);
}

/* A flow with a number of steps is on a fixed grid. */
static bool settle_steps(const nnd_integration *x, nnd_objection *o) {
    const int64_t usual = 40;
    if (*x->method == NND_METHOD_AUTO && x->integrator == NND_GRADIENT_FLOW)
        *x->method = *x->steps == NND_ABSENT ? NND_ADAPTIVE : NND_RK4;
    if (adapts(x) && x->record_every != 1)
        return nnd_object(o, "record_every",
                          "%lld counts steps, which an adaptive flow has none "
                          "of: list times in record",
                          (long long)x->record_every);
    if (adapts(x))
        return *x->steps == NND_ABSENT ||
               nnd_object(o, "steps", "%lld belongs to gd, or to method: euler, heun or rk4",
                          (long long)*x->steps);
    if (*x->steps == NND_ABSENT)
        *x->steps = usual;
    return true;
}

static bool settle_descent(const nnd_integration *x, nnd_objection *o) {
    if (!isnan(*x->time))
        return nnd_object(o, "time", "%g belongs to integrator: flow", *x->time);
    if (*x->method != NND_METHOD_AUTO && *x->method != x->method_of_descent)
        return nnd_object(o, "method", "%s belongs to integrator: flow", x->methods[*x->method]);
    if (isnan(*x->lr))
        *x->lr = 0.1;
    return true;
}

static bool settle_flow(const nnd_integration *x, nnd_objection *o) {
    if (!isnan(*x->lr))
        return nnd_object(o, "lr", "%g belongs to integrator: gd (flow has time)", *x->lr);
    if (x->momentum > 0.0)
        return nnd_object(o, "momentum", "%g belongs to integrator: gd", x->momentum);
    if (x->weight_decay > 0.0)
        return nnd_object(o, "weight_decay", "%g belongs to integrator: gd", x->weight_decay);
    if (nnd_rates_given(x->schedule))
        return nnd_object(o, "schedule", "belongs to integrator: gd");
    if (*x->steps == 0)
        return nnd_object(o, "steps", "0 is out of range: flow needs an integer >= 1");
    if (isnan(*x->time))
        *x->time = 1.0;
    return true;
}

bool nnd_integration_settle(const nnd_integration *x, nnd_objection *o) {
    return settle_steps(x, o) && nnd_rates_check(x->schedule, o) &&
           (x->integrator == NND_DESCENT ? settle_descent(x, o) : settle_flow(x, o));
}

bool nnd_integration_check_record(const nnd_integration *x, nnd_objection *o) {
    return nnd_record_check(x->record, adapts(x), adapts(x) ? *x->time : (double)*x->steps, o);
}

double nnd_integration_time(int integrator, int method, double time, int64_t steps, double mark) {
    bool on_grid = integrator == NND_GRADIENT_FLOW && !nnd_integration_adapts(integrator, method);
    return on_grid ? time * mark / (double)steps : mark;
}
