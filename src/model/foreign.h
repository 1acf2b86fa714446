/* SPDX-License-Identifier: MIT */
/* Models of other programs, which are not read: what they are, and what makes ONNX of them. */
#ifndef ZF_MODEL_FOREIGN_H
#define ZF_MODEL_FOREIGN_H

#include "base/file.h"

/**
 * What a file is, with the line that exports it where there is one: "a PyTorch file; torch.onnx..."
 * By its ending where the bytes say little. NULL for what is not known.
 */
const char *zf_foreign_model(const struct zf_bytes *bytes, const char *path);

/** Whether `path` ends as models do whose first bytes may be taken for those of an ONNX file. */
bool zf_foreign_by_name(const char *path);

/** ZF_EINPUT for a directory: what it is, or which model lies in it. */
enum zf_status zf_foreign_directory(const char *path, struct zf_error *err);

#endif
