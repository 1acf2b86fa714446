/* SPDX-License-Identifier: MIT */
/* Which experiments a browser may ask for, and which of their options. */
#include <string.h>

#include "base/status.h"
#include "serve/trials.h"

const char *zf_trial_obstacle(const struct zf_experiment *experiment,
                              const struct zf_serve_options *options)
{
    if (experiment->takes == ZF_TAKES_TWO_MODELS && !options->other)
        return "it takes two models: start serve with --other";
    if (experiment->takes == ZF_TAKES_RUN && !options->run)
        return "it takes a training: start serve with --run";
    if (experiment->takes == ZF_TAKES_PARTS && !options->parts)
        return "it takes a list of parts: start serve with --parts";
    if ((experiment->opens == ZF_NEEDS_DATA || experiment->trains) && !options->data)
        return "it takes a data set: start serve with --data";
    return NULL;
}

static bool is_net(const struct zf_option *option)
{
    return option->kind == ZF_OPTION_TEXT && strncmp(option->unit, "NET", 3) == 0;
}

/* In the tables a unit of one letter stands for words and numbers, "L..." for layers; one of a
   whole word, "DATA", names something on a disk. Of those the names of built-in nets are harmless.
 */
bool zf_trial_may_set(const struct zf_option *option)
{
    return option->kind != ZF_OPTION_TEXT || is_net(option) ||
           (option->unit[0] != '\0' && strchr(".,", option->unit[1]) != NULL);
}

static bool is_builtin_net(const char *name, size_t length)
{
    for (size_t i = 0; zf_net_builtin_name(i); i++) {
        if (strlen(zf_net_builtin_name(i)) == length &&
            strncmp(zf_net_builtin_name(i), name, length) == 0)
            return true;
    }
    return false;
}

enum zf_status zf_trial_check_text(const struct zf_option *option, const char *text,
                                   struct zf_error *err)
{
    if (!zf_trial_may_set(option))
        return zf_fail(err, ZF_EINVAL, "%s names a file, which a browser does not", option->name);
    for (const char *at = text; is_net(option) && *at; at += *at == ',') {
        const size_t length = strcspn(at, ",");

        if (!is_builtin_net(at, length))
            return zf_fail(err, ZF_EINVAL, "%s: there is no built-in net '%s'", option->name, at);
        at += length;
    }
    return ZF_OK;
}
