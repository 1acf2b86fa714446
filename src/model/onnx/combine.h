/* SPDX-License-Identifier: MIT */
/* Two operands combined number by number, with broadcasting. */
#ifndef ZF_MODEL_ONNX_COMBINE_H
#define ZF_MODEL_ONNX_COMBINE_H

#include "engine/engine.h"
#include "node.h"

/**
 * Combine two operands by one more layer, whose output is *made. A constant operand becomes a layer
 * of its own.
 *
 * part  NULL where it is the node's last layer
 */
enum zf_status zf_combine_maps(struct zf_import_node *node, enum zf_combination how,
                               const char *part, struct zf_operand *a, struct zf_operand *b,
                               struct zf_operand *made);

/** Combine *maps, in place, with a constant: by a scale and shift where that is one number a map.
 */
enum zf_status zf_combine_constant(struct zf_import_node *node, enum zf_combination how,
                                   const char *part, struct zf_operand *maps,
                                   struct zf_operand *constant);

/**
 * A constant that is broadcast against maps under a view, as a number for each map: [shape.c],
 * owned by the caller. *out is NULL, with ZF_OK, where it differs within a map.
 */
enum zf_status zf_combine_per_map(const struct zf_import_node *node,
                                  const struct zf_operand *constant, const struct zf_operand *maps,
                                  const struct zf_view *view, float **out);

#endif
