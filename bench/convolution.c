/* SPDX-License-Identifier: MIT */
/*
 * Convolutions of many nets that Winograd's algorithm can do: direct, as with --exact, against what
 * the engine chooses.
 *
 *     bench-convolution BATCH THREADS SECONDS [up|down|gradient] [PART OF A NAME]
 *
 * The least time of alternating runs, SECONDS or more for each shape; the source has the layout
 * that a convolution before it leaves. `up` is forward with bias and rectifier, `down` the way
 * back, `gradient` that of filters and bias. DNNL_MAX_CPU_ISA=AVX2 holds both to less than the
 * processor has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "engine/engine.h"

#define LARGEST 60000000 /* numbers of a value: larger batches are halved until it fits */

struct shape {
    const char *nets;
    int64_t maps, side, to, pad, kernel, stride;
};

static const struct shape shapes[] = {
    {"zfnet conv2", 96, 55, 256, 0, 5, 2},    {"zfnet conv3", 256, 13, 384, 1, 3, 1},
    {"zfnet conv4", 384, 13, 384, 1, 3, 1},   {"zfnet conv5", 384, 13, 256, 1, 3, 1},
    {"zfnet64 conv3", 128, 13, 192, 1, 3, 1}, {"zfnet64 conv4", 192, 13, 192, 1, 3, 1},
    {"zfnet64 conv5", 192, 13, 128, 1, 3, 1}, {"alexnet conv3", 192, 13, 384, 1, 3, 1},
    {"alexnet conv5", 256, 13, 256, 1, 3, 1}, {"vgg", 64, 224, 64, 1, 3, 1},
    {"vgg", 64, 112, 128, 1, 3, 1},           {"vgg", 128, 112, 128, 1, 3, 1},
    {"vgg", 128, 56, 256, 1, 3, 1},           {"vgg", 256, 56, 256, 1, 3, 1},
    {"vgg", 256, 28, 512, 1, 3, 1},           {"vgg", 512, 28, 512, 1, 3, 1},
    {"vgg", 512, 14, 512, 1, 3, 1},           {"resnet", 64, 56, 64, 1, 3, 1},
    {"resnet", 128, 28, 128, 1, 3, 1},        {"resnet", 256, 14, 256, 1, 3, 1},
    {"resnet", 512, 7, 512, 1, 3, 1},         {"densenet", 128, 56, 32, 1, 3, 1},
    {"densenet", 128, 28, 32, 1, 3, 1},       {"densenet", 128, 14, 32, 1, 3, 1},
    {"densenet", 128, 7, 32, 1, 3, 1},        {"densenet161", 192, 28, 48, 1, 3, 1},
    {"googlenet", 64, 56, 192, 1, 3, 1},      {"googlenet", 96, 28, 128, 1, 3, 1},
    {"googlenet", 128, 28, 192, 1, 3, 1},     {"googlenet", 96, 14, 208, 1, 3, 1},
    {"googlenet", 112, 14, 224, 1, 3, 1},     {"googlenet", 128, 14, 256, 1, 3, 1},
    {"googlenet", 144, 14, 288, 1, 3, 1},     {"googlenet", 160, 14, 320, 1, 3, 1},
    {"googlenet", 160, 7, 320, 1, 3, 1},      {"googlenet", 192, 7, 384, 1, 3, 1},
    {"googlenet", 16, 28, 32, 1, 3, 1},       {"googlenet", 32, 28, 96, 1, 3, 1},
    {"googlenet", 16, 14, 48, 1, 3, 1},       {"googlenet", 24, 14, 64, 1, 3, 1},
    {"googlenet", 32, 14, 64, 1, 3, 1},       {"googlenet", 32, 14, 128, 1, 3, 1},
    {"googlenet", 48, 7, 128, 1, 3, 1},       {"squeezenet", 16, 55, 64, 1, 3, 1},
    {"squeezenet", 32, 27, 128, 1, 3, 1},     {"squeezenet", 48, 27, 192, 1, 3, 1},
    {"squeezenet", 48, 13, 192, 1, 3, 1},     {"squeezenet", 64, 13, 256, 1, 3, 1},
    {"inception", 64, 35, 96, 1, 3, 1},       {"inception", 96, 35, 96, 1, 3, 1},
    {"inception", 80, 73, 192, 0, 3, 1},      {"inception", 448, 8, 384, 1, 3, 1},
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static float *noise(int64_t count, uint64_t key)
{
    float *numbers = zf_alloc_raw((size_t)count, sizeof *numbers);

    if (!numbers) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    for (int64_t i = 0; i < count; i++)
        numbers[i] = (float)(zf_random_at(key, (uint64_t)i) >> 40) / 8388608.0f - 1.0f;
    return numbers;
}

static int64_t count_of(struct zf_dims dims)
{
    return dims.d[0] * dims.d[1] * dims.d[2] * dims.d[3];
}

enum way { UP, DOWN, GRADIENT };

/* An input behind a convolution with one tap, in the layout that this leaves. */
static zf_value laid_out(const struct zf_engine_ops *ops, struct zf_engine *e, struct zf_dims dims,
                         float *numbers)
{
    const struct zf_window cell = {1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0};
    const struct zf_dims weight = {4, {dims.d[1], dims.d[1], 1, 1}};

    return ops->conv_forward(e, &cell, ops->input(e, dims), ops->host(e, weight, numbers),
                             ZF_NO_VALUE, false);
}

/* The parameters lie in `numbers`, which are enough, and gradients overwrite them. */
static struct zf_engine *engine_of(const struct shape *shape, int64_t batch, int threads,
                                   bool exact, enum way way, float *numbers)
{
    const struct zf_engine_ops *ops = zf_engine_at(0);
    const struct zf_engine_config config = {.batch = batch, .threads = threads, .exact = exact};
    const struct zf_window window = {.kernel_h = shape->kernel,
                                     .kernel_w = shape->kernel,
                                     .stride_h = shape->stride,
                                     .stride_w = shape->stride,
                                     .pad_top = shape->pad,
                                     .pad_left = shape->pad,
                                     .pad_bottom = shape->pad,
                                     .pad_right = shape->pad,
                                     .groups = 1};
    const struct zf_dims src = {4, {batch, shape->maps, shape->side, shape->side}};
    const struct zf_dims weight = {4, {shape->to, shape->maps, shape->kernel, shape->kernel}};
    const struct zf_dims dst = zf_window_dims(&window, src, shape->to);
    const struct zf_dims bias = {1, {shape->to}};
    const struct zf_run run = {.count = batch};
    struct zf_engine *e = NULL;
    struct zf_error err;
    zf_value below, above;

    if (ops->create(&config, &e, &err) != ZF_OK)
        goto fail;
    ops->begin(e, ZF_PROGRAM_FORWARD);
    below = way == DOWN ? ZF_NO_VALUE : laid_out(ops, e, src, numbers);
    above = way == UP ? ZF_NO_VALUE : laid_out(ops, e, dst, numbers);
    ops->begin(e, ZF_PROGRAM_PROJECT);
    if (way == UP)
        ops->keep(e, ops->conv_forward(e, &window, below, ops->host(e, weight, numbers),
                                       ops->host(e, bias, numbers), true));
    else if (way == DOWN)
        ops->keep(e,
                  ops->conv_backward_data(e, &window, above, ops->host(e, weight, numbers), src));
    else
        ops->conv_backward_weights(e, &window, below, above, ops->host(e, weight, numbers),
                                   ops->host(e, bias, numbers + count_of(weight)));
    if (ops->finish(e, &err) != ZF_OK)
        goto fail;
    ops->run(e, ZF_PROGRAM_REFRESH, &run);
    ops->run(e, ZF_PROGRAM_FORWARD, &run);
    return e;
fail:
    fprintf(stderr, "%s\n", err.message);
    exit(1);
}

static void measure(const struct shape *shape, int64_t batch, int threads, double seconds,
                    enum way way)
{
    const struct zf_engine_ops *ops = zf_engine_at(0);
    const int64_t most = shape->maps > shape->to ? shape->maps : shape->to;
    struct zf_engine *engines[2];
    double least[2] = {1e9, 1e9}, end;
    float *numbers;

    while (batch > 1 && batch * most * shape->side * shape->side > LARGEST)
        batch /= 2;
    numbers =
        noise(count_of((struct zf_dims){4, {most, most + 1, shape->kernel, shape->kernel}}), 1);
    for (int i = 0; i < 2; i++)
        engines[i] = engine_of(shape, batch, threads, i == 0, way, numbers);
    end = now() + seconds;
    for (int round = 0; round < 3 || now() < end; round++)
        for (int i = 0; i < 2; i++) {
            const struct zf_run run = {.count = batch};
            const double begin = now();
            double took;

            ops->run(engines[i], ZF_PROGRAM_PROJECT, &run);
            took = now() - begin;
            if (took < least[i])
                least[i] = took;
        }
    printf("| %s | %d to %d, %d | %d | %.3f | %.3f | %.2f |\n", shape->nets, (int)shape->maps,
           (int)shape->to, (int)shape->side, (int)batch, 1e3 * least[0], 1e3 * least[1],
           least[0] / least[1]);
    fflush(stdout);
    for (int i = 0; i < 2; i++)
        ops->free(&engines[i]);
    zf_free(numbers);
}

int main(int argc, char **argv)
{
    const int64_t batch = argc > 1 ? atoi(argv[1]) : 0;
    const int threads = argc > 2 ? atoi(argv[2]) : 0;
    const double seconds = argc > 3 ? atof(argv[3]) : 0;
    const char *name = argc > 4 ? argv[4] : "up";
    const enum way way = strcmp(name, "gradient") == 0 ? GRADIENT
                         : strcmp(name, "down") == 0   ? DOWN
                                                       : UP;

    if (batch < 1 || threads < 1 || seconds <= 0) {
        fprintf(stderr,
                "usage: bench-convolution BATCH THREADS SECONDS [up|down|gradient] [NAME]\n");
        return 2;
    }
    printf("| net | maps, side | batch | direct, ms | chosen, ms | ratio "
           "|\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < ZF_COUNT(shapes); i++)
        if (argc <= 5 || strstr(shapes[i].nets, argv[5]))
            measure(&shapes[i], batch, threads, seconds, way);
    return 0;
}
