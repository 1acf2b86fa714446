/* SPDX-License-Identifier: MIT */
/**
 * What a drawing function has at hand. A thing is drawn within [-1, 1] x [-1, 1], y downwards; the
 * scene has already chosen where that lies in the picture, and in which colours.
 */
#ifndef ZF_DATA_SYNTH_SKETCH_H
#define ZF_DATA_SYNTH_SKETCH_H

#include "base/random.h"
#include "data/synth/pen.h"
#include "data/synth/truth.h"

struct zf_sketch {
    struct zf_pen *pen;
    struct zf_random *random;
    struct zf_paint body, second, third; /* of this picture; the first may carry a pattern */
    struct zf_paint dark, light;         /* for eyes, windows, hands of a clock */
    struct zf_synth_truth *truth;
};

/* A number in [low, high), and true with a probability. */
double zf_sketch_vary(struct zf_sketch *sketch, double low, double high);
bool zf_sketch_chance(struct zf_sketch *sketch, double probability);

/* Say where a part is. */
void zf_sketch_part(struct zf_sketch *sketch, const char *name, double x, double y);

#endif
