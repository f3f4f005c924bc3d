/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What the files of cases share. */
#ifndef NNDMFT_MODELS_CASE_IMPL_H
#define NNDMFT_MODELS_CASE_IMPL_H

#include "nndmft/case.h"

/**
 * Sets c->resolved of a case that is resolved otherwise. `params` are the parameters as the case
 * gave them, NULL if it gave none: what differs from one sweep point to another is written as it
 * was.
 */
NND_MUST_USE nnd_status nnd_case_write(nnd_context *ctx, nnd_case *c, const nnd_value *params);

/** A mapping with all values of a table, owned by the caller; NULL when out of memory. */
nnd_value *nnd_table_values(const nnd_param_table *table, const void *values);
/** The same of the key `simulate`: what all models have, and the model's own options. */
nnd_value *nnd_simulate_values(const nnd_model *model, const nnd_simulate *simulate,
                               const void *params);

/** Whether sizes and seeds go with each other and with the model; else an objection. */
bool nnd_simulate_fits(const nnd_model *model, const nnd_simulate *simulate, nnd_objection *o);

#endif
