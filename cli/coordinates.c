/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { TEXT_SIZE = 256 };

/* What a model needs to know two times is set unless the case says otherwise. */
static nnd_status read_case(nnd_context *ctx, const cli_options *options, nnd_case **c) {
    nnd_value *tree = NULL;
    nnd_status status = cli_read_tree(ctx, options, &tree);
    const nnd_value *name = nnd_value_get(tree, "model");
    const nnd_model *model =
        name != NULL && name->kind == NND_VALUE_SCALAR ? nnd_model_find(name->text) : NULL;
    bool given = nnd_value_get(nnd_value_get(tree, "params"), "two_time") != NULL;
    if (status == NND_OK && model != NULL && !given &&
        nnd_param_find(model->params, "two_time") != NULL)
        status = nnd_yaml_override(ctx, tree, "params.two_time=true");
    if (status == NND_OK)
        status = cli_resolve(ctx, options, tree, c);
    nnd_value_free(tree);
    return status;
}

static double answer(const nnd_frame *answers, const char *name, size_t at) {
    return nnd_frame_find(answers, name)->data[at];
}

static void print_row(const nnd_case *c, const nnd_frame *mc, const nnd_frame *answers,
                      size_t point, size_t k) {
    const nnd_dim *what = nnd_frame_find_dim(answers, "coordinate");
    const nnd_dim *size = nnd_frame_find_dim(mc, "size");
    size_t at = point * what->length + k;
    char name[TEXT_SIZE], slope[TEXT_SIZE];
    nnd_case_point_text(c, point, sizeof name, name);
    if (isnan(answer(answers, "expected", at)))
        return;
    nnd_format(slope, sizeof slope, "%.3f +- %.1g", answer(answers, "slope", at),
               answer(answers, "slope_se", at));
    printf("%s%s%-32s", name, name[0] != '\0' ? "  " : "", what->text[k]);
    for (size_t s = 0; s < size->length; s++)
        nnd_print(stdout, " %10.4g", answer(mc, "magnitude", at * size->length + s));
    double verdict = answer(answers, "verdict", at);
    nnd_print(stdout, " %18s %9g  %s\n", slope, answer(answers, "expected", at),
              isnan(verdict) ? "unknown" : nnd_coordinate_text((nnd_coordinate_verdict)verdict));
}

static void print_table(const nnd_case *c, const nnd_frame *mc, const nnd_frame *answers) {
    const nnd_dim *what = nnd_frame_find_dim(answers, "coordinate");
    const nnd_dim *size = nnd_frame_find_dim(mc, "size");
    printf("%-32s", "magnitude at size");
    for (size_t s = 0; s < size->length; s++)
        nnd_print(stdout, " %10g", size->value[s]);
    printf(" %18s %9s\n", "power of the size", "expected");
    for (size_t point = 0; point < c->sweep.points; point++)
        for (size_t k = 0; k < what->length; k++)
            print_row(c, mc, answers, point, k);
}

static size_t count_otherwise(const nnd_frame *answers) {
    const nnd_array *verdict = nnd_frame_find(answers, "verdict");
    size_t count = 0;
    for (size_t i = 0; i < verdict->count; i++)
        count += verdict->data[i] == NND_COORDINATE_OTHERWISE;
    return count;
}

static nnd_status write_file(nnd_context *ctx, const cli_options *options, const nnd_case *c,
                             const nnd_ensemble *ensemble, nnd_frame *theory, nnd_frame *answers) {
    nnd_result result = {.theory = theory,
                         .mc = ensemble->mc,
                         .seeds = ensemble->seeds,
                         .influence = ensemble->influence,
                         .weights = ensemble->weights,
                         .answers = answers};
    result.case_text = nnd_yaml_text(c->resolved);
    result.model = strdup(c->model->name);
    result.history = strdup(options->history != NULL ? options->history : "");
    nnd_status status = nnd_result_write(ctx, options->output, &result);
    free(result.case_text);
    free(result.model);
    free(result.history);
    if (status == NND_OK)
        nnd_log(ctx, NND_LOG_NOTE, "wrote %s", options->output);
    return status;
}

/* Trains the networks in memory and fits their powers. */
static nnd_status check(nnd_context *ctx, const nnd_case *c, nnd_ensemble *ensemble,
                        nnd_frame **theory, nnd_frame **answers) {
    nnd_store *store = nnd_memory_store_new();
    nnd_status status = store != NULL ? NND_OK : nnd_fail_memory(ctx, "the networks");
    if (status == NND_OK)
        status = nnd_ensemble_run(ctx, c, store, ensemble);
    cli_progress_end();
    nnd_memory_store_free(store);
    if (status > NND_OK)
        return nnd_fail(ctx, NND_E_UNSOLVED, "all networks diverged");
    if (status == NND_OK)
        status = nnd_coordinates(ctx, c, ensemble, theory, answers);
    if (status == NND_OK)
        status = nnd_result_annotate(*theory, c->model);
    return status == NND_OK ? nnd_result_annotate(ensemble->mc, c->model) : status;
}

int cli_coordinates(nnd_context *ctx, const cli_options *options) {
    nnd_case *c = NULL;
    nnd_ensemble ensemble = {0};
    nnd_frame *theory = NULL, *answers = NULL;
    nnd_status status = read_case(ctx, options, &c);
    if (status == NND_OK)
        status = nnd_coordinates_check(ctx, c);
    if (status == NND_OK)
        status = cli_check_answers(ctx, options);
    if (status == NND_OK)
        status = nnd_ensemble_check(ctx, c);
    if (status == NND_OK)
        status = check(ctx, c, &ensemble, &theory, &answers);
    if (status == NND_OK)
        print_table(c, ensemble.mc, answers);
    if (status == NND_OK && options->output != NULL)
        status = write_file(ctx, options, c, &ensemble, theory, answers);
    int code = cli_exit_code(status);
    if (status == NND_OK && count_otherwise(answers) > 0)
        code = EXIT_DISAGREES;
    nnd_frame_free(theory);
    nnd_frame_free(answers);
    nnd_ensemble_clear(&ensemble);
    nnd_case_free(c);
    return code;
}
