/* SPDX-License-Identifier: MIT */
/**
 * How pictures are prepared for a model, where the user knows better than the model's file: the
 * options of every command that takes a MODEL (struct command's `prepares`).
 */
#ifndef CLI_PREPARATION_H
#define CLI_PREPARATION_H

#include "command.h"
#include "zf/model.h"
#include "zf/net.h"

/** The table, for --help and for reading the command line. */
struct option_table preparation_table(void);

/**
 * What a model is told before it is opened: net_model_options(), and the crop, which is the input's
 * size where the model leaves it open. ZF_EINVAL for bad values, and for two sizes that differ.
 */
enum zf_status preparation_told(const struct call *call, struct zf_model_options *out,
                                struct zf_error *err);

/**
 * Give a net what the command line says about its preparation and labels; without any of the
 * options it stays as its file has it. Says on stderr what looks wrong about the outcome, and
 * changes nothing for it.
 *
 * Returns ZF_EINVAL for values that do not fit, ZF_EINPUT for a bad list of labels or a crop that
 * is not the net's input, ZF_ENOMEM.
 */
enum zf_status preparation_apply(const struct call *call, struct zf_net *net, struct zf_error *err);

/** Is it to be found out (--prepare auto)? Only `eval`, which knows what is right, can do that. */
bool preparation_is_auto(const struct call *call);

/** The name of kind k of values, 0 <= k < 7, which *preparation gets; the rest of it stays, and of
 * kind 0, "model", everything. */
const char *preparation_preset(int k, struct zf_preparation *preparation);

/** Load a model and do that; free with zf_net_free(). */
enum zf_status model_open(const struct call *call, const char *path, struct zf_net **out,
                          struct zf_error *err);

#endif
