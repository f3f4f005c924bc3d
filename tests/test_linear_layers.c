/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fluctuations of linear layers: closed maps of one layer, the numbers of deep-fluctuations.md#s5,
 * and identities that hold for any depth. */
#include <math.h>
#include <stdlib.h>

#include "core/timegrid.h"
#include "nndmft/solvers/linear_layers.h"
#include "nndmft/solvers/linear_population.h"
#include "observables.h"

/* Errors are of the order of its square. */
static const double FINE = 1e-6;

static const double ONE[] = {1.0}, EQUAL[] = {1.0, 1.0, 1.0, 1.0};
static const double GRAM[] = {1.0, 0.3, 0.5, 0.3, 1.0, 0.2, 0.5, 0.2, 1.0}, PAIR[] = {1.0, -0.5};

typedef struct {
    nnd_context *ctx;
    nnd_timegrid grid;
    nnd_linear_layers p;
    nnd_fluctuations f;
    nnd_linear_layers_report report;
} layers;

/* Every step of one sample with target 1, all wanted; to be changed before layers_run. */
static layers layers_of_one(size_t depth, size_t steps) {
    layers x = {.ctx = nnd_context_new(NULL)};
    const nnd_integers all = {0};
    ck_assert_int_eq(nnd_timegrid_make(x.ctx, steps, &all, 1, &x.grid), NND_OK);
    x.p = (nnd_linear_layers){.depth = depth,
                              .ratio = EQUAL,
                              .train = 1,
                              .points = 1,
                              .gram = ONE,
                              .targets = ONE,
                              .gamma0 = 1.0,
                              .sigma = 1.0,
                              .lr = 0.05,
                              .kernels = true,
                              .bias = true,
                              .tolerance = FINE};
    return x;
}

/* Two training samples and one for a test. */
static layers layers_of_three(size_t depth, size_t steps) {
    layers x = layers_of_one(depth, steps);
    x.p.train = 2;
    x.p.points = 3;
    x.p.gram = GRAM;
    x.p.targets = PAIR;
    x.p.lr = 0.1;
    return x;
}

static nnd_status layers_try(layers *x) {
    x->p.grid = &x->grid;
    return nnd_linear_layers_run(x->ctx, &x->p, &x->f, &x->report);
}

static void layers_run(layers *x) {
    nnd_status status = layers_try(x);
    ck_assert_msg(status == NND_OK, "status %d: %s", status, nnd_context_message(x->ctx));
}

static void layers_clear(layers *x) {
    nnd_fluctuations_clear(&x->f);
    nnd_timegrid_clear(&x->grid);
    nnd_context_free(x->ctx);
}

static void near(const char *what, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: want %.12g, got %.12g", what, want, got);
}

static double mean(const layers *x, size_t t, size_t o) {
    return x->f.mean[t * x->f.observables + o];
}

static double nvar(const layers *x, size_t t, size_t o) {
    return x->f.nvar[t * x->f.observables + o];
}

static double bias(const layers *x, size_t t, size_t o) {
    return x->f.bias[t * x->f.observables + o];
}

static double ncov(const layers *x, size_t t, size_t mu, size_t o) {
    return x->f.ncov[(t * x->f.train + mu) * x->f.observables + o];
}

/* Numbers of the observables: kernel of samples 0 and 0, Gram matrix and gradient of a layer. */
static size_t ntk(const layers *x) {
    return x->p.points;
}

static size_t h_gram(const layers *x, size_t layer) {
    size_t pairs = x->p.train * (x->p.train + 1) / 2;
    return x->p.points + (x->p.points - x->p.train) * x->p.train + layer * pairs;
}

static size_t g_gram(const layers *x, size_t layer) {
    return h_gram(x, x->p.depth + 1) + layer - 1;
}

/* ---- one layer: closed maps ---- */

START_TEST(one_layer_and_one_sample_are_the_map_of_two_numbers) {
    nnd_linear_point want[41];
    for (int center = 0; center < 2; center++) {
        layers x = layers_of_one(1, 40);
        x.p.center = center;
        nnd_linear_single(1.0, 1.0, 1.0, 0.05, center, 40, want);
        layers_run(&x);
        for (size_t t = 0; t <= 40; t++) {
            near("delta", 1.0 - mean(&x, t, 0), want[t].delta, 1e-13);
            near("ntk", mean(&x, t, ntk(&x)), want[t].ntk, 1e-13);
            near("delta_nvar", nvar(&x, t, 0), want[t].delta_nvar, 1e-13);
            near("ntk_nvar", nvar(&x, t, ntk(&x)), want[t].ntk_nvar, 1e-12);
            near("delta_ntk_ncov", -ncov(&x, t, 0, ntk(&x)), want[t].delta_ntk_ncov, 1e-12);
            near("delta_bias", -bias(&x, t, 0), want[t].delta_bias, 1e-13);
            near("ntk_bias", bias(&x, t, ntk(&x)), want[t].ntk_bias, 1e-12);
        }
        layers_clear(&x);
    }
}
END_TEST

START_TEST(one_layer_and_three_samples_are_the_map_of_second_moments) {
    const nnd_activation linear = {.name = NND_LINEAR, .gain = 1.0, .scale = 1.0};
    layers x = layers_of_three(1, 12);
    nnd_observable observable[8];
    nnd_timegrid grid;
    size_t k = observe_all(x.ctx, 12, 3, 2, &grid, observable);
    const nnd_units units = {.activation = &linear,
                             .train = 2,
                             .points = 3,
                             .gram = GRAM,
                             .targets = PAIR,
                             .gamma0 = 1.0,
                             .lr = 0.1,
                             .grid = &grid,
                             .observables = k,
                             .observable = observable,
                             .bias = true,
                             .two_time = true};
    nnd_fluctuations want;
    ck_assert_int_eq(nnd_wishart_run(x.ctx, &units, &want), NND_OK);
    x.p.two_time = true;
    layers_run(&x);
    for (size_t t = 0; t <= 12; t++)
        for (size_t o = 0; o < want.observables; o++) {
            size_t at = t * want.observables + o;
            near("mean", mean(&x, t, o), want.mean[at], 1e-13);
            near("nvar", nvar(&x, t, o), want.nvar[at], 1e-12);
            near("bias", bias(&x, t, o), want.bias[at], 1e-12);
            near("ncov", ncov(&x, t, 1, o), want.ncov[(2 * t + 1) * want.observables + o], 1e-12);
        }
    for (size_t i = 0; i < 13 * 13 * 4; i++)
        near("two times", x.f.two_time[i], want.two_time[i], 1e-12);
    nnd_fluctuations_clear(&want);
    nnd_timegrid_clear(&grid);
    layers_clear(&x);
}
END_TEST

/* ---- reference numbers ---- */

START_TEST(R7_two_layers_are_met_to_the_digits_printed) {
    static const double want[4][7] = {
        {4, 0.5026572233, 0.7027840198, 0.3448764215, 2.110869568, 5.335227556, 0.50031},
        {8, 0.2099512424, 0.3815576242, 0.3271100272, 1.982139511, 5.436851128, 0.96864},
        {12, 0.0739264452, 0.0950367598, 0.1036807791, 1.772905267, 4.541589394, 0.73680},
        {18, 0.0134065965, 0.0058270809, 0.0077683322, 1.636964161, 3.914194002, 0.24811},
    };
    static const double centred_bias[] = {0.248745, 0.722215, 0.700592, 0.293652};
    layers x = layers_of_one(2, 18), c = layers_of_one(2, 18);
    c.p.center = true;
    layers_run(&x);
    layers_run(&c);
    for (int i = 0; i < 4; i++) {
        size_t t = (size_t)want[i][0];
        near("delta", 1.0 - mean(&x, t, 0), want[i][1], 6e-11);
        near("delta_nvar", nvar(&x, t, 0), want[i][2], 6e-11);
        near("delta_nvar, centred", nvar(&c, t, 0), want[i][3], 6e-11);
        near("h_gram_nvar, layer 1", nvar(&x, t, h_gram(&x, 1)), want[i][4], 6e-10);
        near("h_gram_nvar, layer 2", nvar(&x, t, h_gram(&x, 2)), want[i][5], 6e-10);
        near("delta_bias", -bias(&x, t, 0), want[i][6], 6e-6);
        near("delta_bias, centred", -bias(&c, t, 0), centred_bias[i], 6e-7);
    }
    layers_clear(&x);
    layers_clear(&c);
}
END_TEST

START_TEST(R8_three_layers_are_met_to_the_digits_printed) {
    static const double want[4][6] = {
        {2, 0.6327608795, 0.3927647087, 8.816159795, 0.136242, 0.674547},
        {4, 0.3609198852, 0.7358841102, 14.19372922, 0.732746, -1.753130},
        {8, 0.0754773873, 0.2061869323, 14.4459954, 1.301556, -8.064608},
        {12, 0.0114343376, 0.0114300279, 11.79115082, 0.496375, -3.764182},
    };
    layers x = layers_of_one(3, 12);
    x.p.center = true;
    layers_run(&x);
    for (int i = 0; i < 4; i++) {
        size_t t = (size_t)want[i][0];
        near("delta", 1.0 - mean(&x, t, 0), want[i][1], 6e-11);
        near("delta_nvar", nvar(&x, t, 0), want[i][2], 6e-11);
        near("h_gram_nvar, layer 3", nvar(&x, t, h_gram(&x, 3)), want[i][3], 6e-9);
        near("delta_bias", -bias(&x, t, 0), want[i][4], 6e-7);
        near("ntk_bias", bias(&x, t, ntk(&x)), want[i][5], 6e-7);
    }
    layers_clear(&x);
}
END_TEST

START_TEST(R9_three_samples_are_met_to_the_digits_printed) {
    static const double want[2][10] = {
        {6, 0.5907794449, -0.2011072329, 0.2746017518, 0.5826627077, 0.3301860302, 1.18610512,
         -0.920345, 0.306927, -0.428138},
        {15, 0.9414119183, -0.4348680946, 0.4312943289, 0.0547021408, 0.0607703953, 1.561735889,
         -0.706992, 0.616144, -0.307988},
    };
    layers x = layers_of_three(2, 15);
    layers_run(&x);
    for (int i = 0; i < 2; i++)
        for (size_t mu = 0; mu < 3; mu++) {
            size_t t = (size_t)want[i][0];
            near("output", mean(&x, t, mu), want[i][1 + mu], 6e-11);
            near("output_nvar", nvar(&x, t, mu), want[i][4 + mu], mu < 2 ? 6e-11 : 6e-10);
            near("output_bias", bias(&x, t, mu), want[i][7 + mu], 6e-7);
        }
    layers_clear(&x);
}
END_TEST

/* Three layers; values of a plain march of the noise coordinates in long double. */
START_TEST(D2_three_samples_of_three_layers) {
    static const double output[] = {0.4444323837, -0.1319162563, 0.2076422374};
    static const double variance[] = {0.5294812402, 0.1900654114, 0.2893124780};
    static const double shift[] = {-0.380268, 0.040918, -0.181617};
    layers x = layers_of_three(3, 3);
    x.p.center = true;
    layers_run(&x);
    for (size_t mu = 0; mu < 3; mu++) {
        near("output", mean(&x, 3, mu), output[mu], 6e-11);
        near("output_nvar", nvar(&x, 3, mu), variance[mu], 2e-10);
        near("output_bias", bias(&x, 3, mu), shift[mu], 1e-6);
    }
    layers_clear(&x);
}
END_TEST

START_TEST(D3_unequal_widths_are_met_to_the_digits_printed) {
    static const double ratio[] = {0.5, 1.0, 2.0};
    static const double want[2][6] = {
        {4, 0.4815783308, 0.7828515240, -0.518946, 4.2726858700, 91.714870},
        {8, 0.8130772517, 0.6841444386, -1.739475, 4.0217387482, 119.888786},
    };
    layers x = layers_of_one(3, 8);
    x.p.ratio = ratio;
    x.p.center = true;
    x.p.two_time = true;
    layers_run(&x);
    for (int i = 0; i < 2; i++) {
        size_t t = (size_t)want[i][0];
        near("output", mean(&x, t, 0), want[i][1], 6e-11);
        near("output_nvar", nvar(&x, t, 0), want[i][2], 6e-11);
        near("output_bias", bias(&x, t, 0), want[i][3], 6e-7);
        near("h_gram_nvar, layer 1", nvar(&x, t, h_gram(&x, 1)), want[i][4], 6e-10);
        near("ntk_nvar", nvar(&x, t, ntk(&x)), want[i][5], 6e-7);
    }
    near("two times", x.f.two_time[4 * 9 + 8], 0.7215316124, 6e-11);
    layers_clear(&x);
}
END_TEST

/* ---- two layers in the singular bases of their matrix ---- */

/*
 * In the singular bases of M^1(0) two layers are independent particles with the singular value
 * sigma and Gaussian (h_1, h_2, h_3, w) in units of `root`: with sums over earlier steps, h2_mu(t)
 * = sigma h_mu(t) + c sum_s sum_nu Delta_nu(s) <h_mu(t) h_nu(s)> w(s), g(t) = sigma w(t) + c sum_s
 * <w(t) w(s)> sum_nu Delta_nu(s) h_nu(s). Singular values do not fluctuate: nodes of the
 * semicircle, each with a Wishart matrix of its own.
 */
enum { T = 5, NODES = 2 * T + 2, POINTS = 3, TRAIN = 2, Q = POINTS + 1 };

typedef struct {
    double m[NODES][Q][Q];             /* second moments of each node */
    double h[T + 1][NODES][POINTS][Q]; /* fields as combinations of the units */
    double w[T + 1][NODES][Q], h2[POINTS][Q];
    double delta[T + 1][TRAIN], f[T + 1][POINTS];
} particles;

static double inner(double (*m)[Q], const double *a, const double *b) {
    double sum = 0.0;
    for (int i = 0; i < Q; i++)
        for (int j = 0; j < Q; j++)
            sum += a[i] * m[i][j] * b[j];
    return sum;
}

static double node(int j) {
    return 2.0 * cos((j + 1) * M_PI / (NODES + 1));
}

/* <h_mu(t) h_nu(s)> over all nodes, and <w(t) w(s)>. */
static double h_two_time(particles *p, int t, int s, int mu, int nu) {
    double sum = 0.0;
    for (int j = 0; j < NODES; j++)
        sum += inner(p->m[j], p->h[t][j][mu], p->h[s][j][nu]);
    return sum;
}

static double w_two_time(particles *p, int t, int s) {
    double sum = 0.0;
    for (int j = 0; j < NODES; j++)
        sum += inner(p->m[j], p->w[t][j], p->w[s][j]);
    return sum;
}

static void add(double factor, const double *x, double *to) {
    for (int i = 0; i < Q; i++)
        to[i] += factor * x[i];
}

/* h2 of node j at time t. */
static void second_layer(particles *p, int t, int j, double c) {
    for (int mu = 0; mu < POINTS; mu++) {
        for (int i = 0; i < Q; i++)
            p->h2[mu][i] = node(j) * p->h[t][j][mu][i];
        for (int s = 0; s < t; s++)
            for (int nu = 0; nu < TRAIN; nu++)
                add(c * p->delta[s][nu] * h_two_time(p, t, s, mu, nu), p->w[s][j], p->h2[mu]);
    }
}

static void step_particles(particles *p, int t, double c) {
    for (int mu = 0; mu < POINTS; mu++)
        p->f[t][mu] = 0.0;
    for (int j = 0; j < NODES; j++) {
        second_layer(p, t, j, c);
        for (int mu = 0; mu < POINTS; mu++)
            p->f[t][mu] += inner(p->m[j], p->w[t][j], p->h2[mu]);
    }
    for (int nu = 0; nu < TRAIN; nu++)
        p->delta[t][nu] = PAIR[nu] - p->f[t][nu];
    for (int j = 0; t < T && j < NODES; j++) {
        double g[Q] = {0.0};
        second_layer(p, t, j, c);
        add(node(j), p->w[t][j], g);
        for (int s = 0; s < t; s++)
            for (int nu = 0; nu < TRAIN; nu++)
                add(c * w_two_time(p, t, s) * p->delta[s][nu], p->h[s][j][nu], g);
        for (int i = 0; i < Q; i++)
            p->w[t + 1][j][i] = p->w[t][j][i];
        for (int nu = 0; nu < TRAIN; nu++)
            add(c * p->delta[t][nu], p->h2[nu], p->w[t + 1][j]);
        for (int mu = 0; mu < POINTS; mu++) {
            for (int i = 0; i < Q; i++)
                p->h[t + 1][j][mu][i] = p->h[t][j][mu][i];
            for (int nu = 0; nu < TRAIN; nu++)
                add(c * GRAM[mu * POINTS + nu] * p->delta[t][nu], g, p->h[t + 1][j][mu]);
        }
    }
}

static void run_particles(particles *p) {
    /* Cholesky factor of GRAM. */
    double root[POINTS][POINTS] = {{1.0, 0.0, 0.0}, {0.3, sqrt(0.91), 0.0}, {0.5, 0.0, 0.0}};
    root[2][1] = (0.2 - 0.15) / root[1][1];
    root[2][2] = sqrt(0.75 - root[2][1] * root[2][1]);
    for (int j = 0; j < NODES; j++) {
        for (int mu = 0; mu < POINTS; mu++)
            for (int i = 0; i < Q; i++)
                p->h[0][j][mu][i] = i < POINTS ? root[mu][i] : 0.0;
        for (int i = 0; i < Q; i++)
            p->w[0][j][i] = i == POINTS;
    }
    for (int t = 0; t <= T; t++)
        step_particles(p, t, 0.1 / TRAIN);
}

/* Runs with the moments of node j changed by d along the pair (a, b); -1: unchanged. */
static void run_changed(particles *p, int j, int a, int b, double d) {
    for (int k = 0; k < NODES; k++)
        for (int i = 0; i < Q; i++)
            for (int l = 0; l < Q; l++) {
                double sine = sin((k + 1) * M_PI / (NODES + 1));
                p->m[k][i][l] = i == l ? 2.0 / (NODES + 1) * sine * sine : 0.0;
            }
    if (j >= 0) {
        double unit = sqrt(p->m[j][0][0]) * d;
        p->m[j][a][b] += a == b ? M_SQRT2 * unit : unit;
        if (a != b)
            p->m[j][b][a] += unit;
    }
    run_particles(p);
}

START_TEST(two_layers_are_particles_in_the_singular_bases) {
    /* Differences of second order: 1e-9 with steps of 1e-4, and as much rounding. */
    const double d = 1e-4;
    double want[T + 1][POINTS] = {{0.0}};
    particles *up = malloc(sizeof *up), *down = malloc(sizeof *down);
    ck_assert(up != NULL && down != NULL);
    for (int j = 0; j < NODES; j++)
        for (int a = 0; a < Q; a++)
            for (int b = a; b < Q; b++) {
                run_changed(up, j, a, b, d);
                run_changed(down, j, a, b, -d);
                for (int t = 0; t <= T; t++)
                    for (int mu = 0; mu < POINTS; mu++) {
                        double slope = (up->f[t][mu] - down->f[t][mu]) / (2.0 * d);
                        want[t][mu] += slope * slope;
                    }
            }
    run_changed(up, -1, 0, 0, 0.0);
    layers x = layers_of_three(2, T);
    layers_run(&x);
    for (int t = 0; t <= T; t++)
        for (int mu = 0; mu < POINTS; mu++) {
            near("mean", mean(&x, (size_t)t, (size_t)mu), up->f[t][mu], 1e-11);
            near("nvar", nvar(&x, (size_t)t, (size_t)mu), want[t][mu], 1e-7);
        }
    free(up);
    free(down);
    layers_clear(&x);
}
END_TEST

/* ---- what holds at any depth ---- */

START_TEST(what_is_asked_of_the_matrices_changes_nothing) {
    /* Without kernels other vectors are asked for, in another order. */
    layers x = layers_of_three(3, 6), y = layers_of_three(3, 6);
    y.p.kernels = false;
    layers_run(&x);
    layers_run(&y);
    for (size_t t = 0; t <= 6; t++)
        for (size_t mu = 0; mu < 3; mu++) {
            near("mean", mean(&y, t, mu), mean(&x, t, mu), 1e-11);
            near("nvar", nvar(&y, t, mu), nvar(&x, t, mu), 1e-10);
            near("bias", bias(&y, t, mu), bias(&x, t, mu), 1e-9);
        }
    layers_clear(&x);
    layers_clear(&y);
}
END_TEST

/* Largest difference of two runs, relative to the variances at hand. */
static double difference(const layers *x, const layers *y) {
    double most = 0.0;
    for (size_t i = 0; i < x->f.times * x->f.observables; i++) {
        double unit = 1.0 + y->f.nvar[i];
        most = fmax(most, fabs(x->f.nvar[i] - y->f.nvar[i]) / unit);
        most = fmax(most, fabs(x->f.bias[i] - y->f.bias[i]) / unit);
    }
    return most;
}

START_TEST(the_error_falls_as_the_square_of_the_tolerance) {
    double before = INFINITY;
    layers fine = layers_of_three(3, 12);
    fine.p.tolerance = 1e-8;
    layers_run(&fine);
    for (double tolerance = 0.01; tolerance > 5e-6; tolerance *= 0.1) {
        layers x = layers_of_three(3, 12);
        x.p.tolerance = tolerance;
        layers_run(&x);
        ck_assert_uint_le(x.report.directions, fine.report.directions);
        double error = difference(&x, &fine);
        /* 0.6 to 21 times the square, as much as comes by steps of one vector. */
        ck_assert_msg(error <= 40.0 * tolerance * tolerance && error < 0.1 * before,
                      "tolerance %g: off by %g, before by %g", tolerance, error, before);
        before = error;
        layers_clear(&x);
    }
    layers_clear(&fine);
}
END_TEST

START_TEST(layers_counted_from_the_other_end_exchange_their_fields) {
    /* One sample: H^l and G^{L+1-l} have the same law. */
    layers x = layers_of_one(3, 8);
    layers_run(&x);
    for (size_t t = 0; t <= 8; t++)
        for (size_t l = 1; l <= 3; l++) {
            size_t h = h_gram(&x, l), g = g_gram(&x, 4 - l);
            near("mean", mean(&x, t, h), mean(&x, t, g), 1e-12);
            near("nvar", nvar(&x, t, h), nvar(&x, t, g), 1e-10);
            near("bias", bias(&x, t, h), bias(&x, t, g), 1e-9);
            near("ncov", ncov(&x, t, 0, h), ncov(&x, t, 0, g), 1e-11);
        }
    layers_clear(&x);
}
END_TEST

START_TEST(kernels_at_the_start_are_those_of_a_static_network) {
    /* fluctuations.md#s3-2: N Cov(H^l, H^l) = 2 l, N Var K = (2/3) L(L+1)(2L+1), N Var f = 1. */
    layers x = layers_of_one(4, 0);
    layers_run(&x);
    for (size_t l = 1; l <= 4; l++)
        near("h_gram_nvar", nvar(&x, 0, h_gram(&x, l)), 2.0 * (double)l, 1e-13);
    near("ntk", mean(&x, 0, ntk(&x)), 5.0, 1e-14);
    near("ntk_nvar", nvar(&x, 0, ntk(&x)), 120.0, 1e-12);
    near("output_nvar", nvar(&x, 0, 0), 1.0, 1e-14);
    near("ntk_bias", bias(&x, 0, ntk(&x)), 0.0, 1e-13);
    layers_clear(&x);
}
END_TEST

START_TEST(centred_outputs_neither_fluctuate_nor_shift_at_the_start) {
    layers x = layers_of_three(3, 1);
    x.p.center = true;
    layers_run(&x);
    for (size_t mu = 0; mu < 3; mu++) {
        near("nvar", nvar(&x, 0, mu), 0.0, 0.0);
        near("bias", bias(&x, 0, mu), 0.0, 0.0);
    }
    layers_clear(&x);
}
END_TEST

START_TEST(a_test_sample_that_is_a_training_sample_repeats_it) {
    static const double gram[] = {1.0, 0.3, 0.3, 0.3, 1.0, 1.0, 0.3, 1.0, 1.0};
    layers x = layers_of_three(3, 6);
    x.p.gram = gram;
    layers_run(&x);
    for (size_t t = 0; t <= 6; t++) {
        near("mean", mean(&x, t, 2), mean(&x, t, 1), 1e-13);
        near("nvar", nvar(&x, t, 2), nvar(&x, t, 1), 1e-12);
        near("bias", bias(&x, t, 2), bias(&x, t, 1), 1e-11);
    }
    layers_clear(&x);
}
END_TEST

START_TEST(opposite_targets_flip_means_and_biases_of_outputs_only) {
    static const double flipped[] = {-1.0, 0.5};
    layers x = layers_of_three(2, 8), y = layers_of_three(2, 8);
    y.p.targets = flipped;
    layers_run(&x);
    layers_run(&y);
    for (size_t t = 0; t <= 8; t++)
        for (size_t o = 0; o < x.f.observables; o++) {
            double sign = o < 3 ? -1.0 : 1.0;
            near("mean", mean(&y, t, o), sign * mean(&x, t, o), 1e-12);
            near("nvar", nvar(&y, t, o), nvar(&x, t, o), 1e-10);
            near("bias", bias(&y, t, o), sign * bias(&x, t, o), 1e-9);
        }
    layers_clear(&x);
    layers_clear(&y);
}
END_TEST

START_TEST(wider_by_a_factor_is_less_by_it) {
    static const double wide[] = {3.0, 3.0, 3.0};
    layers x = layers_of_one(3, 6), y = layers_of_one(3, 6);
    y.p.ratio = wide;
    layers_run(&x);
    layers_run(&y);
    for (size_t t = 0; t <= 6; t++)
        for (size_t o = 0; o < x.f.observables; o++) {
            near("mean", mean(&y, t, o), mean(&x, t, o), 1e-13);
            near("nvar", 3.0 * nvar(&y, t, o), nvar(&x, t, o), 1e-11);
            near("bias", 3.0 * bias(&y, t, o), bias(&x, t, o), 1e-10);
        }
    layers_clear(&x);
    layers_clear(&y);
}
END_TEST

START_TEST(threads_do_not_change_a_bit) {
    const nnd_context_options two = {.threads = 2};
    layers x = layers_of_three(3, 4), y = layers_of_three(3, 4);
    nnd_context_free(y.ctx);
    y.ctx = nnd_context_new(&two);
    x.p.two_time = y.p.two_time = true;
    layers_run(&x);
    layers_run(&y);
    for (size_t i = 0; i < x.f.count; i++)
        ck_assert(x.f.data[i] == y.f.data[i] || (isnan(x.f.data[i]) && isnan(y.f.data[i])));
    layers_clear(&x);
    layers_clear(&y);
}
END_TEST

START_TEST(divergence_is_reported_and_what_came_before_kept) {
    layers x = layers_of_one(3, 12), stable = layers_of_one(3, 1);
    x.p.lr = stable.p.lr = 4.0;
    x.p.two_time = true;
    ck_assert_int_eq(layers_try(&x), NND_DIVERGED);
    layers_run(&stable);
    size_t at = x.f.diverged_at;
    ck_assert_msg(at > 1 && at <= 12, "diverged at %zu", at);
    near("nvar before", nvar(&x, 1, 0), nvar(&stable, 1, 0), 1e-9 * nvar(&stable, 1, 0));
    ck_assert(isnan(nvar(&x, at, 0)) && isnan(mean(&x, at, 0)) && isnan(bias(&x, at, 0)));
    ck_assert(isnan(x.f.two_time[1 * 13 + at]) && !isnan(x.f.two_time[1 * 13 + 1]));
    layers_clear(&x);
    layers_clear(&stable);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("linear_layers");
    TCase *one = tcase_create("one layer");
    tcase_add_test(one, one_layer_and_one_sample_are_the_map_of_two_numbers);
    tcase_add_test(one, one_layer_and_three_samples_are_the_map_of_second_moments);
    suite_add_tcase(suite, one);
    TCase *reference = tcase_create("reference");
    tcase_add_test(reference, R7_two_layers_are_met_to_the_digits_printed);
    tcase_add_test(reference, R8_three_layers_are_met_to_the_digits_printed);
    tcase_add_test(reference, R9_three_samples_are_met_to_the_digits_printed);
    tcase_add_test(reference, D2_three_samples_of_three_layers);
    tcase_add_test(reference, D3_unequal_widths_are_met_to_the_digits_printed);
    suite_add_tcase(suite, reference);
    TCase *two = tcase_create("two layers");
    tcase_add_test(two, two_layers_are_particles_in_the_singular_bases);
    suite_add_tcase(suite, two);
    TCase *any = tcase_create("any depth");
    tcase_add_test(any, what_is_asked_of_the_matrices_changes_nothing);
    tcase_add_test(any, the_error_falls_as_the_square_of_the_tolerance);
    tcase_add_test(any, layers_counted_from_the_other_end_exchange_their_fields);
    tcase_add_test(any, kernels_at_the_start_are_those_of_a_static_network);
    tcase_add_test(any, centred_outputs_neither_fluctuate_nor_shift_at_the_start);
    tcase_add_test(any, a_test_sample_that_is_a_training_sample_repeats_it);
    tcase_add_test(any, opposite_targets_flip_means_and_biases_of_outputs_only);
    tcase_add_test(any, wider_by_a_factor_is_less_by_it);
    tcase_add_test(any, threads_do_not_change_a_bit);
    tcase_add_test(any, divergence_is_reported_and_what_came_before_kept);
    suite_add_tcase(suite, any);
    return test_main(suite);
}
