/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "plot/style.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

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

void nnd_plot_quote_lines(FILE *out, const char *text) {
    for (size_t end; (end = strcspn(text, "\n")), text[end] != '\0'; text += end + 1) {
        quote_part(out, text, end);
        fputs(" . \"\\n\" . ", out);
    }
    nnd_plot_quote(out, text);
}

size_t nnd_plot_characters(const char *text, size_t bytes) {
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* The space that ends a line of about `width` characters, or the end. */
static size_t line_end(const char *text, size_t width) {
    size_t length = strlen(text), best = length;
    double nearest = INFINITY;
    for (size_t i = 1; i < length; i++) {
        double off = fabs((double)nnd_plot_characters(text, i) - (double)width);
        if (text[i] == ' ' && off < nearest) {
            nearest = off;
            best = i;
        }
    }
    return best;
}

size_t nnd_plot_wrap(char *text, size_t width) {
    for (char *c = text; *c != '\0'; c++)
        *c = (unsigned char)*c < ' ' ? ' ' : *c;
    size_t all = nnd_plot_characters(text, strlen(text)), written = 1;
    for (size_t lines = (all + width - 1) / width; lines > 1; lines--) {
        size_t end = line_end(text, nnd_plot_characters(text, strlen(text)) / lines);
        if (text[end] == '\0')
            break;
        text[end] = '\n';
        text += end + 1;
        written++;
    }
    return written;
}
