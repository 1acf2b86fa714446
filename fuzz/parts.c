/* SPDX-License-Identifier: MIT */
/* A list of parts, as `correspond` takes it. */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/correspond/correspond.h"
#include "file.h"

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    struct zf_parts *parts = NULL;
    struct zf_error err;

    if (zf_parts_load(fuzz_file("parts.tsv", bytes, size), &parts, &err) != ZF_OK)
        return false;
    for (size_t i = 0; i < parts->mark_count; i++)
        if (parts->marks[i].picture >= parts->picture_count ||
            parts->marks[i].part >= parts->part_count)
            abort();
    for (size_t i = 0; i < parts->part_count; i++)
        if (strlen(parts->parts[i]) > size)
            abort();
    zf_parts_free(&parts);
    return true;
}
