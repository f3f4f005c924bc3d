/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradient flow of linear networks, and their minima by direct solution. */
#include <cblas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "validate/alignment_linear.h"

enum { MAX_STEPS = 200000, BISECTIONS = 200 };
static const double STEP_ERROR = 1e-8;
/* Steps that are too many, and after how many their length tells how many there will be. */
static const double MOST_FLOW_STEPS = 1e7;
enum { SETTLED = 1000 };

/* ---- flow ---- */

struct nnd_linear_flow {
    nnd_context *ctx;
    nnd_linear_network *net;
    double time, step;
    size_t count;  /* of steps */
    double before; /* the time when that was last a multiple of SETTLED */
    double *slope;
    gsl_odeiv2_system system;
    gsl_odeiv2_step *stepper;
    gsl_odeiv2_control *control;
    gsl_odeiv2_evolve *evolve;
};

static int derivative(double t, const double w[], double dwdt[], void *user) {
    (void)t;
    nnd_linear_network_descent(user, w, dwdt);
    return GSL_SUCCESS;
}

/* Errors are measured against the typical size of a weight at the start. */
static double typical_weight(const nnd_linear_network *net) {
    double n = (double)net->count;
    return cblas_dnrm2((int)net->count, net->w, 1) / sqrt(n) + 1e-12;
}

nnd_status nnd_linear_flow_new(nnd_context *ctx, nnd_linear_network *net, nnd_linear_flow **out) {
    nnd_linear_flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL)
        return nnd_fail_memory(ctx, "a gradient flow");
    flow->ctx = ctx;
    flow->net = net;
    flow->step = 1e-3;
    flow->system = (gsl_odeiv2_system){derivative, NULL, net->count, net};
    flow->slope = calloc(net->count, sizeof(double));
    flow->stepper = gsl_odeiv2_step_alloc(gsl_odeiv2_step_rk8pd, net->count);
    flow->control = gsl_odeiv2_control_y_new(STEP_ERROR * typical_weight(net), STEP_ERROR);
    flow->evolve = gsl_odeiv2_evolve_alloc(net->count);
    if (flow->slope == NULL || flow->stepper == NULL || flow->control == NULL ||
        flow->evolve == NULL) {
        nnd_linear_flow_free(flow);
        return nnd_fail_memory(ctx, "a gradient flow");
    }
    *out = flow;
    return NND_OK;
}

void nnd_linear_flow_free(nnd_linear_flow *flow) {
    if (flow == NULL)
        return;
    if (flow->evolve != NULL)
        gsl_odeiv2_evolve_free(flow->evolve);
    if (flow->control != NULL)
        gsl_odeiv2_control_free(flow->control);
    if (flow->stepper != NULL)
        gsl_odeiv2_step_free(flow->stepper);
    free(flow->slope);
    free(flow);
}

static nnd_status advance(nnd_linear_flow *flow, double until) {
    int code = gsl_odeiv2_evolve_apply(flow->evolve, flow->control, flow->stepper, &flow->system,
                                       &flow->time, until, &flow->step, flow->net->w);
    if (nnd_context_interrupted(flow->ctx))
        return nnd_fail(flow->ctx, NND_E_INTERRUPTED, "interrupted");
    return code == GSL_SUCCESS
               ? NND_OK
               : nnd_fail(flow->ctx, NND_E_UNSOLVED,
                          "the gradient flow cannot be followed beyond t = %g", flow->time);
}

/* Whether steps as long as the last thousand will be too many. */
static nnd_status look_ahead(nnd_linear_flow *flow, double last) {
    double length = (flow->time - flow->before) / SETTLED;
    flow->before = flow->time;
    if (last - flow->time <= MOST_FLOW_STEPS * length)
        return NND_OK;
    return nnd_fail(flow->ctx, NND_E_INPUT,
                    "params.time: %g is too long for a simulated flow, whose steps at t = %.3g are "
                    "%.2g long; allowed: %g of them",
                    last, flow->time, length, MOST_FLOW_STEPS);
}

nnd_status nnd_linear_flow_to(nnd_linear_flow *flow, double time, double last) {
    nnd_status status = NND_OK;
    while (status == NND_OK && flow->time < time) {
        status = advance(flow, time);
        if (status == NND_OK && ++flow->count % SETTLED == 0)
            status = look_ahead(flow, last);
    }
    if (status == NND_OK)
        nnd_linear_network_descent(flow->net, flow->net->w, flow->slope);
    return status;
}

nnd_status nnd_linear_flow_converge(nnd_linear_flow *flow, double tolerance, bool *converged) {
    const nnd_linear_data *data = flow->net->data;
    double bound = tolerance * cblas_dnrm2((int)(data->outputs * data->dim), data->c, 1);
    *converged = false;
    nnd_status status = NND_OK;
    for (int n = 0; status == NND_OK && n < MAX_STEPS && !*converged; n++) {
        status = advance(flow, INFINITY);
        nnd_linear_network_descent(flow->net, flow->net->w, flow->slope);
        *converged = cblas_dnrm2((int)flow->net->count, flow->slope, 1) <= bound;
    }
    return status;
}

/* ---- direct solutions ---- */

/* Least squares of least norm by QR: X (P x D) for all outputs at once. */
static nnd_status least_norm(nnd_context *ctx, const nnd_linear_data *data, double *b) {
    size_t p = data->samples, d = data->dim, c = data->outputs, rows = p > d ? p : d;
    double *x = malloc(p * d * sizeof *x), *right = calloc(rows * c, sizeof *right);
    nnd_status status = NND_OK;
    if (x == NULL || right == NULL)
        status = nnd_fail_memory(ctx, "least squares");
    if (status == NND_OK) {
        memcpy(x, data->x, p * d * sizeof *x);
        /* row-major P x D is column-major D x P: its transpose is solved */
        for (size_t k = 0; k < c; k++)
            for (size_t mu = 0; mu < p; mu++)
                right[k * rows + mu] = data->y[mu * c + k];
        if (LAPACKE_dgels(LAPACK_COL_MAJOR, 'T', (lapack_int)d, (lapack_int)p, (lapack_int)c, x,
                          (lapack_int)d, right, (lapack_int)rows) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "least squares have no solution");
    }
    for (size_t k = 0; status == NND_OK && k < c; k++)
        memcpy(b + k * d, right + k * rows, d * sizeof *b);
    free(x);
    free(right);
    return status;
}

nnd_status nnd_linear_ridge(nnd_context *ctx, const nnd_linear_data *data, double ridge,
                            double *b) {
    if (ridge == 0.0)
        return least_norm(ctx, data, b);
    size_t d = data->dim, c = data->outputs;
    double *a = malloc(d * d * sizeof *a);
    if (a == NULL)
        return nnd_fail_memory(ctx, "a ridge regression");
    memcpy(a, data->s, d * d * sizeof *a);
    for (size_t i = 0; i < d; i++)
        a[i * d + i] += ridge;
    memcpy(b, data->c, c * d * sizeof *b);
    lapack_int info = LAPACKE_dposv(LAPACK_COL_MAJOR, 'U', (lapack_int)d, (lapack_int)c, a,
                                    (lapack_int)d, b, (lapack_int)d);
    free(a);
    return info == 0 ? NND_OK : nnd_fail(ctx, NND_E_INPUT, "a ridge regression has no solution");
}

/* lambda |(S + lambda)^-1 c|, which increases with lambda. */
static double pull(size_t d, const double *value, const double *along, double lambda) {
    double sum = 0.0;
    for (size_t i = 0; i < d; i++) {
        double x = along[i] / (value[i] / lambda + 1.0);
        sum += x * x;
    }
    return sqrt(sum);
}

nnd_status nnd_linear_decayed(nnd_context *ctx, const nnd_linear_data *data, double mu, double *b) {
    size_t d = data->dim;
    if (mu == 0.0)
        return least_norm(ctx, data, b);
    double *v = malloc(d * d * sizeof *v), *value = calloc(d, sizeof *value);
    double *along = calloc(d, sizeof *along);
    nnd_status status = NND_OK;
    if (v == NULL || value == NULL || along == NULL)
        status = nnd_fail_memory(ctx, "weight decay");
    if (status == NND_OK) {
        memcpy(v, data->s, d * d * sizeof *v);
        if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', (lapack_int)d, v, (lapack_int)d, value) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "a covariance has no eigenvalues");
    }
    memset(b, 0, d * sizeof *b);
    if (status == NND_OK && mu < cblas_dnrm2((int)d, data->c, 1)) {
        /* column i of v is row i of the array */
        cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)d, (int)d, 1.0, v, (int)d, data->c, 1, 0.0,
                    along, 1);
        double low = -80.0, high = 80.0;
        for (int n = 0; n < BISECTIONS; n++) {
            double middle = 0.5 * (low + high);
            if (pull(d, value, along, exp(middle)) < mu)
                low = middle;
            else
                high = middle;
        }
        for (size_t i = 0; i < d; i++)
            along[i] /= fmax(value[i], 0.0) + exp(high);
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)d, (int)d, 1.0, v, (int)d, along, 1, 0.0, b, 1);
    }
    free(v);
    free(value);
    free(along);
    return status;
}

nnd_status nnd_linear_hidden(nnd_context *ctx, size_t outputs, size_t dim, const double *b,
                             double *h) {
    int c = (int)outputs, d = (int)dim;
    double *g = calloc(outputs * outputs, sizeof *g), *value = calloc(outputs, sizeof *value);
    double *turned = calloc(outputs * dim, sizeof *turned);
    nnd_status status = NND_OK;
    if (g == NULL || value == NULL || turned == NULL)
        status = nnd_fail_memory(ctx, "the hidden layer");
    if (status == NND_OK) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, c, c, d, 1.0, b, d, b, d, 0.0, g, c);
        if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'L', c, g, c, value) != 0)
            status = nnd_fail(ctx, NND_E_INPUT, "outputs have no eigenvalues");
    }
    if (status == NND_OK) {
        /* in the basis of the outputs' eigenvectors, which no Gram matrix sees */
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, c, d, c, 1.0, g, c, b, d, 0.0, turned,
                    d);
        for (size_t k = 0; k < outputs; k++)
            for (size_t i = 0; i < dim; i++)
                h[k * dim + i] = value[k] > 0.0 ? turned[k * dim + i] / sqrt(sqrt(value[k])) : 0.0;
    }
    free(g);
    free(value);
    free(turned);
    return status;
}
