/* SPDX-License-Identifier: MIT */
/*
 * Shift, enlarge, turn, through libvips. Its affine transform paints what lies outside of the
 * picture in one colour, so the picture is first surrounded by as much of its outermost pixels as
 * the corners of the result look back to.
 */
#include "picture.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "image/vips_library.h"

#define MAX_SCALE 16.0
#define MAX_SHIFT 4.0    /* of the longer side */
#define KERNEL_REACH 4.0 /* px that the interpolator looks beyond a point */
#define PI 3.14159265358979323846

/* x' = a x + b y, y' = c x + d y, about the centre. */
struct matrix {
    double a, b, c, d;
};

/* Quarter turns are exact, so that they do not sample between pixels. */
static struct matrix matrix_of(const struct zf_transform *transform)
{
    const double turns = transform->degrees / 90.0;
    const bool quarter = turns == floor(turns);
    const double angle = transform->degrees / 180.0 * PI;
    const double cosine = quarter ? round(cos(angle)) : cos(angle);
    const double sine = quarter ? round(sin(angle)) : sin(angle);
    const double scale = transform->scale;

    return (struct matrix){scale * cosine, -scale * sine, scale * sine, scale * cosine};
}

static bool is_identity(const struct zf_transform *transform)
{
    const struct matrix m = matrix_of(transform);
    const double departures[] = {transform->shift_x, transform->shift_y, m.a - 1.0, m.b, m.c,
                                 m.d - 1.0};

    for (size_t i = 0; i < ZF_COUNT(departures); i++) {
        if (departures[i] < 0.0 || departures[i] > 0.0)
            return false;
    }
    return true;
}

/* How far outside of the picture the result's corners look. */
static double margin_of(const struct zf_picture *picture, const struct zf_transform *transform)
{
    const double width = (double)picture->width, height = (double)picture->height;
    const double reach =
        (hypot(width, height) / 2.0 + hypot(transform->shift_x, transform->shift_y)) /
        transform->scale;
    const double shorter = width < height ? width : height;

    return ceil(fmax(reach - shorter / 2.0, 0.0) + KERNEL_REACH);
}

static enum zf_status check(const struct zf_picture *picture, const struct zf_transform *transform,
                            struct zf_error *err)
{
    const int64_t longer = picture->width > picture->height ? picture->width : picture->height;
    const double most = MAX_SHIFT * (double)longer;

    if (!(transform->scale >= 1.0 / MAX_SCALE && transform->scale <= MAX_SCALE))
        return zf_fail(err, ZF_EINVAL, "a scale of %g is not in 1/16 .. 16", transform->scale);
    if (!isfinite(transform->degrees))
        return zf_fail(err, ZF_EINVAL, "a picture cannot be turned by %g degrees",
                       transform->degrees);
    if (!(fabs(transform->shift_x) <= most && fabs(transform->shift_y) <= most))
        return zf_fail(err, ZF_EINVAL, "a shift by %g, %g px is more than %g", transform->shift_x,
                       transform->shift_y, most);
    return ZF_OK;
}

/* The lazy steps belong to `owner`; NULL on failure. */
static VipsImage *transform_steps(VipsObject *owner, const struct zf_picture *picture,
                                  const struct zf_transform *transform)
{
    VipsImage **step = (VipsImage **)zf_vips->object_local_array(owner, 3);
    VipsInterpolate *bicubic = zf_vips->interpolate_new("bicubic");
    const struct matrix m = matrix_of(transform);
    const int width = (int)picture->width, height = (int)picture->height;
    const int margin = (int)margin_of(picture, transform);
    /* Pixels are points at whole coordinates, so the centre lies half a pixel before half. */
    const double x = (width - 1) / 2.0, y = (height - 1) / 2.0;
    VipsArrayInt *area = zf_vips->array_int_newv(4, 0, 0, width, height);
    bool ok;

    step[0] = zf_vips->image_new_from_memory(picture->pixels,
                                             (size_t)(picture->width * picture->height * 3), width,
                                             height, 3, VIPS_FORMAT_UCHAR);
    ok = step[0] && zf_vips->embed(step[0], &step[1], margin, margin, width + 2 * margin,
                                   height + 2 * margin, "extend", VIPS_EXTEND_COPY, NULL) == 0;
    ok = ok && zf_vips->affine(step[1], &step[2], m.a, m.b, m.c, m.d, "interpolate", bicubic,
                               "oarea", area, "idx", -(double)margin - x, "idy",
                               -(double)margin - y, "odx", x + transform->shift_x, "ody",
                               y + transform->shift_y, "extend", VIPS_EXTEND_COPY, NULL) == 0;
    zf_vips->area_unref(VIPS_AREA(area));
    zf_vips->object_unref(bicubic);
    return ok ? step[2] : NULL;
}

enum zf_status zf_picture_transform(const struct zf_picture *picture,
                                    const struct zf_transform *transform, struct zf_picture *moved,
                                    struct zf_error *err)
{
    enum zf_status status;
    struct zf_picture made = {0};
    const size_t size = (size_t)(picture->width * picture->height * 3);
    VipsObject *owner = NULL;
    VipsImage *image;
    void *pixels = NULL;
    size_t got = 0;

    ZF_TRY(check(picture, transform, err));
    ZF_TRY(zf_picture_init_raw(&made, picture->width, picture->height, err));
    if (is_identity(transform)) {
        memcpy(made.pixels, picture->pixels, size);
    } else {
        ZF_TRY(zf_vips_start(err));
        owner = (VipsObject *)(zf_vips->image_new());
        image = transform_steps(owner, picture, transform);
        if (image)
            pixels = zf_vips->image_write_to_memory(image, &got);
        if (!pixels || got != size)
            ZF_LEAVE(zf_vips_fail(err, ZF_ENOMEM, "a picture", "cannot be transformed"));
        memcpy(made.pixels, pixels, size);
    }
    *moved = made;
    made = (struct zf_picture){0};
fail:
    if (pixels)
        zf_vips->free(pixels);
    if (owner)
        zf_vips->object_unref(owner);
    zf_picture_release(&made);
    return status;
}
