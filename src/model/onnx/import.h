/* SPDX-License-Identifier: MIT */
/**
 * Reading ONNX: from a graph of tensors with names to the spec and the parameters of a net.
 *
 *     unpack.c      bytes -> protobuf messages, after a walk that trusts nothing
 *     constant.c    TensorProto -> numbers, from the file or a file beside it
 *     graph.c       names -> what makes them; which nodes are needed, in which order
 *     value.c       what a tensor is on the way: numbers, or maps in some arrangement
 *     fold*.c       nodes whose inputs are all known, computed now
 *     operators*.c  a node -> layers; one const struct for each operator
 *     pieces.c      several nodes -> one activation
 *     layers.c      the layers found so far
 *     assemble.c    layers -> a net
 *     preparation.c metadata -> labels, and how a picture is prepared
 *     reader.c      all of it, in order
 *
 * The batch is one image, so every shape is known and an axis of extent 1 costs nothing. What only
 * changes how maps are arranged (Reshape, Transpose, Flatten...) makes no layer: the value
 * remembers the arrangement, and who needs another one says so.
 */
#ifndef ZF_MODEL_ONNX_IMPORT_H
#define ZF_MODEL_ONNX_IMPORT_H

#include "base/file.h"
#include "net/net.h"
#include "onnx.pb-c.h"
#include "zf/model.h"

#define ZF_ONNX_RANK 8      /* most dimensions of a tensor */
#define ZF_ONNX_ATOMS 16    /* most parts that its axes fall into */
#define ZF_ONNX_WIDTH 64    /* most inputs, and outputs, of a node */
#define ZF_ONNX_NODES 16384 /* most nodes; the largest classifiers have a few thousand */
#define ZF_ONNX_FIRST_OPSET 7
#define ZF_ONNX_LAST_OPSET 21

/* ---- Values ---- */

enum zf_value_kind {
    ZF_VALUE_NONE,     /* not known yet */
    ZF_VALUE_FLOATS,   /* numbers known now */
    ZF_VALUE_INTEGERS, /* the same, of any whole type or bool */
    ZF_VALUE_MAPS,     /* a layer's output */
};

/**
 * A part of an axis: `extent` steps of `stride` cells in the layer's output, which is [c, h, w] in
 * row-major order. A tensor's atoms stand in its own row-major order; extents of 1 have none.
 */
struct zf_atom {
    int64_t extent, stride;
    int axis;
};

struct zf_value {
    enum zf_value_kind kind;
    int rank;
    int64_t dims[ZF_ONNX_RANK];
    const void *floats;      /* FLOATS: where the file lends them they need not be aligned */
    const int64_t *integers; /* INTEGERS */
    void *owned;             /* what either points to, unless lent by the file */
    int layer;               /* MAPS: an index, or ZF_NET_INPUT */
    struct zf_atom atoms[ZF_ONNX_ATOMS];
    int atom_count;
};

/* Which axis of a tensor is a layer's c, h and w; -1 = none, and then its extent is 1. */
struct zf_roles {
    int axis[3];
};

/* ---- The graph ---- */

/* What a name stands for: a tensor of the file, the net's input, or the output of a node. */
struct zf_definition {
    const char *name;
    const Onnx__TensorProto *tensor;
    const Onnx__ValueInfoProto *input;
    int node;  /* -1 = none */
    int users; /* inputs of needed nodes; one more for what the net ends in */
    struct zf_value value;
};

struct zf_import_layer {
    const char *type;
    const char *name;                   /* of the node or its output; lent by the file */
    const char *part;                   /* NULL, or what a helper of that node is: "pad" */
    char *keys;                         /* "kernel = 3\npad = 1\n" */
    const struct zf_definition *output; /* the tensor that is exactly this, or NULL */
    int *inputs;
    int input_count;
    struct zf_shape shape;
    const void *weight, *bias; /* floats like a value's; NULL = none */
    int64_t weight_count, bias_count;
    float *owned_weight, *owned_bias; /* what either points to, unless lent */
    const char **aka;                 /* names lent by the file */
    size_t aka_count, aka_capacity;
    bool dropped; /* another layer does its work */
    bool is_erf;  /* a Gelu of which only erf_scale * erf(x / sqrt 2) + erf_shift has been read */
    double erf_scale, erf_shift;
    char id[50]; /* of its section, given at the end */
};

#define ZF_ONNX_MAPPED 16 /* most files of external data */

struct zf_import {
    const char *path;
    const struct zf_model_options *options;
    struct zf_error *err;
    Onnx__ModelProto *model;
    const Onnx__GraphProto *graph;
    int64_t opset, batch;
    int64_t memory;                    /* bytes that may still be spent on numbers */
    int64_t work;                      /* numbers that may still be gone through again */
    struct zf_definition *definitions; /* sorted by name */
    size_t definition_count;
    int *order; /* needed nodes */
    int order_count;
    struct zf_definition *target; /* what the net ends in */
    struct zf_definition *picture;
    struct zf_shape input;
    struct zf_import_layer *layers;
    size_t layer_count, layer_capacity;
    struct zf_bytes mapped[ZF_ONNX_MAPPED];
    const char *mapped_names[ZF_ONNX_MAPPED];
    int mapped_count;
};

/* A node that is being translated. */
struct zf_import_node {
    struct zf_import *import;
    const Onnx__NodeProto *proto;
    struct zf_value *in[ZF_ONNX_WIDTH]; /* NULL where the node leaves one out */
    int in_count;
    struct zf_definition *out[ZF_ONNX_WIDTH]; /* NULL where nobody needs it */
    int out_count;
};

struct zf_operator {
    const char *name;
    /* Either may be NULL: with all inputs known, and with maps among them. */
    enum zf_status (*fold)(struct zf_import_node *node);
    enum zf_status (*translate)(struct zf_import_node *node);
};

/* ---- reader.c ---- */

/**
 * Translate a model into a net.
 *
 * model    lent
 * bytes    of the file: what the numbers computed from it may cost goes by that
 * options  complete (zf_model_options_full())
 *
 * Errors are those of zf_model_open().
 */
enum zf_status zf_onnx_read(Onnx__ModelProto *model, size_t bytes, const char *path,
                            const struct zf_model_options *options, struct zf_net **out,
                            struct zf_error *err);

/* ---- unpack.c ---- */

/**
 * Bytes to messages. The raw_data of initialisers is lent by `bytes`, at any alignment, and they
 * must outlive the model. ZF_EINPUT for what is no protobuf, too deep, or takes too much;
 * ZF_ENOMEM.
 */
enum zf_status zf_onnx_unpack(const struct zf_bytes *bytes, const char *path,
                              Onnx__ModelProto **out, struct zf_error *err);
void zf_onnx_unpacked_free(Onnx__ModelProto **model); /* accepts empty, leaves NULL */

/* ---- constant.c ---- */

/** Read a tensor of the file into *value, which is lent what can be lent. */
enum zf_status zf_import_constant(struct zf_import *import, const Onnx__TensorProto *tensor,
                                  struct zf_value *value);

/** Add what numbers from `bytes` of a file may cost: honest models need that in proportion. */
void zf_import_afford(struct zf_import *import, size_t bytes);

/** Room within the import's means; NULL with the error filled in. */
void *zf_import_room(struct zf_import *import, int64_t count, size_t size);

/**
 * Before going through `count` numbers without making new ones: a small file can ask for that very
 * often. ZF_EINPUT when it is more than a file of this size needs.
 */
enum zf_status zf_import_work(struct zf_import *import, int64_t count);

/** Give back what zf_import_room() gave: for values that are made and dropped. */
void zf_value_release(struct zf_value *value);

/* ---- graph.c ---- */

/** Find every name, the target, and the order. Fills the first half of *import. */
enum zf_status zf_import_graph(struct zf_import *import);
struct zf_definition *zf_import_find(const struct zf_import *import, const char *name);

/** The node's name, or that of its first output. Never NULL. */
const char *zf_node_name(const Onnx__NodeProto *proto);

/* ---- value.c ---- */

int64_t zf_value_count(const struct zf_value *value);
bool zf_value_is_constant(const struct zf_value *value);

/** Number i of a constant. */
double zf_value_at(const struct zf_value *value, int64_t i);

/** A layer's output as [1, c, h, w]. */
void zf_value_plain(struct zf_value *value, int layer, struct zf_shape shape);

/** Maps in the places of `like` (roles of its axes) with another shape. */
void zf_value_place(struct zf_value *value, int layer, struct zf_shape shape, int rank,
                    const struct zf_roles *roles);

/** Do their cells lie alike in their layers' outputs? */
bool zf_value_is_arranged_like(const struct zf_value *a, const struct zf_value *b);

/** In place; false if the cells of maps cannot be arranged so. For constants and maps. */
bool zf_value_reshape(struct zf_value *value, int rank, const int64_t *dims);
void zf_value_transpose(struct zf_value *maps, const int *order);

/** Is every axis but `axis` of extent 1, and are the cells in the order of the layer's? */
bool zf_value_is_vector(const struct zf_value *maps, int axis);

/**
 * Bring maps to where each of c, h and w is one axis: as they are, by a shuffle of maps, or flat.
 * ZF_EUNSUPPORTED when neither does.
 */
enum zf_status zf_import_settle(struct zf_import_node *node, struct zf_value *maps,
                                struct zf_roles *roles);

/** The same, with the axes of ONNX's windows: [1, c, h, w]. */
enum zf_status zf_import_settle_plain(struct zf_import_node *node, struct zf_value *maps);

/* ---- layers.c ---- */

/** The layer type of that name, or NULL. */
const struct zf_layer_type *zf_import_type(const char *name);

struct zf_shape zf_import_shape(const struct zf_import *import, int layer);

/**
 * Add a layer named after the node; its shape is inferred by its type.
 *
 * part    NULL for the layer that the node is about, or what makes the name of a helper
 * keys    the lines of its section; copied
 */
enum zf_status zf_import_add(struct zf_import_node *node, const char *part, const char *type,
                             const int *inputs, int count, const char *keys, int *layer);

/** The only layer of a node of one input and one output: add, and give the output its value. */
enum zf_status zf_import_unary(struct zf_import_node *node, const char *type, const char *keys);

/** Output 0 of the node is *value: numbers, which it takes, or what a layer just added makes. */
enum zf_status zf_import_output(struct zf_import_node *node, const struct zf_value *value);

/** The node makes no layer: output 0 is *value, and its names lead to that one's layer. */
enum zf_status zf_import_alias(struct zf_import_node *node, const struct zf_value *value);

/** The layer, if *value is all that it makes and this node its only user; otherwise NULL. */
struct zf_import_layer *zf_import_sole(struct zf_import_node *node, const struct zf_value *value);

/** Layer `dropped`, whose only user is layer `by`, is done by it. */
enum zf_status zf_import_absorb(struct zf_import *import, int by, int dropped);

/**
 * dst = scale[c] * src + shift[c]: into the weights of the layer below where that has no other
 * user, or as a layer. Both arrays are lent.
 */
enum zf_status zf_import_affine(struct zf_import_node *node, struct zf_value *src,
                                const float *scale, const float *shift);

/* ---- assemble.c ---- */

/** The net of all layers that are not dropped. Its limits are those of specs. */
enum zf_status zf_import_assemble(struct zf_import *import, struct zf_net **out);

/* ---- operators.c: attributes, and errors that name the node ---- */

const struct zf_operator *zf_operator_find(const char *name);
enum zf_status zf_node_fail(const struct zf_import_node *node, enum zf_status status,
                            const char *format, ...) ZF_PRINTF(3, 4);
const Onnx__AttributeProto *zf_node_attribute(const struct zf_import_node *node, const char *name);
int64_t zf_node_integer(const struct zf_import_node *node, const char *name, int64_t otherwise);
double zf_node_real(const struct zf_import_node *node, const char *name, double otherwise);

/** A list of whole numbers by attribute; *count = 0 if it is not there. */
enum zf_status zf_node_integers(const struct zf_import_node *node, const char *name,
                                int64_t *numbers, int most, int *count);

/** The same from attribute `name` or, where newer opsets have it, input i. */
enum zf_status zf_node_list(const struct zf_import_node *node, const char *name, int i,
                            int64_t *numbers, int most, int *count);

/** Input i as maps, or as a constant; ZF_EUNSUPPORTED with a sentence if it is the other. */
enum zf_status zf_node_maps(const struct zf_import_node *node, int i, struct zf_value **out);
enum zf_status zf_node_constant(const struct zf_import_node *node, int i, struct zf_value **out);

/** Axis numbers from the end counted from the front; ZF_EINPUT out of range. */
enum zf_status zf_node_axis(const struct zf_import_node *node, int64_t axis, int rank, int *out);

/**
 * A constant that is broadcast against settled maps, as a number for each map: [shape.c], owned by
 * the caller. ZF_EUNSUPPORTED if it differs within a map.
 */
enum zf_status zf_node_per_map(const struct zf_import_node *node, const struct zf_value *constant,
                               const struct zf_value *maps, const struct zf_roles *roles,
                               float **out);

/* One table a file; NULL name ends each. */
extern const struct zf_operator zf_operators_window[], zf_operators_pointwise[],
    zf_operators_combine[], zf_operators_dense[], zf_operators_layout[], zf_operators_fold[];

/* Shared by the folding and the translation of what rearranges. */
enum zf_status zf_node_reshape(struct zf_import_node *node);
enum zf_status zf_node_squeeze(struct zf_import_node *node);
enum zf_status zf_node_unsqueeze(struct zf_import_node *node);
enum zf_status zf_node_flatten(struct zf_import_node *node);
enum zf_status zf_node_identity(struct zf_import_node *node);
enum zf_status zf_node_shape(struct zf_import_node *node);
struct zf_slice {
    int64_t start[ZF_ONNX_RANK], step[ZF_ONNX_RANK], count[ZF_ONNX_RANK];
};
enum zf_status zf_node_slice(const struct zf_import_node *node, const struct zf_value *src,
                             struct zf_slice *slice);
enum zf_status zf_fold_transpose(struct zf_import_node *node);
enum zf_status zf_fold_slice(struct zf_import_node *node);
enum zf_status zf_fold_gather(struct zf_import_node *node);
enum zf_status zf_fold_concat(struct zf_import_node *node);
enum zf_status zf_fold_cast(struct zf_import_node *node);
enum zf_status zf_fold_arithmetic(struct zf_import_node *node);

/* ---- pieces.c: activations that exporters write as several nodes ---- */

/** Erf, which must be on its way to be a Gelu. */
enum zf_status zf_pieces_erf(struct zf_import_node *node);

/** scale[c] * maps + shift[c], or x * gate: *done where it is, or ends, such an activation. */
enum zf_status zf_pieces_scaled(struct zf_import_node *node, struct zf_value *maps,
                                const float *scale, const float *shift, bool *done);
enum zf_status zf_pieces_gated(struct zf_import_node *node, struct zf_value *x,
                               struct zf_value *gate, bool *done);

/** ZF_EUNSUPPORTED where an Erf has become nothing. */
enum zf_status zf_pieces_check(const struct zf_import *import);

/* ---- preparation.c ---- */

/** Height and width of the metadata's "crop", 0 where there is none. ZF_EINPUT for no size. */
enum zf_status zf_import_crop(const struct zf_import *import, struct zf_shape *out);

/** Labels and preparation from the metadata; what is not there keeps its default (zf/model.h). */
enum zf_status zf_import_preparation(const struct zf_import *import, struct zf_net *net);

#endif
