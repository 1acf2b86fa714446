/* SPDX-License-Identifier: MIT */
#include "experiments/compare/compare.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "train/loss.h"

/* Where the answers of one net go. */
struct listener {
    struct zf_verdict *verdicts;
    int32_t *labels;
};

static enum zf_status listen(void *user, const struct zf_eval_answer *answer, struct zf_error *err)
{
    const struct listener *listener = user;
    struct zf_verdict *verdict = &listener->verdicts[answer->sample];

    (void)err;
    listener->labels[answer->sample] = answer->label;
    if (answer->label < 0)
        return ZF_OK;
    verdict->predicted = zf_most_probable(answer->probabilities, answer->classes);
    verdict->right = verdict->predicted == answer->label;
    verdict->confidence = answer->probabilities[verdict->predicted];
    verdict->label_probability = answer->probabilities[answer->label];
    return ZF_OK;
}

void zf_compared_free(struct zf_compared **compared)
{
    if (!compared || !*compared)
        return;
    zf_free((*compared)->labels);
    zf_free((*compared)->second_labels);
    zf_free((*compared)->verdicts[0]);
    zf_free((*compared)->verdicts[1]);
    zf_free((*compared)->by_class);
    zf_free(*compared);
    *compared = NULL;
}

static struct zf_compared *make(int64_t samples, int64_t classes)
{
    struct zf_compared *made = zf_alloc(1, sizeof *made);

    if (!made)
        return NULL;
    made->samples = samples;
    made->classes = classes;
    made->labels = zf_alloc((size_t)samples, sizeof *made->labels);
    made->second_labels = zf_alloc((size_t)samples, sizeof *made->second_labels);
    made->by_class = zf_alloc((size_t)classes, sizeof *made->by_class);
    for (int i = 0; i < 2; i++)
        made->verdicts[i] = zf_alloc((size_t)samples, sizeof *made->verdicts[i]);
    if (!made->labels || !made->second_labels || !made->by_class || !made->verdicts[0] ||
        !made->verdicts[1]) {
        zf_compared_free(&made);
        return NULL;
    }
    for (int64_t i = 0; i < samples; i++)
        made->verdicts[0][i].predicted = made->verdicts[1][i].predicted = made->labels[i] =
            made->second_labels[i] = -1;
    return made;
}

enum zf_outcome zf_compared_outcome(const struct zf_compared *compared, int64_t sample)
{
    const bool first = compared->verdicts[0][sample].right;
    const bool second = compared->verdicts[1][sample].right;

    return first ? (second ? ZF_BOTH_RIGHT : ZF_ONLY_FIRST)
                 : (second ? ZF_ONLY_SECOND : ZF_BOTH_WRONG);
}

/* A picture that only one of the nets has seen does not count. */
static void count(struct zf_compared *compared, const struct zf_net *first,
                  const struct zf_net *second)
{
    for (int64_t i = 0; i < compared->samples; i++) {
        const int32_t a = compared->verdicts[0][i].predicted;
        const int32_t b = compared->verdicts[1][i].predicted;
        enum zf_outcome outcome;

        if (a < 0 || b < 0)
            continue;
        outcome = zf_compared_outcome(compared, i);
        compared->pictures++;
        compared->counts[outcome]++;
        compared->by_class[compared->labels[i]][outcome]++;
        compared->same_mistake += outcome == ZF_BOTH_WRONG &&
                                  strcmp(zf_net_label(first, a), zf_net_label(second, b)) == 0;
    }
}

enum zf_status zf_compare_run(const struct zf_net *first, const struct zf_net *second,
                              struct zf_data *data, const struct zf_eval_options *options,
                              struct zf_compared **out, const struct zf_monitor *monitor,
                              struct zf_error *err)
{
    const struct zf_net *const nets[] = {first, second};
    struct zf_compared *made = make(zf_data_count(data), zf_net_class_count(first));
    enum zf_status status = ZF_OK;

    if (!made)
        return zf_no_memory(err, "the answers to %" PRId64 " pictures", zf_data_count(data));
    zf_data_keep_some(data);
    for (int i = 0; i < 2; i++) {
        struct listener listener = {made->verdicts[i], i ? made->second_labels : made->labels};
        struct zf_eval_options listening = *options;

        listening.answer = listen;
        listening.user = &listener;
        ZF_TRY(zf_eval_run(&nets[i], 1, data, &listening, &made->results[i], NULL, NULL, monitor,
                           err));
    }
    ZF_TRY(zf_data_match(data, first, err));
    count(made, first, second);
    *out = made;
    made = NULL;
fail:
    zf_compared_free(&made);
    return status;
}

double zf_compare_chance(int64_t a, int64_t b)
{
    const double n = (double)(a + b);
    double sum = 0.0;

    for (int64_t k = 0; k <= (a < b ? a : b); k++)
        sum += exp(lgamma(n + 1.0) - lgamma((double)k + 1.0) - lgamma(n - (double)k + 1.0) -
                   n * log(2.0));
    return fmin(1.0, 2.0 * sum);
}

static float sureness(const struct zf_compared *compared, int64_t sample)
{
    float surest = 0.0f;

    for (int i = 0; i < 2; i++) {
        const struct zf_verdict *verdict = &compared->verdicts[i][sample];

        if (!verdict->right && verdict->confidence > surest)
            surest = verdict->confidence;
    }
    return surest;
}

size_t zf_compare_choose(const struct zf_compared *compared, enum zf_outcome outcome,
                         int64_t *samples, size_t most)
{
    size_t chosen = 0;

    for (int64_t i = 0; i < compared->samples; i++) {
        size_t at = chosen;

        if (compared->verdicts[0][i].predicted < 0 || compared->verdicts[1][i].predicted < 0 ||
            zf_compared_outcome(compared, i) != outcome)
            continue;
        while (at > 0 && sureness(compared, i) > sureness(compared, samples[at - 1]))
            at--;
        if (at == most)
            continue;
        chosen += chosen < most;
        for (size_t k = chosen - 1; k > at; k--)
            samples[k] = samples[k - 1];
        samples[at] = i;
    }
    return chosen;
}
