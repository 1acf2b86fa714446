/* SPDX-License-Identifier: MIT */
/**
 * The safetensors container: named tensors and a map of strings, in one file.
 *
 *     8 bytes    length of the header, little-endian
 *     header     JSON: { "__metadata__": { key: string, ... },
 *                        name: { "dtype", "shape", "data_offsets": [begin, end] }, ... }
 *     data       the tensors' values, little-endian, row-major, without gaps
 *
 * Models use it, and so do the trainer's checkpoints. A reader trusts nothing: when open has
 * returned ZF_OK, every tensor lies inside the file, has the bytes that its shape needs, overlaps
 * no other, and no byte of the file is unaccounted for.
 *
 *     struct zf_safetensors *file = NULL;
 *     ZF_TRY(zf_safetensors_open(path, NULL, &file, err));
 *     const struct zf_stored *momentum = zf_safetensors_find(file, "momentum");
 *     if (momentum && momentum->dtype == ZF_F32 && ...)
 *         memcpy(mine, momentum->data, momentum->bytes);
 * fail:
 *     zf_safetensors_free(&file);
 */
#ifndef ZF_MODEL_SAFETENSORS_H
#define ZF_MODEL_SAFETENSORS_H

#include "base/file.h"
#include "zf/model.h"

/* Type of a tensor's elements. One list for the enum, the names in files and the widths. */
#define ZF_DTYPE_MAP(X)                                                                            \
    X(F64, 8)                                                                                      \
    X(F32, 4)                                                                                      \
    X(F16, 2)                                                                                      \
    X(BF16, 2)                                                                                     \
    X(I64, 8)                                                                                      \
    X(U64, 8)                                                                                      \
    X(I32, 4)                                                                                      \
    X(U32, 4)                                                                                      \
    X(I16, 2)                                                                                      \
    X(U16, 2)                                                                                      \
    X(I8, 1)                                                                                       \
    X(U8, 1)                                                                                       \
    X(BOOL, 1)

enum zf_dtype {
#define X(name, width) ZF_##name,
    ZF_DTYPE_MAP(X)
#undef X
};

#define ZF_STORED_RANK 8 /* most dimensions of a stored tensor */

/* A tensor as it stands in a file: to be written, or just read. */
struct zf_stored {
    const char *name;
    enum zf_dtype dtype;
    int rank; /* 0 = one element */
    int64_t dims[ZF_STORED_RANK];
    const void *data; /* in a file that was read: lent by it, and aligned to nothing: memcpy() */
    size_t bytes;     /* of data; 0 when a dimension is 0 */
};

/* A string under a key in the header's "__metadata__". Both are UTF-8. */
struct zf_note {
    const char *key, *value;
};

struct zf_safetensors;

/**
 * Map and check a file.
 *
 * limits  NULL for the defaults of struct zf_model_limits
 * out     handed over; free with zf_safetensors_free(). Lends all that is read from it.
 *
 * Returns ZF_EINPUT for a missing file and for one that is not exactly what the format asks for
 * (with the path, the place and the numbers); ZF_EIO, ZF_ENOMEM.
 */
enum zf_status zf_safetensors_open(const char *path, const struct zf_model_limits *limits,
                                   struct zf_safetensors **out, struct zf_error *err);

/** The same from bytes in memory, which are lent and must outlive *out; `path` names them. */
enum zf_status zf_safetensors_parse(const struct zf_bytes *bytes, const char *path,
                                    const struct zf_model_limits *limits,
                                    struct zf_safetensors **out, struct zf_error *err);
void zf_safetensors_free(struct zf_safetensors **file); /* accepts NULL and empty, leaves NULL */

/** The tensors, in the order of their data: 0 <= i < zf_safetensors_count(). Lent. */
size_t zf_safetensors_count(const struct zf_safetensors *file);
const struct zf_stored *zf_safetensors_at(const struct zf_safetensors *file, size_t i);

/** The tensor of that name, or NULL. Lent. */
const struct zf_stored *zf_safetensors_find(const struct zf_safetensors *file, const char *name);

/** The string under `key` in the metadata, or NULL. Lent. */
const char *zf_safetensors_note(const struct zf_safetensors *file, const char *key);

/**
 * Write a whole container into an open output; the caller commits it. Tensors lie in the order
 * given: put the widest types first and each is aligned to its width.
 *
 * tensors  name, dtype, rank, dims and data of each; `bytes` must be what the shape needs. Lent.
 * notes    NULL when note_count is 0; valid UTF-8. Lent.
 *
 * Returns ZF_EINVAL for a tensor whose bytes are not those of its shape; ZF_ENOMEM. A failure to
 * write is sticky in the stream: zf_output_commit() reports it.
 */
enum zf_status zf_safetensors_write(struct zf_output *output, const struct zf_stored *tensors,
                                    size_t count, const struct zf_note *notes, size_t note_count,
                                    struct zf_error *err);

/** The name of a type in files ("F32"), and the bytes of an element. */
const char *zf_dtype_name(enum zf_dtype dtype);
size_t zf_dtype_width(enum zf_dtype dtype);

/** Number of elements. */
int64_t zf_stored_count(const struct zf_stored *tensor);

/** Is it F32, F64, F16 or BF16? */
bool zf_dtype_is_real(enum zf_dtype dtype);

/** Convert those to float, zf_stored_count() of them; false, with nothing done, for others. */
bool zf_stored_floats(const struct zf_stored *tensor, float *dst);

/** The shape as text, "[96, 3, 7, 7]", cut to `size` bytes. Returns `text`. */
const char *zf_shape_text(const int64_t *dims, int rank, char *text, size_t size);

#endif
