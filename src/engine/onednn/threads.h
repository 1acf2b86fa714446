/* SPDX-License-Identifier: MIT */
/* oneDNN runs on OpenMP's threads. Declared by hand, as not every compiler here brings omp.h. */
#ifndef ZF_ENGINE_ONEDNN_THREADS_H
#define ZF_ENGINE_ONEDNN_THREADS_H

void omp_set_num_threads(int threads);
int omp_get_max_threads(void);

/* How many threads the calling thread's next parallel regions use; returns the number before, so
   that an engine leaves its caller as it was. */
static inline int zf_onednn_threads_set(int threads)
{
    const int before = omp_get_max_threads();

    omp_set_num_threads(threads);
    return before;
}

#endif
