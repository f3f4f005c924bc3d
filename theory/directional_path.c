/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/directional_path.h"

#include <math.h>
#include <stdlib.h>

#include "core/timegrid.h"

static nnd_status make_times(nnd_context *ctx, nnd_directional_path *path) {
    const nnd_directional *p = path->params;
    bool flow = p->integrator == NND_GRADIENT_FLOW;
    nnd_reals times;
    nnd_status status = nnd_record_axis(ctx, flow, flow ? p->time : p->steps, &p->record,
                                        (size_t)p->record_every, &times);
    path->t = times.value;
    path->count = times.count;
    return status;
}

static nnd_status make_averages(nnd_context *ctx, nnd_directional_path *path) {
    const nnd_law *law = &path->params->law;
    bool mixture = law->kind == NND_LAW_MIXTURE, sphere = law->kind == NND_LAW_SPHERE;
    const double one = 1.0, radius = law->radius / sqrt((double)path->params->dim);
    nnd_logistic_law of = {
        .sphere = sphere ? (size_t)path->params->dim : 0,
        .components = mixture  ? law->mixture.weights.count
                      : sphere ? 1
                               : 0,
        .weight = mixture ? law->mixture.weights.value : &one,
        .scale = mixture ? law->mixture.scales.value : &radius,
    };
    nnd_status status = nnd_logistic_new(ctx, &of, &path->averages);
    if (status == NND_OK)
        path->constants = nnd_logistic_constants_of(path->averages);
    return status;
}

nnd_status nnd_directional_path_make(nnd_context *ctx, const nnd_directional *p,
                                     nnd_directional_path *path) {
    *path = (nnd_directional_path){.params = p, .diverged_at = NAN, .turn = {NAN, NAN, NAN}};
    nnd_status status = make_averages(ctx, path);
    if (status == NND_OK)
        status = make_times(ctx, path);
    if (status != NND_OK)
        return status;
    path->point = calloc(path->count, sizeof *path->point);
    return path->point != NULL ? NND_OK : nnd_fail_memory(ctx, "the path of the predictor");
}

nnd_status nnd_directional_path_follow(nnd_context *ctx, nnd_directional_path *path) {
    return path->params->integrator == NND_GRADIENT_FLOW ? nnd_directional_flow(ctx, path)
                                                         : nnd_directional_descend(ctx, path);
}

void nnd_directional_path_clear(nnd_directional_path *path) {
    nnd_logistic_free(path->averages);
    free(path->t);
    free(path->point);
    *path = (nnd_directional_path){0};
}
