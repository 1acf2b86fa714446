/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "zf/option.h"

bool zf_ends_in(const char *text, const char *ending)
{
    const size_t length = strlen(text), tail = strlen(ending);

    return length > tail && strcmp(text + length - tail, ending) == 0;
}

void zf_add_name(char *names, size_t size, const char *name)
{
    static const char more[] = ", ...";
    const size_t used = strlen(names);

    if (zf_ends_in(names, more))
        return;
    if (used + 2 + strlen(name) + sizeof more > size)
        snprintf(names + used, size - used, "%s", used ? more : "");
    else
        snprintf(names + used, size - used, "%s%s", used ? ", " : "", name);
}

/* Edit distance with rows of bounded length; longer words are not worth a suggestion. */
#define WORD_LIMIT 40

static size_t edit_distance(const char *a, const char *b)
{
    size_t row[WORD_LIMIT + 1];
    const size_t columns = strlen(b);

    if (strlen(a) > WORD_LIMIT || columns > WORD_LIMIT)
        return SIZE_MAX;
    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < columns; j++) {
            const bool same = a[i] == b[j] || (a[i] == '_' && b[j] == '-');
            size_t best = diagonal + (same ? 0 : 1);

            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[columns];
}

const char *zf_word_closest(const char *word, const char *const *candidates, size_t count)
{
    const char *closest = NULL;
    size_t least = strlen(word) / 3 + 2; /* further away than this is another word */

    for (size_t i = 0; i < count; i++) {
        const size_t distance = edit_distance(word, candidates[i]);

        if (distance < least && distance < strlen(candidates[i])) {
            least = distance;
            closest = candidates[i];
        }
    }
    return closest;
}

enum zf_status zf_list_split(const char *text, char ***items, size_t *count, struct zf_error *err)
{
    const size_t length = text ? strlen(text) : 0;
    size_t most = 1, found = 0;
    char **made, *copy;

    for (size_t i = 0; i < length; i++)
        most += text[i] == ',';
    made = zf_alloc((most + 1) * sizeof *made + length + 1, 1);
    if (!made)
        return zf_no_memory(err, "a list of %zu names", most);
    copy = (char *)(made + most + 1);
    if (length > 0)
        memcpy(copy, text, length);
    /* A comma at the end begins no further item. */
    for (char *at = copy; *at;) {
        made[found++] = at;
        at += strcspn(at, ",");
        if (*at)
            *at++ = '\0';
    }
    *items = made;
    *count = found;
    return ZF_OK;
}

enum zf_status zf_list_numbers(const char *text, const char *what, int64_t **values, size_t *count,
                               struct zf_error *err)
{
    int64_t *numbers = zf_alloc(strlen(text) + 1, sizeof *numbers);
    size_t found = 0;

    if (!numbers)
        return zf_no_memory(err, "a list of numbers");
    for (const char *at = text; *at != '\0';) {
        char *end = NULL;

        errno = 0;
        numbers[found] = strtoll(at, &end, 10);
        if (end == at || errno != 0 || numbers[found] < 0 || (*end != ',' && *end != '\0')) {
            zf_free(numbers);
            return zf_fail(err, ZF_EINVAL, "%s takes whole numbers between commas, not '%s'", what,
                           text);
        }
        found++;
        at = end + (*end == ',');
    }
    if (found == 0) {
        zf_free(numbers);
        return zf_fail(err, ZF_EINVAL, "%s takes whole numbers between commas, and got none", what);
    }
    *values = numbers;
    *count = found;
    return ZF_OK;
}
