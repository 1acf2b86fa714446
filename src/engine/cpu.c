/* SPDX-License-Identifier: MIT */
#include "cpu.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

static const char *const names[] = {
    [ZF_CPU_PLAIN] = "plain", [ZF_CPU_SSE41] = "sse41",   [ZF_CPU_AVX] = "avx",
    [ZF_CPU_AVX2] = "avx2",   [ZF_CPU_AVX512] = "avx512", [ZF_CPU_AVX512_BF16] = "avx512_bf16",
    [ZF_CPU_AMX] = "amx",     [ZF_CPU_NATIVE] = "native",
};

const char *zf_cpu_text(enum zf_cpu cpu)
{
    return names[cpu];
}

#ifdef __x86_64__

/* __builtin_cpu_supports() of clang 14 does not know it. */
static bool has_amx(void)
{
    const unsigned bits = 1u << 22 | 1u << 24 | 1u << 25; /* bf16, tiles, int8 */
    unsigned a = 0, b = 0, c = 0, d = 0;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & bits) == bits;
}

bool zf_cpu_has(enum zf_cpu cpu)
{
    __builtin_cpu_init();
    switch (cpu) {
    case ZF_CPU_PLAIN:
    case ZF_CPU_NATIVE:
        return true;
    case ZF_CPU_SSE41:
        return __builtin_cpu_supports("sse4.1");
    case ZF_CPU_AVX:
        return zf_cpu_has(ZF_CPU_SSE41) && __builtin_cpu_supports("avx");
    case ZF_CPU_AVX2:
        return zf_cpu_has(ZF_CPU_AVX) && __builtin_cpu_supports("avx2") &&
               __builtin_cpu_supports("fma");
    case ZF_CPU_AVX512:
        return zf_cpu_has(ZF_CPU_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case ZF_CPU_AVX512_BF16:
        return zf_cpu_has(ZF_CPU_AVX512) && __builtin_cpu_supports("avx512bf16");
    case ZF_CPU_AMX:
        return zf_cpu_has(ZF_CPU_AVX512_BF16) && has_amx();
    }
    return false;
}

#else

bool zf_cpu_has(enum zf_cpu cpu)
{
    return cpu == ZF_CPU_PLAIN || cpu == ZF_CPU_NATIVE;
}

#endif

enum zf_cpu zf_cpu_built_for(void)
{
#if defined(__AVX512F__)
    return ZF_CPU_AVX512;
#elif defined(__AVX2__)
    return ZF_CPU_AVX2;
#elif defined(__AVX__)
    return ZF_CPU_AVX;
#elif defined(__SSE4_1__)
    return ZF_CPU_SSE41;
#else
    return ZF_CPU_PLAIN;
#endif
}

const char *zf_cpu_built_for_text(void)
{
    if (zf_cpu_built_for() != ZF_CPU_PLAIN)
        return zf_cpu_text(zf_cpu_built_for());
#if defined(__SSE2__)
    return "sse2";
#elif defined(__ARM_FEATURE_SVE)
    return "sve";
#elif defined(__ARM_NEON)
    return "neon";
#else
    return "plain";
#endif
}
