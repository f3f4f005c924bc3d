/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sigma[g], F and its derivative: many-outputs.md#eq8, many-outputs.md#eq9. */
#include <cblas.h>
#include <lapacke.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/dyson_impl.h"

/* ---- from the description ---- */

size_t nnd_dyson_element_of(const nnd_dyson *p, const dyson_map *map, size_t i, size_t j) {
    size_t space = p->block[i].space;
    return map->offset[space] + p->block[i].index * map->side[space] + p->block[j].index;
}

/* A pair of places where the same matrix X stands is correlated by E X g X^T, and by E X^T g X. */
static void add_links(const nnd_dyson *p, const dyson_matrix *a, dyson_map *map) {
    for (size_t e = 0; e < a->entries; e++)
        for (size_t f = 0; f < a->entries; f++) {
            const dyson_entry *one = &a->entry[e], *two = &a->entry[f];
            double both = a->v * one->alpha * two->alpha;
            size_t rows = nnd_dyson_element_of(p, map, one->i, two->i);
            size_t cols = nnd_dyson_element_of(p, map, one->j, two->j);
            map->link[map->links++] = (dyson_link){rows, cols, both * p->space[a->cols].n};
            map->link[map->links++] = (dyson_link){cols, rows, both * p->space[a->rows].n};
        }
}

/* The place of a block among those of a side, which it joins if it is new. */
static size_t join(dyson_side *side, size_t index) {
    for (size_t i = 0; i < side->count; i++)
        if (side->index[i] == index)
            return i;
    side->index[side->count] = index;
    return side->count++;
}

static void set_fixed(const nnd_dyson *p, const dyson_matrix *a, dyson_map *map) {
    map->fixed = true;
    map->of[0].space = a->rows;
    map->of[1].space = a->cols;
    for (size_t e = 0; e < a->entries; e++) {
        join(&map->of[0], p->block[a->entry[e].i].index);
        join(&map->of[1], p->block[a->entry[e].j].index);
    }
    for (size_t e = 0; e < a->entries; e++) {
        size_t i = join(&map->of[0], p->block[a->entry[e].i].index);
        size_t j = join(&map->of[1], p->block[a->entry[e].j].index);
        map->alpha[i * map->of[1].count + j] += a->entry[e].alpha;
    }
    map->touched = map->of[0].count + map->of[1].count;
    map->atoms = p->atoms;
    map->s = p->s;
    map->weight = p->weight;
}

static bool allocate(const nnd_dyson *p, dyson_map *map) {
    size_t links = 1, entries = 1;
    for (size_t a = 0; a < p->matrices; a++) {
        size_t e = p->matrix[a].entries;
        links += p->matrix[a].fixed ? 0 : 2 * e * e;
        entries = e > entries ? e : entries;
    }
    map->side = calloc(p->spaces, sizeof *map->side);
    map->offset = calloc(p->spaces, sizeof *map->offset);
    map->n = calloc(p->spaces, sizeof *map->n);
    map->spectral = calloc(map->size, sizeof *map->spectral);
    map->constant = calloc(map->size, sizeof *map->constant);
    map->link = calloc(links, sizeof *map->link);
    map->of[0].index = calloc(entries, sizeof *map->of[0].index);
    map->of[1].index = calloc(entries, sizeof *map->of[1].index);
    map->alpha = calloc(entries * entries, sizeof *map->alpha);
    return map->side != NULL && map->offset != NULL && map->n != NULL && map->spectral != NULL &&
           map->constant != NULL && map->link != NULL && map->of[0].index != NULL &&
           map->of[1].index != NULL && map->alpha != NULL;
}

nnd_status nnd_dyson_map_make(nnd_context *ctx, const nnd_dyson *p, dyson_map *map) {
    size_t blocks;
    *map = (dyson_map){.spaces = p->spaces};
    nnd_dyson_size(p, &blocks, &map->size);
    if (!allocate(p, map)) {
        nnd_dyson_map_clear(map);
        return nnd_fail_memory(ctx, "a pencil");
    }
    for (size_t s = 0, offset = 0; s < p->spaces; offset += map->side[s] * map->side[s], s++) {
        map->side[s] = p->space[s].blocks;
        map->offset[s] = offset;
        map->n[s] = p->space[s].n;
        map->largest = map->side[s] > map->largest ? map->side[s] : map->largest;
    }
    for (size_t i = 0; i < p->blocks; i++)
        map->spectral[nnd_dyson_element_of(p, map, i, i)] = p->block[i].l;
    for (size_t i = 0; i < p->couplings; i++) {
        const dyson_coupling *k = &p->coupling[i];
        map->constant[nnd_dyson_element_of(p, map, k->i, k->j)] += k->kappa;
        if (k->i != k->j)
            map->constant[nnd_dyson_element_of(p, map, k->j, k->i)] += k->kappa;
    }
    for (size_t a = 0; a < p->matrices; a++)
        if (p->matrix[a].fixed)
            set_fixed(p, &p->matrix[a], map);
        else
            add_links(p, &p->matrix[a], map);
    map->u = nnd_dyson_element_of(p, map, p->u, p->u);
    map->v = nnd_dyson_element_of(p, map, p->v, p->v);
    return NND_OK;
}

void nnd_dyson_map_clear(dyson_map *map) {
    free(map->side);
    free(map->offset);
    free(map->n);
    free(map->spectral);
    free(map->constant);
    free(map->link);
    free(map->of[0].index);
    free(map->of[1].index);
    free(map->alpha);
    *map = (dyson_map){0};
}

nnd_status nnd_dyson_resolvent_make(nnd_context *ctx, const dyson_map *map, dyson_resolvent *r) {
    size_t small = map->touched * map->touched + 1, side = map->largest + map->touched;
    *r = (dyson_resolvent){.bare = calloc(map->size, sizeof *r->bare),
                           .f = calloc(map->size, sizeof *r->f),
                           .atom = calloc((map->atoms + 1) * small, sizeof *r->atom),
                           .mean = calloc(small, sizeof *r->mean),
                           .pivot = calloc(side, sizeof *r->pivot)};
    bool done =
        r->bare != NULL && r->f != NULL && r->atom != NULL && r->mean != NULL && r->pivot != NULL;
    for (int i = 0; i < 3; i++) {
        r->room[i] = calloc(side * side, sizeof *r->room[i]);
        done = done && r->room[i] != NULL;
    }
    return done ? NND_OK : nnd_fail_memory(ctx, "the resolvent of a pencil");
}

void nnd_dyson_resolvent_clear(dyson_resolvent *r) {
    free(r->bare);
    free(r->f);
    free(r->atom);
    free(r->mean);
    free(r->pivot);
    for (int i = 0; i < 3; i++)
        free(r->room[i]);
    *r = (dyson_resolvent){0};
}

/* ---- small products; all matrices are symmetric but where it is said ---- */

static void product(size_t rows, size_t inner, size_t cols, const double complex *a,
                    const double complex *b, double complex *c) {
    const double complex one = 1.0, zero = 0.0;
    if (rows > 0 && inner > 0 && cols > 0)
        cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)cols, (int)inner,
                    &one, a, (int)inner, b, (int)cols, &zero, c, (int)cols);
}

/* c = a b a; `room` is of their size, and c may be b. */
static void sandwich(size_t n, const double complex *a, const double complex *b,
                     double complex *room, double complex *c) {
    product(n, n, n, a, b, room);
    product(n, n, n, room, a, c);
}

static bool invert(size_t n, double complex *a, dyson_resolvent *r) {
    lapack_int m = (lapack_int)n;
    return n == 0 || (LAPACKE_zgetrf_work(LAPACK_COL_MAJOR, m, m, a, m, r->pivot) == 0 &&
                      LAPACKE_zgetri_work(LAPACK_COL_MAJOR, m, a, m, r->pivot, r->room[0],
                                          (lapack_int)(n * n)) == 0);
}

/* ---- Sigma, F ---- */

void nnd_dyson_self_energy(const dyson_map *map, const double complex *g, double complex *sigma) {
    memset(sigma, 0, map->size * sizeof *sigma);
    for (size_t i = 0; i < map->links; i++) {
        const dyson_link *link = &map->link[i];
        sigma[link->to] += link->weight * g[link->from];
    }
}

/* B = s [[0, alpha], [alpha^T, 0]], touched x touched. */
static void fill_coupling(const dyson_map *map, double s, double complex *b) {
    size_t rows = map->of[0].count, cols = map->of[1].count;
    memset(b, 0, map->touched * map->touched * sizeof *b);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            b[i * map->touched + rows + j] = b[(rows + j) * map->touched + i] =
                s * map->alpha[i * cols + j];
}

/* The elements of a, one of the matrices over all spaces, where the fixed matrix touches it. */
static void pick(const dyson_map *map, const double complex *a, double complex *gamma) {
    memset(gamma, 0, map->touched * map->touched * sizeof *gamma);
    for (size_t side = 0, first = 0; side < 2; first += map->of[side].count, side++) {
        const dyson_side *of = &map->of[side];
        for (size_t i = 0; i < of->count; i++)
            for (size_t j = 0; j < of->count; j++)
                gamma[(first + i) * map->touched + first + j] =
                    a[map->offset[of->space] + of->index[i] * map->side[of->space] + of->index[j]];
    }
}

/* T = B (1 - Gamma B)^-1, B = s [[0, alpha], [alpha^T, 0]] and Gamma the bare inverse where the
 * fixed matrix touches it; false if singular. (1 - B Gamma) T = B, column by column. B and Gamma
 * are symmetric: a product the other way round, by rows, is that one by columns. */
static bool scatter(const dyson_map *map, const dyson_resolvent *r, double s, double complex *t) {
    size_t n = map->touched;
    lapack_int m = (lapack_int)n;
    double complex *gamma = r->room[0], *left = r->room[1];
    fill_coupling(map, s, t);
    pick(map, r->bare, gamma);
    product(n, n, n, gamma, t, left);
    for (size_t i = 0; i < n * n; i++)
        left[i] = (i % (n + 1) == 0 ? 1.0 : 0.0) - left[i];
    return n == 0 ||
           (LAPACKE_zgetrf_work(LAPACK_COL_MAJOR, m, m, left, m, r->pivot) == 0 &&
            LAPACKE_zgetrs_work(LAPACK_COL_MAJOR, 'N', m, m, left, m, r->pivot, t, m) == 0);
}

/* Side `side` of a touched x touched matrix, as rows (n x count) behind the columns of p, in which
 * it is embedded: out = p U t, n x count. */
static void spread(const dyson_map *map, size_t side, const double complex *p,
                   const double complex *t, double complex *out) {
    const dyson_side *of = &map->of[side];
    size_t n = map->side[of->space], first = side == 0 ? 0 : map->of[0].count;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < of->count; j++) {
            double complex sum = 0.0;
            for (size_t k = 0; k < of->count; k++)
                sum += p[i * n + of->index[k]] * t[(first + k) * map->touched + first + j];
            out[i * of->count + j] = sum;
        }
}

/* f += factor a (q U)^T, a being n x count, and its transpose if `both`. */
static void add_outer(const dyson_map *map, size_t side, double factor, const double complex *a,
                      const double complex *q, bool both, double complex *f) {
    const dyson_side *of = &map->of[side];
    size_t n = map->side[of->space];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double complex sum = 0.0;
            for (size_t k = 0; k < of->count; k++)
                sum += a[i * of->count + k] * q[j * n + of->index[k]];
            f[i * n + j] += factor * sum;
            if (both)
                f[j * n + i] += factor * sum;
        }
}

/* f = P + (1/n) P U E[T] U^T P on either side: many-outputs.md#eq9. */
static bool average(const dyson_map *map, dyson_resolvent *r) {
    size_t small = map->touched * map->touched;
    memset(r->mean, 0, small * sizeof *r->mean);
    for (size_t a = 0; a < map->atoms; a++) {
        double complex *t = r->atom + a * small;
        if (!scatter(map, r, map->s[a], t))
            return false;
        for (size_t i = 0; i < small; i++)
            r->mean[i] += map->weight[a] * t[i];
    }
    for (size_t side = 0; map->atoms > 0 && side < 2; side++) {
        size_t space = map->of[side].space;
        const double complex *p = r->bare + map->offset[space];
        spread(map, side, p, r->mean, r->room[0]);
        add_outer(map, side, 1.0 / map->n[space], r->room[0], p, false, r->f + map->offset[space]);
    }
    return true;
}

bool nnd_dyson_invert(const dyson_map *map, double complex x, const double complex *sigma,
                      dyson_resolvent *r) {
    for (size_t i = 0; i < map->size; i++)
        r->bare[i] = x * map->spectral[i] - map->constant[i] - sigma[i];
    for (size_t s = 0; s < map->spaces; s++)
        if (!invert(map->side[s], r->bare + map->offset[s], r))
            return false;
    memcpy(r->f, r->bare, map->size * sizeof *r->f);
    return !map->fixed || average(map, r);
}

/* dP = P change P, dT = T dGamma T, and the product rule. */
void nnd_dyson_change(const dyson_map *map, dyson_resolvent *r, const double complex *change,
                      double complex *df) {
    for (size_t s = 0; s < map->spaces; s++) {
        size_t at = map->offset[s];
        sandwich(map->side[s], r->bare + at, change + at, r->room[0], df + at);
    }
    if (!map->fixed || map->atoms == 0)
        return;
    size_t n = map->touched, small = n * n;
    double complex *gamma = r->room[0], *mean = r->room[1], *by = r->room[2];
    pick(map, df, gamma);
    memset(mean, 0, small * sizeof *mean);
    for (size_t a = 0; a < map->atoms; a++) {
        const double complex *t = r->atom + a * small;
        product(n, n, n, t, gamma, by);
        const double complex weight = map->weight[a], one = 1.0;
        cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)n, (int)n, &weight, by,
                    (int)n, t, (int)n, &one, mean, (int)n);
    }
    for (size_t side = 0; side < 2; side++) {
        size_t space = map->of[side].space, at = map->offset[space], blocks = map->side[space];
        const double complex *p = r->bare + at;
        double complex *dp = r->room[0], *spreaded = r->room[2];
        memcpy(dp, df + at, blocks * blocks * sizeof *dp);
        spread(map, side, p, r->mean, spreaded);
        add_outer(map, side, 1.0 / map->n[space], spreaded, dp, true, df + at);
        spread(map, side, p, mean, spreaded);
        add_outer(map, side, 1.0 / map->n[space], spreaded, p, false, df + at);
    }
}
