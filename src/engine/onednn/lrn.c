/* SPDX-License-Identifier: MIT */
/*
 * Response normalisation by loops of our own: oneDNN centres its window, so an even size would lose
 * a map; its version 3 crashes where the window is a single map, and goes back by plain loops where
 * it may use AVX2 only.
 *
 * Cells are taken from whatever layout the maps are in, a strip at a time that stays in the first
 * cache, and nothing but the source is kept for the way back.
 */
#include "onednn.h"

#include <string.h>

#include "engine/loops.h"
#include "engine/lrn.h"
#include "engine/parallel.h"
#include "half.h"

#define STRIP 800 /* numbers, about */
#define ROW 16    /* cells of plain maps in a strip are a multiple of it: whole vectors */
#define VECTOR 16 /* numbers of 16 bits that are converted at once */

#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))

/* Some cells of one sample. */
struct part {
    int64_t sample, cell, cells;
};

struct normalising;

typedef void move_function(const struct normalising *p, const struct zf_onednn_value *value,
                           const struct part *part, float *strip);

struct normalising {
    struct zf_lrn_plan plan;
    move_function *take, *give; /* from memory to a strip, and back */
    int64_t cells;              /* of a strip */
    int64_t lanes, groups;      /* maps that lie side by side in memory, and how often */
};

/* ---- Between memory and a strip ---- */

typedef uint32_t wide __attribute__((vector_size(4 * VECTOR), aligned(4), may_alias));
typedef uint16_t narrow __attribute__((vector_size(2 * VECTOR), aligned(2), may_alias));

typedef void copy_function(void *memory, float *strip, int64_t count);

static ALWAYS_INLINE void take_floats(void *memory, float *strip, int64_t count)
{
    memcpy(strip, memory, (size_t)count * sizeof *strip);
}

static ALWAYS_INLINE void give_floats(void *memory, float *strip, int64_t count)
{
    memcpy(memory, strip, (size_t)count * sizeof *strip);
}

static ALWAYS_INLINE void take_halves(void *memory, float *strip, int64_t count)
{
    const uint16_t *from = memory;
    int64_t i = 0;

    for (; i + VECTOR <= count; i += VECTOR)
        *(wide *)(strip + i) = __builtin_convertvector(*(const narrow *)(from + i), wide) << 16;
    for (; i < count; i++)
        strip[i] = zf_onednn_from_bf16(from[i]);
}

/* Rounds as zf_onednn_to_bf16(); without vectors by hand the compiler takes number by number. */
static ALWAYS_INLINE void give_halves(void *memory, float *strip, int64_t count)
{
    uint16_t *to = memory;
    int64_t i = 0;

    for (; i + VECTOR <= count; i += VECTOR) {
        const wide bits = *(const wide *)(strip + i), upper = bits >> 16;
        const wide rounded = (bits + 0x7fffu + (upper & 1u)) >> 16;
        const wide is_nan = (wide)((bits & 0x7fffffffu) > 0x7f800000u);

        *(narrow *)(to + i) =
            __builtin_convertvector((is_nan & (upper | 0x40u)) | (~is_nan & rounded), narrow);
    }
    for (; i < count; i++)
        to[i] = zf_onednn_to_bf16(strip[i]);
}

static ALWAYS_INLINE void walk(const struct normalising *p, const struct zf_onednn_value *value,
                               const struct part *part, int64_t lanes, float *strip,
                               copy_function *copy)
{
    const int64_t all = value->dims.d[2] * value->dims.d[3];
    const int64_t bytes = lanes * (int64_t)dnnl_data_type_size(value->layout->type);
    const int64_t pieces = lanes == 1 ? 1 : part->cells;

    for (int64_t g = 0; g < p->groups; g++) {
        unsigned char *memory = (unsigned char *)value->data +
                                ((part->sample * p->groups + g) * all + part->cell) * bytes;
        float *group = strip + g * lanes * p->plan.step;

        for (int64_t i = 0; i < pieces; i++) {
            __builtin_prefetch(memory + (part->cells + i) * bytes, 1, 2);
            copy(memory + i * bytes, group + zf_lrn_at(&p->plan, i),
                 lanes == 1 ? part->cells : lanes);
        }
    }
}

/* The usual numbers of lanes are constants for the compiler. */
static ALWAYS_INLINE void move(const struct normalising *p, const struct zf_onednn_value *value,
                               const struct part *part, float *strip, copy_function *copy)
{
    if (p->lanes == 16)
        walk(p, value, part, 16, strip, copy);
    else if (p->lanes == 8)
        walk(p, value, part, 8, strip, copy);
    else
        walk(p, value, part, p->lanes, strip, copy);
}

static ALWAYS_INLINE void take_any(const struct normalising *p, const struct zf_onednn_value *value,
                                   const struct part *part, float *strip)
{
    if (value->layout->type == dnnl_bf16)
        move(p, value, part, strip, take_halves);
    else
        move(p, value, part, strip, take_floats);
}

static ALWAYS_INLINE void give_any(const struct normalising *p, const struct zf_onednn_value *value,
                                   const struct part *part, float *strip)
{
    if (value->layout->type == dnnl_bf16)
        move(p, value, part, strip, give_halves);
    else
        move(p, value, part, strip, give_floats);
}

static void take_plain(const struct normalising *p, const struct zf_onednn_value *value,
                       const struct part *part, float *strip)
{
    take_any(p, value, part, strip);
}

static void give_plain(const struct normalising *p, const struct zf_onednn_value *value,
                       const struct part *part, float *strip)
{
    give_any(p, value, part, strip);
}

#ifdef __x86_64__
TARGET_AVX512 static void take_avx512(const struct normalising *p,
                                      const struct zf_onednn_value *value, const struct part *part,
                                      float *strip)
{
    take_any(p, value, part, strip);
}

TARGET_AVX512 static void give_avx512(const struct normalising *p,
                                      const struct zf_onednn_value *value, const struct part *part,
                                      float *strip)
{
    give_any(p, value, part, strip);
}
#endif

/* ---- Running ---- */

typedef void part_function(const struct normalising *p, struct zf_engine *e,
                           const struct zf_onednn_step *step, const struct part *part,
                           float *strips);

/* values: dst, src, strips [threads, size] */
static void forward_part(const struct normalising *p, struct zf_engine *e,
                         const struct zf_onednn_step *step, const struct part *part, float *strips)
{
    float *src = strips, *dst = src + p->plan.size;

    p->take(p, zf_onednn_at(e, step->values[1]), part, src);
    zf_lrn_forward(&p->plan, src, dst);
    p->give(p, zf_onednn_at(e, step->values[0]), part, dst);
}

/* values: diff_src, src, strips [threads, size], diff_dst */
static void backward_part(const struct normalising *p, struct zf_engine *e,
                          const struct zf_onednn_step *step, const struct part *part, float *strips)
{
    float *src = strips, *diff = src + p->plan.size, *scratch = diff + p->plan.size;

    p->take(p, zf_onednn_at(e, step->values[1]), part, src);
    p->take(p, zf_onednn_at(e, step->values[3]), part, diff);
    zf_lrn_backward(&p->plan, src, diff, scratch);
    p->give(p, zf_onednn_at(e, step->values[0]), part, diff);
}

static void run_parts(struct zf_engine *e, const struct zf_onednn_step *step, part_function *run)
{
    const struct normalising *p = step->parameters;
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const struct zf_onednn_value *strips = zf_onednn_at(e, step->values[2]);
    const int64_t threads = strips->dims.d[0], size = strips->dims.d[1];
    const int64_t all = dims.d[2] * dims.d[3], parts = (all + p->cells - 1) / p->cells;

    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t t = 0; t < threads; t++) {
        float *own = (float *)strips->data + t * size;
        const int64_t end = dims.d[0] * parts * (t + 1) / threads;

        memset(own, 0, (size_t)size * sizeof *own); /* the gaps */
        for (int64_t i = dims.d[0] * parts * t / threads; i < end; i++) {
            const int64_t cell = i % parts * p->cells;

            run(p, e, step,
                &(struct part){i / parts, cell, all - cell < p->cells ? all - cell : p->cells},
                own);
        }
    }
}

static void run_forward(struct zf_engine *e, const struct zf_onednn_step *step,
                        const struct zf_run *run)
{
    (void)run;
    run_parts(e, step, forward_part);
}

static void run_backward(struct zf_engine *e, const struct zf_onednn_step *step,
                         const struct zf_run *run)
{
    (void)run;
    run_parts(e, step, backward_part);
}

/* ---- Building ---- */

/* A value in a layout that is understood here: maps last, in blocks, or else plain. */
static zf_value understood(struct zf_engine *e, zf_value value, int64_t *lanes)
{
    const struct zf_dims dims = zf_onednn_dims(e, value);
    const struct zf_layout *layout = zf_onednn_layout(e, value);

    for (*lanes = 4; *lanes <= 16; *lanes *= 2)
        if (layout == zf_layout_blocked(&e->layouts, dims, *lanes, layout->type))
            return value;
    *lanes = dims.d[1];
    if (*lanes > 1 && layout == zf_layout_channels_last(&e->layouts, dims, layout->type))
        return value;
    *lanes = 1;
    return zf_onednn_plain_of(e, value, layout->type);
}

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The step writes values[0], which is returned; arrays: as large as a strip, for each thread. */
static zf_value append(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                       zf_value diff_dst, int64_t arrays, zf_onednn_loop *loop)
{
    struct zf_onednn_step step = {.program = e->program, .loop = loop, .count = 3};
    const struct zf_dims dims = zf_onednn_dims(e, src);
    struct normalising p = {.take = take_plain, .give = give_plain};
    int64_t maps;

#ifdef __x86_64__
    if (zf_onednn_loops_isa() == ZF_CPU_AVX512) {
        p.take = take_avx512;
        p.give = give_avx512;
    }
#endif
    step.values[1] = understood(e, src, &p.lanes);
    if (!zf_onednn_ok(e))
        return ZF_NO_VALUE;
    p.groups = (dims.d[1] + p.lanes - 1) / p.lanes;
    maps = p.groups * p.lanes;
    p.cells = min(max(STRIP / maps, 1), dims.d[2] * dims.d[3]);
    if (p.lanes == 1)
        p.cells = (p.cells + ROW - 1) / ROW * ROW;
    zf_lrn_init(&p.plan, zf_onednn_loops_isa(), lrn, maps, p.cells, p.lanes > 1);
    step.values[0] = zf_onednn_new(e, dims, zf_onednn_layout(e, step.values[1]));
    step.values[2] =
        zf_onednn_new(e, (struct zf_dims){2, {e->config.threads, arrays * p.plan.size}}, NULL);
    if (diff_dst != ZF_NO_VALUE)
        step.values[step.count++] =
            zf_onednn_convert(e, diff_dst, NULL, zf_onednn_layout(e, step.values[1]));
    zf_onednn_append_loop(e, &step, &p, sizeof p);
    return step.values[0];
}

zf_value zf_onednn_lrn_forward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                               zf_value *workspace)
{
    if (workspace)
        *workspace = ZF_NO_VALUE; /* the source is enough */
    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    return append(e, lrn, src, ZF_NO_VALUE, 2, run_forward);
}

zf_value zf_onednn_lrn_backward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                                zf_value diff_dst, zf_value workspace)
{
    (void)workspace;
    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE || diff_dst == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    return append(e, lrn, src, diff_dst, 4, run_backward);
}
