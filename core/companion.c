/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/companion.h"

#include <stdio.h>
#include <string.h>

bool nnd_companion_name(const char *name, const char *ending, size_t size, char *text) {
    int length = snprintf(text, size, "%s%s", name, ending);
    return length >= 0 && (size_t)length < size;
}

const nnd_array *nnd_companion(const nnd_frame *frame, const char *name, const char *ending) {
    char text[NND_COMPANION_SIZE];
    return nnd_companion_name(name, ending, sizeof text, text) ? nnd_frame_find(frame, text) : NULL;
}

size_t nnd_companion_of(const char *name, const char *ending) {
    size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0 ? n - m : 0;
}

const nnd_array *nnd_companion_owner(const nnd_frame *frame, const char *name, const char *ending) {
    char owner[NND_COMPANION_SIZE];
    size_t length = nnd_companion_of(name, ending);
    if (length == 0 || length >= sizeof owner)
        return NULL;
    memcpy(owner, name, length);
    owner[length] = '\0';
    return nnd_frame_find(frame, owner);
}

bool nnd_is_account(const char *name) {
    static const char *const all[] = {NND_STATUS_ARRAY, NND_DIVERGED_FRACTION, NND_DIVERGED_AT};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(name, all[i]) == 0)
            return true;
    return false;
}
