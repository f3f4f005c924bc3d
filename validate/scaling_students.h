/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Random-feature students from their task to their errors at the recorded times. */
#ifndef NNDMFT_VALIDATE_SCALING_STUDENTS_H
#define NNDMFT_VALIDATE_SCALING_STUDENTS_H

#include "validate/scaling_task.h"

/** Errors of all students; student (i, j) is number i sets + j. */
typedef struct {
    size_t times, modes, students;
    const double *time;                  /**< times */
    size_t recorded;                     /**< those before divergence; the rest is not set */
    double *v[NND_SCALING_STUDENTS];     /**< times x M: (w - A^T theta/sqrt N)_k sqrt lambda_k */
    double *train[NND_SCALING_STUDENTS]; /**< times: |y - f|^2/P, or the population loss */
    double top;         /**< largest eigenvalue of the training kernel, mean; NaN: not known */
    double diverged_at; /**< NaN: did not */
} nnd_scaling_errors;

/** `time` is borrowed. */
NND_MUST_USE nnd_status nnd_scaling_errors_make(nnd_context *ctx, const nnd_scaling_task *task,
                                                size_t times, const double *time,
                                                nnd_scaling_errors *errors);
void nnd_scaling_errors_clear(nnd_scaling_errors *errors);
/** Test loss of a student at recorded time i, noise included. */
double nnd_scaling_test_mse(const nnd_scaling_task *task, const nnd_scaling_errors *errors,
                            size_t student, size_t i);
/** True, with diverged_at set, if a student's test loss is beyond all bounds at time i. */
bool nnd_scaling_check_divergence(const nnd_scaling_task *task, nnd_scaling_errors *errors,
                                  size_t i);

/** Students of a drawn task trained by flow, gd or ridge: one eigenproblem each. */
NND_MUST_USE nnd_status nnd_scaling_train_spectral(nnd_context *ctx, const nnd_scaling_task *task,
                                                   nnd_scaling_errors *errors);
/** Students of a drawn task trained by one-pass or mini-batch SGD, step by step. */
NND_MUST_USE nnd_status nnd_scaling_train_batches(nnd_context *ctx, const nnd_scaling_task *task,
                                                  nnd_rng_key key, nnd_scaling_errors *errors);

#endif
