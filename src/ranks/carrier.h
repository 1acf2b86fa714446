/* SPDX-License-Identifier: MIT */
/**
 * What carries data between ranks: a table that MPI fills (mpi.c), and whose calls all return at
 * once. ranks.c and sum.c wait for what is on its way.
 *
 * Each of the kinds of traffic is begun in the same order on all ranks, what is sent in the order
 * in which it is received; between kinds there is no order. At most ZF_ON_THE_WAY spreadings and as
 * many collectings are on their way.
 */
#ifndef ZF_RANKS_CARRIER_H
#define ZF_RANKS_CARRIER_H

#include "ranks/traffic.h"
#include "zf/ranks.h"

#define ZF_ON_THE_WAY 8
#define ZF_TRAFFIC_LARGEST ((size_t)1 << 30) /* bytes: MPI counts in int */

struct zf_carrier {
    const char *(*library)(void);

    /* Fills rank, count, names and state. */
    enum zf_status (*join)(struct zf_ranks *ranks, struct zf_error *err);
    /* Together with the others, or ending them; what is on its way is dropped. */
    void (*leave)(struct zf_ranks *ranks, bool together);

    void (*gather)(struct zf_ranks *ranks, const void *mine, size_t bytes, void *all,
                   struct zf_traffic *traffic);
    void (*share)(struct zf_ranks *ranks, int from, void *data, size_t bytes,
                  struct zf_traffic *traffic);
    /* Piece k of the numbers, from pieces[k] to pieces[k + 1], to rank k, and everybody else's of
       this rank's piece to `others`, one behind the other by rank, with room for its own. */
    void (*spread)(struct zf_ranks *ranks, const float *values, const int *pieces, float *others,
                   struct zf_traffic *traffic);
    /* This rank's piece of `values` to everybody. */
    void (*collect)(struct zf_ranks *ranks, float *values, const int *pieces,
                    struct zf_traffic *traffic);

    /* From one rank to one other; what is sent is done when the other has begun to receive it. */
    void (*send)(struct zf_ranks *ranks, int to, const void *data, size_t bytes,
                 struct zf_traffic *traffic);
    void (*receive)(struct zf_ranks *ranks, int from, void *data, size_t bytes,
                    struct zf_traffic *traffic);

    bool (*done)(struct zf_ranks *ranks, struct zf_traffic *traffic); /* nothing has been */
    int (*lost)(struct zf_ranks *ranks); /* a rank that is not heard any more; -1 = none */

    /* Ask all ranks to come to an end soon; and has one asked? */
    void (*stop)(struct zf_ranks *ranks);
    bool (*stopping)(struct zf_ranks *ranks);
};

#ifdef ZF_HAVE_MPI
extern const struct zf_carrier zf_mpi_carrier;
#endif

struct zf_ranks {
    const struct zf_carrier *carrier;
    int rank, count;
    char **names; /* [count] */
    void *state;  /* the carrier's */
    double waited_s;
    bool agreed; /* the failure that is on its way out is known to all */
    int lost;    /* the rank that a wait gave up on; -1 = none */
};

/* Wait until `over`, which may do something each time that it is asked. ZF_EIO where a rank is lost
   meanwhile. */
enum zf_status zf_ranks_wait(struct zf_ranks *ranks, bool (*over)(void *user), void *user,
                             struct zf_error *err);

/* Wait for the end of something on its way; the same. */
enum zf_status zf_traffic_wait(struct zf_ranks *ranks, struct zf_traffic *traffic,
                               struct zf_error *err);

#endif
