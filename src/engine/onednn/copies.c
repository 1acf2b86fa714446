/* SPDX-License-Identifier: MIT */
/* Values that are wanted in another layout: a copy is made by a step, once for all who want it. */
#include "onednn.h"

#include <string.h>

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
    zf_onednn_bind_as(e, &step, DNNL_ARG_FROM, from, from_layout);
    zf_onednn_bind_as(e, &step, DNNL_ARG_TO, to, to_layout);
    zf_onednn_append(e, &step);
}

/* A copy that an earlier step has made. One of another program would do only if that program is
   sure to have run. */
static zf_value find_copy(const struct zf_engine *e, zf_value value, const struct zf_layout *want)
{
    for (size_t i = 0; i < e->value_count; i++) {
        const struct zf_onednn_value *copy = &e->values[i];

        if (copy->copy_of == value && copy->copy_version == e->values[value].version &&
            (copy->program == e->program || copy->program <= ZF_PROGRAM_FORWARD) &&
            copy->layout == want)
            return (zf_value)i;
    }
    return ZF_NO_VALUE;
}

zf_value zf_onednn_convert(struct zf_engine *e, zf_value value, const struct zf_layout *as,
                           const struct zf_layout *want)
{
    const struct zf_layout *from;
    zf_value copy;
    int program;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    from = as ? as : zf_onednn_layout(e, value);
    if (from == want)
        return value;
    copy = find_copy(e, value, want);
    if (copy != ZF_NO_VALUE)
        return copy;
    copy = zf_onednn_new(e, zf_onednn_dims(e, value), want);
    if (copy == ZF_NO_VALUE)
        return copy;
    program =
        zf_onednn_at(e, value)->program <= ZF_PROGRAM_REFRESH ? ZF_PROGRAM_REFRESH : e->program;
    zf_onednn_at(e, copy)->program = program;
    zf_onednn_at(e, copy)->copy_of = value;
    zf_onednn_at(e, copy)->copy_version = zf_onednn_at(e, value)->version;
    zf_onednn_at(e, copy)->sparse = zf_onednn_at(e, value)->sparse;
    zf_onednn_reorder(e, program, value, from, copy, want);
    return copy;
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

zf_value zf_onednn_plain_of(struct zf_engine *e, zf_value value, dnnl_data_type_t type)
{
    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    return zf_onednn_convert(e, value, NULL,
                             zf_layout_plain(&e->layouts, zf_onednn_dims(e, value), type));
}

zf_value zf_onednn_plain(struct zf_engine *e, zf_value value)
{
    return zf_onednn_plain_of(e, value, dnnl_f32);
}

zf_value zf_onednn_find_arranged(const struct zf_engine *e, zf_value value,
                                 const struct zf_window *window, struct zf_dims dims)
{
    for (size_t i = 0; i < e->value_count; i++) {
        const struct zf_onednn_value *v = &e->values[i];

        if (v->copy_of == value && v->copy_version == e->values[value].version &&
            (v->program == e->program || v->program <= ZF_PROGRAM_FORWARD) &&
            memcmp(v->dims.d, dims.d, sizeof dims.d) == 0 &&
            memcmp(&v->arranged_for, window, sizeof *window) == 0)
            return (zf_value)i;
    }
    return ZF_NO_VALUE;
}

void zf_onednn_set_arranged(struct zf_engine *e, zf_value arranged, zf_value value,
                            const struct zf_window *window)
{
    struct zf_onednn_value *v = zf_onednn_at(e, arranged);

    v->copy_of = value;
    v->copy_version = zf_onednn_at(e, value)->version;
    v->arranged_for = *window;
}

zf_value zf_onednn_arranged_weight(struct zf_engine *e, const struct zf_onednn_arrangement *how,
                                   zf_value weight, struct zf_dims dims)
{
    struct zf_onednn_step step = {.program = ZF_PROGRAM_REFRESH, .loop = how->loop, .count = 2};
    zf_value arranged;

    if (!zf_onednn_ok(e))
        return ZF_NO_VALUE;
    arranged = zf_onednn_find_arranged(e, weight, &how->window, dims);
    if (arranged != ZF_NO_VALUE)
        return arranged;
    arranged = zf_onednn_new(e, dims, NULL);
    if (arranged == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_set_arranged(e, arranged, weight, &how->window);
    zf_onednn_at(e, arranged)->program = ZF_PROGRAM_REFRESH;
    zf_onednn_at(e, arranged)->forever = true; /* what is no tap stays zero */
    step.values[0] = weight;
    step.values[1] = arranged;
    zf_onednn_append_loop(e, &step, how->parameters, how->size);
    return arranged;
}

zf_value zf_onednn_like(struct zf_engine *e, zf_value other)
{
    zf_value value;

    if (!zf_onednn_ok(e) || other == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (zf_onednn_at(e, other)->shown != ZF_NO_VALUE)
        other = zf_onednn_at(e, other)->shown;
    value = zf_onednn_new(e, zf_onednn_dims(e, other), zf_onednn_layout(e, other));
    if (value != ZF_NO_VALUE)
        zf_onednn_keep(e, value);
    return value;
}

void zf_onednn_keep(struct zf_engine *e, zf_value value)
{
    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return;
    if (zf_onednn_layout(e, value)->type != dnnl_f32) {
        const struct zf_layout *wide = zf_layout_like(&e->layouts, zf_onednn_layout(e, value),
                                                      zf_onednn_dims(e, value), dnnl_f32);
        const zf_value shown = zf_onednn_convert(e, value, NULL, wide);

        if (shown == ZF_NO_VALUE)
            return;
        zf_onednn_at(e, value)->shown = shown;
        value = shown;
    }
    zf_onednn_at(e, value)->forever = true;
    zf_onednn_at(e, value)->kept = true;
}
