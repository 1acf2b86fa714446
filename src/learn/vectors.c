/* SPDX-License-Identifier: MIT */
#include "learn/vectors.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"
#include "net/net.h"

int64_t zf_vector_stride(int64_t width)
{
    return (width + ZF_VECTOR_UNIT - 1) / ZF_VECTOR_UNIT * ZF_VECTOR_UNIT;
}

enum zf_status zf_vector_net(int64_t stride, int64_t outputs, bool softmax, struct zf_net **out,
                             struct zf_error *err)
{
    enum zf_status status;
    char *spec = zf_format("[net]\nname = vectors\ninput = 1x%" PRId64 "x%d\nclasses = %" PRId64
                           "\n[fc]\ntype = fc\nmaps = classes\n%s",
                           stride / ZF_VECTOR_UNIT, ZF_VECTOR_UNIT, outputs,
                           softmax ? "[prob]\ntype = softmax\n" : "");

    if (!spec)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    status = zf_net_parse_spec(spec, "vectors", 0, out, err);
    zf_free(spec);
    return status;
}

float *zf_vector_matrix(struct zf_net *net)
{
    return net->parameters + net->slots[0].offset;
}
