/* SPDX-License-Identifier: MIT */
#include "engine_bench.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"

#define SEEDS 5 /* of an operation, unless one is named */

void engine_bench_title(void)
{
    puts("operation,seed,engine,threads,runs,ns,spread,gflops,ratio,shape");
}

/* Returns the median. */
static double bench_engine(const struct engine_cases *cases, uint64_t seed,
                           const struct zf_engine_ops *engine, double reference_ns)
{
    struct timing t = {0};
    struct outcome outcome;

    timed_outcome_of(cases->run, engine, seed, &t, &outcome);
    printf("%s,%" PRIu64 ",%s,%d,%d,%.0f,%.3f,", cases->name, seed, engine->name, t.threads, t.runs,
           t.ns, t.spread);
    if (t.products > 0)
        printf("%.2f", 2.0 * t.products / t.ns);
    printf(",%.2f,\"%s\"\n", (reference_ns > 0 ? reference_ns : t.ns) / t.ns, outcome.shape);
    outcome_release(&outcome);
    return t.ns;
}

bool engine_bench(const struct engine_cases *table, const char *name, const char *seed)
{
    const uint64_t first = seed ? strtoull(seed, NULL, 10) : 0;
    bool any = false;

    for (const struct engine_cases *cases = table; cases->name; cases++) {
        const uint64_t end = first + (uint64_t)(seed                   ? 1
                                                : cases->count < SEEDS ? cases->count
                                                                       : SEEDS);

        if (name && strcmp(name, cases->name) != 0)
            continue;
        any = true;
        for (uint64_t s = first; s < end; s++) {
            const double ns = bench_engine(cases, s, &zf_engine_reference, 0.0);

            for (size_t i = 0; zf_engine_at(i); i++)
                if (zf_engine_at(i) != &zf_engine_reference)
                    bench_engine(cases, s, zf_engine_at(i), ns);
        }
    }
    return any;
}

/* ---- Layers of zfnet ---- */

static const struct layer {
    struct zf_dims src;
    struct zf_window window;
    int64_t maps;
} layers[] = {
    {{4, {4, 3, 224, 224}}, {7, 7, 2, 2, 1, 1, 1, 1, 1, 0, 0}, 96},
    {{4, {4, 96, 55, 55}}, {5, 5, 2, 2, 0, 0, 0, 0, 1, 0, 0}, 256},
    {{4, {4, 256, 13, 13}}, {3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0}, 384},
    {{4, {4, 384, 13, 13}}, {3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0}, 384},
    {{4, {4, 384, 13, 13}}, {3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0}, 256},
};

struct operands {
    const struct layer *layer;
    struct zf_dims dst_dims;
    zf_value src, weight, diff_dst;
};

static struct operands layer_of(struct rig *rig)
{
    const struct layer *l = &layers[rig->seed % ZF_COUNT(layers)];
    const struct zf_dims dst = zf_window_dims(&l->window, l->src, l->maps);
    const struct zf_dims weight =
        dims4(l->maps, l->src.d[1], l->window.kernel_h, l->window.kernel_w);
    const double terms = (double)(weight.d[1] * weight.d[2] * weight.d[3]);
    struct operands o = {.layer = l, .dst_dims = dst};

    rig_create_engine(rig, l->src.d[0], false, false);
    rig_describe(rig, "layer %d of zfnet, 4 pictures", (int)(l - layers) + 1);
    rig_products(rig, (double)dims_count(dst) * terms);
    o.src = rig_input(rig, l->src, NORMAL, 1.0);
    o.diff_dst = rig_input(rig, dst, NORMAL, 1.0);
    o.weight = rig_host(rig, weight, NORMAL, 1.0 / sqrt(terms));
    return o;
}

static void run_layer(struct rig *rig, zf_value result)
{
    rig->ops->keep(rig->e, result);
    rig_finish(rig);
    rig_forward(rig);
}

static void layer_forward(struct rig *rig)
{
    const struct operands o = layer_of(rig);

    run_layer(rig,
              rig->ops->conv_forward(rig->e, &o.layer->window, o.src, o.weight, ZF_NO_VALUE, true));
}

static void layer_backward_data(struct rig *rig)
{
    const struct operands o = layer_of(rig);

    run_layer(rig, rig->ops->conv_backward_data(rig->e, &o.layer->window, o.diff_dst, o.weight,
                                                o.layer->src));
}

static void layer_backward_weights(struct rig *rig)
{
    const struct operands o = layer_of(rig);

    rig->ops->conv_backward_weights(rig->e, &o.layer->window, o.src, o.diff_dst, o.weight,
                                    ZF_NO_VALUE);
    rig_finish(rig);
    rig_forward(rig);
}

static void in_bf16(struct rig *rig, engine_case *layer)
{
    rig->bf16 = true;
    layer(rig);
}

static void layer_forward_bf16(struct rig *rig)
{
    in_bf16(rig, layer_forward);
}

static void layer_backward_data_bf16(struct rig *rig)
{
    in_bf16(rig, layer_backward_data);
}

static void layer_backward_weights_bf16(struct rig *rig)
{
    in_bf16(rig, layer_backward_weights);
}

const struct engine_cases engine_layers[] = {
    {"layer_forward", ZF_COUNT(layers), layer_forward},
    {"layer_backward_data", ZF_COUNT(layers), layer_backward_data},
    {"layer_backward_weights", ZF_COUNT(layers), layer_backward_weights},
    {"layer_forward_bf16", ZF_COUNT(layers), layer_forward_bf16},
    {"layer_backward_data_bf16", ZF_COUNT(layers), layer_backward_data_bf16},
    {"layer_backward_weights_bf16", ZF_COUNT(layers), layer_backward_weights_bf16},
    {NULL, 0, NULL},
};
