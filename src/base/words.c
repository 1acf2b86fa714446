/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <errno.h>
#include <inttypes.h>
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

const char *zf_count_text(int64_t value, const char *gap, char *text)
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%" PRId64, value);
    size_t used = 0;

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
            used += (size_t)snprintf(text + used, ZF_COUNT_TEXT - used, "%s", gap);
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
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

size_t zf_utf8_length(const char *bytes)
{
    const unsigned char *text = (const unsigned char *)bytes;
    unsigned char first = text[0], second;
    unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */
    size_t length = first < 0x80   ? 1
                    : first < 0xc2 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf5 ? 4
                                   : 0;

    if (length < 2)
        return length;
    low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
    high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : high;
    second = text[1];
    if (second < low || second > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}
