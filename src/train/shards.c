/* SPDX-License-Identifier: MIT */
#include "shards.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/parallel.h"
#include "net/plan.h"
#include "train/step.h"

#define BLOCK 2048 /* numbers that stay in the first cache while they go through the tree */

#define WORTH_SENDING 16384 /* numbers, before all are there */

/* What a rank tells of a step before its last gradients. */
struct zf_report {
    struct zf_wish wish;
    struct zf_score scores[]; /* of its shards */
};

static bool is_power_of_two(int64_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

enum zf_status zf_shards_check(int64_t shards, int64_t batch, const struct zf_ranks *ranks,
                               struct zf_error *err)
{
    const int count = zf_ranks_count(ranks);

    if (!is_power_of_two(shards) || shards > ZF_SHARDS_MOST)
        return zf_fail(err, ZF_EINVAL, "%" PRId64 " shards, but must be 1, 2, 4, ... or %d", shards,
                       ZF_SHARDS_MOST);
    if (batch % shards != 0)
        return zf_fail(err, ZF_EINVAL,
                       "a batch of %" PRId64 " pictures does not come in %" PRId64
                       " equal shards; choose another --batch or --shards",
                       batch, shards);
    if (!is_power_of_two(count) || count > shards)
        return zf_fail(err, ZF_EINVAL,
                       "%d ranks cannot share the %" PRId64 " shards of a batch evenly: it takes "
                       "1, 2, 4, ... of them, and no more ranks than shards",
                       count, shards);
    return ZF_OK;
}

/* The parts that gradients are sent in: at layers, the same on all ranks, whatever they have. */
static bool cut_parameters(struct zf_training *t)
{
    struct zf_shards *s = &t->shards;
    int64_t end = zf_net_gradient_floats(t->net);

    s->cuts = zf_alloc((size_t)t->net->slot_count + 1, sizeof *s->cuts);
    if (!s->cuts)
        return false;
    for (int k = t->net->slot_count - 1; k > 0; k--) {
        const struct zf_parameter_slot *slot = &t->net->slots[k];
        const bool begins = t->net->layers[slot->layer].first_parameter == k;

        if (begins && end - slot->offset >= WORTH_SENDING)
            s->cuts[s->cut_count++] = end = slot->offset;
    }
    s->cuts[s->cut_count++] = 0;
    return true;
}

/* No rank's part of the parameters cuts a filter, whose RMS is of all of it. */
static int64_t place(void *user, int64_t at)
{
    const struct zf_training *t = user;

    return zf_step_place(t->net, at);
}

/* The sums over the batch are there for some of the parameters: their step. */
static void descend(void *user, int64_t begin, int64_t end)
{
    struct zf_training *t = user;
    struct zf_shards *s = &t->shards;

    if (s->factor != 1)
        for (int64_t i = begin; i < end; i++)
            s->total[i] *= s->factor;
    zf_step_apply_part(t->net, s->total, t->velocity, begin, end, &s->step);
}

static enum zf_status create_sum(struct zf_training *t, struct zf_error *err)
{
    struct zf_shards *s = &t->shards;

    return zf_sum_create(t->options->compute.ranks,
                         &(struct zf_sum_work){.values = s->total,
                                               .results = t->net->parameters,
                                               .count = zf_net_gradient_floats(t->net),
                                               .parts = s->cuts,
                                               .part_count = s->cut_count,
                                               .user = t,
                                               .place = place,
                                               .make = descend},
                         &s->ranks, err);
}

enum zf_status zf_shards_init(struct zf_training *t, struct zf_error *err)
{
    struct zf_shards *s = &t->shards;
    const int ranks = zf_ranks_count(t->options->compute.ranks);
    const size_t floats = (size_t)zf_net_gradient_floats(t->net);
    size_t bytes = sizeof *s->report;
    int level = 0;

    s->count = t->at.shards;
    s->size = t->batch / s->count;
    s->own = s->count / ranks;
    s->first = s->own * zf_ranks_rank(t->options->compute.ranks);
    s->total = t->gradients;
    for (; INT64_C(1) << level < s->own; level++) {
        s->sums[level] = zf_alloc(floats, sizeof *s->sums[level]);
        if (!s->sums[level])
            return zf_no_memory(err, "sums of %zu gradients", floats);
        s->total = s->sums[level];
    }
    bytes += (size_t)s->own * sizeof *s->report->scores;
    if (!cut_parameters(t))
        return zf_no_memory(err, "the parts of %zu gradients", floats);
    s->report_bytes = bytes;
    s->report = zf_alloc(1, bytes);
    s->all = zf_alloc((size_t)ranks, bytes);
    if (!s->report || !s->all)
        return zf_no_memory(err, "the reports of %d ranks", ranks);
    return create_sum(t, err);
}

void zf_shards_release(struct zf_training *t)
{
    struct zf_shards *s = &t->shards;

    for (int level = 0; level < ZF_SHARD_LEVELS; level++)
        zf_free(s->sums[level]);
    zf_free(s->cuts);
    zf_free(s->report);
    zf_free(s->all);
    zf_sum_free(&s->ranks);
    *s = (struct zf_shards){0};
}

/* Numbers of this rank's shard `i` into the tree: on their way up they meet what waits there, and
   wait themselves where nothing does, or have arrived. */
static void add_block(const struct zf_shards *s, int64_t i, const float *gradients, int64_t at,
                      int64_t count)
{
    float block[BLOCK];
    int level = 0;

    memcpy(block, gradients + at, (size_t)count * sizeof *block);
    for (; i >> level & 1; level++) {
        const float *waiting = s->sums[level] + at;

        for (int64_t k = 0; k < count; k++)
            block[k] = waiting[k] + block[k];
    }
    memcpy((i + 1 < s->own ? s->sums[level] : s->total) + at, block, (size_t)count * sizeof *block);
}

/* Of the gradients those from `begin` to `end`. */
static void add_shard(const struct zf_training *t, int64_t i, int64_t begin, int64_t end)
{
    if (t->shards.own == 1)
        return;
    ZF_PARALLEL_FOR((int)t->at.threads)
    for (int64_t at = begin; at < end; at += BLOCK)
        add_block(&t->shards, i, t->gradients, at, end - at < BLOCK ? end - at : BLOCK);
}

/* The next shard: pictures, answers, and what they are worth. */
static enum zf_status forward(struct zf_training *t, int64_t i, struct zf_batch *batch,
                              struct zf_score *score, struct zf_error *err)
{
    const struct zf_shards *s = &t->shards;
    const int64_t steps = (t->at.epoch - 1) * t->batches + t->at.batches;
    struct zf_tensor input, probabilities = t->probabilities;
    bool done = true;

    while (done) /* the end of the epoch before this one */
        ZF_CHECK(zf_loader_next(t->loader, batch, &done, err));
    t->at.waited += batch->waited_s;
    t->pictures_s += batch->waited_s;
    if (batch->count == 0)
        return ZF_OK;
    input = batch->input;
    probabilities.n = batch->count;
    if (s->count == 1)
        input.n = batch->count;
    else /* the empty rows as well: zeros, and not what the shard before this one left there */
        zf_plan_set_part(t->plan, (s->first + i) * s->size, t->batch);
    zf_plan_forward_train(t->plan, &input, (uint64_t)t->at.seed, (uint64_t)steps + 1);
    zf_plan_read(t->plan, t->net->layer_count - 1, &probabilities);
    zf_score_add(score, &probabilities, batch->labels);
    if (!isfinite(score->loss))
        return zf_training_not_finite(t, &input, err);
    return ZF_OK;
}

static const struct zf_report *report_of(const struct zf_shards *s, int rank)
{
    return (const struct zf_report *)((const char *)s->all + (size_t)rank * s->report_bytes);
}

/* Everybody's reports have come: whether the step takes place, and the score of the batch, in the
   order of shards. Each shard's gradients are of a mean over the whole batch; of one with pictures
   that cannot be read, the mean is over those that can. */
static void read_reports(struct zf_training *t)
{
    struct zf_shards *s = &t->shards;

    for (int k = 0; k < zf_ranks_count(t->options->compute.ranks); k++) {
        const struct zf_report *report = report_of(s, k);

        s->failed |= report->wish.status != ZF_OK;
        s->stop |= report->wish.stop;
        s->save |= report->wish.save;
        for (int64_t i = 0; i < s->own; i++)
            zf_score_merge(&s->score, &report->scores[i]);
    }
    s->factor = 1;
    if (s->count > 1 && s->score.images > 0 && s->score.images < t->batch)
        s->factor = (float)((double)t->batch / (double)s->score.images);
    s->descends = !s->failed && s->score.images > 0;
    if (s->descends)
        zf_sum_allow(s->ranks);
    s->reported = true;
}

/* The last shard's gradients from `begin` up are there: all parts of them that are not on their way
   join the sum over the batch. */
static void send_from(struct zf_training *t, int64_t begin)
{
    struct zf_shards *s = &t->shards;

    if (!s->reported && zf_ranks_gather_there(t->options->compute.ranks, &s->reports))
        read_reports(t);
    for (; s->sent < s->cut_count && s->cuts[s->sent] >= begin; s->sent++) {
        const int64_t end = s->sent ? s->cuts[s->sent - 1] : zf_net_gradient_floats(t->net);

        add_shard(t, s->own - 1, s->cuts[s->sent], end);
        zf_sum_begin(s->ranks, s->sent);
    }
}

/* The way down meets the layers from the last to the first, as their parameters lie; so the fully
   connected ones, with most of the numbers, travel while the convolutions are still computed. */
static void send_layer(void *user, int layer)
{
    const struct zf_training *t = user;

    send_from(user, t->net->slots[t->net->layers[layer].first_parameter].offset);
}

/* batch  NULL = this rank has none, and adds zeros */
static void backward(struct zf_training *t, int64_t i, const struct zf_batch *batch)
{
    struct zf_shards *s = &t->shards;
    const int64_t floats = zf_net_gradient_floats(t->net);
    const bool last = i + 1 == s->own;

    s->sent = 0;
    if (batch && batch->count > 0)
        zf_plan_backward_told(t->plan, batch->labels, last ? send_layer : NULL, t);
    else
        memset(t->gradients, 0, (size_t)floats * sizeof *t->gradients);
    if (last)
        send_from(t, 0);
    else
        add_shard(t, i, 0, floats);
}

static struct zf_step step_of(const struct zf_training *t)
{
    const struct zf_recipe *recipe = &t->at.recipe;
    const int64_t at = (t->at.epoch - 1) * t->batches + t->at.batches;

    return (struct zf_step){.lr = zf_schedule_rate(&t->at.schedule, recipe, at, t->batches),
                            .momentum = recipe->momentum,
                            .weight_decay = recipe->weight_decay,
                            .rms_limit = recipe->rms_limit,
                            .threads = (int)t->at.threads};
}

/* What is known of the step that begins. */
static void begin_step(struct zf_training *t, const struct zf_wish *wish)
{
    struct zf_shards *s = &t->shards;

    memset(s->report, 0, s->report_bytes);
    s->report->wish = *wish;
    s->score = (struct zf_score){0};
    s->reported = s->failed = s->save = false;
    s->step = step_of(t);
}

enum zf_status zf_shards_step(struct zf_training *t, const struct zf_wish *wish,
                              struct zf_score *score, struct zf_error *err)
{
    struct zf_ranks *ranks = t->options->compute.ranks;
    struct zf_shards *s = &t->shards;
    enum zf_status *status = &s->report->wish.status;
    struct zf_batch batch = {0};

    begin_step(t, wish);
    for (int64_t i = 0; i < s->own && *status == ZF_OK; i++) {
        *status = forward(t, i, &batch, &s->report->scores[i], err);
        if (i + 1 < s->own && *status == ZF_OK)
            backward(t, i, &batch);
    }
    /* They travel with the gradients: a rank that has failed adds zeros, for nobody's use. */
    zf_ranks_gather_begin(ranks, s->report, s->report_bytes, s->all, &s->reports);
    backward(t, s->own - 1, *status == ZF_OK ? &batch : NULL);
    ZF_CHECK(zf_ranks_gather_end(ranks, &s->reports, err));
    if (!s->reported)
        read_reports(t);
    ZF_CHECK(zf_sum_end(s->ranks, err));
    if (s->failed)
        return zf_ranks_agree(ranks, *status, err);
    zf_score_merge(score, &s->score);
    if (s->descends)
        zf_plan_refresh(t->plan);
    return ZF_OK;
}
