/* SPDX-License-Identifier: MIT */
#include "zf/image.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"

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
static enum zf_status load_prepared(const char *path, struct zf_shape want, struct zf_tensor *dst,
                                    struct zf_error *err)
{
    enum zf_status status;
    struct zf_tensor loaded = {0}, inputs = {0};
    bool channels_last;
    int64_t count;

    ZF_TRY(zf_tensor_load_npy(path, &loaded, err));
    count = count_inputs(&loaded, want, &channels_last);
    if (count == 0)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s: its shape is %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64
                         ", the net takes N x %" PRId64 " x "
                         "%" PRId64 " x %" PRId64,
                         path, loaded.n, loaded.c, loaded.h, loaded.w, want.c, want.h, want.w));
    for (int64_t i = 0; i < zf_tensor_count(&loaded); i++) {
        if (!isfinite(loaded.data[i]))
            ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s: value %" PRId64 " of %" PRId64 " is not finite",
                             path, i, zf_tensor_count(&loaded)));
    }
    ZF_TRY(zf_tensor_init(&inputs, count, want.c, want.h, want.w, err));
    if (channels_last)
        move_channels(loaded.data, &inputs);
    else
        memcpy(inputs.data, loaded.data, (size_t)zf_tensor_count(&inputs) * sizeof(float));
    *dst = inputs;
fail:
    zf_tensor_release(&loaded);
    return status;
}

static enum zf_status show_prepared(const struct zf_tensor *inputs,
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
static enum zf_status show_crop(const struct zf_picture *square, struct zf_view view,
                                struct zf_shape shape, struct zf_picture **shown,
                                struct zf_error *err)
{
    enum zf_status status;
    struct zf_picture *crop = zf_alloc(1, sizeof *crop);

    if (!crop)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for a picture"));
    ZF_TRY(zf_picture_init(crop, shape.w, shape.h, err));
    for (int64_t y = 0; y < shape.h; y++)
        memcpy(crop->pixels + y * shape.w * 3,
               square->pixels + ((view.y + y) * square->width + view.x) * 3, (size_t)shape.w * 3);
    *shown = crop;
    crop = NULL;
fail:
    zf_pictures_free(&crop, 1);
    return status;
}

enum zf_status zf_input_takes_pictures(const struct zf_net *net, struct zf_error *err)
{
    const int64_t channels = zf_net_input(net).c;

    if (channels == 1 || channels == 3)
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT,
                   "%s takes %" PRId64
                   " channels, pictures have 1 or 3: give its inputs as .npy files",
                   zf_net_name(net), channels);
}

static enum zf_status load_picture(const char *path, const struct zf_net *net,
                                   struct zf_tensor *dst, struct zf_picture **shown,
                                   struct zf_error *err)
{
    enum zf_status status;
    const struct zf_preparation *preparation = zf_net_preparation(net);
    const struct zf_shape shape = zf_net_input(net);
    const struct zf_view centre = zf_view_centre(preparation, shape);
    struct zf_picture square = {0};
    struct zf_tensor input = {0};

    ZF_TRY(zf_input_takes_pictures(net, err));
    ZF_TRY(zf_picture_load_square(path, zf_geometry_of(preparation, shape), NULL, &square, err));
    ZF_TRY(zf_tensor_init(&input, 1, shape.c, shape.h, shape.w, err));
    zf_picture_prepare(&square, preparation, shape, centre, input.data);
    if (shown)
        ZF_TRY(show_crop(&square, centre, shape, shown, err));
    if (shown && shape.c == 1)
        zf_picture_grey(*shown);
    *dst = input;
    input = (struct zf_tensor){0};
fail:
    zf_tensor_release(&input);
    zf_picture_release(&square);
    return status;
}

enum zf_status zf_input_load(const char *path, const struct zf_net *net, struct zf_tensor *dst,
                             struct zf_picture **shown, struct zf_error *err)
{
    enum zf_status status;
    struct zf_tensor inputs = {0};

    if (!zf_ends_in(path, ".npy"))
        return load_picture(path, net, dst, shown, err);
    ZF_TRY(load_prepared(path, zf_net_input(net), &inputs, err));
    if (shown)
        ZF_TRY(show_prepared(&inputs, zf_net_preparation(net), shown, err));
    *dst = inputs;
    inputs = (struct zf_tensor){0};
fail:
    zf_tensor_release(&inputs);
    return status;
}
