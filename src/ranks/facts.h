/* SPDX-License-Identifier: MIT */
/* What must be equal on all ranks, in words. */
#ifndef ZF_RANKS_FACTS_H
#define ZF_RANKS_FACTS_H

#include "ranks/ranks.h"

#define ZF_FACTS_MOST 128
#define ZF_FACT_BYTES 96

struct zf_facts {
    int count;
    const char *names[ZF_FACTS_MOST]; /* lent */
    char values[ZF_FACTS_MOST][ZF_FACT_BYTES];
};

/** One more, the same on all ranks but for the value; what is too many or too long is cut off. */
void zf_facts_add(struct zf_facts *facts, const char *name, const char *format, ...)
    ZF_PRINTF(3, 4);

/**
 * Together: are they equal? ZF_EINPUT names the first that differs from rank 0, and in what.
 * `mine` is how this rank has fared with finding them.
 */
enum zf_status zf_facts_compare(struct zf_ranks *ranks, const struct zf_facts *facts,
                                enum zf_status mine, struct zf_error *err);

#endif
