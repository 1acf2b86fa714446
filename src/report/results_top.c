/* SPDX-License-Identifier: MIT */
#include "report/results.h"

#include <stdio.h>

#include "base/memory.h"
#include "report/document.h"

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static bool add_text(cJSON *root, const char *name, const cJSON *top, const char *key)
{
    const char *value = text_of(top, key);

    return !value || zf_document_add_parameter(root, name, value);
}

static bool add_number(cJSON *root, const char *name, const cJSON *top, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(top, key);
    char text[32];

    if (!cJSON_IsNumber(value))
        return true;
    snprintf(text, sizeof text, "%.0f", value->valuedouble);
    return zf_document_add_parameter(root, name, text);
}

static bool add_layer(cJSON *root, const cJSON *layer)
{
    const char *name = text_of(layer, "name"), *sheet = text_of(layer, "sheet");
    const int maps = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(layer, "maps"));
    char *caption;
    bool added;

    if (!name || !sheet)
        return true;
    caption = zf_format("%s, %d %s. Under the number of each map: on the left, the projections of "
                        "its strongest activations, one a picture; on the right, the patches of "
                        "the pictures that they come from.",
                        name, maps, maps == 1 ? "map" : "maps");
    added = caption && zf_document_add_text(root, "heading", name) &&
            zf_document_add_picture(root, sheet, caption, 0, 0);
    zf_free(caption);
    return added;
}

cJSON *zf_top_document(const cJSON *top)
{
    const cJSON *layers = cJSON_GetObjectItemCaseSensitive(top, "layers"), *layer;
    const char *net = text_of(top, "net");
    char *title = zf_format("What the maps of %s look for", net ? net : "the net");
    cJSON *root = title ? zf_document_root("top", title, text_of(top, "command")) : NULL;
    bool complete = root && add_text(root, "pictures", top, "data") &&
                    add_number(root, "looked at", top, "images") &&
                    add_number(root, "strongest of each map", top, "k") &&
                    add_text(root, "rule", top, "rule") &&
                    add_text(root, "contrast by", top, "contrast");

    cJSON_ArrayForEach(layer, layers)
    {
        complete = complete && add_layer(root, layer);
    }
    zf_free(title);
    if (!complete) {
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}
