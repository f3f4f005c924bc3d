/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/wide_mlp_fields.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/streams.h"
#include "solvers/block_products.h"
#include "theory/initial_fields.h"
#include "theory/wide_mlp_loss.h"

double *nnd_wide_fields_layer(const nnd_wide_fields *f, double *field, size_t l) {
    return field + l * f->points * f->sites;
}

/* ---- where the parameters of a slot stand ---- */

static double *readout_of(const nnd_wide_fields *f, double *theta) {
    return theta + f->inputs * f->sites;
}

/* b^l times sigma_b, one vector per layer. */
static double *biases_of(const nnd_wide_fields *f, double *theta) {
    return readout_of(f, theta) + f->outputs * f->sites;
}

static bool is_biased(const nnd_wide_fields *f) {
    return f->problem->params->sigma_b > 0.0;
}

/* Vectors over sites of a slot. */
static size_t vectors(const nnd_wide_fields *f) {
    return f->inputs + f->outputs + (is_biased(f) ? f->depth : 0);
}

static double *output_bias_of(const nnd_wide_fields *f, double *theta) {
    return theta + vectors(f) * f->sites;
}

/* ---- set-up ---- */

/* What the fields learn is O(gamma0 Delta) of them, and an output is divided by gamma0: a forward
 * residue counts if it is long compared with that (wide-mlp.md#eq12). */
static double forward_tolerance(const nnd_wide_problem *q, double rank_tol) {
    const double floor = 1e-10, rounding = 1e-13;
    return fmax(rank_tol * fmax(floor, fmin(1.0, q->learned)), rounding);
}

/* Skip connections join the layers' neurons: one population has the sites of all. */
static nnd_status make_populations(nnd_wide_fields *f) {
    const nnd_wide_problem *q = f->problem;
    const nnd_wide_sampling *s = f->sampling;
    nnd_population_options o = {
        .fresh = s->fresh,
        .sites = s->sites,
        .net = s->net,
        .key = {(uint64_t)q->params->seed, s->replicate, s->sites},
    };
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < f->depth; l++) {
        o.stream = NND_STREAM_WIDE_MLP_THEORY_LAYERS + (uint32_t)l;
        if (q->skip > 0.0 && l > 0)
            f->population[l] = f->population[0];
        else
            status = nnd_population_new(q->ctx, &o, &f->population[l]);
    }
    for (size_t l = 0; status == NND_OK && l + 1 < f->depth; l++)
        status = nnd_queried_new(q->ctx, f->population[l], f->population[l + 1],
                                 q->beta * q->params->sigma_w, forward_tolerance(q, s->rank_tol),
                                 s->rank_tol, f->slots, &f->matrix[l]);
    return status;
}

static nnd_status allocate(nnd_wide_fields *f) {
    size_t block = f->points * f->sites, outputs = f->inputs * f->outputs;
    const struct {
        double **to;
        size_t count;
    } rooms[] = {
        {&f->theta, f->slots * f->length},
        {&f->kappa, f->slots},
        {&f->start, f->length},
        {&f->h, f->depth * block},
        {&f->phi, f->depth * block},
        {&f->slope, f->depth * block},
        {&f->u, f->depth * block},
        {&f->amplitude, f->points},
        {&f->output, outputs},
        {&f->delta, outputs},
        {&f->readout, f->outputs * f->sites},
        {&f->unlearned, outputs},
        {&f->back, f->inputs * f->sites},
        {&f->coef, f->inputs * (f->points + f->outputs)},
        {&f->weight, f->points},
        {&f->longest, f->depth * f->samples},
        {&f->least, f->points},
    };
    bool there = true;
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        there &= (*rooms[i].to = calloc(rooms[i].count, sizeof(double))) != NULL;
    f->population = calloc(f->depth, sizeof(nnd_population *));
    f->matrix = calloc(f->depth, sizeof(nnd_queried *));
    return there && f->population != NULL && f->matrix != NULL
               ? NND_OK
               : nnd_fail_memory(f->problem->ctx, "the march");
}

/* h^1 = sigma_w (K^x)^(1/2) eps; z^L = sigma_w eps; b^l = sigma_b eps. */
static nnd_status draw(nnd_wide_fields *f) {
    const nnd_wide_problem *q = f->problem;
    double *z = readout_of(f, f->theta), *b = biases_of(f, f->theta);
    nnd_status status = nnd_initial_fields(q->ctx, f->population[0], f->inputs, q->set.gram,
                                           q->params->sigma_w, f->back, f->theta);
    if (status == NND_OK)
        status = nnd_population_draw(f->population[f->depth - 1], f->outputs, 0, NULL, z, NULL);
    cblas_dscal((int)(f->outputs * f->sites), q->params->sigma_w, z, 1);
    for (size_t l = 0; status == NND_OK && is_biased(f) && l < f->depth; l++) {
        status = nnd_population_draw(f->population[l], 1, 0, NULL, b + l * f->sites, NULL);
        cblas_dscal((int)f->sites, q->params->sigma_b, b + l * f->sites, 1);
    }
    memcpy(f->start, f->theta, f->length * sizeof *f->start);
    f->kappa[0] = 1.0;
    return status;
}

nnd_status nnd_wide_fields_make(const nnd_wide_problem *problem, const nnd_wide_sampling *sampling,
                                size_t slots, nnd_wide_fields *fields) {
    nnd_wide_fields *f = fields;
    *f = (nnd_wide_fields){
        .problem = problem,
        .sampling = sampling,
        .sites = sampling->sites,
        .points = problem->points,
        .inputs = problem->samples + problem->tests,
        .depth = problem->depth,
        .samples = problem->samples,
        .outputs = problem->outputs,
        .slots = slots,
        .queried = problem->outputs == 1 ? problem->points : problem->samples,
    };
    f->length = vectors(f) * f->sites + f->outputs;
    nnd_status status = allocate(f);
    if (status == NND_OK)
        status = make_populations(f);
    return status == NND_OK ? draw(f) : status;
}

void nnd_wide_fields_clear(nnd_wide_fields *f) {
    for (size_t l = 0; f->matrix != NULL && l < f->depth; l++)
        nnd_queried_free(f->matrix[l]);
    for (size_t l = 0; f->population != NULL && l < f->depth; l++)
        if (l == 0 || f->population[l] != f->population[0])
            nnd_population_free(f->population[l]);
    void *const owned[] = {f->population, f->matrix, f->theta,     f->kappa, f->start,
                           f->h,          f->phi,    f->slope,     f->u,     f->amplitude,
                           f->output,     f->delta,  f->unlearned, f->back,  f->readout,
                           f->coef,       f->weight, f->longest,   f->least};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

/* ---- forward ---- */

/* to = a x + the vector y added to each of n rows, which may be none. */
static void add_to_rows(const nnd_wide_fields *f, size_t n, double factor, const double *y,
                        double *to) {
    for (size_t k = 0; y != NULL && k < n; k++)
        cblas_daxpy((int)f->sites, factor, y, 1, to + k * f->sites, 1);
}

/* Fields of the network of the parameters scale theta, kappa and an update; raw outputs <z phi>
 * (points x outputs). h^{l+1} = s h^l + M^l phi(h^l) + beta b^{l+1}. */
static nnd_status forward(nnd_wide_fields *f, double *theta, double scale, double kappa,
                          size_t part, double *raw) {
    const nnd_wide_problem *q = f->problem;
    size_t block = f->points * f->sites, last = f->depth - 1;
    const double *bias = is_biased(f) ? biases_of(f, theta) : NULL;
    nnd_status status = NND_OK;
    for (size_t l = 0; status == NND_OK && l < f->depth; l++) {
        double *h = nnd_wide_fields_layer(f, f->h, l);
        if (l == 0)
            memcpy(h, theta, block * sizeof *h);
        else {
            nnd_queried_choose(f->matrix[l - 1], kappa, part);
            status = nnd_queried_apply(f->matrix[l - 1], NND_FORWARD, f->points,
                                       nnd_wide_fields_layer(f, f->phi, l - 1), NULL, h);
        }
        if (l == 0 && scale != 1.0)
            cblas_dscal((int)block, scale, h, 1);
        if (l > 0 && q->skip > 0.0)
            cblas_daxpy((int)block, q->skip, nnd_wide_fields_layer(f, f->h, l - 1), 1, h, 1);
        add_to_rows(f, f->points, scale * (l == 0 ? 1.0 : q->beta),
                    bias != NULL ? bias + l * f->sites : NULL, h);
        if (status == NND_OK)
            nnd_activation_apply(&q->params->activation, block, h,
                                 nnd_wide_fields_layer(f, f->phi, l),
                                 nnd_wide_fields_layer(f, f->slope, l), NULL, NULL);
    }
    memcpy(f->readout, readout_of(f, theta), f->outputs * f->sites * sizeof *f->readout);
    nnd_population_inner(f->population[last], f->points, nnd_wide_fields_layer(f, f->phi, last),
                         f->outputs, f->readout, raw, f->outputs);
    cblas_dscal((int)(f->points * f->outputs), scale, raw, 1);
    return status;
}

/* f = <z phi>/gamma0 + its bias, less what the unlearned network has, which is 0 in theory: with
 * decay at weights kappa times those of t = 0, in the same directions (wide-mlp.md#s13-4). */
static nnd_status find_outputs(nnd_wide_fields *f, size_t slot) {
    const nnd_wide_problem *q = f->problem;
    double *theta = f->theta + slot * f->length, kappa = f->kappa[slot];
    const double *bias = output_bias_of(f, theta);
    nnd_status status = NND_OK;
    if (f->begun && q->params->weight_decay > 0.0)
        status = forward(f, f->start, kappa, kappa, NND_QUERIED_INITIAL, f->unlearned);
    if (status == NND_OK)
        status = forward(f, theta, 1.0, kappa, slot, f->output);
    if (!f->begun)
        memcpy(f->unlearned, f->output, f->points * f->outputs * sizeof *f->output);
    f->begun = true;
    for (size_t i = 0; i < f->points * f->outputs; i++)
        f->output[i] = (f->output[i] - f->unlearned[i]) / q->params->gamma0 + bias[i % f->outputs];
    return status;
}

/* ---- backward ---- */

/* What the readouts of each queried point are weighted with in u, and what d is in units of u. */
static void find_amplitudes(nnd_wide_fields *f) {
    size_t outputs = f->outputs;
    for (size_t i = 0; i < f->queried; i++) {
        const double *delta = f->delta + i * outputs;
        double *part = f->coef + i * outputs;
        if (outputs == 1) {
            f->amplitude[i] = i < f->samples ? delta[0] : 0.0;
            part[0] = 1.0;
            continue;
        }
        f->amplitude[i] = cblas_dnrm2((int)outputs, delta, 1);
        for (size_t c = 0; c < outputs; c++)
            part[c] = f->amplitude[i] > 0.0 ? delta[c] / f->amplitude[i] : 0.0;
    }
}

/* Late, tiny d need no new directions: they are judged as if they were this part of the longest so
 * far (wide-mlp.md#s7). With one output u itself is recorded, and judged by itself. */
static const double *find_least(nnd_wide_fields *f, size_t l) {
    const double part = 0.3;
    if (f->outputs == 1)
        return NULL;
    for (size_t i = 0; i < f->samples; i++) {
        double *longest = &f->longest[l * f->samples + i], amplitude = f->amplitude[i];
        const double *u = nnd_wide_fields_layer(f, f->u, l) + i * f->sites;
        double length =
            cblas_dnrm2((int)f->sites, u, 1) * sqrt(nnd_population_weight(f->population[l]));
        *longest = fmax(*longest, amplitude * length);
        f->least[i] = amplitude > 0.0 ? part * *longest / amplitude : 0.0;
    }
    return f->least;
}

/* u^L = phi' sum_c e_c z_c; u^l = phi' M^T u^{l+1} + s u^{l+1}. */
static nnd_status backward(nnd_wide_fields *f) {
    size_t block = f->queried * f->sites, last = f->depth - 1;
    nnd_status status = NND_OK;
    find_amplitudes(f);
    memset(f->back, 0, block * sizeof *f->back);
    nnd_block_combine(f->queried, f->coef, f->outputs, f->outputs, f->readout, f->sites, 1.0,
                      f->back);
    for (size_t l = f->depth; status == NND_OK && l-- > 0;) {
        double *u = nnd_wide_fields_layer(f, f->u, l);
        const double *slope = nnd_wide_fields_layer(f, f->slope, l);
        const double *above = l < last ? nnd_wide_fields_layer(f, f->u, l + 1) : NULL;
        if (above != NULL)
            status = nnd_queried_apply(f->matrix[l], NND_BACKWARD, f->queried, above,
                                       find_least(f, l + 1), f->back);
        for (size_t i = 0; i < block; i++)
            u[i] = slope[i] * f->back[i];
        if (above != NULL && f->problem->skip > 0.0)
            cblas_daxpy((int)block, f->problem->skip, above, 1, u, 1);
    }
    return status;
}

nnd_status nnd_wide_fields_evaluate(nnd_wide_fields *f, size_t slot) {
    const nnd_wide_problem *q = f->problem;
    nnd_status status = find_outputs(f, slot);
    nnd_wide_loss_residual((nnd_wide_loss_kind)q->params->loss, f->samples, f->outputs,
                           q->set.targets, f->output, f->delta);
    return status == NND_OK ? backward(f) : status;
}

/* ---- the gradient ---- */

/* u of h^1 and of the readouts (wide-mlp.md#eq18), with w = eta0 gamma0 weight amplitude: training
 * samples only act. */
static void add_gradient_of_fields(nnd_wide_fields *f, double *theta, const double *w) {
    const nnd_wide_problem *q = f->problem;
    double sigma2 = q->params->sigma_w * q->params->sigma_w, *z = readout_of(f, theta);
    for (size_t i = 0; i < f->inputs; i++)
        for (size_t k = 0; k < f->samples; k++)
            f->coef[i * f->samples + k] = sigma2 * q->set.gram[i * f->inputs + k] * w[k];
    nnd_block_combine(f->inputs, f->coef, f->samples, f->samples, f->u, f->sites, 1.0, theta);
    for (size_t c = 0; c < f->outputs; c++)
        for (size_t k = 0; k < f->samples; k++) {
            double part = f->outputs == 1          ? 1.0
                          : f->amplitude[k] == 0.0 ? 0.0
                                                   : f->delta[k * f->outputs + c] / f->amplitude[k];
            f->coef[c * f->samples + k] = sigma2 * w[k] * part;
        }
    nnd_block_combine(f->outputs, f->coef, f->samples, f->samples,
                      nnd_wide_fields_layer(f, f->phi, f->depth - 1), f->sites, 1.0, z);
}

/* u of the biases (wide-mlp.md#eq19). `rate` is eta0 times the factor. */
static void add_gradient_of_biases(nnd_wide_fields *f, double *theta, const double *w, double rate,
                                   const double *weight) {
    const nnd_wide_problem *q = f->problem;
    double sigma2 = q->params->sigma_b * q->params->sigma_b;
    if (!is_biased(f))
        return;
    for (size_t l = 0; l < f->depth; l++)
        nnd_block_combine(1, w, f->samples, f->samples, nnd_wide_fields_layer(f, f->u, l), f->sites,
                          sigma2 * (l == 0 ? 1.0 : q->beta), biases_of(f, theta) + l * f->sites);
    for (size_t i = 0; i < f->samples * f->outputs; i++)
        output_bias_of(f, theta)[i % f->outputs] +=
            rate * sigma2 * weight[i / f->outputs] * f->delta[i];
}

nnd_status nnd_wide_fields_gradient(nnd_wide_fields *f, size_t slot, double keep, double factor,
                                    double felt, const double *weight) {
    const nnd_wide_problem *q = f->problem;
    const nnd_wide_mlp *p = q->params;
    double *theta = f->theta + slot * f->length, rate = q->rate * p->gamma0;
    double beta2 = q->beta * q->beta * p->sigma_w * p->sigma_w;
    nnd_status status = NND_OK;
    f->resting = true;
    for (size_t i = 0; i < f->samples; i++) {
        f->weight[i] = rate * weight[i] * f->amplitude[i];
        f->resting &= f->weight[i] == 0.0;
    }
    nnd_wide_fields_combine(f, slot, keep, 0.0, slot);
    for (size_t l = 0; l + 1 < f->depth; l++) {
        for (size_t i = 0; i < f->samples; i++)
            f->least[i] = felt * beta2 * f->weight[i];
        nnd_queried_note_lost(f->matrix[l], f->samples, f->least);
    }
    for (size_t i = 0; i < f->samples; i++) {
        f->weight[i] *= factor;
        f->least[i] = beta2 * f->weight[i];
    }
    for (size_t l = 0; status == NND_OK && l + 1 < f->depth; l++)
        status = nnd_queried_update(f->matrix[l], slot, 1.0, f->samples, f->least);
    add_gradient_of_fields(f, theta, f->weight);
    add_gradient_of_biases(f, theta, f->weight, q->rate * factor, weight);
    return status;
}

/* keep = 0 forgets also what is not finite. */
void nnd_wide_fields_combine(nnd_wide_fields *f, size_t slot, double keep, double factor,
                             size_t other) {
    double *to = f->theta + slot * f->length;
    const double *from = f->theta + other * f->length;
    if (keep == 0.0)
        memset(to, 0, f->length * sizeof *to);
    else if (keep != 1.0)
        cblas_dscal((int)f->length, keep, to, 1);
    if (factor != 0.0)
        cblas_daxpy((int)f->length, factor, from, 1, to, 1);
    f->kappa[slot] = (keep == 0.0 ? 0.0 : keep * f->kappa[slot]) + factor * f->kappa[other];
    for (size_t l = 0; l + 1 < f->depth; l++)
        nnd_queried_combine(f->matrix[l], slot, keep, factor, other);
}

/* The largest part that a vector of a slot is of that of the state, or an update of M(0), in units
 * of what is learned: O(gamma0 Delta) of a field, O(Delta) of an output. */
double nnd_wide_fields_size(const nnd_wide_fields *f, size_t slot) {
    const nnd_wide_problem *q = f->problem;
    const double *theta = f->theta + slot * f->length;
    double most = 0.0, learned = fmin(1.0, q->learned);
    for (size_t k = 0; k < vectors(f); k++) {
        double whole = cblas_dnrm2((int)f->sites, f->theta + k * f->sites, 1);
        double part = cblas_dnrm2((int)f->sites, theta + k * f->sites, 1);
        if (!isfinite(part) || !isfinite(whole))
            return INFINITY;
        most = whole > 0.0 ? fmax(most, part / whole) : most;
    }
    for (size_t l = 0; l + 1 < f->depth; l++)
        most = fmax(most, nnd_queried_size(f->matrix[l], slot) / (q->beta * q->params->sigma_w));
    for (size_t c = 0; c < f->outputs; c++)
        most = fmax(most, q->params->gamma0 * fabs(theta[vectors(f) * f->sites + c]));
    return learned > 0.0 ? most / learned : most;
}

/* ---- Gram matrices ---- */

void nnd_wide_fields_grams(const nnd_wide_fields *f, double *field, double *gram) {
    size_t n = f->points;
    for (size_t l = 0; l < f->depth; l++)
        nnd_population_inner(f->population[l], n, nnd_wide_fields_layer(f, field, l), n,
                             nnd_wide_fields_layer(f, field, l), gram + l * n * n, n);
}

/* gbar^L = phi'(h^L) z_c, rows (mu, c). */
static void fill_top(const nnd_wide_fields *f, const double *slope, double *g) {
    for (size_t k = 0; k < f->points * f->outputs; k++)
        for (size_t i = 0; i < f->sites; i++)
            g[k * f->sites + i] =
                slope[k / f->outputs * f->sites + i] * f->readout[k % f->outputs * f->sites + i];
}

/* From gbar^{l+1} (in g) and the Gram matrix `noise` of the fresh part E^{l+1} to those of layer l
 * (wide-mlp.md#eq20). */
static nnd_status descend_layer(const nnd_wide_fields *f, size_t l, double *g, double *mean,
                                double *rest, double *noise) {
    const nnd_wide_problem *q = f->problem;
    size_t n = f->points * f->outputs, points = f->points;
    const double *slope = nnd_wide_fields_layer(f, f->slope, l);
    double tau = f->kappa[0] * q->beta * q->params->sigma_w, s2 = q->skip * q->skip;
    nnd_status status = nnd_queried_peek(f->matrix[l], NND_BACKWARD, n, g, mean, rest);
    if (status != NND_OK)
        return status;
    /* Also in abstract coordinates, of weight 1 each, <phi' phi'> is a mean over them. */
    nnd_block_inner(points, slope, points, slope, f->sites, 1.0 / (double)f->sites, f->coef,
                    points);
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; b < n; b++) {
            double both = f->coef[a / f->outputs * points + b / f->outputs];
            noise[a * n + b] =
                tau * tau * (rest[a * n + b] + noise[a * n + b]) * both + s2 * noise[a * n + b];
        }
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < f->sites; i++) {
            size_t at = k * f->sites + i;
            g[at] = slope[k / f->outputs * f->sites + i] * mean[at] + q->skip * g[at];
        }
    return NND_OK;
}

nnd_status nnd_wide_fields_backward_grams(const nnd_wide_fields *f, double *gram) {
    size_t n = f->points * f->outputs, last = f->depth - 1;
    double *g = malloc(2 * n * f->sites * sizeof *g), *noise = calloc(2 * n * n, sizeof *noise);
    nnd_status status = g != NULL && noise != NULL
                            ? NND_OK
                            : nnd_fail_memory(f->problem->ctx, "the tangent kernel");
    if (status == NND_OK)
        fill_top(f, nnd_wide_fields_layer(f, f->slope, last), g);
    for (size_t l = f->depth; status == NND_OK && l-- > 0;) {
        if (l < last)
            status = descend_layer(f, l, g, g + n * f->sites, noise + n * n, noise);
        double *out = gram + l * n * n;
        nnd_population_inner(f->population[l], n, g, n, g, out, n);
        cblas_daxpy((int)(n * n), 1.0, noise, 1, out, 1);
    }
    free(g);
    free(noise);
    return status;
}

/* ---- test samples that do not march ---- */

enum { TESTS_AT_ONCE = 32 };

/* Fields of some of them in two networks: as it is, and unlearned, of weights kappa times those at
 * the start. */
enum { LEARNED, UNLEARNED, NETWORKS };

typedef struct {
    size_t first, count;
    double *h[NETWORKS], *image, *phi, *fresh, *rest, *raw;
} tests;

static double *theta_of(const nnd_wide_fields *f, int which) {
    return which == LEARNED ? f->theta : f->start;
}

static double scale_of(const nnd_wide_fields *f, int which) {
    return which == LEARNED ? 1.0 : f->kappa[0];
}

/* h^1 of these samples. */
static void begin_tests(const nnd_wide_fields *f, int which, tests *t) {
    double *theta = theta_of(f, which);
    size_t numbers = t->count * f->sites;
    memcpy(t->h[which], theta + (f->points + t->first) * f->sites, numbers * sizeof *theta);
    if (is_biased(f))
        add_to_rows(f, t->count, 1.0, biases_of(f, theta), t->h[which]);
    cblas_dscal((int)numbers, scale_of(f, which), t->h[which], 1);
}

/* Fresh parts of layer l + 2 are the same for both networks, and at all times. */
static nnd_status draw_fresh(nnd_wide_fields *f, size_t l, tests *t) {
    nnd_rng_key key = {(uint64_t)f->problem->params->seed, f->sampling->replicate, f->sites};
    for (size_t k = 0; k < t->count; k++)
        nnd_rng_normals(key, NND_STREAM_WIDE_MLP_THEORY_TESTS + (uint32_t)l, t->first + k, f->sites,
                        t->fresh + k * f->sites);
    return nnd_queried_project(f->matrix[l], NND_FORWARD, t->count, t->fresh);
}

/* h = s h + the known part of M phi(h) + kappa tau |r| fresh + beta b. */
static nnd_status pass_layer(nnd_wide_fields *f, size_t l, int which, tests *t) {
    const nnd_wide_problem *q = f->problem;
    size_t n = t->count, sites = f->sites;
    double kappa = f->kappa[0], tau = q->beta * q->params->sigma_w, *h = t->h[which];
    nnd_activation_apply(&q->params->activation, n * sites, h, t->phi, NULL, NULL, NULL);
    nnd_queried_choose(f->matrix[l], kappa, which == LEARNED ? 0 : NND_QUERIED_INITIAL);
    nnd_status status = nnd_queried_peek(f->matrix[l], NND_FORWARD, n, t->phi, t->image, t->rest);
    nnd_queried_choose(f->matrix[l], kappa, 0);
    cblas_dscal((int)(n * sites), q->skip, h, 1);
    cblas_daxpy((int)(n * sites), 1.0, t->image, 1, h, 1);
    for (size_t k = 0; k < n; k++)
        cblas_daxpy((int)sites, kappa * tau * sqrt(fmax(t->rest[k * (n + 1)], 0.0)),
                    t->fresh + k * sites, 1, h + k * sites, 1);
    if (is_biased(f))
        add_to_rows(f, n, q->beta * scale_of(f, which),
                    biases_of(f, theta_of(f, which)) + (l + 1) * sites, h);
    return status;
}

/* f = (<z phi> of the network - that of the unlearned one)/gamma0 + its bias. */
static void end_tests(nnd_wide_fields *f, tests *t) {
    double *output = f->output + (f->points + t->first) * f->outputs;
    size_t count = t->count * f->outputs;
    for (size_t i = 0; i < count; i++)
        output[i] = output_bias_of(f, f->theta)[i % f->outputs];
    for (int which = 0; which < NETWORKS; which++) {
        double scale = scale_of(f, which) / f->problem->params->gamma0;
        nnd_activation_apply(&f->problem->params->activation, t->count * f->sites, t->h[which],
                             t->phi, NULL, NULL, NULL);
        nnd_population_inner(f->population[f->depth - 1], t->count, t->phi, f->outputs,
                             readout_of(f, theta_of(f, which)), t->raw, f->outputs);
        cblas_daxpy((int)count, which == LEARNED ? scale : -scale, t->raw, 1, output, 1);
    }
}

static nnd_status ask_tests(nnd_wide_fields *f, tests *t) {
    nnd_status status = NND_OK;
    for (int which = 0; which < NETWORKS; which++)
        begin_tests(f, which, t);
    for (size_t l = 0; status == NND_OK && l + 1 < f->depth; l++) {
        status = draw_fresh(f, l, t);
        for (int which = 0; status == NND_OK && which < NETWORKS; which++)
            status = pass_layer(f, l, which, t);
    }
    if (status == NND_OK)
        end_tests(f, t);
    return status;
}

nnd_status nnd_wide_fields_tests(nnd_wide_fields *f) {
    size_t block = TESTS_AT_ONCE * f->sites, count = f->inputs - f->points;
    if (count == 0)
        return NND_OK;
    double *room =
        malloc((5 * block + TESTS_AT_ONCE * (TESTS_AT_ONCE + f->outputs)) * sizeof *room);
    nnd_status status =
        room != NULL ? NND_OK : nnd_fail_memory(f->problem->ctx, "the test samples");
    for (size_t first = 0; status == NND_OK && first < count; first += TESTS_AT_ONCE) {
        tests t = {first,
                   count - first < TESTS_AT_ONCE ? count - first : TESTS_AT_ONCE,
                   {room, room + block},
                   room + 2 * block,
                   room + 3 * block,
                   room + 4 * block,
                   room + 5 * block,
                   room + 5 * block + TESTS_AT_ONCE * TESTS_AT_ONCE};
        status = ask_tests(f, &t);
    }
    free(room);
    return status;
}

double nnd_wide_fields_bytes(const nnd_wide_fields *f, size_t *rank) {
    double bytes = (double)(f->slots * f->length) * sizeof(double);
    *rank = 0;
    for (size_t l = 0; l < f->depth; l++)
        if (l == 0 || f->population[l] != f->population[0])
            bytes += nnd_population_bytes(f->population[l]);
    for (size_t l = 0; l + 1 < f->depth; l++) {
        for (int d = 0; d < 2; d++) {
            size_t own = nnd_queried_rank(f->matrix[l], (nnd_direction)d);
            *rank = own > *rank ? own : *rank;
        }
        bytes += nnd_queried_bytes(f->matrix[l]);
    }
    return bytes;
}
