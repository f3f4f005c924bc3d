/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "validate/wide_mlp_control.h"

#include <math.h>
#include <stdlib.h>

/* Which innovations there are. Orthonormal columns of (W0, w) are not Gaussian: the first layer has
 * no mean known at finite width, and with one layer w^2 depends on it. The sign of w is free still;
 * with more layers, rows of the matrix below w are independent of it, so that w^2 - 1, which sums
 * to 0, has the mean 0 against what they make. */
typedef struct {
    bool across, readout, first, first_across, slope, further, backward;
} selection;

static selection select_of(const nnd_wide_mlp *p, const nnd_innovations *x) {
    bool gaussian = !p->orthonormal_init, deep = p->depth > 1;
    return (selection){
        .across = x->second && !p->center,
        .readout = gaussian || deep,
        .first = gaussian && x->known,
        .first_across = gaussian && x->second,
        .slope = gaussian && x->known && !deep && p->activation.name != NND_LINEAR,
        .further = x->further,
        .backward = deep,
    };
}

/* With skip connections or biases no mean is known; of many samples none is computed, from the Gram
 * matrices of all layers. */
static bool has_none(const nnd_wide_mlp *p) {
    return !p->control || p->residual != NND_RESIDUAL_NONE || p->sigma_b > 0.0 ||
           nnd_wide_mlp_has_many(p);
}

nnd_status nnd_wide_control_make(const nnd_wide_block *block, nnd_innovations *x) {
    const nnd_wide_mlp *p = block->params;
    *x = (nnd_innovations){0};
    if (has_none(p))
        return NND_OK;
    double *first = malloc(block->training * sizeof *first);
    if (first == NULL)
        return nnd_fail_memory(block->ctx, "the control variates");
    for (size_t mu = 0; mu < block->training; mu++)
        first[mu] = block->set.targets[mu * block->outputs];
    nnd_status status =
        nnd_innovations_make(block->ctx, &p->activation, p->sigma_w, block->depth, block->width,
                             block->training, block->net.samples, block->set.gram, first, x);
    free(first);
    return status;
}

size_t nnd_wide_controls(const nnd_wide_mlp *p, const nnd_innovations *x) {
    if (has_none(p))
        return 0;
    selection s = select_of(p, x);
    return 1 + (size_t)s.across + (size_t)s.readout + (size_t)s.first + (size_t)s.first_across +
           (size_t)s.slope + (size_t)s.further + (size_t)s.backward;
}

void nnd_wide_control_take(const nnd_wide_block *block, nnd_innovations *x, size_t b,
                           double *control) {
    selection s = select_of(block->params, x);
    nnd_innovation i;
    nnd_innovations_take(x, &block->net, b, &i);
    const struct {
        bool wanted;
        double value;
    } all[] = {
        {true, i.output[0]},   {s.across, i.output[1]},      {s.readout, i.readout},
        {s.first, i.first[0]}, {s.first_across, i.first[1]}, {s.slope, i.slope},
        {s.further, i.deep},   {s.backward, i.backward},
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (all[k].wanted)
            *control++ = all[k].value;
}
