/* SPDX-License-Identifier: MIT */
/**
 * What a model file says in words beside its tensors: the spec, the labels, the preparation. All
 * as valid UTF-8, whatever bytes a class directory's name was made of.
 */
#ifndef ZF_MODEL_METADATA_H
#define ZF_MODEL_METADATA_H

#include "zf/net.h"

#define ZF_NOTE_SPEC "zfscope.spec"
#define ZF_NOTE_LABELS "zfscope.labels"           /* one a line */
#define ZF_NOTE_PREPARATION "zfscope.preparation" /* JSON */
#define ZF_NOTE_ANSWER "zfscope.answer"           /* where the last layers do not say it */
#define ZF_NOTE_VERSION "zfscope.version"         /* of the writer */
#define ZF_MEAN_IMAGE "preparation.mean"          /* a tensor, [3, size, size] */

/** What the net's outputs mean, where its last layers do not say it, else NULL; static. */
const char *zf_metadata_answer(const struct zf_net *net);

/** zf_net_set_answer() by name; ZF_EINPUT for an unknown one, and where it does not fit. */
enum zf_status zf_metadata_read_answer(const char *text, const char *path, struct zf_net *net,
                                       struct zf_error *err);

/** How the preparation's choices are called: "rgb". */
const char *zf_channels_name(enum zf_channels channels);

/**
 * As text; NULL when memory is short. Free with zf_free().
 *
 * A label's newlines, backslashes and bytes that are not UTF-8 are written as \n, \\ and \xNN; in
 * a spec such bytes become '?'.
 */
char *zf_metadata_spec(const struct zf_net *net);
char *zf_metadata_resize(const struct zf_preparation *preparation); /* "short:256" */
char *zf_metadata_labels(const struct zf_net *net);
char *zf_metadata_preparation(const struct zf_net *net);

/**
 * Set a net's labels from their text. ZF_EINPUT when there are not as many as classes (both
 * numbers are named); ZF_ENOMEM. `path` names the file in errors.
 */
enum zf_status zf_metadata_read_labels(const char *text, const char *path, struct zf_net *net,
                                       struct zf_error *err);

/**
 * Read the preparation of a net; mean_image is left NULL. ZF_EINPUT with the field that is wrong:
 * among them a crop, which files from before 0.2 do not have, that is not the net's input.
 */
enum zf_status zf_metadata_read_preparation(const char *text, const char *path,
                                            const struct zf_net *net,
                                            struct zf_preparation *preparation,
                                            struct zf_error *err);

/** zf_net_set_preparation() with numbers that came from a file: ZF_EINPUT when they do not fit. */
enum zf_status zf_metadata_set_preparation(struct zf_net *net,
                                           const struct zf_preparation *preparation,
                                           const char *path, struct zf_error *err);

#endif
