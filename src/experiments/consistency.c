/* SPDX-License-Identifier: MIT */
/* From signs to numbers: how consistent a part's changes are, and how likely that is by chance. */
#include "experiments/consistency.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"

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

static double between(const struct zf_trial *trial, size_t i, size_t a, size_t j, size_t b)
{
    return zf_signs_distance(trial->signs, i * trial->per_picture + a, j * trial->per_picture + b);
}

struct zf_consistency zf_consistency_of_part(const struct zf_trial *trial, size_t part)
{
    struct moments pairs = {0};

    for (size_t i = 0; i < trial->pictures; i++) {
        for (size_t j = i + 1; j < trial->pictures; j++) {
            if (zf_trial_shows(trial, i, part) && zf_trial_shows(trial, j, part))
                moments_add(&pairs, between(trial, i, part, j, part));
        }
    }
    return (struct zf_consistency){pairs.mean, moments_std(&pairs), 0.0, 1.0};
}

struct zf_consistency zf_consistency_of_random(const struct zf_trial *trial)
{
    struct moments pairs = {0}, repeats = {0};

    for (size_t k = trial->parts; k < trial->per_picture; k++) {
        struct moments repeat = {0};

        for (size_t i = 0; i < trial->pictures; i++) {
            for (size_t j = i + 1; j < trial->pictures; j++) {
                const double distance = between(trial, i, k, j, k);

                moments_add(&pairs, distance);
                moments_add(&repeat, distance);
            }
        }
        moments_add(&repeats, repeat.mean);
    }
    return (struct zf_consistency){repeats.mean, moments_std(&pairs),
                                   moments_std(&repeats) / sqrt((double)repeats.count), 1.0};
}

/* ---- The test. ---- */

/* Distances between the candidates (0 = the part, then the random places) of pictures that show
   the part: [shown * candidates] on both sides. */
struct distances {
    size_t shown, candidates;
    float *values;
};

static float *cell(const struct distances *distances, size_t i, size_t a, size_t j, size_t b)
{
    const size_t side = distances->shown * distances->candidates;

    return &distances
                ->values[(i * distances->candidates + a) * side + j * distances->candidates + b];
}

static enum zf_status distances_init(struct distances *distances, const struct zf_trial *trial,
                                     size_t part, struct zf_error *err)
{
    size_t *shown = zf_alloc(trial->pictures, sizeof(*shown));
    enum zf_status status = ZF_OK;
    int64_t side, bytes;

    if (!shown)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    for (size_t i = 0; i < trial->pictures; i++) {
        if (zf_trial_shows(trial, i, part))
            shown[distances->shown++] = i;
    }
    distances->candidates = 1 + trial->per_picture - trial->parts;
    side = (int64_t)(distances->shown * distances->candidates);
    if (!zf_mul3(side, side, sizeof(float), &bytes) || bytes > MAX_BYTES) {
        status = zf_fail(err, ZF_EUNSUPPORTED,
                         "%" PRId64 " hidden squares are too many to compare each with each; take "
                         "fewer pictures or random places",
                         side);
        goto fail;
    }
    distances->values = zf_alloc_raw((size_t)(side * side), sizeof(float));
    if (!distances->values) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for %" PRId64 " bytes of distances", bytes);
        goto fail;
    }
    for (size_t i = 0; i < distances->shown; i++)
        for (size_t j = i + 1; j < distances->shown; j++)
            for (size_t a = 0; a < distances->candidates; a++)
                for (size_t b = 0; b < distances->candidates; b++)
                    *cell(distances, i, a, j, b) =
                        (float)between(trial, shown[i], a ? trial->parts + a - 1 : part, shown[j],
                                       b ? trial->parts + b - 1 : part);
fail:
    zf_free(shown);
    return status;
}

static double sum_of(const struct distances *distances, const size_t *chosen)
{
    double sum = 0.0;

    for (size_t i = 0; i < distances->shown; i++) {
        for (size_t j = i + 1; j < distances->shown; j++)
            sum += (double)*cell(distances, i, chosen[i], j, chosen[j]);
    }
    return sum;
}

enum zf_status zf_consistency_test(const struct zf_trial *trial, size_t part, int64_t permutations,
                                   struct zf_random random, double *p, struct zf_error *err)
{
    struct distances distances = {0};
    size_t *chosen = zf_alloc(trial->pictures, sizeof(*chosen));
    int64_t as_alike = 1; /* the arrangement that was seen is one of them */
    enum zf_status status;
    double seen;

    if (!chosen)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    ZF_TRY(distances_init(&distances, trial, part, err));
    seen = sum_of(&distances, chosen);
    for (int64_t n = 0; n < permutations; n++) {
        for (size_t i = 0; i < distances.shown; i++)
            chosen[i] = (size_t)zf_random_below(&random, distances.candidates);
        as_alike += sum_of(&distances, chosen) <= seen;
    }
    *p = (double)as_alike / (double)(permutations + 1);
fail:
    zf_free(distances.values);
    zf_free(chosen);
    return status;
}
