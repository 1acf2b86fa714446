/* SPDX-License-Identifier: MIT */
#ifndef ZF_TENSOR_NPY_H
#define ZF_TENSOR_NPY_H

#include "base/file.h"
#include "zf/tensor.h"

/* What a file says beyond its numbers. */
struct zf_npy_form {
    int rank;    /* dimensions that its shape has, 1 to 4 */
    bool levels; /* uint8: 0 to 255, as a picture's */
};

/**
 * The numbers of a .npy file's bytes in memory; `path` names them in error sentences. The form is
 * NULL, or filled in.
 */
enum zf_status zf_npy_parse(const struct zf_bytes *file, const char *path, struct zf_tensor *tensor,
                            struct zf_npy_form *form, struct zf_error *err);

/** The form alone, by the header. */
enum zf_status zf_npy_peek(const struct zf_bytes *file, const char *path, struct zf_npy_form *form,
                           struct zf_error *err);

/** A .npy file of the tensor's four extents; the stream knows whether it could be written. */
void zf_npy_write(const struct zf_tensor *tensor, FILE *stream);

#endif
