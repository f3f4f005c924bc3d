/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What a computation takes when it is spread over threads. */
#ifndef NNDMFT_PLAN_H
#define NNDMFT_PLAN_H

/** The plan of a computation; see nnd_theory_plan and nnd_ensemble_plan. */
typedef struct {
    int workers;    /**< threads that work side by side */
    double bytes;   /**< memory at its highest, results included */
    double flops;   /**< floating-point operations */
    double busiest; /**< of the thread that has most to do */
} nnd_plan;

#endif
