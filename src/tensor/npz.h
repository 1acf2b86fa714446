/* SPDX-License-Identifier: MIT */
/* NumPy's archives, as numpy.savez() and savez_compressed() write them: a ZIP file of .npy files.
 */
#ifndef ZF_TENSOR_NPZ_H
#define ZF_TENSOR_NPZ_H

#include "tensor/npy.h"

/**
 * The array of an archive, or of several the one that is called x, input, inputs, image, images,
 * data or arr_0, the first of these that is there. ZF_EINPUT with the names where there is none.
 */
enum zf_status zf_npz_parse(const struct zf_bytes *file, const char *path, struct zf_tensor *tensor,
                            struct zf_npy_form *form, struct zf_error *err);

#endif
