/* SPDX-License-Identifier: MIT */
/*
 * How pictures are prepared, as training programs write it for models that they hand on:
 *
 *     config.json               timm's: mean, std, crop_pct, crop_mode, in pretrained_cfg or not
 *     preprocessor_config.json  Hugging Face's: image_mean, image_std, rescale_factor, size, ...
 *     preprocessor.json         Keras': image_converter, with scale, offset, image_size, ...
 *     metadata.json             Teachable Machine's, where values go from -1 to 1
 *
 * in the model's own folder; and Ultralytics' notes within the file, whose nets take values 0 to 1.
 */
#include "assemble.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"
#include "graph.h"
#include "model/labels.h"
#include "model/onnx/rebuild.h"

#define MOST_BYTES (1 << 20)
#define LONGEST_SIDE 65536 /* px */

/* No bytes for no such file: nothing is said then. One that could not be read may say something. */
static enum zf_status map_beside(const char *path, const char *name, struct zf_bytes *bytes,
                                 struct zf_error *err)
{
    const char *slash = strrchr(path, '/');
    char *beside = zf_format("%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, name);
    const enum zf_status status = beside ? zf_bytes_map(bytes, beside, MOST_BYTES, err)
                                         : zf_no_memory(err, "%s beside %s", name, path);

    zf_free(beside);
    return status == ZF_EINPUT ? ZF_OK : status;
}

/* NULL for no such file, or none that is JSON. */
static enum zf_status read_beside(const char *path, const char *name, cJSON **json,
                                  struct zf_error *err)
{
    struct zf_bytes bytes = {0};
    enum zf_status status;

    *json = NULL;
    ZF_CHECK(map_beside(path, name, &bytes, err));
    if (bytes.size == 0)
        return ZF_OK;
    status = zf_json_parse((const char *)bytes.data, bytes.size, json, NULL);
    zf_bytes_release(&bytes);
    return status == ZF_ENOMEM ? zf_no_memory(err, "%s beside %s", name, path) : ZF_OK;
}

/* Three finite numbers, or one for all. */
static bool three(const cJSON *json, const char *name, double out[3])
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, name);

    const int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 1;

    if (count != 1 && count != 3)
        return false;
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_IsArray(list) ? cJSON_GetArrayItem(list, i % count) : list;

        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) || fabs(item->valuedouble) > 1e9)
            return false;
        out[i] = item->valuedouble;
    }
    return true;
}

static double number(const cJSON *json, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : otherwise;
}

static bool is_off(const cJSON *json, const char *name)
{
    return cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, name));
}

/* (v * factor - mean) / std of values v of 0 to 255. */
static bool set_values(double factor, const double mean[3], const double std[3],
                       struct zf_preparation *p)
{
    for (int i = 0; i < 3; i++) {
        if (!(factor > 0 && std[i] > 0))
            return false;
        p->mean[i] = (float)(mean[i] / factor);
        p->scale[i] = (float)(factor / std[i]);
    }
    return true;
}

/* By the shorter side, unless the input would not fit into that. */
static void set_short(double side, struct zf_shape input, struct zf_preparation *p)
{
    const int64_t longer = input.h > input.w ? input.h : input.w;

    if (!(side >= (double)longer && side < LONGEST_SIDE))
        return;
    p->resize = ZF_RESIZE_SHORT;
    p->size = (int64_t)side;
    p->width = 0;
}

static void set_warp(double height, double width, struct zf_shape input, struct zf_preparation *p)
{
    if (!(height >= (double)input.h && width >= (double)input.w && height < LONGEST_SIDE &&
          width < LONGEST_SIDE))
        return;
    p->resize = ZF_RESIZE_WARP;
    p->size = (int64_t)height;
    p->width = (int64_t)width;
}

/* The shorter side is the input's over crop_pct, rounded down, as timm computes it. */
static bool read_timm(const cJSON *json, struct zf_shape input, struct zf_preparation *p)
{
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(json, "pretrained_cfg");
    const cJSON *said = cJSON_IsObject(inner) ? inner : json;
    const cJSON *mode = cJSON_GetObjectItemCaseSensitive(said, "crop_mode");
    const double share = number(said, "crop_pct", 0.875);
    double mean[3], std[3];

    if (!three(said, "mean", mean) || !three(said, "std", std) ||
        !set_values(1 / 255.0, mean, std, p))
        return false;
    if (cJSON_IsString(mode) && strcmp(mode->valuestring, "squash") == 0)
        set_warp(floor((double)input.h / share), floor((double)input.w / share), input, p);
    else
        set_short(floor((double)(input.h < input.w ? input.h : input.w) / share), input, p);
    return true;
}

static bool type_begins(const cJSON *json, const char *word)
{
    static const char *const keys[] = {"image_processor_type", "feature_extractor_type"};

    for (size_t k = 0; k < ZF_COUNT(keys); k++) {
        const cJSON *type = cJSON_GetObjectItemCaseSensitive(json, keys[k]);

        if (cJSON_IsString(type) && strncasecmp(type->valuestring, word, strlen(word)) == 0)
            return true;
    }
    return false;
}

/* A side is the shorter one, but of old files of the transformers that follow ViT, which warp to
   it; ConvNeXt's cut a share where it is below 384, and warp to it else. */
static void set_side(const cJSON *json, double side, bool old, struct zf_shape input,
                     struct zf_preparation *p)
{
    const double share = number(json, "crop_pct", 1);
    const bool warps =
        old && (type_begins(json, "ViT") || type_begins(json, "DeiT") || type_begins(json, "BEiT"));

    if (warps || (share < 1 && side >= 384 && !type_begins(json, "PoolFormer")))
        set_warp(side, side, input, p);
    else
        set_short(floor(side / share), input, p);
}

static bool read_processor(const cJSON *json, struct zf_shape input, struct zf_preparation *p)
{
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(json, "size");
    const double factor =
        is_off(json, "do_rescale") ? 1 : number(json, "rescale_factor", 1 / 255.0);
    const double side = cJSON_IsNumber(size) ? size->valuedouble : number(size, "shortest_edge", 0);
    double mean[3] = {0, 0, 0}, std[3] = {1, 1, 1};

    if (!is_off(json, "do_normalize") &&
        (!three(json, "image_mean", mean) || !three(json, "image_std", std)))
        return false;
    if (!set_values(factor, mean, std, p))
        return false;
    if (is_off(json, "do_resize"))
        return true;
    if (side > 0)
        set_side(json, side, cJSON_IsNumber(size), input, p);
    else
        set_warp(number(size, "height", 0), number(size, "width", 0), input, p);
    return true;
}

/* value * scale + offset. The picture fills the size and is cut, unless it is said to be warped. */
static bool read_keras(const cJSON *json, struct zf_shape input, struct zf_preparation *p)
{
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(config, "image_converter");
    const cJSON *said = inner ? cJSON_GetObjectItemCaseSensitive(inner, "config") : config;
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(said, "image_size");
    const double height = cJSON_GetArraySize(size) == 2
                              ? cJSON_GetNumberValue(cJSON_GetArrayItem(size, 0))
                              : (double)input.h;
    const double width = cJSON_GetArraySize(size) == 2
                             ? cJSON_GetNumberValue(cJSON_GetArrayItem(size, 1))
                             : (double)input.w;
    double scale[3], offset[3], mean[3], std[3];

    if (!three(said, "scale", scale))
        return false;
    if (!three(said, "offset", offset))
        memset(offset, 0, sizeof offset);
    for (int i = 0; i < 3; i++) {
        if (!(scale[i] > 0))
            return false;
        mean[i] = -offset[i] / scale[i];
        std[i] = 1 / scale[i];
    }
    if (!set_values(1, mean, std, p))
        return false;
    if (is_off(said, "crop_to_aspect_ratio"))
        set_warp(height, width, input, p);
    else
        set_short(fmax(height, width), input, p);
    return true;
}

/* Values of -1 to 1 of the square in the middle. */
static bool read_teachable(const cJSON *json, struct zf_shape input, struct zf_preparation *p)
{
    static const double ones[3] = {1, 1, 1};

    if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "tmVersion")))
        return false;
    set_short((double)(input.h > input.w ? input.h : input.w), input, p);
    return set_values(1 / 127.5, ones, ones, p);
}

/* Detectors are trained on pictures within a border; here the centre is taken, as elsewhere. */
static bool read_ultralytics(const struct zf_import *import, struct zf_shape input,
                             struct zf_preparation *p)
{
    static const double none[3] = {0, 0, 0}, one[3] = {1, 1, 1};
    const char *author = zf_onnx_find_note(import->model, "author");

    if (!author || strcmp(author, "Ultralytics") != 0 || !zf_onnx_find_note(import->model, "task"))
        return false;
    set_short((double)(input.h > input.w ? input.h : input.w), input, p);
    return set_values(1 / 255.0, none, one, p);
}

enum zf_status zf_import_recipe(const struct zf_import *import, struct zf_shape input,
                                struct zf_preparation *preparation)
{
    enum zf_status status;
    cJSON *timm = NULL, *processor = NULL, *keras = NULL, *teachable = NULL;

    if (read_ultralytics(import, input, preparation))
        return ZF_OK;
    ZF_TRY(read_beside(import->path, "config.json", &timm, import->err));
    ZF_TRY(read_beside(import->path, "preprocessor_config.json", &processor, import->err));
    ZF_TRY(read_beside(import->path, "preprocessor.json", &keras, import->err));
    ZF_TRY(read_beside(import->path, "metadata.json", &teachable, import->err));
    if (!read_timm(timm, input, preparation) && !read_processor(processor, input, preparation) &&
        !read_keras(keras, input, preparation))
        read_teachable(teachable, input, preparation);
fail:
    cJSON_Delete(teachable);
    cJSON_Delete(keras);
    cJSON_Delete(timm);
    cJSON_Delete(processor);
    return status;
}

enum zf_status zf_import_labels_beside(const struct zf_import *import, struct zf_net *net)
{
    static const char *const files[] = {"config.json", "metadata.json"};
    const int64_t classes = zf_net_class_count(net);
    enum zf_status status = ZF_OK;
    bool done = false;

    for (size_t k = 0; k < ZF_COUNT(files) && !done && status == ZF_OK; k++) {
        struct zf_labels labels = {0};
        struct zf_bytes bytes = {0};

        ZF_CHECK(map_beside(import->path, files[k], &bytes, import->err));
        if (bytes.size > 0 && zf_labels_parse(&bytes, files[k], classes, &labels, NULL) == ZF_OK &&
            labels.count == classes) {
            status = zf_net_set_labels(net, (const char *const *)labels.items, import->err);
            done = true;
        }
        zf_labels_release(&labels);
        zf_bytes_release(&bytes);
    }
    return status;
}
