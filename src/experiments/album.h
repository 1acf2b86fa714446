/* SPDX-License-Identifier: MIT */
/* A few pictures of a data set as a net sees them: shown side by side, and explained. */
#ifndef ZF_EXPERIMENTS_ALBUM_H
#define ZF_EXPERIMENTS_ALBUM_H

#include "zf/data.h"
#include "zf/document.h"
#include "zf/plan.h"

#define ZF_ALBUM_MOST 24

struct zf_album {
    const struct zf_net *net;
    struct zf_tensor inputs;  /* [count, c, h, w], prepared */
    struct zf_picture *shown; /* [count] */
    const char **names;       /* [count], lent by the data */
    size_t count;
};

/**
 * Load samples by their centre crop.
 *
 * net, data  lent; must outlive the album
 * samples    [count] indices, 1 <= count <= ZF_ALBUM_MOST
 *
 * Returns ZF_EINPUT for one that cannot be read, ZF_ENOMEM. Release with zf_album_release() in any
 * case.
 */
enum zf_status zf_album_load(struct zf_album *album, const struct zf_net *net,
                             const struct zf_data *data, const int64_t *samples, size_t count,
                             int threads, struct zf_error *err);
void zf_album_release(struct zf_album *album);

/* The pictures under their titles, [count], as one file with a panel each. */
enum zf_status zf_album_show(const struct zf_album *album, const char *const *titles,
                             const char *file, const char *caption, struct zf_document *document,
                             struct zf_error *err);

/**
 * What speaks for a class in picture i: its occlusion, in coarse steps, with a caption that begins
 * with `caption` and goes on with what the net says while parts are hidden.
 *
 * class, other  that is followed, and one that is counted as well
 *
 * A net that cannot be occluded, such as one without convolutions, gets a paragraph that says so.
 */
enum zf_status zf_album_explain(const struct zf_album *album, size_t i, int64_t class,
                                int64_t other, const struct zf_compute *compute, const char *file,
                                const char *caption, struct zf_document *document,
                                const struct zf_monitor *monitor, struct zf_error *err);

#endif
