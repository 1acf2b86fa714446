/* SPDX-License-Identifier: MIT */
/* Pictures of a unit, each whole with its patch framed, and its projection beside it. */
#ifndef ZF_EXPERIMENTS_UNIT_FIGURE_H
#define ZF_EXPERIMENTS_UNIT_FIGURE_H

#include "experiments/unit/unit.h"
#include "page/panels.h"

#define ZF_UNIT_PANEL 290 /* px of a panel with a projection, at least */
#define ZF_UNIT_SMALL 140 /* of one without */

/* What is white in all projections of a unit: of the strongest pictures the largest, half a percent
   of each cut off. */
float zf_unit_limit(const struct zf_net *net, const struct zf_unit *unit);

/**
 * Draw a group.
 * titles  [count] above the pictures
 * panels  [ZF_UNIT_SHOWN], the first `count` of which are filled in
 */
enum zf_status zf_unit_draw(const struct zf_net *net, const struct zf_unit_pictures *group,
                            float limit, const char *const *titles, struct zf_picture *canvas,
                            struct zf_panel *panels, struct zf_error *err);

#endif
