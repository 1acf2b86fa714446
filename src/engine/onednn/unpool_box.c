/* SPDX-License-Identifier: MIT */
/*
 * Unpooling to boxes of maps, whose switches are looked for again: the numbers of each window are
 * read once, and what is written is the box alone. oneDNN would have the box cut out, pooled, and
 * filled from a second reading.
 */
#include "onednn.h"

#include <string.h>

#include "engine/loops.h"
#include "engine/parallel.h"

/* Cells along one side that a window sees: first, first + step, ... of the map, before `end`. */
struct taps {
    int64_t first, end, step;
};

/* One group of maps of one sample. Cells are named by their place in the map. */
struct job {
    const struct zf_onednn_unpooling *how;
    struct zf_onednn_view signal, base, box;
    const unsigned char *from, *seen; /* the group's signal; its map, cell (0, 0) */
    unsigned char *to;                /* its box */
    struct zf_corner windows, corner; /* where the first window begins, and the box */
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct taps taps_of(int64_t begin, int64_t kernel, int64_t dilate, int64_t extent)
{
    const int64_t step = dilate + 1;
    const int64_t skipped = begin < 0 ? (-begin + step - 1) / step : 0;

    return (struct taps){begin + skipped * step,
                         least(begin + zf_window_reach(kernel, dilate), extent), step};
}

static ALWAYS_INLINE const float *seen_at(const struct job *job, int64_t y, int64_t x)
{
    return (const float *)(const void *)(job->seen + y * job->base.row + x * job->base.cell);
}

/* NULL outside of the box. */
static ALWAYS_INLINE float *box_at(const struct job *job, int64_t y, int64_t x)
{
    y -= job->corner.y;
    x -= job->corner.x;
    if (y < 0 || y >= job->box.height || x < 0 || x >= job->box.width)
        return NULL;
    return (float *)(void *)(job->to + y * job->box.row + x * job->box.cell);
}

/* Map `lane` of the group by itself. */
static void unpool_lane(const struct job *job, struct taps ys, struct taps xs, const float *signal,
                        int64_t lane)
{
    int64_t best_y = ys.first, best_x = xs.first;
    float *to;

    for (int64_t y = ys.first; y < ys.end; y += ys.step)
        for (int64_t x = xs.first; x < xs.end; x += xs.step)
            if (seen_at(job, y, x)[lane] > seen_at(job, best_y, best_x)[lane]) {
                best_y = y;
                best_x = x;
            }
    to = box_at(job, best_y, best_x);
    if (to)
        to[lane] += signal[lane];
}

typedef void unpool_function(const struct job *job);

#define NAME(name) name##_plain
#define TARGET
#define LANES 4
#include "unpool_lanes.h"

#ifdef __x86_64__
#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2")))
#define LANES 8
#include "unpool_lanes.h"

#define NAME(name) name##_avx512
#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#include "unpool_lanes.h"
#endif

static unpool_function *best_here(void)
{
#ifdef __x86_64__
    if (zf_onednn_may_use(ZF_CPU_AVX512))
        return unpool_avx512;
    if (zf_onednn_may_use(ZF_CPU_AVX2))
        return unpool_avx2;
#endif
    return unpool_plain;
}

static void rectify(const struct job *job)
{
    const int64_t count = job->box.width * job->box.lanes;

    for (int64_t y = 0; y < job->box.height; y++) {
        float *row = (float *)(void *)(job->to + y * job->box.row);

        for (int64_t i = 0; i < count; i++)
            row[i] = row[i] < 0.0f ? 0.0f : row[i];
    }
}

struct zf_onednn_view zf_onednn_unpooled_view(const struct zf_engine *e,
                                              const struct zf_onednn_unpooling *how)
{
    const struct zf_dims dims = how->box.dims;
    const int64_t lanes = zf_onednn_view(e, how->box.base).lanes;
    struct zf_onednn_view view = {.height = dims.d[2],
                                  .width = dims.d[3],
                                  .lanes = lanes,
                                  .groups = dims.d[1] / lanes,
                                  .cell = lanes * (int64_t)sizeof(float)};

    view.row = view.width * view.cell;
    view.group = view.height * view.row;
    view.sample = view.groups * view.group;
    return view;
}

void zf_onednn_unpool_group(const struct zf_engine *e, const struct zf_onednn_unpooling *how,
                            const struct zf_run *run, int64_t n, int64_t g, void *to)
{
    const int64_t batch = how->box.dims.d[0];
    struct job job = {
        .how = how,
        .signal = zf_onednn_view(e, how->box.patch),
        .base = zf_onednn_view(e, how->box.base),
        .box = zf_onednn_unpooled_view(e, how),
        .to = to,
        .windows = run->corners[how->box.patch_at * batch + n],
        .corner = run->corners[how->box.at * batch + n],
    };

    job.from = job.signal.data + n * job.signal.sample + g * job.signal.group;
    job.seen = job.base.data + run->samples[n] * job.base.sample + g * job.base.group;
    job.windows.y -= how->window.pad_top;
    job.windows.x -= how->window.pad_left;
    memset(to, 0, (size_t)job.box.group);
    best_here()(&job);
    if (how->rectify)
        rectify(&job);
}

/* values: the boxes, the signal, the maps; all in one manner of layout */
static void run_unpool_box(struct zf_engine *e, const struct zf_onednn_step *step,
                           const struct zf_run *run)
{
    const struct zf_onednn_unpooling *how = step->parameters;
    const struct zf_onednn_view boxes = zf_onednn_view(e, step->values[0]);

    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t i = 0; i < run->count * boxes.groups; i++) {
        const int64_t n = i / boxes.groups, g = i % boxes.groups;

        zf_onednn_unpool_group(e, how, run, n, g, boxes.data + n * boxes.sample + g * boxes.group);
    }
}

zf_value zf_onednn_unpool_box(struct zf_engine *e, const struct zf_window *window,
                              const struct zf_cut *box)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_unpool_box, .count = 3};
    struct zf_onednn_unpooling how = {.window = *window, .box = *box};
    struct zf_dims signal;

    if (!zf_onednn_ok(e) || box->base == ZF_NO_VALUE || box->patch == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (e->config.bf16)
        return zf_unpool_box_in_steps(e, &zf_engine_onednn, window, box);
    signal = zf_onednn_dims(e, box->patch);
    step.values[1] = how.box.patch =
        zf_onednn_convert(e, box->patch, NULL, zf_onednn_layout_like(e, box->base, signal));
    step.values[2] = how.box.base = zf_onednn_convert(
        e, box->base, NULL, zf_onednn_layout_like(e, box->base, zf_onednn_dims(e, box->base)));
    step.values[0] = zf_onednn_new(e, box->dims, zf_onednn_layout_like(e, box->base, box->dims));
    zf_onednn_append_loop(e, &step, &how, sizeof how);
    if (zf_onednn_ok(e))
        zf_onednn_at(e, step.values[0])->sparse =
            zf_onednn_is_sparse(signal, zf_onednn_dims(e, step.values[0]));
    return step.values[0];
}

/* NULL: it did not make this signal. */
static struct zf_onednn_step *last_step(struct zf_engine *e, zf_value signal)
{
    struct zf_onednn_step *last = e->step_count > 0 ? &e->steps[e->step_count - 1] : NULL;

    return last && last->program == e->program && last->loop == run_unpool_box &&
                   last->values[0] == signal
               ? last
               : NULL;
}

bool zf_onednn_rectify_unpooled(struct zf_engine *e, zf_value signal)
{
    const struct zf_onednn_step *last = last_step(e, signal);

    if (last)
        ((struct zf_onednn_unpooling *)last->parameters)->rectify = true;
    return last != NULL;
}

bool zf_onednn_take_unpooling(struct zf_engine *e, zf_value signal, struct zf_onednn_unpooling *how)
{
    struct zf_onednn_step *last = last_step(e, signal);

    if (!last)
        return false;
    *how = *(const struct zf_onednn_unpooling *)last->parameters;
    zf_onednn_step_release(last);
    e->step_count--;
    return true;
}
