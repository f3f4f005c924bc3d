/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/jets.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

void nnd_jets_clear(const nnd_jets *j, size_t n, nnd_jet out) {
    for (size_t k = 0; k < nnd_jets_parts(j); k++)
        memset(nnd_jet_part(out, k), 0, n * sizeof(double));
}

void nnd_jets_add(const nnd_jets *j, size_t n, double factor, nnd_jet x, nnd_jet out) {
    for (size_t k = 0; k < nnd_jets_parts(j); k++)
        if (nnd_jets_carries(j, k))
            cblas_daxpy((int)n, factor, nnd_jet_part(x, k), 1, nnd_jet_part(out, k), 1);
}

/* out += factor left right, plain; a BLAS of its own for vectors, whose overhead is less. */
static void multiply(nnd_jet_product p, const double *left, const double *right, double *out) {
    int m = (int)p.rows, n = (int)p.cols, k = (int)p.inner;
    if (k == 1)
        cblas_dger(CblasRowMajor, m, n, p.factor, left, 1, right, 1, out, n);
    else if (m == 1)
        cblas_dgemv(CblasRowMajor, p.right_transposed ? CblasNoTrans : CblasTrans,
                    p.right_transposed ? n : k, p.right_transposed ? k : n, p.factor, right,
                    p.right_transposed ? k : n, left, 1, 1.0, out, 1);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, p.right_transposed ? CblasTrans : CblasNoTrans, m,
                    n, k, p.factor, left, k, right, p.right_transposed ? k : n, 1.0, out, n);
}

/* All parts of left times the value of right: one product, if the parts follow each other. */
static void multiply_left(const nnd_jets *j, nnd_jet_product p, nnd_jet left, nnd_jet right,
                          nnd_jet out) {
    size_t first = j->second ? 1 : NND_JET_FIRST, parts = nnd_jets_parts(j);
    if (first < parts && left.stride == p.rows * p.inner && out.stride == p.rows * p.cols) {
        p.rows *= parts - first;
        multiply(p, nnd_jet_part(left, first), right.x, nnd_jet_part(out, first));
        return;
    }
    for (size_t k = first; k < parts; k++)
        multiply(p, nnd_jet_part(left, k), right.x, nnd_jet_part(out, k));
}

/* D^2(xy) = (D^2 x) y + 2 Dx Dy + x (D^2 y), summed over directions. */
void nnd_jets_multiply(const nnd_jets *j, nnd_jet_product p, nnd_jet left, nnd_jet right,
                       nnd_jet out) {
    nnd_jet_product twice = p;
    twice.factor *= 2.0;
    multiply_left(j, p, left, right, out);
    for (size_t k = 1; k < nnd_jets_parts(j); k++) {
        const double *x = nnd_jet_part(left, k), *y = nnd_jet_part(right, k);
        if (!nnd_jets_carries(j, k))
            continue;
        multiply(p, left.x, y, nnd_jet_part(out, k));
        if (k >= NND_JET_FIRST && j->second)
            multiply(twice, x, y, nnd_jet_part(out, NND_JET_SECOND));
    }
    multiply(p, left.x, right.x, out.x);
}

void nnd_jets_inverse_root(const nnd_jets *j, nnd_jet x) {
    double value = x.x[0], root = 1.0 / sqrt(value), slope = -0.5 * root / value;
    double squares = 0.0;
    for (size_t k = NND_JET_FIRST; k < nnd_jets_parts(j); k++) {
        double *first = nnd_jet_part(x, k);
        squares += *first * *first;
        *first *= slope;
    }
    if (j->second) {
        double *second = nnd_jet_part(x, NND_JET_SECOND);
        *second = slope * *second - 1.5 * slope / value * squares;
    }
    x.x[0] = root;
}
