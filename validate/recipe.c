/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/recipe.h"

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
    if (status == NND_OK)
        *recipe = frame;
    else
        nnd_frame_free(frame);
    return status;
}
