/* SPDX-License-Identifier: MIT */
/*
 * libvips brings eighty libraries, and most commands read JPEGs or no pictures at all. So
 * libzfscope is not linked with it: its functions are in a table, which is loaded by
 * zf_vips_start() from an object of its own that is (vips_library.c).
 */
#ifndef ZF_IMAGE_VIPS_LIBRARY_H
#define ZF_IMAGE_VIPS_LIBRARY_H

#include <vips/vips.h>

#include "zf/base.h"

/* All that is called of it and of GLib, X(prefix, name). */
#define ZF_VIPS_FUNCTIONS(X)                                                                       \
    X(vips, affine)                                                                                \
    X(vips, area_unref)                                                                            \
    X(vips, array_double_new)                                                                      \
    X(vips, array_int_newv)                                                                        \
    X(vips, block_untrusted_set)                                                                   \
    X(vips, cache_set_max)                                                                         \
    X(vips, cast)                                                                                  \
    X(vips, cast_float)                                                                            \
    X(vips, cast_uchar)                                                                            \
    X(vips, colourspace)                                                                           \
    X(vips, concurrency_set)                                                                       \
    X(vips, embed)                                                                                 \
    X(vips, error_buffer_copy)                                                                     \
    X(vips, error_clear)                                                                           \
    X(vips, extract_band)                                                                          \
    X(vips, flatten)                                                                               \
    X(vips, foreign_find_load_buffer)                                                              \
    X(vips, heifload_buffer)                                                                       \
    X(vips, image_get_blob)                                                                        \
    X(vips, image_get_orientation)                                                                 \
    X(vips, image_get_typeof)                                                                      \
    X(vips, image_get_xoffset)                                                                     \
    X(vips, image_get_yoffset)                                                                     \
    X(vips, image_hasalpha)                                                                        \
    X(vips, image_new)                                                                             \
    X(vips, image_new_from_buffer)                                                                 \
    X(vips, image_new_from_memory)                                                                 \
    X(vips, image_wio_input)                                                                       \
    X(vips, image_write_to_buffer)                                                                 \
    X(vips, image_write_to_memory)                                                                 \
    X(vips, init)                                                                                  \
    X(vips, interpolate_new)                                                                       \
    X(vips, object_local_array)                                                                    \
    X(vips, operation_block_set)                                                                   \
    X(vips, region_new)                                                                            \
    X(vips, region_prepare)                                                                        \
    X(vips, text)                                                                                  \
    X(vips, version)                                                                               \
    X(g, free)                                                                                     \
    X(g, log_set_handler)                                                                          \
    X(g, markup_escape_text)                                                                       \
    X(g, object_unref)                                                                             \
    X(g, type_class_ref)                                                                           \
    X(g, type_class_unref)                                                                         \
    X(g, type_from_name)

struct zf_vips {
#define X(prefix, name) __typeof__(prefix##_##name) *name;
    ZF_VIPS_FUNCTIONS(X)
#undef X
};

/* NULL until they are loaded. */
extern const struct zf_vips *zf_vips;

/* Load them, once for the process and thread-safe; zf_vips_start() starts libvips as well. ZF_EIO.
 */
enum zf_status zf_vips_load(struct zf_error *err);

#endif
