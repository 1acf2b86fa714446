/* SPDX-License-Identifier: MIT */
/* The made things: boat, car, clock, cup, house. Back to front, big to small. */
#include "data/synth/things.h"

#include <math.h>

#define PI 3.14159265358979323846

void zf_draw_boat(struct zf_sketch *k)
{
    const double mast = zf_sketch_vary(k, -0.15, 0.1), deck = zf_sketch_vary(k, 0.3, 0.42);
    const double top = zf_sketch_vary(k, -0.95, -0.8), bow = zf_sketch_vary(k, 0.85, 0.98);
    const double stern = zf_sketch_vary(k, 0.7, 0.9), keel = deck + zf_sketch_vary(k, 0.38, 0.5);
    const double wide = zf_sketch_vary(k, 0.62, 0.8), jib = zf_sketch_vary(k, 0.4, 0.6);
    const struct zf_point hull[] = {
        {-stern, deck}, {bow, deck}, {0.55 * bow, keel}, {-0.68 * stern, keel}};
    const struct zf_point main_sail[] = {
        {mast + 0.06, top + 0.1}, {mast + wide, deck - 0.12}, {mast + 0.06, deck - 0.12}};
    const struct zf_point fore_sail[] = {
        {mast - 0.06, top + 0.25}, {mast - jib, deck - 0.1}, {mast - 0.06, deck - 0.1}};
    const struct zf_point flag[] = {{mast, top - 0.1}, {mast - 0.3, top}, {mast, top + 0.1}};

    zf_pen_line(k->pen, (struct zf_segment){mast, top - 0.08, mast, deck, 0.08}, &k->dark);
    zf_pen_polygon(k->pen, main_sail, 3, &k->second);
    zf_pen_polygon(k->pen, fore_sail, 3, &k->third);
    zf_pen_polygon(k->pen, flag, 3, &k->body);
    zf_pen_polygon(k->pen, hull, 4, &k->body);
    if (zf_sketch_chance(k, 0.5)) {
        for (int i = -1; i <= 1; i++)
            zf_pen_ellipse(k->pen, (struct zf_ellipse){0.32 * i, deck + 0.18, 0.08, 0.08, 0},
                           &k->light);
    }
    zf_sketch_part(k, "hull", 0.05, 0.5 * (deck + keel));
    zf_sketch_part(k, "sail", mast + 0.33 * wide, deck - 0.4);
    zf_sketch_part(k, "flag", mast - 0.12, top);
}

static void wheel(struct zf_sketch *k, const char *name, double x, double radius)
{
    const double y = 0.38;

    zf_pen_ellipse(k->pen, (struct zf_ellipse){x, y, radius, radius, 0}, &k->dark);
    zf_pen_ellipse(k->pen, (struct zf_ellipse){x, y, 0.5 * radius, 0.5 * radius, 0}, &k->light);
    zf_sketch_part(k, name, x, y);
}

void zf_draw_car(struct zf_sketch *k)
{
    const double roof = zf_sketch_vary(k, -0.58, -0.4), belt = zf_sketch_vary(k, -0.12, -0.02);
    const double radius = zf_sketch_vary(k, 0.2, 0.27), nose = zf_sketch_vary(k, 0.0, 0.1);
    const double front = zf_sketch_vary(k, 0.2, 0.36), back = zf_sketch_vary(k, -0.62, -0.42);
    const struct zf_point shell[] = {
        {-0.97, belt + 0.02}, {back - 0.2, belt},  {back, roof}, {front, roof},
        {front + 0.3, belt},  {0.92, belt + nose}, {0.97, 0.38}, {-0.97, 0.38},
    };
    const struct zf_point rear_window[] = {{back + 0.04, roof + 0.1},
                                           {0.5 * (back + front) - 0.05, roof + 0.1},
                                           {0.5 * (back + front) - 0.05, belt},
                                           {back - 0.1, belt}};
    const struct zf_point front_window[] = {{0.5 * (back + front) + 0.05, roof + 0.1},
                                            {front - 0.04, roof + 0.1},
                                            {front + 0.16, belt},
                                            {0.5 * (back + front) + 0.05, belt}};

    zf_pen_polygon(k->pen, shell, 8, &k->body);
    zf_pen_polygon(k->pen, rear_window, 4, &k->light);
    zf_pen_polygon(k->pen, front_window, 4, &k->light);
    zf_pen_ellipse(k->pen, (struct zf_ellipse){0.86, belt + nose + 0.14, 0.08, 0.1, 0}, &k->third);
    wheel(k, "rear wheel", zf_sketch_vary(k, -0.62, -0.52), radius);
    wheel(k, "front wheel", zf_sketch_vary(k, 0.5, 0.62), radius);
    zf_sketch_part(k, "window", 0.5 * (back + front), 0.5 * (roof + belt));
    zf_sketch_part(k, "headlight", 0.86, belt + nose + 0.14);
}

void zf_draw_clock(struct zf_sketch *k)
{
    const double rim = zf_sketch_vary(k, 0.84, 0.95), dial = rim - zf_sketch_vary(k, 0.12, 0.2);
    const double hour = zf_sketch_vary(k, 0, 2 * PI);
    const double minute = hour + zf_sketch_vary(k, 0.35, 2 * PI - 0.35);
    const int ticks = zf_sketch_chance(k, 0.6) ? 12 : 4;
    const double reach = dial - 0.16;

    if (zf_sketch_chance(k, 0.35)) {
        zf_pen_ellipse(k->pen, (struct zf_ellipse){-0.55, -0.8, 0.24, 0.17, -0.6}, &k->second);
        zf_pen_ellipse(k->pen, (struct zf_ellipse){0.55, -0.8, 0.24, 0.17, 0.6}, &k->second);
    }
    zf_pen_ellipse(k->pen, (struct zf_ellipse){0, 0, rim, rim, 0}, &k->body);
    zf_pen_ellipse(k->pen, (struct zf_ellipse){0, 0, dial, dial, 0}, &k->light);
    k->pen->outline = 0;
    for (int t = 0; t < ticks; t++) {
        const double c = cos(2 * PI * t / ticks), s = sin(2 * PI * t / ticks);
        const double in = dial - (t % (ticks / 4) == 0 ? 0.2 : 0.13);
        zf_pen_line(k->pen,
                    (struct zf_segment){in * c, in * s, (dial - 0.06) * c, (dial - 0.06) * s, 0.07},
                    &k->dark);
    }
    zf_pen_line(k->pen,
                (struct zf_segment){0, 0, 0.62 * reach * cos(hour), 0.62 * reach * sin(hour), 0.13},
                &k->dark);
    zf_pen_line(k->pen, (struct zf_segment){0, 0, reach * cos(minute), reach * sin(minute), 0.08},
                &k->dark);
    zf_pen_ellipse(k->pen, (struct zf_ellipse){0, 0, 0.1, 0.1, 0}, &k->third);
    zf_sketch_part(k, "hub", 0, 0);
    zf_sketch_part(k, "hour hand", 0.4 * reach * cos(hour), 0.4 * reach * sin(hour));
    zf_sketch_part(k, "minute hand", 0.7 * reach * cos(minute), 0.7 * reach * sin(minute));
}

void zf_draw_cup(struct zf_sketch *k)
{
    const double wide = zf_sketch_vary(k, 0.52, 0.64), base = wide * zf_sketch_vary(k, 0.55, 0.9);
    const double top = zf_sketch_vary(k, -0.45, -0.3), bottom = zf_sketch_vary(k, 0.62, 0.78);
    const double radius = zf_sketch_vary(k, 0.26, 0.34), middle = 0.5 * (top + bottom) - 0.04;
    const double x = -0.15, lip = zf_sketch_vary(k, 0.1, 0.16);
    const struct zf_point side[] = {
        {x - wide, top},
        {x + wide, top},
        {x + base, bottom},
        {x + 0.5 * base, bottom + 0.08},
        {x - 0.5 * base, bottom + 0.08},
        {x - base, bottom},
    };

    if (zf_sketch_chance(k, 0.4))
        zf_pen_ellipse(k->pen, (struct zf_ellipse){x, bottom + 0.04, base + 0.32, 0.14, 0},
                       &k->second);
    zf_pen_arc(
        k->pen,
        (struct zf_arc){x + 0.93 * (wide + base) / 2, middle, radius, -0.62 * PI, 0.62 * PI, 0.15},
        &k->body);
    zf_pen_polygon(k->pen, side, 6, &k->body);
    zf_pen_ellipse(k->pen, (struct zf_ellipse){x, top, wide, lip, 0}, &k->light);
    zf_pen_ellipse(k->pen, (struct zf_ellipse){x, top + 0.02, wide - 0.1, lip - 0.06, 0},
                   &k->third);
    if (zf_sketch_chance(k, 0.6)) {
        k->pen->outline = 0;
        for (int i = -1; i <= 1; i++) {
            const double sx = x + 0.26 * i;
            zf_pen_arc(k->pen, (struct zf_arc){sx, top - 0.28, 0.09, 0.5 * PI, 1.5 * PI, 0.06},
                       &k->light);
            zf_pen_arc(k->pen, (struct zf_arc){sx, top - 0.46, 0.09, -0.5 * PI, 0.5 * PI, 0.06},
                       &k->light);
        }
    }
    zf_sketch_part(k, "handle", x + 0.93 * (wide + base) / 2 + radius, middle);
    zf_sketch_part(k, "rim", x, top);
    zf_sketch_part(k, "side", x, middle + 0.1);
}

static void window(struct zf_sketch *k, double x, double y, double size)
{
    const double middle_x = x + 0.5 * size, middle_y = y + 0.5 * size, outline = k->pen->outline;

    zf_pen_rectangle(k->pen, x, y, (struct zf_point){size, size}, &k->light);
    k->pen->outline = 0;
    zf_pen_line(k->pen, (struct zf_segment){middle_x, y, middle_x, y + size, 0.06}, &k->dark);
    zf_pen_line(k->pen, (struct zf_segment){x, middle_y, x + size, middle_y, 0.06}, &k->dark);
    k->pen->outline = outline;
    zf_sketch_part(k, "window", middle_x, middle_y);
}

void zf_draw_house(struct zf_sketch *k)
{
    const double wide = zf_sketch_vary(k, 0.62, 0.8), eaves = zf_sketch_vary(k, -0.2, -0.05);
    const double ridge = zf_sketch_vary(k, -0.92, -0.75), ground = zf_sketch_vary(k, 0.75, 0.9);
    const double flat = zf_sketch_chance(k, 0.4) ? zf_sketch_vary(k, 0.2, 0.4) : 0.02;
    const double door = zf_sketch_vary(k, 0.26, 0.34), tall = zf_sketch_vary(k, 0.52, 0.64);
    const double side = zf_sketch_chance(k, 0.5) ? -1 : 1, chimney = zf_sketch_vary(k, 0.3, 0.42);
    const double door_x = side * zf_sketch_vary(k, 0.24, 0.34) - 0.5 * door;
    const struct zf_point roof[] = {
        {-wide - 0.15, eaves}, {-flat, ridge}, {flat, ridge}, {wide + 0.15, eaves}};

    zf_pen_rectangle(k->pen, side * chimney - 0.1, ridge + 0.02, (struct zf_point){0.2, 0.5},
                     &k->third);
    zf_pen_rectangle(k->pen, -wide, eaves, (struct zf_point){2 * wide, ground - eaves}, &k->body);
    zf_pen_polygon(k->pen, roof, 4, &k->second);
    zf_pen_rectangle(k->pen, door_x, ground - tall, (struct zf_point){door, tall}, &k->third);
    zf_pen_ellipse(k->pen,
                   (struct zf_ellipse){door_x + 0.75 * door, ground - 0.5 * tall, 0.04, 0.04, 0},
                   &k->light);
    zf_sketch_part(k, "roof", 0, 0.5 * (eaves + ridge) + 0.05);
    zf_sketch_part(k, "door", door_x + 0.5 * door, ground - 0.5 * tall);
    window(k, -side * 0.32 - 0.17, eaves + 0.22, 0.34);
    zf_sketch_part(k, "chimney", side * chimney, ridge + 0.12);
}
