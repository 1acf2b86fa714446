/* SPDX-License-Identifier: MIT */
/* What all engines must agree on to the last cell. */
#include "operations.h"

#include "base/random.h"

bool zf_dropout_keeps(uint64_t key, uint64_t layer, uint64_t index, float rate)
{
    /* 53 bits, so that the threshold is exact for every float rate. */
    const uint64_t threshold = (uint64_t)((double)rate * 0x1p53);

    return zf_random_at(zf_random_at(key, layer), index) >> 11 >= threshold;
}

int64_t zf_window_extent(int64_t in, int64_t kernel, int64_t stride, int64_t pad_before,
                         int64_t pad_after, bool round_up)
{
    const int64_t slack = in + pad_before + pad_after - kernel;
    int64_t extent;

    if (slack < 0)
        return 0;
    if (!round_up)
        return slack / stride + 1;
    extent = (slack + stride - 1) / stride + 1;
    /* A stride longer than the kernel, or a wide trailing pad, would leave the last windows
       without a single cell. */
    while (extent > 1 && (extent - 1) * stride >= in + pad_before)
        extent--;
    return extent;
}

int64_t zf_window_reach(int64_t kernel, int64_t dilate)
{
    return (kernel - 1) * (dilate + 1) + 1;
}

struct zf_dims zf_window_dims(const struct zf_window *w, struct zf_dims in, int64_t maps)
{
    return (struct zf_dims){4,
                            {in.d[0], maps,
                             zf_window_extent(in.d[2], zf_window_reach(w->kernel_h, w->dilate_h),
                                              w->stride_h, w->pad_top, w->pad_bottom, false),
                             zf_window_extent(in.d[3], zf_window_reach(w->kernel_w, w->dilate_w),
                                              w->stride_w, w->pad_left, w->pad_right, false)}};
}
