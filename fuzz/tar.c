/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stdlib.h>
#include <string.h>

#include "data/shard.h"

/* A tar is accepted when its samples can be told; each must lie within it and be found again. */
bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    const struct zf_tar_source source = {"fuzz.tar", bytes, -1, size};
    struct zf_shard shard = {0};
    struct zf_error err;

    if (zf_shard_read(source, NULL, &shard, &err) != ZF_OK)
        return false;
    for (uint64_t i = 0; i < shard.count; i++) {
        const struct zf_shard_sample *sample = &shard.samples[i];
        const char *name = shard.text + sample->name;

        if (sample->name >= shard.text_bytes || sample->label >= shard.text_bytes ||
            sample->offset > size || sample->size > size - sample->offset || name[0] == '/' ||
            strncmp(name, "../", 3) == 0 || zf_shard_find(&shard, name) != (int64_t)i)
            abort();
    }
    zf_shard_release(&shard);
    return true;
}
