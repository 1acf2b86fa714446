/* SPDX-License-Identifier: MIT */
/*
 * Filling by signed areas: each edge adds, to the pixels it crosses, the area between itself and
 * the right side of the pixel, and its height to the next pixel; a running sum along the row then
 * gives the part of every pixel that is inside.
 */
#include "data/synth/pen.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define MAX_POINTS 192
#define CURVE_STEPS 8
#define PI 3.14159265358979323846

/* The rows and columns that a fill touches. */
struct window {
    int top, bottom, left, right; /* bottom and right are excluded */
};

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

void zf_pen_forget_extents(struct zf_pen *pen)
{
    pen->low = (struct zf_point){INFINITY, INFINITY};
    pen->high = (struct zf_point){-INFINITY, -INFINITY};
}

struct zf_point zf_pen_place(const struct zf_pen *pen, double x, double y)
{
    const struct zf_map *m = &pen->map;

    return (struct zf_point){m->xx * x + m->xy * y + m->x0, m->yx * x + m->yy * y + m->y0};
}

/* One edge's share of one row: it runs from xa to xb over `height` rows, signed. */
static void add_to_row(float *row, double xa, double xb, double height)
{
    const double left = fmin(xa, xb), right = fmax(xa, xb);
    const int first = (int)left, last = (int)right;

    if (first == last) {
        const double inside = first + 1 - 0.5 * (left + right);
        row[first] += (float)(height * inside);
        row[first + 1] += (float)(height * (1 - inside));
        return;
    }
    /* `done` of the height lies left of each pixel's right side, on a straight edge. */
    for (int x = first; x <= last; x++) {
        const double from = fmax(left, x), to = fmin(right, x + 1);
        const double share = height * (to - from) / (right - left);
        const double inside = x + 1 - 0.5 * (from + to);
        row[x] += (float)(share * inside);
        row[x + 1] += (float)(share * (1 - inside));
    }
}

static void add_edge(struct zf_pen *pen, struct zf_point a, struct zf_point b)
{
    const double direction = a.y < b.y ? 1 : -1;
    const struct zf_point top = a.y < b.y ? a : b, bottom = a.y < b.y ? b : a;
    const double slope = (bottom.x - top.x) / (bottom.y - top.y);
    const double from = clamp(top.y, 0, pen->side), to = clamp(bottom.y, 0, pen->side);

    if (!(to > from))
        return;
    for (int y = (int)from; y < to; y++) {
        const double ya = fmax(from, y), yb = fmin(to, y + 1);
        const double xa = clamp(top.x + (ya - top.y) * slope, 0, pen->side);
        const double xb = clamp(top.x + (yb - top.y) * slope, 0, pen->side);
        add_to_row(pen->cover + y * (pen->side + 2), xa, xb, direction * (yb - ya));
    }
}

/* Pixels to units: for patterns, which move with the thing. */
static struct zf_map invert(const struct zf_map *m)
{
    const double scale = 1 / (m->xx * m->yy - m->xy * m->yx);

    return (struct zf_map){
        m->yy * scale,  -m->xy * scale, (m->xy * m->y0 - m->yy * m->x0) * scale,
        -m->yx * scale, m->xx * scale,  (m->yx * m->x0 - m->xx * m->y0) * scale,
    };
}

/* A paint made ready for one shape: where a pixel lies in the pattern, in periods. */
struct pattern {
    enum zf_fill fill;
    struct zf_map map;
};

static struct pattern pattern_of(const struct zf_pen *pen, const struct zf_paint *paint)
{
    const struct zf_map back = invert(&pen->map);
    const double scale = paint->fill == ZF_FILL_SHADE ? 1 : 1 / paint->period;
    const double c = scale * cos(paint->angle), s = scale * sin(paint->angle);

    return (struct pattern){paint->fill,
                            {c * back.xx + s * back.yx, c * back.xy + s * back.yy,
                             c * back.x0 + s * back.y0, c * back.yx - s * back.xx,
                             c * back.yy - s * back.xy, c * back.y0 - s * back.x0}};
}

/* How much of the second colour shows at a place: 0 or 1, or between for SHADE. */
static double second_colour(const struct pattern *pattern, double x, double y)
{
    const struct zf_map *m = &pattern->map;
    const double u = m->xx * x + m->xy * y + m->x0, v = m->yx * x + m->yy * y + m->y0;
    const double fu = u - floor(u) - 0.5, fv = v - floor(v) - 0.5;

    switch (pattern->fill) {
    case ZF_FILL_PLAIN:
        return 0;
    case ZF_FILL_STRIPES:
        return fu > 0;
    case ZF_FILL_CHECKS:
        return (fu > 0) != (fv > 0);
    case ZF_FILL_DOTS:
        return fu * fu + fv * fv < 0.09;
    case ZF_FILL_SHADE:
        return clamp(0.5 + 0.4 * u, 0, 1);
    }
    return 0;
}

/* Four samples a pixel keep the edges of patterns from flickering. */
static double pattern_at(const struct pattern *pattern, int x, int y)
{
    double sum = 0;

    if (pattern->fill == ZF_FILL_PLAIN)
        return 0;
    if (pattern->fill == ZF_FILL_SHADE)
        return second_colour(pattern, x + 0.5, y + 0.5);
    for (int k = 0; k < 4; k++)
        sum += second_colour(pattern, x + 0.25 + 0.5 * (k & 1), y + 0.25 + 0.5 * (k >> 1));
    return sum / 4;
}

static float mix(float a, float b, double part)
{
    return (float)(a + (b - a) * part);
}

/* Turn the areas within the window into coverage, lay the paint on, and leave zeros behind. */
static void compose(struct zf_pen *pen, struct window window, const struct zf_paint *paint)
{
    const struct pattern pattern = pattern_of(pen, paint);

    for (int y = window.top; y < window.bottom; y++) {
        float *row = pen->cover + y * (pen->side + 2);
        double sum = 0;
        for (int x = window.left; x < window.right; x++) {
            const double area = fabs(sum += (double)row[x]);
            const double inside = (area < 1 ? area : 1) * paint->opacity;
            float *pixel = pen->canvas + (y * pen->side + x) * 3;
            double second;
            if (inside < 1e-4)
                continue;
            second = pattern_at(&pattern, x, y);
            pixel[0] = mix(pixel[0], mix(paint->a.r, paint->b.r, second), inside);
            pixel[1] = mix(pixel[1], mix(paint->a.g, paint->b.g, second), inside);
            pixel[2] = mix(pixel[2], mix(paint->a.b, paint->b.b, second), inside);
        }
        memset(row, 0, (size_t)(pen->side + 2) * sizeof *row);
    }
}

static struct window window_of(const struct zf_pen *pen, struct zf_point low, struct zf_point high)
{
    return (struct window){
        .top = (int)clamp(floor(low.y), 0, pen->side),
        .bottom = (int)clamp(ceil(high.y), 0, pen->side),
        .left = (int)clamp(floor(low.x), 0, pen->side),
        .right = (int)clamp(ceil(high.x), 0, pen->side),
    };
}

static void widen(struct zf_point *low, struct zf_point *high, struct zf_point p)
{
    *low = (struct zf_point){fmin(low->x, p.x), fmin(low->y, p.y)};
    *high = (struct zf_point){fmax(high->x, p.x), fmax(high->y, p.y)};
}

/* One quadrilateral for each side of the polygon; where they overlap, coverage stops at 1. */
static void outline(struct zf_pen *pen, const struct zf_point *pixels, int count,
                    struct window window)
{
    const double scale = sqrt(fabs(pen->map.xx * pen->map.yy - pen->map.xy * pen->map.yx));
    const double half = 0.5 * pen->outline * scale;
    const struct zf_paint paint = {.fill = ZF_FILL_PLAIN,
                                   .a = pen->outline_colour,
                                   .b = pen->outline_colour,
                                   .period = 1,
                                   .opacity = 1};
    const int reach = (int)half + 2;

    for (int k = 0; k < count; k++) {
        const struct zf_point a = pixels[k], b = pixels[(k + 1) % count];
        const double length = hypot(b.x - a.x, b.y - a.y);
        double ux, uy;
        if (length < 1e-6)
            continue;
        ux = (b.x - a.x) / length * half;
        uy = (b.y - a.y) / length * half;
        /* Half a width longer at both ends, which closes the corners. */
        {
            const struct zf_point corners[4] = {
                {a.x - 0.5 * ux - uy, a.y - 0.5 * uy + ux},
                {b.x + 0.5 * ux - uy, b.y + 0.5 * uy + ux},
                {b.x + 0.5 * ux + uy, b.y + 0.5 * uy - ux},
                {a.x - 0.5 * ux + uy, a.y - 0.5 * uy - ux},
            };
            for (int c = 0; c < 4; c++)
                add_edge(pen, corners[c], corners[(c + 1) % 4]);
        }
    }
    window.top = (int)clamp(window.top - reach, 0, pen->side);
    window.left = (int)clamp(window.left - reach, 0, pen->side);
    window.bottom = (int)clamp(window.bottom + reach, 0, pen->side);
    window.right = (int)clamp(window.right + reach, 0, pen->side);
    compose(pen, window, &paint);
}

void zf_pen_polygon(struct zf_pen *pen, const struct zf_point *points, int count,
                    const struct zf_paint *paint)
{
    struct zf_point pixels[MAX_POINTS];
    struct zf_point low = {INFINITY, INFINITY}, high = {-INFINITY, -INFINITY};
    struct window window;

    assert(count >= 3 && count <= MAX_POINTS);
    for (int k = 0; k < count; k++) {
        pixels[k] = zf_pen_place(pen, points[k].x, points[k].y);
        widen(&low, &high, pixels[k]);
    }
    widen(&pen->low, &pen->high, low);
    widen(&pen->low, &pen->high, high);
    if (!pen->canvas)
        return;
    window = window_of(pen, low, high);
    for (int k = 0; k < count; k++)
        add_edge(pen, pixels[k], pixels[(k + 1) % count]);
    compose(pen, window, paint);
    if (pen->outline > 0)
        outline(pen, pixels, count, window);
}

/* Catmull and Rom: each piece is a cubic whose ends lean along their neighbours. */
static double spline(double before, double a, double b, double after, double t)
{
    return a + 0.5 * t *
                   (b - before +
                    t * (2 * before - 5 * a + 4 * b - after + t * (3 * (a - b) + after - before)));
}

void zf_pen_curve(struct zf_pen *pen, const struct zf_point *points, int count,
                  const struct zf_paint *paint)
{
    struct zf_point smooth[MAX_POINTS];
    int total = 0;

    assert(count * CURVE_STEPS <= MAX_POINTS);
    for (int k = 0; k < count; k++) {
        const struct zf_point p = points[(k + count - 1) % count], a = points[k];
        const struct zf_point b = points[(k + 1) % count], n = points[(k + 2) % count];
        for (int s = 0; s < CURVE_STEPS; s++) {
            const double t = (double)s / CURVE_STEPS;
            smooth[total++] =
                (struct zf_point){spline(p.x, a.x, b.x, n.x, t), spline(p.y, a.y, b.y, n.y, t)};
        }
    }
    zf_pen_polygon(pen, smooth, total, paint);
}

void zf_pen_ellipse(struct zf_pen *pen, struct zf_ellipse e, const struct zf_paint *paint)
{
    enum { SIDES = 40 };
    struct zf_point points[SIDES];
    const double c = cos(e.angle), s = sin(e.angle);

    for (int k = 0; k < SIDES; k++) {
        const double u = e.rx * cos(2 * PI * k / SIDES), v = e.ry * sin(2 * PI * k / SIDES);
        points[k] = (struct zf_point){e.x + c * u - s * v, e.y + s * u + c * v};
    }
    zf_pen_polygon(pen, points, SIDES, paint);
}

void zf_pen_line(struct zf_pen *pen, struct zf_segment s, const struct zf_paint *paint)
{
    enum { CAP = 6 };
    struct zf_point points[2 * (CAP + 1)];
    const double along = atan2(s.y1 - s.y0, s.x1 - s.x0), radius = 0.5 * s.width;

    for (int k = 0; k <= CAP; k++) {
        const double angle = along - 0.5 * PI + PI * k / CAP;
        points[k] = (struct zf_point){s.x1 + radius * cos(angle), s.y1 + radius * sin(angle)};
        points[CAP + 1 + k] =
            (struct zf_point){s.x0 - radius * cos(angle), s.y0 - radius * sin(angle)};
    }
    zf_pen_polygon(pen, points, 2 * (CAP + 1), paint);
}

void zf_pen_arc(struct zf_pen *pen, struct zf_arc arc, const struct zf_paint *paint)
{
    enum { SIDES = 20 };
    struct zf_point points[2 * (SIDES + 1)];

    for (int k = 0; k <= SIDES; k++) {
        const double angle = arc.from + (arc.to - arc.from) * k / SIDES;
        const double outer = arc.radius + 0.5 * arc.width, inner = arc.radius - 0.5 * arc.width;
        points[k] = (struct zf_point){arc.x + outer * cos(angle), arc.y + outer * sin(angle)};
        points[2 * SIDES + 1 - k] =
            (struct zf_point){arc.x + inner * cos(angle), arc.y + inner * sin(angle)};
    }
    zf_pen_polygon(pen, points, 2 * (SIDES + 1), paint);
}

void zf_pen_rectangle(struct zf_pen *pen, double x, double y, struct zf_point size,
                      const struct zf_paint *paint)
{
    const struct zf_point points[4] = {
        {x, y}, {x + size.x, y}, {x + size.x, y + size.y}, {x, y + size.y}};

    zf_pen_polygon(pen, points, 4, paint);
}
