/* SPDX-License-Identifier: MIT */
/* Writing a safetensors container: the header is made whole, the data streamed from where it is. */
#include "model/safetensors.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define DATA_ALIGNMENT 64 /* bytes; so a mapped file can be used as it lies */

static bool add_notes(cJSON *header, const struct zf_note *notes, size_t count)
{
    cJSON *map = cJSON_AddObjectToObject(header, "__metadata__");
    bool good = map != NULL;

    for (size_t i = 0; i < count && good; i++)
        good = cJSON_AddStringToObject(map, notes[i].key, notes[i].value) != NULL;
    return good;
}

static bool add_number(cJSON *array, int64_t number)
{
    cJSON *item = cJSON_CreateNumber((double)number);

    return item && cJSON_AddItemToArray(array, item);
}

static bool add_tensor(cJSON *header, const struct zf_stored *tensor, int64_t begin)
{
    cJSON *item = cJSON_AddObjectToObject(header, tensor->name);
    const char *dtype = zf_dtype_name(tensor->dtype);
    cJSON *shape, *range;
    bool good = item && cJSON_AddStringToObject(item, "dtype", dtype);

    shape = good ? cJSON_AddArrayToObject(item, "shape") : NULL;
    good = shape != NULL;
    for (int i = 0; i < tensor->rank && good; i++)
        good = add_number(shape, tensor->dims[i]);
    range = good ? cJSON_AddArrayToObject(item, "data_offsets") : NULL;
    return range && add_number(range, begin) && add_number(range, begin + (int64_t)tensor->bytes);
}

static enum zf_status check_size(const struct zf_stored *tensor, struct zf_error *err)
{
    int64_t bytes = (int64_t)zf_dtype_width(tensor->dtype);
    bool fits = tensor->rank >= 0 && tensor->rank <= ZF_STORED_RANK;
    char shape[128];

    for (int i = 0; i < tensor->rank && fits; i++)
        fits = tensor->dims[i] >= 0 && !__builtin_mul_overflow(bytes, tensor->dims[i], &bytes);
    if (!fits || (uint64_t)bytes != tensor->bytes)
        return zf_fail(err, ZF_EINVAL, "tensor \"%.100s\" %s of %s does not take %zu bytes",
                       tensor->name,
                       zf_shape_text(tensor->dims, fits ? tensor->rank : 0, shape, sizeof shape),
                       zf_dtype_name(tensor->dtype), tensor->bytes);
    return ZF_OK;
}

static enum zf_status make_header(const struct zf_stored *tensors, size_t count,
                                  const struct zf_note *notes, size_t note_count, char **out,
                                  struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    cJSON *header = cJSON_CreateObject();
    bool good = header && (note_count == 0 || add_notes(header, notes, note_count));
    int64_t begin = 0;
    char *text = NULL;

    for (size_t i = 0; i < count && good; i++) {
        ZF_TRY(check_size(&tensors[i], err));
        good = add_tensor(header, &tensors[i], begin);
        begin += (int64_t)tensors[i].bytes;
    }
    text = good ? cJSON_PrintUnformatted(header) : NULL;
    if (!text)
        status = zf_fail(err, ZF_ENOMEM, "out of memory for the header of %zu tensors", count);
    else
        *out = text;
fail:
    cJSON_Delete(header);
    return status;
}

enum zf_status zf_safetensors_write(struct zf_output *output, const struct zf_stored *tensors,
                                    size_t count, const struct zf_note *notes, size_t note_count,
                                    struct zf_error *err)
{
    enum zf_status status;
    char *header = NULL;
    size_t text_bytes;
    uint64_t header_bytes, before_data;

    ZF_TRY(make_header(tensors, count, notes, note_count, &header, err));
    text_bytes = strlen(header);
    before_data = sizeof header_bytes + text_bytes;
    before_data = (before_data + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT;
    header_bytes = before_data - sizeof header_bytes;
    fwrite(&header_bytes, sizeof header_bytes, 1, output->stream);
    fwrite(header, 1, text_bytes, output->stream);
    for (size_t i = text_bytes; i < header_bytes; i++)
        fputc(' ', output->stream);
    for (size_t i = 0; i < count; i++) {
        if (tensors[i].bytes > 0)
            fwrite(tensors[i].data, 1, tensors[i].bytes, output->stream);
    }
fail:
    cJSON_free(header);
    return status;
}
