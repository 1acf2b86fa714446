/* SPDX-License-Identifier: MIT */
#include "ranks/ranks.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "ranks/carrier.h"

#define YIELD_S 2e-3   /* of waiting, before it sleeps: what comes at once is not kept waiting */
#define SLEEP_NS 50000 /* and the core is left to who computes, where ranks share one */
#define LET_SPEAK_S 5

const char *zf_ranks_library(void)
{
#ifdef ZF_HAVE_MPI
    return zf_mpi_carrier.library();
#else
    return NULL;
#endif
}

enum zf_status zf_ranks_join(struct zf_ranks **out, struct zf_error *err)
{
#ifdef ZF_HAVE_MPI
    struct zf_ranks *ranks = zf_alloc(1, sizeof *ranks);
    enum zf_status status;

    if (!ranks)
        return zf_no_memory(err, "the ranks");
    ranks->carrier = &zf_mpi_carrier;
    ranks->lost = -1;
    status = ranks->carrier->join(ranks, err);
    if (status == ZF_OK)
        *out = ranks;
    else
        zf_free(ranks);
    return status;
#else
    (void)out;
    return zf_fail(err, ZF_EUNSUPPORTED,
                   "this zfscope was built without MPI, so every rank would do all of the work: "
                   "install libopenmpi-dev, then `meson setup --wipe build && ninja -C build`, or "
                   "start it without mpirun");
#endif
}

int zf_ranks_rank(const struct zf_ranks *ranks)
{
    return ranks ? ranks->rank : 0;
}

int zf_ranks_count(const struct zf_ranks *ranks)
{
    return ranks ? ranks->count : 1;
}

const char *zf_ranks_name(const struct zf_ranks *ranks, int rank)
{
    return ranks ? ranks->names[rank] : "0 of 1";
}

double zf_ranks_waited_s(const struct zf_ranks *ranks)
{
    return ranks ? ranks->waited_s : 0;
}

static enum zf_status fail_lost(struct zf_ranks *ranks, struct zf_error *err)
{
    return zf_fail(err, ZF_EIO,
                   "rank %s has not been heard of for %d s: it has died, or cannot be reached",
                   zf_ranks_name(ranks, ranks->lost), ZF_RANKS_SILENCE_S);
}

enum zf_status zf_ranks_wait(struct zf_ranks *ranks, bool (*over)(void *user), void *user,
                             struct zf_error *err)
{
    const double begun = zf_clock_s();
    double waited = 0;

    while (ranks->lost < 0 && !over(user)) {
        waited = zf_clock_s() - begun;
        if (waited < YIELD_S)
            sched_yield();
        else {
            nanosleep(&(struct timespec){.tv_nsec = SLEEP_NS}, NULL);
            ranks->lost = ranks->carrier->lost(ranks);
        }
    }
    ranks->waited_s += waited;
    return ranks->lost < 0 ? ZF_OK : fail_lost(ranks, err);
}

struct arrival {
    struct zf_ranks *ranks;
    struct zf_traffic *traffic;
};

static bool has_arrived(void *user)
{
    const struct arrival *arrival = user;

    return arrival->ranks->carrier->done(arrival->ranks, arrival->traffic);
}

enum zf_status zf_traffic_wait(struct zf_ranks *ranks, struct zf_traffic *traffic,
                               struct zf_error *err)
{
    return zf_ranks_wait(ranks, has_arrived, &(struct arrival){ranks, traffic}, err);
}

void zf_ranks_gather_begin(struct zf_ranks *ranks, const void *mine, size_t bytes, void *all,
                           struct zf_traffic *traffic)
{
    if (zf_ranks_count(ranks) == 1)
        memcpy(all, mine, bytes);
    else
        ranks->carrier->gather(ranks, mine, bytes, all, traffic);
}

enum zf_status zf_ranks_gather_end(struct zf_ranks *ranks, struct zf_traffic *traffic,
                                   struct zf_error *err)
{
    return zf_ranks_count(ranks) == 1 ? ZF_OK : zf_traffic_wait(ranks, traffic, err);
}

bool zf_ranks_gather_there(struct zf_ranks *ranks, struct zf_traffic *traffic)
{
    return zf_ranks_count(ranks) == 1 || ranks->carrier->done(ranks, traffic);
}

enum zf_status zf_ranks_gather(struct zf_ranks *ranks, const void *mine, size_t bytes, void *all,
                               struct zf_error *err)
{
    struct zf_traffic traffic = {0};

    zf_ranks_gather_begin(ranks, mine, bytes, all, &traffic);
    return zf_ranks_gather_end(ranks, &traffic, err);
}

enum zf_status zf_ranks_share(struct zf_ranks *ranks, int from, void *data, size_t bytes,
                              struct zf_error *err)
{
    for (size_t at = 0; zf_ranks_count(ranks) > 1 && at < bytes; at += ZF_TRAFFIC_LARGEST) {
        struct zf_traffic traffic = {0};

        ranks->carrier->share(ranks, from, (char *)data + at,
                              bytes - at < ZF_TRAFFIC_LARGEST ? bytes - at : ZF_TRAFFIC_LARGEST,
                              &traffic);
        ZF_CHECK(zf_traffic_wait(ranks, &traffic, err));
    }
    return ZF_OK;
}

enum zf_status zf_ranks_agree(struct zf_ranks *ranks, enum zf_status mine, struct zf_error *err)
{
    const int count = zf_ranks_count(ranks);
    enum zf_status *all, status = mine;
    struct zf_error told = {0};
    int first = 0;

    if (count == 1 || ranks->lost >= 0)
        return mine;
    all = zf_alloc((size_t)count, sizeof *all);
    if (!all)
        return zf_no_memory(err, "the word of %d ranks", count);
    status = zf_ranks_gather(ranks, &mine, sizeof mine, all, err);
    while (status == ZF_OK && first < count && all[first] == ZF_OK)
        first++;
    if (status == ZF_OK && first < count) {
        status = all[first];
        if (first == ranks->rank)
            zf_fail(&told, status, "rank %s: %.600s", zf_ranks_name(ranks, first),
                    err && err->message[0] ? err->message : zf_status_text(status));
        ranks->agreed = zf_ranks_share(ranks, first, &told, sizeof told, err) == ZF_OK;
        if (ranks->agreed)
            status = zf_fail(err, status, "%s", told.message);
    }
    zf_free(all);
    return status;
}

enum zf_status zf_ranks_add(struct zf_ranks *ranks, int64_t *values, size_t count,
                            struct zf_error *err)
{
    const size_t others = (size_t)zf_ranks_count(ranks);
    enum zf_status status;
    int64_t *all;

    if (others == 1)
        return ZF_OK;
    all = zf_alloc(others * count, sizeof *all);
    ZF_TRY(zf_ranks_agree(ranks, all ? ZF_OK : zf_no_memory(err, "%zu sums", count), err));
    ZF_TRY(zf_ranks_gather(ranks, values, count * sizeof *values, all, err));
    memset(values, 0, count * sizeof *values);
    for (size_t i = 0; i < others * count; i++)
        values[i % count] += all[i];
fail:
    zf_free(all);
    return status;
}

void zf_ranks_stop(struct zf_ranks *ranks)
{
    if (ranks)
        ranks->carrier->stop(ranks);
}

bool zf_ranks_stopping(struct zf_ranks *ranks)
{
    return ranks && ranks->carrier->stopping(ranks);
}

void zf_ranks_all_know(struct zf_ranks *ranks)
{
    if (ranks)
        ranks->agreed = true;
}

/* Of a lost rank, the lowest that is left tells; it is the first that would be waited for. */
bool zf_ranks_speaks(const struct zf_ranks *ranks, enum zf_status status)
{
    if (!ranks || status == ZF_OK)
        return zf_ranks_rank(ranks) == 0;
    if (ranks->lost >= 0)
        return ranks->rank == (ranks->lost == 0 ? 1 : 0);
    return !ranks->agreed || ranks->rank == 0;
}

void zf_ranks_leave(struct zf_ranks **pointer, enum zf_status status)
{
    struct zf_ranks *ranks = pointer ? *pointer : NULL;

    if (!ranks)
        return;
    if (ranks->lost >= 0 && !zf_ranks_speaks(ranks, status)) /* which ends this one, too */
        nanosleep(&(struct timespec){.tv_sec = LET_SPEAK_S}, NULL);
    ranks->carrier->leave(ranks, status == ZF_OK || ranks->agreed);
    zf_free(ranks);
    *pointer = NULL;
}
