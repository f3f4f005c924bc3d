/* SPDX-License-Identifier: GPL-3.0-or-later */
/** Curves of a training that are drawn, with their sweep and their layers. */
#ifndef NNDMFT_TESTS_TRAINING_PLOTS_H
#define NNDMFT_TESTS_TRAINING_PLOTS_H

#include <math.h>

#include "plots.h"

static double *add(nnd_frame *frame, const char *name, const char *dims) {
    double *data;
    assert_ok(nnd_frame_add(frame, name, dims, &data));
    const nnd_array *array = nnd_frame_find(frame, name);
    for (size_t i = 0; i < array->count; i++)
        data[i] = exp(-0.05 * (double)(i % 41)) + 0.1 * (double)(i / 41);
    return data;
}

/* Three sweep values, 41 times, four layers; the simulation at two sizes. */
static void fill(nnd_frame *frame, bool mc) {
    const double gamma0[] = {0.5, 1.0, 2.0}, sizes[] = {256.0, 1024.0};
    assert_ok(nnd_frame_add_dim(frame, "gamma0", NND_COORD_REAL, 3, gamma0));
    if (mc)
        assert_ok(nnd_frame_add_dim(frame, "size", NND_COORD_INTEGER, 2, sizes));
    assert_ok(nnd_frame_add_range(frame, "t", 41, 0.0));
    assert_ok(nnd_frame_add_range(frame, "s", 41, 0.0));
    assert_ok(nnd_frame_add_range(frame, "layer", 4, 0.0));
    add(frame, "test_risk", mc ? "gamma0,size,t" : "gamma0,t");
    add(frame, "train_mse", mc ? "gamma0,size,t" : "gamma0,t");
    add(frame, "g_norm2", mc ? "gamma0,size,t,layer" : "gamma0,t,layer");
    add(frame, "delta_two_time", mc ? "gamma0,size,t,s" : "gamma0,t,s");
    add(frame, "cosine", mc ? "gamma0,size" : "gamma0");
    if (mc)
        add(frame, "test_risk_se", "gamma0,size,t");
    assert_ok(nnd_frame_set_text(frame, "test_risk", "long_name", "excess test risk"));
    assert_ok(nnd_frame_set_text(frame, "test_risk", "units", "bits"));
}

static void setup(void) {
    static char model[] = "deep-linear", text[] = "model: deep-linear\nname: it's\n";
    plot_setup(model, text);
    fill(result.theory, false);
    fill(result.mc, true);
}

#endif
