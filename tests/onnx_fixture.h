/* SPDX-License-Identifier: MIT */
/* The small models of tests/onnx: read, bent, and written elsewhere. */
#ifndef ZF_TESTS_ONNX_FIXTURE_H
#define ZF_TESTS_ONNX_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "onnx.pb-c.h"
#include "zf/model.h"

/* Paths of the models, sorted, NULL at the end; free with onnx_paths_free(). */
char **onnx_paths(void);
void onnx_paths_free(char **paths);

/** The model tests/onnx/NAME.onnx, taken apart; free with onnx__model_proto__free_unpacked(). */
Onnx__ModelProto *onnx_model(const char *name);

/* A directory of its own with one file. */
struct onnx_place {
    char directory[64], path[128];
};
void onnx_place_init(struct onnx_place *place);
void onnx_place_release(struct onnx_place *place); /* fails if anything else is left there */

/** Write the model, or bytes, as place->path. */
void onnx_write(const struct onnx_place *place, const Onnx__ModelProto *model);
void onnx_write_bytes(const struct onnx_place *place, const void *bytes, size_t size);

/** Loading place->path fails with `status` and a sentence that has `path` and `expected` in it. */
void onnx_assert_refused(const struct onnx_place *place, const struct zf_model_options *options,
                         enum zf_status status, const char *expected);

#endif
