/* SPDX-License-Identifier: MIT */
/**
 * A plan: how a net runs. It is compiled once, for a batch size and a purpose on one engine, and
 * holds the activations, the switches and all buffers. Running it allocates nothing and cannot
 * fail.
 *
 *     zf_plan_create(net, &(struct zf_plan_options){ .compute.batch = 1, .purpose = ZF_PROJECT,
 *                    .taps = &layer, .tap_count = 1 }, &plan, &err);
 *     zf_plan_forward(plan, &input);
 *     zf_plan_project(plan, layer, &place, NULL, 1, &pixels);
 *
 * Threads: a plan is used by one thread at a time; plans of one net are independent.
 */
#ifndef ZF_PLAN_H
#define ZF_PLAN_H

#include "zf/base.h"
#include "zf/engine.h"
#include "zf/net.h"
#include "zf/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

struct zf_plan;

enum zf_purpose {
    ZF_INFER,   /* forward only; memory is reused from layer to layer */
    ZF_PROJECT, /* forward keeps the switches; projections from the taps */
    ZF_TRAIN,   /* forward with dropout, backward */
    ZF_PATCH,   /* forward of one picture; then of copies that differ from it in a patch */
};

/* What a rectifier does to the signal on its way down: the paper's deconvnet (section 2.1), and for
   comparison the gradient (Simonyan et al. 2013) and guided backpropagation (Springenberg et al.
   2014). */
enum zf_rule { ZF_RULE_DECONVNET, ZF_RULE_GRADIENT, ZF_RULE_GUIDED };

#define ZF_RULE_COUNT 3

/** Names of the rules, in the order of enum zf_rule: "deconvnet", "gradient", "guided", NULL. */
ZF_API extern const char *const zf_rule_names[];

/* The type of the factors in convolutions and matrix products. With bf16 they have 8 significant
   bits, and sums are float32; parameters, gradients, loss, and all that is read or written stay
   float32. */
enum zf_precision { ZF_PRECISION_F32, ZF_PRECISION_BF16 };

/* How a net runs, in the options of everything that runs one. Zero is the default of each member.
   Results differ by rounding alone. */
struct zf_compute {
    const char *engine; /* NULL = the best this build has; see zf_engine_name(). Lent */
    int threads;        /* 0 = one per core that this process may use */
    bool exact;         /* no algorithm that gives up digits for speed; projections in double, on
                           "reference", unless the engine is named. Not with bf16 */
    enum zf_precision precision;
    int64_t batch;          /* pictures at a time; 0 = chosen by the function that runs the net */
    struct zf_ranks *ranks; /* NULL, or processes that share the work of what takes a zf_compute and
                               says so (zf/ranks.h); lent. Results do not depend on how many */
};

/** A copy with another batch. */
static inline struct zf_compute zf_compute_batch(struct zf_compute compute, int64_t batch)
{
    compute.batch = batch;
    return compute;
}

/** A copy for what this process does by itself. */
static inline struct zf_compute zf_compute_alone(struct zf_compute compute)
{
    compute.ranks = NULL;
    return compute;
}

/* A map that is zero whatever its layer computes, to see what the net says without it. */
struct zf_silence {
    int layer;
    int64_t map;
};

struct zf_plan_options {
    struct zf_compute compute; /* batch >= 1: most images (with ZF_PATCH: patches) in one run */
    enum zf_purpose purpose;
    enum zf_rule rule; /* ZF_PROJECT only */
    bool every_rule;   /* ZF_PROJECT only: by the other rules, too: see zf_plan_set_rule() */
    bool each;         /* ZF_PROJECT only: for zf_plan_project_each(), not zf_plan_project() */
    int64_t patch_height, patch_width; /* ZF_PATCH only: px, at most the input's */
    bool brief;      /* for one or two runs: skip preparations that pay off only over many */
    bool watched;    /* for zf_plan_check_finite() */
    const int *taps; /* layers whose outputs will be read or projected from; lent */
    size_t tap_count;
    bool taps_only;   /* do not compute layers that no tap needs, the last layer included */
    float *gradients; /* ZF_TRAIN: zf_net_gradient_floats() floats, written by
                         zf_plan_backward() but for those below the lowest layer with parameters
                         that is not frozen; lent, must outlive the plan */

    const struct zf_silence *silence; /* ZF_INFER only; NULL = none; lent during the call */
};

/**
 * Compile a plan.
 *
 * net      built; lent, must outlive the plan. Call zf_plan_refresh() after changing its
 *          parameters.
 * out      handed over; free with zf_plan_free()
 *
 * Returns ZF_EINVAL for an option out of range (batch, tap, patch, silence, engine name);
 * ZF_EUNSUPPORTED for ZF_TRAIN of a net that does not end in a softmax, and for ZF_PRECISION_BF16
 * on a processor or engine without it; ZF_ENOMEM.
 */
ZF_API enum zf_status zf_plan_create(const struct zf_net *net,
                                     const struct zf_plan_options *options, struct zf_plan **out,
                                     struct zf_error *err);
ZF_API void zf_plan_free(struct zf_plan **plan);

/** Take over the net's parameters after they have changed. */
ZF_API void zf_plan_refresh(struct zf_plan *plan);

/**
 * Run the net on the first src->n images, 1 <= n <= batch (ZF_PATCH: 1); the other extents are the
 * net's input.
 */
ZF_API void zf_plan_forward(struct zf_plan *plan, const struct zf_tensor *src);

/** The same with dropout, whose masks follow from `seed` and `step` alone. ZF_TRAIN only. */
ZF_API void zf_plan_forward_train(struct zf_plan *plan, const struct zf_tensor *src, uint64_t seed,
                                  uint64_t step);

/**
 * Were all activations of the last zf_plan_forward() finite? Answers do not show it: a rectifier, a
 * maximum, a sigmoid or a softmax makes ordinary numbers of infinity and NaN. Of plans with
 * options.watched; what zf_plan_forward_patched() ran is not looked at.
 *
 * src     what zf_plan_forward() was given
 * sample  NULL, or set to the first of the inputs where something was not finite
 *
 * Returns ZF_EINPUT with the first layer that overflows and how many of its activations are NaN or
 * infinite; ZF_ENOMEM.
 * Cost: about 1 % of the run of one picture (0.1 to 2 % where it was measured), by bounds of what
 * can come of the input, the parameters and a few layers' outputs. Where these come near the
 * largest float, the inputs are run again one by one, every layer in view.
 */
ZF_API enum zf_status zf_plan_check_finite(struct zf_plan *plan, const struct zf_tensor *src,
                                           int64_t *sample, struct zf_error *err);

/**
 * Run the last picture of zf_plan_forward() again, `patches->n` times, each time with a box of it
 * replaced. Until the next zf_plan_forward(), the plan's outputs are those of these runs. ZF_PATCH
 * only. Equal to whole runs but for the rounding of sums.
 *
 * Cost: only cells that the patch can reach are computed, up to layers that see the whole picture.
 *
 * patches  [n, c, patch_height, patch_width], 1 <= n <= batch: prepared pixels
 * boxes    [n]: where they go; inside the input, and all of the patch's size
 */
ZF_API void zf_plan_forward_patched(struct zf_plan *plan, const struct zf_tensor *patches,
                                    const struct zf_box *boxes);

/**
 * Write the gradients of the mean cross-entropy of the last forward run, by parameter, to
 * options.gradients. ZF_TRAIN only.
 * labels  [batch]: classes, -1 = none
 */
ZF_API void zf_plan_backward(struct zf_plan *plan, const int32_t *labels);

/**
 * Read a layer's output in the last forward run.
 * layer  a tap, or the net's last layer
 * dst    [rows, c, h, w] of the layer, 1 <= rows <= images of the last run; written completely
 */
ZF_API void zf_plan_read(struct zf_plan *plan, int layer, struct zf_tensor *dst);

/**
 * Read the net's answer in the last forward run: probabilities or plain numbers, as
 * zf_net_answer() says; for a net that ends in maps, the mean of each map.
 * dst  [rows, zf_net_class_count(), 1, 1], 1 <= rows <= images of the last run; written completely
 * Returns ZF_ENOMEM.
 */
ZF_API enum zf_status zf_plan_answer(struct zf_plan *plan, struct zf_tensor *dst,
                                     struct zf_error *err);

/* One activation: sample, map, and place in cells of the layer's map. */
struct zf_place {
    int64_t n, map, y, x;
};

/** One activation of a tap in the last forward run. */
ZF_API float zf_plan_activation(struct zf_plan *plan, int layer, struct zf_place place);

/**
 * The strongest activation of each map of a tap, for every image of the last run.
 * strongest  [n * maps]
 * where      [n * maps]: its place, y * width + x; on a tie the first in row-major order
 */
ZF_API void zf_plan_maxima(struct zf_plan *plan, int layer, float *strongest, int32_t *where);

/**
 * Project activations back to pixels, with the switches of the last forward run.
 *
 * All other activations of the layer are set to zero, then each layer below is reversed in turn:
 * unpool by switches, rectify by the plan's rule, filter with the transposed weights.
 *
 * layer   one of the plan's taps
 * places  the activations to start from; several of one sample are projected together. Samples
 *         without a place give zeros.
 * values  NULL for the activations themselves (the paper), or `count` numbers to start from
 * dst     [rows, c, h, w] of the net's input, rows <= images of the last run; signed, in the
 *         scale of the prepared input; written completely
 *
 * Cost: about one forward run. Source: Zeiler & Fergus 2013, section 2.1.
 */
ZF_API void zf_plan_project(struct zf_plan *plan, int layer, const struct zf_place *places,
                            const float *values, size_t count, struct zf_tensor *dst);

/**
 * The same for many activations, each projected alone: image i of dst is the projection of
 * places[i], which may be of any image of the last forward run. Where it saves work, only cells
 * that the activation depends on are computed. For plans with options.each.
 *
 * layer   one of the plan's taps
 * places  [dst->n]
 * values  NULL for the activations themselves, or [dst->n] numbers to start from
 * dst     [n, c, h, w] of the net's input, 1 <= n <= batch; otherwise see zf_plan_project()
 */
ZF_API void zf_plan_project_each(struct zf_plan *plan, int layer, const struct zf_place *places,
                                 const float *values, struct zf_tensor *dst);

/** What projections follow from now on, the same forward run. For plans with options.every_rule. */
ZF_API void zf_plan_set_rule(struct zf_plan *plan, enum zf_rule rule);

/** The name of the engine that a plan runs on; static storage. */
ZF_API const char *zf_plan_engine(const struct zf_plan *plan);

/** Bytes of all buffers of a plan. */
ZF_API size_t zf_plan_memory(const struct zf_plan *plan);

/** Floats of a gradient array: all parameters, with gaps for alignment. */
ZF_API int64_t zf_net_gradient_floats(const struct zf_net *net);

/** Index of the first float of parameter tensor i in that array. */
ZF_API int64_t zf_net_gradient_offset(const struct zf_net *net, int i);

#ifdef __cplusplus
}
#endif

#endif
