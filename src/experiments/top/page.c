/* SPDX-License-Identifier: MIT */
/* The strongest pictures as numbers, as a document, and in a few lines. */
#include "experiments/top/top.h"

#include <inttypes.h>

#include "base/memory.h"
#include "look/look.h"
#include "page/document.h"

#define SHEET_MAPS 64
#define SHEET_PANEL 168 /* px of a map on a page that has sheets, at least */

const char *const zf_contrast_names[] = {"map", "image", "shared", NULL};

/* ---- Numbers. ---- */

static void add_entry(struct zf_json *json, const struct zf_data *data,
                      const struct zf_top_entry *entry)
{
    zf_json_object(json, NULL);
    zf_json_text(json, "image", zf_data_path(data, entry->sample));
    zf_json_int(json, "sample", entry->sample);
    zf_json_text(json, "label", zf_data_class(data, zf_data_label(data, entry->sample)));
    zf_json_float(json, "activation", entry->activation);
    zf_json_int(json, "y", entry->y);
    zf_json_int(json, "x", entry->x);
    zf_json_object(json, "patch");
    zf_json_int(json, "x", entry->patch.x);
    zf_json_int(json, "y", entry->patch.y);
    zf_json_int(json, "width", entry->patch.width);
    zf_json_int(json, "height", entry->patch.height);
    zf_json_end(json);
    zf_json_end(json);
}

bool zf_top_maps_are_classes(const struct zf_net *net, int layer)
{
    if (!zf_net_has_labels(net) || zf_net_layer(net, layer).shape.c != zf_net_class_count(net))
        return false;
    for (int i = layer + 1; i < zf_net_layer_count(net); i++) {
        if (zf_net_layer(net, i).parameters > 0)
            return false;
    }
    return true;
}

void zf_top_layer_numbers(struct zf_json *json, const struct zf_net *net,
                          const struct zf_data *data, const struct zf_top_layer *layer)
{
    const struct zf_layer_info info = zf_net_layer(net, layer->layer);
    const double shape[] = {(double)info.shape.c, (double)info.shape.h, (double)info.shape.w};
    const bool classes = zf_top_maps_are_classes(net, layer->layer);

    zf_json_text(json, "name", info.name);
    zf_json_reals(json, "shape", shape, 3);
    zf_json_object(json, "receptive_field");
    zf_json_int(json, "height", info.field.height);
    zf_json_int(json, "width", info.field.width);
    zf_json_int(json, "stride", info.field.stride_y);
    zf_json_flag(json, "global", info.field.global);
    zf_json_end(json);
    zf_json_array(json, "maps");
    for (size_t m = 0; m < layer->map_count; m++) {
        const struct zf_top_map *map = &layer->maps[m];

        zf_json_object(json, NULL);
        zf_json_int(json, "map", map->map);
        if (classes)
            zf_json_text(json, "class", zf_net_label(net, map->map));
        zf_json_array(json, "top");
        for (size_t i = 0; i < map->count; i++)
            add_entry(json, data, &map->entries[i]);
        zf_json_end(json);
        zf_json_end(json);
    }
    zf_json_end(json);
}

/* Leaves the array of the layers open. */
static void begin_numbers(struct zf_json *json, const struct zf_top_show *show)
{
    zf_json_text(json, "net", zf_net_name(show->net));
    zf_json_text(json, "data", zf_data_name(show->data));
    zf_json_int(json, "images", show->top->images);
    zf_json_int(json, "skipped", show->top->skipped);
    zf_json_real(json, "images_per_second", show->top->images_per_second);
    zf_json_int(json, "k", show->options->k ? show->options->k : ZF_TOP_DEFAULT_K);
    zf_json_text(json, "rule", zf_rule_names[show->options->rule]);
    zf_json_text(json, "contrast", zf_contrast_names[show->contrast]);
    zf_json_array(json, "layers");
}

/* ---- Words. ---- */

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

static const char *rule_remark(enum zf_rule rule)
{
    switch (rule) {
    case ZF_RULE_DECONVNET:
        return "Back to the switch at each pooling, negative signals cut at each rectifier, the "
               "same filters transposed (Zeiler & Fergus 2013, section 2.1).";
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

void zf_top_begin(const struct zf_top_show *show, struct zf_document *document)
{
    const struct zf_top *top = show->top;
    const enum zf_rule rule = show->options->rule;

    zf_document_parameter(document, "net", "%s", zf_net_name(show->net));
    zf_document_parameter(document, "pictures", "%s", zf_data_name(show->data));
    if (top->skipped > 0)
        zf_document_parameter(document, "looked at", "%s; %s could not be read and are left out",
                              zf_document_count(document, top->images),
                              zf_document_count(document, top->skipped));
    else
        zf_document_parameter(document, "looked at", "%s",
                              zf_document_count(document, top->images));
    zf_document_parameter(document, "strongest of each map", "%" PRId64, longest_list(top));
    zf_document_parameter(document, "rule", "%s", zf_rule_names[rule]);
    zf_document_parameter(document, "contrast by", "%s", zf_contrast_names[show->contrast]);
    zf_document_paragraph(
        document,
        "For every feature map, the %" PRId64 " pictures of %s "
        "that excite it most. On the left, what excited it, led back to pixels; on the right, the "
        "patches that it looked at.",
        longest_list(top), zf_document_count(document, top->images));
    zf_document_remark(
        document,
        "The strongest comes first, row by row, each picture at its strongest place. A block on "
        "the "
        "left is projections: that one activation, led back through the net to the pixels it came "
        "from. Grey had no part in it; what stands out is what the map answered to. The block on "
        "the right has the patches, in the same order and at the same scale. %s %s",
        rule_remark(rule), contrast_remark(show->contrast));
    zf_browse_begin(show, document);
    begin_numbers(zf_document_numbers(document), show);
}

/* ---- A layer. ---- */

size_t zf_top_sheet_maps(const struct zf_top_show *show)
{
    return show->sheet_maps > 0 ? (size_t)show->sheet_maps : SHEET_MAPS;
}

size_t zf_top_sheet_count(const struct zf_top_show *show, const struct zf_top_layer *layer)
{
    const size_t all = (layer->map_count + zf_top_sheet_maps(show) - 1) / zf_top_sheet_maps(show);

    return show->most_sheets > 0 && all > (size_t)show->most_sheets ? (size_t)show->most_sheets
                                                                    : all;
}

/* A layer's file: "conv1.png", "conv1+2.png", ... '+' stands in no slug. */
static const char *sheet_file(struct zf_document *document, const char *slug, size_t sheet)
{
    return sheet == 0 ? zf_document_words(document, "%s.png", slug)
                      : zf_document_words(document, "%s+%zu.png", slug, sheet + 1);
}

/* "12", and "12 axolotl" where maps are classes. */
static const char *name_of(const struct zf_top_show *show, const struct zf_top_layer *layer,
                           size_t m, struct zf_document *document)
{
    const int64_t map = layer->maps[m].map;

    if (!zf_top_maps_are_classes(show->net, layer->layer))
        return zf_document_words(document, "%" PRId64, map);
    return zf_document_words(document, "%" PRId64 " %s", map, zf_net_label(show->net, map));
}

/* Which of the layer's maps are on no sheet, and how they get there; NULL where all are. */
static const char *left_out(const struct zf_top_show *show, const struct zf_top_layer *layer,
                            struct zf_document *document)
{
    const int64_t all = zf_net_layer(show->net, layer->layer).shape.c;
    const size_t drawn = zf_top_sheet_count(show, layer) * zf_top_sheet_maps(show);
    const bool unseen = !show->options->maps && (int64_t)layer->map_count < all;

    if (drawn >= layer->map_count && !unseen)
        return NULL;
    return zf_document_words(
        document, "%s%s%s",
        drawn < layer->map_count
            ? zf_document_words(document, "%zu more maps on further sheets: --sheets 0",
                                layer->map_count - drawn)
            : "",
        drawn < layer->map_count && unseen ? "; " : "",
        unseen ? zf_document_words(document, "%zu of %" PRId64 " maps were looked at: --maps all",
                                   layer->map_count, all)
               : "");
}

/* A sheet's picture, and in `panels` its maps with their names. */
static enum zf_status draw_sheet(const struct zf_top_show *show, const struct zf_sprites *sprites,
                                 size_t sheet, struct zf_document *document,
                                 struct zf_picture *picture, struct zf_panel *panels,
                                 size_t *panel_count, struct zf_error *err)
{
    const struct zf_top_layer *layer = sprites->layer;
    const size_t limit = zf_top_sheet_maps(show), first = sheet * limit;
    const size_t count = layer->map_count - first < limit ? layer->map_count - first : limit;
    const char **names = zf_document_room(document, count, sizeof *names);
    const bool last = sheet + 1 == zf_top_sheet_count(show, layer);
    const struct zf_sheet_part part = {
        .first = first,
        .count = count,
        .names = names,
        .title = zf_document_words(
            document, "%s of %s: maps %" PRId64 " to %" PRId64 "%s, each with its strongest in %s",
            zf_net_layer(show->net, layer->layer).name, zf_net_name(show->net),
            layer->maps[first].map, layer->maps[first + count - 1].map,
            count == layer->map_count ? ""
                                      : zf_document_words(document, " of %zu", layer->map_count),
            zf_data_name(show->data)),
        .note = last ? left_out(show, layer, document) : NULL,
    };

    if (!names)
        return zf_no_memory(err, "the names of %zu maps", count);
    *panel_count = count;
    for (size_t i = 0; i < count; i++)
        names[i] = name_of(show, layer, first + i, document);
    return zf_sheet_draw(sprites, &part, picture, panels, err);
}

/* All maps, on as many sheets as that takes; the first one is the layer's block. */
static enum zf_status add_sheets(const struct zf_top_show *show, const struct zf_sprites *sprites,
                                 const char *slug, struct zf_document *document,
                                 struct zf_error *err)
{
    const struct zf_top_layer *layer = sprites->layer;
    const char *name = zf_net_layer(show->net, layer->layer).name;
    const size_t sheets = zf_top_sheet_count(show, layer);
    struct zf_panel *panels = zf_document_room(document, zf_top_sheet_maps(show), sizeof *panels);
    enum zf_status status = panels ? ZF_OK : ZF_ENOMEM;

    for (size_t i = 0; status == ZF_OK && i < sheets; i++) {
        const char *file = sheet_file(document, slug, i);
        struct zf_picture sheet = {0};
        size_t count = 0;

        status = draw_sheet(show, sprites, i, document, &sheet, panels, &count, err);
        if (status == ZF_OK && i > 0)
            zf_document_beside(document, &sheet, file);
        else if (status == ZF_OK)
            zf_document_panels(
                document, &sheet, file, panels, count, SHEET_PANEL,
                zf_document_words(
                    document,
                    "%s, %zu %s%s. Under the number of each: on the left, the "
                    "projections of its strongest activations, one a picture; on the "
                    "right, the patches of the pictures that they come from.",
                    name, layer->map_count, layer->map_count == 1 ? "map" : "maps",
                    count == layer->map_count
                        ? ""
                        : zf_document_words(document, ", here the first %zu", count)));
        zf_picture_release(&sheet);
    }
    return status;
}

static enum zf_status add_slide(const struct zf_top_show *show, const struct zf_sprites *sprites,
                                const char *slug, struct zf_document *document,
                                struct zf_error *err)
{
    const struct zf_top_layer *layer = sprites->layer;
    const char *name = zf_net_layer(show->net, layer->layer).name;
    size_t *maps = zf_document_room(document, (size_t)show->slide_maps, sizeof *maps);
    struct zf_panel *panels = zf_document_room(document, (size_t)show->slide_maps, sizeof *panels);
    struct zf_picture stack = {0};
    size_t count;

    if (!maps || !panels)
        return zf_no_memory(err, "a slide of %" PRId64 " maps", show->slide_maps);
    count = zf_sheet_strongest(layer, (size_t)show->slide_maps, maps);
    ZF_CHECK(zf_sheet_stack(sprites, maps, count, &stack, panels, err));
    for (size_t i = 0; i < count; i++)
        panels[i].title = name_of(show, layer, maps[i], document);
    zf_document_slide(
        document, &stack, zf_document_words(document, "%s.png", slug), panels, count,
        zf_document_words(document, "What %s of %s looks for", name, zf_net_name(show->net)),
        zf_document_words(document,
                          "%zu of %zu maps, the strongest first. On the left of each, the "
                          "projections of its strongest activations, one a picture; on the right, "
                          "the patches of %s that they come from.",
                          count, layer->map_count, zf_data_name(show->data)));
    zf_picture_release(&stack);
    return ZF_OK;
}

void zf_top_layer(const struct zf_top_show *show, size_t i, const struct zf_sprites *sprites,
                  const char *slug, struct zf_document *document)
{
    const struct zf_top_layer *layer = &show->top->layers[i];
    struct zf_error err = {0};

    zf_document_heading(document, "%s", zf_net_layer(show->net, layer->layer).name);
    if (add_sheets(show, sprites, slug, document, &err) != ZF_OK ||
        (show->slide_maps > 0 && add_slide(show, sprites, slug, document, &err) != ZF_OK))
        zf_document_fail(document, err.status, &err);
    zf_browse_layer(show, sprites, document);
}

void zf_top_layer_json(const struct zf_top_show *show, size_t i, const char *slug,
                       struct zf_document *document)
{
    const struct zf_top_layer *layer = &show->top->layers[i];
    struct zf_json *json = zf_document_numbers(document);

    zf_json_object(json, NULL);
    zf_top_layer_numbers(json, show->net, show->data, layer);
    zf_json_text(json, "sheet", sheet_file(document, slug, 0));
    zf_json_array(json, "sheets");
    for (size_t sheet = 0; sheet < zf_top_sheet_count(show, layer); sheet++)
        zf_json_text(json, NULL, sheet_file(document, slug, sheet));
    zf_json_end(json);
    zf_json_end(json);
}

/* ---- A few lines. ---- */

void zf_top_say(const struct zf_top_show *show, struct zf_document *document)
{
    const struct zf_top *top = show->top;
    bool less = false; /* than all maps on a layer's sheets */

    zf_document_say(document, "%-12s%8s  %s\n", "layer", "maps", "strongest activation");
    for (size_t i = 0; i < top->layer_count; i++) {
        const struct zf_top_layer *layer = &top->layers[i];
        const struct zf_top_map *best = NULL;

        for (size_t m = 0; m < layer->map_count; m++) {
            if (layer->maps[m].count > 0 &&
                (!best || layer->maps[m].entries[0].activation > best->entries[0].activation))
                best = &layer->maps[m];
        }
        zf_document_say(document, "%-12s%8zu", zf_net_layer(show->net, layer->layer).name,
                        layer->map_count);
        if (best)
            zf_document_say(document, "  %.4g, map %" PRId64 ", %s",
                            (double)best->entries[0].activation, best->map,
                            zf_data_path(show->data, best->entries[0].sample));
        zf_document_say(document, "\n");
        less = less || zf_top_sheet_count(show, layer) * zf_top_sheet_maps(show) < layer->map_count;
    }
    if (less)
        zf_document_say(
            document, "the sheets have the first %zu maps of a layer; --sheets 0: all\n",
            zf_top_sheet_maps(show) * (size_t)(show->most_sheets > 0 ? show->most_sheets : 1));
    zf_document_say(document, "%" PRId64 " pictures", top->images);
    if (top->skipped > 0)
        zf_document_say(document, ", %" PRId64 " could not be read", top->skipped);
    zf_document_say(document, "\n");
}
