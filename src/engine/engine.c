/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <string.h>

#include "base/status.h"
#include "base/words.h"

/* Best first. */
static const struct zf_engine_ops *const engines[] = {
#ifdef ZF_HAVE_ONEDNN
    &zf_engine_onednn,
#endif
    &zf_engine_reference,
};

const struct zf_engine_ops *zf_engine_at(size_t i)
{
    return i < ZF_COUNT(engines) ? engines[i] : NULL;
}

enum zf_status zf_engine_find(const char *name, const struct zf_engine_ops **out,
                              struct zf_error *err)
{
    char names[256] = "";

    for (size_t i = 0; i < ZF_COUNT(engines); i++) {
        if (!name || strcmp(name, engines[i]->name) == 0) {
            *out = engines[i];
            return ZF_OK;
        }
        zf_add_name(names, sizeof names, engines[i]->name);
    }
    return zf_fail(err, ZF_EINVAL, "engine \"%s\" is not in this build, which has: %s", name,
                   names);
}

const char *zf_engine_name(size_t i)
{
    const struct zf_engine_ops *op = zf_engine_at(i);

    return op ? op->name : NULL;
}

enum zf_status zf_engine_describe(const char *name, struct zf_engine_info *info,
                                  struct zf_error *err)
{
    const struct zf_engine_ops *op;

    ZF_CHECK(zf_engine_find(name, &op, err));
    *info = (struct zf_engine_info){.name = op->name, .library = op->library, .isa = op->isa()};
    if (op->version)
        op->version(info->version, sizeof info->version);
    return ZF_OK;
}
