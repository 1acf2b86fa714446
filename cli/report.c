/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "output.h"
#include "pipes.h"
#include "zf/document.h"

struct report_options {
    bool single_file;
};

static const struct zf_option report_table[] = {
    ZF_OPTION_ROW_FLAG(
        report_options, single_file,
        "all pictures in the page, to send it as one file, as it always is on stdout; "
        "else more than 4 MiB of them lie in page_files beside page.html"),
};

static enum zf_status run_report(struct call *call, struct zf_error *err)
{
    const struct option_table table = {report_table, ZF_COUNT(report_table)};
    struct report_options given = {0};
    const char *name;
    cJSON *json;

    ZF_CHECK(args_read(call->args, table, &given, err));
    ZF_CHECK(need(call, call->common.out, "-o page.html", err));
    name = pipes_name(call, call->common.out);
    ZF_CHECK(zf_report_write(call->args->words[0], call->common.out,
                             &(struct zf_report_options){
                                 .single_file = given.single_file || name != call->common.out,
                                 .monitor = call->monitor,
                             },
                             err));
    progress_say(call->progress, "wrote %s", name);
    if (call->common.json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "out", call->common.out);
        ZF_CHECK(output_json(call->out, json, err));
    }
    return ZF_OK;
}

const struct command report_command = {
    .name = "report",
    .arguments = "DIR",
    .summary = "every result below a directory on one page",
    .details = "Gathers the runs (log.jsonl), the top pictures (top.json) and the results of all "
               "experiments below DIR into one page, with a table of "
               "contents, every figure with its caption, and for each what was asked and the "
               "command that made it. Links are not followed.",
    .output = OUTPUT_FILE,
    .options = report_table,
    .option_count = ZF_COUNT(report_table),
    .stdout_ending = ".html",
    .least = 1,
    .most = 1,
    .runs_no_net = true,
    .run = run_report,
};
