/* SPDX-License-Identifier: MIT */
#include "together.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fnv.h"
#include "base/memory.h"
#include "model/metadata.h"
#include "train/checkpoint_fields.h"

#define MOST_FACTS 40
#define FACT_BYTES 96

/* What must be equal on all ranks, in words. */
struct facts {
    int count;
    const char *names[MOST_FACTS];
    char values[MOST_FACTS][FACT_BYTES];
};

bool zf_training_writes(const struct zf_training *t)
{
    return zf_ranks_rank(t->options->ranks) == 0;
}

static char *add(struct facts *facts, const char *name)
{
    facts->names[facts->count] = name;
    return facts->values[facts->count++];
}

static void add_number(struct facts *facts, const char *name, double value)
{
    snprintf(add(facts, name), FACT_BYTES, "%.10g", value);
}

static void add_data(struct facts *facts, const char *name, const struct zf_data *data)
{
    const struct zf_data_identity identity = zf_data_identify(data);

    if (data)
        snprintf(add(facts, name), FACT_BYTES,
                 "%" PRId64 " pictures whose paths and labels have the hash %016" PRIx64,
                 identity.count, identity.hash);
    else
        snprintf(add(facts, name), FACT_BYTES, "none");
}

static enum zf_status add_net(struct facts *facts, const struct zf_net *net, struct zf_error *err)
{
    const size_t bytes = (size_t)zf_net_gradient_floats(net) * sizeof *net->parameters;
    char *spec = zf_metadata_spec(net);

    if (!spec)
        return zf_no_memory(err, "the spec");
    snprintf(add(facts, "the net"), FACT_BYTES, "%.40s of hash %016" PRIx64, net->name,
             zf_fnv(ZF_FNV_START, spec, strlen(spec)));
    snprintf(add(facts, "the first weights"), FACT_BYTES, "numbers of hash %016" PRIx64,
             zf_fnv(ZF_FNV_START, net->parameters, bytes));
    zf_free(spec);
    return ZF_OK;
}

static enum zf_status collect(const struct zf_training *t, struct facts *facts,
                              struct zf_error *err)
{
    static const char *const precisions[] = {"f32", "bf16"};
    size_t count;
    const struct zf_option *options = zf_recipe_options(&count);

    snprintf(add(facts, "the version"), FACT_BYTES, "%s", zf_version());
    snprintf(add(facts, "the engine"), FACT_BYTES, "%s", t->at.engine);
    snprintf(add(facts, "--precision"), FACT_BYTES, "%s",
             precisions[t->options->compute.precision]);
    add_number(facts, "--threads", (double)t->at.threads);
    add_number(facts, "--seed", (double)t->at.seed);
    add_number(facts, "--strict", t->options->strict);
    add_number(facts, "--resume", t->options->resume);
    for (size_t i = 0; i < count && facts->count < MOST_FACTS - 4; i++)
        add_number(facts, options[i].name, zf_option_number(&options[i], &t->at.recipe));
    ZF_CHECK(add_net(facts, t->net, err));
    add_data(facts, "the training data", t->data);
    add_data(facts, "the validation data", t->val);
    return ZF_OK;
}

/* The first that differs, the same on all ranks. */
static enum zf_status find_difference(const struct zf_ranks *ranks, const struct facts *mine,
                                      const char (*all)[MOST_FACTS][FACT_BYTES],
                                      struct zf_error *err)
{
    for (int k = 1; k < zf_ranks_count(ranks); k++) {
        for (int i = 0; i < mine->count; i++)
            if (strcmp(all[k][i], all[0][i]) != 0)
                return zf_fail(err, ZF_EINPUT,
                               "rank %s differs from rank %s in %s: %s there, %s here",
                               zf_ranks_name(ranks, k), zf_ranks_name(ranks, 0), mine->names[i],
                               all[k][i], all[0][i]);
    }
    return ZF_OK;
}

enum zf_status zf_together_compare(struct zf_training *t, struct zf_error *err)
{
    struct zf_ranks *ranks = t->options->ranks;
    const size_t count = (size_t)zf_ranks_count(ranks);
    struct facts *mine = NULL;
    char(*all)[MOST_FACTS][FACT_BYTES] = NULL;
    enum zf_status status = ZF_OK;

    if (count == 1)
        return ZF_OK;
    mine = zf_alloc(1, sizeof *mine);
    all = zf_alloc(count, sizeof *all);
    status = mine && all ? collect(t, mine, err) : zf_no_memory(err, "what %zu ranks say", count);
    ZF_TRY(zf_ranks_agree(ranks, status, err));
    ZF_TRY(zf_ranks_gather(ranks, mine->values, sizeof mine->values, all, err));
    status = find_difference(ranks, mine, (const char(*)[MOST_FACTS][FACT_BYTES])all, err);
    if (status != ZF_OK)
        zf_ranks_all_know(ranks);
fail:
    zf_free(mine);
    zf_free(all);
    return status;
}

static enum zf_status share_labels(struct zf_training *t, struct zf_error *err)
{
    struct zf_ranks *ranks = t->options->ranks;
    const bool from = zf_training_writes(t);
    enum zf_status status = ZF_OK;
    char *text = from ? zf_metadata_labels(t->net) : NULL;
    int64_t size = text ? (int64_t)strlen(text) + 1 : 0;

    if (from && !text)
        status = zf_no_memory(err, "the labels");
    ZF_TRY(zf_ranks_agree(ranks, status, err));
    ZF_TRY(zf_ranks_share(ranks, 0, &size, sizeof size, err));
    if (!from)
        text = zf_alloc((size_t)size, 1);
    ZF_TRY(zf_ranks_agree(ranks, text ? ZF_OK : zf_no_memory(err, "the labels"), err));
    ZF_TRY(zf_ranks_share(ranks, 0, text, (size_t)size, err));
    status = from ? ZF_OK : zf_metadata_read_labels(text, "rank 0", t->net, err);
    ZF_TRY(zf_ranks_agree(ranks, status, err));
fail:
    zf_free(text);
    return status;
}

static enum zf_status share_mean(struct zf_training *t, struct zf_error *err)
{
    struct zf_ranks *ranks = t->options->ranks;
    struct zf_preparation preparation = t->net->preparation;
    const size_t floats = (size_t)(3 * preparation.size * preparation.size);
    enum zf_status status = ZF_OK;
    bool there = preparation.mean_image != NULL;
    float *mean = NULL;

    ZF_TRY(zf_ranks_share(ranks, 0, &there, sizeof there, err));
    if (!there)
        return ZF_OK;
    mean = zf_alloc(floats, sizeof *mean);
    ZF_TRY(zf_ranks_agree(ranks, mean ? ZF_OK : zf_no_memory(err, "a mean image"), err));
    if (preparation.mean_image)
        memcpy(mean, preparation.mean_image, floats * sizeof *mean);
    ZF_TRY(zf_ranks_share(ranks, 0, mean, floats * sizeof *mean, err));
    preparation.mean_image = mean;
    if (!zf_training_writes(t))
        status = zf_net_set_preparation(t->net, &preparation, err);
    ZF_TRY(zf_ranks_agree(ranks, status, err));
fail:
    zf_free(mean);
    return status;
}

enum zf_status zf_together_share(struct zf_training *t, enum zf_status begun, struct zf_error *err)
{
    struct zf_ranks *ranks = t->options->ranks;
    const size_t bytes = sizeof(float);

    ZF_CHECK(zf_ranks_agree(ranks, begun, err));
    if (zf_ranks_count(ranks) == 1)
        return ZF_OK;
    ZF_CHECK(zf_ranks_share(ranks, 0, &t->at, sizeof t->at, err));
    ZF_CHECK(zf_ranks_share(ranks, 0, t->net->parameters,
                            (size_t)zf_net_gradient_floats(t->net) * bytes, err));
    ZF_CHECK(
        zf_ranks_share(ranks, 0, t->velocity, (size_t)zf_net_gradient_floats(t->net) * bytes, err));
    ZF_CHECK(share_labels(t, err));
    return share_mean(t, err);
}
