/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IDX files, byte by byte from their published layout, plain and gzipped. */
#include <stdint.h>
#include <zlib.h>

#include "nndmft/io.h"
#include "nndmft/matrices.h"
#include "scratch.h"
#include "support.h"

/* Two images of 2 x 3 pixels, and what they are. */
static const unsigned char IMAGES[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0,  0,
                                       0, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255};
static const unsigned char LABELS[] = {0, 0, 8, 1, 0, 0, 0, 2, 9, 0};

static const char *save(const char *name, const unsigned char *bytes, size_t count) {
    const char *path = scratch_path(name);
    scratch_write(path, bytes, count);
    return path;
}

static const char *save_gzipped(const char *name, const unsigned char *bytes, size_t count) {
    const char *path = scratch_path(name);
    gzFile file = gzopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(gzwrite(file, bytes, (unsigned)count), (int)count);
    ck_assert_int_eq(gzclose(file), Z_OK);
    return path;
}

static void ck_images(const nnd_frame *arrays, const char *name) {
    const nnd_array *images = nnd_frame_find(arrays, name);
    ck_assert_ptr_nonnull(images);
    ck_assert_uint_eq(images->ndims, 2);
    ck_assert_uint_eq(images->shape[0], 2);
    ck_assert_uint_eq(images->shape[1], 6);
    for (size_t i = 0; i < 11; i++)
        ck_assert_double_eq(images->data[i], (double)i);
    ck_assert_double_eq(images->data[11], 255.0);
}

START_TEST(images_are_rows_and_come_with_the_files_beside_them) {
    nnd_frame *arrays = NULL;
    save("t10k-labels.idx1-ubyte", LABELS, sizeof LABELS);
    save_gzipped("t10k-labels-idx1-ubyte.gz", LABELS, sizeof LABELS); /* the same once more */
    save("unrelated.csv", LABELS, sizeof LABELS);
    const char *path = save_gzipped("t10k-images-idx3-ubyte.gz", IMAGES, sizeof IMAGES);
    assert_ok(nnd_data_file_read(ctx, path, &arrays));
    ck_assert_uint_eq(nnd_frame_array_count(arrays), 2);
    ck_images(arrays, "t10k-images");
    const nnd_array *labels = nnd_frame_find(arrays, "t10k-labels");
    ck_assert_ptr_nonnull(labels);
    ck_assert_uint_eq(labels->ndims, 1);
    ck_assert_double_eq(labels->data[0], 9.0);
    ck_assert_double_eq(labels->data[1], 0.0);
    nnd_frame_free(arrays);
}
END_TEST

/* 1, -2 and, where there are fractions, -0.5. */
START_TEST(every_kind_of_numbers_is_read) {
    static const struct {
        unsigned char code, size, stored[24];
        double third;
    } kinds[] = {
        {0x09, 1, {1, 0xfe, 0x80}, -128.0},
        {0x0b, 2, {0, 1, 0xff, 0xfe, 0x80, 0}, -32768.0},
        {0x0c, 4, {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0x80, 0, 0, 0}, -0x1p31},
        {0x0d, 4, {0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0, 0xbf, 0, 0, 0}, -0.5},
        {0x0e,
         8,
         {0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0xbf, 0xe0, 0, 0, 0, 0, 0, 0},
         -0.5},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        unsigned char bytes[32] = {0, 0, kinds[i].code, 1, 0, 0, 0, 3};
        memcpy(bytes + 8, kinds[i].stored, sizeof kinds[i].stored);
        nnd_frame *arrays = NULL;
        assert_ok(nnd_data_file_read(ctx, save("x-idx1-any", bytes, 8 + 3 * (size_t)kinds[i].size),
                                     &arrays));
        const double *x = nnd_frame_find(arrays, "x")->data;
        ck_assert_double_eq(x[0], 1.0);
        ck_assert_double_eq(x[1], -2.0);
        ck_assert_double_eq(x[2], kinds[i].third);
        nnd_frame_free(arrays);
    }
}
END_TEST

static void refused(const char *path, const char *text) {
    nnd_frame *arrays = NULL;
    assert_status(nnd_data_file_read(ctx, path, &arrays), NND_E_FORMAT);
    ck_assert_ptr_null(arrays);
    assert_message(path);
    assert_message(text);
}

START_TEST(damaged_files_are_refused) {
    unsigned char bytes[sizeof IMAGES + 1] = {0};
    memcpy(bytes, IMAGES, sizeof IMAGES);
    refused(save("a-idx3", bytes, sizeof IMAGES - 1), "truncated");
    refused(save("b-idx3", bytes, sizeof bytes), "longer than its header claims");
    refused(save("c-idx3", bytes, 7), "truncated");
    refused(save_gzipped("d-idx3.gz", bytes, sizeof IMAGES - 1), "truncated");
    bytes[4] = 0x7f; /* two thousand million images */
    refused(save_gzipped("e-idx3.gz", bytes, sizeof IMAGES), "its header claims 2130706434 x 6");
    bytes[2] = 0x0a;
    refused(save("f-idx3", bytes, sizeof IMAGES), "is not an IDX file");
    bytes[2] = 8;
    bytes[0] = 1;
    refused(save("g-idx3", bytes, sizeof IMAGES), "is not an IDX file");
}
END_TEST

/* The last bytes of a gzipped file are its checksum and length. */
START_TEST(a_wrong_checksum_is_seen) {
    unsigned char bytes[256];
    const char *path = save_gzipped("x-idx3.gz", IMAGES, sizeof IMAGES);
    FILE *file = fopen(path, "rb");
    size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    bytes[count - 5] ^= 1;
    refused(save("y-idx3.gz", bytes, count), "damaged");
    refused(save("z-idx3.gz", bytes, count - 10), "truncated");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("idx");
    TCase *tests = tcase_create("idx");
    tcase_add_checked_fixture(tests, scratch_setup, scratch_teardown);
    tcase_add_test(tests, images_are_rows_and_come_with_the_files_beside_them);
    tcase_add_test(tests, every_kind_of_numbers_is_read);
    tcase_add_test(tests, damaged_files_are_refused);
    tcase_add_test(tests, a_wrong_checksum_is_seen);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
