/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <gsl/gsl_errno.h>
#include <hdf5.h>
#include <signal.h>
#include <string.h>

#include "build_config.h"
#include "cli.h"

#ifdef NND_MPI
#include <mpi.h>
#endif

const cli_command CLI_COMMANDS[] = {
    {"run", "CASE", "theory, simulation if the case has one, and their comparison", 1, 1, "osfdx",
     cli_run},
    {"solve", "CASE", "theory only", 1, 1, "osfd", cli_solve},
    {"simulate", "CASE", "simulation only; goes on where an earlier one stopped", 1, 1, "osfd",
     cli_simulate},
    {"validate", "FILE [MC]", "compare what one file, or two, hold", 1, 2, "sx", cli_validate},
    {"plot", "FILE", "draw theory as lines and simulation as points", 1, 1, "oVwLl", cli_plot},
    {"export", "FILE", "write a table", 1, 1, "oVFg", cli_export},
    {"info", "FILE", "tell what a file holds and where it comes from", 1, 1, "", cli_info},
    {"models", "", "list the models", 0, 0, "", cli_models},
    {"describe", "MODEL", "parameters and variables of a model", 1, 1, "c", cli_describe},
    {NULL, NULL, NULL, 0, 0, NULL, NULL},
};

/* For the signal handler alone. */
static nnd_context *volatile interrupted_context;

static void on_signal(int number) {
    (void)number;
    if (interrupted_context != NULL)
        nnd_context_interrupt(interrupted_context);
}

static void set_signals(void) {
    struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    /* A full disk or a closed pipe is an error to report, not a reason to die. */
    sigaction(SIGXFSZ, &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static void log_line(void *user, nnd_log_level level, const char *line) {
    const cli_options *o = user;
    nnd_log_level loudest = o->verbose ? NND_LOG_DETAIL : o->quiet ? NND_LOG_WARNING : NND_LOG_NOTE;
    if (level > loudest)
        return;
    cli_progress_end();
    fprintf(stderr, "nndmft: %s%s\n", level == NND_LOG_WARNING ? "warning: " : "", line);
}

int cli_exit_code(nnd_status status) {
    switch (status) {
    case NND_OK:
        return EXIT_DONE;
    case NND_DIVERGED:
    case NND_NOT_CONVERGED:
        return EXIT_NOT_CONVERGED;
    case NND_E_MEMORY:
    case NND_E_INPUT:
    case NND_E_LIMIT:
        return EXIT_BAD_INPUT;
    case NND_E_IO:
    case NND_E_FORMAT:
        return EXIT_IO;
    case NND_E_INTERRUPTED:
        return EXIT_INTERRUPTED;
    }
    return EXIT_BAD_INPUT;
}

#ifdef NND_MPI
static nnd_status agree(void *user, nnd_status status) {
    (void)user;
    int mine = status, lowest = status;
    MPI_Allreduce(&mine, &lowest, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    return (nnd_status)lowest;
}
#endif

static nnd_context *new_context(cli_options *options) {
    nnd_context_options o = {
        .threads = options->threads,
        .memory_limit = (size_t)options->memory,
        .log = log_line,
        .progress = options->quiet ? NULL : cli_progress,
        .user = options,
    };
#ifdef NND_MPI
    MPI_Comm_rank(MPI_COMM_WORLD, &o.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &o.ranks);
    o.agree = agree;
    if (o.rank > 0)
        o.progress = NULL;
#endif
    return nnd_context_new(&o);
}

static int execute(const cli_command *command, int argc, char **argv) {
    cli_options options = {0};
    cli_parse(command, argc, argv, &options);
    nnd_context *ctx = new_context(&options);
    if (ctx == NULL) {
        fprintf(stderr, "nndmft: out of memory\n");
        cli_options_clear(&options);
        return EXIT_BAD_INPUT;
    }
    interrupted_context = ctx;
    int code = command->run(ctx, &options);
    cli_progress_end();
    if (code != EXIT_DONE && nnd_context_message(ctx)[0] != '\0')
        fprintf(stderr, "nndmft: %s\n", nnd_context_message(ctx));
    if (fflush(stdout) != 0 && code == EXIT_DONE) {
        fprintf(stderr, "nndmft: stdout: cannot write\n");
        code = EXIT_IO;
    }
    interrupted_context = NULL;
    nnd_context_free(ctx);
    cli_options_clear(&options);
    return code;
}

static int dispatch(int argc, char **argv) {
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        cli_overview(stdout);
        return argc > 1 ? EXIT_DONE : EXIT_BAD_INPUT;
    }
    if (strcmp(word, "--version") == 0) {
        printf("nndmft %s (%s)\n", nnd_version(), nnd_git_describe());
        return EXIT_DONE;
    }
    for (const cli_command *c = CLI_COMMANDS; c->name != NULL; c++)
        if (strcmp(c->name, word) == 0)
            return execute(c, argc - 1, argv + 1);
    fprintf(stderr, "nndmft: %s is not a command; `nndmft --help` lists them\n", word);
    return EXIT_BAD_INPUT;
}

int main(int argc, char **argv) {
    openblas_set_num_threads(1);
    gsl_set_error_handler_off();
    /* HDF5 reports through return values; it must not print by itself. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    set_signals();
#ifdef NND_MPI
    MPI_Init(&argc, &argv);
#endif
    int code = dispatch(argc, argv);
#ifdef NND_MPI
    MPI_Finalize();
#endif
    return code;
}
