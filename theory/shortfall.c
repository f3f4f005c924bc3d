/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/shortfall.h"

#include <stdarg.h>

#include "nndmft/number.h"

static const char KEY[] = "not_converged";

nnd_status nnd_shortfall_set(nnd_frame *frame, const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    nnd_vformat(line, sizeof line, format, arguments);
    va_end(arguments);
    return nnd_frame_set_text(frame, NULL, KEY, line);
}

const char *nnd_shortfall(const nnd_frame *frame) {
    const nnd_attribute *line = frame != NULL ? nnd_frame_find_attribute(frame, NULL, KEY) : NULL;
    return line != NULL ? line->text : NULL;
}
