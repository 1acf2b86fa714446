/* SPDX-License-Identifier: MIT */
/*
 * Sums over ranks, of arrays of a hundred million numbers, that come to the same bits whatever the
 * number of ranks, and what is made of them.
 *
 * An array goes in chunks. Of each chunk every rank gets a piece from all others, adds them up in a
 * tree, makes of the sums what is asked for, and gives that to all: a rank sends, and gets, twice
 * the array less its own pieces, whatever the number of ranks, and nothing is made twice. MPI's own
 * reductions are as fast, but their order is their own.
 *
 * Chunks wait in a queue; a few are on their way at a time, so that pieces travel while others are
 * added, and while the rank computes. MPI wants the same order of calls on all ranks: spreading and
 * collecting have a communicator each, and each goes chunk by chunk.
 */
#include "ranks/ranks.h"

#include "base/memory.h"
#include "ranks/carrier.h"

#define CHUNK ((int64_t)1 << 21) /* numbers */

struct zf_sum {
    struct zf_ranks *ranks;
    struct zf_sum_work work;
    int64_t *begins; /* [chunks + 1]: of each, from the array's end down to 0 */
    int *pieces;     /* [chunks][ranks + 1]: where each rank's begins, counted from the chunk's */
    size_t *ends;    /* [parts]: chunks up to the end of each */
    size_t chunks;
    size_t queued, spread, added, collected; /* chunks that are so far; spread: begun */
    bool allowed;                            /* something may be made of the sums */
    float *others[ZF_ON_THE_WAY];            /* everybody's of this rank's piece but its own */
    float **nodes;                           /* [ranks]: where the sums of the tree lie */
    struct zf_traffic spreading[ZF_ON_THE_WAY], collecting[ZF_ON_THE_WAY];
};

/* Where a chunk begins that ends at `end`, of a part that begins at `begin`. */
static int64_t chunk_begin(const struct zf_sum_work *work, int64_t begin, int64_t end)
{
    return end - begin <= CHUNK ? begin : work->place(work->user, end - CHUNK);
}

/* With `begins` NULL they are only counted. */
static size_t cut_chunks(const struct zf_sum_work *work, int64_t *begins, size_t *ends)
{
    int64_t end = work->count;
    size_t chunks = 0;

    if (begins)
        begins[0] = end;
    for (size_t part = 0; part < work->part_count; part++) {
        while (end > work->parts[part]) {
            end = chunk_begin(work, work->parts[part], end);
            chunks++;
            if (begins)
                begins[chunks] = end;
        }
        if (ends)
            ends[part] = chunks;
    }
    return chunks;
}

static int *pieces_of(const struct zf_sum *sum, size_t chunk)
{
    return sum->pieces + chunk * ((size_t)zf_ranks_count(sum->ranks) + 1);
}

static int64_t piece_size(const struct zf_sum *sum, size_t chunk, int rank)
{
    const int *pieces = pieces_of(sum, chunk);

    return pieces[rank + 1] - pieces[rank];
}

/* Equal pieces, but for what is not cut. The largest of this rank's. */
static int64_t cut_pieces(struct zf_sum *sum)
{
    const int ranks = zf_ranks_count(sum->ranks);
    int64_t largest = 0;

    for (size_t c = 0; c < sum->chunks; c++) {
        const int64_t begin = sum->begins[c + 1], size = sum->begins[c] - begin;
        int *pieces = pieces_of(sum, c);
        int64_t own;

        for (int k = 1; k < ranks; k++)
            pieces[k] = (int)(sum->work.place(sum->work.user, begin + size * k / ranks) - begin);
        pieces[ranks] = (int)size;
        own = piece_size(sum, c, zf_ranks_rank(sum->ranks));
        largest = own > largest ? own : largest;
    }
    return largest;
}

static bool allocate(struct zf_sum *sum)
{
    const size_t ranks = (size_t)zf_ranks_count(sum->ranks);
    bool complete;
    int64_t largest;

    sum->chunks = cut_chunks(&sum->work, NULL, NULL);
    sum->begins = zf_alloc(sum->chunks + 1, sizeof *sum->begins);
    sum->ends = zf_alloc(sum->work.part_count, sizeof *sum->ends);
    sum->pieces = zf_alloc(sum->chunks * (ranks + 1), sizeof *sum->pieces);
    sum->nodes = zf_alloc(ranks, sizeof *sum->nodes);
    if (!sum->begins || !sum->ends || !sum->pieces || !sum->nodes)
        return false;
    cut_chunks(&sum->work, sum->begins, sum->ends);
    largest = cut_pieces(sum);
    complete = true;
    for (int k = 0; complete && ranks > 1 && k < ZF_ON_THE_WAY; k++) {
        sum->others[k] = zf_alloc_raw((size_t)largest * ranks, sizeof *sum->others[k]);
        complete = sum->others[k] != NULL;
    }
    return complete;
}

enum zf_status zf_sum_create(struct zf_ranks *ranks, const struct zf_sum_work *work,
                             struct zf_sum **out, struct zf_error *err)
{
    struct zf_sum *sum = zf_alloc(1, sizeof *sum);
    bool complete = sum != NULL;

    if (complete) {
        sum->ranks = ranks;
        sum->work = *work;
        complete = allocate(sum);
    }
    if (!complete) {
        zf_sum_free(&sum);
        return zf_no_memory(err, "sums over %d ranks", zf_ranks_count(ranks));
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
        zf_free(sum->others[k]);
    zf_free(sum->nodes);
    zf_free(sum->pieces);
    zf_free(sum->ends);
    zf_free(sum->begins);
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
static void add_pieces(struct zf_sum *sum, float *own, float *others, int64_t size)
{
    const int ranks = zf_ranks_count(sum->ranks), rank = zf_ranks_rank(sum->ranks);

    for (int k = 0; k < ranks; k++)
        sum->nodes[k] = k == rank ? own : others + k * size;
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

/* Sums of this rank's piece of a chunk, and what is made of them, on its way to all. */
static void add_chunk(struct zf_sum *sum, size_t c)
{
    const struct zf_sum_work *work = &sum->work;
    const int rank = zf_ranks_rank(sum->ranks);
    const size_t slot = c % ZF_ON_THE_WAY;
    const int64_t begin = sum->begins[c + 1] + pieces_of(sum, c)[rank];
    const int64_t size = piece_size(sum, c, rank);

    add_pieces(sum, work->values + begin, sum->others[slot], size);
    work->make(work->user, begin, begin + size);
    sum->ranks->carrier->collect(sum->ranks, work->results + sum->begins[c + 1], pieces_of(sum, c),
                                 &sum->collecting[slot]);
}

static bool is_done(struct zf_sum *sum, struct zf_traffic *traffic)
{
    return sum->ranks->carrier->done(sum->ranks, traffic);
}

/* One thing that can be done without waiting: whether there was one. */
static bool move(struct zf_sum *sum)
{
    struct zf_ranks *ranks = sum->ranks;

    if (sum->collected < sum->added &&
        is_done(sum, &sum->collecting[sum->collected % ZF_ON_THE_WAY])) {
        sum->collected++;
        return true;
    }
    if (sum->spread < sum->queued && sum->spread < sum->collected + ZF_ON_THE_WAY) {
        const size_t c = sum->spread++, slot = c % ZF_ON_THE_WAY;

        ranks->carrier->spread(ranks, sum->work.values + sum->begins[c + 1], pieces_of(sum, c),
                               sum->others[slot], &sum->spreading[slot]);
        return true;
    }
    if (sum->allowed && sum->added < sum->spread &&
        is_done(sum, &sum->spreading[sum->added % ZF_ON_THE_WAY])) {
        add_chunk(sum, sum->added++);
        return true;
    }
    return false;
}

static bool move_some(void *user)
{
    return move(user);
}

void zf_sum_begin(struct zf_sum *sum, size_t part)
{
    if (zf_ranks_count(sum->ranks) == 1)
        return;
    sum->queued = sum->ends[part];
    while (move(sum))
        ;
}

void zf_sum_allow(struct zf_sum *sum)
{
    sum->allowed = true;
}

static enum zf_status make_all(struct zf_sum *sum, struct zf_error *err)
{
    if (zf_ranks_count(sum->ranks) == 1)
        sum->work.make(sum->work.user, 0, sum->work.count);
    while (sum->collected < sum->queued)
        if (!move(sum))
            ZF_CHECK(zf_ranks_wait(sum->ranks, move_some, sum, err));
    return ZF_OK;
}

/* Nobody makes anything, so all have spread the same few chunks. */
static enum zf_status drop_all(struct zf_sum *sum, struct zf_error *err)
{
    while (zf_ranks_count(sum->ranks) > 1 && move(sum))
        ;
    for (size_t c = 0; c < sum->spread; c++)
        ZF_CHECK(zf_traffic_wait(sum->ranks, &sum->spreading[c], err));
    return ZF_OK;
}

enum zf_status zf_sum_end(struct zf_sum *sum, struct zf_error *err)
{
    ZF_CHECK(sum->allowed ? make_all(sum, err) : drop_all(sum, err));
    sum->queued = sum->spread = sum->added = sum->collected = 0;
    sum->allowed = false;
    return ZF_OK;
}

/* A piece between its owner and rank 0. */
static enum zf_status carry(struct zf_sum *sum, int owner, float *piece, size_t bytes, bool bring,
                            struct zf_error *err)
{
    struct zf_ranks *ranks = sum->ranks;
    struct zf_traffic traffic = {0};

    if (zf_ranks_rank(ranks) == (bring ? owner : 0))
        ranks->carrier->send(ranks, bring ? 0 : owner, piece, bytes, &traffic);
    else if (zf_ranks_rank(ranks) == (bring ? 0 : owner))
        ranks->carrier->receive(ranks, bring ? owner : 0, piece, bytes, &traffic);
    return zf_traffic_wait(ranks, &traffic, err);
}

enum zf_status zf_sum_carry(struct zf_sum *sum, float *values, bool bring, struct zf_error *err)
{
    for (size_t c = 0; c < sum->chunks; c++)
        for (int k = 1; k < zf_ranks_count(sum->ranks); k++)
            ZF_CHECK(carry(sum, k, values + sum->begins[c + 1] + pieces_of(sum, c)[k],
                           (size_t)piece_size(sum, c, k) * sizeof *values, bring, err));
    return ZF_OK;
}
