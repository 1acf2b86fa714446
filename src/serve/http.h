/* SPDX-License-Identifier: MIT */
/* The only module that knows libmicrohttpd: from connections to requests, and back. */
#ifndef ZF_SERVE_HTTP_H
#define ZF_SERVE_HTTP_H

#include "serve/server.h"

struct zf_http;

/** Answer on a socket that listens, which is taken over, also after a failure. The guard is made,
 *  and the queues are started, by then. ZF_EIO, ZF_ENOMEM. */
enum zf_status zf_http_start(struct zf_server *server, int fd, struct zf_http **out,
                             struct zf_error *err);

/** Once a second or so: cut off who is late. */
void zf_http_sweep(struct zf_http *http);

/** Take no more connections; then, with the queues stopped, zf_http_free(). */
void zf_http_quiesce(struct zf_http *http);
void zf_http_free(struct zf_http **http);

/** How requests go through the server's queues. */
extern const struct zf_queue_work zf_http_reader, zf_http_worker, zf_http_patient;

#endif
