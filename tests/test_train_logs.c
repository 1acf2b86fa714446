/* SPDX-License-Identifier: MIT */
/* What a run writes down about itself: its log, and events for TensorBoard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train_fixture.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "train/log.h"
#include "train/tensorboard.h"

static bool holds(const uint8_t *bytes, size_t size, const void *part, size_t part_size)
{
    for (size_t i = 0; i + part_size <= size; i++) {
        if (memcmp(bytes + i, part, part_size) == 0)
            return true;
    }
    return false;
}

/* ---- Log ---- */

static int allocations_left;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return allocations_left-- > 0;
}

/* A line that there is no memory to read was taken for one that is none, and the rest cut off. */
static void memory_that_runs_out_costs_no_line_of_the_log(void **state)
{
    struct training_fixture *f = *state;
    struct zf_epoch epoch = {.lr = 0.01};
    struct zf_log_summary summary;
    struct zf_error err = {0};
    enum zf_status status = ZF_ENOMEM;
    char path[96];
    int n;

    snprintf(path, sizeof path, "%s/log.jsonl", f->run);
    for (epoch.epoch = 1; epoch.epoch <= 4; epoch.epoch++)
        assert_int_equal(zf_log_append(path, &epoch, false, NULL), ZF_OK);
    for (n = 0; status != ZF_OK && n < 1000; n++) {
        allocations_left = n;
        zf_alloc_allowed = zf_alloc_plain_allowed = allow_some;
        status = zf_log_cut(path, 4, &err);
        zf_alloc_allowed = zf_alloc_plain_allowed = NULL;
        assert_true(status == ZF_OK || status == ZF_ENOMEM);
        assert_int_equal(zf_log_summarise(path, &summary, NULL), ZF_OK);
        assert_int_equal(summary.epochs, 4);
    }
    assert_int_equal(status, ZF_OK);
    assert_true(n > 20);
    allocations_left = 5;
    zf_alloc_allowed = zf_alloc_plain_allowed = allow_some;
    assert_int_equal(zf_log_summarise(path, &summary, &err), ZF_ENOMEM);
    zf_alloc_allowed = zf_alloc_plain_allowed = NULL;
}

static void the_log_has_each_epoch_once_after_a_cut(void **state)
{
    struct training_fixture *f = *state;
    struct zf_epoch epoch = {
        .loss = 1.5, .val_top1_error = (double)NAN, .lr = 0.01, .wait = 0.25, .skipped = 3};
    struct zf_bytes bytes = {0};
    char path[96];
    FILE *stream;
    int lines = 0;

    snprintf(path, sizeof path, "%s/log.jsonl", f->run);
    assert_int_equal(zf_log_cut(path, 2, NULL), ZF_OK); /* a missing file is fine */
    for (epoch.epoch = 1; epoch.epoch <= 4; epoch.epoch++)
        assert_int_equal(zf_log_append(path, &epoch, false, NULL), ZF_OK);
    stream = fopen(path, "ab");
    fputs("{\"epoch\":5,\"lo", stream); /* cut off by a kill */
    fclose(stream);
    assert_int_equal(zf_log_cut(path, 2, NULL), ZF_OK);
    epoch.epoch = 3;
    assert_int_equal(zf_log_append(path, &epoch, true, NULL), ZF_OK);
    assert_int_equal(zf_bytes_map(&bytes, path, 1 << 20, NULL), ZF_OK);
    for (size_t i = 0; i < bytes.size; i++)
        lines += bytes.data[i] == '\n';
    assert_int_equal(lines, 3);
    assert_true(holds(bytes.data, bytes.size, "\"val_top1_error\":null", 21));
    assert_true(holds(bytes.data, bytes.size, "\"wait\":0.25,\"skipped\":3", 23));
    zf_bytes_release(&bytes);
}

/* ---- Events ---- */

/* Bit by bit, as the polynomial says. */
static uint32_t slow_crc(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? UINT32_C(0x82F63B78) : 0);
    }
    return ~crc;
}

static void the_crc_is_castagnolis_in_one_piece_or_many(void **state)
{
    const char *digits = "123456789";
    uint8_t bytes[100];

    (void)state;
    assert_int_equal(zf_crc32c(0, digits, 9), 0xE3069283); /* the catalogue's check value */
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37);
    for (size_t split = 0; split <= sizeof bytes; split++)
        assert_int_equal(zf_crc32c(zf_crc32c(0, bytes, split), bytes + split, 100 - split),
                         slow_crc(bytes, 100));
}

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t masked(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + UINT32_C(0xA282EAD8);
}

/* The records of an event file after their framing was checked; returns how many. */
static int read_records(const struct zf_bytes *file, const uint8_t **events, size_t *sizes,
                        int most)
{
    int count = 0;

    for (size_t at = 0; at < file->size; count++) {
        const uint8_t *record = file->data + at;
        size_t size;

        assert_true(file->size - at >= 16);
        size = read_u32(record);
        assert_int_equal(read_u32(record + 4), 0);
        assert_int_equal(read_u32(record + 8), masked(slow_crc(record, 8)));
        assert_true(file->size - at >= 16 + size);
        assert_int_equal(read_u32(record + 12 + size), masked(slow_crc(record + 12, size)));
        assert_true(count < most);
        events[count] = record + 12;
        sizes[count] = size;
        at += 16 + size;
    }
    return count;
}

static void event_files_are_framed_as_tensorboard_reads_them(void **state)
{
    /* Summary.Value{tag: "loss", simple_value: 2.5}, and an Event's step: 7 and START. */
    static const uint8_t loss[] = {0x0A, 11, 0x0A, 4, 'l', 'o', 's', 's', 0x15, 0, 0, 0x20, 0x40};
    static const uint8_t step[] = {0x10, 7}, start[] = {0x10, 7, 0x3A, 2, 0x08, 1};
    struct training_fixture *f = *state;
    const struct zf_epoch epoch = {.epoch = 7, .loss = 2.5, .val_top1_error = (double)NAN};
    struct zf_picture picture = {0};
    struct zf_events events = {0};
    struct zf_bytes bytes = {0};
    const uint8_t *records[8];
    size_t sizes[8];

    assert_int_equal(zf_picture_init(&picture, 4, 3, NULL), ZF_OK);
    assert_int_equal(zf_events_epoch(&events, &epoch, NULL), ZF_OK); /* empty: nothing */
    assert_int_equal(zf_events_open(&events, f->run, 7, NULL), ZF_OK);
    assert_int_equal(zf_events_epoch(&events, &epoch, NULL), ZF_OK);
    assert_int_equal(zf_events_picture(&events, "conv1", 300, &picture, NULL), ZF_OK);
    assert_non_null(strstr(events.path, "/events.out.tfevents."));
    assert_int_equal(zf_bytes_map(&bytes, events.path, 1 << 20, NULL), ZF_OK);
    assert_int_equal(read_records(&bytes, records, sizes, 8), 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(records[i][0], 0x09); /* wall_time, a double */
    assert_true(holds(records[0], sizes[0],
                      "\x1A\x0D"
                      "brain.Event:2",
                      15));
    assert_true(holds(records[1], sizes[1], start, sizeof start));
    assert_true(holds(records[2], sizes[2], step, sizeof step));
    assert_true(holds(records[2], sizes[2], loss, sizeof loss));
    assert_true(holds(records[2], sizes[2], "images_per_second", 17));
    assert_false(holds(records[2], sizes[2], "val_top1_error", 14));
    assert_true(holds(records[3], sizes[3], "\x10\xAC\x02", 3)); /* step 300 */
    assert_true(holds(records[3], sizes[3], "\x08\x03\x10\x04\x18\x03\x22", 7));
    assert_true(holds(records[3], sizes[3], "\x89PNG", 4));
    zf_bytes_release(&bytes);
    zf_events_close(&events);
    zf_picture_release(&picture);
}

#define IN_A_RUN(test) cmocka_unit_test_setup_teardown(test, training_set_up, training_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_RUN(memory_that_runs_out_costs_no_line_of_the_log),
        IN_A_RUN(the_log_has_each_epoch_once_after_a_cut),
        cmocka_unit_test(the_crc_is_castagnolis_in_one_piece_or_many),
        IN_A_RUN(event_files_are_framed_as_tensorboard_reads_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
