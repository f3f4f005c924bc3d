/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures of similarity, and what they are on other orders and other sets of the points. */
#include "nndmft/similarity.h"

#include <float.h>
#include <gsl/gsl_sort.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "core/statistics.h"
#include "core/streams.h"
#include "validate/similarity_impl.h"

/* ---- tables ---- */

/* Where the standard error comes from (similarity.md#s4). */
typedef enum {
    JACKKNIFE, /* one group of points left out: of measures that are smooth in each point */
    HALVES     /* two halves of the points: of those that rest on neighbours */
} error_scheme;

static const struct {
    const char *name, *title, *equation;
    const nnd_similarity_family *family;
    error_scheme scheme;
    bool own; /* a debiased value of its own; else it is that of the jackknife */
} MEASURES[NND_SIMILARITIES] = {
    [NND_SIMILARITY_CKA] = {"cka", "linear CKA", "similarity.md#eq1", &nnd_similarity_linear,
                            JACKKNIFE, true},
    [NND_SIMILARITY_COSINE] = {"cosine", "cosine of the matrices", "similarity.md#eq3",
                               &nnd_similarity_cosine, JACKKNIFE, false},
    [NND_SIMILARITY_PROCRUSTES] = {"procrustes", "cosine after the best rotation",
                                   "similarity.md#eq4", &nnd_similarity_linear, JACKKNIFE, false},
    [NND_SIMILARITY_CCA] = {"cca", "mean canonical correlation", "similarity.md#eq5",
                            &nnd_similarity_canonical, JACKKNIFE, false},
    [NND_SIMILARITY_SVCCA] = {"svcca", "mean canonical correlation of principal components",
                              "similarity.md#eq5", &nnd_similarity_canonical, JACKKNIFE, false},
    [NND_SIMILARITY_RSA_PEARSON] = {"rsa_pearson", "correlation of distances", "similarity.md#eq6",
                                    &nnd_similarity_rsa, JACKKNIFE, false},
    [NND_SIMILARITY_RSA_SPEARMAN] = {"rsa_spearman", "rank correlation of distances",
                                     "similarity.md#eq6", &nnd_similarity_rsa, JACKKNIFE, false},
    [NND_SIMILARITY_KNN] = {"knn_overlap", "overlap of nearest neighbours", "similarity.md#eq7",
                            &nnd_similarity_neighbours, HALVES, true},
    [NND_SIMILARITY_IMBALANCE_AB] = {"information_imbalance_ab", "information imbalance A to B",
                                     "similarity.md#eq8", &nnd_similarity_neighbours, HALVES, true},
    [NND_SIMILARITY_IMBALANCE_BA] = {"information_imbalance_ba", "information imbalance B to A",
                                     "similarity.md#eq8", &nnd_similarity_neighbours, HALVES, true},
};

static const nnd_similarity_family *const FAMILIES[] = {
    &nnd_similarity_cosine, &nnd_similarity_linear,     &nnd_similarity_canonical,
    &nnd_similarity_rsa,    &nnd_similarity_neighbours,
};
enum { FAMILY_COUNT = sizeof FAMILIES / sizeof *FAMILIES };

const char *nnd_similarity_name(int measure) {
    return MEASURES[measure].name;
}

const char *nnd_similarity_title(int measure) {
    return MEASURES[measure].title;
}

const char *nnd_similarity_equation(int measure) {
    return MEASURES[measure].equation;
}

nnd_similarity_options nnd_similarity_defaults(void) {
    nnd_similarity_options o = {
        .neighbours = 10, .variance = 0.99, .permutations = 100, .resamples = 50};
    for (int m = 0; m < NND_SIMILARITIES; m++)
        o.wanted[m] = true;
    return o;
}

/* True if a measure of the family is wanted that has its errors from this scheme. */
static bool uses(const nnd_similarity_options *o, const nnd_similarity_family *family,
                 error_scheme scheme) {
    for (int m = 0; m < NND_SIMILARITIES; m++)
        if (o->wanted[m] && MEASURES[m].family == family && MEASURES[m].scheme == scheme)
            return true;
    return false;
}

static bool is_wanted(const nnd_similarity_options *o, const nnd_similarity_family *family) {
    return uses(o, family, JACKKNIFE) || uses(o, family, HALVES);
}

/* ---- bad input ---- */

/* Whether rows row[0..n) are equal; NULL: the first n. */
static bool is_constant(size_t n, const size_t *row, size_t width, const double *x) {
    const double *first = x + (row != NULL ? row[0] : 0) * width;
    for (size_t i = 1; i < n; i++)
        for (size_t c = 0; c < width; c++)
            if (x[(row != NULL ? row[i] : i) * width + c] != first[c])
                return false;
    return true;
}

static nnd_status check_side(nnd_context *ctx, const nnd_representations *r, int side) {
    const char *name = r->name[side] != NULL ? r->name[side] : side == 0 ? "A" : "B";
    if (r->width[side] < 1 || r->width[side] > INT_MAX)
        return nnd_fail(ctx, NND_E_INPUT, "%s has %zu columns; allowed: 1 to %d", name,
                        r->width[side], INT_MAX);
    for (size_t k = 0; k < r->n * r->width[side]; k++)
        if (!isfinite(r->x[side][k]))
            return nnd_fail(ctx, NND_E_INPUT, "%s: row %zu, column %zu is %g, not a finite number",
                            name, k / r->width[side], k % r->width[side], r->x[side][k]);
    return is_constant(r->n, NULL, r->width[side], r->x[side])
               ? nnd_fail(ctx, NND_E_INPUT, "%s is the same at all %zu points", name, r->n)
               : NND_OK;
}

/* Ranks of pairs are numbers of 32 bits. */
enum { FEWEST = 4, MOST = 90000 };

static nnd_status check(nnd_context *ctx, const nnd_representations *r,
                        const nnd_similarity_options *o) {
    if (r->n < FEWEST || r->n > MOST)
        return nnd_fail(ctx, NND_E_INPUT, "%zu points; allowed: %d to %d", r->n, FEWEST, MOST);
    if (o->wanted[NND_SIMILARITY_COSINE] && r->width[0] != r->width[1])
        return nnd_fail(ctx, NND_E_INPUT,
                        "cosine: A has %zu columns, B %zu; allowed: as many as the other",
                        r->width[0], r->width[1]);
    if (o->wanted[NND_SIMILARITY_KNN] && (o->neighbours < 1 || o->neighbours > r->n - 2))
        return nnd_fail(ctx, NND_E_INPUT,
                        "knn_overlap: %zu neighbours of %zu points; allowed: 1 to %zu",
                        o->neighbours, r->n, r->n - 2);
    if (!(o->variance > 0.0 && o->variance <= 1.0))
        return nnd_fail(ctx, NND_E_INPUT, "svcca: a share %g of the variance; allowed: (0, 1]",
                        o->variance);
    if (o->resamples == 1)
        return nnd_fail(ctx, NND_E_INPUT, "1 resample; allowed: 0, 2 or more");
    nnd_status status = check_side(ctx, r, 0);
    return status == NND_OK ? check_side(ctx, r, 1) : status;
}

/* ---- sets of points ---- */

/* First all points; then B in other orders, the groups that are left out, and pairs of halves. */
typedef struct {
    size_t n, permutations, groups, splits;
} plan;

static plan plan_for(const nnd_representations *r, const nnd_similarity_options *o) {
    bool jackknife = false, halves = false;
    for (int f = 0; f < FAMILY_COUNT; f++) {
        jackknife = jackknife || uses(o, FAMILIES[f], JACKKNIFE);
        halves = halves || uses(o, FAMILIES[f], HALVES);
    }
    size_t groups = o->resamples < r->n ? o->resamples : r->n;
    return (plan){r->n, o->permutations, jackknife ? groups : 0, halves ? o->resamples : 0};
}

static size_t first_group(const plan *p) {
    return 1 + p->permutations;
}

static size_t first_half(const plan *p) {
    return first_group(p) + p->groups;
}

static size_t count_sets(const plan *p) {
    return first_half(p) + 2 * p->splits;
}

/* Points in a group, those whose place in a random order is `group` modulo the number of groups. */
static size_t group_size(const plan *p, size_t group) {
    return p->n / p->groups + (group < p->n % p->groups);
}

/* Sorting by independent random numbers is a uniform shuffle. */
static void shuffle(nnd_rng_key key, uint32_t stream, uint64_t index, size_t n, double *draw,
                    size_t *order) {
    nnd_rng_normals(key, stream, index, n, draw);
    gsl_sort_index(order, draw, 1, n);
}

/* Whether place k of the random order is in set `set`, which is a group or a half. */
static bool holds(const plan *p, size_t set, size_t k) {
    if (set < first_half(p))
        return k % p->groups != set - first_group(p);
    size_t half = p->n / 2, second = (set - first_half(p)) % 2;
    return k >= second * half && k < (second + 1) * half;
}

/* The rows of set `set` in row[0] and row[1]; row[1] and draw have room for n. */
static nnd_point_set points_of(const plan *p, nnd_rng_key key, size_t set, double *draw,
                               size_t *row[2]) {
    nnd_point_set points = {.n = p->n, .row = {row[0], row[1]}, .whole = true};
    for (size_t i = 0; i < p->n; i++)
        row[0][i] = row[1][i] = i;
    if (set == 0)
        return points;
    if (set < first_group(p)) {
        shuffle(key, NND_STREAM_SIMILARITY_ORDERS, set, p->n, draw, row[1]);
        return points;
    }
    if (set < first_half(p))
        shuffle(key, NND_STREAM_SIMILARITY_GROUPS, 0, p->n, draw, row[1]);
    else
        shuffle(key, NND_STREAM_SIMILARITY_HALVES, (set - first_half(p)) / 2, p->n, draw, row[1]);
    points = (nnd_point_set){.n = 0, .row = {row[0], row[0]}, .whole = false};
    for (size_t k = 0; k < p->n; k++)
        if (holds(p, set, k))
            row[0][points.n++] = row[1][k];
    return points;
}

/* ---- all sets ---- */

typedef struct {
    const nnd_similarity_work *work;
    plan plan;
    nnd_similarity_values *values; /* of each set */
    size_t done;
} measuring;

static bool takes_part(const measuring *m, size_t set, const nnd_similarity_family *family) {
    const nnd_similarity_options *o = m->work->options;
    return set < first_group(&m->plan)  ? is_wanted(o, family)
           : set < first_half(&m->plan) ? uses(o, family, JACKKNIFE)
                                        : uses(o, family, HALVES);
}

/* Without a group one side may be the same at all points that are left. What is left of it less its
 * mean is rounding, and a measure of that says nothing. */
static bool is_void(const measuring *m, size_t set, const nnd_point_set *points) {
    const nnd_representations *r = m->work->given;
    bool jackknife = set >= first_group(&m->plan) && set < first_half(&m->plan);
    return jackknife && !m->work->options->uncentred &&
           (is_constant(points->n, points->row[0], r->width[0], r->x[0]) ||
            is_constant(points->n, points->row[1], r->width[1], r->x[1]));
}

static nnd_status compare_set(nnd_context *ctx, size_t set, void *data) {
    measuring *m = data;
    size_t n = m->plan.n, done;
    size_t *row[2] = {malloc(n * sizeof(size_t)), malloc(n * sizeof(size_t))};
    double *draw = malloc(n * sizeof *draw);
    nnd_status status = row[0] != NULL && row[1] != NULL && draw != NULL
                            ? NND_OK
                            : nnd_fail_memory(ctx, "a set of points");
    for (int k = 0; k < NND_SIMILARITIES; k++)
        m->values[set].value[k] = m->values[set].debiased[k] = NAN;
    if (status == NND_OK) {
        const nnd_point_set points = points_of(&m->plan, m->work->options->key, set, draw, row);
        bool empty = is_void(m, set, &points);
        for (int f = 0; status == NND_OK && !empty && f < FAMILY_COUNT; f++)
            if (takes_part(m, set, FAMILIES[f]))
                status = FAMILIES[f]->compare(ctx, m->work, &points, &m->values[set]);
    }
    free(row[0]);
    free(row[1]);
    free(draw);
#pragma omp atomic capture
    done = ++m->done;
    nnd_progress(ctx, "sets of points", (double)done, count_sets(&m->plan));
    return status;
}

/* ---- what follows ---- */

static double entry(const nnd_similarity_values *v, int measure, bool debiased) {
    return debiased ? v->debiased[measure] : v->value[measure];
}

/* Groups of unequal size m_g, h_g = n/m_g: pseudo-values h_g T - (h_g - 1) T_(g), and their spread
 * (similarity.md#eq10). */
static nnd_estimate jackknife(const measuring *m, int measure, bool debiased) {
    const nnd_similarity_values *set = m->values + first_group(&m->plan);
    double all = entry(m->values, measure, debiased), groups = (double)m->plan.groups;
    double value = groups * all, sum2 = 0.0;
    for (size_t g = 0; g < m->plan.groups; g++) {
        double left_out = (double)group_size(&m->plan, g) / (double)m->plan.n;
        value -= (1.0 - left_out) * entry(&set[g], measure, debiased);
    }
    for (size_t g = 0; g < m->plan.groups; g++) {
        double h = (double)m->plan.n / (double)group_size(&m->plan, g);
        double off = h * all - (h - 1.0) * entry(&set[g], measure, debiased) - value;
        sum2 += off * off / (h - 1.0);
    }
    return m->plan.groups > 1 ? (nnd_estimate){value, sqrt(sum2 / groups)}
                              : (nnd_estimate){NAN, NAN};
}

/* Halves have no point in common: their difference has twice the variance of a half, and that of
 * all points is half/n of it (similarity.md#eq11). */
static double error_from_halves(const measuring *m, int measure, bool debiased) {
    const nnd_similarity_values *set = m->values + first_half(&m->plan);
    double sum2 = 0.0, share = (double)(m->plan.n / 2) / (double)m->plan.n;
    for (size_t s = 0; s < m->plan.splits; s++) {
        double off =
            entry(&set[2 * s], measure, debiased) - entry(&set[2 * s + 1], measure, debiased);
        sum2 += 0.5 * share * off * off;
    }
    return m->plan.splits > 0 ? sqrt(sum2 / (double)m->plan.splits) : NAN;
}

/* Orders that exchange equal points, or points of equal labels, are tied with the one at hand; in
 * another order the sum of a million terms of order 1 is off by a million roundings. */
static const double TIED = 1e6 * DBL_EPSILON;

static void put_null(const measuring *m, int measure, nnd_similarity *s) {
    bool small = measure == NND_SIMILARITY_IMBALANCE_AB || measure == NND_SIMILARITY_IMBALANCE_BA;
    double count = (double)m->plan.permutations, alike = 1.0;
    const nnd_similarity_values *set = m->values + 1;
    if (m->plan.permutations == 0)
        return;
    nnd_estimate mean =
        nnd_mean(m->plan.permutations, &set->value[measure], sizeof *set / sizeof(double));
    for (size_t i = 0; i < m->plan.permutations; i++)
        alike += small ? set[i].value[measure] <= s->value + TIED
                       : set[i].value[measure] >= s->value - TIED;
    s->null = mean.value;
    s->null_sd = mean.se * sqrt(count);
    s->p_value = alike / (count + 1.0);
}

static nnd_similarity conclude(const measuring *m, int measure) {
    nnd_similarity s = {.value = m->values->value[measure],
                        .debiased = m->values->debiased[measure],
                        .value_se = NAN,
                        .debiased_se = NAN,
                        .null = NAN,
                        .null_sd = NAN,
                        .p_value = NAN};
    if (MEASURES[measure].scheme == HALVES) {
        s.value_se = error_from_halves(m, measure, false);
        s.debiased_se = error_from_halves(m, measure, true);
    } else {
        const nnd_estimate plain = jackknife(m, measure, false);
        s.value_se = plain.se;
        s.debiased_se = MEASURES[measure].own ? jackknife(m, measure, true).se : plain.se;
        s.debiased = MEASURES[measure].own ? s.debiased : plain.value;
    }
    if (!isnan(s.value))
        put_null(m, measure, &s);
    return s;
}

/* ---- memory ---- */

static double fixed_bytes(const nnd_similarity_work *work) {
    const nnd_similarity_options *o = work->options;
    double n = (double)work->given->n, numbers = 0.0;
    bool canonical = is_wanted(o, &nnd_similarity_canonical);
    bool columns = canonical || is_wanted(o, &nnd_similarity_linear);
    bool distances = is_wanted(o, &nnd_similarity_rsa) || is_wanted(o, &nnd_similarity_neighbours);
    for (int b = 0; b < 2; b++) {
        double given = (double)work->given->width[b], width = (double)work->width[b];
        numbers += n * given + (columns ? n * width + (given > n ? n * given : 0.0) : 0.0);
        numbers += canonical ? n * width : 0.0;
        numbers += distances ? n * n + n * given : 0.0;
    }
    numbers += o->wanted[NND_SIMILARITY_RSA_SPEARMAN] ? n * n : 0.0; /* ranks of 4 bytes */
    return sizeof(double) * numbers;
}

/* While ranks are made, there are two lists of all pairs: one sorted, one that qsort takes. */
static double bytes_of_sorting(const nnd_similarity_work *work) {
    double n = (double)work->given->n;
    return work->options->wanted[NND_SIMILARITY_RSA_SPEARMAN] ? 16.0 * n * n : 0.0;
}

static double bytes_of_a_set(const nnd_similarity_work *work) {
    double most = 0.0;
    for (int f = 0; f < FAMILY_COUNT; f++)
        if (is_wanted(work->options, FAMILIES[f]))
            most = fmax(most, FAMILIES[f]->bytes(work));
    return most + 3.0 * sizeof(double) * (double)work->given->n;
}

static nnd_similarity_work work_on(const nnd_representations *r, const nnd_similarity_options *o) {
    nnd_similarity_work work = {.given = r, .options = o};
    for (int b = 0; b < 2; b++)
        work.width[b] = r->width[b] < r->n ? r->width[b] : r->n;
    return work;
}

double nnd_similarity_bytes(const nnd_representations *r, const nnd_similarity_options *options,
                            int workers) {
    const nnd_similarity_work work = work_on(r, options);
    const plan p = plan_for(r, options);
    return fixed_bytes(&work) + fmax(bytes_of_sorting(&work), workers * bytes_of_a_set(&work)) +
           (double)count_sets(&p) * (double)sizeof(nnd_similarity_values);
}

/* ---- all of it ---- */

static void clear(nnd_similarity_work *work) {
    for (int b = 0; b < 2; b++) {
        free(work->column[b]);
        free(work->basis[b].u);
        free(work->distance[b]);
        free(work->rank[b]);
    }
}

/* 2^-e for entries up to 2^e, as far as such a factor is a number. */
static double scale_of(size_t count, const double *x) {
    double largest = 0.0;
    int exponent;
    for (size_t k = 0; k < count; k++)
        largest = fmax(largest, fabs(x[k]));
    frexp(largest, &exponent);
    return ldexp(1.0, exponent > 1000 ? -1000 : exponent < -1000 ? 1000 : -exponent);
}

static nnd_status measure(nnd_context *ctx, measuring *m, nnd_similarity_work *work) {
    nnd_status status = NND_OK;
    for (int b = 0; b < 2; b++)
        work->scale[b] = scale_of(work->given->n * work->given->width[b], work->given->x[b]);
    size_t sets = count_sets(&m->plan);
    for (int f = 0; status == NND_OK && f < FAMILY_COUNT; f++)
        if (is_wanted(work->options, FAMILIES[f]) && FAMILIES[f]->make != NULL)
            status = FAMILIES[f]->make(ctx, work);
    if (status == NND_OK)
        status = nnd_parallel(ctx, nnd_context_concurrency(ctx, sets, bytes_of_a_set(work)), sets,
                              compare_set, m);
    return status;
}

nnd_status nnd_similarity_measure_all(nnd_context *ctx, const nnd_representations *r,
                                      const nnd_similarity_options *options,
                                      nnd_similarity result[NND_SIMILARITIES]) {
    nnd_status status = check(ctx, r, options);
    if (status == NND_OK)
        status = nnd_check_memory(ctx, nnd_similarity_bytes(r, options, 1), "similarity");
    if (status != NND_OK)
        return status;
    nnd_similarity_work work = work_on(r, options);
    measuring m = {.work = &work, .plan = plan_for(r, options)};
    m.values = malloc(count_sets(&m.plan) * sizeof *m.values);
    status = m.values != NULL ? measure(ctx, &m, &work) : nnd_fail_memory(ctx, "similarity");
    for (int k = 0; status == NND_OK && k < NND_SIMILARITIES; k++)
        result[k] = conclude(&m, k);
    clear(&work);
    free(m.values);
    return status;
}
