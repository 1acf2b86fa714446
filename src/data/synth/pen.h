/* SPDX-License-Identifier: MIT */
/**
 * A small antialiased drawing board: filled shapes with patterns, on a square RGB canvas.
 *
 * Shapes are given in the units of the thing being drawn, with y downwards; `map` brings them to
 * pixels. Coverage is the exact area of the shape within each pixel. The pen remembers the extents
 * of all it drew, so that a thing's box comes without further bookkeeping.
 */
#ifndef ZF_DATA_SYNTH_PEN_H
#define ZF_DATA_SYNTH_PEN_H

#include <stdbool.h>

struct zf_point {
    double x, y;
};

struct zf_colour {
    float r, g, b; /* 0 .. 1 */
};

enum zf_fill { ZF_FILL_PLAIN, ZF_FILL_STRIPES, ZF_FILL_CHECKS, ZF_FILL_DOTS, ZF_FILL_SHADE };

/* A pattern of two colours; PLAIN shows the first, SHADE goes from one to the other. */
struct zf_paint {
    enum zf_fill fill;
    struct zf_colour a, b;
    double angle, period; /* of the pattern, in units of the thing */
    double opacity;
};

/* x' = xx * x + xy * y + x0, and the like. */
struct zf_map {
    double xx, xy, x0;
    double yx, yy, y0;
};

struct zf_pen {
    int side;      /* px */
    float *canvas; /* [side][side][3]; lent; NULL = only measure */
    float *cover;  /* [side][side + 2], zero between calls; lent */
    struct zf_map map;
    double outline; /* width in units; 0 = none */
    struct zf_colour outline_colour;
    struct zf_point low, high; /* extents of what was drawn, px; starts inverted */
};

struct zf_ellipse {
    double x, y, rx, ry, angle;
};

struct zf_segment {
    double x0, y0, x1, y1, width;
};

/* Part of a ring; angles clockwise from the right, as y points down. */
struct zf_arc {
    double x, y, radius, from, to, width;
};

/* Extents that any first shape replaces. */
void zf_pen_forget_extents(struct zf_pen *pen);

struct zf_point zf_pen_place(const struct zf_pen *pen, double x, double y);

void zf_pen_polygon(struct zf_pen *pen, const struct zf_point *points, int count,
                    const struct zf_paint *paint);

/* A smooth closed curve through the points, at most 24. */
void zf_pen_curve(struct zf_pen *pen, const struct zf_point *points, int count,
                  const struct zf_paint *paint);
void zf_pen_ellipse(struct zf_pen *pen, struct zf_ellipse ellipse, const struct zf_paint *paint);
void zf_pen_line(struct zf_pen *pen, struct zf_segment segment, const struct zf_paint *paint);
void zf_pen_arc(struct zf_pen *pen, struct zf_arc arc, const struct zf_paint *paint);
void zf_pen_rectangle(struct zf_pen *pen, double x, double y, struct zf_point size,
                      const struct zf_paint *paint);

#endif
