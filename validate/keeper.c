/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hand_over.h"

enum { NAME_SIZE = 32, DIMS_SIZE = 96 };

static nnd_status add_matrix(const nnd_keeper *keeper, size_t l) {
    char name[NAME_SIZE], dims[DIMS_SIZE];
    snprintf(name, sizeof name, "W%zu", l);
    snprintf(dims, sizeof dims, "t,unit%zu,unit%zu", l + 1, l);
    nnd_status status = nnd_frame_add(keeper->frame, name, dims, NULL);
    if (status == NND_OK)
        status = nnd_frame_set_text(keeper->frame, name, "long_name",
                                    "weights of the network of seed 0, as they act");
    return status == NND_OK ? nnd_frame_set_text(keeper->frame, name, "units", "1") : status;
}

nnd_status nnd_keeper_make(nnd_keeper *keeper, const nnd_frame *records, size_t layers,
                           const size_t *unit) {
    nnd_context *ctx = nnd_frame_context(records);
    const nnd_dim *t = nnd_frame_find_dim(records, "t");
    keeper->layers = layers;
    if (t == NULL)
        return nnd_fail(ctx, NND_E_INPUT,
                        "simulate.storage: no time is recorded to keep weights at");
    nnd_status status = nnd_frame_new(ctx, &keeper->frame);
    if (status == NND_OK)
        status = nnd_frame_copy_dim(keeper->frame, t);
    for (size_t l = 0; status == NND_OK && l <= layers; l++) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "unit%zu", l);
        status = nnd_frame_add_range(keeper->frame, name, unit[l], 0.0);
    }
    for (size_t l = 0; status == NND_OK && l < layers; l++)
        status = add_matrix(keeper, l);
    return status;
}

nnd_status nnd_keeper_make_of_network(nnd_keeper *keeper, const nnd_frame *records,
                                      const nnd_network *net) {
    size_t *unit = calloc(net->layers + 1, sizeof *unit);
    if (unit == NULL)
        return nnd_fail_memory(nnd_frame_context(records), "the kept weights");
    unit[0] = net->inputs;
    for (size_t l = 0; l < net->layers; l++)
        unit[l + 1] = net->layer[l].rows;
    nnd_status status = nnd_keeper_make(keeper, records, net->layers, unit);
    free(unit);
    return status;
}

/* The arrays of a frame stand in the order in which they were added. */
static const nnd_array *matrix(const nnd_keeper *keeper, size_t l) {
    return nnd_frame_array(keeper->frame, l);
}

static size_t numbers(const nnd_array *array) {
    return array->count / array->shape[0];
}

double *nnd_keeper_at(const nnd_keeper *keeper, size_t l, size_t i) {
    return matrix(keeper, l)->data + i * numbers(matrix(keeper, l));
}

void nnd_keeper_take(const nnd_keeper *keeper, const nnd_network *net, size_t b, size_t i) {
    for (size_t l = 0; l < keeper->layers; l++) {
        const double *w = nnd_network_weights(net, l, b);
        double *to = nnd_keeper_at(keeper, l, i);
        for (size_t k = 0; k < numbers(matrix(keeper, l)); k++)
            to[k] = net->layer[l].scale * w[k];
    }
}

void nnd_keeper_repeat(const nnd_keeper *keeper, size_t from, size_t to) {
    for (size_t l = 0; l < keeper->layers; l++)
        memcpy(nnd_keeper_at(keeper, l, to), nnd_keeper_at(keeper, l, from),
               numbers(matrix(keeper, l)) * sizeof(double));
}

double nnd_keeper_bytes(double weights, double times) {
    return weights * times * sizeof(double);
}

nnd_status nnd_keep(nnd_context *ctx, nnd_keeper_training train, const void *params, size_t size,
                    uint64_t base_seed, size_t count, nnd_frame **weights) {
    nnd_keeper keeper = {0};
    nnd_frame *records = NULL;
    nnd_status status = train(ctx, params, size, base_seed, 0, count, &keeper, &records);
    nnd_frame_free(records);
    nnd_hand_over(status == NND_OK, keeper.frame, weights);
    return status;
}
