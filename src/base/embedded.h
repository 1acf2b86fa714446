/* SPDX-License-Identifier: MIT */
/* Text files that live inside the program: tools/embed.py turns them into an array of these at
   build time. */
#ifndef ZF_BASE_EMBEDDED_H
#define ZF_BASE_EMBEDDED_H

struct zf_embedded {
    const char *name; /* NULL ends the array */
    const char *text; /* the file as it is, NUL terminated */
};

#endif
