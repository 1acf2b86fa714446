/* SPDX-License-Identifier: MIT */
/* A node that is being translated: attributes, inputs, and errors that name it. */
#ifndef ZF_MODEL_ONNX_NODE_H
#define ZF_MODEL_ONNX_NODE_H

#include "import.h"

struct zf_import_node {
    struct zf_import *import;
    const Onnx__NodeProto *proto;
    struct zf_operand *in[ZF_ONNX_WIDTH];      /* NULL where the node leaves one out */
    struct zf_definition *from[ZF_ONNX_WIDTH]; /* what each of them is the value of */
    int in_count;
    struct zf_definition *out[ZF_ONNX_WIDTH]; /* NULL where nobody needs it */
    int out_count;
};

enum zf_status zf_node_fail(const struct zf_import_node *node, enum zf_status status,
                            const char *format, ...) ZF_PRINTF(3, 4);
enum zf_status zf_node_no_memory(const struct zf_import_node *node);

const Onnx__AttributeProto *zf_node_attribute(const struct zf_import_node *node, const char *name);
int64_t zf_node_integer(const struct zf_import_node *node, const char *name, int64_t otherwise);
double zf_node_real(const struct zf_import_node *node, const char *name, double otherwise);

/** Whether the attribute, or `otherwise` where it is missing, is this word. */
bool zf_node_says(const struct zf_import_node *node, const char *name, const char *word,
                  const char *otherwise);

/** Which of `words` (NULL at the end) the attribute is; `otherwise` where it is not there. -1 with
 * the error filled in for another word. */
int zf_node_choice(const struct zf_import_node *node, const char *name, const char *const *words,
                   int otherwise);

/** A list of whole numbers by attribute; *count = 0 if it is not there. */
enum zf_status zf_node_integers(const struct zf_import_node *node, const char *name,
                                int64_t *numbers, int most, int *count);

/** The same from attribute `name` or, where newer opsets have it, input i. */
enum zf_status zf_node_list(const struct zf_import_node *node, const char *name, int i,
                            int64_t *numbers, int most, int *count);

/** Real numbers from attribute `name` or input i; -1 for i = only the attribute. */
enum zf_status zf_node_reals(const struct zf_import_node *node, const char *name, int i,
                             double *numbers, int most, int *count);

/** Input i as maps, or as a constant; ZF_EUNSUPPORTED with a sentence if it is the other. */
enum zf_status zf_node_maps(const struct zf_import_node *node, int i, struct zf_operand **out);
enum zf_status zf_node_constant(const struct zf_import_node *node, int i, struct zf_operand **out);

/** Input i of any kind; ZF_EINPUT if it is missing. */
enum zf_status zf_node_input(const struct zf_import_node *node, int i, struct zf_operand **out);

/** Whether the node has an input i. */
bool zf_node_has(const struct zf_import_node *node, int i);

/** An axis as a number from 0, where negative ones count from the end; ZF_EINPUT out of range. */
enum zf_status zf_node_axis(const struct zf_import_node *node, int64_t axis, int rank, int *out);

/** Which axes `axes`, attribute or input 1, name; all where there are none, unless told so. */
enum zf_status zf_node_axes(const struct zf_import_node *node, int rank, bool *named);

#endif
