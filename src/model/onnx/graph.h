/* SPDX-License-Identifier: MIT */
/* Names, order, and the picture: what is known before any node is translated. */
#ifndef ZF_MODEL_ONNX_GRAPH_H
#define ZF_MODEL_ONNX_GRAPH_H

#include "import.h"

/** inline.c: the flat list of nodes and tensors. */
enum zf_status zf_import_inline(struct zf_import *import);

/** Find every name, the target, and the order. */
enum zf_status zf_import_graph(struct zf_import *import);
struct zf_definition *zf_import_find(const struct zf_import *import, const char *name);

/** picture.c: which input is the picture, and its shape. */
enum zf_status zf_import_picture(struct zf_import *import);

/** Height and width of the metadata's "crop", 0 where there is none. ZF_EINPUT for no size. */
enum zf_status zf_import_crop(const struct zf_import *import, struct zf_shape *out);

/** The node's name, or that of its first output. Never NULL. */
const char *zf_node_name(const Onnx__NodeProto *proto);

#endif
