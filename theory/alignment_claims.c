/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/alignment_claims.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

/* The part of a value that a correction of finite dimension may be: of the default tolerance of
 * comparisons, 2 %, it must leave the noise a good part. */
static const double NEGLIGIBLE = 0.0125;

/* Nodes for ridge regression; claims need no more than a few digits. */
enum { NODES = 512 };

nnd_status nnd_alignment_ridge_shift(nnd_context *ctx, const nnd_alignment_problem *x,
                                     double lambda, nnd_dimension_shift *shift) {
    *shift = nnd_no_shift;
    if (!nnd_has_marchenko_pastur(&x->modes, &x->pair))
        return NND_OK;
    nnd_spectral_rule rule = {0};
    nnd_spectral_overlaps overlaps;
    double complex *phi = calloc(NODES, sizeof *phi);
    nnd_status status = phi != NULL
                            ? nnd_spectral_rule_isotropic(ctx, &x->modes, &x->pair, NODES, &rule)
                            : nnd_fail_memory(ctx, "the nodes");
    for (size_t j = 0; status == NND_OK && j < NODES; j++)
        phi[j] = 1.0 / (rule.z[j] + lambda);
    if (status == NND_OK)
        status = nnd_spectral_overlap(ctx, &rule, 1, phi, &overlaps);
    if (status == NND_OK)
        *shift = overlaps.shift;
    nnd_spectral_rule_clear(&rule);
    free(phi);
    return status;
}

double nnd_alignment_claim(double shift, double value) {
    if (isnan(shift) || isnan(value) || shift == 0.0)
        return 0.0;
    return fabs(shift / value) / NEGLIGIBLE;
}

/* Directions that carry about the same variance. */
static double participation(const nnd_alignment *p, const nnd_alignment_problem *x) {
    double sum = 0.0, square = 0.0;
    for (size_t i = 0; i < x->modes.count; i++) {
        double s = x->modes.eigenvalue[i] + p->input_noise;
        sum += x->modes.multiplicity[i] * s;
        square += x->modes.multiplicity[i] * s * s;
    }
    return sum * sum / square;
}

static bool is_diagonal(const nnd_dense *m, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (i != j && nnd_alignment_output(m, i, j) != 0.0)
                return false;
    return true;
}

enum { OUTPUTS = 100 }; /* as many as the model allows */

/* Of CKA; NaN where it is not known. */
static double cka_shift(const nnd_alignment *p, const nnd_alignment_problem *x,
                        const nnd_dimension_shift *shift) {
    double teacher2[OUTPUTS], noise[OUTPUTS];
    size_t n = (size_t)p->outputs;
    if (p->training == NND_ALIGN_WHITE || p->training == NND_ALIGN_GAUSSIAN)
        return NAN;
    if (n == 1)
        return shift->cka;
    if (n > OUTPUTS || !is_diagonal(&p->output_gram, n) || !is_diagonal(&p->output_noise, n))
        return NAN;
    for (size_t i = 0; i < n; i++) {
        teacher2[i] = x->norm2 / x->teachers * nnd_alignment_output(&p->output_gram, i, i);
        noise[i] = x->pair.label_noise / x->noises * nnd_alignment_output(&p->output_noise, i, i);
    }
    return nnd_outputs_cka_shift(n, teacher2, noise, p->noise_correlation, &shift->unit);
}

/* Where the correction is not known it is estimated by that of a correlation coefficient rho of n
 * pairs of normals, whose variance is (1 - rho^2)^2/n: n is the number of samples, or of directions
 * that share the variance, whichever is less. Of a hidden layer that knows more than one predictor
 * CKA = 1 - g (1 - rho^2) leaves this part g of the variance. Of C outputs each has C overlaps. */
double nnd_alignment_cka_claim(const nnd_alignment *p, const nnd_alignment_problem *x,
                               const nnd_dimension_shift *shift, double cka, double rho) {
    if (!(cka > 0.0))
        return INFINITY;
    double per_dim = fmin(participation(p, x) / x->per_alpha, p->alpha);
    double known = cka_shift(p, x, shift);
    double apart = p->outputs == 1 ? 1.0 - rho * rho : (double)p->outputs;
    return nnd_alignment_claim(isnan(known) ? (1.0 - cka) * apart / per_dim : known, cka);
}

/* W = W_0 + .. grows inside the span of the inputs alone, and a depends on W inside alone. Given a,
 * what W_0 adds to beta = W^T a outside is normal with covariance (variance/D) a_a . a_b for each
 * of (1 - alpha) D directions. |a|^2 = |beta| to first order, and a is parallel to W_0 X^T y, as in
 * the first growth, so that the cosine of two a is that of the X^T y: of ridge -> infinity. */
nnd_alignment_rest nnd_alignment_rest_of_start(const nnd_alignment *p,
                                               const nnd_alignment_problem *x, double q,
                                               bool sigma) {
    nnd_pair_overlaps first;
    double outside = 1.0 - p->alpha, trace = 0.0, directions = 0.0;
    if (p->training != NND_ALIGN_GAUSSIAN || !(outside > 0.0))
        return (nnd_alignment_rest){0.0, 0.0};
    for (size_t i = 0; i < x->modes.count; i++) {
        trace += x->modes.multiplicity[i] * x->modes.eigenvalue[i];
        directions += x->modes.multiplicity[i];
    }
    nnd_pair_ridge(&x->modes, &x->pair, 1e8 * (trace + x->pair.input_noise), &first);
    double self = p->init_scale * outside * sqrt(q) * (sigma ? trace / directions : 1.0);
    return (nnd_alignment_rest){self,
                                p->features == NND_INPUTS_SHARED ? self * first.cosine[0] : 0.0};
}

bool nnd_alignment_is_negligible(double change, double value) {
    return !(fabs(change) > NEGLIGIBLE * fabs(value));
}

/* Interpolation leaves round-off, or where a simulation stopped. Where the correction is not known
 * small training errors deviate most: they are claimed until they have fallen to a tenth. */
double nnd_alignment_train_claim(const nnd_alignment_problem *x, const nnd_dimension_shift *shift,
                                 double train_error) {
    if (train_error == 0.0)
        return INFINITY;
    if (isnan(shift->train_error))
        return train_error < 0.1 * (x->power + x->pair.label_noise) ? INFINITY : 0.0;
    return nnd_alignment_claim(shift->train_error, train_error);
}

/* The cosine of one network with its teacher is a ratio, biased by the variance of its parts; that
 * of beta* Sigma (X^T y/P), relative to its mean squared, is known. Where a few directions carry
 * the task it is large. */
double nnd_alignment_teacher_claim(const nnd_alignment *p, const nnd_alignment_problem *x,
                                   const nnd_dimension_shift *shift, double cosine) {
    double noise = x->power + x->pair.label_noise, mean = 0.0, square = 0.0;
    if (x->modes.count == 1)
        return nnd_alignment_claim(shift->teacher_cosine, cosine);
    for (size_t i = 0; i < x->modes.count; i++) {
        double s = x->modes.eigenvalue[i], signal = s * s * x->modes.teacher2[i];
        mean += signal;
        square += (s + p->input_noise) * signal;
    }
    double variance = (square * noise / (mean * mean) + 1.0) / x->pair.samples;
    return x->per_alpha * 0.5 * variance / (2.0 * NEGLIGIBLE);
}
