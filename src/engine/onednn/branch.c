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
        [ZF_SUM] = dnnl_binary_add,
        [ZF_DIFFERENCE] = dnnl_binary_sub,
        [ZF_PRODUCT] = dnnl_binary_mul,
    };
    dnnl_binary_desc_t desc;
    struct zf_onednn_recipe recipe = {.operation = "combine",
                                      .first = zf_onednn_dims(e, a),
                                      .second = zf_onednn_dims(e, b),
                                      .desc = &desc};
    struct zf_onednn_step step;
    dnnl_memory_desc_t layout, other;
    zf_value dst;

    if (!zf_onednn_ok(e) || a == ZF_NO_VALUE || b == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    layout = zf_onednn_at(e, a)->desc;
    other = zf_onednn_layout_like(e, a, zf_onednn_dims(e, b));
    if (memcmp(recipe.first.d, recipe.second.d, sizeof recipe.first.d) == 0)
        other = layout;
    recipe.status = dnnl_binary_desc_init(&desc, algorithms[how], &layout, &other, &layout);
    if (!zf_onednn_step_init(e, &step, &recipe))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC_0, a);
    zf_onednn_in(e, &step, DNNL_ARG_SRC_1, b, NULL);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, recipe.first);
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_sum_to(struct zf_engine *e, zf_value value, struct zf_dims dims)
{
    dnnl_reduction_desc_t desc;
    struct zf_onednn_recipe recipe = {
        .operation = "sum_to", .first = zf_onednn_dims(e, value), .second = dims, .desc = &desc};
    struct zf_onednn_step step;
    dnnl_memory_desc_t to;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (memcmp(recipe.first.d, dims.d, sizeof dims.d) == 0)
        return value;
    to = zf_onednn_layout_like(e, value, dims);
    recipe.status = dnnl_reduction_desc_init(&desc, dnnl_reduction_sum,
                                             &zf_onednn_at(e, value)->desc, &to, 0, 0);
    if (!zf_onednn_step_init(e, &step, &recipe))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, value);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, dims);
    zf_onednn_append(e, &step);
    return dst;
}

/* The part of a value in this layout that is the box of `dims` at `at`. */
static bool part_of(const dnnl_memory_desc_t *whole, struct zf_dims at, struct zf_dims dims,
                    dnnl_memory_desc_t *part)
{
    const dnnl_blocking_desc_t *blocking = &whole->format_desc.blocking;
    dnnl_dims_t extents = {0}, offsets = {0};

    memcpy(extents, dims.d, sizeof dims.d);
    memcpy(offsets, at.d, sizeof at.d);
    for (int i = 0; i < blocking->inner_nblks; i++) {
        const int64_t along = blocking->inner_idxs[i];

        if (at.d[along] % blocking->inner_blks[i] || dims.d[along] % blocking->inner_blks[i])
            return false;
    }
    return dnnl_memory_desc_init_submemory(part, whole, extents, offsets) == dnnl_success;
}

zf_value zf_onednn_slice(struct zf_engine *e, zf_value value, struct zf_dims at,
                         struct zf_dims dims)
{
    dnnl_memory_desc_t part, to;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (!part_of(&zf_onednn_at(e, value)->desc, at, dims, &part)) {
        value = zf_onednn_plain(e, value);
        if (value == ZF_NO_VALUE || !part_of(&zf_onednn_at(e, value)->desc, at, dims, &part))
            return ZF_NO_VALUE;
    }
    to = zf_onednn_layout_like(e, value, dims);
    dst = zf_onednn_new(e, dims, &to);
    zf_onednn_reorder(e, e->program, value, &part, dst, &to);
    return dst;
}

/* Into a box of `whole`; its layout allows it. */
static void place(struct zf_engine *e, zf_value value, struct zf_dims at, zf_value whole)
{
    dnnl_memory_desc_t part, from;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE || whole == ZF_NO_VALUE)
        return;
    if (!part_of(&zf_onednn_at(e, whole)->desc, at, zf_onednn_dims(e, value), &part)) {
        zf_onednn_refuse(e, dnnl_unimplemented,
                         &(struct zf_onednn_recipe){.operation = "a box",
                                                    .first = zf_onednn_dims(e, whole),
                                                    .second = zf_onednn_dims(e, value)});
        return;
    }
    from = zf_onednn_at(e, value)->desc;
    zf_onednn_reorder(e, e->program, value, &from, whole, &part);
}

zf_value zf_onednn_concat(struct zf_engine *e, const zf_value *parts, int count)
{
    const struct zf_dims none = {4, {0}};
    struct zf_dims dims, at = none;
    dnnl_memory_desc_t layout, part;
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
        blocks = blocks && part_of(&layout, at, zf_onednn_dims(e, parts[i]), &part);
        at.d[1] += zf_onednn_dims(e, parts[i]).d[1];
    }
    dst = zf_onednn_new(e, dims, blocks ? &layout : NULL);
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
    dnnl_memory_desc_t layout, part;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    layout = zf_onednn_layout_like(e, value, dims);
    if (!part_of(&layout, at, zf_onednn_dims(e, value), &part))
        layout = zf_onednn_plain_desc(dims);
    dst = zf_onednn_new(e, dims, &layout);
    step.values[0] = dst;
    zf_onednn_append(e, &step);
    place(e, value, at, dst);
    return dst;
}

zf_value zf_onednn_shuffle(struct zf_engine *e, zf_value value, int64_t groups)
{
    dnnl_shuffle_desc_t desc;
    struct zf_onednn_recipe recipe = {
        .operation = "shuffle", .first = zf_onednn_dims(e, value), .desc = &desc};
    struct zf_onednn_step step;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    /* oneDNN counts the maps of a group, not the groups. */
    recipe.status =
        dnnl_shuffle_forward_desc_init(&desc, dnnl_forward_inference, &zf_onednn_at(e, value)->desc,
                                       1, recipe.first.d[1] / groups);
    if (!zf_onednn_step_init(e, &step, &recipe))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, value);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, recipe.first);
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_reshape(struct zf_engine *e, zf_value value, struct zf_dims dims)
{
    dnnl_memory_desc_t from, to;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    from = zf_onednn_at(e, value)->desc;
    to = zf_onednn_plain_desc(zf_onednn_dims(e, value));
    dst = zf_onednn_new(e, dims, NULL);
    zf_onednn_reorder(e, e->program, value, &from, dst, &to);
    return dst;
}

zf_value zf_onednn_copy(struct zf_engine *e, zf_value value)
{
    dnnl_memory_desc_t layout;
    zf_value dst;

    if (!zf_onednn_ok(e) || value == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    layout = zf_onednn_at(e, value)->desc;
    dst = zf_onednn_new(e, zf_onednn_dims(e, value), &layout);
    zf_onednn_reorder(e, e->program, value, &layout, dst, &layout);
    return dst;
}
