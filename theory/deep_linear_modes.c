/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The unknowns of the pencil are r (of fixed data), u_0, v_0, ..., u_L, v_L, in which its matrix F
 * is block tridiagonal (deep-linear.md#s4-2). Those of r and v_l, blocks of the form a + b S, are
 * eliminated in closed form: what is left of u_0, ..., u_L is positive definite beyond all modes.
 */
#include "theory/deep_linear_modes.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/brent.h"
#include "nndmft/solvers/inertia.h"
#include "nndmft/solvers/pencil.h"
#include "nndmft/solvers/unknown.h"

/* Start of a search below the edge parameter x_+, and relative step of numerical derivatives. */
static const double BELOW_EDGE = 1.0 - 1e-6, DERIVATIVE_STEP = 1e-5;

typedef struct {
    const nnd_small *n;
    bool fixed;
    size_t *rows;           /* of u_0, ..., u_L */
    double *s, *aspect, *k; /* of the pencil */
    nnd_pencil pencil;
    double *e, *b, *rest;       /* room of its points */
    nnd_unknown_side *u, *v, r; /* what is unknown beside u_l, v_l and r */
    nnd_unknown_sandwich *a, z; /* A_l from v_l to u_{l+1}; Z^T from r to u_0 */
    double *half, *image;       /* room for v_l or r */
    struct numbers *numbers;    /* room for those of all blocks, twice */
    nnd_inertia *f;             /* NULL: out of range */
} problem;

static nnd_pencil_point point_at(const problem *p, double x) {
    nnd_pencil_point point = {.e = p->e, .b = p->b, .rest = p->rest};
    nnd_pencil_at(&p->pencil, x, &point);
    return point;
}

static double lambda_at(const problem *p, double x) {
    return point_at(p, x).lambda;
}

/* a + b S of a block at a point. */
typedef struct numbers {
    double a, b;
} numbers;

static numbers of_r(const nnd_pencil_point *point) {
    return (numbers){point->lambda, 1.0 / point->d - point->lambda};
}

static numbers of_u(const problem *p, const nnd_pencil_point *point, size_t l) {
    if (l == 0 && !p->fixed)
        return (numbers){-1.0 / point->lambda, 0.0};
    return (numbers){0.0, l == 0 ? -point->d : -point->b[l - 1]};
}

/* Of -v. */
static numbers of_v(const problem *p, const nnd_pencil_point *point, size_t l) {
    return (numbers){p->k[l], point->e[l] - p->k[l]};
}

/* Block u_l without r and v: a + b S, + 1/v_l, + A v_{l-1}^-1 A^T, - Z^T r^-1 Z; below it -A/v_l.
 */
static void fill(void *data, double x, size_t l, double *diagonal, double *below) {
    const problem *p = data;
    nnd_pencil_point point = point_at(p, x);
    size_t n = p->rows[l];
    numbers u = of_u(p, &point, l), v = of_v(p, &point, l);
    nnd_unknown_add(&p->u[l], u.b, diagonal);
    nnd_unknown_inverse_add(&p->v[l], 1.0, v.a, v.b, diagonal);
    for (size_t k = 0; k < n; k++)
        diagonal[k * n + k] += u.a;
    if (l > 0) {
        numbers before = of_v(p, &point, l - 1);
        nnd_unknown_sandwich_add(&p->a[l - 1], 1.0, before.a, before.b, diagonal);
    } else if (p->fixed) {
        numbers r = of_r(&point);
        nnd_unknown_sandwich_add(&p->z, -1.0, r.a, r.b, diagonal);
    }
    if (below != NULL)
        nnd_unknown_sandwich_half(&p->a[l], -1.0, v.a, v.b, below);
}

/* v_l = (u_l - A_l^T u_{l+1})/v, y the u of all layers. */
static const double *half_v(const problem *p, const nnd_pencil_point *point, size_t l,
                            const double *u, const double *above) {
    numbers v = of_v(p, point, l);
    memcpy(p->image, u, p->rows[l] * sizeof *p->image);
    for (size_t k = 0; l < p->n->depth && k < p->rows[l + 1]; k++)
        cblas_daxpy((int)p->rows[l], -above[k], p->a[l].x + k * p->rows[l], 1, p->image, 1);
    nnd_unknown_solve(&p->v[l], v.a, v.b, p->image, p->half);
    return p->half;
}

/* r = Z u_0/r. */
static const double *half_r(const problem *p, const nnd_pencil_point *point, const double *u) {
    numbers r = of_r(point);
    memset(p->image, 0, p->r.n * sizeof *p->image);
    for (size_t k = 0; k < p->rows[0]; k++)
        cblas_daxpy((int)p->r.n, u[k], p->z.x + k * p->r.n, 1, p->image, 1);
    nnd_unknown_solve(&p->r, r.a, r.b, p->image, p->half);
    return p->half;
}

static double form(const nnd_unknown_side *side, numbers change, const double *y) {
    return change.a * cblas_ddot((int)side->n, y, 1, y, 1) + change.b * nnd_unknown_form(side, y);
}

/* Central difference. */
static numbers change(numbers up, numbers down, double h) {
    return (numbers){(up.a - down.a) / (2.0 * h), (up.b - down.b) / (2.0 * h)};
}

/* Points are views of the same room: their numbers of all blocks, r, u_0, -v_0, u_1, ... */
static void numbers_at(const problem *p, double x, numbers *out) {
    nnd_pencil_point point = point_at(p, x);
    *out++ = of_r(&point);
    for (size_t l = 0; l <= p->n->depth; l++) {
        *out++ = of_u(p, &point, l);
        *out++ = of_v(p, &point, l);
    }
}

/* y^T F' y over r, u and v. */
static double derivative(void *data, double x, const double *y) {
    const problem *p = data;
    double h = x * DERIVATIVE_STEP, sum = 0.0;
    size_t blocks = 2 * p->n->depth + 3;
    numbers *up = p->numbers, *down = up + blocks;
    numbers_at(p, x + h, up);
    numbers_at(p, x - h, down);
    nnd_pencil_point point = point_at(p, x);
    if (p->fixed)
        sum += form(&p->r, change(up[0], down[0], h), half_r(p, &point, y));
    for (size_t l = 0; l <= p->n->depth; l++) {
        const double *above = y + p->rows[l];
        numbers u = change(up[1 + 2 * l], down[1 + 2 * l], h);
        numbers v = change(up[2 + 2 * l], down[2 + 2 * l], h);
        sum += form(&p->u[l], u, y) - form(&p->v[l], v, half_v(p, &point, l, y, above));
        y = above;
    }
    return sum;
}

/* What is unknown beside u_l and v_l, and A_l between v_l and u_{l+1}. */
static nnd_status add_layer(nnd_context *ctx, problem *p, size_t l) {
    const nnd_small *n = p->n;
    size_t dim = p->rows[l];
    nnd_known before = {0}, after = {0};
    if (l > 0)
        before = nnd_conditioned_known(n->system, n->a[l - 1]);
    if (l < n->depth)
        after = nnd_conditioned_known(n->system, n->a[l]);
    p->v[l] = (nnd_unknown_side){dim, after.unknown_in, after.stride_in, after.n_f, NULL};
    nnd_status status = nnd_unknown_side_square(ctx, &p->v[l]);
    if (status == NND_OK && l < n->depth)
        status = nnd_unknown_sandwich_make(ctx, &p->v[l], after.out, after.m, after.stride, false,
                                           &p->a[l]);
    if (status != NND_OK || l == 0)
        return status;
    p->u[l] = (nnd_unknown_side){dim, before.unknown_out, before.stride_out, before.n_b, NULL};
    return nnd_unknown_side_square(ctx, &p->u[l]);
}

static nnd_status add_data(nnd_context *ctx, problem *p) {
    nnd_known z = {0};
    if (p->fixed)
        z = nnd_conditioned_known(p->n->system, p->n->z);
    p->u[0] = (nnd_unknown_side){p->rows[0], z.unknown_in, z.stride_in, z.n_f, NULL};
    p->r = (nnd_unknown_side){z.out, z.unknown_out, z.stride_out, z.n_b, NULL};
    nnd_status status = nnd_unknown_side_square(ctx, &p->u[0]);
    if (status == NND_OK && p->fixed)
        status = nnd_unknown_sandwich_make(ctx, &p->r, p->rows[0], z.m, z.stride, true, &p->z);
    return status;
}

/* k_l of deep-linear.md#s4 and s_l of deep-linear.md#s4-1. */
static void set_pencil(problem *p) {
    const nnd_small *n = p->n;
    for (size_t l = 0; l <= n->depth; l++) {
        double sigma = nnd_deep_linear_sigma(n->params, l);
        p->k[l] = nnd_small_ntk_weight(n, l);
        if (l < n->depth) {
            p->s[l] = n->kappa * n->kappa * sigma * sigma;
            p->aspect[l] = l == 0 ? n->params->nu : 1.0;
        }
    }
    p->pencil = (nnd_pencil){n->depth, p->s, p->aspect, p->k, p->fixed ? n->inv_alpha : 0.0};
}

/* Weight decay, and tiny sigma in deep networks, make these vanish. */
static bool in_range(const problem *p) {
    bool normal = isnormal(p->k[p->n->depth]);
    for (size_t l = 0; l < p->n->depth; l++)
        normal = normal && isnormal(p->k[l]) && isnormal(p->s[l]);
    return normal;
}

static nnd_status allocate(nnd_context *ctx, problem *p) {
    size_t depth = p->n->depth, longest = 0;
    p->rows = calloc(depth + 1, sizeof *p->rows);
    p->u = calloc(depth + 1, sizeof *p->u);
    p->v = calloc(depth + 1, sizeof *p->v);
    p->a = calloc(depth + 1, sizeof *p->a);
    p->numbers = calloc(4 * depth + 6, sizeof *p->numbers);
    p->s = calloc(6 * depth + 3, sizeof *p->s);
    for (size_t l = 0; l < depth + 2; l++) {
        size_t dim = nnd_conditioned_dim(p->n->system, p->n->space[l]);
        longest = dim > longest ? dim : longest;
    }
    p->half = calloc(longest + 1, sizeof *p->half);
    p->image = calloc(longest + 1, sizeof *p->image);
    bool made = p->rows != NULL && p->u != NULL && p->v != NULL && p->a != NULL &&
                p->numbers != NULL && p->s != NULL && p->half != NULL && p->image != NULL;
    if (!made)
        return nnd_fail_memory(ctx, "the NTK");
    p->aspect = p->s + depth;
    p->k = p->aspect + depth;
    p->e = p->k + depth + 1;
    p->b = p->e + depth + 1;
    p->rest = p->b + depth;
    for (size_t l = 0; l <= depth; l++)
        p->rows[l] = nnd_conditioned_dim(p->n->system, p->n->space[l]);
    return NND_OK;
}

static nnd_status make_problem(nnd_context *ctx, const nnd_small *n, problem *p) {
    *p = (problem){.n = n, .fixed = n->params->training == NND_TRAIN_FIXED};
    nnd_status status = allocate(ctx, p);
    if (status != NND_OK)
        return status;
    set_pencil(p);
    if (!in_range(p))
        return NND_OK;
    status = add_data(ctx, p);
    for (size_t l = 0; l <= n->depth && status == NND_OK; l++)
        status = add_layer(ctx, p, l);
    const nnd_inertia_problem reduced = {n->depth + 1, p->rows, fill, derivative, p};
    return status == NND_OK ? nnd_inertia_new(ctx, &reduced, &p->f) : status;
}

static void clear_problem(problem *p) {
    nnd_inertia_free(p->f);
    for (size_t l = 0; p->rows != NULL && l <= p->n->depth; l++) {
        if (p->u != NULL)
            nnd_unknown_side_clear(&p->u[l]);
        if (p->v != NULL)
            nnd_unknown_side_clear(&p->v[l]);
        if (p->a != NULL)
            nnd_unknown_sandwich_clear(&p->a[l]);
    }
    nnd_unknown_side_clear(&p->r);
    nnd_unknown_sandwich_clear(&p->z);
    free(p->rows);
    free(p->u);
    free(p->v);
    free(p->a);
    free(p->numbers);
    free(p->s);
    free(p->half);
    free(p->image);
}

/* A bracket whose far end lies beyond mode number j: x halved until it does. */
static nnd_status beyond(const problem *p, size_t j, nnd_inertia_bracket *bracket) {
    nnd_status status = NND_OK;
    bracket->far = bracket->near;
    do {
        bracket->far /= 2.0;
        status = nnd_inertia_count(p->f, bracket->far, &bracket->count_far);
    } while (status == NND_OK && bracket->count_far > j && bracket->far > 0.0);
    return status;
}

/* Squared cosine with the residual (deep-linear.md#s4-4). */
static double residual_overlap(problem *p, double x, const double *y) {
    const nnd_small *n = p->n;
    double h = x * DERIVATIVE_STEP, norm2 = derivative(p, x, y);
    double slope = (lambda_at(p, x + h) - lambda_at(p, x - h)) / (2.0 * h);
    nnd_pencil_point point = point_at(p, x);
    double along = cblas_ddot((int)p->r.n, half_r(p, &point, y), 1,
                              nnd_conditioned_vector(n->system, n->fields[0].residual), 1);
    return along * along * slope / (norm2 * nnd_small_train_mse(n));
}

static nnd_status find_all(nnd_context *ctx, problem *p, double x_edge, nnd_ntk_modes *out) {
    nnd_inertia_bracket bracket = {.near = x_edge * BELOW_EDGE};
    double x, *y = calloc(nnd_inertia_size(p->f) + 1, sizeof *y);
    nnd_status status = y != NULL ? nnd_inertia_count(p->f, bracket.near, &bracket.count_near)
                                  : nnd_fail_memory(ctx, "the NTK");
    for (size_t j = 0; status == NND_OK && j < bracket.count_near && j < out->count; j++) {
        status = beyond(p, j, &bracket);
        if (status == NND_OK)
            status = nnd_inertia_root(p->f, j, &bracket, &x, y);
        if (status != NND_OK || isnan(x))
            continue;
        out->value[j] = lambda_at(p, x);
        if (j == 0 && p->fixed)
            out->residual_overlap = residual_overlap(p, x, y);
    }
    free(y);
    return status;
}

nnd_status nnd_small_ntk(nnd_context *ctx, const nnd_small *n, size_t step, nnd_ntk_modes *out) {
    problem p;
    double x_edge;
    for (size_t j = 0; j < out->count; j++)
        out->value[j] = NAN;
    out->residual_overlap = NAN;
    nnd_status status = make_problem(ctx, n, &p);
    if (status == NND_OK && p.f == NULL)
        status = nnd_fail(ctx, NND_E_UNSOLVED,
                          "the NTK at step %zu is smaller than double precision holds; "
                          "ntk: false leaves it out",
                          step);
    if (status == NND_OK)
        status = nnd_pencil_edge(ctx, &p.pencil, &x_edge, &out->edge);
    if (status == NND_OK)
        status = find_all(ctx, &p, x_edge, out);
    clear_problem(&p);
    return status;
}

nnd_status nnd_small_ntk_edge(nnd_context *ctx, const nnd_small *n, double *edge) {
    problem p = {.n = n, .fixed = n->params->training == NND_TRAIN_FIXED};
    double x;
    nnd_status status = allocate(ctx, &p);
    *edge = 0.0;
    if (status == NND_OK) {
        set_pencil(&p);
        if (in_range(&p))
            status = nnd_pencil_edge(ctx, &p.pencil, &x, edge);
    }
    clear_problem(&p);
    return status;
}

/* ---- a level ---- */

typedef struct {
    const problem *p;
    double level;
} crossing;

static double above_level(double log_x, void *data) {
    const crossing *c = data;
    return lambda_at(c->p, exp(log_x)) / c->level - 1.0;
}

nnd_status nnd_small_ntk_above(nnd_context *ctx, const nnd_small *n, double level, bool *above) {
    problem p;
    double x_edge = 0.0, edge = 0.0;
    nnd_status status = make_problem(ctx, n, &p);
    if (status == NND_OK && p.f != NULL)
        status = nnd_pencil_edge(ctx, &p.pencil, &x_edge, &edge);
    *above = edge > level;
    if (status == NND_OK && p.f != NULL && !*above) {
        crossing c = {&p, level};
        nnd_bracket b = {.low = log(x_edge), .high = log(x_edge)};
        size_t count = 0;
        while (above_level(b.low, &c) <= 0.0)
            b.low -= 1.0;
        status = nnd_brent_root(ctx, above_level, &c, 1e-10, 0.0, &b);
        /* Not beyond where modes are told from the bulk. */
        if (status == NND_OK)
            status = nnd_inertia_count(p.f, fmin(exp(b.x), x_edge * BELOW_EDGE), &count);
        *above = count > 0;
    }
    clear_problem(&p);
    return status;
}
