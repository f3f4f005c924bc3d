/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/deep_linear_interpolate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"

/* Runs whose polynomial is taken; the steps of those that are expected, over those of the last. */
enum { NODES = 6 };
static const double ALL_STEPS = (1.0 + 2.0 + 3.0 + 4.0 + 6.0 + 8.0) / 8.0;
/* The error that is looked for, and the largest one that is accepted where more steps do not help:
 * what the runs leave out, which the polynomial magnifies. */
static const double WANTED = 1e-6, ACCEPTED = 5e-4;

/* A run with fewer steps. */
typedef struct {
    int64_t steps;
    nnd_frame *frame;
} node;

/* The runs in the order of their steps, and the weights of their values at the steps wanted:
 * without the first one those of an order less. */
typedef struct {
    const nnd_deep_linear *p;
    size_t count;
    node node[NODES];
    double weight[NODES], less[NODES];
} runs;

/* ---- runs ---- */

/* Steps of run number k over those of the first: 1, 2, 3, 4, 6, 8, 12, ... */
static int64_t multiple(int k) {
    return k == 0 ? 1 : k % 2 == 1 ? INT64_C(1) << (k + 1) / 2 : INT64_C(3) << (k - 2) / 2;
}

static void drop(runs *r, size_t count) {
    for (size_t k = 0; k < count; k++)
        nnd_frame_free(r->node[k].frame);
    memmove(r->node, r->node + count, (r->count - count) * sizeof *r->node);
    r->count -= count;
}

static nnd_deep_linear node_params(const nnd_deep_linear *p, int64_t steps) {
    nnd_deep_linear q = *p;
    q.method = NND_METHOD_AUTO;
    q.steps = steps;
    q.lr = p->lr * ((double)p->steps / (double)steps);
    return q;
}

/* One more run. Where it diverges none with larger steps tells anything. */
static nnd_status add_run(nnd_context *ctx, runs *r, const nnd_reals *marks,
                          nnd_deep_linear_solver solve, int64_t steps) {
    nnd_deep_linear q = node_params(r->p, steps);
    nnd_frame *frame = NULL;
    q.record.count = marks->count;
    q.record.value = calloc(marks->count, sizeof *q.record.value);
    if (q.record.value == NULL)
        return nnd_fail_memory(ctx, "the recorded times");
    /* Exact: a recorded step is a multiple of what the numbers of steps differ by. */
    int64_t unit = nnd_deep_linear_record_unit(r->p), per_unit = steps / (r->p->steps / unit);
    for (size_t i = 0; i < marks->count; i++)
        q.record.value[i] = (double)((int64_t)marks->value[i] / unit * per_unit);
    nnd_status status = solve(ctx, &q, &frame);
    free(q.record.value);
    if (status == NND_OK) {
        if (r->count == NODES)
            drop(r, 1);
        r->node[r->count++] = (node){steps, frame};
        return NND_OK;
    }
    nnd_frame_free(frame);
    if (status == NND_DIVERGED)
        drop(r, r->count);
    return status == NND_DIVERGED ? NND_OK : status;
}

/* ---- the polynomial in eta0 ---- */

/* Lagrange's weights of runs `from` and later at eta0, of which run k has steps 1/n_k. */
static void set_weights(const runs *r, size_t from, double *weight) {
    double at = 1.0 / (double)r->p->steps;
    for (size_t k = 0; k < r->count; k++) {
        weight[k] = k < from ? 0.0 : 1.0;
        for (size_t j = from; j < r->count; j++)
            if (j != k)
                weight[k] *= (at - 1.0 / (double)r->node[j].steps) /
                             (1.0 / (double)r->node[k].steps - 1.0 / (double)r->node[j].steps);
    }
}

/* What runs with other steps have in other units: rates of modes times eta0. */
static double unit_of(const runs *r, const nnd_array *array, size_t k) {
    return strcmp(array->name, "stability") == 0 ? (double)r->node[k].steps / (double)r->p->steps
                                                 : 1.0;
}

/* The polynomial; what is the same in all runs is so to the last bit. */
static double mixed(const runs *r, const nnd_array *const *array, const double *weight, size_t i) {
    double sum = 0.0, last = array[r->count - 1]->data[i];
    bool same = true;
    for (size_t k = 0; k < r->count; k++) {
        double x = unit_of(r, array[k], k) * array[k]->data[i];
        same = same && x == last;
        if (weight[k] != 0.0)
            sum += weight[k] * x;
    }
    return same ? last : sum;
}

/* Claims are those of the smallest steps; a crossing is found between looks of its run. */
static bool is_smooth(const char *name) {
    return nnd_companion_of(name, NND_MIN_SIZE) == 0 && !nnd_is_account(name) &&
           strcmp(name, "escape_time") != 0;
}

/* Array number i of the last run, in all of them; claims of another may be missing. */
static void find_in_all(const runs *r, size_t i, const nnd_array **array) {
    const char *name = nnd_frame_array(r->node[r->count - 1].frame, i)->name;
    for (size_t k = 0; k < r->count; k++)
        array[k] = nnd_frame_find(r->node[k].frame, name);
}

/* The largest difference of two orders along t (and s, which follows it), relative to the largest
 * value; the numbers of a curve are `stride` apart. */
static double curve_error(const runs *r, const nnd_array *const *array, size_t first, size_t length,
                          size_t stride) {
    double most = 0.0, largest = 0.0;
    for (size_t i = first, t = 0; t < length; t++, i += stride) {
        double x = mixed(r, array, r->weight, i);
        if (isnan(x))
            continue;
        most = fmax(most, fabs(x - mixed(r, array, r->less, i)));
        largest = fmax(largest, fabs(x));
    }
    return most == 0.0 ? 0.0 : most / largest;
}

static double array_error(const runs *r, const nnd_array *const *array) {
    const nnd_frame *frame = r->node[0].frame;
    size_t axis = nnd_array_axis(frame, array[0], "t"), length = 1, stride = 1;
    for (size_t d = axis; d < array[0]->ndims; d++)
        if (d == axis || d == nnd_array_axis(frame, array[0], "s"))
            length *= array[0]->shape[d];
        else
            stride *= array[0]->shape[d];
    double worst = 0.0;
    for (size_t i = 0; i < array[0]->count; i++)
        if (i / stride % length == 0)
            worst = fmax(worst, curve_error(r, array, i, length, stride));
    return worst;
}

static double error_of(const runs *r) {
    const nnd_frame *last = r->node[r->count - 1].frame;
    const nnd_array *array[NODES];
    double worst = 0.0;
    for (size_t i = 0; i < nnd_frame_array_count(last); i++) {
        find_in_all(r, i, array);
        if (is_smooth(array[r->count - 1]->name))
            worst = fmax(worst, array_error(r, array));
    }
    return worst;
}

/* ---- the frame: that of the last run, with other numbers ---- */

/* An escape is found between two looks of a run, to the square of a step: its time is continued
 * linearly from two runs, and what that changes is its error. */
static nnd_status set_escape_times(const runs *r, nnd_frame *frame) {
    const nnd_array *fine = nnd_frame_find(frame, "escape_time");
    if (fine == NULL)
        return NND_OK;
    const node *coarse = &r->node[r->count - 3];
    const double *before = nnd_frame_find(coarse->frame, "escape_time")->data;
    double a = (double)r->node[r->count - 1].steps, b = (double)coarse->steps;
    double all = (double)r->p->steps;
    nnd_status status =
        nnd_frame_add_variable(frame, &nnd_deep_linear_model, "escape_time" NND_SE, NULL);
    if (status != NND_OK)
        return status;
    double *se = nnd_frame_find(frame, "escape_time" NND_SE)->data;
    fine = nnd_frame_find(frame, "escape_time");
    for (size_t i = 0; i < fine->count; i++) {
        double t_a = fine->data[i] * (all / a), t_b = before[i] * (all / b);
        double slope = (t_b - t_a) / (1.0 / b - 1.0 / a);
        fine->data[i] = t_a + slope * (1.0 / all - 1.0 / a);
        se[i] = fabs(fine->data[i] - t_a);
    }
    return NND_OK;
}

static void set_values(const runs *r) {
    const nnd_frame *last = r->node[r->count - 1].frame;
    const nnd_array *array[NODES];
    for (size_t i = 0; i < nnd_frame_array_count(last); i++) {
        find_in_all(r, i, array);
        if (is_smooth(array[r->count - 1]->name))
            for (size_t j = 0; j < array[0]->count; j++)
                array[r->count - 1]->data[j] = mixed(r, array, r->weight, j);
    }
}

static void set_times(const nnd_reals *marks, const nnd_frame *frame, const char *name) {
    const nnd_dim *dim = nnd_frame_find_dim(frame, name);
    for (size_t i = 0; dim != NULL && i < marks->count; i++)
        dim->value[i] = marks->value[i];
}

/* What the runs left out, as the polynomial adds it up. */
static nnd_status set_march(const runs *r, nnd_frame *frame) {
    double error = 0.0, dropped = 0.0;
    for (size_t k = 0; k < r->count; k++) {
        const nnd_frame *f = r->node[k].frame;
        dropped = fmax(dropped, nnd_frame_find_attribute(f, NULL, "march_dropped")->number);
        if (r->p->check)
            error += fabs(r->weight[k]) * nnd_frame_find_attribute(f, NULL, "march_error")->number;
    }
    nnd_status status = nnd_frame_set_number(frame, NULL, "march_dropped", dropped);
    return status == NND_OK && r->p->check ? nnd_frame_set_number(frame, NULL, "march_error", error)
                                           : status;
}

static nnd_status set_account(const runs *r, nnd_frame *frame, double error) {
    char text[160] = "";
    for (size_t k = 0, length = 0; k < r->count; k++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%lld", k > 0 ? ", " : "",
                                   (long long)r->node[k].steps);
    nnd_status status = nnd_frame_set_text(frame, NULL, "interpolation_steps", text);
    if (status == NND_OK)
        status = nnd_frame_set_number(frame, NULL, "interpolation_error", error);
    return status == NND_OK ? set_march(r, frame) : status;
}

static nnd_status finish(runs *r, const nnd_reals *marks, double error, nnd_frame **frame) {
    nnd_frame *last = r->node[r->count - 1].frame;
    set_values(r);
    nnd_status status = set_account(r, last, error);
    if (status == NND_OK)
        status = set_escape_times(r, last);
    if (status != NND_OK)
        return status;
    set_times(marks, last, "t");
    set_times(marks, last, "s");
    r->count--;
    *frame = last;
    return NND_OK;
}

/* ---- all of it ---- */

static nnd_status refuse(nnd_context *ctx, const nnd_deep_linear *p, double error) {
    char what[64] = "they diverge";
    if (isfinite(error))
        nnd_format(what, sizeof what, "they leave an error of %.2g", error);
    return nnd_fail(ctx, NND_E_UNSOLVED,
                    "lr: %g is too large for method: interpolate, which would take runs with more "
                    "than half of the steps (%s); method: auto takes all",
                    p->lr, what);
}

/* Runs with more and more steps, until the last ones tell what many more would do. */
static nnd_status approach(nnd_context *ctx, runs *r, const nnd_reals *marks,
                           nnd_deep_linear_solver solve, double *error) {
    const int64_t first = nnd_deep_linear_first_node(r->p);
    nnd_status status = NND_OK;
    bool enough = false;
    *error = INFINITY;
    for (int k = 0; status == NND_OK && !enough; k++) {
        int64_t steps = first * multiple(k);
        if (steps > r->p->steps / 2)
            return *error <= ACCEPTED ? NND_OK : refuse(ctx, r->p, *error);
        status = add_run(ctx, r, marks, solve, steps);
        if (status != NND_OK || r->count < NODES)
            continue;
        set_weights(r, 0, r->weight);
        set_weights(r, 1, r->less);
        double last = *error;
        *error = error_of(r);
        enough = *error <= WANTED || (*error <= ACCEPTED && *error > 0.5 * last);
    }
    return status;
}

nnd_status nnd_deep_linear_interpolate(nnd_context *ctx, const nnd_deep_linear *p,
                                       nnd_deep_linear_solver solve, nnd_frame **frame) {
    runs r = {.p = p};
    nnd_reals marks;
    double error;
    nnd_status status = nnd_deep_linear_marks(ctx, p, &marks);
    if (status == NND_OK)
        status = approach(ctx, &r, &marks, solve, &error);
    if (status == NND_OK)
        status = finish(&r, &marks, error, frame);
    drop(&r, r.count);
    free(marks.value);
    return status;
}

nnd_deep_linear nnd_deep_linear_longest_node(const nnd_deep_linear *p, double *all) {
    *all = ALL_STEPS;
    return node_params(p, nnd_deep_linear_first_node(p) * multiple(NODES - 1));
}
