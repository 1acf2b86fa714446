/* SPDX-License-Identifier: MIT */
#include "page/document.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "page/canvas.h"
#include "page/chart.h"
#include "page/text.h"

/* ---- Life. ---- */

enum zf_status zf_document_create(const char *directory, const char *kind, const char *title,
                                  const char *command, struct zf_document **out,
                                  struct zf_error *err)
{
    struct zf_document *made = zf_alloc(1, sizeof *made);
    cJSON *root = cJSON_CreateObject();

    if (made) {
        made->directory = zf_strdup(directory);
        made->root = root;
        made->numbers.at[0] = cJSON_CreateObject();
        made->numbers.depth = 1;
        made->seconds = -1;
        made->said = zf_strdup("");
    }
    if (made && made->directory && made->numbers.at[0] && made->said &&
        cJSON_AddItemToObject(root, "kind", zf_text_json(kind)) &&
        cJSON_AddItemToObject(root, "title", zf_text_json(title)) &&
        cJSON_AddItemToObject(root, "command", zf_text_json(command)) &&
        cJSON_AddArrayToObject(root, "parameters") && cJSON_AddArrayToObject(root, "blocks")) {
        *out = made;
        return ZF_OK;
    }
    if (!made)
        cJSON_Delete(root);
    zf_document_free(&made);
    return zf_no_memory(err, "the document in %s", directory);
}

void zf_document_free(struct zf_document **document)
{
    struct zf_document *d = document ? *document : NULL;

    if (!d)
        return;
    for (size_t i = 0; i < d->room_count; i++)
        zf_free(d->rooms[i]);
    zf_free(d->rooms);
    for (size_t i = 0; i < d->dress.count; i++)
        free(d->dress.replaced[i].html);
    zf_free(d->dress.replaced);
    free(d->dress.before);
    free(d->dress.after);
    cJSON_Delete(d->root);
    cJSON_Delete(d->numbers.at[0]);
    zf_free(d->said);
    zf_free(d->directory);
    zf_free(d);
    *document = NULL;
}

void zf_document_retitle(struct zf_document *document, const char *title)
{
    if (!cJSON_ReplaceItemInObjectCaseSensitive(document->root, "title", zf_text_json(title)))
        zf_document_fail(document, ZF_ENOMEM, NULL);
}

void zf_document_fail(struct zf_document *document, enum zf_status status,
                      const struct zf_error *failure)
{
    if (document->failure.status != ZF_OK)
        return;
    if (failure)
        document->failure = *failure;
    else
        zf_no_memory(&document->failure, "the document in %s", document->directory);
    document->failure.status = status;
}

bool zf_document_stands(const struct zf_document *document)
{
    return document->failure.status == ZF_OK;
}

/* `room` is the document's from here on; NULL when memory is short. */
static void *take(struct zf_document *document, void *room)
{
    if (room && zf_grow((void **)&document->rooms, &document->room_capacity,
                        document->room_count + 1, sizeof *document->rooms)) {
        document->rooms[document->room_count++] = room;
        return room;
    }
    zf_free(room);
    zf_document_fail(document, ZF_ENOMEM, NULL);
    return NULL;
}

void *zf_document_room(struct zf_document *document, size_t count, size_t size)
{
    return take(document, zf_alloc(count, size));
}

const char *zf_document_words(struct zf_document *document, const char *format, ...)
{
    const char *words;
    va_list args;

    va_start(args, format);
    words = take(document, zf_format_list(format, args));
    va_end(args);
    return words ? words : "";
}

const char *zf_document_count(struct zf_document *document, int64_t count)
{
    char text[ZF_COUNT_TEXT];

    return zf_document_words(document, "%s", zf_count_text(count, ZF_THIN_GAP, text));
}

struct zf_json *zf_document_numbers(struct zf_document *document)
{
    return &document->numbers;
}

void zf_document_took(struct zf_document *document, double seconds)
{
    document->seconds = seconds;
}

void zf_document_dress(struct zf_document *document, const struct zf_dress *dress)
{
    free(document->dress.before);
    free(document->dress.after);
    document->dress.style = dress->style;
    document->dress.script = dress->script;
    document->dress.beside = dress->beside;
    document->dress.before = dress->before;
    document->dress.after = dress->after;
}

struct zf_sizes *zf_document_sizes(struct zf_document *document)
{
    return &document->dress.sizes;
}

void zf_document_replace(struct zf_document *document, int count, char *html)
{
    const cJSON *blocks = cJSON_GetObjectItemCaseSensitive(document->root, "blocks");
    const cJSON *first = cJSON_GetArrayItem(blocks, cJSON_GetArraySize(blocks) - count);
    struct zf_dress *dress = &document->dress;

    if (first && html &&
        zf_grow((void **)&dress->replaced, &dress->capacity, dress->count + 1,
                sizeof *dress->replaced)) {
        dress->replaced[dress->count++] = (struct zf_replacement){first, (size_t)count, html};
        return;
    }
    free(html);
    zf_document_fail(document, ZF_ENOMEM, NULL);
}

/* ---- Blocks. ---- */

/* A member that is a text; frees it. False when there was no memory for it. */
static bool add_text(cJSON *object, const char *key, char *text)
{
    const bool added = text && cJSON_AddItemToObject(object, key, zf_text_json(text));

    zf_free(text);
    return added;
}

/* What is not complete does not stay. */
static bool add_to(struct zf_document *document, const char *list, cJSON *item, bool complete)
{
    if (zf_document_stands(document) && complete &&
        cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(document->root, list), item))
        return true;
    cJSON_Delete(item);
    zf_document_fail(document, ZF_ENOMEM, NULL);
    return false;
}

/* NULL when memory is short, which the first member that is added finds. */
static cJSON *block_of(const char *type)
{
    cJSON *block = cJSON_CreateObject();

    if (cJSON_AddStringToObject(block, "type", type))
        return block;
    cJSON_Delete(block);
    return NULL;
}

void zf_document_parameter(struct zf_document *document, const char *name, const char *format, ...)
{
    cJSON *parameter = cJSON_CreateObject();
    va_list args;

    va_start(args, format);
    add_to(document, "parameters", parameter,
           cJSON_AddItemToObject(parameter, "name", zf_text_json(name)) &&
               add_text(parameter, "value", zf_format_list(format, args)));
    va_end(args);
}

static void add_words(struct zf_document *document, const char *type, char *text)
{
    cJSON *block = block_of(type);

    add_to(document, "blocks", block, add_text(block, "text", text));
}

void zf_document_heading(struct zf_document *document, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_words(document, "heading", zf_format_list(format, args));
    va_end(args);
}

void zf_document_paragraph(struct zf_document *document, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_words(document, "paragraph", zf_format_list(format, args));
    va_end(args);
}

void zf_document_remark(struct zf_document *document, const char *format, ...)
{
    cJSON *block = block_of("paragraph");
    va_list args;

    va_start(args, format);
    add_to(document, "blocks", block,
           add_text(block, "text", zf_format_list(format, args)) &&
               cJSON_AddTrueToObject(block, "remark"));
    va_end(args);
}

void zf_document_table(struct zf_document *document, const char *const *columns,
                       size_t column_count, const char *format, ...)
{
    cJSON *block = block_of("table"), *list;
    char *caption;
    va_list args;
    bool complete;

    va_start(args, format);
    caption = zf_format_list(format, args);
    va_end(args);
    complete =
        caption && cJSON_AddItemToObject(block, "caption", zf_text_json(*caption ? caption : NULL));
    zf_free(caption);
    list = cJSON_AddArrayToObject(block, "columns");
    for (size_t c = 0; complete && c < column_count; c++)
        complete = cJSON_AddItemToArray(list, zf_text_json(columns[c]));
    complete = complete && cJSON_AddArrayToObject(block, "rows");
    document->table = add_to(document, "blocks", block, complete) ? block : NULL;
}

/* The row that the next cell goes into; NULL when memory is short. */
static cJSON *open_row(const cJSON *table)
{
    cJSON *rows = cJSON_GetObjectItemCaseSensitive(table, "rows");
    const int columns = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(table, "columns"));
    cJSON *last = rows && rows->child ? rows->child->prev : NULL; /* the first one knows the last */

    if (last && cJSON_GetArraySize(last) < columns)
        return last;
    last = cJSON_CreateArray();
    return cJSON_AddItemToArray(rows, last) ? last : NULL;
}

void zf_document_cell(struct zf_document *document, const char *format, ...)
{
    char *text;
    va_list args;

    if (!zf_document_stands(document))
        return;
    va_start(args, format);
    text = zf_format_list(format, args);
    va_end(args);
    if (!text || !cJSON_AddItemToArray(open_row(document->table), zf_text_json(text)))
        zf_document_fail(document, ZF_ENOMEM, NULL);
    zf_free(text);
}

void zf_document_number(struct zf_document *document, int decimals, double value)
{
    if (isfinite(value))
        zf_document_cell(document, "%.*f", decimals, value);
    else
        zf_document_cell(document, "–");
}

void zf_document_count_cell(struct zf_document *document, int64_t count)
{
    char text[ZF_COUNT_TEXT];

    zf_document_cell(document, "%s", zf_count_text(count, ZF_THIN_GAP, text));
}

void zf_document_say(struct zf_document *document, const char *format, ...)
{
    char *text, *longer;
    va_list args;

    va_start(args, format);
    text = zf_format_list(format, args);
    va_end(args);
    longer = text ? zf_format("%s%s", document->said, text) : NULL;
    zf_free(text);
    if (!longer) {
        zf_document_fail(document, ZF_ENOMEM, NULL);
        return;
    }
    zf_free(document->said);
    document->said = longer;
}

const char *zf_document_said(const struct zf_document *document)
{
    return document->said;
}

/* ---- Blocks with a file. ---- */

char *zf_document_place(struct zf_document *document, const char *file)
{
    struct zf_error err = {0};
    char *path = NULL;

    if (!zf_document_stands(document))
        return NULL;
    if (zf_directory_make(document->directory, &err) != ZF_OK)
        zf_document_fail(document, err.status, &err);
    else if (!(path = zf_path_join(document->directory, file)))
        zf_document_fail(document, ZF_ENOMEM, NULL);
    return path;
}

/* Said once, on a machine that has no font. */
static void say_wordless(struct zf_document *document)
{
    if (document->wordless || zf_lettering_installed())
        return;
    document->wordless = true;
    zf_document_say(document, "No font is installed, so words and numbers are missing from the "
                              "pictures. A font brings them back (on Debian: "
                              "apt-get install fonts-dejavu-core).\n");
}

/* The block of a file that was written, or of none. Takes `block` and `caption`. */
static void add_figure(struct zf_document *document, cJSON *block, const char *file, char *caption)
{
    const bool named = cJSON_AddItemToObject(block, "file", zf_text_json(file));

    add_to(document, "blocks", block, add_text(block, "caption", caption) && named);
}

void zf_document_beside(struct zf_document *document, const struct zf_picture *picture,
                        const char *file)
{
    char *path = zf_document_place(document, file);
    struct zf_error err = {0};

    if (path && zf_picture_save_png(picture, path, &err) != ZF_OK)
        zf_document_fail(document, err.status, &err);
    zf_free(path);
    say_wordless(document);
}

void zf_document_picture(struct zf_document *document, const struct zf_picture *picture,
                         const char *file, const char *format, ...)
{
    cJSON *block = block_of("picture");
    va_list args;

    zf_document_beside(document, picture, file);
    cJSON_AddNumberToObject(block, "width", (double)picture->width);
    cJSON_AddNumberToObject(block, "height", (double)picture->height);
    va_start(args, format);
    add_figure(document, block, file, zf_format_list(format, args));
    va_end(args);
}

void zf_document_panels(struct zf_document *document, const struct zf_picture *picture,
                        const char *file, const struct zf_panel *panels, size_t count,
                        int64_t width, const char *caption)
{
    const cJSON *blocks = cJSON_GetObjectItemCaseSensitive(document->root, "blocks");
    cJSON *block;

    zf_document_picture(document, picture, file, "%s", caption);
    zf_document_slide_too(document, picture, file, panels, panels ? count : 0, caption);
    if (!zf_document_stands(document) || !panels || count == 0)
        return;
    block = blocks->child->prev; /* the first one knows the last */
    if (!cJSON_AddItemToObject(block, "panels", zf_panels_json(panels, count)) ||
        !cJSON_AddNumberToObject(block, "panel_width", (double)width))
        zf_document_fail(document, ZF_ENOMEM, NULL);
}

static enum zf_status write_charts(const char *path, const struct zf_chart *charts, size_t count,
                                   size_t columns, struct zf_error *err)
{
    struct zf_output out = {0};

    ZF_CHECK(zf_output_open(&out, path, err));
    zf_charts_write(out.stream, charts, count, columns);
    return zf_output_commit(&out, err);
}

void zf_document_charts(struct zf_document *document, const struct zf_chart *charts, size_t count,
                        size_t columns, const char *file, const char *format, ...)
{
    char *path = file ? zf_document_place(document, file) : NULL;
    struct zf_error err = {0};
    cJSON *block = block_of("charts"), *list = NULL;
    va_list args;

    if (path && write_charts(path, charts, count, columns, &err) != ZF_OK)
        zf_document_fail(document, err.status, &err);
    cJSON_AddNumberToObject(block, "columns", (double)(columns ? columns : 1));
    list = cJSON_AddArrayToObject(block, "charts");
    for (size_t i = 0; i < count; i++) {
        if (!cJSON_AddItemToArray(list, zf_chart_json(&charts[i])))
            zf_document_fail(document, ZF_ENOMEM, NULL);
    }
    va_start(args, format);
    add_figure(document, block, file ? file : "", zf_format_list(format, args));
    va_end(args);
    zf_free(path);
}
