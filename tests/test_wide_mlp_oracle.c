/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The march of `wide-mlp` is a finite network: the random matrices that its queries have defined by
 * the end are put into a plain network of that width, weight by weight, whose training from the
 * same start must be the march to rounding, with every option (wide-mlp.md#s13-4). */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nndmft/batch.h"
#include "solvers/queried_impl.h"
#include "support.h"
#include "theory/wide_mlp_march_impl.h"

enum { WIDTH = 64, SAMPLES = 3, DIM = SAMPLES };

/* Rounding of 64 terms and some hundred directions, magnified by training at rates that are large.
 */
static const double ROUNDING = 2e-12;

#define DATA      "gram: [[1, 0.4, -0.2], [0.4, 0.8, 0.1], [-0.2, 0.1, 1.2]]"
#define THREE     "outputs: 3, data: {" DATA ", targets: [[1, 0, -0.5], [-0.5, 1, 0], [0, 0.5, 1]]}"
#define LABELS    "outputs: 3, loss: cross-entropy, data: {" DATA ", labels: [0, 1, 2]}"
#define SIGNS     "loss: logistic, data: {" DATA ", targets: [1, -1, 1]}"
#define ONE       "data: {" DATA ", targets: [1, -0.5, 0.3]}"
#define GD(steps) "lr: 0.15, steps: " #steps

/* ---- a plain network, of all weights in one vector ---- */

typedef struct {
    const nnd_wide_mlp *p;
    const nnd_wide_problem *problem;
    size_t depth, outputs, count;
    double x[SAMPLES][DIM];
    double *start;                   /* count numbers: W^0, W^1 .. W^{L-1}, w, b^1 .. b^L, b^o */
    double *h, *phi, *slope, *d, *z; /* depth x samples x width, d and z one sample */
} network;

static size_t weights_at(size_t l) {
    return l == 0 ? 0 : WIDTH * DIM + (l - 1) * WIDTH * WIDTH;
}

static size_t readout_at(const network *n) {
    return weights_at(n->depth);
}

static size_t bias_at(const network *n, size_t l) {
    return readout_at(n) + (n->outputs + l) * WIDTH;
}

static double *row(double *field, size_t l, size_t i) {
    return field + (l * SAMPLES + i) * WIDTH;
}

static double branch(const network *n, size_t l) {
    bool scaled = l > 0 && n->p->residual == NND_RESIDUAL_MUP_DEPTH;
    return scaled ? 1.0 / sqrt((double)n->depth) : 1.0;
}

static bool skips(const network *n) {
    return n->p->residual != NND_RESIDUAL_NONE;
}

/* Raw outputs of all weights times `scale`. */
static void run(const network *n, const double *theta, double scale, double *f) {
    const nnd_wide_mlp *p = n->p;
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t l = 0; l < n->depth; l++) {
            double *h = row(n->h, l, i);
            const double *below = l == 0 ? n->x[i] : row(n->phi, l - 1, i);
            size_t width = l == 0 ? DIM : WIDTH;
            for (size_t a = 0; a < WIDTH; a++) {
                double sum = cblas_ddot((int)width, theta + weights_at(l) + a * width, 1, below, 1);
                h[a] = scale * branch(n, l) *
                       (p->sigma_w / sqrt((double)width) * sum +
                        p->sigma_b * theta[bias_at(n, l) + a]);
                if (l > 0 && skips(n))
                    h[a] += row(n->h, l - 1, i)[a];
            }
            nnd_activation_apply(&p->activation, WIDTH, h, row(n->phi, l, i), row(n->slope, l, i),
                                 NULL, NULL);
        }
        for (size_t c = 0; c < n->outputs; c++)
            f[i * n->outputs + c] =
                scale * (p->sigma_w / (p->gamma0 * WIDTH) *
                             cblas_ddot(WIDTH, theta + readout_at(n) + c * WIDTH, 1,
                                        row(n->phi, n->depth - 1, i), 1) +
                         p->sigma_b / (p->gamma0 * sqrt(WIDTH)) * theta[bias_at(n, n->depth) + c]);
    }
}

/* -d l/d f of one sample. */
static void residual(const network *n, size_t i, const double *f, double *delta) {
    const double *y = n->problem->set.targets + i * n->outputs;
    double sum = 0.0;
    for (size_t c = 0; c < n->outputs; c++)
        sum += exp(f[c]);
    for (size_t c = 0; c < n->outputs; c++)
        delta[c] = n->p->loss == NND_WIDE_MSE        ? y[c] - f[c]
                   : n->p->loss == NND_WIDE_LOGISTIC ? y[c] / (1.0 + exp(y[c] * f[c]))
                                                     : y[c] - exp(f[c]) / sum;
}

/* Adds rate times -d l/d theta of one sample, by the chain rule. */
static void add_gradient(const network *n, const double *theta, size_t i, const double *delta,
                         double rate, double *to) {
    const nnd_wide_mlp *p = n->p;
    double of_readout = p->sigma_w / (p->gamma0 * WIDTH), *d = n->d, *z = n->z;
    memset(z, 0, WIDTH * sizeof *z);
    for (size_t c = 0; c < n->outputs; c++) {
        cblas_daxpy(WIDTH, rate * of_readout * delta[c], row(n->phi, n->depth - 1, i), 1,
                    to + readout_at(n) + c * WIDTH, 1);
        cblas_daxpy(WIDTH, of_readout * delta[c], theta + readout_at(n) + c * WIDTH, 1, z, 1);
        to[bias_at(n, n->depth) + c] += rate * p->sigma_b / (p->gamma0 * sqrt(WIDTH)) * delta[c];
    }
    /* z is the derivative by phi^l, d that by h^l; skip connections carry d on. */
    memset(d, 0, WIDTH * sizeof *d);
    for (size_t l = n->depth; l-- > 0;) {
        size_t width = l == 0 ? DIM : WIDTH;
        const double *below = l == 0 ? n->x[i] : row(n->phi, l - 1, i);
        double scale = branch(n, l);
        for (size_t a = 0; a < WIDTH; a++)
            d[a] = row(n->slope, l, i)[a] * z[a] + (skips(n) ? d[a] : 0.0);
        memset(z, 0, WIDTH * sizeof *z);
        for (size_t a = 0; a < WIDTH; a++) {
            double weight = scale * p->sigma_w / sqrt((double)width);
            const double *w = theta + weights_at(l) + a * width;
            if (l > 0)
                cblas_daxpy(WIDTH, weight * d[a], w, 1, z, 1);
            cblas_daxpy((int)width, rate * weight * d[a], below, 1, to + weights_at(l) + a * width,
                        1);
            to[bias_at(n, l) + a] += rate * scale * p->sigma_b * d[a];
        }
    }
}

/* Outputs less those of the unlearned network, and u = - eta d L/d theta. */
static void evaluate(const network *n, const double *theta, double kappa, const double *weight,
                     double *f, double *u) {
    double base[SAMPLES * 3], delta[3];
    bool flow = n->p->integrator == NND_GRADIENT_FLOW;
    double eta = (flow ? 1.0 : n->p->lr) * n->p->gamma0 * n->p->gamma0 * WIDTH;
    run(n, n->start, kappa, base);
    run(n, theta, 1.0, f);
    memset(u, 0, n->count * sizeof *u);
    for (size_t i = 0; i < SAMPLES * n->outputs; i++)
        f[i] -= base[i];
    for (size_t i = 0; i < SAMPLES; i++) {
        residual(n, i, f + i * n->outputs, delta);
        add_gradient(n, theta, i, delta, eta * weight[i], u);
    }
}

/* ---- its training ---- */

/* Slopes, and stages, of the classical method (and of Heun's) for (theta, kappa). */
static void flow_step(const network *n, double dt, const double *weight, double *theta,
                      double *kappa, double *work) {
    static const double within[2][4] = {{0, 1, 0, 0}, {0, 0.5, 0.5, 1}};
    static const double whole[2][4] = {{0.5, 0.5, 0, 0}, {1. / 6, 1. / 3, 1. / 3, 1. / 6}};
    int rk4 = n->p->method == NND_RK4, stages = rk4 ? 4 : 2, size = (int)n->count;
    double *at = work, *k = work + size, *sum = k + size, of_kappa = 0.0, change = 0.0;
    double f[SAMPLES * 3], decay = n->p->weight_decay;
    memset(sum, 0, n->count * sizeof *sum);
    for (int i = 0; i < stages; i++) {
        double now = *kappa + (i > 0 ? dt * within[rk4][i] * of_kappa : 0.0);
        cblas_dcopy(size, theta, 1, at, 1);
        if (i > 0)
            cblas_daxpy(size, dt * within[rk4][i], k, 1, at, 1);
        evaluate(n, at, now, weight, f, k);
        cblas_daxpy(size, -decay, at, 1, k, 1);
        of_kappa = -decay * now;
        cblas_daxpy(size, dt * whole[rk4][i], k, 1, sum, 1);
        change += dt * whole[rk4][i] * of_kappa;
    }
    cblas_daxpy(size, 1.0, sum, 1, theta, 1);
    *kappa += change;
}

/* Trains and compares outputs and kernels with what the march recorded at every step. */
static void compare(network *n, const nnd_wide_curves *curves) {
    const nnd_wide_mlp *p = n->p;
    int size = (int)n->count;
    double *theta = calloc(5 * n->count, sizeof *theta), *u = theta + size, *v = u + size;
    double f[SAMPLES * 3], weight[SAMPLES], kappa = 1.0;
    nnd_schedule batches = {0};
    ck_assert_int_eq(nnd_schedule_make(n->problem->ctx, p->batch, SAMPLES, &batches), NND_OK);
    cblas_dcopy(size, n->start, 1, theta, 1);
    for (size_t t = 0; t <= (size_t)p->steps; t++) {
        nnd_schedule_weights(&batches, t, weight);
        evaluate(n, theta, kappa, weight, f, u);
        for (size_t i = 0; i < SAMPLES * n->outputs; i++) {
            double got = nnd_wide_curves_at(curves, WIDE_OUTPUT, t)[i];
            ck_assert_msg(fabs(got - f[i]) < ROUNDING * (1.0 + fabs(f[i])),
                          "output %zu at step %zu: march %.15g, network %.15g", i, t, got, f[i]);
        }
        for (size_t i = 0; i < SAMPLES * SAMPLES; i++) {
            size_t l = n->depth - 1;
            double got = nnd_wide_curves_at(curves, WIDE_H_GRAM, t)[l * SAMPLES * SAMPLES + i];
            double want =
                cblas_ddot(WIDTH, row(n->h, l, i / SAMPLES), 1, row(n->h, l, i % SAMPLES), 1) /
                WIDTH;
            ck_assert_msg(fabs(got - want) < ROUNDING * (1.0 + fabs(want)),
                          "H at step %zu: march %.15g, network %.15g", t, got, want);
        }
        if (p->integrator == NND_GRADIENT_FLOW) {
            flow_step(n, p->time / (double)p->steps, weight, theta, &kappa, u);
            continue;
        }
        const nnd_reals *list = &p->schedule.list;
        double rate = list->count == 0  ? 1.0
                      : t < list->count ? list->value[t]
                                        : list->value[list->count - 1];
        cblas_dscal(size, p->momentum, v, 1);
        cblas_daxpy(size, rate, u, 1, v, 1);
        cblas_dscal(size, 1.0 - p->weight_decay, theta, 1);
        cblas_daxpy(size, 1.0, v, 1, theta, 1);
        kappa *= 1.0 - p->weight_decay;
    }
    nnd_schedule_clear(&batches);
    free(theta);
}

/* ---- from the march to the network ---- */

/* Lower triangular root of sqrt(D) K^x. */
static void find_inputs(network *n) {
    const double *gram = n->problem->set.gram;
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = DIM * gram[i * SAMPLES + j];
            for (size_t k = 0; k < j; k++)
                sum -= n->x[i][k] * n->x[j][k];
            n->x[i][j] = i == j ? sqrt(sum) : sum / n->x[j][j];
        }
}

/* M(0) of the queries asked: X Q^T + P Y^T - P R Q^T, entries of W = sqrt(N) M/(beta sigma_w). */
static void find_matrix(const nnd_queried *m, double scale, double *w) {
    const nnd_queries *f = &m->side[NND_FORWARD], *b = &m->side[NND_BACKWARD];
    int q = (int)f->direction.vector.count, p = (int)b->direction.vector.count;
    const double *qs = f->direction.vector.row, *ps = b->direction.vector.row;
    double *rest = calloc((size_t)(p + 1) * WIDTH, sizeof *rest), part = scale / WIDTH;
    ck_assert_int_gt(q, 0);
    ck_assert_int_gt(p, 0);
    cblas_dcopy(p * WIDTH, b->image.row, 1, rest, 1);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, p, WIDTH, q, -1.0, m->r.x,
                (int)m->r.cols, qs, WIDTH, 1.0, rest, WIDTH);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, WIDTH, WIDTH, q, part, f->image.row, WIDTH,
                qs, WIDTH, 0.0, w, WIDTH);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, WIDTH, WIDTH, p, part, ps, WIDTH, rest,
                WIDTH, 1.0, w, WIDTH);
    free(rest);
}

/* W^0 = sqrt(D)/sigma_w h^1 X^-T, x being triangular. */
static void find_first_weights(network *n, const double *h) {
    for (size_t a = 0; a < WIDTH; a++)
        for (size_t j = 0; j < DIM; j++) {
            double sum = sqrt(DIM) / n->p->sigma_w * h[j * WIDTH + a];
            for (size_t k = 0; k < j; k++)
                sum -= n->start[a * DIM + k] * n->x[j][k];
            n->start[a * DIM + j] = sum / n->x[j][j];
        }
}

static network translate(const nnd_wide_marching *m) {
    const nnd_wide_problem *q = m->problem;
    network n = {.p = q->params, .problem = q, .depth = q->depth, .outputs = q->outputs};
    size_t fields = n.depth * SAMPLES * WIDTH;
    n.count = bias_at(&n, n.depth) + n.outputs;
    n.start = calloc(n.count + 3 * fields + 2 * WIDTH, sizeof *n.start);
    n.h = n.start + n.count;
    n.phi = n.h + fields;
    n.slope = n.phi + fields;
    n.d = n.slope + fields;
    n.z = n.d + WIDTH;
    const double *h = m->fields.start, *z = h + SAMPLES * WIDTH, *b = z + n.outputs * WIDTH;
    find_inputs(&n);
    find_first_weights(&n, h);
    for (size_t l = 1; l < n.depth; l++)
        find_matrix(m->fields.matrix[l - 1], sqrt(WIDTH) / (branch(&n, l) * n.p->sigma_w),
                    n.start + weights_at(l));
    cblas_daxpy((int)(n.outputs * WIDTH), 1.0 / n.p->sigma_w, z, 1, n.start + readout_at(&n), 1);
    if (n.p->sigma_b > 0.0)
        cblas_daxpy((int)(n.depth * WIDTH), 1.0 / n.p->sigma_b, b, 1, n.start + bias_at(&n, 0), 1);
    return n;
}

START_TEST(the_march_is_the_network_of_its_matrices) {
    static const char *const cases[] = {
        "depth: 1, " GD(6) ", " THREE,
        "depth: 3, " GD(6) ", " THREE,
        "depth: 2, activation: relu, " GD(6) ", " THREE,
        "depth: 2, " GD(6) ", " ONE,
        "depth: 2, " GD(6) ", " SIGNS,
        "depth: 3, " GD(6) ", " LABELS,
        "depth: 2, activation: relu, " GD(6) ", " LABELS,
        "depth: 3, " GD(
            8) ", momentum: 0.6, weight_decay: 0.03, schedule: [0.3, 0.6, 1, 1.2], " LABELS,
        "depth: 3, " GD(6) ", residual: mup-depth, " LABELS,
        "depth: 3, lr: 0.03, steps: 6, residual: plain, " THREE,
        "depth: 3, " GD(6) ", sigma_b: 0.5, " LABELS,
        "depth: 3, " GD(
            6) ", sigma_b: 0.5, residual: mup-depth, momentum: 0.5, weight_decay: 0.02, " LABELS,
        "depth: 2, " GD(6) ", batch: {size: 2, seed: 3}, " THREE,
        "depth: 2, " GD(6) ", batch: {size: 2, seed: 3}, momentum: 0.4, " ONE,
        "depth: 2, integrator: flow, method: heun, time: 0.9, steps: 6, " THREE,
        "depth: 2, integrator: flow, method: rk4, time: 2.4, steps: 6, weight_decay: 0.05, " LABELS,
    };
    char yaml[1024];
    nnd_context *ctx = nnd_context_new(NULL);
    openblas_set_num_threads(1);
    snprintf(yaml, sizeof yaml,
             "{model: wide-mlp, params: {gamma0: 2, sigma_w: 1.1, spectrum: false, %s}}",
             cases[_i]);
    nnd_case *c = test_case(ctx, yaml);
    nnd_wide_problem problem;
    nnd_wide_curves curves;
    nnd_wide_marching m;
    const nnd_wide_sampling sampling = {
        .fresh = NND_FRESH_PLAIN, .sites = WIDTH, .rank_tol = 1e-13, .replicate = 1};
    ck_assert_int_eq(nnd_wide_problem_make(ctx, c->params[0], &problem), NND_OK);
    ck_assert_int_eq(nnd_wide_curves_make(&problem, &curves), NND_OK);
    ck_assert_int_eq(nnd_wide_marching_make(&problem, &sampling, &curves, &m), NND_OK);
    if (nnd_wide_marching_run(&m) != NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    network n = translate(&m);
    compare(&n, &curves);
    free(n.start);
    nnd_wide_marching_clear(&m);
    nnd_wide_curves_clear(&curves);
    nnd_wide_problem_clear(&problem);
    nnd_case_free(c);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("wide-mlp oracle");
    TCase *tests = tcase_create("oracle");
    tcase_add_loop_test(tests, the_march_is_the_network_of_its_matrices, 0, 16);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
