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

/** Whether sizes and seeds go with each other and with the model; else an objection. */
bool nnd_simulate_fits(const nnd_model *model, const nnd_simulate *simulate, nnd_objection *o);

#endif
