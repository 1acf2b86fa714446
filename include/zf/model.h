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

/** What a model file may cost at most; 0 = the default. Checked before memory is spent. */
struct zf_model_limits {
    int64_t max_file_bytes;   /* 8 GiB */
    int64_t max_header_bytes; /* 16 MiB */
    int64_t max_tensors;      /* 10000 */
};

/** What a model from outside may need to be told. All zero = nothing. */
struct zf_model_options {
    struct zf_model_limits limits;
    int64_t height, width; /* px of the input, where the model leaves them open; 0 = its own */
    /* Of ONNX models that zfscope has not written: */
    const char *until;  /* the node or tensor that ends the net; NULL = an output */
    const char *output; /* which output; NULL = of several the one most like classes */
    const struct zf_monitor *monitor; /* NULL, or told which one that is; lent for the call */
};

/**
 * Load a model by its content.
 *
 * An ONNX model of any origin becomes a net if it takes one picture, [N, c, h, w] or [N, h, w, c],
 * and its operators (opsets 7 to 25) are those of convolutional nets. Constant parts are
 * computed, batch normalisation goes into the convolution below it, layouts are followed through
 * Reshape and Transpose. What the outputs mean (zf_net_answer()) is said by the metadata ("answer":
 * softmax, sigmoid or numbers; "task" and "problem_type" as other exporters write them), by the
 * last layers, or else guessed from them: sums are what goes into a softmax, one sum into a
 * sigmoid, unless the output's name says otherwise ("landmarks"). Layers are called as their nodes
 * are; zf_net_find_layer() knows tensors' names too. The metadata gives labels ("labels", one a
 * line) and the preparation: "mean", "std", "scale", "channels", "resize", "crop"; (value - mean) *
 * scale / std of values 0..255. Without it nothing is subtracted, and the short side becomes 256
 * for a crop of 224. The crop is the input: it gives the size that a model leaves open.
 *
 * options  NULL for the defaults
 * out      handed over; free with zf_net_free()
 *
 * Returns ZF_EINPUT for a missing file, another format (named if known), truncation at any byte, a
 * header that lies about sizes, a missing, unknown or misshapen tensor (named, with both shapes), a
 * graph with cycles or names that nothing makes, an input of another size than `options` or the
 * metadata's crop asks for; ZF_EUNSUPPORTED for an operator that is not read, with its node, its
 * opset and what feeds it; ZF_EIO, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_model_open(const char *path, const struct zf_model_options *options,
                                    struct zf_net **out, struct zf_error *err);

/** The same with nothing but limits; NULL for the defaults. */
ZF_API enum zf_status zf_model_load(const char *path, const struct zf_model_limits *limits,
                                    struct zf_net **out, struct zf_error *err);

/**
 * Save a net, as ONNX where `path` ends in ".onnx", else as safetensors; the file appears whole or
 * not at all. ZF_EUNSUPPORTED for an ONNX file over 2 GiB, ZF_EIO, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_model_save(const struct zf_net *net, const char *path,
                                    struct zf_error *err);

/**
 * Replace a net's parameters by those of a safetensors file that another program has saved, such as
 * a PyTorch state dict, while the net is not shared.
 *
 * A layer takes the tensors of its own name ("conv1.weight"). Where there are none, it takes the
 * module ("features.0.weight", "features.0.bias") that has its shapes, if no other layer and no
 * other module has them; several layers of equal shapes take as many modules, in the order of the
 * numbers in their names, if these names differ in nothing else.
 *
 * monitor  NULL, or told which module a layer takes where it is not by name
 *
 * Returns ZF_EINPUT with what does not fit, names and both shapes, and for tensors that no layer
 * takes; ZF_EIO, ZF_ENOMEM. The net is unchanged then.
 */
ZF_API enum zf_status zf_model_load_weights(struct zf_net *net, const char *path,
                                            const struct zf_model_limits *limits,
                                            const struct zf_monitor *monitor, struct zf_error *err);

/**
 * Give a net the labels of a file: one a line (ends of lines of any system, a byte order mark, and
 * empty lines at the end do no harm; where every line is "n01440764 tench", the numbers are left
 * out), or JSON: a list, a map of indices and names either way round, {"0": ["n01440764",
 * "tench"]}, or the "id2label" of a config.json.
 *
 * Returns ZF_EINPUT for another number of labels than the net has classes, for what is none of
 * these, and for UTF-16; ZF_EIO, ZF_ENOMEM. The net is unchanged then.
 */
ZF_API enum zf_status zf_net_load_labels(struct zf_net *net, const char *path,
                                         struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
