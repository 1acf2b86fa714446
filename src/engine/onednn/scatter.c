/* SPDX-License-Identifier: MIT */
/*
 * The way down through a convolution for a signal that is mostly zeros, as behind unpooling: each
 * number that is not zero adds its filter to the map below, and nothing else is multiplied. oneDNN
 * knows dense signals only.
 *
 *     diff_src[c, s y + i - pad_top, s x + j - pad_left] += signal[o, y, x] weight[o, c, i, j]
 *
 * A row of a filter and where it goes are both contiguous if `lanes` maps lie side by side in each
 * cell, whatever the stride: kernel_w * lanes numbers. Filters are kept in this order, with rows
 * filled up to whole vectors by zeros, and sums go to a canvas that has room for these and for the
 * pads, so that no row needs clipping.
 */
#include "onednn.h"

#ifdef __x86_64__
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif
#include <string.h>

#include "engine/parallel.h"

#define WORD 16      /* numbers that are looked at together */
#define ENTRIES 1024 /* of a list: 16 KiB */
#define LEAST_TAPS 9 /* of a filter: with fewer, finding the numbers takes as long as adding */
#define VECTOR 16    /* floats; one register of AVX-512, two of AVX2 */

#define MOST_VECTORS 10 /* of a row that are summed together */

#define ALWAYS_INLINE inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

struct canvas {
    int64_t height, width, lanes, groups;
    int64_t row, group, size; /* in floats */
};

struct scatter {
    struct zf_onednn_view signal;
    struct zf_window window;
    const float *filters; /* [o, groups, kernel_h, filter_row] */
    int64_t filter_row;
    struct canvas canvas;
};

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct canvas canvas_of(const struct zf_window *w, struct zf_dims src, int64_t lanes)
{
    const struct zf_dims dst = zf_window_dims(w, src, 1);
    struct canvas c = {.lanes = lanes, .groups = src.d[1] / lanes};

    c.height = max(w->pad_top + src.d[2], (dst.d[2] - 1) * w->stride_h + w->kernel_h);
    c.width = max(w->pad_left + src.d[3], (dst.d[3] - 1) * w->stride_w + w->kernel_w);
    c.row = c.width * lanes;
    c.group = c.height * c.row;
    c.size = (c.groups * c.group / VECTOR + 2) * VECTOR; /* the last row's zeros fit, too */
    return c;
}

static int64_t filter_row(const struct zf_window *w, int64_t lanes)
{
    return (w->kernel_w * lanes + VECTOR - 1) / VECTOR * VECTOR;
}

/* ---- Running ---- */

/* A number of the signal that is not zero. */
struct entry {
    float factor;
    int32_t lane; /* its map, in the group */
    int64_t to;   /* in floats, from the corner of the canvas */
};

struct list {
    const float *filters; /* of the group */
    float *canvas;
    int64_t count;
    struct entry entries[ENTRIES];
};

typedef void add_function(const struct scatter *s, struct list *list);
typedef uint32_t which_function(const float *numbers); /* a bit for each that is not zero */

static uint32_t which_of(const float *numbers, int64_t count)
{
    uint32_t bits = 0;

    for (int64_t i = 0; i < count; i++)
        bits |= (uint32_t)(numbers[i] != 0.0f) << i;
    return bits;
}

/* What differs between instruction sets. */
struct loops {
    which_function *which;
    add_function *add;
};

/* The numbers of a group of maps at one place. */
static ALWAYS_INLINE void add_cell(const struct scatter *s, struct list *list, const float *cell,
                                   int64_t to, struct loops loops)
{
    const int64_t lanes = s->signal.lanes;

    for (int64_t k = 0; k < lanes; k += WORD) {
        uint32_t left = lanes - k < WORD ? which_of(cell + k, lanes - k) : loops.which(cell + k);

        for (; left; left &= left - 1) {
            const int32_t lane = (int32_t)k + __builtin_ctz(left);

            list->entries[list->count++] = (struct entry){cell[lane], lane, to};
        }
        if (list->count > ENTRIES - WORD)
            loops.add(s, list);
    }
}

static ALWAYS_INLINE void scatter_sample(const struct scatter *s, int64_t n, float *canvas,
                                         struct loops loops)
{
    const struct zf_onednn_view *v = &s->signal;
    struct list list;

    list.filters = s->filters;
    list.canvas = canvas;
    list.count = 0;
    for (int64_t g = 0; g < v->groups; g++) {
        for (int64_t y = 0; y < v->height; y++)
            for (int64_t x = 0; x < v->width; x++)
                add_cell(s, &list,
                         (const float *)(v->data + n * v->sample + g * v->group + y * v->row +
                                         x * v->cell),
                         y * s->window.stride_h * s->canvas.row +
                             x * s->window.stride_w * s->canvas.lanes,
                         loops);
        loops.add(s, &list);
        list.filters += v->lanes * s->canvas.groups * s->window.kernel_h * s->filter_row;
    }
}

#define NAME(name) name##_plain
#define TARGET
#define LANES 4
#ifdef __aarch64__
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif
#include "scatter_rows.h"

static ALWAYS_INLINE uint32_t which_plain(const float *numbers)
{
    return which_of(numbers, WORD);
}

static void scatter_plain(const struct scatter *s, int64_t n, float *canvas)
{
    scatter_sample(s, n, canvas, (struct loops){which_plain, add_filters_plain});
}

#ifdef __x86_64__
#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#include "scatter_rows.h"

#define NAME(name) name##_avx512
#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#include "scatter_rows.h"

__attribute__((target("avx2"))) static ALWAYS_INLINE uint32_t which_avx2(const float *numbers)
{
    const __m256 zero = _mm256_setzero_ps();
    const __m256 low = _mm256_cmp_ps(_mm256_loadu_ps(numbers), zero, _CMP_NEQ_UQ);
    const __m256 high = _mm256_cmp_ps(_mm256_loadu_ps(numbers + 8), zero, _CMP_NEQ_UQ);

    return (uint32_t)_mm256_movemask_ps(low) | (uint32_t)_mm256_movemask_ps(high) << 8;
}

__attribute__((target("avx2"))) static void scatter_avx2(const struct scatter *s, int64_t n,
                                                         float *canvas)
{
    scatter_sample(s, n, canvas, (struct loops){which_avx2, add_filters_avx2});
}

__attribute__((target("avx512f"))) static ALWAYS_INLINE uint32_t which_avx512(const float *numbers)
{
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(numbers), _mm512_setzero_ps(), _CMP_NEQ_UQ);
}

__attribute__((target("avx512f"))) static void scatter_avx512(const struct scatter *s, int64_t n,
                                                              float *canvas)
{
    scatter_sample(s, n, canvas, (struct loops){which_avx512, add_filters_avx512});
}
#endif

typedef void (*scatter_function)(const struct scatter *s, int64_t n, float *canvas);

static scatter_function best_here(void)
{
#ifdef __x86_64__
    if (zf_onednn_may_use(ZF_CPU_AVX512))
        return scatter_avx512;
    if (zf_onednn_may_use(ZF_CPU_AVX2))
        return scatter_avx2;
#endif
    return scatter_plain;
}

/* What of the canvas lies on the map. */
static void take_map(const struct scatter *s, const struct zf_onednn_view *map, int64_t n,
                     const float *canvas)
{
    const int64_t corner = s->window.pad_top * s->canvas.row + s->window.pad_left * s->canvas.lanes;

    for (int64_t g = 0; g < map->groups; g++)
        for (int64_t y = 0; y < map->height; y++)
            memcpy(map->data + n * map->sample + g * map->group + y * map->row,
                   canvas + corner + g * s->canvas.group + y * s->canvas.row,
                   (size_t)(map->width * map->cell));
}

/* values: diff_src, signal, filters, canvases [threads, size] */
static void run_scatter(struct zf_engine *e, const struct zf_onednn_step *step,
                        const struct zf_run *run)
{
    const struct zf_window *window = step->parameters;
    const struct zf_onednn_view map = zf_onednn_view(e, step->values[0]);
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const struct scatter s = {
        .signal = zf_onednn_view(e, step->values[1]),
        .window = *window,
        .filters = zf_onednn_at(e, step->values[2])->data,
        .filter_row = filter_row(window, map.lanes),
        .canvas = canvas_of(window, dims, map.lanes),
    };
    float *canvases = zf_onednn_at(e, step->values[3])->data;
    const int64_t threads = zf_onednn_at(e, step->values[3])->dims.d[0];
    /* The gradient of weights sums over all samples: there, those beyond the run's are zeros. */
    const int64_t samples = step->program == ZF_PROGRAM_BACKWARD ? dims.d[0] : run->count;
    const scatter_function scatter = best_here();

    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t t = 0; t < threads; t++) {
        float *canvas = canvases + t * s.canvas.size;

        for (int64_t n = t; n < samples; n += threads) {
            memset(canvas, 0, (size_t)s.canvas.size * sizeof *canvas);
            scatter(&s, n, canvas);
            take_map(&s, &map, n, canvas);
        }
    }
}

/* values: weight [o, c, kernel_h, kernel_w]; filters [o, groups, kernel_h, filter_row], each row
   kernel_w x lanes */
static void run_pack(struct zf_engine *e, const struct zf_onednn_step *step,
                     const struct zf_run *run)
{
    const struct zf_dims from = zf_onednn_at(e, step->values[0])->dims;
    const struct zf_dims to = zf_onednn_at(e, step->values[1])->dims;
    const float *weight = zf_onednn_at(e, step->values[0])->data;
    float *filters = zf_onednn_at(e, step->values[1])->data;
    const int64_t lanes = from.d[1] / to.d[1];

    (void)run;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t oc = 0; oc < from.d[0] * from.d[1]; oc++) {
        const int64_t g = oc / lanes, lane = oc % lanes; /* o counted in g, as in the layout */

        for (int64_t i = 0; i < from.d[2]; i++)
            for (int64_t j = 0; j < from.d[3]; j++)
                filters[(g * from.d[2] + i) * to.d[3] + j * lanes + lane] =
                    weight[(oc * from.d[2] + i) * from.d[3] + j];
    }
}

/* ---- Building ---- */

bool zf_onednn_scatters(const struct zf_engine *e, const struct zf_window *window, zf_value signal)
{
    /* A sample is one thread's work; dense, oneDNN shares it out, for four times as many products.
     */
    return !e->config.bf16 && zf_onednn_at(e, signal)->sparse &&
           4 * zf_onednn_dims(e, signal).d[0] >= e->config.threads && window->groups == 1 &&
           window->kernel_h * window->kernel_w >= LEAST_TAPS && window->dilate_h == 0 &&
           window->dilate_w == 0;
}

zf_value zf_onednn_scattered_backward_data(struct zf_engine *e, const struct zf_window *window,
                                           zf_value diff_dst, zf_value weight,
                                           struct zf_dims src_dims)
{
    const struct zf_dims dims = zf_onednn_dims(e, weight);
    const struct zf_layout *signal =
        zf_onednn_layout_like(e, diff_dst, zf_onednn_dims(e, diff_dst));
    const struct zf_layout *layout = zf_onednn_layout_like(e, diff_dst, src_dims);
    struct zf_onednn_step step = {.program = e->program, .loop = run_scatter, .count = 4};
    struct zf_window unpadded = *window; /* all that filters are arranged for */
    struct canvas canvas;
    const int64_t threads = src_dims.d[0] < e->config.threads ? src_dims.d[0] : e->config.threads;
    int64_t lanes;

    if (!zf_onednn_ok(e))
        return ZF_NO_VALUE;
    lanes = zf_layout_maps_a_block(layout);
    if (lanes == 1) {
        layout = zf_layout_channels_last(&e->layouts, src_dims, dnnl_f32);
        lanes = src_dims.d[1];
    }
    unpadded.pad_top = unpadded.pad_left = unpadded.pad_bottom = unpadded.pad_right = 0;
    canvas = canvas_of(window, src_dims, lanes);
    step.values[0] = zf_onednn_new(e, src_dims, layout);
    step.values[1] = zf_onednn_convert(e, diff_dst, NULL, signal);
    step.values[2] = zf_onednn_arranged_weight(
        e, &(struct zf_onednn_arrangement){.window = unpadded, .loop = run_pack}, weight,
        (struct zf_dims){4, {dims.d[0], canvas.groups, dims.d[2], filter_row(window, lanes)}});
    step.values[3] = zf_onednn_new(e, (struct zf_dims){2, {threads, canvas.size}}, NULL);
    zf_onednn_append_loop(e, &step, window, sizeof *window);
    return step.values[0];
}
