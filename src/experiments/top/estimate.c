/* SPDX-License-Identifier: MIT */
/*
 * How long a run will take, said before it begins: one batch of grey pictures is timed, and what
 * the rest costs is counted in runs of the net.
 */
#include "experiments/top/top.h"

#include "base/clock.h"
#include "base/memory.h"
#include "look/look.h"

enum { TRIED = 4 }; /* pictures that are timed */

/* Pictures are run twice, to find the strongest and to project them. A projection, which comes from
   its patch alone, takes about as long as a run up to its layer: so it was on SqueezeNet, 0.8 to
   1.2 times. */
#define RUNS_OF_A_PICTURE 2.0

/* Multiply-adds up to a layer, as a share of the net's. */
static double share_below(const struct zf_net *net, int layer)
{
    const double all = (double)zf_net_macs(net, -1);
    double below = 0.0;

    for (int i = 0; i <= layer; i++)
        below += (double)zf_net_macs(net, i);
    return all > 0.0 ? below / all : 1.0;
}

/* Runs of the net on one picture that all projections come to. */
static double projected_runs(const struct zf_net *net, const struct zf_top_options *options,
                             int64_t images)
{
    double runs = 0.0;

    for (size_t i = 0; i < options->layer_count; i++) {
        const int layer = options->layers[i];
        int64_t maps = zf_net_layer(net, layer).shape.c;

        if (options->max_maps > 0 && options->max_maps < maps)
            maps = options->max_maps;
        if (options->maps)
            maps = (int64_t)options->map_count;
        runs += (double)maps * (double)zf_top_capacity(options, images) * share_below(net, layer);
    }
    return runs;
}

enum zf_status zf_top_estimate(const struct zf_net *net, int64_t images,
                               const struct zf_top_options *options, double *seconds,
                               struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(net);
    enum zf_status status;
    struct zf_plan *plan = NULL;
    struct zf_tensor input = {0};
    double began;

    ZF_TRY(zf_tensor_init(&input, TRIED, in.c, in.h, in.w, err));
    ZF_TRY(zf_plan_create(
        net,
        &(struct zf_plan_options){.compute = zf_compute_batch(options->compute, TRIED),
                                  .purpose = ZF_INFER,
                                  .brief = true},
        &plan, err));
    zf_plan_forward(plan, &input); /* the first run makes room for itself */
    began = zf_clock_s();
    zf_plan_forward(plan, &input);
    *seconds = (zf_clock_s() - began) / TRIED *
               (RUNS_OF_A_PICTURE * (double)images + projected_runs(net, options, images));
fail:
    zf_plan_free(&plan);
    zf_tensor_release(&input);
    return status;
}
