/* SPDX-License-Identifier: MIT */
/*
 * Quantised graphs whose arithmetic is float32 between QuantizeLinear and DequantizeLinear: the
 * levels are simulated, and exact. Those whose products are of whole numbers (QLinearConv,
 * ConvInteger) are not read.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "emit.h"
#include "operators.h"

/* Of TensorProto.DataType. */
enum { UINT8 = 2, INT8 = 3, UINT16 = 4, INT16 = 5, UINT4 = 21, INT4 = 22 };

static const struct {
    int type;
    int64_t low, high;
} levels[] = {
    {UINT8, 0, 255},        {INT8, -128, 127}, {UINT16, 0, 65535},
    {INT16, -32768, 32767}, {UINT4, 0, 15},    {INT4, -8, 7},
};

/* The tensor that a name is: of the file, or of a Constant; NULL for others. */
static const Onnx__TensorProto *tensor_of(const struct zf_import_node *node, int i)
{
    const struct zf_definition *from = i < node->in_count ? node->from[i] : NULL;
    const Onnx__NodeProto *maker =
        from && from->node >= 0 ? node->import->steps[from->node].proto : NULL;

    if (from && from->tensor)
        return from->tensor;
    for (size_t k = 0; maker && k < maker->n_attribute; k++) {
        if (strcmp(maker->op_type, "Constant") == 0 && maker->attribute[k]->t)
            return maker->attribute[k]->t;
    }
    return NULL;
}

/* The type of the levels is that of the zero point, or is said; uint8 where nothing says it. */
enum zf_status zf_node_levels(const struct zf_import_node *node, int64_t *low, int64_t *high)
{
    const bool has_zero = zf_node_has(node, 2);
    const Onnx__TensorProto *zero = has_zero ? tensor_of(node, 2) : NULL;
    int64_t type = zf_node_integer(node, "output_dtype", 0);

    if (has_zero && !zero)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a zero point that is computed: of which type?");
    if (zero)
        type = zero->data_type;
    else if (type == 0)
        type = UINT8;
    for (size_t i = 0; i < ZF_COUNT(levels); i++) {
        if (levels[i].type != type)
            continue;
        *low = levels[i].low;
        *high = levels[i].high;
        return ZF_OK;
    }
    return zf_node_fail(node, ZF_EUNSUPPORTED,
                        "levels of type %" PRId64 "; whole numbers of 4, 8 "
                        "or 16 bits are read",
                        type);
}

/* One step and one zero point for all of a tensor. */
static enum zf_status read_scale(const struct zf_import_node *node, double *step, double *zero)
{
    struct zf_operand *scale = NULL, *offset = NULL;

    *zero = 0;
    ZF_CHECK(zf_node_constant(node, 1, &scale));
    if (zf_node_has(node, 2))
        ZF_CHECK(zf_node_constant(node, 2, &offset));
    if (zf_node_integer(node, "block_size", 0) != 0 || zf_operand_count(scale) != 1 ||
        (offset && zf_operand_count(offset) != 1))
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "several scales for what is computed from the picture; one is read");
    *step = zf_operand_at(scale, 0);
    if (offset)
        *zero = zf_operand_at(offset, 0);
    if (!(*step > 0) || !isfinite(*step))
        return zf_node_fail(node, ZF_EINPUT, "a scale of %g", *step);
    return ZF_OK;
}

static enum zf_status translate_quantize(struct zf_import_node *node)
{
    int64_t low, high;
    double step, zero;

    ZF_CHECK(zf_node_levels(node, &low, &high));
    ZF_CHECK(read_scale(node, &step, &zero));
    return zf_import_unary(node, "quantise",
                           ZF_KEYS(ZF_KEY("step", step), ZF_KEY("zero", zero), ZF_KEY("low", low),
                                   ZF_KEY("high", high)));
}

/* (level - zero) * step */
static enum zf_status translate_dequantize(struct zf_import_node *node)
{
    struct zf_operand *src = NULL;
    double step, zero;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(read_scale(node, &step, &zero));
    return zf_import_linear(node, src, step, -zero * step);
}

const struct zf_operator zf_operators_quantise[] = {
    {"QuantizeLinear", zf_fold_quantize, translate_quantize},
    {"DequantizeLinear", zf_fold_dequantize, translate_dequantize},
    {NULL, NULL, NULL},
};
