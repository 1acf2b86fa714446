/* SPDX-License-Identifier: MIT */
#include "learn/folds.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"

/* The samples of one class after the other: those of class k are members[first[k]] up to
   members[first[k + 1]]. */
struct classes {
    int64_t *members; /* [data count] */
    int64_t *first;   /* [classes + 1] */
};

static enum zf_status classes_init(struct classes *c, const struct zf_data *data,
                                   struct zf_error *err)
{
    const int64_t count = zf_data_count(data), classes = zf_data_class_count(data);
    int64_t *next = zf_alloc((size_t)classes + 1, sizeof *next);

    c->members = zf_alloc((size_t)count, sizeof *c->members);
    c->first = zf_alloc((size_t)classes + 1, sizeof *c->first);
    if (!next || !c->members || !c->first) {
        zf_free(next);
        return zf_no_memory(err, "%" PRId64 " pictures", count);
    }
    for (int64_t i = 0; i < count; i++)
        c->first[zf_data_label(data, i) + 1] += zf_data_label(data, i) >= 0;
    for (int64_t k = 0; k < classes; k++)
        c->first[k + 1] += c->first[k];
    for (int64_t k = 0; k < classes; k++)
        next[k] = c->first[k];
    for (int64_t i = 0; i < count; i++) {
        if (zf_data_label(data, i) >= 0)
            c->members[next[zf_data_label(data, i)]++] = i;
    }
    zf_free(next);
    return ZF_OK;
}

static void classes_release(struct classes *c)
{
    zf_free(c->members);
    zf_free(c->first);
}

static enum zf_status check_sizes(const struct classes *c, const struct zf_data *data, int64_t most,
                                  struct zf_error *err)
{
    for (int64_t k = 0; k < zf_data_class_count(data); k++) {
        const int64_t size = c->first[k + 1] - c->first[k];

        if (size <= most)
            return zf_fail(err, ZF_EINPUT,
                           "class %s of %s has %" PRId64 " pictures, but %" PRId64
                           " to train on and one to test on need %" PRId64,
                           zf_data_class(data, k), zf_data_name(data), size, most, most + 1);
    }
    return ZF_OK;
}

static void shuffle(int64_t *items, int64_t count, struct zf_random random)
{
    for (int64_t i = count - 1; i > 0; i--) {
        const int64_t j = (int64_t)zf_random_below(&random, (uint64_t)i + 1);
        const int64_t item = items[i];

        items[i] = items[j];
        items[j] = item;
    }
}

int zf_compare_samples(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

enum zf_status zf_fold_draw(struct zf_fold *out, const struct zf_data *data, int64_t most,
                            int64_t test_per_class, uint64_t seed, int64_t fold,
                            struct zf_error *err)
{
    enum zf_status status;
    const int64_t classes = zf_data_class_count(data);
    struct classes by_class = {0};
    struct zf_fold drawn = {0};

    ZF_TRY(classes_init(&by_class, data, err));
    ZF_TRY(check_sizes(&by_class, data, most, err));
    drawn.train_count = most * classes; /* no more than there are pictures */
    drawn.train = zf_alloc((size_t)drawn.train_count, sizeof *drawn.train);
    drawn.test = zf_alloc((size_t)zf_data_count(data), sizeof *drawn.test);
    if (!drawn.train || !drawn.test)
        ZF_LEAVE(zf_no_memory(err, "%" PRId64 " pictures", zf_data_count(data)));
    for (int64_t k = 0; k < classes; k++) {
        int64_t *members = by_class.members + by_class.first[k];
        const int64_t size = by_class.first[k + 1] - by_class.first[k];

        shuffle(members, size, zf_random_stream(seed, ZF_RANDOM_FOLD, (uint64_t)fold, (uint64_t)k));
        for (int64_t i = 0; i < most; i++)
            drawn.train[i * classes + k] = members[i];
        for (int64_t i = most; i < size && i - most < test_per_class; i++)
            drawn.test[drawn.test_count++] = members[i];
    }
    qsort(drawn.test, (size_t)drawn.test_count, sizeof *drawn.test, zf_compare_samples);
    *out = drawn;
    drawn = (struct zf_fold){0};
fail:
    zf_fold_release(&drawn);
    classes_release(&by_class);
    return status;
}

void zf_fold_release(struct zf_fold *fold)
{
    zf_free(fold->train);
    zf_free(fold->test);
    *fold = (struct zf_fold){0};
}
