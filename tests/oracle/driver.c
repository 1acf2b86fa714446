/* SPDX-License-Identifier: MIT */
/*
 * The library's side of the comparison with PyTorch: runs a net and writes what came out as .npy,
 * by the interface that every program uses. oracle.py calls it and judges.
 *
 *     driver engines
 *     driver spec NET OUT.ini
 *     driver forward ENGINE MODEL INPUT.npy DIR LAYER...
 *     driver project ENGINE MODEL INPUT.npy DIR RULE LAYER...
 *                                         from the places in DIR/places.LAYER.npy; layers
 *                                         without such a file are only read
 *     driver train ENGINE MODEL INPUT.npy DIR LR,MOMENTUM,DECAY,RMS LAYER...
 *                                         labels [steps, batch] in DIR/labels.npy
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/loss.h"
#include "train/step.h"
#include "zf/model.h"
#include "zf/net.h"
#include "zf/plan.h"
#include "zf/tensor.h"

#define MAX_LAYERS 64
#define PLACE_FIELDS 5 /* n, map, y, x, value; NaN = the activation itself */

static struct zf_error err;

static void check(enum zf_status status)
{
    if (status == ZF_OK)
        return;
    fprintf(stderr, "driver: %s\n", err.message);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory) {
        fprintf(stderr, "driver: out of memory\n");
        exit(1);
    }
    return memory;
}

/* What the three commands that run a net share. */
struct job {
    struct zf_net *net;
    struct zf_tensor input;
    const char *engine, *directory;
    char **layer_names;
    int layers[MAX_LAYERS];
    int layer_count;
};

static void path_of(const struct job *job, const char *kind, const char *name, char path[512])
{
    snprintf(path, 512, "%s/%s.%s.npy", job->directory, kind, name);
}

static void save(const struct job *job, const char *kind, const char *name,
                 const struct zf_tensor *tensor)
{
    char path[512];

    path_of(job, kind, name, path);
    check(zf_tensor_save_npy(tensor, path, &err));
}

static void save_activation(const struct job *job, struct zf_plan *plan, int64_t rows, int layer)
{
    const struct zf_layer_info info = zf_net_layer(job->net, layer);
    struct zf_tensor tensor;

    check(zf_tensor_init(&tensor, rows, info.shape.c, info.shape.h, info.shape.w, &err));
    zf_plan_read(plan, layer, &tensor);
    save(job, "activation", info.name, &tensor);
    zf_tensor_release(&tensor);
}

static void run_forward(struct job *job)
{
    struct zf_plan *plan = NULL;
    const struct zf_plan_options options = {
        .compute = {.batch = job->input.n, .engine = job->engine},
        .purpose = ZF_INFER,
        .taps = job->layers,
        .tap_count = (size_t)job->layer_count,
    };

    check(zf_plan_create(job->net, &options, &plan, &err));
    zf_plan_forward(plan, &job->input);
    for (int i = 0; i < job->layer_count; i++)
        save_activation(job, plan, job->input.n, job->layers[i]);
    zf_plan_free(&plan);
}

static void project_layer(struct job *job, struct zf_plan *plan, int layer, const char *name)
{
    struct zf_tensor table, pixels;
    struct zf_place *places;
    float *values;
    char path[512];

    path_of(job, "places", name, path);
    if (access(path, F_OK) != 0)
        return;
    check(zf_tensor_load_npy(path, &table, &err));
    places = allocate((size_t)table.n, sizeof *places);
    values = allocate((size_t)table.n, sizeof *values);
    for (int64_t i = 0; i < table.n; i++) {
        const float *row = table.data + i * PLACE_FIELDS;

        places[i] =
            (struct zf_place){(int64_t)row[0], (int64_t)row[1], (int64_t)row[2], (int64_t)row[3]};
        values[i] = isnan(row[4]) ? zf_plan_activation(plan, layer, places[i]) : row[4];
    }
    check(zf_tensor_init(&pixels, job->input.n, job->input.c, job->input.h, job->input.w, &err));
    zf_plan_project(plan, layer, places, isnan(table.data[4]) ? NULL : values, (size_t)table.n,
                    &pixels);
    save(job, "projection", name, &pixels);
    zf_tensor_release(&pixels);
    zf_tensor_release(&table);
    free(places);
    free(values);
}

static void run_project(struct job *job, const char *rule)
{
    struct zf_plan *plan = NULL;
    const struct zf_plan_options options = {
        .compute = {.batch = job->input.n, .engine = job->engine},
        .purpose = ZF_PROJECT,
        .rule = strcmp(rule, "deconvnet") == 0  ? ZF_RULE_DECONVNET
                : strcmp(rule, "gradient") == 0 ? ZF_RULE_GRADIENT
                                                : ZF_RULE_GUIDED,
        .taps = job->layers,
        .tap_count = (size_t)job->layer_count,
        .taps_only = true,
    };

    check(zf_plan_create(job->net, &options, &plan, &err));
    zf_plan_forward(plan, &job->input);
    for (int i = 0; i < job->layer_count; i++) {
        project_layer(job, plan, job->layers[i], job->layer_names[i]);
        save_activation(job, plan, job->input.n, job->layers[i]);
    }
    zf_plan_free(&plan);
}

static void save_gradients(const struct job *job, float *gradients)
{
    for (int i = 0; i < zf_net_parameter_tensors(job->net); i++) {
        const struct zf_parameter p = zf_net_parameter(job->net, i);
        const struct zf_tensor view =
            zf_tensor_view(gradients + zf_net_gradient_offset(job->net, i), 1, 1, 1, p.count);

        save(job, "gradient", p.name, &view);
    }
}

static double batch_loss(struct zf_plan *plan, const struct zf_net *net, const int32_t *labels,
                         int64_t batch)
{
    struct zf_tensor probabilities;
    struct zf_score score = {0};

    check(zf_tensor_init(&probabilities, batch, zf_net_class_count(net), 1, 1, &err));
    zf_plan_read(plan, zf_net_layer_count(net) - 1, &probabilities);
    zf_score_add(&score, &probabilities, labels);
    zf_tensor_release(&probabilities);
    return zf_score_loss(&score);
}

/* As many steps as there are rows of labels; what the taps and gradients are at the first. */
static void run_train(struct job *job, const char *rates)
{
    struct zf_plan *plan = NULL;
    struct zf_tensor table, losses;
    const size_t floats = (size_t)zf_net_gradient_floats(job->net);
    float *gradients = allocate(floats, sizeof *gradients);
    float *velocity = allocate(floats, sizeof *velocity);
    int32_t *labels;
    struct zf_step step = {.threads = 2};
    struct zf_plan_options options = {.purpose = ZF_TRAIN, .gradients = gradients};
    char path[512];
    int64_t image;

    if (sscanf(rates, "%lf,%lf,%lf,%lf", &step.lr, &step.momentum, &step.weight_decay,
               &step.rms_limit) != 4)
        exit(2);
    snprintf(path, sizeof path, "%s/labels.npy", job->directory);
    check(zf_tensor_load_npy(path, &table, &err));
    check(zf_tensor_init(&losses, table.n, 1, 1, 1, &err));
    labels = allocate((size_t)table.c, sizeof *labels);
    options.compute.batch = table.c;
    options.compute.engine = job->engine;
    options.taps = job->layers;
    options.tap_count = (size_t)job->layer_count;
    check(zf_plan_create(job->net, &options, &plan, &err));
    image = job->input.c * job->input.h * job->input.w;
    for (int64_t s = 0; s < table.n; s++) {
        const struct zf_tensor batch =
            zf_tensor_view(job->input.data + s * table.c * image, table.c, job->input.c,
                           job->input.h, job->input.w);

        for (int64_t i = 0; i < table.c; i++)
            labels[i] = (int32_t)table.data[s * table.c + i];
        zf_plan_forward(plan, &batch);
        zf_plan_backward(plan, labels);
        losses.data[s] = (float)batch_loss(plan, job->net, labels, table.c);
        if (s == 0) {
            for (int i = 0; i < job->layer_count; i++)
                save_activation(job, plan, table.c, job->layers[i]);
            save_gradients(job, gradients);
        }
        zf_step_apply(job->net, gradients, velocity, &step);
        zf_plan_refresh(plan);
    }
    save(job, "loss", "all", &losses);
    snprintf(path, sizeof path, "%s/trained.safetensors", job->directory);
    check(zf_model_save(job->net, path, &err));
    zf_tensor_release(&losses);
    zf_tensor_release(&table);
    zf_plan_free(&plan);
    free(labels);
    free(gradients);
    free(velocity);
}

static void write_spec(const char *name, const char *path)
{
    struct zf_net *net = NULL;
    FILE *stream = fopen(path, "w");

    check(zf_net_load_spec(name, 0, &net, &err));
    if (!stream || fputs(zf_net_spec(net), stream) < 0 || fclose(stream) != 0)
        exit(1);
    zf_net_free(&net);
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    const int named = strcmp(command, "forward") == 0 ? 6 : 7; /* the first layer's argument */
    struct job job = {0};

    if (strcmp(command, "engines") == 0) {
        for (size_t i = 0; zf_engine_name(i); i++)
            puts(zf_engine_name(i));
        return 0;
    }
    if (strcmp(command, "spec") == 0 && argc == 4) {
        write_spec(argv[2], argv[3]);
        return 0;
    }
    if (argc <= named || argc - named > MAX_LAYERS) {
        fprintf(stderr, "usage: see driver.c\n");
        return 2;
    }
    job.engine = argv[2];
    job.directory = argv[5];
    job.layer_names = argv + named;
    job.layer_count = argc - named;
    check(zf_model_load(argv[3], NULL, &job.net, &err));
    check(zf_tensor_load_npy(argv[4], &job.input, &err));
    for (int i = 0; i < job.layer_count; i++)
        check(zf_net_find_layer(job.net, job.layer_names[i], &job.layers[i], &err));
    if (strcmp(command, "forward") == 0)
        run_forward(&job);
    else if (strcmp(command, "project") == 0)
        run_project(&job, argv[6]);
    else if (strcmp(command, "train") == 0)
        run_train(&job, argv[6]);
    else
        return 2;
    zf_tensor_release(&job.input);
    zf_net_free(&job.net);
    return 0;
}
