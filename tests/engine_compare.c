/* SPDX-License-Identifier: MIT */
#include "engine_compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/status.h"

#define MOST_EXCHANGES 500000 /* products of rig_source()'s convolution */

/* Of a program that is timed. */
#define LEAST_RUNS 5
#define MOST_RUNS 1000
#define ENOUGH_NS 5e7

/* Tests have nobody to report to. */
static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "engine_compare: %s\n", what);
        abort();
    }
}

struct zf_dims dims4(int64_t n, int64_t c, int64_t h, int64_t w)
{
    return (struct zf_dims){4, {n, c, h, w}};
}

int64_t dims_count(struct zf_dims dims)
{
    int64_t count = 1;

    for (int i = 0; i < dims.rank; i++)
        count *= dims.d[i];
    return count;
}

const char *dims_text(struct zf_dims dims, char text[64])
{
    int length = 0;

    text[0] = '\0';
    for (int i = 0; i < dims.rank; i++)
        length +=
            snprintf(text + length, (size_t)(64 - length), "%s%" PRId64, i ? "x" : "", dims.d[i]);
    return text;
}

const char *window_text(const struct zf_window *w, char text[160])
{
    snprintf(text, 160,
             "kernel %" PRId64 "x%" PRId64 " stride %" PRId64 "x%" PRId64 " pads t%" PRId64
             " l%" PRId64 " b%" PRId64 " r%" PRId64 " groups %" PRId64,
             w->kernel_h, w->kernel_w, w->stride_h, w->stride_w, w->pad_top, w->pad_left,
             w->pad_bottom, w->pad_right, w->groups);
    return text;
}

int64_t rig_between(struct rig *rig, int64_t low, int64_t high)
{
    return low + (int64_t)zf_random_below(&rig->random, (uint64_t)(high - low + 1));
}

int64_t rig_pick(struct rig *rig, const int64_t *choices, size_t count)
{
    return choices[zf_random_below(&rig->random, count)];
}

bool rig_chance(struct rig *rig, int percent)
{
    return rig_between(rig, 1, 100) <= percent;
}

int64_t rig_maps(struct rig *rig)
{
    static const int64_t awkward[] = {1, 1, 3, 3, 8, 16, 17, 32, 96};

    return rig_chance(rig, 70) ? rig_pick(rig, awkward, ZF_COUNT(awkward))
                               : rig_between(rig, 1, 40);
}

int64_t rig_side(struct rig *rig)
{
    return rig_chance(rig, 20) ? 1 : rig_between(rig, 1, 14);
}

struct zf_dims rig_dims(struct rig *rig)
{
    const int64_t batch = rig_between(rig, 1, 5), maps = rig_maps(rig);

    return dims4(batch, maps, rig_side(rig), rig_side(rig));
}

/* A window along one side that fits `in`; pads are narrower than the kernel. */
static void rig_window_side(struct rig *rig, int64_t in, int64_t side[5])
{
    do {
        side[4] = rig_chance(rig, 20) ? rig_between(rig, 1, 3) : 0;
        side[0] = rig_chance(rig, 15) ? rig_between(rig, 6, 11) : rig_between(rig, 1, 5);
        side[1] = rig_between(rig, 1, 4);
        side[2] = rig_chance(rig, 50) ? rig_between(rig, 0, side[0] - 1) : 0;
        side[3] = rig_chance(rig, 50) ? rig_between(rig, 0, side[0] - 1) : 0;
    } while (zf_window_extent(in, zf_window_reach(side[0], side[4]), side[1], side[2], side[3],
                              false) < 1);
}

struct zf_window rig_window(struct rig *rig, struct zf_dims src)
{
    int64_t v[5], h[5];

    rig_window_side(rig, src.d[2], v);
    if (src.d[2] == src.d[3] && rig_chance(rig, 60))
        memcpy(h, v, sizeof h);
    else
        rig_window_side(rig, src.d[3], h);
    return (struct zf_window){v[0], h[0], v[1], h[1], v[2], h[2], v[3], h[3], 1, v[4], h[4]};
}

void rig_create_engine(struct rig *rig, int64_t batch, bool training, bool exact)
{
    struct zf_engine_config config = {
        .batch = batch,
        .threads = rig_chance(rig, 30) ? 2 : 1,
        .training = training,
        .exact = exact,
        .bf16 = rig->bf16 && rig->ops != &zf_engine_reference,
    };
    struct zf_error err = {0};

    rig->batch = batch;
    rig->run.count = batch;
    if (rig->timing)
        rig->timing->threads = config.threads;
    if (config.bf16 && rig->ops->create(&config, &rig->e, &err) == ZF_EUNSUPPORTED)
        config.bf16 = false;
    if (!rig->e && rig->ops->create(&config, &rig->e, &err) != ZF_OK)
        require(false, err.message);
    rig->ops->begin(rig->e, ZF_PROGRAM_FORWARD);
}

void rig_init(struct rig *rig, const struct zf_engine_ops *ops, uint64_t seed,
              struct outcome *outcome)
{
    *rig = (struct rig){.ops = ops, .outcome = outcome, .seed = seed};
    rig->random = zf_random_stream(seed, ZF_RANDOM_TEST, 0, 0);
}

void rig_release(struct rig *rig)
{
    rig->ops->free(&rig->e);
    for (size_t i = 0; i < rig->array_count; i++)
        zf_free(rig->arrays[i]);
}

void rig_fill(struct rig *rig, float *array, int64_t count, enum numbers kind, double scale)
{
    for (int64_t i = 0; i < count; i++) {
        double number = 0.0;

        switch (kind) {
        case NORMAL:
            number = zf_random_normal(&rig->random);
            break;
        case RECTIFIED:
            number = (double)rig_between(rig, -3, 3);
            number = number > 0.0 ? number : 0.0;
            break;
        case WHOLE:
            number = (double)rig_between(rig, -3, 3);
            break;
        case SIGN:
            number = (double)rig_between(rig, -1, 1);
            break;
        case DISTINCT:
            number = (double)(i + 1);
            break;
        }
        array[i] = (float)(number * scale);
    }
}

static float *keep_array(struct rig *rig, int64_t count)
{
    float *array = zf_alloc((size_t)count, sizeof *array);

    require(array && rig->array_count < RIG_LIMIT, "out of arrays");
    rig->arrays[rig->array_count++] = array;
    return array;
}

float *rig_array(struct rig *rig, int64_t count, enum numbers kind, double scale)
{
    float *array = keep_array(rig, count);

    rig_fill(rig, array, count, kind, scale);
    return array;
}

zf_value rig_input(struct rig *rig, struct zf_dims dims, enum numbers kind, double scale)
{
    const zf_value value = rig->ops->input(rig->e, dims);
    const int64_t count = dims_count(dims);

    require(rig->input_count < RIG_LIMIT, "out of inputs");
    rig->inputs[rig->input_count].value = value;
    rig->inputs[rig->input_count].count = count;
    rig->inputs[rig->input_count++].plain = rig_array(rig, count, kind, scale);
    return value;
}

zf_value rig_host(struct rig *rig, struct zf_dims dims, enum numbers kind, double scale)
{
    return rig->ops->host(rig->e, dims, rig_array(rig, dims_count(dims), kind, scale));
}

zf_value rig_source(struct rig *rig, struct zf_dims dims, enum numbers kind, double scale)
{
    const struct zf_window point = {1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0};
    const int64_t c = dims.d[1];
    const zf_value plain = rig_input(rig, dims, kind, scale);
    const bool keeps_sign = kind == RECTIFIED || kind == DISTINCT;
    int64_t step = rig_between(rig, 0, c - 1);
    float *weight;

    if (rig_chance(rig, 60) || c * dims_count(dims) > MOST_EXCHANGES)
        return plain;
    weight = keep_array(rig, c * c);
    for (int64_t o = 0; o < c; o++)
        weight[o * c + (o + step) % c] = !keeps_sign && rig_chance(rig, 50) ? -1.0f : 1.0f;
    return rig->ops->conv_forward(rig->e, &point, plain,
                                  rig->ops->host(rig->e, dims4(c, c, 1, 1), weight), ZF_NO_VALUE,
                                  false);
}

void rig_finish(struct rig *rig)
{
    struct zf_error err = {0};

    if (rig->ops->finish(rig->e, &err) != ZF_OK) {
        fprintf(stderr, "%s: %s\n", rig->ops->name, rig->outcome->shape);
        require(false, err.message);
    }
    rig_run(rig, ZF_PROGRAM_REFRESH);
}

static double now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_length(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void time_program(struct rig *rig, int program)
{
    struct timing *timing = rig->timing;
    double ns[MOST_RUNS], spread;
    const double end = now_ns() + ENOUGH_NS;
    int runs = 0;

    while (runs < LEAST_RUNS || (runs < MOST_RUNS && now_ns() < end)) {
        const double begin = now_ns();

        rig->ops->run(rig->e, program, &rig->run);
        ns[runs++] = now_ns() - begin;
    }
    qsort(ns, (size_t)runs, sizeof *ns, by_length);
    spread = (ns[runs * 3 / 4] - ns[runs / 4]) / ns[runs / 2];
    timing->ns += ns[runs / 2];
    timing->runs = runs;
    timing->spread = spread > timing->spread ? spread : timing->spread;
}

void rig_run(struct rig *rig, int program)
{
    if (rig->timing && program != ZF_PROGRAM_REFRESH)
        time_program(rig, program);
    else
        rig->ops->run(rig->e, program, &rig->run);
}

void rig_products(struct rig *rig, double products)
{
    if (rig->timing)
        rig->timing->products = products;
}

void rig_forward(struct rig *rig)
{
    for (size_t i = 0; i < rig->input_count; i++)
        rig->ops->write(rig->e, rig->inputs[i].value, rig->inputs[i].plain, rig->batch);
    rig_run(rig, ZF_PROGRAM_FORWARD);
}

void rig_describe(struct rig *rig, const char *format, ...)
{
    char *shape = rig->outcome->shape;
    const size_t length = strlen(shape);
    va_list args;

    va_start(args, format);
    vsnprintf(shape + length, sizeof rig->outcome->shape - length, format, args);
    va_end(args);
}

void rig_show_array(struct rig *rig, const char *name, const float *data, int64_t count,
                    struct tolerance tolerance)
{
    struct shown *shown = &rig->outcome->shown[rig->outcome->count];

    require(rig->outcome->count < SHOWN_LIMIT, "too much to show");
    snprintf(shown->name, sizeof shown->name, "%s", name);
    shown->data = zf_alloc((size_t)count, sizeof *data);
    require(shown->data != NULL, "out of memory");
    memcpy(shown->data, data, (size_t)count * sizeof *data);
    shown->count = count;
    shown->tolerance = tolerance;
    rig->outcome->count++;
}

void rig_show(struct rig *rig, const char *name, zf_value value, struct tolerance tolerance)
{
    const struct zf_dims dims = rig->ops->dims(rig->e, value);
    const int64_t count = dims_count(dims);
    float *data = zf_alloc((size_t)count, sizeof *data);

    require(data != NULL, "out of memory");
    rig->ops->read(rig->e, value, data, dims.d[0]);
    rig_show_array(rig, name, data, count, tolerance);
    zf_free(data);
}

void timed_outcome_of(engine_case *run, const struct zf_engine_ops *ops, uint64_t seed,
                      struct timing *timing, struct outcome *outcome)
{
    struct rig rig;

    memset(outcome, 0, sizeof *outcome);
    rig_init(&rig, ops, seed, outcome);
    rig.timing = timing;
    run(&rig);
    rig_release(&rig);
}

void outcome_of(engine_case *run, const struct zf_engine_ops *ops, uint64_t seed,
                struct outcome *outcome)
{
    timed_outcome_of(run, ops, seed, NULL, outcome);
}

void outcome_release(struct outcome *outcome)
{
    for (size_t i = 0; i < outcome->count; i++)
        zf_free(outcome->shown[i].data);
    outcome->count = 0;
}

/* The difference as a share of what is allowed; > 1 is too much. */
static double share_of_bound(const struct shown *reference, const struct shown *other)
{
    const struct tolerance tolerance = reference->tolerance;
    double norm = 0.0, difference = 0.0;
    bool equal = true;

    for (int64_t i = 0; i < reference->count; i++) {
        const double a = (double)reference->data[i], b = (double)other->data[i];

        equal = equal && (a == b || (isnan(a) && isnan(b)));
        norm += a * a;
        difference += (b - a) * (b - a);
    }
    if (equal)
        return 0.0;
    if (tolerance.bound <= 0.0)
        return INFINITY;
    norm = fmax(sqrt(norm), tolerance.rms * sqrt((double)reference->count));
    difference = sqrt(difference) / (norm * tolerance.bound);
    return isnan(difference) ? INFINITY : difference;
}

static void print_difference(const struct shown *reference, const struct shown *other)
{
    int64_t worst = 0, differing = 0;
    double largest = -1.0;

    for (int64_t i = 0; i < reference->count; i++) {
        const double off = fabs((double)reference->data[i] - (double)other->data[i]);

        differing += !(off <= 0.0);
        if (!(off <= largest)) {
            largest = off;
            worst = i;
        }
    }
    printf("    %s: %" PRId64 " of %" PRId64 " numbers differ, most at [%" PRId64
           "]: expected %.9g, got %.9g\n",
           reference->name, differing, reference->count, worst, (double)reference->data[worst],
           (double)other->data[worst]);
}

bool engines_agree(const struct engine_cases *cases, uint64_t seed,
                   const struct zf_engine_ops *engine, double *worst)
{
    struct outcome *expected = zf_alloc(1, sizeof *expected), *got = zf_alloc(1, sizeof *got);
    bool agree = true;

    require(expected && got, "out of memory");
    outcome_of(cases->run, &zf_engine_reference, seed, expected);
    outcome_of(cases->run, engine, seed, got);
    require(expected->count == got->count && expected->count > 0, "a case shows nothing");
    for (size_t i = 0; i < expected->count; i++) {
        const double share = share_of_bound(&expected->shown[i], &got->shown[i]);

        require(expected->shown[i].count == got->shown[i].count, "extents differ");
        if (worst)
            *worst = fmax(*worst, share);
        if (share <= 1.0)
            continue;
        if (agree)
            printf("  %s, seed %" PRIu64 ": %s\n", cases->name, seed, expected->shape);
        agree = false;
        printf("    %.3g times the bound of %g\n", share, expected->shown[i].tolerance.bound);
        print_difference(&expected->shown[i], &got->shown[i]);
    }
    outcome_release(expected);
    outcome_release(got);
    zf_free(expected);
    zf_free(got);
    return agree;
}
