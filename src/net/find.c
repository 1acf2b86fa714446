/* SPDX-License-Identifier: MIT */
/* Layers and classes by their names. */
#include "net/layers/layers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* ---- Classes ---- */

/* How a label can be meant by a name, the surest first. */
enum likeness {
    THE_SAME,
    IN_ANOTHER_CASE,
    ONE_OF_ITS_NAMES, /* "Tinca tinca" of "tench, Tinca tinca" */
    A_PART,           /* proposed, but never taken */
    LIKENESSES,
};

/* `length` letters are the same in whatever case. */
static bool same_letters(const char *a, const char *b, size_t length)
{
    return strncasecmp(a, b, length) == 0;
}

static bool is_one_of(const char *label, const char *name)
{
    const size_t length = strlen(name);

    for (const char *at = label; *at; at += strspn(at, ", ")) {
        const size_t end = strcspn(at, ",");

        if (end == length && same_letters(at, name, length))
            return true;
        at += end;
    }
    return false;
}

static bool has_part(const char *label, const char *name)
{
    const size_t length = strlen(name);

    for (; length > 2 && *label; label++)
        if (same_letters(label, name, length))
            return true;
    return false;
}

static bool is_like(const char *label, const char *name, enum likeness likeness)
{
    switch (likeness) {
    case THE_SAME:
        return strcmp(label, name) == 0;
    case IN_ANOTHER_CASE:
        return strcasecmp(label, name) == 0;
    case ONE_OF_ITS_NAMES:
        return is_one_of(label, name);
    case A_PART:
        return has_part(label, name);
    case LIKENESSES:
        break;
    }
    return false;
}

/* How many classes can be meant so, the first of them, and their indices and names in a list. */
static int64_t list_classes(const struct zf_net *net, const char *name, enum likeness likeness,
                            int64_t *first, char *list, size_t size)
{
    int64_t count = 0;

    list[0] = '\0';
    for (int64_t k = 0; k < zf_net_class_count(net); k++) {
        char item[160];

        if (!is_like(zf_net_label(net, k), name, likeness))
            continue;
        *first = count == 0 ? k : *first;
        count++;
        snprintf(item, sizeof item, "%" PRId64 " (%.120s)", k, zf_net_label(net, k));
        zf_add_name(list, size, item);
    }
    return count;
}

static enum zf_status unknown_class(const struct zf_net *net, const char *name,
                                    struct zf_error *err)
{
    const int64_t classes = zf_net_class_count(net);
    const char **labels = zf_alloc((size_t)classes, sizeof *labels);
    char partly[300];
    const char *closest;
    int64_t first = 0;

    if (!labels)
        return zf_no_memory(err, "%" PRId64 " labels", classes);
    for (int64_t k = 0; k < classes; k++)
        labels[k] = zf_net_label(net, k);
    closest = zf_word_closest(name, labels, (size_t)classes);
    zf_free(labels);
    if (!closest && list_classes(net, name, A_PART, &first, partly, sizeof partly) > 0)
        return zf_fail(err, ZF_EINPUT,
                       "there is no class '%s' among the %" PRId64 " of %s; it is in the names of "
                       "%s",
                       name, classes, zf_net_name(net), partly);
    return zf_fail(err, ZF_EINPUT,
                   "there is no class '%s' among the %" PRId64 " of %s%s%s%s; an index is 0 to "
                   "%" PRId64,
                   name, classes, zf_net_name(net), closest ? ", the closest is '" : "",
                   closest ? closest : "", closest ? "'" : "", classes - 1);
}

/* A number in decimal and nothing else. */
static bool is_number(const char *text, int64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

enum zf_status zf_net_find_class(const struct zf_net *net, const char *name, int64_t *out,
                                 struct zf_error *err)
{
    const int64_t classes = zf_net_class_count(net);
    char list[300];
    int64_t number;

    for (enum likeness likeness = THE_SAME; likeness < A_PART; likeness++) {
        int64_t first = 0;
        const int64_t count = list_classes(net, name, likeness, &first, list, sizeof list);

        if (count == 1) {
            *out = first;
            return ZF_OK;
        }
        if (count > 1)
            return zf_fail(err, ZF_EINPUT,
                           "%" PRId64 " classes of %s can be '%s': %s; say which by its index",
                           count, zf_net_name(net), name, list);
    }
    if (!is_number(name, &number) || number < 0 || number >= classes)
        return unknown_class(net, name, err);
    *out = number;
    return ZF_OK;
}

int zf_net_class_layer(const struct zf_net *net)
{
    int at = net->layer_count - 1;

    for (;;) {
        const struct zf_layer *layer = &net->layers[at];
        const struct zf_layer_type *type = layer->type;
        const bool says_it_anew = type == &zf_layer_softmax || type == &zf_layer_sigmoid ||
                                  type == &zf_layer_flatten || type == &zf_layer_dropout ||
                                  zf_layer_is_logarithm(layer);

        if (!says_it_anew || layer->inputs[0] == ZF_NET_INPUT ||
            zf_net_shape(net, layer->inputs[0]).c != layer->inferred.out.c)
            return at;
        at = layer->inputs[0];
    }
}

enum zf_status zf_net_find_map(const struct zf_net *net, int layer, const char *name, int64_t *map,
                               struct zf_error *err)
{
    const struct zf_shape shape = zf_net_shape(net, layer);
    int64_t class;

    if (is_number(name, map))
        return *map >= 0 && *map < shape.c
                   ? ZF_OK
                   : zf_fail(err, ZF_EINVAL, "map %s is not among the maps 0 to %" PRId64 " of %s",
                             name, shape.c - 1, net->layers[layer].name);
    if (layer < zf_net_class_layer(net) || shape.c != zf_net_output_count(net))
        return zf_fail(err, ZF_EINPUT,
                       "'%s' is none of the maps 0 to %" PRId64
                       " of %s; by the name of its class a map is found at the end of a net, here "
                       "%s",
                       name, shape.c - 1, net->layers[layer].name,
                       net->layers[zf_net_class_layer(net)].name);
    ZF_CHECK(zf_net_find_class(net, name, &class, err));
    if (zf_net_class_count(net) != shape.c && class == 0)
        return zf_fail(err, ZF_EINPUT, "%s has one map, which says %s; %s is what it does not say",
                       net->layers[layer].name, zf_net_label(net, 1), zf_net_label(net, 0));
    *map = zf_net_class_count(net) != shape.c ? 0 : class;
    return ZF_OK;
}
