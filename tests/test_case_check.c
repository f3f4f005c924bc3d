/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a program sets in the structs of a case is checked before anything runs. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/deep_linear.h"
#include "nndmft/wide_mlp.h"
#include "support.h"

static nnd_context *ctx;
static nnd_case *c;

static void teardown(void) {
    nnd_case_free(c);
    nnd_context_free(ctx);
    c = NULL;
}

static nnd_deep_linear *deep_linear(void) {
    ctx = nnd_context_new(NULL);
    c = test_case(ctx, "{model: deep-linear, params: {steps: 3, record: [1, 3]}, "
                       "simulate: {size: [20, 40], seeds: [4, 6]}}");
    return c->params[0];
}

static nnd_wide_mlp *wide_mlp(void) {
    ctx = nnd_context_new(NULL);
    c = test_case(ctx, "{model: wide-mlp, params: {activation: tanh, steps: 3, data: {gram: "
                       "[[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}}, simulate: {size: 20}}");
    return c->params[0];
}

/* Theory and ensemble refuse the case with this message. */
static void refused_with(const char *message) {
    nnd_frame *frame = NULL;
    nnd_plan plan;
    nnd_store *store = nnd_memory_store_new();
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_INPUT);
    ck_assert_str_eq(nnd_context_message(ctx), message);
    ck_assert_int_eq(nnd_theory_plan(ctx, c, &plan), NND_E_INPUT);
    nnd_ensemble ensemble;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &ensemble), NND_E_INPUT);
    ck_assert_str_eq(nnd_context_message(ctx), message);
    ck_assert_ptr_null(ensemble.mc);
    ck_assert_ptr_null(frame);
    nnd_memory_store_free(store);
}

START_TEST(numbers_out_of_range) {
    nnd_deep_linear *p = deep_linear();
    p->steps = -5;
    refused_with("params.steps: -5 is out of range: an integer >= 0 and <= 10000000");
    p->steps = 3;
    p->gamma0 = -2.0;
    refused_with("params.gamma0: -2 is out of range: a number > 0");
    p->gamma0 = NAN;
    refused_with("params.gamma0: nan is out of range: a number > 0");
    p->gamma0 = INFINITY;
    refused_with("params.gamma0: inf is out of range: a number > 0");
}
END_TEST

/* At any of its points, of which the second is spoiled. */
START_TEST(all_points_of_a_sweep_are_checked) {
    ctx = nnd_context_new(NULL);
    c = test_case(ctx, "{model: deep-linear, params: {steps: 3}, sweep: {gamma0: [1, 2]}, "
                       "simulate: {size: 20, seeds: 4}}");
    nnd_deep_linear *second = c->params[1];
    second->steps = -5;
    refused_with("params.steps: -5 is out of range: an integer >= 0 and <= 10000000");
}
END_TEST

START_TEST(choices_and_flags_that_there_are_not) {
    nnd_deep_linear *p = deep_linear();
    int before = p->integrator;
    p->integrator = 7;
    refused_with("params.integrator: choice 7 of 2 is out of range: one of gd, flow");
    p->integrator = -1;
    refused_with("params.integrator: choice -1 of 2 is out of range: one of gd, flow");
    p->integrator = before;
    memset(&p->spectrum, 2, sizeof p->spectrum);
    refused_with("params.spectrum: 2 is out of range: true or false");
    memset(&p->spectrum, 0, sizeof p->spectrum);
}
END_TEST

START_TEST(lists_that_are_none) {
    nnd_deep_linear *p = deep_linear();
    double *kept = p->record.value;
    p->record.value = NULL;
    refused_with("params.record: a list of 2 without values is out of range: a number >= 0, or a "
                 "list of such, or log");
    p->record.value = kept;
    p->record.count = (size_t)-3;
    refused_with("params.record: a list of 18446744073709551613 is out of range: a number >= 0, or "
                 "a list of such, or log");
    p->record.count = 2;
    p->sigma.count = 0;
    refused_with("params.sigma: a list of 0; allowed: one value, or 2 (depth + 1)");
    p->sigma.count = 1;
}
END_TEST

START_TEST(matrices_that_are_none) {
    static const char allowed[] = "rows of numbers, or the name of an array in the data file";
    nnd_wide_mlp *p = wide_mlp();
    double *kept = p->data.gram.value;
    p->data.gram.value = NULL;
    nnd_frame *frame;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_INPUT);
    ck_assert_ptr_nonnull(
        strstr(nnd_context_message(ctx), "params.data.gram: a matrix of 2 x 2 without numbers"));
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), allowed));
    p->data.gram.value = kept;
    kept[3] = NAN;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_INPUT);
    ck_assert_ptr_nonnull(
        strstr(nnd_context_message(ctx), "params.data.gram: nan in row 1, column 1"));
    kept[3] = 0.8;
    p->data.gram.rows = SIZE_MAX / 2;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_INPUT);
    p->data.gram.rows = 2;
    p->data.gram.cols = 0;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_E_INPUT);
    p->data.gram.cols = 2;
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &frame), NND_OK);
    nnd_frame_free(frame);
}
END_TEST

START_TEST(sizes_and_seeds) {
    nnd_ensemble ensemble;
    nnd_store *store = nnd_memory_store_new();
    deep_linear();
    c->simulate.seeds.value[1] = -6;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &ensemble), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "simulate.seeds: -6 is out of range"));
    c->simulate.seeds.value[1] = 6;
    c->simulate.seeds.count = 0;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &ensemble), NND_E_INPUT);
    ck_assert_str_eq(nnd_context_message(ctx),
                     "simulate.seeds: a list of 0 is neither one number nor one per size");
    c->simulate.seeds.count = 2;
    c->simulate.size.value[1] = 20;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &ensemble), NND_E_INPUT);
    ck_assert_str_eq(nnd_context_message(ctx), "simulate.size: the size 20 stands there twice");
    c->simulate.size.value[1] = 0;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &ensemble), NND_E_INPUT);
    c->simulate.size.value[1] = 40;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &ensemble), NND_OK);
    nnd_ensemble_clear(&ensemble);
    nnd_memory_store_free(store);
}
END_TEST

START_TEST(cases_without_parts) {
    deep_linear();
    nnd_case bare = *c;
    nnd_frame *frame;
    void *none[1] = {NULL};
    bare.params = none;
    ck_assert_int_eq(nnd_theory_run(ctx, &bare, NULL, &frame), NND_E_INPUT);
    ck_assert_str_eq(nnd_context_message(ctx), "params: NULL instead of parameters");
    bare.params = NULL;
    ck_assert_int_eq(nnd_theory_run(ctx, &bare, NULL, &frame), NND_E_INPUT);
    ck_assert_int_eq(nnd_theory_run(ctx, &(nnd_case){0}, NULL, &frame), NND_E_INPUT);
    ck_assert_int_eq(nnd_theory_run(ctx, NULL, NULL, &frame), NND_E_INPUT);
    nnd_ensemble ensemble;
    ck_assert_int_eq(nnd_ensemble_run(ctx, NULL, NULL, &ensemble), NND_E_INPUT);
}
END_TEST

/* One value that a parameter of this type and range cannot have; false if it can have any. */
static bool spoil(const nnd_param *param, void *params) {
    void *field = (char *)params + param->offset;
    bool absent = strcmp(param->fallback, "null") == 0;
    switch (param->type) {
    case NND_REAL:
        *(double *)field = absent ? -INFINITY : NAN;
        return absent ? !nnd_param_holds(param, -INFINITY) : true;
    case NND_INTEGER:
        *(int64_t *)field = INT64_MIN + absent; /* INT64_MIN is an absent one */
        return !nnd_param_holds(param, (double)*(int64_t *)field);
    case NND_CHOICE:
        *(int *)field = INT_MAX;
        return true;
    case NND_BOOL:
        memset(field, 77, 1);
        return true;
    case NND_REALS:
    case NND_INTEGERS:
    case NND_TEXTS:
        *(nnd_reals *)field = (nnd_reals){5, NULL};
        return true;
    case NND_DENSE:
        *(nnd_dense *)field = (nnd_dense){.rows = 3, .cols = 2};
        return true;
    case NND_GROUP:
        return spoil(&param->group->param[0], field);
    case NND_TEXT:
        return false;
    }
    return false;
}

/* Every parameter of every model, spoiled alone. */
START_TEST(no_parameter_of_any_model_escapes) {
    ctx = nnd_context_new(NULL);
    size_t spoiled = 0;
    for (size_t m = 0; nnd_model_at(m) != NULL; m++) {
        const nnd_param_table *table = nnd_model_at(m)->params;
        void *good = calloc(1, table->size), *bad = malloc(table->size);
        ck_assert_int_eq(nnd_params_read(ctx, table, NULL, "params", good), NND_OK);
        ck_assert_int_eq(nnd_params_check(ctx, table, good, "params"), NND_OK);
        for (size_t i = 0; i < table->count; i++) {
            char begins[128];
            memcpy(bad, good, table->size);
            if (!spoil(&table->param[i], bad))
                continue;
            spoiled++;
            snprintf(begins, sizeof begins, "params.%s", table->param[i].name);
            ck_assert_int_eq(nnd_model_check(ctx, nnd_model_at(m), bad), NND_E_INPUT);
            ck_assert_msg(strncmp(nnd_context_message(ctx), begins, strlen(begins)) == 0, "%s: %s",
                          nnd_model_at(m)->name, nnd_context_message(ctx));
        }
        nnd_params_clear(table, good);
        free(good);
        free(bad);
    }
    ck_assert_uint_gt(spoiled, 100);
}
END_TEST

/* A case that has not been read from text, of the parameters of one that has. */
static nnd_status renew(const nnd_simulate *simulate, nnd_case **new) {
    *new = NULL;
    return nnd_case_new(ctx, c->model, c->params[0], simulate, new);
}

/* Lists, groups, matrices, choices, absent values, options of the simulation: all that parameters
 * can be. */
START_TEST(cases_of_numbers_are_those_of_text) {
    static const char *const yaml[] = {
        "{model: deep-linear, name: deep-linear, params: {depth: 2, sigma: [0.3, 1, 0.1], "
        "alpha: inf, record: [1, 3], gamma0: 0.1, schedule: [1, 0.5]}, simulate: {size: [20, 40], "
        "seeds: [4, 6], base_seed: 7, storage: trajectories, control: false}}",
        "{model: wide-mlp, name: wide-mlp, params: {activation: {name: erf, gain: 1.1}, steps: 3, "
        "data: {gram: [[1, 0.4], [0.4, 0.8]], targets: [1, -0.5]}, batch: 1}, simulate: {size: "
        "20, center: true}}",
        "{model: flat-minima, name: flat-minima, params: {integrator: flow, data: {covariance: "
        "[[1, 0], [0, 2]], minimizer: [1, 0.1]}}, simulate: {seeds: 3}}",
        "{model: alignment, name: alignment, params: {training: rich, covariance: {eigenvalues: "
        "[2, 1]}, teacher: {coefficients2: [1, 3]}}}"};
    ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < sizeof yaml / sizeof *yaml; i++) {
        nnd_case *new;
        c = test_case(ctx, yaml[i]);
        nnd_status status = renew(c->simulates ? &c->simulate : NULL, &new);
        ck_assert_msg(status == NND_OK, "%s", nnd_context_message(ctx));
        ck_assert(nnd_value_equal(new->resolved, c->resolved));
        ck_assert(new->simulates == c->simulates);
        nnd_case_free(new);
        nnd_case_free(c);
    }
    c = NULL;
}
END_TEST

START_TEST(numbers_that_make_no_case_are_refused) {
    nnd_deep_linear *p = deep_linear();
    int64_t seeds = 1;
    nnd_simulate unsized = {.base_seed = 1, .seeds = {1, &seeds}};
    nnd_case *new;
    ck_assert_int_eq(nnd_case_new(ctx, NULL, p, NULL, &new), NND_E_INPUT);
    ck_assert_int_eq(nnd_case_new(ctx, c->model, NULL, NULL, &new), NND_E_INPUT);
    ck_assert_int_eq(renew(&unsized, &new), NND_E_INPUT);
    ck_assert_str_eq(nnd_context_message(ctx), "simulate.size: missing; allowed: integers >= 1");
    unsized.base_seed = -1;
    ck_assert_int_eq(renew(&unsized, &new), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "simulate.base_seed: -1"));
    p->momentum = 2.0;
    ck_assert_int_eq(renew(NULL, &new), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "params.momentum: 2 is out of range"));
    ck_assert_ptr_null(new);
}
END_TEST

START_TEST(defaults_of_a_program_are_those_of_a_case) {
    ctx = nnd_context_new(NULL);
    c = test_case(ctx, "{model: deep-linear, name: deep-linear, simulate: {size: 9}}");
    nnd_deep_linear p;
    nnd_case *new = NULL;
    ck_assert_int_eq(nnd_model_defaults(ctx, &nnd_deep_linear_model, &p), NND_OK);
    ck_assert(isnan(p.lr));
    ck_assert_int_eq(nnd_case_new(ctx, &nnd_deep_linear_model, &p, &c->simulate, &new), NND_OK);
    ck_assert(nnd_value_equal(new->resolved, c->resolved));
    /* What is absent follows from the rest, in place. */
    ck_assert_int_eq(nnd_model_settle(ctx, &nnd_deep_linear_model, &p), NND_OK);
    ck_assert(p.lr == 0.1);
    nnd_case_free(new);
    nnd_model_clear(&nnd_deep_linear_model, &p);
    ck_assert_ptr_null(p.sigma.value);
}
END_TEST

/* A batch of 2.5 samples is in its range, but the model objects. */
START_TEST(a_model_may_have_nothing_to_check_but_ranges) {
    ctx = nnd_context_new(NULL);
    nnd_model ranges = nnd_online_fluctuations_model;
    nnd_online_fluctuations p;
    ranges.check = NULL;
    ck_assert_int_eq(nnd_params_read(ctx, ranges.params, NULL, "params", &p), NND_OK);
    p.batch = 2.5;
    ck_assert_int_eq(nnd_model_check(ctx, &nnd_online_fluctuations_model, &p), NND_E_INPUT);
    ck_assert_int_eq(nnd_model_check(ctx, &ranges, &p), NND_OK);
    p.batch = 0.5;
    ck_assert_int_eq(nnd_model_check(ctx, &ranges, &p), NND_E_INPUT);
    nnd_params_clear(ranges.params, &p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("case_check");
    TCase *tests = tcase_create("case_check");
    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_add_test(tests, numbers_out_of_range);
    tcase_add_test(tests, all_points_of_a_sweep_are_checked);
    tcase_add_test(tests, choices_and_flags_that_there_are_not);
    tcase_add_test(tests, lists_that_are_none);
    tcase_add_test(tests, matrices_that_are_none);
    tcase_add_test(tests, sizes_and_seeds);
    tcase_add_test(tests, cases_without_parts);
    tcase_add_test(tests, no_parameter_of_any_model_escapes);
    tcase_add_test(tests, cases_of_numbers_are_those_of_text);
    tcase_add_test(tests, numbers_that_make_no_case_are_refused);
    tcase_add_test(tests, defaults_of_a_program_are_those_of_a_case);
    tcase_add_test(tests, a_model_may_have_nothing_to_check_but_ranges);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
