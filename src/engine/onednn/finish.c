/* SPDX-License-Identifier: MIT */
/* Laying values out: steps in the order of their programs, when each value is in use, one arena. */
#include "onednn.h"

#include <string.h>

#include "base/memory.h"
#include "engine/arena.h"
#include "threads.h"

/* When a value is in use, in steps of all programs in order. */
struct lifetime {
    bool used;
    int64_t first, last;
    int first_program, last_program;
};

/* Steps were appended in the order of the calls; programs want theirs together. */
static bool order_steps(struct zf_engine *e)
{
    struct zf_onednn_step *ordered = zf_alloc(e->step_count, sizeof *ordered);
    size_t at = 0;

    if (!ordered)
        return false;
    for (int program = 0; program < ZF_PROGRAM_LIMIT; program++) {
        e->program_begin[program] = at;
        for (size_t i = 0; i < e->step_count; i++)
            if (e->steps[i].program == program)
                ordered[at++] = e->steps[i];
    }
    e->program_begin[ZF_PROGRAM_LIMIT] = at;
    zf_free(e->steps);
    e->steps = ordered;
    e->step_capacity = e->step_count;
    return true;
}

static void find_lifetimes(const struct zf_engine *e, struct lifetime *lifetimes)
{
    for (size_t i = 0; i < e->step_count; i++) {
        const struct zf_onednn_step *step = &e->steps[i];

        for (int k = 0; k < step->count; k++) {
            struct lifetime *life = &lifetimes[step->values[k]];

            if (!life->used)
                *life = (struct lifetime){true, (int64_t)i, 0, step->program, 0};
            life->last = (int64_t)i;
            life->last_program = step->program;
        }
    }
}

/* Programs that project run many times and in any order, so what they read from another program
   stays; in training, backward follows forward once. */
static bool outlives_its_steps(const struct zf_engine *e, const struct zf_onednn_value *value,
                               const struct lifetime *life)
{
    if (value->forever)
        return true;
    if (life->first_program == ZF_PROGRAM_REFRESH)
        return true;
    if (life->first_program == life->last_program)
        return false;
    return !(e->config.training && life->last_program == ZF_PROGRAM_BACKWARD);
}

static bool assign(struct zf_engine *e, const struct lifetime *lifetimes,
                   struct zf_arena_item *items)
{
    for (size_t i = 0; i < e->value_count; i++) {
        const struct zf_onednn_value *value = &e->values[i];
        const bool forever = outlives_its_steps(e, value, &lifetimes[i]);

        if (!value->data && (lifetimes[i].used || value->forever))
            items[i].bytes = value->layout->bytes;
        items[i].first = forever ? 0 : lifetimes[i].first;
        items[i].last = forever ? ZF_ARENA_FOREVER : lifetimes[i].last;
    }
    if (!zf_arena_assign(items, e->value_count, &e->arena_bytes))
        return false;
    e->arena = zf_alloc_raw(e->arena_bytes, 1);
    return e->arena != NULL;
}

/* Addresses for the values and for oneDNN's view of them. */
static enum zf_status place(struct zf_engine *e, const struct zf_arena_item *items)
{
    for (size_t i = 0; i < e->value_count; i++) {
        struct zf_onednn_value *value = &e->values[i];

        if (!value->data)
            value->data = e->arena + items[i].offset;
        /* Rows that nobody fills must hold numbers: NaN times a gradient of zero is NaN. */
        if (value->forever)
            memset(value->data, 0, value->layout->bytes);
        if (value->kept && !zf_onednn_transfer_init(e, value))
            return e->error.status;
    }
    for (size_t i = 0; i < e->step_count; i++) {
        struct zf_onednn_step *step = &e->steps[i];

        for (int k = 0; k < step->count; k++) {
            void *data = e->values[step->values[k]].data;

            if (step->args[k].memory &&
                dnnl_memory_set_data_handle(step->args[k].memory, data) != dnnl_success)
                return zf_fail(&e->error, ZF_EUNSUPPORTED, "oneDNN refuses a buffer");
        }
    }
    return ZF_OK;
}

enum zf_status zf_onednn_finish(struct zf_engine *e, struct zf_error *err)
{
    struct lifetime *lifetimes = NULL;
    struct zf_arena_item *items = NULL;
    const int before = zf_onednn_threads_set(e->config.threads);

    if (zf_onednn_ok(e)) {
        lifetimes = zf_alloc(e->value_count, sizeof *lifetimes);
        items = zf_alloc(e->value_count, sizeof *items);
        if (!lifetimes || !items || !order_steps(e)) {
            zf_onednn_no_memory(e, "the compilation of a plan");
        } else {
            find_lifetimes(e, lifetimes);
            if (assign(e, lifetimes, items) && zf_onednn_has_room())
                place(e, items);
            else
                zf_fail(&e->error, ZF_ENOMEM, "out of memory for %.1f MiB of activations",
                        (double)e->arena_bytes / 1048576.0);
        }
    }
    zf_free(lifetimes);
    zf_free(items);
    zf_onednn_threads_set(before);
    if (!zf_onednn_ok(e))
        return zf_fail(err, e->error.status, "%s", e->error.message);
    return ZF_OK;
}
