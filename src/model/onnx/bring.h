/* SPDX-License-Identifier: MIT */
/* Maps brought to the order that a node wants them in: as they are where that is it, flat,
   shuffled, cut out, or by an arrange layer, which can do anything. */
#ifndef ZF_MODEL_ONNX_BRING_H
#define ZF_MODEL_ONNX_BRING_H

#include "node.h"

/**
 * Bring maps to a view.
 *
 * part  NULL where the node is about just that; else the name of the helper
 * maps  changed in place, so that further users find what was made
 */
enum zf_status zf_import_bring(struct zf_import_node *node, const char *part,
                               struct zf_operand *maps, const struct zf_view *view);

/** Bring maps to where each of c, h and w is one axis, and say which: as they are if they can. */
enum zf_status zf_import_settle(struct zf_import_node *node, struct zf_operand *maps,
                                struct zf_view *view);

/** What a net ends in: pictures, of four axes, as they lie; anything else in the tensor's own
 * order. */
enum zf_status zf_import_settle_end(struct zf_import_node *node, struct zf_operand *maps);

/** The same as zf_import_settle(), with the axes of ONNX's windows: [1, c, h, w]. */
enum zf_status zf_import_settle_plain(struct zf_import_node *node, struct zf_operand *maps);

/** The view with `axis` as the maps; what is before it as rows, what is behind as columns. */
struct zf_view zf_view_along(int rank, int axis);

/** Maps whose arrangement a node has just changed become a layer of its own, its output i, under
 * the view `like`; NULL = the one that suits their shape. */
enum zf_status zf_import_rearranged(struct zf_import_node *node, int i,
                                    const struct zf_operand *maps, const struct zf_view *like);

#endif
