/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nndmft/bulk.h"

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

nnd_bulk_resolvent nnd_bulk_resolvent_at(double s, double aspect, double z) {
    double b = z * z + s * (aspect - 1.0);
    /* (b - sqrt(b^2 - 4 s aspect z^2)) / (2 s aspect z), without its cancellation. */
    double m_out = 2.0 * z / (b + sqrt(fmax(0.0, b * b - 4.0 * s * aspect * z * z)));
    double m_in = 1.0 / (z - s * aspect * m_out);
    /* m_out' = -m_out^2 (1 - s m_in'), m_in' = -m_in^2 (1 - s aspect m_out'). */
    double o2 = m_out * m_out, i2 = m_in * m_in, det = 1.0 - s * s * aspect * o2 * i2;
    return (nnd_bulk_resolvent){
        .m_out = m_out,
        .m_in = m_in,
        .dm_out = -o2 * (1.0 + s * i2) / det,
        .dm_in = -i2 * (1.0 + s * aspect * o2) / det,
    };
}
