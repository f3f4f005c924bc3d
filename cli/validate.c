/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "core/text.h"

/* A value on one line: 2, [1, 2] or {a: 1}. */
static void flow_text(const nnd_value *value, nnd_text *text) {
    if (value == NULL || value->kind == NND_VALUE_SCALAR) {
        nnd_text_add(text, "%s", value != NULL ? value->text : "absent");
        return;
    }
    bool map = value->kind == NND_VALUE_MAP;
    nnd_text_add(text, map ? "{" : "[");
    for (size_t i = 0; i < value->count && !text->cut; i++) {
        nnd_text_add(text, "%s%s%s", i > 0 ? ", " : "", map ? value->key[i] : "", map ? ": " : "");
        flow_text(value->item[i], text);
    }
    nnd_text_add(text, map ? "}" : "]");
}

/* Lists on stderr every scalar and list that two resolved cases do not have in common. */
static void list_differences(nnd_context *ctx, const char *prefix, const nnd_value *a,
                             const nnd_value *b) {
    if (a != NULL && b != NULL && a->kind == NND_VALUE_MAP && b->kind == NND_VALUE_MAP) {
        for (size_t i = 0; i < a->count; i++) {
            char name[256];
            snprintf(name, sizeof name, "%s%s%s", prefix, *prefix != '\0' ? "." : "", a->key[i]);
            list_differences(ctx, name, a->item[i], nnd_value_get(b, a->key[i]));
        }
        for (size_t i = 0; i < b->count; i++)
            if (nnd_value_get(a, b->key[i]) == NULL) {
                char name[256];
                snprintf(name, sizeof name, "%s%s%s", prefix, *prefix != '\0' ? "." : "",
                         b->key[i]);
                list_differences(ctx, name, NULL, b->item[i]);
            }
        return;
    }
    char x[256], y[256];
    if (nnd_value_equal(a, b))
        return;
    nnd_text theory = nnd_text_in(sizeof x, x), mc = nnd_text_in(sizeof y, y);
    flow_text(a, &theory);
    flow_text(b, &mc);
    nnd_log(ctx, NND_LOG_NOTE, "differs: %s: theory %s, simulation %s", prefix, x, y);
}

static void list_case_differences(nnd_context *ctx, const nnd_result *theory,
                                  const nnd_result *mc) {
    static const char *const keys[] = {"model", "params", "sweep"};
    nnd_value *a = NULL, *b = NULL;
    if (theory->case_text != NULL && mc->case_text != NULL &&
        nnd_yaml_read_text(ctx, "theory", theory->case_text, &a) == NND_OK &&
        nnd_yaml_read_text(ctx, "simulation", mc->case_text, &b) == NND_OK)
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            list_differences(ctx, keys[i], nnd_value_get(a, keys[i]), nnd_value_get(b, keys[i]));
    nnd_value_free(a);
    nnd_value_free(b);
}

/* The key `compare` of the case in a file, with overrides. */
static nnd_status read_options(nnd_context *ctx, const cli_options *options,
                               const nnd_result *theory, nnd_compare_options *out) {
    nnd_value *tree = NULL;
    nnd_status status = nnd_yaml_read_text(
        ctx, "case", theory->case_text != NULL ? theory->case_text : "{}", &tree);
    for (size_t i = 0; status == NND_OK && i < options->set.count; i++) {
        if (strncmp(options->set.value[i], "compare.", strlen("compare.")) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "--set %s: only compare.* can be set here",
                              options->set.value[i]);
        else
            status = nnd_yaml_override(ctx, tree, options->set.value[i]);
    }
    if (status == NND_OK)
        status = nnd_params_read(ctx, &nnd_compare_table, nnd_value_get(tree, "compare"), "compare",
                                 out);
    nnd_value_free(tree);
    return status;
}

/* Seeds per size as a case, or a file of one's own, has them; 0: unknown. Lists: the fewest. */
static double seeds_of(const nnd_value *simulate, const nnd_frame *mc) {
    const nnd_value *seeds = nnd_value_get(simulate, "seeds");
    const nnd_array *own = nnd_frame_find(mc, "seeds");
    double least = INFINITY, x;
    if (own != NULL && own->count == 1)
        return own->data[0];
    if (seeds != NULL && nnd_value_number(seeds, &least))
        return least;
    for (size_t i = 0; seeds != NULL && i < seeds->count; i++)
        if (nnd_value_number(seeds->item[i], &x))
            least = fmin(least, x);
    return isfinite(least) ? least : 0.0;
}

static nnd_status simulated_side(nnd_context *ctx, const nnd_result *mc, nnd_simulated *out) {
    nnd_value *tree = NULL;
    double base_seed = 0.0;
    nnd_status status = NND_OK;
    if (mc->case_text != NULL)
        status = nnd_yaml_read_text(ctx, "simulation", mc->case_text, &tree);
    const nnd_value *simulate = nnd_value_get(tree, "simulate");
    const nnd_value *key = nnd_value_get(simulate, "base_seed");
    if (key != NULL && !nnd_value_number(key, &base_seed))
        base_seed = 0.0;
    *out = (nnd_simulated){mc->mc, mc->influence, seeds_of(simulate, mc->mc), (uint64_t)base_seed};
    nnd_value_free(tree);
    return status;
}

int cli_verdict_code(const nnd_comparison *comparison, bool strict) {
    if (comparison == NULL)
        return EXIT_DONE;
    bool bad = nnd_comparison_count(comparison, NND_DISAGREES) > 0 ||
               (strict && nnd_comparison_count(comparison, NND_INCONCLUSIVE) > 0);
    return bad ? EXIT_DISAGREES : EXIT_DONE;
}

/* The table, and what it would take to notice the errors that were asked about. */
static nnd_status report(nnd_context *ctx, const cli_options *options, const nnd_result *theory,
                         cli_compared *compared) {
    nnd_value *tree = NULL;
    nnd_status status = NND_OK;
    if (options->detect.count > 0 && theory->case_text == NULL)
        status = nnd_fail(ctx, NND_E_INPUT, "--detect: the file of theory holds no case");
    else if (options->detect.count > 0)
        status = nnd_yaml_read_text(ctx, "theory", theory->case_text, &tree);
    if (status == NND_OK)
        status = cli_check_detect(ctx, options, tree);
    if (status == NND_OK) {
        nnd_report_comparison(compared->comparison, stdout);
        compared->tree = tree;
        if (options->args.count == 2)
            status = cli_widths(ctx, compared);
        if (status == NND_OK)
            status = cli_detect(ctx, options, compared);
    }
    nnd_value_free(tree);
    return status;
}

int cli_validate(nnd_context *ctx, const cli_options *options) {
    nnd_result theory = {0}, other = {0};
    nnd_compare_options compare = {0};
    nnd_comparison *comparison = NULL;
    bool two = options->args.count == 2;
    const char *path = options->args.value[0], *other_path = options->args.value[two ? 1 : 0];
    nnd_status status = nnd_result_read(ctx, path, &theory);
    if (status == NND_OK && two)
        status = nnd_result_read(ctx, other_path, &other);
    const nnd_result *mc = two ? &other : &theory;
    if (status == NND_OK && theory.theory == NULL)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: holds no theory", path);
    if (status == NND_OK && mc->mc == NULL)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: holds no simulation", other_path);
    if (status == NND_OK)
        status = read_options(ctx, options, &theory, &compare);
    if (status == NND_OK && two)
        list_case_differences(ctx, &theory, &other);
    const nnd_model *model = theory.model != NULL ? nnd_model_find(theory.model) : NULL;
    nnd_simulated simulated = {0};
    if (status == NND_OK)
        status = simulated_side(ctx, mc, &simulated);
    if (status == NND_OK)
        status = nnd_compare(ctx, model, &compare, theory.theory, &simulated, &comparison);
    if (status == NND_OK)
        status = report(ctx, options, &theory,
                        &(cli_compared){.model = model,
                                        .options = &compare,
                                        .theory = theory.theory,
                                        .simulated = simulated,
                                        .comparison = comparison});
    int code =
        status == NND_OK ? cli_verdict_code(comparison, options->strict) : cli_exit_code(status);
    nnd_comparison_free(comparison);
    nnd_params_clear(&nnd_compare_table, &compare);
    nnd_result_clear(&theory);
    nnd_result_clear(&other);
    return code;
}
