/* SPDX-License-Identifier: MIT */
/*
 * Boxes of maps, each sample's at a place of its own.
 *
 * Base, patch and result share a layout in which the neighbouring cells of a row lie side by side,
 * so a row is at most five runs of copying, filling and adding.
 */
#include "onednn.h"

#include <string.h>

#include "engine/parallel.h"

static void fill_cells(unsigned char *to, const struct zf_onednn_view *dst, int64_t cells,
                       float number)
{
    uint32_t bits;
    const int64_t count = cells * dst->lanes;

    memcpy(&bits, &number, sizeof bits);
    if (dst->cell == dst->lanes * 2) { /* bf16: the upper half */
        for (int64_t i = 0; i < count; i++)
            memcpy(to + 2 * i, &(uint16_t){(uint16_t)(bits >> 16)}, 2);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        memcpy(to + 4 * i, &bits, 4);
}

static int64_t clamp(int64_t number, int64_t low, int64_t high)
{
    return number < low ? low : number > high ? high : number;
}

/* One row of a box: cells [x, x + width) of a row of the map. Either source may be NULL, and lies
   at the cell of the map where it begins. */
struct row {
    const struct zf_onednn_view *dst;
    unsigned char *to;
    int64_t x, map_width;
    const unsigned char *base;               /* cell 0 of the map; NULL = zeros */
    const unsigned char *patch;              /* cell patch_x of the map */
    int64_t patch_begin, patch_end, patch_x; /* empty where there is none */
    const struct zf_cut *cut;
};

static void put_base(const struct row *row, int64_t begin, int64_t end)
{
    unsigned char *to = row->to + (begin - row->x) * row->dst->cell;
    const size_t bytes = (size_t)((end - begin) * row->dst->cell);

    if (row->base && row->cut->kind != ZF_CUT_DIFFERENCE)
        memcpy(to, row->base + begin * row->dst->cell, bytes);
    else
        memset(to, 0, bytes);
}

static void put_patch(const struct row *row, int64_t begin, int64_t end)
{
    const int64_t cell = row->dst->cell, count = (end - begin) * row->dst->lanes;
    unsigned char *to = row->to + (begin - row->x) * cell;
    const unsigned char *patch = row->patch + (begin - row->patch_x) * cell;
    const float *base, *over;
    float *dst;

    if (row->cut->kind == ZF_CUT_OVER) {
        memcpy(to, patch, (size_t)((end - begin) * cell));
        return;
    }
    dst = (float *)(void *)to;
    over = (const float *)(const void *)patch;
    base = (const float *)(const void *)(row->base + begin * cell);
    if (row->cut->kind == ZF_CUT_SUM)
        for (int64_t i = 0; i < count; i++)
            dst[i] = base[i] + over[i];
    else
        for (int64_t i = 0; i < count; i++)
            dst[i] = over[i] - base[i];
}

static void rectify(const struct row *row, int64_t begin, int64_t end)
{
    float *dst = (float *)(void *)(row->to + (begin - row->x) * row->dst->cell);

    for (int64_t i = 0; i < (end - begin) * row->dst->lanes; i++)
        dst[i] = dst[i] < 0.0f ? 0.0f : dst[i];
}

static void put_row(const struct row *row)
{
    const int64_t end = row->x + row->dst->width;
    const int64_t in = clamp(0, row->x, end), out = clamp(row->map_width, in, end);
    const int64_t from = clamp(row->patch_begin, in, out), to = clamp(row->patch_end, from, out);

    fill_cells(row->to, row->dst, in - row->x, row->cut->fill);
    put_base(row, in, from);
    if (to > from)
        put_patch(row, from, to);
    put_base(row, to, out);
    if (row->cut->rectify)
        rectify(row, in, out);
    fill_cells(row->to + (out - row->x) * row->dst->cell, row->dst, end - out, row->cut->fill);
}

/* Group g of sample n. */
static void put_box(const struct zf_engine *e, const struct zf_onednn_step *step,
                    const struct zf_run *run, int64_t n, int64_t g)
{
    const struct zf_cut *cut = step->parameters; /* base and patch in the layout of the result */
    const struct zf_corner corner = run->corners[cut->at * cut->dims.d[0] + n];
    const struct zf_onednn_view dst = zf_onednn_view(e, step->values[0]);
    struct zf_onednn_view base = {0}, patch = {0};
    struct zf_corner over = {0};
    struct row row = {.dst = &dst, .x = corner.x, .map_width = cut->width, .cut = cut};

    if (cut->base != ZF_NO_VALUE)
        base = zf_onednn_view(e, cut->base);
    if (cut->patch != ZF_NO_VALUE) {
        patch = zf_onednn_view(e, cut->patch);
        over = run->corners[cut->patch_at * cut->dims.d[0] + n];
    }
    for (int64_t i = 0; i < dst.height; i++) {
        const int64_t y = corner.y + i;

        row.to = dst.data + n * dst.sample + g * dst.group + i * dst.row;
        if (y < 0 || y >= cut->height) {
            fill_cells(row.to, &dst, dst.width, cut->fill);
            continue;
        }
        if (base.data)
            row.base = base.data + run->samples[n] * base.sample + g * base.group + y * base.row;
        row.patch_x = row.patch_begin = row.patch_end = over.x;
        if (patch.data && y >= over.y && y < over.y + patch.height) {
            row.patch = patch.data + n * patch.sample + g * patch.group + (y - over.y) * patch.row;
            row.patch_end += patch.width;
        }
        put_row(&row);
    }
}

static void run_cut(struct zf_engine *e, const struct zf_onednn_step *step,
                    const struct zf_run *run)
{
    const int64_t groups = zf_onednn_view(e, step->values[0]).groups;

    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t i = 0; i < run->count * groups; i++)
        put_box(e, step, run, i / groups, i % groups);
}

/* In the layout of the result. */
static zf_value converted(struct zf_engine *e, zf_value value, zf_value model)
{
    if (value == ZF_NO_VALUE)
        return value;
    return zf_onednn_convert(e, value, NULL,
                             zf_onednn_layout_like(e, model, zf_onednn_dims(e, value)));
}

zf_value zf_onednn_cut(struct zf_engine *e, const struct zf_cut *cut)
{
    const zf_value model = cut->patch != ZF_NO_VALUE ? cut->patch : cut->base;
    struct zf_onednn_step step = {.program = e->program, .loop = run_cut};
    struct zf_cut parameters = *cut;

    if (!zf_onednn_ok(e) || model == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if ((cut->kind != ZF_CUT_OVER || cut->rectify) && e->config.bf16) {
        zf_onednn_refuse(e, dnnl_unimplemented,
                         &(struct zf_onednn_work){.operation = "cut", .first = cut->dims});
        return ZF_NO_VALUE;
    }
    parameters.base = converted(e, cut->base, model);
    parameters.patch = converted(e, cut->patch, model);
    step.values[step.count++] =
        zf_onednn_new(e, cut->dims, zf_onednn_layout_like(e, model, cut->dims));
    if (parameters.base != ZF_NO_VALUE)
        step.values[step.count++] = parameters.base;
    if (parameters.patch != ZF_NO_VALUE)
        step.values[step.count++] = parameters.patch;
    zf_onednn_append_loop(e, &step, &parameters, sizeof parameters);
    if (zf_onednn_ok(e) && parameters.base == ZF_NO_VALUE)
        zf_onednn_at(e, step.values[0])->sparse = zf_onednn_at(e, parameters.patch)->sparse;
    return step.values[0];
}
