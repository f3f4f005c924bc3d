/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Activations and their first three derivatives:
 *     phi(h) = scale E phi0(gain h + smoothing gain x)/gain,  x standard normal,
 * that is phi0 with gain and scale, averaged over a Gaussian of width `smoothing` in h.
 */
#ifndef NNDMFT_ACTIVATION_H
#define NNDMFT_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/table.h"

NND_API_BEGIN

/**
 * phi0: h; tanh h; erf h (no 1/sqrt 2 inside); max(0, h), with phi0'(0) = 0 and phi0'' = 0
 * (smoothing gives it its delta function); h (1 + erf(h/sqrt 2))/2; log(1 + e^h);
 * h (1 + tanh(sqrt(2/pi) (h + .044715 h^3)))/2.
 */
typedef enum {
    NND_LINEAR,
    NND_TANH,
    NND_ERF,
    NND_RELU,
    NND_GELU,
    NND_SOFTPLUS,
    NND_TANH_GELU
} nnd_activation_kind;

/** Ranges, defaults and meaning: nnd_activation_table. */
typedef struct {
    int name; /**< nnd_activation_kind */
    double gain, scale, smoothing;
} nnd_activation;

/** The table of nnd_activation, for a parameter of type NND_GROUP with shorthand `name`. */
extern const nnd_param_table nnd_activation_table;

/**
 * phi and its derivatives at n points, element by element; outputs that are NULL are not computed.
 * `phi` may be `h` itself, the others may not. Accurate to a few units in the last place (smoothed
 * tanh, softplus, tanh-gelu: 1e-13 relative to scale for gain * smoothing <= 1). What is not finite
 * stays so.
 */
void nnd_activation_apply(const nnd_activation *a, size_t n, const double *h, double *phi,
                          double *d1, double *d2, double *d3);
/** True if phi(-h) = -phi(h). */
bool nnd_activation_is_odd(const nnd_activation *a);
/** True if phi' jumps: relu that is not smoothed. */
bool nnd_activation_has_kink(const nnd_activation *a);
/** True if phi(c h) = c phi(h) for c > 0. */
bool nnd_activation_is_homogeneous(const nnd_activation *a);

NND_API_END

#endif
