/* SPDX-License-Identifier: MIT */
/* Documents as a page. */
#ifndef ZF_PAGE_SECTIONS_H
#define ZF_PAGE_SECTIONS_H

#include <cjson/cJSON.h>

#include "page/beside.h"
#include "page/sizes.h"
#include "zf/base.h"

/* HTML that stands in a document's own page in place of some of its blocks. */
struct zf_replacement {
    const cJSON *first; /* of the blocks */
    size_t count;
    char *html; /* owned; freed with free() */
};

/* What a document's own page has beyond its blocks; a report of several leaves it out. */
struct zf_dress {
    const char *style;     /* a file under web/; NULL = nothing of all this */
    const char *script;    /* likewise; NULL = none */
    bool beside;           /* the script loads files that lie beside the page */
    char *before;          /* the first replaced block; owned, as all HTML here */
    char *after;           /* all blocks */
    struct zf_sizes sizes; /* that its HTML uses */
    struct zf_replacement *replaced;
    size_t count, capacity;
};

/* One document on a page of several. */
struct zf_section {
    const cJSON *root;            /* see document.h */
    const char *directory;        /* of its files */
    const char *id;               /* of its heading within the page, and the beginning of others */
    const struct zf_dress *dress; /* NULL = none */
    const char *note;             /* how far it is; NULL = finished */

    /* In a report; NULL = none. Lent. */
    const char *part, *question; /* heading above it, where a part begins, and what is asked */
    const char *headline;        /* what came of it, in a sentence */
    const char *home;            /* relative address of the document's own page */
};

/**
 * Write a page: one document, or with a `lead` a report of some, below `title` with
 * their contents listed, how to read it, and a glossary.
 *
 * beside  where pictures go if the page would hold more than ZF_PAGE_MOST bytes of them; its count
 *         says how many did. NULL = the page holds all
 *
 * ZF_EINPUT for a block that is not as in document.h, or whose picture is missing; ZF_EIO,
 * ZF_ENOMEM.
 */
enum zf_status zf_sections_write(const char *path, const char *title, const char *lead,
                                 const struct zf_section *sections, size_t count,
                                 struct zf_beside *beside, struct zf_error *err);

#endif
