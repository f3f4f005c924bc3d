/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is found about a matrix, as a frame. Names and meanings are those of spectrum.md. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/hand_over.h"
#include "spectrum.h"

/* Boxes of a histogram over a bulk, singular values in one of them at least, if there are enough of
 * them, and how many bulks it extends to at most. */
enum { MOST_BOXES = 40, LEAST_BOXES = 8, PER_BOX = 5, MOST_BULKS = 4 };

/* ---- numbers of a checkpoint ---- */

typedef double (*number_of)(const cli_checkpoint *c);

#define NUMBER(name, expression)                                                                   \
    static double name(const cli_checkpoint *c) {                                                  \
        return (double)(expression);                                                               \
    }
NUMBER(mean, c->spectrum.mean)
NUMBER(entry_sd, c->spectrum.entry_sd)
NUMBER(bulk_sigma, c->spectrum.bulk.entry_sd.value)
NUMBER(bulk_sigma_se, c->spectrum.bulk.entry_sd.se)
NUMBER(bulk_lower, c->spectrum.bulk.lower)
NUMBER(bulk_upper, c->spectrum.bulk.upper)
NUMBER(lower_mean, c->spectrum.bulk.lower_mean)
NUMBER(lower_sd, c->spectrum.bulk.lower_sd)
NUMBER(upper_mean, c->spectrum.bulk.upper_mean)
NUMBER(upper_sd, c->spectrum.bulk.upper_sd)
NUMBER(edge, c->spectrum.bulk.edge)
NUMBER(ks_distance, c->spectrum.bulk.ks)
NUMBER(ks_p_value, c->spectrum.bulk.ks_p)
NUMBER(outlier_count, isnan(c->spectrum.bulk.entry_sd.value) ? NAN : (double)c->spectrum.outliers)
NUMBER(stable_rank, c->spectrum.stable_rank)
NUMBER(soft_rank, c->spectrum.soft_rank)
NUMBER(tail_exponent, c->spectrum.tail.exponent.value)
NUMBER(tail_exponent_se, c->spectrum.tail.exponent.se)
NUMBER(tail_from, c->spectrum.tail.from)
NUMBER(tail_p_value, c->spectrum.tail.p)
NUMBER(init_ks, c->spectrum.init_ks)
NUMBER(init_p_value, c->spectrum.init_ks_p)
NUMBER(edge_shift, c->change.edge_shift.value)
NUMBER(edge_shift_se, c->change.edge_shift.se)
NUMBER(bulk_shift, c->change.bulk_shift.value)
NUMBER(bulk_shift_se, c->change.bulk_shift.se)
#undef NUMBER

static const struct {
    const char *name;
    number_of of;
    const char *long_name, *equation;
    bool change;
} NUMBERS[] = {
    {"mean", mean, "mean of the entries", NULL, false},
    {"entry_sd", entry_sd, "standard deviation of the entries", NULL, false},
    {"bulk_sigma", bulk_sigma, "standard deviation of the entries of the bulk", "spectrum.md#s3",
     false},
    {"bulk_sigma_se", bulk_sigma_se, "standard error of bulk_sigma", "spectrum.md#eq7", false},
    {"bulk_lower", bulk_lower, "lower end of the bulk", "spectrum.md#eq1", false},
    {"bulk_upper", bulk_upper, "upper end of the bulk", "spectrum.md#eq1", false},
    {"lower_mean", lower_mean, "mean of the smallest singular value of the bulk", "spectrum.md#eq5",
     false},
    {"lower_sd", lower_sd, "its standard deviation", "spectrum.md#eq5", false},
    {"upper_mean", upper_mean, "mean of the largest singular value of the bulk", "spectrum.md#eq5",
     false},
    {"upper_sd", upper_sd, "its standard deviation", "spectrum.md#eq5", false},
    {"edge", edge, "largest singular value that is no outlier", "spectrum.md#s4", false},
    {"ks_distance", ks_distance, "distance of the bulk from its law", "spectrum.md#s3", false},
    {"ks_p_value", ks_p_value, "share of Gaussian matrices no closer to the law", "spectrum.md#s3",
     false},
    {"outliers", outlier_count, "number of outliers", "spectrum.md#s4", false},
    {"stable_rank", stable_rank, "stable rank", "spectrum.md#s4", false},
    {"soft_rank", soft_rank, "soft rank", "spectrum.md#s4", false},
    {"tail_exponent", tail_exponent, "exponent of a power law of squared singular values",
     "spectrum.md#eq9", false},
    {"tail_exponent_se", tail_exponent_se, "standard error of tail_exponent", "spectrum.md#eq9",
     false},
    {"tail_from", tail_from, "singular value from which on it holds best", "spectrum.md#s5", false},
    {"tail_p_value", tail_p_value, "share of samples of that law further from theirs",
     "spectrum.md#s5", false},
    {"init_ks", init_ks, "distance from the law at initialisation", "spectrum.md#s3", false},
    {"init_p_value", init_p_value, "share of matrices at initialisation no closer to it",
     "spectrum.md#s3", false},
    {"edge_shift", edge_shift, "how far the edge has moved", "spectrum.md#s4", true},
    {"edge_shift_se", edge_shift_se, "standard error of edge_shift", "spectrum.md#s4", true},
    {"bulk_shift", bulk_shift, "how far bulk_sigma has moved", "spectrum.md#s3", true},
    {"bulk_shift_se", bulk_shift_se, "standard error of bulk_shift", "spectrum.md#s3", true},
};

/* ---- the frame ---- */

typedef struct {
    nnd_frame *frame;
    const cli_series *series;
    bool steps;
    size_t count, outliers, before, boxes;
    double width; /* of a box */
} builder;

/* Adds an array over the steps, if there are any, and over `dims`. */
static nnd_status add(const builder *b, const char *name, const char *dims, const char *long_name,
                      const char *equation, double **data) {
    char all[64];
    snprintf(all, sizeof all, "%s%s%s", b->steps ? "step" : "",
             b->steps && dims[0] != '\0' ? "," : "", dims);
    nnd_status status = nnd_frame_add(b->frame, name, all, data);
    if (status == NND_OK)
        status = nnd_frame_set_text(b->frame, name, "long_name", long_name);
    if (status == NND_OK && equation != NULL)
        status = nnd_frame_set_text(b->frame, name, "equation", equation);
    return status;
}

static nnd_status add_numbers(const builder *b) {
    bool any = false;
    nnd_status status = NND_OK;
    for (size_t i = 0; i < b->series->count; i++)
        any = any || b->series->at[i].compared;
    for (size_t n = 0; status == NND_OK && n < sizeof NUMBERS / sizeof *NUMBERS; n++) {
        double *x = NULL;
        if (NUMBERS[n].change && !any)
            continue;
        status = add(b, NUMBERS[n].name, "", NUMBERS[n].long_name, NUMBERS[n].equation, &x);
        for (size_t i = 0; status == NND_OK && i < b->series->count; i++) {
            const cli_checkpoint *c = &b->series->at[i];
            if (!c->zero && (!NUMBERS[n].change || c->compared))
                x[i] = NUMBERS[n].of(c);
        }
    }
    return status;
}

/* How many numbers of each checkpoint a list of each holds: the longest. */
static size_t most(const cli_series *series, size_t (*of)(const cli_checkpoint *c)) {
    size_t n = 0;
    for (size_t i = 0; i < series->count; i++)
        n = of(&series->at[i]) > n ? of(&series->at[i]) : n;
    return n;
}

static size_t known(const cli_checkpoint *c) {
    return c->spectrum.known;
}

static size_t vectors(const cli_checkpoint *c) {
    return c->compared ? c->change.after : 0;
}

static size_t vectors_before(const cli_checkpoint *c) {
    return c->compared ? c->change.before : 0;
}

static nnd_status add_lists(const builder *b) {
    double *singular = NULL, *p = NULL;
    nnd_status status = add(b, "singular", "k", "singular value", NULL, &singular);
    if (status == NND_OK)
        status = add(b, "p_value", "k", "probability that the bulk has so large a one",
                     "spectrum.md#eq8", &p);
    for (size_t i = 0; status == NND_OK && i < b->series->count; i++) {
        const nnd_spectrum *s = &b->series->at[i].spectrum;
        for (size_t k = 0; k < s->known; k++)
            singular[i * b->count + k] = s->singular[k];
        for (size_t k = 0; k < s->tested; k++)
            p[i * b->count + k] = s->p_value[k];
    }
    return status;
}

static nnd_status add_overlaps(const builder *b) {
    static const char *const names[] = {"left_overlap", "right_overlap"};
    nnd_status status = NND_OK;
    if (b->outliers == 0 || b->before == 0)
        return NND_OK;
    for (size_t side = 0; status == NND_OK && side < 2; side++) {
        double *x = NULL;
        status =
            add(b, names[side], "outlier,before",
                "squared cosine with singular vectors of outliers before", "spectrum.md#s4", &x);
        for (size_t i = 0; status == NND_OK && i < b->series->count; i++) {
            const cli_checkpoint *c = &b->series->at[i];
            const double *from = side == 0 ? c->change.left_overlap : c->change.right_overlap;
            for (size_t j = 0; j < vectors(c); j++)
                for (size_t k = 0; k < vectors_before(c); k++)
                    x[(i * b->outliers + j) * b->before + k] = from[j * c->change.before + k];
        }
    }
    return status;
}

/* Boxes reach beyond the bulk and to the largest singular value, but not further than a few bulks.
 */
static void choose_boxes(builder *b) {
    double bulk = 0.0, largest = 0.0;
    for (size_t i = 0; i < b->series->count; i++) {
        const nnd_spectrum *s = &b->series->at[i].spectrum;
        bulk = fmax(bulk, b->series->at[i].zero ? 0.0 : s->bulk.upper);
        largest = fmax(largest, b->series->at[i].zero ? 0.0 : s->singular[0]);
    }
    double per_bulk = fmin(fmax((double)b->count / PER_BOX, LEAST_BOXES), MOST_BOXES);
    b->width = bulk / per_bulk;
    if (bulk > 0.0)
        b->boxes = (size_t)(fmin(fmax(largest / bulk, 1.0), MOST_BULKS) * per_bulk) + 2;
}

static nnd_status add_centres(nnd_frame *frame, size_t boxes, double width) {
    double *s = calloc(boxes, sizeof *s);
    if (s == NULL)
        return nnd_fail_memory(nnd_frame_context(frame), "a histogram");
    for (size_t i = 0; i < boxes; i++)
        s[i] = ((double)i + 0.5) * width;
    nnd_status status = nnd_frame_add_dim(frame, "s", NND_COORD_REAL, boxes, s);
    free(s);
    return status;
}

static void fill_law(const nnd_spectrum *spectrum, size_t boxes, double width, double *law) {
    for (size_t i = 0; i < boxes; i++)
        law[i] = nnd_spectrum_bulk_density(spectrum, ((double)i + 0.5) * width);
}

static nnd_status add_densities(builder *b) {
    double *histogram = NULL, *law = NULL;
    choose_boxes(b);
    if (b->boxes == 0)
        return NND_OK;
    nnd_status status = add_centres(b->frame, b->boxes, b->width);
    if (status == NND_OK)
        status = add(b, "histogram_sv", "s", "singular values, boxes", NULL, &histogram);
    if (status == NND_OK)
        status = add(b, "density_sv", "s", "density of the fitted bulk", "spectrum.md#eq1", &law);
    for (size_t i = 0; status == NND_OK && i < b->series->count; i++) {
        const cli_checkpoint *c = &b->series->at[i];
        if (c->zero)
            continue;
        nnd_spectrum_histogram(&c->spectrum, b->boxes, 0.0, (double)b->boxes * b->width,
                               histogram + i * b->boxes);
        fill_law(&c->spectrum, b->boxes, b->width, law + i * b->boxes);
    }
    return status;
}

static nnd_status add_dims(builder *b) {
    nnd_status status = NND_OK;
    if (b->steps) {
        double *step = calloc(b->series->count, sizeof *step);
        if (step == NULL)
            return nnd_fail_memory(nnd_frame_context(b->frame), "the steps");
        for (size_t i = 0; i < b->series->count; i++)
            step[i] = b->series->at[i].step;
        status = nnd_frame_add_dim(b->frame, "step", NND_COORD_REAL, b->series->count, step);
        free(step);
    }
    if (status == NND_OK)
        status = nnd_frame_add_range(b->frame, "k", b->count, 1.0);
    if (status == NND_OK && b->outliers > 0 && b->before > 0)
        status = nnd_frame_add_range(b->frame, "outlier", b->outliers, 1.0);
    if (status == NND_OK && b->outliers > 0 && b->before > 0)
        status = nnd_frame_add_range(b->frame, "before", b->before, 1.0);
    return status;
}

static nnd_status describe(const builder *b) {
    const nnd_matrix_info *info = b->series->info;
    nnd_status status = nnd_frame_set_text(b->frame, NULL, "matrix", info->name);
    if (status == NND_OK)
        status = nnd_frame_set_text(b->frame, NULL, "shape", info->shape);
    if (status == NND_OK)
        status = nnd_frame_set_number(b->frame, NULL, "rows", (double)info->rows);
    if (status == NND_OK)
        status = nnd_frame_set_number(b->frame, NULL, "cols", (double)info->cols);
    return status;
}

nnd_status cli_spectrum_frame(nnd_context *ctx, const cli_spectra *spectra,
                              const cli_series *series, nnd_frame **frame) {
    builder b = {.series = series, .steps = spectra->steps};
    b.count = most(series, known);
    b.count = b.count > 0 ? b.count : 1; /* 0 throughout */
    b.outliers = most(series, vectors);
    b.before = most(series, vectors_before);
    nnd_status status = nnd_frame_new(ctx, &b.frame);
    if (status == NND_OK)
        status = describe(&b);
    if (status == NND_OK)
        status = add_dims(&b);
    if (status == NND_OK)
        status = add_numbers(&b);
    if (status == NND_OK)
        status = add_lists(&b);
    if (status == NND_OK)
        status = add_overlaps(&b);
    if (status == NND_OK)
        status = add_densities(&b);
    nnd_hand_over(status == NND_OK, b.frame, frame);
    return status;
}
