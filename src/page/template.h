/* SPDX-License-Identifier: MIT */
/* Templates of pages: files under web/ with {{fields}} to be filled in. */
#ifndef ZF_PAGE_TEMPLATE_H
#define ZF_PAGE_TEMPLATE_H

#include <stddef.h>
#include <stdio.h>

#include "base/embedded.h"

/* The files under web/, by name ("top.html"). */
extern const struct zf_embedded zf_web_files[];

/* The text of one of them; "" where there is none. */
const char *zf_web_file(const char *name);

struct zf_template_field {
    const char *name;
    void (*write)(FILE *stream, const void *user);
};

/* A page on its way; everything is lent. */
struct zf_template {
    FILE *stream;
    const char *rest; /* what is still to be written; at first the whole file */
    const struct zf_template_field *fields;
    size_t field_count;
    const void *user; /* of the fields */
};

/* Write up to the field `stop` (NULL = to the end), which is skipped. */
void zf_template_write(struct zf_template *page, const char *stop);

#endif
