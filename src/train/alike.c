/* SPDX-License-Identifier: MIT */
#include "train/alike.h"

#include <inttypes.h>
#include <string.h>

#include "base/fnv.h"
#include "base/memory.h"
#include "model/metadata.h"
#include "net/net.h"
#include "train/checkpoint.h"
#include "zf/engine.h"

enum zf_status zf_facts_add_net(struct zf_facts *facts, const struct zf_net *net,
                                struct zf_error *err)
{
    const size_t bytes = (size_t)zf_net_gradient_floats(net) * sizeof *net->parameters;
    char *spec = zf_metadata_spec(net);

    if (!spec)
        return zf_no_memory(err, "the spec");
    zf_facts_add(facts, "the net", "%.40s of hash %016" PRIx64, net->name,
                 zf_fnv(ZF_FNV_START, spec, strlen(spec)));
    zf_facts_add(facts, "the weights", "numbers of hash %016" PRIx64,
                 zf_fnv(ZF_FNV_START, net->parameters, bytes));
    zf_free(spec);
    return ZF_OK;
}

void zf_facts_add_data(struct zf_facts *facts, const char *name, const struct zf_data *data)
{
    const struct zf_data_identity identity = zf_data_identify(data);

    if (data)
        zf_facts_add(facts, name,
                     "%" PRId64 " pictures whose paths and labels have the hash %016" PRIx64,
                     identity.count, identity.hash);
    else
        zf_facts_add(facts, name, "none");
}

/* Crops, means and sizes; a command line may have changed the model's. */
static enum zf_status add_preparation(struct zf_facts *facts, const struct zf_net *net,
                                      struct zf_error *err)
{
    char *text = zf_metadata_preparation(net);

    if (!text)
        return zf_no_memory(err, "the preparation");
    zf_facts_add(facts, "the preparation of pictures", "words of hash %016" PRIx64,
                 zf_fnv(ZF_FNV_START, text, strlen(text)));
    zf_free(text);
    return ZF_OK;
}

static enum zf_status collect(const struct zf_alike *alike, struct zf_facts *facts,
                              struct zf_error *err)
{
    const struct zf_compute *compute = alike->compute;
    struct zf_engine_info engine;

    ZF_CHECK(zf_engine_describe(compute->engine, &engine, err));
    zf_facts_add(facts, "the version", "%s", zf_version());
    zf_facts_add(facts, "the engine", "%s %s on %s", engine.name, engine.version, engine.isa);
    zf_facts_add(facts, "--precision", "%s%s",
                 compute->precision == ZF_PRECISION_BF16 ? "bf16" : "f32",
                 compute->exact ? " --exact" : "");
    zf_facts_add(facts, "--threads", "%d", compute->threads);
    for (size_t i = 0; i < alike->net_count; i++) {
        ZF_CHECK(zf_facts_add_net(facts, alike->nets[i], err));
        ZF_CHECK(add_preparation(facts, alike->nets[i], err));
    }
    zf_facts_add_data(facts, "the data", alike->data);
    return ZF_OK;
}

enum zf_status zf_alike_check(const struct zf_alike *alike, struct zf_error *err)
{
    struct zf_ranks *ranks = alike->compute->ranks;
    struct zf_facts *facts;
    enum zf_status status;

    if (zf_ranks_count(ranks) == 1)
        return ZF_OK;
    facts = zf_alloc(1, sizeof *facts);
    if (!facts)
        return zf_no_memory(err, "what this rank was asked for");
    status = zf_facts_compare(ranks, facts, collect(alike, facts, err), err);
    zf_free(facts);
    return status;
}
