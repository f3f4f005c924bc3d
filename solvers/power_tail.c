/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/power_tail.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/streams.h"
#include "solvers/spectrum_null.h"

enum { THRESHOLDS = 64 };
static const double ROUNDING = 1e-12;

/* Of a power law above the number with `count` - 1 others above it. */
typedef struct {
    size_t count;
    double exponent, ks;
} fit;

/* Distance of the first n of descending logarithms from the exponential law with this rate. */
static double distance(size_t n, const double *logs, double rate) {
    double largest = 0.0, step = 1.0 / (double)n;
    for (size_t i = 0; i < n; i++) {
        double above = exp(-rate * (logs[i] - logs[n - 1]));
        largest = fmax(largest, fmax(above - (double)i * step, (double)(i + 1) * step - above));
    }
    return largest;
}

/* exponent = 1 + n/sum log(x_i/x_n); logarithms above a threshold are exponential. Numbers that are
 * equal to rounding have none. */
static fit fit_above(size_t n, const double *logs, double sum) {
    double mean = sum / (double)n - logs[n - 1];
    bool equal = !(mean > ROUNDING * (1.0 + fabs(logs[n - 1])));
    return (fit){n, 1.0 + 1.0 / mean, equal ? INFINITY : distance(n, logs, 1.0 / mean)};
}

static fit best_fit(size_t count, const double *logs) {
    fit best = {0, NAN, INFINITY};
    double sum = 0.0, growth = pow((double)count / NND_TAIL_SHORTEST, 1.0 / (THRESHOLDS - 1));
    double next = NND_TAIL_SHORTEST;
    for (size_t n = 1; n <= count; n++) {
        sum += logs[n - 1];
        if ((double)n < floor(next + 1e-9))
            continue;
        while ((double)n >= floor(next + 1e-9))
            next *= growth;
        fit f = fit_above(n, logs, sum);
        if (f.ks < best.ks)
            best = f;
    }
    return best;
}

/* ---- samples of the fitted law ---- */

typedef struct {
    size_t count;
    const double *logs;
    fit fit;
    uint64_t seed;
    double *ks; /* of each draw */
} sampling;

static double uniform(uint64_t word) {
    return ((double)(word >> 11) + 0.5) * 0x1p-53;
}

/* With the share that the tail has, a number of the power law; else one of those below. */
static nnd_status sample(nnd_context *ctx, size_t draw, void *data) {
    const sampling *s = data;
    size_t n = s->fit.count, below = s->count - n;
    uint64_t *word = calloc(2 * s->count, sizeof *word);
    double *logs = calloc(s->count, sizeof *logs);
    if (word == NULL || logs == NULL) {
        free(word);
        free(logs);
        return nnd_fail_memory(ctx, "samples of a power law");
    }
    nnd_rng_words((nnd_rng_key){s->seed, draw, s->count}, NND_STREAM_SPECTRUM_TAIL, 0, 2 * s->count,
                  word);
    for (size_t i = 0; i < s->count; i++) {
        double where = uniform(word[2 * i]) * (double)s->count, u = uniform(word[2 * i + 1]);
        logs[i] = where < (double)n ? s->logs[n - 1] - log(u) / (s->fit.exponent - 1.0)
                                    : s->logs[n + (size_t)(u * (double)below)];
    }
    gsl_sort(logs, 1, s->count);
    for (size_t i = 0; i < s->count / 2; i++) {
        double last = logs[s->count - 1 - i];
        logs[s->count - 1 - i] = logs[i];
        logs[i] = last;
    }
    s->ks[draw] = best_fit(s->count, logs).ks;
    free(word);
    free(logs);
    return NND_OK;
}

static nnd_status judge(nnd_context *ctx, sampling *s, size_t draws, nnd_power_tail *tail) {
    s->ks = calloc(draws + 1, sizeof *s->ks);
    if (s->ks == NULL)
        return nnd_fail_memory(ctx, "samples of a power law");
    nnd_status status = nnd_parallel(ctx, nnd_context_threads(ctx), draws, sample, s);
    if (status == NND_OK)
        tail->p = nnd_null_share(draws, s->ks, tail->ks);
    free(s->ks);
    return status;
}

nnd_status nnd_power_tail_fit(nnd_context *ctx, size_t count, const double *descending,
                              size_t draws, uint64_t seed, nnd_power_tail *tail) {
    *tail = (nnd_power_tail){NAN, NAN, NAN, 0, NAN, NAN};
    if (count < NND_TAIL_LEAST)
        return NND_OK;
    double *logs = calloc(count, sizeof *logs);
    if (logs == NULL)
        return nnd_fail_memory(ctx, "a power law");
    for (size_t i = 0; i < count; i++)
        logs[i] = log(descending[i]);
    fit best = best_fit(count, logs);
    nnd_status status = NND_OK;
    if (best.count > 0) {
        double n = (double)best.count;
        *tail = (nnd_power_tail){best.exponent,
                                 (best.exponent - 1.0) / sqrt(n),
                                 descending[best.count - 1],
                                 best.count,
                                 best.ks,
                                 NAN};
        sampling s = {.count = count, .logs = logs, .fit = best, .seed = seed};
        status = judge(ctx, &s, draws, tail);
    }
    free(logs);
    return status;
}
