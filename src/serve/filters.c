/* SPDX-License-Identifier: MIT */
/* Routes about filters over the picture's channels: of one map, and of the epochs of a training. */
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "experiments/evolve/epochs.h"
#include "serve/server.h"

#define TILE 48 /* px of a filter on a sheet */

/* [maps, channels, height, width] of the net. */
static enum zf_status reply_weights(struct zf_asked *asked, const struct zf_net *net, int layer,
                                    int64_t map, struct zf_error *err)
{
    struct zf_parameter weight;
    struct zf_tensor shown;

    ZF_CHECK(zf_filters_weight(net, layer, &weight, err));
    shown = zf_tensor_view((float *)(uintptr_t)weight.data, weight.dims[0], weight.dims[1],
                           weight.dims[2], weight.dims[3]);
    if (map >= 0)
        shown = zf_tensor_view(shown.data + map * shown.c * shown.h * shown.w, 1, shown.c, shown.h,
                               shown.w);
    return zf_reply_npy(&asked->reply, &shown, err);
}

/* One filter, or with map = -1 all of them, in the form that is asked for. */
static enum zf_status reply_filters(struct zf_asked *asked, const struct zf_net *net, int layer,
                                    int64_t map, struct zf_error *err)
{
    struct zf_picture picture = {0};
    enum zf_status status;
    int form = ZF_FORM_PNG;

    ZF_CHECK(zf_request_choice(&asked->request, "form", zf_form_names, &form, err));
    if (form == ZF_FORM_NPY)
        return reply_weights(asked, net, layer, map, err);
    if (map >= 0)
        ZF_TRY(zf_filter_picture(net, layer, map, &picture, err));
    else
        ZF_TRY(zf_filters_picture(net, layer, TILE, &picture, err));
    ZF_TRY(zf_reply_png(&asked->reply, &picture, err));
fail:
    zf_picture_release(&picture);
    return status;
}

enum zf_status zf_answer_filter(struct zf_asked *asked, struct zf_error *err)
{
    const struct zf_net *net = asked->server->net;
    int64_t map = 0;
    int layer = 0;

    ZF_CHECK(zf_asked_layer(asked, &layer, err));
    ZF_CHECK(
        zf_request_int(&asked->request, "map", 0, zf_net_layer(net, layer).shape.c - 1, &map, err));
    return reply_filters(asked, net, layer, map, err);
}

/* The first convolution's filters at a kept epoch. */
enum zf_status zf_answer_filters(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_net *net = NULL;
    enum zf_status status;
    int64_t epoch = -1;
    int layer = 0;

    ZF_CHECK(zf_need_run(asked, err));
    ZF_CHECK(zf_request_int(&asked->request, "epoch", 0, 999999, &epoch, err));
    if (epoch < 0)
        return zf_fail(err, ZF_EINVAL, "say which epoch: epoch=N");
    ZF_CHECK(zf_epoch_load(asked->server->options->run, epoch, &net, err));
    while (layer + 1 < zf_net_layer_count(net) &&
           strcmp(zf_net_layer(net, layer).type, "conv") != 0)
        layer++;
    status = reply_filters(asked, net, layer, -1, err);
    zf_net_free(&net);
    return status;
}
