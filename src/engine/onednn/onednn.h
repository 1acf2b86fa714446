/* SPDX-License-Identifier: MIT */
/**
 * Inside the oneDNN engine: the C interface of oneDNN 3, which version2.h gives to version 2 as
 * well. This folder is the only one that includes dnnl.h.
 *
 * An operation becomes one step of a program, in five moves:
 *
 *     zf_onednn_step_begin(e, &step)
 *     status = dnnl_..._primitive_desc_create(&step.desc, e->engine, ...);
 *     zf_onednn_step_make(e, &step, status, &work)      oneDNN has chosen code and layouts
 *     zf_onednn_in(e, &step, DNNL_ARG_SRC, src, ...)    reordered first where layouts differ
 *     dst = zf_onednn_out(e, &step, DNNL_ARG_DST, dims)
 *     zf_onednn_append(e, &step);
 *
 * After an error all of them do nothing, and zf_onednn_append() releases the step.
 *
 * The files stand below in an order in which each uses those before it alone.
 */
#ifndef ZF_ENGINE_ONEDNN_H
#define ZF_ENGINE_ONEDNN_H

#include "base/status.h"
#include "engine/engine.h"
#include "layout.h"

#define ZF_ONEDNN_ARGS 8 /* most that a step has, its scratchpad included */

/* How read() and write() move one sample of a value that is not plain. */
struct zf_onednn_transfer {
    dnnl_primitive_t pack, unpack; /* plain -> value, value -> plain */
    dnnl_memory_t packed, plain;   /* one sample; the handles are set call by call */
};

/* What switches remember of their pooling. */
struct zf_onednn_pool {
    zf_value src, dst;
    int src_version;
};

struct zf_onednn_value {
    struct zf_dims dims;
    const struct zf_layout *layout;
    void *data;       /* host memory, or its place in the arena once finished */
    int program;      /* that writes it; -1 for what comes from outside */
    bool forever;     /* shares its memory with no other value */
    bool kept;        /* read() and write() must reach it */
    zf_value shown;   /* of a kept value of 16 bits: its float32 copy; else ZF_NO_VALUE */
    int version;      /* counts the times that it was overwritten in place */
    zf_value copy_of; /* this is `copy_of` at `copy_version` in another layout */
    int copy_version;
    struct zf_window arranged_for; /* and that in an order of our own, for this convolution */
    dnnl_primitive_desc_t forward; /* of switches and workspaces: what backward has to know */
    struct zf_onednn_pool pool;    /* of switches */
    zf_value unpooled_by;          /* the switches that spread this out, and nothing since */
    bool sparse;                   /* mostly zeros: spread out by unpooling */
    struct zf_onednn_transfer transfer;
};

struct zf_onednn_step;

typedef void zf_onednn_loop(struct zf_engine *e, const struct zf_onednn_step *step,
                            const struct zf_run *run);

struct zf_onednn_step {
    int program;
    dnnl_primitive_t primitive; /* or NULL, and `loop` does the work */
    zf_onednn_loop *loop;
    void *parameters; /* of the kind that `loop` knows; the step's own copy */
    int count;
    zf_value values[ZF_ONEDNN_ARGS];
    dnnl_exec_arg_t args[ZF_ONEDNN_ARGS];
    dnnl_primitive_desc_t desc; /* while building */
    int threads_before;         /* between begin and make: the caller's */
};

struct zf_engine {
    struct zf_engine_config config;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    /* Scratchpads are ours, so that they share the arena; the second rectifies the result. */
    dnnl_primitive_attr_t attr, relu_attr;
    struct zf_error error; /* the first while building */
    int program;           /* that operations are appended to */
    struct zf_layouts layouts;

    struct zf_onednn_value *values;
    size_t value_count, value_capacity;
    struct zf_onednn_step *steps; /* ordered by program once finished */
    size_t step_count, step_capacity;
    size_t program_begin[ZF_PROGRAM_LIMIT + 1];

    unsigned char *arena;
    size_t arena_bytes;
};

/* ---- isa.c ---- */

/* Whether loops may use an instruction set: the processor has it, and it is not held to less. */
bool zf_onednn_may_use(enum zf_cpu cpu);

/* The best of those that loops are written for: ZF_CPU_AVX512, ZF_CPU_AVX2 or ZF_CPU_PLAIN. */
enum zf_cpu zf_onednn_loops_isa(void);

const char *zf_onednn_isa(void);
enum zf_status zf_onednn_hold(enum zf_cpu most, struct zf_error *err);
void zf_onednn_version(char *text, size_t size);

/* ---- errors.c ---- */

/* For the sentence of a refusal: what was to be computed, on which extents. */
struct zf_onednn_work {
    const char *operation;
    struct zf_dims first, second; /* rank 0 = none */
};

bool zf_onednn_ok(const struct zf_engine *e);

/* dnnl_primitive_create(), but for where the process may have little more memory: oneDNN crashes
   where it gets none for its code, here or when that runs first. */
dnnl_status_t zf_onednn_create(dnnl_primitive_t *primitive, const_dnnl_primitive_desc_t desc);

/* Whether what was made may run in the memory that is left. */
bool zf_onednn_has_room(void);

void zf_onednn_refuse(struct zf_engine *e, dnnl_status_t status, const struct zf_onednn_work *work);
void zf_onednn_no_memory(struct zf_engine *e, const char *what);

/* ---- values.c ---- */

struct zf_onednn_value *zf_onednn_at(const struct zf_engine *e, zf_value value);
struct zf_dims zf_onednn_dims(const struct zf_engine *e, zf_value value);
const struct zf_layout *zf_onednn_layout(const struct zf_engine *e, zf_value value);

/* The type of factors in convolutions and matrix products. */
dnnl_data_type_t zf_onednn_type(const struct zf_engine *e);

/* Of the type of a value and after its manner: see zf_layout_like(). */
const struct zf_layout *zf_onednn_layout_like(struct zf_engine *e, zf_value value,
                                              struct zf_dims dims);

/* A value of four extents as groups of maps, `lanes` of which lie side by side in each cell, the
   cells of a row side by side too. Its maps must fill whole groups: see zf_onednn_layout_like(). */
struct zf_onednn_view {
    unsigned char *data;
    int64_t height, width;
    int64_t lanes, groups;
    int64_t sample, group, row, cell; /* distances in bytes */
};

struct zf_onednn_view zf_onednn_view(const struct zf_engine *e, zf_value value);

/* A new value of the current program; layout NULL = plain. ZF_EINVAL unless all extents are >= 1.
 */
zf_value zf_onednn_new(struct zf_engine *e, struct zf_dims dims, const struct zf_layout *layout);
zf_value zf_onednn_input(struct zf_engine *e, struct zf_dims dims);
zf_value zf_onednn_host(struct zf_engine *e, struct zf_dims dims, float *memory);

/* The value is about to be overwritten in place: copies of it are out of date. */
void zf_onednn_overwrite(struct zf_engine *e, zf_value value);

/* Is a signal of extents `from` mostly zeros once it is unpooled to `to`? */
bool zf_onednn_is_sparse(struct zf_dims from, struct zf_dims to);

/* ---- step.c ---- */

/* Between the two, step->desc is created, and nothing else: oneDNN divides work between threads
   there, and their number is the engine's. Both are false after an error. */
bool zf_onednn_step_begin(struct zf_engine *e, struct zf_onednn_step *step);
bool zf_onednn_step_make(struct zf_engine *e, struct zf_onednn_step *step, dnnl_status_t status,
                         const struct zf_onednn_work *work);

/* The layout that the primitive wants for an argument. */
const struct zf_layout *zf_onednn_wants(struct zf_engine *e, const struct zf_onednn_step *step,
                                        int argument);

/* An argument is this value's memory, seen in a layout, or as the primitive wants it: the caller
   knows it fits. */
void zf_onednn_bind_as(struct zf_engine *e, struct zf_onednn_step *step, int argument,
                       zf_value value, const struct zf_layout *layout);
void zf_onednn_bind(struct zf_engine *e, struct zf_onednn_step *step, int argument, zf_value value);

/* A new value is bound, as the primitive wants it. */
zf_value zf_onednn_out(struct zf_engine *e, struct zf_onednn_step *step, int argument,
                       struct zf_dims dims);

/* What a forward primitive leaves for its backward; the value is empty where that is nothing. */
zf_value zf_onednn_workspace(struct zf_engine *e, struct zf_onednn_step *step, struct zf_dims dims);
void zf_onednn_append(struct zf_engine *e, struct zf_onednn_step *step);
/* The same for a loop, with a copy of its parameters. */
void zf_onednn_append_loop(struct zf_engine *e, struct zf_onednn_step *step, const void *parameters,
                           size_t size);
void zf_onednn_step_release(struct zf_onednn_step *step);

/* ---- copies.c ---- */

/* Append a copy from one layout to another. */
void zf_onednn_reorder(struct zf_engine *e, int program, zf_value from,
                       const struct zf_layout *from_layout, zf_value to,
                       const struct zf_layout *to_layout);

/* The value, or a copy of it, in layout `want`. `as` is how its memory is to be seen, NULL = as
   it is. Copies of parameters are made by REFRESH, and each copy is made once. */
zf_value zf_onednn_convert(struct zf_engine *e, zf_value value, const struct zf_layout *as,
                           const struct zf_layout *want);
zf_value zf_onednn_plain(struct zf_engine *e, zf_value value);
zf_value zf_onednn_plain_of(struct zf_engine *e, zf_value value, dnnl_data_type_t type);

/* As zf_onednn_bind(), converted where needed. Returns what is bound. */
zf_value zf_onednn_in(struct zf_engine *e, struct zf_onednn_step *step, int argument,
                      zf_value value, const struct zf_layout *as);

/* A copy in an order of our own, for one convolution: that exists, or none. It is known
   by its window and extents: no two orders of one may share both. */
zf_value zf_onednn_find_arranged(const struct zf_engine *e, zf_value value,
                                 const struct zf_window *window, struct zf_dims dims);
/* The value has become such a copy. */
void zf_onednn_set_arranged(struct zf_engine *e, zf_value arranged, zf_value value,
                            const struct zf_window *window);
/* How filters are arranged for one convolution: by a loop from values[0] to values[1], which is
   zero where the loop does not write. */
struct zf_onednn_arrangement {
    struct zf_window window;
    zf_onednn_loop *loop;
    const void *parameters; /* of the loop; size 0 = none */
    size_t size;
};

/* A copy that is made in REFRESH, once for all programs. */
zf_value zf_onednn_arranged_weight(struct zf_engine *e, const struct zf_onednn_arrangement *how,
                                   zf_value weight, struct zf_dims dims);

zf_value zf_onednn_like(struct zf_engine *e, zf_value other);
void zf_onednn_keep(struct zf_engine *e, zf_value value);

/* ---- convolution.c: by oneDNN ---- */

/* Do these extents make a convolution? If not, that is the engine's error. */
bool zf_onednn_fits(struct zf_engine *e, const struct zf_window *window, struct zf_dims src,
                    zf_value weight);

zf_op_conv_forward zf_onednn_convolve;
zf_op_conv_backward_data zf_onednn_convolve_back;
zf_op_conv_backward_weights zf_onednn_convolve_weights;

/* ---- fold.c: strided convolutions as ones of stride 1, where that is faster ---- */

/* Up: forward, and the filters' gradient; down: backward data. */
bool zf_onednn_folds_up(const struct zf_engine *e, const struct zf_window *window,
                        struct zf_dims src);
bool zf_onednn_folds_down(const struct zf_engine *e, const struct zf_window *window,
                          struct zf_dims src);

/* As the operations of the same name without `folded`, which turn to them. */
zf_op_conv_forward zf_onednn_folded_forward;
zf_op_conv_backward_data zf_onednn_folded_backward_data;
zf_op_conv_backward_weights zf_onednn_folded_backward_weights;

/* ---- unpool_box.c: unpooling by switches that are looked for again ---- */

struct zf_onednn_unpooling {
    struct zf_window window;
    struct zf_cut box; /* its patch and base in one manner of layout */
    bool rectify;
};

/* max(0, signal) of what the last step unpooled to a box, on the way. False: it is no such step. */
bool zf_onednn_rectify_unpooled(struct zf_engine *e, zf_value signal);

/* The last step is taken back if it made this signal, for a step that unpools on its own. */
bool zf_onednn_take_unpooling(struct zf_engine *e, zf_value signal,
                              struct zf_onednn_unpooling *how);

/* As a view of all boxes had it, were they in memory: data is NULL. */
struct zf_onednn_view zf_onednn_unpooled_view(const struct zf_engine *e,
                                              const struct zf_onednn_unpooling *how);

/* Group g of sample n to memory of view.height rows of view.row bytes, by one thread. */
void zf_onednn_unpool_group(const struct zf_engine *e, const struct zf_onednn_unpooling *how,
                            const struct zf_run *run, int64_t n, int64_t g, void *to);

/* ---- scatter.c: down through a convolution, for signals that are mostly zeros ---- */

/* Is this the quicker way? */
bool zf_onednn_scatters(const struct zf_engine *e, const struct zf_window *window, zf_value signal);

/* As zf_onednn_conv_backward_data(), which turns to it. */
zf_op_conv_backward_data zf_onednn_scattered_backward_data;

/* ---- winograd.c: 3x3 convolutions at stride 1 with fewer multiplications ---- */

/* Is this the quicker way? src: what is convolved, down the signal; maps: of the result. */
bool zf_onednn_winograd_pays_up(const struct zf_engine *e, const struct zf_window *window,
                                struct zf_dims src, int64_t maps);
bool zf_onednn_winograd_pays_down(const struct zf_engine *e, const struct zf_window *window,
                                  struct zf_dims src, int64_t maps);
bool zf_onednn_winograd_pays_weights(const struct zf_engine *e, const struct zf_window *window,
                                     struct zf_dims src, int64_t maps);

/* As the operations of the same name without `winograd`, which turn to them. */
zf_op_conv_forward zf_onednn_winograd_forward;
zf_op_conv_backward_data zf_onednn_winograd_backward_data;
zf_op_conv_backward_weights zf_onednn_winograd_backward_weights;

/* ---- gemv.c: fully connected layers of one picture ---- */

bool zf_onednn_takes_gemv(const struct zf_engine *e, struct zf_dims src);
bool zf_onednn_takes_gemv_down(const struct zf_engine *e, struct zf_dims dst);
zf_op_fc_forward zf_onednn_gemv_forward;
zf_op_fc_backward_data zf_onednn_gemv_backward_data;

/* ---- transfer.c ---- */

/* Prepare read() and write() of a kept value whose layout is not plain. */
bool zf_onednn_transfer_init(struct zf_engine *e, struct zf_onednn_value *value);
void zf_onednn_transfer_release(struct zf_onednn_transfer *transfer);

void zf_onednn_write(struct zf_engine *e, zf_value value, const float *plain, int64_t rows);
void zf_onednn_read(struct zf_engine *e, zf_value value, float *plain, int64_t rows);
void zf_onednn_zero(struct zf_engine *e, zf_value value);
void zf_onednn_poke(struct zf_engine *e, zf_value value, struct zf_cell cell, float number);
float zf_onednn_peek(struct zf_engine *e, zf_value value, struct zf_cell cell);
float zf_onednn_largest(struct zf_engine *e, zf_value value, int64_t rows);
void zf_onednn_map_maxima(struct zf_engine *e, zf_value value, float *strongest, int32_t *where,
                          int64_t rows);

/* ---- finish.c ---- */

enum zf_status zf_onednn_finish(struct zf_engine *e, struct zf_error *err);

/* ---- The operations ---- */

#define ZF_ONEDNN_DECLARE(name) zf_op_##name zf_onednn_##name;
ZF_OPERATIONS(ZF_ONEDNN_DECLARE)

/* ---- curve.c: the functions of engine/curve.h, in any layout ---- */

zf_op_function_forward zf_onednn_curve_forward;
zf_op_function_backward zf_onednn_curve_backward;

/* ---- sum.c: sums of many numbers, in double ---- */

/* Is the window the whole map, and so large that a sum in float32 would lose digits? */
bool zf_onednn_sums(const struct zf_window *window, struct zf_dims src);
zf_value zf_onednn_mean(struct zf_engine *e, zf_value src); /* of each map */

/* Is each number of the sum one of that many? */
bool zf_onednn_sums_many(struct zf_dims from, struct zf_dims to);
zf_op_sum_to zf_onednn_sum_many;

#endif
