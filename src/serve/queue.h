/* SPDX-License-Identifier: MIT */
/*
 * One thread that does one thing after the other, and a bounded row of what waits for it.
 *
 * What a hand drags (a job with a `hand`) comes first and the newest of it alone: older ones of the
 * same hand are dropped. Others come in their order, one of them after each of those, so that
 * nobody starves. What nobody waits for any more is dropped before it begins.
 */
#ifndef ZF_SERVE_QUEUE_H
#define ZF_SERVE_QUEUE_H

#include <pthread.h>

#include "zf/base.h"

#define ZF_QUEUE_LIMIT 64

struct zf_job {
    const char *hand; /* NULL or "" = none; lent as long as the job waits */
    struct zf_job *next;
};

enum zf_dropped { ZF_DROP_OLDER, ZF_DROP_GONE, ZF_DROP_STOPPED };

/* run() and idle() are called on the queue's thread, the other two also on one that adds or stops.
 */
struct zf_queue_work {
    void (*run)(void *user, struct zf_job *job);
    bool (*wanted)(void *user, struct zf_job *job); /* does somebody wait for it still? */
    void (*drop)(void *user, struct zf_job *job, enum zf_dropped why);
    bool (*idle)(void *user); /* NULL, or what is done while nothing waits, a little at a time;
                                 false when there is no more of it */
};

struct zf_queue {
    struct zf_queue_work work;
    void *user; /* of the work */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct zf_job *first, *last;
    size_t count;
    bool made, begun, stopping, hand_was_last;
};

enum zf_status zf_queue_start(struct zf_queue *queue, const struct zf_queue_work *work, void *user,
                              struct zf_error *err);

/** False where too many wait, or the end is near; the job is then the caller's still. */
bool zf_queue_add(struct zf_queue *queue, struct zf_job *job);

/** Have idle() called again. */
void zf_queue_wake(struct zf_queue *queue);

/** End the thread after what it is doing, and drop the rest; from then on nothing can be added.
 *  Accepts a queue that was not started. */
void zf_queue_stop(struct zf_queue *queue);

/** Once nobody knows the queue any more. Accepts one that was not started. */
void zf_queue_release(struct zf_queue *queue);

#endif
