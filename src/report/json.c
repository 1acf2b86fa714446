/* SPDX-License-Identifier: MIT */
#include "report/json.h"

#include "base/memory.h"
#include "base/status.h"
#include "report/text.h"

bool zf_json_add_number(cJSON *object, const char *key, double value)
{
    return cJSON_AddNumberToObject(object, key, value) != NULL;
}

bool zf_json_add_text(cJSON *object, const char *key, const char *text)
{
    return cJSON_AddItemToObject(object, key, zf_json_text(text));
}

cJSON *zf_json_add_item(cJSON *array)
{
    cJSON *item = cJSON_CreateObject();

    if (item && !cJSON_AddItemToArray(array, item)) {
        cJSON_Delete(item);
        item = NULL;
    }
    return item;
}

enum zf_status zf_json_finish(cJSON *object, bool complete, char **text, struct zf_error *err)
{
    char *printed = object && complete ? cJSON_PrintUnformatted(object) : NULL;
    char *copy = printed ? zf_strdup(printed) : NULL;

    cJSON_free(printed);
    cJSON_Delete(object);
    if (!copy)
        return zf_fail(err, ZF_ENOMEM, "out of memory for a result");
    *text = copy;
    return ZF_OK;
}
