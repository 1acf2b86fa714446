/* SPDX-License-Identifier: MIT */
/*
 * Documents as a page: web/document.html with its {{fields}} filled in. No script, nothing from
 * outside: pictures are data within it, and charts are drawn anew from their numbers. The blocks
 * may come from a file that anybody wrote: what they say is checked, and all of it escaped.
 */
#include "page/sections.h"

#include <ctype.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "page/chart.h"
#include "page/panels.h"
#include "page/template.h"
#include "page/text.h"
#include "zf/image.h"

#define MAX_PICTURE ((size_t)64 << 20)  /* bytes of a file */
#define LARGE_PICTURE ((size_t)1 << 20) /* bytes from which a page holds it as JPEG */
#define JPEG_QUALITY 88
#define FACTS_IN_SIGHT 2 /* parameters that a folded list still names */

struct page {
    const char *title, *lead;
    const struct zf_section *sections;
    size_t count;
};

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

static double number_of(const cJSON *object, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* A document alone on its page may be dressed. */
static const struct zf_dress *dress_of(const struct page *page)
{
    return page->count == 1 ? page->sections->dress : NULL;
}

/* ---- Fields of the template. ---- */

static void write_title(FILE *out, const void *user)
{
    const struct page *page = user;

    zf_text_html(out, page->title);
}

static void write_css(FILE *out, const void *user)
{
    static const char *const files[] = {"colours.css", "page.css", "document.css", "chart.css"};
    const struct page *page = user;

    for (size_t i = 0; i < ZF_COUNT(files); i++)
        fputs(zf_web_file(files[i]), out);
    if (dress_of(page))
        fputs(zf_web_file(dress_of(page)->style), out);
}

static void write_class(FILE *out, const void *user)
{
    fputs(dress_of(user) ? "document wide" : "document", out);
}

static void write_version(FILE *out, const void *user)
{
    (void)user;
    fputs(ZF_VERSION, out);
}

static void write_lead(FILE *out, const void *user)
{
    const struct page *page = user;

    if (!page->lead)
        return;
    fputs("<p class=\"lead\">", out);
    zf_text_html(out, page->lead);
    fputs("</p>\n", out);
}

static void write_contents(FILE *out, const void *user)
{
    const struct page *page = user;

    if (page->count < 2)
        return;
    fputs("<nav class=\"contents\" aria-label=\"Contents\">\n<ol>\n", out);
    for (size_t i = 0; i < page->count; i++) {
        const struct zf_section *section = &page->sections[i];

        fprintf(out, "<li><a href=\"#%s\">", section->id);
        zf_text_html(out, text_of(section->root, "title"));
        fputs("</a> <span>", out);
        zf_text_html(out, section->directory);
        fputs("</span></li>\n", out);
    }
    fputs("</ol>\n</nav>\n", out);
}

static const struct zf_template_field fields[] = {
    {"title", write_title},     {"css", write_css},   {"class", write_class},
    {"version", write_version}, {"lead", write_lead}, {"contents", write_contents},
};

/* ---- Blocks. ---- */

struct place {
    FILE *out;
    const struct zf_section *section;
    int level; /* of a heading: h2 or h3 */
    bool own;  /* the page lies beside the document's files */
};

static enum zf_status write_heading(const struct place *place, const cJSON *block,
                                    struct zf_error *err)
{
    (void)err;
    fprintf(place->out, "<h%d>", place->level);
    zf_text_html(place->out, text_of(block, "text"));
    fprintf(place->out, "</h%d>\n", place->level);
    return ZF_OK;
}

static enum zf_status write_paragraph(const struct place *place, const cJSON *block,
                                      struct zf_error *err)
{
    const bool remark = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(block, "remark"));

    (void)err;
    fputs(remark ? "<details class=\"facts\"><summary>How to read this</summary><p>" : "<p>",
          place->out);
    zf_text_html(place->out, text_of(block, "text"));
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

static enum zf_status write_table(const struct place *place, const cJSON *block,
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
    zf_text_html(out, text_of(block, "caption"));
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
    zf_text_html(out, text_of(block, "caption"));
    fputs("</figcaption></figure>\n", out);
}

/* A picture's own directory is the only one that it may come from. */
static enum zf_status map_picture(const struct place *place, const char *file,
                                  struct zf_bytes *bytes, struct zf_error *err)
{
    static const char signature[8] = "\x89PNG\r\n\x1a\n";
    const char *directory = place->section->directory;
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

/* The file as it is; a large one, such as a sheet of a hundred photos, as JPEG of its size. */
static enum zf_status write_data(FILE *out, const struct zf_bytes *png, const char *name,
                                 struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_picture picture = {0};
    uint8_t *jpeg = NULL;
    size_t size = 0;

    if (png->size > LARGE_PICTURE) {
        ZF_TRY(zf_picture_decode(png->data, png->size, name, 0, NULL, &picture, NULL, err));
        ZF_TRY(zf_picture_encode(&picture, JPEG_QUALITY, &jpeg, &size, err));
    }
    fputs(jpeg ? "data:image/jpeg;base64," : "data:image/png;base64,", out);
    zf_text_base64(out, jpeg ? jpeg : png->data, jpeg ? size : png->size);
fail:
    zf_bytes_free(jpeg);
    zf_picture_release(&picture);
    return status;
}

/* Parts of the picture, each on its own; the whole of it is the file. */
static enum zf_status write_panels(const struct place *place, const cJSON *block,
                                   const struct zf_bytes *png, const char *file,
                                   struct zf_error *err)
{
    FILE *out = place->out;
    enum zf_status status;
    struct zf_picture picture = {0};

    ZF_TRY(zf_picture_decode(png->data, png->size, file, 0, NULL, &picture, NULL, err));
    fputs("<figure>", out);
    ZF_TRY(zf_panels_write(out, block, &picture, png->size > LARGE_PICTURE ? JPEG_QUALITY : 0, file,
                           err));
    fputs("<figcaption>", out);
    zf_text_html(out, text_of(block, "caption"));
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

static enum zf_status write_picture(const struct place *place, const cJSON *block,
                                    struct zf_error *err)
{
    FILE *out = place->out;
    const double width = number_of(block, "width"), height = number_of(block, "height");
    const char *file = text_of(block, "file");
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
    zf_text_html(out, text_of(block, "caption"));
    fputs("\" src=\"", out);
    ZF_TRY(write_data(out, &bytes, file, err));
    fputs("\">", out);
    write_caption(out, block);
fail:
    zf_bytes_release(&bytes);
    return status;
}

static enum zf_status write_charts(const struct place *place, const cJSON *block,
                                   struct zf_error *err)
{
    FILE *out = place->out;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(block, "charts"), *item;
    const double columns = number_of(block, "columns");

    fprintf(out, "<figure><div class=\"charts\" style=\"--columns: %d\">\n",
            columns >= 1 && columns <= 12 ? (int)columns : 1);
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
    enum zf_status (*write)(const struct place *place, const cJSON *block, struct zf_error *err);
} blocks[] = {
    {"heading", write_heading}, {"paragraph", write_paragraph}, {"table", write_table},
    {"picture", write_picture}, {"charts", write_charts},
};

static enum zf_status write_block(const struct place *place, const cJSON *block,
                                  struct zf_error *err)
{
    const char *type = text_of(block, "type");

    for (size_t i = 0; i < ZF_COUNT(blocks); i++) {
        if (strcmp(type, blocks[i].type) == 0)
            return blocks[i].write(place, block, err);
    }
    return zf_fail(err, ZF_EINPUT,
                   "%s: a block of the type '%s'; there are heading, paragraph, table, picture "
                   "and charts",
                   place->section->directory, type);
}

/* ---- Sections. ---- */

static void write_fact(FILE *out, const char *name, const char *value, bool code)
{
    fputs("<dt>", out);
    zf_text_html(out, name);
    fputs(code ? "</dt><dd><code>" : "</dt><dd>", out);
    zf_text_html(out, value);
    fputs(code ? "</code></dd>\n" : "</dd>\n", out);
}

static void write_facts(FILE *out, const cJSON *root)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "parameters"), *item;
    int shown = 0;

    fputs("<details class=\"facts\"><summary>How this was made", out);
    cJSON_ArrayForEach(item, list)
    {
        if (shown++ == FACTS_IN_SIGHT)
            break;
        fputs(shown == 1 ? ": " : ", ", out);
        zf_text_html(out, text_of(item, "name"));
        fputs(" ", out);
        zf_text_html(out, text_of(item, "value"));
    }
    fputs("</summary><dl>\n", out);
    cJSON_ArrayForEach(item, list)
    {
        write_fact(out, text_of(item, "name"), text_of(item, "value"), false);
    }
    if (*text_of(root, "command"))
        write_fact(out, "Made by", text_of(root, "command"), true);
    fputs("</dl></details>\n", out);
}

static enum zf_status write_section(FILE *out, const struct page *page,
                                    const struct zf_section *section, struct zf_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(section->root, "blocks"), *block;
    const bool alone = page->count == 1 && !page->lead;
    const struct place place = {out, section, alone ? 2 : 3, alone};
    const struct zf_dress *dress = dress_of(page);
    const size_t replaced = dress ? dress->count : 0;
    size_t at = 0;

    fprintf(out, "<section id=\"%s\">\n", section->id);
    if (!alone) {
        fputs("<h2>", out);
        zf_text_html(out, text_of(section->root, "title"));
        fputs("</h2>\n", out);
    }
    write_facts(out, section->root);
    for (block = list ? list->child : NULL; block; block = block->next) {
        if (at < replaced && dress->replaced[at].first == block) {
            fputs(at == 0 && dress->before ? dress->before : "", out);
            fputs(dress->replaced[at].html, out);
            for (size_t i = 1; i < dress->replaced[at].count && block->next; i++)
                block = block->next;
            at++;
        } else {
            ZF_CHECK(write_block(&place, block, err));
        }
    }
    fputs("</section>\n", out);
    fputs(dress && dress->after ? dress->after : "", out);
    return ZF_OK;
}

enum zf_status zf_sections_write(const char *path, const char *title, const char *lead,
                                 const struct zf_section *sections, size_t count,
                                 struct zf_error *err)
{
    const struct page page = {title, lead, sections, count};
    enum zf_status status;
    struct zf_output out = {0};
    struct zf_template body;

    ZF_TRY(zf_output_open(&out, path, err));
    body = (struct zf_template){.stream = out.stream,
                                .rest = zf_web_file("document.html"),
                                .fields = fields,
                                .field_count = ZF_COUNT(fields),
                                .user = &page};
    zf_template_write(&body, "body");
    for (size_t i = 0; i < count; i++)
        ZF_TRY(write_section(out.stream, &page, &sections[i], err));
    zf_template_write(&body, NULL);
    ZF_TRY(zf_output_commit(&out, err));
fail:
    zf_output_discard(&out);
    return status;
}
