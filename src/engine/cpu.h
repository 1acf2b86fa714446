/* SPDX-License-Identifier: MIT */
/**
 * Instruction sets of x86, as far as any loop here or any engine's library tells them apart. Each
 * includes those before it. What may be *used* is an engine's to say, since its library may be held
 * to less than the processor has.
 */
#ifndef ZF_ENGINE_CPU_H
#define ZF_ENGINE_CPU_H

#include <stdbool.h>

enum zf_cpu {
    ZF_CPU_PLAIN, /* none of the following */
    ZF_CPU_SSE41,
    ZF_CPU_AVX,
    ZF_CPU_AVX2,        /* and FMA */
    ZF_CPU_AVX512,      /* F, CD, BW, DQ, VL: since Skylake-X and Zen 4 */
    ZF_CPU_AVX512_BF16, /* Cooper Lake, Sapphire Rapids, Zen 4 */
    ZF_CPU_AMX,         /* tiles: bf16 and int8 */
    ZF_CPU_NATIVE,      /* no limit */
};

/** Whether the processor has the set; ZF_CPU_PLAIN and ZF_CPU_NATIVE always. */
bool zf_cpu_has(enum zf_cpu cpu);

/** "avx2"; of ZF_CPU_PLAIN and ZF_CPU_NATIVE "plain" and "native". */
const char *zf_cpu_text(enum zf_cpu cpu);

/** The set that the compiler was told to use anywhere, and its name ("sse2" on plain x86-64). */
enum zf_cpu zf_cpu_built_for(void);
const char *zf_cpu_built_for_text(void);

#endif
