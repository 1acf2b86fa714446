/* SPDX-License-Identifier: MIT */
/**
 * Reading ONNX: from a graph of tensors with names to the spec and the parameters of a net. From
 * the bottom up, each using only what stands above it here:
 *
 *     unpack.c      bytes -> protobuf messages, after a walk that trusts nothing
 *     operand.c     what a tensor is on the way: numbers, or maps in some arrangement
 *     import.h      the graph that is being read, and what it may cost (budget.c)
 *     constant.c    TensorProto -> numbers, from the file (external.c: or a file beside it)
 *     inline.c      functions and branches -> one flat list of nodes
 *     graph.c       names -> what makes them; which nodes are needed, in which order
 *     picture.c     the input
 *     node.c        a node that is being translated: its attributes and inputs
 *     emit.c        the layers found so far
 *     bring.c       maps -> the order that a node wants them in
 *     pieces.c      several nodes -> one activation, or one normalisation
 *     fold*.c       nodes whose inputs are all known, computed now
 *     operators*.c  a node -> layers; one const struct for each operator
 *     batch.c       nothing joins the pictures of a batch
 *     assemble.c    layers -> a net
 *     preparation.c metadata -> labels, and how a picture is prepared
 *     reader.c      all of it, in order
 */
#ifndef ZF_MODEL_ONNX_IMPORT_H
#define ZF_MODEL_ONNX_IMPORT_H

#include "base/file.h"
#include "net/net.h"
#include "onnx.pb-c.h"
#include "operand.h"
#include "zf/model.h"

#define ZF_ONNX_WIDTH 64    /* most inputs, and outputs, of a node */
#define ZF_ONNX_NODES 16384 /* most nodes; the largest classifiers have a few thousand */
#define ZF_ONNX_FIRST_OPSET 7
#define ZF_ONNX_LAST_OPSET 25
#define ZF_ONNX_MAPPED 16 /* most files of external data */

/* Where the pictures of a batch may be in a tensor: cells of each axis that lie outside of them, so
   1 where they are the whole axis; 0 where they are not (batch.c). */
struct zf_import_batch {
    int64_t outside[ZF_ONNX_RANK];
};

/* What a name means: a tensor of the file, the net's input, or the output of a node. */
struct zf_definition {
    const char *name;
    const Onnx__TensorProto *tensor;
    const Onnx__ValueInfoProto *input;
    int node;  /* -1 = none */
    int users; /* inputs of needed nodes; one more for what the net ends in */
    struct zf_operand value;
    struct zf_import_batch batch;
};

struct zf_import_layer {
    const struct zf_layer_type *type;
    const char *name;                   /* of the node or its output; lent by the file */
    const char *part;                   /* NULL, or what a helper of that node is: "pad" */
    void *params;                       /* of the type */
    const struct zf_definition *output; /* the tensor that equals its output, or NULL */
    int *inputs;
    int input_count;
    struct zf_shape shape;
    const void *weight, *bias; /* floats like an operand's; NULL = none */
    int64_t weight_count, bias_count;
    float *owned_weight, *owned_bias; /* what either points to, unless lent */
    const char **aka;                 /* further names; lent by the file */
    size_t aka_count, aka_capacity;
    bool dropped;   /* another layer does its work, or nobody needs it */
    double mean_of; /* of a convolution that takes the mean over maps: how many, else 0 */
    char id[50];    /* of its section, given at the end */
};

/* A node of the flat list; one of a branch that is perhaps not taken may fail. */
struct zf_import_step {
    Onnx__NodeProto *proto;
    bool optional;
};

struct zf_import {
    const char *path;
    const struct zf_model_options *options;
    struct zf_error *err;
    Onnx__ModelProto *model;
    const Onnx__GraphProto *graph;
    int64_t opset, batch;         /* of how many pictures its shapes are; 0 = open */
    bool one_picture;             /* it makes sense for one alone, whatever they say */
    int64_t memory;               /* bytes that may still be spent on numbers */
    int64_t filled;               /* numbers that may still be made by repeating one */
    int64_t work;                 /* numbers that may still be gone through again */
    struct zf_import_step *steps; /* the graph's nodes, functions and branches among them */
    size_t step_count, step_capacity;
    const Onnx__TensorProto **tensors; /* initialisers, those of branches among them */
    const char **tensor_names;
    size_t tensor_count, tensor_capacity;
    void **blocks; /* what inlining has allocated */
    size_t block_count, block_capacity;
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

/* ---- budget.c: limits in proportion to the file's size ---- */

/** Raise the budget by what a model of that many `bytes` may need. */
void zf_import_afford(struct zf_import *import, size_t bytes);

/** Memory within the import's budget; NULL with the error filled in. */
void *zf_import_room(struct zf_import *import, int64_t count, size_t size);

/**
 * Weights that repeat one number may be larger than their file, up to a limit of their own: before
 * making `count` of them. ZF_EINPUT beyond it.
 */
enum zf_status zf_import_fill(struct zf_import *import, int64_t count);

/**
 * Before going through `count` numbers without making new ones: a small file can ask for that very
 * often. ZF_EINPUT when it is more than a file of this size needs.
 */
enum zf_status zf_import_work(struct zf_import *import, int64_t count);

/** Give back what zf_import_room() gave: for operands that are made and dropped. */
void zf_operand_release(struct zf_operand *operand);

#endif
