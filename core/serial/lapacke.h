/* SPDX-License-Identifier: GPL-3.0-or-later */
/* <lapacke.h> with every function on one thread: see serial.h. `./dev lint` knows which are
 * missing. */
#ifndef NNDMFT_CORE_SERIAL_LAPACKE_H
#define NNDMFT_CORE_SERIAL_LAPACKE_H

#pragma GCC system_header /* #include_next, and calls within the arguments of calls */
#include_next <lapacke.h>

#include "core/serial/serial.h"

#define LAPACKE_dgeev(...)       NND_SERIAL(LAPACKE_dgeev(__VA_ARGS__))
#define LAPACKE_dgels(...)       NND_SERIAL(LAPACKE_dgels(__VA_ARGS__))
#define LAPACKE_dgelsd(...)      NND_SERIAL(LAPACKE_dgelsd(__VA_ARGS__))
#define LAPACKE_dgeqrf(...)      NND_SERIAL(LAPACKE_dgeqrf(__VA_ARGS__))
#define LAPACKE_dgesdd(...)      NND_SERIAL(LAPACKE_dgesdd(__VA_ARGS__))
#define LAPACKE_dgesv(...)       NND_SERIAL(LAPACKE_dgesv(__VA_ARGS__))
#define LAPACKE_dgesvd(...)      NND_SERIAL(LAPACKE_dgesvd(__VA_ARGS__))
#define LAPACKE_dgetrf_work(...) NND_SERIAL(LAPACKE_dgetrf_work(__VA_ARGS__))
#define LAPACKE_dgetrs_work(...) NND_SERIAL(LAPACKE_dgetrs_work(__VA_ARGS__))
#define LAPACKE_dorgqr(...)      NND_SERIAL(LAPACKE_dorgqr(__VA_ARGS__))
#define LAPACKE_dormqr(...)      NND_SERIAL(LAPACKE_dormqr(__VA_ARGS__))
#define LAPACKE_dposv(...)       NND_SERIAL(LAPACKE_dposv(__VA_ARGS__))
#define LAPACKE_dpotrf(...)      NND_SERIAL(LAPACKE_dpotrf(__VA_ARGS__))
#define LAPACKE_dpstrf(...)      NND_SERIAL(LAPACKE_dpstrf(__VA_ARGS__))
#define LAPACKE_dstev(...)       NND_SERIAL(LAPACKE_dstev(__VA_ARGS__))
#define LAPACKE_dstevr(...)      NND_SERIAL(LAPACKE_dstevr(__VA_ARGS__))
#define LAPACKE_dsyev(...)       NND_SERIAL(LAPACKE_dsyev(__VA_ARGS__))
#define LAPACKE_dsyevd(...)      NND_SERIAL(LAPACKE_dsyevd(__VA_ARGS__))
#define LAPACKE_dsyevr(...)      NND_SERIAL(LAPACKE_dsyevr(__VA_ARGS__))
#define LAPACKE_dsygv(...)       NND_SERIAL(LAPACKE_dsygv(__VA_ARGS__))
#define LAPACKE_dsytrf(...)      NND_SERIAL(LAPACKE_dsytrf(__VA_ARGS__))
#define LAPACKE_dsytrs(...)      NND_SERIAL(LAPACKE_dsytrs(__VA_ARGS__))
#define LAPACKE_zgesv(...)       NND_SERIAL(LAPACKE_zgesv(__VA_ARGS__))
#define LAPACKE_zgetrf_work(...) NND_SERIAL(LAPACKE_zgetrf_work(__VA_ARGS__))
#define LAPACKE_zgetri_work(...) NND_SERIAL(LAPACKE_zgetri_work(__VA_ARGS__))
#define LAPACKE_zgetrs(...)      NND_SERIAL(LAPACKE_zgetrs(__VA_ARGS__))
#define LAPACKE_zgetrs_work(...) NND_SERIAL(LAPACKE_zgetrs_work(__VA_ARGS__))

#endif
