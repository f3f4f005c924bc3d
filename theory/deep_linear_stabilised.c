/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_stabilised.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/rkc.h"
#include "theory/deep_linear_modes.h"

enum { START, BEFORE, SNAPSHOT, KEPT = NND_FLOW_KEPT, SNAPSHOTS = KEPT - SNAPSHOT };
enum { FIRST_POWERS = 30, POWERS = 2, MOST_STAGES = 2000 };
static const double SAFETY = 1.1;

/* The weights that flow, C_l = M - K and the readout, kept at some points: the start of the step,
 * the stage before the last, and snapshots at doubled times. */
typedef struct {
    nnd_context *ctx;
    nnd_small *n;
    nnd_known_block *block[KEPT]; /* per matrix */
    nnd_known_vector readout[KEPT];
    nnd_known_vector power, *h, *u; /* a vector that turns to the NTK's top mode; its images */
    double snapshot[SNAPSHOTS];
    size_t snapshots;
    double lambda; /* of the NTK, at most */
    nnd_flow_account *account;
} flow;

/* ---- set-up ---- */

static nnd_status add_kept(flow *f, size_t k) {
    nnd_small *n = f->n;
    f->block[k] = calloc(n->depth, sizeof *f->block[k]);
    if (f->block[k] == NULL)
        return nnd_fail_memory(f->ctx, "a flow");
    nnd_status status = nnd_conditioned_add_vector(n->system, n->space[n->depth], &f->readout[k]);
    for (size_t l = 0; l < n->depth && status == NND_OK; l++)
        status = nnd_conditioned_add_block(n->system, n->a[l], &f->block[k][l]);
    return status;
}

static bool has_data(const flow *f) {
    return f->n->params->training == NND_TRAIN_FIXED;
}

static nnd_known_space power_space(const flow *f) {
    return f->n->space[has_data(f) ? f->n->depth + 1 : 0];
}

static nnd_status make(nnd_context *ctx, nnd_small *n, nnd_flow_account *account, flow *f) {
    *f = (flow){.ctx = ctx, .n = n, .account = account};
    *account = (nnd_flow_account){.frozen = NAN};
    f->h = calloc(n->depth + 1, sizeof *f->h);
    f->u = calloc(n->depth + 1, sizeof *f->u);
    nnd_status status = f->h != NULL && f->u != NULL ? NND_OK : nnd_fail_memory(ctx, "a flow");
    for (size_t k = 0; k < KEPT && status == NND_OK; k++)
        status = add_kept(f, k);
    if (status == NND_OK)
        status = nnd_conditioned_add_vector(n->system, power_space(f), &f->power);
    for (size_t l = 0; l <= n->depth && status == NND_OK; l++) {
        status = nnd_conditioned_add_vector(n->system, n->space[l], &f->h[l]);
        if (status == NND_OK)
            status = nnd_conditioned_add_vector(n->system, n->space[l], &f->u[l]);
    }
    return status;
}

static void clear(flow *f) {
    for (size_t k = 0; k < KEPT; k++)
        free(f->block[k]);
    free(f->h);
    free(f->u);
}

/* ---- weights ---- */

/* Row i of an array of matrix l. */
static double *row_of(const nnd_known *a, double *x, size_t i) {
    return x + i * a->stride;
}

static void copy_vector(flow *f, nnd_known_vector from, nnd_known_vector to) {
    nnd_conditioned_zero(f->n->system, to);
    nnd_conditioned_add(f->n->system, 1.0, from, to);
}

/* Keeps the present weights. */
static void keep(flow *f, size_t k) {
    for (size_t l = 0; l < f->n->depth; l++) {
        nnd_known a = nnd_conditioned_known(f->n->system, f->n->a[l]);
        double *block = nnd_conditioned_block(f->n->system, f->block[k][l]);
        for (size_t i = 0; i < a.out; i++)
            for (size_t j = 0; j < a.in; j++)
                row_of(&a, block, i)[j] = row_of(&a, a.m, i)[j] - a.k[i * a.stride + j];
    }
    copy_vector(f, f->n->readout, f->readout[k]);
}

/* Makes kept weights the present ones. */
static void restore(flow *f, size_t k) {
    for (size_t l = 0; l < f->n->depth; l++) {
        nnd_known a = nnd_conditioned_known(f->n->system, f->n->a[l]);
        double *block = nnd_conditioned_block(f->n->system, f->block[k][l]);
        for (size_t i = 0; i < a.out; i++)
            for (size_t j = 0; j < a.in; j++)
                row_of(&a, a.m, i)[j] = a.k[i * a.stride + j] + row_of(&a, block, i)[j];
    }
    copy_vector(f, f->readout[k], f->n->readout);
}

/* Y_j without its gradients from Y_{j-1}, which the weights are; Y_{j-2} becomes that. */
static void mix(flow *f, const nnd_rkc_stage *c) {
    nnd_conditioned *s = f->n->system;
    double first = 1.0 - c->mu - c->nu;
    for (size_t l = 0; l < f->n->depth; l++) {
        nnd_known a = nnd_conditioned_known(s, f->n->a[l]);
        double *start = nnd_conditioned_block(s, f->block[START][l]);
        double *before = nnd_conditioned_block(s, f->block[BEFORE][l]);
        for (size_t i = 0; i < a.out; i++) {
            double *m = row_of(&a, a.m, i), *y0 = row_of(&a, start, i), *y2 = row_of(&a, before, i);
            const double *k = a.k + i * a.stride;
            for (size_t j = 0; j < a.in; j++) {
                double y1 = m[j] - k[j];
                m[j] = k[j] + first * y0[j] + c->mu * y1 + c->nu * y2[j];
                y2[j] = y1;
            }
        }
    }
    double *y = nnd_conditioned_vector(s, f->n->readout);
    double *y0 = nnd_conditioned_vector(s, f->readout[START]);
    double *y2 = nnd_conditioned_vector(s, f->readout[BEFORE]);
    for (size_t j = 0; j < nnd_conditioned_dim(s, f->n->space[f->n->depth]); j++) {
        double y1 = y[j];
        y[j] = first * y0[j] + c->mu * y1 + c->nu * y2[j];
        y2[j] = y1;
    }
}

/* ---- norms ---- */

/* |0.8 (from - y) + 0.4 h (g_0 h_0^T + g_1 h_1^T)| of matrix l, and |y|. */
static double matrix_norm(const flow *f, size_t l, size_t from, double h, double *size) {
    const nnd_small *n = f->n;
    nnd_known a = nnd_conditioned_known(n->system, n->a[l]);
    double *kept = nnd_conditioned_block(n->system, f->block[from][l]);
    const double *g[2], *v[2];
    for (int i = 0; i < 2; i++) {
        g[i] = nnd_conditioned_vector(n->system, n->fields[i].g[l + 1]);
        v[i] = nnd_conditioned_vector(n->system, n->fields[i].h[l]);
    }
    double sum = 0.0, squares = 0.0, weight = 0.4 * h * n->c[l], share = h > 0.0 ? 0.8 : 1.0;
    for (size_t i = 0; i < a.out; i++) {
        const double *m = row_of(&a, a.m, i), *k = a.k + i * a.stride, *y0 = row_of(&a, kept, i);
        for (size_t j = 0; j < a.in; j++) {
            double y = m[j] - k[j], e = share * (y0[j] - y);
            if (h > 0.0)
                e += weight * (g[0][i] * v[0][j] + g[1][i] * v[1][j]);
            sum += e * e;
            squares += y * y;
        }
    }
    *size = sqrt(squares);
    return sqrt(sum);
}

static double readout_norm(const flow *f, size_t from, double h, double *size) {
    const nnd_small *n = f->n;
    const double *y = nnd_conditioned_vector(n->system, n->readout);
    const double *y0 = nnd_conditioned_vector(n->system, f->readout[from]);
    const double *h0 = nnd_conditioned_vector(n->system, n->fields[0].h[n->depth]);
    const double *h1 = nnd_conditioned_vector(n->system, n->fields[1].h[n->depth]);
    double sum = 0.0, squares = 0.0, weight = 0.4 * h * n->c[n->depth], share = h > 0.0 ? 0.8 : 1.0;
    for (size_t j = 0; j < nnd_conditioned_dim(n->system, n->space[n->depth]); j++) {
        double e = share * (y0[j] - y[j]) + (h > 0.0 ? weight * (h0[j] + h1[j]) : 0.0);
        sum += e * e;
        squares += y[j] * y[j];
    }
    *size = sqrt(squares);
    return sqrt(sum);
}

/* How far weights that were kept are from the present ones (h = 0), or the error of a step of
 * length h from them, relative to the size of weights, at least that at the start. */
static double distance(const flow *f, size_t from, double h) {
    const nnd_small *n = f->n;
    double worst = 0.0, size;
    for (size_t l = 0; l <= n->depth; l++) {
        double d =
            l < n->depth ? matrix_norm(f, l, from, h, &size) : readout_norm(f, from, h, &size);
        d /= fmax(size, nnd_deep_linear_sigma(n->params, l));
        worst = isnan(d) || isnan(worst) ? NAN : fmax(worst, d);
    }
    return worst;
}

/* The largest rate of weights, relative to their size. */
static double speed(const flow *f) {
    const nnd_small *n = f->n;
    double worst = 0.0;
    for (size_t l = 0; l < n->depth; l++) {
        double rate = n->c[l] * sqrt(nnd_small_g_norm2(n, l + 1) * nnd_small_h_norm2(n, l));
        worst = fmax(worst, rate / nnd_deep_linear_sigma(n->params, l));
    }
    return worst;
}

/* ---- the largest eigenvalue ---- */

/* u = the NTK times the vector, from known parts alone; its norm over that of the vector. */
static double power_step(flow *f) {
    nnd_small *n = f->n;
    nnd_conditioned *s = n->system;
    if (has_data(f))
        nnd_conditioned_apply(s, n->z, NND_BACKWARD, f->power, f->h[0]);
    else
        copy_vector(f, f->power, f->h[0]);
    for (size_t l = 0; l < n->depth; l++)
        nnd_conditioned_apply(s, n->a[l], NND_FORWARD, f->h[l], f->h[l + 1]);
    nnd_conditioned_zero(s, f->u[n->depth]);
    for (size_t l = n->depth + 1; l-- > 0;) {
        nnd_conditioned_add(s, nnd_small_ntk_weight(n, l), f->h[l], f->u[l]);
        if (l > 0)
            nnd_conditioned_apply(s, n->a[l - 1], NND_BACKWARD, f->u[l], f->u[l - 1]);
    }
    double before = sqrt(nnd_conditioned_dot(s, f->power, f->power));
    if (has_data(f))
        nnd_conditioned_apply(s, n->z, NND_FORWARD, f->u[0], f->power);
    else
        copy_vector(f, f->u[0], f->power);
    double after = sqrt(nnd_conditioned_dot(s, f->power, f->power));
    if (after > 0.0)
        nnd_conditioned_add(s, 1.0 / after - 1.0, f->power, f->power);
    return before > 0.0 ? after / before : 0.0;
}

/* An upper bound: the top mode among what is known, and the edge of the bulk. New coordinates get a
 * part of the vector. */
static nnd_status bound(flow *f, int powers) {
    double *x = nnd_conditioned_vector(f->n->system, f->power), known = 0.0, edge;
    for (size_t i = 0; i < nnd_conditioned_dim(f->n->system, power_space(f)); i++)
        x[i] += 1e-3;
    for (int i = 0; i < powers; i++)
        known = power_step(f);
    nnd_status status = nnd_small_ntk_edge(f->ctx, f->n, &edge);
    f->lambda = SAFETY * fmax(known, edge);
    return status;
}

/* ---- steps ---- */

static nnd_status evaluate(flow *f, size_t stage) {
    f->account->evaluations++;
    return nnd_small_evaluate(f->n, stage);
}

/* A step of length h from the weights that are kept as the start; stage 1 is evaluated at its end.
 */
static nnd_status step(flow *f, double h) {
    nnd_rkc method = nnd_rkc_begin(nnd_rkc_stages(h * f->lambda));
    nnd_status status = NND_OK;
    keep(f, BEFORE);
    for (size_t j = 1; j <= method.stages && status == NND_OK; j++) {
        nnd_rkc_stage c = nnd_rkc_next(&method);
        if (j > 1) {
            status = evaluate(f, 1);
            mix(f, &c);
            nnd_small_move(f->n, 1, h * c.mu_t);
        }
        nnd_small_move(f->n, 0, h * (j > 1 ? c.gamma_t : c.mu_t));
    }
    return status == NND_OK ? evaluate(f, 1) : status;
}

static void swap_fields(nnd_small *n) {
    nnd_small_fields f = n->fields[0];
    n->fields[0] = n->fields[1];
    n->fields[1] = f;
}

/* The error that weights may have: what it does to the output is the tolerance. */
static double wanted_error(const flow *f) {
    return nnd_small_output_unit(f->n) * f->n->tolerance;
}

/* Snapshots at doubled times; whether the weights are where they were at a quarter of this one, and
 * move no faster than noise does. */
static bool is_frozen(flow *f, double t) {
    const double still = 3.0 * wanted_error(f), noise = 100.0 * wanted_error(f);
    size_t last = f->snapshots, old = SNAPSHOTS;
    if (last == 0 || t >= 2.0 * f->snapshot[(last - 1) % SNAPSHOTS]) {
        keep(f, SNAPSHOT + last % SNAPSHOTS);
        f->snapshot[last % SNAPSHOTS] = t;
        f->snapshots++;
    }
    for (size_t k = 0; k < SNAPSHOTS && k < f->snapshots; k++)
        if (f->snapshot[k] <= 0.25 * t && (old == SNAPSHOTS || f->snapshot[k] > f->snapshot[old]))
            old = k;
    return f->snapshots > SNAPSHOTS && old < SNAPSHOTS && speed(f) < noise * f->lambda &&
           distance(f, SNAPSHOT + old, 0.0) < still;
}

/* Tries steps of length `longest` at most from time t to `to`, until one is good; *h: its length,
 * *next: of the one that may follow. */
static nnd_status advance(flow *f, double longest, double t, double to, double *h, double *next) {
    const double wanted = wanted_error(f);
    nnd_status status = NND_OK;
    keep(f, START);
    for (double proposed = *next; status == NND_OK; proposed = *next) {
        double most = ((double)MOST_STAGES * MOST_STAGES - 1.0) / (1.54 * f->lambda);
        *h = fmin(fmin(proposed, most), longest);
        /* No sliver of a step is left before a mark. */
        if (to - t < 1.01 * *h)
            *h = to - t;
        /* Shorter than rounding of the time: no more of it passes. */
        if (!(*h > 1e-14 * t))
            return nnd_fail(f->ctx, NND_E_UNSOLVED, "the flow has no step at time %g", t);
        if (nnd_context_interrupted(f->ctx))
            return nnd_fail(f->ctx, NND_E_INTERRUPTED, "interrupted at time %g", t);
        status = step(f, *h);
        double error = distance(f, START, *h);
        double factor = isfinite(error) ? 0.8 * cbrt(wanted / fmax(error, 1e-300)) : 0.1;
        if (error <= wanted) {
            double longer = *h * fmin(5.0, fmax(factor, 0.3));
            *next = *h < proposed ? fmax(proposed, longer) : longer;
            return status;
        }
        f->account->rejected++;
        *next = *h * fmin(0.9, fmax(0.1, factor));
        restore(f, START);
        if (status == NND_OK)
            status = bound(f, FIRST_POWERS);
    }
    return status;
}

static nnd_status march(flow *f, double longest, size_t count, const double *marks,
                        nnd_flow_look look, void *data) {
    size_t mark = 0;
    double t = 0.0, h, next;
    nnd_status status = evaluate(f, 0);
    if (status == NND_OK)
        status = bound(f, FIRST_POWERS);
    next = 0.02 / f->lambda;
    if (count > 0 && marks[0] <= 0.0)
        mark++;
    if (status == NND_OK)
        status = look(data, f->n, 0.0, mark > 0 ? 0 : SIZE_MAX);
    while (status == NND_OK && mark < count) {
        double gap = marks[mark] - (mark > 0 ? marks[mark - 1] : 0.0);
        status = advance(f, longest * gap, t, marks[mark], &h, &next);
        if (status != NND_OK)
            return status;
        bool landed = h >= marks[mark] - t;
        t = landed ? marks[mark] : t + h;
        f->account->steps++;
        swap_fields(f->n);
        status = look(data, f->n, t, landed ? mark++ : SIZE_MAX);
        if (status == NND_OK && is_frozen(f, t)) {
            f->account->frozen = t;
            for (; status == NND_OK && mark < count; mark++)
                status = look(data, f->n, marks[mark], mark);
        }
        if (status == NND_OK && mark < count)
            status = bound(f, POWERS);
    }
    return status;
}

nnd_status nnd_small_flow(nnd_context *ctx, nnd_small *n, double longest, size_t count,
                          const double *marks, nnd_flow_look look, void *data,
                          nnd_flow_account *account) {
    flow f;
    nnd_status status = make(ctx, n, account, &f);
    if (status == NND_OK)
        status = march(&f, longest, count, marks, look, data);
    clear(&f);
    return status;
}
