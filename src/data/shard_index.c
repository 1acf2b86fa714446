/* SPDX-License-Identifier: MIT */
#include "data/shard_index.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/fnv.h"

#define MAX_BYTES ((uint64_t)1 << 40)
#define HEADER_BYTES sizeof(struct zf_index_header)

_Static_assert(sizeof(struct zf_index_header) == 128, "no hidden gaps");
_Static_assert(sizeof(struct zf_shard_sample) == 32, "no hidden gaps");

static uint64_t checksum_of(const struct zf_index_header *header)
{
    return zf_fnv(ZF_FNV_START, header, sizeof *header - sizeof header->checksum);
}

static bool header_is_right(const struct zf_index_header *header, uint64_t file_size,
                            const struct stat *info)
{
    const uint64_t body = file_size - HEADER_BYTES;

    return memcmp(header->magic, ZF_INDEX_MAGIC, sizeof header->magic) == 0 &&
           header->version == ZF_INDEX_VERSION && header->checksum == checksum_of(header) &&
           header->tar_size == (uint64_t)info->st_size &&
           header->tar_s == (int64_t)info->st_mtim.tv_sec &&
           header->tar_ns == (int64_t)info->st_mtim.tv_nsec &&
           header->count <= body / sizeof(struct zf_shard_sample) &&
           header->text_bytes == body - header->count * sizeof(struct zf_shard_sample) &&
           header->text_bytes > 0 && header->unused_example < header->text_bytes;
}

/* A checksum is no proof of good will. */
static bool samples_are_sound(const struct zf_shard *shard, uint64_t tar_size)
{
    bool sound = shard->text[shard->text_bytes - 1] == '\0';

    for (uint64_t i = 0; i < shard->count && sound; i++) {
        const struct zf_shard_sample *sample = &shard->samples[i];

        sound = sample->name < shard->text_bytes && sample->label < shard->text_bytes &&
                sample->kind <= ZF_SHARD_ARCHIVE && sample->number < ZF_SHARD_MAX_CLASSES &&
                sample->offset >= ZF_TAR_BLOCK && sample->offset <= tar_size &&
                (sample->size == UINT32_MAX || sample->size <= tar_size - sample->offset);
    }
    return sound;
}

static bool has_its_header(const struct zf_tar_source *source, const struct zf_shard_sample *sample)
{
    uint8_t block[ZF_TAR_BLOCK];

    return zf_tar_read(source, sample->offset - sizeof block, block, sizeof block, NULL) == ZF_OK &&
           zf_crc32c(0, block, sizeof block) == sample->crc;
}

bool zf_index_load(const char *path, const struct zf_tar_source *source, const struct stat *info,
                   struct zf_shard *shard)
{
    struct zf_index_header header;
    struct zf_shard found = {0};
    bool right;

    if (zf_bytes_map(&found.file, path, MAX_BYTES, NULL) != ZF_OK)
        return false;
    right = found.file.size > HEADER_BYTES;
    if (right) {
        memcpy(&header, found.file.data, sizeof header);
        right = header_is_right(&header, found.file.size, info) &&
                zf_fnv(ZF_FNV_START, found.file.data + HEADER_BYTES,
                       found.file.size - HEADER_BYTES) == header.body;
    }
    if (right) {
        found.samples = (const void *)(found.file.data + HEADER_BYTES); /* aligned: see above */
        found.text = (const char *)(found.samples + header.count);
        found.count = header.count;
        found.text_bytes = header.text_bytes;
        found.unused = header.unused;
        found.unused_example = header.unused_example;
        right = samples_are_sound(&found, header.tar_size) &&
                (found.count == 0 || (has_its_header(source, &found.samples[0]) &&
                                      has_its_header(source, &found.samples[found.count - 1])));
    }
    if (right)
        *shard = found;
    else
        zf_bytes_release(&found.file);
    return right;
}

enum zf_status zf_index_save(const char *path, const struct zf_shard *shard,
                             const struct stat *info, struct zf_error *err)
{
    enum zf_status status;
    struct zf_output output = {0};
    struct zf_index_header header = {
        .version = ZF_INDEX_VERSION,
        .unused_example = shard->unused_example,
        .count = shard->count,
        .text_bytes = shard->text_bytes,
        .unused = shard->unused,
        .tar_size = (uint64_t)info->st_size,
        .tar_s = (int64_t)info->st_mtim.tv_sec,
        .tar_ns = (int64_t)info->st_mtim.tv_nsec,
        .body = zf_fnv(ZF_FNV_START, shard->samples, shard->count * sizeof *shard->samples),
    };

    memcpy(header.magic, ZF_INDEX_MAGIC, sizeof header.magic);
    header.body = zf_fnv(header.body, shard->text, shard->text_bytes);
    header.checksum = checksum_of(&header);
    ZF_TRY(zf_output_open(&output, path, err));
    fwrite(&header, sizeof header, 1, output.stream);
    fwrite(shard->samples, sizeof *shard->samples, shard->count, output.stream);
    fwrite(shard->text, 1, shard->text_bytes, output.stream);
    ZF_TRY(zf_output_commit(&output, err));
fail:
    zf_output_discard(&output);
    return status;
}
