/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Text of unknown origin for people's eyes. */
#include <string.h>

#include "core/utf8.h"
#include "nndmft/io.h"

/* Controls, line and paragraph separators, and what turns the direction of writing. */
static bool is_harmful(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static size_t print_character(FILE *out, const char *text, size_t length) {
    if (length == 0)
        return (size_t)fprintf(out, "\\x%02X", (unsigned char)*text);
    uint32_t code = nnd_utf8_code(text);
    if (is_harmful(code))
        return (size_t)fprintf(out, code < 0x80 ? "\\x%02X" : "\\u%04X", (unsigned)code);
    fwrite(text, 1, length, out);
    return 1;
}

size_t nnd_print_visible(FILE *out, const char *text) {
    size_t printed = 0;
    while (*text != '\0') {
        size_t length = nnd_utf8_length(text);
        printed += print_character(out, text, length);
        text += length > 0 ? length : 1;
    }
    return printed;
}

void nnd_print_padded(FILE *out, const char *text, size_t width) {
    for (size_t n = nnd_print_visible(out, text); n < width; n++)
        fputc(' ', out);
}
