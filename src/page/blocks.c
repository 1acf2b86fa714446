/* SPDX-License-Identifier: MIT */
#include "page/blocks.h"

#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "page/chart.h"
#include "page/panels.h"
#include "page/text.h"
#include "zf/image.h"

#define MAX_PICTURE ((size_t)64 << 20)  /* bytes of a file */
#define LARGE_PICTURE ((size_t)1 << 20) /* bytes from which a page may hold it as JPEG */

static double number_of(const cJSON *object, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static enum zf_status write_heading(const struct zf_block_place *place, const cJSON *block,
                                    struct zf_error *err)
{
    (void)err;
    fprintf(place->out, "<h%d>", place->level);
    zf_text_html(place->out, zf_text_of(block, "text"));
    fprintf(place->out, "</h%d>\n", place->level);
    return ZF_OK;
}

static enum zf_status write_paragraph(const struct zf_block_place *place, const cJSON *block,
                                      struct zf_error *err)
{
    const bool remark = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(block, "remark"));

    (void)err;
    fputs(remark ? "<details class=\"facts\"><summary>How to read this</summary><p>" : "<p>",
          place->out);
    zf_text_html(place->out, zf_text_of(block, "text"));
    fputs(remark ? "</p></details>\n" : "</p>\n", place->out);
    return ZF_OK;
}

/* "12", "-0.5 %", "38.4 ± 0.2", "+3", "1e-4", "–": what is read by its right end. */
static bool is_number(const char *text)
{
    static const char minus[] = "−";

    if (strncmp(text, minus, sizeof minus - 1) == 0)
        text += sizeof minus - 1;
    else if (*text == '-' || *text == '+')
        text++;
    return *text == '\0' || isdigit((unsigned char)*text) ||
           (*text == '.' && isdigit((unsigned char)text[1])) || strcmp(text, "–") == 0;
}

static bool is_number_column(const cJSON *rows, int column)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        const char *cell = cJSON_GetStringValue(cJSON_GetArrayItem(row, column));

        if (cell && !is_number(cell))
            return false;
    }
    return true;
}

static void write_cells(FILE *out, const cJSON *cells, const char *tag, const bool *numbers,
                        int count)
{
    const cJSON *cell = cells ? cells->child : NULL;

    fputs("<tr>", out);
    for (int c = 0; c < count; c++, cell = cell ? cell->next : NULL) {
        const char *text = cJSON_GetStringValue(cell);

        fprintf(out, "<%s%s>", tag, numbers[c] ? " class=\"number\"" : "");
        zf_text_html(out, text ? text : "");
        fprintf(out, "</%s>", tag);
    }
    fputs("</tr>\n", out);
}

static enum zf_status write_table(const struct zf_block_place *place, const cJSON *block,
                                  struct zf_error *err)
{
    FILE *out = place->out;
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(block, "columns");
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(block, "rows"), *row;
    const int count = cJSON_GetArraySize(columns);
    bool *numbers = zf_alloc((size_t)count, sizeof *numbers);

    if (!numbers)
        return zf_no_memory(err, "a table of %d columns", count);
    for (int c = 0; c < count; c++)
        numbers[c] = is_number_column(rows, c);
    /* A caption within the table would scroll with it. */
    fputs("<figure><figcaption>", out);
    zf_text_html(out, zf_text_of(block, "caption"));
    fputs("</figcaption>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead>", out);
    write_cells(out, columns, "th", numbers, count);
    fputs("</thead>\n<tbody>\n", out);
    cJSON_ArrayForEach(row, rows)
    {
        write_cells(out, row, "td", numbers, count);
    }
    fputs("</tbody>\n</table></div></figure>\n", out);
    zf_free(numbers);
    return ZF_OK;
}

static void write_caption(FILE *out, const cJSON *block)
{
    fputs("<figcaption>", out);
    zf_text_html(out, zf_text_of(block, "caption"));
    fputs("</figcaption></figure>\n", out);
}

/* A picture's own directory is the only one that it may come from. */
static enum zf_status map_picture(const struct zf_block_place *place, const char *file,
                                  struct zf_bytes *bytes, struct zf_error *err)
{
    static const char signature[8] = {'\x89', 'P', 'N', 'G', '\r', '\n', '\x1a', '\n'};
    const char *directory = place->directory;
    enum zf_status status;
    char *path;

    if (*file == '\0' || *file == '.' || strchr(file, '/'))
        return zf_fail(err, ZF_EINPUT, "%s: a document's picture lies beside it, not in '%s'",
                       directory, file);
    path = zf_path_join(directory, file);
    if (!path)
        return zf_no_memory(err, "the name of %s", file);
    status = zf_bytes_map(bytes, path, MAX_PICTURE, err);
    if (status == ZF_OK &&
        (bytes->size < sizeof signature || memcmp(bytes->data, signature, sizeof signature) != 0)) {
        zf_bytes_release(bytes);
        status = zf_fail(err, ZF_EINPUT, "%s is no PNG file", path);
    }
    zf_free(path);
    return status;
}

/* The file as it is; a large one, such as a sheet of a hundred photos, as it is smallest. */
static enum zf_status write_source(const struct zf_block_place *place, const struct zf_bytes *png,
                                   const char *file, struct zf_error *err)
{
    struct zf_picture picture = {0};
    enum zf_status status;

    if (png->size <= LARGE_PICTURE)
        return zf_source_write(place->out, place->beside, png->data, png->size, false, err);
    ZF_TRY(zf_picture_decode(png->data, png->size, file, 0, NULL, &picture, NULL, err));
    ZF_TRY(zf_source_draw(place->out, place->beside, &picture, err));
fail:
    zf_picture_release(&picture);
    return status;
}

/* Parts of the picture, each on its own; the whole of it is the file. */
static enum zf_status write_panels(const struct zf_block_place *place, const cJSON *block,
                                   const struct zf_bytes *png, const char *file,
                                   struct zf_error *err)
{
    FILE *out = place->out;
    enum zf_status status;
    struct zf_picture picture = {0};

    ZF_TRY(zf_picture_decode(png->data, png->size, file, 0, NULL, &picture, NULL, err));
    fputs("<figure>", out);
    ZF_TRY(zf_panels_write(out, block, &picture, place->beside, file, err));
    fputs("<figcaption>", out);
    zf_text_html(out, zf_text_of(block, "caption"));
    if (place->own) {
        fputs(" <a href=\"", out);
        zf_text_html(out, file);
        fputs("\">As one picture</a>", out);
    }
    fputs("</figcaption></figure>\n", out);
fail:
    zf_picture_release(&picture);
    return status;
}

static enum zf_status write_picture(const struct zf_block_place *place, const cJSON *block,
                                    struct zf_error *err)
{
    FILE *out = place->out;
    const double width = number_of(block, "width"), height = number_of(block, "height");
    const char *file = zf_text_of(block, "file");
    enum zf_status status;
    struct zf_bytes bytes = {0};

    ZF_TRY(map_picture(place, file, &bytes, err));
    if (cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(block, "panels")) > 0) {
        ZF_TRY(write_panels(place, block, &bytes, file, err));
        goto fail;
    }
    fputs("<figure><img loading=\"lazy\" decoding=\"async\" ", out);
    if (width >= 1 && width < 1e6 && height >= 1 && height < 1e6)
        fprintf(out, "width=\"%.0f\" height=\"%.0f\" ", width, height);
    fputs("alt=\"", out);
    zf_text_html(out, zf_text_of(block, "caption"));
    fputs("\" ", out);
    ZF_TRY(write_source(place, &bytes, file, err));
    fputs(">", out);
    write_caption(out, block);
fail:
    zf_bytes_release(&bytes);
    return status;
}

static int chart_columns(const cJSON *block)
{
    const double columns = number_of(block, "columns");

    return columns >= 1 && columns <= 12 ? (int)columns : 1;
}

static enum zf_status write_charts(const struct zf_block_place *place, const cJSON *block,
                                   struct zf_error *err)
{
    FILE *out = place->out;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(block, "charts"), *item;

    fputs("<figure><div class=\"charts ", out);
    zf_sizes_class(out, ZF_SIZE_COLUMNS, chart_columns(block));
    fputs("\">\n", out);
    cJSON_ArrayForEach(item, list)
    {
        struct zf_chart chart = {0};
        enum zf_status status = zf_chart_parse(item, &chart, err);

        if (status != ZF_OK)
            return status;
        zf_chart_write(out, &chart);
        zf_chart_release(&chart);
    }
    fputs("</div>", out);
    write_caption(out, block);
    return ZF_OK;
}

static const struct {
    const char *type;
    enum zf_status (*write)(const struct zf_block_place *place, const cJSON *block,
                            struct zf_error *err);
} blocks[] = {
    {"heading", write_heading}, {"paragraph", write_paragraph}, {"table", write_table},
    {"picture", write_picture}, {"charts", write_charts},
};

enum zf_status zf_block_write(const struct zf_block_place *place, const cJSON *block,
                              struct zf_error *err)
{
    const char *type = zf_text_of(block, "type");

    for (size_t i = 0; i < ZF_COUNT(blocks); i++) {
        if (strcmp(type, blocks[i].type) == 0)
            return blocks[i].write(place, block, err);
    }
    return zf_fail(err, ZF_EINPUT,
                   "%s: a block of the type '%s'; there are heading, paragraph, table, picture "
                   "and charts",
                   place->directory, type);
}

void zf_block_sizes(const cJSON *block, struct zf_sizes *sizes)
{
    zf_sizes_add(sizes, ZF_SIZE_COLUMNS, chart_columns(block));
    zf_panels_sizes(block, sizes);
}
