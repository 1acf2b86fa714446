/* SPDX-License-Identifier: MIT */
/* Before a loop whose rounds are independent: they are shared out evenly between threads. Without
   OpenMP in the compiler the loop runs on one. */
#ifndef ZF_ENGINE_PARALLEL_H
#define ZF_ENGINE_PARALLEL_H

#include <limits.h>

#ifdef _OPENMP
#define ZF_PRAGMA(text) _Pragma(#text)
#define ZF_PARALLEL_FOR(threads) ZF_PRAGMA(omp parallel for num_threads(threads) schedule(static))
#define ZF_PARALLEL_MOST INT_MAX /* threads */
#else
#define ZF_PARALLEL_FOR(threads) (void)(threads);
#define ZF_PARALLEL_MOST 1
#endif

#endif
