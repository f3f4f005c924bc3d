/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A matrix M^l with Gaussian entries is known through what it and its transpose have been applied
 * to. In orthonormal coordinates of both layers `m` holds its mean given all that, and what
 * training has added. A query v whose part r off all earlier ones is not short, q = r/|r|, meets
 * what is not known yet: M^l += sigma eps q^T with a fresh Gaussian vector eps off the vectors that
 * the transpose was applied to (deep-fluctuations.md#eq4). Along earlier coordinates of its layer
 * eps has independent components of variance 1/N_l, off them the length chi/sqrt(N_l), with chi^2
 * of N_l - n degrees of freedom after n coordinates: mean 1 - (n/2 + 1/4)/N_l, variance 1/(2 N_l)
 * (deep-fluctuations.md#eq5). Nothing else is random.
 */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/streams.h"
#include "solvers/linear_layers_impl.h"

/* Residues of queries themselves are followed so much further than those of their derivatives: what
 * is left of a derivative is about so much longer. */
static const double FURTHER = 0.01;

/* ---- making ---- */

static bool allocate(const nnd_layer_march *x, size_t n, nnd_jet *jet) {
    *jet = (nnd_jet){calloc(nnd_jets_parts(&x->jets) * n + 1, sizeof(double)), n};
    return jet->x != NULL;
}

static size_t widest(const nnd_linear_layers *p, const size_t *width) {
    size_t most = 1;
    for (size_t l = 0; l < p->depth; l++)
        most = width[l] > most ? width[l] : most;
    return most;
}

static bool allocate_layers(nnd_layer_march *x) {
    const nnd_linear_layers *p = x->p;
    x->m = calloc(p->depth, sizeof *x->m);
    x->g = calloc(p->depth, sizeof *x->g);
    x->h = calloc(p->depth, sizeof *x->h);
    x->asked_of = calloc(2 * p->depth, sizeof *x->asked_of);
    x->reach = calloc(2 * p->depth * (p->points + 2), sizeof(double));
    x->used = calloc(p->depth, sizeof *x->used);
    x->normal = calloc(widest(p, x->width), sizeof(double));
    if (x->m == NULL || x->g == NULL || x->h == NULL || x->asked_of == NULL || x->reach == NULL ||
        x->used == NULL || x->normal == NULL)
        return false;
    for (size_t l = 0; l < p->depth; l++) {
        bool matrix = l + 1 < p->depth;
        if (!allocate(x, x->width[l], &x->g[l]) ||
            !allocate(x, (p->points + 1) * x->width[l], &x->h[l]) ||
            (matrix && !allocate(x, x->width[l + 1] * x->width[l], &x->m[l])))
            return false;
    }
    return true;
}

static bool allocate_all(nnd_layer_march *x) {
    const nnd_linear_layers *p = x->p;
    size_t n = widest(p, x->width);
    return allocate_layers(x) && allocate(x, p->points * x->width[0], &x->u) &&
           allocate(x, x->width[p->depth - 1], &x->z) && allocate(x, p->points, &x->f) &&
           allocate(x, p->points, &x->start) && allocate(x, p->train, &x->delta) &&
           allocate(x, p->points, &x->push) && allocate(x, n, &x->fresh) &&
           allocate(x, n, &x->residue) && allocate(x, n, &x->asked) && allocate(x, 1, &x->one);
}

void nnd_layer_march_clear(nnd_layer_march *x) {
    nnd_jet *single[] = {&x->u,    &x->z,     &x->f,       &x->start, &x->delta,
                         &x->push, &x->fresh, &x->residue, &x->asked, &x->one};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        free(single[i]->x);
    for (size_t l = 0; l < x->p->depth; l++) {
        if (x->m != NULL)
            free(x->m[l].x);
        if (x->g != NULL)
            free(x->g[l].x);
        if (x->h != NULL)
            free(x->h[l].x);
    }
    for (size_t i = 0; x->asked_of != NULL && i < 2 * x->p->depth; i++) {
        for (size_t k = 0; k < x->asked_of[i].count; k++)
            free(x->asked_of[i].vector[k].x);
        free(x->asked_of[i].vector);
    }
    free(x->m);
    free(x->g);
    free(x->h);
    free(x->asked_of);
    free(x->reach);
    free(x->used);
    free(x->normal);
}

double nnd_layer_march_numbers(const nnd_linear_layers *p, const size_t *width, size_t directions) {
    double points = (double)p->points, numbers = 6.0 * points;
    for (size_t l = 0; l < p->depth; l++) {
        double n = (double)width[l];
        numbers += n * (points + 4.0) + (l == 0 ? points * n : 0.0);
        /* Both bases of a matrix have fewer vectors than its layers have coordinates. */
        if (l + 1 < p->depth)
            numbers += 2.0 * n * (double)width[l + 1];
    }
    return numbers * (2.0 + (double)directions);
}

/* ---- fresh vectors ---- */

static void fresh_clear(nnd_fresh *fresh) {
    free(fresh->other);
    free(fresh->asked);
}

void nnd_fresh_list_clear(nnd_fresh_list *list) {
    for (size_t i = 0; i < list->count; i++)
        fresh_clear(&list->fresh[i]);
    free(list->fresh);
    *list = (nnd_fresh_list){0};
}

/* An orthonormal basis, row by row, of what is off the values of `known` in n coordinates. */
static nnd_status complement(nnd_context *ctx, const nnd_jet_basis *known, size_t n,
                             nnd_fresh *fresh) {
    size_t k = known != NULL ? known->count : 0;
    fresh->others = n - k;
    fresh->other = calloc(n * n + 1, sizeof(double));
    double *tau = calloc(n + 1, sizeof(double));
    bool done = fresh->other != NULL && tau != NULL;
    for (size_t i = 0; done && i < k; i++)
        memcpy(fresh->other + i * n, known->vector[i].x, n * sizeof(double));
    lapack_int rows = (lapack_int)n, cols = (lapack_int)k;
    /* Column-major: basis vectors come out as rows, the first k of which span `known`. */
    if (done && n > 0)
        done = LAPACKE_dgeqrf(LAPACK_COL_MAJOR, rows, cols, fresh->other, rows, tau) == 0 &&
               LAPACKE_dorgqr(LAPACK_COL_MAJOR, rows, rows, cols, fresh->other, rows, tau) == 0;
    if (done)
        memmove(fresh->other, fresh->other + k * n, (n - k) * n * sizeof(double));
    free(tau);
    return done ? NND_OK : nnd_fail_memory(ctx, "fresh vectors");
}

/* The run that leads says what the next fresh vector is. `asked`: instead of the query itself, of n
 * numbers; NULL: that. */
static nnd_status list_fresh(nnd_layer_march *x, size_t layer, const nnd_jet_basis *known,
                             const double *asked, size_t n) {
    nnd_fresh_list *list = x->list;
    if (list->count == list->room) {
        size_t room = 2 * list->room + 16;
        nnd_fresh *more = realloc(list->fresh, room * sizeof *more);
        if (more == NULL)
            return nnd_fail_memory(x->ctx, "fresh vectors");
        list->fresh = more;
        list->room = room;
    }
    nnd_fresh *fresh = &list->fresh[list->count++];
    *fresh = (nnd_fresh){
        .query = x->query,
        .layer = layer,
        .coordinate = x->used[layer],
        .direction = list->directions,
    };
    if (asked != NULL) {
        fresh->asked = malloc(n * sizeof(double));
        if (fresh->asked == NULL)
            return nnd_fail_memory(x->ctx, "fresh vectors");
        memcpy(fresh->asked, asked, n * sizeof(double));
    }
    nnd_status status = complement(x->ctx, known, fresh->coordinate, fresh);
    list->directions += fresh->others + 1;
    return status;
}

/* The fluctuation of a fresh vector along one of its directions, in units of that. */
static void add_fluctuation(const nnd_layer_march *x, const nnd_fresh *fresh, size_t i,
                            double amount, double *to) {
    size_t n = fresh->coordinate;
    double unit = amount / sqrt(x->p->ratio[fresh->layer]);
    if (i < fresh->others)
        cblas_daxpy((int)n, unit, fresh->other + i * n, 1, to, 1);
    else
        to[n] += sqrt(0.5) * unit;
}

/* Random combinations of all directions. */
static void fluctuate_at_random(nnd_layer_march *x, const nnd_fresh *fresh) {
    nnd_rng_key key = {0, 0, 0};
    for (size_t d = 0; d < x->jets.directions; d++) {
        size_t which = x->next * x->jets.directions + d;
        nnd_rng_normals(key, NND_STREAM_LINEAR_LAYERS_SCOUTS, which, fresh->others + 1, x->normal);
        for (size_t i = 0; i <= fresh->others; i++)
            add_fluctuation(x, fresh, i, x->normal[i], nnd_jet_part(x->fresh, NND_JET_FIRST + d));
    }
}

/* Those directions that are followed here. */
static void fluctuate(nnd_layer_march *x, const nnd_fresh *fresh) {
    size_t n = fresh->coordinate, after = x->first + x->jets.directions;
    for (size_t i = 0; i <= fresh->others; i++) {
        size_t number = fresh->direction + i;
        if (number < x->first || number >= after)
            continue;
        add_fluctuation(x, fresh, i, 1.0,
                        nnd_jet_part(x->fresh, NND_JET_FIRST + number - x->first));
        /* Twice the shift of the mean length. */
        if (i == fresh->others)
            nnd_jet_part(x->fresh, NND_JET_SECOND)[n] =
                -((double)n + 0.5) / x->p->ratio[fresh->layer];
    }
}

/* The next fresh vector, and its fluctuation, into x->fresh. */
static void take_fresh(nnd_layer_march *x) {
    const nnd_fresh *fresh = &x->list->fresh[x->next];
    nnd_jets_clear(&x->jets, x->width[fresh->layer], x->fresh);
    x->fresh.x[fresh->coordinate] = 1.0;
    if (x->leads)
        fluctuate_at_random(x, fresh);
    else
        fluctuate(x, fresh);
    x->used[fresh->layer] = fresh->coordinate + 1;
    x->next++;
}

/* ---- queries ---- */

/* residue = v less what it has along the basis; in two passes, for short residues. */
static void take_residue(nnd_layer_march *x, const nnd_jet_basis *basis, size_t n, nnd_jet v) {
    const nnd_jet_product dot = {1, n, 1, false, 1.0}, off = {1, 1, n, false, -1.0};
    nnd_jets_clear(&x->jets, n, x->residue);
    nnd_jets_add(&x->jets, n, 1.0, v, x->residue);
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < basis->count; k++) {
            nnd_jets_clear(&x->jets, 1, x->one);
            nnd_jets_multiply(&x->jets, dot, basis->vector[k], x->residue, x->one);
            nnd_jets_multiply(&x->jets, off, x->one, basis->vector[k], x->residue);
        }
}

static nnd_status reserve(nnd_layer_march *x, nnd_jet_basis *basis) {
    if (basis->count < basis->room)
        return NND_OK;
    size_t room = 2 * basis->room + 8;
    nnd_jet *more = realloc(basis->vector, room * sizeof *more);
    if (more == NULL)
        return nnd_fail_memory(x->ctx, "directions of a matrix");
    basis->vector = more;
    basis->room = room;
    return NND_OK;
}

/* The residue, at length 1, joins the basis. */
static nnd_status add_direction(nnd_layer_march *x, nnd_jet_basis *basis, size_t n) {
    const nnd_jet_product dot = {1, n, 1, false, 1.0}, scale = {1, 1, n, false, 1.0};
    nnd_status status = reserve(x, basis);
    if (status != NND_OK)
        return status;
    nnd_jet *q = &basis->vector[basis->count];
    if (!allocate(x, n, q))
        return nnd_fail_memory(x->ctx, "directions of a matrix");
    basis->count++;
    nnd_jets_clear(&x->jets, 1, x->one);
    nnd_jets_multiply(&x->jets, dot, x->residue, x->residue, x->one);
    nnd_jets_inverse_root(&x->jets, x->one);
    nnd_jets_multiply(&x->jets, scale, x->one, x->residue, *q);
    return NND_OK;
}

/* Longest derivative along the directions that are followed, and which. */
static double longest_derivative(const nnd_layer_march *x, nnd_jet v, size_t n, size_t *which) {
    double most = 0.0;
    for (size_t k = NND_JET_FIRST; k < nnd_jets_parts(&x->jets); k++) {
        double length = cblas_dnrm2((int)n, nnd_jet_part(v, k), 1);
        if (length > most)
            *which = k;
        most = fmax(most, length);
    }
    return most;
}

/* Standard deviation of fresh images: a vector of N' entries sent to N has entries of sigma
 * sqrt(N_l/N_{l+1}) backward, where <.> is over other numbers of sites. */
static double strength_of(const nnd_layer_march *x, size_t m, nnd_direction direction) {
    const double *ratio = x->p->ratio;
    return direction == NND_FORWARD ? x->p->sigma : x->p->sigma * sqrt(ratio[m] / ratio[m + 1]);
}

/* The image of x->asked is completed by a fresh vector, which is the next in the list. */
static nnd_status complete(nnd_layer_march *x, size_t m, nnd_direction direction) {
    bool forward = direction == NND_FORWARD;
    nnd_jet_basis *basis = &x->asked_of[2 * m + direction];
    size_t n = x->width[forward ? m : m + 1];
    take_residue(x, basis, n, x->asked);
    nnd_status status = add_direction(x, basis, n);
    if (status != NND_OK)
        return status;
    nnd_jet q = basis->vector[basis->count - 1];
    nnd_jet_product outer = {x->width[m + 1], 1, x->width[m], false, strength_of(x, m, direction)};
    take_fresh(x);
    nnd_jets_multiply(&x->jets, outer, forward ? x->fresh : q, forward ? q : x->fresh, x->m[m]);
    return NND_OK;
}

/* The query itself, or what was asked instead. */
static void set_asked(nnd_layer_march *x, size_t n, const double *instead, nnd_jet v) {
    nnd_jets_clear(&x->jets, n, x->asked);
    if (instead != NULL)
        memcpy(x->asked.x, instead, n * sizeof(double));
    else
        nnd_jets_add(&x->jets, n, 1.0, v, x->asked);
}

/* Asks for what a run that follows is told to ask for. */
static nnd_status ask_as_told(nnd_layer_march *x, size_t m, nnd_direction direction, nnd_jet v) {
    const nnd_fresh_list *list = x->list;
    size_t n = x->width[direction == NND_FORWARD ? m : m + 1];
    nnd_status status = NND_OK;
    while (status == NND_OK && x->next < list->count && list->fresh[x->next].query == x->query) {
        set_asked(x, n, list->fresh[x->next].asked, v);
        status = complete(x, m, direction);
    }
    return status;
}

/*
 * Asks for the query if it is not known yet; then, as long as it may fluctuate to where nothing is
 * known, for that fluctuation: what is left of a random combination of all directions. Without an
 * answer its image would lack what comes back from there.
 */
static nnd_status ask_what_is_new(nnd_layer_march *x, size_t m, nnd_direction direction,
                                  double longest[2], nnd_jet v) {
    bool forward = direction == NND_FORWARD;
    size_t n = x->width[forward ? m : m + 1], to = forward ? m + 1 : m, k = 0;
    nnd_jet_basis *basis = &x->asked_of[2 * m + direction];
    nnd_status status = NND_OK;
    longest[0] = fmax(longest[0], cblas_dnrm2((int)n, v.x, 1));
    longest[1] = fmax(longest[1], longest_derivative(x, v, n, &k));
    while (status == NND_OK) {
        take_residue(x, basis, n, v);
        bool itself = cblas_dnrm2((int)n, x->residue.x, 1) > FURTHER * x->p->tolerance * longest[0];
        if (!itself && !(longest_derivative(x, x->residue, n, &k) > x->p->tolerance * longest[1]))
            break;
        x->full = x->used[to] == x->width[to];
        if (x->full)
            break;
        const double *instead = itself ? NULL : nnd_jet_part(x->residue, k);
        status = list_fresh(x, to, &x->asked_of[2 * m + 1 - direction], instead, n);
        set_asked(x, n, x->list->fresh[x->list->count - 1].asked, v);
        if (status == NND_OK)
            status = complete(x, m, direction);
    }
    return status;
}

/* Asks matrix m for the image of v, so that nothing is missing in it. */
static nnd_status ask(nnd_layer_march *x, size_t m, nnd_direction direction, size_t row,
                      nnd_jet v) {
    double *longest = x->reach + 2 * (m * (x->p->points + 2) + row);
    x->query++;
    return x->leads ? ask_what_is_new(x, m, direction, longest, v)
                    : ask_as_told(x, m, direction, v);
}

/* ---- the march ---- */

/* h^1 = sigma root eps, and the readout. */
static nnd_status start(nnd_layer_march *x) {
    const nnd_linear_layers *p = x->p;
    size_t last = p->depth - 1;
    nnd_status status = NND_OK;
    for (size_t k = 0; status == NND_OK && k < x->rank; k++) {
        nnd_jets_clear(&x->jets, p->points, x->push);
        cblas_dcopy((int)p->points, x->root + k, (int)p->points, x->push.x, 1);
        if (x->leads)
            status = list_fresh(x, 0, NULL, NULL, 0);
        if (status != NND_OK)
            return status;
        take_fresh(x);
        nnd_jet_product outer = {p->points, 1, x->width[0], false, p->sigma};
        nnd_jets_multiply(&x->jets, outer, x->push, x->fresh, x->u);
    }
    if (x->leads)
        status = list_fresh(x, last, NULL, NULL, 0);
    if (status != NND_OK)
        return status;
    take_fresh(x);
    nnd_jets_add(&x->jets, x->width[last], p->sigma, x->fresh, x->z);
    return NND_OK;
}

nnd_status nnd_layer_march_make(nnd_layer_march *x) {
    return allocate_all(x) ? start(x) : nnd_fail_memory(x->ctx, "fields of linear layers");
}

static nnd_status send_back(nnd_layer_march *x) {
    size_t last = x->p->depth - 1;
    nnd_status status = NND_OK;
    nnd_jets_clear(&x->jets, x->width[last], x->g[last]);
    nnd_jets_add(&x->jets, x->width[last], 1.0, x->z, x->g[last]);
    for (size_t m = last; status == NND_OK && !x->full && m-- > 0;) {
        status = ask(x, m, NND_BACKWARD, x->p->points + 1, x->g[m + 1]);
        nnd_jet_product apply = {1, x->width[m + 1], x->width[m], false, 1.0};
        nnd_jets_clear(&x->jets, x->width[m], x->g[m]);
        nnd_jets_multiply(&x->jets, apply, x->g[m + 1], x->m[m], x->g[m]);
    }
    return status;
}

nnd_status nnd_layer_march_backward(nnd_layer_march *x, bool at_start) {
    const nnd_linear_layers *p = x->p;
    nnd_status status = send_back(x);
    nnd_jet_product inner = {p->points, x->width[0], 1, false, 1.0 / p->gamma0};
    nnd_jets_clear(&x->jets, p->points, x->f);
    nnd_jets_multiply(&x->jets, inner, x->u, x->g[0], x->f);
    if (at_start && p->center)
        nnd_jets_add(&x->jets, p->points, 1.0, x->f, x->start);
    nnd_jets_add(&x->jets, p->points, -1.0, x->start, x->f);
    nnd_jets_clear(&x->jets, p->train, x->delta);
    nnd_jets_add(&x->jets, p->train, -1.0, x->f, x->delta);
    cblas_daxpy((int)p->train, 1.0, p->targets, 1, x->delta.x, 1);
    return status;
}

nnd_status nnd_layer_march_forward(nnd_layer_march *x, bool points) {
    const nnd_linear_layers *p = x->p;
    size_t n = x->width[0];
    nnd_status status = NND_OK;
    x->rows = points ? p->points + 1 : 1;
    nnd_jet_product learn = {1, p->train, n, false, 1.0};
    nnd_jets_clear(&x->jets, x->rows * n, x->h[0]);
    nnd_jets_multiply(&x->jets, learn, x->delta, x->u, x->h[0]);
    if (points)
        nnd_jets_add(&x->jets, p->points * n, 1.0, x->u, (nnd_jet){x->h[0].x + n, x->h[0].stride});
    for (size_t m = 0; m + 1 < p->depth; m++) {
        for (size_t i = 0; status == NND_OK && !x->full && i < x->rows; i++) {
            nnd_jet row = {x->h[m].x + i * x->width[m], x->h[m].stride};
            status = ask(x, m, NND_FORWARD, i, row);
        }
        nnd_jet_product apply = {x->rows, x->width[m], x->width[m + 1], true, 1.0};
        nnd_jets_clear(&x->jets, x->rows * x->width[m + 1], x->h[m + 1]);
        nnd_jets_multiply(&x->jets, apply, x->h[m], x->m[m], x->h[m + 1]);
    }
    return status;
}

void nnd_layer_march_descend(nnd_layer_march *x, size_t t) {
    const nnd_linear_layers *p = x->p;
    size_t last = p->depth - 1;
    double c = p->lr * p->gamma0 * p->sigma * p->sigma / (double)p->train;
    if (p->schedule != NULL)
        c *= nnd_rates_at(p->schedule, t);
    for (size_t m = 0; m < last; m++) {
        nnd_jet_product outer = {x->width[m + 1], 1, x->width[m], false, c};
        nnd_jets_multiply(&x->jets, outer, x->g[m + 1], x->h[m], x->m[m]);
    }
    nnd_jets_add(&x->jets, x->width[last], c, x->h[last], x->z);
    nnd_jets_clear(&x->jets, p->points, x->push);
    for (size_t k = 0; k < nnd_jets_parts(&x->jets); k++)
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)p->points, (int)p->train, c, p->gram,
                    (int)p->points, nnd_jet_part(x->delta, k), 1, 0.0, nnd_jet_part(x->push, k), 1);
    nnd_jet_product outer = {p->points, 1, x->width[0], false, 1.0};
    nnd_jets_multiply(&x->jets, outer, x->push, x->g[0], x->u);
}
