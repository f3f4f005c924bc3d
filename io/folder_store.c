/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/hdf5_impl.h"
#include "io/output_impl.h"

typedef struct {
    char *folder, *digest;
    bool force;
    int fd;        /* of the folder; holds the lock */
    void *trusted; /* tree of the keys that this process has written, or a child has read */
} folder_store;

/* ---- shards ---- */

static nnd_status shard_path(const folder_store *s, nnd_context *ctx, const char *key,
                             char **path) {
    if (*key == '\0' || *key == '.' || strchr(key, '/') != NULL)
        return nnd_fail(ctx, NND_E_INPUT, "\"%s\" cannot be the name of a shard", key);
    if (asprintf(path, "%s/%s.h5", s->folder, key) < 0)
        return nnd_fail_memory(ctx, key);
    return NND_OK;
}

static int compare_keys(const void *a, const void *b) {
    return strcmp(a, b);
}

static bool trusts(const folder_store *s, const char *key) {
    return tfind(key, &s->trusted, compare_keys) != NULL;
}

/* Without memory for it the shard is read by a child once more. */
static void trust(folder_store *s, const char *key) {
    char *copy = trusts(s, key) ? NULL : strdup(key);
    if (copy != NULL && tsearch(copy, &s->trusted, compare_keys) == NULL)
        free(copy);
}

/* The frame has a group of its own, so that its attributes and those of the shard cannot clash. */
static const char frame_group[] = "frame";

static nnd_status build(const folder_store *s, nnd_context *ctx, const char *key, const char *path,
                        const nnd_frame *frame, nnd_hdf5_image *image) {
    hid_t file;
    nnd_status status = nnd_hdf5_create(ctx, image, &file);
    if (status != NND_OK)
        return status;
    hid_t group = nnd_hdf5_new_group(file, frame_group);
    status = group >= 0 && nnd_hdf5_set_text(file, "digest", s->digest) &&
                     nnd_hdf5_set_text(file, "key", key)
                 ? nnd_hdf5_write_frame(ctx, path, group, frame)
                 : nnd_fail(ctx, NND_E_IO, "%s: HDF5 cannot store the digest", path);
    H5Gclose(group);
    nnd_status finished = nnd_hdf5_finish(ctx, path, image, file);
    return status != NND_OK ? status : finished;
}

static nnd_status folder_put(void *self, nnd_context *ctx, const char *key,
                             const nnd_frame *frame) {
    folder_store *s = self;
    nnd_hdf5_image image = {0};
    nnd_output *output;
    char *path;
    nnd_status status = shard_path(s, ctx, key, &path);
    if (status != NND_OK)
        return status;
    status = nnd_output_create(ctx, path, &output);
    if (status == NND_OK) {
        H5E_BEGIN_TRY {
            status = build(s, ctx, key, path, frame, &image);
        }
        H5E_END_TRY
        if (status == NND_OK)
            status = nnd_hdf5_save(ctx, path, nnd_output_path(output), &image);
        nnd_status closed = nnd_output_close(ctx, output, status == NND_OK);
        status = status != NND_OK ? status : closed;
    }
    if (status == NND_OK)
        trust(s, key);
    nnd_hdf5_image_clear(&image);
    free(path);
    return status;
}

static bool has_text(hid_t file, const char *attribute, const char *wanted) {
    char *text = nnd_hdf5_get_text(file, attribute);
    bool same = text != NULL && strcmp(text, wanted) == 0;
    free(text);
    return same;
}

/* Opens a shard; `*mine` tells whether it carries the digest of this store, and its own key: a
 * shard under the name of another would pass for it. */
static nnd_status open_shard(const folder_store *s, nnd_context *ctx, const char *key,
                             const char *path, hid_t *file, bool *mine) {
    nnd_status status = nnd_hdf5_open(ctx, path, file);
    if (status != NND_OK)
        return status;
    *mine = has_text(*file, "digest", s->digest) && has_text(*file, "key", key);
    return NND_OK;
}

static nnd_status foreign(nnd_context *ctx, const char *path) {
    return nnd_fail(ctx, NND_E_INPUT,
                    "%s belongs to another case (or another build of nndmft); use --force to "
                    "discard it",
                    path);
}

static nnd_status check_shard(const folder_store *s, nnd_context *ctx, const char *key,
                              const char *path, bool *found) {
    hid_t file;
    bool mine;
    nnd_status status = open_shard(s, ctx, key, path, &file, &mine);
    if (status != NND_OK)
        return status;
    H5Fclose(file);
    *found = mine;
    return mine || s->force ? NND_OK : foreign(ctx, path);
}

static nnd_status read_shard(const folder_store *s, nnd_context *ctx, const char *key,
                             const char *path, nnd_frame **frame) {
    hid_t file;
    bool mine;
    nnd_status status = open_shard(s, ctx, key, path, &file, &mine);
    if (status != NND_OK)
        return status;
    hid_t group = H5Gopen2(file, frame_group, H5P_DEFAULT);
    status = mine ? nnd_hdf5_read_frame(ctx, path, group, frame) : foreign(ctx, path);
    H5Gclose(group);
    H5Fclose(file);
    return status;
}

/* A shard to be read by a child first. */
typedef struct {
    const folder_store *store;
    const char *key, *path;
} candidate;

static nnd_status read_and_forget(nnd_context *ctx, const void *user) {
    const candidate *c = user;
    nnd_frame *frame = NULL;
    bool mine;
    nnd_status status;
    H5E_BEGIN_TRY {
        status = check_shard(c->store, ctx, c->key, c->path, &mine);
        if (status == NND_OK && mine)
            status = read_shard(c->store, ctx, c->key, c->path, &frame);
    }
    H5E_END_TRY
    nnd_frame_free(frame);
    return status;
}

/* Lets nothing through that is damaged, or that this process cannot read without risk. */
static nnd_status vet(folder_store *s, nnd_context *ctx, const char *key, const char *path) {
    nnd_status status = nnd_hdf5_check(ctx, path, true);
    if (status != NND_OK || trusts(s, key))
        return status;
    status = nnd_hdf5_rehearse(ctx, path, read_and_forget, &(candidate){s, key, path});
    if (status == NND_OK)
        trust(s, key);
    return status;
}

static nnd_status folder_has(void *self, nnd_context *ctx, const char *key, bool *found) {
    folder_store *s = self;
    char *path;
    *found = false;
    nnd_status status = shard_path(s, ctx, key, &path);
    if (status != NND_OK)
        return status;
    if (access(path, F_OK) == 0) {
        status = vet(s, ctx, key, path);
        if (status == NND_OK) {
            H5E_BEGIN_TRY {
                status = check_shard(s, ctx, key, path, found);
            }
            H5E_END_TRY
        }
    }
    if (status == NND_E_FORMAT) {
        nnd_log(ctx, NND_LOG_WARNING, "%s and will be computed again", nnd_context_message(ctx));
        status = NND_OK;
    }
    free(path);
    return status;
}

static nnd_status folder_get(void *self, nnd_context *ctx, const char *key, nnd_frame **frame) {
    folder_store *s = self;
    char *path;
    nnd_status status = shard_path(s, ctx, key, &path);
    if (status != NND_OK)
        return status;
    status = vet(s, ctx, key, path);
    if (status == NND_OK) {
        H5E_BEGIN_TRY {
            status = read_shard(s, ctx, key, path, frame);
        }
        H5E_END_TRY
    }
    free(path);
    return status;
}

/* ---- the folder ---- */

static nnd_status lock(const folder_store *s, nnd_context *ctx) {
    if (nnd_context_rank(ctx) != 0)
        return NND_OK;
    if (flock(s->fd, LOCK_EX | LOCK_NB) == 0) {
        nnd_output_sweep(s->folder, NULL);
        return NND_OK;
    }
    if (errno == EWOULDBLOCK)
        return nnd_fail(ctx, NND_E_IO, "another nndmft is writing to %s", s->folder);
    nnd_log(ctx, NND_LOG_WARNING,
            "%s cannot be locked (%s): do not let two runs write to it at once", s->folder,
            strerror(errno));
    return NND_OK;
}

static nnd_status open_folder(nnd_context *ctx, folder_store *s) {
    if (mkdir(s->folder, 0777) != 0 && errno != EEXIST)
        return nnd_fail(ctx, NND_E_IO, "%s: cannot create the folder: %s", s->folder,
                        strerror(errno));
    s->fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->fd < 0 || access(s->folder, W_OK | X_OK) != 0)
        return nnd_fail(ctx, NND_E_IO, "%s: %s", s->folder, strerror(errno));
    return lock(s, ctx);
}

static void store_free(folder_store *s) {
    if (s == NULL)
        return;
    if (s->fd >= 0)
        close(s->fd);
    tdestroy(s->trusted, free);
    free(s->folder);
    free(s->digest);
    free(s);
}

nnd_status nnd_folder_store_open(nnd_context *ctx, const char *folder, const char *digest,
                                 bool force, nnd_store **store) {
    nnd_status status = NND_OK;
    nnd_store *interface = calloc(1, sizeof *interface);
    folder_store *s = calloc(1, sizeof *s);
    if (s != NULL)
        *s = (folder_store){strdup(folder), strdup(digest), force, -1, NULL};
    if (interface == NULL || s == NULL || s->folder == NULL || s->digest == NULL)
        status = nnd_fail_memory(ctx, folder);
    else
        status = open_folder(ctx, s);
    if (status != NND_OK) {
        store_free(s);
        free(interface);
        return status;
    }
    *interface = (nnd_store){s, folder_has, folder_put, folder_get};
    *store = interface;
    return NND_OK;
}

void nnd_folder_store_close(nnd_store *store) {
    if (store == NULL)
        return;
    store_free(store->self);
    free(store);
}
