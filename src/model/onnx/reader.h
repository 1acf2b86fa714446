/* SPDX-License-Identifier: MIT */
#ifndef ZF_MODEL_ONNX_READER_H
#define ZF_MODEL_ONNX_READER_H

#include "base/file.h"
#include "onnx.pb-c.h"
#include "zf/model.h"

/**
 * Translate a model into a net.
 *
 * model    lent
 * bytes    of the file: what the numbers computed from it may cost goes by that
 * options  with no limit left at 0
 *
 * Errors are those of zf_model_open().
 */
enum zf_status zf_onnx_read(Onnx__ModelProto *model, size_t bytes, const char *path,
                            const struct zf_model_options *options, struct zf_net **out,
                            struct zf_error *err);

/* ---- unpack.c ---- */

/**
 * Bytes to messages. The raw_data of initialisers is lent by `bytes`, at any alignment, and they
 * must outlive the model. ZF_EINPUT for what is no protobuf, too deep, or takes too much;
 * ZF_ENOMEM.
 */
enum zf_status zf_onnx_unpack(const struct zf_bytes *bytes, const char *path,
                              Onnx__ModelProto **out, struct zf_error *err);
void zf_onnx_unpacked_free(Onnx__ModelProto **model); /* accepts empty, leaves NULL */

#endif
