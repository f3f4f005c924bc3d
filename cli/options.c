/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "core/utf8.h"

enum {
    KEY_SET = 256,
    KEY_THREADS,
    KEY_MEMORY,
    KEY_FORCE,
    KEY_DRY_RUN,
    KEY_STRICT,
    KEY_DETECT,
    KEY_VAR,
    KEY_VIEW,
    KEY_PARAM,
    KEY_ZERO,
    KEY_MIN,
    KEY_MAX,
    KEY_AT,
    KEY_POINTS,
    KEY_LOG,
    KEY_LIST,
    KEY_FORMAT,
    KEY_GROUP,
    KEY_CASE
};

/* An option and the letter by which commands name it; '*' goes with every command. */
typedef struct {
    char letter;
    struct argp_option option;
} lettered_option;

#define OPTION(letter, name, key, arg, doc)                                                        \
    {                                                                                              \
        letter, {                                                                                  \
            name, key, arg, 0, doc, 0                                                              \
        }                                                                                          \
    }

static const lettered_option OPTIONS[] = {
    OPTION('o', "output", 'o', "FILE", "write to FILE (- is standard output, for tables)"),
    OPTION('s', "set", KEY_SET, "KEY=VALUE",
           "override a key of the case, as params.gamma0=2; null removes it (repeatable)"),
    OPTION('f', "force", KEY_FORCE, NULL,
           "replace results, and discard finished blocks, of another case or build"),
    OPTION('d', "dry-run", KEY_DRY_RUN, NULL,
           "say what would be done, and what it costs, without doing it"),
    OPTION('x', "strict", KEY_STRICT, NULL, "exit 4 for an inconclusive comparison too"),
    OPTION('D', "detect", KEY_DETECT, "KEY=FACTOR",
           "say how many seeds would notice that a parameter is wrong by this factor (repeatable)"),
    OPTION('V', "var", KEY_VAR, "NAME", "take this variable (repeatable, or a list with commas)"),
    OPTION('w', "view", KEY_VIEW, "NAME", "the picture to draw"),
    OPTION('L', "log", KEY_LOG, "AXES", "logarithmic axes: x, y or xy"),
    OPTION('l', "list", KEY_LIST, NULL, "list what can be drawn"),
    OPTION('F', "format", KEY_FORMAT, "FORMAT", "csv (default) or json"),
    OPTION('g', "group", KEY_GROUP, "GROUP", "theory (default), mc, seeds or compare"),
    OPTION('p', "param", KEY_PARAM, "NAME=LOW:HIGH", "the parameter to vary, and where"),
    OPTION('p', "zero", KEY_ZERO, "VAR[=LEVEL]", "find where the variable is 0, or LEVEL"),
    OPTION('p', "min", KEY_MIN, "VAR", "find the least value of the variable"),
    OPTION('p', "max", KEY_MAX, "VAR", "find the largest value of the variable"),
    OPTION('p', "points", KEY_POINTS, "N", "points of the first scan (default 129)"),
    OPTION('p', "at", KEY_AT, "COORDINATES", "where to read the variable, as t=40,layer=1"),
    OPTION('c', "case", KEY_CASE, NULL, "print a commented case file"),
    OPTION('*', "threads", KEY_THREADS, "N",
           "worker threads (default: all that the process may use)"),
    OPTION('*', "memory", KEY_MEMORY, "GB", "memory that may be planned for (default: 80 %)"),
    OPTION('*', "quiet", 'q', NULL, "no progress, no notes"),
    OPTION('*', "verbose", 'v', NULL, "more notes"),
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS };

typedef struct {
    const cli_command *command;
    cli_options *options;
} parse_state;

static void add_text(struct argp_state *state, nnd_texts *texts, const char *text, size_t length) {
    char **grown = realloc(texts->value, (texts->count + 1) * sizeof *grown);
    char *copy = strndup(text, length);
    if (grown == NULL || copy == NULL)
        argp_failure(state, EXIT_BAD_INPUT, 0, "out of memory");
    texts->value = grown;
    texts->value[texts->count++] = copy;
}

static void add_names(struct argp_state *state, nnd_texts *texts, const char *list) {
    size_t before = texts->count;
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (length > 0)
            add_text(state, texts, at, length);
        at += length + (at[length] == ',');
    }
    if (texts->count == before)
        argp_error(state, "--var: \"%s\" names no variable", list);
}

static double positive_number(struct argp_state *state, const char *name, const char *text) {
    char *end;
    double x = nnd_number_parse(text, &end);
    if (*end != '\0' || !(x > 0.0 && x < 1e9))
        argp_error(state, "--%s: %s is not a number > 0 and < 1e9", name, text);
    return x;
}

static int whole_number(struct argp_state *state, const char *name, const char *text, int least,
                        int most) {
    char *end;
    double x = nnd_number_parse(text, &end);
    if (end == text || *end != '\0' || !(x >= least && x <= most) || x != (int)x)
        argp_error(state, "--%s: %s is not an integer from %d to %d", name, text, least, most);
    return (int)x;
}

static const char *one_of(struct argp_state *state, const char *name, const char *text,
                          const char *allowed) {
    size_t length = strlen(text);
    for (const char *at = allowed; *at != '\0';) {
        size_t n = strcspn(at, " ");
        if (n == length && strncmp(at, text, n) == 0)
            return text;
        at += n + (at[n] == ' ');
    }
    argp_error(state, "--%s: %s is not one of: %s", name, text, allowed);
    return text;
}

/* Where an option is noted that is there or not; NULL for all others. */
static bool *flag_of(cli_options *o, int key) {
    switch (key) {
    case 'q':
        return &o->quiet;
    case 'v':
        return &o->verbose;
    case KEY_FORCE:
        return &o->force;
    case KEY_DRY_RUN:
        return &o->dry_run;
    case KEY_STRICT:
        return &o->strict;
    case KEY_LIST:
        return &o->list;
    case KEY_CASE:
        return &o->as_case;
    default:
        return NULL;
    }
}

/* Where an option's argument is kept that is looked at later; NULL for all others. */
static const char **text_of(cli_options *o, int key) {
    switch (key) {
    case 'o':
        return &o->output;
    case KEY_VIEW:
        return &o->view;
    case KEY_PARAM:
        return &o->param;
    case KEY_ZERO:
        return &o->zero;
    case KEY_MIN:
        return &o->min;
    case KEY_MAX:
        return &o->max;
    case KEY_AT:
        return &o->at;
    default:
        return NULL;
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    const parse_state *s = state->input;
    cli_options *o = s->options;
    if (flag_of(o, key) != NULL)
        *flag_of(o, key) = true;
    else if (text_of(o, key) != NULL)
        *text_of(o, key) = arg;
    else
        switch (key) {
        case KEY_SET:
            add_text(state, &o->set, arg, strlen(arg));
            break;
        case KEY_DETECT:
            add_text(state, &o->detect, arg, strlen(arg));
            break;
        case KEY_THREADS:
            o->threads = whole_number(state, "threads", arg, 1, 4096);
            break;
        case KEY_MEMORY:
            o->memory = 1e9 * positive_number(state, "memory", arg);
            break;
        case KEY_VAR:
            add_names(state, &o->vars, arg);
            break;
        case KEY_LOG:
            o->log = one_of(state, "log", arg, "x y xy yx");
            break;
        case KEY_FORMAT:
            o->format = one_of(state, "format", arg, "csv json");
            break;
        case KEY_GROUP:
            o->group = one_of(state, "group", arg, "theory mc seeds compare");
            break;
        case KEY_POINTS:
            o->points = (size_t)whole_number(state, "points", arg, 3, 1000000);
            break;
        case ARGP_KEY_ARG:
            add_text(state, &o->args, arg, strlen(arg));
            break;
        case ARGP_KEY_END:
            if (o->args.count < s->command->min_args)
                argp_error(state, "%s is missing", s->command->args);
            if (o->args.count > s->command->max_args)
                argp_error(state, "unexpected argument %s", o->args.value[s->command->max_args]);
            break;
        default:
            return ARGP_ERR_UNKNOWN;
        }
    return 0;
}

static void print_version(FILE *out, struct argp_state *state) {
    (void)state;
    fprintf(out, "nndmft %s (%s)\n", nnd_version(), nnd_git_describe());
}

static char *join_words(const char *command, int argc, char **argv) {
    size_t length = strlen("nndmft ") + strlen(command) + 1;
    for (int i = 1; i < argc; i++)
        length += strlen(argv[i]) + 1;
    char *text = malloc(length);
    if (text == NULL)
        return NULL;
    char *end = stpcpy(stpcpy(text, "nndmft "), command);
    for (int i = 1; i < argc; i++)
        end = stpcpy(stpcpy(end, " "), argv[i]);
    char *copy = nnd_utf8_copy(text);
    free(text);
    return copy;
}

const struct argp_option *cli_option_at(const cli_command *command, size_t i) {
    for (size_t k = 0; k < OPTION_COUNT; k++) {
        bool taken =
            OPTIONS[k].letter == '*' || strchr(command->options, OPTIONS[k].letter) != NULL;
        if (taken && i-- == 0)
            return &OPTIONS[k].option;
    }
    return NULL;
}

void cli_parse(const cli_command *command, int argc, char **argv, cli_options *options) {
    struct argp_option taken[OPTION_COUNT + 1];
    memset(taken, 0, sizeof taken);
    for (size_t i = 0; cli_option_at(command, i) != NULL; i++)
        taken[i] = *cli_option_at(command, i);
    const struct argp argp = {taken, parse_option, command->args, command->summary,
                              NULL,  NULL,         NULL};
    parse_state state = {command, options};
    *options = (cli_options){.command = command->name, .format = "csv", .group = "theory"};
    argp_err_exit_status = EXIT_BAD_INPUT;
    argp_program_version_hook = print_version;
    char name[64];
    snprintf(name, sizeof name, "nndmft %s", command->name);
    argv[0] = name;
    options->history = join_words(command->name, argc, argv);
    argp_parse(&argp, argc, argv, 0, NULL, &state);
}

static void texts_clear(nnd_texts *texts) {
    for (size_t i = 0; i < texts->count; i++)
        free(texts->value[i]);
    free(texts->value);
}

void cli_options_clear(cli_options *options) {
    texts_clear(&options->args);
    texts_clear(&options->set);
    texts_clear(&options->vars);
    texts_clear(&options->detect);
    free(options->history);
    memset(options, 0, sizeof *options);
}

void cli_overview(FILE *out) {
    fprintf(out, "Usage: nndmft COMMAND [OPTION...] [ARGUMENT...]\n"
                 "Theory of neural-network training, and simulations that check it.\n\n");
    for (const cli_command *c = CLI_COMMANDS; c->name != NULL; c++)
        fprintf(out, "  %-11s %-10s %s\n", c->name, c->args, c->summary);
    fprintf(out, "\n`nndmft COMMAND --help` tells the options of a command.\n"
                 "Exit codes: 0 done, 2 bad usage or input, 3 diverged or not converged,\n"
                 "4 theory and simulation disagree, 5 input or output failed, 130 interrupted.\n");
}
