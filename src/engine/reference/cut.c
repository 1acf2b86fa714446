/* SPDX-License-Identifier: MIT */
/* Boxes of maps, each sample's at a place of its own. */
#include "reference.h"

/* Cell (c, y, x) of the map that sample n's box lies on. */
static double cell_of(const struct zf_engine *e, const struct zf_ref_op *op,
                      const struct zf_run *run, struct zf_cell at)
{
    const struct zf_cut *cut = op->parameters;

    if (at.y < 0 || at.y >= cut->height || at.x < 0 || at.x >= cut->width)
        return (double)cut->fill;
    if (op->other != ZF_NO_VALUE) {
        const struct zf_dims dims = zf_ref_dims(e, op->other);
        const struct zf_corner corner = run->corners[cut->patch_at * cut->dims.d[0] + at.n];
        const int64_t y = at.y - corner.y, x = at.x - corner.x;

        if (y >= 0 && y < dims.d[2] && x >= 0 && x < dims.d[3])
            return zf_ref_data(
                e, op->other)[((at.n * dims.d[1] + at.c) * dims.d[2] + y) * dims.d[3] + x];
    }
    if (op->src == ZF_NO_VALUE)
        return 0.0;
    return zf_ref_data(
        e,
        op->src)[((run->samples[at.n] * cut->dims.d[1] + at.c) * cut->height + at.y) * cut->width +
                 at.x];
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
