/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A further singular value s of the fixed matrix adds one fibre to its two spaces, which does not
 * act back: [[M_C, -s alpha], [-s alpha^T, M_D]], M = x L - K - Sigma. Outliers are real x where it
 * is singular (many-outputs.md#eq11); its null vector there has the overlap.
 */
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/brent.h"
#include "solvers/dyson_impl.h"

/* The search goes down from infinity, place by place. */
typedef struct {
    nnd_context *ctx;
    nnd_dyson_state *state;
    double s;
    size_t side;                /* of the fibre */
    double *fibre, *eigenvalue; /* side x side, eigenvectors by columns; side */
    double p;                   /* the place before, */
    ptrdiff_t crossed;          /* eigenvalues below 0 there, less those with s = 0, */
    ptrdiff_t base;             /* and those with s = 0 */
    ptrdiff_t index;            /* of the eigenvalue that is brought to 0 */
    size_t room, count;
    nnd_dyson_outlier *outlier;
} search;

/* Elements of a matrix over all spaces on one side of the fixed matrix. */
static const double complex *on_side(const search *q, const double complex *a, size_t side,
                                     size_t *blocks) {
    const dyson_map *map = &q->state->map;
    *blocks = map->side[map->of[side].space];
    return a + map->offset[map->of[side].space];
}

/* The two spaces of m on the diagonal, its real part. */
static void fill_diagonal(const search *q, const double complex *m, double *fibre) {
    memset(fibre, 0, q->side * q->side * sizeof *fibre);
    for (size_t side = 0, first = 0, blocks; side < 2; first += blocks, side++) {
        const double complex *a = on_side(q, m, side, &blocks);
        for (size_t i = 0; i < blocks; i++)
            for (size_t j = 0; j < blocks; j++)
                fibre[(first + i) * q->side + first + j] = creal(a[i * blocks + j]);
    }
}

static void add_coupling(const search *q, double *fibre) {
    const dyson_map *map = &q->state->map;
    size_t rows = map->side[map->of[0].space];
    for (size_t i = 0; i < map->of[0].count; i++)
        for (size_t j = 0; j < map->of[1].count; j++) {
            size_t c = map->of[0].index[i], d = rows + map->of[1].index[j];
            fibre[c * q->side + d] = fibre[d * q->side + c] =
                -q->s * map->alpha[i * map->of[1].count + j];
        }
}

/* Eigenvalues of the fibre at the state, ascending, with s or without; how many are negative, or
 * -1. */
static ptrdiff_t negative(search *q, bool with_s, bool vectors) {
    nnd_dyson_state *state = q->state;
    const dyson_map *map = &state->map;
    double complex *m = state->rest;
    nnd_dyson_self_energy(map, state->g, state->sigma);
    for (size_t i = 0; i < map->size; i++)
        m[i] = state->x * map->spectral[i] - map->constant[i] - state->sigma[i];
    fill_diagonal(q, m, q->fibre);
    if (with_s)
        add_coupling(q, q->fibre);
    lapack_int n = (lapack_int)q->side;
    if (LAPACKE_dsyev(LAPACK_COL_MAJOR, vectors ? 'V' : 'N', 'U', n, q->fibre, n, q->eigenvalue) !=
        0)
        return -1;
    ptrdiff_t count = 0;
    while (count < n && q->eigenvalue[count] < 0.0)
        count++;
    return count;
}

/* Counts at the state; NND_E_UNSOLVED. */
static nnd_status count_at(search *q, ptrdiff_t *crossed, ptrdiff_t *base) {
    *base = negative(q, false, false);
    ptrdiff_t all = negative(q, true, false);
    *crossed = all - *base;
    if (*base < 0 || all < 0)
        return nnd_fail(q->ctx, NND_E_UNSOLVED, "eigenvalues of the fibre of a spike");
    return NND_OK;
}

static double eigenvalue_at(double p, void *data) {
    search *q = data;
    if (nnd_dyson_at_p(q->ctx, q->state, p) != NND_OK || negative(q, true, false) < 0)
        return NAN;
    return q->eigenvalue[q->index];
}

/* y^T dM/dp y, y being column `index` of the eigenvectors, dM/dp = L x' - Sigma[g'] by the tangent;
 * x' goes to `turn`. NaN if that fails. */
static double fibre_slope(search *q, const double *y, double *turn) {
    nnd_dyson_state *state = q->state;
    const dyson_map *map = &state->map;
    double *change = calloc(q->side * q->side, sizeof *change), sum = NAN;
    if (change != NULL && nnd_dyson_tangent(state)) {
        double complex *dm = state->rest;
        *turn = creal(state->by[map->size]);
        nnd_dyson_self_energy(map, state->by, state->sigma);
        for (size_t i = 0; i < map->size; i++)
            dm[i] = *turn * map->spectral[i] - state->sigma[i];
        fill_diagonal(q, dm, change);
        sum = 0.0;
        for (size_t i = 0; i < q->side; i++)
            for (size_t j = 0; j < q->side; j++)
                sum += y[i] * change[i * q->side + j] * y[j];
    }
    free(change);
    return sum;
}

/* |<v, v_out>|^2 is twice the residue of the fibre at v, y_v^2/(y^T dM/dx y), y its null vector.
 * The derivative is also that of the eigenvalue, whose differences check it. */
static void set_overlap(search *q, double p, nnd_dyson_outlier *out) {
    const double part = 1e-4;
    const nnd_dyson *pencil = q->state->pencil;
    const dyson_map *map = &q->state->map;
    out->overlap = out->overlap_error = NAN;
    if (pencil->block[pencil->v].space != map->of[1].space || negative(q, true, true) < 0)
        return;
    const double *y = q->fibre + (size_t)q->index * q->side;
    double at_v = y[map->side[map->of[0].space] + pencil->block[pencil->v].index], turn = NAN;
    double slope = fibre_slope(q, y, &turn), h = part * fabs(p);
    double by_differences = (eigenvalue_at(p + h, q) - eigenvalue_at(p - h, q)) / (2.0 * h);
    out->overlap = 2.0 * at_v * at_v * turn / slope;
    out->overlap_error = out->overlap * fabs(by_differences / slope - 1.0);
}

static nnd_status store(search *q, double from, double to) {
    nnd_bracket bracket = {.low = fmin(from, to), .high = fmax(from, to)};
    nnd_status status = nnd_brent_root(q->ctx, eigenvalue_at, q, 0.0, 8.0 * DBL_EPSILON, &bracket);
    if (status < 0)
        return status;
    status = nnd_dyson_at_p(q->ctx, q->state, bracket.x);
    double x = creal(q->state->x);
    if (status == NND_OK && q->count < q->room) {
        nnd_dyson_outlier *out = &q->outlier[q->count];
        double error = q->state->report.change + (bracket.high - bracket.low) / fabs(bracket.x);
        *out = (nnd_dyson_outlier){.z = x * x, .z_error = 2.0 * x * x * error};
        set_overlap(q, bracket.x, out);
    }
    q->count++;
    return status;
}

/* Outliers between two places, one by one. */
static nnd_status isolate(search *q, double p, ptrdiff_t crossed, ptrdiff_t base, double to,
                          ptrdiff_t crossed_to, ptrdiff_t base_to, int depth) {
    enum { DEPTH = 48 };
    if (crossed == crossed_to)
        return NND_OK;
    ptrdiff_t more = crossed_to - crossed;
    if ((more == 1 || more == -1) && base == base_to) {
        q->index = base + (crossed < crossed_to ? crossed : crossed_to);
        return store(q, p, to);
    }
    if (depth == DEPTH)
        return nnd_fail(q->ctx, NND_E_UNSOLVED, "outliers of a spike are not told apart");
    double middle = 0.5 * (p + to);
    ptrdiff_t crossed_middle = 0, base_middle = 0;
    nnd_status status = nnd_dyson_at_p(q->ctx, q->state, middle);
    if (status == NND_OK)
        status = count_at(q, &crossed_middle, &base_middle);
    if (status == NND_OK)
        status = isolate(q, p, crossed, base, middle, crossed_middle, base_middle, depth + 1);
    if (status == NND_OK)
        status =
            isolate(q, middle, crossed_middle, base_middle, to, crossed_to, base_to, depth + 1);
    return status;
}

static nnd_status visit(nnd_context *ctx, nnd_dyson_state *state, double p, void *data) {
    search *q = data;
    ptrdiff_t crossed, base;
    nnd_status status = count_at(q, &crossed, &base);
    if (status == NND_OK && crossed != q->crossed) {
        status = isolate(q, q->p, q->crossed, q->base, p, crossed, base, 0);
        if (status == NND_OK)
            status = nnd_dyson_at_p(ctx, state, p);
    }
    q->p = p;
    q->crossed = crossed;
    q->base = base;
    return status;
}

static nnd_status find(search *q) {
    nnd_dyson_edge edge;
    nnd_status status = nnd_dyson_go_far(q->ctx, q->state);
    q->p = creal(q->state->g[q->state->map.v]);
    if (status == NND_OK)
        status = count_at(q, &q->crossed, &q->base);
    const dyson_way down = {.direction = 1.0, .visit = visit, .data = q};
    if (status == NND_OK)
        status = nnd_dyson_fold(q->ctx, q->state, &down, &edge);
    if (status == NND_OK && edge.z > 0.0) /* the last piece of the way */
        status = visit(q->ctx, q->state, creal(q->state->g[q->state->map.v]), q);
    return status;
}

nnd_status nnd_dyson_outliers(nnd_context *ctx, const nnd_dyson *pencil, double s, size_t room,
                              nnd_dyson_outlier *outlier, size_t *count) {
    search q = {.ctx = ctx, .s = s, .room = room, .outlier = outlier};
    nnd_status status = nnd_dyson_start(ctx, pencil, &q.state);
    if (status != NND_OK)
        return status;
    const dyson_map *map = &q.state->map;
    if (!map->fixed || !(s > 0.0 && s < INFINITY))
        status = nnd_fail(ctx, NND_E_INPUT, "a spike %.10g of a pencil %s", s,
                          map->fixed ? "must be above 0" : "without a deterministic matrix");
    if (status == NND_OK && map->touched > 0) {
        q.side = map->side[map->of[0].space] + map->side[map->of[1].space];
        q.fibre = calloc(q.side * q.side, sizeof *q.fibre);
        q.eigenvalue = calloc(q.side, sizeof *q.eigenvalue);
        status =
            q.fibre != NULL && q.eigenvalue != NULL ? find(&q) : nnd_fail_memory(ctx, "outliers");
    }
    *count = q.count;
    free(q.fibre);
    free(q.eigenvalue);
    nnd_dyson_state_free(q.state);
    return status;
}
