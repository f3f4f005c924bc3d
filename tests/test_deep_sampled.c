/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fluctuations of deep networks by sampled marches: one layer against quadrature, more layers
 * against ensembles of real networks, and what must hold exactly. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/linear_layers.h"
#include "support.h"
#include "theory/deep_sampled.h"
#include "with_context.h"

enum { MOST = 8, SEED = 11 };

static const double ONE[] = {1.0}, WIDTHS[] = {1.0, 1.0, 1.0};
static const double PAIR[] = {1.0, 0.4, 0.4, 0.8}, TARGETS[] = {1.0, -0.5};
static const nnd_activation TANH = {NND_TANH, 1.0, 1.0, 0.0};

/* A run and what it fills. */
typedef struct {
    nnd_deep_sampled p;
    nnd_timegrid grid;
    size_t step[MOST];
    nnd_deep_observable o[MOST];
    nnd_fluctuations f, se;
    nnd_deep_report report;
} study;

static study one_sample(size_t depth, double lr, size_t times, const size_t *step) {
    study s = {.grid.count = times};
    for (size_t i = 0; i < times; i++)
        s.step[i] = step[i];
    s.o[0] = (nnd_deep_observable){NND_DEEP_NTK, 0, 0, 0};
    s.p = (nnd_deep_sampled){
        .problem =
            {
                .depth = depth,
                .samples = 1,
                .points = 1,
                .steps = step[times - 1],
                .gram = ONE,
                .targets = ONE,
                .activation = &TANH,
                .gamma0 = 1.0,
                .lr = lr,
                .sigma_w = 1.0,
                .widths = WIDTHS,
                .center = true,
                .kernels = true,
            },
        .observables = 1,
        .samples = 2048,
        .replicates = 6,
        .rank_tol = 1e-3,
        .seed = SEED,
    };
    return s;
}

/* The struct may have been copied since it was filled. */
static void run(study *s) {
    s->grid.step = s->step;
    s->p.grid = &s->grid;
    s->p.observable = s->o;
    if (nnd_deep_sampled_run(ctx, &s->p, &s->f, &s->se, &s->report) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
}

static void clear(study *s) {
    nnd_fluctuations_clear(&s->f);
    nnd_fluctuations_clear(&s->se);
}

static void check(const char *what, size_t k, double value, double wanted, double error) {
    ck_assert_msg(fabs(value - wanted) < error, "%s %zu: %.6g, wanted %.6g, at most %.2g off", what,
                  k, value, wanted, error);
}

START_TEST(one_layer_is_what_quadrature_finds) {
    const size_t step[] = {0, 4, 12};
    study s = one_sample(1, 0.2, 3, step);
    s.p.bias = true;
    s.p.samples = 1024;
    run(&s);
    nnd_observable ntk = {NND_OBSERVE_NTK, 0, 0};
    nnd_units units = {.activation = &TANH,
                       .train = 1,
                       .points = 1,
                       .gram = ONE,
                       .targets = ONE,
                       .gamma0 = 1.0,
                       .lr = 0.2,
                       .center = true,
                       .grid = &s.grid,
                       .observables = 1,
                       .observable = &ntk,
                       .bias = true};
    nnd_fluctuations exact, error;
    nnd_influence_report report;
    ck_assert_int_eq(nnd_influence_quadrature(ctx, &units, 0, 1e-8, &exact, &error, &report),
                     NND_OK);
    for (size_t k = 0; k < 6; k++) {
        /* Five standard errors, and rounding. */
        check("mean", k, s.f.mean[k], exact.mean[k], 5.0 * s.se.mean[k] + 1e-12);
        check("variance", k, s.f.nvar[k], exact.nvar[k], 5.0 * s.se.nvar[k] + 1e-12);
        check("covariance", k, s.f.ncov[k], exact.ncov[k], 5.0 * s.se.ncov[k] + 1e-12);
        check("bias", k, s.f.bias[k], exact.bias[k], 5.0 * s.se.bias[k] + 1e-9);
        ck_assert_msg(s.se.nvar[k] <= 0.05 * exact.nvar[k], "error of variance %zu: %g", k,
                      s.se.nvar[k]);
    }
    nnd_fluctuations_clear(&exact);
    nnd_fluctuations_clear(&error);
    clear(&s);
}
END_TEST

/* Sites of a linear march match what means consist of: what is wrong is that directions were
 * dropped.
 */
START_TEST(errors_of_means_contain_dropped_directions) {
    static const nnd_activation linear = {NND_LINEAR, 1.0, 1.0, 0.0};
    const size_t step[] = {10};
    study coarse = one_sample(3, 0.05, 1, step), fine;
    coarse.p.problem.activation = &linear;
    coarse.p.samples = 256;
    fine = coarse;
    coarse.p.rank_tol = 1e-2;
    fine.p.rank_tol = 1e-7;
    run(&coarse);
    run(&fine);
    double off = fabs(coarse.f.mean[1] - fine.f.mean[1]);
    ck_assert_msg(off > 1e-9, "nothing was dropped");
    check("ntk", 1, coarse.f.mean[1], fine.f.mean[1], 5.0 * coarse.se.mean[1]);
    clear(&coarse);
    clear(&fine);
}
END_TEST

/* tanh, two layers: deep-fluctuations.md#case-a, where ensembles of 32 to 512 neurons agree. */
START_TEST(two_layers_are_what_ensembles_found) {
    const size_t step[] = {2, 10, 20};
    const double variance[] = {0.03054, 0.11405, 0.06931}, kernel[] = {0.7118, 0.2110, 0.1183};
    const double mean[] = {0.147708, 0.513731, 0.752808};
    study s = one_sample(2, 0.1, 3, step);
    run(&s);
    for (size_t i = 0; i < 3; i++) {
        check("mean", i, s.f.mean[2 * i], mean[i], 5.0 * s.se.mean[2 * i]);
        check("variance", i, s.f.nvar[2 * i], variance[i],
              5.0 * s.se.nvar[2 * i] + 0.01 * variance[i]);
        check("of K", i, s.f.nvar[2 * i + 1], kernel[i],
              5.0 * s.se.nvar[2 * i + 1] + 0.01 * kernel[i]);
    }
    ck_assert_msg(s.report.spread < 0.1, "%g", s.report.spread);
    clear(&s);
}
END_TEST

/* Three layers, two samples: deep-fluctuations.md#case-d. */
START_TEST(three_layers_and_two_samples_are_what_ensembles_found) {
    const size_t step[] = {4, 12};
    const double first[] = {0.0794, 0.2015}, second[] = {0.0444, 0.2132}, cov = -0.1547;
    study s = one_sample(3, 0.2, 2, step);
    s.p.problem.samples = s.p.problem.points = 2;
    s.p.problem.gram = PAIR;
    s.p.problem.targets = TARGETS;
    s.p.samples = 1024;
    s.p.observables = 0;
    run(&s);
    for (size_t i = 0; i < 2; i++) {
        check("first", i, s.f.nvar[2 * i], first[i], 5.0 * s.se.nvar[2 * i] + 0.01 * first[i]);
        check("second", i, s.f.nvar[2 * i + 1], second[i],
              5.0 * s.se.nvar[2 * i + 1] + 0.01 * second[i]);
    }
    check("covariance", 0, s.f.ncov[1 * 4 + 1], cov, 5.0 * s.se.ncov[1 * 4 + 1] + 0.01 * fabs(cov));
    clear(&s);
}
END_TEST

/* What the exact theory of linear networks says of the same problem. Observables in its order: K of
 * the pairs follows the outputs. */
static nnd_fluctuations exact_of(const study *s) {
    const nnd_deep_problem *q = &s->p.problem;
    nnd_linear_layers layers = {.depth = q->depth,
                                .ratio = q->widths,
                                .train = q->samples,
                                .points = q->points,
                                .gram = q->gram,
                                .targets = q->targets,
                                .gamma0 = q->gamma0,
                                .sigma = q->sigma_w,
                                .lr = q->lr,
                                .schedule = q->schedule,
                                .center = q->center,
                                .bias = s->p.bias,
                                .grid = &s->grid,
                                .kernels = true,
                                .tolerance = 1e-4};
    nnd_fluctuations exact;
    nnd_linear_layers_report report;
    ck_assert_int_eq(nnd_linear_layers_run(ctx, &layers, &exact, &report), NND_OK);
    return exact;
}

/* K^x = 1, y = (0, 1): the first sample learns by chance only. Without what scouts ask for, N Var
 * K_12 is half of this. Rates that fall are in both. */
START_TEST(what_vanishes_in_the_mean_fluctuates_as_in_linear_networks) {
    static const nnd_activation linear = {NND_LINEAR, 1.0, 1.0, 0.0};
    static const double orthogonal[] = {1.0, 0.0, 0.0, 1.0}, targets[] = {0.0, 1.0};
    static const nnd_rates falling = {.power = NAN, .factor = 0.98};
    const size_t step[] = {2, 4, 6};
    study s = one_sample(2, 0.8, 3, step);
    s.p.problem.samples = s.p.problem.points = 2;
    s.p.problem.gram = orthogonal;
    s.p.problem.targets = targets;
    s.p.problem.activation = &linear;
    s.p.problem.gamma0 = 1.5;
    s.p.problem.schedule = &falling;
    s.p.problem.center = false;
    s.p.samples = 1024;
    for (size_t k = 0; k < 3; k++)
        s.o[k] = (nnd_deep_observable){NND_DEEP_NTK, 0, k > 0, k > 1};
    s.p.observables = 3;
    run(&s);
    nnd_fluctuations exact = exact_of(&s);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 5; k++) {
            double wanted = exact.nvar[i * exact.observables + k];
            check("variance", 5 * i + k, s.f.nvar[5 * i + k], wanted,
                  5.0 * s.se.nvar[5 * i + k] + 0.01 * wanted);
        }
    nnd_fluctuations_clear(&exact);
    clear(&s);
}
END_TEST

/* Far above the edge of stability outputs are no parabola in the weights of a layer if these move
 * together by a tenth. */
START_TEST(the_bias_at_a_large_rate_is_that_of_linear_networks) {
    static const nnd_activation linear = {NND_LINEAR, 1.0, 1.0, 0.0};
    const size_t step[] = {5};
    study s = one_sample(2, 0.002, 1, step);
    s.p.problem.samples = s.p.problem.points = 2;
    s.p.problem.gram = PAIR;
    s.p.problem.targets = TARGETS;
    s.p.problem.activation = &linear;
    s.p.problem.sigma_w = 10.0 / 3.0;
    s.p.observables = 0;
    s.p.samples = 1024;
    s.p.bias = true;
    run(&s);
    nnd_fluctuations exact = exact_of(&s);
    for (size_t k = 0; k < 2; k++)
        check("bias", k, s.f.bias[k], exact.bias[k], 5.0 * s.se.bias[k]);
    nnd_fluctuations_clear(&exact);
    clear(&s);
}
END_TEST

START_TEST(errors_fall_with_the_number_of_sites) {
    const size_t step[] = {8};
    double error[2];
    for (int i = 0; i < 2; i++) {
        study s = one_sample(2, 0.1, 1, step);
        s.p.samples = i == 0 ? 128 : 4096;
        s.p.replicates = 12;
        run(&s);
        error[i] = s.se.nvar[0];
        clear(&s);
    }
    /* As 1/sqrt(S) at least: of 5.7, half, since the errors of 12 values are known to 20 %. */
    ck_assert_msg(error[1] < error[0] / 2.8, "%g, then %g", error[0], error[1]);
}
END_TEST

START_TEST(wider_layers_fluctuate_by_so_much_less) {
    const size_t step[] = {0, 5};
    const double twice[] = {2.0, 2.0};
    study a = one_sample(2, 0.1, 2, step), b = a;
    a.p.samples = b.p.samples = 256;
    a.p.bias = b.p.bias = true;
    b.p.problem.widths = twice;
    run(&a);
    run(&b);
    for (size_t k = 0; k < 4; k++) {
        check("mean", k, b.f.mean[k], a.f.mean[k], 1e-13);
        check("variance", k, 2.0 * b.f.nvar[k], a.f.nvar[k], 1e-12);
        check("bias", k, 2.0 * b.f.bias[k], a.f.bias[k], 1e-12 * (1.0 + fabs(a.f.bias[k])));
    }
    clear(&a);
    clear(&b);
}
END_TEST

/* A test point that is a training point has the same influence functions. */
START_TEST(a_known_test_point_fluctuates_with_its_twin) {
    const size_t step[] = {6};
    const double twins[] = {1.0, 1.0, 1.0, 1.0};
    study s = one_sample(2, 0.1, 1, step);
    s.p.samples = 256;
    s.p.problem.points = 2;
    s.p.problem.gram = twins;
    s.o[0] = (nnd_deep_observable){NND_DEEP_OUTPUT, 0, 1, 1};
    s.o[1] = (nnd_deep_observable){NND_DEEP_NTK, 0, 1, 0};
    s.o[2] = (nnd_deep_observable){NND_DEEP_NTK, 0, 0, 0};
    s.p.observables = 3;
    run(&s);
    check("variance", 0, s.f.nvar[1], s.f.nvar[0], 1e-11);
    check("covariance", 0, s.f.ncov[1], s.f.nvar[0], 1e-11);
    check("of K", 0, s.f.nvar[2], s.f.nvar[3], 1e-10);
    clear(&s);
}
END_TEST

START_TEST(outputs_at_two_times_go_together) {
    const size_t step[] = {2, 6};
    study s = one_sample(2, 0.1, 2, step);
    s.p.samples = 256;
    s.p.two_time = true;
    run(&s);
    check("equal times", 0, s.f.two_time[0], s.f.nvar[0], 1e-13);
    check("equal times", 1, s.f.two_time[3], s.f.nvar[2], 1e-13);
    check("exchange", 0, s.f.two_time[1], s.f.two_time[2], 1e-13);
    ck_assert_double_gt(s.f.two_time[1] * s.f.two_time[1], 0.5 * s.f.nvar[0] * s.f.nvar[2]);
    clear(&s);
}
END_TEST

static nnd_fluctuations with_threads(int threads) {
    const size_t step[] = {0, 5};
    const nnd_context_options o = {.threads = threads, .memory_limit = 2000000000};
    study s = one_sample(2, 0.1, 2, step);
    nnd_context *own = nnd_context_new(&o), *before = ctx;
    s.p.samples = 256;
    s.p.bias = true;
    ctx = own;
    run(&s);
    ctx = before;
    nnd_context_free(own);
    nnd_fluctuations_clear(&s.se);
    return s.f;
}

START_TEST(bits_do_not_depend_on_threads) {
    nnd_fluctuations one = with_threads(1), three = with_threads(3);
    for (size_t k = 0; k < one.count; k++)
        ck_assert_msg(one.data[k] == three.data[k], "number %zu", k);
    nnd_fluctuations_clear(&one);
    nnd_fluctuations_clear(&three);
}
END_TEST

static nnd_status pass(void *data, nnd_deep_march *march, size_t step) {
    (void)data, (void)march, (void)step;
    return NND_OK;
}

/* What a march holds with the directions that it turns out to find, as the run counts it. */
static double counted(const nnd_deep_sampled *p) {
    size_t diverged, all = p->problem.samples + p->observables;
    nnd_sobol *net;
    nnd_deep_march *march;
    ck_assert_int_eq(nnd_sobol_new(ctx, p->samples, &net), NND_OK);
    const nnd_deep_sampling sampling = {.sites = p->samples,
                                        .rank_tol = p->rank_tol,
                                        .lost = NND_DEEP_LOST,
                                        .net = net,
                                        .key = {p->seed, 0, p->samples}};
    ck_assert_int_eq(nnd_deep_march_new(ctx, &p->problem, &sampling, &march), NND_OK);
    ck_assert_int_eq(nnd_deep_march_run(march, pass, NULL, &diverged), NND_OK);
    double bytes = nnd_deep_march_bytes(march, all, p->samples);
    nnd_deep_march_free(march);
    nnd_sobol_free(net);
    return bytes;
}

/* Few sites find about the directions of many, also those that only fluctuate. What is stated has a
 * quarter for what allocation wastes, and what is held beside the march. */
START_TEST(memory_is_known_before_and_bounded) {
    static const double idle[] = {1.0, 0.0, 0.0, 1.0}, none[] = {0.0, 1.0};
    const size_t step[] = {12};
    for (size_t depth = 1; depth <= 4; depth++)
        for (int kind = 0; kind < 3; kind++) {
            study s = one_sample(depth, 0.2, 1, step);
            const double widths[] = {1.0, 1.0, 1.0, 1.0};
            s.p.problem.widths = widths;
            s.p.problem.samples = s.p.problem.points = kind > 0 ? 2 : 1;
            s.p.problem.gram = kind == 0 ? ONE : kind == 1 ? PAIR : idle;
            s.p.problem.targets = kind == 0 ? ONE : kind == 1 ? TARGETS : none;
            s.p.samples = 4096;
            s.grid.step = s.step;
            s.p.grid = &s.grid;
            nnd_cost cost = {0};
            ck_assert_int_eq(nnd_deep_sampled_cost(ctx, &s.p, &cost), NND_OK);
            double ratio = cost.single / counted(&s.p);
            ck_assert_msg(ratio > 1.2 && ratio < 1.9, "depth %zu, kind %d: stated %.3g times",
                          depth, kind, ratio);
        }
}
END_TEST

/* As one replicate after the other fits and two do not, they go one by one; less is refused. */
START_TEST(runs_stay_within_the_memory) {
    const size_t step[] = {0, 5};
    nnd_fluctuations free_to_use = with_threads(2);
    nnd_cost cost = {0};
    study s = one_sample(2, 0.1, 2, step);
    s.p.samples = 256;
    s.p.bias = true;
    s.grid.step = s.step;
    s.p.grid = &s.grid;
    ck_assert_int_eq(nnd_deep_sampled_cost(ctx, &s.p, &cost), NND_OK);
    for (int fits = 0; fits < 2; fits++) {
        double limit = cost.single * (fits ? 1.1 : 0.5);
        const nnd_context_options o = {.threads = 2, .memory_limit = (size_t)limit};
        nnd_context *own = nnd_context_new(&o);
        s.p.observable = s.o;
        nnd_status status = nnd_deep_sampled_run(own, &s.p, &s.f, &s.se, &s.report);
        ck_assert_int_eq(status, fits ? NND_OK : NND_E_LIMIT);
        if (!fits)
            ck_assert_ptr_nonnull(strstr(nnd_context_message(own), "ranks have grown to"));
        nnd_context_free(own);
    }
    for (size_t k = 0; k < s.f.count; k++)
        ck_assert_msg(s.f.data[k] == free_to_use.data[k], "number %zu", k);
    nnd_fluctuations_clear(&free_to_use);
    clear(&s);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("deep fluctuations");
    TCase *tests = tcase_create("sampled");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, one_layer_is_what_quadrature_finds);
    tcase_add_test(tests, errors_of_means_contain_dropped_directions);
    tcase_add_test(tests, two_layers_are_what_ensembles_found);
    tcase_add_test(tests, three_layers_and_two_samples_are_what_ensembles_found);
    tcase_add_test(tests, what_vanishes_in_the_mean_fluctuates_as_in_linear_networks);
    tcase_add_test(tests, the_bias_at_a_large_rate_is_that_of_linear_networks);
    tcase_add_test(tests, errors_fall_with_the_number_of_sites);
    tcase_add_test(tests, wider_layers_fluctuate_by_so_much_less);
    tcase_add_test(tests, a_known_test_point_fluctuates_with_its_twin);
    tcase_add_test(tests, outputs_at_two_times_go_together);
    tcase_add_test(tests, bits_do_not_depend_on_threads);
    tcase_add_test(tests, memory_is_known_before_and_bounded);
    tcase_add_test(tests, runs_stay_within_the_memory);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
