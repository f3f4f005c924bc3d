/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values that a program has set in a struct, checked as those of a case are when they are read. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "nndmft/number.h"
#include "nndmft/table.h"

enum { TEXT_SIZE = 256, NUMBER_SIZE = 40 };

/* More numbers than this are none: the count is a negative one, or not set. */
static const size_t MOST = PTRDIFF_MAX / sizeof(double);

/* The parameter that is looked at. */
typedef struct {
    nnd_context *ctx;
    const nnd_param *param;
    const char *prefix;
} place;

static nnd_status object(const place *at, const char *found) {
    char allowed[TEXT_SIZE];
    nnd_param_allowed(at->param, sizeof allowed, allowed);
    return nnd_fail(at->ctx, NND_E_INPUT, "%s.%s: %s is out of range: %s", at->prefix,
                    at->param->name, found, allowed);
}

static bool may_be_absent(const nnd_param *param) {
    return strcmp(param->fallback, "null") == 0;
}

static nnd_status check_number(const place *at, double x) {
    char found[NUMBER_SIZE];
    if (nnd_param_holds(at->param, x))
        return NND_OK;
    nnd_number_text(x, sizeof found, found);
    return object(at, found);
}

static nnd_status check_count(const place *at, size_t count, const void *value) {
    char found[TEXT_SIZE];
    if (count == 0 || (count <= MOST && value != NULL))
        return NND_OK;
    snprintf(found, sizeof found, "a list of %zu%s", count, value == NULL ? " without values" : "");
    return object(at, found);
}

static nnd_status check_reals(const place *at, const nnd_reals *list) {
    nnd_status status = check_count(at, list->count, list->value);
    if (status != NND_OK || nnd_param_is_word(at->param, list))
        return status;
    for (size_t i = 0; status == NND_OK && i < list->count; i++)
        status = check_number(at, list->value[i]);
    return status;
}

static nnd_status check_integers(const place *at, const nnd_integers *list) {
    nnd_status status = check_count(at, list->count, list->value);
    if (status != NND_OK || nnd_param_is_word(at->param, list))
        return status;
    for (size_t i = 0; status == NND_OK && i < list->count; i++)
        status = check_number(at, (double)list->value[i]);
    return status;
}

static nnd_status check_texts(const place *at, const nnd_texts *list) {
    nnd_status status = check_count(at, list->count, list->value);
    for (size_t i = 0; status == NND_OK && i < list->count; i++)
        if (list->value[i] == NULL)
            status = object(at, "a list with a text that is NULL");
    return status;
}

static nnd_status check_choice(const place *at, int choice) {
    char found[NUMBER_SIZE];
    int count = 0;
    while (at->param->choices[count] != NULL)
        count++;
    if (choice >= 0 && choice < count)
        return NND_OK;
    snprintf(found, sizeof found, "choice %d of %d", choice, count);
    return object(at, found);
}

/* Anything but 0 and 1 is no bool, and must not be read as one. */
static nnd_status check_bool(const place *at, const void *field) {
    char found[NUMBER_SIZE];
    unsigned char byte;
    memcpy(&byte, field, sizeof byte);
    if (byte <= 1)
        return NND_OK;
    snprintf(found, sizeof found, "%d", byte);
    return object(at, found);
}

static nnd_status check_dense(const place *at, const nnd_dense *dense) {
    char found[TEXT_SIZE];
    size_t cols = dense->cols > 0 ? dense->cols : 1;
    if (dense->columns > 0 && dense->column == NULL)
        return object(at, "a list of names that is NULL");
    if (dense->rows == 0)
        return NND_OK;
    if (dense->cols == 0 || dense->value == NULL || dense->rows > MOST / cols) {
        snprintf(found, sizeof found, "a matrix of %zu x %zu%s", dense->rows, dense->cols,
                 dense->value == NULL ? " without numbers" : "");
        return object(at, found);
    }
    for (size_t i = 0; i < dense->rows * dense->cols; i++)
        if (!isfinite(dense->value[i])) {
            nnd_format(found, sizeof found, "%g in row %zu, column %zu", dense->value[i], i / cols,
                       i % cols);
            return object(at, found);
        }
    return NND_OK;
}

static nnd_status check_field(const place *at, const void *field) {
    char name[TEXT_SIZE];
    switch (at->param->type) {
    case NND_REAL:
        if (isnan(*(const double *)field) && may_be_absent(at->param))
            return NND_OK;
        return check_number(at, *(const double *)field);
    case NND_INTEGER:
        if (*(const int64_t *)field == NND_ABSENT && may_be_absent(at->param))
            return NND_OK;
        return check_number(at, (double)*(const int64_t *)field);
    case NND_BOOL:
        return check_bool(at, field);
    case NND_CHOICE:
        return check_choice(at, *(const int *)field);
    case NND_TEXT:
        if (*(char *const *)field == NULL && !may_be_absent(at->param))
            return object(at, "a text that is NULL");
        return NND_OK;
    case NND_REALS:
        return check_reals(at, field);
    case NND_INTEGERS:
        return check_integers(at, field);
    case NND_TEXTS:
        return check_texts(at, field);
    case NND_DENSE:
        return check_dense(at, field);
    case NND_GROUP:
        snprintf(name, sizeof name, "%s.%s", at->prefix, at->param->name);
        return nnd_params_check(at->ctx, at->param->group, field, name);
    }
    return NND_OK;
}

nnd_status nnd_params_check(nnd_context *ctx, const nnd_param_table *table, const void *params,
                            const char *prefix) {
    nnd_status status = NND_OK;
    if (params == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s: NULL instead of parameters", prefix);
    for (size_t i = 0; status == NND_OK && i < table->count; i++) {
        const place at = {ctx, &table->param[i], prefix};
        status = check_field(&at, (const char *)params + table->param[i].offset);
    }
    return status;
}
