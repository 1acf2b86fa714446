/* SPDX-License-Identifier: MIT */
/* The inside of zf/look.h: an empty zf_top, and how a list of the strongest is kept. */
#ifndef ZF_LOOK_LOOK_H
#define ZF_LOOK_LOOK_H

#include "zf/look.h"

#define ZF_TOP_DEFAULT_K 9 /* figure 2 */

/**
 * Make a zf_top with the layers and maps that `options` ask for and no entries yet, each map with
 * room for zf_top_capacity() of them. The entries of a layer are one array, owned by its first map.
 *
 * pictures  in the data set: a list never needs to be longer
 */
enum zf_status zf_top_select(const struct zf_net *net, const struct zf_top_options *options,
                             int64_t pictures, struct zf_top **out, struct zf_error *err);

/* The length of each list: the k of `options`, or the number of pictures where that is less. */
size_t zf_top_capacity(const struct zf_top_options *options, int64_t pictures);

/**
 * Put `entry` in its place in a list of at most `capacity`, if it is strong enough. Entries are
 * ordered by activation, then by sample: a total order, so that the list depends neither on the
 * size of the batches nor on the order in which pictures come.
 */
void zf_top_offer(struct zf_top_map *map, size_t capacity, const struct zf_top_entry *entry);

#endif
