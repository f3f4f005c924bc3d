/* SPDX-License-Identifier: GPL-3.0-or-later */
/** The command line: options, commands, exit codes. */
#ifndef NNDMFT_CLI_CLI_H
#define NNDMFT_CLI_CLI_H

#include <argp.h>
#include <stdio.h>

#include "nndmft/nndmft.h"

/** Exit codes, fixed for scripts. */
enum {
    EXIT_DONE = 0,
    EXIT_BAD_INPUT = 2,
    EXIT_NOT_CONVERGED = 3,
    EXIT_DISAGREES = 4,
    EXIT_IO = 5,
    EXIT_INTERRUPTED = 130
};

/** What was asked for on the command line. */
typedef struct {
    const char *command;
    nnd_texts args; /**< positional */
    nnd_texts set;  /**< overrides KEY=VALUE */
    nnd_texts vars;
    nnd_texts detect; /**< changes KEY=FACTOR */
    nnd_texts datasets;
    nnd_texts measures;                /**< of similarity */
    nnd_similarity_options similarity; /**< but for which measures are wanted */
    const char *output, *view, *log, *format, *group;
    const char *param, *zero, *min, *max, *at; /**< of find */
    const char *first, *cross, *subject;
    const char *widths, *depth, *loss; /**< of transfer */
    const char *style, *font;          /**< of plot */
    double width;                      /**< of plot, in cm; 0: that of the style */
    const char *init, *pictures;       /**< of spectrum */
    size_t points;
    int threads;
    double memory; /**< bytes, 0: default */
    bool force, dry_run, quiet, verbose, strict, list, as_case, diverges;
    char *history; /**< the command line as one text */
} cli_options;

/** One command; `run` returns the exit code and leaves a message in the context on failure. */
typedef struct {
    const char *name, *args, *summary;
    size_t min_args, max_args;
    const char *options; /**< keys of the options that it takes, besides the common ones */
    int (*run)(nnd_context *ctx, const cli_options *options);
} cli_command;

/** The commands, ended by one without a name. */
extern const cli_command CLI_COMMANDS[];

/** Parses the words after the command's name; exits on --help and on bad usage. */
void cli_parse(const cli_command *command, int argc, char **argv, cli_options *options);
/** The i-th option that a command takes; NULL past the last. */
const struct argp_option *cli_option_at(const cli_command *command, size_t i);
void cli_options_clear(cli_options *options);
/** Prints an overview of all commands. */
void cli_overview(FILE *out);

/**
 * Path of the page that derives what a model computes, to be freed; within the sources if the page
 * is not on this machine. NULL: out of memory.
 */
char *cli_page(const nnd_model *model);

/** Exit code of a failed (or warned) status. */
int cli_exit_code(nnd_status status);
/** Exit code of a comparison (NULL: there was none); `strict`: inconclusive ones count, too. */
int cli_verdict_code(const nnd_comparison *comparison, bool strict);

/** A comparison and what it was made of. */
typedef struct {
    const nnd_value *tree; /**< the resolved case */
    const nnd_model *model;
    const nnd_compare_options *options;
    const nnd_frame *theory;
    nnd_simulated simulated;
    const nnd_comparison *comparison;
} cli_compared;

/** Whether the changes asked for by --detect can be made to a resolved case. */
NND_MUST_USE nnd_status cli_check_detect(nnd_context *ctx, const cli_options *options,
                                         const nnd_value *tree);
/** Solves theory with each change and prints with how many seeds it would be noticed. */
NND_MUST_USE nnd_status cli_detect(nnd_context *ctx, const cli_options *options,
                                   const cli_compared *compared);

/** Prints what the sizes of a simulation say, each variable in a row; nothing of a single one. */
NND_MUST_USE nnd_status cli_widths(nnd_context *ctx, const cli_compared *compared);

/** Folder of a file, "." if its path names none, to be freed. NULL: out of memory. */
char *cli_folder(const char *path);
/** Reads the case named by the first argument, with the overrides; `*tree` may be set on failure.
 */
NND_MUST_USE nnd_status cli_read_tree(nnd_context *ctx, const cli_options *options,
                                      nnd_value **tree);
/** Resolves a tree read, and perhaps changed, from the case named by the first argument. */
NND_MUST_USE nnd_status cli_resolve(nnd_context *ctx, const cli_options *options,
                                    const nnd_value *tree, nnd_case **c);
/** Reads and resolves the case named by the first argument, with the overrides. */
NND_MUST_USE nnd_status cli_read_case(nnd_context *ctx, const cli_options *options, nnd_case **c);

/** An interval "NAME=LOW:HIGH", as --param has it; the name is owned by the caller. */
NND_MUST_USE nnd_status cli_parse_interval(nnd_context *ctx, const char *text, char **name,
                                           double *low, double *high);

/** True if nobody reads the standard output any more, as behind `| head`. */
bool cli_reader_left(void);

/** Writes a frame as CSV or JSON, as --format has it, to --output or to standard output. */
NND_MUST_USE nnd_status cli_write_table(nnd_context *ctx, const cli_options *options,
                                        const nnd_frame *frame);

/** Refuses to replace the very file that a command reads, and "-", the standard output. */
NND_MUST_USE nnd_status cli_check_output(nnd_context *ctx, const char *input, const char *output);

/** Whether -o, if it is given, can be written: before the work, and over older answers alone unless
 *  --force is given. */
NND_MUST_USE nnd_status cli_check_answers(nnd_context *ctx, const cli_options *options);

/** Theory of a case with the names and units of its variables; `store` as nnd_theory_run has it.
 *  NND_DIVERGED, NND_NOT_CONVERGED: at every point; the frame is there. */
NND_MUST_USE nnd_status cli_theory(nnd_context *ctx, const nnd_case *c, nnd_store *store,
                                   nnd_frame **theory);

/** Progress on stderr: a bar on a terminal, else a line a minute. */
void cli_progress(void *user, const char *what, double done, size_t total);
/** Makes room for a line where the bar is. */
void cli_progress_hide(void);
/** The task has ended. */
void cli_progress_end(void);

/** Resolved case, memory, operations, expected time, recipe for a deep-learning framework. */
int cli_dry_run(nnd_context *ctx, const nnd_case *c, bool theory, bool simulation);

int cli_run(nnd_context *ctx, const cli_options *options);
int cli_solve(nnd_context *ctx, const cli_options *options);
int cli_simulate(nnd_context *ctx, const cli_options *options);
int cli_validate(nnd_context *ctx, const cli_options *options);
int cli_find(nnd_context *ctx, const cli_options *options);
int cli_coordinates(nnd_context *ctx, const cli_options *options);
int cli_transfer(nnd_context *ctx, const cli_options *options);
int cli_spectrum(nnd_context *ctx, const cli_options *options);
int cli_similarity(nnd_context *ctx, const cli_options *options);
int cli_completions(nnd_context *ctx, const cli_options *options);
int cli_plot(nnd_context *ctx, const cli_options *options);
int cli_report(nnd_context *ctx, const cli_options *options);
int cli_export(nnd_context *ctx, const cli_options *options);
int cli_info(nnd_context *ctx, const cli_options *options);
int cli_models(nnd_context *ctx, const cli_options *options);
int cli_describe(nnd_context *ctx, const cli_options *options);

#endif
