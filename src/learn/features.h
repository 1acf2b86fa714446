/* SPDX-License-Identifier: MIT */
/*
 * The activations of layers on pictures, each picture run once. They lie in an unnamed file that is
 * mapped into memory: what does not fit there waits on disk, and is gone with the process.
 */
#ifndef ZF_LEARN_FEATURES_H
#define ZF_LEARN_FEATURES_H

#include "zf/data.h"
#include "zf/net.h"
#include "zf/train.h"

struct zf_features;

struct zf_features_request {
    const struct zf_net *net;
    const struct zf_data *data;
    const int64_t *samples; /* [count], ascending */
    int64_t count;
    const int *layers; /* [layer_count] */
    size_t layer_count;
    const char *directory; /* of the file */
    bool strict;
    struct zf_compute compute; /* threads >= 1 */
};

/**
 * Run the net on the samples (centre crops). A picture that cannot be read is reported and has no
 * row. Returns ZF_EIO when the file finds no room, ZF_ENUMERIC for a value that is not finite,
 * ZF_EUNSUPPORTED for a layer of more than ZF_VECTOR_MOST values, ZF_ECANCELED, ZF_ENOMEM. Ranks
 * share the pictures; the first one has all rows, the others have none.
 */
enum zf_status zf_features_create(const struct zf_features_request *request,
                                  struct zf_features **out, const struct zf_monitor *monitor,
                                  struct zf_error *err);
void zf_features_free(struct zf_features **features);

/**
 * The activations of sample `sample` (of the data) at layers[layer], divided by their Euclidean
 * length and padded with zeros; NULL for a picture that could not be read.
 */
const float *zf_features_row(const struct zf_features *features, size_t layer, int64_t sample);

/* Values of a row, with its padding. */
int64_t zf_features_stride(const struct zf_features *features, size_t layer);

#endif
