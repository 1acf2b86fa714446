/* SPDX-License-Identifier: MIT */
/* A first layer's filters are little pictures themselves. (Paper: figure 6.) */
#include "zf/image.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define PAPER 255     /* what lies between them */
#define MAX_TILE 1024 /* px */

enum zf_status zf_filters_weight(const struct zf_net *net, int layer, struct zf_parameter *weight,
                                 struct zf_error *err)
{
    struct zf_layer_info info;

    if (layer < 0 || layer >= zf_net_layer_count(net))
        return zf_fail(err, ZF_EINVAL, "layer %d does not exist: %s has %d layers", layer,
                       zf_net_name(net), zf_net_layer_count(net));
    info = zf_net_layer(net, layer);
    for (int i = 0; i < zf_net_parameter_tensors(net); i++) {
        struct zf_parameter parameter = zf_net_parameter(net, i);
        size_t length = strlen(info.name);

        if (strncmp(parameter.name, info.name, length) == 0 &&
            strcmp(parameter.name + length, ".weight") == 0 && parameter.rank == 4) {
            if (parameter.dims[1] > zf_net_input(net).c)
                break;
            *weight = parameter;
            return ZF_OK;
        }
    }
    return zf_fail(err, ZF_EINVAL,
                   "%s (%s) has no filters over the input's channels that could be shown",
                   info.name, info.type);
}

/* Nearest: the cells of a filter are what one wants to see. */
static void place_tile(const struct zf_picture *filter, int64_t tile, struct zf_picture *sheet,
                       int64_t left, int64_t top)
{
    for (int64_t y = 0; y < tile; y++) {
        const uint8_t *src = filter->pixels + y * filter->height / tile * filter->width * 3;
        uint8_t *dst = sheet->pixels + ((top + y) * sheet->width + left) * 3;

        for (int64_t x = 0; x < tile; x++)
            memcpy(dst + 3 * x, src + x * filter->width / tile * 3, 3);
    }
}

/* Filter i of a convolution's weight. */
static enum zf_status draw_filter(const struct zf_net *net, const struct zf_parameter *weight,
                                  int64_t i, struct zf_picture *picture, struct zf_error *err)
{
    const struct zf_shape shape = {weight->dims[1], weight->dims[2], weight->dims[3]};

    return zf_picture_from_signal(weight->data + i * shape.c * shape.h * shape.w, shape,
                                  (struct zf_box){0, 0, shape.w, shape.h}, 0.0f,
                                  zf_net_preparation(net)->channels, picture, err);
}

enum zf_status zf_filter_picture(const struct zf_net *net, int layer, int64_t map,
                                 struct zf_picture *picture, struct zf_error *err)
{
    struct zf_parameter weight = {0};

    ZF_CHECK(zf_filters_weight(net, layer, &weight, err));
    if (map < 0 || map >= weight.dims[0])
        return zf_fail(err, ZF_EINVAL, "filter %" PRId64 " is not within 0 and %" PRId64, map,
                       weight.dims[0] - 1);
    return draw_filter(net, &weight, map, picture, err);
}

enum zf_status zf_filters_picture(const struct zf_net *net, int layer, int64_t tile,
                                  struct zf_picture *picture, struct zf_error *err)
{
    enum zf_status status;
    struct zf_parameter weight = {0};
    struct zf_picture sheet = {0}, filter = {0};
    int64_t columns, rows, pitch;

    if (tile < 1 || tile > MAX_TILE)
        return zf_fail(err, ZF_EINVAL, "a tile of %" PRId64 " px is not in 1 .. %d", tile,
                       MAX_TILE);
    ZF_TRY(zf_filters_weight(net, layer, &weight, err));
    columns = (int64_t)ceil(sqrt((double)weight.dims[0]) * 1.25);
    columns = columns < weight.dims[0] ? columns : weight.dims[0];
    rows = (weight.dims[0] + columns - 1) / columns;
    pitch = tile + ZF_FILTER_GAP;
    ZF_TRY(zf_picture_init(&sheet, columns * pitch + ZF_FILTER_GAP, rows * pitch + ZF_FILTER_GAP,
                           err));
    memset(sheet.pixels, PAPER, (size_t)(sheet.width * sheet.height * 3));
    for (int64_t i = 0; i < weight.dims[0]; i++) {
        zf_picture_release(&filter);
        ZF_TRY(draw_filter(net, &weight, i, &filter, err));
        place_tile(&filter, tile, &sheet, ZF_FILTER_GAP + i % columns * pitch,
                   ZF_FILTER_GAP + i / columns * pitch);
    }
    *picture = sheet;
    sheet = (struct zf_picture){0};
fail:
    zf_picture_release(&filter);
    zf_picture_release(&sheet);
    return status;
}
