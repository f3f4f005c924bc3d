/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A result that is drawn, and what the gnuplot program of its picture says. */
#ifndef NNDMFT_TESTS_PLOTS_H
#define NNDMFT_TESTS_PLOTS_H

#include <math.h>
#include <sys/stat.h>

#include "plot/program.h"
#include "scratch.h"

static nnd_result result;
static nnd_plot_options options;
static char *program;

/* An empty result of a model, in a scratch folder. */
static void plot_setup(char *model, char *case_text) {
    scratch_setup();
    assert_ok(nnd_frame_new(ctx, &result.theory));
    assert_ok(nnd_frame_new(ctx, &result.mc));
    result.model = model;
    result.case_text = case_text;
    options = (nnd_plot_options){0};
}

static void plot_teardown(void) {
    free(program);
    program = NULL;
    nnd_frame_free(result.theory);
    nnd_frame_free(result.mc);
    nnd_frame_free(result.seeds);
    result = (nnd_result){0};
    scratch_teardown();
}

static nnd_status write_program(void) {
    size_t size;
    free(program);
    FILE *out = open_memstream(&program, &size);
    ck_assert_ptr_nonnull(out);
    nnd_status status = nnd_plot_program(ctx, &result, &options, "svg", out);
    fclose(out);
    return status;
}

/* Asks for one variable. */
static inline void name_var(const char *name) {
    static char copy[64], *names[] = {copy};
    snprintf(copy, sizeof copy, "%s", name);
    options.vars = (nnd_selection){1, names};
}

/* The program of the picture of one variable. */
static inline void draw(const char *name) {
    name_var(name);
    assert_ok(write_program());
}

static size_t count(const char *word) {
    size_t n = 0;
    for (const char *at = program; (at = strstr(at, word)) != NULL; at += strlen(word))
        n++;
    return n;
}

#define HAS(word)   ck_assert_msg(count(word) > 0, "no %s in:\n%s", word, program)
#define LACKS(word) ck_assert_msg(count(word) == 0, "%s in:\n%s", word, program)

/* Takes a side of the result away. */
static inline void drop(nnd_frame **frame) {
    nnd_frame_free(*frame);
    *frame = NULL;
}

/* Has an empty frame take its place. */
static inline void renew(nnd_frame **frame) {
    drop(frame);
    assert_ok(nnd_frame_new(ctx, frame));
}

/* Draws into a file; returns its size. */
static inline long picture(const char *name) {
    const char *path = scratch_path(name);
    struct stat st;
    assert_ok(nnd_plot(ctx, &result, &options, path));
    ck_assert_int_eq(stat(path, &st), 0);
    return (long)st.st_size;
}

/* Adds an array with the values given. */
static inline void put(nnd_frame *frame, const char *name, const char *dims, const double *value) {
    double *data;
    assert_ok(nnd_frame_add(frame, name, dims, &data));
    memcpy(data, value, nnd_frame_find(frame, name)->count * sizeof *value);
}

/* The first vertical axis from `at` on. */
static inline void find_y_range(const char *at, double *low, double *high) {
    const char *range = at != NULL ? strstr(at, "set yrange [") : NULL;
    ck_assert_msg(range != NULL && sscanf(range, "set yrange [%lf:%lf]", low, high) == 2,
                  "no range in:\n%s", program);
}

/* The numbers of a data block. */
static inline void ck_block(const char *name, size_t n, const double *want) {
    char head[32];
    snprintf(head, sizeof head, "%s << EOD\n", name);
    const char *at = strstr(program, head);
    ck_assert_msg(at != NULL, "no block %s in:\n%s", name, program);
    at += strlen(head);
    for (size_t i = 0; i < n; i++) {
        char *end;
        double got = strtod(at, &end);
        ck_assert_msg(end != at && fabs(got - want[i]) < 1e-10 * fabs(want[i]) + 1e-14,
                      "%s, number %zu: want %.12g got %.12g", name, i, want[i], got);
        at = end;
    }
    ck_assert_msg(strncmp(at, "\nEOD\n", 5) == 0, "%s goes on: %.40s", name, at);
}

#endif
