/* SPDX-License-Identifier: MIT */
#include "experiments/correspond/squares.h"

#include <inttypes.h>
#include <math.h>

#include "base/random.h"
#include "base/status.h"

#define TRIES 100 /* at a random place that covers no part */

/* The box of `size` px around a point, moved back into the input. */
static struct zf_box box_around(double x, double y, int64_t size, struct zf_shape input)
{
    struct zf_box box = {(int64_t)lround(x - (double)size / 2.0),
                         (int64_t)lround(y - (double)size / 2.0), size, size};

    box.x = box.x < 0 ? 0 : box.x > input.w - size ? input.w - size : box.x;
    box.y = box.y < 0 ? 0 : box.y > input.h - size ? input.h - size : box.y;
    return box;
}

enum zf_status zf_square_of_mark(const struct zf_hiding *hiding, const struct zf_part_mark *mark,
                                 struct zf_box original, struct zf_box *box, struct zf_error *err)
{
    const struct zf_parts *parts = hiding->parts;
    const struct zf_preparation *how = zf_net_preparation(hiding->net);
    const struct zf_shape in = zf_net_input(hiding->net);
    const struct zf_view view = zf_view_centre(how, in);
    const char *part = parts->parts[mark->part];
    int64_t size = hiding->size;
    struct zf_placing at;

    if (!(mark->x >= 0.0 && mark->x < (double)original.width && mark->y >= 0.0 &&
          mark->y < (double)original.height))
        return zf_fail(err, ZF_EINPUT,
                       "%s:%" PRId64 ": %s at (%g, %g) is outside of %s, which has %" PRId64
                       " x %" PRId64 " px",
                       parts->name, mark->line, part, mark->x, mark->y,
                       parts->pictures[mark->picture], original.width, original.height);
    /* A mark names a pixel; its middle is half a pixel further. */
    at =
        (struct zf_placing){.x = mark->x + 0.5, .y = mark->y + 0.5, .scale_x = 1.0, .scale_y = 1.0};
    if (!hiding->prepared) {
        at = zf_picture_place(original.width, original.height, zf_geometry_of(how, in), at.x, at.y);
        at.x -= (double)view.x;
        at.y -= (double)view.y;
    }
    if (mark->size > 0.0)
        size = (int64_t)fmax(1.0, round(mark->size * sqrt(at.scale_x * at.scale_y)));
    if (size > in.h || size > in.w)
        return zf_fail(err, ZF_EINPUT,
                       "%s:%" PRId64 ": a square of %" PRId64
                       " px of the input is larger than that, %" PRId64 " x %" PRId64 " px",
                       parts->name, mark->line, size, in.w, in.h);
    if (at.x >= 0.0 && at.x < (double)in.w && at.y >= 0.0 && at.y < (double)in.h)
        *box = box_around(at.x, at.y, size, in);
    else
        zf_monitor_message(hiding->monitor,
                           "left out: %s:%" PRId64 ": %s of %s lies outside of the centre crop, "
                           "which is all that the net sees",
                           parts->name, mark->line, part, parts->pictures[mark->picture]);
    return ZF_OK;
}

static bool covers(struct zf_box box, struct zf_box part)
{
    const int64_t x = part.x + part.width / 2, y = part.y + part.height / 2;

    return part.width > 0 && x >= box.x && x < box.x + box.width && y >= box.y &&
           y < box.y + box.height;
}

/* Where random squares may lie: around the marks, a square further to all sides. The paper takes
   random parts of the object; an empty background changes nothing, and that consistently. */
static struct zf_box object_box(const struct zf_box *parts, size_t count, int64_t size,
                                struct zf_shape input)
{
    int64_t left = input.w, top = input.h, right = 0, bottom = 0;

    for (size_t p = 0; p < count; p++) {
        if (parts[p].width == 0)
            continue;
        left = parts[p].x < left ? parts[p].x : left;
        top = parts[p].y < top ? parts[p].y : top;
        right = parts[p].x + parts[p].width > right ? parts[p].x + parts[p].width : right;
        bottom = parts[p].y + parts[p].height > bottom ? parts[p].y + parts[p].height : bottom;
    }
    if (left > right) /* none is seen */
        return (struct zf_box){0, 0, input.w, input.h};
    left = left > size ? left - size : 0;
    top = top > size ? top - size : 0;
    right = right + size < input.w ? right + size : input.w;
    bottom = bottom + size < input.h ? bottom + size : input.h;
    return (struct zf_box){left, top, right - left, bottom - top};
}

void zf_squares_at_random(const struct zf_hiding *hiding, size_t picture,
                          const struct zf_box *parts, struct zf_box *random)
{
    const size_t part_count = hiding->parts->part_count;
    struct zf_random stream =
        zf_random_stream(hiding->seed, ZF_RANDOM_PLACES, (uint64_t)picture, 0);
    int64_t size = 0, marked = 0;
    struct zf_box object;

    for (size_t p = 0; p < part_count; p++) {
        size += parts[p].width;
        marked += parts[p].width > 0;
    }
    size = marked > 0 ? (size + marked / 2) / marked : hiding->size;
    object = object_box(parts, part_count, size, zf_net_input(hiding->net));
    for (int64_t k = 0; k < hiding->repeats; k++) {
        bool free = false;

        for (int tries = 0; !free && tries < TRIES; tries++) {
            const uint64_t columns = (uint64_t)(object.width - size + 1);
            const uint64_t rows = (uint64_t)(object.height - size + 1);

            random[k].x = object.x + (int64_t)zf_random_below(&stream, columns);
            random[k].y = object.y + (int64_t)zf_random_below(&stream, rows);
            random[k].width = random[k].height = size;
            free = true;
            for (size_t p = 0; p < part_count; p++)
                free = free && !covers(random[k], parts[p]);
        }
    }
}
