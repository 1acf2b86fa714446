/* SPDX-License-Identifier: MIT */
/*
 * The paper's section 2.1: choose an activation, and lead it back to the pixels it came from.
 *
 * A forward run leaves the activations and the switches of every pooling in the plan. All other
 * activations of the layer are then set to zero, and the layers below are reversed one by one:
 * unpooled to the switches, rectified, filtered with the transposed weights. How a type of layer is
 * reversed is beside its forward in src/net/layers/ (`project`); which activation is taken, for one
 * picture, is decided here. Many, of many pictures, are project_top.c's.
 */
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/status.h"
#include "zf/look.h"

enum zf_status zf_activation_check(const struct zf_net *net, const struct zf_activation *wanted,
                                   struct zf_error *err)
{
    struct zf_layer_info info;

    if (wanted->layer < 0 || wanted->layer >= zf_net_layer_count(net))
        return zf_fail(err, ZF_EINVAL, "layer %d is not among the %d of %s", wanted->layer,
                       zf_net_layer_count(net), zf_net_name(net));
    info = zf_net_layer(net, wanted->layer);
    if (wanted->map < -1 || wanted->map >= info.shape.c)
        return zf_fail(err, ZF_EINVAL,
                       "map %" PRId64 " is not among the maps 0 to %" PRId64 " of %s", wanted->map,
                       info.shape.c - 1, info.name);
    if ((wanted->y < 0) != (wanted->x < 0) || wanted->y >= info.shape.h ||
        wanted->x >= info.shape.w)
        return zf_fail(err, ZF_EINVAL,
                       "(%" PRId64 ", %" PRId64 ") is not among the %" PRId64 " x %" PRId64
                       " cells of %s",
                       wanted->y, wanted->x, info.shape.h, info.shape.w, info.name);
    return ZF_OK;
}

/* Of each map the activation that may be taken: at the place, or the strongest. */
static void list_candidates(struct zf_plan *plan, const struct zf_activation *wanted,
                            struct zf_shape shape, float *value, int32_t *where)
{
    if (wanted->y < 0) {
        zf_plan_maxima(plan, wanted->layer, value, where);
        return;
    }
    for (int64_t map = 0; map < shape.c; map++) {
        value[map] = zf_plan_activation(plan, wanted->layer,
                                        (struct zf_place){0, map, wanted->y, wanted->x});
        where[map] = (int32_t)(wanted->y * shape.w + wanted->x);
    }
}

enum zf_status zf_activation_choose(struct zf_plan *plan, const struct zf_net *net,
                                    struct zf_activation *wanted, struct zf_error *err)
{
    const struct zf_shape shape = zf_net_layer(net, wanted->layer).shape;
    const int64_t first = wanted->map < 0 ? 0 : wanted->map;
    const int64_t end = wanted->map < 0 ? shape.c : wanted->map + 1;
    float *value = zf_alloc((size_t)shape.c, sizeof *value);
    int32_t *where = zf_alloc((size_t)shape.c, sizeof *where);
    enum zf_status status = ZF_OK;
    int64_t best = first;

    if (!value || !where)
        ZF_LEAVE(zf_no_memory(err, "the maxima of %" PRId64 " maps", shape.c));
    list_candidates(plan, wanted, shape, value, where);
    for (int64_t map = first; map < end; map++) {
        if (value[map] > value[best])
            best = map;
    }
    wanted->map = best;
    wanted->y = where[best] / shape.w;
    wanted->x = where[best] % shape.w;
    wanted->value = value[best];
    wanted->patch = zf_net_patch(net, wanted->layer, wanted->y, wanted->x);
fail:
    zf_free(value);
    zf_free(where);
    return status;
}

/* From a large activation large weights lead down, too. */
static enum zf_status check_pixels(const struct zf_net *net, const struct zf_activation *chosen,
                                   const struct zf_tensor *pixels, struct zf_error *err)
{
    const int64_t count = zf_tensor_count(pixels);
    int64_t bad = 0;

    for (int64_t i = 0; i < count; i++)
        bad += !isfinite(pixels->data[i]);
    if (bad == 0)
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT,
                   "%s: the projection of map %" PRId64 " of %s overflows: %" PRId64 " of %" PRId64
                   " values of the pixels are NaN or infinite",
                   zf_net_name(net), chosen->map, zf_net_layer(net, chosen->layer).name, bad,
                   count);
}

enum zf_status zf_activation_project(struct zf_plan *plan, const struct zf_net *net,
                                     struct zf_activation *wanted, struct zf_tensor *pixels,
                                     struct zf_error *err)
{
    ZF_CHECK(zf_activation_choose(plan, net, wanted, err));
    zf_plan_project_each(plan, wanted->layer,
                         &(struct zf_place){0, wanted->map, wanted->y, wanted->x}, NULL, pixels);
    return check_pixels(net, wanted, pixels, err);
}

enum zf_status zf_project(const struct zf_net *net, const struct zf_tensor *input,
                          enum zf_rule rule, const struct zf_compute *compute,
                          struct zf_activation *wanted, struct zf_tensor *pixels,
                          struct zf_error *err)
{
    struct zf_plan *plan = NULL;
    enum zf_status status;

    ZF_CHECK(zf_activation_check(net, wanted, err));
    ZF_CHECK(zf_plan_create(net,
                            &(struct zf_plan_options){.compute = zf_compute_batch(*compute, 1),
                                                      .purpose = ZF_PROJECT,
                                                      .rule = rule,
                                                      .each = true,
                                                      .watched = true,
                                                      .taps = &wanted->layer,
                                                      .tap_count = 1,
                                                      .taps_only = true},
                            &plan, err));
    zf_plan_forward(plan, input);
    ZF_TRY(zf_plan_check_finite(plan, input, NULL, err));
    ZF_TRY(zf_activation_project(plan, net, wanted, pixels, err));
fail:
    zf_plan_free(&plan);
    return status;
}
