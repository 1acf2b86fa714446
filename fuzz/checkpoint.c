/* SPDX-License-Identifier: MIT */
/* A checkpoint, as `train --resume` and `check` take it. Its CRC is mended first, so that what it
   guards is reached. */
#define _GNU_SOURCE /* memmem() */
#include "target.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "net/net.h"
#include "train/checkpoint.h"
#include "train/checkpoint_fields.h"

enum { CRC_DIGITS = 8 };

/* That of corpus/checkpoint. */
static const char spec[] = "[net]\nname = tiny\ninput = 3x4x4\nsize = 4\nclasses = 2\n\n"
                           "[conv1]\ntype = conv\nmaps = 2\nkernel = 3\npad = 1\n\n"
                           "[fc]\ntype = fc\nmaps = 2\n\n[prob]\ntype = softmax\n";

static void mend(uint8_t *bytes, size_t size)
{
    const struct zf_bytes file = {.data = bytes, .size = size};
    struct zf_safetensors *container = NULL;
    struct zf_note notes[ZF_KEPT_COUNT];
    bool complete = true;
    char digits[16], *at;

    if (zf_safetensors_parse(&file, "fuzz", NULL, &container, NULL) != ZF_OK)
        return;
    for (int i = 0; i < ZF_KEPT_COUNT; i++) {
        notes[i].value = zf_safetensors_note(container, zf_kept_keys[i]);
        complete = complete && notes[i].value;
    }
    if (complete && strlen(notes[ZF_KEPT_CRC].value) == CRC_DIGITS) {
        at = memmem(bytes, size, notes[ZF_KEPT_CRC].value, CRC_DIGITS);
        snprintf(digits, sizeof digits, "%08" PRIx32,
                 zf_checkpoint_crc(zf_safetensors_at(container, 0), zf_safetensors_count(container),
                                   notes, ZF_KEPT_CRC));
        if (at)
            memcpy(at, digits, CRC_DIGITS);
    }
    zf_safetensors_free(&container);
}

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    static struct zf_net *net;
    static float *velocity;
    uint8_t *mended = malloc(size + 1);
    struct zf_checkpoint checkpoint;
    struct zf_error err;
    int64_t epochs, floats;
    const char *path;
    bool accepted;

    if (!net && zf_net_parse_spec(spec, "tiny.ini", 0, &net, &err) != ZF_OK)
        abort();
    if (!velocity) {
        zf_net_parameters_mutable(net, &floats);
        velocity = calloc((size_t)floats, sizeof *velocity);
    }
    if (!mended || !velocity)
        abort();
    memcpy(mended, bytes, size);
    mend(mended, size);
    path = fuzz_file("checkpoint", mended, size);
    free(mended);
    accepted = zf_checkpoint_verify(path, &epochs, &err) == ZF_OK;
    if (zf_checkpoint_load(fuzz_directory(), net, velocity, &checkpoint, NULL, &err) != ZF_OK)
        return false;
    return accepted;
}
