/* SPDX-License-Identifier: MIT */
#include "data/scan.h"

#include "base/status.h"

/* A JPEG is read to its end whatever the size, and a small one is read fastest. */
#define CHECK_SIZE 64

struct check {
    const struct zf_data *data;
    zf_data_finding *finding;
    void *user;
    struct zf_data_found found;
};

static enum zf_status look(void *user, int64_t i, const uint8_t *pixels, const char *reason,
                           struct zf_error *err)
{
    struct check *check = user;

    (void)err;
    if (!reason)
        return ZF_OK;
    if (pixels)
        check->found.odd++;
    else
        check->found.bad++;
    if (check->finding)
        check->finding(check->user, i, zf_data_path(check->data, i), reason, pixels != NULL);
    return ZF_OK;
}

enum zf_status zf_data_check(const struct zf_data *data, int threads, zf_data_finding *finding,
                             void *user, struct zf_data_found *found,
                             const struct zf_monitor *monitor, struct zf_error *err)
{
    const struct zf_geometry any = zf_geometry_square(ZF_RESIZE_WARP, CHECK_SIZE);
    struct check check = {.data = data, .finding = finding, .user = user};
    const struct zf_scan scan = {
        .data = data,
        .geometry = data->fixed.height > 0 ? data->fixed : any,
        .threads = threads,
        .stage = "checking",
        .inputs = true,
        .visit = look,
        .user = &check,
    };
    enum zf_status status;

    if (data->caveat)
        zf_monitor_message(monitor, "%s: %s", data->name, data->caveat);
    status = zf_scan_run(&scan, monitor, err);

    if (status == ZF_OK && found)
        *found = check.found;
    return status;
}
