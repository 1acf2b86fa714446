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
 * weight and dst exchanged.
 *
 * All three work on *sheets*: a map with its pads, the columns of each row sorted by their
 * remainder modulo the stride. There the cells that a row of dst meets through one weight stand
 * side by side, wherever the border is and whatever the stride, so that the innermost loop is
 *
 *     dst[o,y,x] += weight[o,i,ky,kx] * sheet[i, row, column + x]
 */
#include "reference.h"

struct conv {
    const struct zf_window *window;
    struct zf_dims src, weight, dst;
    int64_t ic, oc;         /* maps of a group */
    int64_t taps;           /* weights of a filter for one of its input maps */
    int64_t rows, columns;  /* of a sheet; columns of each remainder */
    int64_t width;          /* of a sheet's row: stride_w * columns */
    int64_t in, out, sheet; /* cells of a map of src, of dst, and of a sheet */
};

static struct conv conv_of(const struct zf_window *w, struct zf_dims src, struct zf_dims weight,
                           struct zf_dims dst)
{
    struct conv conv = {.window = w, .src = src, .weight = weight, .dst = dst};

    conv.ic = weight.d[1];
    conv.oc = weight.d[0] / w->groups;
    conv.taps = weight.d[2] * weight.d[3];
    conv.rows = (dst.d[2] - 1) * w->stride_h + zf_window_reach(w->kernel_h, w->dilate_h);
    conv.columns = dst.d[3] + (w->kernel_w - 1) * (w->dilate_w + 1) / w->stride_w;
    conv.width = w->stride_w * conv.columns;
    conv.in = src.d[2] * src.d[3];
    conv.out = dst.d[2] * dst.d[3];
    conv.sheet = conv.rows * conv.width;
    return conv;
}

static struct conv conv_at(const struct zf_engine *e, const struct zf_window *window, zf_value src,
                           zf_value weight, zf_value dst)
{
    const struct conv conv =
        conv_of(window, zf_ref_dims(e, src), zf_ref_dims(e, weight), zf_ref_dims(e, dst));
    const struct zf_dims expected = zf_window_dims(window, conv.src, conv.weight.d[0]);

    assert(conv.weight.d[2] == window->kernel_h && conv.weight.d[3] == window->kernel_w);
    assert(conv.weight.d[0] % window->groups == 0);
    assert(conv.ic * window->groups == conv.src.d[1]);
    for (int i = 0; i < 4; i++)
        assert(conv.dst.d[i] == expected.d[i]);
    return conv;
}

/* Room for a sheet of each map of a sample. */
static void need_sheets(struct zf_engine *e, const struct conv *conv)
{
    zf_ref_need_scratch(e, conv->src.d[1], conv->rows, conv->width);
}

/* Where in a sheet's row the first cell of dst meets tap kx. */
static int64_t column_of(const struct conv *conv, int64_t kx)
{
    const int64_t column = kx * (conv->window->dilate_w + 1), stride = conv->window->stride_w;

    return column % stride * conv->columns + column / stride;
}

/* A row of a map becomes one of a sheet, or back. Columns behind the last window have no place on
   it: nothing meets them. */
static void lay_row(const struct conv *conv, const double *map, double *sheet)
{
    const int64_t stride = conv->window->stride_w, pad = conv->window->pad_left;

    for (int64_t i = 0; i < conv->width; i++)
        sheet[i] = 0.0;
    for (int64_t x = 0, at = pad / stride, lane = pad % stride;
         x < conv->src.d[3] && at < conv->columns; x++) {
        sheet[lane * conv->columns + at] = map[x];
        lane = lane + 1 < stride ? lane + 1 : 0;
        at += lane == 0;
    }
}

static void take_row(const struct conv *conv, const double *sheet, double *map)
{
    const int64_t stride = conv->window->stride_w, pad = conv->window->pad_left;

    for (int64_t x = 0; x < conv->src.d[3]; x++)
        map[x] = 0.0;
    for (int64_t x = 0, at = pad / stride, lane = pad % stride;
         x < conv->src.d[3] && at < conv->columns; x++) {
        map[x] = sheet[lane * conv->columns + at];
        lane = lane + 1 < stride ? lane + 1 : 0;
        at += lane == 0;
    }
}

/* The sheets of one sample, in e->scratch. */
static void lay_out(struct zf_engine *e, const struct conv *conv, const double *src)
{
    const int64_t height = conv->src.d[2], top = conv->window->pad_top;

    ZF_PARALLEL_FOR(zf_ref_threads(e, conv->src.d[1] * conv->sheet))
    for (int64_t i = 0; i < conv->src.d[1] * conv->rows; i++) {
        const int64_t c = i / conv->rows, y = i % conv->rows - top;
        double *row = e->scratch + i * conv->width;

        if (y >= 0 && y < height) {
            lay_row(conv, src + c * conv->in + y * conv->src.d[3], row);
            continue;
        }
        for (int64_t x = 0; x < conv->width; x++)
            row[x] = 0.0;
    }
}

/* Rows with a weight for each. */
struct terms {
    int64_t count;
    const double *row;
    const float *weight;
    int64_t next_row, next_weight;
};

/* to[x] += the sum of weight * row[x]; by four, as each costs a walk along `to`. */
static void add_terms(const struct terms *terms, double *restrict to, int64_t width)
{
    const double *row = terms->row;
    const float *weight = terms->weight;
    const int64_t down = terms->next_row, next = terms->next_weight;
    int64_t left = terms->count;

    for (; left >= 4; left -= 4, row += 4 * down, weight += 4 * next) {
        const double *a = row, *b = a + down, *c = b + down, *d = c + down;
        const double wa = (double)weight[0], wb = (double)weight[next];
        const double wc = (double)weight[2 * next], wd = (double)weight[3 * next];

        for (int64_t x = 0; x < width; x++)
            to[x] += (wa * a[x] + wb * b[x]) + (wc * c[x] + wd * d[x]);
    }
    for (; left > 0; left--, row += down, weight += next) {
        const double w = (double)*weight;

        for (int64_t x = 0; x < width; x++)
            to[x] += w * row[x];
    }
}

/* Row y of output map o, without its bias; to [ow]. */
static void filter_row(const struct conv *conv, const double *sheets, const float *weight,
                       int64_t o, int64_t y, double *to)
{
    const struct zf_window *w = conv->window;
    struct terms terms = {.count = conv->ic, .next_row = conv->sheet, .next_weight = conv->taps};

    sheets += o / conv->oc * conv->ic * conv->sheet;
    weight += o * conv->ic * conv->taps;
    for (int64_t ky = 0; ky < w->kernel_h; ky++) {
        const int64_t row = y * w->stride_h + ky * (w->dilate_h + 1);

        for (int64_t kx = 0; kx < w->kernel_w; kx++) {
            terms.row = sheets + row * conv->width + column_of(conv, kx);
            terms.weight = weight + ky * w->kernel_w + kx;
            add_terms(&terms, to, conv->dst.d[3]);
        }
    }
}

struct forward {
    struct zf_window window;
    bool relu;
};

/* src, weight, bias -> dst */
static void run_forward(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct forward *f = op->parameters;
    const struct conv conv = conv_at(e, &f->window, op->src, op->weight, op->dst);
    const int64_t maps = conv.dst.d[1], width = conv.dst.d[3];
    const float *weight = zf_ref_host(e, op->weight), *bias = zf_ref_host(e, op->bias);

    (void)run;
    for (int64_t n = 0; n < conv.src.d[0]; n++) {
        double *dst = zf_ref_data(e, op->dst) + n * maps * conv.out;

        lay_out(e, &conv, zf_ref_data(e, op->src) + n * conv.src.d[1] * conv.in);
        /* Row by row through all maps: they meet the same few rows of the sheets. */
        ZF_PARALLEL_FOR(zf_ref_threads(e, maps * conv.out * conv.ic * conv.taps))
        for (int64_t i = 0; i < conv.dst.d[2] * maps; i++) {
            const int64_t y = i / maps, o = i % maps;
            double *row = dst + o * conv.out + y * width;

            for (int64_t x = 0; x < width; x++)
                row[x] = bias ? (double)bias[o] : 0.0;
            filter_row(&conv, e->scratch, weight, o, y, row);
            for (int64_t x = 0; f->relu && x < width; x++)
                row[x] = zf_ref_relu(row[x]);
        }
    }
}

zf_value zf_ref_conv_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                             zf_value weight, zf_value bias, bool relu)
{
    const struct zf_dims src_dims = zf_ref_dims(e, src), weight_dims = zf_ref_dims(e, weight);
    const struct zf_dims dims = zf_window_dims(window, src_dims, weight_dims.d[0]);
    const struct conv conv = conv_of(window, src_dims, weight_dims, dims);
    const struct forward f = {*window, relu};
    struct zf_ref_op op = zf_ref_op_of(run_forward);

    op.src = src;
    op.weight = weight;
    op.bias = bias;
    op.dst = zf_ref_value(e, dims);
    need_sheets(e, &conv);
    zf_ref_emit_with(e, op, &f, sizeof f);
    return op.dst;
}

/* What all output maps of its group send to row y of input map c; to [width], on its sheet. */
static void spread_row(const struct conv *conv, const double *diff_dst, const float *weight,
                       int64_t c, int64_t y, double *to)
{
    const struct zf_window *w = conv->window;
    struct terms terms = {
        .count = conv->oc, .next_row = conv->out, .next_weight = conv->ic * conv->taps};

    diff_dst += c / conv->ic * conv->oc * conv->out;
    weight += (c / conv->ic * conv->oc * conv->ic + c % conv->ic) * conv->taps;
    for (int64_t ky = 0; ky < w->kernel_h; ky++) {
        const int64_t steps = y + w->pad_top - ky * (w->dilate_h + 1), row = steps / w->stride_h;

        if (steps < 0 || steps % w->stride_h != 0 || row >= conv->dst.d[2])
            continue;
        for (int64_t kx = 0; kx < w->kernel_w; kx++) {
            terms.row = diff_dst + row * conv->dst.d[3];
            terms.weight = weight + ky * w->kernel_w + kx;
            add_terms(&terms, to + column_of(conv, kx), conv->dst.d[3]);
        }
    }
}

/* src = diff_dst, weight -> dst = diff_src */
static void run_backward_data(struct zf_engine *e, const struct zf_ref_op *op,
                              const struct zf_run *run)
{
    const struct conv conv = conv_at(e, op->parameters, op->dst, op->weight, op->src);
    const int64_t maps = conv.src.d[1], height = conv.src.d[2];
    const float *weight = zf_ref_host(e, op->weight);

    (void)run;
    for (int64_t n = 0; n < conv.src.d[0]; n++) {
        const double *diff_dst = zf_ref_data(e, op->src) + n * conv.dst.d[1] * conv.out;
        double *diff_src = zf_ref_data(e, op->dst) + n * maps * conv.in;

        ZF_PARALLEL_FOR(zf_ref_threads(e, conv.dst.d[1] * conv.out * conv.ic * conv.taps))
        for (int64_t i = 0; i < height * maps; i++) {
            const int64_t y = i / maps, c = i % maps;
            double *row = e->scratch + i * conv.width;

            for (int64_t x = 0; x < conv.width; x++)
                row[x] = 0.0;
            spread_row(&conv, diff_dst, weight, c, y, row);
            take_row(&conv, row, diff_src + c * conv.in + y * conv.src.d[3]);
        }
    }
}

zf_value zf_ref_conv_backward_data(struct zf_engine *e, const struct zf_window *window,
                                   zf_value diff_dst, zf_value weight, struct zf_dims src_dims)
{
    const struct conv conv =
        conv_of(window, src_dims, zf_ref_dims(e, weight), zf_ref_dims(e, diff_dst));
    struct zf_ref_op op = zf_ref_op_of(run_backward_data);

    op.src = diff_dst;
    op.weight = weight;
    op.dst = zf_ref_value(e, src_dims);
    zf_ref_need_scratch(e, conv.src.d[1], conv.src.d[2], conv.width);
    zf_ref_emit_with(e, op, window, sizeof *window);
    return op.dst;
}

/* The gradient of one weight: all places where the sheet and the signal meet through it. */
static double tap_sum(const struct conv *conv, const double *sheet, const double *signal,
                      int64_t ky, int64_t kx)
{
    const struct zf_window *w = conv->window;
    const double *from = sheet + ky * (w->dilate_h + 1) * conv->width + column_of(conv, kx);
    double sum = 0.0;

    for (int64_t y = 0; y < conv->dst.d[2]; y++)
        sum += zf_ref_dot(from + y * w->stride_h * conv->width, signal + y * conv->dst.d[3],
                          conv->dst.d[3]);
    return sum;
}

/* sums [oc,ic,kh,kw] grow by what one sample says. */
static void add_gradients(struct zf_engine *e, const struct conv *conv, const double *diff_dst,
                          double *sums)
{
    const int64_t maps = conv->dst.d[1], kw = conv->weight.d[3];

    ZF_PARALLEL_FOR(zf_ref_threads(e, maps * conv->out * conv->ic * conv->taps))
    for (int64_t j = 0; j < conv->ic * maps; j++) {
        const int64_t i = j / maps, o = j % maps;
        const double *sheet = e->scratch + (o / conv->oc * conv->ic + i) * conv->sheet;
        double *to = sums + (o * conv->ic + i) * conv->taps;

        for (int64_t k = 0; k < conv->taps; k++)
            to[k] += tap_sum(conv, sheet, diff_dst + o * conv->out, k / kw, k % kw);
    }
}

static void sum_bias(const struct conv *conv, const double *diff_dst, float *diff_bias)
{
    for (int64_t o = 0; o < conv->dst.d[1]; o++) {
        double sum = 0.0;

        for (int64_t n = 0; n < conv->dst.d[0]; n++) {
            for (int64_t p = 0; p < conv->out; p++)
                sum += diff_dst[(n * conv->dst.d[1] + o) * conv->out + p];
        }
        diff_bias[o] = (float)sum;
    }
}

/* src, other = diff_dst -> weight, bias */
static void run_backward_weights(struct zf_engine *e, const struct zf_ref_op *op,
                                 const struct zf_run *run)
{
    const struct conv conv = conv_at(e, op->parameters, op->src, op->weight, op->other);
    const double *src = zf_ref_data(e, op->src), *diff_dst = zf_ref_data(e, op->other);
    const int64_t weights = zf_ref_count(conv.weight);
    float *diff_weight = zf_ref_host(e, op->weight);
    double *sums = zf_ref_data(e, op->extra);

    (void)run;
    for (int64_t i = 0; i < weights; i++)
        sums[i] = 0.0;
    for (int64_t n = 0; n < conv.src.d[0]; n++) {
        lay_out(e, &conv, src + n * conv.src.d[1] * conv.in);
        add_gradients(e, &conv, diff_dst + n * conv.dst.d[1] * conv.out, sums);
    }
    for (int64_t i = 0; i < weights; i++)
        diff_weight[i] = (float)sums[i];
    if (op->bias != ZF_NO_VALUE)
        sum_bias(&conv, diff_dst, zf_ref_host(e, op->bias));
}

void zf_ref_conv_backward_weights(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                  zf_value diff_dst, zf_value diff_weight, zf_value diff_bias)
{
    const struct zf_dims weight_dims = zf_ref_dims(e, diff_weight);
    const struct conv conv =
        conv_of(window, zf_ref_dims(e, src), weight_dims, zf_ref_dims(e, diff_dst));
    struct zf_ref_op op = zf_ref_op_of(run_backward_weights);

    op.src = src;
    op.other = diff_dst;
    op.weight = diff_weight;
    op.bias = diff_bias;
    op.extra = zf_ref_value(e, weight_dims);
    need_sheets(e, &conv);
    zf_ref_emit_with(e, op, window, sizeof *window);
}
