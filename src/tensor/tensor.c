/* SPDX-License-Identifier: MIT */
#include "zf/tensor.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"

enum zf_status zf_tensor_init(struct zf_tensor *tensor, int64_t n, int64_t c, int64_t h, int64_t w,
                              struct zf_error *err)
{
    int64_t planes, count, bytes;
    float *data;

    if (n < 1 || c < 1 || h < 1 || w < 1 || !zf_mul3(n, c, 1, &planes) ||
        !zf_mul3(planes, h, w, &count) || !zf_mul3(count, sizeof *data, 1, &bytes))
        return zf_fail(err, ZF_EINVAL,
                       "a tensor of %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64
                       " cannot exist",
                       n, c, h, w);
    data = zf_alloc((size_t)count, sizeof *data);
    if (!data)
        return zf_fail(err, ZF_ENOMEM, "no memory for a tensor of %" PRId64 " bytes", bytes);
    *tensor = (struct zf_tensor){n, c, h, w, data, true};
    return ZF_OK;
}

struct zf_tensor zf_tensor_view(float *data, int64_t n, int64_t c, int64_t h, int64_t w)
{
    return (struct zf_tensor){n, c, h, w, data, false};
}

void zf_tensor_release(struct zf_tensor *tensor)
{
    if (tensor->owned)
        zf_free(tensor->data);
    *tensor = (struct zf_tensor){0};
}

int64_t zf_tensor_count(const struct zf_tensor *tensor)
{
    return tensor->n * tensor->c * tensor->h * tensor->w;
}
