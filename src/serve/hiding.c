/* SPDX-License-Identifier: MIT */
#include "serve/hiding.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "look/choose.h"

#define STEP 32      /* places at a time: the first are seen soon, and a hand waits for no more */
#define COARSE 4     /* first every fourth place of every fourth row */
#define WANTED_S 3.0 /* a page that shows a map asks for it more often */

void zf_hiding_init(struct zf_hiding *hiding, const struct zf_net *net,
                    const struct zf_compute *compute)
{
    *hiding = (struct zf_hiding){.net = net, .compute = *compute};
}

/* ---- A cover that fits. ---- */

static void veil_release(struct zf_veil *veil)
{
    if (veil->made)
        zf_cover_release(&veil->cover);
    *veil = (struct zf_veil){0};
}

static bool are_alike(const struct zf_hidden_as *a, const struct zf_hidden_as *b)
{
    return a->layer == b->layer && a->coloured == b->coloured &&
           (!a->coloured || memcmp(a->colour, b->colour, sizeof a->colour) == 0);
}

/* The cover borrows the layer and the colour, so the veil stays where it is. */
static enum zf_status veil_make(const struct zf_hiding *hiding, struct zf_veil *veil,
                                const struct zf_hidden_as *as, int64_t batch, int64_t side,
                                struct zf_error *err)
{
    if (veil->made && are_alike(&veil->as, as) && veil->side >= side)
        return ZF_OK;
    veil_release(veil);
    veil->as = *as;
    veil->side = side;
    memcpy(veil->colour, as->colour, sizeof veil->colour);
    ZF_CHECK(zf_cover_init(
        &veil->cover, hiding->net,
        &(struct zf_cover_options){.colour = as->coloured ? veil->colour : NULL,
                                   .taps = &veil->as.layer,
                                   .tap_count = 1,
                                   .box = side,
                                   .compute = zf_compute_batch(hiding->compute, batch)},
        err));
    veil->made = true;
    return ZF_OK;
}

/* ---- One box. ---- */

/* In double: the order of a float's sum would show. */
static float sum_of_map(const struct zf_hiding *hiding, struct zf_veil *veil, int64_t image,
                        int64_t map)
{
    const struct zf_shape shape = zf_net_layer(hiding->net, veil->as.layer).shape;
    double total = 0;

    for (int64_t y = 0; y < shape.h; y++)
        for (int64_t x = 0; x < shape.w; x++)
            total += (double)zf_plan_activation(veil->cover.plan, veil->as.layer,
                                                (struct zf_place){image, map, y, x});
    return (float)total;
}

/* Room for a hand that makes the square larger: a plan is not made for each pixel. */
static int64_t roomy(const struct zf_hiding *hiding, struct zf_box box)
{
    const struct zf_shape in = zf_net_input(hiding->net);
    const int64_t most = in.h > in.w ? in.h : in.w;
    const int64_t side = box.height > box.width ? box.height : box.width;
    const int64_t step = most / 8 > 1 ? most / 8 : 1;
    const int64_t room = (side + step - 1) / step * step;

    return room < most ? room : most;
}

enum zf_status zf_hiding_box(struct zf_hiding *hiding, const struct zf_sight *sight,
                             const struct zf_hidden_as *as, struct zf_box box, int64_t map,
                             float *values, float *sum, struct zf_error *err)
{
    struct zf_tensor answer = zf_tensor_view(values, 1, zf_net_class_count(hiding->net), 1, 1);
    struct zf_veil *veil = &hiding->hand;

    ZF_CHECK(veil_make(hiding, veil, as, 1, roomy(hiding, box), err));
    if (veil->serial != sight->serial)
        zf_cover_picture(&veil->cover, sight->input.data);
    veil->serial = 0; /* unless all goes well */
    veil->cover.input = sight->input.data;
    ZF_CHECK(zf_cover_run(&veil->cover, &box, 1, err));
    veil->serial = sight->serial;
    ZF_CHECK(zf_plan_answer(veil->cover.plan, &answer, err));
    if (sum)
        *sum = sum_of_map(hiding, veil, 0, map);
    return ZF_OK;
}

/* ---- Maps that grow. ---- */

static void growing_release(struct zf_growing *map)
{
    veil_release(&map->veil);
    zf_tensor_release(&map->input);
    zf_free(map->order);
    zf_free(map->probability);
    zf_free(map->activation);
    zf_free(map->class_map);
    *map = (struct zf_growing){0};
}

void zf_hiding_release(struct zf_hiding *hiding)
{
    veil_release(&hiding->hand);
    for (size_t i = 0; i < ZF_MOST_GROWING; i++)
        growing_release(&hiding->maps[i]);
}

/* Every fourth place of every fourth row; then every second of every second; then the rest. */
static void fill_order(struct zf_growing *map)
{
    int64_t at = 0;

    for (int64_t step = COARSE; step >= 1; step /= 2) {
        for (int64_t i = 0; i < map->cells; i++) {
            const int64_t y = i / map->grid.columns, x = i % map->grid.columns;
            const bool before = step < COARSE && y % (2 * step) == 0 && x % (2 * step) == 0;

            if (y % step == 0 && x % step == 0 && !before)
                map->order[at++] = i;
        }
    }
}

static enum zf_status begin(const struct zf_sight *sight, const struct zf_growing_ask *ask,
                            const struct zf_occlusions *grid, struct zf_growing *map,
                            struct zf_error *err)
{
    const size_t cells = (size_t)(grid->rows * grid->columns);
    const struct zf_tensor *input = &sight->input;
    enum zf_status status;

    map->grid = *grid;
    map->cells = (int64_t)cells;
    map->as = ask->as;
    map->target = ask->target;
    map->map = ask->map;
    ZF_TRY(zf_tensor_init(&map->input, 1, input->c, input->h, input->w, err));
    memcpy(map->input.data, input->data, (size_t)zf_tensor_count(input) * sizeof(float));
    map->order = zf_alloc(cells, sizeof *map->order);
    map->probability = zf_alloc(cells, sizeof *map->probability);
    map->activation = zf_alloc(cells, sizeof *map->activation);
    map->class_map = zf_alloc(cells, sizeof *map->class_map);
    if (!map->order || !map->probability || !map->activation || !map->class_map)
        ZF_LEAVE(zf_no_memory(err, "a map of %zu places", cells));
    for (size_t i = 0; i < cells; i++) {
        map->probability[i] = map->activation[i] = NAN;
        map->class_map[i] = -1;
    }
    fill_order(map);
    map->serial = sight->serial;
fail:
    if (status != ZF_OK)
        growing_release(map);
    return status;
}

static bool is_of(const struct zf_growing *map, const struct zf_sight *sight,
                  const struct zf_growing_ask *ask, const struct zf_occlusions *grid)
{
    return map->serial == sight->serial && map->grid.size == grid->size &&
           map->grid.stride == grid->stride && are_alike(&map->as, &ask->as) &&
           map->target == ask->target && map->map == ask->map;
}

enum zf_status zf_hiding_grow(struct zf_hiding *hiding, const struct zf_sight *sight,
                              const struct zf_growing_ask *ask, struct zf_growing **out,
                              struct zf_error *err)
{
    struct zf_growing *oldest = &hiding->maps[0];
    struct zf_occlusions grid = {0};

    ZF_CHECK(zf_occlude_grid(hiding->net, &ask->options, &grid, err));
    for (size_t i = 0; i < ZF_MOST_GROWING; i++) {
        struct zf_growing *map = &hiding->maps[i];

        if (is_of(map, sight, ask, &grid)) {
            map->asked_s = zf_clock_s();
            *out = map;
            return map->failed.status == ZF_OK
                       ? ZF_OK
                       : zf_fail(err, map->failed.status, "%s", map->failed.message);
        }
        if (map->asked_s < oldest->asked_s)
            oldest = map;
    }
    growing_release(oldest);
    ZF_CHECK(begin(sight, ask, &grid, oldest, err));
    oldest->asked_s = zf_clock_s();
    *out = oldest;
    return ZF_OK;
}

void zf_hiding_stop(struct zf_growing *map)
{
    map->asked_s = 0;
    veil_release(&map->veil);
}

static enum zf_status grow(struct zf_hiding *hiding, struct zf_growing *map, struct zf_error *err)
{
    const int64_t left = map->cells - map->done, count = left < STEP ? left : STEP;
    const int64_t classes = zf_net_class_count(hiding->net);
    struct zf_tensor answer = {0};
    struct zf_box boxes[STEP];
    enum zf_status status;

    ZF_CHECK(veil_make(hiding, &map->veil, &map->as, STEP, map->grid.size, err));
    if (map->veil.serial != map->serial)
        zf_cover_picture(&map->veil.cover, map->input.data);
    map->veil.serial = map->serial;
    for (int64_t i = 0; i < count; i++)
        boxes[i] = zf_occlude_place(&map->grid, map->order[map->done + i]);
    ZF_TRY(zf_tensor_init(&answer, count, classes, 1, 1, err));
    ZF_TRY(zf_cover_run(&map->veil.cover, boxes, count, err));
    ZF_TRY(zf_plan_answer(map->veil.cover.plan, &answer, err));
    for (int64_t i = 0; i < count; i++) {
        const int64_t cell = map->order[map->done + i];
        const float *said = answer.data + i * classes;

        map->probability[cell] = said[map->target];
        map->class_map[cell] = (int32_t)zf_first_largest(said, classes);
        map->activation[cell] = sum_of_map(hiding, &map->veil, i, map->map);
    }
    map->done += count;
fail:
    zf_tensor_release(&answer);
    return status;
}

bool zf_hiding_step(struct zf_hiding *hiding)
{
    const double now = zf_clock_s();
    struct zf_growing *newest = NULL;

    for (size_t i = 0; i < ZF_MOST_GROWING; i++) {
        struct zf_growing *map = &hiding->maps[i];
        const bool over = map->done == map->cells || map->failed.status != ZF_OK;

        if (over || now - map->asked_s > WANTED_S)
            veil_release(&map->veil);
        else if (!newest || map->asked_s > newest->asked_s)
            newest = map;
    }
    if (!newest)
        return false;
    grow(hiding, newest, &newest->failed);
    return true;
}
