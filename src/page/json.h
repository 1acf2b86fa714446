/* SPDX-License-Identifier: MIT */
/* The inside of zf_json, the numbers of a document (zf/document.h). */
#ifndef ZF_PAGE_JSON_H
#define ZF_PAGE_JSON_H

#include <cjson/cJSON.h>

#include "zf/document.h"

#define ZF_JSON_DEPTH 16 /* objects and arrays within each other */

/* A failed allocation is remembered, so that only the end needs a check. */
struct zf_json {
    cJSON *at[ZF_JSON_DEPTH]; /* what is open; the first is the whole, owned */
    size_t depth;             /* how many are open */
    bool failed;
};

#endif
