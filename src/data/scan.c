/* SPDX-License-Identifier: MIT */
#include "data/scan.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/pipeline.h"

#define SLOTS 32
#define REPORT_EVERY_S 0.25

struct slot {
    enum zf_status status;
    struct zf_error error;
    struct zf_oddity odd;
};

struct run {
    const struct zf_scan *scan;
    size_t square_bytes;
    uint8_t *pixels; /* [SLOTS][square_bytes] */
    struct slot slots[SLOTS];
};

/* Numbers have no pixels; that they can be read is all there is to know of them. */
static enum zf_status read_input(const char *path, struct zf_error *err)
{
    struct zf_tensor input = {0};
    const enum zf_status status = zf_tensor_load_npy(path, &input, err);

    zf_tensor_release(&input);
    return status;
}

static void work(void *user, int worker, int64_t ticket, int64_t slot)
{
    struct run *run = user;
    struct slot *s = &run->slots[slot];
    const struct zf_data *data = run->scan->data;
    uint8_t *pixels = run->pixels + (size_t)slot * run->square_bytes;
    bool input = false;

    (void)worker;
    s->odd.text[0] = '\0';
    s->status = run->scan->inputs ? zf_data_is_input(data, ticket, NULL, &input, &s->error) : ZF_OK;
    if (s->status == ZF_OK && input)
        s->status = read_input(zf_data_path(data, ticket), &s->error);
    else if (s->status == ZF_OK)
        s->status = zf_data_pixels(data, ticket, run->scan->geometry, pixels, &s->odd, &s->error);
    if (s->status == ZF_OK && !input && data->kind->verify)
        s->status = data->kind->verify(data, ticket, pixels, &s->error);
}

static enum zf_status visit(const struct run *run, int64_t i, struct zf_error *err)
{
    const struct zf_scan *scan = run->scan;
    const struct slot *slot = &run->slots[i % SLOTS];

    if (slot->status == ZF_OK)
        return scan->visit(scan->user, i, run->pixels + (size_t)(i % SLOTS) * run->square_bytes,
                           slot->odd.text[0] ? slot->odd.text : NULL, err);
    if (zf_data_is_bad_sample(slot->status))
        return scan->visit(scan->user, i, NULL, slot->error.message, err);
    return zf_fail(err, slot->status, "%s", slot->error.message);
}

static enum zf_status visit_all(const struct run *run, struct zf_pipeline *pipeline,
                                const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const int64_t count = run->scan->data->count;
    double reported_s = zf_clock_s();

    zf_pipeline_start(pipeline, 0, count);
    for (int64_t i = 0; i < count; i++) {
        const double now_s = zf_clock_s();
        if (now_s - reported_s >= REPORT_EVERY_S) {
            reported_s = now_s;
            if (!zf_monitor_progress(monitor, run->scan->stage, i, count))
                return zf_fail(err, ZF_ECANCELED, "%s stopped at %" PRId64 " of %" PRId64,
                               run->scan->stage, i, count);
        }
        zf_pipeline_wait(pipeline, i);
        ZF_CHECK(visit(run, i, err));
        zf_pipeline_release(pipeline, i + 1);
    }
    zf_monitor_progress(monitor, run->scan->stage, count, count);
    return status;
}

enum zf_status zf_scan_run(const struct zf_scan *scan, const struct zf_monitor *monitor,
                           struct zf_error *err)
{
    enum zf_status status;
    struct zf_pipeline *pipeline = NULL;
    struct run *run = NULL;

    ZF_TRY(zf_data_accepts(scan->data, scan->geometry, err));
    run = zf_alloc(1, sizeof *run);
    if (run) {
        run->scan = scan;
        run->square_bytes = zf_square_bytes(scan->geometry);
        run->pixels = zf_alloc_raw(SLOTS, run->square_bytes);
    }
    if (!run || !run->pixels)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for %d squares of %" PRId64 " px", SLOTS,
                         scan->geometry.height));
    ZF_TRY(zf_pipeline_create(scan->threads, SLOTS, work, run, &pipeline, err));
    ZF_TRY(visit_all(run, pipeline, monitor, err));
fail:
    zf_pipeline_free(&pipeline); /* first: its workers write to `run` */
    if (run)
        zf_free(run->pixels);
    zf_free(run);
    return status;
}
