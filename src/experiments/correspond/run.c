/* SPDX-License-Identifier: MIT */
/* Correspondence as a command: what is asked. */
#include "experiments/correspond/correspond.h"

struct correspond {
    const char *layer;
    int64_t size, repeats, permutations, batch;
    bool figure;
};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(correspond, layer, "L...",
                       "layers whose features are compared; the last convolution and the last "
                       "hidden layer, before their rectifiers, unless named"),
    ZF_OPTION_ROW_INT(
        correspond, size, "PX",
        "side of the square where the list says none; 0 = 32 px, but at most 2/7 of the input", 0,
        0, 65536),
    ZF_OPTION_ROW_INT(correspond, repeats, "N", "random places a picture",
                      ZF_CORRESPOND_DEFAULT_REPEATS, 2, ZF_CORRESPOND_MAX_REPEATS),
    ZF_OPTION_ROW_INT(correspond, permutations, "N", "of the test of each part",
                      ZF_CORRESPOND_DEFAULT_PERMUTATIONS, 1, ZF_CORRESPOND_MAX_PERMUTATIONS),
    ZF_OPTION_ROW_INT(correspond, batch, "N", "inputs at a time; 0 = chosen", 0, 0, 4096),
    ZF_FIGURE_ROW(correspond),
};

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct correspond *given = call->options;
    struct zf_correspond_options options = {.layers = call->layers,
                                            .layer_count = call->layer_count,
                                            .size = given->size,
                                            .repeats = given->repeats,
                                            .permutations = given->permutations,
                                            .seed = (uint64_t)call->seed,
                                            .compute =
                                                zf_compute_batch(call->compute, given->batch)};
    enum zf_status status;
    struct zf_parts *parts = NULL;
    struct zf_correspondence *result = NULL;

    ZF_TRY(zf_parts_load(call->arguments[0], &parts, err));
    ZF_TRY(zf_correspond_run(call->net, parts, &options, &result, call->monitor, err));
    zf_correspond_page(call->net, parts, result, document);
fail:
    zf_correspond_free(&result);
    zf_parts_free(&parts);
    return status;
}

const struct zf_experiment zf_experiment_correspond = {
    .name = "correspond",
    .figure = "table 1",
    .title = "Does the same part mean the same?",
    .summary = "whether hiding the same part changes different pictures alike",
    .details = "PARTS.tsv has a line for each part of each picture: file <tab> part <tab> x <tab> "
               "y, optionally <tab> size, in pixels of the picture. The control are squares of the "
               "same size at random places around the parts. Delta is the share of features whose "
               "change has another sign, over all pairs of pictures; p is by a permutation test. "
               "Writes DIR/index.html, DIR/correspond.json and the figures.",
    .takes = ZF_TAKES_PARTS,
    .looks_at_layers = true,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct correspond),
    .run = run,
};
