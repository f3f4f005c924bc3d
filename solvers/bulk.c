/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/solvers/bulk.h"

#include <math.h>

double nnd_bulk_upper_edge(double s, double aspect) {
    return sqrt(s) * (1.0 + sqrt(aspect));
}

double nnd_bulk_lower_edge(double s, double aspect) {
    return sqrt(s) * fabs(1.0 - sqrt(aspect));
}

double nnd_bulk_density(double s, double aspect, double z) {
    double upper = nnd_bulk_upper_edge(s, aspect), lower = nnd_bulk_lower_edge(s, aspect);
    double z2 = z * z;
    if (!(z2 < upper * upper && z2 > lower * lower))
        return 0.0;
    /* Marchenko-Pastur in z^2, times 2z; over the n_in values for aspect >= 1, else rescaled. */
    double density = sqrt((upper * upper - z2) * (z2 - lower * lower)) / (M_PI * s * z);
    return density / fmin(1.0, aspect);
}

/* The midpoint rule in the angle of aspect^{1/2} e^{i phi}. */
void nnd_bulk_rule(double aspect, size_t count, double *node, double *weight) {
    double root = sqrt(aspect), gap = 1.0 - root;
    for (size_t k = 0; k < count; k++) {
        double half = 0.5 * ((double)k + 0.5) * M_PI / (double)count, c = cos(half), s = sin(half);
        /* |1 + root e^{i phi}|^2 and sin^2 phi without cancellation */
        node[k] = gap * gap + 4.0 * root * c * c;
        weight[k] = 8.0 * aspect / (double)count * (s * c) * (s * c) / node[k];
    }
}

/* With z = sqrt(s) x, m = m_1(x)/sqrt(s): any s > 0. */
nnd_bulk_resolvent nnd_bulk_resolvent_at(double s, double aspect, double z) {
    double unit = sqrt(s), x = z / unit;
    double upper = nnd_bulk_upper_edge(1.0, aspect), lower = nnd_bulk_lower_edge(1.0, aspect);
    /* (b - sqrt(b^2 - 4 aspect x^2))/(2 aspect x) with b = x^2 + aspect - 1, without cancellation:
     * the root by its zeros, at the edges. */
    double root = sqrt(fmax(0.0, (x - upper) * (x + upper))) * sqrt((x - lower) * (x + lower));
    double m_out = 2.0 * x / (x * x + aspect - 1.0 + root);
    double m_in = 1.0 / (x - aspect * m_out);
    /* m_out' = -m_out^2 (1 - m_in'), m_in' = -m_in^2 (1 - aspect m_out'). */
    double o2 = m_out * m_out, i2 = m_in * m_in, det = 1.0 - aspect * o2 * i2;
    return (nnd_bulk_resolvent){
        .m_out = m_out / unit,
        .m_in = m_in / unit,
        .dm_out = -o2 * (1.0 + i2) / det / s,
        .dm_in = -i2 * (1.0 + aspect * o2) / det / s,
    };
}
