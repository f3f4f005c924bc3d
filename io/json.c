/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A frame as JSON, in the shape of xarray's Dataset.to_dict(). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "io/export_impl.h"

enum { NUMBER_SIZE = 40 };

/* A byte that is no UTF-8 is spelled out, see utf8.h: JSON is UTF-8. */
static void write_string(FILE *out, const char *text) {
    fputc('"', out);
    for (size_t length; *text != '\0'; text += length > 0 ? length : 1) {
        unsigned char c = (unsigned char)*text;
        length = nnd_utf8_length(text);
        if (length == 0)
            fprintf(out, "\\\\x%02X", c);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fprintf(out, "%.*s", (int)length, text);
    }
    fputc('"', out);
}

/* A real number keeps its decimal point, so that readers do not take it for an integer. JSON has no
 * infinity, and strict readers reject numbers that round to it. */
static void write_real(FILE *out, double x) {
    char text[NUMBER_SIZE];
    if (!isfinite(x)) {
        fputs("null", out);
        return;
    }
    nnd_number_text(x, sizeof text, text);
    fprintf(out, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void write_attributes(FILE *out, const nnd_frame *frame, const char *array) {
    const char *separator = "";
    fputc('{', out);
    for (size_t i = 0; i < nnd_frame_attribute_count(frame); i++) {
        const nnd_attribute *a = nnd_frame_attribute(frame, i);
        bool mine =
            array == NULL ? a->array == NULL : a->array != NULL && strcmp(a->array, array) == 0;
        if (!mine)
            continue;
        fputs(separator, out);
        write_string(out, a->key);
        fputs(": ", out);
        if (a->text != NULL)
            write_string(out, a->text);
        else
            write_real(out, a->number);
        separator = ", ";
    }
    fputc('}', out);
}

static void write_coordinates(FILE *out, const nnd_dim *dim) {
    char text[NUMBER_SIZE];
    fputc('[', out);
    for (size_t i = 0; i < dim->length; i++) {
        if (i > 0)
            fputs(", ", out);
        if (dim->kind == NND_COORD_TEXT)
            write_string(out, dim->text[i]);
        else if (dim->kind == NND_COORD_REAL || !isfinite(dim->value[i]))
            write_real(out, dim->value[i]);
        else {
            nnd_coord_text(dim, i, sizeof text, text);
            fputs(text, out);
        }
    }
    fputc(']', out);
}

static void write_coord(FILE *out, const nnd_frame *frame, const nnd_dim *dim) {
    write_string(out, dim->name);
    fputs(": {\"dims\": [", out);
    write_string(out, dim->name);
    fputs("], \"attrs\": ", out);
    write_attributes(out, frame, dim->name);
    fputs(", \"data\": ", out);
    write_coordinates(out, dim);
    fputc('}', out);
}

/* Values as lists nested as deep as the array has dimensions. */
static void write_values(FILE *out, const nnd_array *array) {
    for (size_t i = 0; i < array->count && !ferror(out); i++) {
        size_t opened = 0, block = 1;
        for (size_t d = array->ndims; d > 0; d--) {
            block *= array->shape[d - 1];
            opened += i % block == 0;
        }
        if (i > 0)
            fputs(", ", out);
        for (size_t d = 0; d < opened; d++)
            fputc('[', out);
        write_real(out, array->data[i]);
        block = 1;
        for (size_t d = array->ndims; d > 0; d--) {
            block *= array->shape[d - 1];
            if ((i + 1) % block == 0)
                fputc(']', out);
        }
    }
}

static void write_array(FILE *out, const nnd_frame *frame, const nnd_array *array) {
    write_string(out, array->name);
    fputs(": {\"dims\": [", out);
    for (size_t i = 0; i < array->ndims; i++) {
        fputs(i > 0 ? ", " : "", out);
        write_string(out, nnd_frame_dim(frame, array->dim[i])->name);
    }
    fputs("], \"attrs\": ", out);
    write_attributes(out, frame, array->name);
    fputs(", \"data\": ", out);
    write_values(out, array);
    fputc('}', out);
}

/* Which arrays are written: all, or those named. */
static nnd_status choose(nnd_context *ctx, const nnd_frame *frame, const nnd_selection *vars,
                         bool *chosen) {
    bool all = vars == NULL || vars->count == 0;
    for (size_t i = 0; i < nnd_frame_array_count(frame); i++)
        chosen[i] = all;
    for (size_t v = 0; !all && v < vars->count; v++) {
        const nnd_array *array[NND_EXPORT_PARTS];
        size_t count;
        nnd_status status = nnd_export_find_all(ctx, frame, vars->value[v], &count, array);
        if (status != NND_OK)
            return status;
        for (size_t i = 0; i < nnd_frame_array_count(frame); i++) {
            const nnd_array *a = nnd_frame_array(frame, i);
            for (size_t k = 0; k < count; k++)
                chosen[i] = chosen[i] || a == array[k] || a == nnd_export_error_of(frame, array[k]);
        }
    }
    return NND_OK;
}

/* A dimension is written if an array over it is, or if everything is. */
static bool dim_used(const nnd_frame *frame, size_t dim, const bool *chosen, bool all) {
    for (size_t i = 0; !all && i < nnd_frame_array_count(frame); i++) {
        const nnd_array *array = nnd_frame_array(frame, i);
        for (size_t d = 0; chosen[i] && d < array->ndims; d++)
            if (array->dim[d] == dim)
                return true;
    }
    return all;
}

static void write_frame(FILE *out, const nnd_frame *frame, const bool *chosen, bool all) {
    const char *separator = "\n";
    fputs("{\"coords\": {", out);
    for (size_t i = 0; i < nnd_frame_dim_count(frame); i++) {
        if (!dim_used(frame, i, chosen, all))
            continue;
        fputs(separator, out);
        write_coord(out, frame, nnd_frame_dim(frame, i));
        separator = ",\n";
    }
    fputs("},\n\"attrs\": ", out);
    write_attributes(out, frame, NULL);
    fputs(",\n\"dims\": {", out);
    separator = "";
    for (size_t i = 0; i < nnd_frame_dim_count(frame); i++) {
        if (!dim_used(frame, i, chosen, all))
            continue;
        fputs(separator, out);
        write_string(out, nnd_frame_dim(frame, i)->name);
        fprintf(out, ": %zu", nnd_frame_dim(frame, i)->length);
        separator = ", ";
    }
    fputs("},\n\"data_vars\": {", out);
    separator = "\n";
    for (size_t i = 0; i < nnd_frame_array_count(frame); i++) {
        if (!chosen[i])
            continue;
        fputs(separator, out);
        write_array(out, frame, nnd_frame_array(frame, i));
        separator = ",\n";
    }
    fputs("}}\n", out);
}

nnd_status nnd_json_write(nnd_context *ctx, const nnd_frame *frame, const nnd_selection *vars,
                          FILE *out) {
    bool *chosen = calloc(nnd_frame_array_count(frame) + 1, sizeof *chosen);
    if (chosen == NULL)
        return nnd_fail_memory(ctx, "the list of variables");
    nnd_status status = choose(ctx, frame, vars, chosen);
    if (status == NND_OK) {
        write_frame(out, frame, chosen, vars == NULL || vars->count == 0);
        status = nnd_export_finish(ctx, out);
    }
    free(chosen);
    return status;
}

nnd_status nnd_json_write_all(nnd_context *ctx, const nnd_named_frames *frames, FILE *out) {
    nnd_status status = NND_OK;
    fputc('{', out);
    for (size_t i = 0; status == NND_OK && i < frames->count; i++) {
        fputs(i > 0 ? ",\n" : "", out);
        write_string(out, frames->name[i]);
        fputs(": ", out);
        status = nnd_json_write(ctx, frames->frame[i], NULL, out);
    }
    fputs("}\n", out);
    return status == NND_OK ? nnd_export_finish(ctx, out) : status;
}
