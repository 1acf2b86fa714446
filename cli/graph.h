/* SPDX-License-Identifier: MIT */
/* Which layer feeds which, as text, JSON and Graphviz. */
#ifndef CLI_GRAPH_H
#define CLI_GRAPH_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "zf/net.h"

/** Whether every layer follows the one before it. */
bool graph_is_chain(const struct zf_net *net);

/** "conv3, pool2" for layer i; "" where it follows the layer before it. Ends in "..." where that is
 *  longer than `size`. */
void graph_format_inputs(const struct zf_net *net, int i, char *text, size_t size);

/** "inputs": the names of what feeds layer i, "input" for the net's own. */
void graph_add_inputs(cJSON *layer, const struct zf_net *net, int i);

/** The graph in Graphviz's language, from the input down. */
void graph_print_dot(FILE *out, const struct zf_net *net);

#endif
