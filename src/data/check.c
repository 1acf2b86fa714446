/* SPDX-License-Identifier: MIT */
#include "data/scan.h"

#include "base/status.h"

/* A JPEG is read to its end whatever the size, and a small one is read fastest. */
#define CHECK_SIZE 64

struct check {
    const struct zf_data *data;
    zf_data_bad_sample *bad;
    void *user;
    int64_t counted;
};

static enum zf_status look(void *user, int64_t i, const uint8_t *pixels, const char *reason,
                           struct zf_error *err)
{
    struct check *check = user;

    (void)err;
    if (!pixels) {
        check->counted++;
        if (check->bad)
            check->bad(check->user, i, zf_data_path(check->data, i), reason);
    }
    return ZF_OK;
}

enum zf_status zf_data_check(const struct zf_data *data, int threads, zf_data_bad_sample *bad,
                             void *user, int64_t *counted, const struct zf_monitor *monitor,
                             struct zf_error *err)
{
    const struct zf_geometry any = zf_geometry_square(ZF_RESIZE_WARP, CHECK_SIZE);
    struct check check = {.data = data, .bad = bad, .user = user};
    const struct zf_scan scan = {
        .data = data,
        .geometry = data->fixed.height > 0 ? data->fixed : any,
        .threads = threads,
        .stage = "checking",
        .visit = look,
        .user = &check,
    };
    enum zf_status status;

    if (data->caveat)
        zf_monitor_message(monitor, "%s: %s", data->name, data->caveat);
    status = zf_scan_run(&scan, monitor, err);

    if (status == ZF_OK && counted)
        *counted = check.counted;
    return status;
}
