/* SPDX-License-Identifier: MIT */
/**
 * Inside of the reference engine: plain loops over plain NCHW arrays, the truth that the tests
 * hold other engines against.
 *
 * All is computed and kept in double, so that what it says can be trusted to the last digits of a
 * float and, which matters more, so that it decides right: rounded to float, an activation within
 * 1e-7 of zero or of its neighbour may come out on the other side, and a rectifier or a maximum
 * then sends a whole signal elsewhere. Floats are only what crosses engine.h: what write() and
 * read() move, and the host's parameters (read where they lie) and their gradients.
 *
 * Clarity first; but loops run along rows that lie in one piece, which compilers make vectors of,
 * and are shared between threads such that every number is summed up by one of them in one order:
 * the same bits for any number of threads.
 *
 * A value is an array of its own. A program is a list of records, each naming the function that
 * carries it out and the values it works on. The operations stand in reference_*.c, each as a
 * pair: zf_ref_x() records, run_x() above it computes.
 */
#ifndef ZF_ENGINE_REFERENCE_H
#define ZF_ENGINE_REFERENCE_H

#include <assert.h>

#include "engine.h"
#include "parallel.h"

/* Extents beyond the rank are 1, so that d[0..3] are always n c h w. */
struct zf_ref_value {
    struct zf_dims dims;
    double *data;
    float *host;       /* instead of data: the caller's parameters, or room for their gradients */
    int32_t *switches; /* instead of data: y * w + x in the source map, for each pooled cell */
    bool of_switches;
};

struct zf_ref_op;
typedef void zf_ref_run(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run);

/* What is not used is ZF_NO_VALUE (zf_ref_op_of() sees to it) or zero. */
struct zf_ref_op {
    zf_ref_run *run;
    zf_value src;          /* what comes in; going back, the diff_dst */
    zf_value other;        /* a second operand: see the operation */
    zf_value weight, bias; /* or their gradients; the host's */
    zf_value dst;          /* what goes out; going back, the diff_src */
    zf_value extra;        /* switches, or the scales of the normalisation */
    struct zf_window window;
    struct zf_lrn lrn;
    enum zf_rectify how;
    struct zf_function function;
    enum zf_combination combination;
    struct zf_dims at; /* of a box */
    struct zf_cut cut;
    int64_t groups; /* of a shuffle */
    bool inside;    /* of average pooling */
    bool relu;
    float rate;
    uint64_t layer;
};

struct zf_ref_program {
    struct zf_ref_op *ops;
    size_t count, capacity;
};

struct zf_engine {
    struct zf_engine_config config;
    struct zf_error error; /* the first one while building; status ZF_OK as long as none */
    bool finished;

    struct zf_ref_value *values;
    size_t count, capacity;

    struct zf_ref_program programs[ZF_PROGRAM_LIMIT];
    struct zf_ref_program *building;

    double *scratch; /* room for the operation that runs */
    size_t scratch_count;
};

/* ---- Building (reference.c) ---- */

/* A new value; ZF_NO_VALUE once building has failed. */
zf_value zf_ref_value(struct zf_engine *e, struct zf_dims dims);
zf_value zf_ref_switches(struct zf_engine *e, struct zf_dims dims);

/* An empty record for `run`, and appending it to the current program. */
struct zf_ref_op zf_ref_op_of(zf_ref_run *run);
void zf_ref_emit(struct zf_engine *e, struct zf_ref_op op);

/* See to it that e->scratch will hold a * b * c numbers. */
void zf_ref_need_scratch(struct zf_engine *e, int64_t a, int64_t b, int64_t c);

struct zf_dims zf_ref_dims(const struct zf_engine *e, zf_value value);

static inline struct zf_dims zf_ref_nchw(int64_t n, int64_t c, int64_t h, int64_t w)
{
    return (struct zf_dims){4, {n, c, h, w}};
}

static inline int64_t zf_ref_count(struct zf_dims dims)
{
    return dims.d[0] * dims.d[1] * dims.d[2] * dims.d[3];
}

/* Values of one sample. */
static inline int64_t zf_ref_sample(struct zf_dims dims)
{
    return dims.d[1] * dims.d[2] * dims.d[3];
}

/* ---- Running ---- */

static inline double *zf_ref_data(const struct zf_engine *e, zf_value value)
{
    assert(value >= 0 && (size_t)value < e->count && e->values[value].data);
    return e->values[value].data;
}

/* NULL for no value: a layer without a bias. */
static inline float *zf_ref_host(const struct zf_engine *e, zf_value value)
{
    if (value == ZF_NO_VALUE)
        return NULL;
    assert(value >= 0 && (size_t)value < e->count && e->values[value].host);
    return e->values[value].host;
}

/* For a loop of `work` additions or so; a short one is done before a second thread has begun. */
static inline int zf_ref_threads(const struct zf_engine *e, int64_t work)
{
    return work < 32768 ? 1 : e->config.threads;
}

static inline int64_t zf_ref_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline int64_t zf_ref_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* NaN passes, so that a diverged net is noticed. */
static inline double zf_ref_relu(double x)
{
    return x < 0.0 ? 0.0 : x;
}

/* sum of a[i] * b[i]; four partial sums, as one would wait for each addition in turn. */
static inline double zf_ref_dot(const double *a, const double *b, int64_t count)
{
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    int64_t i = 0;

    for (; i + 4 <= count; i += 4) {
        for (int64_t k = 0; k < 4; k++)
            sum[k] += a[i + k] * b[i + k];
    }
    for (; i < count; i++)
        sum[0] += a[i] * b[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* ---- The operations; see engine.h ---- */

zf_value zf_ref_conv_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                             zf_value weight, zf_value bias, bool relu);
zf_value zf_ref_conv_backward_data(struct zf_engine *e, const struct zf_window *window,
                                   zf_value diff_dst, zf_value weight, struct zf_dims src_dims);
void zf_ref_conv_backward_weights(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                  zf_value diff_dst, zf_value diff_weight, zf_value diff_bias);

zf_value zf_ref_fc_forward(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias,
                           bool relu);
zf_value zf_ref_fc_backward_data(struct zf_engine *e, zf_value diff_dst, zf_value weight,
                                 struct zf_dims src_dims);
void zf_ref_fc_backward_weights(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                zf_value diff_weight, zf_value diff_bias);

zf_value zf_ref_maxpool_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                zf_value *switches);
zf_value zf_ref_unpool(struct zf_engine *e, const struct zf_window *window, zf_value signal,
                       zf_value switches, struct zf_dims src_dims);

zf_value zf_ref_avgpool_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                bool inside);
zf_value zf_ref_avgpool_backward(struct zf_engine *e, const struct zf_window *window,
                                 zf_value diff_dst, bool inside, struct zf_dims src_dims);

zf_value zf_ref_lrn_forward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                            zf_value *workspace);
zf_value zf_ref_lrn_backward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                             zf_value diff_dst, zf_value workspace);
zf_value zf_ref_softmax_forward(struct zf_engine *e, zf_value src);
zf_value zf_ref_softmax_backward(struct zf_engine *e, zf_value dst, zf_value diff_dst);
zf_value zf_ref_cross_entropy_backward(struct zf_engine *e, zf_value dst);

zf_value zf_ref_relu_forward(struct zf_engine *e, zf_value src);
zf_value zf_ref_rectify(struct zf_engine *e, enum zf_rectify how, zf_value signal, zf_value dst);
zf_value zf_ref_dropout(struct zf_engine *e, zf_value src, float rate, uint64_t layer);
zf_value zf_ref_add(struct zf_engine *e, zf_value a, zf_value b);

zf_value zf_ref_function_forward(struct zf_engine *e, const struct zf_function *function,
                                 zf_value src);
zf_value zf_ref_function_backward(struct zf_engine *e, const struct zf_function *function,
                                  zf_value src, zf_value diff_dst);
zf_value zf_ref_scale_forward(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias);
void zf_ref_scale_backward_weights(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                   zf_value diff_weight, zf_value diff_bias);

zf_value zf_ref_combine(struct zf_engine *e, enum zf_combination how, zf_value a, zf_value b);
zf_value zf_ref_sum_to(struct zf_engine *e, zf_value value, struct zf_dims dims);

zf_value zf_ref_concat(struct zf_engine *e, const zf_value *parts, int count);
zf_value zf_ref_slice(struct zf_engine *e, zf_value value, struct zf_dims at, struct zf_dims dims);
zf_value zf_ref_embed(struct zf_engine *e, zf_value value, struct zf_dims at, struct zf_dims dims);
zf_value zf_ref_shuffle(struct zf_engine *e, zf_value value, int64_t groups);
zf_value zf_ref_reshape(struct zf_engine *e, zf_value value, struct zf_dims dims);
zf_value zf_ref_copy(struct zf_engine *e, zf_value value);
zf_value zf_ref_cut(struct zf_engine *e, const struct zf_cut *cut);

#endif
