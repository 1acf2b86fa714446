/* SPDX-License-Identifier: MIT */
/* Where the energy of a small picture lies in the plane of spatial frequencies. */
#ifndef ZF_MEASURE_SPECTRUM_H
#define ZF_MEASURE_SPECTRUM_H

#include "zf/base.h"

/* Bands of spatial frequency, in cycles per pixel of what a filter looks at: white noise has
   0.05, 0.15 and 0.80 of its energy in them. */
enum zf_band {
    ZF_BAND_LOW,    /* below 1/8 */
    ZF_BAND_MIDDLE, /* 1/8 to 1/4 */
    ZF_BAND_HIGH,   /* above 1/4: a quarter of the sampling rate */
    ZF_BANDS
};

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
