/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/brent.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <gsl/gsl_roots.h>
#include <math.h>
#include <stdbool.h>

enum { MAX_ITERATIONS = 200 };

/* GSL raises an error on what is not finite: it is noted here, and 0 stands for it. */
typedef struct {
    nnd_function f;
    void *data;
    double origin;           /* numbers are counted from here */
    double end[2], value[2]; /* of a root search: the ends, known already */
    bool bad;
} guarded;

static double call(double x, void *data) {
    guarded *g = data;
    for (int i = 0; i < 2; i++)
        if (x == g->end[i])
            return g->value[i];
    double value = g->f(g->origin + x, g->data);
    g->bad = g->bad || !isfinite(value);
    return isfinite(value) ? value : 0.0;
}

static bool is_narrow(const nnd_bracket *b, double absolute, double relative) {
    bool around_zero = b->low < 0.0 && b->high > 0.0;
    double size = around_zero ? 0.0 : fmin(fabs(b->low), fabs(b->high));
    return b->high - b->low <= absolute + relative * size;
}

/* A function that is interrupted has no value either. */
static nnd_status not_finite(nnd_context *ctx, const nnd_bracket *b) {
    if (nnd_context_interrupted(ctx))
        return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at a search from %.10g to %.10g",
                        b->low, b->high);
    return nnd_fail(ctx, NND_E_UNSOLVED, "a function is not finite between %.10g and %.10g", b->low,
                    b->high);
}

nnd_status nnd_brent_root(nnd_context *ctx, nnd_function f, void *data, double absolute,
                          double relative, nnd_bracket *b) {
    guarded g = {f, data, 0.0, {b->low, b->high}, {f(b->low, data), f(b->high, data)}, false};
    if (!isfinite(g.value[0]) || !isfinite(g.value[1]))
        return not_finite(ctx, b);
    if ((g.value[0] < 0.0 && g.value[1] < 0.0) || (g.value[0] > 0.0 && g.value[1] > 0.0))
        return nnd_fail(ctx, NND_E_UNSOLVED, "no sign change between %.10g and %.10g", b->low,
                        b->high);
    gsl_function function = {call, &g};
    gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    if (solver == NULL)
        return nnd_fail_memory(ctx, "a root search");
    bool done = false;
    int code = gsl_root_fsolver_set(solver, &function, b->low, b->high);
    for (int i = 0; code == GSL_SUCCESS && !g.bad && !done && i < MAX_ITERATIONS; i++) {
        code = gsl_root_fsolver_iterate(solver);
        b->low = gsl_root_fsolver_x_lower(solver);
        b->high = gsl_root_fsolver_x_upper(solver);
        done = is_narrow(b, absolute, relative);
    }
    b->x = gsl_root_fsolver_root(solver);
    gsl_root_fsolver_free(solver);
    if (g.bad)
        return not_finite(ctx, b);
    return done ? NND_OK : NND_NOT_CONVERGED;
}

nnd_status nnd_brent_minimum(nnd_context *ctx, nnd_function f, void *data, double absolute,
                             double relative, const double value[3], nnd_bracket *b) {
    if (!isfinite(value[0]) || !isfinite(value[1]) || !isfinite(value[2]))
        return not_finite(ctx, b);
    if (!(b->low < b->x && b->x < b->high && value[1] < value[0] && value[1] < value[2]))
        return nnd_fail(ctx, NND_E_UNSOLVED, "%.10g is no minimum between %.10g and %.10g", b->x,
                        b->low, b->high);
    /* GSL resolves 1e-8 of the number itself: counted from the first x it can come closer. */
    guarded g = {f, data, b->x, {NAN, NAN}, {0.0, 0.0}, false};
    gsl_function function = {call, &g};
    gsl_min_fminimizer *solver = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
    if (solver == NULL)
        return nnd_fail_memory(ctx, "a minimum search");
    bool done = false;
    int code =
        gsl_min_fminimizer_set_with_values(solver, &function, 0.0, value[1], b->low - g.origin,
                                           value[0], b->high - g.origin, value[2]);
    for (int i = 0; code == GSL_SUCCESS && !g.bad && !done && i < MAX_ITERATIONS; i++) {
        code = gsl_min_fminimizer_iterate(solver);
        b->low = g.origin + gsl_min_fminimizer_x_lower(solver);
        b->high = g.origin + gsl_min_fminimizer_x_upper(solver);
        done = is_narrow(b, absolute, relative);
    }
    b->x = g.origin + gsl_min_fminimizer_x_minimum(solver);
    gsl_min_fminimizer_free(solver);
    if (g.bad)
        return not_finite(ctx, b);
    return done ? NND_OK : NND_NOT_CONVERGED;
}
