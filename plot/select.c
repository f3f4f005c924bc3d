/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Which variables of a result are drawn, and the list of what can be. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/text.h"
#include "plot/plot_impl.h"

enum { LIST_SIZE = 800 };

const nnd_model *nnd_plot_model(const nnd_result *result) {
    return result->model != NULL ? nnd_model_find(result->model) : NULL;
}

static const nnd_array *find(const nnd_result *result, const char *name) {
    const nnd_array *array = NULL;
    if (result->theory != NULL)
        array = nnd_frame_find(result->theory, name);
    if (array == NULL && result->mc != NULL)
        array = nnd_frame_find(result->mc, name);
    return array;
}

/* True for x_se and x_min_size where x is a variable, and for what only keeps account of a run. */
static bool is_hidden(const nnd_result *result, const char *name) {
    static const char *const endings[] = {NND_SE, NND_MIN_SIZE};
    const nnd_frame *frames[] = {result->theory, result->mc};
    if (nnd_is_account(name))
        return true;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        for (size_t f = 0; f < sizeof frames / sizeof *frames; f++)
            if (frames[f] != NULL && nnd_companion_owner(frames[f], name, endings[i]) != NULL)
                return true;
    return false;
}

/* The i-th variable that can be drawn, those of the theory first; NULL past the last. */
static const char *variable_at(const nnd_result *result, size_t i) {
    const nnd_frame *frames[] = {result->theory, result->mc};
    for (size_t f = 0; f < 2; f++)
        for (size_t a = 0; frames[f] != NULL && a < nnd_frame_array_count(frames[f]); a++) {
            const char *name = nnd_frame_array(frames[f], a)->name;
            bool seen = f == 1 && frames[0] != NULL && nnd_frame_find(frames[0], name) != NULL;
            if (!seen && !is_hidden(result, name) && i-- == 0)
                return name;
        }
    return NULL;
}

/* The view of the i-th variable of the model's table, if the file holds it; else NULL. */
static const char *view_at(const nnd_result *result, const nnd_model *model, size_t i) {
    const nnd_variable *v = &model->variables[i];
    return find(result, v->name) != NULL && !is_hidden(result, v->name) ? v->view : NULL;
}

/* True if no variable before the i-th has the same view. */
static bool is_new_view(const nnd_result *result, const nnd_model *model, size_t i) {
    const char *view = view_at(result, model, i);
    for (size_t j = 0; view != NULL && j < i; j++) {
        const char *earlier = view_at(result, model, j);
        if (earlier != NULL && strcmp(earlier, view) == 0)
            return false;
    }
    return view != NULL;
}

static nnd_status select_named(nnd_context *ctx, const nnd_result *result,
                               const nnd_selection *vars, nnd_plot_names *names) {
    for (size_t v = 0; v < vars->count; v++) {
        if (find(result, vars->value[v]) != NULL) {
            names->name[names->count++] = vars->value[v];
            continue;
        }
        char there[LIST_SIZE];
        nnd_text list = nnd_text_in(sizeof there, there);
        nnd_suggestion near = {.word = vars->value[v]};
        for (size_t i = 0; variable_at(result, i) != NULL; i++) {
            nnd_text_item(&list, ", ", "%s", variable_at(result, i));
            nnd_suggest(&near, "", variable_at(result, i));
        }
        return nnd_fail(ctx, NND_E_INPUT, "no variable %.200s; %sthere are: %s", vars->value[v],
                        near.text, there);
    }
    return NND_OK;
}

/* What is drawn in the cells of another variable, if the file holds that one. */
static bool is_companion(const nnd_result *result, const char *name) {
    static const char *const pairs[][2] = {{"bulk_edge", "outlier"},
                                           {"floor_time", "theta"},
                                           {"neg_log_sin_law", "neg_log_sin"},
                                           {"ntk_edge", "ntk_top"},
                                           {"omega_critical", "omega"},
                                           {"omega_law", "omega"},
                                           {"sharpness_bound", "final_sharpness"},
                                           {"sharpness_ceiling", "final_sharpness"},
                                           {"sharpness_flow", "final_sharpness"},
                                           {"sharpness_min", "final_sharpness"},
                                           {"stability_edge", "stability"},
                                           {"stability_limit", "final_sharpness"},
                                           {"sv_density", "sv_hist"},
                                           {"theta_floor", "theta"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(name, pairs[i][0]) == 0)
            return find(result, pairs[i][1]) != NULL;
    return false;
}

/* A view of variables that belong to other views too: what it shows, over which swept numbers, and
 * whether it says most about a file. */
typedef struct {
    const char *name;
    const char *shown[2], *over[2];
    bool best;
} derived_view;

static const derived_view DERIVED[] = {
    {NND_PLOT_TRANSFER, {"train_mse", "test_risk"}, {"lr", NULL}, true},
    {NND_PLOT_MAP, {"cosine", "cka"}, {"alpha", "snr"}, false},
    {NND_PLOT_DECOUPLING, {"gen_error", NULL}, {"alpha", NULL}, false},
    {NND_PLOT_SCALING, {"delta_nvar", NULL}, {"size", NULL}, false},
};
enum { DERIVED_COUNT = sizeof DERIVED / sizeof *DERIVED };

static bool is_over(const nnd_frame *frame, const char *name, const char *dim_name) {
    const nnd_array *a = frame != NULL ? nnd_frame_find(frame, name) : NULL;
    const nnd_dim *dim = a != NULL ? nnd_frame_find_dim(frame, dim_name) : NULL;
    size_t least = strcmp(dim_name, "size") == 0 ? 2 : 3;
    return dim != NULL && dim->length >= least && dim->kind != NND_COORD_TEXT &&
           nnd_array_axis(frame, a, dim_name) < a->ndims;
}

/* The i-th variable that a derived view shows; NULL past the last. */
static const char *derived_at(const nnd_result *result, const derived_view *view, size_t i) {
    const nnd_frame *frames[] = {result->theory, result->mc};
    for (size_t v = 0; v < 2 && view->shown[v] != NULL; v++) {
        bool has = false;
        for (size_t f = 0; f < 2 && !has; f++)
            has = is_over(frames[f], view->shown[v], view->over[0]) &&
                  (view->over[1] == NULL || is_over(frames[f], view->shown[v], view->over[1]));
        if (has && i-- == 0)
            return view->shown[v];
    }
    return NULL;
}

/* The derived view of a name, if the file has anything to show in it; else NULL. */
static const derived_view *derived_named(const nnd_result *result, const char *name) {
    for (size_t d = 0; name != NULL && d < DERIVED_COUNT; d++)
        if (strcmp(DERIVED[d].name, name) == 0 && derived_at(result, &DERIVED[d], 0) != NULL)
            return &DERIVED[d];
    return NULL;
}

/* The i-th view that a file offers; NULL past the last. */
static const char *offer_at(const nnd_result *result, const nnd_model *model, size_t i) {
    for (size_t v = 0; model != NULL && v < model->variable_count; v++)
        if (is_new_view(result, model, v) && i-- == 0)
            return view_at(result, model, v);
    for (size_t d = 0; d < DERIVED_COUNT; d++)
        if (derived_at(result, &DERIVED[d], 0) != NULL && i-- == 0)
            return DERIVED[d].name;
    return NULL;
}

/* The view that says most about a file; NULL: that of the first variable. */
static const char *best_view(const nnd_result *result, const nnd_model *model) {
    for (size_t d = 0; d < DERIVED_COUNT; d++)
        if (DERIVED[d].best && derived_at(result, &DERIVED[d], 0) != NULL)
            return DERIVED[d].name;
    static const char *const telling[] = {"outlier", "delta_nvar"};
    for (size_t k = 0; k < sizeof telling / sizeof *telling; k++) {
        const nnd_variable *v = model != NULL ? nnd_model_variable(model, telling[k]) : NULL;
        const nnd_array *a = NULL;
        if (v != NULL && result->theory != NULL)
            a = nnd_frame_find(result->theory, v->name);
        for (size_t i = 0; a != NULL && i < a->count; i++)
            if (isfinite(a->data[i]))
                return v->view;
    }
    return NULL;
}

static void select_derived(const nnd_result *result, const derived_view *view,
                           nnd_plot_names *names) {
    names->view = view->name;
    for (size_t i = 0; derived_at(result, view, i) != NULL; i++)
        names->name[names->count++] = derived_at(result, view, i);
}

/* NULL as view: that of the first variable. */
static void select_view(const nnd_result *result, const nnd_model *model, const char *view,
                        nnd_plot_names *names) {
    for (size_t i = 0; i < model->variable_count; i++) {
        const char *mine = view_at(result, model, i);
        if (mine == NULL)
            continue;
        if (view == NULL)
            view = mine;
        if (strcmp(mine, view) == 0 && !is_companion(result, model->variables[i].name))
            names->name[names->count++] = model->variables[i].name;
    }
}

static nnd_status fail_view(nnd_context *ctx, const nnd_result *result, const nnd_model *model,
                            const char *view) {
    char there[LIST_SIZE];
    nnd_text list = nnd_text_in(sizeof there, there);
    nnd_suggestion near = {.word = view};
    for (size_t i = 0; offer_at(result, model, i) != NULL; i++) {
        nnd_text_item(&list, ", ", "%s", offer_at(result, model, i));
        nnd_suggest(&near, "", offer_at(result, model, i));
    }
    if (list.items == 0)
        return nnd_fail(ctx, NND_E_INPUT, "no view %s: the file has no views; name variables",
                        view);
    return nnd_fail(ctx, NND_E_INPUT, "no view %.200s; %sthere are: %s", view, near.text, there);
}

/* What has no model: all curves in time, or everything where there are none. */
static void select_curves(const nnd_result *result, nnd_plot_names *names) {
    for (int any = 0; any < 2 && names->count == 0; any++)
        for (size_t i = 0; variable_at(result, i) != NULL; i++) {
            const char *name = variable_at(result, i);
            const nnd_frame *frame = result->theory;
            if (frame == NULL || nnd_frame_find(frame, name) == NULL)
                frame = result->mc;
            const nnd_array *array = nnd_frame_find(frame, name);
            if (any || nnd_array_axis(frame, array, "t") < array->ndims)
                names->name[names->count++] = name;
        }
}

nnd_status nnd_plot_select(nnd_context *ctx, const nnd_result *result,
                           const nnd_plot_options *options, nnd_plot_names *names) {
    const nnd_model *model = nnd_plot_model(result);
    const char *view = options->view != NULL ? options->view : best_view(result, model);
    size_t room = options->vars.count + (model != NULL ? model->variable_count : 0) + 2;
    while (variable_at(result, room - 1) != NULL)
        room++;
    *names = (nnd_plot_names){0, calloc(room, sizeof(char *)), NULL};
    if (names->name == NULL)
        return nnd_fail_memory(ctx, "a list of variables");
    nnd_status status = NND_OK;
    if (options->vars.count > 0)
        status = select_named(ctx, result, &options->vars, names);
    else if (derived_named(result, view) != NULL)
        select_derived(result, derived_named(result, view), names);
    else if (model != NULL)
        select_view(result, model, view, names);
    if (status == NND_OK && names->count == 0 && options->view != NULL)
        status = fail_view(ctx, result, model, options->view);
    if (status == NND_OK && names->count == 0)
        select_curves(result, names);
    if (status == NND_OK && names->count == 0)
        status = nnd_fail(ctx, NND_E_INPUT, "there is nothing to draw");
    if (status != NND_OK) {
        free(names->name);
        *names = (nnd_plot_names){0, NULL, NULL};
    }
    return status;
}

static void list_variable(const nnd_result *result, const nnd_model *model, const char *name,
                          FILE *out) {
    const nnd_frame *frames[] = {result->theory, result->mc};
    const nnd_array *in[] = {NULL, NULL};
    char dims[NND_PLOT_TEXT] = "";
    for (size_t f = 2; f-- > 0;) {
        if (frames[f] != NULL)
            in[f] = nnd_frame_find(frames[f], name);
        if (in[f] != NULL)
            nnd_array_dims(frames[f], in[f], sizeof dims, dims);
    }
    fputs("  ", out);
    nnd_print_visible(out, name);
    fputs(" [", out);
    nnd_print_visible(out, dims);
    fprintf(out, "] %s",
            in[0] == NULL   ? "simulation"
            : in[1] == NULL ? "theory"
                            : "theory, simulation");
    const nnd_variable *v = model != NULL ? nnd_model_variable(model, name) : NULL;
    if (v != NULL && v->view != NULL)
        fprintf(out, ", view %s", v->view);
    fputc('\n', out);
}

void nnd_plot_list(const nnd_result *result, FILE *out) {
    const nnd_model *model = nnd_plot_model(result);
    for (size_t i = 0; offer_at(result, model, i) != NULL; i++)
        fprintf(out, "%s  %s\n", i > 0 ? "" : "views:\n", offer_at(result, model, i));
    fputs("variables:\n", out);
    for (size_t i = 0; variable_at(result, i) != NULL; i++)
        list_variable(result, model, variable_at(result, i), out);
}
