/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

static bool failed(const struct zf_layouts *all)
{
    return all->error->status != ZF_OK;
}

/* What can be asked of a descriptor. */
static dnnl_status_t read_desc(struct zf_layout *layout)
{
    const_dnnl_memory_desc_t desc = layout->desc;
    const dnnl_dims_t *dims = NULL, *strides = NULL, *block = NULL, *block_axis = NULL;
    dnnl_format_kind_t kind = dnnl_format_kind_undef;
    int32_t rank = 0, blocks = 0;
    dnnl_status_t status = dnnl_memory_desc_query(desc, dnnl_query_ndims_s32, &rank);

    layout->bytes = dnnl_memory_desc_get_size(desc);
    if (status == dnnl_success)
        status = dnnl_memory_desc_query(desc, dnnl_query_dims, &dims);
    if (status == dnnl_success)
        status = dnnl_memory_desc_query(desc, dnnl_query_data_type, &layout->type);
    if (status == dnnl_success)
        status = dnnl_memory_desc_query(desc, dnnl_query_submemory_offset_s64, &layout->offset);
    if (status == dnnl_success)
        status = dnnl_memory_desc_query(desc, dnnl_query_format_kind, &kind);
    if (status != dnnl_success)
        return status;
    layout->rank = rank;
    memcpy(layout->dims, *dims, (size_t)rank * sizeof layout->dims[0]);
    layout->described = kind == dnnl_blocked;
    if (!layout->described)
        return status;
    status = dnnl_memory_desc_query(desc, dnnl_query_strides, &strides);
    if (status == dnnl_success)
        status = dnnl_memory_desc_query(desc, dnnl_query_inner_nblks_s32, &blocks);
    if (status == dnnl_success)
        status = dnnl_memory_desc_query(desc, dnnl_query_inner_blks, &block);
    if (status == dnnl_success)
        status = dnnl_memory_desc_query(desc, dnnl_query_inner_idxs, &block_axis);
    if (status != dnnl_success)
        return status;
    layout->block_count = blocks;
    memcpy(layout->strides, *strides, (size_t)rank * sizeof layout->strides[0]);
    memcpy(layout->block, *block, (size_t)blocks * sizeof layout->block[0]);
    memcpy(layout->block_axis, *block_axis, (size_t)blocks * sizeof layout->block_axis[0]);
    return status;
}

/* Takes the descriptor over, unless it is NULL. */
static const struct zf_layout *hold(struct zf_layouts *all, dnnl_status_t status,
                                    dnnl_memory_desc_t desc)
{
    struct zf_layout *layout = NULL;

    if (status == dnnl_success)
        for (layout = all->first; layout && !dnnl_memory_desc_equal(layout->desc, desc);)
            layout = layout->next;
    if (layout || status != dnnl_success)
        goto done;
    layout = zf_alloc(1, sizeof *layout);
    if (!layout) {
        status = dnnl_out_of_memory;
        goto done;
    }
    layout->desc = desc;
    status = read_desc(layout);
    layout->next = all->first;
    all->first = layout;
    desc = NULL;
done:
    if (desc)
        dnnl_memory_desc_destroy(desc);
    if (status == dnnl_success)
        return layout;
    if (status == dnnl_out_of_memory)
        zf_fail(all->error, ZF_ENOMEM, "out of memory for a layout");
    else
        zf_fail(all->error, ZF_EUNSUPPORTED, "oneDNN refuses a layout (its status %d)",
                (int)status);
    return NULL;
}

const struct zf_layout *zf_layout_of(struct zf_layouts *all, const_dnnl_memory_desc_t desc)
{
    dnnl_memory_desc_t copy = NULL;
    dnnl_status_t status;

    if (failed(all))
        return NULL;
    for (const struct zf_layout *layout = all->first; layout; layout = layout->next)
        if (dnnl_memory_desc_equal(layout->desc, desc))
            return layout;
    status = dnnl_memory_desc_clone(&copy, desc);
    return hold(all, status, copy);
}

static const struct zf_layout *by_tag(struct zf_layouts *all, int rank, const int64_t *extents,
                                      dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t desc = NULL;
    dnnl_dims_t dims = {0};
    dnnl_status_t status;

    if (failed(all))
        return NULL;
    memcpy(dims, extents, (size_t)rank * sizeof dims[0]);
    status = dnnl_memory_desc_create_with_tag(&desc, rank, dims, type, tag);
    return hold(all, status, desc);
}

const struct zf_layout *zf_layout_plain(struct zf_layouts *all, struct zf_dims dims,
                                        dnnl_data_type_t type)
{
    static const dnnl_format_tag_t tags[] = {dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc,
                                             dnnl_abcd};

    return by_tag(all, dims.rank, dims.d, type, tags[dims.rank]);
}

const struct zf_layout *zf_layout_any(struct zf_layouts *all, struct zf_dims dims,
                                      dnnl_data_type_t type)
{
    return by_tag(all, dims.rank, dims.d, type, dnnl_format_tag_any);
}

const struct zf_layout *zf_layout_rows(struct zf_layouts *all, struct zf_dims dims,
                                       dnnl_data_type_t type)
{
    const int64_t rows[2] = {dims.d[0], dims.d[1] * dims.d[2] * dims.d[3]};

    return by_tag(all, 2, rows, type, dnnl_ab);
}

const struct zf_layout *zf_layout_channels_last(struct zf_layouts *all, struct zf_dims dims,
                                                dnnl_data_type_t type)
{
    return by_tag(all, 4, dims.d, type, dnnl_nhwc);
}

const struct zf_layout *zf_layout_grouped(struct zf_layouts *all, struct zf_dims dims,
                                          int64_t groups, dnnl_data_type_t type, bool plain)
{
    const int64_t extents[5] = {groups, dims.d[0] / groups, dims.d[1], dims.d[2], dims.d[3]};

    return by_tag(all, 5, extents, type, plain ? dnnl_goihw : dnnl_format_tag_any);
}

const struct zf_layout *zf_layout_blocked(struct zf_layouts *all, struct zf_dims dims, int64_t maps,
                                          dnnl_data_type_t type)
{
    assert(maps == 4 || maps == 8 || maps == 16);
    return by_tag(all, 4, dims.d, type,
                  maps == 16  ? dnnl_nChw16c
                  : maps == 8 ? dnnl_nChw8c
                              : dnnl_nChw4c);
}

int64_t zf_layout_maps_a_block(const struct zf_layout *layout)
{
    return layout->block_count == 1 && layout->block_axis[0] == 1 ? layout->block[0] : 1;
}

bool zf_layout_maps_are_last(const struct zf_layout *layout)
{
    return layout->described && layout->rank == 4 && layout->block_count == 0 &&
           layout->dims[1] > 1 && layout->strides[1] == 1 && layout->strides[3] == layout->dims[1];
}

const struct zf_layout *zf_layout_like(struct zf_layouts *all, const struct zf_layout *layout,
                                       struct zf_dims dims, dnnl_data_type_t type)
{
    int64_t block;

    if (failed(all))
        return NULL;
    block = zf_layout_maps_a_block(layout);
    if (dims.rank == 4 && zf_layout_maps_are_last(layout))
        return zf_layout_channels_last(all, dims, type);
    if (dims.rank != 4 || dims.d[1] % block != 0 || block == 1)
        return zf_layout_plain(all, dims, type);
    return zf_layout_blocked(all, dims, block, type);
}

const struct zf_layout *zf_layout_box(struct zf_layouts *all, const struct zf_layout *whole,
                                      struct zf_dims at, struct zf_dims dims)
{
    dnnl_memory_desc_t desc = NULL;
    dnnl_dims_t extents = {0}, offsets = {0};
    dnnl_status_t status;

    if (failed(all))
        return NULL;
    memcpy(extents, dims.d, sizeof dims.d);
    memcpy(offsets, at.d, sizeof at.d);
    for (int i = 0; i < whole->block_count; i++) {
        const int64_t axis = whole->block_axis[i];

        if (at.d[axis] % whole->block[i] || dims.d[axis] % whole->block[i])
            return NULL;
    }
    status = dnnl_memory_desc_create_submemory(&desc, whole->desc, extents, offsets);
    if (status != dnnl_success && status != dnnl_out_of_memory)
        return NULL;
    return hold(all, status, desc);
}

const struct zf_layout *zf_layout_sample(struct zf_layouts *all, const struct zf_layout *layout)
{
    const dnnl_dims_t offsets = {0};
    dnnl_memory_desc_t desc = NULL;
    dnnl_dims_t extents;
    dnnl_status_t status;

    if (failed(all))
        return NULL;
    memcpy(extents, layout->dims, sizeof extents);
    extents[0] = 1;
    status = dnnl_memory_desc_create_submemory(&desc, layout->desc, extents, offsets);
    return hold(all, status, desc);
}

/* Inwards from the strides between blocks to the innermost block. */
int64_t zf_layout_offset(const struct zf_layout *layout, const int64_t at[4])
{
    int64_t left[4] = {at[0], at[1], at[2], at[3]};
    int64_t offset = layout->offset;
    int64_t size = 1;

    assert(layout->described && layout->rank <= 4);
    for (int i = layout->block_count - 1; i >= 0; i--) {
        int64_t *along = &left[layout->block_axis[i]];

        offset += *along % layout->block[i] * size;
        *along /= layout->block[i];
        size *= layout->block[i];
    }
    for (int i = 0; i < layout->rank; i++)
        offset += left[i] * layout->strides[i];
    return offset;
}

void zf_layouts_release(struct zf_layouts *all)
{
    while (all->first) {
        struct zf_layout *layout = all->first;

        all->first = layout->next;
        dnnl_memory_desc_destroy(layout->desc);
        zf_free(layout);
    }
}
