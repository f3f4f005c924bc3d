/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A result that is drawn, and what the gnuplot program of its picture says. */
#ifndef NNDMFT_TESTS_PLOTS_H
#define NNDMFT_TESTS_PLOTS_H

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

#endif
