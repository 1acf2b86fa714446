/* SPDX-License-Identifier: MIT */
/**
 * The deconvnet: one activation projected to the pixels that it came from; and over a data set, in
 * one pass, the strongest images of every map with their projections. (Paper: sections 2.1 and 4,
 * figure 2.) How a plan projects: see zf_plan_project() in zf/plan.h.
 */
#ifndef ZF_LOOK_H
#define ZF_LOOK_H

#include "zf/base.h"
#include "zf/data.h"
#include "zf/net.h"
#include "zf/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- One activation. ---- */

/* An activation of a layer. A map of -1, or y and x of -1, are left open: choosing fills them in
   with the strongest of the picture; on a tie the first map, then the first place in row-major
   order. */
struct zf_activation {
    int layer;
    int64_t map;
    int64_t y, x;        /* cells of the layer's map */
    float value;         /* filled in */
    struct zf_box patch; /* filled in: the receptive field, px of the net's input, clipped */
};

/** ZF_EINVAL, with the numbers, for a layer, map or place that the net does not have. */
ZF_API enum zf_status zf_activation_check(const struct zf_net *net,
                                          const struct zf_activation *wanted, struct zf_error *err);

/**
 * Fill in what is left open, from the first picture of the plan's last forward run.
 * plan  of `net`, with the layer among its taps
 * Returns ZF_ENOMEM.
 */
ZF_API enum zf_status zf_activation_choose(struct zf_plan *plan, const struct zf_net *net,
                                           struct zf_activation *wanted, struct zf_error *err);

/** The same, and project it. pixels: [1, c, h, w], see zf_plan_project_each(); the plan has `each`.
 *  ZF_EINPUT where the projection overflows. */
ZF_API enum zf_status zf_activation_project(struct zf_plan *plan, const struct zf_net *net,
                                            struct zf_activation *wanted, struct zf_tensor *pixels,
                                            struct zf_error *err);

/**
 * The deconvnet in one call: run the net on a picture, choose an activation, project it.
 *
 * input   [1, c, h, w], prepared
 * wanted  what to project; what is open is filled in
 * pixels  [1, c, h, w], written completely: signed, in the scale of the prepared input
 *
 * Returns what zf_activation_check() and zf_plan_create() do. Cost: about two forward runs, and a
 * plan.
 */
ZF_API enum zf_status zf_project(const struct zf_net *net, const struct zf_tensor *input,
                                 enum zf_rule rule, const struct zf_compute *compute,
                                 struct zf_activation *wanted, struct zf_tensor *pixels,
                                 struct zf_error *err);

/* How much a projection depends on the picture: 0 where it is the same for every picture, as that
   of the deconvnet is without max pooling; 1 where it has nothing in common with those of others.
 */
struct zf_dependence {
    double value;        /* 0 .. 1; NAN where nothing reached the pixels */
    int layer, switches; /* that was projected from, and the max poolings below */
    enum zf_rule rule;
    enum zf_rule
        better; /* below ZF_DEPENDS_LITTLE the rule by which it depends most; else `rule` */
    double better_value;
};

#define ZF_DEPENDS_LITTLE 0.1

/**
 * Measure it: 1 less the correlation, over the receptive field, of an activation's projection with
 * the projections of the same activation (layer, map, place and sign) by the switches of other
 * pictures, a mean of three: this picture's halves exchanged, up and down, left and right, both.
 * A correlation below 0 counts as 0.
 *
 * input   [1, c, h, w], as it was projected
 * chosen  as zf_activation_choose() filled it in
 *
 * In float32, also with compute.exact. Returns what zf_plan_create() does.
 * Cost: four forward runs and four projections; below ZF_DEPENDS_LITTLE three times as many.
 */
ZF_API enum zf_status zf_project_dependence(const struct zf_net *net, const struct zf_tensor *input,
                                            enum zf_rule rule, const struct zf_compute *compute,
                                            const struct zf_activation *chosen,
                                            struct zf_dependence *dependence, struct zf_error *err);

/** What to say of it behind "the projection": "depends on the picture by 0.71", and where that is
 *  little, why, and which rule does better. */
ZF_API void zf_dependence_words(const struct zf_net *net, const struct zf_dependence *dependence,
                                char *text, size_t size);

/* ---- The strongest over a data set. ---- */

struct zf_top_options {
    const int *layers; /* lent; NULL = every convolution */
    size_t layer_count;
    int64_t k;           /* strongest images a map; 0 = 9 */
    int64_t max_maps;    /* 0 = all, otherwise the first N of each layer... */
    const int64_t *maps; /* ...or exactly these (lent); NULL = no list */
    size_t map_count;
    enum zf_rule rule;
    bool strict;      /* a picture that cannot be read is an error instead of being skipped */
    bool any_numbers; /* go on where activations are NaN or infinite, which are left out */
    struct zf_compute compute; /* batch 0 = 64 */

    /* A pass that can be stopped or killed: every ten seconds, and where it ends, what it has found
       is kept in a file of its own format. Lent; NULL = it is not. */
    const char *kept;  /* the file; its directory must exist */
    const char *asked; /* a text of all that must be the same when it goes on */
    bool resume;       /* go on with what that file has: ZF_EINPUT where it has another `asked` */
};

/* One of the strongest: which picture, how strong, where. */
struct zf_top_entry {
    int64_t sample; /* index in the data set */
    float activation;
    int64_t y, x;        /* cell of the layer's map */
    struct zf_box patch; /* the receptive field, px of the net's input, clipped */
};

struct zf_top_map {
    int64_t map;
    size_t count;                 /* <= k: as many as there are pictures */
    struct zf_top_entry *entries; /* strongest first; ties by sample, then row-major */
};

struct zf_top_layer {
    int layer;
    size_t map_count;
    struct zf_top_map *maps;
};

struct zf_top {
    size_t layer_count;
    struct zf_top_layer *layers;
    int64_t images;           /* looked at */
    int64_t skipped;          /* could not be read */
    double images_per_second; /* of the pass over the data */
};

/**
 * One pass over `data` (centre crops): the k strongest images of every map of every asked layer,
 * one place per image and map. Memory does not grow with the number of images.
 *
 * top  handed over; free with zf_top_free()
 *
 * Ranks (options->compute) share the images, and all have the lists; they keep nothing.
 *
 * Returns ZF_EINVAL for a layer or map out of range, ZF_EINPUT for bad data, ZF_ECANCELED, ZF_EIO,
 * ZF_ENOMEM.
 */
ZF_API enum zf_status zf_top_run(const struct zf_net *net, const struct zf_data *data,
                                 const struct zf_top_options *options, struct zf_top **top,
                                 const struct zf_monitor *monitor, struct zf_error *err);
ZF_API void zf_top_free(struct zf_top **top);

/**
 * Called once for each entry of a zf_top, layer by layer, within a layer in no particular order.
 *
 * input       [c, h, w]: the prepared picture
 * projection  [c, h, w]: the entry's activation, projected; signed, zero outside of the patch
 * Both lent until the call returns. Returning a status other than ZF_OK stops the walk.
 */
typedef enum zf_status zf_top_visit(void *user, size_t layer, size_t map, size_t rank,
                                    const float *input, const float *projection,
                                    struct zf_error *err);

/**
 * Project every entry of `top`, in batches, reading each picture again.
 * Same net, data and options as in zf_top_run(). Ranks share the images; the visitor is called on
 * the first rank alone. Returns what that returns, or the visitor's.
 */
ZF_API enum zf_status zf_top_project(const struct zf_net *net, const struct zf_data *data,
                                     const struct zf_top *top, const struct zf_top_options *options,
                                     zf_top_visit *visit, void *user,
                                     const struct zf_monitor *monitor, struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
