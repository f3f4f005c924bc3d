/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/power_series.h"

#include <complex.h> /* before fftw3.h, whose numbers then are those of C */
#include <fftw3.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/contour.h"

struct nnd_power_series {
    size_t count;
    double complex *buffer;
    double complex x; /* log z at the first node, half a step from the real axis */
    fftw_plan plan;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

void nnd_power_series_free(nnd_power_series *s) {
    if (s == NULL)
        return;
    if (s->plan != NULL)
        fftw_destroy_plan(s->plan);
    fftw_free(s->buffer);
    free(s);
}

nnd_status nnd_power_series_new(nnd_context *ctx, size_t count, nnd_power_series **series) {
    nnd_power_series *s = calloc(1, sizeof *s);
    if (s == NULL)
        return nnd_fail_memory(ctx, "a Fourier transform");
    pthread_once(&once, fftw_make_planner_thread_safe);
    s->count = count;
    s->buffer = fftw_alloc_complex(count);
    if (s->buffer != NULL)
        s->plan = fftw_plan_dft_1d((int)count, s->buffer, s->buffer, FFTW_BACKWARD, FFTW_ESTIMATE);
    if (s->plan == NULL) {
        nnd_power_series_free(s);
        return nnd_fail_memory(ctx, "a Fourier transform");
    }
    double complex x[1], weight[1];
    nnd_circle(2, NND_SERIES_ALIAS, x, weight);
    s->x = 2.0 / (double)count * x[0];
    *series = s;
    return NND_OK;
}

void nnd_power_series_sum(nnd_power_series *s, double complex x, const double complex *value,
                          size_t terms, double *sum) {
    if (value != s->buffer)
        memcpy(s->buffer, value, s->count * sizeof *value);
    fftw_execute(s->plan);
    for (size_t t = 0; t < terms; t++)
        sum[t] = creal(cexp((double)t * x) * s->buffer[t]);
}

/* f_t = (1/n) sum_j z_j^t F_j with z_j = exp(x + 2 pi i j/n); values below the axis are conjugates
 * of those above. */
void nnd_power_series_of(nnd_power_series *s, const double complex *value, size_t terms,
                         double *coefficient) {
    double scale = 1.0 / (double)s->count;
    for (size_t j = 0; j < s->count / 2; j++) {
        s->buffer[j] = scale * value[j];
        s->buffer[s->count - 1 - j] = scale * conj(value[j]);
    }
    nnd_power_series_sum(s, s->x, s->buffer, terms, coefficient);
}
