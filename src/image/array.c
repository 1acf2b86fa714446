/* SPDX-License-Identifier: MIT */
#include "image/array.h"

#include <inttypes.h>

#include "base/status.h"

bool zf_are_colours(int64_t channels)
{
    return channels == 1 || channels == 3;
}

static bool find_levels(const struct zf_tensor *file, int rank, struct zf_levels_array *l)
{
    const int64_t dims[] = {file->n, file->c, file->h, file->w};
    const int64_t *d = dims + (rank == 4); /* of one picture */

    if (rank > 2 && zf_are_colours(d[2]))
        *l = (struct zf_levels_array){1, d[0], d[1], d[2], 0, d[1] * d[2], d[2], 1};
    else if (rank > 2 && zf_are_colours(d[0]))
        *l = (struct zf_levels_array){1, d[1], d[2], d[0], 0, d[2], 1, d[1] * d[2]};
    else if (rank == 2)
        *l = (struct zf_levels_array){1, d[0], d[1], 1, 0, d[1], 1, 0};
    else if (rank == 3)
        *l = (struct zf_levels_array){d[0], d[1], d[2], 1, 0, d[2], 1, 0};
    else
        return false;
    if (rank == 4)
        l->count = dims[0];
    l->picture = l->height * l->width * l->channels;
    return true;
}

enum zf_status zf_array_find(const char *path, const struct zf_tensor *file, int rank,
                             struct zf_levels_array *out, struct zf_error *err)
{
    if (find_levels(file, rank, out))
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT,
                   "%s: uint8 of %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64
                   ", which is no picture: [N,H,W,3], [N,3,H,W], [N,H,W] or one of them",
                   path, file->n, file->c, file->h, file->w);
}

enum zf_status zf_array_picture(const struct zf_levels_array *l, const struct zf_tensor *file,
                                int64_t i, struct zf_picture *picture, struct zf_error *err)
{
    const float *numbers = file->data + i * l->picture;
    uint8_t *out;

    ZF_CHECK(zf_picture_init(picture, l->width, l->height, err));
    out = picture->pixels;
    for (int64_t y = 0; y < l->height; y++)
        for (int64_t x = 0; x < l->width; x++)
            for (int c = 0; c < 3; c++)
                *out++ = (uint8_t)
                    numbers[y * l->row + x * l->column + (l->channels == 3 ? c * l->channel : 0)];
    return ZF_OK;
}

enum zf_status zf_array_open(const char *path, bool *are_levels, struct zf_picture *picture,
                             struct zf_error *err)
{
    struct zf_tensor file = {0};
    struct zf_npy_form form = {0};
    struct zf_levels_array levels;
    enum zf_status status;

    ZF_TRY(zf_array_load(path, &file, &form, err));
    *are_levels = form.levels;
    if (!form.levels)
        goto fail;
    ZF_TRY(zf_array_find(path, &file, form.rank, &levels, err));
    if (levels.count != 1)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s: holds %" PRId64 " pictures, a sample is one", path,
                         levels.count));
    ZF_TRY(zf_array_picture(&levels, &file, 0, picture, err));
fail:
    zf_tensor_release(&file);
    return status;
}

enum zf_status zf_array_square(const char *path, struct zf_geometry geometry,
                               struct zf_picture *square, struct zf_error *err)
{
    struct zf_picture picture = {0};
    bool levels;
    enum zf_status status;

    ZF_CHECK(zf_array_open(path, &levels, &picture, err));
    if (!levels)
        return zf_fail(err, ZF_EINPUT,
                       "%s: numbers that are a net's input, and no picture: uint8 would be one",
                       path);
    status = zf_picture_square(&picture, geometry, square, err);
    zf_picture_release(&picture);
    return status;
}
