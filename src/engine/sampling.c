/* SPDX-License-Identifier: MIT */
#include "sampling.h"

#include <math.h>

static int64_t clamp(int64_t i, int64_t least, int64_t most)
{
    return i < least ? least : i > most ? most : i;
}

static int64_t modulo(int64_t i, int64_t n)
{
    return (i % n + n) % n;
}

/* Cell i of the source continued by its mirror image, as often as it takes. */
static int64_t reflected(int64_t i, int64_t n)
{
    const int64_t period = n > 1 ? 2 * (n - 1) : 1;
    const int64_t at = modulo(i, period);

    return at < n ? at : period - at;
}

/* In float32, as ONNX Runtime and PyTorch do it: which of two cells is nearer can hang on that. */
static float place_of(const struct zf_sampling *s, int64_t i)
{
    const float x = (float)i, last = (float)(s->from - 1), steps = (float)(s->to - 1);
    float centre;

    switch (s->place) {
    case ZF_PLACE_HALF_PIXEL:
        return (x + 0.5f) / s->scale - 0.5f;
    case ZF_PLACE_ASYMMETRIC:
        return x / s->scale;
    case ZF_PLACE_ALIGN_CORNERS:
        return s->to == 1 ? 0.0f : x * last / steps;
    case ZF_PLACE_PYTORCH_HALF_PIXEL:
        return s->to == 1 ? 0.0f : (x + 0.5f) / s->scale - 0.5f;
    case ZF_PLACE_HALF_PIXEL_SYMMETRIC: /* to / (scale * from) is 1 but where `to` was rounded */
        centre = (float)s->from / 2.0f;
        return centre * (1.0f - (float)s->to / (s->scale * (float)s->from)) +
               (x + 0.5f) / s->scale - 0.5f;
    case ZF_PLACE_TF_HALF_PIXEL:
        return (x + 0.5f) / s->scale;
    case ZF_PLACE_CROP:
        return s->to == 1 ? 0.5f * (s->begin + s->end) * last
                          : s->begin * last + x * (s->end - s->begin) * last / steps;
    }
    return x;
}

static int64_t nearest(const struct zf_sampling *s, float place)
{
    switch (s->rounding) {
    case ZF_ROUND_PREFER_FLOOR:
        return (int64_t)ceilf(place - 0.5f);
    case ZF_ROUND_PREFER_CEIL:
        return (int64_t)floorf(place + 0.5f);
    case ZF_ROUND_FLOOR:
        return (int64_t)floorf(place);
    case ZF_ROUND_CEIL:
        return (int64_t)ceilf(place);
    case ZF_ROUND_SIMPLE:
        return (int64_t)(s->scale < 1.0f ? ceilf(place) : floorf(place));
    }
    return 0;
}

static void take_one(struct zf_taps *taps, int64_t index)
{
    taps->count = 1;
    taps->index[0] = index;
    taps->weight[0] = 1;
}

static void take_two(const struct zf_sampling *s, float place, struct zf_taps *taps)
{
    const float last = (float)(s->from - 1);
    const float within = place < 0.0f ? 0.0f : place > last ? last : place;
    const int64_t first = (int64_t)floorf(within);

    taps->count = 2;
    taps->index[0] = first;
    taps->index[1] = clamp(first + 1, 0, s->from - 1);
    taps->weight[1] = (double)within - (double)first;
    taps->weight[0] = 1 - taps->weight[1];
}

static double keys(double a, double x)
{
    x = fabs(x);
    return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((x - 5) * x + 8) * a * x - 4 * a;
}

static void take_four(const struct zf_sampling *s, float place, struct zf_taps *taps)
{
    const int64_t first = (int64_t)floorf(place) - 1;
    double sum = 0;

    taps->count = 4;
    for (int k = 0; k < 4; k++) {
        const bool outside = first + k < 0 || first + k >= s->from;

        taps->index[k] = clamp(first + k, 0, s->from - 1);
        taps->weight[k] = keys((double)s->cubic, (double)place - (double)(first + k));
        if (s->inside && outside)
            taps->weight[k] = 0;
        sum += taps->weight[k];
    }
    for (int k = 0; s->inside && k < 4; k++)
        taps->weight[k] /= sum;
}

/* ---- Antialiased: the kernel is as wide as what a cell of the result stands for ---- */

static bool is_smoothed(const struct zf_sampling *s)
{
    return s->antialias && (s->kind == ZF_SAMPLE_LINEAR || s->kind == ZF_SAMPLE_CUBIC);
}

static double width_of(const struct zf_sampling *s)
{
    return s->scale < 1.0f ? 1 / (double)s->scale : 1;
}

static double reach_of(const struct zf_sampling *s)
{
    return width_of(s) * (s->kind == ZF_SAMPLE_LINEAR ? 1 : 2);
}

static double kernel(const struct zf_sampling *s, double x)
{
    x = fabs(x);
    if (s->kind == ZF_SAMPLE_LINEAR)
        return x < 1 ? 1 - x : 0;
    return x < 2 ? keys((double)s->cubic, x) : 0;
}

static double smoothed_weight(const struct zf_sampling *s, float place, int64_t cell)
{
    if (s->inside && (cell < 0 || cell >= s->from))
        return 0;
    return kernel(s, ((double)cell - (double)place) / width_of(s));
}

static void take_smoothed(const struct zf_sampling *s, float place, int64_t part,
                          struct zf_taps *taps)
{
    const int64_t first = (int64_t)floor((double)place + 1 - reach_of(s));
    const int64_t end = (int64_t)floor((double)place + 1 + reach_of(s));
    const int64_t begin = first + part * ZF_SAMPLING_TAPS;
    double sum = 0;

    for (int64_t cell = first; cell < end; cell++)
        sum += smoothed_weight(s, place, cell);
    for (int64_t cell = begin; cell < end && cell < begin + ZF_SAMPLING_TAPS; cell++) {
        taps->index[taps->count] = clamp(cell, 0, s->from - 1);
        taps->weight[taps->count++] = smoothed_weight(s, place, cell) / sum;
    }
}

int64_t zf_sampling_parts(const struct zf_sampling *s)
{
    return is_smoothed(s) ? (int64_t)ceil((2 * reach_of(s) + 1) / ZF_SAMPLING_TAPS) : 1;
}

static void resize_taps(const struct zf_sampling *s, int64_t i, int64_t part, struct zf_taps *taps)
{
    const float place = place_of(s, i);

    taps->count = 0;
    if (s->place == ZF_PLACE_CROP && !(place >= 0.0f && place <= (float)(s->from - 1)))
        return;
    if (is_smoothed(s))
        take_smoothed(s, place, part, taps);
    else if (s->kind == ZF_SAMPLE_NEAREST)
        take_one(taps, clamp(nearest(s, place), 0, s->from - 1));
    else if (s->kind == ZF_SAMPLE_LINEAR)
        take_two(s, place, taps);
    else
        take_four(s, place, taps);
}

void zf_sampling_taps(const struct zf_sampling *s, int64_t i, int64_t part, struct zf_taps *taps)
{
    switch (s->kind) {
    case ZF_SAMPLE_NEAREST:
    case ZF_SAMPLE_LINEAR:
    case ZF_SAMPLE_CUBIC:
        resize_taps(s, i, part, taps);
        return;
    case ZF_SAMPLE_REFLECT:
        take_one(taps, reflected(i - s->before, s->from));
        return;
    case ZF_SAMPLE_EDGE:
        take_one(taps, clamp(i - s->before, 0, s->from - 1));
        return;
    case ZF_SAMPLE_WRAP:
        take_one(taps, modulo(i - s->before, s->from));
        return;
    }
}
