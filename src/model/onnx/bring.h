/* SPDX-License-Identifier: MIT */
/* Bring maps to the order that a node needs: unchanged where they have it, else by a flatten,
   shuffle or slice layer, or by an arrange layer, which can make any order. */
#ifndef ZF_MODEL_ONNX_BRING_H
#define ZF_MODEL_ONNX_BRING_H

#include "node.h"

/**
 * Bring maps to a view.
 *
 * part  NULL where this is all that the node does; else the name of the helper layer
 * maps  changed in place, so that further users of the tensor get the new layer
 */
enum zf_status zf_import_bring(struct zf_import_node *node, const char *part,
                               struct zf_operand *maps, const struct zf_view *view);

/** Bring maps to an order in which each of c, h and w is one axis, unchanged if they have it; *view
 * says which axis is which. */
enum zf_status zf_import_settle(struct zf_import_node *node, struct zf_operand *maps,
                                struct zf_view *view);

/** The same for the net's output: tensors of four axes as they lie, others in row-major order. */
enum zf_status zf_import_settle_end(struct zf_import_node *node, struct zf_operand *maps);

/** The same as zf_import_settle(), with the axes of ONNX's windows: [1, c, h, w]. */
enum zf_status zf_import_settle_plain(struct zf_import_node *node, struct zf_operand *maps);

/** The view with `axis` as maps, the axes before it as rows, those behind as columns. */
struct zf_view zf_view_along(int rank, int axis);

/** Maps whose arrangement a node has just changed become a layer of its own, its output i, under
 * the view `like`; NULL = the one that suits their shape. */
enum zf_status zf_import_rearranged(struct zf_import_node *node, int i,
                                    const struct zf_operand *maps, const struct zf_view *like);

#endif
