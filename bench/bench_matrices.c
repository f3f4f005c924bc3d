/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench_matrices.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench_require.h"
#include "bench_timer.h"
#include "core/rng.h"
#include "nndmft/matrices.h"

enum { N = 1000, REPEATS = 3 };

static double *gaussian(void) {
    double *a = malloc(sizeof(double) * N * N);
    if (a == NULL)
        exit(EXIT_FAILURE);
    nnd_rng_normals((nnd_rng_key){1, 0, N}, 0, 0, (size_t)N * N, a);
    return a;
}

/* Version 1 with a header of 118 bytes, then numbers of single precision. */
static void write_npy(const char *path, const double *a) {
    static const char header[] =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 1000), }";
    FILE *file = fopen(path, "w");
    if (file == NULL)
        exit(EXIT_FAILURE);
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file);
    fprintf(file, "%-117s\n", header);
    for (size_t k = 0; k < (size_t)N * N; k++)
        fwrite(&(float){(float)a[k]}, sizeof(float), 1, file);
    fclose(file);
}

double bench_matrix_reading(double *bytes) {
    char path[] = "/tmp/nndmft-bench-XXXXXX.npy";
    nnd_context *ctx = nnd_context_new(NULL);
    double *a = gaussian(), best = INFINITY;
    int fd = mkstemps(path, 4);
    if (fd < 0)
        exit(EXIT_FAILURE);
    close(fd);
    write_npy(path, a);
    for (int r = 0; r < REPEATS; r++) {
        nnd_matrices *file;
        double began = bench_seconds();
        require(ctx, nnd_matrices_open(ctx, path, &file));
        require(ctx, nnd_matrices_read(ctx, file, 0, a));
        best = fmin(best, bench_seconds() - began);
        nnd_matrices_close(file);
    }
    *bytes = sizeof(float) * (double)N * N;
    unlink(path);
    free(a);
    nnd_context_free(ctx);
    return best;
}
