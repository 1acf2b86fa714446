/* SPDX-License-Identifier: MIT */
/* One limit to the instructions in use, for all engines of a process. */
#include "zf/engine.h"

#include <string.h>

#include "base/status.h"
#include "base/words.h"
#include "engine/cpu.h"
#include "engine/engine.h"

const char *zf_cpu_name(size_t i)
{
    for (enum zf_cpu cpu = ZF_CPU_SSE41; cpu <= ZF_CPU_NATIVE; cpu++) {
        if (zf_cpu_has(cpu) && i-- == 0)
            return zf_cpu_text(cpu);
    }
    return NULL;
}

/* One of zf_cpu_name(). */
static enum zf_status find(const char *name, enum zf_cpu *out, struct zf_error *err)
{
    char known[128] = "";
    bool exists = false;

    for (enum zf_cpu cpu = ZF_CPU_SSE41; cpu <= ZF_CPU_NATIVE; cpu++) {
        if (strcmp(name, zf_cpu_text(cpu)) != 0)
            continue;
        exists = true;
        *out = cpu;
        if (zf_cpu_has(cpu))
            return ZF_OK;
    }
    for (size_t i = 0; zf_cpu_name(i); i++)
        zf_add_name(known, sizeof known, zf_cpu_name(i));
    return zf_fail(err, ZF_EINVAL,
                   exists ? "this processor has no %s; it can be held to: %s"
                          : "there is no instruction set \"%s\"; this processor can be held to: %s",
                   name, known);
}

enum zf_status zf_cpu_limit(const char *name, struct zf_error *err)
{
    enum zf_cpu most = ZF_CPU_NATIVE;

    ZF_CHECK(find(name, &most, err));
    if (most < zf_cpu_built_for())
        return zf_fail(err, ZF_EINVAL,
                       "this build of zfscope was compiled for %s and cannot be held to %s",
                       zf_cpu_text(zf_cpu_built_for()), name);
    for (size_t i = 0; zf_engine_at(i); i++) {
        if (zf_engine_at(i)->hold)
            ZF_CHECK(zf_engine_at(i)->hold(most, err));
    }
    return ZF_OK;
}
