/* SPDX-License-Identifier: MIT */
/*
 * Work that is dealt to the ranks an item at a time, and whose results the first rank takes in the
 * order of the items, wherever they were made: so what it makes of them, sums of floating numbers
 * too, is to the bit what a process that is alone makes.
 */
#ifndef ZF_RANKS_DEAL_H
#define ZF_RANKS_DEAL_H

#include "ranks/parcel.h"
#include "ranks/ranks.h"

struct zf_deal {
    struct zf_ranks *ranks;
    int64_t count; /* of items; rank k does those that zf_deal_rank() says, in their order */

    /* Do an item, and pack what comes of it; the parcel is empty. */
    enum zf_status (*work)(void *user, int64_t item, struct zf_parcel *parcel,
                           struct zf_error *err);
    /* On the first rank, in the order of the items: take it. */
    enum zf_status (*take)(void *user, int64_t item, struct zf_parcel *parcel,
                           struct zf_error *err);
    void *user;
};

/** Whose an item is. */
static inline int zf_deal_rank(int64_t item, int ranks)
{
    return (int)(item % ranks);
}

/**
 * Together. What fails on a rank, or is stopped there, ends it on all of them, each after the item
 * that it is at; all return the same, as of zf_ranks_agree(). A rank is at most two items ahead of
 * the first.
 */
enum zf_status zf_deal_run(const struct zf_deal *deal, struct zf_error *err);

#endif
