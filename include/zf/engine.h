/* SPDX-License-Identifier: MIT */
/**
 * What computes: the engines of this build, the libraries under them, and the instruction set of
 * the processor that they use.
 *
 *     zf_cpu_limit("avx2", &err);                 as if the processor had no AVX-512
 *     zf_engine_describe(NULL, &info, &err);      onednn, oneDNN, 2.6.3, avx2
 *
 * Threads: zf_cpu_limit() is for one thread, before the others begin; the rest is for any.
 */
#ifndef ZF_ENGINE_H
#define ZF_ENGINE_H

#include "zf/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Name of the i-th engine of this build, best first; NULL past the last. */
ZF_API const char *zf_engine_name(size_t i);

/* Static storage throughout. */
struct zf_engine_info {
    const char *name;
    const char *library; /* that computes, "oneDNN"; NULL = loops of zfscope's own */
    char version[32];    /* of that library, as it runs here; "" without one */
    const char *isa;     /* instruction set in use: a name of zf_cpu_name(); "sse2" or "neon" for
                            loops as the compiler made them; "native" where the library keeps its
                            choice to itself (oneDNN on aarch64) */
};

/**
 * Describe an engine of this build.
 *
 * name  one of zf_engine_name(), NULL = the best
 *
 * Returns ZF_EINVAL with the names that exist. The instruction set is settled by this:
 * zf_cpu_limit() comes before.
 */
ZF_API enum zf_status zf_engine_describe(const char *name, struct zf_engine_info *info,
                                         struct zf_error *err);

/**
 * Name of the i-th instruction set that zf_cpu_limit() takes on this processor, the least first:
 * of sse41, avx, avx2, avx512 (F, CD, BW, DQ and VL), avx512_bf16 and amx those that the processor
 * has, and then "native", which is all of it. NULL past the last. Other than x86: "native" alone.
 */
ZF_API const char *zf_cpu_name(size_t i);

/**
 * Hold this process to an instruction set: zfscope's own loops and the library under each engine
 * use nothing beyond it. For figures and tests of lesser processors; results of different sets
 * differ by the rounding of sums.
 *
 * name  one of zf_cpu_name(); "native" undoes what the library's own environment variable asks
 *
 * Returns ZF_EINVAL for a name that does not exist or a set that the processor lacks (with those
 * that it has), for a set below the one that zfscope itself was compiled for, and once the set is
 * settled: by a limit before, the first plan or zf_engine_describe(); ZF_EUNSUPPORTED where the
 * library under an engine was built without limits. After an error nothing has changed.
 */
ZF_API enum zf_status zf_cpu_limit(const char *name, struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
