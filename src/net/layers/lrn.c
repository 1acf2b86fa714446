/* SPDX-License-Identifier: MIT */
/*
 * Contrast normalisation across maps: dst = src / (k + alpha/size * sum of squares)^beta, the sum
 * over `size` neighbouring maps at the same place. Krizhevsky et al. 2012, section 3.3, with alpha
 * divided by the size as the frameworks do; the paper does not give its constants.
 *
 * A projection passes through unchanged: the paper's deconvnet has no step for it.
 */
#include "layers.h"

#include "base/status.h"

struct lrn_params {
    int64_t size;
    double alpha, beta, k;
};

static const struct zf_option lrn_options[] = {
    ZF_OPTION_ROW_INT(lrn_params, size, "maps", "neighbouring maps that are summed over", 5, 1,
                      1024),
    ZF_OPTION_ROW_REAL(lrn_params, alpha, "", "weight of the mean of squares", 1e-4, 0, 1e6),
    ZF_OPTION_ROW_REAL(lrn_params, beta, "", "exponent", 0.75, 0, 16),
    ZF_OPTION_ROW_REAL(lrn_params, k, "", "added to the weighted squares", 2, 0, 1e6),
};

static struct zf_lrn constants(const struct zf_emit *e)
{
    const struct lrn_params *p = e->layer->params;

    return (struct zf_lrn){p->size, (float)p->alpha, (float)p->beta, (float)p->k};
}

static void forward(struct zf_emit *e)
{
    const struct zf_lrn lrn = constants(e);

    e->dst =
        e->op->lrn_forward(e->engine, &lrn, e->src[0], e->purpose == ZF_TRAIN ? &e->state : NULL);
}

static void backward(struct zf_emit *e)
{
    const struct zf_lrn lrn = constants(e);

    e->diff_src[0] = e->op->lrn_backward(e->engine, &lrn, e->src[0], e->diff_dst, e->state);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->diff_dst;
}

const struct zf_layer_type zf_layer_lrn = {
    .name = "lrn",
    .help = "contrast normalisation across maps",
    .params_size = sizeof(struct lrn_params),
    .options = lrn_options,
    .option_count = ZF_COUNT(lrn_options),
    .infer = zf_infer_same,
    .forward = forward,
    .backward = backward,
    .project = project,
    .largest = zf_largest_input,
    .squares = true,
};
