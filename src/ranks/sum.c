/* SPDX-License-Identifier: MIT */
/*
 * Sums over ranks, of arrays of a hundred million numbers, that come to the same bits whatever the
 * number of ranks.
 *
 * An array goes in chunks. Of each chunk every rank gets a piece from all others, adds them up in a
 * tree, and gives the sum to all: a rank sends, and gets, twice the array less its own pieces,
 * whatever the number of ranks. MPI's own reductions are as fast, but their order is their own.
 *
 * Chunks wait in a queue; a few are on their way at a time, so that pieces travel while others are
 * added, and while the rank computes. MPI wants the same order of calls on all ranks: spreading and
 * collecting have a communicator each, and each goes chunk by chunk.
 */
#include "ranks/ranks.h"

#include "base/memory.h"
#include "ranks/carrier.h"

#define CHUNK ((int64_t)1 << 23) /* numbers */

struct chunk {
    float *values;
    int64_t count;
};

struct zf_sum {
    struct zf_ranks *ranks;
    struct chunk *queue;
    size_t queued, capacity;
    size_t spread, added, collected; /* chunks that are so far; spread: begun */
    float *pieces[ZF_ON_THE_WAY];    /* [CHUNK + ranks]: everybody's, but for this rank's own */
    float **nodes;                   /* [ranks]: where the sums of the tree lie */
    struct zf_traffic spreading[ZF_ON_THE_WAY], collecting[ZF_ON_THE_WAY];
    bool no_memory;
};

enum zf_status zf_sum_create(struct zf_ranks *ranks, struct zf_sum **out, struct zf_error *err)
{
    const int count = zf_ranks_count(ranks);
    struct zf_sum *sum = zf_alloc(1, sizeof *sum);
    bool complete = sum != NULL;

    if (complete)
        sum->ranks = ranks;
    for (int k = 0; complete && count > 1 && k < ZF_ON_THE_WAY; k++) {
        /* A piece is rounded up to one number more. */
        sum->pieces[k] = zf_alloc_raw((size_t)(CHUNK + count), sizeof(float));
        complete = sum->pieces[k] != NULL;
    }
    if (complete) {
        sum->nodes = zf_alloc((size_t)count, sizeof *sum->nodes);
        complete = sum->nodes != NULL;
    }
    if (!complete) {
        zf_sum_free(&sum);
        return zf_no_memory(err, "sums over %d ranks", count);
    }
    *out = sum;
    return ZF_OK;
}

void zf_sum_free(struct zf_sum **pointer)
{
    struct zf_sum *sum = pointer ? *pointer : NULL;

    if (!sum)
        return;
    for (int k = 0; k < ZF_ON_THE_WAY; k++)
        zf_free(sum->pieces[k]);
    zf_free(sum->nodes);
    zf_free(sum->queue);
    zf_free(sum);
    *pointer = NULL;
}

static void add(float *restrict to, const float *restrict other, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        to[i] += other[i];
}

/* The tree over the ranks' pieces. What this rank's own is part of is added up where that lies, so
   that the root is where it belongs; which of two numbers is added to which is nothing to their
   sum. */
static void add_pieces(struct zf_sum *sum, const struct chunk *chunk, float *pieces)
{
    const int ranks = zf_ranks_count(sum->ranks), rank = zf_ranks_rank(sum->ranks);
    const int64_t begin = zf_piece_begin(chunk->count, ranks, rank);
    const int64_t size = zf_piece_begin(chunk->count, ranks, rank + 1) - begin;

    float *own = chunk->values + begin;

    for (int k = 0; k < ranks; k++)
        sum->nodes[k] = k == rank ? own : pieces + k * size;
    for (int step = 1; step < ranks; step *= 2) {
        for (int k = 0; k + step < ranks; k += 2 * step) {
            if (sum->nodes[k + step] == own) {
                add(own, sum->nodes[k], size);
                sum->nodes[k] = own;
            } else {
                add(sum->nodes[k], sum->nodes[k + step], size);
            }
        }
    }
}

static bool is_done(struct zf_sum *sum, struct zf_traffic *traffic)
{
    return sum->ranks->carrier->done(sum->ranks, traffic);
}

/* Whatever can be done without waiting. */
static void advance(struct zf_sum *sum)
{
    struct zf_ranks *ranks = sum->ranks;
    bool moved = true;

    while (moved) {
        const size_t next = sum->added, slot = next % ZF_ON_THE_WAY;

        moved = false;
        if (sum->collected < sum->added &&
            is_done(sum, &sum->collecting[sum->collected % ZF_ON_THE_WAY])) {
            sum->collected++;
            moved = true;
        }
        if (sum->spread < sum->queued && sum->spread < sum->collected + ZF_ON_THE_WAY) {
            const struct chunk *chunk = &sum->queue[sum->spread];
            const size_t to = sum->spread % ZF_ON_THE_WAY;

            ranks->carrier->spread(ranks, chunk->values, chunk->count, sum->pieces[to],
                                   &sum->spreading[to]);
            sum->spread++;
            moved = true;
        }
        if (next < sum->spread && is_done(sum, &sum->spreading[slot])) {
            add_pieces(sum, &sum->queue[next], sum->pieces[slot]);
            ranks->carrier->collect(ranks, sum->queue[next].values, sum->queue[next].count,
                                    &sum->collecting[slot]);
            sum->added++;
            moved = true;
        }
    }
}

void zf_sum_begin(struct zf_sum *sum, float *values, int64_t count)
{
    if (zf_ranks_count(sum->ranks) == 1)
        return;
    for (int64_t at = 0; at < count; at += CHUNK) {
        void *queue = sum->queue;

        if (!zf_grow(&queue, &sum->capacity, sum->queued + 1, sizeof *sum->queue)) {
            sum->no_memory = true;
            return;
        }
        sum->queue = queue;
        sum->queue[sum->queued++] =
            (struct chunk){values + at, count - at < CHUNK ? count - at : CHUNK};
    }
    advance(sum);
}

enum zf_status zf_sum_end(struct zf_sum *sum, struct zf_error *err)
{
    if (sum->no_memory)
        return zf_no_memory(err, "the list of sums over ranks");
    advance(sum);
    while (sum->collected < sum->queued) {
        const size_t slot = sum->collected % ZF_ON_THE_WAY;

        /* Of the oldest: what its collecting waits for, or its spreading. */
        ZF_CHECK(zf_traffic_wait(
            sum->ranks,
            sum->collected < sum->added ? &sum->collecting[slot] : &sum->spreading[slot], err));
        advance(sum);
    }
    sum->queued = sum->spread = sum->added = sum->collected = 0;
    return ZF_OK;
}
