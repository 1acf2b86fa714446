/* SPDX-License-Identifier: MIT */
/* Layers and classes by their names. */
#include "net/net.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"

static enum zf_status unknown_layer(const struct zf_net *net, const char *name,
                                    struct zf_error *err)
{
    char known[500] = "";

    for (int i = 0; i < net->layer_count; i++)
        zf_add_name(known, sizeof known, net->layers[i].name);
    return zf_fail(err, ZF_EINPUT, "%s has no layer '%s'; its layers are %s", net->name, name,
                   known);
}

static bool is_also_called(const struct zf_layer *layer, const char *name)
{
    const size_t length = strlen(name);

    for (const char *aka = layer->aka; aka && *aka; aka += strcspn(aka, "\n") + 1)
        if (strncmp(aka, name, length) == 0 && aka[length] == '\n')
            return true;
    return false;
}

enum zf_status zf_net_find_layer(const struct zf_net *net, const char *name, int *out,
                                 struct zf_error *err)
{
    const size_t length = strlen(name);
    int matches = 0, match = -1;
    char *end;
    long index;

    for (int i = 0; i < net->layer_count; i++) {
        if (strcmp(net->layers[i].name, name) == 0) {
            *out = i;
            return ZF_OK;
        }
    }
    for (int i = 0; i < net->layer_count; i++) {
        if (is_also_called(&net->layers[i], name)) {
            *out = i;
            return ZF_OK;
        }
        if (length > 0 && strncmp(net->layers[i].name, name, length) == 0) {
            matches++;
            match = i;
        }
    }
    if (matches == 1) {
        *out = match;
        return ZF_OK;
    }
    if (matches > 1)
        return zf_fail(err, ZF_EINPUT, "%s: %d layers begin with '%s', such as %s; say which",
                       net->name, matches, name, net->layers[match].name);
    errno = 0;
    index = strtol(name, &end, 10);
    if (length == 0 || *end != '\0' || errno || index < 0 || index >= net->layer_count)
        return unknown_layer(net, name, err);
    *out = (int)index;
    return ZF_OK;
}

enum zf_status zf_net_find_layers(const struct zf_net *net, const char *names, int **layers,
                                  size_t *count, struct zf_error *err)
{
    enum zf_status status;
    char **items = NULL;
    int *found = NULL;
    size_t named = 0;

    ZF_TRY(zf_list_split(names, &items, &named, err));
    found = zf_alloc(named, sizeof *found);
    if (!found)
        ZF_LEAVE(zf_no_memory(err, "a list of %zu layers", named));
    for (size_t i = 0; i < named; i++)
        ZF_TRY(zf_net_find_layer(net, items[i], &found[i], err));
    *count = named;
    *layers = named > 0 ? found : NULL;
    found = named > 0 ? NULL : found;
fail:
    zf_free(found);
    zf_free(items);
    return status;
}

static enum zf_status unknown_class(const struct zf_net *net, const char *name,
                                    struct zf_error *err)
{
    const int64_t classes = zf_net_class_count(net);
    const char **labels = zf_alloc((size_t)classes, sizeof *labels);
    const char *closest;

    if (!labels)
        return zf_no_memory(err, "%" PRId64 " labels", classes);
    for (int64_t k = 0; k < classes; k++)
        labels[k] = zf_net_label(net, k);
    closest = zf_word_closest(name, labels, (size_t)classes);
    zf_free(labels);
    return zf_fail(err, ZF_EINPUT,
                   "there is no class '%s' among the %" PRId64 " of %s%s%s%s; an index is 0 to "
                   "%" PRId64,
                   name, classes, zf_net_name(net), closest ? ", the closest is '" : "",
                   closest ? closest : "", closest ? "'" : "", classes - 1);
}

enum zf_status zf_net_find_class(const struct zf_net *net, const char *name, int64_t *out,
                                 struct zf_error *err)
{
    const int64_t classes = zf_net_class_count(net);
    char *end;
    int64_t index;

    for (int64_t k = 0; k < classes; k++) {
        if (strcmp(name, zf_net_label(net, k)) == 0) {
            *out = k;
            return ZF_OK;
        }
    }
    index = strtoll(name, &end, 10);
    if (end == name || *end != '\0' || index < 0 || index >= classes)
        return unknown_class(net, name, err);
    *out = index;
    return ZF_OK;
}
