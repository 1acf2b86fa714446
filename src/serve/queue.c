/* SPDX-License-Identifier: MIT */
#include "serve/queue.h"

#include <string.h>

#include "base/status.h"

static bool is_of_hand(const struct zf_job *job)
{
    return job->hand && job->hand[0] != '\0';
}

/* Take out the job behind `before`, NULL for the first. */
static struct zf_job *take(struct zf_queue *queue, struct zf_job *before)
{
    struct zf_job *job = before ? before->next : queue->first;

    if (before)
        before->next = job->next;
    else
        queue->first = job->next;
    if (queue->last == job)
        queue->last = before;
    job->next = NULL;
    queue->count--;
    return job;
}

/* The newest of a hand, or the oldest of the others; NULL where none waits. */
static struct zf_job *take_next(struct zf_queue *queue)
{
    struct zf_job *before_hand = NULL, *before_other = NULL, *before = NULL;
    bool hand = false, other = false;

    for (struct zf_job *job = queue->first; job; before = job, job = job->next) {
        if (is_of_hand(job)) {
            before_hand = before;
            hand = true;
        } else if (!other) {
            before_other = before;
            other = true;
        }
    }
    if (!hand && !other)
        return NULL;
    queue->hand_was_last = hand && !(other && queue->hand_was_last);
    return take(queue, queue->hand_was_last ? before_hand : before_other);
}

/* With the lock held: the next job, after idle work while there is some; NULL at the end. */
static struct zf_job *await(struct zf_queue *queue)
{
    bool more = true;

    for (;;) {
        struct zf_job *job;

        if (queue->stopping)
            return NULL;
        job = take_next(queue);
        if (job)
            return job;
        if (more && queue->work.idle) {
            pthread_mutex_unlock(&queue->lock);
            more = queue->work.idle(queue->user);
            pthread_mutex_lock(&queue->lock);
            continue;
        }
        pthread_cond_wait(&queue->changed, &queue->lock);
        more = true;
    }
}

static void *work(void *user)
{
    struct zf_queue *queue = user;
    struct zf_job *job;

    pthread_mutex_lock(&queue->lock);
    while ((job = await(queue)) != NULL) {
        pthread_mutex_unlock(&queue->lock);
        if (queue->work.wanted(queue->user, job))
            queue->work.run(queue->user, job);
        else
            queue->work.drop(queue->user, job, ZF_DROP_GONE);
        pthread_mutex_lock(&queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

enum zf_status zf_queue_start(struct zf_queue *queue, const struct zf_queue_work *todo, void *user,
                              struct zf_error *err)
{
    int failed;

    *queue = (struct zf_queue){.work = *todo, .user = user};
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    queue->made = true;
    failed = pthread_create(&queue->thread, NULL, work, queue);
    if (failed)
        return zf_fail_errno(err, ZF_ENOMEM, failed, "cannot start a thread");
    queue->begun = true;
    return ZF_OK;
}

/* With the lock held: the one that waits of the same hand, if any. */
static struct zf_job *take_older(struct zf_queue *queue, const struct zf_job *newer)
{
    struct zf_job *before = NULL;

    for (struct zf_job *job = queue->first; is_of_hand(newer) && job;
         before = job, job = job->next) {
        if (is_of_hand(job) && strcmp(job->hand, newer->hand) == 0)
            return take(queue, before);
    }
    return NULL;
}

/* With the lock held, where there is no room: those that nobody waits for any more, as a list. */
static struct zf_job *take_unwanted(struct zf_queue *queue)
{
    struct zf_job *taken = NULL, *before = NULL, *job = queue->first;

    while (job && queue->count >= ZF_QUEUE_LIMIT) {
        struct zf_job *next = job->next;

        if (queue->work.wanted(queue->user, job)) {
            before = job;
        } else {
            take(queue, before);
            job->next = taken;
            taken = job;
        }
        job = next;
    }
    return taken;
}

bool zf_queue_add(struct zf_queue *queue, struct zf_job *job)
{
    struct zf_job *older, *gone;
    bool added;

    pthread_mutex_lock(&queue->lock);
    older = take_older(queue, job);
    gone = take_unwanted(queue);
    added = !queue->stopping && queue->count < ZF_QUEUE_LIMIT;
    if (added) {
        job->next = NULL;
        if (queue->last)
            queue->last->next = job;
        else
            queue->first = job;
        queue->last = job;
        queue->count++;
        pthread_cond_signal(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    if (older)
        queue->work.drop(queue->user, older, ZF_DROP_OLDER);
    while (gone) {
        struct zf_job *next = gone->next;

        gone->next = NULL;
        queue->work.drop(queue->user, gone, ZF_DROP_GONE);
        gone = next;
    }
    return added;
}

void zf_queue_wake(struct zf_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void zf_queue_stop(struct zf_queue *queue)
{
    if (!queue->begun)
        return;
    pthread_mutex_lock(&queue->lock);
    queue->stopping = true;
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    pthread_join(queue->thread, NULL);
    while (queue->first)
        queue->work.drop(queue->user, take(queue, NULL), ZF_DROP_STOPPED);
    queue->begun = false;
}

void zf_queue_release(struct zf_queue *queue)
{
    if (!queue->made)
        return;
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    queue->made = false;
}
