/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees from YAML, built while libfyaml parses: no second tree is made, and an interrupt ends it.
 */
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "io/small_file.h"
#include "nndmft/io.h"

enum { WHERE_SIZE = 512, MAX_DEPTH = 32 };

/* Largest case file, and largest text of a case with every default filled in. */
static const size_t MAX_FILE = (size_t)2 << 20, MAX_TEXT = (size_t)8 << 20;

typedef struct {
    nnd_context *ctx;
    const char *name;
    struct fy_parser *parser;
    struct fy_diag *diag;
} reader;

static nnd_status syntax_error(const reader *r) {
    void *position = NULL;
    struct fy_diag_error *error = fy_diag_errors_iterate(r->diag, &position);
    if (error == NULL)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: empty, or not YAML", r->name);
    return nnd_fail(r->ctx, NND_E_INPUT, "%s:%d:%d: not valid YAML: %s", r->name, error->line,
                    error->column, error->msg);
}

/* The next event, to be freed by fy_parser_event_free. */
static nnd_status next_event(const reader *r, struct fy_event **event) {
    if (nnd_context_interrupted(r->ctx))
        return nnd_fail(r->ctx, NND_E_INTERRUPTED, "%s: interrupted", r->name);
    *event = fy_parser_parse(r->parser);
    return *event != NULL ? NND_OK : syntax_error(r);
}

/* Where a scalar stands; `fallback` for what has no place of its own. */
static void where_text(const reader *r, struct fy_event *event, const char *fallback,
                       char where[WHERE_SIZE]) {
    struct fy_token *token = event->type == FYET_SCALAR ? event->scalar.value : NULL;
    const struct fy_mark *mark = token != NULL ? fy_token_start_mark(token) : NULL;
    if (mark != NULL)
        snprintf(where, WHERE_SIZE, "%.400s:%d:%d", r->name, mark->line + 1, mark->column + 1);
    else
        snprintf(where, WHERE_SIZE, "%s", fallback);
}

static nnd_status read_scalar(const reader *r, struct fy_event *event, const char *where,
                              nnd_value **out) {
    size_t length = 0;
    struct fy_token *token = event->scalar.value;
    const char *raw = token != NULL ? fy_token_get_text(token, &length) : NULL;
    bool quoted = token != NULL && fy_token_scalar_style(token) != FYSS_PLAIN;
    if (raw != NULL && memchr(raw, '\0', length) != NULL)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: a NUL byte", where);
    char *text = raw != NULL ? strndup(raw, length) : strdup("");
    /* The text may be made of escapes. */
    bool good = text == NULL || nnd_utf8_valid(text);
    *out = text != NULL && good ? nnd_value_scalar(text, quoted, where) : NULL;
    free(text);
    if (!good)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: an escape that stands for no character", where);
    return *out != NULL ? NND_OK : nnd_fail_memory(r->ctx, where);
}

static nnd_status read_value(const reader *r, struct fy_event *event, const char *fallback,
                             int depth, nnd_value **out);

static nnd_status read_list(const reader *r, int depth, nnd_value *list) {
    for (;;) {
        struct fy_event *event;
        nnd_value *item = NULL;
        nnd_status status = next_event(r, &event);
        if (status != NND_OK)
            return status;
        bool end = event->type == FYET_SEQUENCE_END;
        if (!end)
            status = read_value(r, event, list->where, depth, &item);
        fy_parser_event_free(r->parser, event);
        if (end || status != NND_OK)
            return status;
        if (!nnd_value_append(list, item))
            return nnd_fail_memory(r->ctx, list->where);
    }
}

/* Reads the value that belongs to a key. */
static nnd_status read_pair(const reader *r, struct fy_event *key, int depth, nnd_value *map) {
    char where[WHERE_SIZE];
    struct fy_event *event;
    nnd_value *name, *value = NULL;
    where_text(r, key, map->where, where);
    if (key->type != FYET_SCALAR)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: a key that is not a plain text", where);
    nnd_status status = read_scalar(r, key, where, &name);
    if (status != NND_OK)
        return status;
    status = next_event(r, &event);
    if (status == NND_OK) {
        status = read_value(r, event, where, depth, &value);
        fy_parser_event_free(r->parser, event);
    }
    if (status == NND_OK && !nnd_value_add(map, name->text, value))
        status = nnd_fail_memory(r->ctx, where);
    nnd_value_free(name);
    return status;
}

static nnd_status read_map(const reader *r, int depth, nnd_value *map) {
    for (;;) {
        struct fy_event *event;
        nnd_status status = next_event(r, &event);
        if (status != NND_OK)
            return status;
        bool end = event->type == FYET_MAPPING_END;
        if (!end)
            status = read_pair(r, event, depth, map);
        fy_parser_event_free(r->parser, event);
        if (status != NND_OK)
            return status;
        if (end)
            break;
    }
    size_t second;
    if (!nnd_value_repeats(map, &second))
        return nnd_fail_memory(r->ctx, map->where);
    if (second < map->count)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: %s: duplicate key", map->item[second]->where,
                        map->key[second]);
    return NND_OK;
}

static nnd_status read_value(const reader *r, struct fy_event *event, const char *fallback,
                             int depth, nnd_value **out) {
    char where[WHERE_SIZE];
    where_text(r, event, fallback, where);
    if (depth > MAX_DEPTH)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: nested more than %d deep", where, MAX_DEPTH);
    if (event->type == FYET_ALIAS)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: aliases are not supported", where);
    if (event->type == FYET_SCALAR)
        return read_scalar(r, event, where, out);
    bool list = event->type == FYET_SEQUENCE_START;
    nnd_value *value = list ? nnd_value_list(where) : nnd_value_map(where);
    if (value == NULL)
        return nnd_fail_memory(r->ctx, where);
    nnd_status status = list ? read_list(r, depth + 1, value) : read_map(r, depth + 1, value);
    if (status == NND_OK)
        *out = value;
    else
        nnd_value_free(value);
    return status;
}

/* The one document of a text: the events before it, its value, and what must be the end. */
static nnd_status read_document(const reader *r, nnd_value **tree) {
    char start[WHERE_SIZE];
    snprintf(start, sizeof start, "%.400s:1:1", r->name);
    nnd_status status = NND_OK;
    for (bool done = false; status == NND_OK && !done;) {
        struct fy_event *event;
        status = next_event(r, &event);
        if (status != NND_OK)
            break;
        switch (event->type) {
        case FYET_STREAM_START:
        case FYET_DOCUMENT_END:
            break;
        case FYET_DOCUMENT_START:
            if (*tree != NULL)
                status = nnd_fail(r->ctx, NND_E_INPUT, "%s: holds more than one document", r->name);
            break;
        case FYET_STREAM_END:
            done = true;
            break;
        default:
            status = read_value(r, event, start, 0, tree);
        }
        fy_parser_event_free(r->parser, event);
    }
    if (status == NND_OK && *tree == NULL)
        status = syntax_error(r);
    if (status != NND_OK) {
        nnd_value_free(*tree);
        *tree = NULL;
    }
    return status;
}

/* libfyaml hangs on some texts that are not UTF-8. */
static nnd_status check_text(const reader *r, const char *text) {
    int line = 1, column = 1;
    if (strlen(text) > MAX_TEXT)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: more than %zu bytes of YAML", r->name, MAX_TEXT);
    for (size_t length; *text != '\0'; text += length, column++) {
        length = nnd_utf8_length(text);
        if (length == 0)
            return nnd_fail(r->ctx, NND_E_INPUT, "%s:%d:%d: not UTF-8", r->name, line, column);
        if (*text == '\n') {
            line++;
            column = 0;
        }
    }
    return NND_OK;
}

nnd_status nnd_yaml_read_text(nnd_context *ctx, const char *name, const char *text,
                              nnd_value **tree) {
    reader r = {.ctx = ctx, .name = name};
    nnd_status status = check_text(&r, text);
    if (status != NND_OK)
        return status;
    struct fy_diag_cfg quiet;
    fy_diag_cfg_default(&quiet);
    quiet.fp = NULL;
    r.diag = fy_diag_create(&quiet);
    if (r.diag == NULL)
        return nnd_fail_memory(ctx, name);
    fy_diag_set_collect_errors(r.diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_DEFAULT_PARSE | FYPCF_JSON_NONE, .diag = r.diag};
    r.parser = fy_parser_create(&cfg);
    *tree = NULL;
    if (r.parser == NULL || fy_parser_set_string(r.parser, text, FY_NT) != 0)
        status = nnd_fail_memory(ctx, name);
    else
        status = read_document(&r, tree);
    fy_parser_destroy(r.parser);
    fy_diag_destroy(r.diag);
    return status;
}

nnd_status nnd_yaml_read_file(nnd_context *ctx, const char *path, nnd_value **tree) {
    char *text;
    nnd_status status = nnd_small_file_read(
        ctx, path, MAX_FILE, "large matrices belong into a data file (params.data.file)", &text);
    if (status == NND_OK)
        status = nnd_yaml_read_text(ctx, nnd_small_file_name(path), text, tree);
    free(text);
    return status;
}

/* Marks a tree as coming from an override. */
static bool set_where(nnd_value *value, const char *where) {
    free(value->where);
    value->where = strdup(where);
    if (value->where == NULL)
        return false;
    for (size_t i = 0; i < value->count; i++)
        if (!set_where(value->item[i], where))
            return false;
    return true;
}

/* The mapping that holds the last part of a dotted path; made if absent, or NULL if not to be made.
 */
static nnd_status descend(nnd_context *ctx, nnd_value *tree, const char *where, char *path,
                          bool make, nnd_value **map, char **key) {
    *map = tree;
    *key = path;
    if (tree->kind != NND_VALUE_MAP)
        return nnd_fail(ctx, NND_E_INPUT, "%s: the case is not a mapping", where);
    for (char *dot; (dot = strchr(*key, '.')) != NULL; *key = dot + 1) {
        *dot = '\0';
        nnd_value *next = NULL;
        for (size_t i = 0; i < (*map)->count; i++)
            if (strcmp((*map)->key[i], *key) == 0)
                next = (*map)->item[i];
        if (next == NULL || nnd_value_is_null(next)) {
            if (!make) {
                *map = NULL;
                return NND_OK;
            }
            next = nnd_value_map(where);
            if (!nnd_value_put(*map, *key, next))
                return nnd_fail_memory(ctx, where);
        }
        if (next->kind != NND_VALUE_MAP)
            return nnd_fail(ctx, NND_E_INPUT, "%s: %s is not a mapping", where, *key);
        *map = next;
    }
    return NND_OK;
}

nnd_status nnd_yaml_override(nnd_context *ctx, nnd_value *tree, const char *assignment) {
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment)
        return nnd_fail(ctx, NND_E_INPUT, "--set %s: not of the form KEY=VALUE", assignment);
    char where[WHERE_SIZE];
    snprintf(where, sizeof where, "--set %.400s", assignment);
    char *path = strndup(assignment, (size_t)(equals - assignment)), *key;
    if (path == NULL)
        return nnd_fail_memory(ctx, where);
    nnd_value *map, *value = NULL;
    nnd_status status = equals[1] == '\0'
                            ? nnd_fail(ctx, NND_E_INPUT, "%s: no value (null removes)", where)
                            : nnd_yaml_read_text(ctx, where, equals + 1, &value);
    if (status == NND_OK && !set_where(value, where))
        status = nnd_fail_memory(ctx, where);
    bool removal = status == NND_OK && nnd_value_is_null(value);
    if (status == NND_OK)
        status = descend(ctx, tree, where, path, !removal, &map, &key);
    if (status == NND_OK && removal) {
        if (map != NULL)
            nnd_value_remove(map, key);
    } else if (status == NND_OK) {
        if (!nnd_value_put(map, key, value))
            status = nnd_fail_memory(ctx, where);
        value = NULL;
    }
    nnd_value_free(value);
    free(path);
    return status;
}
