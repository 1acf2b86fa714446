/* SPDX-License-Identifier: MIT */
/* ONNX as a format of model files. */
#include "model/format.h"

#include "base/status.h"
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

static enum zf_status load(const struct zf_bytes *bytes, const char *path,
                           const struct zf_model_limits *limits, struct zf_net **out,
                           struct zf_error *err)
{
    enum zf_status status;
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, bytes->size, bytes->data);
    struct zf_net *net = NULL;

    (void)limits;
    if (!model)
        return zf_fail(err, ZF_EINPUT, "%s: truncated or damaged: no ONNX model", path);
    ZF_TRY(zf_onnx_rebuild(model, path, &net, err));
    if (net)
        *out = net;
    else
        status = zf_fail(err, ZF_EUNSUPPORTED,
                         "%s: an ONNX model that zfscope did not write, or that was changed since",
                         path);
fail:
    onnx__model_proto__free_unpacked(model, NULL);
    return status;
}

const struct zf_model_format zf_model_onnx = {
    .name = "ONNX",
    .suffix = ".onnx",
    .probe = probe,
    .load = load,
    .save = zf_onnx_save,
};
