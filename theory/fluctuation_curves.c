/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/fluctuation_curves.h"

#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "core/timegrid.h"
#include "nndmft/solvers/layer_kernels.h"

/* Beyond this relative size of the next order, leading fluctuations describe no network
 * (fluctuations.md#s1-7). */
static const double VALID = 0.2;

typedef nnd_fluctuation_curves curves;

/* The curves, and the eigenvectors of the kernel at t = 0 as rows, the largest eigenvalue first;
 * NULL: that is not known. */
typedef struct {
    const curves *c;
    size_t train, tests;
    double *mode;
    double *kernel; /* room for a kernel, and its eigenvalues */
    nnd_frame *frame;
} work;

/* ---- numbers of a solution ---- */

/* One number of a variable at recorded time i; j counts its other dimensions. `error`: f holds
 * standard errors, of which the largest that can result is returned. */
typedef double (*pick)(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j);

static double mean_of(const nnd_fluctuations *f, size_t i, size_t o) {
    return f->mean[i * f->observables + o];
}

static double nvar_of(const nnd_fluctuations *f, size_t i, size_t o) {
    return f->nvar[i * f->observables + o];
}

static double bias_of(const nnd_fluctuations *f, size_t i, size_t o) {
    return f->bias[i * f->observables + o];
}

/* N Cov of outputs mu and observable o. */
static double ncov_of(const nnd_fluctuations *f, size_t i, size_t mu, size_t o) {
    return f->ncov[(i * f->train + mu) * f->observables + o];
}

/* Residual of training samples, and of test samples with targets, at infinite width. */
static double residual(const work *w, size_t i, size_t point) {
    const nnd_dataset *set = w->c->set;
    double y = point < w->train ? set->targets[point] : set->test_targets[point - w->train];
    return y - mean_of(w->c->f, i, point);
}

static double delta(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    return error ? mean_of(f, i, j) : residual(w, i, j);
}

static double output(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)w;
    (void)error;
    return mean_of(f, i, j);
}

static double test_output(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                          size_t j) {
    (void)error;
    return mean_of(f, i, w->train + j);
}

static double delta_nvar(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)w;
    (void)error;
    return nvar_of(f, i, j);
}

static double test_nvar(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)error;
    return nvar_of(f, i, w->train + j);
}

static double delta_ncov(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)error;
    return ncov_of(f, i, j / w->train, j % w->train);
}

static double delta_bias(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    double x = bias_of(f, i, j);
    (void)w;
    return error ? x : -x;
}

static double test_bias(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)error;
    return bias_of(f, i, w->train + j);
}

/* ---- kernels ---- */

/* Observable of the pair of training samples j = mu nu, the first pair of its kind at `first`. */
static size_t pair_at(const work *w, size_t first, size_t j) {
    return first + nnd_pair_index(j / w->train, j % w->train);
}

/* The same of layer after layer. */
static size_t layer_pair_at(const work *w, size_t first, size_t j) {
    size_t square = w->train * w->train, pairs = w->train * (w->train + 1) / 2;
    return pair_at(w, first + j / square * pairs, j % square);
}

static size_t ntk_at(const work *w, size_t j) {
    return pair_at(w, w->c->at.ntk, j);
}

static size_t ntk_test_at(const work *w, size_t j) {
    return w->c->at.ntk_test + j;
}

static size_t h_gram_at(const work *w, size_t j) {
    return layer_pair_at(w, w->c->at.h_gram, j);
}

static size_t phi_gram_at(const work *w, size_t j) {
    return layer_pair_at(w, w->c->at.phi_gram, j);
}

static size_t g_gram_at(const work *w, size_t j) {
    return w->c->at.g_is_single ? w->c->at.g_gram + j : layer_pair_at(w, w->c->at.g_gram, j);
}

#define KERNEL(name)                                                                               \
    static double name(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) { \
        (void)error;                                                                               \
        return mean_of(f, i, name##_at(w, j));                                                     \
    }                                                                                              \
    static double name##_nvar(const work *w, const nnd_fluctuations *f, bool error, size_t i,      \
                              size_t j) {                                                          \
        (void)error;                                                                               \
        return nvar_of(f, i, name##_at(w, j));                                                     \
    }
KERNEL(ntk)
KERNEL(ntk_test)
KERNEL(h_gram)
KERNEL(phi_gram)
KERNEL(g_gram)
#undef KERNEL

static double ntk_bias(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)error;
    return bias_of(f, i, ntk_at(w, j));
}

/* K/sqrt(N Var K). */
static double ntk_signal(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    const nnd_fluctuations *of = w->c->f;
    size_t at = ntk_at(w, j);
    double nvar = nvar_of(of, i, at), signal = mean_of(of, i, at) / sqrt(nvar);
    return error ? mean_of(f, i, at) / sqrt(nvar) + 0.5 * fabs(signal) * nvar_of(f, i, at) / nvar
                 : signal;
}

static double delta_ntk(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    double x = ncov_of(f, i, j, ntk_at(w, j * w->train + j));
    return error ? x : -x;
}

/* ---- losses ---- */

/* Mean of (y - f)^2/2 over points first..first + n - 1. */
static double loss_of(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t first,
                      size_t n) {
    double sum = 0.0;
    for (size_t p = first; p < first + n; p++) {
        double x = residual(w, i, p);
        sum += error ? fabs(x) * mean_of(f, i, p) : 0.5 * x * x;
    }
    return sum / (double)n;
}

/* Its coefficient of 1/N: mean of (N Var f + 2 Delta b_Delta)/2 (fluctuations.md#s1-3). */
static double loss_ncorr_of(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                            size_t first, size_t n) {
    double sum = 0.0;
    for (size_t p = first; p < first + n; p++) {
        double x = residual(w, i, p), shift = -bias_of(w->c->f, i, p);
        sum += error ? 0.5 * nvar_of(f, i, p) + fabs(x) * bias_of(f, i, p) +
                           fabs(shift) * mean_of(f, i, p)
                     : 0.5 * nvar_of(f, i, p) + x * shift;
    }
    return sum / (double)n;
}

static double loss(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)j;
    return loss_of(w, f, error, i, 0, w->train);
}

static double loss_ncorr(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)j;
    return loss_ncorr_of(w, f, error, i, 0, w->train);
}

/* That of the mean of many networks: the coefficient without N Var f/2. */
static double ensemble_ncorr(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                             size_t j) {
    double sum = 0.0;
    (void)j;
    for (size_t p = 0; p < w->train; p++)
        sum += 0.5 * nvar_of(f, i, p);
    double variance = sum / (double)w->train, all = loss_ncorr_of(w, f, error, i, 0, w->train);
    return all - variance;
}

static double test_loss(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)j;
    return loss_of(w, f, error, i, w->train, w->tests);
}

static double test_loss_ncorr(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                              size_t j) {
    (void)j;
    return loss_ncorr_of(w, f, error, i, w->train, w->tests);
}

/* d loss = mean of Delta d Delta: N Var loss = Delta^T N Cov(Delta, Delta) Delta/P^2. */
static double loss_nvar(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    double sum = 0.0, train = (double)w->train;
    (void)j;
    for (size_t mu = 0; mu < w->train; mu++)
        for (size_t nu = 0; nu < w->train; nu++) {
            double x = residual(w, i, mu), y = residual(w, i, nu), c = ncov_of(f, i, mu, nu);
            sum += error ? fabs(x * y) * c +
                               2.0 * fabs(y * ncov_of(w->c->f, i, mu, nu)) * mean_of(f, i, mu)
                         : x * y * c;
        }
    return sum / (train * train);
}

/* Variance along the j-th eigenvector of the kernel at t = 0; NaN where there is no single one. */
static double mode_nvar(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    const double *u = w->mode + j * w->train;
    double sum = 0.0;
    for (size_t mu = 0; mu < w->train; mu++)
        for (size_t nu = 0; nu < w->train; nu++) {
            double weight = u[mu] * u[nu];
            sum += (error ? fabs(weight) : weight) * ncov_of(f, i, mu, nu);
        }
    return sum;
}

/* ---- widths ---- */

/* x/y where 0/0 is 0: nothing fluctuates about nothing. */
static double ratio(double x, double y) {
    return x == 0.0 ? 0.0 : x / y;
}

/* |ncorr|/(N loss) = loss_within. */
static double width_mean(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    double l = loss(w, w->c->f, false, i, 0), within = w->c->loss_within;
    double width = ratio(fabs(loss_ncorr(w, w->c->f, false, i, 0)), l * within);
    (void)j;
    return error ? ratio(loss_ncorr(w, f, true, i, 0), l * within) +
                       width * ratio(loss(w, f, true, i, 0), l)
                 : width;
}

/* sqrt(nvar/N)/loss = loss_sd_within. */
static double width_sd(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    double l = loss(w, w->c->f, false, i, 0), unit = l * w->c->loss_sd_within;
    double width = ratio(loss_nvar(w, w->c->f, false, i, 0), unit * unit);
    (void)j;
    return error ? ratio(loss_nvar(w, f, true, i, 0), unit * unit) +
                       2.0 * width * ratio(loss(w, f, true, i, 0), l)
                 : width;
}

static double loss_at(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    return loss(w, f, error, i, 0) + loss_ncorr(w, f, error, i, 0) / w->c->at_width->value[j];
}

static double ensemble_at(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                          size_t j) {
    return loss(w, f, error, i, 0) + ensemble_ncorr(w, f, error, i, 0) / w->c->at_width->value[j];
}

static double test_loss_at(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                           size_t j) {
    return test_loss(w, f, error, i, 0) +
           test_loss_ncorr(w, f, error, i, 0) / w->c->at_width->value[j];
}

/* ---- stability ---- */

/* fluctuations.md#s1-8: eta0 lambda_max(K + b_K/N)/P. An eigenvalue errs by no more than the
 * largest sum of a row of errors. */
static double stability_of(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                           double width) {
    size_t n = w->train;
    double largest = 0.0, *value = w->kernel + n * n;
    for (size_t j = 0; j < n * n; j++)
        w->kernel[j] = mean_of(f, i, ntk_at(w, j)) +
                       (isinf(width) ? 0.0 : bias_of(f, i, ntk_at(w, j)) / width);
    for (size_t mu = 0; error && mu < n; mu++) {
        double sum = 0.0;
        for (size_t nu = 0; nu < n; nu++)
            sum += fabs(w->kernel[mu * n + nu]);
        largest = fmax(largest, sum);
    }
    if (!error)
        largest = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'N', 'L', (lapack_int)n, w->kernel,
                                 (lapack_int)n, value) == 0
                      ? value[n - 1]
                      : NAN;
    const nnd_rates *schedule = w->c->schedule;
    double rate = schedule != NULL ? nnd_rates_at(schedule, w->c->grid->step[i]) : 1.0;
    return rate * w->c->lr * largest / (double)n;
}

static double stability(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)j;
    return stability_of(w, f, error, i, INFINITY);
}

static double stability_at(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                           size_t j) {
    return stability_of(w, f, error, i, w->c->at_width->value[j]);
}

/* |b_Delta|. Where the bias is not computed it is estimated by that of a residual exp(-K t) whose
 * rate K is normal: half its variance over its mean. */
static double shift_of(const work *w, const nnd_fluctuations *f, size_t i, size_t mu) {
    return f->bias != NULL ? fabs(bias_of(f, i, mu))
                           : ratio(0.5 * nvar_of(f, i, mu), fabs(residual(w, i, mu)));
}

static double validity(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    double x = fabs(residual(w, i, j)), spread = nvar_of(f, i, j), shift = shift_of(w, f, i, j);
    (void)error;
    if (spread == 0.0 && !(shift > 0.0))
        return 0.0;
    return spread / (2.0 * x * x) + 2.0 * shift / x;
}

static double least_size(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    return validity(w, f, error, i, j) / VALID;
}

static double least_size_of_pair(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                                 size_t j) {
    return fmax(least_size(w, f, error, i, j / w->train), least_size(w, f, error, i, j % w->train));
}

static double least_size_of_all(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                                size_t j) {
    double most = 0.0;
    (void)j;
    for (size_t mu = 0; mu < w->train; mu++)
        most = fmax(most, least_size(w, f, error, i, mu));
    return most;
}

/* The loss is quadratic: of residuals with mean Delta + b/N and covariance Sigma/N its variance is
 * Delta^T Sigma Delta/N + [tr(Sigma^2)/2 + 2 b^T Sigma Delta]/N^2, over P^2. Where residuals are
 * not small but fluctuate across themselves, the second term is the larger one. */
static double least_size_of_loss(const work *w, const nnd_fluctuations *f, bool error, size_t i,
                                 size_t j) {
    double first = 0.0, second = 0.0;
    for (size_t mu = 0; mu < w->train; mu++) {
        double across = 0.0;
        for (size_t nu = 0; nu < w->train; nu++) {
            double c = ncov_of(f, i, mu, nu);
            across += c * residual(w, i, nu);
            second += 0.5 * c * c;
        }
        first += residual(w, i, mu) * across;
        second += 2.0 * fabs(shift_of(w, f, i, mu) * across);
    }
    return fmax(least_size_of_all(w, f, error, i, j), ratio(second, first) / VALID);
}

/* ---- two times: i is a pair of them ---- */

static double two_time(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)error;
    return f->two_time[i * w->train * w->train + j];
}

static double noise(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)error;
    return f->noise[i * w->train * w->train + j];
}

static double response(const work *w, const nnd_fluctuations *f, bool error, size_t i, size_t j) {
    (void)error;
    return f->response[i * w->train * w->train + j];
}

/* ---- the frame ---- */

/* What a variable needs to be there, and how it is laid out. */
typedef enum {
    ALWAYS = 0,
    BIAS = 1,
    KERNELS = 2,
    TESTS = 4,
    TWO_TIME = 8,
    UNITS = 16,
    TARGETS = 32, /* of test samples */
    MODES = 64,
    LAYERS = 128,
    FEATURES = 256,
    WIDTHS = 512,   /* over at_width, before t */
    NO_ERROR = 1024 /* rests on samples without an error of its own */
} needs;

static const struct {
    const char *name;
    pick value;
    unsigned needs;
} CURVES[] = {
    {"delta", delta, ALWAYS},
    {"output", output, ALWAYS},
    {"test_output", test_output, TESTS},
    {"ntk", ntk, KERNELS},
    {"ntk_test", ntk_test, KERNELS | TESTS},
    {"h_gram", h_gram, LAYERS},
    {"phi_gram", phi_gram, LAYERS | FEATURES},
    {"g_gram", g_gram, LAYERS},
    {"loss", loss, ALWAYS},
    {"test_loss", test_loss, TESTS | TARGETS},
    {"delta_nvar", delta_nvar, ALWAYS},
    {"delta_nvar" NND_MIN_SIZE, least_size, NO_ERROR},
    {"output_nvar", delta_nvar, ALWAYS},
    {"output_nvar" NND_MIN_SIZE, least_size, NO_ERROR},
    {"delta_ncov", delta_ncov, ALWAYS},
    {"delta_ncov" NND_MIN_SIZE, least_size_of_pair, NO_ERROR},
    {"test_output_nvar", test_nvar, TESTS},
    {"ntk_nvar", ntk_nvar, KERNELS},
    {"ntk_test_nvar", ntk_test_nvar, KERNELS | TESTS},
    {"h_gram_nvar", h_gram_nvar, LAYERS},
    {"phi_gram_nvar", phi_gram_nvar, LAYERS | FEATURES},
    {"g_gram_nvar", g_gram_nvar, LAYERS},
    {"ntk_signal", ntk_signal, KERNELS},
    {"delta_ntk_ncov", delta_ntk, KERNELS},
    {"delta_bias", delta_bias, BIAS},
    {"test_output_bias", test_bias, BIAS | TESTS},
    {"ntk_bias", ntk_bias, BIAS | KERNELS},
    {"loss_nvar", loss_nvar, ALWAYS},
    {"loss_nvar" NND_MIN_SIZE, least_size_of_loss, NO_ERROR},
    {"loss_ncorr", loss_ncorr, BIAS},
    {"ensemble_loss", loss, ALWAYS},
    {"ensemble_loss_ncorr", ensemble_ncorr, BIAS},
    {"test_loss_ncorr", test_loss_ncorr, BIAS | TESTS | TARGETS},
    {"mode_nvar", mode_nvar, MODES},
    {"validity", validity, ALWAYS},
    {"width_mean", width_mean, BIAS},
    {"width_sd", width_sd, ALWAYS},
    {"loss_at_width", loss_at, BIAS | WIDTHS},
    {"ensemble_loss_at_width", ensemble_at, BIAS | WIDTHS},
    {"test_loss_at_width", test_loss_at, BIAS | WIDTHS | TESTS | TARGETS},
    {"stability", stability, KERNELS},
    {"stability_at_width", stability_at, BIAS | KERNELS | WIDTHS},
    {"delta_two_time_ncov", two_time, TWO_TIME},
    {"noise_two_time", noise, TWO_TIME | UNITS},
    {"response", response, TWO_TIME | UNITS},
};

static unsigned have(const work *w) {
    const curves *c = w->c;
    unsigned all = NO_ERROR;
    all |= c->f->bias != NULL ? BIAS : 0U;
    all |= c->at.ntk != NND_NOT_OBSERVED ? KERNELS : 0U;
    all |= w->tests > 0 ? TESTS : 0U;
    all |= c->f->two_time != NULL ? TWO_TIME : 0U;
    all |= c->units ? UNITS : 0U;
    all |= c->set->test_targets != NULL ? TARGETS : 0U;
    all |= w->mode != NULL ? MODES : 0U;
    all |= c->layers > 0 ? LAYERS : 0U;
    all |= c->at.phi_gram != NND_NOT_OBSERVED ? FEATURES : 0U;
    all |= c->at_width != NULL && c->at_width->count > 0 ? WIDTHS : 0U;
    return all;
}

/* Whether the model has the variable that an array belongs to. */
static bool has_variable(const nnd_model *model, const char *array) {
    char name[64];
    size_t length = nnd_companion_of(array, NND_MIN_SIZE);
    snprintf(name, sizeof name, "%.*s", (int)(length > 0 ? length : strlen(array)), array);
    return nnd_model_variable(model, name) != NULL;
}

/* Times where the run was sound; NaN elsewhere. */
static nnd_status add_curve(work *w, const char *name, pick value, const nnd_fluctuations *f,
                            bool error, unsigned kind) {
    const nnd_timegrid *grid = w->c->grid;
    double *x;
    nnd_status status = nnd_frame_add_variable(w->frame, w->c->model, name, &x);
    if (status != NND_OK)
        return status;
    bool square = (kind & TWO_TIME) != 0, widths = (kind & WIDTHS) != 0;
    size_t times = grid->count, outer = square ? times * times : times;
    size_t inner = nnd_frame_find(w->frame, name)->count / outer, diverged = w->c->f->diverged_at;
    for (size_t i = 0; i < outer; i++)
        for (size_t j = 0; j < inner; j++)
            if (grid->step[square ? i / times : i] < diverged && grid->step[i % times] < diverged)
                x[widths ? j * outer + i : i * inner + j] = value(w, f, error, i, j);
    return NND_OK;
}

static nnd_status add_curves(work *w) {
    const nnd_fluctuations *se = w->c->se;
    bool errors = se != NULL && se->data != NULL;
    nnd_status status = NND_OK;
    char name[64];
    for (size_t i = 0; status == NND_OK && i < sizeof CURVES / sizeof *CURVES; i++) {
        unsigned kind = CURVES[i].needs;
        if ((kind & ~have(w)) != 0 || !has_variable(w->c->model, CURVES[i].name))
            continue;
        status = add_curve(w, CURVES[i].name, CURVES[i].value, w->c->f, false, kind);
        if (status != NND_OK || !errors || (kind & NO_ERROR) != 0)
            continue;
        nnd_companion_name(CURVES[i].name, NND_SE, sizeof name, name);
        status = add_curve(w, name, CURVES[i].value, se, true, kind);
    }
    return status;
}

static nnd_status add_dims(const work *w) {
    const curves *c = w->c;
    nnd_status status = nnd_timegrid_add_dim(c->grid, w->frame, "t");
    if (status == NND_OK && c->f->two_time != NULL)
        status = nnd_timegrid_add_dim(c->grid, w->frame, "s");
    if (status == NND_OK)
        status = nnd_frame_add_range(w->frame, "mu", w->train, 0.0);
    if (status == NND_OK)
        status = nnd_frame_add_range(w->frame, "nu", w->train, 0.0);
    if (status == NND_OK && w->tests > 0)
        status = nnd_frame_add_range(w->frame, "test", w->tests, 0.0);
    if (status == NND_OK && w->mode != NULL)
        status = nnd_frame_add_range(w->frame, "k", w->train, 1.0);
    if (status == NND_OK && c->layers > 0)
        status = nnd_frame_add_range(w->frame, "layer", c->layers, 1.0);
    if (status == NND_OK && (have(w) & WIDTHS) != 0)
        status = nnd_frame_add_dim(w->frame, "at_width", NND_COORD_REAL, c->at_width->count,
                                   c->at_width->value);
    return status;
}

/* Eigenvectors of the kernel at the start, if that is observed. */
/* Eigenvalues closer than this are one: five times what the errors of the kernel move them by at
 * most (Weyl), and rounding. */
static double least_gap(const work *w, double largest) {
    const nnd_fluctuations *se = w->c->se;
    double sum = 0.0;
    for (size_t j = 0; se != NULL && se->data != NULL && j < w->train * w->train; j++)
        sum += pow(mean_of(se, 0, ntk_at(w, j)), 2);
    return 1e-9 * largest + 5.0 * sqrt(sum);
}

/* Eigenvectors that are any combination of several. Values ascend, modes descend. */
static void strike_out(const work *w, const double *value) {
    size_t n = w->train;
    double gap = least_gap(w, fabs(value[n - 1]));
    for (size_t k = 0; k < n; k++)
        if ((k > 0 && value[k] - value[k - 1] < gap) ||
            (k + 1 < n && value[k + 1] - value[k] < gap))
            for (size_t mu = 0; mu < n; mu++)
                w->mode[(n - 1 - k) * n + mu] = NAN;
}

static nnd_status find_modes(nnd_context *ctx, work *w) {
    size_t n = w->train;
    if (w->c->at.ntk == NND_NOT_OBSERVED || w->c->grid->step[0] != 0 || w->c->f->diverged_at == 0)
        return NND_OK;
    double *kernel = malloc(n * n * sizeof(double)), *value = malloc(n * sizeof(double));
    w->mode = malloc(n * n * sizeof(double));
    bool done = kernel != NULL && value != NULL && w->mode != NULL;
    for (size_t j = 0; done && j < n * n; j++)
        kernel[j] = mean_of(w->c->f, 0, ntk_at(w, j));
    /* Column-major: eigenvectors come out as rows, in ascending order. */
    done = done && LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', (lapack_int)n, kernel, (lapack_int)n,
                                  value) == 0;
    for (size_t k = 0; done && k < n; k++)
        memcpy(w->mode + k * n, kernel + (n - 1 - k) * n, n * sizeof(double));
    if (done)
        strike_out(w, value);
    free(kernel);
    free(value);
    return done ? NND_OK : nnd_fail(ctx, NND_E_UNSOLVED, "the kernel has no eigenvalues");
}

nnd_status nnd_fluctuation_frame(nnd_context *ctx, const nnd_fluctuation_curves *c,
                                 nnd_frame **frame) {
    size_t train = c->set->samples, tests = c->set->tests;
    work w = {.c = c, .train = train, .tests = tests};
    w.kernel = malloc((train + 1) * train * sizeof(double));
    nnd_status status = w.kernel != NULL ? find_modes(ctx, &w) : nnd_fail_memory(ctx, "a kernel");
    if (status == NND_OK)
        status = nnd_frame_new(ctx, &w.frame);
    if (status == NND_OK)
        status = add_dims(&w);
    if (status == NND_OK)
        status = add_curves(&w);
    if (status == NND_OK)
        status =
            nnd_frame_add_scalar(w.frame, NND_DIVERGED_AT,
                                 c->f->diverged_at == SIZE_MAX ? NAN : (double)c->f->diverged_at);
    free(w.mode);
    free(w.kernel);
    nnd_hand_over(status == NND_OK, w.frame, frame);
    return status;
}
