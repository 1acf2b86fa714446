/* SPDX-License-Identifier: MIT */
/*
 * What a page may load and run, for the browser to hold: the one style and the one script that it
 * was written with, known by their SHA-256, and pictures. So text from a file that got into a page
 * as markup after all would run nothing and fetch nothing.
 */
#ifndef ZF_PAGE_POLICY_H
#define ZF_PAGE_POLICY_H

#include <stdbool.h>
#include <stdio.h>

struct zf_policy {
    const char *style;  /* the text of the page's <style> element, which must be the only one */
    const char *script; /* of its <script>; NULL = none */
    bool beside;        /* pictures and scripts that lie beside the page are loaded as well, the
                           latter by that script alone */
};

/* Write the Content-Security-Policy, as the quoted content of a <meta> element. */
void zf_policy_write(FILE *stream, const struct zf_policy *policy);

#endif
