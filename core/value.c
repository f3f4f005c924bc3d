/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/number.h"

static nnd_value *value_new(nnd_value_kind kind, const char *where) {
    nnd_value *value = calloc(1, sizeof *value);
    if (value == NULL)
        return NULL;
    value->kind = kind;
    value->where = strdup(where);
    if (value->where == NULL) {
        free(value);
        return NULL;
    }
    return value;
}

nnd_value *nnd_value_scalar(const char *text, bool quoted, const char *where) {
    nnd_value *value = value_new(NND_VALUE_SCALAR, where);
    if (value == NULL)
        return NULL;
    value->quoted = quoted;
    value->text = strdup(text);
    if (value->text == NULL) {
        nnd_value_free(value);
        return NULL;
    }
    return value;
}

nnd_value *nnd_value_list(const char *where) {
    return value_new(NND_VALUE_LIST, where);
}

nnd_value *nnd_value_map(const char *where) {
    return value_new(NND_VALUE_MAP, where);
}

nnd_value *nnd_value_copy(const nnd_value *value) {
    if (value->kind == NND_VALUE_SCALAR)
        return nnd_value_scalar(value->text, value->quoted, value->where);
    nnd_value *copy = value_new(value->kind, value->where);
    for (size_t i = 0; copy != NULL && i < value->count; i++) {
        nnd_value *item = nnd_value_copy(value->item[i]);
        bool done = value->kind == NND_VALUE_LIST ? nnd_value_append(copy, item)
                                                  : nnd_value_add(copy, value->key[i], item);
        if (!done) {
            nnd_value_free(copy);
            return NULL;
        }
    }
    return copy;
}

void nnd_value_free(nnd_value *value) {
    if (value == NULL)
        return;
    for (size_t i = 0; i < value->count; i++) {
        nnd_value_free(value->item[i]);
        if (value->key != NULL)
            free(value->key[i]);
    }
    free(value->item);
    free(value->key);
    free(value->text);
    free(value->where);
    free(value);
}

/* Room for one more child (and key): there is room for as many as the next power of two. */
static bool reserve(nnd_value *value) {
    if ((value->count & (value->count - 1)) != 0)
        return true;
    size_t room = value->count > 0 ? 2 * value->count : 1;
    nnd_value **item = realloc(value->item, room * sizeof(nnd_value *));
    if (item == NULL)
        return false;
    value->item = item;
    if (value->kind != NND_VALUE_MAP)
        return true;
    char **key = realloc(value->key, room * sizeof(char *));
    if (key == NULL)
        return false;
    value->key = key;
    return true;
}

bool nnd_value_append(nnd_value *list, nnd_value *item) {
    if (item == NULL)
        return false;
    if (!reserve(list)) {
        nnd_value_free(item);
        return false;
    }
    list->item[list->count++] = item;
    return true;
}

bool nnd_value_put(nnd_value *map, const char *key, nnd_value *item) {
    if (item == NULL)
        return false;
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->key[i], key) == 0) {
            nnd_value_free(map->item[i]);
            map->item[i] = item;
            return true;
        }
    return nnd_value_add(map, key, item);
}

bool nnd_value_add(nnd_value *map, const char *key, nnd_value *item) {
    if (item == NULL)
        return false;
    char *name = strdup(key);
    if (name == NULL || !reserve(map)) {
        free(name);
        nnd_value_free(item);
        return false;
    }
    map->key[map->count] = name;
    map->item[map->count++] = item;
    return true;
}

void nnd_value_remove(nnd_value *map, const char *key) {
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->key[i], key) == 0) {
            nnd_value_free(map->item[i]);
            free(map->key[i]);
            size_t after = map->count - i - 1;
            memmove(map->item + i, map->item + i + 1, after * sizeof(nnd_value *));
            memmove(map->key + i, map->key + i + 1, after * sizeof(char *));
            map->count--;
            return;
        }
}

const nnd_value *nnd_value_get(const nnd_value *map, const char *key) {
    if (map == NULL || map->kind != NND_VALUE_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->key[i], key) == 0)
            return map->item[i];
    return NULL;
}

static int compare_keys(const void *a, const void *b, void *map) {
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const nnd_value *value = map;
    int order = strcmp(value->key[i], value->key[j]);
    return order != 0 ? order : (i > j) - (i < j);
}

bool nnd_value_repeats(nnd_value *map, size_t *second) {
    size_t *order = malloc((map->count + 1) * sizeof *order);
    *second = map->count;
    for (size_t i = 0; order != NULL && i < map->count; i++)
        order[i] = i;
    if (order == NULL)
        return false;
    qsort_r(order, map->count, sizeof *order, compare_keys, map);
    for (size_t i = 1; i < map->count; i++)
        if (order[i] < *second && strcmp(map->key[order[i - 1]], map->key[order[i]]) == 0)
            *second = order[i];
    free(order);
    return true;
}

/* The child of `b` that child i of `a` must be equal to. Most mappings have the same order. */
static const nnd_value *counterpart(const nnd_value *a, size_t i, const nnd_value *b) {
    bool here = a->kind == NND_VALUE_LIST || strcmp(a->key[i], b->key[i]) == 0;
    return here ? b->item[i] : nnd_value_get(b, a->key[i]);
}

bool nnd_value_equal(const nnd_value *a, const nnd_value *b) {
    if (a == NULL || b == NULL)
        return a == b;
    if (a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == NND_VALUE_SCALAR)
        return strcmp(a->text, b->text) == 0;
    for (size_t i = 0; i < a->count; i++)
        if (!nnd_value_equal(a->item[i], counterpart(a, i, b)))
            return false;
    return true;
}

static bool is_one_of(const char *text, const char *const *words) {
    for (; *words != NULL; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

bool nnd_value_is_null(const nnd_value *value) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    return value->kind == NND_VALUE_SCALAR && !value->quoted && is_one_of(value->text, nulls);
}

bool nnd_value_number(const nnd_value *value, double *number) {
    return value->kind == NND_VALUE_SCALAR && !value->quoted &&
           nnd_number_read(value->text, number);
}

bool nnd_value_bool(const nnd_value *value, bool *truth) {
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    if (value->kind != NND_VALUE_SCALAR || value->quoted)
        return false;
    *truth = is_one_of(value->text, trues);
    return *truth || is_one_of(value->text, falses);
}

void nnd_value_describe(const nnd_value *value, size_t size, char *text) {
    if (value->kind == NND_VALUE_LIST)
        snprintf(text, size, "a list of %zu", value->count);
    else if (value->kind == NND_VALUE_MAP)
        snprintf(text, size, "a mapping");
    else if (value->quoted || strlen(value->text) > 60)
        snprintf(text, size, "\"%.60s\"", value->text);
    else
        snprintf(text, size, "%s", value->text[0] == '\0' ? "null" : value->text);
}
