/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectra of sample covariances with any population: closed forms, masses, edges, spikes. */
#include <float.h>
#include <math.h>

#include "nndmft/solvers/bulk.h"
#include "nndmft/solvers/covariance.h"
#include "solvers/cmplx.h"
#include "support.h"

/* References have ten digits, sums over tens of terms of order 1 rounding. */
static const double PRINTED = 1e-9, ROUNDING = 1e-12;

static const size_t EACH[] = {1, 2, 3};

static nnd_covariance atoms(size_t count, const double *s, const double *h, double ratio) {
    return (nnd_covariance){count, s, h, count, EACH, ratio};
}

static void near(const char *what, double got, double want, double tolerance) {
    ck_assert_msg(fabs(got - want) <= tolerance, "%s: want %.12g, got %.12g", what, want, got);
}

static nnd_edges edges_of(nnd_context *ctx, const nnd_covariance *law) {
    nnd_edges edges;
    ck_assert_int_eq(nnd_covariance_edges(ctx, law, &edges), NND_OK);
    return edges;
}

/* many-outputs.md#s8, R1. */
START_TEST(R1_marchenko_and_pastur_are_met) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double s = 1.0, h = 1.0;
    const nnd_covariance law = atoms(1, &s, &h, 0.5);
    static const double complex point[] = {CMPLX(2.0, 1.0), CMPLX(0.5, 0.1), -1.0};
    static const double complex want[] = {CMPLX(-0.3443493687, 0.5145058973),
                                          CMPLX(0.1595128578, 1.7878061090), 0.5615528128};
    for (int i = 0; i < 3; i++) {
        double complex m;
        ck_assert_int_eq(nnd_covariance_stieltjes(ctx, &law, point[i], &m), NND_OK);
        near("m", cabs(m - want[i]), 0.0, PRINTED);
    }
    nnd_edges e = edges_of(ctx, &law);
    ck_assert_uint_eq(e.count, 2);
    near("lower edge", e.edge[0].z, (1.5 - sqrt(2.0)), ROUNDING);
    near("upper edge", e.edge[1].z, (1.5 + sqrt(2.0)), ROUNDING);
    ck_assert(!e.edge[0].upper && e.edge[1].upper && e.edge[0].mass == 1.0);
    nnd_edges_clear(&e);
    nnd_context_free(ctx);
}
END_TEST

/* Ratio 2/3; values of another program. */
START_TEST(density_and_distribution_are_those_of_marchenko_and_pastur) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double s = 1.0, h = 1.0, z[] = {0.1, 0.5, 1.0, 2.0, 3.0, 3.5};
    static const double pdf[] = {1.09978254, .54555566, .35588127, .19082007, .07502636, 0.0};
    static const double cdf[] = {.07114487, .36975132, .5881608, .85147539, .98529589, 1.0};
    const nnd_covariance law = atoms(1, &s, &h, 2.0 / 3.0);
    nnd_edges e = edges_of(ctx, &law);
    double density[6], below[6];
    ck_assert_int_eq(nnd_covariance_density(ctx, &law, &e, 6, z, density, below), NND_OK);
    for (int i = 0; i < 6; i++) {
        near("density", density[i], pdf[i], 1e-8);
        near("distribution", below[i], cdf[i], 1e-8);
    }
    nnd_edges_clear(&e);
    nnd_context_free(ctx);
}
END_TEST

/* With D inputs above N neurons D - N eigenvalues are 0; with equal numbers the bulk reaches 0. */
START_TEST(lower_edges_are_there_unless_ranks_agree) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double s = 2.0, h = 1.0;
    static const double ratio[] = {1e-4, 0.25, 0.999, 1.0, 1.001, 4.0, 1e4};
    for (size_t i = 0; i < sizeof ratio / sizeof *ratio; i++) {
        const nnd_covariance law = atoms(1, &s, &h, ratio[i]);
        double root = sqrt(ratio[i]), lower = 2.0 * (1.0 - root) * (1.0 - root);
        nnd_edges e = edges_of(ctx, &law);
        ck_assert_uint_eq(e.count, ratio[i] == 1.0 ? 1 : 2);
        double upper = 2.0 * (1.0 + root) * (1.0 + root);
        near("upper", e.edge[e.count - 1].z, upper, e.edge[e.count - 1].z_error);
        if (e.count == 2) {
            near("lower", e.edge[0].z, lower, e.edge[0].z_error);
            near("mass", e.edge[0].mass, fmin(1.0, 1.0 / ratio[i]), ROUNDING);
        }
        nnd_edges_clear(&e);
    }
    nnd_context_free(ctx);
}
END_TEST

/* Midpoint rule in the angle of each bulk: its density is a root at both ends. */
static double bulk_mass(nnd_context *ctx, const nnd_covariance *law, const nnd_edges *e, size_t low,
                        double *mean) {
    enum { N = 200 };
    double z[N], density[N], cdf[N], sum = 0.0;
    double from = e->edge[low].z, to = e->edge[low + 1].z;
    for (int i = 0; i < N; i++)
        z[i] = 0.5 * (from + to) - 0.5 * (to - from) * cos((i + 0.5) * M_PI / N);
    ck_assert_int_eq(nnd_covariance_density(ctx, law, e, N, z, density, cdf), NND_OK);
    for (int i = 0; i < N; i++) {
        double weight = 0.5 * (to - from) * sin((i + 0.5) * M_PI / N) * M_PI / N;
        sum += weight * density[i];
        *mean += weight * density[i] * z[i];
    }
    /* The distribution rises by what lies between, but for pieces at the ends of order 1/N^3. */
    near("rise", cdf[N - 1] - cdf[0], sum, 1e-5);
    return sum;
}

START_TEST(bulks_hold_what_exact_separation_says) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const double s[] = {0.1, 2.0, 9.0}, h[] = {0.5, 0.3, 0.2};
    static const double ratio[] = {8.0, 30.0, 1000.0};
    for (int i = 0; i < 3; i++) {
        const nnd_covariance law = atoms(3, s, h, ratio[i]);
        nnd_edges e = edges_of(ctx, &law);
        /* With far more inputs than neurons W W^T/d is the population, whose atoms are apart. */
        double mean = 0.0, total = 0.0, above = e.edge[0].mass;
        for (size_t b = 0; b + 1 < e.count; b += 2) {
            double mass = bulk_mass(ctx, &law, &e, b, &mean);
            double next = b + 2 < e.count ? e.edge[b + 2].mass : 0.0;
            near("mass of a bulk", mass, above - next, 1e-10);
            near("of both sides of a gap", e.edge[b + 1].mass, next, 0.0);
            above = next;
            total += mass;
        }
        ck_assert_uint_ge(e.count, 4);
        near("mass", total, fmin(1.0, 1.0 / ratio[i]), 1e-10);
        /* tr W^T W/D = sum h s */
        near("mean", mean, 0.05 + 0.6 + 1.8, 1e-9);
        nnd_edges_clear(&e);
    }
    nnd_context_free(ctx);
}
END_TEST

/* rho = (kappa/pi) distance^{1/2} (1 + O(distance)). */
START_TEST(kappa_is_the_strength_of_the_density_at_an_edge) {
    nnd_context *ctx = nnd_context_new(NULL);
    static const double s[] = {0.5, 3.0}, h[] = {0.7, 0.3};
    const nnd_covariance law = atoms(2, s, h, 10.0);
    nnd_edges e = edges_of(ctx, &law);
    ck_assert_uint_eq(e.count, 4);
    for (size_t i = 0; i < e.count; i++) {
        double error[2];
        for (int k = 0; k < 2; k++) {
            double away = (k == 0 ? 1e-4 : 1e-5) * e.edge[i].z, rho, cdf;
            double z = e.edge[i].z + (e.edge[i].upper ? -away : away);
            ck_assert_int_eq(nnd_covariance_density(ctx, &law, &e, 1, &z, &rho, &cdf), NND_OK);
            error[k] = rho * M_PI / sqrt(away) / e.edge[i].kappa - 1.0;
        }
        ck_assert_msg(fabs(error[0]) < 1e-2, "edge %zu: %g", i, error[0]);
        near("order 1", error[0] / error[1], 10.0, 1.0); /* orders 1/2 and 2: 3 and 100 */
    }
    nnd_edges_clear(&e);
    nnd_context_free(ctx);
}
END_TEST

/* A gap closes as its clusters approach: the roots of the slope meet where its maximum is 0. */
START_TEST(gaps_close_where_two_edges_meet) {
    nnd_context *ctx = nnd_context_new(NULL);
    double low = 1.0, high = 10.0, h[] = {0.5, 0.5}, width = NAN;
    for (int i = 0; i < 45; i++) {
        double s[] = {1.0, 0.5 * (low + high)};
        const nnd_covariance law = atoms(2, s, h, 5.0);
        nnd_edges e = edges_of(ctx, &law);
        if (e.count == 4)
            high = s[1];
        else
            low = s[1];
        width = e.count == 4 ? e.edge[2].z - e.edge[1].z : width;
        nnd_edges_clear(&e);
    }
    ck_assert_double_lt(width, 1e-10);
    /* There x of both clusters solves two cubics: with s = (1, S), x between,
     * h/(x - 1)^2 + h S^2/(S - x)^2 = d and h/(x - 1)^3 = h S^2/(S - x)^3: with u = S^{2/3}, S - x
     * = u (x - 1), so that x = (S + u)/(1 + u) and (S - 1)^2 (d/h) = (1 + u)^3. */
    double u = cbrt(high * high);
    near("merger", (high - 1.0) * (high - 1.0) * 10.0, (1.0 + u) * (1.0 + u) * (1.0 + u), 1e-9);
    nnd_context_free(ctx);
}
END_TEST

/* many-outputs.md#s8, R1: a rank-one piece theta u v^T. */
START_TEST(R1_spikes_detach_above_their_threshold) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double s = 1.0, h = 1.0, d = 0.5;
    const nnd_covariance law = atoms(1, &s, &h, d);
    static const double theta[] = {0.7, 0.8409, 1.2, 2.0, 50.0};
    for (int i = 0; i < 5; i++) {
        double t2 = theta[i] * theta[i];
        nnd_detached spike;
        ck_assert_int_eq(nnd_covariance_spike(ctx, &law, &t2, &spike), NND_OK);
        if (t2 * t2 <= d) {
            ck_assert(isnan(spike.z) && isnan(spike.overlap));
            continue;
        }
        near("outlier", spike.z, (1.0 + t2) * (d + t2) / t2, ROUNDING * t2 + spike.z_error);
        near("overlap", spike.overlap, (1.0 - d / (t2 * t2)) / (1.0 + d / t2),
             ROUNDING + spike.overlap_error);
    }
    nnd_context_free(ctx);
}
END_TEST

/* Nothing but the spike; and a spike where the population is 0. */
START_TEST(a_spike_alone_is_itself) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double s[] = {0.0, 0.0}, h[] = {0.5, 0.5}, strength[] = {1.0, 3.0};
    const nnd_covariance law = atoms(2, s, h, 2.0);
    nnd_detached spike;
    ck_assert_int_eq(nnd_covariance_spike(ctx, &law, strength, &spike), NND_OK);
    near("outlier", spike.z, 4.0, ROUNDING);
    near("overlap", spike.overlap, 1.0, ROUNDING);
    nnd_edges e = edges_of(ctx, &law);
    ck_assert_uint_eq(e.count, 0);
    nnd_edges_clear(&e);
    nnd_context_free(ctx);
}
END_TEST

/* Of A^T A, aspect c: sum lambda^k = c, c + c^2 exactly, the mass to exp(-K |log c|). */
START_TEST(the_rule_converges_exponentially) {
    enum { K = 20 };
    double node[4 * K], weight[4 * K];
    static const double aspect[] = {0.3, 0.8, 1.0, 1.25, 3.0};
    for (int i = 0; i < 5; i++) {
        double c = aspect[i], miss[2], first = 0.0, second = 0.0;
        for (int k = 0; k < 2; k++) {
            size_t count = k == 0 ? K : 2 * K;
            nnd_bulk_rule(c, count, node, weight);
            miss[k] = -fmin(c, 1.0);
            first = second = 0.0;
            for (size_t j = 0; j < count; j++) {
                miss[k] += weight[j];
                first += weight[j] * node[j];
                second += weight[j] * node[j] * node[j];
            }
        }
        near("first moment", first, c, ROUNDING);
        near("second moment", second, c * (1.0 + c), 10.0 * ROUNDING);
        double rate = K * fabs(log(c));
        if (c == 1.0)
            near("mass", miss[0], 0.0, ROUNDING);
        else if (rate < 20.0)
            near("rate", log(miss[0] / miss[1]), rate, 0.02 * rate);
        else
            near("mass", miss[1], 0.0, ROUNDING);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("covariance");
    TCase *tests = tcase_create("covariance");
    tcase_add_test(tests, R1_marchenko_and_pastur_are_met);
    tcase_add_test(tests, density_and_distribution_are_those_of_marchenko_and_pastur);
    tcase_add_test(tests, lower_edges_are_there_unless_ranks_agree);
    tcase_add_test(tests, bulks_hold_what_exact_separation_says);
    tcase_add_test(tests, kappa_is_the_strength_of_the_density_at_an_edge);
    tcase_add_test(tests, gaps_close_where_two_edges_meet);
    tcase_add_test(tests, R1_spikes_detach_above_their_threshold);
    tcase_add_test(tests, a_spike_alone_is_itself);
    tcase_add_test(tests, the_rule_converges_exponentially);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
