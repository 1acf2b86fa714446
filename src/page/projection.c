/* SPDX-License-Identifier: MIT */
/* One projection as a person understands it: beside the picture, at its scale, and over it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/signal.h"
#include "page/canvas.h"
#include "zf/document.h"

#define SIDE 480  /* px of a panel's longer side */
#define GAP 20    /* px around and between panels */
#define HEAD 44   /* px above them, for the title */
#define LINE 26   /* px of a line of words */
#define DIMMED 60 /* of 255: what the overlay leaves of a pixel that had no part in it */
#define BLUR 60   /* of a side: how far a part of the signal lights its surroundings */

static const struct zf_lettering title = {16.0, {40, 42, 46}};
static const struct zf_lettering small = {13.0, {40, 42, 46}};

struct figure {
    const struct zf_net *net;
    const struct zf_activation *activation;
    struct zf_picture canvas;
    int64_t width, height; /* of a panel */
    double scale;          /* px of a panel for one of the input */
};

static struct zf_box panel_box(const struct figure *figure, int panel)
{
    return (struct zf_box){GAP + panel * (figure->width + GAP), GAP + HEAD, figure->width,
                           figure->height};
}

static void write_below(struct figure *figure, int panel, const char *text)
{
    const struct zf_box box = panel_box(figure, panel);

    zf_canvas_text(&figure->canvas, &small, (double)box.x, (double)(box.y + box.height + 10),
                   (double)box.width, text);
}

static void frame_field(struct figure *figure, int panel)
{
    const struct zf_box box = panel_box(figure, panel), patch = figure->activation->patch;
    const int64_t left = lround((double)patch.x * figure->scale);
    const int64_t top = lround((double)patch.y * figure->scale);
    const struct zf_box field = {box.x + left, box.y + top,
                                 lround((double)(patch.x + patch.width) * figure->scale) - left,
                                 lround((double)(patch.y + patch.height) * figure->scale) - top};

    zf_canvas_frame(&figure->canvas, field, 4, ZF_PAPER);
    zf_canvas_frame(&figure->canvas, field, 2, ZF_INK);
}

/* How much of the signal is at a pixel of the input, 0 to 1: its largest channel. */
static void measure_signal(const float *pixels, struct zf_shape in, float limit, float *strength)
{
    const int64_t plane = in.h * in.w;

    for (int64_t i = 0; i < plane; i++) {
        strength[i] = 0.0f;
        for (int64_t c = 0; c < in.c; c++)
            strength[i] = fmaxf(strength[i], fabsf(pixels[c * plane + i]));
        strength[i] = limit > 0.0f ? fminf(strength[i] / limit, 1.0f) : 0.0f;
    }
}

/* The largest value within `reach` px along one side: a signal is speckled, and what it lights
   should be looked at as a whole. */
static void spread(const float *src, float *dst, int64_t count, int64_t step, int64_t reach)
{
    for (int64_t i = 0; i < count; i++) {
        const int64_t first = i > reach ? i - reach : 0;
        const int64_t last = i + reach < count ? i + reach : count - 1;

        dst[i * step] = 0.0f;
        for (int64_t k = first; k <= last; k++)
            dst[i * step] = fmaxf(dst[i * step], src[k * step]);
    }
}

/* The picture, dark where the projection is grey. */
static enum zf_status light_picture(const struct zf_picture *shown, const float *pixels,
                                    struct zf_shape in, float limit, struct zf_picture *lit,
                                    struct zf_error *err)
{
    const int64_t plane = in.h * in.w, reach = (in.h > in.w ? in.h : in.w) / BLUR;
    float *strength = zf_alloc((size_t)plane, sizeof *strength);
    float *across = zf_alloc((size_t)plane, sizeof *across);
    enum zf_status status;

    if (!strength || !across) {
        status = zf_no_memory(err, "an overlay of %" PRId64 " pixels", plane);
        goto fail;
    }
    ZF_TRY(zf_picture_init(lit, in.w, in.h, err));
    measure_signal(pixels, in, limit, strength);
    for (int64_t y = 0; y < in.h; y++)
        spread(strength + y * in.w, across + y * in.w, in.w, 1, reach);
    for (int64_t x = 0; x < in.w; x++)
        spread(across + x, strength + x, in.h, in.w, reach);
    for (int64_t i = 0; i < 3 * plane; i++) {
        const float part = DIMMED / 255.0f + (1.0f - DIMMED / 255.0f) * strength[i / 3];

        lit->pixels[i] = (uint8_t)lroundf(part * (float)shown->pixels[i]);
    }
fail:
    zf_free(across);
    zf_free(strength);
    return status;
}

static void write_words(struct figure *figure, const char *rule)
{
    const struct zf_activation *a = figure->activation;
    char text[256];

    snprintf(text, sizeof text,
             "%s of %s, map %" PRId64 " at row %" PRId64 ", column %" PRId64
             ": activation %.4g, projected by the %s rule",
             zf_net_layer(figure->net, a->layer).name, zf_net_name(figure->net), a->map, a->y, a->x,
             (double)a->value, rule);
    zf_canvas_text(&figure->canvas, &title, GAP, GAP + 6, (double)(figure->canvas.width - 2 * GAP),
                   text);
    snprintf(text, sizeof text,
             "the picture; framed: what the cell sees, %" PRId64 " x %" PRId64 " px",
             a->patch.width, a->patch.height);
    write_below(figure, 0, text);
    write_below(figure, 1, "projected: grey had no part in it");
    write_below(figure, 2, "the picture where the projection is strong");
}

enum zf_status zf_projection_figure(const struct zf_net *net, const struct zf_tensor *input,
                                    const struct zf_tensor *pixels, enum zf_rule rule,
                                    const struct zf_activation *activation,
                                    struct zf_picture *figure, struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(net);
    const struct zf_box whole = {0, 0, in.w, in.h};
    const struct zf_preparation *how = zf_net_preparation(net);
    const float limit = zf_signal_limit(pixels->data, in, whole, ZF_CUT_SHARE);
    struct figure made = {.net = net, .activation = activation};
    struct zf_picture shown = {0}, projected = {0}, lit = {0};
    enum zf_status status;

    ZF_TRY(zf_picture_from_input(input->data, in, how, &shown, err));
    ZF_TRY(zf_picture_from_signal(pixels->data, in, whole, limit, how->channels, &projected, err));
    ZF_TRY(light_picture(&shown, pixels->data, in, limit, &lit, err));
    made.scale = (double)SIDE / (double)(in.h > in.w ? in.h : in.w);
    made.width = lround(fmax(1.0, (double)in.w * made.scale));
    made.height = lround(fmax(1.0, (double)in.h * made.scale));
    ZF_TRY(zf_canvas_init(&made.canvas, GAP + 3 * (made.width + GAP),
                          GAP + HEAD + made.height + LINE + GAP, err));
    zf_canvas_place(&made.canvas, panel_box(&made, 0), &shown, zf_picture_box(&shown));
    zf_canvas_place(&made.canvas, panel_box(&made, 1), &projected, zf_picture_box(&projected));
    zf_canvas_place(&made.canvas, panel_box(&made, 2), &lit, zf_picture_box(&lit));
    for (int panel = 0; panel < 3; panel++)
        frame_field(&made, panel);
    write_words(&made, zf_rule_names[rule]);
    *figure = made.canvas;
    made.canvas = (struct zf_picture){0};
fail:
    zf_picture_release(&made.canvas);
    zf_picture_release(&lit);
    zf_picture_release(&projected);
    zf_picture_release(&shown);
    return status;
}
