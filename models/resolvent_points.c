/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "models/resolvent_points.h"

#include <math.h>
#include <stdlib.h>

#include "nndmft/number.h"

static const double POINTS[][2] = {{-1.0, 0.0}, {1.0, 1.0}, {2.0, 1.0}};

/* The transform has its poles on the positive real axis. */
bool nnd_points_check(const nnd_dense *points, nnd_objection *o) {
    if (points->name != NULL)
        return nnd_object(o, "points", "'%s' is a text; allowed: [[re, im], ...]", points->name);
    if (points->rows > 0 && points->cols != 2)
        return nnd_object(o, "points", "rows of %zu; allowed: [[re, im], ...]", points->cols);
    for (size_t i = 0; i < points->rows; i++) {
        double re = points->value[2 * i], im = points->value[2 * i + 1];
        if (!(im > 0.0 || (im == 0.0 && re < 0.0)))
            return nnd_object(o, "points", "[%g, %g]; allowed: im > 0, or im = 0 with re < 0", re,
                              im);
        for (size_t j = 0; j < i; j++)
            if (re == points->value[2 * j] && im == points->value[2 * j + 1])
                return nnd_object(o, "points", "[%g, %g] stands there twice", re, im);
    }
    return true;
}

size_t nnd_points_count(const nnd_dense *points) {
    return points->rows > 0 ? points->rows : sizeof POINTS / sizeof *POINTS;
}

void nnd_points_at(const nnd_dense *points, size_t i, double *re, double *im) {
    const double *at = points->rows > 0 ? points->value + 2 * i : POINTS[i];
    *re = at[0];
    *im = at[1];
}

nnd_status nnd_points_add(const nnd_dense *points, nnd_frame *frame) {
    enum { LONG = 64 };
    size_t count = nnd_points_count(points);
    char(*text)[LONG] = calloc(count, sizeof *text);
    const char **name = calloc(count, sizeof *name);
    nnd_status status = NND_OK;
    if (text == NULL || name == NULL)
        status = nnd_fail_memory(nnd_frame_context(frame), "the points");
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        double re, im;
        nnd_points_at(points, i, &re, &im);
        if (im > 0.0)
            nnd_format(text[i], LONG, "%.10g+%.10gi", re, im);
        else
            nnd_format(text[i], LONG, "%.10g", re);
        name[i] = text[i];
    }
    if (status == NND_OK)
        status = nnd_frame_add_text_dim(frame, "point", count, name);
    free(text);
    free(name);
    return status;
}

nnd_status nnd_eigenvalues_add(const nnd_reals *z, nnd_frame *frame) {
    double *s = calloc(z->count, sizeof *s);
    if (s == NULL)
        return nnd_fail_memory(nnd_frame_context(frame), "the grid of a density");
    for (size_t i = 0; i < z->count; i++)
        s[i] = sqrt(z->value[i]);
    nnd_status status = nnd_frame_add_dim(frame, "z", NND_COORD_REAL, z->count, z->value);
    if (status == NND_OK)
        status = nnd_frame_add_dim(frame, "s", NND_COORD_REAL, z->count, s);
    free(s);
    return status;
}
