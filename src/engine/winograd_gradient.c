/* SPDX-License-Identifier: MIT */
/* The gradient of filters by Winograd's algorithm: its schedule. */
#include "engine/winograd.h"

#include "engine/parallel.h"
#include "engine/winograd_inside.h"

/* Of one place in the tile, a block's tiles of two vectors of results and one of numbers stay in
   the first cache, and of all maps in the second, with the sums that they are added to. */
#define BLOCK_TILES 196

static int64_t v_step(const struct zf_winograd *w, int64_t tiles)
{
    return (w->src_groups * tiles + 1) * w->lanes;
}

static int64_t m_step(const struct zf_winograd *w, int64_t tiles)
{
    return (w->dst_blocks * tiles + 1) * w->lanes;
}

bool zf_winograd_choose_gradient(struct zf_winograd *w, enum zf_cpu cpu,
                                 const struct zf_window *window, struct zf_dims src,
                                 int64_t dst_maps, int threads)
{
    if (!zf_winograd_choose(w, cpu, window, src, dst_maps, true, threads))
        return false;
    zf_winograd_plan_gradient(w);
    return true;
}

void zf_winograd_plan_gradient(struct zf_winograd *w)
{
    w->blocks = (w->tiles + BLOCK_TILES - 1) / BLOCK_TILES;
    w->block_tiles = (w->tiles + w->blocks - 1) / w->blocks;
    w->scratch_size = w->filters_size +
                      w->side * w->side * (v_step(w, w->block_tiles) + m_step(w, w->block_tiles));
}

/* The source's and the result's blocks of maps, one after the other. */
static void transform(const struct zf_winograd *w, struct zf_winograd_part part, const float *src,
                      const float *diff_dst, float *v, float *m)
{
    ZF_PARALLEL_FOR(w->threads)
    for (int64_t c = 0; c < w->src_groups + w->dst_blocks; c++) {
        struct zf_winograd_part one = part;

        one.groups = 1;
        one.group = c < w->src_groups ? c : c - w->src_groups;
        if (c < w->src_groups)
            w->kernels->transform_source(w, &one, src, v);
        else
            w->kernels->spread_result(w, &one, diff_dst, m);
    }
}

/* Threads take turns, as places differ in what is to be done. */
static void multiply(const struct zf_winograd *w, struct zf_winograd_part part, const float *v,
                     const float *m, float *sums)
{
    const int64_t panels = (w->dst_blocks + ZF_WINOGRAD_WIDTH - 1) / ZF_WINOGRAD_WIDTH;
    const int64_t all = w->side * w->side * panels, threads = w->threads;

    ZF_PARALLEL_FOR(w->threads)
    for (int64_t t = 0; t < threads; t++)
        for (int64_t i = t; i < all; i += threads) {
            const int64_t place = i / panels;
            struct zf_winograd_part panel = part;

            panel.group = i % panels * ZF_WINOGRAD_WIDTH;
            panel.groups = w->dst_blocks - panel.group < ZF_WINOGRAD_WIDTH ? 1 : ZF_WINOGRAD_WIDTH;
            w->kernels->add_products(w, &panel, place, v + place * part.src_step,
                                     m + place * part.dst_step,
                                     sums + place * (w->filters_size / (w->side * w->side)));
        }
}

void zf_winograd_gradient(const struct zf_winograd *w, const float *src, const float *diff_dst,
                          float *diff_weight, float *diff_bias, float *scratch)
{
    float *sums = scratch, *v = sums + w->filters_size;

    for (int64_t b = 0; b < w->blocks; b++) {
        struct zf_winograd_part part = {.tile = w->tiles * b / w->blocks};
        float *m;

        part.tiles = w->tiles * (b + 1) / w->blocks - part.tile;
        part.src_step = v_step(w, part.tiles);
        part.dst_step = m_step(w, part.tiles);
        m = v + w->side * w->side * part.src_step;
        transform(w, part, src, diff_dst, v, m);
        multiply(w, part, v, m, sums);
    }
    ZF_PARALLEL_FOR(w->threads)
    for (int64_t group = 0; group < w->dst_blocks; group++) {
        w->kernels->gather_filters(w, sums, group, diff_weight);
        if (diff_bias)
            w->kernels->add_cells(w, diff_dst, group, diff_bias);
    }
}
