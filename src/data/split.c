/* SPDX-License-Identifier: MIT */
/* A part of each class's pictures for validation, the rest for training. */
#include "data/data.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"

/* How many of a class are validated on: of two or more at least one, and never all. */
static int64_t share_of(int64_t count, double share)
{
    const int64_t wanted = (int64_t)floor((double)count * share + 0.5);
    const int64_t least = count > 1 ? 1 : 0, most = count > 1 ? count - 1 : 0;

    return wanted < least ? least : wanted > most ? most : wanted;
}

/* Marks the first of a class's samples, shuffled by (seed, class). `members` is [count]. */
static void draw(int64_t *members, int64_t count, int64_t class, double share, uint64_t seed,
                 uint8_t *validated)
{
    struct zf_random random = zf_random_stream(seed, ZF_RANDOM_SPLIT, (uint64_t) class, 0);

    for (int64_t i = count - 1; i > 0; i--) {
        const int64_t j = (int64_t)zf_random_below(&random, (uint64_t)(i + 1));
        const int64_t swapped = members[i];

        members[i] = members[j];
        members[j] = swapped;
    }
    for (int64_t i = 0; i < share_of(count, share); i++)
        validated[members[i]] = 1;
}

/* The samples that are marked, or are not, in the data set's order. */
static enum zf_status take(const struct zf_data *whole, const uint8_t *validated, bool marked,
                           int64_t *room, struct zf_data **out, struct zf_error *err)
{
    int64_t count = 0;

    for (int64_t i = 0; i < whole->count; i++) {
        if ((validated[i] != 0) == marked)
            room[count++] = i;
    }
    if (count == 0)
        return zf_fail(err, ZF_EINPUT, "%s has too few pictures to be split: no class has two",
                       whole->name);
    return zf_data_subset(whole, room, count, out, err);
}

enum zf_status zf_data_split(const struct zf_data *whole, double share, uint64_t seed,
                             struct zf_data **train, struct zf_data **val, struct zf_error *err)
{
    enum zf_status status;
    struct zf_data *rest = NULL, *part = NULL;
    int64_t *room = NULL;
    uint8_t *validated = NULL;

    if (!(share > 0 && share < 1))
        return zf_fail(err, ZF_EINVAL, "a share of %g is not between 0 and 1", share);
    if (whole->class_count == 0)
        return zf_fail(err, ZF_EINPUT, "%s has no classes to split", whole->name);
    room = zf_alloc_raw((size_t)whole->count, sizeof *room);
    validated = zf_alloc((size_t)whole->count, 1);
    if (!room || !validated)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory to split %s", whole->name));
    for (int64_t k = 0; k < whole->class_count; k++) {
        int64_t count = 0;

        for (int64_t i = 0; i < whole->count; i++) {
            if (whole->labels[i] == k)
                room[count++] = i;
        }
        draw(room, count, k, share, seed, validated);
    }
    ZF_TRY(take(whole, validated, false, room, &rest, err));
    ZF_TRY(take(whole, validated, true, room, &part, err));
    *train = rest;
    *val = part;
    rest = part = NULL;
fail:
    zf_data_free(&rest);
    zf_data_free(&part);
    zf_free(validated);
    zf_free(room);
    return status;
}
