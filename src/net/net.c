/* SPDX-License-Identifier: MIT */
#include "net.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

void zf_layer_release(struct zf_layer *layer)
{
    zf_free(layer->section);
    zf_free(layer->name);
    zf_free(layer->aka);
    zf_free(layer->params);
    *layer = (struct zf_layer){0};
}

static void free_labels(struct zf_net *net)
{
    for (int64_t k = 0; net->labels && k < net->classes; k++)
        zf_free(net->labels[k]);
    zf_free(net->labels);
    net->labels = NULL;
}

void zf_net_free(struct zf_net **pointer)
{
    struct zf_net *net = pointer ? *pointer : NULL;

    if (!net)
        return;
    for (int i = 0; i < net->layer_count; i++) {
        zf_layer_release(&net->layers[i]);
    }
    for (int i = 0; i < net->slot_count; i++)
        zf_free(net->slots[i].name);
    free_labels(net);
    zf_free(net->layers);
    zf_free(net->slots);
    if (net->file.data)
        zf_bytes_release(&net->file);
    else
        zf_free(net->parameters);
    zf_free(net->mean_image);
    zf_free(net->name);
    zf_free(net->spec);
    zf_free(net->from);
    zf_free(net);
    *pointer = NULL;
}

/* ---- Asking ---- */

const char *zf_net_name(const struct zf_net *net)
{
    return net->name;
}

const char *zf_net_spec(const struct zf_net *net)
{
    return net->spec;
}

const char *zf_net_from(const struct zf_net *net)
{
    return net->from;
}

struct zf_shape zf_net_input(const struct zf_net *net)
{
    return net->input;
}

int64_t zf_net_class_count(const struct zf_net *net)
{
    return net->classes;
}

int64_t zf_net_output_count(const struct zf_net *net)
{
    return net->layers[net->layer_count - 1].inferred.out.c;
}

enum zf_status zf_net_check_answers(const struct zf_net *net, struct zf_error *err)
{
    const struct zf_layer *last = &net->layers[net->layer_count - 1];
    const struct zf_shape shape = last->inferred.out;

    if (shape.h == 1 && shape.w == 1)
        return ZF_OK;
    return zf_fail(err, ZF_EUNSUPPORTED,
                   "%s ends in %s, in %" PRId64 " maps of %" PRId64 " x %" PRId64
                   ": it lacks an output of one value a class",
                   net->name, last->name, shape.c, shape.h, shape.w);
}

const struct zf_recipe *zf_net_recipe(const struct zf_net *net)
{
    return &net->recipe;
}

const struct zf_preparation *zf_net_preparation(const struct zf_net *net)
{
    return &net->preparation;
}

int zf_net_layer_count(const struct zf_net *net)
{
    return net->layer_count;
}

struct zf_layer_info zf_net_layer(const struct zf_net *net, int i)
{
    const struct zf_layer *layer = &net->layers[i];
    struct zf_layer_info info = {
        .name = layer->name,
        .type = layer->type->name,
        .shape = layer->inferred.out,
        .field = layer->field,
        .frozen = layer->frozen,
    };

    for (int k = 0; k < layer->parameter_count; k++)
        info.parameters += net->slots[layer->first_parameter + k].count;
    return info;
}

int zf_net_layer_input_count(const struct zf_net *net, int i)
{
    return net->layers[i].input_count;
}

int zf_net_layer_input(const struct zf_net *net, int i, int k)
{
    return net->layers[i].inputs[k];
}

int64_t zf_net_macs(const struct zf_net *net, int i)
{
    int64_t macs = 0;

    for (int k = 0; k < net->layer_count; k++) {
        const struct zf_inferred *inferred = &net->layers[k].inferred;

        if (inferred->weight.rank && (i < 0 || i == k))
            macs += inferred->fan_in * inferred->out.c * inferred->out.h * inferred->out.w;
    }
    return macs;
}

static void clip(int64_t start, int64_t extent, int64_t limit, int64_t *at, int64_t *length)
{
    const int64_t first = start < 0 ? 0 : start;
    const int64_t end = start + extent > limit ? limit : start + extent;

    *at = first < limit ? first : limit - 1;
    *length = end > *at ? end - *at : 1;
}

struct zf_box zf_net_patch(const struct zf_net *net, int i, int64_t y, int64_t x)
{
    const struct zf_receptive_field *field = &net->layers[i].field;
    struct zf_box box = {0, 0, net->input.w, net->input.h};

    if (!field->global) {
        clip(y * field->stride_y + field->start_y, field->height, net->input.h, &box.y,
             &box.height);
        clip(x * field->stride_x + field->start_x, field->width, net->input.w, &box.x, &box.width);
    }
    return box;
}

/* ---- Labels and preparation ---- */

const char *zf_net_label(const struct zf_net *net, int64_t k)
{
    return net->labels[k];
}

bool zf_net_has_labels(const struct zf_net *net)
{
    return net->labelled;
}

/* Until real ones are set: "no" and "yes" of one output, else "0", "1", ... */
enum zf_status zf_net_number_labels(struct zf_net *net, struct zf_error *err)
{
    net->labels = zf_alloc((size_t)net->classes, sizeof *net->labels);
    for (int64_t k = 0; net->labels && k < net->classes; k++) {
        net->labels[k] = net->classes > zf_net_output_count(net) ? zf_strdup(k ? "yes" : "no")
                                                                 : zf_format("%" PRId64, k);
        if (!net->labels[k])
            return zf_fail(err, ZF_ENOMEM, "no memory for %" PRId64 " labels", net->classes);
    }
    return net->labels ? ZF_OK : zf_fail(err, ZF_ENOMEM, "no memory for labels");
}

enum zf_status zf_net_set_class_count(struct zf_net *net, int64_t classes, struct zf_error *err)
{
    free_labels(net);
    net->classes = classes;
    net->labelled = false;
    return zf_net_number_labels(net, err);
}

enum zf_status zf_net_set_labels(struct zf_net *net, const char *const *labels,
                                 struct zf_error *err)
{
    char **copies = zf_alloc((size_t)net->classes, sizeof *copies);
    bool ok = copies != NULL;

    for (int64_t k = 0; ok && k < net->classes; k++)
        ok = (copies[k] = zf_strdup(labels[k])) != NULL;
    if (!ok) {
        for (int64_t k = 0; copies && k < net->classes; k++)
            zf_free(copies[k]);
        zf_free(copies);
        return zf_fail(err, ZF_ENOMEM, "no memory for %" PRId64 " labels", net->classes);
    }
    free_labels(net);
    net->labels = copies;
    net->labelled = true;
    return ZF_OK;
}

enum zf_status zf_net_set_preparation(struct zf_net *net, const struct zf_preparation *preparation,
                                      struct zf_error *err)
{
    const int64_t width = preparation->width ? preparation->width : preparation->size;
    float *mean_image = NULL;

    if (preparation->size < net->input.h || width < net->input.w)
        return zf_fail(err, ZF_EINVAL,
                       "a crop of %" PRId64 "x%" PRId64
                       " px does not fit a picture resized to %" PRId64 "x%" PRId64,
                       net->input.h, net->input.w, preparation->size, width);
    if (width != preparation->size &&
        (preparation->resize != ZF_RESIZE_WARP || preparation->mean_image))
        return zf_fail(err, ZF_EINVAL, "%s squares, not pictures of %" PRId64 "x%" PRId64 " px",
                       preparation->mean_image ? "a mean image is for"
                                               : "resizing by the shorter side gives",
                       preparation->size, width);
    if (preparation->mean_image) {
        const size_t count = 3 * (size_t)preparation->size * (size_t)preparation->size;

        mean_image = zf_alloc_raw(count, sizeof *mean_image);
        if (!mean_image)
            return zf_fail(err, ZF_ENOMEM, "no memory for the mean image");
        memcpy(mean_image, preparation->mean_image, count * sizeof *mean_image);
    }
    zf_free(net->mean_image);
    net->mean_image = mean_image;
    net->preparation = *preparation;
    net->preparation.width = width == preparation->size ? 0 : width;
    net->preparation.mean_image = mean_image;
    return ZF_OK;
}
