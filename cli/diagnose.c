/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "output.h"
#include "preparation.h"
#include "zf/data.h"
#include "zf/diagnose.h"
#include "zf/report.h"

struct diagnose_options {
    const char *data;
    int64_t batch;
    bool strict;
};

#define FIELD(name) offsetof(struct diagnose_options, name)
static const struct zf_option diagnose_table[] = {
    {"data", "DATA", "pictures; without them only the weights are looked at", ZF_OPTION_TEXT,
     FIELD(data), 0, 0, 0, NULL},
    {"batch", "N", "pictures at a time; 0 = chosen", ZF_OPTION_INT, FIELD(batch), 0, 0, 4096, NULL},
    {"strict", "", "a picture that cannot be read is an error instead of being skipped",
     ZF_OPTION_FLAG, FIELD(strict), 0, 0, 0, NULL},
};
#undef FIELD

static enum zf_status print_diagnosis(const struct call *call, const struct zf_net *net,
                                      const struct zf_diagnosis *diagnosis, struct zf_error *err)
{
    char *json = NULL;

    if (call->common.json) {
        enum zf_status status = zf_diagnose_json(net, diagnosis, &json, err);

        if (status == ZF_OK)
            fprintf(call->out, "%s\n", json);
        zf_text_free(json);
        return status;
    }
    for (size_t i = 0; i < diagnosis->layer_count; i++)
        fprintf(call->out, "%s: %s\n", zf_net_layer(net, diagnosis->layers[i].layer).name,
                diagnosis->layers[i].verdict);
    return ZF_OK;
}

static enum zf_status run_diagnose(struct call *call, struct zf_error *err)
{
    const struct option_table table = {diagnose_table, COUNT(diagnose_table)};
    enum zf_status status;
    struct diagnose_options given;
    struct zf_top_options options = {0};
    struct zf_net *net = NULL;
    struct zf_data *data = NULL;
    struct zf_diagnosis *diagnosis = NULL;

    TRY(args_read(call->args, table, &given, err));
    TRY(need(call, call->common.out, "-o DIR", err));
    TRY(model_open(call, call->args->words[0], &net, err));
    if (given.data)
        TRY(zf_data_open(given.data, &data, err));
    options.compute = call->compute;
    options.compute.batch = given.batch;
    options.strict = given.strict;
    TRY(zf_diagnose_run(net, data, &options, &diagnosis, call->monitor, err));
    TRY(zf_diagnose_report(net, diagnosis, data, call->line, call->common.out, err));
    TRY(print_diagnosis(call, net, diagnosis, err));
    progress_say(call->progress, "wrote %s/index.html and diagnose.json", call->common.out);
fail:
    zf_diagnosis_free(&diagnosis);
    zf_data_free(&data);
    zf_net_free(&net);
    return status;
}

const struct command diagnose_command = {
    .name = "diagnose",
    .arguments = "MODEL",
    .summary = "dead maps, dominating filters, missing frequencies, aliasing (figure 6)",
    .details = "Measures the filters of every convolution and, with --data, how often each map "
               "fires and what the second layer's projections look like; says in words what is "
               "wrong with each layer and what to try. Writes DIR/index.html, pictures of the "
               "first filters and the second layer's projections, and DIR/diagnose.json.",
    .output = OUTPUT_DIRECTORY,
    .prepares = true,
    .imports = true,
    .least = 1,
    .most = 1,
    .options = diagnose_table,
    .option_count = COUNT(diagnose_table),
    .run = run_diagnose,
};
