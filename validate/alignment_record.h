/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What one pair of networks shows at one time, per seed; estimates are made of it. */
#ifndef NNDMFT_VALIDATE_ALIGNMENT_RECORD_H
#define NNDMFT_VALIDATE_ALIGNMENT_RECORD_H

#include "validate/alignment_measure.h"
#include "validate/alignment_pair.h"

/** The measurements; names as variables of the model, or what their estimators take. */
enum {
    NND_ALIGN_SIGNAL,
    NND_ALIGN_SELF,
    NND_ALIGN_NOISE,
    NND_ALIGN_COSINE_PAIR,
    NND_ALIGN_CKA_CROSS,
    NND_ALIGN_CKA_SELF,
    NND_ALIGN_CKA_PAIR,
    NND_ALIGN_CKA_PROBE,
    NND_ALIGN_CKA_DEBIASED,
    NND_ALIGN_TEACHER_OVERLAP,
    NND_ALIGN_TEACHER_COSINE,
    NND_ALIGN_GEN_ERROR,
    NND_ALIGN_TRAIN_ERROR,
    NND_ALIGN_SIMILAR, /**< first of the measures of similarity, which end with the imbalance in
                            both directions */
    NND_ALIGN_NULL = NND_ALIGN_SIMILAR + 8, /**< first of their null levels, and that of CKA */
    NND_ALIGN_MEASURES = NND_ALIGN_NULL + 9
};

/** Names in the order of the enumeration; two directions share one. */
extern const char *const nnd_alignment_measure_names[NND_ALIGN_MEASURES];
/** Whether these parameters ask for a measurement. */
bool nnd_alignment_is_measured(const nnd_alignment *params, size_t measure);
/** Which direction a measurement is of, and how many there are (1: it has none). */
size_t nnd_alignment_direction(size_t measure, size_t *directions);

/** Overlaps of two predictors with each other and the teacher, in one metric. */
typedef struct {
    double cross, self[2], teacher[2], teacher_self;
} nnd_predictor_overlaps;

/** Fills what follows from overlaps and CKA. */
void nnd_alignment_record_overlaps(const nnd_predictor_overlaps *overlaps, double *measure);
void nnd_alignment_record_cka(const nnd_cka_traces *traces, double *measure);

/** Representations of the probes, points x width[b] features each, as parameters ask for. */
NND_MUST_USE nnd_status nnd_alignment_record_probes(nnd_context *ctx, const nnd_alignment *params,
                                                    nnd_rng_key key, size_t points,
                                                    const size_t width[2],
                                                    const double *const features[2],
                                                    double *measure);

/**
 * Linear networks with predictors b (C x D) and hidden layers h (rows x D), on all of the probes'
 * distribution, and on `probes` (NULL: none; params->probe.points x D). Training errors are given.
 */
NND_MUST_USE nnd_status nnd_alignment_record_linear(nnd_context *ctx,
                                                    const nnd_alignment_pair *pair,
                                                    const double *const b[2], const size_t rows[2],
                                                    const double *const h[2],
                                                    const double train_error[2], nnd_rng_key key,
                                                    const double *probes, double *measure);

#endif
