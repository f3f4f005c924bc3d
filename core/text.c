/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nndmft/number.h"

static const char ELLIPSIS[] = "...";

nnd_text nnd_text_in(size_t size, char *array) {
    array[0] = '\0';
    return (nnd_text){.size = size, .array = array};
}

/* Ends a full array in "...", which does not stand in the middle of a character of UTF-8. */
static void cut(nnd_text *text) {
    size_t at = text->size > sizeof ELLIPSIS ? text->size - sizeof ELLIPSIS : 0;
    while (at > 0 && ((unsigned char)text->array[at] & 0xc0) == 0x80)
        at--;
    snprintf(text->array + at, text->size - at, "%s", ELLIPSIS);
    text->used = strlen(text->array);
    text->cut = true;
}

static void add(nnd_text *text, const char *format, va_list args) {
    size_t room = text->size - text->used;
    if (text->cut)
        return;
    int length = nnd_vformat(text->array + text->used, room, format, args);
    if (length < 0)
        text->array[text->used] = '\0';
    else if ((size_t)length >= room)
        cut(text);
    else
        text->used += (size_t)length;
}

void nnd_text_add(nnd_text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add(text, format, args);
    va_end(args);
}

void nnd_text_item(nnd_text *text, const char *separator, const char *format, ...) {
    va_list args;
    if (text->items++ > 0)
        nnd_text_add(text, "%s", separator);
    va_start(args, format);
    add(text, format, args);
    va_end(args);
}
