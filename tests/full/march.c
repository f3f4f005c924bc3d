/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "full/march.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "full/triangular.h"

/* A set of Gaussian primitives of one space: a fixed vector, a noise (one vector per query), or the
 * images of a matrix (one per query). Families of different kinds or matrices are independent. */
typedef enum { VECTOR, NOISE, IMAGE } family_kind;

typedef struct {
    family_kind kind;
    size_t space;
    size_t slot;    /* position among the families of its space */
    double scale;   /* VECTOR: squared length; IMAGE: Gram = scale * Gram of the queried field */
    size_t queried; /* IMAGE: the field whose Gram is that of the primitives */
    double *norm2;  /* NOISE: squared length per query */
} family;

typedef struct {
    size_t space;
    size_t rows;   /* finished */
    double *gram;  /* Q x Q, lower triangle */
    double **coef; /* per family slot: Q x Q lower triangle, or Q numbers for a VECTOR */
} field;

typedef struct {
    double sigma2, aspect;
    size_t phi, psi;
    size_t image[2]; /* families x (NND_FORWARD) and w (NND_BACKWARD) */
} matrix;

typedef struct {
    size_t slots;
    size_t *family; /* by slot */
} space;

struct nnd_march {
    nnd_context *ctx;
    size_t queries, query;
    size_t spaces, fields, families, matrices;
    space *space;
    field *field;
    family *family;
    matrix *matrix;
    double *image; /* scratch: Gram of a family times a row of coefficients, Q numbers */
    double *part;  /* scratch: contribution of one family to a row of inner products */
    double multiply_adds, bytes_read;
};

nnd_status nnd_march_new(nnd_context *ctx, size_t queries, nnd_march **march) {
    nnd_march *m = calloc(1, sizeof *m);
    if (m == NULL)
        return nnd_fail_memory(ctx, "a march");
    m->ctx = ctx;
    m->queries = queries;
    *march = m;
    return NND_OK;
}

static void field_clear(const nnd_march *m, field *f) {
    for (size_t k = 0; f->coef != NULL && k < m->space[f->space].slots; k++)
        free(f->coef[k]);
    free(f->coef);
    free(f->gram);
}

void nnd_march_free(nnd_march *m) {
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->fields; i++)
        field_clear(m, &m->field[i]);
    for (size_t i = 0; i < m->families; i++)
        free(m->family[i].norm2);
    for (size_t i = 0; i < m->spaces; i++)
        free(m->space[i].family);
    free(m->space);
    free(m->field);
    free(m->family);
    free(m->matrix);
    free(m->image);
    free(m->part);
    free(m);
}

/* Appends a zeroed element to an array; returns its index in `*count` before. */
static nnd_status grow(nnd_march *m, void *array, size_t *count, size_t width) {
    void **data = array;
    char *grown = realloc(*data, (*count + 1) * width);
    if (grown == NULL)
        return nnd_fail_memory(m->ctx, "a march");
    memset(grown + *count * width, 0, width);
    *data = grown;
    ++*count;
    return NND_OK;
}

nnd_status nnd_march_add_space(nnd_march *m, nnd_space *id) {
    *id = m->spaces;
    return grow(m, &m->space, &m->spaces, sizeof *m->space);
}

nnd_status nnd_march_add_field(nnd_march *m, nnd_space in, nnd_field *id) {
    *id = m->fields;
    nnd_status status = grow(m, &m->field, &m->fields, sizeof *m->field);
    if (status == NND_OK)
        m->field[*id].space = in;
    return status;
}

static nnd_status add_family(nnd_march *m, family f, size_t *id) {
    space *s = &m->space[f.space];
    f.slot = s->slots;
    *id = m->families;
    nnd_status status = grow(m, &s->family, &s->slots, sizeof *s->family);
    if (status == NND_OK)
        status = grow(m, &m->family, &m->families, sizeof *m->family);
    if (status == NND_OK) {
        s->family[f.slot] = *id;
        m->family[*id] = f;
    }
    return status;
}

nnd_status nnd_march_add_vector(nnd_march *m, nnd_space in, double norm2, nnd_primitive *id) {
    return add_family(m, (family){.kind = VECTOR, .space = in, .scale = norm2}, id);
}

nnd_status nnd_march_add_noise(nnd_march *m, nnd_space in, nnd_primitive *id) {
    return add_family(m, (family){.kind = NOISE, .space = in}, id);
}

nnd_status nnd_march_add_matrix(nnd_march *m, double sigma2, double aspect, nnd_field phi,
                                nnd_field psi, nnd_matrix *id) {
    family x = {IMAGE, m->field[psi].space, 0, sigma2 * aspect, phi, NULL};
    family w = {IMAGE, m->field[phi].space, 0, sigma2, psi, NULL};
    matrix a = {sigma2, aspect, phi, psi, {0, 0}};
    *id = m->matrices;
    nnd_status status = add_family(m, x, &a.image[NND_FORWARD]);
    if (status == NND_OK)
        status = add_family(m, w, &a.image[NND_BACKWARD]);
    if (status == NND_OK)
        status = grow(m, &m->matrix, &m->matrices, sizeof *m->matrix);
    if (status == NND_OK)
        m->matrix[*id] = a;
    return status;
}

/* Families of a space with one primitive per query. */
static size_t wide_families(const nnd_march *m, size_t in) {
    size_t n = 0;
    for (size_t k = 0; k < m->space[in].slots; k++)
        n += m->family[m->space[in].family[k]].kind != VECTOR;
    return n;
}

void nnd_march_cost(const nnd_march *m, double *bytes, double *multiply_adds) {
    double q = (double)m->queries, squares = 0.0, families = 0.0;
    for (size_t i = 0; i < m->fields; i++) {
        double n = (double)wide_families(m, m->field[i].space);
        squares += n + 1.0;
        families += n;
    }
    /* Per field, family and query of q rows: q^2/2 to combine rows, q^2 for the Gram of the
     * primitives, q^2/2 for the inner products; summed over q. */
    *bytes = squares * q * q * sizeof(double);
    *multiply_adds = families * 2.0 * q * q * q / 3.0;
}

static nnd_status field_ready(nnd_march *m, field *f) {
    const space *s = &m->space[f->space];
    size_t q = m->queries;
    f->gram = calloc(q * q, sizeof *f->gram);
    f->coef = calloc(s->slots + 1, sizeof *f->coef);
    if (f->gram == NULL || f->coef == NULL)
        return nnd_fail_memory(m->ctx, "the order parameters");
    for (size_t k = 0; k < s->slots; k++) {
        size_t columns = m->family[s->family[k]].kind == VECTOR ? 1 : q;
        f->coef[k] = calloc(q * columns, sizeof **f->coef);
        if (f->coef[k] == NULL)
            return nnd_fail_memory(m->ctx, "the responses");
    }
    return NND_OK;
}

nnd_status nnd_march_ready(nnd_march *m) {
    double bytes, multiply_adds;
    nnd_march_cost(m, &bytes, &multiply_adds);
    nnd_status status = nnd_check_memory(m->ctx, bytes, "the march");
    for (size_t i = 0; status == NND_OK && i < m->fields; i++)
        status = field_ready(m, &m->field[i]);
    for (size_t i = 0; status == NND_OK && i < m->families; i++)
        if (m->family[i].kind == NOISE) {
            m->family[i].norm2 = calloc(m->queries, sizeof(double));
            if (m->family[i].norm2 == NULL)
                status = nnd_fail_memory(m->ctx, "a noise");
        }
    if (status != NND_OK)
        return status;
    m->image = calloc(m->queries, sizeof *m->image);
    m->part = calloc(m->queries, sizeof *m->part);
    return m->image != NULL && m->part != NULL ? NND_OK : nnd_fail_memory(m->ctx, "a march");
}

size_t nnd_march_query(const nnd_march *m) {
    return m->query;
}

static void count_work(nnd_march *m, double multiply_adds, double elements_read) {
    m->multiply_adds += multiply_adds;
    m->bytes_read += elements_read * sizeof(double);
}

void nnd_march_work(const nnd_march *m, double *multiply_adds, double *bytes) {
    *multiply_adds = m->multiply_adds;
    *bytes = m->bytes_read;
}

/* Coefficients of row q of a field on a family. */
static double *coefficients(const nnd_march *m, size_t id, size_t q, const family *f) {
    return m->field[id].coef[f->slot] + (f->kind == VECTOR ? q : q * m->queries);
}

void nnd_march_begin(nnd_march *m, nnd_field id) {
    const space *s = &m->space[m->field[id].space];
    for (size_t k = 0; k < s->slots; k++) {
        const family *f = &m->family[s->family[k]];
        size_t columns = f->kind == VECTOR ? 1 : m->queries;
        memset(coefficients(m, id, m->query, f), 0, columns * sizeof(double));
    }
}

void nnd_march_add_vector_part(nnd_march *m, nnd_field id, nnd_primitive vector, double coef) {
    *coefficients(m, id, m->query, &m->family[vector]) += coef;
}

void nnd_march_add_noise_part(nnd_march *m, nnd_field id, nnd_primitive noise, double norm2) {
    m->family[noise].norm2[m->query] = norm2;
    coefficients(m, id, m->query, &m->family[noise])[m->query] += 1.0;
}

void nnd_march_add_image(nnd_march *m, nnd_field id, nnd_matrix a, nnd_direction direction,
                         size_t query, double coef) {
    const family *f = &m->family[m->matrix[a].image[direction]];
    coefficients(m, id, m->query, f)[query] += coef;
}

void nnd_march_add_rows(nnd_march *m, nnd_field id, nnd_field source, size_t rows,
                        const double *weight) {
    const space *s = &m->space[m->field[id].space];
    double n = (double)rows;
    for (size_t k = 0; k < s->slots; k++) {
        const family *f = &m->family[s->family[k]];
        double *to = coefficients(m, id, m->query, f);
        const double *from = m->field[source].coef[k];
        if (f->kind != VECTOR) {
            nnd_add_lower_transposed_times(rows, from, m->queries, weight, to);
            count_work(m, n * n / 2.0, n * n / 2.0);
            continue;
        }
        for (size_t p = 0; p < rows; p++)
            *to += weight[p] * from[p];
    }
}

void nnd_march_add_row(nnd_march *m, nnd_field id, nnd_field source, size_t row, double coef) {
    const space *s = &m->space[m->field[id].space];
    for (size_t k = 0; k < s->slots; k++) {
        const family *f = &m->family[s->family[k]];
        size_t columns = f->kind == VECTOR ? 1 : row + 1;
        double *to = coefficients(m, id, m->query, f);
        const double *from = coefficients(m, source, row, f);
        for (size_t i = 0; i < columns; i++)
            to[i] += coef * from[i];
    }
}

/* out = (Gram of the family's first n primitives) * c. */
static void family_gram_times(const nnd_march *m, const family *f, size_t n, const double *c,
                              double *out) {
    if (f->kind == IMAGE) {
        nnd_symmetric_times(n, m->field[f->queried].gram, m->queries, c, out);
        for (size_t i = 0; i < n; i++)
            out[i] *= f->scale;
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = f->norm2[i] * c[i];
}

/* Primitives of a family that exist, at most `n`. */
static size_t existing(const nnd_march *m, const family *f, size_t n) {
    size_t rows = f->kind == IMAGE ? m->field[f->queried].rows : n;
    return rows < n ? rows : n;
}

void nnd_march_finish(nnd_march *m, nnd_field id) {
    field *own = &m->field[id];
    const space *s = &m->space[own->space];
    size_t q = m->query, rows = q + 1;
    double *gram = own->gram + q * m->queries;
    memset(gram, 0, rows * sizeof *gram);
    for (size_t k = 0; k < s->slots; k++) {
        const family *f = &m->family[s->family[k]];
        const double *c = coefficients(m, id, q, f);
        if (f->kind == VECTOR) {
            for (size_t p = 0; p < rows; p++)
                gram[p] += f->scale * c[0] * own->coef[k][p];
            continue;
        }
        size_t n = existing(m, f, rows);
        memset(m->image + n, 0, (rows - n) * sizeof *m->image);
        family_gram_times(m, f, n, c, m->image);
        nnd_lower_times(rows, own->coef[k], m->queries, m->image, m->part);
        for (size_t p = 0; p < rows; p++)
            gram[p] += m->part[p];
        double square = (double)rows * (double)rows;
        bool dense = f->kind == IMAGE;
        count_work(m, square * (dense ? 1.5 : 0.5), square * (dense ? 1.0 : 0.5));
    }
    own->rows = rows;
}

void nnd_march_advance(nnd_march *m) {
    m->query++;
}

size_t nnd_march_response(const nnd_march *m, nnd_matrix id, nnd_direction direction, size_t q,
                          double *row) {
    const matrix *a = &m->matrix[id];
    bool forward = direction == NND_FORWARD;
    size_t asked = forward ? a->phi : a->psi, other = forward ? a->psi : a->phi;
    const family *f = &m->family[a->image[forward ? NND_BACKWARD : NND_FORWARD]];
    const double *c = coefficients(m, asked, q, f);
    double scale = forward ? a->sigma2 : a->sigma2 * a->aspect;
    size_t n = m->field[other].rows < q + 1 ? m->field[other].rows : q + 1;
    for (size_t p = 0; p < n; p++)
        row[p] = scale * c[p];
    return n;
}

const double *nnd_march_gram(const nnd_march *m, nnd_field id, size_t q) {
    return m->field[id].gram + q * m->queries;
}

double nnd_march_overlap(const nnd_march *m, nnd_field id, size_t q, size_t p) {
    return q >= p ? nnd_march_gram(m, id, q)[p] : nnd_march_gram(m, id, p)[q];
}

double nnd_march_cross(const nnd_march *m, nnd_field a, size_t q, nnd_field b, size_t p) {
    const space *s = &m->space[m->field[a].space];
    double sum = 0.0;
    for (size_t k = 0; k < s->slots; k++) {
        const family *f = &m->family[s->family[k]];
        const double *x = coefficients(m, a, q, f), *y = coefficients(m, b, p, f);
        if (f->kind == VECTOR) {
            sum += f->scale * x[0] * y[0];
            continue;
        }
        for (size_t i = 0; i <= q; i++)
            if (f->kind == NOISE)
                sum += i <= p ? x[i] * y[i] * f->norm2[i] : 0.0;
            else
                for (size_t j = 0; j <= p; j++)
                    sum += x[i] * y[j] * f->scale * nnd_march_overlap(m, f->queried, i, j);
    }
    return sum;
}

double nnd_march_dot_vector(const nnd_march *m, nnd_field id, size_t q, nnd_primitive vector) {
    const family *f = &m->family[vector];
    return f->scale * *coefficients(m, id, q, f);
}

double nnd_march_dot_image(const nnd_march *m, nnd_field id, size_t q, nnd_matrix a,
                           nnd_direction direction, size_t query) {
    const family *f = &m->family[m->matrix[a].image[direction]];
    const double *c = coefficients(m, id, q, f);
    double sum = 0.0;
    for (size_t i = 0; i <= q; i++)
        sum += c[i] * f->scale * nnd_march_overlap(m, f->queried, i, query);
    return sum;
}

size_t nnd_march_stride(const nnd_march *m) {
    return m->queries;
}

const double *nnd_march_image_coefficients(const nnd_march *m, nnd_field id, nnd_matrix a,
                                           nnd_direction direction) {
    return m->field[id].coef[m->family[m->matrix[a].image[direction]].slot];
}

/* out += C_a Gamma C_b^T for one family of primitives; scratch as large as out. */
static void add_cross(const nnd_march *m, const family *f, const field *a, const field *b,
                      size_t rows, double *scratch, double *out) {
    int n = (int)rows, lda = (int)m->queries;
    const double *ca = a->coef[f->slot], *cb = b->coef[f->slot];
    if (f->kind == VECTOR) {
        cblas_dger(CblasRowMajor, n, n, f->scale, ca, 1, cb, 1, out, n);
        return;
    }
    if (f->kind == IMAGE)
        cblas_dsymm(CblasRowMajor, CblasRight, CblasLower, n, n, f->scale,
                    m->field[f->queried].gram, lda, cb, lda, 0.0, scratch, n);
    else
        for (size_t p = 0; p < rows; p++)
            for (size_t i = 0; i < rows; i++)
                scratch[p * rows + i] = cb[p * m->queries + i] * f->norm2[i];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, n, 1.0, ca, lda, scratch, n, 1.0,
                out, n);
}

nnd_status nnd_march_cross_gram(const nnd_march *m, nnd_field a, nnd_field b, size_t rows,
                                double *out) {
    const space *s = &m->space[m->field[a].space];
    double *scratch = malloc(rows * rows * sizeof *scratch);
    if (scratch == NULL)
        return nnd_fail_memory(m->ctx, "the overlaps of two fields");
    memset(out, 0, rows * rows * sizeof *out);
    for (size_t k = 0; k < s->slots; k++)
        add_cross(m, &m->family[s->family[k]], &m->field[a], &m->field[b], rows, scratch, out);
    free(scratch);
    return NND_OK;
}
