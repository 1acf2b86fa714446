/* SPDX-License-Identifier: MIT */
/* Samples that lie in tars, once they are found. */
#ifndef ZF_DATA_SHARDS_H
#define ZF_DATA_SHARDS_H

#include "data/data.h"
#include "data/shard_files.h"

/* The state of a data set whose samples lie in tars, or some of them. */
struct zf_shards {
    struct zf_shard_files files;
    struct zf_shard_place *places; /* [count]; file ZF_NO_SHARD = a file of its own */
};

#define ZF_NO_SHARD UINT32_MAX

/* The square() of such a data set, and its close(). */
enum zf_status zf_shards_square(const struct zf_data *data, int64_t i, struct zf_geometry geometry,
                                struct zf_picture *square, struct zf_oddity *odd,
                                struct zf_error *err);
void zf_shards_close(struct zf_data *data);

/**
 * Of a list whose paths may lead into tars, "shards/000000.tar/a.jpg": look these up, and make
 * the state; without any it stays NULL. ZF_EINPUT names a path that is not in its tar.
 */
enum zf_status zf_shards_find_listed(struct zf_data *data, struct zf_error *err);

#endif
