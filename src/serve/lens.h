/* SPDX-License-Identifier: MIT */
/*
 * The net at work on one picture at a time: plans of batch 1 that stay ready, with the activations
 * and switches of the picture that they ran last. Used by the worker alone.
 */
#ifndef ZF_SERVE_LENS_H
#define ZF_SERVE_LENS_H

#include "serve/sights.h"
#include "zf/look.h"
#include "zf/plan.h"

/* A plan, and what it has run. */
struct zf_glass {
    struct zf_plan *plan;
    int layer;       /* the only tap; -1 = all layers */
    uint64_t serial; /* of the picture that it ran last; 0 = none */
};

struct zf_lens {
    const struct zf_net *net;
    struct zf_compute compute;
    int *layers;          /* [layers]: all of them, as taps */
    bool projects_all;    /* one plan has room to project from every layer */
    struct zf_glass view; /* to read from all layers, until `down` does */
    struct zf_glass down; /* to project by every rule */
    struct {              /* the last projection by each rule */
        struct zf_activation of;
        uint64_t serial; /* of its picture; 0 = none */
        struct zf_tensor pixels;
    } projected[ZF_RULE_COUNT];
};

enum zf_status zf_lens_init(struct zf_lens *lens, const struct zf_net *net,
                            const struct zf_compute *compute, struct zf_error *err);
void zf_lens_release(struct zf_lens *lens);

/** Make the plans that are missing still, one a call; false when there is none, or it fails. */
bool zf_lens_warm(struct zf_lens *lens);

/** A plan that has run the picture, every layer among its taps; lent until the next call. */
enum zf_status zf_lens_view(struct zf_lens *lens, struct zf_sight *sight, struct zf_plan **plan,
                            struct zf_error *err);

/** The same for an input that is nobody's picture. */
enum zf_status zf_lens_run(struct zf_lens *lens, const struct zf_tensor *input,
                           struct zf_plan **plan, struct zf_error *err);

/** Fill in sight->answer. ZF_EINPUT where it is not finite. */
enum zf_status zf_lens_answer(struct zf_lens *lens, struct zf_sight *sight, struct zf_error *err);

/**
 * Project an activation; what is open is filled in.
 * pixels  lent until the next call
 */
enum zf_status zf_lens_project(struct zf_lens *lens, struct zf_sight *sight, enum zf_rule rule,
                               struct zf_activation *wanted, const struct zf_tensor **pixels,
                               struct zf_error *err);

#endif
