/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/mode_rule.h"

#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* Power laws: modes kept, nodes of a panel, and the largest ratios of k and of lambda in one. */
enum { KEPT = 32, PANEL = 7 };
static const double PANEL_RATIO = 1.5, EIGENVALUE_RATIO = 1.8;
/* Of eigenvalues: what is never learned, and what stands for less. */
static const double NEVER = 1e-25, LEAST = 1e-150;
/* Lists: nodes of a panel and of that at the top, close to which singularities of discrete time may
 * be; a ratio of eigenvalues. */
enum { NODES = 9, TOP = 32 };
static const double LIST_RATIO = 1.4;

void nnd_mode_rule_clear(nnd_mode_rule *rule) {
    free(rule->storage);
    *rule = (nnd_mode_rule){0};
}

static nnd_status reserve(nnd_context *ctx, size_t most, nnd_mode_rule *rule) {
    *rule = (nnd_mode_rule){.storage = calloc(3 * most, sizeof(double))};
    if (rule->storage == NULL)
        return nnd_fail_memory(ctx, "modes");
    rule->modes =
        (nnd_eigenmodes){0, rule->storage, rule->storage + most, rule->storage + 2 * most};
    return NND_OK;
}

static void add(nnd_mode_rule *rule, double eigenvalue, double multiplicity, double teacher2) {
    size_t most = (size_t)(rule->modes.multiplicity - rule->modes.eigenvalue);
    double *at = rule->storage + rule->modes.count++;
    at[0] = eigenvalue;
    at[most] = multiplicity;
    at[2 * most] = teacher2;
}

/* Nodes and weights (of total 1) of the Gauss rule whose Jacobi matrix has the given diagonal,
 * which becomes the nodes, and off-diagonal. */
static nnd_status gauss(nnd_context *ctx, size_t count, double *diagonal, double *off,
                        double *weight) {
    double vector[TOP * TOP];
    lapack_int n = (lapack_int)count;
    if (LAPACKE_dstev(LAPACK_ROW_MAJOR, 'V', n, diagonal, off, vector, n) != 0)
        return nnd_fail(ctx, NND_E_UNSOLVED, "the nodes of a Gauss rule were not found");
    for (size_t j = 0; j < count; j++)
        weight[j] = vector[j] * vector[j];
    return NND_OK;
}

/* ---- power laws ---- */

static void add_mode(nnd_mode_rule *rule, double k, double multiplicity, double b, double a) {
    double eigenvalue = fmax(pow(k, -b), LEAST);
    add(rule, eigenvalue, multiplicity, multiplicity * pow(k, -a) / eigenvalue);
}

/* The measure that counts `first`, first + 1, .. (`length` of them) has Gram's polynomials. */
static nnd_status add_panel(nnd_context *ctx, double first, double length, double b, double a,
                            nnd_mode_rule *rule) {
    if (length <= PANEL) {
        for (double k = first; k < first + length; k++)
            add_mode(rule, k, 1.0, b, a);
        return NND_OK;
    }
    double diagonal[PANEL] = {0.0}, off[PANEL], weight[PANEL];
    for (int j = 1; j < PANEL; j++) {
        double square = (double)j * j;
        off[j - 1] = sqrt(square * (length * length - square) / (4.0 * (4.0 * square - 1.0)));
    }
    nnd_status status = gauss(ctx, PANEL, diagonal, off, weight);
    double centre = first + 0.5 * (length - 1.0);
    for (int j = 0; status == NND_OK && j < PANEL; j++)
        add_mode(rule, centre + diagonal[j], length * weight[j], b, a);
    return status;
}

nnd_status nnd_mode_rule_power_law(nnd_context *ctx, double count, double b, double a,
                                   nnd_mode_rule *rule) {
    double ratio = fmin(PANEL_RATIO, pow(EIGENVALUE_RATIO, 1.0 / fmax(b, DBL_EPSILON)));
    /* log(1/NEVER)/log(EIGENVALUE_RATIO) is 98: narrow ones, until nothing is learned */
    double panels = 100.0 + log(count) / log(PANEL_RATIO);
    nnd_status status = reserve(ctx, KEPT + PANEL * (size_t)panels, rule);
    for (double k = 1.0; status == NND_OK && k <= fmin(count, KEPT); k++)
        add_mode(rule, k, 1.0, b, a);
    for (double first = KEPT + 1.0; status == NND_OK && first <= count;) {
        double wide = pow(first, -b) > NEVER ? ratio : PANEL_RATIO;
        double next = fmin(count + 1.0, fmax(first + PANEL, floor(first * wide) + 1.0));
        status = add_panel(ctx, first, next - first, b, a, rule);
        first = next;
    }
    if (status != NND_OK)
        nnd_mode_rule_clear(rule);
    return status;
}

/* ---- lists ---- */

typedef struct {
    double eigenvalue, multiplicity, power; /* power: of all of them */
} mode;

static int descending(const void *a, const void *b) {
    double x = ((const mode *)a)->eigenvalue, y = ((const mode *)b)->eigenvalue;
    return (x < y) - (x > y);
}

static void add_as_it_is(nnd_mode_rule *rule, const mode *m) {
    add(rule, m->eigenvalue, m->multiplicity, m->power / m->eigenvalue);
}

static double measure(const mode *m, bool power) {
    return power ? m->power : m->multiplicity;
}

/* Lanczos's method, with full orthogonalisation: the Jacobi matrix of sums over `count` modes with
 * the weights of `measure`, in the eigenvalue over the first. Returns its size. */
static size_t jacobi(size_t count, const mode *m, bool power, double total, size_t most, double *q,
                     double *diagonal, double *off) {
    for (size_t i = 0; i < count; i++)
        q[i] = sqrt(measure(m + i, power) / total);
    for (size_t j = 0; j < most; j++) {
        const double *last = q + j * count;
        double *next = q + (j + 1) * count, norm2 = 0.0;
        diagonal[j] = 0.0;
        for (size_t i = 0; i < count; i++) {
            next[i] = m[i].eigenvalue / m[0].eigenvalue * last[i];
            diagonal[j] += last[i] * next[i];
        }
        for (size_t pass = 0; pass < 2; pass++)
            for (size_t k = 0; k <= j; k++) {
                double overlap = 0.0;
                for (size_t i = 0; i < count; i++)
                    overlap += q[k * count + i] * next[i];
                for (size_t i = 0; i < count; i++)
                    next[i] -= overlap * q[k * count + i];
            }
        for (size_t i = 0; i < count; i++)
            norm2 += next[i] * next[i];
        off[j] = sqrt(norm2);
        if (off[j] <= 16.0 * DBL_EPSILON)
            return j + 1;
        for (size_t i = 0; i < count; i++)
            next[i] /= off[j];
    }
    return most;
}

static nnd_status add_measure(nnd_context *ctx, size_t count, const mode *m, bool power,
                              size_t nodes, double *q, nnd_mode_rule *rule) {
    double diagonal[TOP], off[TOP], weight[TOP], total = 0.0;
    for (size_t i = 0; i < count; i++)
        total += measure(m + i, power);
    if (total == 0.0)
        return NND_OK;
    size_t size = jacobi(count, m, power, total, nodes, q, diagonal, off);
    nnd_status status = gauss(ctx, size, diagonal, off, weight);
    for (size_t j = 0; status == NND_OK && j < size; j++) {
        double eigenvalue = diagonal[j] * m[0].eigenvalue;
        if (power)
            add(rule, eigenvalue, 0.0, total * weight[j] / eigenvalue);
        else
            add(rule, eigenvalue, total * weight[j], 0.0);
    }
    return status;
}

/* One panel: as it is, or a rule for each of the two measures. */
static nnd_status add_group(nnd_context *ctx, size_t count, const mode *m, size_t nodes,
                            nnd_mode_rule *rule) {
    if (count <= 2 * nodes) {
        for (size_t i = 0; i < count; i++)
            add_as_it_is(rule, m + i);
        return NND_OK;
    }
    double *q = malloc((nodes + 1) * count * sizeof *q);
    if (q == NULL)
        return nnd_fail_memory(ctx, "modes");
    nnd_status status = add_measure(ctx, count, m, false, nodes, q, rule);
    if (status == NND_OK)
        status = add_measure(ctx, count, m, true, nodes, q, rule);
    free(q);
    return status;
}

nnd_status nnd_mode_rule_list(nnd_context *ctx, size_t count, const double *eigenvalue,
                              const double *power, const double *multiplicity,
                              nnd_mode_rule *rule) {
    mode *m = malloc(count * sizeof *m);
    if (m == NULL)
        return nnd_fail_memory(ctx, "modes");
    for (size_t i = 0; i < count; i++) {
        double n = multiplicity != NULL ? multiplicity[i] : 1.0;
        m[i] = (mode){eigenvalue[i], n, n * power[i]};
    }
    qsort(m, count, sizeof *m, descending);
    nnd_status status = reserve(ctx, count, rule);
    for (size_t first = 0; status == NND_OK && first < count;) {
        size_t next = first + 1;
        while (next < count && m[next].eigenvalue * LIST_RATIO > m[first].eigenvalue)
            next++;
        status = add_group(ctx, next - first, m + first, first == 0 ? TOP : NODES, rule);
        first = next;
    }
    free(m);
    if (status != NND_OK)
        nnd_mode_rule_clear(rule);
    return status;
}
