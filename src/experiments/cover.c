/* SPDX-License-Identifier: MIT */
#include "experiments/experiments.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/status.h"

/* A prepared input of one colour: with a mean image it is not one value all over. */
static enum zf_status prepare_colour(const struct zf_net *net, const float *colour, float *dst,
                                     struct zf_error *err)
{
    const struct zf_preparation *preparation = zf_net_preparation(net);
    const struct zf_shape input = zf_net_input(net);
    struct zf_picture square = {0};
    enum zf_status status;

    if (input.c != 3)
        return zf_fail(err, ZF_EINVAL, "an input of %" PRId64 " channels has no colours", input.c);
    for (int c = 0; c < 3; c++) {
        if (!(colour[c] >= 0.0f && colour[c] <= 255.0f))
            return zf_fail(err, ZF_EINVAL, "a colour's parts are 0 to 255, not %g",
                           (double)colour[c]);
    }
    status = zf_picture_init(&square, preparation->size, preparation->size, err);
    if (status != ZF_OK)
        return status;
    for (int64_t i = 0; i < square.width * square.height * 3; i++)
        square.pixels[i] = (uint8_t)lroundf(colour[i % 3]);
    zf_picture_prepare(&square, preparation, input, zf_view_centre(preparation, input), dst);
    zf_picture_release(&square);
    return ZF_OK;
}

enum zf_status zf_cover_init(struct zf_cover *cover, const struct zf_net *net, const float *colour,
                             const struct zf_runner_options *options,
                             const struct zf_probe_run *run, struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);
    struct zf_cover made = {0};
    enum zf_status status;

    ZF_TRY(zf_runner_init(&made.runner, net, options, run, err));
    ZF_TRY(zf_tensor_init(&made.colour, 1, input.c, input.h, input.w, err));
    if (colour)
        ZF_TRY(prepare_colour(net, colour, made.colour.data, err));
    *cover = made;
    return ZF_OK;
fail:
    zf_cover_release(&made);
    return status;
}

void zf_cover_release(struct zf_cover *cover)
{
    zf_runner_release(&cover->runner);
    zf_tensor_release(&cover->colour);
}

void zf_occluded_batch(struct zf_cover *cover, const float *base, const struct zf_box *boxes,
                       int64_t count)
{
    const struct zf_tensor src = cover->runner.inputs;
    const int64_t each = src.c * src.h * src.w;

    for (int64_t i = 0; i < count; i++) {
        const struct zf_box box = boxes[i];
        float *copy = src.data + i * each;

        memcpy(copy, base, (size_t)each * sizeof(*copy));
        for (int64_t row = 0; row < src.c * box.height; row++) {
            const int64_t at =
                (row / box.height * src.h + box.y + row % box.height) * src.w + box.x;

            memcpy(copy + at, cover->colour.data + at, (size_t)box.width * sizeof(*copy));
        }
    }
    zf_runner_forward(&cover->runner, count);
}
