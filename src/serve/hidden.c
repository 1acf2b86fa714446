/* SPDX-License-Identifier: MIT */
/* Routes about a picture that is changed: a square hides a place, all places, or it is moved. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/picture.h"
#include "look/choose.h"
#include "serve/server.h"

/* "mean", or "R,G,B" of 0 to 255; the mean unless named. */
static enum zf_status asked_colour(const struct zf_asked *asked, struct zf_hidden_as *as,
                                   struct zf_error *err)
{
    const char *text = zf_request_text(&asked->request, "colour");
    int parts[3], end = 0;

    if (!text || strcmp(text, "mean") == 0)
        return ZF_OK;
    if (sscanf(text, "%3d,%3d,%3d%n", &parts[0], &parts[1], &parts[2], &end) != 3 ||
        text[end] != '\0')
        return zf_fail(err, ZF_EINVAL, "colour is mean, or R,G,B of 0 to 255, not '%s'", text);
    as->coloured = true;
    for (int c = 0; c < 3; c++) {
        if (parts[c] < 0 || parts[c] > 255)
            return zf_fail(err, ZF_EINVAL, "a colour's parts are 0 to 255, not %d", parts[c]);
        as->colour[c] = (float)parts[c];
    }
    return ZF_OK;
}

/* Whose activity is followed: the layer that is named, or the last convolution, rectified; the map
   that is named, or the strongest on the picture. */
static enum zf_status asked_map(struct zf_asked *asked, struct zf_sight *sight, int *layer,
                                int64_t *map, struct zf_error *err)
{
    struct zf_server *server = asked->server;
    struct zf_activation strongest = {.map = -1, .y = -1, .x = -1};
    struct zf_plan *plan;

    if (zf_request_text(&asked->request, "layer"))
        ZF_CHECK(zf_asked_layer(asked, layer, err));
    else if (zf_choose_last_conv(server->net, true, layer, NULL) != ZF_OK)
        *layer = zf_net_class_layer(server->net);
    *map = -1;
    ZF_CHECK(zf_request_int(&asked->request, "map", 0,
                            zf_net_layer(server->net, *layer).shape.c - 1, map, err));
    if (*map >= 0)
        return ZF_OK;
    strongest.layer = *layer;
    ZF_CHECK(zf_lens_view(&server->lens, sight, &plan, err));
    ZF_CHECK(zf_activation_choose(plan, server->net, &strongest, err));
    *map = strongest.map;
    return ZF_OK;
}

/* The class that is followed: the one named by its number, or the most probable. */
static enum zf_status asked_class(struct zf_asked *asked, struct zf_sight *sight, int64_t *class,
                                  struct zf_error *err)
{
    const struct zf_net *net = asked->server->net;

    ZF_CHECK(zf_lens_answer(&asked->server->lens, sight, err));
    *class = zf_first_largest(sight->answer, zf_net_class_count(net));
    return zf_request_int(&asked->request, "class", 0, zf_net_class_count(net) - 1, class, err);
}

static enum zf_status asked_box(const struct zf_asked *asked, struct zf_box *box,
                                struct zf_error *err)
{
    const struct zf_request *request = &asked->request;
    const struct zf_shape in = zf_net_input(asked->server->net);

    *box = (struct zf_box){0};
    ZF_CHECK(zf_request_int(request, "x", 0, in.w - 1, &box->x, err));
    ZF_CHECK(zf_request_int(request, "y", 0, in.h - 1, &box->y, err));
    ZF_CHECK(zf_request_int(request, "width", 0, in.w, &box->width, err));
    ZF_CHECK(zf_request_int(request, "height", 0, in.h, &box->height, err));
    if (box->width > in.w - box->x)
        box->width = in.w - box->x;
    if (box->height > in.h - box->y)
        box->height = in.h - box->y;
    return ZF_OK;
}

enum zf_status zf_answer_hidden(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_server *server = asked->server;
    struct zf_hidden_as as = {0};
    struct zf_sight *sight;
    struct zf_box box;
    struct zf_json json;
    int64_t map, class;
    float *values = NULL, sum = 0.0f;
    enum zf_status status;

    ZF_CHECK(asked_box(asked, &box, err));
    ZF_CHECK(asked_colour(asked, &as, err));
    ZF_CHECK(zf_sights_find(&server->sights, &asked->request, &sight, err));
    ZF_CHECK(asked_map(asked, sight, &as.layer, &map, err));
    ZF_CHECK(asked_class(asked, sight, &class, err));
    values = zf_alloc((size_t)zf_net_class_count(server->net), sizeof *values);
    if (!values)
        return zf_no_memory(err, "an answer");
    ZF_TRY(zf_hiding_box(&server->hiding, sight, &as, box, map, values, &sum, err));
    json = zf_reply_object();
    zf_json_int(&json, "class", class);
    zf_json_text(&json, "label", zf_net_label(server->net, class));
    zf_json_float(&json, "probability", values[class]);
    zf_json_text(&json, "layer", zf_net_layer(server->net, as.layer).name);
    zf_json_int(&json, "map", map);
    zf_json_float(&json, "activation", sum);
    zf_add_predictions(&json, server->net, values);
    status = zf_reply_json(&asked->reply, &json, err);
fail:
    zf_free(values);
    return status;
}

/* ---- All places. ---- */

static enum zf_status asked_growing(struct zf_asked *asked, struct zf_sight *sight,
                                    struct zf_growing_ask *ask, struct zf_error *err)
{
    *ask = (struct zf_growing_ask){.options.layer = -1};
    ZF_CHECK(zf_request_int(&asked->request, "size", 0, 65536, &ask->options.size, err));
    ZF_CHECK(zf_request_int(&asked->request, "stride", 0, 65536, &ask->options.stride, err));
    ZF_CHECK(asked_colour(asked, &ask->as, err));
    ZF_CHECK(asked_map(asked, sight, &ask->as.layer, &ask->map, err));
    ask->options.layer = ask->as.layer;
    return asked_class(asked, sight, &ask->target, err);
}

/* As far as it has grown: who asks again keeps it growing. */
enum zf_status zf_answer_occlusion(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_server *server = asked->server;
    struct zf_growing_ask ask;
    struct zf_growing *map = NULL;
    struct zf_sight *sight;
    struct zf_json json;
    int64_t stop = 0;

    ZF_CHECK(zf_request_int(&asked->request, "stop", 0, 1, &stop, err));
    ZF_CHECK(zf_sights_find(&server->sights, &asked->request, &sight, err));
    ZF_CHECK(asked_growing(asked, sight, &ask, err));
    ZF_CHECK(zf_hiding_grow(&server->hiding, sight, &ask, &map, err));
    if (stop)
        zf_hiding_stop(map);
    json = zf_reply_object();
    zf_json_int(&json, "class", map->target);
    zf_json_text(&json, "label", zf_net_label(server->net, map->target));
    zf_json_float(&json, "probability", sight->answer[map->target]);
    zf_json_int(&json, "size", map->grid.size);
    zf_json_int(&json, "stride", map->grid.stride);
    zf_json_text(&json, "layer", zf_net_layer(server->net, map->as.layer).name);
    zf_json_int(&json, "map", map->map);
    zf_json_int(&json, "done", map->done);
    zf_json_int(&json, "places", map->cells);
    zf_json_float_grid(&json, "probability_map", map->probability, map->grid.rows,
                       map->grid.columns);
    zf_json_int_grid(&json, "class_map", map->class_map, map->grid.rows, map->grid.columns);
    zf_json_float_grid(&json, "activation_map", map->activation, map->grid.rows, map->grid.columns);
    return zf_reply_json(&asked->reply, &json, err);
}

/* ---- Moved. ---- */

static enum zf_status asked_transform(const struct zf_asked *asked, struct zf_transform *transform,
                                      struct zf_error *err)
{
    const struct zf_request *request = &asked->request;
    const struct zf_shape in = zf_net_input(asked->server->net);
    const double side = (double)(in.h > in.w ? in.h : in.w);

    *transform = (struct zf_transform){.scale = 1.0};
    ZF_CHECK(zf_request_real(request, "shift_x", -side, side, &transform->shift_x, err));
    ZF_CHECK(zf_request_real(request, "shift_y", -side, side, &transform->shift_y, err));
    ZF_CHECK(zf_request_real(request, "scale", 1.0 / 16, 16, &transform->scale, err));
    return zf_request_real(request, "degrees", -360, 360, &transform->degrees, err);
}

/* A layer's features, as the plan has them now. */
static enum zf_status features(const struct zf_net *net, struct zf_plan *plan, int layer,
                               struct zf_tensor *values, struct zf_error *err)
{
    const struct zf_shape shape = zf_net_layer(net, layer).shape;

    ZF_CHECK(zf_tensor_init(values, 1, shape.c, shape.h, shape.w, err));
    zf_plan_read(plan, layer, values);
    return ZF_OK;
}

static double distance(const struct zf_tensor *a, const struct zf_tensor *b)
{
    const int64_t count = zf_tensor_count(a);
    double sum = 0;

    for (int64_t i = 0; i < count; i++)
        sum +=
            ((double)a->data[i] - (double)b->data[i]) * ((double)a->data[i] - (double)b->data[i]);
    return sqrt(sum);
}

#define COMPARED 2 /* the end of the first stage, and the last hidden layer */

struct moved {
    int layers[COMPARED];
    struct zf_tensor before[COMPARED], after[COMPARED];
    struct zf_picture square, shown;
    struct zf_tensor input, answer;
};

static void moved_release(struct moved *moved)
{
    for (int l = 0; l < COMPARED; l++) {
        zf_tensor_release(&moved->before[l]);
        zf_tensor_release(&moved->after[l]);
    }
    zf_picture_release(&moved->square);
    zf_picture_release(&moved->shown);
    zf_tensor_release(&moved->input);
    zf_tensor_release(&moved->answer);
}

static enum zf_status run_moved(struct zf_server *server, struct zf_sight *sight,
                                struct moved *moved, struct zf_error *err)
{
    const struct zf_net *net = server->net;
    const struct zf_preparation *preparation = zf_net_preparation(net);
    const struct zf_shape in = zf_net_input(net);
    struct zf_plan *plan;

    ZF_CHECK(zf_choose_first_stage(net, &moved->layers[0], err));
    ZF_CHECK(zf_choose_last_hidden(net, true, &moved->layers[1], err));
    ZF_CHECK(zf_lens_view(&server->lens, sight, &plan, err));
    for (int l = 0; l < COMPARED; l++)
        ZF_CHECK(features(net, plan, moved->layers[l], &moved->before[l], err));
    ZF_CHECK(zf_tensor_init(&moved->input, 1, in.c, in.h, in.w, err));
    zf_picture_prepare(&moved->square, preparation, in, zf_view_centre(preparation, in),
                       moved->input.data);
    ZF_CHECK(zf_lens_run(&server->lens, &moved->input, &plan, err));
    for (int l = 0; l < COMPARED; l++)
        ZF_CHECK(features(net, plan, moved->layers[l], &moved->after[l], err));
    ZF_CHECK(zf_tensor_init(&moved->answer, 1, zf_net_class_count(net), 1, 1, err));
    return zf_plan_answer(plan, &moved->answer, err);
}

static enum zf_status print_moved(struct zf_asked *asked, const struct moved *moved, int64_t class,
                                  struct zf_error *err)
{
    const struct zf_net *net = asked->server->net;
    struct zf_json json = zf_reply_object();

    zf_json_int(&json, "class", class);
    zf_json_text(&json, "label", zf_net_label(net, class));
    zf_json_float(&json, "probability", moved->answer.data[class]);
    zf_json_array(&json, "distance");
    for (int l = 0; l < COMPARED; l++) {
        zf_json_object(&json, NULL);
        zf_json_text(&json, "layer", zf_net_layer(net, moved->layers[l]).name);
        zf_json_real(&json, "distance", distance(&moved->before[l], &moved->after[l]));
        zf_json_end(&json);
    }
    zf_json_end(&json);
    zf_add_predictions(&json, net, moved->answer.data);
    return zf_reply_json(&asked->reply, &json, err);
}

enum zf_status zf_answer_moved(struct zf_asked *asked, struct zf_error *err)
{
    static const char *const forms[] = {"json", "png", NULL};
    struct zf_server *server = asked->server;
    const struct zf_net *net = server->net;
    struct moved moved = {0};
    struct zf_transform transform;
    struct zf_sight *sight;
    enum zf_status status;
    int64_t class;
    int form = 0;

    ZF_CHECK(asked_transform(asked, &transform, err));
    ZF_CHECK(zf_request_choice(&asked->request, "form", forms, &form, err));
    ZF_CHECK(zf_sights_find(&server->sights, &asked->request, &sight, err));
    if (!sight->square.pixels)
        return zf_fail(err, ZF_EINPUT, "this input was prepared elsewhere: it cannot be moved");
    ZF_TRY(zf_picture_transform(&sight->square, &transform, &moved.square, err));
    if (form == 1) {
        ZF_TRY(zf_picture_crop(&moved.square,
                               zf_view_centre(zf_net_preparation(net), zf_net_input(net)),
                               zf_net_input(net), &moved.shown, err));
        ZF_TRY(zf_reply_png(&asked->reply, &moved.shown, err));
    } else {
        ZF_TRY(asked_class(asked, sight, &class, err));
        ZF_TRY(run_moved(server, sight, &moved, err));
        ZF_TRY(print_moved(asked, &moved, class, err));
    }
fail:
    moved_release(&moved);
    return status;
}
