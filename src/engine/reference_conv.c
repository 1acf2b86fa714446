/* SPDX-License-Identifier: MIT */
/*
 * Convolution, its transpose, and the gradient of its filters.
 *
 *     dst[n,o,y,x] = bias[o] + sum over i,ky,kx of
 *                    weight[o,i,ky,kx] * src[n, i, y*stride_h - pad_top + ky,
 *                                             x*stride_w - pad_left + kx]
 *
 * (ky and kx times the dilation, where there is one), where i runs over the input maps of o's group
 * and places outside of src count as zero. The other two are the same sum with the roles of src,
 * weight and dst exchanged; so all three walk the same rows: for one tap (ky,kx) of a filter, the
 * cells of dst and src that meet there.
 */
#include "reference.h"

/* Along one side and for one tap: the output cells whose input cell lies inside the map. */
struct span {
    int64_t first, end; /* output cells; empty if first >= end */
    int64_t offset;     /* the input cell is output * stride + offset */
};

static struct span span_of(int64_t tap, int64_t stride, int64_t pad, int64_t in, int64_t out)
{
    const int64_t offset = tap - pad;

    return (struct span){
        .first = offset < 0 ? (-offset + stride - 1) / stride : 0,
        .end = in > offset ? zf_ref_min((in - offset - 1) / stride + 1, out) : 0,
        .offset = offset,
    };
}

struct conv {
    const struct zf_window *window;
    struct zf_dims src, weight, dst;
};

static struct span rows_of(const struct conv *conv, int64_t ky)
{
    const struct zf_window *w = conv->window;

    return span_of(ky * (w->dilate_h + 1), w->stride_h, w->pad_top, conv->src.d[2], conv->dst.d[2]);
}

static struct span columns_of(const struct conv *conv, int64_t kx)
{
    const struct zf_window *w = conv->window;

    return span_of(kx * (w->dilate_w + 1), w->stride_w, w->pad_left, conv->src.d[3],
                   conv->dst.d[3]);
}

static struct conv conv_of(const struct zf_engine *e, const struct zf_ref_op *op, zf_value src,
                           zf_value weight, zf_value dst)
{
    const struct conv conv = {&op->window, zf_ref_dims(e, src), zf_ref_dims(e, weight),
                              zf_ref_dims(e, dst)};
    const struct zf_dims expected = zf_window_dims(&op->window, conv.src, conv.weight.d[0]);

    assert(conv.weight.d[2] == op->window.kernel_h && conv.weight.d[3] == op->window.kernel_w);
    assert(conv.weight.d[0] % op->window.groups == 0);
    assert(conv.weight.d[1] * op->window.groups == conv.src.d[1]);
    for (int i = 0; i < 4; i++)
        assert(conv.dst.d[i] == expected.d[i]);
    return conv;
}

/* Adds to sums [oh,ow] what one filter plane makes of one input map. */
static void add_filtered(const struct conv *conv, const float *map, const float *filter,
                         double *sums)
{
    const struct zf_window *w = conv->window;
    const int64_t stride = w->stride_w;

    for (int64_t ky = 0; ky < w->kernel_h; ky++) {
        const struct span ys = rows_of(conv, ky);

        for (int64_t kx = 0; kx < w->kernel_w; kx++) {
            const double weight = (double)filter[ky * w->kernel_w + kx];
            const struct span xs = columns_of(conv, kx);

            for (int64_t y = ys.first; y < ys.end; y++) {
                const float *from = map + (y * w->stride_h + ys.offset) * conv->src.d[3];
                double *to = sums + y * conv->dst.d[3];

                for (int64_t x = xs.first; x < xs.end; x++)
                    to[x] += weight * (double)from[x * stride + xs.offset];
            }
        }
    }
}

/* src, weight, bias -> dst */
static void run_forward(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct conv conv = conv_of(e, op, op->src, op->weight, op->dst);
    const int64_t in = conv.src.d[2] * conv.src.d[3], out = conv.dst.d[2] * conv.dst.d[3];
    const int64_t ic = conv.weight.d[1], oc = conv.weight.d[0];
    const int64_t taps = conv.weight.d[2] * conv.weight.d[3];
    const float *src = zf_ref_data(e, op->src), *weight = zf_ref_data(e, op->weight);
    const float *bias = op->bias == ZF_NO_VALUE ? NULL : zf_ref_data(e, op->bias);
    float *dst = zf_ref_data(e, op->dst);

    (void)run;
    for (int64_t n = 0; n < conv.src.d[0]; n++) {
        for (int64_t o = 0; o < oc; o++, dst += out) {
            const int64_t first = o / (oc / op->window.groups) * ic;

            for (int64_t p = 0; p < out; p++)
                e->sums[p] = bias ? (double)bias[o] : 0.0;
            for (int64_t i = 0; i < ic; i++)
                add_filtered(&conv, src + (n * conv.src.d[1] + first + i) * in,
                             weight + (o * ic + i) * taps, e->sums);
            for (int64_t p = 0; p < out; p++)
                dst[p] = op->relu ? zf_ref_relu((float)e->sums[p]) : (float)e->sums[p];
        }
    }
}

zf_value zf_ref_conv_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                             zf_value weight, zf_value bias, bool relu)
{
    struct zf_ref_op op = zf_ref_op_of(run_forward);

    op.window = *window;
    op.src = src;
    op.weight = weight;
    op.bias = bias;
    op.relu = relu;
    op.dst =
        zf_ref_value(e, zf_window_dims(window, zf_ref_dims(e, src), zf_ref_dims(e, weight).d[0]));
    zf_ref_emit(e, op);
    return op.dst;
}

/* The transpose of add_filtered: spreads one output map over sums [ih,iw]. */
static void add_spread(const struct conv *conv, const float *map, const float *filter, double *sums)
{
    const struct zf_window *w = conv->window;
    const int64_t stride = w->stride_w;

    for (int64_t ky = 0; ky < w->kernel_h; ky++) {
        const struct span ys = rows_of(conv, ky);

        for (int64_t kx = 0; kx < w->kernel_w; kx++) {
            const double weight = (double)filter[ky * w->kernel_w + kx];
            const struct span xs = columns_of(conv, kx);

            for (int64_t y = ys.first; y < ys.end; y++) {
                const float *from = map + y * conv->dst.d[3];
                double *to = sums + (y * w->stride_h + ys.offset) * conv->src.d[3];

                for (int64_t x = xs.first; x < xs.end; x++)
                    to[x * stride + xs.offset] += weight * (double)from[x];
            }
        }
    }
}

/* src = diff_dst, weight -> dst = diff_src */
static void run_backward_data(struct zf_engine *e, const struct zf_ref_op *op,
                              const struct zf_run *run)
{
    const struct conv conv = conv_of(e, op, op->dst, op->weight, op->src);
    const int64_t in = conv.src.d[2] * conv.src.d[3], out = conv.dst.d[2] * conv.dst.d[3];
    const int64_t ic = conv.weight.d[1], oc = conv.weight.d[0] / op->window.groups;
    const int64_t taps = conv.weight.d[2] * conv.weight.d[3];
    const float *diff_dst = zf_ref_data(e, op->src), *weight = zf_ref_data(e, op->weight);
    float *diff_src = zf_ref_data(e, op->dst);

    (void)run;
    for (int64_t n = 0; n < conv.src.d[0]; n++) {
        for (int64_t c = 0; c < conv.src.d[1]; c++, diff_src += in) {
            const int64_t first = c / ic * oc, i = c % ic;

            for (int64_t p = 0; p < in; p++)
                e->sums[p] = 0.0;
            for (int64_t o = first; o < first + oc; o++)
                add_spread(&conv, diff_dst + (n * conv.dst.d[1] + o) * out,
                           weight + (o * ic + i) * taps, e->sums);
            for (int64_t p = 0; p < in; p++)
                diff_src[p] = (float)e->sums[p];
        }
    }
}

zf_value zf_ref_conv_backward_data(struct zf_engine *e, const struct zf_window *window,
                                   zf_value diff_dst, zf_value weight, struct zf_dims src_dims)
{
    struct zf_ref_op op = zf_ref_op_of(run_backward_data);

    op.window = *window;
    op.src = diff_dst;
    op.weight = weight;
    op.dst = zf_ref_value(e, src_dims);
    zf_ref_emit(e, op);
    return op.dst;
}

/* The gradient of one tap: all places where the map and the signal meet through it. */
static double tap_sum(const struct conv *conv, const float *map, const float *signal,
                      struct span ys, struct span xs)
{
    const struct zf_window *w = conv->window;
    double sum = 0.0;

    for (int64_t y = ys.first; y < ys.end && xs.first < xs.end; y++)
        sum += zf_ref_dot(map + (y * w->stride_h + ys.offset) * conv->src.d[3] +
                              xs.first * w->stride_w + xs.offset,
                          w->stride_w, signal + y * conv->dst.d[3] + xs.first, xs.end - xs.first);
    return sum;
}

static void sum_bias(const struct conv *conv, const float *diff_dst, float *diff_bias)
{
    const int64_t out = conv->dst.d[2] * conv->dst.d[3];

    for (int64_t o = 0; o < conv->dst.d[1]; o++) {
        double sum = 0.0;

        for (int64_t n = 0; n < conv->dst.d[0]; n++) {
            for (int64_t p = 0; p < out; p++)
                sum += (double)diff_dst[(n * conv->dst.d[1] + o) * out + p];
        }
        diff_bias[o] = (float)sum;
    }
}

/* src, other = diff_dst -> weight, bias */
static void run_backward_weights(struct zf_engine *e, const struct zf_ref_op *op,
                                 const struct zf_run *run)
{
    const struct conv conv = conv_of(e, op, op->src, op->weight, op->other);
    const int64_t in = conv.src.d[2] * conv.src.d[3], out = conv.dst.d[2] * conv.dst.d[3];
    const int64_t ic = conv.weight.d[1], oc = conv.weight.d[0];
    const int64_t kw = conv.weight.d[3], taps = conv.weight.d[2] * kw;
    const float *src = zf_ref_data(e, op->src), *diff_dst = zf_ref_data(e, op->other);
    float *diff_weight = zf_ref_data(e, op->weight);

    (void)run;
    for (int64_t f = 0; f < oc * ic; f++) {
        const int64_t o = f / ic, c = o / (oc / op->window.groups) * ic + f % ic;

        for (int64_t k = 0; k < taps; k++) {
            const struct span ys = rows_of(&conv, k / kw), xs = columns_of(&conv, k % kw);
            double sum = 0.0;

            for (int64_t n = 0; n < conv.src.d[0]; n++)
                sum += tap_sum(&conv, src + (n * conv.src.d[1] + c) * in,
                               diff_dst + (n * oc + o) * out, ys, xs);
            diff_weight[f * taps + k] = (float)sum;
        }
    }
    if (op->bias != ZF_NO_VALUE)
        sum_bias(&conv, diff_dst, zf_ref_data(e, op->bias));
}

void zf_ref_conv_backward_weights(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                  zf_value diff_dst, zf_value diff_weight, zf_value diff_bias)
{
    struct zf_ref_op op = zf_ref_op_of(run_backward_weights);

    op.window = *window;
    op.src = src;
    op.other = diff_dst;
    op.weight = diff_weight;
    op.bias = diff_bias;
    zf_ref_emit(e, op);
}
