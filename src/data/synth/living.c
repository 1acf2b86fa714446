/* SPDX-License-Identifier: MIT */
/* The living things: butterfly, face, fish, flower, tree. Back to front, big to small. */
#include "data/synth/things.h"

#include <math.h>

#define PI 3.14159265358979323846

static void wings(struct zf_sketch *k, double side, double upper, double lower)
{
    const struct zf_point low[] = {{side * 0.06, 0.05},
                                   {side * 0.5, 0.12},
                                   {side * lower, 0.5},
                                   {side * 0.42, 0.86},
                                   {side * 0.14, 0.5}};
    const struct zf_point high[] = {{side * 0.06, 0.1},
                                    {side * 0.25, -0.5},
                                    {side * 0.72, -0.84},
                                    {side * upper, -0.42},
                                    {side * 0.66, 0.08}};

    zf_pen_curve(k->pen, low, 5, &k->second);
    zf_pen_curve(k->pen, high, 5, &k->body);
}

void zf_draw_butterfly(struct zf_sketch *k)
{
    const double upper = zf_sketch_vary(k, 0.85, 0.97), lower = zf_sketch_vary(k, 0.55, 0.75);
    const double spot = zf_sketch_vary(k, 0.1, 0.17);

    wings(k, -1, upper, lower);
    wings(k, 1, upper, lower);
    for (int side = -1; side <= 1; side += 2) {
        zf_pen_ellipse(k->pen, (struct zf_ellipse){side * 0.6, -0.4, spot, spot, 0}, &k->third);
        zf_pen_ellipse(k->pen, (struct zf_ellipse){side * 0.42, 0.48, 0.1, 0.1, 0}, &k->light);
        zf_pen_line(k->pen, (struct zf_segment){0, -0.45, side * 0.24, -0.88, 0.05}, &k->dark);
        zf_pen_ellipse(k->pen, (struct zf_ellipse){side * 0.25, -0.9, 0.06, 0.06, 0}, &k->dark);
    }
    zf_pen_ellipse(k->pen, (struct zf_ellipse){0, 0.1, 0.1, 0.52, 0}, &k->dark);
    zf_pen_ellipse(k->pen, (struct zf_ellipse){0, -0.44, 0.13, 0.13, 0}, &k->dark);
    zf_sketch_part(k, "left wing", -0.6, -0.4);
    zf_sketch_part(k, "right wing", 0.6, -0.4);
    zf_sketch_part(k, "body", 0, 0.1);
}

static void eye(struct zf_sketch *k, const char *name, struct zf_point at, struct zf_point look)
{
    const double size = 0.17;

    zf_pen_ellipse(k->pen, (struct zf_ellipse){at.x, at.y, size, 0.85 * size, 0}, &k->light);
    zf_pen_ellipse(k->pen,
                   (struct zf_ellipse){at.x + look.x, at.y + look.y, 0.5 * size, 0.5 * size, 0},
                   &k->dark);
    zf_sketch_part(k, name, at.x, at.y);
}

static void hair(struct zf_sketch *k, double wide, double tall)
{
    const double fringe = -tall * zf_sketch_vary(k, 0.42, 0.58);
    const struct zf_point cap[] = {
        {-wide - 0.04, -0.12},      {-wide, -0.6 * tall},  {-0.5 * wide, -tall - 0.02},
        {0.5 * wide, -tall - 0.02}, {wide, -0.6 * tall},   {wide + 0.04, -0.12},
        {0.7 * wide, fringe},       {-0.7 * wide, fringe},
    };

    zf_pen_curve(k->pen, cap, 8, &k->second);
}

static void mouth(struct zf_sketch *k, double y)
{
    const double wide = zf_sketch_vary(k, 0.22, 0.34), mood = zf_sketch_vary(k, 0, 1);

    if (mood < 0.5)
        zf_pen_arc(k->pen, (struct zf_arc){0, y - 0.8 * wide, wide, 0.15 * PI, 0.85 * PI, 0.1},
                   &k->dark);
    else if (mood < 0.8)
        zf_pen_ellipse(k->pen, (struct zf_ellipse){0, y, wide, 0.1, 0}, &k->third);
    else
        zf_pen_line(k->pen, (struct zf_segment){-wide, y, wide, y, 0.09}, &k->dark);
    zf_sketch_part(k, "mouth", 0, y);
}

void zf_draw_face(struct zf_sketch *k)
{
    const double wide = zf_sketch_vary(k, 0.66, 0.8), tall = zf_sketch_vary(k, 0.84, 0.95);
    const double apart = zf_sketch_vary(k, 0.28, 0.35), level = zf_sketch_vary(k, -0.2, -0.1);
    const struct zf_point look = {zf_sketch_vary(k, -0.05, 0.05), zf_sketch_vary(k, -0.02, 0.03)};
    const double tip = zf_sketch_vary(k, 0.16, 0.24), flare = zf_sketch_vary(k, 0.1, 0.15);
    const struct zf_point nose[] = {{0, level + 0.06}, {flare, tip}, {-flare, tip}};

    for (int side = -1; side <= 1; side += 2)
        zf_pen_ellipse(k->pen, (struct zf_ellipse){side * wide, 0.02, 0.14, 0.2, 0}, &k->body);
    zf_pen_ellipse(k->pen, (struct zf_ellipse){0, 0, wide, tall, 0}, &k->body);
    if (zf_sketch_chance(k, 0.75))
        hair(k, wide, tall);
    eye(k, "left eye", (struct zf_point){-apart, level}, look);
    eye(k, "right eye", (struct zf_point){apart, level}, look);
    zf_pen_polygon(k->pen, nose, 3, &k->third);
    zf_sketch_part(k, "nose", 0, tip - 0.08);
    k->pen->outline = 0;
    mouth(k, zf_sketch_vary(k, 0.5, 0.58));
}

void zf_draw_fish(struct zf_sketch *k)
{
    const double deep = zf_sketch_vary(k, 0.38, 0.52), fork = zf_sketch_vary(k, 0.66, 0.82);
    const double rise = zf_sketch_vary(k, 0.2, 0.3), span = zf_sketch_vary(k, 0.36, 0.46);
    const struct zf_point body[] = {{0.92, 0.04},       {0.55, -0.72 * deep}, {0.05, -deep},
                                    {-0.5, -0.14},      {-0.5, 0.14},         {0.05, deep},
                                    {0.55, 0.72 * deep}};
    const struct zf_point tail[] = {{-0.42, 0}, {-0.95, -span}, {-fork, 0}, {-0.95, span}};
    const struct zf_point back[] = {{0.36, -0.8 * deep},
                                    {-0.05, -deep - rise},
                                    {-0.34, -deep - 0.6 * rise},
                                    {-0.3, -0.5 * deep}};
    const struct zf_point fin[] = {{0.2, 0.1}, {-0.16, 0.1}, {-0.1, 0.36}};

    zf_pen_polygon(k->pen, tail, 4, &k->second);
    zf_pen_polygon(k->pen, back, 4, &k->second);
    zf_pen_curve(k->pen, body, 7, &k->body);
    zf_pen_polygon(k->pen, fin, 3, &k->third);
    zf_pen_ellipse(k->pen, (struct zf_ellipse){0.58, -0.12, 0.13, 0.13, 0}, &k->light);
    zf_pen_ellipse(k->pen, (struct zf_ellipse){0.6, -0.12, 0.065, 0.065, 0}, &k->dark);
    k->pen->outline = 0;
    zf_pen_arc(k->pen, (struct zf_arc){0.52, 0, 0.26, 0.72 * PI, 1.28 * PI, 0.05}, &k->dark);
    zf_pen_line(k->pen, (struct zf_segment){0.72, 0.14, 0.88, 0.1, 0.06}, &k->dark);
    zf_sketch_part(k, "eye", 0.58, -0.12);
    zf_sketch_part(k, "tail", -0.74, 0);
    zf_sketch_part(k, "fin", 0.02, 0.18);
    zf_sketch_part(k, "mouth", 0.82, 0.1);
}

void zf_draw_flower(struct zf_sketch *k)
{
    const int petals = 5 + (int)(4 * zf_sketch_vary(k, 0, 1));
    const double turn = zf_sketch_vary(k, 0, 2 * PI), y = -0.32;
    const double reach = zf_sketch_vary(k, 0.32, 0.38), slim = 1.15 * reach * sin(PI / petals);
    const double heart = zf_sketch_vary(k, 0.17, 0.24), bend = zf_sketch_vary(k, -0.15, 0.15);
    const double side = zf_sketch_chance(k, 0.5) ? -1 : 1;
    const struct zf_point stem[] = {
        {-0.045, y}, {0.045, y}, {bend + 0.05, 0.96}, {bend - 0.05, 0.96}};

    zf_pen_polygon(k->pen, stem, 4, &k->second);
    zf_pen_ellipse(k->pen,
                   (struct zf_ellipse){side * 0.28 + 0.5 * bend, 0.6, 0.28, 0.12, -side * 0.5},
                   &k->second);
    if (zf_sketch_chance(k, 0.5))
        zf_pen_ellipse(k->pen,
                       (struct zf_ellipse){-side * 0.26 + 0.6 * bend, 0.74, 0.24, 0.1, side * 0.5},
                       &k->second);
    for (int p = 0; p < petals; p++) {
        const double angle = turn + 2 * PI * p / petals;
        zf_pen_ellipse(
            k->pen,
            (struct zf_ellipse){reach * cos(angle), y + reach * sin(angle), 0.29, slim, angle},
            &k->body);
    }
    zf_pen_ellipse(k->pen, (struct zf_ellipse){0, y, heart, heart, 0}, &k->third);
    zf_sketch_part(k, "centre", 0, y);
    zf_sketch_part(k, "petal", reach * cos(turn), y + reach * sin(turn));
    zf_sketch_part(k, "leaf", side * 0.28 + 0.5 * bend, 0.6);
}

/* A cloud of discs: first all with their outlines, then again without, to clear the inside. */
static void round_crown(struct zf_sketch *k)
{
    enum { DISCS = 7 };
    const double wide = zf_sketch_vary(k, 0.42, 0.54), tall = zf_sketch_vary(k, 0.36, 0.46);
    const double outline = k->pen->outline;
    struct zf_ellipse discs[DISCS + 1] = {{0, -0.28, wide, tall, 0}};

    for (int i = 0; i < DISCS; i++) {
        const double angle = 2 * PI * (i + 0.25) / DISCS, radius = zf_sketch_vary(k, 0.25, 0.34);
        discs[i + 1] =
            (struct zf_ellipse){wide * cos(angle), -0.28 + tall * sin(angle), radius, radius, 0};
    }
    for (int pass = 0; pass < 2; pass++) {
        k->pen->outline = pass == 0 ? outline : 0;
        for (int i = 0; i <= DISCS; i++) {
            if (pass == 1 && outline > 0) {
                discs[i].rx -= 0.4 * outline;
                discs[i].ry -= 0.4 * outline;
            }
            zf_pen_ellipse(k->pen, discs[i], &k->body);
        }
    }
    for (int i = 0; i < 4; i++)
        zf_pen_ellipse(k->pen,
                       (struct zf_ellipse){-0.36 + 0.24 * i, -0.4 + 0.26 * (i % 2), 0.08, 0.08, 0},
                       &k->third);
    k->pen->outline = outline;
    zf_sketch_part(k, "crown", 0, -0.28);
}

static void pointed_crown(struct zf_sketch *k)
{
    const double wide = zf_sketch_vary(k, 0.58, 0.72);

    for (int i = 0; i < 3; i++) {
        const double bottom = 0.45 - 0.4 * i, half = wide * (1 - 0.22 * i);
        const struct zf_point tier[] = {{-half, bottom}, {0, bottom - 0.62}, {half, bottom}};
        zf_pen_polygon(k->pen, tier, 3, &k->body);
    }
    zf_sketch_part(k, "crown", 0, -0.1);
}

void zf_draw_tree(struct zf_sketch *k)
{
    const double foot = zf_sketch_vary(k, 0.13, 0.2), root = zf_sketch_vary(k, 0.9, 0.97);
    const struct zf_point trunk[] = {
        {-0.7 * foot, 0.1}, {0.7 * foot, 0.1}, {foot, root}, {-foot, root}};

    zf_pen_polygon(k->pen, trunk, 4, &k->second);
    if (zf_sketch_chance(k, 0.6))
        round_crown(k);
    else
        pointed_crown(k);
    zf_sketch_part(k, "trunk", 0, 0.7);
}
