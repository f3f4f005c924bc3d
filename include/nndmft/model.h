/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Models: a name, a parameter table, a variable table. No mathematics. */
#ifndef NNDMFT_MODEL_H
#define NNDMFT_MODEL_H

#include "nndmft/api.h"
#include "nndmft/dataset.h"
#include "nndmft/table.h"

NND_API_BEGIN

/** Discrete steps of gradient descent, or gradient flow; `integrator: gd | flow`. */
typedef enum { NND_DESCENT, NND_GRADIENT_FLOW } nnd_integrator;

/** A magnitude of networks that is a power of their width: at the last time, or its change. */
typedef enum { NND_MAGNITUDE, NND_MAGNITUDE_CHANGE } nnd_magnitude_kind;
/** Hidden layers that it is of, where its variable has the dimension `layer`. */
typedef enum { NND_ALL_LAYERS, NND_FIRST_LAYER, NND_DEEPER_LAYERS } nnd_magnitude_layers;

/** One line of the coordinate check (nndmft/coordinates.h). */
typedef struct {
    const char *name;     /**< NULL ends a list */
    const char *variable; /**< that is simulated; with two times: squared distances of its change */
    nnd_magnitude_kind kind;
    nnd_magnitude_layers layers;
    double power[6]; /**< of the size, from which the model's `magnitude_power` chooses */
} nnd_magnitude;

typedef struct {
    const char *name;
    const char *summary;
    const char *page; /**< of docs/theory, without .md */
    const nnd_param_table *params;
    size_t variable_count;
    const nnd_variable *variables;
    const char
        *loss; /**< a variable that grows without bound where training diverges; NULL: none */
    const nnd_view *views; /**< besides those that variables name; ends with a name NULL; or NULL */
    /** Options of the simulation alone: they stand under `simulate`, their fields in the struct of
     *  the parameters. NULL: there are none. */
    const nnd_param_table *simulate;
    /** Without the key `data`, other parameters say what is learned. */
    bool data_optional;
    /** A list of integers among the parameters that, unless it is given, holds the sizes of the
     *  simulation while theory is solved: at them it predicts networks. It is then no part of the
     *  resolved case. NULL: there is none. */
    const char *sizes;
    const nnd_magnitude *magnitudes; /**< whose powers of the size are known; NULL: none */
    /** The power that a magnitude has with these parameters; and whether any is known, if not false
     *  with an objection. */
    double (*magnitude_power)(const nnd_magnitude *magnitude, const void *params);
    bool (*magnitude_check)(const void *params, nnd_objection *objection);
    bool sized; /**< simulations have a size that grows to infinity; else giving one is an error */
    bool size_optional; /**< without one, the networks are those that the parameters describe */
    /**
     * Checks what one parameter's range cannot say, and settles values that follow from others.
     * Returns false with an objection filled in, or true with a warning to whoever reads the case
     * in its text, which is else left alone. NULL: ranges say it all.
     */
    bool (*check)(void *params, nnd_objection *objection);
    /** The file, relative to the case, that parameters name arrays of, NULL if they name none; and
     *  how they take those from it, with a message that names `path`. NULL: no model but for the
     *  key `data`. */
    const char *(*file)(const void *params);
    const char *file_key; /**< under which key they name it; NULL: file */
    nnd_status (*load)(nnd_context *ctx, void *params, const char *path, const nnd_frame *arrays);
} nnd_model;

/** Looks a model up; NULL if there is none of that name. */
const nnd_model *nnd_model_find(const char *name);
/** The i-th model in alphabetical order, NULL past the last. */
const nnd_model *nnd_model_at(size_t i);
/**
 * Fills the struct of a model's parameters with their defaults, those of the simulation's options
 * too. It owns its lists and texts: what a program replaces it frees, or lends and takes back
 * before nnd_model_clear. On failure it is cleared.
 */
NND_MUST_USE nnd_status nnd_model_defaults(nnd_context *ctx, const nnd_model *model, void *params);
/** Frees the lists and texts in a struct of parameters and zeroes it. */
void nnd_model_clear(const nnd_model *model, void *params);
/**
 * Checks parameters that a program has set, each by its table, then all together, and settles the
 * values that follow from others, as of those that are absent. They may be those of a resolved
 * case, changed. NND_E_INPUT with a message that names the parameter and what is allowed.
 */
NND_MUST_USE nnd_status nnd_model_settle(nnd_context *ctx, const nnd_model *model, void *params);
/** The check alone: `params` stay as they are. */
NND_MUST_USE nnd_status nnd_model_check(nnd_context *ctx, const nnd_model *model,
                                        const void *params);
/** Looks a variable of a model up; NULL if there is none. */
const nnd_variable *nnd_model_variable(const nnd_model *model, const char *name);

/** True if `dim` is among the dimensions of a variable, always or with some parameters. */
bool nnd_variable_has_dim(const nnd_variable *variable, const char *dim);
/** True if a frame has all dimensions that a variable needs, those in brackets left out. */
bool nnd_variable_fits(const nnd_variable *variable, const nnd_frame *frame);
/**
 * Adds a variable of the model (`x`), its standard errors (`x_se`) or the sizes that it is claimed
 * from (`x_min_size`), filled with NaN, over the dimensions of its table, those in brackets where
 * the frame has them; in a frame with the dimension `seed` that comes first. `*data` (may be NULL)
 * points to the values. NND_E_INPUT if the model has no such variable, or the frame lacks a
 * dimension.
 */
NND_MUST_USE nnd_status nnd_frame_add_variable(nnd_frame *frame, const nnd_model *model,
                                               const char *name, double **data);
/** Adds a variable that has no dimensions. */
NND_MUST_USE nnd_status nnd_frame_add_number(nnd_frame *frame, const nnd_model *model,
                                             const char *name, double value);

NND_API_END

#endif
