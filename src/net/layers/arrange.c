/* SPDX-License-Identifier: MIT */
/*
 * The numbers of all maps in another order: what reshaping, transposing, cutting out with steps and
 * repeating come to. Cell i of the result, counted along c, h, w, is read where the runs say: run8
 * goes fastest, and a run of extent n and step s reads n numbers that lie s apart.
 *
 *     maps to pixels by 2 (DepthToSpace), from 8 x 5 x 4:
 *     maps = 2  height = 10  width = 8
 *     run1 = 2x80  run2 = 5x4  run3 = 2x40  run4 = 4x1  run5 = 2x20
 *
 * Down, each number of the signal goes back to where it was read; those read twice add up.
 */
#include "layers.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"

#define RUNS 8

struct arrange_params {
    int64_t maps, height, width, offset;
    struct zf_extents runs[RUNS];
};

#define RUN(i)                                                                                     \
    ZF_OPTION_ROW_AS("run" #i, arrange_params, runs[i - 1], "NxS", "extent and step of a run",     \
                     ZF_OPTION_EXTENTS, 0, -INT32_MAX, INT32_MAX, NULL)
static const struct zf_option arrange_options[] = {
    ZF_OPTION_ROW_INT(arrange_params, maps, "N", "maps of the result", 1, 1, 1 << 24),
    ZF_OPTION_ROW_INT(arrange_params, height, "N", "their rows", 1, 1, 1 << 24),
    ZF_OPTION_ROW_INT(arrange_params, width, "N", "their columns", 1, 1, 1 << 24),
    ZF_OPTION_ROW_INT(arrange_params, offset, "N", "the number that is read first", 0, 0,
                      INT32_MAX),
    RUN(1),
    RUN(2),
    RUN(3),
    RUN(4),
    RUN(5),
    RUN(6),
    RUN(7),
    RUN(8),
};
#undef RUN

/* The runs that are given; at least one, of a single number where none is. */
static struct zf_arrangement arrangement_of(const struct arrange_params *p)
{
    struct zf_arrangement how = {.offset = p->offset};

    for (int i = 0; i < RUNS; i++) {
        if (p->runs[i].count != 2)
            continue;
        how.extents[how.count] = p->runs[i].value[0];
        how.strides[how.count++] = p->runs[i].value[1];
    }
    if (how.count == 0) {
        how.count = 1;
        how.extents[0] = 1;
    }
    return how;
}

/* Every number that is read must be there. */
static enum zf_status check_runs(const struct arrange_params *p, struct zf_shape in,
                                 struct zf_error *err)
{
    const struct zf_arrangement how = arrangement_of(p);
    int64_t count = 1, first = how.offset, last = how.offset, wanted, cells;

    for (int i = 0; i < RUNS; i++)
        if (p->runs[i].count != 2 && p->runs[i].value[0] != 0)
            return zf_fail(err, ZF_EINPUT, "run%d takes an extent and a step: NxS", i + 1);
    if (!zf_mul3(p->maps, p->height, p->width, &wanted) || !zf_mul3(in.c, in.h, in.w, &cells))
        return zf_fail(err, ZF_EINPUT, "its output is too large");
    for (int i = 0; i < how.count; i++) {
        const int64_t reach = (how.extents[i] - 1) * how.strides[i]; /* both fit 32 bits */

        if (how.extents[i] < 1 || !zf_mul3(count, how.extents[i], 1, &count) || count > wanted)
            return zf_fail(err, ZF_EINPUT, "its runs do not have %" PRId64 " numbers", wanted);
        *(reach < 0 ? &first : &last) += reach;
    }
    if (count != wanted)
        return zf_fail(err, ZF_EINPUT,
                       "its runs have %" PRId64 " numbers, %" PRId64 "x%" PRId64 "x%" PRId64
                       " are needed",
                       count, p->maps, p->height, p->width);
    if (first < 0 || last >= cells)
        return zf_fail(err, ZF_EINPUT, "it reads numbers %" PRId64 " to %" PRId64 " of %" PRId64,
                       first, last, cells);
    return ZF_OK;
}

/* ---- What a cell sees ---- */

/* One side of the map. */
struct side {
    int64_t step;  /* cells of the source from one cell of the result to the next; 0 = no matter */
    int64_t grow;  /* cells of the result that stand for one of the source */
    int64_t reach; /* the furthest cell, from the first */
};

/* The runs, from the last, that make up an extent of `extent`; false if they do not fit it. */
static bool take_runs(const struct zf_arrangement *how, int *at, int64_t extent, int *first)
{
    *first = *at;
    while (extent > 1 && *first > 0 && extent % how->extents[*first - 1] == 0)
        extent /= how->extents[--*first];
    return extent == 1;
}

/* Rows (unit = a row's numbers) or columns (unit 1) of the result as runs [first, end). */
static bool read_side(const struct zf_arrangement *how, int first, int end, int64_t unit,
                      int64_t extent, int64_t map, struct side *side)
{
    const int64_t outer = first < end ? how->strides[first] : 0;

    *side = (struct side){0, 1, 0};
    if (end == first)
        return true;
    if (outer <= 0 || outer % unit != 0 || outer / unit >= extent)
        return false;
    side->step = outer / unit;
    if (end - first == 1)
        return true;
    side->grow = how->extents[first + 1];
    return end - first == 2 && side->step == 1 && how->strides[first + 1] % map == 0;
}

/* Runs over maps: to other maps, or to cells within one step of a side (SpaceToDepth). */
static bool read_maps(const struct zf_arrangement *how, int end, struct zf_shape in,
                      struct side *rows, struct side *columns)
{
    const int64_t map = in.h * in.w;

    rows->reach = how->offset % map / in.w;
    columns->reach = how->offset % in.w;
    for (int i = 0; i < end; i++) {
        const int64_t stride = how->strides[i], reach = (how->extents[i] - 1) * stride;

        if (stride % map == 0)
            continue;
        if (stride < 0 || (stride >= in.w && stride % in.w != 0))
            return false;
        if (stride < in.w)
            columns->reach += reach;
        else
            rows->reach += reach / in.w;
    }
    return rows->reach < in.h && columns->reach < in.w;
}

/* Where rows stay rows and columns columns, the window; elsewhere every cell may see all. */
static void find_window(const struct arrange_params *p, struct zf_shape in, struct zf_inferred *out)
{
    const struct zf_arrangement how = arrangement_of(p);
    struct zf_window *w = &out->window;
    int count = how.count, columns_first, rows_first;
    struct side rows, columns;

    out->global = true;
    if (!take_runs(&how, &count, p->width, &columns_first) ||
        !take_runs(&how, &columns_first, p->height, &rows_first) ||
        !read_side(&how, columns_first, count, 1, in.w, in.h * in.w, &columns) ||
        !read_side(&how, rows_first, columns_first, in.w, in.h, in.h * in.w, &rows) ||
        !read_maps(&how, rows_first, in, &rows, &columns))
        return;
    if (rows.grow > 1 || columns.grow > 1) {
        if (rows.reach || columns.reach || rows.step > 1 || columns.step > 1)
            return;
        out->transposed = true;
        w->kernel_h = w->stride_h = rows.grow;
        w->kernel_w = w->stride_w = columns.grow;
    } else {
        w->kernel_h = rows.reach + 1;
        w->kernel_w = columns.reach + 1;
        w->stride_h = rows.step > 0 ? rows.step : 1;
        w->stride_w = columns.step > 0 ? columns.step : 1;
    }
    out->global = false;
}

/* ---- The layer ---- */

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct arrange_params *p = params;

    (void)count;
    ZF_CHECK(check_runs(p, in[0], err));
    out->out = (struct zf_shape){p->maps, p->height, p->width};
    find_window(p, in[0], out);
    out->uneven = true; /* the runs are those of whole maps */
    return ZF_OK;
}

static void forward(struct zf_emit *e)
{
    const struct zf_arrangement how = arrangement_of(e->layer->params);

    e->dst =
        e->op->arrange(e->engine, &how, e->src[0],
                       (struct zf_dims){4, {e->src_dims[0].d[0], e->out.c, e->out.h, e->out.w}});
}

static void project(struct zf_emit *e)
{
    const struct zf_arrangement how = arrangement_of(e->layer->params);

    e->diff_src[0] = e->op->arrange_back(e->engine, &how, e->diff_dst, e->src_dims[0]);
}

const struct zf_layer_type zf_layer_arrange = {
    .name = "arrange",
    .help = "the numbers in another order",
    .params_size = sizeof(struct arrange_params),
    .options = arrange_options,
    .option_count = ZF_COUNT(arrange_options),
    .infer = infer,
    .forward = forward,
    .backward = project,
    .project = project,
    .largest = zf_largest_input,
};
