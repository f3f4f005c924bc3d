/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers as other programs store them, and the doubles that they are. */
#ifndef NNDMFT_IO_ELEMENTS_H
#define NNDMFT_IO_ELEMENTS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    NND_ELEMENT_NONE,
    NND_ELEMENT_F64,
    NND_ELEMENT_F32,
    NND_ELEMENT_F16,
    NND_ELEMENT_BF16, /* the upper half of an F32 */
    NND_ELEMENT_SIGNED,
    NND_ELEMENT_UNSIGNED
} nnd_element_kind;

typedef struct {
    nnd_element_kind kind;
    size_t size; /* bytes */
    bool big;    /* the most significant byte comes first */
} nnd_element;

/* The doubles of `count` elements; integers beyond 2^53 are rounded. */
void nnd_elements_decode(nnd_element element, size_t count, const unsigned char *bytes,
                         double *value);

#endif
