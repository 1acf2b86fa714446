/* SPDX-License-Identifier: MIT */
/* An ONNX model, on its way to a net. */
#include "target.h"

#include <stdlib.h>

#include "model/format.h"

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    struct zf_bytes file = {.data = bytes, .size = size};
    const struct zf_model_options options = {.limits = zf_model_limits_full(NULL)};
    struct zf_net *net = NULL;
    struct zf_error err;

    if (!zf_model_onnx.probe(&file))
        return false;
    if (zf_model_onnx.load(&file, "fuzz.onnx", &options, &net, &err) != ZF_OK)
        return false;
    for (int i = 0; i < zf_net_parameter_tensors(net); i++)
        if (zf_net_parameter(net, i).count > 0 && !zf_net_parameter(net, i).data)
            abort();
    zf_net_free(&net);
    return true;
}
