/* SPDX-License-Identifier: MIT */
#include "page/canvas.h"

#include <math.h>
#include <string.h>

enum zf_status zf_canvas_init(struct zf_picture *canvas, int64_t width, int64_t height,
                              struct zf_error *err)
{
    const enum zf_status status = zf_picture_init(canvas, width, height, err);

    if (status == ZF_OK)
        zf_canvas_fill(canvas, zf_picture_box(canvas), ZF_PAPER);
    return status;
}

struct zf_box zf_picture_box(const struct zf_picture *picture)
{
    return (struct zf_box){0, 0, picture->width, picture->height};
}

static struct zf_box clip(const struct zf_picture *canvas, struct zf_box box)
{
    const int64_t right = box.x + box.width, bottom = box.y + box.height;

    box.x = box.x > 0 ? box.x : 0;
    box.y = box.y > 0 ? box.y : 0;
    box.width = (right < canvas->width ? right : canvas->width) - box.x;
    box.height = (bottom < canvas->height ? bottom : canvas->height) - box.y;
    return box;
}

void zf_canvas_fill(struct zf_picture *canvas, struct zf_box box, struct zf_rgb colour)
{
    box = clip(canvas, box);
    for (int64_t y = box.y; y < box.y + box.height; y++) {
        uint8_t *pixel = canvas->pixels + (y * canvas->width + box.x) * 3;

        for (int64_t x = 0; x < box.width; x++, pixel += 3)
            memcpy(pixel, &colour, 3);
    }
}

void zf_canvas_frame(struct zf_picture *canvas, struct zf_box box, int64_t thickness,
                     struct zf_rgb colour)
{
    const int64_t right = box.x + box.width, bottom = box.y + box.height;

    zf_canvas_fill(canvas, (struct zf_box){box.x, box.y, box.width, thickness}, colour);
    zf_canvas_fill(canvas, (struct zf_box){box.x, bottom - thickness, box.width, thickness},
                   colour);
    zf_canvas_fill(canvas, (struct zf_box){box.x, box.y, thickness, box.height}, colour);
    zf_canvas_fill(canvas, (struct zf_box){right - thickness, box.y, thickness, box.height},
                   colour);
}

/* The value of channel c at a point, 0 at the middle of the first pixel of `from`. */
static double sample(const struct zf_picture *picture, struct zf_box from, double x, double y,
                     int c)
{
    const double left = fmin(fmax(x, 0.0), (double)from.width - 1.0);
    const double top = fmin(fmax(y, 0.0), (double)from.height - 1.0);
    const int64_t x0 = (int64_t)left, y0 = (int64_t)top;
    const int64_t x1 = x0 + (x0 + 1 < from.width), y1 = y0 + (y0 + 1 < from.height);
    const double fx = left - (double)x0, fy = top - (double)y0;
    const uint8_t *upper = picture->pixels + ((from.y + y0) * picture->width + from.x) * 3 + c;
    const uint8_t *lower = picture->pixels + ((from.y + y1) * picture->width + from.x) * 3 + c;

    return (1.0 - fy) * ((1.0 - fx) * upper[x0 * 3] + fx * upper[x1 * 3]) +
           fy * ((1.0 - fx) * lower[x0 * 3] + fx * lower[x1 * 3]);
}

void zf_canvas_place(struct zf_picture *canvas, struct zf_box box, const struct zf_picture *picture,
                     struct zf_box from)
{
    const struct zf_box seen = clip(canvas, box);
    const double step_x = (double)from.width / (double)box.width;
    const double step_y = (double)from.height / (double)box.height;
    const int across = (int)ceil(fmax(step_x, 1.0)), down = (int)ceil(fmax(step_y, 1.0));

    for (int64_t y = seen.y; y < seen.y + seen.height; y++) {
        for (int64_t x = seen.x; x < seen.x + seen.width; x++) {
            uint8_t *pixel = canvas->pixels + (y * canvas->width + x) * 3;

            for (int c = 0; c < 3; c++) {
                double sum = 0.0;

                for (int i = 0; i < across * down; i++) {
                    const double at_x = (double)(x - box.x) + (i % across + 0.5) / across;
                    const double at_y =
                        (double)(y - box.y) + (double)(i / across) / down + 0.5 / down;

                    sum += sample(picture, from, at_x * step_x - 0.5, at_y * step_y - 0.5, c);
                }
                pixel[c] = (uint8_t)lround(sum / (across * down));
            }
        }
    }
}

void zf_canvas_paste(struct zf_picture *canvas, int64_t left, int64_t top,
                     const struct zf_picture *picture, struct zf_box from)
{
    for (int64_t y = 0; y < from.height; y++)
        memcpy(canvas->pixels + ((top + y) * canvas->width + left) * 3,
               picture->pixels + ((from.y + y) * picture->width + from.x) * 3,
               (size_t)from.width * 3);
}
