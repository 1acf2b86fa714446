/* SPDX-License-Identifier: MIT */
/* Whether a run may go on: the same data, recipe and seed as before. */
#include "checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "base/fnv.h"
#include "base/status.h"
#include "train/checkpoint_fields.h"

/* The end of the text included. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    return zf_fnv(hash, text, strlen(text) + 1);
}

struct zf_data_identity zf_data_identify(const struct zf_data *data)
{
    struct zf_data_identity identity = {0};

    if (!data)
        return identity;
    identity.count = zf_data_count(data);
    identity.hash = ZF_FNV_START;
    for (int64_t k = 0; k < zf_data_class_count(data); k++)
        identity.hash = hash_text(identity.hash, zf_data_class(data, k));
    for (int64_t i = 0; i < identity.count; i++) {
        identity.hash = hash_text(identity.hash, zf_data_path(data, i));
        identity.hash = (identity.hash ^ (uint64_t)zf_data_label(data, i)) * ZF_FNV_PRIME;
    }
    return identity;
}

static enum zf_status compare_data(const char *what, const struct zf_data_identity *was,
                                   const struct zf_data_identity *asked, struct zf_error *err)
{
    if (was->count != asked->count)
        return zf_fail(err, ZF_EINPUT,
                       "the run was begun with %" PRId64 " %s pictures, and is "
                       "asked to go on with %" PRId64,
                       was->count, what, asked->count);
    if (was->hash != asked->hash)
        return zf_fail(err, ZF_EINPUT,
                       "the run was begun with %" PRId64 " other %s pictures: "
                       "their paths or labels differ",
                       was->count, what);
    return ZF_OK;
}

static enum zf_status compare_recipe(const struct zf_recipe *was, const struct zf_recipe *asked,
                                     struct zf_error *err)
{
    size_t count;
    const struct zf_option *options = zf_recipe_options(&count);

    for (size_t i = 0; i < count; i++) {
        const double before = zf_option_number(&options[i], was);
        const double now = zf_option_number(&options[i], asked);

        if (before == now || strcmp(options[i].name, "epochs") == 0)
            continue;
        if (options[i].kind == ZF_OPTION_CHOICE)
            return zf_fail(err, ZF_EINPUT,
                           "the run was begun with %s %s, and is asked to go on "
                           "with %s",
                           options[i].name, options[i].choices[(int)before],
                           options[i].choices[(int)now]);
        return zf_fail(err, ZF_EINPUT,
                       "the run was begun with %s %.10g, and is asked to go on "
                       "with %.10g",
                       options[i].name, before, now);
    }
    return ZF_OK;
}

enum zf_status zf_checkpoint_compare_data(const struct zf_checkpoint *was,
                                          const struct zf_checkpoint *asked, struct zf_error *err)
{
    ZF_CHECK(compare_data("training", &was->data, &asked->data, err));
    return compare_data("validation", &was->val, &asked->val, err);
}

enum zf_status zf_checkpoint_compare(const struct zf_checkpoint *was,
                                     const struct zf_checkpoint *asked,
                                     const struct zf_monitor *monitor, struct zf_error *err)
{
    ZF_CHECK(zf_checkpoint_compare_data(was, asked, err));
    ZF_CHECK(compare_recipe(&was->recipe, &asked->recipe, err));
    if (was->seed != asked->seed)
        return zf_fail(err, ZF_EINPUT,
                       "the run was begun with seed %" PRId64 ", and is asked to "
                       "go on with %" PRId64,
                       was->seed, asked->seed);
    if (was->shards != asked->shards)
        return zf_fail(err, ZF_EINPUT,
                       "the run was begun with %" PRId64 " shards a batch, and is asked to go on "
                       "with %" PRId64,
                       was->shards, asked->shards);
    if (was->threads != asked->threads)
        zf_monitor_message(monitor,
                           "the run was begun with %" PRId64 " threads and goes on with %" PRId64
                           ": the last bits of its results may differ",
                           was->threads, asked->threads);
    if (strcmp(was->engine, asked->engine) != 0)
        zf_monitor_message(monitor,
                           "the run was begun on the engine %s and goes on with %s: the "
                           "last bits of its results may differ",
                           was->engine, asked->engine);
    return ZF_OK;
}
