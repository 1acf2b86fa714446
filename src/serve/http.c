/* SPDX-License-Identifier: MIT */
#include "serve/http.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "serve/peers.h"

#define MOST_CONNECTIONS 2000
#define FEW_CONNECTIONS 100 /* where the system grants few files */
#define OTHER_FILES 128     /* that the rest of the program may have open */
#define HEADER_BYTES (16 * 1024)
#define POLITE 10                        /* niceness of what takes seconds */
#define MOST_BODIES (INT64_C(192) << 20) /* of all uploads that are on their way */

/* Seconds that a client may take. */
#define HEADER_S 15.0
#define BODY_S 60.0
#define READ_S 60.0
#define IDLE_S 30.0

static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
                             "img-src 'self' blob: data:; connect-src 'self'; "
                             "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
/* An experiment's page has its scripts within it; it gets an origin of its own, with no rights. */
static const char document_policy[] =
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'";

struct zf_http {
    struct zf_server *server;
    struct MHD_Daemon *daemon;
    struct zf_peers peers;
    int listening;
    _Atomic int64_t bodies;
};

/* A request on its way. It belongs to the HTTP thread, but from the moment that it is queued until
   its connection is resumed to the queue's. */
struct exchange {
    struct zf_job job; /* first: a job is its exchange */
    struct zf_asked asked;
    struct zf_http *http;
    struct MHD_Connection *connection;
    struct zf_peer *peer;
    const struct zf_route *route;
    size_t body_room;
    bool introduced; /* its page is sent with a cookie */
    bool begun;      /* what comes first is done */
    bool started;
};

/* ---- Answers. ---- */

static void add_headers(struct MHD_Response *response, const struct exchange *exchange)
{
    static const char *const always[][2] = {
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(self), microphone=(), geolocation=()"},
        {"Cache-Control", "no-store"},
    };
    const struct zf_reply *reply = &exchange->asked.reply;
    const struct zf_guard *guard = &exchange->http->server->guard;
    char text[160];

    for (size_t i = 0; i < ZF_COUNT(always); i++)
        MHD_add_response_header(response, always[i][0], always[i][1]);
    MHD_add_response_header(response, "Content-Security-Policy",
                            reply->document ? document_policy : policy);
    MHD_add_response_header(response, "Content-Type", reply->type);
    if (reply->file) {
        snprintf(text, sizeof text, "attachment; filename=\"%s\"", reply->file);
        MHD_add_response_header(response, "Content-Disposition", text);
    }
    if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", "GET, HEAD, POST");
    if (exchange->introduced) {
        snprintf(text, sizeof text, "%s=%s; Path=/; HttpOnly; SameSite=Strict", guard->cookie,
                 guard->token);
        MHD_add_response_header(response, "Set-Cookie", text);
    }
}

static enum MHD_Result send_reply(struct exchange *exchange)
{
    const struct zf_reply *reply = &exchange->asked.reply;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->size, (void *)(uintptr_t)reply->bytes, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    add_headers(response, exchange);
    zf_peer_grant(&exchange->http->peers, exchange->peer, READ_S);
    result = MHD_queue_response(exchange->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

static void refuse(struct exchange *exchange, int status, const char *sentence)
{
    zf_reply_refuse(&exchange->asked.reply, status, sentence);
}

/* ---- Through the queues. ---- */

static void run_answer(struct exchange *exchange,
                       enum zf_status (*answer)(struct zf_asked *, struct zf_error *))
{
    struct zf_error err = {0};

    if (answer(&exchange->asked, &err) != ZF_OK)
        zf_reply_error(&exchange->asked.reply, &err);
}

static struct zf_queue *queue_of(struct zf_server *server, enum zf_lane lane)
{
    return lane == ZF_LANE_READER    ? &server->reader
           : lane == ZF_LANE_PATIENT ? &server->patient
                                     : &server->worker;
}

static void run_job(void *user, struct zf_job *job)
{
    struct exchange *exchange = (struct exchange *)job;
    const struct zf_route *route = exchange->route;
    const bool first = route->first && !exchange->begun;

    exchange->begun = true;
    run_answer(exchange, first ? route->first : route->answer);
    if (first && exchange->asked.reply.status == 0) {
        if (zf_queue_add(queue_of(user, route->lane), job))
            return;
        refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "too much waits to be done already");
    }
    MHD_resume_connection(exchange->connection);
}

static void run_politely(void *user, struct zf_job *job)
{
    setpriority(PRIO_PROCESS, 0, POLITE); /* on Linux: of this thread */
    run_job(user, job);
}

/* A suspended connection is not looked at by anybody else. */
static bool is_wanted(void *user, struct zf_job *job)
{
    const struct exchange *exchange = (struct exchange *)job;
    char byte;
    ssize_t got;

    (void)user;
    got = recv(exchange->peer->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

static void drop_job(void *user, struct zf_job *job, enum zf_dropped why)
{
    static const struct {
        int status;
        const char *sentence;
    } said[] = {
        [ZF_DROP_OLDER] = {MHD_HTTP_CONFLICT, "a newer request of the same hand has come"},
        [ZF_DROP_GONE] = {MHD_HTTP_SERVICE_UNAVAILABLE, "nobody waits for it any more"},
        [ZF_DROP_STOPPED] = {MHD_HTTP_SERVICE_UNAVAILABLE, "the server ends"},
    };
    struct exchange *exchange = (struct exchange *)job;

    (void)user;
    refuse(exchange, said[why].status, said[why].sentence);
    MHD_resume_connection(exchange->connection);
}

static bool work_idly(void *user)
{
    struct zf_server *server = user;

    zf_sights_forget(&server->sights);
    return zf_hiding_step(&server->hiding) || zf_lens_warm(&server->lens);
}

const struct zf_queue_work zf_http_reader = {.run = run_job, .wanted = is_wanted, .drop = drop_job};
const struct zf_queue_work zf_http_worker = {
    .run = run_job, .wanted = is_wanted, .drop = drop_job, .idle = work_idly};
const struct zf_queue_work zf_http_patient = {
    .run = run_politely, .wanted = is_wanted, .drop = drop_job};

/* All of the request is here. */
static enum MHD_Result start(struct exchange *exchange)
{
    struct zf_server *server = exchange->http->server;
    const struct zf_route *route = exchange->route;
    const enum zf_lane lane = route->first ? route->first_lane : route->lane;

    exchange->started = true;
    if (lane == ZF_LANE_AT_ONCE) {
        run_answer(exchange, route->answer);
        return send_reply(exchange);
    }
    if (lane == ZF_LANE_WORKER || route->lane == ZF_LANE_WORKER)
        atomic_store(&server->asked_s, zf_clock_s());
    exchange->job.hand = zf_request_text(&exchange->asked.request, "hand");
    zf_peer_grant(&exchange->http->peers, exchange->peer, 0);
    MHD_suspend_connection(exchange->connection);
    if (!zf_queue_add(queue_of(server, lane), &exchange->job)) {
        refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "too much waits to be done already");
        MHD_resume_connection(exchange->connection);
    }
    return MHD_YES;
}

/* ---- Requests. ---- */

static enum MHD_Result take_param(void *user, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    return zf_request_add(user, name, value) ? MHD_YES : MHD_NO;
}

static size_t unescape(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user;
    (void)connection;
    return zf_request_unescape(text);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool read_request(struct MHD_Connection *connection, const char *path,
                         struct zf_request *request)
{
    const int params = MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, NULL, NULL);

    request->host = header(connection, "Host");
    request->origin = header(connection, "Origin");
    request->cookie = header(connection, "Cookie");
    request->authorization = header(connection, "Authorization");
    request->site = header(connection, "Sec-Fetch-Site");
    return zf_request_path(request, path) &&
           MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_param, request) ==
               params &&
           (size_t)params == request->param_count;
}

static void judge(struct exchange *exchange)
{
    static const char no_token[] = "this needs the link that zfscope serve printed";
    struct zf_asked *asked = &exchange->asked;
    bool other_method = false;

    switch (zf_guard_judge(&asked->server->guard, &asked->request)) {
    case ZF_MISDIRECTED:
        refuse(exchange, 421, "this server is not known by that name");
        return;
    case ZF_FOREIGN:
        refuse(exchange, MHD_HTTP_FORBIDDEN, "a page of another site asks");
        return;
    case ZF_UNKNOWN:
        refuse(exchange, MHD_HTTP_UNAUTHORIZED, no_token);
        return;
    case ZF_INTRODUCED:
        exchange->introduced = strncmp(asked->request.path, "/api/", 5) != 0;
        break;
    case ZF_ADMITTED:
        break;
    }
    exchange->route = zf_route_find(&asked->request, &other_method);
    if (!exchange->route)
        refuse(exchange, other_method ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND,
               other_method ? "not by this method" : "there is no such page");
}

/* Before its body comes; what is refused here is never read. */
static void look_at_head(struct exchange *exchange, const char *path, const char *method)
{
    struct zf_request *request = &exchange->asked.request;
    const bool get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    const char *length = header(exchange->connection, "Content-Length");

    request->post = strcmp(method, "POST") == 0;
    if (!get && !request->post) {
        refuse(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, "not by this method");
        return;
    }
    if (!read_request(exchange->connection, path, request)) {
        refuse(exchange, MHD_HTTP_BAD_REQUEST, "the address is too long or malformed");
        return;
    }
    judge(exchange);
    if (exchange->asked.reply.status == 0 && length &&
        (strlen(length) > 18 || strtoll(length, NULL, 10) > (int64_t)exchange->route->most_body))
        refuse(exchange, 413, "that is more than is taken");
    zf_peer_grant(&exchange->http->peers, exchange->peer, BODY_S);
}

/* False where there is too much of it. */
static bool add_body(struct exchange *exchange, const char *bytes, size_t size)
{
    struct zf_asked *asked = &exchange->asked;
    const size_t need = asked->body_size + size, had = exchange->body_room;

    if (need > exchange->route->most_body)
        return false;
    if (!zf_grow((void **)&asked->body, &exchange->body_room, need, 1))
        return false;
    atomic_fetch_add(&exchange->http->bodies, (int64_t)(exchange->body_room - had));
    if (atomic_load(&exchange->http->bodies) > MOST_BODIES)
        return false;
    memcpy(asked->body + asked->body_size, bytes, size);
    asked->body_size = need;
    return true;
}

static struct exchange *begin(struct zf_http *http, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *exchange = info && info->socket_context ? zf_alloc(1, sizeof *exchange) : NULL;

    if (!exchange)
        return NULL;
    exchange->http = http;
    exchange->connection = connection;
    exchange->peer = info->socket_context;
    exchange->asked.server = http->server;
    return exchange;
}

static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct exchange *exchange = *state;

    (void)version;
    if (!exchange) {
        exchange = begin(user, connection);
        if (!exchange)
            return MHD_NO;
        *state = exchange;
        look_at_head(exchange, path, method);
        return exchange->asked.reply.status ? send_reply(exchange) : MHD_YES;
    }
    if (exchange->asked.reply.status)
        return send_reply(exchange);
    if (*upload_size > 0) {
        if (!add_body(exchange, upload, *upload_size))
            return MHD_NO;
        *upload_size = 0;
        return MHD_YES;
    }
    return exchange->started ? MHD_YES : start(exchange);
}

static void complete(void *user, struct MHD_Connection *connection, void **state,
                     enum MHD_RequestTerminationCode why)
{
    struct exchange *exchange = *state;

    (void)user;
    (void)connection;
    (void)why;
    if (!exchange)
        return;
    atomic_fetch_sub(&exchange->http->bodies, (int64_t)exchange->body_room);
    zf_peer_grant(&exchange->http->peers, exchange->peer, IDLE_S);
    zf_free(exchange->asked.body);
    zf_sight_free(&exchange->asked.sight);
    zf_tensor_release(&exchange->asked.input);
    zf_reply_release(&exchange->asked.reply);
    zf_free(exchange);
    *state = NULL;
}

static void note_connection(void *user, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode what)
{
    struct zf_http *http = user;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        *context = info ? zf_peers_open(&http->peers, info->connect_fd, HEADER_S) : NULL;
    } else {
        zf_peers_close(&http->peers, *context);
        *context = NULL;
    }
}

/* ---- The daemon. ---- */

static unsigned connections_granted(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return FEW_CONNECTIONS;
    if (files.rlim_cur >= MOST_CONNECTIONS + OTHER_FILES)
        return MOST_CONNECTIONS;
    return files.rlim_cur > FEW_CONNECTIONS + OTHER_FILES ? (unsigned)files.rlim_cur - OTHER_FILES
                                                          : FEW_CONNECTIONS;
}

enum zf_status zf_http_start(struct zf_server *server, int fd, struct zf_http **out,
                             struct zf_error *err)
{
    const unsigned most = connections_granted();
    struct zf_http *http = zf_alloc(1, sizeof *http);

    if (!http) {
        close(fd);
        return zf_no_memory(err, "a server");
    }
    http->server = server;
    http->listening = -1;
    zf_peers_init(&http->peers, most - most / 8);
    http->daemon = MHD_start_daemon(
        MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        handle, http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, most,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, complete, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        note_connection, http, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!http->daemon) {
        close(fd);
        zf_peers_release(&http->peers);
        zf_free(http);
        return zf_fail(err, ZF_EIO, "the server cannot start");
    }
    *out = http;
    return ZF_OK;
}

void zf_http_sweep(struct zf_http *http)
{
    zf_peers_sweep(&http->peers);
}

void zf_http_quiesce(struct zf_http *http)
{
    http->listening = MHD_quiesce_daemon(http->daemon);
}

void zf_http_free(struct zf_http **http)
{
    if (!*http)
        return;
    MHD_stop_daemon((*http)->daemon);
    if ((*http)->listening >= 0)
        close((*http)->listening);
    zf_peers_release(&(*http)->peers);
    zf_free(*http);
    *http = NULL;
}
