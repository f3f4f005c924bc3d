/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Does the best learning rate stay where it is as networks grow? */
#ifndef NNDMFT_TRANSFER_H
#define NNDMFT_TRANSFER_H

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/frame.h"
#include "nndmft/model.h"

NND_API_BEGIN

/** What became of the search for a best rate. */
typedef enum {
    NND_TRANSFER_FOUND,
    NND_TRANSFER_OUTSIDE, /**< the loss has no minimum between two rates at which it is finite */
    NND_TRANSFER_NARROW,  /**< |l1|/N is as large as l0: the width is none of the expansion's */
    NND_TRANSFER_UNKNOWN  /**< nothing is known at this width */
} nnd_transfer_outcome;

/** What is said of an outcome in a table. */
const char *nnd_transfer_text(nnd_transfer_outcome outcome);

/** What is known, borrowed: solved (and simulated) cases that sweep over the rate. */
typedef struct {
    const char *rate;           /**< the swept parameter */
    const nnd_variable *loss;   /**< of the model; read at the last time */
    const nnd_frame *theory;    /**< over the rates and whatever else is swept */
    const nnd_frame *mc;        /**< the same of networks, at several sizes; NULL: none */
    const nnd_frame *influence; /**< what groups of their seeds contribute; NULL: none */
    size_t widths;
    const double *width; /**< at which answers are wanted, besides infinity */
} nnd_transfer_options;

/**
 * Answers over what else is swept, and over `width`: infinity first, then those of the options.
 * With l0 the loss, l1 its coefficient of 1/N and v N times its variance (fluctuations.md#s1-9):
 *
 * - `best_rate`, where l0 + l1/N is lowest: the minimum that is downhill from that of l0, by a
 *   polynomial through seven rates; `_se`: its distance from that through five, and what the
 *   standard errors of theory make of it, taken as independent from rate to rate. `_next`: the
 *   distance from the first order in 1/N, eta0 - l1'/(N l0''), which is of the size of what the
 *   expansion leaves out. NaN where `outcome` (an nnd_transfer_outcome) says that there
 *   is none;
 * - `best_loss` there, `_se`: by the same two polynomials and standard errors, and `_sd`, its
 * standard deviation over initialisations, sqrt(v/N);
 * - `transfer_loss`, by how much the loss at width N is larger at the best rate of infinite width,
 *   `_se`: its distance from the same by the polynomials through five rates, and what the standard
 *   errors of theory make of it;
 * - `edge_rate`, the first rate at which `stability`, or at finite width `stability_at_width`,
 * rises through its limit; `_se`: distance from where the straight line between two rates does;
 * - `above_edge`, 1 where the best rate is above `edge_rate`, or `stability` there is not below its
 *   limit, else 0; NaN where one of them is unknown;
 * - `network_rate`, `network_loss`, with `_se`, and `network_outcome`: the same of the mean over
 *   seeds, by what each group of seeds contributes at all rates.
 *
 * NND_E_INPUT if rates do not increase, or the loss is not over them, or has dimensions other than
 * what is swept and t.
 */
NND_MUST_USE nnd_status nnd_transfer(nnd_context *ctx, const nnd_model *model,
                                     const nnd_transfer_options *options, nnd_frame **answers);

NND_API_END

#endif
