/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Which variables of a result are drawn, and the list of what can be. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/suggest.h"
#include "core/text.h"
#include "plot/select.h"
#include "plot/style.h"

enum { LIST_SIZE = 800, FEWEST_SEEDS = 3 };

static const nnd_model *model_of(const nnd_result *result) {
    return result->model != NULL ? nnd_model_find(result->model) : NULL;
}

/* The frame that holds a variable, theory first; NULL: neither. */
static const nnd_frame *frame_of(const nnd_result *result, const char *name) {
    const nnd_frame *frames[] = {result->theory, result->mc};
    for (size_t f = 0; f < 2; f++)
        if (frames[f] != NULL && nnd_frame_find(frames[f], name) != NULL)
            return frames[f];
    return NULL;
}

/* True for x_se and x_min_size where x is a variable, and for what only keeps account of a run. */
static bool is_hidden(const nnd_result *result, const char *name) {
    const nnd_frame *frames[] = {result->theory, result->mc};
    for (size_t f = 0; f < 2; f++)
        if (frames[f] != NULL && (nnd_companion_owner(frames[f], name, NND_SE) != NULL ||
                                  nnd_companion_owner(frames[f], name, NND_MIN_SIZE) != NULL))
            return true;
    return nnd_is_account(name);
}

/* The i-th variable that can be drawn, those of the theory first; NULL past the last. */
static const char *variable_at(const nnd_result *result, size_t i) {
    const nnd_frame *frames[] = {result->theory, result->mc};
    for (size_t f = 0; f < 2; f++)
        for (size_t a = 0; frames[f] != NULL && a < nnd_frame_array_count(frames[f]); a++) {
            const char *name = nnd_frame_array(frames[f], a)->name;
            if (frame_of(result, name) == frames[f] && !is_hidden(result, name) && i-- == 0)
                return name;
        }
    return NULL;
}

/* The view of the i-th variable of the model's table, if the file holds it; else NULL. */
static const char *view_at(const nnd_result *result, const nnd_model *model, size_t i) {
    const nnd_variable *v = &model->variables[i];
    return frame_of(result, v->name) != NULL && !is_hidden(result, v->name) ? v->view : NULL;
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

/* True if a frame holds a variable over at least so many values of a number; NULL: of any. */
static bool is_over(const nnd_frame *frame, const char *name, const char *number, size_t least) {
    const nnd_array *a = frame != NULL ? nnd_frame_find(frame, name) : NULL;
    if (a == NULL || number == NULL)
        return a != NULL;
    const nnd_dim *dim = nnd_frame_find_dim(frame, number);
    return dim != NULL && dim->length >= least && dim->kind != NND_COORD_TEXT &&
           nnd_array_axis(frame, a, number) < a->ndims;
}

/* The i-th variable of which every seed is there and that can be drawn; NULL past the last. */
static const char *seeds_at(const nnd_result *result, size_t i) {
    const nnd_model *model = model_of(result);
    for (size_t v = 0; model != NULL && v < model->variable_count; v++)
        if (is_over(result->seeds, model->variables[v].name, "seed", FEWEST_SEEDS) && i-- == 0)
            return model->variables[v].name;
    return NULL;
}

/* The i-th of some names; NULL past the last. */
typedef const char *(*namer)(const nnd_result *result, size_t i);

/* Refuses a word, with the names that there are instead. */
static nnd_status refuse(nnd_context *ctx, const nnd_result *result, const char *what,
                         const char *word, namer name_at) {
    char there[LIST_SIZE];
    nnd_text list = nnd_text_in(sizeof there, there);
    nnd_suggestion near = {.word = word};
    for (size_t i = 0; name_at(result, i) != NULL; i++) {
        nnd_text_item(&list, ", ", "%s", name_at(result, i));
        nnd_suggest(&near, "", name_at(result, i));
    }
    return nnd_fail(ctx, NND_E_INPUT, "no %s %.200s; %sthere are: %s", what, word, near.text,
                    there);
}

static nnd_status select_named(nnd_context *ctx, const nnd_result *result,
                               const nnd_selection *vars, nnd_plot_choice *choice) {
    for (size_t v = 0; v < vars->count; v++) {
        if (frame_of(result, vars->value[v]) == NULL)
            return refuse(ctx, result, "variable", vars->value[v], variable_at);
        choice->name[choice->count++] = vars->value[v];
    }
    return NND_OK;
}

/* True if a variable is drawn beside another one of the same view. */
static bool is_guide(const nnd_result *result, const nnd_model *model, size_t i) {
    const char *view = view_at(result, model, i);
    for (size_t j = 0; j < model->variable_count; j++) {
        const char *other = j != i ? view_at(result, model, j) : NULL;
        const nnd_guide *g = model->variables[j].drawing.guides;
        for (; other != NULL && g != NULL && g->name != NULL; g++)
            if (strcmp(view, other) == 0 && strcmp(g->name, model->variables[i].name) == 0)
                return true;
    }
    return false;
}

static bool needs_seeds(const nnd_view *view) {
    return view->seeds || view->scatter;
}

/* True if a view of the model's shows its v-th variable. */
static bool shows(const nnd_result *result, const nnd_view *view, size_t v) {
    const nnd_frame *frames[] = {result->theory, result->mc};
    const char *name = view->variable[v], *x = view->drawing.x, *y = view->drawing.y;
    if (name == NULL)
        return false;
    if (view->scaling != NULL)
        return is_over(result->mc, name, "size", 2);
    if (needs_seeds(view))
        return is_over(result->seeds, name, "seed", FEWEST_SEEDS) &&
               (!view->scatter || is_over(result->seeds, view->drawing.over, "seed", 1));
    for (size_t f = 0; f < 2; f++)
        if (is_over(frames[f], name, x, 3) && is_over(frames[f], name, y, 3) &&
            is_over(frames[f], name, view->drawing.ridge, 3))
            return true;
    return false;
}

/* The next view of a model's that has anything to show after `view` (NULL: the first one). */
static const nnd_view *next_view(const nnd_result *result, const nnd_model *model,
                                 const nnd_view *view) {
    view = view != NULL ? view + 1 : model != NULL ? model->views : NULL;
    for (; view != NULL && view->name != NULL; view++)
        for (size_t v = 0; v < NND_VIEW_VARIABLES; v++)
            if (shows(result, view, v))
                return view;
    return NULL;
}

/* The model whose views a file is offered: its own, or else the first one that has any for it. */
static const nnd_model *views_model(const nnd_result *result) {
    const nnd_model *model = model_of(result);
    for (size_t i = 0; model == NULL && nnd_model_at(i) != NULL; i++)
        if (next_view(result, nnd_model_at(i), NULL) != NULL)
            model = nnd_model_at(i);
    return model;
}

/* The i-th view that a file offers; NULL past the last. */
const char *nnd_plot_view(const nnd_result *result, size_t i) {
    const nnd_model *model = model_of(result), *of = views_model(result);
    for (size_t v = 0; model != NULL && v < model->variable_count; v++)
        if (is_new_view(result, model, v) && i-- == 0)
            return view_at(result, model, v);
    for (const nnd_view *view = NULL; (view = next_view(result, of, view)) != NULL;)
        if (i-- == 0)
            return view->name;
    return NULL;
}

/* True if the theory has a finite value of a variable. */
static bool is_known(const nnd_result *result, const char *name) {
    const nnd_array *a = result->theory != NULL ? nnd_frame_find(result->theory, name) : NULL;
    for (size_t i = 0; a != NULL && i < a->count; i++)
        if (isfinite(a->data[i]))
            return true;
    return false;
}

/* The view that says most about a file; NULL: that of the first variable. */
static const char *best_view(const nnd_result *result, const nnd_model *model) {
    const nnd_model *of = views_model(result);
    for (const nnd_view *view = NULL; (view = next_view(result, of, view)) != NULL;)
        if (view->lead)
            return view->name;
    for (size_t i = 0; model != NULL && i < model->variable_count; i++)
        if (model->variables[i].lead && is_known(result, model->variables[i].name))
            return model->variables[i].view;
    return NULL;
}

/* A view of the model's table; false if the file has nothing to show in one of that name. */
static bool select_view_of(const nnd_result *result, const char *name, nnd_plot_choice *choice) {
    const nnd_model *of = views_model(result);
    for (const nnd_view *view = NULL; (view = next_view(result, of, view)) != NULL;) {
        if (name == NULL || strcmp(view->name, name) != 0)
            continue;
        choice->model = of;
        choice->view = view;
        for (size_t v = 0; v < NND_VIEW_VARIABLES; v++)
            if (shows(result, view, v))
                choice->name[choice->count++] = view->variable[v];
        return true;
    }
    return false;
}

/* The variables of a view; NULL as view: that of the first variable. */
static void select_view(const nnd_result *result, const nnd_model *model, const char *view,
                        nnd_plot_choice *choice) {
    for (size_t i = 0; i < model->variable_count; i++) {
        const char *mine = view_at(result, model, i);
        if (mine == NULL)
            continue;
        if (view == NULL)
            view = mine;
        if (strcmp(mine, view) == 0 && !is_guide(result, model, i))
            choice->name[choice->count++] = model->variables[i].name;
    }
}

/* The view of a model that shows seeds, of that name; NULL: none. */
static const nnd_view *seeds_view(const nnd_model *model, const char *name) {
    const nnd_view *view = model != NULL && name != NULL ? model->views : NULL;
    for (; view != NULL && view->name != NULL; view++)
        if (needs_seeds(view) && strcmp(view->name, name) == 0)
            return view;
    return NULL;
}

/* The variables that options name, or else those that the view says, if every seed is there. */
static nnd_status select_seeds(nnd_context *ctx, const nnd_result *result,
                               const nnd_plot_options *options, const nnd_view *view,
                               nnd_plot_choice *choice) {
    choice->view = view;
    if (result->seeds == NULL)
        return nnd_fail(ctx, NND_E_INPUT,
                        "view %s: the file does not hold every seed; simulate with --set "
                        "simulate.storage=trajectories",
                        view->name);
    for (size_t v = 0; options->vars.count == 0 && v < NND_VIEW_VARIABLES; v++)
        if (shows(result, view, v))
            choice->name[choice->count++] = view->variable[v];
    for (size_t v = 0; v < options->vars.count; v++) {
        const char *name = options->vars.value[v];
        if (!is_over(result->seeds, name, "seed", FEWEST_SEEDS))
            return refuse(ctx, result, "seeds of", name, seeds_at);
        choice->name[choice->count++] = name;
    }
    if (choice->count == 0)
        return nnd_fail(ctx, NND_E_INPUT,
                        "view %s: the file does not hold what it shows over %d seeds or more",
                        view->name, FEWEST_SEEDS);
    return NND_OK;
}

/* What has no model: all curves in time, or everything where there are none. */
static void select_curves(const nnd_result *result, nnd_plot_choice *choice) {
    for (int any = 0; any < 2 && choice->count == 0; any++)
        for (size_t i = 0; variable_at(result, i) != NULL; i++) {
            const char *name = variable_at(result, i);
            if (any || is_over(frame_of(result, name), name, "t", 1))
                choice->name[choice->count++] = name;
        }
}

/* Fills `choice`, whose list has room for all variables. */
static nnd_status choose(nnd_context *ctx, const nnd_result *result,
                         const nnd_plot_options *options, nnd_plot_choice *choice) {
    const nnd_model *model = model_of(result);
    const char *view = options->view != NULL ? options->view : best_view(result, model);
    choice->model = model;
    if (seeds_view(model, view) != NULL)
        return select_seeds(ctx, result, options, seeds_view(model, view), choice);
    if (options->vars.count > 0)
        return select_named(ctx, result, &options->vars, choice);
    if (!select_view_of(result, view, choice) && model != NULL)
        select_view(result, model, view, choice);
    if (choice->count == 0 && options->view != NULL && nnd_plot_view(result, 0) != NULL)
        return refuse(ctx, result, "view", options->view, nnd_plot_view);
    if (choice->count == 0 && options->view != NULL)
        return nnd_fail(ctx, NND_E_INPUT, "no view %s: the file has no views; name variables",
                        options->view);
    if (choice->count == 0)
        select_curves(result, choice);
    return choice->count > 0 ? NND_OK : nnd_fail(ctx, NND_E_INPUT, "there is nothing to draw");
}

nnd_status nnd_plot_select(nnd_context *ctx, const nnd_result *result,
                           const nnd_plot_options *options, nnd_plot_choice *choice) {
    size_t room = options->vars.count + NND_VIEW_VARIABLES;
    while (variable_at(result, room - 1) != NULL)
        room++;
    *choice = (nnd_plot_choice){.name = calloc(room, sizeof(char *))};
    if (choice->name == NULL)
        return nnd_fail_memory(ctx, "a list of variables");
    nnd_status status = choose(ctx, result, options, choice);
    if (status != NND_OK) {
        free(choice->name);
        choice->name = NULL;
    }
    return status;
}

static void list_variable(const nnd_result *result, const nnd_model *model, const char *name,
                          FILE *out) {
    const nnd_frame *frame = frame_of(result, name);
    const nnd_variable *v = model != NULL ? nnd_model_variable(model, name) : NULL;
    bool both =
        frame != result->mc && result->mc != NULL && nnd_frame_find(result->mc, name) != NULL;
    char dims[NND_PLOT_TEXT];
    nnd_array_dims(frame, nnd_frame_find(frame, name), sizeof dims, dims);
    fputs("  ", out);
    nnd_print_visible(out, name);
    fputs(" [", out);
    nnd_print_visible(out, dims);
    fprintf(out, "] %s",
            frame == result->mc ? "simulation"
            : both              ? "theory, simulation"
                                : "theory");
    if (v != NULL && v->view != NULL)
        fprintf(out, ", view %s", v->view);
    fputc('\n', out);
}

void nnd_plot_list(const nnd_result *result, FILE *out) {
    const nnd_model *model = model_of(result);
    for (size_t i = 0; nnd_plot_view(result, i) != NULL; i++)
        fprintf(out, "%s  %s\n", i > 0 ? "" : "views:\n", nnd_plot_view(result, i));
    fputs("variables:\n", out);
    for (size_t i = 0; variable_at(result, i) != NULL; i++)
        list_variable(result, model, variable_at(result, i), out);
}
