/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Colours, dashes, point types and texts of pictures. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "core/text.h"
#include "plot/plot_impl.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Texts longer than this many bytes are broken in two. */
enum { WRAP = 44 };

unsigned nnd_plot_colour(size_t i, size_t n) {
    /* Okabe and Ito's colours without yellow, which is lost on white. */
    static const unsigned few[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7,
                                   0xE69F00, 0x56B4E9, 0x000000};
    /* More values than those are an ordered scale: viridis, without its lightest end. */
    static const unsigned scale[] = {0x440154, 0x3B528B, 0x21918C, 0x5EC962, 0xD8D219};
    if (n <= COUNT(few))
        return few[i % COUNT(few)];
    double at = (double)i / (double)(n - 1) * (double)(COUNT(scale) - 1);
    size_t left = (size_t)fmin(floor(at), (double)(COUNT(scale) - 2));
    double weight = at - (double)left;
    unsigned colour = 0;
    for (unsigned shift = 0; shift <= 16; shift += 8) {
        double a = (double)(scale[left] >> shift & 0xFF);
        double b = (double)(scale[left + 1] >> shift & 0xFF);
        colour |= (unsigned)lround(a + weight * (b - a)) << shift;
    }
    return colour;
}

const char *nnd_plot_dash(size_t i) {
    static const char *const dash[] = {
        "solid", "(12,5)", "(3,4)", "(12,4,3,4)", "(24,6)", "(12,4,3,4,3,4)",
    };
    return dash[i % COUNT(dash)];
}

int nnd_plot_point(size_t i) {
    static const int shape[] = {7, 5, 9, 13, 11, 6, 4, 8, 12, 10};
    return shape[i % COUNT(shape)];
}

/* In single quotes gnuplot interprets nothing, backquotes included. A quote inside becomes a
 * typographic one: doubling it, as gnuplot wants, fails at the beginning of a string. */
static void quote_part(FILE *out, const char *text, size_t length) {
    fputc('\'', out);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'')
            fputs("\xE2\x80\x99", out);
        else
            fputc((unsigned char)text[i] < ' ' ? ' ' : text[i], out);
    }
    fputc('\'', out);
}

void nnd_plot_quote(FILE *out, const char *text) {
    quote_part(out, text, strlen(text));
}

/* As nnd_plot_quote, broken into two lines if it is long. */
static void quote_wrapped(FILE *out, const char *text) {
    size_t length = strlen(text), at = 0;
    /* The space nearest to the middle. */
    for (size_t i = 0; length > WRAP && i < length; i++) {
        size_t far = 2 * at > length ? 2 * at - length : length - 2 * at;
        size_t near = 2 * i > length ? 2 * i - length : length - 2 * i;
        if (text[i] == ' ' && near < far)
            at = i;
    }
    if (at == 0) {
        nnd_plot_quote(out, text);
        return;
    }
    quote_part(out, text, at);
    fputs(" . \"\\n\" . ", out);
    nnd_plot_quote(out, text + at + 1);
}

static const char *attribute(const nnd_panel *panel, const char *array, const char *key) {
    const nnd_source *sources[] = {&panel->theory, &panel->mc};
    for (size_t i = 0; i < 2; i++) {
        const nnd_attribute *a = NULL;
        if (sources[i]->array != NULL)
            a = nnd_frame_find_attribute(sources[i]->frame, array, key);
        if (a != NULL && a->text != NULL && a->text[0] != '\0')
            return a->text;
    }
    return NULL;
}

static const nnd_variable *variable(const nnd_panel *panel, const char *name) {
    return panel->model != NULL ? nnd_model_variable(panel->model, name) : NULL;
}

static const nnd_param *param(const nnd_panel *panel, const char *name) {
    return panel->model != NULL ? nnd_param_find(panel->model->params, name) : NULL;
}

const char *nnd_plot_symbol(const nnd_panel *panel, const char *name) {
    const nnd_variable *v = variable(panel, name);
    const nnd_param *p = v == NULL ? param(panel, name) : NULL;
    const char *symbol = v != NULL ? v->symbol : p != NULL ? p->symbol : NULL;
    return symbol != NULL ? symbol : name;
}

/* "long name symbol [unit]" of a variable or a dimension; "" as long name: its symbol alone. */
static void label(const nnd_panel *panel, const char *of, const char *long_name, size_t size,
                  char *text) {
    const char *named = attribute(panel, of, "long_name"), *unit = attribute(panel, of, "units");
    const char *symbol = nnd_plot_symbol(panel, of);
    nnd_text list = nnd_text_in(size, text);
    if (named != NULL)
        long_name = named;
    if (long_name[0] != '\0')
        nnd_text_item(&list, " ", "%s", long_name);
    if (long_name[0] == '\0' || symbol != of)
        nnd_text_item(&list, " ", "%s", symbol);
    if (unit != NULL && strcmp(unit, "1") != 0)
        nnd_text_item(&list, " ", "[%s]", unit);
}

static void dim_text(const nnd_panel *panel, const nnd_dim *dim, size_t size, char *text) {
    const char *over = dim == panel->x ? panel->drawing->over : NULL, *fallback = "";
    const nnd_param *p = param(panel, dim->name);
    bool steps = dim->kind != NND_COORD_REAL;
    if (p != NULL && p->long_name != NULL)
        fallback = p->long_name;
    else if (strcmp(dim->name, "t") == 0)
        fallback = steps ? "step t" : "time t";
    else if (strcmp(dim->name, "s") == 0 && panel->y != NULL)
        fallback = steps ? "step s" : "time s";
    label(panel, over != NULL ? over : dim->name, over != NULL ? "" : fallback, size, text);
}

void nnd_plot_axis_label(const char *axis, const char *text, FILE *out) {
    fprintf(out, "set %slabel ", axis);
    if (strcmp(axis, "x") == 0)
        nnd_plot_quote(out, text);
    else
        quote_wrapped(out, text);
    fputs(" noenhanced\n", out);
}

void nnd_plot_dim_label(const nnd_panel *panel, const nnd_dim *dim, const char *axis, FILE *out) {
    char text[NND_PLOT_TEXT];
    dim_text(panel, dim, sizeof text, text);
    nnd_plot_axis_label(axis, text, out);
}

void nnd_plot_value_label(const nnd_panel *panel, const char *axis, FILE *out) {
    char text[NND_PLOT_TEXT];
    label(panel, panel->name, "", sizeof text, text);
    nnd_plot_axis_label(axis, text, out);
}

void nnd_plot_title(const nnd_panel *panel, const char *name, FILE *out) {
    char text[NND_PLOT_TEXT], place[NND_PLOT_LABEL];
    nnd_panel_place(panel, sizeof place, place);
    nnd_text title = nnd_text_in(sizeof text, text);
    nnd_text_add(&title, "%.256s%s", name, place);
    if (panel->curves < panel->all_curves)
        nnd_text_add(&title, " (%zu of %zu curves)", panel->curves, panel->all_curves);
    fputs("set title ", out);
    nnd_plot_quote(out, text);
    fputs(" noenhanced\n", out);
}

void nnd_plot_nothing(FILE *out) {
    fputs("set label 'no finite values' at graph 0.5, graph 0.5 center\n"
          "unset tics\nplot [0:1] [0:1] NaN notitle\n",
          out);
}

void nnd_plot_element(nnd_plot_elements *list, unsigned colour, const char *format, ...) {
    va_list arguments;
    fputs(list->separator, list->out);
    list->separator = ", \\\n  ";
    va_start(arguments, format);
    vfprintf(list->out, format, arguments);
    va_end(arguments);
    fprintf(list->out, " lc rgb '#%06X' notitle", colour);
}

void nnd_plot_legend_place(FILE *out) {
    fputs(
        "set key at graph 1.0, graph 1.0 left top Left reverse maxcols 1 samplen 2.5 spacing 1.2\n",
        out);
}
