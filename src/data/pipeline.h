/* SPDX-License-Identifier: MIT */
/**
 * Worker threads that run ahead of one consumer, by a bounded number of slots.
 *
 * A pass is a row of tickets first, first + 1, ...; ticket t is worked on in slot t % slots as
 * soon as the consumer has released what lay there. Which worker takes a ticket is left to chance,
 * so the work must be a function of the ticket alone.
 *
 *     zf_pipeline_start(pipeline, 0, count);
 *     for (t = 0; t < count; t++) {
 *         zf_pipeline_wait(pipeline, t);           -- slot t % slots is filled
 *         ...
 *         zf_pipeline_release(pipeline, t + 1);    -- and may be filled again
 *     }
 */
#ifndef ZF_DATA_PIPELINE_H
#define ZF_DATA_PIPELINE_H

#include "zf/base.h"

#define ZF_PIPELINE_MAX_THREADS 256

/* Runs on a worker thread, 0 <= worker < threads. Failures are left in the slot. */
typedef void zf_pipeline_work(void *user, int worker, int64_t ticket, int64_t slot);

struct zf_pipeline;

/* The workers start at once and wait. ZF_EINVAL for too many or too few threads; ZF_ENOMEM. */
enum zf_status zf_pipeline_create(int threads, int64_t slots, zf_pipeline_work *work, void *user,
                                  struct zf_pipeline **out, struct zf_error *err);

/* Ends from any state: waits for the tickets being worked on, drops the rest. */
void zf_pipeline_free(struct zf_pipeline **pipeline);

/* Begin tickets first .. first + count - 1. All tickets of the pass before must be done. */
void zf_pipeline_start(struct zf_pipeline *pipeline, int64_t first, int64_t count);

/* Wait until all tickets up to this one are done; the seconds it took. */
double zf_pipeline_wait(struct zf_pipeline *pipeline, int64_t ticket);

/* The slots of all tickets before this one may be filled again. */
void zf_pipeline_release(struct zf_pipeline *pipeline, int64_t ticket);

#endif
