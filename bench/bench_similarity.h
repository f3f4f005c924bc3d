/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Timing of measures of similarity. */
#ifndef NNDMFT_BENCH_SIMILARITY_H
#define NNDMFT_BENCH_SIMILARITY_H

/** Prints what each measure takes, and all of them with levels and errors. */
void bench_similarity(void);

#endif
