/* SPDX-License-Identifier: GPL-3.0-or-later */
/** A page about results, for a colleague: see nnd_report_write. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/companion.h"
#include "plot/embed.h"
#include "plot/gnuplot.h"
#include "plot/html.h"
#include "plot/label.h"
#include "plot/mathml.h"
#include "plot/panel.h"
#include "plot/program.h"
#include "plot/report_style.h"

/* The page as it is written; pictures of all results are counted through. */
typedef struct {
    nnd_context *ctx;
    const nnd_report *report;
    const nnd_result *result;
    const nnd_model *model; /* NULL: this version knows none of that name */
    size_t pictures;
    FILE *out;
} page;

static void text(page *p, const char *words) {
    nnd_html_text(p->out, words != NULL ? words : "");
}

/* <tag>words</tag> */
static void tagged(page *p, const char *tag, const char *words) {
    fprintf(p->out, "<%s>", tag);
    text(p, words);
    fprintf(p->out, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

static void number_cell(page *p, const char *format, double x) {
    char words[64] = "–";
    if (!isnan(x))
        nnd_format(words, sizeof words, format, x);
    tagged(p, "td class=\"n\"", words);
}

static double number_of(const nnd_frame *frame, const char *array, const char *key) {
    const nnd_attribute *a = nnd_frame_find_attribute(frame, array, key);
    return a != NULL && a->text == NULL ? a->number : NAN;
}

static const char *text_of(const nnd_frame *frame, const char *array, const char *key) {
    const nnd_attribute *a = nnd_frame_find_attribute(frame, array, key);
    return a != NULL ? a->text : NULL;
}

/* ---- what was asked ---- */

/* The name of the case of a result; where there is none, of its file, or of its model. */
static void write_name(nnd_context *ctx, const nnd_report *report, size_t i, FILE *out) {
    const nnd_result *result = &report->result[i];
    nnd_value *tree = NULL;
    const nnd_value *name = NULL;
    if (result->case_text != NULL &&
        nnd_yaml_read_text(ctx, "case", result->case_text, &tree) == NND_OK)
        name = nnd_value_get(tree, "name");
    bool named = name != NULL && name->kind == NND_VALUE_SCALAR;
    nnd_html_text(out, named                     ? name->text
                       : report->path[i] != NULL ? report->path[i]
                       : result->model != NULL   ? result->model
                                                 : "Result");
    nnd_value_free(tree);
}

/* Prose in which `code` is marked. */
static void write_prose(page *p, const char *words) {
    for (bool code = false;; code = !code) {
        size_t length = strcspn(words, "`");
        bool open = words[length] != '\0' && (code || strchr(words + length + 1, '`') != NULL);
        char *piece = strndup(words, open ? length : strlen(words));
        text(p, piece);
        free(piece);
        if (!open)
            break;
        fputs(code ? "</code>" : "<code>", p->out);
        words += length + 1;
    }
}

static void write_question(page *p) {
    const nnd_result *r = p->result;
    if (r->model != NULL) {
        fputs("<p class=\"model\"><b>", p->out);
        text(p, r->model);
        fputs("</b>", p->out);
        if (p->model != NULL)
            fprintf(p->out, ": %s", p->model->summary);
        fputs("</p>\n", p->out);
    }
    if (r->question != NULL) {
        fputs("<p>", p->out);
        write_prose(p, r->question);
        fputs("</p>\n", p->out);
    }
}

/* ---- what came out ---- */

/* How many variables have a verdict; NULL: any. */
static size_t count_verdicts(const nnd_frame *compare, const char *verdict) {
    size_t n = 0;
    for (size_t i = 0; i < nnd_frame_array_count(compare); i++) {
        const char *is = text_of(compare, nnd_frame_array(compare, i)->name, "verdict");
        n += is != NULL && (verdict == NULL || strcmp(is, verdict) == 0);
    }
    return n;
}

static void write_summary(page *p, const nnd_frame *compare) {
    size_t agree = count_verdicts(compare, "agrees"), differ = count_verdicts(compare, "disagrees");
    size_t all = count_verdicts(compare, NULL), open = all - agree - differ;
    fprintf(p->out, "<p><strong class=\"%s\">%s</strong> %zu of %zu variable%s agree%s",
            differ > 0               ? "bad"
            : open > 0 || agree == 0 ? "open"
                                     : "good",
            differ > 0   ? "Theory and simulation disagree."
            : agree == 0 ? "Undecided."
            : open == 0  ? "Theory and simulation agree."
                         : "Nothing contradicts theory.",
            agree, all, all == 1 ? "" : "s", all == 1 ? "s" : "");
    if (differ > 0)
        fprintf(p->out, ", %zu disagree%s", differ, differ == 1 ? "s" : "");
    if (open > 0)
        fprintf(p->out, ", %zu cannot be decided (error bars too wide, or no points to compare)",
                open);
    fputs(".</p>\n", p->out);
}

/* What a variable is, and its name in files. */
static void write_variable(page *p, const char *name) {
    const nnd_variable *v = p->model != NULL ? nnd_model_variable(p->model, name) : NULL;
    if (v != NULL) {
        text(p, v->long_name);
        fputc(' ', p->out);
    }
    fputs("<code>", p->out);
    text(p, name);
    fputs("</code>", p->out);
}

/* The variable that an array of the comparison is about. */
static void write_compared(page *p, const char *array) {
    char name[NND_PLOT_TEXT];
    snprintf(name, sizeof name, "%.*s", (int)nnd_companion_of(array, NND_DIFF), array);
    write_variable(p, name);
}

static void write_verdict(page *p, const nnd_frame *compare, const char *array) {
    const char *verdict = text_of(compare, array, "verdict");
    fputs("<tr><th scope=\"row\">", p->out);
    write_compared(p, array);
    fputs("</th>", p->out);
    bool known = strcmp(verdict, "agrees") == 0 || strcmp(verdict, "disagrees") == 0;
    fprintf(p->out, "<td class=\"%s\">", !known ? "open" : verdict[0] == 'a' ? "good" : "bad");
    text(p, verdict);
    fputs("</td>", p->out);
    number_cell(p, "%.0f", number_of(compare, array, "points"));
    number_cell(p, "%.0f", number_of(compare, array, "left_out"));
    number_cell(p, "%.2f", number_of(compare, array, "max_abs_z"));
    number_cell(p, "%.2g", number_of(compare, array, "p"));
    number_cell(p, "%.3f", number_of(compare, array, "band"));
    double more = number_of(compare, array, "more_seeds");
    number_cell(p, more < 100.0 ? "%.2g times" : "%.0f times", more);
    fputs("</tr>\n", p->out);
}

/* Why theory does not claim points that were left out. */
static void write_reasons(page *p, const nnd_frame *compare) {
    bool any = false;
    for (size_t i = 0; i < nnd_frame_array_count(compare); i++) {
        const char *array = nnd_frame_array(compare, i)->name;
        const char *reason = text_of(compare, array, "reason");
        if (reason == NULL)
            continue;
        fputs(
            any ? ""
                : "<p class=\"note\">Points that theory does not claim:</p>\n<ul class=\"note\">\n",
            p->out);
        any = true;
        fputs("<li>", p->out);
        write_compared(p, array);
        nnd_print(p->out, ", %g: ", number_of(compare, array, "unclaimed"));
        text(p, reason);
        fputs("</li>\n", p->out);
    }
    fputs(any ? "</ul>\n" : "", p->out);
}

static void write_verdicts(page *p) {
    const nnd_frame *compare = p->result->compare;
    if (compare == NULL) {
        tagged(p, "p",
               p->result->mc == NULL       ? "Theory alone: no simulation to hold it against."
               : p->result->theory == NULL ? "A simulation alone, without theory."
                                           : "Theory and simulation were not compared.");
        return;
    }
    write_summary(p, compare);
    fputs("<div class=\"wide\" role=\"region\" aria-label=\"Verdicts\" tabindex=\"0\">"
          "<table><caption>Verdicts</caption><thead><tr>"
          "<th scope=\"col\">variable</th><th scope=\"col\">verdict</th>"
          "<th scope=\"col\" class=\"n\">points</th>"
          "<th scope=\"col\" class=\"n\">left out</th><th scope=\"col\" class=\"n\">largest "
          "|<i>z</i>|</th>"
          "<th scope=\"col\" class=\"n\"><i>p</i></th><th scope=\"col\" class=\"n\">band</th>"
          "<th scope=\"col\" class=\"n\">seeds to decide</th></tr></thead><tbody>\n",
          p->out);
    for (size_t i = 0; i < nnd_frame_array_count(compare); i++)
        if (text_of(compare, nnd_frame_array(compare, i)->name, "verdict") != NULL)
            write_verdict(p, compare, nnd_frame_array(compare, i)->name);
    fputs("</tbody></table></div>\n", p->out);
    nnd_print(
        p->out,
        "<p class=\"note\"><i>z</i>: the deviation beyond the tolerance, in standard errors. "
        "<i>p</i>: the probability of one so large at any point, if theory is right; below %g the "
        "variable disagrees. Band: what deviation is excluded at all points at once with 95 %% "
        "confidence, as a fraction of the variable; the variable agrees to within it, unless it "
        "is wider than twice the tolerance. Seeds to decide: how many times as many seeds would "
        "make it narrow enough.</p>\n",
        number_of(compare, NULL, "alpha"));
    write_reasons(p, compare);
}

/* ---- what was sought ---- */

/* Where a value of an array stands: "gamma0 = 1, width = 100". */
static void write_point(page *p, const nnd_frame *frame, const nnd_array *array, size_t at) {
    size_t stride = array->count;
    for (size_t d = 0; d < array->ndims; d++) {
        const nnd_dim *dim = nnd_frame_dim(frame, array->dim[d]);
        char words[NND_PLOT_LABEL];
        stride /= array->shape[d];
        nnd_coord_text(dim, at / stride % array->shape[d], sizeof words, words);
        fputs(d > 0 ? ", " : "", p->out);
        text(p, nnd_plot_symbol(p->model, dim->name));
        fputs("&nbsp;=&nbsp;", p->out);
        text(p, words);
    }
}

static void write_answer(page *p, const nnd_frame *frame, const nnd_array *array) {
    const nnd_array *se = nnd_companion(frame, array->name, NND_SE);
    fputs("<tr><th scope=\"row\">", p->out);
    text(p, text_of(frame, array->name, "long_name"));
    fputs(" <code>", p->out);
    text(p, array->name);
    fputs("</code></th>", p->out);
    for (size_t i = 0; i < array->count; i++) {
        char words[NND_PLOT_LABEL] = "–";
        if (!isnan(array->data[i]) && se != NULL && isfinite(se->data[i]))
            nnd_format(words, sizeof words, "%.5g ± %.2g", array->data[i], se->data[i]);
        else if (!isnan(array->data[i]))
            nnd_format(words, sizeof words, "%.5g", array->data[i]);
        tagged(p, "td class=\"n\"", words);
    }
    fputs("</tr>\n", p->out);
}

static bool is_known(const nnd_array *array) {
    size_t i = 0;
    while (i < array->count && isnan(array->data[i]))
        i++;
    return i < array->count;
}

/* Answers that a search has left in the file, all of them at the same points. */
static void write_answers(page *p) {
    const nnd_frame *frame = p->result->answers;
    const nnd_array *first = NULL;
    for (size_t i = 0; frame != NULL && i < nnd_frame_array_count(frame); i++) {
        const nnd_array *array = nnd_frame_array(frame, i);
        if (text_of(frame, array->name, "long_name") == NULL || !is_known(array) ||
            (first != NULL && array->count != first->count))
            continue;
        if (first == NULL) {
            first = array;
            fputs("<h3>Answers</h3>\n<div class=\"wide\" role=\"region\" aria-label=\"Answers\" "
                  "tabindex=\"0\"><table><thead><tr><th scope=\"col\">answer</th>",
                  p->out);
            for (size_t at = 0; at < array->count; at++) {
                fputs("<th scope=\"col\" class=\"n\">", p->out);
                write_point(p, frame, array, at);
                fputs("</th>", p->out);
            }
            fputs("</tr></thead><tbody>\n", p->out);
        }
        write_answer(p, frame, array);
    }
    fputs(first != NULL ? "</tbody></table></div>\n" : "", p->out);
}

/* ---- pictures ---- */

/* A picture has the width of a phone, or, of several cells, that of a page. */
static const double NARROW = 10.0, WIDE = 18.0;

static nnd_status draw(page *p, const nnd_plot_options *options, const nnd_plot_choice *choice,
                       FILE *program, const char *path, const char *label) {
    nnd_status status = nnd_plot_program_of(p->ctx, p->result, options, choice, "svg", program);
    if (status == NND_OK)
        status = nnd_gnuplot_run(p->ctx, "gnuplot", program, path);
    FILE *svg = status == NND_OK ? fopen(path, "re") : NULL;
    if (status == NND_OK && svg == NULL)
        status = nnd_fail(p->ctx, NND_E_IO, "%s", strerror(errno));
    if (svg != NULL) {
        status = nnd_svg_embed(p->ctx, svg, p->pictures++, label, p->out);
        fclose(svg);
    }
    return status == NND_E_IO ? nnd_fail_about(p->ctx, status, path) : status;
}

/* The same by way of a file of its own. */
static nnd_status draw_aside(page *p, const nnd_plot_options *options,
                             const nnd_plot_choice *choice, const char *label) {
    const char *folder = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/nndmft-XXXXXX", folder != NULL ? folder : "/tmp");
    int fd = mkstemp(path);
    FILE *program = fd >= 0 ? tmpfile() : NULL;
    nnd_status status = program != NULL
                            ? draw(p, options, choice, program, path, label)
                            : nnd_fail(p->ctx, NND_E_IO, "%s: %s", path, strerror(errno));
    if (program != NULL)
        fclose(program);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    return status;
}

/* A picture for each variable of the choice. */
static nnd_status write_figures(page *p, nnd_plot_options *options, const nnd_plot_choice *choice) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < choice->count; i++) {
        const char *name = choice->name[i];
        const nnd_plot_choice one = {1, choice->name + i, choice->model, choice->view};
        const nnd_variable *v =
            choice->model != NULL ? nnd_model_variable(choice->model, name) : NULL;
        nnd_panel panel;
        nnd_panel_make(p->result, &one, name, options, &panel);
        bool wide = nnd_panel_cells(&panel) > 2;
        options->width = wide ? WIDE : NARROW;
        char label[NND_PLOT_TEXT];
        snprintf(label, sizeof label, "%.256s%s%s%s", v != NULL ? v->long_name : name,
                 panel.y != NULL ? ", in colours" : "",
                 panel.theory.array != NULL ? ", theory" : "",
                 panel.mc.array != NULL ? ", simulation" : "");
        fputs(wide ? "<figure class=\"broad\">" : "<figure>", p->out);
        status = draw_aside(p, options, &one, label);
        fputs("<figcaption>", p->out);
        if (options->view != NULL)
            fprintf(p->out, "<b>%s</b>: ", options->view);
        write_variable(p, name);
        fputs("</figcaption></figure>\n", p->out);
    }
    return status;
}

/* The pictures of a view; NULL: those of a file that has none. */
static nnd_status write_view(page *p, const char *view) {
    nnd_plot_options options = {.view = view, .hover = true, .style = NND_STYLE_PAPER};
    nnd_plot_choice choice;
    nnd_status status = nnd_plot_select(p->ctx, p->result, &options, &choice);
    if (status != NND_OK)
        return status;
    status = write_figures(p, &options, &choice);
    free(choice.name);
    return status;
}

static nnd_status write_pictures(page *p) {
    const nnd_result *r = p->result;
    nnd_status status = NND_OK;
    tagged(p, "h3", "Pictures");
    tagged(p, "p class=\"note\"",
           r->mc == NULL       ? "What theory says. Point at a curve for its values."
           : r->theory == NULL ? "What networks do: points are means over seeds, with standard "
                                 "errors. Point at one for its value."
                               : "Lines are theory; points are means over the seeds of a "
                                 "simulation, with standard errors, and thin lines join them where "
                                 "theory has no such variable. Point at one for its value.");
    fputs("<div class=\"pictures\">\n", p->out);
    if (nnd_plot_view(r, 0) == NULL)
        status = write_view(p, NULL);
    for (size_t i = 0; status == NND_OK && nnd_plot_view(r, i) != NULL; i++)
        status = write_view(p, nnd_plot_view(r, i));
    fputs("</div>\n", p->out);
    return status;
}

/* ---- equations ---- */

/* Where "PAGE.md#eq8" or "#s2-4" leads: "PAGE (8)", "PAGE 2.4". */
static void write_place(page *p, const char *place, size_t length) {
    size_t stem = strcspn(place, ".#:");
    const char *anchor = memchr(place, '#', length);
    fprintf(p->out, "%.*s ", (int)stem, place);
    if (anchor == NULL)
        return;
    bool equation = strncmp(anchor, "#eq", 3) == 0;
    fputs(equation ? "(" : "", p->out);
    for (const char *c = anchor + (equation ? 3 : 2); c < place + length; c++)
        fputc(*c == '-' ? '.' : *c, p->out);
    fputs(equation ? ")" : "", p->out);
}

/* "PAGE.md#ANCHOR: formula" as a formula, or else the symbol, and a link. */
static void write_equation(page *p, const nnd_variable *v) {
    const char *equation = v->equation;
    size_t place = strcspn(equation, ":");
    fputs("<td>", p->out);
    if (equation[place] == ':')
        nnd_mathml_write(equation + place + 1 + (equation[place + 1] == ' '), p->out);
    else if (v->symbol != NULL)
        nnd_mathml_write(v->symbol, p->out);
    fputs("</td><td class=\"place\">", p->out);
    if (p->report->documents != NULL) {
        fputs("<a href=\"", p->out);
        text(p, p->report->documents);
        fprintf(p->out, "/theory/%.*s\">", (int)place, equation);
    }
    write_place(p, equation, place);
    fprintf(p->out, "%s</td></tr>\n", p->report->documents != NULL ? "</a>" : "");
}

/* Of a model that this version knows: its own tables, not what a file says. */
static void write_equations(page *p) {
    if (p->model == NULL)
        return;
    fputs("<h3>Equations</h3>\n<div class=\"wide\" role=\"region\" aria-label=\"Equations\" "
          "tabindex=\"0\"><table><caption>What is computed, and where it "
          "is derived</caption><thead><tr><th scope=\"col\">variable</th>"
          "<th scope=\"col\">formula</th><th scope=\"col\">derived in</th></tr></thead><tbody>\n",
          p->out);
    for (size_t i = 0; i < p->model->variable_count; i++) {
        const nnd_variable *v = &p->model->variables[i];
        const nnd_frame *theory = p->result->theory, *mc = p->result->mc;
        if ((theory == NULL || nnd_frame_find(theory, v->name) == NULL) &&
            (mc == NULL || nnd_frame_find(mc, v->name) == NULL))
            continue;
        fprintf(p->out, "<tr><th scope=\"row\">%s <code>%s</code></th>", v->long_name, v->name);
        write_equation(p, v);
    }
    fputs("</tbody></table></div>\n", p->out);
}

/* ---- where it comes from ---- */

/* Attributes of theory as a whole: what it achieved. */
static void write_achieved(page *p) {
    const nnd_frame *theory = p->result->theory;
    bool any = false;
    for (size_t i = 0; theory != NULL && i < nnd_frame_attribute_count(theory); i++) {
        const nnd_attribute *a = nnd_frame_attribute(theory, i);
        char words[64];
        if (a->array != NULL)
            continue;
        if (!any)
            fputs("<h3>What theory achieved</h3>\n<dl>\n", p->out);
        any = true;
        tagged(p, "dt", a->key);
        nnd_format(words, sizeof words, "%.6g", a->number);
        tagged(p, strncmp(a->key, "warning", 7) == 0 ? "dd class=\"open\"" : "dd",
               a->text != NULL ? a->text : words);
    }
    if (any)
        fputs("</dl>\n", p->out);
}

static void write_fact(page *p, const char *what, const char *words) {
    if (words == NULL)
        return;
    tagged(p, "dt", what);
    tagged(p, "dd", words);
}

static void write_origin(page *p, size_t i) {
    const nnd_result *r = p->result;
    if (r->case_text != NULL) {
        fputs("<h3>Case</h3>\n<details><summary>Every parameter, defaults filled in. Saved as "
              "<code>case.yaml</code>, <code>nndmft run case.yaml</code> gives the same numbers."
              "</summary><pre>",
              p->out);
        text(p, r->case_text);
        fputs("</pre></details>\n", p->out);
    }
    fputs("<h3>Provenance</h3>\n<dl>\n", p->out);
    write_fact(p, "file", p->report->path[i]);
    write_fact(p, "command", r->history);
    write_fact(p, "nndmft", r->version);
    write_fact(p, "created", r->created);
    fputs("</dl>\n", p->out);
}

/* ---- the page ---- */

static nnd_status write_result(page *p, size_t i) {
    p->result = &p->report->result[i];
    p->model = p->result->model != NULL ? nnd_model_find(p->result->model) : NULL;
    fprintf(p->out, "<section id=\"result-%zu\">\n<h2>", i + 1);
    write_name(p->ctx, p->report, i, p->out);
    fputs("</h2>\n", p->out);
    write_question(p);
    write_verdicts(p);
    write_answers(p);
    nnd_status status = write_pictures(p);
    write_equations(p);
    write_achieved(p);
    write_origin(p, i);
    fputs("</section>\n", p->out);
    return status;
}

/* Of several results, links to each. */
static void write_contents(nnd_context *ctx, const nnd_report *report, FILE *out) {
    if (report->count < 2)
        return;
    fputs("<nav aria-label=\"Results\"><ul>\n", out);
    for (size_t i = 0; i < report->count; i++) {
        fprintf(out, "<li><a href=\"#result-%zu\">", i + 1);
        write_name(ctx, report, i, out);
        fputs("</a></li>\n", out);
    }
    fputs("</ul></nav>\n", out);
}

nnd_status nnd_report_write(nnd_context *ctx, const nnd_report *report, FILE *out) {
    page p = {.ctx = ctx, .report = report, .out = out};
    nnd_status status = NND_OK;
    fputs(NND_REPORT_HEAD, out);
    write_name(ctx, report, 0, out);
    fputs(report->count > 1 ? " and others" : "", out);
    fputs(NND_REPORT_STYLE, out);
    write_contents(ctx, report, out);
    for (size_t i = 0; status == NND_OK && i < report->count; i++)
        status = write_result(&p, i);
    fprintf(out, "<footer>Written by nndmft %s (%s).</footer>\n</main></body></html>\n",
            nnd_version(), nnd_git_describe());
    /* What failed long ago left no errno, but fails again. */
    int error = fflush(out) != 0 ? errno : ferror(out) ? EIO : 0;
    if (status == NND_OK && error != 0)
        status = nnd_fail(ctx, NND_E_IO, "the report cannot be written: %s", strerror(error));
    return status;
}
