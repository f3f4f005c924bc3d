/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks of real networks against a plain twin: nested loops for the output, differences of the
 * loss for the gradient. The twin knows no backpropagation. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "support.h"
#include "validate/network.h"

enum { MAX_LAYERS = 4, MAX_WIDTH = 12 };

static const nnd_activation TANH = {NND_TANH, 1.0, 1.0, 0.0};
static const nnd_activation ERF = {NND_ERF, 1.3, 0.8, 0.0};
static const nnd_activation GELU = {NND_GELU, 1.0, 1.0, 0.0};
static const nnd_activation SOFTPLUS = {NND_SOFTPLUS, 2.0, 1.5, 0.0};

typedef struct {
    nnd_network_plan plan;
    nnd_layer_plan layer[MAX_LAYERS];
    nnd_loss_kind loss;
} design;

static const design DESIGNS[] = {
    {{.networks = 3, .samples = 2, .inputs = 4, .layers = 2},
     {{7, 0.5, 0.3, &TANH, false, false, 0.0}, {1, 0.4, 0.7, NULL, false, false, 0.0}},
     NND_HALF_SQUARE},
    {{.networks = 2, .samples = 5, .inputs = 3, .layers = 4},
     {{8, 0.6, 0.3, &ERF, false, false, 0.0},
      {6, 0.5, 0.2, &GELU, false, false, 0.0},
      {5, 0.6, 0.5, &SOFTPLUS, false, false, 0.0},
      {1, 0.3, 0.9, NULL, false, false, 0.0}},
     NND_LOGISTIC},
    {{.networks = 2, .samples = 4, .inputs = 5, .layers = 3, .own_inputs = true},
     {{5, 0.3, 0.4, NULL, true, false, 0.0},
      {5, 0.4, 0.2, NULL, true, false, 0.0},
      {1, 0.5, 0.1, NULL, false, false, 0.0}},
     NND_SQUARE},
    {{.networks = 2, .samples = 3, .inputs = 2, .layers = 3},
     {{6, 0.8, 1.0, &TANH, false, false, 0.0},
      {6, 0.5, 1.0, &TANH, true, false, 0.0},
      {3, 0.4, 0.5, NULL, false, false, 0.0}},
     NND_HALF_SQUARE},
    {{.networks = 1, .samples = 1, .inputs = 1, .layers = 1},
     {{1, 0.8, 1.0, &SOFTPLUS, false, false, 0.0}},
     NND_SQUARE},
    {{.networks = 2, .samples = 3, .inputs = 2, .layers = 4},
     {{6, 0.8, 1.0, &TANH, false, false, 0.5},
      {6, 0.5, 0.7, &GELU, false, true, 0.3},
      {6, 0.5, 1.0, NULL, false, true, 0.0},
      {2, 0.4, 0.5, NULL, false, false, 0.8}},
     NND_HALF_SQUARE},
    {{.networks = 2, .samples = 5, .inputs = 3, .layers = 3},
     {{5, 0.8, 1.0, &ERF, false, false, 0.5},
      {5, 0.5, 0.7, &SOFTPLUS, false, true, 0.4},
      {1, 0.4, 0.5, NULL, false, false, 0.0}},
     NND_LOGISTIC},
};
enum { DESIGN_COUNT = sizeof DESIGNS / sizeof *DESIGNS };

typedef struct {
    nnd_context *ctx;
    const design *design;
    nnd_network net;
    double *x;      /* sets x samples x inputs */
    double *y;      /* networks x outputs x samples */
    double *weight; /* samples, one of them 0 */
    double *residual;
} fixture;

static double *normals(uint32_t stream, size_t n) {
    double *x = calloc(n, sizeof *x);
    nnd_rng_normals((nnd_rng_key){1, 2, 3}, stream, 0, n, x);
    return x;
}

static size_t output_count(const nnd_network *net) {
    return net->networks * net->outputs * net->samples;
}

static fixture *begin(const design *d) {
    openblas_set_num_threads(1);
    fixture *f = calloc(1, sizeof *f);
    nnd_network_plan plan = d->plan;
    plan.layer = d->layer;
    f->ctx = nnd_context_new(NULL);
    f->design = d;
    ck_assert_int_eq(nnd_network_make(f->ctx, &plan, &f->net), NND_OK);
    size_t sets = plan.own_inputs ? plan.networks : 1, n = plan.samples * plan.inputs;
    f->x = normals(50, sets * n);
    for (size_t b = 0; b < sets; b++)
        nnd_network_set_inputs(&f->net, b, f->x + b * n);
    for (size_t l = 0; l < plan.layers; l++)
        nnd_network_draw(&f->net, l, 1.1, (nnd_rng_key){7, 3, 5}, (uint32_t)l);
    for (size_t l = 0; l < plan.layers; l++)
        if (f->net.layer[l].b != NULL)
            nnd_network_draw_biases(&f->net, l, (nnd_rng_key){7, 3, 5}, (uint32_t)(20 + l));
    f->y = normals(51, output_count(&f->net));
    f->residual = normals(52, output_count(&f->net));
    f->weight = calloc(plan.samples, sizeof(double));
    for (size_t mu = 0; mu < plan.samples; mu++)
        f->weight[mu] = mu == 1 ? 0.0 : 0.2 + 0.1 * (double)mu;
    return f;
}

static void end(fixture *f) {
    nnd_network_clear(&f->net);
    free(f->x);
    free(f->y);
    free(f->weight);
    free(f->residual);
    nnd_context_free(f->ctx);
    free(f);
}

static double activate(const nnd_activation *a, double h) {
    double phi = h;
    if (a != NULL)
        nnd_activation_apply(a, 1, &h, &phi, NULL, NULL, NULL);
    return phi;
}

/* Outputs of network b at sample mu. */
static void twin_output(const fixture *f, size_t b, size_t mu, double *out) {
    const nnd_network *net = &f->net;
    const double *x = f->x + (net->own_inputs ? b * net->samples * net->inputs : 0);
    double phi[MAX_WIDTH], h[MAX_WIDTH] = {0.0};
    memcpy(phi, x + mu * net->inputs, net->inputs * sizeof(double));
    for (size_t l = 0; l < net->layers; l++) {
        const nnd_layer_plan *layer = &f->design->layer[l];
        const double *w = nnd_network_weights(net, l, b);
        size_t cols = net->layer[l].cols;
        for (size_t i = 0; i < layer->width; i++) {
            h[i] = (layer->skip ? h[i] : 0.0) + (layer->residual ? phi[i] : 0.0);
            if (layer->bias > 0.0)
                h[i] += layer->bias * net->layer[l].b[b * layer->width + i];
            for (size_t j = 0; j < cols; j++)
                h[i] += layer->scale * w[i * cols + j] * phi[j];
        }
        for (size_t i = 0; i < layer->width; i++)
            phi[i] = activate(layer->activation, h[i]);
    }
    memcpy(out, phi, net->outputs * sizeof(double));
}

static double one_loss(nnd_loss_kind kind, double y, double out) {
    if (kind == NND_LOGISTIC)
        return log(1.0 + exp(-y * out));
    return (y - out) * (y - out) * (kind == NND_SQUARE ? 1.0 : 0.5);
}

static double twin_loss(const fixture *f, size_t b) {
    const nnd_network *net = &f->net;
    double out[MAX_WIDTH], sum = 0.0;
    for (size_t mu = 0; mu < net->samples; mu++) {
        twin_output(f, b, mu, out);
        for (size_t o = 0; o < net->outputs; o++)
            sum +=
                f->weight[mu] *
                one_loss(f->design->loss, f->y[(b * net->outputs + o) * net->samples + mu], out[o]);
    }
    return sum;
}

START_TEST(the_output_is_that_of_nested_loops) {
    fixture *f = begin(&DESIGNS[_i]);
    nnd_network_forward(&f->net);
    double out[MAX_WIDTH];
    for (size_t b = 0; b < f->net.networks; b++)
        for (size_t mu = 0; mu < f->net.samples; mu++) {
            twin_output(f, b, mu, out);
            for (size_t o = 0; o < f->net.outputs; o++) {
                double got = f->net.output[(b * f->net.outputs + o) * f->net.samples + mu];
                ck_assert_double_eq_tol(got, out[o], 1e-13);
            }
        }
    end(f);
}
END_TEST

/* Residuals times the weights of samples, after a forward pass. */
static double weigh_residuals(fixture *f) {
    const nnd_network *net = &f->net;
    double loss = 0.0;
    for (size_t i = 0; i < net->networks * net->outputs; i++) {
        size_t at = i * net->samples;
        loss += nnd_loss(f->design->loss, net->samples, f->weight, f->y + at, net->output + at,
                         f->residual + at);
        for (size_t mu = 0; mu < net->samples; mu++)
            f->residual[at + mu] *= f->weight[mu];
    }
    return loss;
}

/* The change of a weight or bias w in layer l of network b is that of differences. */
static void ck_follows(fixture *f, size_t l, size_t b, double *w, const double *change) {
    /* Truncation step^2 and rounding eps/step are both near 1e-10. */
    const double step = 1e-5, tolerance = 1e-8;
    double kept = *w;
    *w = kept + step;
    double up = twin_loss(f, b);
    *w = kept - step;
    double down = twin_loss(f, b);
    *w = kept;
    double want = -f->net.layer[l].rate * (up - down) / (2.0 * step);
    double got = change[w - f->net.weights];
    ck_assert_msg(fabs(got - want) < tolerance, "layer %zu, number %td: %.10g, %.10g", l,
                  w - f->net.weights, got, want);
}

START_TEST(descent_follows_differences_of_the_loss) {
    fixture *f = begin(&DESIGNS[_i]);
    nnd_network *net = &f->net;
    double *change = calloc(net->weight_count, sizeof(double));
    nnd_network_forward(net);
    double loss = weigh_residuals(f), plain = 0.0;
    for (size_t b = 0; b < net->networks; b++)
        plain += twin_loss(f, b);
    test_close("loss", loss, plain, 1e-12);
    nnd_network_backward(net, f->residual);
    nnd_network_descend(net, NULL, change);
    for (size_t l = 0; l < net->layers; l++) {
        const nnd_layer *layer = &net->layer[l];
        size_t n = layer->rows * layer->cols;
        for (size_t b = 0; b < net->networks; b++) {
            for (size_t i = 0; i < n; i++)
                ck_follows(f, l, b, nnd_network_weights(net, l, b) + i, change);
            for (size_t i = 0; layer->b != NULL && i < layer->rows; i++)
                ck_follows(f, l, b, layer->b + b * layer->rows + i, change);
        }
    }
    free(change);
    end(f);
}
END_TEST

START_TEST(coefficients_weigh_samples_as_seeds_do) {
    fixture *f = begin(&DESIGNS[_i]);
    nnd_network *net = &f->net;
    if (net->outputs == 1) {
        size_t n = net->weight_count;
        double *by_seed = calloc(n, sizeof(double));
        nnd_network_forward(net);
        weigh_residuals(f);
        nnd_network_backward(net, f->residual);
        memcpy(by_seed, net->weights, n * sizeof(double));
        nnd_network_descend(net, NULL, by_seed);
        nnd_network_backward(net, NULL);
        nnd_network_descend(net, f->residual, NULL);
        for (size_t i = 0; i < n; i++)
            test_close("weight after a step", net->weights[i], by_seed[i], 1e-12);
        free(by_seed);
    }
    end(f);
}
END_TEST

START_TEST(exchanged_weights_are_those_of_the_network) {
    fixture *f = begin(&DESIGNS[5]);
    nnd_network *net = &f->net;
    size_t n = net->weight_count, outputs = output_count(net);
    double *other = calloc(n, sizeof(double)), *first = calloc(outputs, sizeof(double));
    nnd_network_forward(net);
    memcpy(first, net->output, outputs * sizeof(double));
    double *own = net->weights;
    nnd_network_exchange(net, &other);
    nnd_network_forward(net);
    for (size_t i = 0; i < outputs; i++)
        ck_assert_double_eq(net->output[i], 0.0);
    ck_assert_ptr_eq(other, own);
    nnd_network_exchange(net, &other);
    nnd_network_forward(net);
    for (size_t i = 0; i < outputs; i++)
        ck_assert_double_eq(net->output[i], first[i]);
    free(first);
    free(other);
    end(f);
}
END_TEST

START_TEST(the_kernel_is_the_gram_matrix_of_gradients) {
    fixture *f = begin(&DESIGNS[_i]);
    nnd_network *net = &f->net;
    size_t n = net->weight_count, p = net->samples, last = net->networks - 1;
    double *gradient = calloc(p * n, sizeof(double)), *kernel = calloc(p * p, sizeof(double));
    double *one = calloc(net->networks * p, sizeof(double));
    nnd_network_forward(net);
    nnd_network_backward(net, f->residual);
    for (size_t mu = 0; mu < p; mu++) {
        one[last * p + mu] = 1.0;
        nnd_network_descend(net, one, gradient + mu * n);
        one[last * p + mu] = 0.0;
    }
    nnd_network_ntk(net, last, kernel);
    for (size_t mu = 0; mu < p; mu++)
        for (size_t nu = 0; nu < p; nu++) {
            double want = 0.0;
            for (size_t l = 0; l < net->layers; l++) {
                const nnd_layer *layer = &net->layer[l];
                size_t at = (size_t)(nnd_network_weights(net, l, last) - net->weights);
                want += cblas_ddot((int)(layer->rows * layer->cols), gradient + mu * n + at, 1,
                                   gradient + nu * n + at, 1) /
                        layer->rate;
                if (layer->b == NULL)
                    continue;
                at = (size_t)(layer->b - net->weights) + last * layer->rows;
                want += cblas_ddot((int)layer->rows, gradient + mu * n + at, 1,
                                   gradient + nu * n + at, 1) /
                        layer->rate;
            }
            test_close("kernel", kernel[mu * p + nu], want, 1e-10);
        }
    free(gradient);
    free(kernel);
    free(one);
    end(f);
}
END_TEST

START_TEST(members_of_a_block_do_not_know_each_other) {
    fixture *f = begin(&DESIGNS[1]);
    design alone = DESIGNS[1];
    alone.plan.networks = 1;
    fixture *g = begin(&alone);
    const size_t second = 1, n = f->net.samples;
    /* The block was drawn from seed 3 on. */
    for (size_t l = 0; l < f->net.layers; l++)
        nnd_network_draw(&g->net, l, 1.1, (nnd_rng_key){7, 3 + second, 5}, (uint32_t)l);
    for (size_t t = 0; t < 5; t++)
        for (int i = 0; i < 2; i++) {
            nnd_network *net = i == 0 ? &f->net : &g->net;
            double *residual = i == 0 ? f->residual : g->residual;
            nnd_network_forward(net);
            for (size_t b = 0; b < net->networks; b++)
                (void)nnd_loss(NND_HALF_SQUARE, n, NULL, f->y + (i == 0 ? b : second) * n,
                               net->output + b * n, residual + b * n);
            nnd_network_backward(net, NULL);
            nnd_network_descend(net, residual, NULL);
        }
    for (size_t mu = 0; mu < n; mu++)
        test_close("output", g->net.output[mu], f->net.output[second * n + mu], 1e-12);
    end(f);
    end(g);
}
END_TEST

START_TEST(absent_samples_leave_no_trace) {
    fixture *all = begin(&DESIGNS[1]);
    design fewer = DESIGNS[1];
    fewer.plan.samples = 3;
    fixture *some = begin(&fewer);
    double *delta = calloc(2 * 5, sizeof(double)), *part = calloc(2 * 3, sizeof(double));
    for (size_t b = 0; b < 2; b++)
        for (size_t mu = 0; mu < 3; mu++)
            delta[b * 5 + mu] = part[b * 3 + mu] = 0.3 + (double)mu + 2.0 * (double)b;
    fixture *both[] = {all, some};
    for (int i = 0; i < 2; i++) {
        nnd_network_forward(&both[i]->net);
        nnd_network_backward(&both[i]->net, NULL);
        nnd_network_descend(&both[i]->net, i == 0 ? delta : part, NULL);
    }
    for (size_t i = 0; i < all->net.weight_count; i++)
        test_close("weight", all->net.weights[i], some->net.weights[i], 1e-12);
    free(delta);
    free(part);
    end(all);
    end(some);
}
END_TEST

START_TEST(centring_subtracts_the_output_of_that_moment) {
    fixture *f = begin(&DESIGNS[0]);
    nnd_network *net = &f->net;
    double before[6];
    nnd_network_forward(net);
    memcpy(before, net->output, sizeof before);
    nnd_network_center(net);
    for (size_t i = 0; i < 6; i++)
        ck_assert(net->output[i] == 0.0 && before[i] != 0.0);
    net->weights[0] += 0.5;
    nnd_network_forward(net);
    double out;
    twin_output(f, 0, 1, &out);
    test_close("output", net->output[1], out - before[1], 1e-12);
    end(f);
}
END_TEST

START_TEST(gram_matrices_are_means_over_neurons) {
    fixture *f = begin(&DESIGNS[1]);
    nnd_network *net = &f->net;
    nnd_network_forward(net);
    double gram[25], want = 0.0;
    const double *h = nnd_network_field(net, 1, 1, net->layer[1].h);
    nnd_network_gram(net, 1, 1, net->layer[1].h, gram);
    for (size_t i = 0; i < 6; i++)
        want += h[i * 5 + 3] * h[i * 5 + 2] / 6.0;
    test_close("gram", gram[3 * 5 + 2], want, 1e-13);
    test_close("gram", gram[2 * 5 + 3], want, 1e-13);
    end(f);
}
END_TEST

START_TEST(losses_have_the_residual_of_their_differences) {
    static const nnd_loss_kind kinds[] = {NND_HALF_SQUARE, NND_SQUARE, NND_LOGISTIC};
    const double step = 1e-6, y[] = {1.0, -1.0, 0.7}, f[] = {0.3, 0.4, -2.0};
    const double weight[] = {0.5, 0.2, 0.0};
    for (size_t k = 0; k < 3; k++) {
        double residual[3], want = 0.0;
        double got = nnd_loss(kinds[k], 3, weight, y, f, residual);
        for (size_t i = 0; i < 3; i++) {
            want += weight[i] * one_loss(kinds[k], y[i], f[i]);
            double up = one_loss(kinds[k], y[i], f[i] + step);
            double down = one_loss(kinds[k], y[i], f[i] - step);
            test_close("residual", residual[i], (down - up) / (2.0 * step), 1e-8);
        }
        test_close("loss", got, want, 1e-14);
    }
}
END_TEST

START_TEST(the_logistic_loss_survives_large_margins) {
    const double y[] = {1.0, 1.0}, f[] = {800.0, -800.0};
    double residual[2];
    test_close("loss", nnd_loss(NND_LOGISTIC, 2, NULL, y, f, residual), 400.0, 1e-14);
    ck_assert(residual[0] == 0.0 && residual[1] == 1.0);
}
END_TEST

START_TEST(the_announced_memory_is_what_is_taken) {
    nnd_network_plan plan = DESIGNS[1].plan;
    plan.layer = DESIGNS[1].layer;
    /* Weights, fields h, phi, slope, g of hidden layers, h and g of the readout, inputs, start,
     * output and scratch. */
    double weights = 8 * 3 + 6 * 8 + 5 * 6 + 5, fields = 4 * (8 + 6 + 5) + 2 + 2 + 8;
    test_close("bytes", nnd_network_bytes(&plan),
               8.0 * (2.0 * weights + 2.0 * 5.0 * fields + 3.0 * 5.0), 1e-14);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("network");
    TCase *tcase = tcase_create("network");
    tcase_add_loop_test(tcase, the_output_is_that_of_nested_loops, 0, DESIGN_COUNT);
    tcase_add_loop_test(tcase, descent_follows_differences_of_the_loss, 0, DESIGN_COUNT);
    tcase_add_loop_test(tcase, coefficients_weigh_samples_as_seeds_do, 0, DESIGN_COUNT);
    tcase_add_loop_test(tcase, the_kernel_is_the_gram_matrix_of_gradients, 0, DESIGN_COUNT);
    tcase_add_test(tcase, exchanged_weights_are_those_of_the_network);
    tcase_add_test(tcase, members_of_a_block_do_not_know_each_other);
    tcase_add_test(tcase, absent_samples_leave_no_trace);
    tcase_add_test(tcase, centring_subtracts_the_output_of_that_moment);
    tcase_add_test(tcase, gram_matrices_are_means_over_neurons);
    tcase_add_test(tcase, losses_have_the_residual_of_their_differences);
    tcase_add_test(tcase, the_logistic_loss_survives_large_margins);
    tcase_add_test(tcase, the_announced_memory_is_what_is_taken);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
