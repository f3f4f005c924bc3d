/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What models derive from their parameters. Theory and networks both take it from here, so that an
 * error would cancel in every comparison: each is held against numbers worked out by hand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "nndmft/alignment.h"
#include "nndmft/deep_linear.h"
#include "nndmft/flat_minima.h"
#include "nndmft/simulate.h"
#include "nndmft/theory.h"
#include "nndmft/wide_mlp.h"
#include "support.h"

static nnd_context *ctx;
static nnd_case *c;

static void setup(void) {
    ctx = nnd_context_new(NULL);
    c = NULL;
}

static void teardown(void) {
    nnd_case_free(c);
    nnd_context_free(ctx);
}

/* The parameters of a case, settled. */
static const void *params(const char *yaml) {
    nnd_case_free(c);
    c = test_case(ctx, yaml);
    return c->params[0];
}

static void ck_list(const char *what, size_t n, const double *got, const double *want) {
    for (size_t i = 0; i < n; i++)
        test_close(what, got[i], want[i], 1e-14);
}

/* ---- alignment ---- */

static void ck_modes(const char *yaml, size_t n, const double *eigenvalue, const double *teacher2) {
    double got[2][4];
    const nnd_alignment *p = params(yaml);
    ck_assert_uint_le(n, 4);
    ck_assert_uint_eq(nnd_alignment_dim(p), n);
    nnd_alignment_modes(p, n, got[0], got[1]);
    ck_list(yaml, n, got[0], eigenvalue);
    ck_list(yaml, n, got[1], teacher2);
}

START_TEST(an_isotropic_task_has_equal_modes_and_a_teacher_of_norm_1) {
    const double ones[] = {1.0, 1.0, 1.0, 1.0}, quarters[] = {0.25, 0.25, 0.25, 0.25};
    const double given[] = {3.0, 1.0}, three[] = {2.25, 0.75};
    ck_modes("{model: alignment, params: {dim: 4}}", 4, ones, quarters);
    ck_modes("{model: alignment, params: {teacher: {coefficients2: [3, 1]}}}", 2, ones, given);
    ck_modes("{model: alignment, params: {teacher: {coefficients2: [3, 1], norm2: 3}}}", 2, ones,
             three);
}
END_TEST

/* s_i = i^-2; beta_i^2 ~ i^-1, sum 11/6, sum of s beta^2 251/216. */
START_TEST(power_laws_fall_with_the_rank_from_1) {
    const double eigenvalue[] = {1.0, 0.25, 1.0 / 9.0};
    const double unit[] = {6.0 / 11.0, 3.0 / 11.0, 2.0 / 11.0};
    const double power[] = {432.0 / 251.0, 216.0 / 251.0, 144.0 / 251.0};
    ck_modes("{model: alignment, params: {covariance: {power_law: 2, dim: 3}, "
             "teacher: {power_law: 1}}}",
             3, eigenvalue, unit);
    ck_modes("{model: alignment, params: {dim: 3, covariance: {power_law: 2}, "
             "teacher: {power_law: 1, power: 2}}}",
             3, eigenvalue, power);
}
END_TEST

START_TEST(listed_eigenvalues_keep_their_order_and_their_teacher) {
    const double eigenvalue[] = {0.5, 4.0, 1.0}, teacher2[] = {1.0, 2.0, 0.0};
    /* |beta|^2_Sigma of (1, 2, 0) is 8.5. */
    const double scaled[] = {2.0, 4.0, 0.0};
    ck_modes("{model: alignment, params: {covariance: {eigenvalues: [0.5, 4, 1]}, "
             "teacher: {coefficients2: [1, 2, 0]}}}",
             3, eigenvalue, teacher2);
    ck_modes("{model: alignment, params: {covariance: {eigenvalues: [0.5, 4, 1]}, "
             "teacher: {coefficients2: [1, 2, 0], power: 17}}}",
             3, eigenvalue, scaled);
}
END_TEST

START_TEST(matrices_over_outputs_are_full_diagonal_or_the_identity) {
    double full[] = {2.0, 0.3, 0.3, 1.0}, diagonal[] = {2.0, 5.0};
    const nnd_dense none = {0}, square = {.rows = 2, .cols = 2, .value = full};
    const nnd_dense list = {.rows = 2, .cols = 1, .value = diagonal};
    const double want[3][4] = {{1, 0, 0, 1}, {2.0, 0.3, 0.3, 1.0}, {2.0, 0.0, 0.0, 5.0}};
    const nnd_dense *matrix[] = {&none, &square, &list};
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < 4; i++)
            ck_assert_double_eq(nnd_alignment_output(matrix[k], i / 2, i % 2), want[k][i]);
    /* Rows before columns. */
    full[1] = 0.4;
    ck_assert_double_eq(nnd_alignment_output(&square, 0, 1), 0.4);
}
END_TEST

static void ck_times(const nnd_reals *times, size_t n, double first, double last) {
    ck_assert_uint_eq(times->count, n);
    ck_assert_double_eq(times->value[0], first);
    ck_assert_double_eq(times->value[n - 1], last);
    free(times->value);
}

START_TEST(trainings_of_alignment_have_their_times) {
    static const struct {
        const char *yaml;
        bool timed;
        size_t n;
        double first, last;
    } training[] = {
        {"{model: alignment, params: {training: flow}}", true, 200, 0.01, 10.0},
        {"{model: alignment, params: {training: rich, time: 0.5}}", true, 200, 0.005, 0.5},
        {"{model: alignment, params: {training: white-init, dim: 4, record: 3}}", true, 2, 3.0,
         10.0},
        {"{model: alignment, params: {training: gd, steps: 7, record_every: 3}}", true, 4, 0.0,
         7.0},
        {"{model: alignment, params: {training: ridge}}", false, 0, 0.0, 0.0},
        {"{model: alignment, params: {training: weight-decay, weight_decay: 1}}", false, 0, 0.0,
         0.0},
        {"{model: alignment, params: {training: gaussian-init, dim: 4}}", false, 0, 0.0, 0.0},
    };
    for (size_t k = 0; k < sizeof training / sizeof *training; k++) {
        const nnd_alignment *p = params(training[k].yaml);
        nnd_reals times;
        ck_assert_int_eq(nnd_alignment_is_timed(p), training[k].timed);
        ck_assert(nnd_alignment_is_linear(p));
        if (!training[k].timed)
            continue;
        ck_assert_int_eq(nnd_alignment_times(ctx, p, &times), NND_OK);
        ck_times(&times, training[k].n, training[k].first, training[k].last);
    }
}
END_TEST

START_TEST(alignment_fills_in_what_its_training_needs) {
    static const struct {
        const char *yaml;
        double init_scale, time, lr;
    } settled[] = {
        {"{model: alignment, params: {training: rich}}", 1e-3, 10.0, NAN},
        {"{model: alignment, params: {training: white-init, dim: 4}}", 1.0, 10.0, NAN},
        {"{model: alignment, params: {training: gaussian-init, dim: 4}}", 0.1, NAN, NAN},
        {"{model: alignment, params: {training: gd}}", NAN, NAN, 0.1},
    };
    for (size_t k = 0; k < sizeof settled / sizeof *settled; k++) {
        const nnd_alignment *p = params(settled[k].yaml);
        const double got[] = {p->init_scale, p->time, p->lr};
        const double want[] = {settled[k].init_scale, settled[k].time, settled[k].lr};
        for (size_t i = 0; i < 3; i++)
            ck_assert_msg(got[i] == want[i] || (isnan(got[i]) && isnan(want[i])),
                          "%s: value %zu is %g, not %g", settled[k].yaml, i, got[i], want[i]);
    }
}
END_TEST

START_TEST(activations_and_classes_are_beyond_the_theory_of_alignment) {
    const char *const beyond[] = {
        "{model: alignment, params: {training: rich}, "
        "simulate: {size: 10, seeds: 2, activation: tanh}}",
        "{model: alignment, params: {training: rich}, "
        "simulate: {size: 10, seeds: 2, task: classification}}",
    };
    for (size_t k = 0; k < 2; k++)
        ck_assert(!nnd_alignment_is_linear(params(beyond[k])));
}
END_TEST

/* ---- deep-linear ---- */

START_TEST(a_schedule_gives_each_step_its_multiplier_and_the_last_holds_on) {
    const double want[] = {1.0, 0.5, 0.25, 0.25, 0.25};
    const nnd_deep_linear *p = params("{model: deep-linear, params: {schedule: [1, 0.5, 0.25]}}");
    for (size_t step = 0; step < 5; step++)
        ck_assert_double_eq(nnd_deep_linear_rate(p, step), want[step]);
    ck_assert_double_eq(nnd_deep_linear_rate(p, SIZE_MAX), 0.25);
    p = params("{model: deep-linear, params: {schedule: {power: -1}}}");
    ck_assert_double_eq(nnd_deep_linear_rate(p, 3), 0.25);
    p = params("{model: deep-linear, params: {schedule: {factor: 0.5}}}");
    ck_assert_double_eq(nnd_deep_linear_rate(p, 3), 0.125);
    p = params("{model: deep-linear}");
    ck_assert_double_eq(nnd_deep_linear_rate(p, 0), 1.0);
    ck_assert_double_eq(nnd_deep_linear_rate(p, 100), 1.0);
}
END_TEST

START_TEST(a_scale_stands_for_all_matrices_or_each_has_its_own) {
    const nnd_deep_linear *p = params("{model: deep-linear, params: {depth: 2, sigma: 0.7}}");
    for (size_t l = 0; l < 3; l++)
        ck_assert_double_eq(nnd_deep_linear_sigma(p, l), 0.7);
    p = params("{model: deep-linear, params: {depth: 2, sigma: [0.2, 0.9, 3]}}");
    ck_assert_double_eq(nnd_deep_linear_sigma(p, 0), 0.2);
    ck_assert_double_eq(nnd_deep_linear_sigma(p, 1), 0.9);
    ck_assert_double_eq(nnd_deep_linear_sigma(p, 2), 3.0);
}
END_TEST

/* 96 bins up to 4 sigma max(1, sqrt nu), the readout's sigma aside. */
START_TEST(bins_of_singular_values_reach_twice_the_largest_edge) {
    static const struct {
        const char *yaml;
        double width;
    } bins[] = {
        {"{model: deep-linear, params: {nu: 4, sigma: [0.5, 3]}}", 4.0 / 96.0},
        {"{model: deep-linear, params: {nu: 0.25, depth: 2, sigma: [0.5, 1.5, 9]}}", 6.0 / 96.0},
    };
    for (size_t k = 0; k < 2; k++) {
        nnd_frame *frame;
        ck_assert_int_eq(nnd_frame_new(ctx, &frame), NND_OK);
        ck_assert_int_eq(nnd_deep_linear_add_bins(params(bins[k].yaml), frame), NND_OK);
        const nnd_dim *z = nnd_frame_find_dim(frame, "z");
        ck_assert_uint_eq(z->length, 96);
        test_close("first bin", z->value[0], 0.5 * bins[k].width, 1e-15);
        test_close("second bin", z->value[1], 1.5 * bins[k].width, 1e-15);
        test_close("last bin", z->value[95], 95.5 * bins[k].width, 1e-15);
        nnd_frame_free(frame);
    }
}
END_TEST

START_TEST(an_infinite_sample_is_online_training_and_the_other_way_round) {
    const nnd_deep_linear *p = params("{model: deep-linear, params: {alpha: inf}}");
    ck_assert_int_eq(p->training, NND_TRAIN_ONLINE);
    p = params("{model: deep-linear, params: {training: online}}");
    ck_assert(isinf(p->alpha) && p->alpha > 0.0);
    p = params("{model: deep-linear, params: {training: fresh}}");
    ck_assert_double_eq(p->alpha, 2.0);
    ck_assert_double_eq(p->lr, 0.1);
    p = params("{model: deep-linear, params: {integrator: flow}}");
    ck_assert_double_eq(p->time, 1.0);
    ck_assert_double_nan(p->lr);
}
END_TEST

/* ---- flat-minima ---- */

#define POPULATION "data: {covariance: [[1, 0, 0], [0, 2, 0], [0, 0, 3]], minimizer: [1, 0, 0]}"

/* Balanced aligned layers of L matrices share |w0| as |w0|^(1/L). */
START_TEST(aligned_layers_start_from_the_root_of_the_norm) {
    const nnd_flat_minima *p = params("{model: flat-minima, params: {depth: 3, init: aligned, "
                                      "integrator: flow, w0: [2, 3, 6], " POPULATION "}}");
    test_close("7^(1/3)", nnd_flat_minima_start(p), 1.912931182772389, 1e-15);
    p = params("{model: flat-minima, params: {depth: 2, init: aligned, init_scale: 0.3, "
               "w0: [3, 0, 4], " POPULATION "}}");
    ck_assert_double_eq(nnd_flat_minima_start(p), 0.3);
}
END_TEST

START_TEST(layers_of_flat_minima_have_their_widths) {
    static const struct {
        const char *yaml;
        size_t width[4];
    } shapes[] = {
        {"{model: flat-minima, params: {depth: 3, width: 7, " POPULATION "}}", {3, 7, 7, 1}},
        {"{model: flat-minima, params: {depth: 3, " POPULATION "}}", {3, 3, 3, 1}},
        {"{model: flat-minima, params: {depth: 3, data: {inputs: [[1, 2], [3, 4], [5, 6]], "
         "targets: [1, 2, 3]}}}",
         {2, 2, 2, 1}},
        {"{model: flat-minima, params: {depth: 3, width: 7, data: {generate: regression, dim: 5, "
         "samples: 9}}}",
         {5, 7, 7, 1}},
        {"{model: flat-minima, params: {depth: 3, architecture: residual, " POPULATION "}}",
         {3, 3, 3, 3}},
    };
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const nnd_flat_minima *p = params(shapes[k].yaml);
        for (size_t l = 0; l < 4; l++)
            ck_assert_msg(nnd_flat_minima_width(p, l) == shapes[k].width[l],
                          "%s: layer %zu has %zu", shapes[k].yaml, l, nnd_flat_minima_width(p, l));
    }
}
END_TEST

START_TEST(flat_minima_trains_where_there_are_steps_or_a_flow) {
    nnd_reals times;
    const nnd_flat_minima *p = params("{model: flat-minima, params: {steps: 0, " POPULATION "}}");
    ck_assert(!nnd_flat_minima_trains(p));
    ck_assert(nnd_flat_minima_is_linear(p));
    p = params("{model: flat-minima, params: {steps: 5, record_every: 2, " POPULATION "}}");
    ck_assert(nnd_flat_minima_trains(p));
    ck_assert_int_eq(nnd_flat_minima_times(ctx, p, &times), NND_OK);
    ck_times(&times, 4, 0.0, 5.0);
    p = params("{model: flat-minima, params: {integrator: flow, time: 2, init: aligned, "
               "w0: [3, 0, 4], " POPULATION "}}");
    ck_assert(nnd_flat_minima_trains(p));
    ck_assert_int_eq(nnd_flat_minima_times(ctx, p, &times), NND_OK);
    ck_times(&times, 200, 0.01, 2.0);
}
END_TEST

START_TEST(flat_minima_of_other_activations_are_not_linear) {
    const char *const others[] = {
        "{model: flat-minima, params: {activation: tanh, data: {inputs: [[1, 2], [3, 4]], "
        "targets: [1, 2]}}}",
        "{model: flat-minima, params: {activation: {name: linear, scale: 2}, data: {inputs: "
        "[[1, 2], [3, 4]], targets: [1, 2]}}}",
    };
    for (size_t k = 0; k < 2; k++)
        ck_assert(!nnd_flat_minima_is_linear(params(others[k])));
}
END_TEST

/* ---- samples of fixed data ---- */

START_TEST(data_counts_its_samples_its_tests_and_its_dimension) {
    static const struct {
        const char *data;
        size_t samples, tests, dim;
    } sets[] = {
        {"{gram: [[1, 0], [0, 1]], targets: [1, 2], test_gram: [[0.1, 0.2]], test_self: [1]}", 2, 1,
         3},
        {"{inputs: [[1, 2, 3, 4], [5, 6, 7, 9]], targets: [1, 2], test_inputs: [[1, 0, 0, 0], "
         "[0, 1, 0, 0], [0, 0, 1, 0]]}",
         2, 3, 4},
        {"{generate: gaussian, samples: 6, test_samples: 2, dim: 5}", 6, 2, 5},
    };
    for (size_t k = 0; k < 3; k++) {
        char yaml[300];
        snprintf(yaml, sizeof yaml, "{model: wide-mlp, params: {data: %s}}", sets[k].data);
        const nnd_wide_mlp *p = params(yaml);
        ck_assert_uint_eq(nnd_data_samples(&p->data), sets[k].samples);
        ck_assert_uint_eq(nnd_data_tests(&p->data), sets[k].tests);
        ck_assert_uint_eq(nnd_data_dim(&p->data), sets[k].dim);
    }
}
END_TEST

/* ---- all models ---- */

/* What may be missing is said in the headers: the check of a simulator. */
START_TEST(every_model_has_a_theory_and_a_whole_simulator) {
    for (size_t i = 0; nnd_model_at(i) != NULL; i++) {
        const nnd_model *model = nnd_model_at(i);
        const nnd_theory *theory = nnd_theory_find(model);
        const nnd_simulator *s = nnd_simulator_find(model);
        ck_assert_msg(theory != NULL && theory->solve != NULL && theory->cost != NULL, "%s",
                      model->name);
        ck_assert_msg(s != NULL && s->block != NULL && s->simulate != NULL && s->cost != NULL &&
                          s->recipe != NULL,
                      "%s", model->name);
    }
}
END_TEST

/* Whether a text begins with a citation of a page. */
static bool cites(const char *text, const char *page) {
    size_t n = strlen(page);
    return strncmp(text, page, n) == 0 && strncmp(text + n, ".md#", 4) == 0;
}

START_TEST(every_variable_says_on_its_models_page_where_it_is_defined) {
    for (size_t i = 0; nnd_model_at(i) != NULL; i++) {
        const nnd_model *model = nnd_model_at(i);
        ck_assert_msg(model->page != NULL, "%s", model->name);
        for (size_t k = 0; k < model->variable_count; k++) {
            const nnd_variable *v = &model->variables[k];
            ck_assert_msg(v->equation != NULL && cites(v->equation, model->page),
                          "%s of %s: \"%s\" does not begin with %s.md#", v->name, model->name,
                          v->equation != NULL ? v->equation : "", model->page);
        }
    }
}
END_TEST

/* ---- tables ---- */

/* Rows say by position what every row has, and the type of a field fixes what else it needs. */
static void ck_rows(const nnd_param_table *table) {
    for (size_t i = 0; table != NULL && i < table->count; i++) {
        const nnd_param *p = &table->param[i];
        ck_assert_msg(p->name != NULL && p->fallback != NULL && p->doc != NULL, "row %zu", i);
        ck_assert_msg(nnd_param_find(table, p->name) == p, "%s stands there twice", p->name);
        ck_assert_msg((p->choices != NULL) == (p->type == NND_CHOICE), "choices of %s", p->name);
        ck_assert_msg((p->group != NULL) == (p->type == NND_GROUP), "group of %s", p->name);
        if (p->shorthand != NULL)
            ck_assert_ptr_nonnull(nnd_param_find(p->group, p->shorthand));
        ck_rows(p->group);
    }
}

START_TEST(every_row_of_every_table_is_complete) {
    for (size_t m = 0; nnd_model_at(m) != NULL; m++) {
        const nnd_model *model = nnd_model_at(m);
        ck_rows(model->params);
        ck_rows(model->simulate);
        for (size_t i = 0; i < model->variable_count; i++) {
            const nnd_variable *v = &model->variables[i];
            ck_assert_msg(v->name != NULL && v->dims != NULL && v->long_name != NULL &&
                              v->equation != NULL,
                          "%s: variable %zu", model->name, i);
            ck_assert_msg(nnd_model_variable(model, v->name) == v, "%s: two %s", model->name,
                          v->name);
        }
    }
}
END_TEST

/* ---- drawings ---- */

/* Whether a name, if there is one, is a dimension of one of the variables, a parameter, or the
 * seeds that every ensemble has. */
static bool is_axis(const nnd_model *model, const char *name) {
    if (name == NULL || strcmp(name, "seed") == 0 || nnd_param_find(model->params, name) != NULL)
        return true;
    for (size_t i = 0; i < model->variable_count; i++)
        if (nnd_variable_has_dim(&model->variables[i], name))
            return true;
    return false;
}

static void ck_guides(const nnd_model *model, const nnd_guide *g) {
    for (; g != NULL && g->name != NULL; g++) {
        const nnd_variable *v = nnd_model_variable(model, g->name);
        ck_assert_msg(v != NULL, "%s: no variable %s", model->name, g->name);
        ck_assert_msg(g->label != NULL && nnd_utf8_valid(g->label), "label of %s", g->name);
        ck_assert_msg((g->band != NULL) == (g->kind == NND_GUIDE_BULK), "band of %s", g->name);
        ck_assert_msg(g->along != NULL || g->kind != NND_GUIDE_PLACE, "place of %s", g->name);
        ck_assert_msg(is_axis(model, g->along), "%s: no axis %s", g->name, g->along);
        if (g->kind == NND_GUIDE_NVAR)
            ck_assert_int_eq(v->estimator.kind, NND_NVAR);
    }
}

static void ck_drawing(const nnd_model *model, const char *of, const nnd_drawing *d) {
    const char *const axes[] = {d->x, d->y, d->facet, d->rank, d->ridge, d->lowest};
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++)
        ck_assert_msg(is_axis(model, axes[i]), "%s of %s: no axis %s", of, model->name, axes[i]);
    ck_assert_msg(d->over == NULL || nnd_model_variable(model, d->over) != NULL, "%s", of);
    ck_assert_msg(d->log == NND_LOG_NONE || d->x != NULL, "%s of %s: log of no axis", of,
                  model->name);
    ck_assert_uint_le(d->level_count, NND_DRAWING_LEVELS);
    ck_guides(model, d->guides);
}

/* Whether a variable is size times the variance of another one. */
static bool has_nvar(const nnd_model *model, const char *name) {
    for (size_t i = 0; i < model->variable_count; i++) {
        const nnd_estimator *e = &model->variables[i].estimator;
        if (e->kind == NND_NVAR && e->a != NULL && strcmp(e->a, name) == 0)
            return true;
    }
    return false;
}

START_TEST(every_drawing_names_what_its_model_has) {
    size_t guides = 0, symbols = 0;
    for (size_t m = 0; nnd_model_at(m) != NULL; m++) {
        const nnd_model *model = nnd_model_at(m);
        for (size_t i = 0; i < model->variable_count; i++) {
            const nnd_variable *v = &model->variables[i];
            ck_drawing(model, v->name, &v->drawing);
            ck_assert_msg(!v->lead || v->view != NULL, "%s of %s: no view", v->name, model->name);
            ck_assert(v->symbol == NULL || nnd_utf8_valid(v->symbol));
            guides += v->drawing.guides != NULL;
            symbols += v->symbol != NULL;
        }
        for (const nnd_view *view = model->views; view != NULL && view->name != NULL; view++) {
            ck_drawing(model, view->name, &view->drawing);
            for (size_t i = 0; i < NND_VIEW_VARIABLES && view->variable[i] != NULL; i++) {
                const nnd_variable *v = nnd_model_variable(model, view->variable[i]);
                ck_assert_msg(v != NULL, "%s of %s: no variable %s", view->name, model->name,
                              view->variable[i]);
                ck_assert(!view->scaling || v->estimator.kind == NND_NVAR);
                ck_assert_msg(!view->seeds || has_nvar(model, v->name), "no law of %s", v->name);
            }
        }
    }
    ck_assert_uint_gt(guides, 0);
    ck_assert_uint_gt(symbols, 0);
}
END_TEST

/* ---- variables in frames ---- */

static void ck_dims(const nnd_frame *frame, const char *name, const char *want) {
    char dims[64];
    const nnd_array *array = nnd_frame_find(frame, name);
    ck_assert_msg(array != NULL, "%s", name);
    nnd_array_dims(frame, array, sizeof dims, dims);
    ck_assert_str_eq(dims, want);
}

/* Table of alignment: cosine([t]), cosine_min(); of deep-linear: outlier(t,matrix,k). */
START_TEST(variables_have_the_dimensions_of_their_table) {
    const nnd_model *alignment = &nnd_alignment_model, *linear = &nnd_deep_linear_model;
    nnd_frame *frame, *timed;
    double *x;
    ck_assert_int_eq(nnd_frame_new(ctx, &frame), NND_OK);
    ck_assert_int_eq(nnd_frame_add_variable(frame, alignment, "cosine", &x), NND_OK);
    ck_assert(isnan(x[0]));
    ck_assert_int_eq(nnd_frame_add_number(frame, alignment, "cosine_min", 0.5), NND_OK);
    ck_dims(frame, "cosine", "");
    ck_assert_double_eq(nnd_frame_find(frame, "cosine_min")->data[0], 0.5);
    nnd_frame_free(frame);

    ck_assert_int_eq(nnd_frame_new(ctx, &timed), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(timed, "t", 3, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(timed, "matrix", 2, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_variable(timed, alignment, "cosine", NULL), NND_OK);
    ck_assert_int_eq(nnd_frame_add_variable(timed, alignment, "cosine_se", NULL), NND_OK);
    ck_dims(timed, "cosine_se", "t");
    ck_assert_int_eq(nnd_frame_add_range(timed, "seed", 4, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_variable(timed, alignment, "cosine_min_size", NULL), NND_OK);
    ck_assert_int_eq(nnd_frame_add_variable(timed, linear, "bulk_edge", NULL), NND_OK);
    ck_assert_int_eq(nnd_frame_add_variable(timed, linear, "stability_edge", NULL), NND_OK);
    ck_dims(timed, "cosine_min_size", "seed,t");
    ck_dims(timed, "bulk_edge", "seed,t,matrix");
    ck_dims(timed, "stability_edge", "seed");
    ck_assert(nnd_variable_fits(nnd_model_variable(alignment, "kappa"), timed));
    ck_assert(!nnd_variable_fits(nnd_model_variable(linear, "outlier"), timed));
    ck_assert_int_eq(nnd_frame_add_variable(timed, linear, "outlier", NULL), NND_E_INPUT);
    ck_assert_int_eq(nnd_frame_add_variable(timed, linear, "cosine", NULL), NND_E_INPUT);
    ck_assert_int_eq(nnd_frame_add_variable(timed, linear, "outlier_sd", NULL), NND_E_INPUT);
    ck_assert_int_eq(nnd_frame_add_number(timed, linear, "ntk_edge", 1.0), NND_E_INPUT);
    ck_assert_ptr_null(nnd_frame_find(timed, "ntk_edge"));
    nnd_frame_free(timed);
}
END_TEST

START_TEST(dimensions_are_found_in_a_list_in_brackets_or_not) {
    const nnd_variable v = {.name = "x", .dims = "[t],matrix,mu"};
    ck_assert(nnd_variable_has_dim(&v, "t"));
    ck_assert(nnd_variable_has_dim(&v, "mu"));
    ck_assert(!nnd_variable_has_dim(&v, "m"));
    ck_assert(!nnd_variable_has_dim(&v, "matrix2"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("models");
    TCase *tests = tcase_create("models");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, an_isotropic_task_has_equal_modes_and_a_teacher_of_norm_1);
    tcase_add_test(tests, power_laws_fall_with_the_rank_from_1);
    tcase_add_test(tests, listed_eigenvalues_keep_their_order_and_their_teacher);
    tcase_add_test(tests, matrices_over_outputs_are_full_diagonal_or_the_identity);
    tcase_add_test(tests, trainings_of_alignment_have_their_times);
    tcase_add_test(tests, alignment_fills_in_what_its_training_needs);
    tcase_add_test(tests, activations_and_classes_are_beyond_the_theory_of_alignment);
    tcase_add_test(tests, a_schedule_gives_each_step_its_multiplier_and_the_last_holds_on);
    tcase_add_test(tests, a_scale_stands_for_all_matrices_or_each_has_its_own);
    tcase_add_test(tests, bins_of_singular_values_reach_twice_the_largest_edge);
    tcase_add_test(tests, an_infinite_sample_is_online_training_and_the_other_way_round);
    tcase_add_test(tests, aligned_layers_start_from_the_root_of_the_norm);
    tcase_add_test(tests, layers_of_flat_minima_have_their_widths);
    tcase_add_test(tests, flat_minima_trains_where_there_are_steps_or_a_flow);
    tcase_add_test(tests, flat_minima_of_other_activations_are_not_linear);
    tcase_add_test(tests, data_counts_its_samples_its_tests_and_its_dimension);
    tcase_add_test(tests, every_model_has_a_theory_and_a_whole_simulator);
    tcase_add_test(tests, every_variable_says_on_its_models_page_where_it_is_defined);
    tcase_add_test(tests, every_row_of_every_table_is_complete);
    tcase_add_test(tests, every_drawing_names_what_its_model_has);
    tcase_add_test(tests, variables_have_the_dimensions_of_their_table);
    tcase_add_test(tests, dimensions_are_found_in_a_list_in_brackets_or_not);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
