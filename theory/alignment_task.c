/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "theory/alignment_task.h"

#include <math.h>
#include <stdlib.h>

#include "nndmft/solvers/representation.h"

static double trace(const nnd_alignment *p, const nnd_dense *m) {
    double sum = 0.0;
    for (size_t c = 0; c < (size_t)p->outputs; c++)
        sum += nnd_alignment_output(m, c, c);
    return sum;
}

static nnd_status allocate(nnd_context *ctx, size_t n, nnd_alignment_problem *x) {
    x->storage = calloc(3 * n, sizeof *x->storage);
    if (x->storage == NULL)
        return nnd_fail_memory(ctx, "the eigenvalues");
    double *multiplicity = x->storage + 2 * n;
    for (size_t i = 0; i < n; i++)
        multiplicity[i] = 1.0;
    x->modes = (nnd_eigenmodes){n, x->storage, multiplicity, x->storage + n};
    return NND_OK;
}

/* Inputs of a mean variance of 1 in all of their dimensions: alignment.md#eq15. */
static nnd_status measure(nnd_context *ctx, const nnd_alignment *p, nnd_alignment_problem *x) {
    nnd_feature_spectrum spectrum;
    nnd_status status = nnd_feature_spectrum_make(ctx, &p->data, &spectrum);
    if (status == NND_OK)
        status = allocate(ctx, spectrum.rank, x);
    if (status == NND_OK) {
        double *eigenvalue = x->storage, *teacher2 = eigenvalue + spectrum.rank, unit = 0.0;
        for (size_t i = 0; i < spectrum.rank; i++)
            unit += spectrum.eigenvalue[i] / (double)spectrum.dim;
        for (size_t i = 0; i < spectrum.rank; i++) {
            eigenvalue[i] = spectrum.eigenvalue[i] / unit;
            teacher2[i] = unit * spectrum.weight[i] * spectrum.weight[i];
        }
        x->residual = spectrum.residual2;
        status = nnd_alignment_rows_make(ctx, &p->data, &spectrum, eigenvalue, &x->rows);
    }
    nnd_feature_spectrum_clear(&spectrum);
    return status;
}

static nnd_status list(nnd_context *ctx, const nnd_alignment *p, nnd_alignment_problem *x) {
    bool isotropic = p->covariance.kind == NND_COVARIANCE_ISOTROPIC;
    size_t dim = nnd_alignment_dim(p), n = isotropic && dim == 0 ? 1 : dim;
    nnd_status status = allocate(ctx, n, x);
    if (status == NND_OK)
        nnd_alignment_modes(p, n, x->storage, x->storage + n);
    return status;
}

/* Noise that is added to the labels has the variance s2; what no linear function explains is noise
 * that networks with the same inputs share: alignment.md#eq15. */
static void put_noise(const nnd_alignment *p, nnd_alignment_problem *x) {
    double added = isnan(p->label_noise) ? x->power / p->snr : p->label_noise;
    double noise = added * x->noises + x->residual;
    x->pair = (nnd_pair_task){.samples = p->alpha * x->per_alpha,
                              .input_noise = p->input_noise,
                              .label_noise = noise,
                              .noise_correlation = p->noise_correlation,
                              .independent = p->inputs == NND_INPUTS_INDEPENDENT};
    if (x->residual > 0.0)
        x->pair.noise_correlation = (p->noise_correlation * added + x->residual) / noise;
}

nnd_status nnd_alignment_problem_make(nnd_context *ctx, const nnd_alignment *p,
                                      nnd_alignment_problem *x) {
    bool data = nnd_alignment_has_data(p);
    bool isotropic = !data && p->covariance.kind == NND_COVARIANCE_ISOTROPIC;
    *x = (nnd_alignment_problem){.teachers = trace(p, &p->output_gram),
                                 .noises = trace(p, &p->output_noise)};
    nnd_status status = data ? measure(ctx, p, x) : list(ctx, p, x);
    if (status != NND_OK)
        return status;
    size_t n = x->modes.count;
    double *eigenvalue = x->storage, *teacher2 = eigenvalue + n;
    x->trace2 = nnd_alignment_dim(p) == 0 ? NAN : 0.0;
    double variance = 0.0;
    for (size_t i = 0; i < n; i++) {
        x->norm2 += teacher2[i];
        x->power += eigenvalue[i] * teacher2[i];
        x->trace2 += eigenvalue[i] * eigenvalue[i];
        variance += eigenvalue[i] + p->input_noise;
    }
    x->norm2 *= x->teachers;
    x->per_alpha = isotropic ? 1.0 : data ? (double)nnd_alignment_dim(p) : (double)n;
    put_noise(p, x);
    x->power *= x->teachers;
    if (!isfinite(variance + x->norm2 + x->power + x->pair.label_noise))
        return nnd_fail(ctx, NND_E_UNSOLVED,
                        "inputs, teacher or label noise are larger than double precision holds");
    if (isotropic) { /* all directions are one */
        teacher2[0] = x->norm2;
        x->modes.count = 1;
    } else
        for (size_t i = 0; i < n; i++)
            teacher2[i] *= x->teachers;
    return NND_OK;
}

void nnd_alignment_problem_clear(nnd_alignment_problem *x) {
    free(x->storage);
    nnd_alignment_rows_clear(&x->rows);
    *x = (nnd_alignment_problem){0};
}

static void matrix(const nnd_alignment *p, const nnd_alignment_problem *x, const double part[2],
                   double *out) {
    size_t c = (size_t)p->outputs;
    for (size_t i = 0; i < c; i++)
        for (size_t j = 0; j < c; j++)
            out[i * c + j] = part[0] / x->teachers * nnd_alignment_output(&p->output_gram, i, j) +
                             part[1] / x->noises * nnd_alignment_output(&p->output_noise, i, j);
}

nnd_status nnd_alignment_outputs_cka(nnd_context *ctx, const nnd_alignment *p,
                                     const nnd_alignment_problem *x, const double cross[2],
                                     const double self[2], const double self_identity[2],
                                     double *cka) {
    size_t c = (size_t)p->outputs;
    *cka = 0.0; /* the limit where the noise diverges */
    if (isinf(self[1]))
        return NND_OK;
    double *m = calloc(3 * c * c, sizeof *m);
    if (m == NULL)
        return nnd_fail_memory(ctx, "the outputs");
    matrix(p, x, cross, m);
    matrix(p, x, self, m + c * c);
    matrix(p, x, self_identity, m + 2 * c * c);
    nnd_status status = nnd_cka_outputs(ctx, c, m, m + c * c, m + 2 * c * c, cka);
    free(m);
    return status;
}
