/* SPDX-License-Identifier: MIT */
/* Steps: a primitive with its arguments, or a loop of ours. */
#include "onednn.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "threads.h"

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
        status = zf_onednn_create(&step->primitive, step->desc);
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
void zf_onednn_bind_as(struct zf_engine *e, struct zf_onednn_step *step, int argument,
                       zf_value value, const struct zf_layout *layout)
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
        zf_onednn_bind_as(e, step, argument, value, zf_onednn_wants(e, step, argument));
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
        zf_onednn_bind_as(e, step, DNNL_ARG_WORKSPACE, value, layout);
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
    zf_onednn_bind_as(e, step, DNNL_ARG_SCRATCHPAD, value, layout);
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

void zf_onednn_append_loop(struct zf_engine *e, struct zf_onednn_step *step, const void *parameters,
                           size_t size)
{
    if (zf_onednn_ok(e) && size > 0) {
        step->parameters = zf_alloc(1, size);
        if (step->parameters)
            memcpy(step->parameters, parameters, size);
        else
            zf_onednn_no_memory(e, "the parameters of a step");
    }
    zf_onednn_append(e, step);
}

void zf_onednn_step_release(struct zf_onednn_step *step)
{
    zf_free(step->parameters);
    for (int i = 0; i < step->count; i++)
        dnnl_memory_destroy(step->args[i].memory);
    if (step->primitive)
        dnnl_primitive_destroy(step->primitive);
    if (step->desc)
        dnnl_primitive_desc_destroy(step->desc);
    *step = (struct zf_onednn_step){0};
}
