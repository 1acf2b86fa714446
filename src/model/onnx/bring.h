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

/** Bring maps to an order in which h and w are one axis each, unchanged if they have it; *view says
 * which axis is which. So is c, unless the tensor has more than three: then they share it. */
enum zf_status zf_import_settle(struct zf_import_node *node, struct zf_operand *maps,
                                struct zf_view *view);

/** The same for the net's output: tensors of four axes as they lie, others in row-major order. */
enum zf_status zf_import_settle_end(struct zf_import_node *node, struct zf_operand *maps);

/** The same as zf_import_settle(), with the axes of ONNX's windows: [1, c, h, w]. */
enum zf_status zf_import_settle_plain(struct zf_import_node *node, struct zf_operand *maps);

/** Whether, under the view, that axis is the maps of a layer and no other axis is. */
bool zf_import_is_axis(const struct zf_view *view, const struct zf_operand *maps, int axis);

/** Where a tensor goes that is no layer as it is: its last two axes are rows and columns, all in
 * front of them together the maps; axes of extent 1 do not count. */
struct zf_view zf_view_of(int rank, const int64_t *dims);

/** The view with `axis` as maps, the axes before it as rows, those behind as columns. */
struct zf_view zf_view_along(int rank, int axis);

/** Maps whose arrangement a node has just changed become a layer of its own, its output i, under
 * the view `like`; NULL = the one that suits their shape. */
enum zf_status zf_import_rearranged(struct zf_import_node *node, int i,
                                    const struct zf_operand *maps, const struct zf_view *like);

#endif
