/* SPDX-License-Identifier: MIT */
/* A format of model files: one file that defines one of these, and one line in model.c. */
#ifndef ZF_MODEL_FORMAT_H
#define ZF_MODEL_FORMAT_H

#include "base/file.h"
#include "zf/model.h"

struct zf_model_format {
    const char *name;   /* as a sentence has it: "safetensors" */
    const char *suffix; /* ".safetensors": decides how a model is saved; content, how it is read */

    /* Could this be it? A look at the first bytes. */
    bool (*probe)(const struct zf_bytes *bytes);

    /* As zf_model_open(), with complete options, and zf_model_save(). A net may keep the mapped
       bytes, which are empty then. */
    enum zf_status (*load)(struct zf_bytes *bytes, const char *path,
                           const struct zf_model_options *options, struct zf_net **out,
                           struct zf_error *err);
    enum zf_status (*save)(const struct zf_net *net, const char *path, struct zf_error *err);
};

extern const struct zf_model_format zf_model_native, zf_model_onnx;

/** The limits with defaults for what is 0, or for all of them. */
struct zf_model_limits zf_model_limits_full(const struct zf_model_limits *limits);

#endif
