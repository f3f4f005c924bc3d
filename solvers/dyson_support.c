/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All ends of the support, from its upper one downwards, and the masses between them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/solvers/brent.h"
#include "solvers/dyson_impl.h"

/* Singular values below this part of the largest count as 0. */
static const double FLOOR = 1e-6;
/* FIRST: places of a series, which are doubled REFINEMENTS times; CIRCLE: most places of a mass. */
enum { HALVINGS = 16, FIRST = 16, REFINEMENTS = 5, CIRCLE = 512, FINE = 256 };

/* In singular values x: edges hold z = x^2. */
typedef struct {
    nnd_context *ctx;
    nnd_dyson_state *state;
    size_t points;
    double top; /* the upper end */
    nnd_dyson_support *support;
    nnd_status status; /* of the height at the last place */
} scan;

/* -Im g_vv at x, pi/2 times the density of singular values; 0 outside the support, NaN if it is not
 * found. */
static double height(double x, void *data) {
    scan *q = data;
    q->status = nnd_dyson_move(q->ctx, q->state, x);
    if (q->status != NND_OK)
        return NAN;
    return nnd_dyson_is_outside(q->state) ? 0.0 : -cimag(q->state->g[q->state->map.v]);
}

static nnd_status add_interval(scan *q, const nnd_dyson_interval *interval) {
    nnd_dyson_support *support = q->support;
    nnd_dyson_interval *grown =
        realloc(support->interval, (support->count + 1) * sizeof *support->interval);
    if (grown == NULL)
        return nnd_fail_memory(q->ctx, "a support");
    support->interval = grown;
    grown[support->count++] = *interval;
    return NND_OK;
}

/* Places in (low, high), descending: dense at ends, and towards 0 in halves. */
static size_t fill_places(size_t points, double low, double high, double *x) {
    size_t count = 0;
    for (size_t k = points; k-- > 0;) {
        double part = ((double)k + 0.5) / (double)points;
        x[count++] = low == 0.0 ? high * sin(0.5 * M_PI * part)
                                : 0.5 * (low + high) - 0.5 * (high - low) * cos(M_PI * part);
    }
    for (size_t k = 0; low == 0.0 && k < HALVINGS; k++, count++)
        x[count] = 0.5 * x[count - 1];
    return count;
}

/* A place in a gap between low and high; NaN if there is none. */
static nnd_status find_gap(scan *q, size_t points, double low, double high, double *gap) {
    double *x = calloc(2 * (points + HALVINGS), sizeof *x);
    if (x == NULL)
        return nnd_fail_memory(q->ctx, "a support");
    size_t count = fill_places(points, low, high, x);
    double *h = x + count;
    nnd_status status = NND_OK;
    *gap = NAN;
    for (size_t k = 0; status == NND_OK && isnan(*gap) && k < count; k++) {
        h[k] = height(x[k], q);
        status = q->status;
        if (h[k] == 0.0)
            *gap = x[k];
    }
    for (size_t k = 1; status == NND_OK && isnan(*gap) && k + 1 < count; k++) {
        if (!(h[k] < h[k - 1] && h[k] < h[k + 1]))
            continue;
        const double part = 1e-6;
        const double value[] = {h[k + 1], h[k], h[k - 1]};
        nnd_bracket bracket = {x[k + 1], x[k - 1], x[k]};
        status = nnd_brent_minimum(q->ctx, height, q, part * (x[k - 1] - x[k + 1]), 0.0, value,
                                   &bracket);
        status = status > 0 ? NND_OK : status;
        if (status == NND_OK && height(bracket.x, q) == 0.0)
            *gap = bracket.x;
        status = status == NND_OK ? q->status : status;
    }
    free(x);
    return status;
}

/* The heights of an interval times dx by the angle in which fill_places has them, (2/pi) F(angle),
 * which is even and smooth where the density ends in square roots: its mean converges
 * exponentially. */
static double sample(scan *q, double low, double high, size_t points, double *f) {
    double sum = 0.0;
    for (size_t k = 0; k < points; k++) {
        double angle = M_PI * ((double)k + 0.5) / (double)points;
        double x = low == 0.0 ? high * sin(0.5 * angle)
                              : 0.5 * (low + high) - 0.5 * (high - low) * cos(angle);
        double dx = low == 0.0 ? 0.5 * high * cos(0.5 * angle) : 0.5 * (high - low) * sin(angle);
        f[k] = M_2_PI * height(x, q) * dx;
        sum += f[k];
    }
    return M_PI * sum / (double)points;
}

/* F = c_0 + sum_j c_j cos(j angle). */
static void expand(size_t points, const double *f, double *c) {
    for (size_t j = 0; j < points; j++) {
        double sum = 0.0;
        for (size_t k = 0; k < points; k++)
            sum += f[k] * cos(M_PI * (double)j * ((double)k + 0.5) / (double)points);
        c[j] = (j == 0 ? 1.0 : 2.0) * sum / (double)points;
    }
}

static nnd_status measure(scan *q, nnd_dyson_interval *interval) {
    const double enough = 1e-8, slow = 0.25;
    double last = 0.0, low = sqrt(interval->low.z), high = sqrt(interval->high.z);
    size_t points = FIRST;
    double *f = calloc(FIRST << REFINEMENTS, sizeof *f);
    interval->cosine = calloc(FIRST << REFINEMENTS, sizeof *interval->cosine);
    if (f == NULL || interval->cosine == NULL) {
        free(f);
        return nnd_fail_memory(q->ctx, "a support");
    }
    double mass = sample(q, low, high, points, f);
    interval->series_error = INFINITY;
    nnd_status status = NND_OK;
    for (int k = 0; k < REFINEMENTS && !(interval->series_error <= enough); k++) {
        points *= 2;
        double finer = sample(q, low, high, points, f);
        if (isnan(finer)) {
            status = q->status;
            break;
        }
        double change = fabs(finer - mass);
        interval->series_error =
            fmax(change, slow * last); /* one change alone may be small by chance */
        last = change;
        mass = finer;
    }
    interval->mass = mass;
    interval->mass_error = interval->series_error;
    interval->cosines = points;
    expand(points, f, interval->cosine);
    free(f);
    return status;
}

/* A place in a gap between two ends, and else the piece between them. A density that is no fast
 * series may have a narrow gap: more places are tried then. */
static nnd_status find_gap_or_piece(scan *q, nnd_dyson_interval *x, double *gap) {
    const double smooth = 1e-7;
    double low = sqrt(x->low.z), high = sqrt(x->high.z);
    nnd_status status = find_gap(q, q->points, low, high, gap);
    if (status == NND_OK && isnan(*gap))
        status = measure(q, x);
    if (status == NND_OK && isnan(*gap) && x->series_error > smooth)
        status = find_gap(q, FINE, low, high, gap);
    return status;
}

/* The intervals between two ends, in ascending order. */
static nnd_status split(scan *q, const nnd_dyson_edge *low, const nnd_dyson_edge *high) {
    double gap = NAN;
    nnd_dyson_interval piece = {.low = *low, .high = *high};
    nnd_status status = find_gap_or_piece(q, &piece, &gap);
    if (status == NND_OK && isnan(gap))
        status = add_interval(q, &piece);
    if (status != NND_OK || !isnan(gap))
        free(piece.cosine);
    if (status != NND_OK || isnan(gap))
        return status;
    nnd_dyson_edge below, above;
    const dyson_way down = {.direction = 1.0, .floor = FLOOR * q->top}, up = {.direction = -1.0};
    status = nnd_dyson_move(q->ctx, q->state, gap);
    if (status == NND_OK)
        status = nnd_dyson_fold(q->ctx, q->state, &down, &below);
    nnd_dyson_return(q->state);
    if (status == NND_OK && below.z > 0.0)
        status = split(q, low, &below);
    if (status == NND_OK)
        status = nnd_dyson_move(q->ctx, q->state, gap);
    if (status == NND_OK)
        status = nnd_dyson_fold(q->ctx, q->state, &up, &above);
    nnd_dyson_return(q->state);
    return status == NND_OK ? split(q, &above, high) : status;
}

/* Mass of eigenvalues z < |x|^2 with x in a gap: (1/2 pi i) oint g_vv dx around the circle, a
 * quarter of which is enough. The midpoint rule converges like a power of low/high. */
static nnd_status mass_within(scan *q, double low, double high, double *mass, double *error) {
    const double enough = 1e-10, radius = low > 0.0 ? sqrt(low) * sqrt(high) : 0.5 * high;
    const double slow = 0.25;
    double last = NAN, change = NAN;
    *error = INFINITY;
    for (size_t points = 8; points <= CIRCLE && !(*error <= enough); points *= 2) {
        double sum = 0.0;
        nnd_dyson_return(q->state);
        for (size_t k = points; k-- > 0;) {
            double complex x =
                radius * cexp(CMPLX(0.0, 0.5 * M_PI * ((double)k + 0.5) / (double)points));
            nnd_status status = nnd_dyson_move(q->ctx, q->state, x);
            if (status != NND_OK)
                return status;
            sum += creal(x * q->state->g[q->state->map.v]) / (double)points;
        }
        *error = points > 8 ? fmax(fabs(sum - last), slow * change) : INFINITY;
        change = fabs(sum - last);
        last = *mass = sum;
    }
    return NND_OK;
}

static nnd_status disagree(scan *q, double want, double got) {
    return nnd_fail(q->ctx, NND_E_UNSOLVED,
                    "the support of a pencil: the density of a piece has mass %.10g, not %.10g",
                    got, want);
}

/* Of an interval with mass `above` below its upper end: what is not below its lower one. */
static nnd_status set_mass(scan *q, nnd_dyson_interval *x, double ended, double *above) {
    const double rounding = 1e-8, several = 10.0;
    double below, error, found = x->mass;
    nnd_status status = mass_within(q, ended, sqrt(x->low.z), &below, &error);
    if (status != NND_OK)
        return status;
    x->mass = *above - below;
    if (!(fabs(found - x->mass) <= several * (x->series_error + error) + rounding))
        return disagree(q, x->mass, found);
    if (error < x->series_error) {
        x->series_error = fmax(x->series_error, fabs(found - x->mass));
        x->mass_error = error;
    } else /* a narrow gap */
        x->mass = found;
    *above -= x->mass;
    return NND_OK;
}

/* The lowest interval begins at 0: what it leaves is at 0, and near there what x g_vv tends to, at
 * least with x. */
static nnd_status check_atom(scan *q, double atom) {
    const double near = 1e-3, rounding = 1e-8, several = 4.0;
    double at[2];
    nnd_dyson_return(q->state);
    for (int k = 0; k < 2; k++) {
        double complex x = ldexp(near, -k) * q->top * I;
        nnd_status status = nnd_dyson_move(q->ctx, q->state, x);
        if (status != NND_OK)
            return status;
        at[k] = creal(x * q->state->g[q->state->map.v]);
    }
    double error = fabs(at[1] - at[0]) + q->support->interval[0].mass_error;
    return fabs(at[1] - atom) <= rounding + several * error ? NND_OK : disagree(q, at[1], atom);
}

static nnd_status set_masses(scan *q) {
    double above = 1.0;
    nnd_dyson_support *support = q->support;
    nnd_status status = NND_OK;
    for (size_t i = support->count; status == NND_OK && i-- > 0;) {
        nnd_dyson_interval *x = &support->interval[i];
        double ended = i > 0 ? sqrt(x[-1].high.z) : 0.0;
        if (x->low.z > 0.0)
            status = set_mass(q, x, ended, &above);
        else {
            above -= x->mass;
            status = check_atom(q, above);
        }
    }
    support->atom = above;
    support->atom_error = support->count > 0 ? support->interval[0].mass_error : 0.0;
    return status;
}

static nnd_status find(scan *q) {
    const nnd_dyson_edge zero = {0};
    nnd_dyson_edge high = {0};
    nnd_status status = nnd_dyson_upper_edge(q->ctx, q->state->pencil, &high);
    q->top = sqrt(high.z);
    if (status == NND_OK)
        status = split(q, &zero, &high);
    return status == NND_OK ? set_masses(q) : status;
}

nnd_status nnd_dyson_support_find(nnd_context *ctx, const nnd_dyson *pencil, size_t points,
                                  nnd_dyson_support *support) {
    const size_t least = 8;
    scan q = {.ctx = ctx, .points = points > least ? points : least, .support = support};
    *support = (nnd_dyson_support){0};
    nnd_status status = nnd_dyson_start(ctx, pencil, &q.state);
    if (status == NND_OK)
        status = find(&q);
    nnd_dyson_state_free(q.state);
    if (status < 0)
        nnd_dyson_support_clear(support);
    return status;
}

void nnd_dyson_support_clear(nnd_dyson_support *support) {
    for (size_t i = 0; i < support->count; i++)
        free(support->interval[i].cosine);
    free(support->interval);
    *support = (nnd_dyson_support){0};
}

/* int_0^angle F. */
static double mass_below(const nnd_dyson_interval *interval, double z) {
    double low = sqrt(interval->low.z), high = sqrt(interval->high.z), x = sqrt(z);
    double angle = low == 0.0 ? 2.0 * asin(x / high) : acos((low + high - 2.0 * x) / (high - low));
    double sum = interval->cosine[0] * angle;
    for (size_t j = 1; j < interval->cosines; j++)
        sum += interval->cosine[j] * sin((double)j * angle) / (double)j;
    return sum;
}

double nnd_dyson_cdf_error(const nnd_dyson_support *support) {
    double error = support->atom_error;
    for (size_t i = 0; i < support->count; i++)
        error = fmax(error, support->interval[i].series_error);
    return error;
}

double nnd_dyson_cdf(const nnd_dyson_support *support, double z) {
    double sum = support->atom;
    for (size_t i = 0; i < support->count; i++) {
        const nnd_dyson_interval *interval = &support->interval[i];
        if (z >= interval->high.z)
            sum += interval->mass;
        else if (z > interval->low.z)
            sum += mass_below(interval, z);
    }
    return z < 0.0 ? 0.0 : sum;
}
