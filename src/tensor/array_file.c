/* SPDX-License-Identifier: MIT */
#include "tensor/array_file.h"

#include <string.h>
#include <strings.h>

#include "base/status.h"
#include "tensor/npz.h"

#define MAX_FILE (UINT64_C(4) << 30)

/* ".NPY" is what some cameras' and old systems' disks make of it. */
static bool ends_in(const char *path, const char *ending)
{
    const size_t length = strlen(path), tail = strlen(ending);

    return length > tail && strcasecmp(path + length - tail, ending) == 0;
}

bool zf_is_array(const char *path)
{
    return ends_in(path, ".npy") || ends_in(path, ".npz");
}

enum zf_status zf_array_parse(const struct zf_bytes *file, const char *path,
                              struct zf_tensor *tensor, struct zf_npy_form *form,
                              struct zf_error *err)
{
    return (ends_in(path, ".npz") ? zf_npz_parse : zf_npy_parse)(file, path, tensor, form, err);
}

enum zf_status zf_array_load(const char *path, struct zf_tensor *tensor, struct zf_npy_form *form,
                             struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes file = {0};

    ZF_TRY(zf_bytes_map(&file, path, MAX_FILE, err));
    ZF_TRY(zf_array_parse(&file, path, tensor, form, err));
fail:
    zf_bytes_release(&file);
    return status;
}

enum zf_status zf_array_peek(const char *path, struct zf_npy_form *form, struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes file = {0};
    struct zf_tensor tensor = {0};

    if (ends_in(path, ".npz"))
        ZF_LEAVE(zf_array_load(path, &tensor, form, err));
    ZF_TRY(zf_bytes_map(&file, path, MAX_FILE, err));
    ZF_TRY(zf_npy_peek(&file, path, form, err));
fail:
    zf_tensor_release(&tensor);
    zf_bytes_release(&file);
    return status;
}

enum zf_status zf_tensor_load_npy(const char *path, struct zf_tensor *tensor, struct zf_error *err)
{
    return zf_array_load(path, tensor, NULL, err);
}
