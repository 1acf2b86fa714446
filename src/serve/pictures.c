/* SPDX-License-Identifier: MIT */
/* Routes about a picture and what the net says of it. */
#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"
#include "serve/server.h"
#include "zf/classify.h"

#define PREDICTIONS 5
#define NUMBERS 20

void zf_add_predictions(struct zf_json *json, const struct zf_net *net, const float *values)
{
    const bool numbers = zf_net_answer(net) == ZF_ANSWER_NUMBERS;
    struct zf_prediction best[NUMBERS];
    const size_t count = zf_predictions(net, values, best, numbers ? NUMBERS : PREDICTIONS);

    zf_json_array(json, "predictions");
    for (size_t i = 0; i < count; i++) {
        zf_json_object(json, NULL);
        zf_json_int(json, "index", best[i].index);
        zf_json_text(json, "label", zf_net_label(net, best[i].index));
        zf_json_float(json, zf_net_answer_word(net), best[i].value);
        zf_json_end(json);
    }
    zf_json_end(json);
}

static enum zf_status answer(struct zf_asked *asked, struct zf_sight *sight, struct zf_error *err)
{
    const struct zf_server *server = asked->server;
    const struct zf_shape in = zf_net_input(server->net);
    struct zf_json json;

    ZF_CHECK(zf_lens_answer(&asked->server->lens, sight, err));
    json = zf_reply_object();
    if (sight->sample < 0) {
        zf_json_text(&json, "picture", sight->id);
    } else {
        const int64_t label = zf_data_label(server->data, sight->sample);

        zf_json_int(&json, "data", sight->sample);
        zf_json_text(&json, "path", zf_data_path(server->data, sight->sample));
        zf_json_text(&json, "label", label < 0 ? NULL : zf_data_class(server->data, label));
    }
    zf_json_int(&json, "width", in.w);
    zf_json_int(&json, "height", in.h);
    zf_add_predictions(&json, server->net, sight->answer);
    return zf_reply_json(&asked->reply, &json, err);
}

enum zf_status zf_read_upload(struct zf_asked *asked, struct zf_error *err)
{
    uint8_t *body = asked->body;

    asked->body = NULL;
    return zf_sight_read(asked->server->net, body, asked->body_size, &asked->sight, err);
}

enum zf_status zf_answer_upload(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_sight *sight = asked->sight;

    ZF_CHECK(zf_sights_add(&asked->server->sights, sight, err));
    asked->sight = NULL;
    return answer(asked, sight, err);
}

enum zf_status zf_answer_picture(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_sight *sight;

    ZF_CHECK(zf_sights_find(&asked->server->sights, &asked->request, &sight, err));
    return answer(asked, sight, err);
}

enum zf_status zf_answer_shown(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_sight *sight;

    ZF_CHECK(zf_sights_find(&asked->server->sights, &asked->request, &sight, err));
    return zf_reply_png(&asked->reply, &sight->shown, err);
}
