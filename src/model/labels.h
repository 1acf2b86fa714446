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
 * Read labels from a file's bytes: one a line, a table, JSON and others; docs/pictures-and-folders
 * says which forms.
 *
 * name      for error sentences
 * expected  how many there should be: names in one row, and headings, are told by that
 * labels    filled on success; release with zf_labels_release()
 *
 * Returns ZF_EINPUT for zero bytes, broken JSON, and an index map with a gap; ZF_ENOMEM.
 */
enum zf_status zf_labels_parse(const struct zf_bytes *file, const char *name, int64_t expected,
                               struct zf_labels *labels, struct zf_error *err);
void zf_labels_release(struct zf_labels *labels); /* accepts empty */

/* ---- The forms; `labels` is empty before, and may be filled in part after a failure ---- */

/* Room for `count` labels, none of which is there yet. ZF_EINPUT for too many; ZF_ENOMEM. */
enum zf_status zf_labels_make_room(struct zf_labels *labels, int64_t count, const char *name,
                                   struct zf_error *err);

/* One a line. The text is changed. */
enum zf_status zf_labels_of_lines(char *text, const char *name, int64_t expected,
                                  struct zf_labels *labels, struct zf_error *err);

/* A list or a map, in JSON, as Python prints it, or in YAML behind "names:". */
bool zf_labels_are_tree(const char *text);
enum zf_status zf_labels_of_tree(const char *text, const char *name, struct zf_labels *labels,
                                 struct zf_error *err);

#endif
