/* SPDX-License-Identifier: MIT */
#include "command.h"
#include "output.h"
#include "pipes.h"
#include "zf/document.h"

static enum zf_status run_report(struct call *call, struct zf_error *err)
{
    cJSON *json;

    ZF_CHECK(need(call, call->common.out, "-o page.html", err));
    ZF_CHECK(zf_report_write(call->args->words[0], call->common.out, err));
    progress_say(call->progress, "wrote %s", pipes_name(call, call->common.out));
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
               "experiments below DIR into one page that needs no other file: with a table of "
               "contents, every figure with its caption, and for each what was asked and the "
               "command that made it. Links are not followed.",
    .output = OUTPUT_FILE,
    .stdout_ending = ".html",
    .least = 1,
    .most = 1,
    .runs_no_net = true,
    .run = run_report,
};
