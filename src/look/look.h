/* SPDX-License-Identifier: MIT */
/* The inside of zf/look.h: an empty zf_top, how a list of the strongest is filled, and its file. */
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

/* ---- top_keep.c ---- */

/* How far a pass has come. */
struct zf_top_so_far {
    int64_t next;   /* the first sample that was not looked at */
    int64_t images; /* of those before it, that could be read */
    double seconds;
};

/**
 * Write the lists of a pass to `path`, whole or not at all.
 * asked  whatever must be the same for them to be of use
 */
enum zf_status zf_top_keep(const char *path, const char *asked, const struct zf_top *top,
                           const struct zf_top_so_far *so_far, struct zf_error *err);

/**
 * Read them into a zf_top of zf_top_select() with lists of `capacity`. ZF_EINPUT for a file that is
 * none, or of another question.
 */
enum zf_status zf_top_recall(const char *path, const char *asked, const struct zf_net *net,
                             size_t capacity, int64_t pictures, struct zf_top *top,
                             struct zf_top_so_far *so_far, struct zf_error *err);

#endif
