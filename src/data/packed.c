/* SPDX-License-Identifier: MIT */
#include "data/packed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/fnv.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/data.h"

_Static_assert(sizeof(struct zf_packed_header) == ZF_PACKED_HEADER_BYTES, "no hidden gaps");

#define MAX_BYTES ((uint64_t)1 << 44)
#define MAX_SIZE 16384
#define MAX_SAMPLES ((uint64_t)1 << 31)

static uint64_t round_up_8(uint64_t value)
{
    return (value + 7) / 8 * 8;
}

bool zf_packed_layout(const struct zf_packed_header *header, struct zf_packed_layout *layout)
{
    uint64_t labels_end;

    if (header->size < 1 || header->size > MAX_SIZE || header->count < 1 ||
        header->count > MAX_SAMPLES || header->class_count > MAX_SAMPLES ||
        header->text_bytes < 1 || header->text_bytes > MAX_BYTES || header->resize > 1)
        return false;
    /* 2^31 squares of 2^28 * 3 bytes and the rest cannot wrap around 64 bits. */
    layout->pixels_end = ZF_PACKED_HEADER_BYTES + header->count * (header->size * header->size * 3);
    layout->path_at = round_up_8(layout->pixels_end);
    layout->class_at = layout->path_at + header->count * 8;
    layout->labels = layout->class_at + header->class_count * 8;
    labels_end = layout->labels + header->count * 4;
    layout->crcs = header->version > 1 ? labels_end : 0;
    layout->text = round_up_8(layout->crcs ? labels_end + header->count * 4 : labels_end);
    layout->end = layout->text + header->text_bytes;
    return layout->end <= MAX_BYTES;
}

static bool packed_matches(const char *name, const struct stat *info)
{
    char magic[8] = {0};
    FILE *file;
    bool failed;
    size_t read;

    if (!info || !S_ISREG(info->st_mode))
        return false;
    /* What cannot be read is opened as one, which says why. */
    if (zf_file_open(&file, name, NULL) != ZF_OK)
        return true;
    read = fread(magic, 1, sizeof magic, file);
    failed = ferror(file);
    fclose(file);
    /* The first six bytes do: what follows tells a bent file from something else. */
    return failed || (read == sizeof magic && memcmp(magic, ZF_PACKED_MAGIC, 6) == 0);
}

static bool little_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;

    memcpy(&first, &one, 1);
    return first == 1;
}

static enum zf_status check_header(const char *name, const struct zf_bytes *file,
                                   struct zf_packed_header *header, struct zf_packed_layout *layout,
                                   struct zf_error *err)
{
    uint64_t checksum;

    if (!little_endian())
        return zf_fail(err, ZF_EUNSUPPORTED, "%s: packed files need a little-endian machine", name);
    if (file->size < sizeof *header)
        return zf_fail(err, ZF_EINPUT, "%s: cut off: %zu bytes do not hold the header of %zu", name,
                       file->size, sizeof *header);
    memcpy(header, file->data, sizeof *header);
    checksum = zf_fnv(ZF_FNV_START, file->data, sizeof *header - sizeof header->checksum);
    if (memcmp(header->magic, ZF_PACKED_MAGIC, sizeof header->magic) != 0 ||
        checksum != header->checksum)
        return zf_fail(err, ZF_EINPUT, "%s: the header is damaged; pack it again", name);
    if (header->version < 1 || header->version > ZF_PACKED_VERSION)
        return zf_fail(err, ZF_EINPUT, "%s: packed by version %u of the format, this reads 1 to %d",
                       name, header->version, ZF_PACKED_VERSION);
    if (!zf_packed_layout(header, layout) ||
        (header->version == ZF_PACKED_VERSION) != (header->part.parts > 0) ||
        (header->part.number > 0) != (header->part.parts > 0) ||
        header->part.number > header->part.parts)
        return zf_fail(err, ZF_EINPUT, "%s: the header's counts are out of range", name);
    if (layout->end != file->size)
        return zf_fail(err, ZF_EINPUT,
                       "%s: %zu bytes where %" PRIu64 " are expected; it was cut off "
                       "or damaged, pack it again",
                       name, file->size, layout->end);
    if (zf_fnv(ZF_FNV_START, file->data + layout->path_at, file->size - layout->path_at) !=
        header->table_checksum)
        return zf_fail(err, ZF_EINPUT, "%s: its tables are damaged; pack it again", name);
    return ZF_OK;
}

/* A checksum is no proof of good will: every offset and label is checked as well. */
static enum zf_status read_tables(struct zf_data *data, const struct zf_bytes *file,
                                  const struct zf_packed_header *header,
                                  const struct zf_packed_layout *layout, struct zf_error *err)
{
    const char *text = (const char *)file->data + layout->text;
    const int32_t label_end = header->class_count > 0 ? (int32_t)header->class_count : 1;
    bool valid = text[header->text_bytes - 1] == '\0';

    data->path_at = (const void *)(file->data + layout->path_at); /* aligned: see packed.h */
    memcpy(data->labels, file->data + layout->labels, header->count * 4);
    for (uint64_t i = 0; i < header->count; i++)
        valid = valid && data->path_at[i] < header->text_bytes && data->labels[i] >= 0 &&
                data->labels[i] < label_end;
    for (uint64_t k = 0; valid && k < header->class_count; k++) {
        uint64_t at;
        memcpy(&at, file->data + layout->class_at + k * 8, sizeof at);
        valid = at < header->text_bytes;
        if (valid && !(data->classes[k] = zf_strdup(text + at)))
            return zf_fail(err, ZF_ENOMEM, "no memory for the classes of %s", data->name);
        data->class_count = (int64_t)k + 1;
    }
    if (!valid)
        return zf_fail(err, ZF_EINPUT, "%s: its tables point outside of the file", data->name);
    data->paths = text;
    data->count = (int64_t)header->count;
    return ZF_OK;
}

/* What stays open with the data set. */
struct packed {
    struct zf_bytes file;
    uint64_t crcs; /* as in the layout */
    struct zf_packed_part part;
};

struct zf_packed_part zf_packed_part_of(const struct zf_data *data)
{
    const struct packed *packed = data->state;

    return packed->part;
}

static enum zf_status packed_open(struct zf_data *data, struct zf_error *err)
{
    struct zf_packed_header header;
    struct zf_packed_layout layout;
    struct packed *packed = zf_alloc(1, sizeof *packed);

    if (!packed)
        return zf_fail(err, ZF_ENOMEM, "no memory to open %s", data->name);
    data->state = packed;
    ZF_CHECK(zf_bytes_map(&packed->file, data->name, MAX_BYTES, err));
    ZF_CHECK(check_header(data->name, &packed->file, &header, &layout, err));
    data->labels = zf_alloc_raw(header.count, sizeof *data->labels);
    data->classes = zf_alloc(header.class_count, sizeof *data->classes);
    if (!data->labels || !data->classes)
        return zf_fail(err, ZF_ENOMEM, "no memory for the %" PRIu64 " samples of %s", header.count,
                       data->name);
    ZF_CHECK(read_tables(data, &packed->file, &header, &layout, err));
    packed->crcs = layout.crcs;
    packed->part = header.part;
    if (!packed->crcs)
        data->caveat = "packed by version 1 of the format, which kept no checksums: pack it again "
                       "to have its pictures checked";
    data->fixed = zf_geometry_square((enum zf_resize)header.resize, (int64_t)header.size);
    return ZF_OK;
}

static void packed_close(struct zf_data *data)
{
    struct packed *packed = data->state;

    if (packed)
        zf_bytes_release(&packed->file);
    zf_free(packed);
}

static enum zf_status packed_square(const struct zf_data *data, int64_t i,
                                    struct zf_geometry geometry, struct zf_picture *square,
                                    struct zf_oddity *odd, struct zf_error *err)
{
    const struct packed *packed = data->state;
    const size_t bytes = zf_square_bytes(geometry);
    enum zf_status status = zf_picture_init(square, geometry.width, geometry.height, err);

    (void)odd;
    if (status == ZF_OK)
        memcpy(square->pixels, packed->file.data + ZF_PACKED_HEADER_BYTES + (size_t)i * bytes,
               bytes);
    return status;
}

static enum zf_status packed_verify(const struct zf_data *data, int64_t i, const uint8_t *pixels,
                                    struct zf_error *err)
{
    const struct packed *packed = data->state;
    uint32_t crc;

    if (!packed->crcs)
        return ZF_OK;
    memcpy(&crc, packed->file.data + packed->crcs + (size_t)i * sizeof crc, sizeof crc);
    if (zf_crc32c(0, pixels, zf_square_bytes(data->fixed)) != crc)
        return zf_fail(err, ZF_EINPUT, "%s: its pixels in %s are damaged; pack it again",
                       zf_data_path(data, i), data->name);
    return ZF_OK;
}

const struct zf_data_kind zf_data_packed = {
    .name = "packed",
    .form = "a packed file",
    .matches = packed_matches,
    .open = packed_open,
    .square = packed_square,
    .verify = packed_verify,
    .close = packed_close,
};
