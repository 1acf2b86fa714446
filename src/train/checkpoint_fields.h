/* SPDX-License-Identifier: MIT */
/* The numbers of a checkpoint as a table, for those that write, read and compare it. */
#ifndef ZF_TRAIN_CHECKPOINT_FIELDS_H
#define ZF_TRAIN_CHECKPOINT_FIELDS_H

#include "train/checkpoint.h"

/* All are eight bytes wide. */
struct zf_checkpoint_field {
    const char *name;
    enum zf_dtype dtype;
    size_t offset;  /* in struct zf_checkpoint */
    int64_t before; /* of integers: what checkpoints that lack it stand for; 0 = none may lack it */
};

const struct zf_checkpoint_field *zf_checkpoint_fields(size_t *count);

/* CRC-32C over a container but for its own note: the tensors' values and the other notes. */
uint32_t zf_checkpoint_crc(const struct zf_stored *tensors, size_t count,
                           const struct zf_note *notes, size_t note_count);

#define ZF_CHECKPOINT_FORMAT "1"
#define ZF_CHECKPOINT_NAME_BYTES 256 /* of a tensor, "velocity." included */

/* The notes, in this order; the CRC covers those before its own. */
enum {
    ZF_KEPT_FORMAT,
    ZF_KEPT_VERSION,
    ZF_KEPT_SPEC,
    ZF_KEPT_LABELS,
    ZF_KEPT_ENGINE,
    ZF_KEPT_CRC,
    ZF_KEPT_COUNT,
};
extern const char *const zf_kept_keys[ZF_KEPT_COUNT];

#endif
