/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames: building, looking up, stacking, attributes, coordinates as text. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "nndmft/frame.h"
#include "support.h"

static nnd_context *ctx;
static nnd_frame *frame, *other, *stacked;

static void setup(void) {
    ctx = nnd_context_new(NULL);
    ck_assert_int_eq(nnd_frame_new(ctx, &frame), NND_OK);
    ck_assert_int_eq(nnd_frame_new(ctx, &other), NND_OK);
    stacked = NULL;
}

static void teardown(void) {
    nnd_frame_free(frame);
    nnd_frame_free(other);
    nnd_frame_free(stacked);
    nnd_context_free(ctx);
}

static void add_coords(nnd_frame *f, const char *name, size_t length, const double *value) {
    ck_assert_int_eq(nnd_frame_add_dim(f, name, NND_COORD_REAL, length, value), NND_OK);
}

static double *add_array(nnd_frame *f, const char *name, const char *dims) {
    double *data;
    ck_assert_int_eq(nnd_frame_add(f, name, dims, &data), NND_OK);
    return data;
}

static void ck_message(nnd_status status, const char *part) {
    ck_assert_int_eq(status, NND_E_INPUT);
    ck_assert_msg(strstr(nnd_context_message(ctx), part) != NULL, "%s", nnd_context_message(ctx));
}

static void ck_values(const char *array, size_t n, const double *want) {
    const nnd_array *a = nnd_frame_find(stacked, array);
    ck_assert_ptr_nonnull(a);
    ck_assert_uint_eq(a->count, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(a->data[i] == want[i] || (isnan(a->data[i]) && isnan(want[i])),
                      "%s[%zu] is %g, not %g", array, i, a->data[i], want[i]);
}

START_TEST(an_array_is_row_major_over_its_dimensions_and_begins_as_nan) {
    ck_assert_int_eq(nnd_frame_add_range(frame, "t", 3, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(frame, "layer", 2, 1.0), NND_OK);
    double *data = add_array(frame, "x", "layer,t");
    const nnd_array *x = nnd_frame_find(frame, "x");
    ck_assert_ptr_eq(x->data, data);
    ck_assert_uint_eq(x->ndims, 2);
    ck_assert_uint_eq(x->shape[0], 2);
    ck_assert_uint_eq(x->shape[1], 3);
    ck_assert_uint_eq(x->count, 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_double_nan(data[i]);
    ck_assert_uint_eq(nnd_array_axis(frame, x, "t"), 1);
    ck_assert_uint_eq(nnd_array_axis(frame, x, "size"), 2);
    char dims[32];
    nnd_array_dims(frame, x, sizeof dims, dims);
    ck_assert_str_eq(dims, "layer,t");
}
END_TEST

START_TEST(what_was_added_is_found_and_nothing_else) {
    ck_assert_int_eq(nnd_frame_add_range(frame, "t", 3, 5.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_scalar(frame, "c", 2.5), NND_OK);
    add_array(frame, "x", "t");
    ck_assert_uint_eq(nnd_frame_dim_count(frame), 1);
    ck_assert_uint_eq(nnd_frame_array_count(frame), 2);
    ck_assert_str_eq(nnd_frame_array(frame, 0)->name, "c");
    ck_assert_uint_eq(nnd_frame_find(frame, "c")->count, 1);
    ck_assert_double_eq(nnd_frame_find(frame, "c")->data[0], 2.5);
    ck_assert_double_eq(nnd_frame_find_dim(frame, "t")->value[2], 7.0);
    ck_assert_ptr_null(nnd_frame_find(frame, "y"));
    ck_assert_ptr_null(nnd_frame_find_dim(frame, "tt"));
    ck_assert_ptr_null(nnd_frame_find_dim(frame, ""));
    ck_assert_ptr_eq(nnd_frame_context(frame), ctx);
}
END_TEST

START_TEST(wrong_additions_are_refused_with_a_message) {
    ck_assert_int_eq(nnd_frame_add_range(frame, "t", 3, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(frame, "none", 0, 0.0), NND_OK);
    add_array(frame, "x", "t");
    ck_message(nnd_frame_add_range(frame, "t", 3, 0.0), "t exists already");
    ck_message(nnd_frame_add(frame, "x", "", NULL), "x exists already");
    ck_message(nnd_frame_add(frame, "y", "t,layer", NULL), "no dimension layer");
    ck_message(nnd_frame_add(frame, "y", "none,t", NULL), "length 0");
    ck_assert_uint_eq(nnd_frame_array_count(frame), 1);
    ck_assert_ptr_null(nnd_frame_find(frame, "y"));
}
END_TEST

START_TEST(more_numbers_than_can_be_addressed_are_refused) {
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(nnd_frame_add_range(frame, names[i], 10000, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(frame, "x", "a,b,c,d,e", NULL), NND_E_LIMIT);
    ck_assert_ptr_null(nnd_frame_find(frame, "x"));
}
END_TEST

START_TEST(text_dimensions_are_copied) {
    char first[] = "tanh", second[] = "relu";
    const char *const names[] = {first, second};
    ck_assert_int_eq(nnd_frame_add_text_dim(frame, "activation", 2, names), NND_OK);
    first[0] = 'X';
    const nnd_dim *dim = nnd_frame_find_dim(frame, "activation");
    ck_assert_int_eq(dim->kind, NND_COORD_TEXT);
    ck_assert_str_eq(dim->text[0], "tanh");
    ck_assert_ptr_null(dim->value);
    ck_assert_int_eq(nnd_frame_copy_dim(other, dim), NND_OK);
    ck_assert_str_eq(nnd_frame_find_dim(other, "activation")->text[1], "relu");
    char text[16];
    nnd_coord_text(dim, 1, sizeof text, text);
    ck_assert_str_eq(text, "relu");
}
END_TEST

START_TEST(attributes_are_set_replaced_and_kept_apart) {
    ck_assert_int_eq(nnd_frame_add_scalar(frame, "x", 1.0), NND_OK);
    ck_assert_int_eq(nnd_frame_set_text(frame, "x", "units", "1"), NND_OK);
    ck_assert_int_eq(nnd_frame_set_number(frame, NULL, "residual", 1e-9), NND_OK);
    ck_assert_int_eq(nnd_frame_set_text(frame, NULL, "units", "none"), NND_OK);
    ck_assert_int_eq(nnd_frame_set_number(frame, "x", "units", 4.0), NND_OK);
    ck_assert_uint_eq(nnd_frame_attribute_count(frame), 3);
    const nnd_attribute *units = nnd_frame_find_attribute(frame, "x", "units");
    ck_assert_ptr_null(units->text);
    ck_assert_double_eq(units->number, 4.0);
    ck_assert_str_eq(nnd_frame_find_attribute(frame, NULL, "units")->text, "none");
    ck_assert_double_eq(nnd_frame_find_attribute(frame, NULL, "residual")->number, 1e-9);
    ck_assert_ptr_null(nnd_frame_find_attribute(frame, "x", "residual"));
}
END_TEST

START_TEST(stacking_unites_coordinates_and_pads_with_nan) {
    const double early[] = {0.0, 1.0}, late[] = {3.0, 1.0 + 1e-14}, gamma[] = {0.5, 2.0, 4.0};
    add_coords(frame, "t", 2, early);
    add_coords(other, "t", 2, late);
    double *x = add_array(frame, "x", "t"), *y = add_array(other, "x", "t");
    x[0] = 10.0;
    x[1] = 11.0;
    y[0] = 23.0;
    y[1] = 21.0;
    ck_assert_int_eq(nnd_frame_add_scalar(other, "only", 7.0), NND_OK);
    ck_assert_int_eq(nnd_frame_set_text(frame, "x", "units", "1"), NND_OK);
    ck_assert_int_eq(nnd_frame_set_text(other, "x", "units", "2"), NND_OK);
    ck_assert_int_eq(nnd_frame_set_number(other, NULL, "steps", 5.0), NND_OK);
    const double error[] = {1e-9, 2e-6}, least[] = {3.0, 2.0};
    for (int i = 0; i < 2; i++) {
        nnd_frame *part = i == 0 ? frame : other;
        ck_assert_int_eq(nnd_frame_set_number(part, NULL, "error", error[i]), NND_OK);
        ck_assert_int_eq(nnd_frame_set_number(part, "x", "nodes", least[i]), NND_OK);
    }
    nnd_frame *outer;
    ck_assert_int_eq(nnd_frame_new(ctx, &outer), NND_OK);
    add_coords(outer, "gamma", 3, gamma);
    const nnd_dim *dims[] = {nnd_frame_dim(outer, 0)};
    const nnd_frame *parts[] = {frame, NULL, other};
    ck_assert_int_eq(nnd_frame_stack(ctx, 1, dims, 3, parts, &stacked), NND_OK);
    nnd_frame_free(outer);
    const nnd_dim *t = nnd_frame_find_dim(stacked, "t");
    ck_assert_uint_eq(t->length, 3);
    ck_assert_double_eq(t->value[1], 1.0);
    ck_assert_double_eq(t->value[2], 3.0);
    const double want[] = {10.0, 11.0, NAN, NAN, NAN, NAN, NAN, 21.0, 23.0};
    ck_values("x", 9, want);
    const double only[] = {NAN, NAN, 7.0};
    ck_values("only", 3, only);
    char text[32];
    nnd_array_dims(stacked, nnd_frame_find(stacked, "x"), sizeof text, text);
    ck_assert_str_eq(text, "gamma,t");
    ck_assert_str_eq(nnd_frame_find_attribute(stacked, "x", "units")->text, "1");
    ck_assert_double_eq(nnd_frame_find_attribute(stacked, NULL, "steps")->number, 5.0);
    ck_assert_double_eq(nnd_frame_find_attribute(stacked, NULL, "error")->number, 2e-6);
    ck_assert_double_eq(nnd_frame_find_attribute(stacked, "x", "nodes")->number, 3.0);
}
END_TEST

/* The parts' coordinates interleave, each in an order of its own, along both inner dimensions. */
START_TEST(united_coordinates_ascend_and_take_their_data_with_them) {
    const double t_first[] = {4.0, 1.0}, t_second[] = {3.0, 0.0, 4.0};
    const double nu_first[] = {2.0}, nu_second[] = {1.0, 2.0};
    add_coords(frame, "t", 2, t_first);
    add_coords(frame, "nu", 1, nu_first);
    add_coords(other, "t", 3, t_second);
    add_coords(other, "nu", 2, nu_second);
    double *x = add_array(frame, "x", "t,nu"), *y = add_array(other, "x", "t,nu");
    for (size_t i = 0; i < 2; i++)
        x[i] = 10.0 * t_first[i] + 2.0;
    for (size_t i = 0; i < 6; i++)
        y[i] = 100.0 + 10.0 * t_second[i / 2] + nu_second[i % 2];
    nnd_frame *outer;
    ck_assert_int_eq(nnd_frame_new(ctx, &outer), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(outer, "part", 2, 0.0), NND_OK);
    const nnd_dim *dims[] = {nnd_frame_dim(outer, 0)};
    const nnd_frame *parts[] = {frame, other};
    ck_assert_int_eq(nnd_frame_stack(ctx, 1, dims, 2, parts, &stacked), NND_OK);
    nnd_frame_free(outer);
    const double t[] = {0.0, 1.0, 3.0, 4.0}, nu[] = {1.0, 2.0};
    ck_assert_uint_eq(nnd_frame_find_dim(stacked, "t")->length, 4);
    ck_assert_mem_eq(nnd_frame_find_dim(stacked, "t")->value, t, sizeof t);
    ck_assert_uint_eq(nnd_frame_find_dim(stacked, "nu")->length, 2);
    ck_assert_mem_eq(nnd_frame_find_dim(stacked, "nu")->value, nu, sizeof nu);
    const double want[] = {NAN,   NAN,   NAN, 12.0, NAN,   NAN,   NAN,   42.0,
                           101.0, 102.0, NAN, NAN,  131.0, 132.0, 141.0, 142.0};
    ck_values("x", 16, want);
}
END_TEST

START_TEST(the_last_of_two_outer_dimensions_is_fastest) {
    ck_assert_int_eq(nnd_frame_add_scalar(frame, "x", 1.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_scalar(other, "x", 2.0), NND_OK);
    nnd_frame *outer;
    ck_assert_int_eq(nnd_frame_new(ctx, &outer), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(outer, "a", 2, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(outer, "b", 2, 0.0), NND_OK);
    const nnd_dim *dims[] = {nnd_frame_dim(outer, 0), nnd_frame_dim(outer, 1)};
    const nnd_frame *parts[] = {frame, other, other, frame};
    ck_assert_int_eq(nnd_frame_stack(ctx, 2, dims, 4, parts, &stacked), NND_OK);
    nnd_frame_free(outer);
    const double want[] = {1.0, 2.0, 2.0, 1.0};
    ck_values("x", 4, want);
}
END_TEST

/* Stacks `frame` and `other` along a new dimension. */
static nnd_status stack_two(void) {
    nnd_frame *outer;
    ck_assert_int_eq(nnd_frame_new(ctx, &outer), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(outer, "part", 2, 0.0), NND_OK);
    const nnd_dim *dims[] = {nnd_frame_dim(outer, 0)};
    const nnd_frame *parts[] = {frame, other};
    nnd_status status = nnd_frame_stack(ctx, 1, dims, 2, parts, &stacked);
    nnd_frame_free(outer);
    return status;
}

START_TEST(text_coordinates_are_united_in_order_of_appearance) {
    static const char *const a[] = {"z", "m"}, *const b[] = {"a", "m"};
    ck_assert_int_eq(nnd_frame_add_text_dim(frame, "name", 2, a), NND_OK);
    ck_assert_int_eq(nnd_frame_add_text_dim(other, "name", 2, b), NND_OK);
    double *x = add_array(frame, "x", "name"), *y = add_array(other, "x", "name");
    x[0] = 1.0;
    x[1] = 2.0;
    y[0] = 3.0;
    y[1] = 4.0;
    ck_assert_int_eq(stack_two(), NND_OK);
    const double want[] = {1.0, 2.0, NAN, NAN, 4.0, 3.0};
    ck_values("x", 6, want);
    ck_assert_str_eq(nnd_frame_find_dim(stacked, "name")->text[2], "a");
}
END_TEST

START_TEST(integers_and_reals_unite_to_reals) {
    const double half[] = {0.5};
    ck_assert_int_eq(nnd_frame_add_range(frame, "t", 2, 0.0), NND_OK);
    add_coords(other, "t", 1, half);
    ck_assert_int_eq(stack_two(), NND_OK);
    ck_assert_int_eq(nnd_frame_find_dim(stacked, "t")->kind, NND_COORD_REAL);
    ck_assert_uint_eq(nnd_frame_find_dim(stacked, "t")->length, 3);
}
END_TEST

START_TEST(parts_that_do_not_fit_are_refused) {
    static const char *const name[] = {"a"};
    ck_assert_int_eq(nnd_frame_add_range(frame, "t", 2, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(frame, "s", 2, 0.0), NND_OK);
    add_array(frame, "x", "t,s");
    ck_assert_int_eq(nnd_frame_add_text_dim(other, "t", 1, name), NND_OK);
    ck_message(stack_two(), "dimension t");
    nnd_frame_free(other);
    ck_assert_int_eq(nnd_frame_new(ctx, &other), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(other, "t", 2, 0.0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(other, "s", 2, 0.0), NND_OK);
    add_array(other, "x", "s,t"); /* the same length, but transposed */
    ck_message(stack_two(), "array x");
}
END_TEST

START_TEST(stacking_one_frame_along_nothing_copies_it) {
    ck_assert_int_eq(nnd_frame_add_range(frame, "t", 2, 4.0), NND_OK);
    add_array(frame, "x", "t")[1] = 3.0;
    ck_assert_int_eq(nnd_frame_set_number(frame, "x", "k", 2.0), NND_OK);
    const nnd_frame *parts[] = {frame};
    ck_assert_int_eq(nnd_frame_stack(ctx, 0, NULL, 1, parts, &stacked), NND_OK);
    const double want[] = {NAN, 3.0};
    ck_values("x", 2, want);
    ck_assert_int_eq(nnd_frame_find_dim(stacked, "t")->kind, NND_COORD_INTEGER);
    ck_assert_double_eq(nnd_frame_find_attribute(stacked, "x", "k")->number, 2.0);
}
END_TEST

/* Stacks a frame over `own` dimensions of length 1 along `outer` more, all with names that are
 * `letters` long. */
static nnd_status stack_long_names(size_t outer, size_t own, size_t letters, char *dims) {
    nnd_dim along[NND_MAX_DIMS];
    const nnd_dim *pointer[NND_MAX_DIMS];
    static char name[2 * NND_MAX_DIMS][1024];
    double zero = 0.0;
    for (size_t i = 0; i < outer + own; i++) {
        snprintf(name[i], sizeof name[i], "%0*zu", (int)letters, i);
        along[i % NND_MAX_DIMS] = (nnd_dim){name[i], NND_COORD_INTEGER, 1, &zero, NULL};
        pointer[i % NND_MAX_DIMS] = &along[i % NND_MAX_DIMS];
        snprintf(dims + i * (letters + 1), letters + 2, "%s%s", name[i],
                 i + 1 < outer + own ? "," : "");
        if (i >= outer)
            add_coords(frame, name[i], 1, &zero);
    }
    *add_array(frame, "x", dims + outer * (letters + 1)) = 7.0;
    const nnd_frame *part = frame;
    return nnd_frame_stack(ctx, outer, pointer, 1, &part, &stacked);
}

START_TEST(many_dimensions_with_long_names_are_stacked) {
    static char dims[20000], text[20000];
    ck_assert_int_eq(stack_long_names(7, 7, 40, dims), NND_OK);
    nnd_array_dims(stacked, nnd_frame_find(stacked, "x"), sizeof text, text);
    ck_assert_str_eq(text, dims);
    ck_assert_double_eq(nnd_frame_find(stacked, "x")->data[0], 7.0);
}
END_TEST

START_TEST(names_of_dimensions_too_long_to_join_are_refused) {
    static char dims[20000];
    ck_assert_int_eq(stack_long_names(8, 8, 1000, dims), NND_E_LIMIT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "array x"));
    ck_assert_ptr_null(stacked);
}
END_TEST

START_TEST(more_dimensions_than_an_array_can_have_are_refused) {
    static char dims[20000];
    ck_assert_int_eq(stack_long_names(8, 9, 3, dims), NND_E_LIMIT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "array x: more than 16 dimensions"));
}
END_TEST

START_TEST(dimensions_that_do_not_fit_into_a_text_are_cut) {
    static char dims[20000];
    char *text = malloc(32); /* a sanitizer sees what is written beyond */
    ck_assert_int_eq(stack_long_names(2, 6, 40, dims), NND_OK);
    nnd_array_dims(stacked, nnd_frame_find(stacked, "x"), 32, text);
    ck_assert_uint_eq(strlen(text), 31);
    free(text);
}
END_TEST

START_TEST(coordinates_are_equal_to_a_relative_1e_12) {
    const double a[] = {1e6, 0.0, INFINITY, 1.0}, b[] = {1e6 + 1e-7, 0.0, INFINITY, 1.0 + 1e-11};
    add_coords(frame, "x", 4, a);
    add_coords(other, "x", 4, b);
    const nnd_dim *x = nnd_frame_dim(frame, 0), *y = nnd_frame_dim(other, 0);
    ck_assert(nnd_coord_equal(x, 0, y, 0));
    ck_assert(nnd_coord_equal(x, 1, y, 1));
    ck_assert(nnd_coord_equal(x, 2, y, 2));
    ck_assert(!nnd_coord_equal(x, 3, y, 3));
    ck_assert(!nnd_coord_equal(x, 0, y, 2)); /* infinity is equal to infinity alone */
    ck_assert_uint_eq(nnd_coord_find(x, y, 0), 0);
    ck_assert_uint_eq(nnd_coord_find(x, y, 3), 4);
}
END_TEST

START_TEST(number_text_reads_back_as_the_same_double) {
    enum { DRAWS = 20000 };
    static const double special[] = {0.0,     -0.0,    0.1,      1.0 / 3.0, 1e300,  DBL_MIN,
                                     DBL_MAX, -5e-324, INFINITY, -INFINITY, 1 << 30};
    char text[40];
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        nnd_number_text(special[i], sizeof text, text);
        ck_assert_double_eq(strtod(text, NULL), special[i]);
    }
    double *x = malloc(DRAWS * sizeof *x);
    nnd_rng_normals((nnd_rng_key){1, 1, 1}, 0, 0, DRAWS, x);
    for (size_t i = 0; i < DRAWS; i++) {
        double scaled = x[i] * pow(10.0, (double)(i % 600) - 300.0);
        nnd_number_text(scaled, sizeof text, text);
        ck_assert_double_eq(strtod(text, NULL), scaled);
    }
    free(x);
    nnd_number_text(0.1, sizeof text, text);
    ck_assert_str_eq(text, "0.1");
    nnd_number_text(40.0, sizeof text, text);
    ck_assert_str_eq(text, "40");
    nnd_number_text(NAN, sizeof text, text);
    ck_assert_str_eq(text, "nan");
}
END_TEST

START_TEST(free_takes_null) {
    nnd_frame_free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("frame");
    TCase *tests = tcase_create("frame");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, an_array_is_row_major_over_its_dimensions_and_begins_as_nan);
    tcase_add_test(tests, what_was_added_is_found_and_nothing_else);
    tcase_add_test(tests, wrong_additions_are_refused_with_a_message);
    tcase_add_test(tests, more_numbers_than_can_be_addressed_are_refused);
    tcase_add_test(tests, text_dimensions_are_copied);
    tcase_add_test(tests, attributes_are_set_replaced_and_kept_apart);
    tcase_add_test(tests, stacking_unites_coordinates_and_pads_with_nan);
    tcase_add_test(tests, united_coordinates_ascend_and_take_their_data_with_them);
    tcase_add_test(tests, the_last_of_two_outer_dimensions_is_fastest);
    tcase_add_test(tests, text_coordinates_are_united_in_order_of_appearance);
    tcase_add_test(tests, integers_and_reals_unite_to_reals);
    tcase_add_test(tests, parts_that_do_not_fit_are_refused);
    tcase_add_test(tests, stacking_one_frame_along_nothing_copies_it);
    tcase_add_test(tests, many_dimensions_with_long_names_are_stacked);
    tcase_add_test(tests, names_of_dimensions_too_long_to_join_are_refused);
    tcase_add_test(tests, more_dimensions_than_an_array_can_have_are_refused);
    tcase_add_test(tests, dimensions_that_do_not_fit_into_a_text_are_cut);
    tcase_add_test(tests, coordinates_are_equal_to_a_relative_1e_12);
    tcase_add_test(tests, number_text_reads_back_as_the_same_double);
    tcase_add_test(tests, free_takes_null);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
