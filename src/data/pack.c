/* SPDX-License-Identifier: MIT */
#include "data/packed.h"

#include <inttypes.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/fnv.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/scan.h"

struct pack {
    const struct zf_data *data;
    const struct zf_monitor *monitor;
    FILE *stream;
    size_t square_bytes;
    struct zf_packed_header header;
    int64_t *good;  /* [count]: the samples that were written */
    uint32_t *crcs; /* [count]: of their pixels */
};

static enum zf_status write_square(void *user, int64_t i, const uint8_t *pixels, const char *reason,
                                   struct zf_error *err)
{
    struct pack *pack = user;

    if (!pixels) {
        zf_monitor_message(pack->monitor, "left out: %s", reason);
        return ZF_OK;
    }
    if (fwrite(pixels, 1, pack->square_bytes, pack->stream) != pack->square_bytes)
        return zf_fail(err, ZF_EIO, "writing square %" PRId64 " failed: is the disk full?", i);
    pack->crcs[pack->header.count] = zf_crc32c(0, pixels, pack->square_bytes);
    pack->good[pack->header.count++] = i;
    return ZF_OK;
}

/* Everything behind the pixels passes here, for the checksum. Errors are sticky in the stream. */
static void write_table(struct pack *pack, const void *bytes, size_t size)
{
    pack->header.table_checksum = zf_fnv(pack->header.table_checksum, bytes, size);
    fwrite(bytes, 1, size, pack->stream);
}

static void write_offset(struct pack *pack, const char *string)
{
    const uint64_t at = pack->header.text_bytes;

    write_table(pack, &at, sizeof at);
    pack->header.text_bytes += strlen(string) + 1;
}

static void write_tables(struct pack *pack)
{
    static const uint8_t zeros[8] = {0};
    const struct zf_data *data = pack->data;
    const uint64_t count = pack->header.count;

    fwrite(zeros, 1, (8 - count * pack->square_bytes % 8) % 8, pack->stream);
    for (uint64_t i = 0; i < count; i++)
        write_offset(pack, zf_data_path(data, pack->good[i]));
    for (int64_t k = 0; k < data->class_count; k++)
        write_offset(pack, data->classes[k]);
    for (uint64_t i = 0; i < count; i++) {
        const int32_t label = data->class_count > 0 ? data->labels[pack->good[i]] : 0;
        write_table(pack, &label, sizeof label);
    }
    write_table(pack, pack->crcs, count * sizeof *pack->crcs);
    for (uint64_t i = 0; i < count; i++) {
        const char *path = zf_data_path(data, pack->good[i]);
        write_table(pack, path, strlen(path) + 1);
    }
    for (int64_t k = 0; k < data->class_count; k++)
        write_table(pack, data->classes[k], strlen(data->classes[k]) + 1);
}

static void write_header(struct pack *pack)
{
    struct zf_packed_header *header = &pack->header;

    header->checksum = zf_fnv(ZF_FNV_START, header, sizeof *header - sizeof header->checksum);
    if (fseek(pack->stream, 0, SEEK_SET) == 0)
        fwrite(header, sizeof *header, 1, pack->stream);
}

enum zf_status zf_pack_write(const struct zf_data *data, struct zf_geometry geometry, int threads,
                             struct zf_packed_part part, const char *path,
                             const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct zf_output output = {0};
    struct pack pack = {.data = data, .monitor = monitor};
    const struct zf_scan scan = {
        .data = data,
        .geometry = geometry,
        .threads = threads,
        .stage = "packing",
        .visit = write_square,
        .user = &pack,
    };

    ZF_TRY(zf_data_accepts(data, scan.geometry, err));
    pack.header = (struct zf_packed_header){
        .version = part.parts > 0 ? ZF_PACKED_VERSION : ZF_PACKED_VERSION_WHOLE,
        .resize = (uint32_t)geometry.resize,
        .size = (uint64_t)geometry.height,
        .class_count = (uint64_t)data->class_count,
        .table_checksum = ZF_FNV_START,
        .part = part,
    };
    memcpy(pack.header.magic, ZF_PACKED_MAGIC, sizeof pack.header.magic);
    pack.square_bytes = zf_square_bytes(geometry);
    pack.good = zf_alloc_raw((size_t)data->count, sizeof *pack.good);
    pack.crcs = zf_alloc_raw((size_t)data->count, sizeof *pack.crcs);
    if (!pack.good || !pack.crcs)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory to pack %s", data->name));
    ZF_TRY(zf_output_open(&output, path, err));
    pack.stream = output.stream;
    fwrite(&pack.header, sizeof pack.header, 1, pack.stream); /* its place; written again below */
    ZF_TRY(zf_scan_run(&scan, monitor, err));
    if (pack.header.count == 0)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "none of the %" PRId64 " pictures of %s can be read",
                         data->count, data->name));
    write_tables(&pack);
    write_header(&pack);
    ZF_TRY(zf_output_commit(&output, err));
fail:
    zf_output_discard(&output);
    zf_free(pack.good);
    zf_free(pack.crcs);
    return status;
}

enum zf_status zf_data_pack(const struct zf_data *data, enum zf_resize resize, int64_t size,
                            int threads, const char *path, const struct zf_monitor *monitor,
                            struct zf_error *err)
{
    return zf_pack_write(data, zf_geometry_square(resize, size), threads,
                         (struct zf_packed_part){0}, path, monitor, err);
}
