/* SPDX-License-Identifier: MIT */
/*
 * What feeds a unit, and what hangs on it.
 *
 * Below, the sum that the unit is at its strongest cell is taken apart by the maps that it sums
 * over. Above, nothing is read off the weights: the net runs with the unit and with its map set to
 * zero, and what differs is what the unit does, through whatever layers lie in between.
 */
#include "experiments/unit/unit.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "net/layers/layers.h"

struct wiring {
    const struct zf_net *net;
    struct zf_unit *unit;
    int below;              /* what the source reads; ZF_NET_INPUT = pixels */
    int *above;             /* learned layers that the unit feeds */
    size_t above_count;     /* of them */
    int scores;             /* zf_net_class_layer(), or -1 */
    struct zf_plan *plain;  /* both one picture at a time */
    struct zf_plan *silent; /* the unit's map is zero */
    double **changes;       /* [above_count][maps] */
};

/* ---- Who is wired to whom. ---- */

/* Layers whose map k is made of map k of their one input, in the main. */
static bool keeps_maps(const struct zf_net *net, const struct zf_layer *layer)
{
    return layer->input_count == 1 && layer->inferred.weight.rank < 2 &&
           layer->type != &zf_layer_shuffle && layer->type != &zf_layer_slice &&
           layer->type != &zf_layer_arrange &&
           zf_net_shape(net, layer->inputs[0]).c == layer->inferred.out.c;
}

static int find_source(const struct zf_net *net, int layer)
{
    while (layer != ZF_NET_INPUT && keeps_maps(net, &net->layers[layer]))
        layer = net->layers[layer].inputs[0];
    if (layer != ZF_NET_INPUT &&
        (net->layers[layer].type == &zf_layer_conv || net->layers[layer].type == &zf_layer_fc))
        return layer;
    return -1;
}

bool zf_unit_trace(const struct zf_net *net, int *layer, int64_t *map)
{
    while (*layer != ZF_NET_INPUT) {
        const struct zf_layer *at = &net->layers[*layer];
        int k = 0;

        if (at->type == &zf_layer_conv || at->type == &zf_layer_fc)
            return true;
        if (at->type == &zf_layer_concat) {
            while (*map >= zf_net_shape(net, at->inputs[k]).c)
                *map -= zf_net_shape(net, at->inputs[k++]).c;
        } else if (!keeps_maps(net, at)) {
            return false;
        }
        *layer = at->inputs[k];
    }
    return false;
}

static bool is_learned(const struct zf_layer *layer)
{
    return layer->inferred.weight.rank >= 2 && layer->input_count > 0;
}

/* The first learned layers on every way up. */
static enum zf_status find_above(struct wiring *w, struct zf_error *err)
{
    const struct zf_net *net = w->net;
    bool *open = zf_alloc((size_t)net->layer_count, sizeof *open); /* changes, and is passed on */

    w->above = zf_alloc((size_t)net->layer_count, sizeof *w->above);
    if (!open || !w->above) {
        zf_free(open);
        return zf_no_memory(err, "%d layers", net->layer_count);
    }
    open[w->unit->layer] = true;
    for (int i = w->unit->layer + 1; i < net->layer_count; i++) {
        bool reached = false;

        for (int k = 0; k < net->layers[i].input_count; k++)
            reached |= net->layers[i].inputs[k] >= 0 && open[net->layers[i].inputs[k]];
        if (reached && is_learned(&net->layers[i]))
            w->above[w->above_count++] = i;
        else
            open[i] = reached;
    }
    zf_free(open);
    return ZF_OK;
}

static enum zf_status allocate_changes(struct wiring *w, struct zf_error *err)
{
    w->changes = zf_alloc(w->above_count, sizeof *w->changes);
    for (size_t i = 0; w->changes && i < w->above_count; i++) {
        const int64_t maps = w->net->layers[w->above[i]].inferred.out.c;

        w->changes[i] = zf_alloc((size_t)maps, sizeof **w->changes);
        if (!w->changes[i])
            return zf_no_memory(err, "%" PRId64 " maps", maps);
    }
    return w->changes ? ZF_OK : zf_no_memory(err, "%zu layers", w->above_count);
}

static enum zf_status make_plans(struct wiring *w, const struct zf_unit_options *options,
                                 struct zf_error *err)
{
    const struct zf_silence silence = {options->layer, options->map};
    int *taps = zf_alloc(w->above_count + 3, sizeof *taps);
    struct zf_plan_options how = {.compute = zf_compute_batch(options->compute, 1),
                                  .purpose = ZF_INFER,
                                  .brief = true,
                                  .taps = taps};
    enum zf_status status;

    if (!taps)
        return zf_no_memory(err, "%zu layers", w->above_count);
    memcpy(taps, w->above, w->above_count * sizeof *taps);
    how.tap_count = w->above_count;
    if (w->scores >= 0)
        taps[how.tap_count++] = w->scores;
    how.silence = &silence;
    ZF_TRY(zf_plan_create(w->net, &how, &w->silent, err));
    how.silence = NULL;
    if (w->unit->source >= 0) {
        taps[how.tap_count++] = w->unit->source;
        if (w->below != ZF_NET_INPUT)
            taps[how.tap_count++] = w->below;
    }
    ZF_TRY(zf_plan_create(w->net, &how, &w->plain, err));
fail:
    zf_free(taps);
    return status;
}

/* ---- Below. ---- */

/* What a map of a convolution's input adds at a cell of its output. */
static double window_sum(const struct zf_layer *layer, const float *weight, const float *map,
                         struct zf_shape in, int64_t y, int64_t x)
{
    const struct zf_window *window = &layer->inferred.window;
    double sum = 0.0;

    for (int64_t i = 0; i < window->kernel_h * window->kernel_w; i++) {
        const int64_t row =
            y * window->stride_h - window->pad_top + i / window->kernel_w * (window->dilate_h + 1);
        const int64_t column =
            x * window->stride_w - window->pad_left + i % window->kernel_w * (window->dilate_w + 1);

        if (row >= 0 && row < in.h && column >= 0 && column < in.w)
            sum += (double)weight[i] * (double)map[row * in.w + column];
    }
    return sum;
}

static double vector_sum(const float *weight, const float *values, int64_t count)
{
    double sum = 0.0;

    for (int64_t i = 0; i < count; i++)
        sum += (double)weight[i] * (double)values[i];
    return sum;
}

/* Add up what each map of the source's input `values` gives at its strongest cell. */
static void add_sums(const struct wiring *w, const float *values, int64_t y, int64_t x,
                     double *sums)
{
    const struct zf_layer *layer = &w->net->layers[w->unit->source];
    const struct zf_shape in = zf_net_shape(w->net, w->below);
    const int64_t cells = in.h * in.w, groups = layer->inferred.window.groups;
    const float *weight = w->net->parameters + w->net->slots[layer->first_parameter].offset;

    if (layer->type == &zf_layer_fc) {
        weight += w->unit->map * in.c * cells;
        for (int64_t c = 0; c < in.c; c++)
            sums[c] += vector_sum(weight + c * cells, values + c * cells, cells);
        return;
    }
    {
        const int64_t fan = in.c / groups;
        const int64_t first = w->unit->map / (layer->inferred.out.c / groups) * fan;
        const int64_t kernel = layer->inferred.window.kernel_h * layer->inferred.window.kernel_w;

        for (int64_t i = 0; i < fan; i++)
            sums[first + i] += window_sum(layer, weight + (w->unit->map * fan + i) * kernel,
                                          values + (first + i) * cells, in, y, x);
    }
}

static enum zf_status take_apart(const struct wiring *w, const struct zf_tensor *input,
                                 double *sums, struct zf_error *err)
{
    const struct zf_shape in = zf_net_shape(w->net, w->below);
    const struct zf_shape out = zf_net_shape(w->net, w->unit->source);
    struct zf_tensor values = {0};
    float *strongest = zf_alloc((size_t)out.c, sizeof *strongest);
    int32_t *where = zf_alloc((size_t)out.c, sizeof *where);
    enum zf_status status;

    if (!strongest || !where)
        ZF_LEAVE(zf_no_memory(err, "%" PRId64 " maps", out.c));
    ZF_TRY(zf_tensor_init(&values, 1, in.c, in.h, in.w, err));
    if (w->below == ZF_NET_INPUT)
        memcpy(values.data, input->data, (size_t)zf_tensor_count(&values) * sizeof *values.data);
    else
        zf_plan_read(w->plain, w->below, &values);
    zf_plan_maxima(w->plain, w->unit->source, strongest, where);
    add_sums(w, values.data, where[w->unit->map] / out.w, where[w->unit->map] % out.w, sums);
    w->unit->source_value += (double)strongest[w->unit->map];
fail:
    zf_tensor_release(&values);
    zf_free(strongest);
    zf_free(where);
    return status;
}

/* ---- Above. ---- */

/* Of two arrays of a map's cells, the difference of largest magnitude. */
static double most_changed(const float *with, const float *without, int64_t cells)
{
    double most = 0.0;

    for (int64_t i = 0; i < cells; i++) {
        const double change = (double)with[i] - (double)without[i];

        if (fabs(change) > fabs(most))
            most = change;
    }
    return most;
}

/* Add to changes [maps] how a layer differs with the unit and without it. */
static enum zf_status add_changes(const struct wiring *w, int layer, double *changes,
                                  struct zf_error *err)
{
    const struct zf_shape out = zf_net_shape(w->net, layer);
    struct zf_tensor with = {0}, without = {0};
    enum zf_status status;

    ZF_TRY(zf_tensor_init(&with, 1, out.c, out.h, out.w, err));
    ZF_TRY(zf_tensor_init(&without, 1, out.c, out.h, out.w, err));
    zf_plan_read(w->plain, layer, &with);
    zf_plan_read(w->silent, layer, &without);
    for (int64_t m = 0; m < out.c; m++) {
        const int64_t cells = out.h * out.w;

        changes[m] += most_changed(with.data + m * cells, without.data + m * cells, cells);
    }
fail:
    zf_tensor_release(&with);
    zf_tensor_release(&without);
    return status;
}

static int64_t largest(const struct zf_tensor *answer)
{
    int64_t best = 0;

    for (int64_t k = 1; k < answer->c; k++) {
        if (answer->data[k] > answer->data[best])
            best = k;
    }
    return best;
}

static enum zf_status compare_answers(const struct wiring *w, struct zf_unit_answer *out,
                                      struct zf_error *err)
{
    struct zf_tensor with = {0}, without = {0};
    enum zf_status status;

    ZF_TRY(zf_tensor_init(&with, 1, zf_net_class_count(w->net), 1, 1, err));
    ZF_TRY(zf_tensor_init(&without, 1, zf_net_class_count(w->net), 1, 1, err));
    ZF_TRY(zf_plan_answer(w->plain, &with, err));
    ZF_TRY(zf_plan_answer(w->silent, &without, err));
    out->class = largest(&with);
    out->silenced_class = largest(&without);
    out->value = with.data[out->class];
    out->silenced_value = without.data[out->class];
fail:
    zf_tensor_release(&with);
    zf_tensor_release(&without);
    return status;
}

/* ---- A group of pictures. ---- */

static enum zf_status run_group(const struct wiring *w, enum zf_unit_group which, double *sums,
                                struct zf_error *err)
{
    struct zf_unit_pictures *group = &w->unit->groups[which];
    const struct zf_shape in = w->net->input;
    const int64_t each = in.c * in.h * in.w;

    for (size_t i = 0; i < group->count; i++) {
        const struct zf_tensor input =
            zf_tensor_view(group->album.inputs.data + (int64_t)i * each, 1, in.c, in.h, in.w);

        zf_plan_forward(w->plain, &input);
        zf_plan_forward(w->silent, &input);
        if (w->scores >= 0)
            ZF_CHECK(compare_answers(w, &group->answers[i], err));
        if (which != ZF_UNIT_STRONGEST)
            continue;
        if (w->unit->source >= 0)
            ZF_CHECK(take_apart(w, &input, sums, err));
        if (w->scores >= 0)
            ZF_CHECK(add_changes(w, w->scores, w->unit->votes, err));
        for (size_t k = 0; k < w->above_count; k++)
            ZF_CHECK(add_changes(w, w->above[k], w->changes[k], err));
    }
    return ZF_OK;
}

/* ---- The strongest of many. ---- */

/* Keep the links of largest magnitude, in order; what comes first stays first. */
static void offer(struct zf_unit_link *links, size_t *count, struct zf_unit_link link)
{
    size_t at = *count;

    if (!(fabs(link.share) > 0.0))
        return;
    while (at > 0 && fabs(links[at - 1].share) < fabs(link.share))
        at--;
    if (at == ZF_UNIT_LINKS)
        return;
    *count += *count < ZF_UNIT_LINKS;
    memmove(links + at + 1, links + at, (*count - at - 1) * sizeof *links);
    links[at] = link;
}

static void conclude(const struct wiring *w, const double *sums)
{
    struct zf_unit *unit = w->unit;
    const double count = (double)unit->groups[ZF_UNIT_STRONGEST].count;

    if (unit->source >= 0) {
        const struct zf_layer *layer = &w->net->layers[unit->source];

        for (int64_t c = 0; c < zf_net_shape(w->net, w->below).c; c++)
            offer(unit->feeds, &unit->feed_count,
                  (struct zf_unit_link){w->below, c, sums[c] / count});
        unit->source_value /= count;
        if (layer->parameter_count > 1)
            unit->bias =
                (double)w->net
                    ->parameters[w->net->slots[layer->first_parameter + 1].offset + unit->map];
    }
    for (int64_t k = 0; k < unit->vote_count; k++)
        unit->votes[k] /= count;
    for (size_t i = 0; i < w->above_count; i++) {
        for (int64_t m = 0; m < w->net->layers[w->above[i]].inferred.out.c; m++)
            offer(unit->fed, &unit->fed_count,
                  (struct zf_unit_link){w->above[i], m, w->changes[i][m] / count});
    }
}

static void release(struct wiring *w)
{
    zf_plan_free(&w->plain);
    zf_plan_free(&w->silent);
    for (size_t i = 0; w->changes && i < w->above_count; i++)
        zf_free(w->changes[i]);
    zf_free(w->changes);
    zf_free(w->above);
}

const char *zf_unit_vote_name(const struct zf_net *net, const struct zf_unit *unit, int64_t k)
{
    const bool yes = unit->vote_count == 1 && zf_net_class_count(net) == 2;

    return zf_net_label(net, yes ? 1 : k);
}

enum zf_status zf_unit_wire(const struct zf_net *net, const struct zf_unit_options *options,
                            struct zf_unit *unit, const struct zf_monitor *monitor,
                            struct zf_error *err)
{
    struct wiring w = {.net = net, .unit = unit, .scores = -1};
    double *sums = NULL;
    enum zf_status status;

    unit->source = find_source(net, options->layer);
    w.below = unit->source >= 0 ? net->layers[unit->source].inputs[0] : ZF_NET_INPUT;
    if (zf_net_check_answers(net, NULL) == ZF_OK) {
        w.scores = zf_net_class_layer(net);
        unit->vote_count = zf_net_layer(net, w.scores).shape.c;
        unit->votes = zf_alloc((size_t)unit->vote_count, sizeof *unit->votes);
        if (!unit->votes)
            return zf_no_memory(err, "%" PRId64 " classes", unit->vote_count);
    }
    sums = zf_alloc((size_t)zf_net_shape(net, w.below).c, sizeof *sums);
    if (!sums)
        return zf_no_memory(err, "the maps of %s", zf_net_name(net));
    ZF_TRY(find_above(&w, err));
    ZF_TRY(allocate_changes(&w, err));
    ZF_TRY(make_plans(&w, options, err));
    for (int g = ZF_UNIT_STRONGEST; g <= ZF_UNIT_MIDDLE; g++) {
        if (!zf_monitor_progress(monitor, "silencing", g, 2))
            ZF_LEAVE(zf_fail(err, ZF_ECANCELED, "stopped before the unit was silenced"));
        ZF_TRY(run_group(&w, (enum zf_unit_group)g, sums, err));
    }
    conclude(&w, sums);
fail:
    zf_free(sums);
    release(&w);
    return status;
}
