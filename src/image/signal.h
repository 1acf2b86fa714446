/* SPDX-License-Identifier: MIT */
/* What a projection's picture is scaled by; the picture itself is zf_picture_from_signal(). */
#ifndef ZF_IMAGE_SIGNAL_H
#define ZF_IMAGE_SIGNAL_H

#include "zf/image.h"

#define ZF_GREY 128        /* zero of a signal */
#define ZF_CUT_SHARE 0.005 /* of a projection's values: shown as the ends of the scale */

/**
 * A magnitude that all but a share of the values within a box stay below (to a part in 4096 of the
 * largest). A few peaks then do not leave everything else in the grey.
 */
float zf_signal_limit(const float *src, struct zf_shape shape, struct zf_box box, double share);

#endif
