/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random matrices, with spikes. Gaussian entries look the same in every basis: the spikes are laid
 * along the axes.
 */
#include "nndmft/spectrum.h"

#include <complex.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/rng.h"
#include "core/streams.h"
#include "validate/recipe.h"
#include "validate/seed_frame.h"
#include "validate/simulators.h"

static const nnd_model *const MODEL = &nnd_spectrum_model;

typedef struct {
    nnd_context *ctx;
    const nnd_spectrum_params *p;
    size_t rows, cols, rank;
    double *matrix;       /* rows x cols; LAPACK destroys it */
    double *value;        /* rank eigenvalues, descending */
    double *right, *left; /* rank x cols, rows x rank; NULL without spikes */
    nnd_reals z;
    nnd_frame *frame;
    size_t seed;
} run;

/* ---- one matrix ---- */

static void draw(run *r, nnd_rng_key key) {
    size_t count = r->rows * r->cols;
    double sd = sqrt(r->p->sigma2 / (double)r->rows);
    nnd_rng_normals(key, NND_STREAM_SPECTRUM_ENTRIES, 0, count, r->matrix);
    for (size_t i = 0; i < count; i++)
        r->matrix[i] *= sd;
    for (size_t k = 0; k < r->p->spikes.count; k++)
        r->matrix[k * r->cols + k] += r->p->spikes.value[k];
}

/* By columns it is the transpose, whose left vectors are the right ones of the matrix. */
static nnd_status decompose(run *r) {
    char vectors = r->right != NULL ? 'S' : 'N';
    lapack_int rows = (lapack_int)r->cols, cols = (lapack_int)r->rows, rank = (lapack_int)r->rank;
    lapack_int info =
        LAPACKE_dgesdd(LAPACK_COL_MAJOR, vectors, rows, cols, r->matrix, rows, r->value, r->right,
                       rows, r->left, vectors == 'S' ? rank : cols);
    for (size_t i = 0; i < r->rank; i++)
        r->value[i] *= r->value[i];
    return info == 0 ? NND_OK
                     : nnd_fail(r->ctx, NND_E_UNSOLVED, "the singular values were not found");
}

/* ---- what is recorded ---- */

static double *at(const run *r, const char *name) {
    return nnd_seed_row(r->frame, name, r->seed);
}

/* Share of the `cols` eigenvalues up to z; those that are not in the list are 0. */
static double share(const run *r, double z) {
    size_t above = 0;
    while (above < r->rank && r->value[above] > z)
        above++;
    return z < 0.0 ? 0.0 : 1.0 - (double)above / (double)r->cols;
}

/* Boxes between the middles of the roots of the grid; the outer ones are as wide on either side. */
static void record_density(const run *r) {
    double *density = at(r, "density"), *of_root = at(r, "density_sv"), *cdf = at(r, "cdf");
    size_t count = r->z.count;
    for (size_t i = 0; i < count; i++) {
        double s = sqrt(r->z.value[i]);
        double before = i > 0 ? 0.5 * (s - sqrt(r->z.value[i - 1])) : NAN;
        double after = i + 1 < count ? 0.5 * (sqrt(r->z.value[i + 1]) - s) : before;
        double low = fmax(0.0, s - (i > 0 ? before : after)), high = s + after;
        double mass = share(r, high * high) - share(r, low * low);
        of_root[i] = mass / (high - low);
        density[i] = mass / (high * high - low * low);
        cdf[i] = share(r, r->z.value[i]);
    }
}

static void record_stieltjes(const run *r) {
    double *re = at(r, "stieltjes_re"), *im = at(r, "stieltjes_im"), x, y;
    for (size_t i = 0; i < nnd_spectrum_points(r->p); i++) {
        nnd_spectrum_point(r->p, i, &x, &y);
        double complex z = x + y * I, sum = -(double)(r->cols - r->rank) / z;
        for (size_t k = 0; k < r->rank; k++)
            sum += 1.0 / (r->value[k] - z);
        re[i] = creal(sum) / (double)r->cols;
        im[i] = cimag(sum) / (double)r->cols;
    }
}

static void record_spikes(const run *r) {
    double *z = at(r, "outlier"), *s = at(r, "outlier_sv"), *overlap = at(r, "outlier_overlap");
    for (size_t k = 0; k < r->p->spikes.count; k++) {
        double along = r->right[k * r->cols + k];
        z[k] = r->value[k];
        s[k] = sqrt(r->value[k]);
        overlap[k] = along * along;
    }
}

static nnd_status add_arrays(run *r) {
    static const char *const ALL[] = {"density",      "density_sv",   "cdf",
                                      "stieltjes_re", "stieltjes_im", "top_mean",
                                      "outlier",      "outlier_sv",   "outlier_overlap"};
    size_t count = r->p->spikes.count > 0 ? 9 : 6;
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < count; i++)
        status = nnd_frame_add_variable(r->frame, MODEL, ALL[i], NULL);
    return status;
}

static nnd_status frame_make(run *r, size_t first_seed, size_t count) {
    nnd_status status = nnd_frame_new(r->ctx, &r->frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(r->frame, "seed", count, (double)first_seed);
    if (status == NND_OK)
        status = nnd_spectrum_add_dims(r->p, r->frame);
    if (status == NND_OK)
        status = nnd_spectrum_add_grid(&r->z, r->frame);
    if (status == NND_OK)
        status = nnd_frame_add(r->frame, NND_DIVERGED_AT, "seed", NULL);
    return status == NND_OK ? add_arrays(r) : status;
}

static nnd_status make(run *r, size_t first_seed, size_t count) {
    bool vectors = r->p->spikes.count > 0;
    r->rows = (size_t)r->p->width;
    r->cols = nnd_spectrum_columns(r->p);
    r->rank = r->rows < r->cols ? r->rows : r->cols;
    r->matrix = calloc(r->rows * r->cols, sizeof(double));
    r->value = calloc(r->rank, sizeof(double));
    r->right = vectors ? calloc(r->rank * r->cols, sizeof(double)) : NULL;
    r->left = vectors ? calloc(r->rank * r->rows, sizeof(double)) : NULL;
    if (r->matrix == NULL || r->value == NULL || (vectors && (r->right == NULL || r->left == NULL)))
        return nnd_fail_memory(r->ctx, "a matrix");
    nnd_status status = nnd_spectrum_grid(r->ctx, r->p, &r->z);
    return status == NND_OK ? frame_make(r, first_seed, count) : status;
}

static nnd_status simulate(nnd_context *ctx, const void *params, size_t size, uint64_t base_seed,
                           size_t first_seed, size_t count, nnd_frame **frame) {
    run r = {.ctx = ctx, .p = params};
    nnd_status status = make(&r, first_seed, count);
    for (; status == NND_OK && r.seed < count; r.seed++) {
        draw(&r, (nnd_rng_key){base_seed, first_seed + r.seed, size});
        status = decompose(&r);
        if (status == NND_OK)
            status = nnd_progress_step(ctx, (double)r.seed + 1.0, (double)count);
        if (status != NND_OK)
            break;
        record_density(&r);
        record_stieltjes(&r);
        *at(&r, "top_mean") = r.value[0];
        if (r.p->spikes.count > 0)
            record_spikes(&r);
    }
    nnd_hand_over(status == NND_OK, r.frame, frame);
    free(r.matrix);
    free(r.value);
    free(r.right);
    free(r.left);
    free(r.z.value);
    return status;
}

/* ---- size, cost ---- */

static bool check(const void *params, size_t size, nnd_objection *o) {
    const nnd_spectrum_params *p = params;
    (void)size;
    if (p->kind == NND_LAW_MATRIX)
        return nnd_object(o, "kind", "matrix: there is nothing to simulate; allowed: mp, spiked");
    if ((double)p->width * (double)nnd_spectrum_columns(p) > 1e9)
        return nnd_object(o, "width", "%lld x %zu is more than 1e9 numbers in a matrix",
                          (long long)p->width, nnd_spectrum_columns(p));
    return true;
}

/* LAPACK's room for vectors is a square of the rank besides; a fourth of the operations is fast. */
static nnd_simulation_cost cost(const void *params, size_t size) {
    const nnd_spectrum_params *p = params;
    (void)size;
    double n = (double)p->width,
           d = p->kind == NND_LAW_MATRIX ? 1.0 : (double)nnd_spectrum_columns(p);
    double rank = fmin(n, d), grid = p->z.count > 0 ? (double)p->z.count : 100.0;
    bool vectors = p->spikes.count > 0;
    double room = vectors ? rank * (n + d) + 7.0 * rank * rank : 2.0 * rank * rank;
    return (nnd_simulation_cost){
        .bytes = sizeof(double) * (n * d + room + 100.0 * rank),
        .record_bytes = sizeof(double) * (3.0 * grid + 2.0 * (double)nnd_spectrum_points(p) +
                                          3.0 * (double)p->spikes.count + 2.0),
        .flops = (vectors ? 22.0 : 4.0) * n * d * rank / 4.0 + 20.0 * n * d,
    };
}

/* Small matrices share a block so that shards stay few. */
static size_t block(const void *params, size_t size) {
    double n = floor(2e8 / fmax(cost(params, size).flops, 1.0));
    return n < 1.0 ? 1 : n > 64.0 ? 64 : (size_t)n;
}

static nnd_status recipe(nnd_context *ctx, const void *params, size_t size, nnd_frame **out) {
    const nnd_spectrum_params *p = params;
    double *std = NULL, *lr = NULL;
    (void)size;
    nnd_status status =
        nnd_recipe_new(ctx, 0, 1, 1.0, "none: the matrix is not trained", out, &std, &lr);
    if (status != NND_OK)
        return status;
    std[0] = sqrt(p->sigma2 / (double)p->width);
    lr[0] = 0.0;
    return NND_OK;
}

const nnd_simulator nnd_spectrum_simulator = {
    .model = &nnd_spectrum_model,
    .block = block,
    .simulate = simulate,
    .check = check,
    .cost = cost,
    .recipe = recipe,
};
