/* SPDX-License-Identifier: MIT */
#include "nets.h"

#include <string.h>

#include "zf/model.h"

enum zf_status net_open(const char *name, struct zf_net **out, bool *is_model, struct zf_error *err)
{
    const bool model = zf_model_is_file(name);

    if (is_model)
        *is_model = model;
    return model ? zf_model_load(name, NULL, out, err) : zf_net_load_spec(name, 0, out, err);
}

/* ---- Models that are told something ---- */

struct model_words {
    struct zf_model_options options;
    const char *input_size;
    bool external_data;
};

static const struct zf_option model_table[] = {
    ZF_OPTION_ROW_AS("until", model_words, options.until, "NAME",
                     "this node or tensor ends the net", ZF_OPTION_TEXT, 0, 0, 0, NULL),
    ZF_OPTION_ROW_AS("output", model_words, options.output, "NAME",
                     "the output that the net ends in, where the model has several", ZF_OPTION_TEXT,
                     0, 0, 0, NULL),
    ZF_OPTION_ROW_TEXT(model_words, input_size, "HxW|PX", "of an input that the model leaves open"),
    ZF_OPTION_ROW_FLAG(model_words, external_data,
                       "nothing any more: weights beside the model are read anyway"),
};

struct option_table net_model_table(void)
{
    return (struct option_table){model_table, ZF_COUNT(model_table)};
}

enum zf_status net_model_options(const struct args *args, struct zf_model_options *out,
                                 struct zf_error *err)
{
    struct model_words words = {0};

    ZF_CHECK(args_read(args, net_model_table(), &words, err));
    if (words.input_size)
        ZF_CHECK(parse_sides(words.input_size, "input-size", &words.options.height,
                             &words.options.width, err));
    *out = words.options;
    return ZF_OK;
}

enum zf_status net_open_told(const struct zf_model_options *told, const char *name,
                             struct zf_net **out, bool *is_model, struct zf_error *err)
{
    if (!zf_model_is_file(name))
        return net_open(name, out, is_model, err);
    *is_model = true;
    return zf_model_open(name, told, out, err);
}

enum zf_status net_layer(const struct zf_net *net, const char *name, int *out, struct zf_error *err)
{
    if (name)
        return zf_net_find_layer(net, name, out, err);
    for (int i = zf_net_layer_count(net); i-- > 0;) {
        if (strcmp(zf_net_layer(net, i).type, "conv") == 0) {
            *out = i;
            return ZF_OK;
        }
    }
    return zf_fail(err, ZF_EINPUT, "%s has no convolution; name a layer with --layer",
                   zf_net_name(net));
}
