/* SPDX-License-Identifier: MIT */
/*
 * Experiments that were asked for from a browser: one runs, on a thread of its own that leaves the
 * cores to those who look at pictures; the others wait. Results lie in a temporary directory, which
 * goes with the server. Thread-safe.
 */
#ifndef ZF_SERVE_TRIALS_H
#define ZF_SERVE_TRIALS_H

#include <pthread.h>
#include <stdatomic.h>

#include "page/json.h"
#include "serve/queue.h"
#include "serve/request.h"
#include "zf/experiment.h"
#include "zf/serve.h"

#define ZF_MOST_TRIALS 12 /* that wait, run, or have a result */

enum zf_trial_state { ZF_TRIAL_WAITS, ZF_TRIAL_RUNS, ZF_TRIAL_DONE, ZF_TRIAL_FAILED };

struct zf_trial;

struct zf_trials {
    const struct zf_serve_options *options;
    pthread_mutex_t lock;
    struct zf_queue queue;
    char *directory; /* owned, and removed at the end */
    struct zf_trial *items[ZF_MOST_TRIALS];
    size_t count;
    int64_t next_id;
    atomic_bool ending;
    bool (*idle)(void *user); /* what the thread does while nothing waits: see queue.h */
    void *user;
};

/** ZF_EIO where no directory can be made. idle, user  of the thread, when no experiment waits. */
enum zf_status zf_trials_init(struct zf_trials *trials, const struct zf_serve_options *options,
                              bool (*idle)(void *user), void *user, struct zf_error *err);

/** Stop what runs; accepts one that was not begun. Then release. */
void zf_trials_stop(struct zf_trials *trials);
void zf_trials_release(struct zf_trials *trials);

/* ---- trial_rules.c ---- */

/** Why an experiment cannot be run from here; NULL = it can. Static. */
const char *zf_trial_obstacle(const struct zf_experiment *experiment,
                              const struct zf_serve_options *options);

/** Whether a browser may set this option: not where its text names a file or a directory. */
bool zf_trial_may_set(const struct zf_option *option);

/** ZF_EINVAL for a text that it may not be set to. */
enum zf_status zf_trial_check_text(const struct zf_option *option, const char *text,
                                   struct zf_error *err);

/* ---- */

/* The picture that an experiment is to look at. */
struct zf_trial_picture {
    const char *path;     /* of a file of the data set; NULL = there is none, but */
    const uint8_t *bytes; /* the file itself, */
    const char *name;     /* what to call it, */
    size_t size;          /* and its size */
};

/**
 * Run the experiment of that name with the parameters "option.NAME" of a request.
 * picture  NULL where none was named; lent
 * id       set
 * ZF_EINVAL for options out of range, ZF_EINPUT for what is missing, ZF_ECANCELED where too many
 * wait; ZF_EIO, ZF_ENOMEM.
 */
enum zf_status zf_trials_add(struct zf_trials *trials, const struct zf_experiment *experiment,
                             const struct zf_request *request,
                             const struct zf_trial_picture *picture, int64_t *id,
                             struct zf_error *err);

/** Have one stopped, or, where it is over, forgotten. ZF_EINPUT where there is none. */
enum zf_status zf_trials_cancel(struct zf_trials *trials, int64_t id, struct zf_error *err);

/** An array "trials" of all, the newest last. */
void zf_trials_list(struct zf_trials *trials, struct zf_json *json);

/** The path of its page, or of its numbers; handed over, free with zf_free(). ZF_EINPUT. */
enum zf_status zf_trials_result(struct zf_trials *trials, int64_t id, bool numbers, char **path,
                                struct zf_error *err);

#endif
