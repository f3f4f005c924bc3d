/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Standard errors of measures of similarity over the spread of the measures: 200 pairs of Gaussian
 * samples of each kind, so that a ratio is known to 5 %. What similarity.md#s4 promises is that
 * errors are neither less than .8 of the spread nor more than 1.6 of it. Prints its table.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "nndmft/similarity.h"

enum { PAIRS = 200 };
static const double LEAST = 0.8, MOST = 1.6;

typedef struct {
    size_t n, width, neighbours;
    double rho;
} setting;

static const setting SETTINGS[] = {
    {200, 5, 10, 0.8}, {400, 1, 10, 0.9}, {60, 3, 5, 0.95}, {100, 20, 5, 0.8}, {200, 5, 10, 0.0},
};

static const int MEASURES[] = {NND_SIMILARITY_CKA, NND_SIMILARITY_PROCRUSTES,
                               NND_SIMILARITY_CCA, NND_SIMILARITY_RSA_PEARSON,
                               NND_SIMILARITY_KNN, NND_SIMILARITY_IMBALANCE_AB};
enum { COUNT = sizeof MEASURES / sizeof *MEASURES };

typedef struct {
    double sum, sum2, error2;
} moments;

static nnd_status add_pair(nnd_context *ctx, const setting *s, size_t pair, moments *m) {
    size_t count = s->n * s->width;
    double *x = malloc(count * sizeof *x), *y = malloc(count * sizeof *y);
    nnd_similarity_options o = nnd_similarity_defaults();
    nnd_similarity result[NND_SIMILARITIES];
    o.key = (nnd_rng_key){77, pair, s->n};
    o.permutations = 0;
    o.neighbours = s->neighbours;
    memset(o.wanted, 0, sizeof o.wanted);
    for (int k = 0; k < COUNT; k++)
        o.wanted[MEASURES[k]] = true;
    nnd_rng_normals(o.key, 1, 0, count, x);
    nnd_rng_normals(o.key, 2, 0, count, y);
    for (size_t i = 0; i < count; i++)
        y[i] = s->rho * x[i] + sqrt(1.0 - s->rho * s->rho) * y[i];
    const nnd_representations r = {s->n, {s->width, s->width}, {x, y}, {NULL, NULL}};
    nnd_status status = nnd_similarity_measure_all(ctx, &r, &o, result);
    for (int k = 0; status == NND_OK && k < COUNT; k++) {
        const nnd_similarity *t = &result[MEASURES[k]];
        m[k].sum += t->value;
        m[k].sum2 += t->value * t->value;
        m[k].error2 += t->value_se * t->value_se;
    }
    free(x);
    free(y);
    return status;
}

static double ratio(const moments *m) {
    double mean = m->sum / PAIRS, variance = (m->sum2 - PAIRS * mean * mean) / (PAIRS - 1);
    return sqrt(m->error2 / PAIRS / variance);
}

int main(void) {
    nnd_context *ctx = nnd_context_new(NULL);
    int failed = 0;
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++) {
        const setting *s = &SETTINGS[i];
        moments m[COUNT] = {{0.0, 0.0, 0.0}};
        for (size_t pair = 0; pair < PAIRS; pair++)
            if (add_pair(ctx, s, pair, m) != NND_OK) {
                fprintf(stderr, "%s\n", nnd_context_message(ctx));
                return EXIT_FAILURE;
            }
        printf("| %zu, %zu, %g, %zu |", s->n, s->width, s->rho, s->neighbours);
        for (int k = 0; k < COUNT; k++) {
            printf(" %.2f |", ratio(&m[k]));
            failed += !(ratio(&m[k]) > LEAST && ratio(&m[k]) < MOST);
        }
        putchar('\n');
        fflush(stdout);
    }
    nnd_context_free(ctx);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
