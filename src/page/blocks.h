/* SPDX-License-Identifier: MIT */
/* Blocks of a document (document.h) as HTML. They may come from a file that anybody wrote. */
#ifndef ZF_PAGE_BLOCKS_H
#define ZF_PAGE_BLOCKS_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "page/beside.h"
#include "page/sizes.h"
#include "zf/base.h"

/* Where a block goes. */
struct zf_block_place {
    FILE *out;
    const char *directory;    /* of the document's files */
    int level;                /* of a heading: h2 or h3 */
    bool own;                 /* the page lies beside the document's files */
    struct zf_beside *beside; /* where pictures go; NULL = within the page */
};

/**
 * Write one block.
 * ZF_EINPUT for one that is not as in document.h, or whose picture is missing; ZF_EIO, ZF_ENOMEM.
 */
enum zf_status zf_block_write(const struct zf_block_place *place, const cJSON *block,
                              struct zf_error *err);

/* The sizes that its HTML uses, for the page's style, which stands before it. */
void zf_block_sizes(const cJSON *block, struct zf_sizes *sizes);

#endif
