/* SPDX-License-Identifier: MIT */
/* For loops whose counts the compiler is to know, so that their sums stay in registers. Under the
   sanitizers nothing is unrolled: every copy would be checked, and take the compiler minutes. */
#ifndef ZF_ENGINE_LOOPS_H
#define ZF_ENGINE_LOOPS_H

#define ALWAYS_INLINE inline __attribute__((always_inline))

#ifdef __has_feature
#define ZF_HAS_FEATURE(name) __has_feature(name)
#else
#define ZF_HAS_FEATURE(name) 0
#endif

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ ||                                 \
    ZF_HAS_FEATURE(address_sanitizer) || ZF_HAS_FEATURE(thread_sanitizer)
#define UNROLL
#elif defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

#endif
