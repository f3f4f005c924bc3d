/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * A wide network on sampled sites (wide-mlp.md#s3): its parameters, of which there may be several
 * sets (a state, a velocity, the stages of a Runge-Kutta method), and the queries that evaluate
 * one: fields, outputs, residuals, the gradient.
 *
 * Fields are points x sites, one such block per layer l = 1..L (index l - 1); training samples come
 * first among the points.
 */
#ifndef NNDMFT_THEORY_WIDE_MLP_FIELDS_H
#define NNDMFT_THEORY_WIDE_MLP_FIELDS_H

#include "theory/wide_mlp_march.h"

/** The network; the fields are those of the last evaluation. */
typedef struct {
    const nnd_wide_problem *problem;
    const nnd_wide_sampling *sampling;
    size_t sites, points, depth, samples, outputs;
    size_t inputs; /**< vectors of h^1: the points, then test samples that do not march */
    nnd_population **population; /**< L, all of them one where there are skip connections */
    nnd_queried **matrix;        /**< L - 1: M^1 .. M^{L-1} */

    /* Sets of parameters; C of M^l of each is an update of that matrix. */
    size_t slots, length;
    double *theta; /**< slots x length: h^1 without bias (inputs), z (outputs), biases (L, or none),
                      outputs' biases */
    double *kappa; /**< of each slot */
    double *start; /**< theta of slot 0 as it was drawn */

    double *h, *phi, *slope; /**< L blocks each */
    /** L blocks: backward fields u of the last evaluation, of `queried` points each. With one
     * output of all points, and u = g; else of training samples, u = d/|Delta|. */
    double *u;
    size_t queried;
    double *amplitude;      /**< Delta, or |Delta|: d = amplitude u */
    double *output, *delta; /**< inputs x outputs, samples x outputs */
    double *readout;        /**< z of the last evaluation, outputs x sites */
    double *unlearned;      /**< <z phi> of the unlearned network, points x outputs */
    bool begun;             /**< it is known */
    double *back, *coef,
        *weight;             /**< scratch: inputs x sites; inputs x (points + outputs); samples */
    double *longest, *least; /**< L x samples: of each |d| so far; samples: in units of u, where a
                                query's length is judged */
    bool resting;            /**< the last gradient was 0 */
} nnd_wide_fields;

/** A network as it is drawn, in slot 0; to be cleared in any case. */
NND_MUST_USE nnd_status nnd_wide_fields_make(const nnd_wide_problem *problem,
                                             const nnd_wide_sampling *sampling, size_t slots,
                                             nnd_wide_fields *fields);
void nnd_wide_fields_clear(nnd_wide_fields *fields);
/** Block of layer l + 1 of a field. */
double *nnd_wide_fields_layer(const nnd_wide_fields *fields, double *field, size_t l);

/** The functions of nnd_wide_dynamics; `data` is the network. */
NND_MUST_USE nnd_status nnd_wide_fields_evaluate(nnd_wide_fields *fields, size_t slot);
NND_MUST_USE nnd_status nnd_wide_fields_gradient(nnd_wide_fields *fields, size_t slot, double keep,
                                                 double factor, double felt, const double *weight);
void nnd_wide_fields_combine(nnd_wide_fields *fields, size_t slot, double keep, double factor,
                             size_t other);
double nnd_wide_fields_size(const nnd_wide_fields *fields, size_t slot);

/** Gram matrices of the blocks of a field, all layers: L x points x points. */
void nnd_wide_fields_grams(const nnd_wide_fields *fields, double *field, double *gram);
/**
 * Gram matrices of the backward fields g_{mu c} of all points and outputs, all layers: L x n x n
 * with n = points x outputs. By queries that are forgotten, their fresh parts integrated out
 * (wide-mlp.md#eq20).
 */
NND_MUST_USE nnd_status nnd_wide_fields_backward_grams(const nnd_wide_fields *fields, double *gram);
/** Outputs of the test samples that do not march, from directions that are known, into `output`
 * (wide-mlp.md#s13-5). */
NND_MUST_USE nnd_status nnd_wide_fields_tests(nnd_wide_fields *fields);
/** Bytes in use, and the largest number of directions of a matrix. */
double nnd_wide_fields_bytes(const nnd_wide_fields *fields, size_t *rank);

#endif
