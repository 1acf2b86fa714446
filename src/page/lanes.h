/* SPDX-License-Identifier: MIT */
/*
 * The graph of a net, laid out beside a list of its layers: a row for the input and for each layer,
 * and lanes from left to right. What a layer gives runs down its lane to the last that takes it,
 * and nothing else stands in that lane meanwhile, so that branches lie side by side.
 */
#ifndef ZF_PAGE_LANES_H
#define ZF_PAGE_LANES_H

#include "zf/net.h"

struct zf_lanes {
    int rows;       /* the net's layers, and before them the input */
    int *lane;      /* [rows] where the row's node stands, and what it gives */
    int *last;      /* [rows] the last row that takes it; its own where none does */
    int lane_count; /* > 0 */
};

/* The row that the k-th input of a row comes from. */
int zf_lanes_input(const struct zf_net *net, int row, int k);

/* ZF_ENOMEM. Release with zf_lanes_release(), which accepts empty. */
enum zf_status zf_lanes_lay(const struct zf_net *net, struct zf_lanes *lanes, struct zf_error *err);
void zf_lanes_release(struct zf_lanes *lanes);

#endif
