/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The law of the eigenvalues omega of W^T W is the image of the law of the target's singular values
 * s. For an isotropic target s = tau sqrt(lambda), lambda = 1 + r + 2 sqrt(r) cos(phi) with r =
 * C/D, and the angle has the density (2r/pi) sin(phi)^2/lambda over (0, pi), of mass min(r, 1) per
 * D.
 */
#include "theory/many_outputs_modes.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "core/companion.h"
#include "nndmft/solvers/brent.h"
#include "nndmft/solvers/trained_modes.h"
#include "theory/claims.h"

enum {
    NODES = 400,  /* of the midpoint rule, whose error falls like |sqrt(r)|^(2 NODES) */
    ANGLES = 2000 /* between which omega is monotone in the angle, or nearly flat */
};
static const double HUGE_MODE = 1e100;

static const char SMALL[] = "the limit has outputs and inputs few beside neurons: give counts";
static const char RANDOM[] = "the singular values of one random target are not those of the law";
static const char BROADENED[] = "finite networks broaden what is a point in the limit";

typedef struct {
    nnd_context *ctx;
    const nnd_many_outputs *p;
    nnd_outputs_scales scales;
    nnd_trained_mode start;
    bool iid;              /* of the isotropic part; else of listed singular values */
    double tau, r;         /* r = C/D */
    double rest, unpaired; /* mass per D of modes with s = 0, and of inputs without an output */
    double time;           /* or step */
    nnd_frame *frame;
    double level;  /* in searches */
    nnd_reals z;   /* of densities */
    double *omega; /* at the ANGLES + 1 angles */
} task;

/* ---- one mode ---- */

static nnd_trained_mode mode_at(const task *x, double s, double *slope) {
    const nnd_many_outputs *p = x->p;
    nnd_trained_mode end;
    double gamma = x->scales.gamma, target = gamma * s;
    if (p->integrator == NND_GRADIENT_FLOW) {
        nnd_trained_mode_flow(x->start, target, p->lr_ratio, x->scales.rate * x->time, &end, slope);
    } else {
        double rate = nnd_many_outputs_rate(p);
        nnd_trained_mode_descent(x->start, target, rate, p->lr_ratio * rate, (int64_t)x->time, &end,
                                 slope);
    }
    if (slope != NULL)
        *slope *= gamma;
    return end;
}

/* An input that no output is paired with: only its initial weights. */
static double unpaired_omega(const task *x) {
    return x->p->variant == NND_ALIGNED ? 0.0 : x->start.omega;
}

static double lambda_at(const task *x, double angle) {
    return fmax(1.0 + x->r + 2.0 * sqrt(x->r) * cos(angle), 0.0);
}

static double omega_at(double angle, void *data) {
    const task *x = data;
    return mode_at(x, x->tau * sqrt(lambda_at(x, angle)), NULL).omega - x->level;
}

typedef struct {
    task *of;
    double sign;
} searched_sign;

static double signed_omega(double angle, void *data) {
    const searched_sign *s = data;
    return s->sign * omega_at(angle, s->of);
}

/* ---- sums over all modes ---- */

typedef struct {
    size_t count;
    double *s, *mass; /* singular values, and how many over D */
} modes;

static void modes_clear(modes *m) {
    free(m->s);
    free(m->mass);
    *m = (modes){0};
}

static nnd_status modes_make(const task *x, modes *m) {
    size_t listed = nnd_many_outputs_modes(x->p), count = x->iid ? NODES : listed;
    *m = (modes){.count = count + 1};
    m->s = calloc(count + 1, sizeof(double));
    m->mass = calloc(count + 1, sizeof(double));
    if (m->s == NULL || m->mass == NULL) {
        modes_clear(m);
        return nnd_fail_memory(x->ctx, "the modes");
    }
    for (size_t k = 0; k < count; k++) {
        double angle = ((double)k + 0.5) * M_PI / NODES, lambda = lambda_at(x, angle);
        double part = nnd_many_outputs_mode_weight(x->p, k) / x->scales.d;
        m->s[k] = x->iid ? x->tau * sqrt(lambda) : nnd_many_outputs_mode(x->p, k);
        m->mass[k] = x->iid        ? 2.0 * x->r * sin(angle) * sin(angle) / (lambda * NODES)
                     : isnan(part) ? fmin(x->r, 1.0) / (double)count
                                   : part;
    }
    m->mass[count] = x->rest;
    return NND_OK;
}

typedef struct {
    double mean, error2; /* of omega; of e^2 */
    bool finite;
} sums;

static sums add_up(const task *x, const modes *m, double complex z, double complex *stieltjes) {
    sums out = {x->unpaired * unpaired_omega(x), 0.0, true};
    double complex m_z = x->unpaired / (unpaired_omega(x) - z);
    for (size_t k = 0; k < m->count; k++) {
        if (m->mass[k] == 0.0)
            continue;
        nnd_trained_mode mode = mode_at(x, m->s[k], NULL);
        double e = mode.residual;
        out.mean += m->mass[k] * mode.omega;
        out.error2 += m->mass[k] * e * e;
        out.finite &= mode.omega < HUGE_MODE && mode.alpha < HUGE_MODE;
        m_z += m->mass[k] / (mode.omega - z);
    }
    *stieltjes = m_z;
    return out;
}

/* ---- arrays ---- */

static nnd_status add(const task *x, const char *name, double **data) {
    return nnd_frame_add_variable(x->frame, &nnd_many_outputs_model, name, data);
}

/* The size that a variable is claimed from is infinite. */
static nnd_status disclaim(const task *x, const char *name, const char *reason) {
    char least[NND_COMPANION_SIZE];
    double *value;
    (void)nnd_companion_name(name, NND_MIN_SIZE, sizeof least, least);
    nnd_status status = NND_OK;
    if (nnd_frame_find(x->frame, least) == NULL) {
        status = add(x, least, &value);
        const nnd_array *array = nnd_frame_find(x->frame, least);
        for (size_t i = 0; status == NND_OK && i < array->count; i++)
            value[i] = INFINITY;
    }
    return status == NND_OK ? nnd_claim_reason(x->frame, name, reason) : status;
}

/* Why networks are not expected to follow, of all that theory gives. */
static nnd_status disclaim_all(const task *x) {
    const nnd_many_outputs *p = x->p;
    if (p->variant != NND_WIDE)
        return NND_OK;
    const char *why = p->inputs == NND_ABSENT ? SMALL : x->iid ? RANDOM : NULL;
    nnd_status status = NND_OK;
    for (size_t v = 0; status == NND_OK && v < nnd_many_outputs_model.variable_count; v++) {
        const nnd_variable *variable = &nnd_many_outputs_model.variables[v];
        if (variable->check.kind == NND_CHECK_NONE ||
            nnd_frame_find(x->frame, variable->name) == NULL)
            continue;
        if (why != NULL)
            status = disclaim(x, variable->name, why);
        else if (nnd_variable_has_dim(variable, "z"))
            status = disclaim(x, variable->name, BROADENED);
    }
    return status;
}

/* ---- values of one time ---- */

typedef struct {
    double *mean, *risk, *loss, *re, *im, *omega, *alpha, *product, *outlier, *overlap, *edges;
    double *density, *density_sv, *cdf;
} arrays;

static nnd_status add_arrays(const task *x, arrays *a) {
    const struct {
        const char *name;
        double **data;
        bool wanted;
    } all[] = {
        {"eigenvalue_mean", &a->mean, true},
        {"risk", &a->risk, true},
        {"loss", &a->loss, x->p->outputs != NND_ABSENT},
        {"stieltjes_re", &a->re, true},
        {"stieltjes_im", &a->im, true},
        {"mode_omega", &a->omega, nnd_many_outputs_modes(x->p) > 0},
        {"mode_alpha", &a->alpha, nnd_many_outputs_modes(x->p) > 0},
        {"mode_product", &a->product, nnd_many_outputs_modes(x->p) > 0},
        {"outlier", &a->outlier, x->p->spikes.count > 0},
        {"outlier_overlap", &a->overlap, x->p->spikes.count > 0},
        {"edges", &a->edges, true},
        {"density", &a->density, x->iid},
        {"density_sv", &a->density_sv, x->iid},
        {"cdf", &a->cdf, true},
    };
    *a = (arrays){0};
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < sizeof all / sizeof *all; i++)
        if (all[i].wanted)
            status = add(x, all[i].name, all[i].data);
    return status;
}

/* many-outputs.md#s3: risk = (1/C) sum (s - m/gamma)^2, loss = C risk/2. */
static bool put_sums(const task *x, const modes *m, size_t t, const arrays *a) {
    size_t points = nnd_many_outputs_points(x->p);
    double gamma2 = x->scales.gamma * x->scales.gamma;
    sums all = {0};
    for (size_t i = 0; i < points; i++) {
        double re, im;
        double complex value;
        nnd_many_outputs_point(x->p, i, &re, &im);
        all = add_up(x, m, re + im * I, &value);
        if (!all.finite)
            return false;
        a->re[t * points + i] = creal(value);
        a->im[t * points + i] = cimag(value);
    }
    a->mean[t] = all.mean;
    a->risk[t] = all.error2 / (x->r * gamma2);
    if (a->loss != NULL)
        a->loss[t] = 0.5 * (double)x->p->outputs * a->risk[t];
    return true;
}

static void put_modes(const task *x, size_t t, const arrays *a) {
    size_t count = nnd_many_outputs_modes(x->p);
    for (size_t k = 0; k < count; k++) {
        nnd_trained_mode mode = mode_at(x, nnd_many_outputs_mode(x->p, k), NULL);
        a->omega[t * count + k] = mode.omega;
        a->alpha[t * count + k] = mode.alpha;
        a->product[t * count + k] = mode.product;
    }
}

/* ---- the bulk ---- */

/* The extremum of sign * omega, -1 for a maximum, between the neighbours of angle i. */
static nnd_status extremum(task *x, size_t i, double sign, double *end) {
    const double step = M_PI / ANGLES;
    searched_sign s = {x, sign};
    double value[3] = {sign * x->omega[i - 1], sign * x->omega[i], sign * x->omega[i + 1]};
    nnd_bracket at = {(double)(i - 1) * step, (double)(i + 1) * step, (double)i * step};
    nnd_status status = nnd_brent_minimum(x->ctx, signed_omega, &s, 1e-9, 1e-9, value, &at);
    *end = omega_at(at.x, x);
    return status;
}

/* omega at all angles, and its ends. */
static nnd_status scan(task *x, double ends[2]) {
    const double step = M_PI / ANGLES;
    nnd_status status = NND_OK;
    size_t low = 0, high = 0;
    x->level = 0.0;
    for (size_t i = 0; i <= ANGLES; i++) {
        x->omega[i] = omega_at((double)i * step, x);
        low = x->omega[i] < x->omega[low] ? i : low;
        high = x->omega[i] > x->omega[high] ? i : high;
    }
    ends[0] = x->omega[low];
    ends[1] = x->omega[high];
    if (low > 0 && low < ANGLES && x->omega[low] < fmin(x->omega[low - 1], x->omega[low + 1]))
        status = extremum(x, low, 1.0, &ends[0]);
    if (status >= NND_OK && high > 0 && high < ANGLES &&
        x->omega[high] > fmax(x->omega[high - 1], x->omega[high + 1]))
        status = extremum(x, high, -1.0, &ends[1]);
    return status < NND_OK ? status : NND_OK;
}

/* Of the angles from 0: (1/pi)[(1 + r) phi/2 - sqrt(r) sin(phi) - |1 - r| atan(|1 - sqrt(r)|/(1 +
 * sqrt(r)) tan(phi/2))], the integral of their density. */
static double mass_below(const task *x, double angle) {
    double q = sqrt(x->r), half = 0.5 * angle;
    double turn = atan2(fabs(1.0 - q) * sin(half), (1.0 + q) * cos(half));
    return ((1.0 + x->r) * half - q * sin(angle) - fabs(1.0 - x->r) * turn) / M_PI;
}

/* The density per z that an angle with omega = z adds: that of the angle over |d omega/d phi|, with
 * d s/d phi = -tau sqrt(r) sin(phi)/sqrt(lambda). */
static double density_from(const task *x, double angle) {
    double root = sqrt(lambda_at(x, angle)), slope;
    (void)mode_at(x, x->tau * root, &slope);
    return 2.0 * sqrt(x->r) * sin(angle) / (M_PI * root * x->tau * fabs(slope));
}

/* Density and mass up to z: from all angles at which omega passes z. */
static nnd_status bulk_at(task *x, double z, double *density, double *mass) {
    const double step = M_PI / ANGLES;
    double begin = 0.0;
    bool below = x->omega[0] <= z;
    *density = *mass = 0.0;
    x->level = z;
    for (size_t i = 0; i < ANGLES; i++) {
        bool next = x->omega[i + 1] <= z;
        if (next == (i == 0 ? x->omega[0] <= z : x->omega[i] <= z))
            continue;
        nnd_bracket at = {(double)i * step, (double)(i + 1) * step, 0.0};
        nnd_status status = nnd_brent_root(x->ctx, omega_at, x, 1e-14, 1e-14, &at);
        if (status != NND_OK)
            return status;
        *density += density_from(x, at.x);
        if (below)
            *mass += mass_below(x, at.x) - mass_below(x, begin);
        begin = at.x;
        below = next;
    }
    if (below)
        *mass += mass_below(x, M_PI) - mass_below(x, begin);
    return NND_OK;
}

static double points_below(const task *x, const modes *m, double z) {
    double sum = unpaired_omega(x) <= z ? x->unpaired : 0.0;
    for (size_t k = x->iid ? m->count - 1 : 0; k < m->count; k++)
        if (m->mass[k] > 0.0 && mode_at(x, m->s[k], NULL).omega <= z)
            sum += m->mass[k];
    return sum;
}

static nnd_status put_densities(task *x, const modes *m, size_t t, const arrays *a) {
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < x->z.count; i++) {
        double z = x->z.value[i], density = 0.0, mass = 0.0;
        size_t at = t * x->z.count + i;
        if (x->iid)
            status = bulk_at(x, z, &density, &mass);
        a->cdf[at] = mass + points_below(x, m, z);
        if (!x->iid)
            continue;
        a->density[at] = density;
        a->density_sv[at] = 2.0 * sqrt(z) * density;
    }
    return status;
}

/* ---- spikes ---- */

/* A spike s of the target stands clear of its isotropic part iff (s/tau)^4 > r, and is then the
 * singular value s_out with s_out^2 = tau^2 (1 + y)(r + y)/y, y = (s/tau)^2 (many-outputs.md#s2-5
 * in the target's dimensions); of its right vector (1 - r/y^2)/(1 + 1/y) lies along it. */
static double detached(const task *x, double s, double *overlap) {
    double y = s * s / (x->tau * x->tau);
    *overlap = 1.0;
    if (!x->iid)
        return s;
    *overlap = (1.0 - x->r / (y * y)) / (1.0 + 1.0 / y);
    return y * y > x->r ? x->tau * sqrt((1.0 + y) * (x->r + y) / y) : NAN;
}

static void put_spikes(const task *x, size_t t, double top, const arrays *a) {
    size_t count = x->p->spikes.count;
    for (size_t i = 0; i < count; i++) {
        double overlap, s = detached(x, x->p->spikes.value[i], &overlap);
        double omega = isnan(s) ? NAN : mode_at(x, s, NULL).omega;
        bool outside = omega > top;
        a->outlier[t * count + i] = outside ? omega : NAN;
        a->overlap[t * count + i] = outside ? overlap : NAN;
    }
}

/* ---- all times ---- */

static nnd_status put_time(task *x, const modes *m, size_t t, const arrays *a) {
    double ends[2] = {INFINITY, -INFINITY};
    nnd_status status = NND_OK;
    if (!put_sums(x, m, t, a))
        return NND_DIVERGED;
    put_modes(x, t, a);
    if (x->iid)
        status = scan(x, ends);
    for (size_t k = 0; !x->iid && k < m->count; k++)
        if (m->mass[k] > 0.0) {
            double omega = mode_at(x, m->s[k], NULL).omega;
            ends[0] = fmin(ends[0], omega);
            ends[1] = fmax(ends[1], omega);
        }
    a->edges[2 * t] = ends[0] > 0.0 ? ends[0] : NAN; /* 0 is no edge */
    a->edges[2 * t + 1] = ends[1];
    put_spikes(x, t, ends[1], a);
    return status == NND_OK ? put_densities(x, m, t, a) : status;
}

static nnd_status put_times(task *x, const modes *m, const nnd_reals *times, const arrays *a) {
    double diverged = NAN;
    nnd_status status = NND_OK;
    for (size_t t = 0; status == NND_OK && t < times->count; t++) {
        x->time = times->value[t];
        status = put_time(x, m, t, a);
        if (status == NND_DIVERGED)
            diverged = x->time;
    }
    if (status < NND_OK)
        return status;
    nnd_status stored = nnd_frame_add_scalar(x->frame, NND_DIVERGED_AT, diverged);
    return stored == NND_OK ? status : stored;
}

/* The grid of the case, or 200 points over [0, 1.02 times the largest at the recorded times]. */
static nnd_status make_grid(task *x, const modes *m, const nnd_reals *times) {
    enum { POINTS = 200 };
    double top = 0.0, ends[2] = {0.0, 0.0};
    nnd_status status = nnd_many_outputs_grid(x->ctx, x->p, &x->z);
    if (status != NND_OK || x->z.count > 0)
        return status;
    for (size_t t = 0; t < times->count; t++) {
        x->time = times->value[t];
        if (x->iid)
            status = scan(x, ends);
        if (status != NND_OK)
            return status;
        for (size_t k = 0; k < m->count; k++)
            ends[1] = fmax(x->iid ? ends[1] : 0.0, mode_at(x, m->s[k], NULL).omega);
        if (ends[1] < HUGE_MODE)
            top = fmax(top, fmax(ends[1], unpaired_omega(x)));
    }
    x->z = (nnd_reals){POINTS, calloc(POINTS, sizeof(double))};
    if (x->z.value == NULL)
        return nnd_fail_memory(x->ctx, "the grid of a density");
    for (size_t i = 0; i < POINTS; i++) {
        double s = sqrt(1.02 * top) * ((double)i + 0.5) / POINTS;
        x->z.value[i] = s * s;
    }
    return NND_OK;
}

static nnd_status task_make(nnd_context *ctx, const nnd_many_outputs *p, nnd_frame *frame,
                            task *x) {
    bool listed = nnd_many_outputs_modes(p) > 0;
    double a = p->start.a, w = p->start.w, total = 0.0;
    *x = (task){.ctx = ctx, .p = p, .frame = frame, .tau = sqrt(p->tau2)};
    if (listed && p->tau2 > 0.0)
        return nnd_fail(ctx, NND_E_INPUT,
                        "params.tau2: %g: variants wide and aligned have an isotropic target or "
                        "listed singular values; allowed with `target`: 0",
                        p->tau2);
    x->scales = nnd_many_outputs_scales(p);
    x->r = x->scales.ratio;
    x->iid = !listed && p->tau2 > 0.0;
    x->start = p->variant == NND_ALIGNED ? (nnd_trained_mode){a * a, a * w, w * w, 0.0}
                                         : (nnd_trained_mode){p->readout2, 0.0, p->sigma2, 0.0};
    x->unpaired = fmax(1.0 - x->r, 0.0);
    for (size_t k = 0; k < p->target.weights.count; k++)
        total += p->target.weights.value[k] / x->scales.d;
    if (p->target.weights.count > 0)
        x->rest = fmax(fmin(x->r, 1.0) - total, 0.0);
    else if (!listed && !x->iid)
        x->rest = fmin(x->r, 1.0);
    x->omega = calloc(ANGLES + 1, sizeof(double));
    return x->omega != NULL ? NND_OK : nnd_fail_memory(ctx, "a spectrum");
}

nnd_status nnd_many_outputs_modes_add(nnd_context *ctx, const nnd_many_outputs *p,
                                      const nnd_reals *times, nnd_frame *frame) {
    task x;
    modes m = {0};
    arrays a;
    nnd_status status = task_make(ctx, p, frame, &x);
    if (status == NND_OK)
        status = modes_make(&x, &m);
    if (status == NND_OK)
        status = make_grid(&x, &m, times);
    if (status == NND_OK)
        status = nnd_many_outputs_add_grid(&x.z, frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(frame, "edge", 2, 1.0);
    if (status == NND_OK)
        status = add_arrays(&x, &a);
    if (status == NND_OK)
        status = put_times(&x, &m, times, &a);
    if (status >= NND_OK) {
        nnd_status claimed = disclaim_all(&x);
        status = claimed == NND_OK ? status : claimed;
    }
    modes_clear(&m);
    free(x.z.value);
    free(x.omega);
    return status;
}

double nnd_many_outputs_modes_flops(const nnd_many_outputs *p, double times, double grid) {
    double steps = p->integrator == NND_GRADIENT_FLOW ? 5.0 : (double)p->steps + 5.0;
    double count = (double)nnd_many_outputs_modes(p) + NODES;
    double evaluations = nnd_many_outputs_modes(p) > 0
                             ? count * ((double)nnd_many_outputs_points(p) + grid)
                             : ANGLES + count * (double)nnd_many_outputs_points(p) + 12.0 * grid;
    return times * evaluations * 40.0 * steps;
}
