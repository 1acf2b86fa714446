/* SPDX-License-Identifier: MIT */
#include "data/synth/sketch.h"

double zf_sketch_vary(struct zf_sketch *sketch, double low, double high)
{
    return low + (high - low) * zf_random_uniform(sketch->random);
}

bool zf_sketch_chance(struct zf_sketch *sketch, double probability)
{
    return zf_random_uniform(sketch->random) < probability;
}

void zf_sketch_part(struct zf_sketch *sketch, const char *name, double x, double y)
{
    struct zf_synth_truth *truth = sketch->truth;
    const struct zf_point at = zf_pen_place(sketch->pen, x, y);

    if (truth->part_count < ZF_SYNTH_MAX_PARTS)
        truth->parts[truth->part_count++] = (struct zf_synth_part){name, at.x, at.y};
}
