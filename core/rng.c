/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/rng.h"

#include <Random123/threefry.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

/* One substream: the key names the network and the stream, counter word 1 the index, word 0 counts
 * blocks of 4 x 64 bits, handed out as eight numbers of 32 bits. */
typedef struct {
    threefry4x64_key_t key;
    threefry4x64_ctr_t counter, block;
    unsigned used;
} substream;

enum { WORDS = 8 };

static unsigned long next_word(void *state) {
    substream *s = state;
    if (s->used == WORDS) {
        s->block = threefry4x64(s->counter, s->key);
        s->counter.v[0]++;
        s->used = 0;
    }
    uint64_t word = s->block.v[s->used / 2] >> (32 * (s->used % 2));
    s->used++;
    return (unsigned long)(word & 0xffffffffU);
}

static double next_double(void *state) {
    return (double)next_word(state) / 4294967296.0;
}

static void set_nothing(void *state, unsigned long seed) {
    (void)state;
    (void)seed;
}

static const gsl_rng_type threefry_type = {
    NND_RNG_NAME, 0xffffffffUL, 0, sizeof(substream), set_nothing, next_word, next_double,
};

void nnd_rng_normals(nnd_rng_key key, uint32_t stream, uint64_t index, size_t n, double *x) {
    substream state = {
        .key = {{key.base_seed, key.seed, key.size, stream}},
        .counter = {{0, index, 0, 0}},
        .used = WORDS,
    };
    const gsl_rng rng = {&threefry_type, &state};
    for (size_t i = 0; i < n; i++)
        x[i] = gsl_ran_gaussian_ziggurat(&rng, 1.0);
}

void nnd_rng_words(nnd_rng_key key, uint32_t stream, uint64_t index, size_t n, uint64_t *word) {
    threefry4x64_key_t k = {{key.base_seed, key.seed, key.size, stream}};
    for (size_t i = 0; i < n; i += 4) {
        const threefry4x64_ctr_t counter = {{i / 4, index, 0, 0}};
        threefry4x64_ctr_t block = threefry4x64(counter, k);
        for (size_t j = 0; j < 4 && i + j < n; j++)
            word[i + j] = block.v[j];
    }
}
