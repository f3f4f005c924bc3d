/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks with many outputs as pencils: against sample covariances where they are ones, and the
 * reference numbers of many-outputs.md#s8. */
#include <complex.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nndmft/solvers/bulk.h"
#include "nndmft/solvers/covariance.h"
#include "solvers/cmplx.h"
#include "support.h"
#include "theory/many_outputs_law.h"
#include "theory/many_outputs_program.h"
#include "with_context.h"

#define OK(call) ck_assert_msg((call) == NND_OK, "%s", nnd_context_message(ctx))

/* What two solvers of the same equation may differ by: 1e-10, of which the rule for A^T A has
 * 1e-12. */
static const double SAME = 1e-10;
/* Differences of slopes: the error that is stated is about that. */
static const double KAPPA = 1e-7;
/* Printed digits. */
static const double PRINTED = 1e-9;

static nnd_outputs_program fixed_readout(double c, double d, double gamma, double rate,
                                         size_t steps) {
    return (nnd_outputs_program){.c = c,
                                 .d = d,
                                 .sigma2 = 1.0,
                                 .readout2 = 1.0,
                                 .tau2 = 1.0,
                                 .gamma = gamma,
                                 .rate = rate,
                                 .steps = steps};
}

static void close_complex(const char *what, double complex got, double complex want, double tol) {
    ck_assert_msg(cabs(got - want) <= tol, "%s: want %.12g%+.12gi, got %.12g%+.12gi", what,
                  creal(want), cimag(want), creal(got), cimag(got));
}

/* ---- against the covariance of many-outputs.md#s2-1 ---- */

enum { NODES = 400 };

/* F(lambda), and b^2 gamma^2 s^2 (a spike), at the nodes of the law of A^T A. */
typedef struct {
    nnd_covariance law;
    double s[NODES + 1], h[NODES + 1], strength[NODES + 1];
    size_t end[2];
} covariance;

static void make_covariance(const nnd_outputs_program *q, double spike, covariance *x) {
    double sum = 0.0, gamma2 = q->gamma * q->gamma;
    nnd_bulk_rule(q->c, NODES, x->s, x->h);
    for (size_t k = 0; k < NODES; k++) {
        double lambda = x->s[k],
               left = q->converges ? 0.0 : pow(1.0 - q->rate * lambda, (double)q->steps);
        double gain = (1.0 - left) * (1.0 - left) / lambda;
        x->s[k] = q->sigma2 * left * left + gamma2 * q->tau2 / q->d * gain;
        x->strength[k] = gamma2 * spike * spike * x->h[k] / q->c * gain;
        sum += x->h[k];
    }
    x->s[NODES] = q->sigma2;
    x->h[NODES] = q->converges ? fmax(0.0, 1.0 - q->c) : 1.0 - sum;
    x->strength[NODES] = 0.0;
    x->end[0] = NODES;
    x->end[1] = NODES + 1;
    x->law = (nnd_covariance){NODES + 1, x->s, x->h, 2, x->end, q->d};
}

/* The transform, and if wanted the upper edge and the density. */
static void compare(const nnd_outputs_program *q, bool edge_too) {
    covariance x;
    nnd_dyson *p = nnd_outputs_program_weights(q);
    const double complex z[] = {CMPLX(2.0, 1.0), CMPLX(1.0, 0.2), -1.0};
    double complex m[3], want;
    nnd_dyson_edge edge;
    nnd_edges edges;
    make_covariance(q, 0.0, &x);
    OK(nnd_dyson_stieltjes(ctx, p, 3, z, m, NULL));
    for (int i = 0; i < 3; i++) {
        OK(nnd_covariance_stieltjes(ctx, &x.law, z[i], &want));
        close_complex("m", m[i], want, SAME);
    }
    if (!edge_too) {
        nnd_dyson_free(p);
        return;
    }
    OK(nnd_dyson_upper_edge(ctx, p, &edge));
    OK(nnd_covariance_edges(ctx, &x.law, &edges));
    const nnd_edge *top = &edges.edge[edges.count - 1];
    test_close("edge", edge.z, top->z, SAME);
    test_close("kappa", edge.kappa, top->kappa, KAPPA);
    ck_assert(edge.kappa_error <= KAPPA * edge.kappa);
    double inside = 0.6 * top->z, density[2], cdf;
    OK(nnd_dyson_density(ctx, p, 1, &inside, &density[0], NULL));
    OK(nnd_covariance_density(ctx, &x.law, &edges, 1, &inside, &density[1], &cdf));
    test_close("density", density[0], density[1], SAME);
    nnd_edges_clear(&edges);
    nnd_dyson_free(p);
}

START_TEST(steps_with_a_fixed_readout_are_a_covariance) {
    const size_t steps[] = {0, 1, 2, 5, 10};
    for (int i = 0; i < 5; i++) {
        nnd_outputs_program q = fixed_readout(0.5, 0.8, 1.5, 0.4, steps[i]);
        compare(&q, steps[i] < 5);
        q.sigma2 = 0.3; /* and where the data are larger than the width, or outputs are many */
        q.d = 1.7;
        q.c = 1.4;
        q.rate = 0.2;
        compare(&q, steps[i] < 5);
    }
}
END_TEST

START_TEST(end_of_training_is_a_covariance) {
    const double c[] = {0.3, 0.6, 1.9, 3.0};
    for (int i = 0; i < 4; i++) {
        nnd_outputs_program q = fixed_readout(c[i], 0.5, 2.0, 0.0, 0);
        q.converges = true;
        compare(&q, true);
    }
    /* the Fisher law of many-outputs.md#s2-6 */
    const double want[][2] = {{2.0, 8.0}, {1.2, 120.0}};
    for (int i = 0; i < 2; i++) {
        nnd_outputs_program q = fixed_readout(want[i][0], 1.0, 1.0, 0.0, 0);
        q.converges = true;
        nnd_dyson *p = nnd_outputs_program_weights(&q);
        nnd_dyson_edge edge;
        OK(nnd_dyson_upper_edge(ctx, p, &edge));
        test_close("Fisher", edge.z, want[i][1], SAME);
        nnd_dyson_free(p);
    }
}
END_TEST

/* Edges of the covariance, and the support by the pencil. */
static void find_bulks(const nnd_outputs_program *q, nnd_edges *edges, nnd_dyson_support *support) {
    covariance x;
    make_covariance(q, 0.0, &x);
    OK(nnd_covariance_edges(ctx, &x.law, edges));
    nnd_dyson *p = nnd_outputs_program_weights(q);
    OK(nnd_dyson_support_find(ctx, p, 24, support));
    nnd_dyson_free(p);
}

/* Bulks of training above the others: exactly C of D eigenvalues (many-outputs.md#s2-3). */
START_TEST(gap_and_masses) {
    nnd_outputs_program q = fixed_readout(0.1, 1.0, 3.0, 0.4, 4);
    q.sigma2 = 0.5;
    nnd_edges edges;
    nnd_dyson_support support;
    find_bulks(&q, &edges, &support);
    ck_assert_uint_eq(support.count, 2);
    ck_assert_uint_eq(edges.count, 3);
    test_close("end of the first", support.interval[0].high.z, edges.edge[0].z, SAME);
    test_close("gap", support.interval[1].low.z, edges.edge[1].z, SAME);
    test_close("top", support.interval[1].high.z, edges.edge[2].z, SAME);
    ck_assert(support.interval[0].low.z == 0.0);
    for (int i = 0; i < 2; i++)
        test_close("kappa", support.interval[i].high.kappa, edges.edge[2 * i].kappa, KAPPA);
    test_close("mass", support.interval[1].mass, 0.1, 1e-7);
    nnd_dyson_support_clear(&support);
    nnd_edges_clear(&edges);
}
END_TEST

/* A gap of a thousandth of the support, between two places where the density is looked at; C of D
 * eigenvalues are above it. */
START_TEST(narrow_gap) {
    nnd_outputs_program q = fixed_readout(0.0730114, 2.14752, 1.91641, 0.0, 0);
    q.sigma2 = 0.523146;
    q.converges = true;
    nnd_edges edges;
    nnd_dyson_support support;
    find_bulks(&q, &edges, &support);
    ck_assert_uint_eq(support.count, 2);
    ck_assert_uint_eq(edges.count, 4);
    test_close("end of the first", support.interval[0].high.z, edges.edge[1].z, 1e-9);
    test_close("begin of the second", support.interval[1].low.z, edges.edge[2].z, 1e-9);
    test_close("mass", support.interval[1].mass, q.c / q.d, 1e-8);
    nnd_dyson_support_clear(&support);
    nnd_edges_clear(&edges);
}
END_TEST

START_TEST(spikes_are_those_of_the_covariance) {
    const double spike[] = {0.1, 1.5, 3.0};
    for (int i = 0; i < 3; i++) {
        nnd_outputs_program q = fixed_readout(0.5, 0.8, 1.5, 0.3, 3);
        q.tau2 = 0.5;
        q.structured = true;
        covariance x;
        make_covariance(&q, spike[i], &x);
        nnd_detached want;
        OK(nnd_covariance_spike(ctx, &x.law, x.strength, &want));
        nnd_dyson *p = nnd_outputs_program_weights(&q);
        nnd_dyson_outlier got = {0};
        size_t count;
        OK(nnd_dyson_outliers(ctx, p, spike[i], 1, &got, &count));
        ck_assert_uint_eq(count, isnan(want.z) ? 0u : 1u);
        if (count > 0) {
            test_close("outlier", got.z, want.z, SAME);
            test_close("overlap", got.overlap, want.overlap, 1e-9);
        }
        nnd_dyson_free(p);
    }
}
END_TEST

/* ---- reference numbers ---- */

/* many-outputs.md#s8: R2. */
START_TEST(risk_of_a_fixed_readout) {
    nnd_outputs_program q = fixed_readout(0.5, 1.0, 1.0, 0.3, 3);
    nnd_dyson *w = nnd_outputs_program_weights(&q), *e = nnd_outputs_program_residual(&q);
    double mean, risk, error;
    OK(nnd_dyson_moment(ctx, w, 1, &mean, &error));
    test_close("mean", mean, 0.8032905156, PRINTED);
    OK(nnd_dyson_moment(ctx, e, 1, &risk, &error));
    test_close("risk", risk * q.d / (q.c * q.gamma * q.gamma), 0.3727725781, PRINTED);
    nnd_dyson_free(w);
    nnd_dyson_free(e);
}
END_TEST

static nnd_dyson *both_layers(double rate, size_t steps, size_t blocks) {
    nnd_outputs_program q = fixed_readout(0.5, 0.8, 1.5, rate, steps);
    q.readout_rate = rate;
    nnd_dyson *p = nnd_outputs_program_weights(&q);
    size_t count, unknowns;
    nnd_dyson_size(p, &count, &unknowns);
    ck_assert_uint_eq(count, blocks);
    return p;
}

/* many-outputs.md#s8: R5. */
START_TEST(both_layers_two_steps) {
    const double complex z[] = {CMPLX(2.0, 1.0), CMPLX(1.0, 0.2)};
    double complex m[2];
    nnd_dyson *p = both_layers(0.3, 2, 18);
    nnd_dyson_edge edge;
    OK(nnd_dyson_upper_edge(ctx, p, &edge));
    test_close("edge", edge.z, 3.211388940, PRINTED);
    OK(nnd_dyson_stieltjes(ctx, p, 2, z, m, NULL));
    close_complex("2+i", m[0], CMPLX(-0.2915102431, 0.4993473560), 1e-10);
    close_complex("1+.2i", m[1], CMPLX(-0.2959910907, 0.9723019516), 1e-10);
    nnd_dyson_free(p);
}
END_TEST

/* The edge is 3.45745: there is something just below and nothing just above. */
START_TEST(both_layers_three_steps) {
    const double z[] = {3.457445, 3.457455};
    double density[2];
    nnd_dyson *p = both_layers(0.2, 3, 60);
    OK(nnd_dyson_density(ctx, p, 2, z, density, NULL));
    ck_assert(density[0] > 0.0 && density[1] == 0.0);
    nnd_dyson_free(p);
}
END_TEST

/* The readout's own rate and variance are scales: (A, gamma, eta_W, eta_A) and (A k, gamma k,
 * eta_W/k^2, eta_A k^2 ...) are one network: f = A W/gamma, W moves by eta_W A^T E. */
START_TEST(readout_is_a_scale) {
    const double k = 1.7;
    nnd_outputs_program q = fixed_readout(0.6, 0.9, 1.2, 0.2, 2), r;
    q.readout_rate = 0.35;
    r = q;
    r.readout2 *= k * k;
    r.gamma *= k;
    r.rate /= k * k;
    const double complex z = CMPLX(1.0, 0.5);
    double complex m[2];
    nnd_dyson *a = nnd_outputs_program_weights(&q), *b = nnd_outputs_program_weights(&r);
    OK(nnd_dyson_stieltjes(ctx, a, 1, &z, &m[0], NULL));
    OK(nnd_dyson_stieltjes(ctx, b, 1, &z, &m[1], NULL));
    close_complex("scaled", m[1], m[0], 1e-12);
    nnd_dyson_free(a);
    nnd_dyson_free(b);
}
END_TEST

/* many-outputs.md#s8: two values of the target. */
START_TEST(target_of_two_values) {
    const double s[] = {1.0, 2.0}, weight[] = {0.25, 0.15};
    const double complex z = CMPLX(2.0, 1.0);
    nnd_outputs_program q = fixed_readout(0.4, 0.8, 1.5, 0.5, 1);
    q.tau2 = 0.2;
    q.structured = true;
    q.atoms = 2;
    q.s = s;
    q.weight = weight;
    nnd_dyson *p = nnd_outputs_program_weights(&q);
    nnd_dyson_edge edge;
    double complex m;
    OK(nnd_dyson_upper_edge(ctx, p, &edge));
    test_close("edge", edge.z, 6.135899267, PRINTED);
    OK(nnd_dyson_stieltjes(ctx, p, 1, &z, &m, NULL));
    close_complex("m", m, CMPLX(-0.2200420400, 0.4416769514), 1e-10);
    nnd_dyson_free(p);
}
END_TEST

/* A Gaussian matrix is a fixed one with the same law of singular values: a rule of n nodes for the
 * law, which converges exponentially, meets the isotropic target so. */
START_TEST(list_of_an_isotropic_target) {
    enum { MOST = 64 };
    const double c = 0.4, d = 0.8;
    const double complex z = CMPLX(1.0, 0.5);
    nnd_outputs_program q = fixed_readout(c, d, 1.5, 0.5, 1);
    nnd_dyson *p = nnd_outputs_program_weights(&q);
    double complex want, m;
    OK(nnd_dyson_stieltjes(ctx, p, 1, &z, &want, NULL));
    nnd_dyson_free(p);
    double last = INFINITY;
    for (size_t n = 4; n <= MOST; n *= 2) {
        /* eigenvalues of Z Z^T/D, C x C: those of an aspect d/c, times c/d */
        double lambda[MOST], weight[MOST], s[MOST], sum = 0.0;
        nnd_bulk_rule(d / c, n, lambda, weight);
        for (size_t k = 0; k < n; k++)
            sum += weight[k];
        for (size_t k = 0; k < n; k++) {
            s[k] = sqrt(lambda[k] * c / d);
            weight[k] *= c / sum;
        }
        q.tau2 = 0.0;
        q.structured = true;
        q.atoms = n;
        q.s = s;
        q.weight = weight;
        p = nnd_outputs_program_weights(&q);
        OK(nnd_dyson_stieltjes(ctx, p, 1, &z, &m, NULL));
        nnd_dyson_free(p);
        double error = cabs(m - want);
        ck_assert_msg(error <= 0.5 * last || error < 1e-11, "%zu values: %g after %g", n, error,
                      last);
        last = error;
    }
    ck_assert(last < 1e-11);
}
END_TEST

/* s(u) = 3/(1 + 10 u) on (0, 1) by Gauss's rule: away from the axis the law converges
 * exponentially, its edge, where few singular values are, later. */
START_TEST(nodes_of_a_power_law) {
    enum { MOST = 60 };
    const double c = 0.4, first = 3.0, far = 10.0;
    const double complex z = CMPLX(2.0, 1.0);
    double edge[3];
    double complex m[3];
    for (int i = 0; i < 3; i++) {
        size_t n = (size_t)(MOST >> (2 - i));
        double s[MOST], weight[MOST];
        gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(n);
        for (size_t k = 0; k < n; k++) {
            double u;
            gsl_integration_glfixed_point(0.0, 1.0, k, &u, &weight[k], table);
            s[k] = first / (1.0 + far * u);
            weight[k] *= c;
        }
        gsl_integration_glfixed_table_free(table);
        nnd_outputs_program q = fixed_readout(c, 0.8, 1.5, 0.5, 1);
        q.tau2 = 0.2;
        q.structured = true;
        q.atoms = n;
        q.s = s;
        q.weight = weight;
        nnd_dyson *p = nnd_outputs_program_weights(&q);
        nnd_dyson_edge found;
        OK(nnd_dyson_stieltjes(ctx, p, 1, &z, &m[i], NULL));
        OK(nnd_dyson_upper_edge(ctx, p, &found));
        edge[i] = found.z;
        nnd_dyson_free(p);
    }
    /* twice the nodes square the error, but for powers of their number */
    double coarse = cabs(m[1] - m[0]), fine = cabs(m[2] - m[1]);
    ck_assert_msg(fine < 100.0 * coarse * coarse && fine < 1e-9, "%g, %g", coarse, fine);
    ck_assert_msg(fabs(edge[2] - edge[1]) < 0.2 * fabs(edge[1] - edge[0]), "%.8g %.8g %.8g",
                  edge[0], edge[1], edge[2]);
}
END_TEST

/* ---- as laws of cases ---- */

/* Both say the same but for what they state, and state little. */
static void agrees(const char *what, nnd_estimate a, nnd_estimate b) {
    ck_assert_msg(fabs(a.value - b.value) <= a.error + b.error + 1e-9 * fabs(b.value) &&
                      a.error <= 1e-6 * fabs(a.value) + 1e-9,
                  "%s: %.12g (%.2g) and %.12g (%.2g)", what, a.value, a.error, b.value, b.error);
}

/* The law of a fixed readout with an isotropic target, by a pencil and as a covariance: everything
 * that a law can be asked. */
static void compare_laws(const char *yaml, double time) {
    enum { POINTS = 5 };
    nnd_case *c = test_case(ctx, yaml);
    const nnd_many_outputs *p = c->params[0];
    nnd_outputs_law law[2] = {{NULL, NULL}, {NULL, NULL}};
    OK(nnd_outputs_law_pencil(ctx, p, time, &law[0]));
    OK(nnd_outputs_law_readout(ctx, p, time, &law[1]));
    nnd_edges edges[2];
    nnd_estimate rho[2][POINTS], cdf[2][POINTS], mean[2], risk[2];
    nnd_detached spike[2];
    double z[POINTS], error;
    double complex m[2];
    for (int i = 0; i < 2; i++) {
        void *self = law[i].self;
        OK(law[i].methods->edges(ctx, self, &edges[i]));
        for (int k = 0; i == 0 && k < POINTS; k++)
            z[k] = edges[0].edge[edges[0].count - 1].z * (k + 0.5) / (POINTS - 0.8);
        OK(law[i].methods->density(ctx, self, POINTS, z, rho[i], cdf[i]));
        OK(law[i].methods->mean(ctx, self, &mean[i]));
        OK(law[i].methods->risk(ctx, self, &risk[i]));
        OK(law[i].methods->outlier(ctx, self, p->spikes.value[0], &spike[i]));
        OK(law[i].methods->stieltjes(ctx, self, CMPLX(1.0, 0.3), &m[i], &error));
    }
    close_complex("m", m[0], m[1], SAME);
    ck_assert_uint_eq(edges[0].count, edges[1].count);
    for (size_t k = 0; k < edges[0].count; k++) {
        const nnd_edge *a = &edges[0].edge[k], *b = &edges[1].edge[k];
        test_close("edge", a->z, b->z, SAME);
        test_close("kappa", a->kappa, b->kappa, KAPPA);
        ck_assert(fabs(a->mass - b->mass) < 1e-7 && a->upper == b->upper);
    }
    for (int k = 0; k < POINTS; k++) {
        agrees("density", rho[0][k], rho[1][k]);
        agrees("cdf", cdf[0][k], cdf[1][k]);
    }
    agrees("mean", mean[0], mean[1]);
    agrees("risk", risk[0], risk[1]);
    ck_assert(isnan(spike[0].z) == isnan(spike[1].z));
    if (!isnan(spike[0].z)) {
        test_close("outlier", spike[0].z, spike[1].z, SAME);
        test_close("overlap", spike[0].overlap, spike[1].overlap, 1e-9);
    }
    for (int i = 0; i < 2; i++) {
        nnd_edges_clear(&edges[i]);
        nnd_outputs_law_clear(&law[i]);
    }
    nnd_case_free(c);
}

START_TEST(laws_of_isotropic_targets) {
    compare_laws("model: many-outputs\n"
                 "params: {c: 0.5, d: 1.3, gamma: 1.5, lr: 0.3, steps: 2, spikes: [3]}\n",
                 2.0);
    compare_laws("model: many-outputs\n"
                 "params: {c: 1.5, d: 0.6, gamma: 0.7, lr: 0.2, steps: 1, spikes: [0.1]}\n",
                 1.0);
    compare_laws("model: many-outputs\nparams: {c: 2, d: 0.6, gamma: 2, integrator: flow, time: "
                 "inf, spikes: [3]}\n",
                 INFINITY);
}
END_TEST

/* What there is no theory of is refused in one line that says what there is. */
START_TEST(refusals) {
    const struct {
        const char *params, *says;
    } bad[] = {
        {"{variant: steps, steps: 4}", "params.steps: 4"},
        {"{variant: steps, integrator: flow, time: 2}", "params.integrator: flow of both layers"},
        {"{variant: steps, p: 2}", "params.p: 2"},
        {"{target: [1], integrator: flow, time: 2}", "params.time: 2"},
        {"{target: [1], steps: 21}", "params.steps: 21"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char yaml[200];
        snprintf(yaml, sizeof yaml, "model: many-outputs\nparams: %s\n", bad[i].params);
        nnd_case *c = test_case(ctx, yaml);
        const nnd_many_outputs *p = c->params[0];
        nnd_outputs_law law = {NULL, NULL};
        double time = p->integrator == NND_GRADIENT_FLOW ? p->time : (double)p->steps;
        ck_assert_int_eq(nnd_outputs_law_pencil(ctx, p, time, &law), NND_E_INPUT);
        ck_assert_msg(strstr(nnd_context_message(ctx), bad[i].says) != NULL, "%s",
                      nnd_context_message(ctx));
        nnd_outputs_law_clear(&law);
        nnd_case_free(c);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("outputs_pencil");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, steps_with_a_fixed_readout_are_a_covariance);
    tcase_add_test(all, end_of_training_is_a_covariance);
    tcase_add_test(all, gap_and_masses);
    tcase_add_test(all, narrow_gap);
    tcase_add_test(all, spikes_are_those_of_the_covariance);
    tcase_add_test(all, risk_of_a_fixed_readout);
    tcase_add_test(all, both_layers_two_steps);
    tcase_add_test(all, both_layers_three_steps);
    tcase_add_test(all, readout_is_a_scale);
    tcase_add_test(all, target_of_two_values);
    tcase_add_test(all, list_of_an_isotropic_target);
    tcase_add_test(all, nodes_of_a_power_law);
    tcase_add_test(all, laws_of_isotropic_targets);
    tcase_add_test(all, refusals);
    suite_add_tcase(suite, all);
    return test_main(suite);
}
