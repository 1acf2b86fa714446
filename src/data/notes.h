/* SPDX-License-Identifier: MIT */
/* What a person should know of a data set that is opened nevertheless, as sentences. */
#ifndef ZF_DATA_NOTES_H
#define ZF_DATA_NOTES_H

#include "zf/base.h"

/* Files of one ending that look like pictures and are not used. */
struct zf_unused {
    char *ending; /* ".heic" */
    char *example;
    int64_t count;
};

struct zf_notes {
    char **sentences;
    size_t count, capacity;
    struct zf_unused *unused;
    size_t unused_count, unused_capacity;
};

/* False when memory is short; the notes are as they were. */
bool zf_notes_add(struct zf_notes *notes, const char *format, ...) ZF_PRINTF(2, 3);
bool zf_notes_add_unused(struct zf_notes *notes, const char *ending, const char *path);

/* One sentence of all that is not used, if anything is. */
bool zf_notes_sum_up(struct zf_notes *notes);

void zf_notes_release(struct zf_notes *notes);

#endif
