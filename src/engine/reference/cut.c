/* SPDX-License-Identifier: MIT */
/* Boxes of maps, each sample's at a place of its own. */
#include "reference.h"

static double base_of(const struct zf_engine *e, const struct zf_ref_op *op,
                      const struct zf_run *run, struct zf_cell at)
{
    const struct zf_cut *cut = op->parameters;

    if (op->src == ZF_NO_VALUE)
        return 0.0;
    return zf_ref_data(
        e,
        op->src)[((run->samples[at.n] * cut->dims.d[1] + at.c) * cut->height + at.y) * cut->width +
                 at.x];
}

/* The patch's number there; NULL where it does not cover the map. */
static const double *patch_of(const struct zf_engine *e, const struct zf_ref_op *op,
                              const struct zf_run *run, struct zf_cell at)
{
    const struct zf_cut *cut = op->parameters;
    struct zf_dims dims;
    struct zf_corner corner;

    if (op->other == ZF_NO_VALUE)
        return NULL;
    dims = zf_ref_dims(e, op->other);
    corner = run->corners[cut->patch_at * cut->dims.d[0] + at.n];
    at.y -= corner.y;
    at.x -= corner.x;
    if (at.y < 0 || at.y >= dims.d[2] || at.x < 0 || at.x >= dims.d[3])
        return NULL;
    return zf_ref_data(e, op->other) + ((at.n * dims.d[1] + at.c) * dims.d[2] + at.y) * dims.d[3] +
           at.x;
}

/* Cell (c, y, x) of the map that sample n's box lies on. */
static double cell_of(const struct zf_engine *e, const struct zf_ref_op *op,
                      const struct zf_run *run, struct zf_cell at)
{
    const struct zf_cut *cut = op->parameters;
    const double *patch;
    double number = 0.0;

    if (at.y < 0 || at.y >= cut->height || at.x < 0 || at.x >= cut->width)
        return (double)cut->fill;
    patch = patch_of(e, op, run, at);
    switch (cut->kind) {
    case ZF_CUT_OVER:
        number = patch ? *patch : base_of(e, op, run, at);
        break;
    case ZF_CUT_DIFFERENCE:
        number = patch ? *patch - base_of(e, op, run, at) : 0.0;
        break;
    case ZF_CUT_SUM:
        number = base_of(e, op, run, at) + (patch ? *patch : 0.0);
        break;
    }
    return cut->rectify && number < 0.0 ? 0.0 : number;
}

/* src: the base, other: the patch -> dst */
static void run_cut(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_cut *cut = op->parameters;
    const struct zf_dims dims = cut->dims;
    double *dst = zf_ref_data(e, op->dst);

    for (int64_t n = 0; n < run->count; n++) {
        const struct zf_corner corner = run->corners[cut->at * dims.d[0] + n];

        for (int64_t i = 0; i < zf_ref_sample(dims); i++)
            dst[n * zf_ref_sample(dims) + i] = cell_of(
                e, op, run,
                (struct zf_cell){n, i / (dims.d[2] * dims.d[3]),
                                 corner.y + i / dims.d[3] % dims.d[2], corner.x + i % dims.d[3]});
    }
}

zf_value zf_ref_cut(struct zf_engine *e, const struct zf_cut *cut)
{
    struct zf_ref_op op = zf_ref_op_of(run_cut);

    op.src = cut->base;
    op.other = cut->patch;
    op.dst = zf_ref_value(e, cut->dims);
    zf_ref_emit_with(e, op, cut, sizeof *cut);
    return op.dst;
}
