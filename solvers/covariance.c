/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/covariance.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/brent.h"
#include "solvers/cmplx.h"
#include "solvers/edges.h"

/* A bulk reaches 0 if ranks are equal to this: sums of weights of a quadrature have rounding. */
static const double SAME_RANK = 1e-12;

/* ---- in the complex plane ---- */

static nnd_eigenmodes modes_of(const nnd_covariance *law) {
    return (nnd_eigenmodes){law->count, law->s, law->h, NULL};
}

/* Sum of h_j s_j^power over s_j > 0. */
static double moment(const nnd_covariance *law, int power) {
    double sum = 0.0;
    for (size_t j = 0; j < law->count; j++)
        if (law->s[j] > 0.0)
            sum += law->h[j] * pow(law->s[j], power);
    return sum;
}

/* Far above z, kappa = lambda + tr Sigma/d, lambda = -z/d. */
static double complex far_from(const nnd_covariance *law, double complex z) {
    const double far = 1e3;
    double root_mean_square = sqrt(moment(law, 2));
    double height = far * (cabs(z) + moment(law, 1) + law->ratio * root_mean_square);
    return (z + CMPLX(0.0, height)) / -law->ratio;
}

nnd_status nnd_covariance_stieltjes(nnd_context *ctx, const nnd_covariance *law, double complex z,
                                    double complex *m) {
    nnd_eigenmodes modes = modes_of(law);
    double d = law->ratio;
    double complex kappa;
    if (cimag(z) == 0.0)
        kappa = nnd_kappa(&modes, d, 0.0, -creal(z) / d);
    else {
        double complex far = far_from(law, z);
        kappa = nnd_kappa_complex(&(nnd_resolvent){&modes, d, INFINITY, 0.0}, -z / d, far,
                                  far + moment(law, 1) / d);
    }
    *m = 1.0 / (d * kappa);
    if (isnan(creal(*m)))
        return nnd_fail(ctx, NND_E_UNSOLVED, "the Stieltjes transform is not found at %g%+gi",
                        creal(z), cimag(z));
    return NND_OK;
}

/* The fraction of eigenvalues up to z, where m = 1/(d kappa): many-outputs.md#eq12. The potential
 *     D^{-1} log det(W^T W - z) = -log m - z m + (1/d) sum_j h_j log(1 + d s_j m) + const
 * is stationary in m, and its imaginary part is -pi times that. */
static double fraction_below(const nnd_covariance *law, double z, double complex kappa) {
    double complex m = 1.0 / (law->ratio * kappa);
    double turned = 0.0;
    for (size_t j = 0; j < law->count; j++)
        turned += law->h[j] * carg(1.0 + law->ratio * law->s[j] * m);
    return (carg(m) + z * cimag(m) - turned / law->ratio) / M_PI;
}

/* Points inside of one bulk, each continued from the one before. */
static nnd_status density_inside(nnd_context *ctx, const nnd_covariance *law, size_t count,
                                 const double *z, double *density, double *cdf) {
    nnd_eigenmodes modes = modes_of(law);
    nnd_resolvent resolvent = {&modes, law->ratio, INFINITY, 0.0};
    double d = law->ratio;
    double complex *lambda = calloc(2 * count, sizeof *lambda), *kappa;
    if (lambda == NULL)
        return nnd_fail_memory(ctx, "a density");
    kappa = lambda + count;
    for (size_t i = 0; i < count; i++)
        lambda[i] = CMPLX(-z[i] / d, -0.0);
    double complex far = far_from(law, z[0]);
    nnd_status status =
        nnd_kappa_along(ctx, &resolvent, far, far + moment(law, 1) / d, count, lambda, kappa);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        density[i] = cimag(1.0 / (d * kappa[i])) / M_PI;
        cdf[i] = fraction_below(law, z[i], kappa[i]);
    }
    free(lambda);
    return status;
}

nnd_status nnd_covariance_density(nnd_context *ctx, const nnd_covariance *law,
                                  const nnd_edges *edges, size_t count, const double *z,
                                  double *density, double *cdf) {
    nnd_status status = NND_OK;
    for (size_t first = 0, last; status == NND_OK && first < count; first = last) {
        const nnd_edge *next = nnd_edges_outside(edges, count, z, first, &last, density, cdf);
        if (next != NULL && next->upper)
            status =
                density_inside(ctx, law, last - first, z + first, density + first, cdf + first);
    }
    return status;
}

/* ---- on the real axis outside of the support ---- */

/* There x = -kappa lies between clusters of the population, and
 *     z/d = x (1 - (1/d) sum_j h_j s_j/(s_j - x)),
 *     (z/d)' = 1 - (1/d) sum_j h_j s_j^2/(s_j - x)^2,
 * which is concave in each piece of the axis: it has one maximum there, and at most two roots. */
typedef struct {
    const nnd_covariance *law;
    const double *strength; /* of a spike */
    double rank, reach;     /* sum of h, root of sum h s^2/d */
} axis;

static axis axis_of(const nnd_covariance *law, const double *strength) {
    return (axis){law, strength, moment(law, 0), sqrt(moment(law, 2) / law->ratio)};
}

typedef struct {
    double z, slope, bend, turn; /* z, and the first derivatives of z/d */
} branch;

static branch branch_at(const axis *a, double x) {
    const nnd_covariance *law = a->law;
    double value = 0.0, slope = 0.0, bend = 0.0, turn = 0.0, d = law->ratio;
#pragma omp simd reduction(+ : value, slope, bend, turn)
    for (size_t j = 0; j < law->count; j++) {
        double s = law->s[j], h = law->h[j], inverse = s > 0.0 ? 1.0 / (s - x) : 0.0;
        double r2 = h * (s * inverse) * (s * inverse);
        value += h * x * inverse;
        slope += r2;
        bend += r2 * inverse;
        turn += r2 * inverse * inverse;
    }
    /* s/(s - x) = 1 + x/(s - x): near a hard edge, where x is small, the ranks cancel by
     * themselves. */
    return (branch){x * (d - a->rank - value), 1.0 - slope / d, -2.0 * bend / d, -6.0 * turn / d};
}

static double slope_at(double x, void *data) {
    return branch_at(data, x).slope;
}

static double bend_at(double x, void *data) {
    return branch_at(data, x).bend;
}

/* Rounding of z at x, whose error is `shift`. */
static double error_of(const axis *a, double x, double slope, double shift) {
    double d = a->law->ratio;
    return 8.0 * DBL_EPSILON * fabs(x) * (d + a->rank) + d * fabs(slope) * shift;
}

/* The edge at a root of the slope: z - z_e = d bend (x - x_e)^2/2, and dm = dx/(d x^2). The slope
 * is known to rounding of 1, of which terms it is the difference. */
static nnd_edge edge_at(const axis *a, double x, bool upper, double mass) {
    branch b = branch_at(a, x);
    double d = a->law->ratio, kappa = sqrt(2.0 / (d * fabs(b.bend))) / (d * x * x);
    double shift = 4.0 * DBL_EPSILON * (1.0 / fabs(b.bend) + fabs(x));
    return (nnd_edge){
        .z = b.z,
        .kappa = kappa,
        .z_error = error_of(a, x, b.bend * shift, shift),
        .kappa_error = kappa * shift * (0.5 * fabs(b.turn / b.bend) + 2.0 / fabs(x)),
        .mass = mass,
        .upper = upper,
    };
}

/* The root of a function that has different signs at the ends but for rounding. */
static nnd_status root_between(nnd_context *ctx, nnd_function f, axis *a, double low, double high,
                               double *x) {
    nnd_bracket b = {low, high, low};
    nnd_status status = low < high ? nnd_brent_root(ctx, f, a, 0.0, 2.0 * DBL_EPSILON, &b) : NND_OK;
    *x = b.x;
    return status > NND_OK ? NND_OK : status; /* ends that are neighbours are close enough */
}

/* ---- clusters of the population ---- */

/* From the least to the largest s; the slope is below 0 up to `below`, `above` those. */
typedef struct {
    double low, high, below, above, weight;
} cluster;

/* Weights less than this (times d) make no edge that numbers can tell from their atom. */
static const double NO_WEIGHT = 1e-28;
/* What brackets are widened by, beyond rounding. */
static const double WIDER = 1e-10;

/* A single atom has a slope below 0 within s (h/d)^{1/2}. */
static void include(cluster *c, double s, double h, double d) {
    c->weight += s > 0.0 ? h : 0.0;
    if (!(s > 0.0 && h > NO_WEIGHT * d))
        return;
    double reach = s * sqrt(h / d) * (1.0 - WIDER);
    if (s < c->low) {
        c->low = s;
        c->below = s - reach;
    }
    if (s > c->high) {
        c->high = s;
        c->above = s + reach;
    }
}

static int by_low(const void *a, const void *b) {
    double x = ((const cluster *)a)->low, y = ((const cluster *)b)->low;
    return (x > y) - (x < y);
}

static void merge(cluster *into, const cluster *c) {
    into->weight += c->weight;
    if (c->high > into->high) {
        into->high = c->high;
        into->above = c->above;
    }
}

/* Pieces that overlap are one cluster; ascending. Returns how many. */
static size_t find_clusters(const nnd_covariance *law, cluster *c) {
    size_t n = 0, j = 0;
    for (size_t i = 0; i < law->pieces; i++) {
        cluster next = {.low = INFINITY, .high = -INFINITY};
        for (; j < law->end[i]; j++)
            include(&next, law->s[j], law->h[j], law->ratio);
        if (next.high > 0.0)
            c[n++] = next;
    }
    qsort(c, n, sizeof *c, by_low);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept > 0 && c[i].low <= c[kept - 1].high)
            merge(&c[kept - 1], &c[i]);
        else
            c[kept++] = c[i];
    return kept;
}

/* ---- edges ---- */

/* Where ranks differ the lowest bulk ends above 0. */
static nnd_status lowest_edge(nnd_context *ctx, axis *a, const cluster *c, nnd_edges *edges) {
    double d = a->law->ratio, x;
    if (fabs(a->rank - d) <= SAME_RANK * d)
        return NND_OK;
    nnd_status status = a->rank < d
                            ? root_between(ctx, slope_at, a, 0.0, c->below, &x)
                            : root_between(ctx, slope_at, a, -(1.0 + WIDER) * a->reach, 0.0, &x);
    if (status == NND_OK)
        edges->edge[edges->count++] = edge_at(a, x, false, fmin(1.0, a->rank / d));
    return status;
}

/* Between two clusters, above which are eigenvalues of this mass. */
static nnd_status gap(nnd_context *ctx, axis *a, double low, double high, double mass,
                      nnd_edges *edges) {
    double top, x[2];
    if (!(low < high) || bend_at(low, a) <= 0.0 || bend_at(high, a) >= 0.0)
        return NND_OK;
    nnd_status status = root_between(ctx, bend_at, a, low, high, &top);
    if (status != NND_OK || branch_at(a, top).slope <= 0.0)
        return status;
    status = root_between(ctx, slope_at, a, low, top, &x[0]);
    if (status == NND_OK)
        status = root_between(ctx, slope_at, a, top, high, &x[1]);
    for (int i = 0; status == NND_OK && i < 2; i++)
        edges->edge[edges->count++] = edge_at(a, x[i], i == 0, mass);
    return status;
}

static nnd_status top_root(nnd_context *ctx, axis *a, const cluster *c, double *x) {
    return root_between(ctx, slope_at, a, c->above, c->high + (1.0 + WIDER) * a->reach, x);
}

nnd_status nnd_covariance_edges(nnd_context *ctx, const nnd_covariance *law, nnd_edges *edges) {
    axis a = axis_of(law, NULL);
    *edges = (nnd_edges){0};
    cluster *c = calloc(law->pieces, sizeof *c);
    edges->edge = calloc(2 * law->pieces, sizeof *edges->edge);
    nnd_status status =
        c != NULL && edges->edge != NULL ? NND_OK : nnd_fail_memory(ctx, "the edges of a spectrum");
    size_t n = status == NND_OK ? find_clusters(law, c) : 0;
    double above = 0.0, x = 0.0;
    for (size_t i = 1; i < n; i++)
        above += c[i].weight;
    if (n > 0)
        status = lowest_edge(ctx, &a, c, edges);
    for (size_t i = 1; status == NND_OK && i < n; i++) {
        status = gap(ctx, &a, c[i - 1].above, c[i].below, above / law->ratio, edges);
        above -= c[i].weight;
    }
    if (status == NND_OK && n > 0)
        status = top_root(ctx, &a, &c[n - 1], &x);
    if (status == NND_OK && n > 0)
        edges->edge[edges->count++] = edge_at(&a, x, true, 0.0);
    if (status != NND_OK)
        nnd_edges_clear(edges);
    free(c);
    return status;
}

/* ---- spikes ---- */

/* T = (1/d) sum_j a_j/(x - s_j) and its first two derivatives, but for signs and factors. */
static void spike_sums(const axis *a, double x, double sum[3]) {
    const nnd_covariance *law = a->law;
    sum[0] = sum[1] = sum[2] = 0.0;
    for (size_t j = 0; j < law->count; j++) {
        double inverse = 1.0 / (x - law->s[j]), term = a->strength[j] * inverse / law->ratio;
        sum[0] += term;
        sum[1] += term * inverse;
        sum[2] += term * inverse * inverse;
    }
}

static double spike_excess(double x, void *data) {
    double sum[3];
    spike_sums(data, x, sum);
    return sum[0] - 1.0;
}

static nnd_detached spike_at(const axis *a, double x) {
    double sum[3], overlap;
    spike_sums(a, x, sum);
    branch b = branch_at(a, x);
    double shift = 4.0 * DBL_EPSILON * (1.0 / sum[1] + x);
    overlap = b.slope / (x * sum[1]);
    return (nnd_detached){
        .z = b.z,
        .overlap = overlap,
        .z_error = error_of(a, x, b.slope, shift),
        .overlap_error =
            shift * (fabs(b.bend) / (x * sum[1]) + overlap * (2.0 * sum[2] / sum[1] + 1.0 / x)),
    };
}

nnd_status nnd_covariance_spike(nnd_context *ctx, const nnd_covariance *law, const double *strength,
                                nnd_detached *spike) {
    axis a = axis_of(law, strength);
    *spike = (nnd_detached){NAN, NAN, NAN, NAN};
    cluster *c = calloc(law->pieces, sizeof *c);
    if (c == NULL)
        return nnd_fail_memory(ctx, "a spike");
    double x = 0.0, sum[3], total = 0.0;
    size_t n = find_clusters(law, c);
    nnd_status status = n > 0 ? top_root(ctx, &a, &c[n - 1], &x) : NND_OK;
    for (size_t j = 0; j < law->count; j++)
        total += strength[j];
    spike_sums(&a, x, sum);
    if (status == NND_OK && total > 0.0 && (n == 0 || sum[0] > 1.0)) {
        double most = (n > 0 ? c[n - 1].high : 0.0) + (1.0 + WIDER) * total / law->ratio;
        double least = n > 0 ? x : 0.5 * total / law->ratio;
        status = root_between(ctx, spike_excess, &a, least, most, &x);
        if (status == NND_OK)
            *spike = spike_at(&a, x);
    }
    free(c);
    return status;
}
