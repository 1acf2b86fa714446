/* SPDX-License-Identifier: MIT */
/*
 * The direction is -H * gradient, where H is built from the last steps s and changes of gradient y
 * by the two-loop recursion; the step along it is halved until the value falls enough (Armijo).
 * Pairs without positive curvature are left out, so H stays positive definite.
 */
#include "learn/lbfgs.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define LEAST_HISTORY 3
#define MOST_HISTORY 10
#define ENOUGH 1e-4 /* share of the promised descent that a step must bring */
#define MOST_HALVINGS 30
#define LEAST_CURVATURE 1e-10

struct search {
    int64_t count;
    size_t history;           /* pairs that there is room for */
    size_t held, newest;      /* pairs that there are, and where the last one is */
    float *s, *y;             /* [history][count] */
    double rho[MOST_HISTORY]; /* 1 / s.y */
    float *gradient, *next, *direction, *trial;
};

static double dot(const float *a, const float *b, int64_t count)
{
    double sum = 0;

    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void add_scaled(float *a, double scale, const float *b, int64_t count)
{
    const float factor = (float)scale;

    for (int64_t i = 0; i < count; i++)
        a[i] += factor * b[i];
}

/* The k-th last pair. */
static size_t pair_at(const struct search *l, size_t k)
{
    return (l->newest + l->history - k) % l->history;
}

/* direction = -H * gradient */
static void choose_direction(struct search *l)
{
    double alpha[MOST_HISTORY];
    double scale = 1;

    memcpy(l->direction, l->gradient, (size_t)l->count * sizeof *l->direction);
    for (size_t k = 0; k < l->held; k++) {
        const size_t at = pair_at(l, k);

        alpha[k] = l->rho[at] * dot(l->s + at * (size_t)l->count, l->direction, l->count);
        add_scaled(l->direction, -alpha[k], l->y + at * (size_t)l->count, l->count);
    }
    if (l->held > 0) {
        const float *y = l->y + l->newest * (size_t)l->count;

        scale = 1 / (l->rho[l->newest] * dot(y, y, l->count));
    }
    for (int64_t i = 0; i < l->count; i++)
        l->direction[i] *= (float)-scale;
    for (size_t k = l->held; k-- > 0;) {
        const size_t at = pair_at(l, k);
        const double beta = l->rho[at] * dot(l->y + at * (size_t)l->count, l->direction, l->count);

        add_scaled(l->direction, -alpha[k] - beta, l->s + at * (size_t)l->count, l->count);
    }
}

/* The pair of the step just made: trial is the new place, next its gradient. Without positive
   curvature it is left out, and the oldest one stays. */
static void remember(struct search *l, const float *x)
{
    const size_t at = l->held > 0 ? (l->newest + 1) % l->history : 0;
    float *s = l->s + at * (size_t)l->count, *y = l->y + at * (size_t)l->count;
    double curvature = 0, squares = 0;

    for (int64_t i = 0; i < l->count; i++) {
        const double change = (double)l->next[i] - (double)l->gradient[i];

        curvature += ((double)l->trial[i] - (double)x[i]) * change;
        squares += change * change;
    }
    if (!(curvature > LEAST_CURVATURE * squares))
        return;
    for (int64_t i = 0; i < l->count; i++) {
        s[i] = l->trial[i] - x[i];
        y[i] = l->next[i] - l->gradient[i];
    }
    l->rho[at] = 1 / curvature;
    l->newest = at;
    l->held += l->held < l->history;
}

/* Backtrack along the direction; the value there, or INFINITY when none is better. */
static double move(struct search *l, zf_objective *objective, void *user, const float *x,
                   double value, double step)
{
    const double slope = dot(l->gradient, l->direction, l->count);

    for (int k = 0; slope < 0 && k < MOST_HALVINGS; k++, step /= 2) {
        double reached;

        memcpy(l->trial, x, (size_t)l->count * sizeof *x);
        add_scaled(l->trial, step, l->direction, l->count);
        reached = objective(user, l->trial, l->next);
        if (reached <= value + ENOUGH * step * slope)
            return reached;
    }
    return INFINITY;
}

static enum zf_status search_init(struct search *l, int64_t count, size_t memory,
                                  struct zf_error *err)
{
    const size_t pair = 2 * (size_t)count * sizeof(float);

    l->count = count;
    l->history = memory / pair;
    l->history = l->history > MOST_HISTORY ? MOST_HISTORY : l->history;
    l->history = l->history < LEAST_HISTORY ? LEAST_HISTORY : l->history;
    l->s = zf_alloc(l->history * (size_t)count, sizeof *l->s);
    l->y = zf_alloc(l->history * (size_t)count, sizeof *l->y);
    l->gradient = zf_alloc((size_t)count, sizeof *l->gradient);
    l->next = zf_alloc((size_t)count, sizeof *l->next);
    l->direction = zf_alloc((size_t)count, sizeof *l->direction);
    l->trial = zf_alloc((size_t)count, sizeof *l->trial);
    if (!l->s || !l->y || !l->gradient || !l->next || !l->direction || !l->trial)
        return zf_no_memory(err, "a search over %" PRId64 " weights", count);
    return ZF_OK;
}

static void search_release(struct search *l)
{
    zf_free(l->s);
    zf_free(l->y);
    zf_free(l->gradient);
    zf_free(l->next);
    zf_free(l->direction);
    zf_free(l->trial);
}

enum zf_status zf_lbfgs_run(zf_objective *objective, void *user, float *x, int64_t count,
                            const struct zf_lbfgs_options *options, struct zf_lbfgs_result *result,
                            struct zf_error *err)
{
    enum zf_status status;
    struct search l = {0};
    double value, length, goal;
    int64_t at = 0;

    ZF_TRY(search_init(&l, count, options->memory, err));
    value = objective(user, x, l.gradient);
    length = sqrt(dot(l.gradient, l.gradient, count));
    goal = options->tolerance * length;
    if (!isfinite(value) || !isfinite(length))
        ZF_LEAVE(zf_fail(err, ZF_ENUMERIC, "the loss is not finite where the search begins"));
    for (; at < options->iterations && length > goal; at++) {
        double reached;

        choose_direction(&l);
        reached = move(&l, objective, user, x, value, l.held > 0 ? 1 : 1 / length);
        if (!isfinite(reached))
            break;
        remember(&l, x);
        value = reached;
        memcpy(x, l.trial, (size_t)count * sizeof *x);
        memcpy(l.gradient, l.next, (size_t)count * sizeof *x);
        length = sqrt(dot(l.gradient, l.gradient, count));
    }
    *result = (struct zf_lbfgs_result){value, at, length <= goal};
fail:
    search_release(&l);
    return status;
}
