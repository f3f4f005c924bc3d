/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random-feature students: their dynamics against plain loops over samples, their losses against
 * fresh samples and exact expectations, what they measure of data against numbers by hand. */
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "students.h"
#include "support.h"
#include "validate/scaling_filter.h"
#include "validate/scaling_students.h"
#include "validate/simulators.h"

enum { MOST = 16 };

#define FEATURES "features: {eigenvalues: [2, 1, 0.6, 0.3, 0.2, 0.1]}, "
#define TARGET   "target: {weights2: [1, 0.5, 2, 1, 3, 0.2]}, noise2: 0.1, "

typedef struct {
    nnd_context *ctx;
    nnd_case *c;
    const nnd_scaling_laws *p;
    nnd_scaling_task task;
    nnd_reals times;
    nnd_scaling_errors errors;
} fixture;

/* Draws and trains the students of a seed. */
static void train(fixture *f, size_t size, uint64_t seed) {
    nnd_rng_key key = {1, seed, size};
    nnd_scaling_task_draw(&f->task, key);
    nnd_status status = nnd_scaling_laws_has_batches(f->p)
                            ? nnd_scaling_train_batches(f->ctx, &f->task, key, &f->errors)
                            : nnd_scaling_train_spectral(f->ctx, &f->task, &f->errors);
    ck_assert_msg(status == NND_OK, "%s", nnd_context_message(f->ctx));
}

static fixture begin_at(const char *yaml, size_t size) {
    static const double end[] = {INFINITY};
    fixture f = {.ctx = nnd_context_new(NULL)};
    f.c = test_case(f.ctx, yaml);
    f.p = f.c->params[0];
    if (nnd_scaling_laws_is_timed(f.p))
        ck_assert_int_eq(nnd_scaling_laws_times(f.ctx, f.p, &f.times), NND_OK);
    ck_assert_int_eq(nnd_scaling_task_make(f.ctx, f.p, size, &f.task), NND_OK);
    bool timed = f.times.count > 0;
    ck_assert_int_eq(nnd_scaling_errors_make(f.ctx, &f.task, timed ? f.times.count : 1,
                                             timed ? f.times.value : end, &f.errors),
                     NND_OK);
    train(&f, size, 3);
    return f;
}

static fixture begin(const char *yaml) {
    return begin_at(yaml, 0);
}

static void end(fixture *f) {
    nnd_scaling_errors_clear(&f->errors);
    nnd_scaling_task_clear(&f->task);
    free(f->times.value);
    nnd_case_free(f->c);
    nnd_context_free(f->ctx);
}

/* ---- a plain student: theta and its gradient, sample by sample ---- */

static size_t parameters(const nnd_scaling_task *t) {
    return t->width > 0 ? t->width : t->modes;
}

/* What parameter i sees of features psi. */
static double seen(const nnd_scaling_task *t, size_t projection, size_t i, const double *psi) {
    double sum = 0.0;
    if (t->width == 0)
        return psi[i];
    for (size_t k = 0; k < t->modes; k++)
        sum += t->a[projection][i * t->modes + k] * psi[k];
    return sum;
}

static double output(const nnd_scaling_task *t, size_t projection, const double *theta,
                     const double *psi) {
    double sum = 0.0;
    for (size_t i = 0; i < parameters(t); i++)
        sum += theta[i] * seen(t, projection, i, psi);
    return sum;
}

/* The descent direction of |y - f|^2/(2P) of samples. */
static void sample_direction(const nnd_scaling_task *t, size_t projection, size_t samples,
                             const double *psi, const double *y, const double *theta,
                             double *direction) {
    memset(direction, 0, MOST * sizeof *direction);
    for (size_t mu = 0; mu < samples; mu++) {
        const double *x = psi + mu * t->modes;
        double r = (y[mu] - output(t, projection, theta, x)) / (double)samples;
        for (size_t i = 0; i < parameters(t); i++)
            direction[i] += r * seen(t, projection, i, x);
    }
}

/* The same of the population: features with one component sqrt lambda each are its mean. */
static void population_direction(const nnd_scaling_task *t, size_t projection, const double *theta,
                                 double *direction) {
    memset(direction, 0, MOST * sizeof *direction);
    for (size_t k = 0; k < t->modes; k++) {
        double x[MOST] = {0};
        x[k] = sqrt(t->lambda[k]);
        double r = t->w[k] * x[k] - output(t, projection, theta, x);
        for (size_t i = 0; i < parameters(t); i++)
            direction[i] += r * seen(t, projection, i, x);
    }
}

static void direction(const nnd_scaling_task *t, size_t student, const double *theta, double *out) {
    size_t projection = student / t->sets, set = student % t->sets;
    if (t->samples > 0)
        sample_direction(t, projection, t->samples, t->psi[set], t->y[set], theta, out);
    else
        population_direction(t, projection, theta, out);
}

/* Errors of a student that were recorded at time i, against parameters theta. */
static void ck_errors(const fixture *f, size_t student, size_t i, const double *theta,
                      double tolerance) {
    const nnd_scaling_task *t = &f->task;
    for (size_t k = 0; k < t->modes; k++) {
        double unit[MOST] = {0}, got = f->errors.v[student][i * t->modes + k];
        unit[k] = 1.0;
        double want = sqrt(t->lambda[k]) * (t->w[k] - output(t, student / t->sets, theta, unit));
        ck_assert_msg(fabs(got - want) <= tolerance,
                      "student %zu, time %g, mode %zu: %.15g, not %.15g", student,
                      f->errors.time[i], k, got, want);
    }
}

static void ck_train(const fixture *f, size_t student, size_t i, const double *theta) {
    const nnd_scaling_task *t = &f->task;
    size_t set = student % t->sets;
    double sum = 0.0;
    for (size_t mu = 0; mu < t->samples; mu++) {
        double r = t->y[set][mu] - output(t, student / t->sets, theta, t->psi[set] + mu * t->modes);
        sum += r * r / (double)t->samples;
    }
    if (t->samples > 0)
        test_close("train", f->errors.train[student][i], sum, 1e-9);
    else
        test_close("train", f->errors.train[student][i],
                   nnd_scaling_test_mse(t, &f->errors, student, i), 1e-15);
}

/* ---- full batches ---- */

static const char *const SHAPES[] = {"width: 4, samples: 5",    "width: 5, samples: 4",
                                     "width: 4, samples: 12",   "width: 9, samples: 8",
                                     "width: 12, samples: 14",  "width: 4, samples: inf",
                                     "width: 9, samples: inf",  "width: inf, samples: 4",
                                     "width: inf, samples: 10", "width: inf, samples: inf"};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

/* Rounding of some hundred operations on numbers of order 1, times the conditions of kernels. */
static const double ROUNDED = 1e-9;

static fixture begin_shape(int shape, const char *training) {
    char yaml[512];
    snprintf(yaml, sizeof yaml, "{model: scaling-laws, params: {" FEATURES TARGET "%s, %s}}",
             SHAPES[shape], training);
    return begin(yaml);
}

static void ck_descent(const char *training, double momentum) {
    fixture f = begin_shape(0, training);
    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        end(&f);
        f = begin_shape(shape, training);
        for (size_t s = 0; s < f.errors.students; s++) {
            double theta[MOST] = {0}, velocity[MOST] = {0}, step[MOST];
            for (size_t t = 0, i = 0; i < f.errors.times; t++) {
                if (f.errors.time[i] == (double)t) {
                    ck_train(&f, s, i, theta);
                    ck_errors(&f, s, i++, theta, ROUNDED);
                }
                direction(&f.task, s, theta, step);
                for (size_t k = 0; k < parameters(&f.task); k++) {
                    velocity[k] = momentum * velocity[k] + f.p->lr * step[k];
                    theta[k] += velocity[k];
                }
            }
        }
    }
    end(&f);
}

START_TEST(descent_is_that_of_a_loop_over_samples) {
    ck_descent("training: gd, lr: 0.1, steps: 40, record: [0, 1, 2, 9]", 0.0);
    ck_descent("training: gd, lr: 0.35, steps: 12, record: [3]", 0.0);
}
END_TEST

START_TEST(the_heavy_ball_is_that_of_a_loop_over_samples) {
    ck_descent("training: gd, lr: 0.1, momentum: 0.8, steps: 40, record: [0, 1, 2, 9]", 0.8);
    ck_descent("training: gd, lr: 0.3, momentum: 0.2, steps: 20, record: [7]", 0.2);
}
END_TEST

/* Left of a residual for one eigenvalue, in all regimes of the heavy ball, and where they meet: at
 * (1 +- sqrt m)^2 both roots are equal. */
START_TEST(filters_are_their_recursions) {
    static const double u[] = {1e-3, 0.01, 0.3,  1.0,       1.7,      2.3,
                               3.1,  0.25, 2.25, 0.2500001, 2.2499999};
    static const double m[] = {0.0, 0.05, 0.25, 0.9};
    for (size_t i = 0; i < sizeof m / sizeof *m; i++)
        for (size_t k = 0; k < sizeof u / sizeof *u; k++) {
            nnd_scaling_laws p = {.training = NND_SCALING_GD, .lr = 0.5, .momentum = m[i]};
            double left = 1.0, before = 1.0;
            for (int t = 0; t <= 60; t++) {
                double got = nnd_scaling_left(&p, 2.0 * u[k], t), scale = fmax(1.0, fabs(left));
                ck_assert_msg(fabs(got - left) < 1e-7 * scale, "m %g u %g t %d: %.12g, not %.12g",
                              m[i], u[k], t, got, left);
                got = nnd_scaling_learned(&p, 2.0 * u[k], t);
                ck_assert(fabs(got - (1.0 - left) / (2.0 * u[k])) < 1e-7 * scale / u[k]);
                double next = (1.0 + m[i] - u[k]) * left - m[i] * before;
                before = left;
                left = next;
            }
        }
}
END_TEST

/* 1e8 steps of a rate that a float cannot tell from none: exp(-x eta t) to second order. */
START_TEST(late_steps_keep_their_digits) {
    nnd_scaling_laws p = {.training = NND_SCALING_GD, .lr = 1e-8};
    test_close("gd", nnd_scaling_left(&p, 1.0, 1e8), exp(-1.0) * (1.0 - 0.5e-8), 1e-14);
    test_close("gd", nnd_scaling_left(&p, 2e8 - 1.0, 1e8), exp(-1.0) * (1.0 - 0.5e-8), 1e-7);
    p.momentum = 0.5;
    test_close("heavy ball", nnd_scaling_left(&p, 0.5, 1e8), exp(-1.0), 1e-7);
    p = (nnd_scaling_laws){.training = NND_SCALING_FLOW};
    test_close("flow", nnd_scaling_learned(&p, 1e-9, 1e3), 1e3 * (1.0 - 0.5e-6), 1e-12);
}
END_TEST

START_TEST(a_flow_is_descent_in_small_steps) {
    enum { STEPS = 4000 };
    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        fixture f = begin_shape(shape, "time: 2, record: [0, 1]");
        double h = 2.0 / STEPS;
        for (size_t s = 0; s < f.errors.students; s++) {
            double theta[MOST] = {0}, middle[MOST], slope[MOST];
            for (size_t t = 0, i = 0; t <= STEPS; t++) {
                if (t % (STEPS / 2) == 0)
                    ck_errors(&f, s, i++, theta, 1e-5);
                /* Midpoint rule: an error of h^2 = 2.5e-7 times third derivatives of order 10. */
                direction(&f.task, s, theta, slope);
                for (size_t k = 0; k < MOST; k++)
                    middle[k] = theta[k] + 0.5 * h * slope[k];
                direction(&f.task, s, middle, slope);
                for (size_t k = 0; k < MOST; k++)
                    theta[k] += h * slope[k];
            }
        }
        end(&f);
    }
}
END_TEST

/* The gradient of |y - f|^2/(2P) + mu |theta|^2/2 is 0 at a theta that is not known but in what it
 * predicts; without features beyond, N >= M, that is enough to tell it from the errors. */
START_TEST(ridge_solves_the_normal_equations) {
    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        fixture f = begin_shape(shape, "training: ridge, ridge: 0.05");
        size_t n = parameters(&f.task);
        for (size_t s = 0; s < f.errors.students; s++) {
            double zero[MOST] = {0}, theta[MOST], h[MOST * MOST], step[MOST];
            direction(&f.task, s, zero, theta);
            for (size_t k = 0; k < n; k++) {
                double unit[MOST] = {0};
                unit[k] = 1.0;
                direction(&f.task, s, unit, step);
                for (size_t i = 0; i < n; i++)
                    h[i * n + k] = theta[i] - step[i] + (i == k ? 0.05 : 0.0);
            }
            ck_assert_int_eq(
                LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', (lapack_int)n, 1, h, (lapack_int)n, theta, 1),
                0);
            ck_errors(&f, s, 0, theta, ROUNDED);
            ck_train(&f, s, 0, theta);
        }
        end(&f);
    }
}
END_TEST

START_TEST(without_a_ridge_enough_students_learn_everything) {
    static const char *const enough[] = {"width: 8, samples: 7", "width: inf, samples: 6",
                                         "width: 6, samples: inf", "width: inf, samples: inf"};
    for (size_t i = 0; i < sizeof enough / sizeof *enough; i++) {
        char yaml[512];
        snprintf(yaml, sizeof yaml,
                 "{model: scaling-laws, params: {" FEATURES "%s, training: ridge}}", enough[i]);
        fixture f = begin(yaml);
        for (size_t s = 0; s < f.errors.students; s++) {
            ck_assert_double_lt(nnd_scaling_test_mse(&f.task, &f.errors, s, 0), 1e-16);
            /* |y|^2/P less what is learned of it. */
            ck_assert_double_lt(f.errors.train[s][0], 1e-14);
        }
        end(&f);
    }
}
END_TEST

/* ---- exact expectations ---- */

/* Mean over networks of a variable at its last time, within `sigmas` standard errors of `want`. */
static void ck_mean(const char *yaml, size_t networks, const char *variable, double want) {
    const double sigmas = 4.5;
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *frame = NULL;
    ck_assert_int_eq(
        nnd_scaling_laws_simulator.simulate(ctx, c->params[0], 0, 1, 0, networks, &frame), NND_OK);
    const nnd_array *x = nnd_frame_find(frame, variable);
    size_t times = x->count / networks;
    double mean = 0.0, square = 0.0;
    for (size_t i = 0; i < networks; i++) {
        double value = x->data[i * times + times - 1];
        mean += value / (double)networks;
        square += value * value / (double)networks;
    }
    double se = sqrt((square - mean * mean) / (double)(networks - 1));
    ck_assert_msg(se > 0.0 && fabs(mean - want) < sigmas * se, "%s: %g +- %g, not %g", yaml, mean,
                  se, want);
    nnd_frame_free(frame);
    nnd_case_free(c);
    nnd_context_free(ctx);
}

#define EQUAL "features: {eigenvalues: 1, multiplicity: 12}, target: {weights2: 0.25}, "

/* Of M equal directions, N random ones, or P samples, fix as many: 1 - N/M of |w|^2 = 3 is left. */
START_TEST(random_directions_leave_the_rest_of_an_isotropic_target) {
    ck_mean("{model: scaling-laws, params: {" EQUAL "width: 5, training: ridge}}", 400, "test_risk",
            3.0 * 7.0 / 12.0);
    ck_mean("{model: scaling-laws, params: {" EQUAL "samples: 9, training: ridge}}", 400,
            "test_risk", 3.0 * 3.0 / 12.0);
    /* Two students share nothing: each leaves its part of what the other left. */
    ck_mean("{model: scaling-laws, params: {" EQUAL "width: 5, training: ridge}}", 400,
            "independent", 3.0 * 49.0 / 144.0);
    ck_mean("{model: scaling-laws, params: {" EQUAL "samples: 9, training: ridge}}", 400,
            "same_projection", 3.0 * 9.0 / 144.0);
}
END_TEST

/* Least squares: E tr (Psi^T Psi)^-1 Lambda = M/(P - M - 1), and the training loss has P - M. */
START_TEST(least_squares_pays_for_noise_as_wishart_matrices_say) {
    static const char yaml[] =
        "{model: scaling-laws, params: {" FEATURES "samples: 20, noise2: 0.3, training: ridge}}";
    ck_mean(yaml, 400, "test_risk", 0.3 * 6.0 / 13.0);
    ck_mean(yaml, 400, "train_mse", 0.3 * 14.0 / 20.0);
}
END_TEST

/* One step of batches of B: E |v|^2 = |w|^2 ((1 - eta)^2 + eta^2 (M + 1)/B) + eta^2 M s2/B, of
 * isotropic features. */
START_TEST(one_step_of_a_fresh_batch_has_gaussian_moments) {
    ck_mean("{model: scaling-laws, params: {" EQUAL
            "noise2: 0.5, training: one-pass, lr: 0.2, batch: 2, steps: 1}}",
            4000, "test_risk", 3.0 * (0.64 + 0.04 * 13.0 / 2.0) + 0.04 * 12.0 * 0.5 / 2.0);
    ck_mean("{model: scaling-laws, params: {" EQUAL
            "noise2: 0.5, training: one-pass, lr: 0.2, batch: 2, steps: 1}}",
            4000, "same_projection", 3.0 * 0.64);
}
END_TEST

START_TEST(losses_are_those_of_fresh_samples) {
    enum { FRESH = 20000 };
    fixture f = begin("{model: scaling-laws, params: {" FEATURES TARGET
                      "width: 4, samples: 5, time: 3, record: [3]}}");
    double *psi = malloc(FRESH * 6 * sizeof *psi), *y = malloc(FRESH * sizeof *y);
    double mean = 0.0, square = 0.0, got = nnd_scaling_test_mse(&f.task, &f.errors, 1, 0);
    for (size_t i = 0; i < FRESH / 5; i++)
        nnd_scaling_draw_samples(&f.task, (nnd_rng_key){77, 1, 0}, i, 5, psi + 30 * i, y + 5 * i);
    for (size_t mu = 0; mu < FRESH; mu++) {
        double r = y[mu];
        for (size_t k = 0; k < 6; k++)
            r -= psi[mu * 6 + k] * (f.task.w[k] - f.errors.v[1][k] / sqrt(f.task.lambda[k]));
        mean += r * r / FRESH;
        square += r * r * r * r / FRESH;
    }
    double se = sqrt((square - mean * mean) / FRESH);
    ck_assert_msg(fabs(got - mean) < 4.5 * se, "%g, not %g +- %g", got, mean, se);
    free(psi);
    free(y);
    end(&f);
}
END_TEST

/* Moments of the draws themselves, over all samples of both sets. */
START_TEST(samples_have_the_covariance_and_the_noise_asked_for) {
    enum { P = 4000 };
    fixture f = begin("{model: scaling-laws, params: {" FEATURES TARGET
                      "width: 8, samples: 4000, training: ridge}}");
    for (size_t k = 0; k < 6; k++) {
        double variance = 0.0, cross = 0.0;
        for (size_t mu = 0; mu < P; mu++) {
            const double *x = f.task.psi[0] + mu * 6;
            variance += x[k] * x[k] / P;
            cross += x[k] * x[(k + 1) % 6] / P;
        }
        double lambda = f.task.lambda[k], next = f.task.lambda[(k + 1) % 6];
        ck_assert_double_lt(fabs(variance - lambda), 4.5 * lambda * sqrt(2.0 / P));
        ck_assert_double_lt(fabs(cross), 4.5 * sqrt(lambda * next / P));
    }
    double noise2 = 0.0, entry2 = 0.0;
    for (size_t mu = 0; mu < P; mu++) {
        double noise = f.task.y[1][mu];
        for (size_t k = 0; k < 6; k++)
            noise -= f.task.w[k] * f.task.psi[1][mu * 6 + k];
        noise2 += noise * noise / P;
    }
    for (size_t i = 0; i < 2 * 48; i++)
        entry2 += pow(f.task.a[i / 48][i % 48], 2.0) / 96.0;
    ck_assert_double_lt(fabs(noise2 - 0.1), 4.5 * 0.1 * sqrt(2.0 / P));
    ck_assert_double_lt(fabs(entry2 - 0.125), 4.5 * 0.125 * sqrt(2.0 / 96.0));
    end(&f);
}
END_TEST

/* ---- batches ---- */

START_TEST(one_pass_is_a_loop_over_fresh_samples) {
    static const char *const widths[] = {"4", "9", "inf"};
    for (size_t w = 0; w < 3; w++) {
        char yaml[512];
        snprintf(
            yaml, sizeof yaml,
            "{model: scaling-laws, params: {" FEATURES TARGET
            "width: %s, training: one-pass, lr: 0.05, batch: 3, steps: 30, record: [0, 1, 7]}}",
            widths[w]);
        fixture f = begin(yaml);
        const nnd_scaling_task *task = &f.task;
        double psi[3 * MOST], y[3], theta[MOST], step[MOST];
        ck_assert_uint_eq(f.errors.students, w < 2 ? 4 : 2);
        for (size_t s = 0; s < f.errors.students; s++) {
            memset(theta, 0, sizeof theta);
            for (size_t t = 0, i = 0; i < f.errors.times; t++) {
                if (f.errors.time[i] == (double)t)
                    ck_errors(&f, s, i++, theta, ROUNDED);
                nnd_scaling_draw_samples(task, (nnd_rng_key){1, 3, 0}, 2 * t + s % 2, 3, psi, y);
                sample_direction(task, s / 2, 3, psi, y, theta, step);
                for (size_t k = 0; k < MOST; k++)
                    theta[k] += 0.05 * step[k];
            }
        }
        end(&f);
    }
}
END_TEST

START_TEST(batches_of_all_samples_are_descent) {
    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        if (strstr(SHAPES[shape], "samples: inf") != NULL)
            continue;
        fixture gd = begin_shape(shape, "training: gd, lr: 0.1, steps: 20, record: [0, 1, 5]");
        char training[128];
        snprintf(training, sizeof training,
                 "training: mini-batch, batch: %zu, lr: 0.1, steps: 20, record: [0, 1, 5]",
                 gd.task.samples);
        fixture sgd = begin_shape(shape, training);
        for (size_t s = 0; s < gd.errors.students; s++)
            for (size_t i = 0; i < gd.errors.times; i++) {
                test_close("train", sgd.errors.train[s][i], gd.errors.train[s][i], 1e-9);
                for (size_t k = 0; k < gd.task.modes; k++)
                    ck_assert_double_lt(fabs(sgd.errors.v[s][i * gd.task.modes + k] -
                                             gd.errors.v[s][i * gd.task.modes + k]),
                                        ROUNDED);
            }
        end(&gd);
        end(&sgd);
    }
}
END_TEST

/* After one step theta is rate/B times a sum over the batch: which samples were in it? */
static size_t absent_sample(const fixture *f, size_t student) {
    const nnd_scaling_task *t = &f->task;
    size_t found = 3;
    for (size_t absent = 0; absent < 3; absent++) {
        double worst = 0.0;
        for (size_t k = 0; k < t->modes; k++) {
            double step = 0.0;
            for (size_t mu = 0; mu < 3; mu++)
                step += mu == absent
                            ? 0.0
                            : 0.1 / 2.0 * t->y[student][mu] * t->psi[student][mu * t->modes + k];
            worst =
                fmax(worst, fabs(f->errors.v[student][k] - sqrt(t->lambda[k]) * (t->w[k] - step)));
        }
        found = worst < 1e-12 ? absent : found;
    }
    return found;
}

START_TEST(batches_are_drawn_without_replacement_each_as_likely) {
    enum { NETWORKS = 900 };
    double counts[4] = {0}, equal = 0.0;
    fixture f = begin("{model: scaling-laws, params: {" FEATURES TARGET
                      "samples: 3, training: mini-batch, batch: 2, lr: 0.1, steps: 1}}");
    for (size_t i = 0; i < NETWORKS; i++) {
        train(&f, 0, i);
        size_t first = absent_sample(&f, 0), second = absent_sample(&f, 1);
        counts[first]++;
        equal += first == second;
    }
    end(&f);
    ck_assert_double_eq(counts[3], 0.0);
    /* Binomial with a chance of 1/3: a standard deviation of 14. Students have orders of their own.
     */
    for (size_t k = 0; k < 3; k++)
        ck_assert_double_lt(fabs(counts[k] - 300.0), 4.5 * 14.2);
    ck_assert_double_lt(fabs(equal - 300.0), 4.5 * 14.2);
}
END_TEST

/* ---- pairs ---- */

/* The mean of the four students has the loss of an ensemble of two projections and two data sets.
 */
START_TEST(an_ensemble_predicts_the_mean_of_its_students) {
    static const char yaml[] = "{model: scaling-laws, params: {" FEATURES TARGET
                               "width: 4, samples: 5, time: 3, record: [3], "
                               "ensemble: {projections: 2, data: 2}}}";
    fixture f = begin(yaml);
    nnd_frame *frame = simulate_students(f.ctx, yaml, 0, 4);
    double risk = 0.0;
    for (size_t k = 0; k < 6; k++) {
        double v = 0.0;
        for (size_t s = 0; s < 4; s++)
            v += f.errors.v[s][k] / 4.0;
        risk += v * v;
    }
    test_close("ensemble", test_value(frame, "ensemble_risk", "seed=3,t=3"), risk, 1e-13);
    nnd_frame_free(frame);
    end(&f);
}
END_TEST

START_TEST(pairs_share_what_they_are_said_to_share) {
    static const char yaml[] = "{model: scaling-laws, params: {" FEATURES TARGET
                               "width: 4, samples: 5, time: 3, record: [3]}}";
    static const size_t projection[][2] = {{0, 1}, {2, 3}}, data[][2] = {{0, 2}, {1, 3}},
                        nothing[][2] = {{0, 3}, {1, 2}};
    const struct {
        const char *name;
        const size_t (*pair)[2];
    } of[] = {{"same_projection", projection},
              {"same_data", data},
              {"independent", nothing},
              {"bias", nothing}};
    fixture f = begin(yaml);
    nnd_frame *frame = simulate_students(f.ctx, yaml, 0, 4);
    for (size_t m = 0; m < 4; m++) {
        double want = 0.0;
        for (size_t i = 0; i < 2; i++)
            for (size_t k = 0; k < 6; k++)
                want += 0.5 * f.errors.v[of[m].pair[i][0]][k] * f.errors.v[of[m].pair[i][1]][k];
        test_close(of[m].name, test_value(frame, of[m].name, "seed=3,t=3"), want, 1e-13);
    }
    double sum = 0.0;
    const char *const parts[] = {"bias", "var_data", "var_projection", "var_joint"};
    for (size_t i = 0; i < 4; i++)
        sum += test_value(frame, parts[i], "seed=3,t=3");
    test_close("the parts", sum, test_value(frame, "test_risk", "seed=3,t=3"), 1e-13);
    test_close("noise", test_value(frame, "test_mse", "seed=3,t=3") - sum, 0.1, 1e-13);
    nnd_frame_free(frame);
    end(&f);
}
END_TEST

START_TEST(what_is_not_drawn_has_no_variance) {
    static const char *const yaml[] = {
        "{model: scaling-laws, params: {" FEATURES TARGET "samples: 5, time: 3, record: [3]}}",
        "{model: scaling-laws, params: {" FEATURES TARGET "width: 4, time: 3, record: [3]}}"};
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < 2; i++) {
        nnd_frame *frame = simulate_students(ctx, yaml[i], 0, 2);
        const char *at = "seed=1,t=3", *drawn = i == 0 ? "var_data" : "var_projection";
        ck_assert_double_eq(test_value(frame, i == 0 ? "var_projection" : "var_data", at), 0.0);
        test_close("joint", 1.0 + test_value(frame, "var_joint", at), 1.0, 1e-15);
        ck_assert_double_gt(test_value(frame, drawn, at), 1e-4);
        nnd_frame_free(frame);
    }
    nnd_context_free(ctx);
}
END_TEST

/* ---- sizes ---- */

START_TEST(a_size_copies_every_mode) {
    fixture f = begin_at("{model: scaling-laws, params: {features: {eigenvalues: [2, 0.5], "
                         "multiplicity: [1, 2]}, target: {weights2: [0.6, 0.3]}, noise2: 0.1, "
                         "width: 2, samples: 4, training: mini-batch, batch: 3, steps: 1}}",
                         3);
    ck_assert_uint_eq(f.task.modes, 9);
    ck_assert_uint_eq(f.task.width, 6);
    ck_assert_uint_eq(f.task.samples, 12);
    ck_assert_uint_eq(f.task.batch, 9);
    for (size_t k = 0; k < 9; k++) {
        ck_assert_double_eq(f.task.lambda[k], k < 3 ? 2.0 : 0.5);
        test_close("w", f.task.w[k], k < 3 ? sqrt(0.2) : sqrt(0.1), 1e-15);
    }
    /* 2 x 0.6 + 2 x 0.5 x 0.3 + 0.1, at every size. */
    test_close("start", f.task.start2, 1.6, 1e-15);
    end(&f);
}
END_TEST

/* ---- data ---- */

/* Mean (2, 0); covariance diag(0.5, 2); y = 1 + x_1 + x_2/2 +- 0.1, across both. */
#define DATA "data: {inputs: [[3, 0], [1, 0], [2, 2], [2, -2]], targets: [4.1, 2.1, 3.9, 1.9]}"

/* The loss over all rows, from the predictor in the coordinates of the file. */
START_TEST(students_of_data_are_tested_on_all_rows) {
    static const double x[4][2] = {{3, 0}, {1, 0}, {2, 2}, {2, -2}}, y[] = {4.1, 2.1, 3.9, 1.9};
    fixture f = begin(
        "{model: scaling-laws, params: {width: 3, samples: 4, time: 1, record: [1], " DATA "}}");
    for (size_t s = 0; s < 4; s++) {
        double loss = 0.0, predictor[2] = {0};
        for (size_t k = 0; k < 2; k++)
            for (size_t j = 0; j < 2; j++)
                predictor[j] += (f.task.w[k] - f.errors.v[s][k] / sqrt(f.task.lambda[k])) *
                                f.task.spectrum.vector[k * 2 + j];
        for (size_t i = 0; i < 4; i++)
            loss += pow(y[i] - 3.0 - predictor[0] * (x[i][0] - 2.0) - predictor[1] * x[i][1], 2.0) /
                    4.0;
        test_close("loss", nnd_scaling_test_mse(&f.task, &f.errors, s, 0), loss, 1e-13);
        /* Samples are rows. */
        for (size_t mu = 0; mu < 4; mu++) {
            double nearest = INFINITY;
            for (size_t i = 0; i < 4; i++) {
                double off = fabs(f.task.y[s % 2][mu] - (y[i] - 3.0));
                for (size_t k = 0; k < 2; k++)
                    off += fabs(f.task.psi[s % 2][mu * 2 + k] -
                                f.task.spectrum.vector[k * 2] * (x[i][0] - 2.0) -
                                f.task.spectrum.vector[k * 2 + 1] * x[i][1]);
                nearest = fmin(nearest, off);
            }
            ck_assert_double_lt(nearest, 1e-13);
        }
    }
    end(&f);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("scaling_students");
    TCase *tests = tcase_create("students");
    tcase_add_test(tests, descent_is_that_of_a_loop_over_samples);
    tcase_add_test(tests, the_heavy_ball_is_that_of_a_loop_over_samples);
    tcase_add_test(tests, filters_are_their_recursions);
    tcase_add_test(tests, late_steps_keep_their_digits);
    tcase_add_test(tests, a_flow_is_descent_in_small_steps);
    tcase_add_test(tests, ridge_solves_the_normal_equations);
    tcase_add_test(tests, without_a_ridge_enough_students_learn_everything);
    tcase_add_test(tests, random_directions_leave_the_rest_of_an_isotropic_target);
    tcase_add_test(tests, least_squares_pays_for_noise_as_wishart_matrices_say);
    tcase_add_test(tests, one_step_of_a_fresh_batch_has_gaussian_moments);
    tcase_add_test(tests, losses_are_those_of_fresh_samples);
    tcase_add_test(tests, samples_have_the_covariance_and_the_noise_asked_for);
    tcase_add_test(tests, one_pass_is_a_loop_over_fresh_samples);
    tcase_add_test(tests, batches_of_all_samples_are_descent);
    tcase_add_test(tests, batches_are_drawn_without_replacement_each_as_likely);
    tcase_add_test(tests, an_ensemble_predicts_the_mean_of_its_students);
    tcase_add_test(tests, pairs_share_what_they_are_said_to_share);
    tcase_add_test(tests, what_is_not_drawn_has_no_variance);
    tcase_add_test(tests, a_size_copies_every_mode);
    tcase_add_test(tests, students_of_data_are_tested_on_all_rows);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
