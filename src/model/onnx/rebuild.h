/* SPDX-License-Identifier: MIT */
/* Reading back what zf_onnx_save() has written, bit for bit. */
#ifndef ZF_MODEL_ONNX_REBUILD_H
#define ZF_MODEL_ONNX_REBUILD_H

#include "net/net.h"
#include "onnx.pb-c.h"

/**
 * Build the net of the file's own spec, if it carries one and its graph is still that net's.
 *
 * out  set to NULL, with ZF_OK, where the file has no spec, or its graph is another than the one
 *      that this version writes for the spec: somebody has worked on it, and the graph counts.
 *      Otherwise handed over; free with zf_net_free().
 *
 * Returns ZF_EINPUT for labels or a preparation that do not fit; ZF_ENOMEM. `path` is for errors.
 */
enum zf_status zf_onnx_rebuild(const Onnx__ModelProto *model, const char *path, struct zf_net **out,
                               struct zf_error *err);

/** The value under `key` in the file's metadata_props, or NULL. Lent. */
const char *zf_onnx_find_note(const Onnx__ModelProto *model, const char *key);

#endif
