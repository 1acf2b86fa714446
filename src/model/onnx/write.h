/* SPDX-License-Identifier: MIT */
/* Writing ONNX: opset 13, IR version 7. See docs/decisions.md for what goes where. */
#ifndef ZF_MODEL_ONNX_WRITE_H
#define ZF_MODEL_ONNX_WRITE_H

#include "model/onnx/message.h"

#define ZF_ONNX_OPSET 13
#define ZF_ONNX_IR_VERSION 7

/** As zf_model_save(). */
enum zf_status zf_onnx_save(const struct zf_net *net, const char *path, struct zf_error *err);

/** "probabilities" of a net that ends in a softmax, else "output". */
const char *zf_onnx_output_name(const struct zf_net *net);

/** Whether the table has a row for a layer type. */
bool zf_onnx_writes(const struct zf_layer_type *type);

/**
 * The net's layers as nodes, initialisers and tensors' shapes; the last tensor is called `output`.
 * A layer is the node of its name, and those before it that its operator needs ("fc6/flatten").
 *
 * vector  whether the output is [N, c] rather than [N, c, h, w]
 *
 * Returns ZF_EUNSUPPORTED with the layer for a type that no row of the table knows. Short memory is
 * told by m->failed.
 */
enum zf_status zf_onnx_write_layers(struct zf_onnx_message *m, const struct zf_net *net,
                                    const char *output, bool *vector, struct zf_error *err);

#endif
