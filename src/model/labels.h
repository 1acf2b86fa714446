/* SPDX-License-Identifier: MIT */
/* Lists of labels as other programs write them. */
#ifndef ZF_MODEL_LABELS_H
#define ZF_MODEL_LABELS_H

#include "base/file.h"

struct zf_labels {
    char **items; /* [count] */
    int64_t count;
};

/**
 * Read labels from a file's bytes: one a line, or JSON. zf_net_load_labels() says which forms.
 *
 * name    for error sentences
 * labels  filled on success; release with zf_labels_release()
 *
 * Returns ZF_EINPUT for UTF-16, zero bytes, broken JSON, and an index map with a gap; ZF_ENOMEM.
 */
enum zf_status zf_labels_parse(const struct zf_bytes *file, const char *name,
                               struct zf_labels *labels, struct zf_error *err);
void zf_labels_release(struct zf_labels *labels); /* accepts empty */

#endif
