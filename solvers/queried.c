/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/block_products.h"
#include "solvers/queried_impl.h"

nnd_status nnd_queried_new(nnd_context *ctx, nnd_population *in, nnd_population *out, double sigma,
                           double forward_tol, double backward_tol, size_t parts,
                           nnd_queried **matrix) {
    nnd_queried *m = calloc(1, sizeof *m);
    nnd_growing *c = calloc(parts, sizeof *c);
    if (m == NULL || c == NULL) {
        free(m);
        free(c);
        return nnd_fail_memory(ctx, "a queried matrix");
    }
    *m = (nnd_queried){.ctx = ctx, .sigma = sigma, .kappa = 1.0, .parts = parts, .c = c};
    for (int d = 0; d < 2; d++) {
        nnd_queries *s = &m->side[d];
        s->from = d == NND_FORWARD ? in : out;
        s->to = d == NND_FORWARD ? out : in;
        s->tol = d == NND_FORWARD ? forward_tol : backward_tol;
        s->direction.sites = nnd_population_sites(s->from);
        s->direction.weight = nnd_population_weight(s->from);
    }
    *matrix = m;
    return NND_OK;
}

void nnd_queried_free(nnd_queried *matrix) {
    if (matrix == NULL)
        return;
    for (int d = 0; d < 2; d++) {
        nnd_basis_clear(&matrix->side[d].direction);
        nnd_rows_clear(&matrix->side[d].image);
        nnd_rows_clear(&matrix->side[d].coef);
        free(matrix->side[d].gram.x);
        free(matrix->side[d].lost.x);
        free(matrix->side[d].split);
    }
    for (size_t i = 0; i < matrix->parts; i++)
        free(matrix->c[i].x);
    free(matrix->c);
    free(matrix->r.x);
    nnd_rows_clear(&matrix->scratch);
    free(matrix);
}

void nnd_queried_choose(nnd_queried *matrix, double kappa, size_t part) {
    matrix->kappa = kappa;
    matrix->part = part;
}

size_t nnd_queried_rank(const nnd_queried *matrix, nnd_direction direction) {
    return matrix->side[direction].direction.vector.count;
}

const double *nnd_queried_coefficients(const nnd_queried *matrix, nnd_direction direction,
                                       size_t *ld) {
    *ld = matrix->side[direction].coef_ld;
    return matrix->side[direction].coef.row;
}

static double rows_bytes(const nnd_rows *rows) {
    return (double)rows->count * (double)rows->length * sizeof(double);
}

static double growing_bytes(const nnd_growing *g) {
    return (double)g->rows * (double)g->cols * sizeof(double);
}

double nnd_queried_bytes(const nnd_queried *m) {
    double bytes = growing_bytes(&m->r);
    for (size_t i = 0; i < m->parts; i++)
        bytes += growing_bytes(&m->c[i]);
    for (int d = 0; d < 2; d++) {
        const nnd_queries *s = &m->side[d];
        bytes += rows_bytes(&s->direction.vector) + rows_bytes(&s->image) + growing_bytes(&s->gram);
    }
    return bytes;
}

double nnd_queried_work(const nnd_queried *matrix) {
    return matrix->multiply_adds + matrix->side[NND_FORWARD].direction.multiply_adds +
           matrix->side[NND_BACKWARD].direction.multiply_adds;
}

/* Room for rows x cols, what is there kept. */
static nnd_status grow(nnd_context *ctx, nnd_growing *g, size_t rows, size_t cols) {
    if (rows <= g->rows && cols <= g->cols)
        return NND_OK;
    size_t new_rows = rows <= g->rows ? g->rows : rows + rows / 4;
    size_t new_cols = cols <= g->cols ? g->cols : cols + cols / 4;
    double *x = calloc(new_rows * new_cols, sizeof *x);
    if (x == NULL)
        return nnd_fail_memory(ctx, "responses");
    for (size_t i = 0; i < g->rows; i++)
        memcpy(x + i * new_cols, g->x + i * g->cols, g->cols * sizeof *x);
    free(g->x);
    *g = (nnd_growing){new_rows, new_cols, x};
    return NND_OK;
}

static nnd_status reserve_split(nnd_context *ctx, nnd_queries *s, size_t n) {
    if (n <= s->split_room)
        return NND_OK;
    nnd_split *split = realloc(s->split, n * sizeof *split);
    if (split == NULL)
        return nnd_fail_memory(ctx, "queries");
    s->split = split;
    s->split_room = n;
    return NND_OK;
}

/* Room for `more` further directions on one side. */
static nnd_status reserve(nnd_queried *m, nnd_direction direction, size_t more) {
    nnd_queries *s = &m->side[direction];
    size_t sites = nnd_population_sites(s->to), rank[2];
    for (int d = 0; d < 2; d++)
        rank[d] = nnd_queried_rank(m, (nnd_direction)d) + (d == (int)direction ? more : 0) + 1;
    /* Behind the images of new directions stand those that were asked for. */
    nnd_status status = nnd_rows_reserve(m->ctx, &s->image, sites, 2 * more);
    if (status == NND_OK)
        status = grow(m->ctx, &s->gram, rank[direction], rank[direction]);
    if (status == NND_OK)
        status = grow(m->ctx, &s->lost, 1, rank[direction]);
    for (size_t i = 0; status == NND_OK && i < m->parts; i++)
        status = grow(m->ctx, &m->c[i], rank[NND_BACKWARD], rank[NND_FORWARD]);
    if (status == NND_OK)
        status = grow(m->ctx, &m->r, rank[NND_BACKWARD], rank[NND_FORWARD]);
    if (status == NND_OK)
        status = nnd_rows_reserve(m->ctx, &m->scratch, 1,
                                  3 * more * (rank[NND_FORWARD] + rank[NND_BACKWARD]));
    return status == NND_OK ? reserve_split(m->ctx, s, more) : status;
}

/* The new directions' components along what the adjoints fix become new entries of R. */
static void store_response(nnd_queried *m, nnd_direction direction, size_t first, size_t added,
                           size_t others, const double *w) {
    for (size_t i = 0; i < added; i++)
        for (size_t j = 0; j < others; j++) {
            size_t row = direction == NND_FORWARD ? j : first + i;
            size_t col = direction == NND_FORWARD ? first + i : j;
            m->r.x[row * m->r.cols + col] = w[i * others + j];
        }
}

/* Images of the directions from number `first` on (step 2 of wide-mlp.md#s3):
 * sum_j <Y_j q> p_j + sigma eps, of which what is along the p_j goes into w (added x others). */
static nnd_status add_images(nnd_queried *m, nnd_direction direction, size_t first, double *w) {
    nnd_queries *s = &m->side[direction], *o = &m->side[1 - direction];
    size_t added = s->direction.vector.count - first, others = o->direction.vector.count;
    size_t from_sites = s->direction.sites, sites = o->direction.sites;
    const double *fresh_direction = s->direction.vector.row + first * from_sites;
    double *image = s->image.row + first * sites, *inside = w + added * others;
    nnd_status status = nnd_population_know(s->from, added, fresh_direction);
    if (status == NND_OK)
        status = nnd_population_draw(s->to, added, others, o->direction.vector.row, image, inside);
    if (status != NND_OK)
        return status;
    nnd_population_inner(s->from, added, fresh_direction, others, o->image.row, w, others);
    cblas_dscal((int)(added * sites), m->sigma, image, 1);
    store_response(m, direction, first, added, others, w);
    cblas_daxpy((int)(added * others), -m->sigma, inside, 1, w, 1);
    s->image.count += added;
    m->multiply_adds += (double)added * (double)others * (double)sites;
    return NND_OK;
}

void nnd_queried_complete_grams(nnd_queried *m) {
    for (int d = 0; d < 2; d++) {
        nnd_queries *s = &m->side[d];
        size_t sites = nnd_population_sites(s->to), more = s->image.count - s->gram_rows;
        nnd_population_inner(s->to, more, s->image.row + s->gram_rows * sites, s->image.count,
                             s->image.row, s->gram.x + s->gram_rows * s->gram.cols, s->gram.cols);
        m->multiply_adds += (double)more * (double)s->image.count * (double)sites;
        s->gram_rows = s->image.count;
    }
}

/* out = factor <v, image> - factor coef R, the responses of the residues of n vectors v = coef q +
 * r: <Y_j r> along p_j, or <X_k r> along q_k (wide-mlp.md#eq11). */
static void find_responses(nnd_queried *m, nnd_direction direction, size_t n, const double *v,
                           const double *coef, size_t ld, double *out) {
    nnd_queries *s = &m->side[direction], *o = &m->side[1 - direction];
    size_t rank = s->direction.vector.count, others = o->direction.vector.count;
    nnd_population_inner(s->from, n, v, others, o->image.row, out, others);
    if (rank > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans,
                    direction == NND_FORWARD ? CblasTrans : CblasNoTrans, (int)n, (int)others,
                    (int)rank, -1.0, coef, (int)ld, m->r.x, (int)m->r.cols, 1.0, out, (int)others);
    m->multiply_adds += (double)n * (double)others * (double)s->direction.sites;
}

/* w += kappa times the response of each residue that was dropped. */
static void add_responses(nnd_queried *m, nnd_direction direction, size_t n, const double *v,
                          double *w) {
    nnd_queries *s = &m->side[direction];
    size_t others = m->side[1 - direction].direction.vector.count;
    double *response = w + n * others;
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any |= s->split[i].dropped > 0.0;
    if (!any)
        return;
    find_responses(m, direction, n, v, s->coef.row, s->coef_ld, response);
    for (size_t i = 0; i < n; i++)
        if (s->split[i].dropped > 0.0)
            cblas_daxpy((int)others, m->kappa, response + i * others, 1, w + i * others, 1);
}

/* w = a C^T, or b C, of n vectors of coefficients. */
static void apply_update(const nnd_queried *m, nnd_direction direction, size_t n,
                         const double *coef, size_t ld, double *w) {
    size_t rank = nnd_queried_rank(m, direction), others = nnd_queried_rank(m, 1 - direction);
    if (m->part == NND_QUERIED_INITIAL || rank == 0 || others == 0) {
        memset(w, 0, n * others * sizeof *w);
        return;
    }
    const nnd_growing *c = &m->c[m->part];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, direction == NND_FORWARD ? CblasTrans : CblasNoTrans,
                (int)n, (int)others, (int)rank, 1.0, coef, (int)ld, c->x, (int)c->cols, 0.0, w,
                (int)others);
}

/* out = kappa a X + (a C^T + kappa responses) p, or kappa b Y + (b C + kappa responses) q, behind
 * the images of the last `added` directions, whose own parts w along p or q are added in the same
 * pass. */
static void combine(nnd_queried *m, nnd_direction direction, size_t n, const double *v,
                    size_t added, double *w) {
    nnd_queries *s = &m->side[direction], *o = &m->side[1 - direction];
    size_t rank = s->direction.vector.count, others = o->direction.vector.count;
    size_t sites = o->direction.sites, ld = s->coef_ld, before = rank - added;
    double *fresh = s->image.row + before * sites, *out = fresh + added * sites;
    double *along = w + added * others;
    memset(out, 0, n * sites * sizeof *out);
    nnd_block_combine(n, s->coef.row, ld, rank, s->image.row, sites, m->kappa, out);
    if (rank == 0 || others == 0)
        return;
    apply_update(m, direction, n, s->coef.row, ld, along);
    if (added > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)others, (int)added,
                    m->kappa, s->coef.row + before, (int)ld, w, (int)others, 1.0, along,
                    (int)others);
    add_responses(m, direction, n, v, along);
    nnd_block_combine(added + n, w, others, others, o->direction.vector.row, sites, 1.0, fresh);
}

nnd_status nnd_queried_apply(nnd_queried *m, nnd_direction direction, size_t n, const double *v,
                             const double *least, double *image) {
    nnd_queries *s = &m->side[direction];
    size_t before = s->direction.vector.count;
    nnd_status status = reserve(m, direction, n);
    if (status != NND_OK)
        return status;
    s->block = n;
    s->coef_ld = before + n;
    status = nnd_rows_reserve(m->ctx, &s->coef, 1, n * s->coef_ld);
    if (status == NND_OK)
        status = nnd_basis_extend(m->ctx, &s->direction, n, v, s->tol, least, s->coef.row,
                                  s->coef_ld, s->split);
    size_t rank = s->direction.vector.count, added = rank - before;
    size_t others = nnd_queried_rank(m, 1 - direction), sites = nnd_population_sites(s->to);
    if (status == NND_OK && added > 0)
        status = add_images(m, direction, before, m->scratch.row);
    if (status != NND_OK)
        return status;
    combine(m, direction, n, v, added, m->scratch.row);
    memcpy(image, s->image.row + rank * sites, n * sites * sizeof *image);
    m->multiply_adds += (double)(n * rank + (added + n) * others) * (double)sites;
    return NND_OK;
}

/* <r r> = <v v> - coef coef^T of the residues r = v - coef q. */
static void find_rest(const nnd_queries *s, size_t n, const double *v, const double *coef,
                      double *rest) {
    size_t rank = s->direction.vector.count;
    nnd_population_inner(s->from, n, v, n, v, rest, n);
    if (rank > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n, (int)rank, -1.0, coef,
                    (int)rank, coef, (int)rank, 1.0, rest, (int)n);
}

/* image = kappa coef X + (coef C^T + kappa responses) p, the directions being orthonormal. */
nnd_status nnd_queried_peek(nnd_queried *m, nnd_direction direction, size_t n, const double *v,
                            double *image, double *rest) {
    nnd_queries *s = &m->side[direction], *o = &m->side[1 - direction];
    size_t rank = s->direction.vector.count, others = o->direction.vector.count;
    size_t sites = o->direction.sites;
    double *coef = malloc(n * (rank + 2 * others + 1) * sizeof *coef);
    if (coef == NULL)
        return nnd_fail_memory(m->ctx, "scratch queries");
    double *along = coef + n * rank, *response = along + n * others;
    nnd_population_inner(s->from, n, v, rank, s->direction.vector.row, coef, rank);
    find_rest(s, n, v, coef, rest);
    apply_update(m, direction, n, coef, rank, along);
    find_responses(m, direction, n, v, coef, rank, response);
    cblas_daxpy((int)(n * others), m->kappa, response, 1, along, 1);
    memset(image, 0, n * sites * sizeof *image);
    nnd_block_combine(n, coef, rank, rank, s->image.row, sites, m->kappa, image);
    nnd_block_combine(n, along, others, others, o->direction.vector.row, sites, 1.0, image);
    m->multiply_adds += (double)n * (double)(n / 2 + 2 * rank + others) * (double)sites;
    free(coef);
    return NND_OK;
}

nnd_status nnd_queried_project(nnd_queried *m, nnd_direction direction, size_t n, double *fresh) {
    const nnd_basis *basis = &m->side[1 - direction].direction;
    size_t rank = basis->vector.count, sites = basis->sites;
    double *coef = malloc((n * rank + 1) * sizeof *coef);
    if (coef == NULL)
        return nnd_fail_memory(m->ctx, "scratch queries");
    nnd_basis_inner(basis, n, fresh, rank, basis->vector.row, coef, rank);
    nnd_block_combine(n, coef, rank, rank, basis->vector.row, sites, -1.0, fresh);
    for (size_t i = 0; i < n; i++) {
        double length = sqrt(basis->weight) * cblas_dnrm2((int)sites, fresh + i * sites, 1);
        cblas_dscal((int)sites, 1.0 / length, fresh + i * sites, 1);
    }
    free(coef);
    return NND_OK;
}

nnd_status nnd_queried_update(nnd_queried *m, size_t part, double keep, size_t n,
                              const double *weight) {
    const nnd_queries *f = &m->side[NND_FORWARD], *b = &m->side[NND_BACKWARD];
    size_t forward = f->direction.vector.count, backward = b->direction.vector.count;
    nnd_status status = nnd_rows_reserve(m->ctx, &m->scratch, 1, n * backward + 1);
    if (status != NND_OK || forward == 0 || backward == 0)
        return status;
    double *w = m->scratch.row;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < backward; j++)
            w[i * backward + j] = weight[i] * b->coef.row[i * b->coef_ld + j];
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)backward, (int)forward, (int)n, 1.0,
                w, (int)backward, f->coef.row, (int)f->coef_ld, keep, m->c[part].x,
                (int)m->c[part].cols);
    return NND_OK;
}

/* All updates have the same room. */
void nnd_queried_combine(nnd_queried *m, size_t part, double keep, double factor, size_t other) {
    nnd_growing *to = &m->c[part];
    const nnd_growing *from = &m->c[other];
    int count = (int)(to->rows * to->cols);
    if (keep == 0.0)
        for (int i = 0; i < count; i++)
            to->x[i] = 0.0;
    else if (keep != 1.0)
        cblas_dscal(count, keep, to->x, 1);
    if (factor != 0.0)
        cblas_daxpy(count, factor, from->x, 1, to->x, 1);
}

double nnd_queried_size(const nnd_queried *m, size_t part) {
    const nnd_growing *c = &m->c[part];
    return cblas_dnrm2((int)(c->rows * c->cols), c->x, 1);
}
