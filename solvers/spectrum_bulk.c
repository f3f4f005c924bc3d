/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "solvers/spectrum_bulk.h"

#include <math.h>

#include "nndmft/solvers/marchenko_pastur.h"

static const double EULER = 0.57721566490153286;

double nnd_bulk_share(size_t tall, size_t count, double z) {
    return nnd_mp_cdf((double)count / (double)tall, (double)tall, z);
}

/* Of z = tall (1 + c + 2 r cos(phi)), c = r^2 = count/tall, below which there is a share p. */
static double angle_of(double c, double p) {
    double z = nnd_mp_quantile(c, 1.0, p);
    return acos(fmax(-1.0, fmin(1.0, (z - 1.0 - c) / (2.0 * sqrt(c)))));
}

/*
 * Above z(phi) there are count (1 - F) + 1/4 - phi/(2 pi) eigenvalues in the mean, with the
 * variance
 *
 *     V = (1/pi^2) [log(8 count sin(phi)^3/(1 + c + 2 r cos phi)) + gamma + 1 - pi^2/8],
 *
 * since pi/2 times their density in z, times the half-width 2 r, is sin(phi)/(1 + c + 2 r cos phi).
 */
nnd_bulk_median nnd_bulk_median_of(size_t tall, size_t count) {
    double n = (double)count, c = n / (double)tall, r = sqrt(c);
    double phi = angle_of(c, 0.5);
    phi = angle_of(c, 0.5 + (0.25 - phi / (2.0 * M_PI)) / n);
    double z = 1.0 + c + 2.0 * r * cos(phi), sine = sin(phi);
    double variance =
        (log(8.0 * n * sine * sine * sine / z) + EULER + 1.0 - M_PI * M_PI / 8.0) / (M_PI * M_PI);
    return (nnd_bulk_median){
        .tall = tall,
        .count = count,
        .median = sqrt((double)tall * z),
        /* sqrt(V) eigenvalues are this far in z; half of that, relative, in its root. */
        .error = 0.5 * sqrt(variance) / (n * nnd_mp_density(c, 1.0, z) * z),
        .pull = 1.0 / (M_PI * sqrt(variance) * tan(0.5 * phi)),
    };
}

double nnd_middle(size_t count, const double *descending) {
    return 0.5 * (descending[count / 2] + descending[(count - 1) / 2]);
}

/* At each singular value the distribution function jumps by 1/count. */
double nnd_bulk_distance(size_t tall, size_t count, const double *descending, double sd) {
    double n = (double)count, largest = 0.0;
    for (size_t i = 0; i < count; i++) {
        double s = descending[i] / sd, share = nnd_bulk_share(tall, count, s * s);
        double above = 1.0 - share;
        largest =
            fmax(largest, fmax(fabs(above - (double)i / n), fabs(above - (double)(i + 1) / n)));
    }
    return largest;
}

/* Closer at the ends, and irrational: numbers in fractions of a count are hardly ever equal. */
static double level_share(size_t j) {
    double root = sin(0.5 * M_PI * (double)(j + 1) / (NND_BULK_LEVELS + 1));
    return root * root;
}

void nnd_bulk_levels(size_t tall, size_t count, double *level) {
    double c = (double)count / (double)tall;
    for (size_t j = 0; j < NND_BULK_LEVELS; j++)
        level[j] = sqrt((double)tall * nnd_mp_quantile(c, 1.0, level_share(j)));
}

double nnd_bulk_excess(size_t count, const size_t *below) {
    double largest = 0.0;
    for (size_t j = 0; j < NND_BULK_LEVELS; j++)
        largest = fmax(largest, fabs((double)below[j] - (double)count * level_share(j)));
    return largest;
}
