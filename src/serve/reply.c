/* SPDX-License-Identifier: MIT */
#include "serve/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/picture.h"
#include "tensor/npy.h"

#define THUMBNAIL_QUALITY 85

void zf_reply_release(struct zf_reply *reply)
{
    zf_free(reply->owned);
    *reply = (struct zf_reply){0};
}

void zf_reply_static(struct zf_reply *reply, int status, const char *type, const char *text)
{
    zf_reply_release(reply);
    *reply = (struct zf_reply){
        .status = status, .type = type, .bytes = (const uint8_t *)text, .size = strlen(text)};
}

void zf_reply_bytes(struct zf_reply *reply, const char *type, uint8_t *bytes, size_t size)
{
    zf_reply_release(reply);
    *reply = (struct zf_reply){
        .status = 200, .type = type, .bytes = bytes, .owned = bytes, .size = size};
}

struct zf_json zf_reply_object(void)
{
    struct zf_json json = {.at = {cJSON_CreateObject()}, .depth = 1};

    json.failed = json.at[0] == NULL;
    return json;
}

enum zf_status zf_reply_json(struct zf_reply *reply, struct zf_json *json, struct zf_error *err)
{
    char *printed = json->failed ? NULL : zf_json_sound(cJSON_PrintUnformatted(json->at[0]));
    char *text = printed ? zf_strdup(printed) : NULL;

    cJSON_free(printed);
    cJSON_Delete(json->at[0]);
    json->at[0] = NULL;
    if (!text)
        return zf_no_memory(err, "an answer");
    zf_reply_bytes(reply, "application/json; charset=utf-8", (uint8_t *)text, strlen(text));
    return ZF_OK;
}

static int http_status(enum zf_status status)
{
    switch (status) {
    case ZF_OK:
        return 200;
    case ZF_EINVAL:
        return 400;
    case ZF_EINPUT:
    case ZF_EUNSUPPORTED:
    case ZF_ENUMERIC:
        return 422;
    case ZF_ENOMEM:
    case ZF_ECANCELED:
        return 503;
    case ZF_EIO:
        return 500;
    }
    return 500;
}

void zf_reply_refuse(struct zf_reply *reply, int status, const char *sentence)
{
    struct zf_json json = zf_reply_object();

    zf_json_text(&json, "error", sentence);
    if (zf_reply_json(reply, &json, NULL) != ZF_OK)
        zf_reply_static(reply, status, "application/json", "{\"error\":\"out of memory\"}");
    reply->status = status;
}

void zf_reply_error(struct zf_reply *reply, const struct zf_error *error)
{
    zf_reply_refuse(reply, http_status(error->status),
                    error->message[0] ? error->message : zf_status_text(error->status));
}

enum zf_status zf_reply_png(struct zf_reply *reply, const struct zf_picture *picture,
                            struct zf_error *err)
{
    uint8_t *bytes;
    size_t size;

    ZF_CHECK(zf_picture_encode_soon(picture, &bytes, &size, err));
    zf_reply_bytes(reply, "image/png", bytes, size);
    return ZF_OK;
}

enum zf_status zf_reply_jpeg(struct zf_reply *reply, const struct zf_picture *picture,
                             struct zf_error *err)
{
    uint8_t *bytes;
    size_t size;

    ZF_CHECK(zf_picture_encode(picture, THUMBNAIL_QUALITY, &bytes, &size, err));
    zf_reply_bytes(reply, "image/jpeg", bytes, size);
    return ZF_OK;
}

enum zf_status zf_reply_npy(struct zf_reply *reply, const struct zf_tensor *tensor,
                            struct zf_error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    bool written = stream != NULL;

    if (stream) {
        zf_npy_write(tensor, stream);
        written = !ferror(stream);
        written &= fclose(stream) == 0;
    }
    if (!written) {
        zf_free(bytes);
        return zf_no_memory(err, "%" PRId64 " values", zf_tensor_count(tensor));
    }
    zf_reply_bytes(reply, "application/octet-stream", (uint8_t *)bytes, size);
    reply->file = "values.npy";
    return ZF_OK;
}
