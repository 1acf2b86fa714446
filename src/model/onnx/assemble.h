/* SPDX-License-Identifier: MIT */
#ifndef ZF_MODEL_ONNX_ASSEMBLE_H
#define ZF_MODEL_ONNX_ASSEMBLE_H

#include "import.h"

/** The net of all layers that the target hangs on. Its limits are those of specs. */
enum zf_status zf_import_assemble(struct zf_import *import, struct zf_net **out);

/** meaning.c: what its outputs mean. Before labels, which are as many as that says. */
enum zf_status zf_import_answer(const struct zf_import *import, struct zf_net *net);

/** preparation.c: labels and preparation from the metadata; what is not there keeps its default
 * (zf/model.h). */
enum zf_status zf_import_preparation(const struct zf_import *import, struct zf_net *net);

/** recipe.c: labels of a config.json or metadata.json beside the model, where they are as many as
 * the classes. */
enum zf_status zf_import_labels_beside(const struct zf_import *import, struct zf_net *net);

/** recipe.c: what files of timm and Hugging Face beside the model say, or Ultralytics' notes in it.
 * Stays as it is where there are none. ZF_EIO and ZF_ENOMEM where one is there and was not read. */
enum zf_status zf_import_recipe(const struct zf_import *import, struct zf_shape input,
                                struct zf_preparation *preparation);

#endif
