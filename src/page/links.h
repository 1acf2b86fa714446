/* SPDX-License-Identifier: MIT */
/* From a report to the pages of its results, which lie beside it. */
#ifndef ZF_PAGE_LINKS_H
#define ZF_PAGE_LINKS_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "zf/base.h"

/** A path as it stands in an address; NULL when memory is short. Free with zf_free(). */
char *zf_percent_encoded(const char *path);

/**
 * The address of directory/index.html as seen from the page `page`, percent-encoded:
 * "top/index.html". *address is NULL where there is no such page. Free with zf_free(). ZF_ENOMEM.
 */
enum zf_status zf_link_home(const char *page, const char *directory, char **address,
                            struct zf_error *err);

/** Links to a result's own page, and of `top` to some of its maps. home: NULL = none. */
void zf_links_write(FILE *out, const cJSON *root, const char *home);

#endif
