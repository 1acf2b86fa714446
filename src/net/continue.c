/* SPDX-License-Identifier: MIT */
/*
 * A net that goes on from a trained one. It is built anew from the spec, changed where need be: the
 * spec says all that a net is, so that a model, a checkpoint and a comparison of runs know what was
 * done without a word of their own.
 */
#include "net.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "base/status.h"
#include "net/build.h"
#include "net/layers/layers.h"

#define NEW_NORM "length"
#define NEW_LAYER "head"
#define NEW_SOFTMAX "prob"

/* Beside the mean of the squares of any features, but those that are all zero. */
#define NOT_TO_DIVIDE_BY_ZERO 1e-36

/* The last layer with a matrix of weights; -1 when there is none. */
static int find_head(const struct zf_net *net)
{
    int i = net->layer_count - 1;

    while (i >= 0 && net->layers[i].inferred.weight.rank < 2)
        i--;
    return i;
}

static bool is_of_type(const struct zf_layer *layer, const char *type)
{
    return strcmp(layer->type->name, type) == 0;
}

/* The layer at the end that training does not want: the logarithm of a softmax, which the loss
   takes itself, and a sigmoid, where classes are new. NULL when there is none. */
static const struct zf_layer *unwanted_end(const struct zf_net *net,
                                           const struct zf_continuation *how)
{
    const struct zf_layer *last = &net->layers[net->layer_count - 1];
    const int below = last->inputs[0];
    const bool logarithm = zf_layer_is_logarithm(last) && below != ZF_NET_INPUT &&
                           is_of_type(&net->layers[below], "softmax");

    return !how->on_top && (logarithm || (how->classes > 0 && is_of_type(last, "sigmoid"))) ? last
                                                                                            : NULL;
}

static enum zf_status check_head(const struct zf_net *net, int head, struct zf_error *err)
{
    const struct zf_layer *last = &net->layers[net->layer_count - 1];
    const struct zf_shape end = last->inferred.out;
    bool fits = head >= 0 &&
                (is_of_type(&net->layers[head], "conv") || is_of_type(&net->layers[head], "fc"));

    /* What is rearranged above it are no longer its maps. */
    fits = fits && net->layers[head].inferred.out.c == zf_net_output_count(net);
    for (int i = head + 1; fits && i < net->layer_count; i++)
        fits = net->layers[i].parameter_count == 0;
    if (end.h > 1 || end.w > 1)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "%s ends in %s, in %" PRId64 " maps of %" PRId64 " x %" PRId64
                       ": nothing to replace by classes; with --until %s a new layer goes on top",
                       net->name, last->name, end.c, end.h, end.w, last->name);
    if (fits)
        return ZF_OK;
    return zf_fail(err, ZF_EUNSUPPORTED,
                   "%s has no last layer of weights whose maps could become other classes; end it "
                   "lower, with --until NAME, and a new layer goes on top",
                   net->name);
}

/* The last part of a path, as far as a spec's line can hold it; NULL when memory is short. */
static char *plain(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    char *name = zf_format("%.80s", slash ? slash + 1 : path ? path : "a model");

    for (char *c = name; c && *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-+ ", *c))
            *c = '_';
    return name;
}

static uint32_t fingerprint(const struct zf_net *net)
{
    uint32_t crc = 0;

    for (int i = 0; i < net->slot_count; i++)
        crc = zf_crc32c(crc, net->parameters + net->slots[i].offset,
                        (size_t)net->slots[i].count * sizeof *net->parameters);
    return crc;
}

/* "frozen = yes" for those that are asked for, "no" for those that were; NULL when memory is short.
 */
static char *write_frozen(const struct zf_net *net, const bool *frozen)
{
    char *text = zf_strdup("");

    for (int i = 0; text && i < net->layer_count; i++) {
        const struct zf_layer *layer = &net->layers[i];
        const bool freeze = frozen && frozen[i];
        char *longer;

        if (freeze == layer->frozen)
            continue;
        longer = zf_format("%s[%s]\nfrozen = %s\n", text, layer->section, freeze ? "yes" : "no");
        zf_free(text);
        text = longer;
    }
    return text;
}

/* A name that no section has: "head", "head_", ...; NULL when memory is short. */
static char *free_name(const struct zf_net *net, const char *name)
{
    char *found = zf_strdup(name);

    for (int i = 0; found && i < net->layer_count; i++) {
        char *longer;

        if (strcmp(net->layers[i].section, found) != 0 && strcmp(net->layers[i].name, found) != 0)
            continue;
        longer = zf_format("%s_", found);
        zf_free(found);
        found = longer;
        i = -1;
    }
    return found;
}

/* Whether that is so once the unwanted end is gone. */
static bool ends_in_softmax(const struct zf_net *net, const struct zf_continuation *how)
{
    const int last = net->layer_count - 1;
    const int end = unwanted_end(net, how) ? net->layers[last].inputs[0] : last;

    return end != ZF_NET_INPUT && is_of_type(&net->layers[end], "softmax");
}

/* The new last layer, or the old one with other maps, and a softmax where none is; NULL when memory
   is short. */
static char *write_end(const struct zf_net *net, const struct zf_continuation *how, int head)
{
    char *norm = free_name(net, NEW_NORM), *layer = free_name(net, NEW_LAYER);
    char *softmax = free_name(net, NEW_SOFTMAX);
    char *text = NULL, *with_softmax = NULL;

    if (!norm || !layer || !softmax)
        goto fail;
    if (how->on_top && how->normalised)
        text = zf_format("[%s]\ntype = norm\nover = groups\nmean = no\nepsilon = %g\n"
                         "[%s]\ntype = fc\nmaps = %" PRId64 "\n",
                         norm, NOT_TO_DIVIDE_BY_ZERO, layer, how->classes);
    else if (how->on_top)
        text = zf_format("[%s]\ntype = fc\nmaps = %" PRId64 "\n", layer, how->classes);
    else if (how->classes > 0)
        text = zf_format("[%s]\nmaps = %" PRId64 "\n", net->layers[head].section, how->classes);
    else
        text = zf_strdup("");
    if (text && (how->on_top || !ends_in_softmax(net, how)))
        with_softmax = zf_format("%s[%s]\ntype = softmax\n", text, softmax);
fail:
    zf_free(norm);
    zf_free(layer);
    zf_free(softmax);
    if (with_softmax)
        zf_free(text);
    return with_softmax ? with_softmax : text;
}

/* The changes as a spec of their own; NULL when memory is short. */
static char *write_changes(const struct zf_net *net, const struct zf_continuation *how, int head)
{
    const struct zf_layer *unwanted = unwanted_end(net, how);
    char *origin = plain(how->origin), *frozen = write_frozen(net, how->frozen);
    char *end = write_end(net, how, head), *text = NULL;

    if (origin && frozen && end)
        text = zf_format(
            "[net]\nclasses = %" PRId64 "\nfrom = %s, crc32c %08" PRIx32 "\n%s%s\n%s%s",
            how->classes > 0 ? how->classes : zf_net_output_count(net), origin, fingerprint(net),
            unwanted ? "remove = " : "", unwanted ? unwanted->section : "", frozen, end);
    zf_free(origin);
    zf_free(frozen);
    zf_free(end);
    return text;
}

static enum zf_status rebuild(const struct zf_net *from, const char *changes, struct zf_net **out,
                              struct zf_error *err)
{
    enum zf_status status;
    struct zf_spec spec = {0}, base = {0};
    char *text = NULL;

    ZF_TRY(zf_spec_parse(changes, from->name, &spec, err));
    ZF_TRY(zf_spec_parse(from->spec, from->name, &base, err));
    ZF_TRY(zf_spec_derive(&spec, &base, err));
    text = zf_spec_text(&spec);
    status = text ? zf_net_parse_spec(text, from->name, 0, out, err)
                  : zf_no_memory(err, "the spec of %s", from->name);
fail:
    zf_free(text);
    zf_spec_release(&base);
    zf_spec_release(&spec);
    return status;
}

/* Parameters of all layers but the new one, labels where the classes are the same, preparation. */
static enum zf_status take_over(const struct zf_net *from, const struct zf_continuation *how,
                                int fresh, struct zf_net *net, struct zf_error *err)
{
    /* What is new stands at the end: the others keep their order. */
    for (int i = 0; i < net->slot_count; i++) {
        const struct zf_parameter_slot *slot = &net->slots[i];

        if (slot->layer != fresh)
            memcpy(net->parameters + slot->offset, from->parameters + from->slots[i].offset,
                   (size_t)slot->count * sizeof *net->parameters);
    }
    if (how->classes == 0 && from->labelled && from->classes == net->classes)
        ZF_CHECK(zf_net_set_labels(net, (const char *const *)from->labels, err));
    return zf_net_set_preparation(net, &from->preparation, err);
}

enum zf_status zf_net_continue(const struct zf_net *from, const struct zf_continuation *how,
                               struct zf_net **out, int *fresh, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const int head = find_head(from);
    const int top = from->layer_count + (how->normalised ? 1 : 0);
    const int new_layer = how->on_top ? top : how->classes > 0 ? head : -1;
    char *changes = NULL;
    struct zf_net *net = NULL;

    if (new_layer >= 0 && !how->on_top)
        ZF_TRY(check_head(from, head, err));
    if (new_layer < 0)
        ZF_TRY(zf_net_check_answers(from, err));
    changes = write_changes(from, how, head);
    if (!changes) {
        status = zf_no_memory(err, "the spec of %s", from->name);
        goto fail;
    }
    ZF_TRY(rebuild(from, changes, &net, err));
    ZF_TRY(zf_net_check_answers(net, err));
    ZF_TRY(take_over(from, how, new_layer, net, err));
    *fresh = new_layer;
    *out = net;
    net = NULL;
fail:
    zf_free(changes);
    zf_net_free(&net);
    return status;
}
