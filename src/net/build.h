/* SPDX-License-Identifier: MIT */
#ifndef ZF_NET_BUILD_H
#define ZF_NET_BUILD_H

#include "net/net.h"
#include "net/spec.h"

/** Build a net, without room for its parameters; entries of `spec` that name the number of classes
 * are brought up to date. */
enum zf_status zf_net_build(struct zf_spec *spec, int64_t classes, struct zf_net **out,
                            struct zf_error *err);

/** Give every layer its parameters' places in one array; `origin` is for errors. */
enum zf_status zf_net_lay_out(struct zf_net *net, const char *origin, struct zf_error *err);

/** The receptive field of a layer from those below it and what was inferred. */
struct zf_receptive_field zf_net_field(const struct zf_net *net, const struct zf_layer *layer);

#endif
