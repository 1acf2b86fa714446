/* SPDX-License-Identifier: MIT */
/* Occlusion as a command: what is asked. */
#include "experiments/occlude/occlude.h"

#include <string.h>

struct occlude {
    const char *class, *layer, *data, *colour;
    int64_t size, stride, batch;
    bool figure, single_file;
};

static const char *const class_words[] = {"true", "predicted", NULL};

static const char *const colour_words[] = {"mean", "grey", "black", NULL};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_INT(occlude, size, "PX",
                      "side of the square; 0 = 32 px, but at most 2/7 of the input", 0, 0, 65536),
    ZF_OPTION_ROW_INT(occlude, stride, "PX",
                      "step of the square; 0 = 8 px, but at most 1/28 of the input", 0, 0, 65536),
    ZF_OPTION_ROW_WORDS(occlude, class, "C",
                        "label or index to follow, true (the folder's) or predicted; unless named, "
                        "the folder's where that is a class, else the most probable",
                        class_words),
    ZF_OPTION_ROW_TEXT(
        occlude, layer, "L",
        "whose strongest map is followed; the last convolution, rectified, unless named"),
    ZF_OPTION_ROW_TEXT(occlude, data, "DATA",
                       "show the map's projections from its strongest pictures here as well"),
    ZF_OPTION_ROW_WORDS(occlude, colour, "K",
                        "of the square: mean, grey, black, or R,G,B (0 to 255); mean unless named",
                        colour_words),
    ZF_OPTION_ROW_INT(occlude, batch, "N", "inputs at a time; 0 = chosen", 0, 0, 4096),
    ZF_FIGURE_ROW(occlude),
    ZF_SINGLE_FILE_ROW(occlude),
};

/* *colour becomes NULL for the mean, or `values`. */
static enum zf_status parse_colour(const char *text, float values[3], const float **colour,
                                   struct zf_error *err)
{
    int64_t *numbers = NULL;
    size_t count = 0;

    *colour = NULL;
    if (!text || strcmp(text, "mean") == 0)
        return ZF_OK;
    *colour = values;
    if (strcmp(text, "grey") == 0 || strcmp(text, "black") == 0) {
        for (int c = 0; c < 3; c++)
            values[c] = text[0] == 'g' ? 128.0f : 0.0f;
        return ZF_OK;
    }
    if (strchr(text, ','))
        ZF_CHECK(zf_list_numbers(text, "colour", &numbers, &count, err));
    for (size_t c = 0; c < count && count == 3; c++) {
        if (numbers[c] > 255)
            count = 0;
        else
            values[c] = (float)numbers[c];
    }
    zf_free(numbers);
    return count == 3
               ? ZF_OK
               : zf_fail(err, ZF_EINVAL,
                         "colour takes mean, grey, black, or R,G,B from 0 to 255, not '%s'", text);
}

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct occlude *given = call->options;
    struct zf_occlude_options options = {.size = given->size,
                                         .stride = given->stride,
                                         .target = -1,
                                         .layer = -1,
                                         .compute = zf_compute_batch(call->compute, given->batch)};
    enum zf_status status;
    struct zf_subjects subjects = {0};
    struct zf_occlusions *result = NULL;
    struct zf_others *others = NULL;
    int64_t *classes = NULL;
    float colour[3];

    ZF_TRY(parse_colour(given->colour, colour, &options.colour, err));
    if (given->layer)
        ZF_TRY(zf_net_find_layer(call->net, given->layer, &options.layer, err));
    ZF_TRY(zf_subjects_load(&subjects, call, given->size, err));
    ZF_TRY(zf_subject_classes(call->net, given->class, (const char *const *)subjects.names,
                              subjects.count, &classes, err));
    options.classes = classes;
    ZF_TRY(zf_occlude_run(call->net, &subjects.inputs, &options, &result, call->monitor, err));
    if (call->data)
        ZF_TRY(zf_others_find(call->net, call->data, result, subjects.shown, &call->compute,
                              &others, call->monitor, err));
    if (zf_call_shows(call))
        zf_occlude_page(call->net, result,
                        &(struct zf_occlude_show){.names = (const char *const *)subjects.names,
                                                  .shown = subjects.shown,
                                                  .colour = given->colour ? given->colour : "mean",
                                                  .data = given->data,
                                                  .others = others},
                        document);
fail:
    zf_free(classes);
    zf_others_free(&others, subjects.count);
    zf_occlude_free(&result);
    zf_subjects_release(&subjects);
    return status;
}

const struct zf_experiment zf_experiment_occlude = {
    .name = "occlude",
    .figure = "figure 7",
    .title = "What hides the answer",
    .summary = "hide each place of a picture in turn: what the answer needs",
    .details = "A square slides over each picture. Writes DIR/index.html, DIR/occlude.json and for "
               "each picture the five panels: the picture, the sum of its strongest map and the "
               "probability of the class by the square's place, the map's projection, and the most "
               "probable class.",
    .takes = ZF_TAKES_PICTURES,
    .picture_bytes = 1e5,
    .opens = ZF_OPENS_DATA,
    .shares = true,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct occlude),
    .run = run,
};
