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

#include "engine/loops.h"
#include "engine/parallel.h"

#define WORD 16      /* numbers that are looked at together */
#define ENTRIES 1024 /* of a list: 16 KiB */
#define LEAST_TAPS 9 /* of a filter: with fewer, finding the numbers takes as long as adding */
#define VECTOR 16    /* floats; one register of AVX-512, two of AVX2 */

#define MOST_SUMS 28 /* in registers */

struct canvas {
    int64_t height, width, lanes, groups;
    int64_t row, group, size; /* in floats */
};

struct scattering {
    struct zf_window window;
    bool unpools;
    struct zf_onednn_unpooling how; /* the signal is unpooled, a group at a time */
};

struct scatter {
    struct zf_onednn_view signal;
    struct zf_window window;
    const float *filters;       /* [o, groups, kernel_h, filter_row] */
    int64_t filter_row, filter; /* in floats: a row; from one map's filter to the next one's */
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

/* Entries of one cell. */
struct cell {
    int64_t to;  /* in floats, from the corner of the canvas */
    int64_t end; /* entries, those of the cells before it included */
};

/* The numbers of a group's signal that are not zero. */
struct list {
    const float *filters; /* of the group */
    float *canvas;
    int64_t count, cell_count;
    float factors[ENTRIES + WORD];
    int32_t lanes[ENTRIES + WORD]; /* whose map, in the group */
    struct cell cells[ENTRIES + WORD];
};

/* Those of one cell. */
struct numbers {
    const float *factors;
    const int32_t *lanes;
    int64_t count;
};

typedef void add_function(const struct scatter *s, struct list *list);
/* Appends those of WORD numbers that are not zero; `lane` is the first one's. */
typedef void list_function(struct list *list, const float *numbers, int32_t lane);

static ALWAYS_INLINE void list_some(struct list *list, const float *numbers, int32_t lane,
                                    uint32_t which)
{
    for (; which; which &= which - 1) {
        const int32_t k = __builtin_ctz(which);

        list->factors[list->count] = numbers[k];
        list->lanes[list->count++] = lane + k;
    }
}

static ALWAYS_INLINE uint32_t which_of(const float *numbers, int64_t count)
{
    uint32_t bits = 0;

    for (int64_t i = 0; i < count; i++)
        bits |= (uint32_t)(numbers[i] != 0.0f) << i;
    return bits;
}

/* What differs between instruction sets. */
struct loops {
    list_function *list;
    add_function *add;
};

/* The entries since the last cell are those of a cell. */
static ALWAYS_INLINE void close_cell(struct list *list, int64_t to)
{
    const int64_t before = list->cell_count ? list->cells[list->cell_count - 1].end : 0;

    list->cells[list->cell_count] = (struct cell){to, list->count};
    list->cell_count += list->count > before;
}

/* The numbers of a group of maps at one place. */
static ALWAYS_INLINE void add_cell(const struct scatter *s, struct list *list, const float *numbers,
                                   int64_t to, struct loops loops)
{
    const int64_t lanes = s->signal.lanes;

    for (int64_t k = 0; k < lanes; k += WORD) {
        if (lanes - k < WORD)
            list_some(list, numbers + k, (int32_t)k, which_of(numbers + k, lanes - k));
        else
            loops.list(list, numbers + k, (int32_t)k);
        if (list->count > ENTRIES - WORD) {
            close_cell(list, to);
            loops.add(s, list);
        }
    }
    close_cell(list, to);
}

/* What one thread works on. */
struct task {
    int64_t sample;
    float *canvas;
    /* Where the signal is unpooled to; else NULL. */
    const struct zf_engine *e;
    const struct zf_onednn_unpooling *how;
    const struct zf_run *run;
    unsigned char *room;
};

static const unsigned char *group_of(const struct scatter *s, const struct task *task, int64_t g)
{
    if (!task->room)
        return s->signal.data + task->sample * s->signal.sample + g * s->signal.group;
    zf_onednn_unpool_group(task->e, task->how, task->run, task->sample, g, task->room);
    return task->room;
}

static ALWAYS_INLINE void scatter_sample(const struct scatter *s, const struct task *task,
                                         struct loops loops)
{
    const struct zf_onednn_view *v = &s->signal;
    struct list list;

    list.filters = s->filters;
    list.canvas = task->canvas;
    list.count = list.cell_count = 0;
    for (int64_t g = 0; g < v->groups; g++) {
        const unsigned char *group = group_of(s, task, g);

        for (int64_t y = 0; y < v->height; y++)
            for (int64_t x = 0; x < v->width; x++)
                add_cell(s, &list, (const float *)(group + y * v->row + x * v->cell),
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
#define SUMS 12 /* of the 16 or 32 registers */
#define PART 4  /* vectors of a longer row; they fill it, as a row is made of whole VECTORs */
#ifdef __aarch64__
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif
#include "scatter_rows.h"

static ALWAYS_INLINE void list_plain(struct list *list, const float *numbers, int32_t lane)
{
    list_some(list, numbers, lane, which_of(numbers, WORD));
}

static void scatter_plain(const struct scatter *s, const struct task *task)
{
    scatter_sample(s, task, (struct loops){list_plain, add_filters_plain});
}

#ifdef __x86_64__
#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define SUMS 12
#define PART 2
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#include "scatter_rows.h"

#define NAME(name) name##_avx512
#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#define SUMS MOST_SUMS
#define PART 1
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#include "scatter_rows.h"

__attribute__((target("avx2"))) static ALWAYS_INLINE void
list_avx2(struct list *list, const float *numbers, int32_t lane)
{
    const __m256 zero = _mm256_setzero_ps();
    const __m256 low = _mm256_cmp_ps(_mm256_loadu_ps(numbers), zero, _CMP_NEQ_UQ);
    const __m256 high = _mm256_cmp_ps(_mm256_loadu_ps(numbers + 8), zero, _CMP_NEQ_UQ);

    list_some(list, numbers, lane,
              (uint32_t)_mm256_movemask_ps(low) | (uint32_t)_mm256_movemask_ps(high) << 8);
}

__attribute__((target("avx2"))) static void scatter_avx2(const struct scatter *s,
                                                         const struct task *task)
{
    scatter_sample(s, task, (struct loops){list_avx2, add_filters_avx2});
}

/* Whole vectors are stored, of which the next ones overwrite the rest: the store that leaves it out
   is slow on some processors. */
__attribute__((target("avx512f"))) static ALWAYS_INLINE void
list_avx512(struct list *list, const float *numbers, int32_t lane)
{
    const __m512i steps = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512 all = _mm512_loadu_ps(numbers);
    const __mmask16 which = _mm512_cmp_ps_mask(all, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    const __m512i lanes = _mm512_add_epi32(_mm512_set1_epi32(lane), steps);

    _mm512_storeu_ps(list->factors + list->count, _mm512_maskz_compress_ps(which, all));
    _mm512_storeu_si512(list->lanes + list->count, _mm512_maskz_compress_epi32(which, lanes));
    list->count += __builtin_popcount(which);
}

__attribute__((target("avx512f"))) static void scatter_avx512(const struct scatter *s,
                                                              const struct task *task)
{
    scatter_sample(s, task, (struct loops){list_avx512, add_filters_avx512});
}
#endif

typedef void (*scatter_function)(const struct scatter *s, const struct task *task);

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

/* values: diff_src, signal, filters, canvases [threads, size]; where the signal is unpooled: the
   maps, rooms [threads, group] */
static void run_scatter(struct zf_engine *e, const struct zf_onednn_step *step,
                        const struct zf_run *run)
{
    const struct scattering *how = step->parameters;
    const struct zf_window *window = &how->window;
    const struct zf_onednn_view map = zf_onednn_view(e, step->values[0]);
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const struct scatter s = {
        .signal = how->unpools ? zf_onednn_unpooled_view(e, &how->how)
                               : zf_onednn_view(e, step->values[1]),
        .window = *window,
        .filters = zf_onednn_at(e, step->values[2])->data,
        .filter_row = filter_row(window, map.lanes),
        .filter = map.groups * window->kernel_h * filter_row(window, map.lanes),
        .canvas = canvas_of(window, dims, map.lanes),
    };
    float *canvases = zf_onednn_at(e, step->values[3])->data;
    unsigned char *rooms = how->unpools ? zf_onednn_at(e, step->values[5])->data : NULL;
    const int64_t threads = zf_onednn_at(e, step->values[3])->dims.d[0];
    /* The gradient of weights sums over all samples: there, those beyond the run's are zeros. */
    const int64_t samples = step->program == ZF_PROGRAM_BACKWARD ? dims.d[0] : run->count;
    const scatter_function scatter = best_here();

    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t t = 0; t < threads; t++) {
        struct task task = {.canvas = canvases + t * s.canvas.size,
                            .e = e,
                            .how = &how->how,
                            .run = run,
                            .room = rooms ? rooms + t * s.signal.group : NULL};

        for (task.sample = t; task.sample < samples; task.sample += threads) {
            memset(task.canvas, 0, (size_t)s.canvas.size * sizeof *task.canvas);
            scatter(&s, &task);
            take_map(&s, &map, task.sample, task.canvas);
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
    struct scattering how = {.window = *window};
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
    how.unpools = zf_onednn_take_unpooling(e, diff_dst, &how.how);
    step.values[0] = zf_onednn_new(e, src_dims, layout);
    step.values[1] = how.unpools ? how.how.box.patch : zf_onednn_convert(e, diff_dst, NULL, signal);
    step.values[2] = zf_onednn_arranged_weight(
        e, &(struct zf_onednn_arrangement){.window = unpadded, .loop = run_pack}, weight,
        (struct zf_dims){4, {dims.d[0], canvas.groups, dims.d[2], filter_row(window, lanes)}});
    step.values[3] = zf_onednn_new(e, (struct zf_dims){2, {threads, canvas.size}}, NULL);
    if (how.unpools) {
        const int64_t group = zf_onednn_unpooled_view(e, &how.how).group / (int64_t)sizeof(float);

        step.values[step.count++] = how.how.box.base;
        step.values[step.count++] = zf_onednn_new(e, (struct zf_dims){2, {threads, group}}, NULL);
    }
    zf_onednn_append_loop(e, &step, &how, sizeof how);
    return step.values[0];
}
