/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Going back through the queries of a traced matrix (deep-fluctuations.md#s7). */
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "core/pages.h"
#include "solvers/traced_impl.h"

size_t nnd_traced_rank_after(const nnd_traced *m, nnd_direction direction, size_t blocks) {
    if (blocks == 0)
        return 0;
    const nnd_traced_block *b = &m->block[blocks - 1];
    const nnd_traced_query *q = &m->query[b->first + b->queries - 1];
    return b->direction == direction ? q->own + q->kept : q->other;
}

static size_t longest_block(const nnd_traced *m) {
    size_t longest = 0;
    for (size_t i = 0; i < m->blocks; i++)
        longest = m->block[i].count > longest ? m->block[i].count : longest;
    return longest;
}

/* Scratch (divide_work): four blocks, four sets of coefficients, one row. */
static size_t work_size(size_t sides, size_t sites, size_t ranks) {
    return 4 * sides * (sites + ranks + 1) + sides + ranks + 1;
}

double nnd_traced_reverse_bytes(const nnd_traced *m, size_t sides, size_t sites) {
    size_t rank[2] = {nnd_traced_rank(m, NND_FORWARD), nnd_traced_rank(m, NND_BACKWARD)};
    double numbers = (double)work_size(sides, sites, rank[0] + rank[1]) +
                     (double)sides * (double)rank[0] * (double)rank[1];
    double bytes = 0.0;
    for (int d = 0; d < 2; d++) {
        numbers += (double)longest_block(m) * (double)sides * (double)rank[d];
        bytes += 2.0 * nnd_accumulator_bytes(rank[d], sides, sites);
    }
    return bytes + numbers * sizeof(double);
}

static nnd_status make_room(nnd_traced *m) {
    size_t forward = m->direction_bar[NND_FORWARD].rows;
    size_t backward = m->direction_bar[NND_BACKWARD].rows;
    free(m->c_bar);
    m->c_bar = calloc(m->sides * forward * backward + 1, sizeof *m->c_bar);
    size_t needed = work_size(m->sides, m->sites, forward + backward);
    if (needed > m->work_room) {
        free(m->work);
        m->work = nnd_pages_new(needed);
        m->work_room = m->work != NULL ? needed : 0;
    }
    bool there = m->c_bar != NULL && m->work != NULL;
    for (int d = 0; d < 2; d++) {
        m->coef_room[d] = m->direction_bar[d].rows;
        free(m->coef_bar[d]);
        m->coef_bar[d] =
            calloc(longest_block(m) * m->sides * m->coef_room[d] + 1, sizeof *m->coef_bar[d]);
        there &= m->coef_bar[d] != NULL;
    }
    return there ? NND_OK : nnd_fail_memory(m->ctx, "derivatives of a traced matrix");
}

nnd_status nnd_traced_go_back(nnd_traced *m, size_t sides, size_t blocks) {
    nnd_status status = NND_OK;
    m->sides = sides;
    m->left = blocks;
    for (int d = 0; status == NND_OK && d < 2; d++) {
        size_t rank = nnd_traced_rank_after(m, (nnd_direction)d, blocks);
        status = nnd_accumulator_make(m->ctx, rank, sides, m->sites, &m->direction_bar[d]);
        if (status == NND_OK)
            status = nnd_accumulator_make(m->ctx, rank, sides, m->sites, &m->image_bar[d]);
    }
    return status == NND_OK ? make_room(m) : status;
}

/* ---- updates ---- */

/* Derivatives with respect to C, of one side: backward x forward, leading dimension `forward`. */
static double *c_bar(nnd_traced *m, size_t side, size_t *ld) {
    *ld = m->direction_bar[NND_FORWARD].rows;
    return m->c_bar + side * m->direction_bar[NND_BACKWARD].rows * *ld;
}

/* Derivatives with respect to coefficients, of one vector of the block: sides x rank. */
static double *coef_bar(nnd_traced *m, nnd_direction direction, size_t i) {
    return m->coef_bar[direction] + i * m->sides * m->coef_room[direction];
}

/* C += w b a^T: bars of b, a and w, of vector i of the block. */
static void reverse_product(nnd_traced *m, size_t i, const nnd_traced_query *b,
                            const nnd_traced_query *a, double weight, size_t n,
                            double *weight_bar) {
    int rows = (int)(b->own + b->kept), cols = (int)(a->own + a->kept);
    for (size_t r = 0; rows > 0 && cols > 0 && r < m->sides; r++) {
        size_t ld;
        const double *c = c_bar(m, r, &ld);
        double *b_bar = coef_bar(m, NND_BACKWARD, i) + r * m->coef_room[NND_BACKWARD];
        double *a_bar = coef_bar(m, NND_FORWARD, i) + r * m->coef_room[NND_FORWARD];
        cblas_dgemv(CblasRowMajor, CblasNoTrans, rows, cols, 1.0, c, (int)ld, a->coef, 1, 0.0,
                    b_bar, 1);
        weight_bar[r * n + i] += cblas_ddot(rows, b_bar, 1, b->coef, 1);
        cblas_dscal(rows, weight, b_bar, 1);
        cblas_dgemv(CblasRowMajor, CblasTrans, rows, cols, weight, c, (int)ld, b->coef, 1, 0.0,
                    a_bar, 1);
    }
}

void nnd_traced_reverse_update(nnd_traced *m, size_t n, const double *weight, double *weight_bar) {
    const nnd_traced_query *b = m->query + m->block[m->left - 1].first;
    const nnd_traced_query *a = m->query + m->block[m->left - 2].first;
    for (size_t i = 0; i < n; i++, a++, b++) {
        a = nnd_traced_vector(a);
        b = nnd_traced_vector(b);
        reverse_product(m, i, b, a, weight[i], n, weight_bar);
    }
}

/* ---- one query ---- */

/* What a query is reversed with. Blocks are sides x sites; coefficients sides x rank, all of one
 * leading dimension. */
typedef struct {
    nnd_traced *m;
    nnd_direction direction;
    const nnd_traced_query *q;
    const nnd_traced_update_state *c; /* C at that time; NULL: 0 */
    const double *image_bar;
    double *own_influence, *other_influence;
    size_t ld;
    double *coef;     /* bars of a */
    double *along;    /* <p_j image bar> */
    double *response; /* bars of y_j */
    double *second;   /* of a, after the second pass of Gram-Schmidt */
    double *row;      /* one row of coefficients */
    double *begun;    /* bars of r, as the kept direction leaves them */
    double *spread;   /* what responses and projections add to them */
    double *residue;  /* both */
    double *product;
} reversal;

static void divide_work(reversal *x) {
    nnd_traced *m = x->m;
    size_t block = m->sides * m->sites;
    x->ld = m->direction_bar[0].rows + m->direction_bar[1].rows + 1;
    double **const blocks[] = {&x->begun, &x->spread, &x->residue, &x->product};
    double **const coefs[] = {&x->coef, &x->along, &x->response, &x->second};
    double *next = m->work;
    for (int i = 0; i < 4; i++, next += block)
        *blocks[i] = next;
    for (int i = 0; i < 4; i++, next += m->sides * x->ld)
        *coefs[i] = next;
    x->row = next;
}

static void clear_coefs(const reversal *x, size_t n, double *coef) {
    for (size_t r = 0; r < x->m->sides; r++)
        memset(coef + r * x->ld, 0, n * sizeof *coef);
}

/* coef (sides x n) += factor <bars rows>. */
static void add_inner(const reversal *x, const double *bars, size_t n, const double *rows,
                      double factor, double *coef) {
    nnd_traced *m = x->m;
    if (n == 0)
        return;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m->sides, (int)n, (int)m->sites,
                factor / (double)m->sites, bars, (int)m->sites, rows, (int)m->sites, 1.0, coef,
                (int)x->ld);
    m->multiply_adds += (double)m->sides * (double)n * (double)m->sites;
}

/* out (sides x sites) = keep out + coef rows. */
static void combine(const reversal *x, size_t n, const double *coef, const double *rows,
                    double keep, double *out) {
    nnd_traced *m = x->m;
    if (n > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m->sides, (int)m->sites, (int)n,
                    1.0, coef, (int)x->ld, rows, (int)m->sites, keep, out, (int)m->sites);
    else if (keep == 0.0)
        memset(out, 0, m->sides * m->sites * sizeof *out);
    m->multiply_adds += (double)m->sides * (double)n * (double)m->sites;
}

/* influence += factor bars v, site by site. */
static void add_product(const reversal *x, double factor, const double *bars, const double *v,
                        double *influence) {
    for (size_t r = 0; r < x->m->sides; r++)
        for (size_t i = 0; i < x->m->sites; i++)
            influence[r * x->m->sites + i] += factor * bars[r * x->m->sites + i] * v[i];
}

/* Image = ... + C a p: bars of a and of C. */
static void reverse_learned(const reversal *x) {
    const nnd_traced_update_state *c = x->c;
    bool forward = x->direction == NND_FORWARD;
    if (c == NULL || c->rows == 0 || c->cols == 0)
        return;
    int own = (int)(forward ? c->cols : c->rows), other = (int)(forward ? c->rows : c->cols);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, forward ? CblasNoTrans : CblasTrans, (int)x->m->sides,
                own, other, 1.0, x->along, (int)x->ld, c->x, (int)c->cols, 1.0, x->coef,
                (int)x->ld);
    for (size_t r = 0; r < x->m->sides; r++) {
        size_t ld;
        double *bar = c_bar(x->m, r, &ld);
        const double *along = x->along + r * x->ld, *own_coef = x->q->coef;
        cblas_dger(CblasRowMajor, (int)c->rows, (int)c->cols, 1.0, forward ? along : own_coef, 1,
                   forward ? own_coef : along, 1, bar, (int)ld);
    }
}

/* Image = a X + (C a) p, and y p of a dropped residue. */
static void reverse_image(const reversal *x) {
    nnd_traced *m = x->m;
    const nnd_traced_query *q = x->q;
    const nnd_traced_side *own = &m->side[x->direction], *other = &m->side[1 - x->direction];
    size_t known = q->own + q->kept;
    add_inner(x, x->image_bar, known, own->image.row, 1.0, x->coef);
    nnd_accumulator_add_matrix(&m->image_bar[x->direction], known, 1.0, q->coef, x->image_bar);
    clear_coefs(x, q->other, x->along);
    add_inner(x, x->image_bar, q->other, other->direction.row, 1.0, x->along);
    reverse_learned(x);
    for (size_t j = 0; j < q->other; j++)
        x->row[j] = q->learned[j] + (q->kept ? 0.0 : q->response[j]);
    nnd_accumulator_add_matrix(&m->direction_bar[1 - x->direction], q->other, 1.0, x->row,
                               x->image_bar);
}

/* X_new = sum_j (y_j/rho - sigma <p_j eps>) p_j + sigma eps: bars of y, of p and, returned in
 * `row`, of rho. The projection of eps contributes though it is 0. */
static void reverse_fresh_image(const reversal *x) {
    nnd_traced *m = x->m;
    const nnd_traced_query *q = x->q;
    const nnd_traced_side *other = &m->side[1 - x->direction];
    nnd_accumulator *direction = &m->direction_bar[1 - x->direction];
    double sigma = m->options.sigma[x->direction];
    const double *bar = nnd_accumulator_row(&m->image_bar[x->direction], q->own);
    clear_coefs(x, q->other, x->response);
    add_inner(x, bar, q->other, other->direction.row, 1.0, x->response);
    nnd_accumulator_add_matrix(direction, q->other, 1.0 / q->length, q->response, bar);
    nnd_accumulator_add_vector(direction, q->other, -sigma, x->response, x->ld, q->fresh);
    combine(x, q->other, x->response, other->direction.row, 0.0, x->product);
    add_product(x, -sigma, x->product, q->fresh, x->other_influence);
    for (size_t r = 0; r < m->sides; r++) {
        double *y = x->response + r * x->ld;
        x->row[r] = x->coef[r * x->ld + q->own];
        for (size_t j = 0; j < q->other; j++) {
            x->row[r] -= y[j] * q->response[j] / (q->length * q->length);
            y[j] /= q->length;
        }
    }
}

/* q = r/rho, rho^2 = <r r>: bars of r. */
static void reverse_direction(const reversal *x) {
    nnd_traced *m = x->m;
    const nnd_traced_query *q = x->q;
    const double *v = m->side[x->direction].direction.row + q->own * m->sites;
    const double *bar = nnd_accumulator_row(&m->direction_bar[x->direction], q->own);
    for (size_t r = 0; r < m->sides; r++) {
        const double *b = bar + r * m->sites;
        double *begun = x->begun + r * m->sites, *influence = x->own_influence + r * m->sites;
        double along = cblas_ddot((int)m->sites, b, 1, v, 1) / (double)m->sites;
        double length = x->row[r] - along / q->length;
        for (size_t i = 0; i < m->sites; i++) {
            begun[i] = b[i] / q->length + length * v[i];
            influence[i] += 0.5 * q->length * length * v[i] * v[i];
        }
    }
}

static void add_blocks(size_t n, const double *a, const double *b, double *sum) {
    for (size_t i = 0; i < n; i++)
        sum[i] = a[i] + b[i];
}

/* y = <Y r>, r = v - a q after two passes, of which the second is reversed first: taking both at
 * once would lose the digits of a short residue. */
static void reverse_projection(const reversal *x) {
    nnd_traced *m = x->m;
    const nnd_traced_query *q = x->q;
    const nnd_traced_side *own = &m->side[x->direction], *other = &m->side[1 - x->direction];
    size_t block = m->sides * m->sites;
    combine(x, q->other, x->response, other->image.row, 0.0, x->spread);
    nnd_accumulator_add_vector(&m->image_bar[1 - x->direction], q->other, 1.0, x->response, x->ld,
                               q->residue);
    add_blocks(block, x->begun, x->spread, x->residue);
    for (size_t r = 0; r < m->sides; r++)
        memcpy(x->second + r * x->ld, x->coef + r * x->ld, q->own * sizeof *x->second);
    add_inner(x, x->residue, q->own, own->direction.row, -1.0, x->second);
    combine(x, q->own, x->second, own->direction.row, 1.0, x->spread);
    add_blocks(block, x->begun, x->spread, x->residue);
    add_product(x, 1.0, x->spread, q->residue, x->own_influence);
    nnd_accumulator *direction = &m->direction_bar[x->direction];
    nnd_accumulator_add_matrix(direction, q->own, -1.0, q->coef, x->residue);
    nnd_accumulator_add_vector(direction, q->own, 1.0, x->second, x->ld, q->residue);
}

static void reverse_query(reversal *x, double *asked_bar) {
    nnd_traced *m = x->m;
    size_t block = m->sides * m->sites;
    reverse_image(x);
    if (x->q->kept) {
        reverse_fresh_image(x);
        reverse_direction(x);
    } else {
        memset(x->begun, 0, block * sizeof *x->begun);
        for (size_t r = 0; r < m->sides; r++)
            memcpy(x->response + r * x->ld, x->along + r * x->ld,
                   x->q->other * sizeof *x->response);
    }
    reverse_projection(x);
    add_blocks(block, asked_bar, x->residue, asked_bar);
}

/* Nothing was made of its image, and what was asked is no function of the weights. */
static void reverse_probe(reversal *x) {
    clear_coefs(x, x->q->own + 1, x->coef);
    reverse_fresh_image(x);
    reverse_direction(x);
    reverse_projection(x);
}

/* Bars of the coefficients of vector i, which an update left. */
static void take_coefs(const reversal *x, size_t i) {
    nnd_traced *m = x->m;
    size_t known = x->q->own + x->q->kept;
    for (size_t r = 0; r < m->sides; r++) {
        double *given = coef_bar(m, x->direction, i) + r * m->coef_room[x->direction];
        memcpy(x->coef + r * x->ld, given, known * sizeof *x->coef);
        memset(given, 0, known * sizeof *given);
    }
}

void nnd_traced_reverse(nnd_traced *m, nnd_direction direction, const double *image_bar,
                        double *asked_bar, double *in_influence, double *out_influence) {
    const nnd_traced_block *b = &m->block[--m->left];
    size_t block = m->sides * m->sites, vector = b->count;
    bool forward = direction == NND_FORWARD;
    reversal x = {
        .m = m,
        .direction = direction,
        .c = b->updates > 0 ? &m->c[b->updates - 1] : NULL,
        .own_influence = forward ? in_influence : out_influence,
        .other_influence = forward ? out_influence : in_influence,
    };
    divide_work(&x);
    for (size_t i = b->queries; i-- > 0;) {
        x.q = &m->query[b->first + i];
        if (x.q->probe) {
            reverse_probe(&x);
            continue;
        }
        vector--;
        x.image_bar = image_bar + vector * block;
        take_coefs(&x, vector);
        reverse_query(&x, asked_bar + vector * block);
    }
}
