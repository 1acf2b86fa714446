/* SPDX-License-Identifier: MIT */
/* Operators of windows: convolution, forward and transposed, pooling, response normalisation. Those
   over a line, [1, maps, length], are read as over maps of one row. */
#include <inttypes.h>
#include <string.h>

#include "base/status.h"
#include "bring.h"
#include "emit.h"
#include "operators.h"

#define WINDOW_KEYS 4

#define LONGEST_SIDE 65535 /* so that no sum of these overflows */

struct window {
    bool line; /* the node is told of columns alone */
    int64_t kernel[2], stride[2], dilation[2];
    int64_t pad[4]; /* top, left, bottom, right */
};

/* ---- Attributes of windows ---- */

/* The input as maps; a line gets its one row. */
static enum zf_status read_input(struct zf_import_node *node, struct zf_operand *src, bool *line)
{
    struct zf_operand *given = NULL;

    ZF_CHECK(zf_node_maps(node, 0, &given));
    *line = given->rank == 3 && given->dims[0] == 1;
    if (*line) {
        *src = *given;
        zf_operand_reshape(src, 4, (const int64_t[]){1, src->dims[1], 1, src->dims[2]});
        return zf_import_settle_plain(node, src);
    }
    ZF_CHECK(zf_import_settle_plain(node, given));
    *src = *given;
    return ZF_OK;
}

/* The layer's output, without that row. */
static void made_of(const struct zf_import_node *node, int layer, bool line,
                    struct zf_operand *made)
{
    const struct zf_shape shape = zf_import_shape(node->import, layer);

    zf_operand_plain(made, layer, shape);
    if (line)
        zf_operand_reshape(made, 3, (const int64_t[]){1, shape.c, shape.w});
}

/* `sides` (1 or 2) numbers for rows and as many for columns, or for columns alone; as they are
   where the node has none. */
static enum zf_status read_sides(const struct zf_import_node *node, const char *name, bool line,
                                 int sides, int64_t *numbers, int *count)
{
    int64_t given[4];

    ZF_CHECK(zf_node_integers(node, name, given, line ? sides : 2 * sides, count));
    if (*count != 0 && *count != (line ? sides : 2 * sides))
        return zf_node_fail(node, ZF_EUNSUPPORTED, "%s has %d numbers, not %d", name, *count,
                            line ? sides : 2 * sides);
    for (int i = 0; i < *count; i++)
        numbers[line ? 2 * i + 1 : i] = given[i];
    return ZF_OK;
}

/* Two numbers; 1 1 where the node has none. A window of a volume has another count. */
static enum zf_status read_pair(const struct zf_import_node *node, const char *name, bool line,
                                int64_t pair[2])
{
    int count;

    pair[0] = pair[1] = 1;
    ZF_CHECK(read_sides(node, name, line, 1, pair, &count));
    if (pair[0] < 1 || pair[1] < 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "%s should be numbers of at least 1", name);
    return ZF_OK;
}

/* auto_pad: SAME makes ceil(in / stride) windows and puts the odd cell last (UPPER) or first. */
static enum zf_status pad_automatically(const struct zf_import_node *node, struct zf_shape in,
                                        struct window *window, bool *done)
{
    static const char *const words[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", NULL};
    const int how = zf_node_choice(node, "auto_pad", words, 0);
    const bool upper = how == 1, lower = how == 2;
    const int64_t size[2] = {in.h, in.w};

    *done = how != 0;
    if (how < 0)
        return node->import->err->status;
    for (int i = 0; i < 2 && (upper || lower); i++) {
        const int64_t windows = (size[i] + window->stride[i] - 1) / window->stride[i];
        int64_t total = (windows - 1) * window->stride[i] +
                        (window->kernel[i] - 1) * window->dilation[i] + 1 - size[i];

        total = total > 0 ? total : 0;
        window->pad[i] = upper ? total / 2 : total - total / 2;
        window->pad[i + 2] = total - window->pad[i];
    }
    return ZF_OK;
}

static enum zf_status check_window(const struct zf_import_node *node, const struct window *window)
{
    for (int i = 0; i < 4; i++) {
        if (window->pad[i] < 0 || window->pad[i] > LONGEST_SIDE)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "a pad of %" PRId64 " cells",
                                window->pad[i]);
    }
    for (int i = 0; i < 2; i++) {
        if (window->kernel[i] > LONGEST_SIDE || window->stride[i] > LONGEST_SIDE ||
            window->dilation[i] > LONGEST_SIDE)
            return zf_node_fail(node, ZF_EINPUT,
                                "a window of %" PRId64 " cells, stride %" PRId64
                                ", dilation %" PRId64,
                                window->kernel[i], window->stride[i], window->dilation[i]);
    }
    return ZF_OK;
}

/* All but the kernel, which is there already. */
static enum zf_status read_window(const struct zf_import_node *node, struct zf_shape in,
                                  struct window *window)
{
    bool done = false;
    int count;

    ZF_CHECK(read_pair(node, "strides", window->line, window->stride));
    ZF_CHECK(read_pair(node, "dilations", window->line, window->dilation));
    memset(window->pad, 0, sizeof window->pad);
    ZF_CHECK(check_window(node, window));
    ZF_CHECK(pad_automatically(node, in, window, &done));
    if (!done)
        ZF_CHECK(read_sides(node, "pads", window->line, 2, window->pad, &count));
    return check_window(node, window);
}

/* keys [WINDOW_KEYS] */
static void window_keys(const struct window *w, struct zf_key *keys)
{
    struct zf_key *key = keys;

    *key++ = (struct zf_key)ZF_KEY_PAIR("kernel", w->kernel[0], w->kernel[1]);
    *key++ = (struct zf_key)ZF_KEY_PAIR("stride", w->stride[0], w->stride[1]);
    *key++ = (struct zf_key)ZF_KEY_PAIR("dilation", w->dilation[0], w->dilation[1]);
    *key = (struct zf_key)ZF_KEY_PADS("pad", w->pad);
}

static bool is_padded(const struct window *w)
{
    return w->pad[0] || w->pad[1] || w->pad[2] || w->pad[3];
}

/* ---- Conv ---- */

/* A Pad with zeros below that nobody else reads becomes this window's own. */
static bool absorbs_pad(const struct zf_import_layer *below)
{
    return below && zf_import_is(below, "pad") &&
           zf_import_number(below, "mode") == zf_import_choice("pad", "mode", "number") &&
           zf_import_number(below, "value") == 0;
}

static void absorb_pad(const struct zf_import_layer *below, struct window *window)
{
    const struct zf_extents pad = zf_import_extents(below, "pad");

    for (int i = 0; i < 4; i++)
        window->pad[i] += pad.value[i];
}

/* Filters of a line get a row as well. */
static struct zf_operand filters_of(const struct zf_operand *weight, bool line)
{
    struct zf_operand filters = *weight;

    if (line && weight->rank == 3) {
        filters.rank = 4;
        filters.dims[3] = weight->dims[2];
        filters.dims[2] = 1;
    }
    return filters;
}

static enum zf_status check_filters(const struct zf_import_node *node,
                                    const struct zf_operand *weight, int64_t channels,
                                    int64_t groups)
{
    if (weight->kind != ZF_OPERAND_FLOATS || weight->rank != 4)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "filters of %d dimensions; those of pictures have 4", weight->rank);
    if (groups < 1 || groups > channels || weight->dims[1] != channels / groups ||
        channels % groups != 0 || weight->dims[0] < 1 || weight->dims[0] % groups != 0 ||
        weight->dims[2] < 1 || weight->dims[3] < 1)
        return zf_node_fail(node, ZF_EINPUT,
                            "filters [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
                            "] in %" PRId64 " groups do not fit %" PRId64 " maps",
                            weight->dims[0], weight->dims[1], weight->dims[2], weight->dims[3],
                            groups, channels);
    return ZF_OK;
}

/* The bias, if there is one: a number for each map. */
static enum zf_status read_bias(const struct zf_import_node *node, int i, int64_t maps,
                                const void **out)
{
    struct zf_operand *bias = NULL;

    *out = NULL;
    if (i >= node->in_count || !node->in[i])
        return ZF_OK;
    ZF_CHECK(zf_node_constant(node, i, &bias));
    if (bias->kind != ZF_OPERAND_FLOATS || zf_operand_count(bias) != maps)
        return zf_node_fail(node, ZF_EINPUT, "a bias of %" PRId64 " values for %" PRId64 " maps",
                            zf_operand_count(bias), maps);
    *out = bias->floats;
    return ZF_OK;
}

static enum zf_status translate_conv(struct zf_import_node *node)
{
    const int64_t groups = zf_node_integer(node, "group", 1);
    struct zf_operand src, *given = NULL, weight, made;
    struct zf_import_layer *below, *layer;
    struct zf_key keys[WINDOW_KEYS + 3] = {{0}};
    struct window window;
    const void *bias;
    int input, made_layer, dropped = ZF_NET_INPUT;

    ZF_CHECK(zf_node_maps(node, 0, &given));
    ZF_CHECK(zf_node_constant(node, 1, &given));
    ZF_CHECK(read_input(node, &src, &window.line));
    weight = filters_of(given, window.line);
    ZF_CHECK(check_filters(node, &weight, src.dims[1], groups));
    ZF_CHECK(read_bias(node, 2, weight.dims[0], &bias));
    window.kernel[0] = weight.dims[2];
    window.kernel[1] = weight.dims[3];
    ZF_CHECK(read_window(node, zf_import_shape(node->import, src.layer), &window));
    input = src.layer;
    below = window.line ? NULL : zf_import_sole(node, node->in[0]);
    if (absorbs_pad(below)) {
        absorb_pad(below, &window);
        dropped = input;
        input = below->inputs[0];
    }
    window_keys(&window, keys);
    keys[WINDOW_KEYS] = (struct zf_key)ZF_KEY("maps", weight.dims[0]);
    keys[WINDOW_KEYS + 1] = (struct zf_key)ZF_KEY("groups", groups);
    ZF_CHECK(zf_import_add(node, NULL, "conv", &input, 1, keys, &made_layer));
    layer = &node->import->layers[made_layer];
    layer->weight = weight.floats;
    layer->weight_count = zf_operand_count(&weight);
    layer->bias = bias;
    layer->bias_count = bias ? weight.dims[0] : 0;
    made_of(node, made_layer, window.line, &made);
    if (dropped != ZF_NET_INPUT)
        ZF_CHECK(zf_import_absorb(node->import, made_layer, dropped));
    return zf_import_output(node, &made);
}

/* ---- ConvTranspose ---- */

/* Pads from the extents of the output: half of what is too much on either side. */
static enum zf_status pads_for_output(const struct zf_import_node *node, const int64_t *wanted,
                                      const int64_t *whole, bool upper, int64_t *pad)
{
    for (int i = 0; i < 2; i++) {
        const int64_t total = whole[i] - wanted[i];

        if (wanted[i] < 1 || total < 0)
            return zf_node_fail(node, ZF_EUNSUPPORTED,
                                "an output of %" PRId64 " cells; it makes %" PRId64, wanted[i],
                                whole[i]);
        pad[i] = upper ? total / 2 : total - total / 2;
        pad[i + 2] = total - pad[i];
    }
    return ZF_OK;
}

/* output_shape and auto_pad say the extents, and these the pads. */
static enum zf_status read_transposed(const struct zf_import_node *node, struct zf_shape in,
                                      struct window *w, int64_t more[2])
{
    const bool lower = zf_node_says(node, "auto_pad", "SAME_LOWER", "NOTSET");
    const bool upper = zf_node_says(node, "auto_pad", "SAME_UPPER", "NOTSET");
    const int64_t size[2] = {in.h, in.w};
    int64_t wanted[2], whole[2];
    int count;

    ZF_CHECK(read_pair(node, "strides", w->line, w->stride));
    ZF_CHECK(read_pair(node, "dilations", w->line, w->dilation));
    memset(w->pad, 0, sizeof w->pad);
    more[0] = more[1] = 0;
    ZF_CHECK(read_sides(node, "output_padding", w->line, 1, more, &count));
    if (more[0] < 0 || more[1] < 0 || more[0] > LONGEST_SIDE || more[1] > LONGEST_SIDE)
        return zf_node_fail(node, ZF_EINPUT, "output_padding of %" PRId64 ", %" PRId64, more[0],
                            more[1]);
    ZF_CHECK(read_sides(node, "pads", w->line, 2, w->pad, &count));
    ZF_CHECK(check_window(node, w));
    for (int i = 0; i < 2; i++) {
        wanted[i] = size[i] * w->stride[i];
        whole[i] = (size[i] - 1) * w->stride[i] + more[i] + (w->kernel[i] - 1) * w->dilation[i] + 1;
    }
    ZF_CHECK(read_sides(node, "output_shape", w->line, 1, wanted, &count));
    if (count > 0 || upper || lower)
        ZF_CHECK(pads_for_output(node, wanted, whole, !lower, w->pad));
    return ZF_OK;
}

static enum zf_status check_transposed(const struct zf_import_node *node,
                                       const struct zf_operand *weight, int64_t channels,
                                       int64_t groups)
{
    if (weight->kind != ZF_OPERAND_FLOATS || weight->rank != 4)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "filters of %d dimensions; those of pictures have 4", weight->rank);
    if (groups < 1 || weight->dims[0] != channels || channels % groups != 0 ||
        weight->dims[1] < 1 || weight->dims[2] < 1 || weight->dims[3] < 1)
        return zf_node_fail(node, ZF_EINPUT,
                            "filters [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
                            "] in %" PRId64 " groups do not fit %" PRId64 " maps",
                            weight->dims[0], weight->dims[1], weight->dims[2], weight->dims[3],
                            groups, channels);
    return ZF_OK;
}

static enum zf_status translate_conv_transpose(struct zf_import_node *node)
{
    const int64_t groups = zf_node_integer(node, "group", 1);
    struct zf_operand src, *given = NULL, weight, made;
    struct zf_key keys[WINDOW_KEYS + 4] = {{0}};
    struct zf_import_layer *layer;
    struct window window;
    const void *bias;
    int64_t more[2], maps;
    int made_layer, input;

    ZF_CHECK(zf_node_maps(node, 0, &given));
    ZF_CHECK(zf_node_constant(node, 1, &given));
    ZF_CHECK(read_input(node, &src, &window.line));
    weight = filters_of(given, window.line);
    ZF_CHECK(check_transposed(node, &weight, src.dims[1], groups));
    maps = weight.dims[1] * groups;
    ZF_CHECK(read_bias(node, 2, maps, &bias));
    window.kernel[0] = weight.dims[2];
    window.kernel[1] = weight.dims[3];
    ZF_CHECK(read_transposed(node, zf_import_shape(node->import, src.layer), &window, more));
    input = src.layer;
    if (more[0] >= window.stride[0] || more[1] >= window.stride[1]) { /* as of zeros behind it */
        const int64_t zeros[4] = {0, 0, more[0] / window.stride[0], more[1] / window.stride[1]};

        ZF_CHECK(zf_import_add(node, "more", "pad", &input, 1, ZF_KEYS(ZF_KEY_PADS("pad", zeros)),
                               &input));
        for (int i = 0; i < 2; i++)
            more[i] %= window.stride[i];
    }
    window_keys(&window, keys);
    keys[WINDOW_KEYS] = (struct zf_key)ZF_KEY("maps", maps);
    keys[WINDOW_KEYS + 1] = (struct zf_key)ZF_KEY("groups", groups);
    keys[WINDOW_KEYS + 2] = (struct zf_key)ZF_KEY_PAIR("more", more[0], more[1]);
    ZF_CHECK(zf_import_add(node, NULL, "convtranspose", &input, 1, keys, &made_layer));
    layer = &node->import->layers[made_layer];
    layer->weight = weight.floats;
    layer->weight_count = zf_operand_count(&weight);
    layer->bias = bias;
    layer->bias_count = bias ? maps : 0;
    made_of(node, made_layer, window.line, &made);
    return zf_import_output(node, &made);
}

/* ---- Pooling ---- */

static enum zf_status add_pool(struct zf_import_node *node, const char *type, int input, bool line,
                               const struct zf_key *keys)
{
    struct zf_operand made;
    int layer;

    ZF_CHECK(zf_import_add(node, NULL, type, &input, 1, keys, &layer));
    made_of(node, layer, line, &made);
    return zf_import_output(node, &made);
}

static enum zf_status read_pool(struct zf_import_node *node, struct zf_operand *src,
                                struct window *window)
{
    int count;

    ZF_CHECK(read_input(node, src, &window->line));
    window->kernel[0] = 1;
    ZF_CHECK(read_sides(node, "kernel_shape", window->line, 1, window->kernel, &count));
    if (count == 0 || window->kernel[0] < 1 || window->kernel[1] < 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "kernel_shape should be numbers of at least 1");
    return read_window(node, zf_import_shape(node->import, src->layer), window);
}

static enum zf_status translate_maxpool(struct zf_import_node *node)
{
    struct zf_key keys[WINDOW_KEYS + 2] = {{0}};
    struct zf_operand src;
    struct window window;

    if (node->out_count > 1 && node->out[1])
        return zf_node_fail(node, ZF_EUNSUPPORTED, "the places of its maxima are used");
    ZF_CHECK(read_pool(node, &src, &window));
    window_keys(&window, keys);
    keys[WINDOW_KEYS] = (struct zf_key)ZF_KEY("round", zf_node_integer(node, "ceil_mode", 0) != 0);
    return add_pool(node, "maxpool", src.layer, window.line, keys);
}

static enum zf_status translate_averagepool(struct zf_import_node *node)
{
    const bool up = zf_node_integer(node, "ceil_mode", 0) != 0;
    const bool whole = zf_node_integer(node, "count_include_pad", 0) != 0;
    struct zf_key keys[WINDOW_KEYS + 3] = {{0}};
    struct zf_operand src;
    struct window window;
    int input;

    ZF_CHECK(read_pool(node, &src, &window));
    if (window.dilation[0] != 1 || window.dilation[1] != 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "dilated average pooling");
    input = src.layer;
    if (is_padded(&window) && whole && up) { /* the divisor counts the padding, but not what
                                                overhangs it */
        ZF_CHECK(zf_import_add(node, "pad", "pad", &input, 1,
                               ZF_KEYS(ZF_KEY_PADS("pad", window.pad)), &input));
        memset(window.pad, 0, sizeof window.pad);
    }
    window_keys(&window, keys);
    keys[WINDOW_KEYS] = (struct zf_key)ZF_KEY("round", up);
    keys[WINDOW_KEYS + 1] = (struct zf_key)ZF_KEY("count", is_padded(&window) && whole);
    return add_pool(node, "avgpool", input, window.line, keys);
}

/* ---- LRN ---- */

static enum zf_status translate_lrn(struct zf_import_node *node)
{
    struct zf_operand *src = NULL;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(zf_import_settle_plain(node, src));
    return zf_import_unary(node, "lrn",
                           ZF_KEYS(ZF_KEY("size", zf_node_integer(node, "size", 0)),
                                   ZF_KEY("alpha", zf_node_real(node, "alpha", 1e-4)),
                                   ZF_KEY("beta", zf_node_real(node, "beta", 0.75)),
                                   ZF_KEY("k", zf_node_real(node, "bias", 1))));
}

const struct zf_operator zf_operators_window[] = {
    {"Conv", NULL, translate_conv},       {"ConvTranspose", NULL, translate_conv_transpose},
    {"MaxPool", NULL, translate_maxpool}, {"AveragePool", NULL, translate_averagepool},
    {"LRN", NULL, translate_lrn},         {NULL, NULL, NULL},
};
