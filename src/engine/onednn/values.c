/* SPDX-License-Identifier: MIT */
/* The list of values: their extents, and how they lie in memory. */
#include "onednn.h"

#include <assert.h>
#include <inttypes.h>

#include "base/memory.h"

/* More than any machine holds, and far from overflow even when channels are padded to blocks. */
#define ELEMENT_LIMIT (INT64_C(1) << 48)

#define SPARSE 3 /* at most one of so many numbers is not zero */

struct zf_onednn_value *zf_onednn_at(const struct zf_engine *e, zf_value value)
{
    assert(value >= 0 && (size_t)value < e->value_count);
    return &e->values[value];
}

const struct zf_layout *zf_onednn_layout(const struct zf_engine *e, zf_value value)
{
    return zf_onednn_at(e, value)->layout;
}

dnnl_data_type_t zf_onednn_type(const struct zf_engine *e)
{
    return e->config.bf16 ? dnnl_bf16 : dnnl_f32;
}

const struct zf_layout *zf_onednn_layout_like(struct zf_engine *e, zf_value value,
                                              struct zf_dims dims)
{
    const struct zf_layout *layout = zf_onednn_layout(e, value);

    return zf_layout_like(&e->layouts, layout, dims, layout->type);
}

struct zf_onednn_view zf_onednn_view(const struct zf_engine *e, zf_value value)
{
    const struct zf_onednn_value *v = zf_onednn_at(e, value);
    const struct zf_layout *layout = v->layout;
    const int64_t bytes = (int64_t)dnnl_data_type_size(layout->type);
    const int64_t lanes =
        zf_layout_maps_are_last(layout) ? v->dims.d[1] : zf_layout_maps_a_block(layout);

    return (struct zf_onednn_view){
        .data = v->data,
        .height = v->dims.d[2],
        .width = v->dims.d[3],
        .lanes = lanes,
        .groups = v->dims.d[1] / lanes,
        .sample = layout->strides[0] * bytes,
        .group = layout->strides[1] * bytes,
        .row = layout->strides[2] * bytes,
        .cell = lanes * bytes,
    };
}

bool zf_onednn_is_sparse(struct zf_dims from, struct zf_dims to)
{
    return SPARSE * from.d[2] * from.d[3] <= to.d[2] * to.d[3];
}

/* Extents beyond the rank become 1. False with a sticky error for impossible ones. */
static bool complete(struct zf_engine *e, struct zf_dims *dims)
{
    int64_t count = 1;

    if (!zf_onednn_ok(e))
        return false;
    for (int i = dims->rank < 1 ? 0 : dims->rank; i < 4; i++)
        dims->d[i] = 1;
    for (int i = 0; i < 4; i++) {
        if (dims->rank < 1 || dims->rank > 4 || dims->d[i] < 1 ||
            !zf_mul3(count, dims->d[i], 1, &count) || count > ELEMENT_LIMIT) {
            zf_fail(&e->error, ZF_EINVAL,
                    "a value of rank %d with extents %" PRId64 ", %" PRId64 ", %" PRId64
                    ", %" PRId64 " is not possible",
                    dims->rank, dims->d[0], dims->d[1], dims->d[2], dims->d[3]);
            return false;
        }
    }
    return true;
}

zf_value zf_onednn_new(struct zf_engine *e, struct zf_dims dims, const struct zf_layout *layout)
{
    void *values = e->values;
    struct zf_onednn_value *value;

    if (!complete(e, &dims))
        return ZF_NO_VALUE;
    if (!layout)
        layout = zf_layout_plain(&e->layouts, dims, dnnl_f32);
    if (!layout)
        return ZF_NO_VALUE;
    if (!zf_grow(&values, &e->value_capacity, e->value_count + 1, sizeof *e->values)) {
        zf_onednn_no_memory(e, "the list of values");
        return ZF_NO_VALUE;
    }
    e->values = values;
    value = &e->values[e->value_count];
    *value = (struct zf_onednn_value){
        .dims = dims,
        .layout = layout,
        .program = e->program,
        .copy_of = ZF_NO_VALUE,
        .shown = ZF_NO_VALUE,
        .unpooled_by = ZF_NO_VALUE,
    };
    return (zf_value)e->value_count++;
}

void zf_onednn_overwrite(struct zf_engine *e, zf_value value)
{
    if (value == ZF_NO_VALUE)
        return;
    zf_onednn_at(e, value)->version++;
    zf_onednn_at(e, value)->copy_of = ZF_NO_VALUE;
    zf_onednn_at(e, value)->unpooled_by = ZF_NO_VALUE;
    zf_onednn_at(e, value)->sparse = false;
}

zf_value zf_onednn_input(struct zf_engine *e, struct zf_dims dims)
{
    const zf_value value = zf_onednn_new(e, dims, NULL);

    if (value != ZF_NO_VALUE)
        zf_onednn_at(e, value)->forever = true;
    return value;
}

zf_value zf_onednn_host(struct zf_engine *e, struct zf_dims dims, float *memory)
{
    const zf_value value = zf_onednn_new(e, dims, NULL);

    if (value != ZF_NO_VALUE) {
        zf_onednn_at(e, value)->program = -1;
        zf_onednn_at(e, value)->data = memory;
    }
    return value;
}

struct zf_dims zf_onednn_dims(const struct zf_engine *e, zf_value value)
{
    if (value == ZF_NO_VALUE)
        return (struct zf_dims){4, {1, 1, 1, 1}};
    return zf_onednn_at(e, value)->dims;
}
