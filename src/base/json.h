/* SPDX-License-Identifier: MIT */
#ifndef ZF_BASE_JSON_H
#define ZF_BASE_JSON_H

#include <cjson/cJSON.h>

#include "zf/base.h"

/**
 * Parse `size` bytes. cJSON itself says the same of what is no JSON and of memory that ran out; the
 * first is ZF_EINPUT here, the second ZF_ENOMEM. What follows the value is left alone.
 *
 * out  NULL unless ZF_OK; release with cJSON_Delete()
 * end  behind the value, or where it cannot be read on; NULL if that is not asked
 */
enum zf_status zf_json_parse(const char *text, size_t size, cJSON **out, const char **end);

#endif
