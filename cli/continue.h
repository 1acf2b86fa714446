/* SPDX-License-Identifier: MIT */
/* What `train` begins with: a net to be drawn at random, or a trained model to go on from. */
#ifndef CLI_CONTINUE_H
#define CLI_CONTINUE_H

#include "command.h"
#include "zf/data.h"
#include "zf/net.h"

struct beginning {
    struct zf_net *net; /* free with zf_net_free() */
    bool continues;     /* its parameters are where training begins */
    int fresh;          /* of a model: its new last layer, -1 = none */
    struct zf_recipe recipe;
};

/**
 * Open what the command line names as the net to train: a NET gets as many classes as the data; a
 * MODEL keeps its last layer where its classes are the data's (by name, or by their number where it
 * names none), else gets a new one. Says on stderr what goes on from what. The recipe is the net's
 * own, of a MODEL with a tenth of its rate and without a limit on filters, under what the command
 * line says of it.
 *
 * data    what to train on; its labels are renumbered to a MODEL's
 * freeze  NULL, or a comma list of layers that keep their parameters; "..NAME" is all up to NAME
 *
 * Returns ZF_EINVAL for --freeze and options of models that do not fit, ZF_EINPUT for what cannot
 * be read, ZF_EUNSUPPORTED for a model whose last layer cannot be replaced, ZF_ENOMEM.
 */
enum zf_status begin_training(const struct call *call, struct zf_data *data, const char *freeze,
                              struct beginning *out, struct zf_error *err);

#endif
