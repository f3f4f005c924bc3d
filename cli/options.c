/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <limits.h>
#include <stddef.h>
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
    KEY_SUBJECT,
    KEY_DIVERGES,
    KEY_FIRST,
    KEY_CROSS,
    KEY_WIDTH,
    KEY_DEPTH,
    KEY_LOSS,
    KEY_LOG,
    KEY_LIST,
    KEY_STYLE,
    KEY_WIDTHS,
    KEY_FONT,
    KEY_FORMAT,
    KEY_GROUP,
    KEY_CASE,
    KEY_DATASET,
    KEY_INIT,
    KEY_PICTURES,
    KEY_TABLE,
    KEY_TABLES,
    KEY_MEASURE,
    KEY_NEIGHBOURS,
    KEY_VARIANCE,
    KEY_PERMUTATIONS,
    KEY_RESAMPLES,
    KEY_SEED
};

/* What becomes of an option's argument. */
typedef enum {
    NOTED,    /* there is none: a bool becomes true */
    KEPT,     /* a text that is looked at later */
    CHOSEN,   /* a text, one of those that are allowed */
    ADDED,    /* one more of several */
    CONVERTED /* by read_argument */
} handling;

/* An option and the letter by which commands name it; '*' goes with every command. */
typedef struct {
    char letter;
    struct argp_option option;
    handling handling;
    size_t field; /* of cli_options, where it goes */
    const char *allowed;
} lettered_option;

#define ROW(letter, name, key, arg, handling, field, allowed, doc)                                 \
    { letter, {name, key, arg, 0, doc, 0}, handling, offsetof(cli_options, field), allowed }
#define OPTION(letter, name, key, arg, handling, field, doc)                                       \
    ROW(letter, name, key, arg, handling, field, NULL, doc)
#define CHOICE(letter, name, key, arg, field, allowed, doc)                                        \
    ROW(letter, name, key, arg, CHOSEN, field, allowed, doc)

static const lettered_option OPTIONS[] = {
    OPTION('o', "output", 'o', "FILE", KEPT, output,
           "write to FILE (- is standard output, for tables)"),
    OPTION('s', "set", KEY_SET, "KEY=VALUE", ADDED, set,
           "override a key of the case, as params.gamma0=2; null removes it (repeatable)"),
    OPTION('f', "force", KEY_FORCE, NULL, NOTED, force,
           "replace results, and discard finished blocks, of another case or build"),
    OPTION('d', "dry-run", KEY_DRY_RUN, NULL, NOTED, dry_run,
           "say what would be done, and what it costs, without doing it"),
    OPTION('x', "strict", KEY_STRICT, NULL, NOTED, strict,
           "exit 4 for an inconclusive comparison too"),
    OPTION('D', "detect", KEY_DETECT, "KEY=FACTOR", ADDED, detect,
           "say how many seeds would notice that a parameter is wrong by this factor (repeatable)"),
    OPTION('V', "var", KEY_VAR, "NAME", CONVERTED, vars,
           "take this variable (repeatable, or a list with commas)"),
    OPTION('w', "view", KEY_VIEW, "NAME", KEPT, view, "the picture to draw"),
    CHOICE('L', "log", KEY_LOG, "AXES", log, "x y xy yx", "logarithmic axes: x, y or xy"),
    CHOICE('l', "style", KEY_STYLE, "STYLE", style, "web paper talk",
           "web (default), paper (a column of 8.6 cm, its legend below) or talk (a slide)"),
    OPTION('l', "width", KEY_WIDTH, "LENGTH", CONVERTED, width,
           "width of the picture in cm, mm, in or pt, as 8.6cm"),
    OPTION('l', "font", KEY_FONT, "FAMILY", KEPT, font, "letters of this family (default sans)"),
    OPTION('l', "list", KEY_LIST, NULL, NOTED, list, "list what can be drawn"),
    CHOICE('F', "format", KEY_FORMAT, "FORMAT", format, "csv json", "csv (default) or json"),
    CHOICE('g', "group", KEY_GROUP, "GROUP", group, "theory mc seeds compare answers",
           "theory (default), mc, seeds, compare or answers"),
    OPTION('P', "param", KEY_PARAM, "NAME=LOW:HIGH", KEPT, param,
           "the parameter to vary, and where"),
    OPTION('p', "zero", KEY_ZERO, "VAR[=LEVEL]", KEPT, zero,
           "find where the variable is 0, or LEVEL"),
    OPTION('p', "min", KEY_MIN, "VAR", KEPT, min, "find the least value of the variable"),
    OPTION('p', "max", KEY_MAX, "VAR", KEPT, max, "find the largest value of the variable"),
    OPTION('p', "subject", KEY_SUBJECT, "CONDITION", KEPT, subject,
           "with --min or --max: only where this holds, as \"loss < 0.1\""),
    OPTION('p', "diverges", KEY_DIVERGES, NULL, NOTED, diverges,
           "find from where on training diverges"),
    OPTION('p', "first", KEY_FIRST, "CONDITION", KEPT, first,
           "find the first time at which this holds, as \"theta < 1e-3\" (without --param)"),
    OPTION('p', "cross", KEY_CROSS, "VAR=LEVEL", KEPT, cross,
           "find the first time at which the variable crosses the level (without --param)"),
    OPTION('P', "points", KEY_POINTS, "N", CONVERTED, points,
           "values of the parameter that are tried first (find: 129, transfer: 40)"),
    OPTION('p', "at", KEY_AT, "COORDINATES", KEPT, at,
           "where to read the variable, as t=40,layer=1"),
    OPTION('T', "width", KEY_WIDTHS, "LIST", KEPT, widths,
           "widths of networks, as 100,400 (default: those of the case)"),
    OPTION('T', "depth", KEY_DEPTH, "LIST", KEPT, depth, "depths, as 1,2,3"),
    OPTION('T', "var", KEY_LOSS, "NAME", KEPT, loss,
           "what is to be least (default: the training loss)"),
    OPTION('m', "dataset", KEY_DATASET, "NAME", ADDED, datasets,
           "look at this matrix only (repeatable)"),
    OPTION('i', "init", KEY_INIT, "FILE", KEPT, init,
           "the same matrices before training, to compare with"),
    OPTION('i', "pictures", KEY_PICTURES, "FOLDER", KEPT, pictures,
           "draw a picture of each matrix into FOLDER"),
    CHOICE('i', "format", KEY_TABLE, "FORMAT", format, "table json", "table (default) or json"),
    CHOICE('S', "format", KEY_TABLES, "FORMAT", format, "table csv json",
           "table (default), csv or json"),
    OPTION('S', "measure", KEY_MEASURE, "NAME", CONVERTED, measures,
           "take this measure (repeatable, or a list with commas; default: all)"),
    OPTION('S', "k", KEY_NEIGHBOURS, "N", CONVERTED, similarity,
           "neighbours of knn_overlap (default 10)"),
    OPTION('S', "variance", KEY_VARIANCE, "X", CONVERTED, similarity,
           "share of the variance that svcca keeps (default 0.99)"),
    OPTION('S', "permutations", KEY_PERMUTATIONS, "N", CONVERTED, similarity,
           "orders of the points behind null levels (default 100; 0: none)"),
    OPTION('S', "resamples", KEY_RESAMPLES, "N", CONVERTED, similarity,
           "sets of points behind standard errors (default 50; 0: none)"),
    OPTION('S', "seed", KEY_SEED, "N", CONVERTED, similarity,
           "seed of these orders and sets (default 0)"),
    OPTION('c', "case", KEY_CASE, NULL, NOTED, as_case, "print a commented case file"),
    OPTION('*', "threads", KEY_THREADS, "N", CONVERTED, threads,
           "worker threads (default: all that the process may use)"),
    OPTION('*', "memory", KEY_MEMORY, "GB", CONVERTED, memory,
           "memory that may be planned for (default: 80 %)"),
    OPTION('*', "quiet", 'q', NULL, NOTED, quiet, "no progress, no notes"),
    OPTION('*', "verbose", 'v', NULL, NOTED, verbose, "more notes"),
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

static void add_names(struct argp_state *state, nnd_texts *texts, const char *option,
                      const char *what, const char *list) {
    size_t before = texts->count;
    for (const char *at = list; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (length > 0)
            add_text(state, texts, at, length);
        at += length + (at[length] == ',');
    }
    if (texts->count == before)
        argp_error(state, "--%s: \"%s\" names no %s", option, list, what);
}

static double positive_number(struct argp_state *state, const char *name, const char *text) {
    char *end;
    double x = nnd_number_parse(text, &end);
    if (*end != '\0' || !(x > 0.0 && x < 1e9))
        argp_error(state, "--%s: %s is not a number > 0 and < 1e9", name, text);
    return x;
}

/* A length in cm. */
static double length(struct argp_state *state, const char *name, const char *text) {
    static const struct {
        const char *unit;
        double cm;
    } units[] = {{"cm", 1.0}, {"", 1.0}, {"mm", 0.1}, {"in", 2.54}, {"pt", 2.54 / 72.0}};
    char *end;
    double x = nnd_number_parse(text, &end);
    for (size_t i = 0; end != text && x > 0.0 && i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].unit) == 0)
            return x * units[i].cm;
    argp_error(state, "--%s: %s is not a length > 0 in cm, mm, in or pt, as 8.6cm", name, text);
    return 0.0;
}

static int whole_number(struct argp_state *state, const char *name, const char *text, int least,
                        int most) {
    char *end;
    double x = nnd_number_parse(text, &end);
    if (end == text || *end != '\0' || !(x >= least && x <= most) || x != (int)x)
        argp_error(state, "--%s: %s is not an integer from %d to %d", name, text, least, most);
    return (int)x;
}

static double share(struct argp_state *state, const char *name, const char *text) {
    char *end;
    double x = nnd_number_parse(text, &end);
    if (end == text || *end != '\0' || !(x > 0.0 && x <= 1.0))
        argp_error(state, "--%s: %s is not a number > 0 and <= 1", name, text);
    return x;
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

/* Arguments that are not kept as they are. */
static void read_argument(int key, const char *arg, struct argp_state *state, cli_options *o) {
    switch (key) {
    case KEY_THREADS:
        o->threads = whole_number(state, "threads", arg, 1, 4096);
        break;
    case KEY_MEMORY:
        o->memory = 1e9 * positive_number(state, "memory", arg);
        break;
    case KEY_VAR:
        add_names(state, &o->vars, "var", "variable", arg);
        break;
    case KEY_WIDTH:
        o->width = length(state, "width", arg);
        break;
    case KEY_POINTS:
        o->points = (size_t)whole_number(state, "points", arg, 3, 1000000);
        break;
    case KEY_MEASURE:
        add_names(state, &o->measures, "measure", "measure", arg);
        break;
    case KEY_NEIGHBOURS:
        o->similarity.neighbours = (size_t)whole_number(state, "k", arg, 1, 1000000);
        break;
    case KEY_VARIANCE:
        o->similarity.variance = share(state, "variance", arg);
        break;
    case KEY_PERMUTATIONS:
        o->similarity.permutations = (size_t)whole_number(state, "permutations", arg, 0, 1000000);
        break;
    case KEY_RESAMPLES:
        o->similarity.resamples = (size_t)whole_number(state, "resamples", arg, 0, 1000000);
        break;
    case KEY_SEED:
        o->similarity.key.base_seed = (uint64_t)whole_number(state, "seed", arg, 0, INT_MAX);
        break;
    }
}

static void take(const lettered_option *row, const char *arg, struct argp_state *state,
                 cli_options *o) {
    void *field = (char *)o + row->field;
    switch (row->handling) {
    case NOTED:
        *(bool *)field = true;
        break;
    case KEPT:
        *(const char **)field = arg;
        break;
    case CHOSEN:
        *(const char **)field = one_of(state, row->option.name, arg, row->allowed);
        break;
    case ADDED:
        add_text(state, field, arg, strlen(arg));
        break;
    case CONVERTED:
        read_argument(row->option.key, arg, state, o);
        break;
    }
}

static void check_count(const cli_command *command, const nnd_texts *args,
                        struct argp_state *state) {
    if (args->count < command->min_args)
        argp_error(state, "%s is missing", command->args);
    if (args->count > command->max_args)
        argp_error(state, "unexpected argument %s", args->value[command->max_args]);
}

static error_t parse_option(int key, char *arg, struct argp_state *state) {
    const parse_state *s = state->input;
    if (key == ARGP_KEY_ARG)
        add_text(state, &s->options->args, arg, strlen(arg));
    else if (key == ARGP_KEY_END)
        check_count(s->command, &s->options->args, state);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (OPTIONS[i].option.key == key) {
            take(&OPTIONS[i], arg, state, s->options);
            return 0;
        }
    return key == ARGP_KEY_ARG || key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
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
    *options = (cli_options){
        .command = command->name,
        .format = strchr(command->options, 'F') != NULL ? "csv" : "table",
        .group = "theory",
        .similarity = nnd_similarity_defaults(),
    };
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
    texts_clear(&options->datasets);
    texts_clear(&options->measures);
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
