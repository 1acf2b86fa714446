/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "engine/arena.h"

#define CASES 300
#define MOST_ITEMS 40
#define STEPS 20

static bool meet_in_time(const struct zf_arena_item *a, const struct zf_arena_item *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static bool meet_in_memory(const struct zf_arena_item *a, const struct zf_arena_item *b)
{
    return a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

/* The most bytes in use at one step: no arena can be smaller. */
static size_t peak(const struct zf_arena_item *items, size_t count)
{
    size_t most = 0;

    for (int64_t step = 0; step < STEPS; step++) {
        size_t bytes = 0;
        for (size_t i = 0; i < count; i++)
            if (items[i].first <= step && step <= items[i].last)
                bytes += (items[i].bytes + ZF_ARENA_ALIGNMENT - 1) / ZF_ARENA_ALIGNMENT *
                         ZF_ARENA_ALIGNMENT;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static size_t draw(struct zf_arena_item *items, uint64_t seed)
{
    struct zf_random random = zf_random_stream(seed, ZF_RANDOM_TEST, 0, 0);
    const size_t count = 1 + (size_t)zf_random_below(&random, MOST_ITEMS);

    for (size_t i = 0; i < count; i++) {
        items[i] = (struct zf_arena_item){.bytes = (size_t)zf_random_below(&random, 5000)};
        items[i].first = (int64_t)zf_random_below(&random, STEPS);
        items[i].last = items[i].first + (int64_t)zf_random_below(&random, 6);
        if (zf_random_below(&random, 8) == 0) {
            items[i].first = 0;
            items[i].last = ZF_ARENA_FOREVER;
        }
    }
    return count;
}

static void buffers_in_use_together_never_overlap(void **state)
{
    struct zf_arena_item items[MOST_ITEMS];

    (void)state;
    for (uint64_t seed = 0; seed < CASES; seed++) {
        const size_t count = draw(items, seed);
        size_t total = 0;

        assert_true(zf_arena_assign(items, count, &total));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(items[i].offset % ZF_ARENA_ALIGNMENT, 0);
            assert_true(items[i].offset + items[i].bytes <= total);
            for (size_t j = 0; j < i; j++) {
                if (meet_in_time(&items[i], &items[j]) && meet_in_memory(&items[i], &items[j]))
                    fail_msg("seed %d: items %d and %d overlap", (int)seed, (int)i, (int)j);
            }
        }
    }
}

static void the_total_is_near_what_is_in_use_at_once(void **state)
{
    struct zf_arena_item items[MOST_ITEMS];
    double excess = 0.0;

    (void)state;
    for (uint64_t seed = 0; seed < CASES; seed++) {
        const size_t count = draw(items, seed), least = peak(items, count);
        size_t total = 0;

        assert_true(zf_arena_assign(items, count, &total));
        assert_true(total >= least);
        excess += least > 0 ? (double)(total - least) / (double)least : 0.0;
    }
    assert_true(excess / CASES < 0.05);
}

static void a_chain_of_layers_needs_room_for_two(void **state)
{
    /* Each written by one step and read by the next. */
    struct zf_arena_item items[10];
    size_t total = 0;

    (void)state;
    for (int i = 0; i < 10; i++)
        items[i] = (struct zf_arena_item){.bytes = 6400, .first = i, .last = i + 1};
    assert_true(zf_arena_assign(items, 10, &total));
    assert_int_equal(total, 2 * 6400);
}

static void what_lives_forever_shares_with_nobody(void **state)
{
    struct zf_arena_item items[3] = {
        {.bytes = 640, .first = 0, .last = 0},
        {.bytes = 640, .first = 0, .last = ZF_ARENA_FOREVER},
        {.bytes = 640, .first = 9, .last = 9},
    };
    size_t total = 0;

    (void)state;
    assert_true(zf_arena_assign(items, 3, &total));
    assert_int_equal(total, 2 * 640);
    assert_int_equal(items[0].offset, items[2].offset);
    assert_true(items[0].offset != items[1].offset);
}

static void nothing_needs_nothing(void **state)
{
    struct zf_arena_item empty = {.bytes = 0, .first = 3, .last = 4};
    size_t total = 1;

    (void)state;
    assert_true(zf_arena_assign(NULL, 0, &total));
    assert_int_equal(total, 0);
    total = 1;
    assert_true(zf_arena_assign(&empty, 1, &total));
    assert_int_equal(total, 0);
}

static void a_total_beyond_size_t_is_refused(void **state)
{
    struct zf_arena_item items[2] = {
        {.bytes = SIZE_MAX / 2 + 1000, .first = 0, .last = 1},
        {.bytes = SIZE_MAX / 2 + 1000, .first = 1, .last = 2},
    };
    size_t total = 7;

    (void)state;
    assert_false(zf_arena_assign(items, 2, &total));
    items[0].bytes = SIZE_MAX;
    assert_false(zf_arena_assign(items, 1, &total));
    assert_int_equal(total, 7);
}

static int allowed;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return allowed-- > 0;
}

static void short_memory_is_reported(void **state)
{
    struct zf_arena_item item = {.bytes = 64, .first = 0, .last = 1};
    size_t total = 7;

    (void)state;
    zf_alloc_allowed = allow_some;
    for (int i = 0; i < 2; i++) {
        allowed = i;
        assert_false(zf_arena_assign(&item, 1, &total));
    }
    allowed = 2;
    assert_true(zf_arena_assign(&item, 1, &total));
    zf_alloc_allowed = NULL;
    assert_int_equal(total, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_in_use_together_never_overlap),
        cmocka_unit_test(the_total_is_near_what_is_in_use_at_once),
        cmocka_unit_test(a_chain_of_layers_needs_room_for_two),
        cmocka_unit_test(what_lives_forever_shares_with_nobody),
        cmocka_unit_test(nothing_needs_nothing),
        cmocka_unit_test(a_total_beyond_size_t_is_refused),
        cmocka_unit_test(short_memory_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
