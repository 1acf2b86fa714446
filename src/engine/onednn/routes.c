/* SPDX-License-Identifier: MIT */
/* Which way a convolution goes: the quickest of those that can. */
#include "onednn.h"

zf_value zf_onednn_conv_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                zf_value weight, zf_value bias, bool relu)
{
    if (src == ZF_NO_VALUE || !zf_onednn_fits(e, window, zf_onednn_dims(e, src), weight))
        return ZF_NO_VALUE;
    if (zf_onednn_folds_up(e, window, zf_onednn_dims(e, src)))
        return zf_onednn_folded_forward(e, window, src, weight, bias, relu);
    if (zf_onednn_winograd_pays_up(e, window, zf_onednn_dims(e, src),
                                   zf_onednn_dims(e, weight).d[0]))
        return zf_onednn_winograd_forward(e, window, src, weight, bias, relu);
    return zf_onednn_convolve(e, window, src, weight, bias, relu);
}

zf_value zf_onednn_conv_backward_data(struct zf_engine *e, const struct zf_window *window,
                                      zf_value diff_dst, zf_value weight, struct zf_dims src_dims)
{
    if (diff_dst == ZF_NO_VALUE || !zf_onednn_fits(e, window, src_dims, weight))
        return ZF_NO_VALUE;
    if (zf_onednn_folds_down(e, window, src_dims))
        return zf_onednn_folded_backward_data(e, window, diff_dst, weight, src_dims);
    if (zf_onednn_scatters(e, window, diff_dst))
        return zf_onednn_scattered_backward_data(e, window, diff_dst, weight, src_dims);
    if (zf_onednn_winograd_pays_down(e, window, zf_onednn_dims(e, diff_dst), src_dims.d[1]))
        return zf_onednn_winograd_backward_data(e, window, diff_dst, weight, src_dims);
    return zf_onednn_convolve_back(e, window, diff_dst, weight, src_dims);
}

void zf_onednn_conv_backward_weights(struct zf_engine *e, const struct zf_window *window,
                                     zf_value src, zf_value diff_dst, zf_value diff_weight,
                                     zf_value diff_bias)
{
    if (src == ZF_NO_VALUE || diff_dst == ZF_NO_VALUE ||
        !zf_onednn_fits(e, window, zf_onednn_dims(e, src), diff_weight))
        return;
    if (zf_onednn_folds_up(e, window, zf_onednn_dims(e, src)))
        zf_onednn_folded_backward_weights(e, window, src, diff_dst, diff_weight, diff_bias);
    else if (zf_onednn_winograd_pays_weights(e, window, zf_onednn_dims(e, src),
                                             zf_onednn_dims(e, diff_weight).d[0]))
        zf_onednn_winograd_backward_weights(e, window, src, diff_dst, diff_weight, diff_bias);
    else
        zf_onednn_convolve_weights(e, window, src, diff_dst, diff_weight, diff_bias);
}
