/* SPDX-License-Identifier: MIT */
#include "tensorboard.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"

/* Field numbers of tensorflow/core/util/event.proto and framework/summary.proto. */
enum {
    EVENT_WALL_TIME = 1,
    EVENT_STEP = 2,
    EVENT_FILE_VERSION = 3,
    EVENT_SUMMARY = 5,
    EVENT_SESSION_LOG = 7,
    SESSION_LOG_STATUS = 1,
    SESSION_LOG_STATUS_START = 1,
    SUMMARY_VALUE = 1,
    VALUE_TAG = 1,
    VALUE_SIMPLE = 2,
    VALUE_IMAGE = 4,
    IMAGE_HEIGHT = 1,
    IMAGE_WIDTH = 2,
    IMAGE_COLORSPACE = 3,
    IMAGE_COLORSPACE_RGB = 3,
    IMAGE_ENCODED = 4,
};

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* A protobuf in the making; once memory was short, it stays `failed`. */
struct message {
    uint8_t *bytes;
    size_t size, capacity;
    bool failed;
};

static void put_bytes(struct message *message, const void *bytes, size_t size)
{
    void *grown = message->bytes;

    if (message->failed || !zf_grow(&grown, &message->capacity, message->size + size, 1)) {
        message->failed = true;
        return;
    }
    message->bytes = grown;
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

static void put_varint(struct message *message, uint64_t value)
{
    uint8_t byte;

    do {
        byte = (uint8_t)((value & 127) | (value > 127 ? 128 : 0));
        put_bytes(message, &byte, 1);
        value >>= 7;
    } while (value);
}

static void put_key(struct message *message, int field, enum wire wire)
{
    put_varint(message, (uint64_t)field << 3 | (uint64_t)wire);
}

static void put_integer(struct message *message, int field, int64_t value)
{
    put_key(message, field, WIRE_VARINT);
    put_varint(message, (uint64_t)value);
}

static void put_double(struct message *message, int field, double value)
{
    put_key(message, field, WIRE_FIXED64);
    put_bytes(message, &value, sizeof value);
}

static void put_float(struct message *message, int field, float value)
{
    put_key(message, field, WIRE_FIXED32);
    put_bytes(message, &value, sizeof value);
}

static void put_block(struct message *message, int field, const void *bytes, size_t size)
{
    put_key(message, field, WIRE_BYTES);
    put_varint(message, size);
    put_bytes(message, bytes, size);
}

/* Ends `inner`, which becomes a field of `message`. */
static void put_message(struct message *message, int field, struct message *inner)
{
    message->failed |= inner->failed;
    if (!message->failed)
        put_block(message, field, inner->bytes, inner->size);
    zf_free(inner->bytes);
    *inner = (struct message){0};
}

/* So that a CRC over data that holds CRCs stays a good one; the constant is the format's. */
static uint32_t mask(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + UINT32_C(0xA282EAD8);
}

/* Frames `event` as a record and frees it. */
static enum zf_status write_record(struct zf_events *events, struct message *event,
                                   struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const uint64_t length = event->size;
    const uint32_t length_crc = mask(zf_crc32c(0, &length, sizeof length));
    const uint32_t event_crc = event->failed ? 0 : mask(zf_crc32c(0, event->bytes, event->size));

    errno = 0;
    if (event->failed)
        status = zf_fail(err, ZF_ENOMEM, "%s: out of memory", events->path);
    else if (fwrite(&length, sizeof length, 1, events->stream) != 1 ||
             fwrite(&length_crc, sizeof length_crc, 1, events->stream) != 1 ||
             fwrite(event->bytes, 1, event->size, events->stream) != event->size ||
             fwrite(&event_crc, sizeof event_crc, 1, events->stream) != 1 ||
             fflush(events->stream) != 0)
        status = zf_fail_errno(err, ZF_EIO, errno ? errno : EIO, "cannot write %s", events->path);
    zf_free(event->bytes);
    *event = (struct message){0};
    return status;
}

static struct message begin_event(int64_t step)
{
    struct message event = {0};
    struct timespec now = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    put_double(&event, EVENT_WALL_TIME, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    put_integer(&event, EVENT_STEP, step);
    return event;
}

bool zf_events_are_in(const char *name)
{
    static const char begin[] = "events.out.tfevents.";

    return strncmp(name, begin, sizeof begin - 1) == 0 && zf_ends_in(name, ".zfscope");
}

enum zf_status zf_events_open(struct zf_events *events, const char *run, int64_t first_step,
                              struct zf_error *err)
{
    enum zf_status status;
    static const char version[] = "brain.Event:2";
    struct zf_events opened = {0};
    struct message event = {0}, start = {0};

    opened.path = zf_format("%s/events.out.tfevents.%010" PRId64 ".%07ld.zfscope", run, time(NULL),
                            (long)getpid());
    if (!opened.path)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory", run);
    opened.stream = fopen(opened.path, "wb");
    if (!opened.stream) {
        status = zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", opened.path);
        goto fail;
    }
    event = begin_event(0);
    put_block(&event, EVENT_FILE_VERSION, version, sizeof version - 1);
    ZF_TRY(write_record(&opened, &event, err));
    event = begin_event(first_step);
    put_integer(&start, SESSION_LOG_STATUS, SESSION_LOG_STATUS_START);
    put_message(&event, EVENT_SESSION_LOG, &start);
    ZF_TRY(write_record(&opened, &event, err));
    *events = opened;
    opened = (struct zf_events){0};
fail:
    zf_events_close(&opened);
    return status;
}

void zf_events_close(struct zf_events *events)
{
    if (events->stream)
        fclose(events->stream); /* each record was flushed */
    zf_free(events->path);
    *events = (struct zf_events){0};
}

static void put_scalar(struct message *summary, const char *tag, double scalar)
{
    struct message value = {0};

    if (!isfinite(scalar))
        return;
    put_block(&value, VALUE_TAG, tag, strlen(tag));
    put_float(&value, VALUE_SIMPLE, (float)scalar);
    put_message(summary, SUMMARY_VALUE, &value);
}

enum zf_status zf_events_epoch(struct zf_events *events, const struct zf_epoch *epoch,
                               struct zf_error *err)
{
    struct message event, summary = {0};

    if (!events->stream)
        return ZF_OK;
    event = begin_event(epoch->epoch);
    put_scalar(&summary, "loss", epoch->loss);
    put_scalar(&summary, "train_top1_error", epoch->train_top1_error);
    put_scalar(&summary, "val_loss", epoch->val_loss);
    put_scalar(&summary, "val_top1_error", epoch->val_top1_error);
    put_scalar(&summary, "val_top5_error", epoch->val_top5_error);
    put_scalar(&summary, "lr", epoch->lr);
    put_scalar(&summary, "images_per_second", epoch->images_per_second);
    put_message(&event, EVENT_SUMMARY, &summary);
    return write_record(events, &event, err);
}

enum zf_status zf_events_picture(struct zf_events *events, const char *tag, int64_t step,
                                 const struct zf_picture *picture, struct zf_error *err)
{
    enum zf_status status;
    struct message event, summary = {0}, value = {0}, image = {0};
    uint8_t *png = NULL;
    size_t size = 0;

    if (!events->stream)
        return ZF_OK;
    ZF_TRY(zf_picture_encode(picture, 0, &png, &size, err));
    put_integer(&image, IMAGE_HEIGHT, picture->height);
    put_integer(&image, IMAGE_WIDTH, picture->width);
    put_integer(&image, IMAGE_COLORSPACE, IMAGE_COLORSPACE_RGB);
    put_block(&image, IMAGE_ENCODED, png, size);
    put_block(&value, VALUE_TAG, tag, strlen(tag));
    put_message(&value, VALUE_IMAGE, &image);
    put_message(&summary, SUMMARY_VALUE, &value);
    event = begin_event(step);
    put_message(&event, EVENT_SUMMARY, &summary);
    ZF_TRY(write_record(events, &event, err));
fail:
    zf_bytes_free(png);
    return status;
}
