/* SPDX-License-Identifier: MIT */
/* What a model may cost: memory and work in proportion to its file. */
#include "import.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"

#define MEMORY_PER_BYTE 10 /* half precision, turned, folded, and in the net */
#define WORK_PER_BYTE 4    /* of half precision: each weight scaled 8 times over */

void zf_import_afford(struct zf_import *import, size_t bytes)
{
    import->memory += MEMORY_PER_BYTE * (int64_t)bytes;
    import->work += WORK_PER_BYTE * (int64_t)bytes;
}

void *zf_import_room(struct zf_import *import, int64_t count, size_t size)
{
    int64_t bytes;
    void *room;

    if (!zf_mul3(count, (int64_t)size, 1, &bytes) || bytes > import->memory) {
        zf_fail(import->err, ZF_EINPUT,
                "%s: %" PRId64
                " numbers computed from constants are more than a file of this size needs",
                import->path, count);
        return NULL;
    }
    room = zf_alloc_raw((size_t)count, size);
    if (!room)
        zf_fail(import->err, ZF_ENOMEM, "%s: no memory for %" PRId64 " numbers", import->path,
                count);
    else
        import->memory -= bytes;
    return room;
}

enum zf_status zf_import_work(struct zf_import *import, int64_t count)
{
    import->work -= count;
    return import->work >= 0 ? ZF_OK
                             : zf_fail(import->err, ZF_EINPUT,
                                       "%s: the same %" PRId64
                                       " numbers are gone through again and again, more often "
                                       "than a file of this size needs",
                                       import->path, count);
}

void zf_operand_release(struct zf_operand *value)
{
    zf_free(value->owned);
    *value = (struct zf_operand){0};
}

enum zf_status zf_import_fill(struct zf_import *import, int64_t count)
{
    int64_t bytes;

    if (count < 0 || count > import->filled || !zf_mul3(count, (int64_t)sizeof(float), 1, &bytes))
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: weights that are filled with one number, not stored: %" PRId64
                       " numbers are "
                       "more than are filled",
                       import->path, count);
    import->filled -= count;
    import->memory += 3 * bytes; /* made, scaled by a normalisation, and in the net */
    import->work += count;
    return ZF_OK;
}
