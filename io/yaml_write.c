/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees as YAML that reads back as the same tree: mappings and matrices in lines, the rest in
 * brackets; every text that could be taken for something else in double quotes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "nndmft/io.h"

enum { INDENT = 2 };

/* Words that are no text, here or to other readers of YAML. */
static bool is_word(const char *text) {
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on",
                                        "off",  "y",    "n",     "inf", "nan"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t at = 0;
        while (text[at] != '\0' && (text[at] | 0x20) == words[i][at])
            at++;
        if (text[at] == '\0' && words[i][at] == '\0')
            return true;
    }
    return false;
}

/* True of names and paths of the plainest kind, which need no quotes. */
static bool is_plain_text(const char *text) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char others[] = "/.-+0123456789";
    const char *end = text;
    if (*text == '\0' || strchr(letters, *text) == NULL || is_word(text))
        return false;
    while (*end != '\0' && (strchr(letters, *end) != NULL || strchr(others, *end) != NULL))
        end++;
    return *end == '\0';
}

/* Characters that YAML does not have, and those that look like none. */
static bool must_be_escaped(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
           code == 0xfeff || (code & 0xfffe) == 0xfffe;
}

/* A byte that is no UTF-8 is spelled out, see utf8.h. */
static void write_quoted(FILE *out, const char *text) {
    fputc('"', out);
    while (*text != '\0') {
        size_t length = nnd_utf8_length(text);
        uint32_t code = length > 0 ? nnd_utf8_code(text) : 0;
        if (length == 0)
            fprintf(out, "\\\\x%02X", (unsigned char)*text);
        else if (must_be_escaped(code))
            fprintf(out, code <= 0xffff ? "\\u%04X" : "\\U%08X", (unsigned)code);
        else
            fprintf(out, "%s%.*s", code == '"' || code == '\\' ? "\\" : "", (int)length, text);
        text += length > 0 ? length : 1;
    }
    fputc('"', out);
}

static void write_text(FILE *out, const char *text) {
    if (is_plain_text(text))
        fputs(text, out);
    else
        write_quoted(out, text);
}

static void write_scalar(FILE *out, const nnd_value *value) {
    double number;
    bool truth;
    if (nnd_value_is_null(value))
        fputs("null", out);
    else if (nnd_value_number(value, &number) || nnd_value_bool(value, &truth))
        fputs(value->text, out);
    else
        write_text(out, value->text);
}

static void write_flow(FILE *out, const nnd_value *value) {
    if (value->kind == NND_VALUE_SCALAR) {
        write_scalar(out, value);
        return;
    }
    bool map = value->kind == NND_VALUE_MAP;
    fputc(map ? '{' : '[', out);
    for (size_t i = 0; i < value->count; i++) {
        fputs(i > 0 ? ", " : "", out);
        if (map) {
            write_text(out, value->key[i]);
            fputs(": ", out);
        }
        write_flow(out, value->item[i]);
    }
    fputc(map ? '}' : ']', out);
}

/* True of what gets a line per child. */
static bool has_lines(const nnd_value *value) {
    bool lines = value->kind == NND_VALUE_MAP && value->count > 0;
    for (size_t i = 0; value->kind == NND_VALUE_LIST && i < value->count; i++)
        lines = lines || value->item[i]->kind != NND_VALUE_SCALAR;
    return lines;
}

static void write_lines(FILE *out, const nnd_value *value, int indent) {
    for (size_t i = 0; i < value->count; i++) {
        const nnd_value *item = value->item[i];
        fprintf(out, "%*s", indent, "");
        if (value->kind == NND_VALUE_LIST)
            fputs("- ", out);
        else {
            write_text(out, value->key[i]);
            fputs(has_lines(item) ? ":\n" : ": ", out);
        }
        if (value->kind == NND_VALUE_MAP && has_lines(item))
            write_lines(out, item, indent + INDENT);
        else {
            write_flow(out, item);
            fputc('\n', out);
        }
    }
}

char *nnd_yaml_text(const nnd_value *tree) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    if (has_lines(tree))
        write_lines(out, tree, 0);
    else
        write_flow(out, tree);
    bool written = !ferror(out);
    if (fclose(out) == 0 && written)
        return text;
    free(text);
    return NULL;
}
