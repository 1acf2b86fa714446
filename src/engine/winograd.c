/* SPDX-License-Identifier: MIT */
/* Winograd's algorithm: its schedule. The arithmetic is in winograd_kernels.h. */
#include "engine/winograd.h"

#ifdef __x86_64__
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif

#include "engine/loops.h"
#include "engine/parallel.h"
#include "engine/winograd_inside.h"

#define SIDE 6 /* the largest tile of a source */
#define WIDTH ZF_WINOGRAD_WIDTH

/* The points of the transforms for m = 4 are 0, +-A, +-B and infinity: those of least error among a
   dozen pairs, less than half that of 1 and 2. */
#define A 0.625f
#define B 1.5f

#define AHEAD 512       /* floats between the filters that are used and those that are fetched */
#define CACHE 1250000   /* bytes of a core's second cache that a block may fill */
#define LEAST_TILES 28  /* of a block that is to stay there; else ... */
#define MOST_TILES 168  /* ... as many */
#define MOST_SHARED 256 /* where threads share a block, and each reads filters of its own */

/* Costs beside the products, in multiplications of vectors: see own_cost(). */
#define FILTERS_CACHE 3000000 /* bytes of filters that are read as fast as they are used */
#define READ_FILTER 0.75      /* for each number of more */
#define WRITE_FILTER 4.0      /* for each number that is transformed */
#define TRANSFORM 10.0        /* for each vector of a tile */

/* Where cells lie: offsets, or -1 for pads and gaps. Steps from .. from + count of an axis are at
   stride * step + shift of the cells of a sample. */
static ALWAYS_INLINE void locate(const struct zf_winograd_axis *axis, int64_t from, int64_t count,
                                 int64_t stride, int64_t shift, int64_t extent, int64_t sample_step,
                                 int64_t cell_step, int64_t *offsets)
{
    int64_t sample = from / axis->pitch, at = from % axis->pitch;

    for (int64_t i = 0; i < count; i++, at++) {
        int64_t cell;

        if (axis->shared && at >= axis->pitch) {
            at -= axis->pitch;
            sample++;
        }
        cell = at * stride + shift;
        offsets[i] = cell >= 0 && cell < extent && sample < axis->samples
                         ? sample * sample_step + cell * cell_step
                         : -1;
    }
}

/* At infinity a filter is its last tap, which those of 5x5 filters for odd rows lack: there these
   sources, the later half, add nothing. */
static inline int64_t groups_at(const struct zf_winograd *w, int64_t place)
{
    const bool last_row = place / w->side == w->side - 1;

    return last_row && w->kernel == 5 ? w->src_groups / 2 : w->src_groups;
}

#ifdef __x86_64__
#define NAME(name) name##_avx512
#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#define TILES 14
#define MAPS 8
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#include "winograd_kernels.h"

#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define TILES 6
#define MAPS 4
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#include "winograd_kernels.h"
#endif

#define NAME(name) name##_plain
#define TARGET
#define LANES 4
#define MAPS 4
#ifdef __aarch64__
#define TILES 12
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#else
#define TILES 6
#define FMA(a, b, c) ((a) * (b) + (c))
#endif
#include "winograd_kernels.h"

/* ---- The plan ---- */

static int64_t min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t ceiling(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Samples side by side with the wider of their pads between: at stride 1, where steps are cells. */
static struct zf_winograd_axis axis_of(const struct zf_winograd *w, int64_t in, int64_t before,
                                       int64_t after, int64_t samples, int64_t m)
{
    const int64_t out = (in + before + after - w->kernel) / w->stride + 1;
    const int64_t apart = ceiling(out, m), pitch = in + (before > after ? before : after);
    const int64_t together = ceiling((samples - 1) * pitch + out, m);
    struct zf_winograd_axis axis = {.in = in, .out = out, .pad = before, .samples = samples};

    axis.shared = w->stride == 1 && together < samples * apart;
    axis.pitch = axis.shared ? pitch : apart * m;
    axis.tiles = axis.shared ? together : samples * apart;
    return axis;
}

static const struct zf_winograd_kernels *kernels_of(enum zf_cpu cpu)
{
#ifdef __x86_64__
    if (cpu >= ZF_CPU_AVX512)
        return &kernels_avx512;
    if (cpu >= ZF_CPU_AVX2)
        return &kernels_avx2;
#endif
    (void)cpu;
    return &kernels_plain;
}

/*
 * Tiles of a block. What is in flight, [side^2, tiles] of source and result, should stay in the
 * second cache; but where filters are many, as these are read once a block, and reading them takes
 * longer than reading back what did not stay.
 */
static int64_t tiles_a_block(const struct zf_winograd *w)
{
    const int64_t a_tile = w->side * w->side * (w->src_groups + w->dst_blocks) * w->lanes * 4;
    const int64_t fit = CACHE / a_tile / w->kernels->tiles * w->kernels->tiles;

    return fit >= LEAST_TILES ? min(fit, MOST_TILES) : MOST_TILES;
}

static bool fits(const struct zf_window *w)
{
    const int64_t pads[] = {w->pad_top, w->pad_left, w->pad_bottom, w->pad_right};

    for (int i = 0; i < 4; i++)
        if (pads[i] < 0 || pads[i] >= w->kernel_h)
            return false;
    return w->kernel_h == w->kernel_w && w->stride_h == w->stride_w && w->dilate_h == 0 &&
           w->dilate_w == 0 && w->groups == 1 &&
           ((w->kernel_h == 3 && w->stride_h == 1) ||
            (w->kernel_h >= 4 && w->kernel_h <= 6 && w->stride_h == 2));
}

bool zf_winograd_init(struct zf_winograd *w, enum zf_cpu cpu, const struct zf_window *window,
                      struct zf_dims src, int64_t dst_maps, int64_t m, int threads)
{
    int64_t lanes, parts;

    *w = (struct zf_winograd){.kernels = kernels_of(cpu)};
    if (!fits(window))
        return false;
    lanes = w->lanes = w->kernels->lanes;
    w->side = m + 2;
    w->src_maps = src.d[1];
    w->dst_maps = dst_maps;
    w->kernel = window->kernel_h;
    w->stride = window->stride_h;
    w->src_blocks = ceiling(src.d[1], lanes);
    w->src_groups = w->stride * w->stride * w->src_blocks;
    w->dst_blocks = ceiling(dst_maps, lanes);
    w->threads = threads;
    for (int64_t n = 1; n <= src.d[0]; n++)
        if (src.d[0] % n == 0) {
            const struct zf_winograd_axis y =
                axis_of(w, src.d[2], window->pad_top, window->pad_bottom, src.d[0] / n, m);
            const struct zf_winograd_axis x =
                axis_of(w, src.d[3], window->pad_left, window->pad_right, n, m);

            if (n == 1 || y.tiles * x.tiles < w->tiles) {
                w->y = y;
                w->x = x;
                w->tiles = y.tiles * x.tiles;
            }
        }
    w->filters_size = w->side * w->side * w->src_groups * w->dst_blocks * lanes * lanes;
    w->shares_blocks = w->tiles <= MOST_SHARED && w->filters_size * (int64_t)sizeof(float) > CACHE;
    parts = w->shares_blocks ? 1 : threads;
    w->blocks = w->shares_blocks ? 1 : parts * ceiling(w->tiles, parts * tiles_a_block(w));
    w->blocks = min(w->blocks, w->tiles);
    w->block_tiles = ceiling(w->tiles, w->blocks);
    w->scratch_size = w->side * w->side * lanes *
                      (parts * (w->src_groups * w->block_tiles + 1) +
                       threads * (w->dst_blocks * w->block_tiles + 1));
    return true;
}

/*
 * Times in multiplications of vectors, as found over the 3x3 convolutions of many nets
 * (docs/performance.md): what direct convolution takes, and what transforms and the reading of
 * filters add to the products of tiles.
 */
static double direct_cost(const struct zf_winograd *w)
{
    const int64_t cells = w->y.samples * w->x.samples * w->y.out * w->x.out;

    return (double)(cells * w->kernel * w->kernel) *
           (double)(w->src_blocks * w->lanes * w->dst_blocks);
}

static double own_cost(const struct zf_winograd *w, bool anew)
{
    const double area = (double)(w->side * w->side), filters = (double)w->filters_size;
    const double blocks = (double)(w->src_groups + w->dst_blocks);
    const bool in_cache = w->filters_size * (int64_t)sizeof(float) <= FILTERS_CACHE;

    return (double)w->tiles * area *
               ((double)(w->src_groups * w->lanes * w->dst_blocks) + TRANSFORM * blocks) +
           filters * (in_cache ? 0 : READ_FILTER) + filters * (anew ? WRITE_FILTER : 0);
}

bool zf_winograd_choose(struct zf_winograd *w, enum zf_cpu cpu, const struct zf_window *window,
                        struct zf_dims src, int64_t dst_maps, bool anew, int threads)
{
    struct zf_winograd small;

    if (!zf_winograd_init(w, cpu, window, src, dst_maps, 4, threads) ||
        !zf_winograd_init(&small, cpu, window, src, dst_maps, 2, threads))
        return false;
    if (own_cost(&small, anew) < own_cost(w, anew))
        *w = small;
    return own_cost(w, anew) < direct_cost(w);
}

void zf_winograd_transform_filters(const struct zf_winograd *w, const float *weight, bool down,
                                   float *filters)
{
    ZF_PARALLEL_FOR(w->threads)
    for (int64_t group = 0; group < w->dst_blocks; group++)
        w->kernels->transform_filters(w, weight, down, group, filters);
}

/* ---- Running ---- */

struct job {
    const struct zf_winograd *w;
    const float *src, *filters, *bias;
    float *dst;
    bool relu;
};

static struct zf_winograd_part part_of(const struct zf_winograd *w, int64_t block)
{
    struct zf_winograd_part part = {.tile = w->tiles * block / w->blocks};

    part.tiles = w->tiles * (block + 1) / w->blocks - part.tile;
    part.src_step = (w->src_groups * part.tiles + 1) * w->lanes;
    part.dst_step = (w->dst_blocks * part.tiles + 1) * w->lanes;
    return part;
}

static void take(const struct job *job, struct zf_winograd_part part, int64_t group, int64_t groups,
                 float *v)
{
    part.group = group;
    part.groups = groups;
    job->w->kernels->transform_source(job->w, &part, job->src, v);
}

static void give(const struct job *job, struct zf_winograd_part part, int64_t group, int64_t groups,
                 const float *v, float *m)
{
    for (int64_t end = group + groups; group < end; group += part.groups) {
        part.group = group;
        part.groups = end - group;
        part.dst_step = (part.groups * part.tiles + 1) * job->w->lanes;
        job->w->kernels->multiply(job->w, &part, v, job->filters, m);
        job->w->kernels->transform_result(job->w, &part, m, job->bias, job->relu, job->dst);
    }
}

void zf_winograd_run(const struct zf_winograd *w, const float *src, const float *filters,
                     const float *bias, bool relu, float *dst, float *scratch)
{
    const struct job job = {w, src, filters, bias, dst, relu};
    const int64_t threads = w->threads, area = w->side * w->side * w->lanes;
    const int64_t v_size = area * (w->src_groups * w->block_tiles + 1);
    const int64_t m_size = area * (w->dst_blocks * w->block_tiles + 1);

    if (!w->shares_blocks) {
        ZF_PARALLEL_FOR(w->threads)
        for (int64_t t = 0; t < threads; t++) {
            float *v = scratch + t * v_size, *m = scratch + threads * v_size + t * m_size;

            for (int64_t b = w->blocks * t / threads; b < w->blocks * (t + 1) / threads; b++) {
                const struct zf_winograd_part part = part_of(w, b);

                take(&job, part, 0, w->src_groups, v);
                give(&job, part, 0, w->dst_blocks, v, m);
            }
        }
        return;
    }
    for (int64_t b = 0; b < w->blocks; b++) {
        const struct zf_winograd_part part = part_of(w, b);
        const int64_t panels = ceiling(w->dst_blocks, WIDTH);

        ZF_PARALLEL_FOR(w->threads)
        for (int64_t c = 0; c < w->src_groups; c++)
            take(&job, part, c, 1, scratch);
        ZF_PARALLEL_FOR(w->threads)
        for (int64_t t = 0; t < threads; t++) {
            const int64_t from = panels * t / threads * WIDTH;
            const int64_t to = min(panels * (t + 1) / threads * WIDTH, w->dst_blocks);

            if (to > from)
                give(&job, part, from, to - from, scratch, scratch + v_size + t * m_size);
        }
    }
}
