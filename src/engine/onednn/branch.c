/* SPDX-License-Identifier: MIT */
/*
 * What graphs need where branches part and meet: combining two values, and moving numbers.
 *
 * A box of a value is part of the same memory under a descriptor of its own; moving is then a
 * reorder, which parallelises and converts layouts as it goes. Boxes of a blocked layout must
 * begin and end with whole blocks; where they do not, the value is plain.
 */
#include "onednn.h"

#include <string.h>

zf_value zf_onednn_combine(struct zf_engine *e, enum zf_combination how, zf_value a, zf_value b)
{
    static const dnnl_alg_kind_t algorithms[] = {
        [ZF_SUM] = dnnl_binary_add,     [ZF_DIFFERENCE] = dnnl_binary_sub,
        [ZF_PRODUCT] = dnnl_binary_mul, [ZF_QUOTIENT] = dnnl_binary_div,
        [ZF_LARGER] = dnnl_binary_max,  [ZF_SMALLER] = dnnl_binary_min,
    };
    const struct zf_onednn_work work = {"combine", zf_onednn_dims(e, a), zf_onednn_dims(e, b)};
    const struct zf_layout *layout, *other;
    struct zf_onednn_step step;
    dnnl_status_t status;
    zf_value dst;

    if (!zf_onednn_ok(e) || a == ZF_NO_VALUE || b == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_step_begin(e, &step);
    layout = zf_onednn_layout(e, a);
    other = zf_onednn_layout_like(e, a, work.second);
    if (memcmp(work.first.d, work.second.d, sizeof work.first.d) == 0)
        other = layout;
    status = dnnl_binary_primitive_desc_create(&step.desc, e->engine, algorithms[how], layout->desc,
                                               zf_layout_desc(other), layout->desc, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC_0, a);
    zf_onednn_in(e, &step, DNNL_ARG_SRC_1, b, NULL);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, work.first);
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_sum_to(struct zf_engine *e, zf_value value, struct zf_dims dims)
{
    const struct zf_onednn_work work = {"sum_to", zf_onednn_dims(e, value), dims};
    struct zf_onednn_step step;
    dnnl_status_t status;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (memcmp(work.first.d, dims.d, sizeof dims.d) == 0)
        return value;
    if (zf_onednn_sums_many(work.first, dims))
        return zf_onednn_sum_many(e, value, dims);
    zf_onednn_step_begin(e, &step);
    status = dnnl_reduction_primitive_desc_create(
        &step.desc, e->engine, dnnl_reduction_sum, zf_onednn_layout(e, value)->desc,
        zf_layout_desc(zf_onednn_layout_like(e, value, dims)), 0, 0, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, value);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, dims);
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_slice(struct zf_engine *e, zf_value value, struct zf_dims at,
                         struct zf_dims dims)
{
    const struct zf_layout *part, *to;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    part = zf_layout_box(&e->layouts, zf_onednn_layout(e, value), at, dims);
    if (!part) {
        value = zf_onednn_plain(e, value);
        if (value == ZF_NO_VALUE)
            return ZF_NO_VALUE;
        part = zf_layout_box(&e->layouts, zf_onednn_layout(e, value), at, dims);
    }
    to = zf_onednn_layout_like(e, value, dims);
    dst = zf_onednn_new(e, dims, to);
    zf_onednn_reorder(e, e->program, value, part, dst, to);
    return dst;
}

/* Into a box of `whole`; its layout allows it. */
static void place(struct zf_engine *e, zf_value value, struct zf_dims at, zf_value whole)
{
    const struct zf_layout *part;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE || whole == ZF_NO_VALUE)
        return;
    part = zf_layout_box(&e->layouts, zf_onednn_layout(e, whole), at, zf_onednn_dims(e, value));
    if (!part) {
        zf_onednn_refuse(
            e, dnnl_unimplemented,
            &(struct zf_onednn_work){"a box", zf_onednn_dims(e, whole), zf_onednn_dims(e, value)});
        return;
    }
    zf_onednn_reorder(e, e->program, value, zf_onednn_layout(e, value), whole, part);
}

zf_value zf_onednn_concat(struct zf_engine *e, const zf_value *parts, int count)
{
    const struct zf_dims none = {4, {0}};
    struct zf_dims dims, at = none;
    const struct zf_layout *layout;
    bool blocks = true;
    zf_value dst;

    for (int i = 0; i < count; i++)
        if (!zf_onednn_ok(e) || parts[i] == ZF_NO_VALUE)
            return ZF_NO_VALUE;
    dims = zf_onednn_dims(e, parts[0]);
    dims.d[1] = 0;
    for (int i = 0; i < count; i++)
        dims.d[1] += zf_onednn_dims(e, parts[i]).d[1];
    layout = zf_onednn_layout_like(e, parts[0], dims);
    for (int i = 0; i < count; i++) {
        blocks = blocks && layout &&
                 zf_layout_box(&e->layouts, layout, at, zf_onednn_dims(e, parts[i])) != NULL;
        at.d[1] += zf_onednn_dims(e, parts[i]).d[1];
    }
    dst = zf_onednn_new(e, dims, blocks ? layout : NULL);
    at = none;
    for (int i = 0; i < count; i++) {
        place(e, parts[i], at, dst);
        at.d[1] += zf_onednn_dims(e, parts[i]).d[1];
    }
    return dst;
}

/* values: dst */
static void run_zero(struct zf_engine *e, const struct zf_onednn_step *step,
                     const struct zf_run *run)
{
    (void)run;
    zf_onednn_zero(e, step->values[0]);
}

zf_value zf_onednn_embed(struct zf_engine *e, zf_value value, struct zf_dims at,
                         struct zf_dims dims)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_zero, .count = 1};
    const struct zf_layout *layout;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    layout = zf_onednn_layout_like(e, value, dims);
    if (layout && !zf_layout_box(&e->layouts, layout, at, zf_onednn_dims(e, value)))
        layout = NULL; /* plain */
    dst = zf_onednn_new(e, dims, layout);
    step.values[0] = dst;
    zf_onednn_append(e, &step);
    place(e, value, at, dst);
    return dst;
}

zf_value zf_onednn_shuffle(struct zf_engine *e, zf_value value, int64_t groups)
{
    const struct zf_onednn_work work = {.operation = "shuffle", .first = zf_onednn_dims(e, value)};
    struct zf_onednn_step step;
    const_dnnl_memory_desc_t desc;
    dnnl_status_t status;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_step_begin(e, &step);
    desc = zf_onednn_layout(e, value)->desc;
    /* oneDNN counts the maps of a group, not the groups. */
    status = dnnl_shuffle_forward_primitive_desc_create(&step.desc, e->engine,
                                                        dnnl_forward_inference, desc, desc, 1,
                                                        work.first.d[1] / groups, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, value);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, work.first);
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_reshape(struct zf_engine *e, zf_value value, struct zf_dims dims)
{
    const struct zf_layout *from, *to;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    from = zf_onednn_layout(e, value);
    to = zf_layout_plain(&e->layouts, zf_onednn_dims(e, value), dnnl_f32);
    dst = zf_onednn_new(e, dims, NULL);
    zf_onednn_reorder(e, e->program, value, from, dst, to);
    return dst;
}

zf_value zf_onednn_copy(struct zf_engine *e, zf_value value)
{
    const struct zf_layout *layout;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    layout = zf_onednn_layout(e, value);
    dst = zf_onednn_new(e, zf_onednn_dims(e, value), layout);
    zf_onednn_reorder(e, e->program, value, layout, dst, layout);
    return dst;
}
