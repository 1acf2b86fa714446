/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "nets.h"
#include "output.h"
#include "preparation.h"
#include "probe.h"
#include "zf/data.h"
#include "zf/report.h"

#define OTHERS 4 /* strongest pictures of the data; the picture itself may be one of them */

struct occlude_options {
    const char *class, *layer, *data, *colour;
    int64_t size, stride, batch;
};

#define FIELD(name) offsetof(struct occlude_options, name)
static const struct zf_option occlude_table[] = {
    {"size", "PX", "side of the square; 0 = 32 px, but at most 2/7 of the input", ZF_OPTION_INT,
     FIELD(size), 0, 0, 65536, NULL},
    {"stride", "PX", "step of the square; 0 = 8 px, but at most 1/28 of the input", ZF_OPTION_INT,
     FIELD(stride), 0, 0, 65536, NULL},
    {"class", "C", "label or index to follow; the most probable of each picture unless named",
     ZF_OPTION_TEXT, FIELD(class), 0, 0, 0, NULL},
    {"layer", "L", "whose strongest map is followed; the last convolution, rectified, unless named",
     ZF_OPTION_TEXT, FIELD(layer), 0, 0, 0, NULL},
    {"data", "DATA", "show the map's projections from its strongest pictures here as well",
     ZF_OPTION_TEXT, FIELD(data), 0, 0, 0, NULL},
    {"colour", "K", "of the square: mean, grey, black, or R,G,B (0 to 255); mean unless named",
     ZF_OPTION_TEXT, FIELD(colour), 0, 0, 0, NULL},
    {"batch", "N", "inputs at a time; 0 = chosen", ZF_OPTION_INT, FIELD(batch), 0, 0, 4096, NULL},
};
#undef FIELD

/* NULL in *colour is the mean. */
static enum zf_status parse_colour(const char *text, float values[3], const float **colour,
                                   struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    int64_t *numbers = NULL;
    size_t count = 0;

    *colour = NULL;
    if (!text || strcmp(text, "mean") == 0)
        return ZF_OK;
    if (strcmp(text, "grey") == 0 || strcmp(text, "black") == 0) {
        for (int c = 0; c < 3; c++)
            values[c] = text[0] == 'g' ? 128.0f : 0.0f;
        *colour = values;
        return ZF_OK;
    }
    if (strchr(text, ',')) {
        TRY(parse_numbers(text, "colour", &numbers, &count, err));
        for (size_t c = 0; c < count && count == 3; c++) {
            if (numbers[c] > 255)
                count = 0;
            else
                values[c] = (float)numbers[c];
        }
    }
    if (count != 3)
        status = fail(err, ZF_EINVAL,
                      "colour takes mean, grey, black, or R,G,B from 0 to 255, not '%s'", text);
    *colour = values;
fail:
    free(numbers);
    return status;
}

/* The strongest pictures of the data for the maps that were followed. */
struct others {
    struct zf_data *data;
    struct zf_top *top;
    struct zf_top_options options;
    int64_t *maps;
};

static enum zf_status find_others(struct others *others, const struct call *call,
                                  const struct zf_net *net, const struct zf_occlusions *result,
                                  const char *data, struct zf_error *err)
{
    enum zf_status status;

    others->maps = calloc(result->count, sizeof *others->maps);
    if (!others->maps)
        return fail(err, ZF_ENOMEM, "out of memory");
    others->options = (struct zf_top_options){.layers = &result->layer,
                                              .layer_count = 1,
                                              .k = OTHERS,
                                              .maps = others->maps,
                                              .compute = call->compute};
    for (size_t i = 0; i < result->count; i++) {
        size_t at = 0;

        while (at < others->options.map_count && others->maps[at] != result->images[i].map)
            at++;
        if (at == others->options.map_count)
            others->maps[others->options.map_count++] = result->images[i].map;
    }
    TRY(zf_data_open(data, &others->data, err));
    TRY(zf_top_run(net, others->data, &others->options, &others->top, call->monitor, err));
fail:
    return status;
}

static void print_occlusions(const struct call *call, const struct zf_net *net,
                             const struct zf_occlusions *result, char **names)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct zf_occlusion *image = &result->images[i];
        const int64_t lowest = image->lowest;

        fprintf(call->out, "%s\n  %.4f  %s\n  %.4f  with the square at x %lld, y %lld: %s\n",
                names[i], (double)image->probability, zf_net_label(net, image->target),
                (double)image->probability_map[lowest],
                (long long)(lowest % result->columns * result->stride),
                (long long)(lowest / result->columns * result->stride),
                zf_net_label(net, image->class_map[lowest]));
    }
    fprintf(call->out, "%lld x %lld places of a square of %lld px, %.1f s\n",
            (long long)result->rows, (long long)result->columns, (long long)result->size,
            result->seconds);
}

static enum zf_status report(const struct call *call, const struct zf_net *net,
                             const struct zf_occlusions *result, const struct subjects *subjects,
                             const struct occlude_options *given, struct zf_error *err)
{
    const char *parameters[] = {"colour", given->colour ? given->colour : "mean", NULL, NULL, NULL};
    struct others others = {0};
    struct zf_probe_show show = {.names = (const char *const *)subjects->names,
                                 .shown = subjects->shown,
                                 .command = call->line,
                                 .parameters = parameters};
    char *json = NULL;
    enum zf_status status;

    if (given->data) {
        parameters[2] = "data";
        parameters[3] = given->data;
        TRY(find_others(&others, call, net, result, given->data, err));
        show.others = others.data;
        show.top = others.top;
        show.top_options = &others.options;
    }
    TRY(zf_occlude_report(net, result, &show, call->common.out, call->monitor, err));
    if (call->common.json)
        TRY(zf_occlude_json(net, result, &show, &json, err));
    else
        print_occlusions(call, net, result, subjects->names);
    probe_end(call, "occlude", json);
fail:
    zf_top_free(&others.top);
    zf_data_free(&others.data);
    free(others.maps);
    return status;
}

static enum zf_status run_occlude(struct call *call, struct zf_error *err)
{
    const struct option_table table = {occlude_table, COUNT(occlude_table)};
    enum zf_status status;
    struct occlude_options given;
    struct zf_occlude_options options = {.target = -1, .layer = -1};
    struct zf_net *net = NULL;
    struct subjects subjects = {0};
    struct zf_occlusions *result = NULL;
    float colour[3];

    TRY(args_read(call->args, table, &given, err));
    TRY(need(call, call->common.out, "-o DIR", err));
    TRY(parse_colour(given.colour, colour, &options.colour, err));
    TRY(model_open(call, call->args->words[0], &net, err));
    if (given.class)
        TRY(net_class(net, given.class, &options.target, err));
    if (given.layer)
        TRY(zf_net_find_layer(net, given.layer, &options.layer, err));
    options.size = given.size;
    options.stride = given.stride;
    options.compute = probe_run(call, given.batch);
    TRY(subjects_load(&subjects, call, net, given.size, err));
    TRY(zf_occlude_run(net, &subjects.inputs, &options, &result, call->monitor, err));
    TRY(report(call, net, result, &subjects, &given, err));
fail:
    zf_occlude_free(&result);
    subjects_release(&subjects);
    zf_net_free(&net);
    return status;
}

const struct command occlude_command = {
    .name = "occlude",
    .arguments = "MODEL IMAGE...",
    .summary = "hide each place of a picture in turn: what the answer needs (figure 7)",
    .details = "A square slides over each picture. Writes DIR/index.html, DIR/occlude.json and for "
               "each picture the five panels: the picture, the sum of its strongest map and the "
               "probability of the class by the square's place, the map's projection, and the most "
               "probable class.",
    .output = OUTPUT_DIRECTORY,
    .prepares = true,
    .imports = true,
    .least = 2,
    .most = SIZE_MAX,
    .options = occlude_table,
    .option_count = COUNT(occlude_table),
    .run = run_occlude,
};
