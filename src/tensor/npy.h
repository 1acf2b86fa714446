/* SPDX-License-Identifier: MIT */
#ifndef ZF_TENSOR_NPY_H
#define ZF_TENSOR_NPY_H

#include "base/file.h"
#include "zf/tensor.h"

/** zf_tensor_load_npy() from bytes in memory; `path` names them in error sentences. */
enum zf_status zf_npy_parse(const struct zf_bytes *file, const char *path, struct zf_tensor *tensor,
                            struct zf_error *err);

#endif
