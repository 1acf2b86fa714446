/* SPDX-License-Identifier: MIT */
/* What an Einsum says: a letter for each axis of its inputs and of its output. */
#ifndef ZF_MODEL_ONNX_EINSUM_H
#define ZF_MODEL_ONNX_EINSUM_H

#include "node.h"

#define ZF_EINSUM_TERMS 8

/* Letters as strings; the axes that "..." stands for are digits. */
struct zf_equation {
    int count; /* inputs */
    char terms[ZF_EINSUM_TERMS][ZF_ONNX_RANK + 1];
    char made[ZF_ONNX_RANK + 1];
};

/** ZF_EINPUT where it does not fit the inputs; ZF_EUNSUPPORTED for a letter twice in one input, a
 * diagonal. */
enum zf_status zf_einsum_read(const struct zf_import_node *node, struct zf_equation *equation);

#endif
