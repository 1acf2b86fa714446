/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <inttypes.h>
#include <string.h>

static const char *input_name(const struct zf_net *net, int i, int k)
{
    const int input = zf_net_layer_input(net, i, k);

    return input < 0 ? "input" : zf_net_layer(net, input).name;
}

static bool follows(const struct zf_net *net, int i)
{
    return zf_net_layer_input_count(net, i) == 1 && zf_net_layer_input(net, i, 0) == i - 1;
}

bool graph_is_chain(const struct zf_net *net)
{
    bool chain = true;

    for (int i = 0; i < zf_net_layer_count(net); i++)
        chain = chain && follows(net, i);
    return chain;
}

void graph_format_inputs(const struct zf_net *net, int i, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    if (follows(net, i))
        return;
    for (int k = 0; k < zf_net_layer_input_count(net, i); k++) {
        const char *name = input_name(net, i, k);

        if (used + strlen(name) + 8 > size) { /* ", ..." still fits */
            snprintf(text + used, size - used, "%s...", k ? ", " : "");
            return;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", k ? ", " : "", name);
    }
}

void graph_add_inputs(cJSON *layer, const struct zf_net *net, int i)
{
    cJSON *list = cJSON_AddArrayToObject(layer, "inputs");

    for (int k = 0; k < zf_net_layer_input_count(net, i); k++)
        cJSON_AddItemToArray(list, cJSON_CreateString(input_name(net, i, k)));
}

/* A name within a quoted string. */
static void print_quoted(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void print_node(FILE *out, const struct zf_net *net, int i)
{
    const struct zf_layer_info info = zf_net_layer(net, i);

    fprintf(out, "  l%d [label=\"", i);
    print_quoted(out, info.name);
    if (strcmp(info.name, info.type) != 0)
        fprintf(out, "\\n%s", info.type);
    fprintf(out, "\\n%" PRId64, info.shape.c);
    if (info.shape.h != 1 || info.shape.w != 1)
        fprintf(out, " x %" PRId64 " x %" PRId64, info.shape.h, info.shape.w);
    fprintf(out, "\"%s];\n", info.parameters > 0 ? " style=filled fillcolor=\"#dde8f4\"" : "");
}

void graph_print_dot(FILE *out, const struct zf_net *net)
{
    const struct zf_shape in = zf_net_input(net);

    fputs("digraph \"", out);
    print_quoted(out, zf_net_name(net));
    fprintf(out,
            "\" {\n  node [shape=box fontname=\"sans-serif\" fontsize=11];\n"
            "  input [label=\"input\\n%" PRId64 " x %" PRId64 " x %" PRId64 "\" shape=ellipse];\n",
            in.c, in.h, in.w);
    for (int i = 0; i < zf_net_layer_count(net); i++)
        print_node(out, net, i);
    for (int i = 0; i < zf_net_layer_count(net); i++) {
        for (int k = 0; k < zf_net_layer_input_count(net, i); k++) {
            const int input = zf_net_layer_input(net, i, k);

            if (input < 0)
                fprintf(out, "  input -> l%d;\n", i);
            else
                fprintf(out, "  l%d -> l%d;\n", input, i);
        }
    }
    fputs("}\n", out);
}
