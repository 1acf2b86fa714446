/* SPDX-License-Identifier: MIT */
#ifndef ZF_MODEL_ONNX_CONSTANT_H
#define ZF_MODEL_ONNX_CONSTANT_H

#include "import.h"
#include "model/safetensors.h"

/** Read a tensor of the file into *value, which is lent what can be lent. */
enum zf_status zf_import_constant(struct zf_import *import, const Onnx__TensorProto *tensor,
                                  struct zf_operand *value);

/** external.c: where the bytes of a tensor in another file are; stored->bytes of them. */
enum zf_status zf_import_external(struct zf_import *import, const Onnx__TensorProto *tensor,
                                  struct zf_stored *stored);

#endif
