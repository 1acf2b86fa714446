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

void zf_onednn_refuse(struct zf_engine *e, dnnl_status_t status,
                      const struct zf_onednn_recipe *recipe)
{
    char first[128], second[128];

    if (!zf_onednn_ok(e))
        return;
    extents_text(recipe->first, " of ", first, sizeof first);
    extents_text(recipe->second, " with ", second, sizeof second);
    if (status == dnnl_out_of_memory)
        zf_fail(&e->error, ZF_ENOMEM, "out of memory for %s%s%s", recipe->operation, first, second);
    else
        zf_fail(&e->error, ZF_EUNSUPPORTED, "oneDNN refuses %s%s%s (its status %d)",
                recipe->operation, first, second, (int)status);
}

/* Scratchpads are ours, so that they share the arena; a rectifier is fused where asked for. */
static dnnl_status_t make_attributes(bool relu, dnnl_primitive_attr_t *attr)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(attr);

    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && relu) {
        status = dnnl_post_ops_create(&ops);
        if (status == dnnl_success)
            status = dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
        if (status == dnnl_success)
            status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    }
    if (ops)
        dnnl_post_ops_destroy(ops);
    return status;
}

static dnnl_status_t make_desc(struct zf_engine *e, const struct zf_onednn_recipe *recipe,
                               dnnl_primitive_desc_t *desc)
{
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t status = recipe->status;

    if (status == dnnl_success)
        status = make_attributes(recipe->relu, &attr);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(desc, recipe->desc, attr, e->engine, recipe->forward);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return status;
}

bool zf_onednn_offers(struct zf_engine *e, const struct zf_onednn_recipe *recipe)
{
    const int before = zf_onednn_threads_set(e->config.threads);
    dnnl_primitive_desc_t desc = NULL;
    const bool offered = make_desc(e, recipe, &desc) == dnnl_success;

    if (desc)
        dnnl_primitive_desc_destroy(desc);
    zf_onednn_threads_set(before);
    return offered;
}

bool zf_onednn_step_init(struct zf_engine *e, struct zf_onednn_step *step,
                         const struct zf_onednn_recipe *recipe)
{
    dnnl_status_t status;
    int before;

    *step = (struct zf_onednn_step){.program = e->program};
    if (!zf_onednn_ok(e))
        return false;
    before = zf_onednn_threads_set(e->config.threads); /* work is divided now, not when it runs */
    status = make_desc(e, recipe, &step->desc);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&step->primitive, step->desc);
    zf_onednn_threads_set(before);
    if (status != dnnl_success) {
        zf_onednn_refuse(e, status, recipe);
        zf_onednn_step_release(step);
    }
    return status == dnnl_success;
}

const dnnl_memory_desc_t *zf_onednn_wants(const struct zf_onednn_step *step, int argument)
{
    return dnnl_primitive_desc_query_md(step->desc, dnnl_query_exec_arg_md, argument);
}

/* oneDNN's memory object is made now and gets its address when the arena is laid out. */
static void attach(struct zf_engine *e, struct zf_onednn_step *step, int argument, zf_value value,
                   const dnnl_memory_desc_t *desc)
{
    dnnl_memory_t memory = NULL;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return;
    assert(step->count < ZF_ONEDNN_ARGS);
    if (dnnl_memory_create(&memory, desc, e->engine, DNNL_MEMORY_NONE) != dnnl_success) {
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
        attach(e, step, argument, value, zf_onednn_wants(step, argument));
}

zf_value zf_onednn_in(struct zf_engine *e, struct zf_onednn_step *step, int argument,
                      zf_value value, const dnnl_memory_desc_t *as)
{
    zf_value bound;

    if (!zf_onednn_ok(e))
        return ZF_NO_VALUE;
    bound = zf_onednn_convert(e, value, as, zf_onednn_wants(step, argument));
    zf_onednn_bind(e, step, argument, bound);
    return bound;
}

zf_value zf_onednn_out(struct zf_engine *e, struct zf_onednn_step *step, int argument,
                       struct zf_dims dims)
{
    zf_value value;

    if (!zf_onednn_ok(e))
        return ZF_NO_VALUE;
    value = zf_onednn_new(e, dims, zf_onednn_wants(step, argument));
    zf_onednn_bind(e, step, argument, value);
    return value;
}

zf_value zf_onednn_workspace(struct zf_engine *e, struct zf_onednn_step *step, struct zf_dims dims)
{
    const dnnl_memory_desc_t nothing = {0};
    const dnnl_memory_desc_t *desc;
    zf_value value;

    if (!zf_onednn_ok(e))
        return ZF_NO_VALUE;
    desc = dnnl_primitive_desc_query_md(step->desc, dnnl_query_workspace_md, 0);
    value = zf_onednn_new(e, dims, desc ? desc : &nothing);
    if (value != ZF_NO_VALUE &&
        dnnl_primitive_desc_clone(&zf_onednn_at(e, value)->forward, step->desc) != dnnl_success)
        zf_onednn_no_memory(e, "a workspace");
    if (desc && dnnl_memory_desc_get_size(desc) > 0)
        attach(e, step, DNNL_ARG_WORKSPACE, value, desc);
    return value;
}

/* The scratchpad is a value that lives for one step only. */
static void attach_scratchpad(struct zf_engine *e, struct zf_onednn_step *step)
{
    const dnnl_memory_desc_t *desc =
        dnnl_primitive_desc_query_md(step->desc, dnnl_query_scratchpad_md, 0);
    zf_value value;

    if (!desc || dnnl_memory_desc_get_size(desc) == 0)
        return;
    value = zf_onednn_new(e, (struct zf_dims){1, {desc->dims[0]}}, desc);
    attach(e, step, DNNL_ARG_SCRATCHPAD, value, desc);
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
                       const dnnl_memory_desc_t *from_desc, zf_value to,
                       const dnnl_memory_desc_t *to_desc)
{
    const struct zf_onednn_recipe recipe = {.operation = "a reorder",
                                            .first = zf_onednn_dims(e, from)};
    struct zf_onednn_step step = {.program = program};
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t status;
    int before;

    if (!zf_onednn_ok(e))
        return;
    before = zf_onednn_threads_set(e->config.threads);
    status = make_attributes(false, &attr);
    if (status == dnnl_success)
        status = dnnl_reorder_primitive_desc_create(&step.desc, from_desc, e->engine, to_desc,
                                                    e->engine, attr);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&step.primitive, step.desc);
    zf_onednn_threads_set(before);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    if (status != dnnl_success) {
        zf_onednn_refuse(e, status, &recipe);
        zf_onednn_step_release(&step);
        return;
    }
    attach(e, &step, DNNL_ARG_FROM, from, from_desc);
    attach(e, &step, DNNL_ARG_TO, to, to_desc);
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
