/* SPDX-License-Identifier: MIT */
#include "data/scan.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"

struct mean {
    int64_t values; /* size * size * 3 */
    int64_t good;
    uint64_t *sums; /* [size][size][3], as in a picture: whole numbers, so no order matters */
};

static enum zf_status add(void *user, int64_t i, const uint8_t *pixels, const char *reason,
                          struct zf_error *err)
{
    struct mean *mean = user;

    (void)i;
    (void)reason;
    (void)err;
    if (!pixels)
        return ZF_OK;
    for (int64_t v = 0; v < mean->values; v++)
        mean->sums[v] += pixels[v];
    mean->good++;
    return ZF_OK;
}

static void divide(const struct mean *mean, struct zf_tensor *dst)
{
    const int64_t area = mean->values / 3;

    for (int64_t c = 0; c < 3; c++) {
        for (int64_t p = 0; p < area; p++)
            dst->data[c * area + p] = (float)((double)mean->sums[p * 3 + c] / (double)mean->good);
    }
}

enum zf_status zf_data_mean(const struct zf_data *data, enum zf_resize resize, int64_t size,
                            int threads, struct zf_tensor *mean, const struct zf_monitor *monitor,
                            struct zf_error *err)
{
    enum zf_status status;
    struct zf_tensor result = {0};
    struct mean sum = {0};
    const struct zf_scan scan = {
        .data = data,
        .geometry = zf_geometry_square(resize, size),
        .threads = threads,
        .stage = "averaging",
        .visit = add,
        .user = &sum,
    };

    ZF_TRY(zf_data_accepts(data, scan.geometry, err));
    zf_data_cache(data, scan.geometry); /* training reads the same squares next */
    sum.values = size * size * 3;
    sum.sums = zf_alloc((size_t)sum.values, sizeof *sum.sums);
    if (!sum.sums)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for a mean of %" PRId64 " px", size));
    ZF_TRY(zf_tensor_init(&result, 1, 3, size, size, err));
    ZF_TRY(zf_scan_run(&scan, monitor, err));
    if (sum.good == 0)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "none of the %" PRId64 " pictures of %s can be read",
                         data->count, data->name));
    divide(&sum, &result);
    *mean = result;
    result = (struct zf_tensor){0};
fail:
    zf_tensor_release(&result);
    zf_free(sum.sums);
    return status;
}
