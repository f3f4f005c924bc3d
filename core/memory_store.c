/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "nndmft/store.h"

typedef struct {
    char *key;
    nnd_frame *frame;
} entry;

typedef struct {
    size_t count;
    entry *entry;
} shelf;

static entry *find(shelf *s, const char *key) {
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->entry[i].key, key) == 0)
            return &s->entry[i];
    return NULL;
}

static nnd_status memory_has(void *self, nnd_context *ctx, const char *key, bool *found) {
    (void)ctx;
    *found = find(self, key) != NULL;
    return NND_OK;
}

static nnd_status memory_put(void *self, nnd_context *ctx, const char *key,
                             const nnd_frame *frame) {
    shelf *s = self;
    nnd_frame *copy;
    nnd_status status = nnd_frame_stack(ctx, 0, NULL, 1, &frame, &copy);
    if (status != NND_OK)
        return status;
    entry *old = find(s, key);
    if (old != NULL) {
        nnd_frame_free(old->frame);
        old->frame = copy;
        return NND_OK;
    }
    entry *grown = realloc(s->entry, (s->count + 1) * sizeof *grown);
    char *name = strdup(key);
    if (grown != NULL)
        s->entry = grown;
    if (grown == NULL || name == NULL) {
        free(name);
        nnd_frame_free(copy);
        return nnd_fail_memory(ctx, key);
    }
    s->entry[s->count].key = name;
    s->entry[s->count++].frame = copy;
    return NND_OK;
}

static nnd_status memory_get(void *self, nnd_context *ctx, const char *key, nnd_frame **frame) {
    entry *e = find(self, key);
    if (e == NULL)
        return nnd_fail(ctx, NND_E_IO, "the store has no %s", key);
    const nnd_frame *part = e->frame;
    return nnd_frame_stack(ctx, 0, NULL, 1, &part, frame);
}

nnd_store *nnd_memory_store_new(void) {
    nnd_store *store = calloc(1, sizeof *store);
    shelf *s = calloc(1, sizeof *s);
    if (store == NULL || s == NULL) {
        free(store);
        free(s);
        return NULL;
    }
    store->self = s;
    store->has = memory_has;
    store->put = memory_put;
    store->get = memory_get;
    return store;
}

void nnd_memory_store_free(nnd_store *store) {
    if (store == NULL)
        return;
    shelf *s = store->self;
    for (size_t i = 0; i < s->count; i++) {
        free(s->entry[i].key);
        nnd_frame_free(s->entry[i].frame);
    }
    free(s->entry);
    free(s);
    free(store);
}
