/* SPDX-License-Identifier: MIT */
/* Files of numbers, .npy and .npz alike. */
#ifndef ZF_TENSOR_ARRAY_FILE_H
#define ZF_TENSOR_ARRAY_FILE_H

#include "tensor/npy.h"

/** Whether a file of that name holds numbers: .npy and .npz. */
bool zf_is_array(const char *path);

/** zf_tensor_load_npy() with the form. */
enum zf_status zf_array_load(const char *path, struct zf_tensor *tensor, struct zf_npy_form *form,
                             struct zf_error *err);

/** The same of a file's bytes in memory; `path` says which kind it is. */
enum zf_status zf_array_parse(const struct zf_bytes *file, const char *path,
                              struct zf_tensor *tensor, struct zf_npy_form *form,
                              struct zf_error *err);

/** The form alone: of a .npy this costs nothing, a .npz is read. */
enum zf_status zf_array_peek(const char *path, struct zf_npy_form *form, struct zf_error *err);

#endif
