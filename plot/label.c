/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "core/text.h"
#include "plot/axis.h"
#include "plot/label.h"

/* So many characters of a label of x may stand beyond its axis. */
enum { BEYOND = 3 };

static const nnd_param *param(const nnd_model *model, const char *name) {
    return model != NULL ? nnd_param_find(model->params, name) : NULL;
}

/* Dimensions that are no parameters: what they count, and its symbol if that is not its name. */
static const struct {
    const char *name, *counts, *symbol;
} COUNTED[] = {
    {"mu", "sample", "μ"},
    {"nu", "sample", "ν"},
    {"test", "test sample", NULL},
    {"layer2", "second layer", NULL},
};
enum { COUNTED_DIMS = sizeof COUNTED / sizeof *COUNTED };

/* Position in that list; its length if there is none. */
static size_t counted(const char *name) {
    size_t i = 0;
    while (i < COUNTED_DIMS && strcmp(COUNTED[i].name, name) != 0)
        i++;
    return i;
}

const char *nnd_plot_symbol(const nnd_model *model, const char *name) {
    const nnd_variable *v = model != NULL ? nnd_model_variable(model, name) : NULL;
    const nnd_param *p = v == NULL ? param(model, name) : NULL;
    size_t i = v == NULL && p == NULL ? counted(name) : COUNTED_DIMS;
    const char *symbol = v != NULL          ? v->symbol
                         : p != NULL        ? p->symbol
                         : i < COUNTED_DIMS ? COUNTED[i].symbol
                                            : NULL;
    return symbol != NULL ? symbol : name;
}

void nnd_plot_describe(const nnd_panel *panel, size_t from, size_t to, size_t curve, size_t size,
                       char *text) {
    nnd_text list = nnd_text_in(size, text);
    for (size_t k = from; k < to; k++) {
        const nnd_dim *dim = panel->key[k].dim;
        size_t at = nnd_panel_position(panel, k, curve);
        char value[NND_PLOT_LABEL];
        if (dim->kind == NND_COORD_REAL) /* in as many digits as tics have */
            nnd_format(value, sizeof value, "%.6g", dim->value[at]);
        else
            nnd_coord_text(dim, at, sizeof value, value);
        nnd_text_item(&list, ", ", "%s = %s", nnd_plot_symbol(panel->model, dim->name), value);
    }
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

/* "long name symbol [unit]" of a variable or a dimension; "" as long name: its symbol alone. */
static void label(const nnd_panel *panel, const char *of, const char *long_name, size_t size,
                  char *text) {
    const char *named = attribute(panel, of, "long_name"), *unit = attribute(panel, of, "units");
    const char *symbol = nnd_plot_symbol(panel->model, of);
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

/* The name of a dimension that has none in the file. */
static const char *dim_name(const nnd_panel *panel, const nnd_dim *dim) {
    const nnd_param *p = param(panel->model, dim->name);
    bool steps = dim->kind != NND_COORD_REAL;
    if (p != NULL && p->long_name != NULL)
        return p->long_name;
    if (strcmp(dim->name, "t") == 0)
        return steps ? "step t" : "time t";
    if (strcmp(dim->name, "s") == 0 && panel->y != NULL)
        return steps ? "step s" : "time s";
    size_t i = counted(dim->name);
    return i < COUNTED_DIMS ? COUNTED[i].counts : "";
}

void nnd_plot_dim_text(const nnd_panel *panel, const nnd_dim *dim, size_t size, char *text) {
    const nnd_guide *outlier = panel->histogram ? nnd_panel_guide(panel, NND_GUIDE_ARROW) : NULL;
    if (outlier != NULL && nnd_source_of(panel->theory.frame, outlier->name).array != NULL)
        label(panel, outlier->name, "", size, text);
    else if (dim == panel->x && panel->drawing->over != NULL)
        label(panel, panel->drawing->over, "", size, text);
    else if (dim == panel->x && panel->drawing->x_name != NULL)
        snprintf(text, size, "%s %s", panel->drawing->x_name, dim->name);
    else
        label(panel, dim->name, dim_name(panel, dim), size, text);
}

void nnd_plot_value_text(const nnd_panel *panel, size_t size, char *text) {
    bool law = panel->histogram && panel->theory.array != NULL;
    label(panel, law ? panel->theory.array->name : panel->name, "", size, text);
}

void nnd_plot_x_label(const nnd_panel *panel, char *text, FILE *out) {
    nnd_plot_wrap(text, panel->level + BEYOND);
    fputs("set xlabel ", out);
    nnd_plot_quote_lines(out, text);
    fputs(" noenhanced\n", out);
}

void nnd_plot_x_dim_label(const nnd_panel *panel, const nnd_dim *dim, FILE *out) {
    char text[NND_PLOT_TEXT];
    nnd_plot_dim_text(panel, dim, sizeof text, text);
    nnd_plot_x_label(panel, text, out);
}

size_t nnd_plot_list_width(const nnd_dim *dim) {
    char text[NND_PLOT_LABEL];
    size_t widest = 0;
    for (size_t i = 0; i < dim->length; i++) {
        nnd_coord_text(dim, i, sizeof text, text);
        size_t width = nnd_plot_characters(text, strlen(text));
        widest = width > widest ? width : widest;
    }
    return widest;
}

void nnd_plot_list_tics(const nnd_panel *panel, const nnd_dim *dim, const char *axis, FILE *out) {
    bool upright = strcmp(axis, "y") == 0;
    size_t step = nnd_axis_step(dim->length, nnd_plot_list_width(dim), upright,
                                upright ? panel->upright : panel->level);
    char text[NND_PLOT_LABEL];
    fprintf(out, "set %stics noenhanced (", axis);
    for (size_t i = 0; i < dim->length; i += step) {
        nnd_coord_text(dim, i, sizeof text, text);
        fputs(i > 0 ? ", " : "", out);
        nnd_plot_quote(out, text);
        fprintf(out, " %zu", i);
    }
    fputs(")\n", out);
}

/* Adds where a cell is: ", matrix 0 at t = 40". */
static void add_place(const nnd_panel *panel, nnd_text *title) {
    char value[NND_PLOT_LABEL];
    const nnd_dim *facet = panel->facet.dim, *t = panel->instant.dim;
    if (facet != NULL) {
        bool number = facet->kind != NND_COORD_TEXT;
        nnd_coord_text(facet, panel->facet.at, sizeof value, value);
        nnd_text_add(title, ", %s%s%s", number ? facet->name : "", number ? " " : "", value);
    }
    if (t != NULL) {
        nnd_coord_text(t, panel->instant.at, sizeof value, value);
        nnd_text_add(title, " at %s = %s", t->name, value);
    }
}

void nnd_plot_title(const nnd_panel *panel, const char *name, const char *more, FILE *out) {
    char text[NND_PLOT_TEXT];
    nnd_text title = nnd_text_in(sizeof text, text);
    if (!panel->captioned)
        nnd_text_add(&title, "%.128s", name);
    add_place(panel, &title);
    nnd_text_add(&title, "%s", more);
    if (panel->curves < panel->all_curves)
        nnd_text_add(&title, " (%zu of %zu%s)", panel->curves, panel->all_curves,
                     panel->y == NULL ? " curves" : "");
    fputs("set title ", out);
    /* What follows a name begins with a comma or a space. */
    nnd_plot_quote(out, panel->captioned ? text + strspn(text, ", ") : text);
    fputs(" noenhanced\n", out);
}
