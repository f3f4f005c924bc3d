/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What a misspelt name may have meant. */
#ifndef NNDMFT_CORE_SUGGEST_H
#define NNDMFT_CORE_SUGGEST_H

#include <stddef.h>

/** The nearest of the names offered so far; begins as {.word = WORD}. */
typedef struct {
    const char *word;
    size_t distance; /**< letters inserted, left out, changed or exchanged with their neighbour */
    char text[160];  /**< "did you mean NAME? ", or "" if nothing offered comes near */
} nnd_suggestion;

/** Offers `name`, shown with `prefix` in front; the first of equally near ones stays. */
void nnd_suggest(nnd_suggestion *suggestion, const char *prefix, const char *name);

#endif
