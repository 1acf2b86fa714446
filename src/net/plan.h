/* SPDX-License-Identifier: MIT */
/* The inside of a plan: compile.c and compile_boxes.c make it, plan.c and run_boxes.c run it. */
#ifndef ZF_NET_PLAN_H
#define ZF_NET_PLAN_H

#include "net/boxes.h"
#include "net/net.h"
#include "zf/plan.h"

/* A tap that can be projected from, by one rule. */
struct zf_target {
    int layer, program;
    enum zf_rule rule;
    zf_value seed, pixels;
    bool cone;             /* the program computes the boxes of one activation's cone only */
    struct zf_boxes boxes; /* of that cone */
};

/* A layer whose changed box is computed from the difference at its input, framed by zeros, alone.
 */
struct zf_frame {
    bool used;
    bool rectified;                     /* the rectifier above is done along with it */
    struct zf_boxes_part rows, columns; /* of what the layer sees: the difference */
};

/* The program that runs a picture again with a patch of it changed. */
struct zf_patch {
    int program;
    struct zf_boxes boxes;
    struct zf_frame *frames; /* [layers] */
    zf_value input;
    zf_value *outputs; /* [layers]: whole maps of what can be read */
};

/* Room for projecting without cones what zf_plan_project_each() is asked for. */
struct zf_round {
    float *pixels;           /* [batch, input] */
    struct zf_place *places; /* these four [batch] */
    float *values;
    int64_t *turn;
    bool *done;
};

/* Of plans that are to say whether all was finite: see overflow.c. */
struct zf_watch {
    struct zf_compute compute; /* of the plan; threads >= 1 */
    double *weight, *bias;     /* [layers]: see struct zf_magnitudes */
    double *bound;             /* [layers]: no number of that output is larger */
    bool *looked;              /* [layers]: the output itself is looked at */
    struct zf_plan *slow;      /* that keeps every layer; made when first needed */
};

struct zf_plan {
    const struct zf_net *net;
    const struct zf_engine_ops *op;
    struct zf_engine *engine;
    enum zf_purpose purpose;
    enum zf_rule rule; /* of the next projection */
    int64_t batch;
    bool each;            /* projections are asked for one by one */
    bool patched;         /* the last run was of patches */
    int64_t images;       /* of the last run */
    uint64_t dropout_key; /* the same */
    int64_t first, whole; /* of the part of a batch that is run: see struct zf_run */
    zf_value input;
    zf_value *outputs;     /* [layers]; ZF_NO_VALUE where a layer was left out */
    bool *readable;        /* [layers] */
    struct zf_emit *emits; /* [layers], while building */
    float *mask;           /* [maps] of a layer with a silenced map; NULL = none */
    struct zf_target *targets;
    int target_count;
    struct zf_patch patch; /* of ZF_PATCH */
    struct zf_watch watch; /* of options.watched */
    struct zf_round round;
    struct zf_corner *corners; /* [rows, batch], where a program works on boxes */
    int64_t *samples;          /* [batch] */
};

/* ---- compile.c ---- */

/* What a layer gave, or the input, in the program FORWARD. */
zf_value zf_plan_value(const struct zf_plan *plan, int layer);

/* ---- compile_boxes.c; values [layers + 1] is room ---- */

/* Where differences spare work; before FORWARD is made, which then keeps what they are added to. */
void zf_mark_frames(struct zf_plan *plan);

/* All layers once more, from a changed patch of the input. */
void zf_emit_changed(struct zf_plan *plan, zf_value *values);

/* From one activation of the target's layer down to the input. */
void zf_emit_cone(struct zf_plan *plan, struct zf_target *target, zf_value *values);

/* ---- plan.c ---- */

/* What is trained on next is part of a batch: its first sample's place there, and how many samples
   the mean loss is over. 0, 0: it is all of a batch. */
void zf_plan_set_part(struct zf_plan *plan, int64_t first, int64_t whole);

/* zf_plan_backward() that tells of each layer whose gradients are there, from the last one down. */
void zf_plan_backward_told(struct zf_plan *plan, const int32_t *labels,
                           void (*there)(void *user, int layer), void *user);

/* By the plan's rule; NULL = none. */
const struct zf_target *zf_plan_target(const struct zf_plan *plan, int layer);

/* ---- overflow.c ---- */

/* Choose what is looked at; before FORWARD is made, which keeps it. needed [layers] */
enum zf_status zf_watch_init(struct zf_plan *plan, const bool *needed, struct zf_error *err);
void zf_watch_refresh(struct zf_plan *plan); /* after a change of the parameters */
void zf_watch_release(struct zf_plan *plan); /* accepts empty */

/* ---- run_boxes.c ---- */

enum zf_status zf_corners_init(struct zf_plan *plan, struct zf_error *err);

/* Rows of corners: that of entry i of the boxes is i; where what a layer sees begins; zeros. */
int zf_corners_seen(const struct zf_plan *plan, int layer);
int zf_corners_whole(const struct zf_plan *plan);

#endif
