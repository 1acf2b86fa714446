/* SPDX-License-Identifier: MIT */
/* One generated picture: background, clutter, the thing itself, light and noise. */
#include "data/synth/scene.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/synth/things.h"

#define PI 3.14159265358979323846
#define SIDE ZF_SYNTH_SIDE
#define MARGIN 2 /* px: room for outlines */

static const struct {
    const char *name;
    zf_sketch_draw *draw;
    bool may_mirror; /* not where left and right are named */
} things[ZF_SYNTH_CLASSES] = {
    {"boat", zf_draw_boat, true},   {"butterfly", zf_draw_butterfly, false},
    {"car", zf_draw_car, true},     {"clock", zf_draw_clock, true},
    {"cup", zf_draw_cup, true},     {"face", zf_draw_face, false},
    {"fish", zf_draw_fish, true},   {"flower", zf_draw_flower, true},
    {"house", zf_draw_house, true}, {"tree", zf_draw_tree, true},
};

const char *zf_synth_class(int k)
{
    return things[k].name;
}

/* Hue in turns, saturation and lightness 0 .. 1. */
static struct zf_colour colour(double hue, double saturation, double lightness)
{
    const double chroma = saturation * (1 - fabs(2 * lightness - 1));
    float rgb[3];

    for (int c = 0; c < 3; c++) {
        const double turn = 6 * (hue - (double)c / 3);
        const double place = fabs(turn - 6 * floor(turn / 6) - 3) - 1;
        const double ramp = place < 0 ? 0 : place > 1 ? 1 : place;
        rgb[c] = (float)(lightness + chroma * (ramp - 0.5));
    }
    return (struct zf_colour){rgb[0], rgb[1], rgb[2]};
}

static struct zf_paint plain(struct zf_colour c)
{
    return (struct zf_paint){.fill = ZF_FILL_PLAIN, .a = c, .b = c, .period = 1, .opacity = 1};
}

/* Patterns of two near colours, so that they do not hide what is drawn on them. */
static struct zf_paint patterned(struct zf_sketch *k, double hue, double lightness)
{
    const double saturation = zf_sketch_vary(k, 0.35, 0.9);
    const double step = lightness > 0.5 ? -0.16 : 0.16, kind = zf_sketch_vary(k, 0, 1);
    struct zf_paint paint = plain(colour(hue, saturation, lightness));

    paint.b = colour(hue + zf_sketch_vary(k, -0.12, 0.12), saturation, lightness + step);
    paint.angle = zf_sketch_vary(k, 0, PI);
    paint.period = zf_sketch_vary(k, 0.22, 0.4);
    paint.fill = kind < 0.3    ? ZF_FILL_PLAIN
                 : kind < 0.65 ? ZF_FILL_SHADE
                 : kind < 0.8  ? ZF_FILL_STRIPES
                 : kind < 0.9  ? ZF_FILL_DOTS
                               : ZF_FILL_CHECKS;
    return paint;
}

/* The thing stands out from `ground`, the background's lightness; its hues are anyone's. */
static void choose_colours(struct zf_sketch *k, double ground)
{
    const double hue = zf_sketch_vary(k, 0, 1);
    const double far = zf_sketch_vary(k, 0.28, 0.42);
    const double body = ground > 0.5 ? ground - far : ground + far;
    const double other = body > 0.5 ? body - 0.2 : body + 0.2;

    k->body = patterned(k, hue, body);
    k->second = patterned(k, hue + zf_sketch_vary(k, 0.25, 0.75), zf_sketch_vary(k, 0.3, 0.7));
    k->third =
        plain(colour(hue + zf_sketch_vary(k, 0.3, 0.7), zf_sketch_vary(k, 0.5, 0.95), other));
    k->dark = plain(colour(zf_sketch_vary(k, 0, 1), 0.3, zf_sketch_vary(k, 0.06, 0.16)));
    k->light = plain(colour(zf_sketch_vary(k, 0, 1), 0.5, zf_sketch_vary(k, 0.86, 0.97)));
    k->pen->outline = zf_sketch_chance(k, 0.7) ? zf_sketch_vary(k, 0.035, 0.07) : 0;
    k->pen->outline_colour = k->dark.a;
}

static void clutter_one(struct zf_sketch *k, double ground)
{
    const double x = zf_sketch_vary(k, 0, SIDE), y = zf_sketch_vary(k, 0, SIDE);
    const double size = zf_sketch_vary(k, 4, 22), kind = zf_sketch_vary(k, 0, 1);
    const double angle = zf_sketch_vary(k, 0, 2 * PI);
    const double lightness = ground + zf_sketch_vary(k, -0.22, 0.22);
    struct zf_paint paint = plain(colour(zf_sketch_vary(k, 0, 1), zf_sketch_vary(k, 0.1, 0.7),
                                         fmin(fmax(lightness, 0.05), 0.95)));
    struct zf_point corners[5];
    const int count = 3 + (int)zf_random_below(k->random, 3);

    paint.opacity = zf_sketch_vary(k, 0.35, 0.85);
    for (int c = 0; c < count; c++) {
        const double turn = angle + 2 * PI * c / count;
        corners[c] = (struct zf_point){x + size * cos(turn), y + 0.8 * size * sin(turn)};
    }
    if (kind < 0.35)
        zf_pen_ellipse(k->pen, (struct zf_ellipse){x, y, size, 0.7 * size, angle}, &paint);
    else if (kind < 0.65)
        zf_pen_polygon(k->pen, corners, count, &paint);
    else if (kind < 0.85)
        zf_pen_line(k->pen,
                    (struct zf_segment){x, y, x + 2 * size * cos(angle), y + 2 * size * sin(angle),
                                        zf_sketch_vary(k, 1.5, 5)},
                    &paint);
    else
        zf_pen_arc(k->pen, (struct zf_arc){x, y, size, angle, angle + zf_sketch_vary(k, 1.5, 6), 3},
                   &paint);
}

/* Drawn in pixels. */
static void draw_background(struct zf_sketch *k, double ground)
{
    const double hue = zf_sketch_vary(k, 0, 1), saturation = zf_sketch_vary(k, 0.15, 0.65);
    const double slant = zf_sketch_vary(k, 0.02, 0.1);
    struct zf_paint base = plain(colour(hue, saturation, ground - slant));
    const int pieces = 5 + (int)zf_random_below(k->random, 8);

    base.b = colour(hue + zf_sketch_vary(k, -0.15, 0.15), saturation, ground + slant);
    base.angle = zf_sketch_vary(k, 0, 2 * PI);
    base.fill = ZF_FILL_SHADE;
    k->pen->map = (struct zf_map){SIDE / 2.0, 0, SIDE / 2.0, 0, SIDE / 2.0, SIDE / 2.0};
    zf_pen_rectangle(k->pen, -1, -1, (struct zf_point){2, 2}, &base);
    k->pen->map = (struct zf_map){.xx = 1, .yy = 1};
    for (int i = 0; i < pieces; i++)
        clutter_one(k, ground);
}

/* Draw without a canvas, to learn how far the thing reaches; nothing else changes. */
static void measure(struct zf_sketch *k, zf_sketch_draw *draw, struct zf_point *low,
                    struct zf_point *high)
{
    struct zf_pen pen = *k->pen;
    struct zf_random random = *k->random;
    struct zf_synth_truth truth = {0};
    struct zf_sketch dry = *k;

    dry.pen = &pen;
    dry.random = &random;
    dry.truth = &truth;
    pen.canvas = NULL;
    zf_pen_forget_extents(&pen);
    draw(&dry);
    *low = pen.low;
    *high = pen.high;
}

/* Turned, leaning, longer or wider, near or far, and wherever it fits. */
static void choose_pose(struct zf_sketch *k, zf_sketch_draw *draw, bool may_mirror)
{
    const double turn = zf_sketch_vary(k, -0.35, 0.35), lean = zf_sketch_vary(k, -0.15, 0.15);
    const double stretch = zf_sketch_vary(k, 0.88, 1.12);
    const double sx = may_mirror && zf_sketch_chance(k, 0.5) ? -stretch : stretch;
    const double sy = 1 / stretch, target = zf_sketch_vary(k, 0.58, 0.96) * (SIDE - 2 * MARGIN);
    const double u = zf_sketch_vary(k, 0, 1), v = zf_sketch_vary(k, 0, 1);
    struct zf_map *map = &k->pen->map;
    struct zf_point low, high;
    double scale;

    *map = (struct zf_map){
        .xx = sx * cos(turn),
        .xy = sy * (lean * cos(turn) - sin(turn)),
        .yx = sx * sin(turn),
        .yy = sy * (lean * sin(turn) + cos(turn)),
    };
    measure(k, draw, &low, &high);
    scale = target / fmax(high.x - low.x, high.y - low.y);
    map->xx *= scale;
    map->xy *= scale;
    map->yx *= scale;
    map->yy *= scale;
    map->x0 = MARGIN - scale * low.x + u * (SIDE - 2 * MARGIN - scale * (high.x - low.x));
    map->y0 = MARGIN - scale * low.y + v * (SIDE - 2 * MARGIN - scale * (high.y - low.y));
}

/* Light falls in from one side; grain is the sum of four bytes, near enough to normal. */
static void light_and_noise(struct zf_sketch *k, const float *canvas, uint8_t *pixels)
{
    const double angle = zf_sketch_vary(k, 0, 2 * PI), slope = zf_sketch_vary(k, 0, 0.3) / SIDE;
    const double gain = zf_sketch_vary(k, 0.85, 1.1), grain = zf_sketch_vary(k, 0.01, 0.04);
    const double dx = slope * cos(angle), dy = slope * sin(angle);
    const uint64_t key = zf_random_next(k->random);

    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            const double light = gain + dx * (x - SIDE / 2) + dy * (y - SIDE / 2);
            for (int c = 0; c < 3; c++) {
                const int at = (y * SIDE + x) * 3 + c;
                const uint64_t bits = zf_random_at(key, (uint64_t)at);
                const int sum = (int)(bits & 255) + (int)(bits >> 8 & 255) +
                                (int)(bits >> 16 & 255) + (int)(bits >> 24 & 255);
                const double noise = (sum - 510) / 147.8; /* deviation 1 */
                const double value = canvas[at] * light + grain * noise;
                pixels[at] = (uint8_t)(255 * fmin(fmax(value, 0), 1) + 0.5);
            }
        }
    }
}

static struct zf_box box_of(const struct zf_pen *pen)
{
    const int64_t left = (int64_t)fmax(floor(pen->low.x), 0);
    const int64_t top = (int64_t)fmax(floor(pen->low.y), 0);

    return (struct zf_box){left, top, (int64_t)fmin(ceil(pen->high.x), SIDE) - left,
                           (int64_t)fmin(ceil(pen->high.y), SIDE) - top};
}

enum zf_status zf_synth_render(uint64_t seed, enum zf_synth_split split, int64_t index,
                               struct zf_picture *picture, struct zf_synth_truth *truth,
                               struct zf_error *err)
{
    enum zf_status status;
    struct zf_random random =
        zf_random_stream(seed, ZF_RANDOM_SYNTH, (uint64_t)split, (uint64_t)index);
    struct zf_synth_truth found = {.class = (int)(index % ZF_SYNTH_CLASSES)};
    struct zf_pen pen = {.side = SIDE};
    struct zf_sketch sketch = {.pen = &pen, .random = &random, .truth = &found};
    double ground;

    pen.canvas = zf_alloc((size_t)SIDE * SIDE * 3, sizeof *pen.canvas);
    pen.cover = zf_alloc((size_t)SIDE * (SIDE + 2), sizeof *pen.cover);
    if (!pen.canvas || !pen.cover)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory to draw a picture of %d px", SIDE));
    ZF_TRY(zf_picture_init(picture, SIDE, SIDE, err));
    ground = zf_sketch_chance(&sketch, 0.5) ? zf_sketch_vary(&sketch, 0.15, 0.4)
                                            : zf_sketch_vary(&sketch, 0.6, 0.88);
    draw_background(&sketch, ground);
    choose_colours(&sketch, ground);
    choose_pose(&sketch, things[found.class].draw, things[found.class].may_mirror);
    zf_pen_forget_extents(&pen);
    things[found.class].draw(&sketch);
    found.box = box_of(&pen);
    light_and_noise(&sketch, pen.canvas, picture->pixels);
    if (truth)
        *truth = found;
fail:
    zf_free(pen.canvas);
    zf_free(pen.cover);
    return status;
}
