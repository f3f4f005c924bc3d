/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/number.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The locale of the calling thread while it reads or writes a number, and the one it had. */
typedef struct {
    locale_t plain, before;
} visit;

/* "C" is built into the C library: making it cannot fail for want of memory or files. */
static visit enter_plain_locale(void) {
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return (visit){plain, uselocale(plain)};
}

static void leave_plain_locale(visit v) {
    uselocale(v.before);
    freelocale(v.plain);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

double nnd_number_parse(const char *text, char **end) {
    const char *digits = text + (*text == '+' || *text == '-');
    bool decimal = is_digit(digits[0]) || (digits[0] == '.' && is_digit(digits[1]));
    bool hexadecimal = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    char *stop;
    visit v = enter_plain_locale();
    double x = strtod(text, &stop);
    leave_plain_locale(v);
    if (end != NULL && decimal && !hexadecimal)
        *end = stop;
    else if (end != NULL)
        /* As strtod, which gives a constant text back for writing. */
        memcpy(end, &text, sizeof text);
    return decimal && !hexadecimal ? x : NAN;
}

static bool is_one_of(const char *text, const char *const *words) {
    for (; *words != NULL; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

bool nnd_number_read(const char *text, double *x) {
    static const char *const infinities[] = {"inf", ".inf", ".Inf", ".INF", "+inf", "+.inf", NULL};
    static const char *const minus_infinities[] = {"-inf", "-.inf", "-.Inf", "-.INF", NULL};
    static const char *const nans[] = {"nan", ".nan", ".NaN", ".NAN", "NaN", NULL};
    if (is_one_of(text, infinities) || is_one_of(text, minus_infinities)) {
        *x = text[0] == '-' ? -INFINITY : INFINITY;
        return true;
    }
    if (is_one_of(text, nans)) {
        *x = NAN;
        return true;
    }
    char *end;
    *x = nnd_number_parse(text, &end);
    return end != text && *end == '\0' && isfinite(*x);
}

void nnd_number_text(double x, size_t size, char *text) {
    if (isnan(x)) {
        snprintf(text, size, "nan");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        nnd_format(text, size, "%.*g", digits, x);
        if (isinf(x) || nnd_number_parse(text, NULL) == x)
            return;
    }
}

int nnd_vformat(char *text, size_t size, const char *format, va_list args) {
    visit v = enter_plain_locale();
    int length = vsnprintf(text, size, format, args);
    leave_plain_locale(v);
    return length;
}

int nnd_format(char *text, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = nnd_vformat(text, size, format, args);
    va_end(args);
    return length;
}

int nnd_print(FILE *out, const char *format, ...) {
    va_list args;
    va_start(args, format);
    visit v = enter_plain_locale();
    int length = vfprintf(out, format, args);
    leave_plain_locale(v);
    va_end(args);
    return length;
}
