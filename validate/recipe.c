/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/recipe.h"

#include "core/hand_over.h"

nnd_status nnd_recipe_new(nnd_context *ctx, size_t first, size_t count, double output_divisor,
                          const char *optimizer, nnd_frame **recipe, double **std, double **lr) {
    nnd_frame *frame = NULL;
    nnd_status status = nnd_frame_new(ctx, &frame);
    if (status == NND_OK)
        status = nnd_frame_add_range(frame, "matrix", count, (double)first);
    if (status == NND_OK)
        status = nnd_frame_add(frame, "init_std", "matrix", std);
    if (status == NND_OK)
        status = nnd_frame_add(frame, "raw_lr", "matrix", lr);
    if (status == NND_OK)
        status = nnd_frame_add_scalar(frame, "output_divisor", output_divisor);
    if (status == NND_OK)
        status = nnd_frame_set_text(frame, NULL, "optimizer", optimizer);
    nnd_hand_over(status == NND_OK, frame, recipe);
    return status;
}

nnd_status nnd_recipe_of_network(nnd_context *ctx, const nnd_network_plan *plan,
                                 double output_divisor, const char *optimizer, nnd_frame **recipe) {
    double *std = NULL, *lr = NULL;
    nnd_status status =
        nnd_recipe_new(ctx, 0, plan->layers, output_divisor, optimizer, recipe, &std, &lr);
    /* A step of W by eta is one of A by eta std^2. */
    for (size_t l = 0; status == NND_OK && l < plan->layers; l++) {
        std[l] = plan->layer[l].scale * (l + 1 == plan->layers ? output_divisor : 1.0);
        lr[l] = plan->layer[l].rate * std[l] * std[l];
    }
    return status;
}
