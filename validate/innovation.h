/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * What each part of a deep network at initialisation adds at random to what lies below it: its mean
 * given what lies below is zero at any width, which makes control variates of any depth.
 */
#ifndef NNDMFT_VALIDATE_INNOVATION_H
#define NNDMFT_VALIDATE_INNOVATION_H

#include "validate/network.h"

/** How a block of networks is looked at; depth counts hidden layers. */
typedef struct {
    const nnd_activation *activation; /**< of hidden layers */
    double sigma2;                    /**< sigma_w^2 */
    size_t depth, all;                /**< all: samples of the networks */
    size_t samples, deep;             /**< that take part, below the second layer and from it on */
    const double *gram;               /**< K^x of all samples; borrowed */
    double *direction;                /**< u, v over samples, u over deep ones */
    double *phi, *slope;              /**< means of the first layer, samples^2 each */
    double *below, *layer;            /**< scratch, all^2 each */
    double *mean;                     /**< scratch, deep^2 */
    double *vector;                   /**< scratch, 2 N */
    bool known, further; /**< whether quadrature resolves the means of first and further layers */
    bool second;         /**< whether there is a direction v */
    double unit;         /**< of the first layer along u */
} nnd_innovations;

/** In units of about one standard deviation. */
typedef struct {
    double output[2]; /**< along u and v, given the last hidden layer; its standard normal */
    double readout;   /**< of the squares of readout weights in the kernel; variance 1 */
    double first[2];  /**< u'Phi u and u'Phi v of the first layer */
    double slope;     /**< the same of phi' phi' K^x along u */
    double deep;      /**< u'Phi u of all further layers together; 0 with one layer */
    double backward;  /**< of squared norms of the readout sent back through them */
} nnd_innovation;

/**
 * Along the direction of `targets` over the first samples, or of the first sample alone (NULL):
 * then `first` and `deep` have variance 1 exactly, not about. `trained` of `all` samples have
 * targets; gram is all x all. Clear takes half-made ones.
 */
NND_MUST_USE nnd_status nnd_innovations_make(nnd_context *ctx, const nnd_activation *activation,
                                             double sigma_w, size_t depth, size_t width,
                                             size_t trained, size_t all, const double *gram,
                                             const double *targets, nnd_innovations *x);
void nnd_innovations_clear(nnd_innovations *x);
/** Of network b after its first forward pass. `first` and `slope` are NaN unless known. */
void nnd_innovations_take(nnd_innovations *x, const nnd_network *net, size_t b,
                          nnd_innovation *out);

#endif
