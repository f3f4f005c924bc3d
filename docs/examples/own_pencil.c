/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The spectrum of a product of one's own: W = B (1 + A^T A)^-1, with A of 2N x N and B of N x N of
 * entries of variance 1/N. Its bulk, and what a spike in B sends out of it.
 *
 *     cc own_pencil.c $(pkg-config --cflags --libs nndmft) && ./a.out
 */
#include <nndmft/nndmft.h>
#include <nndmft/solvers/dyson_program.h>
#include <stdio.h>

/* The program y = W v: h with v - h - A^T A h = 0, y = B h + S h. */
static nnd_dyson *describe(void) {
    nnd_dyson *p = nnd_dyson_new();
    if (p == NULL)
        return NULL;
    size_t n = nnd_dyson_space(p, 1.0), rows = nnd_dyson_space(p, 2.0);
    size_t outputs = nnd_dyson_space(p, 1.0);
    size_t a = nnd_dyson_random(p, rows, n, 1.0), b = nnd_dyson_random(p, outputs, n, 1.0);
    size_t s = nnd_dyson_fixed(p, outputs, n, 0, NULL, NULL);
    size_t v = nnd_dyson_input(p, n), h = nnd_dyson_unknown(p, n), k = nnd_dyson_vector(p, rows);
    size_t y = nnd_dyson_output(p, outputs);
    nnd_dyson_add(p, k, 1.0, a, h);
    nnd_dyson_add(p, h, 1.0, NND_DYSON_IDENTITY, v);
    nnd_dyson_add(p, h, -1.0, NND_DYSON_IDENTITY, h);
    nnd_dyson_add_transposed(p, h, -1.0, a, k);
    nnd_dyson_add(p, y, 1.0, b, h);
    nnd_dyson_add(p, y, 1.0, s, h);
    return p; /* a mistake above is kept, and reported by what is computed below */
}

static nnd_status solve(nnd_context *ctx, const nnd_dyson *p) {
    nnd_dyson_support support = {0};
    nnd_dyson_outlier outlier;
    size_t count = 0;
    nnd_status status = nnd_dyson_support_find(ctx, p, 24, &support);
    if (status == NND_OK)
        status = nnd_dyson_outliers(ctx, p, 3.0, 1, &outlier, &count);
    for (size_t i = 0; status == NND_OK && i < support.count; i++)
        printf("bulk from %.8f to %.8f, mass %.6f\n", support.interval[i].low.z,
               support.interval[i].high.z, support.interval[i].mass);
    if (status == NND_OK && count > 0)
        printf("outlier at %.8f, overlap %.6f\n", outlier.z, outlier.overlap);
    nnd_dyson_support_clear(&support);
    return status;
}

int main(void) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_dyson *p = describe();
    int failed = ctx == NULL || p == NULL || solve(ctx, p) != NND_OK;
    if (failed)
        printf("%s\n", ctx != NULL ? nnd_context_message(ctx) : "out of memory");
    nnd_dyson_free(p);
    nnd_context_free(ctx);
    return failed;
}
