/* SPDX-License-Identifier: MIT */
/* From a spec to a net: built-in or from a file, with what its base says. */
#include <string.h>

#include "base/embedded.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "net/build.h"

#define MOST_SPEC_BYTES (1 << 20)
#define MOST_BASES 8 /* of a spec's base, that one's base, and so on */

extern const struct zf_embedded zf_builtin_nets[]; /* made from nets/ at build time */

static const char *builtin_text(const char *name)
{
    for (size_t i = 0; zf_builtin_nets[i].name; i++)
        if (strcmp(zf_builtin_nets[i].name, name) == 0)
            return zf_builtin_nets[i].text;
    return NULL;
}

/* Fill in what `[net] base` stands for; a base may have one of its own. */
static enum zf_status resolve_base(struct zf_spec *spec, int depth, struct zf_error *err)
{
    enum zf_status status;
    struct zf_spec base = {0};
    const struct zf_spec_entry *entry = zf_spec_find(spec, "net", "base");
    const char *text = entry ? builtin_text(entry->value) : NULL;

    if (!entry)
        return ZF_OK;
    if (!text || depth > MOST_BASES)
        return zf_fail(err, ZF_EINPUT, "%s:%d: [net] base = %s is no built-in net", entry->origin,
                       entry->line, entry->value);
    ZF_TRY(zf_spec_parse(text, "built-in net", &base, err));
    ZF_TRY(resolve_base(&base, depth + 1, err));
    ZF_TRY(zf_spec_derive(spec, &base, err));
fail:
    zf_spec_release(&base);
    return status;
}

enum zf_status zf_net_parse_shapes(const char *text, const char *origin, int64_t classes,
                                   struct zf_net **out, struct zf_error *err)
{
    enum zf_status status;
    struct zf_spec spec = {0};

    ZF_TRY(zf_spec_parse(text, origin, &spec, err));
    ZF_TRY(resolve_base(&spec, 0, err));
    ZF_TRY(zf_net_build(&spec, classes, out, err));
fail:
    zf_spec_release(&spec);
    return status;
}

enum zf_status zf_net_allocate(struct zf_net *net, struct zf_error *err)
{
    ZF_CHECK(zf_net_allocate_parameters(net, err));
    return net->labels ? ZF_OK : zf_net_number_labels(net, err);
}

enum zf_status zf_net_parse_spec(const char *text, const char *origin, int64_t classes,
                                 struct zf_net **out, struct zf_error *err)
{
    enum zf_status status;
    struct zf_net *net = NULL;

    ZF_TRY(zf_net_parse_shapes(text, origin, classes, &net, err));
    ZF_TRY(zf_net_allocate(net, err));
    *out = net;
    net = NULL;
fail:
    zf_net_free(&net);
    return status;
}

static enum zf_status load_spec_file(const char *path, int64_t classes, struct zf_net **out,
                                     struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes file = {0};
    char *text = NULL;

    ZF_TRY(zf_bytes_map(&file, path, MOST_SPEC_BYTES, err));
    if (file.size && memchr(file.data, '\0', file.size))
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s: not a text file, so no spec of a net", path));
    text = zf_alloc(file.size + 1, 1);
    if (!text)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", path));
    if (file.size)
        memcpy(text, file.data, file.size);
    ZF_TRY(zf_net_parse_spec(text, path, classes, out, err));
fail:
    zf_free(text);
    zf_bytes_release(&file);
    return status;
}

enum zf_status zf_net_load_spec(const char *name, int64_t classes, struct zf_net **out,
                                struct zf_error *err)
{
    const char *text = builtin_text(name);
    char known[512] = "";

    if (text)
        return zf_net_parse_spec(text, name, classes, out, err);
    if (strpbrk(name, "/."))
        return load_spec_file(name, classes, out, err);
    for (size_t i = 0; zf_builtin_nets[i].name; i++)
        zf_add_name(known, sizeof known, zf_builtin_nets[i].name);
    return zf_fail(err, ZF_EINPUT,
                   "no net is called '%s'; built in are %s (a path needs a '/' or '.')", name,
                   known);
}

const char *zf_net_builtin_name(size_t i)
{
    return zf_builtin_nets[i].name;
}
