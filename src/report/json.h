/* SPDX-License-Identifier: MIT */
/* Members of a cJSON object; false when memory is short. */
#ifndef ZF_REPORT_JSON_H
#define ZF_REPORT_JSON_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "zf/base.h"

bool zf_json_add_number(cJSON *object, const char *key, double value);

/* Any bytes, made valid UTF-8; NULL gives null. */
bool zf_json_add_text(cJSON *object, const char *key, const char *text);

/* A new object at the end of `array`, which owns it; NULL when memory is short. */
cJSON *zf_json_add_item(cJSON *array);

/* Print `object` on one line and delete it. *text is zf_text_free()'s. ZF_ENOMEM, also for an
   object that is not complete. */
enum zf_status zf_json_finish(cJSON *object, bool complete, char **text, struct zf_error *err);

#endif
