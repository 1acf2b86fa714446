/* SPDX-License-Identifier: MIT */
/*
 * A convolution of stride s as one of stride 1, for tiles of 16-bit products (AMX). oneDNN 2.6 has
 * fast code for those tiles, but two corners of a strided convolution are without: the gradient of
 * filters over a picture's few colours (8 times as slow as this), and the way down to the maps
 * below (4 times).
 *
 * Folding deals pixels out to s * s phases, each of which becomes maps of its own:
 *
 *     folded[n, (r, t, c), q, u] = src[n, c, s q + r - pad_top, s u + t - pad_left]
 *
 * and filters in the same way, with zeros where k is no multiple of s. Upwards the folded picture
 * meets the folded filters at stride 1. Downwards, what one phase of the result needs of the signal
 * is the filters' taps of that phase, mirrored:
 *
 *     diff_src folded = diff_dst convolved with weight[(r, t, c), o, K - 1 - a, K - 1 - b]
 */
#include "onednn.h"

#include <string.h>

#include "engine/parallel.h"
#include "half.h"

#define FEW_MAPS 4   /* of a picture: they are folded on the way up, all others on the way down */
#define MAP_BLOCK 16 /* folded maps of a picture are padded to this */

/* The extents of a folded map and of folded filters. */
struct folding {
    int64_t stride, maps, h, w;
    int64_t taps_h, taps_w;
};

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static struct folding folding_of(const struct zf_window *window, struct zf_dims src, bool down)
{
    const int64_t s = window->stride_h;
    const struct zf_dims dst = zf_window_dims(window, src, 1);
    struct folding f = {.stride = s,
                        .maps = s * s * src.d[1],
                        .taps_h = ceil_div(window->kernel_h, s),
                        .taps_w = ceil_div(window->kernel_w, s)};

    if (down) {
        f.h = (window->pad_top + src.d[2] - 1) / s + 1;
        f.w = (window->pad_left + src.d[3] - 1) / s + 1;
    } else {
        f.maps = ceil_div(f.maps, MAP_BLOCK) * MAP_BLOCK;
        f.h = dst.d[2] + f.taps_h - 1;
        f.w = dst.d[3] + f.taps_w - 1;
    }
    return f;
}

/* Zeros among the folded filters cost products: up to as many as there are real ones. */
static bool pays(const struct zf_engine *e, const struct zf_window *window)
{
    const int64_t s = window->stride_h;
    const int64_t taps = ceil_div(window->kernel_h, s) * ceil_div(window->kernel_w, s) * s * s;

    return e->config.bf16 && s > 1 && window->stride_w == s && window->groups == 1 &&
           window->dilate_h == 0 && window->dilate_w == 0 &&
           taps <= 2 * window->kernel_h * window->kernel_w && zf_onednn_may_use(ZF_CPU_AMX);
}

bool zf_onednn_folds_up(const struct zf_engine *e, const struct zf_window *window,
                        struct zf_dims src)
{
    return src.d[1] <= FEW_MAPS && pays(e, window);
}

bool zf_onednn_folds_down(const struct zf_engine *e, const struct zf_window *window,
                          struct zf_dims src)
{
    const struct folding f = folding_of(window, src, true);
    const struct zf_dims dst = zf_window_dims(window, src, 1);

    return src.d[1] > FEW_MAPS && pays(e, window) && f.h >= dst.d[2] && f.w >= dst.d[3];
}

/* ---- Loops ---- */

/* values: src, plain [n, c, h, w]; folded [n, q, u, maps] of 16 bits */
static void run_fold(struct zf_engine *e, const struct zf_onednn_step *step,
                     const struct zf_run *run)
{
    const struct zf_dims src = zf_onednn_at(e, step->values[0])->dims;
    const struct zf_dims dims = zf_onednn_at(e, step->values[1])->dims;
    const struct zf_window *window = step->parameters;
    const float *plain = zf_onednn_at(e, step->values[0])->data;
    uint16_t *folded = zf_onednn_at(e, step->values[1])->data;
    const int64_t s = window->stride_h, maps = dims.d[1], row = dims.d[3] * maps;

    (void)run;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t nq = 0; nq < dims.d[0] * dims.d[2]; nq++) {
        const int64_t n = nq / dims.d[2], q = nq % dims.d[2];
        uint16_t *dst = folded + nq * row;

        memset(dst, 0, (size_t)row * sizeof *dst);
        for (int64_t m = 0; m < s * s * src.d[1]; m++) {
            const int64_t c = m % src.d[1], t = m / src.d[1] % s, r = m / src.d[1] / s;
            const int64_t y = s * q + r - window->pad_top, left = t - window->pad_left;
            const float *from = plain + ((n * src.d[1] + c) * src.d[2] + y) * src.d[3] + left;

            if (y < 0 || y >= src.d[2])
                continue;
            for (int64_t u = left < 0 ? ceil_div(-left, s) : 0;
                 u < dims.d[3] && s * u + left < src.d[3]; u++)
                dst[u * maps + m] = zf_onednn_to_bf16(from[s * u]);
        }
    }
}

/* values: folded [n, q, u, maps]; dst [n, h, w, c]; both of 16 bits */
static void run_unfold(struct zf_engine *e, const struct zf_onednn_step *step,
                       const struct zf_run *run)
{
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const struct zf_dims to = zf_onednn_at(e, step->values[1])->dims;
    const struct zf_window *window = step->parameters;
    const uint16_t *folded = zf_onednn_at(e, step->values[0])->data;
    uint16_t *dst = zf_onednn_at(e, step->values[1])->data;
    const int64_t s = window->stride_h, c = to.d[1];

    (void)run;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t ny = 0; ny < to.d[0] * to.d[2]; ny++) {
        const int64_t n = ny / to.d[2], y = ny % to.d[2] + window->pad_top;

        for (int64_t k = 0; k < to.d[3]; k++) {
            const int64_t x = k + window->pad_left;
            const int64_t cell = (n * dims.d[2] + y / s) * dims.d[3] + x / s;

            memcpy(dst + (ny * to.d[3] + k) * c,
                   folded + cell * dims.d[1] + (y % s * s + x % s) * c, (size_t)c * sizeof *dst);
        }
    }
}

/* Where tap (i, j) of filter [o, c] lies among the folded ones, upwards: [o, maps, taps]. */
static int64_t tap_up(const struct folding *f, struct zf_dims weight, const int64_t at[4])
{
    const int64_t s = f->stride;
    const int64_t m = (at[2] % s * s + at[3] % s) * weight.d[1] + at[1];

    return ((at[0] * f->maps + m) * f->taps_h + at[2] / s) * f->taps_w + at[3] / s;
}

/* Downwards: [maps, o, taps mirrored]. */
static int64_t tap_down(const struct folding *f, struct zf_dims weight, const int64_t at[4])
{
    const int64_t s = f->stride;
    const int64_t m = (at[2] % s * s + at[3] % s) * weight.d[1] + at[1];

    return ((m * weight.d[0] + at[0]) * f->taps_h + f->taps_h - 1 - at[2] / s) * f->taps_w +
           f->taps_w - 1 - at[3] / s;
}

/* To the folded filters, or back from their gradient. values: weight, folded; both plain */
static void move_taps(struct zf_engine *e, const struct zf_onednn_step *step, bool back)
{
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const struct zf_dims folded_dims = zf_onednn_at(e, step->values[1])->dims;
    const bool down = dims.d[1] > FEW_MAPS;
    float *weight = zf_onednn_at(e, step->values[0])->data;
    float *folded = zf_onednn_at(e, step->values[1])->data;
    const struct zf_window *window = step->parameters;
    const struct folding f = {.stride = window->stride_h,
                              .maps = folded_dims.d[down ? 0 : 1],
                              .taps_h = folded_dims.d[2],
                              .taps_w = folded_dims.d[3]};

    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t oc = 0; oc < dims.d[0] * dims.d[1]; oc++) {
        float *filter = weight + oc * dims.d[2] * dims.d[3];
        int64_t at[4] = {oc / dims.d[1], oc % dims.d[1], 0, 0};

        for (at[2] = 0; at[2] < dims.d[2]; at[2]++)
            for (at[3] = 0; at[3] < dims.d[3]; at[3]++) {
                float *tap = filter + at[2] * dims.d[3] + at[3];
                float *in = folded + (down ? tap_down : tap_up)(&f, dims, at);

                *(back ? tap : in) = *(back ? in : tap);
            }
    }
}

static void run_fold_weight(struct zf_engine *e, const struct zf_onednn_step *step,
                            const struct zf_run *run)
{
    (void)run;
    move_taps(e, step, false);
}

static void run_unfold_weight(struct zf_engine *e, const struct zf_onednn_step *step,
                              const struct zf_run *run)
{
    (void)run;
    move_taps(e, step, true);
}

/* ---- Building ---- */

/* A loop from one value to another. */
static void append_loop(struct zf_engine *e, zf_onednn_loop *loop, const struct zf_window *window,
                        zf_value from, zf_value to)
{
    struct zf_onednn_step step = {
        .program = e->program, .loop = loop, .count = 2, .values = {from, to}};

    zf_onednn_append_loop(e, &step, window, sizeof *window);
}

static zf_value fold(struct zf_engine *e, const struct zf_window *window, zf_value src)
{
    const struct zf_dims dims = zf_onednn_dims(e, src);
    const struct folding f = folding_of(window, dims, false);
    const struct zf_dims to = {4, {dims.d[0], f.maps, f.h, f.w}};
    zf_value folded = zf_onednn_find_arranged(e, src, window, to);

    if (folded != ZF_NO_VALUE)
        return folded;
    folded = zf_onednn_new(e, to, zf_layout_channels_last(&e->layouts, to, dnnl_bf16));
    if (folded == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_set_arranged(e, folded, src, window);
    append_loop(e, run_fold, window, zf_onednn_plain(e, src), folded);
    return folded;
}

/* The convolution that is left: stride 1, with the pads given. */
static struct zf_window folded_window(const struct folding *f, const int64_t pads[4])
{
    return (struct zf_window){.kernel_h = f->taps_h,
                              .kernel_w = f->taps_w,
                              .stride_h = 1,
                              .stride_w = 1,
                              .pad_top = pads[0],
                              .pad_left = pads[1],
                              .pad_bottom = pads[2],
                              .pad_right = pads[3],
                              .groups = 1};
}

static const int64_t no_pads[4];

static zf_value folded_weight(struct zf_engine *e, const struct zf_window *window, zf_value weight,
                              struct zf_dims dims)
{
    const struct zf_onednn_arrangement how = {*window, run_fold_weight, window, sizeof *window};

    return zf_onednn_arranged_weight(e, &how, weight, dims);
}

zf_value zf_onednn_folded_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                  zf_value weight, zf_value bias, bool relu)
{
    const struct folding f = folding_of(window, zf_onednn_dims(e, src), false);
    const struct zf_window unit = folded_window(&f, no_pads);
    const struct zf_dims dims = {4, {zf_onednn_dims(e, weight).d[0], f.maps, f.taps_h, f.taps_w}};

    return zf_onednn_convolve(e, &unit, fold(e, window, src),
                              folded_weight(e, window, weight, dims), bias, relu);
}

void zf_onednn_folded_backward_weights(struct zf_engine *e, const struct zf_window *window,
                                       zf_value src, zf_value diff_dst, zf_value diff_weight,
                                       zf_value diff_bias)
{
    const struct folding f = folding_of(window, zf_onednn_dims(e, src), false);
    const struct zf_window unit = folded_window(&f, no_pads);
    const struct zf_dims dims = {4,
                                 {zf_onednn_dims(e, diff_weight).d[0], f.maps, f.taps_h, f.taps_w}};
    const zf_value folded = zf_onednn_new(e, dims, NULL);

    zf_onednn_convolve_weights(e, &unit, fold(e, window, src), diff_dst, folded, diff_bias);
    append_loop(e, run_unfold_weight, window, diff_weight, folded);
}

zf_value zf_onednn_folded_backward_data(struct zf_engine *e, const struct zf_window *window,
                                        zf_value diff_dst, zf_value weight, struct zf_dims src_dims)
{
    const struct folding f = folding_of(window, src_dims, true);
    const struct zf_dims dst = zf_window_dims(window, src_dims, 1);
    const struct zf_window unit =
        folded_window(&f, (int64_t[]){f.taps_h - 1, f.taps_w - 1, f.h - dst.d[2], f.w - dst.d[3]});
    const struct zf_dims dims = {4, {f.maps, zf_onednn_dims(e, weight).d[0], f.taps_h, f.taps_w}};
    const struct zf_layout *last = zf_layout_channels_last(
        &e->layouts, (struct zf_dims){4, {src_dims.d[0], f.maps, f.h, f.w}}, dnnl_bf16);
    zf_value folded = zf_onednn_convolve(e, &unit, diff_dst, folded_weight(e, window, weight, dims),
                                         ZF_NO_VALUE, false);
    zf_value diff_src;

    folded = zf_onednn_convert(e, folded, NULL, last);
    diff_src =
        zf_onednn_new(e, src_dims, zf_layout_channels_last(&e->layouts, src_dims, dnnl_bf16));
    append_loop(e, run_unfold, window, folded, diff_src);
    return diff_src;
}
