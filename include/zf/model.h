/* SPDX-License-Identifier: MIT */
/**
 * Trained models on disk, as safetensors or ONNX. The native format is safetensors: weights under
 * names like "conv1.weight" (float32, OIHW), the per-pixel mean as "preparation.mean", and in the
 * metadata the spec ("zfscope.spec"), the labels ("zfscope.labels", one a line) and the preparation
 * ("zfscope.preparation"). Any safetensors reader opens it.
 * ONNX files carry the same in their metadata_props, so that either becomes the other and comes
 * back bit for bit.
 *
 * Parameters of a native file that lie in it as the net wants them (float32, as zf_model_save()
 * writes most nets) are not copied: the file stays mapped while the net lives, so a large model is
 * there at once and processes share it. Replace such a file by another, as zf_model_save() does; do
 * not overwrite it in place.
 */
#ifndef ZF_MODEL_H
#define ZF_MODEL_H

#include "zf/base.h"
#include "zf/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Limits for a model file; 0 = the default. Checked before memory is allocated. */
struct zf_model_limits {
    int64_t max_file_bytes;   /* 8 GiB */
    int64_t max_header_bytes; /* 16 MiB */
    int64_t max_tensors;      /* 10000 */
};

/** What a file may leave open. All zero = the defaults. */
struct zf_model_options {
    struct zf_model_limits limits;
    int64_t height, width; /* px of the input, where the model leaves them open; 0 = its own */
    /* For ONNX models that zfscope has not written: */
    const char *until;  /* the node or tensor that ends the net; NULL = an output */
    const char *output; /* which output; NULL = of several the one most like classes */
    const struct zf_monitor *monitor; /* NULL, or gets a message with that one; lent for the call */
};

/**
 * Load a model; its format is recognised by content.
 *
 * An ONNX model of any origin becomes a net if it takes one picture, [N, c, h, w] or [N, h, w, c],
 * and its operators (opsets 7 to 25) are those of convolutional nets. Constant parts are computed,
 * batch normalisation is folded into the convolution below it, layouts are followed through Reshape
 * and Transpose. A layer has its node's name; zf_net_find_layer() takes tensors' names too.
 *
 * From the metadata come
 *   - labels: "labels", one a line;
 *   - the preparation: "mean", "std", "scale", "channels", "resize", "crop", where an input is
 *     (value - mean) * scale / std of values 0..255. Without it nothing is subtracted, and the
 *     short side is resized to 256 for a crop of 224. The crop is the input's size where the
 *     model leaves that open;
 *   - what the outputs mean (zf_net_answer()): "answer" (softmax, sigmoid or numbers), "task"
 *     and "problem_type" as other exporters write them. Without it the last layers decide: a
 *     softmax or sigmoids; sums, as of a fully connected layer, are taken for the logits of a
 *     softmax, a single one for that of a sigmoid, unless the output's name says otherwise
 *     ("landmarks").
 *
 * options  NULL for the defaults
 * out      handed over; free with zf_net_free()
 *
 * Returns ZF_EINPUT for a missing file, another format (named if known), a truncated file, a header
 * with wrong sizes, a tensor that is missing, unknown or of a wrong shape (named, with both
 * shapes), a graph with cycles or inputs that no node produces, an input size other than that of
 * `options` or the metadata's crop; ZF_EUNSUPPORTED for an operator that is not read, named with
 * its node, its opset and its inputs; ZF_EIO, ZF_ENOMEM. Thread-safe.
 */
ZF_API enum zf_status zf_model_open(const char *path, const struct zf_model_options *options,
                                    struct zf_net **out, struct zf_error *err);

/** The same with limits alone; NULL for the defaults. */
ZF_API enum zf_status zf_model_load(const char *path, const struct zf_model_limits *limits,
                                    struct zf_net **out, struct zf_error *err);

/**
 * Whether `path` is of a model, of this program or of another, rather than a net's spec: by its
 * ending (".onnx", ".safetensors", ".pb" and others), because it is a directory, or because its
 * first bytes are no text. false for a file that is not there, and for names of built-in nets.
 */
ZF_API bool zf_model_is_file(const char *path);

/**
 * Save a net: as ONNX where `path` ends in ".onnx", else as safetensors. The file is written under
 * another name and then renamed, so it is whole or not there. Returns ZF_EUNSUPPORTED for an ONNX
 * file over 2 GiB; ZF_EIO, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_model_save(const struct zf_net *net, const char *path,
                                    struct zf_error *err);

/**
 * Replace a net's parameters by those of a safetensors file that another program has saved, such as
 * a PyTorch state dict. No plan may run the net meanwhile; zf_plan_refresh() afterwards.
 *
 * A layer takes the tensors of its own name ("conv1.weight"). Where there are none, it takes the
 * module ("features.0.weight", "features.0.bias") with its shapes, if no other layer and no other
 * module has these. Several layers of equal shapes take as many modules, in the order of the
 * numbers in the modules' names, if the names differ in nothing else.
 *
 * monitor  NULL, or gets a message for each layer that takes a module of another name
 *
 * Returns ZF_EINPUT for a tensor that fits no layer or a layer without tensors, with names and
 * shapes; ZF_EIO, ZF_ENOMEM. On failure the net is unchanged.
 */
ZF_API enum zf_status zf_model_load_weights(struct zf_net *net, const char *path,
                                            const struct zf_model_limits *limits,
                                            const struct zf_monitor *monitor, struct zf_error *err);

/**
 * Give a net the labels of a file, which is one of
 *   - text, one label a line, in UTF-8 or with the mark of UTF-16; WordNet's numbers
 *     ("n01440764 tench") and indices ("0: tench", "0,tench", "tench,0") are left out where every
 *     line has one, the latter in their order;
 *   - JSON: a list, a map from indices to names or from names to indices, {"0": ["n01440764",
 *     "tench"]}, or one of these as "id2label", "labels" or the like of a larger file;
 *   - the same as Python prints it, and YAML's "names:".
 *
 * Returns ZF_EINPUT for another number of labels than the net has classes, or another format;
 * ZF_EIO, ZF_ENOMEM. On failure the net is unchanged.
 */
ZF_API enum zf_status zf_net_load_labels(struct zf_net *net, const char *path,
                                         struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
