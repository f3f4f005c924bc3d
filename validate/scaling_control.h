/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Observables of random projections and samples whose means at their very numbers are exact. */
#ifndef NNDMFT_VALIDATE_SCALING_CONTROL_H
#define NNDMFT_VALIDATE_SCALING_CONTROL_H

#include "validate/scaling_task.h"

/** How many there are; 0 if the parameters ask for none. */
size_t nnd_scaling_controls(const nnd_scaling_laws *params);
/** The observables of a drawn task, relative to their means, less 1. */
void nnd_scaling_control(const nnd_scaling_task *task, double *control);

#endif
