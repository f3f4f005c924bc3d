/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t nnd_utf8_length(const char *text) {
    const unsigned char *c = (const unsigned char *)text;
    size_t length = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    unsigned lowest = c[0] == 0xe0 ? 0xa0 : c[0] == 0xf0 ? 0x90 : 0x80;  /* no overlong forms */
    unsigned highest = c[0] == 0xed ? 0x9f : c[0] == 0xf4 ? 0x8f : 0xbf; /* no surrogates */
    if (c[0] > 0xf4 || (length > 1 && (c[1] < lowest || c[1] > highest)))
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

uint32_t nnd_utf8_code(const char *text) {
    const unsigned char *c = (const unsigned char *)text;
    size_t length = nnd_utf8_length(text);
    static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = c[0] & first[length];
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (c[i] & 0x3f);
    return code;
}

bool nnd_utf8_valid(const char *text) {
    size_t length = 1;
    for (; *text != '\0' && length > 0; text += length)
        length = nnd_utf8_length(text);
    return length > 0;
}

char *nnd_utf8_copy(const char *text) {
    char *copy = malloc(strlen("\\xFF") * strlen(text) + 1), *end = copy;
    if (copy == NULL)
        return NULL;
    while (*text != '\0') {
        size_t length = nnd_utf8_length(text);
        if (length == 0)
            end += sprintf(end, "\\x%02X", (unsigned char)*text);
        else
            end = mempcpy(end, text, length);
        text += length > 0 ? length : 1;
    }
    *end = '\0';
    return copy;
}
