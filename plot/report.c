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

/* The name of the case; where there is none, of the file, or of the model. */
static void write_name(page *p, size_t i) {
    nnd_value *tree = NULL;
    const nnd_value *name = NULL;
    if (p->result->case_text != NULL &&
        nnd_yaml_read_text(p->ctx, "case", p->result->case_text, &tree) == NND_OK)
        name = nnd_value_get(tree, "name");
    bool named = name != NULL && name->kind == NND_VALUE_SCALAR;
    const char *file = p->report->path[i], *model = p->result->model;
    tagged(p, "h2", named ? name->text : file != NULL ? file : model != NULL ? model : "Result");
    nnd_value_free(tree);
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
    if (r->question != NULL)
        tagged(p, "p class=\"question\"", r->question);
}

/* ---- what came out ---- */

static size_t count_verdicts(const nnd_frame *compare, const char *verdict) {
    size_t n = 0;
    for (size_t i = 0; i < nnd_frame_array_count(compare); i++) {
        const char *is = text_of(compare, nnd_frame_array(compare, i)->name, "verdict");
        n += is != NULL && strcmp(is, verdict) == 0;
    }
    return n;
}

static void write_summary(page *p, const nnd_frame *compare) {
    size_t agree = count_verdicts(compare, "agrees"), differ = count_verdicts(compare, "disagrees");
    size_t open = count_verdicts(compare, "inconclusive");
    fprintf(p->out,
            "<p class=\"summary\"><strong class=\"%s\">%s</strong> %zu of %zu variables agree "
            "with theory, %zu disagree, of %zu the error bars are too wide to say.</p>\n",
            differ > 0               ? "bad"
            : open > 0 || agree == 0 ? "open"
                                     : "good",
            differ > 0  ? "Theory and simulation disagree."
            : agree > 0 ? "Theory holds where it can be told."
                        : "Undecided.",
            agree, agree + differ + open, differ, open);
}

static void write_verdict(page *p, const nnd_frame *compare, const char *array) {
    char name[NND_PLOT_TEXT];
    const char *verdict = text_of(compare, array, "verdict");
    snprintf(name, sizeof name, "%.*s", (int)nnd_companion_of(array, NND_DIFF), array);
    const nnd_variable *v = p->model != NULL ? nnd_model_variable(p->model, name) : NULL;
    fputs("<tr><th scope=\"row\">", p->out);
    text(p, v != NULL ? v->long_name : name);
    fputs(" <code>", p->out);
    text(p, name);
    fputs("</code></th>", p->out);
    bool known = strcmp(verdict, "agrees") == 0 || strcmp(verdict, "disagrees") == 0;
    fprintf(p->out, "<td class=\"%s\">", !known ? "open" : verdict[0] == 'a' ? "good" : "bad");
    text(p, verdict);
    fputs("</td>", p->out);
    number_cell(p, "%.0f", number_of(compare, array, "points"));
    number_cell(p, "%.0f", number_of(compare, array, "left_out"));
    number_cell(p, "%.2f", number_of(compare, array, "max_abs_z"));
    number_cell(p, "%.2g", number_of(compare, array, "p"));
    number_cell(p, "%.3f", number_of(compare, array, "band"));
    number_cell(p, "× %.2g", number_of(compare, array, "more_seeds"));
    fputs("</tr>\n", p->out);
}

static void write_reasons(page *p, const nnd_frame *compare) {
    for (size_t i = 0; i < nnd_frame_array_count(compare); i++) {
        const char *array = nnd_frame_array(compare, i)->name;
        const char *reason = text_of(compare, array, "reason");
        if (reason == NULL)
            continue;
        fputs("<p class=\"note\"><code>", p->out);
        nnd_html_text(p->out, array);
        fputs("</code>: theory leaves points out: ", p->out);
        text(p, reason);
        fputs("</p>\n", p->out);
    }
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
    fputs(
        "<div class=\"wide\"><table><caption>Verdicts</caption><thead><tr>"
        "<th scope=\"col\">variable</th><th scope=\"col\">verdict</th>"
        "<th scope=\"col\" class=\"n\">points</th>"
        "<th scope=\"col\" class=\"n\">left out</th><th scope=\"col\" class=\"n\">largest |z|</th>"
        "<th scope=\"col\" class=\"n\">p</th><th scope=\"col\" class=\"n\">band</th>"
        "<th scope=\"col\" class=\"n\">seeds needed</th></tr></thead><tbody>\n",
        p->out);
    for (size_t i = 0; i < nnd_frame_array_count(compare); i++)
        if (text_of(compare, nnd_frame_array(compare, i)->name, "verdict") != NULL)
            write_verdict(p, compare, nnd_frame_array(compare, i)->name);
    fputs("</tbody></table></div>\n", p->out);
    nnd_print(
        p->out,
        "<p class=\"note\">z is the deviation in standard errors, beyond the tolerance; p the "
        "probability of one so large, anywhere, if theory is right. A variable disagrees if p "
        "is below %g; it agrees to within the band (a fraction of its scale, 95 %% for all "
        "points at once), unless that is too wide to say.</p>\n",
        number_of(compare, NULL, "alpha"));
    write_reasons(p, compare);
}

/* ---- pictures ---- */

static nnd_status draw(page *p, const nnd_plot_options *options, FILE *program, const char *path,
                       const char *label) {
    nnd_status status = nnd_plot_program(p->ctx, p->result, options, "svg", program);
    if (status == NND_OK)
        status = nnd_gnuplot_run(p->ctx, "gnuplot", program, path);
    FILE *svg = status == NND_OK ? fopen(path, "re") : NULL;
    if (status == NND_OK && svg == NULL)
        status = nnd_fail(p->ctx, NND_E_IO, "%s: %s", path, strerror(errno));
    if (svg != NULL) {
        status = nnd_svg_embed(p->ctx, svg, p->pictures++, label, p->out);
        fclose(svg);
    }
    return status;
}

static nnd_status write_picture(page *p, const char *view) {
    const char *folder = getenv("TMPDIR");
    char path[4096], label[NND_PLOT_TEXT];
    const nnd_plot_options options = {.view = view, .hover = true};
    snprintf(path, sizeof path, "%s/nndmft-XXXXXX", folder != NULL ? folder : "/tmp");
    snprintf(label, sizeof label, "%s of %s: theory as lines, simulation as points with error bars",
             view != NULL ? view : "curves",
             p->result->model != NULL ? p->result->model : "a file");
    int fd = mkstemp(path);
    FILE *program = fd >= 0 ? tmpfile() : NULL;
    nnd_status status =
        program != NULL ? NND_OK : nnd_fail(p->ctx, NND_E_IO, "%s: %s", path, strerror(errno));
    if (status == NND_OK) {
        fputs("<figure>", p->out);
        status = draw(p, &options, program, path, label);
        fputs("<figcaption>", p->out);
        text(p, view != NULL ? view : "");
        fputs("</figcaption></figure>\n", p->out);
    }
    if (program != NULL)
        fclose(program);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    return status;
}

static nnd_status write_pictures(page *p) {
    nnd_status status = NND_OK;
    tagged(p, "h3", "Pictures");
    if (nnd_plot_view(p->result, 0) == NULL)
        return write_picture(p, NULL);
    for (size_t i = 0; status == NND_OK && nnd_plot_view(p->result, i) != NULL; i++)
        status = write_picture(p, nnd_plot_view(p->result, i));
    return status;
}

/* ---- equations ---- */

/* "PAGE.md#ANCHOR: formula" as a link and a formula. */
static void write_equation(page *p, const char *equation) {
    size_t place = strcspn(equation, ":");
    fputs("<td>", p->out);
    if (equation[place] == ':')
        nnd_mathml_write(equation + place + 1 + (equation[place + 1] == ' '), p->out);
    fputs("</td><td>", p->out);
    if (p->report->documents != NULL) {
        fputs("<a href=\"", p->out);
        text(p, p->report->documents);
        fprintf(p->out, "/theory/%.*s\">", (int)place, equation);
    }
    fprintf(p->out, "%.*s%s</td></tr>\n", (int)place, equation,
            p->report->documents != NULL ? "</a>" : "");
}

/* Of a model that this version knows: its own tables, not what a file says. */
static void write_equations(page *p) {
    if (p->model == NULL)
        return;
    fputs("<h3>Equations</h3>\n<div class=\"wide\"><table><caption>What is computed, and where it "
          "is derived</caption><thead><tr><th scope=\"col\">variable</th>"
          "<th scope=\"col\">formula</th><th scope=\"col\">page</th></tr></thead><tbody>\n",
          p->out);
    for (size_t i = 0; i < p->model->variable_count; i++) {
        const nnd_variable *v = &p->model->variables[i];
        const nnd_frame *theory = p->result->theory, *mc = p->result->mc;
        if ((theory == NULL || nnd_frame_find(theory, v->name) == NULL) &&
            (mc == NULL || nnd_frame_find(mc, v->name) == NULL))
            continue;
        fprintf(p->out, "<tr><th scope=\"row\">%s <code>%s(%s)</code></th>", v->long_name, v->name,
                v->dims);
        write_equation(p, v->equation);
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
        tagged(p, "dd", a->text != NULL ? a->text : words);
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
        fputs("<h3>Case</h3>\n<details><summary>Every parameter, defaults filled in: saved as a "
              "file, <code>nndmft run</code> does it again</summary><pre>",
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
    fputs("<section>\n", p->out);
    write_name(p, i);
    write_question(p);
    write_verdicts(p);
    nnd_status status = write_pictures(p);
    write_equations(p);
    write_achieved(p);
    write_origin(p, i);
    fputs("</section>\n", p->out);
    return status;
}

nnd_status nnd_report_write(nnd_context *ctx, const nnd_report *report, FILE *out) {
    page p = {.ctx = ctx, .report = report, .out = out};
    nnd_status status = NND_OK;
    fputs(NND_REPORT_HEAD, out);
    for (size_t i = 0; status == NND_OK && i < report->count; i++)
        status = write_result(&p, i);
    fprintf(out, "<footer>Written by nndmft %s (%s).</footer>\n</main></body></html>\n",
            nnd_version(), nnd_git_describe());
    if (status == NND_OK && ferror(out))
        status = nnd_fail(ctx, NND_E_IO, "the report: %s", strerror(errno));
    return status;
}
