/* SPDX-License-Identifier: MIT */
/* Activations and normalisations that exporters write as several nodes, found where they end. */
#ifndef ZF_MODEL_ONNX_PIECES_H
#define ZF_MODEL_ONNX_PIECES_H

#include "node.h"

/** scale[c] * maps + shift[c], x * gate, and x / root: *done where the node is the last of such a
 * group and has been replaced by one layer. */
enum zf_status zf_pieces_scaled(struct zf_import_node *node, struct zf_operand *maps,
                                const float *scale, const float *shift, bool *done);
enum zf_status zf_pieces_gated(struct zf_import_node *node, struct zf_operand *x,
                               struct zf_operand *gate, bool *done);
enum zf_status zf_pieces_divided(struct zf_import_node *node, struct zf_operand *x,
                                 struct zf_operand *root, bool *done);

#endif
