/* SPDX-License-Identifier: MIT */
/* Where the pictures of a batch are in each tensor, so that nothing joins what is apart. */
#ifndef ZF_MODEL_ONNX_BATCH_H
#define ZF_MODEL_ONNX_BATCH_H

#include "node.h"

/**
 * After a node was translated: where its outputs have the pictures. Only of a file whose batch is
 * open or more than one. ZF_EUNSUPPORTED where the node joins numbers of several pictures, as a
 * mean over the batch does: here each picture is by itself.
 */
enum zf_status zf_import_follow_batch(struct zf_import_node *node);

#endif
