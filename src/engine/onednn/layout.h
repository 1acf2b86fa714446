/* SPDX-License-Identifier: MIT */
/**
 * Layouts: how numbers lie in memory. oneDNN's descriptor, which is opaque, and beside it what the
 * engine's own loops read from it.
 *
 * An engine holds each layout that it meets once, until it is freed. So layouts are lent as plain
 * pointers, nobody copies or destroys one, and two are equal where their addresses are.
 *
 * After an error, which stays in zf_layouts.error, all that return a layout return NULL.
 */
#ifndef ZF_ENGINE_ONEDNN_LAYOUT_H
#define ZF_ENGINE_ONEDNN_LAYOUT_H

#include "engine/operations.h"
#include "version2.h"

struct zf_layout {
    dnnl_memory_desc_t desc;
    dnnl_data_type_t type;
    size_t bytes;
    int rank;
    dnnl_dims_t dims;
    /* In numbers, not bytes. `strides` are between whole blocks, which hold the innermost cells;
       blocks are listed from the outermost in. */
    bool described; /* false where the order is oneDNN's own, or still to be chosen */
    int64_t offset;
    dnnl_dims_t strides;
    int block_count;
    dnnl_dims_t block, block_axis;
    struct zf_layout *next;
};

struct zf_layouts {
    struct zf_layout *first;
    struct zf_error *error; /* the engine's */
};

const struct zf_layout *zf_layout_of(struct zf_layouts *all, const_dnnl_memory_desc_t desc);

const struct zf_layout *zf_layout_plain(struct zf_layouts *all, struct zf_dims dims,
                                        dnnl_data_type_t type);
/* Left for oneDNN to choose. */
const struct zf_layout *zf_layout_any(struct zf_layouts *all, struct zf_dims dims,
                                      dnnl_data_type_t type);
/* [n, c * h * w] */
const struct zf_layout *zf_layout_rows(struct zf_layouts *all, struct zf_dims dims,
                                       dnnl_data_type_t type);
/* [n, h, w, c] */
const struct zf_layout *zf_layout_channels_last(struct zf_layouts *all, struct zf_dims dims,
                                                dnnl_data_type_t type);
/* [n, c / maps, h, w, maps], filled up with zeros; 4, 8 or 16 maps a block. */
const struct zf_layout *zf_layout_blocked(struct zf_layouts *all, struct zf_dims dims, int64_t maps,
                                          dnnl_data_type_t type);
/* Filters [o, i, h, w] as [groups, o / groups, i, h, w]: plain, or left to choose. */
const struct zf_layout *zf_layout_grouped(struct zf_layouts *all, struct zf_dims dims,
                                          int64_t groups, dnnl_data_type_t type, bool plain);

/* For other extents or another type after the manner of a layout: maps last, or blocked as it is
   where the maps fill whole blocks, else plain. */
const struct zf_layout *zf_layout_like(struct zf_layouts *all, const struct zf_layout *layout,
                                       struct zf_dims dims, dnnl_data_type_t type);

/* The box of `dims` at `at` within a layout; NULL also where it would cut through blocks. */
const struct zf_layout *zf_layout_box(struct zf_layouts *all, const struct zf_layout *whole,
                                      struct zf_dims at, struct zf_dims dims);

/* That of the first sample by itself. */
const struct zf_layout *zf_layout_sample(struct zf_layouts *all, const struct zf_layout *layout);

/* For oneDNN, which refuses NULL. */
static inline const_dnnl_memory_desc_t zf_layout_desc(const struct zf_layout *layout)
{
    return layout ? layout->desc : NULL;
}

/* Maps a block, where c alone is blocked once; else 1. */
int64_t zf_layout_maps_a_block(const struct zf_layout *layout);

/* Do the maps of a cell lie side by side? Tile units (AMX) like it so. */
bool zf_layout_maps_are_last(const struct zf_layout *layout);

/* From the first number of a value to the one at `at`. */
int64_t zf_layout_offset(const struct zf_layout *layout, const int64_t at[4]);

void zf_layouts_release(struct zf_layouts *all);

#endif
