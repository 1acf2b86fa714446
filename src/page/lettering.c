/* SPDX-License-Identifier: MIT */
/*
 * Words in pictures, set by the system's text engine (Pango, through libvips): any script that the
 * machine has a font for. Where none is installed, Pango draws boxes; then nothing is written.
 */
#include "page/canvas.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "image/picture.h"
#include "image/vips_library.h"
#include "page/text.h"

#define FAMILY "sans"
#define PROBE 100.0 /* px of the font whose capital is measured */

/* Ink of some words: 0 to 255 a pixel, its corner at (left, top) of the line that they stand on. */
struct ink {
    VipsImage *image;
    int left, top;
};

static void release(struct ink *ink)
{
    if (ink->image)
        zf_vips->object_unref(ink->image);
    ink->image = NULL;
}

/* What Pango takes for text: UTF-8 without markup, on one line. NULL without memory. */
static char *escape(const char *text)
{
    char *valid = zf_text_utf8(text), *escaped;

    if (!valid)
        return NULL;
    for (char *c = valid; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    }
    escaped = zf_vips->markup_escape_text(valid, -1);
    zf_free(valid);
    return escaped;
}

/* False where there is nothing to see, or it cannot be set. */
static bool set(const char *text, double font_px, struct ink *ink)
{
    char font[48], *escaped;
    bool made;

    *ink = (struct ink){0};
    if (zf_vips_start(NULL) != ZF_OK)
        return false;
    escaped = escape(text);
    snprintf(font, sizeof font, FAMILY " %.2f", font_px);
    made = escaped && *escaped &&
           zf_vips->text(&ink->image, escaped, "font", font, "dpi", 72, NULL) == 0 &&
           zf_vips->image_wio_input(ink->image) == 0 && ink->image->Bands == 1 &&
           ink->image->BandFmt == VIPS_FORMAT_UCHAR;
    zf_vips->free(escaped);
    if (!made) {
        zf_vips->error_clear();
        release(ink);
        return false;
    }
    ink->left = zf_vips->image_get_xoffset(ink->image);
    ink->top = zf_vips->image_get_yoffset(ink->image);
    return true;
}

/* ---- The font: one for the process, as the machine's fonts are. ---- */

static pthread_once_t measured = PTHREAD_ONCE_INIT;
static double capital; /* its height as a share of the font's size; 0 = no font */

/* Without any font, Pango draws boxes of about 8 x 12 px whatever size is asked for; without Latin
   letters, boxes that are all alike. */
static bool are_letters(const struct ink *narrow, const struct ink *high)
{
    const VipsImage *const i = narrow->image, *const h = high->image;

    return h->Ysize > PROBE / 3.0 && (i->Xsize != h->Xsize || i->Ysize != h->Ysize);
}

static void measure(void)
{
    struct ink narrow = {0}, high = {0};

    if (set("i", PROBE, &narrow) && set("H", PROBE, &high) && are_letters(&narrow, &high))
        capital = high.image->Ysize / PROBE;
    release(&narrow);
    release(&high);
}

bool zf_lettering_installed(void)
{
    pthread_once(&measured, measure);
    return capital > 0.0;
}

static double font_of(const struct zf_lettering *lettering)
{
    return lettering->height / capital;
}

/* ---- Words. ---- */

static double width_of(const struct ink *ink)
{
    return ink->image ? (double)(ink->left + ink->image->Xsize) : 0.0;
}

double zf_lettering_width(const struct zf_lettering *lettering, const char *text)
{
    struct ink ink = {0};
    double width = 0.0;

    if (zf_lettering_installed() && set(text, font_of(lettering), &ink))
        width = width_of(&ink);
    release(&ink);
    return width;
}

static bool continues(char letter)
{
    return ((unsigned char)letter & 0xc0) == 0x80;
}

/* As many of the first letters as fit before "...". */
static bool set_shortened(const char *text, double font, double room, struct ink *ink)
{
    size_t length = strlen(text);

    while (length > 0) {
        char *shorter;
        bool made;

        for (length--; length > 0 && continues(text[length]);)
            length--;
        shorter = zf_format("%.*s...", (int)length, text);
        made = shorter && set(shorter, font, ink);
        zf_free(shorter);
        if (!made || width_of(ink) <= room)
            return made;
        release(ink);
    }
    return false;
}

static void draw(struct zf_picture *canvas, const struct ink *ink, int64_t left, int64_t top,
                 struct zf_rgb colour)
{
    const uint8_t paint[3] = {colour.r, colour.g, colour.b};

    for (int y = 0; y < ink->image->Ysize; y++) {
        const uint8_t *cover = ink->image->data + (ptrdiff_t)y * ink->image->Xsize;

        if (top + y < 0 || top + y >= canvas->height)
            continue;
        for (int x = 0; x < ink->image->Xsize; x++) {
            uint8_t *pixel = canvas->pixels + ((top + y) * canvas->width + left + x) * 3;

            for (int c = 0; left + x >= 0 && left + x < canvas->width && c < 3; c++)
                pixel[c] =
                    (uint8_t)((pixel[c] * (255 - cover[x]) + paint[c] * cover[x] + 127) / 255);
        }
    }
}

void zf_canvas_text(struct zf_picture *canvas, const struct zf_lettering *lettering, double x,
                    double y, double room, const char *text)
{
    struct ink ink = {0}, line = {0};
    double font;
    bool made;

    if (!zf_lettering_installed())
        return;
    font = font_of(lettering);
    made = set(text, font, &ink);
    if (made && width_of(&ink) > room) {
        release(&ink);
        made = set_shortened(text, font, room, &ink);
    }
    /* A capital's top is where the caller wants it, whatever stands higher or lower. */
    if (made && set("H", font, &line))
        draw(canvas, &ink, lround(x) + ink.left, lround(y) + ink.top - line.top, lettering->colour);
    release(&line);
    release(&ink);
}
