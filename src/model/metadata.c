/* SPDX-License-Identifier: MIT */
#include "model/metadata.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "net/answer.h"

#define MAX_PREPARATION_BYTES 4096 /* of JSON; ours take about 150 */
#define ESCAPED_BYTES 4            /* most bytes that one becomes: \xNN */

static const char *const resize_names[] = {
    [ZF_RESIZE_SHORT] = "short", [ZF_RESIZE_WARP] = "warp", [ZF_RESIZE_FIT] = "fit"};
static const char *const channels_names[] = {[ZF_CHANNELS_RGB] = "rgb", [ZF_CHANNELS_BGR] = "bgr"};

const char *zf_channels_name(enum zf_channels channels)
{
    return channels_names[channels];
}

const char *zf_metadata_answer(const struct zf_net *net)
{
    const enum zf_answer answer = zf_net_answer(net);

    return answer == zf_answer_of_layers(net) ? NULL : zf_answer_names[answer];
}

enum zf_status zf_metadata_read_answer(const char *text, const char *path, struct zf_net *net,
                                       struct zf_error *err)
{
    struct zf_error reason = {0};
    enum zf_status status;

    for (int i = 0; zf_answer_names[i]; i++) {
        if (strcmp(text, zf_answer_names[i]) != 0)
            continue;
        status = zf_net_set_answer(net, (enum zf_answer)i, &reason);
        return status == ZF_OK ? ZF_OK : zf_fail(err, status, "%s: %s", path, reason.message);
    }
    return zf_fail(err, ZF_EINPUT,
                   "%s: its outputs are said to be \"%.40s\"; known are softmax, sigmoid and "
                   "numbers",
                   path, text);
}

char *zf_metadata_spec(const struct zf_net *net)
{
    char *text = zf_strdup(zf_net_spec(net));

    for (char *p = text; p && *p;) {
        const size_t length = zf_utf8_length(p);

        if (length == 0)
            *p = '?';
        p += length ? length : 1;
    }
    return text;
}

/* Appends a label to `out`, which has room for it, and returns its new end. */
static char *escape_label(const char *label, char *out)
{
    static const char digits[] = "0123456789abcdef";

    while (*label) {
        const size_t length = zf_utf8_length(label);

        if (length == 0) {
            *out++ = '\\';
            *out++ = 'x';
            *out++ = digits[(uint8_t)*label >> 4];
            *out++ = digits[(uint8_t)*label & 15];
            label++;
        } else if (*label == '\\' || *label == '\n') {
            *out++ = '\\';
            *out++ = *label++ == '\n' ? 'n' : '\\';
        } else {
            memcpy(out, label, length);
            out += length;
            label += length;
        }
    }
    return out;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The way back, in place: it only ever gets shorter. Unknown escapes stay as they are. */
static void unescape_label(char *label)
{
    char *out = label;

    for (const char *p = label; *p;) {
        const int high = p[0] == '\\' && p[1] == 'x' ? hex_digit(p[2]) : -1;
        const int low = high >= 0 ? hex_digit(p[3]) : -1;

        if (low >= 0 && high + low > 0) {
            *out++ = (char)(high << 4 | low);
            p += 4;
        } else if (p[0] == '\\' && (p[1] == 'n' || p[1] == '\\')) {
            *out++ = p[1] == 'n' ? '\n' : '\\';
            p += 2;
        } else {
            *out++ = *p++;
        }
    }
    *out = '\0';
}

char *zf_metadata_labels(const struct zf_net *net)
{
    const int64_t classes = zf_net_class_count(net);
    size_t bytes = 1;
    char *text, *end;

    for (int64_t k = 0; k < classes; k++)
        bytes += ESCAPED_BYTES * strlen(zf_net_label(net, k)) + 1;
    text = zf_alloc_raw(bytes, 1);
    if (!text)
        return NULL;
    end = text;
    for (int64_t k = 0; k < classes; k++) {
        if (k > 0)
            *end++ = '\n';
        end = escape_label(zf_net_label(net, k), end);
    }
    *end = '\0';
    return text;
}

enum zf_status zf_metadata_read_labels(const char *text, const char *path, struct zf_net *net,
                                       struct zf_error *err)
{
    enum zf_status status;
    const int64_t classes = zf_net_class_count(net);
    int64_t lines = 1;
    char *lines_text = NULL, *line;
    char **labels = NULL;

    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    if (lines != classes)
        return zf_fail(err, ZF_EINPUT, "%s: %" PRId64 " labels for %" PRId64 " classes", path,
                       lines, classes);
    lines_text = zf_strdup(text);
    labels = zf_alloc((size_t)lines, sizeof *labels);
    if (!lines_text || !labels)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory for %" PRId64 " labels", path, lines));
    line = lines_text;
    for (int64_t k = 0; k < lines; k++) {
        char *end = line + strcspn(line, "\n");

        *end = '\0';
        labels[k] = line;
        line = end + 1;
        unescape_label(labels[k]);
    }
    ZF_TRY(zf_net_set_labels(net, (const char *const *)labels, err));
fail:
    zf_free(labels);
    zf_free(lines_text);
    return status;
}

char *zf_metadata_resize(const struct zf_preparation *preparation)
{
    const char *kind = resize_names[preparation->resize];
    const int64_t size = preparation->size, width = preparation->width;

    return width ? zf_format("%s:%" PRId64 "x%" PRId64, kind, size, width)
                 : zf_format("%s:%" PRId64, kind, size);
}

char *zf_metadata_preparation(const struct zf_net *net)
{
    const struct zf_preparation *preparation = zf_net_preparation(net);
    const struct zf_shape input = zf_net_input(net);
    char width[40] = ""; /* a square has none */

    if (preparation->width)
        snprintf(width, sizeof width, "\"width\":%" PRId64 ",", preparation->width);
    /* Nine digits bring every float back to the same bits. */
    return zf_format("{\"resize\":\"%s\",\"size\":%" PRId64 ",%s\"crop\":[%" PRId64 ",%" PRId64
                     "],\"channels\":\"%s\","
                     "\"mean\":[%.9g,%.9g,%.9g],\"scale\":[%.9g,%.9g,%.9g]}",
                     resize_names[preparation->resize], preparation->size, width, input.h, input.w,
                     channels_names[preparation->channels], (double)preparation->mean[0],
                     (double)preparation->mean[1], (double)preparation->mean[2],
                     (double)preparation->scale[0], (double)preparation->scale[1],
                     (double)preparation->scale[2]);
}

static int read_choice(const cJSON *json, const char *field, const char *const *names, int count)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, field);

    for (int i = 0; i < count; i++) {
        if (cJSON_IsString(item) && strcmp(item->valuestring, names[i]) == 0)
            return i;
    }
    return -1;
}

static bool read_three(const cJSON *json, const char *field, float out[3])
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(json, field);

    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_IsArray(array) ? cJSON_GetArrayItem(array, i) : NULL;

        if (!cJSON_IsNumber(item) || !isfinite((float)item->valuedouble))
            return false;
        out[i] = (float)item->valuedouble;
    }
    return cJSON_GetArraySize(array) == 3;
}

static bool is_pixels(const cJSON *item)
{
    return cJSON_IsNumber(item) && item->valuedouble >= 1 && item->valuedouble <= INT32_MAX;
}

/* What other readers of the file crop to; here it is the net's input already. */
static bool has_crop(const cJSON *crop, struct zf_shape input)
{
    const cJSON *height = cJSON_GetArrayItem(crop, 0), *width = cJSON_GetArrayItem(crop, 1);

    return cJSON_GetArraySize(crop) == 2 && cJSON_IsNumber(height) && cJSON_IsNumber(width) &&
           height->valueint == input.h && width->valueint == input.w;
}

enum zf_status zf_metadata_read_preparation(const char *text, const char *path,
                                            const struct zf_net *net,
                                            struct zf_preparation *preparation,
                                            struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    cJSON *json = NULL;
    const cJSON *size, *width, *crop;
    int resize, channels;
    struct zf_preparation read = {0};
    const char *wrong = NULL;

    if (strlen(text) <= MAX_PREPARATION_BYTES &&
        zf_json_parse(text, strlen(text), &json, NULL) == ZF_ENOMEM)
        return zf_no_memory(err, "the preparation of %s", path);
    size = cJSON_GetObjectItemCaseSensitive(json, "size");
    width = cJSON_GetObjectItemCaseSensitive(json, "width");
    crop = cJSON_GetObjectItemCaseSensitive(json, "crop");
    resize = read_choice(json, "resize", resize_names, (int)ZF_COUNT(resize_names));
    channels = read_choice(json, "channels", channels_names, (int)ZF_COUNT(channels_names));
    if (!cJSON_IsObject(json))
        wrong = "it is not a JSON object";
    else if (resize < 0)
        wrong = "\"resize\" should be \"short\", \"warp\" or \"fit\"";
    else if (channels < 0)
        wrong = "\"channels\" should be \"rgb\" or \"bgr\"";
    else if (!is_pixels(size))
        wrong = "\"size\" should be a number of pixels";
    else if (width && !is_pixels(width))
        wrong = "\"width\" should be a number of pixels";
    else if (crop && !has_crop(crop, zf_net_input(net)))
        wrong = "\"crop\" should be height and width of its net's input";
    else if (!read_three(json, "mean", read.mean))
        wrong = "\"mean\" should be three numbers";
    else if (!read_three(json, "scale", read.scale))
        wrong = "\"scale\" should be three numbers";
    if (wrong) {
        status = zf_fail(err, ZF_EINPUT, "%s: cannot use its preparation: %s", path, wrong);
    } else {
        read.resize = (enum zf_resize)resize;
        read.channels = (enum zf_channels)channels;
        read.size = (int64_t)size->valuedouble;
        read.width = width ? (int64_t)width->valuedouble : 0;
        *preparation = read;
    }
    cJSON_Delete(json);
    return status;
}

enum zf_status zf_metadata_set_preparation(struct zf_net *net,
                                           const struct zf_preparation *preparation,
                                           const char *path, struct zf_error *err)
{
    struct zf_error reason = {0};
    const enum zf_status status = zf_net_set_preparation(net, preparation, &reason);

    if (status == ZF_OK)
        return ZF_OK;
    return zf_fail(err, status == ZF_EINVAL ? ZF_EINPUT : status, "%s: %s", path, reason.message);
}
