/* SPDX-License-Identifier: GPL-3.0-or-later */
/** complex.h with CMPLX of C11, which glibc defines for gcc alone. */
#ifndef NNDMFT_SOLVERS_CMPLX_H
#define NNDMFT_SOLVERS_CMPLX_H

#include <complex.h>

#ifndef CMPLX
#define CMPLX(re, im) __builtin_complex((double)(re), (double)(im))
#endif

#endif
