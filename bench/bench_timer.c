/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench_timer.h"

#include <cblas.h>
#include <stdlib.h>
#include <time.h>

enum { REPEATS = 7 };

double bench_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double *filled(size_t n) {
    double *x = malloc(n * sizeof *x);
    for (size_t i = 0; x != NULL && i < n; i++)
        x[i] = 1.0 / (double)(i + 1);
    return x;
}

double bench_dgemm(int n) {
    size_t square = (size_t)n * (size_t)n;
    double *a = filled(square), *b = filled(square), *c = filled(square), best = 1e99;
    for (int i = 0; i < REPEATS; i++) {
        double began = bench_seconds();
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0, a, n, b, n, 0.0, c, n);
        double took = bench_seconds() - began;
        best = took < best ? took : best;
    }
    free(a);
    free(b);
    free(c);
    return (double)n * (double)square / best;
}

double bench_read_bandwidth(double bytes) {
    size_t n = (size_t)(bytes / sizeof(double));
    double *x = filled(n), best = 1e99;
    volatile double sink = 0.0;
    for (int i = 0; i < REPEATS; i++) {
        double began = bench_seconds();
        sink = sink + cblas_ddot((int)n, x, 1, x, 1);
        double took = bench_seconds() - began;
        best = took < best ? took : best;
    }
    free(x);
    return (double)n * sizeof(double) / best;
}
