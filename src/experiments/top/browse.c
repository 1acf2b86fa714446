/* SPDX-License-Identifier: MIT */
/*
 * The page to browse. A layer is written as it is projected, so that only one layer's pictures are
 * in memory: its sprites as maps/LAYER/MAP.jpg and its numbers as maps/LAYER.js, from which
 * web/maps.js makes the blocks of a layer when it is first looked at. As one file, the blocks and
 * their pictures stand in the page itself. Without a script there are the sheets.
 */
#include "experiments/top/top.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "page/document.h"
#include "page/template.h"
#include "page/text.h"

#define JPEG_QUALITY 85

/* ---- The bar, and the view of one map. ---- */

static void write_tabs(FILE *out, const void *user)
{
    const struct zf_top_show *show = user;

    for (size_t i = 0; i < show->top->layer_count; i++) {
        const int layer = show->top->layers[i].layer;
        const struct zf_layer_info info = zf_net_layer(show->net, layer);
        char *slug = zf_layer_slug(show->net, layer);

        fprintf(out, "<a href=\"#%s\"><b>", slug ? slug : "");
        zf_text_html(out, info.name);
        fprintf(out, "</b> <span>%" PRId64 " × %" PRId64 " × %" PRId64 "</span></a>\n",
                info.shape.c, info.shape.h, info.shape.w);
        zf_free(slug);
    }
}

static const struct zf_template_field fields[] = {{"tabs", write_tabs}};

void zf_browse_begin(const struct zf_top_show *show, struct zf_document *document)
{
    static const char *const parts[] = {"maps_bar.html", "maps_view.html"};
    char *html[ZF_COUNT(parts)] = {NULL};

    for (size_t i = 0; i < ZF_COUNT(parts); i++) {
        size_t size = 0;
        FILE *stream = open_memstream(&html[i], &size);
        struct zf_template part = {.stream = stream,
                                   .rest = zf_web_file(parts[i]),
                                   .fields = fields,
                                   .field_count = ZF_COUNT(fields),
                                   .user = show};

        if (stream)
            zf_template_write(&part, NULL);
        if (!stream || fclose(stream) != 0)
            zf_document_fail(document, ZF_ENOMEM, NULL);
    }
    zf_document_dress(document, &(struct zf_dress){.style = "maps.css",
                                                   .script = "maps.js",
                                                   .beside = !show->single_file,
                                                   .before = html[0],
                                                   .after = html[1]});
}

/* ---- Layers. ---- */

static bool is_dead(const struct zf_top_map *map)
{
    return map->count == 0 || map->entries[0].activation <= 0.0f;
}

static void write_head(FILE *out, const struct zf_top_show *show, const struct zf_sprites *sprites,
                       const char *slug)
{
    const struct zf_layer_info info = zf_net_layer(show->net, sprites->layer->layer);
    const size_t sheets = zf_top_sheet_count(show, sprites->layer);

    fputs("<section class=\"layer ", out);
    zf_sizes_class(out, ZF_SIZE_COLUMNS, sprites->columns);
    fputs(" ", out);
    zf_sizes_class(out, ZF_SIZE_ROWS, sprites->rows);
    fprintf(out,
            "\" id=\"%s\" data-tile=\"%" PRId64 "\" data-columns=\"%" PRId64
            "\" data-rows=\"%" PRId64 "\" data-input=\"%" PRId64 " %" PRId64 "\"",
            slug, sprites->tile, sprites->columns, sprites->rows, sprites->input.w,
            sprites->input.h);
    if (show->model && show->pictures) {
        fputs(" data-model=\"", out);
        zf_text_html(out, show->model);
        fputs("\" data-pictures=\"", out);
        zf_text_html(out, show->pictures);
        fputs("\"", out);
    }
    fputs(">\n<h2>", out);
    zf_text_html(out, info.name);
    fprintf(out, "</h2>\n<p class=\"about\">%" PRId64 " maps of %" PRId64 " × %" PRId64 " cells. ",
            info.shape.c, info.shape.h, info.shape.w);
    if (info.field.global)
        fputs("A cell sees the whole picture.", out);
    else
        fprintf(out,
                "A cell sees %" PRId64 " × %" PRId64 " of the input's %" PRId64 " × %" PRId64
                " px; the next one looks %" PRId64 " px further.",
                info.field.height, info.field.width, sprites->input.h, sprites->input.w,
                info.field.stride_y);
    if ((int64_t)sprites->layer->map_count < info.shape.c)
        fprintf(out, " Shown here: %zu maps.", sprites->layer->map_count);
    fprintf(out, " <a class=\"sheet\" href=\"%s.png\">%s</a>", slug,
            sheets == 1 && sprites->layer->map_count > zf_top_sheet_maps(show)
                ? "Its first maps as one picture"
                : "As one picture");
    for (size_t i = 1; i < sheets; i++)
        fprintf(out, ", <a class=\"sheet\" href=\"%s+%zu.png\">%zu</a>", slug, i + 1, i + 1);
    fputs("</p>\n", out);
}

static void write_alt(FILE *out, const struct zf_top_map *map, const char *layer)
{
    fprintf(out, "Map %" PRId64 " of ", map->map);
    zf_text_html(out, layer);
    fprintf(out, ": %zu projections, and the patches they come from", map->count);
}

static enum zf_status write_map(FILE *out, const struct zf_sprites *sprites, size_t m,
                                const char *layer, const char *slug, struct zf_error *err)
{
    const struct zf_top_map *map = &sprites->layer->maps[m];
    const struct zf_picture *picture = &sprites->pictures[m];
    const double strongest = map->count ? (double)map->entries[0].activation : 0.0;
    uint8_t *bytes = NULL;
    size_t size = 0;

    ZF_CHECK(zf_picture_encode(picture, JPEG_QUALITY, &bytes, &size, err));
    fprintf(out, "<a class=\"map%s\" id=\"%s/%" PRId64 "\" href=\"#%s/%" PRId64 "\">",
            is_dead(map) ? " dead" : "", slug, map->map, slug, map->map);
    fprintf(out,
            "<span class=\"head\"><b>%" PRId64 "</b> <span>%.4g</span></span><span "
            "class=\"sprite\"><img loading=\"lazy\" decoding=\"async\" width=\"%" PRId64
            "\" height=\"%" PRId64 "\" alt=\"",
            map->map, strongest, picture->width, picture->height);
    write_alt(out, map, layer);
    fputs("\" src=\"data:image/jpeg;base64,", out);
    zf_text_base64(out, bytes, size);
    fputs("\"></span></a>\n", out);
    zf_bytes_free(bytes);
    return ZF_OK;
}

static void write_dead(FILE *out, const struct zf_top_layer *layer)
{
    const char *joint = "";
    size_t count = 0;

    for (size_t m = 0; m < layer->map_count; m++)
        count += is_dead(&layer->maps[m]);
    if (count == 0)
        return;
    fprintf(out, "<p class=\"dead-list\">%zu dead %s, never above zero on any picture: ", count,
            count == 1 ? "map" : "maps");
    for (size_t m = 0; m < layer->map_count; m++) {
        if (!is_dead(&layer->maps[m]))
            continue;
        fprintf(out, "%s%" PRId64, joint, layer->maps[m].map);
        joint = ", ";
    }
    fputs(".</p>\n", out);
}

/* ---- All in the page. ---- */

static enum zf_status write_inside(FILE *out, const struct zf_top_show *show,
                                   const struct zf_sprites *sprites, const char *slug,
                                   const char *numbers, struct zf_error *err)
{
    const char *name = zf_net_layer(show->net, sprites->layer->layer).name;

    write_head(out, show, sprites, slug);
    write_dead(out, sprites->layer);
    fputs("<div class=\"maps\">\n", out);
    for (size_t m = 0; m < sprites->layer->map_count; m++)
        ZF_CHECK(write_map(out, sprites, m, name, slug, err));
    fputs("</div>\n<script type=\"application/json\">", out);
    zf_text_script(out, numbers);
    fputs("</script>\n</section>\n", out);
    return ZF_OK;
}

/* ---- Files beside the page. ---- */

static enum zf_status save_sprites(const struct zf_sprites *sprites, const char *directory,
                                   struct zf_error *err)
{
    ZF_CHECK(zf_directory_make(directory, err));
    for (size_t m = 0; m < sprites->layer->map_count; m++) {
        enum zf_status status;
        uint8_t *bytes = NULL;
        size_t size = 0;
        char *path = zf_format("%s/%" PRId64 ".jpg", directory, sprites->layer->maps[m].map);

        if (!path)
            return zf_no_memory(err, "the files in %s", directory);
        status = zf_picture_encode(&sprites->pictures[m], JPEG_QUALITY, &bytes, &size, err);
        if (status == ZF_OK)
            status = zf_file_write(path, bytes, size, err);
        zf_bytes_free(bytes);
        zf_free(path);
        if (status != ZF_OK)
            return status;
    }
    return ZF_OK;
}

/* A script, since a page that was opened from a disk may load one, but no JSON; as a text in it,
   which browsers read in half the time that they take for a script's object. */
static enum zf_status save_numbers(const char *path, const char *slug, const char *numbers,
                                   struct zf_error *err)
{
    struct zf_output out = {0};

    ZF_CHECK(zf_output_open(&out, path, err));
    fprintf(out.stream, "zfLayer(\"%s\", '", slug);
    for (const char *c = numbers; *c; c++) {
        if (*c == '\'' || *c == '\\')
            fputc('\\', out.stream);
        fputc(*c, out.stream);
    }
    fputs("');\n", out.stream);
    return zf_output_commit(&out, err);
}

static enum zf_status save_beside(const struct zf_sprites *sprites, const char *top,
                                  const char *slug, const char *numbers, struct zf_error *err)
{
    enum zf_status status;
    char *folder = zf_format("%s/maps/%s", top, slug),
         *script = zf_format("%s/maps/%s.js", top, slug);

    if (folder && script) {
        ZF_TRY(save_sprites(sprites, folder, err));
        ZF_TRY(save_numbers(script, slug, numbers, err));
    } else {
        status = zf_no_memory(err, "the files in %s", top);
    }
fail:
    zf_free(script);
    zf_free(folder);
    return status;
}

static void write_outside(FILE *out, const struct zf_top_show *show,
                          const struct zf_sprites *sprites, const char *slug)
{
    write_head(out, show, sprites, slug);
    write_dead(out, sprites->layer);
    fprintf(out,
            "<div class=\"maps\" data-source=\"maps/%s\"></div>\n<noscript><img loading=\"lazy\" "
            "alt=\"Sheet of the layer's maps\" src=\"%s.png\"></noscript>\n</section>\n",
            slug, slug);
}

void zf_browse_layer(const struct zf_top_show *show, const struct zf_sprites *sprites,
                     struct zf_document *document)
{
    struct zf_json json = {.at = {cJSON_CreateObject()}, .depth = 1};
    char *slug = zf_layer_slug(show->net, sprites->layer->layer), *numbers = NULL, *html = NULL;
    enum zf_status status = ZF_OK;
    struct zf_error err = {0};
    size_t size = 0;
    FILE *stream = open_memstream(&html, &size);

    zf_sizes_add(zf_document_sizes(document), ZF_SIZE_COLUMNS, sprites->columns);
    zf_sizes_add(zf_document_sizes(document), ZF_SIZE_ROWS, sprites->rows);
    zf_top_layer_compact(&json, show->net, show->data, sprites->layer);
    numbers = json.failed ? NULL : zf_json_sound(cJSON_PrintUnformatted(json.at[0]));
    if (!slug || !numbers || !stream) {
        zf_document_fail(document, ZF_ENOMEM, NULL);
    } else if (show->single_file) {
        status = write_inside(stream, show, sprites, slug, numbers, &err);
    } else {
        write_outside(stream, show, sprites, slug);
        status = save_beside(sprites, document->directory, slug, numbers, &err);
    }
    if (status != ZF_OK)
        zf_document_fail(document, status, &err);
    if (stream && fclose(stream) != 0)
        zf_document_fail(document, ZF_ENOMEM, NULL);
    zf_document_replace(document, 2, html);
    cJSON_free(numbers);
    cJSON_Delete(json.at[0]);
    zf_free(slug);
}
