/* SPDX-License-Identifier: MIT */
/**
 * What an engine offers: the operations that nets are made of, on values in a layout of its own.
 *
 * A plan drives an engine in two phases. While *building*, it makes values and appends operations
 * to programs; each call records what to do and returns the value that it will write, in whatever
 * layout the engine likes best there. finish() then lays all values out in one arena (values that
 * are never alive together share memory) and compiles. While *running*, run() carries a program
 * out; it allocates nothing and cannot fail.
 *
 *     begin(e, ZF_PROGRAM_FORWARD);
 *     x = input(e, dims);  y = conv_forward(e, &window, x, w, b, true);
 *     finish(e, err);
 *     write(e, x, pixels);  run(e, ZF_PROGRAM_FORWARD, &run);  read(e, y, plain);
 *
 * An error while building (out of memory, an operation that the backend refuses) is sticky: the
 * calls go on returning harmless values and finish() reports it. So emitting code needs no checks.
 *
 * A value belongs to its engine and is named by a small number. Values of different programs may
 * be used by one another: forward first, then backward or a projection. What a program reads from
 * FORWARD is kept until the next forward run.
 *
 * Threads: one engine is used by one thread at a time; it may use several inside.
 */
#ifndef ZF_ENGINE_ENGINE_H
#define ZF_ENGINE_ENGINE_H

#include "engine/cpu.h"
#include "zf/engine.h"

struct zf_engine;

typedef int zf_value;
#define ZF_NO_VALUE (-1)

/* Extents of a value: activations n c h w; filters o i h w with i per group; biases o. */
struct zf_dims {
    int rank;
    int64_t d[4];
};

/* Sliding window of a convolution or pooling. Right and bottom pads may differ from left and top:
   the paper's rounding up needs it. All >= 0, kernel and stride >= 1. */
struct zf_window {
    int64_t kernel_h, kernel_w;
    int64_t stride_h, stride_w;
    int64_t pad_top, pad_left, pad_bottom, pad_right;
    int64_t groups;             /* convolution only; >= 1 */
    int64_t dilate_h, dilate_w; /* cells skipped between taps: 0 where the dilation is 1 */
};

/* Cross-map response normalisation: x / (k + alpha/size * sum of squares over size maps)^beta.
   Krizhevsky et al. 2012, section 3.3, with the alpha of the frameworks (divided by size). The
   sum runs over maps c - (size-1)/2 .. c + size/2 that exist, for even sizes too. */
struct zf_lrn {
    int64_t size;
    float alpha, beta, k;
};

/* What maps each number by itself, besides the plain rectifier. */
enum zf_function_kind {
    ZF_LEAKY,   /* x > 0 ? x : a x */
    ZF_CLIP,    /* min(max(x, a), b) */
    ZF_ELU,     /* x > 0 ? x : a (e^x - 1) */
    ZF_SIGMOID, /* 1 / (1 + e^-x) */
    ZF_TANH,
    ZF_HARDSIGMOID, /* min(max(a x + b, 0), 1) */
    ZF_HARDSWISH,   /* x min(max(x / 6 + 1/2, 0), 1) */
    ZF_SILU,        /* x / (1 + e^-x) */
    ZF_GELU,        /* x (1 + erf(x / sqrt 2)) / 2 */
    ZF_LINEAR,      /* a x + b */
};

struct zf_function {
    enum zf_function_kind kind;
    float a, b;
};

enum zf_combination { ZF_SUM, ZF_DIFFERENCE, ZF_PRODUCT };

/* Of a box: its first cell on the map, which may lie outside. */
struct zf_corner {
    int64_t y, x;
};

/* A box of each sample's map, all of one size, each at a place of its own: cells outside the map
   are `fill`; inside, what the patch covers is the patch's, and the rest is the base's. */
struct zf_cut {
    struct zf_dims dims;   /* of the result */
    int64_t height, width; /* of the map */
    int at;                /* row of zf_run.corners: where the boxes begin */
    zf_value base;         /* maps; that of sample i is zf_run.samples[i]. None: zeros */
    zf_value patch;        /* boxes that lie over the map, or none ... */
    int patch_at;          /* ... and the row of their corners */
    float fill;
};

/* How a rectifier passes a signal down. Zeiler & Fergus 2013, section 2.1. */
enum zf_rectify {
    ZF_RECTIFY_SIGNAL, /* deconvnet: max(0, signal) */
    ZF_RECTIFY_MASK,   /* gradient: signal where the forward output was > 0 */
    ZF_RECTIFY_BOTH,   /* guided: both */
};

#define ZF_PROGRAM_REFRESH 0 /* parameters: plain -> the engine's layouts */
#define ZF_PROGRAM_FORWARD 1
#define ZF_PROGRAM_BACKWARD 2
#define ZF_PROGRAM_PROJECT 3 /* 3, 4, ...: one per layer that is projected from */
#define ZF_PROGRAM_LIMIT 256

/* What changes from run to run. */
struct zf_run {
    int64_t count;         /* samples that are filled, 1 .. batch; the rest are ignored in losses */
    const int32_t *labels; /* [batch], for the loss; < 0 = none */
    uint64_t dropout_key;  /* names the masks of this step; 0 = no dropout */
    /* Of programs that cut. */
    const struct zf_corner *corners; /* [rows, batch] */
    const int64_t *samples;          /* [batch]: which sample of a base */
};

struct zf_engine_config {
    int64_t batch;
    int threads;
    bool training; /* a BACKWARD program follows: values are kept for it as it goes down once */
    bool brief;    /* few runs follow: nothing is prepared that pays only over many */
    bool exact;    /* no algorithm that trades digits for speed (Winograd) */
    bool bf16;     /* products of 16-bit numbers (8 bits of fraction), sums in float32; parameters,
                      their gradients, and what crosses this interface stay float32 */
};

/* Where a value is nonzero, for seeding a projection. */
struct zf_cell {
    int64_t n, c, y, x;
};

struct zf_engine_ops {
    const char *name;
    const char *description;
    const char *library; /* that computes; NULL and no version() where there is none */
    void (*version)(char *text, size_t size);

    /* The instruction set in use. */
    const char *(*isa)(void);
    /* Use nothing beyond `most`, which the processor has. NULL for code that the compiler made. */
    enum zf_status (*hold)(enum zf_cpu most, struct zf_error *err);

    enum zf_status (*create)(const struct zf_engine_config *config, struct zf_engine **out,
                             struct zf_error *err);
    void (*free)(struct zf_engine **engine);

    /* ---- Building ---- */

    /* Operations that follow go to this program. */
    void (*begin)(struct zf_engine *e, int program);

    /* A plain NCHW value that write() fills. */
    zf_value (*input)(struct zf_engine *e, struct zf_dims dims);

    /* A value over plain host memory that outlives the engine: parameters and their gradients.
       Parameters may be copied to other layouts by the REFRESH program; gradients are written
       plain by the end of the BACKWARD program. */
    zf_value (*host)(struct zf_engine *e, struct zf_dims dims, float *memory);

    /* A value with the extents and layout of another that pokes fill: the seed of a projection. */
    zf_value (*like)(struct zf_engine *e, zf_value other);

    /* The value's contents stay readable until its program runs again. */
    void (*keep)(struct zf_engine *e, zf_value value);

    /* src [n,ic,h,w], weight [oc,ic/groups,kh,kw], bias [oc] or none -> dst [n,oc,oh,ow];
       relu: rectified on the way out. */
    zf_value (*conv_forward)(struct zf_engine *e, const struct zf_window *window, zf_value src,
                             zf_value weight, zf_value bias, bool relu);
    /* diff_dst -> diff_src of src_dims: the transposed filters. Also the paper's step (iii). */
    zf_value (*conv_backward_data)(struct zf_engine *e, const struct zf_window *window,
                                   zf_value diff_dst, zf_value weight, struct zf_dims src_dims);
    void (*conv_backward_weights)(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                  zf_value diff_dst, zf_value diff_weight, zf_value diff_bias);

    /* src [n,...] seen as [n,i], weight [o,i], bias [o] or none -> dst [n,o,1,1]. */
    zf_value (*fc_forward)(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias,
                           bool relu);
    zf_value (*fc_backward_data)(struct zf_engine *e, zf_value diff_dst, zf_value weight,
                                 struct zf_dims src_dims);
    void (*fc_backward_weights)(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                zf_value diff_weight, zf_value diff_bias);

    /* Max pooling; ties go to the first in row-major order, pads never win. *switches: NULL, or
       set to where each maximum came from, in the engine's own form. */
    zf_value (*maxpool_forward)(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                zf_value *switches);
    /* Each value returns to its switch; windows that share a maximum add up. */
    zf_value (*unpool)(struct zf_engine *e, const struct zf_window *window, zf_value signal,
                       zf_value switches, struct zf_dims src_dims);

    /* Average pooling. inside: divided by the cells of the window that lie inside the map; else by
       all of its cells, pads counting as zeros. No dilation. */
    zf_value (*avgpool_forward)(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                bool inside);
    zf_value (*avgpool_backward)(struct zf_engine *e, const struct zf_window *window,
                                 zf_value diff_dst, bool inside, struct zf_dims src_dims);

    /* *workspace: NULL, or set to what lrn_backward wants back. */
    zf_value (*lrn_forward)(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                            zf_value *workspace);
    zf_value (*lrn_backward)(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                             zf_value diff_dst, zf_value workspace);

    zf_value (*relu_forward)(struct zf_engine *e, zf_value src);
    /* dst: the forward output (unused by ZF_RECTIFY_SIGNAL: may be none). The signal is
       overwritten: the result may be the same value. */
    zf_value (*rectify)(struct zf_engine *e, enum zf_rectify how, zf_value signal, zf_value dst);

    /* Any other function of one number; backward is diff_dst times the derivative at src. */
    zf_value (*function_forward)(struct zf_engine *e, const struct zf_function *function,
                                 zf_value src);
    zf_value (*function_backward)(struct zf_engine *e, const struct zf_function *function,
                                  zf_value src, zf_value diff_dst);

    /* dst = weight[c] * src + bias[c], bias may be none; down, the same with none. */
    zf_value (*scale_forward)(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias);
    void (*scale_backward_weights)(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                   zf_value diff_weight, zf_value diff_bias);

    /* Zero a share `rate` of the values and scale the rest by 1 / (1 - rate). Value i (row-major)
       is kept when zf_dropout_keeps() says so: the same masks on every engine, so backward is
       the same operation on the gradient. Copies when the run's dropout_key is 0. */
    zf_value (*dropout)(struct zf_engine *e, zf_value src, float rate, uint64_t layer);

    /* Over c of [n,c,1,1]. */
    zf_value (*softmax_forward)(struct zf_engine *e, zf_value src);
    zf_value (*softmax_backward)(struct zf_engine *e, zf_value dst, zf_value diff_dst);
    /* Gradient of the mean cross-entropy at the logits: (dst - onehot(label)) / labelled. Rows
       without a label, or from run.count on, are zero. */
    zf_value (*cross_entropy_backward)(struct zf_engine *e, zf_value dst);

    /* a + b, where an output has several users. May overwrite a. */
    zf_value (*add)(struct zf_engine *e, zf_value a, zf_value b);

    /* a with b, a new value; where an extent of b is 1 (never n) it is repeated. */
    zf_value (*combine)(struct zf_engine *e, enum zf_combination how, zf_value a, zf_value b);
    /* The way back of repeating: summed over the extents that are 1 in `dims`. */
    zf_value (*sum_to)(struct zf_engine *e, zf_value value, struct zf_dims dims);

    /* Moving: maps behind one another; the box of `dims` at `at` (n is 0 and whole); a value as
       such a box among zeros; maps [g, c/g] transposed (ShuffleNet); the same numbers under other
       extents; a copy that may be overwritten. */
    zf_value (*concat)(struct zf_engine *e, const zf_value *parts, int count);
    zf_value (*slice)(struct zf_engine *e, zf_value value, struct zf_dims at, struct zf_dims dims);
    zf_value (*embed)(struct zf_engine *e, zf_value value, struct zf_dims at, struct zf_dims dims);
    zf_value (*shuffle)(struct zf_engine *e, zf_value value, int64_t groups);
    zf_value (*reshape)(struct zf_engine *e, zf_value value, struct zf_dims dims);
    zf_value (*copy)(struct zf_engine *e, zf_value value);

    /* Boxes whose places are known only when the program runs. */
    zf_value (*cut)(struct zf_engine *e, const struct zf_cut *cut);

    struct zf_dims (*dims)(const struct zf_engine *e, zf_value value);

    /* Lay out memory, compile. Afterwards only the calls below are allowed. */
    enum zf_status (*finish)(struct zf_engine *e, struct zf_error *err);

    /* ---- Running ---- */

    void (*run)(struct zf_engine *e, int program, const struct zf_run *run);

    /* Between plain host memory in NCHW order and a value (an input; anything kept). The first
       `rows` samples only. */
    void (*write)(struct zf_engine *e, zf_value value, const float *plain, int64_t rows);
    void (*read)(struct zf_engine *e, zf_value value, float *plain, int64_t rows);

    void (*zero)(struct zf_engine *e, zf_value value);
    void (*poke)(struct zf_engine *e, zf_value value, struct zf_cell cell, float number);
    float (*peek)(struct zf_engine *e, zf_value value, struct zf_cell cell);

    /* The strongest cell of each map of the first `rows` samples: strongest [rows * c] and where
       [rows * c] = y * w + x, the first in row-major order on a tie. NaN never wins. */
    void (*map_maxima)(struct zf_engine *e, zf_value value, float *strongest, int32_t *where,
                       int64_t rows);

    size_t (*memory)(const struct zf_engine *e); /* bytes that the engine holds after finish() */
};

extern const struct zf_engine_ops zf_engine_reference;
#ifdef ZF_HAVE_ONEDNN
extern const struct zf_engine_ops zf_engine_onednn;
#endif

/** The i-th engine that this build has, best first; NULL past the last. */
const struct zf_engine_ops *zf_engine_at(size_t i);

/** By name, NULL name = the best. ZF_EINVAL with the names that exist. */
enum zf_status zf_engine_find(const char *name, const struct zf_engine_ops **out,
                              struct zf_error *err);

/** The mask of dropout: is element `index` of layer `layer` kept in the step named by `key`? */
bool zf_dropout_keeps(uint64_t key, uint64_t layer, uint64_t index, float rate);

/* Output extent of a window along one side: floor, or the paper's (cuda-convnet's) ceiling, where
   the last window overhangs but always begins inside the map or its leading pad. < 1 if the
   kernel does not fit. */
int64_t zf_window_extent(int64_t in, int64_t kernel, int64_t stride, int64_t pad_before,
                         int64_t pad_after, bool round_up);

/* Cells from a window's first tap to its last, both included. */
int64_t zf_window_reach(int64_t kernel, int64_t dilate);

/* Extents of a map of `in` behind a window whose pads hold what rounding up added. */
struct zf_dims zf_window_dims(const struct zf_window *window, struct zf_dims in, int64_t maps);

#endif
