/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A tree of values as a case file holds them: scalars (kept as text), lists, mappings, each with
 * the place it was read from. What a scalar means is decided where its type is known.
 */
#ifndef NNDMFT_VALUE_H
#define NNDMFT_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "nndmft/api.h"
#include "nndmft/context.h"

NND_API_BEGIN

typedef enum { NND_VALUE_SCALAR, NND_VALUE_LIST, NND_VALUE_MAP } nnd_value_kind;

typedef struct nnd_value nnd_value;
/** A node; owns its children, keys and texts. */
struct nnd_value {
    nnd_value_kind kind;
    char *text;       /**< of a scalar */
    bool quoted;      /**< the scalar stood in quotes: always text, never null or a number */
    char *where;      /**< "file:line:column", "--set KEY", or "" */
    size_t count;     /**< children of a list or mapping */
    char **key;       /**< of a mapping */
    nnd_value **item; /**< children */
};

/** New nodes; NULL when out of memory. Texts are copied; they are UTF-8. */
nnd_value *nnd_value_scalar(const char *text, bool quoted, const char *where);
nnd_value *nnd_value_list(const char *where);
nnd_value *nnd_value_map(const char *where);
/** Deep copy, NULL when out of memory. */
nnd_value *nnd_value_copy(const nnd_value *value);
/** Frees a tree; NULL is allowed. */
void nnd_value_free(nnd_value *value);

/** Appends to a list, takes ownership of `item` (freed on failure; NULL fails). */
bool nnd_value_append(nnd_value *list, nnd_value *item);
/** Sets a key of a mapping, replacing what it held; takes ownership as above. */
bool nnd_value_put(nnd_value *map, const char *key, nnd_value *item);
/** The same for a key that the mapping is known not to have, in constant time. */
bool nnd_value_add(nnd_value *map, const char *key, nnd_value *item);
/**
 * Position of the first key of a mapping that stands there a second time; its number of keys if
 * there is none. False when out of memory.
 */
bool nnd_value_repeats(nnd_value *map, size_t *second);
/** Removes a key of a mapping, if it is there. */
void nnd_value_remove(nnd_value *map, const char *key);
/** Looks a key up; NULL if absent or `map` is NULL or not a mapping. */
const nnd_value *nnd_value_get(const nnd_value *map, const char *key);

/** True if two trees are the same but for the places they were read from; NULL equals only NULL. */
bool nnd_value_equal(const nnd_value *a, const nnd_value *b);
/** True for an unquoted null, ~ or empty scalar. */
bool nnd_value_is_null(const nnd_value *value);
/** Reads a finite number, inf, -inf or nan (YAML spellings too); false if it is none. */
bool nnd_value_number(const nnd_value *value, double *number);
/** Reads true or false; false if it is neither. */
bool nnd_value_bool(const nnd_value *value, bool *truth);
/** One-line description of a value for messages ("0", "a list", "a mapping"), into `text`. */
void nnd_value_describe(const nnd_value *value, size_t size, char *text);

NND_API_END

#endif
