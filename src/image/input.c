/* SPDX-License-Identifier: MIT */
#include "zf/image.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/array.h"
#include "image/picture.h"
#include "tensor/array_file.h"

static bool are(const int64_t dims[3], int64_t a, int64_t b, int64_t c)
{
    return dims[0] == a && dims[1] == b && dims[2] == c;
}

/* How many inputs a file holds, 0 when its shape does not fit: [N,C,H,W] before [C,H,W] before
   [N,H,W,C] before [H,W,C]. Dimensions that it lacks are 1 at the end, so that those with a last C
   are of one channel also without it. */
static int64_t count_inputs(const struct zf_tensor *file, struct zf_shape want, bool *channels_last)
{
    const int64_t dims[] = {file->n, file->c, file->h, file->w};

    *channels_last = false;
    if (are(dims + 1, want.c, want.h, want.w))
        return dims[0];
    if (dims[3] == 1 && are(dims, want.c, want.h, want.w))
        return 1;
    *channels_last = true;
    if (are(dims + 1, want.h, want.w, want.c))
        return dims[0];
    return dims[3] == 1 && are(dims, want.h, want.w, want.c) ? 1 : 0;
}

/* [N,H,W,C] to [N,C,H,W]; of one channel they are the same. */
static void move_channels(const float *src, struct zf_tensor *dst)
{
    const int64_t plane = dst->h * dst->w;

    for (int64_t i = 0; i < dst->n; i++) {
        for (int64_t c = 0; c < dst->c; c++) {
            for (int64_t k = 0; k < plane; k++)
                dst->data[(i * dst->c + c) * plane + k] = src[(i * plane + k) * dst->c + c];
        }
    }
}

/* Inputs that were prepared elsewhere: only their shape and their values are checked. */
static enum zf_status take_inputs(const char *path, const struct zf_tensor *file,
                                  struct zf_shape want, struct zf_tensor *dst, struct zf_error *err)
{
    const int64_t values = zf_tensor_count(file);
    bool channels_last;
    const int64_t count = count_inputs(file, want, &channels_last);

    if (count == 0)
        return zf_fail(err, ZF_EINPUT,
                       "%s: its shape is %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64
                       ", the net takes N x %" PRId64 " x %" PRId64 " x %" PRId64,
                       path, file->n, file->c, file->h, file->w, want.c, want.h, want.w);
    for (int64_t i = 0; i < values; i++) {
        if (!isfinite(file->data[i]))
            return zf_fail(err, ZF_EINPUT,
                           "%s: value %" PRId64 " of %" PRId64 " is not finite in float32", path, i,
                           values);
    }
    ZF_CHECK(zf_tensor_init(dst, count, want.c, want.h, want.w, err));
    if (channels_last)
        move_channels(file->data, dst);
    else
        memcpy(dst->data, file->data, (size_t)values * sizeof(float));
    return ZF_OK;
}

static enum zf_status show_inputs(const struct zf_tensor *inputs,
                                  const struct zf_preparation *preparation,
                                  struct zf_picture **shown, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const struct zf_shape shape = {inputs->c, inputs->h, inputs->w};
    struct zf_picture *pictures = zf_alloc((size_t)inputs->n, sizeof *pictures);

    if (!pictures)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for %" PRId64 " pictures", inputs->n));
    for (int64_t i = 0; i < inputs->n; i++)
        ZF_TRY(zf_picture_from_input(inputs->data + i * shape.c * shape.h * shape.w, shape,
                                     preparation, &pictures[i], err));
    *shown = pictures;
    pictures = NULL;
fail:
    zf_pictures_free(&pictures, inputs->n);
    return status;
}

/* The crop itself, not the way back from floats: exactly what the square holds. */
enum zf_status zf_picture_crop(const struct zf_picture *square, struct zf_view view,
                               struct zf_shape shape, struct zf_picture *shown,
                               struct zf_error *err)
{
    ZF_CHECK(zf_picture_init(shown, shape.w, shape.h, err));
    for (int64_t y = 0; y < shape.h; y++)
        memcpy(shown->pixels + y * shape.w * 3,
               square->pixels + ((view.y + y) * square->width + view.x) * 3, (size_t)shape.w * 3);
    if (shape.c == 1)
        zf_picture_grey(shown);
    return ZF_OK;
}

enum zf_status zf_input_takes_pictures(const struct zf_net *net, struct zf_error *err)
{
    const int64_t channels = zf_net_input(net).c;

    if (zf_are_colours(channels))
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT,
                   "%s takes %" PRId64
                   " channels, pictures have 1 or 3: give its inputs as .npy files",
                   zf_net_name(net), channels);
}

/* Inputs, and unless `shown` is NULL room for as many pictures. */
struct loaded {
    struct zf_tensor inputs;
    struct zf_picture *pictures;
};

static enum zf_status make_room(struct loaded *loaded, int64_t count, struct zf_shape shape,
                                bool shown, struct zf_error *err)
{
    ZF_CHECK(zf_tensor_init(&loaded->inputs, count, shape.c, shape.h, shape.w, err));
    if (shown)
        loaded->pictures = zf_alloc((size_t)count, sizeof *loaded->pictures);
    return shown && !loaded->pictures ? zf_no_memory(err, "%" PRId64 " pictures", count) : ZF_OK;
}

/* What the net sees of a square becomes input i. */
static enum zf_status prepare(const struct zf_picture *square, const struct zf_net *net, int64_t i,
                              struct loaded *loaded, struct zf_error *err)
{
    const struct zf_preparation *preparation = zf_net_preparation(net);
    const struct zf_shape shape = zf_net_input(net);
    const struct zf_view centre = zf_view_centre(preparation, shape);

    zf_picture_prepare(square, preparation, shape, centre,
                       loaded->inputs.data + i * shape.c * shape.h * shape.w);
    return loaded->pictures ? zf_picture_crop(square, centre, shape, &loaded->pictures[i], err)
                            : ZF_OK;
}

static enum zf_status load_picture(const char *path, const struct zf_net *net, bool shown,
                                   struct loaded *loaded, struct zf_error *err)
{
    const struct zf_geometry geometry = zf_geometry_of(zf_net_preparation(net), zf_net_input(net));
    struct zf_picture square = {0};
    enum zf_status status;

    ZF_TRY(zf_input_takes_pictures(net, err));
    ZF_TRY(zf_picture_load_square(path, geometry, NULL, &square, err));
    ZF_TRY(make_room(loaded, 1, zf_net_input(net), shown, err));
    ZF_TRY(prepare(&square, net, 0, loaded, err));
fail:
    zf_picture_release(&square);
    return status;
}

/* The same as from a picture file with these pixels. */
static enum zf_status load_levels(const char *path, const struct zf_tensor *file, int rank,
                                  const struct zf_net *net, bool shown, struct loaded *loaded,
                                  struct zf_error *err)
{
    const struct zf_geometry geometry = zf_geometry_of(zf_net_preparation(net), zf_net_input(net));
    struct zf_picture picture = {0}, square = {0};
    struct zf_levels_array levels;
    enum zf_status status;

    ZF_CHECK(zf_array_find(path, file, rank, &levels, err));
    ZF_TRY(make_room(loaded, levels.count, zf_net_input(net), shown, err));
    for (int64_t i = 0; i < levels.count; i++) {
        ZF_TRY(zf_array_picture(&levels, file, i, &picture, err));
        ZF_TRY(zf_picture_square(&picture, geometry, &square, err));
        ZF_TRY(prepare(&square, net, i, loaded, err));
        zf_picture_release(&picture);
        zf_picture_release(&square);
    }
fail:
    zf_picture_release(&picture);
    zf_picture_release(&square);
    return status;
}

/* ---- Any file ---- */

static enum zf_status take_array(const char *path, const struct zf_tensor *file,
                                 const struct zf_npy_form *form, const struct zf_net *net,
                                 bool shown, struct loaded *loaded, struct zf_error *err)
{
    if (form->levels && zf_are_colours(zf_net_input(net).c))
        return load_levels(path, file, form->rank, net, shown, loaded, err);
    ZF_CHECK(take_inputs(path, file, zf_net_input(net), &loaded->inputs, err));
    return shown ? show_inputs(&loaded->inputs, zf_net_preparation(net), &loaded->pictures, err)
                 : ZF_OK;
}

static enum zf_status load_array(const char *path, const struct zf_net *net, bool shown,
                                 struct loaded *loaded, struct zf_error *err)
{
    struct zf_tensor file = {0};
    struct zf_npy_form form;
    enum zf_status status;

    ZF_TRY(zf_array_load(path, &file, &form, err));
    ZF_TRY(take_array(path, &file, &form, net, shown, loaded, err));
fail:
    zf_tensor_release(&file);
    return status;
}

static enum zf_status hand_over(enum zf_status status, struct loaded *loaded, struct zf_tensor *dst,
                                struct zf_picture **shown)
{
    if (status != ZF_OK) {
        zf_pictures_free(&loaded->pictures, loaded->inputs.n);
        zf_tensor_release(&loaded->inputs);
        return status;
    }
    *dst = loaded->inputs;
    if (shown)
        *shown = loaded->pictures;
    return ZF_OK;
}

enum zf_status zf_input_load(const char *path, const struct zf_net *net, struct zf_tensor *dst,
                             struct zf_picture **shown, struct zf_error *err)
{
    struct loaded loaded = {0};

    return hand_over(zf_is_array(path) ? load_array(path, net, shown != NULL, &loaded, err)
                                       : load_picture(path, net, shown != NULL, &loaded, err),
                     &loaded, dst, shown);
}

enum zf_status zf_input_parse(const struct zf_bytes *file, const char *name,
                              const struct zf_net *net, struct zf_tensor *dst,
                              struct zf_picture **shown, struct zf_error *err)
{
    struct loaded loaded = {0};
    struct zf_tensor values = {0};
    struct zf_npy_form form;
    enum zf_status status;

    ZF_TRY(zf_array_parse(file, name, &values, &form, err));
    ZF_TRY(take_array(name, &values, &form, net, shown != NULL, &loaded, err));
fail:
    zf_tensor_release(&values);
    return hand_over(status, &loaded, dst, shown);
}
