/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random matrices known by their answers, on questions that have nothing to do with networks. */
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/conditioned.h"
#include "support.h"

static nnd_known_vector vector(nnd_conditioned *c, nnd_known_space space) {
    nnd_known_vector v;
    ck_assert_int_eq(nnd_conditioned_add_vector(c, space, &v), NND_OK);
    return v;
}

static nnd_known_space space(nnd_conditioned *c) {
    nnd_known_space s;
    ck_assert_int_eq(nnd_conditioned_add_space(c, &s), NND_OK);
    return s;
}

static void ask(nnd_conditioned *c, nnd_known_matrix a, nnd_direction direction, double tolerance,
                nnd_known_vector v, nnd_known_vector image) {
    ck_assert_int_eq(nnd_conditioned_ask(c, a, direction, tolerance, v, image), NND_OK);
}

/* Moments of order 2q of the singular values of a matrix of aspect 1 are Catalan numbers. */
static const double CATALAN[] = {1,    1,    2,     5,     14,     42,     132,     429,
                                 1430, 4862, 16796, 58786, 208012, 742900, 2674440, 9694845};

/* f_{q+1} = A^T A f_q from a drawn vector. */
START_TEST(power_iteration_gives_marchenko_pastur_moments) {
    enum { QUERIES = 8 };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_conditioned *c;
    nnd_known_matrix a;
    nnd_known_vector f[QUERIES + 1], g[QUERIES];
    ck_assert_int_eq(nnd_conditioned_new(ctx, &c), NND_OK);
    nnd_known_space in = space(c), out = space(c);
    ck_assert_int_eq(nnd_conditioned_add_matrix(c, 1.0, 1.0, in, out, &a), NND_OK);
    f[0] = vector(c, in);
    ck_assert_int_eq(nnd_conditioned_draw(c, f[0], 1.0), NND_OK);
    for (int q = 0; q < QUERIES; q++) {
        g[q] = vector(c, out);
        f[q + 1] = vector(c, in);
        ask(c, a, NND_FORWARD, 0.0, f[q], g[q]);
        ask(c, a, NND_BACKWARD, 0.0, g[q], f[q + 1]);
    }
    for (int q = 0; q < QUERIES; q++)
        for (int p = 0; p <= q; p++) {
            test_close("f_q . f_p", nnd_conditioned_dot(c, f[q], f[p]), CATALAN[q + p], 1e-12);
            test_close("g_q . g_p", nnd_conditioned_dot(c, g[q], g[p]), CATALAN[q + p + 1], 1e-12);
        }
    nnd_conditioned_free(c);
    nnd_context_free(ctx);
}
END_TEST

/* Two matrices between three spaces, of aspects 2 and 1/2, and what has been learned of the first;
 * `asked` pairs of questions. Room grows several times on the way. */
typedef struct {
    nnd_conditioned *c;
    nnd_known_space in, middle, out;
    nnd_known_matrix a, b;
    nnd_known_vector v, x, y;
} chain;

static chain asked_chain(nnd_context *ctx, int asked) {
    chain s;
    ck_assert_int_eq(nnd_conditioned_new(ctx, &s.c), NND_OK);
    s.in = space(s.c);
    s.middle = space(s.c);
    s.out = space(s.c);
    ck_assert_int_eq(nnd_conditioned_add_matrix(s.c, 0.7, 2.0, s.in, s.middle, &s.a), NND_OK);
    ck_assert_int_eq(nnd_conditioned_add_matrix(s.c, 1.3, 0.5, s.middle, s.out, &s.b), NND_OK);
    s.v = vector(s.c, s.in);
    s.x = vector(s.c, s.middle);
    s.y = vector(s.c, s.out);
    ck_assert_int_eq(nnd_conditioned_draw(s.c, s.v, 1.0), NND_OK);
    for (int i = 0; i < asked; i++) {
        ask(s.c, s.a, NND_FORWARD, 0.0, s.v, s.x);
        ask(s.c, s.b, NND_FORWARD, 0.0, s.x, s.y);
        ask(s.c, s.b, NND_BACKWARD, 0.0, s.y, s.x);
        ask(s.c, s.a, NND_BACKWARD, 0.0, s.x, s.v);
        double length = sqrt(nnd_conditioned_dot(s.c, s.v, s.v));
        nnd_conditioned_add(s.c, 1.0 / length - 1.0, s.v, s.v);
        nnd_conditioned_add_outer(s.c, s.a, 0.1, s.x, s.v);
    }
    return s;
}

/* Each question that is revealed takes one direction from what is unknown. */
START_TEST(what_is_unknown_and_what_is_revealed_fill_the_space) {
    enum { ASKED = 30 };
    nnd_context *ctx = nnd_context_new(NULL);
    chain s = asked_chain(ctx, ASKED);
    nnd_known a = nnd_conditioned_known(s.c, s.a), b = nnd_conditioned_known(s.c, s.b);
    ck_assert_uint_eq(a.in, 1 + ASKED);
    ck_assert_uint_eq(a.out, 2 * ASKED);
    ck_assert_uint_eq(b.out, ASKED);
    ck_assert_uint_eq(a.in - a.unknown_in, ASKED);
    ck_assert_uint_eq(a.out - a.unknown_out, ASKED);
    ck_assert_uint_eq(b.in - b.unknown_in, ASKED);
    ck_assert_uint_eq(b.out - b.unknown_out, ASKED);
    nnd_conditioned_free(s.c);
    nnd_context_free(ctx);
}
END_TEST

/* y . (A v) = (A^T y) . v, and asking again adds nothing. */
START_TEST(answers_are_those_of_one_matrix) {
    nnd_context *ctx = nnd_context_new(NULL);
    chain s = asked_chain(ctx, 20);
    nnd_known_vector forward = vector(s.c, s.middle), backward = vector(s.c, s.in);
    nnd_known_vector again = vector(s.c, s.middle);
    ask(s.c, s.a, NND_FORWARD, 0.0, s.v, forward);
    ask(s.c, s.a, NND_BACKWARD, 0.0, s.x, backward);
    size_t in = nnd_conditioned_dim(s.c, s.in), middle = nnd_conditioned_dim(s.c, s.middle);
    test_close("adjoint", nnd_conditioned_dot(s.c, s.x, forward),
               nnd_conditioned_dot(s.c, backward, s.v), 1e-13);
    ask(s.c, s.a, NND_FORWARD, 1e-12, s.v, again);
    ck_assert_uint_eq(nnd_conditioned_dim(s.c, s.in), in);
    ck_assert_uint_eq(nnd_conditioned_dim(s.c, s.middle), middle);
    nnd_conditioned_add(s.c, -1.0, forward, again);
    ck_assert(nnd_conditioned_dot(s.c, again, again) < 1e-26);
    nnd_conditioned_free(s.c);
    nnd_context_free(ctx);
}
END_TEST

/* The image of a vector that is orthogonal to all that was asked has the length of a fresh one. */
START_TEST(a_new_direction_has_a_fresh_image) {
    nnd_context *ctx = nnd_context_new(NULL);
    chain s = asked_chain(ctx, 10);
    nnd_known_vector fresh = vector(s.c, s.in), image = vector(s.c, s.middle);
    ck_assert_int_eq(nnd_conditioned_draw(s.c, fresh, 3.0), NND_OK);
    ask(s.c, s.a, NND_FORWARD, 0.0, fresh, image);
    test_close("length", nnd_conditioned_dot(s.c, image, image), 9.0 * 0.7 * 2.0, 1e-13);
    test_close("what is dropped", nnd_conditioned_dropped(s.c), 0.0, 0.0);
    nnd_conditioned_free(s.c);
    nnd_context_free(ctx);
}
END_TEST

/* A question whose unknown part is a hundredth of it: dropped above that, revealed below. */
START_TEST(a_part_is_dropped_up_to_the_threshold) {
    nnd_context *ctx = nnd_context_new(NULL);
    for (int i = 0; i < 2; i++) {
        chain s = asked_chain(ctx, 5);
        nnd_known_vector image = vector(s.c, s.middle);
        ask(s.c, s.a, NND_FORWARD, 0.0, s.v, image);
        size_t before = nnd_conditioned_dim(s.c, s.middle);
        ck_assert_int_eq(nnd_conditioned_draw(s.c, s.v, 0.01), NND_OK);
        ask(s.c, s.a, NND_FORWARD, i == 0 ? 0.02 : 0.005, s.v, image);
        ck_assert_uint_eq(nnd_conditioned_dim(s.c, s.middle), before + (i == 0 ? 0 : 1));
        if (i == 0)
            test_close("over its threshold", nnd_conditioned_dropped(s.c), 0.5, 1e-3);
        nnd_conditioned_free(s.c);
    }
    nnd_context_free(ctx);
}
END_TEST

/* Projection on all of the old coordinates in another basis moves no inner product, before or
 * after more questions. */
START_TEST(another_basis_changes_nothing) {
    enum { OLD = 7 };
    nnd_context *ctx = nnd_context_new(NULL);
    chain s = asked_chain(ctx, 12), r = asked_chain(ctx, 12);
    double reflection[OLD * OLD];
    for (int i = 0; i < OLD; i++)
        for (int j = 0; j < OLD; j++)
            reflection[i * OLD + j] = (i == j ? 1.0 : 0.0) - 2.0 / OLD;
    ck_assert_int_eq(nnd_conditioned_project(r.c, r.in, OLD, OLD, reflection), NND_OK);
    ck_assert_int_eq(nnd_conditioned_project(r.c, r.middle, OLD, OLD, reflection), NND_OK);
    chain *both[2] = {&s, &r};
    double got[2];
    for (int i = 0; i < 2; i++) {
        nnd_conditioned *c = both[i]->c;
        nnd_known_vector x = vector(c, both[i]->middle), v = vector(c, both[i]->in);
        ask(c, both[i]->a, NND_FORWARD, 0.0, both[i]->v, x);
        ask(c, both[i]->a, NND_BACKWARD, 0.0, x, v);
        got[i] = nnd_conditioned_dot(c, v, both[i]->v);
    }
    test_close("product", got[1], got[0], 1e-13);
    ck_assert_uint_eq(nnd_conditioned_known(r.c, r.a).unknown_in,
                      nnd_conditioned_known(s.c, s.a).unknown_in);
    nnd_conditioned_free(s.c);
    nnd_conditioned_free(r.c);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(growth_beyond_the_memory_limit_is_refused) {
    nnd_context_options options = {.memory_limit = 100000};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_conditioned *c;
    nnd_known_matrix a;
    nnd_status status = nnd_conditioned_new(ctx, &c);
    nnd_known_space in = space(c), out = space(c);
    ck_assert_int_eq(nnd_conditioned_add_matrix(c, 1.0, 1.0, in, out, &a), NND_OK);
    nnd_known_vector v = vector(c, in);
    for (int i = 0; i < 1000 && status == NND_OK; i++)
        status = nnd_conditioned_draw(c, v, 1.0);
    ck_assert_int_eq(status, NND_E_LIMIT);
    nnd_conditioned_free(c);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("conditioned");
    TCase *tests = tcase_create("conditioned");
    tcase_add_test(tests, power_iteration_gives_marchenko_pastur_moments);
    tcase_add_test(tests, what_is_unknown_and_what_is_revealed_fill_the_space);
    tcase_add_test(tests, answers_are_those_of_one_matrix);
    tcase_add_test(tests, a_new_direction_has_a_fresh_image);
    tcase_add_test(tests, a_part_is_dropped_up_to_the_threshold);
    tcase_add_test(tests, another_basis_changes_nothing);
    tcase_add_test(tests, growth_beyond_the_memory_limit_is_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
