/* SPDX-License-Identifier: GPL-3.0-or-later */
/** How the learning rate of descent changes with the step: the parameter `schedule`. */
#ifndef NNDMFT_RATES_H
#define NNDMFT_RATES_H

#include "nndmft/api.h"
#include "nndmft/table.h"

NND_API_BEGIN

/** Multipliers of the learning rate: a list, or one of two laws; none of them: 1 at all steps. */
typedef struct {
    nnd_reals list; /**< at steps 0, 1, ...; the last one holds on */
    double power;   /**< a of (1 + n)^a at step n; NaN: absent */
    double factor;  /**< q of q^n at step n; NaN: absent */
} nnd_rates;

extern const nnd_param_table nnd_rates_table;

/** True if a case says more than that the rate is constant. */
bool nnd_rates_given(const nnd_rates *rates);
/** Refuses more than one of list, power and factor, with an objection to `schedule`. */
bool nnd_rates_check(const nnd_rates *rates, nnd_objection *o);
/** The multiplier at a step. */
double nnd_rates_at(const nnd_rates *rates, size_t step);
/** The largest multiplier at the steps first..last. */
double nnd_rates_peak(const nnd_rates *rates, size_t first, size_t last);

NND_API_END

#endif
