/* SPDX-License-Identifier: MIT */
#include "ranks/facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

void zf_facts_add(struct zf_facts *facts, const char *name, const char *format, ...)
{
    va_list args;

    if (facts->count == ZF_FACTS_MOST)
        return;
    facts->names[facts->count] = name;
    va_start(args, format);
    vsnprintf(facts->values[facts->count++], ZF_FACT_BYTES, format, args);
    va_end(args);
}

/* The first that differs, the same on all ranks. */
static enum zf_status find_difference(const struct zf_ranks *ranks, const struct zf_facts *mine,
                                      const char (*all)[ZF_FACTS_MOST][ZF_FACT_BYTES],
                                      struct zf_error *err)
{
    for (int k = 1; k < zf_ranks_count(ranks); k++) {
        for (int i = 0; i < mine->count; i++)
            if (strcmp(all[k][i], all[0][i]) != 0)
                return zf_fail(err, ZF_EINPUT,
                               "rank %s differs from rank %s in %s: %s there, %s here",
                               zf_ranks_name(ranks, k), zf_ranks_name(ranks, 0), mine->names[i],
                               all[k][i], all[0][i]);
    }
    return ZF_OK;
}

enum zf_status zf_facts_compare(struct zf_ranks *ranks, const struct zf_facts *facts,
                                enum zf_status mine, struct zf_error *err)
{
    const size_t count = (size_t)zf_ranks_count(ranks);
    char(*all)[ZF_FACTS_MOST][ZF_FACT_BYTES] = NULL;
    enum zf_status status = mine;

    if (count == 1)
        return mine;
    all = zf_alloc(count, sizeof *all);
    if (!all && mine == ZF_OK)
        status = zf_no_memory(err, "what %zu ranks say", count);
    ZF_TRY(zf_ranks_agree(ranks, status, err));
    ZF_TRY(zf_ranks_gather(ranks, facts->values, sizeof facts->values, all, err));
    status = find_difference(ranks, facts, (const char(*)[ZF_FACTS_MOST][ZF_FACT_BYTES])all, err);
    if (status != ZF_OK)
        zf_ranks_all_know(ranks);
fail:
    zf_free(all);
    return status;
}
