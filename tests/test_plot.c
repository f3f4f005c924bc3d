/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Pictures: what the gnuplot program says, that gnuplot accepts it, and what is refused. */
#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plot/gnuplot.h"
#include "plot/trace.h"
#include "support.h"
#include "tests/plots.h"

static double *add(nnd_frame *frame, const char *name, const char *dims) {
    double *data;
    assert_ok(nnd_frame_add(frame, name, dims, &data));
    const nnd_array *array = nnd_frame_find(frame, name);
    for (size_t i = 0; i < array->count; i++)
        data[i] = exp(-0.05 * (double)(i % 41)) + 0.1 * (double)(i / 41);
    return data;
}

/* Three sweep values, 41 times, four layers; the simulation at two sizes. */
static void fill(nnd_frame *frame, bool mc) {
    const double gamma0[] = {0.5, 1.0, 2.0}, sizes[] = {256.0, 1024.0};
    assert_ok(nnd_frame_add_dim(frame, "gamma0", NND_COORD_REAL, 3, gamma0));
    if (mc)
        assert_ok(nnd_frame_add_dim(frame, "size", NND_COORD_INTEGER, 2, sizes));
    assert_ok(nnd_frame_add_range(frame, "t", 41, 0.0));
    assert_ok(nnd_frame_add_range(frame, "s", 41, 0.0));
    assert_ok(nnd_frame_add_range(frame, "layer", 4, 0.0));
    add(frame, "test_risk", mc ? "gamma0,size,t" : "gamma0,t");
    add(frame, "train_mse", mc ? "gamma0,size,t" : "gamma0,t");
    add(frame, "g_norm2", mc ? "gamma0,size,t,layer" : "gamma0,t,layer");
    add(frame, "delta_two_time", mc ? "gamma0,size,t,s" : "gamma0,t,s");
    add(frame, "cosine", mc ? "gamma0,size" : "gamma0");
    if (mc)
        add(frame, "test_risk_se", "gamma0,size,t");
    assert_ok(nnd_frame_set_text(frame, "test_risk", "long_name", "excess test risk"));
    assert_ok(nnd_frame_set_text(frame, "test_risk", "units", "bits"));
}

static void setup(void) {
    static char model[] = "deep-linear", text[] = "model: deep-linear\nname: it's\n";
    plot_setup(model, text);
    fill(result.theory, false);
    fill(result.mc, true);
}

static void drop(nnd_frame **frame) {
    nnd_frame_free(*frame);
    *frame = NULL;
}

/* Draws into a file; returns its size. */
static long picture(const char *name) {
    const char *path = scratch_path(name);
    struct stat st;
    assert_ok(nnd_plot(ctx, &result, &options, path));
    ck_assert_int_eq(stat(path, &st), 0);
    return (long)st.st_size;
}

START_TEST(a_picture_of_each_format_appears) {
    const char *names[] = {"a.svg", "a.pdf", "a.png"};
    ck_assert_int_gt(picture(names[_i]), 5000);
}
END_TEST

START_TEST(theory_is_lines_and_simulation_points_with_bars) {
    draw("test_risk");
    HAS("$theory0_0 using 1:2 with lines lw 2 dt solid lc rgb '#0072B2'");
    HAS("$mc2_1 using 1:3:(0):($4-$3) with vectors");
    HAS("$mc2_1 using 1:2 with points pt 5");
    HAS("title 'γ₀ = 0.5'");
    HAS("title 'simulation, size 1024'");
    HAS("set ylabel 'excess test risk |β*−β|² [bits]'");
    HAS("set xlabel 'step t'");
    HAS("title 'deep-linear: it\u2019s'");
}
END_TEST

START_TEST(the_first_view_is_drawn_without_being_asked) {
    assert_ok(write_program());
    HAS("set title 'test_risk'");
    HAS("set title 'train_mse'");
    LACKS("set title 'g_norm2'");
    LACKS("test_risk_se");
}
END_TEST

START_TEST(a_view_is_drawn_when_asked) {
    options.view = nnd_model_variable(nnd_model_find("deep-linear"), "g_norm2")->view;
    assert_ok(write_program());
    HAS("set title 'g_norm2'");
    HAS("title 'layer = 3'");
    LACKS("set title 'test_risk'");
}
END_TEST

START_TEST(unknown_names_are_errors_that_list_what_there_is) {
    const char *path = scratch_path("x.svg");
    name_var("test_risc");
    ck_assert_int_eq(nnd_plot(ctx, &result, &options, path), NND_E_INPUT);
    ck_assert_ptr_nonnull(
        strstr(nnd_context_message(ctx),
               "no variable test_risc; did you mean test_risk? there are: test_risk, train_mse"));
    options = (nnd_plot_options){.view = "nonsense"};
    ck_assert_int_eq(nnd_plot(ctx, &result, &options, path), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "no view nonsense; there are: "));
    options = (nnd_plot_options){0};
    ck_assert_int_eq(nnd_plot(ctx, &result, &options, "x.jpg"), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), ".svg, .pdf or .png"));
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(an_empty_result_is_an_error) {
    drop(&result.theory);
    drop(&result.mc);
    ck_assert_int_eq(write_program(), NND_E_INPUT);
}
END_TEST

START_TEST(without_a_model_all_curves_in_time_are_drawn) {
    result.model = NULL;
    drop(&result.theory);
    assert_ok(write_program());
    HAS("set title 'test_risk'");
    HAS("set title 'g_norm2'");
    LACKS("set title 'cosine'");
    options.view = "training";
    ck_assert_int_eq(write_program(), NND_E_INPUT);
}
END_TEST

/* What stands before the time is taken for a sweep. */
START_TEST(theory_without_a_model_is_drawn_over_time) {
    result.model = NULL;
    drop(&result.mc);
    draw("test_risk");
    HAS("set xlabel 'step t'");
    HAS("title 'gamma0 = 0.5'");
}
END_TEST

/* The word after `key` in the first line that holds `needle`. */
static const char *style_of(const char *needle, const char *key, char word[20]) {
    const char *line = strstr(program, needle);
    ck_assert_msg(line != NULL, "no %s in:\n%s", needle, program);
    while (line > program && line[-1] != '\n')
        line--;
    const char *at = strstr(line, key);
    ck_assert_msg(at != NULL && at < strchr(line, '\n'), "no %s beside %s", key, needle);
    ck_assert_int_eq(sscanf(at + strlen(key), " %19s", word), 1);
    return word;
}

/* A sweep over gamma0 and nu; curve k holds 100 + 2 k and one more. */
static void sweep_two_keys(void) {
    const double gamma0[] = {0.5, 3.0, 2.0}, nu[] = {2.0, 0.5};
    static char name[] = "test_risk";
    drop(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_new(ctx, &result.theory));
    assert_ok(nnd_frame_add_dim(result.theory, "gamma0", NND_COORD_REAL, 3, gamma0));
    assert_ok(nnd_frame_add_dim(result.theory, "nu", NND_COORD_REAL, 2, nu));
    assert_ok(nnd_frame_add_range(result.theory, "t", 2, 0.0));
    double *risk = add(result.theory, name, "gamma0,nu,t");
    for (size_t i = 0; i < 12; i++)
        risk[i] = 100.0 + (double)i;
    name_var(name);
    assert_ok(write_program());
}

/* The style of curve k is that of a legend entry. */
static void ck_curve(size_t k, const char *key, const char *title) {
    char curve[40], of_curve[20], of_title[20];
    snprintf(curve, sizeof curve, "$theory%zu_0 << EOD\n0 %zu ", k, 100 + 2 * k);
    HAS(curve);
    snprintf(curve, sizeof curve, "$theory%zu_0 using", k);
    ck_assert_str_eq(style_of(curve, key, of_curve), style_of(title, key, of_title));
}

START_TEST(curves_of_two_swept_keys_have_colours_and_titles_of_their_own) {
    static const char *const titles[] = {"'γ₀ = 0.5, ν = 2'", "'γ₀ = 0.5, ν = 0.5'",
                                         "'γ₀ = 3, ν = 2'",   "'γ₀ = 3, ν = 0.5'",
                                         "'γ₀ = 2, ν = 2'",   "'γ₀ = 2, ν = 0.5'"};
    char colour[20], other[20];
    sweep_two_keys();
    for (size_t k = 0; k < 6; k++)
        ck_curve(k, "lc rgb", titles[k]);
    ck_assert_str_ne(style_of(titles[1], "lc rgb", colour), style_of(titles[2], "lc rgb", other));
}
END_TEST

START_TEST(a_sweep_has_colours_and_what_belongs_to_the_variable_dashes) {
    static const char *const colours[] = {"'γ₀ = 0.5'", "'γ₀ = 1'", "'γ₀ = 2'"};
    static const char *const dashes[] = {"'layer = 0'", "'layer = 1'", "'layer = 2'",
                                         "'layer = 3'"};
    char name[] = "g_norm2", a[20], b[20];
    double *data = nnd_frame_find(result.theory, name)->data;
    for (size_t k = 0; k < 12; k++)
        data[k / 4 * 41 * 4 + k % 4] = 100.0 + 2.0 * (double)k;
    drop(&result.mc);
    name_var(name);
    assert_ok(write_program());
    for (size_t k = 0; k < 12; k++) {
        ck_curve(k, "lc rgb", colours[k / 4]);
        ck_curve(k, " dt", dashes[k % 4]);
    }
    ck_assert_str_ne(style_of(colours[1], "lc rgb", a), style_of(colours[2], "lc rgb", b));
    ck_assert_str_ne(style_of(dashes[0], " dt", a), style_of(dashes[1], " dt", b));
}
END_TEST

START_TEST(a_scalar_is_drawn_over_the_sweep) {
    draw("cosine");
    HAS("set xlabel 'output scale γ₀'");
    HAS("title 'theory'");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(fifteen_curves_are_all_drawn) {
    assert_ok(nnd_frame_add_range(result.theory, "mu", 15, 0.0));
    add(result.theory, "some", "t,mu");
    draw("some");
    HAS("set title 'some'");
    HAS("$theory14_0 using");
    HAS("title 'mu = 7'");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(many_curves_are_thinned_and_the_title_says_so) {
    assert_ok(nnd_frame_add_range(result.theory, "mu", 40, 0.0));
    add(result.theory, "wide", "t,mu");
    draw("wide");
    HAS("set title 'wide (24 of 40 curves)'");
    HAS("title 'mu = 0'");
    HAS("title 'mu = 39'");
    ck_assert_uint_eq(count("with lines lw 2 dt solid lc"), 24);
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

START_TEST(two_times_are_a_heat_map_theory_beside_simulation) {
    char name[] = "delta_two_time";
    name_var(name);
    assert_ok(write_program());
    HAS("'delta_two_time, theory, γ₀ = 0.5 (1 of 3)'");
    HAS("'delta_two_time, simulation, size 1024, γ₀ = 0.5 (1 of 3)'");
    HAS("with boxxyerror");
    HAS("set ylabel 'step s'");
    ck_assert_int_gt(picture("a.svg"), 5000);
    const nnd_array *theory = nnd_frame_find(result.theory, name);
    for (size_t i = 0; i < theory->count; i++)
        theory->data[i] = NAN;
    assert_ok(write_program());
    HAS("no finite values");
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

/* Few entries are curves in time; many are maps before and after, for each layer. */
/* Side by side: an infinite coordinate has no place among the numbers. */
START_TEST(a_map_over_an_infinite_value_is_drawn) {
    const double alpha[] = {0.5, 1.0, 2.0}, snr[] = {1.0, 2.0, INFINITY};
    static char model[] = "alignment";
    result.model = model;
    drop(&result.mc);
    assert_ok(nnd_frame_add_dim(result.theory, "alpha", NND_COORD_REAL, 3, alpha));
    assert_ok(nnd_frame_add_dim(result.theory, "snr", NND_COORD_REAL, 3, snr));
    add(result.theory, "cka", "alpha,snr");
    options.view = "map";
    assert_ok(write_program());
    HAS("set logscale x");
    HAS("set ytics noenhanced ('1' 0, '2' 1, 'inf' 2)");
    HAS("set yrange [-0.5:2.5]");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(a_map_with_a_zero_coordinate_has_a_linear_axis) {
    const double alpha[] = {0.5, 1.0, 2.0}, snr[] = {0.0, 0.5, 1.0};
    static char model[] = "alignment";
    result.model = model;
    drop(&result.mc);
    assert_ok(nnd_frame_add_dim(result.theory, "alpha", NND_COORD_REAL, 3, alpha));
    assert_ok(nnd_frame_add_dim(result.theory, "snr", NND_COORD_REAL, 3, snr));
    add(result.theory, "cka", "alpha,snr");
    options.view = "map";
    assert_ok(write_program());
    HAS("set logscale x");
    LACKS("set logscale y");
}
END_TEST

START_TEST(kernels_of_many_samples_are_heat_maps_before_and_after) {
    static char model[] = "wide-mlp";
    result.model = model;
    name_var("h_gram");
    assert_ok(nnd_frame_add_range(result.theory, "mu", 3, 0.0));
    assert_ok(nnd_frame_add_range(result.theory, "nu", 3, 0.0));
    add(result.theory, "h_gram", "t,mu,nu");
    assert_ok(write_program());
    HAS("with lines");
    assert_ok(nnd_frame_add_range(result.mc, "mu", 4, 0.0));
    assert_ok(nnd_frame_add_range(result.mc, "nu", 4, 0.0));
    char many[] = "phi_gram";
    name_var(many);
    double *kernel = add(result.mc, "phi_gram", "t,layer,mu,nu");
    /* Entry (2, 3) of the second of four layers at the last time. */
    kernel[((40 * 4 + 1) * 4 + 2) * 4 + 3] = 7.25;
    assert_ok(write_program());
    HAS("'phi_gram, layer 1 at t = 0, simulation'");
    HAS("'phi_gram, layer 1 at t = 40, simulation'");
    HAS("'phi_gram, layer 3 at t = 0, simulation'");
    HAS("'phi_gram, layer 3 at t = 40, simulation'");
    HAS("2 3 1.5 2.7 2.5 3.5 7.25");
    ck_assert_uint_eq(count("with boxxyerror"), 8);
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

START_TEST(missing_values_are_gaps) {
    name_var("gap");
    double *gap = add(result.theory, "gap", "t");
    for (size_t i = 0; i < 41; i++)
        gap[i] = i == 20 ? NAN : 1.0;
    assert_ok(write_program());
    HAS("\n19 1 1 1\n\n21 1 1 1\n");
    for (size_t i = 0; i < 41; i++)
        gap[i] = NAN;
    assert_ok(write_program());
    HAS("no finite values");
    ck_assert_int_gt(picture("a.svg"), 500);
}
END_TEST

START_TEST(logarithmic_axes_leave_out_what_is_not_positive) {
    double *falling = add(result.theory, "falling", "t");
    for (size_t i = 0; i < 41; i++)
        falling[i] = 1.0 - 0.1 * (double)i;
    options.log_x = options.log_y = true;
    draw("falling");
    HAS("set logscale x");
    HAS("set logscale y");
    HAS("\n1 0.9 0.9 0.9\n");
    LACKS("\n0 1 1 1\n");
    LACKS("\n11 -0.1");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(text_from_a_file_is_never_a_command) {
    assert_ok(
        nnd_frame_set_text(result.theory, "test_risk", "long_name", "'; `touch x`\n!touch x\n'"));
    draw("test_risk");
    HAS("set ylabel '\u2019; `touch x` !touch x \u2019 |β*−β|² [bits]' noenhanced\n");
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

START_TEST(names_and_single_points_can_be_drawn) {
    const char *kinds[] = {"fixed", "on'line"};
    char kind[] = "by_kind", scalar[] = "kappa", sized[] = "extrapolated";
    assert_ok(nnd_frame_add_text_dim(result.theory, "training", 2, kinds));
    add(result.theory, "by_kind", "training");
    assert_ok(nnd_frame_add_scalar(result.theory, "kappa", 0.0));
    assert_ok(nnd_frame_add_scalar(result.theory, "extrapolated", 1.0));
    add(result.mc, "extrapolated", "size");
    name_var(kind);
    assert_ok(write_program());
    HAS("set xtics noenhanced ('fixed' 0, 'on\u2019line' 1)");
    ck_assert_int_gt(picture("a.svg"), 1000);
    name_var(scalar);
    ck_assert_int_gt(picture("a.svg"), 1000);
    name_var(sized);
    assert_ok(write_program());
    HAS("set xlabel 'size'");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(a_sampled_theory_has_a_band) {
    add(result.theory, "test_risk_se", "gamma0,t");
    draw("test_risk");
    HAS("$theory0_0 using 1:3:4 with filledcurves");
}
END_TEST

START_TEST(values_that_hardly_differ_can_be_drawn) {
    name_var("flat");
    double *theory = add(result.theory, "flat", "t"), *mc = add(result.mc, "flat", "t");
    for (size_t i = 0; i < 41; i++) {
        theory[i] = 1.0 + (double)(i % 2) * 2.3e-16;
        mc[i] = i == 7 ? 1.0 : NAN;
    }
    for (unsigned logs = 0; logs < 4; logs++) {
        options.log_x = logs & 1;
        options.log_y = logs & 2;
        ck_assert_int_gt(picture("a.svg"), 1000);
    }
}
END_TEST

START_TEST(points_are_spread_over_a_logarithmic_axis) {
    drop(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_new(ctx, &result.mc));
    assert_ok(nnd_frame_add_range(result.mc, "t", 10001, 0.0));
    add(result.mc, "long", "t");
    options.log_x = true;
    draw("long");
    size_t points = 0;
    for (const char *at = strstr(program, "$mc0_0"); strncmp(at, "EOD\n", 4) != 0; points++)
        at = strchr(at, '\n') + 1;
    ck_assert_uint_ge(points, 25);
    ck_assert_uint_le(points, NND_PLOT_POINTS + 2);
}
END_TEST

/* Runs gnuplot's stand-in on a program. */
static nnd_status run(const char *command, const char *text) {
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    nnd_status status = nnd_gnuplot_run(ctx, command, file, scratch_path("out"));
    fclose(file);
    return status;
}

START_TEST(a_failing_or_missing_gnuplot_is_reported) {
    ck_assert_int_eq(run("gnuplot", "set terminal svg\nplot foo(\n"), NND_E_IO);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "invalid expression"));
    ck_assert_int_eq(run("no-such-gnuplot", ""), NND_E_IO);
    ck_assert_str_eq(nnd_context_message(ctx),
                     "no-such-gnuplot is not installed; pictures need it");
    ck_assert_int_eq(run("true", ""), NND_E_IO);
    ck_assert_str_eq(nnd_context_message(ctx), "true drew nothing");
    ck_assert_int_eq(run("false", ""), NND_E_IO);
}
END_TEST

/* What the environment says to gnuplot must change neither a picture nor a message. */
START_TEST(the_surroundings_change_no_picture) {
    static const char curve[] = "set terminal svg\nplot sin(x)\n";
    size_t size[2];
    char *home = strdup(getenv("HOME") != NULL ? getenv("HOME") : "/");
    assert_ok(run("gnuplot", curve));
    unsigned char *before = scratch_read(scratch_path("out"), &size[0]);
    setenv("GNUTERM", "x11", 1);
    setenv("GNUPLOT_LIB", scratch_folder, 1);
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    setenv("HOME", scratch_folder, 1);
    scratch_write(scratch_path(".gnuplot"), "set samples 3\n", 14);
    ck_assert(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    assert_ok(run("gnuplot", curve));
    unsigned char *after = scratch_read(scratch_path("out"), &size[1]);
    ck_assert_uint_eq(size[0], size[1]);
    ck_assert_mem_eq(before, after, size[0]);
    ck_assert_int_eq(run("gnuplot", "plot foo(\n"), NND_E_IO);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "(exit code 1): "));
    ck_assert_int_eq(run("no-such-gnuplot", ""), NND_E_IO);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "not installed"));
    signal(SIGCHLD, SIG_DFL);
    unsetenv("GNUTERM");
    unsetenv("GNUPLOT_LIB");
    unsetenv("LC_ALL");
    setenv("HOME", home, 1);
    free(home);
    free(before);
    free(after);
}
END_TEST

START_TEST(the_list_names_views_and_variables) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    nnd_plot_list(&result, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "views:\n"));
    ck_assert_ptr_nonnull(strstr(text, "  test_risk [gamma0,t] theory, simulation, view "));
    ck_assert_ptr_nonnull(strstr(text, "  cosine [gamma0] theory, simulation\n"));
    ck_assert_ptr_null(strstr(text, "test_risk_se"));
    free(text);
}
END_TEST

/* What the theory knows of spectra: two matrices, three ranks, of which the third never escapes. */
static void add_spectra(bool sweep, bool same_edge) {
    const char *lead = sweep ? "gamma0," : "";
    char dims[64];
    assert_ok(nnd_frame_add_range(result.theory, "matrix", 2, 0.0));
    assert_ok(nnd_frame_add_range(result.theory, "k", 3, 1.0));
    assert_ok(nnd_frame_add_range(result.mc, "matrix", 2, 0.0));
    assert_ok(nnd_frame_add_range(result.mc, "k", 3, 1.0));
    snprintf(dims, sizeof dims, "%st,matrix,k", lead);
    double *theory = add(result.theory, "outlier", dims);
    snprintf(dims, sizeof dims, "%ssize,t,matrix,k", lead);
    add(result.mc, "outlier", dims);
    size_t count = nnd_frame_find(result.theory, "outlier")->count;
    for (size_t i = 0; i < count; i++) {
        size_t t = i / 6 % 41, k = i % 3;
        theory[i] = k < 2 && t >= 10 * (k + 1) ? 1.5 + 0.01 * (double)t - 0.1 * (double)k : NAN;
    }
    snprintf(dims, sizeof dims, "%st,matrix", lead);
    double *edge = add(result.theory, "bulk_edge", dims);
    for (size_t i = 0; i < count / 3; i++)
        edge[i] = 1.25 + (same_edge ? 0.0 : 0.1 * (double)(i / 82));
}

START_TEST(outliers_stand_above_their_bulk) {
    add_spectra(false, true);
    assert_ok(write_program()); /* finite outliers make it the default */
    HAS("set title 'outlier, matrix 0'");
    HAS("set title 'outlier, matrix 1'");
    LACKS("set title 'bulk_edge");
    LACKS("set title 'test_risk'");
    ck_assert_uint_eq(count("with filledcurves fs solid"), 2);
    HAS("title 'bulk'");
    HAS("title 'k = 2'");
    LACKS("title 'k = 3'");
    HAS("$theory1_0 using 1:2 with lines lw 2 dt (12,5) lc rgb '#0072B2'");
    HAS("$mc1_0 using 1:2 with points pt 6 ps 0.45");
    LACKS("$mc2_0");
    LACKS("$theory2_0");
    LACKS("\n9 nan");
    ck_assert_int_gt(picture("a.png"), 5000);
    options.log_y = true;
    ck_assert_int_gt(picture("a.svg"), 5000);
    draw("bulk_edge");
    HAS("set title 'bulk_edge'");
}
END_TEST

START_TEST(a_sweep_has_one_band_where_all_edges_are_the_same) {
    add_spectra(true, true);
    /* As in a sweep over the depth: the first network has no second matrix. */
    const nnd_array *edge = nnd_frame_find(result.theory, "bulk_edge");
    for (size_t t = 0; t < 41; t++)
        edge->data[2 * t + 1] = NAN;
    assert_ok(write_program());
    ck_assert_uint_eq(count("$bulk_edge_0 using 1:($2*1e-6):2 with filledcurves"), 2);
    LACKS("$bulk_edge_1");
    ck_assert_int_gt(picture("a.svg"), 5000);
}
END_TEST

START_TEST(edges_that_differ_are_lines) {
    add_spectra(true, false);
    options.view = "outliers";
    assert_ok(write_program());
    LACKS("filledcurves fs solid");
    HAS("$bulk_edge_2 using 1:2 with lines lw 1.2 dt (3,4) lc rgb '#009E73'");
    HAS("title 'edge of the bulk'");
    HAS("title 'γ₀ = 2'");
    ck_assert_int_gt(picture("a.png"), 5000);
}
END_TEST

START_TEST(a_matrix_without_outliers_shows_its_bulk) {
    add_spectra(false, true);
    const nnd_array *outlier = nnd_frame_find(result.theory, "outlier");
    for (size_t i = 0; i < outlier->count; i++)
        outlier->data[i] = NAN;
    assert_ok(write_program());
    HAS("set title 'test_risk'"); /* nothing has escaped: the view of the first variable */
    drop(&result.mc);
    options.view = "outliers";
    assert_ok(write_program());
    HAS("$bulk_edge_0 using 1:($2*1e-6):2 with filledcurves");
    LACKS("no finite values");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(stability_has_its_limit_and_the_ntk_its_edge) {
    assert_ok(nnd_frame_add_range(result.theory, "k", 2, 1.0));
    add(result.theory, "stability", "gamma0,t");
    add(result.theory, "ntk_top", "gamma0,t,k");
    add(result.theory, "ntk_edge", "gamma0,t");
    options.view = "stability";
    assert_ok(write_program());
    HAS("set arrow from graph 0, first 2 to graph 1, first 2 nohead");
    HAS("set label '2'");
    HAS("$ntk_edge_0 using 1:2 with lines lw 1.2 dt (3,4) lc rgb '#0072B2'");
    HAS("$ntk_edge_2 using 1:2 with lines lw 1.2 dt (3,4) lc rgb '#009E73'");
    HAS("edge of the bulk");
    LACKS("set title 'ntk_edge'");
    ck_assert_int_gt(picture("a.png"), 5000);
}
END_TEST

/* With momentum the edge is elsewhere: one line if it is common to all curves, else one for each.
 */
START_TEST(the_edge_of_stability_is_what_theory_says) {
    add(result.theory, "stability", "gamma0,t");
    double *edge = add(result.theory, "stability_edge", "gamma0");
    options.view = "stability";
    for (size_t i = 0; i < 3; i++)
        edge[i] = 3.0;
    assert_ok(write_program());
    HAS("set arrow from graph 0, first 3 to graph 1, first 3 nohead");
    HAS("set label '3'");
    LACKS("set label '2'");
    LACKS("set title 'stability_edge'");
    edge[2] = 3.8;
    assert_ok(write_program());
    HAS("$stability_edge_0 using 1:2 with lines");
    HAS("$stability_edge_2 using 1:2 with lines");
    HAS("edge of stability");
    LACKS("set label '");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(a_simulation_alone_has_no_edge_of_stability) {
    add(result.mc, "stability", "gamma0,size,t");
    options.view = "stability";
    assert_ok(write_program());
    HAS("set title 'stability'");
    LACKS("set label '2'");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(the_distance_from_infinite_width_needs_no_second_time) {
    const double sizes[] = {16.0, 32.0};
    nnd_frame **frames[] = {&result.theory, &result.mc};
    for (size_t f = 0; f < 2; f++) {
        drop(frames[f]);
        assert_ok(nnd_frame_new(ctx, frames[f]));
        assert_ok(nnd_frame_add_dim(*frames[f], "size", NND_COORD_INTEGER, 2, sizes));
        assert_ok(nnd_frame_add_range(*frames[f], "t", 1, 0.0));
        add(*frames[f], "delta", f == 0 ? "t" : "size,t");
        add(*frames[f], "delta_nvar", f == 0 ? "t" : "size,t");
    }
    static char model[] = "two-layer-fluctuations";
    result.model = model;
    options.view = "scaling";
    assert_ok(write_program());
    HAS("set xtics (16, 32)");
    HAS("$measured0");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* The numbers of a data block. */
static void ck_block(const char *name, size_t n, const double *want) {
    char head[32];
    snprintf(head, sizeof head, "%s << EOD\n", name);
    const char *at = strstr(program, head);
    ck_assert_msg(at != NULL, "no block %s in:\n%s", name, program);
    at += strlen(head);
    for (size_t i = 0; i < n; i++) {
        char *end;
        double got = strtod(at, &end);
        ck_assert_msg(end != at && fabs(got - want[i]) < 1e-10 * fabs(want[i]) + 1e-14,
                      "%s, number %zu: want %.12g got %.12g", name, i, want[i], got);
        at = end;
    }
    ck_assert_msg(strncmp(at, "\nEOD\n", 5) == 0, "%s goes on: %.40s", name, at);
}

/* Frames of two-layer-fluctuations: theory at three times, networks of two sizes at two of them. */
static void fill_fluctuations(void) {
    const double sizes[] = {16.0, 64.0}, t_theory[] = {0.0, 1.0, 2.0}, t_mc[] = {0.0, 2.0};
    static char model[] = "two-layer-fluctuations";
    result.model = model;
    drop(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_new(ctx, &result.theory));
    assert_ok(nnd_frame_new(ctx, &result.mc));
    assert_ok(nnd_frame_add_dim(result.theory, "t", NND_COORD_INTEGER, 3, t_theory));
    assert_ok(nnd_frame_add_range(result.theory, "mu", 2, 0.0));
    assert_ok(nnd_frame_add_dim(result.mc, "size", NND_COORD_INTEGER, 2, sizes));
    assert_ok(nnd_frame_add_dim(result.mc, "t", NND_COORD_INTEGER, 2, t_mc));
    assert_ok(nnd_frame_add_range(result.mc, "mu", 2, 0.0));
}

static void put(nnd_frame *frame, const char *name, const char *dims, const double *value) {
    double *data;
    assert_ok(nnd_frame_add(frame, name, dims, &data));
    memcpy(data, value, nnd_frame_find(frame, name)->count * sizeof *value);
}

/* Mean plus and minus sqrt(N Var/N) at the first size, 16. */
START_TEST(the_band_is_one_standard_deviation_of_the_first_size) {
    const double mean[] = {1.0, 10.0, 2.0, 20.0, 3.0, 30.0};
    const double nvar[] = {16.0, 64.0, 144.0, 4.0, NAN, 1.0};
    const double mc_mean[] = {1.5, 11.0, 3.5, 31.0, 100.0, 100.0, 100.0, 100.0};
    const double mc_nvar[] = {4.0, 16.0, 1.0, 36.0, 0.0, 0.0, 0.0, 0.0};
    name_var("output");
    fill_fluctuations();
    put(result.theory, "output", "t,mu", mean);
    put(result.theory, "delta_nvar", "t,mu", nvar);
    put(result.mc, "output", "size,t,mu", mc_mean);
    put(result.mc, "delta_nvar", "size,t,mu", mc_nvar);
    assert_ok(write_program());
    /* Time, mean, and the two ends. */
    const double band0[] = {0.0, 1.0, 0.0, 2.0, 1.0, 2.0, -1.0, 5.0};
    const double band1[] = {0.0, 10.0, 8.0, 12.0, 1.0, 20.0, 19.5, 20.5, 2.0, 30.0, 29.75, 30.25};
    const double spread0[] = {0.0, 1.5, 1.0, 2.0, 2.0, 3.5, 3.25, 3.75};
    const double spread1[] = {0.0, 11.0, 10.0, 12.0, 2.0, 31.0, 29.5, 32.5};
    ck_block("$band0", 8, band0);
    ck_block("$band1", 12, band1);
    ck_block("$spread0", 8, spread0);
    ck_block("$spread1", 8, spread1);
    HAS("standard deviation, size 16");
    /* A deviation above the mean: what lies below zero has no place on the axis. */
    options.log_y = true;
    assert_ok(write_program());
    LACKS("nan");
    LACKS("EOD\nEOD"); /* no data is empty */
    const char *range = strstr(program, "set yrange");
    double low = 0.0, high = 0.0;
    ck_assert_ptr_nonnull(range);
    ck_assert_int_eq(sscanf(range, "set yrange [%lf:%lf]", &low, &high), 2);
    ck_assert_double_eq_tol(low, 1.0 / pow(100.0, 0.04), 1e-12);
    ck_assert_double_eq_tol(high, 100.0 * pow(100.0, 0.04), 1e-9);
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* (E Delta_N - Delta)^2 + Var over the times in common; theory: N Var/N + (bias/N)^2 over all. */
START_TEST(the_distance_from_infinite_width_has_its_numbers) {
    const double delta[] = {1.0, 5.0, 2.0, 6.0, 3.0, 7.0};
    const double nvar[] = {16.0, 3.0, 32.0, 6.0, 48.0, 9.0};
    const double bias[] = {4.0, 1.0, 8.0, 2.0, 12.0, 3.0};
    /* Sample 0 is off by 0.5 and 1 at size 16, by 0 and 0.25 at size 64; sample 1 never. */
    const double mc_delta[] = {1.5, 5.0, 4.0, 7.0, 1.0, 5.0, 3.25, 7.0};
    const double mc_nvar[] = {8.0, 16.0, 4.0, 48.0, 64.0, 32.0, 0.0, NAN};
    fill_fluctuations();
    put(result.theory, "delta", "t,mu", delta);
    put(result.theory, "delta_nvar", "t,mu", nvar);
    put(result.theory, "delta_bias", "t,mu", bias);
    put(result.mc, "delta", "size,t,mu", mc_delta);
    put(result.mc, "delta_nvar", "size,t,mu", mc_nvar);
    options.view = "scaling";
    assert_ok(write_program());
    const double measured0[] = {16.0, (0.25 + 0.5 + 1.0 + 0.25) / 2.0, 64.0,
                                (0.0 + 1.0 + 0.0625 + 0.0) / 2.0};
    const double measured1[] = {16.0, (1.0 + 3.0) / 2.0, 64.0, 0.5};
    ck_block("$measured0", 4, measured0);
    ck_block("$measured1", 4, measured1);
    const double low = 16.0 / 1.3, high = 64.0 * 1.3;
    double predicted[2][42];
    for (size_t i = 0; i <= 20; i++) {
        double n = low * pow(high / low, (double)i / 20.0);
        predicted[0][2 * i] = predicted[1][2 * i] = n;
        predicted[0][2 * i + 1] = 32.0 / n + (16.0 + 64.0 + 144.0) / 3.0 / (n * n);
        predicted[1][2 * i + 1] = 6.0 / n + (1.0 + 4.0 + 9.0) / 3.0 / (n * n);
    }
    ck_block("$predicted0", 42, predicted[0]);
    ck_block("$predicted1", 42, predicted[1]);
    /* The dashed line falls as 1/N from the largest measurement at the left end. */
    const double slope[] = {low, 2.0, high, 2.0 * low / high};
    ck_block("$slope", 4, slope);
    HAS("set yrange [0.25:4]");
}
END_TEST

/* N Var delta stands under a name of its own; theory has no bias. */
START_TEST(any_variance_can_be_drawn_against_the_size) {
    static char model[] = "online-fluctuations";
    const double theory[] = {1.0, 2.0, 3.0}, nvar[] = {8.0, 16.0, 24.0};
    const double mc[] = {1.5, 3.0, 1.0, 3.25}, mc_nvar[] = {8.0, 4.0, 64.0, 0.0};
    fill_fluctuations();
    result.model = model;
    put(result.theory, "delta", "t", theory);
    put(result.theory, "par_nvar", "t", nvar);
    put(result.mc, "delta", "size,t", mc);
    put(result.mc, "par_nvar", "size,t", mc_nvar);
    options.view = "scaling";
    assert_ok(write_program());
    const double measured[] = {16.0, (0.25 + 0.5 + 0.0 + 0.25) / 2.0, 64.0,
                               (0.0 + 1.0 + 0.0625 + 0.0) / 2.0};
    ck_block("$measured0", 4, measured);
    HAS("set ylabel '(Δ_N - Δ)², mean over seeds and times' noenhanced");
}
END_TEST

/* Without a time the size itself becomes the axis of a curve. */
START_TEST(a_variance_without_a_time_has_no_distance_from_infinite_width) {
    const double nvar[] = {8.0, 4.0};
    fill_fluctuations();
    put(result.mc, "delta_nvar", "size", nvar);
    options.view = "scaling";
    assert_ok(write_program());
    HAS("no finite values");
    ck_assert_int_gt(picture("a.svg"), 500);
}
END_TEST

/* Theory counts its times, the group of another program calls them by name. */
START_TEST(names_in_one_group_and_numbers_in_the_other_are_no_common_axis) {
    const char *const times[] = {"first", "last"};
    const double sizes[] = {16.0}, value[] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0};
    fill_fluctuations();
    drop(&result.mc);
    assert_ok(nnd_frame_new(ctx, &result.mc));
    assert_ok(nnd_frame_add_dim(result.mc, "size", NND_COORD_INTEGER, 1, sizes));
    assert_ok(nnd_frame_add_text_dim(result.mc, "t", 2, times));
    put(result.theory, "output", "t,mu", value);
    put(result.theory, "delta_nvar", "t,mu", value);
    put(result.mc, "output", "size,t", value);
    put(result.mc, "delta_nvar", "size,t", value);
    draw("output");
    HAS("$theory0_0 using");
    LACKS("$mc0_0 using");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(a_spectrum_is_one_set_of_cells) {
    double z[24];
    for (size_t i = 0; i < 24; i++)
        z[i] = 0.1 * ((double)i + 0.5);
    add_spectra(false, true);
    assert_ok(nnd_frame_add_dim(result.theory, "z", NND_COORD_REAL, 24, z));
    assert_ok(nnd_frame_add_dim(result.mc, "z", NND_COORD_REAL, 24, z));
    add(result.theory, "sv_density", "matrix,z");
    double *hist = add(result.mc, "sv_hist", "size,t,matrix,z");
    hist[0] = NAN;
    hist[((1 * 41 + 0) * 2 + 0) * 24 + 3] = 20.0; /* before training, at the last size */
    options.view = "spectrum";
    options.log_x = options.log_y = true;
    assert_ok(write_program());
    LACKS("set logscale"); /* boxes stand on zero */
    double low = 0.0, high = 0.0;
    const char *range = strstr(strstr(program, "set title 'spectrum, matrix 0"), "set yrange");
    ck_assert_int_eq(sscanf(range, "set yrange [%lf:%lf]", &low, &high), 2);
    ck_assert_double_gt(high, 20.0);
    ck_assert_double_lt(high, 20.0 * 1.04);
    HAS("set yrange [0:]");
    HAS("title 'simulation, size 1024'");
    ck_assert_uint_eq(count("set title 'spectrum, matrix 0 at t = 40'"), 1);
    ck_assert_uint_eq(count("set title 'spectrum, matrix 1 at t = 40'"), 1);
    ck_assert_uint_eq(count("set title 'spectrum"), 2);
    LACKS("set title 'sv_density");
    HAS("$mc0_0 using 1:2 with boxes");
    HAS("$early0 using 1:2 with histeps");
    HAS("$theory0_0 using 1:2 with lines");
    HAS("set arrow from first 1.9, graph 0.3 to first 1.9, graph 0.0");
    HAS("title 'simulation at t = 0'");
    ck_assert_int_gt(picture("a.png"), 5000);
    drop(&result.mc);
    assert_ok(write_program());
    ck_assert_uint_eq(count("set title 'spectrum"), 2);
    LACKS("with boxes");
    HAS("set arrow from first 1.9, graph 0.3");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* Losses over learning rates: the best is the third for "mup", and the fourth for "ntk". */
static void sweep_rates(void) {
    const double lr[] = {0.1, 0.2, 0.4, 0.8, 1.6}, nu[] = {1.0, 4.0};
    const char *const names[] = {"mup", "ntk"}, *const vars[] = {"train_mse", "test_risk"};
    drop(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_new(ctx, &result.theory));
    assert_ok(nnd_frame_add_text_dim(result.theory, "parameterization", 2, names));
    assert_ok(nnd_frame_add_dim(result.theory, "nu", NND_COORD_REAL, 2, nu));
    assert_ok(nnd_frame_add_dim(result.theory, "lr", NND_COORD_REAL, 5, lr));
    assert_ok(nnd_frame_add_range(result.theory, "t", 2, 0.0));
    for (size_t v = 0; v < 2; v++) {
        double *loss = add(result.theory, vars[v], "parameterization,nu,lr,t");
        for (size_t i = 0; i < 40; i++) {
            double away = (double)(i / 2 % 5) - (i < 20 ? 2.0 : 3.0);
            loss[i] = i % 2 == 0 ? 1.0 : 0.1 + 0.1 * away * away;
        }
        loss[9] = 1e6; /* diverges: "mup", nu = 1, lr = 1.6 */
        loss[39] = NAN;
    }
}

START_TEST(transfer_is_what_a_sweep_over_rates_shows) {
    sweep_rates();
    for (unsigned model = 0; model < 2; model++) {
        assert_ok(write_program());
        HAS("set title 'train_mse, mup at t = 1'");
        HAS("set title 'train_mse, ntk at t = 1'");
        HAS("set title 'test_risk, ntk at t = 1'");
        HAS("set logscale x");
        HAS("set xlabel 'learning rate η₀'");
        ck_assert_uint_eq(count("<< EOD\n0.4 0.1\nEOD"), 4);
        ck_assert_uint_eq(count("<< EOD\n0.8 0.1\nEOD"), 4);
        HAS("$lowest1 using 1:2 with points pt 7");
        HAS("title 'ν = 4'");
        ck_assert_uint_eq(count("set yrange"), 4);
        const char *range = strstr(program, "set yrange");
        const char *next = strstr(range + 1, "set yrange");
        size_t length = strcspn(range, "\n") + 1;
        ck_assert_int_eq(strncmp(range, next, length), 0);
        double low = 0.0, high = 0.0;
        ck_assert_int_eq(sscanf(range, "set yrange [%lf:%lf]", &low, &high), 2);
        ck_assert_double_lt(high, 10.0); /* what diverges is cut off */
        ck_assert_int_gt(picture("a.png"), 5000);
        result.model = NULL;
    }
}
END_TEST

START_TEST(the_simulation_tells_the_optimum_where_there_is_no_theory) {
    sweep_rates();
    result.mc = result.theory;
    result.theory = NULL;
    assert_ok(write_program());
    ck_assert_uint_eq(count("<< EOD\n0.4 0.1\nEOD"), 4);
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

START_TEST(the_optimum_is_that_of_the_last_size) {
    const double lr[] = {0.1, 0.2, 0.4, 0.8}, sizes[] = {16.0, 64.0};
    const double loss[] = {0.3, 0.9, 0.2, 0.5, 0.6, 0.1, 0.7, 0.4};
    drop(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_new(ctx, &result.mc));
    assert_ok(nnd_frame_add_dim(result.mc, "lr", NND_COORD_REAL, 4, lr));
    assert_ok(nnd_frame_add_dim(result.mc, "size", NND_COORD_INTEGER, 2, sizes));
    put(result.mc, "train_mse", "lr,size", loss);
    options.view = "transfer";
    assert_ok(write_program());
    const double want[] = {0.4, 0.1};
    ck_block("$lowest0", 2, want);
}
END_TEST

START_TEST(transfer_is_listed_where_it_is_offered) {
    char *text = NULL;
    size_t size;
    options.view = "transfer";
    ck_assert_int_eq(write_program(), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "no view transfer; there are: "));
    sweep_rates();
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    nnd_plot_list(&result, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "views:\n  training\n  transfer\nvariables:\n"));
    free(text);
    options.view = "nonsense";
    ck_assert_int_eq(write_program(), NND_E_INPUT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "there are: training, transfer"));
    options.view = "training";
    assert_ok(write_program());
    HAS("set title 'train_mse'");
    LACKS("$lowest");
}
END_TEST

START_TEST(what_never_escapes_is_a_gap) {
    assert_ok(nnd_frame_add_range(result.theory, "matrix", 2, 0.0));
    double *time = add(result.theory, "escape_time", "gamma0,matrix");
    const double values[] = {NAN, 7.0, 5.0, NAN, NAN, 3.0};
    memcpy(time, values, sizeof values);
    options.view = "escape";
    assert_ok(write_program());
    HAS("set xlabel 'output scale γ₀'");
    HAS("title 'matrix = 1'");
    HAS("\n0.5 7 7 7\n\n2 3 3 3\n");
    HAS("$theory0_0 using 1:2 with points");
    HAS("set xrange [0.4");
    ck_assert_int_gt(picture("a.png"), 5000);
}
END_TEST

/* Theory of directional: an angle that halves, its floor, and the time at which it is reached. */
static void fill_angles(double reached) {
    static char model[] = "directional";
    const double t[] = {1.0, 10.0, 100.0}, theta[] = {0.4, 0.2, 1e-5}, floor[] = {0.1, 0.1, 0.1};
    result.model = model;
    drop(&result.theory);
    drop(&result.mc);
    assert_ok(nnd_frame_new(ctx, &result.theory));
    assert_ok(nnd_frame_add_dim(result.theory, "t", NND_COORD_REAL, 3, t));
    put(result.theory, "theta", "t", theta);
    put(result.theory, "theta_floor", "t", floor);
    put(result.theory, "floor_time", "", &reached);
    put(result.theory, "multiplier", "t", theta);
}

START_TEST(a_place_on_the_axis_is_marked_where_it_is_in_view) {
    double low = 0.0, high = 0.0;
    fill_angles(20.0);
    options.view = "floor";
    assert_ok(write_program());
    HAS("set logscale x");
    HAS("set arrow from first 20, graph 0 to first 20, graph 1 nohead");
    HAS("$theta_floor_0 using 1:2 with lines lw 1.2 dt (3,4) lc rgb '#0072B2'");
    HAS("title 'sampling noise'");
    LACKS("set title 'theta_floor'");
    LACKS("set title 'floor_time'");
    /* A thousandth of the floor is the least that is shown; four per cent of the axis are room. */
    const char *range = strstr(program, "set yrange");
    ck_assert_ptr_nonnull(range);
    ck_assert_int_eq(sscanf(range, "set yrange [%lf:%lf]", &low, &high), 2);
    ck_assert_double_eq_tol(low, 1e-4 / pow(4e3, 0.04), 1e-12);
    ck_assert_double_eq_tol(high, 0.4 * pow(4e3, 0.04), 1e-9);
    ck_assert_int_gt(picture("a.svg"), 1000);
    fill_angles(200.0);
    assert_ok(write_program());
    LACKS("set arrow from first 200");
}
END_TEST

START_TEST(levels_without_a_place_on_the_axis_are_left_out) {
    fill_angles(20.0);
    options.view = "stability";
    assert_ok(write_program());
    HAS("set label '-1'");
    HAS("set label '0'");
    HAS("set label '1'");
    options.log_y = true;
    assert_ok(write_program());
    LACKS("set label '-1'");
    LACKS("set label '0'");
    HAS("set label '1'");
    LACKS("nan");
    ck_assert_int_gt(picture("a.svg"), 1000);
}
END_TEST

/* A curve and its parts, for one sweep value or two. */
static void fill_parts(size_t widths) {
    static char model[] = "scaling-laws";
    static const double t[] = {1.0, 10.0, 100.0}, width[] = {5.0, 7.0};
    static const double risk[] = {9.0, 6.0, 7.0, 9.0, 6.0, 7.0};
    static const double bias[] = {8.0, 3.0, 1.0, 8.0, 3.0, 1.0};
    static const double part[] = {0.5, 1.0, 2.0, 0.5, 1.0, 2.0}, none[6] = {0};
    drop(&result.theory);
    drop(&result.mc);
    result.model = model;
    assert_ok(nnd_frame_new(ctx, &result.theory));
    assert_ok(nnd_frame_add_dim(result.theory, "width", NND_COORD_REAL, widths, width));
    assert_ok(nnd_frame_add_dim(result.theory, "t", NND_COORD_REAL, 3, t));
    put(result.theory, "test_risk", "width,t", risk);
    put(result.theory, "bias", "width,t", bias);
    put(result.theory, "var_projection", "width,t", part);
    put(result.theory, "var_data", "width,t", none);
    put(result.theory, "var_joint", "width,t", part);
    options.view = "parts";
}

START_TEST(parts_are_stacked_under_a_single_curve) {
    const double bias[] = {1.0, 8.0, 10.0, 3.0, 100.0, 1.0};
    const double with_projection[] = {1.0, 8.5, 10.0, 4.0, 100.0, 3.0};
    const double all[] = {1.0, 9.0, 10.0, 5.0, 100.0, 5.0};
    double low = 1.0, high = 0.0;
    fill_parts(1);
    assert_ok(write_program());
    ck_block("$stack1", 6, bias);
    ck_block("$stack2", 6, with_projection);
    ck_block("$stack3", 6, with_projection);
    ck_block("$stack4", 6, all);
    /* The largest sum lies below the others. */
    ck_assert(strstr(program, "$stack4 using") < strstr(program, "$stack1 using"));
    HAS("title 'variance: data'");
    const char *range = strstr(program, "set yrange");
    ck_assert_ptr_nonnull(range);
    ck_assert_int_eq(sscanf(range, "set yrange [%lf:%lf]", &low, &high), 2);
    ck_assert(low <= 0.0 && high >= 9.0);
    ck_assert_int_gt(picture("a.svg"), 3000);
    fill_parts(2);
    assert_ok(write_program());
    LACKS("$stack1");
    LACKS("variance: data");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plot");
    TCase *tests = tcase_create("all");
    tcase_set_timeout(tests, 60.0);
    tcase_add_checked_fixture(tests, setup, plot_teardown);
    tcase_add_loop_test(tests, a_picture_of_each_format_appears, 0, 3);
    tcase_add_test(tests, theory_is_lines_and_simulation_points_with_bars);
    tcase_add_test(tests, the_first_view_is_drawn_without_being_asked);
    tcase_add_test(tests, a_view_is_drawn_when_asked);
    tcase_add_test(tests, unknown_names_are_errors_that_list_what_there_is);
    tcase_add_test(tests, an_empty_result_is_an_error);
    tcase_add_test(tests, without_a_model_all_curves_in_time_are_drawn);
    tcase_add_test(tests, theory_without_a_model_is_drawn_over_time);
    tcase_add_test(tests, curves_of_two_swept_keys_have_colours_and_titles_of_their_own);
    tcase_add_test(tests, a_sweep_has_colours_and_what_belongs_to_the_variable_dashes);
    tcase_add_test(tests, a_scalar_is_drawn_over_the_sweep);
    tcase_add_test(tests, many_curves_are_thinned_and_the_title_says_so);
    tcase_add_test(tests, fifteen_curves_are_all_drawn);
    tcase_add_test(tests, two_times_are_a_heat_map_theory_beside_simulation);
    tcase_add_test(tests, kernels_of_many_samples_are_heat_maps_before_and_after);
    tcase_add_test(tests, missing_values_are_gaps);
    tcase_add_test(tests, logarithmic_axes_leave_out_what_is_not_positive);
    tcase_add_test(tests, text_from_a_file_is_never_a_command);
    tcase_add_test(tests, names_and_single_points_can_be_drawn);
    tcase_add_test(tests, a_sampled_theory_has_a_band);
    tcase_add_test(tests, values_that_hardly_differ_can_be_drawn);
    tcase_add_test(tests, points_are_spread_over_a_logarithmic_axis);
    tcase_add_test(tests, a_failing_or_missing_gnuplot_is_reported);
    tcase_add_test(tests, the_surroundings_change_no_picture);
    tcase_add_test(tests, the_list_names_views_and_variables);
    tcase_add_test(tests, outliers_stand_above_their_bulk);
    tcase_add_test(tests, a_sweep_has_one_band_where_all_edges_are_the_same);
    tcase_add_test(tests, edges_that_differ_are_lines);
    tcase_add_test(tests, a_matrix_without_outliers_shows_its_bulk);
    tcase_add_test(tests, stability_has_its_limit_and_the_ntk_its_edge);
    tcase_add_test(tests, the_edge_of_stability_is_what_theory_says);
    tcase_add_test(tests, a_simulation_alone_has_no_edge_of_stability);
    tcase_add_test(tests, the_distance_from_infinite_width_needs_no_second_time);
    tcase_add_test(tests, the_band_is_one_standard_deviation_of_the_first_size);
    tcase_add_test(tests, the_distance_from_infinite_width_has_its_numbers);
    tcase_add_test(tests, a_map_over_an_infinite_value_is_drawn);
    tcase_add_test(tests, a_map_with_a_zero_coordinate_has_a_linear_axis);
    tcase_add_test(tests, the_optimum_is_that_of_the_last_size);
    tcase_add_test(tests, a_spectrum_is_one_set_of_cells);
    tcase_add_test(tests, transfer_is_what_a_sweep_over_rates_shows);
    tcase_add_test(tests, the_simulation_tells_the_optimum_where_there_is_no_theory);
    tcase_add_test(tests, transfer_is_listed_where_it_is_offered);
    tcase_add_test(tests, what_never_escapes_is_a_gap);
    tcase_add_test(tests, a_variance_without_a_time_has_no_distance_from_infinite_width);
    tcase_add_test(tests, names_in_one_group_and_numbers_in_the_other_are_no_common_axis);
    tcase_add_test(tests, any_variance_can_be_drawn_against_the_size);
    tcase_add_test(tests, a_place_on_the_axis_is_marked_where_it_is_in_view);
    tcase_add_test(tests, levels_without_a_place_on_the_axis_are_left_out);
    tcase_add_test(tests, parts_are_stacked_under_a_single_curve);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
