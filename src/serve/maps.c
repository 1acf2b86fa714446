/* SPDX-License-Identifier: MIT */
/* Routes about a layer's maps on a picture: all as a wall, their values, a cell's projection. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "serve/server.h"

#define TILE 64 /* px: larger maps are shrunk to it on a sheet */

const char *const zf_form_names[] = {"json", "png", "npy", NULL};

enum zf_status zf_asked_layer(const struct zf_asked *asked, int *layer, struct zf_error *err)
{
    const char *name = zf_request_text(&asked->request, "layer");

    return name ? zf_net_find_layer(asked->server->net, name, layer, err) : ZF_OK;
}

/* A layer of a picture, read: everything that the routes of one layer begin with. */
struct looked {
    int layer;
    struct zf_layer_info info;
    struct zf_sight *sight;
    struct zf_plan *plan;
    struct zf_tensor values; /* [1, c, h, w]; owned */
};

static enum zf_status look(struct zf_asked *asked, bool values, struct looked *looked,
                           struct zf_error *err)
{
    struct zf_server *server = asked->server;
    enum zf_status status;

    *looked = (struct looked){.layer = zf_net_layer_count(server->net) - 1};
    ZF_CHECK(zf_asked_layer(asked, &looked->layer, err));
    looked->info = zf_net_layer(server->net, looked->layer);
    ZF_CHECK(zf_sights_find(&server->sights, &asked->request, &looked->sight, err));
    ZF_CHECK(zf_lens_view(&server->lens, looked->sight, &looked->plan, err));
    if (!values)
        return ZF_OK;
    ZF_CHECK(zf_tensor_init(&looked->values, 1, looked->info.shape.c, looked->info.shape.h,
                            looked->info.shape.w, err));
    status = ZF_OK;
    zf_plan_read(looked->plan, looked->layer, &looked->values);
    return status;
}

/* ---- The wall. ---- */

/* How maps lie on a sheet: `columns` tiles a row, without gaps. */
struct sheet {
    int64_t columns, rows, height, width; /* of a tile */
    float limit;                          /* the largest magnitude, shown as white */
    bool is_signed;                       /* zero is mid grey, else black */
};

static float largest_of(const float *values, int64_t count)
{
    float most = 0.0f;

    for (int64_t i = 0; i < count; i++)
        most = fmaxf(most, fabsf(values[i]));
    return most;
}

static struct sheet arrange(const struct zf_tensor *values)
{
    const int64_t longer = values->h > values->w ? values->h : values->w;
    const int64_t shrink = (longer + TILE - 1) / TILE;
    const int64_t count = zf_tensor_count(values);
    struct sheet sheet = {.limit = largest_of(values->data, count),
                          .columns = (int64_t)ceil(sqrt((double)values->c)),
                          .height = (values->h + shrink - 1) / shrink,
                          .width = (values->w + shrink - 1) / shrink};

    sheet.rows = (values->c + sheet.columns - 1) / sheet.columns;
    for (int64_t i = 0; i < count; i++)
        sheet.is_signed |= values->data[i] < 0.0f;
    return sheet;
}

/* Of the cells that a pixel of a tile stands for, the one of largest magnitude: what is strong
   stays in sight. */
static float strongest(const struct zf_tensor *values, int64_t map, const struct sheet *sheet,
                       int64_t y, int64_t x)
{
    const int64_t top = y * values->h / sheet->height, bottom = (y + 1) * values->h / sheet->height;
    const int64_t left = x * values->w / sheet->width, right = (x + 1) * values->w / sheet->width;
    float value = 0.0f;

    for (int64_t i = top; i < bottom; i++) {
        for (int64_t j = left; j < right; j++) {
            const float other = values->data[(map * values->h + i) * values->w + j];

            value = fabsf(other) > fabsf(value) ? other : value;
        }
    }
    return value;
}

static uint8_t shade(const struct sheet *sheet, float limit, float value)
{
    const float share = limit > 0.0f ? value / limit : 0.0f;

    return (uint8_t)lroundf(sheet->is_signed ? 127.5f + 127.5f * share : 255.0f * share);
}

static void paint(const struct zf_tensor *values, const struct sheet *sheet, int64_t map,
                  float limit, struct zf_picture *picture)
{
    const int64_t top = map / sheet->columns * sheet->height;
    const int64_t left = map % sheet->columns * sheet->width;

    for (int64_t y = 0; y < sheet->height; y++) {
        for (int64_t x = 0; x < sheet->width; x++)
            memset(picture->pixels + ((top + y) * picture->width + left + x) * 3,
                   shade(sheet, limit, strongest(values, map, sheet, y, x)), 3);
    }
}

enum zf_status zf_answer_sheet(struct zf_asked *asked, struct zf_error *err)
{
    struct looked looked;
    struct sheet sheet;
    struct zf_picture picture = {0};
    enum zf_status status;
    int64_t own = 0;

    ZF_CHECK(zf_request_int(&asked->request, "own", 0, 1, &own, err));
    ZF_CHECK(look(asked, true, &looked, err));
    sheet = arrange(&looked.values);
    ZF_TRY(zf_picture_init(&picture, sheet.columns * sheet.width, sheet.rows * sheet.height, err));
    for (int64_t map = 0; map < looked.values.c; map++) {
        const int64_t cells = looked.values.h * looked.values.w;
        const float limit = own ? largest_of(looked.values.data + map * cells, cells) : sheet.limit;

        paint(&looked.values, &sheet, map, limit, &picture);
    }
    ZF_TRY(zf_reply_png(&asked->reply, &picture, err));
fail:
    zf_picture_release(&picture);
    zf_tensor_release(&looked.values);
    return status;
}

static void add_places(struct zf_json *json, const int32_t *where, const struct zf_shape *shape)
{
    zf_json_array(json, "y");
    for (int64_t map = 0; map < shape->c; map++)
        zf_json_int(json, NULL, where[map] / shape->w);
    zf_json_end(json);
    zf_json_array(json, "x");
    for (int64_t map = 0; map < shape->c; map++)
        zf_json_int(json, NULL, where[map] % shape->w);
    zf_json_end(json);
}

/* Strongest activation of each map with its place, and how the sheet is to be read. */
enum zf_status zf_answer_layer(struct zf_asked *asked, struct zf_error *err)
{
    struct looked looked;
    struct sheet sheet;
    struct zf_json json;
    float *strength = NULL;
    int32_t *where = NULL;
    enum zf_status status;

    ZF_CHECK(look(asked, true, &looked, err));
    sheet = arrange(&looked.values);
    strength = zf_alloc((size_t)looked.info.shape.c, sizeof *strength);
    where = zf_alloc((size_t)looked.info.shape.c, sizeof *where);
    if (!strength || !where)
        ZF_LEAVE(zf_no_memory(err, "the maxima of %" PRId64 " maps", looked.info.shape.c));
    zf_plan_maxima(looked.plan, looked.layer, strength, where);
    json = zf_reply_object();
    zf_json_text(&json, "layer", looked.info.name);
    zf_json_int(&json, "maps", looked.info.shape.c);
    zf_json_int(&json, "height", looked.info.shape.h);
    zf_json_int(&json, "width", looked.info.shape.w);
    zf_json_object(&json, "sheet");
    zf_json_int(&json, "columns", sheet.columns);
    zf_json_int(&json, "tile_height", sheet.height);
    zf_json_int(&json, "tile_width", sheet.width);
    zf_json_float(&json, "limit", sheet.limit);
    zf_json_flag(&json, "signed", sheet.is_signed);
    zf_json_end(&json);
    zf_json_array(&json, "strength");
    for (int64_t map = 0; map < looked.info.shape.c; map++)
        zf_json_float(&json, NULL, strength[map]);
    zf_json_end(&json);
    add_places(&json, where, &looked.info.shape);
    status = zf_reply_json(&asked->reply, &json, err);
fail:
    zf_free(strength);
    zf_free(where);
    zf_tensor_release(&looked.values);
    return status;
}

/* ---- Values. ---- */

enum zf_status zf_answer_activations(struct zf_asked *asked, struct zf_error *err)
{
    struct looked looked;
    struct zf_tensor values;
    enum zf_status status;
    int form = ZF_FORM_NPY;
    int64_t map = -1;

    ZF_CHECK(zf_request_choice(&asked->request, "form", zf_form_names, &form, err));
    ZF_CHECK(look(asked, true, &looked, err));
    ZF_TRY(zf_request_int(&asked->request, "map", 0, looked.values.c - 1, &map, err));
    values = looked.values;
    if (map >= 0)
        values = zf_tensor_view(looked.values.data + map * values.h * values.w, 1, 1, values.h,
                                values.w);
    if (form == ZF_FORM_NPY) {
        ZF_TRY(zf_reply_npy(&asked->reply, &values, err));
    } else {
        struct zf_json json = zf_reply_object();

        zf_json_text(&json, "layer", looked.info.name);
        zf_json_int(&json, "map", map);
        zf_json_float_grid(&json, "values", values.data, values.c * values.h, values.w);
        ZF_TRY(zf_reply_json(&asked->reply, &json, err));
    }
fail:
    zf_tensor_release(&looked.values);
    return status;
}

/* ---- A cell, projected. ---- */

enum zf_status zf_asked_activation(const struct zf_asked *asked, struct zf_activation *wanted,
                                   struct zf_error *err)
{
    const struct zf_net *net = asked->server->net;
    struct zf_shape shape;

    *wanted = (struct zf_activation){.layer = zf_net_class_layer(net), .map = -1, .y = -1, .x = -1};
    ZF_CHECK(zf_asked_layer(asked, &wanted->layer, err));
    shape = zf_net_layer(net, wanted->layer).shape;
    ZF_CHECK(zf_request_int(&asked->request, "map", -1, shape.c - 1, &wanted->map, err));
    ZF_CHECK(zf_request_int(&asked->request, "y", -1, shape.h - 1, &wanted->y, err));
    ZF_CHECK(zf_request_int(&asked->request, "x", -1, shape.w - 1, &wanted->x, err));
    return zf_activation_check(net, wanted, err);
}

enum zf_status zf_reply_projection(struct zf_asked *asked, const struct zf_tensor *pixels,
                                   const struct zf_activation *of, struct zf_error *err)
{
    const struct zf_net *net = asked->server->net;
    const struct zf_shape shape = zf_net_input(net);
    struct zf_picture picture = {0};
    enum zf_status status;
    struct zf_box box = {0, 0, shape.w, shape.h};
    double limit = 0;
    int64_t field = 0;

    ZF_CHECK(zf_request_real(&asked->request, "limit", 0, 1e38, &limit, err));
    ZF_CHECK(zf_request_int(&asked->request, "field", 0, 1, &field, err));
    if (field)
        box = of->patch;
    ZF_TRY(zf_picture_from_signal(pixels->data, shape, box, (float)limit,
                                  zf_net_preparation(net)->channels, &picture, err));
    ZF_TRY(zf_reply_png(&asked->reply, &picture, err));
fail:
    zf_picture_release(&picture);
    return status;
}

/* One rule in any form; as JSON without a rule all of them, to be shown at one scale. */
enum zf_status zf_answer_projection(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_server *server = asked->server;
    const struct zf_tensor *pixels = NULL;
    struct zf_activation wanted;
    struct zf_sight *sight;
    struct zf_json json;
    float each[ZF_RULE_COUNT], most = 0.0f;
    int form = ZF_FORM_JSON, rule = ZF_RULE_DECONVNET;

    ZF_CHECK(zf_asked_activation(asked, &wanted, err));
    ZF_CHECK(zf_request_choice(&asked->request, "form", zf_form_names, &form, err));
    ZF_CHECK(zf_request_choice(&asked->request, "rule", zf_rule_names, &rule, err));
    ZF_CHECK(zf_sights_find(&server->sights, &asked->request, &sight, err));
    if (form != ZF_FORM_JSON) {
        ZF_CHECK(zf_lens_project(&server->lens, sight, (enum zf_rule)rule, &wanted, &pixels, err));
        return form == ZF_FORM_PNG ? zf_reply_projection(asked, pixels, &wanted, err)
                                   : zf_reply_npy(&asked->reply, pixels, err);
    }
    for (int r = 0; r < ZF_RULE_COUNT; r++) {
        ZF_CHECK(zf_lens_project(&server->lens, sight, (enum zf_rule)r, &wanted, &pixels, err));
        each[r] = largest_of(pixels->data, zf_tensor_count(pixels));
        most = fmaxf(most, each[r]);
    }
    json = zf_reply_object();
    zf_json_text(&json, "layer", zf_net_layer(server->net, wanted.layer).name);
    zf_json_int(&json, "map", wanted.map);
    zf_json_int(&json, "y", wanted.y);
    zf_json_int(&json, "x", wanted.x);
    zf_json_float(&json, "activation", wanted.value);
    zf_json_object(&json, "receptive_field");
    zf_json_int(&json, "x", wanted.patch.x);
    zf_json_int(&json, "y", wanted.patch.y);
    zf_json_int(&json, "width", wanted.patch.width);
    zf_json_int(&json, "height", wanted.patch.height);
    zf_json_end(&json);
    zf_json_float(&json, "limit", most);
    zf_json_object(&json, "largest");
    for (int r = 0; r < ZF_RULE_COUNT; r++)
        zf_json_float(&json, zf_rule_names[r], each[r]);
    zf_json_end(&json);
    return zf_reply_json(&asked->reply, &json, err);
}
