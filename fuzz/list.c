/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/listing.h"

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    const struct zf_bytes file = {.data = bytes, .size = size};
    struct zf_data *data = zf_alloc(1, sizeof *data);
    struct zf_error err;
    bool accepted;

    if (!data || !(data->name = zf_strdup("folder/list.tsv")))
        abort();
    data->kind = &zf_data_list;
    accepted = zf_list_parse(&file, data, &err) == ZF_OK;
    for (int64_t i = 0; accepted && i < zf_data_count(data); i++) {
        if (!zf_data_class(data, zf_data_label(data, i)) || strlen(zf_data_path(data, i)) == 0)
            abort();
    }
    zf_data_free(&data);
    return accepted;
}
