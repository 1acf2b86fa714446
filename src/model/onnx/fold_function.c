/* SPDX-License-Identifier: MIT */
/* Constants computed: a function of each number. */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "engine/curve.h"
#include "emit.h"
#include "operators.h"

/* a and b are the node's two parameters, if it has any. */
typedef double function_of(double x, double a, double b);

#define OF_ONE(name, expression)                                                                   \
    static double name(double x, double a, double b)                                               \
    {                                                                                              \
        (void)a;                                                                                   \
        (void)b;                                                                                   \
        return expression;                                                                         \
    }

OF_ONE(negate, -x)
OF_ONE(invert, 1 / x)
OF_ONE(root, sqrt(x))
OF_ONE(rectify, x < 0 ? 0 : x)
OF_ONE(leak, x < 0 ? a * x : x)
OF_ONE(elu, x < 0 ? a * expm1(x) : x)
OF_ONE(celu, fmax(0, x) + fmin(0, expm1(x / a) * a))
OF_ONE(squash, 1 / (1 + exp(-x)))
OF_ONE(tangent, tanh(x))
OF_ONE(hard_squash, fmin(fmax(b + a * x, 0), 1))
OF_ONE(hard_swish, fmin(fmax(x / 6 + 0.5, 0), 1) * x)
OF_ONE(gelu, 0.5 * x * (1 + erf(x * sqrt(0.5))))
OF_ONE(logical_not, x == 0)
OF_ONE(limit, fmin(fmax(x, a), b))

/* A function, or one of the engine's curves. */
static const struct {
    const char *name;
    function_of *compute;
    enum zf_function_kind curve;
    const char *a, *b; /* attributes */
    double initial_a, initial_b;
} functions[] = {
    {"Neg", negate, ZF_LINEAR, NULL, NULL, 0, 0},
    {"Reciprocal", invert, ZF_LINEAR, NULL, NULL, 0, 0},
    {"Sqrt", root, ZF_LINEAR, NULL, NULL, 0, 0},
    {"Relu", rectify, ZF_LINEAR, NULL, NULL, 0, 0},
    {"LeakyRelu", leak, ZF_LINEAR, "alpha", NULL, 0.01, 0},
    {"Elu", elu, ZF_LINEAR, "alpha", NULL, 1, 0},
    {"Celu", celu, ZF_LINEAR, "alpha", NULL, 1, 0},
    {"Sigmoid", squash, ZF_LINEAR, NULL, NULL, 0, 0},
    {"Tanh", tangent, ZF_LINEAR, NULL, NULL, 0, 0},
    {"HardSigmoid", hard_squash, ZF_LINEAR, "alpha", "beta", 0.2, 0.5},
    {"HardSwish", hard_swish, ZF_LINEAR, NULL, NULL, 0, 0},
    {"Gelu", gelu, ZF_LINEAR, NULL, NULL, 0, 0},
    {"Not", logical_not, ZF_LINEAR, NULL, NULL, 0, 0},
    {"Clip", limit, ZF_LINEAR, "min", "max", -INFINITY, INFINITY},
    {"Selu", NULL, ZF_SELU, "alpha", "gamma", 1.67326319217681884765625, 1.05070102214813232421875},
    {"ThresholdedRelu", NULL, ZF_THRESHOLD, "alpha", NULL, 1, 0},
    {"Softplus", NULL, ZF_SOFTPLUS, NULL, NULL, 0, 0},
    {"Softsign", NULL, ZF_SOFTSIGN, NULL, NULL, 0, 0},
    {"Mish", NULL, ZF_MISH, NULL, NULL, 0, 0},
    {"Abs", NULL, ZF_ABS, NULL, NULL, 0, 0},
    {"Exp", NULL, ZF_EXP, NULL, NULL, 0, 0},
    {"Log", NULL, ZF_LOG, NULL, NULL, 0, 0},
    {"Erf", NULL, ZF_ERF, NULL, NULL, 0, 0},
    {"Sin", NULL, ZF_SIN, NULL, NULL, 0, 0},
    {"Cos", NULL, ZF_COS, NULL, NULL, 0, 0},
    {"Atan", NULL, ZF_ATAN, NULL, NULL, 0, 0},
    {"Sign", NULL, ZF_SIGN, NULL, NULL, 0, 0},
    {"Floor", NULL, ZF_FLOOR, NULL, NULL, 0, 0},
    {"Ceil", NULL, ZF_CEIL, NULL, NULL, 0, 0},
    {"Round", NULL, ZF_ROUND, NULL, NULL, 0, 0},
};

/* Clip's bounds are inputs since opset 11. */
static enum zf_status read_bounds(struct zf_import_node *node, double *a, double *b)
{
    for (int i = 1; i < 3; i++) {
        if (!zf_node_has(node, i))
            continue;
        if (zf_operand_count(node->in[i]) != 1)
            return zf_node_fail(node, ZF_EINPUT, "a bound that is not one number");
        *(i == 1 ? a : b) = zf_operand_at(node->in[i], 0);
    }
    return ZF_OK;
}

enum zf_status zf_fold_function(struct zf_import_node *node)
{
    struct zf_operand *src = NULL, made = {0};
    enum zf_status status;
    double a, b;
    size_t f = 0;

    while (f + 1 < ZF_COUNT(functions) && strcmp(functions[f].name, node->proto->op_type) != 0)
        f++;
    a = functions[f].a ? zf_node_real(node, functions[f].a, functions[f].initial_a) : 0;
    b = functions[f].b ? zf_node_real(node, functions[f].b, functions[f].initial_b) : 0;
    ZF_TRY(zf_node_constant(node, 0, &src));
    if (functions[f].compute == limit)
        ZF_TRY(read_bounds(node, &a, &b));
    ZF_TRY(zf_fold_make(node, src->kind, src->rank, src->dims, &made));
    for (int64_t i = 0, count = zf_operand_count(src); i < count; i++) {
        const double x = zf_operand_at(src, i);
        const struct zf_function curve = {functions[f].curve, (float)a, (float)b};

        ZF_TRY(zf_fold_set(node, &made, i,
                           functions[f].compute ? functions[f].compute(x, a, b)
                                                : zf_curve_value(&curve, x)));
    }
    ZF_TRY(zf_import_output(node, &made));
    return ZF_OK;
fail:
    zf_operand_release(&made);
    return status;
}
