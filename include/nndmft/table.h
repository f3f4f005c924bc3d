/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Tables that describe a model: its parameters (the fields of a plain struct) and its variables.
 * One generic function each does defaults, checking, reading from a case and writing back.
 */
#ifndef NNDMFT_TABLE_H
#define NNDMFT_TABLE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nndmft/api.h"
#include "nndmft/context.h"
#include "nndmft/dense.h"
#include "nndmft/drawing.h"
#include "nndmft/number.h"
#include "nndmft/value.h"

NND_API_BEGIN

/** Types of parameters and the C type of their field. */
typedef enum {
    NND_REAL,     /**< double; NaN when absent */
    NND_INTEGER,  /**< int64_t, at most NND_LARGEST_INTEGER in magnitude; NND_ABSENT when absent */
    NND_BOOL,     /**< bool */
    NND_CHOICE,   /**< int: index into `choices` */
    NND_TEXT,     /**< char *, owned by the struct; NULL when absent */
    NND_REALS,    /**< nnd_reals; a single number counts as a list of one */
    NND_INTEGERS, /**< nnd_integers; likewise */
    NND_TEXTS,    /**< nnd_texts; likewise */
    NND_DENSE,    /**< nnd_dense: rows of numbers, or the name of an array in a file */
    NND_GROUP     /**< a struct with a table of its own */
} nnd_param_type;

typedef struct {
    size_t count;
    double *value;
} nnd_reals;

typedef struct {
    size_t count;
    int64_t *value;
} nnd_integers;

typedef struct {
    size_t count;
    char **value;
} nnd_texts;

/** Allowed numbers; an open end is excluded. Infinity is allowed where an end is closed at it. */
typedef struct {
    double min, max;
    bool min_open, max_open;
} nnd_range;

/** Common ranges: any finite number (also what a text or choice has), > 0 and finite, >= 0 and
 * finite. */
#define NND_ANY                                                                                    \
    { .min = 0.0, .max = 0.0, .min_open = false, .max_open = false }
#define NND_POSITIVE                                                                               \
    { .min = 0.0, .max = INFINITY, .min_open = true, .max_open = true }
#define NND_NON_NEGATIVE                                                                           \
    { .min = 0.0, .max = INFINITY, .min_open = false, .max_open = true }

/** > 0, or inf. */
#define NND_POSITIVE_OR_INF                                                                        \
    { .min = 0.0, .max = INFINITY, .min_open = true, .max_open = false }
/** From `least` to `most`, both included. */
#define NND_BETWEEN(least, most)                                                                   \
    { .min = (least), .max = (most), .min_open = false, .max_open = false }

/** At least `least`, and finite. */
#define NND_FROM(least)                                                                            \
    { .min = (least), .max = INFINITY, .min_open = false, .max_open = true }

/** Of keys of random numbers. */
#define NND_SEED_KEYS                                                                              \
    { .min = 0, .max = NND_LARGEST_INTEGER }

typedef struct nnd_param_table nnd_param_table;

/** The one number of a list of numbers that a word stands for. */
#define NND_WORD INT64_MIN
/** Of an integer: absent. */
#define NND_ABSENT INT64_MIN

/** One parameter; all are dimensionless. */
typedef struct {
    const char *name;
    nnd_param_type type;
    size_t offset;        /**< of the field in the struct */
    const char *fallback; /**< default as written in a case; "null": absent */
    nnd_range range;      /**< of numbers; all zero: any finite number */
    const char *doc;
    const char *const *choices;   /**< NULL-terminated, of NND_CHOICE */
    const nnd_param_table *group; /**< members of NND_GROUP; absent, each has its default */
    const char *shorthand;        /**< of NND_GROUP: the member that a value stands for which is
                                       no mapping; NULL: there is none */
    const char *word;             /**< of NND_INTEGERS and NND_REALS: a text that may stand for the
                                       list, which is then the one number NND_WORD; NULL: none */
    const char *long_name;        /**< on an axis over it; NULL: its symbol, or else its name */
    const char *symbol;           /**< in legends, UTF-8; NULL: its name */
    const char *beyond;           /**< what to do with a number out of range, in words; or NULL */
    bool whole;                   /**< of NND_REAL and NND_REALS: whole numbers, or infinity */
} nnd_param;

/** A table of parameters. */
struct nnd_param_table {
    const nnd_param *param;
    size_t count;
    size_t size; /**< of the struct */
};

/** What a model's own check objects to: a key and what is wrong with it. */
typedef struct {
    char key[64];
    char text[256];
} nnd_objection;

/** Fills in an objection (printf format) and returns false. */
bool nnd_object(nnd_objection *objection, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** How an ensemble turns seeds into a variable (the jackknife gives each its standard error). */
typedef enum {
    NND_MEAN,     /**< mean over seeds of the variable itself */
    NND_NVAR,     /**< size times the variance over seeds of a */
    NND_NCOV,     /**< size times the covariance over seeds of a and b */
    NND_RATIO,    /**< mean of a over mean of b */
    NND_SD,       /**< standard deviation over seeds of a */
    NND_ENSEMBLE, /**< half the square of the mean over seeds of a, averaged over the last dimension
                       of a; without what few seeds add to it */
    NND_SLOPE,    /**< coefficient of 1/size in the fit of the mean of a over two or more sizes */
    NND_AT_SIZES  /**< the variable a at each size, over the dimension b, which has the sizes as
                       coordinates; of an ensemble without a size a itself */
} nnd_estimator_kind;

typedef struct {
    nnd_estimator_kind kind;
    const char *a, *b; /**< per-seed variables (but for AT_SIZES); NULL a: the variable itself */
} nnd_estimator;

/** What the comparison demands of a simulated variable. */
typedef enum {
    NND_CHECK_EQUAL,
    NND_CHECK_AT_LEAST,
    NND_CHECK_AT_MOST,
    NND_CHECK_NONE
} nnd_check_kind;

typedef struct {
    nnd_check_kind kind;
    const char *bound; /**< of the one-sided checks: a number or a theory variable; NULL: itself */
} nnd_check;

/** Attribute of x_min_size in a frame of theory: the order of the correction that it is for. */
#define NND_CORRECTION "correction"
/** Attribute of x_min_size in a frame of theory: why it is not 0 somewhere, in words. */
#define NND_REASON "reason"
/**
 * A difference from an exact simulation that is rounding, relative to the largest |theory|. Theory
 * whose map makes more of its rounding claims nothing there.
 */
#define NND_ROUNDING 1e-9

/** One variable. */
typedef struct {
    const char *name;
    const char *dims; /**< comma-separated, without sweep, size and seed; in brackets what it has
                           with some parameters only: "[t],matrix" */
    const char *long_name;
    const char *equation; /**< PAGE.md#ANCHOR of docs/theory: what stands there */
    const char *view;     /**< the picture it belongs to; NULL: none */
    const char *unit;     /**< NULL: dimensionless */
    nnd_estimator estimator;
    nnd_check check;
    bool nullable;      /**< NaN is a legal value */
    bool unbounded;     /**< infinity is a legal value, as at a threshold */
    bool lead;          /**< its view is drawn unless asked, if theory has a finite value of it */
    const char *symbol; /**< as formulas have it, beside the long name on axes, UTF-8; or NULL */
    nnd_drawing drawing;
} nnd_variable;

/** The unit of a variable as files carry it; "1" if dimensionless. */
static inline const char *nnd_variable_unit(const nnd_variable *variable) {
    return variable->unit != NULL ? variable->unit : "1";
}

/**
 * Fills the struct `out` (table->size bytes): defaults, then the keys of `map` (a mapping, or NULL
 * for none). `prefix` names the mapping in messages ("params"). Unknown keys, wrong types and
 * values out of range fail with NND_E_INPUT and a message that begins with the place. On success
 * `out` owns its lists and texts: free with nnd_params_clear. On failure it is cleared.
 */
NND_MUST_USE nnd_status nnd_params_read(nnd_context *ctx, const nnd_param_table *table,
                                        const nnd_value *map, const char *prefix, void *out);
/**
 * The same into a zeroed struct, or one whose other fields another table has filled: nothing else
 * is touched, and nothing cleared on failure.
 */
NND_MUST_USE nnd_status nnd_params_read_more(nnd_context *ctx, const nnd_param_table *table,
                                             const nnd_value *map, const char *prefix, void *out);
/**
 * Fails with NND_E_INPUT, as nnd_params_read does, unless `map` is a mapping (or NULL) of keys that
 * `table` knows or, where two share one mapping, `more` (else NULL).
 */
NND_MUST_USE nnd_status nnd_params_check_keys(nnd_context *ctx, const nnd_param_table *table,
                                              const nnd_param_table *more, const nnd_value *map,
                                              const char *prefix);
/**
 * Checks values that a program has set in a struct as nnd_params_read checks those of a case:
 * ranges, choices, lists that are there. NND_E_INPUT with a message that begins with the name.
 */
NND_MUST_USE nnd_status nnd_params_check(nnd_context *ctx, const nnd_param_table *table,
                                         const void *params, const char *prefix);
/** True if the numbers of a parameter are whole: its type says so, or `whole`. */
bool nnd_param_is_whole(const nnd_param *param);
/** True if a number is in the range of a parameter (and whole, where it must be). */
bool nnd_param_holds(const nnd_param *param, double x);
/** True if a list, the field of a parameter, is what its word stands for. */
bool nnd_param_is_word(const nnd_param *param, const void *field);
/** Frees what the fields of the table own; does not zero the rest of the struct. */
void nnd_params_release(const nnd_param_table *table, void *params);
/** Frees lists and texts in the struct and zeroes it. */
void nnd_params_clear(const nnd_param_table *table, void *params);
/** The value of a parameter as a new tree that nnd_params_read accepts; NULL when out of memory. */
nnd_value *nnd_param_value(const nnd_param *param, const void *params);
/** What a parameter accepts, in words ("a number > 0, or inf"), into `text`. */
void nnd_param_allowed(const nnd_param *param, size_t size, char *text);
/** Looks a parameter up; NULL if there is none of that name. */
const nnd_param *nnd_param_find(const nnd_param_table *table, const char *name);

NND_API_END

#endif
