/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contexts: defaults, messages, callbacks, limits, interrupts; and the status texts. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nndmft/context.h"
#include "support.h"

/* What the callbacks received. */
typedef struct {
    int lines, reports;
    nnd_log_level level;
    char line[64], what[64];
    size_t total;
    double done;
} record;

static void keep_line(void *user, nnd_log_level level, const char *line) {
    record *r = user;
    r->lines++;
    r->level = level;
    snprintf(r->line, sizeof r->line, "%s", line);
}

static void keep_progress(void *user, const char *what, double done, size_t total) {
    record *r = user;
    r->reports++;
    snprintf(r->what, sizeof r->what, "%s", what);
    r->done = done;
    r->total = total;
}

START_TEST(defaults_are_usable) {
    nnd_context *ctx = nnd_context_new(NULL);
    ck_assert_int_ge(nnd_context_threads(ctx), 1);
    ck_assert_int_eq(nnd_context_rank(ctx), 0);
    ck_assert_int_eq(nnd_context_ranks(ctx), 1);
    ck_assert_uint_gt(nnd_context_memory_limit(ctx), 1 << 20);
    ck_assert_str_eq(nnd_context_message(ctx), "");
    ck_assert(!nnd_context_interrupted(ctx));
    nnd_log(ctx, NND_LOG_WARNING, "to nobody");
    nnd_progress(ctx, "nothing", 1, 2);
    nnd_context_free(ctx);
    nnd_context_free(NULL);
}
END_TEST

START_TEST(ranks_that_make_no_sense_are_refused) {
    static const struct {
        int rank, ranks;
        bool fine;
    } cases[] = {{0, 0, true},  {0, 1, true},   {1, 2, true},
                 {2, 2, false}, {-1, 2, false}, {1, 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const nnd_context_options options = {.rank = cases[i].rank, .ranks = cases[i].ranks};
        nnd_context *ctx = nnd_context_new(&options);
        ck_assert_int_eq(ctx != NULL, cases[i].fine);
        if (ctx != NULL)
            ck_assert_int_eq(nnd_context_agree(ctx, NND_E_IO), NND_E_IO);
        nnd_context_free(ctx);
    }
}
END_TEST

START_TEST(options_are_kept) {
    const nnd_context_options options = {.threads = 3, .rank = 2, .ranks = 5, .memory_limit = 7};
    nnd_context *ctx = nnd_context_new(&options);
    ck_assert_int_eq(nnd_context_threads(ctx), 3);
    ck_assert_int_eq(nnd_context_rank(ctx), 2);
    ck_assert_int_eq(nnd_context_ranks(ctx), 5);
    ck_assert_uint_eq(nnd_context_memory_limit(ctx), 7);
    nnd_context_free(ctx);
}
END_TEST

static nnd_status worst_of_all(void *user, nnd_status status) {
    (void)user, (void)status;
    return NND_E_IO;
}

START_TEST(only_several_ranks_have_to_agree) {
    for (int ranks = 0; ranks <= 2; ranks++) {
        const nnd_context_options options = {.ranks = ranks, .agree = worst_of_all};
        nnd_context *ctx = nnd_context_new(&options);
        ck_assert_int_eq(nnd_context_agree(ctx, NND_OK), ranks > 1 ? NND_E_IO : NND_OK);
        nnd_context_free(ctx);
    }
}
END_TEST

START_TEST(a_failure_leaves_its_message_in_its_own_context) {
    nnd_context *a = nnd_context_new(NULL), *b = nnd_context_new(NULL);
    ck_assert_int_eq(nnd_fail(a, NND_E_INPUT, "depth: %d is too deep", 9), NND_E_INPUT);
    ck_assert_str_eq(nnd_context_message(a), "depth: 9 is too deep");
    ck_assert_str_eq(nnd_context_message(b), "");
    ck_assert_int_eq(nnd_fail_memory(a, "a frame"), NND_E_MEMORY);
    ck_assert_str_eq(nnd_context_message(a), "out of memory for a frame");
    nnd_context_free(a);
    nnd_context_free(b);
}
END_TEST

START_TEST(endless_messages_are_cut) {
    nnd_context *ctx = nnd_context_new(NULL);
    static char endless[100000];
    memset(endless, 'x', sizeof endless - 1);
    ck_assert_int_eq(nnd_fail(ctx, NND_E_IO, "%s", endless), NND_E_IO);
    ck_assert_uint_lt(strlen(nnd_context_message(ctx)), sizeof endless - 1);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(log_and_progress_reach_the_callbacks) {
    record r = {0};
    const nnd_context_options options = {.log = keep_line, .progress = keep_progress, .user = &r};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_log(ctx, NND_LOG_NOTE, "%d seeds diverged", 3);
    nnd_progress(ctx, "simulate", 5, 8);
    ck_assert_int_eq(r.lines, 1);
    ck_assert_int_eq(r.level, NND_LOG_NOTE);
    ck_assert_str_eq(r.line, "3 seeds diverged");
    ck_assert_int_eq(r.reports, 1);
    ck_assert_str_eq(r.what, "simulate");
    ck_assert_double_eq(r.done, 5.0);
    ck_assert_uint_eq(r.total, 8);
    nnd_context_free(ctx);
}
END_TEST

/* Half of the first of two pieces, then its second half in two pieces of their own; less than a
 * thousandth is not worth a word. */
START_TEST(pieces_say_how_far_they_are) {
    record r = {0};
    const nnd_context_options options = {.progress = keep_progress, .user = &r};
    nnd_context *ctx = nnd_context_new(&options), *part = nnd_context_new(&options);
    nnd_tally tally = {"theory", 2, 0.0};
    ck_assert_int_eq(nnd_progress_step(ctx, 1.0, 2.0), NND_OK);
    ck_assert_int_eq(r.reports, 0);
    nnd_progress_begin(ctx, &tally);
    nnd_progress_within(ctx, 0.0, 0.5);
    ck_assert_int_eq(nnd_progress_step(ctx, 3.0, 4.0), NND_OK);
    ck_assert_double_eq(r.done, 0.375);
    ck_assert_int_eq(nnd_progress_step(ctx, 3.001, 4.0), NND_OK);
    ck_assert_int_eq(r.reports, 1);
    ck_assert_int_eq(nnd_progress_step(ctx, 4.0, 4.0), NND_OK);
    nnd_progress_within(ctx, 0.5, 1.0);
    nnd_progress_join(part, ctx, 2);
    ck_assert_int_eq(nnd_progress_step(part, 1.0, 2.0), NND_OK);
    ck_assert_double_eq(r.done, 0.625);
    nnd_progress_end(part);
    ck_assert_double_eq(r.done, 0.75);
    nnd_progress_end(ctx);
    ck_assert_double_eq(r.done, 1.0);
    ck_assert_str_eq(r.what, "theory");
    ck_assert_uint_eq(r.total, 2);
    nnd_context_interrupt(ctx);
    ck_assert_int_eq(nnd_progress_step(ctx, 7.0, 8.0), NND_E_INTERRUPTED);
    ck_assert_str_eq(nnd_context_message(ctx), "interrupted at step 7");
    nnd_context_free(part);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(an_interrupt_is_seen_by_its_context_alone) {
    nnd_context *a = nnd_context_new(NULL), *b = nnd_context_new(NULL);
    nnd_context_interrupt(a);
    ck_assert(nnd_context_interrupted(a));
    ck_assert(!nnd_context_interrupted(b));
    nnd_context_free(a);
    nnd_context_free(b);
}
END_TEST

START_TEST(work_beyond_the_memory_limit_is_refused_by_name) {
    const nnd_context_options options = {.memory_limit = 1000};
    nnd_context *ctx = nnd_context_new(&options);
    ck_assert_int_eq(nnd_check_memory(ctx, 1000.0, "a march"), NND_OK);
    ck_assert_int_eq(nnd_check_memory(ctx, 1001.0, "a march"), NND_E_LIMIT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "a march"));
    ck_assert_int_eq(nnd_check_memory(ctx, INFINITY, "a march"), NND_E_LIMIT);
    ck_assert_int_eq(nnd_check_memory(ctx, NAN, "a march"), NND_E_LIMIT);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(as_many_work_at_once_as_items_threads_and_memory_allow) {
    const nnd_context_options options = {.threads = 8, .memory_limit = 1000};
    nnd_context *ctx = nnd_context_new(&options);
    ck_assert_int_eq(nnd_context_concurrency(ctx, 100, 0.0), 8);   /* threads */
    ck_assert_int_eq(nnd_context_concurrency(ctx, 5, 1.0), 5);     /* items */
    ck_assert_int_eq(nnd_context_concurrency(ctx, 100, 250.0), 4); /* memory, exactly filled */
    ck_assert_int_eq(nnd_context_concurrency(ctx, 100, 251.0), 3);
    ck_assert_int_eq(nnd_context_concurrency(ctx, 2, 250.0), 2);
    ck_assert_int_eq(nnd_context_concurrency(ctx, 100, 600.0), 1);
    ck_assert_int_eq(nnd_context_concurrency(ctx, 100, 5000.0), 1); /* refused elsewhere */
    ck_assert_int_eq(nnd_context_concurrency(ctx, 0, 1.0), 1);
    ck_assert_int_eq(nnd_context_concurrency(ctx, SIZE_MAX, INFINITY), 1);
    nnd_context_free(ctx);
}
END_TEST

/* Pieces that fail from `first` on, and note what they were given. */
typedef struct {
    size_t first;
    int done[64], threads[64];
    int stop_at;
} pieces;

static nnd_status piece(nnd_context *ctx, size_t i, void *data) {
    pieces *p = data;
    p->done[i]++;
    p->threads[i] = nnd_context_threads(ctx);
    if ((int)i == p->stop_at)
        nnd_context_interrupt(ctx);
    if (i < p->first)
        return NND_OK;
    nnd_fail(ctx, NND_E_INPUT, "piece %zu: %0200d", i, (int)i);
    /* Others fail meanwhile. */
    for (int wait = 0; wait < 200; wait++)
        nnd_log(ctx, NND_LOG_DETAIL, "%d", wait);
    return i % 2 == 0 ? NND_E_INPUT : NND_E_MEMORY;
}

START_TEST(the_first_failure_in_order_is_reported_whoever_is_faster) {
    record r = {0};
    const nnd_context_options options = {.threads = 8, .log = keep_line, .user = &r};
    nnd_context *ctx = nnd_context_new(&options);
    char want[256];
    snprintf(want, sizeof want, "piece %d: %0200d", 5, 5);
    for (int repeat = 0; repeat < 50; repeat++) {
        pieces p = {.first = 5, .stop_at = -1};
        ck_assert_int_eq(nnd_parallel(ctx, 8, 64, piece, &p), NND_E_MEMORY);
        ck_assert_str_eq(nnd_context_message(ctx), want);
        for (int i = 0; i <= 5; i++)
            ck_assert_int_eq(p.done[i], 1);
    }
    nnd_context_free(ctx);
}
END_TEST

START_TEST(pieces_that_succeed_are_all_done_once_and_leave_the_message_alone) {
    const nnd_context_options options = {.threads = 4};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_fail(ctx, NND_E_IO, "earlier");
    pieces p = {.first = 64, .stop_at = -1};
    ck_assert_int_eq(nnd_parallel(ctx, 4, 64, piece, &p), NND_OK);
    for (int i = 0; i < 64; i++) {
        ck_assert_int_eq(p.done[i], 1);
        ck_assert_int_eq(p.threads[i], 1);
    }
    ck_assert_str_eq(nnd_context_message(ctx), "earlier");
    ck_assert_int_eq(nnd_parallel(ctx, 4, 0, piece, &p), NND_OK);
    /* One after the other: each may use all threads. */
    ck_assert_int_eq(nnd_parallel(ctx, 1, 2, piece, &p), NND_OK);
    ck_assert_int_eq(p.threads[1], 4);
    nnd_context_free(ctx);
}
END_TEST

static nnd_status needs_much(nnd_context *own, size_t i, void *bytes) {
    (void)i;
    return nnd_check_memory(own, *(double *)bytes, "a piece");
}

START_TEST(pieces_side_by_side_share_the_memory) {
    nnd_context_options options = {.threads = 2, .memory_limit = 1000000000};
    nnd_context *ctx = nnd_context_new(&options);
    double bytes = 0.6e9;
    ck_assert_int_eq(nnd_parallel(ctx, 1, 2, needs_much, &bytes), NND_OK);
    ck_assert_int_eq(nnd_parallel(ctx, 2, 2, needs_much, &bytes), NND_E_LIMIT);
    ck_assert_str_eq(nnd_context_message(ctx),
                     "a piece needs 0.6 GB of memory on each of 2 threads, the limit is 1 GB");
    nnd_context_free(ctx);
}
END_TEST

START_TEST(an_interrupt_from_a_piece_stops_the_others) {
    const nnd_context_options options = {.threads = 1};
    nnd_context *ctx = nnd_context_new(&options);
    pieces p = {.first = 64, .stop_at = 3};
    ck_assert_int_eq(nnd_parallel(ctx, 1, 64, piece, &p), NND_E_INTERRUPTED);
    ck_assert_str_eq(nnd_context_message(ctx), "interrupted at part 4");
    ck_assert(nnd_context_interrupted(ctx));
    ck_assert_int_eq(p.done[3], 1);
    ck_assert_int_eq(p.done[4], 0);
    nnd_context_free(ctx);
}
END_TEST

static void log_into_another(void *user, nnd_log_level level, const char *line) {
    nnd_log(user, level, "passed on: %s", line);
}

START_TEST(a_callback_may_use_another_context) {
    record r = {0};
    const nnd_context_options outer = {.log = keep_line, .user = &r};
    nnd_context *a = nnd_context_new(&outer);
    const nnd_context_options inner = {.log = log_into_another, .user = a};
    nnd_context *b = nnd_context_new(&inner);
    nnd_log(b, NND_LOG_NOTE, "news");
    ck_assert_str_eq(r.line, "passed on: news");
    nnd_context_free(b);
    nnd_context_free(a);
}
END_TEST

START_TEST(every_status_has_a_text) {
#define CK_TEXT(name, value, text) ck_assert_str_eq(nnd_status_text(name), text);
    NND_STATUS_LIST(CK_TEXT)
#undef CK_TEXT
    ck_assert_str_eq(nnd_status_text((nnd_status)-100), "unknown status");
    ck_assert_uint_gt(strlen(nnd_version()), 0);
    ck_assert_uint_gt(strlen(nnd_git_describe()), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("context");
    TCase *tests = tcase_create("context");
    tcase_add_test(tests, defaults_are_usable);
    tcase_add_test(tests, options_are_kept);
    tcase_add_test(tests, ranks_that_make_no_sense_are_refused);
    tcase_add_test(tests, only_several_ranks_have_to_agree);
    tcase_add_test(tests, a_failure_leaves_its_message_in_its_own_context);
    tcase_add_test(tests, endless_messages_are_cut);
    tcase_add_test(tests, log_and_progress_reach_the_callbacks);
    tcase_add_test(tests, pieces_say_how_far_they_are);
    tcase_add_test(tests, an_interrupt_is_seen_by_its_context_alone);
    tcase_add_test(tests, work_beyond_the_memory_limit_is_refused_by_name);
    tcase_add_test(tests, as_many_work_at_once_as_items_threads_and_memory_allow);
    tcase_add_test(tests, the_first_failure_in_order_is_reported_whoever_is_faster);
    tcase_add_test(tests, pieces_that_succeed_are_all_done_once_and_leave_the_message_alone);
    tcase_add_test(tests, an_interrupt_from_a_piece_stops_the_others);
    tcase_add_test(tests, pieces_side_by_side_share_the_memory);
    tcase_add_test(tests, a_callback_may_use_another_context);
    tcase_add_test(tests, every_status_has_a_text);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
