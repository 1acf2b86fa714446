/* SPDX-License-Identifier: MIT */
/* The container, and the model that may be in it. */
#include "target.h"

#include <stdlib.h>

#include "model/format.h"
#include "model/safetensors.h"

/* Every tensor lies where it says; a sanitizer sees a read beyond. */
static void touch(const struct zf_safetensors *file)
{
    for (size_t i = 0; i < zf_safetensors_count(file); i++) {
        const struct zf_stored *tensor = zf_safetensors_at(file, i);
        const size_t room = tensor->bytes / zf_dtype_width(tensor->dtype) * sizeof(float);
        float *values = malloc(room + 1);

        if (!values || zf_safetensors_find(file, tensor->name) != tensor)
            abort();
        zf_stored_floats(tensor, values);
        free(values);
    }
}

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    struct zf_bytes file = {.data = bytes, .size = size};
    const struct zf_model_options options = {.limits = zf_model_limits_full(NULL)};
    struct zf_safetensors *container = NULL;
    struct zf_net *net = NULL;
    struct zf_error err;

    if (zf_safetensors_parse(&file, "fuzz.safetensors", NULL, &container, &err) != ZF_OK)
        return false;
    touch(container);
    zf_safetensors_free(&container);
    if (zf_model_native.load(&file, "fuzz.safetensors", &options, &net, &err) == ZF_OK)
        zf_net_free(&net);
    return true;
}
