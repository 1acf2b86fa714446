/* SPDX-License-Identifier: MIT */
/**
 * What the library's own files do with ranks beyond zf/ranks.h. mpi.c has it over MPI, and is the
 * only file that knows mpi.h. Everything takes NULL for a process
 * that is alone, and then does what is left to do: mostly nothing.
 *
 * All of it is done together, in the same order on all ranks. ZF_EIO names a rank that is lost.
 */
#ifndef ZF_RANKS_RANKS_H
#define ZF_RANKS_RANKS_H

#include "ranks/traffic.h"
#include "zf/ranks.h"

/* "2 of 4 (host)", for a sentence: rank `rank`. Lent. */
const char *zf_ranks_name(const struct zf_ranks *ranks, int rank);

/* Everybody's `bytes` from `mine`, by rank, to everybody's `all` [count * bytes]. */
enum zf_status zf_ranks_gather(struct zf_ranks *ranks, const void *mine, size_t bytes, void *all,
                               struct zf_error *err);

/* The same in two steps, with other work between them, but for gathering and sharing; all of it is
   lent meanwhile. */
void zf_ranks_gather_begin(struct zf_ranks *ranks, const void *mine, size_t bytes, void *all,
                           struct zf_traffic *traffic);
enum zf_status zf_ranks_gather_end(struct zf_ranks *ranks, struct zf_traffic *traffic,
                                   struct zf_error *err);

/* What rank `from` has at `data`, to everybody's. */
enum zf_status zf_ranks_share(struct zf_ranks *ranks, int from, void *data, size_t bytes,
                              struct zf_error *err);

/* Replace whole numbers on all ranks by their sums over the ranks. ZF_ENOMEM. */
enum zf_status zf_ranks_add(struct zf_ranks *ranks, int64_t *values, size_t count,
                            struct zf_error *err);

/* Not together: have zf_ranks_stopping() be true on all ranks, soon. */
void zf_ranks_stop(struct zf_ranks *ranks);

/* A failure that all ranks have come to by themselves, with the same sentence, on their way out. */
void zf_ranks_all_know(struct zf_ranks *ranks);

/* Seconds that this rank has waited for others since it joined. */
double zf_ranks_waited_s(const struct zf_ranks *ranks);

/* The room and state of sums: see sum.c. */
struct zf_sum;

/**
 * Prepare to add up arrays, `count` numbers at a time at most, on all ranks. `*out` is handed over;
 * end with zf_sum_free(), which waits for nothing. ZF_ENOMEM.
 */
enum zf_status zf_sum_create(struct zf_ranks *ranks, struct zf_sum **out, struct zf_error *err);
void zf_sum_free(struct zf_sum **sum);

/**
 * Replace `values` on all ranks by their sum over the ranks, (0 + 1) + (2 + 3) and so on: a tree
 * that goes on the one of each rank's own terms. The count of ranks is a power of two. The work
 * goes on until zf_sum_end(); the values are lent until then.
 */
void zf_sum_begin(struct zf_sum *sum, float *values, int64_t count);
enum zf_status zf_sum_end(struct zf_sum *sum, struct zf_error *err);

#endif
