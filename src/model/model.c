/* SPDX-License-Identifier: MIT */
/* Which format a model file is in. */
#include "zf/model.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/status.h"
#include "base/words.h"
#include "model/foreign.h"
#include "model/format.h"

/* The first is also the one for names with an unknown suffix. */
static const struct zf_model_format *const formats[] = {&zf_model_native, &zf_model_onnx};

static enum zf_status find_format(const struct zf_bytes *bytes, const char *path,
                                  const struct zf_model_format **out, struct zf_error *err)
{
    const char *what;

    if (bytes->size == 0)
        return zf_fail(err, ZF_EINPUT, "%s: an empty file", path);
    for (size_t i = 0; i < ZF_COUNT(formats); i++) {
        if (formats[i]->probe(bytes) && !zf_foreign_by_name(path)) {
            *out = formats[i];
            return ZF_OK;
        }
    }
    what = zf_foreign_model(bytes, path);
    if (what)
        return zf_fail(err, ZF_EINPUT, "%s: not a model in %s or %s but %s", path, formats[0]->name,
                       formats[1]->name, what);
    return zf_fail(err, ZF_EINPUT,
                   "%s: %zu bytes that are no %s or %s model, nor another known format", path,
                   bytes->size, formats[0]->name, formats[1]->name);
}

/* A size that was asked for is the net's, whatever format said so. */
static enum zf_status check_size(const struct zf_net *net, const char *path,
                                 const struct zf_model_options *options, struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);

    if (options->height == 0 || (options->height == input.h && options->width == input.w))
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT,
                   "%s: its input is %" PRId64 "x%" PRId64 " px, which cannot become %" PRId64
                   "x%" PRId64,
                   path, input.h, input.w, options->height, options->width);
}

enum zf_status zf_model_open(const char *path, const struct zf_model_options *options,
                             struct zf_net **out, struct zf_error *err)
{
    enum zf_status status;
    struct zf_model_options full = options ? *options : (struct zf_model_options){0};
    const struct zf_model_format *format = NULL;
    struct zf_bytes bytes = {0};
    struct zf_net *net = NULL;

    full.limits = zf_model_limits_full(&full.limits);
    ZF_TRY(zf_foreign_directory(path, err));
    ZF_TRY(zf_bytes_map(&bytes, path, (size_t)full.limits.max_file_bytes, err));
    ZF_TRY(find_format(&bytes, path, &format, err));
    ZF_TRY(format->load(&bytes, path, &full, &net, err));
    ZF_TRY(check_size(net, path, &full, err));
    *out = net;
    net = NULL;
fail:
    zf_net_free(&net);
    zf_bytes_release(&bytes);
    return status;
}

enum zf_status zf_model_load(const char *path, const struct zf_model_limits *limits,
                             struct zf_net **out, struct zf_error *err)
{
    const struct zf_model_options options = {.limits =
                                                 limits ? *limits : (struct zf_model_limits){0}};

    return zf_model_open(path, &options, out, err);
}

enum zf_status zf_model_save(const struct zf_net *net, const char *path, struct zf_error *err)
{
    for (size_t i = 0; i < ZF_COUNT(formats); i++) {
        if (zf_ends_in(path, formats[i]->suffix))
            return formats[i]->save(net, path, err);
    }
    return formats[0]->save(net, path, err);
}
