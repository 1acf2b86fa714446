/* SPDX-License-Identifier: MIT */
/* The name of generated data, "synth:val:100". */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zf/data.h"

enum { MOST_DIGITS = 5 }; /* a million names take their time */

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    char name[256];
    struct zf_data *data = NULL;
    struct zf_error err;
    bool accepted;

    if (size > 200 || memchr(bytes, '\0', size))
        return false;
    snprintf(name, sizeof name, "synth:%.*s", (int)size, (const char *)bytes);
    if (strspn(name + strcspn(name, "123456789"), "0123456789") > MOST_DIGITS)
        return false;
    accepted = zf_data_open(name, &data, &err) == ZF_OK;
    if (accepted && (zf_data_count(data) < 1 || !zf_data_path(data, zf_data_count(data) - 1)))
        abort();
    zf_data_free(&data);
    return accepted;
}
