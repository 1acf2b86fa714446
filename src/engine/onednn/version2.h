/* SPDX-License-Identifier: MIT */
/**
 * oneDNN's C interface as version 3 has it, on version 2 as well. The engine knows version 3 alone;
 * this file is all that knows how 2 differs:
 *
 * - a memory descriptor was an open struct, passed by pointer: it becomes an object behind a
 *   pointer, read by queries;
 * - a primitive took two steps, an operation's descriptor and then the primitive's: they are one;
 * - dilation had calls of its own; elementwise operations, normalisation and shuffle had one
 *   descriptor for source and destination; hard swish had fixed numbers.
 */
#ifndef ZF_ENGINE_ONEDNN_VERSION2_H
#define ZF_ENGINE_ONEDNN_VERSION2_H

#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR < 3

#include "base/memory.h"

/* ---- Memory descriptors ---- */

typedef dnnl_memory_desc_t zf_dnnl2_memory_desc;
typedef zf_dnnl2_memory_desc *zf_dnnl2_memory_desc_pointer;
typedef const zf_dnnl2_memory_desc *const_dnnl_memory_desc_t;
#define dnnl_memory_desc_t zf_dnnl2_memory_desc_pointer

/* Names of what can be asked; version 2 has no such questions, so any numbers do. */
#define dnnl_query_ndims_s32 1
#define dnnl_query_dims 2
#define dnnl_query_data_type 3
#define dnnl_query_submemory_offset_s64 4
#define dnnl_query_format_kind 5
#define dnnl_query_inner_nblks_s32 6
#define dnnl_query_inner_blks 7
#define dnnl_query_inner_idxs 8
#define dnnl_query_strides 9

static inline dnnl_status_t dnnl_memory_desc_clone(dnnl_memory_desc_t *out,
                                                   const_dnnl_memory_desc_t desc)
{
    dnnl_memory_desc_t copy = zf_alloc(1, sizeof *copy);

    if (!copy)
        return dnnl_out_of_memory;
    *copy = *desc;
    *out = copy;
    return dnnl_success;
}

static inline dnnl_status_t dnnl_memory_desc_destroy(dnnl_memory_desc_t desc)
{
    zf_free(desc);
    return dnnl_success;
}

static inline dnnl_status_t dnnl_memory_desc_create_with_tag(dnnl_memory_desc_t *out, int rank,
                                                             const dnnl_dims_t dims,
                                                             dnnl_data_type_t type,
                                                             dnnl_format_tag_t tag)
{
    zf_dnnl2_memory_desc desc;
    const dnnl_status_t status = dnnl_memory_desc_init_by_tag(&desc, rank, dims, type, tag);

    return status == dnnl_success ? dnnl_memory_desc_clone(out, &desc) : status;
}

static inline dnnl_status_t dnnl_memory_desc_create_submemory(dnnl_memory_desc_t *out,
                                                              const_dnnl_memory_desc_t parent,
                                                              const dnnl_dims_t dims,
                                                              const dnnl_dims_t offsets)
{
    zf_dnnl2_memory_desc desc;
    const dnnl_status_t status = dnnl_memory_desc_init_submemory(&desc, parent, dims, offsets);

    return status == dnnl_success ? dnnl_memory_desc_clone(out, &desc) : status;
}

static inline dnnl_status_t dnnl_memory_desc_query(const_dnnl_memory_desc_t desc, int what,
                                                   void *result)
{
    const dnnl_blocking_desc_t *blocking = &desc->format_desc.blocking;

    switch (what) {
    case dnnl_query_ndims_s32:
        *(int32_t *)result = desc->ndims;
        return dnnl_success;
    case dnnl_query_dims:
        *(const dnnl_dims_t **)result = &desc->dims;
        return dnnl_success;
    case dnnl_query_data_type:
        *(dnnl_data_type_t *)result = desc->data_type;
        return dnnl_success;
    case dnnl_query_submemory_offset_s64:
        *(dnnl_dim_t *)result = desc->offset0;
        return dnnl_success;
    case dnnl_query_format_kind:
        *(dnnl_format_kind_t *)result = desc->format_kind;
        return dnnl_success;
    }
    if (desc->format_kind != dnnl_blocked)
        return dnnl_invalid_arguments;
    switch (what) {
    case dnnl_query_inner_nblks_s32:
        *(int32_t *)result = blocking->inner_nblks;
        return dnnl_success;
    case dnnl_query_inner_blks:
        *(const dnnl_dims_t **)result = &blocking->inner_blks;
        return dnnl_success;
    case dnnl_query_inner_idxs:
        *(const dnnl_dims_t **)result = &blocking->inner_idxs;
        return dnnl_success;
    case dnnl_query_strides:
        *(const dnnl_dims_t **)result = &blocking->strides;
        return dnnl_success;
    }
    return dnnl_unimplemented;
}

/* ---- Primitives ---- */

/* From an operation's descriptor and what making that returned. */
static inline dnnl_status_t zf_dnnl2_create(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                            dnnl_status_t status, const void *operation,
                                            const_dnnl_primitive_desc_t forward,
                                            const_dnnl_primitive_attr_t attr)
{
    if (status != dnnl_success)
        return status;
    return dnnl_primitive_desc_create(out, operation, attr, engine, forward);
}

#define dnnl_post_ops_append_eltwise(ops, algorithm, alpha, beta)                                  \
    dnnl_post_ops_append_eltwise(ops, 1.0f, algorithm, alpha, beta)

static inline dnnl_status_t dnnl_convolution_forward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_prop_kind_t prop,
    dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t src, const_dnnl_memory_desc_t weights,
    const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t dst, const dnnl_dims_t strides,
    const dnnl_dims_t dilates, const dnnl_dims_t before, const dnnl_dims_t after,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    const dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
        &desc, prop, algorithm, src, weights, bias, dst, strides, dilates, before, after);

    return zf_dnnl2_create(out, engine, status, &desc, NULL, attr);
}

static inline dnnl_status_t dnnl_convolution_backward_data_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const_dnnl_memory_desc_t diff_src, const_dnnl_memory_desc_t weights,
    const_dnnl_memory_desc_t diff_dst, const dnnl_dims_t strides, const dnnl_dims_t dilates,
    const dnnl_dims_t before, const dnnl_dims_t after, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    const dnnl_status_t status = dnnl_dilated_convolution_backward_data_desc_init(
        &desc, algorithm, diff_src, weights, diff_dst, strides, dilates, before, after);

    return zf_dnnl2_create(out, engine, status, &desc, forward, attr);
}

static inline dnnl_status_t dnnl_convolution_backward_weights_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const_dnnl_memory_desc_t src, const_dnnl_memory_desc_t diff_weights,
    const_dnnl_memory_desc_t diff_bias, const_dnnl_memory_desc_t diff_dst,
    const dnnl_dims_t strides, const dnnl_dims_t dilates, const dnnl_dims_t before,
    const dnnl_dims_t after, const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t desc;
    const dnnl_status_t status = dnnl_dilated_convolution_backward_weights_desc_init(
        &desc, algorithm, src, diff_weights, diff_bias, diff_dst, strides, dilates, before, after);

    return zf_dnnl2_create(out, engine, status, &desc, forward, attr);
}

static inline dnnl_status_t dnnl_inner_product_forward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_prop_kind_t prop,
    const_dnnl_memory_desc_t src, const_dnnl_memory_desc_t weights, const_dnnl_memory_desc_t bias,
    const_dnnl_memory_desc_t dst, const_dnnl_primitive_attr_t attr)
{
    dnnl_inner_product_desc_t desc;
    const dnnl_status_t status =
        dnnl_inner_product_forward_desc_init(&desc, prop, src, weights, bias, dst);

    return zf_dnnl2_create(out, engine, status, &desc, NULL, attr);
}

static inline dnnl_status_t dnnl_inner_product_backward_data_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, const_dnnl_memory_desc_t diff_src,
    const_dnnl_memory_desc_t weights, const_dnnl_memory_desc_t diff_dst,
    const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attr)
{
    dnnl_inner_product_desc_t desc;
    const dnnl_status_t status =
        dnnl_inner_product_backward_data_desc_init(&desc, diff_src, weights, diff_dst);

    return zf_dnnl2_create(out, engine, status, &desc, forward, attr);
}

static inline dnnl_status_t dnnl_inner_product_backward_weights_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, const_dnnl_memory_desc_t src,
    const_dnnl_memory_desc_t diff_weights, const_dnnl_memory_desc_t diff_bias,
    const_dnnl_memory_desc_t diff_dst, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_inner_product_desc_t desc;
    const dnnl_status_t status = dnnl_inner_product_backward_weights_desc_init(
        &desc, src, diff_weights, diff_bias, diff_dst);

    return zf_dnnl2_create(out, engine, status, &desc, forward, attr);
}

static inline dnnl_status_t dnnl_pooling_forward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_prop_kind_t prop,
    dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t src, const_dnnl_memory_desc_t dst,
    const dnnl_dims_t strides, const dnnl_dims_t kernel, const dnnl_dims_t dilates,
    const dnnl_dims_t before, const dnnl_dims_t after, const_dnnl_primitive_attr_t attr)
{
    dnnl_pooling_v2_desc_t desc;
    const dnnl_status_t status = dnnl_pooling_v2_forward_desc_init(
        &desc, prop, algorithm, src, dst, strides, kernel, dilates, before, after);

    return zf_dnnl2_create(out, engine, status, &desc, NULL, attr);
}

static inline dnnl_status_t dnnl_pooling_backward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const_dnnl_memory_desc_t diff_src, const_dnnl_memory_desc_t diff_dst, const dnnl_dims_t strides,
    const dnnl_dims_t kernel, const dnnl_dims_t dilates, const dnnl_dims_t before,
    const dnnl_dims_t after, const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attr)
{
    dnnl_pooling_v2_desc_t desc;
    const dnnl_status_t status = dnnl_pooling_v2_backward_desc_init(
        &desc, algorithm, diff_src, diff_dst, strides, kernel, dilates, before, after);

    return zf_dnnl2_create(out, engine, status, &desc, forward, attr);
}

/* Hard swish is x min(1, max(0, alpha x + beta)) in version 3 and has 1/6 and 1/2 for good in 2,
   which wants to see zeros there. */
static inline float zf_dnnl2_number(dnnl_alg_kind_t algorithm, float number)
{
    return algorithm == dnnl_eltwise_hardswish ? 0.0f : number;
}

/* One descriptor is for all in version 2: the engine works in place or beside, in one layout. */
static inline dnnl_status_t dnnl_eltwise_forward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_prop_kind_t prop,
    dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t src, const_dnnl_memory_desc_t dst,
    float alpha, float beta, const_dnnl_primitive_attr_t attr)
{
    dnnl_eltwise_desc_t desc;
    dnnl_status_t status = dnnl_invalid_arguments;

    if (dnnl_memory_desc_equal(src, dst))
        status = dnnl_eltwise_forward_desc_init(&desc, prop, algorithm, src,
                                                zf_dnnl2_number(algorithm, alpha),
                                                zf_dnnl2_number(algorithm, beta));
    return zf_dnnl2_create(out, engine, status, &desc, NULL, attr);
}

static inline dnnl_status_t dnnl_eltwise_backward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const_dnnl_memory_desc_t diff_src, const_dnnl_memory_desc_t diff_dst,
    const_dnnl_memory_desc_t data, float alpha, float beta, const_dnnl_primitive_desc_t forward,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_eltwise_desc_t desc;
    dnnl_status_t status = dnnl_invalid_arguments;

    if (dnnl_memory_desc_equal(diff_src, diff_dst))
        status = dnnl_eltwise_backward_desc_init(&desc, algorithm, diff_dst, data,
                                                 zf_dnnl2_number(algorithm, alpha),
                                                 zf_dnnl2_number(algorithm, beta));
    return zf_dnnl2_create(out, engine, status, &desc, forward, attr);
}

static inline dnnl_status_t dnnl_lrn_forward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_prop_kind_t prop,
    dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t src, const_dnnl_memory_desc_t dst,
    dnnl_dim_t size, float alpha, float beta, float k, const_dnnl_primitive_attr_t attr)
{
    dnnl_lrn_desc_t desc;
    dnnl_status_t status = dnnl_invalid_arguments;

    if (dnnl_memory_desc_equal(src, dst))
        status = dnnl_lrn_forward_desc_init(&desc, prop, algorithm, src, size, alpha, beta, k);
    return zf_dnnl2_create(out, engine, status, &desc, NULL, attr);
}

static inline dnnl_status_t dnnl_lrn_backward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_alg_kind_t algorithm,
    const_dnnl_memory_desc_t diff_src, const_dnnl_memory_desc_t diff_dst,
    const_dnnl_memory_desc_t src, dnnl_dim_t size, float alpha, float beta, float k,
    const_dnnl_primitive_desc_t forward, const_dnnl_primitive_attr_t attr)
{
    dnnl_lrn_desc_t desc;
    dnnl_status_t status = dnnl_invalid_arguments;

    if (dnnl_memory_desc_equal(diff_src, diff_dst))
        status = dnnl_lrn_backward_desc_init(&desc, algorithm, diff_dst, src, size, alpha, beta, k);
    return zf_dnnl2_create(out, engine, status, &desc, forward, attr);
}

static inline dnnl_status_t dnnl_softmax_forward_primitive_desc_create(
    dnnl_primitive_desc_t *out, dnnl_engine_t engine, dnnl_prop_kind_t prop,
    dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t src, const_dnnl_memory_desc_t dst, int axis,
    const_dnnl_primitive_attr_t attr)
{
    dnnl_softmax_v2_desc_t desc;
    const dnnl_status_t status =
        dnnl_softmax_v2_forward_desc_init(&desc, prop, algorithm, src, dst, axis);

    return zf_dnnl2_create(out, engine, status, &desc, NULL, attr);
}

static inline dnnl_status_t
dnnl_shuffle_forward_primitive_desc_create(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                           dnnl_prop_kind_t prop, const_dnnl_memory_desc_t src,
                                           const_dnnl_memory_desc_t dst, int axis, dnnl_dim_t group,
                                           const_dnnl_primitive_attr_t attr)
{
    dnnl_shuffle_desc_t desc;
    dnnl_status_t status = dnnl_invalid_arguments;

    if (dnnl_memory_desc_equal(src, dst))
        status = dnnl_shuffle_forward_desc_init(&desc, prop, src, axis, group);
    return zf_dnnl2_create(out, engine, status, &desc, NULL, attr);
}

static inline dnnl_status_t
dnnl_binary_primitive_desc_create(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                  dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t src_0,
                                  const_dnnl_memory_desc_t src_1, const_dnnl_memory_desc_t dst,
                                  const_dnnl_primitive_attr_t attr)
{
    dnnl_binary_desc_t desc;
    const dnnl_status_t status = dnnl_binary_desc_init(&desc, algorithm, src_0, src_1, dst);

    return zf_dnnl2_create(out, engine, status, &desc, NULL, attr);
}

static inline dnnl_status_t
dnnl_reduction_primitive_desc_create(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                     dnnl_alg_kind_t algorithm, const_dnnl_memory_desc_t src,
                                     const_dnnl_memory_desc_t dst, float p, float eps,
                                     const_dnnl_primitive_attr_t attr)
{
    dnnl_reduction_desc_t desc;
    const dnnl_status_t status = dnnl_reduction_desc_init(&desc, algorithm, src, dst, p, eps);

    return zf_dnnl2_create(out, engine, status, &desc, NULL, attr);
}

#endif
#endif
