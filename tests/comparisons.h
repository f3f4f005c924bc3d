/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Two frames that are compared, and what is said of them. */
#ifndef NNDMFT_TESTS_COMPARISONS_H
#define NNDMFT_TESTS_COMPARISONS_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nndmft/compare.h"
#include "support.h"

static const double RTOL = 0.02, ALPHA = 0.005;
static const double ROUNDING = 1e-14; /* a few operations on numbers of order one */
static const double SIZES[] = {64.0, 128.0};

enum { POINTS = 40 };

/* Everything made by a test; freed after it. */
static nnd_context *ctx;
static nnd_frame *theory, *mc;
static nnd_comparison *comparison;
static double *q, *q_mc, *q_se; /* the variable q(t) of fixture `curves` */
static nnd_frame *influence;    /* NULL: not known */
static double seeds;            /* 0: unknown */

static inline void setup(void) {
    ctx = nnd_context_new(NULL);
    ck_assert_int_eq(nnd_frame_new(ctx, &theory), NND_OK);
    ck_assert_int_eq(nnd_frame_new(ctx, &mc), NND_OK);
    comparison = NULL;
    influence = NULL;
    seeds = 0;
}

static inline void teardown(void) {
    nnd_comparison_free(comparison);
    nnd_frame_free(theory);
    nnd_frame_free(mc);
    nnd_frame_free(influence);
    nnd_context_free(ctx);
}

static inline void range(nnd_frame *frame, const char *name, size_t length) {
    ck_assert_int_eq(nnd_frame_add_range(frame, name, length, 0.0), NND_OK);
}

static inline void coords(nnd_frame *frame, const char *name, size_t length, const double *value) {
    ck_assert_int_eq(nnd_frame_add_dim(frame, name, NND_COORD_REAL, length, value), NND_OK);
}

/* Adds an array with all elements equal. */
static inline double *add(nnd_frame *frame, const char *name, const char *dims, double value) {
    double *data;
    ck_assert_int_eq(nnd_frame_add(frame, name, dims, &data), NND_OK);
    for (size_t i = 0; i < nnd_frame_find(frame, name)->count; i++)
        data[i] = value;
    return data;
}

/* q(t) = 1 on both sides, known to 0.1 %. */
static inline void curves(size_t n) {
    range(theory, "t", n);
    range(mc, "t", n);
    q = add(theory, "q", "t", 1.0);
    q_mc = add(mc, "q", "t", 1.0);
    q_se = add(mc, "q_se", "t", 1e-3);
}

static inline nnd_status attempt(const nnd_model *model, const char *var, double until) {
    char name[64];
    snprintf(name, sizeof name, "%s", var != NULL ? var : "");
    char *names[] = {name};
    nnd_compare_options options = {RTOL, {var != NULL, names}, until, ALPHA};
    nnd_simulated simulated = {mc, influence, seeds, 1};
    return nnd_compare(ctx, model, &options, theory, &simulated, &comparison);
}

/* Compares all there is; the row of the first variable. */
static inline const nnd_comparison_row *compare(void) {
    ck_assert_msg(attempt(NULL, NULL, INFINITY) == NND_OK, "%s", nnd_context_message(ctx));
    return &comparison->row[0];
}

static inline void ck_verdict(nnd_verdict verdict) {
    const nnd_comparison_row *row = compare();
    ck_assert_msg(row->verdict == verdict, "%s: off %zu of %zu, max |z| %g, p %g, band %g",
                  nnd_verdict_text(row->verdict), row->off, row->points, row->max_abs_z, row->p,
                  row->band);
}

static inline void ck_input_error(nnd_status status, const char *a, const char *b) {
    ck_assert_int_eq(status, NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), a));
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), b));
    ck_assert_ptr_null(comparison);
}

static inline double value(const char *name, size_t i) {
    const nnd_array *array = nnd_frame_find(comparison->frame, name);
    ck_assert_ptr_nonnull(array);
    ck_assert_uint_lt(i, array->count);
    return array->data[i];
}

static inline void ck_dims(const char *name, const char *dims) {
    char text[256];
    nnd_array_dims(comparison->frame, nnd_frame_find(comparison->frame, name), sizeof text, text);
    ck_assert_str_eq(text, dims);
}

#endif
