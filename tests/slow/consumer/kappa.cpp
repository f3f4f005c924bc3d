/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cstdio>
#include <nndmft/nndmft.h>
#include <nndmft/solvers/equivalent.h>

/*
 * One eigenvalue s = 1 and alpha samples per dimension: kappa solves
 *     lambda = kappa (1 - 1/(alpha (1 + kappa))),
 * at lambda = 2/3, alpha = 3 kappa^2 = 2/3.
 */
int main() {
    const double one = 1.0;
    const nnd_eigenmodes modes = {1, &one, &one, &one};
    const double kappa = nnd_kappa(&modes, 3.0, 0.0, 2.0 / 3.0);
    std::printf("%s %.12f\n", nnd_version(), kappa * kappa);
    return 0;
}
