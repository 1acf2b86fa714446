/* SPDX-License-Identifier: MIT */
/* One unit as a command: what is asked. */
#include "experiments/unit/unit.h"

#include <inttypes.h>

#include "base/status.h"
#include "experiments/subjects.h"
#include "page/document.h"

struct unit {
    const char *data, *layer, *map;
    int64_t batch;
    int rule;
    bool strict, figure, single_file;
};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(unit, data, "DATA", "pictures to look through"),
    ZF_OPTION_ROW_TEXT(unit, layer, "L", "the unit's layer"),
    ZF_OPTION_ROW_TEXT(unit, map, "M", "its map: a number, or of output layers a class"),
    ZF_OPTION_ROW_CHOICE(unit, rule, "R", "what a rectifier does to the signal on its way down",
                         ZF_RULE_DECONVNET, zf_rule_names),
    ZF_OPTION_ROW_INT(unit, batch, "N", "pictures at a time; 0 = chosen", 0, 0, 4096),
    ZF_OPTION_ROW_FLAG(unit, strict,
                       "a picture that cannot be read is an error instead of being skipped"),
    ZF_FIGURE_ROW(unit),
    ZF_SINGLE_FILE_ROW(unit),
};

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct unit *given = call->options;
    struct zf_unit_options options = {.rule = (enum zf_rule)given->rule,
                                      .strict = given->strict,
                                      .compute = zf_compute_batch(call->compute, given->batch)};
    enum zf_status status;
    struct zf_unit *unit = NULL;
    const char *class;

    ZF_TRY(zf_option_needed("unit", given->layer, "--layer L", err));
    ZF_TRY(zf_option_needed("unit", given->map, "--map M", err));
    ZF_TRY(zf_net_find_layer(call->net, given->layer, &options.layer, err));
    ZF_TRY(zf_net_find_map(call->net, options.layer, given->map, &options.map, err));
    ZF_TRY(zf_unit_measure(call->net, call->data, &options, &unit, call->monitor, err));
    class = zf_unit_class_name(call->net, options.layer, options.map);
    zf_document_retitle(document,
                        zf_document_words(document, "%s, map %" PRId64 "%s%s",
                                          zf_net_layer(call->net, options.layer).name, options.map,
                                          class ? ": " : "", class ? class : ""));
    ZF_TRY(zf_unit_page(call->net, call->data, unit, options.rule, document, err));
fail:
    zf_unit_free(&unit);
    return status;
}

const struct zf_experiment zf_experiment_unit = {
    .name = "unit",
    .figure = "figures 2 and 4",
    .title = "One unit",
    .summary = "one map's story: what it answers to, what feeds it, what it votes for",
    .details =
        "One pass over the data, then the unit's own pictures, each with the unit and with its map "
        "set to zero. Writes DIR/index.html, DIR/unit.json, and the figures strongest.png, "
        "middle.png, weakest.png, activity.svg and votes.svg.",
    .takes = ZF_TAKES_MODEL,
    .opens = ZF_NEEDS_DATA,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct unit),
    .run = run,
};
