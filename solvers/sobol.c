/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/sobol.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_qrng.h>
#include <stdlib.h>

#include "core/rng.h"

/* GSL's generator has this many dimensions. */
enum { DIMENSIONS = 40 };

struct nnd_sobol {
    size_t sites;
    unsigned levels; /* sites = 2^levels */
    uint32_t *cell;  /* cell[d * sites + i]: which of `sites` equal intervals point i is in */
};

struct nnd_scramble {
    const nnd_sobol *net;
    nnd_rng_key key;
    uint32_t stream;
    size_t run;      /* of DIMENSIONS dimensions, whose order of points is held */
    uint32_t *order; /* of the points; as they are in run 0 */
    uint32_t *image; /* where scrambling sends each cell */
    uint64_t *word;
};

/* ---- the net ---- */

/* GSL leaves the origin out; with it the first 2^m points fill every cell of every axis once. */
static void fill_net(nnd_sobol *net, gsl_qrng *generator) {
    double point[DIMENSIONS] = {0.0};
    for (size_t i = 0; i < net->sites; i++) {
        for (size_t d = 0; d < DIMENSIONS; d++)
            net->cell[d * net->sites + i] = (uint32_t)(point[d] * (double)net->sites);
        gsl_qrng_get(generator, point);
    }
}

nnd_status nnd_sobol_new(nnd_context *ctx, size_t sites, nnd_sobol **net) {
    enum { MAX_LEVELS = 24 };
    unsigned levels = 0;
    while (levels < MAX_LEVELS && (size_t)1 << levels < sites)
        levels++;
    if (levels == 0 || (size_t)1 << levels != sites)
        return nnd_fail(ctx, NND_E_INPUT, "%zu Sobol points; allowed: a power of two from 2 to %d",
                        sites, 1 << MAX_LEVELS);
    nnd_sobol *n = calloc(1, sizeof *n);
    gsl_qrng *generator = gsl_qrng_alloc(gsl_qrng_sobol, DIMENSIONS);
    if (n != NULL)
        n->cell = calloc(DIMENSIONS * sites, sizeof *n->cell);
    if (n == NULL || n->cell == NULL || generator == NULL) {
        nnd_sobol_free(n);
        if (generator != NULL)
            gsl_qrng_free(generator);
        return nnd_fail_memory(ctx, "the Sobol net");
    }
    n->sites = sites;
    n->levels = levels;
    fill_net(n, generator);
    gsl_qrng_free(generator);
    *net = n;
    return NND_OK;
}

void nnd_sobol_free(nnd_sobol *net) {
    if (net == NULL)
        return;
    free(net->cell);
    free(net);
}

/* ---- scrambling ---- */

nnd_status nnd_scramble_new(nnd_context *ctx, const nnd_sobol *net, nnd_rng_key key,
                            uint32_t stream, nnd_scramble **scramble) {
    nnd_scramble *s = calloc(1, sizeof *s);
    if (s == NULL)
        return nnd_fail_memory(ctx, "a scrambling");
    *s = (nnd_scramble){.net = net, .key = key, .stream = stream};
    s->order = calloc(net->sites, sizeof *s->order);
    s->image = calloc(net->sites, sizeof *s->image);
    s->word = calloc(net->sites, sizeof *s->word);
    if (s->order == NULL || s->image == NULL || s->word == NULL) {
        nnd_scramble_free(s);
        return nnd_fail_memory(ctx, "a scrambling");
    }
    for (size_t i = 0; i < net->sites; i++)
        s->order[i] = (uint32_t)i;
    *scramble = s;
    return NND_OK;
}

void nnd_scramble_free(nnd_scramble *scramble) {
    if (scramble == NULL)
        return;
    free(scramble->order);
    free(scramble->image);
    free(scramble->word);
    free(scramble);
}

/* What the random words of a dimension are for. */
typedef enum { FLIPS, WITHIN_CELLS, ORDER, PURPOSES } purpose;

static void draw_words(nnd_scramble *s, purpose what, size_t which, size_t n) {
    nnd_rng_words(s->key, s->stream, which * PURPOSES + what, n, s->word);
}

/* Nested uniform scrambling: below every prefix of bits, the next bit is flipped or not. The prefix
 * p of b bits has the number 2^b + p. Images of prefixes of b + 1 bits follow from those of b. */
static void scramble_cells(nnd_scramble *s) {
    s->image[0] = 0;
    for (unsigned b = 0; b < s->net->levels; b++)
        for (size_t p = (size_t)1 << b; p-- > 0;) {
            size_t number = ((size_t)1 << b) + p;
            uint32_t flip = (uint32_t)(s->word[number / 64] >> (number % 64) & 1);
            uint32_t image = s->image[p] << 1;
            s->image[2 * p] = image | flip;
            s->image[2 * p + 1] = image | (1U - flip);
        }
}

/* A new random order of the points (Fisher and Yates). */
static void shuffle_points(nnd_scramble *s, size_t run) {
    size_t n = s->net->sites;
    for (size_t i = 0; i < n; i++)
        s->order[i] = (uint32_t)i;
    s->run = run;
    if (run == 0)
        return;
    draw_words(s, ORDER, run, n);
    for (size_t i = n; i-- > 1;) {
        /* The product is below 2^56, and its upper part uniform over 0..i to 2^-32. */
        size_t j = (size_t)((s->word[i] >> 32) * (i + 1) >> 32);
        uint32_t swap = s->order[i];
        s->order[i] = s->order[j];
        s->order[j] = swap;
    }
}

void nnd_scramble_normals(nnd_scramble *s, size_t dim, double *x) {
    size_t n = s->net->sites, run = dim / DIMENSIONS;
    const uint32_t *cell = s->net->cell + dim % DIMENSIONS * n;
    if (run != s->run)
        shuffle_points(s, run);
    draw_words(s, FLIPS, dim, (n + 63) / 64);
    scramble_cells(s);
    draw_words(s, WITHIN_CELLS, dim, n);
    for (size_t i = 0; i < n; i++) {
        double within = ((double)(s->word[i] >> 32) + 0.5) / 4294967296.0;
        x[i] = gsl_cdf_ugaussian_Pinv(((double)s->image[cell[s->order[i]]] + within) / (double)n);
    }
}
