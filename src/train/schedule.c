/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include <math.h>

struct zf_schedule zf_schedule_begin(const struct zf_recipe *recipe)
{
    const double scale =
        recipe->lr_batch > 0 ? (double)recipe->batch / (double)recipe->lr_batch : 1;

    return (struct zf_schedule){.lr = recipe->lr * scale, .best = INFINITY};
}

double zf_schedule_rate(const struct zf_schedule *schedule, const struct zf_recipe *recipe,
                        int64_t step, int64_t steps)
{
    const double rising = recipe->warmup * (double)steps, at = (double)step + 1;

    return at < rising ? schedule->lr * at / rising : schedule->lr;
}

bool zf_schedule_epoch(struct zf_schedule *schedule, const struct zf_recipe *recipe, int64_t epoch,
                       double error)
{
    if (error < schedule->best) {
        schedule->best = error;
        schedule->best_epoch = epoch;
        schedule->waited = 0;
        return true;
    }
    if (++schedule->waited < recipe->patience)
        return false;
    schedule->waited = 0;
    if (recipe->drops > 0 && schedule->falls == recipe->drops) {
        schedule->ended = 1;
    } else {
        schedule->lr *= recipe->lr_drop;
        schedule->falls++;
    }
    return false;
}
