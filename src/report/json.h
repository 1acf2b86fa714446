/* SPDX-License-Identifier: MIT */
/* Adding to JSON objects; each returns false when memory is short. */
#ifndef ZF_REPORT_JSON_H
#define ZF_REPORT_JSON_H

#include <cjson/cJSON.h>

#include "zf/base.h"

/* A float with the digits that tell it from its neighbours; what is not finite becomes null. */
bool zf_json_add_float(cJSON *object, const char *key, float value);
bool zf_json_add_double(cJSON *object, const char *key, double value);
bool zf_json_add_int(cJSON *object, const char *key, int64_t value);
bool zf_json_add_text(cJSON *object, const char *key, const char *text); /* NULL becomes null */

/* Arrays of numbers; a grid is an array of its rows. */
bool zf_json_add_doubles(cJSON *object, const char *key, const double *values, size_t count);
bool zf_json_add_float_grid(cJSON *object, const char *key, const float *values, int64_t rows,
                            int64_t columns);
bool zf_json_add_int_grid(cJSON *object, const char *key, const int32_t *values, int64_t rows,
                          int64_t columns);

/* A new object at the end of `array`, which owns it; NULL when memory is short. */
cJSON *zf_json_add_item(cJSON *array);

/**
 * The text of `object`, which is deleted; `complete` false says that adding failed somewhere.
 * *text is handed over, free with zf_text_free().
 */
enum zf_status zf_json_finish(cJSON *object, bool complete, char **text, struct zf_error *err);

#endif
