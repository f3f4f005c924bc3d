/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "plot/style.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Texts longer than this many bytes are broken in two. */
enum { WRAP = 44 };

unsigned nnd_plot_colour(size_t i, size_t n) {
    /* Okabe and Ito's colours without yellow, which is lost on white. */
    static const unsigned few[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7,
                                   0xE69F00, 0x56B4E9, 0x000000};
    /* More values than those are an ordered scale: viridis, without its lightest end. */
    static const unsigned scale[] = {0x440154, 0x3B528B, 0x21918C, 0x5EC962, 0xD8D219};
    if (n <= COUNT(few))
        return few[i % COUNT(few)];
    double at = (double)i / (double)(n - 1) * (double)(COUNT(scale) - 1);
    size_t left = (size_t)fmin(floor(at), (double)(COUNT(scale) - 2));
    double weight = at - (double)left;
    unsigned colour = 0;
    for (unsigned shift = 0; shift <= 16; shift += 8) {
        double a = (double)(scale[left] >> shift & 0xFF);
        double b = (double)(scale[left + 1] >> shift & 0xFF);
        colour |= (unsigned)lround(a + weight * (b - a)) << shift;
    }
    return colour;
}

const char *nnd_plot_dash(size_t i) {
    static const char *const dash[] = {
        "solid", "(12,5)", "(3,4)", "(12,4,3,4)", "(24,6)", "(12,4,3,4,3,4)",
    };
    return dash[i % COUNT(dash)];
}

int nnd_plot_point(size_t i) {
    static const int shape[] = {7, 5, 9, 13, 11, 6, 4, 8, 12, 10};
    return shape[i % COUNT(shape)];
}

/* In single quotes gnuplot interprets nothing, backquotes included. A quote inside becomes a
 * typographic one: doubling it, as gnuplot wants, fails at the beginning of a string. */
static void quote_part(FILE *out, const char *text, size_t length) {
    fputc('\'', out);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'')
            fputs("\xE2\x80\x99", out);
        else
            fputc((unsigned char)text[i] < ' ' ? ' ' : text[i], out);
    }
    fputc('\'', out);
}

void nnd_plot_quote(FILE *out, const char *text) {
    quote_part(out, text, strlen(text));
}

void nnd_plot_quote_wrapped(FILE *out, const char *text) {
    size_t length = strlen(text), at = 0;
    /* The space nearest to the middle. */
    for (size_t i = 0; length > WRAP && i < length; i++) {
        size_t far = 2 * at > length ? 2 * at - length : length - 2 * at;
        size_t near = 2 * i > length ? 2 * i - length : length - 2 * i;
        if (text[i] == ' ' && near < far)
            at = i;
    }
    if (at == 0) {
        nnd_plot_quote(out, text);
        return;
    }
    quote_part(out, text, at);
    fputs(" . \"\\n\" . ", out);
    nnd_plot_quote(out, text + at + 1);
}
