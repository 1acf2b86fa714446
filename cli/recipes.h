/* SPDX-License-Identifier: MIT */
/** --prepare auto: which of the usual ways of preparing pictures a model was trained with. */
#ifndef CLI_RECIPES_H
#define CLI_RECIPES_H

#include "command.h"
#include "zf/data.h"
#include "zf/net.h"
#include "zf/train.h"

/* A way that was tried on some of the pictures. */
struct recipe_trial {
    const char *prepare; /* as --prepare and --resize take them */
    char resize[32];
    struct zf_eval_result result;
};

#define RECIPE_VALUES 7 /* the model's own and six others, each as the model resizes */
#define RECIPE_TRIALS 9 /* and the best of them by two warps: to the input, and before the crop */

struct recipes {
    struct recipe_trial trials[RECIPE_TRIALS];
    int count, best; /* which of them is */
    int64_t images;  /* that counted */
};

/**
 * Try each recipe on up to 200 pictures, evenly taken from all of them, and leave the net prepared
 * by the one of the fewest top-1 errors, of equal ones by the fewest top-5 errors, then the first,
 * which is the model's own.
 *
 * data   labelled, not yet matched to a net
 * found  written
 *
 * Returns what zf_eval_run() does; ZF_EINPUT where the net takes no colour pictures.
 */
enum zf_status recipes_try(const struct call *call, struct zf_net *net, const struct zf_data *data,
                           const struct zf_eval_options *options, struct recipes *found,
                           struct zf_error *err);

#endif
