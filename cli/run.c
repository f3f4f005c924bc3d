/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands run, solve and simulate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* What one command does of: theory, simulation, comparison. */
typedef struct {
    bool theory, simulation, comparison;
} plan;

/* True if results of the old case may stand beside those of the new one. What a simulation is made
 * of counts only if it is the simulation that is kept. */
static bool same_case(const nnd_value *old, const nnd_value *new, bool keeps_simulation) {
    static const char *const keys[] = {"model", "params", "sweep", "simulate"};
    for (size_t i = 0; i < (keeps_simulation ? 4 : 3); i++)
        if (!nnd_value_equal(nnd_value_get(old, keys[i]), nnd_value_get(new, keys[i])))
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
    if (status != NND_OK)
        return status;
    nnd_value *old = NULL;
    status = nnd_yaml_read_text(ctx, path, older->case_text, &old);
    /* A theory alone is soon computed again; a simulation, or what stays in the file, is not. */
    bool matters = older->mc != NULL || (!todo.theory && older->theory != NULL);
    bool keeps_simulation = todo.theory && !todo.simulation;
    if (status == NND_OK && matters && !same_case(old, c->resolved, keeps_simulation)) {
        if (force)
            nnd_result_clear(older);
        else
            status = nnd_fail(ctx, NND_E_INPUT,
                              "%s: holds results of another case; --force replaces them", path);
    }
    nnd_value_free(old);
    return status;
}

/* Everything that one command needs while it runs. */
typedef struct {
    nnd_context *ctx;
    const cli_options *options;
    const nnd_case *c;
    plan todo;
    const char *path;
    nnd_store *store;
    nnd_result older, result;
    nnd_comparison *comparison;
    nnd_status theory;        /* a warning: at every point */
    bool simulation_diverged; /* at every point */
} job;

/* Opens the folder of shards, if this command needs one. Rank 0 locks and tidies it before the
 * others write to it. */
static nnd_status open_store(job *j) {
    if (!j->todo.simulation && nnd_context_ranks(j->ctx) == 1)
        return NND_OK;
    char digest[17], *folder = malloc(strlen(j->path) + sizeof ".parts");
    if (folder == NULL)
        return nnd_fail_memory(j->ctx, "a path");
    stpcpy(stpcpy(folder, j->path), ".parts");
    nnd_ensemble_digest(j->c, digest);
    nnd_status status = NND_OK;
    for (int turn = 0; status == NND_OK && turn < 2; turn++) {
        if ((nnd_context_rank(j->ctx) > 0) == (turn > 0))
            status = nnd_folder_store_open(j->ctx, folder, digest, j->options->force, &j->store);
        status = nnd_context_agree(j->ctx, status);
    }
    free(folder);
    return status;
}

nnd_status cli_theory(nnd_context *ctx, const nnd_case *c, nnd_store *store, nnd_frame **theory) {
    *theory = NULL;
    if (nnd_theory_find(c->model) == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s has no theory", c->model->name);
    nnd_status status = nnd_theory_run(ctx, c, store, theory);
    cli_progress_end();
    nnd_status annotated = *theory != NULL ? nnd_result_annotate(*theory, c->model) : NND_OK;
    return annotated != NND_OK ? annotated : status;
}

static nnd_status run_theory(job *j) {
    j->theory = cli_theory(j->ctx, j->c, j->store, &j->result.theory);
    return j->theory < NND_OK ? j->theory : NND_OK;
}

static nnd_status run_simulation(job *j) {
    nnd_result *result = &j->result;
    nnd_ensemble ensemble;
    nnd_status status = nnd_ensemble_run(j->ctx, j->c, j->store, &ensemble);
    cli_progress_end();
    result->mc = ensemble.mc;
    result->seeds = ensemble.seeds;
    result->influence = ensemble.influence;
    result->weights = ensemble.weights;
    j->simulation_diverged = status > NND_OK;
    if (status < NND_OK || result->mc == NULL)
        return status;
    status = nnd_result_annotate(result->mc, j->c->model);
    if (status == NND_OK && result->seeds != NULL)
        status = nnd_result_annotate(result->seeds, j->c->model);
    return status;
}

/* Takes the group that is not being replaced from the older file. */
static void keep_older(job *j) {
    if (!j->todo.theory) {
        j->result.theory = j->older.theory;
        j->older.theory = NULL;
    }
    if (!j->todo.simulation) {
        j->result.mc = j->older.mc;
        j->result.seeds = j->older.seeds;
        j->result.influence = j->older.influence;
        j->result.weights = j->older.weights;
        j->older.mc = j->older.seeds = j->older.influence = j->older.weights = NULL;
    }
}

/* Opened before the work, so that a folder that cannot be written is known at once. */
static nnd_status check_path(job *j) {
    if (nnd_context_rank(j->ctx) > 0)
        return NND_OK;
    nnd_output *output = NULL;
    nnd_status status = nnd_output_open(j->ctx, j->path, &output);
    if (status == NND_OK)
        status = nnd_output_close(j->ctx, output, false);
    nnd_result older = {0};
    if (status == NND_OK)
        status = read_older(j->ctx, j->c, j->path, j->todo, j->options->force, &older);
    nnd_result_clear(&older);
    return status;
}

/* Writes the file. What another process has put there since the work began stays, or is refused, as
 * if it had been there from the beginning. */
static nnd_status replace_file(job *j) {
    nnd_output_lock *lock;
    nnd_status status = nnd_output_lock_wait(j->ctx, j->path, &lock);
    if (status == NND_OK)
        status = read_older(j->ctx, j->c, j->path, j->todo, j->options->force, &j->older);
    if (status == NND_OK) {
        keep_older(j);
        status = nnd_result_write(j->ctx, j->path, &j->result);
    }
    nnd_output_unlock(lock);
    return status;
}

static nnd_simulated simulated_side(const job *j) {
    return (nnd_simulated){.mc = j->result.mc,
                           .influence = j->result.influence,
                           .base_seed = (uint64_t)j->c->simulate.base_seed};
}

/* The table, and what it would take to notice the errors that were asked about. */
static nnd_status report(const job *j) {
    nnd_report_comparison(j->comparison, stdout);
    return cli_detect(j->ctx, j->options,
                      &(cli_compared){.tree = j->c->resolved,
                                      .model = j->c->model,
                                      .options = &j->c->compare,
                                      .theory = j->result.theory,
                                      .simulated = simulated_side(j),
                                      .comparison = j->comparison});
}

/* A comparison that cannot be made is an error, but no reason to lose what it would compare. */
static nnd_status write_result(job *j) {
    nnd_result *result = &j->result;
    nnd_status compared = NND_OK;
    nnd_simulated simulated = simulated_side(j);
    if (j->todo.comparison)
        compared = nnd_compare(j->ctx, j->c->model, &j->c->compare, result->theory, &simulated,
                               &j->comparison);
    if (j->comparison != NULL)
        result->compare = j->comparison->frame;
    result->case_text = nnd_yaml_text(j->c->resolved);
    result->model = strdup(j->c->model->name);
    result->history = strdup(j->options->history != NULL ? j->options->history : "");
    result->question = nnd_yaml_comment(j->options->args.value[0]);
    nnd_status status = replace_file(j);
    result->compare = NULL; /* owned by the comparison */
    return status != NND_OK ? status : compared;
}

static nnd_status work(job *j) {
    nnd_status status = nnd_context_agree(j->ctx, check_path(j));
    if (status == NND_OK)
        status = open_store(j);
    if (status == NND_OK && j->todo.theory)
        status = run_theory(j);
    status = nnd_context_agree(j->ctx, status);
    if (status == NND_OK && j->todo.simulation)
        status = run_simulation(j);
    if (status == NND_OK && nnd_context_rank(j->ctx) == 0)
        status = write_result(j);
    return nnd_context_agree(j->ctx, status);
}

/* Does the work, reports on rank 0, returns the exit code. */
static int execute_job(job *j) {
    nnd_status status = work(j);
    int code = cli_exit_code(status);
    if (status == NND_OK && nnd_context_rank(j->ctx) == 0) {
        nnd_log(j->ctx, NND_LOG_NOTE, "wrote %s", j->path);
        if (j->comparison != NULL)
            status = report(j);
        code = status == NND_OK ? cli_verdict_code(j->comparison, j->options->strict)
                                : cli_exit_code(status);
        if (j->theory == NND_NOT_CONVERGED) {
            nnd_fail(j->ctx, NND_E_INPUT,
                     "theory converged at no point; its best answers are in %s", j->path);
            code = EXIT_NOT_CONVERGED;
        } else if (j->theory > NND_OK || j->simulation_diverged) {
            nnd_fail(j->ctx, NND_E_INPUT,
                     "%s diverged at every point; the curves up to there are in %s",
                     j->theory > NND_OK ? "theory" : "simulation", j->path);
            code = EXIT_NOT_CONVERGED;
        }
    }
    nnd_folder_store_close(j->store);
    nnd_comparison_free(j->comparison);
    nnd_result_clear(&j->older);
    nnd_result_clear(&j->result);
    return code;
}

/* Where a case's own `output` leads out of the working folder, that is said before anything is
 * written there. */
static void announce_output(nnd_context *ctx, const char *output) {
    char *copy = strdup(output), *slash = copy != NULL ? strrchr(copy, '/') : NULL;
    if (slash == NULL) {
        free(copy);
        return;
    }
    slash[slash == copy] = '\0';
    char *here = realpath(".", NULL), *there = realpath(copy, NULL);
    size_t length = here != NULL ? strlen(here) : 0;
    bool below = here != NULL && there != NULL && strncmp(here, there, length) == 0 &&
                 (there[length] == '/' || there[length] == '\0' || length == 1);
    if (!below)
        nnd_log(ctx, NND_LOG_WARNING, "the case writes outside the working folder: %s", output);
    free(here);
    free(there);
    free(copy);
}

/* Neither the case is replaced nor the file of its data. */
static nnd_status check_output(nnd_context *ctx, const cli_options *options, const nnd_case *c,
                               const char *path) {
    const nnd_value *data = nnd_value_get(nnd_value_get(c->resolved, "params"), "data");
    const nnd_value *file = nnd_value_get(data, "file");
    nnd_status status = cli_check_output(ctx, options->args.value[0], path);
    if (status != NND_OK || file == NULL || file->text == NULL || nnd_value_is_null(file))
        return status;
    if (file->text[0] == '/')
        return cli_check_output(ctx, file->text, path);
    char read[4096]; /* as long as paths of data may be */
    char *folder = cli_folder(options->args.value[0]);
    if (folder == NULL)
        return nnd_fail_memory(ctx, "a name");
    snprintf(read, sizeof read, "%s/%s", folder, file->text);
    free(folder);
    return cli_check_output(ctx, read, path);
}

static int execute(nnd_context *ctx, const cli_options *options, plan todo) {
    nnd_case *c = NULL;
    nnd_status status = cli_read_case(ctx, options, &c);
    if (status == NND_OK && todo.comparison)
        todo.simulation = todo.comparison = c->simulates;
    if (status == NND_OK && options->detect.count > 0 && !todo.comparison)
        status = nnd_fail(ctx, NND_E_INPUT, "--detect: the case has no key `simulate`");
    if (status == NND_OK)
        status = cli_check_detect(ctx, options, c->resolved);
    /* Whatever would refuse the simulation does so before the theory takes its time. */
    if (status == NND_OK && todo.simulation)
        status = nnd_ensemble_check(ctx, c);
    if (status == NND_OK && todo.simulation && !options->dry_run)
        status = nnd_ensemble_check_memory(ctx, c);
    const char *path = NULL;
    if (status == NND_OK) {
        path = options->output != NULL ? options->output : c->output;
        status = check_output(ctx, options, c, path);
    }
    if (status == NND_OK && options->output == NULL && nnd_context_rank(ctx) == 0)
        announce_output(ctx, path);
    status = nnd_context_agree(ctx, status);
    int code = cli_exit_code(status);
    if (status == NND_OK && options->dry_run)
        code = cli_dry_run(ctx, c, todo.theory, todo.simulation);
    else if (status == NND_OK)
        code =
            execute_job(&(job){.ctx = ctx, .options = options, .c = c, .todo = todo, .path = path});
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
