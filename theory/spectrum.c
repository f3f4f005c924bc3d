/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/spectrum.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/companion.h"
#include "core/hand_over.h"
#include "nndmft/solvers/marchenko_pastur.h"
#include "nndmft/solvers/spectrum.h"
#include "nndmft/solvers/tracy_widom.h"
#include "solvers/cmplx.h"
#include "theory/claims.h"
#include "theory/models.h"

static const nnd_model *const MODEL = &nnd_spectrum_model;

/* ---- independent entries ---- */

/* (11); NaN if it is absorbed. */
static void spike(const nnd_spectrum_params *p, double theta, double *z, double *overlap) {
    double t2 = theta * theta, d = p->ratio, sigma2 = p->sigma2;
    bool out = t2 * t2 > sigma2 * sigma2 * d;
    *z = out ? (sigma2 + t2) * (sigma2 * d + t2) / t2 : NAN;
    *overlap = out ? (1.0 - sigma2 * sigma2 * d / (t2 * t2)) / (1.0 + sigma2 * d / t2) : NAN;
}

/* (3): of the two roots 2/q and q/(2 sigma2 d z), where q is the larger one of
 * -b -+ sqrt(b^2 - 4 sigma2 d z), b = z - sigma2 (1 - d), that in the upper half plane; at z < 0
 * the positive one. */
static double complex stieltjes(const nnd_spectrum_params *p, double complex z) {
    double d = p->ratio, sigma2 = p->sigma2;
    double complex b = z - sigma2 * (1.0 - d), root = csqrt(b * b - 4.0 * sigma2 * d * z);
    double complex q = cabs(b + root) > cabs(b - root) ? -b - root : -b + root;
    double complex one = 2.0 / q, other = q / (2.0 * sigma2 * d * z);
    if (cimag(z) == 0.0) /* the roots have the product 1/(sigma2 d z) < 0 */
        return creal(one) > 0.0 ? creal(one) : creal(other);
    return cimag(one) > cimag(other) ? one : other;
}

/* Of matrices of the width: what (12) makes of the share of eigenvalues up to z, F - sum arg/(pi D)
 * of 1 - theta^2 z m m_N just above z; pi between the bulk and an outlier. Left out are up to a
 * quarter of an eigenvalue in the mean (spectrum.md#eq6), and the next order in spikes, as a
 * square. */
static double share(const nnd_spectrum_params *p, double at, double *error) {
    const double above = 1e-13;
    double count = (double)nnd_spectrum_columns(p), d = p->ratio, moved = 0.0;
    double complex z = at * CMPLX(1.0, above), m = at > 0.0 ? stieltjes(p, z) : 0.0;
    double complex f = at > 0.0 ? z * m * (d * m - (1.0 - d) / z) : 0.0;
    for (size_t i = 0; i < p->spikes.count; i++)
        moved += fabs(carg(1.0 - p->spikes.value[i] * p->spikes.value[i] * f)) / (M_PI * count);
    *error = 0.25 / count + moved * moved;
    /* Next to the lower edge the bulk has moved by more than it has there. */
    return fmax(0.0, nnd_mp_cdf(d, p->sigma2, at) - moved);
}

static nnd_status add_density(nnd_frame *frame, const nnd_spectrum_params *p) {
    nnd_reals z = {0, NULL};
    double *density = NULL, *of_root = NULL, *cdf = NULL, *error = NULL;
    nnd_status status = nnd_spectrum_grid(nnd_frame_context(frame), p, &z);
    if (status == NND_OK)
        status = nnd_spectrum_add_grid(&z, frame);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "density", &density);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "density_sv", &of_root);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "cdf", &cdf);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "cdf" NND_SE, &error);
    for (size_t i = 0; status == NND_OK && i < z.count; i++) {
        double at = z.value[i];
        density[i] = nnd_mp_density(p->ratio, p->sigma2, at);
        /* At the hard edge 2 s/(pi sigma2 s) ... sqrt(z_+), its limit. */
        of_root[i] = at > 0.0          ? 2.0 * sqrt(at) * density[i]
                     : p->ratio == 1.0 ? 2.0 / (M_PI * sqrt(p->sigma2))
                                       : 0.0;
        cdf[i] = share(p, at, &error[i]);
    }
    free(z.value);
    return status;
}

/* (12): what spikes change of m in matrices of the width, to leading order. */
static double complex moved(const nnd_spectrum_params *p, double complex z, double complex m) {
    double d = p->ratio, sigma2 = p->sigma2;
    double complex slope =
        -(sigma2 * d * m * m + m) / (2.0 * sigma2 * d * z * m + z - sigma2 * (1.0 - d));
    double complex other = d * m - (1.0 - d) / z, other_slope = d * slope + (1.0 - d) / (z * z);
    double complex f = z * m * other, df = m * other + z * (slope * other + m * other_slope),
                   sum = 0.0;
    for (size_t i = 0; i < p->spikes.count; i++) {
        double t2 = p->spikes.value[i] * p->spikes.value[i];
        sum += t2 * df / (1.0 - t2 * f);
    }
    return sum / (double)nnd_spectrum_columns(p);
}

/* What the mean of m differs by at order 1/D, the transform of the correction to (6), and the next
 * order in spikes, as a square: both are left out. */
static double left_out(const nnd_spectrum_params *p, double complex z, double complex m,
                       double complex spikes) {
    double complex a = nnd_mp_lower(p->ratio, p->sigma2) - z,
                   b = nnd_mp_upper(p->ratio, p->sigma2) - z;
    double complex mean = 0.25 / a + 0.25 / b - 0.5 / (csqrt(a) * csqrt(b));
    double share = cabs(spikes) / cabs(m);
    return cabs(mean) / (double)nnd_spectrum_columns(p) + share * share * cabs(m);
}

static nnd_status add_stieltjes(nnd_frame *frame, const nnd_spectrum_params *p) {
    double *re = NULL, *im = NULL, *re_error = NULL, *im_error = NULL, x, y;
    nnd_status status = nnd_frame_add_variable(frame, MODEL, "stieltjes_re", &re);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "stieltjes_im", &im);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "stieltjes_re" NND_SE, &re_error);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "stieltjes_im" NND_SE, &im_error);
    for (size_t i = 0; status == NND_OK && i < nnd_spectrum_points(p); i++) {
        nnd_spectrum_point(p, i, &x, &y);
        double complex z = CMPLX(x, y), m = stieltjes(p, z), spikes = moved(p, z, m);
        re[i] = creal(m + spikes);
        im[i] = cimag(m + spikes);
        re_error[i] = left_out(p, z, m, spikes);
        im_error[i] = y > 0.0 ? re_error[i] : 0.0;
    }
    return status;
}

/* A hard edge, at 0, is none. rho = kappa sqrt(|z - e|)/pi with kappa = sqrt(z_+ - z_-)/(2 sigma2 d
 * e).
 */
static nnd_status add_edges(nnd_frame *frame, const nnd_spectrum_params *p) {
    double edge[2] = {nnd_mp_lower(p->ratio, p->sigma2), nnd_mp_upper(p->ratio, p->sigma2)};
    double width = sqrt(edge[1] - edge[0]), *value = NULL, *kappa = NULL;
    size_t first = p->ratio == 1.0 ? 1 : 0, count = 2 - first;
    nnd_status status = nnd_frame_add_range(frame, "edge", count, 1.0);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "edges", &value);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "edge_kappa", &kappa);
    for (size_t i = 0; status == NND_OK && i < count; i++) {
        value[i] = edge[first + i];
        kappa[i] = width / (2.0 * p->sigma2 * p->ratio * value[i]);
    }
    return status;
}

/* ---- spikes ---- */

/* Claimed from the size on at which an outlier stands clear; the matrices have the one size
 * `width`.
 */
static nnd_status add_claims(nnd_frame *frame, const nnd_spectrum_params *p, const double *z) {
    static const char *const CLAIMED[] = {"outlier", "outlier_overlap"};
    nnd_status status = NND_OK;
    double edge = nnd_mp_upper(p->ratio, p->sigma2), *size = NULL;
    for (size_t v = 0; status == NND_OK && v < 2; v++) {
        char name[64];
        nnd_format(name, sizeof name, "%s" NND_MIN_SIZE, CLAIMED[v]);
        status = nnd_frame_add_variable(frame, MODEL, name, &size);
        for (size_t i = 0; status == NND_OK && i < p->spikes.count; i++) {
            double from =
                nnd_claim_outlier(edge, p->spikes.count, z, i, 0.0, 4.0 * p->sigma2 * z[0]);
            size[i] = from <= (double)p->width ? 0.0 : INFINITY;
        }
        if (status == NND_OK)
            status = nnd_claim_outlier_reasons(frame, CLAIMED[v]);
    }
    return status;
}

static nnd_status add_outliers(nnd_frame *frame, const nnd_spectrum_params *p) {
    double *z = NULL, *s = NULL, *overlap = NULL;
    nnd_status status = nnd_frame_add_variable(frame, MODEL, "outlier", &z);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "outlier_sv", &s);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "outlier_overlap", &overlap);
    for (size_t i = 0; status == NND_OK && i < p->spikes.count; i++) {
        spike(p, p->spikes.value[i], &z[i], &overlap[i]);
        s[i] = sqrt(z[i]);
    }
    return status == NND_OK ? add_claims(frame, p, z) : status;
}

/* (5), of a bulk that nothing stands out of. It holds up to a share n^(-2/3) of the width of the
 * law, n the shorter side. */
static nnd_status add_top(nnd_frame *frame, const nnd_spectrum_params *p) {
    nnd_mp_edge e = nnd_mp_largest((size_t)p->width, nnd_spectrum_columns(p));
    double unit = p->sigma2 / (double)p->width,
           theta = p->spikes.count > 0 ? p->spikes.value[0] : 0;
    double z, overlap;
    spike(p, theta, &z, &overlap);
    if (!isnan(z))
        return NND_OK;
    double mean = unit * (e.centre + e.scale * nnd_tracy_widom_mean(1));
    double sd = unit * e.scale * nnd_tracy_widom_sd(1);
    double shorter = fmin((double)p->width, (double)nnd_spectrum_columns(p));
    double error = sd * pow(shorter, -2.0 / 3.0);
    nnd_status status = nnd_frame_add_number(frame, MODEL, "top_mean", mean);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, MODEL, "top_mean" NND_SE, error);
    if (status == NND_OK)
        status = nnd_frame_add_number(frame, MODEL, "top_sd", sd);
    return status == NND_OK ? nnd_frame_add_number(frame, MODEL, "top_sd" NND_SE, error) : status;
}

static nnd_status solve_law(nnd_frame *frame, const nnd_spectrum_params *p) {
    nnd_status status = nnd_spectrum_add_dims(p, frame);
    if (status == NND_OK)
        status = add_density(frame, p);
    if (status == NND_OK)
        status = add_stieltjes(frame, p);
    if (status == NND_OK)
        status = add_edges(frame, p);
    if (status == NND_OK && p->spikes.count > 0)
        status = add_outliers(frame, p);
    return status == NND_OK ? add_top(frame, p) : status;
}

/* ---- a given matrix ---- */

static nnd_status add_numbers(nnd_frame *frame, const nnd_spectrum *s) {
    const struct {
        const char *name;
        double value;
    } all[] = {
        {"bulk_sigma", s->bulk.entry_sd.value},
        {"bulk_sigma" NND_SE, s->bulk.entry_sd.se},
        {"bulk_lower", s->bulk.lower},
        {"bulk_upper", s->bulk.upper},
        {"upper_sd", s->bulk.upper_sd},
        {"ks_distance", s->bulk.ks},
        {"ks_p_value", s->bulk.ks_p},
        {"outliers", isnan(s->bulk.entry_sd.value) ? NAN : (double)s->outliers},
        {"stable_rank", s->stable_rank},
        {"soft_rank", s->soft_rank},
        {"tail_exponent", s->tail.exponent.value},
        {"tail_exponent" NND_SE, s->tail.exponent.se},
        {"tail_p_value", s->tail.p},
        {"init_ks", s->init_ks},
        {"init_p_value", s->init_ks_p},
    };
    nnd_status status = NND_OK;
    for (size_t i = 0; status == NND_OK && i < sizeof all / sizeof *all; i++)
        status = nnd_frame_add_number(frame, MODEL, all[i].name, all[i].value);
    return status;
}

static nnd_status add_list(nnd_frame *frame, const nnd_spectrum *s) {
    double *singular = NULL, *p = NULL;
    nnd_status status = nnd_frame_add_range(frame, "k", s->known, 1.0);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "singular", &singular);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "p_value", &p);
    for (size_t k = 0; status == NND_OK && k < s->known; k++) {
        singular[k] = s->singular[k];
        if (k < s->tested)
            p[k] = s->p_value[k];
    }
    return status;
}

/* Boxes of the singular values, and the fitted bulk in their middles. */
static nnd_status add_boxes(nnd_frame *frame, const nnd_spectrum *s) {
    enum { BOXES = 100 };
    double end = 1.02 * s->singular[0], at[BOXES], *found = NULL, *law = NULL;
    for (size_t i = 0; i < BOXES; i++)
        at[i] = end * ((double)i + 0.5) / BOXES;
    nnd_status status = nnd_frame_add_dim(frame, "s", NND_COORD_REAL, BOXES, at);
    if (status == NND_OK)
        status = nnd_frame_add_variable(frame, MODEL, "histogram_sv", &found);
    if (status == NND_OK)
        nnd_spectrum_histogram(s, BOXES, 0.0, end, found);
    if (status == NND_OK && s->bulk.entry_sd.value > 0.0) {
        status = nnd_frame_add_variable(frame, MODEL, "density_sv", &law);
        for (size_t i = 0; status == NND_OK && i < BOXES; i++)
            law[i] = nnd_spectrum_bulk_density(s, at[i]);
    }
    return status;
}

static nnd_status name_dataset(nnd_context *ctx, nnd_status status) {
    char reason[256];
    snprintf(reason, sizeof reason, "%s", nnd_context_message(ctx));
    return nnd_fail(ctx, status, "params.dataset: %s", reason);
}

static nnd_status solve_matrix(nnd_frame *frame, const nnd_spectrum_params *p) {
    nnd_spectrum_options o = nnd_spectrum_defaults();
    nnd_spectrum s;
    o.method = (nnd_spectrum_method)p->method;
    o.moments = (size_t)p->moments;
    o.probes = (size_t)p->vectors;
    o.level = p->level;
    o.draws = (size_t)p->draws;
    o.init_sd = sqrt(p->sigma2 / (double)p->dataset.rows);
    nnd_status status = nnd_spectrum_analyse(nnd_frame_context(frame), p->dataset.rows,
                                             p->dataset.cols, p->dataset.value, &o, &s);
    if (status < NND_OK)
        return name_dataset(nnd_frame_context(frame), status);
    status = add_numbers(frame, &s);
    if (status == NND_OK)
        status = add_list(frame, &s);
    if (status == NND_OK)
        status = add_boxes(frame, &s);
    nnd_spectrum_clear(&s);
    return status;
}

/* ---- entries of the registry ---- */

nnd_status nnd_spectrum_theory(nnd_context *ctx, const void *params, nnd_frame **frame) {
    const nnd_spectrum_params *p = params;
    nnd_frame *out = NULL;
    nnd_status status = nnd_frame_new(ctx, &out);
    if (status == NND_OK)
        status = p->kind == NND_LAW_MATRIX ? solve_matrix(out, p) : solve_law(out, p);
    nnd_hand_over(status >= NND_OK, out, frame);
    return status;
}

/* LAPACK: 8/3 r^2 (3 m - r) operations of rank r; estimates: products of the matrix with vectors.
 */
nnd_status nnd_spectrum_theory_cost(nnd_context *ctx, const void *params, nnd_cost *cost) {
    (void)ctx;
    const nnd_spectrum_params *p = params;
    double rows = (double)p->dataset.rows, cols = (double)p->dataset.cols;
    double least = fmin(rows, cols), most = fmax(rows, cols);
    double exact =
        4.0 / 3.0 * least * least * (3.0 * most - least) + 1e3 * least * (double)p->draws;
    double products = 2.0 * rows * cols * (double)p->vectors * (double)p->moments;
    nnd_spectrum_options o = nnd_spectrum_defaults();
    o.method = (nnd_spectrum_method)p->method;
    o.moments = (size_t)p->moments;
    o.probes = (size_t)p->vectors;
    bool matrix = p->kind == NND_LAW_MATRIX;
    double grid = p->z.count > 0 ? (double)p->z.count : 100.0;
    *cost = (nnd_cost){
        .bytes = matrix ? nnd_spectrum_bytes(p->dataset.rows, p->dataset.cols, &o) : 1e5,
        .results = sizeof(double) * (matrix ? 2.0 * least + 300.0 : 5.0 * grid + 100.0),
        .flops = matrix ? (p->method == NND_SPECTRUM_EXACT ? exact : products) : 1e4 * grid,
    };
    return NND_OK;
}
