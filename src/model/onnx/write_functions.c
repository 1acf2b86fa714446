/* SPDX-License-Identifier: MIT */
/* Functions and normalisations that opset 13 has no one node for. */
#include "write_layers.h"

#include <math.h>
#include <string.h>

void zf_write_silu(struct zf_emission *e)
{
    zf_emission_input(e, zf_emission_step(e, "Sigmoid", "gate", e->in[0], NULL));
    zf_emission_node(e, e->op);
}

void zf_write_hardswish(struct zf_emission *e)
{
    zf_emission_input(e, zf_emission_step(e, "HardSigmoid", "gate", e->in[0], NULL));
    zf_onnx_set_float(e->m, "alpha", 1.0f / 6);
    zf_onnx_set_float(e->m, "beta", 0.5f);
    zf_emission_node(e, e->op);
}

/* x * (1 + gate) / 2 */
static void half_gated(struct zf_emission *e, const char *gate, const char *one, const char *half)
{
    gate = zf_emission_step(e, "Add", "add", gate, one);
    e->in[0] = zf_emission_step(e, "Mul", "mul", e->in[0], gate);
    zf_emission_input(e, half);
    zf_emission_node(e, e->op);
}

/* x * (1 + erf(x / sqrt(2))) / 2 */
void zf_write_gelu(struct zf_emission *e)
{
    const char *root = zf_emission_scalar(e, "sqrt2", sqrt(2));
    const char *one = zf_emission_scalar(e, "one", 1);
    const char *half = zf_emission_scalar(e, "half", 0.5);
    const char *gate = zf_emission_step(e, "Div", "div", e->in[0], root);

    half_gated(e, zf_emission_step(e, "Erf", "erf", gate, NULL), one, half);
}

/* x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2 */
void zf_write_gelu_tanh(struct zf_emission *e)
{
    const char *bend = zf_emission_scalar(e, "bend", 0.044715);
    const char *root = zf_emission_scalar(e, "root", sqrt(2 / 3.14159265358979323846));
    const char *one = zf_emission_scalar(e, "one", 1);
    const char *half = zf_emission_scalar(e, "half", 0.5);
    const char *x = e->in[0], *gate = zf_emission_step(e, "Mul", "square", x, x);

    gate = zf_emission_step(e, "Mul", "bent", gate, bend);
    gate = zf_emission_step(e, "Mul", "cube", gate, x);
    gate = zf_emission_step(e, "Add", "line", gate, x);
    gate = zf_emission_step(e, "Mul", "scaled", gate, root);
    half_gated(e, zf_emission_step(e, "Tanh", "tanh", gate, NULL), one, half);
}

void zf_write_mish(struct zf_emission *e)
{
    const char *gate = zf_emission_step(e, "Softplus", "softplus", e->in[0], NULL);

    zf_emission_input(e, zf_emission_step(e, "Tanh", "gate", gate, NULL));
    zf_emission_node(e, e->op);
}

/* Its operator is its name with a capital. */
void zf_write_function(struct zf_emission *e)
{
    const char *of = zf_emission_choice(e, "of");

    zf_emission_node(e, zf_onnx_text(e->m, "%c%s", of[0] - 'a' + 'A', of + 1));
}

void zf_write_power(struct zf_emission *e)
{
    zf_emission_input(e, zf_emission_scalar(e, "exponent", zf_emission_number(e, "exponent")));
    zf_emission_node(e, e->op);
}

/* As floats: QuantizeLinear would make whole numbers, which what is behind does not take. */
void zf_write_quantise(struct zf_emission *e)
{
    const char *step = zf_emission_scalar(e, "step", zf_emission_number(e, "step"));
    const char *zero = zf_emission_scalar(e, "zero", zf_emission_number(e, "zero"));
    const char *level = zf_emission_step(e, "Div", "steps", e->in[0], step);

    level = zf_emission_step(e, "Round", "level", level, NULL);
    e->in[0] = zf_emission_step(e, "Add", "shifted", level, zero);
    zf_emission_input(e, zf_emission_scalar(e, "low", zf_emission_number(e, "low")));
    zf_emission_input(e, zf_emission_scalar(e, "high", zf_emission_number(e, "high")));
    zf_emission_node(e, e->op);
}

/* The mean over axes, which stay. */
static const char *mean_of(struct zf_emission *e, const char *suffix, const char *x,
                           const int64_t *axes, size_t count)
{
    const char *name = zf_emission_raw(e, "ReduceMean", suffix, x, NULL);

    zf_onnx_set_ints(e->m, "axes", axes, count);
    return name;
}

/* (x - mean) / sqrt(mean of the square + epsilon); groups stand on an axis of their own meanwhile
 */
void zf_write_norm(struct zf_emission *e)
{
    static const int64_t cells[] = {2, 3}, group[] = {2}, maps[] = {1};
    const char *const over = zf_emission_choice(e, "over");
    const bool groups = strcmp(over, "groups") == 0;
    const int64_t *axes = groups ? group : strcmp(over, "maps") == 0 ? maps : cells;
    const size_t count = axes == cells ? 2 : 1;
    const int64_t folded[] = {0, (int64_t)zf_emission_number(e, "groups"), -1};
    const int64_t whole[] = {0, e->shape.c, e->shape.h, e->shape.w};
    const char *epsilon = zf_emission_scalar(e, "epsilon", zf_emission_number(e, "epsilon"));
    const char *x = e->in[0], *root;

    if (groups)
        x = zf_emission_raw(e, "Reshape", "folded", x,
                            zf_onnx_ints(e->m, zf_emission_extra(e, "groups"), folded, 3));
    if (zf_emission_number(e, "mean") != 0)
        x = zf_emission_raw(e, "Sub", "centred", x, mean_of(e, "mean", x, axes, count));
    root = zf_emission_raw(e, "Mul", "square", x, x);
    root = mean_of(e, "variance", root, axes, count);
    root = zf_emission_raw(e, "Add", "more", root, epsilon);
    root = zf_emission_raw(e, "Sqrt", "root", root, NULL);
    e->in[0] = groups ? zf_emission_raw(e, "Div", "normal", x, root) : x;
    e->in[1] = groups ? zf_onnx_ints(e->m, zf_emission_extra(e, "shape"), whole, 4) : root;
    e->in_count = 2;
    zf_emission_node(e, groups ? "Reshape" : e->op);
}
