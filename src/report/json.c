/* SPDX-License-Identifier: MIT */
#include "report/json.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/status.h"
#include "report/text.h"

/* cJSON writes doubles with 17 digits, which no float needs. */
static cJSON *number(double value, int digits)
{
    char text[40];

    if (!isfinite(value))
        return cJSON_CreateNull();
    snprintf(text, sizeof text, "%.*g", digits, value);
    return cJSON_CreateRaw(text);
}

bool zf_json_add_float(cJSON *object, const char *key, float value)
{
    return cJSON_AddItemToObject(object, key, number((double)value, 9));
}

bool zf_json_add_double(cJSON *object, const char *key, double value)
{
    return cJSON_AddItemToObject(object, key, number(value, 12));
}

bool zf_json_add_int(cJSON *object, const char *key, int64_t value)
{
    return cJSON_AddNumberToObject(object, key, (double)value) != NULL;
}

bool zf_json_add_text(cJSON *object, const char *key, const char *text)
{
    return cJSON_AddItemToObject(object, key, zf_json_text(text));
}

bool zf_json_add_doubles(cJSON *object, const char *key, const double *values, size_t count)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);
    bool ok = array != NULL;

    for (size_t i = 0; ok && i < count; i++)
        ok = cJSON_AddItemToArray(array, number(values[i], 12));
    return ok;
}

/* cJSON walks an array to its end for each item that is added, so rows are kept short. */
static cJSON *add_row(cJSON *grid)
{
    cJSON *row = cJSON_CreateArray();

    return cJSON_AddItemToArray(grid, row) ? row : NULL;
}

bool zf_json_add_float_grid(cJSON *object, const char *key, const float *values, int64_t rows,
                            int64_t columns)
{
    cJSON *grid = cJSON_AddArrayToObject(object, key), *row = NULL;
    bool ok = grid != NULL;

    for (int64_t i = 0; ok && i < rows * columns; i++) {
        if (i % columns == 0)
            row = add_row(grid);
        ok = row && cJSON_AddItemToArray(row, number((double)values[i], 9));
    }
    return ok;
}

bool zf_json_add_int_grid(cJSON *object, const char *key, const int32_t *values, int64_t rows,
                          int64_t columns)
{
    cJSON *grid = cJSON_AddArrayToObject(object, key), *row = NULL;
    bool ok = grid != NULL;

    for (int64_t i = 0; ok && i < rows * columns; i++) {
        if (i % columns == 0)
            row = add_row(grid);
        ok = row && cJSON_AddItemToArray(row, cJSON_CreateNumber((double)values[i]));
    }
    return ok;
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
        return zf_fail(err, ZF_ENOMEM, "out of memory for JSON");
    *text = copy;
    return ZF_OK;
}
