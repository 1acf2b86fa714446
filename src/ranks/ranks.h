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

/* Whether all have come, so that zf_ranks_gather_end() would not wait. */
bool zf_ranks_gather_there(struct zf_ranks *ranks, struct zf_traffic *traffic);

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
 * Arrays that are added up over the ranks, and what is made of the sums: of each piece of them
 * once, on the rank that it falls to, which then gives it to all.
 */
struct zf_sum_work {
    float *values;  /* [count]: this rank's terms; what is left there is nobody's */
    float *results; /* [count]: made, and the same on all ranks */
    int64_t count;
    const int64_t *parts; /* [part_count]: where they begin, from the last part down to 0; lent */
    size_t part_count;
    void *user;

    /* The last place up to `at`, which may be a part's begin or not, where a piece may begin. */
    int64_t (*place)(void *user, int64_t at);
    /* The sums are at values[begin..end): make of them what comes to results[begin..end). */
    void (*make)(void *user, int64_t begin, int64_t end);
};

/** `*out` is handed over; end with zf_sum_free(), which waits for nothing. ZF_ENOMEM. */
enum zf_status zf_sum_create(struct zf_ranks *ranks, const struct zf_sum_work *work,
                             struct zf_sum **out, struct zf_error *err);
void zf_sum_free(struct zf_sum **sum);

/**
 * The terms of a part are there, on this rank; the parts before it have begun. They are added up
 * over the ranks as (0 + 1) + (2 + 3) and so on: a tree that goes on the one of each rank's own
 * terms. The count of ranks is a power of two. All arrays are lent until zf_sum_end().
 */
void zf_sum_begin(struct zf_sum *sum, size_t part);

/** From now on, something may be made of the sums. All ranks allow it, or none. */
void zf_sum_allow(struct zf_sum *sum);

/** Wait until all is made, or, where that was not allowed, until the arrays are given back. */
enum zf_status zf_sum_end(struct zf_sum *sum, struct zf_error *err);

/** What each rank has in its pieces of an array [count], to rank 0 (`bring`) or from there. */
enum zf_status zf_sum_carry(struct zf_sum *sum, float *values, bool bring, struct zf_error *err);

#endif
