/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "solvers/block_products.h"
#include "solvers/traced_impl.h"

nnd_status nnd_traced_new(nnd_context *ctx, const nnd_traced_options *options,
                          nnd_traced **matrix) {
    nnd_traced *m = calloc(1, sizeof *m);
    if (m == NULL)
        return nnd_fail_memory(ctx, "a traced matrix");
    *m = (nnd_traced){.ctx = ctx, .options = *options, .sites = nnd_population_sites(options->in)};
    *matrix = m;
    return NND_OK;
}

void nnd_traced_free(nnd_traced *m) {
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->queries; i++) {
        free(m->query[i].coef);
        if (m->leader != NULL)
            continue;
        free(m->query[i].residue);
        free(m->query[i].fresh);
        free(m->query[i].asked);
    }
    for (size_t i = 0; i < m->updates; i++)
        free(m->c[i].x);
    for (int d = 0; d < 2; d++) {
        nnd_rows_clear(&m->side[d].direction);
        nnd_rows_clear(&m->side[d].image);
        nnd_accumulator_clear(&m->direction_bar[d]);
        nnd_accumulator_clear(&m->image_bar[d]);
        free(m->coef_bar[d]);
    }
    free(m->scratch);
    free(m->residue);
    free(m->query);
    free(m->block);
    free(m->c);
    free(m->c_bar);
    free(m->work);
    free(m);
}

size_t nnd_traced_rank(const nnd_traced *m, nnd_direction direction) {
    return m->side[direction].direction.count;
}

double nnd_traced_work(const nnd_traced *m) {
    double work = m->multiply_adds;
    for (int d = 0; d < 2; d++)
        work += m->direction_bar[d].multiply_adds + m->image_bar[d].multiply_adds;
    return work;
}

/* Directions, their images, and what else there is. */
static double bytes_with(const nnd_traced *m, size_t vectors, size_t sites) {
    double rows = 0.0;
    for (int d = 0; d < 2; d++)
        rows += 2.0 * nnd_pages_bytes(m->side[d].direction.count * sites);
    return rows + ((double)vectors * (double)sites + (double)m->numbers) * sizeof(double);
}

double nnd_traced_bytes(const nnd_traced *m, size_t sites) {
    return bytes_with(m, m->vectors, sites);
}

/* It has the noise of its leader, one residue, and as much scratch. */
double nnd_traced_scout_bytes(const nnd_traced *leader, size_t sites) {
    return bytes_with(leader, 2, sites);
}

/* ---- one query ---- */

static nnd_population *population(const nnd_traced *m, bool of_images, nnd_direction direction) {
    return of_images == (direction == NND_FORWARD) ? m->options.out : m->options.in;
}

/* The weights of the sites asked from, or of those of images; NULL: 1. */
static const double *weights(const nnd_traced *m, bool of_images, nnd_direction direction) {
    return m->weight[of_images == (direction == NND_FORWARD)];
}

/* w v, in `room` unless w is 1. */
static const double *weigh(size_t n, const double *weight, const double *v, double *room) {
    if (weight == NULL)
        return v;
    for (size_t i = 0; i < n; i++)
        room[i] = weight[i] * v[i];
    return room;
}

static void inner(nnd_traced *m, const double *v, size_t n, const double *rows, double *out) {
    nnd_block_inner(1, v, n, rows, m->sites, 1.0 / (double)m->sites, out, n);
    m->multiply_adds += (double)n * (double)m->sites;
}

static void combine(nnd_traced *m, size_t n, const double *coef, const double *rows, double factor,
                    double *out) {
    nnd_block_combine(1, coef, n, n, rows, m->sites, factor, out);
    m->multiply_adds += (double)n * (double)m->sites;
}

static double dot(const nnd_traced *m, const double *a, const double *b) {
    return cblas_ddot((int)m->sites, a, 1, b, 1) / (double)m->sites;
}

/* a = <q v>, r = v - a q, twice (deep-fluctuations.md#eq9). `weighted` and `second` are scratch;
 * returns w r. */
static const double *project(nnd_traced *m, nnd_direction direction, const double *v,
                             double *residue, double *coef, double *second, double *weighted) {
    const nnd_rows *basis = &m->side[direction].direction;
    const double *weight = weights(m, false, direction);
    memcpy(residue, v, m->sites * sizeof *v);
    memset(coef, 0, basis->count * sizeof *coef);
    for (int pass = 0; pass < 2; pass++) {
        inner(m, weigh(m->sites, weight, residue, weighted), basis->count, basis->row, second);
        combine(m, basis->count, second, basis->row, -1.0, residue);
        cblas_daxpy((int)basis->count, 1.0, second, 1, coef, 1);
    }
    return weigh(m->sites, weight, residue, weighted);
}

static bool is_new(const nnd_traced *m, nnd_direction direction, double square, const double *v) {
    double tol = m->options.tol[direction];
    return square > tol * tol * dot(m, v, v);
}

/* Whether there already is what queries draw: noise, and which of them are new. */
static bool is_drawn(const nnd_traced *m) {
    return m->replay || m->leader != NULL;
}

/* learned = C a, or C^T b. */
static void learn(const nnd_traced *m, nnd_direction direction, nnd_traced_query *q,
                  size_t updates) {
    memset(q->learned, 0, q->other * sizeof *q->learned);
    const nnd_traced_update_state *c = updates > 0 ? &m->c[updates - 1] : NULL;
    if (c == NULL || c->rows == 0 || c->cols == 0)
        return;
    cblas_dgemv(CblasRowMajor, direction == NND_FORWARD ? CblasNoTrans : CblasTrans, (int)c->rows,
                (int)c->cols, 1.0, c->x, (int)c->cols, q->coef, 1, 0.0, q->learned, 1);
}

/* Fresh noise off the other side's directions, drawn once. */
static nnd_status draw(nnd_traced *m, nnd_direction direction, nnd_traced_query *q,
                       double *inside) {
    const double *avoid = m->side[1 - direction].direction.row;
    q->fresh = nnd_pages_new(m->sites);
    if (q->fresh == NULL)
        return nnd_fail_memory(m->ctx, "fresh vectors");
    m->vectors++;
    nnd_status status =
        nnd_population_draw(population(m, true, direction), 1, q->other, avoid, q->fresh, inside);
    if (status == NND_OK)
        combine(m, q->other, inside, avoid, -1.0, q->fresh);
    return status;
}

/* The new direction q = r/rho and its image sum_j (y_j/rho - sigma <p_j eps>) p_j + sigma eps. The
 * projection of eps is 0 as drawn, but not under other weights. */
static void add_direction(nnd_traced *m, nnd_direction direction, nnd_traced_query *q, double *coef,
                          double *weighted) {
    nnd_traced_side *s = &m->side[direction], *o = &m->side[1 - direction];
    double *direct = s->direction.row + s->direction.count++ * m->sites;
    double *image = s->image.row + s->image.count++ * m->sites;
    double sigma = m->options.sigma[direction];
    for (size_t i = 0; i < m->sites; i++) {
        direct[i] = q->residue[i] / q->length;
        image[i] = sigma * q->fresh[i];
    }
    memset(coef, 0, q->other * sizeof *coef);
    if (is_drawn(m))
        inner(m, weigh(m->sites, weights(m, true, direction), q->fresh, weighted), q->other,
              o->direction.row, coef);
    for (size_t j = 0; j < q->other; j++)
        coef[j] = q->response[j] / q->length - sigma * coef[j];
    combine(m, q->other, coef, o->direction.row, 1.0, image);
    q->coef[q->own] = q->length;
}

/* Image = a X + (C a) p, and of a dropped residue its response y p (deep-fluctuations.md#eq10). */
static void form_image(nnd_traced *m, nnd_direction direction, const nnd_traced_query *q,
                       double *along, double *image) {
    const nnd_traced_side *s = &m->side[direction], *o = &m->side[1 - direction];
    memset(image, 0, m->sites * sizeof *image);
    combine(m, q->own + q->kept, q->coef, s->image.row, 1.0, image);
    for (size_t j = 0; j < q->other; j++)
        along[j] = q->learned[j] + (q->kept ? 0.0 : q->response[j]);
    combine(m, q->other, along, o->direction.row, 1.0, image);
}

static nnd_status ask(nnd_traced *m, nnd_direction direction, size_t updates, nnd_traced_query *q,
                      const double *v, double *image) {
    const nnd_traced_side *o = &m->side[1 - direction];
    double *weighted = m->scratch, *coef = weighted + m->sites;
    const double *wr = project(m, direction, v, q->residue, q->coef, coef, weighted);
    inner(m, wr, q->other, o->image.row, q->response);
    double square = dot(m, q->residue, wr);
    learn(m, direction, q, updates);
    nnd_status status = NND_OK;
    if (!is_drawn(m)) {
        q->kept = is_new(m, direction, square, v);
        if (q->kept)
            status = draw(m, direction, q, coef);
    }
    if (status != NND_OK)
        return status;
    if (q->kept) {
        q->length = sqrt(square);
        add_direction(m, direction, q, coef, weighted);
        if (!is_drawn(m))
            status = nnd_population_know(population(m, false, direction), 1,
                                         m->side[direction].direction.row +
                                             (m->side[direction].direction.count - 1) * m->sites);
    }
    form_image(m, direction, q, coef, image);
    return status;
}

/* ---- blocks ---- */

static nnd_status grow(nnd_context *ctx, void **array, size_t size, size_t needed, size_t *room) {
    if (needed <= *room)
        return NND_OK;
    size_t more = needed + needed / 2 + 8;
    void *grown = realloc(*array, more * size);
    if (grown == NULL)
        return nnd_fail_memory(ctx, "queries");
    *array = grown;
    *room = more;
    return NND_OK;
}

/* What a scout's query takes from its leader's. */
static void follow(const nnd_traced *m, nnd_traced_query *q) {
    const nnd_traced_query *first = &m->leader->query[m->queries];
    q->kept = first->kept;
    q->fresh = first->fresh;
    q->residue = m->residue;
}

/* A new query, with room for what is known of it. */
static nnd_status add_query(nnd_traced *m, nnd_direction direction, bool probe) {
    nnd_status status =
        grow(m->ctx, (void **)&m->query, sizeof *m->query, m->queries + 1, &m->query_room);
    if (status != NND_OK)
        return status;
    size_t own = m->side[direction].direction.count, other = m->side[1 - direction].direction.count;
    nnd_traced_query q = {
        .own = own,
        .other = other,
        .probe = probe,
        .coef = calloc(own + 1 + 2 * other, sizeof(double)),
    };
    if (m->leader != NULL)
        follow(m, &q);
    else
        q.residue = nnd_pages_new(m->sites);
    if (q.coef == NULL || q.residue == NULL) {
        free(q.coef);
        return nnd_fail_memory(m->ctx, "a query");
    }
    m->vectors += m->leader == NULL;
    m->numbers += own + 1 + 2 * other;
    q.response = q.coef + own + 1;
    q.learned = q.response + other;
    m->query[m->queries++] = q;
    return NND_OK;
}

/* A weighted vector and coefficients; later ones have more. */
static nnd_status reserve_scratch(nnd_traced *m, size_t coefs) {
    if (m->scratch != NULL && coefs <= m->scratch_coefs)
        return NND_OK;
    free(m->scratch);
    m->scratch_coefs = 2 * coefs;
    m->scratch = nnd_pages_new(m->sites + m->scratch_coefs);
    return m->scratch != NULL ? NND_OK : nnd_fail_memory(m->ctx, "queries");
}

static nnd_status reserve(nnd_traced *m, nnd_direction direction, size_t n) {
    nnd_traced_side *s = &m->side[direction], *o = &m->side[1 - direction];
    nnd_status status = nnd_rows_reserve(m->ctx, &s->direction, m->sites, n);
    if (status == NND_OK)
        status = nnd_rows_reserve(m->ctx, &s->image, m->sites, n);
    if (status != NND_OK)
        return status;
    return reserve_scratch(m, 2 * (s->direction.count + n) + o->direction.count);
}

nnd_status nnd_traced_begin(nnd_traced *m, nnd_direction direction, size_t n) {
    nnd_status status =
        grow(m->ctx, (void **)&m->block, sizeof *m->block, m->blocks + 1, &m->block_room);
    if (status == NND_OK)
        m->block[m->blocks++] = (nnd_traced_block){direction, m->queries, n, 0, m->updates};
    return status;
}

/* Probes are asked for again as they were: they are a choice, not a function of the weights. */
static nnd_status keep_asked(nnd_traced *m, nnd_traced_query *q, const double *v) {
    q->asked = nnd_pages_new(m->sites);
    if (q->asked == NULL)
        return nnd_fail_memory(m->ctx, "a query");
    m->vectors++;
    memcpy(q->asked, v, m->sites * sizeof *v);
    return NND_OK;
}

nnd_status nnd_traced_ask(nnd_traced *m, const double *v, bool probe, double *image) {
    nnd_traced_block *b = &m->block[m->blocks - 1];
    nnd_status status = reserve(m, b->direction, 1);
    if (status == NND_OK)
        status = add_query(m, b->direction, probe);
    if (status != NND_OK)
        return status;
    nnd_traced_query *q = &m->query[m->queries - 1];
    b->queries++;
    if (probe && m->leader == NULL)
        status = keep_asked(m, q, v);
    return status == NND_OK ? ask(m, b->direction, m->updates, q, v, image) : status;
}

nnd_status nnd_traced_look(nnd_traced *m, nnd_direction direction, const double *v, double *residue,
                           bool *new_one) {
    nnd_status status = reserve(m, direction, 1);
    if (status != NND_OK)
        return status;
    size_t count = m->side[direction].direction.count;
    double *weighted = m->scratch, *coef = weighted + m->sites;
    const double *wr = project(m, direction, v, residue, coef, coef + count, weighted);
    *new_one = is_new(m, direction, dot(m, residue, wr), v);
    return NND_OK;
}

static nnd_status apply_anew(nnd_traced *m, nnd_direction direction, size_t n, const double *v,
                             double *image) {
    nnd_status status = nnd_traced_begin(m, direction, n);
    for (size_t i = 0; status == NND_OK && i < n; i++)
        status = nnd_traced_ask(m, v + i * m->sites, false, image + i * m->sites);
    return status;
}

/* ---- blocks again ---- */

/* The vector i, after the probes that went before it. */
static nnd_status ask_again(nnd_traced *m, nnd_direction direction, const double *v,
                            double *image) {
    nnd_status status = NND_OK;
    nnd_traced_query *q;
    do {
        q = &m->query[m->next_query++];
        status = ask(m, direction, m->next_update, q, q->probe ? q->asked : v, image);
    } while (status == NND_OK && q->probe);
    return status;
}

static nnd_status apply_again(nnd_traced *m, size_t n, const double *v, double *image) {
    const nnd_traced_block *b = &m->block[m->next_block++];
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < n; i++)
        status = ask_again(m, b->direction, v + i * m->sites, image + i * m->sites);
    return status;
}

nnd_status nnd_traced_apply(nnd_traced *m, nnd_direction direction, size_t n, const double *v,
                            double *image) {
    return m->replay ? apply_again(m, n, v, image) : apply_anew(m, direction, n, v, image);
}

void nnd_traced_replay(nnd_traced *m, const double *in_weight, const double *out_weight) {
    m->replay = true;
    m->weight[0] = in_weight;
    m->weight[1] = out_weight;
    m->next_query = m->next_block = m->next_update = 0;
    for (int d = 0; d < 2; d++)
        m->side[d].direction.count = m->side[d].image.count = 0;
}

/* ---- updates ---- */

/* A copy of C before, with room for all directions. */
static nnd_status add_state(nnd_traced *m, size_t rows, size_t cols) {
    nnd_status status = grow(m->ctx, (void **)&m->c, sizeof *m->c, m->updates + 1, &m->update_room);
    if (status != NND_OK)
        return status;
    nnd_traced_update_state next = {rows, cols, calloc(rows * cols + 1, sizeof(double))};
    if (next.x == NULL)
        return nnd_fail_memory(m->ctx, "an update");
    m->c[m->updates++] = next;
    m->numbers += rows * cols;
    return NND_OK;
}

static void carry_over(const nnd_traced_update_state *before, nnd_traced_update_state *next) {
    memset(next->x, 0, next->rows * next->cols * sizeof *next->x);
    for (size_t j = 0; before != NULL && j < before->rows; j++)
        memcpy(next->x + j * next->cols, before->x + j * before->cols,
               before->cols * sizeof *next->x);
}

nnd_status nnd_traced_update(nnd_traced *m, size_t n, const double *weight) {
    nnd_status status = NND_OK;
    size_t rows = m->side[NND_BACKWARD].direction.count,
           cols = m->side[NND_FORWARD].direction.count;
    if (!m->replay)
        status = add_state(m, rows, cols);
    if (status != NND_OK)
        return status;
    size_t which = m->replay ? m->next_update++ : m->updates - 1;
    size_t last = m->replay ? m->next_block : m->blocks;
    nnd_traced_update_state *c = &m->c[which];
    carry_over(which > 0 ? &m->c[which - 1] : NULL, c);
    const nnd_traced_query *b = m->query + m->block[last - 1].first;
    const nnd_traced_query *a = m->query + m->block[last - 2].first;
    for (size_t i = 0; rows > 0 && cols > 0 && i < n; i++, a++, b++) {
        a = nnd_traced_vector(a);
        b = nnd_traced_vector(b);
        cblas_dger(CblasRowMajor, (int)(b->own + b->kept), (int)(a->own + a->kept), weight[i],
                   b->coef, 1, a->coef, 1, c->x, (int)c->cols);
    }
    return NND_OK;
}
