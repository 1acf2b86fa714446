/* SPDX-License-Identifier: MIT */
/* The comparison of two nets as a command: what is asked. */
#include "base/status.h"
#include "experiments/album.h"
#include "experiments/compare/compare.h"
#include "experiments/subjects.h"

struct compare {
    const char *data;
    int64_t shown, explain, batch;
    bool figure, single_file;
};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(compare, data, "DATA", "labelled pictures"),
    ZF_OPTION_ROW_INT(compare, shown, "N", "pictures shown of each kind", 12, 1, ZF_ALBUM_MOST),
    ZF_OPTION_ROW_INT(compare, explain, "N",
                      "of those that only one has right, how many get both nets' occlusion maps", 2,
                      0, ZF_ALBUM_MOST),
    ZF_OPTION_ROW_INT(compare, batch, "N", "inputs at a time; 0 = chosen", 0, 0, 4096),
    ZF_FIGURE_ROW(compare),
    ZF_SINGLE_FILE_ROW(compare),
};

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct compare *given = call->options;
    const struct zf_eval_options options = {.compute =
                                                zf_compute_batch(call->compute, given->batch)};
    struct zf_compared *compared = NULL;
    enum zf_status status;

    ZF_TRY(zf_compare_run(call->net, call->other, call->data, &options, &compared, call->monitor,
                          err));
    ZF_TRY(
        zf_compare_page(compared,
                        &(struct zf_compare_show){.nets = {call->net, call->other},
                                                  .names = {call->arguments[0], call->arguments[1]},
                                                  .data = call->data,
                                                  .shown = (size_t)given->shown,
                                                  .explained = (size_t)given->explain,
                                                  .compute = call->compute,
                                                  .monitor = call->monitor},
                        document, err));
fail:
    zf_compared_free(&compared);
    return status;
}

const struct zf_experiment zf_experiment_compare = {
    .name = "compare",
    .figure = "picture by picture",
    .title = "Where two nets differ",
    .summary = "which pictures one model has right and another wrong",
    .details =
        "Counts, by class and in all, the pictures that both models have right, only the first "
        "(A), "
        "only the second (B), or neither, and how likely such a difference is by chance; shows "
        "those "
        "where the wrong one is the surest, with both answers, and for the first of them what "
        "speaks "
        "for each answer. The models may differ in everything but the names of the classes in the "
        "data.\nWrites DIR/index.html, DIR/compare.json and the figures.",
    .takes = ZF_TAKES_TWO_MODELS,
    .opens = ZF_NEEDS_DATA,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct compare),
    .run = run,
};
