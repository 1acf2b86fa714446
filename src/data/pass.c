/* SPDX-License-Identifier: MIT */
#include "data/pass.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/status.h"

#define TEN 10
#define KEPT_REASONS 100 /* that a loader remembers */

/* Bad pictures that the user has not heard of. */
static void tell_skipped(const struct zf_pass *pass, const struct zf_loader *loader,
                         struct zf_passed *passed, const struct zf_monitor *monitor)
{
    const int64_t skipped = zf_loader_skipped(loader);

    for (; passed->skipped < skipped; passed->skipped++) {
        if (pass->missing && passed->skipped < KEPT_REASONS)
            zf_monitor_message(monitor, "%s: %s", pass->missing,
                               zf_loader_skipped_reason(loader, passed->skipped));
    }
}

/* Were all activations finite? If not, of which picture? */
static enum zf_status check_finite(const struct zf_pass *pass, struct zf_plan *plan,
                                   const struct zf_tensor *src, const struct zf_batch *batch,
                                   struct zf_error *err)
{
    struct zf_error reason = {0};
    int64_t at = 0;
    const enum zf_status status =
        pass->any_numbers ? ZF_OK : zf_plan_check_finite(plan, src, &at, &reason);

    if (status == ZF_OK)
        return ZF_OK;
    return zf_fail(err, status, "%s: %s", zf_data_path(pass->data, batch->samples[at]),
                   reason.message);
}

static enum zf_status walk(const struct zf_pass *pass, struct zf_plan *plan,
                           struct zf_loader *loader, struct zf_passed *passed,
                           const struct zf_monitor *monitor, struct zf_error *err)
{
    const int64_t total = pass->samples ? pass->sample_count : zf_data_count(pass->data);
    const int64_t views = pass->views == ZF_VIEWS_TEN ? TEN : 1;

    for (;;) {
        struct zf_batch batch;
        bool done = false;

        ZF_CHECK(zf_loader_next(loader, &batch, &done, err));
        tell_skipped(pass, loader, passed, monitor);
        if (done)
            return ZF_OK;
        if (batch.count > 0) {
            struct zf_tensor src = batch.input;

            src.n = batch.count;
            zf_plan_forward(plan, &src);
            ZF_CHECK(check_finite(pass, plan, &src, &batch, err));
            ZF_CHECK(pass->visit(pass->user, plan, &batch, err));
            passed->images += batch.count / views;
        }
        if (pass->stage &&
            !zf_monitor_progress(monitor, pass->stage, passed->images + passed->skipped, total))
            return zf_fail(err, ZF_ECANCELED, "stopped after %" PRId64 " of %" PRId64 " pictures",
                           passed->images, total);
    }
}

enum zf_status zf_pass_run(const struct zf_pass *pass, struct zf_passed *passed,
                           const struct zf_monitor *monitor, struct zf_error *err)
{
    const int threads = pass->plan.compute.threads;
    const struct zf_loader_options loading = {
        .batch = pass->plan.compute.batch,
        .views = pass->views,
        .strict = pass->strict,
        /* They overlap with the net, which uses as many of its own. */
        .threads = threads > 0 ? threads : zf_core_count(),
        .samples = pass->samples,
        .sample_count = pass->sample_count,
    };
    struct zf_plan_options running = pass->plan;
    struct zf_passed counted = {0};
    struct zf_plan *plan = NULL;
    struct zf_loader *loader = NULL;
    enum zf_status status;
    double begun;

    running.watched = !pass->any_numbers;
    ZF_TRY(zf_plan_create(pass->net, &running, &plan, err));
    begun = zf_clock_s();
    ZF_TRY(zf_loader_create(pass->data, pass->net, &loading, &loader, err));
    status = walk(pass, plan, loader, &counted, monitor, err);
    counted.seconds = zf_clock_s() - begun;
fail:
    zf_loader_free(&loader);
    zf_plan_free(&plan);
    if (passed)
        *passed = counted;
    return status;
}
