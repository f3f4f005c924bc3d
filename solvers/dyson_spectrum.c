/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stieltjes transform, density and moments of W^T W: z = x^2, m = -g_vv/x. */
#include <math.h>

#include "solvers/dyson_impl.h"

/* x with Im x >= 0 for z on or above the real axis; z below it is the conjugate's. */
static double complex root_of(double complex z) {
    double complex x = csqrt(CMPLX(creal(z), fabs(cimag(z))));
    return cimag(z) == 0.0 && creal(z) > 0.0 ? CMPLX(sqrt(creal(z)), 0.0) : x;
}

nnd_status nnd_dyson_stieltjes(nnd_context *ctx, const nnd_dyson *pencil, size_t count,
                               const double complex *z, double complex *m, double *error) {
    nnd_dyson_state *state = NULL;
    nnd_status status = nnd_dyson_start(ctx, pencil, &state);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        double complex x = root_of(z[i]);
        status = nnd_dyson_move(ctx, state, x);
        if (status != NND_OK)
            break;
        m[i] = -state->g[state->map.v] / x;
        m[i] = cimag(z[i]) < 0.0 ? conj(m[i]) : m[i];
        if (error != NULL)
            error[i] = state->report.change * cabs(m[i]);
    }
    nnd_dyson_state_free(state);
    return status;
}

nnd_status nnd_dyson_density(nnd_context *ctx, const nnd_dyson *pencil, size_t count,
                             const double *z, double *density, double *error) {
    nnd_dyson_state *state = NULL;
    nnd_status status = nnd_dyson_start(ctx, pencil, &state);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        if (!(z[i] > 0.0))
            status = nnd_fail(ctx, NND_E_INPUT, "the density at z = %.10g; z > 0", z[i]);
        if (status == NND_OK)
            status = nnd_dyson_move(ctx, state, sqrt(z[i]));
        if (status != NND_OK)
            break;
        bool outside = nnd_dyson_is_outside(state);
        double p = -cimag(state->g[state->map.v]) / (M_PI * sqrt(z[i]));
        density[i] = outside ? 0.0 : p;
        if (error != NULL)
            error[i] = state->report.change * cabs(state->g[state->map.v]) / (M_PI * sqrt(z[i]));
    }
    nnd_dyson_state_free(state);
    return status;
}

/* (1/2 pi i) oint x^2k g_vv dx over a circle around the support: the mean of x^(2k+1) g_vv, of
 * which a quarter is enough. */
static nnd_status moment_with(nnd_context *ctx, nnd_dyson_state *state, int power, size_t points,
                              double *moment) {
    const double beyond = 8.0;
    double sum = 0.0;
    for (size_t k = 0; k < points; k++) {
        double angle = 0.5 * M_PI * (1.0 - ((double)k + 0.5) / (double)points);
        double complex x = beyond * state->scale * cexp(CMPLX(0.0, angle));
        nnd_status status = nnd_dyson_move(ctx, state, x);
        if (status != NND_OK)
            return status;
        sum += creal(cpow(x, 2 * power + 1) * state->g[state->map.v]);
    }
    *moment = sum / (double)points;
    return NND_OK;
}

nnd_status nnd_dyson_moment(nnd_context *ctx, const nnd_dyson *pencil, int power, double *moment,
                            double *error) {
    const double enough = 1e-9;
    const size_t first = 3, most = 48;
    nnd_dyson_state *state = NULL;
    double coarse = NAN;
    *error = INFINITY;
    nnd_status status = nnd_dyson_start(ctx, pencil, &state);
    if (status == NND_OK)
        status = moment_with(ctx, state, power, first, &coarse);
    for (size_t points = 2 * first; status == NND_OK && points <= most; points *= 2) {
        nnd_dyson_return(state);
        status = moment_with(ctx, state, power, points, moment);
        *error = fabs(*moment - coarse);
        if (*error <= enough * fabs(*moment))
            break;
        coarse = *moment;
    }
    nnd_dyson_state_free(state);
    if (status == NND_OK && !(*error <= enough * fabs(*moment)))
        status = nnd_fail(ctx, NND_E_UNSOLVED, "moment %d of a pencil is not found", power);
    return status;
}
