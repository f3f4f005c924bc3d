/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A case: model, parameters at every sweep point, simulation, comparison. All defaults resolved.
 */
#ifndef NNDMFT_CASE_H
#define NNDMFT_CASE_H

#include "nndmft/api.h"
#include "nndmft/frame.h"
#include "nndmft/model.h"

NND_API_BEGIN

/** Cartesian product of parameter values; the last key varies fastest. */
typedef struct {
    size_t keys;
    nnd_dim **dim; /**< name and values of each key */
    size_t points; /**< product of the lengths, 1 without keys */
} nnd_sweep;

/** What to keep of an ensemble. */
typedef enum { NND_STORE_SUMMARY, NND_STORE_TRAJECTORIES, NND_STORE_WEIGHTS } nnd_storage;

/** The key `simulate` of a case. */
typedef struct {
    nnd_integers size;  /**< one or more; empty for a model without size */
    nnd_integers seeds; /**< one, or as many as sizes */
    int64_t base_seed;
    int storage; /**< nnd_storage */
} nnd_simulate;

/** The key `compare` of a case. */
typedef struct {
    double rtol;
    nnd_texts vars; /**< empty: all that theory and simulation share */
    double until;   /**< latest time that counts */
    double alpha;   /**< false alarms: at most this fraction of the runs whose theory is right */
} nnd_compare_options;

/** A resolved case; the struct and all it points to are freed by nnd_case_free. */
typedef struct {
    const nnd_model *model;
    char *name;
    char *output;
    nnd_sweep sweep;
    void **params; /**< one struct of model->params per sweep point */
    bool simulates;
    nnd_simulate simulate;
    nnd_compare_options compare;
    nnd_value *resolved; /**< the case with every default filled in, ready to be written */
} nnd_case;

/** Reads all numeric arrays of a data file (HDF5, CSV) into a new frame. */
typedef nnd_status (*nnd_data_reader)(nnd_context *ctx, const char *path, nnd_frame **arrays);

/** The data file that was read last. Zero-initialise; free with nnd_data_cache_clear. */
typedef struct {
    char *path;
    nnd_frame *arrays;
} nnd_data_cache;
/** Frees what the struct holds and zeroes it. */
void nnd_data_cache_clear(nnd_data_cache *cache);

/** Where a case comes from. */
typedef struct {
    const char *stem;      /**< default name: the file's name without folder and ending */
    const char *folder;    /**< that its data files are relative to; NULL: the working directory */
    nnd_data_reader read;  /**< NULL: cases that name a data file are refused */
    nnd_data_cache *cache; /**< kept from one case to the next; NULL: of one case alone. Cases may
                              be resolved side by side once it holds their file */
} nnd_case_source;

/**
 * Resolves the tree of a case file. Everything is checked, at every sweep point, before anything
 * runs; errors name the place, key and value. On success `*out` is owned by the caller.
 */
NND_MUST_USE nnd_status nnd_case_resolve(nnd_context *ctx, const nnd_value *tree,
                                         const nnd_case_source *source, nnd_case **out);
/**
 * A case without a sweep of parameters that a program has set, and of an ensemble, unless
 * `simulate` is NULL; both are copied. It is named after the model and has the defaults of
 * `compare`; c->compare may be changed. NND_E_INPUT as nnd_model_settle says, or if sizes and seeds
 * do not suit the model, or if the parameters name a data file: matrices are given as numbers here.
 */
NND_MUST_USE nnd_status nnd_case_new(nnd_context *ctx, const nnd_model *model, const void *params,
                                     const nnd_simulate *simulate, nnd_case **out);
/**
 * Checks a case that a program has changed: the parameters of every point, and, if it simulates,
 * sizes and seeds. nnd_theory_run and nnd_ensemble_run do it themselves. What files and blocks say
 * of a case is `resolved`, which does not follow changes: where results are stored, resolve a
 * changed tree instead.
 */
NND_MUST_USE nnd_status nnd_case_check(nnd_context *ctx, const nnd_case *c);
/** Frees a case; NULL is allowed. */
void nnd_case_free(nnd_case *c);

/** The section of a case in which a key stands: "simulate" for options of the simulation. */
const char *nnd_case_section(const nnd_model *model, const char *key);
/** Number of sizes the simulation runs at; 1 for a model without size. */
size_t nnd_case_sizes(const nnd_case *c);
/** The i-th size; 0 for a model without size. */
size_t nnd_case_size(const nnd_case *c, size_t i);
/** Number of seeds at the i-th size. */
size_t nnd_case_seeds(const nnd_case *c, size_t i);
/** Names sweep point `point`, as "gamma0=2, nu=1" ("" without a sweep), into `text`. */
void nnd_case_point_text(const nnd_case *c, size_t point, size_t size, char *text);
/** The tables that the keys `simulate` and `compare` follow. */
extern const nnd_param_table nnd_simulate_table, nnd_compare_table;

NND_API_END

#endif
