/* SPDX-License-Identifier: MIT */
/*
 * The lists of a pass over a data set in a file, so that a pass that was stopped or killed goes on.
 * The file is one machine's own: numbers stand in it as they do in memory. It says for whom it was
 * written, and where the next batch begins.
 */
#include "look/look.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#define LARGEST_FILE ((size_t)8 << 30)

static const char magic[8] = "zftop 1";

struct header {
    char magic[8];
    uint64_t asked; /* bytes of that text, which follows */
    int64_t next, images;
    double seconds;
    uint64_t layers;
};

struct layer_header {
    int64_t layer;
    uint64_t maps;
};

struct map_header {
    int64_t map;
    uint64_t entries;
};

/* ---- Writing. ---- */

static void write_layer(FILE *stream, const struct zf_top_layer *layer)
{
    const struct layer_header head = {layer->layer, layer->map_count};

    fwrite(&head, sizeof head, 1, stream);
    for (size_t m = 0; m < layer->map_count; m++) {
        const struct zf_top_map *map = &layer->maps[m];
        const struct map_header of_map = {map->map, map->count};

        fwrite(&of_map, sizeof of_map, 1, stream);
        for (size_t k = 0; k < map->count; k++) {
            const struct zf_top_entry *entry = &map->entries[k];

            fwrite(&entry->sample, sizeof entry->sample, 1, stream);
            fwrite(&entry->y, sizeof entry->y, 1, stream);
            fwrite(&entry->x, sizeof entry->x, 1, stream);
            fwrite(&entry->activation, sizeof entry->activation, 1, stream);
        }
    }
}

enum zf_status zf_top_keep(const char *path, const char *asked, const struct zf_top *top,
                           const struct zf_top_so_far *so_far, struct zf_error *err)
{
    enum zf_status status;
    struct zf_output out = {0};
    struct header head = {.asked = strlen(asked),
                          .next = so_far->next,
                          .images = so_far->images,
                          .seconds = so_far->seconds,
                          .layers = top->layer_count};

    memcpy(head.magic, magic, sizeof magic);
    ZF_TRY(zf_output_open(&out, path, err));
    fwrite(&head, sizeof head, 1, out.stream);
    fwrite(asked, 1, strlen(asked), out.stream);
    for (size_t i = 0; i < top->layer_count; i++)
        write_layer(out.stream, &top->layers[i]);
    ZF_TRY(zf_output_commit(&out, err));
fail:
    zf_output_discard(&out);
    return status;
}

/* ---- Reading. ---- */

struct reader {
    const uint8_t *at;
    size_t left;
};

static bool take(struct reader *reader, void *out, size_t size)
{
    if (reader->left < size)
        return false;
    memcpy(out, reader->at, size);
    reader->at += size;
    reader->left -= size;
    return true;
}

static bool read_entry(struct reader *reader, struct zf_shape shape, int64_t pictures,
                       struct zf_top_entry *entry)
{
    return take(reader, &entry->sample, sizeof entry->sample) &&
           take(reader, &entry->y, sizeof entry->y) && take(reader, &entry->x, sizeof entry->x) &&
           take(reader, &entry->activation, sizeof entry->activation) && entry->sample >= 0 &&
           entry->sample < pictures && entry->y >= 0 && entry->y < shape.h && entry->x >= 0 &&
           entry->x < shape.w;
}

static bool read_layer(struct reader *reader, const struct zf_net *net, size_t capacity,
                       int64_t pictures, struct zf_top_layer *layer)
{
    const struct zf_shape shape = zf_net_layer(net, layer->layer).shape;
    struct layer_header head;

    if (!take(reader, &head, sizeof head) || head.layer != layer->layer ||
        head.maps != layer->map_count)
        return false;
    for (size_t m = 0; m < layer->map_count; m++) {
        struct zf_top_map *map = &layer->maps[m];
        struct map_header of_map;

        if (!take(reader, &of_map, sizeof of_map) || of_map.map != map->map ||
            of_map.entries > capacity)
            return false;
        map->count = (size_t)of_map.entries;
        for (size_t k = 0; k < map->count; k++) {
            if (!read_entry(reader, shape, pictures, &map->entries[k]))
                return false;
        }
    }
    return true;
}

/* Whether the file is whole, and its lists fit the net and the data. */
static bool read_all(struct reader *reader, const struct header *head, const struct zf_net *net,
                     size_t capacity, int64_t pictures, struct zf_top *top)
{
    if (head->layers != top->layer_count || head->next < 0 || head->images < 0 ||
        head->images > head->next || head->next > pictures || !(head->seconds >= 0))
        return false;
    for (size_t i = 0; i < top->layer_count; i++) {
        if (!read_layer(reader, net, capacity, pictures, &top->layers[i]))
            return false;
    }
    return reader->left == 0;
}

enum zf_status zf_top_recall(const char *path, const char *asked, const struct zf_net *net,
                             size_t capacity, int64_t pictures, struct zf_top *top,
                             struct zf_top_so_far *so_far, struct zf_error *err)
{
    struct zf_bytes bytes = {0};
    struct reader reader;
    struct header head;
    enum zf_status status = ZF_OK;

    ZF_CHECK(zf_bytes_map(&bytes, path, LARGEST_FILE, err));
    reader = (struct reader){bytes.data, bytes.size};
    if (!take(&reader, &head, sizeof head) || memcmp(head.magic, magic, sizeof magic) != 0 ||
        head.asked > reader.left)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s does not hold the strongest so far", path));
    if (head.asked != strlen(asked) || memcmp(reader.at, asked, head.asked) != 0)
        ZF_LEAVE(
            zf_fail(err, ZF_EINPUT,
                    "%s was begun with another net, other pictures or other options: repeat its "
                    "command line, or begin anew without --resume",
                    path));
    reader.at += head.asked;
    reader.left -= head.asked;
    if (!read_all(&reader, &head, net, capacity, pictures, top))
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s does not hold the strongest so far", path));
    *so_far = (struct zf_top_so_far){head.next, head.images, head.seconds};
fail:
    zf_bytes_release(&bytes);
    return status;
}
