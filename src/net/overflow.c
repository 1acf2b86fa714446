/* SPDX-License-Identifier: MIT */
/*
 * Whether all activations of a run were finite. Rectifiers, maxima, sigmoids and softmaxes make
 * ordinary numbers of infinity and NaN, so the answers do not show it; and looking at every
 * activation would cost several per cent of a run.
 *
 * So they are bounded: no number of a convolution's output is larger than the largest of its input
 * times the largest sum of magnitudes in a filter, plus a bias, and each layer type says the like
 * of itself. From the largest number of the input the bounds of a few layers follow; they grow
 * tenfold or a hundredfold a layer, and where they would come near the largest float, an output in
 * between is looked at, and they start anew from what it really holds. As long as no bound comes
 * near, nothing can have overflowed. Only where one does is the input run again, with all layers in
 * view.
 */
#include "plan.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/status.h"
#include "engine/parallel.h"
#include "net/layers/layers.h"

#define LANES 16
#define PARTS 64 /* that threads share */

/* Fast algorithms and the sums of averages go some way beyond the numbers that come of them. */
#define LARGEST 1e30
#define LARGEST_TO_SQUARE 1e15

/* When a plan is made, numbers are taken to be no larger than this where they are looked at. */
#define ASSUMED 1e6
#define LARGEST_PLANNED 1e26

/* ---- How large the parameters are. ---- */

static double sum_of_magnitudes(const float *numbers, int64_t count)
{
    float lanes[LANES] = {0};
    double sum = 0;
    int64_t i = 0;

    for (; i + LANES <= count; i += LANES)
        for (int k = 0; k < LANES; k++)
            lanes[k] += fabsf(numbers[i + k]);
    for (; i < count; i++)
        sum += fabs((double)numbers[i]);
    for (int k = 0; k < LANES; k++)
        sum += (double)lanes[k];
    return isfinite(sum) ? sum : INFINITY;
}

/* The largest of the sums of `rows` rows. */
static double largest_row(const struct zf_plan *plan, const float *numbers, int64_t rows,
                          int64_t row)
{
    double found[PARTS] = {0}, most = 0;

    ZF_PARALLEL_FOR(plan->watch.compute.threads)
    for (int64_t part = 0; part < PARTS; part++)
        for (int64_t i = rows * part / PARTS; i < rows * (part + 1) / PARTS; i++)
            found[part] = fmax(found[part], sum_of_magnitudes(numbers + i * row, row));
    for (int64_t part = 0; part < PARTS; part++)
        most = fmax(most, found[part]);
    return most;
}

void zf_watch_refresh(struct zf_plan *plan)
{
    const struct zf_net *net = plan->net;

    for (int i = 0; plan->watch.weight && i < net->layer_count; i++) {
        const struct zf_layer *layer = &net->layers[i];

        for (int k = 0; k < layer->parameter_count; k++) {
            const struct zf_parameter_slot *slot = &net->slots[layer->first_parameter + k];
            const int64_t rows = slot->dims.d[0];
            double *largest = slot->is_bias ? plan->watch.bias : plan->watch.weight;

            largest[i] =
                largest_row(plan, net->parameters + slot->offset, rows, slot->count / rows);
        }
    }
}

/* ---- Which outputs are looked at. ---- */

/* Of layer i by those of its inputs; NAN where it must be looked at. */
static double bound_of(const struct zf_plan *plan, int i, double input)
{
    const struct zf_layer *layer = &plan->net->layers[i];
    double in[ZF_LAYER_INPUTS];

    for (int k = 0; k < layer->input_count; k++)
        in[k] = layer->inputs[k] == ZF_NET_INPUT ? input : plan->watch.bound[layer->inputs[k]];
    return layer->type->largest
               ? layer->type->largest(layer, &(struct zf_magnitudes){in, layer->input_count,
                                                                     plan->watch.weight[i],
                                                                     plan->watch.bias[i]})
               : NAN;
}

static bool squares_too_much(const struct zf_plan *plan, int i, double input)
{
    const struct zf_layer *layer = &plan->net->layers[i];
    const int below = layer->inputs[0];

    return layer->type->squares &&
           (below == ZF_NET_INPUT ? input : plan->watch.bound[below]) > LARGEST_TO_SQUARE;
}

/* Of each layer, whether all that is further up comes through it: nothing leads past it. */
static void find_necks(const struct zf_net *net, const bool *needed, bool *neck)
{
    for (int i = 0; i < net->layer_count; i++) {
        neck[i] = needed[i];
        for (int k = 0; needed[i] && k < net->layers[i].input_count; k++)
            for (int past = net->layers[i].inputs[k] + 1; past < i; past++)
                neck[past] = false;
    }
}

static int64_t size_of(const struct zf_plan *plan, int layer)
{
    const struct zf_shape shape = zf_net_shape(plan->net, layer);

    return shape.c * shape.h * shape.w;
}

/* A rectifier above is done along with sums of products, unless these are looked at. */
static bool makes_products(const struct zf_layer *layer)
{
    return layer->inferred.weight.rank >= 2;
}

/* The smallest neck below layer i from where bounds reach i with half of their room left. */
static int find_neck(const struct zf_plan *plan, int i, const bool *neck)
{
    int best = ZF_NET_INPUT;

    for (int k = 0; k < i; k++)
        if (neck[k] && !makes_products(&plan->net->layers[k]) &&
            plan->watch.bound[k] > sqrt(ASSUMED * LARGEST_PLANNED) &&
            (best == ZF_NET_INPUT || size_of(plan, k) <= size_of(plan, best)))
            best = k;
    return best;
}

/* Of maps that are joined each part, since it may be joined to others, too. Returns the first that
   was not looked at before, or the number of layers. */
static int look_at(struct zf_plan *plan, int k)
{
    const struct zf_layer *layers = plan->net->layers;
    int from = k, first = plan->net->layer_count;

    if (k == ZF_NET_INPUT || plan->watch.bound[k] <= ASSUMED)
        return first;
    while (from != ZF_NET_INPUT && layers[from].input_count == 1 && !makes_products(&layers[from]))
        from = layers[from].inputs[0];
    if (from != ZF_NET_INPUT && layers[from].type == &zf_layer_concat) {
        for (int m = 0; m < layers[from].input_count; m++) {
            const int part = look_at(plan, layers[from].inputs[m]);

            first = part < first ? part : first;
        }
        return first;
    }
    plan->watch.looked[k] = true;
    plan->watch.bound[k] = ASSUMED;
    return k;
}

/* Bounds of all layers, as if from the input on nothing were larger than ASSUMED; where they grow
   too large, outputs below are looked at, and those above begin anew. */
static void choose(struct zf_plan *plan, const bool *needed, const bool *neck)
{
    struct zf_watch *watch = &plan->watch;
    const struct zf_layer *layers = plan->net->layers;
    bool tried = false; /* to help this layer */

    for (int i = 0; i < plan->net->layer_count;) {
        const double bound = needed[i] ? bound_of(plan, i, ASSUMED) : 0;

        if (!tried && (bound > LARGEST_PLANNED || squares_too_much(plan, i, ASSUMED))) {
            int first = look_at(plan, find_neck(plan, i, neck));

            for (int k = 0; first > i && k < layers[i].input_count; k++)
                first = look_at(plan, layers[i].inputs[k]);
            tried = first > i;
            i = tried ? i : first + 1;
            continue;
        }
        watch->looked[i] |= isnan(bound);
        watch->bound[i] = watch->looked[i] && !(bound <= ASSUMED) ? ASSUMED : bound;
        tried = false;
        i++;
    }
}

enum zf_status zf_watch_init(struct zf_plan *plan, const bool *needed, struct zf_error *err)
{
    struct zf_watch *watch = &plan->watch;
    const size_t layers = (size_t)plan->net->layer_count;
    bool *neck = zf_alloc(layers, sizeof *neck);
    enum zf_status status = ZF_OK;

    watch->weight = zf_alloc(layers, sizeof *watch->weight);
    watch->bias = zf_alloc(layers, sizeof *watch->bias);
    watch->bound = zf_alloc(layers, sizeof *watch->bound);
    watch->looked = zf_alloc(layers, sizeof *watch->looked);
    if (neck && watch->weight && watch->bias && watch->bound && watch->looked) {
        zf_watch_refresh(plan);
        find_necks(plan->net, needed, neck);
        choose(plan, needed, neck);
    } else {
        status = zf_no_memory(err, "the bounds of %zu layers", layers);
    }
    zf_free(neck);
    return status;
}

void zf_watch_release(struct zf_plan *plan)
{
    zf_plan_free(&plan->watch.slow);
    zf_free(plan->watch.weight);
    zf_free(plan->watch.bias);
    zf_free(plan->watch.bound);
    zf_free(plan->watch.looked);
}

/* ---- A run. ---- */

/* Whether the bounds show that all was finite. */
static bool is_bounded(struct zf_plan *plan, int64_t rows)
{
    const double input = (double)plan->op->largest(plan->engine, plan->input, rows);

    if (!(input <= LARGEST))
        return false;
    for (int i = 0; i < plan->net->layer_count; i++) {
        double bound;

        if (plan->outputs[i] == ZF_NO_VALUE)
            continue;
        bound = bound_of(plan, i, input);
        if (squares_too_much(plan, i, input) || bound > LARGEST)
            return false;
        if (plan->watch.looked[i])
            bound = (double)plan->op->largest(plan->engine, plan->outputs[i], rows);
        if (!(bound <= LARGEST))
            return false;
        plan->watch.bound[i] = bound;
    }
    return true;
}

/* ---- Layer by layer. ---- */

static enum zf_status make_slow(struct zf_plan *plan, struct zf_error *err)
{
    const int layers = plan->net->layer_count;
    struct zf_plan_options options = {
        .compute = plan->watch.compute,
        .purpose = ZF_INFER,
        .brief = true,
        .taps_only = true,
    };
    int *taps = zf_alloc((size_t)layers, sizeof *taps);
    enum zf_status status;

    if (!taps)
        return zf_no_memory(err, "%d layers", layers);
    for (int i = 0; i < layers; i++) {
        if (plan->outputs[i] != ZF_NO_VALUE)
            taps[options.tap_count++] = i;
    }
    options.taps = taps;
    options.compute.batch = 1;
    status = zf_plan_create(plan->net, &options, &plan->watch.slow, err);
    zf_free(taps);
    return status;
}

/* The logarithm of a probability that rounds to zero is what it should be, and no accident. */
static bool is_wrong(const struct zf_layer *layer, float number)
{
    return zf_layer_is_logarithm(layer) ? isnan(number) : !isfinite(number);
}

static enum zf_status check_layer(const struct zf_plan *plan, int i, float *room, int64_t count,
                                  struct zf_error *err)
{
    const struct zf_layer *layer = &plan->net->layers[i];
    const float most = layer->type->squares ? sqrtf(FLT_MAX) : FLT_MAX;
    const int below = layer->inputs[0];
    int64_t bad = 0, of = 0;

    if (layer->type->squares && below != ZF_NET_INPUT) {
        const struct zf_shape in = zf_net_shape(plan->net, below);

        of = in.c * in.h * in.w;
        zf_plan_read(plan->watch.slow, below,
                     &(struct zf_tensor){1, in.c, in.h, in.w, .data = room});
        for (int64_t k = 0; k < of; k++)
            bad += fabsf(room[k]) > most;
        if (bad > 0)
            return zf_fail(err, ZF_EINPUT,
                           "%s overflows at %s: %" PRId64 " of its %" PRId64
                           " inputs are so large that their squares are infinite",
                           plan->net->name, layer->name, bad, of);
    }
    zf_plan_read(plan->watch.slow, i,
                 &(struct zf_tensor){1, layer->inferred.out.c, layer->inferred.out.h,
                                     layer->inferred.out.w, .data = room});
    for (int64_t k = 0; k < count; k++)
        bad += is_wrong(layer, room[k]);
    if (bad == 0)
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT,
                   "%s overflows: %s is the first layer with activations that are NaN or infinite, "
                   "%" PRId64 " of %" PRId64,
                   plan->net->name, layer->name, bad, count);
}

static enum zf_status look_at_all(struct zf_plan *plan, const struct zf_tensor *src,
                                  int64_t *sample, struct zf_error *err)
{
    const int layers = plan->net->layer_count;
    const int64_t each = src->c * src->h * src->w;
    enum zf_status status = ZF_OK;
    int64_t most = 1;
    float *room;

    for (int i = 0; i < layers; i++) {
        const struct zf_shape shape = zf_net_shape(plan->net, i);

        most = shape.c * shape.h * shape.w > most ? shape.c * shape.h * shape.w : most;
    }
    room = zf_alloc((size_t)most, sizeof *room);
    if (!room)
        return zf_no_memory(err, "%" PRId64 " activations", most);
    if (!plan->watch.slow)
        ZF_TRY(make_slow(plan, err));
    for (int64_t n = 0; n < src->n; n++) {
        const struct zf_tensor one =
            zf_tensor_view(src->data + n * each, 1, src->c, src->h, src->w);

        zf_plan_forward(plan->watch.slow, &one);
        for (int i = 0; i < layers; i++) {
            const struct zf_shape shape = zf_net_shape(plan->net, i);

            if (plan->outputs[i] == ZF_NO_VALUE)
                continue;
            if (sample)
                *sample = n;
            ZF_TRY(check_layer(plan, i, room, shape.c * shape.h * shape.w, err));
        }
    }
fail:
    zf_free(room);
    return status;
}

enum zf_status zf_plan_check_finite(struct zf_plan *plan, const struct zf_tensor *src,
                                    int64_t *sample, struct zf_error *err)
{
    return is_bounded(plan, src->n) ? ZF_OK : look_at_all(plan, src, sample, err);
}
