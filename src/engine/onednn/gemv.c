/* SPDX-License-Identifier: MIT */
/*
 * Fully connected layers of one picture: a matrix times a vector (BLAS: gemv), so every weight is
 * used once, and reading them is all that counts. Up in bf16, oneDNN's code for tiles (AMX) reads
 * at 14 GB/s where memory is busy; dot products over plain rows, with prefetching, at 25. Down,
 * the result is a sum of rows, each times a number of the signal: rows of a zero, which rectifiers
 * and switches leave most of, are not read.
 */
#include "onednn.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "engine/parallel.h"
#include "half.h"

#define LANES 32   /* numbers of 16 bits in a register */
#define AHEAD 1024 /* numbers between what is used and what is fetched: 2 KiB */
#define ISA "avx512f,avx512bw,avx512bf16"

#ifdef __x86_64__

__attribute__((target(ISA))) static inline __m512 add_products(__m512 sum, const uint16_t *a,
                                                               const uint16_t *b, __mmask32 mask)
{
    const __m512i x = _mm512_maskz_loadu_epi16(mask, a), y = _mm512_maskz_loadu_epi16(mask, b);

    return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)y);
}

__attribute__((target(ISA))) static float dot(const uint16_t *weights, const uint16_t *src,
                                              int64_t count)
{
    const __mmask32 all = 0xffffffffu;
    __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                      _mm512_setzero_ps()};
    int64_t i = 0;

    for (; i + 4 * LANES <= count; i += 4 * LANES)
        for (int k = 0; k < 4; k++) {
            const int64_t at = i + k * LANES;

            _mm_prefetch((const char *)(weights + at + AHEAD), _MM_HINT_T0); /* never faults */
            sums[k] = add_products(sums[k], weights + at, src + at, all);
        }
    for (; i < count; i += LANES) {
        const int64_t left = count - i;

        sums[0] = add_products(sums[0], weights + i, src + i,
                               left < LANES ? (__mmask32)((1u << left) - 1) : all);
    }
    return _mm512_reduce_add_ps(
        _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])));
}

/* values: dst [o], weight [o, i] and src [i] of 16 bits, maybe bias [o] */
static void run_gemv(struct zf_engine *e, const struct zf_onednn_step *step,
                     const struct zf_run *run)
{
    float *dst = zf_onednn_at(e, step->values[0])->data;
    const struct zf_dims dims = zf_onednn_at(e, step->values[1])->dims;
    const uint16_t *weights = zf_onednn_at(e, step->values[1])->data;
    const uint16_t *src = zf_onednn_at(e, step->values[2])->data;
    const float *bias = step->count > 3 ? zf_onednn_at(e, step->values[3])->data : NULL;
    const int64_t count = dims.d[1] * dims.d[2] * dims.d[3];
    const bool relu = *(const bool *)step->parameters;

    (void)run;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t o = 0; o < dims.d[0]; o++) {
        const float sum = dot(weights + o * count, src, count) + (bias ? bias[o] : 0.0f);

        dst[o] = relu && sum < 0 ? 0.0f : sum;
    }
}

bool zf_onednn_takes_gemv(const struct zf_engine *e, struct zf_dims src)
{
    return e->config.bf16 && !e->config.training && src.d[0] == 1;
}

#else

bool zf_onednn_takes_gemv(const struct zf_engine *e, struct zf_dims src)
{
    (void)e;
    (void)src;
    return false;
}

static zf_onednn_loop *const run_gemv = NULL;

#endif

zf_value zf_onednn_gemv_forward(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias,
                                bool relu)
{
    const struct zf_dims dims = zf_onednn_dims(e, weight);
    const struct zf_layout *plain = zf_layout_rows(&e->layouts, dims, dnnl_f32);
    const struct zf_layout *half = zf_layout_rows(&e->layouts, dims, dnnl_bf16);
    struct zf_onednn_step step = {.program = e->program, .loop = run_gemv};

    step.values[step.count++] = zf_onednn_new(e, (struct zf_dims){4, {1, dims.d[0], 1, 1}}, NULL);
    step.values[step.count++] = zf_onednn_convert(e, weight, plain, half);
    step.values[step.count++] = zf_onednn_plain_of(e, src, dnnl_bf16);
    if (bias != ZF_NO_VALUE)
        step.values[step.count++] = bias;
    zf_onednn_append_loop(e, &step, &relu, sizeof relu);
    return step.values[0];
}

/* ---- Down. ---- */

#define ROWS 8            /* added at once */
#define MOST_COLUMNS 8192 /* of a round: the sums stay in the second cache, if not in the first */
#define LINE 16           /* numbers */
#define ROWS_AHEAD 256    /* numbers between what is used and what is fetched */

static inline float as_float(const void *row, bool half, int64_t i)
{
    return half ? zf_onednn_from_bf16(((const uint16_t *)row)[i]) : ((const float *)row)[i];
}

static inline void add_numbers(float *restrict sums, const void *const rows[ROWS],
                               const float factors[ROWS], int64_t first, int64_t end, bool half)
{
    for (int64_t i = first; i < end; i++) {
        float sum = 0.0f;

        for (int k = 0; k < ROWS; k++)
            sum += factors[k] * as_float(rows[k], half, i);
        sums[i] += sum;
    }
}

/* sums [count] += the sum over k of factors[k] * rows[k] */
static inline void add_rows(float *restrict sums, const void *const rows[ROWS],
                            const float factors[ROWS], int64_t count, bool half)
{
    const size_t size = half ? sizeof(uint16_t) : sizeof(float);
    int64_t i = 0;

    for (; i + LINE <= count; i += LINE) {
        for (int k = 0; k < ROWS; k++) /* never faults */
            __builtin_prefetch((const char *)rows[k] + (size_t)(i + ROWS_AHEAD) * size);
        add_numbers(sums, rows, factors, i, i + LINE, half);
    }
    add_numbers(sums, rows, factors, i, count, half);
}

/* The sums [count] of columns whose weights begin at `weights`, in rows that are `width` apart. */
static inline void add_columns(float *sums, const char *weights, const float *signal,
                               int64_t signals, int64_t width, int64_t count, bool half)
{
    const size_t size = half ? sizeof(uint16_t) : sizeof(float);
    const void *rows[ROWS];
    float factors[ROWS];
    int found = 0;

    memset(sums, 0, (size_t)count * sizeof *sums);
    for (int64_t o = 0; o < signals; o++) {
        if (signal[o] == 0.0f)
            continue;
        rows[found] = weights + (size_t)(o * width) * size;
        factors[found++] = signal[o];
        if (found == ROWS) {
            add_rows(sums, rows, factors, count, half);
            found = 0;
        }
    }
    if (found == 0)
        return;
    for (; found < ROWS; found++) {
        rows[found] = rows[0];
        factors[found] = 0.0f;
    }
    add_rows(sums, rows, factors, count, half);
}

/* values: diff_src [i], weight [o, i], diff_dst [o] */
static void run_transposed(struct zf_engine *e, const struct zf_onednn_step *step,
                           const struct zf_run *run)
{
    float *sums = zf_onednn_at(e, step->values[0])->data;
    const struct zf_dims dims = zf_onednn_at(e, step->values[1])->dims;
    const char *weights = zf_onednn_at(e, step->values[1])->data;
    const float *signal = zf_onednn_at(e, step->values[2])->data;
    const int64_t width = dims.d[1] * dims.d[2] * dims.d[3];
    const bool half = *(const bool *)step->parameters;
    const int64_t threads = e->config.threads;
    const int64_t rounds = threads * ((width - 1) / (threads * MOST_COLUMNS) + 1);
    const int64_t columns = ((width - 1) / rounds / LINE + 1) * LINE; /* each thread as many */

    (void)run;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t first = 0; first < width; first += columns) {
        const int64_t count = width - first < columns ? width - first : columns;

        if (half)
            add_columns(sums + first, weights + first * (int64_t)sizeof(uint16_t), signal,
                        dims.d[0], width, count, true);
        else
            add_columns(sums + first, weights + first * (int64_t)sizeof(float), signal, dims.d[0],
                        width, count, false);
    }
}

bool zf_onednn_takes_gemv_down(const struct zf_engine *e, struct zf_dims dst)
{
    return !e->config.training && dst.d[0] == 1;
}

zf_value zf_onednn_gemv_backward_data(struct zf_engine *e, zf_value diff_dst, zf_value weight,
                                      struct zf_dims src_dims)
{
    const bool half = e->config.bf16;
    const struct zf_dims dims = zf_onednn_dims(e, weight);
    const struct zf_layout *plain = zf_layout_rows(&e->layouts, dims, dnnl_f32);
    struct zf_onednn_step step = {.program = e->program, .loop = run_transposed};

    step.values[step.count++] = zf_onednn_new(e, src_dims, NULL);
    step.values[step.count++] =
        half ? zf_onednn_convert(e, weight, plain, zf_layout_rows(&e->layouts, dims, dnnl_bf16))
             : weight;
    step.values[step.count++] = zf_onednn_plain(e, diff_dst);
    zf_onednn_append_loop(e, &step, &half, sizeof half);
    return step.values[0];
}
