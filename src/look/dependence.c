/* SPDX-License-Identifier: MIT */
/*
 * How much a projection depends on the picture.
 *
 * The deconvnet knows of the picture what the switches of its poolings say, and nothing else: its
 * rectifiers cut the signal, whatever went up. Where strided convolutions or averages take the
 * place of max pooling, a unit's projection is the same for every picture, and shows the unit's
 * filters and not what excited it. (Nie, Zhang and Patel 2018 on guided backpropagation and the
 * deconvnet.)
 *
 * So the same activation, of the same sign at the same place, is projected with the switches of
 * other pictures: this one's halves exchanged, up and down, left and right, and both, which keeps
 * all that pictures have in common and puts something else before the unit. The number is 1 less
 * the mean correlation with these, over the unit's receptive field.
 */
#include "look/dependence.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "net/layers/layers.h"

#define OTHERS 3

double zf_correlation(const float *a, const float *b, int64_t count)
{
    double mean_a = 0, mean_b = 0, product = 0, square_a = 0, square_b = 0;

    for (int64_t i = 0; i < count; i++) {
        mean_a += (double)a[i] / (double)count;
        mean_b += (double)b[i] / (double)count;
    }
    for (int64_t i = 0; i < count; i++) {
        const double x = (double)a[i] - mean_a, y = (double)b[i] - mean_b;

        product += x * y;
        square_a += x * x;
        square_b += y * y;
    }
    return square_a > 0 && square_b > 0 ? product / sqrt(square_a) / sqrt(square_b) : 0;
}

/* src and dst [c, h, w]: dst begins where src has its row `down` and its column `across`. */
static void exchange(const float *src, struct zf_shape shape, int64_t down, int64_t across,
                     float *dst)
{
    for (int64_t row = 0; row < shape.c * shape.h; row++) {
        const int64_t from = row / shape.h * shape.h + (row % shape.h + down) % shape.h;
        const float *line = src + from * shape.w;

        memcpy(dst, line + across, (size_t)(shape.w - across) * sizeof *dst);
        memcpy(dst + shape.w - across, line, (size_t)across * sizeof *dst);
        dst += shape.w;
    }
}

static bool is_nothing(const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (values[i] != 0.0f)
            return false;
    return true;
}

/* By a plan of OTHERS + 1 pictures; NAN where nothing reaches the pixels. */
static enum zf_status measure(struct zf_plan *plan, const struct zf_net *net,
                              const struct zf_tensor *input, const struct zf_activation *chosen,
                              double *dependence, struct zf_error *err)
{
    const struct zf_shape shape = zf_net_input(net);
    const int64_t each = shape.c * shape.h * shape.w;
    const struct zf_box box = chosen->patch;
    const int64_t seen = shape.c * box.height * box.width;
    struct zf_tensor pictures = {0}, pixels = {0};
    struct zf_place places[OTHERS + 1];
    float values[OTHERS + 1], *patches[OTHERS + 1] = {0};
    enum zf_status status;
    double sum = 0;

    ZF_TRY(zf_tensor_init(&pictures, OTHERS + 1, shape.c, shape.h, shape.w, err));
    ZF_TRY(zf_tensor_init(&pixels, OTHERS + 1, shape.c, shape.h, shape.w, err));
    for (int64_t i = 0; i <= OTHERS; i++) {
        exchange(input->data, shape, i % 2 ? shape.h / 2 : 0, i / 2 ? shape.w / 2 : 0,
                 pictures.data + i * each);
        places[i] = (struct zf_place){i, chosen->map, chosen->y, chosen->x};
        values[i] = chosen->value > 0.0f ? 1.0f : chosen->value < 0.0f ? -1.0f : 0.0f;
    }
    zf_plan_forward(plan, &pictures);
    zf_plan_project_each(plan, chosen->layer, places, values, &pixels);
    for (int64_t i = 0; i <= OTHERS; i++) {
        patches[i] = zf_patch_cut(pixels.data + i * each, shape, box);
        if (!patches[i]) {
            status = zf_no_memory(err, "a projection");
            goto fail;
        }
    }
    for (int64_t i = 1; i <= OTHERS; i++)
        sum += fmax(0, zf_correlation(patches[0], patches[i], seen));
    *dependence = is_nothing(patches[0], seen) ? NAN : fmax(0, 1 - sum / OTHERS);
fail:
    for (int64_t i = 0; i <= OTHERS; i++)
        zf_free(patches[i]);
    zf_tensor_release(&pictures);
    zf_tensor_release(&pixels);
    return status;
}

static enum zf_status measure_by(const struct zf_net *net, const struct zf_tensor *input,
                                 enum zf_rule rule, const struct zf_compute *compute,
                                 const struct zf_activation *chosen, double *dependence,
                                 struct zf_error *err)
{
    struct zf_plan_options options = {.compute = zf_compute_batch(*compute, OTHERS + 1),
                                      .purpose = ZF_PROJECT,
                                      .rule = rule,
                                      .each = true,
                                      .brief = true,
                                      .taps = &chosen->layer,
                                      .tap_count = 1,
                                      .taps_only = true};
    struct zf_plan *plan = NULL;
    enum zf_status status;

    options.compute.exact = false; /* a number of two digits */
    ZF_TRY(zf_plan_create(net, &options, &plan, err));
    ZF_TRY(measure(plan, net, input, chosen, dependence, err));
fail:
    zf_plan_free(&plan);
    return status;
}

/* Max poolings from the layer down; `seen` [layers] marks what was met. */
static int count_switches(const struct zf_net *net, int layer, bool *seen)
{
    int count;

    if (layer == ZF_NET_INPUT || seen[layer])
        return 0;
    seen[layer] = true;
    count = net->layers[layer].type == &zf_layer_maxpool;
    for (int k = 0; k < net->layers[layer].input_count; k++)
        count += count_switches(net, net->layers[layer].inputs[k], seen);
    return count;
}

enum zf_status zf_project_dependence(const struct zf_net *net, const struct zf_tensor *input,
                                     enum zf_rule rule, const struct zf_compute *compute,
                                     const struct zf_activation *chosen,
                                     struct zf_dependence *dependence, struct zf_error *err)
{
    struct zf_dependence made = {.rule = rule, .better = rule, .layer = chosen->layer};
    bool *seen = NULL;
    enum zf_status status;

    ZF_TRY(zf_activation_check(net, chosen, err));
    ZF_TRY(measure_by(net, input, rule, compute, chosen, &made.value, err));
    seen = zf_alloc((size_t)zf_net_layer_count(net), sizeof *seen);
    if (!seen) {
        status = zf_no_memory(err, "%d layers", zf_net_layer_count(net));
        goto fail;
    }
    made.switches = count_switches(net, chosen->layer, seen);
    made.better_value = made.value;
    for (int other = 0; zf_rule_names[other] && !(made.value >= ZF_DEPENDS_LITTLE); other++) {
        double value = NAN;

        if (other != (int)rule)
            ZF_TRY(measure_by(net, input, (enum zf_rule)other, compute, chosen, &value, err));
        if (value >= ZF_DEPENDS_LITTLE && !(made.better_value >= value)) {
            made.better = (enum zf_rule)other;
            made.better_value = value;
        }
    }
    *dependence = made;
fail:
    zf_free(seen);
    return status;
}

void zf_dependence_words(const struct zf_net *net, const struct zf_dependence *dependence,
                         char *text, size_t size)
{
    const char *layer = zf_net_layer(net, dependence->layer).name;
    const char *better = zf_rule_names[dependence->better];
    char way_out[96] = "";

    if (dependence->value >= ZF_DEPENDS_LITTLE) {
        snprintf(text, size, "depends on the picture by %.2f", dependence->value);
        return;
    }
    if (dependence->better != dependence->rule)
        snprintf(way_out, sizeof way_out,
                 isnan(dependence->value) ? "; by the rule %s something does, and depends on the "
                                            "picture by %.2f"
                                          : "; that by the rule %s depends on it by %.2f",
                 better, dependence->better_value);
    if (isnan(dependence->value))
        snprintf(text, size, "nothing reached the pixels%s", way_out);
    else if (dependence->switches == 0)
        snprintf(text, size,
                 "hardly depends on the picture (%.2f), since no max pooling below %s left "
                 "switches%s",
                 dependence->value, layer, way_out);
    else
        snprintf(text, size,
                 "hardly depends on the picture (%.2f): the switches of %d max pooling%s below %s "
                 "say little%s",
                 dependence->value, dependence->switches, dependence->switches == 1 ? "" : "s",
                 layer, way_out);
}
