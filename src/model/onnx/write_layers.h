/* SPDX-License-Identifier: MIT */
/* A layer on its way into a graph, for the files that say how the types are written. */
#ifndef ZF_MODEL_ONNX_WRITE_LAYERS_H
#define ZF_MODEL_ONNX_WRITE_LAYERS_H

#include "message.h"
#include "net/net.h"

#define ZF_EMISSION_EXTRAS 4 /* inputs of a node that are initialisers */

struct zf_emission {
    struct zf_onnx_message *m;
    const struct zf_net *net;
    const struct zf_layer *layer;
    const char *op;                                       /* of the node of the layer's name */
    const char *in[ZF_LAYER_INPUTS + ZF_EMISSION_EXTRAS]; /* tensors; parameters come behind */
    size_t in_count;
    struct zf_shape shape; /* of in[0] */
    bool vector;           /* in[] are [N, c] */
    const char *out;
};

/* ---- write_layers.c ---- */

/** The layer's option of that name, and its number. */
const struct zf_option *zf_emission_option(const struct zf_emission *e, const char *name);
double zf_emission_number(const struct zf_emission *e, const char *name);
const char *zf_emission_choice(const struct zf_emission *e, const char *name);

/** The layer's own node. */
void zf_emission_node(struct zf_emission *e, const char *op);

/** A node on the way to it, of one or two tensors; returns its output. The second says that its
 * shape is the input's. */
const char *zf_emission_raw(struct zf_emission *e, const char *op, const char *suffix,
                            const char *a, const char *b);
const char *zf_emission_step(struct zf_emission *e, const char *op, const char *suffix,
                             const char *a, const char *b);

/** "layer.what", as parameters are called. */
const char *zf_emission_extra(const struct zf_emission *e, const char *what);
const char *zf_emission_scalar(struct zf_emission *e, const char *what, double number);
void zf_emission_input(struct zf_emission *e, const char *name);

/** The layer's k-th parameter as an input, with ones behind its dimensions up to `rank`. */
void zf_emission_parameter(struct zf_emission *e, int k, int rank);

/* ---- write_functions.c ---- */

void zf_write_silu(struct zf_emission *e);
void zf_write_hardswish(struct zf_emission *e);
void zf_write_gelu(struct zf_emission *e);
void zf_write_gelu_tanh(struct zf_emission *e);
void zf_write_mish(struct zf_emission *e);
void zf_write_function(struct zf_emission *e);
void zf_write_power(struct zf_emission *e);
void zf_write_quantise(struct zf_emission *e);
void zf_write_norm(struct zf_emission *e);

/* ---- write_moves.c ---- */

void zf_write_pad(struct zf_emission *e);
void zf_write_slice(struct zf_emission *e);
void zf_write_shuffle(struct zf_emission *e);
void zf_write_convtranspose(struct zf_emission *e);
void zf_write_resize(struct zf_emission *e);
void zf_write_arrange(struct zf_emission *e);
void zf_write_constant(struct zf_emission *e);

#endif
