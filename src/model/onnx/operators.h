/* SPDX-License-Identifier: MIT */
/* The operators that are read: a const struct each, in one table a file. */
#ifndef ZF_MODEL_ONNX_OPERATORS_H
#define ZF_MODEL_ONNX_OPERATORS_H

#include "node.h"

struct zf_operator {
    const char *name;
    /* Compute the node where all inputs are constant; add layers where some are maps. Either may be
       NULL. */
    enum zf_status (*fold)(struct zf_import_node *node);
    enum zf_status (*translate)(struct zf_import_node *node);
};

const struct zf_operator *zf_operator_find(const char *name);

/* A row without a name ends each. */
extern const struct zf_operator zf_operators_window[], zf_operators_pointwise[],
    zf_operators_combine[], zf_operators_dense[], zf_operators_layout[], zf_operators_pick[],
    zf_operators_resize[], zf_operators_normal[], zf_operators_reduce[], zf_operators_quantise[],
    zf_operators_choose[], zf_operators_einsum[], zf_operators_places[], zf_operators_scatter[],
    zf_operators_powers[], zf_operators_fold[];

/* Nodes of constants, computed while reading (fold*.c). */
enum zf_status zf_fold_arithmetic(struct zf_import_node *node);
enum zf_status zf_fold_function(struct zf_import_node *node);
enum zf_status zf_fold_reduce(struct zf_import_node *node);
enum zf_status zf_fold_transpose(struct zf_import_node *node);
enum zf_status zf_fold_slice(struct zf_import_node *node);
enum zf_status zf_fold_split(struct zf_import_node *node);
enum zf_status zf_fold_gather(struct zf_import_node *node);
enum zf_status zf_fold_concat(struct zf_import_node *node);
enum zf_status zf_fold_expand(struct zf_import_node *node);
enum zf_status zf_fold_tile(struct zf_import_node *node);
enum zf_status zf_fold_pad(struct zf_import_node *node);
enum zf_status zf_fold_matmul(struct zf_import_node *node);
enum zf_status zf_fold_cast(struct zf_import_node *node);
enum zf_status zf_fold_places(struct zf_import_node *node);
enum zf_status zf_fold_shape(struct zf_import_node *node);
enum zf_status zf_fold_quantize(struct zf_import_node *node);
enum zf_status zf_fold_dequantize(struct zf_import_node *node);

/** What zf_fold_arithmetic() makes the node's output, handed over. Where's first input chooses
 * between the others. */
enum zf_status zf_fold_combined(struct zf_import_node *node, struct zf_operand *out);

/** Room for a constant of that kind and shape, which *made owns. */
enum zf_status zf_fold_make(struct zf_import_node *node, enum zf_operand_kind kind, int rank,
                            const int64_t *dims, struct zf_operand *made);

/** Number i of what zf_fold_make() made; ZF_EINPUT for one that is no whole number there. */
enum zf_status zf_fold_set(const struct zf_import_node *node, struct zf_operand *made, int64_t i,
                           double number);

/** Slice's ranges, of constants and of maps. */
struct zf_ranges {
    int64_t start[ZF_ONNX_RANK], step[ZF_ONNX_RANK], count[ZF_ONNX_RANK];
};
enum zf_status zf_node_ranges(const struct zf_import_node *node, const struct zf_operand *src,
                              struct zf_ranges *ranges);

/** Split's sizes; their number is that of the node's outputs. */
enum zf_status zf_node_parts(const struct zf_import_node *node, int64_t extent, int64_t *sizes);

/** The lowest and the highest level of a QuantizeLinear. */
enum zf_status zf_node_levels(const struct zf_import_node *node, int64_t *low, int64_t *high);

/** Expand's and Tile's shape. */
enum zf_status zf_node_expanded(const struct zf_import_node *node, const struct zf_operand *src,
                                int *rank, int64_t *dims);

#endif
