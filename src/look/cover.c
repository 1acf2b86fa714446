/* SPDX-License-Identifier: MIT */
#include "look/cover.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "net/boxes.h"
#include "zf/image.h"

#define BATCH_BYTES (INT64_C(64) << 20)
#define MIN_BATCH 16
#define MAX_BATCH 256    /* that is chosen, and ... */
#define ASKED_BATCH 4096 /* ... that may be asked for */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A prepared input of one colour: with a mean image it is not one value all over. */
static enum zf_status prepare_colour(const struct zf_net *net, const float *colour, float *dst,
                                     struct zf_error *err)
{
    const struct zf_preparation *preparation = zf_net_preparation(net);
    const struct zf_shape input = zf_net_input(net);
    const struct zf_geometry geometry = zf_geometry_of(preparation, input);
    struct zf_picture square = {0};

    if (input.c != 1 && input.c != 3)
        return zf_fail(err, ZF_EINVAL,
                       "%s takes %" PRId64 " channels, which have no colour: hide by the mean",
                       zf_net_name(net), input.c);
    for (int c = 0; c < 3; c++) {
        if (!(colour[c] >= 0.0f && colour[c] <= 255.0f))
            return zf_fail(err, ZF_EINVAL, "a colour's parts are 0 to 255, not %g",
                           (double)colour[c]);
    }
    ZF_CHECK(zf_picture_init(&square, geometry.width, geometry.height, err));
    for (int64_t i = 0; i < square.width * square.height * 3; i++)
        square.pixels[i] = (uint8_t)lroundf(colour[i % 3]);
    zf_picture_prepare(&square, preparation, input, zf_view_centre(preparation, input), dst);
    zf_picture_release(&square);
    return ZF_OK;
}

/* Boxes at once, unless asked for: as many as keep the largest map of all within BATCH_BYTES. The
   fully connected layers, which read their weights anew for every batch, want it large. */
static enum zf_status default_batch(const struct zf_net *net,
                                    const struct zf_cover_options *options, int64_t *batch,
                                    struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);
    const int64_t height = options->box && options->box < input.h ? options->box : input.h;
    const int64_t width = options->box && options->box < input.w ? options->box : input.w;
    struct zf_boxes boxes = {0};
    enum zf_status status = zf_boxes_up(net, height, width, &boxes, err);
    int64_t floats = 1, most = MAX_BATCH, runs;

    for (int i = 0; status == ZF_OK && i < zf_net_layer_count(net); i++)
        floats = larger(floats, zf_net_layer(net, i).shape.c * boxes.rows.extent[i + 1] *
                                    boxes.columns.extent[i + 1]);
    zf_boxes_release(&boxes);
    if (most > BATCH_BYTES / (floats * (int64_t)sizeof(float)))
        most = larger(MIN_BATCH, BATCH_BYTES / (floats * (int64_t)sizeof(float)));
    runs = larger(1, (options->most + most - 1) / most);
    *batch = options->most > 0 ? (options->most + runs - 1) / runs : most; /* no run half empty */
    return status;
}

/* As asked for or chosen, and no more than there will be. */
static enum zf_status find_batch(const struct zf_net *net, const struct zf_cover_options *options,
                                 int64_t *batch, struct zf_error *err)
{
    const struct zf_compute *compute = &options->compute;

    if (compute->batch < 0 || compute->batch > ASKED_BATCH || compute->threads < 0)
        return zf_fail(err, ZF_EINVAL, "batch (%" PRId64 ") is 1 to %d, threads (%d) not negative",
                       compute->batch, ASKED_BATCH, compute->threads);
    ZF_CHECK(default_batch(net, options, batch, err));
    if (compute->batch > 0)
        *batch =
            options->most > 0 && compute->batch > options->most ? options->most : compute->batch;
    return ZF_OK;
}

enum zf_status zf_cover_init(struct zf_cover *cover, const struct zf_net *net,
                             const struct zf_cover_options *options, struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);
    struct zf_cover made = {.net = net};
    enum zf_status status;

    ZF_TRY(find_batch(net, options, &made.batch, err));
    made.how = (struct zf_plan_options){
        .compute = zf_compute_batch(options->compute, made.batch),
        .purpose = ZF_PATCH,
        .watched = true,
        .brief = true, /* one whole picture at a time; a run of patches is long in itself */
        .taps = options->taps,
        .tap_count = options->tap_count,
        .taps_only = options->taps_only,
        .patch_height = options->box < input.h ? options->box : input.h,
        .patch_width = options->box < input.w ? options->box : input.w,
    };
    made.places = zf_alloc((size_t)made.batch, sizeof *made.places);
    if (!made.places)
        ZF_LEAVE(zf_no_memory(err, "%" PRId64 " boxes", made.batch));
    ZF_TRY(zf_tensor_init(&made.colour, 1, input.c, input.h, input.w, err));
    if (options->colour)
        ZF_TRY(prepare_colour(net, options->colour, made.colour.data, err));
    *cover = made;
    return ZF_OK;
fail:
    zf_cover_release(&made);
    return status;
}

void zf_cover_release(struct zf_cover *cover)
{
    zf_plan_free(&cover->plan);
    zf_tensor_release(&cover->patches);
    zf_tensor_release(&cover->colour);
    zf_free(cover->places);
    cover->places = NULL;
}

void zf_cover_picture(struct zf_cover *cover, const float *input)
{
    cover->input = input;
    cover->seen = false;
}

/* A plan whose patches are large enough for the boxes. */
static enum zf_status make_room(struct zf_cover *cover, const struct zf_box *boxes, int64_t count,
                                struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(cover->net);
    int64_t height = larger(1, cover->how.patch_height), width = larger(1, cover->how.patch_width);

    for (int64_t i = 0; i < count; i++) {
        height = larger(height, boxes[i].height);
        width = larger(width, boxes[i].width);
    }
    if (cover->plan && height == cover->how.patch_height && width == cover->how.patch_width)
        return ZF_OK;
    zf_plan_free(&cover->plan);
    zf_tensor_release(&cover->patches);
    cover->how.patch_height = height;
    cover->how.patch_width = width;
    cover->seen = false;
    ZF_CHECK(zf_tensor_init(&cover->patches, cover->batch, input.c, height, width, err));
    ZF_CHECK(zf_plan_create(cover->net, &cover->how, &cover->plan, err));
    return ZF_OK;
}

/* Patch i: the picture around a box, and its colour inside. */
static void paint(struct zf_cover *cover, int64_t i, struct zf_box box)
{
    const struct zf_tensor whole = cover->colour, patch = cover->patches;
    struct zf_box *at = &cover->places[i];
    float *to = patch.data + i * patch.c * patch.h * patch.w;

    *at = (struct zf_box){box.x, box.y, patch.w, patch.h};
    at->x = at->x > whole.w - patch.w ? whole.w - patch.w : at->x;
    at->y = at->y > whole.h - patch.h ? whole.h - patch.h : at->y;
    for (int64_t row = 0; row < patch.c * patch.h; row++, to += patch.w) {
        const int64_t y = at->y + row % patch.h;
        const int64_t from = (row / patch.h * whole.h + y) * whole.w + at->x;

        memcpy(to, cover->input + from, (size_t)patch.w * sizeof *to);
        if (y >= box.y && y < box.y + box.height)
            memcpy(to + box.x - at->x, whole.data + from + box.x - at->x,
                   (size_t)box.width * sizeof *to);
    }
}

enum zf_status zf_cover_run(struct zf_cover *cover, const struct zf_box *boxes, int64_t count,
                            struct zf_error *err)
{
    const enum zf_status status = make_room(cover, boxes, count, err);
    struct zf_tensor patches = cover->patches, picture = cover->colour;

    if (status != ZF_OK)
        return status;
    if (!cover->seen) {
        picture.data = (float *)(uintptr_t)cover->input; /* only read */
        zf_plan_forward(cover->plan, &picture);
        ZF_CHECK(zf_plan_check_finite(cover->plan, &picture, NULL, err));
        cover->seen = true;
    }
    for (int64_t i = 0; i < count; i++)
        paint(cover, i, boxes[i]);
    patches.n = count;
    zf_plan_forward_patched(cover->plan, &patches, cover->places);
    return ZF_OK;
}
