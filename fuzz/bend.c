/* SPDX-License-Identifier: MIT */
#include "bend.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xorshift64 */
uint64_t fuzz_draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

size_t fuzz_draw_below(uint64_t *state, size_t count)
{
    return (size_t)(fuzz_draw(state) >> 11) % count;
}

int64_t fuzz_draw_edge(uint64_t *state)
{
    static const int64_t edges[] = {0,  1,   2,     3,         -1,        -2,        7,
                                    16, 255, 65536, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    const size_t i = fuzz_draw_below(state, 2 * sizeof edges / sizeof *edges);

    if (i < sizeof edges / sizeof *edges)
        return edges[i];
    return (int64_t)fuzz_draw_below(state, 12) - 2;
}

/* Begin and length of one of the runs of digits; false where there is none. */
static bool find_number(const char *text, uint64_t *state, size_t *begin, size_t *length)
{
    size_t runs = 0, chosen;

    for (size_t i = 0; text[i]; i++)
        runs += isdigit((unsigned char)text[i]) && (i == 0 || !isdigit((unsigned char)text[i - 1]));
    if (runs == 0)
        return false;
    chosen = fuzz_draw_below(state, runs);
    for (*begin = 0;; ++*begin) {
        const bool digit = isdigit((unsigned char)text[*begin]);
        const bool first = digit && (*begin == 0 || !isdigit((unsigned char)text[*begin - 1]));

        if (first && chosen-- == 0)
            break;
    }
    *length = strspn(text + *begin, "0123456789");
    return true;
}

char *fuzz_bend_text(const char *text, const char *other, uint64_t *state)
{
    const size_t size = strlen(text) + 1, way = fuzz_draw_below(state, 8);
    size_t begin = 0, length = 0;
    char number[32] = "", *bent;

    if (way < 2 || size == 1)
        return strdup(other);
    if (way < 6 && find_number(text, state, &begin, &length)) {
        snprintf(number, sizeof number, "%" PRId64, fuzz_draw_edge(state));
    } else if (way == 6) { /* from somewhere to the end of that line */
        begin = fuzz_draw_below(state, size);
        length = strcspn(text + begin, "\n");
    } else {
        begin = fuzz_draw_below(state, size - 1);
        length = 1;
        number[0] = (char)(' ' + fuzz_draw_below(state, 95));
    }
    bent = malloc(size + sizeof number);
    if (bent)
        snprintf(bent, size + sizeof number, "%.*s%s%s", (int)begin, text, number,
                 text + begin + length);
    return bent;
}
