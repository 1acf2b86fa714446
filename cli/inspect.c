/* SPDX-License-Identifier: MIT */
/* The command that says what a net is: info. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "graph.h"
#include "machine.h"
#include "nets.h"
#include "output.h"
#include "zf/data.h"
#include "zf/document.h"

static const char *const resize_names[] = {
    [ZF_RESIZE_SHORT] = "short", [ZF_RESIZE_WARP] = "warp", [ZF_RESIZE_FIT] = "fit"};
static const char *const channels_names[] = {[ZF_CHANNELS_RGB] = "rgb", [ZF_CHANNELS_BGR] = "bgr"};

static cJSON *json_preparation(const struct zf_net *net)
{
    const struct zf_preparation *p = zf_net_preparation(net);
    const struct zf_shape input = zf_net_input(net);
    const int crop[] = {(int)input.h, (int)input.w};
    const int values = input.c == 1 ? 1 : 3;
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "resize", resize_names[p->resize]);
    cJSON_AddNumberToObject(json, "size", (double)p->size);
    if (p->width)
        cJSON_AddNumberToObject(json, "width", (double)p->width);
    cJSON_AddItemToObject(json, "crop", cJSON_CreateIntArray(crop, 2));
    cJSON_AddStringToObject(json, "channels", channels_names[p->channels]);
    cJSON_AddBoolToObject(json, "mean_image", p->mean_image != NULL);
    cJSON_AddItemToObject(json, "mean", cJSON_CreateFloatArray(p->mean, values));
    cJSON_AddItemToObject(json, "scale", cJSON_CreateFloatArray(p->scale, values));
    return json;
}

/* "short:64, crop 56x56, rgb, (value - mean of each pixel) * 0.03" */
static void print_preparation(FILE *out, const struct zf_net *net)
{
    const struct zf_preparation *p = zf_net_preparation(net);
    const struct zf_shape input = zf_net_input(net);

    fprintf(out, "pictures: %s:%" PRId64, resize_names[p->resize], p->size);
    if (p->width)
        fprintf(out, "x%" PRId64, p->width);
    fprintf(out, ", crop %" PRId64 "x%" PRId64 ", %s, (value - ", input.h, input.w,
            input.c == 1 ? "grey" : channels_names[p->channels]);
    if (p->mean_image)
        fprintf(out, "mean of each pixel)");
    else if (input.c == 1)
        fprintf(out, "%g)", (double)p->mean[0]);
    else
        fprintf(out, "%g,%g,%g)", (double)p->mean[0], (double)p->mean[1], (double)p->mean[2]);
    if (input.c == 1 || (p->scale[0] == p->scale[1] && p->scale[1] == p->scale[2]))
        fprintf(out, " * %g\n", (double)p->scale[0]);
    else
        fprintf(out, " * %g,%g,%g\n", (double)p->scale[0], (double)p->scale[1],
                (double)p->scale[2]);
}

/* Names of layers from elsewhere can be long. */
static int name_width(const struct zf_net *net)
{
    size_t width = 8;

    for (int i = 0; i < zf_net_layer_count(net); i++) {
        const size_t length = strlen(zf_net_layer(net, i).name);

        width = length > width ? length : width;
    }
    return (int)(width < 60 ? width : 60) + 2;
}

static const char *const answer_names[] = {
    [ZF_ANSWER_NUMBERS] = "numbers",
    [ZF_ANSWER_SOFTMAX] = "softmax",
    [ZF_ANSWER_SIGMOID] = "sigmoid",
};

/* "10 classes", "a yes or no", "7 numbers" */
static void format_answer(const struct zf_net *net, char *text, size_t size)
{
    const int64_t outputs = zf_net_output_count(net);
    const struct zf_shape last = zf_net_layer(net, zf_net_layer_count(net) - 1).shape;

    if (last.h != 1 || last.w != 1)
        snprintf(text, size, "%" PRId64 " maps of %" PRId64 " x %" PRId64, last.c, last.h, last.w);
    else if (zf_net_answer(net) == ZF_ANSWER_SIGMOID && outputs == 1)
        snprintf(text, size, "a yes or no");
    else if (zf_net_answer(net) == ZF_ANSWER_SIGMOID)
        snprintf(text, size, "%" PRId64 " yes or no", outputs);
    else if (zf_net_answer(net) == ZF_ANSWER_NUMBERS)
        snprintf(text, size, "%" PRId64 " number%s", outputs, outputs == 1 ? "" : "s");
    else
        snprintf(text, size, "%" PRId64 " classes", outputs);
}

static enum zf_status print_info_json(const struct call *call, const struct zf_net *net,
                                      struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);
    cJSON *json = cJSON_CreateObject(), *layers;

    cJSON_AddStringToObject(json, "name", zf_net_name(net));
    cJSON_AddItemToObject(json, "input", json_shape(input));
    cJSON_AddNumberToObject(json, "parameters", (double)zf_net_parameter_count(net));
    cJSON_AddNumberToObject(json, "classes", (double)zf_net_class_count(net));
    cJSON_AddStringToObject(json, "answer", answer_names[zf_net_answer(net)]);
    cJSON_AddNumberToObject(json, "macs", (double)zf_net_macs(net, -1));
    if (zf_net_from(net))
        cJSON_AddStringToObject(json, "from", zf_net_from(net));
    cJSON_AddItemToObject(json, "preparation", json_preparation(net));
    layers = cJSON_AddArrayToObject(json, "layers");
    for (int i = 0; i < zf_net_layer_count(net); i++) {
        const struct zf_layer_info info = zf_net_layer(net, i);
        const int64_t whole = input.h > input.w ? input.h : input.w;
        cJSON *layer = cJSON_CreateObject();

        cJSON_AddStringToObject(layer, "name", info.name);
        cJSON_AddStringToObject(layer, "op", info.type);
        cJSON_AddItemToObject(layer, "shape", json_shape(info.shape));
        cJSON_AddNumberToObject(layer, "parameters", (double)info.parameters);
        cJSON_AddNumberToObject(layer, "receptive_field",
                                (double)(info.field.global ? whole : info.field.height));
        cJSON_AddNumberToObject(layer, "rf_stride",
                                (double)(info.field.global ? 0 : info.field.stride_y));
        cJSON_AddBoolToObject(layer, "global", info.field.global);
        if (info.frozen)
            cJSON_AddBoolToObject(layer, "frozen", true);
        graph_add_inputs(layer, net, i);
        cJSON_AddItemToArray(layers, layer);
    }
    machine_add_versions(json, call->common.engine);
    return output_json(call->out, json, err);
}

static void print_info_table(FILE *out, const struct zf_net *net)
{
    const struct zf_shape input = zf_net_input(net);
    const int width = name_width(net);
    char number[32], answer[80], feeds[160];

    format_answer(net, answer, sizeof answer);
    fprintf(out, "%s: input %" PRId64 " x %" PRId64 " x %" PRId64 ", %s\n\n", zf_net_name(net),
            input.c, input.h, input.w, answer);
    fprintf(out, "%-*s%-12s%16s%14s  %s%s\n", width, "layer", "type", "shape", "parameters",
            "receptive field", graph_is_chain(net) ? "" : "  from");
    for (int i = 0; i < zf_net_layer_count(net); i++) {
        const struct zf_layer_info info = zf_net_layer(net, i);
        char shape[48], field[48] = "all";

        if (info.shape.h == 1 && info.shape.w == 1)
            snprintf(shape, sizeof shape, "%" PRId64, info.shape.c);
        else
            snprintf(shape, sizeof shape, "%" PRId64 " x %" PRId64 " x %" PRId64, info.shape.c,
                     info.shape.h, info.shape.w);
        if (!info.field.global)
            snprintf(field, sizeof field, "%" PRId64 "/%" PRId64, info.field.height,
                     info.field.stride_y);
        graph_format_inputs(net, i, feeds, sizeof feeds);
        fprintf(out, "%-*s%-12s%16s%14s  %-*s%s\n", width, info.name, info.type, shape,
                info.parameters ? format_count(info.parameters, number, sizeof number) : "",
                *feeds ? 17 : 0, field, feeds);
    }
    fprintf(out, "\n%s parameters",
            format_count(zf_net_parameter_count(net), number, sizeof number));
    fprintf(out, ", %.3g GMAC forward\n", (double)zf_net_macs(net, -1) * 1e-9);
}

/* What a training that went on from another model has recorded. */
static void print_origin(FILE *out, const struct zf_net *net)
{
    int frozen = 0;

    for (int i = 0; i < zf_net_layer_count(net); i++)
        frozen += zf_net_layer(net, i).frozen;
    if (zf_net_from(net))
        fprintf(out, "trained further from: %s; %d of its layers frozen\n", zf_net_from(net),
                frozen);
}

struct info_options {
    bool dot, spec;
};

static const struct zf_option info_table[] = {
    ZF_OPTION_ROW_FLAG(info_options, dot, "print the graph of the layers for Graphviz's dot"),
    ZF_OPTION_ROW_FLAG(info_options, spec, "print the net as the text that it is built from"),
};

static bool is_page(const char *path)
{
    const size_t length = path ? strlen(path) : 0;

    return length > 5 && strcmp(path + length - 5, ".html") == 0;
}

static enum zf_status run_info(struct call *call, struct zf_error *err)
{
    enum zf_status status;
    struct zf_model_options told = {0};
    struct zf_error reason = {0};
    struct zf_net *net = NULL;
    struct info_options given;
    bool is_model;

    ZF_TRY(args_read(call->args, (struct option_table){info_table, ZF_COUNT(info_table)}, &given,
                     err));
    if (given.dot + given.spec + call->common.json > 1)
        return zf_fail(err, ZF_EINVAL, "give one of --dot, --spec and --json");
    ZF_TRY(net_model_options(call->args, &told, err));
    told.monitor = call->monitor;
    ZF_TRY(net_open_told(&told, call->args->words[0], &net, &is_model, err));
    if (is_page(call->common.out) && !given.dot && !given.spec && !call->common.json) {
        ZF_TRY(zf_net_page_write(net, call->line, call->common.out, err));
        progress_say(call->progress, "wrote %s", call->common.out);
        call->output = OUTPUT_FILE; /* it is written */
        goto fail;
    }
    if (given.dot)
        graph_print_dot(call->out, net);
    else if (given.spec)
        fputs(zf_net_spec(net), call->out);
    else if (call->common.json)
        ZF_TRY(print_info_json(call, net, err));
    else
        print_info_table(call->out, net);
    if (zf_net_check_finite(net, &reason) != ZF_OK)
        progress_say(call->progress, "warning: %s", reason.message);
    if (is_model && !call->common.json && !given.dot &&
        !given.spec) /* a NET gets its mean in training */
        print_preparation(call->out, net);
    if (!call->common.json)
        print_origin(call->out, net);
fail:
    zf_net_free(&net);
    return status;
}

const struct command info_command = {
    .name = "info",
    .arguments = "MODEL|NET",
    .summary = "layers, shapes, parameters and receptive fields",
    .details = "A receptive field of 27/8 is 27 px wide; neighbouring cells are 8 px apart; where "
               "branches meet, it is what the largest sees. Every layer can be projected from. A "
               "layer follows the "
               "one above it unless the last column names what feeds it. -o NAME.html makes a page "
               "of it, with the graph drawn and branches side by side. --spec prints the text of "
               "a net, to be changed and given back as NET: of an ONNX model the net without its "
               "weights; with convert --weights they come back.",
    .output = OUTPUT_TEXT,
    .least = 1,
    .most = 1,
    .options = info_table,
    .option_count = ZF_COUNT(info_table),
    .runs_no_net = true,
    .imports = true,
    .run = run_info,
};
