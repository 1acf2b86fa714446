/* SPDX-License-Identifier: MIT */
#include "engine/lrn.h"

#ifdef __x86_64__
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/loops.h"

#define VECTOR 16            /* floats of the widest */
#define USUAL 2              /* maps on either side: the window of 5 that nets have */
#define ROOT_HALF 0x3f3504f3 /* of sqrt(1/2), the bits */

struct zf_lrn_kernels {
    void (*forward)(const struct zf_lrn_plan *plan, const float *src, float *dst);
    void (*backward)(const struct zf_lrn_plan *plan, const float *src, float *diff, float *scratch);
};

/* Windows over numbers that were computed for the gaps, too, would reach into the next run. */
static void clear_gaps(const struct zf_lrn_plan *plan, float *first_run)
{
    for (int64_t i = 0; i <= plan->runs; i++)
        memset(first_run + i * (plan->run + plan->gap) - plan->gap, 0,
               (size_t)plan->gap * sizeof *first_run);
}

#ifdef __x86_64__
#define NAME(name) name##_avx512
#define TARGET __attribute__((target("avx512f")))
#define LANES 16
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#include "lrn_kernels.h"

#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#include "lrn_kernels.h"
#endif

#define NAME(name) name##_plain
#define TARGET
#define LANES 4
#ifdef __aarch64__
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif
#include "lrn_kernels.h"

static const struct zf_lrn_kernels *kernels_of(enum zf_cpu cpu)
{
#ifdef __x86_64__
    if (cpu >= ZF_CPU_AVX512)
        return &kernels_avx512;
    if (cpu >= ZF_CPU_AVX2)
        return &kernels_avx2;
#else
    (void)cpu;
#endif
    return &kernels_plain;
}

static uint32_t bits_of(double number)
{
    const float rounded = (float)number;
    uint32_t bits;

    memcpy(&bits, &rounded, sizeof bits);
    return bits;
}

static int64_t min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void zf_lrn_init(struct zf_lrn_plan *plan, enum zf_cpu cpu, const struct zf_lrn *lrn, int64_t maps,
                 int64_t cells, bool side_by_side)
{
    /* s^-beta is to stay from 2^-120 to 2^120. */
    const double reach = fmin(126, 120 / fmax(fabs((double)lrn->beta), 1e-3));

    *plan = (struct zf_lrn_plan){
        .kernels = kernels_of(cpu),
        .runs = side_by_side ? cells : 1,
        .run = side_by_side ? maps : maps * cells,
        .step = side_by_side ? 1 : cells,
        .before = min((lrn->size - 1) / 2, maps - 1),
        .after = min(lrn->size / 2, maps - 1),
        .share = lrn->alpha / (float)lrn->size,
        .k = lrn->k,
        .exponent = -lrn->beta,
        .loss = -2.0f * lrn->alpha * lrn->beta / (float)lrn->size,
        .least = bits_of(exp2(-reach)),
        .most = bits_of(exp2(reach)),
    };
    plan->gap = plan->after * plan->step; /* never less than before */
    plan->count = (plan->runs * (plan->run + plan->gap) + VECTOR - 1) / VECTOR * VECTOR;
    plan->size = (plan->gap + plan->count + plan->gap + VECTOR - 1) / VECTOR * VECTOR;
}

void zf_lrn_forward(const struct zf_lrn_plan *plan, const float *src, float *dst)
{
    plan->kernels->forward(plan, src + plan->gap, dst + plan->gap);
}

void zf_lrn_backward(const struct zf_lrn_plan *plan, const float *src, float *diff, float *scratch)
{
    plan->kernels->backward(plan, src + plan->gap, diff + plan->gap, scratch + plan->gap);
}
