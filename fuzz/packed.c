/* SPDX-License-Identifier: MIT */
/* A packed file. Its checksums are mended first, so that what they guard is reached. */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "base/fnv.h"
#include "data/data.h"
#include "data/packed.h"
#include "file.h"

enum { MOST = 1 << 20 };

static void mend(uint8_t *bytes, size_t size)
{
    struct zf_packed_header header;
    struct zf_packed_layout layout;

    if (size < sizeof header)
        return;
    memcpy(&header, bytes, sizeof header);
    if (zf_packed_layout(&header, &layout) && layout.path_at <= size)
        header.table_checksum = zf_fnv(ZF_FNV_START, bytes + layout.path_at, size - layout.path_at);
    header.checksum = zf_fnv(ZF_FNV_START, &header, sizeof header - sizeof header.checksum);
    memcpy(bytes, &header, sizeof header);
}

static void look_at(const struct zf_data *data)
{
    const struct zf_geometry geometry = data->fixed;
    uint8_t *pixels = malloc(zf_square_bytes(geometry));
    struct zf_error err;

    if (!pixels || zf_data_count(data) < 1)
        abort();
    for (int64_t i = 0; i < zf_data_count(data); i++) {
        if (strlen(zf_data_path(data, i)) > MOST ||
            (zf_data_class_count(data) > 0 && !zf_data_class(data, zf_data_label(data, i))))
            abort();
        if (zf_data_pixels(data, i, geometry, pixels, NULL, &err) == ZF_OK && pixels[0] == 17)
            pixels[0] = 0;
    }
    free(pixels);
}

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    struct zf_data *data = NULL;
    uint8_t *mended = malloc(size + 1);
    struct zf_error err;
    bool accepted;

    if (!mended)
        abort();
    memcpy(mended, bytes, size);
    mend(mended, size);
    accepted = size >= 6 && memcmp(bytes, ZF_PACKED_MAGIC, 6) == 0 &&
               zf_data_open(fuzz_file("data.pack", mended, size), &data, &err) == ZF_OK;
    if (accepted)
        look_at(data);
    zf_data_free(&data);
    free(mended);
    return accepted;
}
