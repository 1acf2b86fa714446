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

/** Whether a file of that name holds numbers: .npy and .npz. */
bool zf_is_npy(const char *path);

/** zf_tensor_load_npy() with the form, NULL or filled in. */
enum zf_status zf_npy_load(const char *path, struct zf_tensor *tensor, struct zf_npy_form *form,
                           struct zf_error *err);

/** The form alone, of a .npy by its header. */
enum zf_status zf_npy_peek(const char *path, struct zf_npy_form *form, struct zf_error *err);

/** zf_npy_load() from a .npy file's bytes in memory; `path` names them in error sentences. */
enum zf_status zf_npy_parse(const struct zf_bytes *file, const char *path, struct zf_tensor *tensor,
                            struct zf_npy_form *form, struct zf_error *err);

#endif
