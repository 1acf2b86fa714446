/* SPDX-License-Identifier: MIT */
/* The things that a scene can show. */
#ifndef ZF_DATA_SYNTH_THINGS_H
#define ZF_DATA_SYNTH_THINGS_H

#include "data/synth/sketch.h"

typedef void zf_sketch_draw(struct zf_sketch *sketch);

zf_sketch_draw zf_draw_butterfly, zf_draw_face, zf_draw_fish, zf_draw_flower, zf_draw_tree;
zf_sketch_draw zf_draw_boat, zf_draw_car, zf_draw_clock, zf_draw_cup, zf_draw_house;

#endif
