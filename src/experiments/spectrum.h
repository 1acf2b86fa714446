/* SPDX-License-Identifier: MIT */
/* Where the energy of a small picture lies in the plane of spatial frequencies. */
#ifndef ZF_EXPERIMENTS_SPECTRUM_H
#define ZF_EXPERIMENTS_SPECTRUM_H

#include "zf/diagnose.h"

#define ZF_SPECTRUM_SIDE 512 /* px, the largest picture */

/* Energy, summed over what was added. */
struct zf_spectrum {
    double band[ZF_BANDS];
    double folded; /* |fy| or |fx| above 1/(2 stride) */
    double total;
};

/**
 * Add the energy of a plane, by a discrete Fourier transform of `side` x `side` with zeros around
 * it: more points than values, so that a 3x3 filter too has a share in every band.
 *
 * src     [height, width], neither above `side`
 * side    <= ZF_SPECTRUM_SIDE
 * stride  what `folded` is measured by
 *
 * ZF_ENOMEM.
 */
enum zf_status zf_spectrum_add(struct zf_spectrum *spectrum, const float *src, int64_t height,
                               int64_t width, int64_t side, int64_t stride, struct zf_error *err);

#endif
