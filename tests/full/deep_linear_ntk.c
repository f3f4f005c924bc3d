/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/deep_linear_ntk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "full/spike_system.h"
#include "nndmft/solvers/pencil.h"

/* Start of a search below the edge parameter x_+, and relative step of numerical derivatives. */
static const double BELOW_EDGE = 1.0 - 1e-6, DERIVATIVE_STEP = 1e-5;

/* ---- the system ---- */

/* Which of the two local vectors, hat u or hat v, a field goes with. */
typedef enum { U, V } row_kind;

/* A response block: scalar = propagator(layer; row, side) * factor. The sample space has layer L+1
 * in this numbering, with the one propagator d. */
typedef struct {
    size_t layer;
    row_kind row, side;
    double factor;
} response_scalar;

/* A space: its scalars are the propagators of its fields' rows. */
typedef struct {
    size_t layer;
    bool single;
    row_kind row; /* of a single field */
} space_scalars;

typedef struct {
    const nnd_dynamics *d;
    size_t n; /* queries 0..q */
    bool fixed;
    double kappa;
    double *s, *aspect, *k; /* of the pencil */
    nnd_pencil pencil;
    nnd_pencil_point point;
    const nnd_field_factors *factors;
    response_scalar *response;
    space_scalars *space;
    size_t responses, spaces;
    nnd_spikes *spikes; /* per matrix */
    nnd_dressed *dressed;
    nnd_spike_system system;
} problem;

/* Fields in causal order: g_L, ..., g_1, (delta, r,) h_0, ..., h_{L-1}. */
static size_t field_g(const problem *p, size_t l) {
    return p->d->depth - l;
}

static size_t field_delta(const problem *p) {
    return p->d->depth;
}

static size_t field_residual(const problem *p) {
    return p->d->depth + 1;
}

static size_t field_h(const problem *p, size_t l) {
    return p->d->depth + (p->fixed ? 2 : 0) + l;
}

static size_t field_count(const problem *p) {
    return field_h(p, p->d->depth);
}

static size_t sample_space(const problem *p) {
    return p->d->depth + 1;
}

/* Element (row, side) of the local propagator; b_{-1} = d belongs to the D-space, layer 0. */
static double propagator(const problem *p, const nnd_pencil_point *point, size_t layer,
                         row_kind row, row_kind side) {
    if (layer == sample_space(p))
        return point->d;
    double e = point->e[layer], b = layer == 0 ? point->d : point->b[layer - 1];
    double element = row != side ? 1.0 : row == U ? e : b;
    return element / point->rest[layer];
}

static void scalars(const void *data, double x, double *t, double *g) {
    const problem *p = data;
    nnd_pencil_point point = p->point;
    nnd_pencil_at(&p->pencil, x, &point);
    for (size_t i = 0; i < p->responses; i++) {
        const response_scalar *r = &p->response[i];
        t[i] = r->factor * propagator(p, &point, r->layer, r->row, r->side);
    }
    for (size_t i = 0; i < p->spaces; i++) {
        const space_scalars *sp = &p->space[i];
        row_kind first = sp->single ? sp->row : U;
        *g++ = propagator(p, &point, sp->layer, first, first);
        if (sp->single)
            continue;
        *g++ = propagator(p, &point, sp->layer, U, V);
        *g++ = propagator(p, &point, sp->layer, V, V);
    }
}

static nnd_status add_response(problem *p, size_t of, size_t to, nnd_field field, nnd_matrix matrix,
                               nnd_direction direction, response_scalar scalar) {
    const nnd_march *m = p->d->march;
    p->response[p->responses++] = scalar;
    return nnd_dressed_add_response(p->dressed, of, to,
                                    nnd_march_image_coefficients(m, field, matrix, direction),
                                    nnd_march_stride(m));
}

/* A field by itself in its space. */
static nnd_status add_single(problem *p, size_t field, const nnd_factor *f, size_t layer,
                             row_kind row) {
    p->space[p->spaces++] = (space_scalars){layer, true, row};
    return nnd_dressed_add_space(p->dressed, field, f->coords, field, NULL, f->rank);
}

/* The two fields of a layer, of kinds U and V. */
static nnd_status add_pair(problem *p, size_t u, const nnd_factor *of_u, size_t v,
                           const nnd_factor *of_v, size_t layer) {
    p->space[p->spaces++] = (space_scalars){layer, false, U};
    return nnd_dressed_add_space(p->dressed, u, of_u->coords, v, of_v->coords, of_u->rank);
}

static nnd_status add_spaces(problem *p) {
    const nnd_field_factors *f = p->factors;
    size_t top = p->d->depth;
    nnd_status status = add_single(p, field_g(p, top), &f->g[top], top, U);
    for (size_t l = 1; status == NND_OK && l < top; l++)
        status = add_pair(p, field_g(p, l), &f->g[l], field_h(p, l), &f->h[l], l);
    if (status == NND_OK && !p->fixed)
        return add_single(p, field_h(p, 0), &f->h[0], 0, V);
    if (status == NND_OK)
        status = add_pair(p, field_delta(p), &f->delta, field_h(p, 0), &f->h[0], 0);
    if (status == NND_OK)
        status = add_single(p, field_residual(p), &f->residual, sample_space(p), U);
    return status;
}

/* A field of layer l >= 1 answers to h_{l-1} through A_{l-1} and to g_{l+1} through A_l. */
static nnd_status add_layer_field(problem *p, size_t l, row_kind row) {
    const nnd_dynamics *d = p->d;
    size_t at = row == U ? field_g(p, l) : field_h(p, l);
    nnd_field field = row == U ? d->g[l] : d->h[l];
    nnd_status status =
        add_response(p, at, field_h(p, l - 1), field, d->a[l - 1], NND_FORWARD,
                     (response_scalar){l, row, U, p->s[l - 1] / p->kappa * p->aspect[l - 1]});
    if (status == NND_OK && l < d->depth)
        status = add_response(p, at, field_g(p, l + 1), field, d->a[l], NND_BACKWARD,
                              (response_scalar){l, row, V, p->s[l] / p->kappa});
    return status;
}

/* A field of the D-space answers to r through Z and to g_1 through A_0. */
static nnd_status add_input_field(problem *p, row_kind row) {
    const nnd_dynamics *d = p->d;
    size_t at = row == U ? field_delta(p) : field_h(p, 0);
    nnd_field field = row == U ? d->delta : d->h[0];
    nnd_status status = NND_OK;
    if (p->fixed)
        status = add_response(p, at, field_residual(p), field, d->z, NND_BACKWARD,
                              (response_scalar){0, row, U, d->inv_alpha});
    if (status == NND_OK)
        status = add_response(p, at, field_g(p, 1), field, d->a[0], NND_BACKWARD,
                              (response_scalar){0, row, V, p->s[0] / p->kappa});
    return status;
}

static nnd_status add_samples(problem *p) {
    const nnd_dynamics *d = p->d;
    nnd_status status = add_input_field(p, U);
    if (status == NND_OK)
        status = add_response(p, field_residual(p), field_delta(p), d->residual, d->z, NND_FORWARD,
                              (response_scalar){sample_space(p), U, U, 1.0});
    return status;
}

static nnd_status add_blocks(problem *p) {
    nnd_status status = NND_OK;
    for (size_t l = p->d->depth; status == NND_OK && l >= 1; l--)
        status = add_layer_field(p, l, U);
    if (status == NND_OK && p->fixed)
        status = add_samples(p);
    if (status == NND_OK)
        status = add_input_field(p, V);
    for (size_t l = 1; status == NND_OK && l < p->d->depth; l++)
        status = add_layer_field(p, l, V);
    return status == NND_OK ? add_spaces(p) : status;
}

/* k_l of deep-linear.md#s4 and s_l of deep-linear.md#s4-1 at query q. */
static void set_pencil(problem *p, size_t q) {
    const nnd_dynamics *d = p->d;
    const nnd_deep_linear *params = d->params;
    for (size_t l = 0; l <= d->depth; l++) {
        double sigma2 = nnd_deep_linear_sigma(params, l) * nnd_deep_linear_sigma(params, l);
        double gram = l < d->depth ? nnd_march_overlap(d->march, d->g[l + 1], q, q) : 1.0;
        p->k[l] = sigma2 * gram / (l == 0 ? 1.0 : params->nu);
        if (l < d->depth) {
            p->s[l] = p->kappa * p->kappa * sigma2;
            p->aspect[l] = l == 0 ? params->nu : 1.0;
        }
    }
    p->pencil = (nnd_pencil){d->depth, p->s, p->aspect, p->k, p->fixed ? d->inv_alpha : 0.0};
}

static nnd_status make_spikes(nnd_context *ctx, problem *p, const double *omega) {
    const nnd_dynamics *d = p->d;
    double *weight = calloc(p->n, sizeof *weight);
    nnd_status status = weight != NULL ? NND_OK : nnd_fail_memory(ctx, "the spikes");
    for (size_t l = 0; status == NND_OK && l < d->depth; l++) {
        for (size_t i = 0; i + 1 < p->n; i++)
            weight[i] = d->c[l] * omega[i];
        /* The present query has no weight in the weights yet. */
        status = nnd_spikes_make(ctx, p->n - 1, &p->factors->g[l + 1], &p->factors->h[l], weight,
                                 &p->spikes[l]);
    }
    free(weight);
    return status;
}

static nnd_status allocate(nnd_context *ctx, problem *p) {
    size_t depth = p->d->depth;
    p->s = calloc(depth, sizeof(double));
    p->aspect = calloc(depth, sizeof(double));
    p->k = calloc(depth + 1, sizeof(double));
    p->point.e = calloc(depth + 1, sizeof(double));
    p->point.b = calloc(depth, sizeof(double));
    p->point.rest = calloc(depth + 1, sizeof(double));
    p->response = calloc(4 * depth + 6, sizeof *p->response);
    p->space = calloc(depth + 3, sizeof *p->space);
    p->spikes = calloc(depth, sizeof *p->spikes);
    bool done = p->s != NULL && p->aspect != NULL && p->k != NULL && p->point.e != NULL &&
                p->point.b != NULL && p->point.rest != NULL && p->response != NULL &&
                p->space != NULL && p->spikes != NULL;
    return done ? NND_OK : nnd_fail_memory(ctx, "the NTK");
}

static nnd_status make_problem(nnd_context *ctx, const nnd_dynamics *d,
                               const nnd_field_factors *factors, size_t q, double kappa,
                               const double *omega, problem *p) {
    *p = (problem){.d = d,
                   .factors = factors,
                   .n = q + 1,
                   .kappa = kappa,
                   .fixed = d->params->training == NND_TRAIN_FIXED};
    nnd_status status = allocate(ctx, p);
    if (status != NND_OK)
        return status;
    set_pencil(p, q);
    status = nnd_dressed_new(ctx, field_count(p), p->n, &p->dressed);
    if (status == NND_OK)
        status = add_blocks(p);
    if (status == NND_OK)
        status = make_spikes(ctx, p, omega);
    nnd_spike_place *place = calloc(d->depth, sizeof *place);
    if (status == NND_OK && place == NULL)
        status = nnd_fail_memory(ctx, "the NTK");
    for (size_t l = 0; status == NND_OK && l < d->depth; l++)
        place[l] = (nnd_spike_place){&p->spikes[l], field_g(p, l + 1), field_h(p, l)};
    if (status == NND_OK) {
        nnd_dressed *dressed = p->dressed;
        p->dressed = NULL;
        status = nnd_spike_system_make(ctx, dressed, p->responses, 3 * p->spaces, p->n, d->depth,
                                       place, scalars, p, &p->system);
    }
    free(place);
    return status;
}

static void clear_problem(problem *p) {
    for (size_t l = 0; p->spikes != NULL && l < p->d->depth; l++)
        nnd_spikes_clear(&p->spikes[l]);
    free(p->spikes);
    nnd_dressed_free(p->dressed);
    nnd_spike_system_clear(&p->system);
    free(p->s);
    free(p->aspect);
    free(p->k);
    free(p->point.e);
    free(p->point.b);
    free(p->point.rest);
    free(p->response);
    free(p->space);
}

/* ---- modes ---- */

static double lambda_at(const problem *p, double x) {
    nnd_pencil_point point = p->point;
    nnd_pencil_at(&p->pencil, x, &point);
    return point.lambda;
}

/* Squared cosine with the residual (deep-linear.md#s4-4), by central differences of the scalars. */
static nnd_status residual_overlap(nnd_context *ctx, problem *p, double x, const double *y,
                                   double *overlap) {
    size_t size = nnd_dressed_size(p->system.dressed), scalars_count = p->responses + 3 * p->spaces;
    double *s = calloc(size, sizeof *s), *a = calloc(size, sizeof *a);
    double *up = calloc(scalars_count, sizeof *up), *down = calloc(scalars_count, sizeof *down);
    nnd_status status = s != NULL && a != NULL && up != NULL && down != NULL
                            ? nnd_spike_system_null(&p->system, x, y, s, a)
                            : nnd_fail_memory(ctx, "the NTK");
    if (status == NND_OK) {
        double h = x * DERIVATIVE_STEP, derivative;
        scalars(p, x + h, up, up + p->responses);
        scalars(p, x - h, down, down + p->responses);
        for (size_t i = 0; i < scalars_count; i++)
            up[i] = (up[i] - down[i]) / (2.0 * h);
        double slope = (lambda_at(p, x + h) - lambda_at(p, x - h)) / (2.0 * h);
        status = nnd_spike_system_derivative(&p->system, up, up + p->responses, s, a, &derivative);
        size_t q = p->n - 1;
        double r = a[field_residual(p) * p->n + q];
        /* derivative = -S G' S + 2 S T' a is minus the bracket of deep-linear.md#s4-4,
         * T' = dT/dx. */
        *overlap = r * r * slope / derivative / nnd_dynamics_residual_gram(p->d, q, q);
    }
    free(s);
    free(a);
    free(up);
    free(down);
    return status;
}

/* A point beyond the j-th outlier: x halved until the eigenvalue is positive. */
static nnd_status beyond(nnd_context *ctx, const nnd_outlier_problem *search, size_t j, double edge,
                         double *far) {
    size_t count = j + 1;
    nnd_status status = NND_OK;
    for (*far = edge; status == NND_OK && count > j && *far > 0.0;) {
        *far /= 2.0;
        status = nnd_outlier_count(ctx, search, *far, &count);
    }
    return status;
}

static nnd_status find_all(nnd_context *ctx, problem *p, double x_edge, nnd_ntk_modes *out) {
    nnd_outlier_problem search = nnd_spike_system_problem(&p->system);
    size_t count;
    double edge = x_edge * BELOW_EDGE, far, x;
    double *y = calloc(2 * p->system.k + 1, sizeof *y);
    nnd_status status =
        y != NULL ? nnd_outlier_count(ctx, &search, edge, &count) : nnd_fail_memory(ctx, "the NTK");
    for (size_t j = 0; status == NND_OK && j < count && j < out->count; j++) {
        status = beyond(ctx, &search, j, edge, &far);
        if (status == NND_OK)
            status = nnd_outlier_find(ctx, &search, j, edge, far, &x, y);
        if (status != NND_OK || isnan(x))
            continue;
        out->value[j] = lambda_at(p, x);
        if (j == 0 && p->fixed)
            status = residual_overlap(ctx, p, x, y, &out->residual_overlap);
    }
    free(y);
    return status;
}

/* Weight decay, and tiny sigma in deep networks, make these vanish. */
static bool in_range(const problem *p) {
    bool normal = isnormal(p->k[p->d->depth]);
    for (size_t l = 0; l < p->d->depth; l++)
        normal = normal && isnormal(p->k[l]) && isnormal(p->s[l]);
    return normal;
}

nnd_status nnd_dynamics_ntk(nnd_context *ctx, const nnd_dynamics *d,
                            const nnd_field_factors *factors, size_t q, double kappa,
                            const double *omega, nnd_ntk_modes *out) {
    problem p;
    double x_edge;
    for (size_t j = 0; j < out->count; j++)
        out->value[j] = NAN;
    out->residual_overlap = NAN;
    nnd_status status = make_problem(ctx, d, factors, q, kappa, omega, &p);
    if (status == NND_OK && !in_range(&p))
        status = nnd_fail(ctx, NND_E_UNSOLVED,
                          "the NTK at step %zu is smaller than double precision holds; "
                          "ntk: false leaves it out",
                          q / d->stages);
    if (status == NND_OK)
        status = nnd_pencil_edge(ctx, &p.pencil, &x_edge, &out->edge);
    if (status == NND_OK && p.system.k > 0)
        status = find_all(ctx, &p, x_edge, out);
    clear_problem(&p);
    return status;
}
