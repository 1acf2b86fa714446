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
 * carries it out, the values it works on and its parameters. Each operation is a pair in a file of
 * this folder: zf_ref_x() records, run_x() above it computes. engine.c has the table of them all,
 * program.c what they record with.
 */
#ifndef ZF_ENGINE_REFERENCE_REFERENCE_H
#define ZF_ENGINE_REFERENCE_REFERENCE_H

#include <assert.h>

#include "engine/engine.h"
#include "engine/parallel.h"

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

/* Values that are not used are ZF_NO_VALUE: zf_ref_op_of() sees to it. */
struct zf_ref_op {
    zf_ref_run *run;
    zf_value src;          /* what comes in; going back, the diff_dst */
    zf_value other;        /* a second operand: see the operation */
    zf_value weight, bias; /* or their gradients; the host's */
    zf_value dst;          /* what goes out; going back, the diff_src */
    zf_value extra;        /* switches, or the scales of the normalisation */
    void *parameters;      /* of the kind that `run` knows; the program's own copy */
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

/* ---- Building (program.c) ---- */

/* A new value; ZF_NO_VALUE once building has failed. */
zf_value zf_ref_value(struct zf_engine *e, struct zf_dims dims);
zf_value zf_ref_switches(struct zf_engine *e, struct zf_dims dims);
zf_value zf_ref_host_value(struct zf_engine *e, struct zf_dims dims, float *memory);
bool zf_ref_failed(const struct zf_engine *e);

/* An empty record for `run`, and appending it to the current program, with a copy of `size` bytes
   of parameters. */
struct zf_ref_op zf_ref_op_of(zf_ref_run *run);
void zf_ref_emit(struct zf_engine *e, struct zf_ref_op op);
void zf_ref_emit_with(struct zf_engine *e, struct zf_ref_op op, const void *parameters,
                      size_t size);

/* The whole of it where the operation makes a new value of `dims` from one or two. */
zf_value zf_ref_record(struct zf_engine *e, zf_ref_run *run, zf_value src, zf_value other,
                       struct zf_dims dims, const void *parameters, size_t size);

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

/* ---- The operations ---- */

#define ZF_REF_DECLARE(name) zf_op_##name zf_ref_##name;
ZF_OPERATIONS(ZF_REF_DECLARE)

#endif
