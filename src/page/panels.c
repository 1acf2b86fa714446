/* SPDX-License-Identifier: MIT */
#include "page/panels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "page/heat.h"
#include "page/text.h"

#define MOST_CELLS ZF_SIZE_MOST /* of a panel, in a row or a column */
#define RAMP 64                 /* px of a scale's picture; the page stretches it */

/* ---- Into a document. ---- */

static bool add_words(cJSON *object, const char *key, const char *text)
{
    return !text || cJSON_AddItemToObject(object, key, zf_text_json(text));
}

static bool add_texts(cJSON *object, const char *key, const char *const *texts, int64_t count)
{
    cJSON *list = texts ? cJSON_AddArrayToObject(object, key) : NULL;
    bool complete = !texts || list;

    for (int64_t i = 0; texts && complete && i < count; i++)
        complete = cJSON_AddItemToArray(list, zf_text_json(texts[i]));
    return complete;
}

static bool add_keys(cJSON *object, const struct zf_panel *panel)
{
    cJSON *list = panel->key_count > 0 ? cJSON_AddArrayToObject(object, "legend") : NULL;
    bool complete = list || panel->key_count == 0;

    for (size_t i = 0; complete && i < panel->key_count; i++) {
        const struct zf_rgb colour = panel->keys[i].colour;
        cJSON *key = cJSON_CreateObject();
        char text[8];

        snprintf(text, sizeof text, "#%02x%02x%02x", colour.r, colour.g, colour.b);
        complete = cJSON_AddItemToArray(list, key) &&
                   cJSON_AddStringToObject(key, "colour", text) &&
                   add_words(key, "text", panel->keys[i].text);
    }
    return complete;
}

static cJSON *panel_json(const struct zf_panel *panel)
{
    const char *const ends[] = {panel->low, panel->high};
    const double columns = (double)(panel->columns ? panel->columns : 1);
    cJSON *object = cJSON_CreateObject();

    if (cJSON_AddNumberToObject(object, "x", (double)panel->box.x) &&
        cJSON_AddNumberToObject(object, "y", (double)panel->box.y) &&
        cJSON_AddNumberToObject(object, "width", (double)panel->box.width) &&
        cJSON_AddNumberToObject(object, "height", (double)panel->box.height) &&
        cJSON_AddNumberToObject(object, "columns", columns) &&
        cJSON_AddNumberToObject(object, "rows", (double)(panel->rows ? panel->rows : 1)) &&
        cJSON_AddNumberToObject(object, "gap", (double)panel->gap) &&
        add_words(object, "title", panel->title) &&
        add_texts(object, "heads", panel->heads, panel->columns) &&
        add_texts(object, "scale", panel->low ? ends : NULL, 2) && add_keys(object, panel) &&
        add_words(object, "note", panel->note))
        return object;
    cJSON_Delete(object);
    return NULL;
}

cJSON *zf_panels_json(const struct zf_panel *panels, size_t count)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < count; i++) {
        if (!cJSON_AddItemToArray(list, panel_json(&panels[i]))) {
            cJSON_Delete(list);
            return NULL;
        }
    }
    return list;
}

/* ---- From there to a page. ---- */

/* A whole number of a panel that somebody may have written; `least` where it is none. */
static int64_t whole(const cJSON *panel, const char *key, int64_t least, int64_t most)
{
    const double value = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(panel, key));

    return value >= (double)least && value <= (double)most ? (int64_t)value : least - 1;
}

static bool read_panel(const cJSON *json, const struct zf_picture *picture, struct zf_panel *panel)
{
    const int64_t width = picture->width, height = picture->height;
    struct zf_box *box = &panel->box;

    *panel = (struct zf_panel){
        .box = {whole(json, "x", 0, width), whole(json, "y", 0, height),
                whole(json, "width", 1, width), whole(json, "height", 1, height)},
        .columns = whole(json, "columns", 1, MOST_CELLS),
        .rows = whole(json, "rows", 1, MOST_CELLS),
        .gap = whole(json, "gap", 0, width),
    };
    return box->x >= 0 && box->y >= 0 && box->width > 0 && box->height > 0 && panel->columns > 0 &&
           panel->rows > 0 && panel->gap >= 0 &&
           box->x + panel->columns * (box->width + panel->gap) - panel->gap <= width &&
           box->y + panel->rows * (box->height + panel->gap) - panel->gap <= height;
}

/* The cells, one at the other. */
static enum zf_status cut(const struct zf_picture *picture, const struct zf_panel *panel,
                          struct zf_picture *out, struct zf_error *err)
{
    const struct zf_box box = panel->box;
    const enum zf_status status =
        zf_picture_init(out, panel->columns * box.width, panel->rows * box.height, err);

    for (int64_t i = 0; status == ZF_OK && i < panel->columns * panel->rows; i++) {
        const int64_t column = i % panel->columns, row = i / panel->columns;

        zf_canvas_paste(out, column * box.width, row * box.height, picture,
                        (struct zf_box){box.x + column * (box.width + panel->gap),
                                        box.y + row * (box.height + panel->gap), box.width,
                                        box.height});
    }
    return status;
}

static const char *words(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static void write_words(FILE *out, const char *name, const char *text)
{
    if (!text)
        return;
    fprintf(out, "<p class=\"%s\">", name);
    zf_text_html(out, text);
    fputs("</p>\n", out);
}

static void write_heads(FILE *out, const cJSON *list)
{
    const cJSON *head;

    if (!list)
        return;
    fputs("<p class=\"heads\">", out);
    cJSON_ArrayForEach(head, list)
    {
        const char *text = cJSON_GetStringValue(head);

        fputs("<span>", out);
        zf_text_html(out, text ? text : "");
        fputs("</span>", out);
    }
    fputs("</p>\n", out);
}

static enum zf_status write_scale(FILE *out, const cJSON *ends, struct zf_error *err)
{
    const char *low = cJSON_GetStringValue(cJSON_GetArrayItem(ends, 0));
    const char *high = cJSON_GetStringValue(cJSON_GetArrayItem(ends, 1));
    struct zf_picture ramp = {0};
    enum zf_status status;

    if (!low || !high)
        return ZF_OK;
    ZF_TRY(zf_picture_init(&ramp, RAMP, 1, err));
    for (int64_t x = 0; x < RAMP; x++)
        zf_canvas_fill(&ramp, (struct zf_box){x, 0, 1, 1}, zf_heat_colour((double)x / (RAMP - 1)));
    fputs("<div class=\"scale\"><img alt=\"Scale from ", out);
    zf_text_html(out, low);
    fputs(" to ", out);
    zf_text_html(out, high);
    fputs("\" ", out);
    ZF_TRY(zf_source_draw(out, NULL, &ramp, err));
    fputs("><span>", out);
    zf_text_html(out, low);
    fputs("</span><span>", out);
    zf_text_html(out, high);
    fputs("</span></div>\n", out);
fail:
    zf_picture_release(&ramp);
    return status;
}

/* "#0b62a4", and nothing else that could get into an attribute. */
static bool is_colour(const char *text)
{
    return text && strlen(text) == 7 && text[0] == '#' && strspn(text + 1, "0123456789abcdef") == 6;
}

static void write_legend(FILE *out, const cJSON *list)
{
    const cJSON *key;

    if (!list)
        return;
    fputs("<ul class=\"legend\">", out);
    cJSON_ArrayForEach(key, list)
    {
        const char *colour = words(key, "colour"), *text = words(key, "text");

        fprintf(out,
                "<li><svg width=\"12\" height=\"12\" aria-hidden=\"true\"><rect width=\"12\" "
                "height=\"12\" fill=\"%s\"/></svg><span>",
                is_colour(colour) ? colour : "none");
        zf_text_html(out, text ? text : "");
        fputs("</span></li>", out);
    }
    fputs("</ul>\n", out);
}

static void write_alt(FILE *out, const cJSON *block, const cJSON *json)
{
    const char *title = words(json, "title"), *note = words(json, "note");
    const char *caption = words(block, "caption");

    zf_text_html(out, title ? title : caption ? caption : "");
    if (title && note) {
        fputs(": ", out);
        zf_text_html(out, note);
    }
}

static enum zf_status write_panel(FILE *out, const cJSON *block, const cJSON *json,
                                  const struct zf_picture *picture, struct zf_beside *beside,
                                  struct zf_error *err)
{
    enum zf_status status;
    struct zf_panel panel;
    struct zf_picture cells = {0};

    if (!read_panel(json, picture, &panel))
        return zf_fail(err, ZF_EINPUT, "a panel does not lie within its picture");
    ZF_TRY(cut(picture, &panel, &cells, err));
    fputs("<div class=\"panel\"><div class=\"over\">\n", out);
    write_words(out, "title", words(json, "title"));
    write_heads(out, cJSON_GetObjectItemCaseSensitive(json, "heads"));
    fputs("</div><div class=\"cells ", out);
    zf_sizes_class(out, ZF_SIZE_COLUMNS, panel.columns);
    fputs(" ", out);
    zf_sizes_class(out, ZF_SIZE_ROWS, panel.rows);
    fprintf(out, "\"><img loading=\"lazy\" decoding=\"async\" width=\"%d\" height=\"%d\" alt=\"",
            (int)cells.width, (int)cells.height);
    write_alt(out, block, json);
    fputs("\" ", out);
    ZF_TRY(zf_source_draw(out, beside, &cells, err));
    fputs("></div>\n<div class=\"under\">", out);
    ZF_TRY(write_scale(out, cJSON_GetObjectItemCaseSensitive(json, "scale"), err));
    write_legend(out, cJSON_GetObjectItemCaseSensitive(json, "legend"));
    write_words(out, "note", words(json, "note"));
    fputs("</div></div>\n", out);
fail:
    zf_picture_release(&cells);
    return status;
}

/* px that a panel has at least. */
static int64_t panel_width(const cJSON *block)
{
    const int64_t width = whole(block, "panel_width", 16, 2000);

    return width < 16 ? 200 : width;
}

void zf_panels_sizes(const cJSON *block, struct zf_sizes *sizes)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(block, "panels"), *json;

    zf_sizes_add(sizes, ZF_SIZE_PANEL, panel_width(block));
    cJSON_ArrayForEach(json, list)
    {
        zf_sizes_add(sizes, ZF_SIZE_COLUMNS, whole(json, "columns", 1, MOST_CELLS));
        zf_sizes_add(sizes, ZF_SIZE_ROWS, whole(json, "rows", 1, MOST_CELLS));
    }
}

enum zf_status zf_panels_write(FILE *out, const cJSON *block, const struct zf_picture *picture,
                               struct zf_beside *beside, const char *name, struct zf_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(block, "panels"), *json;
    struct zf_error inner = {0};

    fputs("<div class=\"panels ", out);
    zf_sizes_class(out, ZF_SIZE_PANEL, panel_width(block));
    fputs("\">\n", out);
    cJSON_ArrayForEach(json, list)
    {
        const enum zf_status status = write_panel(out, block, json, picture, beside, &inner);

        if (status != ZF_OK)
            return zf_fail(err, status, "%s: %s", name, inner.message);
    }
    fputs("</div>\n", out);
    return ZF_OK;
}
