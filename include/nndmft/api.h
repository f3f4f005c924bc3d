/* SPDX-License-Identifier: GPL-3.0-or-later */
/** What stands around the declarations of every public header. */
#ifndef NNDMFT_API_H
#define NNDMFT_API_H

/**
 * Between the two, functions and objects have C linkage and are exported: the shared library hides
 * all others.
 */
#ifdef __cplusplus
#define NND_API_BEGIN _Pragma("GCC visibility push(default)") extern "C" {
#define NND_API_END                                                                                \
    }                                                                                              \
    _Pragma("GCC visibility pop")
#else
#define NND_API_BEGIN _Pragma("GCC visibility push(default)")
#define NND_API_END   _Pragma("GCC visibility pop")
#endif

#endif
