/* SPDX-License-Identifier: MIT */
#include "checkpoint_fields.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/status.h"
#include "model/metadata.h"

#define FIELD(field) .offset = offsetof(struct zf_checkpoint, field)

static const struct zf_checkpoint_field fields[] = {
    {"epoch", ZF_I64, FIELD(epoch)},
    {"epoch.batches", ZF_I64, FIELD(batches)},
    {"epoch.loss", ZF_F64, FIELD(score.loss)},
    {"epoch.images", ZF_I64, FIELD(score.images)},
    {"epoch.top1_wrong", ZF_I64, FIELD(score.top1_wrong)},
    {"epoch.top5_wrong", ZF_I64, FIELD(score.top5_wrong)},
    {"epoch.seconds", ZF_F64, FIELD(seconds)},
    {"epoch.waited", ZF_F64, FIELD(waited)},
    {"schedule.lr", ZF_F64, FIELD(schedule.lr)},
    {"schedule.best", ZF_F64, FIELD(schedule.best)},
    {"schedule.best_epoch", ZF_I64, FIELD(schedule.best_epoch)},
    {"schedule.waited", ZF_I64, FIELD(schedule.waited)},
    {"schedule.falls", ZF_I64, FIELD(schedule.falls)},
    {"schedule.ended", ZF_I64, FIELD(schedule.ended)},
    {"seed", ZF_I64, FIELD(seed)},
    {"data.count", ZF_I64, FIELD(data.count)},
    {"data.hash", ZF_U64, FIELD(data.hash)},
    {"val.count", ZF_I64, FIELD(val.count)},
    {"val.hash", ZF_U64, FIELD(val.hash)},
    {"threads", ZF_I64, FIELD(threads)},
    {"shards", ZF_I64, FIELD(shards), .before = 1},
};

const char *const zf_kept_keys[ZF_KEPT_COUNT] = {
    [ZF_KEPT_FORMAT] = "zfscope.checkpoint", [ZF_KEPT_VERSION] = ZF_NOTE_VERSION,
    [ZF_KEPT_SPEC] = ZF_NOTE_SPEC,           [ZF_KEPT_LABELS] = ZF_NOTE_LABELS,
    [ZF_KEPT_ENGINE] = "zfscope.engine",     [ZF_KEPT_CRC] = "zfscope.crc32c",
};

const struct zf_checkpoint_field *zf_checkpoint_fields(size_t *count)
{
    *count = ZF_COUNT(fields);
    return fields;
}

uint32_t zf_checkpoint_crc(const struct zf_stored *tensors, size_t count,
                           const struct zf_note *notes, size_t note_count)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < count; i++) {
        crc = zf_crc32c(crc, tensors[i].name, strlen(tensors[i].name) + 1);
        crc = zf_crc32c(crc, tensors[i].data, tensors[i].bytes);
    }
    for (size_t i = 0; i < note_count; i++)
        crc = zf_crc32c(crc, notes[i].value, strlen(notes[i].value) + 1);
    return crc;
}
