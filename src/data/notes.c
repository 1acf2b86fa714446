/* SPDX-License-Identifier: MIT */
#include "data/notes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

bool zf_notes_add(struct zf_notes *notes, const char *format, ...)
{
    char sentence[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (!zf_grow((void **)&notes->sentences, &notes->capacity, notes->count + 1,
                 sizeof *notes->sentences) ||
        !(notes->sentences[notes->count] = zf_strdup(sentence)))
        return false;
    notes->count++;
    return true;
}

bool zf_notes_add_unused(struct zf_notes *notes, const char *ending, const char *path)
{
    struct zf_unused *unused = NULL;

    for (size_t k = 0; k < notes->unused_count; k++) {
        if (strcmp(notes->unused[k].ending, ending) == 0)
            unused = &notes->unused[k];
    }
    if (!unused) {
        if (!zf_grow((void **)&notes->unused, &notes->unused_capacity, notes->unused_count + 1,
                     sizeof *notes->unused))
            return false;
        unused = &notes->unused[notes->unused_count++];
        *unused = (struct zf_unused){zf_strdup(ending), zf_strdup(path), 0};
        if (!unused->ending || !unused->example)
            return false;
    }
    unused->count++;
    if (strcmp(path, unused->example) < 0) { /* the same one in whatever order they are listed */
        char *example = zf_strdup(path);

        if (!example)
            return false;
        zf_free(unused->example);
        unused->example = example;
    }
    return true;
}

static int compare_endings(const void *left, const void *right)
{
    const struct zf_unused *a = left, *b = right;

    return strcmp(a->ending, b->ending);
}

bool zf_notes_sum_up(struct zf_notes *notes)
{
    char list[768] = "";
    size_t length = 0;
    int64_t all = 0;

    if (notes->unused_count > 0)
        qsort(notes->unused, notes->unused_count, sizeof *notes->unused, compare_endings);
    for (size_t k = 0; k < notes->unused_count; k++) {
        const struct zf_unused *unused = &notes->unused[k];
        const size_t room = sizeof list - length;
        const int written = snprintf(list + length, room, "%s%" PRId64 " %s (%s%.200s)",
                                     k > 0 ? ", " : "", unused->count, unused->ending,
                                     unused->count > 1 ? "such as " : "", unused->example);

        all += unused->count;
        if (written > 0 && (size_t)written < room)
            length += (size_t)written;
        else
            list[length] = '\0';
    }
    return all == 0 ||
           zf_notes_add(notes,
                        "not used: %" PRId64 " file%s named like a picture, of no kind that is "
                        "read: %s",
                        all, all == 1 ? "" : "s", list);
}

void zf_notes_release(struct zf_notes *notes)
{
    for (size_t k = 0; k < notes->count; k++)
        zf_free(notes->sentences[k]);
    for (size_t k = 0; k < notes->unused_count; k++) {
        zf_free(notes->unused[k].ending);
        zf_free(notes->unused[k].example);
    }
    zf_free(notes->sentences);
    zf_free(notes->unused);
    *notes = (struct zf_notes){0};
}
