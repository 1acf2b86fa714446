/* SPDX-License-Identifier: MIT */
/* What a .cls, .json or .txt beside a picture in a tar says of its class. */
#include "data/shard_entries.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"

#define MAX_CAPTION 100 /* bytes: more is no class's name */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool read_digits(const char *text, size_t size, uint32_t *number)
{
    uint32_t value = 0;

    for (size_t k = 0; k < size; k++) {
        if (text[k] < '0' || text[k] > '9' || value >= ZF_SHARD_MAX_CLASSES)
            return false;
        value = value * 10 + (uint32_t)(text[k] - '0');
    }
    *number = value;
    return size > 0 && value < ZF_SHARD_MAX_CLASSES;
}

/* A number, or a name. */
static enum zf_status take_word(const char *text, size_t size, struct zf_shard_said *said,
                                struct zf_error *err)
{
    if (read_digits(text, size, &said->number)) {
        said->kind = ZF_SHARD_NUMBER;
        return ZF_OK;
    }
    if (size == 0 || size >= sizeof said->name || memchr(text, '\n', size) ||
        memchr(text, '\0', size))
        return zf_fail(err, ZF_EINPUT, "%s", size == 0 ? "is empty" : "is no class");
    memcpy(said->name, text, size);
    said->name[size] = '\0';
    said->kind = ZF_SHARD_NAME;
    return ZF_OK;
}

static enum zf_status take_json(const cJSON *json, struct zf_shard_said *said, struct zf_error *err)
{
    static const char *const keys[] = {"label", "cls", "class"};
    const cJSON *value = NULL, *name = cJSON_GetObjectItemCaseSensitive(json, "class_name");

    if (!cJSON_IsObject(json))
        return zf_fail(err, ZF_EINPUT, "is no JSON object");
    for (size_t k = 0; k < ZF_COUNT(keys) && !value; k++)
        value = cJSON_GetObjectItemCaseSensitive(json, keys[k]);
    if (!value || cJSON_IsNull(value))
        return ZF_OK;
    if (cJSON_IsString(value))
        return take_word(value->valuestring, strlen(value->valuestring), said, err);
    if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0) ||
        !(value->valuedouble < ZF_SHARD_MAX_CLASSES) ||
        value->valuedouble != (double)(uint32_t)value->valuedouble)
        return zf_fail(err, ZF_EINPUT, "has a \"%s\" that is neither a class's number nor its name",
                       value->string);
    said->kind = ZF_SHARD_NUMBER;
    said->number = (uint32_t)value->valuedouble;
    if (cJSON_IsString(name) && strlen(name->valuestring) < sizeof said->name)
        memcpy(said->name, name->valuestring, strlen(name->valuestring) + 1);
    return ZF_OK;
}

enum zf_status zf_shard_parse_label(enum zf_shard_role role, const char *text, size_t size,
                                    struct zf_shard_said *said, struct zf_error *err)
{
    enum zf_status status;
    cJSON *json = NULL;

    *said = (struct zf_shard_said){.kind = ZF_SHARD_NONE};
    if (role == ZF_SHARD_JSON) {
        status = zf_json_parse(text, size, &json, NULL);
        if (status != ZF_OK)
            return zf_fail(err, status,
                           status == ZF_ENOMEM ? "does not fit into memory" : "is no JSON");
        status = take_json(json, said, err);
        cJSON_Delete(json);
        return status;
    }
    for (; size > 0 && is_blank(text[0]); size--)
        text++;
    while (size > 0 && is_blank(text[size - 1]))
        size--;
    if (role == ZF_SHARD_CLS)
        return take_word(text, size, said, err);
    /* One that is no class says so by the name "". */
    if (size > MAX_CAPTION || take_word(text, size, said, NULL) != ZF_OK)
        said->name[0] = '\0';
    else if (said->kind == ZF_SHARD_NUMBER)
        memcpy(said->name, text, size);
    said->kind = ZF_SHARD_TEXT;
    return ZF_OK;
}
