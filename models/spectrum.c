/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/spectrum.h"

#include <math.h>
#include <stdlib.h>

#include "core/rows.h"
#include "models/resolvent_points.h"

#define FIELD(type, name) NND_FIELD(type, nnd_spectrum_params, name)
#define SCALE             NND_BETWEEN(1e-50, 1e50)

static const char *const KINDS[] = {"mp", "spiked", "matrix", NULL};
static const char *const METHODS[] = {"exact", "kpm", "slq", NULL};

static const nnd_param PARAMS[] = {
    {"kind", FIELD(CHOICE, kind), "mp", NND_ANY,
     "mp: independent entries; spiked: and rank-one pieces; matrix: one that is given",
     .choices = KINDS},
    {"ratio", FIELD(REAL, ratio), "null", NND_BETWEEN(1e-6, 1e6),
     "d, columns over rows (default 1)", .symbol = "d", .long_name = "columns over rows"},
    {"sigma2", FIELD(REAL, sigma2), "null", SCALE,
     "rows times the variance of entries (default 1); of a matrix at its start, if known",
     .symbol = "σ²"},
    {"spikes", FIELD(REALS, spikes), "null", NND_BETWEEN(0, 1e50),
     "spiked: singular values of the rank-one pieces, descending"},
    {"z", FIELD(REALS, z), "null", NND_BETWEEN(0, 1e50),
     "ascending eigenvalues at which densities are given (100 up to the upper edge)"},
    {"points", FIELD(DENSE, points), "null", NND_ANY,
     "points [re, im] of the Stieltjes transform (-1, 1+1i, 2+1i)"},
    {"width", FIELD(INTEGER, width), "400", NND_BETWEEN(1, 1e6),
     "rows of simulated matrices, and of those whose largest eigenvalue is predicted",
     .symbol = "N", .long_name = "rows"},
    {"file", FIELD(TEXT, file), "null", NND_ANY, "matrix: the file that it stands in"},
    {"dataset", FIELD(DENSE, dataset), "null", NND_ANY,
     "matrix: its name in the file, or its rows"},
    {"method", FIELD(CHOICE, method), "exact", NND_ANY,
     "matrix: all singular values, or estimates by kernel polynomials or Lanczos quadrature",
     .choices = METHODS},
    {"moments", FIELD(INTEGER, moments), "400", NND_BETWEEN(4, 1e6),
     "kpm: moments; slq: twice the steps"},
    {"vectors", FIELD(INTEGER, vectors), "16", NND_BETWEEN(2, 1e5), "kpm, slq: random vectors"},
    {"level",
     FIELD(REAL, level),
     "0.005",
     {.min = 0.0, .max = 1.0, .min_open = true, .max_open = true},
     "matrix: what is an outlier has at most this p-value"},
    {"draws", FIELD(INTEGER, draws), "99", NND_BETWEEN(0, 1e5),
     "matrix: random matrices behind the p-values of distances"},
};

static const nnd_guide MARKS[] = {
    {"outlier_sv", "outlier", NND_GUIDE_ARROW},
    {"bulk_upper", "edge of the bulk", NND_GUIDE_PLACE, .dash = 3, .along = "s"},
    {NULL}};

static const nnd_variable VARIABLES[] = {
    {"density_sv", "[matrix],s", "density of singular values", "spectrum.md#eq1: 2 s rho(s^2)",
     "spectrum", .check = NND_UNCHECKED, .lead = true,
     .drawing = {.x = "s", .facet = "matrix", .histogram = true, .guides = MARKS},
     .symbol = "ρ(s)"},
    {"density", "z", "density of eigenvalues", "spectrum.md#eq1: rho(z)", "density",
     .check = NND_UNCHECKED, .unbounded = true, .drawing = {.x = "z"}, .symbol = "ρ(z)"},
    {"cdf", "z", "share of eigenvalues up to z", "spectrum.md#eq2: F", "cdf", .drawing = {.x = "z"},
     .symbol = "F"},
    {"stieltjes_re", "point", "Stieltjes transform, real part", "spectrum.md#eq3: Re m, with (12)",
     "stieltjes", .symbol = "Re m"},
    {"stieltjes_im", "point", "Stieltjes transform, imaginary part",
     "spectrum.md#eq3: Im m, with (12)", "stieltjes", .symbol = "Im m"},
    {"edges", "edge", "edges of the bulk", "spectrum.md#eq1: z_-, z_+", "edges",
     .check = NND_UNCHECKED},
    {"edge_kappa", "edge", "strength of the density at an edge",
     "spectrum.md#s1: rho = kappa sqrt(distance)/pi", NULL, .check = NND_UNCHECKED, .symbol = "κ"},
    {"outlier", "spike", "eigenvalue that a spike sends out", "spectrum.md#eq11: z", "outliers",
     .nullable = true, .drawing = {.rank = "spike"}},
    {"outlier_sv", "spike", "singular value", "spectrum.md#eq11: sqrt(z), of a spike", "spectrum",
     .check = NND_UNCHECKED, .nullable = true, .drawing = {.rank = "spike"}},
    {"outlier_overlap", "spike", "squared overlap of its vector with the spike", "spectrum.md#eq11",
     "overlaps", .nullable = true},
    {"top_mean", "", "mean of the largest eigenvalue", "spectrum.md#eq5", "top", .nullable = true},
    {"top_sd", "", "standard deviation of the largest eigenvalue", "spectrum.md#eq5", NULL,
     .check = NND_UNCHECKED, .nullable = true},
    {"singular", "k", "singular values", "spectrum.md#s3: s", "list", .check = NND_UNCHECKED,
     .drawing = {.x = "k"}},
    {"histogram_sv", "s", "singular values of the matrix, boxes", "spectrum.md#s3", "spectrum",
     .check = NND_UNCHECKED},
    {"bulk_sigma", "", "standard deviation of the entries of the bulk",
     "spectrum.md#s3: by the median", NULL, .check = NND_UNCHECKED, .nullable = true},
    {"bulk_lower", "", "lower end of the bulk", "spectrum.md#s3", NULL, .check = NND_UNCHECKED,
     .nullable = true},
    {"bulk_upper", "", "upper end of the bulk", "spectrum.md#s3", NULL, .check = NND_UNCHECKED,
     .nullable = true},
    {"upper_sd", "", "standard deviation of the largest singular value of the bulk",
     "spectrum.md#eq5", NULL, .check = NND_UNCHECKED, .nullable = true},
    {"ks_distance", "", "distance of the bulk from the law", "spectrum.md#s3: ks", NULL,
     .check = NND_UNCHECKED, .nullable = true},
    {"ks_p_value", "", "p-value of the distance", "spectrum.md#s3", NULL, .check = NND_UNCHECKED,
     .nullable = true},
    {"outliers", "", "number of outliers", "spectrum.md#s4", NULL, .check = NND_UNCHECKED},
    {"p_value", "k", "p-value of being of the bulk", "spectrum.md#eq8: p", NULL,
     .check = NND_UNCHECKED, .nullable = true},
    {"stable_rank", "", "stable rank", "spectrum.md#s4", NULL, .check = NND_UNCHECKED},
    {"soft_rank", "", "soft rank", "spectrum.md#s4", NULL, .check = NND_UNCHECKED,
     .nullable = true},
    {"tail_exponent", "", "exponent of a power law of the largest eigenvalues", "spectrum.md#eq9",
     NULL, .check = NND_UNCHECKED, .nullable = true, .symbol = "α"},
    {"tail_p_value", "", "p-value of the power law", "spectrum.md#s5", NULL, .check = NND_UNCHECKED,
     .nullable = true},
    {"init_ks", "", "distance from the law at the start", "spectrum.md#s3", NULL,
     .check = NND_UNCHECKED, .nullable = true},
    {"init_p_value", "", "p-value of that distance", "spectrum.md#s3", NULL, .check = NND_UNCHECKED,
     .nullable = true},
};

/* ---- what ranges cannot say ---- */

static bool is_sorted(const nnd_reals *list, double sign) {
    for (size_t i = 1; i < list->count; i++)
        if (!(sign * list->value[i] > sign * list->value[i - 1]))
            return false;
    return true;
}

static bool check_law(nnd_spectrum_params *p, nnd_objection *o) {
    if (p->file != NULL || p->dataset.rows > 0 || p->dataset.name != NULL)
        return nnd_object(o, p->file != NULL ? "file" : "dataset", "belongs to kind: matrix");
    if (p->method != 0)
        return nnd_object(o, "method", "%s belongs to kind: matrix", METHODS[p->method]);
    if (p->kind == NND_LAW_MP && p->spikes.count > 0)
        return nnd_object(o, "spikes", "belong to kind: spiked");
    if (p->kind == NND_LAW_SPIKED && p->spikes.count == 0)
        return nnd_object(o, "spikes", "missing; allowed: numbers >= 0, descending");
    if (!is_sorted(&p->spikes, -1.0))
        return nnd_object(o, "spikes", "allowed: each less than the one before");
    if (isnan(p->ratio))
        p->ratio = 1.0;
    if (isnan(p->sigma2))
        p->sigma2 = 1.0;
    if ((double)p->spikes.count > fmin(1.0, p->ratio) * (double)p->width)
        return nnd_object(o, "spikes", "%zu of matrices of rank %g", p->spikes.count,
                          fmin(1.0, p->ratio) * (double)p->width);
    return true;
}

static bool check_given(const nnd_spectrum_params *p, nnd_objection *o) {
    if (p->dataset.rows == 0)
        return nnd_object(o, "dataset", "missing; allowed: rows of numbers, or a name in `file`");
    if (p->spikes.count > 0)
        return nnd_object(o, "spikes", "belong to kind: spiked");
    return isnan(p->ratio) || nnd_object(o, "ratio", "%g belongs to kind: mp and spiked", p->ratio);
}

static bool check(void *params, nnd_objection *o) {
    nnd_spectrum_params *p = params;
    if (!is_sorted(&p->z, 1.0))
        return nnd_object(o, "z", "allowed: each above the one before");
    if (!nnd_points_check(&p->points, o))
        return false;
    return p->kind == NND_LAW_MATRIX ? check_given(p, o) : check_law(p, o);
}

/* ---- the file of a matrix ---- */

static const char *file_of(const void *params) {
    const nnd_spectrum_params *p = params;
    return p->kind == NND_LAW_MATRIX && p->dataset.name != NULL ? p->file : NULL;
}

/* As the inputs of a data set are taken. */
static nnd_status load(nnd_context *ctx, void *params, const char *path, const nnd_frame *arrays) {
    nnd_spectrum_params *p = params;
    nnd_data data = {.inputs = p->dataset, .file = p->file};
    nnd_status status = nnd_data_load(ctx, &data, path, arrays);
    p->dataset = data.inputs;
    free(data.checksum);
    return status;
}

const nnd_model nnd_spectrum_model = {
    .name = "spectrum",
    .summary = "singular values of random matrices, with spikes, and of a given matrix",
    .page = "spectrum",
    .params = NND_TABLE_OF(PARAMS, nnd_spectrum_params),
    NND_VARIABLES(VARIABLES),
    .check = check,
    .file = file_of,
    .load = load,
};

/* ---- where spectra are given ---- */

nnd_status nnd_spectrum_grid(nnd_context *ctx, const nnd_spectrum_params *p, nnd_reals *z) {
    enum { BINS = 100 };
    double end = 1.02 * sqrt(p->sigma2) * (1.0 + sqrt(p->ratio));
    *z = (nnd_reals){p->z.count > 0 ? p->z.count : BINS, NULL};
    z->value = calloc(z->count, sizeof(double));
    if (z->value == NULL)
        return nnd_fail_memory(ctx, "the grid of a density");
    for (size_t i = 0; i < z->count; i++) {
        double s = end * ((double)i + 0.5) / BINS;
        z->value[i] = p->z.count > 0 ? p->z.value[i] : s * s;
    }
    return NND_OK;
}

nnd_status nnd_spectrum_add_grid(const nnd_reals *z, nnd_frame *frame) {
    return nnd_eigenvalues_add(z, frame);
}

size_t nnd_spectrum_columns(const nnd_spectrum_params *p) {
    return (size_t)fmax(1.0, round(p->ratio * (double)p->width));
}

size_t nnd_spectrum_points(const nnd_spectrum_params *p) {
    return nnd_points_count(&p->points);
}

void nnd_spectrum_point(const nnd_spectrum_params *p, size_t i, double *re, double *im) {
    nnd_points_at(&p->points, i, re, im);
}

nnd_status nnd_spectrum_add_dims(const nnd_spectrum_params *p, nnd_frame *frame) {
    nnd_status status = nnd_points_add(&p->points, frame);
    return status == NND_OK && p->spikes.count > 0
               ? nnd_frame_add_range(frame, "spike", p->spikes.count, 1.0)
               : status;
}
