/* SPDX-License-Identifier: MIT */
/* Routes of the training's page about one kept epoch: which maps are dead, and what a map looks for
   by then. The epoch's net runs over some pictures, which takes a second or so. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/pass.h"
#include "experiments/album.h"
#include "experiments/evolve/epochs.h"
#include "serve/server.h"

#define PICTURES 64 /* that are looked at, evenly taken from the data */
#define BATCH 16

/* The strongest cell of a map. */
struct peak {
    float value;
    int32_t where;
    int64_t sample;
};

struct look {
    const struct zf_net *net;
    int *layers; /* [count]: that are looked at */
    size_t count;
    struct peak **peaks; /* [count][maps] */
    float *strongest;    /* [batch * maps] */
    int32_t *where;
    int64_t pictures;
};

static void look_release(struct look *look)
{
    for (size_t l = 0; look->peaks && l < look->count; l++)
        zf_free(look->peaks[l]);
    zf_free(look->peaks);
    zf_free(look->layers);
    zf_free(look->strongest);
    zf_free(look->where);
}

/* Rectifiers, whose maps can be dead; of a net without them, what has weights. */
static void choose_layers(struct look *look)
{
    static const char *const types[] = {"relu", "conv"};
    const int layers = zf_net_layer_count(look->net);

    for (size_t t = 0; t < ZF_COUNT(types) && look->count == 0; t++) {
        for (int i = 0; i < layers; i++) {
            if (strcmp(zf_net_layer(look->net, i).type, types[t]) == 0)
                look->layers[look->count++] = i;
        }
    }
}

static enum zf_status look_begin(struct look *look, struct zf_error *err)
{
    int64_t most = 0;

    look->layers = zf_alloc((size_t)zf_net_layer_count(look->net), sizeof *look->layers);
    if (!look->layers)
        return zf_no_memory(err, "a list of layers");
    choose_layers(look);
    if (look->count == 0)
        return zf_fail(err, ZF_EUNSUPPORTED, "%s has no rectifiers, and no convolutions",
                       zf_net_name(look->net));
    look->peaks = zf_alloc(look->count, sizeof *look->peaks);
    for (size_t l = 0; look->peaks && l < look->count; l++) {
        const int64_t maps = zf_net_layer(look->net, look->layers[l]).shape.c;

        look->peaks[l] = zf_alloc((size_t)maps, sizeof **look->peaks);
        if (!look->peaks[l])
            return zf_no_memory(err, "%" PRId64 " maps", maps);
        for (int64_t m = 0; m < maps; m++)
            look->peaks[l][m] = (struct peak){.value = -INFINITY, .sample = -1};
        most = maps > most ? maps : most;
    }
    look->strongest = zf_alloc((size_t)(most * BATCH), sizeof *look->strongest);
    look->where = zf_alloc((size_t)(most * BATCH), sizeof *look->where);
    return look->peaks && look->strongest && look->where
               ? ZF_OK
               : zf_no_memory(err, "the maps of %s", zf_net_name(look->net));
}

static enum zf_status see_batch(void *user, struct zf_plan *plan, const struct zf_batch *batch,
                                struct zf_error *err)
{
    struct look *look = user;

    (void)err;
    for (size_t l = 0; l < look->count; l++) {
        const int64_t maps = zf_net_layer(look->net, look->layers[l]).shape.c;

        zf_plan_maxima(plan, look->layers[l], look->strongest, look->where);
        for (int64_t i = 0; i < batch->count * maps; i++) {
            struct peak *peak = &look->peaks[l][i % maps];

            if (look->strongest[i] > peak->value)
                *peak = (struct peak){look->strongest[i], look->where[i], batch->samples[i / maps]};
        }
    }
    look->pictures += batch->count;
    return ZF_OK;
}

static enum zf_status look_at(const struct zf_server *server, struct look *look,
                              struct zf_error *err)
{
    const int64_t all = zf_data_count(server->data);
    const int64_t count = all < PICTURES ? all : PICTURES;
    int64_t samples[PICTURES];

    for (int64_t i = 0; i < count; i++)
        samples[i] = i * all / count;
    ZF_CHECK(look_begin(look, err));
    return zf_pass_run(
        &(struct zf_pass){.net = look->net,
                          .data = server->data,
                          .plan = {.compute = zf_compute_batch(server->options->compute, BATCH),
                                   .purpose = ZF_INFER,
                                   .brief = true,
                                   .taps = look->layers,
                                   .tap_count = look->count,
                                   .taps_only = true},
                          .samples = samples,
                          .sample_count = count,
                          .visit = see_batch,
                          .user = look},
        NULL, NULL, err);
}

/* ---- As JSON. ---- */

static void add_layers(struct zf_json *json, const struct look *look)
{
    zf_json_array(json, "layers");
    for (size_t l = 0; l < look->count; l++) {
        const struct zf_layer_info info = zf_net_layer(look->net, look->layers[l]);
        int64_t dead = 0;

        for (int64_t m = 0; m < info.shape.c; m++)
            dead += !(look->peaks[l][m].value > 0.0f);
        zf_json_object(json, NULL);
        zf_json_text(json, "layer", info.name);
        zf_json_int(json, "maps", info.shape.c);
        zf_json_int(json, "dead", dead);
        zf_json_end(json);
    }
    zf_json_end(json);
}

/* Of one layer the strongest cell of each map, and in which picture. */
static void add_peaks(struct zf_json *json, const struct look *look, size_t l)
{
    const struct zf_layer_info info = zf_net_layer(look->net, look->layers[l]);

    zf_json_text(json, "layer", info.name);
    zf_json_array(json, "peaks");
    for (int64_t m = 0; m < info.shape.c; m++) {
        const struct peak *peak = &look->peaks[l][m];

        zf_json_object(json, NULL);
        zf_json_int(json, "data", peak->sample);
        zf_json_float(json, "activation", peak->value);
        zf_json_int(json, "y", peak->where / info.shape.w);
        zf_json_int(json, "x", peak->where % info.shape.w);
        zf_json_end(json);
    }
    zf_json_end(json);
}

/* The net of the epoch that is asked for, and the layer of it that is named; -1 where none is. */
static enum zf_status asked_epoch(const struct zf_asked *asked, int64_t *epoch, struct zf_net **net,
                                  int *layer, struct zf_error *err)
{
    const struct zf_server *server = asked->server;
    const char *name = zf_request_text(&asked->request, "layer");

    *epoch = *layer = -1;
    if (!server->options->run || !server->data)
        return zf_fail(err, ZF_EINVAL,
                       "this needs a training and a data set: start serve with "
                       "--run and --data");
    ZF_CHECK(zf_request_int(&asked->request, "epoch", 0, 999999, epoch, err));
    if (*epoch < 0)
        return zf_fail(err, ZF_EINVAL, "say which epoch: epoch=N");
    ZF_CHECK(zf_epoch_load(server->options->run, *epoch, net, err));
    return name ? zf_net_find_layer(*net, name, layer, err) : ZF_OK;
}

enum zf_status zf_answer_epoch(struct zf_asked *asked, struct zf_error *err)
{
    struct look look = {0};
    struct zf_net *net = NULL;
    enum zf_status status;
    struct zf_json json;
    int64_t epoch;
    int layer;

    ZF_TRY(asked_epoch(asked, &epoch, &net, &layer, err));
    look.net = net;
    ZF_TRY(look_at(asked->server, &look, err));
    json = zf_reply_object();
    zf_json_int(&json, "epoch", epoch);
    zf_json_int(&json, "pictures", look.pictures);
    add_layers(&json, &look);
    for (size_t l = 0; l < look.count; l++) {
        if (look.layers[l] == layer)
            add_peaks(&json, &look, l);
    }
    status = zf_reply_json(&asked->reply, &json, err);
fail:
    look_release(&look);
    zf_net_free(&net);
    return status;
}

/* ---- As a picture. ---- */

static void copy_box(const struct zf_picture *from, struct zf_box box, struct zf_picture *to,
                     int64_t left)
{
    for (int64_t y = 0; y < box.height; y++)
        memcpy(to->pixels + (y * to->width + left) * 3,
               from->pixels + ((box.y + y) * from->width + box.x) * 3, (size_t)box.width * 3);
}

static enum zf_status draw(struct zf_asked *asked, const struct zf_net *net,
                           const struct zf_album *album, struct zf_activation *wanted,
                           struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(net);
    struct zf_picture projection = {0}, pair = {0};
    struct zf_tensor pixels = {0};
    struct zf_box whole;
    enum zf_status status;

    ZF_TRY(zf_tensor_init(&pixels, 1, in.c, in.h, in.w, err));
    ZF_TRY(zf_project(net, &album->inputs, ZF_RULE_DECONVNET, &asked->server->options->compute,
                      wanted, &pixels, err));
    whole = (struct zf_box){.height = wanted->patch.height, .width = wanted->patch.width};
    ZF_TRY(zf_picture_from_signal(pixels.data, in, wanted->patch, 0.0f,
                                  zf_net_preparation(net)->channels, &projection, err));
    ZF_TRY(zf_picture_init(&pair, 2 * whole.width, whole.height, err));
    copy_box(&album->shown[0], wanted->patch, &pair, 0);
    copy_box(&projection, whole, &pair, whole.width);
    ZF_TRY(zf_reply_png(&asked->reply, &pair, err));
fail:
    zf_tensor_release(&pixels);
    zf_picture_release(&projection);
    zf_picture_release(&pair);
    return status;
}

/* A cell's receptive field in a picture of the data set, and its projection by that epoch's net. */
enum zf_status zf_answer_grown(struct zf_asked *asked, struct zf_error *err)
{
    const struct zf_server *server = asked->server;
    struct zf_activation wanted = {.map = 0, .y = -1, .x = -1};
    struct zf_album album = {0};
    struct zf_net *net = NULL;
    enum zf_status status;
    struct zf_shape shape;
    int64_t epoch, sample = 0;

    ZF_TRY(asked_epoch(asked, &epoch, &net, &wanted.layer, err));
    if (wanted.layer < 0)
        ZF_LEAVE(zf_fail(err, ZF_EINVAL, "say which layer: layer=L"));
    shape = zf_net_layer(net, wanted.layer).shape;
    ZF_TRY(
        zf_request_int(&asked->request, "data", 0, zf_data_count(server->data) - 1, &sample, err));
    ZF_TRY(zf_request_int(&asked->request, "map", 0, shape.c - 1, &wanted.map, err));
    ZF_TRY(zf_request_int(&asked->request, "y", 0, shape.h - 1, &wanted.y, err));
    ZF_TRY(zf_request_int(&asked->request, "x", 0, shape.w - 1, &wanted.x, err));
    ZF_TRY(zf_album_load(&album, net, server->data, &sample, 1, 1, err));
    status = draw(asked, net, &album, &wanted, err);
fail:
    zf_album_release(&album);
    zf_net_free(&net);
    return status;
}
