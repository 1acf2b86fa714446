/* SPDX-License-Identifier: MIT */
/*
 * A net over a data set, once for everybody: load a batch, run it, hand it to a visitor.
 *
 * The ranks of the plan's compute share the batches, which are the same for any number of them.
 * What is found in a batch goes one of two ways: a visitor keeps it, and what the ranks have kept
 * is brought together afterwards (zf_ranks_add() and the like; where the order is nothing); or it
 * is packed, and the first rank takes it in the order of the batches (ranks/deal.h).
 */
#ifndef ZF_DATA_PASS_H
#define ZF_DATA_PASS_H

#include "ranks/parcel.h"
#include "zf/data.h"
#include "zf/plan.h"

/**
 * Sees a batch that the plan has just run, batch->count > 0 inputs. Anything but ZF_OK ends the
 * pass with it.
 */
typedef enum zf_status zf_pass_visit(void *user, struct zf_plan *plan, const struct zf_batch *batch,
                                     struct zf_error *err);

/** Packs what the plan has found in the batch of this number in the order of all. */
typedef enum zf_status zf_pass_pack(void *user, struct zf_plan *plan, int64_t number,
                                    const struct zf_batch *batch, struct zf_parcel *parcel,
                                    struct zf_error *err);

/** On the first rank, in the order of the batches: what was packed. */
typedef enum zf_status zf_pass_take(void *user, struct zf_parcel *parcel, struct zf_error *err);

/* What is asked; everything is lent. */
struct zf_pass {
    const struct zf_net *net;
    const struct zf_data *data;
    struct zf_plan_options plan; /* its batch and threads are the loader's as well */
    bool any_numbers;            /* activations may be NaN or infinite */
    enum zf_views views;
    bool strict;            /* a bad picture is an error instead of being left out */
    const int64_t *samples; /* NULL = all; otherwise these */
    int64_t sample_count;
    bool part;            /* of a longer walk: that none of these is good is no error */
    const char *stage;    /* of the progress, "looking"; NULL = the visitor reports it */
    const char *missing;  /* what a message calls a bad picture, "skipped"; NULL = no message */
    zf_pass_visit *visit; /* or these two: */
    zf_pass_pack *pack;
    zf_pass_take *take;
    void *user;
};

/* What came of it. */
struct zf_passed {
    int64_t images, skipped; /* that were run, and bad ones; of all ranks */
    double seconds;          /* without making the plan */
};

/**
 * Together, where there are ranks.
 * passed  NULL, or filled, also on failure
 *
 * Returns what zf_plan_create(), zf_loader_create() and zf_loader_next() do, the visitor's,
 * ZF_EINPUT with the picture and the layer where activations overflow, and ZF_ECANCELED.
 */
enum zf_status zf_pass_run(const struct zf_pass *pass, struct zf_passed *passed,
                           const struct zf_monitor *monitor, struct zf_error *err);

#endif
