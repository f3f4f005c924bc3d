/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/suggest.h"
#include "core/text.h"
#include "nndmft/frame.h"

enum { TEXT_SIZE = 256 };

bool nnd_object(nnd_objection *objection, const char *key, const char *format, ...) {
    va_list args;
    va_start(args, format);
    snprintf(objection->key, sizeof objection->key, "%s", key);
    nnd_vformat(objection->text, sizeof objection->text, format, args);
    va_end(args);
    return false;
}

const nnd_param *nnd_param_find(const nnd_param_table *table, const char *name) {
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->param[i].name, name) == 0)
            return &table->param[i];
    return NULL;
}

static bool is_list(nnd_param_type type) {
    return type == NND_REALS || type == NND_INTEGERS || type == NND_TEXTS;
}

static bool is_integer(nnd_param_type type) {
    return type == NND_INTEGER || type == NND_INTEGERS;
}

static bool range_is_unset(const nnd_range *r) {
    return r->min == 0.0 && r->max == 0.0 && !r->min_open && !r->max_open;
}

static bool in_range(const nnd_range *r, double x) {
    if (isnan(x))
        return false;
    if (range_is_unset(r))
        return isfinite(x);
    bool above = r->min_open ? x > r->min : x >= r->min;
    bool below = r->max_open ? x < r->max : x <= r->max;
    return above && below;
}

bool nnd_param_is_whole(const nnd_param *param) {
    return is_integer(param->type) || param->whole;
}

bool nnd_param_holds(const nnd_param *param, double x) {
    bool fits = !is_integer(param->type) || fabs(x) <= NND_LARGEST_INTEGER;
    bool rounds = nnd_param_is_whole(param) && x != floor(x);
    return fits && !rounds && in_range(&param->range, x);
}

static void range_text(const nnd_range *r, size_t size, char *text) {
    char min[32], max[32];
    text[0] = '\0';
    if (range_is_unset(r))
        return;
    nnd_number_text(r->min, sizeof min, min);
    nnd_number_text(r->max, sizeof max, max);
    const char *above = r->min_open ? ">" : ">=", *below = r->max_open ? "<" : "<=";
    if (isinf(r->max) && isinf(r->min))
        snprintf(text, size, "%s", r->max_open ? "" : " or inf");
    else if (isinf(r->max))
        snprintf(text, size, " %s %s%s", above, min, r->max_open ? "" : ", or inf");
    else
        snprintf(text, size, " %s %s and %s %s", above, min, below, max);
}

/* "a mapping of gain, name, ..., or name: one of ..." */
static void allowed_in_group(const nnd_param *param, size_t size, char *text) {
    nnd_text list = nnd_text_in(size, text);
    nnd_text_add(&list, "a mapping of ");
    for (size_t i = 0; i < param->group->count; i++)
        nnd_text_item(&list, ", ", "%s", param->group->param[i].name);
    if (param->shorthand == NULL)
        return;
    char member[TEXT_SIZE];
    nnd_param_allowed(nnd_param_find(param->group, param->shorthand), sizeof member, member);
    nnd_text_add(&list, "; or just %s: %s", param->shorthand, member);
}

void nnd_param_allowed(const nnd_param *param, size_t size, char *text) {
    static const char *const noun[] = {
        [NND_REAL] = "a number",
        [NND_INTEGER] = "an integer",
        [NND_BOOL] = "true or false",
        [NND_CHOICE] = "one of",
        [NND_TEXT] = "a text",
        [NND_REALS] = "a number",
        [NND_TEXTS] = "a text",
        [NND_INTEGERS] = "an integer",
        [NND_DENSE] =
            "rows of numbers, or the name of an array in the data file, or a list of such names",
        [NND_GROUP] = "a mapping",
    };
    char range[TEXT_SIZE];
    range_text(&param->range, sizeof range, range);
    if (param->type == NND_CHOICE) {
        nnd_text list = nnd_text_in(size, text);
        nnd_text_add(&list, "one of ");
        for (size_t i = 0; param->choices[i] != NULL; i++)
            nnd_text_item(&list, ", ", "%s", param->choices[i]);
        return;
    }
    if (param->type == NND_GROUP) {
        allowed_in_group(param, size, text);
        return;
    }
    nnd_text said = nnd_text_in(size, text);
    nnd_text_add(&said, "%s%s%s", noun[param->whole ? NND_INTEGER : param->type], range,
                 is_list(param->type) ? ", or a list of such" : "");
    if (param->word != NULL)
        nnd_text_add(&said, ", or %s", param->word);
    if (param->beyond != NULL)
        nnd_text_add(&said, "; %s", param->beyond);
}

/* Reads one number; on failure says what is wrong with it. */
static bool read_number(const nnd_param *param, const nnd_value *value, double *x,
                        const char **wrong) {
    *wrong = "is not";
    if (!nnd_value_number(value, x))
        return false;
    if (nnd_param_is_whole(param) && *x != floor(*x))
        return false;
    *wrong = "is out of range:";
    /* A text beyond the largest integer reads as 2^53 or more: nothing is rounded unnoticed. */
    return nnd_param_holds(param, *x);
}

static bool read_choice(const nnd_param *param, const nnd_value *value, int *choice) {
    if (value->kind != NND_VALUE_SCALAR)
        return false;
    for (int i = 0; param->choices[i] != NULL; i++)
        if (strcmp(param->choices[i], value->text) == 0) {
            *choice = i;
            return true;
        }
    return false;
}

static nnd_status read_list(nnd_context *ctx, const nnd_param *param, const nnd_value *value,
                            void *field, const nnd_value **culprit, const char **wrong) {
    bool one = value->kind == NND_VALUE_SCALAR;
    size_t n = one ? 1 : value->count;
    *wrong = "is not";
    if (n == 0) /* what is absent is null */
        return NND_E_INPUT;
    size_t width = param->type == NND_REALS      ? sizeof(double)
                   : param->type == NND_INTEGERS ? sizeof(int64_t)
                                                 : sizeof(char *);
    void *data = calloc(n, width);
    if (data == NULL)
        return nnd_fail_memory(ctx, param->name);
    /* The three list types differ in nothing but the type of their elements. */
    nnd_reals *reals = field;
    nnd_integers *integers = field;
    nnd_texts *texts = field;
    if (param->type == NND_REALS)
        *reals = (nnd_reals){n, data};
    else if (param->type == NND_INTEGERS)
        *integers = (nnd_integers){n, data};
    else
        *texts = (nnd_texts){n, data};
    for (size_t i = 0; i < n; i++) {
        const nnd_value *item = one ? value : value->item[i];
        *culprit = item;
        double x = 0.0;
        if (param->type == NND_TEXTS) {
            if (item->kind != NND_VALUE_SCALAR)
                return NND_E_INPUT;
            texts->value[i] = strdup(item->text);
            if (texts->value[i] == NULL)
                return nnd_fail_memory(ctx, param->name);
        } else if (!read_number(param, item, &x, wrong))
            return NND_E_INPUT;
        else if (param->type == NND_REALS)
            reals->value[i] = x;
        else
            integers->value[i] = (int64_t)x;
    }
    return NND_OK;
}

static bool is_word(const nnd_param *param, const nnd_value *value) {
    return param->word != NULL && value->kind == NND_VALUE_SCALAR &&
           strcmp(value->text, param->word) == 0;
}

static nnd_status read_word(nnd_context *ctx, const nnd_param *param, void *field) {
    nnd_reals *reals = field;
    nnd_integers *integers = field;
    bool there;
    if (param->type == NND_REALS) {
        *reals = (nnd_reals){1, malloc(sizeof(double))};
        there = reals->value != NULL;
        if (there)
            reals->value[0] = (double)NND_WORD;
    } else {
        *integers = (nnd_integers){1, malloc(sizeof(int64_t))};
        there = integers->value != NULL;
        if (there)
            integers->value[0] = NND_WORD;
    }
    return there ? NND_OK : nnd_fail_memory(ctx, param->name);
}

/* Reads one field; on NND_E_INPUT `culprit` and `wrong` say what is wrong with which node. */
static nnd_status read_field(nnd_context *ctx, const nnd_param *param, const nnd_value *value,
                             void *field, const nnd_value **culprit, const char **wrong) {
    double x;
    *culprit = value;
    *wrong = "is not";
    switch (param->type) {
    case NND_REAL:
        if (!read_number(param, value, &x, wrong))
            return NND_E_INPUT;
        *(double *)field = x;
        return NND_OK;
    case NND_INTEGER:
        if (!read_number(param, value, &x, wrong))
            return NND_E_INPUT;
        *(int64_t *)field = (int64_t)x;
        return NND_OK;
    case NND_BOOL:
        return nnd_value_bool(value, field) ? NND_OK : NND_E_INPUT;
    case NND_CHOICE:
        return read_choice(param, value, field) ? NND_OK : NND_E_INPUT;
    case NND_TEXT:
        if (value->kind != NND_VALUE_SCALAR)
            return NND_E_INPUT;
        *(char **)field = strdup(value->text);
        return *(char **)field != NULL ? NND_OK : nnd_fail_memory(ctx, param->name);
    case NND_REALS:
    case NND_INTEGERS:
    case NND_TEXTS:
        if (value->kind == NND_VALUE_MAP)
            return NND_E_INPUT;
        if (is_word(param, value))
            return read_word(ctx, param, field);
        return read_list(ctx, param, value, field, culprit, wrong);
    case NND_DENSE:
        return nnd_dense_read(ctx, value, field, culprit, wrong);
    case NND_GROUP:
        break;
    }
    return NND_E_INPUT;
}

/* A group: a mapping of its members, or what stands for {shorthand: value}. */
static nnd_status read_group(nnd_context *ctx, const nnd_param *param, const nnd_value *value,
                             const char *prefix, void *field) {
    char name[TEXT_SIZE];
    snprintf(name, sizeof name, "%s.%s", prefix, param->name);
    if (nnd_value_is_null(value))
        return nnd_params_read_more(ctx, param->group, NULL, name, field);
    if (value->kind == NND_VALUE_MAP || param->shorthand == NULL)
        return nnd_params_read_more(ctx, param->group, value, name, field);
    nnd_value *map = nnd_value_map(value->where);
    if (map == NULL || !nnd_value_put(map, param->shorthand, nnd_value_copy(value))) {
        nnd_value_free(map);
        return nnd_fail_memory(ctx, param->name);
    }
    nnd_status status = nnd_params_read_more(ctx, param->group, map, name, field);
    nnd_value_free(map);
    return status;
}

/* Between the place a value was read from, if there is one, and its key. */
static const char *colon(const nnd_value *value) {
    return value->where[0] != '\0' ? ": " : "";
}

static nnd_status read_param(nnd_context *ctx, const nnd_param *param, const nnd_value *value,
                             const char *prefix, void *out) {
    if (param->type == NND_GROUP)
        return read_group(ctx, param, value, prefix, (char *)out + param->offset);
    bool absent_allowed = strcmp(param->fallback, "null") == 0;
    if (absent_allowed && nnd_value_is_null(value)) {
        void *field = (char *)out + param->offset;
        if (param->type == NND_REAL)
            *(double *)field = NAN;
        if (param->type == NND_INTEGER)
            *(int64_t *)field = NND_ABSENT;
        return NND_OK;
    }
    const nnd_value *culprit;
    const char *wrong;
    nnd_status status =
        read_field(ctx, param, value, (char *)out + param->offset, &culprit, &wrong);
    if (status != NND_E_INPUT)
        return status;
    char found[TEXT_SIZE], allowed[TEXT_SIZE];
    nnd_value_describe(culprit, sizeof found, found);
    nnd_param_allowed(param, sizeof allowed, allowed);
    return nnd_fail(ctx, NND_E_INPUT, "%s%s%s.%s: %s %s %s", culprit->where, colon(culprit), prefix,
                    param->name, found, wrong, allowed);
}

/* Offers the keys of a table and, for want of them, those of its groups. */
static void suggest_keys(const nnd_param_table *table, const char *prefix, nnd_suggestion *near) {
    char inner[TEXT_SIZE];
    snprintf(inner, sizeof inner, "%s.", prefix);
    for (size_t i = 0; i < table->count; i++)
        nnd_suggest(near, inner, table->param[i].name);
    for (size_t i = 0; i < table->count; i++)
        if (table->param[i].group != NULL) {
            snprintf(inner, sizeof inner, "%s.%s", prefix, table->param[i].name);
            suggest_keys(table->param[i].group, inner, near);
        }
}

static void list_keys(const nnd_param_table *table, nnd_text *list) {
    for (size_t i = 0; i < table->count; i++)
        nnd_text_item(list, ", ", "%s", table->param[i].name);
}

nnd_status nnd_params_check_keys(nnd_context *ctx, const nnd_param_table *table,
                                 const nnd_param_table *more, const nnd_value *map,
                                 const char *prefix) {
    if (map == NULL)
        return NND_OK;
    if (map->kind != NND_VALUE_MAP) {
        char found[TEXT_SIZE];
        nnd_value_describe(map, sizeof found, found);
        return nnd_fail(ctx, NND_E_INPUT, "%s%s%s: %s is not a mapping", map->where, colon(map),
                        prefix, found);
    }
    for (size_t i = 0; i < map->count; i++) {
        if (nnd_param_find(table, map->key[i]) != NULL ||
            (more != NULL && nnd_param_find(more, map->key[i]) != NULL))
            continue;
        nnd_suggestion near = {.word = map->key[i]};
        char allowed[TEXT_SIZE * 3];
        nnd_text list = nnd_text_in(sizeof allowed, allowed);
        suggest_keys(table, prefix, &near);
        list_keys(table, &list);
        if (more != NULL) {
            suggest_keys(more, prefix, &near);
            list_keys(more, &list);
        }
        return nnd_fail(ctx, NND_E_INPUT, "%s%s%s.%.100s: unknown key; %sallowed: %s",
                        map->item[i]->where, colon(map->item[i]), prefix, map->key[i], near.text,
                        allowed);
    }
    return NND_OK;
}

/* Reads the default of a parameter: "null" (absent) or a scalar, which lists accept too. */
static nnd_status read_default(nnd_context *ctx, const nnd_param *param, const char *prefix,
                               void *out) {
    nnd_value *fallback = nnd_value_scalar(param->fallback, false, "default");
    if (fallback == NULL)
        return nnd_fail_memory(ctx, param->name);
    nnd_status status = read_param(ctx, param, fallback, prefix, out);
    nnd_value_free(fallback);
    return status;
}

nnd_status nnd_params_read_more(nnd_context *ctx, const nnd_param_table *table,
                                const nnd_value *map, const char *prefix, void *out) {
    nnd_status status = nnd_params_check_keys(ctx, table, NULL, map, prefix);
    for (size_t i = 0; status == NND_OK && i < table->count; i++) {
        const nnd_param *param = &table->param[i];
        const nnd_value *value = nnd_value_get(map, param->name);
        status = value != NULL ? read_param(ctx, param, value, prefix, out)
                               : read_default(ctx, param, prefix, out);
    }
    return status;
}

nnd_status nnd_params_read(nnd_context *ctx, const nnd_param_table *table, const nnd_value *map,
                           const char *prefix, void *out) {
    memset(out, 0, table->size);
    nnd_status status = nnd_params_read_more(ctx, table, map, prefix, out);
    if (status != NND_OK)
        nnd_params_clear(table, out);
    return status;
}

void nnd_params_release(const nnd_param_table *table, void *params) {
    for (size_t i = 0; i < table->count; i++) {
        void *field = (char *)params + table->param[i].offset;
        nnd_texts *texts = field;
        switch (table->param[i].type) {
        case NND_TEXT:
            free(*(char **)field);
            break;
        case NND_REALS:
            free(((nnd_reals *)field)->value);
            break;
        case NND_INTEGERS:
            free(((nnd_integers *)field)->value);
            break;
        case NND_TEXTS:
            for (size_t j = 0; j < texts->count; j++)
                free(texts->value[j]);
            free(texts->value);
            break;
        case NND_DENSE:
            nnd_dense_clear(field);
            break;
        case NND_GROUP:
            nnd_params_release(table->param[i].group, field);
            break;
        case NND_REAL:
        case NND_INTEGER:
        case NND_BOOL:
        case NND_CHOICE:
            break;
        }
    }
}

void nnd_params_clear(const nnd_param_table *table, void *params) {
    nnd_params_release(table, params);
    memset(params, 0, table->size);
}

static nnd_value *number_value(double x) {
    char text[40];
    if (isnan(x))
        return nnd_value_scalar("null", false, "");
    nnd_number_text(x, sizeof text, text);
    return nnd_value_scalar(text, false, "");
}

static nnd_value *integer_value(int64_t x) {
    char text[24];
    if (x == NND_ABSENT)
        return nnd_value_scalar("null", false, "");
    snprintf(text, sizeof text, "%" PRId64, x);
    return nnd_value_scalar(text, false, "");
}

bool nnd_param_is_word(const nnd_param *param, const void *field) {
    const nnd_reals *reals = field;
    const nnd_integers *integers = field;
    if (param->word == NULL || reals->count != 1)
        return false;
    return param->type == NND_REALS ? reals->value[0] == (double)NND_WORD
                                    : integers->value[0] == NND_WORD;
}

static nnd_value *list_value(const nnd_param *param, const void *field) {
    size_t n = ((const nnd_reals *)field)->count;
    if (n == 0 && strcmp(param->fallback, "null") == 0)
        return nnd_value_scalar("null", false, "");
    if (nnd_param_is_word(param, field))
        return nnd_value_scalar(param->word, false, "");
    nnd_value *list = n != 1 ? nnd_value_list("") : NULL;
    for (size_t i = 0; i < n && (n == 1 || list != NULL); i++) {
        nnd_value *item = param->type == NND_REALS
                              ? number_value(((const nnd_reals *)field)->value[i])
                          : param->type == NND_INTEGERS
                              ? integer_value(((const nnd_integers *)field)->value[i])
                              : nnd_value_scalar(((const nnd_texts *)field)->value[i], true, "");
        if (n == 1)
            return item;
        if (!nnd_value_append(list, item)) {
            nnd_value_free(list);
            return NULL;
        }
    }
    return list;
}

/* The members that are there. */
static nnd_value *group_value(const nnd_param_table *group, const void *field) {
    nnd_value *map = nnd_value_map("");
    for (size_t i = 0; map != NULL && i < group->count; i++) {
        nnd_value *item = nnd_param_value(&group->param[i], field);
        if (item != NULL && nnd_value_is_null(item))
            nnd_value_free(item);
        else if (!nnd_value_put(map, group->param[i].name, item)) {
            nnd_value_free(map);
            return NULL;
        }
    }
    if (map == NULL || map->count > 0)
        return map;
    nnd_value_free(map);
    return nnd_value_scalar("null", false, "");
}

nnd_value *nnd_param_value(const nnd_param *param, const void *params) {
    const void *field = (const char *)params + param->offset;
    switch (param->type) {
    case NND_REAL:
        return number_value(*(const double *)field);
    case NND_INTEGER:
        return integer_value(*(const int64_t *)field);
    case NND_BOOL:
        return nnd_value_scalar(*(const bool *)field ? "true" : "false", false, "");
    case NND_CHOICE:
        return nnd_value_scalar(param->choices[*(const int *)field], false, "");
    case NND_TEXT:
        if (*(char *const *)field == NULL)
            return nnd_value_scalar("null", false, "");
        return nnd_value_scalar(*(char *const *)field, true, "");
    case NND_REALS:
    case NND_INTEGERS:
    case NND_TEXTS:
        return list_value(param, field);
    case NND_DENSE:
        return nnd_dense_value(field);
    case NND_GROUP:
        return group_value(param->group, field);
    }
    return NULL;
}
