/* SPDX-License-Identifier: MIT */
#include "training.h"

#include <inttypes.h>
#include <math.h>

#define WORTH_TELLING 0.05 /* share of the time that was spent waiting */

/* What a user can act on: faster storage, packed data, smaller pictures, more cores. */
static const char *format_wait(double wait, char *text, size_t size)
{
    if (wait > WORTH_TELLING)
        snprintf(text, size, "  %.0f %% waiting", 100 * wait);
    else
        text[0] = '\0';
    return text;
}

/* Seconds that are left, by the pace since the epoch before this one began: what was slower before,
   a busy machine or one that was stopped, is forgotten. < 0 while unknown. */
static double estimate_left(struct watch *watch, const struct zf_train_state *at, int64_t done)
{
    const struct mark now = {at->epoch, done, clock_seconds()};

    if (watch->begun.epoch == 0 || done < watch->begun.step) /* the first step, or another run */
        watch->before = watch->begun = now;
    else if (at->epoch > watch->begun.epoch) {
        watch->before = watch->begun;
        watch->begun = now;
    }
    if (done == watch->before.step)
        return -1;
    return (now.at_s - watch->before.at_s) / (double)(done - watch->before.step) *
           (double)(at->epochs * at->steps - done);
}

static bool on_step(void *user, const struct zf_train_state *at)
{
    struct watch *watch = user;
    const double left_s = estimate_left(watch, at, (at->epoch - 1) * at->steps + at->step);
    char stage[64], note[96], wait[48];

    watch->epochs = at->epochs;
    snprintf(stage, sizeof stage, "epoch %" PRId64 "/%" PRId64, at->epoch, at->epochs);
    snprintf(note, sizeof note, "loss %.4f  %.0f img/s%s", at->loss, at->images_per_second,
             format_wait(at->wait, wait, sizeof wait));
    return progress_show(watch->progress, stage, at->step, at->steps, note, left_s);
}

static void on_epoch(void *user, const struct zf_epoch *epoch, bool best)
{
    struct watch *watch = user;
    char val[64] = "", skipped[48] = "", took[32], wait[48];

    if (!isnan(epoch->val_top1_error))
        snprintf(val, sizeof val, "  val %.4f (top-5 %.4f)", epoch->val_top1_error,
                 epoch->val_top5_error);
    if (epoch->skipped > 0)
        snprintf(skipped, sizeof skipped, "  %" PRId64 " skipped", epoch->skipped);
    format_duration(epoch->seconds, took, sizeof took);
    format_wait(epoch->wait, wait, sizeof wait);
    progress_say(watch->progress,
                 "epoch %3" PRId64 "/%" PRId64
                 "  loss %.4f  train %.4f%s  lr %.3g  %.0f img/s  %s%s%s%s%s",
                 epoch->epoch, watch->epochs, epoch->loss, epoch->train_top1_error, val, epoch->lr,
                 epoch->images_per_second, took, wait, wait[0] ? " for pictures" : "", skipped,
                 best ? "  best" : "");
    watch->last = *epoch;
}

static void on_end(void *user, int64_t epoch, int64_t best_epoch, double best)
{
    struct watch *watch = user;

    watch->ended_epoch = epoch;
    watch->best_epoch = best_epoch;
    watch->best = best;
}

static bool on_progress(void *user, const char *stage, int64_t done, int64_t total)
{
    const struct watch *watch = user;

    return progress_show(watch->progress, stage, done, total, "", -1);
}

static void on_message(void *user, const char *sentence)
{
    const struct watch *watch = user;

    progress_say(watch->progress, "%s", sentence);
}

#define FEWEST_EPOCHS 4 /* that have a course */
#define BY_HEART 0.1    /* by so much validation errs more often than training */

void watch_advise(const struct watch *watch, char *text, size_t size)
{
    const int64_t ended = watch->ended_epoch, best = watch->best_epoch;
    const char *what = watch->validates ? "validation error" : "training loss";

    text[0] = '\0';
    if (ended < FEWEST_EPOCHS || watch->last.epoch == 0)
        return;
    if (10 * best > 9 * ended)
        snprintf(text, size,
                 "the %s was still falling when it ended: more epochs should lower it "
                 "(zfscope train -o RUN --resume --epochs %" PRId64 ")",
                 what, 2 * ended);
    else if (watch->validates && 4 * best <= 3 * ended &&
             watch->last.val_top1_error - watch->last.train_top1_error > BY_HEART)
        snprintf(text, size,
                 "the validation error has not fallen since epoch %" PRId64 " of %" PRId64
                 ", and training errs less (%.4f to %.4f): it learns its pictures by heart; more "
                 "of them, or a smaller net, would help, more epochs would not",
                 best, ended, watch->last.train_top1_error, watch->last.val_top1_error);
    else
        snprintf(text, size, "the %s has settled: the best was epoch %" PRId64 " of %" PRId64, what,
                 best, ended);
}

struct zf_train_monitor watch_monitor(struct watch *watch)
{
    return (struct zf_train_monitor){
        .user = watch,
        .step = on_step,
        .epoch = on_epoch,
        .end = on_end,
        .message = on_message,
        .progress = on_progress,
    };
}
