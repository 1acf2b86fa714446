/* SPDX-License-Identifier: MIT */
/*
 * index.html: web/top.html with its {{fields}} filled in. It is plain HTML that reads and prints
 * without a script; web/top.js adds tabs, sorting and the view of one map. Layers are written as
 * they are projected, so that only one layer's pictures are in memory.
 */
#include "report/report.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "report/template.h"
#include "report/text.h"

#define JPEG_QUALITY 85

struct zf_top_page {
    struct zf_top_work work;
    struct zf_output output;
    struct zf_template page;
    size_t layer; /* that comes next */
};

char *zf_name_slug(const char *name, int layer)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    char *slug = zf_strdup(name);
    bool changed = false;

    for (char *c = slug; c && *c; c++) {
        if (!strchr(allowed, *c) || (c == slug && *c == '.')) {
            *c = '_';
            changed = true;
        }
    }
    /* Two names may have become one. */
    if (slug && (changed || !*slug)) {
        char *numbered = zf_format("%s-%d", slug, layer);

        zf_free(slug);
        slug = numbered;
    }
    return slug;
}

char *zf_layer_slug(const struct zf_net *net, const struct zf_top *top, size_t i)
{
    const int layer = top->layers[i].layer;

    return zf_name_slug(zf_net_layer(net, layer).name, layer);
}

char *zf_sheet_name(const struct zf_net *net, const struct zf_top *top, size_t i)
{
    char *slug = zf_layer_slug(net, top, i), *name = slug ? zf_format("%s.png", slug) : NULL;

    zf_free(slug);
    return name;
}

/* ---- Fields of the template. ---- */

static void write_title(FILE *out, const void *user)
{
    const struct zf_top_work *work = user;

    fputs("What the maps of ", out);
    zf_text_html(out, zf_net_name(work->net));
    fputs(" look for", out);
}

static void write_css(FILE *out, const void *user)
{
    (void)user;
    fputs(zf_web_file("colours.css"), out);
    fputs(zf_web_file("page.css"), out);
    fputs(zf_web_file("top.css"), out);
}

static void write_js(FILE *out, const void *user)
{
    (void)user;
    fputs(zf_web_file("top.js"), out);
}

static int64_t longest_list(const struct zf_top *top)
{
    size_t most = 0;

    for (size_t i = 0; i < top->layer_count; i++) {
        const struct zf_top_layer *layer = &top->layers[i];

        for (size_t m = 0; m < layer->map_count; m++)
            most = layer->maps[m].count > most ? layer->maps[m].count : most;
    }
    return (int64_t)most;
}

static void write_lead(FILE *out, const void *user)
{
    const struct zf_top_work *work = user;

    fprintf(out,
            "For every feature map, the %" PRId64 " pictures out of %" PRId64
            " that excite it most: the strongest first, row by row, each at its strongest place. "
            "The grey block on the left shows projections: that one activation, led back through "
            "the net to the pixels it came from. Grey had no part in it; what stands out is what "
            "the map answered to. The block on the right shows the patches of the pictures that "
            "it looked at, in the same order and at the same scale.",
            longest_list(work->top), work->top->images);
}

static void write_fact(FILE *out, const char *name, const char *value, const char *remark)
{
    fprintf(out, "<dt>%s</dt><dd>", name);
    zf_text_html(out, value);
    if (*remark)
        fprintf(out, " <span>%s</span>", remark);
    fputs("</dd>\n", out);
}

static const char *rule_remark(enum zf_rule rule)
{
    switch (rule) {
    case ZF_RULE_DECONVNET:
        return "Back to the switch at each pooling, negative signals cut at each rectifier, the "
               "same filters transposed (Zeiler &amp; Fergus 2013, section 2.1).";
    case ZF_RULE_GRADIENT:
        return "The gradient of the activation by the pixels: each rectifier lets through what it "
               "let through on the way up.";
    case ZF_RULE_GUIDED:
        return "As the deconvnet, and each rectifier lets through only what it also let through on "
               "the way up.";
    }
    return "";
}

static const char *contrast_remark(enum zf_contrast contrast)
{
    switch (contrast) {
    case ZF_CONTRAST_MAP:
        return "The projections of one map share a scale: fainter is weaker. The strongest "
               "half percent of a projection's values is cut off. Between maps, contrast says "
               "nothing.";
    case ZF_CONTRAST_IMAGE:
        return "Every projection has a scale of its own; the strongest half percent of its values "
               "is cut off.";
    case ZF_CONTRAST_SHARED:
        return "All projections of a layer share a scale: fainter is weaker. The strongest half "
               "percent of a projection's values is cut off.";
    }
    return "";
}

static void write_facts(FILE *out, const void *user)
{
    const struct zf_top_work *work = user;
    const struct zf_top *top = work->top;
    char images[32], skipped[64] = "";

    if (work->report->command)
        write_fact(out, "Made by", work->report->command, "");
    write_fact(out, "Pictures", zf_data_name(work->data), "");
    if (top->skipped)
        snprintf(skipped, sizeof skipped, "%" PRId64 " could not be read and are left out.",
                 top->skipped);
    snprintf(images, sizeof images, "%" PRId64, top->images);
    write_fact(out, "Looked at", images, skipped);
    write_fact(out, "Rule", zf_rule_name(work->options->rule), rule_remark(work->options->rule));
    write_fact(out, "Contrast by", zf_contrast_name(work->report->contrast),
               contrast_remark(work->report->contrast));
    write_fact(out, "Program", "zfscope " ZF_VERSION, "");
}

static void write_tabs(FILE *out, const void *user)
{
    const struct zf_top_work *work = user;

    for (size_t i = 0; i < work->top->layer_count; i++) {
        struct zf_layer_info info = zf_net_layer(work->net, work->top->layers[i].layer);
        char *slug = zf_layer_slug(work->net, work->top, i);

        fprintf(out, "<a href=\"#%s\"><b>", slug ? slug : "");
        zf_text_html(out, info.name);
        fprintf(out, "</b> <span>%" PRId64 " × %" PRId64 " × %" PRId64 "</span></a>\n",
                info.shape.c, info.shape.h, info.shape.w);
        zf_free(slug);
    }
}

static const struct zf_template_field fields[] = {
    {"title", write_title}, {"css", write_css},     {"js", write_js},
    {"lead", write_lead},   {"facts", write_facts}, {"tabs", write_tabs},
};

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
    enum zf_status status = zf_picture_encode(picture, JPEG_QUALITY, &bytes, &size, err);

    if (status != ZF_OK)
        return status;
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

enum zf_status zf_top_page_layer(struct zf_top_page *page, const struct zf_sprites *sprites,
                                 struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    FILE *out = page->output.stream;
    const struct zf_top_work *work = &page->work;
    struct zf_layer_info info = zf_net_layer(work->net, sprites->layer->layer);
    char *slug = zf_layer_slug(work->net, work->top, page->layer++);
    cJSON *json = zf_top_layer_json(work->net, work->data, sprites->layer);
    char *text = json ? cJSON_PrintUnformatted(json) : NULL;

    if (!slug || !text) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for the page of %s", info.name);
        goto fail;
    }
    write_head(out, &info, sprites, slug);
    write_dead(out, sprites->layer);
    fputs("<div class=\"maps\">\n", out);
    for (size_t m = 0; m < sprites->layer->map_count; m++)
        ZF_TRY(write_map(out, sprites, m, info.name, slug, err));
    fputs("</div>\n<script type=\"application/json\">", out);
    zf_text_script(out, text);
    fputs("</script>\n</section>\n", out);
fail:
    cJSON_free(text);
    cJSON_Delete(json);
    zf_free(slug);
    return status;
}

/* ---- Life. ---- */

enum zf_status zf_top_page_open(const struct zf_top_work *work, const char *path,
                                struct zf_top_page **out, struct zf_error *err)
{
    struct zf_top_page *page = zf_alloc(1, sizeof(*page));
    enum zf_status status;

    if (!page)
        return zf_fail(err, ZF_ENOMEM, "out of memory for the page %s", path);
    page->work = *work;
    status = zf_output_open(&page->output, path, err);
    if (status != ZF_OK) {
        zf_free(page);
        return status;
    }
    page->page = (struct zf_template){.stream = page->output.stream,
                                      .rest = zf_web_file("top.html"),
                                      .fields = fields,
                                      .field_count = ZF_COUNT(fields),
                                      .user = &page->work};
    zf_template_write(&page->page, "layers");
    *out = page;
    return ZF_OK;
}

enum zf_status zf_top_page_commit(struct zf_top_page *page, struct zf_error *err)
{
    zf_template_write(&page->page, NULL);
    return zf_output_commit(&page->output, err);
}

void zf_top_page_free(struct zf_top_page **page)
{
    if (!*page)
        return;
    zf_output_discard(&(*page)->output);
    zf_free(*page);
    *page = NULL;
}
