/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/equivalent.h"

#include <complex.h>
#include <float.h>
#include <math.h>

#include "solvers/cmplx.h"
#include "solvers/mode_ratio.h"

/* At the threshold Newton's method halves: 512 times for the least lambda there is. */
enum { MAX_NEWTON = 1100, MAX_STEPS = 200 };

/* Convergence is quadratic: the error is far below the last step. Near the threshold round-off ends
 * it earlier, when a small step is no smaller than the one before. */
static const double SETTLED = 1e-12, SMALL = 1e-7;

/* Of a sum of multiplicities, those of quadrature among them. */
static const double ROUNDING = 1e-12;

/* ---- kappa ---- */

/* Number of eigenvalues that are not 0. */
static double rank(const nnd_eigenmodes *p, double shift) {
    double n = 0.0;
    for (size_t i = 0; i < p->count; i++)
        if (p->eigenvalue[i] + shift > 0.0)
            n += p->multiplicity[i];
    return n;
}

/* Sum of the eigenvalues. */
static double trace(const nnd_eigenmodes *p, double shift) {
    double sum = 0.0;
    for (size_t i = 0; i < p->count; i++)
        sum += p->multiplicity[i] * (p->eigenvalue[i] + shift);
    return sum;
}

/* 1 - df/P, and into *bend its derivative by log kappa, (1/P) sum_i s_i kappa/(s_i + kappa)^2. With
 * K eigenvalues above kappa P - df = (P - K) + sum_{above} kappa/(s + kappa) - sum_{below} s/(s +
 * kappa), in which no term is larger than about P - df or P bend: kappa is as exact in a gap of the
 * spectrum, where K = P, as elsewhere. */
static double free_part(const nnd_eigenmodes *p, double samples, double shift, double kappa,
                        double *bend) {
    double above = 0.0, rest = 0.0, slope = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double s = p->eigenvalue[i] + shift, d = s + kappa, n = p->multiplicity[i];
        if (s > kappa)
            above += n;
        rest += s > kappa ? n * (kappa / d) : -n * (s / d);
        slope += n * (kappa / d) * (s / d);
    }
    double left = isinf(samples) ? 1.0 : (samples - above) / samples;
    *bend = slope / samples;
    return (fabs(left) < ROUNDING ? 0.0 : left) + rest / samples;
}

/* F(kappa) = kappa (1 - df/P) is convex and increases to the right of the root of F = lambda; from
 * above Newton's method falls to the root without overshooting. With r = 1 - df/P and b = kappa r'
 * a step goes to (lambda + kappa b)/(r + b), where nothing cancels. */
double nnd_kappa(const nnd_eigenmodes *p, double samples, double shift, double lambda) {
    if (lambda <= 0.0 && samples >= (1.0 - ROUNDING) * rank(p, shift))
        return 0.0;
    double kappa = lambda + trace(p, shift) / samples;
    for (int n = 0; n < MAX_NEWTON; n++) {
        double bend, rest = free_part(p, samples, shift, kappa, &bend);
        double next = (lambda + kappa * bend) / (rest + bend);
        if (!(next < kappa * (1.0 - 2.0 * DBL_EPSILON)))
            break;
        kappa = next > 0.0 ? next : 0.5 * kappa;
    }
    return kappa;
}

/* The physical root: it turns less than lambda, and to the same side. On the negative axis that is
 * the sign of a 0, and real roots are others. */
static bool is_physical(double complex kappa, double complex lambda) {
    const double rounding = 1e-9, real = 1e-10;
    bool on_axis = cimag(lambda) == 0.0, negative = on_axis && creal(lambda) < 0.0;
    double side = cimag(kappa) * copysign(1.0, cimag(lambda));
    if (!(negative ? side > real * cabs(kappa) : on_axis || side > 0.0))
        return false;
    return fabs(carg(kappa)) <= fabs(carg(lambda)) + rounding;
}

/* v = df and b = sum s^2/(s + kappa)^2. */
static void resolvent_sums(const nnd_resolvent *x, double complex kappa, double complex *v,
                           double complex *b) {
    const nnd_eigenmodes *p = x->modes;
    const nnd_polar k = nnd_polar_of(kappa);
    double v_re = 0.0, v_im = 0.0, b_re = 0.0, b_im = 0.0;
#pragma omp simd reduction(+ : v_re, v_im, b_re, b_im)
    for (size_t i = 0; i < p->count; i++) {
        nnd_plain r = nnd_mode_ratio(p->eigenvalue[i] + x->shift, k);
        double n = p->multiplicity[i];
        v_re += n * r.re;
        v_im += n * r.im;
        b_re += n * (r.re * r.re - r.im * r.im);
        b_im += n * (2.0 * r.re * r.im);
    }
    *v = CMPLX(v_re, v_im);
    *b = CMPLX(b_re, b_im);
}

/* Steps square the error, moved ~ c last^2: what is left is c moved^2. */
static bool has_settled(double moved, double last) {
    const double in_reach = 1e-3;
    return moved <= SETTLED || (moved <= SMALL && moved >= 0.5 * last) ||
           (last <= in_reach && moved * (moved / last) * (moved / last) <= DBL_EPSILON / 8.0);
}

/* Newton's method from a guess; false if it does not settle on the physical root.
 * (kappa (1 - v/P))' = 1 - b/P and kappa v' = b - v. */
static bool newton(const nnd_resolvent *x, double complex lambda, double complex *kappa) {
    enum { TRIES = 30 };
    double complex k = *kappa;
    double last = INFINITY;
    for (int n = 0; n < TRIES; n++) {
        double complex value, slope;
        resolvent_sums(x, k, &value, &slope);
        double complex by_samples = k - k * value / x->samples;
        double complex change = 1.0 - slope / x->samples;
        if (isfinite(x->width)) {
            double complex left = 1.0 - value / x->width;
            change = change * left + by_samples / k * (value - slope) / x->width;
            by_samples *= left;
        }
        double complex step = (by_samples - lambda) / change;
        k -= step;
        double moved = cabs(step) / cabs(k);
        if (has_settled(moved, last)) {
            *kappa = k;
            return is_physical(k, lambda);
        }
        if (!isfinite(moved))
            return false;
        last = moved;
    }
    return false;
}

/* A zero in both imaginary parts keeps its sign. */
static double complex between(double complex from, double complex to, double part) {
    return CMPLX(creal(from) + part * (creal(to) - creal(from)),
                 (1.0 - part) * cimag(from) + part * cimag(to));
}

/* Goes from one lambda to the next on a straight line, in steps that Newton's method can follow. */
double complex nnd_kappa_complex(const nnd_resolvent *x, double complex lambda, double complex from,
                                 double complex guess) {
    double done = 0.0, step = 1.0;
    double complex kappa = guess;
    for (int n = 0; n < MAX_STEPS; n++) {
        double next = fmin(done + step, 1.0);
        double complex target = next < 1.0 ? between(from, lambda, next) : lambda;
        double complex trial = kappa;
        if (newton(x, target, &trial)) {
            if (next == 1.0)
                return trial;
            kappa = trial;
            done = next;
            step *= 2.0;
        } else
            step *= 0.5;
    }
    return NAN;
}

/* log kappa is smooth along a contour: the polynomial through the nodes before, of which there are
 * `count`, at the next one. */
enum { BEFORE = 4 };
static double complex extrapolate(size_t count, const double complex *kappa) {
    static const double weight[BEFORE][BEFORE] = {{1}, {2, -1}, {3, -3, 1}, {4, -6, 4, -1}};
    size_t points = count < BEFORE ? count : BEFORE;
    double complex sum = 0.0;
    for (size_t i = 0; i < points; i++)
        sum += weight[points - 1][i] * clog(kappa[-1 - (ptrdiff_t)i]);
    return cexp(sum);
}

nnd_status nnd_kappa_along(nnd_context *ctx, const nnd_resolvent *x, double complex from,
                           double complex guess, size_t count, const double complex *lambda,
                           double complex *kappa) {
    for (size_t j = 0; j < count; j++) {
        if (nnd_context_interrupted(ctx))
            return nnd_fail(ctx, NND_E_INTERRUPTED, "interrupted at node %zu", j);
        kappa[j] = j > 1 ? extrapolate(j, kappa + j) : NAN;
        if (j < 2 || !newton(x, lambda[j], &kappa[j]))
            kappa[j] = nnd_kappa_complex(x, lambda[j], from, guess);
        guess = kappa[j];
        if (isnan(creal(guess))) {
            nnd_fail(ctx, NND_E_UNSOLVED, "no root kappa on the contour");
            return NND_NOT_CONVERGED;
        }
        from = lambda[j];
    }
    return NND_OK;
}

/* r + (P/N) r (r - 1) = ratio, P the smaller: its positive root, divided out. */
double nnd_response(double samples, double width, double ratio) {
    double least = fmin(samples, width), most = fmax(samples, width);
    double share = isinf(most) ? 0.0 : least / most;
    double gap = isinf(most) ? 1.0 : (most - least) / most;
    return ratio > 0.0 ? 2.0 * ratio / (gap + sqrt(gap * gap + 4.0 * share * ratio)) : 0.0;
}

typedef struct {
    const nnd_resolvent *x;
    double lambda;
} excess;

/* At log kappa, increasing: 1 - df/P of the smaller space less what lambda/kappa asks it to be. */
static double excess_at(double log_kappa, void *data) {
    const excess *e = data;
    const nnd_resolvent *x = e->x;
    double kappa = exp(log_kappa), bend;
    return free_part(x->modes, fmin(x->samples, x->width), x->shift, kappa, &bend) -
           nnd_response(x->samples, x->width, e->lambda / kappa);
}

/* Newton's method in log kappa, on which all depends smoothly. */
static double refine(const excess *e, double kappa) {
    enum { STEPS = 5 };
    const nnd_resolvent *x = e->x;
    double least = fmin(x->samples, x->width), most = fmax(x->samples, x->width);
    for (int n = 0; n < STEPS; n++) {
        double bend, ratio = e->lambda / kappa;
        double rest = free_part(x->modes, least, x->shift, kappa, &bend);
        double r = nnd_response(x->samples, x->width, ratio);
        bend += ratio / ((most - least) / most + 2.0 * least / most * r);
        kappa *= 1.0 - (rest - r) / bend;
    }
    return kappa;
}

/* One finite space alone makes kappa smaller, so that its root is a lower bound. */
nnd_status nnd_kappa_real(nnd_context *ctx, const nnd_resolvent *x, double lambda, double *kappa) {
    const double near = 1e-3;
    double least = fmin(x->samples, x->width), most = fmax(x->samples, x->width);
    *kappa = nnd_kappa(x->modes, least, x->shift, lambda);
    if (lambda <= 0.0 || isinf(most))
        return NND_OK;
    double sum = trace(x->modes, x->shift);
    nnd_bracket bracket = {.low = log(*kappa),
                           .high = log(2.0 * (lambda + sum / least + sum / most))};
    excess e = {x, lambda};
    nnd_status status = NND_OK;
    if (excess_at(bracket.low, &e) < 0.0) { /* else rounding: the bound is the root */
        status = nnd_brent_root(ctx, excess_at, &e, near, 0.0, &bracket);
        *kappa = exp(bracket.x);
    }
    *kappa = refine(&e, *kappa);
    return status;
}

/* ---- two ridge regressions ---- */

/* Sums over eigenvalues with d_i = kappa + s_i + tau^2. */
typedef struct {
    double bias_self, bias_cross;     /* numerators of E but for the label noise */
    double defect_self, gamma_cross;  /* 1 - gamma_aa without lambda/kappa, gamma_ab */
    double signal[NND_METRICS];       /* sum M s^2 beta*^2/d^2 */
    double spread_self[NND_METRICS];  /* (1/P) sum M (s + tau^2)/d^2 */
    double spread_cross[NND_METRICS]; /* (1/P) sum M s/d^2 */
    double power;                     /* beta* Sigma beta* */
} sums;

/* All that is divided by d is so first: no square of a large or small number is left. */
static void add_up(const nnd_eigenmodes *p, const nnd_pair_task *task, double kappa, sums *x,
                   double *teacher) {
    double tau2 = task->input_noise;
    for (size_t i = 0; i < p->count; i++) {
        double s = p->eigenvalue[i], d = s + kappa + tau2, b2 = p->teacher2[i];
        if (d <= 0.0)
            continue; /* a direction without variance */
        double share = p->multiplicity[i] / task->samples, metric = 1.0;
        double gain = s / d, away = (kappa + tau2) / d, seen = (s + tau2) / d;
        /* sum of squares: 1 - 2 s/d + C s/d^2 = ((d - s)^2 + s tau^2)/d^2 for C = s + tau^2 */
        x->bias_self += s * b2 * (away * away + gain * (tau2 / d));
        x->bias_cross += s * b2 * away * away;
        x->defect_self += share * seen * (kappa / d);
        x->gamma_cross += share * gain * gain;
        x->power += s * b2;
        for (int k = 0; k < NND_METRICS; k++, metric *= s) {
            x->signal[k] += metric * gain * gain * b2;
            x->spread_self[k] += metric * (share * seen / d);
            x->spread_cross[k] += metric * (share * gain / d);
            teacher[k] += metric * gain * b2;
        }
    }
}

/* E = numerator/denominator with its limit where the denominator vanishes. */
static double ratio(double numerator, double denominator) {
    return numerator == 0.0 ? 0.0 : denominator > 0.0 ? numerator / denominator : INFINITY;
}

void nnd_pair_ridge(const nnd_eigenmodes *p, const nnd_pair_task *task, double lambda,
                    nnd_pair_overlaps *out) {
    *out = (nnd_pair_overlaps){.kappa = nnd_kappa(p, task->samples, task->input_noise, lambda)};
    sums x = {0};
    add_up(p, task, out->kappa, &x, out->teacher);
    /* lambda/kappa = 1 - (1/P) sum s/(s + kappa) */
    double rest =
        out->kappa > 0.0 ? lambda / out->kappa : 1.0 - rank(p, task->input_noise) / task->samples;
    bool same = !task->independent && task->input_noise == 0.0;
    double noise = task->label_noise, noise_ab = task->noise_correlation * noise;
    double self = ratio(noise + x.bias_self, rest + x.defect_self);
    double cross = 0.0;
    if (!task->independent)
        cross = ratio(noise_ab + x.bias_cross, same ? rest + x.defect_self : 1.0 - x.gamma_cross);
    for (int k = 0; k < NND_METRICS; k++) {
        out->self[k] = x.signal[k] + x.spread_self[k] * self;
        out->cross[k] = x.signal[k] + (cross > 0.0 ? x.spread_cross[k] * cross : 0.0);
        if (isinf(out->self[k]))
            out->cosine[k] =
                isinf(out->cross[k]) ? (noise_ab + x.bias_cross) / (noise + x.bias_self) : 0.0;
        else
            out->cosine[k] = out->cross[k] / out->self[k];
    }
    out->error = self;
    out->gen_error = x.power - 2.0 * out->teacher[1] + out->self[1];
    out->train_error = isinf(self) ? 0.0 : rest * rest * self;
}

/* ---- closed forms ---- */

void nnd_isotropic_minimum(double lambda, double *alpha, double *gain) {
    if (lambda == 0.0) {
        *alpha = 1.0;
        *gain = 0.0;
        return;
    }
    double kappa = 2.0 * lambda + sqrt(lambda + 2.0 * lambda * lambda);
    double scale = (1.0 + kappa) * (kappa - lambda);
    *alpha = kappa / scale;
    *gain = (kappa * kappa - lambda * kappa + lambda) / scale;
}
