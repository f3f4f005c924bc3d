/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * How the rows of tables of parameters and variables are written: what every row has by position,
 * the rest by designator.
 *
 *     {"lr", NND_FIELD(REAL, nnd_my_model, lr), "0.1", NND_POSITIVE, "learning rate"},
 *     {"init", NND_FIELD(CHOICE, nnd_my_model, init), "zero", NND_ANY, "start", .choices = INITS},
 *     {"loss", "t", "training loss", "wide-mlp.md#s1: mean of Delta^2/2", "training"},
 *
 * For files that hold tables only: C17, and what a row leaves out is 0 without a warning.
 */
#ifndef NNDMFT_CORE_ROWS_H
#define NNDMFT_CORE_ROWS_H

#include "nndmft/dataset.h"
#include "nndmft/rates.h"
#include "nndmft/table.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/** The type of the parameters that a field of a struct can hold. */
#define NND_TYPE_OF(structure, field)                                                              \
    _Generic(((const structure *)NULL)->field,                                                     \
        double: NND_REAL,                                                                          \
        int64_t: NND_INTEGER,                                                                      \
        bool: NND_BOOL,                                                                            \
        int: NND_CHOICE,                                                                           \
        char *: NND_TEXT,                                                                          \
        nnd_reals: NND_REALS,                                                                      \
        nnd_integers: NND_INTEGERS,                                                                \
        nnd_texts: NND_TEXTS,                                                                      \
        nnd_dense: NND_DENSE,                                                                      \
        default: NND_GROUP)

/** Type (REAL, INTEGER, ...) and field of a parameter; does not compile where they differ. */
#define NND_FIELD(type, structure, field)                                                          \
    NND_##type, offsetof(structure, field) +                                                       \
                    0 * sizeof(struct {                                                            \
                        _Static_assert(NND_TYPE_OF(structure, field) == NND_##type,                \
                                       "the C type of the field is not that of its parameter");    \
                        char nothing;                                                              \
                    })

/** The table of an array of rows whose fields stand in `structure`. */
#define NND_TABLE(rows, structure)                                                                 \
    { rows, sizeof rows / sizeof *rows, sizeof(structure) }

/** The same as a pointer to a table without a name. */
#define NND_TABLE_OF(rows, structure) &(const nnd_param_table)NND_TABLE(rows, structure)

/** Variables of a model, for its struct. */
#define NND_VARIABLES(rows) .variable_count = sizeof rows / sizeof *rows, .variables = rows

/* ---- rows that models share: their fields are called like the parameters ---- */

/** `data`, on which a model trains and is tested. */
#define NND_DATA_ROW(structure)                                                                    \
    {                                                                                              \
        "data", NND_FIELD(GROUP, structure, data), "null", NND_ANY, "training and test samples",   \
            .group = &nnd_data_table                                                               \
    }

/** `schedule`: nnd_rates_check. */
#define NND_SCHEDULE_ROW(structure)                                                                \
    {                                                                                              \
        "schedule", NND_FIELD(GROUP, structure, schedule), "null", NND_ANY,                        \
            "gd: multipliers of lr: a list, {power: a} for (1 + n)^a or {factor: q} for q^n",      \
            .group = &nnd_rates_table, .shorthand = "list"                                         \
    }

/** Which steps 0..steps are recorded: nnd_steps_check, nnd_timegrid_make. */
#define NND_RECORD_STEPS_ROWS(structure)                                                           \
    {"record",                                                                                     \
     NND_FIELD(INTEGERS, structure, record),                                                       \
     "null",                                                                                       \
     NND_BETWEEN(0, 1e7),                                                                          \
     "steps to record, besides the last; log: the first one and 20 per decade",                    \
     .word = "log"},                                                                               \
    {                                                                                              \
        "record_every", NND_FIELD(INTEGER, structure, record_every), "1", NND_BETWEEN(1, 1e7),     \
            "record every n-th step, when there is no `record`"                                    \
    }

/** Which times of a flow, or steps of gd, are recorded: nnd_record_check, nnd_record_axis. */
#define NND_RECORD_ROWS(structure, every)                                                          \
    {"record",                                                                                     \
     NND_FIELD(REALS, structure, record),                                                          \
     "null",                                                                                       \
     NND_NON_NEGATIVE,                                                                             \
     "steps (gd) or times (flow; default: 200 log-spaced) to record, besides the last; log: the "  \
     "first one and 20 per decade",                                                                \
     .word = "log"},                                                                               \
    {                                                                                              \
        "record_every", NND_FIELD(INTEGER, structure, record_every), every, NND_BETWEEN(1, 1e8),   \
            "gd: record every n-th step, when there is no `record`"                                \
    }

/** Widths at which means are given. */
#define NND_AT_WIDTH_ROW(structure)                                                                \
    {                                                                                              \
        "at_width", NND_FIELD(REALS, structure, at_width), "null", NND_POSITIVE,                   \
            "widths at which the expected loss is given, to order 1/N, and outputs have a band"    \
    }

/** How well the loss is to be known: what `width_mean` and `width_sd` are for. */
#define NND_WITHIN_ROWS(structure)                                                                 \
    NND_AT_WIDTH_ROW(structure),                                                                   \
        {"loss_within", NND_FIELD(REAL, structure, loss_within), "0.05", NND_POSITIVE,             \
         "relative distance of the mean loss from its limit that `width_mean` allows"},            \
    {                                                                                              \
        "loss_sd_within", NND_FIELD(REAL, structure, loss_sd_within), "0.1", NND_POSITIVE,         \
            "relative standard deviation of the loss that `width_sd` allows"                       \
    }

/** The option `control` of a simulation; its field is a bool. */
#define NND_CONTROL_ROW(structure)                                                                 \
    {                                                                                              \
        "control", NND_FIELD(BOOL, structure, control), "true", NND_ANY,                           \
            "use observables at t = 0 with exactly known means to lower the variance"              \
    }

/** The check of a variable that is given, but not compared. */
#define NND_UNCHECKED                                                                              \
    { NND_CHECK_NONE, NULL }

#endif
