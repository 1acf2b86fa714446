/* SPDX-License-Identifier: MIT */
#include "zf/serve.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "serve/http.h"
#include "serve/listen.h"

#define TURN_NS 100000000 /* between looks at the monitor */
#define TURNS_A_SWEEP 10
#define PAUSE_NS 50000000
#define QUIET_S 1.0

static void tell_link(const struct zf_server *server, int port)
{
    const struct zf_serve_options *options = server->options;
    const char *address = server->guard.address;
    const bool six = strchr(address, ':') != NULL;
    const bool any = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
    const char *host = any ? server->guard.host_name : address;
    char link[512];

    snprintf(link, sizeof link, "http://%s%s%s:%d/?token=%s", six && !any ? "[" : "", host,
             six && !any ? "]" : "", port, server->guard.token);
    if (options->ready)
        options->ready(options->user, link);
}

static void wait_for_the_end(struct zf_http *http, const struct zf_monitor *monitor)
{
    const struct timespec turn = {.tv_nsec = TURN_NS};

    for (int turns = 0; zf_monitor_progress(monitor, "serving", 0, 0); turns++) {
        nanosleep(&turn, NULL);
        if (turns % TURNS_A_SWEEP == 0)
            zf_http_sweep(http);
    }
}

/* Not while somebody looks at pictures: even a polite thread takes half of the memory's speed. */
static bool grow_catalogue(void *user)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    struct zf_server *server = user;

    if (zf_clock_s() - atomic_load(&server->asked_s) < QUIET_S) {
        nanosleep(&pause, NULL);
        return true;
    }
    return zf_catalogue_step(&server->catalogue);
}

enum zf_status zf_serve(const struct zf_serve_options *options, const struct zf_monitor *monitor,
                        struct zf_error *err)
{
    const char *address = options->address ? options->address : "127.0.0.1";
    struct zf_server *server = NULL;
    struct zf_http *http = NULL;
    enum zf_status status;
    int port = options->port, fd;

    if (port < 0 || port > 65535)
        return zf_fail(err, ZF_EINVAL, "port %d is not within 0 and 65535", port);
    server = zf_alloc(1, sizeof *server);
    if (!server)
        return zf_no_memory(err, "a server");
    server->options = options;
    server->net = options->net;
    server->data = options->data;
    zf_sights_init(&server->sights, options->net, options->data);
    zf_hiding_init(&server->hiding, options->net, &options->compute);
    ZF_TRY(zf_catalogue_init(&server->catalogue, options->net, options->data, options->model,
                             &options->compute, err));
    ZF_TRY(zf_trials_init(&server->trials, options, grow_catalogue, server, err));
    ZF_TRY(zf_lens_init(&server->lens, options->net, &options->compute, err));
    ZF_TRY(zf_listen(address, &port, &fd, err));
    ZF_TRY(zf_guard_init(&server->guard, address, port, err));
    ZF_TRY(zf_queue_start(&server->reader, &zf_http_reader, server, err));
    ZF_TRY(zf_queue_start(&server->worker, &zf_http_worker, server, err));
    ZF_TRY(zf_queue_start(&server->patient, &zf_http_patient, server, err));
    ZF_TRY(zf_http_start(server, fd, &http, err));
    tell_link(server, port);
    wait_for_the_end(http, monitor);
    zf_http_quiesce(http);
fail:
    zf_queue_stop(&server->reader);
    zf_queue_stop(&server->worker);
    zf_queue_stop(&server->patient);
    zf_trials_stop(&server->trials);
    zf_catalogue_save(&server->catalogue);
    zf_http_free(&http); /* may try to add to the queues until then */
    zf_queue_release(&server->reader);
    zf_queue_release(&server->worker);
    zf_queue_release(&server->patient);
    zf_hiding_release(&server->hiding);
    zf_lens_release(&server->lens);
    zf_trials_release(&server->trials);
    zf_catalogue_release(&server->catalogue);
    zf_sights_release(&server->sights);
    zf_free(server);
    return status;
}
