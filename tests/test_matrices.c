/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Matrices in the files of other programs, byte by byte from their published layouts. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "nndmft/matrices.h"
#include "scratch.h"
#include "support.h"

enum { ROOM = 1 << 12 };

static unsigned char bytes[ROOM];
static size_t length;
static double value[64];

static void append(const void *more, size_t count) {
    ck_assert_uint_le(length + count, ROOM);
    memcpy(bytes + length, more, count);
    length += count;
}

/* An .npy of version 1 with this header, padded to a multiple of 64 bytes as NumPy does. */
static void begin_npy(const char *header) {
    size_t n = strlen(header), padded = (n + 10 + 1 + 63) / 64 * 64 - 10;
    const unsigned char begin[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)padded, (unsigned char)(padded >> 8)};
    length = 0;
    append(begin, sizeof begin);
    append(header, n);
    for (; n + 1 < padded; n++)
        append(" ", 1);
    append("\n", 1);
}

static void begin_safetensors(const char *header) {
    uint64_t n = strlen(header);
    unsigned char begin[8];
    for (size_t i = 0; i < 8; i++)
        begin[i] = (unsigned char)(n >> (8 * i));
    length = 0;
    append(begin, sizeof begin);
    append(header, n);
}

static const char *save(const char *name) {
    const char *path = scratch_path(name);
    scratch_write(path, bytes, length);
    return path;
}

/* Opens what was built as a file of this name. */
static nnd_matrices *open_built(const char *name) {
    nnd_matrices *file = NULL;
    assert_ok(nnd_matrices_open(ctx, save(name), &file));
    return file;
}

static void ck_refused(const char *name, nnd_status wanted, const char *text) {
    nnd_matrices *file = NULL;
    nnd_status status = nnd_matrices_open(ctx, save(name), &file);
    if (status == NND_OK)
        status = nnd_matrices_read(ctx, file, 0, value);
    nnd_matrices_close(file);
    ck_assert_msg(status == wanted, "want %d got %d (%s)", (int)wanted, (int)status,
                  nnd_context_message(ctx));
    assert_message(text);
}

static void ck_left_out(const char *name, const char *text) {
    nnd_matrices *file = open_built(name);
    const nnd_matrix_info *info = nnd_matrices_info(file, 0);
    ck_assert_uint_eq(info->rows, 0);
    ck_assert_msg(info->left_out != NULL && strstr(info->left_out, text) != NULL,
                  "\"%s\" lacks \"%s\"", info->left_out != NULL ? info->left_out : "", text);
    nnd_matrices_close(file);
}

/* Array i is a matrix of `rows` rows with these numbers. */
static void ck_matrix(const nnd_matrices *file, size_t i, size_t rows, size_t cols,
                      const double *wanted) {
    const nnd_matrix_info *info = nnd_matrices_info(file, i);
    ck_assert_ptr_null(info->left_out);
    ck_assert_uint_eq(info->rows, rows);
    ck_assert_uint_eq(info->cols, cols);
    assert_ok(nnd_matrices_read(ctx, file, i, value));
    for (size_t k = 0; k < rows * cols; k++)
        ck_assert_msg(value[k] == wanted[k], "number %zu: want %.17g got %.17g", k, wanted[k],
                      value[k]);
}

START_TEST(npy_of_doubles_in_either_order) {
    const double stored[6] = {1, 2, 3, 4, 5, 6}, fortran[6] = {1, 3, 5, 2, 4, 6};
    begin_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }");
    append(stored, sizeof stored);
    nnd_matrices *file = open_built("c.npy");
    ck_matrix(file, 0, 2, 3, stored);
    nnd_matrices_close(file);
    begin_npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }");
    append(stored, sizeof stored);
    file = open_built("f.npy");
    ck_matrix(file, 0, 2, 3, fortran);
    nnd_matrices_close(file);
}
END_TEST

/* Each row: the numbers 1, -2, 0.5, or of unsigned integers 1, 2, 200, as NumPy stores them. */
START_TEST(npy_of_every_kind_of_numbers) {
    static const struct {
        const char *descr;
        size_t size;
        unsigned char stored[24];
        double value[3];
    } kinds[] = {
        {"<f4", 4, {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f}, {1, -2, 0.5}},
        {">f4", 4, {0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0, 0x3f, 0, 0, 0}, {1, -2, 0.5}},
        {"<f2", 2, {0, 0x3c, 0, 0xc0, 0, 0x38}, {1, -2, 0.5}},
        {">f2", 2, {0x3c, 0, 0xc0, 0, 0x38, 0}, {1, -2, 0.5}},
        /* the largest, the least normal and the least of all halves */
        {"<f2", 2, {0xff, 0x7b, 0, 0x04, 0x01, 0}, {65504, 0x1p-14, 0x1p-24}},
        {"|i1", 1, {1, 0xfe, 0x80}, {1, -2, -128}},
        {"<i2", 2, {1, 0, 0xfe, 0xff, 0, 0x80}, {1, -2, -32768}},
        {">i4", 4, {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0x80, 0, 0, 0}, {1, -2, -0x1p31}},
        {"<i8",
         8,
         {1,    0,    0,    0,    0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff,
          0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0,    0,    0,    0x80},
         {1, -2, -0x1p63}},
        {"|u1", 1, {1, 2, 200}, {1, 2, 200}},
        {"<u8",
         8,
         {1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80},
         {1, 2, 0x1p63}},
        {"|b1", 1, {1, 0, 1}, {1, 0, 1}},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char header[128];
        double twice[6];
        snprintf(header, sizeof header,
                 "{'descr': '%s', 'fortran_order': False, 'shape': (2, 3), }", kinds[i].descr);
        begin_npy(header);
        append(kinds[i].stored, 3 * kinds[i].size);
        append(kinds[i].stored, 3 * kinds[i].size);
        memcpy(twice, kinds[i].value, sizeof kinds[i].value);
        memcpy(twice + 3, kinds[i].value, sizeof kinds[i].value);
        nnd_matrices *file = open_built("kind.npy");
        ck_matrix(file, 0, 2, 3, twice);
        nnd_matrices_close(file);
    }
}
END_TEST

START_TEST(npy_that_is_no_matrix_is_left_out_with_the_reason) {
    begin_npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }");
    append("\x80\x04.", 3);
    ck_left_out("o.npy", "pickled");
    begin_npy("{'descr': '<c16', 'fortran_order': False, 'shape': (0, 2), }");
    ck_left_out("c.npy", "complex");
    begin_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 2), }");
    ck_left_out("e.npy", "empty");
    begin_npy("{'descr': [('a', '<f8'), ('b', '<i4')], 'fortran_order': False, 'shape': (0,), }");
    ck_left_out("r.npy", "records");
    begin_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }");
    append((double[3]){1, 2, 3}, 3 * sizeof(double));
    ck_left_out("v.npy", "vector");
    begin_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 3), }");
    append((double[3]){1, 2, 3}, 3 * sizeof(double));
    ck_left_out("3.npy", "has 3 dimensions");
}
END_TEST

START_TEST(npy_that_lies_about_itself_is_refused) {
    static const char *const headers[] = {
        "",
        "{",
        "{}",
        "{'descr': '<f8', 'fortran_order': False}",
        "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2, 2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, -2)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), 'more': 1}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)} and more",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 2)}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        begin_npy(headers[i]);
        append((double[4]){1, 2, 3, 4}, 4 * sizeof(double));
        ck_refused("lie.npy", NND_E_FORMAT, "not one of NumPy's");
    }
    begin_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}");
    ck_refused("large.npy", NND_E_FORMAT, "no memory could hold");
    begin_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}");
    append((double[3]){1, 2, 3}, 3 * sizeof(double));
    ck_refused("short.npy", NND_E_FORMAT, "truncated");
    append((double[2]){4, 5}, 2 * sizeof(double));
    ck_refused("long.npy", NND_E_FORMAT, "damaged");
    bytes[6] = 4;
    ck_refused("new.npy", NND_E_FORMAT, "version 4");
    length = 9;
    bytes[6] = 1;
    ck_refused("head.npy", NND_E_FORMAT, "truncated");
    bytes[0] = 'P';
    ck_refused("other.npy", NND_E_FORMAT, "not an .npy");
}
END_TEST

START_TEST(what_is_not_finite_is_refused_with_its_place) {
    begin_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}");
    append((double[4]){1, 2, NAN, 4}, 4 * sizeof(double));
    ck_refused("nan.npy", NND_E_INPUT, "row 1, column 0 is not a number");
    begin_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}");
    append((double[4]){1, 2, 3, -INFINITY}, 4 * sizeof(double));
    ck_refused("inf.npy", NND_E_INPUT, "row 1, column 1 is infinite");
}
END_TEST

START_TEST(more_than_the_memory_is_refused_before_it_is_taken) {
    /* 2^13 x 2^13 doubles are 2^29 bytes, twice the limit of the tests; the file has a hole. */
    begin_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (8192, 8192)}");
    const char *path = save("huge.npy");
    ck_assert_int_eq(truncate(path, (off_t)length + ((off_t)1 << 29)), 0);
    nnd_matrices *file = NULL;
    assert_ok(nnd_matrices_open(ctx, path, &file));
    assert_status(nnd_matrices_read(ctx, file, 0, value), NND_E_LIMIT);
    nnd_matrices_close(file);
}
END_TEST

/* (out, in, height, width) = (2, 3, 1, 2): a row for each output, its inputs one after another. */
START_TEST(kernels_of_convolutions_are_unfolded) {
    double stored[12], keras[12];
    for (size_t k = 0; k < 12; k++)
        stored[k] = (double)k;
    begin_safetensors("{\"conv.weight\": {\"dtype\": \"F64\", \"shape\": [2, 3, 1, 2], "
                      "\"data_offsets\": [0, 96]}, \"conv.kernel\": {\"dtype\": \"F64\", "
                      "\"shape\": [1, 2, 3, 2], \"data_offsets\": [0, 96]}}");
    append(stored, sizeof stored);
    nnd_matrices *file = open_built("conv.safetensors");
    ck_assert(nnd_matrices_info(file, 0)->unfolded);
    ck_assert_str_eq(nnd_matrices_info(file, 0)->shape, "2 x 3 x 1 x 2");
    ck_matrix(file, 0, 2, 6, stored);
    /* (height, width, in, out) = (1, 2, 3, 2): element (0, w, i, o) is at ((w 3) + i) 2 + o. */
    for (size_t o = 0; o < 2; o++)
        for (size_t w = 0; w < 2; w++)
            for (size_t i = 0; i < 3; i++)
                keras[o * 6 + w * 3 + i] = (double)((w * 3 + i) * 2 + o);
    ck_matrix(file, 1, 2, 6, keras);
    nnd_matrices_close(file);
}
END_TEST

/* Fortran order of four dimensions is the C order of the transposed array. */
START_TEST(a_kernel_in_fortran_order_is_unfolded_as_well) {
    double stored[12], wanted[12];
    begin_npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3, 1, 2)}");
    for (size_t o = 0; o < 2; o++)
        for (size_t i = 0; i < 3; i++)
            for (size_t w = 0; w < 2; w++) {
                stored[o + 2 * i + 6 * w] = (double)(100 * o + 10 * i + w);
                wanted[o * 6 + i * 2 + w] = (double)(100 * o + 10 * i + w);
            }
    append(stored, sizeof stored);
    nnd_matrices *file = open_built("f4.npy");
    ck_matrix(file, 0, 2, 6, wanted);
    nnd_matrices_close(file);
}
END_TEST

/* BF16 is the upper half of F32: 1 = 0x3f80, -2 = 0xc000, 0.5 = 0x3f00, 3 = 0x4040. */
START_TEST(safetensors_of_every_kind_of_floats) {
    static const unsigned char bf16[] = {0x80, 0x3f, 0, 0xc0, 0, 0x3f, 0x40, 0x40};
    static const unsigned char f16[] = {0, 0x3c, 0, 0xc0, 0, 0x38, 0, 0x42};
    const float f32[] = {1, -2, 0.5, 3};
    const double f64[] = {1, -2, 0.5, 3};
    begin_safetensors(
        "{\"__metadata__\": {\"format\": \"pt\"},"
        "\"a\": {\"dtype\": \"BF16\", \"shape\": [2, 2], \"data_offsets\": [0, 8]},"
        "\"b\": {\"dtype\": \"F16\", \"shape\": [2, 2], \"data_offsets\": [8, 16]},"
        "\"c\": {\"dtype\": \"F32\", \"shape\": [2, 2], \"data_offsets\": [16, 32]},"
        "\"d\": {\"dtype\": \"F64\", \"shape\": [2, 2], \"data_offsets\": [32, 64]},"
        "\"e\": {\"dtype\": \"F8_E4M3\", \"shape\": [2, 2], \"data_offsets\": [60, 64]}}    ");
    append(bf16, sizeof bf16);
    append(f16, sizeof f16);
    append(f32, sizeof f32);
    append(f64, sizeof f64);
    nnd_matrices *file = open_built("kinds.safetensors");
    ck_assert_uint_eq(nnd_matrices_count(file), 5);
    for (size_t i = 0; i < 4; i++)
        ck_matrix(file, i, 2, 2, f64);
    ck_assert_ptr_nonnull(nnd_matrices_info(file, 4)->left_out);
    ck_assert_str_eq(nnd_matrices_info(file, 3)->name, "d");
    nnd_matrices_close(file);
}
END_TEST

START_TEST(safetensors_that_lie_about_themselves_are_refused) {
    static const struct {
        const char *header, *message;
    } lies[] = {
        {"", "not JSON"},
        {"[]", "not a JSON object"},
        {"{\"a\": 1}", "it needs"},
        {"{\"a\": {}}", "it needs"},
        {"{} {}", "not JSON"},
        {"{\"a\": {\"dtype\": \"F64\", \"shape\": [2, 2], \"data_offsets\": [0]}}", "it needs"},
        {"{\"a\": {\"dtype\": \"F64\", \"shape\": [2, -2], \"data_offsets\": [0, 32]}}",
         "it needs"},
        {"{\"a\": {\"dtype\": \"F64\", \"shape\": [2, 2], \"data_offsets\": [0, 40]}}",
         "truncated or damaged"},
        {"{\"a\": {\"dtype\": \"F64\", \"shape\": [2, 2], \"data_offsets\": [32, 0]}}",
         "truncated or damaged"},
        {"{\"a\": {\"dtype\": \"F64\", \"shape\": [2, 1], \"data_offsets\": [0, 32]}}",
         "does not fit"},
        {"{\"a\": {\"dtype\": \"F64\", \"shape\": [4294967296, 4294967296, 2], "
         "\"data_offsets\": [0, 0]}}",
         "does not fit"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        begin_safetensors(lies[i].header);
        append((double[4]){1, 2, 3, 4}, 4 * sizeof(double));
        ck_refused("lie.safetensors", NND_E_FORMAT, lies[i].message);
    }
    begin_safetensors("{}");
    ck_refused("empty.safetensors", NND_E_INPUT, "holds no array");
    bytes[7] = 0x80;
    ck_refused("long.safetensors", NND_E_FORMAT, "longer than 100 MB");
    bytes[7] = 0;
    bytes[0] = 3;
    ck_refused("short.safetensors", NND_E_FORMAT, "truncated");
    length = 7;
    ck_refused("head.safetensors", NND_E_FORMAT, "truncated");
}
END_TEST

static void build_text(const char *text) {
    length = 0;
    append(text, strlen(text));
}

START_TEST(csv_with_names_and_without) {
    const double wanted[6] = {1, 2.5, -3e-2, 4, 5, 6};
    build_text("1,2.5,-3e-2\n4,5,6\n");
    nnd_matrices *file = open_built("plain.csv");
    ck_matrix(file, 0, 2, 3, wanted);
    nnd_matrices_close(file);
    build_text("a,b,c\n1,2.5,-3e-2\n4,5,6\n");
    file = open_built("named.csv");
    ck_matrix(file, 0, 2, 3, wanted);
    nnd_matrices_close(file);
}
END_TEST

START_TEST(csv_that_counts_its_rows_or_columns_is_refused) {
    build_text(",a,b\n0,1,2\n1,3,4\n");
    ck_refused("rows.csv", NND_E_INPUT, "counted the rows");
    build_text("0,1\n1,2\n3,4\n");
    ck_refused("columns.csv", NND_E_INPUT, "counts the columns");
    build_text("a,b\n1,\n3,4\n");
    ck_refused("gap.csv", NND_E_INPUT, "row 0, column 1 is not a number");
    build_text("1,2\n3,x\n");
    ck_refused("word.csv", NND_E_INPUT, "line 2, column 2");
    build_text("1,2x\n3,4\n5,6\n");
    ck_refused("first.csv", NND_E_INPUT, "line 1, column 2: \"2x\" is not a number");
}
END_TEST

START_TEST(only_regular_files_are_read) {
    nnd_matrices *file = NULL;
    assert_status(nnd_matrices_open(ctx, scratch_path("none.npy"), &file), NND_E_IO);
    assert_status(nnd_matrices_open(ctx, "/dev/zero.npy", &file), NND_E_IO);
    const char *fifo = scratch_path("pipe.npy");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    assert_status(nnd_matrices_open(ctx, fifo, &file), NND_E_INPUT);
    ck_assert_ptr_null(file);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("matrices");
    TCase *tests = tcase_create("matrices");
    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_add_test(tests, npy_of_doubles_in_either_order);
    tcase_add_test(tests, npy_of_every_kind_of_numbers);
    tcase_add_test(tests, npy_that_is_no_matrix_is_left_out_with_the_reason);
    tcase_add_test(tests, npy_that_lies_about_itself_is_refused);
    tcase_add_test(tests, what_is_not_finite_is_refused_with_its_place);
    tcase_add_test(tests, more_than_the_memory_is_refused_before_it_is_taken);
    tcase_add_test(tests, kernels_of_convolutions_are_unfolded);
    tcase_add_test(tests, a_kernel_in_fortran_order_is_unfolded_as_well);
    tcase_add_test(tests, safetensors_of_every_kind_of_floats);
    tcase_add_test(tests, safetensors_that_lie_about_themselves_are_refused);
    tcase_add_test(tests, csv_with_names_and_without);
    tcase_add_test(tests, csv_that_counts_its_rows_or_columns_is_refused);
    tcase_add_test(tests, only_regular_files_are_read);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
