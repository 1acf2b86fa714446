/* SPDX-License-Identifier: MIT */
#include "zf/classify.h"

#include <inttypes.h>
#include <math.h>

#include "base/status.h"
#include "zf/image.h"

size_t zf_predictions(const struct zf_net *net, const float *values, struct zf_prediction *best,
                      size_t most)
{
    const bool ranked = zf_net_answer(net) != ZF_ANSWER_NUMBERS;
    size_t count = 0;

    for (int64_t k = 0; k < zf_net_class_count(net); k++) {
        size_t at = count;

        while (ranked && at > 0 && values[k] > best[at - 1].value)
            at--;
        if (at == most)
            continue;
        count += count < most;
        for (size_t j = count - 1; j > at; j--)
            best[j] = best[j - 1];
        best[at] = (struct zf_prediction){k, values[k]};
    }
    return count;
}

static enum zf_status check_finite(const struct zf_net *net, const struct zf_tensor *values,
                                   const char *path, struct zf_error *err)
{
    for (int64_t k = 0; k < values->c; k++) {
        if (!isfinite(values->data[k]))
            return zf_fail(err, ZF_EINPUT,
                           "%s: what it answers to %s is not finite (NaN or infinite)",
                           zf_net_name(net), path);
    }
    return ZF_OK;
}

enum zf_status zf_classify(const struct zf_net *net, const char *path,
                           const struct zf_compute *compute, struct zf_prediction *best,
                           size_t most, size_t *count, struct zf_error *err)
{
    struct zf_plan_options options = {.purpose = ZF_INFER, .watched = true, .brief = true};
    struct zf_tensor input = {0}, values = {0};
    struct zf_plan *plan = NULL;
    enum zf_status status;

    if (compute)
        options.compute = *compute;
    options.compute.batch = 1;
    ZF_CHECK(zf_net_check_answers(net, err));
    ZF_TRY(zf_input_load(path, net, &input, NULL, err));
    if (input.n != 1)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s holds %" PRId64 " inputs, not one", path, input.n));
    ZF_TRY(zf_tensor_init(&values, 1, zf_net_class_count(net), 1, 1, err));
    ZF_TRY(zf_plan_create(net, &options, &plan, err));
    zf_plan_forward(plan, &input);
    ZF_TRY(zf_plan_check_finite(plan, &input, NULL, err));
    ZF_TRY(zf_plan_answer(plan, &values, err));
    ZF_TRY(check_finite(net, &values, path, err));
    *count = zf_predictions(net, values.data, best, most);
fail:
    zf_plan_free(&plan);
    zf_tensor_release(&values);
    zf_tensor_release(&input);
    return status;
}
