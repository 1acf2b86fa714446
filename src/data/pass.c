/* SPDX-License-Identifier: MIT */
#include "data/pass.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/data.h"
#include "ranks/deal.h"

#define TEN 10
#define KEPT_REASONS 100 /* that a loader remembers */

/* What every parcel begins with. */
struct heading {
    int64_t images, skipped; /* of the batch */
    int64_t reasons;         /* known ones, which follow: a length and a text each */
};

struct walk {
    const struct zf_pass *pass;
    const struct zf_monitor *monitor;
    bool takes;           /* this is the first rank */
    int64_t total, views; /* pictures of all ranks; inputs of one */
    int64_t batches;      /* of all ranks */
    int64_t *samples;     /* of this rank; NULL = those of the pass */
    int64_t sample_count; /* of this rank */
    struct zf_plan *plan; /* NULL with nothing to run */
    struct zf_loader *loader;
    int64_t packed; /* bad pictures of this rank that others know of */
    char *reason;   /* of the first one of all */
    double begun_s;
    struct zf_passed passed;
};

/* ---- A batch. ---- */

/* Were all activations finite? If not, of which picture? */
static enum zf_status check_finite(const struct zf_pass *pass, struct zf_plan *plan,
                                   const struct zf_batch *batch, struct zf_error *err)
{
    struct zf_error reason = {0};
    int64_t at = 0;
    const enum zf_status status =
        pass->any_numbers ? ZF_OK : zf_plan_check_finite(plan, &batch->input, &at, &reason);

    if (status == ZF_OK)
        return ZF_OK;
    at = at < batch->count ? at : batch->count - 1; /* an empty row: it is no picture's doing */
    return zf_fail(err, status, "%s: %s", zf_data_path(pass->data, batch->samples[at]),
                   reason.message);
}

/* Bad pictures that the others have not heard of. */
static void pack_heading(struct walk *walk, const struct zf_batch *batch, struct zf_parcel *parcel)
{
    const int64_t skipped = zf_loader_skipped(walk->loader);
    struct heading heading = {batch->count / walk->views, skipped - walk->packed, 0};

    for (int64_t i = walk->packed; i < skipped; i++)
        heading.reasons += zf_loader_skipped_reason(walk->loader, i) != NULL;
    zf_parcel_add(parcel, &heading, sizeof heading);
    for (int64_t i = walk->packed; i < walk->packed + heading.reasons; i++) {
        const char *reason = zf_loader_skipped_reason(walk->loader, i);
        const size_t size = strlen(reason) + 1;

        zf_parcel_add(parcel, &size, sizeof size);
        zf_parcel_add(parcel, reason, size);
    }
    walk->packed = skipped;
}

static enum zf_status canceled(const struct walk *walk, struct zf_error *err)
{
    return zf_fail(err, ZF_ECANCELED, "stopped after %" PRId64 " of %" PRId64 " pictures",
                   walk->passed.images, walk->total);
}

static enum zf_status work(void *user, int64_t item, struct zf_parcel *parcel, struct zf_error *err)
{
    struct walk *walk = user;
    const struct zf_pass *pass = walk->pass;
    struct zf_batch batch;
    bool done = false;

    ZF_CHECK(zf_loader_next(walk->loader, &batch, &done, err));
    pack_heading(walk, &batch, parcel);
    if (batch.count > 0) {
        /* The empty rows as well: zeros, and not what the batch before left there, which shows in
           the last digits of their neighbours (Winograd's algorithm). */
        zf_plan_forward(walk->plan, &batch.input);
        ZF_CHECK(check_finite(pass, walk->plan, &batch, err));
        ZF_CHECK(pass->pack ? pass->pack(pass->user, walk->plan, item, &batch, parcel, err)
                            : pass->visit(pass->user, walk->plan, &batch, err));
    }
    if (walk->takes)
        return ZF_OK;
    walk->passed.images += batch.count / walk->views; /* the first rank's are of all */
    if (!zf_monitor_progress(walk->monitor, pass->stage ? pass->stage : "", walk->passed.images,
                             walk->total))
        return canceled(walk, err);
    return ZF_OK;
}

/* What was missed is told once for all ranks, in the order of the pictures. */
static enum zf_status take_reasons(struct walk *walk, const struct heading *heading,
                                   struct zf_parcel *parcel, struct zf_error *err)
{
    for (int64_t i = 0; i < heading->reasons; i++) {
        const size_t size = *(const size_t *)zf_parcel_next(parcel, sizeof size);
        const char *reason = zf_parcel_next(parcel, size);

        if (walk->pass->missing && walk->passed.skipped + i < KEPT_REASONS)
            zf_monitor_message(walk->monitor, "%s: %s", walk->pass->missing, reason);
        if (!walk->reason && !(walk->reason = zf_strdup(reason)))
            return zf_no_memory(err, "the reason of a bad picture");
    }
    walk->passed.skipped += heading->skipped;
    return ZF_OK;
}

static enum zf_status take(void *user, int64_t item, struct zf_parcel *parcel, struct zf_error *err)
{
    struct walk *walk = user;
    const struct zf_pass *pass = walk->pass;
    struct heading heading;

    (void)item;
    memcpy(&heading, zf_parcel_next(parcel, sizeof heading), sizeof heading);
    ZF_CHECK(take_reasons(walk, &heading, parcel, err));
    if (pass->take && heading.images > 0)
        ZF_CHECK(pass->take(pass->user, parcel, err));
    walk->passed.images += heading.images;
    if (pass->stage &&
        !zf_monitor_progress(walk->monitor, pass->stage, walk->passed.images + walk->passed.skipped,
                             walk->total))
        return canceled(walk, err);
    return ZF_OK;
}

/* ---- All of them. ---- */

/* This rank's batches: whole, in the order in which they are dealt. */
static enum zf_status list_samples(struct walk *walk, int64_t per_batch, struct zf_error *err)
{
    const struct zf_ranks *ranks = walk->pass->plan.compute.ranks;

    if (zf_ranks_count(ranks) == 1)
        return ZF_OK;
    walk->samples = zf_alloc_raw((size_t)walk->total, sizeof *walk->samples);
    if (!walk->samples)
        return zf_no_memory(err, "%" PRId64 " pictures", walk->total);
    walk->sample_count = 0;
    for (int64_t i = 0; i < walk->total; i++) {
        if (zf_deal_rank(i / per_batch, zf_ranks_count(ranks)) == zf_ranks_rank(ranks))
            walk->samples[walk->sample_count++] = walk->pass->samples ? walk->pass->samples[i] : i;
    }
    return ZF_OK;
}

static enum zf_status prepare(struct walk *walk, struct zf_error *err)
{
    const struct zf_pass *pass = walk->pass;
    const int threads = pass->plan.compute.threads;
    const int64_t per_batch = pass->plan.compute.batch / walk->views;
    struct zf_loader_options loading = {
        .batch = pass->plan.compute.batch,
        .views = pass->views,
        .strict = pass->strict,
        /* They overlap with the net, which uses as many of its own. */
        .threads = threads > 0 ? threads : zf_core_count(),
        .part = true,
    };
    struct zf_plan_options running = pass->plan;

    if (per_batch > 0) { /* else there is no such plan or loader */
        walk->batches = (walk->total + per_batch - 1) / per_batch;
        ZF_CHECK(list_samples(walk, per_batch, err));
    }
    if (walk->sample_count == 0)
        return ZF_OK;
    loading.samples = walk->samples ? walk->samples : pass->samples;
    loading.sample_count = walk->sample_count;
    running.watched = !pass->any_numbers;
    ZF_CHECK(zf_plan_create(pass->net, &running, &walk->plan, err));
    walk->begun_s = zf_clock_s();
    return zf_loader_create(pass->data, pass->net, &loading, &walk->loader, err);
}

/* What the first rank has counted, to all. */
static enum zf_status finish(struct walk *walk, struct zf_error *err)
{
    struct zf_ranks *ranks = walk->pass->plan.compute.ranks;
    int64_t counts[] = {walk->passed.images, walk->passed.skipped};

    ZF_CHECK(zf_ranks_share(ranks, 0, counts, sizeof counts, err));
    walk->passed.images = counts[0];
    walk->passed.skipped = counts[1];
    if (counts[0] > 0 || walk->batches == 0 || walk->pass->part)
        return ZF_OK;
    zf_ranks_all_know(ranks);
    return zf_data_none_good(walk->pass->data, walk->total, walk->reason, err);
}

enum zf_status zf_pass_run(const struct zf_pass *pass, struct zf_passed *passed,
                           const struct zf_monitor *monitor, struct zf_error *err)
{
    struct zf_ranks *ranks = pass->plan.compute.ranks;
    struct walk walk = {
        .pass = pass,
        .monitor = monitor,
        .takes = zf_ranks_rank(ranks) == 0,
        .total = pass->samples ? pass->sample_count : zf_data_count(pass->data),
        .views = pass->views == ZF_VIEWS_TEN ? TEN : 1,
    };
    enum zf_status status;

    walk.sample_count = walk.total;
    ZF_TRY(zf_ranks_agree(ranks, prepare(&walk, err), err));
    status = zf_deal_run(
        &(struct zf_deal){
            .ranks = ranks, .count = walk.batches, .work = work, .take = take, .user = &walk},
        err);
    if (status == ZF_OK)
        status = finish(&walk, err);
    walk.passed.seconds = zf_clock_s() - walk.begun_s;
fail:
    zf_loader_free(&walk.loader);
    zf_plan_free(&walk.plan);
    zf_free(walk.samples);
    zf_free(walk.reason);
    if (passed)
        *passed = walk.passed;
    return status;
}
