/* SPDX-License-Identifier: MIT */
/**
 * Plain float32 tensors in NCHW order: what stands at every boundary of the library, so that no
 * caller ever meets a blocked layout. A vector of a fully connected layer is [n, c, 1, 1].
 */
#ifndef ZF_TENSOR_H
#define ZF_TENSOR_H

#include "zf/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct zf_tensor {
    int64_t n, c, h, w;
    float *data; /* n * c * h * w values, row-major */
    bool owned;  /* zf_tensor_release() frees `data` */
};

/**
 * Allocate a zeroed tensor; each extent >= 1. Returns ZF_EINVAL for an extent < 1 or a product
 * that does not fit, ZF_ENOMEM. Release with zf_tensor_release().
 */
ZF_API enum zf_status zf_tensor_init(struct zf_tensor *tensor, int64_t n, int64_t c, int64_t h,
                                     int64_t w, struct zf_error *err);

/**
 * A tensor over `data`, which stays the caller's and must outlive the view.
 */
ZF_API struct zf_tensor zf_tensor_view(float *data, int64_t n, int64_t c, int64_t h, int64_t w);

/** Free what the tensor owns and make it empty. Accepts an empty tensor. */
ZF_API void zf_tensor_release(struct zf_tensor *tensor);

/** Number of values. */
ZF_API int64_t zf_tensor_count(const struct zf_tensor *tensor);

/**
 * Read a NumPy .npy file (format 1, 2 or 3; real numbers of 16, 32 or 64 bits, whole ones and bool
 * of up to 64, in either order of bytes, C or Fortran order; 1 to 4 dimensions, missing ones are 1
 * at the end, so that [N,C] becomes [N,C,1,1]), rounded to float32. Of a .npz file the only array,
 * or the one called x, input, inputs, image, images, data or arr_0, the first of these. At most
 * 4 GiB. *tensor is overwritten and owned by the caller.
 * Returns ZF_EIO, ZF_EINPUT (with what the file is instead), ZF_ENOMEM.
 */
ZF_API enum zf_status zf_tensor_load_npy(const char *path, struct zf_tensor *tensor,
                                         struct zf_error *err);

/**
 * Write `tensor` as a .npy file of shape [n,c,h,w]; the file appears whole or not at all.
 */
ZF_API enum zf_status zf_tensor_save_npy(const struct zf_tensor *tensor, const char *path,
                                         struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
