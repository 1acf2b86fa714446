/* SPDX-License-Identifier: MIT */
/* Routes about the net and the data set as such. */
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/data.h"
#include "serve/server.h"

#define PAGE 60 /* pictures of the data set in one answer */
#define MOST_IN_PAGE 200
#define THUMBNAIL 96 /* px */
#define MOST_CLASSES 2000

static void add_shape(struct zf_json *json, struct zf_shape shape)
{
    const double extents[] = {(double)shape.c, (double)shape.h, (double)shape.w};

    zf_json_reals(json, "shape", extents, 3);
}

static void add_layer(struct zf_json *json, const struct zf_layer_info *info)
{
    const struct zf_receptive_field *field = &info->field;

    zf_json_object(json, NULL);
    zf_json_text(json, "name", info->name);
    zf_json_text(json, "type", info->type);
    add_shape(json, info->shape);
    zf_json_int(json, "parameters", info->parameters);
    zf_json_object(json, "field");
    zf_json_flag(json, "global", field->global);
    zf_json_int(json, "height", field->height);
    zf_json_int(json, "width", field->width);
    zf_json_int(json, "stride_y", field->stride_y);
    zf_json_int(json, "stride_x", field->stride_x);
    zf_json_int(json, "start_y", field->start_y);
    zf_json_int(json, "start_x", field->start_x);
    zf_json_end(json);
    zf_json_end(json);
}

static void add_labels(struct zf_json *json, const struct zf_net *net)
{
    const int64_t classes = zf_net_class_count(net);

    zf_json_array(json, "labels");
    for (int64_t k = 0; k < classes && k < MOST_CLASSES; k++)
        zf_json_text(json, NULL, zf_net_label(net, k));
    zf_json_end(json);
}

static void add_data(struct zf_json *json, const struct zf_data *data)
{
    if (!data) {
        zf_json_text(json, "data", NULL);
        return;
    }
    zf_json_object(json, "data");
    zf_json_text(json, "name", zf_data_name(data));
    zf_json_int(json, "images", zf_data_count(data));
    zf_json_int(json, "classes", zf_data_class_count(data));
    zf_json_end(json);
}

static void add_notes(struct zf_json *json, const char *notes)
{
    char *lines = notes ? zf_strdup(notes) : NULL;

    json->failed |= notes && !lines;
    zf_json_array(json, "notes");
    for (char *line = lines; line && line[0];) {
        char *end = line + strcspn(line, "\n");
        const bool more = end[0] != '\0';

        end[0] = '\0';
        zf_json_text(json, NULL, line);
        line = end + more;
    }
    zf_json_end(json);
    zf_free(lines);
}

enum zf_status zf_answer_model(struct zf_asked *asked, struct zf_error *err)
{
    static const char *const answers[] = {[ZF_ANSWER_NUMBERS] = "numbers",
                                          [ZF_ANSWER_SOFTMAX] = "softmax",
                                          [ZF_ANSWER_SIGMOID] = "sigmoid"};
    const struct zf_net *net = asked->server->net;
    const struct zf_shape in = zf_net_input(net);
    const double input[] = {(double)in.c, (double)in.h, (double)in.w};
    struct zf_json json = zf_reply_object();

    zf_json_text(&json, "name", zf_net_name(net));
    zf_json_text(&json, "model", asked->server->options->model);
    add_notes(&json, asked->server->options->notes);
    zf_json_text(&json, "zfscope", zf_version());
    zf_json_reals(&json, "input", input, 3);
    zf_json_int(&json, "parameters", zf_net_parameter_count(net));
    zf_json_text(&json, "answer", answers[zf_net_answer(net)]);
    zf_json_flag(&json, "ends_in_maps", zf_net_check_answers(net, NULL) != ZF_OK);
    zf_json_int(&json, "classes", zf_net_class_count(net));
    zf_json_int(&json, "class_layer", zf_net_class_layer(net));
    add_labels(&json, net);
    zf_json_array(&json, "rules");
    for (int r = 0; zf_rule_names[r]; r++)
        zf_json_text(&json, NULL, zf_rule_names[r]);
    zf_json_end(&json);
    add_data(&json, asked->server->data);
    zf_json_text(&json, "run", asked->server->options->run);
    zf_json_array(&json, "layers");
    for (int i = 0; i < zf_net_layer_count(net); i++) {
        const struct zf_layer_info info = zf_net_layer(net, i);

        add_layer(&json, &info);
    }
    zf_json_end(&json);
    return zf_reply_json(&asked->reply, &json, err);
}

static enum zf_status need_data(const struct zf_asked *asked, struct zf_error *err)
{
    return asked->server->data
               ? ZF_OK
               : zf_fail(err, ZF_EINVAL, "there is no data set here; start serve with --data");
}

static const char *class_name(const struct zf_data *data, int64_t i)
{
    const int64_t label = zf_data_label(data, i);

    return label >= 0 && label < zf_data_class_count(data) ? zf_data_class(data, label) : NULL;
}

/* A page of the list, of all pictures or of one class. Samples are ordered by class. */
enum zf_status zf_answer_data(struct zf_asked *asked, struct zf_error *err)
{
    const struct zf_data *data = asked->server->data;
    int64_t from = 0, count = PAGE;
    struct zf_json json;

    ZF_CHECK(need_data(asked, err));
    ZF_CHECK(zf_request_int(&asked->request, "from", 0, INT64_MAX / 2, &from, err));
    ZF_CHECK(zf_request_int(&asked->request, "count", 1, MOST_IN_PAGE, &count, err));
    json = zf_reply_object();
    zf_json_int(&json, "images", zf_data_count(data));
    zf_json_int(&json, "from", from);
    zf_json_array(&json, "items");
    for (int64_t i = from; i < from + count && i < zf_data_count(data); i++) {
        zf_json_object(&json, NULL);
        zf_json_int(&json, "data", i);
        zf_json_text(&json, "path", zf_data_path(data, i));
        zf_json_text(&json, "label", class_name(data, i));
        zf_json_end(&json);
    }
    zf_json_end(&json);
    return zf_reply_json(&asked->reply, &json, err);
}

/* On the reader's thread: the data set may be used by several. */
enum zf_status zf_answer_thumbnail(struct zf_asked *asked, struct zf_error *err)
{
    const struct zf_data *data = asked->server->data;
    const struct zf_net *net = asked->server->net;
    struct zf_geometry geometry = zf_geometry_of(zf_net_preparation(net), zf_net_input(net));
    struct zf_picture square = {0}, small = {0};
    enum zf_status status;
    int64_t i = 0;

    ZF_CHECK(need_data(asked, err));
    ZF_CHECK(zf_request_int(&asked->request, "data", 0, zf_data_count(data) - 1, &i, err));
    ZF_TRY(zf_picture_init(&square, geometry.width, geometry.height, err));
    ZF_TRY(zf_data_accepts(data, geometry, err));
    ZF_TRY(zf_data_pixels(data, i, geometry, square.pixels, NULL, err));
    ZF_TRY(zf_picture_square(&square, zf_geometry_square(ZF_RESIZE_WARP, THUMBNAIL), &small, err));
    ZF_TRY(zf_reply_jpeg(&asked->reply, &small, err));
fail:
    zf_picture_release(&square);
    zf_picture_release(&small);
    return status;
}
