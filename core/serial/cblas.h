/* SPDX-License-Identifier: GPL-3.0-or-later */
/* <cblas.h> with every function on one thread: see serial.h. `./dev lint` knows which are missing.
 */
#ifndef NNDMFT_CORE_SERIAL_CBLAS_H
#define NNDMFT_CORE_SERIAL_CBLAS_H

#pragma GCC system_header /* #include_next, and calls within the arguments of calls */
#include_next <cblas.h>

#include "core/serial/serial.h"

#define cblas_daxpy(...)     NND_SERIAL(cblas_daxpy(__VA_ARGS__))
#define cblas_dcopy(...)     NND_SERIAL(cblas_dcopy(__VA_ARGS__))
#define cblas_ddot(...)      NND_SERIAL(cblas_ddot(__VA_ARGS__))
#define cblas_dgemm(...)     NND_SERIAL(cblas_dgemm(__VA_ARGS__))
#define cblas_dgemv(...)     NND_SERIAL(cblas_dgemv(__VA_ARGS__))
#define cblas_dger(...)      NND_SERIAL(cblas_dger(__VA_ARGS__))
#define cblas_dnrm2(...)     NND_SERIAL(cblas_dnrm2(__VA_ARGS__))
#define cblas_dscal(...)     NND_SERIAL(cblas_dscal(__VA_ARGS__))
#define cblas_dsymm(...)     NND_SERIAL(cblas_dsymm(__VA_ARGS__))
#define cblas_dsymv(...)     NND_SERIAL(cblas_dsymv(__VA_ARGS__))
#define cblas_dsyr(...)      NND_SERIAL(cblas_dsyr(__VA_ARGS__))
#define cblas_dsyrk(...)     NND_SERIAL(cblas_dsyrk(__VA_ARGS__))
#define cblas_dtrsm(...)     NND_SERIAL(cblas_dtrsm(__VA_ARGS__))
#define cblas_dtrsv(...)     NND_SERIAL(cblas_dtrsv(__VA_ARGS__))
#define cblas_idamax(...)    NND_SERIAL(cblas_idamax(__VA_ARGS__))
#define cblas_dznrm2(...)    NND_SERIAL(cblas_dznrm2(__VA_ARGS__))
#define cblas_zaxpy(...)     NND_SERIAL(cblas_zaxpy(__VA_ARGS__))
#define cblas_zdotc_sub(...) NND_SERIAL(cblas_zdotc_sub(__VA_ARGS__))
#define cblas_zdscal(...)    NND_SERIAL(cblas_zdscal(__VA_ARGS__))
#define cblas_zgemm(...)     NND_SERIAL(cblas_zgemm(__VA_ARGS__))

#endif
