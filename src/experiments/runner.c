/* SPDX-License-Identifier: MIT */
#include "experiments/experiments.h"

#include <inttypes.h>

#include "base/status.h"

#define DEFAULT_BATCH 32
#define MAX_BATCH 4096

enum zf_status zf_runner_batch(const struct zf_compute *run, int64_t otherwise, int64_t most,
                               int64_t *batch, struct zf_error *err)
{
    const int64_t asked = run->batch ? run->batch : otherwise;

    if (asked < 1 || asked > MAX_BATCH || run->threads < 0)
        return zf_fail(err, ZF_EINVAL, "batch (%" PRId64 ") is 1 to %d, threads (%d) not negative",
                       run->batch, MAX_BATCH, run->threads);
    *batch = most > 0 && asked > most ? most : asked;
    return ZF_OK;
}

struct zf_plan_options zf_runner_plan(const struct zf_runner_options *options,
                                      const struct zf_compute *run)
{
    return (struct zf_plan_options){.compute = *run,
                                    .taps = options->taps,
                                    .tap_count = options->tap_count,
                                    .taps_only = options->taps_only};
}

enum zf_status zf_runner_init(struct zf_runner *runner, const struct zf_net *net,
                              const struct zf_runner_options *options, const struct zf_compute *run,
                              struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);
    struct zf_plan_options how = zf_runner_plan(options, run);
    struct zf_runner made = {0};
    enum zf_status status;

    ZF_TRY(zf_runner_batch(run, DEFAULT_BATCH, options->most, &made.batch, err));
    ZF_TRY(zf_tensor_init(&made.inputs, made.batch, input.c, input.h, input.w, err));
    how.compute.batch = made.batch;
    how.purpose = ZF_INFER;
    ZF_TRY(zf_plan_create(net, &how, &made.plan, err));
    *runner = made;
    return ZF_OK;
fail:
    zf_runner_release(&made);
    return status;
}

void zf_runner_release(struct zf_runner *runner)
{
    zf_plan_free(&runner->plan);
    zf_tensor_release(&runner->inputs);
}

void zf_runner_forward(struct zf_runner *runner, int64_t count)
{
    struct zf_tensor src = runner->inputs;

    src.n = count;
    zf_plan_forward(runner->plan, &src);
}
