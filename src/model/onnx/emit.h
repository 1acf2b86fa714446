/* SPDX-License-Identifier: MIT */
/* Adding layers to the net, naming them, and merging them. */
#ifndef ZF_MODEL_ONNX_EMIT_H
#define ZF_MODEL_ONNX_EMIT_H

#include "node.h"

/* A parameter of a layer by the name that its type's option has. */
struct zf_key {
    const char *name;
    int count; /* of an extent 1, 2 or 4, or 0 for its word; else 1 */
    double number[4];
};

#define ZF_KEY(name, number)                                                                       \
    {                                                                                              \
        name, 1,                                                                                   \
        {                                                                                          \
            (double)(number)                                                                       \
        }                                                                                          \
    }
#define ZF_KEY_PAIR(name, h, w)                                                                    \
    {                                                                                              \
        name, 2,                                                                                   \
        {                                                                                          \
            (double)(h), (double)(w)                                                               \
        }                                                                                          \
    }
#define ZF_KEY_PADS(name, pads)                                                                    \
    {                                                                                              \
        name, 4,                                                                                   \
        {                                                                                          \
            (double)(pads)[0], (double)(pads)[1], (double)(pads)[2], (double)(pads)[3]             \
        }                                                                                          \
    }
#define ZF_KEY_ALL(name)                                                                           \
    {                                                                                              \
        name, 0,                                                                                   \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
/* An array of them; one more, without a name, ends it. */
#define ZF_KEYS(...) ((const struct zf_key[]){__VA_ARGS__, {0}})

/** The layer type of that name, or NULL. */
const struct zf_layer_type *zf_import_type(const char *name);

struct zf_shape zf_import_shape(const struct zf_import *import, int layer);

/** Whether the layer is of that type. */
bool zf_import_is(const struct zf_import_layer *layer, const char *type);

/** The layer's parameter of that name. */
double zf_import_number(const struct zf_import_layer *layer, const char *name);
struct zf_extents zf_import_extents(const struct zf_import_layer *layer, const char *name);

/** The number of a choice's word. */
int zf_import_choice(const char *type, const char *name, const char *word);

/**
 * Add a layer named after the node; its shape is inferred by its type.
 *
 * part    NULL for the layer that the node is about, or what makes the name of a helper
 * keys    of its parameters, those that are not the defaults; NULL = none
 */
enum zf_status zf_import_add(struct zf_import_node *node, const char *part, const char *type,
                             const int *inputs, int count, const struct zf_key *keys, int *layer);

/** The only layer of a node of one input and one output, cell by cell. */
enum zf_status zf_import_unary(struct zf_import_node *node, const char *type,
                               const struct zf_key *keys);

/** Set output 0 of the node to *value: a constant, whose memory is handed over, or the output of
 * the layer just added. */
enum zf_status zf_import_output(struct zf_import_node *node, const struct zf_operand *value);

/** The same for output i. Where the node has several, the layer is named after the output. */
enum zf_status zf_import_output_at(struct zf_import_node *node, int i,
                                   const struct zf_operand *value);

/** Let `name` find the layer as well; lent by the file. */
enum zf_status zf_import_call(struct zf_import *import, int layer, const char *name);

/** Let `name` mean layer `to`, no longer layer `from`. */
enum zf_status zf_import_rename(struct zf_import *import, int from, int to, const char *name);

/** For nodes without a layer of their own: output 0 is *value, and the node's names become further
 * names of the layer of *value. */
enum zf_status zf_import_alias(struct zf_import_node *node, const struct zf_operand *value);

/** The layer, if *value is all that it makes and this node its only user; otherwise NULL. */
struct zf_import_layer *zf_import_sole(struct zf_import_node *node, const struct zf_operand *value);

/** Leave out layer `dropped`: layer `by`, its only user, computes it as well. */
enum zf_status zf_import_absorb(struct zf_import *import, int by, int dropped);

/** Weights, and biases or NULL, that the layer owns from here on; [count], [bias_count]. */
void zf_import_own(struct zf_import *import, int layer, float *weight, int64_t count, float *bias,
                   int64_t bias_count);

/**
 * dst = scale[c] * src + shift[c]: into the weights of the layer below where that has no other
 * user, or as a layer. Both arrays are lent.
 */
enum zf_status zf_import_affine(struct zf_import_node *node, struct zf_operand *src,
                                const float *scale, const float *shift);

/** The same with one scale and one shift for all. */
enum zf_status zf_import_linear(struct zf_import_node *node, struct zf_operand *src, double scale,
                                double shift);

/** Add a constant as a layer, in the order of a view. */
enum zf_status zf_import_filled(struct zf_import_node *node, const char *part,
                                const struct zf_operand *constant, const struct zf_view *view,
                                struct zf_operand *made);

#endif
