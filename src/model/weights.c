/* SPDX-License-Identifier: MIT */
/*
 * Weights that another program has saved, as PyTorch's state dicts are: tensors under names of its
 * own, "features.0.weight" and "features.0.bias" for the first convolution, and no word about the
 * net. A layer takes the tensors of its name; where there are none, those of its shapes, if that
 * leaves no choice. Layers of equal shapes take modules whose names differ in numbers only, in the
 * order of these numbers. All is matched before anything is copied.
 */
#include "zf/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "model/format.h"
#include "model/metadata.h"
#include "model/safetensors.h"
#include "net/net.h"

#define MOST_NAMED 8 /* tensors in an error sentence */

static const char *const kinds[] = {"weight", "bias"};

struct match {
    struct zf_net *net;
    const struct zf_safetensors *file;
    const struct zf_stored **taken;      /* by slot */
    const struct zf_stored **candidates; /* scratch: weights of modules; room for all tensors */
    char problems[600];
    int problem_count;
};

/* One of the things that do not fit, for the sentence at the end. */
static void add_problem(struct match *match, const char *format, ...) ZF_PRINTF(2, 3);

static void add_problem(struct match *match, const char *format, ...)
{
    const size_t used = strlen(match->problems);
    const char *separator = match->problem_count ? "; " : "";
    va_list args;

    if (match->problem_count++ >= MOST_NAMED)
        return;
    va_start(args, format);
    snprintf(match->problems + used, sizeof match->problems - used, "%s", separator);
    vsnprintf(match->problems + used + strlen(separator),
              sizeof match->problems - used - strlen(separator), format, args);
    va_end(args);
}

static bool shape_fits(const struct zf_stored *stored, const struct zf_parameter_slot *slot)
{
    bool fits = stored->rank == slot->dims.rank && zf_dtype_is_real(stored->dtype);

    for (int i = 0; fits && i < stored->rank; i++)
        fits = stored->dims[i] == slot->dims.d[i];
    return fits;
}

static const char *slot_shape(const struct zf_parameter_slot *slot, char text[96])
{
    return zf_shape_text(slot->dims.d, slot->dims.rank, text, 96);
}

static const char *stored_shape(const struct zf_stored *stored, char text[96])
{
    return zf_shape_text(stored->dims, stored->rank, text, 96);
}

/* ---- By name ---- */

static void match_names(struct match *match)
{
    for (int i = 0; i < match->net->slot_count; i++) {
        const struct zf_parameter_slot *slot = &match->net->slots[i];
        const struct zf_stored *stored = zf_safetensors_find(match->file, slot->name);
        char is[96], should[96];

        match->taken[i] = stored;
        if (stored && !shape_fits(stored, slot))
            add_problem(match, "\"%.60s\" is %s of %s, the net needs %s", slot->name,
                        stored_shape(stored, is), zf_dtype_name(stored->dtype),
                        slot_shape(slot, should));
    }
}

/* ---- By shape ---- */

/* "features.2" before "features.10". */
static int compare_names(const void *a, const void *b)
{
    const char *p = (*(const struct zf_stored *const *)a)->name;
    const char *q = (*(const struct zf_stored *const *)b)->name;

    while (*p && *q) {
        const size_t m = strspn(p, "0123456789"), n = strspn(q, "0123456789");
        int order;

        if (m != n)
            return m < n ? -1 : 1; /* the longer number, or a number after a letter */
        order = strncmp(p, q, m ? m : 1);
        if (order != 0)
            return order;
        p += m ? m : 1;
        q += m ? m : 1;
    }
    return (*p != '\0') - (*q != '\0');
}

static bool differ_in_numbers_only(const char *p, const char *q)
{
    while (*p && *q) {
        const size_t m = strspn(p, "0123456789"), n = strspn(q, "0123456789");

        if ((m == 0) != (n == 0) || (m == 0 && *p != *q))
            return false;
        p += m ? m : 1;
        q += n ? n : 1;
    }
    return *p == *q;
}

/* The module's tensor of that kind beside its weight: "features.0.bias". */
static const struct zf_stored *sibling(const struct match *match, const struct zf_stored *weight,
                                       const char *kind)
{
    const size_t stem = strlen(weight->name) - strlen(kinds[0]);
    char name[256];

    if (stem + strlen(kind) >= sizeof name)
        return NULL;
    memcpy(name, weight->name, stem);
    memcpy(name + stem, kind, strlen(kind) + 1);
    return zf_safetensors_find(match->file, name);
}

static bool ends_in_weight(const char *name)
{
    const size_t length = strlen(name);

    return length > 7 && strcmp(name + length - 7, ".weight") == 0;
}

static bool is_taken(const struct match *match, const struct zf_stored *stored)
{
    for (int i = 0; i < match->net->slot_count; i++) {
        if (match->taken[i] == stored)
            return true;
    }
    return false;
}

/* Does the module of this weight have the layer's shapes, with a bias just where it has one? */
static bool module_fits(const struct match *match, const struct zf_layer *layer,
                        const struct zf_stored *weight)
{
    const struct zf_parameter_slot *slots = &match->net->slots[layer->first_parameter];
    const struct zf_stored *bias = sibling(match, weight, kinds[1]);

    return shape_fits(weight, &slots[0]) && (bias != NULL) == (layer->parameter_count == 2) &&
           (!bias || shape_fits(bias, &slots[1]));
}

static size_t find_candidates(const struct match *match, const struct zf_layer *layer)
{
    size_t count = 0;

    for (size_t i = 0; i < zf_safetensors_count(match->file); i++) {
        const struct zf_stored *stored = zf_safetensors_at(match->file, i);

        if (ends_in_weight(stored->name) && !is_taken(match, stored) &&
            module_fits(match, layer, stored))
            match->candidates[count++] = stored;
    }
    qsort(match->candidates, count, sizeof(const struct zf_stored *), compare_names);
    return count;
}

static bool same_shapes(const struct zf_layer *a, const struct zf_layer *b)
{
    return a->parameter_count == b->parameter_count &&
           memcmp(&a->inferred.weight, &b->inferred.weight, sizeof a->inferred.weight) == 0;
}

/* No tensor of the file has the name of one of its parameters. */
static bool is_open(const struct match *match, const struct zf_layer *layer)
{
    bool open = layer->parameter_count > 0;

    for (int k = 0; k < layer->parameter_count; k++)
        open = open && !match->taken[layer->first_parameter + k];
    return open;
}

/* All layers of one kind of shapes, `first` being the lowest, with as many modules. */
static void match_shapes(struct match *match, int first, const struct zf_monitor *monitor)
{
    const struct zf_net *net = match->net;
    const struct zf_layer *layer = &net->layers[first];
    const size_t count = find_candidates(match, layer);
    size_t wanted = 0, next = 0;
    bool ordered = true;
    char shape[96];

    for (int i = first; i < net->layer_count; i++)
        wanted += is_open(match, &net->layers[i]) && same_shapes(&net->layers[i], layer);
    for (size_t i = 1; i < count; i++)
        ordered = ordered &&
                  differ_in_numbers_only(match->candidates[0]->name, match->candidates[i]->name);
    slot_shape(&net->slots[layer->first_parameter], shape);
    if (count == 0)
        add_problem(match, "nothing is %s for \"%.60s\"", shape,
                    net->slots[layer->first_parameter].name);
    else if (count != wanted || !ordered)
        add_problem(match,
                    "%zu layers, %.60s first, want %s, and %zu tensors are, such as \"%.60s\"",
                    wanted, layer->name, shape, count, match->candidates[0]->name);
    if (count != wanted || !ordered)
        wanted = 0;
    for (int i = first; next < wanted; i++) {
        const struct zf_layer *to = &net->layers[i];
        const struct zf_stored *weight;

        if (!is_open(match, to) || !same_shapes(to, layer))
            continue;
        weight = match->candidates[next++];
        zf_monitor_message(monitor, "%s takes \"%s\"", to->name, weight->name);
        for (int k = 0; k < to->parameter_count; k++)
            match->taken[to->first_parameter + k] = sibling(match, weight, kinds[k]);
    }
}

/* Has a layer below it, of the same shapes, been looked at already? */
static bool is_repeat(const struct match *match, int index)
{
    for (int i = 0; i < index; i++) {
        if (is_open(match, &match->net->layers[i]) &&
            same_shapes(&match->net->layers[i], &match->net->layers[index]))
            return true;
    }
    return false;
}

/* ---- Both, and what is left over ---- */

static void note_leftovers(struct match *match)
{
    char shape[96];

    for (int i = 0; i < match->net->slot_count; i++) {
        const struct zf_parameter_slot *slot = &match->net->slots[i];

        if (!match->taken[i] && !is_open(match, &match->net->layers[slot->layer]))
            add_problem(match, "\"%.60s\" %s is missing", slot->name, slot_shape(slot, shape));
    }
    for (size_t i = 0; i < zf_safetensors_count(match->file); i++) {
        const struct zf_stored *stored = zf_safetensors_at(match->file, i);

        /* Counters, such as "num_batches_tracked", are no weights. */
        if (zf_dtype_is_real(stored->dtype) && strcmp(stored->name, ZF_MEAN_IMAGE) != 0 &&
            !is_taken(match, stored))
            add_problem(match, "nothing takes \"%.60s\" %s", stored->name,
                        stored_shape(stored, shape));
    }
}

static enum zf_status match_all(struct match *match, const char *path,
                                const struct zf_monitor *monitor, struct zf_error *err)
{
    match_names(match);
    for (int i = 0; i < match->net->layer_count; i++) {
        if (is_open(match, &match->net->layers[i]) && !is_repeat(match, i))
            match_shapes(match, i, monitor);
    }
    if (match->problem_count == 0)
        note_leftovers(match);
    if (match->problem_count == 0)
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT, "%s does not fit %s: %s%s", path, match->net->name,
                   match->problems, match->problem_count > MOST_NAMED ? "; ..." : "");
}

/* What users have most often instead. */
static enum zf_status refuse_pickles(const struct zf_bytes *bytes, const char *path,
                                     struct zf_error *err)
{
    static const char zip[] = "PK\003\004", pickle[] = "\200\002";

    if (zf_model_native.probe(bytes)) /* a length may begin with any two bytes */
        return ZF_OK;
    if ((bytes->size >= 4 && memcmp(bytes->data, zip, 4) == 0) ||
        (bytes->size >= 2 && memcmp(bytes->data, pickle, 2) == 0))
        return zf_fail(err, ZF_EINPUT,
                       "%s: a file of PyTorch's own kind, which can hold any program; in Python, "
                       "safetensors.torch.save_file(model.state_dict(), \"weights.safetensors\") "
                       "writes one that can be read",
                       path);
    return ZF_OK;
}

enum zf_status zf_model_load_weights(struct zf_net *net, const char *path,
                                     const struct zf_model_limits *limits,
                                     const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct zf_safetensors *file = NULL;
    const struct zf_model_limits full = zf_model_limits_full(limits);
    struct zf_bytes bytes = {0};
    struct match match = {.net = net};

    ZF_TRY(zf_bytes_map(&bytes, path, (size_t)full.max_file_bytes, err));
    ZF_TRY(refuse_pickles(&bytes, path, err));
    ZF_TRY(zf_safetensors_parse(&bytes, path, limits, &file, err));
    match.file = file;
    match.taken = zf_alloc((size_t)net->slot_count, sizeof *match.taken);
    match.candidates = zf_alloc(zf_safetensors_count(file), sizeof *match.candidates);
    if (!match.taken || !match.candidates)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", path));
    ZF_TRY(match_all(&match, path, monitor, err));
    for (int i = 0; i < net->slot_count; i++)
        zf_stored_floats(match.taken[i], net->parameters + net->slots[i].offset);
fail:
    zf_free(match.taken);
    zf_free(match.candidates);
    zf_safetensors_free(&file);
    zf_bytes_release(&bytes);
    return status;
}
