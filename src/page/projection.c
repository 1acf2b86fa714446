/* SPDX-License-Identifier: MIT */
/* One projection as a person understands it: beside the picture, at its scale, and over it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/signal.h"
#include "page/slide.h"
#include "zf/document.h"

#define SIDE 480 /* px of a panel's longer side */
#define GAP 20   /* px around and between panels */
#define HEAD 44  /* px above them, for the title */
#define LINE 26  /* px of a line of words */
#define PANELS 3
#define SMALL 24  /* px of a field that its own frame would hide: it stands around it */
#define DIMMED 60 /* of 255: what the overlay leaves of a pixel that had no part in it */
#define BLUR 60   /* of a side: how far a part of the signal lights its surroundings */
#define NORMAL_WIDTH (GAP + PANELS * (SIDE + GAP))

struct figure {
    const struct zf_net *net;
    const struct zf_activation *activation;
    enum zf_rule rule;
    double larger;                    /* than a picture that nothing was asked of */
    int64_t gap, width, height;       /* px between panels, and of one */
    int64_t top;                      /* px above them */
    double scale;                     /* px of a panel for one of the input */
    struct zf_picture panels[PANELS]; /* the picture, the projection, and the picture lit by it */
    struct zf_slide slide;
};

static struct zf_lettering lettering(const struct figure *figure, double height)
{
    return (struct zf_lettering){height * figure->larger, {40, 42, 46}};
}

static int64_t enlarged(const struct figure *figure, double px)
{
    return lround(px * figure->larger);
}

static struct zf_box panel_box(const struct figure *figure, int panel)
{
    return (struct zf_box){figure->gap + panel * (figure->width + figure->gap), figure->top,
                           figure->width, figure->height};
}

static void frame_field(struct figure *figure, int panel)
{
    const struct zf_box box = panel_box(figure, panel), patch = figure->activation->patch;
    const int64_t left = lround((double)patch.x * figure->scale);
    const int64_t top = lround((double)patch.y * figure->scale);
    const struct zf_box field = {box.x + left, box.y + top,
                                 lround((double)(patch.x + patch.width) * figure->scale) - left,
                                 lround((double)(patch.y + patch.height) * figure->scale) - top};

    const int64_t away = field.width < SMALL || field.height < SMALL ? SMALL / 3 : 0;
    const struct zf_box frame = {field.x - away, field.y - away, field.width + 2 * away,
                                 field.height + 2 * away};

    zf_slide_box(&figure->slide, frame, 4, ZF_PAPER);
    zf_slide_box(&figure->slide, frame, 2, ZF_INK);
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

static void describe(const struct figure *figure, char *text, size_t size)
{
    const struct zf_activation *a = figure->activation;

    snprintf(text, size,
             "%s of %s, map %" PRId64 " at row %" PRId64 ", column %" PRId64
             ": activation %.4g, projected by the %s rule",
             zf_net_layer(figure->net, a->layer).name, zf_net_name(figure->net), a->map, a->y, a->x,
             (double)a->value, zf_rule_names[figure->rule]);
}

/* A title of more than one line moves the panels down. */
static void place_title(struct figure *figure)
{
    const struct zf_lettering title = lettering(figure, 16.0);
    const int64_t pitch = enlarged(figure, LINE), room = figure->slide.width - 2 * figure->gap;
    char text[1024];
    int64_t lines;

    describe(figure, text, sizeof text);
    lines = zf_slide_paragraph(&figure->slide, &title, figure->gap,
                               figure->gap + enlarged(figure, 6), room, pitch, 4, text);
    figure->top = figure->gap + enlarged(figure, HEAD) + (lines - 1) * pitch;
}

static void place_panels(struct figure *figure)
{
    static const char *const words[PANELS] = {NULL, "projected: grey had no part in it",
                                              "the picture where the projection is strong"};
    const struct zf_lettering small = lettering(figure, 13.0);
    const struct zf_box patch = figure->activation->patch;
    const int64_t pitch = enlarged(figure, LINE);
    int64_t most = 1;
    char seen[96];

    snprintf(seen, sizeof seen,
             "the picture; framed: what the cell sees, %" PRId64 " x %" PRId64 " px", patch.width,
             patch.height);
    for (int i = 0; i < PANELS; i++)
        zf_slide_picture(&figure->slide, panel_box(figure, i), &figure->panels[i],
                         zf_picture_box(&figure->panels[i]));
    for (int i = 0; i < PANELS; i++) {
        const struct zf_box box = panel_box(figure, i);
        int64_t lines;

        frame_field(figure, i);
        lines = zf_slide_paragraph(&figure->slide, &small, box.x,
                                   box.y + box.height + enlarged(figure, 10), box.width, pitch, 4,
                                   words[i] ? words[i] : seen);
        most = lines > most ? lines : most;
    }
    figure->slide.height = figure->top + figure->height + most * pitch + figure->gap;
}

/* side: px of a panel's longer side; width: of all, 0 = what the panels take */
static enum zf_status place_all(struct figure *figure, const struct zf_tensor *input,
                                const struct zf_tensor *pixels, double side, int64_t width,
                                struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(figure->net);
    const struct zf_box whole = {0, 0, in.w, in.h};
    const struct zf_preparation *how = zf_net_preparation(figure->net);
    const float limit = zf_signal_limit(pixels->data, in, whole, ZF_CUT_SHARE);

    ZF_CHECK(zf_picture_from_input(input->data, in, how, &figure->panels[0], err));
    ZF_CHECK(zf_picture_from_signal(pixels->data, in, whole, limit, how->channels,
                                    &figure->panels[1], err));
    ZF_CHECK(light_picture(&figure->panels[0], pixels->data, in, limit, &figure->panels[2], err));
    figure->gap = enlarged(figure, GAP);
    figure->scale = side / (double)(in.h > in.w ? in.h : in.w);
    figure->width = lround(fmax(1.0, (double)in.w * figure->scale));
    figure->height = lround(fmax(1.0, (double)in.h * figure->scale));
    figure->slide.width = width ? width : figure->gap + PANELS * (figure->width + figure->gap);
    place_title(figure);
    place_panels(figure);
    return ZF_OK;
}

static void figure_release(struct figure *figure)
{
    for (int i = 0; i < PANELS; i++)
        zf_picture_release(&figure->panels[i]);
    zf_slide_release(&figure->slide);
}

enum zf_status zf_projection_figure(const struct zf_net *net, const struct zf_tensor *input,
                                    const struct zf_tensor *pixels, enum zf_rule rule,
                                    const struct zf_activation *activation,
                                    struct zf_picture *figure, struct zf_error *err)
{
    struct figure made = {.net = net, .activation = activation, .rule = rule, .larger = 1.0};
    enum zf_status status;

    ZF_TRY(place_all(&made, input, pixels, SIDE, 0, err));
    ZF_TRY(zf_slide_draw(&made.slide, figure, err));
fail:
    figure_release(&made);
    return status;
}

enum zf_status zf_projection_slide(const struct zf_net *net, const struct zf_tensor *input,
                                   const struct zf_tensor *pixels, enum zf_rule rule,
                                   const struct zf_activation *activation, struct zf_picture *slide,
                                   const char *svg, struct zf_error *err)
{
    struct figure made = {.net = net,
                          .activation = activation,
                          .rule = rule,
                          .larger = (double)ZF_SLIDE_WIDTH / NORMAL_WIDTH};
    struct zf_picture drawn = {0};
    enum zf_status status;
    char text[1024];

    ZF_TRY(place_all(&made, input, pixels, SIDE * made.larger, ZF_SLIDE_WIDTH, err));
    ZF_TRY(zf_slide_draw(&made.slide, &drawn, err));
    describe(&made, text, sizeof text);
    if (svg)
        ZF_TRY(zf_slide_write(&made.slide, text, svg, err));
    *slide = drawn;
    drawn = (struct zf_picture){0};
fail:
    zf_picture_release(&drawn);
    figure_release(&made);
    return status;
}
