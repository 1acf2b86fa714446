/* SPDX-License-Identifier: MIT */
/* Invariance as a command: what is asked, and of which pictures. */
#include "experiments/invariance/invariance.h"

#include "base/memory.h"
#include "experiments/subjects.h"

struct invariance {
    const char *class, *layer;
    int64_t batch;
    bool figure, single_file;
};

static const char *const class_words[] = {"true", "predicted", NULL};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(invariance, layer, "L...",
                       "layers whose features are compared; the end of the first convolution's "
                       "stage and the last hidden layer unless named"),
    ZF_OPTION_ROW_WORDS(invariance, class, "C",
                        "label or index to follow, true (the folder's) or predicted; unless named, "
                        "the folder's where that is a class, else the most probable",
                        class_words),
    ZF_OPTION_ROW_INT(invariance, batch, "N", "inputs at a time; 0 = chosen", 0, 0, 4096),
    ZF_FIGURE_ROW(invariance),
    ZF_SINGLE_FILE_ROW(invariance),
};

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
    zf_free(pictures->squares);
    zf_free(pictures->classes);
}

static enum zf_status pictures_load(struct pictures *pictures, const struct zf_call *call,
                                    const char *class, struct zf_error *err)
{
    const struct zf_geometry geometry =
        zf_geometry_of(zf_net_preparation(call->net), zf_net_input(call->net));

    ZF_CHECK(zf_subject_classes(call->net, class, call->arguments, call->argument_count,
                                &pictures->classes, err));
    pictures->count = call->argument_count;
    pictures->squares = zf_alloc(pictures->count, sizeof *pictures->squares);
    if (!pictures->squares)
        return zf_no_memory(err, "%zu pictures", pictures->count);
    for (size_t i = 0; i < pictures->count; i++) {
        const char *path = call->arguments[i];

        ZF_CHECK(zf_picture_load_square(path, geometry, NULL, &pictures->squares[i], err));
    }
    return ZF_OK;
}

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct invariance *given = call->options;
    struct zf_invariance_options options = {.layers = call->layers,
                                            .layer_count = call->layer_count,
                                            .compute =
                                                zf_compute_batch(call->compute, given->batch)};
    enum zf_status status;
    struct pictures pictures = {0};
    struct zf_invariance *result = NULL;

    ZF_TRY(pictures_load(&pictures, call, given->class, err));
    options.classes = pictures.classes;
    ZF_TRY(zf_invariance_run(call->net, pictures.squares, pictures.count, &options, &result,
                             call->monitor, err));
    zf_invariance_page(call->net, result, call->arguments, pictures.squares, document);
fail:
    zf_invariance_free(&result);
    pictures_release(&pictures);
    return status;
}

const struct zf_experiment zf_experiment_invariance = {
    .name = "invariance",
    .figure = "figure 5",
    .title = "What moves the features",
    .summary = "shift, enlarge and turn pictures: how features and answer change",
    .details = "Vertical shifts of up to 60 px of a 224 px input, in proportion; scales 1 to 1.8; "
               "rotations by 0 to 350 degrees. Distances are Euclidean, to the features of the "
               "picture as it is. Writes DIR/index.html, DIR/invariance.json and the figures.",
    .takes = ZF_TAKES_PICTURES,
    .picture_bytes = 5e5,
    .looks_at_layers = true,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct invariance),
    .run = run,
};
