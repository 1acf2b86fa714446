/* SPDX-License-Identifier: MIT */
#include "ranks/deal.h"

#include "base/memory.h"
#include "ranks/carrier.h"

#define AHEAD 2       /* parcels of a rank that wait for the first to take them */
#define MOST_PARTS 64 /* that a parcel is sent in: GiB */

/* What is sent before a parcel. */
struct head {
    uint64_t bytes;
    uint64_t is_end; /* the rank sends no more */
};

/* A parcel on its way. */
struct post {
    struct head head;
    struct zf_parcel parcel;
    struct zf_traffic traffic[1 + MOST_PARTS];
    int parts; /* of the traffic, the head's included */
};

/* ---- Sending. ---- */

static enum zf_status wait_for(struct zf_ranks *ranks, struct post *post, struct zf_error *err)
{
    for (; post->parts > 0; post->parts--)
        ZF_CHECK(zf_traffic_wait(ranks, &post->traffic[post->parts - 1], err));
    return ZF_OK;
}

static enum zf_status begin(struct zf_ranks *ranks, struct post *post, bool is_end,
                            struct zf_error *err)
{
    const struct zf_parcel *parcel = &post->parcel;

    if (parcel->no_memory || parcel->size > MOST_PARTS * ZF_TRAFFIC_LARGEST)
        return zf_no_memory(err, "what a rank has found");
    post->head = (struct head){parcel->size, is_end};
    ranks->carrier->send(ranks, 0, &post->head, sizeof post->head, &post->traffic[post->parts++]);
    for (size_t at = 0; at < parcel->size; at += ZF_TRAFFIC_LARGEST) {
        const size_t left = parcel->size - at;

        ranks->carrier->send(ranks, 0, parcel->bytes + at,
                             left < ZF_TRAFFIC_LARGEST ? left : ZF_TRAFFIC_LARGEST,
                             &post->traffic[post->parts++]);
    }
    return ZF_OK;
}

/* What was stopped because of another rank has not failed; what has stops the others. */
static enum zf_status settle(struct zf_ranks *ranks, enum zf_status status)
{
    if (status == ZF_ECANCELED && zf_ranks_stopping(ranks))
        return ZF_OK;
    if (status != ZF_OK)
        zf_ranks_stop(ranks);
    return status;
}

static enum zf_status work_and_send(const struct zf_deal *deal, struct post *posts,
                                    struct zf_error *err)
{
    struct zf_ranks *ranks = deal->ranks;
    enum zf_status status = ZF_OK;
    int turn = 0;

    for (int64_t i = 0; i < deal->count && status == ZF_OK && !zf_ranks_stopping(ranks); i++) {
        struct post *post = &posts[turn];

        if (zf_deal_rank(i, ranks->count) != ranks->rank)
            continue;
        turn = (turn + 1) % AHEAD;
        ZF_CHECK(wait_for(ranks, post, err));
        zf_parcel_clear(&post->parcel);
        status = deal->work(deal->user, i, &post->parcel, err);
        if (status == ZF_OK)
            status = begin(ranks, post, false, err);
    }
    status = settle(ranks, status);
    for (int k = 0; k < AHEAD; k++)
        ZF_CHECK(wait_for(ranks, &posts[k], err));
    zf_parcel_clear(&posts[0].parcel);
    ZF_CHECK(begin(ranks, &posts[0], true, err));
    ZF_CHECK(wait_for(ranks, &posts[0], err));
    return status;
}

/* ---- Taking. ---- */

struct taking {
    const struct zf_deal *deal;
    struct zf_parcel parcel;
    bool *ended; /* [ranks]: those that have said that they send no more; before their last item
                    only where they have failed, or were stopped */
    bool broken; /* something is on its way that there is no room for */
};

static enum zf_status receive(struct taking *t, int from, struct zf_error *err)
{
    struct zf_ranks *ranks = t->deal->ranks;
    struct zf_traffic traffic = {0};
    struct head head;

    ranks->carrier->receive(ranks, from, &head, sizeof head, &traffic);
    ZF_CHECK(zf_traffic_wait(ranks, &traffic, err));
    t->ended[from] = head.is_end;
    zf_parcel_clear(&t->parcel);
    t->broken = head.bytes > 0 && !zf_parcel_room(&t->parcel, head.bytes);
    if (t->broken)
        return zf_no_memory(err, "what rank %s has found", zf_ranks_name(ranks, from));
    for (size_t at = 0; at < head.bytes; at += ZF_TRAFFIC_LARGEST) {
        const size_t left = head.bytes - at;

        ranks->carrier->receive(ranks, from, t->parcel.bytes + at,
                                left < ZF_TRAFFIC_LARGEST ? left : ZF_TRAFFIC_LARGEST, &traffic);
        ZF_CHECK(zf_traffic_wait(ranks, &traffic, err));
    }
    return ZF_OK;
}

/* An item of this rank's own, or of another's. */
static enum zf_status take_item(struct taking *t, int64_t item, struct zf_error *err)
{
    const struct zf_deal *deal = t->deal;
    const int from = zf_deal_rank(item, zf_ranks_count(deal->ranks));

    if (from > 0) {
        ZF_CHECK(receive(t, from, err));
        return t->ended[from] ? ZF_OK : deal->take(deal->user, item, &t->parcel, err);
    }
    zf_parcel_clear(&t->parcel);
    ZF_CHECK(deal->work(deal->user, item, &t->parcel, err));
    if (t->parcel.no_memory)
        return zf_no_memory(err, "what was found");
    return deal->take(deal->user, item, &t->parcel, err);
}

static bool any(const bool *flags, int count)
{
    for (int k = 0; k < count; k++)
        if (flags[k])
            return true;
    return false;
}

static enum zf_status take_all(struct taking *t, struct zf_error *err)
{
    struct zf_ranks *ranks = t->deal->ranks;
    const int count = zf_ranks_count(ranks);
    enum zf_status status = ZF_OK;

    for (int64_t i = 0; i < t->deal->count && status == ZF_OK && !any(t->ended, count) &&
                        !zf_ranks_stopping(ranks);
         i++)
        status = take_item(t, i, err);
    status = settle(ranks, status);
    for (int k = 1; k < count && !t->broken; k++)
        while (!t->ended[k])
            ZF_CHECK(receive(t, k, err));
    return status;
}

enum zf_status zf_deal_run(const struct zf_deal *deal, struct zf_error *err)
{
    const int count = zf_ranks_count(deal->ranks);
    const bool takes = zf_ranks_rank(deal->ranks) == 0;
    struct post *posts = takes ? NULL : zf_alloc(AHEAD, sizeof *posts);
    struct taking taking = {.deal = deal};
    enum zf_status status;

    if (takes)
        taking.ended = zf_alloc((size_t)count, sizeof *taking.ended);
    status = posts || taking.ended ? ZF_OK : zf_no_memory(err, "the work of %d ranks", count);
    ZF_TRY(zf_ranks_agree(deal->ranks, status, err));
    status = takes ? take_all(&taking, err) : work_and_send(deal, posts, err);
    if (!taking.broken)
        status = zf_ranks_agree(deal->ranks, status, err);
fail:
    for (int k = 0; posts && k < AHEAD; k++)
        zf_parcel_release(&posts[k].parcel);
    zf_parcel_release(&taking.parcel);
    zf_free(taking.ended);
    zf_free(posts);
    return status;
}
