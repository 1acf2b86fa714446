/* SPDX-License-Identifier: MIT */
/* Routes about units over the data set. */
#include "base/status.h"
#include "serve/server.h"

static enum zf_status asked_place(const struct zf_asked *asked, int *at, struct zf_error *err)
{
    int layer = -1;

    ZF_CHECK(zf_asked_layer(asked, &layer, err));
    *at = layer < 0 ? -1 : zf_catalogue_layer(&asked->server->catalogue, layer);
    return ZF_OK;
}

/* How far the catalogue is; of a layer, what is usual for each map. */
enum zf_status zf_answer_units(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_catalogue *catalogue = &asked->server->catalogue;
    struct zf_json json;
    int at;

    ZF_CHECK(asked_place(asked, &at, err));
    json = zf_reply_object();
    zf_catalogue_progress(catalogue, &json);
    if (at >= 0)
        zf_catalogue_layer_numbers(catalogue, at, &json);
    return zf_reply_json(&asked->reply, &json, err);
}

enum zf_status zf_answer_unit(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_catalogue *catalogue = &asked->server->catalogue;
    struct zf_json json;
    int64_t map = 0;
    int at;

    if (!catalogue->data)
        return zf_fail(err, ZF_EINVAL, "there is no data set here; start serve with --data");
    ZF_CHECK(asked_place(asked, &at, err));
    if (at < 0)
        return zf_fail(err, ZF_EINVAL, "name a layer with weights, or its rectifier");
    ZF_CHECK(zf_request_int(&asked->request, "map", 0,
                            (int64_t)catalogue->top->layers[at].map_count - 1, &map, err));
    json = zf_reply_object();
    zf_catalogue_map_numbers(catalogue, at, map, &json);
    return zf_reply_json(&asked->reply, &json, err);
}
