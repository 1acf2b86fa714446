/* SPDX-License-Identifier: MIT */
#include "page/sizes.h"

#include <inttypes.h>

static const struct {
    const char *name, *unit;
} sizes_known[ZF_SIZE_COUNT] = {
    [ZF_SIZE_COLUMNS] = {"columns", ""},
    [ZF_SIZE_ROWS] = {"rows", ""},
    [ZF_SIZE_PANEL] = {"panel", "px"},
};

void zf_sizes_add(struct zf_sizes *sizes, enum zf_size size, int64_t value)
{
    if (value >= 1 && value <= ZF_SIZE_MOST)
        sizes->used[size][value] = true;
}

void zf_sizes_class(FILE *stream, enum zf_size size, int64_t value)
{
    fprintf(stream, "%s-%" PRId64, sizes_known[size].name, value);
}

void zf_sizes_css(FILE *stream, const struct zf_sizes *sizes)
{
    for (int size = 0; size < ZF_SIZE_COUNT; size++) {
        const char *name = sizes_known[size].name;

        for (int value = 1; value <= ZF_SIZE_MOST; value++) {
            if (sizes->used[size][value])
                fprintf(stream, ".%s-%d { --%s: %d%s; }\n", name, value, name, value,
                        sizes_known[size].unit);
        }
    }
}
