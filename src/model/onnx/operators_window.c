/* SPDX-License-Identifier: MIT */
/* Operators of windows: convolution, pooling, padding, local response normalisation. */
#include "import.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"

struct window {
    int64_t kernel[2], stride[2], dilation[2];
    int64_t pad[4]; /* top, left, bottom, right */
};

/* ---- Attributes of windows ---- */

/* Two numbers; 1 1 where the node has none. A window of a line or a volume has another count. */
static enum zf_status read_pair(const struct zf_import_node *node, const char *name,
                                int64_t pair[2])
{
    int count;
    enum zf_status status;

    ZF_TRY(zf_node_integers(node, name, pair, 2, &count));
    if (count == 0)
        pair[0] = pair[1] = 1;
    else if (count != 2 || pair[0] < 1 || pair[1] < 1)
        status =
            zf_node_fail(node, ZF_EUNSUPPORTED, "%s should be two numbers of at least 1", name);
fail:
    return status;
}

/* auto_pad: SAME makes ceil(in / stride) windows and puts the odd cell last (UPPER) or first. */
static enum zf_status pad_automatically(const struct zf_import_node *node, struct zf_shape in,
                                        struct window *window, bool *done)
{
    const Onnx__AttributeProto *attribute = zf_node_attribute(node, "auto_pad");
    const char *text = attribute && attribute->has_s ? (const char *)attribute->s.data : "";
    const size_t length = attribute && attribute->has_s ? attribute->s.len : 0;
    const bool upper = length == 10 && memcmp(text, "SAME_UPPER", 10) == 0;
    const bool lower = length == 10 && memcmp(text, "SAME_LOWER", 10) == 0;
    const int64_t size[2] = {in.h, in.w};

    *done = upper || lower || (length == 5 && memcmp(text, "VALID", 5) == 0);
    if (!*done && length > 0 && !(length == 6 && memcmp(text, "NOTSET", 6) == 0))
        return zf_node_fail(node, ZF_EINPUT, "auto_pad is none of the known ones");
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

#define LONGEST_SIDE 65535 /* so that no sum of these overflows */

static enum zf_status check_window(const struct zf_import_node *node, const struct window *window)
{
    for (int i = 0; i < 4; i++) {
        if (window->pad[i] < 0 || window->pad[i] > LONGEST_SIDE)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "a pad of %lld cells",
                                (long long)window->pad[i]);
    }
    for (int i = 0; i < 2; i++) {
        if (window->kernel[i] > LONGEST_SIDE || window->stride[i] > LONGEST_SIDE ||
            window->dilation[i] > LONGEST_SIDE)
            return zf_node_fail(node, ZF_EINPUT,
                                "a window of %lld cells, stride %lld, dilation %lld",
                                (long long)window->kernel[i], (long long)window->stride[i],
                                (long long)window->dilation[i]);
    }
    return ZF_OK;
}

/* All but the kernel, which is there already. */
static enum zf_status read_window(const struct zf_import_node *node, struct zf_shape in,
                                  struct window *window)
{
    enum zf_status status;
    bool done = false;
    int count;

    ZF_TRY(read_pair(node, "strides", window->stride));
    ZF_TRY(read_pair(node, "dilations", window->dilation));
    memset(window->pad, 0, sizeof window->pad);
    ZF_TRY(check_window(node, window));
    ZF_TRY(pad_automatically(node, in, window, &done));
    if (!done) {
        ZF_TRY(zf_node_integers(node, "pads", window->pad, 4, &count));
        if (count != 0 && count != 4)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "pads has %d numbers, not 4", count);
    }
    ZF_TRY(check_window(node, window));
fail:
    return status;
}

static int pair_text(char *text, size_t size, const char *key, const int64_t pair[2])
{
    if (pair[0] == pair[1])
        return snprintf(text, size, "%s = %lld\n", key, (long long)pair[0]);
    return snprintf(text, size, "%s = %lldx%lld\n", key, (long long)pair[0], (long long)pair[1]);
}

static int pad_text(char *text, size_t size, const int64_t pad[4])
{
    if (pad[0] == pad[1] && pad[0] == pad[2] && pad[0] == pad[3])
        return snprintf(text, size, "pad = %lld\n", (long long)pad[0]);
    return snprintf(text, size, "pad = %lldx%lldx%lldx%lld\n", (long long)pad[0], (long long)pad[1],
                    (long long)pad[2], (long long)pad[3]);
}

/* As lines of a section; what is the default of every type is left out. */
static void window_text(const struct window *window, char *text, size_t size)
{
    size_t used = (size_t)pair_text(text, size, "kernel", window->kernel);

    if (window->stride[0] != 1 || window->stride[1] != 1)
        used += (size_t)pair_text(text + used, size - used, "stride", window->stride);
    if (window->dilation[0] != 1 || window->dilation[1] != 1)
        used += (size_t)pair_text(text + used, size - used, "dilation", window->dilation);
    if (window->pad[0] || window->pad[1] || window->pad[2] || window->pad[3])
        pad_text(text + used, size - used, window->pad);
}

/* ---- Conv ---- */

/* A Pad below that nobody else reads becomes this window's own; `pad` holds its four numbers. */
static enum zf_status absorb_pad(struct zf_import_node *node, struct zf_import_layer *below,
                                 struct window *window)
{
    long long pad[4];
    int found;

    found =
        sscanf(below->keys, "pad = %5lldx%5lldx%5lldx%5lld", &pad[0], &pad[1], &pad[2], &pad[3]);
    if (found == 1)
        pad[1] = pad[2] = pad[3] = pad[0];
    else if (found != 4)
        return zf_node_fail(node, ZF_EINPUT, "the pad below cannot be read");
    for (int i = 0; i < 4; i++)
        window->pad[i] += pad[i];
    return ZF_OK;
}

static enum zf_status check_filters(const struct zf_import_node *node,
                                    const struct zf_value *weight, int64_t channels, int64_t groups)
{
    if (weight->kind != ZF_VALUE_FLOATS || weight->rank != 4)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "filters of %d dimensions; those of pictures have 4", weight->rank);
    if (groups < 1 || groups > channels || weight->dims[1] != channels / groups ||
        channels % groups != 0 || weight->dims[0] < 1 || weight->dims[0] % groups != 0 ||
        weight->dims[2] < 1 || weight->dims[3] < 1)
        return zf_node_fail(
            node, ZF_EINPUT, "filters [%lld, %lld, %lld, %lld] in %lld groups do not fit %lld maps",
            (long long)weight->dims[0], (long long)weight->dims[1], (long long)weight->dims[2],
            (long long)weight->dims[3], (long long)groups, (long long)channels);
    return ZF_OK;
}

/* The bias, if there is one: a number for each map. */
static enum zf_status read_bias(const struct zf_import_node *node, int i, int64_t maps,
                                const void **out)
{
    struct zf_value *bias = NULL;
    enum zf_status status = ZF_OK;

    *out = NULL;
    if (i >= node->in_count || !node->in[i])
        return ZF_OK;
    ZF_TRY(zf_node_constant(node, i, &bias));
    if (bias->kind != ZF_VALUE_FLOATS || zf_value_count(bias) != maps)
        return zf_node_fail(node, ZF_EINPUT, "a bias of %lld values for %lld maps",
                            (long long)zf_value_count(bias), (long long)maps);
    *out = bias->floats;
fail:
    return status;
}

static enum zf_status translate_conv(struct zf_import_node *node)
{
    const int64_t groups = zf_node_integer(node, "group", 1);
    struct zf_value *src = NULL, *weight = NULL, made;
    struct zf_import_layer *below, *layer;
    struct window window;
    char keys[400], spatial[256];
    const void *bias;
    enum zf_status status;
    int input, made_layer, dropped = ZF_NET_INPUT;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_node_constant(node, 1, &weight));
    ZF_TRY(zf_import_settle_plain(node, src));
    ZF_TRY(check_filters(node, weight, src->dims[1], groups));
    ZF_TRY(read_bias(node, 2, weight->dims[0], &bias));
    window.kernel[0] = weight->dims[2];
    window.kernel[1] = weight->dims[3];
    ZF_TRY(read_window(node, zf_import_shape(node->import, src->layer), &window));
    input = src->layer;
    below = zf_import_sole(node, src);
    if (below && strcmp(below->type, "pad") == 0) {
        ZF_TRY(absorb_pad(node, below, &window));
        dropped = input;
        input = below->inputs[0];
    }
    window_text(&window, spatial, sizeof spatial);
    snprintf(keys, sizeof keys, "maps = %lld\n%s", (long long)weight->dims[0], spatial);
    if (groups != 1)
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "groups = %lld\n",
                 (long long)groups);
    ZF_TRY(zf_import_add(node, NULL, "conv", &input, 1, keys, &made_layer));
    layer = &node->import->layers[made_layer];
    layer->weight = weight->floats;
    layer->weight_count = zf_value_count(weight);
    layer->bias = bias;
    layer->bias_count = bias ? weight->dims[0] : 0;
    zf_value_plain(&made, made_layer, layer->shape);
    if (dropped != ZF_NET_INPUT)
        ZF_TRY(zf_import_absorb(node->import, made_layer, dropped));
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

/* ---- Pooling ---- */

static enum zf_status add_pool(struct zf_import_node *node, const char *type, int input,
                               const char *keys)
{
    struct zf_value made;
    enum zf_status status;
    int layer;

    ZF_TRY(zf_import_add(node, NULL, type, &input, 1, keys, &layer));
    zf_value_plain(&made, layer, node->import->layers[layer].shape);
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

static enum zf_status read_pool(struct zf_import_node *node, struct zf_value **src,
                                struct window *window)
{
    enum zf_status status;
    int count;

    ZF_TRY(zf_node_maps(node, 0, src));
    ZF_TRY(zf_import_settle_plain(node, *src));
    ZF_TRY(zf_node_integers(node, "kernel_shape", window->kernel, 2, &count));
    if (count != 2 || window->kernel[0] < 1 || window->kernel[1] < 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "kernel_shape should be two numbers");
    ZF_TRY(read_window(node, zf_import_shape(node->import, (*src)->layer), window));
fail:
    return status;
}

static enum zf_status translate_maxpool(struct zf_import_node *node)
{
    struct window window;
    struct zf_value *src = NULL;
    char keys[300];
    enum zf_status status;

    if (node->out_count > 1 && node->out[1])
        return zf_node_fail(node, ZF_EUNSUPPORTED, "the places of its maxima are used");
    ZF_TRY(read_pool(node, &src, &window));
    window_text(&window, keys, sizeof keys);
    if (zf_node_integer(node, "ceil_mode", 0))
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "round = up\n");
    ZF_TRY(add_pool(node, "maxpool", src->layer, keys));
fail:
    return status;
}

static enum zf_status translate_averagepool(struct zf_import_node *node)
{
    const bool up = zf_node_integer(node, "ceil_mode", 0) != 0;
    const bool whole = zf_node_integer(node, "count_include_pad", 0) != 0;
    struct window window;
    struct zf_value *src = NULL;
    char keys[300];
    enum zf_status status;
    bool padded;
    int input;

    ZF_TRY(read_pool(node, &src, &window));
    if (window.dilation[0] != 1 || window.dilation[1] != 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "dilated average pooling");
    input = src->layer;
    padded = window.pad[0] || window.pad[1] || window.pad[2] || window.pad[3];
    if (padded && whole && up) { /* the divisor counts the padding, but not what overhangs it */
        pad_text(keys, sizeof keys, window.pad);
        ZF_TRY(zf_import_add(node, "pad", "pad", &input, 1, keys, &input));
        memset(window.pad, 0, sizeof window.pad);
        padded = false;
    }
    window_text(&window, keys, sizeof keys);
    snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s%s", up ? "round = up\n" : "",
             padded && whole ? "count = window\n" : "");
    ZF_TRY(add_pool(node, "avgpool", input, keys));
fail:
    return status;
}

/* Over all rows and columns, whatever axes those are. */
static enum zf_status pool_all(struct zf_import_node *node, const char *type, bool keep)
{
    struct zf_value *src = NULL, made;
    struct zf_roles roles;
    enum zf_status status;
    int layer;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_import_settle(node, src, &roles));
    ZF_TRY(zf_import_add(node, NULL, type, &src->layer, 1, "kernel = all\n", &layer));
    zf_value_place(&made, layer, node->import->layers[layer].shape, src->rank, &roles);
    if (!keep)
        zf_value_reshape(&made, 2, (const int64_t[]){1, node->import->layers[layer].shape.c});
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

static enum zf_status translate_global_average(struct zf_import_node *node)
{
    return pool_all(node, "avgpool", true);
}

static enum zf_status translate_global_max(struct zf_import_node *node)
{
    return pool_all(node, "maxpool", true);
}

/* Do `axes` hold all cells of each map, and nothing of the maps' own axis? */
static bool axes_are_space(const struct zf_value *maps, struct zf_shape shape, const bool *reduced)
{
    for (int i = 0; i < maps->atom_count; i++) {
        if (reduced[maps->atoms[i].axis] != (maps->atoms[i].stride < shape.h * shape.w))
            return false;
    }
    return true;
}

/* ReduceMean and ReduceMax over space. Axes may be rows and columns joined into one. */
static enum zf_status reduce(struct zf_import_node *node, const char *type)
{
    const bool keep = zf_node_integer(node, "keepdims", 1) != 0;
    bool reduced[ZF_ONNX_RANK] = {false};
    int64_t axes[ZF_ONNX_RANK], dims[ZF_ONNX_RANK];
    struct zf_value *src = NULL, made;
    struct zf_shape shape;
    enum zf_status status;
    int count, axis, rank = 0, layer;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_node_list(node, "axes", 1, axes, ZF_ONNX_RANK, &count));
    for (int i = 0; i < count; i++) {
        ZF_TRY(zf_node_axis(node, axes[i], src->rank, &axis));
        reduced[axis] = true;
    }
    shape = zf_import_shape(node->import, src->layer);
    if (count == 0 || !axes_are_space(src, shape, reduced))
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "only a reduction over all rows and columns of each map is read");
    for (int i = 0; i < src->rank; i++) {
        if (!reduced[i] || keep)
            dims[rank++] = reduced[i] ? 1 : src->dims[i];
    }
    ZF_TRY(zf_import_add(node, NULL, type, &src->layer, 1, "kernel = all\n", &layer));
    made = *src;
    made.layer = layer;
    made.atom_count = 0;
    for (int i = 0; i < src->atom_count; i++) { /* of the maps, now that each is one cell */
        if (src->atoms[i].stride < shape.h * shape.w)
            continue;
        made.atoms[made.atom_count] = src->atoms[i];
        made.atoms[made.atom_count++].stride /= shape.h * shape.w;
    }
    zf_value_reshape(&made, rank, dims);
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

static enum zf_status translate_reduce_mean(struct zf_import_node *node)
{
    return reduce(node, "avgpool");
}

static enum zf_status translate_reduce_max(struct zf_import_node *node)
{
    return reduce(node, "maxpool");
}

/* ---- Pad and LRN ---- */

/* `pads` of any rank: all before, then all after, by axis. */
static enum zf_status translate_pad(struct zf_import_node *node)
{
    const Onnx__AttributeProto *mode = zf_node_attribute(node, "mode");
    int64_t pads[2 * ZF_ONNX_RANK], axes[ZF_ONNX_RANK], pad[4] = {0};
    struct zf_value *src = NULL, *number = NULL, made;
    struct zf_roles roles;
    double value = zf_node_real(node, "value", 0);
    enum zf_status status;
    int count, axis_count = 0, axis;
    char keys[128];

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_node_list(node, "pads", 1, pads, 2 * ZF_ONNX_RANK, &count));
    if (node->in_count > 2 && node->in[2]) {
        ZF_TRY(zf_node_constant(node, 2, &number));
        value = zf_value_count(number) == 1 ? zf_value_at(number, 0) : 1;
    }
    if (value != 0 ||
        (mode && mode->has_s && (mode->s.len != 8 || memcmp(mode->s.data, "constant", 8) != 0)))
        return zf_node_fail(node, ZF_EUNSUPPORTED, "only padding with zeros is read");
    if (node->in_count > 3)
        ZF_TRY(zf_node_list(node, "axes", 3, axes, ZF_ONNX_RANK, &axis_count));
    for (int i = 0; axis_count == 0 && i < src->rank && 2 * src->rank == count; i++)
        axes[i] = i;
    axis_count = axis_count ? axis_count : src->rank;
    if (count != 2 * axis_count)
        return zf_node_fail(node, ZF_EINPUT, "%d pads for %d dimensions", count, axis_count);
    ZF_TRY(zf_import_settle(node, src, &roles));
    for (int i = 0; i < axis_count; i++) {
        ZF_TRY(zf_node_axis(node, axes[i], src->rank, &axis));
        for (int end = 0; end < 2; end++) {
            const int64_t cells = pads[i + end * axis_count];

            if (cells < 0 || cells > LONGEST_SIDE ||
                (cells > 0 && axis != roles.axis[1] && axis != roles.axis[2]))
                return zf_node_fail(node, ZF_EUNSUPPORTED, "a pad of %lld on axis %d",
                                    (long long)cells, axis);
            if (cells > 0)
                pad[2 * end + (axis == roles.axis[2])] = cells;
        }
    }
    if (!pad[0] && !pad[1] && !pad[2] && !pad[3])
        return zf_import_alias(node, src);
    pad_text(keys, sizeof keys, pad);
    made = *src;
    ZF_TRY(zf_import_add(node, NULL, "pad", &src->layer, 1, keys, &made.layer));
    zf_value_place(&made, made.layer, node->import->layers[made.layer].shape, src->rank, &roles);
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

static enum zf_status translate_lrn(struct zf_import_node *node)
{
    struct zf_value *src = NULL;
    char keys[200];
    enum zf_status status;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_import_settle_plain(node, src));
    snprintf(keys, sizeof keys, "size = %lld\nalpha = %.9g\nbeta = %.9g\nk = %.9g\n",
             (long long)zf_node_integer(node, "size", 0), zf_node_real(node, "alpha", 1e-4),
             zf_node_real(node, "beta", 0.75), zf_node_real(node, "bias", 1));
    ZF_TRY(zf_import_unary(node, "lrn", keys));
fail:
    return status;
}

const struct zf_operator zf_operators_window[] = {
    {"Conv", NULL, translate_conv},
    {"MaxPool", NULL, translate_maxpool},
    {"AveragePool", NULL, translate_averagepool},
    {"GlobalAveragePool", NULL, translate_global_average},
    {"GlobalMaxPool", NULL, translate_global_max},
    {"ReduceMean", NULL, translate_reduce_mean},
    {"ReduceMax", NULL, translate_reduce_max},
    {"Pad", NULL, translate_pad},
    {"LRN", NULL, translate_lrn},
    {NULL, NULL, NULL},
};
