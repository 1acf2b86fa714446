/* SPDX-License-Identifier: MIT */
/* The first error while building stays; after it, building does nothing. */
#include "onednn.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/memory.h"

#define LEAST_ROOM ((size_t)32 << 20) /* bytes: a hundred kernels' code, and what they work on */

bool zf_onednn_ok(const struct zf_engine *e)
{
    return e->error.status == ZF_OK;
}

bool zf_onednn_has_room(void)
{
    return zf_memory_left(LEAST_ROOM);
}

dnnl_status_t zf_onednn_create(dnnl_primitive_t *primitive, const_dnnl_primitive_desc_t desc)
{
    return zf_onednn_has_room() ? dnnl_primitive_create(primitive, desc) : dnnl_out_of_memory;
}

void zf_onednn_no_memory(struct zf_engine *e, const char *what)
{
    if (zf_onednn_ok(e))
        zf_fail(&e->error, ZF_ENOMEM, "out of memory for %s", what);
}

static void extents_text(struct zf_dims dims, const char *before, char *text, size_t size)
{
    size_t length = (size_t)snprintf(text, size, "%s", dims.rank > 0 ? before : "");

    for (int i = 0; i < dims.rank && length < size; i++)
        length +=
            (size_t)snprintf(text + length, size - length, i ? "x%" PRId64 : "%" PRId64, dims.d[i]);
}

void zf_onednn_refuse(struct zf_engine *e, dnnl_status_t status, const struct zf_onednn_work *work)
{
    char first[128], second[128];

    if (!zf_onednn_ok(e))
        return;
    extents_text(work->first, " of ", first, sizeof first);
    extents_text(work->second, " with ", second, sizeof second);
    if (status == dnnl_out_of_memory)
        zf_fail(&e->error, ZF_ENOMEM, "out of memory for %s%s%s", work->operation, first, second);
    else if (status == dnnl_runtime_error)
        zf_fail(&e->error, ZF_ENOMEM, "oneDNN fails to make %s%s%s, most likely for want of memory",
                work->operation, first, second);
    else
        zf_fail(&e->error, ZF_EUNSUPPORTED, "oneDNN refuses %s%s%s (its status %d)",
                work->operation, first, second, (int)status);
}
