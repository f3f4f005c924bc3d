/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/scaling_students.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "core/divergence.h"

nnd_status nnd_scaling_errors_make(nnd_context *ctx, const nnd_scaling_task *task, size_t times,
                                   const double *time, nnd_scaling_errors *e) {
    *e = (nnd_scaling_errors){.times = times,
                              .modes = task->modes,
                              .students = task->projections * task->sets,
                              .time = time};
    bool done = true;
    for (size_t s = 0; s < e->students; s++) {
        e->v[s] = malloc(times * task->modes * sizeof(double));
        e->train[s] = malloc(times * sizeof(double));
        done = done && e->v[s] != NULL && e->train[s] != NULL;
    }
    return done ? NND_OK : nnd_fail_memory(ctx, "the errors of the students");
}

void nnd_scaling_errors_clear(nnd_scaling_errors *e) {
    for (size_t s = 0; s < NND_SCALING_STUDENTS; s++) {
        free(e->v[s]);
        free(e->train[s]);
    }
    *e = (nnd_scaling_errors){0};
}

double nnd_scaling_test_mse(const nnd_scaling_task *task, const nnd_scaling_errors *e,
                            size_t student, size_t i) {
    const double *v = e->v[student] + i * e->modes;
    return cblas_ddot((int)e->modes, v, 1, v, 1) + task->noise2;
}

bool nnd_scaling_check_divergence(const nnd_scaling_task *task, nnd_scaling_errors *e, size_t i) {
    double limit = nnd_divergence_limit(NND_DIVERGENCE_BOUND, task->start2, task->start2);
    for (size_t s = 0; s < e->students; s++)
        if (nnd_has_diverged(limit, nnd_scaling_test_mse(task, e, s, i))) {
            e->diverged_at = e->time[i];
            return true;
        }
    return false;
}
