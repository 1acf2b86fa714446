/* SPDX-License-Identifier: MIT */
/* Pictures that an experiment is called with. */
#ifndef ZF_EXPERIMENTS_SUBJECTS_H
#define ZF_EXPERIMENTS_SUBJECTS_H

#include "zf/experiment.h"

/* Pictures as the net takes them; several of a .npy file count each. */
struct zf_subjects {
    struct zf_tensor inputs;  /* [count, c, h, w], prepared */
    struct zf_picture *shown; /* [count] of the input's size, as a person sees them */
    char **names;             /* [count] paths; "path#i" of a .npy file with several */
    size_t count;
};

/**
 * Load the pictures of a call.
 * smallest  px that the shorter side of a picture must have
 * Release with zf_subjects_release() in any case.
 */
enum zf_status zf_subjects_load(struct zf_subjects *subjects, const struct zf_call *call,
                                int64_t smallest, struct zf_error *err);
void zf_subjects_release(struct zf_subjects *subjects);

/**
 * The class that is followed in each picture of a call: of `class` that of a label or an index,
 * "true" the one that the picture's folder names (ZF_EINPUT where it names none), "predicted" the
 * most probable, -1; of NULL the folder's, or else the most probable.
 *
 * paths    [count] of the pictures
 * classes  [count], handed over; free with zf_free()
 */
enum zf_status zf_subject_classes(const struct zf_net *net, const char *class,
                                  const char *const *paths, size_t count, int64_t **classes,
                                  struct zf_error *err);

/** ZF_EINVAL with "top needs --data DATA" unless `text` is there. */
enum zf_status zf_option_needed(const char *experiment, const char *text, const char *what,
                                struct zf_error *err);

#endif
