/* SPDX-License-Identifier: MIT */
#include "boxes.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

/* Cells [first, end) of one side of a map; empty where end <= first. */
struct span {
    int64_t first, end;
};

/* A window along one side. */
struct sliding {
    int64_t reach, stride, pad;
};

/* The arithmetic of one side at a time. */
struct walk {
    const struct zf_net *net;
    bool rows;
    struct span *spans; /* [layers + 1] */
};

static int64_t extent_of(const struct walk *walk, int entry)
{
    const struct zf_shape shape = zf_net_shape(walk->net, entry - 1);

    return walk->rows ? shape.h : shape.w;
}

static struct sliding sliding_of(const struct walk *walk, int layer)
{
    const struct zf_window *w = &walk->net->layers[layer].inferred.window;

    return walk->rows ? (struct sliding){zf_window_reach(w->kernel_h, w->dilate_h), w->stride_h,
                                         w->pad_top}
                      : (struct sliding){zf_window_reach(w->kernel_w, w->dilate_w), w->stride_w,
                                         w->pad_left};
}

static bool same_sides(struct zf_shape a, struct zf_shape b)
{
    return a.h == b.h && a.w == b.w;
}

bool zf_layer_is_local(const struct zf_net *net, int layer)
{
    const struct zf_layer *it = &net->layers[layer];

    if (it->inferred.global || it->inferred.uneven || it->inferred.transposed)
        return false;
    for (int k = 1; k < it->input_count; k++) /* one that is repeated is seen from everywhere */
        if (!same_sides(zf_net_shape(net, it->inputs[k]), zf_net_shape(net, it->inputs[0])))
            return false;
    return true;
}

static bool empty(struct span span)
{
    return span.end <= span.first;
}

static void join(struct span *sum, struct span more)
{
    if (empty(more))
        return;
    if (empty(*sum))
        *sum = more;
    sum->first = more.first < sum->first ? more.first : sum->first;
    sum->end = more.end > sum->end ? more.end : sum->end;
}

static struct span inside(struct span span, int64_t extent)
{
    span.first = span.first < 0 ? 0 : span.first;
    span.end = span.end > extent ? extent : span.end;
    return span;
}

/* Rounded down, for negative numbers too. */
static int64_t divide(int64_t number, int64_t by)
{
    return number >= 0 ? number / by : -((by - 1 - number) / by);
}

/* Cells whose window touches the span. */
static struct span above(struct span span, struct sliding by)
{
    return (struct span){divide(span.first - by.reach + by.pad, by.stride) + 1,
                         divide(span.end - 1 + by.pad, by.stride) + 1};
}

/* What the windows of the span's cells cover. */
static struct span below(struct span span, struct sliding by)
{
    return (struct span){span.first * by.stride - by.pad,
                         (span.end - 1) * by.stride - by.pad + by.reach};
}

static void go_up(const struct walk *walk)
{
    for (int i = 0; i < walk->net->layer_count; i++) {
        const struct zf_layer *layer = &walk->net->layers[i];
        const int64_t extent = extent_of(walk, i + 1);
        struct span *span = &walk->spans[i + 1];

        *span = (struct span){0, 0};
        for (int k = 0; k < layer->input_count; k++)
            join(span, walk->spans[layer->inputs[k] + 1]);
        if (empty(*span))
            continue;
        *span = zf_layer_is_local(walk->net, i) ? above(*span, sliding_of(walk, i))
                                                : (struct span){0, extent};
    }
}

static void go_down(const struct walk *walk, int top)
{
    for (int i = top; i >= 0; i--) {
        const struct zf_layer *layer = &walk->net->layers[i];
        const bool local = zf_layer_is_local(walk->net, i);
        struct span *span = &walk->spans[i + 1];

        if (empty(*span))
            continue;
        if (!local)
            *span = (struct span){0, extent_of(walk, i + 1)};
        for (int k = 0; k < layer->input_count; k++) {
            const int64_t extent = extent_of(walk, layer->inputs[k] + 1);

            join(&walk->spans[layer->inputs[k] + 1],
                 local ? inside(below(*span, sliding_of(walk, i)), extent)
                       : (struct span){0, extent});
        }
    }
}

/* Spans of all entries when the start, `size` cells of entry `from`, begins at `position`. */
static void spread(const struct walk *walk, int from, int64_t position, int64_t size)
{
    memset(walk->spans, 0, (size_t)(walk->net->layer_count + 1) * sizeof *walk->spans);
    walk->spans[from] = (struct span){position, position + size};
    if (from == 0)
        go_up(walk);
    else
        go_down(walk, from - 1);
}

/* All boxes of entry i have their size now: move them, or give up what is as large as the map. */
static void settle(struct zf_boxes_side *side, size_t entries, size_t i, int64_t map, bool hangs)
{
    const bool whole = side->extent[i] >= map;

    side->extent[i] = whole ? map : side->extent[i];
    for (int64_t p = 0; p < side->positions; p++) {
        int32_t *first = &side->first[(size_t)p * entries + i];
        const int32_t last = (int32_t)(map - side->extent[i]);

        if (whole || !hangs)
            *first = whole || *first < 0 ? 0 : *first > last ? last : *first;
    }
}

/* Entry `from`, `size` cells at every place. */
static enum zf_status side_init(struct zf_boxes_side *side, struct walk *walk, int from,
                                int64_t size, struct zf_error *err)
{
    const size_t entries = (size_t)walk->net->layer_count + 1;

    side->positions = extent_of(walk, from) - size + 1;
    side->extent = zf_alloc(entries, sizeof *side->extent);
    side->first = zf_alloc((size_t)side->positions * entries, sizeof *side->first);
    if (!side->extent || !side->first)
        return zf_no_memory(err, "boxes at %" PRId64 " places of %zu maps", side->positions,
                            entries);
    for (int64_t p = 0; p < side->positions; p++) {
        spread(walk, from, p, size);
        for (size_t i = 0; i < entries; i++) {
            const struct span span = walk->spans[i];

            side->first[(size_t)p * entries + i] = (int32_t)span.first;
            if (span.end - span.first > side->extent[i])
                side->extent[i] = span.end - span.first;
        }
    }
    for (size_t i = 0; i < entries; i++)
        settle(side, entries, i, extent_of(walk, (int)i), from == 0);
    return ZF_OK;
}

static enum zf_status boxes_init(const struct zf_net *net, int from, int64_t height, int64_t width,
                                 struct zf_boxes *boxes, struct zf_error *err)
{
    struct zf_boxes made = {.layers = net->layer_count};
    struct walk walk = {.net = net, .rows = true};
    enum zf_status status;

    walk.spans = zf_alloc((size_t)net->layer_count + 1, sizeof *walk.spans);
    if (!walk.spans)
        return zf_no_memory(err, "the boxes of %d layers", net->layer_count);
    ZF_TRY(side_init(&made.rows, &walk, from, height, err));
    walk.rows = false;
    ZF_TRY(side_init(&made.columns, &walk, from, width, err));
    *boxes = made;
    made = (struct zf_boxes){0};
fail:
    zf_boxes_release(&made);
    zf_free(walk.spans);
    return status;
}

enum zf_status zf_boxes_up(const struct zf_net *net, int64_t height, int64_t width,
                           struct zf_boxes *boxes, struct zf_error *err)
{
    if (height < 1 || width < 1 || height > net->input.h || width > net->input.w)
        return zf_fail(err, ZF_EINVAL,
                       "a patch of %" PRId64 "x%" PRId64 " of an input of %" PRId64 "x%" PRId64,
                       height, width, net->input.h, net->input.w);
    return boxes_init(net, 0, height, width, boxes, err);
}

enum zf_status zf_boxes_down(const struct zf_net *net, int top, struct zf_boxes *boxes,
                             struct zf_error *err)
{
    return boxes_init(net, top + 1, 1, 1, boxes, err);
}

void zf_boxes_release(struct zf_boxes *boxes)
{
    zf_free(boxes->rows.extent);
    zf_free(boxes->rows.first);
    zf_free(boxes->columns.extent);
    zf_free(boxes->columns.first);
    *boxes = (struct zf_boxes){0};
}

struct zf_corner zf_boxes_corner(const struct zf_boxes *boxes, int entry, struct zf_corner start)
{
    return (struct zf_corner){boxes->rows.first[start.y * (boxes->layers + 1) + entry],
                              boxes->columns.first[start.x * (boxes->layers + 1) + entry]};
}

static struct zf_boxes_part changed(const struct walk *walk, const struct zf_boxes_side *side,
                                    int layer)
{
    const struct sliding by = sliding_of(walk, layer);
    const int below = walk->net->layers[layer].inputs[0] + 1;
    const int64_t entries = walk->net->layer_count + 1;
    const int64_t sees = (side->extent[layer + 1] - 1) * by.stride + by.reach;
    int64_t first = sees, end = 0;

    for (int64_t p = 0; p < side->positions; p++) {
        const int32_t *at = side->first + p * entries;
        const int64_t begins = at[below] - (at[layer + 1] * by.stride - by.pad);

        first = begins < first ? begins : first;
        end = begins + side->extent[below] > end ? begins + side->extent[below] : end;
    }
    first = first < 0 ? 0 : first;
    return (struct zf_boxes_part){first, (end > sees ? sees : end) - first};
}

void zf_boxes_changed(const struct zf_net *net, const struct zf_boxes *boxes, int layer,
                      struct zf_boxes_part *rows, struct zf_boxes_part *columns)
{
    struct walk walk = {.net = net, .rows = true};

    *rows = changed(&walk, &boxes->rows, layer);
    walk.rows = false;
    *columns = changed(&walk, &boxes->columns, layer);
}

static bool sides_coincide(const struct zf_boxes_side *side, int layers, int a, int b)
{
    for (int64_t p = 0; p < side->positions; p++)
        if (side->first[p * (layers + 1) + a] != side->first[p * (layers + 1) + b])
            return false;
    return side->extent[a] == side->extent[b];
}

bool zf_boxes_coincide(const struct zf_boxes *boxes, int a, int b)
{
    return sides_coincide(&boxes->rows, boxes->layers, a, b) &&
           sides_coincide(&boxes->columns, boxes->layers, a, b);
}

void zf_boxes_cost(const struct zf_net *net, const struct zf_boxes *boxes, double *boxed,
                   double *whole)
{
    *boxed = *whole = 0.0;
    for (int i = 0; i < net->layer_count; i++) {
        const struct zf_inferred *layer = &net->layers[i].inferred;
        const double products = (double)layer->fan_in * (double)layer->out.c;
        const double cells =
            (double)boxes->rows.extent[i + 1] * (double)boxes->columns.extent[i + 1];

        if (cells > 0) {
            *boxed += products * cells;
            *whole += products * (double)layer->out.h * (double)layer->out.w;
        }
    }
}
