/* SPDX-License-Identifier: MIT */
/* Nets and layers as they are named on the command line. */
#ifndef CLI_NETS_H
#define CLI_NETS_H

#include "command.h"
#include "zf/model.h"
#include "zf/net.h"

/**
 * A NET or a MODEL, told apart by its name and first bytes; free with zf_net_free().
 * is_model  NULL, or whether it has trained parameters
 */
enum zf_status net_open(const char *name, struct zf_net **out, bool *is_model,
                        struct zf_error *err);

/**
 * What an ONNX model of another program may need to be told: the options of every command that
 * takes a MODEL (struct command's `imports`), what was given of them (ZF_EINVAL for bad values),
 * and net_open() with it.
 */
struct option_table net_model_table(void);
enum zf_status net_model_options(const struct args *args, struct zf_model_options *out,
                                 struct zf_error *err);
enum zf_status net_open_told(const struct zf_model_options *told, const char *name,
                             struct zf_net **out, bool *is_model, struct zf_error *err);

/** The layer called `name`; the last convolution when NULL. */
enum zf_status net_layer(const struct zf_net *net, const char *name, int *out,
                         struct zf_error *err);

#endif
