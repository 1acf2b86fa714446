/* SPDX-License-Identifier: MIT */
/*
 * A figure for a slide: pictures, boxes and words at their places, drawn as a picture and as an SVG
 * that looks the same, with words and boxes that can be edited.
 *
 * Nothing fails on the spot: memory that runs out is remembered, and zf_slide_draw() and
 * zf_slide_write() return it.
 */
#ifndef ZF_PAGE_SLIDE_H
#define ZF_PAGE_SLIDE_H

#include "page/canvas.h"
#include "page/panels.h"

#define ZF_SLIDE_WIDTH 1920  /* px */
#define ZF_SLIDE_HEIGHT 1080 /* px that panels are laid out for, where they can be read at that */

struct zf_slide {
    int64_t width, height; /* px; the height may be set when all is placed */
    struct zf_slide_part *parts;
    size_t count, capacity;
    bool failed;
};

void zf_slide_release(struct zf_slide *slide); /* accepts empty */

/* The part `from` of a picture, lent until the slide is released, brought to the size of `box`. */
void zf_slide_picture(struct zf_slide *slide, struct zf_box box, const struct zf_picture *picture,
                      struct zf_box from);

/* thickness  px of an outline, inside the box; 0 = filled */
void zf_slide_box(struct zf_slide *slide, struct zf_box box, int64_t thickness,
                  struct zf_rgb colour);

/* On one line, the capitals' top left at (x, y); what is wider than `room` px ends in "...". */
void zf_slide_words(struct zf_slide *slide, const struct zf_lettering *lettering, int64_t x,
                    int64_t y, int64_t room, const char *text);

/**
 * On as many lines as it takes, at most `most`, broken between words where that can be.
 * pitch  px from line to line
 * Returns how many lines there are.
 */
int64_t zf_slide_paragraph(struct zf_slide *slide, const struct zf_lettering *lettering, int64_t x,
                           int64_t y, int64_t room, int64_t pitch, int64_t most, const char *text);

enum zf_status zf_slide_draw(const struct zf_slide *slide, struct zf_picture *canvas,
                             struct zf_error *err);

/* As SVG, its pictures embedded as PNG. title: for those who cannot see it. Returns ZF_EIO,
   ZF_ENOMEM. */
enum zf_status zf_slide_write(const struct zf_slide *slide, const char *title, const char *path,
                              struct zf_error *err);

/* ---- slide_panels.c ---- */

/**
 * The panels of a picture with their words: under a title, as large as they fit into a slide, and
 * above a caption. The height is that of what it holds; where panels would become too small to be
 * read, it is more than ZF_SLIDE_HEIGHT.
 *
 * slide    empty; written
 * picture  lent until the slide is released
 * panels   [count >= 1]
 * caption  NULL = none
 */
void zf_slide_panels(struct zf_slide *slide, const struct zf_picture *picture,
                     const struct zf_panel *panels, size_t count, const char *title,
                     const char *caption);

#endif
