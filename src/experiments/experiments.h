/* SPDX-License-Identifier: MIT */
/* What the experiments on single pictures share. */
#ifndef ZF_EXPERIMENTS_EXPERIMENTS_H
#define ZF_EXPERIMENTS_EXPERIMENTS_H

#include "zf/plan.h"
#include "zf/probe.h"

/* ---- defaults.c ---- */

/* `pixels` of an input of 224 px, in proportion; at least 1. */
int64_t zf_probe_pixels(const struct zf_net *net, int64_t pixels);

/* `pixels`, but no more than `of_paper` px of an input of 224 px are of this net's. */
int64_t zf_probe_at_most(const struct zf_net *net, int64_t pixels, int64_t of_paper);

/* Side of a square that hides. */
int64_t zf_probe_square(const struct zf_net *net);

/* The last convolution, or the rectifier behind it. ZF_EUNSUPPORTED without one. */
enum zf_status zf_probe_last_conv(const struct zf_net *net, bool rectified, int *layer,
                                  struct zf_error *err);

/* The end of the first convolution's stage: the layer before the next one with weights. */
enum zf_status zf_probe_first_stage(const struct zf_net *net, int *layer, struct zf_error *err);

/* The last hidden layer: what the classifier stands on, dropout left aside; or what that is before
   its rectifier, the last layer with weights below the classifier. */
enum zf_status zf_probe_last_hidden(const struct zf_net *net, bool rectified, int *layer,
                                    struct zf_error *err);

/* ZF_EUNSUPPORTED unless the net ends in a softmax over its classes. */
enum zf_status zf_probe_check_classes(const struct zf_net *net, struct zf_error *err);

/* The first of the largest. */
int64_t zf_probe_strongest(const float *values, int64_t count);

double zf_probe_clock(void); /* seconds */

/* ---- runner.c: a net, ready to run on batches of inputs. ---- */

struct zf_runner {
    int64_t batch;
    struct zf_plan *plan;    /* ZF_INFER, of `batch` */
    struct zf_tensor inputs; /* [batch, c, h, w]: the caller fills the first ones */
};

struct zf_runner_options {
    const int *taps; /* these three as of zf_plan_options */
    size_t tap_count;
    bool taps_only;
    int64_t most; /* inputs that there will ever be: no batch needs to be larger; 0 = unknown */
    int64_t box;  /* of covers: side of the boxes, as far as it is known; 0 = unknown */
};

/* Inputs a run: as asked for, or `otherwise`, and at most `most` unless that is 0. */
enum zf_status zf_runner_batch(const struct zf_compute *run, int64_t otherwise, int64_t most,
                               int64_t *batch, struct zf_error *err);

/* What both say of a plan; batch and purpose are left to be filled in. */
struct zf_plan_options zf_runner_plan(const struct zf_runner_options *options,
                                      const struct zf_compute *run);

enum zf_status zf_runner_init(struct zf_runner *runner, const struct zf_net *net,
                              const struct zf_runner_options *options, const struct zf_compute *run,
                              struct zf_error *err);
void zf_runner_release(struct zf_runner *runner); /* accepts empty */

/* Forward the first `count` inputs. */
void zf_runner_forward(struct zf_runner *runner, int64_t count);

/* ---- cover.c: many copies of one input, each with a box hidden. ---- */

struct zf_cover {
    const struct zf_net *net;
    struct zf_plan_options how;
    int64_t batch;            /* most boxes at once */
    struct zf_plan *plan;     /* ZF_PATCH; holds the results of the last zf_occluded_batch() */
    struct zf_tensor colour;  /* [1, c, h, w]: an input that is the boxes' colour all over */
    const float *input;       /* the picture ... */
    bool seen;                /* ... which the plan has run */
    struct zf_tensor patches; /* [batch, c, height, width] */
    struct zf_box *places;    /* [batch]: of the patches */
};

/* colour: red, green, blue, 0..255, or NULL for the mean. The options' taps are lent as long as the
   cover lives. */
enum zf_status zf_cover_init(struct zf_cover *cover, const struct zf_net *net, const float *colour,
                             const struct zf_runner_options *options, const struct zf_compute *run,
                             struct zf_error *err);
void zf_cover_release(struct zf_cover *cover); /* accepts empty */

/* From now on, boxes of this prepared input are hidden; lent until the next one. */
void zf_cover_picture(struct zf_cover *cover, const float *input);

/**
 * Run the net on `count` <= batch copies of the picture, copy i with boxes[i] hidden; an empty box
 * hides nothing. Only what the boxes can reach is computed. A box that is larger than all before
 * makes a new plan, which can fail.
 */
enum zf_status zf_occluded_batch(struct zf_cover *cover, const struct zf_box *boxes, int64_t count,
                                 struct zf_error *err);

/* ---- invariance.c ---- */

/* What `value` of a motion does to a picture. */
struct zf_transform zf_motion_transform(enum zf_motion motion, double value);

/* ---- signs.c ---- */

/* Vectors of signs (-1, 0, 1), two bits a value. */
struct zf_signs {
    size_t words;    /* of 64 values, a vector */
    int64_t length;  /* values */
    size_t count;    /* vectors */
    uint64_t *plus;  /* [count * words]: above zero */
    uint64_t *minus; /* below */
};

enum zf_status zf_signs_init(struct zf_signs *signs, size_t count, int64_t length,
                             struct zf_error *err);
void zf_signs_release(struct zf_signs *signs); /* accepts empty */

/* Vector i = the signs of base - changed, where a difference of at most `least` is none. */
void zf_signs_set(struct zf_signs *signs, size_t i, const float *base, const float *changed,
                  float least);

/* The share of values whose signs differ. */
double zf_signs_distance(const struct zf_signs *signs, size_t a, size_t b);

#endif
