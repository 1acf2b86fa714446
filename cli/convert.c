/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "command.h"
#include "nets.h"
#include "output.h"
#include "pipes.h"
#include "preparation.h"
#include "zf/model.h"

/* ---- convert ---- */

struct convert_options {
    const char *weights;
};

static const struct zf_option convert_table[] = {
    ZF_OPTION_ROW_TEXT(convert_options, weights, "FILE",
                       "take the weights from this safetensors file, matched by name and shape"),
};

static enum zf_status print_conversion(const struct call *call, const struct zf_net *net,
                                       const char *path, struct zf_error *err)
{
    cJSON *json;

    if (!call->common.json)
        return ZF_OK;
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", zf_net_name(net));
    cJSON_AddItemToObject(json, "input", json_shape(zf_net_input(net)));
    cJSON_AddNumberToObject(json, "classes", (double)zf_net_class_count(net));
    cJSON_AddNumberToObject(json, "parameters", (double)zf_net_parameter_count(net));
    cJSON_AddStringToObject(json, "out", path);
    return output_json(call->out, json, err);
}

static bool ends_in(const char *path, const char *ending)
{
    const size_t length = strlen(path), tail = strlen(ending);

    return length > tail && strcmp(path + length - tail, ending) == 0;
}

static enum zf_status check_ending(const char *path, struct zf_error *err)
{
    if (ends_in(path, ".onnx") || ends_in(path, ".safetensors"))
        return ZF_OK;
    return zf_fail(err, ZF_EINVAL, "cannot write %s: a model's name ends in .onnx or .safetensors",
                   path);
}

static enum zf_status run_convert(struct call *call, struct zf_error *err)
{
    const struct option_table table = {convert_table, ZF_COUNT(convert_table)};
    const char *from = call->args->words[0], *to = call->args->words[1];
    enum zf_status status;
    struct convert_options given;
    struct zf_model_options told = {0};
    struct zf_net *net = NULL;
    bool is_model;

    ZF_TRY(args_read(call->args, table, &given, err));
    if (strcmp(to, "-") == 0)
        ZF_TRY(pipes_out(call, ends_in(from, ".onnx") ? ".safetensors" : ".onnx", &to, err));
    ZF_TRY(check_ending(to, err));
    ZF_TRY(output_check_file(to, err));
    ZF_TRY(preparation_told(call, &told, err));
    ZF_TRY(net_open_told(&told, from, &net, &is_model, err));
    if (!is_model && !given.weights)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s is a net without weights; give them with --weights FILE, or train it",
                         from));
    if (given.weights)
        ZF_TRY(zf_model_load_weights(net, given.weights, NULL, call->monitor, err));
    ZF_TRY(preparation_apply(call, net, err));
    ZF_TRY(zf_model_save(net, to, err));
    ZF_TRY(print_conversion(call, net, to, err));
    progress_say(call->progress, "wrote %s", pipes_name(call, to));
fail:
    zf_net_free(&net);
    return status;
}

const struct command convert_command = {
    .name = "convert",
    .arguments = "MODEL|NET OUT",
    .summary = "a model in another format: ONNX or safetensors, by OUT's suffix",
    .details =
        "Weights keep every bit, and what is converted back is the same model. An ONNX model of "
        "another program that needs to be told something (where to end, its input's size, how its "
        "pictures are prepared) is converted once, to safetensors, and used from there. With "
        "--weights a NET (a spec, or the name of a built-in one) gets weights that another program "
        "has saved: a layer takes the tensors of its name, or else those of its shapes where that "
        "leaves no choice. OUT may be -: stdout, as safetensors of an ONNX file and else as ONNX.",
    .output = OUTPUT_TEXT,
    .least = 2,
    .most = 2,
    .runs_no_net = true,
    .writes_stdout = true,
    .options = convert_table,
    .option_count = ZF_COUNT(convert_table),
    .imports = true,
    .prepares = true,
    .run = run_convert,
};
