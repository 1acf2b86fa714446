/* SPDX-License-Identifier: MIT */
/**
 * The generated data set: ten kinds of things, drawn with named parts. Size, place, turn, colours,
 * patterns, background, light and noise vary freely, and none of them tells the class.
 *
 * A picture is a pure function of (seed, split, index), drawn in plain C, so that it is the same
 * on every machine; its class is index % ZF_SYNTH_CLASSES.
 */
#ifndef ZF_DATA_SYNTH_SCENE_H
#define ZF_DATA_SYNTH_SCENE_H

#include "data/synth/truth.h"

#define ZF_SYNTH_CLASSES 10
#define ZF_SYNTH_SIDE 96   /* px */
#define ZF_SYNTH_SEED 2013 /* of the "synth:" data sets */
#define ZF_SYNTH_MAX_IMAGES 1000000

enum zf_synth_split { ZF_SYNTH_TRAIN, ZF_SYNTH_VAL };

/* Names in bytewise order. */
const char *zf_synth_class(int k);

/* truth: NULL or filled. *picture is overwritten and owned by the caller. ZF_ENOMEM. Thread-safe.
 */
enum zf_status zf_synth_render(uint64_t seed, enum zf_synth_split split, int64_t index,
                               struct zf_picture *picture, struct zf_synth_truth *truth,
                               struct zf_error *err);

#endif
