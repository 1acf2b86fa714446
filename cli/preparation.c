/* SPDX-License-Identifier: MIT */
#include "preparation.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nets.h"
#include "zf/data.h"
#include "zf/experiment.h"
#include "zf/model.h"

/* ---- What frameworks do: (value - mean) * scale, of values 0 to 255 ---- */

static const char *const presets[] = {"model", "torchvision", "caffe", "tensorflow", "unit",
                                      "clip",  "none",        "auto",  NULL};
enum { AUTO = 7 };

static const char *const answer_choices[] = {"model", "softmax", "sigmoid", "numbers", NULL};
static const enum zf_answer answers[] = {ZF_ANSWER_NUMBERS, ZF_ANSWER_SOFTMAX, ZF_ANSWER_SIGMOID,
                                         ZF_ANSWER_NUMBERS};

static const char *const channel_choices[] = {"model", "rgb", "bgr", NULL};

struct given {
    int prepare, channels, answer;
    const char *mean, *std, *scale, *resize, *crop, *labels;
};

static const struct zf_option options[] = {
    ZF_OPTION_ROW_CHOICE(
        given, prepare, "P",
        "values as this framework's models want them, of pictures with values 0 to 255", 0,
        presets),
    ZF_OPTION_ROW_TEXT(given, mean, "A,B,C",
                       "subtracted from values 0 to 255; one number or one a channel"),
    ZF_OPTION_ROW_TEXT(given, std, "A,B,C", "divides what is left"),
    ZF_OPTION_ROW_TEXT(given, scale, "A,B,C", "multiplies what is left, in place of --std"),
    ZF_OPTION_ROW_CHOICE(given, channels, "C", "their order", 0, channel_choices),
    ZF_OPTION_ROW_TEXT(
        given, resize, "KIND:PX",
        "before the centre crop: short:256, the shorter side; fit:256, the same, but a picture of "
        "the "
        "input's size stays as it is; warp:256 or warp:HxW, both sides; warp, to the input's size"),
    ZF_OPTION_ROW_TEXT(
        given, crop, "HxW|PX",
        "the centre that becomes the input, and its size where the model leaves it open"),
    ZF_OPTION_ROW_CHOICE(given, answer, "KIND",
                         "what the outputs mean: classes that share one probability, a yes or no "
                         "each, plain numbers",
                         0, answer_choices),
    ZF_OPTION_ROW_TEXT(given, labels, "FILE", "names of the classes, one a line"),
};

struct option_table preparation_table(void)
{
    return (struct option_table){options, ZF_COUNT(options)};
}

/* ---- Reading the values ---- */

static enum zf_status parse_values(const char *text, const char *what, int64_t channels,
                                   float out[3], struct zf_error *err)
{
    float values[3] = {0};
    const char *p = text;
    int count = 0;

    for (; count < 3; count++) {
        char *end = NULL;

        values[count] = strtof(p, &end);
        if (end == p || !isfinite(values[count]) || (*end != ',' && *end != '\0'))
            break;
        p = end + (*end == ',');
        if (*end == '\0') {
            count++;
            break;
        }
    }
    if (*p != '\0' || (count != 1 && count != 3))
        return zf_fail(err, ZF_EINVAL, "%s takes one number or three between commas, not '%s'",
                       what, text);
    if (channels == 1 && count == 3)
        return zf_fail(err, ZF_EINVAL,
                       "%s takes one number: the net looks at one channel, not '%s'", what, text);
    for (int c = 0; c < 3; c++)
        out[c] = values[count == 1 ? 0 : c];
    return ZF_OK;
}

#define LARGEST_RESIZE 4096 /* px */

/* "warp" alone is to the input's own size. */
static enum zf_status parse_resize(const char *text, struct zf_shape input,
                                   struct zf_preparation *preparation, struct zf_error *err)
{
    const bool warp = strncmp(text, "warp", 4) == 0, fit = strncmp(text, "fit:", 4) == 0;
    const char *sides = strchr(text, ':');
    int64_t height = input.h, width = input.w;
    bool good = fit || strncmp(text, "short:", 6) == 0 || strncmp(text, "warp:", 5) == 0;

    if (good)
        good = parse_sides(sides + 1, "resize", &height, &width, NULL) == ZF_OK &&
               height <= LARGEST_RESIZE && width <= LARGEST_RESIZE && (warp || !strchr(sides, 'x'));
    if (!good && strcmp(text, "warp") != 0)
        return zf_fail(err, ZF_EINVAL,
                       "resize takes short:PX, fit:PX, warp:PX, warp:HxW or warp, pixels from 1 to "
                       "%d, not '%s'",
                       LARGEST_RESIZE, text);
    preparation->resize = warp ? ZF_RESIZE_WARP : fit ? ZF_RESIZE_FIT : ZF_RESIZE_SHORT;
    preparation->size = height;
    preparation->width = warp ? width : 0;
    return ZF_OK;
}

const char *preparation_preset(int k, struct zf_preparation *preparation)
{
    if (k > 0)
        zf_preparation_preset(preparation, presets[k], NULL);
    return presets[k];
}

static enum zf_status read_values(const struct given *given, int64_t net_channels,
                                  struct zf_preparation *preparation, struct zf_error *err)
{
    const bool named = given->prepare > 0 && given->prepare != AUTO;
    struct zf_preparation preset = *preparation;

    if (named)
        preparation_preset(given->prepare, &preset);
    if (given->prepare == AUTO && (given->mean || given->std || given->scale || given->channels))
        return zf_fail(err, ZF_EINVAL,
                       "--prepare auto finds mean, scale and channels; give none of them");
    if (net_channels == 1 && named && !(preset.mean[0] == preset.mean[1]))
        return zf_fail(err, ZF_EINVAL,
                       "prepare %s has means of red, green and blue, the net looks at one channel: "
                       "give --mean and --std",
                       presets[given->prepare]);
    *preparation = preset;
    if (given->mean)
        preparation->mean_image = NULL;
    if (given->mean)
        ZF_CHECK(parse_values(given->mean, "mean", net_channels, preparation->mean, err));
    if (given->std && given->scale)
        return zf_fail(err, ZF_EINVAL, "std and scale say the same; give one");
    if (given->std || given->scale)
        ZF_CHECK(parse_values(given->std ? given->std : given->scale, given->std ? "std" : "scale",
                              net_channels, preparation->scale, err));
    for (int c = 0; c < 3 && given->std; c++)
        preparation->scale[c] = 1 / preparation->scale[c];
    for (int c = 0; c < 3; c++) {
        if (!isfinite(preparation->scale[c]) || preparation->scale[c] == 0)
            return zf_fail(err, ZF_EINVAL, "%s cannot be 0", given->std ? "std" : "scale");
    }
    if (given->channels > 0)
        preparation->channels = given->channels == 1 ? ZF_CHANNELS_RGB : ZF_CHANNELS_BGR;
    return ZF_OK;
}

static enum zf_status set_values(const struct given *given, struct zf_net *net,
                                 struct zf_error *err)
{
    struct zf_preparation preparation = *zf_net_preparation(net);
    const int64_t size = preparation.size;

    ZF_CHECK(read_values(given, zf_net_input(net).c, &preparation, err));
    if (given->resize)
        ZF_CHECK(parse_resize(given->resize, zf_net_input(net), &preparation, err));
    if (preparation.mean_image && preparation.size != size)
        return zf_fail(err, ZF_EINVAL,
                       "the model's per-pixel mean is for squares of %" PRId64 " px, not %" PRId64
                       "; give --mean "
                       "as well",
                       size, preparation.size);
    return zf_net_set_preparation(net, &preparation, err);
}

/* ---- What looks wrong ---- */

/* The largest magnitude that a prepared value can have, up to the mean image's detail. */
static double largest_value(const struct zf_preparation *p)
{
    double largest = 0;

    for (int c = 0; c < 3; c++) {
        const double mean = p->mean_image ? 127.5 : (double)p->mean[c];
        const double scale = fabs((double)p->scale[c]);

        largest = fmax(largest, fmax(fabs(mean), fabs(255 - mean)) * scale);
    }
    return largest;
}

static bool is_raw(const struct zf_preparation *p)
{
    bool raw = !p->mean_image;

    for (int c = 0; c < 3; c++)
        raw = raw && p->mean[c] == 0 && p->scale[c] == 1;
    return raw;
}

static bool has_small_means(const struct zf_preparation *p)
{
    bool small = !p->mean_image;

    for (int c = 0; c < 3; c++)
        small = small && p->mean[c] > 0 && p->mean[c] <= 1;
    return small;
}

static bool is_unit(const struct zf_preparation *p)
{
    bool unit = !p->mean_image;

    for (int c = 0; c < 3; c++)
        unit = unit && p->mean[c] == 0 && fabs(255 * (double)p->scale[c] - 1) < 1e-3;
    return unit;
}

/* Of a net that prepares values itself: whether that is said, or needs no saying. */
static bool warn_of_own(const struct call *call, const struct zf_net *net)
{
    const struct zf_preparation *p = zf_net_preparation(net);
    const char *layer;
    const int range = zf_net_expects(net, &layer);

    if (range == 0)
        return false;
    if (range == 255 && !is_raw(p))
        progress_say(call->progress,
                     "warning: %s normalises values of 0 to 255 itself (%s), and they are prepared "
                     "before it: that is twice. --prepare none leaves it to the net",
                     zf_net_name(net), layer);
    else if (range == 1 && is_raw(p))
        progress_say(call->progress,
                     "warning: %s normalises values of 0 to 1 itself (%s), and gets 0 to 255; "
                     "--prepare unit gives it 0 to 1",
                     zf_net_name(net), layer);
    else if (range == 1 && !is_unit(p))
        progress_say(call->progress,
                     "warning: %s normalises values of 0 to 1 itself (%s), and they are normalised "
                     "before it: that is twice. --prepare unit leaves it to the net",
                     zf_net_name(net), layer);
    return true;
}

/* Whether all that is looked at are arrays, to which nothing is done. */
static bool looks_at_arrays(const struct args *args)
{
    for (size_t i = 1; i < args->word_count; i++) {
        const char *end = strrchr(args->words[i], '.');

        if (!end || (strcasecmp(end, ".npy") != 0 && strcasecmp(end, ".npz") != 0))
            return false;
    }
    return args->word_count > 1;
}

/* Plain rules, in man/zfscope.1. They say something and change nothing. */
static void warn(const struct call *call, const struct given *given, const struct zf_net *net)
{
    const struct zf_preparation *p = zf_net_preparation(net);
    const double largest = largest_value(p);

    if (looks_at_arrays(call->args))
        return;
    if (zf_net_input(net).c == 1)
        progress_say(call->progress,
                     "note: %s looks at one channel: a picture becomes grey, 0.299 R + 0.587 G + "
                     "0.114 B",
                     zf_net_name(net));
    if (warn_of_own(call, net) || zf_net_input(net).c != 3)
        return;
    if (has_small_means(p))
        progress_say(call->progress,
                     "warning: means of %g,%g,%g look like those of values 0 to 1; here values are "
                     "0 to 255 (see --prepare)",
                     (double)p->mean[0], (double)p->mean[1], (double)p->mean[2]);
    else if (is_raw(p) && !given->prepare && !given->mean && !given->scale && !given->std)
        progress_say(call->progress,
                     "warning: %s says nothing about preparing pictures, so values go in as they "
                     "are, 0 to 255; --prepare torchvision, caffe, tensorflow or unit is what most "
                     "nets want, --prepare none says that this is meant",
                     zf_net_name(net));
    else if (largest > 256 || largest < 0.25)
        progress_say(call->progress,
                     "warning: prepared values reach %.3g; nets are mostly trained on 1 to 255. "
                     "Mean, std and scale are for values 0 to 255",
                     largest);
}

/* ---- The crop ---- */

/* Both are what a picture has when it reaches the net, so they may be given together. */
enum zf_status preparation_told(const struct call *call, struct zf_model_options *out,
                                struct zf_error *err)
{
    struct zf_model_options told = {0};
    struct given given;
    int64_t height, width;

    ZF_CHECK(net_model_options(call->args, &told, err));
    ZF_CHECK(args_read(call->args, preparation_table(), &given, err));
    if (given.crop) {
        ZF_CHECK(parse_sides(given.crop, "crop", &height, &width, err));
        if (told.height > 0 && (told.height != height || told.width != width))
            return zf_fail(err, ZF_EINVAL,
                           "the crop is the input, so a crop of %" PRId64 "x%" PRId64
                           " and an input-size of "
                           "%" PRId64 "x%" PRId64 " cannot be",
                           height, width, told.height, told.width);
        told.height = height;
        told.width = width;
    }
    told.monitor = call->monitor;
    *out = told;
    return ZF_OK;
}

/* A model that was told of the crop has it; a net from a spec has its own input. */
static enum zf_status check_crop(const char *text, const struct zf_net *net, struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);
    int64_t height, width;

    ZF_CHECK(parse_sides(text, "crop", &height, &width, err));
    if (height != input.h || width != input.w)
        return zf_fail(err, ZF_EINPUT,
                       "%s takes %" PRId64 "x%" PRId64 " px; a crop of %" PRId64 "x%" PRId64
                       " cannot be",
                       zf_net_name(net), input.h, input.w, height, width);
    return ZF_OK;
}

bool preparation_is_auto(const struct call *call)
{
    struct given given;

    return args_read(call->args, preparation_table(), &given, NULL) == ZF_OK &&
           given.prepare == AUTO;
}

enum zf_status preparation_apply(const struct call *call, struct zf_net *net, struct zf_error *err)
{
    struct given given;

    ZF_CHECK(args_read(call->args, preparation_table(), &given, err));
    if (given.prepare == AUTO && strcmp(call->command->name, "eval") != 0)
        return zf_fail(err, ZF_EINVAL,
                       "--prepare auto tries recipes on labelled pictures: zfscope eval MODEL "
                       "--data DATA --prepare auto names the best");
    if (given.crop)
        ZF_CHECK(check_crop(given.crop, net, err));
    if (given.prepare || given.channels || given.mean || given.std || given.scale || given.resize)
        ZF_CHECK(set_values(&given, net, err));
    if (given.answer > 0)
        ZF_CHECK(zf_net_set_answer(net, answers[given.answer], err));
    if (given.labels)
        ZF_CHECK(zf_net_load_labels(net, given.labels, err));
    warn(call, &given, net);
    return ZF_OK;
}

/* What comes out of NaN is no answer, though a rectifier may make numbers of it. */
static enum zf_status check_numbers(const struct call *call, const struct zf_net *net,
                                    struct zf_error *err)
{
    const struct zf_experiment *experiment = call->command->experiment;
    struct zf_error reason = {0};

    if (!experiment || !experiment->takes_any_numbers)
        return zf_net_check_finite(net, err);
    if (zf_net_check_finite(net, &reason) != ZF_OK)
        progress_say(call->progress, "warning: %s", reason.message);
    return ZF_OK;
}

enum zf_status model_open(const struct call *call, const char *path, struct zf_net **out,
                          struct zf_error *err)
{
    enum zf_status status;
    struct zf_model_options told = {0};
    struct zf_net *net = NULL;
    bool named = false;

    ZF_TRY(preparation_told(call, &told, err));
    ZF_TRY(zf_model_open(path, &told, &net, err));
    ZF_TRY(check_numbers(call, net, err));
    ZF_TRY(preparation_apply(call, net, err));
    ZF_TRY(zf_net_name_imagenet(net, &named, err));
    if (named)
        progress_say(call->progress,
                     "note: %s has %" PRId64
                     " outputs and no labels: named like ImageNet's; --labels FILE "
                     "gives others",
                     zf_net_name(net), zf_net_class_count(net));
    *out = net;
    net = NULL;
fail:
    zf_net_free(&net);
    return status;
}
