/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Numbers as text, the same in every locale: a program that calls setlocale(LC_ALL, "") where
 * numbers have a decimal comma reads and writes the same files. All numbers of the library and of
 * the tool go through these functions. None touches the process's locale; that of the calling
 * thread is set for the length of the call.
 */
#ifndef NNDMFT_NUMBER_H
#define NNDMFT_NUMBER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "nndmft/api.h"

NND_API_BEGIN

/** Largest integer that a case, a table or a file may hold, 2^53 - 1: up to here every integer is a
 *  double of its own. What is larger is refused rather than rounded. */
#define NND_LARGEST_INTEGER 9007199254740991

/**
 * Reads the decimal number at the beginning of `text`, as strtod does; `*end` (may be NULL) is
 * where it ends, `text` if there is none. No spaces before it, no hexadecimal, no words; beyond
 * the largest double it is infinite.
 */
double nnd_number_parse(const char *text, char **end);
/** Reads a text that is nothing but a finite decimal number, or inf, -inf or nan in YAML's
 *  spellings; false, with `*x` undefined, if it is none. */
bool nnd_number_read(const char *text, double *x);
/** Writes a number in the shortest form that reads back as the same double. */
void nnd_number_text(double x, size_t size, char *text);

/** snprintf, vsnprintf and fprintf with a decimal point. */
int nnd_format(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int nnd_vformat(char *text, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
int nnd_print(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

NND_API_END

#endif
