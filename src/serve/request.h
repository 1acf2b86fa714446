/* SPDX-License-Identifier: MIT */
/* What a browser asks for, within limits, before anything is done about it. Nothing here knows
   HTTP's library, so that a fuzz target can feed it. */
#ifndef ZF_SERVE_REQUEST_H
#define ZF_SERVE_REQUEST_H

#include "zf/base.h"

#define ZF_PATH_BYTES 256
#define ZF_PARAMS 40
#define ZF_NAME_BYTES 40
#define ZF_VALUE_BYTES 256

struct zf_param {
    char name[ZF_NAME_BYTES], value[ZF_VALUE_BYTES];
};

/* Headers are lent; NULL = there is none. */
struct zf_request {
    bool post; /* or else GET and HEAD */
    char path[ZF_PATH_BYTES];
    struct zf_param params[ZF_PARAMS];
    size_t param_count;
    const char *host, *origin, *cookie, *authorization, *site; /* Sec-Fetch-Site */
};

/** False for a path that does not fit, does not begin with '/' or holds control characters. */
bool zf_request_path(struct zf_request *request, const char *path);

/**
 * Undo %41 and the like in place; returns the new length. A zero byte, where text would end before
 * its end, becomes another control character, which no path or parameter may have; what is no
 * number stays as it is.
 */
size_t zf_request_unescape(char *text);

/** One of `name=value` behind the '?'; false where that is too much. A NULL value is "". */
bool zf_request_add(struct zf_request *request, const char *name, const char *value);

/** The parameter of that name; NULL = none. */
const char *zf_request_text(const struct zf_request *request, const char *name);

/**
 * A number among the parameters; without it *value stays.
 * Returns ZF_EINVAL for what is no number, and for one that is not within `least` and `most`.
 */
enum zf_status zf_request_int(const struct zf_request *request, const char *name, int64_t least,
                              int64_t most, int64_t *value, struct zf_error *err);
enum zf_status zf_request_real(const struct zf_request *request, const char *name, double least,
                               double most, double *value, struct zf_error *err);

/** An index of `names`, which ends with NULL; without the parameter *value stays. ZF_EINVAL. */
enum zf_status zf_request_choice(const struct zf_request *request, const char *name,
                                 const char *const *names, int *value, struct zf_error *err);

#endif
