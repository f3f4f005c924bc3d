/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/hash.h"
#include "io/hdf5_impl.h"

/* ---- seals ---- */

enum { SEAL = 64 };

/* How a seal begins, by the hash it holds: XXH64 over blocks, and what was written before. */
static const char seal_mark[] = "\nnndmft seal, xxh64:", old_mark[] = "\nnndmft seal:";
enum { BLOCK = 1 << 14 };

static void write_seal(const char *mark, uint64_t h, size_t size, unsigned char seal[SEAL]) {
    memset(seal, 0, SEAL);
    snprintf((char *)seal, SEAL, "%s %zu bytes %016" PRIx64 "\n", mark, size, h);
}

static void seal_bytes(size_t size, unsigned char *bytes) {
    uint64_t h = 0;
    for (size_t first = 0; first < size; first += BLOCK)
        h = nnd_hash(h, bytes + first, size - first < BLOCK ? size - first : BLOCK);
    write_seal(seal_mark, h, size, bytes + size);
}

typedef enum { UNSEALED, WHOLE, DAMAGED } seal_state;

/* The mark that a file ends with 64 bytes after; NULL: no seal. */
static const char *find_mark(FILE *file, size_t size, unsigned char found[SEAL]) {
    static const char *const marks[] = {seal_mark, old_mark};
    if (size < SEAL || fseeko(file, (off_t)(size - SEAL), SEEK_SET) != 0 ||
        fread(found, SEAL, 1, file) != 1)
        return NULL;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (memcmp(found, marks[i], strlen(marks[i])) == 0)
            return marks[i];
    return NULL;
}

/* Compares the contents of a file with its seal. */
static seal_state compare_seal(FILE *file, size_t size) {
    unsigned char found[SEAL], wanted[SEAL], block[BLOCK];
    const char *mark = find_mark(file, size, found);
    if (mark == NULL)
        return UNSEALED;
    bool old = mark == old_mark;
    uint64_t h = old ? NND_FNV_START : 0;
    rewind(file);
    for (size_t n, rest = size - SEAL; rest > 0; rest -= n) {
        n = rest < BLOCK ? rest : BLOCK;
        if (fread(block, 1, n, file) != n)
            return DAMAGED;
        h = old ? nnd_hash_fnv(h, block, n) : nnd_hash(h, block, n);
    }
    write_seal(mark, h, size - SEAL, wanted);
    return memcmp(found, wanted, SEAL) == 0 ? WHOLE : DAMAGED;
}

static seal_state check_seal(const char *path, size_t size) {
    FILE *file = fopen(path, "rbe");
    seal_state state = file != NULL ? compare_seal(file, size) : UNSEALED;
    if (file != NULL)
        fclose(file);
    return state;
}

/* ---- files in memory ---- */

static void *image_malloc(size_t size, H5FD_file_image_op_t operation, void *user) {
    nnd_hdf5_image *image = user;
    (void)operation;
    image->size = size;
    return malloc(size);
}

static void *image_realloc(void *bytes, size_t size, H5FD_file_image_op_t operation, void *user) {
    nnd_hdf5_image *image = user;
    (void)operation;
    image->size = size;
    return realloc(bytes, size);
}

/* Takes the file over at the moment HDF5 is done with it. */
static herr_t image_free(void *bytes, H5FD_file_image_op_t operation, void *user) {
    nnd_hdf5_image *image = user;
    if (operation == H5FD_FILE_IMAGE_OP_FILE_CLOSE)
        image->bytes = bytes;
    else
        free(bytes);
    return 0;
}

static void *same_user(void *user) {
    return user;
}

static herr_t keep_user(void *user) {
    (void)user;
    return 0;
}

/* Checksummed metadata; readable by HDF5 1.10 and newer whatever library writes. */
static hid_t memory_access(nnd_hdf5_image *image) {
    enum { INCREMENT = 1 << 20 };
    H5FD_file_image_callbacks_t callbacks = {
        .image_malloc = image_malloc,
        .image_realloc = image_realloc,
        .image_free = image_free,
        .udata_copy = same_user,
        .udata_free = keep_user,
        .udata = image,
    };
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0 || H5Pset_fapl_core(access, INCREMENT, false) < 0 ||
        H5Pset_file_image_callbacks(access, &callbacks) < 0 ||
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) < 0 ||
        H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) < 0) {
        H5Pclose(access);
        return H5I_INVALID_HID;
    }
    return access;
}

static const unsigned creation_order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;

nnd_status nnd_hdf5_create(nnd_context *ctx, nnd_hdf5_image *image, hid_t *file) {
    /* HDF5 looks for the name on disk first: one that no disk can have. */
    static const char name[] = "/dev/null/nndmft";
    nnd_status status = NND_OK;
    *image = (nnd_hdf5_image){0};
    *file = H5I_INVALID_HID;
    hid_t access = memory_access(image);
    hid_t create = H5Pcreate(H5P_FILE_CREATE);
    if (access >= 0 && H5Pset_link_creation_order(create, creation_order) >= 0 &&
        H5Pset_attr_creation_order(create, creation_order) >= 0 &&
        H5Pset_obj_track_times(create, false) >= 0)
        *file = H5Fcreate(name, H5F_ACC_TRUNC, create, access);
    if (*file < 0)
        status = nnd_fail_memory(ctx, "an HDF5 file");
    H5Pclose(create);
    H5Pclose(access);
    return status;
}

nnd_status nnd_hdf5_finish(nnd_context *ctx, const char *path, nnd_hdf5_image *image, hid_t file) {
    enum { END_OF_FILE = 28 }; /* where a superblock of version 2 or 3 keeps it, 8 bytes */
    if (H5Fclose(file) < 0 || image->bytes == NULL)
        return nnd_fail_memory(ctx, path);
    uint64_t end = 0;
    for (size_t i = 0; i < sizeof end; i++)
        end |= (uint64_t)image->bytes[END_OF_FILE + i] << (8 * i);
    if (end > image->size)
        return nnd_fail(ctx, NND_E_IO, "%s: HDF5 left an incomplete file", path);
    unsigned char *bytes = realloc(image->bytes, end + SEAL);
    if (bytes == NULL)
        return nnd_fail_memory(ctx, path);
    seal_bytes(end, bytes);
    *image = (nnd_hdf5_image){bytes, end + SEAL};
    return NND_OK;
}

nnd_status nnd_hdf5_save(nnd_context *ctx, const char *path, const char *temporary,
                         const nnd_hdf5_image *image) {
    const size_t most = (size_t)1 << 30;
    int fd = open(temporary, O_WRONLY | O_TRUNC | O_CLOEXEC);
    bool done = fd >= 0;
    int error = errno;
    for (size_t written = 0; done && written < image->size;) {
        size_t rest = image->size - written;
        ssize_t n = write(fd, image->bytes + written, rest < most ? rest : most);
        if (n < 0 && errno == EINTR)
            continue;
        done = n > 0;
        error = n == 0 ? ENOSPC : errno;
        written += done ? (size_t)n : 0;
    }
    if (fd >= 0 && close(fd) != 0 && done) {
        done = false;
        error = errno;
    }
    return done ? NND_OK
                : nnd_fail(ctx, NND_E_IO, "%s: cannot be written: %s", path, strerror(error));
}

void nnd_hdf5_image_clear(nnd_hdf5_image *image) {
    free(image->bytes);
    *image = (nnd_hdf5_image){0};
}

/* ---- files on disk ---- */

nnd_status nnd_hdf5_check(nnd_context *ctx, const char *path, bool sealed) {
    struct stat st;
    if (stat(path, &st) != 0 || access(path, R_OK) != 0)
        return nnd_fail(ctx, NND_E_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return nnd_fail(ctx, NND_E_IO, "%s: is not a regular file", path);
    seal_state seal = check_seal(path, (size_t)st.st_size);
    if (seal == DAMAGED || (sealed && seal == UNSEALED))
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged or truncated", path);
    return NND_OK;
}

/* Stops at a link that leads out of the file, and keeps its name. */
static herr_t check_link(hid_t group, const char *name, const H5L_info_t *link, void *user) {
    char **outside = user;
    (void)group;
    if (link->type == H5L_TYPE_HARD || link->type == H5L_TYPE_SOFT)
        return 0;
    *outside = strdup(name);
    return 1;
}

/*
 * Whatever a file names must lie in it: through a link to another file a stranger's file would have
 * any file of the user's read, and a device read for ever. Soft links end within the file once
 * there are no others.
 */
static nnd_status check_links(nnd_context *ctx, const char *path, hid_t file) {
    char *outside = NULL;
    herr_t found = H5Lvisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, check_link, &outside);
    nnd_status status = NND_OK;
    if (found > 0)
        status = nnd_fail(ctx, NND_E_INPUT,
                          "%s: /%s is a link to another file, which is not followed; copy what it "
                          "stands for into the file",
                          path, outside != NULL ? outside : "");
    else if (found < 0)
        status = nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged or truncated", path);
    free(outside);
    return status;
}

/* Files are replaced whole, never changed in place; some file systems have no locks. */
static hid_t open_unlocked(const char *path) {
    hid_t plist = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_file_locking(plist, false, true);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, plist);
    H5Pclose(plist);
    return file;
}

/*
 * A file that something else in the process has open is opened only with that one's locks and way
 * to close it: netCDF says SEMI, h5py STRONG.
 */
static hid_t open_beside_others(const char *path) {
    static const H5F_close_degree_t degree[] = {H5F_CLOSE_DEFAULT, H5F_CLOSE_SEMI,
                                                H5F_CLOSE_STRONG};
    hid_t plist = H5Pcreate(H5P_FILE_ACCESS), file = H5I_INVALID_HID;
    for (size_t i = 0; file < 0 && i < sizeof degree / sizeof *degree; i++) {
        H5Pset_fclose_degree(plist, degree[i]);
        file = H5Fopen(path, H5F_ACC_RDONLY, plist);
    }
    H5Pclose(plist);
    return file;
}

nnd_status nnd_hdf5_open(nnd_context *ctx, const char *path, hid_t *file) {
    if (H5Fis_hdf5(path) <= 0)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is not an HDF5 file", path);
    *file = open_unlocked(path);
    if (*file < 0)
        *file = open_beside_others(path);
    if (*file < 0)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: is damaged or truncated", path);
    nnd_status status = check_links(ctx, path, *file);
    if (status != NND_OK)
        H5Fclose(*file);
    return status;
}

/* A dataset whose numbers are elsewhere would have any file of the user's read. What a virtual one
 * refers to can in turn be elsewhere. */
nnd_status nnd_hdf5_check_inside(nnd_context *ctx, const char *path, const char *name,
                                 hid_t dataset) {
    hid_t create = H5Dget_create_plist(dataset);
    int external = H5Pget_external_count(create);
    H5D_layout_t layout = H5Pget_layout(create);
    H5Pclose(create);
    if (external < 0 || layout < 0)
        return nnd_fail(ctx, NND_E_FORMAT, "%s: %s cannot be read: damaged or of an unknown kind",
                        path, name);
    if (external == 0 && layout != H5D_VIRTUAL)
        return NND_OK;
    return nnd_fail(ctx, NND_E_INPUT,
                    "%s: the numbers of %s are not in the file but in %s, which is not read; copy "
                    "them into the file",
                    path, name,
                    external > 0 ? "another (external storage)" : "others (a virtual dataset)");
}

/* ---- groups and attributes ---- */

hid_t nnd_hdf5_new_group(hid_t parent, const char *name) {
    hid_t group = H5I_INVALID_HID;
    hid_t create = H5Pcreate(H5P_GROUP_CREATE);
    if (H5Pset_link_creation_order(create, creation_order) >= 0 &&
        H5Pset_attr_creation_order(create, creation_order) >= 0 &&
        H5Pset_obj_track_times(create, false) >= 0)
        group = H5Gcreate2(parent, name, H5P_DEFAULT, create, H5P_DEFAULT);
    H5Pclose(create);
    return group;
}

static bool set_scalar(hid_t object, const char *key, hid_t file_type, hid_t memory_type,
                       const void *value) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, key, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool done = attribute >= 0 && H5Awrite(attribute, memory_type, value) >= 0;
    H5Aclose(attribute);
    H5Sclose(space);
    return done;
}

bool nnd_hdf5_set_text(hid_t object, const char *key, const char *text) {
    size_t length = strlen(text);
    hid_t type = H5Tcopy(H5T_C_S1);
    /* HDF5 has no strings of length 0: an empty one is a single padding byte. */
    bool done = H5Tset_size(type, length > 0 ? length : 1) >= 0 &&
                H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0 &&
                H5Tset_cset(type, H5T_CSET_UTF8) >= 0 && set_scalar(object, key, type, type, text);
    H5Tclose(type);
    return done;
}

bool nnd_hdf5_set_number(hid_t object, const char *key, double number) {
    return set_scalar(object, key, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &number);
}

bool nnd_hdf5_set_integer(hid_t object, const char *key, int64_t number) {
    return set_scalar(object, key, H5T_STD_I64LE, H5T_NATIVE_INT64, &number);
}

static char *read_text(hid_t attribute, hid_t type, hid_t space) {
    char *text = NULL;
    if (H5Tis_variable_str(type) > 0) {
        char *value = NULL;
        if (H5Aread(attribute, type, &value) >= 0) {
            text = strdup(value != NULL ? value : "");
            H5Dvlen_reclaim(type, space, H5P_DEFAULT, &value);
        }
        return text;
    }
    size_t size = H5Tget_size(type);
    text = calloc(1, size + 1);
    if (text != NULL && H5Aread(attribute, type, text) < 0) {
        free(text);
        return NULL;
    }
    if (text != NULL && H5Tget_strpad(type) == H5T_STR_SPACEPAD)
        for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
            text[n - 1] = '\0';
    return text;
}

/* An integer that no double equals, digit by digit. */
static char *digits(hid_t attribute, hid_t type) {
    bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
    int64_t number = 0;
    uint64_t natural = 0;
    char *text = NULL;
    int length = -1;
    if (is_signed && H5Aread(attribute, H5T_NATIVE_INT64, &number) >= 0)
        length = asprintf(&text, "%" PRId64, number);
    else if (!is_signed && H5Aread(attribute, H5T_NATIVE_UINT64, &natural) >= 0)
        length = asprintf(&text, "%" PRIu64, natural);
    return length < 0 ? NULL : text;
}

nnd_hdf5_kind nnd_hdf5_read_attribute(hid_t attribute, char **text, double *number) {
    nnd_hdf5_kind kind = NND_HDF5_OTHER;
    hid_t type = H5Aget_type(attribute);
    hid_t space = H5Aget_space(attribute);
    H5T_class_t class = H5Tget_class(type);
    *text = NULL;
    if (class == H5T_STRING && H5Sget_simple_extent_type(space) == H5S_NULL) {
        *text = strdup(""); /* how h5py writes an empty text */
    } else if (H5Sget_simple_extent_npoints(space) == 1) {
        if (class == H5T_STRING)
            *text = read_text(attribute, type, space);
        else if ((class == H5T_INTEGER || class == H5T_FLOAT) &&
                 H5Aread(attribute, H5T_NATIVE_DOUBLE, number) >= 0)
            kind = NND_HDF5_NUMBER;
        if (class == H5T_INTEGER && kind == NND_HDF5_NUMBER && fabs(*number) > NND_LARGEST_INTEGER)
            *text = digits(attribute, type);
    }
    if (*text != NULL)
        kind = NND_HDF5_TEXT;
    H5Sclose(space);
    H5Tclose(type);
    return kind;
}

char *nnd_hdf5_get_text(hid_t object, const char *key) {
    char *text = NULL;
    double number;
    if (H5Aexists(object, key) > 0) {
        hid_t attribute = H5Aopen(object, key, H5P_DEFAULT);
        nnd_hdf5_read_attribute(attribute, &text, &number);
        H5Aclose(attribute);
    }
    return text;
}

double nnd_hdf5_get_number(hid_t object, const char *key, double fallback) {
    double number = fallback;
    if (H5Aexists(object, key) > 0) {
        char *text;
        hid_t attribute = H5Aopen(object, key, H5P_DEFAULT);
        nnd_hdf5_read_attribute(attribute, &text, &number);
        H5Aclose(attribute);
        free(text);
    }
    return number;
}
