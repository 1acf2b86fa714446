/* SPDX-License-Identifier: MIT */
#include "model/foreign.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/directory.h"
#include "base/recognise.h"
#include "base/status.h"
#include "zf/model.h"

#define TEXT_PROBE_BYTES 256
#define WITHIN_BYTES 4096

#define FROM_TORCH                                                                                 \
    "torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), 'model.onnx') makes one in "     \
    "PyTorch"
#define FROM_KERAS "python -m tf2onnx.convert --keras FILE --output model.onnx makes one"
#define FROM_GRAPH                                                                                 \
    "a TensorFlow graph; python -m tf2onnx.convert --saved-model DIR, or --graphdef FILE "         \
    "--inputs NAME:0 --outputs NAME:0, with --output model.onnx makes one"
#define FROM_CHECKPOINT                                                                            \
    "part of a TensorFlow checkpoint; python -m tf2onnx.convert --checkpoint FILE.meta --inputs "  \
    "NAME:0 --outputs NAME:0 --output model.onnx makes one"
#define FROM_PADDLE                                                                                \
    "a PaddlePaddle model; paddle2onnx --model_dir DIR --model_filename FILE --params_filename "   \
    "FILE --save_file model.onnx makes one"
#define MADE_FOR " made from a model for running it; the ONNX file before that is read"

/* By the first bytes and, where these say little, by something within the first 4 KiB. */
static const struct {
    const char *magic;
    size_t offset, size;
    const char *within; /* NULL = anything */
    const char *what;
} contents[] = {
    {"PK\003\004", 0, 4, "constants.pkl",
     "a TorchScript file; load it by torch.jit.load(), then " FROM_TORCH},
    {"PK\003\004", 0, 4, "data.pkl", "a PyTorch file; " FROM_TORCH},
    {"PK\003\004", 0, 4, "metadata.json", "a Keras file; " FROM_KERAS},
    {"PK\003\004", 0, 4, "config.json", "a Keras file; " FROM_KERAS},
    {"\200\002", 0, 2, NULL, "a Python pickle, as old versions of PyTorch write them; " FROM_TORCH},
    {"\211HDF\r\n\032\n", 0, 8, NULL, "an HDF5 file, as Keras writes them; " FROM_KERAS},
    {"TFL3", 4, 4, NULL,
     "a TensorFlow Lite model; python -m tf2onnx.convert --tflite FILE --output model.onnx makes "
     "one"},
    {"ORTM", 4, 4, NULL, "an ORT file, which ONNX Runtime" MADE_FOR},
    {"ftrt", 0, 4, NULL, "an engine, which TensorRT" MADE_FOR},
    {"ptrt", 0, 4, NULL, "an engine, which TensorRT" MADE_FOR},
    {"GGUF", 0, 4, NULL, "a GGUF model"},
    {"\211PNG", 0, 4, NULL, "a PNG picture"},
    {"\377\330\377", 0, 3, NULL, "a JPEG picture"},
};

/* Where the bytes have no mark of their own. */
static const struct {
    const char *ending, *what;
    bool like_onnx; /* its first bytes may be those of an ONNX file */
} endings[] = {
    {".pb", FROM_GRAPH, true},
    {".meta", FROM_CHECKPOINT, false},
    {".index", FROM_CHECKPOINT, false},
    {".ckpt", "a checkpoint; " FROM_TORCH, false},
    {".pt", "no PyTorch file that is whole; " FROM_TORCH, false},
    {".pth", "no PyTorch file that is whole; " FROM_TORCH, false},
    {".mlmodel", "a Core ML model, which coremltools" MADE_FOR, true},
    {".caffemodel", "weights of a Caffe model; converted to ONNX it is read", false},
    {".prototxt", "the layers of a Caffe model; converted to ONNX, with its weights, it is read",
     false},
    {".engine", "an engine, which TensorRT" MADE_FOR, false},
    {".plan", "an engine, which TensorRT" MADE_FOR, false},
    {".trt", "an engine, which TensorRT" MADE_FOR, false},
    {".xml", "an OpenVINO model, which ovc" MADE_FOR, false},
    {".param", "an ncnn model, which ncnn" MADE_FOR, false},
    {".pdmodel", FROM_PADDLE, false},
    {".pdiparams", FROM_PADDLE, false},
    {".params", "weights of an MXNet model; mxnet.onnx.export_model() makes one", false},
    {".weights", "weights of a Darknet model; converted to ONNX, with its .cfg, it is read", false},
    {".mar", "an archive of TorchServe: unpack it, then " FROM_TORCH, false},
    {".t7", "a file of Lua's Torch", false},
};

static bool ends_in(const char *path, const char *ending)
{
    const size_t length = strlen(path), tail = strlen(ending);

    return length > tail && strcasecmp(path + length - tail, ending) == 0;
}

/* Which of the endings, ZF_COUNT(endings) for none. */
static size_t find_ending(const char *path)
{
    size_t i = 0;

    while (i < ZF_COUNT(endings) && !ends_in(path, endings[i].ending))
        i++;
    return i;
}

static bool looks_like_text(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size && i < TEXT_PROBE_BYTES; i++) {
        if (bytes[i] < 0x80 && !isprint(bytes[i]) && !isspace(bytes[i]))
            return false;
    }
    return true;
}

bool zf_foreign_by_name(const char *path)
{
    const size_t i = find_ending(path);

    return i < ZF_COUNT(endings) && endings[i].like_onnx;
}

static bool is_builtin_net(const char *name)
{
    for (size_t i = 0; zf_net_builtin_name(i); i++) {
        if (strcmp(zf_net_builtin_name(i), name) == 0)
            return true;
    }
    return false;
}

bool zf_model_is_file(const char *path)
{
    uint8_t head[TEXT_PROBE_BYTES];
    struct stat info;
    FILE *file;
    size_t size;

    if (ends_in(path, ".onnx") || ends_in(path, ".safetensors"))
        return true;
    if (stat(path, &info) != 0)
        return false;
    if (!strpbrk(path, "/."))
        return S_ISDIR(info.st_mode) && !is_builtin_net(path);
    if (S_ISDIR(info.st_mode) || find_ending(path) < ZF_COUNT(endings))
        return true;
    file = S_ISREG(info.st_mode) ? fopen(path, "rb") : NULL;
    if (!file)
        return false;
    size = fread(head, 1, sizeof head, file);
    fclose(file);
    return !looks_like_text(head, size) || zf_recognise(head, size);
}

static bool holds(const struct zf_bytes *bytes, const char *text)
{
    const size_t length = strlen(text),
                 end = bytes->size < WITHIN_BYTES ? bytes->size : WITHIN_BYTES;

    for (size_t i = 0; i + length <= end; i++) {
        if (memcmp(bytes->data + i, text, length) == 0)
            return true;
    }
    return false;
}

const char *zf_foreign_model(const struct zf_bytes *bytes, const char *path)
{
    const char *what;
    size_t ending;

    for (size_t i = 0; i < ZF_COUNT(contents); i++) {
        if (bytes->size >= contents[i].offset + contents[i].size &&
            memcmp(bytes->data + contents[i].offset, contents[i].magic, contents[i].size) == 0 &&
            (!contents[i].within || holds(bytes, contents[i].within)))
            return contents[i].what;
    }
    ending = find_ending(path);
    if (ending < ZF_COUNT(endings))
        return endings[ending].what;
    what = zf_recognise(bytes->data, bytes->size);
    return what || !looks_like_text(bytes->data, bytes->size) ? what : "a text file";
}

/* ---- Directories ---- */

static enum zf_status describe(const char *path, const struct zf_names *names, struct zf_error *err)
{
    const char *inner = NULL;

    for (size_t k = 0; k < names->count; k++) {
        const char *name = names->items[k];

        if (strcmp(name, "saved_model.pb") == 0)
            return zf_fail(err, ZF_EINPUT,
                           "%s: a SavedModel of TensorFlow; python -m tf2onnx.convert "
                           "--saved-model %s --output model.onnx makes a model in ONNX",
                           path, path);
        if (!inner && (ends_in(name, ".onnx") || ends_in(name, ".safetensors")))
            inner = name;
    }
    if (ends_in(path, ".mlpackage") || ends_in(path, ".mlmodelc"))
        return zf_fail(err, ZF_EINPUT, "%s: a Core ML model, which coremltools" MADE_FOR, path);
    if (inner)
        return zf_fail(err, ZF_EINPUT, "%s is a directory; the model may be %s/%s", path, path,
                       inner);
    return zf_fail(err, ZF_EINPUT, "%s is a directory, and no model", path);
}

enum zf_status zf_foreign_directory(const char *path, struct zf_error *err)
{
    enum zf_status status;
    struct zf_names names = {0};
    struct stat info;

    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return ZF_OK;
    ZF_TRY(zf_directory_list(path, &names, err));
    ZF_TRY(describe(path, &names, err));
fail:
    zf_names_release(&names);
    return status;
}
