/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The two ways of asking a random matrix. */
#ifndef NNDMFT_SOLVERS_DIRECTION_H
#define NNDMFT_SOLVERS_DIRECTION_H

/** What a random matrix A is asked for: A v (input to output space), or A^T v. */
typedef enum { NND_FORWARD, NND_BACKWARD } nnd_direction;

#endif
