/* SPDX-License-Identifier: MIT */
/**
 * Results as pictures, sheets and pages that a person can look at.
 */
#ifndef ZF_REPORT_H
#define ZF_REPORT_H

#include "zf/base.h"
#include "zf/image.h"
#include "zf/look.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A signed projection (or filter) as a picture: zero is mid grey, `limit` maps to the ends.
 *
 * src    [3, height, width] planes of `src_shape`, of which `box` is shown
 * limit  > 0 the value shown as white (-limit black); 0 = the largest magnitude in the box
 * channels  order of the planes
 */
ZF_API enum zf_status zf_picture_from_signal(const float *src, struct zf_shape src_shape,
                                             struct zf_box box, float limit,
                                             enum zf_channels channels, struct zf_picture *picture,
                                             struct zf_error *err);

/* What shares a scale. In reports the strongest half percent of a projection's values is cut, so
   that a few peaks do not leave the rest in the grey. */
enum zf_contrast {
    ZF_CONTRAST_MAP,    /* the k projections of one map share a scale */
    ZF_CONTRAST_IMAGE,  /* each on its own */
    ZF_CONTRAST_SHARED, /* all maps of a layer share one */
};

struct zf_top_report_options {
    enum zf_contrast contrast;
    int64_t tile;        /* px of one patch or projection on a sheet; 0 = chosen by layer */
    int64_t sheet_maps;  /* most maps on a layer's PNG sheet, live ones first; 0 = 64. The page
                            shows all. */
    const char *command; /* the command line that made it, for the page; may be NULL */
};

/**
 * Project a zf_top and write it under `directory` (made if missing): top.json, one sheet per
 * layer (LAYER.png: for each map its k projections beside its k patches, maps in a grid), and
 * index.html, a self-contained page to browse layer by layer and map by map.
 *
 * Arguments as of zf_top_project(); files appear whole or not at all.
 */
ZF_API enum zf_status zf_top_report(const struct zf_net *net, const struct zf_data *data,
                                    const struct zf_top *top, const struct zf_top_options *options,
                                    const struct zf_top_report_options *report,
                                    const char *directory, const struct zf_monitor *monitor,
                                    struct zf_error *err);

/** top.json as a string; handed over, free with zf_text_free(). */
ZF_API enum zf_status zf_top_json(const struct zf_net *net, const struct zf_data *data,
                                  const struct zf_top *top, char **json, struct zf_error *err);
ZF_API void zf_text_free(char *text);

/**
 * A convolution's filters as one sheet: each [ic=3] filter a tile of `tile` px, in a grid.
 * Returns ZF_EINVAL when the layer is no convolution over three channels.
 */
ZF_API enum zf_status zf_filters_picture(const struct zf_net *net, int layer, int64_t tile,
                                         struct zf_picture *picture, struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
