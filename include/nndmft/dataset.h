/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Data sets of fixed samples: the key `data` of a case, and the inputs, Gram matrix and targets
 * that it stands for. K^x = X X^T / D, rows of X are samples. Samples have one target, or one for
 * each of C outputs; or a class, `labels`, that stands for targets.
 */
#ifndef NNDMFT_DATASET_H
#define NNDMFT_DATASET_H

#include "nndmft/api.h"
#include "nndmft/frame.h"
#include "nndmft/table.h"

NND_API_BEGIN

/** How inputs are drawn. */
typedef enum {
    NND_GENERATE_NONE,
    NND_GENERATE_GAUSSIAN,  /**< independent standard normals */
    NND_GENERATE_SPHERE,    /**< uniform on |x|^2 = D */
    NND_GENERATE_WHITENED,  /**< orthogonal with |x|^2 = D, so K^x = 1 on the samples; needs P <= D
                             */
    NND_GENERATE_REGRESSION /**< gaussian with a teacher of norm 1, targets scaled to |w*| = 1 (the
                                minimiser of least norm on the training samples) */
} nnd_generate;

/** What generated targets are of u = w . x / sqrt(D), |w|^2 = D, before noise and scale. */
typedef enum {
    NND_TARGET_LINEAR,    /**< u */
    NND_TARGET_SIGN,      /**< sign of u */
    NND_TARGET_QUADRATIC, /**< (u^2 - 1)/sqrt 2 */
    NND_TARGET_RANDOM,    /**< independent standard normals */
    NND_TARGET_CLASSES    /**< the class of the output with the largest u; with one output the sign
                             of u */
} nnd_target_kind;

typedef struct {
    int kind;     /**< nnd_target_kind */
    double scale; /**< multiplies the targets, noise not included */
} nnd_target;

/** The key `data`; ranges, defaults and meaning: nnd_data_table. Absent matrices have no rows. */
typedef struct {
    nnd_dense gram, targets;                                  /**< P x P, P x C */
    nnd_dense test_gram, test_self, test_block, test_targets; /**< P' x P, P', P' x P', P' x C */
    nnd_dense labels, test_labels;   /**< P, P': classes 0..C-1, instead of targets */
    nnd_dense inputs, test_inputs;   /**< P x D, P' x D */
    nnd_dense covariance, minimizer; /**< d x d, d: population regression */
    char *file;                      /**< where named matrices stand, relative to the case */
    nnd_integers rows, test_rows;
    nnd_integers positive; /**< labels of the file that are class 1, all others 0 */
    bool standardize;
    char *checksum; /**< of the numbers read from `file`, 16 hexadecimal digits */
    int generate;   /**< nnd_generate */
    int64_t samples, test_samples, dim;
    nnd_target target;
    double noise;
    int64_t seed;
} nnd_data;

/** The table of nnd_data, for a parameter of type NND_GROUP. */
extern const nnd_param_table nnd_data_table;

/**
 * Whether shapes fit, numbers are finite and Gram matrices symmetric and positive semi-definite,
 * and exactly one kind of data is given (gram, inputs, generate; covariance and minimizer), without
 * keys that mean nothing to it. False with an objection whose key begins with "data". Named
 * matrices must have been read. For models of one output that is a number: labels are refused.
 */
bool nnd_data_check(const nnd_data *data, nnd_objection *objection);
/** nnd_data_check for models of C outputs that train on samples: targets are P x C; labels, and
 *  generated classes, are allowed: 0..C-1, or 0 and 1 with one output. */
bool nnd_data_check_outputs(const nnd_data *data, size_t outputs, nnd_objection *objection);
/** The same for losses of classes: targets are -1 and 1 with one output, else probabilities. */
bool nnd_data_check_classes(const nnd_data *data, size_t outputs, nnd_objection *objection);
/** True if checked data says classes, by `labels` or `target: classes`. */
bool nnd_data_has_classes(const nnd_data *data);
/** Attribute of the arrays of a file that is a link: messages then tell nothing of what it holds.
 */
#define NND_DATA_LINKED "linked"
/** True if the key `data` of a case says anything at all. */
bool nnd_data_given(const nnd_data *data);
/**
 * Fills the named matrices of `data` from the arrays of its file (a name stands for the array of
 * that name, or for the columns NAME0, NAME1, ...; several names for these arrays side by side),
 * takes the rows asked for, standardizes, and
 * sets the checksum, or compares it if the case gives one. NND_E_INPUT with a message that names
 * `path`.
 */
NND_MUST_USE nnd_status nnd_data_load(nnd_context *ctx, nnd_data *data, const char *path,
                                      const nnd_frame *arrays);
/** nnd_data_check for models that train on samples: covariance and minimizer are refused, too. */
bool nnd_data_check_samples(const nnd_data *data, nnd_objection *objection);
/** Number of training and of test samples that checked data stands for. */
size_t nnd_data_samples(const nnd_data *data);
size_t nnd_data_tests(const nnd_data *data);
/** Dimension of the inputs that simulations draw: with a Gram matrix alone the number of points. */
size_t nnd_data_dim(const nnd_data *data);

/** A data set: training samples first, then test samples. Free with nnd_dataset_clear. */
typedef struct {
    size_t samples, tests;
    size_t outputs;       /**< C */
    size_t dim;           /**< D, 0 if only the Gram matrix is known */
    double *inputs;       /**< (samples + tests) x dim; NULL if only the Gram matrix is known */
    double *gram;         /**< (samples + tests)^2; NULL if not asked for */
    double *targets;      /**< samples x outputs */
    double *test_targets; /**< tests x outputs; NULL if not known */
} nnd_dataset;

/**
 * The data set of checked data (not of covariance and minimizer, which has no samples). What a Gram
 * matrix leaves open between test samples is completed as if they were independent given the
 * training samples.
 */
NND_MUST_USE nnd_status nnd_dataset_make(nnd_context *ctx, const nnd_data *data, nnd_dataset *set);
/**
 * The same for C outputs. Class c is the target -1 (0) or 1 (1) of one output, else the unit vector
 * of output c, less 1/C for every output if `centred`.
 */
NND_MUST_USE nnd_status nnd_dataset_make_outputs(nnd_context *ctx, const nnd_data *data,
                                                 size_t outputs, bool centred, nnd_dataset *set);
/** The same without the Gram matrix, of order (samples + tests)^2, unless the data are given by it.
 */
NND_MUST_USE nnd_status nnd_dataset_make_inputs(nnd_context *ctx, const nnd_data *data,
                                                size_t outputs, bool centred, nnd_dataset *set);
/** The class that `outputs` values say, of a network or a target: the largest, of equal ones the
 *  first; with one output 1 if it is positive, else 0. */
size_t nnd_class_of(size_t outputs, const double *value);
/** Frees what the struct holds and zeroes it. */
void nnd_dataset_clear(nnd_dataset *set);
/**
 * Gives a data set without inputs some of dimension `dim` (0: as many as there are samples and
 * tests) that have exactly its Gram matrix; one with inputs stays as it is, and `dim` must be 0 or
 * theirs. NND_E_INPUT if dim is below the rank.
 */
NND_MUST_USE nnd_status nnd_dataset_reproduce(nnd_context *ctx, nnd_dataset *set, size_t dim);

NND_API_END

#endif
