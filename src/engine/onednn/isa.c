/* SPDX-License-Identifier: MIT */
/*
 * What instructions may be used. oneDNN keeps the limit, and own loops ask it, so that neither goes
 * beyond what the other was held to, be it by zf_cpu_limit() or by oneDNN's environment variable.
 * The first question settles the answer for the life of the process.
 */
#include "onednn.h"

#include <stdio.h>

/* Sets are bits, those that they include among them. */
static const dnnl_cpu_isa_t sets[] = {
    [ZF_CPU_SSE41] = dnnl_cpu_isa_sse41,
    [ZF_CPU_AVX] = dnnl_cpu_isa_avx,
    [ZF_CPU_AVX2] = dnnl_cpu_isa_avx2,
    [ZF_CPU_AVX512] = dnnl_cpu_isa_avx512_core,
    [ZF_CPU_AVX512_BF16] = dnnl_cpu_isa_avx512_core_bf16,
    [ZF_CPU_AMX] = dnnl_cpu_isa_avx512_core_amx,
    [ZF_CPU_NATIVE] = (dnnl_cpu_isa_t)0, /* called _all by version 2 and _default by 3 */
};

bool zf_onednn_may_use(enum zf_cpu cpu)
{
    return zf_cpu_has(cpu) && (dnnl_get_effective_cpu_isa() & sets[cpu]) == sets[cpu];
}

enum zf_cpu zf_onednn_loops_isa(void)
{
    if (zf_onednn_may_use(ZF_CPU_AVX512))
        return ZF_CPU_AVX512;
    return zf_onednn_may_use(ZF_CPU_AVX2) ? ZF_CPU_AVX2 : ZF_CPU_PLAIN;
}

const char *zf_onednn_isa(void)
{
#ifdef __x86_64__
    for (enum zf_cpu cpu = ZF_CPU_AMX; cpu > ZF_CPU_PLAIN; cpu--) {
        if (zf_onednn_may_use(cpu))
            return zf_cpu_text(cpu);
    }
    return zf_cpu_built_for_text();
#else
    return zf_cpu_text(ZF_CPU_NATIVE);
#endif
}

void zf_onednn_version(char *text, size_t size)
{
    const dnnl_version_t *version = dnnl_version();

    snprintf(text, size, "%d.%d.%d", version->major, version->minor, version->patch);
}

enum zf_status zf_onednn_hold(enum zf_cpu most, struct zf_error *err)
{
#ifdef __x86_64__
    const dnnl_status_t status = dnnl_set_max_cpu_isa(sets[most]);

    if (status == dnnl_success)
        return ZF_OK;
    if (status == dnnl_unimplemented)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "this oneDNN was built without limits to the instruction set");
    return zf_fail(err, ZF_EINVAL,
                   "%s comes too late: this process has settled on %s, by a limit before or by its "
                   "first plan",
                   zf_cpu_text(most), zf_onednn_isa());
#else
    (void)most; /* there is "native" alone */
    (void)err;
    return ZF_OK;
#endif
}
