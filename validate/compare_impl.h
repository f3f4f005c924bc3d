/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to the comparison: choice.c chooses variables, pairing.c pairs their points, freedom.c
 * knows how well error bars are known, null_law.c how far apart points may be by chance, verdict.c
 * judges, compare.c does one after the other. */
#ifndef NNDMFT_VALIDATE_COMPARE_IMPL_H
#define NNDMFT_VALIDATE_COMPARE_IMPL_H

#include "nndmft/compare.h"
#include "nndmft/frame.h"
#include "nndmft/table.h"

/** A simulated variable and what it is held against. */
typedef struct {
    const char *name;
    nnd_check_kind check;        /**< never NND_CHECK_NONE */
    const nnd_array *mc, *mc_se; /**< estimate and standard error */
    const nnd_array *theory;     /**< the curve, or the bound; NULL: the number `bound` */
    const nnd_array *theory_se;  /**< NULL: exact */
    const nnd_array *min_size;   /**< NULL: no limit */
    double bound;
    double unsized;   /**< the size of networks that come without one; DBL_MAX: unknown */
    bool broadcast;   /**< the bound is another quantity, which may lack dimensions of this one */
    double quadratic; /**< what an error bar depends on the value by: 1 of N var and N cov, 1/4 of a
                           standard deviation s, whose variance is s^2/(2n); 0: not */
} nnd_pair;

/** The variables that are compared. */
typedef struct {
    nnd_context *ctx;
    const nnd_model *model;
    const nnd_frame *theory, *mc;
    size_t count;
    nnd_pair *pair; /**< owned */
} nnd_choice;

/** Those of `vars`; or all, in the order of theory, then those for which theory has but a bound. */
NND_MUST_USE nnd_status nnd_choose_variables(nnd_choice *c, const nnd_texts *vars);

enum { NND_THEORY_SIDE, NND_MC_SIDE, NND_SIDES };

/** Where each common coordinate of a dimension of `out` stands on either side. */
typedef struct {
    size_t *position[NND_SIDES];
} nnd_match;

/** Theory, simulation, and the frame /compare that grows from them. Begin with `out` empty. */
typedef struct {
    nnd_context *ctx;
    const nnd_frame *side[NND_SIDES];
    const nnd_frame *influence; /**< NULL: unknown */
    const double *seeds;        /**< per size; NULL or 0: unknown */
    double until;               /**< latest value of `t` that counts */
    nnd_frame *out;
    nnd_match *match; /**< one per dimension of `out` */
} nnd_pairing;

/** The paired points of a variable; free with nnd_points_clear. */
typedef struct {
    size_t count;
    size_t t_length, t_stride;      /**< of the dimension `t`; 1, 1 if there is none */
    const double *theory, *mc, *se; /**< in the frame /compare */
    double *difference, *z;         /**< there too; filled by nnd_examine, NaN if left out */
    double *theory_se;              /**< its part in se; owned, as all that follows */
    double *error;                  /**< se if theory is right */
    double *scale;                  /**< largest |theory| over t; filled by nnd_examine */
    bool *extrapolated, *judged;
    size_t unclaimed; /**< how many theory claims at none of the sizes */
    size_t columns;   /**< groups of all sizes; 0: influences are not known */
    double *share;    /**< count x columns: what each group contributes to mc; NaN: not kept */
} nnd_points;

void nnd_points_clear(nnd_points *points);

/** Adds x_theory, x_mc, x_diff, x_se, x_z of a variable to the frame and pairs its points. */
NND_MUST_USE nnd_status nnd_pairing_add(nnd_pairing *p, const nnd_pair *pair, nnd_points *points);
/** Frees the matches; the frame stays. */
void nnd_pairing_clear(nnd_pairing *p);

/** Draws of the null law. */
enum { NND_DRAWS = 2000 };

/**
 * Draws of the largest |z| of a variable if theory is right. A draw multiplies the contributions of
 * each group of seeds by one normal number, the same for all variables and points, adds noise of
 * theory's own error, and divides by an error bar that fluctuates with `freedom` degrees of
 * freedom. `maximum` receives NND_DRAWS numbers. `variable` counts the variables of a comparison.
 */
NND_MUST_USE nnd_status nnd_null_maxima(nnd_context *ctx, uint64_t base_seed, size_t variable,
                                        double freedom, const nnd_points *points, double *maximum);

/** Differences, z, deviations: what can be said of each point by itself. */
void nnd_examine(nnd_check_kind check, double rtol, nnd_points *points, nnd_comparison_row *row);

/** What a point may deviate by, relative to scale: of a single size, or extrapolated. */
double nnd_point_tolerance(double rtol, const nnd_points *points, size_t i);

/** A variable as the verdict needs it. */
typedef struct {
    const nnd_pair *pair;
    nnd_points points;
    double freedom;  /**< degrees of freedom of its error bars */
    double *maximum; /**< of the null law; NULL: Bonferroni */
} nnd_candidate;

/** comparison->sizes and seeds. */
NND_MUST_USE nnd_status nnd_find_seeds(nnd_context *ctx, const nnd_simulated *simulated,
                                       nnd_comparison *comparison);
/** v->freedom, from the seeds, the groups, and the replicates of a sampled theory. */
NND_MUST_USE nnd_status nnd_find_freedom(const nnd_choice *c, const nnd_simulated *simulated,
                                         const nnd_comparison *comparison, nnd_candidate *v);

/** How many times as many seeds there must be for the error bars that there are: with fewer than
 *  NND_SEEDS_PER_COEFFICIENT per coefficient nothing is regressed on control variates. */
double nnd_least_more_seeds(const nnd_simulated *simulated, const nnd_comparison *c);

/** p, band, verdict and the seeds that would decide of all rows, and comparison->critical. */
NND_MUST_USE nnd_status nnd_judge(nnd_context *ctx, const nnd_compare_options *options,
                                  const nnd_candidate *candidate, nnd_comparison *comparison);

#endif
