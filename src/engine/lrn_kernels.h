/* SPDX-License-Identifier: MIT */
/* The loops of lrn.c, for one width of vectors. Included there once for each instruction set, with
   NAME, TARGET, LANES and FMA defined. */
typedef float NAME(vec) __attribute__((vector_size(4 * LANES)));
typedef uint32_t NAME(bits) __attribute__((vector_size(4 * LANES)));
typedef int32_t NAME(whole) __attribute__((vector_size(4 * LANES)));
typedef float NAME(loose) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define vec NAME(vec)
#define bits NAME(bits)
#define whole NAME(whole)
#define LOAD(from) ((vec) * (const NAME(loose) *)(from))
#define STORE(to, numbers) (*(NAME(loose) *)(to) = (NAME(loose))(numbers))
#define ALL(number) ((number) - (vec){0})

/* s^exponent = 2^(exponent * log2 s), for s from plan->least to plan->most. s is 2^e times a number
   from sqrt(1/2) to sqrt(2); the polynomials are within 2e-8 of the logarithm and 3e-9 of the
   power (interpolated at Chebyshev's points). */
TARGET static ALWAYS_INLINE vec NAME(power)(vec s, float exponent)
{
    const whole e = ((whole)s - ROOT_HALF) >> 23;
    const vec t = (vec)((whole)s - (e << 23)) - 1.0f, tt = t * t;
    const vec rough = ALL(12582912.0f); /* 1.5 * 2^23: what is added to it is rounded to integers */
    vec log, product, part, sum;

    log = FMA(t, ALL(0.123109685f), ALL(-0.20586188f));
    log = FMA(tt, log, FMA(t, ALL(0.216078226f), ALL(-0.239169881f)));
    log = FMA(tt, log, FMA(t, ALL(0.287903261f), ALL(-0.360693268f)));
    log = FMA(tt, log, FMA(t, ALL(0.480910753f), ALL(-0.721347468f)));
    log = FMA(t, log, ALL(1.442695f));
    product = exponent * FMA(t, log, __builtin_convertvector(e, vec));
    part = product + rough;
    product -= part - rough;
    sum = FMA(product, ALL(0.000154614447f), ALL(0.00134004282f));
    sum = FMA(product, sum, ALL(0.00961805668f));
    sum = FMA(product, sum, ALL(0.0555032723f));
    sum = FMA(product, sum, ALL(0.240226509f));
    sum = FMA(product, sum, ALL(0.693147207f));
    sum = FMA(product, sum, ALL(1.0f));
    return (vec)((bits)sum + ((bits)part << 23));
}

TARGET static ALWAYS_INLINE vec NAME(scale)(const struct zf_lrn_plan *plan, const float *src,
                                            int64_t step, int64_t before, int64_t after)
{
    vec squares = {0};

    for (int64_t j = -before; j <= after; j++) {
        const vec x = LOAD(src + j * step);

        squares = FMA(x, x, squares);
    }
    return FMA(ALL(plan->share), squares, ALL(plan->k));
}

/* s^-beta; *odd collects, as signs, which scales are out of range. */
TARGET static ALWAYS_INLINE vec NAME(factor)(const struct zf_lrn_plan *plan, bool exact, vec s,
                                             bits *odd)
{
    vec factor = s;

    *odd |= ((bits)s - plan->least) | (plan->most - (bits)s);
    if (!exact)
        return NAME(power)(s, plan->exponent);
    for (int64_t l = 0; l < LANES; l++)
        factor[l] = powf(s[l], plan->exponent);
    return factor;
}

TARGET static ALWAYS_INLINE bool NAME(any)(bits odd)
{
    uint32_t all = 0;

    for (int64_t l = 0; l < LANES; l++)
        all |= odd[l];
    return all >> 31;
}

/* Both return whether a scale was out of range. before and after, and exact, are constants where
   these are inlined. */
TARGET static ALWAYS_INLINE bool NAME(up)(const struct zf_lrn_plan *plan, int64_t before,
                                          int64_t after, bool exact, const float *src, float *dst)
{
    bits odd = {0};

    for (int64_t i = 0; i < plan->count; i += LANES) {
        const vec s = NAME(scale)(plan, src + i, plan->step, before, after);

        STORE(dst + i, LOAD(src + i) * NAME(factor)(plan, exact, s, &odd));
    }
    return NAME(any)(odd);
}

/* What each number gives its neighbours goes to `given`, and what it keeps to `kept`. */
TARGET static ALWAYS_INLINE bool NAME(spread)(const struct zf_lrn_plan *plan, int64_t before,
                                              int64_t after, bool exact, const float *src,
                                              const float *diff, float *given, float *kept)
{
    bits odd = {0};

    for (int64_t i = 0; i < plan->count; i += LANES) {
        const vec s = NAME(scale)(plan, src + i, plan->step, before, after);
        const vec own = LOAD(diff + i) * NAME(factor)(plan, exact, s, &odd);

        STORE(kept + i, own);
        STORE(given + i, own * LOAD(src + i) / s);
    }
    return NAME(any)(odd);
}

TARGET static ALWAYS_INLINE void NAME(collect)(const struct zf_lrn_plan *plan, int64_t before,
                                               int64_t after, const float *src, const float *given,
                                               const float *kept, float *diff)
{
    for (int64_t i = 0; i < plan->count; i += LANES) {
        vec sum = {0};

        for (int64_t j = -after; j <= before; j++)
            sum += LOAD(given + i + j * plan->step);
        STORE(diff + i, FMA(plan->loss * LOAD(src + i), sum, LOAD(kept + i)));
    }
}

TARGET static void NAME(forward)(const struct zf_lrn_plan *plan, const float *src, float *dst)
{
    const int64_t before = plan->before, after = plan->after;

    if (before == USUAL && after == USUAL ? NAME(up)(plan, USUAL, USUAL, false, src, dst)
                                          : NAME(up)(plan, before, after, false, src, dst))
        NAME(up)(plan, before, after, true, src, dst);
}

TARGET static void NAME(backward)(const struct zf_lrn_plan *plan, const float *src, float *diff,
                                  float *scratch)
{
    const int64_t before = plan->before, after = plan->after;
    const bool usual = before == USUAL && after == USUAL;
    float *given = scratch, *kept = scratch + plan->size;

    if (usual ? NAME(spread)(plan, USUAL, USUAL, false, src, diff, given, kept)
              : NAME(spread)(plan, before, after, false, src, diff, given, kept))
        NAME(spread)(plan, before, after, true, src, diff, given, kept);
    clear_gaps(plan, given);
    if (usual)
        NAME(collect)(plan, USUAL, USUAL, src, given, kept, diff);
    else
        NAME(collect)(plan, before, after, src, given, kept, diff);
}

static const struct zf_lrn_kernels NAME(kernels) = {NAME(forward), NAME(backward)};

#undef vec
#undef bits
#undef whole
#undef LOAD
#undef STORE
#undef ALL
#undef NAME
#undef TARGET
#undef LANES
#undef FMA
