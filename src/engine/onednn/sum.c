/* SPDX-License-Identifier: MIT */
/*
 * Sums of many numbers. oneDNN adds them up in float32, one behind the other, and of 512 x 512
 * numbers three or four digits are left: so these are summed in double here. Short sums are
 * oneDNN's.
 */
#include "engine/parallel.h"
#include "onednn.h"

#define MANY 512 /* so many float32 additions cost one digit at most */

bool zf_onednn_sums(const struct zf_window *w, struct zf_dims src)
{
    return w->kernel_h == src.d[2] && w->kernel_w == src.d[3] && !w->pad_top && !w->pad_left &&
           !w->pad_bottom && !w->pad_right && src.d[2] * src.d[3] > MANY;
}

/* values: src, dst, both plain; dst [n, c, 1, 1] */
static void run_mean(struct zf_engine *e, const struct zf_onednn_step *step,
                     const struct zf_run *run)
{
    const struct zf_dims dims = zf_onednn_dims(e, step->values[0]);
    const int64_t cells = dims.d[2] * dims.d[3];
    const float *src = zf_onednn_at(e, step->values[0])->data;
    float *dst = zf_onednn_at(e, step->values[1])->data;

    (void)run;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t m = 0; m < dims.d[0] * dims.d[1]; m++) {
        double sum = 0.0;

        for (int64_t i = 0; i < cells; i++)
            sum += (double)src[m * cells + i];
        dst[m] = (float)(sum / (double)cells);
    }
}

zf_value zf_onednn_mean(struct zf_engine *e, zf_value src)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_mean, .count = 2};
    struct zf_dims dims = zf_onednn_dims(e, src);

    dims.d[2] = dims.d[3] = 1;
    step.values[0] = zf_onednn_plain(e, src);
    step.values[1] = zf_onednn_new(e, dims, NULL);
    zf_onednn_append(e, &step);
    return step.values[1];
}

/* values: src, dst, both plain */
static void run_sum_to(struct zf_engine *e, const struct zf_onednn_step *step,
                       const struct zf_run *run)
{
    const struct zf_dims from = zf_onednn_dims(e, step->values[0]);
    const struct zf_dims to = zf_onednn_dims(e, step->values[1]);
    const float *src = zf_onednn_at(e, step->values[0])->data;
    float *dst = zf_onednn_at(e, step->values[1])->data;
    const int64_t strides[3] = {from.d[2] * from.d[3], from.d[3], 1};
    int64_t again[3]; /* cells of each extent that go into one sum */

    (void)run;
    for (int k = 0; k < 3; k++)
        again[k] = to.d[k + 1] == 1 ? from.d[k + 1] : 1;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t i = 0; i < to.d[0] * to.d[1] * to.d[2] * to.d[3]; i++) {
        const int64_t x = i % to.d[3], y = i / to.d[3] % to.d[2];
        const int64_t c = i / (to.d[3] * to.d[2]) % to.d[1], n = i / (to.d[3] * to.d[2] * to.d[1]);
        const float *first = src + (n * from.d[1] + c) * strides[0] + y * strides[1] + x;
        double sum = 0.0;

        for (int64_t a = 0; a < again[0]; a++)
            for (int64_t b = 0; b < again[1]; b++)
                for (int64_t d = 0; d < again[2]; d++)
                    sum += (double)first[a * strides[0] + b * strides[1] + d];
        dst[i] = (float)sum;
    }
}

bool zf_onednn_sums_many(struct zf_dims from, struct zf_dims to)
{
    int64_t count = 1;

    for (int k = 1; k < 4; k++)
        count *= to.d[k] == 1 ? from.d[k] : 1;
    return count > MANY;
}

zf_value zf_onednn_sum_many(struct zf_engine *e, zf_value value, struct zf_dims dims)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_sum_to, .count = 2};

    step.values[0] = zf_onednn_plain(e, value);
    step.values[1] = zf_onednn_new(e, dims, NULL);
    zf_onednn_append(e, &step);
    return step.values[1];
}
