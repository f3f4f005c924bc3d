/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands models and describe. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "core/suggest.h"

int cli_models(nnd_context *ctx, const cli_options *options) {
    (void)ctx;
    (void)options;
    for (size_t i = 0; nnd_model_at(i) != NULL; i++)
        printf("%-20s %s\n", nnd_model_at(i)->name, nnd_model_at(i)->summary);
    return EXIT_DONE;
}

/* Parameters of a table; members of a group follow it as GROUP.MEMBER. */
static void print_params(const nnd_param_table *table, const char *prefix) {
    for (size_t i = 0; i < table->count; i++) {
        const nnd_param *p = &table->param[i];
        char allowed[512], name[128];
        nnd_param_allowed(p, sizeof allowed, allowed);
        snprintf(name, sizeof name, "%s%s", prefix, p->name);
        printf("  %-18s %s\n  %-18s %s; default %s\n", name, p->doc, "", allowed, p->fallback);
        if (p->type != NND_GROUP)
            continue;
        snprintf(name, sizeof name, "%s%s.", prefix, p->name);
        print_params(p->group, name);
    }
}

static void print_variables(const nnd_model *model) {
    printf("variables\n");
    for (size_t i = 0; i < model->variable_count; i++) {
        const nnd_variable *v = &model->variables[i];
        char name[128];
        snprintf(name, sizeof name, "%s(%s)", v->name, v->dims);
        printf("  %-28s %s [%s]\n  %-28s %s\n", name, v->long_name, nnd_variable_unit(v), "",
               v->equation);
    }
}

/* One parameter of the template: commented out where the default is to be absent. Data has no
 * default, yet the template of a model that needs some shall run. */
static void print_template_line(const nnd_model *model, const nnd_param *p) {
    char allowed[512];
    nnd_param_allowed(p, sizeof allowed, allowed);
    bool needed = p->group == &nnd_data_table && !model->data_optional;
    const char *value = needed ? "{generate: gaussian}" : p->fallback;
    bool absent = strcmp(value, "null") == 0;
    printf("  # %s (%s)\n  %s%s: %s\n", p->doc, allowed, absent ? "# " : "", p->name, value);
}

static void print_template(const nnd_model *model) {
    printf("model: %s\nparams:\n", model->name);
    for (size_t i = 0; i < model->params->count; i++)
        print_template_line(model, &model->params->param[i]);
    printf("# sweep:                     # cartesian product of lists of parameters\n"
           "#   PARAMETER: [VALUE, VALUE]\n");
    printf("# simulate:\n");
    for (size_t i = 0; i < nnd_simulate_table.count; i++) {
        const nnd_param *p = &nnd_simulate_table.param[i];
        printf("#   # %s\n#   %s: %s\n", p->doc, p->name, p->fallback);
    }
    for (size_t i = 0; model->simulate != NULL && i < model->simulate->count; i++) {
        const nnd_param *p = &model->simulate->param[i];
        printf("#   # %s\n#   %s: %s\n", p->doc, p->name, p->fallback);
    }
    printf("compare:\n");
    for (size_t i = 0; i < nnd_compare_table.count; i++)
        print_template_line(model, &nnd_compare_table.param[i]);
}

int cli_describe(nnd_context *ctx, const cli_options *options) {
    const char *name = options->args.value[0];
    const nnd_model *model = nnd_model_find(name);
    if (model == NULL) {
        nnd_suggestion near = {.word = name};
        for (size_t i = 0; nnd_model_at(i) != NULL; i++)
            nnd_suggest(&near, "", nnd_model_at(i)->name);
        return cli_exit_code(nnd_fail(ctx, NND_E_INPUT,
                                      "%.200s is not a model; %s`nndmft models` lists them", name,
                                      near.text));
    }
    if (options->as_case) {
        print_template(model);
        return EXIT_DONE;
    }
    char *page = cli_page(model);
    printf("%s: %s\nequations\n  %s\n", model->name, model->summary, page != NULL ? page : "");
    free(page);
    printf("parameters\n");
    print_params(model->params, "");
    if (model->simulate != NULL)
        printf("options of the simulation\n");
    if (model->simulate != NULL)
        print_params(model->simulate, "");
    print_variables(model);
    return EXIT_DONE;
}
