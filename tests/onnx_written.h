/* SPDX-License-Identifier: MIT */
/* A small net of most layer types, written as ONNX to a directory of its own, for the tests of that
   file and of its way back. */
#ifndef ZF_TESTS_ONNX_WRITTEN_H
#define ZF_TESTS_ONNX_WRITTEN_H

#include "base/file.h"
#include "model/onnx/rebuild.h"
#include "zf/net.h"

struct written {
    char directory[64], onnx[128], other[128], native[128];
    struct zf_net *net;
    Onnx__ModelProto *model; /* the written file, unpacked */
};

/* cmocka set-up and tear-down: *state is a struct written; nothing may be left in the directory
   beside its three files. */
int written_setup(void **state);
int written_teardown(void **state);

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, written_setup, written_teardown)

/* All of these fail the test where they cannot. */

void written_read(const char *path, struct zf_bytes *bytes);
Onnx__ModelProto *written_unpack(const char *path); /* free with onnx__model_proto__free_unpacked */
void written_pack(const Onnx__ModelProto *model, const char *path);
Onnx__TensorProto *written_initialiser(const Onnx__ModelProto *model, const char *name);

/* The model becomes what is written for another spec. */
void written_spec(struct written *f, const char *spec);

#endif
