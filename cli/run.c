/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands run, solve and simulate. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* What one command does of: theory, simulation, comparison. */
typedef struct {
    bool theory, simulation, comparison;
} plan;

static bool same_value(const nnd_value *a, const nnd_value *b) {
    if (a == NULL || b == NULL)
        return a == b;
    if (a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == NND_VALUE_SCALAR)
        return strcmp(a->text, b->text) == 0;
    for (size_t i = 0; i < a->count; i++)
        if (!same_value(a->item[i],
                        a->kind == NND_VALUE_MAP ? nnd_value_get(b, a->key[i]) : b->item[i]))
            return false;
    return true;
}

/* True if results of the old case may stand beside those of the new one. What a simulation is made
 * of counts only if it is the simulation that is kept. */
static bool same_case(const nnd_value *old, const nnd_value *new, bool keeps_simulation) {
    static const char *const keys[] = {"model", "params", "sweep", "simulate"};
    for (size_t i = 0; i < (keeps_simulation ? 4 : 3); i++)
        if (!same_value(nnd_value_get(old, keys[i]), nnd_value_get(new, keys[i])))
            return false;
    return true;
}

/* Reads an older result at the same path, to keep the group that is not replaced. */
static nnd_status read_older(nnd_context *ctx, const nnd_case *c, const char *path, plan todo,
                             bool force, nnd_result *older) {
    if (access(path, F_OK) != 0)
        return NND_OK;
    nnd_status status = nnd_result_read(ctx, path, older);
    if (status == NND_OK && older->case_text == NULL)
        status =
            nnd_fail(ctx, NND_E_INPUT, "%s: not a result of nndmft; --force replaces it", path);
    if (force && status != NND_OK) {
        nnd_result_clear(older);
        return NND_OK;
    }
    if (status != NND_OK || (todo.theory && todo.simulation))
        return status;
    nnd_value *old = NULL;
    status = nnd_yaml_read_text(ctx, path, older->case_text, &old);
    bool keeps = todo.theory ? older->mc != NULL : older->theory != NULL;
    if (status == NND_OK && keeps && !same_case(old, c->resolved, todo.theory)) {
        if (force)
            nnd_result_clear(older);
        else
            status = nnd_fail(ctx, NND_E_INPUT,
                              "%s: holds results of another case; --force replaces them", path);
    }
    nnd_value_free(old);
    return status;
}

static nnd_status run_theory(nnd_context *ctx, const nnd_case *c, nnd_result *result) {
    if (nnd_theory_find(c->model) == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s has no theory", c->model->name);
    nnd_status status = nnd_theory_run(ctx, c, &result->theory);
    cli_progress_end();
    if (status < NND_OK)
        return status;
    nnd_status annotated = nnd_result_annotate(result->theory, c->model);
    return annotated != NND_OK ? annotated : status;
}

static nnd_status run_simulation(nnd_context *ctx, const nnd_case *c, const char *path, bool force,
                                 nnd_result *result) {
    if (!c->simulates)
        return nnd_fail(ctx, NND_E_INPUT, "the case has no key `simulate`");
    if (nnd_simulator_find(c->model) == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s has no simulation", c->model->name);
    char digest[17], *folder = malloc(strlen(path) + sizeof ".parts");
    if (folder == NULL)
        return nnd_fail_memory(ctx, "a path");
    stpcpy(stpcpy(folder, path), ".parts");
    nnd_ensemble_digest(c, digest);
    nnd_store *store = NULL;
    bool root = nnd_context_rank(ctx) == 0;
    /* Rank 0 locks and tidies the folder before the others write to it. */
    nnd_status status = root ? nnd_folder_store_open(ctx, folder, digest, force, &store) : NND_OK;
    status = nnd_context_agree(ctx, status);
    if (status == NND_OK && !root)
        status = nnd_folder_store_open(ctx, folder, digest, force, &store);
    if (status == NND_OK)
        status = nnd_ensemble_run(ctx, c, store, &result->mc, &result->seeds);
    cli_progress_end();
    nnd_folder_store_close(store);
    free(folder);
    if (status < NND_OK || result->mc == NULL)
        return status;
    nnd_status annotated = nnd_result_annotate(result->mc, c->model);
    if (annotated == NND_OK && result->seeds != NULL)
        annotated = nnd_result_annotate(result->seeds, c->model);
    return annotated != NND_OK ? annotated : status;
}

/* Takes the group that is not being replaced from the older file. */
static void keep_older(nnd_result *older, plan todo, nnd_result *result) {
    if (!todo.theory) {
        result->theory = older->theory;
        older->theory = NULL;
    }
    if (!todo.simulation) {
        result->mc = older->mc;
        result->seeds = older->seeds;
        older->mc = older->seeds = NULL;
    }
}

static nnd_status compare(nnd_context *ctx, const nnd_case *c, nnd_result *result,
                          nnd_comparison **comparison) {
    nnd_status status =
        nnd_compare(ctx, c->model, &c->compare, result->theory, result->mc, comparison);
    if (status == NND_OK)
        result->compare = (*comparison)->frame;
    return status;
}

/* Verdict of a comparison as exit code. */
static int verdict_code(const nnd_comparison *comparison, bool strict) {
    if (comparison == NULL)
        return EXIT_DONE;
    bool bad = nnd_comparison_count(comparison, NND_DISAGREES) > 0 ||
               (strict && nnd_comparison_count(comparison, NND_INCONCLUSIVE) > 0);
    return bad ? EXIT_DISAGREES : EXIT_DONE;
}

static nnd_status do_all(nnd_context *ctx, const cli_options *options, const nnd_case *c, plan todo,
                         const char *path, nnd_comparison **comparison, bool *diverged) {
    nnd_result older = {0}, result = {0};
    bool root = nnd_context_rank(ctx) == 0;
    nnd_output *output = NULL;
    /* Opened before the work, so that a folder that cannot be written is known at once. */
    nnd_status status = root ? nnd_output_open(ctx, path, &output) : NND_OK;
    if (output != NULL)
        status = nnd_output_close(ctx, output, false);
    if (status == NND_OK)
        status = read_older(ctx, c, path, todo, options->force, &older);
    status = nnd_context_agree(ctx, status);
    if (status == NND_OK && todo.theory && root) {
        status = run_theory(ctx, c, &result);
        *diverged = status > NND_OK;
    }
    status = nnd_context_agree(ctx, status < NND_OK ? status : NND_OK);
    if (status >= NND_OK && todo.simulation) {
        status = run_simulation(ctx, c, path, options->force, &result);
        *diverged = *diverged || status > NND_OK;
    }
    if (status >= NND_OK && root) {
        keep_older(&older, todo, &result);
        status = todo.comparison ? compare(ctx, c, &result, comparison) : NND_OK;
    }
    if (status >= NND_OK && root) {
        result.case_text = nnd_yaml_text(c->resolved);
        result.model = strdup(c->model->name);
        result.history = strdup(options->history != NULL ? options->history : "");
        status = nnd_result_write(ctx, path, &result);
    }
    result.compare = NULL; /* owned by the comparison */
    nnd_result_clear(&older);
    nnd_result_clear(&result);
    return status;
}

static int execute(nnd_context *ctx, const cli_options *options, plan todo) {
    nnd_case *c = NULL;
    nnd_comparison *comparison = NULL;
    bool diverged = false;
    nnd_status status = cli_read_case(ctx, options, &c);
    if (status != NND_OK)
        return cli_exit_code(status);
    if (todo.comparison)
        todo.simulation = todo.comparison = c->simulates;
    if (options->dry_run) {
        int code = cli_dry_run(ctx, c, todo.theory, todo.simulation);
        nnd_case_free(c);
        return code;
    }
    const char *path = options->output != NULL ? options->output : c->output;
    status = do_all(ctx, options, c, todo, path, &comparison, &diverged);
    int code = cli_exit_code(status);
    if (status >= NND_OK && nnd_context_rank(ctx) == 0) {
        if (comparison != NULL)
            nnd_report_comparison(comparison, stdout);
        nnd_log(ctx, NND_LOG_NOTE, "wrote %s", path);
        code = diverged ? EXIT_NOT_CONVERGED : verdict_code(comparison, options->strict);
        if (diverged)
            nnd_fail(ctx, NND_E_INPUT, "every run diverged; the curves up to there are in %s",
                     path);
    }
    nnd_comparison_free(comparison);
    nnd_case_free(c);
    return code;
}

int cli_run(nnd_context *ctx, const cli_options *options) {
    return execute(ctx, options, (plan){true, true, true});
}

int cli_solve(nnd_context *ctx, const cli_options *options) {
    return execute(ctx, options, (plan){true, false, false});
}

int cli_simulate(nnd_context *ctx, const cli_options *options) {
    return execute(ctx, options, (plan){false, true, false});
}
