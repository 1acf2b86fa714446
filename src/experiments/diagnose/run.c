/* SPDX-License-Identifier: MIT */
/*
 * The diagnosis of a net's convolutions. (Paper: section 4.1, figure 6.)
 *
 * The paper looked at two pictures, the first layer's filters and the second's projections, saw
 * extreme frequencies, dead filters and aliasing, and changed 11x11 with stride 4 into 7x7 with
 * stride 2. Here the same is measured. Choices where the paper only looks: the bands and limits of
 * diagnose.h; aliasing as the energy above half the rate at which the first layer samples,
 * since a projection can carry nothing there that the net could have told from its alias.
 */
#include "experiments/diagnose/diagnose.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "look/patch.h"
#include "measure/similarity.h"

void zf_diagnosis_free(struct zf_diagnosis **diagnosis)
{
    struct zf_diagnosis *d = diagnosis ? *diagnosis : NULL;

    if (!d)
        return;
    for (size_t m = 0; d->second && m < d->second->layers[0].map_count; m++) {
        if (d->projections)
            zf_free(d->projections[m]);
        if (d->patches)
            zf_free(d->patches[m]);
    }
    zf_free(d->projections);
    zf_free(d->patches);
    zf_top_free(&d->second);
    for (size_t i = 0; d->layers && i < d->layer_count; i++) {
        zf_free(d->layers[i].maps);
        zf_free(d->layers[i].verdict);
    }
    zf_free(d->layers);
    zf_free(d->weights);
    zf_free(d);
    *diagnosis = NULL;
}

/* ---- Layers. ---- */

static bool is_convolution(const struct zf_net *net, int i)
{
    struct zf_parameter weight;
    size_t length;

    return strcmp(zf_net_layer(net, i).type, "conv") == 0 &&
           zf_layer_filters(net, i, &weight, &length) && weight.rank == 4;
}

static enum zf_status init_layer(const struct zf_net *net, struct zf_diagnosis *made, int i,
                                 struct zf_error *err)
{
    struct zf_diagnosis_layer *layer = &made->layers[made->layer_count++];
    const struct zf_layer_info info = zf_net_layer(net, i);
    struct zf_parameter weight;
    size_t length;

    zf_layer_filters(net, i, &weight, &length);
    *layer = (struct zf_diagnosis_layer){.layer = i,
                                         .kernel = weight.dims[2],
                                         .stride = made->layer_count == 1 ? info.field.stride_y : 1,
                                         .map_count = (size_t)weight.dims[0],
                                         .aliasing = NAN};
    layer->maps = zf_alloc(layer->map_count, sizeof *layer->maps);
    if (!layer->maps)
        return zf_no_memory(err, "%zu maps", layer->map_count);
    for (size_t m = 0; m < layer->map_count; m++)
        layer->maps[m].fired_pictures = layer->maps[m].fired_positions = NAN;
    return ZF_OK;
}

static enum zf_status find_layers(const struct zf_net *net, struct zf_diagnosis *made,
                                  struct zf_error *err)
{
    const int count = zf_net_layer_count(net);

    made->layers = zf_alloc((size_t)count, sizeof *made->layers);
    if (!made->layers)
        return zf_no_memory(err, "%d layers", count);
    for (int i = 0; i < count; i++) {
        if (is_convolution(net, i))
            ZF_CHECK(init_layer(net, made, i, err));
    }
    return made->layer_count > 0 ? ZF_OK
                                 : zf_fail(err, ZF_EUNSUPPORTED,
                                           "%s has no convolution to diagnose", zf_net_name(net));
}

/* ---- The second layer's projections. ---- */

struct gathering {
    const struct zf_net *net;
    struct zf_diagnosis *made;
    struct zf_spectrum spectrum;
};

static enum zf_status gather(void *user, size_t layer, size_t map, size_t rank, const float *input,
                             const float *projection, struct zf_error *err)
{
    struct gathering *at = user;
    const struct zf_top_layer *seen = &at->made->second->layers[layer];
    const struct zf_box box = seen->maps[map].entries[rank].patch;
    const struct zf_shape shape = zf_net_input(at->net);
    const int64_t side = box.height > box.width ? box.height : box.width;
    float *patch = zf_patch_cut(projection, shape, box);

    at->made->projections[map] = patch;
    at->made->patches[map] = zf_patch_cut(input, shape, box);
    if (!patch || !at->made->patches[map])
        return zf_no_memory(err, "the projection of map %zu", map);
    /* What never fires has nothing to say about aliasing. */
    if (seen->maps[map].entries[rank].activation <= 0 || side > ZF_SPECTRUM_SIDE)
        return ZF_OK;
    for (int64_t c = 0; c < shape.c; c++) {
        ZF_CHECK(zf_spectrum_add(&at->spectrum, patch + c * box.height * box.width, box.height,
                                 box.width, side, at->made->layers[0].stride, err));
    }
    return ZF_OK;
}

static enum zf_status look_at_second(const struct zf_net *net, const struct zf_data *data,
                                     const struct zf_top_options *given, struct zf_diagnosis *made,
                                     const struct zf_monitor *monitor, struct zf_error *err)
{
    struct zf_diagnosis_layer *layer = &made->layers[1];
    struct zf_top_options options = *given;
    struct gathering at = {.net = net, .made = made};

    options.layers = &layer->layer;
    options.layer_count = 1;
    options.k = 1;
    options.max_maps = 0;
    options.maps = NULL;
    options.map_count = 0;
    ZF_CHECK(zf_top_run(net, data, &options, &made->second, monitor, err));
    made->projections = zf_alloc(layer->map_count, sizeof *made->projections);
    made->patches = zf_alloc(layer->map_count, sizeof *made->patches);
    if (!made->projections || !made->patches)
        return zf_no_memory(err, "%zu maps", layer->map_count);
    ZF_CHECK(zf_top_project(net, data, made->second, &options, gather, &at, monitor, err));
    if (at.spectrum.total > 0)
        layer->aliasing = at.spectrum.folded / at.spectrum.total;
    return ZF_OK;
}

enum zf_status zf_diagnose_run(const struct zf_net *net, const struct zf_data *data,
                               const struct zf_top_options *options, struct zf_diagnosis **out,
                               const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct zf_diagnosis *made = zf_alloc(1, sizeof *made);

    if (!made)
        return zf_no_memory(err, "the diagnosis of %s", zf_net_name(net));
    ZF_TRY(find_layers(net, made, err));
    ZF_TRY(zf_diagnose_filters(net, made, err));
    ZF_TRY(zf_diagnose_weights(net, made, err));
    if (data) {
        ZF_TRY(zf_diagnose_firing(net, data, options, made, monitor, err));
        if (made->layer_count > 1)
            ZF_TRY(look_at_second(net, data, options, made, monitor, err));
    }
    for (size_t i = 0; i < made->layer_count; i++) {
        struct zf_diagnosis_layer *layer = &made->layers[i];

        for (size_t m = 0; m < layer->map_count; m++) {
            layer->dead += layer->maps[m].dead;
            layer->not_finite += layer->maps[m].not_finite;
        }
        ZF_TRY(zf_diagnose_verdict(made, i, zf_net_layer(net, made->layers[0].layer).name, err));
    }
    *out = made;
    made = NULL;
fail:
    zf_diagnosis_free(&made);
    return status;
}

/* ---- The row. ---- */

struct diagnose {
    const char *data;
    int64_t batch;
    bool strict, figure, single_file;
};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(diagnose, data, "DATA",
                       "pictures; without them only the weights are looked at"),
    ZF_OPTION_ROW_INT(diagnose, batch, "N", "pictures at a time; 0 = chosen", 0, 0, 4096),
    ZF_OPTION_ROW_FLAG(diagnose, strict,
                       "a picture that cannot be read is an error instead of being skipped"),
    ZF_FIGURE_ROW(diagnose),
    ZF_SINGLE_FILE_ROW(diagnose),
};

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct diagnose *given = call->options;
    const struct zf_top_options options = {.strict = given->strict,
                                           .any_numbers = true,
                                           .compute =
                                               zf_compute_batch(call->compute, given->batch)};
    enum zf_status status;
    struct zf_diagnosis *diagnosis = NULL;

    ZF_TRY(zf_diagnose_run(call->net, call->data, &options, &diagnosis, call->monitor, err));
    if (!zf_call_shows(call))
        goto fail;
    if (call->model)
        ZF_TRY(zf_diagnose_log(call->model, &diagnosis->course, err));
    zf_diagnose_page(call->net, diagnosis, call->data, document);
fail:
    zf_diagnosis_free(&diagnosis);
    return status;
}

const struct zf_experiment zf_experiment_diagnose = {
    .name = "diagnose",
    .figure = "figure 6",
    .takes_any_numbers = true,
    .title = "What is wrong with the layers",
    .summary = "untrained layers, dead maps, dominating filters, missing frequencies, aliasing",
    .details = "Measures the filters of every convolution and, with --data, how often each map "
               "fires and what the second layer's projections look like; names layers, fully "
               "connected ones too, whose weights may still be random, and reads the log beside "
               "the model: did training end, has it learned by heart? Says in words what is wrong "
               "with each layer and what to try. Writes DIR/index.html, pictures of the "
               "first filters and the second layer's projections, and DIR/diagnose.json.",
    .takes = ZF_TAKES_MODEL,
    .opens = ZF_OPENS_DATA,
    .shares = true,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct diagnose),
    .run = run,
};
