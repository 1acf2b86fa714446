/* SPDX-License-Identifier: MIT */
/**
 * What a tensor of an ONNX graph is while the graph is translated: numbers that are known now, or
 * the output of a layer, arranged in some way.
 *
 * The batch is one image, so every shape is known and an axis of extent 1 costs nothing. A layer's
 * output is [c, h, w] in row-major order; a tensor's axes are made of *atoms*, each a run of cells
 * at a stride. Reshape splits and joins atoms, Transpose reorders them, Slice shortens them, Expand
 * adds some of stride 0: so all of these make no layer. Who needs the numbers in an order of its
 * own says so by a *view* (bring.h).
 */
#ifndef ZF_MODEL_ONNX_OPERAND_H
#define ZF_MODEL_ONNX_OPERAND_H

#include "zf/net.h"

#define ZF_ONNX_RANK 8   /* most dimensions of a tensor */
#define ZF_ONNX_ATOMS 16 /* most parts that its axes fall into */

enum zf_operand_kind {
    ZF_OPERAND_NONE,     /* not known yet */
    ZF_OPERAND_FLOATS,   /* numbers known now */
    ZF_OPERAND_INTEGERS, /* the same, of any whole type or bool */
    ZF_OPERAND_MAPS,     /* a layer's output */
};

/* A part of an axis. A tensor's atoms stand in its own row-major order; extents of 1 have none. */
struct zf_atom {
    int64_t extent, stride;
    int axis;
};

struct zf_operand {
    enum zf_operand_kind kind;
    int rank;
    int64_t dims[ZF_ONNX_RANK];
    const void *floats;      /* FLOATS: where the file lends them they need not be aligned */
    const int64_t *integers; /* INTEGERS */
    void *owned;             /* what either points to, unless lent by the file */
    int layer;               /* MAPS: an index, or ZF_NET_INPUT */
    int64_t offset;          /* MAPS: of the first cell */
    struct zf_atom atoms[ZF_ONNX_ATOMS];
    int atom_count;
};

/* Which extent of a layer each axis of a tensor is, or is part of. */
enum zf_role { ZF_ROLE_C, ZF_ROLE_H, ZF_ROLE_W, ZF_ROLES };

struct zf_view {
    enum zf_role role[ZF_ONNX_RANK];
};

int64_t zf_operand_count(const struct zf_operand *operand);
bool zf_operand_is_constant(const struct zf_operand *operand);

/** Number i of a constant. */
double zf_operand_at(const struct zf_operand *operand, int64_t i);

/** The layer that a tensor of these dimensions is under a view. */
struct zf_shape zf_view_shape(const struct zf_view *view, int rank, const int64_t *dims);

/** A layer's output as a tensor of `dims` under the view. */
void zf_operand_place(struct zf_operand *operand, int layer, int rank, const int64_t *dims,
                      const struct zf_view *view);

/** The same as [1, c, h, w]. */
void zf_operand_plain(struct zf_operand *operand, int layer, struct zf_shape shape);

/** Whether both have their cells in the same order in their layers' outputs. */
bool zf_operand_is_arranged_like(const struct zf_operand *a, const struct zf_operand *b);

/** In place; false if the cells of maps cannot be arranged so. For constants and maps. */
bool zf_operand_reshape(struct zf_operand *operand, int rank, const int64_t *dims);
void zf_operand_transpose(struct zf_operand *maps, const int *order);

/** Every `step`-th cell of an axis of maps, `count` of them from `start`; false where the axis is
 * of several atoms. */
bool zf_operand_cut(struct zf_operand *maps, int axis, int64_t start, int64_t step, int64_t count);

/** An axis of extent 1 repeated. */
void zf_operand_repeat(struct zf_operand *maps, int axis, int64_t count);

/**
 * The view under which maps are their layer as it is: c, h and w an axis each, those of extent 1
 * getting what axes are left, in order. False where there is none.
 */
bool zf_operand_natural(const struct zf_operand *maps, struct zf_shape shape, struct zf_view *view);

/** The first axis of that role that is not of extent 1; else one that is; -1 if there is none. */
int zf_view_axis(const struct zf_view *view, const struct zf_operand *operand, enum zf_role role);

/**
 * The layer's cells in the order of a view: runs that lie `strides` apart, the last the fastest, as
 * many as it takes; runs of different roles are not joined. Returns their number.
 */
int zf_operand_runs(const struct zf_operand *maps, const struct zf_view *view,
                    struct zf_atom runs[ZF_ONNX_ATOMS]);

#endif
