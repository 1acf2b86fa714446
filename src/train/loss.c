/* SPDX-License-Identifier: MIT */
#include "loss.h"

#include <float.h>
#include <math.h>

/* Classes that come before `label`; `classes` when its probability is NaN. */
static int64_t rank_of(const float *probabilities, int64_t classes, int64_t label)
{
    const float right = probabilities[label];
    int64_t rank = 0;

    if (isnan(right))
        return classes;
    for (int64_t k = 0; k < classes; k++)
        rank += probabilities[k] > right || (probabilities[k] == right && k < label);
    return rank;
}

void zf_score_add(struct zf_score *score, const struct zf_tensor *probabilities,
                  const int32_t *labels)
{
    const int64_t classes = probabilities->c;

    for (int64_t i = 0; i < probabilities->n; i++) {
        const float *row = probabilities->data + i * classes;
        float right;
        int64_t rank;

        if (labels[i] < 0)
            continue;
        right = row[labels[i]];
        rank = rank_of(row, classes, labels[i]);
        score->loss -= log((double)(right < FLT_MIN ? FLT_MIN : right));
        score->images++;
        score->top1_wrong += rank >= 1 || isnan(right);
        score->top5_wrong += rank >= 5 || isnan(right);
    }
}

int32_t zf_most_probable(const float *probabilities, int64_t classes)
{
    int64_t best = 0;

    for (int64_t k = 1; k < classes; k++) {
        if (probabilities[k] > probabilities[best] || isnan(probabilities[best]))
            best = k;
    }
    return (int32_t)best;
}

void zf_score_merge(struct zf_score *total, const struct zf_score *part)
{
    total->loss += part->loss;
    total->images += part->images;
    total->top1_wrong += part->top1_wrong;
    total->top5_wrong += part->top5_wrong;
}

double zf_score_loss(const struct zf_score *score)
{
    return score->images ? score->loss / (double)score->images : NAN;
}

double zf_score_top1_error(const struct zf_score *score)
{
    return score->images ? (double)score->top1_wrong / (double)score->images : NAN;
}

double zf_score_top5_error(const struct zf_score *score)
{
    return score->images ? (double)score->top5_wrong / (double)score->images : NAN;
}
