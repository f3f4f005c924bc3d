/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <fcntl.h>
#include <gsl/gsl_errno.h>
#include <hdf5.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "build_config.h"
#include "cli.h"
#include "core/suggest.h"

#ifdef NND_MPI
#include <mpi.h>
#endif

const cli_command CLI_COMMANDS[] = {
    {"run", "CASE", "theory, simulation if the case has one, and their comparison", 1, 1, "osfdxD",
     cli_run},
    {"solve", "CASE", "theory only", 1, 1, "osfd", cli_solve},
    {"simulate", "CASE", "simulation only; goes on where an earlier one stopped", 1, 1, "osfd",
     cli_simulate},
    {"validate", "FILE [MC]", "compare what one file, or two, hold", 1, 2, "sxD", cli_validate},
    {"find", "CASE", "where theory is zero, least or largest, when it crosses, where it diverges",
     1, 1, "spP", cli_find},
    {"transfer", "CASE", "does the best learning rate stay where it is as networks grow", 1, 1,
     "osfPT", cli_transfer},
    {"coordinates", "CASE", "do networks scale with their width as they should", 1, 1, "osf",
     cli_coordinates},
    {"plot", "FILE [MINE]", "draw theory as lines and simulation as points", 1, 2, "oVwLl",
     cli_plot},
    {"report", "FILE...", "write a page about results, to read or to print", 1, 100, "o",
     cli_report},
    {"export", "FILE", "write a table of a result, or of the theory of a case", 1, 1, "osVFg",
     cli_export},
    {"info", "FILE", "tell what a file holds and where it comes from", 1, 1, "", cli_info},
    {"spectrum", "FILE...", "what singular values say of the matrices in files", 1, 1000, "omi",
     cli_spectrum},
    {"similarity", "A B", "how alike two representations of the same points are", 2, 2, "omS",
     cli_similarity},
    {"models", "", "list the models", 0, 0, "", cli_models},
    {"describe", "MODEL", "parameters and variables of a model", 1, 1, "c", cli_describe},
    {"completions", "SHELL", "completion script for bash or zsh", 1, 1, "", cli_completions},
    {NULL, NULL, NULL, 0, 0, NULL, NULL},
};

/* For the signal handler, and for agreements with other ranks. */
static nnd_context *volatile current_context;

static struct timespec interrupted_at;

/* Seconds of work since the signal; a process that is not given a processor gets more time. */
static double worked_since(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)(now.tv_sec - interrupted_at.tv_sec) +
           1e-9 * (double)(now.tv_nsec - interrupted_at.tv_nsec);
}

/* Work that looks for interrupts has ended by now. What does not look, one long eigenvalue problem
 * or the writing of a file, ends here: files are replaced as a whole, so that nothing is spoilt. */
static void on_alarm(int number) {
    static const char line[] = "nndmft: interrupted\n";
    static int waited;
    (void)number;
    if (worked_since() < 0.3 && waited++ < 10) {
        alarm(1);
        return;
    }
    (void)!write(STDERR_FILENO, line, sizeof line - 1);
    _exit(EXIT_INTERRUPTED);
}

static void on_signal(int number) {
    const struct sigaction late = {.sa_handler = on_alarm};
    (void)number;
    if (current_context == NULL || nnd_context_interrupted(current_context))
        return;
    nnd_context_interrupt(current_context);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &interrupted_at);
    sigaction(SIGALRM, &late, NULL);
    alarm(1);
}

/* One line on stderr, whatever the text holds. */
static void print_line(const char *prefix, const char *text) {
    fprintf(stderr, "nndmft: %s", prefix);
    nnd_print_visible(stderr, text);
    fputc('\n', stderr);
}

static void set_signals(void) {
    struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    /* A full disk is an error to report, a closed pipe a reason to end, but not without order. */
    sigaction(SIGXFSZ, &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

/* Gives closed standard descriptors something to be, lest a result land there. What is written to
 * such an output fails. */
static void fill_standard_descriptors(void) {
    int fd = STDIN_FILENO;
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd > STDERR_FILENO)
        close(fd);
}

bool cli_reader_left(void) {
    struct pollfd out = {STDOUT_FILENO, POLLOUT, 0};
    return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

/* Runs at every exit: output that cannot be written is a failure. */
static void check_stdout(int code, void *unused) {
    (void)unused;
    if (code != EXIT_DONE || (fflush(stdout) == 0 && !ferror(stdout)) || cli_reader_left())
        return;
    print_line("stdout: ", "cannot be written");
    _exit(EXIT_IO);
}

static void log_line(void *user, nnd_log_level level, const char *line) {
    const cli_options *o = user;
    nnd_log_level loudest = o->verbose ? NND_LOG_DETAIL : o->quiet ? NND_LOG_WARNING : NND_LOG_NOTE;
    if (level > loudest)
        return;
    cli_progress_hide();
    print_line(level == NND_LOG_WARNING ? "warning: " : "", line);
}

int cli_exit_code(nnd_status status) {
    switch (status) {
    case NND_OK:
        return EXIT_DONE;
    case NND_DIVERGED:
    case NND_NOT_CONVERGED:
    case NND_E_UNSOLVED:
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
/* Standard error of a rank that is silent. */
static int kept_stderr = -1;

/* Up to their first agreement all ranks do the same, and rank 0 alone says so. Results are its
 * business throughout. */
static void silence(void) {
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC), rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (null < 0 || rank == 0)
        return;
    kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(null, STDERR_FILENO);
    dup2(null, STDOUT_FILENO);
    close(null);
}

static void speak(void) {
    if (kept_stderr < 0)
        return;
    fflush(stderr);
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    kept_stderr = -1;
}

/* The failure of the first rank that has the lowest status becomes that of all. */
static nnd_status agree(void *user, nnd_status status) {
    struct {
        int status, rank;
    } mine = {status, 0}, lowest;
    char message[1024] = "";
    (void)user;
    MPI_Comm_rank(MPI_COMM_WORLD, &mine.rank);
    MPI_Allreduce(&mine, &lowest, 1, MPI_2INT, MPI_MINLOC, MPI_COMM_WORLD);
    if (lowest.status < NND_OK) {
        snprintf(message, sizeof message, "%s", nnd_context_message(current_context));
        MPI_Bcast(message, sizeof message, MPI_CHAR, lowest.rank, MPI_COMM_WORLD);
        nnd_fail(current_context, lowest.status, "%s", message);
    }
    speak();
    return (nnd_status)lowest.status;
}

static void end_mpi(void) {
    MPI_Finalize();
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
    current_context = ctx;
    int code = command->run(ctx, &options);
    cli_progress_end();
    /* A comparison that disagrees is no failure; the message would be of something older. */
    if (code != EXIT_DONE && code != EXIT_DISAGREES && nnd_context_rank(ctx) == 0 &&
        nnd_context_message(ctx)[0] != '\0')
        print_line("", nnd_context_message(ctx));
    alarm(0);
    current_context = NULL;
    nnd_context_free(ctx);
    cli_options_clear(&options);
    return code;
}

static int dispatch(int argc, char **argv) {
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        cli_overview(argc > 1 ? stdout : stderr);
        return argc > 1 ? EXIT_DONE : EXIT_BAD_INPUT;
    }
    if (strcmp(word, "--version") == 0) {
        printf("nndmft %s (%s)\n", nnd_version(), nnd_git_describe());
        return EXIT_DONE;
    }
    for (const cli_command *c = CLI_COMMANDS; c->name != NULL; c++)
        if (strcmp(c->name, word) == 0)
            return execute(c, argc - 1, argv + 1);
    char line[512];
    nnd_suggestion near = {.word = word};
    for (const cli_command *c = CLI_COMMANDS; c->name != NULL; c++)
        nnd_suggest(&near, "", c->name);
    snprintf(line, sizeof line, "%.100s is not a command; %s`nndmft --help` lists them", word,
             near.text);
    print_line("", line);
    return EXIT_BAD_INPUT;
}

int main(int argc, char **argv) {
    fill_standard_descriptors();
    on_exit(check_stdout, NULL);
    openblas_set_num_threads(1);
    gsl_set_error_handler_off();
    /* HDF5 reports through return values; it must not print by itself. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    set_signals();
#ifdef NND_MPI
    MPI_Init(&argc, &argv);
    atexit(end_mpi);
    silence();
#endif
    return dispatch(argc, argv);
}
