/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stieltjes transform and density of W^T W: z = x^2, m = -g_vv/x. */
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
