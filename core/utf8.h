/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Texts are UTF-8: in cases, in result files, in JSON. What comes from elsewhere (names of files,
 * attributes of foreign files) may be any bytes; where it must become a text, a byte that is no
 * UTF-8 is written as backslash, x and two hexadecimal digits.
 */
#ifndef NNDMFT_CORE_UTF8_H
#define NNDMFT_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of the character at the beginning of a text, 0 if it is none: overlong forms, surrogates
 *  and what lies beyond U+10FFFF are none. 1 at the end of the text. */
size_t nnd_utf8_length(const char *text);
/** Its code point; the text must begin with a character. */
uint32_t nnd_utf8_code(const char *text);
/** True if a text is UTF-8 from beginning to end. */
bool nnd_utf8_valid(const char *text);
/** A copy in which every byte that is no UTF-8 is spelled out; NULL when out of memory. */
char *nnd_utf8_copy(const char *text);

#endif
