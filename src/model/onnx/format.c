/* SPDX-License-Identifier: MIT */
/* ONNX as a format of model files. */
#include "model/format.h"

#include "base/status.h"
#include "model/onnx/reader.h"
#include "model/onnx/rebuild.h"
#include "model/onnx/write.h"

/* A protobuf message without a magic number: its first field is ir_version, a small number, and
   another field of ModelProto follows. */
static bool probe(const struct zf_bytes *bytes)
{
    const uint8_t *d = bytes->data;

    return bytes->size > 3 && d[0] == 0x08 && d[1] >= 1 && d[1] < 32 &&
           (d[2] == 0x12 || d[2] == 0x1a || d[2] == 0x22 || d[2] == 0x2a || d[2] == 0x32 ||
            d[2] == 0x3a || d[2] == 0x42);
}

/* What this program has written comes back bit for bit; everything else is translated. */
static enum zf_status load(struct zf_bytes *bytes, const char *path,
                           const struct zf_model_options *options, struct zf_net **out,
                           struct zf_error *err)
{
    enum zf_status status;
    Onnx__ModelProto *model = NULL;
    struct zf_net *net = NULL;

    ZF_TRY(zf_onnx_unpack(bytes, path, &model, err));
    if (!options->until && !options->output)
        ZF_TRY(zf_onnx_rebuild(model, path, &net, err));
    if (!net)
        ZF_TRY(zf_onnx_read(model, bytes->size, path, options, &net, err));
    *out = net;
fail:
    zf_onnx_unpacked_free(&model);
    return status;
}

const struct zf_model_format zf_model_onnx = {
    .name = "ONNX",
    .suffix = ".onnx",
    .probe = probe,
    .load = load,
    .save = zf_onnx_save,
};
