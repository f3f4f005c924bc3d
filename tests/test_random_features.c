/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Losses of random-feature students against reference numbers (scaling-laws.md#s9), limits
 * (scaling-laws.md#s7) and other ways to the same numbers. */
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/mode_rule.h"
#include "nndmft/solvers/random_features.h"
#include "support.h"
#include "with_context.h"

/* They have ten digits. */
static const double REFERENCE_RTOL = 1e-9;

enum { M = 400, MOST_TIMES = 300 };

typedef struct {
    double eigenvalue[M], multiplicity[M], teacher2[M];
} spectrum;

static nnd_features power_law(spectrum *x, double b, double a, double width, double samples,
                              double noise) {
    for (int k = 0; k < M; k++) {
        x->eigenvalue[k] = pow(k + 1.0, -b);
        x->multiplicity[k] = 1.0;
        x->teacher2[k] = pow(k + 1.0, b - a);
    }
    return (nnd_features){{M, x->eigenvalue, x->multiplicity, x->teacher2}, samples, width, noise};
}

static spectrum shared;
static nnd_features case_a(void) {
    return power_law(&shared, 1.5, 2.0, 100.0, 150.0, 0.05);
}

static const nnd_feature_training FLOW = {.nodes = 24};

START_TEST(flow_reference_case) {
    const double time[] = {0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e6};
    const double test[] = {1.487309608, .6558543946, .2082782864, .1251197743,
                           .1401438802, .2178236066, .2525506652};
    nnd_features f = case_a();
    nnd_feature_losses o[7];
    ck_assert_int_eq(nnd_feature_descent(ctx, &f, &FLOW, 7, time, o), NND_OK);
    for (int t = 0; t < 7; t++)
        test_close("test", o[t].value[NND_FEATURES_TEST], test[t], REFERENCE_RTOL);
    test_close("train", o[0].value[NND_FEATURES_TRAIN], 1.482301568, REFERENCE_RTOL);
    test_close("train", o[3].value[NND_FEATURES_TRAIN], .0734347714, REFERENCE_RTOL);
    test_close("train", o[6].value[NND_FEATURES_TRAIN], .02806118503, REFERENCE_RTOL);
    test_close("same A", o[3].value[NND_FEATURES_PROJECTION], .05690115396, REFERENCE_RTOL);
    test_close("same data", o[3].value[NND_FEATURES_DATA], .04742442595, REFERENCE_RTOL);
    test_close("independent", o[3].value[NND_FEATURES_NEITHER], .03667807738, REFERENCE_RTOL);
}
END_TEST

START_TEST(descent_reference_case) {
    const double time[] = {2.0, 100.0, 1e4}, test[] = {.3803940514, .1232137971, .2271616425};
    nnd_features f = case_a();
    nnd_feature_training how = {.lr = 1.3, .nodes = 24};
    nnd_feature_losses o[3];
    ck_assert_int_eq(nnd_feature_descent(ctx, &f, &how, 3, time, o), NND_OK);
    for (int t = 0; t < 3; t++)
        test_close("test", o[t].value[NND_FEATURES_TEST], test[t], REFERENCE_RTOL);
}
END_TEST

START_TEST(ridge_and_edge_reference_case) {
    nnd_features f = case_a();
    nnd_feature_losses o;
    double edge, kappa;
    ck_assert_int_eq(nnd_feature_ridge(ctx, &f, 1e-3, &o), NND_OK);
    test_close("test", o.value[NND_FEATURES_TEST], .12928756564, REFERENCE_RTOL);
    test_close("train", o.value[NND_FEATURES_TRAIN], .04271654835, REFERENCE_RTOL);
    ck_assert_int_eq(nnd_feature_edge(ctx, &f, &edge), NND_OK);
    test_close("edge", edge, 1.310344265, REFERENCE_RTOL);
    nnd_resolvent x = {&f.modes, f.samples, f.width, 0.0};
    ck_assert_int_eq(nnd_kappa_real(ctx, &x, 0.0, &kappa), NND_OK);
    test_close("kappa_0", kappa, .00210276255, REFERENCE_RTOL);
}
END_TEST

static void near(const char *what, double t, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s at %g: got %.17g, want %.17g", what, t, got,
                  want);
}

/* Of sums without cancellation. */
static const double EXACT = 2e-14;

typedef struct {
    double width, samples, ridge, value[NND_FEATURES_MOMENTS];
} ridge_reference;

static void compare_ridge(const nnd_features *f, const ridge_reference *want) {
    nnd_feature_losses o;
    ck_assert_int_eq(nnd_feature_ridge(ctx, f, want->ridge, &o), NND_OK);
    for (int m = 0; m < NND_FEATURES_MOMENTS; m++)
        ck_assert_msg(fabs(o.value[m] - want->value[m]) <= EXACT * fabs(want->value[m]) &&
                          isfinite(o.error) && fabs(o.value[m] - want->value[m]) <= o.error,
                      "N %g P %g ridge %g: moment %d is %.17g, want %.17g", f->width, f->samples,
                      want->ridge, m, o.value[m], want->value[m]);
}

/* 60 modes, P = M, N = M or N = P: scaling-laws.md#eq5 in numbers of 90 digits. */
START_TEST(ridges_at_thresholds_lose_no_digits) {
    static const ridge_reference WANT[] = {
        {100,
         60,
         1e-20,
         {22954147.601267599, 1.0891277951303652e-10, 7.6965494546678031e-19, 22954147.463767599,
          2.4105349347181161e-19}},
        {100,
         60,
         1e-60,
         {2.2954147448791883e+27, 1.0891277951303651e-30, 7.6965495546943582e-59,
          2.2954147448791883e+27, 2.4105349493365211e-59}},
        {INFINITY,
         60,
         1e-30,
         {3629369384276.356, 6.8882489912183947e-16, 9.6421397973459131e-30, 3629369384276.2559,
          9.6421397973459131e-30}},
        {60,
         60,
         1e-30,
         {116006641.19447038, 3.831198284768973e-11, 2.1341027143293337e-11, 87004980.803110272,
          1.677828375881296e-20}},
        {60,
         100,
         1e-15,
         {0.24999967648660373, 0.040000030896693413, 2.5579852883018104e-08, 0.14999948338327179,
          2.4105303266012863e-14}},
        {20,
         20,
         1e-25,
         {51141849295.373741, 2.6134131093903559e-13, 0.13121832054261937, 0.19497292124923288,
          0.043282895283850299}},
        {30,
         20,
         1e-10,
         {0.75740951182673166, 1.7800675555005572e-16, 0.086614980973331701, 0.19497291718698873,
          0.043282896475975975}},
    };
    const ridge_reference *want = &WANT[_i];
    nnd_features f = power_law(&shared, 1.5, 2.0, want->width, want->samples, 0.1);
    f.modes.count = 60;
    compare_ridge(&f, want);
}
END_TEST

/* Ten eigenvalues 1 and ten 1e-20, ten samples or projections: kappa is in the gap. */
START_TEST(ridges_in_a_gap_of_the_spectrum_lose_no_digits) {
    static const ridge_reference WANT[] = {
        {INFINITY,
         10,
         0.0,
         {500000000.10000002, 0.0, 1.9999999995999999e-20, 500000000.0, 1.9999999995999999e-20}},
        {20,
         10,
         0.0,
         {500000000.19999999, 0.0, 3.9999999983999998e-20, 500000000.0, 1.9999999995999999e-20}},
        {10,
         10,
         1e-40,
         {50000250049531.547, 5.000000004953125e-17, 1.0000000000124999e-10, 499997500.01249897,
          2.0000099996250001e-20}},
        {10,
         30,
         1e-15,
         {0.15000002469056331, 0.066666680222231017, 1.9365110192173988e-08, 0.049999994190508372,
          1.5000199128573949e-15}},
        {30,
         10,
         1e-30,
         {500000000.11250001, 1.1250000000843749e-31, 2.9999999993249998e-20, 499999999.96249998,
          1.99999999975e-20}},
    };
    static const double eigenvalue[] = {1.0, 1e-20}, multiplicity[] = {10.0, 10.0},
                        teacher2[] = {1.0, 1.0};
    const ridge_reference *want = &WANT[_i];
    nnd_features f = {{2, eigenvalue, multiplicity, teacher2}, want->samples, want->width, 0.1};
    compare_ridge(&f, want);
}
END_TEST

/* One sample more than 10^4 modes, whose number quadrature has to rounding: the error says so. The
 * number is of sums over all modes. */
START_TEST(rounding_of_the_number_of_modes_is_told) {
    const double want = 1000.0999999839948;
    nnd_mode_rule rule;
    nnd_feature_losses o;
    ck_assert_int_eq(nnd_mode_rule_power_law(ctx, 1e4, 1.5, 2.0, &rule), NND_OK);
    nnd_features f = {rule.modes, 1e4 + 1.0, 2e4, 0.1};
    ck_assert_int_eq(nnd_feature_ridge(ctx, &f, 1e-25, &o), NND_OK);
    near("test", 1e-25, o.value[NND_FEATURES_TEST], want, o.error);
    ck_assert(o.error < 1e-10 * want);
    f.samples = 1e4;
    ck_assert_int_eq(nnd_feature_ridge(ctx, &f, 1e-25, &o), NND_OK);
    ck_assert(o.error < EXACT * o.value[NND_FEATURES_TEST]);
    nnd_mode_rule_clear(&rule);
}
END_TEST

/* df(kappa_0) = P, of ten samples of 10^9 modes. */
START_TEST(kappa_of_many_modes_loses_no_digits) {
    nnd_mode_rule rule;
    ck_assert_int_eq(nnd_mode_rule_power_law(ctx, 1e9, 1.5, 2.0, &rule), NND_OK);
    double kappa = nnd_kappa(&rule.modes, 10.0, 0.0, 0.0), df = 0.0;
    for (size_t i = 0; i < rule.modes.count; i++)
        df += rule.modes.multiplicity[i] * rule.modes.eigenvalue[i] /
              (rule.modes.eigenvalue[i] + kappa);
    test_close("df", df, 10.0, EXACT);
    nnd_mode_rule_clear(&rule);
}
END_TEST

START_TEST(batches_reference_case) {
    const double time[] = {1.0, 100.0, 1e4}, test[] = {.9121742371, .1270076012, .09096537235};
    nnd_features f = case_a();
    nnd_feature_training how = {.lr = 0.4, .batch = 10.0, .nodes = 24};
    nnd_feature_losses o[3];
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 1, time + 1, o), NND_OK);
    test_close("test", o[0].value[NND_FEATURES_TEST], .1464922387, REFERENCE_RTOL);
    test_close("train", o[0].value[NND_FEATURES_TRAIN], .1063271946, REFERENCE_RTOL);
    f.samples = INFINITY;
    how.lr = 0.5;
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 3, time, o), NND_OK);
    for (int t = 0; t < 3; t++)
        test_close("test", o[t].value[NND_FEATURES_TEST], test[t], REFERENCE_RTOL);
    nnd_batch_plateau plateau;
    ck_assert_int_eq(nnd_feature_plateau(ctx, &f, &how, &plateau), NND_OK);
    test_close("Sigma", plateau.noise, .0745230308, REFERENCE_RTOL);
    how.batch = 1.0;
    how.lr = 0.15;
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 1, time + 1, o), NND_OK);
    test_close("test", o[0].value[NND_FEATURES_TEST], .2086894393, REFERENCE_RTOL);
}
END_TEST

/* ---- other ways to the same numbers ---- */

/* Rounding of about 1e-13 of the loss at the start, and 1e-12 of circles. */
static const double CONTOUR = 4e-12;

static nnd_features everything(double noise) {
    return power_law(&shared, 1.5, 2.0, INFINITY, INFINITY, noise);
}

/* N = P = inf: every mode by itself. */
START_TEST(flow_without_limits_is_a_sum) {
    const double time[] = {1e-3, 0.1, 1.0, 33.0, 1e3, 1e6, 1e9};
    nnd_features f = everything(0.1);
    nnd_feature_losses o[7];
    ck_assert_int_eq(nnd_feature_descent(ctx, &f, &FLOW, 7, time, o), NND_OK);
    for (int t = 0; t < 7; t++) {
        double want = 0.1;
        for (int k = 0; k < M; k++)
            want += shared.eigenvalue[k] * shared.teacher2[k] *
                    exp(-2.0 * shared.eigenvalue[k] * time[t]);
        near("test", time[t], o[t].value[NND_FEATURES_TEST], want, CONTOUR);
        near("train", time[t], o[t].value[NND_FEATURES_TRAIN], want, CONTOUR);
        near("apart", time[t], o[t].value[NND_FEATURES_NEITHER], want - 0.1, CONTOUR);
    }
}
END_TEST

/* The heavy ball of one mode, from rest. */
static double swing(double lr, double momentum, double eigenvalue, size_t steps) {
    double v = 1.0, before = 1.0;
    for (size_t t = 0; t < steps; t++) {
        double next = v - lr * eigenvalue * v + momentum * (v - before);
        before = v;
        v = next;
    }
    return v;
}

/* On its circles the heavy ball loses four digits to rounding; what errors say must cover that. */
static const double LARGEST_ERROR = 5e-11;

static void compare_descent(double lr, double momentum, size_t count, const double *time) {
    nnd_features f = everything(0.0);
    nnd_feature_training how = {.lr = lr, .momentum = momentum, .nodes = 24};
    nnd_feature_losses o[MOST_TIMES];
    ck_assert_int_eq(nnd_feature_descent(ctx, &f, &how, count, time, o), NND_OK);
    for (size_t t = 0; t < count; t++) {
        double want = 0.0;
        for (int k = 0; k < M; k++) {
            double v = swing(lr, momentum, shared.eigenvalue[k], (size_t)time[t]);
            want += shared.eigenvalue[k] * shared.teacher2[k] * v * v;
        }
        near("test", time[t], o[t].value[NND_FEATURES_TEST], want,
             momentum > 0.0 ? o[t].error : CONTOUR);
        ck_assert(o[t].error < LARGEST_ERROR);
    }
}

START_TEST(descent_without_limits_is_a_sum) {
    const double time[] = {1.0, 2.0, 7.0, 31.0, 32.0, 33.0, 64.0, 65.0, 300.0, 3000.0};
    compare_descent(0.8, 0.0, 10, time);
    compare_descent(1.9, 0.0, 10, time);
    compare_descent(1.2, 0.5, 10, time);
    compare_descent(0.5, 0.8, 10, time);
    compare_descent(3.4, 0.8, 10, time);
    const double slow[] = {1.0, 30.0, 65.0, 450.0, 1500.0};
    compare_descent(0.5, 0.99, 5, slow);
}
END_TEST

/* Of as many projections, or samples, as equal modes the kernel has Marchenko and Pastur's
 * spectrum, of density sqrt((4 - x)/x)/(2 pi); with x = 2 + 2 cos phi the midpoint rule is exact
 * for polynomials. */
enum { EQUAL = 4, POINTS = 128, EQUAL_STEPS = 40 };

static double weight_at(int i, double *x) {
    double c = cos(M_PI * ((double)i + 0.5) / POINTS);
    *x = 2.0 + 2.0 * c;
    return (1.0 - c) / POINTS;
}

static double left_of_equal_modes(double lr, double momentum, size_t steps) {
    double sum = 0.0, x;
    for (int i = 0; i < POINTS; i++) {
        double weight = weight_at(i, &x);
        sum += weight * swing(lr, momentum, x, steps);
    }
    return sum;
}

/* The mean of x^power q^steps, q = (1 - lr x)^2 + more (lr x)^2. */
static double mean_of_equal_modes(double power, double lr, double more, size_t steps) {
    double sum = 0.0, x;
    for (int i = 0; i < POINTS; i++) {
        double weight = weight_at(i, &x), u = lr * x;
        sum += weight * pow(x, power) * pow((1.0 - u) * (1.0 - u) + more * u * u, (double)steps);
    }
    return sum;
}

/* Losses of EQUAL samples of as many modes, of power 1 in all. */
static void samples_of_equal_modes(double lr, double momentum, double noise, size_t steps,
                                   double *test, double *train) {
    double x;
    *test = noise;
    *train = 0.0;
    for (int i = 0; i < POINTS; i++) {
        double weight = weight_at(i, &x), v = swing(lr, momentum, x, steps);
        *test += weight * (v * v + noise * (1.0 - v) * (1.0 - v) / x);
        *train += weight * (x + noise) * v * v;
    }
}

static nnd_features equal_modes(double width, double samples, double noise) {
    static const double eigenvalue = 1.0, multiplicity = EQUAL, teacher2 = 1.0;
    return (nnd_features){{1, &eigenvalue, &multiplicity, &teacher2}, samples, width, noise};
}

static void set_steps(double *time) {
    for (int t = 0; t < EQUAL_STEPS; t++)
        time[t] = t + 1.0;
}

/* Steps at which both arms matter: 0.9 of the largest rate, and modes at z = 0. */
START_TEST(steps_of_equal_modes_are_an_integral) {
    static const double momentum[] = {0.0, 0.1};
    nnd_features f = equal_modes(EQUAL, INFINITY, 0.0);
    nnd_feature_training how = {
        .lr = 0.45 * (1.0 + momentum[_i]), .momentum = momentum[_i], .nodes = 24};
    double time[EQUAL_STEPS];
    nnd_feature_losses o[EQUAL_STEPS];
    set_steps(time);
    ck_assert_int_eq(nnd_feature_descent(ctx, &f, &how, EQUAL_STEPS, time, o), NND_OK);
    for (int t = 0; t < EQUAL_STEPS; t++) {
        double left = left_of_equal_modes(how.lr, how.momentum, (size_t)t + 1);
        near("apart", time[t], o[t].value[NND_FEATURES_NEITHER], left * left, CONTOUR);
    }
    f = equal_modes(INFINITY, EQUAL, 0.3);
    ck_assert_int_eq(nnd_feature_descent(ctx, &f, &how, EQUAL_STEPS, time, o), NND_OK);
    for (int t = 0; t < EQUAL_STEPS; t++) {
        double test, train;
        samples_of_equal_modes(how.lr, how.momentum, 0.3, (size_t)t + 1, &test, &train);
        near("test", time[t], o[t].value[NND_FEATURES_TEST], test, CONTOUR);
        near("train", time[t], o[t].value[NND_FEATURES_TRAIN], train, CONTOUR);
    }
}
END_TEST

/* scaling-laws.md#eq11, of projections of equal modes; its kernel has EQUAL eigenvalues. */
START_TEST(fresh_batches_of_equal_modes_are_a_recursion) {
    const double lr = 0.3, batch = 3.0, noise = 0.3;
    nnd_features f = equal_modes(EQUAL, INFINITY, noise);
    nnd_feature_training how = {.lr = lr, .batch = batch, .alone = true, .nodes = 24};
    double time[EQUAL_STEPS], loss[EQUAL_STEPS + 1];
    nnd_feature_losses o[EQUAL_STEPS];
    set_steps(time);
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, EQUAL_STEPS, time, o), NND_OK);
    for (size_t t = 0; t <= EQUAL_STEPS; t++) {
        loss[t] = noise + mean_of_equal_modes(0.0, lr, 1.0 / batch, t);
        for (size_t tau = 0; tau < t; tau++)
            loss[t] += lr * lr / batch * loss[tau] * EQUAL *
                       mean_of_equal_modes(2.0, lr, 1.0 / batch, t - 1 - tau);
        if (t > 0)
            near("test", (double)t, o[t - 1].value[NND_FEATURES_TEST], loss[t], CONTOUR);
    }
}
END_TEST

/* What a step adds to the error, along the samples that it is computed from: by its residual, times
 * the part (1/B - 1/P) P/(P - 1) that batches of B leave of the mean over P samples. */
START_TEST(batches_of_samples_of_equal_modes_are_a_recursion) {
    const double lr = 0.3, batch = 2.0, noise = 0.3;
    const double part = (1.0 / batch - 1.0 / EQUAL) * EQUAL / (EQUAL - 1.0);
    nnd_features f = equal_modes(INFINITY, EQUAL, noise);
    nnd_feature_training how = {.lr = lr, .batch = batch, .nodes = 24};
    double time[EQUAL_STEPS], test, train[EQUAL_STEPS + 1];
    nnd_feature_losses o[EQUAL_STEPS];
    set_steps(time);
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, EQUAL_STEPS, time, o), NND_OK);
    for (size_t t = 0; t <= EQUAL_STEPS; t++) {
        samples_of_equal_modes(lr, 0.0, noise, t, &test, &train[t]);
        for (size_t tau = 0; tau < t; tau++) {
            double added = part * lr * lr * train[tau] * EQUAL;
            test += added * mean_of_equal_modes(1.0, lr, 0.0, t - 1 - tau);
            train[t] += added * mean_of_equal_modes(2.0, lr, 0.0, t - 1 - tau);
        }
        if (t == 0)
            continue;
        near("test", (double)t, o[t - 1].value[NND_FEATURES_TEST], test, CONTOUR);
        near("train", (double)t, o[t - 1].value[NND_FEATURES_TRAIN], train[t], CONTOUR);
    }
}
END_TEST

/* The heavy ball at finite N and P: scaling-laws.md#s9, up to step 1000 by scaling-laws.md#eq10
 * too. */
START_TEST(heavy_ball_reference_case) {
    const double time[] = {3.0, 50.0, 200.0, 1000.0, 1e5};
    const double test[] = {.68268902978, .123772650222, .128509455166, .165353251243,
                           .252550664067};
    const double train[] = {.676588945314, .068816919623, .04565555518, .032380144988,
                            .028061185025};
    nnd_features f = case_a();
    nnd_feature_training how = {.lr = 0.5, .momentum = 0.8, .nodes = 24};
    nnd_feature_losses o[5];
    ck_assert_int_eq(nnd_feature_descent(ctx, &f, &how, 5, time, o), NND_OK);
    for (int t = 0; t < 5; t++) {
        test_close("test", o[t].value[NND_FEATURES_TEST], test[t], REFERENCE_RTOL);
        test_close("train", o[t].value[NND_FEATURES_TRAIN], train[t], REFERENCE_RTOL);
    }
}
END_TEST

/* y_k <- (1 - eta lambda)^2 y_k + (eta lambda)^2 (y_k + sum y + sigma^2)/B: exact at any B. */
static void compare_one_pass(double lr, double batch, bool large) {
    enum { STEPS = 1000, EVERY = 37 };
    nnd_features f = everything(0.1);
    nnd_feature_training how = {
        .lr = lr, .batch = batch, .large_batch = large, .alone = !large, .nodes = 24};
    nnd_feature_losses o[STEPS / EVERY + 1];
    double time[STEPS / EVERY + 1], y[M], total = 0.0;
    size_t count = 0;
    for (size_t t = 1; t <= STEPS; t += EVERY)
        time[count++] = (double)t;
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, count, time, o), NND_OK);
    for (int k = 0; k < M; k++)
        total += y[k] = shared.eigenvalue[k] * shared.teacher2[k];
    for (size_t t = 0, at = 0; at < count; t++) {
        if ((double)t == time[at]) {
            near("test", (double)t, o[at].value[NND_FEATURES_TEST], total + 0.1, CONTOUR);
            /* one projection of all features: two students that see the same batches are one */
            if (large)
                near("same", (double)t, o[at].value[NND_FEATURES_DATA], total, CONTOUR);
            at++;
        }
        double loss = total + 0.1;
        total = 0.0;
        for (int k = 0; k < M; k++) {
            double x = lr * shared.eigenvalue[k];
            y[k] = (1.0 - x) * (1.0 - x) * y[k] + x * x * (loss + (large ? 0.0 : y[k])) / batch;
            total += y[k];
        }
    }
}

START_TEST(one_pass_without_limits_is_a_recursion) {
    compare_one_pass(0.15, 1.0, false);
    compare_one_pass(0.5, 10.0, false);
    compare_one_pass(1.7, 100.0, false);
    compare_one_pass(0.5, 10.0, true);
}
END_TEST

/* Numbers by marching in time over kernels from double contours instead of a series for each mode.
 */
START_TEST(shared_batches_reference_case) {
    const double time[] = {1.0, 10.0, 100.0, 300.0};
    const double first[] = {.939509044393, .238235861729, .058997937159, .032936493001},
                 second[] = {.755198713731, .213996501548, .078276909938, .063836114698};
    nnd_features f = case_a();
    nnd_feature_training how = {.lr = 0.4, .batch = 10.0, .nodes = 24};
    nnd_feature_losses o[4];
    f.samples = INFINITY;
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 4, time, o), NND_OK);
    for (int t = 0; t < 4; t++)
        test_close("first", o[t].value[NND_FEATURES_DATA], first[t], REFERENCE_RTOL);
    f.width = 30.0;
    how = (nnd_feature_training){.lr = 0.6, .batch = 8.0, .nodes = 24};
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 4, time, o), NND_OK);
    for (int t = 0; t < 4; t++)
        test_close("second", o[t].value[NND_FEATURES_DATA], second[t], REFERENCE_RTOL);
}
END_TEST

/* What is known at the first steps does not depend on how long training goes on. */
START_TEST(shared_batches_are_known_at_first_steps) {
    const double time[] = {10.0, 300.0, 1e5};
    nnd_features f = case_a();
    nnd_feature_training how = {.lr = 0.4, .batch = 10.0, .nodes = 24};
    nnd_feature_losses few[2], all[3];
    f.samples = INFINITY;
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 2, time, few), NND_OK);
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 3, time, all), NND_OK);
    for (int t = 0; t < 2; t++)
        ck_assert_double_eq(all[t].value[NND_FEATURES_DATA], few[t].value[NND_FEATURES_DATA]);
    ck_assert_double_nan(all[2].value[NND_FEATURES_DATA]);
    how.alone = true;
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 3, time, all), NND_OK);
    ck_assert_double_nan(all[0].value[NND_FEATURES_DATA]);
}
END_TEST

/* Batches of all samples are full batches, and few of very many samples are fresh. */
START_TEST(limits_of_batches) {
    const double time[] = {1.0, 20.0, 500.0, 1e5};
    nnd_features f = case_a();
    nnd_feature_training how = {.lr = 0.4, .batch = 150.0, .nodes = 24};
    nnd_feature_losses o[4], full[4];
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 4, time, o), NND_OK);
    ck_assert_int_eq(nnd_feature_descent(ctx, &f, &how, 4, time, full), NND_OK);
    for (int t = 0; t < 4; t++)
        for (int m = NND_FEATURES_TEST; m <= NND_FEATURES_TRAIN; m++)
            near("full", time[t], o[t].value[m], full[t].value[m], CONTOUR);
    f.samples = 1e13;
    how.batch = 10.0;
    how.large_batch = true;
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 4, time, o), NND_OK);
    f.samples = INFINITY;
    ck_assert_int_eq(nnd_feature_batches(ctx, &f, &how, 4, time, full), NND_OK);
    for (int t = 0; t < 4; t++)
        near("fresh", time[t], o[t].value[NND_FEATURES_TEST], full[t].value[NND_FEATURES_TEST],
             1e-10);
}
END_TEST

/* scaling-laws.md#eq16 */
static nnd_feature_losses end_by_formula(const nnd_features *f) {
    double n = f->width, p = f->samples, s2 = f->label_noise, signal = 0.0, ch2 = 0.0, df2 = 0.0;
    double kappa = nnd_kappa(&f->modes, fmin(n, p), 0.0, 0.0);
    for (size_t k = 0; k < f->modes.count; k++) {
        double d = f->modes.eigenvalue[k] + kappa,
               c = f->modes.eigenvalue[k] * f->modes.teacher2[k];
        signal += kappa * c / d;
        ch2 += kappa * kappa * c / d / d;
        df2 += f->modes.multiplicity[k] * f->modes.eigenvalue[k] * f->modes.eigenvalue[k] / d / d;
    }
    double g = signal + s2;
    if (n < p)
        return (nnd_feature_losses){{g / (1.0 - n / p), (1.0 - n / p) * g}, 0.0};
    return (nnd_feature_losses){{(ch2 + s2) / (1.0 - df2 / p) + g * (p / n) / (1.0 - p / n)}, 0.0};
}

START_TEST(training_ends_at_the_minimum_of_least_norm) {
    const double sizes[][2] = {{100, 150},      {150, 100},      {50, INFINITY},
                               {INFINITY, 80},  {1000, 200},     {20, 1e4},
                               {INFINITY, 1e3}, {700, INFINITY}, {3, 2}};
    const double late = 1e12;
    nnd_feature_training steps = {.lr = 1.0, .nodes = 24},
                         batch = {.lr = 0.3, .batch = 1.0, .nodes = 24};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        nnd_features f = power_law(&shared, 1.5, 2.0, sizes[i][0], sizes[i][1], 0.05);
        nnd_feature_losses o, flow, gd, sgd;
        bool all = fmin(f.width, f.samples) >= M;
        nnd_feature_losses want = end_by_formula(&f);
        if (all)
            want = (nnd_feature_losses){
                {0.05 / (1.0 - M / f.samples), 0.05 * (1.0 - M / f.samples)}, 0.0};
        ck_assert_int_eq(nnd_feature_ridge(ctx, &f, 0.0, &o), NND_OK);
        ck_assert_int_eq(nnd_feature_descent(ctx, &f, &FLOW, 1, &late, &flow), NND_OK);
        for (int m = NND_FEATURES_TEST; m <= NND_FEATURES_TRAIN; m++) {
            near("end", (double)i, o.value[m], want.value[m], 1e-11);
            near("flow", (double)i, flow.value[m], want.value[m], 1e-10);
        }
        nnd_batch_plateau plateau;
        double edge;
        ck_assert_int_eq(nnd_feature_edge(ctx, &f, &edge), NND_OK);
        steps.lr = 1.9 / edge;
        ck_assert_int_eq(nnd_feature_descent(ctx, &f, &steps, 1, &late, &gd), NND_OK);
        near("steps", (double)i, gd.value[0], want.value[0], 1e-10);
        batch.lr = 0.3 / edge;
        ck_assert_int_eq(nnd_feature_plateau(ctx, &f, &batch, &plateau), NND_OK);
        ck_assert(plateau.noise > 0.0 && plateau.noise < 1.0);
        ck_assert_int_eq(nnd_feature_batches(ctx, &f, &batch, 1, &late, &sgd), NND_OK);
        near("plateau", (double)i, sgd.value[NND_FEATURES_TEST], plateau.test, 1e-10);
        near("plateau", (double)i, sgd.value[NND_FEATURES_TRAIN], plateau.train, 1e-10);
    }
}
END_TEST

/* ---- random problems ---- */

static double uniform(void) {
    static uint64_t state = 12345;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-53;
}

static double log_uniform(double low, double high) {
    return low * pow(high / low, uniform());
}

/* One to 100 modes: a power law, a few levels, an exponential, or all of one size. */
static nnd_features any_problem(spectrum *x) {
    size_t modes = (size_t)log_uniform(1.0, 100.5), kind = (size_t)(4.0 * uniform());
    double b = log_uniform(0.3, 3.0), a = 0.5 + 3.0 * uniform();
    for (size_t k = 0; k < modes; k++) {
        const double of[] = {pow((double)k + 1.0, -b), 0.01 + (double)(k % 3),
                             exp(-10.0 * (double)k / (double)modes), 1.0};
        x->eigenvalue[k] = of[kind];
        x->multiplicity[k] = 1.0;
        x->teacher2[k] = pow((double)k + 1.0, -a) / x->eigenvalue[k];
    }
    double width = uniform() < 0.2 ? INFINITY : floor(log_uniform(1.0, 1000.0));
    double samples = uniform() < 0.2 ? INFINITY : floor(log_uniform(1.0, 1000.0));
    return (nnd_features){{modes, x->eigenvalue, x->multiplicity, x->teacher2},
                          uniform() < 0.1 && isfinite(width) ? width : samples,
                          width,
                          uniform() < 0.5 ? 0.0 : 0.1};
}

static nnd_status losses_of(const nnd_features *f, const nnd_feature_training *how, size_t times,
                            const double *time, nnd_feature_losses *o) {
    return how->batch > 0.0 ? nnd_feature_batches(ctx, f, how, times, time, o)
                            : nnd_feature_descent(ctx, f, how, times, time, o);
}

static const char *const TRAININGS[] = {"flow", "descent", "heavy ball", "batches"};

/* A stable training of each kind. */
static nnd_feature_training any_training(const nnd_features *f, int kind, size_t nodes) {
    nnd_feature_training how = {.nodes = nodes};
    double edge;
    ck_assert_int_eq(nnd_feature_edge(ctx, f, &edge), NND_OK);
    how.momentum = kind == 2 ? 0.5 : 0.0;
    if (kind > 0)
        how.lr = 2.0 * (1.0 + how.momentum) * (0.1 + 0.85 * uniform()) / edge;
    if (kind < 3)
        return how;
    how.batch = isfinite(f->samples) ? ceil(f->samples / 3.0) : ceil(10.0 * uniform());
    nnd_batch_plateau plateau = {.noise = 2.0};
    while (plateau.noise >= 0.9) {
        how.lr *= 0.5;
        ck_assert_int_eq(nnd_feature_plateau(ctx, f, &how, &plateau), NND_OK);
    }
    return how;
}

START_TEST(errors_are_honest_and_losses_in_order) {
    static const int KIND[10] = {0, 1, 3, 0, 1, 3, 0, 1, 3, 2}; /* the heavy ball takes longest */
    enum { PROBLEMS = 100, TIMES = 12 };
    static spectrum x;
    double edge;
    for (int i = 0; i < PROBLEMS; i++) {
        int kind = KIND[i % 10];
        nnd_features f = any_problem(&x);
        nnd_feature_training how = any_training(&f, kind, 20), finer = how;
        double time[TIMES];
        for (int t = 0; t < TIMES; t++)
            time[t] = kind == 0 ? pow(10.0, t - 3.0) : floor(pow(3.2, t));
        nnd_feature_losses o[TIMES], more[TIMES];
        finer.nodes = 28;
        /* Training that goes beyond the minimum does so more on its own samples. */
        ck_assert_int_eq(nnd_feature_edge(ctx, &f, &edge), NND_OK);
        bool beyond = how.lr * edge > 1.0 || how.momentum > 0.0;
        ck_assert_int_eq(losses_of(&f, &how, TIMES, time, o), NND_OK);
        ck_assert_int_eq(losses_of(&f, &finer, TIMES, time, more), NND_OK);
        for (int t = 0; t < TIMES; t++) {
            const double *v = o[t].value, *w = more[t].value;
            double error = o[t].error + more[t].error;
            for (int m = 0; m < NND_FEATURES_MOMENTS; m++)
                ck_assert_msg(!(fabs(v[m] - w[m]) > error),
                              "%s %d: N %g P %g M %zu, t = %g: moment %d is %.15g, %.15g, error %g",
                              TRAININGS[kind], i, f.width, f.samples, f.modes.count, time[t], m,
                              v[m], w[m], o[t].error);
            ck_assert_msg(w[NND_FEATURES_TRAIN] >= -error && w[NND_FEATURES_NEITHER] >= -error &&
                              (beyond || w[NND_FEATURES_TEST] >= w[NND_FEATURES_TRAIN] - error) &&
                              w[NND_FEATURES_TEST] - f.label_noise >=
                                  w[NND_FEATURES_PROJECTION] - error,
                          "%s %d: N %g P %g M %zu, t = %g: %g %g %g %g %g", TRAININGS[kind], i,
                          f.width, f.samples, f.modes.count, time[t], w[0], w[1], w[2], w[3], w[4]);
        }
    }
}
END_TEST

/* The error falls by exp(1.09) per node. */
START_TEST(contours_converge_exponentially) {
    const double time[] = {1.0, 3.0, 7.9};
    nnd_features f = case_a();
    double error[4];
    for (size_t i = 0; i < 4; i++) {
        nnd_feature_training how = {.nodes = 8 + 4 * i};
        nnd_feature_losses o[3];
        ck_assert_int_eq(nnd_feature_descent(ctx, &f, &how, 3, time, o), NND_OK);
        error[i] = fmax(o[0].error, fmax(o[1].error, o[2].error));
    }
    test_close("order", log(error[0] / error[3]) / 12.0, 1.09, 0.1);
    ck_assert(error[3] < 1e-8 && error[0] > 1e-5);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("random features");
    TCase *tests = tcase_create("all");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, flow_reference_case);
    tcase_add_test(tests, descent_reference_case);
    tcase_add_test(tests, ridge_and_edge_reference_case);
    tcase_add_loop_test(tests, ridges_at_thresholds_lose_no_digits, 0, 7);
    tcase_add_loop_test(tests, ridges_in_a_gap_of_the_spectrum_lose_no_digits, 0, 5);
    tcase_add_test(tests, rounding_of_the_number_of_modes_is_told);
    tcase_add_test(tests, kappa_of_many_modes_loses_no_digits);
    tcase_add_test(tests, batches_reference_case);
    tcase_add_test(tests, flow_without_limits_is_a_sum);
    tcase_add_test(tests, descent_without_limits_is_a_sum);
    tcase_add_loop_test(tests, steps_of_equal_modes_are_an_integral, 0, 2);
    tcase_add_test(tests, fresh_batches_of_equal_modes_are_a_recursion);
    tcase_add_test(tests, batches_of_samples_of_equal_modes_are_a_recursion);
    tcase_add_test(tests, heavy_ball_reference_case);
    tcase_add_test(tests, one_pass_without_limits_is_a_recursion);
    tcase_add_test(tests, shared_batches_reference_case);
    tcase_add_test(tests, shared_batches_are_known_at_first_steps);
    tcase_add_test(tests, limits_of_batches);
    tcase_add_test(tests, training_ends_at_the_minimum_of_least_norm);
    tcase_add_test(tests, errors_are_honest_and_losses_in_order);
    tcase_add_test(tests, contours_converge_exponentially);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
