/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * Quadrature over the spectrum of a sample covariance S = X^T X/P (alignment.md#s4), for
 * estimators beta = phi(S) X^T y/P with an entire function phi: those of early-stopped training.
 *
 * A rule is a set of nodes z_j; whatever is asked of phi is a sum over its values there. Two rules:
 * nodes of the Marchenko-Pastur law (isotropic covariance, equal inputs), and nodes on an ellipse
 * around the spectrum, for any covariance, where the resolvent of S is its deterministic
 * equivalent: beta = -sum_j w_j phi(z_j) beta_ridge(lambda = -z_j), so that overlaps are double
 * sums of those of two ridge regressions. Both converge exponentially in the number of nodes.
 */
#ifndef NNDMFT_SOLVERS_SPECTRAL_RULE_H
#define NNDMFT_SOLVERS_SPECTRAL_RULE_H

#include "nndmft/api.h"
#include "nndmft/solvers/equivalent.h"

NND_API_BEGIN

/** A rule; made with one of the two functions below, freed with nnd_spectral_rule_clear. */
typedef struct {
    size_t count;         /**< nodes */
    nnd_complex *z;       /**< nodes; those of a contour in the upper half plane only */
    nnd_complex *learn;   /**< <F>_c = (X^T y/P) F(S) (X^T y/P) = Re sum_j learn_j F(z_j) */
    nnd_complex *weight;  /**< contour: dz/(2 pi i), else NULL */
    nnd_complex *kappa;   /**< contour: kappa(-z_j), else NULL */
    double *density;      /**< Marchenko-Pastur: omega_j z_j, else NULL */
    nnd_complex *moment;  /**< contour: count x moments, sums over eigenvalues; else NULL */
    double edge[2];       /**< of the positive spectrum */
    double label2;        /**< |y|^2/P */
    nnd_eigenmodes modes; /**< borrowed */
    nnd_pair_task task;
} nnd_spectral_rule;

/** Of a predictor with teacher and label noise of variance 1 each: Q_aa = f + h. */
typedef struct {
    double f, h;       /**< what the teacher and the noise contribute */
    double df, dh;     /**< coefficients of 1/D in their means */
    double ff, fh, hh; /**< covariances of sums over eigenvalues, times D */
} nnd_unit_overlaps;

/**
 * Coefficients of 1/D at finite dimension, for a function phi that does not depend on the sample:
 * exact for linear regression; the flows of networks fluctuate besides. NaN where they are not
 * known: for a contour.
 */
typedef struct {
    double self, cross, teacher; /**< of the means of Q_aa, Q_ab, m; the same in each metric */
    double teacher_cosine;       /**< of the mean of m/sqrt(Q_aa |beta*|^2) */
    double cka;                  /**< of the CKA of rank-one representations, a ratio of means */
    double train_error;          /**< of its mean */
    nnd_unit_overlaps unit;
} nnd_dimension_shift;
/** Nothing is known: NaN throughout. */
extern const nnd_dimension_shift nnd_no_shift;

/**
 * The coefficient of 1/D of the CKA, a ratio of means, of networks with `count` outputs of
 * orthogonal teachers and independent label noise: their |beta*|^2 and sigma^2 are teacher2 and
 * noise, and the noises of the two networks have the correlation c. For one output it is
 * nnd_dimension_shift.cka.
 */
double nnd_outputs_cka_shift(size_t count, const double *teacher2, const double *noise, double c,
                             const nnd_unit_overlaps *unit);

/** Overlaps of two estimators; what is due to the teacher and to label noise apart. */
typedef struct {
    double self_signal[NND_METRICS], self_noise[NND_METRICS];
    double cross_signal[NND_METRICS], cross_noise[NND_METRICS];
    double teacher[NND_METRICS]; /**< m */
    double train_error;          /**< |y - X beta|^2/P */
    nnd_dimension_shift shift;
} nnd_spectral_overlaps;

/** Edges of the positive spectrum of S (inputs with noise included): exact. */
void nnd_sample_edges(const nnd_eigenmodes *modes, const nnd_pair_task *task, double edge[2]);

/** Whether the spectrum is the Marchenko-Pastur law: the modes are one eigenvalue 1 with
 * multiplicity 1 and the task has equal inputs without noise. */
bool nnd_has_marchenko_pastur(const nnd_eigenmodes *modes, const nnd_pair_task *task);

/** `count` nodes of the Marchenko-Pastur law, which must be that of the task, with the midpoint
 * rule.
 */
NND_MUST_USE nnd_status nnd_spectral_rule_isotropic(nnd_context *ctx, const nnd_eigenmodes *modes,
                                                    const nnd_pair_task *task, size_t count,
                                                    nnd_spectral_rule *rule);

/**
 * 2 `count` nodes on the ellipse whose foci are the edges and whose ends are `reach` > 0 beyond
 * them. |phi| should not be much larger there than on the spectrum. NND_NOT_CONVERGED with a
 * message if kappa is not found at a node (the rule is empty then).
 */
NND_MUST_USE nnd_status nnd_spectral_rule_contour(nnd_context *ctx, const nnd_eigenmodes *modes,
                                                  const nnd_pair_task *task, double reach,
                                                  size_t count, nnd_spectral_rule *rule);
/** Frees what the struct holds and zeroes it. */
void nnd_spectral_rule_clear(nnd_spectral_rule *rule);

/** <F>_c for the values F(z_j) of a real entire function. */
double nnd_spectral_learn(const nnd_spectral_rule *rule, const nnd_complex *values);
/** |y - X beta|^2/P of phi(z_j). */
double nnd_spectral_train_error(const nnd_spectral_rule *rule, const nnd_complex *phi);

/**
 * Overlaps at `times` times; phi holds times x count values phi(z_j). For a contour the cost is
 * O(count^2 times), by tiles whose size does not depend on anything.
 */
NND_MUST_USE nnd_status nnd_spectral_overlap(nnd_context *ctx, const nnd_spectral_rule *rule,
                                             size_t times, const nnd_complex *phi,
                                             nnd_spectral_overlaps *overlaps);

NND_API_END

#endif
