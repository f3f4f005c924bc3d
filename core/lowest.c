/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/lowest.h"

#include <math.h>

enum { HALVINGS = 60 };

/* A place this many times as high above the lowest one as the higher of its neighbours is the wall
 * of a valley, which tells nothing of its ground; a polynomial of degree four has 3^4 = 81. */
static const double WALL = 100.0;

/* A polynomial by its values. */
typedef struct {
    size_t count;
    const double *x, *y;
} polynomial;

/* The product of (at - x_m)/(x_j - x_m) over all m but j, and those in `left`. */
static double product(const polynomial *p, size_t j, double at, size_t left, size_t also) {
    double product = 1.0;
    for (size_t m = 0; m < p->count; m++)
        if (m != j)
            product *= (m == left || m == also ? 1.0 : at - p->x[m]) / (p->x[j] - p->x[m]);
    return product;
}

/* Basis polynomial j of Lagrange and its first two derivatives. */
static void basis(const polynomial *p, size_t j, double at, double value[3]) {
    size_t none = p->count;
    value[0] = product(p, j, at, none, none);
    value[1] = value[2] = 0.0;
    for (size_t k = 0; k < p->count; k++)
        if (k != j) {
            value[1] += product(p, j, at, k, none);
            for (size_t l = 0; l < p->count; l++)
                value[2] += l != j && l != k ? product(p, j, at, k, l) : 0.0;
        }
}

static void evaluate(const polynomial *p, double at, double value[3]) {
    double one[3];
    value[0] = value[1] = value[2] = 0.0;
    for (size_t j = 0; j < p->count; j++) {
        basis(p, j, at, one);
        for (size_t k = 0; k < 3; k++)
            value[k] += one[k] * p->y[j];
    }
}

/* Where the polynomial minus `level` (of its `derivative`) changes from below 0 to above. */
static double bisect(const polynomial *p, size_t derivative, double level, double low,
                     double high) {
    double value[3];
    for (int i = 0; i < HALVINGS; i++) {
        double middle = 0.5 * (low + high);
        evaluate(p, middle, value);
        *(value[derivative] < level ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

/* The lowest point between two places; NaN if the slope does not change its sign there. */
static double lowest_between(const polynomial *p, double low, double high) {
    double at_low[3], at_high[3];
    evaluate(p, low, at_low);
    evaluate(p, high, at_high);
    return at_low[1] < 0.0 && at_high[1] > 0.0 ? bisect(p, 1, 0.0, low, high) : NAN;
}

/* Places on one side of i, up to `most`, where y is finite and no wall. */
static size_t reach(size_t n, const double *y, size_t i, int side, size_t most, double wall) {
    size_t count = 0;
    for (size_t at = i; count < most; count++) {
        if (at == (side < 0 ? 0 : n - 1))
            break;
        at = side < 0 ? at - 1 : at + 1;
        if (!isfinite(y[at]) || (count > 0 && y[at] > wall))
            break;
    }
    return count;
}

/* The polynomial through i and up to `most` places on each side of it. */
static polynomial about(size_t n, const double *x, const double *y, size_t i, size_t most) {
    double wall = y[i] + WALL * (fmax(y[i - 1], y[i + 1]) - y[i]);
    size_t before = reach(n, y, i, -1, most, wall), after = reach(n, y, i, 1, most, wall);
    return (polynomial){before + after + 1, x + i - before, y + i - before};
}

/* fluctuations.md#s1-9 */
bool nnd_lowest_near(size_t n, const double *x, const double *y, size_t i, nnd_lowest *lowest) {
    if (i == 0 || i + 1 >= n || !(y[i] < y[i - 1] && y[i] < y[i + 1]) || !isfinite(y[i]) ||
        !isfinite(y[i - 1]) || !isfinite(y[i + 1]))
        return false;
    size_t most = NND_LOWEST_PLACES / 2;
    polynomial p = about(n, x, y, i, most);
    double at = lowest_between(&p, x[i - 1], x[i + 1]);
    while (isnan(at) && most > 1) { /* a parabola through three places has one */
        p = about(n, x, y, i, --most);
        at = lowest_between(&p, x[i - 1], x[i + 1]);
    }
    if (isnan(at))
        return false;
    polynomial fewer = about(n, x, y, i, most - 1), one_place = {1, x + i, y + i};
    double other = lowest_between(&fewer, x[i - 1], x[i + 1]), value[3], one[3];
    bool told = most > 1 && fewer.count < p.count && isfinite(other);
    polynomial coarse = told ? fewer : one_place;
    evaluate(&p, at, value);
    *lowest = (nnd_lowest){.x = at,
                           .error = told ? fabs(at - other) : 0.5 * (x[i + 1] - x[i - 1]),
                           .first = (size_t)(p.x - x),
                           .count = p.count,
                           .curvature = value[2]};
    for (size_t j = 0; j < p.count; j++) {
        basis(&p, j, at, one);
        lowest->weight[j] = one[0];
        lowest->shift[j] = -one[1] / value[2];
    }
    for (size_t j = 0; j < coarse.count; j++) {
        basis(&coarse, j, other, one);
        lowest->coarse[(size_t)(coarse.x - p.x) + j] = one[0];
    }
    lowest->value_error = fabs(value[0] - nnd_lowest_coarse(lowest, y));
    return true;
}

static double weighted(const nnd_lowest *lowest, const double *weight, const double *y) {
    double sum = 0.0;
    for (size_t j = 0; j < lowest->count; j++)
        sum += weight[j] * y[lowest->first + j];
    return sum;
}

double nnd_lowest_value(const nnd_lowest *lowest, const double *y) {
    return weighted(lowest, lowest->weight, y);
}

double nnd_lowest_coarse(const nnd_lowest *lowest, const double *y) {
    return weighted(lowest, lowest->coarse, y);
}

double nnd_lowest_shift(const nnd_lowest *lowest, const double *dy) {
    return weighted(lowest, lowest->shift, dy);
}

double nnd_crossing(size_t n, const double *x, const double *y, double level, double *error) {
    *error = NAN;
    for (size_t i = 0; i + 1 < n; i++) {
        if (!(y[i] < level && y[i + 1] >= level) || isinf(y[i]) || isinf(y[i + 1]))
            continue;
        size_t before = i > 0 && isfinite(y[i - 1]) ? 1 : 0;
        size_t after = i + 2 < n && isfinite(y[i + 2]) ? 1 : 0;
        polynomial p = {2 + before + after, x + i - before, y + i - before};
        double line = x[i] + (level - y[i]) / (y[i + 1] - y[i]) * (x[i + 1] - x[i]);
        double at = bisect(&p, 0, level, x[i], x[i + 1]);
        *error = before + after > 0 ? fabs(at - line) : x[i + 1] - x[i];
        return at;
    }
    return NAN;
}
