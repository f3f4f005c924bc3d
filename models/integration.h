/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Gradient descent and gradient flow among the parameters of a model: rows, and what follows. */
#ifndef NNDMFT_MODELS_INTEGRATION_H
#define NNDMFT_MODELS_INTEGRATION_H

#include "core/rows.h"
#include "nndmft/drawing.h"

/** Choices of `integrator` and, of theory, `method` (nnd_method). */
static const char *const NND_INTEGRATORS[] = {"gd", "flow", NULL};

/** The edge beside `stability`, a variable `stability_edge`. */
static const nnd_guide NND_STABILITY_EDGE[] = {
    {"stability_edge", "edge of stability", NND_GUIDE_LIMIT}, {NULL}};

/* clang-format off */
/** Fields are called like the parameters. */
#define NND_DESCENT_ROWS(structure, decay)                                                         \
    {"momentum", NND_FIELD(REAL, structure, momentum), "0",                                        \
     {.min = 0, .max = 1, .max_open = true}, "heavy-ball momentum of gd"},                         \
    {"weight_decay", NND_FIELD(REAL, structure, weight_decay), "0",                                \
     {.min = 0, .max = 1, .max_open = true}, decay},                                               \
    NND_SCHEDULE_ROW(structure),                                                                    \
    {"integrator", NND_FIELD(CHOICE, structure, integrator), "gd", NND_ANY,                        \
     "gradient descent, or gradient flow up to `time`", .choices = NND_INTEGRATORS}
#define NND_RATE_ROW(structure, meaning)                                                           \
    {"lr", NND_FIELD(REAL, structure, lr), "null", NND_POSITIVE,                                   \
     "learning rate eta0 of gd (default 0.1); the raw rate is " meaning, .symbol = "η₀",           \
     .long_name = "learning rate"}
#define NND_STEPS_ROW(structure, most)                                                             \
    {"steps", NND_FIELD(INTEGER, structure, steps), "null", NND_BETWEEN(0, most),                  \
     "T, number of steps (default 40); a flow with `steps` is on a fixed grid"}
#define NND_TIME_ROW(structure)                                                                    \
    {"time", NND_FIELD(REAL, structure, time), "null", NND_POSITIVE,                               \
     "flow: final time tau = lr * step (default 1)"}
/** What nnd_integration_check has checked. */
#define NND_MARKS_ROWS(structure)                                                                  \
    {"record", NND_FIELD(REALS, structure, record), "null", NND_NON_NEGATIVE,                      \
     "to record besides the last: steps, or times of an adaptive flow (default: 200 log-spaced); " \
     "log: the first one and 20 per decade", .word = "log"},                                       \
    {"record_every", NND_FIELD(INTEGER, structure, record_every), "1", NND_BETWEEN(1, 1e7),        \
     "record every n-th step, when there is no `record`"}
/* clang-format on */

/** These parameters of a model; `method` of nnd_method. */
typedef struct {
    int integrator;
    int *method;
    const char *const *methods; /**< their names */
    int method_of_descent;      /**< the one that descent may have besides auto */
    double *lr, *time;          /**< settled: the one that is not the integrator's is NaN */
    int64_t *steps;             /**< settled: NND_ABSENT for an adaptive flow */
    const nnd_reals *record;
    int64_t record_every;
    double momentum, weight_decay; /**< a decay that flow has too is 0 here */
    const nnd_rates *schedule;
} nnd_integration;

/** Settles what is absent, and refuses what belongs to the other integrator; then `record`. */
bool nnd_integration_settle(const nnd_integration *x, nnd_objection *o);
bool nnd_integration_check_record(const nnd_integration *x, nnd_objection *o);
/** Whether it is a flow that chooses its steps itself. */
bool nnd_integration_adapts(int integrator, int method);
/** The time `t` of a recorded step, or of a recorded time of an adaptive flow. */
double nnd_integration_time(int integrator, int method, double time, int64_t steps, double mark);

#endif
