/* SPDX-License-Identifier: MIT */
#include "together.h"

#include <string.h>

#include "base/memory.h"
#include "model/metadata.h"
#include "train/alike.h"

bool zf_training_writes(const struct zf_training *t)
{
    return zf_ranks_rank(t->options->compute.ranks) == 0;
}

static void add_number(struct zf_facts *facts, const char *name, double value)
{
    zf_facts_add(facts, name, "%.10g", value);
}

static enum zf_status collect(const struct zf_training *t, struct zf_facts *facts,
                              struct zf_error *err)
{
    static const char *const precisions[] = {"f32", "bf16"};
    size_t count;
    const struct zf_option *options = zf_recipe_options(&count);

    zf_facts_add(facts, "the version", "%s", zf_version());
    zf_facts_add(facts, "the engine", "%s", t->at.engine);
    zf_facts_add(facts, "--precision", "%s", precisions[t->options->compute.precision]);
    add_number(facts, "--threads", (double)t->at.threads);
    add_number(facts, "--seed", (double)t->at.seed);
    add_number(facts, "--strict", t->options->strict);
    add_number(facts, "--resume", t->options->resume);
    for (size_t i = 0; i < count && facts->count < ZF_FACTS_MOST - 4; i++)
        add_number(facts, options[i].name, zf_option_number(&options[i], &t->at.recipe));
    ZF_CHECK(zf_facts_add_net(facts, t->net, err));
    zf_facts_add_data(facts, "the training data", t->data);
    zf_facts_add_data(facts, "the validation data", t->val);
    return ZF_OK;
}

enum zf_status zf_together_compare(struct zf_training *t, struct zf_error *err)
{
    struct zf_ranks *ranks = t->options->compute.ranks;
    struct zf_facts *mine = NULL;
    enum zf_status status;

    if (zf_ranks_count(ranks) == 1)
        return ZF_OK;
    mine = zf_alloc(1, sizeof *mine);
    if (!mine)
        return zf_no_memory(err, "what this rank was asked for");
    status = zf_facts_compare(ranks, mine, collect(t, mine, err), err);
    zf_free(mine);
    return status;
}

static enum zf_status share_labels(struct zf_training *t, struct zf_error *err)
{
    struct zf_ranks *ranks = t->options->compute.ranks;
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
    struct zf_ranks *ranks = t->options->compute.ranks;
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
    struct zf_ranks *ranks = t->options->compute.ranks;
    ZF_CHECK(zf_ranks_agree(ranks, begun, err));
    if (zf_ranks_count(ranks) == 1)
        return ZF_OK;
    ZF_CHECK(zf_ranks_share(ranks, 0, &t->at, sizeof t->at, err));
    ZF_CHECK(zf_ranks_share(ranks, 0, t->net->parameters,
                            (size_t)zf_net_gradient_floats(t->net) * sizeof(float), err));
    ZF_CHECK(zf_sum_carry(t->shards.ranks, t->velocity, false, err));
    ZF_CHECK(share_labels(t, err));
    return share_mean(t, err);
}
