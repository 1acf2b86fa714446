/* SPDX-License-Identifier: MIT */
#include "page/slide.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "page/chart.h"
#include "page/text.h"

#define CAPITAL 0.73 /* height of a capital, as a share of the size of a sans serif font */

enum part_kind { PART_PICTURE, PART_BOX, PART_WORDS };

struct zf_slide_part {
    enum part_kind kind;
    struct zf_box box; /* of words, only the corner */
    const struct zf_picture *picture;
    struct zf_box from;
    int64_t thickness;
    struct zf_rgb colour;
    double height; /* of a capital */
    char *text;
};

void zf_slide_release(struct zf_slide *slide)
{
    for (size_t i = 0; i < slide->count; i++)
        zf_free(slide->parts[i].text);
    zf_free(slide->parts);
    *slide = (struct zf_slide){0};
}

static void add(struct zf_slide *slide, struct zf_slide_part part)
{
    if (zf_grow((void **)&slide->parts, &slide->capacity, slide->count + 1, sizeof part)) {
        slide->parts[slide->count++] = part;
    } else {
        slide->failed = true;
        zf_free(part.text);
    }
}

void zf_slide_picture(struct zf_slide *slide, struct zf_box box, const struct zf_picture *picture,
                      struct zf_box from)
{
    add(slide,
        (struct zf_slide_part){.kind = PART_PICTURE, .box = box, .picture = picture, .from = from});
}

void zf_slide_box(struct zf_slide *slide, struct zf_box box, int64_t thickness,
                  struct zf_rgb colour)
{
    add(slide, (struct zf_slide_part){
                   .kind = PART_BOX, .box = box, .thickness = thickness, .colour = colour});
}

/* ---- Words. ---- */

/* Without a font the SVG has words all the same. */
static double width_of(const struct zf_lettering *lettering, const char *text)
{
    return zf_lettering_installed() ? zf_lettering_width(lettering, text)
                                    : zf_text_width(text, lettering->height / CAPITAL);
}

static bool continues(char letter)
{
    return ((unsigned char)letter & 0xc0) == 0x80;
}

/* Whether the first `length` bytes fit, with `end` behind them. */
static bool fits(const struct zf_lettering *lettering, const char *text, size_t length,
                 const char *end, int64_t room)
{
    char *tried = zf_format("%.*s%s", (int)length, text, end);
    const bool fit = !tried || width_of(lettering, tried) <= (double)room;

    zf_free(tried);
    return fit;
}

/* Bytes of the most first letters of `length` bytes that fit. */
static size_t letters_of(const struct zf_lettering *lettering, const char *text, size_t length,
                         const char *end, int64_t room)
{
    while (length > 0 && !fits(lettering, text, length, end, room)) {
        for (length--; length > 0 && continues(text[length]);)
            length--;
    }
    return length;
}

/* Bytes of the words that fit on a line, the space behind them left out; of a word that is longer
   than a line, its first letters. */
static size_t line_of(const struct zf_lettering *lettering, const char *text, int64_t room)
{
    const size_t word = strcspn(text, " ");
    size_t line = 0;

    for (size_t end = word; fits(lettering, text, end, "", room);
         end += 1 + strcspn(text + end + 1, " ")) {
        line = end;
        if (!text[end])
            return line;
    }
    if (line == 0)
        line = letters_of(lettering, text, word, "", room);
    if (line == 0) /* not even a letter */
        for (line = 1; continues(text[line]);)
            line++;
    return line;
}

/* As XML takes it: UTF-8 without control characters. */
static char *clean(const char *text, size_t length, const char *end)
{
    char *joined = zf_format("%.*s%s", (int)length, text, end);
    char *valid = joined ? zf_text_utf8(joined) : NULL;

    zf_free(joined);
    for (char *c = valid; c && *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    }
    return valid;
}

static void add_words(struct zf_slide *slide, const struct zf_lettering *lettering, int64_t x,
                      int64_t y, const char *text, size_t length, const char *end)
{
    char *copy = clean(text, length, end);

    if (!copy)
        slide->failed = true;
    else
        add(slide, (struct zf_slide_part){.kind = PART_WORDS,
                                          .box = {x, y, 0, 0},
                                          .colour = lettering->colour,
                                          .height = lettering->height,
                                          .text = copy});
}

void zf_slide_words(struct zf_slide *slide, const struct zf_lettering *lettering, int64_t x,
                    int64_t y, int64_t room, const char *text)
{
    const size_t all = strlen(text);

    if (fits(lettering, text, all, "", room))
        add_words(slide, lettering, x, y, text, all, "");
    else
        add_words(slide, lettering, x, y, text, letters_of(lettering, text, all, "...", room),
                  "...");
}

int64_t zf_slide_paragraph(struct zf_slide *slide, const struct zf_lettering *lettering, int64_t x,
                           int64_t y, int64_t room, int64_t pitch, int64_t most, const char *text)
{
    int64_t lines = 0;

    while (*text && lines < most) {
        const size_t length = line_of(lettering, text, room);

        if (lines + 1 == most)
            zf_slide_words(slide, lettering, x, y + lines * pitch, room, text);
        else
            add_words(slide, lettering, x, y + lines * pitch, text, length, "");
        lines++;
        text += length;
        text += *text == ' ';
    }
    return lines;
}

/* ---- As a picture. ---- */

static void draw_part(struct zf_picture *canvas, const struct zf_slide_part *part)
{
    const struct zf_lettering lettering = {part->height, part->colour};

    switch (part->kind) {
    case PART_PICTURE:
        zf_canvas_place(canvas, part->box, part->picture, part->from);
        break;
    case PART_BOX:
        if (part->thickness > 0)
            zf_canvas_frame(canvas, part->box, part->thickness, part->colour);
        else
            zf_canvas_fill(canvas, part->box, part->colour);
        break;
    case PART_WORDS:
        zf_canvas_text(canvas, &lettering, (double)part->box.x, (double)part->box.y, INFINITY,
                       part->text);
        break;
    }
}

enum zf_status zf_slide_draw(const struct zf_slide *slide, struct zf_picture *canvas,
                             struct zf_error *err)
{
    if (slide->failed)
        return zf_no_memory(err, "a figure of %zu parts", slide->count);
    ZF_CHECK(zf_canvas_init(canvas, slide->width, slide->height, err));
    for (size_t i = 0; i < slide->count; i++)
        draw_part(canvas, &slide->parts[i]);
    return ZF_OK;
}

/* ---- As SVG. ---- */

static void write_place(FILE *out, struct zf_box box)
{
    fprintf(out, "x=\"%" PRId64 "\" y=\"%" PRId64 "\" width=\"%" PRId64 "\" height=\"%" PRId64 "\"",
            box.x, box.y, box.width, box.height);
}

static void write_colour(FILE *out, const char *what, struct zf_rgb colour)
{
    fprintf(out, " %s=\"#%02x%02x%02x\"", what, colour.r, colour.g, colour.b);
}

static enum zf_status write_picture(FILE *out, const struct zf_slide_part *part,
                                    struct zf_error *err)
{
    struct zf_picture cut = {0};
    enum zf_status status;
    uint8_t *bytes = NULL;
    size_t size = 0;

    ZF_TRY(zf_picture_init(&cut, part->from.width, part->from.height, err));
    zf_canvas_paste(&cut, 0, 0, part->picture, part->from);
    ZF_TRY(zf_picture_encode(&cut, 0, &bytes, &size, err));
    fputs("<image ", out);
    write_place(out, part->box);
    fputs(" preserveAspectRatio=\"none\" href=\"data:image/png;base64,", out);
    zf_text_base64(out, bytes, size);
    fputs("\"/>\n", out);
fail:
    zf_bytes_free(bytes);
    zf_picture_release(&cut);
    return status;
}

/* An outline lies inside of its box. */
static void write_box(FILE *out, const struct zf_slide_part *part)
{
    const struct zf_box box = part->box;
    const double half = (double)part->thickness / 2.0;

    fprintf(out, "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\"", (double)box.x + half,
            (double)box.y + half, fmax(0.0, (double)(box.width - part->thickness)),
            fmax(0.0, (double)(box.height - part->thickness)));
    if (part->thickness > 0) {
        fprintf(out, " fill=\"none\" stroke-width=\"%" PRId64 "\"", part->thickness);
        write_colour(out, "stroke", part->colour);
    } else {
        write_colour(out, "fill", part->colour);
    }
    fputs("/>\n", out);
}

static void write_words(FILE *out, const struct zf_slide_part *part)
{
    fprintf(out, "<text x=\"%" PRId64 "\" y=\"%g\" font-size=\"%.4g\"", part->box.x,
            (double)part->box.y + part->height, part->height / CAPITAL);
    write_colour(out, "fill", part->colour);
    fputc('>', out);
    zf_text_html(out, part->text);
    fputs("</text>\n", out);
}

static enum zf_status write_part(FILE *out, const struct zf_slide_part *part, struct zf_error *err)
{
    switch (part->kind) {
    case PART_PICTURE:
        return write_picture(out, part, err);
    case PART_BOX:
        write_box(out, part);
        break;
    case PART_WORDS:
        write_words(out, part);
        break;
    }
    return ZF_OK;
}

enum zf_status zf_slide_write(const struct zf_slide *slide, const char *title, const char *path,
                              struct zf_error *err)
{
    struct zf_output out = {0};
    enum zf_status status;

    if (slide->failed)
        return zf_no_memory(err, "a figure of %zu parts", slide->count);
    ZF_CHECK(zf_output_open(&out, path, err));
    fprintf(out.stream,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%" PRId64 "\" height=\"%" PRId64
            "\" viewBox=\"0 0 %" PRId64 " %" PRId64
            "\" role=\"img\" font-family=\"DejaVu Sans, Verdana, sans-serif\">\n<title>",
            slide->width, slide->height, slide->width, slide->height);
    zf_text_html(out.stream, title);
    fputs("</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n", out.stream);
    for (size_t i = 0; i < slide->count; i++)
        ZF_TRY(write_part(out.stream, &slide->parts[i], err));
    fputs("</svg>\n", out.stream);
    return zf_output_commit(&out, err);
fail:
    zf_output_discard(&out);
    return status;
}
