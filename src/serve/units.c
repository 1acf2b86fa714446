/* SPDX-License-Identifier: MIT */
/* Routes about units over the data set. */
#include "base/status.h"
#include "experiments/unit/unit.h"
#include "serve/server.h"

/* How far the catalogue is; of a layer, what is usual for each map, where one layer computes them
   all. */
enum zf_status zf_answer_units(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_catalogue *catalogue = &asked->server->catalogue;
    struct zf_json json;
    int64_t first = 0;
    int layer = -1, at;

    ZF_CHECK(zf_asked_layer(asked, &layer, err));
    at = layer < 0 ? -1 : zf_catalogue_find(catalogue, layer, &first);
    json = zf_reply_object();
    zf_catalogue_progress(catalogue, &json);
    if (at >= 0 && (int64_t)catalogue->top->layers[at].map_count ==
                       zf_net_layer(asked->server->net, layer).shape.c)
        zf_catalogue_layer_numbers(catalogue, at, &json);
    return zf_reply_json(&asked->reply, &json, err);
}

/* A map of the catalogue: the one that is named, or that it is made of. */
static enum zf_status asked_unit(const struct zf_asked *asked, int *at, int64_t *map,
                                 struct zf_error *err)
{
    const struct zf_catalogue *catalogue = &asked->server->catalogue;
    int layer = -1;

    *map = 0;
    *at = -1;
    if (!catalogue->data)
        return zf_fail(err, ZF_EINVAL, "there is no data set here; start serve with --data");
    ZF_CHECK(zf_asked_layer(asked, &layer, err));
    if (layer < 0)
        return zf_fail(err, ZF_EINVAL, "say which unit: layer=L&map=N");
    ZF_CHECK(zf_request_int(&asked->request, "map", 0,
                            zf_net_layer(asked->server->net, layer).shape.c - 1, map, err));
    *at = zf_catalogue_find(catalogue, layer, map);
    return *at >= 0 ? ZF_OK
                    : zf_fail(err, ZF_EINVAL, "the maps of %s are not those of one layer's weights",
                              zf_net_layer(asked->server->net, layer).name);
}

enum zf_status zf_answer_unit(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_catalogue *catalogue = &asked->server->catalogue;
    struct zf_parameter weight;
    struct zf_json json;
    int64_t map;
    int at, layer;

    ZF_CHECK(asked_unit(asked, &at, &map, err));
    layer = catalogue->top->layers[at].layer;
    json = zf_reply_object();
    zf_catalogue_map_numbers(catalogue, at, map, &json);
    zf_json_flag(&json, "filter",
                 zf_filters_weight(asked->server->net, layer, &weight, NULL) == ZF_OK);
    return zf_reply_json(&asked->reply, &json, err);
}

/* What the experiment `unit` finds of it beyond its pictures: the net is run with it and without.
 */
enum zf_status zf_answer_connections(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_server *server = asked->server;
    struct zf_unit_options options = {.compute = server->options->compute};
    struct zf_top_entry entries[ZF_UNIT_SHOWN];
    struct zf_unit *unit = NULL;
    struct zf_json json;
    size_t count;
    int at;

    ZF_CHECK(asked_unit(asked, &at, &options.map, err));
    count = zf_catalogue_strongest(&server->catalogue, at, options.map, entries, ZF_UNIT_SHOWN);
    if (count == 0)
        return zf_fail(err, ZF_EINPUT, "no picture has been looked at yet");
    options.layer = server->catalogue.top->layers[at].layer;
    ZF_CHECK(
        zf_unit_connect(server->net, server->data, &options, entries, count, &unit, NULL, err));
    json = zf_reply_object();
    zf_unit_connections(&json, server->net, server->data, unit);
    zf_unit_free(&unit);
    return zf_reply_json(&asked->reply, &json, err);
}
