/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "nets.h"
#include "output.h"
#include "preparation.h"
#include "probe.h"
#include "zf/report.h"

struct invariance_options {
    const char *class, *layer;
    int64_t batch;
};

#define FIELD(name) offsetof(struct invariance_options, name)
static const struct zf_option invariance_table[] = {
    {"layer", "L...",
     "layers whose features are compared; the end of the first convolution's "
     "stage and the last hidden layer unless named",
     ZF_OPTION_TEXT, FIELD(layer), 0, 0, 0, NULL},
    {"class", "C",
     "label or index to follow; unless named, the picture's folder where that is a "
     "label, else the most probable",
     ZF_OPTION_TEXT, FIELD(class), 0, 0, 0, NULL},
    {"batch", "N", "inputs at a time; 0 = chosen", ZF_OPTION_INT, FIELD(batch), 0, 0, 4096, NULL},
};
#undef FIELD

/* The pictures and the class of each. */
struct pictures {
    struct zf_picture *squares;
    int64_t *classes;
    size_t count;
};

static void pictures_release(struct pictures *pictures)
{
    for (size_t i = 0; pictures->squares && i < pictures->count; i++)
        zf_picture_release(&pictures->squares[i]);
    free(pictures->squares);
    free(pictures->classes);
}

/* The class that the picture's folder names, -1 = none. */
static int64_t class_of_folder(const struct zf_net *net, const char *path)
{
    const char *end = strrchr(path, '/');
    const char *start = end;

    if (!end || !zf_net_has_labels(net))
        return -1;
    while (start > path && start[-1] != '/')
        start--;
    for (int64_t k = 0; k < zf_net_class_count(net); k++) {
        const char *label = zf_net_label(net, k);

        if (strlen(label) == (size_t)(end - start) &&
            strncmp(label, start, (size_t)(end - start)) == 0)
            return k;
    }
    return -1;
}

static enum zf_status pictures_load(struct pictures *pictures, const struct call *call,
                                    const struct zf_net *net, const char *class,
                                    struct zf_error *err)
{
    const struct zf_preparation *how = zf_net_preparation(net);
    const size_t count = call->args->word_count - 1;
    enum zf_status status = ZF_OK;
    int64_t wanted = -1;

    if (class)
        TRY(net_class(net, class, &wanted, err));
    pictures->squares = calloc(count, sizeof *pictures->squares);
    pictures->classes = calloc(count, sizeof *pictures->classes);
    if (!pictures->squares || !pictures->classes) {
        status = fail(err, ZF_ENOMEM, "out of memory for %zu pictures", count);
        goto fail;
    }
    pictures->count = count;
    for (size_t i = 0; i < count; i++) {
        const char *path = call->args->words[1 + i];

        TRY(zf_picture_load_square(path, zf_geometry_of(how), NULL, &pictures->squares[i], err));
        pictures->classes[i] = wanted >= 0 ? wanted : class_of_folder(net, path);
    }
fail:
    return status;
}

/* A line for each picture and motion: how far the features go, how low the probability. */
static void print_invariance(const struct call *call, const struct zf_net *net,
                             const struct zf_invariance *result)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct zf_invariance_image *image = &result->images[i];

        fprintf(call->out, "%s\n  %.4f  %s\n", call->args->words[1 + i], image->probability,
                zf_net_label(net, image->target));
        for (int m = 0; m < ZF_MOTIONS; m++) {
            const struct zf_invariance_curve *curve = &image->curves[m];
            double lowest = image->probability;

            fprintf(call->out, "  %-12s", zf_motion_name((enum zf_motion)m));
            for (size_t l = 0; l < result->layer_count; l++) {
                double most = 0.0;

                for (size_t v = 0; v < result->value_count[m]; v++) {
                    const double distance = curve->distance[l * result->value_count[m] + v];

                    most = distance > most ? distance : most;
                }
                fprintf(call->out, "  %s moves by up to %.2f",
                        zf_net_layer(net, result->layers[l]).name,
                        image->norms[l] > 0.0 ? most / image->norms[l] : 0.0);
            }
            for (size_t v = 0; v < result->value_count[m]; v++)
                lowest = curve->probability[v] < lowest ? curve->probability[v] : lowest;
            fprintf(call->out, "  probability down to %.4f\n", lowest);
        }
    }
}

static enum zf_status run_invariance(struct call *call, struct zf_error *err)
{
    const struct option_table table = {invariance_table, COUNT(invariance_table)};
    enum zf_status status;
    struct invariance_options given;
    struct zf_invariance_options options = {0};
    struct zf_net *net = NULL;
    struct pictures pictures = {0};
    struct zf_invariance *result = NULL;
    struct zf_probe_show show = {.names = call->args->words + 1, .command = call->line};
    int *layers = NULL;
    char *json = NULL;

    TRY(args_read(call->args, table, &given, err));
    TRY(need(call, call->common.out, "-o DIR", err));
    TRY(model_open(call, call->args->words[0], &net, err));
    TRY(net_layers(net, given.layer, &layers, &options.layer_count, err));
    options.layers = layers;
    options.compute = probe_run(call, given.batch);
    TRY(pictures_load(&pictures, call, net, given.class, err));
    options.classes = pictures.classes;
    show.shown = pictures.squares;
    TRY(zf_invariance_run(net, pictures.squares, pictures.count, &options, &result, call->monitor,
                          err));
    TRY(zf_invariance_report(net, result, &show, call->common.out, err));
    if (call->common.json)
        TRY(zf_invariance_json(net, result, &show, &json, err));
    else
        print_invariance(call, net, result);
    probe_end(call, "invariance", json);
fail:
    zf_invariance_free(&result);
    pictures_release(&pictures);
    zf_net_free(&net);
    free(layers);
    return status;
}

const struct command invariance_command = {
    .name = "invariance",
    .arguments = "MODEL IMAGE...",
    .summary = "shift, enlarge and turn pictures: how features and answer change (figure 5)",
    .details = "Vertical shifts of up to 60 px of a 224 px input, in proportion; scales 1 to 1.8; "
               "rotations by 0 to 350 degrees. Distances are Euclidean, to the features of the "
               "picture as it is. Writes DIR/index.html, DIR/invariance.json and the figures.",
    .output = OUTPUT_DIRECTORY,
    .prepares = true,
    .imports = true,
    .least = 2,
    .most = SIZE_MAX,
    .options = invariance_table,
    .option_count = COUNT(invariance_table),
    .run = run_invariance,
};
