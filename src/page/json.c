/* SPDX-License-Identifier: MIT */
#include "page/json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "page/text.h"

/* `item` may be NULL, for want of memory. */
static bool add(struct zf_json *json, const char *key, cJSON *item)
{
    cJSON *parent = json->depth > 0 ? json->at[json->depth - 1] : NULL;
    const bool added =
        key ? cJSON_AddItemToObject(parent, key, item) : cJSON_AddItemToArray(parent, item);

    if (!added)
        cJSON_Delete(item);
    json->failed |= !added;
    return added;
}

/* After a failure the depth is still counted, so that begins and ends go on matching. */
static void begin(struct zf_json *json, const char *key, cJSON *item)
{
    const bool added = add(json, key, item);

    assert(json->depth < ZF_JSON_DEPTH);
    json->at[json->depth++] = added ? item : NULL;
}

void zf_json_object(struct zf_json *json, const char *key)
{
    begin(json, key, cJSON_CreateObject());
}

void zf_json_array(struct zf_json *json, const char *key)
{
    begin(json, key, cJSON_CreateArray());
}

void zf_json_end(struct zf_json *json)
{
    assert(json->depth > 1);
    json->depth--;
}

/* cJSON writes doubles with 17 digits, which no float needs. */
static cJSON *number(double value, int digits)
{
    char text[40];

    if (!isfinite(value))
        return cJSON_CreateNull();
    snprintf(text, sizeof text, "%.*g", digits, value);
    return cJSON_CreateRaw(text);
}

void zf_json_int(struct zf_json *json, const char *key, int64_t value)
{
    add(json, key, cJSON_CreateNumber((double)value));
}

void zf_json_flag(struct zf_json *json, const char *key, bool value)
{
    add(json, key, cJSON_CreateBool(value));
}

void zf_json_text(struct zf_json *json, const char *key, const char *value)
{
    add(json, key, zf_text_json(value));
}

void zf_json_real(struct zf_json *json, const char *key, double value)
{
    add(json, key, number(value, 12));
}

void zf_json_float(struct zf_json *json, const char *key, float value)
{
    add(json, key, number((double)value, 9));
}

void zf_json_reals(struct zf_json *json, const char *key, const double *values, size_t count)
{
    zf_json_array(json, key);
    for (size_t i = 0; i < count; i++)
        zf_json_real(json, NULL, values[i]);
    zf_json_end(json);
}

void zf_json_float_grid(struct zf_json *json, const char *key, const float *values, int64_t rows,
                        int64_t columns)
{
    zf_json_array(json, key);
    for (int64_t y = 0; y < rows; y++) {
        zf_json_array(json, NULL);
        for (int64_t x = 0; x < columns; x++)
            zf_json_float(json, NULL, values[y * columns + x]);
        zf_json_end(json);
    }
    zf_json_end(json);
}

void zf_json_int_grid(struct zf_json *json, const char *key, const int32_t *values, int64_t rows,
                      int64_t columns)
{
    zf_json_array(json, key);
    for (int64_t y = 0; y < rows; y++) {
        zf_json_array(json, NULL);
        for (int64_t x = 0; x < columns; x++)
            zf_json_int(json, NULL, values[y * columns + x]);
        zf_json_end(json);
    }
    zf_json_end(json);
}
