/* SPDX-License-Identifier: MIT */
/* Tensors in files beside the model: only in its own directory, and only what their note says. */
#include "constant.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

static const char *external_note(const Onnx__TensorProto *tensor, const char *key)
{
    for (size_t i = 0; i < tensor->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = tensor->external_data[i];

        if (entry->key && strcmp(entry->key, key) == 0)
            return entry->value;
    }
    return NULL;
}

static bool is_within(const char *real, const char *directory)
{
    const size_t length = strlen(directory);

    return strncmp(real, directory, length) == 0 &&
           (real[length] == '/' || strcmp(directory, "/") == 0);
}

/* Whether a file lies in the model's own directory, whatever links there are; or, as in the cache
   of a hub, where the model's name is a link, in the directory that it leads to. */
static bool is_beside(const char *model, const char *directory, const char *real)
{
    char *real_directory = realpath(directory, NULL), *real_model = realpath(model, NULL);
    char *slash = real_model ? strrchr(real_model, '/') : NULL;
    bool beside = real_directory && is_within(real, real_directory);

    if (!beside && slash && slash > real_model) {
        *slash = '\0';
        beside = is_within(real, real_model);
    }
    free(real_directory);
    free(real_model);
    return beside;
}

/* The path of a file beside the model; handed over. */
static enum zf_status find_beside(const struct zf_import *import, const char *location, char **out)
{
    const char *slash = strrchr(import->path, '/');
    char *directory =
        slash ? zf_format("%.*s/", (int)(slash - import->path), import->path) : zf_strdup("./");
    char *joined = directory ? zf_path_join(directory, location) : NULL;
    char *real = joined ? realpath(joined, NULL) : NULL;
    enum zf_status status = ZF_OK;

    if (!joined)
        status = zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path);
    else if (location[0] == '/' || (real && !is_beside(import->path, directory, real)))
        status = zf_fail(import->err, ZF_EINPUT,
                         "%s: its external data \"%.100s\" lies outside of the model's directory",
                         import->path, location);
    else if (!real)
        status = zf_fail(import->err, ZF_EINPUT, "%s: its external data \"%.100s\" is not there",
                         import->path, location);
    if (status == ZF_OK) {
        *out = joined;
        joined = NULL;
    }
    free(real);
    zf_free(joined);
    zf_free(directory);
    return status;
}

static enum zf_status map_external(struct zf_import *import, const char *location,
                                   const struct zf_bytes **out)
{
    enum zf_status status;
    const int n = import->mapped_count;
    char *path = NULL;

    for (int i = 0; i < n; i++) {
        if (strcmp(import->mapped_names[i], location) == 0) {
            *out = &import->mapped[i];
            return ZF_OK;
        }
    }
    if (n == ZF_ONNX_MAPPED)
        return zf_fail(import->err, ZF_EINPUT, "%s: external data in more than %d files",
                       import->path, ZF_ONNX_MAPPED);
    ZF_TRY(find_beside(import, location, &path));
    ZF_TRY(zf_bytes_map(&import->mapped[n], path, (size_t)import->options->limits.max_file_bytes,
                        import->err));
    import->mapped_names[n] = location;
    import->mapped_count++;
    zf_import_afford(import, import->mapped[n].size);
    *out = &import->mapped[n];
fail:
    zf_free(path);
    return status;
}

static bool read_offset(const char *text, uint64_t otherwise, uint64_t *out)
{
    char *end;

    *out = otherwise;
    if (!text)
        return true;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

enum zf_status zf_import_external(struct zf_import *import, const Onnx__TensorProto *tensor,
                                  struct zf_stored *stored)
{
    const char *location = external_note(tensor, "location");
    const struct zf_bytes *file = NULL;
    uint64_t offset, length;

    if (!location || !*location)
        return zf_fail(import->err, ZF_EINPUT, "%s: tensor \"%.100s\" lies in a file without name",
                       import->path, stored->name);
    ZF_CHECK(map_external(import, location, &file));
    if (!read_offset(external_note(tensor, "offset"), 0, &offset) ||
        !read_offset(external_note(tensor, "length"), stored->bytes, &length) ||
        length != stored->bytes || offset > file->size || length > file->size - offset)
        return zf_fail(
            import->err, ZF_EINPUT,
            "%s: tensor \"%.100s\" takes %zu bytes, which its place in \"%.100s\" of %zu "
            "bytes does not have",
            import->path, stored->name, stored->bytes, location, file->size);
    stored->data = file->data ? file->data + offset : NULL;
    return ZF_OK;
}
