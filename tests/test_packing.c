/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attributes of packed datasets that make no sense are refused, each with its name. */
#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>

#include "nndmft/io.h"
#include "scratch.h"
#include "support.h"

static hid_t file;
static const char *path;

static void setup(void) {
    scratch_setup();
    path = scratch_path("mine.h5");
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t length = 3;
    ck_assert_int_ge(H5LTmake_dataset_short(file, "x", 1, &length, (short[]){1, 2, 3}), 0);
}

static void number(const char *key, double x) {
    ck_assert_int_ge(H5LTset_attribute_double(file, "x", key, &x, 1), 0);
}

/* H5LT has no such function for 64 bits without sign. */
static herr_t set_unsigned(const char *key, const unsigned long long *x) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate_by_name(file, "x", key, H5T_NATIVE_ULLONG, space, H5P_DEFAULT,
                                        H5P_DEFAULT, H5P_DEFAULT);
    herr_t done = H5Awrite(attribute, H5T_NATIVE_ULLONG, x);
    H5Aclose(attribute);
    H5Sclose(space);
    return done;
}

/* Reads the file with its one dataset; the context says what is wrong with it. */
static nnd_status read_mine(nnd_frame **arrays) {
    H5Fclose(file);
    return nnd_data_file_read(ctx, path, arrays);
}

static void refused(const char *message) {
    nnd_frame *arrays = NULL;
    assert_status(read_mine(&arrays), NND_E_INPUT);
    assert_message("mine.h5: x");
    assert_message(message);
}

START_TEST(scaled_and_shifted_numbers_are_what_is_meant) {
    nnd_frame *arrays = NULL;
    number("scale_factor", 0.5);
    number("add_offset", -1.0);
    number("missing_value", 2.0);
    assert_ok(read_mine(&arrays));
    const double *x = nnd_frame_find(arrays, "x")->data;
    ck_assert_double_eq(x[0], -0.5);
    ck_assert_double_nan(x[1]);
    ck_assert_double_eq(x[2], 0.5);
    nnd_frame_free(arrays);
}
END_TEST

START_TEST(a_scale_of_0_is_refused) {
    number("scale_factor", 0.0);
    refused("scale_factor is 0");
}
END_TEST

START_TEST(an_infinite_offset_is_refused) {
    number("add_offset", INFINITY);
    refused("add_offset is not finite");
}
END_TEST

START_TEST(a_text_for_a_scale_is_refused) {
    ck_assert_int_ge(H5LTset_attribute_string(file, "x", "scale_factor", "0.1"), 0);
    refused("scale_factor is not a number");
}
END_TEST

START_TEST(two_scales_are_refused) {
    ck_assert_int_ge(H5LTset_attribute_double(file, "x", "scale_factor", (double[]){1.0, 2.0}, 2),
                     0);
    refused("scale_factor is not a number");
}
END_TEST

START_TEST(a_range_beside_a_bound_is_refused) {
    number("valid_min", 1.0);
    ck_assert_int_ge(H5LTset_attribute_short(file, "x", "valid_range", (short[]){1, 2}, 2), 0);
    refused("valid_range stands beside");
}
END_TEST

START_TEST(a_range_of_one_number_is_refused) {
    number("valid_range", 1.0);
    refused("valid_range is not a list of numbers");
}
END_TEST

START_TEST(a_range_that_is_empty_is_refused) {
    number("valid_min", 3.0);
    number("valid_max", 2.0);
    refused("valid_max leaves no value valid");
}
END_TEST

START_TEST(an_unclear_sign_is_refused) {
    ck_assert_int_ge(H5LTset_attribute_string(file, "x", "_Unsigned", "perhaps"), 0);
    refused("_Unsigned does not fit");
}
END_TEST

START_TEST(integers_that_are_no_doubles_are_refused) {
    long big[] = {9007199254740991, 9007199254740993};
    hsize_t length = 1;
    ck_assert_int_ge(H5LTmake_dataset_long(file, "good", 1, &length, big), 0);
    ck_assert_int_ge(H5LTmake_dataset_long(file, "x_big", 1, &length, big + 1), 0);
    refused("x_big holds integers beyond 9007199254740991");
}
END_TEST

START_TEST(an_attribute_that_is_no_double_keeps_its_digits) {
    nnd_frame *arrays = NULL;
    long long seed = 9007199254740993, least = INT64_MIN;
    unsigned long long most = UINT64_MAX;
    ck_assert_int_ge(H5LTset_attribute_long_long(file, "x", "seed", &seed, 1), 0);
    ck_assert_int_ge(H5LTset_attribute_long_long(file, "x", "least", &least, 1), 0);
    ck_assert_int_ge(set_unsigned("most", &most), 0);
    seed = 9007199254740991;
    ck_assert_int_ge(H5LTset_attribute_long_long(file, "x", "exact", &seed, 1), 0);
    assert_ok(read_mine(&arrays));
    ck_assert_str_eq(nnd_frame_find_attribute(arrays, "x", "seed")->text, "9007199254740993");
    ck_assert_str_eq(nnd_frame_find_attribute(arrays, "x", "least")->text, "-9223372036854775808");
    ck_assert_str_eq(nnd_frame_find_attribute(arrays, "x", "most")->text, "18446744073709551615");
    ck_assert_double_eq(nnd_frame_find_attribute(arrays, "x", "exact")->number, 9007199254740991.0);
    nnd_frame_free(arrays);
}
END_TEST

START_TEST(a_missing_large_integer_is_missing) {
    long big[] = {1, -9223372036854775807L - 1};
    hsize_t length = 2;
    nnd_frame *arrays = NULL;
    ck_assert_int_ge(H5LTmake_dataset_long(file, "y", 1, &length, big), 0);
    ck_assert_int_ge(H5LTset_attribute_long(file, "y", "_FillValue", big + 1, 1), 0);
    assert_ok(read_mine(&arrays));
    ck_assert_double_eq(nnd_frame_find(arrays, "y")->data[0], 1.0);
    ck_assert_double_nan(nnd_frame_find(arrays, "y")->data[1]);
    nnd_frame_free(arrays);
}
END_TEST

/* Bytes 1, 255, 254, 253 that are stored with a sign, as are the attributes. */
START_TEST(markers_and_bounds_of_unsigned_numbers_are_unsigned_too) {
    const signed char bytes[] = {1, -1, -2, -3}, fill = -2, most = -3;
    hsize_t length = 4;
    nnd_frame *arrays = NULL;
    ck_assert_int_ge(H5LTmake_dataset(file, "y", 1, &length, H5T_NATIVE_SCHAR, bytes), 0);
    ck_assert_int_ge(H5LTmake_dataset(file, "z", 1, &length, H5T_NATIVE_SCHAR, bytes), 0);
    ck_assert_int_ge(H5LTset_attribute_string(file, "y", "_Unsigned", "true"), 0);
    ck_assert_int_ge(H5LTset_attribute_string(file, "z", "_Unsigned", "true"), 0);
    ck_assert_int_ge(H5LTset_attribute_char(file, "y", "_FillValue", (const char *)&fill, 1), 0);
    ck_assert_int_ge(H5LTset_attribute_char(file, "z", "valid_max", (const char *)&most, 1), 0);
    assert_ok(read_mine(&arrays));
    const double *y = nnd_frame_find(arrays, "y")->data, *z = nnd_frame_find(arrays, "z")->data;
    const double want_y[] = {1.0, 255.0, NAN, 253.0}, want_z[] = {1.0, NAN, NAN, 253.0};
    for (size_t i = 0; i < 4; i++) {
        ck_assert(y[i] == want_y[i] || (isnan(y[i]) && isnan(want_y[i])));
        ck_assert(z[i] == want_z[i] || (isnan(z[i]) && isnan(want_z[i])));
    }
    nnd_frame_free(arrays);
}
END_TEST

/* Of numbers that are stored as such, not as integers, bounds speak as they are stored. */
START_TEST(bounds_of_scaled_floats_are_of_what_is_stored) {
    const double stored[] = {1.0, 2.0, 3.0}, scale = 0.5, most = 2.5;
    hsize_t length = 3;
    nnd_frame *arrays = NULL;
    ck_assert_int_ge(H5LTmake_dataset_double(file, "y", 1, &length, stored), 0);
    ck_assert_int_ge(H5LTset_attribute_double(file, "y", "scale_factor", &scale, 1), 0);
    ck_assert_int_ge(H5LTset_attribute_double(file, "y", "valid_max", &most, 1), 0);
    assert_ok(read_mine(&arrays));
    const double *y = nnd_frame_find(arrays, "y")->data;
    ck_assert_double_eq(y[0], 0.5);
    ck_assert_double_eq(y[1], 1.0);
    ck_assert_double_nan(y[2]);
    nnd_frame_free(arrays);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("packing");
    TCase *tests = tcase_create("packing");
    tcase_add_checked_fixture(tests, setup, scratch_teardown);
    tcase_add_test(tests, scaled_and_shifted_numbers_are_what_is_meant);
    tcase_add_test(tests, a_scale_of_0_is_refused);
    tcase_add_test(tests, an_infinite_offset_is_refused);
    tcase_add_test(tests, a_text_for_a_scale_is_refused);
    tcase_add_test(tests, two_scales_are_refused);
    tcase_add_test(tests, a_range_beside_a_bound_is_refused);
    tcase_add_test(tests, a_range_of_one_number_is_refused);
    tcase_add_test(tests, a_range_that_is_empty_is_refused);
    tcase_add_test(tests, an_unclear_sign_is_refused);
    tcase_add_test(tests, integers_that_are_no_doubles_are_refused);
    tcase_add_test(tests, an_attribute_that_is_no_double_keeps_its_digits);
    tcase_add_test(tests, a_missing_large_integer_is_missing);
    tcase_add_test(tests, markers_and_bounds_of_unsigned_numbers_are_unsigned_too);
    tcase_add_test(tests, bounds_of_scaled_floats_are_of_what_is_stored);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
