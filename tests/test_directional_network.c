/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real weight matrices under the logistic loss, beside the reduced maps and flows of the theory. */
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/rng.h"
#include "nndmft/simulate.h"
#include "support.h"
#include "validate/directional_network.h"
#include "validate/flow.h"
#include "with_context.h"

static nnd_case *read_params(const char *format, ...) __attribute__((format(printf, 1, 2)));
static nnd_case *read_params(const char *format, ...) {
    char params[1024], text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(params, sizeof params, format, args);
    va_end(args);
    snprintf(text, sizeof text, "{model: directional, params: {%s}, simulate: {seeds: 2}}", params);
    return test_case(ctx, text);
}

/* Theory and the simulated block of a case. */
typedef struct {
    nnd_frame *theory, *block;
} pair;

static pair run(nnd_case *c) {
    pair p = {0};
    const nnd_simulator *s = nnd_simulator_find(c->model);
    ck_assert(nnd_theory_run(ctx, c, NULL, &p.theory) >= NND_OK);
    ck_assert_int_eq(s->simulate(ctx, c->params[0], 0, 1, 0, 2, &p.block), NND_OK);
    nnd_case_free(c);
    return p;
}

static void pair_free(pair p) {
    nnd_frame_free(p.theory);
    nnd_frame_free(p.block);
}

/* Largest difference of a variable over seeds and times, relative to its largest value. */
static double distance(pair p, const char *name) {
    const nnd_array *a = nnd_frame_find(p.theory, name), *b = nnd_frame_find(p.block, name);
    ck_assert_msg(a != NULL && b != NULL && b->count == 2 * a->count, "%s", name);
    double worst = 0.0, scale = 0.0;
    for (size_t i = 0; i < a->count; i++)
        scale = isnan(a->data[i]) ? scale : fmax(scale, fabs(a->data[i]));
    for (size_t i = 0; i < b->count; i++) {
        double difference = b->data[i] - a->data[i % a->count];
        ck_assert_msg(isnan(b->data[i]) == isnan(a->data[i % a->count]), "%s %zu", name, i);
        worst = isnan(difference) ? worst : fmax(worst, fabs(difference) / scale);
    }
    return worst;
}

/* Exponents of descent are differences over one of hundreds of steps: two digits less. */
static void assert_same(pair p, const char *what, double tolerance) {
    static const struct {
        const char *name;
        double factor;
    } variables[] = {
        {"omega", 1},      {"theta", 1}, {"log_tan_half", 1},     {"neg_log_sin", 1},
        {"error_rate", 1}, {"loss", 1},  {"omega_exponent", 100}, {"angle_exponent", 100}};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        double error = distance(p, variables[i].name);
        ck_assert_msg(error < tolerance * variables[i].factor, "%s, %s: %g", what,
                      variables[i].name, error);
    }
    pair_free(p);
}

START_TEST(matrices_follow_the_maps_of_aligned_layers) {
    const char *const laws[] = {"gaussian", "sphere",
                                "{mixture: {weights: [1, 3], scales: [0.5, 2]}}"};
    for (int law = 0; law < 3; law++)
        for (int depth = 1; depth <= 4; depth++) {
            /* Angles stay above those that cancellation between units leaves. */
            char what[64];
            snprintf(what, sizeof what, "law %d, depth %d", law, depth);
            assert_same(run(read_params("depth: %d, law: %s, dim: 8, width: 5, integrator: gd, "
                                        "lr: 0.05, theta0: 2.2, steps: 300, record_every: 10",
                                        depth, laws[law])),
                        what, 1e-12);
        }
}
END_TEST

START_TEST(matrices_follow_a_schedule) {
    const char *const schedules[] = {"[1, 0.5, 2]", "{power: -0.25}", "{factor: 0.99}"};
    for (int k = 0; k < 3; k++) {
        assert_same(run(read_params("depth: 3, dim: 8, width: 5, integrator: gd, lr: 0.05, "
                                    "steps: 200, record_every: 10, schedule: %s",
                                    schedules[k])),
                    schedules[k], 1e-12);
        assert_same(run(read_params("dim: 5, integrator: gd, lr: 0.1, steps: 100, schedule: %s, "
                                    "init: {M: [[1, 0.2], [0.2, 0.5]], p: [0.3, -0.4], a: [0.5, "
                                    "1]}",
                                    schedules[k])),
                    schedules[k], 1e-12);
    }
}
END_TEST

START_TEST(matrices_follow_the_map_of_two_unbalanced_layers) {
    assert_same(run(read_params("integrator: gd, lr: 0.1, steps: 500, dim: 20, "
                                "init: {M: [[1, 0.2], [0.2, 0.5]], p: [0.3, -0.4], a: [0.5, 1]}")),
                "two units", 1e-12);
    assert_same(
        run(read_params("integrator: gd, lr: 0.3, steps: 500, dim: 20, law: sphere, init: {"
                        "M: [[1, 0.1, 0, 0.2], [0.1, 0.8, 0.3, 0], [0, 0.3, 0.9, 0.1], "
                        "[0.2, 0, 0.1, 0.7]], p: [0.3, -0.4, 0.2, 0], a: [0.5, 1, -0.7, 0.2]}")),
        "four units", 1e-12);
}
END_TEST

/* One unit per layer has no rounding between units: real matrices see the angle go down to 1e-229,
 * grow again beyond omega_critical, and start afresh. */
START_TEST(matrices_see_the_edge) {
    pair p = run(read_params("depth: 3, integrator: gd, lr: 1, theta0: 0.5, steps: 3200, width: 1, "
                             "record_every: 50"));
    ck_assert_ptr_null(nnd_frame_find(p.theory, "omega_min_size"));
    assert_same(p, "edge", 1e-12);
}
END_TEST

/* Whether theory claims point i of a variable. */
static bool claimed(const nnd_frame *theory, const char *name, size_t i) {
    char full[64];
    snprintf(full, sizeof full, "%s_min_size", name);
    const nnd_array *least = nnd_frame_find(theory, full);
    return least == NULL || least->data[i] == 0.0;
}

/* The farthest that the simulation is from a theory, among the points that `by` claims or does not
 * claim, relative to the largest value; how many points that are. */
static double farthest(pair p, const nnd_frame *by, const char *name, bool claims, size_t *count) {
    const nnd_array *a = nnd_frame_find(p.theory, name), *b = nnd_frame_find(p.block, name);
    double worst = 0.0, scale = 0.0;
    *count = 0;
    for (size_t i = 0; i < a->count; i++)
        scale = isnan(a->data[i]) ? scale : fmax(scale, fabs(a->data[i]));
    for (size_t i = 0; i < a->count; i++) {
        double difference =
            fmax(fabs(b->data[i] - a->data[i]), fabs(b->data[a->count + i] - a->data[i]));
        if (isnan(difference) || claimed(by, name, i) != claims)
            continue;
        worst = fmax(worst, difference / scale);
        ++*count;
    }
    return worst;
}

/* The point up to which both simulated seeds have no more than rounding, and how many points before
 * it theory claims. */
static size_t exact_points(pair p, const char *name, size_t *claims) {
    const nnd_array *a = nnd_frame_find(p.theory, name), *b = nnd_frame_find(p.block, name);
    double scale = 0.0;
    size_t i = 0;
    *claims = 0;
    for (; i < a->count; i++)
        scale = isnan(a->data[i]) ? scale : fmax(scale, fabs(a->data[i]));
    for (i = 0; i < a->count; i++) {
        double difference =
            fmax(fabs(b->data[i] - a->data[i]), fabs(b->data[a->count + i] - a->data[i]));
        if (difference > NND_ROUNDING * scale)
            break;
        *claims += claimed(p.theory, name, i);
    }
    return i;
}

static nnd_frame *theory_of(nnd_case *c) {
    nnd_frame *frame;
    ck_assert(nnd_theory_run(ctx, c, NULL, &frame) >= NND_OK);
    nnd_case_free(c);
    return frame;
}

/* Two layers whose angle grows without end, and four that start afresh again and again. */
static nnd_case *unstable(int which, double factor) {
    if (which == 0)
        return read_params("integrator: gd, dim: 3, lr: %.17g, steps: 300, "
                           "init: {M: [[1, 0.2], [0.2, 0.5]], p: [0.3, -0.4], a: [0.5, 1]}",
                           6.0 * factor);
    return read_params("depth: 4, width: 1, integrator: gd, lr: %.17g, theta0: 0.5, steps: 2000, "
                       "record_every: 5",
                       2.0 * factor);
}

/* Where a map blows rounding up theory is silent; where it is not, it is exact, and an error of the
 * rate by 1e-8 is seen. */
START_TEST(claims_end_where_rounding_has_grown) {
    static const char *const names[] = {"omega",        "theta",          "neg_log_sin",   "loss",
                                        "log_tan_half", "omega_exponent", "angle_exponent"};
    for (int k = 0; k < 2; k++) {
        pair p = run(unstable(k, 1.0)), wrong = p;
        wrong.theory = theory_of(unstable(k, 1.00000001));
        for (size_t v = 0; v < sizeof names / sizeof *names; v++) {
            size_t sure, unsure, all;
            double exact = farthest(p, p.theory, names[v], true, &sure);
            double off = farthest(p, p.theory, names[v], false, &unsure);
            double seen = farthest(wrong, p.theory, names[v], true, &all);
            ck_assert_msg(exact < NND_ROUNDING, "%s, claimed: %g", names[v], exact);
            ck_assert_msg(off > NND_ROUNDING, "%s, not claimed: %g", names[v], off);
            ck_assert_msg(seen > NND_ROUNDING, "%s, wrong rate: %g", names[v], seen);
            /* Rounding grows by seven decades until it counts. Claims take it eight times, and the
             * largest of five draws: ending one or two decades early they keep five of seven steps
             * that are exact, at least half where steps differ. */
            size_t kept, exact_for = exact_points(p, names[v], &kept);
            ck_assert_msg(2 * kept >= exact_for, "%s: %zu points claimed of %zu that are exact",
                          names[v], kept, exact_for);
        }
        nnd_frame_free(wrong.theory);
        pair_free(p);
    }
}
END_TEST

START_TEST(matrices_follow_the_flow) {
    for (int depth = 1; depth <= 3; depth++)
        assert_same(run(read_params("depth: %d, time: 50, width: 3, theta0: 2.5", depth)),
                    "balanced", 1e-9);
    assert_same(run(read_params("time: 100, dim: 5, record: [1, 10, 30], "
                                "init: {M: [[1, 0.2], [0.2, 0.5]], p: [0.3, -0.4], a: [0.5, 1]}")),
                "unbalanced", 1e-9);
}
END_TEST

/* The perpendicular part becomes a denormal number, which has few digits; the norm keeps its. */
START_TEST(flows_go_on_when_angles_underflow) {
    pair p = run(read_params("depth: 2, time: 50, width: 1, theta0: 1.0e-306"));
    const nnd_array *zeta = nnd_frame_find(p.block, "log_tan_half");
    ck_assert_double_lt(zeta->data[zeta->count / 2 - 1], log(DBL_MIN));
    ck_assert_double_lt(distance(p, "omega"), 1e-9);
    pair_free(p);
}
END_TEST

/* The force is minus the derivative of the loss, population and samples alike. */
START_TEST(force_is_the_gradient_of_the_loss) {
    const char *const laws[] = {"gaussian", "sphere",
                                "{mixture: {weights: [1, 3], scales: [0.5, 2]}}"};
    for (int law = 0; law < 3; law++)
        for (int sampled = 0; sampled < 2; sampled++) {
            nnd_case *c = read_params("depth: 3, dim: 6, width: 6, law: %s, samples: %s", laws[law],
                                      sampled ? "5000" : "inf");
            nnd_directional_data data;
            ck_assert_int_eq(nnd_directional_data_make(ctx, c->params[0], &data), NND_OK);
            nnd_directional_data_draw(&data, (nnd_rng_key){1, 2, 0});
            double w[6] = {0.7, -0.3, 0.9, 0.1, -1.2, 0.4}, force[6], unused[6], side[2];
            nnd_directional_data_force(&data, w, true, force);
            for (int i = 0; i < 6; i++) {
                const double h = 1e-4, at = w[i];
                for (int k = 0; k < 2; k++) {
                    w[i] = k == 0 ? at - h : at + h;
                    nnd_directional_data_force(&data, w, true, unused);
                    side[k] = data.loss;
                }
                w[i] = at;
                ck_assert_double_eq_tol(force[i], (side[0] - side[1]) / (2.0 * h), 1e-8);
            }
            nnd_directional_data_clear(&data);
            nnd_case_free(c);
        }
}
END_TEST

/* Close to the teacher pull and counterpull differ by A/omega^2, which their subtraction would
 * leave to five digits: the series directional.md#eq4. */
START_TEST(force_along_the_teacher_does_not_cancel) {
    const double omega[] = {3e3, 3e5}, p0 = 1.0 / sqrt(2.0 * M_PI), pi2 = M_PI * M_PI;
    nnd_case *c = read_params("depth: 1, dim: 4");
    nnd_directional_data data;
    ck_assert_int_eq(nnd_directional_data_make(ctx, c->params[0], &data), NND_OK);
    for (int i = 0; i < 2; i++) {
        double w[2] = {omega[i], 1e-30}, force[2], x = 1.0 / (omega[i] * omega[i]);
        double rest =
            p0 * x * (pi2 / 6.0 - pi2 * pi2 * x * (7.0 / 120.0 - pi2 * x * 31.0 / 1008.0));
        nnd_directional_data_force(&data, w, false, force);
        test_close("force", force[0], rest, 1e-13);
        double aside[2] = {omega[i], 1e-3 * omega[i]}, gap = 0.5e-6 - 0.375e-12;
        nnd_directional_data_force(&data, aside, false, force);
        test_close("force", force[0], p0 * gap + rest * (1.0 - 1.5e-6), 1e-9);
    }
    nnd_directional_data_clear(&data);
    nnd_case_free(c);
}
END_TEST

/* Tiles that are drawn anew in every pass have the same numbers as those that are kept. */
START_TEST(streamed_samples_are_the_kept_ones) {
    nnd_case *c = read_params("depth: 1, dim: 7, law: sphere, samples: 10001");
    nnd_directional_data kept, streamed;
    double w[7] = {1.0, 0.5, -0.5, 0.2, 0.0, 2.0, -1.0}, a[7], b[7];
    ck_assert_int_eq(nnd_directional_data_make(ctx, c->params[0], &kept), NND_OK);
    ck_assert_int_eq(nnd_directional_data_make(ctx, c->params[0], &streamed), NND_OK);
    ck_assert_uint_eq(kept.kept, kept.tiles);
    streamed.kept = 1;
    nnd_directional_data_draw(&kept, (nnd_rng_key){1, 2, 0});
    nnd_directional_data_draw(&streamed, (nnd_rng_key){1, 2, 0});
    ck_assert(kept.half_mean == streamed.half_mean);
    for (int pass = 0; pass < 2; pass++) {
        nnd_directional_data_force(&kept, w, true, a);
        nnd_directional_data_force(&streamed, w, true, b);
        ck_assert(kept.loss == streamed.loss && kept.train_error == streamed.train_error);
        for (int i = 0; i < 7; i++)
            ck_assert(a[i] == b[i]);
    }
    nnd_directional_data_clear(&kept);
    nnd_directional_data_clear(&streamed);
    nnd_case_free(c);
}
END_TEST

START_TEST(samples_follow_their_law) {
    const char *const laws[] = {"gaussian", "sphere",
                                "{mixture: {weights: [1, 3], scales: [0.5, 2]}}"};
    for (int law = 0; law < 3; law++) {
        nnd_case *c = read_params("depth: 1, dim: 5, law: %s, samples: 100000", laws[law]);
        nnd_case *whole = read_params("depth: 1, dim: 5, law: %s", laws[law]);
        nnd_directional_data data, population;
        ck_assert_int_eq(nnd_directional_data_make(ctx, c->params[0], &data), NND_OK);
        ck_assert_int_eq(nnd_directional_data_make(ctx, whole->params[0], &population), NND_OK);
        nnd_directional_data_draw(&data, (nnd_rng_key){1, 0, 0});
        double w[5] = {1.0, 2.0, 0.0, 0.0, 0.0}, force[5], v[2] = {1.0, 2.0}, want[2];
        nnd_directional_data_force(&data, w, true, force);
        ck_assert_uint_eq(population.dim, 2);
        nnd_directional_data_force(&population, v, true, want);
        /* Five standard errors of components of size about 2. */
        ck_assert_double_eq_tol(data.half_mean, population.half_mean, 0.02);
        ck_assert_double_eq_tol(force[0], want[0], 0.02);
        ck_assert_double_eq_tol(force[1], want[1], 0.02);
        ck_assert_double_eq_tol(force[4], 0.0, 0.02);
        ck_assert_double_eq_tol(data.loss, population.loss, 0.03);
        ck_assert_double_eq_tol(data.train_error, atan2(2.0, 1.0) / M_PI, 0.01);
        nnd_directional_data_clear(&data);
        nnd_directional_data_clear(&population);
        nnd_case_free(c);
        nnd_case_free(whole);
    }
}
END_TEST

/* Finite samples: the path is that of the population until the angle reaches the floor. */
START_TEST(samples_end_at_a_floor_of_the_angle) {
    pair p = run(read_params("depth: 2, integrator: gd, lr: 0.5, steps: 80, samples: 20000"));
    const double *theta = nnd_frame_find(p.block, "theta")->data;
    double floor = test_value(p.theory, "theta_floor", "t=80");
    ck_assert_double_lt(distance(p, "omega"), 0.02);
    for (size_t t = 0; t <= 80; t++)
        ck_assert_double_eq_tol(theta[t], nnd_frame_find(p.theory, "theta")->data[t], 0.02);
    ck_assert_double_lt(test_value(p.theory, "theta", "t=80"), 1e-3 * floor);
    /* The floor is the root mean square over nine directions. */
    ck_assert(theta[80] > 0.4 * floor && theta[80] < 1.8 * floor);
    pair_free(p);
}
END_TEST

/* The mean force of many batches is that of the population, and no batch is another one. */
START_TEST(batches_are_fresh_samples_of_the_law) {
    const char *const laws[] = {"gaussian", "{kind: sphere, radius: 1.5}",
                                "{mixture: {weights: [1, 3], scales: [0.5, 2]}}"};
    enum { STEPS = 200, D = 4 };
    for (int law = 0; law < 3; law++) {
        nnd_case *c =
            read_params("depth: 1, dim: 4, law: %s, integrator: gd, batch: 300", laws[law]);
        nnd_case *whole = read_params("depth: 1, dim: 4, law: %s", laws[law]);
        nnd_directional_data data, population;
        ck_assert_int_eq(nnd_directional_data_make(ctx, c->params[0], &data), NND_OK);
        ck_assert_int_eq(nnd_directional_data_make(ctx, whole->params[0], &population), NND_OK);
        nnd_directional_data_draw(&data, (nnd_rng_key){1, 0, 0});
        double w[D] = {1.0, 2.0, 0.0, 0.0}, v[2] = {1.0, 2.0}, want[2], force[D], last = 0.0;
        double sum[D] = {0.0}, square[D] = {0.0};
        nnd_directional_data_force(&population, v, true, want);
        for (data.step = 0; data.step < STEPS; data.step++) {
            nnd_directional_data_force(&data, w, data.step == 0, force);
            ck_assert(force[0] != last);
            last = force[0];
            for (int i = 0; i < D; i++) {
                sum[i] += force[i] / STEPS;
                square[i] += force[i] * force[i] / STEPS;
            }
        }
        for (int i = 0; i < D; i++)
            ck_assert_double_eq_tol(sum[i], i < 2 ? want[i] : 0.0,
                                    5.0 * sqrt((square[i] - sum[i] * sum[i]) / STEPS));
        test_close("loss", data.loss, population.loss, 1e-14);
        data.step = 0;
        nnd_directional_data_force(&data, w, false, sum);
        nnd_directional_data_force(&data, w, false, force);
        for (int i = 0; i < D; i++)
            ck_assert(force[i] == sum[i]);
        nnd_directional_data_clear(&data);
        nnd_directional_data_clear(&population);
        nnd_case_free(c);
        nnd_case_free(whole);
    }
}
END_TEST

/* Real matrices on batches: mean square of the part across, five standard errors of as many seeds
 * and directions; the norm is within what one seed fluctuates by, 0.5 %. */
START_TEST(batches_fluctuate_across_the_teacher) {
    enum { SEEDS = 30, DIM = 40 };
    const double depths[] = {1, 2};
    for (int k = 0; k < 2; k++) {
        nnd_case *c =
            read_params("depth: %g, dim: 40, width: 2, integrator: gd, lr: %g, batch: 50, "
                        "omega0: 4, theta0: 0.1, steps: 100, record: [0]",
                        depths[k], k == 0 ? 0.5 : 0.1);
        const nnd_simulator *s = nnd_simulator_find(c->model);
        nnd_frame *block, *theory;
        ck_assert(nnd_theory_run(ctx, c, NULL, &theory) >= NND_OK);
        ck_assert_int_eq(s->simulate(ctx, c->params[0], 0, 3, 0, SEEDS, &block), NND_OK);
        double sum = 0.0, norm = 0.0, want = test_value(theory, "perp_floor", "t=100");
        for (int i = 0; i < SEEDS; i++) {
            sum += nnd_frame_find(block, "perp_floor")->data[2 * i + 1] / SEEDS;
            norm += nnd_frame_find(block, "omega")->data[2 * i + 1] / SEEDS;
        }
        /* The start leaves its square beside the variance. */
        double start = nnd_frame_find(block, "perp_floor")->data[0];
        ck_assert_double_eq_tol(start, 16.0 * pow(sin(0.1), 2.0) / (DIM - 1), 1e-12);
        ck_assert_double_eq_tol(sum / want, 1.0, 5.0 * sqrt(2.0 / (SEEDS * (DIM - 1.0))));
        test_close("norm", norm, test_value(theory, "omega", "t=100"), 5e-3);
        nnd_frame_free(block);
        nnd_frame_free(theory);
        nnd_case_free(c);
    }
}
END_TEST

/* Averages against closed forms: c0, the limit of small omega, and the loss of no predictor. */
START_TEST(radial_averages_have_their_limits) {
    const char *const laws[] = {"gaussian", "sphere",
                                "{mixture: {weights: [1, 3], scales: [0.01, 20]}}"};
    const double c0[] = {0.39894228040143268, 0.41926274578121059, 0.0,
                         0.39894228040143268 * (0.25 * 0.01 + 0.75 * 20.0)};
    const double moment[] = {1.0, 1.0, 0.0, 0.25 * 1e-4 + 0.75 * 400.0};
    for (int law = 0; law < 3; law++) {
        int at = law == 2 ? 3 : law;
        nnd_case *c = read_params("dim: 5, law: %s", laws[law]);
        nnd_radial_law r;
        ck_assert_int_eq(nnd_radial_law_make(ctx, c->params[0], &r), NND_OK);
        test_close("c0", nnd_radial_half_mean(&r), c0[at], 1e-13);
        test_close("slope", nnd_radial_slope(&r, 0.0), 0.25 * moment[at], 1e-13);
        test_close("slope", nnd_radial_slope(&r, 1e-7), 0.25 * moment[at], 1e-10);
        test_close("h", 1e9 * nnd_radial_slope(&r, 1e9), c0[at], 1e-12);
        test_close("rest", nnd_radial_rest(&r, 0.0), c0[at], 1e-13);
        test_close("c0", nnd_radial_rest(&r, 0.7) + 0.7 * nnd_radial_slope(&r, 0.7), c0[at], 1e-13);
        test_close("loss", nnd_radial_loss(&r, 0.0, 0.0), M_LN2, 1e-14);
        nnd_radial_law_clear(&r);
        nnd_case_free(c);
    }
}
END_TEST

static void oscillate(void *user, const double *y, double *dydt) {
    (void)user;
    dydt[0] = y[1];
    dydt[1] = -y[0];
}

START_TEST(runge_kutta_keeps_its_tolerance) {
    double before = INFINITY;
    for (double rtol = 1e-5; rtol > 0.5e-11; rtol *= 1e-2) {
        nnd_flow f;
        const double y[2] = {0.0, 1.0};
        ck_assert_int_eq(nnd_flow_make(ctx, 2, oscillate, NULL, rtol, rtol, &f), NND_OK);
        nnd_flow_start(&f, y);
        for (int i = 1; i <= 10; i++)
            ck_assert_int_eq(nnd_flow_advance(ctx, &f, (double)i), NND_OK);
        double error = fmax(fabs(f.x[0] - sin(10.0)), fabs(f.x[1] - cos(10.0)));
        ck_assert_msg(error < 20.0 * rtol && error < 0.1 * before, "rtol %g: %g", rtol, error);
        before = error;
        f.max_steps = f.walk.taken + f.walk.rejected;
        ck_assert_int_eq(nnd_flow_advance(ctx, &f, 11.0), NND_NOT_CONVERGED);
        ck_assert_double_eq(f.walk.t, 10.0);
        nnd_flow_clear(&f);
    }
}
END_TEST

/* Seeds of a block do not know each other. */
START_TEST(seeds_are_independent_of_their_block) {
    nnd_case *c = read_params("depth: 2, integrator: gd, steps: 20, samples: 3000");
    const nnd_simulator *s = nnd_simulator_find(c->model);
    nnd_frame *both, *second;
    ck_assert_int_eq(s->simulate(ctx, c->params[0], 0, 7, 0, 2, &both), NND_OK);
    ck_assert_int_eq(s->simulate(ctx, c->params[0], 0, 7, 1, 1, &second), NND_OK);
    const nnd_array *a = nnd_frame_find(both, "theta"), *b = nnd_frame_find(second, "theta");
    bool differ = false;
    for (size_t i = 0; i < b->count; i++) {
        ck_assert(a->data[b->count + i] == b->data[i]);
        differ = differ || a->data[i] != b->data[i];
    }
    ck_assert(differ);
    nnd_frame_free(both);
    nnd_frame_free(second);
    nnd_case_free(c);
}
END_TEST

START_TEST(explosions_end_the_curves) {
    pair p = run(read_params("depth: 5, integrator: gd, lr: 50, omega0: 20, theta0: 2.5"));
    double step = test_value(p.theory, "diverged_at", "");
    for (size_t i = 0; i < 2; i++) {
        double at = nnd_frame_find(p.block, "diverged_at")->data[i];
        ck_assert(fabs(at - step) <= 1.0);
        ck_assert_double_nan(nnd_frame_find(p.block, "omega")->data[i * 101 + (size_t)at]);
    }
    pair_free(p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("directional_network");
    TCase *tests = tcase_create("directional_network");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, matrices_follow_the_maps_of_aligned_layers);
    tcase_add_test(tests, matrices_follow_a_schedule);
    tcase_add_test(tests, matrices_follow_the_map_of_two_unbalanced_layers);
    tcase_add_test(tests, matrices_see_the_edge);
    tcase_add_test(tests, claims_end_where_rounding_has_grown);
    tcase_add_test(tests, matrices_follow_the_flow);
    tcase_add_test(tests, flows_go_on_when_angles_underflow);
    tcase_add_test(tests, force_is_the_gradient_of_the_loss);
    tcase_add_test(tests, force_along_the_teacher_does_not_cancel);
    tcase_add_test(tests, streamed_samples_are_the_kept_ones);
    tcase_add_test(tests, samples_follow_their_law);
    tcase_add_test(tests, samples_end_at_a_floor_of_the_angle);
    tcase_add_test(tests, batches_are_fresh_samples_of_the_law);
    tcase_add_test(tests, batches_fluctuate_across_the_teacher);
    tcase_add_test(tests, radial_averages_have_their_limits);
    tcase_add_test(tests, runge_kutta_keeps_its_tolerance);
    tcase_add_test(tests, seeds_are_independent_of_their_block);
    tcase_add_test(tests, explosions_end_the_curves);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
