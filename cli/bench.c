/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "machine.h"
#include "nets.h"
#include "output.h"
#include "zf/plan.h"
#include "zf/tensor.h"
#include "zf/train.h"

enum bench_mode { BENCH_FORWARD, BENCH_TRAIN, BENCH_PROJECT, BENCH_BACK };

struct bench_options {
    int mode;
    int64_t batch, runs, warm_up;
    const char *layer;
};

static const char *const modes[] = {"forward", "train", "project", "back", NULL};

static const struct zf_option bench_table[] = {
    ZF_OPTION_ROW_CHOICE(bench_options, mode, "M", "what is timed", BENCH_FORWARD, modes),
    ZF_OPTION_ROW_INT(bench_options, batch, "N", "images a run", 64, 1, 4096),
    ZF_OPTION_ROW_INT(bench_options, runs, "N", "timed runs, of which the median counts", 7, 1,
                      10000),
    ZF_OPTION_ROW_INT(bench_options, warm_up, "N", "runs before the clock starts", 2, 0, 1000),
    ZF_OPTION_ROW_TEXT(bench_options, layer, "L",
                       "where projections start; the last convolution unless named"),
};

/* Everything a run needs, made before the clock starts. */
struct bench {
    struct bench_options options;
    struct zf_net *net;
    struct zf_plan *plan;
    struct zf_tensor input, pixels;
    float *gradients, *velocity;
    int32_t *labels;
    struct zf_place *places; /* one an image */
    int layer;
    double *seconds;
    int64_t steps;
    uint64_t seed;
    struct zf_step step;
};

/* Any values do, as long as they have the scale of pixels and equal seeds give equal ones. */
static void fill_input(struct zf_tensor *input, uint64_t seed)
{
    uint64_t state = seed * 2654435761u + 12345;

    for (int64_t i = 0; i < zf_tensor_count(input); i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        input->data[i] = (float)(state >> 40) / 65536.0f - 128.0f;
    }
}

static enum zf_status prepare_train(struct bench *bench, struct zf_plan_options *options,
                                    struct zf_error *err)
{
    const size_t floats = (size_t)zf_net_gradient_floats(bench->net);
    const int64_t classes = zf_net_class_count(bench->net);

    bench->gradients = calloc(floats, sizeof *bench->gradients);
    bench->velocity = calloc(floats, sizeof *bench->velocity);
    bench->labels = calloc((size_t)bench->options.batch, sizeof *bench->labels);
    if (!bench->gradients || !bench->velocity || !bench->labels)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    for (int64_t i = 0; i < bench->options.batch; i++)
        bench->labels[i] = (int32_t)(i % classes);
    options->purpose = ZF_TRAIN;
    options->gradients = bench->gradients;
    return ZF_OK;
}

static enum zf_status prepare_project(struct bench *bench, struct zf_plan_options *options,
                                      struct zf_error *err)
{
    ZF_CHECK(net_layer(bench->net, bench->options.layer, &bench->layer, err));
    bench->places = calloc((size_t)bench->options.batch, sizeof *bench->places);
    if (!bench->places)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    for (int64_t i = 0; i < bench->options.batch; i++) {
        const struct zf_shape shape = zf_net_layer(bench->net, bench->layer).shape;

        bench->places[i] = (struct zf_place){i, i % shape.c, shape.h / 2, shape.w / 2};
    }
    options->purpose = ZF_PROJECT;
    options->each = true;
    options->taps = &bench->layer;
    options->tap_count = 1;
    options->taps_only = true;
    return zf_tensor_init(&bench->pixels, bench->options.batch, bench->input.c, bench->input.h,
                          bench->input.w, err);
}

static enum zf_status prepare(struct call *call, struct bench *bench, struct zf_error *err)
{
    struct zf_plan_options options = {
        .compute = call->compute,
        .purpose = ZF_INFER,
    };
    struct zf_model_options told = {0};
    const struct zf_recipe *recipe;
    struct zf_shape shape;
    bool is_model;

    options.compute.batch = bench->options.batch;
    ZF_CHECK(net_model_options(call->args, &told, err));
    ZF_CHECK(net_open_told(&told, call->args->words[0], &bench->net, &is_model, err));
    recipe = zf_net_recipe(bench->net);
    bench->seed = (uint64_t)call->common.seed;
    if (!is_model)
        zf_net_init_parameters(bench->net, ZF_INIT_HE, recipe->init_std, bench->seed);
    /* A rate of zero: the work is that of a real step, but no run can end in infinities. */
    bench->step = (struct zf_step){0, recipe->momentum, recipe->weight_decay, recipe->rms_limit,
                                   (int)call->common.threads};
    shape = zf_net_input(bench->net);
    ZF_CHECK(zf_tensor_init(&bench->input, options.compute.batch, shape.c, shape.h, shape.w, err));
    fill_input(&bench->input, bench->seed);
    bench->seconds = calloc((size_t)bench->options.runs, sizeof *bench->seconds);
    if (!bench->seconds)
        ZF_CHECK(zf_fail(err, ZF_ENOMEM, "out of memory"));
    if (bench->options.mode == BENCH_TRAIN)
        ZF_CHECK(prepare_train(bench, &options, err));
    if (bench->options.mode == BENCH_PROJECT || bench->options.mode == BENCH_BACK)
        ZF_CHECK(prepare_project(bench, &options, err));
    ZF_CHECK(zf_plan_create(bench->net, &options, &bench->plan, err));
    if (bench->options.mode == BENCH_BACK)
        zf_plan_forward(bench->plan, &bench->input);
    return ZF_OK;
}

static void release(struct bench *bench)
{
    zf_plan_free(&bench->plan);
    zf_tensor_release(&bench->input);
    zf_tensor_release(&bench->pixels);
    free(bench->gradients);
    free(bench->velocity);
    free(bench->labels);
    free(bench->places);
    free(bench->seconds);
    zf_net_free(&bench->net);
}

static void run_once(struct bench *bench)
{
    switch ((enum bench_mode)bench->options.mode) {
    case BENCH_FORWARD:
        zf_plan_forward(bench->plan, &bench->input);
        break;
    case BENCH_TRAIN:
        zf_plan_forward_train(bench->plan, &bench->input, bench->seed, (uint64_t)bench->steps++);
        zf_plan_backward(bench->plan, bench->labels);
        zf_step_apply(bench->net, bench->gradients, bench->velocity, &bench->step);
        zf_plan_refresh(bench->plan);
        break;
    case BENCH_PROJECT:
        zf_plan_forward(bench->plan, &bench->input);
        zf_plan_project_each(bench->plan, bench->layer, bench->places, NULL, &bench->pixels);
        break;
    case BENCH_BACK:
        zf_plan_project_each(bench->plan, bench->layer, bench->places, NULL, &bench->pixels);
        break;
    }
}

/* Multiply-adds of one image in the timed work, done in full: cones and the like spare some. */
static double macs_an_image(const struct bench *bench)
{
    const double forward = (double)zf_net_macs(bench->net, -1);
    double below = 0, first = 0;

    switch ((enum bench_mode)bench->options.mode) {
    case BENCH_FORWARD:
        return forward;
    case BENCH_TRAIN:
        /* Forward, data and weights alike; pixels need no gradient. */
        for (int i = 0; i < zf_net_layer_count(bench->net) && first <= 0; i++)
            first = (double)zf_net_macs(bench->net, i);
        return 3 * forward - first;
    case BENCH_PROJECT:
    case BENCH_BACK:
        for (int i = 0; i <= bench->layer; i++)
            below += (double)zf_net_macs(bench->net, i);
        return bench->options.mode == BENCH_BACK ? below : 2 * below;
    }
    return 0;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static enum zf_status print_bench(const struct call *call, struct bench *bench,
                                  struct zf_error *err)
{
    const size_t runs = (size_t)bench->options.runs;
    const double batch = (double)bench->options.batch;
    const double peak = machine_peak_rss_mib();
    const char *precision = call->common.precision == ZF_PRECISION_BF16 ? "bf16" : "f32";
    double median, gflops;
    cJSON *json;

    qsort(bench->seconds, runs, sizeof *bench->seconds, by_value);
    median = (bench->seconds[(runs - 1) / 2] + bench->seconds[runs / 2]) / 2;
    gflops = 2e-9 * macs_an_image(bench) * batch / median;
    if (!call->common.json) {
        struct zf_engine_info engine = {0};

        zf_engine_describe(zf_plan_engine(bench->plan), &engine, NULL);
        fprintf(call->out, "%s, %s, batch %" PRId64 ", %" PRId64 " thread%s, %s, engine %s on %s\n",
                zf_net_name(bench->net), modes[bench->options.mode], bench->options.batch,
                call->common.threads, call->common.threads == 1 ? "" : "s", precision, engine.name,
                engine.isa);
        fprintf(call->out, "  %-22s%.1f\n", "images a second", batch / median);
        fprintf(call->out, "  %-22s%.4f (fastest %.4f, slowest %.4f of %zu)\n", "seconds, median",
                median, bench->seconds[0], bench->seconds[runs - 1], runs);
        fprintf(call->out, "  %-22s%.1f\n", "GFLOP/s", gflops);
        fprintf(call->out, "  %-22s%.0f (plan %.0f)\n", "peak memory, MiB", peak,
                (double)zf_plan_memory(bench->plan) / 1048576);
        return ZF_OK;
    }
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "mode", modes[bench->options.mode]);
    cJSON_AddStringToObject(json, "net", zf_net_name(bench->net));
    cJSON_AddNumberToObject(json, "batch", batch);
    cJSON_AddNumberToObject(json, "threads", (double)call->common.threads);
    cJSON_AddStringToObject(json, "precision", precision);
    cJSON_AddNumberToObject(json, "runs", (double)runs);
    cJSON_AddNumberToObject(json, "images_per_second", batch / median);
    cJSON_AddNumberToObject(json, "seconds_median", median);
    cJSON_AddNumberToObject(json, "seconds_min", bench->seconds[0]);
    cJSON_AddNumberToObject(json, "seconds_max", bench->seconds[runs - 1]);
    cJSON_AddNumberToObject(json, "gflops", gflops);
    cJSON_AddNumberToObject(json, "peak_rss_mib", peak);
    cJSON_AddNumberToObject(json, "plan_mib", (double)zf_plan_memory(bench->plan) / 1048576);
    machine_add_versions(json, zf_plan_engine(bench->plan));
    return output_json(call->out, json, err);
}

static enum zf_status run_bench(struct call *call, struct zf_error *err)
{
    const struct option_table table = {bench_table, ZF_COUNT(bench_table)};
    enum zf_status status;
    struct bench bench = {0};
    int64_t total;

    ZF_TRY(args_read(call->args, table, &bench.options, err));
    ZF_TRY(prepare(call, &bench, err));
    total = bench.options.warm_up + bench.options.runs;
    for (int64_t i = 0; i < total; i++) {
        const int64_t timed = i - bench.options.warm_up;
        const double begun = clock_seconds();

        run_once(&bench);
        if (timed >= 0)
            bench.seconds[timed] = clock_seconds() - begun;
        if (!progress_show(call->progress, "bench", i + 1, total, "", -1))
            ZF_LEAVE(zf_fail(err, ZF_ECANCELED, "stopped on request"));
    }
    ZF_TRY(print_bench(call, &bench, err));
fail:
    release(&bench);
    return status;
}

const struct command bench_command = {
    .name = "bench",
    .arguments = "NET|MODEL",
    .summary = "how fast a net runs here",
    .details =
        "Times whole batches of made-up pixels: forward; train (forward, backward and the "
        "step); project (forward, and one projection an image); back (that projection alone). A "
        "NET gets random weights.",
    .output = OUTPUT_TEXT,
    .least = 1,
    .most = 1,
    .options = bench_table,
    .option_count = ZF_COUNT(bench_table),
    .imports = true,
    .run = run_bench,
};
