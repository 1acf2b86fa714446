/* SPDX-License-Identifier: MIT */
/**
 * An ONNX graph being put together: nodes, initialisers and tensors' shapes, as protobuf messages.
 *
 * Everything handed out belongs to the message and goes with zf_onnx_message_release(). When memory
 * is short `failed` is set and stays set; what is called afterwards does nothing, so that one look
 * at the end is enough.
 */
#ifndef ZF_MODEL_ONNX_MESSAGE_H
#define ZF_MODEL_ONNX_MESSAGE_H

#include "net/net.h"
#include "onnx.pb-c.h"

/* An array of pointers that grows; as protobuf-c wants it. */
struct zf_onnx_list {
    void *items;
    size_t count, capacity;
};

struct zf_onnx_message {
    struct zf_onnx_list blocks; /* void *: all memory below */
    struct zf_onnx_list nodes;  /* Onnx__NodeProto * */
    struct zf_onnx_list initialisers, values, notes;
    Onnx__NodeProto *node; /* the last one: attributes go to it */
    bool failed;
};

void zf_onnx_message_release(struct zf_onnx_message *m); /* accepts empty */

/** Zeroed memory, or NULL once anything has failed. */
void *zf_onnx_memory(struct zf_onnx_message *m, size_t count, size_t size);

/** A formatted string; "" when memory is short, so that it can be passed on. */
const char *zf_onnx_text(struct zf_onnx_message *m, const char *format, ...) ZF_PRINTF(2, 3);

/** Add a node of one output; names are lent and must outlive the message. */
void zf_onnx_node(struct zf_onnx_message *m, const char *op, const char *name,
                  const char *const *inputs, size_t input_count, const char *output);

/** Attributes of the last node; at most eight. */
void zf_onnx_set_int(struct zf_onnx_message *m, const char *name, int64_t value);
void zf_onnx_set_float(struct zf_onnx_message *m, const char *name, float value);
void zf_onnx_set_text(struct zf_onnx_message *m, const char *name, const char *text); /* lent */
void zf_onnx_set_ints(struct zf_onnx_message *m, const char *name, const int64_t *values,
                      size_t count);

/**
 * Initialisers; each returns `name`. Of the first, dims is copied and data lent: [dims] floats,
 * which become the file's bytes as they are. The others copy.
 */
const char *zf_onnx_floats(struct zf_onnx_message *m, const char *name, const int64_t *dims,
                           int rank, const float *data);
const char *zf_onnx_filled(struct zf_onnx_message *m, const char *name, int64_t count, float value);
const char *zf_onnx_scalar(struct zf_onnx_message *m, const char *name, float value);
const char *zf_onnx_ints(struct zf_onnx_message *m, const char *name, const int64_t *values,
                         size_t count);

/** The type of a float tensor: [N, c] where `vector`, else [N, c, h, w]; N is any number. */
Onnx__ValueInfoProto *zf_onnx_value(struct zf_onnx_message *m, const char *name,
                                    struct zf_shape shape, bool vector);

/** Say so in the graph's value_info: for tensors within it. */
void zf_onnx_say_shape(struct zf_onnx_message *m, const char *name, struct zf_shape shape,
                       bool vector);

/** A key and its value for metadata_props; both lent. */
void zf_onnx_note(struct zf_onnx_message *m, const char *key, const char *value);

#endif
