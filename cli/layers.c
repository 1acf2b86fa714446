/* SPDX-License-Identifier: MIT */
/* Commands that look at one layer for one image: activations and project. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "nets.h"
#include "output.h"
#include "pipes.h"
#include "preparation.h"
#include "zf/document.h"
#include "zf/image.h"
#include "zf/look.h"

/* ---- activations ---- */

#define ACTIVATIONS_BATCH 16

struct activations_options {
    const char *layer;
};

static const struct zf_option activations_table[] = {
    ZF_OPTION_ROW_TEXT(activations_options, layer, "L", "name of the layer, or its index"),
};

static enum zf_status print_activations(const struct call *call, const char *layer,
                                        const struct zf_tensor *values, struct zf_error *err)
{
    const double shape[] = {(double)values->n, (double)values->c, (double)values->h,
                            (double)values->w};
    cJSON *json;

    if (!call->common.json)
        return ZF_OK;
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "layer", layer);
    cJSON_AddItemToObject(json, "shape", cJSON_CreateDoubleArray(shape, 4));
    cJSON_AddStringToObject(json, "out", call->common.out);
    return output_json(call->out, json, err);
}

/* Run all inputs and gather the layer's output. */
static enum zf_status gather(struct zf_plan *plan, int layer, const struct zf_tensor *input,
                             struct zf_tensor *values, struct zf_error *err)
{
    const int64_t in_each = input->c * input->h * input->w;
    const int64_t out_each = values->c * values->h * values->w;

    for (int64_t at = 0; at < input->n; at += ACTIVATIONS_BATCH) {
        const int64_t n = input->n - at < ACTIVATIONS_BATCH ? input->n - at : ACTIVATIONS_BATCH;
        struct zf_tensor src =
            zf_tensor_view(input->data + at * in_each, n, input->c, input->h, input->w);
        struct zf_tensor dst =
            zf_tensor_view(values->data + at * out_each, n, values->c, values->h, values->w);

        zf_plan_forward(plan, &src);
        ZF_CHECK(zf_plan_check_finite(plan, &src, NULL, err));
        zf_plan_read(plan, layer, &dst);
    }
    return ZF_OK;
}

static bool is_numpy(const char *path)
{
    const size_t length = strlen(path);

    return length > 4 && strcmp(path + length - 4, ".npy") == 0;
}

static enum zf_status check_numpy(const char *path, struct zf_error *err)
{
    return is_numpy(path)
               ? ZF_OK
               : zf_fail(err, ZF_EINVAL, "cannot write %s: an array's name ends in .npy", path);
}

static enum zf_status run_activations(struct call *call, struct zf_error *err)
{
    const struct option_table table = {activations_table, ZF_COUNT(activations_table)};
    enum zf_status status;
    struct activations_options given;
    struct zf_net *net = NULL;
    struct zf_plan *plan = NULL;
    struct zf_tensor input = {0}, values = {0};
    struct zf_layer_info info;
    int layer = 0;

    ZF_TRY(args_read(call->args, table, &given, err));
    ZF_TRY(need(call, given.layer, "--layer L", err));
    ZF_TRY(need(call, call->common.out, "-o A.npy", err));
    ZF_TRY(check_numpy(call->common.out, err));
    ZF_TRY(model_open(call, call->args->words[0], &net, err));
    ZF_TRY(zf_net_find_layer(net, given.layer, &layer, err));
    ZF_TRY(zf_input_load(call->args->words[1], net, &input, NULL, err));
    info = zf_net_layer(net, layer);
    ZF_TRY(zf_tensor_init(&values, input.n, info.shape.c, info.shape.h, info.shape.w, err));
    ZF_TRY(zf_plan_create(
        net,
        &(struct zf_plan_options){
            .compute = zf_compute_batch(call->compute,
                                        input.n < ACTIVATIONS_BATCH ? input.n : ACTIVATIONS_BATCH),
            .purpose = ZF_INFER,
            .watched = true,
            .brief = input.n <= ACTIVATIONS_BATCH,
            .taps = &layer,
            .tap_count = 1,
            .taps_only = true,
        },
        &plan, err));
    ZF_TRY(gather(plan, layer, &input, &values, err));
    ZF_TRY(zf_tensor_save_npy(&values, call->common.out, err));
    ZF_TRY(print_activations(call, info.name, &values, err));
    progress_say(
        call->progress, "wrote %s: %s, [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 "]",
        pipes_name(call, call->common.out), info.name, values.n, values.c, values.h, values.w);
fail:
    zf_plan_free(&plan);
    zf_tensor_release(&input);
    zf_tensor_release(&values);
    zf_net_free(&net);
    return status;
}

const struct command activations_command = {
    .name = "activations",
    .arguments = "MODEL IMAGE",
    .summary = "a layer's output as a NumPy file",
    .details = "Writes float32 [N, maps, height, width] in C order; N is 1 for a picture. An "
               "IMAGE of - is read from stdin; -o - writes to stdout.",
    .output = OUTPUT_FILE,
    .reads_stdin = true,
    .stdout_ending = ".npy",
    .least = 2,
    .most = 2,
    .options = activations_table,
    .option_count = ZF_COUNT(activations_table),
    .imports = true,
    .prepares = true,
    .run = run_activations,
};

/* ---- project ---- */

struct project_options {
    const char *layer, *map, *at, *raw;
    int rule;
    bool plain, figure;
};

static const struct zf_option project_table[] = {
    ZF_OPTION_ROW_TEXT(project_options, layer, "L",
                       "name of the layer, or its index; the last convolution unless named"),
    ZF_OPTION_ROW_TEXT(project_options, map, "K|C",
                       "feature map, or at the net's end a class by its name; the one with the "
                       "strongest activation unless named"),
    ZF_OPTION_ROW_TEXT(project_options, at, "Y,X",
                       "place on the map, in cells; the strongest unless named"),
    ZF_OPTION_ROW_CHOICE(project_options, rule, "R",
                         "what a rectifier does to the signal on its way down", ZF_RULE_DECONVNET,
                         zf_rule_names),
    ZF_OPTION_ROW_FLAG(project_options, plain,
                       "the projection alone, a pixel a pixel of the net's input"),
    ZF_OPTION_ROW_FLAG(
        project_options, figure,
        "for a slide: 1920 px wide, and as an .svg of the same name, whose words and "
        "frames can be edited"),
    ZF_OPTION_ROW_TEXT(project_options, raw, "P.npy",
                       "the projection's values as NumPy [1,C,H,W] as well"),
};

static enum zf_status parse_place(const char *text, const struct zf_net *net,
                                  struct zf_activation *wanted, struct zf_error *err)
{
    const struct zf_layer_info info = zf_net_layer(net, wanted->layer);
    enum zf_status status;
    int64_t *values = NULL;
    size_t count = 0;

    ZF_TRY(zf_list_numbers(text, "at", &values, &count, err));
    if (count != 2 || values[0] >= info.shape.h || values[1] >= info.shape.w)
        ZF_LEAVE(zf_fail(err, ZF_EINVAL,
                         "at takes Y,X within the %" PRId64 " x %" PRId64 " cells of %s, not '%s'",
                         info.shape.h, info.shape.w, info.name, text));
    wanted->y = values[0];
    wanted->x = values[1];
fail:
    zf_free(values);
    return status;
}

/* The class that a map at the net's end stands for; NULL elsewhere. */
static const char *class_of(const struct zf_net *net, const struct zf_activation *chosen)
{
    const int64_t maps = zf_net_layer(net, chosen->layer).shape.c;

    if (chosen->layer < zf_net_class_layer(net) || maps != zf_net_output_count(net) ||
        !zf_net_has_labels(net))
        return NULL;
    return zf_net_label(net, maps == zf_net_class_count(net) ? chosen->map : 1);
}

/* null where nothing reached the pixels. */
static void add_dependence(cJSON *json, const struct zf_dependence *dependence)
{
    cJSON *better;

    if (isnan(dependence->value))
        cJSON_AddNullToObject(json, "dependence");
    else
        cJSON_AddNumberToObject(json, "dependence", dependence->value);
    if (dependence->better == dependence->rule)
        return;
    better = cJSON_AddObjectToObject(json, "better_rule");
    cJSON_AddStringToObject(better, "rule", zf_rule_names[dependence->better]);
    cJSON_AddNumberToObject(better, "dependence", dependence->better_value);
}

/* A net of other channels has an input that nobody can look at beside the projection. */
static bool takes_pictures(struct zf_shape input)
{
    return input.c == 1 || input.c == 3;
}

static enum zf_status print_projection(const struct call *call, const struct zf_net *net,
                                       const struct project_options *given,
                                       const struct zf_activation *chosen,
                                       const struct zf_dependence *dependence, struct zf_error *err)
{
    const char *layer = zf_net_layer(net, chosen->layer).name;
    const struct zf_box box = chosen->patch;
    const char *class = class_of(net, chosen);
    char words[256];
    cJSON *json;

    if (!call->common.json) {
        zf_dependence_words(net, dependence, words, sizeof words);
        fprintf(call->out,
                "%s, map %" PRId64 "%s%s%s at %" PRId64 ",%" PRId64 ": activation %g, rule %s\n"
                "receptive field: x %" PRId64 ", y %" PRId64 ", %" PRId64 " x %" PRId64 " px\n"
                "%s%s\n",
                layer, chosen->map, class ? " (" : "", class ? class : "", class ? ")" : "",
                chosen->y, chosen->x, (double)chosen->value, zf_rule_names[given->rule], box.x,
                box.y, box.width, box.height, isnan(dependence->value) ? "" : "the projection ",
                words);
        return ZF_OK;
    }
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "layer", layer);
    cJSON_AddNumberToObject(json, "map", (double)chosen->map);
    if (class)
        cJSON_AddStringToObject(json, "label", class);
    cJSON_AddNumberToObject(json, "y", (double)chosen->y);
    cJSON_AddNumberToObject(json, "x", (double)chosen->x);
    cJSON_AddNumberToObject(json, "activation", (double)chosen->value);
    cJSON_AddStringToObject(json, "rule", zf_rule_names[given->rule]);
    cJSON_AddItemToObject(json, "receptive_field", json_box(box));
    add_dependence(json, dependence);
    if (call->common.out)
        cJSON_AddStringToObject(json, "out", call->common.out);
    else
        cJSON_AddNullToObject(json, "out");
    if (given->raw)
        cJSON_AddStringToObject(json, "raw", given->raw);
    return output_json(call->out, json, err);
}

static bool goes_to_stdout(const struct call *call)
{
    return pipes_name(call, call->common.out) != call->common.out;
}

/* "why.svg" beside "why.png"; NULL without memory, or where the picture goes to stdout. */
static char *svg_name(const struct call *call)
{
    const char *out = call->common.out, *dot = strrchr(out, '.');
    const size_t size = (size_t)(dot - out) + sizeof ".svg";
    char *name = goes_to_stdout(call) ? NULL : malloc(size);

    if (name)
        snprintf(name, size, "%.*s.svg", (int)(dot - out), out);
    return name;
}

/* `input` is what was projected. */
static enum zf_status save_projection(const struct call *call, const struct zf_net *net,
                                      const struct project_options *given,
                                      const struct zf_tensor *input,
                                      const struct zf_activation *chosen,
                                      const struct zf_tensor *pixels, struct zf_error *err)
{
    const struct zf_shape shape = zf_net_input(net);
    const struct zf_box whole = {0, 0, shape.w, shape.h};
    enum zf_status status;
    struct zf_picture picture = {0};
    char *svg = given->figure ? svg_name(call) : NULL;

    if (given->figure && !svg && !goes_to_stdout(call))
        ZF_LEAVE(zf_no_memory(err, "the name of %s as SVG", call->common.out));
    if (given->raw)
        ZF_TRY(zf_tensor_save_npy(pixels, given->raw, err));
    if (call->common.out && is_numpy(call->common.out)) {
        ZF_TRY(zf_tensor_save_npy(pixels, call->common.out, err));
    } else if (call->common.out) {
        if (given->figure)
            ZF_TRY(zf_projection_slide(net, input, pixels, (enum zf_rule)given->rule, chosen,
                                       &picture, svg, err));
        else if (given->plain || !takes_pictures(shape))
            ZF_TRY(zf_picture_from_signal(pixels->data, shape, whole, 0,
                                          zf_net_preparation(net)->channels, &picture, err));
        else
            ZF_TRY(zf_projection_figure(net, input, pixels, (enum zf_rule)given->rule, chosen,
                                        &picture, err));
        ZF_TRY(zf_picture_save(&picture, call->common.out, err));
    }
    status = ZF_OK;
fail:
    zf_picture_release(&picture);
    free(svg);
    return status;
}

/* A name is that of a class: unless a layer is named, it stands at the net's end. */
static enum zf_status find_map(const struct zf_net *net, const struct project_options *given,
                               struct zf_activation *wanted, struct zf_error *err)
{
    const char *map = given->map && strcmp(given->map, "-1") != 0 ? given->map : NULL;

    if (map && !given->layer && map[strspn(map, "0123456789")] != '\0')
        wanted->layer = zf_net_class_layer(net);
    else
        ZF_CHECK(net_layer(net, given->layer, &wanted->layer, err));
    return map ? zf_net_find_map(net, wanted->layer, map, &wanted->map, err) : ZF_OK;
}

/* What can be said before the net runs. */
static enum zf_status open_projection(const struct call *call, struct project_options *given,
                                      struct zf_net **net, struct zf_tensor *input,
                                      struct zf_activation *wanted, struct zf_error *err)
{
    const struct option_table table = {project_table, ZF_COUNT(project_table)};

    ZF_CHECK(args_read(call->args, table, given, err));
    ZF_CHECK(need(call, call->common.out ? call->common.out : given->raw, "-o P.png or --raw P.npy",
                  err));
    if (given->raw) {
        ZF_CHECK(check_numpy(given->raw, err));
        ZF_CHECK(output_check_file(given->raw, err));
    }
    if (given->figure && (given->plain || !call->common.out || is_numpy(call->common.out)))
        return zf_fail(err, ZF_EINVAL,
                       "--figure makes a picture with words: it takes -o P.png, and "
                       "neither .npy nor --plain");
    if (call->common.out && !is_numpy(call->common.out))
        ZF_CHECK(zf_picture_check_ending(call->common.out, err));
    ZF_CHECK(model_open(call, call->args->words[0], net, err));
    *wanted = (struct zf_activation){.map = -1, .y = -1, .x = -1};
    ZF_CHECK(find_map(*net, given, wanted, err));
    ZF_CHECK(zf_activation_check(*net, wanted, err));
    ZF_CHECK(zf_input_load(call->args->words[1], *net, input, NULL, err));
    if (input->n != 1)
        return zf_fail(err, ZF_EINPUT, "%s holds %" PRId64 " inputs; project takes one",
                       call->args->words[1], input->n);
    return given->at ? parse_place(given->at, *net, wanted, err) : ZF_OK;
}

static enum zf_status run_project(struct call *call, struct zf_error *err)
{
    enum zf_status status;
    struct project_options given;
    struct zf_net *net = NULL;
    struct zf_tensor input = {0}, pixels = {0};
    struct zf_activation chosen;
    struct zf_dependence dependence;
    struct zf_compute compute = call->compute;

    /* It is one picture, so digits come before speed; but bf16 says what the user cares for. */
    compute.exact |= compute.precision == ZF_PRECISION_F32;
    ZF_TRY(open_projection(call, &given, &net, &input, &chosen, err));
    ZF_TRY(zf_tensor_init(&pixels, 1, input.c, input.h, input.w, err));
    ZF_TRY(zf_project(net, &input, (enum zf_rule)given.rule, &compute, &chosen, &pixels, err));
    ZF_TRY(zf_project_dependence(net, &input, (enum zf_rule)given.rule, &call->compute, &chosen,
                                 &dependence, err));
    ZF_TRY(save_projection(call, net, &given, &input, &chosen, &pixels, err));
    ZF_TRY(print_projection(call, net, &given, &chosen, &dependence, err));
    progress_say(call->progress, "wrote %s%s%s%s",
                 call->common.out ? pipes_name(call, call->common.out) : "",
                 given.figure && !goes_to_stdout(call) ? ", the same as .svg" : "",
                 call->common.out && given.raw ? " and " : "", given.raw ? given.raw : "");
fail:
    zf_tensor_release(&input);
    zf_tensor_release(&pixels);
    zf_net_free(&net);
    return status;
}

const struct command project_command = {
    .name = "project",
    .arguments = "MODEL IMAGE",
    .summary = "project one activation back to pixels (the deconvnet, section 2.1)",
    .details =
        "All other activations of the layer are set to zero; each layer below is reversed in "
        "turn: unpool by switches, rectify, filter with the transposed weights. The file has the "
        "picture, the projection, where grey is zero, and the picture where that is strong, side "
        "by side; --plain the projection alone; --figure is 1920 px wide, for a slide, with an SVG "
        "beside it. Its name ends in .png, .jpg, .webp, .tif, or .npy "
        "for the values. An IMAGE of - is read from stdin; -o - writes a PNG to stdout.\n\n"
        "Computed in double, as with --exact: an activation within rounding of zero decides "
        "about all that passes through it. --engine onednn is faster, in float32.",
    .output = OUTPUT_FILE,
    .reads_stdin = true,
    .stdout_ending = ".png",
    .least = 2,
    .most = 2,
    .options = project_table,
    .option_count = ZF_COUNT(project_table),
    .imports = true,
    .prepares = true,
    .run = run_project,
};
