/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ensembles: same bits however the work is spread, resumed or extended; what estimators do. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "support.h"
#include "validate/reduce.h"

#define CASE                                                                                       \
    "{model: deep-linear, params: {depth: 2, steps: 6, noise: 0.3, spectrum: false, ntk: false}, " \
    "sweep: {gamma0: [1, 2]}, simulate: {size: [100, 200], seeds: %s}}"

static nnd_ensemble simulate(nnd_context *ctx, const char *yaml, nnd_store *store) {
    nnd_case *c = test_case(ctx, yaml);
    nnd_ensemble e;
    if (nnd_ensemble_run(ctx, c, store, &e) < NND_OK)
        ck_abort_msg("%s", nnd_context_message(ctx));
    nnd_case_free(c);
    return e;
}

static nnd_ensemble simulate_afresh(int threads, const char *yaml) {
    nnd_context_options options = {.threads = threads};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_store *store = nnd_memory_store_new();
    nnd_ensemble e = simulate(ctx, yaml, store);
    nnd_memory_store_free(store);
    nnd_context_free(ctx);
    return e;
}

static bool identical(const nnd_ensemble *a, const nnd_ensemble *b) {
    return test_frames_identical(a->mc, b->mc) && test_frames_identical(a->influence, b->influence);
}

static const char *with_seeds(char *text, const char *seeds) {
    sprintf(text, CASE, seeds);
    return text;
}

START_TEST(any_number_of_threads_gives_the_same_bits) {
    char yaml[512];
    nnd_ensemble one = simulate_afresh(1, with_seeds(yaml, "70"));
    for (int threads = 2; threads <= 5; threads++) {
        nnd_ensemble many = simulate_afresh(threads, yaml);
        ck_assert(identical(&one, &many));
        nnd_ensemble_clear(&many);
    }
    nnd_ensemble_clear(&one);
}
END_TEST

/* Nothing is kept: every block fails with its own name. */
static nnd_status refuse(void *self, nnd_context *ctx, const char *key, const nnd_frame *frame) {
    (void)self;
    (void)frame;
    return nnd_fail(ctx, NND_E_IO, "no room for %s", key);
}

START_TEST(of_blocks_that_fail_side_by_side_the_first_in_order_is_reported) {
    char yaml[512];
    nnd_store *store = nnd_memory_store_new();
    store->put = refuse;
    const nnd_context_options options = {.threads = 4};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_case *c = test_case(ctx, with_seeds(yaml, "40"));
    for (int repeat = 0; repeat < 10; repeat++) {
        nnd_ensemble e;
        ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &e), NND_E_IO);
        ck_assert_str_eq(nnd_context_message(ctx), "no room for point-00000_size-100_block-00000");
    }
    nnd_case_free(c);
    nnd_context_free(ctx);
    nnd_memory_store_free(store);
}
END_TEST

/* Lanczos starts from the last answer, which must not leak from one network to the next. */
START_TEST(spectra_do_not_depend_on_the_threads) {
    const char *yaml = "{model: deep-linear, params: {depth: 2, steps: 4, noise: 0.3, "
                       "density: true}, simulate: {size: 80, seeds: 60}}";
    nnd_ensemble one = simulate_afresh(1, yaml), three = simulate_afresh(3, yaml);
    ck_assert(identical(&one, &three));
    nnd_ensemble_clear(&one);
    nnd_ensemble_clear(&three);
}
END_TEST

START_TEST(raising_the_seeds_extends_the_ensemble) {
    char yaml[512];
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_store *store = nnd_memory_store_new();
    nnd_ensemble few = simulate(ctx, with_seeds(yaml, "30"), store);
    nnd_ensemble extended = simulate(ctx, with_seeds(yaml, "[90, 50]"), store);
    nnd_ensemble fresh = simulate_afresh(2, yaml);
    ck_assert(identical(&extended, &fresh));
    nnd_ensemble_clear(&few);
    nnd_ensemble_clear(&extended);
    nnd_ensemble_clear(&fresh);
    nnd_memory_store_free(store);
    nnd_context_free(ctx);
}
END_TEST

/* A store that asks the run to stop after a number of blocks. */
typedef struct {
    nnd_store *inner;
    nnd_context *ctx;
    int left;
} stopping;

static nnd_status stopping_has(void *self, nnd_context *ctx, const char *key, bool *found) {
    stopping *s = self;
    return s->inner->has(s->inner->self, ctx, key, found);
}

static nnd_status stopping_put(void *self, nnd_context *ctx, const char *key,
                               const nnd_frame *frame) {
    stopping *s = self;
    if (--s->left == 0)
        nnd_context_interrupt(s->ctx);
    return s->inner->put(s->inner->self, ctx, key, frame);
}

static nnd_status stopping_get(void *self, nnd_context *ctx, const char *key, nnd_frame **frame) {
    stopping *s = self;
    return s->inner->get(s->inner->self, ctx, key, frame);
}

START_TEST(interrupted_ensemble_resumes_to_the_same_bits) {
    char yaml[512];
    with_seeds(yaml, "90");
    nnd_context *ctx = nnd_context_new(NULL), *again = nnd_context_new(NULL);
    nnd_store *inner = nnd_memory_store_new();
    stopping s = {inner, ctx, 3};
    nnd_store store = {&s, stopping_has, stopping_put, stopping_get};
    nnd_case *c = test_case(ctx, yaml);
    nnd_ensemble none;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, &store, &none), NND_E_INTERRUPTED);
    ck_assert_ptr_null(none.mc);
    nnd_ensemble resumed = simulate(again, yaml, inner);
    nnd_ensemble fresh = simulate_afresh(2, yaml);
    ck_assert(identical(&resumed, &fresh));
    nnd_ensemble_clear(&resumed);
    nnd_ensemble_clear(&fresh);
    nnd_case_free(c);
    nnd_memory_store_free(inner);
    nnd_context_free(ctx);
    nnd_context_free(again);
}
END_TEST

START_TEST(seeds_are_independent_across_sizes_and_common_across_the_sweep) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_store *store = nnd_memory_store_new();
    nnd_ensemble e = simulate(ctx,
                              "{model: deep-linear, params: {steps: 2, training: online}, "
                              "sweep: {gamma0: [1, 2]}, simulate: {size: [64, 65], seeds: [5, 3], "
                              "storage: trajectories}}",
                              store);
    const nnd_frame *mc = e.mc, *seeds = e.seeds;
    ck_assert_ptr_nonnull(seeds);
    /* At t = 0 the predictor is that of gamma0 = 1 divided by gamma0. */
    double one = test_value(seeds, "overlap", "gamma0=1,size=64,seed=4,t=0");
    double two = test_value(seeds, "overlap", "gamma0=2,size=64,seed=4,t=0");
    test_close("common numbers", two, one / 2.0, 1e-14);
    double other = test_value(seeds, "overlap", "gamma0=1,size=65,seed=2,t=0");
    double same = test_value(seeds, "overlap", "gamma0=1,size=64,seed=2,t=0");
    ck_assert(fabs(other - same) > 1e-6);
    ck_assert(isnan(test_value(seeds, "overlap", "gamma0=1,size=65,seed=4,t=0")));
    double mean = 0.0;
    for (int seed = 0; seed < 3; seed++) {
        char at[64];
        sprintf(at, "gamma0=2,size=65,seed=%d,t=2", seed);
        mean += test_value(seeds, "test_risk", at) / 3.0;
    }
    test_close("mean", test_value(mc, "test_risk", "gamma0=2,size=65,t=2"), mean, 1e-14);
    nnd_ensemble_clear(&e);
    nnd_memory_store_free(store);
    nnd_context_free(ctx);
}
END_TEST

/* Two sizes determine a slope: the difference of the means over that of 1/size. What is caused
 * along the target and by each of the D - 1 directions across adds up. */
START_TEST(biases_are_slopes_of_what_they_are_caused_by) {
    static const struct {
        const char *bias, *of;
    } slope[] = {{"par_bias", "delta_alone"},
                 {"perp_bias", "delta_across"},
                 {"delta_bias", "delta"},
                 {"error_ncorr", "error"}};
    nnd_ensemble e = simulate_afresh(2, "{model: online-fluctuations, params: {dim: 3, steps: 4, "
                                        "lr: 0.2}, simulate: {size: [8, 16], seeds: 40}}");
    for (size_t k = 0; k < 4; k++) {
        double small = test_value(e.mc, slope[k].of, "size=8,t=4");
        double large = test_value(e.mc, slope[k].of, "size=16,t=4");
        test_close(slope[k].bias, test_value(e.mc, slope[k].bias, "t=4"),
                   (small - large) / (1.0 / 8.0 - 1.0 / 16.0), 1e-10);
    }
    test_close("sum",
               test_value(e.mc, "par_bias", "t=4") + 2.0 * test_value(e.mc, "perp_bias", "t=4"),
               test_value(e.mc, "delta_bias", "t=4"), 1e-10);
    nnd_ensemble_clear(&e);
}
END_TEST

START_TEST(where_every_seed_diverges_all_of_them_count_up_to_there) {
    nnd_ensemble e = simulate_afresh(1, "{model: deep-linear, params: {steps: 60, lr: 30}, "
                                        "simulate: {size: 20, seeds: 3, storage: trajectories}}");
    double mean = 0.0;
    for (int seed = 0; seed < 3; seed++) {
        char at[64];
        sprintf(at, "size=20,seed=%d,t=0", seed);
        mean += test_value(e.seeds, "train_mse", at) / 3.0;
    }
    ck_assert_double_eq(test_value(e.mc, "diverged_fraction", "size=20"), 1.0);
    test_close("mean", test_value(e.mc, "train_mse", "size=20,t=0"), mean, 1e-14);
    ck_assert_double_nan(test_value(e.mc, "train_mse", "size=20,t=60"));
    nnd_ensemble_clear(&e);
}
END_TEST

START_TEST(digest_names_what_the_blocks_depend_on) {
    nnd_context *ctx = nnd_context_new(NULL);
    const char *yaml[] = {
        "{model: deep-linear, simulate: {size: 9, seeds: 4}}",
        "{model: deep-linear, name: other, simulate: {size: [9, 8], seeds: 5}}",
        "{model: deep-linear, simulate: {size: 9, seeds: 4, base_seed: 2}}",
        "{model: deep-linear, params: {lr: 0.2}, simulate: {size: 9, seeds: 4}}",
        "{model: deep-linear, sweep: {lr: [0.1]}, simulate: {size: 9, seeds: 4}}",
    };
    char digest[5][17];
    for (int i = 0; i < 5; i++) {
        nnd_case *c = test_case(ctx, yaml[i]);
        nnd_ensemble_digest(c, digest[i]);
        nnd_case_free(c);
    }
    ck_assert_str_eq(digest[0], digest[1]);
    for (int i = 2; i < 5; i++)
        ck_assert_str_ne(digest[0], digest[i]);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(sizes_that_leave_no_neuron_or_sample_are_refused) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_store *store = nnd_memory_store_new();
    const char *yaml[] = {
        "{model: deep-linear, params: {nu: 0.001}, simulate: {size: 100}}",
        "{model: deep-linear, params: {alpha: 0.001}, simulate: {size: 100}}",
    };
    const char *key[] = {"params.nu", "params.alpha"};
    for (int i = 0; i < 2; i++) {
        nnd_case *c = test_case(ctx, yaml[i]);
        nnd_ensemble none;
        ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &none), NND_E_INPUT);
        ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), key[i]));
        nnd_case_free(c);
    }
    nnd_memory_store_free(store);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(more_memory_than_the_limit_is_refused_with_the_number) {
    nnd_context_options options = {.memory_limit = (size_t)1 << 20};
    nnd_context *ctx = nnd_context_new(&options);
    nnd_store *store = nnd_memory_store_new();
    nnd_case *c = test_case(ctx, "{model: deep-linear, simulate: {size: 100000}}");
    nnd_ensemble none;
    nnd_frame *theory;
    ck_assert_int_eq(nnd_ensemble_run(ctx, c, store, &none), NND_E_LIMIT);
    ck_assert_ptr_nonnull(strstr(nnd_context_message(ctx), "GB"));
    ck_assert_int_eq(nnd_theory_run(ctx, c, NULL, &theory), NND_OK);
    nnd_frame_free(theory);
    nnd_case_free(c);
    nnd_memory_store_free(store);
    nnd_context_free(ctx);
}
END_TEST

/* ---- estimators on made-up seeds ---- */

enum { SEEDS = 6, TIMES = 2, MU = 2 };

/* a(seed, t, mu), b(seed, t), and one seed that diverged. */
static nnd_frame *made_up(nnd_context *ctx, bool diverged) {
    const double t[TIMES] = {0, 1};
    nnd_frame *f;
    double *a, *b, *at;
    ck_assert_int_eq(nnd_frame_new(ctx, &f), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "seed", SEEDS, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_dim(f, "t", NND_COORD_INTEGER, TIMES, t), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "mu", MU, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "nu", MU, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(f, "diverged_at", "seed", &at), NND_OK);
    ck_assert_int_eq(nnd_frame_add(f, "a", "seed,t,mu", &a), NND_OK);
    ck_assert_int_eq(nnd_frame_add(f, "b", "seed,t", &b), NND_OK);
    for (int i = 0; i < SEEDS * TIMES * MU; i++)
        a[i] = sin(1.0 + i * i);
    for (int i = 0; i < SEEDS * TIMES; i++)
        b[i] = 2.0 + cos(3.0 * i);
    if (diverged) {
        at[SEEDS - 1] = 1;
        a[(SEEDS - 1) * TIMES * MU + MU] = NAN;
    }
    return f;
}

static const nnd_variable ESTIMATED[] = {
    {.name = "a", .dims = "t,mu"},
    {.name = "a_nvar", .dims = "t,mu", .estimator = {NND_NVAR, "a", NULL}},
    {.name = "a_ncov", .dims = "t,mu,nu", .estimator = {NND_NCOV, "a", "a"}},
    {.name = "ratio", .dims = "t,mu", .estimator = {NND_RATIO, "a", "b"}},
    {.name = "ensemble", .dims = "t", .estimator = {NND_ENSEMBLE, "a", NULL}},
    {.name = "absent", .dims = "t"},
    {.name = "a_slope", .dims = "t,mu", .estimator = {NND_SLOPE, "a", NULL}},
};

static const nnd_model MADE_UP = {
    .name = "made-up",
    .variable_count = sizeof ESTIMATED / sizeof *ESTIMATED,
    .variables = ESTIMATED,
};

static double at(const nnd_frame *f, const char *name, int seed, int t, int mu) {
    const nnd_array *array = nnd_frame_find(f, name);
    return array->ndims == 3 ? array->data[(seed * TIMES + t) * MU + mu]
                             : array->data[seed * TIMES + t];
}

static double brute_covariance(const nnd_frame *f, int n, int t, int mu, int nu) {
    double x = 0, y = 0, sum = 0;
    for (int i = 0; i < n; i++) {
        x += at(f, "a", i, t, mu) / n;
        y += at(f, "a", i, t, nu) / n;
    }
    for (int i = 0; i < n; i++)
        sum += (at(f, "a", i, t, mu) - x) * (at(f, "a", i, t, nu) - y);
    return sum / (n - 1);
}

START_TEST(estimators_are_those_of_the_variable_table) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *seeds = made_up(ctx, false), *out, *influence;
    ck_assert_int_eq(nnd_reduce_seeds(ctx, &MADE_UP, seeds, 50, 1, &out, &influence), NND_OK);
    nnd_frame_free(influence);
    const double rounding = 1e-12;
    test_close("nvar", test_value(out, "a_nvar", "t=1,mu=0"),
               50 * brute_covariance(seeds, SEEDS, 1, 0, 0), rounding);
    test_close("ncov", test_value(out, "a_ncov", "t=1,mu=0,nu=1"),
               50 * brute_covariance(seeds, SEEDS, 1, 0, 1), rounding);
    test_close("ncov diagonal", test_value(out, "a_ncov", "t=0,mu=1,nu=1"),
               test_value(out, "a_nvar", "t=0,mu=1"), rounding);
    double a = 0, b = 0;
    for (int i = 0; i < SEEDS; i++) {
        a += at(seeds, "a", i, 0, 1) / SEEDS;
        b += at(seeds, "b", i, 0, 0) / SEEDS;
    }
    test_close("mean", test_value(out, "a", "t=0,mu=1"), a, rounding);
    /* The jackknife moves the ratio by its bias, O(1/n). */
    ck_assert(fabs(test_value(out, "ratio", "t=0,mu=1") - a / b) < 0.1);
    ck_assert(test_value(out, "ratio_se", "t=0,mu=1") > 0.0);
    /* Half the mean over mu of (mean a)^2 - Var a/n. */
    double half = 0;
    for (int mu = 0; mu < MU; mu++) {
        double m = test_value(out, "a", mu == 0 ? "t=1,mu=0" : "t=1,mu=1");
        half += (m * m - brute_covariance(seeds, SEEDS, 1, mu, mu) / SEEDS) / (2 * MU);
    }
    test_close("ensemble", test_value(out, "ensemble", "t=1"), half, rounding);
    ck_assert_ptr_null(nnd_frame_find(out, "absent"));
    ck_assert_ptr_null(nnd_frame_find(out, "a_slope"));
    ck_assert(nnd_frame_find(out, "diverged_fraction")->data[0] == 0.0);
    nnd_frame_free(out);
    nnd_frame_free(seeds);
    nnd_context_free(ctx);
}
END_TEST

static const nnd_variable LISTED[] = {
    {.name = "b", .dims = "t"},
    {.name = "b_sd", .dims = "t", .estimator = {NND_SD, "b", NULL}},
    {.name = "b_mean", .dims = "t,[width]", .estimator = {NND_AT_SIZES, "b", "width"}},
    {.name = "b_spread", .dims = "t,[width]", .estimator = {NND_AT_SIZES, "b_sd", "width"}},
};
static const nnd_model LISTING = {.name = "made-up", .variable_count = 4, .variables = LISTED};

/* The variance is that of n - 1, whose root is low by 1/(4n) for normal numbers; its error bar is
 * that of the root, and what groups add makes it up. */
START_TEST(a_standard_deviation_is_the_root_of_a_variance) {
    enum { MANY = 4000 };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f, *out, *influence;
    double *b, sum2 = 0.0;
    ck_assert_int_eq(nnd_frame_new(ctx, &f), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "seed", MANY, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "t", 1, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(f, "b", "seed,t", &b), NND_OK);
    nnd_rng_normals((nnd_rng_key){1, 2, 3}, 0, 0, MANY, b);
    for (int i = 0; i < MANY; i++)
        b[i] = 7.0 + 3.0 * b[i];
    ck_assert_int_eq(nnd_reduce_seeds(ctx, &LISTING, f, 50, 1, &out, &influence), NND_OK);
    double sd = test_value(out, "b_sd", "t=0"), se = test_value(out, "b_sd_se", "t=0");
    double variance = 0.0, mean = 0.0;
    for (int i = 0; i < MANY; i++)
        mean += b[i] / MANY;
    for (int i = 0; i < MANY; i++)
        variance += (b[i] - mean) * (b[i] - mean) / (MANY - 1.0);
    test_close("sd", sd, sqrt(variance) * (1.0 + 0.5 * se * se / variance), 1e-12);
    /* sigma/sqrt(2n), of which a sample shows its own kurtosis: 5 of its errors, sqrt(24/n)/4. */
    test_close("its error", se, sd / sqrt(2.0 * MANY), 5.0 * sqrt(24.0 / MANY) / 4.0);
    const nnd_array *share = nnd_frame_find(influence, "b_sd");
    for (size_t g = 0; g < share->count; g++)
        sum2 += share->data[g] * share->data[g];
    /* 32 groups show a variance to sqrt(2/32). */
    test_close("of groups", sqrt(sum2), se, 5.0 * sqrt(2.0 / 32.0) / 2.0);
    nnd_frame_free(out);
    nnd_frame_free(influence);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

/* Of two sizes, with their shares: those of the other size are 0. */
START_TEST(what_is_listed_over_sizes_is_that_of_each) {
    static char size_name[] = "size";
    double sizes[] = {50.0, 80.0};
    nnd_dim size = {size_name, NND_COORD_INTEGER, 2, sizes, NULL};
    const nnd_dim *outer = &size;
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *part[2], *share[2], *out, *influence;
    for (int k = 0; k < 2; k++) {
        nnd_frame *seeds = made_up(ctx, false);
        double *b = nnd_frame_find(seeds, "b")->data;
        for (int i = 0; i < SEEDS * TIMES; i++)
            b[i] *= 1.0 + k;
        ck_assert_int_eq(
            nnd_reduce_seeds(ctx, &LISTING, seeds, (size_t)sizes[k], 1, &part[k], &share[k]),
            NND_OK);
        nnd_frame_free(seeds);
    }
    const nnd_frame *const parts[] = {part[0], part[1]}, *const shares[] = {share[0], share[1]};
    ck_assert_int_eq(nnd_frame_stack(ctx, 1, &outer, 2, parts, &out), NND_OK);
    ck_assert_int_eq(nnd_frame_stack(ctx, 1, &outer, 2, shares, &influence), NND_OK);
    ck_assert_int_eq(nnd_reduce_sizes(&LISTING, out, influence), NND_OK);
    char dims[64];
    nnd_array_dims(out, nnd_frame_find(out, "b_spread"), sizeof dims, dims);
    ck_assert_str_eq(dims, "t,width");
    nnd_array_dims(influence, nnd_frame_find(influence, "b_spread"), sizeof dims, dims);
    ck_assert_str_eq(dims, "size,group,t,width");
    for (int k = 0; k < 2; k++)
        for (int t = 0; t < TIMES; t++) {
            char here[32], there[64];
            double time = nnd_frame_find_dim(out, "t")->value[t];
            snprintf(here, sizeof here, "t=%g", time);
            snprintf(there, sizeof there, "t=%g,width=%g", time, sizes[k]);
            ck_assert_double_eq(test_value(out, "b_mean", there), test_value(part[k], "b", here));
            ck_assert_double_eq(test_value(out, "b_spread", there),
                                test_value(part[k], "b_sd", here));
            ck_assert_double_eq(test_value(out, "b_spread_se", there),
                                test_value(part[k], "b_sd_se", here));
            const nnd_array *all = nnd_frame_find(influence, "b_spread");
            size_t groups = nnd_frame_find_dim(influence, "group")->length;
            for (size_t s = 0; s < 2; s++)
                for (size_t g = 0; g < groups; g++) {
                    size_t at = (((s * groups + g) * TIMES) + (size_t)t) * 2 + (size_t)k;
                    double of_size = nnd_frame_find(share[k], "b_sd")->data[g * TIMES + (size_t)t];
                    ck_assert_double_eq(all->data[at], s == (size_t)k ? of_size : 0.0);
                }
        }
    for (int k = 0; k < 2; k++) {
        nnd_frame_free(part[k]);
        nnd_frame_free(share[k]);
    }
    nnd_frame_free(out);
    nnd_frame_free(influence);
    nnd_context_free(ctx);
}
END_TEST

/* Group by group against the definition: what the seeds of the group add to the mean. */
START_TEST(influences_are_sums_over_groups_of_seeds) {
    enum { MANY = 70, GROUPS = 32 };
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f, *out, *influence;
    double *a, mean = 0.0, want[GROUPS] = {0};
    ck_assert_int_eq(nnd_frame_new(ctx, &f), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "seed", MANY, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "t", 3, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "mu", 2, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(f, "a", "seed,t,mu", &a), NND_OK);
    for (int i = 0; i < MANY * 6; i++)
        a[i] = sin(1.0 + i * i);
    for (int i = 0; i < MANY; i++)
        mean += a[i * 6 + 5] / MANY;
    for (int i = 0; i < MANY; i++)
        want[i % GROUPS] += (a[i * 6 + 5] - mean) / sqrt(MANY * (MANY - 1.0));
    ck_assert_int_eq(nnd_reduce_seeds(ctx, &MADE_UP, f, 50, 1, &out, &influence), NND_OK);
    const nnd_array *share = nnd_frame_find(influence, "a");
    ck_assert_uint_eq(share->count, GROUPS * 6);
    for (int g = 0; g < GROUPS; g++)
        ck_assert_double_eq_tol(share->data[g * 6 + 5], want[g], 1e-14);
    nnd_frame_free(out);
    nnd_frame_free(influence);
    /* In a sweep of 20,000 points the array is too large as a whole. */
    ck_assert_int_eq(nnd_reduce_seeds(ctx, &MADE_UP, f, 50, 20000, &out, &influence), NND_OK);
    share = nnd_frame_find(influence, "a");
    char dims[64];
    nnd_array_dims(influence, share, sizeof dims, dims);
    ck_assert_str_eq(dims, "group,a_t,a_mu");
    ck_assert_uint_eq(share->count, GROUPS);
    ck_assert_double_eq(nnd_frame_find_dim(influence, "a_t")->value[0], 0.0);
    nnd_frame_free(out);
    nnd_frame_free(influence);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

static const nnd_variable CONTROLLED[] = {
    {.name = "a", .dims = "t,mu"},
    {.name = "b", .dims = "t"},
    {.name = "b_slope", .dims = "t", .estimator = {NND_SLOPE, "b", NULL}},
};

/* a is 1 plus the control; b too, but a slope is fitted to it. */
START_TEST(means_are_regressed_on_controls_unless_a_slope_rests_on_them) {
    enum { MANY = 20 };
    const nnd_model model = {.name = "made-up", .variable_count = 3, .variables = CONTROLLED};
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *f, *out, *influence;
    double *a, *b, *control, mean = 0.0;
    ck_assert_int_eq(nnd_frame_new(ctx, &f), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "seed", MANY, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "control", 1, 1), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "t", 1, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "mu", 1, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(f, "a", "seed,t,mu", &a), NND_OK);
    ck_assert_int_eq(nnd_frame_add(f, "b", "seed,t", &b), NND_OK);
    ck_assert_int_eq(nnd_frame_add(f, "control", "seed,control", &control), NND_OK);
    for (int i = 0; i < MANY; i++) {
        control[i] = sin(1.0 + i * i);
        a[i] = b[i] = 1.0 + control[i];
        mean += b[i] / MANY;
    }
    ck_assert_int_eq(nnd_reduce_seeds(ctx, &model, f, 50, 1, &out, &influence), NND_OK);
    ck_assert_double_eq_tol(nnd_frame_find(out, "a")->data[0], 1.0, 1e-14);
    ck_assert_double_eq_tol(nnd_frame_find(out, "b")->data[0], mean, 1e-14);
    ck_assert_ptr_null(nnd_frame_find_dim(out, "control"));
    ck_assert_double_eq(nnd_frame_find(influence, "controls")->data[0], 1.0);
    ck_assert_double_lt(nnd_frame_find(influence, "a_control")->data[0], 1e-20);
    ck_assert_ptr_null(nnd_frame_find(influence, "b_control"));
    nnd_frame_free(out);
    nnd_frame_free(influence);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(seeds_that_diverged_are_left_out_and_counted) {
    nnd_context *ctx = nnd_context_new(NULL);
    nnd_frame *seeds = made_up(ctx, true), *out, *influence;
    ck_assert_int_eq(nnd_reduce_seeds(ctx, &MADE_UP, seeds, 50, 1, &out, &influence), NND_OK);
    test_close("seeds", nnd_frame_find(influence, "seeds")->data[0], SEEDS - 1, 0.0);
    nnd_frame_free(influence);
    double a = 0;
    for (int i = 0; i < SEEDS - 1; i++)
        a += at(seeds, "a", i, 0, 0) / (SEEDS - 1);
    test_close("mean", test_value(out, "a", "t=0,mu=0"), a, 1e-13);
    ck_assert(isfinite(test_value(out, "a", "t=1,mu=0")));
    test_close("fraction", nnd_frame_find(out, "diverged_fraction")->data[0], 1.0 / SEEDS, 1e-15);
    nnd_frame_free(out);
    nnd_frame_free(seeds);
    nnd_context_free(ctx);
}
END_TEST

START_TEST(slope_is_the_coefficient_of_inverse_size) {
    nnd_context *ctx = nnd_context_new(NULL);
    const double size[] = {10, 20, 40}, t[] = {0, 1};
    nnd_frame *f, *influence;
    double *a, *se, *share;
    ck_assert_int_eq(nnd_frame_new(ctx, &f), NND_OK);
    ck_assert_int_eq(nnd_frame_add_dim(f, "size", NND_COORD_INTEGER, 3, size), NND_OK);
    ck_assert_int_eq(nnd_frame_add_dim(f, "t", NND_COORD_INTEGER, 2, t), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(f, "mu", 1, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add(f, "a", "size,t,mu", &a), NND_OK);
    ck_assert_int_eq(nnd_frame_add(f, "a_se", "size,t,mu", &se), NND_OK);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 2; i++) {
            a[k * 2 + i] = 1.0 + i - (3.0 + i) / size[k];
            se[k * 2 + i] = 0.01;
        }
    ck_assert_int_eq(nnd_frame_new(ctx, &influence), NND_OK);
    ck_assert_int_eq(nnd_frame_add_dim(influence, "size", NND_COORD_INTEGER, 3, size), NND_OK);
    ck_assert_int_eq(nnd_frame_add_range(influence, "group", 2, 0), NND_OK);
    ck_assert_int_eq(nnd_frame_add_dim(influence, "a_t", NND_COORD_INTEGER, 1, t + 1), NND_OK);
    ck_assert_int_eq(nnd_frame_add(influence, "a", "size,group,a_t", &share), NND_OK);
    for (int k = 0; k < 6; k++)
        share[k] = k % 2 == 0 ? 0.006 : 0.008; /* squares add up to 0.01^2 */
    ck_assert_int_eq(nnd_reduce_sizes(&MADE_UP, f, influence), NND_OK);
    test_close("slope", test_value(f, "a_slope", "t=1,mu=0"), -4.0, 1e-12);
    ck_assert(test_value(f, "a_slope_se", "t=1,mu=0") > 0.0);
    const nnd_array *of_slope = nnd_frame_find(influence, "a_slope");
    double sum2 = 0.0;
    for (int k = 0; k < 6; k++)
        sum2 += of_slope->data[k] * of_slope->data[k];
    test_close("shares", sqrt(sum2), test_value(f, "a_slope_se", "t=1,mu=0"), 1e-12);
    ck_assert(of_slope->data[0] * of_slope->data[4] < 0.0); /* small and large size pull apart */
    nnd_frame_free(influence);
    nnd_frame_free(f);
    nnd_context_free(ctx);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ensemble");
    TCase *runs = tcase_create("runs");
    tcase_add_test(runs, any_number_of_threads_gives_the_same_bits);
    tcase_add_test(runs, of_blocks_that_fail_side_by_side_the_first_in_order_is_reported);
    tcase_add_test(runs, spectra_do_not_depend_on_the_threads);
    tcase_add_test(runs, raising_the_seeds_extends_the_ensemble);
    tcase_add_test(runs, interrupted_ensemble_resumes_to_the_same_bits);
    tcase_add_test(runs, seeds_are_independent_across_sizes_and_common_across_the_sweep);
    tcase_add_test(runs, biases_are_slopes_of_what_they_are_caused_by);
    tcase_add_test(runs, where_every_seed_diverges_all_of_them_count_up_to_there);
    tcase_add_test(runs, digest_names_what_the_blocks_depend_on);
    tcase_add_test(runs, sizes_that_leave_no_neuron_or_sample_are_refused);
    tcase_add_test(runs, more_memory_than_the_limit_is_refused_with_the_number);
    suite_add_tcase(suite, runs);
    TCase *estimators = tcase_create("estimators");
    tcase_add_test(estimators, estimators_are_those_of_the_variable_table);
    tcase_add_test(estimators, influences_are_sums_over_groups_of_seeds);
    tcase_add_test(estimators, a_standard_deviation_is_the_root_of_a_variance);
    tcase_add_test(estimators, what_is_listed_over_sizes_is_that_of_each);
    tcase_add_test(estimators, means_are_regressed_on_controls_unless_a_slope_rests_on_them);
    tcase_add_test(estimators, seeds_that_diverged_are_left_out_and_counted);
    tcase_add_test(estimators, slope_is_the_coefficient_of_inverse_size);
    suite_add_tcase(suite, estimators);
    return test_main(suite);
}
