/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * W_t v as a program of W_0, A_0 and W_* (many-outputs.md#s4-3), by
 *
 *     E_t = gamma W_* - A_t W_t,  W_{t+1} = W_t + eta_W A_t^T E_t,  A_{t+1} = A_t + eta_A E_t W_t^T
 *
 * and the transposes: each matrix applied to a vector is a sum of terms with the matrices one step
 * before. Vectors to which something else is applied are named once.
 */
#include "theory/many_outputs_program.h"

#include "nndmft/solvers/dyson_program.h"

/* What is applied to a vector. */
typedef enum { W, W_T, A, A_T, E, E_T, TARGET, TARGET_T } factor;

typedef struct {
    factor f;
    size_t t, source, vector;
} named;

enum { MOST_NAMED = 256 };

typedef struct {
    const nnd_outputs_program *q;
    nnd_dyson *p;
    size_t hidden, outputs, inputs;    /* spaces */
    size_t weights, readout, z, fixed; /* matrices */
    size_t v;
    size_t count;
    named name[MOST_NAMED];
} builder;

static void begin(builder *b, const nnd_outputs_program *q) {
    *b = (builder){.q = q, .p = nnd_dyson_new()};
    if (b->p == NULL)
        return;
    b->hidden = nnd_dyson_space(b->p, 1.0);
    b->outputs = nnd_dyson_space(b->p, q->c);
    b->inputs = nnd_dyson_space(b->p, q->d);
    b->weights = nnd_dyson_random(b->p, b->hidden, b->inputs, q->sigma2);
    b->readout = nnd_dyson_random(b->p, b->outputs, b->hidden, q->readout2);
    b->z = nnd_dyson_random(b->p, b->outputs, b->inputs, q->tau2 / q->d);
    if (q->structured)
        b->fixed = nnd_dyson_fixed(b->p, b->outputs, b->inputs, q->atoms, q->s, q->weight);
    b->v = nnd_dyson_input(b->p, b->inputs);
}

static void apply(builder *b, factor f, size_t t, size_t sum, double times, size_t source);

/* The vector f_t source, named where it is first needed. */
static size_t vector(builder *b, factor f, size_t t, size_t source) {
    for (size_t i = 0; i < b->count; i++) {
        const named *x = &b->name[i];
        if (x->f == f && x->t == t && x->source == source)
            return x->vector;
    }
    const size_t space[] = {
        [W] = b->hidden,  [W_T] = b->inputs, [A] = b->outputs,      [A_T] = b->hidden,
        [E] = b->outputs, [E_T] = b->inputs, [TARGET] = b->outputs, [TARGET_T] = b->inputs};
    size_t made = nnd_dyson_vector(b->p, space[f]);
    apply(b, f, t, made, 1.0, source);
    if (b->count < MOST_NAMED) /* else it is made anew each time */
        b->name[b->count++] = (named){f, t, source, made};
    return made;
}

/* Adds times gamma W_* source. */
static void apply_target(builder *b, size_t sum, double times, size_t source) {
    nnd_dyson_add(b->p, sum, times * b->q->gamma, b->z, source);
    if (b->q->structured)
        nnd_dyson_add(b->p, sum, times * b->q->gamma, b->fixed, source);
}

static void apply_target_transposed(builder *b, size_t sum, double times, size_t source) {
    nnd_dyson_add_transposed(b->p, sum, times * b->q->gamma, b->z, source);
    if (b->q->structured)
        nnd_dyson_add_transposed(b->p, sum, times * b->q->gamma, b->fixed, source);
}

/* The matrices at the start. */
static void apply_first(builder *b, factor f, size_t sum, double times, size_t source) {
    if (f == W)
        nnd_dyson_add(b->p, sum, times, b->weights, source);
    else if (f == W_T)
        nnd_dyson_add_transposed(b->p, sum, times, b->weights, source);
    else if (f == A)
        nnd_dyson_add(b->p, sum, times, b->readout, source);
    else
        nnd_dyson_add_transposed(b->p, sum, times, b->readout, source);
}

/* W, A or their transposes after t steps: what they were, and the gradient. */
static void apply_later(builder *b, factor f, size_t t, size_t sum, double times, size_t source) {
    /* f_{t+1} = f_t + rate (first then second applied): W has A^T E, A has E W^T */
    static const factor first[] = {[W] = E, [W_T] = A, [A] = W_T, [A_T] = E_T};
    static const factor second[] = {[W] = A_T, [W_T] = E_T, [A] = E, [A_T] = W};
    double rate = f == W || f == W_T ? b->q->rate : b->q->readout_rate;
    if (f == W) /* E has named it anyway */
        nnd_dyson_add(b->p, sum, times, NND_DYSON_IDENTITY, vector(b, W, t - 1, source));
    else
        apply(b, f, t - 1, sum, times, source);
    if (rate != 0.0)
        apply(b, second[f], t - 1, sum, times * rate, vector(b, first[f], t - 1, source));
}

/* Adds times gamma W_* source, or with the transpose: W_* v is named where many errors have it. */
static void apply_target_of_error(builder *b, factor f, size_t sum, double times, size_t source) {
    if (source == b->v && b->q->steps > 2)
        nnd_dyson_add(b->p, sum, times, NND_DYSON_IDENTITY, vector(b, TARGET, 0, source));
    else
        apply(b, f == E ? TARGET : TARGET_T, 0, sum, times, source);
}

/* Adds times f_t source to a sum. */
static void apply(builder *b, factor f, size_t t, size_t sum, double times, size_t source) {
    if (f == TARGET)
        apply_target(b, sum, times, source);
    else if (f == TARGET_T)
        apply_target_transposed(b, sum, times, source);
    else if (f == E) {
        apply_target_of_error(b, f, sum, times, source);
        apply(b, A, t, sum, -times, vector(b, W, t, source));
    } else if (f == E_T) {
        apply_target_of_error(b, f, sum, times, source);
        apply(b, W_T, t, sum, -times, vector(b, A_T, t, source));
    } else if (t == 0)
        apply_first(b, f, sum, times, source);
    else
        apply_later(b, f, t, sum, times, source);
}

/* c < 1: u = h + A^T p, h = W_0 v, with the p for which gamma W_* v - A u vanishes. */
static void interpolate(builder *b) {
    size_t h = vector(b, W, 0, b->v), p = nnd_dyson_unknown(b->p, b->outputs);
    size_t y = vector(b, A_T, 0, p);
    apply_target(b, p, 1.0, b->v);
    apply(b, A, 0, p, -1.0, y);
    apply(b, A, 0, p, -1.0, h);
    size_t u = nnd_dyson_output(b->p, b->hidden);
    nnd_dyson_add(b->p, u, 1.0, NND_DYSON_IDENTITY, h);
    nnd_dyson_add(b->p, u, 1.0, NND_DYSON_IDENTITY, y);
}

/* c > 1: the u for which A^T e vanishes, e = gamma W_* v - A u. */
static void regress(builder *b, size_t *u, size_t *e) {
    *u = nnd_dyson_unknown(b->p, b->hidden);
    *e = nnd_dyson_vector(b->p, b->outputs);
    apply_target(b, *e, 1.0, b->v);
    apply(b, A, 0, *e, -1.0, *u);
    apply(b, A_T, 0, *u, 1.0, *e);
}

nnd_dyson *nnd_outputs_program_weights(const nnd_outputs_program *q) {
    builder b;
    begin(&b, q);
    if (b.p == NULL)
        return NULL;
    if (q->converges && q->c < 1.0)
        interpolate(&b);
    else if (q->converges) {
        size_t u, e;
        regress(&b, &u, &e);
        nnd_dyson_add(b.p, nnd_dyson_output(b.p, b.hidden), 1.0, NND_DYSON_IDENTITY, u);
    } else
        apply(&b, W, q->steps, nnd_dyson_output(b.p, b.hidden), 1.0, b.v);
    return b.p;
}

nnd_dyson *nnd_outputs_program_residual(const nnd_outputs_program *q) {
    builder b;
    begin(&b, q);
    if (b.p == NULL)
        return NULL;
    if (q->converges) {
        size_t u, e;
        regress(&b, &u, &e);
        nnd_dyson_add(b.p, nnd_dyson_output(b.p, b.outputs), 1.0, NND_DYSON_IDENTITY, e);
    } else
        apply(&b, E, q->steps, nnd_dyson_output(b.p, b.outputs), 1.0, b.v);
    return b.p;
}
