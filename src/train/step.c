/* SPDX-License-Identifier: MIT */
/*
 * The step of training. It is bound by memory, so momentum, decay and the RMS rule share one pass:
 * a filter is still in cache when its RMS is known. Every weight is computed by itself and a
 * filter's squares are summed in a fixed order, so threads change nothing but the time.
 */
#include "step.h"

#include <math.h>

#define PIECE 65536 /* floats a thread takes at once where there are no filters */
#define WORTH_THREADS 131072
#define LANES 8 /* sums that the compiler may keep in one register */

#ifdef _OPENMP
#define PRAGMA(text) _Pragma(#text)
#else
#define PRAGMA(text)
#endif

struct rates {
    float lr, momentum, decay;
};

static inline float move(float *parameter, float gradient, float *velocity,
                         const struct rates *rates)
{
    *velocity = rates->momentum * *velocity - rates->lr * (gradient + rates->decay * *parameter);
    return *parameter += *velocity;
}

static void update(float *parameter, const float *gradient, float *velocity, int64_t count,
                   struct rates rates)
{
    for (int64_t i = 0; i < count; i++)
        move(&parameter[i], gradient[i], &velocity[i], &rates);
}

static double update_and_square(float *parameter, const float *gradient, float *velocity,
                                int64_t count, struct rates rates)
{
    const int64_t whole = count / LANES * LANES;
    double lanes[LANES] = {0};
    double sum = 0;

    for (int64_t i = 0; i < whole; i += LANES) {
        for (int64_t k = 0; k < LANES; k++) {
            const double w =
                (double)move(&parameter[i + k], gradient[i + k], &velocity[i + k], &rates);
            lanes[k] += w * w;
        }
    }
    for (int64_t i = whole; i < count; i++) {
        const double w = (double)move(&parameter[i], gradient[i], &velocity[i], &rates);
        lanes[i - whole] += w * w;
    }
    for (int k = 0; k < LANES; k++)
        sum += lanes[k];
    return sum;
}

static void update_filter(float *filter, const float *gradient, float *velocity, int64_t count,
                          const struct rates *rates, double limit)
{
    const double squares = update_and_square(filter, gradient, velocity, count, *rates);
    const double rms = sqrt(squares / (double)count);
    float scale;

    if (!(rms > limit))
        return;
    scale = (float)(limit / rms);
    for (int64_t i = 0; i < count; i++)
        filter[i] *= scale;
}

static bool is_filters(const struct zf_parameter_slot *slot)
{
    return !slot->is_bias && slot->dims.rank == 4; /* a fully connected layer's are [o,i] */
}

int64_t zf_step_place(const struct zf_net *net, int64_t at)
{
    for (int s = 0; s < net->slot_count; s++) {
        const struct zf_parameter_slot *slot = &net->slots[s];

        if (is_filters(slot) && at >= slot->offset && at < slot->offset + slot->count)
            return at - (at - slot->offset) % (slot->count / slot->dims.d[0]);
    }
    return at;
}

/* Of a slot the parameters from `begin` to `end`. */
static void apply_to_slot(struct zf_net *net, const struct zf_parameter_slot *slot, int64_t begin,
                          int64_t end, const float *gradients, float *velocity,
                          const struct zf_step *step)
{
    const bool filters = is_filters(slot) && step->rms_limit > 0;
    const int64_t size = filters ? slot->count / slot->dims.d[0] : PIECE;
    const int64_t pieces = (end - begin + size - 1) / size;
    const struct rates rates = {(float)step->lr, (float)step->momentum,
                                slot->is_bias ? 0.0f : (float)step->weight_decay};

    PRAGMA(omp parallel for num_threads(step->threads) if (end - begin >= WORTH_THREADS))
    for (int64_t p = 0; p < pieces; p++) {
        const int64_t at = begin + p * size;

        if (filters)
            update_filter(net->parameters + at, gradients + at, velocity + at, size, &rates,
                          step->rms_limit);
        else
            update(net->parameters + at, gradients + at, velocity + at,
                   end - at < size ? end - at : size, rates);
    }
}

void zf_step_apply_part(struct zf_net *net, const float *gradients, float *velocity, int64_t begin,
                        int64_t end, const struct zf_step *step)
{
    for (int s = 0; s < net->slot_count; s++) {
        const struct zf_parameter_slot *slot = &net->slots[s];
        const int64_t first = begin > slot->offset ? begin : slot->offset;
        const int64_t slot_end = slot->offset + slot->count;
        const int64_t last = end < slot_end ? end : slot_end;

        if (first < last && !net->layers[slot->layer].frozen)
            apply_to_slot(net, slot, first, last, gradients, velocity, step);
    }
}

void zf_step_apply(struct zf_net *net, const float *gradients, float *velocity,
                   const struct zf_step *step)
{
    zf_step_apply_part(net, gradients, velocity, 0, net->floats, step);
}
