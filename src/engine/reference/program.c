/* SPDX-License-Identifier: MIT */
/* What operations record with: values, and the list of a program. */
#include "reference.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

bool zf_ref_failed(const struct zf_engine *e)
{
    return e->error.status != ZF_OK;
}

static void no_memory(struct zf_engine *e)
{
    zf_fail(&e->error, ZF_ENOMEM, "reference engine: out of memory");
}

static bool sound(struct zf_dims dims)
{
    int64_t count;

    return zf_mul3(dims.d[0], dims.d[1], dims.d[2], &count) &&
           zf_mul3(count, dims.d[3], (int64_t)sizeof(double), &count) && count > 0;
}

static zf_value new_value(struct zf_engine *e, struct zf_ref_value value)
{
    struct zf_dims *dims = &value.dims;

    assert(!e->finished && dims->rank >= 1 && dims->rank <= 4);
    if (zf_ref_failed(e))
        return ZF_NO_VALUE;
    for (int i = dims->rank; i < 4; i++)
        dims->d[i] = 1;
    if (!sound(*dims)) {
        zf_fail(&e->error, ZF_EINVAL,
                "a value cannot have the extents %" PRId64 "x%" PRId64 "x%" PRId64 "x%" PRId64,
                dims->d[0], dims->d[1], dims->d[2], dims->d[3]);
        return ZF_NO_VALUE;
    }
    if (!zf_grow((void **)&e->values, &e->capacity, e->count + 1, sizeof value)) {
        no_memory(e);
        return ZF_NO_VALUE;
    }
    e->values[e->count] = value;
    return (zf_value)e->count++;
}

zf_value zf_ref_value(struct zf_engine *e, struct zf_dims dims)
{
    return new_value(e, (struct zf_ref_value){.dims = dims});
}

zf_value zf_ref_switches(struct zf_engine *e, struct zf_dims dims)
{
    return new_value(e, (struct zf_ref_value){.dims = dims, .of_switches = true});
}

zf_value zf_ref_host_value(struct zf_engine *e, struct zf_dims dims, float *memory)
{
    return new_value(e, (struct zf_ref_value){.dims = dims, .host = memory});
}

struct zf_dims zf_ref_dims(const struct zf_engine *e, zf_value value)
{
    if (zf_ref_failed(e)) /* numbers that the caller can go on with */
        return zf_ref_nchw(1, 1, 1, 1);
    assert(value >= 0 && (size_t)value < e->count);
    return e->values[value].dims;
}

struct zf_ref_op zf_ref_op_of(zf_ref_run *run)
{
    return (struct zf_ref_op){
        .run = run,
        .src = ZF_NO_VALUE,
        .other = ZF_NO_VALUE,
        .weight = ZF_NO_VALUE,
        .bias = ZF_NO_VALUE,
        .dst = ZF_NO_VALUE,
        .extra = ZF_NO_VALUE,
    };
}

void zf_ref_emit_with(struct zf_engine *e, struct zf_ref_op op, const void *parameters, size_t size)
{
    struct zf_ref_program *program = e->building;

    if (zf_ref_failed(e))
        return;
    if (size > 0 && !(op.parameters = zf_alloc(1, size))) {
        no_memory(e);
        return;
    }
    if (!zf_grow((void **)&program->ops, &program->capacity, program->count + 1, sizeof op)) {
        zf_free(op.parameters);
        no_memory(e);
        return;
    }
    if (size > 0)
        memcpy(op.parameters, parameters, size);
    program->ops[program->count++] = op;
}

void zf_ref_emit(struct zf_engine *e, struct zf_ref_op op)
{
    zf_ref_emit_with(e, op, NULL, 0);
}

zf_value zf_ref_record(struct zf_engine *e, zf_ref_run *run, zf_value src, zf_value other,
                       struct zf_dims dims, const void *parameters, size_t size)
{
    struct zf_ref_op op = zf_ref_op_of(run);

    op.src = src;
    op.other = other;
    op.dst = zf_ref_value(e, dims);
    zf_ref_emit_with(e, op, parameters, size);
    return op.dst;
}

void zf_ref_need_scratch(struct zf_engine *e, int64_t a, int64_t b, int64_t c)
{
    int64_t count;

    if (zf_ref_failed(e))
        return;
    if (!zf_mul3(a, b, c, &count))
        zf_fail(&e->error, ZF_ENOMEM, "no memory for %" PRId64 "x%" PRId64 "x%" PRId64 " numbers",
                a, b, c);
    else if ((size_t)count > e->scratch_count)
        e->scratch_count = (size_t)count;
}
