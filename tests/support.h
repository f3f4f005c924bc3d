/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What several tests share: cases from text, values from frames, running a suite. */
#ifndef NNDMFT_TESTS_SUPPORT_H
#define NNDMFT_TESTS_SUPPORT_H

#include <check.h>

#include "nndmft/nndmft.h"

/** Resolves a case given as YAML text; the test fails with the message if that fails. */
nnd_case *test_case(nnd_context *ctx, const char *yaml);
/** Solves the theory of a case given as YAML text. */
nnd_frame *test_theory(nnd_context *ctx, const char *yaml);
/** Solves the theory of a model with parameters such as "depth: 2, steps: 3". */
nnd_frame *test_solve(nnd_context *ctx, const char *model, const char *params);
/** Value of an array at coordinates such as "t=10,layer=1"; the test fails if it is not there. */
double test_value(const nnd_frame *frame, const char *name, const char *coordinates);
/** Its standard error, name_se; 0 of what has none. */
double test_se(const nnd_frame *frame, const char *name, const char *coordinates);
/** True if two frames are equal to the last bit: dimensions, coordinates, arrays. */
bool test_frames_identical(const nnd_frame *a, const nnd_frame *b);
/** Runs a suite and returns the exit code. */
int test_main(Suite *suite);

/** got = want to a relative tolerance, with all numbers in the message. */
void test_close(const char *what, double got, double want, double rtol);

#endif
