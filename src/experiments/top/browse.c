/* SPDX-License-Identifier: MIT */
/*
 * The page to browse. It is plain HTML that reads and prints without a script; web/maps.js adds
 * tabs, sorting and the view of one map. A layer is written as it is projected, so that only one
 * layer's pictures are in memory; what stays of it are its sprites as JPEG.
 */
#include "experiments/top/top.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
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

static void write_script(FILE *out, const void *user)
{
    (void)user;
    fputs(zf_web_file("maps.js"), out);
}

static const struct zf_template_field fields[] = {{"tabs", write_tabs}, {"script", write_script}};

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
    zf_document_dress(document, "maps.css", html[0], html[1]);
}

/* ---- Layers. ---- */

static void write_head(FILE *out, const struct zf_layer_info *info,
                       const struct zf_sprites *sprites, const char *slug)
{
    fprintf(out,
            "<section class=\"layer\" id=\"%s\" data-tile=\"%" PRId64 "\" data-columns=\"%" PRId64
            "\" data-rows=\"%" PRId64 "\" style=\"--columns: %" PRId64 "; --rows: %" PRId64
            "\">\n<h2>",
            slug, sprites->tile, sprites->columns, sprites->rows, sprites->columns, sprites->rows);
    zf_text_html(out, info->name);
    fprintf(out, "</h2>\n<p class=\"about\">%" PRId64 " maps of %" PRId64 " × %" PRId64 " cells. ",
            info->shape.c, info->shape.h, info->shape.w);
    if (info->field.global)
        fputs("A cell sees the whole picture.", out);
    else
        fprintf(out,
                "A cell sees %" PRId64 " × %" PRId64 " of the input's %" PRId64 " × %" PRId64
                " px; the next one looks %" PRId64 " px further.",
                info->field.height, info->field.width, sprites->input.h, sprites->input.w,
                info->field.stride_y);
    if ((int64_t)sprites->layer->map_count < info->shape.c)
        fprintf(out, " Shown here: %zu maps.", sprites->layer->map_count);
    fprintf(out, " <a class=\"sheet\" href=\"%s.png\">The layer as one picture</a></p>\n", slug);
}

static void write_alt(FILE *out, const struct zf_top_map *map, const char *layer)
{
    fputs("Map ", out);
    fprintf(out, "%" PRId64 " of ", map->map);
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
            strongest <= 0.0 ? " dead" : "", slug, map->map, slug, map->map);
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
        count += layer->maps[m].count == 0 || layer->maps[m].entries[0].activation <= 0.0f;
    if (count == 0)
        return;
    fprintf(out, "<p class=\"dead-list\">%zu dead %s, never above zero on any picture: ", count,
            count == 1 ? "map" : "maps");
    for (size_t m = 0; m < layer->map_count; m++) {
        if (layer->maps[m].count && layer->maps[m].entries[0].activation > 0.0f)
            continue;
        fprintf(out, "%s%" PRId64, joint, layer->maps[m].map);
        joint = ", ";
    }
    fputs(".</p>\n", out);
}

static enum zf_status write_layer(FILE *out, const struct zf_top_show *show,
                                  const struct zf_sprites *sprites, const char *slug,
                                  const char *numbers, struct zf_error *err)
{
    const struct zf_layer_info info = zf_net_layer(show->net, sprites->layer->layer);

    write_head(out, &info, sprites, slug);
    write_dead(out, sprites->layer);
    fputs("<div class=\"maps\">\n", out);
    for (size_t m = 0; m < sprites->layer->map_count; m++)
        ZF_CHECK(write_map(out, sprites, m, info.name, slug, err));
    fputs("</div>\n<script type=\"application/json\">", out);
    zf_text_script(out, numbers);
    fputs("</script>\n</section>\n", out);
    return ZF_OK;
}

void zf_browse_layer(const struct zf_top_show *show, const struct zf_sprites *sprites,
                     struct zf_document *document)
{
    struct zf_json json = {.at = {cJSON_CreateObject()}, .depth = 1};
    char *slug = zf_layer_slug(show->net, sprites->layer->layer), *numbers = NULL, *html = NULL;
    struct zf_error err = {0};
    size_t size = 0;
    FILE *stream = open_memstream(&html, &size);

    zf_top_layer_numbers(&json, show->net, show->data, sprites->layer);
    numbers = json.failed ? NULL : zf_json_sound(cJSON_PrintUnformatted(json.at[0]));
    if (!slug || !numbers || !stream)
        zf_document_fail(document, ZF_ENOMEM, NULL);
    else if (write_layer(stream, show, sprites, slug, numbers, &err) != ZF_OK)
        zf_document_fail(document, err.status, &err);
    if (stream && fclose(stream) != 0)
        zf_document_fail(document, ZF_ENOMEM, NULL);
    zf_document_replace(document, 2, html);
    cJSON_free(numbers);
    cJSON_Delete(json.at[0]);
    zf_free(slug);
}
