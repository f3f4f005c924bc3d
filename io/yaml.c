/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/io.h"

enum { WHERE_SIZE = 512, MAX_DEPTH = 32 };

/* Largest case file: nothing sensible comes near it. */
static const long MAX_BYTES = 16L << 20;

typedef struct {
    nnd_context *ctx;
    const char *name;
} reader;

static void where_text(const reader *r, struct fy_node *node, const char *fallback,
                       char where[WHERE_SIZE]) {
    struct fy_token *token = node != NULL ? fy_node_get_scalar_token(node) : NULL;
    const struct fy_mark *mark = token != NULL ? fy_token_start_mark(token) : NULL;
    if (mark != NULL)
        snprintf(where, WHERE_SIZE, "%.400s:%d:%d", r->name, mark->line + 1, mark->column + 1);
    else
        snprintf(where, WHERE_SIZE, "%s", fallback);
}

static nnd_status convert(const reader *r, struct fy_node *node, const char *fallback, int depth,
                          nnd_value **out);

static nnd_status convert_scalar(const reader *r, struct fy_node *node, const char *where,
                                 nnd_value **out) {
    size_t length = 0;
    const char *raw = node != NULL ? fy_node_get_scalar(node, &length) : NULL;
    enum fy_node_style style = node != NULL ? fy_node_get_style(node) : FYNS_PLAIN;
    if (raw != NULL && memchr(raw, '\0', length) != NULL)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: a NUL byte", where);
    char *text = raw != NULL ? strndup(raw, length) : strdup("");
    *out = text != NULL ? nnd_value_scalar(text, style != FYNS_PLAIN && style != FYNS_ANY, where)
                        : NULL;
    free(text);
    return *out != NULL ? NND_OK : nnd_fail_memory(r->ctx, where);
}

static nnd_status convert_list(const reader *r, struct fy_node *node, const char *where, int depth,
                               nnd_value *list) {
    void *position = NULL;
    struct fy_node *item;
    while ((item = fy_node_sequence_iterate(node, &position)) != NULL) {
        nnd_value *value;
        nnd_status status = convert(r, item, where, depth, &value);
        if (status != NND_OK)
            return status;
        if (!nnd_value_append(list, value))
            return nnd_fail_memory(r->ctx, where);
    }
    return NND_OK;
}

static nnd_status convert_map(const reader *r, struct fy_node *node, int depth, nnd_value *map) {
    void *position = NULL;
    struct fy_node_pair *pair;
    while ((pair = fy_node_mapping_iterate(node, &position)) != NULL) {
        char where[WHERE_SIZE];
        struct fy_node *key = fy_node_pair_key(pair);
        where_text(r, key, map->where, where);
        nnd_value *name, *value;
        if (key == NULL || !fy_node_is_scalar(key) || fy_node_is_alias(key))
            return nnd_fail(r->ctx, NND_E_INPUT, "%s: a key that is not a plain text", where);
        nnd_status status = convert_scalar(r, key, where, &name);
        if (status != NND_OK)
            return status;
        status = convert(r, fy_node_pair_value(pair), where, depth, &value);
        bool done = status == NND_OK && nnd_value_put(map, name->text, value);
        nnd_value_free(name);
        if (!done)
            return status != NND_OK ? status : nnd_fail_memory(r->ctx, where);
    }
    return NND_OK;
}

static nnd_status convert(const reader *r, struct fy_node *node, const char *fallback, int depth,
                          nnd_value **out) {
    char where[WHERE_SIZE];
    where_text(r, node, fallback, where);
    if (depth > MAX_DEPTH)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: nested more than %d deep", where, MAX_DEPTH);
    if (node != NULL && fy_node_is_alias(node))
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: aliases are not supported", where);
    if (node == NULL || fy_node_is_scalar(node))
        return convert_scalar(r, node, where, out);
    bool list = fy_node_is_sequence(node);
    nnd_value *value = list ? nnd_value_list(where) : nnd_value_map(where);
    if (value == NULL)
        return nnd_fail_memory(r->ctx, where);
    nnd_status status = list ? convert_list(r, node, where, depth + 1, value)
                             : convert_map(r, node, depth + 1, value);
    if (status == NND_OK)
        *out = value;
    else
        nnd_value_free(value);
    return status;
}

static nnd_status syntax_error(const reader *r, struct fy_diag *diag) {
    void *position = NULL;
    struct fy_diag_error *error = fy_diag_errors_iterate(diag, &position);
    if (error == NULL)
        return nnd_fail(r->ctx, NND_E_INPUT, "%s: empty, or not YAML", r->name);
    return nnd_fail(r->ctx, NND_E_INPUT, "%s:%d:%d: not valid YAML: %s", r->name, error->line,
                    error->column, error->msg);
}

/* Bytes of the UTF-8 character at `c`, 0 if it is none. */
static size_t character(const unsigned char *c) {
    size_t length = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    unsigned lowest = c[0] == 0xe0 ? 0xa0 : c[0] == 0xf0 ? 0x90 : 0x80;  /* no overlong forms */
    unsigned highest = c[0] == 0xed ? 0x9f : c[0] == 0xf4 ? 0x8f : 0xbf; /* no surrogates */
    if (c[0] > 0xf4 || (length > 1 && (c[1] < lowest || c[1] > highest)))
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* libfyaml hangs on some texts that are not UTF-8. */
static nnd_status check_utf8(const reader *r, const char *text) {
    int line = 1, column = 1;
    for (size_t length; *text != '\0'; text += length, column++) {
        length = character((const unsigned char *)text);
        if (length == 0)
            return nnd_fail(r->ctx, NND_E_INPUT, "%s:%d:%d: not UTF-8", r->name, line, column);
        if (*text == '\n') {
            line++;
            column = 0;
        }
    }
    return NND_OK;
}

/* The one document of a text. */
static nnd_status read_document(const reader *r, struct fy_parser *parser, struct fy_diag *diag,
                                nnd_value **tree) {
    char start[WHERE_SIZE];
    snprintf(start, sizeof start, "%.400s:1:1", r->name);
    struct fy_document *document = fy_parse_load_document(parser);
    if (document == NULL)
        return syntax_error(r, diag);
    nnd_status status = convert(r, fy_document_root(document), start, 0, tree);
    fy_parse_document_destroy(parser, document);
    if (status != NND_OK)
        return status;
    document = fy_parse_load_document(parser);
    if (document != NULL)
        status = nnd_fail(r->ctx, NND_E_INPUT, "%s: holds more than one document", r->name);
    else if (fy_diag_got_error(diag))
        status = syntax_error(r, diag);
    fy_parse_document_destroy(parser, document);
    if (status != NND_OK) {
        nnd_value_free(*tree);
        *tree = NULL;
    }
    return status;
}

nnd_status nnd_yaml_read_text(nnd_context *ctx, const char *name, const char *text,
                              nnd_value **tree) {
    reader r = {ctx, name};
    nnd_status status = check_utf8(&r, text);
    if (status != NND_OK)
        return status;
    struct fy_diag_cfg quiet;
    fy_diag_cfg_default(&quiet);
    quiet.fp = NULL;
    struct fy_diag *diag = fy_diag_create(&quiet);
    if (diag == NULL)
        return nnd_fail_memory(ctx, name);
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_DEFAULT_PARSE | FYPCF_JSON_NONE, .diag = diag};
    struct fy_parser *parser = fy_parser_create(&cfg);
    if (parser == NULL || fy_parser_set_string(parser, text, FY_NT) != 0)
        status = nnd_fail_memory(ctx, name);
    else
        status = read_document(&r, parser, diag, tree);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return status;
}

nnd_status nnd_yaml_read_file(nnd_context *ctx, const char *path, nnd_value **tree) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return nnd_fail(ctx, NND_E_INPUT, "%s: %s", path, strerror(errno));
    char *text = NULL;
    size_t room = 0;
    /* A case has no NUL byte, so one read up to it takes the whole file. */
    ssize_t length = getdelim(&text, &room, '\0', file);
    nnd_status status = NND_OK;
    if (ferror(file))
        status = nnd_fail(ctx, errno == EISDIR ? NND_E_INPUT : NND_E_IO, "%s: %s", path,
                          strerror(errno));
    else if (length <= 0)
        status = nnd_fail(ctx, NND_E_INPUT, "%s: empty", path);
    else if (length > MAX_BYTES || text[length - 1] == '\0')
        status = nnd_fail(ctx, NND_E_INPUT, "%s: not a case file", path);
    else
        status = nnd_yaml_read_text(ctx, path, text, tree);
    free(text);
    fclose(file);
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

static struct fy_node *build(struct fy_document *document, const nnd_value *value) {
    if (value->kind == NND_VALUE_SCALAR)
        return fy_node_create_scalar_copy(document, value->text, strlen(value->text));
    bool list = value->kind == NND_VALUE_LIST;
    struct fy_node *node =
        list ? fy_node_create_sequence(document) : fy_node_create_mapping(document);
    for (size_t i = 0; node != NULL && i < value->count; i++) {
        struct fy_node *item = build(document, value->item[i]);
        struct fy_node *key =
            list ? NULL
                 : fy_node_create_scalar_copy(document, value->key[i], strlen(value->key[i]));
        if (item == NULL || (list ? fy_node_sequence_append(node, item)
                                  : fy_node_mapping_append(node, key, item)) != 0)
            return NULL;
    }
    return node;
}

char *nnd_yaml_text(const nnd_value *tree) {
    struct fy_document *document = fy_document_create(NULL);
    char *text = NULL;
    struct fy_node *root = document != NULL ? build(document, tree) : NULL;
    if (root != NULL && fy_document_set_root(document, root) == 0)
        text = fy_emit_document_to_string(document, FYECF_MODE_BLOCK | FYECF_WIDTH_INF);
    if (document != NULL)
        fy_document_destroy(document);
    return text;
}
