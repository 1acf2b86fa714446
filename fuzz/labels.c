/* SPDX-License-Identifier: MIT */
/* A file of labels: lines or JSON. */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "model/labels.h"

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    const struct zf_bytes file = {.data = bytes, .size = size};
    struct zf_labels labels = {0};
    struct zf_error err;

    if (zf_labels_parse(&file, "fuzz.txt", 3, &labels, &err) != ZF_OK)
        return false;
    if (labels.count < 1)
        abort();
    for (int64_t k = 0; k < labels.count; k++)
        if (!labels.items[k] || strlen(labels.items[k]) > 2 * size) /* from UTF-16 */
            abort();
    zf_labels_release(&labels);
    return true;
}
