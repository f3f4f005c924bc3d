/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated network against a plain twin: dense weights, loss by its definition, gradient by
 * differences of that loss, textbook optimizers. The twin knows no backpropagation. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "support.h"
#include "validate/deep_linear_flow.h"
#include "validate/deep_linear_network.h"
#include "validate/deep_linear_spectra.h"
#include "validate/simulators.h"

enum { D = 9, STEPS = 7, MAX_WEIGHTS = 4000 };

/* All trainable numbers of a network, one after the other. */
typedef struct {
    const nnd_deep_linear_network *net;
    size_t count;
    double w[MAX_WEIGHTS];
} twin;

static void twin_copy(twin *t, const nnd_deep_linear_network *net) {
    t->net = net;
    t->count = 0;
    for (size_t l = 0; l <= net->depth; l++) {
        size_t n = net->layer[l].rows * net->layer[l].cols;
        ck_assert(t->count + n <= MAX_WEIGHTS);
        memcpy(t->w + t->count, net->layer[l].w, n * sizeof(double));
        t->count += n;
    }
}

/* f(x) = w . W^{L-1} ... W^0 x with the scales of deep-linear.md#s1. */
static double twin_output(const twin *t, const double *w, const double *x) {
    double h[D * 4], next[D * 4];
    memcpy(h, x, D * sizeof(double));
    for (size_t l = 0; l <= t->net->depth; l++) {
        size_t rows = t->net->layer[l].rows, cols = t->net->layer[l].cols;
        double scale = nnd_deep_linear_sigma(t->net->params, l) / sqrt((double)cols);
        for (size_t i = 0; i < rows; i++) {
            next[i] = 0.0;
            for (size_t j = 0; j < cols; j++)
                next[i] += scale * w[i * cols + j] * h[j];
        }
        w += rows * cols;
        memcpy(h, next, rows * sizeof(double));
    }
    return h[0] / t->net->gamma;
}

static double twin_loss(const twin *t, const double *w, const double *start) {
    const nnd_deep_linear_network *net = t->net;
    double sum = 0.0;
    for (size_t mu = 0; mu < net->samples; mu++) {
        double f = twin_output(t, w, net->x + mu * D) - (start != NULL ? start[mu] : 0.0);
        sum += (net->y[mu] - f) * (net->y[mu] - f) / 2.0;
    }
    return sum / (double)net->samples;
}

/* Central differences are exact to rounding for a loss that is a quartic in each single weight...
 * here quadratic, f being linear in it. */
static void twin_gradient(twin *t, const double *start, double *gradient) {
    const double step = 1e-2;
    for (size_t i = 0; i < t->count; i++) {
        double kept = t->w[i];
        t->w[i] = kept + step;
        double up = twin_loss(t, t->w, start);
        t->w[i] = kept - step;
        double down = twin_loss(t, t->w, start);
        t->w[i] = kept;
        gradient[i] = (up - down) / (2.0 * step);
    }
}

typedef struct {
    nnd_context *ctx;
    nnd_case *c;
    nnd_deep_linear_network net;
    twin twin;
    double start[64];
} fixture;

static fixture *begin(const char *yaml) {
    fixture *f = calloc(1, sizeof *f);
    f->ctx = nnd_context_new(NULL);
    f->c = test_case(f->ctx, yaml);
    ck_assert_int_eq(nnd_deep_linear_network_make(f->ctx, f->c->params[0], D, &f->net), NND_OK);
    nnd_deep_linear_network_draw(&f->net, (nnd_rng_key){3, 5, D});
    twin_copy(&f->twin, &f->net);
    if (f->net.params->center)
        for (size_t mu = 0; mu < f->net.samples; mu++)
            f->start[mu] = twin_output(&f->twin, f->twin.w, f->net.x + mu * D);
    return f;
}

static void end(fixture *f) {
    nnd_deep_linear_network_clear(&f->net);
    nnd_case_free(f->c);
    nnd_context_free(f->ctx);
    free(f);
}

/* Rounding of differences with step 1e-2 of a loss of order one, times T steps. */
static const double AGREEMENT = 1e-10;

static void check_loss(fixture *f, size_t step) {
    nnd_deep_linear_network_evaluate(&f->net, step);
    test_close("loss", f->net.mse / 2.0, twin_loss(&f->twin, f->twin.w, f->start), AGREEMENT);
}

static const char *const DESCENTS[] = {
    "{model: deep-linear, params: {noise: 0.3, lr: 0.2, gamma0: 2}}",
    ("{model: deep-linear, params: {depth: 3, nu: 0.7, noise: 0.3, lr: 0.1, "
     "sigma: [0.8, 0.9, 1, 1.1]}}"),
    "{model: deep-linear, params: {depth: 2, nu: 1.4, center: true, parameterization: ntk}}",
    "{model: deep-linear, params: {depth: 2, momentum: 0.7, weight_decay: 0.05, lr: 0.05}}",
    "{model: deep-linear, params: {depth: 2, schedule: [0.1, 0.5, 1, 0.3]}}",
    "{model: deep-linear, params: {depth: 2, lr: 0.2, schedule: {power: -0.5}}}",
    "{model: deep-linear, params: {depth: 2, lr: 0.05, schedule: {factor: 1.1}}}",
};

START_TEST(descent_equals_that_of_a_dense_twin) {
    fixture *f = begin(DESCENTS[_i]);
    const nnd_deep_linear *p = f->net.params;
    double eta = p->lr * f->net.gamma * f->net.gamma * D;
    double *gradient = calloc(f->twin.count, sizeof(double));
    double *velocity = calloc(f->twin.count, sizeof(double));
    for (size_t t = 0; t <= STEPS; t++) {
        check_loss(f, t);
        nnd_deep_linear_network_step(&f->net, t);
        twin_gradient(&f->twin, f->start, gradient);
        for (size_t i = 0; i < f->twin.count; i++) {
            velocity[i] =
                p->momentum * velocity[i] - eta * nnd_deep_linear_rate(p, t) * gradient[i];
            f->twin.w[i] = (1.0 - p->weight_decay) * f->twin.w[i] + velocity[i];
        }
    }
    free(gradient);
    free(velocity);
    end(f);
}
END_TEST

/* One classical Runge-Kutta step of the twin: all slopes are kept, all stages formed in full. */
static void twin_flow_step(fixture *f, double dt) {
    static const double a[5][4] = {
        {0}, {0.5}, {0, 0.5}, {0, 0, 1}, {1 / 6.0, 1 / 3.0, 1 / 3.0, 1 / 6.0}};
    twin *t = &f->twin;
    double eta = f->net.gamma * f->net.gamma * D;
    double *slope = calloc(4 * t->count, sizeof(double)), *from = calloc(t->count, sizeof(double));
    memcpy(from, t->w, t->count * sizeof(double));
    for (size_t s = 0; s <= 4; s++) {
        for (size_t i = 0; i < t->count; i++) {
            t->w[i] = from[i];
            for (size_t r = 0; r < s; r++)
                t->w[i] -= dt * eta * a[s][r] * slope[r * t->count + i];
        }
        if (s < 4)
            twin_gradient(t, f->start, slope + s * t->count);
    }
    free(slope);
    free(from);
}

static const char *const FLOWS[] = {
    "depth: 2, noise: 0.3",
    "depth: 1, gamma0: 3, alpha: 3",
    "depth: 2, center: true, gamma0: 0.1",
    "depth: 1, nu: 1.4, parameterization: ntk",
};

/* Steps of the twin of 1/100 are exact to 4e-7; those of the flow, 1e-6 each, are some twenty. */
START_TEST(flow_equals_that_of_a_dense_twin) {
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {%s, integrator: flow, time: 1.4}}",
             FLOWS[_i]);
    fixture *f = begin(yaml);
    nnd_deep_linear_flow flow = {0};
    nnd_deep_linear_network_evaluate(&f->net, 0);
    for (int k = 1; k <= 2; k++) {
        for (int s = 0; s < 70; s++)
            twin_flow_step(f, 0.01);
        ck_assert_int_eq(nnd_deep_linear_flow_to(f->ctx, &f->net, &flow, 0.7 * k), NND_OK);
        double want = twin_loss(&f->twin, f->twin.w, f->start);
        test_close("loss", f->net.mse / 2.0, want, 1e-5);
        /* It is left evaluated, at the weights it has. */
        double mse = f->net.mse;
        nnd_deep_linear_network_evaluate(&f->net, 0);
        ck_assert_double_eq(f->net.mse, mse);
    }
    ck_assert(flow.walk.t == 1.4 && flow.walk.taken > 5 && flow.walk.taken < 60);
    ck_assert(flow.error > 0.0 && flow.error <= 1e-6 * (double)flow.walk.taken);
    end(f);
}
END_TEST

static nnd_frame *simulated(nnd_context *ctx, const char *params) {
    char yaml[256];
    snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {%s}}", params);
    nnd_case *c = test_case(ctx, yaml);
    nnd_frame *frame = NULL;
    if (nnd_deep_linear_simulator.simulate(ctx, c->params[0], 24, 1, 0, 2, &frame) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    nnd_case_free(c);
    return frame;
}

/* One Euler step of theory's grid, or a hundred of rk4: networks know nothing of it. */
START_TEST(simulated_flow_has_steps_of_its_own) {
#define FAST "integrator: flow, gamma0: 2, time: 8, spectrum: false, ntk: false, "
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *a = simulated(ctx, FAST "method: euler, steps: 1");
    nnd_frame *b = simulated(ctx, FAST "method: rk4, steps: 8");
    for (int seed = 0; seed < 2; seed++) {
        char at[32];
        snprintf(at, sizeof at, "seed=%d,t=8", seed);
        test_close("beta_norm2", test_value(a, "beta_norm2", at), test_value(b, "beta_norm2", at),
                   1e-5);
        double error = test_value(a, "step_error", seed == 0 ? "seed=0" : "seed=1");
        ck_assert_msg(error > 1e-8 && error < 1e-3, "step_error = %g", error);
    }
    nnd_frame_free(a);
    nnd_frame_free(b);
    nnd_context_free(ctx);
}
END_TEST

/* What is refused before it begins takes at least as many steps as are said to be too many: the
 * longest time that is allowed, of which a hundred thousandth is followed. */
START_TEST(a_flow_takes_the_steps_for_which_it_is_refused) {
    fixture *f = begin("{model: deep-linear, params: {integrator: flow, depth: 2, sigma: [1, 0.7, "
                       "1.2], gamma0: 0.2}}");
    nnd_deep_linear p = *f->net.params;
    double rate = 0.7 * 0.7 * 1.44 + 1.44 + 0.7 * 0.7, longest = 3.31e7 / rate;
    nnd_objection o;
    p.time = 0.999 * longest;
    ck_assert(nnd_deep_linear_simulator.check(&p, 20, &o));
    p.time = 1.001 * longest;
    ck_assert(!nnd_deep_linear_simulator.check(&p, 20, &o));
    ck_assert_str_eq(o.key, "time");
    nnd_deep_linear_flow flow = {0};
    nnd_deep_linear_network_evaluate(&f->net, 0);
    ((nnd_deep_linear *)f->c->params[0])->time = 1e-5 * longest;
    ck_assert_int_eq(nnd_deep_linear_flow_to(f->ctx, &f->net, &flow, 1e-5 * longest), NND_OK);
    ck_assert_uint_gt(flow.walk.taken, 100);
    end(f);
}
END_TEST

static void ck_same_times(const nnd_frame *a, const nnd_frame *b, size_t count) {
    const nnd_dim *t = nnd_frame_find_dim(a, "t"), *u = nnd_frame_find_dim(b, "t");
    ck_assert_uint_eq(t->length, count);
    ck_assert_uint_eq(u->length, count);
    ck_assert_mem_eq(t->value, u->value, count * sizeof(double));
    ck_assert_double_eq(t->value[count - 1], 2.0);
}

/* Of a flow that chooses its steps `record` lists times, of one that has a number of them steps of
 * its grid: a quarter of the way is 0.5 in both. */
START_TEST(theory_and_networks_record_the_same_times_of_a_flow) {
#define SLOW "integrator: flow, time: 2, spectrum: false, ntk: false"
    static const struct {
        const char *record;
        size_t count, quarter;
    } cases[] = {{"", 200, SIZE_MAX},
                 {", record: [0.5, 0]", 3, 1},
                 {", steps: 20", 21, 5},
                 {", steps: 20, record: [5]", 2, 0},
                 {", record: log", 49, SIZE_MAX},
                 {", steps: 20, record: log", 17, 5}};
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char params[128], yaml[256];
        snprintf(params, sizeof params, SLOW "%s", cases[i].record);
        snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {%s}}", params);
        nnd_frame *theory = test_theory(ctx, yaml), *block = simulated(ctx, params);
        ck_same_times(theory, block, cases[i].count);
        if (cases[i].quarter != SIZE_MAX)
            ck_assert_double_eq(nnd_frame_find_dim(block, "t")->value[cases[i].quarter], 0.5);
        nnd_frame_free(theory);
        nnd_frame_free(block);
    }
    nnd_context_free(ctx);
}
END_TEST

/* D = 9 folds every 8 updates: 40 steps fold five times, with and without velocity. */
START_TEST(folding_the_pending_updates_changes_nothing) {
    const char *yaml = _i == 0 ? "{model: deep-linear, params: {depth: 2, lr: 0.05}}"
                               : "{model: deep-linear, params: {depth: 2, lr: 0.02, momentum: 0.8, "
                                 "weight_decay: 0.01}}";
    fixture *f = begin(yaml), *g = begin(yaml);
    nnd_window_clear(&g->net.window);
    ck_assert_int_eq(nnd_window_make(g->ctx, 64, &g->net.window), NND_OK);
    free(g->net.scratch);
    g->net.scratch = calloc(64, sizeof(double));
    for (size_t l = 0; l <= g->net.depth; l++) {
        nnd_weights *w = &g->net.layer[l];
        w->left = realloc(w->left, 64 * w->rows * sizeof(double));
        w->right = realloc(w->right, 64 * w->cols * sizeof(double));
    }
    for (size_t t = 0; t < 40; t++) {
        nnd_deep_linear_network_evaluate(&f->net, t);
        nnd_deep_linear_network_evaluate(&g->net, t);
        test_close("mse", f->net.mse, g->net.mse, 1e-12);
        nnd_deep_linear_network_step(&f->net, t);
        nnd_deep_linear_network_step(&g->net, t);
    }
    ck_assert_uint_eq(g->net.window.count, 40);
    ck_assert_uint_lt(f->net.window.count, 9);
    end(f);
    end(g);
}
END_TEST

/* A fresh batch is new at every step, and the gradient it gives is that of its own samples. */
START_TEST(fresh_batches_differ_from_step_to_step) {
    fixture *f = begin("{model: deep-linear, params: {training: fresh, alpha: 3, noise: 0.2}}");
    double first[D];
    nnd_deep_linear_network_evaluate(&f->net, 0);
    memcpy(first, f->net.forward[0], sizeof first);
    nnd_deep_linear_network_evaluate(&f->net, 1);
    ck_assert(memcmp(first, f->net.forward[0], sizeof first) != 0);
    nnd_deep_linear_network_evaluate(&f->net, 0);
    ck_assert(memcmp(first, f->net.forward[0], sizeof first) == 0);
    end(f);
}
END_TEST

/* Training by the recipe that a deep-learning framework would follow: plain SGD on A_l. */
START_TEST(recipe_trains_the_same_network) {
    fixture *f = begin(DESCENTS[1]);
    const nnd_simulator *simulator = nnd_simulator_find(f->c->model);
    nnd_frame *recipe;
    ck_assert_int_eq(simulator->recipe(f->ctx, f->c->params[0], D, &recipe), NND_OK);
    const nnd_array *std = nnd_frame_find(recipe, "init_std"),
                    *lr = nnd_frame_find(recipe, "raw_lr");
    double *gradient = calloc(f->twin.count, sizeof(double));
    for (size_t t = 0; t < 4; t++) {
        check_loss(f, t);
        nnd_deep_linear_network_step(&f->net, t);
        twin_gradient(&f->twin, f->start, gradient);
        size_t i = 0;
        for (size_t l = 0; l <= f->net.depth; l++)
            for (size_t n = f->net.layer[l].rows * f->net.layer[l].cols; n > 0; n--, i++) {
                /* dLoss/dA = dLoss/dW / std for A = std W. */
                double a = std->data[l] * f->twin.w[i];
                a -= lr->data[l] * gradient[i] / std->data[l];
                f->twin.w[i] = a / std->data[l];
            }
    }
    free(gradient);
    nnd_frame_free(recipe);
    end(f);
}
END_TEST

/* ---- spectra of a trained network ---- */

static fixture *trained(const char *yaml) {
    fixture *f = begin(yaml);
    for (size_t t = 0; t < STEPS; t++) {
        nnd_deep_linear_network_evaluate(&f->net, t);
        nnd_deep_linear_network_step(&f->net, t);
    }
    nnd_deep_linear_network_evaluate(&f->net, STEPS);
    /* The twin takes the weights as they are written out. */
    double *w = f->twin.w;
    for (size_t l = 0; l <= f->net.depth; l++) {
        nnd_weights_write(&f->net.layer[l], &f->net.window, w);
        size_t n = f->net.layer[l].rows * f->net.layer[l].cols;
        for (size_t i = 0; i < n; i++)
            w[i] /= f->net.layer[l].scale;
        w += n;
    }
    return f;
}

static const char *const TRAINED[] = {
    "{model: deep-linear, params: {noise: 0.3, lr: 0.2, gamma0: 2, outliers: 3}}",
    ("{model: deep-linear, params: {depth: 3, nu: 0.7, noise: 0.3, lr: 0.1, outliers: 3, "
     "sigma: [0.8, 0.9, 1, 1.1]}}"),
    "{model: deep-linear, params: {depth: 2, momentum: 0.5, lr: 0.05, outliers: 3}}",
};

START_TEST(singular_values_and_vectors_equal_a_full_decomposition) {
    fixture *f = trained(TRAINED[_i]);
    nnd_deep_linear_spectra s;
    ck_assert_int_eq(nnd_deep_linear_spectra_make(f->ctx, &f->net, &s), NND_OK);
    nnd_deep_linear_spectra_restart(&s, &f->net, f->net.key);
    for (size_t l = 0; l < f->net.depth; l++) {
        lapack_int m = (lapack_int)f->net.layer[l].rows, n = (lapack_int)f->net.layer[l].cols;
        double a[D * D * 4], u[D * D * 4], vt[D * D * 4], sv[D * 2], super[D * 2], x[D], y[D * 2];
        double value[3], right[3], left[3];
        for (int i = 0; i < n; i++)
            x[i] = cos(i + 1.0);
        for (int i = 0; i < m; i++)
            y[i] = sin(i + 2.0);
        nnd_weights_write(&f->net.layer[l], &f->net.window, a);
        ck_assert_int_eq(
            LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'A', 'A', m, n, a, n, sv, u, m, vt, n, super), 0);
        ck_assert_int_eq(nnd_deep_linear_singular_values(&s, &f->net, l, value, x, right, y, left),
                         NND_OK);
        for (int k = 0; k < 3; k++) {
            double cx = cblas_ddot(n, vt + k * n, 1, x, 1) / cblas_dnrm2(n, x, 1);
            double cy = cblas_ddot(m, u + k, m, y, 1) / cblas_dnrm2(m, y, 1);
            test_close("singular value", value[k], sv[k], 1e-9);
            ck_assert(fabs(right[k] - cx * cx) < 1e-4 && fabs(left[k] - cy * cy) < 1e-4);
        }
    }
    nnd_deep_linear_spectra_clear(&s);
    end(f);
}
END_TEST

START_TEST(histogram_counts_every_singular_value) {
    fixture *f = trained("{model: deep-linear, params: {depth: 2, nu: 0.7, density: true}}");
    enum { BINS = 50 };
    double density[BINS], width = 0.2, mass = 0.0, second = 0.0, frobenius = 0.0, a[D * D];
    nnd_deep_linear_spectra s;
    ck_assert_int_eq(nnd_deep_linear_spectra_make(f->ctx, &f->net, &s), NND_OK);
    for (size_t l = 0; l < 2; l++) {
        const nnd_weights *w = &f->net.layer[l];
        size_t least = w->rows < w->cols ? w->rows : w->cols;
        ck_assert_int_eq(nnd_deep_linear_histogram(f->ctx, &s, &f->net, l, BINS, width, density),
                         NND_OK);
        mass = second = 0.0;
        for (int b = 0; b < BINS; b++) {
            mass += density[b] * width;
            second += density[b] * width * (double)least * pow((b + 0.5) * width, 2);
        }
        nnd_weights_write(w, &f->net.window, a);
        frobenius = pow(cblas_dnrm2((int)(w->rows * w->cols), a, 1), 2);
        test_close("mass", mass, 1.0, 1e-12);
        /* Sum of squares, up to the width of a bin. */
        ck_assert(fabs(second - frobenius) < (double)least * width * 3.0);
    }
    nnd_deep_linear_spectra_clear(&s);
    end(f);
}
END_TEST

/* The NTK by its definition: gradients of the outputs by differences, their Gram matrix. */
START_TEST(ntk_equals_the_gram_matrix_of_gradients) {
    fixture *f = trained(TRAINED[_i]);
    twin *t = &f->twin;
    size_t p = f->net.samples;
    double *gradient = calloc(p * t->count, sizeof *gradient), ntk[32 * 32], values[32], got[3];
    ck_assert_uint_le(p, 32);
    for (size_t mu = 0; mu < p; mu++)
        for (size_t i = 0; i < t->count; i++) {
            const double step = 1e-2, kept = t->w[i];
            t->w[i] = kept + step;
            double up = twin_output(t, t->w, f->net.x + mu * D);
            t->w[i] = kept - step;
            double down = twin_output(t, t->w, f->net.x + mu * D);
            t->w[i] = kept;
            gradient[mu * t->count + i] = (up - down) / (2.0 * step);
        }
    double scale = f->net.gamma * f->net.gamma * D / (double)p;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)p, (int)p, (int)t->count, scale,
                gradient, (int)t->count, gradient, (int)t->count, 0.0, ntk, (int)p);
    ck_assert_int_eq(
        LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', (lapack_int)p, ntk, (lapack_int)p, values), 0);
    nnd_deep_linear_spectra s;
    double overlap, dot = 0.0;
    ck_assert_int_eq(nnd_deep_linear_spectra_make(f->ctx, &f->net, &s), NND_OK);
    nnd_deep_linear_spectra_restart(&s, &f->net, f->net.key);
    ck_assert_int_eq(nnd_deep_linear_ntk_values(&s, &f->net, got, &overlap), NND_OK);
    for (size_t k = 0; k < 3; k++)
        test_close("eigenvalue", got[k], values[p - 1 - k], 1e-9);
    for (size_t mu = 0; mu < p; mu++)
        dot += ntk[mu * p + p - 1] * f->net.residual[mu];
    test_close("overlap", overlap, dot * dot / (f->net.mse * (double)p), 1e-4);
    nnd_deep_linear_spectra_clear(&s);
    free(gradient);
    end(f);
}
END_TEST

/* Overlaps between times against the fields of a network that is stepped by hand. */
START_TEST(two_time_overlaps_are_inner_products_of_the_fields) {
    enum { TIMES = 3, LAYERS = 3 };
    static const int at[TIMES] = {0, 2, 5};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_case *c = test_case(ctx, "{model: deep-linear, params: {depth: 2, nu: 1.5, noise: 0.3, "
                                 "steps: 5, record: [0, 2], two_time: true}}");
    const nnd_simulator *simulator = nnd_simulator_find(c->model);
    nnd_frame *frame;
    nnd_deep_linear_network net = {0};
    double g[TIMES][LAYERS][2 * D], h[TIMES][LAYERS][2 * D], error[TIMES][D], rest[TIMES][4 * D];
    ck_assert_int_eq(simulator->simulate(ctx, c->params[0], D, 3, 4, 1, &frame), NND_OK);
    ck_assert_int_eq(nnd_deep_linear_network_make(ctx, c->params[0], D, &net), NND_OK);
    nnd_deep_linear_network_draw(&net, (nnd_rng_key){3, 4, D});
    for (int t = 0, i = 0; t <= 5; t++) {
        nnd_deep_linear_network_evaluate(&net, (size_t)t);
        if (t == at[i]) {
            for (size_t l = 0; l < LAYERS; l++) {
                size_t n = l == 0 ? D : net.layer[l].cols;
                memcpy(g[i][l], net.backward[l], n * sizeof(double));
                memcpy(h[i][l], net.forward[l], n * sizeof(double));
            }
            memcpy(error[i], net.error, sizeof error[i]);
            memcpy(rest[i++], net.residual, net.samples * sizeof(double));
        }
        nnd_deep_linear_network_step(&net, (size_t)t);
    }
    for (int i = 0; i < TIMES; i++)
        for (int j = 0; j < TIMES; j++) {
            char where[64];
            int p = (int)net.samples;
            snprintf(where, sizeof where, "seed=4,t=%d,s=%d", at[i], at[j]);
            test_close("delta", test_value(frame, "delta_two_time", where),
                       cblas_ddot(D, error[i], 1, error[j], 1), 1e-12);
            test_close("train", test_value(frame, "train_two_time", where),
                       cblas_ddot(p, rest[i], 1, rest[j], 1) / p, 1e-12);
            for (size_t l = 0; l < LAYERS; l++) {
                int n = l == 0 ? D : (int)net.layer[l].cols;
                snprintf(where, sizeof where, "seed=4,layer=%zu,t=%d,s=%d", l, at[i], at[j]);
                test_close("g", test_value(frame, "g_two_time", where),
                           cblas_ddot(n, g[i][l], 1, g[j][l], 1), 1e-12);
                test_close("h", test_value(frame, "h_two_time", where),
                           cblas_ddot(n, h[i][l], 1, h[j][l], 1), 1e-12);
            }
        }
    nnd_deep_linear_network_clear(&net);
    nnd_frame_free(frame);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(the_recipe_says_in_words_what_rates_do_not) {
    static const struct {
        const char *params, *optimizer;
    } recipes[] = {
        {"depth: 1", "SGD"},
        {"momentum: 0.9, weight_decay: 0.25, schedule: [1, 0.5], center: true",
         "SGD with momentum 0.9, all weights times 0.75 before each step (decoupled decay), rates "
         "times the schedule, output minus that of the initial network"},
        {"integrator: flow, time: 3, steps: 12",
         "gradient flow: no SGD; one Euler step is SGD with raw_lr times 0.25"},
        {"integrator: flow, time: 3",
         "gradient flow: no SGD; one Euler step of length dt is SGD with raw_lr times dt"},
    };
    nnd_context *ctx = nnd_context_new(NULL);
    for (size_t k = 0; k < 3; k++) {
        char yaml[200];
        nnd_frame *recipe;
        snprintf(yaml, sizeof yaml, "{model: deep-linear, params: {%s}}", recipes[k].params);
        nnd_case *c = test_case(ctx, yaml);
        ck_assert_int_eq(nnd_simulator_find(c->model)->recipe(ctx, c->params[0], D, &recipe),
                         NND_OK);
        ck_assert_str_eq(nnd_frame_find_attribute(recipe, NULL, "optimizer")->text,
                         recipes[k].optimizer);
        nnd_frame_free(recipe);
        nnd_case_free(c);
    }
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("deep-linear network");
    TCase *twins = tcase_create("against a dense twin");
    tcase_add_loop_test(twins, descent_equals_that_of_a_dense_twin, 0,
                        (int)(sizeof DESCENTS / sizeof *DESCENTS));
    tcase_add_loop_test(twins, flow_equals_that_of_a_dense_twin, 0,
                        (int)(sizeof FLOWS / sizeof *FLOWS));
    tcase_add_test(twins, simulated_flow_has_steps_of_its_own);
    tcase_add_test(twins, a_flow_takes_the_steps_for_which_it_is_refused);
    tcase_add_test(twins, theory_and_networks_record_the_same_times_of_a_flow);
    tcase_add_loop_test(twins, folding_the_pending_updates_changes_nothing, 0, 2);
    tcase_add_test(twins, two_time_overlaps_are_inner_products_of_the_fields);
    tcase_add_test(twins, fresh_batches_differ_from_step_to_step);
    tcase_add_test(twins, the_recipe_says_in_words_what_rates_do_not);
    tcase_add_test(twins, recipe_trains_the_same_network);
    suite_add_tcase(suite, twins);
    TCase *spectra = tcase_create("spectra");
    int count = (int)(sizeof TRAINED / sizeof *TRAINED);
    tcase_add_loop_test(spectra, singular_values_and_vectors_equal_a_full_decomposition, 0, count);
    tcase_add_test(spectra, histogram_counts_every_singular_value);
    tcase_add_loop_test(spectra, ntk_equals_the_gram_matrix_of_gradients, 0, count);
    suite_add_tcase(suite, spectra);
    return test_main(suite);
}
