/* SPDX-License-Identifier: MIT */
#include "serve/catalogue.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/fnv.h"
#include "base/memory.h"
#include "base/status.h"
#include "experiments/unit/unit.h"

#define BATCH 32
#define SAVE_S 60.0
#define ENDING ".units"

/* ---- What it is of. ---- */

static uint64_t key_of(const struct zf_net *net, const struct zf_data *data)
{
    const struct zf_preparation *preparation = zf_net_preparation(net);
    const int64_t count = zf_data_count(data);
    uint64_t key = ZF_FNV_START;
    uint32_t crc = 0;

    for (int i = 0; i < zf_net_parameter_tensors(net); i++) {
        const struct zf_parameter parameter = zf_net_parameter(net, i);

        crc = zf_crc32c(crc, parameter.data, (size_t)parameter.count * sizeof *parameter.data);
    }
    key = zf_fnv(key, &crc, sizeof crc);
    key = zf_fnv(key, &preparation->size, sizeof preparation->size);
    key = zf_fnv(key, preparation->mean, sizeof preparation->mean);
    key = zf_fnv(key, preparation->scale, sizeof preparation->scale);
    for (int64_t i = 0; i < count; i++)
        key = zf_fnv(key, zf_data_path(data, i), strlen(zf_data_path(data, i)) + 1);
    return zf_fnv(key, &count, sizeof count);
}

static bool has_weights(const struct zf_layer_info *info)
{
    return strcmp(info->type, "conv") == 0 || strcmp(info->type, "fc") == 0;
}

static enum zf_status select_layers(struct zf_catalogue *catalogue, struct zf_error *err)
{
    const struct zf_net *net = catalogue->net;
    const int layers = zf_net_layer_count(net);
    int *chosen = zf_alloc((size_t)layers, sizeof *chosen);
    enum zf_status status;
    size_t count = 0;

    if (!chosen)
        return zf_no_memory(err, "a list of %d layers", layers);
    for (int i = 0; i < layers; i++) {
        const struct zf_layer_info info = zf_net_layer(net, i);

        if (has_weights(&info))
            chosen[count++] = i;
    }
    status = count == 0 ? zf_fail(err, ZF_EUNSUPPORTED, "no layer has weights")
                        : zf_top_select(net,
                                        &(struct zf_top_options){.layers = chosen,
                                                                 .layer_count = count,
                                                                 .k = ZF_CATALOGUE_LENGTH},
                                        zf_data_count(catalogue->data), &catalogue->top, err);
    zf_free(chosen);
    return status;
}

static enum zf_status allocate(struct zf_catalogue *catalogue, struct zf_error *err)
{
    const struct zf_top *top = catalogue->top;
    size_t most = 0;

    catalogue->maps = zf_alloc(top->layer_count, sizeof *catalogue->maps);
    for (size_t l = 0; catalogue->maps && l < top->layer_count; l++) {
        const size_t count = top->layers[l].map_count;

        catalogue->maps[l] = zf_alloc(count, sizeof *catalogue->maps[l]);
        if (!catalogue->maps[l])
            return zf_no_memory(err, "a catalogue");
        most = count > most ? count : most;
    }
    catalogue->strongest = zf_alloc(most * BATCH, sizeof *catalogue->strongest);
    catalogue->where = zf_alloc(most * BATCH, sizeof *catalogue->where);
    return catalogue->maps && catalogue->strongest && catalogue->where
               ? ZF_OK
               : zf_no_memory(err, "a catalogue");
}

enum zf_status zf_catalogue_init(struct zf_catalogue *catalogue, const struct zf_net *net,
                                 const struct zf_data *data, const char *model,
                                 const struct zf_compute *compute, struct zf_error *err)
{
    *catalogue = (struct zf_catalogue){
        .net = net, .data = data, .compute = zf_compute_batch(*compute, BATCH)};
    pthread_mutex_init(&catalogue->lock, NULL);
    if (!data)
        return ZF_OK;
    ZF_CHECK(select_layers(catalogue, err));
    ZF_CHECK(allocate(catalogue, err));
    catalogue->key = key_of(net, data);
    catalogue->path = model ? zf_format("%s" ENDING, model) : NULL;
    catalogue->saved_s = zf_clock_s();
    if (catalogue->path && zf_catalogue_read(catalogue, NULL) == ZF_OK) /* or it is made anew */
        catalogue->saved = catalogue->done;
    return ZF_OK;
}

void zf_catalogue_release(struct zf_catalogue *catalogue)
{
    for (size_t l = 0; catalogue->maps && l < catalogue->top->layer_count; l++)
        zf_free(catalogue->maps[l]);
    zf_free(catalogue->maps);
    zf_top_free(&catalogue->top);
    zf_plan_free(&catalogue->plan);
    zf_loader_free(&catalogue->loader);
    zf_free(catalogue->strongest);
    zf_free(catalogue->where);
    zf_free(catalogue->path);
    *catalogue = (struct zf_catalogue){0};
}

/* ---- The pass. ---- */

static void count_value(struct zf_catalogue_map *map, double value)
{
    map->sum += value;
    map->squares += value * value;
    map->pictures++;
    if (value <= 0)
        return;
    map->active++;
    if (map->width == 0)
        map->width = value * 2 / ZF_CATALOGUE_BINS;
    while (value >= map->width * ZF_CATALOGUE_BINS) {
        for (size_t i = 0; i < ZF_CATALOGUE_BINS; i++)
            map->bins[i] = i < ZF_CATALOGUE_BINS / 2 ? map->bins[2 * i] + map->bins[2 * i + 1] : 0;
        map->width *= 2;
    }
    map->bins[(size_t)(value / map->width)]++;
}

/* With the lock held. */
static void collect(struct zf_catalogue *catalogue, size_t l, const struct zf_batch *batch)
{
    struct zf_top_layer *layer = &catalogue->top->layers[l];
    const struct zf_shape shape = zf_net_layer(catalogue->net, layer->layer).shape;
    const size_t capacity = zf_top_capacity(&(struct zf_top_options){.k = ZF_CATALOGUE_LENGTH},
                                            zf_data_count(catalogue->data));

    zf_plan_maxima(catalogue->plan, layer->layer, catalogue->strongest, catalogue->where);
    for (int64_t n = 0; n < batch->count; n++) {
        for (int64_t m = 0; m < shape.c; m++) {
            const float value = catalogue->strongest[n * shape.c + m];
            const int32_t where = catalogue->where[n * shape.c + m];
            const struct zf_top_entry entry = {.sample = batch->samples[n],
                                               .activation = value,
                                               .y = where / shape.w,
                                               .x = where % shape.w};

            if (!isfinite(value))
                continue;
            zf_top_offer(&layer->maps[m], capacity, &entry);
            count_value(&catalogue->maps[l][m], (double)value);
        }
    }
}

static enum zf_status begin(struct zf_catalogue *catalogue)
{
    const struct zf_top *top = catalogue->top;
    int *taps = zf_alloc(top->layer_count, sizeof *taps);
    enum zf_status status;

    if (!taps)
        return ZF_ENOMEM;
    for (size_t l = 0; l < top->layer_count; l++)
        taps[l] = top->layers[l].layer;
    ZF_TRY(zf_plan_create(catalogue->net,
                          &(struct zf_plan_options){.compute = catalogue->compute,
                                                    .purpose = ZF_INFER,
                                                    .taps = taps,
                                                    .tap_count = top->layer_count,
                                                    .taps_only = true},
                          &catalogue->plan, NULL));
    ZF_TRY(zf_loader_create(catalogue->data, catalogue->net,
                            &(struct zf_loader_options){.batch = BATCH,
                                                        .threads = 1,
                                                        .first_batch = catalogue->done / BATCH},
                            &catalogue->loader, NULL));
fail:
    zf_free(taps);
    return status;
}

static void end(struct zf_catalogue *catalogue)
{
    zf_loader_free(&catalogue->loader);
    zf_plan_free(&catalogue->plan);
}

static bool give_up(struct zf_catalogue *catalogue)
{
    pthread_mutex_lock(&catalogue->lock);
    catalogue->failed = true;
    pthread_mutex_unlock(&catalogue->lock);
    end(catalogue);
    return false;
}

bool zf_catalogue_step(struct zf_catalogue *catalogue)
{
    const int64_t count = catalogue->data ? zf_data_count(catalogue->data) : 0;
    struct zf_batch batch;
    bool over;

    if (catalogue->done >= count || catalogue->failed)
        return false;
    if ((!catalogue->loader && begin(catalogue) != ZF_OK) ||
        zf_loader_next(catalogue->loader, &batch, &over, NULL) != ZF_OK)
        return give_up(catalogue);
    if (batch.count > 0) {
        batch.input.n = batch.count;
        zf_plan_forward(catalogue->plan, &batch.input);
    }
    pthread_mutex_lock(&catalogue->lock);
    for (size_t l = 0; batch.count > 0 && l < catalogue->top->layer_count; l++)
        collect(catalogue, l, &batch);
    catalogue->done = over || catalogue->done + BATCH > count ? count : catalogue->done + BATCH;
    pthread_mutex_unlock(&catalogue->lock);
    if (catalogue->done == count)
        end(catalogue);
    if (catalogue->done == count || zf_clock_s() - catalogue->saved_s > SAVE_S)
        zf_catalogue_save(catalogue);
    return true;
}

/* Where the directory is not to be written to, the next server looks again. */
void zf_catalogue_save(struct zf_catalogue *catalogue)
{
    if (!catalogue->path || !catalogue->top || catalogue->saved == catalogue->done)
        return;
    pthread_mutex_lock(&catalogue->lock);
    (void)zf_catalogue_write(catalogue, NULL);
    catalogue->saved = catalogue->done;
    pthread_mutex_unlock(&catalogue->lock);
    catalogue->saved_s = zf_clock_s();
}

/* ---- Questions. ---- */

int zf_catalogue_find(const struct zf_catalogue *catalogue, int layer, int64_t *map)
{
    if (!catalogue->top || !zf_unit_trace(catalogue->net, &layer, map))
        return -1;
    for (size_t l = 0; l < catalogue->top->layer_count; l++) {
        if (catalogue->top->layers[l].layer == layer)
            return (int)l;
    }
    return -1;
}

void zf_catalogue_progress(struct zf_catalogue *catalogue, struct zf_json *json)
{
    pthread_mutex_lock(&catalogue->lock);
    zf_json_int(json, "done", catalogue->done);
    zf_json_int(json, "images", catalogue->data ? zf_data_count(catalogue->data) : 0);
    zf_json_flag(json, "failed", catalogue->failed);
    zf_json_array(json, "layers");
    for (size_t l = 0; catalogue->top && l < catalogue->top->layer_count; l++)
        zf_json_text(json, NULL,
                     zf_net_layer(catalogue->net, catalogue->top->layers[l].layer).name);
    zf_json_end(json);
    pthread_mutex_unlock(&catalogue->lock);
}

static double mean_of(const struct zf_catalogue_map *map)
{
    return map->pictures > 0 ? map->sum / (double)map->pictures : NAN;
}

static double deviation_of(const struct zf_catalogue_map *map)
{
    const double mean = mean_of(map);

    return map->pictures > 0 ? sqrt(fmax(0, map->squares / (double)map->pictures - mean * mean))
                             : NAN;
}

void zf_catalogue_layer_numbers(struct zf_catalogue *catalogue, int at, struct zf_json *json)
{
    const size_t count = catalogue->top->layers[at].map_count;

    pthread_mutex_lock(&catalogue->lock);
    zf_json_array(json, "mean");
    for (size_t m = 0; m < count; m++)
        zf_json_real(json, NULL, mean_of(&catalogue->maps[at][m]));
    zf_json_end(json);
    zf_json_array(json, "deviation");
    for (size_t m = 0; m < count; m++)
        zf_json_real(json, NULL, deviation_of(&catalogue->maps[at][m]));
    zf_json_end(json);
    pthread_mutex_unlock(&catalogue->lock);
}

static void add_entry(const struct zf_catalogue *catalogue, int layer,
                      const struct zf_top_entry *entry, struct zf_json *json)
{
    const struct zf_data *data = catalogue->data;
    const struct zf_box patch = zf_net_patch(catalogue->net, layer, entry->y, entry->x);
    const int64_t label = zf_data_label(data, entry->sample);

    zf_json_object(json, NULL);
    zf_json_int(json, "data", entry->sample);
    zf_json_text(json, "path", zf_data_path(data, entry->sample));
    zf_json_text(json, "label", label < 0 ? NULL : zf_data_class(data, label));
    zf_json_float(json, "activation", entry->activation);
    zf_json_int(json, "y", entry->y);
    zf_json_int(json, "x", entry->x);
    zf_json_object(json, "patch");
    zf_json_int(json, "x", patch.x);
    zf_json_int(json, "y", patch.y);
    zf_json_int(json, "width", patch.width);
    zf_json_int(json, "height", patch.height);
    zf_json_end(json);
    zf_json_end(json);
}

void zf_catalogue_map_numbers(struct zf_catalogue *catalogue, int at, int64_t map,
                              struct zf_json *json)
{
    const struct zf_top_layer *layer = &catalogue->top->layers[at];
    const struct zf_catalogue_map *numbers = &catalogue->maps[at][map];
    const struct zf_top_map *list = &layer->maps[map];

    pthread_mutex_lock(&catalogue->lock);
    zf_json_text(json, "layer", zf_net_layer(catalogue->net, layer->layer).name);
    zf_json_int(json, "map", map);
    zf_json_int(json, "maps", (int64_t)layer->map_count);
    zf_json_int(json, "done", catalogue->done);
    zf_json_int(json, "images", zf_data_count(catalogue->data));
    zf_json_int(json, "pictures", numbers->pictures);
    zf_json_int(json, "active", numbers->active);
    zf_json_real(json, "mean", mean_of(numbers));
    zf_json_real(json, "deviation", deviation_of(numbers));
    zf_json_object(json, "histogram");
    zf_json_real(json, "width", numbers->width);
    zf_json_array(json, "counts");
    for (size_t i = 0; i < ZF_CATALOGUE_BINS; i++)
        zf_json_int(json, NULL, numbers->bins[i]);
    zf_json_end(json);
    zf_json_end(json);
    zf_json_array(json, "top");
    for (size_t k = 0; k < list->count; k++)
        add_entry(catalogue, layer->layer, &list->entries[k], json);
    zf_json_end(json);
    pthread_mutex_unlock(&catalogue->lock);
}

size_t zf_catalogue_strongest(struct zf_catalogue *catalogue, int at, int64_t map,
                              struct zf_top_entry *entries, size_t most)
{
    const struct zf_top_layer *layer = &catalogue->top->layers[at];
    const struct zf_top_map *list = &layer->maps[map];
    size_t count;

    pthread_mutex_lock(&catalogue->lock);
    count = list->count < most ? list->count : most;
    for (size_t k = 0; k < count; k++) {
        entries[k] = list->entries[k];
        entries[k].patch = zf_net_patch(catalogue->net, layer->layer, entries[k].y, entries[k].x);
    }
    pthread_mutex_unlock(&catalogue->lock);
    return count;
}
