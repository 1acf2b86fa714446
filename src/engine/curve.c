/* SPDX-License-Identifier: MIT */
#include "curve.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

bool zf_curve_is(enum zf_function_kind kind)
{
    return kind >= ZF_SELU;
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double clipped(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* log(1 + e^x), for any x */
static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Of the approximation of a gelu: sqrt(2 / pi) (x + 0.044715 x^3) */
static double bent(double x)
{
    return sqrt(2 / pi) * (x + 0.044715 * x * x * x);
}

static double sign(double x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x; /* NaN stays */
}

double zf_curve_value(const struct zf_function *f, double x)
{
    const double a = (double)f->a, b = (double)f->b;

    switch (f->kind) {
    case ZF_LEAKY:
        return x > 0 ? x : a * x;
    case ZF_CLIP:
        return clipped(x, a, b);
    case ZF_ELU:
        return x > 0 ? x : a * expm1(x);
    case ZF_SIGMOID:
        return sigmoid(x);
    case ZF_TANH:
        return tanh(x);
    case ZF_HARDSIGMOID:
        return clipped(a * x + b, 0, 1);
    case ZF_HARDSWISH:
        return x * clipped(x / 6 + 0.5, 0, 1);
    case ZF_SILU:
        return x * sigmoid(x);
    case ZF_GELU:
        return 0.5 * x * (1 + erf(x * sqrt(0.5)));
    case ZF_LINEAR:
        return a * x + b;
    case ZF_SELU:
        return b * (x > 0 ? x : a * expm1(x));
    case ZF_SOFTPLUS:
        return softplus(x);
    case ZF_MISH:
        return x * tanh(softplus(x));
    case ZF_THRESHOLD:
        return x > a ? x : x <= a ? 0 : x;
    case ZF_GELU_TANH:
        return 0.5 * x * (1 + tanh(bent(x)));
    case ZF_SOFTSIGN:
        return x / (1 + fabs(x));
    case ZF_ERF:
        return erf(x);
    case ZF_EXP:
        return exp(x);
    case ZF_LOG:
        return log(x);
    case ZF_POWER:
        return pow(x, a);
    case ZF_ABS:
        return fabs(x);
    case ZF_SIN:
        return sin(x);
    case ZF_COS:
        return cos(x);
    case ZF_ATAN:
        return atan(x);
    case ZF_SIGN:
        return sign(x);
    case ZF_FLOOR:
        return floor(x);
    case ZF_CEIL:
        return ceil(x);
    case ZF_ROUND:
        return nearbyint(x); /* halves to even, as ONNX has it */
    case ZF_LEVEL:
        return (double)nearbyintf((float)x / f->a);
    }
    return NAN;
}

/* Zero where the function is infinitely steep: at 0, a root or a logarithm. */
static double finite(double slope)
{
    return isinf(slope) ? 0 : slope;
}

double zf_curve_slope(const struct zf_function *f, double x)
{
    const double a = (double)f->a, b = (double)f->b;
    double t;

    switch (f->kind) {
    case ZF_LEAKY:
        return x > 0 ? 1 : a;
    case ZF_CLIP:
        return x > a && x < b ? 1 : 0;
    case ZF_ELU:
        return x > 0 ? 1 : a * exp(x);
    case ZF_SIGMOID:
        t = sigmoid(x);
        return t * (1 - t);
    case ZF_TANH:
        return 1 - tanh(x) * tanh(x);
    case ZF_HARDSIGMOID:
        return a * x + b > 0 && a * x + b < 1 ? a : 0;
    case ZF_HARDSWISH:
        return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5;
    case ZF_SILU:
        t = sigmoid(x);
        return t * (1 + x * (1 - t));
    case ZF_GELU:
        return 0.5 * (1 + erf(x * sqrt(0.5))) + x * exp(-x * x / 2) / sqrt(2 * pi);
    case ZF_LINEAR:
        return a;
    case ZF_SELU:
        return b * (x > 0 ? 1 : a * exp(x));
    case ZF_SOFTPLUS:
        return sigmoid(x);
    case ZF_MISH:
        t = tanh(softplus(x));
        return t + x * (1 - t * t) * sigmoid(x);
    case ZF_THRESHOLD:
        return x > a ? 1 : 0;
    case ZF_GELU_TANH:
        t = tanh(bent(x));
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x);
    case ZF_SOFTSIGN:
        return 1 / ((1 + fabs(x)) * (1 + fabs(x)));
    case ZF_ERF:
        return 2 / sqrt(pi) * exp(-x * x);
    case ZF_EXP:
        return exp(x);
    case ZF_LOG:
        return finite(1 / x);
    case ZF_POWER:
        return finite(a * pow(x, a - 1));
    case ZF_ABS:
        return x > 0 ? 1 : x < 0 ? -1 : 0;
    case ZF_SIN:
        return cos(x);
    case ZF_COS:
        return -sin(x);
    case ZF_ATAN:
        return 1 / (1 + x * x);
    case ZF_SIGN:
    case ZF_FLOOR:
    case ZF_CEIL:
    case ZF_ROUND:
        return 0;
    case ZF_LEVEL:
        return 1 / a;
    }
    return NAN;
}
