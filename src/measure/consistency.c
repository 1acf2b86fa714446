/* SPDX-License-Identifier: MIT */
/* From signs to numbers: how consistent a part's changes are, and how likely that is by chance. */
#include "measure/consistency.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"

#define TIE 1e-12                    /* sums of equal distances, whatever their order */
#define MAX_BYTES ((int64_t)1 << 30) /* of the distances between random places */

/* A mean and a deviation, one value at a time (Welford). */
struct moments {
    int64_t count;
    double mean, squares;
};

static void moments_add(struct moments *moments, double value)
{
    const double departure = value - moments->mean;

    moments->mean += departure / (double)++moments->count;
    moments->squares += departure * (value - moments->mean);
}

static double moments_std(const struct moments *moments)
{
    return moments->count > 1 ? sqrt(moments->squares / (double)(moments->count - 1)) : 0.0;
}

/* Between vector a of picture i and vector b of picture j, i < j. */
static float *cell(const struct zf_trial *trial, size_t i, size_t a, size_t j, size_t b)
{
    const size_t side = trial->pictures * trial->per_picture;

    return &trial->distances[(i * trial->per_picture + a) * side + j * trial->per_picture + b];
}

static double between(const struct zf_trial *trial, size_t i, size_t a, size_t j, size_t b)
{
    return (double)*cell(trial, i, a, j, b);
}

enum zf_status zf_trial_measure(struct zf_trial *trial, const struct zf_signs *signs,
                                struct zf_error *err)
{
    const size_t per_picture = trial->per_picture;
    const int64_t side = (int64_t)(trial->pictures * per_picture);
    int64_t bytes;

    if (!zf_mul3(side, side, sizeof(float), &bytes) || bytes > MAX_BYTES)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "%" PRId64 " hidden squares are too many to compare each with each; take "
                       "fewer pictures or random places",
                       side);
    trial->distances = zf_alloc_raw((size_t)(side * side), sizeof(float));
    if (!trial->distances)
        return zf_no_memory(err, "%" PRId64 " bytes of distances", bytes);
    for (size_t i = 0; i < trial->pictures; i++)
        for (size_t j = i + 1; j < trial->pictures; j++)
            for (size_t a = 0; a < per_picture; a++)
                for (size_t b = 0; b < per_picture; b++)
                    *cell(trial, i, a, j, b) =
                        (float)zf_signs_distance(signs, i * per_picture + a, j * per_picture + b);
    return ZF_OK;
}

void zf_trial_release(struct zf_trial *trial)
{
    zf_free(trial->distances);
    trial->distances = NULL;
}

struct zf_consistency zf_consistency_of_part(const struct zf_trial *trial, size_t part)
{
    struct moments pairs = {0}, changes = {0};

    for (size_t i = 0; i < trial->pictures; i++) {
        if (zf_trial_shows(trial, i, part))
            moments_add(&changes, trial->changes[i * trial->per_picture + part]);
        for (size_t j = i + 1; j < trial->pictures; j++) {
            if (zf_trial_shows(trial, i, part) && zf_trial_shows(trial, j, part))
                moments_add(&pairs, between(trial, i, part, j, part));
        }
    }
    return (struct zf_consistency){
        .mean = pairs.mean, .std = moments_std(&pairs), .change = changes.mean, .p = 1.0};
}

struct zf_consistency zf_consistency_of_random(const struct zf_trial *trial)
{
    struct moments pairs = {0}, repeats = {0}, changes = {0};

    for (size_t k = trial->parts; k < trial->per_picture; k++) {
        struct moments repeat = {0};

        for (size_t i = 0; i < trial->pictures; i++) {
            moments_add(&changes, trial->changes[i * trial->per_picture + k]);
            for (size_t j = i + 1; j < trial->pictures; j++) {
                const double distance = between(trial, i, k, j, k);

                moments_add(&pairs, distance);
                moments_add(&repeat, distance);
            }
        }
        moments_add(&repeats, repeat.mean);
    }
    return (struct zf_consistency){.mean = repeats.mean,
                                   .std = moments_std(&pairs),
                                   .standard_error =
                                       moments_std(&repeats) / sqrt((double)repeats.count),
                                   .change = changes.mean,
                                   .p = 1.0};
}

/* ---- The test. ---- */

/* Which vector of each picture is called which part, and what else it could be. */
struct labels {
    size_t first, count; /* parts */
    size_t *pool;        /* [pictures * per_picture]: the parts that are shown, then all others */
    size_t *pooled;      /* [pictures] */
    size_t *chosen;      /* [pictures * count] vectors */
};

static void labels_release(struct labels *labels)
{
    zf_free(labels->pool);
    zf_free(labels->pooled);
    zf_free(labels->chosen);
}

static enum zf_status labels_init(struct labels *labels, const struct zf_trial *trial,
                                  struct zf_error *err)
{
    labels->pool = zf_alloc(trial->pictures * trial->per_picture, sizeof *labels->pool);
    labels->pooled = zf_alloc(trial->pictures, sizeof *labels->pooled);
    labels->chosen = zf_alloc(trial->pictures * labels->count, sizeof *labels->chosen);
    if (!labels->pool || !labels->pooled || !labels->chosen)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    for (size_t i = 0; i < trial->pictures; i++) {
        size_t *pool = labels->pool + i * trial->per_picture;

        for (size_t p = labels->first; p < labels->first + labels->count; p++) {
            labels->chosen[i * labels->count + p - labels->first] = p;
            if (zf_trial_shows(trial, i, p))
                pool[labels->pooled[i]++] = p;
        }
        for (size_t k = trial->parts; k < trial->per_picture; k++)
            pool[labels->pooled[i]++] = k;
    }
    return ZF_OK;
}

/* Draw without putting back: no vector is called two parts. */
static void labels_shuffle(struct labels *labels, const struct zf_trial *trial,
                           struct zf_random *random)
{
    for (size_t i = 0; i < trial->pictures; i++) {
        size_t *pool = labels->pool + i * trial->per_picture, taken = 0;

        for (size_t p = 0; p < labels->count; p++) {
            size_t at, vector;

            if (!zf_trial_shows(trial, i, labels->first + p))
                continue;
            at = taken + (size_t)zf_random_below(random, labels->pooled[i] - taken);
            vector = pool[at];
            pool[at] = pool[taken];
            pool[taken++] = vector;
            labels->chosen[i * labels->count + p] = vector;
        }
    }
}

/* Ways to call vectors the parts; infinite when they are very many. */
static double arrangements(const struct labels *labels, const struct zf_trial *trial)
{
    double ways = 1.0;

    for (size_t i = 0; i < trial->pictures; i++) {
        size_t left = labels->pooled[i];

        for (size_t p = 0; p < labels->count; p++)
            ways *= zf_trial_shows(trial, i, labels->first + p) ? (double)left-- : 1.0;
    }
    return ways;
}

/* The sum of the parts' Deltas. */
static double sum_of(const struct labels *labels, const struct zf_trial *trial)
{
    double total = 0.0;

    for (size_t p = 0; p < labels->count; p++) {
        double sum = 0.0;
        int64_t pairs = 0;

        for (size_t i = 0; i < trial->pictures; i++) {
            for (size_t j = i + 1; j < trial->pictures; j++) {
                if (!zf_trial_shows(trial, i, labels->first + p) ||
                    !zf_trial_shows(trial, j, labels->first + p))
                    continue;
                sum += between(trial, i, labels->chosen[i * labels->count + p], j,
                               labels->chosen[j * labels->count + p]);
                pairs++;
            }
        }
        total += pairs > 0 ? sum / (double)pairs : 0.0;
    }
    return total;
}

enum zf_status zf_consistency_test(const struct zf_trial *trial, size_t first, size_t count,
                                   int64_t permutations, struct zf_random random,
                                   struct zf_consistency *it, struct zf_error *err)
{
    struct labels labels = {.first = first, .count = count};
    int64_t as_alike = 1; /* the arrangement that was seen is one of them */
    enum zf_status status;
    double seen;

    ZF_TRY(labels_init(&labels, trial, err));
    seen = sum_of(&labels, trial) + TIE;
    for (int64_t n = 0; n < permutations; n++) {
        labels_shuffle(&labels, trial, &random);
        as_alike += sum_of(&labels, trial) <= seen;
    }
    it->least_p = 1.0 / fmin(arrangements(&labels, trial), (double)(permutations + 1));
    it->p = fmax((double)as_alike / (double)(permutations + 1), it->least_p);
fail:
    labels_release(&labels);
    return status;
}
