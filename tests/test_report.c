/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of a page: text, formulas, pictures. */

#include "support.h"

#include <stdlib.h>

#include "plot/embed.h"
#include "plot/html.h"
#include "plot/mathml.h"
#include "with_context.h"

/* What a function writes of a text; to be freed. */
static char *written(void (*write)(const char *text, FILE *out), const char *text) {
    char *words = NULL;
    size_t size;
    FILE *out = open_memstream(&words, &size);
    write(text, out);
    fclose(out);
    return words;
}

static void html(const char *text, FILE *out) {
    nnd_html_text(out, text);
}

static void ck_written(void (*write)(const char *text, FILE *out), const char *text,
                       const char *want) {
    char *got = written(write, text);
    ck_assert_str_eq(got, want);
    free(got);
}

static void ck_formula(const char *formula, const char *row) {
    char want[1024];
    snprintf(want, sizeof want, "<math><mrow>%s</mrow></math>", row);
    ck_written(nnd_mathml_write, formula, want);
}

START_TEST(what_a_text_holds_is_text) {
    ck_written(html, "<script>alert('a & \"b\"')</script>",
               "&lt;script&gt;alert(&#39;a &amp; &quot;b&quot;&#39;)&lt;/script&gt;");
    ck_written(html, "γ₀\nnext", "γ₀\nnext");
    ck_written(html, "\x1b[31m\xff", "\\x1B[31m\\xFF");
}
END_TEST

START_TEST(names_of_letters_become_letters) {
    ck_formula("gamma", "<mi>γ</mi>");
    ck_formula("eta0", "<msub><mi>η</mi><mn>0</mn></msub>");
    ck_formula("det F", "<mi>det</mi><mspace width=\"0.28em\"/><mi>F</mi>");
    ck_formula("largest", "<mtext>largest</mtext>");
}
END_TEST

START_TEST(scripts_roots_and_stars_stand_where_they_belong) {
    ck_formula("x^2", "<msup><mi>x</mi><mrow><mn>2</mn></mrow></msup>");
    ck_formula("A_{L-1}", "<msub><mi>A</mi><mrow><mrow><mi>L</mi><mo>−</mo><mn>1</mn></mrow></mrow>"
                          "</msub>");
    ck_formula("sqrt(phi)", "<msqrt><mrow><mi>φ</mi></mrow></msqrt>");
    ck_formula("beta*", "<msup><mi>β</mi><mo>*</mo></msup>");
    ck_formula("a * b", "<mi>a</mi><mspace width=\"0.28em\"/><mo>*</mo><mspace width=\"0.28em\"/>"
                        "<mi>b</mi>");
    ck_formula("w^(1-p)", "<msup><mi>w</mi><mrow><mrow><mn>1</mn><mo>−</mo><mi>p</mi></mrow></mrow>"
                          "</msup>");
    ck_formula("x_2^a",
               "<msup><msub><mi>x</mi><mrow><mn>2</mn></mrow></msub><mrow><mi>a</mi></mrow>"
               "</msup>");
}
END_TEST

START_TEST(prose_identifiers_and_means_are_told_from_products) {
    ck_formula("a b", "<mi>a</mi><mspace width=\"0.28em\"/><mi>b</mi>");
    ck_formula("a ratio", "<mtext>a</mtext><mspace width=\"0.28em\"/><mtext>ratio</mtext>");
    ck_formula("k-th x",
               "<mi>k</mi><mtext>-</mtext><mi>th</mi><mspace width=\"0.28em\"/><mi>x</mi>");
    ck_formula("weight_decay", "<mtext>weight_decay</mtext>");
    ck_formula("lambda_max", "<msub><mi>λ</mi><mrow><mi>max</mi></mrow></msub>");
    ck_formula("b_Δ", "<msub><mi>b</mi><mrow><mi>Δ</mi></mrow></msub>");
    ck_formula("<x>", "<mo stretchy=\"false\">⟨</mo><mi>x</mi><mo stretchy=\"false\">⟩</mo>");
    ck_formula("x < 0",
               "<mi>x</mi><mspace width=\"0.28em\"/><mo>&lt;</mo><mspace width=\"0.28em\"/>"
               "<mn>0</mn>");
    ck_formula("w.x", "<mi>w</mi><mo>⋅</mo><mi>x</mi>");
}
END_TEST

/* The number of times a text stands in another. */
static size_t count(const char *in, const char *what) {
    size_t n = 0;
    for (const char *at = in; (at = strstr(at, what)) != NULL; at += strlen(what))
        n++;
    return n;
}

START_TEST(any_text_gives_elements_that_close) {
    static const char *const texts[] = {"",   "^", "_",      "x_",    "((((",
                                        "))", "{", "}",      "sqrt(", "a^^b",
                                        "*",  "'", "x'*^_{", "<b>",   "\xff_\xff"};
    static const char *const tags[] = {"mrow", "msub", "msup", "msqrt", "mi", "mo", "mn"};
    char deep[400];
    memset(deep, '{', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    for (size_t i = 0; i <= sizeof texts / sizeof *texts; i++) {
        char *got = written(nnd_mathml_write, i > 0 ? texts[i - 1] : deep);
        for (size_t t = 0; t < sizeof tags / sizeof *tags; t++) {
            char opened[16], closed[16];
            snprintf(opened, sizeof opened, "<%s>", tags[t]);
            snprintf(closed, sizeof closed, "</%s>", tags[t]);
            ck_assert_uint_eq(count(got, opened) + (t == 5 ? count(got, "<mo stretchy") : 0),
                              count(got, closed));
        }
        free(got);
    }
}
END_TEST

/* A picture as gnuplot writes it, embedded; to be freed. NULL: refused. */
static char *embedded(const char *picture) {
    char *page = NULL, *copy = strdup(picture);
    size_t size;
    FILE *svg = fmemopen(copy, strlen(copy), "r"), *out = open_memstream(&page, &size);
    nnd_status status = nnd_svg_embed(ctx, svg, 7, "a \"label\"", out);
    fclose(svg);
    fclose(out);
    free(copy);
    if (status == NND_OK)
        return page;
    free(page);
    return NULL;
}

START_TEST(pictures_lose_their_scripts_and_keep_their_values) {
    char *page = embedded(
        "<?xml version=\"1.0\"?>\n<svg \n width=\"4\" height=\"3\"\n viewBox=\"0 0 4 3\"\n>\n"
        "<title>Gnuplot</title>\n<g fill=\"none\">\n</g>\n<g fill=\"red\">\n"
        "\t<g onmousemove=\"gnuplot_svg.showHypertext(evt,'2 ± 0.1')\" "
        "onmouseout=\"gnuplot_svg.hideHypertext()\"><title> </title>\n"
        "\t<use xlink:href='#gpPt6' transform='translate(1.5,2.25) scale(4.50)' opacity='0'/></g>\n"
        "</g>\n<g fill=\"blue\">\n\t<use xlink:href='#gpPt6'/>\n</g>\n"
        "\t<g id=\"gnuplot_plot_1a\" ><title>gnuplot_plot_1a</title>\n</g>\n<path "
        "id='gpPt6'/>\n</svg>\n");
    ck_assert_ptr_nonnull(page);
    ck_assert_ptr_null(strstr(page, "onmouse"));
    ck_assert_ptr_null(strstr(page, "Gnuplot"));
    ck_assert_ptr_null(strstr(page, "<?xml"));
    ck_assert_ptr_nonnull(
        strstr(page, "<circle class=\"v\" cx=\"1.5\" cy=\"2.25\" r=\"4.50\"><title>2 ± 0.1"
                     "</title></circle>"));
    ck_assert_ptr_null(strstr(page, "red"));
    ck_assert_ptr_null(strstr(page, "<title>gnuplot"));
    ck_assert_ptr_nonnull(strstr(page, "id='p7-gpPt6'"));
    ck_assert_ptr_nonnull(strstr(page, "xlink:href='#p7-gpPt6'"));
    ck_assert_ptr_nonnull(strstr(page, "aria-label=\"a &quot;label&quot;\""));
    ck_assert_uint_eq(count(page, "<g"), count(page, "</g>"));
    ck_assert_uint_eq(count(page, "<g"), 2);
    free(page);
}
END_TEST

START_TEST(what_is_no_picture_is_refused) {
    ck_assert_ptr_null(embedded("nothing\n"));
    ck_assert_ptr_null(embedded("<svg \n viewBox=\"0 0 4 3' onload='x\"\n>\n</svg>\n"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("report");
    TCase *tests = tcase_create("report");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_a_text_holds_is_text);
    tcase_add_test(tests, names_of_letters_become_letters);
    tcase_add_test(tests, scripts_roots_and_stars_stand_where_they_belong);
    tcase_add_test(tests, prose_identifiers_and_means_are_told_from_products);
    tcase_add_test(tests, any_text_gives_elements_that_close);
    tcase_add_test(tests, pictures_lose_their_scripts_and_keep_their_values);
    tcase_add_test(tests, what_is_no_picture_is_refused);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
