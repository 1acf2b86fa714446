/* SPDX-License-Identifier: MIT */
/* Which format a model file is in; what else it may be, so that the error can say so. */
#include "zf/model.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/status.h"
#include "base/words.h"
#include "model/format.h"

#define TEXT_PROBE_BYTES 256

/* The first is also the one for names with an unknown suffix. */
static const struct zf_model_format *const formats[] = {&zf_model_native, &zf_model_onnx};

#define FROM_TORCH                                                                                 \
    "torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), 'model.onnx') makes one in "     \
    "PyTorch"
#define FROM_KERAS "python -m tf2onnx.convert --keras FILE --output model.onnx makes one"

/* Files that users may take for models that this program reads, by their first bytes and, where
   these say little, by something within the first 4 KiB. */
static const struct foreign {
    const char *magic;
    size_t offset, size;
    const char *within; /* NULL = anything */
    const char *what;
} foreigners[] = {
    {"PK\003\004", 0, 4, "data.pkl", "a PyTorch file; " FROM_TORCH},
    {"PK\003\004", 0, 4, "config.json", "a Keras file; " FROM_KERAS},
    {"PK\003\004", 0, 4, "metadata.json", "a Keras file; " FROM_KERAS},
    {"PK\003\004", 0, 4, NULL, "a zip archive, as PyTorch writes them; " FROM_TORCH},
    {"\200\002", 0, 2, NULL, "a Python pickle, as old versions of PyTorch write them; " FROM_TORCH},
    {"\211HDF\r\n\032\n", 0, 8, NULL, "an HDF5 file, as Keras writes them; " FROM_KERAS},
    {"TFL3", 4, 4, NULL,
     "a TensorFlow Lite model; python -m tf2onnx.convert --tflite FILE --output model.onnx makes "
     "one"},
    {"GGUF", 0, 4, NULL, "a GGUF model"},
    {"\223NUMPY", 0, 6, NULL, "a NumPy array"},
    {"\037\213", 0, 2, NULL, "a gzip archive"},
    {"\211PNG", 0, 4, NULL, "a PNG picture"},
    {"\377\330\377", 0, 3, NULL, "a JPEG picture"},
};

/* Graphs of TensorFlow have no magic number. */
#define GRAPH_SUFFIX ".pb"
static const char graph_what[] =
    "a TensorFlow graph; python -m tf2onnx.convert --saved-model DIR, or --graphdef FILE --inputs "
    "NAME:0 --outputs NAME:0, with --output model.onnx makes one";

static bool looks_like_text(const struct zf_bytes *bytes)
{
    for (size_t i = 0; i < bytes->size && i < TEXT_PROBE_BYTES; i++) {
        if (!isprint(bytes->data[i]) && !isspace(bytes->data[i]))
            return false;
    }
    return true;
}

static bool holds(const struct zf_bytes *bytes, const char *text)
{
    const size_t length = strlen(text), end = bytes->size < 4096 ? bytes->size : 4096;

    for (size_t i = 0; i + length <= end; i++) {
        if (memcmp(bytes->data + i, text, length) == 0)
            return true;
    }
    return false;
}

static const char *describe_foreigner(const struct zf_bytes *bytes)
{
    for (size_t i = 0; i < ZF_COUNT(foreigners); i++) {
        const struct foreign *f = &foreigners[i];

        if (bytes->size >= f->offset + f->size &&
            memcmp(bytes->data + f->offset, f->magic, f->size) == 0 &&
            (!f->within || holds(bytes, f->within)))
            return f->what;
    }
    if (looks_like_text(bytes))
        return "a text file";
    return NULL;
}

static enum zf_status find_format(const struct zf_bytes *bytes, const char *path,
                                  const struct zf_model_format **out, struct zf_error *err)
{
    const char *what;

    if (bytes->size == 0)
        return zf_fail(err, ZF_EINPUT, "%s: an empty file", path);
    for (size_t i = 0; i < ZF_COUNT(formats) && !zf_ends_in(path, GRAPH_SUFFIX); i++) {
        if (formats[i]->probe(bytes)) {
            *out = formats[i];
            return ZF_OK;
        }
    }
    what = zf_ends_in(path, GRAPH_SUFFIX) ? graph_what : describe_foreigner(bytes);
    if (what)
        return zf_fail(err, ZF_EINPUT, "%s: not a model in %s or %s but %s", path, formats[0]->name,
                       formats[1]->name, what);
    return zf_fail(err, ZF_EINPUT,
                   "%s: %zu bytes that are no %s or %s model, nor another known format", path,
                   bytes->size, formats[0]->name, formats[1]->name);
}

/* A size that was asked for is the net's, whatever format said so. */
static enum zf_status check_size(const struct zf_net *net, const char *path,
                                 const struct zf_model_options *options, struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);

    if (options->height == 0 || (options->height == input.h && options->width == input.w))
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT,
                   "%s: its input is %" PRId64 "x%" PRId64 " px, which cannot become %" PRId64
                   "x%" PRId64,
                   path, input.h, input.w, options->height, options->width);
}

enum zf_status zf_model_open(const char *path, const struct zf_model_options *options,
                             struct zf_net **out, struct zf_error *err)
{
    enum zf_status status;
    struct zf_model_options full = options ? *options : (struct zf_model_options){0};
    const struct zf_model_format *format = NULL;
    struct zf_bytes bytes = {0};
    struct zf_net *net = NULL;

    full.limits = zf_model_limits_full(&full.limits);
    ZF_TRY(zf_bytes_map(&bytes, path, (size_t)full.limits.max_file_bytes, err));
    ZF_TRY(find_format(&bytes, path, &format, err));
    ZF_TRY(format->load(&bytes, path, &full, &net, err));
    ZF_TRY(check_size(net, path, &full, err));
    *out = net;
    net = NULL;
fail:
    zf_net_free(&net);
    zf_bytes_release(&bytes);
    return status;
}

enum zf_status zf_model_load(const char *path, const struct zf_model_limits *limits,
                             struct zf_net **out, struct zf_error *err)
{
    const struct zf_model_options options = {.limits =
                                                 limits ? *limits : (struct zf_model_limits){0}};

    return zf_model_open(path, &options, out, err);
}

enum zf_status zf_model_save(const struct zf_net *net, const char *path, struct zf_error *err)
{
    for (size_t i = 0; i < ZF_COUNT(formats); i++) {
        if (zf_ends_in(path, formats[i]->suffix))
            return formats[i]->save(net, path, err);
    }
    return formats[0]->save(net, path, err);
}
