/* SPDX-License-Identifier: MIT */
/*
 * The catalogue on disk, in this machine's order of bytes:
 *
 *     magic, key, done, layers                          8 bytes each
 *     of each map of each layer: its numbers, then how many entries (8 bytes) and these
 *     CRC-32C of all that                               4 bytes
 *
 * A file of another net, list of pictures, version or size is not read; the lists have the same
 * shape for the same key, so nothing in it says how much to allocate.
 */
#include "serve/catalogue.h"

#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#define MAGIC UINT64_C(0x313054494e55465a) /* "ZFUNIT01" */
#define MOST_BYTES ((size_t)1 << 30)

struct entry {
    int64_t sample;
    float activation;
    int32_t y, x, padding;
};

struct head {
    uint64_t magic, key;
    int64_t done, layers;
};

enum zf_status zf_catalogue_write(struct zf_catalogue *catalogue, struct zf_error *err)
{
    const struct zf_top *top = catalogue->top;
    const struct head head = {MAGIC, catalogue->key, catalogue->done, (int64_t)top->layer_count};
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    enum zf_status status;
    uint32_t crc;

    if (!stream)
        return zf_no_memory(err, "a catalogue");
    fwrite(&head, sizeof head, 1, stream);
    for (size_t l = 0; l < top->layer_count; l++) {
        for (size_t m = 0; m < top->layers[l].map_count; m++) {
            const struct zf_top_map *map = &top->layers[l].maps[m];
            const int64_t count = (int64_t)map->count;

            fwrite(&catalogue->maps[l][m], sizeof catalogue->maps[l][m], 1, stream);
            fwrite(&count, sizeof count, 1, stream);
            for (size_t k = 0; k < map->count; k++) {
                const struct zf_top_entry *from = &map->entries[k];
                const struct entry entry = {.sample = from->sample,
                                            .activation = from->activation,
                                            .y = (int32_t)from->y,
                                            .x = (int32_t)from->x};

                fwrite(&entry, sizeof entry, 1, stream);
            }
        }
    }
    fflush(stream);
    crc = zf_crc32c(0, bytes, size);
    fwrite(&crc, sizeof crc, 1, stream);
    status = fclose(stream) == 0 ? zf_file_write(catalogue->path, bytes, size, err)
                                 : zf_no_memory(err, "a catalogue");
    zf_free(bytes);
    return status;
}

/* What is still to be read. */
struct rest {
    const uint8_t *at, *end;
};

static bool take(struct rest *rest, void *to, size_t size)
{
    if ((size_t)(rest->end - rest->at) < size)
        return false;
    memcpy(to, rest->at, size);
    rest->at += size;
    return true;
}

static bool take_map(const struct zf_catalogue *catalogue, struct rest *rest,
                     const struct zf_top_layer *layer, size_t capacity,
                     struct zf_catalogue_map *numbers, struct zf_top_map *map)
{
    const struct zf_shape shape = zf_net_layer(catalogue->net, layer->layer).shape;
    int64_t count;

    if (!take(rest, numbers, sizeof *numbers) || !take(rest, &count, sizeof count) || count < 0 ||
        count > (int64_t)capacity)
        return false;
    for (int64_t k = 0; k < count; k++) {
        struct entry entry;

        if (!take(rest, &entry, sizeof entry) || entry.sample < 0 ||
            entry.sample >= zf_data_count(catalogue->data) || entry.y < 0 || entry.y >= shape.h ||
            entry.x < 0 || entry.x >= shape.w)
            return false;
        map->entries[k] = (struct zf_top_entry){
            .sample = entry.sample, .activation = entry.activation, .y = entry.y, .x = entry.x};
    }
    map->count = (size_t)count;
    return true;
}

static bool take_all(struct zf_catalogue *catalogue, struct rest *rest, size_t capacity)
{
    const struct zf_top *top = catalogue->top;

    for (size_t l = 0; l < top->layer_count; l++) {
        for (size_t m = 0; m < top->layers[l].map_count; m++) {
            if (!take_map(catalogue, rest, &top->layers[l], capacity, &catalogue->maps[l][m],
                          &top->layers[l].maps[m]))
                return false;
        }
    }
    return rest->at == rest->end;
}

static void clear(struct zf_catalogue *catalogue)
{
    for (size_t l = 0; l < catalogue->top->layer_count; l++) {
        const struct zf_top_layer *layer = &catalogue->top->layers[l];

        memset(catalogue->maps[l], 0, layer->map_count * sizeof *catalogue->maps[l]);
        for (size_t m = 0; m < layer->map_count; m++)
            layer->maps[m].count = 0;
    }
}

enum zf_status zf_catalogue_read(struct zf_catalogue *catalogue, struct zf_error *err)
{
    const int64_t images = zf_data_count(catalogue->data);
    struct zf_bytes file = {0};
    enum zf_status status;
    struct rest rest;
    struct head head;
    uint32_t crc;

    ZF_TRY(zf_bytes_map(&file, catalogue->path, MOST_BYTES, err));
    rest = (struct rest){file.data, file.data + file.size};
    if (file.size < sizeof head + sizeof crc || !take(&rest, &head, sizeof head) ||
        head.magic != MAGIC || head.key != catalogue->key || head.done < 0 || head.done > images ||
        head.layers != (int64_t)catalogue->top->layer_count)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s is of another net or data set", catalogue->path));
    memcpy(&crc, file.data + file.size - sizeof crc, sizeof crc);
    rest.end -= sizeof crc;
    if (crc != zf_crc32c(0, file.data, file.size - sizeof crc) ||
        !take_all(catalogue, &rest,
                  zf_top_capacity(&(struct zf_top_options){.k = ZF_CATALOGUE_LENGTH}, images))) {
        clear(catalogue);
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s is damaged", catalogue->path));
    }
    catalogue->done = head.done;
fail:
    zf_bytes_release(&file);
    return status;
}
