/* SPDX-License-Identifier: MIT */
/* Figures that are made of pictures, coloured boxes and a few words. All calls clip. */
#ifndef ZF_PAGE_CANVAS_H
#define ZF_PAGE_CANVAS_H

#include "zf/image.h"

struct zf_rgb {
    uint8_t r, g, b;
};

#define ZF_PAPER ((struct zf_rgb){255, 255, 255})
#define ZF_INK ((struct zf_rgb){40, 42, 46})
#define ZF_QUIET ((struct zf_rgb){236, 236, 232}) /* where there is nothing to show */

/* A canvas of paper. */
enum zf_status zf_canvas_init(struct zf_picture *canvas, int64_t width, int64_t height,
                              struct zf_error *err);

void zf_canvas_fill(struct zf_picture *canvas, struct zf_box box, struct zf_rgb colour);

/* Draw the outline of a box, `thickness` px wide, inside it. */
void zf_canvas_frame(struct zf_picture *canvas, struct zf_box box, int64_t thickness,
                     struct zf_rgb colour);

/* Draw the part `from` of a picture, resized to `box`: interpolated when enlarged, averaged when
   reduced. `from` must lie within the picture. */
void zf_canvas_place(struct zf_picture *canvas, struct zf_box box, const struct zf_picture *picture,
                     struct zf_box from);

/* Copy the part `from` of a picture, its corner to (left, top); both must lie within. */
void zf_canvas_paste(struct zf_picture *canvas, int64_t left, int64_t top,
                     const struct zf_picture *picture, struct zf_box from);

/* The whole of a picture or canvas. */
struct zf_box zf_picture_box(const struct zf_picture *picture);

/* ---- lettering.c: words in the system's sans serif font, UTF-8 on one line. ---- */

/* Whether this machine has a font. Where it has none, words have no width and are not drawn. */
bool zf_lettering_installed(void);

struct zf_lettering {
    double height; /* px of a capital letter */
    struct zf_rgb colour;
};

/* px from where the words begin to the end of their ink. */
double zf_lettering_width(const struct zf_lettering *lettering, const char *text);

/* Write with the capitals' top left at (x, y); what is wider than `room` px ends in "...". */
void zf_canvas_text(struct zf_picture *canvas, const struct zf_lettering *lettering, double x,
                    double y, double room, const char *text);

#endif
