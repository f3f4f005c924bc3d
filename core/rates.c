/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/rates.h"

#include <math.h>

#include "core/rows.h"

static const nnd_param PARAMS[] = {
    {"list", NND_FIELD(REALS, nnd_rates, list), "null", NND_NON_NEGATIVE,
     "multipliers of lr at steps 0, 1, ...; the last one holds on"},
    {"power", NND_FIELD(REAL, nnd_rates, power), "null", NND_ANY,
     "a: the multiplier at step n is (1 + n)^a"},
    {"factor", NND_FIELD(REAL, nnd_rates, factor), "null", NND_POSITIVE,
     "q: the multiplier at step n is q^n"},
};
const nnd_param_table nnd_rates_table = NND_TABLE(PARAMS, nnd_rates);

static size_t given(const nnd_rates *r) {
    return (r->list.count > 0 ? 1U : 0U) + (isnan(r->power) ? 0U : 1U) +
           (isnan(r->factor) ? 0U : 1U);
}

bool nnd_rates_given(const nnd_rates *rates) {
    return given(rates) > 0;
}

bool nnd_rates_check(const nnd_rates *rates, nnd_objection *o) {
    return given(rates) <= 1 ||
           nnd_object(o, "schedule", "has %zu of list, power and factor; allowed: one of them",
                      given(rates));
}

double nnd_rates_at(const nnd_rates *rates, size_t step) {
    size_t n = rates->list.count;
    if (n > 0)
        return rates->list.value[step < n ? step : n - 1];
    if (!isnan(rates->power))
        return pow(1.0 + (double)step, rates->power);
    return isnan(rates->factor) ? 1.0 : pow(rates->factor, (double)step);
}

/* The laws are monotonic; a list has no other values than its own. */
double nnd_rates_peak(const nnd_rates *rates, size_t first, size_t last) {
    double peak = fmax(nnd_rates_at(rates, first), nnd_rates_at(rates, last));
    for (size_t step = first; step < last && step < rates->list.count; step++)
        peak = fmax(peak, rates->list.value[step]);
    return peak;
}
