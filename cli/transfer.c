/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "core/suggest.h"

enum { RATES = 40, TEXT_SIZE = 256, BESIDE = 5, COLUMN = 12 };

/* Where rates are sought if neither the case nor --param says: from the case's own over to times
 * the first; then about the best of those by the second. */
static const double REACH = 64.0, CLOSE = 1.5;

/* What is asked, and what comes of it. */
typedef struct {
    nnd_context *ctx;
    const cli_options *options;
    const nnd_model *model;
    const nnd_variable *loss;
    bool seeks; /* where best rates are is not known */
    char *rate; /* owned, as the trees and cases are */
    nnd_value *tree;
    nnd_case *solved, *simulated;
    nnd_result result;
    nnd_ensemble ensemble;
} question;

static nnd_status find_model(question *q) {
    const nnd_value *name = nnd_value_get(q->tree, "model");
    bool named = name != NULL && name->kind == NND_VALUE_SCALAR;
    q->model = named ? nnd_model_find(name->text) : NULL;
    return NND_OK; /* a model that is none is for the reader of the case to refuse */
}

/* The variable that --var names, else the first of the model's view `transfer`. */
static nnd_status find_loss(question *q) {
    const char *name = q->options->loss;
    const nnd_view *view = q->model->views;
    while (view != NULL && view->name != NULL && strcmp(view->name, "transfer") != 0)
        view++;
    if (name == NULL && view != NULL && view->name != NULL) {
        const nnd_variable *drawn = nnd_model_variable(q->model, view->variable[0]);
        bool listed = drawn->estimator.kind == NND_AT_SIZES;
        name = listed ? drawn->estimator.a : drawn->name;
    }
    if (name == NULL)
        return nnd_fail(q->ctx, NND_E_INPUT,
                        "--var is missing: %s does not say what is to be least", q->model->name);
    q->loss = nnd_model_variable(q->model, name);
    if (q->loss != NULL)
        return NND_OK;
    nnd_suggestion near = {.word = name};
    for (size_t i = 0; i < q->model->variable_count; i++)
        nnd_suggest(&near, "", q->model->variables[i].name);
    return nnd_fail(q->ctx, NND_E_INPUT,
                    "--var %.200s: not a variable of the model; %s`nndmft describe %s` lists them",
                    name, near.text, q->model->name);
}

/* ---- the case that sweeps over rates, widths and depths ---- */

/* Sets "SECTION.KEY=VALUE" of the case. */
static nnd_status put(question *q, const char *section, const char *key, const char *value) {
    size_t size = strlen(section) + strlen(key) + strlen(value) + 3;
    char *text = malloc(size);
    if (text == NULL)
        return nnd_fail_memory(q->ctx, "the case");
    snprintf(text, size, "%s.%s=%s", section, key, value);
    nnd_status status = nnd_yaml_override(q->ctx, q->tree, text);
    free(text);
    return status;
}

/* A list of numbers as the case has it; to be freed. */
static char *list_text(size_t n, const double *x) {
    enum { NUMBER = 32 };
    char *text = malloc(n * NUMBER + 3), *end = text;
    if (text == NULL)
        return NULL;
    *end++ = '[';
    for (size_t i = 0; i < n; i++) {
        nnd_number_text(x[i], NUMBER, end);
        end += strlen(end);
        *end++ = ',';
    }
    end[-1] = ']';
    *end = '\0';
    return text;
}

/* Removes a parameter's own value and sweeps over these. */
static nnd_status sweep(question *q, const char *key, size_t n, const double *x) {
    char *list = list_text(n, x);
    nnd_status status = list != NULL ? NND_OK : nnd_fail_memory(q->ctx, "the case");
    if (status == NND_OK && nnd_value_get(nnd_value_get(q->tree, "params"), key) != NULL)
        status = put(q, "params", key, "null");
    if (status == NND_OK)
        status = put(q, "sweep", key, list);
    free(list);
    return status;
}

/* Reads "100,400". The list is owned by the caller. */
static nnd_status parse_list(nnd_context *ctx, const char *option, const char *text,
                             nnd_reals *list) {
    list->value = malloc((strlen(text) + 1) * sizeof *list->value);
    if (list->value == NULL)
        return nnd_fail_memory(ctx, option);
    for (const char *at = text; *at != '\0';) {
        char *end;
        double x = nnd_number_parse(at, &end);
        if (end == at || (*end != ',' && *end != '\0') || !(x > 0.0 && isfinite(x)))
            return nnd_fail(ctx, NND_E_INPUT, "--%s %s: not a list of numbers > 0, as 100,400",
                            option, text);
        list->value[list->count++] = x;
        at = *end == ',' ? end + 1 : end;
    }
    return list->count > 0 ? NND_OK : nnd_fail(ctx, NND_E_INPUT, "--%s: the list is empty", option);
}

static nnd_status apply_depth(question *q) {
    nnd_reals depth = {0};
    if (q->options->depth == NULL)
        return NND_OK;
    if (nnd_param_find(q->model->params, "depth") == NULL)
        return nnd_fail(q->ctx, NND_E_INPUT, "--depth: %s has no parameter depth", q->model->name);
    nnd_status status = parse_list(q->ctx, "depth", q->options->depth, &depth);
    if (status == NND_OK)
        status = sweep(q, "depth", depth.count, depth.value);
    free(depth.value);
    return status;
}

/* Sizes of the simulation, where the case names widths nowhere else. */
static nnd_status apply_sizes(question *q) {
    const nnd_value *given = nnd_value_get(nnd_value_get(q->tree, "params"), "at_width");
    const nnd_value *sizes = nnd_value_get(nnd_value_get(q->tree, "simulate"), "size");
    if (given != NULL || sizes == NULL)
        return NND_OK;
    nnd_value *copy = nnd_value_copy(sizes);
    nnd_value *params = nnd_value_copy(nnd_value_get(q->tree, "params"));
    if (params == NULL)
        params = nnd_value_map("");
    if (params != NULL && copy != NULL && nnd_value_put(params, "at_width", copy) &&
        nnd_value_put(q->tree, "params", params))
        return NND_OK;
    return nnd_fail_memory(q->ctx, "the case");
}

static nnd_status apply_width(question *q) {
    bool has = nnd_param_find(q->model->params, "at_width") != NULL;
    if (q->options->widths == NULL)
        return has ? apply_sizes(q) : NND_OK;
    if (!has)
        return nnd_fail(q->ctx, NND_E_INPUT,
                        "--width: %s has no coefficient of 1/width; sweep what stands for the "
                        "width in it, as --set sweep.nu=[1,2,4]",
                        q->model->name);
    nnd_reals width = {0};
    nnd_status status = parse_list(q->ctx, "width", q->options->widths, &width);
    char *list = status == NND_OK ? list_text(width.count, width.value) : NULL;
    if (status == NND_OK)
        status =
            list != NULL ? put(q, "params", "at_width", list) : nnd_fail_memory(q->ctx, "the case");
    free(list);
    free(width.value);
    return status;
}

/* An interval about the rate of the case, or of the model. */
static nnd_status find_reach(question *q, double *low, double *high) {
    const nnd_param *rate = nnd_param_find(q->model->params, q->rate);
    const nnd_value *given = nnd_value_get(nnd_value_get(q->tree, "params"), q->rate);
    double x;
    bool known = given != NULL ? nnd_value_number(given, &x) : nnd_number_read(rate->fallback, &x);
    if (!known || !(x > 0.0))
        return nnd_fail(q->ctx, NND_E_INPUT, "--param %s=LOW:HIGH is missing", q->rate);
    *low = x / REACH;
    *high = x * REACH;
    return NND_OK;
}

/* Sweeps over rates from low to high, evenly or, if they are far apart, on a logarithmic scale. */
static nnd_status spread(question *q, double low, double high) {
    size_t n = q->options->points > 0 ? q->options->points : RATES;
    double *x = malloc(n * sizeof *x);
    if (x == NULL)
        return nnd_fail_memory(q->ctx, "the rates");
    for (size_t i = 0; i < n; i++) {
        double u = (double)i / (double)(n - 1);
        x[i] = high >= 10.0 * low ? low * pow(high / low, u) : low + u * (high - low);
    }
    nnd_status status = sweep(q, q->rate, n, x);
    free(x);
    return status;
}

static nnd_status check_rate(question *q, bool given) {
    const nnd_param *rate = nnd_param_find(q->model->params, q->rate);
    if (rate != NULL && rate->type == NND_REAL)
        return NND_OK;
    return nnd_fail(q->ctx, NND_E_INPUT, "%s%.200s: not a parameter of %s that is a number",
                    given ? "--param " : "", q->rate, q->model->name);
}

/* Rates as --param says, or those that the case sweeps over, or such as look for where to look. */
static nnd_status apply_rates(question *q) {
    double low, high;
    const char *text = q->options->param;
    nnd_status status =
        text != NULL ? cli_parse_interval(q->ctx, text, &q->rate, &low, &high) : NND_OK;
    if (text == NULL && (q->rate = strdup("lr")) == NULL)
        status = nnd_fail_memory(q->ctx, "a name");
    if (status == NND_OK)
        status = check_rate(q, text != NULL);
    if (status != NND_OK)
        return status;
    if (text == NULL && nnd_value_get(nnd_value_get(q->tree, "sweep"), q->rate) != NULL)
        return NND_OK;
    q->seeks = text == NULL;
    if (q->seeks)
        status = find_reach(q, &low, &high);
    else if (!(low > 0.0 && low < high && isfinite(high)))
        status = nnd_fail(q->ctx, NND_E_INPUT,
                          "--param %s: not an interval LOW:HIGH with 0 < LOW < HIGH", text);
    return status == NND_OK ? spread(q, low, high) : status;
}

static nnd_status pose(question *q) {
    nnd_status status = cli_read_tree(q->ctx, q->options, &q->tree);
    if (status == NND_OK)
        status = find_model(q);
    if (status == NND_OK && q->model != NULL) {
        status = find_loss(q);
        if (status == NND_OK)
            status = apply_rates(q);
        if (status == NND_OK)
            status = apply_depth(q);
        if (status == NND_OK)
            status = apply_width(q);
    }
    return status == NND_OK ? cli_resolve(q->ctx, q->options, q->tree, &q->solved) : status;
}

/* ---- theory, then networks at the rates about the best ones of theory ---- */

static nnd_status ask(question *q) {
    const nnd_dim *width = nnd_frame_find_dim(q->result.theory, "at_width");
    const nnd_dim *size = q->result.mc != NULL ? nnd_frame_find_dim(q->result.mc, "size") : NULL;
    const nnd_dim *widths = width != NULL ? width : size;
    const nnd_transfer_options o = {.rate = q->rate,
                                    .loss = q->loss,
                                    .theory = q->result.theory,
                                    .mc = q->result.mc,
                                    .influence = q->result.influence,
                                    .widths = widths != NULL ? widths->length : 0,
                                    .width = widths != NULL ? widths->value : NULL};
    nnd_frame_free(q->result.answers);
    q->result.answers = NULL;
    return nnd_transfer(q->ctx, q->model, &o, &q->result.answers);
}

static nnd_status solve_once(question *q) {
    nnd_frame_free(q->result.theory);
    q->result.theory = NULL;
    nnd_status status = nnd_theory_run(q->ctx, q->solved, NULL, &q->result.theory);
    cli_progress_end();
    if (status > NND_OK)
        return nnd_fail(q->ctx, NND_E_UNSOLVED, "theory has an answer at no rate");
    if (status == NND_OK)
        status = nnd_result_annotate(q->result.theory, q->model);
    return status == NND_OK ? ask(q) : status;
}

/* The lowest and the highest best rate of theory. */
static nnd_status best_rates(question *q, double *low, double *high) {
    const nnd_array *best = nnd_frame_find(q->result.answers, "best_rate");
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < best->count; i++)
        if (isfinite(best->data[i])) {
            *low = fmin(*low, best->data[i]);
            *high = fmax(*high, best->data[i]);
        }
    return *low <= *high ? NND_OK
                         : nnd_fail(q->ctx, NND_E_UNSOLVED,
                                    "%s has no minimum over %s at any width: --param %s=LOW:HIGH "
                                    "and --points say where to look",
                                    q->loss->name, q->rate, q->rate);
}

static nnd_status solve(question *q) {
    double low, high;
    nnd_status status = solve_once(q);
    if (status == NND_OK)
        status = best_rates(q, &low, &high);
    if (status != NND_OK || !q->seeks)
        return status;
    status = spread(q, low / CLOSE, high * CLOSE);
    nnd_case_free(q->solved);
    q->solved = NULL;
    if (status == NND_OK)
        status = cli_resolve(q->ctx, q->options, q->tree, &q->solved);
    return status == NND_OK ? solve_once(q) : status;
}

/* Keeps the rates from a few below the lowest best rate of theory to a few above the highest. */
static nnd_status narrow(question *q) {
    const nnd_dim *rate = nnd_frame_find_dim(q->result.theory, q->rate);
    double low, high;
    nnd_status status = best_rates(q, &low, &high);
    if (status != NND_OK)
        return status;
    size_t first = 0, end = rate->length;
    while (first + BESIDE < rate->length && rate->value[first + BESIDE] <= low)
        first++;
    while (end > first + BESIDE && rate->value[end - BESIDE] >= high)
        end--;
    return sweep(q, q->rate, end - first, rate->value + first);
}

static nnd_status simulate(question *q) {
    nnd_store *store = nnd_memory_store_new();
    nnd_status status = store != NULL ? narrow(q) : nnd_fail_memory(q->ctx, "the networks");
    if (status == NND_OK)
        status = cli_resolve(q->ctx, q->options, q->tree, &q->simulated);
    if (status == NND_OK)
        status = nnd_ensemble_check(q->ctx, q->simulated);
    if (status == NND_OK)
        status = nnd_ensemble_run(q->ctx, q->simulated, store, &q->ensemble);
    cli_progress_end();
    nnd_memory_store_free(store);
    if (status > NND_OK)
        return nnd_fail(q->ctx, NND_E_UNSOLVED, "all networks diverged at all rates");
    if (status != NND_OK)
        return status;
    q->result.mc = q->ensemble.mc;
    q->result.seeds = q->ensemble.seeds;
    q->result.influence = q->ensemble.influence;
    nnd_frame_free(q->ensemble.weights);
    q->ensemble = (nnd_ensemble){0};
    status = nnd_result_annotate(q->result.mc, q->model);
    return status == NND_OK ? ask(q) : status;
}

/* ---- the table ---- */

static double answer(const question *q, const char *name, size_t at) {
    return nnd_frame_find(q->result.answers, name)->data[at];
}

static void print_number(double x) {
    char text[COLUMN * 2] = "-";
    if (!isnan(x))
        nnd_format(text, sizeof text, "%.5g", x);
    printf(" %*s", COLUMN, text);
}

static void print_error(double x) {
    char text[COLUMN * 2] = "-";
    if (!isnan(x))
        nnd_format(text, sizeof text, "%.1g", x);
    printf(" %*s", COLUMN - 4, text);
}

static const struct {
    const char *name, *title;
    bool error, networks;
} COLUMNS[] = {
    {"best_rate", "best_", false, false},        {"best_rate_se", "+-", true, false},
    {"best_rate_next", "next", true, false},     {"best_loss", "loss", false, false},
    {"best_loss_se", "+-", true, false},         {"best_loss_sd", "sd", true, false},
    {"transfer_loss", "lost", true, false},      {"transfer_loss_se", "+-", true, false},
    {"edge_rate", "edge", false, false},         {"edge_rate_se", "+-", true, false},
    {"network_rate", "networks", false, true},   {"network_rate_se", "+-", true, true},
    {"network_loss", "their loss", false, true}, {"network_loss_se", "+-", true, true},
};
enum { COLUMN_COUNT = sizeof COLUMNS / sizeof *COLUMNS };

static bool shown(const question *q, size_t i) {
    return !COLUMNS[i].networks || q->result.mc != NULL;
}

static void print_title(const question *q) {
    const nnd_frame *answers = q->result.answers;
    for (size_t k = 0; k < nnd_frame_dim_count(answers); k++)
        printf("%s%*s", k > 0 ? " " : "", COLUMN, nnd_frame_dim(answers, k)->name);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        char title[TEXT_SIZE];
        snprintf(title, sizeof title, "%s%s", COLUMNS[i].title, i == 0 ? q->rate : "");
        if (shown(q, i))
            printf(" %*s", COLUMNS[i].error ? COLUMN - 4 : COLUMN, title);
    }
    printf("  outcome\n");
}

static void print_row(const question *q, size_t at) {
    const nnd_frame *answers = q->result.answers;
    size_t stride = nnd_frame_find(answers, "outcome")->count;
    for (size_t k = 0; k < nnd_frame_dim_count(answers); k++) {
        const nnd_dim *dim = nnd_frame_dim(answers, k);
        char text[TEXT_SIZE];
        stride /= dim->length;
        nnd_coord_text(dim, at / stride % dim->length, sizeof text, text);
        printf("%s%*s", k > 0 ? " " : "", COLUMN, text);
    }
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (shown(q, i))
            (COLUMNS[i].error ? print_error : print_number)(answer(q, COLUMNS[i].name, at));
    bool above = answer(q, "above_edge", at) == 1.0;
    printf("  %s\n", above ? "above the edge"
                           : nnd_transfer_text((nnd_transfer_outcome)answer(q, "outcome", at)));
}

static void print_table(const question *q) {
    size_t rows = nnd_frame_find(q->result.answers, "outcome")->count;
    print_title(q);
    for (size_t i = 0; i < rows; i++)
        print_row(q, i);
}

static nnd_status write_file(question *q) {
    const char *path = q->options->output;
    q->result.case_text = nnd_yaml_text(q->solved->resolved);
    q->result.model = strdup(q->model->name);
    q->result.history = strdup(q->options->history != NULL ? q->options->history : "");
    nnd_status status = nnd_result_write(q->ctx, path, &q->result);
    if (status == NND_OK)
        nnd_log(q->ctx, NND_LOG_NOTE, "wrote %s", path);
    return status;
}

static void question_clear(question *q) {
    free(q->rate);
    nnd_value_free(q->tree);
    nnd_case_free(q->solved);
    nnd_case_free(q->simulated);
    nnd_result_clear(&q->result);
    nnd_ensemble_clear(&q->ensemble);
}

int cli_transfer(nnd_context *ctx, const cli_options *options) {
    question q = {.ctx = ctx, .options = options};
    nnd_status status = pose(&q);
    if (status == NND_OK)
        status = cli_check_answers(ctx, options);
    if (status == NND_OK && q.solved->simulates)
        status = nnd_ensemble_check(ctx, q.solved);
    if (status == NND_OK)
        status = solve(&q);
    if (status == NND_OK && q.solved->simulates)
        status = simulate(&q);
    if (status == NND_OK)
        print_table(&q);
    if (status == NND_OK && options->output != NULL)
        status = write_file(&q);
    question_clear(&q);
    return cli_exit_code(status);
}
