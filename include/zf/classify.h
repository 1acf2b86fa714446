/* SPDX-License-Identifier: MIT */
/** What a net says of a picture, in one call. */
#ifndef ZF_CLASSIFY_H
#define ZF_CLASSIFY_H

#include "zf/net.h"
#include "zf/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A class and its probability; of a net of plain numbers an output and its value. */
struct zf_prediction {
    int64_t index; /* zf_net_label() has its name */
    float value;
};

/**
 * Load a picture, run the net, and give the most probable classes, best first, equal ones by index.
 * Plain numbers come in the order of the outputs.
 *
 * path     a picture, or a .npy file of one prepared input
 * compute  how the net runs; NULL for the defaults
 * best     [most], written
 * count    how many there are: `most`, or the number of classes where that is less
 *
 * For many pictures make one plan (zf/plan.h): here it is made and freed again, which costs more
 * than a forward run.
 *
 * Returns what zf_input_load(), zf_net_check_answers(), zf_plan_create() and zf_plan_check_finite()
 * do; ZF_EINPUT for a .npy file of several inputs and for an answer that is not finite; ZF_ENOMEM.
 * Thread-safe.
 */
ZF_API enum zf_status zf_classify(const struct zf_net *net, const char *path,
                                  const struct zf_compute *compute, struct zf_prediction *best,
                                  size_t most, size_t *count, struct zf_error *err);

/**
 * The same choice from what zf_plan_answer() has given.
 * values  [zf_net_class_count()]
 * Returns how many.
 */
ZF_API size_t zf_predictions(const struct zf_net *net, const float *values,
                             struct zf_prediction *best, size_t most);

#ifdef __cplusplus
}
#endif

#endif
