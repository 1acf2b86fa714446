/* SPDX-License-Identifier: MIT */
/**
 * Boxes on the maps of a net: the cells that a changed box of the input can reach on the way up,
 * and those that one activation can come from on the way down (its cone of influence).
 *
 * The boxes of one layer are all of one size, the least that holds every place, so that samples
 * with boxes at different places run in one batch. Near a border, on the way up a box hangs over,
 * so that it lies above the box below in the same way everywhere; on the way down it is moved
 * inside the map. Both sides of a box go by the same arithmetic, each by itself.
 *
 * Layers are counted from the input: entry 0 is the input, entry i + 1 layer i.
 */
#ifndef ZF_NET_BOXES_H
#define ZF_NET_BOXES_H

#include "net/net.h"

/* One side: rows, or columns. */
struct zf_boxes_side {
    int64_t positions; /* where the box that all starts from may begin */
    int64_t *extent;   /* [layers + 1]; 0 = nothing is reached */
    int32_t *first;    /* [positions, layers + 1]: where the box begins, maybe outside the map */
};

struct zf_boxes {
    int layers;
    struct zf_boxes_side rows, columns;
};

/**
 * Is every cell of the layer's output computed from a window of its input, in the same way wherever
 * that lies? Zeros (for a maximum: nothing) stand for what is outside of the map.
 */
bool zf_layer_is_local(const struct zf_net *net, int layer);

/** Boxes of the layers up to all that is above, from boxes of height x width of the input. */
enum zf_status zf_boxes_up(const struct zf_net *net, int64_t height, int64_t width,
                           struct zf_boxes *boxes, struct zf_error *err);

/** Boxes down to the input, from single cells of layer `top`. */
enum zf_status zf_boxes_down(const struct zf_net *net, int top, struct zf_boxes *boxes,
                             struct zf_error *err);

void zf_boxes_release(struct zf_boxes *boxes); /* accepts empty */

/** Where the box of an entry begins when that which all starts from is at (y, x). */
struct zf_corner zf_boxes_corner(const struct zf_boxes *boxes, int entry, struct zf_corner start);

/* Of what a layer sees of its input, the part that may have changed: along one side, its first cell
   and its extent. */
struct zf_boxes_part {
    int64_t first, extent;
};

/** The least part that holds the box of the layer's first input at every place. */
void zf_boxes_changed(const struct zf_net *net, const struct zf_boxes *boxes, int layer,
                      struct zf_boxes_part *rows, struct zf_boxes_part *columns);

/** Are the boxes of two entries the same at every place? */
bool zf_boxes_coincide(const struct zf_boxes *boxes, int a, int b);

/** Products of all layers with weights on their boxes, and on their whole maps. */
void zf_boxes_cost(const struct zf_net *net, const struct zf_boxes *boxes, double *boxed,
                   double *whole);

#endif
