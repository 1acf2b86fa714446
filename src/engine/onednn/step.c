/* SPDX-License-Identifier: MIT */
/* Steps: a primitive with its arguments, and what is said when oneDNN refuses one. */
#include "onednn.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "threads.h"

bool zf_onednn_ok(const struct zf_engine *e)
{
    return e->error.status == ZF_OK;
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
        length += (size_t)snprintf(text + length, size - length, i ? "x%lld" : "%lld",
                                   (long long)dims.d[i]);
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
    else
        zf_fail(&e->error, ZF_EUNSUPPORTED, "oneDNN refuses %s%s%s (its status %d)",
                work->operation, first, second, (int)status);
}

bool zf_onednn_step_begin(struct zf_engine *e, struct zf_onednn_step *step)
{
    *step = (struct zf_onednn_step){.program = e->program};
    if (!zf_onednn_ok(e))
        return false;
    step->threads_before = zf_onednn_threads_set(e->config.threads);
    return true;
}

bool zf_onednn_step_make(struct zf_engine *e, struct zf_onednn_step *step, dnnl_status_t status,
                         const struct zf_onednn_work *work)
{
    if (status == dnnl_success)
        status = dnnl_primitive_create(&step->primitive, step->desc);
    zf_onednn_threads_set(step->threads_before);
    if (status != dnnl_success) {
        zf_onednn_refuse(e, status, work);
        zf_onednn_step_release(step);
    }
    return status == dnnl_success;
}

const struct zf_layout *zf_onednn_wants(struct zf_engine *e, const struct zf_onednn_step *step,
                                        int argument)
{
    return zf_layout_of(&e->layouts,
                        dnnl_primitive_desc_query_md(step->desc, dnnl_query_exec_arg_md, argument));
}

/* oneDNN's memory object is made now and gets its address when the arena is laid out. */
static void attach(struct zf_engine *e, struct zf_onednn_step *step, int argument, zf_value value,
                   const struct zf_layout *layout)
{
    dnnl_memory_t memory = NULL;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return;
    assert(step->count < ZF_ONEDNN_ARGS);
    if (dnnl_memory_create(&memory, layout->desc, e->engine, DNNL_MEMORY_NONE) != dnnl_success) {
        zf_onednn_no_memory(e, "an argument of a primitive");
        return;
    }
    step->values[step->count] = value;
    step->args[step->count] = (dnnl_exec_arg_t){argument, memory};
    step->count++;
}

void zf_onednn_bind(struct zf_engine *e, struct zf_onednn_step *step, int argument, zf_value value)
{
    if (zf_onednn_ok(e))
        attach(e, step, argument, value, zf_onednn_wants(e, step, argument));
}

zf_value zf_onednn_in(struct zf_engine *e, struct zf_onednn_step *step, int argument,
                      zf_value value, const struct zf_layout *as)
{
    zf_value bound;

    if (!zf_onednn_ok(e))
        return ZF_NO_VALUE;
    bound = zf_onednn_convert(e, value, as, zf_onednn_wants(e, step, argument));
    zf_onednn_bind(e, step, argument, bound);
    return bound;
}

zf_value zf_onednn_out(struct zf_engine *e, struct zf_onednn_step *step, int argument,
                       struct zf_dims dims)
{
    zf_value value;

    if (!zf_onednn_ok(e))
        return ZF_NO_VALUE;
    value = zf_onednn_new(e, dims, zf_onednn_wants(e, step, argument));
    zf_onednn_bind(e, step, argument, value);
    return value;
}

/* Memory that a primitive wants beside its arguments; of 0 bytes where it wants none. */
static const struct zf_layout *asked_layout(struct zf_engine *e, const struct zf_onednn_step *step,
                                            dnnl_query_t what)
{
    static const struct zf_layout nothing;
    const_dnnl_memory_desc_t desc = dnnl_primitive_desc_query_md(step->desc, what, 0);

    return desc && dnnl_memory_desc_get_size(desc) > 0 ? zf_layout_of(&e->layouts, desc) : &nothing;
}

zf_value zf_onednn_workspace(struct zf_engine *e, struct zf_onednn_step *step, struct zf_dims dims)
{
    const struct zf_layout *layout;
    zf_value value;

    if (!zf_onednn_ok(e))
        return ZF_NO_VALUE;
    layout = asked_layout(e, step, dnnl_query_workspace_md);
    value = zf_onednn_new(e, dims, layout);
    if (value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (dnnl_primitive_desc_clone(&zf_onednn_at(e, value)->forward, step->desc) != dnnl_success)
        zf_onednn_no_memory(e, "a workspace");
    if (layout->bytes > 0)
        attach(e, step, DNNL_ARG_WORKSPACE, value, layout);
    return value;
}

/* The scratchpad is a value that lives for one step only. */
static void attach_scratchpad(struct zf_engine *e, struct zf_onednn_step *step)
{
    const struct zf_layout *layout = asked_layout(e, step, dnnl_query_scratchpad_md);
    zf_value value;

    if (!layout || layout->bytes == 0)
        return;
    value = zf_onednn_new(e, (struct zf_dims){1, {(int64_t)layout->bytes}}, layout);
    attach(e, step, DNNL_ARG_SCRATCHPAD, value, layout);
}

void zf_onednn_append(struct zf_engine *e, struct zf_onednn_step *step)
{
    void *steps = e->steps;

    if (zf_onednn_ok(e) && step->desc)
        attach_scratchpad(e, step);
    if (zf_onednn_ok(e) && !zf_grow(&steps, &e->step_capacity, e->step_count + 1, sizeof *e->steps))
        zf_onednn_no_memory(e, "the list of steps");
    if (!zf_onednn_ok(e)) {
        zf_onednn_step_release(step);
        return;
    }
    e->steps = steps;
    if (step->desc)
        dnnl_primitive_desc_destroy(step->desc);
    step->desc = NULL;
    e->steps[e->step_count++] = *step;
}

void zf_onednn_reorder(struct zf_engine *e, int program, zf_value from,
                       const struct zf_layout *from_layout, zf_value to,
                       const struct zf_layout *to_layout)
{
    const struct zf_onednn_work work = {.operation = "a reorder", .first = zf_onednn_dims(e, from)};
    struct zf_onednn_step step;
    dnnl_status_t status;

    if (!zf_onednn_step_begin(e, &step))
        return;
    step.program = program;
    status = dnnl_reorder_primitive_desc_create(&step.desc, from_layout->desc, e->engine,
                                                to_layout->desc, e->engine, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return;
    attach(e, &step, DNNL_ARG_FROM, from, from_layout);
    attach(e, &step, DNNL_ARG_TO, to, to_layout);
    zf_onednn_append(e, &step);
}

void zf_onednn_step_release(struct zf_onednn_step *step)
{
    for (int i = 0; i < step->count; i++)
        dnnl_memory_destroy(step->args[i].memory);
    if (step->primitive)
        dnnl_primitive_destroy(step->primitive);
    if (step->desc)
        dnnl_primitive_desc_destroy(step->desc);
    *step = (struct zf_onednn_step){0};
}
