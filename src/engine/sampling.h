/* SPDX-License-Identifier: MIT */
/**
 * One axis of a map read anew: resized, or continued beyond its ends. Each cell of the result is a
 * sum of a few cells of the source, with weights; the other way round, each cell gives its share to
 * these. Rows and columns are sampled one after the other.
 */
#ifndef ZF_ENGINE_SAMPLING_H
#define ZF_ENGINE_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

#define ZF_SAMPLING_TAPS 4

enum zf_sampling_kind {
    ZF_SAMPLE_NEAREST,
    ZF_SAMPLE_LINEAR,
    ZF_SAMPLE_CUBIC,   /* Keys 1981 */
    ZF_SAMPLE_REFLECT, /* beyond the end, back from the cell before the last */
    ZF_SAMPLE_EDGE,    /* the last cell again */
    ZF_SAMPLE_WRAP,    /* around to the other end */
};

/* Which place of the source cell i of a resized axis is. In ONNX's words. */
enum zf_sampling_place {
    ZF_PLACE_HALF_PIXEL,
    ZF_PLACE_ASYMMETRIC,
    ZF_PLACE_ALIGN_CORNERS,
    ZF_PLACE_PYTORCH_HALF_PIXEL,
    ZF_PLACE_HALF_PIXEL_SYMMETRIC,
    ZF_PLACE_TF_HALF_PIXEL, /* tf_half_pixel_for_nn */
    ZF_PLACE_CROP,          /* tf_crop_and_resize: outside of the source there is nothing */
};

enum zf_sampling_rounding {
    ZF_ROUND_PREFER_FLOOR,
    ZF_ROUND_PREFER_CEIL,
    ZF_ROUND_FLOOR,
    ZF_ROUND_CEIL,
    ZF_ROUND_SIMPLE, /* opset 10: down where it grows, up where it shrinks */
};

struct zf_sampling {
    enum zf_sampling_kind kind;
    int64_t from, to; /* cells */
    /* of resizing: */
    enum zf_sampling_place place;
    enum zf_sampling_rounding rounding; /* nearest */
    float scale;                        /* cells of the result for each of the source */
    float cubic;                        /* Keys' a */
    bool inside;                        /* cubic: taps outside are left out, not the last cell's */
    bool antialias;                     /* linear, cubic: a shrunk axis is smoothed as much */
    float begin, end;                   /* of a crop, as parts of the source */
    /* of a border: */
    int64_t before; /* cells in front of the source */
};

/* Some cells of the source and their weights. */
struct zf_taps {
    int count; /* 0 = nothing of the source */
    int64_t index[ZF_SAMPLING_TAPS];
    double weight[ZF_SAMPLING_TAPS];
};

/** How many times ZF_SAMPLING_TAPS the most cells are that a cell of the result is made of: 1,
 * unless it is antialiased. */
int64_t zf_sampling_parts(const struct zf_sampling *sampling);

/** What cell i of the result is made of, i in [0, to), in parts that add up. Every index is in [0,
 * from). */
void zf_sampling_taps(const struct zf_sampling *sampling, int64_t i, int64_t part,
                      struct zf_taps *taps);

#endif
