/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/case_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dim.h"
#include "core/suggest.h"
#include "core/text.h"
#include "core/utf8.h"

enum { TEXT_SIZE = 256, MAX_POINTS = 1000000, MAX_NAME = 200 };

/* A case while it is being resolved. */
typedef struct {
    nnd_context *ctx;
    nnd_case *out;
    const nnd_case_source *source;
    const nnd_value *tree;
    const nnd_value *params, *sweep; /* NULL when absent */
    nnd_value *options;              /* keys of `simulate` that are the model's own */
    nnd_data_cache *cache;
    char warned[sizeof((nnd_objection *)NULL)->text]; /* what the last point was warned of */
} resolution;

/* "file:line:column: ", or "" for a value that stands nowhere. */
static const char *place(const nnd_value *value, char text[TEXT_SIZE]) {
    text[0] = '\0';
    if (value != NULL && value->where[0] != '\0')
        snprintf(text, TEXT_SIZE, "%s: ", value->where);
    return text;
}

static nnd_status bad(nnd_context *ctx, const nnd_value *value, const char *key,
                      const char *wrong) {
    char where[TEXT_SIZE];
    return nnd_fail(ctx, NND_E_INPUT, "%s%s: %s", place(value, where), key, wrong);
}

/* Says what was found, too. */
static nnd_status bad_value(nnd_context *ctx, const nnd_value *value, const char *key,
                            const char *wrong) {
    char text[2 * TEXT_SIZE], found[TEXT_SIZE / 2];
    nnd_value_describe(value, sizeof found, found);
    snprintf(text, sizeof text, "%s %s", found, wrong);
    return bad(ctx, value, key, text);
}

/* Offers the keys of a section. */
static void suggest_table(nnd_suggestion *near, const char *prefix, const nnd_param_table *table) {
    for (size_t i = 0; table != NULL && i < table->count; i++)
        nnd_suggest(near, prefix, table->param[i].name);
}

static nnd_status unknown_key(nnd_context *ctx, const nnd_value *tree, size_t i,
                              const char *const *keys) {
    char wrong[2 * TEXT_SIZE], key[TEXT_SIZE];
    nnd_suggestion near = {.word = tree->key[i]};
    const nnd_value *name = nnd_value_get(tree, "model");
    bool named = name != NULL && name->kind == NND_VALUE_SCALAR;
    const nnd_model *model = named ? nnd_model_find(name->text) : NULL;
    for (size_t k = 0; keys[k] != NULL; k++)
        nnd_suggest(&near, "", keys[k]);
    suggest_table(&near, "params.", model != NULL ? model->params : NULL);
    suggest_table(&near, "simulate.", &nnd_simulate_table);
    suggest_table(&near, "simulate.", model != NULL ? model->simulate : NULL);
    suggest_table(&near, "compare.", &nnd_compare_table);
    snprintf(wrong, sizeof wrong,
             "unknown key; %sallowed: model, name, params, sweep, simulate, compare, output",
             near.text);
    snprintf(key, sizeof key, "%.100s", tree->key[i]);
    return bad(ctx, tree->item[i], key, wrong);
}

static nnd_status check_top_keys(nnd_context *ctx, const nnd_value *tree) {
    static const char *const keys[] = {"model",    "name",    "params", "sweep",
                                       "simulate", "compare", "output", NULL};
    if (tree->kind != NND_VALUE_MAP)
        return bad_value(ctx, tree, "case", "is not a mapping of keys to values");
    for (size_t i = 0; i < tree->count; i++) {
        size_t k = 0;
        while (keys[k] != NULL && strcmp(keys[k], tree->key[i]) != 0)
            k++;
        if (keys[k] == NULL)
            return unknown_key(ctx, tree, i, keys);
    }
    return NND_OK;
}

static nnd_status read_model(nnd_context *ctx, const nnd_value *tree, const nnd_model **model) {
    const nnd_value *value = nnd_value_get(tree, "model");
    if (value == NULL)
        return bad(ctx, tree, "model", "missing; `nndmft models` lists what there is");
    char wrong[2 * TEXT_SIZE];
    *model = value->kind == NND_VALUE_SCALAR ? nnd_model_find(value->text) : NULL;
    if (*model != NULL)
        return NND_OK;
    nnd_suggestion near = {.word = value->kind == NND_VALUE_SCALAR ? value->text : ""};
    for (size_t i = 0; nnd_model_at(i) != NULL; i++)
        nnd_suggest(&near, "", nnd_model_at(i)->name);
    nnd_text text = nnd_text_in(sizeof wrong, wrong);
    nnd_text_add(&text, "is not a model; %sallowed: ", near.text);
    for (size_t i = 0; nnd_model_at(i) != NULL; i++)
        nnd_text_item(&text, ", ", "%s", nnd_model_at(i)->name);
    return bad_value(ctx, value, "model", wrong);
}

/* A key of the case; null counts as absent. */
static const nnd_value *section(const nnd_value *tree, const char *key) {
    const nnd_value *value = nnd_value_get(tree, key);
    return value != NULL && nnd_value_is_null(value) ? NULL : value;
}

/* A text key with a default, copied. */
static nnd_status read_text(nnd_context *ctx, const nnd_value *tree, const char *key,
                            const char *fallback, char **text) {
    const nnd_value *value = section(tree, key);
    if (value != NULL && (value->kind != NND_VALUE_SCALAR || value->text[0] == '\0'))
        return bad_value(ctx, value, key, "is not a text");
    *text = strdup(value != NULL ? value->text : fallback);
    return *text != NULL ? NND_OK : nnd_fail_memory(ctx, key);
}

static bool has_control(const char *text) {
    for (size_t length; *text != '\0'; text += length > 0 ? length : 1) {
        length = nnd_utf8_length(text);
        uint32_t code = length > 0 ? nnd_utf8_code(text) : ' ';
        if (code < 0x20 || (code >= 0x7f && code < 0xa0))
            return true;
    }
    return false;
}

/* What a name must not be: files are called after it. NULL if it is a good one. */
static const char *wrong_with_name(const char *name) {
    if (!nnd_utf8_valid(name))
        return "the file's name is not UTF-8; give the case a `name`";
    if (strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return "is a path; allowed: a name (`output` may be a path)";
    if (has_control(name))
        return "holds a control character";
    return strlen(name) > MAX_NAME ? "is longer than 200 bytes" : NULL;
}

static nnd_status read_name(nnd_context *ctx, const nnd_value *tree, const char *stem,
                            char **name) {
    nnd_status status = read_text(ctx, tree, "name", stem, name);
    const char *wrong = status == NND_OK ? wrong_with_name(*name) : NULL;
    return wrong != NULL ? bad(ctx, section(tree, "name"), "name", wrong) : status;
}

static nnd_status read_output(nnd_context *ctx, const nnd_value *tree, const char *name,
                              char **output) {
    char fallback[MAX_NAME + sizeof ".h5"];
    snprintf(fallback, sizeof fallback, "%s.h5", name);
    nnd_status status = read_text(ctx, tree, "output", fallback, output);
    if (status == NND_OK && !nnd_utf8_valid(*output))
        return bad(ctx, section(tree, "output"), "output", "is not UTF-8");
    if (status == NND_OK && has_control(*output))
        return bad(ctx, section(tree, "output"), "output", "holds a control character");
    return status;
}

/* The parameter whose values a sweep lists: of a group, the member that a plain value stands for.
 */
static const nnd_param *swept(const nnd_param *param) {
    bool group = param->type == NND_GROUP && param->shorthand != NULL;
    return group ? nnd_param_find(param->group, param->shorthand) : param;
}

static int compare_coordinates(const void *a, const void *b, void *dim) {
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const nnd_dim *d = dim;
    int order = d->text != NULL ? strcmp(d->text[i], d->text[j])
                                : (d->value[i] > d->value[j]) - (d->value[i] < d->value[j]);
    return order != 0 ? order : (i > j) - (i < j);
}

/* The first coordinate that is there already; the length if there is none. In order of size, equal
 * coordinates are neighbours. */
static bool find_repeated(nnd_dim *dim, size_t *second) {
    size_t n = dim->length, *order = malloc(n * sizeof *order);
    *second = n;
    if (order == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    qsort_r(order, n, sizeof *order, compare_coordinates, dim);
    for (size_t i = 1; i < n; i++) {
        size_t later = order[i] > order[i - 1] ? order[i] : order[i - 1];
        if (later < *second && nnd_coord_equal(dim, order[i - 1], dim, order[i]))
            *second = later;
    }
    free(order);
    return true;
}

/* Coordinates of one swept parameter. */
static nnd_status read_sweep_values(nnd_context *ctx, const nnd_param *param,
                                    const nnd_value *value, nnd_dim *dim) {
    bool one = value->kind == NND_VALUE_SCALAR;
    size_t n = one ? 1 : value->count;
    char key[TEXT_SIZE];
    snprintf(key, sizeof key, "sweep.%s", param->name);
    if (value->kind == NND_VALUE_MAP || n == 0)
        return bad_value(ctx, value, key, "is not a list of one or more values");
    nnd_param_type type = swept(param)->type;
    bool integer = type == NND_INTEGER || type == NND_INTEGERS;
    bool real = type == NND_REAL || type == NND_REALS;
    dim->kind = integer ? NND_COORD_INTEGER : real ? NND_COORD_REAL : NND_COORD_TEXT;
    dim->name = strdup(param->name);
    if (dim->kind == NND_COORD_TEXT)
        dim->text = calloc(n, sizeof *dim->text);
    else
        dim->value = calloc(n, sizeof *dim->value);
    if (dim->name == NULL || (dim->text == NULL && dim->value == NULL))
        return nnd_fail_memory(ctx, key);
    for (size_t i = 0; i < n; i++) {
        const nnd_value *item = one ? value : value->item[i];
        if (item->kind != NND_VALUE_SCALAR)
            return bad_value(ctx, item, key, "is neither a number nor a text");
        dim->length = i + 1;
        if (dim->kind == NND_COORD_TEXT) {
            dim->text[i] = strdup(item->text);
            if (dim->text[i] == NULL)
                return nnd_fail_memory(ctx, key);
        } else if (!nnd_value_number(item, &dim->value[i]) || isnan(dim->value[i]))
            return bad_value(ctx, item, key, "is not a number");
    }
    size_t second;
    if (!find_repeated(dim, &second))
        return nnd_fail_memory(ctx, key);
    return second == n ? NND_OK : bad_value(ctx, value->item[second], key, "stands there twice");
}

static nnd_status unknown_sweep(const resolution *r, const char *key, const char *name,
                                const nnd_value *value) {
    char unknown[2 * TEXT_SIZE];
    nnd_suggestion near = {.word = name};
    suggest_table(&near, "sweep.", r->out->model->params);
    snprintf(unknown, sizeof unknown,
             "not a parameter of the model; %s`nndmft describe %s` lists them", near.text,
             r->out->model->name);
    return bad(r->ctx, value, key, unknown);
}

static nnd_status read_sweep(resolution *r) {
    nnd_sweep *sweep = &r->out->sweep;
    sweep->points = 1;
    if (r->sweep == NULL)
        return NND_OK;
    if (r->sweep->kind != NND_VALUE_MAP)
        return bad_value(r->ctx, r->sweep, "sweep", "is not a mapping of parameters to lists");
    sweep->dim = calloc(r->sweep->count + 1, sizeof(nnd_dim *));
    if (sweep->dim == NULL)
        return nnd_fail_memory(r->ctx, "the sweep");
    for (size_t i = 0; i < r->sweep->count; i++) {
        const nnd_value *value = r->sweep->item[i];
        char key[TEXT_SIZE];
        snprintf(key, sizeof key, "sweep.%.200s", r->sweep->key[i]);
        const nnd_param *param = nnd_param_find(r->out->model->params, r->sweep->key[i]);
        if (param == NULL)
            return unknown_sweep(r, key, r->sweep->key[i], value);
        if (nnd_value_get(r->params, r->sweep->key[i]) != NULL)
            return bad(r->ctx, value, key, "stands in params too");
        nnd_dim *dim = sweep->dim[sweep->keys] = calloc(1, sizeof *dim);
        if (dim == NULL)
            return nnd_fail_memory(r->ctx, "the sweep");
        sweep->keys++;
        nnd_status status = read_sweep_values(r->ctx, param, value, dim);
        if (status != NND_OK)
            return status;
        if (dim->length > MAX_POINTS / sweep->points)
            return bad(r->ctx, value, key, "the sweep has more than 1000000 points");
        sweep->points *= dim->length;
    }
    return NND_OK;
}

/* Index of a sweep point along key k. */
static size_t sweep_index(const nnd_sweep *sweep, size_t point, size_t k) {
    size_t after = 1;
    for (size_t j = k + 1; j < sweep->keys; j++)
        after *= sweep->dim[j]->length;
    return point / after % sweep->dim[k]->length;
}

/* The mapping of parameters at a sweep point. */
static nnd_value *point_params(const resolution *r, size_t point) {
    nnd_value *map = r->params != NULL ? nnd_value_copy(r->params) : nnd_value_map(r->tree->where);
    for (size_t k = 0; map != NULL && k < r->out->sweep.keys; k++) {
        const nnd_value *values = r->sweep->item[k];
        const nnd_value *value = values->kind == NND_VALUE_SCALAR
                                     ? values
                                     : values->item[sweep_index(&r->out->sweep, point, k)];
        if (!nnd_value_put(map, r->sweep->key[k], nnd_value_copy(value))) {
            nnd_value_free(map);
            return NULL;
        }
    }
    return map;
}

/* The node of a dotted key such as "data.gram", or the last one on the way to it; NULL if not even
 * its first part is there. */
static const nnd_value *at_key(const nnd_value *map, const char *key) {
    char part[TEXT_SIZE];
    size_t length = strcspn(key, ".");
    snprintf(part, sizeof part, "%.*s", (int)length, key);
    const nnd_value *value = nnd_value_get(map, part);
    const nnd_value *inner =
        value != NULL && key[length] == '.' ? at_key(value, key + length + 1) : NULL;
    return inner != NULL ? inner : value;
}

void nnd_data_cache_clear(nnd_data_cache *cache) {
    free(cache->path);
    nnd_frame_free(cache->arrays);
    *cache = (nnd_data_cache){0};
}

/* The arrays of a file, read unless they are at hand. */
static nnd_status read_arrays(const resolution *r, const char *path) {
    nnd_data_cache *cache = r->cache;
    if (cache->path != NULL && strcmp(cache->path, path) == 0)
        return NND_OK;
    nnd_data_cache_clear(cache);
    nnd_status status = r->source->read(r->ctx, path, &cache->arrays);
    if (status != NND_OK)
        return status;
    cache->path = strdup(path);
    return cache->path != NULL ? NND_OK : nnd_fail_memory(r->ctx, path);
}

/* A file that parameters name, under which key, and how they take their arrays from it. */
typedef struct {
    const char *file, *key;
    void *to;
    nnd_status (*load)(nnd_context *ctx, void *to, const char *path, const nnd_frame *arrays);
} named_file;

/* Reads the file, if there is one. */
static nnd_status load_file(const resolution *r, const nnd_value *map, const named_file *f) {
    const nnd_case_source *source = r->source;
    if (f->file == NULL)
        return NND_OK;
    char key[TEXT_SIZE];
    snprintf(key, sizeof key, "params.%s", f->key);
    if (source->read == NULL)
        return bad(r->ctx, at_key(map, f->key), key, "data files cannot be read here");
    char path[4096];
    bool absolute = f->file[0] == '/' || source->folder == NULL;
    if (snprintf(path, sizeof path, "%s%s%s", absolute ? "" : source->folder, absolute ? "" : "/",
                 f->file) >= (int)sizeof path)
        return bad(r->ctx, at_key(map, f->key), key, "the path is too long");
    nnd_status status = read_arrays(r, path);
    if (status == NND_OK)
        status = f->load(r->ctx, f->to, path, r->cache->arrays);
    if (status == NND_OK)
        return NND_OK;
    /* The message names the file; whoever reads it wants to know who names that. */
    char wrong[1024], where[TEXT_SIZE];
    snprintf(wrong, sizeof wrong, "%s", nnd_context_message(r->ctx));
    return nnd_fail(r->ctx, status, "%s%s: %s", place(at_key(map, f->key), where), key, wrong);
}

static nnd_status load_data(nnd_context *ctx, void *data, const char *path,
                            const nnd_frame *arrays) {
    return nnd_data_load(ctx, data, path, arrays);
}

/* Says once what several points of a sweep are warned of. */
static void warn(resolution *r, const nnd_objection *o) {
    if (o->text[0] != '\0' && strcmp(o->text, r->warned) != 0)
        nnd_log(r->ctx, NND_LOG_WARNING, "params.%s: %s", o->key, o->text);
    memcpy(r->warned, o->text, sizeof r->warned);
}

/* An objection to what parameters are together says at which point of a sweep. */
static nnd_status check_point(resolution *r, size_t point, const nnd_value *map, void *params) {
    nnd_objection objection = {"", ""};
    const nnd_model *model = r->out->model;
    if (model->check == NULL)
        return NND_OK;
    if (model->check(params, &objection)) {
        warn(r, &objection);
        return NND_OK;
    }
    const nnd_value *value = at_key(map, objection.key);
    bool option = value == NULL && nnd_value_get(r->options, objection.key) != NULL;
    char key[TEXT_SIZE];
    snprintf(key, sizeof key, "%s.%s", option ? "simulate" : "params", objection.key);
    if (option)
        value = nnd_value_get(r->options, objection.key);
    char name[TEXT_SIZE], wrong[3 * TEXT_SIZE];
    nnd_case_point_text(r->out, point, sizeof name, name);
    snprintf(wrong, sizeof wrong, "%s%s%s%s", objection.text, name[0] != '\0' ? " (at " : "", name,
             name[0] != '\0' ? ")" : "");
    return bad(r->ctx, value != NULL ? value : map, key, wrong);
}

/* Where the parameters keep the data; NULL: the model has none. */
static nnd_data *data_of(const nnd_model *model, void *params) {
    for (size_t i = 0; i < model->params->count; i++)
        if (model->params->param[i].group == &nnd_data_table)
            return (nnd_data *)((char *)params + model->params->param[i].offset);
    return NULL;
}

static nnd_status read_point(resolution *r, size_t point) {
    const nnd_model *model = r->out->model;
    void *params = calloc(1, model->params->size);
    r->out->params[point] = params;
    nnd_value *map = point_params(r, point);
    if (params == NULL || map == NULL) {
        nnd_value_free(map);
        return nnd_fail_memory(r->ctx, "the parameters");
    }
    nnd_status status = nnd_params_read(r->ctx, model->params, map, "params", params);
    if (status == NND_OK && model->simulate != NULL)
        status = nnd_params_read_more(r->ctx, model->simulate, r->options, "simulate", params);
    nnd_data *data = data_of(model, params);
    if (status == NND_OK && data != NULL)
        status = load_file(r, map, &(named_file){data->file, "data.file", data, load_data});
    if (status == NND_OK && model->file != NULL)
        status = load_file(r, map,
                           &(named_file){model->file(params),
                                         model->file_key != NULL ? model->file_key : "file", params,
                                         model->load});
    if (status == NND_OK)
        status = check_point(r, point, map, params);
    nnd_value_free(map);
    return status;
}

static nnd_status read_points(resolution *r) {
    r->out->params = calloc(r->out->sweep.points, sizeof(void *));
    if (r->out->params == NULL)
        return nnd_fail_memory(r->ctx, "the parameters");
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < r->out->sweep.points; i++)
        status = nnd_context_interrupted(r->ctx)
                     ? nnd_fail(r->ctx, NND_E_INTERRUPTED, "interrupted while reading the sweep")
                     : read_point(r, i);
    return status;
}

/* Divides the key `simulate` into what every model has and the model's own options. */
static nnd_status split_simulate(resolution *r, const nnd_value *tree, nnd_value **common) {
    const nnd_value *value = section(tree, "simulate");
    const nnd_param_table *own = r->out->model->simulate;
    *common = NULL;
    nnd_status status = nnd_params_check_keys(r->ctx, &nnd_simulate_table, own, value, "simulate");
    if (value == NULL || status != NND_OK)
        return status;
    *common = nnd_value_copy(value);
    r->options = nnd_value_map(value->where);
    if (*common == NULL || r->options == NULL)
        return nnd_fail_memory(r->ctx, "the case");
    for (size_t i = 0; own != NULL && i < own->count; i++) {
        const nnd_value *option = nnd_value_get(value, own->param[i].name);
        if (option == NULL)
            continue;
        if (!nnd_value_put(r->options, own->param[i].name, nnd_value_copy(option)))
            return nnd_fail_memory(r->ctx, "the case");
        nnd_value_remove(*common, own->param[i].name);
    }
    return NND_OK;
}

static nnd_status read_simulate(resolution *r, const nnd_value *value) {
    nnd_case *c = r->out;
    c->simulates = value != NULL;
    nnd_status status =
        nnd_params_read(r->ctx, &nnd_simulate_table, value, "simulate", &c->simulate);
    if (status != NND_OK || value == NULL)
        return status;
    nnd_objection o;
    if (nnd_simulate_fits(c->model, &c->simulate, &o))
        return NND_OK;
    char key[TEXT_SIZE];
    const nnd_value *culprit = nnd_value_get(value, o.key);
    snprintf(key, sizeof key, "simulate.%s", o.key);
    return bad(r->ctx, culprit != NULL ? culprit : value, key, o.text);
}

/* Lists of sizes that are not given are those of the simulation: of points, not of the case as it
 * is written, which more sizes leave the same. */
static nnd_status lend_sizes(const resolution *r) {
    const nnd_case *c = r->out;
    const nnd_integers *size = &c->simulate.size;
    if (c->model->sizes == NULL || size->count == 0)
        return NND_OK;
    const nnd_param *param = nnd_param_find(c->model->params, c->model->sizes);
    for (size_t i = 0; i < c->sweep.points; i++) {
        nnd_integers *list = (nnd_integers *)((char *)c->params[i] + param->offset);
        if (list->value != NULL)
            continue;
        list->value = malloc(size->count * sizeof *list->value);
        if (list->value == NULL)
            return nnd_fail_memory(r->ctx, param->name);
        memcpy(list->value, size->value, size->count * sizeof *list->value);
        list->count = size->count;
    }
    return NND_OK;
}

static nnd_status read_compare(resolution *r, const nnd_value *tree) {
    const nnd_value *value = section(tree, "compare");
    nnd_case *c = r->out;
    nnd_status status = nnd_params_read(r->ctx, &nnd_compare_table, value, "compare", &c->compare);
    for (size_t i = 0; status == NND_OK && i < c->compare.vars.count; i++) {
        char wrong[2 * TEXT_SIZE];
        nnd_suggestion near = {.word = c->compare.vars.value[i]};
        for (size_t v = 0; v < c->model->variable_count; v++)
            nnd_suggest(&near, "", c->model->variables[v].name);
        snprintf(wrong, sizeof wrong,
                 "%.100s is not a variable of the model; %s`nndmft describe %s` lists them",
                 c->compare.vars.value[i], near.text, c->model->name);
        if (nnd_model_variable(c->model, c->compare.vars.value[i]) == NULL)
            status = bad(r->ctx, nnd_value_get(value, "vars"), "compare.vars", wrong);
    }
    return status;
}

nnd_status nnd_case_resolve(nnd_context *ctx, const nnd_value *tree, const nnd_case_source *source,
                            nnd_case **out) {
    nnd_case *c = calloc(1, sizeof *c);
    if (c == NULL)
        return nnd_fail_memory(ctx, "the case");
    nnd_data_cache own = {0};
    resolution r = {.ctx = ctx, .out = c, .source = source, .tree = tree, .cache = source->cache};
    if (r.cache == NULL)
        r.cache = &own;
    nnd_value *simulate = NULL;
    nnd_status status = check_top_keys(ctx, tree);
    if (status == NND_OK)
        status = read_model(ctx, tree, &c->model);
    if (status == NND_OK)
        status = read_name(ctx, tree, source->stem, &c->name);
    if (status == NND_OK)
        status = read_output(ctx, tree, c->name, &c->output);
    if (status == NND_OK) {
        r.params = section(tree, "params");
        r.sweep = section(tree, "sweep");
        if (r.params != NULL && r.params->kind != NND_VALUE_MAP)
            status = bad_value(ctx, r.params, "params", "is not a mapping of parameters to values");
    }
    if (status == NND_OK)
        status = read_sweep(&r);
    if (status == NND_OK)
        status = split_simulate(&r, tree, &simulate);
    if (status == NND_OK)
        status = read_points(&r);
    if (status == NND_OK)
        status = read_simulate(&r, simulate);
    if (status == NND_OK)
        status = read_compare(&r, tree);
    if (status == NND_OK)
        status = nnd_case_write(ctx, c, r.params);
    if (status == NND_OK)
        status = lend_sizes(&r);
    nnd_value_free(simulate);
    nnd_value_free(r.options);
    nnd_data_cache_clear(&own);
    if (status == NND_OK)
        *out = c;
    else
        nnd_case_free(c);
    return status;
}

static void sweep_clear(nnd_sweep *sweep) {
    for (size_t k = 0; k < sweep->keys; k++)
        nnd_dim_free(sweep->dim[k]);
    free(sweep->dim);
}

void nnd_case_free(nnd_case *c) {
    if (c == NULL)
        return;
    for (size_t i = 0; c->params != NULL && i < c->sweep.points; i++)
        if (c->params[i] != NULL) {
            nnd_model_clear(c->model, c->params[i]);
            free(c->params[i]);
        }
    free(c->params);
    sweep_clear(&c->sweep);
    nnd_params_clear(&nnd_simulate_table, &c->simulate);
    nnd_params_clear(&nnd_compare_table, &c->compare);
    nnd_value_free(c->resolved);
    free(c->name);
    free(c->output);
    free(c);
}

size_t nnd_case_sizes(const nnd_case *c) {
    return c->simulate.size.count > 0 ? c->simulate.size.count : 1;
}

size_t nnd_case_size(const nnd_case *c, size_t i) {
    return c->simulate.size.count > 0 ? (size_t)c->simulate.size.value[i] : 0;
}

size_t nnd_case_seeds(const nnd_case *c, size_t i) {
    return (size_t)c->simulate.seeds.value[c->simulate.seeds.count == 1 ? 0 : i];
}

void nnd_case_point_text(const nnd_case *c, size_t point, size_t size, char *text) {
    nnd_text list = nnd_text_in(size, text);
    for (size_t k = 0; k < c->sweep.keys; k++) {
        char value[64];
        nnd_coord_text(c->sweep.dim[k], sweep_index(&c->sweep, point, k), sizeof value, value);
        nnd_text_item(&list, ", ", "%s=%s", c->sweep.dim[k]->name, value);
    }
}
