/* SPDX-License-Identifier: MIT */
/**
 * The microscope in a browser: a server for one net, on this machine unless asked otherwise. Its
 * pages and their JSON interface are described in docs/serve.md.
 */
#ifndef ZF_SERVE_H
#define ZF_SERVE_H

#include "zf/base.h"
#include "zf/data.h"
#include "zf/net.h"
#include "zf/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Everything is lent. */
struct zf_serve_options {
    const struct zf_net *net;
    const char *model;          /* path that it was loaded from */
    const char *notes;          /* what is to be said of it, lines; NULL = nothing */
    const struct zf_data *data; /* pictures to choose from; NULL = none */
    const char *run;            /* directory of a training to watch; NULL = none */
    const struct zf_net *other; /* for experiments that take two; NULL = none */
    const char *other_model;    /* its path */
    const char *parts;          /* list of parts, for experiments that take one; NULL = none */
    const char *temporary;      /* directory to make another one in, for results of experiments,
                                   which is removed at the end; NULL = "/tmp" */
    struct zf_compute compute;  /* how the net runs; its batch is not used */
    const char *address;        /* to listen on, a name or numbers; NULL = "127.0.0.1" */
    int port;                   /* 0 = one that is free */

    /* Called once, when the server answers: `link` opens it, and whoever has it may use it. */
    void (*ready)(void *user, const char *link);
    void *user;
};

/**
 * Serve until the monitor's progress() returns false, which is called some ten times a second, and
 * then end in good order: ZF_OK.
 *
 * Returns ZF_EIO where the address and port cannot be listened on, with the reason; ZF_EINVAL for a
 * port out of range; ZF_EUNSUPPORTED in a build without libmicrohttpd; what zf_plan_create() does;
 * ZF_ENOMEM.
 * Threads: five of its own, beside those that compute.
 */
ZF_API enum zf_status zf_serve(const struct zf_serve_options *options,
                               const struct zf_monitor *monitor, struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
