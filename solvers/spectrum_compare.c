/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read off analyses: histograms, densities, and what has moved between two. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/marchenko_pastur.h"
#include "nndmft/solvers/spectrum.h"

/* ---- densities ---- */

/* Share of the singular values below s: of the list, or of the estimated law, linear between its
 * points. */
static double share_below(const nnd_spectrum *p, double s) {
    size_t low = 0, high = p->law_count > 0 ? p->law_count : p->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        double at = p->law_count > 0 ? p->law_at[middle] : p->singular[p->count - 1 - middle];
        if (at < s)
            low = middle + 1;
        else
            high = middle;
    }
    if (p->law_count == 0)
        return (double)low / (double)p->count;
    if (low == 0 || low == p->law_count)
        return low == 0 ? 0.0 : 1.0;
    double a = p->law_at[low - 1], b = p->law_at[low], part = b > a ? (s - a) / (b - a) : 1.0;
    return p->law_share[low - 1] + part * (p->law_share[low] - p->law_share[low - 1]);
}

void nnd_spectrum_histogram(const nnd_spectrum *spectrum, size_t boxes, double from, double to,
                            double *density) {
    double width = (to - from) / (double)boxes, before = share_below(spectrum, from);
    for (size_t i = 0; i < boxes; i++) {
        double share = share_below(spectrum, from + width * (double)(i + 1));
        density[i] = (share - before) / width;
        before = share;
    }
}

double nnd_spectrum_bulk_density(const nnd_spectrum *spectrum, double singular) {
    size_t k = spectrum->outliers, count = spectrum->count - k;
    double tall = (double)(spectrum->rows + spectrum->cols - spectrum->count - k);
    double sd = spectrum->bulk.entry_sd.value;
    double density = nnd_mp_density((double)count / tall, sd * sd * tall, singular * singular);
    return 2.0 * singular * density * (double)count / (double)spectrum->count;
}

/* ---- changes ---- */

static double width(const nnd_spectrum *before, const nnd_spectrum *after) {
    return hypot(before->bulk.upper_sd, after->bulk.upper_sd);
}

/* Squared cosines between unit vectors, rows of a and b. */
static void overlaps(size_t n, size_t a_count, const double *a, size_t b_count, const double *b,
                     double *cosine2) {
    for (size_t i = 0; i < a_count; i++)
        for (size_t j = 0; j < b_count; j++) {
            double dot = cblas_ddot((int)n, a + i * n, 1, b + j * n, 1);
            cosine2[i * b_count + j] = dot * dot;
        }
}

nnd_status nnd_spectrum_compare(nnd_context *ctx, const nnd_spectrum *before,
                                const nnd_spectrum *after, nnd_spectrum_change *change) {
    const nnd_spectrum_bulk *b = &before->bulk, *a = &after->bulk;
    size_t pairs = after->vectors * before->vectors;
    *change = (nnd_spectrum_change){
        .edge_shift = {a->edge - b->edge, width(before, after)},
        .bulk_shift = {a->entry_sd.value - b->entry_sd.value,
                       hypot(a->entry_sd.se, b->entry_sd.se)},
        .before = before->vectors,
        .after = after->vectors,
    };
    if (before->rows != after->rows || before->cols != after->cols)
        return nnd_fail(ctx, NND_E_INPUT, "matrices of %zu x %zu and %zu x %zu are not compared",
                        before->rows, before->cols, after->rows, after->cols);
    if (pairs == 0)
        return NND_OK;
    change->left_overlap = calloc(pairs, sizeof(double));
    change->right_overlap = calloc(pairs, sizeof(double));
    if (change->left_overlap == NULL || change->right_overlap == NULL) {
        nnd_spectrum_change_clear(change);
        return nnd_fail_memory(ctx, "overlaps");
    }
    overlaps(after->rows, after->vectors, after->left_vector, before->vectors, before->left_vector,
             change->left_overlap);
    overlaps(after->cols, after->vectors, after->right_vector, before->vectors,
             before->right_vector, change->right_overlap);
    return NND_OK;
}

void nnd_spectrum_change_clear(nnd_spectrum_change *change) {
    free(change->left_overlap);
    free(change->right_overlap);
    *change = (nnd_spectrum_change){0};
}
