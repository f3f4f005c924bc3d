/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A text written piece by piece into an array of fixed size. */
#ifndef NNDMFT_CORE_TEXT_H
#define NNDMFT_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** The array always holds a terminated text. One that does not fit is cut and ends in "...". */
typedef struct {
    size_t size;
    char *array;
    size_t used;  /**< letters so far */
    size_t items; /**< added by nnd_text_item */
    bool cut;     /**< something did not fit; nothing more is added */
} nnd_text;

/** Begins an empty text in `array`; size >= 1. */
nnd_text nnd_text_in(size_t size, char *array);
/** Adds to a text (printf format). */
void nnd_text_add(nnd_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Adds an item of a list: after the separator, unless it is the first. */
void nnd_text_item(nnd_text *text, const char *separator, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
