/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/conditioned.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "solvers/conditioned_impl.h"

/* Coordinates that a space has room for from the start. */
enum { FIRST_ROOM = 16 };

/* ---- set-up ---- */

nnd_status nnd_conditioned_new(nnd_context *ctx, nnd_conditioned **system) {
    nnd_conditioned *c = calloc(1, sizeof *c);
    if (c == NULL)
        return nnd_fail_memory(ctx, "a small network");
    c->ctx = ctx;
    *system = c;
    return NND_OK;
}

void nnd_conditioned_free(nnd_conditioned *c) {
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->matrices; i++) {
        free(c->matrix[i].m);
        free(c->matrix[i].k);
        free(c->matrix[i].unknown[NND_FORWARD].row);
        free(c->matrix[i].unknown[NND_BACKWARD].row);
    }
    for (size_t i = 0; i < c->vectors; i++)
        free(c->vector[i].x);
    for (size_t i = 0; i < c->blocks; i++)
        free(c->block[i].x);
    free(c->space);
    free(c->matrix);
    free(c->vector);
    free(c->block);
    free(c->scratch[0]);
    free(c->scratch[1]);
    free(c);
}

/* Appends a zeroed element to an array of `*count`. */
static nnd_status append(nnd_conditioned *c, void *array, size_t *count, size_t width) {
    void **data = array;
    char *grown = realloc(*data, (*count + 1) * width);
    if (grown == NULL)
        return nnd_fail_memory(c->ctx, "a small network");
    memset(grown + *count * width, 0, width);
    *data = grown;
    ++*count;
    return NND_OK;
}

/* A zeroed array of rows x cols in place of x, which had old_rows x old_cols. */
static nnd_status reshape(nnd_conditioned *c, double **x, size_t old_rows, size_t old_cols,
                          size_t rows, size_t cols) {
    double *grown = calloc(rows * cols + 1, sizeof *grown);
    if (grown == NULL)
        return nnd_fail_memory(c->ctx, "a small network");
    size_t width = old_cols < cols ? old_cols : cols;
    for (size_t i = 0; *x != NULL && i < old_rows && i < rows; i++)
        memcpy(grown + i * cols, *x + i * old_cols, width * sizeof *grown);
    c->bytes += ((double)(rows * cols) - (*x != NULL ? (double)(old_rows * old_cols) : 0.0)) *
                (double)sizeof *grown;
    free(*x);
    *x = grown;
    return NND_OK;
}

nnd_status nnd_conditioned_add_space(nnd_conditioned *c, nnd_known_space *space) {
    *space = c->spaces;
    nnd_status status = append(c, &c->space, &c->spaces, sizeof *c->space);
    if (status == NND_OK)
        c->space[*space].room = FIRST_ROOM;
    return status;
}

static size_t room(const nnd_conditioned *c, nnd_known_space space) {
    return c->space[space].room;
}

static size_t rows_room(const nnd_conditioned *c, const nnd_conditioned_matrix *a) {
    return room(c, a->space[NND_BACKWARD]);
}

static size_t cols_room(const nnd_conditioned *c, const nnd_conditioned_matrix *a) {
    return room(c, a->space[NND_FORWARD]);
}

static nnd_status room_for_rows(nnd_conditioned *c, nnd_known_space space, nnd_unknown *n) {
    size_t more = n->room < 8 ? 16 : 2 * n->room, cols = room(c, space);
    if (n->count < n->room)
        return NND_OK;
    nnd_status status = reshape(c, &n->row, n->room, cols, more, cols);
    if (status == NND_OK)
        n->room = more;
    return status;
}

/* The new coordinate j of its space is unknown to the matrix. */
static nnd_status add_unknown(nnd_conditioned *c, nnd_known_space space, nnd_unknown *n, size_t j) {
    nnd_status status = room_for_rows(c, space, n);
    if (status == NND_OK)
        n->row[n->count++ * room(c, space) + j] = 1.0;
    return status;
}

nnd_status nnd_conditioned_add_matrix(nnd_conditioned *c, double sigma2, double aspect,
                                      nnd_known_space in, nnd_known_space out,
                                      nnd_known_matrix *matrix) {
    *matrix = c->matrices;
    nnd_status status = append(c, &c->matrix, &c->matrices, sizeof *c->matrix);
    if (status != NND_OK)
        return status;
    nnd_conditioned_matrix *a = &c->matrix[*matrix];
    *a = (nnd_conditioned_matrix){
        .sigma2 = sigma2, .aspect = aspect, .kappa = 1.0, .space = {in, out}};
    status = reshape(c, &a->m, 0, 0, rows_room(c, a), cols_room(c, a));
    if (status == NND_OK)
        status = reshape(c, &a->k, 0, 0, rows_room(c, a), cols_room(c, a));
    for (int d = 0; d < 2; d++)
        for (size_t j = 0; status == NND_OK && j < c->space[a->space[d]].dim; j++)
            status = add_unknown(c, a->space[d], &a->unknown[d], j);
    return status;
}

nnd_status nnd_conditioned_add_block(nnd_conditioned *c, nnd_known_matrix matrix,
                                     nnd_known_block *block) {
    *block = c->blocks;
    nnd_status status = append(c, &c->block, &c->blocks, sizeof *c->block);
    if (status != NND_OK)
        return status;
    const nnd_conditioned_matrix *a = &c->matrix[matrix];
    c->block[*block].matrix = matrix;
    return reshape(c, &c->block[*block].x, 0, 0, rows_room(c, a), cols_room(c, a));
}

nnd_status nnd_conditioned_add_vector(nnd_conditioned *c, nnd_known_space space,
                                      nnd_known_vector *vector) {
    *vector = c->vectors;
    nnd_status status = append(c, &c->vector, &c->vectors, sizeof *c->vector);
    if (status != NND_OK)
        return status;
    c->vector[*vector].space = space;
    return reshape(c, &c->vector[*vector].x, 0, 0, 1, room(c, space));
}

/* ---- growth ---- */

static nnd_status reserve_scratch(nnd_conditioned *c, size_t n) {
    nnd_status status = NND_OK;
    if (n <= c->scratch_room)
        return NND_OK;
    for (int i = 0; i < 2 && status == NND_OK; i++)
        status = reshape(c, &c->scratch[i], 1, c->scratch_room, 1, n);
    if (status == NND_OK)
        c->scratch_room = n;
    return status;
}

/* One array of the shape of a matrix, one of whose spaces had room for `old` coordinates. */
static nnd_status regrow_array(nnd_conditioned *c, const nnd_conditioned_matrix *a, double **x,
                               nnd_known_space space, size_t old) {
    bool rows = a->space[NND_BACKWARD] == space, cols = a->space[NND_FORWARD] == space;
    if (!rows && !cols)
        return NND_OK;
    return reshape(c, x, rows ? old : rows_room(c, a), cols ? old : cols_room(c, a),
                   rows_room(c, a), cols_room(c, a));
}

static nnd_status regrow_matrix(nnd_conditioned *c, nnd_conditioned_matrix *a,
                                nnd_known_space space, size_t old) {
    nnd_status status = regrow_array(c, a, &a->m, space, old);
    if (status == NND_OK)
        status = regrow_array(c, a, &a->k, space, old);
    for (int d = 0; d < 2 && status == NND_OK; d++)
        if (a->space[d] == space)
            status = reshape(c, &a->unknown[d].row, a->unknown[d].room, old, a->unknown[d].room,
                             room(c, space));
    return status;
}

/* Room for one more coordinate: half as many again at least. */
static nnd_status regrow(nnd_conditioned *c, nnd_known_space space) {
    size_t old = room(c, space), more = old + old / 2 + 16;
    double added = 0.0;
    for (size_t i = 0; i < c->matrices; i++) {
        const nnd_conditioned_matrix *a = &c->matrix[i];
        if (a->space[0] == space || a->space[1] == space)
            added +=
                4.0 * (double)(more - old) * (double)(rows_room(c, a) + cols_room(c, a) - old + 16);
    }
    nnd_status status =
        nnd_check_memory(c->ctx, c->bytes + added * sizeof(double), "the small network");
    c->space[space].room = more;
    for (size_t i = 0; i < c->matrices && status == NND_OK; i++)
        status = regrow_matrix(c, &c->matrix[i], space, old);
    for (size_t i = 0; i < c->blocks && status == NND_OK; i++)
        status = regrow_array(c, &c->matrix[c->block[i].matrix], &c->block[i].x, space, old);
    for (size_t i = 0; i < c->vectors && status == NND_OK; i++)
        if (c->vector[i].space == space)
            status = reshape(c, &c->vector[i].x, 1, old, 1, more);
    return status;
}

/* A new coordinate, unknown to every matrix that starts or ends in the space. */
static nnd_status new_coordinate(nnd_conditioned *c, nnd_known_space space, size_t *j) {
    nnd_coordinates *s = &c->space[space];
    nnd_status status = s->dim < s->room ? NND_OK : regrow(c, space);
    if (status != NND_OK)
        return status;
    *j = s->dim++;
    for (size_t i = 0; i < c->matrices; i++)
        for (int d = 0; d < 2 && status == NND_OK; d++)
            if (c->matrix[i].space[d] == space)
                status = add_unknown(c, space, &c->matrix[i].unknown[d], *j);
    return status;
}

/* ---- vectors ---- */

size_t nnd_conditioned_dim(const nnd_conditioned *c, nnd_known_space space) {
    return c->space[space].dim;
}

double *nnd_conditioned_vector(const nnd_conditioned *c, nnd_known_vector vector) {
    return c->vector[vector].x;
}

static int length_of(const nnd_conditioned *c, nnd_known_vector vector) {
    return (int)c->space[c->vector[vector].space].dim;
}

nnd_status nnd_conditioned_draw(nnd_conditioned *c, nnd_known_vector vector, double length) {
    size_t j;
    nnd_status status = new_coordinate(c, c->vector[vector].space, &j);
    if (status == NND_OK)
        c->vector[vector].x[j] += length;
    return status;
}

void nnd_conditioned_zero(nnd_conditioned *c, nnd_known_vector to) {
    memset(c->vector[to].x, 0, (size_t)length_of(c, to) * sizeof(double));
}

void nnd_conditioned_add(nnd_conditioned *c, double weight, nnd_known_vector from,
                         nnd_known_vector to) {
    cblas_daxpy(length_of(c, to), weight, c->vector[from].x, 1, c->vector[to].x, 1);
}

double nnd_conditioned_dot(const nnd_conditioned *c, nnd_known_vector a, nnd_known_vector b) {
    return cblas_ddot(length_of(c, a), c->vector[a].x, 1, c->vector[b].x, 1);
}

/* ---- questions ---- */

/* N <- H N without its last row, H the reflection that takes u, of length 1, to that row's axis. */
static void take_out(nnd_unknown *n, size_t dim, size_t stride, double *u, double *row) {
    size_t k = n->count;
    double sign = u[k - 1] <= 0.0 ? 1.0 : -1.0;
    u[k - 1] -= sign;
    double square = cblas_ddot((int)k, u, 1, u, 1);
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)k, (int)dim, 1.0, n->row, (int)stride, u, 1, 0.0,
                row, 1);
    cblas_dger(CblasRowMajor, (int)k, (int)dim, -2.0 / square, u, 1, row, 1, n->row, (int)stride);
    memset(n->row + (k - 1) * stride, 0, stride * sizeof *n->row);
    n->count--;
}

/* The answer to the unit vector along S v gets a new coordinate: row j of K and M (forward), or
 * column j. `u` = N v/|N v|, destroyed. */
static nnd_status reveal(nnd_conditioned *c, nnd_conditioned_matrix *a, nnd_direction direction) {
    nnd_known_space from = a->space[direction], to = a->space[1 - direction];
    nnd_unknown *n = &a->unknown[direction];
    size_t dim = c->space[from].dim, j;
    nnd_status status = new_coordinate(c, to, &j);
    if (status == NND_OK)
        status = reserve_scratch(c, room(c, to));
    if (status != NND_OK)
        return status;
    double *u = c->scratch[0], *row = c->scratch[1];
    double x = sqrt(a->sigma2 * (direction == NND_FORWARD ? a->aspect : 1.0));
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)n->count, (int)dim, x, n->row, (int)room(c, from),
                u, 1, 0.0, row, 1);
    size_t stride = cols_room(c, a), at = direction == NND_FORWARD ? j * stride : j;
    int step = direction == NND_FORWARD ? 1 : (int)stride;
    cblas_daxpy((int)dim, 1.0, row, 1, a->k + at, step);
    cblas_daxpy((int)dim, a->kappa, row, 1, a->m + at, step);
    take_out(n, dim, room(c, from), u, row);
    return NND_OK;
}

void nnd_conditioned_apply(nnd_conditioned *c, nnd_known_matrix matrix, nnd_direction direction,
                           nnd_known_vector v, nnd_known_vector image) {
    const nnd_conditioned_matrix *a = &c->matrix[matrix];
    nnd_conditioned_zero(c, image); /* which an empty product leaves alone */
    cblas_dgemv(CblasRowMajor, direction == NND_FORWARD ? CblasNoTrans : CblasTrans,
                (int)c->space[a->space[NND_BACKWARD]].dim, (int)c->space[a->space[NND_FORWARD]].dim,
                1.0, a->m, (int)cols_room(c, a), c->vector[v].x, 1, 0.0, c->vector[image].x, 1);
}

nnd_status nnd_conditioned_ask(nnd_conditioned *c, nnd_known_matrix matrix, nnd_direction direction,
                               double tolerance, nnd_known_vector v, nnd_known_vector image) {
    nnd_conditioned_matrix *a = &c->matrix[matrix];
    nnd_unknown *n = &a->unknown[direction];
    int dim = length_of(c, v), stride = (int)room(c, a->space[direction]);
    nnd_status status = reserve_scratch(c, n->room + (size_t)stride);
    if (status != NND_OK)
        return status;
    n->longest = fmax(n->longest, cblas_dnrm2(dim, c->vector[v].x, 1));
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)n->count, dim, 1.0, n->row, stride,
                c->vector[v].x, 1, 0.0, c->scratch[0], 1);
    double unknown = cblas_dnrm2((int)n->count, c->scratch[0], 1);
    double threshold = tolerance * n->longest;
    if (unknown > threshold) {
        cblas_dscal((int)n->count, 1.0 / unknown, c->scratch[0], 1);
        status = reveal(c, a, direction);
        if (status != NND_OK)
            return status;
    } else if (unknown > 0.0)
        c->dropped = fmax(c->dropped, unknown / threshold);
    nnd_conditioned_apply(c, matrix, direction, v, image);
    return NND_OK;
}

/* ---- what is learned ---- */

static void outer(nnd_conditioned *c, const nnd_conditioned_matrix *a, double weight,
                  nnd_known_vector out, nnd_known_vector in, double *x) {
    cblas_dger(CblasRowMajor, length_of(c, out), length_of(c, in), weight, c->vector[out].x, 1,
               c->vector[in].x, 1, x, (int)cols_room(c, a));
}

/* x *= factor, over the coordinates. */
static void scale(const nnd_conditioned *c, const nnd_conditioned_matrix *a, double factor,
                  double *x) {
    int cols = (int)c->space[a->space[NND_FORWARD]].dim;
    for (size_t i = 0; i < c->space[a->space[NND_BACKWARD]].dim; i++)
        cblas_dscal(cols, factor, x + i * cols_room(c, a), 1);
}

void nnd_conditioned_add_outer(nnd_conditioned *c, nnd_known_matrix matrix, double weight,
                               nnd_known_vector out, nnd_known_vector in) {
    outer(c, &c->matrix[matrix], weight, out, in, c->matrix[matrix].m);
}

void nnd_conditioned_block_outer(nnd_conditioned *c, nnd_known_block block, double factor,
                                 double weight, nnd_known_vector out, nnd_known_vector in) {
    const nnd_conditioned_matrix *a = &c->matrix[c->block[block].matrix];
    scale(c, a, factor, c->block[block].x);
    outer(c, a, weight, out, in, c->block[block].x);
}

void nnd_conditioned_add_to_matrix(nnd_conditioned *c, nnd_known_block block) {
    const nnd_conditioned_matrix *a = &c->matrix[c->block[block].matrix];
    int cols = (int)c->space[a->space[NND_FORWARD]].dim;
    for (size_t i = 0; i < c->space[a->space[NND_BACKWARD]].dim; i++) {
        size_t at = i * cols_room(c, a);
        cblas_daxpy(cols, 1.0, c->block[block].x + at, 1, a->m + at, 1);
    }
}

void nnd_conditioned_scale(nnd_conditioned *c, nnd_known_matrix matrix, double factor) {
    nnd_conditioned_matrix *a = &c->matrix[matrix];
    scale(c, a, factor, a->m);
    a->kappa *= factor;
}

/* ---- views ---- */

nnd_known nnd_conditioned_known(const nnd_conditioned *c, nnd_known_matrix matrix) {
    const nnd_conditioned_matrix *a = &c->matrix[matrix];
    const nnd_unknown *f = &a->unknown[NND_FORWARD], *b = &a->unknown[NND_BACKWARD];
    return (nnd_known){
        .sigma2 = a->sigma2,
        .aspect = a->aspect,
        .kappa = a->kappa,
        .in = c->space[a->space[NND_FORWARD]].dim,
        .out = c->space[a->space[NND_BACKWARD]].dim,
        .stride = cols_room(c, a),
        .m = a->m,
        .k = a->k,
        .unknown_in = f->count,
        .unknown_out = b->count,
        .n_f = f->row,
        .n_b = b->row,
        .stride_in = cols_room(c, a),
        .stride_out = rows_room(c, a),
    };
}

double *nnd_conditioned_block(const nnd_conditioned *c, nnd_known_block block) {
    return c->block[block].x;
}

double nnd_conditioned_bytes(const nnd_conditioned *c) {
    return c->bytes;
}

double nnd_conditioned_dropped(const nnd_conditioned *c) {
    return c->dropped;
}
