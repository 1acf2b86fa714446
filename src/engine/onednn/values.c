/* SPDX-License-Identifier: MIT */
/* Values and their layouts: where one is wanted in another layout, a reorder is appended. */
#include "onednn.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

/* More than any machine holds, and far from overflow even when channels are padded to blocks. */
#define ELEMENT_LIMIT (INT64_C(1) << 48)

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
                    "a value of rank %d with extents %lld, %lld, %lld, %lld is not possible",
                    dims->rank, (long long)dims->d[0], (long long)dims->d[1], (long long)dims->d[2],
                    (long long)dims->d[3]);
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

/* A copy that an earlier step has made. One of another program would do only if that program is
   sure to have run. */
static zf_value find_copy(const struct zf_engine *e, zf_value value, const struct zf_layout *want)
{
    for (size_t i = 0; i < e->value_count; i++) {
        const struct zf_onednn_value *copy = &e->values[i];

        if (copy->copy_of == value && copy->copy_version == e->values[value].version &&
            (copy->program == e->program || copy->program <= ZF_PROGRAM_FORWARD) &&
            copy->layout == want)
            return (zf_value)i;
    }
    return ZF_NO_VALUE;
}

zf_value zf_onednn_convert(struct zf_engine *e, zf_value value, const struct zf_layout *as,
                           const struct zf_layout *want)
{
    const struct zf_layout *from;
    zf_value copy;
    int program;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    from = as ? as : zf_onednn_layout(e, value);
    if (from == want)
        return value;
    copy = find_copy(e, value, want);
    if (copy != ZF_NO_VALUE)
        return copy;
    copy = zf_onednn_new(e, zf_onednn_dims(e, value), want);
    if (copy == ZF_NO_VALUE)
        return copy;
    program =
        zf_onednn_at(e, value)->program <= ZF_PROGRAM_REFRESH ? ZF_PROGRAM_REFRESH : e->program;
    zf_onednn_at(e, copy)->program = program;
    zf_onednn_at(e, copy)->copy_of = value;
    zf_onednn_at(e, copy)->copy_version = zf_onednn_at(e, value)->version;
    zf_onednn_at(e, copy)->sparse = zf_onednn_at(e, value)->sparse;
    zf_onednn_reorder(e, program, value, from, copy, want);
    return copy;
}

zf_value zf_onednn_plain_of(struct zf_engine *e, zf_value value, dnnl_data_type_t type)
{
    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    return zf_onednn_convert(e, value, NULL,
                             zf_layout_plain(&e->layouts, zf_onednn_dims(e, value), type));
}

zf_value zf_onednn_plain(struct zf_engine *e, zf_value value)
{
    return zf_onednn_plain_of(e, value, dnnl_f32);
}

zf_value zf_onednn_find_arranged(const struct zf_engine *e, zf_value value,
                                 const struct zf_window *window, struct zf_dims dims)
{
    for (size_t i = 0; i < e->value_count; i++) {
        const struct zf_onednn_value *v = &e->values[i];

        if (v->copy_of == value && v->copy_version == e->values[value].version &&
            (v->program == e->program || v->program <= ZF_PROGRAM_FORWARD) &&
            memcmp(v->dims.d, dims.d, sizeof dims.d) == 0 &&
            memcmp(&v->arranged_for, window, sizeof *window) == 0)
            return (zf_value)i;
    }
    return ZF_NO_VALUE;
}

void zf_onednn_set_arranged(struct zf_engine *e, zf_value arranged, zf_value value,
                            const struct zf_window *window)
{
    struct zf_onednn_value *v = zf_onednn_at(e, arranged);

    v->copy_of = value;
    v->copy_version = zf_onednn_at(e, value)->version;
    v->arranged_for = *window;
}

zf_value zf_onednn_arranged_weight(struct zf_engine *e, const struct zf_window *window,
                                   zf_value weight, struct zf_dims dims, zf_onednn_loop *loop)
{
    struct zf_onednn_step step = {
        .program = ZF_PROGRAM_REFRESH, .loop = loop, .window = *window, .count = 2};
    zf_value arranged;

    if (!zf_onednn_ok(e))
        return ZF_NO_VALUE;
    arranged = zf_onednn_find_arranged(e, weight, window, dims);
    if (arranged != ZF_NO_VALUE)
        return arranged;
    arranged = zf_onednn_new(e, dims, NULL);
    if (arranged == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_set_arranged(e, arranged, weight, window);
    zf_onednn_at(e, arranged)->program = ZF_PROGRAM_REFRESH;
    zf_onednn_at(e, arranged)->forever = true; /* what is no tap stays zero */
    step.values[0] = weight;
    step.values[1] = arranged;
    zf_onednn_append(e, &step);
    return arranged;
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

zf_value zf_onednn_like(struct zf_engine *e, zf_value other)
{
    zf_value value;

    if (!zf_onednn_ok(e) || other == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (zf_onednn_at(e, other)->shown != ZF_NO_VALUE)
        other = zf_onednn_at(e, other)->shown;
    value = zf_onednn_new(e, zf_onednn_dims(e, other), zf_onednn_layout(e, other));
    if (value != ZF_NO_VALUE)
        zf_onednn_keep(e, value);
    return value;
}

void zf_onednn_keep(struct zf_engine *e, zf_value value)
{
    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return;
    if (zf_onednn_layout(e, value)->type != dnnl_f32) {
        const struct zf_layout *wide = zf_layout_like(&e->layouts, zf_onednn_layout(e, value),
                                                      zf_onednn_dims(e, value), dnnl_f32);
        const zf_value shown = zf_onednn_convert(e, value, NULL, wide);

        if (shown == ZF_NO_VALUE)
            return;
        zf_onednn_at(e, value)->shown = shown;
        value = shown;
    }
    zf_onednn_at(e, value)->forever = true;
    zf_onednn_at(e, value)->kept = true;
}

struct zf_dims zf_onednn_dims(const struct zf_engine *e, zf_value value)
{
    if (value == ZF_NO_VALUE)
        return (struct zf_dims){4, {1, 1, 1, 1}};
    return zf_onednn_at(e, value)->dims;
}
