/* SPDX-License-Identifier: MIT */
/* The parts of a server, and what a route is. */
#ifndef ZF_SERVE_SERVER_H
#define ZF_SERVE_SERVER_H

#include <stdatomic.h>

#include "serve/catalogue.h"
#include "serve/guard.h"
#include "serve/hiding.h"
#include "serve/lens.h"
#include "serve/queue.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/sights.h"
#include "serve/trials.h"
#include "zf/serve.h"

struct zf_server {
    const struct zf_serve_options *options;
    const struct zf_net *net;
    const struct zf_data *data; /* NULL = none */
    struct zf_guard guard;
    struct zf_catalogue catalogue; /* grows on the trials' thread */
    struct zf_trials trials;
    _Atomic double asked_s;  /* when somebody last wanted the worker */
    struct zf_queue reader;  /* decodes, so that a large picture keeps nobody waiting */
    struct zf_queue patient; /* what takes seconds, politely; with plans of its own */
    struct zf_queue worker;  /* runs the net; what follows is its alone */
    struct zf_sights sights;
    struct zf_lens lens;
    struct zf_hiding hiding;
};

/* A request that is being answered. */
struct zf_asked {
    struct zf_server *server;
    struct zf_request request;
    uint8_t *body; /* owned; NULL = none */
    size_t body_size;
    /* What the lane before has left, owned: what the reader made of the body, or a copy of what the
       net sees. */
    struct zf_sight *sight;
    struct zf_tensor input;
    struct zf_reply reply;
};

/* Which thread answers. */
enum zf_lane {
    ZF_LANE_AT_ONCE, /* the one that talks to browsers: for what takes no time */
    ZF_LANE_READER,
    ZF_LANE_WORKER,
    ZF_LANE_PATIENT,
};

struct zf_route {
    const char *path; /* whole, or, with a '/' at its end, the beginning */
    bool post;
    size_t most_body;
    enum zf_lane lane;
    enum zf_status (*answer)(struct zf_asked *asked, struct zf_error *err);
    /* NULL, or what comes before, on a lane of its own; fills no reply */
    enum zf_status (*first)(struct zf_asked *asked, struct zf_error *err);
    enum zf_lane first_lane;
};

/** The route of a request; NULL, with *other_method set where only the method is wrong. */
const struct zf_route *zf_route_find(const struct zf_request *request, bool *other_method);

/* Routes, by file: each fills asked->reply, or fails with the sentence that is sent. */

/* pages.c */
enum zf_status zf_answer_page(struct zf_asked *asked, struct zf_error *err);

/* model.c */
enum zf_status zf_answer_model(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_data(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_thumbnail(struct zf_asked *asked, struct zf_error *err);

/* pictures.c */
enum zf_status zf_read_upload(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_upload(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_picture(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_shown(struct zf_asked *asked, struct zf_error *err);

/* maps.c */
enum zf_status zf_answer_layer(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_sheet(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_activations(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_projection(struct zf_asked *asked, struct zf_error *err);

/* exact.c: the same in double */
enum zf_status zf_take_input(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_exact(struct zf_asked *asked, struct zf_error *err);

/* hidden.c */
enum zf_status zf_answer_hidden(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_occlusion(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_moved(struct zf_asked *asked, struct zf_error *err);

/* experiments.c */
enum zf_status zf_answer_experiments(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_trials(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_try(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_cancel(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_result(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_report(struct zf_asked *asked, struct zf_error *err);

/* run.c */
enum zf_status zf_answer_run(struct zf_asked *asked, struct zf_error *err);

/* epoch.c */
enum zf_status zf_answer_epoch(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_grown(struct zf_asked *asked, struct zf_error *err);

/* units.c */
enum zf_status zf_answer_units(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_unit(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_connections(struct zf_asked *asked, struct zf_error *err);

/* filters.c */
enum zf_status zf_answer_filter(struct zf_asked *asked, struct zf_error *err);
enum zf_status zf_answer_filters(struct zf_asked *asked, struct zf_error *err);

/* What several of them need. */

/** The layer that a request names; without a name *layer stays. */
enum zf_status zf_asked_layer(const struct zf_asked *asked, int *layer, struct zf_error *err);

/** The activation that a request names; what it leaves out stays open. */
enum zf_status zf_asked_activation(const struct zf_asked *asked, struct zf_activation *wanted,
                                   struct zf_error *err);

/** ZF_EINVAL where serve was started without --run. */
enum zf_status zf_need_run(const struct zf_asked *asked, struct zf_error *err);

/* How an answer is wished. */
extern const char *const zf_form_names[];
enum zf_form { ZF_FORM_JSON, ZF_FORM_PNG, ZF_FORM_NPY };

/** A projection as a picture, at the scale `limit` that the request asks for; with `field=1` the
 *  receptive field alone. */
enum zf_status zf_reply_projection(struct zf_asked *asked, const struct zf_tensor *pixels,
                                   const struct zf_activation *of, struct zf_error *err);

/** The best classes of values[classes], or the first of plain numbers, as `predictions`. */
void zf_add_predictions(struct zf_json *json, const struct zf_net *net, const float *values);

#endif
