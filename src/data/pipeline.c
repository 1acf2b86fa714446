/* SPDX-License-Identifier: MIT */
#include "data/pipeline.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"

struct worker {
    struct zf_pipeline *pipeline;
    pthread_t thread;
    int index;
};

struct zf_pipeline {
    zf_pipeline_work *work;
    void *user;
    int64_t slots;

    pthread_mutex_t lock;
    pthread_cond_t room;     /* for workers: a ticket may have become free to take */
    pthread_cond_t progress; /* for the consumer: `ready` has reached `wanted` */
    bool stop;
    int64_t next, end; /* tickets not yet taken */
    int64_t ready;     /* all before it are done */
    int64_t released;  /* the consumer needs none before it */
    int64_t wanted;    /* what the consumer waits for; -1 = nothing */
    bool *done;        /* [slots] */

    int threads; /* that run */
    struct worker workers[ZF_PIPELINE_MAX_THREADS];
};

static bool has_ticket(const struct zf_pipeline *p)
{
    return p->next < p->end && p->next < p->released + p->slots;
}

static void finish(struct zf_pipeline *p, int64_t ticket)
{
    p->done[ticket % p->slots] = true;
    while (p->ready < p->next && p->done[p->ready % p->slots]) {
        p->done[p->ready % p->slots] = false;
        p->ready++;
    }
    if (p->wanted >= 0 && p->ready > p->wanted)
        pthread_cond_signal(&p->progress);
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    struct zf_pipeline *p = worker->pipeline;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        int64_t ticket;
        while (!p->stop && !has_ticket(p))
            pthread_cond_wait(&p->room, &p->lock);
        if (p->stop)
            break;
        ticket = p->next++;
        pthread_mutex_unlock(&p->lock);
        p->work(p->user, worker->index, ticket, ticket % p->slots);
        pthread_mutex_lock(&p->lock);
        finish(p, ticket);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static enum zf_status start_threads(struct zf_pipeline *p, int threads, struct zf_error *err)
{
    for (int k = 0; k < threads; k++) {
        struct worker *worker = &p->workers[k];
        int error;
        *worker = (struct worker){.pipeline = p, .index = k};
        error = pthread_create(&worker->thread, NULL, run, worker);
        if (error != 0)
            return zf_fail_errno(err, ZF_ENOMEM, error, "cannot start thread %d of %d", k + 1,
                                 threads);
        p->threads++;
    }
    return ZF_OK;
}

enum zf_status zf_pipeline_create(int threads, int64_t slots, zf_pipeline_work *work, void *user,
                                  struct zf_pipeline **out, struct zf_error *err)
{
    enum zf_status status;
    struct zf_pipeline *p;

    if (threads < 1 || threads > ZF_PIPELINE_MAX_THREADS)
        return zf_fail(err, ZF_EINVAL, "%d threads are not within 1 and %d", threads,
                       ZF_PIPELINE_MAX_THREADS);
    p = zf_alloc(1, sizeof *p);
    if (!p)
        return zf_fail(err, ZF_ENOMEM, "no memory for %d threads", threads);
    p->work = work;
    p->user = user;
    p->slots = slots;
    p->wanted = -1;
    pthread_mutex_init(&p->lock, NULL); /* with default attributes these three cannot fail */
    pthread_cond_init(&p->room, NULL);
    pthread_cond_init(&p->progress, NULL);
    p->done = zf_alloc((size_t)slots, sizeof *p->done);
    if (!p->done)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for %" PRId64 " slots", slots));
    ZF_TRY(start_threads(p, threads, err));
    *out = p;
    p = NULL;
fail:
    zf_pipeline_free(&p);
    return status;
}

void zf_pipeline_free(struct zf_pipeline **pipeline)
{
    struct zf_pipeline *p = pipeline ? *pipeline : NULL;

    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->room);
    pthread_mutex_unlock(&p->lock);
    for (int k = 0; k < p->threads; k++)
        pthread_join(p->workers[k].thread, NULL);
    pthread_cond_destroy(&p->room);
    pthread_cond_destroy(&p->progress);
    pthread_mutex_destroy(&p->lock);
    zf_free(p->done);
    zf_free(p);
    *pipeline = NULL;
}

void zf_pipeline_start(struct zf_pipeline *p, int64_t first, int64_t count)
{
    pthread_mutex_lock(&p->lock);
    p->next = p->ready = p->released = first;
    p->end = first + count;
    pthread_cond_broadcast(&p->room);
    pthread_mutex_unlock(&p->lock);
}

double zf_pipeline_wait(struct zf_pipeline *p, int64_t ticket)
{
    double waited_s = 0;

    pthread_mutex_lock(&p->lock);
    if (p->ready <= ticket) {
        const double start_s = zf_clock_s();
        p->wanted = ticket;
        while (p->ready <= ticket)
            pthread_cond_wait(&p->progress, &p->lock);
        p->wanted = -1;
        waited_s = zf_clock_s() - start_s;
    }
    pthread_mutex_unlock(&p->lock);
    return waited_s;
}

void zf_pipeline_release(struct zf_pipeline *p, int64_t ticket)
{
    pthread_mutex_lock(&p->lock);
    if (ticket > p->released) {
        p->released = ticket;
        pthread_cond_broadcast(&p->room);
    }
    pthread_mutex_unlock(&p->lock);
}
