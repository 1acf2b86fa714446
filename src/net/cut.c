/* SPDX-License-Identifier: MIT */
/* A net that ends at a layer of another: that layer, what leads to it, and their parameters. */
#include "net.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "net/spec.h"

/* Mark a layer and all that it is computed from. */
static void mark_below(const struct zf_net *net, int end, bool *needed)
{
    needed[end] = true;
    for (int i = end; i >= 0; i--) {
        for (int k = 0; needed[i] && k < net->layers[i].input_count; k++) {
            if (net->layers[i].inputs[k] != ZF_NET_INPUT)
                needed[net->layers[i].inputs[k]] = true;
        }
    }
}

/* Whether the value stands for the number of classes, in a layer's section or as [net] classes. */
static bool is_class_count(const struct zf_spec_entry *entry)
{
    return strcmp(entry->value, "classes") == 0 ||
           (strcmp(entry->section, "net") == 0 && strcmp(entry->key, "classes") == 0);
}

/* The spec without what is not needed. A layer whose maps are the classes keeps their number,
   though they are no longer what the net ends in. */
static enum zf_status cut_spec(const struct zf_net *net, int end, const bool *needed, char **text,
                               struct zf_error *err)
{
    enum zf_status status;
    struct zf_spec spec = {0};
    const struct zf_spec_entry *classes;
    char maps[24], kept[24];

    ZF_TRY(zf_spec_parse(net->spec, net->name, &spec, err));
    for (int i = net->layer_count - 1; i >= 0; i--) {
        if (!needed[i])
            zf_spec_remove(&spec, net->layers[i].section, strlen(net->layers[i].section));
    }
    classes = zf_spec_find(&spec, "net", "classes");
    snprintf(kept, sizeof kept, "%s", classes ? classes->value : "");
    snprintf(maps, sizeof maps, "%" PRId64, net->layers[end].inferred.out.c);
    for (size_t i = 0; i < spec.count; i++) {
        const struct zf_spec_entry *entry = &spec.entries[i];

        if (is_class_count(entry) && !zf_spec_replace(&spec, i, entry == classes ? maps : kept))
            ZF_LEAVE(zf_no_memory(err, "the spec of %s", net->name));
    }
    *text = zf_spec_text(&spec);
    if (!*text)
        status = zf_no_memory(err, "the spec of %s", net->name);
fail:
    zf_spec_release(&spec);
    return status;
}

enum zf_status zf_net_cut(const struct zf_net *from, int end, struct zf_net **out,
                          struct zf_error *err)
{
    enum zf_status status;
    bool *needed = zf_alloc((size_t)from->layer_count, sizeof *needed);
    char *text = NULL;
    struct zf_net *net = NULL;
    int slot = 0;

    if (!needed)
        return zf_no_memory(err, "the layers of %s", from->name);
    mark_below(from, end, needed);
    ZF_TRY(cut_spec(from, end, needed, &text, err));
    ZF_TRY(zf_net_parse_spec(text, from->name, 0, &net, err));
    for (int i = 0; i < from->slot_count; i++) {
        if (!needed[from->slots[i].layer])
            continue;
        memcpy(net->parameters + net->slots[slot].offset, from->parameters + from->slots[i].offset,
               (size_t)from->slots[i].count * sizeof *net->parameters);
        slot++;
    }
    ZF_TRY(zf_net_set_preparation(net, &from->preparation, err));
    *out = net;
    net = NULL;
fail:
    zf_net_free(&net);
    zf_free(text);
    zf_free(needed);
    return status;
}
