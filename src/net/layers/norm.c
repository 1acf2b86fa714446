/* SPDX-License-Identifier: MIT */
/*
 * Normalisation by the picture's own statistics: dst = (src - mean) / sqrt(variance + epsilon),
 * over each map (instance normalisation, Ulyanov et al. 2016), groups of maps (Wu and He 2018; one
 * group is layer normalisation, Ba et al. 2016), or the maps of each cell (ConvNeXt). Without the
 * mean it is by the root of the mean square. A scale layer behind it has the learned factors.
 *
 * Down, the deconvnet takes the statistics as given, as those of a batch normalisation are: the
 * signal divided by the same root. The gradient, and guided, go through the statistics as well.
 *
 * What a unit sees is said of the windows below alone, since statistics are of all of the picture.
 */
#include "layers.h"

#include <inttypes.h>

#include "base/status.h"

enum over { OVER_CELLS, OVER_GROUPS, OVER_MAPS };

struct norm_params {
    int over;
    int64_t groups;
    double epsilon;
    bool mean;
};

static const char *const over_choices[] = {"cells", "groups", "maps", NULL};

static const struct zf_option norm_options[] = {
    ZF_OPTION_ROW_CHOICE(
        norm_params, over, "",
        "what has statistics of its own: the cells of a map, groups of maps, the maps of "
        "a cell",
        0, over_choices),
    ZF_OPTION_ROW_INT(norm_params, groups, "N", "equal parts of the maps", 1, 1, 65536),
    ZF_OPTION_ROW_REAL(norm_params, epsilon, "", "added to the variance", 1e-5, 0, 1e6),
    ZF_OPTION_ROW(norm_params, mean, "", "whether the mean is subtracted", ZF_OPTION_FLAG, 1, 0, 0,
                  NULL),
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct norm_params *p = params;

    (void)count;
    if (p->over == OVER_GROUPS && in[0].c % p->groups != 0)
        return zf_fail(err, ZF_EINPUT, "%" PRId64 " groups do not divide %" PRId64 " maps",
                       p->groups, in[0].c);
    out->out = in[0];
    out->uneven = p->over != OVER_MAPS;
    return ZF_OK;
}

static const struct norm_params *params_of(const struct zf_emit *e)
{
    return e->layer->params;
}

/* As [n, groups, all numbers of the group, 1] where statistics are of groups. */
static zf_value folded(const struct zf_emit *e, zf_value value)
{
    const struct zf_dims d = e->op->dims(e->engine, value);
    const int64_t groups = params_of(e)->groups;

    if (params_of(e)->over != OVER_GROUPS)
        return value;
    return e->op->reshape(
        e->engine, value,
        (struct zf_dims){4, {d.d[0], groups, d.d[1] / groups * d.d[2] * d.d[3], 1}});
}

static zf_value unfolded(const struct zf_emit *e, zf_value value)
{
    return params_of(e)->over == OVER_GROUPS ? e->op->reshape(e->engine, value, e->src_dims[0])
                                             : value;
}

static zf_value line(const struct zf_emit *e, zf_value value, double factor, double shift)
{
    return e->op->function_forward(
        e->engine, &(struct zf_function){ZF_LINEAR, (float)factor, (float)shift}, value);
}

static zf_value mean_of(const struct zf_emit *e, zf_value value)
{
    struct zf_dims d = e->op->dims(e->engine, value);
    int64_t count = d.d[1];

    if (params_of(e)->over == OVER_MAPS) {
        d.d[1] = 1;
    } else {
        count = d.d[2] * d.d[3];
        d.d[2] = d.d[3] = 1;
    }
    return line(e, e->op->sum_to(e->engine, value, d), 1.0 / (double)count, 0);
}

/* Leaves 1 / sqrt(variance + epsilon) in e->state. */
static void forward(struct zf_emit *e)
{
    zf_value value = folded(e, e->src[0]);

    if (params_of(e)->mean)
        value = e->op->combine(e->engine, ZF_DIFFERENCE, value, mean_of(e, value));
    e->state = line(e, mean_of(e, e->op->combine(e->engine, ZF_PRODUCT, value, value)), 1,
                    params_of(e)->epsilon);
    e->state =
        e->op->function_forward(e->engine, &(struct zf_function){ZF_POWER, -0.5f, 0}, e->state);
    e->dst = unfolded(e, e->op->combine(e->engine, ZF_PRODUCT, value, e->state));
}

/* (g - mean of g - dst * mean of g dst) / root, g being the signal */
static void backward(struct zf_emit *e)
{
    const zf_value signal = folded(e, e->diff_dst), dst = folded(e, e->dst);
    const zf_value along = mean_of(e, e->op->combine(e->engine, ZF_PRODUCT, signal, dst));
    zf_value value = e->op->combine(e->engine, ZF_DIFFERENCE, signal,
                                    e->op->combine(e->engine, ZF_PRODUCT, dst, along));

    if (params_of(e)->mean)
        value = e->op->combine(e->engine, ZF_DIFFERENCE, value, mean_of(e, signal));
    e->diff_src[0] = unfolded(e, e->op->combine(e->engine, ZF_PRODUCT, value, e->state));
}

static void project(struct zf_emit *e)
{
    if (e->rule == ZF_RULE_DECONVNET)
        e->diff_src[0] =
            unfolded(e, e->op->combine(e->engine, ZF_PRODUCT, folded(e, e->diff_dst), e->state));
    else
        backward(e);
}

const struct zf_layer_type zf_layer_norm = {
    .name = "norm",
    .help = "normalisation by the picture's own mean and variance",
    .params_size = sizeof(struct norm_params),
    .options = norm_options,
    .option_count = ZF_COUNT(norm_options),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .looks_back = ZF_LOOKS_ALWAYS,
    .project = project,
    .squares = true,
};
