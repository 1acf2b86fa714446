/* SPDX-License-Identifier: MIT */
/* The same map in other pictures: whether what excites it there looks alike. */
#include "experiments/occlude/occlude.h"

#include <string.h>

#include "base/memory.h"
#include "image/signal.h"
#include "zf/look.h"

/* Fills the others of all images whose map is projected. */
struct gathering {
    const struct zf_net *net;
    const struct zf_occlusions *result;
    const struct zf_picture *shown; /* [images] */
    const struct zf_top *top;
    struct zf_others *others; /* [images] */
};

/* Of each image only those in which the map is strong; the image itself is none of the others. */
static bool wants(const struct gathering *gathering, size_t image, int64_t map,
                  const struct zf_picture *patch, struct zf_box box)
{
    const struct zf_picture *shown = &gathering->shown[image];

    if (gathering->result->images[image].map != map || gathering->others[image].count > ZF_OTHERS)
        return false;
    for (int64_t y = 0; y < box.height; y++) {
        if (memcmp(shown->pixels + ((box.y + y) * shown->width + box.x) * 3,
                   patch->pixels + y * patch->width * 3, (size_t)patch->width * 3) != 0)
            return true;
    }
    return false;
}

static enum zf_status cut(const struct zf_picture *picture, struct zf_box box,
                          struct zf_picture *out, struct zf_error *err)
{
    const enum zf_status status = zf_picture_init(out, box.width, box.height, err);

    for (int64_t y = 0; status == ZF_OK && y < box.height; y++)
        memcpy(out->pixels + y * box.width * 3,
               picture->pixels + ((box.y + y) * picture->width + box.x) * 3, (size_t)box.width * 3);
    return status;
}

/* An empty place in the order of ranks: entries come in any. */
static struct zf_other *make_room(struct zf_others *others, size_t rank)
{
    size_t at = others->count++;

    for (; at > 0 && others->items[at - 1].rank > rank; at--)
        others->items[at] = others->items[at - 1];
    others->items[at] = (struct zf_other){.rank = rank};
    return &others->items[at];
}

static enum zf_status visit(void *user, size_t layer, size_t m, size_t rank, const float *input,
                            const float *projection, struct zf_error *err)
{
    struct gathering *gathering = user;
    const struct zf_top_map *map = &gathering->top->layers[layer].maps[m];
    const struct zf_box box = map->entries[rank].patch;
    const struct zf_shape in = gathering->result->input;
    const struct zf_preparation *how = zf_net_preparation(gathering->net);
    const float limit = zf_signal_limit(projection, in, box, ZF_CUT_SHARE);
    struct zf_picture picture = {0}, patch = {0};
    enum zf_status status;

    ZF_TRY(zf_picture_from_input(input, in, how, &picture, err));
    ZF_TRY(cut(&picture, box, &patch, err));
    for (size_t i = 0; i < gathering->result->count; i++) {
        struct zf_other *other;

        if (!wants(gathering, i, map->map, &patch, box))
            continue;
        other = make_room(&gathering->others[i], rank);
        ZF_TRY(zf_picture_from_signal(projection, in, box, limit, how->channels, &other->projection,
                                      err));
        ZF_TRY(cut(&picture, box, &other->patch, err));
    }
fail:
    zf_picture_release(&picture);
    zf_picture_release(&patch);
    return status;
}

void zf_others_free(struct zf_others **others, size_t count)
{
    for (size_t i = 0; *others && i < count; i++) {
        for (size_t k = 0; k <= ZF_OTHERS; k++) {
            zf_picture_release(&(*others)[i].items[k].patch);
            zf_picture_release(&(*others)[i].items[k].projection);
        }
    }
    zf_free(*others);
    *others = NULL;
}

/* Each followed map once. */
static size_t list_maps(const struct zf_occlusions *result, int64_t *maps)
{
    size_t count = 0;

    for (size_t i = 0; i < result->count; i++) {
        size_t at = 0;

        while (at < count && maps[at] != result->images[i].map)
            at++;
        if (at == count)
            maps[count++] = result->images[i].map;
    }
    return count;
}

enum zf_status zf_others_find(const struct zf_net *net, const struct zf_data *data,
                              const struct zf_occlusions *result, const struct zf_picture *shown,
                              const struct zf_compute *compute, struct zf_others **out,
                              const struct zf_monitor *monitor, struct zf_error *err)
{
    struct zf_others *others = zf_alloc(result->count, sizeof *others);
    int64_t *maps = zf_alloc(result->count, sizeof *maps);
    struct zf_top_options options = {.layers = &result->layer,
                                     .layer_count = 1,
                                     .k = ZF_OTHERS + 1,
                                     .maps = maps,
                                     .compute = *compute};
    struct zf_top *top = NULL;
    enum zf_status status;

    if (!others || !maps)
        ZF_LEAVE(zf_no_memory(err, "the other pictures of %zu", result->count));
    options.map_count = list_maps(result, maps);
    ZF_TRY(zf_top_run(net, data, &options, &top, monitor, err));
    ZF_TRY(zf_top_project(net, data, top, &options, visit,
                          &(struct gathering){net, result, shown, top, others}, monitor, err));
    *out = others;
    others = NULL;
fail:
    zf_others_free(&others, result->count);
    zf_top_free(&top);
    zf_free(maps);
    return status;
}
