/* SPDX-License-Identifier: MIT */
/* Between plain host memory and values in any layout, a sample at a time or a cell. */
#include "onednn.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/magnitude.h"
#include "engine/parallel.h"
#include "threads.h"

#define PARTS 64 /* that threads share in looking for the largest number */
#define LANES 16 /* maps that are scanned together: the widest block that oneDNN uses */

/* The value as float32: itself, or its copy. */
static const struct zf_onednn_value *shown(const struct zf_engine *e, zf_value value)
{
    const struct zf_onednn_value *v = zf_onednn_at(e, value);

    return v->shown == ZF_NO_VALUE ? v : zf_onednn_at(e, v->shown);
}

static int64_t sample_count(const struct zf_onednn_value *value)
{
    return value->dims.d[1] * value->dims.d[2] * value->dims.d[3];
}

static float *sample_at(const struct zf_onednn_value *value, int64_t n)
{
    return (float *)value->data + n * value->layout->strides[0];
}

/* Layouts keep samples apart unless they block n, which oneDNN does for no activation. */
static bool samples_are_apart(const struct zf_layout *layout)
{
    if (!layout->described || layout->type != dnnl_f32)
        return false;
    for (int i = 0; i < layout->block_count; i++)
        if (layout->block_axis[i] == 0)
            return false;
    return true;
}

static dnnl_status_t make_copy(struct zf_engine *e, const struct zf_layout *from,
                               const struct zf_layout *to, dnnl_primitive_t *copy)
{
    dnnl_primitive_desc_t desc = NULL;
    dnnl_status_t status =
        dnnl_reorder_primitive_desc_create(&desc, from->desc, e->engine, to->desc, e->engine, NULL);

    if (status == dnnl_success)
        status = zf_onednn_create(copy, desc);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    return status;
}

bool zf_onednn_transfer_init(struct zf_engine *e, struct zf_onednn_value *value)
{
    struct zf_onednn_transfer *transfer = &value->transfer;
    struct zf_dims one = value->dims;
    const struct zf_layout *packed = NULL, *plain;
    dnnl_status_t status = dnnl_unimplemented;

    if (value->layout == zf_layout_plain(&e->layouts, value->dims, dnnl_f32))
        return true;
    one.d[0] = 1;
    plain = zf_layout_plain(&e->layouts, one, dnnl_f32);
    if (samples_are_apart(value->layout)) {
        packed = zf_layout_sample(&e->layouts, value->layout);
        if (!packed || !plain)
            return false;
        status = make_copy(e, packed, plain, &transfer->unpack);
    }
    if (status == dnnl_success)
        status = make_copy(e, plain, packed, &transfer->pack);
    if (status == dnnl_success)
        status = dnnl_memory_create(&transfer->packed, packed->desc, e->engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_memory_create(&transfer->plain, plain->desc, e->engine, DNNL_MEMORY_NONE);
    if (status != dnnl_success)
        zf_onednn_refuse(e, status,
                         &(struct zf_onednn_work){.operation = "reading", .first = value->dims});
    return status == dnnl_success;
}

void zf_onednn_transfer_release(struct zf_onednn_transfer *transfer)
{
    if (transfer->pack)
        dnnl_primitive_destroy(transfer->pack);
    if (transfer->unpack)
        dnnl_primitive_destroy(transfer->unpack);
    if (transfer->packed)
        dnnl_memory_destroy(transfer->packed);
    if (transfer->plain)
        dnnl_memory_destroy(transfer->plain);
    *transfer = (struct zf_onednn_transfer){0};
}

/* One sample through a reorder; `plain` is written to only by unpack. */
static void move_sample(struct zf_engine *e, const struct zf_onednn_value *value, int64_t n,
                        float *plain, bool pack)
{
    const struct zf_onednn_transfer *transfer = &value->transfer;
    const dnnl_exec_arg_t args[2] = {
        {pack ? DNNL_ARG_FROM : DNNL_ARG_TO, transfer->plain},
        {pack ? DNNL_ARG_TO : DNNL_ARG_FROM, transfer->packed},
    };
    dnnl_status_t status;

    dnnl_memory_set_data_handle(transfer->plain, plain);
    dnnl_memory_set_data_handle(transfer->packed, sample_at(value, n));
    status = dnnl_primitive_execute(pack ? transfer->pack : transfer->unpack, e->stream, 2, args);
    assert(status == dnnl_success);
    (void)status;
}

void zf_onednn_write(struct zf_engine *e, zf_value value, const float *plain, int64_t rows)
{
    const struct zf_onednn_value *to = shown(e, value);
    const int64_t count = sample_count(to);
    const int before = zf_onednn_threads_set(e->config.threads);

    assert(rows >= 0 && rows <= to->dims.d[0]);
    if (!to->transfer.pack)
        memcpy(to->data, plain, (size_t)(rows * count) * sizeof *plain);
    for (int64_t n = 0; to->transfer.pack && n < rows; n++)
        move_sample(e, to, n, (float *)(uintptr_t)(plain + n * count), true);
    zf_onednn_threads_set(before);
}

void zf_onednn_read(struct zf_engine *e, zf_value value, float *plain, int64_t rows)
{
    const struct zf_onednn_value *from = shown(e, value);
    const int64_t count = sample_count(from);
    const int before = zf_onednn_threads_set(e->config.threads);

    assert(rows >= 0 && rows <= from->dims.d[0]);
    if (!from->transfer.unpack)
        memcpy(plain, from->data, (size_t)(rows * count) * sizeof *plain);
    for (int64_t n = 0; from->transfer.unpack && n < rows; n++)
        move_sample(e, from, n, plain + n * count, false);
    zf_onednn_threads_set(before);
}

void zf_onednn_zero(struct zf_engine *e, zf_value value)
{
    const struct zf_onednn_value *to = shown(e, value);

    memset(to->data, 0, to->layout->bytes);
}

static float *cell_at(const struct zf_onednn_value *value, struct zf_cell cell)
{
    const int64_t at[4] = {cell.n, cell.c, cell.y, cell.x};

    for (int i = 0; i < value->dims.rank; i++)
        assert(at[i] >= 0 && at[i] < value->dims.d[i]);
    return (float *)value->data + zf_layout_offset(value->layout, at);
}

void zf_onednn_poke(struct zf_engine *e, zf_value value, struct zf_cell cell, float number)
{
    *cell_at(shown(e, value), cell) = number;
}

float zf_onednn_peek(struct zf_engine *e, zf_value value, struct zf_cell cell)
{
    return *cell_at(shown(e, value), cell);
}

/* The strongest of `lanes` neighbouring maps, whose cells lie `across` and rows `down` apart. */
struct scan {
    const float *cells;
    int64_t height, width, down, across, lanes;
};

static void scan_maps(const struct scan *scan, float *strongest, int32_t *where)
{
    float best[LANES];
    int32_t place[LANES] = {0};

    for (int k = 0; k < LANES; k++)
        best[k] = -INFINITY;
    for (int64_t y = 0; y < scan->height; y++) {
        for (int64_t x = 0; x < scan->width; x++) {
            const float *cell = scan->cells + y * scan->down + x * scan->across;
            const int32_t here = (int32_t)(y * scan->width + x);

            if (scan->lanes == LANES) { /* a fixed count, so that it becomes vector code */
                for (int k = 0; k < LANES; k++) {
                    place[k] = cell[k] > best[k] ? here : place[k];
                    best[k] = cell[k] > best[k] ? cell[k] : best[k];
                }
                continue;
            }
            for (int k = 0; k < scan->lanes; k++) {
                place[k] = cell[k] > best[k] ? here : place[k];
                best[k] = cell[k] > best[k] ? cell[k] : best[k];
            }
        }
    }
    memcpy(strongest, best, (size_t)scan->lanes * sizeof *strongest);
    memcpy(where, place, (size_t)scan->lanes * sizeof *where);
}

void zf_onednn_map_maxima(struct zf_engine *e, zf_value value, float *strongest, int32_t *where,
                          int64_t rows)
{
    const struct zf_onednn_value *from = shown(e, value);
    const struct zf_layout *layout = from->layout;
    const int64_t maps = from->dims.d[1];
    const struct zf_cell second = {0, maps > 1, 0, 0};
    const bool beside = cell_at(from, second) - cell_at(from, (struct zf_cell){0}) == 1;
    const int64_t block = layout->block_count > 0 ? layout->block[0] : LANES;
    const int64_t step = !beside ? 1 : block < LANES ? block : LANES;
    const int64_t groups = (maps + step - 1) / step;

    assert(layout->block_count <= 1);
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t i = 0; i < rows * groups; i++) {
        const int64_t n = i / groups, c = i % groups * step;
        const struct scan scan = {
            .cells = cell_at(from, (struct zf_cell){n, c, 0, 0}),
            .height = from->dims.d[2],
            .width = from->dims.d[3],
            .down = layout->strides[2],
            .across = layout->strides[3],
            .lanes = maps - c < step ? maps - c : step,
        };
        scan_maps(&scan, strongest + n * maps + c, where + n * maps + c);
    }
}

/* In whatever order the numbers lie; maps that fill up a block are zeros. */
float zf_onednn_largest(struct zf_engine *e, zf_value value, int64_t rows)
{
    const struct zf_onednn_value *from = shown(e, value);
    const int64_t count = rows < from->dims.d[0] ? rows * from->layout->strides[0]
                                                 : (int64_t)(from->layout->bytes / sizeof(float));
    const int64_t parts = count < PARTS ? 1 : PARTS;
    float found[PARTS] = {0};

    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t i = 0; i < parts; i++) {
        const int64_t first = count * i / parts;

        found[i] = zf_largest_magnitude((const float *)from->data + first,
                                        count * (i + 1) / parts - first);
    }
    return zf_largest_magnitude(found, parts);
}
