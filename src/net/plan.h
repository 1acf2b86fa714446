/* SPDX-License-Identifier: MIT */
/* The inside of a plan: compile.c makes it, plan.c runs it. */
#ifndef ZF_NET_PLAN_H
#define ZF_NET_PLAN_H

#include "net/net.h"
#include "zf/plan.h"

/* A tap that can be projected from. */
struct zf_target {
    int layer, program;
    zf_value seed, pixels;
};

struct zf_plan {
    const struct zf_net *net;
    const struct zf_engine_ops *op;
    struct zf_engine *engine;
    enum zf_purpose purpose;
    enum zf_rule rule;
    int64_t batch;
    int64_t images;       /* of the last forward run */
    uint64_t dropout_key; /* the same */
    zf_value input;
    zf_value *outputs;     /* [layers]; ZF_NO_VALUE where a layer was left out */
    bool *readable;        /* [layers] */
    struct zf_emit *emits; /* [layers], while building */
    struct zf_target *targets;
    int target_count;
};

#endif
