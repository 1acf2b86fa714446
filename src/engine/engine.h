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
#include "engine/operations.h"
#include "zf/engine.h"

#define ZF_PROGRAM_REFRESH 0 /* parameters: plain -> the engine's layouts */
#define ZF_PROGRAM_FORWARD 1
#define ZF_PROGRAM_BACKWARD 2
#define ZF_PROGRAM_PROJECT 3 /* 3, 4, ...: one per layer that is projected from, and rule */
#define ZF_PROGRAM_LIMIT 1024

/* What changes from run to run. */
struct zf_run {
    int64_t count;         /* samples that are filled, 1 .. batch; the rest are ignored in losses */
    const int32_t *labels; /* [batch], for the loss; < 0 = none */
    uint64_t dropout_key;  /* names the masks of this step; 0 = no dropout */
    /* Of a part of a batch, so that parts come to what the whole would have: where in the batch its
       samples begin, and how many samples the mean loss is over. 0, 0: this is all of it. */
    int64_t first, whole;
    /* NULL, or called at each mark() that the program comes to, on the thread that runs it. */
    void (*passed)(void *user, int number);
    void *user;
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

    /* The program says when it comes here: what was emitted before is done. */
    void (*mark)(struct zf_engine *e, int number);

    /* ---- Operations: see operations.h ---- */

#define ZF_OPERATION_FIELD(name) zf_op_##name *name;
    ZF_OPERATIONS(ZF_OPERATION_FIELD)

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

    /* The largest magnitude in the first `rows` samples of an input, or of anything kept; infinite
       where a number is infinite or NaN. */
    float (*largest)(struct zf_engine *e, zf_value value, int64_t rows);

    size_t (*memory)(const struct zf_engine *e); /* bytes that the engine holds after finish() */
};

extern const struct zf_engine_ops zf_engine_reference;
#ifdef ZF_HAVE_ONEDNN
extern const struct zf_engine_ops zf_engine_onednn;
#endif

/** unpool_box by other operations of the engine `op`: the windows' cells are cut out, pooled and
    unpooled, and what comes out is cut to the box. */
zf_value zf_unpool_box_in_steps(struct zf_engine *e, const struct zf_engine_ops *op,
                                const struct zf_window *window, const struct zf_cut *box);

/** The i-th engine that this build has, best first; NULL past the last. */
const struct zf_engine_ops *zf_engine_at(size_t i);

/** By name, NULL name = the best. ZF_EINVAL with the names that exist. */
enum zf_status zf_engine_find(const char *name, const struct zf_engine_ops **out,
                              struct zf_error *err);

#endif
