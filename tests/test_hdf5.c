/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "nndmft/io.h"
#include "support.h"
#include "tests/scratch.h"

/* Nothing may print, and every HDF5 object must be closed, whatever happened. */
static int kept_stderr;

static void setup(void) {
    scratch_setup();
    fflush(stderr);
    kept_stderr = dup(STDERR_FILENO);
    int fd = open(scratch_path("stderr"), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
    close(fd);
}

static void teardown(void) {
    size_t size;
    fflush(stderr);
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    char *printed = (char *)scratch_read(scratch_path("stderr"), &size);
    ck_assert_str_eq(printed, "");
    free(printed);
    ck_assert_int_eq((int)H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    scratch_teardown();
}

/* ---- frames to write ---- */

static void fill(double *data, size_t count) {
    for (size_t i = 0; i < count; i++)
        data[i] = i % 11 == 5 ? NAN : sin((double)i) * 1e3;
}

static nnd_frame *new_theory(size_t steps) {
    static const double gamma0[] = {0.1, 1.0 / 3.0, INFINITY};
    static const char *const kind[] = {"plain", "größe, scaled", ""};
    nnd_frame *f;
    double *data;
    assert_ok(nnd_frame_new(ctx, &f));
    assert_ok(nnd_frame_add_dim(f, "zeta", NND_COORD_REAL, 3, gamma0));
    assert_ok(nnd_frame_add_range(f, "t", steps, -1));
    assert_ok(nnd_frame_add_text_dim(f, "kind", 3, kind));
    assert_ok(nnd_frame_add_range(f, "nothing", 0, 0));
    assert_ok(nnd_frame_add(f, "loss", "zeta,kind,t", &data));
    fill(data, 9 * steps);
    assert_ok(nnd_frame_add(f, "loss_se", "zeta,kind,t", &data));
    fill(data, 9 * steps);
    assert_ok(nnd_frame_add(f, "zeta", "zeta", &data)); /* named like a dimension */
    fill(data, 3);
    assert_ok(nnd_frame_add(f, "alpha", "kind", &data));
    fill(data, 3);
    assert_ok(nnd_frame_add_scalar(f, "edge", -INFINITY));
    assert_ok(nnd_frame_add_scalar(f, "absent", NAN));
    assert_ok(nnd_frame_set_text(f, "loss", "units", "1"));
    assert_ok(nnd_frame_set_text(f, "loss", "long_name", "Verlust über t"));
    assert_ok(nnd_frame_set_text(f, "loss", "empty", ""));
    assert_ok(nnd_frame_set_number(f, "zeta", "residual", 1e-300));
    assert_ok(nnd_frame_set_number(f, NULL, "iterations", NAN));
    assert_ok(nnd_frame_set_text(f, NULL, "solver", "marching"));
    return f;
}

static nnd_frame *new_small(const char *array) {
    nnd_frame *f;
    double *data;
    assert_ok(nnd_frame_new(ctx, &f));
    assert_ok(nnd_frame_add_range(f, "t", 4, 0));
    assert_ok(nnd_frame_add(f, array, "t", &data));
    fill(data, 4);
    return f;
}

static void write_small(const char *path) {
    nnd_result result = {.theory = new_theory(2), .model = strdup("deep-linear")};
    assert_ok(nnd_result_write(ctx, path, &result));
    nnd_result_clear(&result);
}

/* ---- comparing ---- */

static bool same_number(double a, double b) {
    return a == b || (isnan(a) && isnan(b));
}

static void assert_same_dim(const nnd_dim *a, const nnd_dim *b) {
    ck_assert_str_eq(a->name, b->name);
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_uint_eq(a->length, b->length);
    for (size_t i = 0; i < a->length; i++) {
        if (a->kind == NND_COORD_TEXT)
            ck_assert_str_eq(a->text[i], b->text[i]);
        else
            ck_assert(a->value[i] == b->value[i]);
    }
}

static void assert_same_array(const nnd_frame *f, const nnd_array *a, const nnd_frame *g,
                              const nnd_array *b) {
    char dims[2][256];
    ck_assert_str_eq(a->name, b->name);
    nnd_array_dims(f, a, sizeof dims[0], dims[0]);
    nnd_array_dims(g, b, sizeof dims[1], dims[1]);
    ck_assert_str_eq(dims[0], dims[1]);
    for (size_t i = 0; i < a->count; i++)
        ck_assert_msg(same_number(a->data[i], b->data[i]), "%s[%zu]: %g is not %g", a->name, i,
                      a->data[i], b->data[i]);
}

static void assert_has_attribute(const nnd_frame *f, const nnd_attribute *a) {
    const nnd_attribute *b = nnd_frame_find_attribute(f, a->array, a->key);
    ck_assert_msg(b != NULL, "attribute %s", a->key);
    ck_assert((a->text == NULL) == (b->text == NULL));
    if (a->text != NULL)
        ck_assert_str_eq(a->text, b->text);
    else
        ck_assert(same_number(a->number, b->number));
}

/* Everything in the same order, but for `added` attributes of the second. */
static void assert_same_frame(const nnd_frame *f, const nnd_frame *g, size_t added) {
    ck_assert_uint_eq(nnd_frame_dim_count(f), nnd_frame_dim_count(g));
    for (size_t i = 0; i < nnd_frame_dim_count(f); i++)
        assert_same_dim(nnd_frame_dim(f, i), nnd_frame_dim(g, i));
    ck_assert_uint_eq(nnd_frame_array_count(f), nnd_frame_array_count(g));
    for (size_t i = 0; i < nnd_frame_array_count(f); i++)
        assert_same_array(f, nnd_frame_array(f, i), g, nnd_frame_array(g, i));
    ck_assert_uint_eq(nnd_frame_attribute_count(f) + added, nnd_frame_attribute_count(g));
    for (size_t i = 0; i < nnd_frame_attribute_count(f); i++)
        assert_has_attribute(g, nnd_frame_attribute(f, i));
}

/* ---- round trips ---- */

START_TEST(round_trip_of_everything) {
    const char *path = scratch_path("a.h5");
    nnd_result back, result = {
                         .theory = new_theory(3000), /* compressed, several chunks */
                         .mc = new_small("loss"),
                         .seeds = new_small("loss"),
                         .compare = new_small("loss_z"),
                         .case_text = strdup("model: deep-linear\n"),
                         .model = strdup("deep-linear"),
                         .version = strdup("9.8.7"),
                         .created = strdup("2001-02-03T04:05:06Z"),
                         .history = strdup("nndmft run größe.yaml"),
                     };
    assert_ok(nnd_result_write(ctx, path, &result));
    assert_ok(nnd_result_read(ctx, path, &back));
    assert_same_frame(result.theory, back.theory, 1);
    ck_assert_str_eq(nnd_frame_find_attribute(back.theory, "loss", "standard_error")->text,
                     "loss_se");
    assert_same_frame(result.mc, back.mc, 0);
    assert_same_frame(result.seeds, back.seeds, 0);
    assert_same_frame(result.compare, back.compare, 0);
    ck_assert_str_eq(back.case_text, result.case_text);
    ck_assert_str_eq(back.model, result.model);
    ck_assert_str_eq(back.version, result.version);
    ck_assert_str_eq(back.created, result.created);
    ck_assert_str_eq(back.history, result.history);
    nnd_result_clear(&result);
    /* What was read can be written again, over its own file, and stays the same. */
    assert_ok(nnd_result_write(ctx, path, &back));
    assert_ok(nnd_result_read(ctx, path, &result));
    assert_same_frame(back.theory, result.theory, 0);
    nnd_result_clear(&result);
    nnd_result_clear(&back);
}
END_TEST

/* Filters of /theory/NAME. */
static unsigned filters_of(const char *path, const char *name, H5Z_filter_t *filter) {
    char dataset[64];
    unsigned flags, most = 4;
    snprintf(dataset, sizeof dataset, "/theory/%s", name);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t array = H5Dopen2(file, dataset, H5P_DEFAULT), plist = H5Dget_create_plist(array);
    int count = H5Pget_nfilters(plist);
    ck_assert(count >= 0 && (unsigned)count <= most);
    for (unsigned i = 0; i < (unsigned)count; i++) {
        size_t none = 0;
        filter[i] = H5Pget_filter2(plist, i, &flags, &none, NULL, 0, NULL, NULL);
    }
    H5Pclose(plist);
    H5Dclose(array);
    H5Fclose(file);
    return (unsigned)count;
}

/* Above eight megabytes a checksum is all that there is time for, and chunks leave nothing over. */
START_TEST(large_arrays_are_checked_but_not_compressed) {
    enum { SMALL = 1024, LARGE = 1031 };
    const char *path = scratch_path("a.h5");
    const size_t length[] = {SMALL, LARGE};
    const char *dims[] = {"s", "t"}, *squares[] = {"s,s", "t,t"}, *names[] = {"small", "large"};
    H5Z_filter_t filter[4];
    nnd_result back, result = {.model = strdup("deep-linear")};
    assert_ok(nnd_frame_new(ctx, &result.theory));
    for (int i = 0; i < 2; i++) {
        double *data;
        assert_ok(nnd_frame_add_range(result.theory, dims[i], length[i], 0));
        assert_ok(nnd_frame_add(result.theory, names[i], squares[i], &data));
        for (size_t k = 0; k < length[i] * length[i]; k++)
            data[k] = i == 1 ? (double)k * 0x1p-20 : 0.0;
    }
    assert_ok(nnd_result_write(ctx, path, &result));
    ck_assert_uint_eq(filters_of(path, "small", filter), 3);
    ck_assert(filter[0] == H5Z_FILTER_SHUFFLE && filter[1] == H5Z_FILTER_DEFLATE &&
              filter[2] == H5Z_FILTER_FLETCHER32);
    ck_assert_uint_eq(filters_of(path, "large", filter), 1);
    ck_assert(filter[0] == H5Z_FILTER_FLETCHER32);
    struct stat s;
    ck_assert(stat(path, &s) == 0 && (double)s.st_size < 1.02 * LARGE * LARGE * sizeof(double));
    assert_ok(nnd_result_read(ctx, path, &back));
    assert_same_frame(result.theory, back.theory, 0);
    nnd_result_clear(&result);
    nnd_result_clear(&back);
}
END_TEST

START_TEST(absent_parts_stay_absent) {
    const char *path = scratch_path("a.h5");
    nnd_result back, result = {.seeds = new_small("x")};
    assert_ok(nnd_result_write(ctx, path, &result));
    assert_ok(nnd_result_read(ctx, path, &back));
    ck_assert(back.theory == NULL && back.mc == NULL && back.compare == NULL);
    ck_assert(back.model == NULL && back.case_text == NULL && back.history == NULL);
    ck_assert_ptr_nonnull(back.seeds);
    ck_assert_str_eq(back.version, nnd_version());
    ck_assert_uint_eq(strlen(back.created), strlen("2001-02-03T04:05:06Z"));
    nnd_result_clear(&back);
    nnd_result_clear(&result);
}
END_TEST

/* HDF5 keeps attributes above 64 KiB, and of more than eight per object, in other ways. */
START_TEST(large_and_many_attributes) {
    enum { LARGE = 300000 };
    const char *path = scratch_path("a.h5");
    nnd_result back, result = {.theory = new_small("x"), .case_text = calloc(1, LARGE + 1)};
    memset(result.case_text, 'a', LARGE);
    assert_ok(nnd_frame_set_text(result.theory, "x", "large", result.case_text));
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "y%d", 39 - i);
        assert_ok(nnd_frame_set_number(result.theory, "x", name, i));
        assert_ok(nnd_frame_add(result.theory, name, "t", NULL));
    }
    assert_ok(nnd_result_write(ctx, path, &result));
    assert_ok(nnd_result_read(ctx, path, &back));
    ck_assert_str_eq(back.case_text, result.case_text);
    assert_same_frame(result.theory, back.theory, 0);
    nnd_result_clear(&back);
    nnd_result_clear(&result);
}
END_TEST

static const nnd_variable variables[] = {
    {.name = "loss", .unit = "1", .long_name = "test loss", .equation = "deep-linear.md#s1: mean"},
    {.name = "bare"},
};
static const nnd_model model = {.name = "m", .variable_count = 2, .variables = variables};

START_TEST(annotations_come_from_the_table) {
    nnd_frame *f = new_small("loss");
    assert_ok(nnd_frame_add(f, "loss_se", "t", NULL));
    assert_ok(nnd_frame_add(f, "bare", "t", NULL));
    assert_ok(nnd_frame_add(f, "other_se", "t", NULL));
    assert_ok(nnd_result_annotate(f, &model));
    ck_assert_str_eq(nnd_frame_find_attribute(f, "loss", "long_name")->text, "test loss");
    ck_assert_str_eq(nnd_frame_find_attribute(f, "loss", "units")->text, "1");
    ck_assert_str_eq(nnd_frame_find_attribute(f, "loss", "equation")->text,
                     "deep-linear.md#s1: mean");
    ck_assert_str_eq(nnd_frame_find_attribute(f, "loss_se", "long_name")->text,
                     "standard error of test loss");
    ck_assert_str_eq(nnd_frame_find_attribute(f, "loss_se", "units")->text, "1");
    ck_assert_ptr_null(nnd_frame_find_attribute(f, "loss_se", "equation"));
    ck_assert_ptr_null(nnd_frame_find_attribute(f, "other_se", "long_name"));
    ck_assert_str_eq(nnd_frame_find_attribute(f, "bare", "long_name")->text, "bare");
    nnd_frame_free(f);
}
END_TEST

/* ---- refusals ---- */

static void set_schema(const char *path, int64_t schema) {
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t attribute = H5Aopen(file, "file_schema_version", H5P_DEFAULT);
    ck_assert_int_ge(H5Awrite(attribute, H5T_NATIVE_INT64, &schema), 0);
    H5Aclose(attribute);
    H5Fclose(file);
}

START_TEST(newer_schema_is_refused) {
    const char *path = scratch_path("a.h5");
    nnd_result result = {.theory = new_small("x"), .version = strdup("7.1.0")};
    assert_ok(nnd_result_write(ctx, path, &result));
    nnd_result_clear(&result);
    set_schema(path, NND_FILE_SCHEMA + 1);
    assert_status(nnd_result_read(ctx, path, &result), NND_E_FORMAT);
    assert_message("nndmft 7.1.0");
    assert_message(nnd_version());
    ck_assert_ptr_null(result.version);
    set_schema(path, NND_FILE_SCHEMA);
    assert_ok(nnd_result_read(ctx, path, &result));
    nnd_result_clear(&result);
}
END_TEST

START_TEST(wrong_files_are_refused) {
    nnd_result result;
    assert_status(nnd_result_read(ctx, scratch_path("none.h5"), &result), NND_E_IO);
    assert_message("none.h5: No such file or directory");
    assert_status(nnd_result_read(ctx, scratch_folder, &result), NND_E_IO);
    scratch_write(scratch_path("text.h5"), "model: x\n", 9);
    assert_status(nnd_result_read(ctx, scratch_path("text.h5"), &result), NND_E_FORMAT);
    assert_message("text.h5: is not an HDF5 file");
    scratch_write(scratch_path("empty.h5"), "", 0);
    assert_status(nnd_result_read(ctx, scratch_path("empty.h5"), &result), NND_E_FORMAT);
    hid_t file = H5Fcreate(scratch_path("bare.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    assert_status(nnd_result_read(ctx, scratch_path("bare.h5"), &result), NND_E_FORMAT);
    assert_message("no arrays");
}
END_TEST

START_TEST(truncated_files_end_cleanly) {
    size_t size;
    const char *path = scratch_path("a.h5");
    write_small(path);
    unsigned char *bytes = scratch_read(path, &size);
    for (size_t n = 0; n < size; n += 1 + n / 64) {
        nnd_result result;
        scratch_write(path, bytes, n);
        assert_status(nnd_result_read(ctx, path, &result), NND_E_FORMAT);
        assert_message(path);
    }
    free(bytes);
}
END_TEST

/* Found everywhere; in the first words of the seal harmless, as those make it a seal. */
START_TEST(flipped_bytes_are_found) {
    enum { SEAL = 64, SEAL_MARK = 20 }; /* bytes; the contents are tried at every seventh */
    size_t size;
    const char *path = scratch_path("a.h5");
    nnd_result result;
    write_small(path);
    unsigned char *bytes = scratch_read(path, &size);
    for (size_t i = 0; i < size; i += i < size - SEAL ? 7 : 1) {
        bool harmless = i >= size - SEAL && i < size - SEAL + SEAL_MARK;
        bytes[i] ^= (unsigned char)(1u << (i % 8));
        scratch_write(path, bytes, size);
        bytes[i] ^= (unsigned char)(1u << (i % 8));
        nnd_status status = nnd_result_read(ctx, path, &result);
        ck_assert_msg(status == (harmless ? NND_OK : NND_E_FORMAT), "byte %zu: %d", i, status);
        nnd_result_clear(&result);
    }
    free(bytes);
}
END_TEST

START_TEST(seals_of_earlier_versions_are_still_read) {
    size_t size;
    const char *path = scratch_path("a.h5");
    nnd_result result;
    write_small(path);
    unsigned char *bytes = scratch_read(path, &size);
    scratch_seal_as_before(bytes, size);
    scratch_write(path, bytes, size);
    assert_ok(nnd_result_read(ctx, path, &result));
    nnd_result_clear(&result);
    bytes[size / 2] ^= 1;
    scratch_write(path, bytes, size);
    assert_status(nnd_result_read(ctx, path, &result), NND_E_FORMAT);
    assert_message("is damaged or truncated");
    free(bytes);
}
END_TEST

/* Old-style files have no checksums: a damaged header may claim anything. */
START_TEST(absurd_sizes_are_refused) {
    const char *path = scratch_path("a.h5");
    nnd_result result;
    hsize_t shape[2] = {(hsize_t)1 << 40, (hsize_t)1 << 22}, chunk[2] = {16, 16};
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(2, shape, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 2, chunk);
    hid_t dataset =
        H5Dcreate2(file, "huge", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    ck_assert_int_ge(dataset, 0);
    H5Dclose(dataset);
    H5Pclose(plist);
    H5Sclose(space);
    H5Fclose(file);
    assert_status(nnd_result_read(ctx, path, &result), NND_E_LIMIT);
    assert_message("huge");
    assert_message(path);
}
END_TEST

/* ---- files of strangers ---- */

/* A file that holds `x`, and what `add` adds to it. */
static void write_foreign(const char *path, void (*add)(hid_t file)) {
    const double x[] = {1.0, 2.0, 3.0};
    hsize_t length = 3;
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert_int_ge(H5LTmake_dataset_double(file, "x", 1, &length, x), 0);
    if (add != NULL)
        add(file);
    ck_assert_int_ge(H5Fclose(file), 0);
}

/* A secret beside the file, as a file of bytes and as one of HDF5. */
static void write_secrets(void) {
    scratch_write(scratch_path("secret"), "secret:x:0:0:12345678901", 24);
    write_foreign(scratch_path("secret.h5"), NULL);
}

static hid_t new_dataset(hid_t file, const char *name, hid_t create) {
    hsize_t length = 3;
    hid_t space = H5Screate_simple(1, &length, NULL);
    hid_t dataset =
        H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    ck_assert_int_ge(dataset, 0);
    H5Sclose(space);
    H5Pclose(create);
    return dataset;
}

static hid_t new_external(hid_t file, const char *name) {
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(create, scratch_path("secret"), 0, 24);
    return new_dataset(file, name, create);
}

static void add_external_array(hid_t file) {
    H5Dclose(new_external(file, "stolen"));
}

static void add_external_scale(hid_t file) {
    hid_t scale = new_external(file, "stolen"), x = H5Dopen2(file, "x", H5P_DEFAULT);
    H5DSset_scale(scale, "stolen");
    H5DSattach_scale(x, scale, 0);
    H5Dclose(x);
    H5Dclose(scale);
}

static void add_virtual(hid_t file, const char *source) {
    hsize_t length = 3;
    hid_t create = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &length, NULL);
    ck_assert_int_ge(H5Pset_virtual(create, space, source, "x", space), 0);
    H5Sclose(space);
    H5Dclose(new_dataset(file, "stolen", create));
}

static void add_virtual_elsewhere(hid_t file) {
    add_virtual(file, scratch_path("secret.h5"));
}

static void add_virtual_here(hid_t file) {
    add_virtual(file, ".");
}

static void add_link(hid_t file) {
    H5Lcreate_external(scratch_path("secret.h5"), "/x", file, "stolen", H5P_DEFAULT, H5P_DEFAULT);
}

static void add_linked_group(hid_t file) {
    H5Lcreate_external(scratch_path("secret.h5"), "/", file, "mc", H5P_DEFAULT, H5P_DEFAULT);
}

static void add_soft_link(hid_t file) {
    hid_t group = H5Gcreate2(file, "a", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external(scratch_path("secret.h5"), "/", group, "stolen", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/a/stolen/x", file, "y", H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
}

static const struct {
    void (*add)(hid_t file);
    const char *name;
} leads_outside[] = {
    {add_external_array, "stolen"},    {add_external_scale, "stolen"}, {add_virtual_here, "stolen"},
    {add_virtual_elsewhere, "stolen"}, {add_link, "/stolen"},          {add_linked_group, "/mc"},
    {add_soft_link, "/a/stolen"},
};

START_TEST(no_other_file_is_read_through_a_file) {
    nnd_result result;
    nnd_frame *arrays;
    const char *path = scratch_path("a.h5");
    write_secrets();
    write_foreign(path, leads_outside[_i].add);
    assert_status(nnd_result_read(ctx, path, &result), NND_E_INPUT);
    assert_message(leads_outside[_i].name);
    assert_message("into the file");
    assert_status(nnd_data_file_read(ctx, path, &arrays), NND_E_INPUT);
}
END_TEST

static void add_inner_link(hid_t file) {
    H5Lcreate_soft("/x", file, "y", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nowhere", file, "z", H5P_DEFAULT, H5P_DEFAULT);
}

START_TEST(links_within_a_file_are_followed) {
    nnd_result result;
    write_foreign(scratch_path("a.h5"), add_inner_link);
    assert_ok(nnd_result_read(ctx, scratch_path("a.h5"), &result));
    ck_assert(nnd_frame_find(result.mc, "y")->data[2] == 3.0);
    ck_assert_ptr_null(nnd_frame_find(result.mc, "z"));
    nnd_result_clear(&result);
}
END_TEST

START_TEST(a_forged_seal_spares_no_child) {
    nnd_result result;
    const char *path = scratch_path("a.h5");
    write_small(path);
    assert_ok(nnd_result_read(ctx, path, &result));
    nnd_result_clear(&result);
    scratch_forge(path);
    assert_status(nnd_result_read(ctx, path, &result), NND_E_FORMAT);
    assert_message("a.h5: is damaged: HDF5 cannot read it");
}
END_TEST

START_TEST(what_is_no_file_is_not_waited_for) {
    nnd_result result;
    nnd_frame *arrays;
    ck_assert_int_eq(mkfifo(scratch_path("pipe.h5"), 0600), 0);
    assert_status(nnd_data_file_read(ctx, scratch_path("pipe.h5"), &arrays), NND_E_IO);
    assert_message("is not a regular file");
    assert_status(nnd_result_read(ctx, "/dev/zero", &result), NND_E_IO);
    assert_message("is not a regular file");
}
END_TEST

/* The parent of a program may have it ignore SIGCHLD; then nobody learns how a child ended. */
START_TEST(ignored_children_report_all_the_same) {
    nnd_result result;
    const char *path = scratch_path("a.h5");
    ck_assert(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    write_small(path);
    assert_ok(nnd_result_read(ctx, path, &result));
    nnd_result_clear(&result);
    scratch_forge(path);
    assert_status(nnd_result_read(ctx, path, &result), NND_E_FORMAT);
    struct sigaction kept;
    sigaction(SIGCHLD, NULL, &kept);
    ck_assert(kept.sa_handler == SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
}
END_TEST

/* ---- disks and error stacks ---- */

START_TEST(full_disk_keeps_the_old_file) {
    struct rlimit old, small;
    const char *path = scratch_path("a.h5");
    nnd_result back, result = {.theory = new_theory(3000)};
    write_small(path);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    for (rlim_t limit = 0; limit < 200000; limit += 30000) {
        small.rlim_cur = limit;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        nnd_status status = nnd_result_write(ctx, path, &result);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_status(status, NND_E_IO);
        assert_message("a.h5: cannot be written: File too large");
    }
    ck_assert_uint_eq(scratch_count(".*.tmp"), 0);
    assert_ok(nnd_result_read(ctx, path, &back));
    ck_assert_str_eq(back.model, "deep-linear");
    nnd_result_clear(&back);
    nnd_result_clear(&result);
}
END_TEST

START_TEST(error_stack_of_the_caller_is_restored) {
    H5E_auto2_t before, after;
    void *data[2];
    nnd_result result;
    H5Eget_auto2(H5E_DEFAULT, &before, &data[0]);
    scratch_write(scratch_path("a.h5"), "x", 1);
    assert_status(nnd_result_read(ctx, scratch_path("a.h5"), &result), NND_E_FORMAT);
    H5Eget_auto2(H5E_DEFAULT, &after, &data[1]);
    ck_assert(before == after && data[0] == data[1]);
}
END_TEST

/* ---- Python ---- */

/* Runs a script beside this file; false if Python or its packages are missing. */
static bool run_python(const char *script, const char *argument) {
    char command[1024], folder[512];
    snprintf(folder, sizeof folder, "%s", __FILE__);
    char *slash = strrchr(folder, '/');
    ck_assert_ptr_nonnull(slash);
    *slash = '\0';
    snprintf(command, sizeof command, "/usr/bin/python3 %s/%s %s > %s 2>&1", folder, script,
             argument, scratch_path("python.txt"));
    int code = WEXITSTATUS(system(command));
    size_t size;
    char *printed = (char *)scratch_read(scratch_path("python.txt"), &size);
    ck_assert_msg(code == 0 || code == 77 || code == 127, "%s", printed);
    free(printed);
    return code == 0;
}

START_TEST(xarray_opens_files) {
    const char *path = scratch_path("a.h5");
    nnd_result result = {.theory = new_theory(3000), .mc = new_theory(3), .seeds = new_theory(1)};
    assert_ok(nnd_result_write(ctx, path, &result));
    nnd_result_clear(&result);
    run_python("xarray_opens_files.py", path);
}
END_TEST

static void assert_mine(const nnd_frame *f, const char *name, const char *dims) {
    char found[256];
    const nnd_array *loss = nnd_frame_find(f, "loss"), *se = nnd_frame_find(f, "loss_se");
    ck_assert_msg(loss != NULL && se != NULL, "%s", name);
    nnd_array_dims(f, loss, sizeof found, found);
    ck_assert_msg(strcmp(found, dims) == 0, "%s: %s", name, found);
    nnd_array_dims(f, se, sizeof found, found);
    ck_assert_str_eq(found, dims);
    for (size_t i = 0; i < 12; i++) {
        double wanted = i == 1 ? NAN : (double)(i / 4) + (double)(i % 4) / 8.0;
        ck_assert_msg(same_number(loss->data[i], wanted), "%s: loss[%zu] = %g", name, i,
                      loss->data[i]);
        ck_assert(se->data[i] == 0.5);
    }
}

static void assert_gamma_and_t(const nnd_frame *f) {
    const nnd_dim *gamma0 = nnd_frame_find_dim(f, "gamma0"), *t = nnd_frame_find_dim(f, "t");
    ck_assert_int_eq(gamma0->kind, NND_COORD_REAL);
    ck_assert_int_eq(t->kind, NND_COORD_INTEGER);
    ck_assert(gamma0->value[0] == 0.5 && gamma0->value[2] == 2.0 && t->value[3] == 3.0);
}

static void assert_xarray(const nnd_frame *f) {
    const nnd_dim *label = nnd_frame_find_dim(f, "label"), *bare = nnd_frame_find_dim(f, "bare");
    ck_assert(label != NULL && bare != NULL);
    ck_assert_int_eq(label->kind, NND_COORD_TEXT);
    ck_assert_str_eq(label->text[1], "größe");
    ck_assert_int_eq(bare->kind, NND_COORD_INTEGER);
    ck_assert(bare->length == 5 && bare->value[4] == 4.0);
    ck_assert_ptr_null(nnd_frame_find(f, "bare"));
    ck_assert_ptr_null(nnd_frame_find(f, "remark"));
    ck_assert(nnd_frame_find(f, "steps")->data[0] == 7.0);
    ck_assert_str_eq(nnd_frame_find_attribute(f, "loss", "long_name")->text, "test loss");
    ck_assert_str_eq(nnd_frame_find_attribute(f, NULL, "title")->text, "mine");
    ck_assert_str_eq(nnd_frame_find_attribute(f, NULL, "note")->text, "");
    ck_assert(nnd_frame_find_attribute(f, NULL, "width")->number == 64.0);
    for (size_t i = 0; i < nnd_frame_attribute_count(f); i++)
        ck_assert_int_ne(nnd_frame_attribute(f, i)->key[0], '_');
}

START_TEST(files_of_xarray_and_h5py_are_read) {
    static const char *const file[] = {"h5netcdf.h5", "netcdf4.h5", "group.h5", "scales.h5",
                                       "plain.h5"};
    if (!run_python("xarray_writes_mine.py", scratch_folder))
        return;
    for (size_t i = 0; i < 5; i++) {
        nnd_result result;
        assert_ok(nnd_result_read(ctx, scratch_path(file[i]), &result));
        ck_assert(result.model == NULL && result.theory == NULL);
        assert_mine(result.mc, file[i], i < 4 ? "gamma0,t" : "dim_0,dim_1");
        if (i < 4)
            assert_gamma_and_t(result.mc);
        if (i < 2)
            assert_xarray(result.mc);
        if (i == 4) {
            char dims[64];
            const nnd_array *square = nnd_frame_find(result.mc, "square");
            nnd_array_dims(result.mc, square, sizeof dims, dims);
            ck_assert_str_eq(dims, "dim_0,dim_2");
            ck_assert(square->data[8] == 8.0);
            ck_assert_ptr_null(nnd_frame_find(result.mc, "pairs"));
            ck_assert_ptr_null(nnd_frame_find(result.mc, "names"));
        }
        nnd_result_clear(&result);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("hdf5");
    TCase *tcase = tcase_create("hdf5");
    tcase_set_timeout(tcase, 300);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, round_trip_of_everything);
    tcase_add_test(tcase, large_arrays_are_checked_but_not_compressed);
    tcase_add_test(tcase, absent_parts_stay_absent);
    tcase_add_test(tcase, large_and_many_attributes);
    tcase_add_test(tcase, annotations_come_from_the_table);
    tcase_add_test(tcase, newer_schema_is_refused);
    tcase_add_test(tcase, wrong_files_are_refused);
    tcase_add_test(tcase, truncated_files_end_cleanly);
    tcase_add_test(tcase, flipped_bytes_are_found);
    tcase_add_test(tcase, seals_of_earlier_versions_are_still_read);
    tcase_add_test(tcase, absurd_sizes_are_refused);
    tcase_add_loop_test(tcase, no_other_file_is_read_through_a_file, 0,
                        sizeof leads_outside / sizeof *leads_outside);
    tcase_add_test(tcase, links_within_a_file_are_followed);
    tcase_add_test(tcase, a_forged_seal_spares_no_child);
    tcase_add_test(tcase, what_is_no_file_is_not_waited_for);
    tcase_add_test(tcase, ignored_children_report_all_the_same);
    tcase_add_test(tcase, full_disk_keeps_the_old_file);
    tcase_add_test(tcase, error_stack_of_the_caller_is_restored);
    tcase_add_test(tcase, xarray_opens_files);
    tcase_add_test(tcase, files_of_xarray_and_h5py_are_read);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
